"""sgd."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.errors import SettingError, fault
from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, annealed, at_least_0, flag, number, vector

__all__ = ["sgd"]

_SGD = Method(
    "sgd",
    "evalCounter",
    "dfdx",
    learningRate=at_least_0(1e-3),
    learningRateDecay=at_least_0(0),
    weightDecay=number(0),
    weightDecays=vector(),
    momentum=at_least_0(0),
    dampening=number(None),
    nesterov=flag(False),
    learningRates=vector(),
)


def sgd(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """Stochastic gradient descent, with momentum.

    Maths
    -----
    At call t = 0, 1, ..., with g = df/dx::

        g = g + weightDecay * x                                or weightDecays * x
        v = g if t == 0 else momentum * v + (1 - dampening) * g
        g = g + momentum * v if nesterov else v                with a momentum
        x -= learningRate / (1 + t * learningRateDecay) * g    or ... * learningRates * g

    Config
    ------
    learningRate : 1e-3
    learningRateDecay : 0
    weightDecay : 0
    weightDecays : None
        An array like x: a decay for each parameter, instead of weightDecay.
    momentum : 0
    dampening : momentum
        So momentum averages the gradients; 0 gives the classical sum of them.
    nesterov : False
        Look ahead; needs a momentum greater than 0 and a dampening of 0.
    learningRates : None
        An array like x: a factor on the learning rate of each parameter. Zeros freeze.

    `optim.per_parameter` makes both arrays.

    State
    -----
    evalCounter, the number of calls; dfdx, the velocity v, with a momentum.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`. Also for a weightDecay beside weightDecays, and for a nesterov
        without what it needs.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim
    >>> x = np.array([1.0, -2.0])
    >>> config = {"learningRate": 0.25, "momentum": 0.5, "dampening": 0}
    >>> for _ in range(3):
    ...     x, fs = optim.sgd(lambda x: (x @ x / 2, x), x, config)
    ...     print(fs, x)
    [2.5] [ 0.75 -1.5 ]
    [1.40625] [ 0.4375 -0.875 ]
    [0.478515625] [ 0.171875 -0.34375 ]

    Reference
    ---------
    Torch7, optim/sgd.lua. Sutskever, Martens, Dahl, Hinton: On the importance of initialization
    and momentum in deep learning, 2013.
    """
    settings, state = _SGD.begin(opfunc, x, config, state)
    momentum, dampening = settings.momentum, settings.dampening
    if dampening is None:
        dampening = momentum
    if settings.nesterov and (momentum == 0 or dampening != 0):
        wrong, expected, got = (
            ("dampening", "0", dampening) if momentum else ("momentum", "greater than 0", momentum)
        )
        hint = "dampening is the momentum where config does not have it" if momentum else None
        raise fault(
            SettingError, "sgd", wrong, expected, repr(got), why=" with nesterov", hint=hint
        )
    if settings.weightDecay and settings.weightDecays is not None:
        raise fault(
            SettingError, "sgd", "weightDecay", "0 beside weightDecays", repr(settings.weightDecay)
        )
    velocity = _SGD.recall(state, "dfdx", x) if momentum else None

    fx, dfdx = _SGD.evaluate(opfunc, x)
    evaluations = state.get("evalCounter", 0)
    rate = annealed(settings, evaluations)
    if momentum and "dfdx" not in state:
        state["dfdx"] = velocity
        dampening = 0
    state["evalCounter"] = evaluations + 1

    def update(
        p: Any, g: Any, v: Any, decays: Any, rates: Any, s: Any = None, r: Any = None
    ) -> None:
        g = decayed(g, p, settings.weightDecay if decays is None else decays, s)
        if momentum:
            axpy(v, 1 - dampening, g, momentum)
            if settings.nesterov:
                np.multiply(v, momentum, out=r)
                r += g
                g = r
            else:
                g = v
        if rates is not None:
            g = np.multiply(g, rates, out=r)
        axpy(p, -rate, g)

    decays, rates = settings.weightDecays, settings.learningRates
    plain = decays is rates is None and not (settings.weightDecay or settings.nesterov)
    in_pieces(update, x, dfdx, velocity, decays, rates, scratch=0 if plain else 2)
    return x, [fx]
