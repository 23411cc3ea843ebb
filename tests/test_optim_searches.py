"""Line searches, and the methods that call opfunc as often as they like."""

import io
import math
from contextlib import redirect_stdout
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from optimizers import bowl, close, rosenbrock, run

from torchlite import optim, random
from torchlite.errors import ShapeError

# The module, not the function of the same name.
de = import_module("torchlite.optim.de")


def test_cg_goes_on_after_one_failed_line_search():
    """Torch7, for which 0 is true, gives up there: here at 1e-3."""
    x = np.random.RandomState(0).uniform(-2, 2, 4)
    x, fs, evaluations = optim.cg(rosenbrock, x, {"maxIter": 10, "maxEval": 400})
    assert evaluations <= 400
    assert fs[-1] < 1e-10


def test_cg_ends_when_its_evaluations_are_used_up():
    assert optim.cg(rosenbrock, np.zeros(2), {"maxIter": 8})[2] == 10


def test_cg_ends_where_the_slope_is_zero():
    x, fs, evaluations = optim.cg(bowl, np.ones(3))
    assert (x.tolist(), fs, evaluations) == ([1, 1, 1], [0], 1)


def test_cg_gives_up_when_even_downhill_nothing_is_lower():
    x = np.zeros(2)
    x, fs, evaluations = optim.cg(lambda x: (float(np.abs(x).sum()), np.ones(2)), x)
    assert (x.tolist(), fs, evaluations) == ([0, 0], [0], 22)


