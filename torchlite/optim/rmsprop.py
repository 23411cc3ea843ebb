"""rmsprop."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, at_least_0, fraction, number, positive

__all__ = ["rmsprop"]

_RMSPROP = Method(
    "rmsprop",
    "m",
    learningRate=at_least_0(1e-2),
    alpha=fraction(0.99),
    epsilon=positive(1e-8),
    weightDecay=number(0),
    initialMean=at_least_0(0),
)


def rmsprop(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """RMSprop: the gradient divided by its root mean square of late.

    Maths
    -----
    With m = initialMean before the first call and g = df/dx + weightDecay * x::

        m = alpha * m + (1 - alpha) * g**2
        x -= learningRate * g / (sqrt(m) + epsilon)

    Config
    ------
    learningRate : 1e-2
    alpha : 0.99
    epsilon : 1e-8
    weightDecay : 0
    initialMean : 0
        A greater one softens the first steps.

    State
    -----
    m, the average of the squared gradients.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    Here m = 0.25 * 4**2 = 4, so the step is 4 / sqrt(4) = 2 learning rates.

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x, config = np.array([5.0]), {"learningRate": 0.5, "alpha": 0.75}
    >>> x, fs = optim.rmsprop(lambda x: (4 * x[0], np.array([4.0])), x, config)
    >>> fs, x.round(6)
    ([20.0], array([4.]))

    Reference
    ---------
    Torch7, optim/rmsprop.lua. Tieleman, Hinton: Neural networks for machine learning, lecture
    6.5, 2012.
    """
    settings, state = _RMSPROP.begin(opfunc, x, config, state)
    alpha = settings.alpha
    squares = _RMSPROP.recall(state, "m", x, fill=settings.initialMean)

    fx, dfdx = _RMSPROP.evaluate(opfunc, x)
    state["m"] = squares

    def update(p: Any, g: Any, m: Any, s: Any, r: Any) -> None:
        g = decayed(g, p, settings.weightDecay, s)
        np.multiply(g, g, out=r)
        axpy(m, 1 - alpha, r, alpha)
        np.sqrt(m, out=r)
        r += settings.epsilon
        np.divide(g, r, out=r)
        axpy(p, -settings.learningRate, r)

    in_pieces(update, x, dfdx, squares, scratch=2, takes_long=True)
    return x, [fx]
