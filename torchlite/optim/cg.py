"""cg."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import dotted
from torchlite.optim._method import Key, Method, fraction, number, positive, whole
from torchlite.optim.polyinterp import ratio, root

__all__ = ["cg"]

_CG = Method(
    "cg",
    maxIter=whole(20),
    maxEval=positive(None),
    rho=fraction(0.01),
    sig=fraction(0.5),
    int=fraction(0.1),
    ext=number(3),
    ratio=positive(100),
    verbose=Key(0, (bool, int), "True, False or a whole number"),
)


def cg(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float], int]:
    """Conjugate gradients (Polak-Ribiere), with a line search.

    Maths
    -----
    With g = df/dx, and s = -g at first, a line search finds a step z with::

        f(x + z * s) <= f(x) + rho * z * (g @ s)
        abs(df/dx(x + z * s) @ s) <= -sig * (g @ s)

    then x += z * s, and with h = df/dx there::

        s = (h @ h - h @ g) / (g @ g) * s - h

    or -h where that does not lead downhill. When a line search fails, the next goes along -g; when
    one along -g fails, it is over.

    Config
    ------
    maxIter : 20
        Calls of opfunc in one line search, after its first.
    maxEval : 1.25 * maxIter
        Calls of opfunc in all.
    rho : 0.01
    sig : 0.5
    int : 0.1
        An interpolation stays this fraction of the interval away from its ends.
    ext : 3
        An extrapolation multiplies the step by this at most.
    ratio : 100
        The first step of a line search is at most this times the last step.
    verbose : 0
        Without effect, as in Torch7.

    State
    -----
    Nothing: each call begins anew.

    Returns
    -------
    x; the list of f, at first and after each line search; how often opfunc was called.

    Conventions
    -----------
    opfunc must be the same function at every evaluation of a call: all the data, or one fixed
    batch.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        See `torchlite.optim`.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim
    >>> x = np.array([4.0, -2.0])
    >>> x, fs, evaluations = optim.cg(lambda x: (x @ x / 2, x.copy()), x)
    >>> fs[0], bool(np.abs(x).max() < 1e-6)
    (10.0, True)

    Reference
    ---------
    Torch7, optim/cg.lua. Rasmussen: minimize.m, 2001.
    """
    settings, _ = _CG.begin(opfunc, x, config, state)
    rho, sig, inner, outer = settings.rho, settings.sig, settings.int, settings.ext
    maxEval = 1.25 * settings.maxIter if settings.maxEval is None else settings.maxEval

    # f, g and d: value, gradient and slope along s. 1: where the line search began, 2: now, at the
    # step z1, 3: the last point before, at z3 from here.
    f1, gradient = _CG.evaluate(opfunc, x)
    g1, g2 = gradient.copy(), np.empty_like(x)
    s = -g1
    d1 = -dotted(s, s)
    z1 = 1 / (1 - d1)
    fs, evaluations, steepest = [f1], 1, True

    def move(z: float) -> tuple[float, float]:
        nonlocal evaluations
        axpy(x, z, s)
        f, gradient = _CG.evaluate(opfunc, x)
        evaluations += 1
        np.copyto(g2, gradient)
        # NaN would pass every comparison below.
        return math.inf if math.isnan(f) else f, dotted(g2, s)

    while evaluations < maxEval and d1 < 0:
        origin = x.copy()
        f2, d2 = move(z1)
        f3, d3, z3 = f1, d1, -z1
        left = min(settings.maxIter, maxEval - evaluations)
        limit = None
        while True:
            while (too_far := f2 > f1 + z1 * rho * d1 or d2 > -sig * d1) and left > 0:
                limit = z1
                z2 = _between(f1, f2, f3, d2, d3, z3)
                z2 = max(min(z2, inner * z3), (1 - inner) * z3)
                z1 += z2
                f2, d2 = move(z2)
                left -= 1
                z3 -= z2
            if d2 > sig * d1 or left <= 0:
                break
            z2 = _beyond(f2, f3, d2, d3, z3)
            if not z2 >= 0:
                z2 = z1 * (outer - 1) if limit is None else (limit - z1) / 2
            elif limit is not None and z1 + z2 > limit:
                z2 = (limit - z1) / 2
            elif limit is None and z1 + z2 > z1 * outer:
                z2 = z1 * (outer - 1)
            elif z2 < -z3 * inner:
                z2 = -z3 * inner
            elif limit is not None and z2 < (limit - z1) * (1 - inner):
                z2 = (limit - z1) * (1 - inner)
            f3, d3, z3 = f2, d2, -z2
            z1 += z2
            f2, d2 = move(z2)
            left -= 1

        if not too_far and d2 > sig * d1:
            fs.append(f2)
            s *= (dotted(g2, g2) - dotted(g2, g1)) / dotted(g1, g1)
            s -= g2
            f1, g1, g2, steepest = f2, g2, g1, False
            d2 = dotted(g1, s)
            if d2 >= 0:
                np.negative(g1, out=s)
                d2, steepest = -dotted(s, s), True
            z1 *= min(settings.ratio, ratio(d1, d2))
            d1 = d2
        else:
            np.copyto(x, origin)
            if steepest:
                break
            steepest = True
            np.negative(g1, out=s)
            d1 = -dotted(s, s)
            z1 = 1 / (1 - d1)
    return x, fs, evaluations


def _between(f1: float, f2: float, f3: float, d2: float, d3: float, z3: float) -> float:
    """Return the way from here to the minimum of the parabola or cubic through here and there."""
    if f2 > f1:
        z2 = z3 - ratio(0.5 * d3 * z3 * z3, d3 * z3 + f2 - f3)
    else:
        a, b = _cubic(f2, f3, d2, d3, z3)
        square = root(b * b - a * d2 * z3 * z3)
        # Of a parabola a is rounding alone: the other form would divide rounding by rounding.
        z2 = ratio(-d2 * z3 * z3, b + square) if b > 0 else ratio(square - b, a)
    return z2 if math.isfinite(z2) else z3 / 2


def _beyond(f2: float, f3: float, d2: float, d3: float, z3: float) -> float:
    """Return the way from here to the minimum of the cubic, beyond what was seen."""
    a, b = _cubic(f2, f3, d2, d3, z3)
    return ratio(-d2 * z3 * z3, b + root(b * b - a * d2 * z3 * z3))


def _cubic(f2: float, f3: float, d2: float, d3: float, z3: float) -> tuple[float, float]:
    return 6 * (f2 - f3) / z3 + 3 * (d2 + d3), 3 * (f3 - f2) - z3 * (d3 + 2 * d2)
