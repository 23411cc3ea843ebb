"""FistaLS."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import dotted
from torchlite.optim._method import Method, at_least_0, flag, positive, whole

__all__ = ["FistaLS"]

_FISTALS = Method(
    "FistaLS",
    L=positive(0.1),
    Lstep=positive(1.5),
    maxiter=whole(50),
    maxline=whole(20),
    errthres=at_least_0(1e-4),
    doFistaUpdate=flag(True),
    verbose=flag(False),
)


def FistaLS(
    f: Callable[..., Any],
    g: Callable[[Array], Array],
    pl: Callable[[Array, float], Array],
    xinit: Array,
    params: dict[str, Any] | None = None,
) -> tuple[Array, list[dict[str, Any]]]:
    """FISTA: a sum of a smooth and another function, such as |x|, with a backtracking line search.

    Maths
    -----
    To minimise f(x) + g(x), from x = y = 0 and t = 1::

        p = the z that minimises g(z) + L / 2 * |z - (y - df/dy / L)|**2
        while f(p) > f(y) + df/dy @ (p - y) + L / 2 * |p - y|**2: L *= Lstep, p again
        next = (1 + sqrt(1 + 4 * t**2)) / 2
        y = p + (t - 1) / next * (p - x)        without doFistaUpdate y = p (ISTA)
        x, t = p, next

    Parameters
    ----------
    f
        The smooth function: `f(x)` returns its value, `f(x, "dx")` the pair (value, df/dx).
    g
        The other one: `g(x)` returns its value.
    pl
        `pl(z, L)` moves z, in place, to the z above; for g = c * |z|.sum(), shrinks it by c / L.
    xinit
        An array that gets the solution; what it holds before does not matter.
    params
        The config.

    Config
    ------
    L : 0.1
        One over the step. The last one is written back to params, for the next call.
    Lstep : 1.5
    maxiter : 50
    maxline : 20
        Steps of the line search; when none of them will do, x stays.
    errthres : 1e-4
        Stop when f + g changes by no more.
    doFistaUpdate : True
    verbose : False
        Print each step of the line search and each iteration, and keep copies of x and y.

    Returns
    -------
    xinit, and the history: a dict for each iteration with F = f + g at y, Fply = f(y),
    Gply = g(y), Q, the right side of the test above, L, and nline, the steps of the line search;
    with verbose also xk and y.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        See `torchlite.optim`.

    Example
    -------
    The minimum of (x - 3)**2 / 2 + |x| is at 2:

    >>> import numpy as np
    >>> from torchlite import optim
    >>> def f(x, mode=None):
    ...     value = float((x - 3) @ (x - 3) / 2)
    ...     return (value, x - 3) if mode == "dx" else value
    >>> def g(x):
    ...     return float(np.abs(x).sum())
    >>> def pl(z, L):
    ...     z[...] = np.sign(z) * np.maximum(np.abs(z) - 1 / L, 0)
    >>> x, history = optim.FistaLS(f, g, pl, np.zeros(1), {"L": 1})
    >>> x, [row["F"] for row in history]
    (array([2.]), [2.5, 2.5])

    Reference
    ---------
    Torch7, optim/fista.lua. Beck, Teboulle: A fast iterative shrinkage-thresholding algorithm for
    linear inverse problems, 2009.
    """
    settings, params = _FISTALS.begin(f, xinit, params, None)
    L = settings.L
    x, y = np.zeros_like(xinit), np.zeros_like(xinit)
    t = 1.0
    history: list[dict[str, Any]] = []
    for _ in range(settings.maxiter):
        fy, gradient = _FISTALS.evaluate(lambda y: f(y, "dx"), y)
        # f is called again before the gradient has been used for the last time.
        gradient = gradient.copy()
        for nline in range(1, settings.maxline + 2):
            if nline > 1:
                L *= settings.Lstep
            p = y.copy()
            axpy(p, -1 / L, gradient)
            pl(p, L)
            step = p - y
            Q2, Q3 = dotted(gradient, step), L / 2 * dotted(step, step)
            Q = fy + Q2 + Q3
            fp = _FISTALS.value(f, p)
            if settings.verbose:
                print(
                    f"nline={nline - 1} L={L:g} fply={fp:g} Q={Q:g} fy={fy:g} Q2={Q2:g} Q3={Q3:g}"
                )
            if fp <= Q:
                break
        else:
            p = x
        y = p.copy()
        if settings.doFistaUpdate:
            faster = (1 + math.sqrt(1 + 4 * t * t)) / 2
            axpy(y, (t - 1) / faster, p - x)
            t = faster
        x = p
        Fply, Gply = _FISTALS.value(f, y), _FISTALS.value(g, y)
        if settings.verbose:
            before = history[-1]["F"] if history else math.inf
            print(f"iter={len(history)} eold={before:g} enew={Fply + Gply:g}")
        params["L"] = L
        history.append(
            {"F": Fply + Gply, "Fply": Fply, "Gply": Gply, "Q": Q, "L": L, "nline": nline}
        )
        if settings.verbose:
            history[-1].update(xk=x.copy(), y=y.copy())
        if len(history) > 1 and abs(history[-1]["F"] - history[-2]["F"]) <= settings.errthres:
            break
    xinit[...] = y
    return xinit, history
