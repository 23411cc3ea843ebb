"""nag."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, annealed, at_least_0, number, positive, vector

__all__ = ["nag"]

_NAG = Method(
    "nag",
    "evalCounter",
    "dfdx",
    learningRate=at_least_0(1e-3),
    learningRateDecay=at_least_0(0),
    weightDecay=number(0),
    momentum=positive(0.9),
    learningRates=vector(),
)


def nag(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """Nesterov's accelerated gradient: the slope is taken where the momentum leads.

    Maths
    -----
    At call t = 0, 1, ..., with v = 0 before the first::

        ahead = x + momentum * v
        g = df/dx(ahead) + weightDecay * ahead
        v = momentum * v - learningRate / (1 + t * learningRateDecay) * g    or ... * learningRates
        x += v

    Config
    ------
    learningRate : 1e-3
    learningRateDecay : 0
    weightDecay : 0
    momentum : 0.9
        Greater than 0.
    learningRates : None
        An array like x: a factor on the learning rate of each parameter. Zeros freeze.

    State
    -----
    evalCounter, the number of calls; dfdx, the velocity v.

    Conventions
    -----------
    opfunc sees x moved ahead, and the f that is returned is f there. Should it raise, x is moved
    back.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim
    >>> x = np.array([1.0, -2.0])
    >>> config = {"learningRate": 0.25, "momentum": 0.5}
    >>> for _ in range(3):
    ...     x, fs = optim.nag(lambda x: (x @ x / 2, x), x, config)
    ...     print(fs, x)
    [2.5] [ 0.75 -1.5 ]
    [0.9765625] [ 0.46875 -0.9375 ]
    [0.2691650390625] [ 0.24609375 -0.4921875 ]

    Reference
    ---------
    Torch7, optim/nag.lua. Sutskever, Martens, Dahl, Hinton: On the importance of initialization
    and momentum in deep learning, 2013.
    """
    settings, state = _NAG.begin(opfunc, x, config, state)
    momentum = settings.momentum
    velocity = _NAG.recall(state, "dfdx", x)

    axpy(x, momentum, velocity)
    try:
        fx, dfdx = _NAG.evaluate(opfunc, x)
    except BaseException:
        axpy(x, -momentum, velocity)
        raise
    evaluations = state.get("evalCounter", 0)
    rate = annealed(settings, evaluations)
    state.update(evalCounter=evaluations + 1, dfdx=velocity)

    def update(p: Any, g: Any, v: Any, rates: Any, s: Any) -> None:
        g = decayed(g, p, settings.weightDecay, s)
        if rates is not None:
            g = np.multiply(g, rates, out=s)
        axpy(v, -rate, g, momentum)
        # x is ahead by momentum * v already.
        axpy(p, -rate, g)

    in_pieces(update, x, dfdx, velocity, settings.learningRates, scratch=1)
    return x, [fx]
