"""cmaes against barecmaes2.py, written down once more from its formulas."""

import io
import math
from contextlib import redirect_stdout

import numpy as np
import pytest
from optimizers import close, rosenbrock

from torchlite import optim, random


def barecmaes(opfunc, x, sigma, maxEval, popsize, ftarget=None):
    """Return the points of each generation, why it is over, and how often what is rare was."""
    n = x.size
    mu = popsize // 2
    weights = np.log(popsize / 2 + 0.5) - np.log(np.arange(1, mu + 1))
    weights /= weights.sum()
    mueff = 1 / (weights**2).sum()
    cc = (4 + mueff / n) / (n + 4 + 2 * mueff / n)
    cs = (mueff + 2) / (n + mueff + 5)
    c1 = 2 / ((n + 1.3) ** 2 + mueff)
    cmu = min(1 - c1, 2 * (mueff - 2 + 1 / mueff) / ((n + 2) ** 2 + mueff))
    damps = 2 * mueff / popsize + 0.3 + cs
    mean, pc, ps, C, D, B = x, np.zeros(n), np.zeros(n), np.eye(n), np.ones(n), np.eye(n)
    generations, decomposed, waited, bounded, ends = [], 0, 0, 0, []
    while not ends:
        count = len(generations) * popsize
        if count - decomposed > popsize / (c1 + cmu) / n / 10:
            decomposed = count
            D, B = np.linalg.eigh(C, UPLO="U")
            D = np.sqrt(np.maximum(D, 1e-16 * D.max()))
        drawn = mean + sigma * (random.normal(size=(popsize, n)) * D) @ B.T
        generations.append(drawn)
        values = np.array([opfunc(point) for point in drawn])
        order = np.argsort(values, kind="stable")
        values, best = values[order], drawn[order[:mu]]
        old, mean = mean, weights @ best
        y = (mean - old) / sigma
        ps = (1 - cs) * ps + math.sqrt(cs * (2 - cs) * mueff) * (B / D @ B.T @ y)
        ps2 = (ps**2).sum() / n
        waits = ps2 / (1 - (1 - cs) ** (2 * len(generations))) >= 2 + 4 / (n + 1)
        pc = (1 - cc) * pc + (not waits) * math.sqrt(cc * (2 - cc) * mueff) * y
        C = (1 - c1 - cmu + waits * c1 * cc * (2 - cc)) * C + c1 * np.outer(pc, pc)
        for weight, point in zip(weights, best, strict=True):
            C = C + cmu * weight * np.outer(point - old, point - old) / sigma**2
        growth = cs / damps * (ps2 - 1) / 2
        sigma *= math.exp(min(0.6, growth))
        waited, bounded = waited + waits, bounded + (growth > 0.6)
        over = {
            "evals": len(generations) * popsize >= maxEval,
            "ftarget": ftarget is not None and values[0] <= ftarget,
            "condition": D.max() > 1e7 * D.min(),
            "tolfun": values[-1] - values[0] < 1e-12,
            "tolx": sigma * D.max() < 1e-11,
        }
        ends = [reason for reason, so in over.items() if so]
    return generations, ends[0], (waited, bounded)


def compared(opfunc, x, config, tolerance=1e-9):
    """Check that cmaes goes the same way, and return why it is over, and what was rare."""
    popsize = config.get("popsize", 4 + int(3 * math.log(x.size)))
    settings = {"maxEval": 1000 * x.size**2, "popsize": popsize, **config}
    random.manualSeed(1)
    generations, reason, rare = barecmaes(opfunc, x, **settings)
    points = []

    def seen(x):
        points.append(x.copy())
        return opfunc(x)

    random.manualSeed(1)
    with redirect_stdout(io.StringIO()) as printed:
        *_, evaluations = optim.cmaes(seen, x.copy(), {**config, "verb_disp": 10**6})
    assert evaluations == len(generations) * popsize == len(points) - 1
    close(np.array(points[1:]), np.concatenate(generations), tolerance)
    assert printed.getvalue().splitlines()[-2] == f"termination by {reason}"
    return reason, rare


def far(x):
    """Down a slope at first, where sigma grows as fast as it may, and C waits."""
    return float(np.abs(x - 30).sum())


