"""adamax."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, at_least_0, fraction, number, positive

__all__ = ["adamax"]

_ADAMAX = Method(
    "adamax",
    "t",
    "m",
    "u",
    learningRate=at_least_0(2e-3),
    beta1=fraction(0.9),
    beta2=fraction(0.999),
    epsilon=positive(1e-38),
    weightDecay=number(0),
)


def adamax(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """AdaMax: Adam with the largest recent gradient in place of the root mean square.

    Maths
    -----
    At call t = 1, 2, ..., with m = u = 0 before the first and g = df/dx + weightDecay * x::

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, abs(g) + epsilon)
        x -= learningRate / (1 - beta1**t) * m / u

    Config
    ------
    learningRate : 2e-3
    beta1 : 0.9
    beta2 : 0.999
    epsilon : 1e-38
    weightDecay : 0

    State
    -----
    t, the number of calls; m, the average of the gradients; u, their largest recent size.

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
    >>> x, fs = optim.adamax(lambda x: (x @ x / 2, x), x, {"learningRate": 0.5})
    >>> fs, x.round(6)
    ([2.5], array([ 0.5, -1.5,  0. ]))

    Reference
    ---------
    Torch7, optim/adamax.lua. Kingma, Ba: Adam: a method for stochastic optimization, 2015,
    section 7.1.
    """
    settings, state = _ADAMAX.begin(opfunc, x, config, state)
    beta1, beta2 = settings.beta1, settings.beta2
    mean, largest = _ADAMAX.recall(state, "m", x), _ADAMAX.recall(state, "u", x)

    fx, dfdx = _ADAMAX.evaluate(opfunc, x)
    t = state.get("t", 0) + 1
    state.update(t=t, m=mean, u=largest)
    step = settings.learningRate / (1 - beta1**t)

    def update(p: Any, g: Any, m: Any, u: Any, s: Any) -> None:
        g = decayed(g, p, settings.weightDecay, s)
        axpy(m, 1 - beta1, g, beta1)
        np.abs(g, out=s)
        s += settings.epsilon
        u *= beta2
        np.maximum(u, s, out=u)
        np.divide(m, u, out=s)
        axpy(p, -step, s)

    in_pieces(update, x, dfdx, mean, largest, scratch=1, takes_long=True)
    return x, [fx]
