"""checkgrad."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.optim._method import Method, positive

__all__ = ["checkgrad"]

_CHECKGRAD = Method("checkgrad", eps=positive(None))


def checkgrad(
    opfunc: Callable[[Array], tuple[Any, Array]], x: Any = None, eps: float | None = None
) -> tuple[float, Array, Array]:
    """Compare df/dx with differences of f.

    Maths
    -----
    ::

        dC_est[i] = (f(x with x[i] + eps) - f(x with x[i] - eps)) / (2 * eps)
        norm(dC - dC_est) / norm(dC + dC_est)

    Parameters
    ----------
    opfunc, x
        As for every optimizer.
    eps
        1e-7 by default; for a float32 x 5e-3, because a smaller one drowns in rounding.

    Returns
    -------
    The relative difference, about 1e-7 or less for a right gradient, and nearly 1 for one that has
    nothing to do with f; dC, a copy of df/dx; and dC_est, both like x.

    Conventions
    -----------
    x is changed in place, an entry at a time, and afterwards is exactly what it was. The relative
    difference of zeros is 0. `torchlite.testing` checks whole layers, more sharply.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        See `torchlite.optim`.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim
    >>> x = np.array([3.0, 4.0])
    >>> optim.checkgrad(lambda x: (x @ x / 2, x.copy()), x)[0] < 1e-7
    True
    >>> difference, dC, dC_est = optim.checkgrad(lambda x: (x @ x / 2, 2 * x), x)
    >>> round(difference, 6), dC, dC_est.round(6)
    (0.333333, array([6., 8.]), array([3., 4.]))

    Reference
    ---------
    Torch7, optim/checkgrad.lua.
    """
    settings, _ = _CHECKGRAD.begin(opfunc, x, {"eps": eps}, None)
    step = settings.eps or (1e-7 if x.dtype == np.float64 else 5e-3)
    dC = _CHECKGRAD.evaluate(opfunc, x)[1].copy()
    dC_est = np.empty_like(dC)
    for i in np.ndindex(x.shape):
        value = x[i]
        try:
            x[i] = value + step
            above, _ = _CHECKGRAD.evaluate(opfunc, x)
            x[i] = value - step
            below, _ = _CHECKGRAD.evaluate(opfunc, x)
        finally:
            x[i] = value
        dC_est[i] = (above - below) / (2 * step)
    difference, total = float(np.linalg.norm(dC - dC_est)), float(np.linalg.norm(dC + dC_est))
    if difference == 0:
        return 0.0, dC, dC_est
    return (difference / total if total else math.inf), dC, dC_est
