"""The optimizers, and what goes with them, against Torch7's own numbers."""

from functools import partial

import golden
import numpy as np
import pytest
from optimizers import FIRST_ORDER, Counted, close, rosenbrock

from torchlite import optim, random

CASES = golden.cases("optim")


def quadratic(A, b, x):
    return float(x @ A @ x / 2 - b @ x), A @ x - b


def problem(case):
    if case["problem"] == "rosenbrock":
        return rosenbrock
    return partial(quadratic, case["A"], case["b"])


def named(*kinds):
    cases = [case for case in CASES if case["class"] in kinds]
    assert cases
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def config_of(case):
    config = {
        key: value["array"] if isinstance(value, dict) else value
        for key, value in dict(case["config"] or {}).items()
    }
    if "lineSearch" in config:
        config["lineSearch"] = optim.lswolfe
    return config


@named(*FIRST_ORDER)
def test_first_order_trajectory(case):
    opfunc, x, config = Counted(problem(case)), case["x0"].copy(), config_of(case)
    for call in range(case["n_calls"]):
        opfunc.calls = 0
        result = getattr(optim, case["class"])(opfunc, x, config)
        assert result[0] is x
        close(x, case["x"][call], 1e-12)
        close(result[1], [case["fx"][call]], 1e-12)
        assert opfunc.calls == case["evaluations"][call]
        if "average" in case:
            close(result[2], case["average"][call], 1e-12)
    for name, value in case.get("state", {}).items():
        close(config[name], value, 1e-12)


@named("cg", "lbfgs")
def test_batch_trajectory(case):
    opfunc, x, config = Counted(problem(case)), case["x0"].copy(), config_of(case)
    for call in range(case["n_calls"]):
        opfunc.calls = 0
        result, fs, evaluations = getattr(optim, case["class"])(opfunc, x, config)
        expected = case["f_history"][call]
        assert result is x
        close(x, case["x"][call], 1e-8)
        close(fs[: len(expected)], expected, 1e-8)
        # At the minimum only rounding says whether a line search got any lower.
        assert fs[len(expected) :] == pytest.approx(fs[len(expected) - 1 : -1], rel=1e-14)
        assert evaluations == opfunc.calls == case["evaluations"][call]
    for name, value in case.get("state", {}).items():
        assert config[name] == value


@named("cmaes")
def test_cmaes_trajectory(case):
    random.manualSeed(case["seed"])
    x = case["x0"].copy()
    opfunc = Counted(rosenbrock)
    best, fs, evaluations = optim.cmaes(opfunc, x, config_of(case))
    close(best, case["x"][0], 1e-8)
    close(fs, case["f_history"][0], 1e-8)
    assert evaluations + 1 == opfunc.calls == case["evaluations"][0]
    np.testing.assert_array_equal(x, case["x0"])


@named("de")
def test_de_reaches_torch7s_fitness(case):
    # Torch7 seeds a generator of its own with 1, and takes the worst point for the best.
    expected, x = case["f_history"][0], case["x0"].copy()
    config = config_of(case)
    random.manualSeed(1)
    _, fs = optim.de(problem(case), x, config)
    assert len(fs) == case["evaluations"][0]
    close(fs[1 : config["popsize"]], expected[1 : config["popsize"]], 1e-12)
    best, fs = optim.de(problem(case), x, {**config, "maxFEs": 600})
    assert problem(case)(best)[0] == min(fs) < expected.min()
    np.testing.assert_array_equal(x, case["x0"])


@named("FistaLS")
def test_fista(case):
    D, y, weight = case["D"], case["y"], case["lambda"]

    def f(x, mode=None):
        error = D @ x - y
        return (error @ error / 2, D.T @ error) if mode == "dx" else error @ error / 2

    def shrink(x, L):
        x[...] = np.sign(x) * np.maximum(np.abs(x) - weight / L, 0)

    config = {"doFistaUpdate": case["config"]["doFistaUpdate"] or False}
    x = case["x0"].copy()
    solution, history = optim.FistaLS(f, lambda x: weight * np.abs(x).sum(), shrink, x, config)
    assert solution is x
    close(solution, case["solution"], 1e-10)
    for name, expected in case["history"].items():
        close([row[name] for row in history], expected, 1e-10)
    assert config["L"] == history[-1]["L"]


@named("lswolfe")
def test_lswolfe(case):
    opfunc, x = Counted(problem(case)), case["x0"].copy()
    f, g, moved, t, evaluations = optim.lswolfe(
        opfunc, x, case["t"], case["d"], float(case["f0"]), case["g0"], float(case["gtd"])
    )
    assert moved is x
    assert evaluations == opfunc.calls == case["evaluations"]
    for got, name in ((f, "f"), (g, "g"), (x, "x"), (t, "t_out")):
        close(got, case[name], 1e-8)
    close(g, problem(case)(x)[1], 1e-12)


@named("polyinterp")
def test_polyinterp(case):
    close(optim.polyinterp(case["points"], case["xmin"], case["xmax"]), case["output"], 1e-12)


@named("checkgrad")
def test_checkgrad(case):
    x = case["x0"].copy()

    def opfunc(x):
        f, g = problem(case)(x)
        g[0] *= 1 + case["wrong"]
        return f, g

    difference, dC, dC_est = optim.checkgrad(opfunc, x, case["eps"])
    np.testing.assert_array_equal(x, case["x0"])
    assert difference == pytest.approx(float(case["diff"]), rel=1e-6, abs=1e-8)
    close(dC, case["dC"], 1e-12)
    close(dC_est, case["dC_est"], 1e-8)


def zero_based(value):
    """Classes count from one in the file; scores and one-hot rows stay what they are."""
    if isinstance(value, np.ndarray):
        is_class = value.ndim == 1 and (value == value.round()).all() and value.max() > 1
        return value.astype(int) - 1 if is_class else value
    return value - 1


@named("ConfusionMatrix")
def test_confusion_matrix(case):
    confusion = optim.ConfusionMatrix(*case["args"])
    for step in case["steps"]:
        getattr(confusion, step["method"])(
            zero_based(step["prediction"]), zero_based(step["target"])
        )
    assert str(confusion) == case["tostring"]
    np.testing.assert_array_equal(confusion.mat, case["mat"])
    for name in ("valids", "unionvalids", "averageValid", "averageUnionValid", "totalValid"):
        np.testing.assert_array_equal(getattr(confusion, name), case[name])
    assert confusion.valids.dtype == confusion.unionvalids.dtype == np.float32
    rates = confusion.farFrr()
    for got, name in zip(rates, ("classFrrs", "classFars", "frrs", "fars"), strict=True):
        close(got, case[name], 1e-15)


@named("Logger")
def test_logger(case, tmp_path):
    logger = optim.Logger(tmp_path / "made" / "it.log")
    for step in case["steps"]:
        getattr(logger, step["method"])(step["arg"])
    assert logger.path.read_bytes().decode() == case["text"]
