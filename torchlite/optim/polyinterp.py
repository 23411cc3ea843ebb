"""polyinterp."""

import math
from typing import Any

import numpy as np

from torchlite.errors import ShapeError, fault

__all__ = ["polyinterp", "ratio", "root"]


def polyinterp(points: Any, xmin: float | None = None, xmax: float | None = None) -> float:
    """Return where the polynomial through points of known value and slope is smallest.

    Maths
    -----
    N points (x, f, g), each with the value f and the slope g there, are met by one polynomial of
    degree 2 N - 1. For two points and no bounds, its local minimum, kept between x1 < x2, is::

        d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
        d2 = sqrt(d1**2 - g1 * g2)
        x2 - (x2 - x1) * (g2 + d2 - d1) / (g2 - g1 + 2 * d2)

    and (x1 + x2) / 2 without one. Otherwise the bounds, the points and the extrema between the
    bounds are compared.

    Parameters
    ----------
    points
        (N, 3).
    xmin, xmax
        Bounds, which may lie outside the points; by default the outermost points.

    Conventions
    -----------
    Where a value or slope is not finite, the middle between the bounds.

    Raises
    ------
    ShapeError
        points has another shape.

    Example
    -------
    Of x**2 - 2 * x, whose minimum is at 1:

    >>> from torchlite import optim
    >>> optim.polyinterp([[0, 0, -2], [3, 3, 4]])
    1.0
    >>> optim.polyinterp([[0, 0, -2], [0.5, -0.75, -1]], 0.5, 0.75)
    0.75

    Reference
    ---------
    Torch7, optim/polyinterp.lua. Schmidt: minFunc, 2005. Nocedal, Wright: Numerical optimization,
    2006, section 3.5.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise fault(ShapeError, "polyinterp", "points", "(N, 3)", str(points.shape))
    if len(points) == 2 and xmin is None and xmax is None:
        return _cubic(*sorted(points.tolist()))
    low = float(points[:, 0].min() if xmin is None else xmin)
    high = float(points[:, 0].max() if xmax is None else xmax)
    return _lowest(points, low, high)


def _cubic(point: list[float], other: list[float]) -> float:
    """Return the local minimum of a cubic between two points, or their middle."""
    x1, f1, g1 = point
    x2, f2, g2 = other
    d1 = g1 + g2 - 3 * ratio(f1 - f2, x1 - x2)
    d2 = root(d1 * d1 - g1 * g2)
    minimum = x2 - (x2 - x1) * ratio(g2 + d2 - d1, g2 - g1 + 2 * d2)
    return (x1 + x2) / 2 if math.isnan(minimum) else min(max(minimum, x1), x2)


def _lowest(points: Any, low: float, high: float) -> float:
    """Return where, from low to high, the polynomial through the points is smallest."""
    # Points from 0 to 1 keep the equations well conditioned.
    origin = points[:, 0].min()
    width = (points[:, 0].max() - origin) or 1.0
    x, f, g = (points[:, 0] - origin) / width, points[:, 1], points[:, 2] * width
    powers = np.arange(2 * len(points))
    slopes = np.zeros((len(points), len(powers)))
    slopes[:, 1:] = powers[1:] * x[:, None] ** powers[:-1]
    equations = np.concatenate([x[:, None] ** powers, slopes])
    values = np.concatenate([f, g])
    if not np.isfinite(values).all():
        return (low + high) / 2
    polynomial = np.polynomial.Polynomial(np.linalg.lstsq(equations, values)[0])
    # A leading coefficient that is only rounding would spoil the roots.
    slope = polynomial.deriv()
    extrema = slope.trim(1e-12 * np.abs(slope.coef).max()).roots()
    real = extrema.real[extrema.imag == 0] * width + origin
    candidates = np.concatenate([[low, high], points[:, 0], real])
    candidates = candidates[(candidates >= low) & (candidates <= high)]
    return float(candidates[polynomial((candidates - origin) / width).argmin()])


def ratio(numerator: float, denominator: float) -> float:
    """Return a quotient, infinite or NaN where there is none."""
    if denominator:
        return numerator / denominator
    return math.copysign(math.inf, numerator) if numerator else math.nan


def root(value: float) -> float:
    """Return a square root, NaN where there is none."""
    return math.sqrt(value) if value >= 0 else math.nan