@pytest.mark.parametrize(
    ("opfunc", "x", "config", "reason", "rare"),
    [
        (far, np.zeros(1), {"sigma": 1, "popsize": 40, "maxEval": 480}, "evals", (4, 4)),
        (far, np.zeros(3), {"sigma": 0.1, "popsize": 41, "maxEval": 820}, "evals", (10, 9)),
        (lambda x: rosenbrock(x)[0], np.zeros(2), {"sigma": 1, "ftarget": 1e-6}, "ftarget", None),
        (lambda x: float(x @ x), np.ones(2), {"sigma": 1}, "tolfun", None),
        (
            lambda x: float(np.round(x**2).sum()),
            np.full(2, 3.0),
            {"sigma": 1, "popsize": 40, "maxEval": 400},
            "tolfun",
            None,
        ),
        (lambda x: 1e6 * float(np.abs(x).sum()), np.ones(2), {"sigma": 1}, "tolx", None),
        (lambda x: float(1e16 * x[0] ** 2 + x[1]), np.ones(2), {"sigma": 1}, "condition", None),
    ],
)
def test_cmaes_is_barecmaes(opfunc, x, config, reason, rare):
    found, seen = compared(opfunc, x, config)
    assert (found, rare or seen) == (reason, seen)


def test_cmaes_ends_after_1000_evaluations_for_each_pair_of_entries():
    noise = np.random.RandomState(0).uniform
    for n, evaluations in ((1, 250 * 4), (2, 667 * 6)):
        assert optim.cmaes(lambda x: noise(), np.ones(n), {"sigma": 1})[2] == evaluations


def test_cmaes_returns_the_first_of_the_best():
    values, points = iter([9, *[5] * 5, 6, *[3] * 5, 7, *[3] * 5, 8, *[4] * 5, 9]), []
    config = {"sigma": 1, "maxEval": 24}
    best, fs, _ = optim.cmaes(
        lambda x: (points.append(x.copy()), float(next(values)))[1], np.ones(2), config
    )
    assert fs == [9, 5, 3, 3, 4, 3]
    np.testing.assert_array_equal(best, points[7])


def test_cmaes_puts_off_what_is_dear(monkeypatch):
    """With many entries C changes little: its axes are looked for in every other generation."""
    found, eigh = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda C, **how: (found.append(C), eigh(C, **how))[1])
    n, popsize = 150, 4 + int(3 * math.log(150))
    for size, generations, times in ((popsize, 9, 4), (2 * popsize, 9, 8)):
        found.clear()
        config = {"sigma": 1, "popsize": size, "maxEval": size * generations}
        optim.cmaes(far, np.zeros(n), config)
        assert len(found) == times


@pytest.mark.parametrize(("config", "generations"), [({}, 1), ({"min_iterations": 3}, 3)])
def test_cmaes_has_as_many_generations_at_least(config, generations):
    *_, evaluations = optim.cmaes(lambda x: 1.0, np.ones(2), {"sigma": 1, **config})
    assert evaluations == generations * 6


@pytest.mark.parametrize(("difference", "generations"), [(1e-12, 2), (0.99e-12, 1)])
def test_cmaes_ends_where_a_generation_differs_by_less(difference, generations):
    values = iter([0, *([0, 0, difference, 0, 0, 0] * 2)])
    config = {"sigma": 1, "maxEval": 12}
    *_, evaluations = optim.cmaes(lambda x: float(next(values)), np.ones(2), config)
    assert evaluations == generations * 6


def test_cmaes_prints():
    """The ratio of the axes, the greatest deviation, and f, which grows by 1 each time here."""
    random.manualSeed(1)
    values = iter(range(200))
    with redirect_stdout(io.StringIO()) as printed:
        config = {"sigma": 1, "maxEval": 126, "verb_disp": 2}
        optim.cmaes(lambda x: float(next(values)), np.ones(2), config)
    assert printed.getvalue() == (
        "evals:\t ax-ratio max(std)   f-value\n"
        "6:     1.0  1.5e+00 1.0\n"
        "12:     1.2  2.0e+00 7.0\n"
        "24:     1.2  4.9e+00 19.0\n"
        "36:     1.6  6.4e+00 31.0\n"
        "48:     1.8  5.4e+00 43.0\n"
        "60:     2.0  3.7e+00 55.0\n"
        "72:     2.0  3.0e+00 67.0\n"
        "84:     2.0  2.8e+00 79.0\n"
        "96:     2.3  2.4e+00 91.0\n"
        "108:     2.0  2.4e+00 103.0\n"
        "evals:\t ax-ratio max(std)   f-value\n"
        "120:     2.3  2.5e+00 115.0\n"
        "termination by evals\n"
        "best f-value = 1.0\n"
    )
