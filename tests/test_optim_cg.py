"""cg against minimize.m, written down once more as its author published it."""

import math

import numpy as np
import pytest
from optimizers import rosenbrock

from torchlite import optim


def minimize(function, x, evaluations, most, rho=0.01, sig=0.5, inner=0.1, outer=3, ratio=100):
    """Return x, the values after each line search, and the calls. Not beyond: NaN, no slope.

    Other than there, the gradient that a failed line search leaves behind is the one where it
    began, and what counts as a failure along -g includes the first search and those that were
    turned downhill.
    """
    f1, df1 = function(x)
    calls, fs = 1, [f1]
    s, downhill = -df1, True
    d1 = -s @ s
    z1 = 1 / (1 - d1)
    while calls < evaluations:
        x0 = x
        x = x + z1 * s
        f2, df2 = function(x)
        calls += 1
        d2 = df2 @ s
        f3, d3, z3 = f1, d1, -z1
        m = min(most, evaluations - calls)
        success, limit = False, -1
        while True:
            while (f2 > f1 + z1 * rho * d1 or d2 > -sig * d1) and m > 0:
                limit = z1
                with np.errstate(all="ignore"):
                    if f2 > f1:
                        z2 = z3 - (0.5 * d3 * z3 * z3) / (d3 * z3 + f2 - f3)
                    else:
                        a = 6 * (f2 - f3) / z3 + 3 * (d2 + d3)
                        b = 3 * (f3 - f2) - z3 * (d3 + 2 * d2)
                        z2 = (np.sqrt(b * b - a * d2 * z3 * z3) - b) / a
                if not math.isfinite(z2):
                    z2 = z3 / 2
                z2 = max(min(z2, inner * z3), (1 - inner) * z3)
                z1 += z2
                x = x + z2 * s
                f2, df2 = function(x)
                m, calls = m - 1, calls + 1
                d2 = df2 @ s
                z3 -= z2
            if f2 > f1 + z1 * rho * d1 or d2 > -sig * d1:
                break
            if d2 > sig * d1:
                success = True
                break
            if m == 0:
                break
            a = 6 * (f2 - f3) / z3 + 3 * (d2 + d3)
            b = 3 * (f3 - f2) - z3 * (d3 + 2 * d2)
            with np.errstate(all="ignore"):
                z2 = -d2 * z3 * z3 / (b + np.sqrt(b * b - a * d2 * z3 * z3))
            if not math.isfinite(z2) or z2 < 0:
                z2 = z1 * (outer - 1) if limit < -0.5 else (limit - z1) / 2
            elif limit > -0.5 and z2 + z1 > limit:
                z2 = (limit - z1) / 2
            elif limit < -0.5 and z2 + z1 > z1 * outer:
                z2 = z1 * (outer - 1)
            elif z2 < -z3 * inner:
                z2 = -z3 * inner
            elif limit > -0.5 and z2 < (limit - z1) * (1 - inner):
                z2 = (limit - z1) * (1 - inner)
            f3, d3, z3 = f2, d2, -z2
            z1 += z2
            x = x + z2 * s
            f2, df2 = function(x)
            m, calls = m - 1, calls + 1
            d2 = df2 @ s
        if success:
            f1 = f2
            fs.append(f1)
            s = (df2 @ df2 - df1 @ df2) / (df1 @ df1) * s - df2
            df1, d2, downhill = df2, df2 @ s, False
            if d2 > 0:
                s, downhill = -df1, True
                d2 = -s @ s
            z1 *= min(ratio, d1 / d2)
            d1 = d2
        else:
            x = x0
            if downhill:
                break
            s, downhill = -df1, True
            d1 = -s @ s
            z1 = 1 / (1 - d1)
    return x, fs, calls


def wavy(x):
    """A bowl with ripples, in which line searches fail now and then."""
    return float((x**2 / 2 + 2 * np.cos(3 * x)).sum()), x - 6 * np.sin(3 * x)


