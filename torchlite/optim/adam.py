"""adam."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, annealed, at_least_0, fraction, number, positive

__all__ = ["adam"]

_ADAM = Method(
    "adam",
    "t",
    "m",
    "v",
    learningRate=at_least_0(1e-3),
    learningRateDecay=at_least_0(0),
    beta1=fraction(0.9),
    beta2=fraction(0.999),
    epsilon=positive(1e-8),
    weightDecay=number(0),
)


def adam(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """Adam: steps of about the learning rate, whatever the size of the gradient.

    Maths
    -----
    At call t = 1, 2, ..., with m = v = 0 before the first and g = df/dx + weightDecay * x::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        rate = learningRate / (1 + (t - 1) * learningRateDecay)
        x -= rate * sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + epsilon)

    Config
    ------
    learningRate : 1e-3
    learningRateDecay : 0
    beta1 : 0.9
    beta2 : 0.999
    epsilon : 1e-8
    weightDecay : 0

    State
    -----
    t, the number of calls; m and v, the averages of the gradients and of their squares.

    Conventions
    -----------
    This is the paper's efficient form: epsilon is added before the correction of the bias, not
    after it as in the paper's Algorithm 1 and in PyTorch, whose numbers differ slightly.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    The first step is the learning rate against the sign of the gradient:

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x = np.array([1.0, -2.0, 0.0])
    >>> x, fs = optim.adam(lambda x: (x @ x / 2, x), x, {"learningRate": 0.5})
    >>> fs, x.round(6)
    ([2.5], array([ 0.5, -1.5,  0. ]))

    Reference
    ---------
    Torch7, optim/adam.lua. Kingma, Ba: Adam: a method for stochastic optimization, 2015, end of
    section 2.
    """
    settings, state = _ADAM.begin(opfunc, x, config, state)
    beta1, beta2 = settings.beta1, settings.beta2
    mean, variance = _ADAM.recall(state, "m", x), _ADAM.recall(state, "v", x)

    fx, dfdx = _ADAM.evaluate(opfunc, x)
    t = state.get("t", 0) + 1
    state.update(t=t, m=mean, v=variance)
    step = annealed(settings, t - 1) * math.sqrt(1 - beta2**t) / (1 - beta1**t)

    def update(p: Any, g: Any, m: Any, v: Any, s: Any) -> None:
        g = decayed(g, p, settings.weightDecay, s)
        axpy(m, 1 - beta1, g, beta1)
        np.multiply(g, g, out=s)
        axpy(v, 1 - beta2, s, beta2)
        np.sqrt(v, out=s)
        s += settings.epsilon
        np.divide(m, s, out=s)
        axpy(p, -step, s)

    in_pieces(update, x, dfdx, mean, variance, scratch=1, takes_long=True)
    return x, [fx]
