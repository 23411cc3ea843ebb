"""For the parts of a network: factors for each parameter, and limits for the gradient."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, SettingError, StateError, fault
from torchlite.optim._chunks import chunks, dotted
from torchlite.optim._method import Method, positive

__all__ = ["clip_by_norm", "clip_by_value", "per_parameter"]

_CLIP_BY_NORM = Method("clip_by_norm", max_norm=positive(None))
_CLIP_BY_VALUE = Method("clip_by_value", limit=positive(None))


def per_parameter(net: Any, factors: Mapping[Any, float], default: float = 1.0) -> Any:
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

        - its path, as one would write it after `net`: "[0]", "[2][1]", "[2].bias", ".weight";
        - a class, or the name of one, which may be followed by that of a parameter: nn.Linear,
          "Linear", "Linear.bias".

        A part is everything inside it. Where several hold, a path beats a class, the innermost
        part the outer ones, the closer class its base, and a named parameter an unnamed one.
    default
        Where none holds.

    Conventions
    -----------
    A parameter that is shared is a part of every place where it stands. Of two keys that are
    equally close the later one holds. The order is that of the parameters now: after changing the
    network ask again.

    Raises
    ------
    StateError
        A key that names no parameter of the network.
    DTypeError
        A key that is neither text nor a class, or a factor that is no number.
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
    # The closest key of each parameter so far, and how close it is.
    closest: dict[int, tuple[tuple[int, ...], float]] = {}
    names, unused = [], dict.fromkeys(factors)
    for parameter, chain in _places(net, "", []):
        path, owner = chain[-1]
        name = next((name for name, value in vars(owner).items() if value is parameter), "")
        names.append(f"{path}.{name}")
        for i, (key, factor) in enumerate(factors.items()):
            rank = _rank(key, chain, name)
            if rank:
                unused.pop(key, None)
                held = closest.get(id(parameter), ((), default))
                closest[id(parameter)] = max(held, ((*rank, i), factor))
    if unused:
        raise StateError(
            f"per_parameter: {next(iter(unused))!r} names no parameter of the network",
            method="per_parameter",
            argument="factors",
            hint=f"its parameters are {', '.join(names)}",
        )
    parameters = net.parameters()[0]
    if not parameters:
        return np.zeros(0)
    return np.concatenate(
        [
            np.full(parameter.size, closest.get(id(parameter), ((), default))[1], parameter.dtype)
            for parameter in parameters
        ]
    )


def _places(module: Any, path: str, outer: list[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each parameter with the modules it is in, (path, module), from the outside in.

    A shared one is yielded for each of its places, one that a container owns itself not at all.
    """
    chain = [*outer, (path, module)]
    if module.modules:
        for i, part in enumerate(module.modules):
            yield from _places(part, f"{path}[{i}]", chain)
    else:
        for parameter in module.parameters()[0]:
            yield parameter, chain


def _rank(key: str | type, chain: list[Any], name: str) -> tuple[int, ...]:
    """Return how closely a key holds for a parameter, greater for closer; () where it does not."""
    place, _, wanted = ("", "", "") if isinstance(key, type) else key.partition(".")
    if wanted and wanted != name:
        return ()
    is_path = isinstance(key, str) and place[:1] in ("", "[")
    best: tuple[int, ...] = ()
    for depth, (path, module) in enumerate(chain):
        if is_path:
            if path == place:
                return 1, depth, 0, bool(wanted)
            continue
        for distance, base in enumerate(type(module).__mro__):
            if base is key or base.__name__ == place:
                best = 0, depth, -distance, bool(wanted)
                break
    return best


def clip_by_norm(gradParameters: Any, max_norm: float) -> float:
    """Shorten the gradient, in place, to the length max_norm. Return its length before.

    Maths
    -----
    ::

        norm = sqrt((gradParameters**2).sum())
        gradParameters *= min(1, max_norm / norm)

    Conventions
    -----------
    A gradient whose norm is infinite or NaN stays as it is: look at what is returned. Gradients
    whose squares are too large or too small for their dtype are no such ones.

    Raises
    ------
    DTypeError, SettingError
        gradParameters is not a float32 or float64 array, or max_norm not a number greater than 0.

    Example
    -------
    >>> gradParameters = np.array([6.0, 8.0])
    >>> clip_by_norm(gradParameters, 5)
    10.0
    >>> gradParameters
    array([3., 4.])

    Reference
    ---------
    Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks, 2013.
    """
    max_norm = _CLIP_BY_NORM.checked("max_norm", max_norm)
    _CLIP_BY_NORM.writeable("gradParameters", gradParameters)
    norm = _norm(gradParameters)
    if max_norm < norm < math.inf:
        gradParameters *= max_norm / norm
    return norm


def clip_by_value(gradParameters: Any, limit: float) -> float:
    """Move the entries of the gradient, in place, to between -limit and limit.

    Return its length before, as `clip_by_norm` does. NaN stays NaN.

    Raises
    ------
    DTypeError, SettingError
        gradParameters is not a float32 or float64 array, or limit not a number greater than 0.

    Example
    -------
    >>> gradParameters = np.array([3.0, -4.0])
    >>> clip_by_value(gradParameters, 3.5)
    5.0
    >>> gradParameters
    array([ 3. , -3.5])
    """
    limit = _CLIP_BY_VALUE.checked("limit", limit)
    _CLIP_BY_VALUE.writeable("gradParameters", gradParameters)
    norm = _norm(gradParameters)
    np.clip(gradParameters, -limit, limit, out=gradParameters)
    return norm


def _norm(array: Any) -> float:
    """Return the length of an array, of whatever size its entries are."""
    norm = math.sqrt(sum(dotted(piece, piece) for (piece,) in chunks(array)))
    if 0 < norm < math.inf:
        return norm
    largest = float(np.abs(array).max(initial=0))
    return largest * _norm(array / largest) if 0 < largest < math.inf else largest
