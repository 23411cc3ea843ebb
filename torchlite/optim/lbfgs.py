"""lbfgs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.kernels.sums import sum_all
from torchlite.optim._chunks import dotted
from torchlite.optim._method import Method, at_least_0, flag, positive, typed, whole

__all__ = ["lbfgs"]

_LBFGS = Method(
    "lbfgs",
    "funcEval", "nIter", "d", "t", "g_old", "old_dirs", "old_stps", "ro", "pairs", "Hdiag",
    maxIter=whole(20),
    maxEval=positive(None),
    tolFun=at_least_0(1e-5),
    tolX=at_least_0(1e-9),
    nCorrection=whole(100),
    lineSearch=typed(Callable, "a function such as optim.lswolfe"),
    lineSearchOptions=typed(dict, "a dict"),
    learningRate=at_least_0(1),
    verbose=flag(False),
)  # fmt: skip


def lbfgs(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float], int]:
    """Limited-memory BFGS: Newton's method with a curvature learnt from the last steps.

    Maths
    -----
    In each iteration, with g = df/dx and s, y the steps and the changes of g of the last
    iterations, oldest first::

        q = -g
        for i = newest to oldest: a[i] = s[i] @ q / (y[i] @ s[i]); q -= a[i] * y[i]
        d = (y @ s) / (y @ y) of the newest * q
        for i = oldest to newest: d += (a[i] - y[i] @ d / (y[i] @ s[i])) * s[i]
        x += t * d

    t is the learning rate, in the very first iteration times min(1, 1 / abs(g).sum()), or what
    the line search makes of it.

    Config
    ------
    maxIter : 20
        Iterations in one call.
    maxEval : 1.25 * maxIter
        Calls of opfunc after which no further iteration is begun.
    tolFun : 1e-5
        Stop when abs(g).sum() is not more.
    tolX : 1e-9
        Stop when abs(t * d).sum() is not more, or the change of f is less.
    nCorrection : 100
        Pairs s, y to remember. Each takes twice the memory of x.
    lineSearch : None
        A function called as `optim.lswolfe` is.
    lineSearchOptions : None
        What it gets as options.
    learningRate : 1
    verbose : False
        Say why it stopped.

    State
    -----
    funcEval and nIter, calls of opfunc and iterations in all; d and t, the last direction and
    step; g_old, the gradient before it; old_dirs and old_stps, the s and y, row by row, pair k in
    row k % (nCorrection + 1); ro, their 1 / (y @ s); pairs, how many there have been; Hdiag, the
    (y @ s) / (y @ y) of the newest.

    Returns
    -------
    x; the list of f, before the first and after each iteration (without a line search not after
    the last); how often opfunc was called.

    Conventions
    -----------
    opfunc must be the same function at every evaluation of a call: all the data, or one fixed
    batch. A pair with y @ s <= 1e-10 is not remembered. The x that is returned need not be the last
    that opfunc saw: call net.forward again before looking at net.output.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    Of a parabola the second step knows the curvature:

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x = np.array([4.0])
    >>> x, fs, evaluations = optim.lbfgs(lambda x: (x[0] ** 2 / 2, x.copy()), x)
    >>> x, fs, evaluations
    (array([0.]), [8.0, 4.5, 0.0], 3)

    Reference
    ---------
    Torch7, optim/lbfgs.lua. Schmidt: minFunc, 2005. Nocedal, Wright: Numerical optimization,
    2006, algorithm 7.4.
    """
    settings, state = _LBFGS.begin(opfunc, x, config, state)
    maxIter, tolX, lineSearch = settings.maxIter, settings.tolX, settings.lineSearch
    maxEval = 1.25 * maxIter if settings.maxEval is None else settings.maxEval
    # One row more than pairs are kept, so that a pair can be looked at before the oldest goes.
    rows = settings.nCorrection + 1
    steps = _LBFGS.recall(state, "old_dirs", x, shape=(rows, x.size))
    changes = _LBFGS.recall(state, "old_stps", x, shape=(rows, x.size))
    d = _LBFGS.recall(state, "d", x, shape=(x.size,))
    g_old = _LBFGS.recall(state, "g_old", x, shape=(x.size,))
    ro = state.get("ro", np.zeros(rows))

    def stop(reason: str) -> tuple[Array, list[float], int]:
        if settings.verbose:
            print("<optim.lbfgs>", reason)
        return x, fs, evaluations

    f, g = _LBFGS.evaluate(opfunc, x)
    fs, evaluations, iteration = [f], 1, 0
    state["funcEval"] = state.get("funcEval", 0) + 1
    if sum_all(np.abs(g)) <= settings.tolFun:
        return stop("optimality condition below tolFun")
    state.update(old_dirs=steps, old_stps=changes, d=d, g_old=g_old, ro=ro)

    while True:
        iteration += 1
        state["nIter"] = state.get("nIter", 0) + 1
        flat, f_old = g.reshape(-1), f
        t = settings.learningRate
        if state["nIter"] == 1:
            np.negative(flat, out=d)
            t *= min(1, 1 / sum_all(np.abs(flat)).item())
            state.update(pairs=0, Hdiag=1)
        else:
            _remember(state, rows, flat)
            pairs = state["pairs"]
            kept = [k % rows for k in range(max(0, pairs - settings.nCorrection), pairs)]
            _direct(d, flat, steps, changes, ro.tolist(), kept, state["Hdiag"])
        np.copyto(g_old, flat)
        state["t"] = t
        slope = dotted(flat, d)
        if slope > -tolX:
            return stop("no progress along the direction")

        calls = 0
        if lineSearch is not None:
            f, g, moved, state["t"], calls = lineSearch(
                opfunc, x, t, d.reshape(x.shape), f, g, slope, settings.lineSearchOptions
            )
            if moved is not x:
                x[...] = moved
            fs.append(f)
        else:
            axpy(x, t, d.reshape(x.shape))
            # After the last step nobody needs f, which costs as much as a step.
            if iteration < maxIter:
                f, g = _LBFGS.evaluate(opfunc, x)
                calls = 1
                fs.append(f)
        evaluations += calls
        state["funcEval"] += calls

        if iteration == maxIter:
            return stop("reached max number of iterations")
        if evaluations >= maxEval:
            return stop("max number of function evals")
        if sum_all(np.abs(g)) <= settings.tolFun:
            return stop("optimality condition below tolFun")
        if sum_all(np.abs(d)) * abs(state["t"]) <= tolX:
            return stop("step size below tolX")
        if abs(f - f_old) < tolX:
            return stop("function value changing less than tolX")


def _remember(state: dict[str, Any], rows: int, g: Array) -> None:
    """Put the last step and the change of g that it made in their rows, if they are of use."""
    row = state["pairs"] % rows
    s = np.multiply(state["d"], state["t"], out=state["old_dirs"][row])
    y = np.subtract(g, state["g_old"], out=state["old_stps"][row])
    curvature = dotted(y, s)
    if curvature > 1e-10:
        state["ro"][row] = 1 / curvature
        state["Hdiag"] = curvature / dotted(y, y)
        state["pairs"] += 1


def _direct(
    d: Array, g: Array, steps: Array, changes: Array, ro: list[float], kept: list[int], scale: float
) -> None:
    """Write to d the direction for the gradient g: the two loops, newest to oldest and back."""
    np.negative(g, out=d)
    a = {}
    for i in reversed(kept):
        a[i] = ro[i] * dotted(steps[i], d)
        axpy(d, -a[i], changes[i])
    d *= scale
    for i in kept:
        axpy(d, a[i] - ro[i] * dotted(changes[i], d), steps[i])
