"""Factors for each parameter of a network."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, SettingError, StateError, fault
from torchlite.kernels.arrays import Array

__all__ = ["per_parameter"]


def per_parameter(net: Any, factors: Mapping[Any, float], default: float = 1.0) -> Array:
    """Return one factor for each entry of the flat parameters of `net.getParameters()`.

    This is what the learningRates of `sgd` and `nag` and the weightDecays of `sgd` want. A factor
    of 0 in learningRates freezes: whatever else the config says, those parameters stay as they are.
    With the other methods multiply the gradient by the factors, from the first call on: without a
    weightDecay, 0 freezes there, too.

    Parameters
    ----------
    net
        A network or a layer.
    factors
        By part of the network, each named by one of

        - its path, as one would write it after `net`: "[0]", "[2][1]", "[2].bias", ".weight",
          ".encoder[0]";
        - a class, or the name of one, which may be followed by that of a parameter: nn.Linear,
          "Linear", "Linear.bias".

        A part is everything inside it. Where several hold, a path beats a class, the innermost
        part the outer ones, the closer class its base, and a named parameter an unnamed one.
    default
        Where none holds.

    Conventions
    -----------
    A parameter that is shared, or a view of another, is a part of every place where it stands. Of
    two keys that are equally close the later one holds. The order is that of the parameters now:
    after changing the network ask again.

    Raises
    ------
    StateError
        A key that names no parameter of the network.
    DTypeError
        factors is no dict, a key is neither text nor a class, or a factor is no number.
    SettingError
        A factor that is negative or not finite.

    Example
    -------
    Learn the output layer only, its bias twice as fast:

    >>> import torchlite as nn
    >>> from torchlite import optim
    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> optim.per_parameter(net, {"[0]": 0, "[2].bias": 2})
    array([0., 0., 0., 0., 1., 1., 2.])
    >>> x, gradParameters = net.getParameters()
    >>> config = {"learningRates": optim.per_parameter(net, {nn.Linear: 0.1, "Linear.bias": 0.2})}
    >>> config["learningRates"]
    array([0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2])

    Reference
    ---------
    Torch7's package nnlr.
    """
    if not isinstance(factors, Mapping):
        got, hint = type(factors).__name__, 'per_parameter(net, {"[0]": 0})'
        raise fault(DTypeError, "per_parameter", "factors", "a dict", got, hint=hint)
    for key, factor in factors.items():
        if not isinstance(key, str | type):
            raise fault(DTypeError, "per_parameter", "a key", "text or a class", repr(key))
        if not isinstance(factor, int | float):
            raise fault(
                DTypeError, "per_parameter", f"the factor of {key!r}", "a number", repr(factor)
            )
        if not 0 <= factor < math.inf:
            expected = "a finite number of at least 0"
            argument = f"the factor of {key!r}"
            raise fault(SettingError, "per_parameter", argument, expected, repr(factor))
    rows = list(net.located_parameters())
    parameters = net.parameters()[0]
    result = np.full(
        sum(parameter.size for parameter in parameters),
        default,
        parameters[0].dtype if parameters else None,
    )
    found = []
    unused = dict.fromkeys(factors)
    for row in rows:
        chain = [(place.path, place.module) for place in row.place.around]
        for i, (key, factor) in enumerate(factors.items()):
            rank = _rank(key, chain, row.name)
            if rank:
                unused.pop(key, None)
                found.append(((*rank, i), row.entries, factor))
    if unused:
        names = [f"{row.place.path}.{row.name}" for row in rows]
        raise StateError(
            f"per_parameter: {next(iter(unused))!r} names no parameter of the network",
            method="per_parameter",
            argument="factors",
            hint=f"its parameters are {', '.join(names)}",
        )
    # The closest key comes last.
    for _, entries, factor in sorted(found, key=lambda row: row[0]):
        result[entries] = factor
    return result


def _rank(key: str | type, chain: list[Any], name: str) -> tuple[int, ...]:
    """Return how closely a key holds for a parameter, greater for closer; () where it does not."""
    best: tuple[int, ...] = ()
    for depth, (path, module) in enumerate(chain):
        if key in (path, f"{path}.{name}"):
            return 1, depth, 0, key != path
        for distance, base in enumerate(type(module).__mro__):
            if base is key or key in (base.__name__, f"{base.__name__}.{name}"):
                best = 0, depth, -distance, key == f"{base.__name__}.{name}"
                break
    return best