@pytest.mark.parametrize("seed", [0, 1, 59, 150])
def test_cg_never_climbs(seed):
    x = np.random.RandomState(seed).uniform(-2, 2, 4)
    x, fs, _ = optim.cg(rosenbrock, x, {"maxEval": 100, "sig": 0.1})
    assert fs == sorted(fs, reverse=True)
    assert rosenbrock(x)[0] == pytest.approx(fs[-1], rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_cg_is_not_led_by_rounding(seed):
    """On a parabola the cubic of a line search has no third power; from its rounding, no step."""
    start = np.array([-1.0, 2.0, 0.5])
    start *= 1 + np.random.RandomState(seed).uniform(-1, 1, 3) * 4e-16
    *_, fs = run(optim.cg, bowl, start, {"maxIter": 5}, 3)[0]
    assert fs[-1] < 1e-12


def test_cg_takes_long_steps_where_it_is_flat():
    x = np.array([100.0])
    x, fs, _ = optim.cg(lambda x: (float(x @ x) * 5e-5, x * 1e-4), x)
    assert fs[-1] < 1e-9 * fs[0]


def test_searches_survive_nan():
    def cliff(x):
        """A parabola with its minimum at 0.9, and nothing beyond 1."""
        f, g = float((x - 0.9) @ (x - 0.9)) / 2, x - 0.9
        return (math.nan, g * math.nan) if (x > 1).any() else (f, g)

    x = np.array([-30.0])
    optim.cg(cliff, x)
    assert abs(x[0] - 0.9) < 1e-3
    x = np.array([-30.0])
    optim.lbfgs(cliff, x, {"lineSearch": optim.lswolfe, "maxIter": 50})
    assert abs(x[0] - 0.9) < 1e-3
    random.manualSeed(1)
    best, *_ = optim.de(cliff, np.array([-30.0]))
    assert abs(best[0] - 0.9) < 1e-3
    best, *_ = optim.cmaes(cliff, np.array([-3.0]), {"sigma": 1})
    assert abs(best[0] - 0.9) < 1e-3


def test_lswolfe_comes_back_where_nothing_is_lower():
    x, g = np.array([1.0]), np.array([-1.0])
    with redirect_stdout(io.StringIO()) as printed:
        f, g, x, t, calls = optim.lswolfe(
            lambda x: (5.0, -np.ones(1)), x, 1, np.ones(1), 1.0, g, -1.0,
            {"maxIter": 4, "verbose": True},
        )  # fmt: skip
    assert (f, t, calls, x[0], g[0]) == (1.0, 0, 5, 1.0, -1.0)
    assert printed.getvalue() == "<optim.lswolfe> reached max number of iterations\n"


@pytest.mark.parametrize("seed", range(20))
def test_lswolfe_keeps_the_strong_wolfe_conditions(seed):
    rng = np.random.RandomState(seed)
    x = rng.uniform(-2, 2, 4)
    f0, g0 = rosenbrock(x)
    gtd = float(-g0 @ g0)
    start, first = x.copy(), float(10 ** rng.uniform(-6, 1))
    f, g, x, t, _ = optim.lswolfe(rosenbrock, x, first, -g0, f0, g0, gtd, {"c2": 0.1})
    assert f <= f0 + 1e-4 * t * gtd
    assert abs(g @ -g0) <= -0.1 * gtd
    close(x, start - t * g0, 1e-15)


def test_lswolfe_is_content_with_a_small_bracket():
    calls = []
    for tolX in (1e9, 1e-9):
        x = np.random.RandomState(0).uniform(-2, 2, 4)
        f, g = rosenbrock(x)
        options = {"c2": 1e-6, "tolX": tolX}
        calls.append(optim.lswolfe(rosenbrock, x, 1, -g, f, g, float(-g @ g), options)[-1])
    assert calls[0] < calls[1]


@pytest.mark.parametrize("argument", ["d", "g"])
def test_lswolfe_names_what_is_not_like_x(argument):
    given = {"d": np.ones(2), "g": np.ones(2), argument: np.ones(3)}
    with pytest.raises(ShapeError) as caught:
        optim.lswolfe(bowl, np.ones(2), 1, given["d"], 0.0, given["g"], -1.0)
    assert str(caught.value) == f"lswolfe: {argument} must be (2,) like x, got (3,)"


def test_lswolfe_turns_round_behind_the_minimum(capsys):
    x = np.array([4.0])
    f, g = bowl(x)
    f, g, x, t, calls = optim.lswolfe(
        bowl, x, 1.4, np.array([-4.0]), f, g, float(g @ [-4.0]), {"c2": 0.1, "verbose": True}
    )
    assert capsys.readouterr().out == ""
    assert (f, g[0], x[0], t, calls) == pytest.approx((0, 0, 1, 0.75, 2), abs=1e-15)


def test_lbfgs_says_why_it_stops():
    for config, reason in (
        ({"tolFun": 1e9}, "optimality condition below tolFun"),
        ({"maxIter": 3}, "reached max number of iterations"),
        ({"maxEval": 2}, "max number of function evals"),
        ({"maxIter": 99, "tolFun": 1e-1}, "optimality condition below tolFun"),
        ({"maxIter": 99, "tolFun": 0, "tolX": 1e-1}, "function value changing less than tolX"),
        ({"learningRate": 1e-12}, "step size below tolX"),
        ({"tolX": 1e9}, "no progress along the direction"),
    ):
        with redirect_stdout(io.StringIO()) as printed:
            optim.lbfgs(bowl, np.array([-1.0, 2.0, 0.5]), {**config, "verbose": True})
        assert printed.getvalue() == f"<optim.lbfgs> {reason}\n"


@pytest.mark.parametrize(
    ("config", "f", "g", "calls", "reason"),
    [
        ({"tolFun": 1}, [1], [-1], 1, "optimality condition below tolFun"),
        ({"tolFun": 0.5}, [1, 0], [-1, -0.5], 2, "optimality condition below tolFun"),
        ({"tolX": 0.25, "learningRate": 0.25}, [1, 0], [-1, -1], 2, "step size below tolX"),
        # What follows is enough, by the last bit, to go on.
        ({"tolX": 0.25}, [1.25, 1, 1], [-1] * 3, 3, "function value changing less than tolX"),
        ({"tolX": 0.25}, [2, 1, 1], [-0.5] * 3, 3, "function value changing less than tolX"),
        ({"maxEval": 3}, [4, 3, 2, 1], [-1] * 4, 3, "max number of function evals"),
    ],
)
def test_lbfgs_stops_at_its_limits(config, f, g, calls, reason, capsys):
    seen = iter(zip(map(float, f), np.reshape(g, (-1, 1)).astype(float), strict=True))
    config = {"tolFun": 0, "tolX": 0, "verbose": True, **config}
    _, fs, evaluations = optim.lbfgs(lambda x: next(seen), np.zeros(1), config)
    assert (fs, evaluations) == (f[:calls], calls)
    assert capsys.readouterr().out == f"<optim.lbfgs> {reason}\n"


def test_FistaLS_tells_what_it_does():
    def f(x, mode=None):
        value = float((x - 3) @ (x - 3) / 2)
        return (value, x - 3) if mode == "dx" else value

    def shrink(z, L):
        z[...] = np.sign(z) * np.maximum(np.abs(z) - 1 / L, 0)

    arguments = f, lambda x: float(np.abs(x).sum()), shrink
    config = {"L": 0.5, "Lstep": 2, "maxiter": 2}
    with redirect_stdout(io.StringIO()) as printed:
        x, history = optim.FistaLS(*arguments, np.zeros(1), {**config, "verbose": True})
    assert printed.getvalue() == (
        "nline=0 L=0.5 fply=0.5 Q=-3.5 fy=4.5 Q2=-12 Q3=4\n"
        "nline=1 L=1 fply=0.5 Q=0.5 fy=4.5 Q2=-6 Q3=2\n"
        "iter=0 eold=inf enew=2.5\n"
        "nline=0 L=1 fply=0.5 Q=0.5 fy=0.5 Q2=0 Q3=0\n"
        "iter=1 eold=2.5 enew=2.5\n"
    )
    assert [row.pop("xk").tolist() for row in history] == [[2], [2]]
    assert [row.pop("y").tolist() for row in history] == [[2], [2]]
    quiet, rows = optim.FistaLS(*arguments, np.zeros(1), config)
    assert rows == history
    assert np.array_equal(quiet, x)
    # A change that is no more than errthres ends it.
    _, rows = optim.FistaLS(*arguments, np.zeros(1), {**config, "errthres": 0, "maxiter": 9})
    assert len(rows) == 2


@pytest.mark.parametrize("verbose", [0, 2, True])
def test_cg_takes_verbose(verbose):
    x, fs, _ = optim.cg(bowl, np.array([-1.0, 2.0, 0.5]), {"verbose": verbose})
    assert fs == optim.cg(bowl, np.array([-1.0, 2.0, 0.5]))[1]
    assert bowl(x)[0] == fs[-1]


def test_lbfgs_goes_by_the_newest_pairs():
    """Against the inverse Hessian, written out as a matrix."""
    x, config = np.linspace(-1, 2, 6), {"maxIter": 1, "nCorrection": 3, "learningRate": 0.5}
    points, slopes = [x.copy()], []
    for _ in range(12):
        f, g = bowl(points[-1])
        slopes.append(g)
        pairs = list(zip(np.diff(points, axis=0), np.diff(slopes, axis=0), strict=True))[-3:]
        inverse = np.eye(6) / np.abs(g).sum()
        if pairs:
            s, y = pairs[-1]
            inverse = np.eye(6) * (y @ s) / (y @ y)
        for s, y in pairs:
            turn = np.eye(6) - np.outer(y, s) / (y @ s)
            inverse = turn.T @ inverse @ turn + np.outer(s, s) / (y @ s)
        points.append(points[-1] - 0.5 * inverse @ g)
        assert optim.lbfgs(bowl, x, config)[1] == pytest.approx([f], rel=1e-9)
        close(x, points[-1], 1e-9)


def test_lbfgs_learns_nothing_where_there_is_no_curvature():
    x = np.zeros(2)
    x, fs, _ = optim.lbfgs(lambda x: (float(x.sum()), np.ones(2)), x, {"maxIter": 4})
    # The first step is shorter by the sum of the gradient.
    assert (fs, x.tolist()) == ([0, -1, -3, -5], [-3.5, -3.5])


def test_lbfgs_remembers_only_a_curvature_above_1e_10():
    step = 1e-10 * 2**20
    for rate, remembered in ((step, 0), (math.nextafter(step, 1), 1)):
        seen = iter([(1.0, -np.ones(1)), (0.0, np.array([2**-20 - 1]))])
        state = {}
        config = {"learningRate": rate, "maxIter": 2}
        x, *_ = optim.lbfgs(lambda x, seen=seen: next(seen), np.zeros(1), config, state)
        # The pair is (rate, 2**-20): their product is rounded to 1e-10, or the next number.
        assert state["pairs"] == remembered
        if remembered:
            assert state["ro"].tolist() == [2**20 / rate] + [0] * 100
            assert state["Hdiag"] == 2**20 * rate
        else:
            assert (state["ro"].any(), state["Hdiag"]) == (False, 1)
            assert x[0] == rate + rate * (1 - 2**-20)


def test_lbfgs_need_not_end_where_it_last_looked():
    seen = []

    def opfunc(x):
        seen.append(x.copy())
        return bowl(x)

    x, *_ = optim.lbfgs(opfunc, np.array([-1.0, 2.0, 0.5]), {"maxIter": 3})
    assert not np.array_equal(x, seen[-1])


def test_lbfgs_takes_any_line_search():
    def fixed(opfunc, x, t, d, f, g, gtd, options):
        moved = x + options["step"] * d
        f, g = opfunc(moved)
        return f, g, moved, options["step"], 7

    x = np.array([-1.0, 2.0])
    config = {"lineSearch": fixed, "lineSearchOptions": {"step": 0.5}, "maxIter": 80}
    result, fs, evaluations = optim.lbfgs(bowl, x, config)
    assert result is x
    # At 100, which is 1.25 * maxIter, no further iteration is begun.
    assert (len(fs), evaluations) == (16, 1 + 15 * 7)
    close(x, np.ones(2), 1e-3)


def test_polyinterp_of_any_points():
    def through(f, g, *xs):
        return [[x, f(x), g(x)] for x in xs]

    quartic = through(lambda x: (x - 9) ** 4 - x, lambda x: 4 * (x - 9) ** 3 - 1, 7.0, 8.0, 11.0)
    assert optim.polyinterp(quartic) == pytest.approx(9 + 0.25 ** (1 / 3), rel=1e-9)
    line = through(lambda x: -x, lambda x: -1.0, 0.0, 1.0)
    assert optim.polyinterp(line, 0, 7) == 7
    assert optim.polyinterp(line) == 1
    hill = through(lambda x: -x * x, lambda x: -2 * x, -1.0, 1.0)
    assert optim.polyinterp(hill, -1, 2) == 2
    assert optim.polyinterp([[0, 0, 1], [1, math.inf, 0]]) == 0.5
    assert optim.polyinterp([[0, 0, 1], [1, math.nan, 0]], 0, 4) == 2
    assert optim.polyinterp([[3, 1, 1]]) == 3
    parabola = through(lambda x: x * x, lambda x: 2 * x, -1.0, 3.0)
    assert optim.polyinterp(parabola, 1) == 1
    assert optim.polyinterp(parabola, None, -0.5) == -0.5
    # The place and the scale of the points do not matter.
    shifted = through(lambda x: (x - 2) ** 2, lambda x: 2 * (x - 2), 1.0, 4.0)
    assert optim.polyinterp(shifted) == pytest.approx(2)
    far = through(lambda x: (x - 1e-7) ** 2, lambda x: 2 * (x - 1e-7), 0.0, 1e-9)
    assert optim.polyinterp(far, 1e-9, 1e-6) == pytest.approx(1e-7)
    for points in ([1, 2], np.ones((2, 2)), np.ones((0, 3))):
        with pytest.raises(ShapeError) as caught:
            optim.polyinterp(points)
        assert str(caught.value) == f"polyinterp: points must be (N, 3), got {np.shape(points)}"


def test_checkgrad_is_exact_about_x():
    x = np.array([[0.1, 0.2], [0.3, 0.7]], np.float32)
    before = x.copy()
    difference, dC, _ = optim.checkgrad(bowl, x)
    assert difference < 1e-3
    assert dC.dtype == np.float32
    np.testing.assert_array_equal(x, before)
    assert optim.checkgrad(lambda x: (1.0, np.zeros_like(x)), np.ones(3))[0] == 0
    for eps, dtype, step in ((0.25, "float64", 0.25), (None, "float64", 1e-7), (None, "f", 5e-3)):
        seen = []
        optim.checkgrad(lambda x, s=seen: (s.append(x.copy()), bowl(x))[1], np.zeros(1, dtype), eps)
        assert np.concatenate(seen).tolist() == np.array([0, step, -step], dtype).tolist()
    assert optim.checkgrad(lambda x: (float(x.sum()), -np.ones(1)), np.zeros(1), 0.5)[0] == math.inf
    calls = iter([bowl(x)])
    with pytest.raises(StopIteration):
        optim.checkgrad(lambda x: next(calls), x)
    np.testing.assert_array_equal(x, before)


def test_fista_stays_when_no_step_will_do():
    def f(x, mode=None):
        value = float(x @ x)
        return (value, -2 * x - 1) if mode == "dx" else value

    config = {"maxline": 2, "doFistaUpdate": False}
    x, history = optim.FistaLS(f, lambda x: 0.0, lambda z, L: None, np.full(2, 9.0), config)
    np.testing.assert_array_equal(x, [0, 0])
    assert [row["nline"] for row in history] == [3, 3]


def test_cmaes_reports():
    random.manualSeed(2)
    with redirect_stdout(io.StringIO()) as printed:
        optim.cmaes(bowl, np.zeros(3), {"sigma": 1, "maxEval": 40, "verb_disp": 3})
    lines = printed.getvalue().splitlines()
    assert lines[0] == "evals:\t ax-ratio max(std)   f-value"
    assert [line.split(":")[0] for line in lines[1:-2]] == ["7", "14", "21", "42"]
    assert lines[-2] == "termination by evals"
    with redirect_stdout(io.StringIO()) as printed:
        config = {"sigma": 1, "maxEval": 24, "verb_disp": 1, "popsize": 2}
        _, fs, evaluations = optim.cmaes(bowl, np.zeros(3), config)
    said = [line.split(":")[0] for line in printed.getvalue().splitlines()[:-2]]
    assert said == ["evals", *map(str, range(2, 20, 2)), "evals", "20", "22", "24"]
    assert (len(fs), evaluations) == (14, 24)


def test_cmaes_returns_the_best_that_it_has_seen():
    """Here every point is worse than the one before."""
    points = []

    def opfunc(x):
        points.append(x.copy())
        return float(len(points))

    best, fs, _ = optim.cmaes(opfunc, np.zeros(3), {"sigma": 1, "maxEval": 40})
    assert fs[-1] == fs[1] == 2
    np.testing.assert_array_equal(best, points[1])


def test_de_differs_by_two_others(monkeypatch):
    points, others = np.array([[0.0], [1.0], [10.0]]), set()
    settings = SimpleNamespace(crossoverRate=1, scaleFactor=2)
    for _ in range(50):
        (child,) = de._child(0, points, np.array([100.0]), settings)
        others.add(float(child))
    assert others == {100 + 2 * 9, 100 - 2 * 9}
    drawn = iter([1, 2, 0])
    monkeypatch.setattr(de, "_draw", lambda *arguments: next(drawn))
    assert de._child(0, points, np.array([100.0]), settings) == 100 + 2 * (1 - 10)
    monkeypatch.undo()
    assert {de._draw(4) for _ in range(99)} == {0, 1, 2, 3}
    assert {de._draw(4, 0, 2) for _ in range(99)} == {1, 3}


def test_de_may_have_no_more_than_its_first_points():
    assert len(optim.de(bowl, np.ones(2), {"popsize": 4, "maxFEs": 4})[1]) == 4
    assert len(optim.de(bowl, np.ones(2), {"popsize": 4, "maxFEs": 6})[1]) == 6


def test_de_takes_at_least_one_entry_over():
    settings = SimpleNamespace(crossoverRate=0, scaleFactor=1)
    points, best = np.arange(12.0).reshape(4, 3), np.full(3, 50.0)
    for _ in range(20):
        assert (de._child(0, points, best, settings) != points[0]).sum() == 1


def test_de_moves_where_all_is_the_same():
    x, _ = optim.de(lambda x: 1.0, np.ones(2), {"popsize": 4, "maxFEs": 8})
    assert (x != 1).any()
