"""lswolfe."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import dotted
from torchlite.optim._method import Method, at_least_0, flag, positive, whole
from torchlite.optim.polyinterp import polyinterp

__all__ = ["lswolfe"]

_LSWOLFE = Method(
    "lswolfe",
    c1=positive(1e-4),
    c2=positive(0.9),
    tolX=at_least_0(1e-9),
    maxIter=whole(20),
    verbose=flag(False),
)


class _Point(NamedTuple):
    """A place on the line: how far along, and f, df/dx and the slope along the line there."""

    t: float
    f: float
    g: Any
    slope: float


def lswolfe(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Array,
    t: float,
    d: Array,
    f: float,
    g: Array,
    gtd: float,
    options: dict[str, Any] | None = None,
) -> tuple[float, Array, Array, float, int]:
    """Go along a line to where f has fallen enough and its slope is flat enough.

    Maths
    -----
    With phi(t) = f(x + t * d), the strong Wolfe conditions are::

        phi(t) <= f + c1 * t * gtd
        abs(phi'(t)) <= -c2 * gtd

    First t grows until a minimum is bracketed, then the bracket shrinks; `polyinterp` gives the
    next t.

    Parameters
    ----------
    opfunc, x
        As for every optimizer. x is moved, in place.
    t
        The first step to try.
    d
        The direction, like x.
    f, g, gtd
        f(x), df/dx and the slope (g * d).sum(), which is negative.
    options
        The config.

    Config
    ------
    c1 : 1e-4
    c2 : 0.9
    tolX : 1e-9
        The bracket is small enough when its width times the slope is less.
    maxIter : 20
    verbose : False
        Say so when maxIter is reached.

    Returns
    -------
    f and a copy of df/dx at the new x, x, the t that led there, and how often opfunc was called.
    Where nothing lower was found, t is 0 and x is as it was.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        See `torchlite.optim`.

    Example
    -------
    Down the parabola from 4, where the slope along d is -16; its minimum is a step of 1 away:

    >>> import numpy as np
    >>> from torchlite import optim
    >>> def parabola(x):
    ...     return float(x @ x / 2), x.copy()
    >>> x, d = np.array([4.0]), np.array([-4.0])
    >>> f, g = parabola(x)
    >>> f, g, x, t, evaluations = optim.lswolfe(parabola, x, 3, d, f, g, float(g @ d))
    >>> f, g, x, t, evaluations
    (0.0, array([0.]), array([0.]), 1.0, 2)

    Reference
    ---------
    Torch7, optim/lswolfe.lua. Schmidt: minFunc, 2005. Nocedal, Wright: Numerical optimization,
    2006, section 3.5.
    """
    settings, _ = _LSWOLFE.begin(opfunc, x, options, {})
    _LSWOLFE.must_be_like("d", d, x)
    _LSWOLFE.must_be_like("g", g, x)
    c1, steepest = float(settings.c1), -settings.c2 * gtd
    origin = x.copy()
    start = _Point(0, f, g.copy(), gtd)
    evaluations = 0

    def go(t: float) -> None:
        np.copyto(x, origin)
        axpy(x, t, d)

    def look(t: float) -> _Point:
        nonlocal evaluations
        go(t)
        value, gradient = _LSWOLFE.evaluate(opfunc, x)
        evaluations += 1
        # NaN would pass every comparison below.
        value = math.inf if math.isnan(value) else value
        return _Point(t, value, gradient.copy(), dotted(gradient, d))

    def too_high(point: _Point) -> bool:
        return point.f > f + c1 * point.t * gtd

    # Grow the step until a minimum lies between two points, or one of them will do.
    before, point = start, look(float(t))
    iteration = 0
    while iteration < settings.maxIter:
        if too_high(point) or (iteration > 1 and point.f >= before.f):
            bracket = [before, point]
            break
        if abs(point.slope) <= steepest:
            bracket = [point]
            break
        if point.slope >= 0:
            bracket = [before, point]
            break
        nearest, farthest = point.t + 0.01 * (point.t - before.t), 10 * point.t
        before, point = point, look(polyinterp(_triplets(before, point), nearest, farthest))
        iteration += 1
    else:
        bracket = [start, point]

    # Shrink the bracket around the lower of its ends until a point in it will do.
    slow = False
    while len(bracket) == 2 and iteration < settings.maxIter:
        low, high = sorted(bracket, key=_height)
        left, right = sorted((low.t, high.t))
        t = polyinterp(_triplets(low, high))
        margin = 0.1 * (right - left)
        at_the_edge = min(right - t, t - left) < margin
        if at_the_edge and (slow or not left < t < right):
            t = right - margin if right - t < t - left else left + margin
            slow = False
        else:
            slow = at_the_edge
        point = look(t)
        iteration += 1
        if too_high(point) or point.f >= low.f:
            bracket = [low, point]
        elif abs(point.slope) <= steepest:
            bracket = [point]
        else:
            bracket = [low if point.slope * (high.t - low.t) >= 0 else high, point]
        if abs((bracket[0].t - point.t) * point.slope) < settings.tolX:
            break

    if settings.verbose and iteration == settings.maxIter:
        print("<optim.lswolfe> reached max number of iterations")
    best = min(bracket, key=_height)
    go(best.t)
    return best.f, best.g, x, best.t, evaluations


def _height(point: _Point) -> float:
    return point.f


def _triplets(*points: _Point) -> list[list[float]]:
    return [[point.t, point.f, point.slope] for point in points]