def steep(x):
    """Flat far away, and a wall at the minimum."""
    return float(np.sqrt(1e-3 + x**2).sum()), x / np.sqrt(1e-3 + x**2)


def quartic(x):
    scale = 10.0 ** np.arange(x.size)
    return float((scale * x**4).sum()), 4 * scale * x**3


def crooked(x):
    """What a wrong gradient does to the search: slopes that do not belong to the values."""
    f, g = rosenbrock(x)
    return f, g * (0.75 + np.cos(5 * x))


@pytest.mark.parametrize("most", [2, 5, 20])
@pytest.mark.parametrize("function", [rosenbrock, wavy, steep, quartic, crooked])
def test_cg_is_minimize(function, most):
    for seed in range(40):
        rng = np.random.RandomState(seed)
        start = rng.uniform(-1, 1, rng.randint(2, 5)) * 10 ** rng.uniform(-1, 1.5)
        expected, values, calls = minimize(function, start, 20, most)
        x = start.copy()
        _, fs, evaluations = optim.cg(function, x, {"maxIter": most, "maxEval": 20})
        assert evaluations == calls
        assert len(fs) == len(values)
        np.testing.assert_allclose(fs, values, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(x, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_cg_is_minimize_where_numbers_are_equal(most):
    """Whatever f and df/dx are, here halves and quarters: limits are met exactly."""
    config = {"rho": 0.25, "sig": 0.5, "int": 0.25, "ext": 2, "ratio": 4}
    for seed in range(400):
        rng = np.random.RandomState(seed)
        fs = [1.0, *rng.choice([-2, -1, 0, 1, 1.5, 2, 3, 4], 6)]
        slopes = [-1.0, *rng.choice([-3, -2, -1, -0.5, -0.25, 0.25, 0.5, 1, 2], 6)]
        results = []
        for method in (
            lambda function, x, most=most: minimize(function, x, 7, most, 0.25, 0.5, 0.25, 2, 4),
            lambda function, x, most=most: optim.cg(
                function, x, {"maxIter": most, "maxEval": 7, **config}
            ),
        ):
            script, seen = iter(zip(fs, slopes, strict=True)), []

            def function(x, script=script, seen=seen):
                seen.append(float(x[0]))
                f, slope = next(script)
                return float(f), np.array([slope])

            results.append((*method(function, np.zeros(1)), seen))
        (x, values, calls, places), (x_, values_, calls_, places_) = results
        assert (values_, calls_) == (values, calls)
        np.testing.assert_allclose(places_, places, rtol=1e-9)
        np.testing.assert_allclose(x_, x, rtol=1e-9)


def test_cg_comes_back_from_an_infinite_slope():
    """Where f is low and its slope infinite, no cubic can be drawn: half the way back."""

    def edge(x):
        f, g = float((x - 0.9) @ (x - 0.9)) / 2, x - 0.9
        return f, np.where(x > 1, math.inf, g)

    x, seen = np.array([-30.0]), []
    _, fs, _ = optim.cg(lambda x: (seen.append(float(x[0])), edge(x))[1], x)
    high = next(i for i, place in enumerate(seen) if place > 1)
    before, low, half = seen[high - 1], *seen[high + 1 : high + 3]
    assert low > 1
    assert half == pytest.approx((before + low) / 2)
    assert abs(x[0] - 0.9) < 1e-3
    assert fs == sorted(fs, reverse=True)


def test_cg_goes_along_the_gradient_where_the_next_direction_is_flat():
    script = iter([(4.0, [-1.0, 0.0]), (0.0, [0.5, 0.5]), (-1.0, [0.0, 0.0])])
    x, fs, _ = optim.cg(lambda x: (lambda f, g: (f, np.array(g)))(*next(script)), np.zeros(2))
    # From (0.5, 0), where the slope along s = (h @ h - h @ g) / (g @ g) * s - h is 0.
    assert (x.tolist(), fs) == ([0, -0.5], [4, 0, -1])
