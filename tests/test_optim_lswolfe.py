"""lswolfe against minFunc's line search, written down once more, and at its limits."""

import numpy as np
import pytest

from torchlite import optim

C1, C2 = 0.25, 0.5


def wolfe(look, t, f, slope, most, tolerance):
    """Return (t, f) where the search ends, and how often it looked.

    Other than there, of two points that are equally low the older one counts as the lower.
    """
    start, before = (0, f, slope), (0, f, slope)
    now = (t, *look(t))
    looked = 1
    bracket, done = None, False
    for i in range(most):
        t, f_t, slope_t = now
        if f_t > f + C1 * t * slope or (i > 1 and f_t >= before[1]):
            bracket = [before, now]
            break
        if abs(slope_t) <= -C2 * slope:
            bracket, done = [now], True
            break
        if slope_t >= 0:
            bracket = [before, now]
            break
        t = optim.polyinterp([before, now], t + 0.01 * (t - before[0]), 10 * t)
        before, now = now, (t, *look(t))
        looked += 1
    if bracket is None:
        bracket = [start, now]
    insufficient = False
    while not done and looked <= most:
        low, high = bracket if bracket[0][1] <= bracket[1][1] else bracket[::-1]
        left, right = min(low[0], high[0]), max(low[0], high[0])
        t = optim.polyinterp([low, high])
        if min(right - t, t - left) < 0.1 * (right - left):
            if insufficient or t >= right or t <= left:
                to_right = abs(t - right) < abs(t - left)
                t = right - 0.1 * (right - left) if to_right else left + 0.1 * (right - left)
                insufficient = False
            else:
                insufficient = True
        else:
            insufficient = False
        f_t, slope_t = look(t)
        looked += 1
        if f_t > f + C1 * t * slope or f_t >= low[1]:
            kept = low
        else:
            done = abs(slope_t) <= -C2 * slope
            kept = low if slope_t * (high[0] - low[0]) >= 0 else high
        bracket = [kept, (t, f_t, slope_t)]
        if abs(bracket[0][0] - bracket[1][0]) * abs(slope_t) < tolerance:
            break
    return min(bracket, key=lambda point: point[1])[:2], looked


@pytest.mark.parametrize("most", [1, 2, 4, 8])
def test_lswolfe_is_minfunc_where_numbers_are_equal(most, capsys):
    """Whatever f and df/dx are, here halves and quarters: limits are met exactly."""
    for seed in range(240):
        rng = np.random.RandomState(seed)
        fs = rng.choice([-4, -2, -1, 0, 0.25, 0.5, 0.625, 0.75, 0.875, 1, 1.5, 2], 10)
        slopes = rng.choice([-4, -2, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 1, 3], 10)
        falling = rng.randint(5)
        fs[:falling] = rng.choice([-4, -40, -400, -4000], falling)
        slopes[:falling] = rng.choice([-4, -2, -1, -0.75], falling)
        slope, tolerance = rng.choice([-1.0, -2.0]), rng.choice([0, 0.25])
        script, places = iter(zip(fs.tolist(), slopes.tolist(), strict=True)), []

        def look(t, script=script, places=places):
            places.append(t)
            return next(script)

        (t, f), looked = wolfe(look, 1.0, 1.0, slope, most, tolerance)
        script, seen = iter(zip(fs, slopes, strict=True)), []

        def opfunc(x, script=script, seen=seen):
            seen.append(float(x[0]))
            f, g = next(script)
            return f, np.array([g])

        x, g = np.zeros(1), np.array([slope])
        options = {"c1": C1, "c2": C2, "tolX": tolerance, "maxIter": most}
        found = optim.lswolfe(opfunc, x, 1.0, np.ones(1), 1.0, g, float(slope), options)
        assert (found[0], float(found[2][0]), *found[3:]) == (f, t, t, looked)
        assert seen == places
    assert capsys.readouterr().out == ""
