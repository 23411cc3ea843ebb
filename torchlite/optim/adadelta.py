"""adadelta."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, fraction, number, positive

__all__ = ["adadelta"]

_ADADELTA = Method(
    "adadelta",
    "evalCounter",
    "paramVariance",
    "accDelta",
    rho=fraction(0.9),
    eps=positive(1e-6),
    weightDecay=number(0),
)


def adadelta(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """AdaDelta: no learning rate; the size of past steps sets that of the next.

    Maths
    -----
    With squares = steps = 0 before the first call and g = df/dx + weightDecay * x::

        squares = rho * squares + (1 - rho) * g**2
        delta = sqrt(steps + eps) / sqrt(squares + eps) * g
        steps = rho * steps + (1 - rho) * delta**2
        x -= delta

    Config
    ------
    rho : 0.9
    eps : 1e-6
    weightDecay : 0

    State
    -----
    evalCounter, the number of calls; paramVariance, the squares; accDelta, the steps.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    Here squares + eps = 0.75 * 4 + 1 = 4, so delta = sqrt(1) / sqrt(4) * 2 = 1.

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x, config = np.array([5.0]), {"rho": 0.25, "eps": 1}
    >>> x, fs = optim.adadelta(lambda x: (2 * x[0], np.array([2.0])), x, config)
    >>> fs, x
    ([10.0], array([4.]))

    Reference
    ---------
    Torch7, optim/adadelta.lua. Zeiler: ADADELTA: an adaptive learning rate method, 2012.
    """
    settings, state = _ADADELTA.begin(opfunc, x, config, state)
    rho, eps = settings.rho, settings.eps
    squares = _ADADELTA.recall(state, "paramVariance", x)
    steps = _ADADELTA.recall(state, "accDelta", x)

    fx, dfdx = _ADADELTA.evaluate(opfunc, x)
    calls = state.get("evalCounter", 0) + 1
    state.update(evalCounter=calls, paramVariance=squares, accDelta=steps)

    def update(p: Any, g: Any, v: Any, a: Any, s: Any, r: Any) -> None:
        g = decayed(g, p, settings.weightDecay, s)
        np.multiply(g, g, out=r)
        axpy(v, 1 - rho, r, rho)
        np.add(v, eps, out=r)
        np.sqrt(r, out=r)
        delta = np.divide(g, r, out=s)
        np.add(a, eps, out=r)
        np.sqrt(r, out=r)
        delta *= r
        p -= delta
        delta *= delta
        axpy(a, 1 - rho, delta, rho)

    in_pieces(update, x, dfdx, squares, steps, scratch=2, takes_long=True)
    return x, [fx]
