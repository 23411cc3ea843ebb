"""The optimizers against Torch7's own trajectories, and what they promise beyond them."""

import ast
import copy
import importlib
import inspect
import io
import math
import re
import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import golden
import numpy as np
import pytest
from optimizers import CONFIGURED, FIRST_ORDER, METHODS, STATEFUL, file_of, methods_in

from torchlite import nn, optim, random
from torchlite.datasets import digits, minibatches
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.kernels import blas
from torchlite.optim import _chunks

CASES = golden.cases("optim")
THIS = "tests/test_optim.py"


def rosenbrock(x):
    rise = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * rise
    gradient[:-1] -= 400 * x[:-1] * rise + 2 * (1 - x[:-1])
    return float((100 * rise**2 + (1 - x[:-1]) ** 2).sum()), gradient


def quadratic(A, b, x):
    return float(x @ A @ x / 2 - b @ x), A @ x - b


def problem(case):
    if case["problem"] == "rosenbrock":
        return rosenbrock
    return partial(quadratic, case["A"], case["b"])


class Counted:
    """A function that counts its calls and hands out its gradient in one read-only array."""

    def __init__(self, function):
        self.function, self.calls, self.gradient = function, 0, None

    def __call__(self, x):
        self.calls += 1
        f, gradient = self.function(x)
        if self.gradient is None or self.gradient.shape != gradient.shape:
            self.gradient = np.empty_like(gradient)
        self.gradient.flags.writeable = True
        self.gradient[...] = gradient
        self.gradient.flags.writeable = False
        return f, self.gradient


def close(got, expected, tolerance):
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * np.abs(expected).max())


# ---------------------------------------------------------------- Torch7's numbers


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


# ---------------------------------------------------------------- to the minimum


@pytest.mark.parametrize(
    ("method", "config", "calls", "lowest", "last"),
    [
        (optim.sgd, {"learningRate": 1e-3}, 10001, 1e-4, 1e-4),
        (optim.adagrad, {"learningRate": 1e-1}, 10001, 1e-6, 1e-2),
        (optim.rmsprop, {"learningRate": 5e-4}, 10001, 1e-4, 1e-4),
        (optim.adam, {"learningRate": 1e-2}, 10001, 1e-15, 5e-2),
        (optim.adamax, {"learningRate": 1e-2}, 10001, 1e-15, 1e-2),
        (optim.nag, {}, 10001, 1e-20, 1e-20),
        (optim.asgd, {"eta0": 1e-3, "lambda": 0}, 10001, 1e-4, 1e-4),
        (optim.rprop, {"niter": 1000}, 1, 1e-2, 1e-2),
        (optim.cg, {"maxIter": 50}, 1, 1e-6, 1e-6),
        (optim.lbfgs, {"maxIter": 100}, 1, 1e-9, 1e-9),
        (optim.lbfgs, {"maxIter": 100, "lineSearch": optim.lswolfe}, 1, 1e-12, 1e-12),
        (optim.cmaes, {"sigma": 0.5}, 1, 1e-11, 1e-11),
        (optim.de, {"popsize": 50, "maxFEs": 3000}, 1, 1e-15, 1e-15),
    ],
)
def test_rosenbrock(method, config, calls, lowest, last):
    """Near the minimum adagrad, adam and adamax leap away now and then, and come back.

    An ulp decides when. From 40 starts within 1e-12, the lowest value was at most 2.2e-8, 2.6e-17
    and 4.9e-17, and any of the last thousand at most 8.4e-5, 6.6e-3 and 1.3e-4.
    """
    random.manualSeed(1)
    x, seen = np.zeros(2), []
    for _ in range(calls):
        x, fs, *_ = method(rosenbrock, x, config)
        seen += fs
    assert rosenbrock(x)[0] < last
    assert min(seen) < lowest


# ---------------------------------------------------------------- on real data

# As one would set them for a small network on images; the rest are defaults.
FOR_DIGITS = {
    "sgd": {"learningRate": 0.1, "momentum": 0.9, "dampening": 0},
    "nag": {"learningRate": 0.05},
    "adagrad": {"learningRate": 0.05},
    "adadelta": {},
    "rmsprop": {"learningRate": 0.002},
    "adam": {"learningRate": 0.005},
    "adamax": {"learningRate": 0.01},
    "asgd": {"eta0": 0.5, "t0": 450},
    "rprop": {"stepsize": 0.003, "stepsizemax": 0.01},
}


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_first_order_methods_learn_to_read(name):
    """Each reads more than 94 of 100 digits that it never saw; of the seeds 0 to 9, over 96."""
    x_train, y_train, x_test, y_test = digits()
    random.manualSeed(0)
    net = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10), nn.LogSoftMax())
    criterion = nn.ClassNLLCriterion()
    parameters, gradParameters = net.getParameters()
    config, state = FOR_DIGITS[name], {}

    def step(x, y):
        def opfunc(_):
            net.zeroGradParameters()
            loss = criterion.forward(net.forward(x), y)
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradParameters

        return getattr(optim, name)(opfunc, parameters, config, state)

    # rprop goes by the signs of the gradient, which the noise of minibatches would change.
    size, epochs = (len(x_train), 80) if name == "rprop" else (32, 20)
    for _ in range(epochs):
        for x, y in minibatches(x_train, y_train, size):
            results = step(x, y)
    if name == "asgd":
        parameters[:] = results[2]
    assert (net.forward(x_test).argmax(axis=1) == y_test).mean() > 0.94


# ---------------------------------------------------------------- what all of them promise

# Each with settings that bring all of its formula into play.
STEPWISE = [
    (optim.sgd, {}),
    (optim.sgd, {"momentum": 0.9, "weightDecay": 0.1}),
    (optim.sgd, {"momentum": 0.9, "dampening": 0, "nesterov": True, "weightDecay": 0.1}),
    (optim.nag, {"weightDecay": 0.1, "learningRateDecay": 0.1}),
    (optim.adagrad, {"weightDecay": 0.1, "learningRateDecay": 0.1}),
    (optim.adadelta, {"weightDecay": 0.1}),
    (optim.rmsprop, {"weightDecay": 0.1, "initialMean": 0.5}),
    (optim.adam, {"weightDecay": 0.1, "learningRateDecay": 0.1}),
    (optim.adamax, {"weightDecay": 0.1}),
    (optim.asgd, {"eta0": 0.1, "lambda": 0.1, "t0": 2}),
    (optim.rprop, {"niter": 2}),
    (optim.lbfgs, {"maxIter": 2, "nCorrection": 3}),
    (optim.lbfgs, {"maxIter": 2, "lineSearch": optim.lswolfe}),
]
ALL = [
    *STEPWISE,
    (optim.cg, {"maxIter": 5}),
    (optim.cmaes, {"sigma": 0.5, "maxEval": 20}),
    (optim.de, {"popsize": 3, "maxFEs": 20}),
]
each = pytest.mark.parametrize(
    ("method", "config"), ALL, ids=[f"{method.__name__}-{i}" for i, (method, _) in enumerate(ALL)]
)
stepwise = pytest.mark.parametrize(
    ("method", "config"),
    STEPWISE,
    ids=[f"{method.__name__}-{i}" for i, (method, _) in enumerate(STEPWISE)],
)


def bowl(x):
    """A different curvature for each entry, whatever the shape of x."""
    scale = np.arange(1, x.size + 1, dtype=x.dtype).reshape(x.shape)
    return float((scale * (x - 1) ** 2).sum()) / 2, scale * (x - 1)


def run(method, opfunc, x, config, calls, state=None):
    random.manualSeed(5)
    results = [method(opfunc, x, config, state) for _ in range(calls)]
    return [list(map(float, fs)) for _, fs, *_ in results], results[-1][0]


@stepwise
@pytest.mark.parametrize("apart", [False, True], ids=["one dict", "two dicts"])
def test_continues_from_a_copy_of_its_state(method, config, apart):
    def start():
        mine = dict(config)
        return np.array([-1.0, 2.0, 0.5, 3.0]), mine, {} if apart else None

    x, mine, state = start()
    whole, end = run(method, bowl, x, mine, 9, state)
    x, mine, state = start()
    first, x = run(method, bowl, x, mine, 4, state)
    saved = copy.deepcopy(mine if state is None else state)
    kept = {key: value for key, value in saved.items() if key not in config}
    assert all(type(value) in (int, float, np.ndarray) for value in kept.values())
    file = io.BytesIO()
    np.savez(file, **kept)
    file.seek(0)
    loaded = {key: value if value.ndim else value.item() for key, value in np.load(file).items()}
    state = loaded if apart else None
    rest, continued = run(
        method, bowl, x.copy(), dict(config) if apart else {**config, **loaded}, 5, state
    )
    assert first + rest == whole
    np.testing.assert_array_equal(continued, end)
    if apart:
        assert mine == config


@each
def test_the_gradient_is_the_callers(method, config):
    x = np.array([-1.0, 2.0, 0.5])
    run(method, Counted(bowl), x, dict(config), 3)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_layout(method, config, dtype):
    start = np.linspace(-1, 2, 6).astype(dtype)
    flat = start.copy()
    expected, end = run(method, bowl, flat, dict(config), 4)
    assert end.dtype == dtype
    square = start.reshape(2, 3).copy()
    strided = np.zeros((2, 6), dtype)[:, ::2]
    fortran = np.zeros((2, 3), dtype, order="F")
    strided[...] = fortran[...] = square
    for x in (square, strided, fortran):
        mine = dict(config)
        fs, got = run(method, bowl, x, mine, 4)
        close(got.reshape(-1), end, 1e-12 if dtype == np.float64 else 2e-5)
        close(np.concatenate(fs), np.concatenate(expected), 1e-12 if dtype == np.float64 else 1e-4)
        assert got.shape == (2, 3)
        assert got.dtype == dtype
        arrays = [v for k, v in mine.items() if isinstance(v, np.ndarray) and k != "ro"]
        assert all(array.dtype == dtype for array in arrays)
        if method in (optim.cmaes, optim.de):
            np.testing.assert_array_equal(x, start.reshape(2, 3))
        else:
            assert got is x


@each
def test_with_and_without_scipy(method, config):
    pytest.importorskip("scipy")
    ends = []
    for backend in ("scipy", "numpy"):
        with blas.using(backend):
            ends.append(run(method, bowl, np.array([-1.0, 2.0, 0.5]), dict(config), 4)[1])
    close(*ends, 1e-12)


@pytest.mark.parametrize(
    ("method", "config"), [row for row in STEPWISE if row[0] is not optim.lbfgs]
)
def test_pieces_are_the_whole(method, config, monkeypatch):
    whole = np.linspace(-1, 2, 1003).reshape(17, 59)
    pieces, in_one = whole.copy(), whole.copy(order="F")
    rates = {"learningRates": whole % 0.3} if method in (optim.sgd, optim.nag) else {}
    run(method, bowl, whole, {**config, **rates}, 3)
    monkeypatch.setattr(_chunks, "_BYTES", 100 * 8)
    for x in (pieces, in_one):
        run(method, bowl, x, {**config, **rates}, 3)
        close(x, whole, 1e-14)


@each
def test_empty_x(method, config):
    x = np.zeros(0)
    if method in (optim.cmaes, optim.de):
        with pytest.raises(ShapeError, match="x must be an array of 1 entry or more"):
            method(bowl, x, dict(config))
    else:
        assert method(bowl, x, dict(config))[1][0] == 0


class Broken(Exception):
    pass


@each
def test_an_opfunc_that_raises_changes_nothing(method, config):
    def broken(x):
        raise Broken

    x, mine = np.array([-1.0, 2.0, 0.5]), dict(config)
    run(method, bowl, x, mine, 2)
    before, state = x.copy(), copy.deepcopy(mine)
    with pytest.raises(Broken):
        method(broken, x, mine)
    # nag takes a step back, which rounds.
    close(x, before, 1e-15 if method is optim.nag else 0)
    assert mine.keys() == state.keys()
    assert all(np.array_equal(mine[key], state[key]) for key in state)


@pytest.mark.parametrize("method", [optim.cmaes, optim.de])
def test_searchers_judge_the_network_that_lives_in_x(method):
    """An opfunc may ignore its argument; x is restored even when it raises."""
    net, criterion = nn.Linear(1, 1), nn.MSECriterion()
    parameters, _ = net.getParameters()
    parameters[:] = 0.5
    x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
    config = {"sigma": 1} if method is optim.cmaes else {"minRegion": -5, "maxRegion": 5}
    random.manualSeed(3)
    best, fs, *_ = method(lambda _: criterion.forward(net.forward(x), y), parameters, config)
    assert min(fs) < 1e-8
    np.testing.assert_array_equal(parameters, [0.5, 0.5])
    np.testing.assert_allclose(best, [2, 1], atol=1e-3)

    def broken(point):
        if not np.array_equal(point, [0.5, 0.5]):
            raise Broken
        return 0.0

    with pytest.raises(Broken):
        method(broken, parameters, config)
    np.testing.assert_array_equal(parameters, [0.5, 0.5])


def test_a_learning_rate_of_zero_freezes():
    for method, extra in (
        (optim.sgd, {"momentum": 0.5, "weightDecay": 0.1}),
        (optim.nag, {"weightDecay": 0.1}),
    ):
        x = np.array([3.0, 3.0, 3.0])
        run(method, bowl, x, {**extra, "learningRates": np.array([0.0, 1.0, 2.0])}, 5)
        assert x[0] == 3.0
        assert x[2] < x[1] < 3


# ---------------------------------------------------------------- what is refused

PAIR = "(f(x), df/dx)"
X = np.ones(2)


def refused(method, opfunc, x, *arguments):
    before = copy.deepcopy((x, arguments))
    with pytest.raises((DTypeError, ShapeError, StateError, SettingError)) as caught:
        method(opfunc, x, *arguments)
    np.testing.assert_equal((x, arguments), before)
    return caught.value


@pytest.mark.parametrize(
    ("method", "config", "kind", "message"),
    [
        (
            optim.sgd, {"learningrate": 1}, SettingError,
            "sgd: a key of config must be one of learningRate, learningRateDecay, weightDecay, "
            "weightDecays, momentum, dampening, nesterov, learningRates, got 'learningrate'",
        ),
        (optim.adam, {"momentum": 0.9}, SettingError, None),
        (optim.adam, {1: 2}, SettingError, None),
        (
            optim.sgd, {"learningRate": "0.1"}, DTypeError,
            "sgd: learningRate must be a finite number of at least 0, got '0.1'",
        ),
        (
            optim.sgd, {"learningRate": True}, DTypeError,
            "sgd: learningRate must be a finite number of at least 0, got True",
        ),
        (
            optim.adam, {"learningRate": math.nan}, SettingError,
            "adam: learningRate must be a finite number of at least 0, got nan",
        ),
        (optim.adam, {"learningRate": -math.inf}, SettingError, None),
        (
            optim.adam, {"learningRate": np.ones(2)}, DTypeError,
            "adam: learningRate must be a finite number of at least 0, got float64 (2,)",
        ),
        (
            optim.adam, {"beta1": 1}, SettingError,
            "adam: beta1 must be at least 0 and less than 1, got 1",
        ),
        (optim.rmsprop, {"alpha": -0.1}, SettingError, None),
        (optim.adam, {"epsilon": 0}, SettingError, None),
        (optim.adagrad, {"learningRateDecay": -1}, SettingError, None),
        (
            optim.nag, {"momentum": 0}, SettingError,
            "nag: momentum must be a finite number greater than 0, got 0",
        ),
        (
            optim.sgd, {"nesterov": True}, SettingError,
            "sgd: momentum must be greater than 0 with nesterov, got 0",
        ),
        (
            optim.sgd, {"nesterov": True, "momentum": 0.9}, SettingError,
            "sgd: dampening must be 0 with nesterov, got 0.9\n"
            "  hint: dampening is the momentum where config does not have it",
        ),
        (optim.sgd, {"nesterov": 1}, DTypeError, "sgd: nesterov must be True or False, got 1"),
        (
            optim.sgd, {"weightDecay": 1, "weightDecays": np.ones(2)}, SettingError,
            "sgd: weightDecay must be 0 beside weightDecays, got 1",
        ),
        (
            optim.sgd, {"learningRates": np.ones(3)}, ShapeError,
            "sgd: learningRates must be (2,) like x, got (3,)",
        ),
        (
            optim.sgd, {"learningRates": np.ones(2, np.float32)}, DTypeError,
            "sgd: learningRates must be float64 like x, got float32",
        ),
        (
            optim.sgd, {"learningRates": [1, 1]}, DTypeError,
            "sgd: learningRates must be an array like x, got list\n  hint: np.array(learningRates)",
        ),
        (optim.sgd, [], DTypeError, "sgd: config must be a dict, got list"),
        (
            optim.rprop, {"niter": 0}, SettingError,
            "rprop: niter must be a whole number of at least 1, got 0",
        ),
        (optim.rprop, {"niter": 1.0}, DTypeError, None),
        (
            optim.rprop, {"stepsizemin": 100}, SettingError,
            "rprop: stepsizemin must be at most stepsizemax = 50, got 100",
        ),
        (
            optim.lbfgs, {"lineSearch": "lswolfe"}, DTypeError,
            "lbfgs: lineSearch must be a function such as optim.lswolfe, got 'lswolfe'",
        ),
        (
            optim.cmaes, {}, SettingError,
            "cmaes: sigma must be a finite number greater than 0, got nothing\n"
            '  hint: {"sigma": 1.0} is the standard deviation to search with at first',
        ),
        (
            optim.de, {"minRegion": 30}, SettingError,
            "de: minRegion must be less than maxRegion = 30, got 30",
        ),
        (optim.de, {"popsize": 2}, SettingError, None),
        (
            optim.de, {"crossoverRate": 1.1}, SettingError,
            "de: crossoverRate must be from 0 to 1, got 1.1",
        ),
        (
            optim.de, {"maxFEs": 10}, SettingError,
            "de: maxFEs must be at least popsize = 20, got 10",
        ),
    ],
)  # fmt: skip
def test_refused_configs(method, config, kind, message):
    error = refused(method, rosenbrock, X.copy(), config)
    assert type(error) is kind
    assert message is None or str(error) == message


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        ([1.0], DTypeError, "adam: x must be a float32 or float64 NumPy array, got list\n"
            "  hint: np.array(x, dtype='float64')"),
        (
            np.ones(2, int), DTypeError,
            "adam: x must be a float32 or float64 NumPy array, got int64 (2,)\n"
            "  hint: x.astype('float64')",
        ),
        (np.ones(2, complex), DTypeError, None),
        (np.ones(2, ">f8"), DTypeError, None),
        (
            np.broadcast_to(1.0, 2), SettingError,
            "adam: x must be writeable, got a read-only array",
        ),
    ],
)  # fmt: skip
def test_refused_x(x, kind, message):
    error = refused(optim.adam, rosenbrock, x)
    assert type(error) is kind
    assert message is None or str(error) == message


@pytest.mark.parametrize(
    ("result", "kind", "message"),
    [
        (1.0, DTypeError, f"adam: what opfunc returns must be {PAIR}, got 1.0"),
        ([1.0, X], DTypeError, f"adam: what opfunc returns must be {PAIR}, got list"),
        (None, DTypeError, f"adam: what opfunc returns must be {PAIR}, got NoneType"),
        ((1.0, 2.0), DTypeError, "adam: df/dx must be an array like x, got 2.0"),
        ((1.0, np.ones((2, 1))), ShapeError, "adam: df/dx must be (2,) like x, got (2, 1)"),
        (
            (1.0, np.ones(2, np.float32)), DTypeError,
            "adam: df/dx must be float64 like x, got float32",
        ),
        ((None, X), DTypeError, "adam: f(x) must be a number, got NoneType"),
        ((np.ones(1), X), DTypeError, "adam: f(x) must be a number, got float64 (1,)"),
    ],
)  # fmt: skip
def test_refused_results(result, kind, message):
    error = refused(optim.adam, lambda x: result, X.copy(), {"learningRate": 1}, {})
    assert type(error) is kind
    assert str(error) == message
    assert error.method == "adam"
    assert error.got is not None


def test_a_state_of_another_x_is_refused():
    state = {}
    optim.adam(bowl, np.ones(3), {}, state)
    error = refused(optim.adam, bowl, np.ones(2), {}, state)
    assert str(error) == (
        "adam: state['m'] must be float64 (2,), got float64 (3,)\n"
        "  hint: a state belongs to one x and one config: start with an empty dict"
    )
    assert isinstance(error, StateError)
    assert isinstance(refused(optim.adam, bowl, np.ones(3, np.float32), {}, state), StateError)
    assert str(refused(optim.adam, bowl, np.ones(2), {}, [])) == (
        "adam: state must be a dict, got list"
    )


def test_none_underscores_and_numpy_scalars_are_accepted():
    x = np.ones(2, np.float32)
    config = {"learningRate": np.float64(0.5), "beta1": None, "_note": "mine", "epsilon": 1e-3}
    x, fs = optim.adam(lambda x: (np.float32(x @ x), x), x, config)
    assert x.dtype == np.float32
    assert type(fs[0]) is float
    assert optim.sgd(bowl, np.ones(2))[1] == optim.sgd(bowl, np.ones(2), None, {})[1]


# ---------------------------------------------------------------- line searches and the rest


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
    # The place and the scale of the points do not matter.
    far = through(lambda x: (x - 1e-7) ** 2, lambda x: 2 * (x - 1e-7), 0.0, 1e-9)
    assert optim.polyinterp(far, 1e-9, 1e-6) == pytest.approx(1e-7)
    with pytest.raises(ShapeError, match=r"polyinterp: points must be \(N, 3\), got \(2,\)"):
        optim.polyinterp([1, 2])


def test_checkgrad_is_exact_about_x():
    x = np.array([[0.1, 0.2], [0.3, 0.7]], np.float32)
    before = x.copy()
    difference, dC, _ = optim.checkgrad(bowl, x)
    assert difference < 1e-3
    assert dC.dtype == np.float32
    np.testing.assert_array_equal(x, before)
    assert optim.checkgrad(lambda x: (1.0, np.zeros_like(x)), np.ones(3))[0] == 0
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


@pytest.mark.parametrize(
    ("opfunc", "reason"),
    [
        (lambda x: float(x @ x), "ftarget"),
        (lambda x: 1.0, "tolfun"),
        (lambda x: 1e6 * float(np.abs(x).sum()), "tolx"),
        (lambda x: float(1e16 * x[0] ** 2 + x[1]), "condition"),
    ],
)
def test_cmaes_ends(opfunc, reason):
    random.manualSeed(1)
    config = {"sigma": 1, "maxEval": 1e4, "ftarget": 1e-6, "verb_disp": 1000}
    with redirect_stdout(io.StringIO()) as printed:
        optim.cmaes(opfunc, np.ones(2), config)
    assert f"termination by {reason}\n" in printed.getvalue()


# ---------------------------------------------------------------- parts and limits


def test_per_parameter():
    net = nn.Sequential(
        nn.Linear(1, 2), nn.Sequential(nn.Linear(2, 1, False), nn.ReLU(), nn.Linear(1, 1))
    )
    sizes = [2, 2, 2, 1, 1]

    def factors(*arguments, **keywords):
        vector = optim.per_parameter(net, *arguments, **keywords)
        assert vector.shape == net.getParameters()[0].shape
        assert vector.dtype == net.type()
        starts = np.cumsum([0, *sizes[:-1]])
        np.testing.assert_array_equal(vector, vector[starts].repeat(sizes))
        return vector[starts].tolist()

    assert factors({}) == [1, 1, 1, 1, 1]
    assert factors({}, default=0) == [0, 0, 0, 0, 0]
    assert factors({"[0]": 2, "[1][2].bias": 3}) == [2, 2, 1, 1, 3]
    assert factors({"[1]": 2, "[1][0]": 3, "[1].bias": 4}) == [1, 1, 3, 2, 4]
    assert factors({".bias": 0, "": 5}) == [5, 0, 5, 5, 0]
    assert factors({nn.Linear: 2, nn.Module: 3, "Linear.bias": 4}) == [2, 4, 2, 2, 4]
    assert factors({"Sequential": 2, "[0].weight": 3}) == [3, 2, 2, 2, 2]
    net.float()
    assert factors({"[1][2]": 7}) == [1, 1, 1, 7, 7]

    with pytest.raises(StateError) as caught:
        optim.per_parameter(net, {"[0]": 1, "[7]": 2})
    assert str(caught.value) == (
        "per_parameter: '[7]' names no parameter of the network\n  hint: its parameters are "
        "[0].weight, [0].bias, [1][0].weight, [1][2].weight, [1][2].bias"
    )
    with pytest.raises(DTypeError) as caught:
        optim.per_parameter(net, [0, 1])
    assert str(caught.value) == (
        'per_parameter: factors must be a dict, got list\n  hint: per_parameter(net, {"[0]": 0})'
    )
    with pytest.raises(DTypeError, match="a key must be text or a class, got 0"):
        optim.per_parameter(net, {0: 1})
    with pytest.raises(DTypeError, match=r"the factor of '\[0\]' must be a number, got None"):
        optim.per_parameter(net, {"[0]": None})
    assert optim.per_parameter(nn.ReLU(), {}).shape == (0,)


def test_per_parameter_counts_shared_parameters_once():
    first = nn.Linear(2, 2)
    net = nn.Sequential(first, nn.ReLU(), first.clone("weight", "bias", "gradWeight", "gradBias"))
    for factors, expected in (
        ({"[0]": 2}, 2),
        ({"[2]": 3}, 3),
        ({"[0]": 2, "[2]": 3}, 3),
        ({"[2]": 3, "[0]": 2}, 2),
    ):
        assert optim.per_parameter(net, factors).tolist() == [expected] * 6


# asgd also shrinks x.
@pytest.mark.parametrize("name", [name for name in STATEFUL if name != "asgd"])
def test_a_gradient_of_zero_freezes(name):
    frozen = np.array([0.0, 1.0, 1.0])

    def opfunc(x):
        f, gradient = bowl(x)
        return f, gradient * frozen

    x = np.array([3.0, 3.0, 3.0])
    run(getattr(optim, name), opfunc, x, {}, 3)
    assert x[0] == 3
    assert (x[1:] != 3).all()


def test_a_frozen_part_stays():
    random.manualSeed(1)
    net, criterion = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), nn.MSECriterion()
    parameters, gradParameters = net.getParameters()
    x, y = random.normal(size=(8, 2)), random.normal(size=(8, 1))

    def opfunc(_):
        net.zeroGradParameters()
        loss = criterion.forward(net.forward(x), y)
        net.backward(x, criterion.backward(net.output, y))
        optim.clip_by_norm(gradParameters, 1)
        return loss, gradParameters

    before = parameters.copy()
    config = {"learningRates": optim.per_parameter(net, {"[0]": 0}), "momentum": 0.9}
    for _ in range(5):
        optim.sgd(opfunc, parameters, config)
    moved = parameters != before
    assert not moved[:9].any()
    assert moved[9:].any()


def test_clipping():
    for dtype in (np.float32, np.float64):
        gradient = np.array([3, 4], dtype)
        assert optim.clip_by_norm(gradient, 5) == 5
        assert gradient.tolist() == [3, 4]
        assert optim.clip_by_norm(gradient, 2.5) == 5
        assert gradient.tolist() == [1.5, 2]
        assert gradient.dtype == dtype
        huge = np.array([3, 4], dtype) * dtype(np.finfo(dtype).max / 10)
        assert optim.clip_by_norm(huge, 5) == pytest.approx(np.finfo(dtype).max / 2)
        np.testing.assert_allclose(huge, [3, 4], rtol=1e-6)
        tiny = np.array([3, 4], dtype) * dtype(np.finfo(dtype).tiny)
        assert optim.clip_by_norm(tiny, 5) == pytest.approx(5 * float(np.finfo(dtype).tiny))
    many = np.ones(300_000)
    assert optim.clip_by_norm(many, 1) == pytest.approx(300_000**0.5)
    bad = np.array([1.0, math.inf, -math.inf])
    assert optim.clip_by_norm(bad, 1) == math.inf
    assert optim.clip_by_value(bad, 0.5) == math.inf
    assert bad.tolist() == [0.5, 0.5, -0.5]
    missing = np.array([1.0, math.nan])
    assert math.isnan(optim.clip_by_norm(missing, 0.1))
    assert missing[0] == 1
    assert optim.clip_by_norm(np.zeros(0), 1) == 0
    with pytest.raises(SettingError, match="clip_by_norm: max_norm must be a finite number"):
        optim.clip_by_norm(many, 0)
    with pytest.raises(DTypeError, match="clip_by_value: limit must be a finite number"):
        optim.clip_by_value(many, None)
    for clip in (optim.clip_by_norm, optim.clip_by_value):
        with pytest.raises(DTypeError, match="gradParameters must be a float32 or float64 NumPy"):
            clip([1.0], 1)
        with pytest.raises(SettingError, match="gradParameters must be writeable"):
            clip(np.broadcast_to(1.0, 2), 1)


# ---------------------------------------------------------------- ConfusionMatrix


def test_confusion_counts_alike_one_by_one_and_in_batches():
    rng = np.random.RandomState(1)
    scores, targets = rng.uniform(size=(50, 4)), rng.randint(-1, 4, 50)
    batch, single, column = (optim.ConfusionMatrix(4) for _ in range(3))
    batch.batchAdd(scores, targets)
    column.batchAdd(scores.argmax(1)[:, None], targets[:, None])
    for row, target in zip(scores, targets, strict=True):
        single.add(row, target)
    np.testing.assert_array_equal(batch.mat, single.mat)
    np.testing.assert_array_equal(batch.mat, column.mat)
    assert batch.mat.sum() == (targets >= 0).sum() < 50


def test_the_shares_of_a_confusion_matrix_are_always_those_of_its_counts():
    confusion = optim.ConfusionMatrix(2)
    confusion.add(1, 0)
    assert confusion.totalValid == confusion.averageValid == confusion.averageUnionValid == 0
    confusion.batchAdd(np.array([0, 1, 1]), np.array([0, 1, 1]))
    for _ in range(2):
        assert confusion.totalValid == 0.75
        assert confusion.valids.tolist() == [0.5, 1]
        assert confusion.averageValid == 0.75
        assert confusion.unionvalids.tolist() == [0.5, np.float32(2 / 3)]
        assert confusion.averageUnionValid == pytest.approx(7 / 12)
        assert confusion.updateValids() is None


def test_confusion_without_samples():
    confusion = optim.ConfusionMatrix(2)
    assert math.isnan(confusion.totalValid)
    assert math.isnan(confusion.averageValid)
    confusion.add(1, 0)
    text = str(confusion)
    assert text.splitlines()[1:3] == [
        "[[       0       1]   0.000% ",
        " [       0       0]]  nan% ",
    ]
    assert confusion.averageValid == 0
    assert confusion.farFrr()[0].tolist() == [1, -1]
    assert confusion.zero() is confusion
    assert not confusion.mat.any()
    assert math.isnan(confusion.totalValid)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda c: c.add(0, 3), SettingError,
            "ConfusionMatrix: a target must be from 0 to 2 or -1, got 3",
        ),
        (lambda c: c.add(0, -2), SettingError, None),
        (
            lambda c: c.add(-1, 0), SettingError,
            "ConfusionMatrix: a prediction must be from 0 to 2, got -1",
        ),
        (
            lambda c: c.add(0, 1.0), DTypeError,
            "ConfusionMatrix: target must be a whole number, got 1.0",
        ),
        (
            lambda c: c.add(np.ones(2), 1), ShapeError,
            "ConfusionMatrix: prediction must be a class or (3,), got (2,)",
        ),
        (
            lambda c: c.batchAdd(np.ones((2, 3)), np.zeros(3, int)), ShapeError,
            "ConfusionMatrix: targets must be 2 long, got 3",
        ),
        (
            lambda c: c.batchAdd(np.ones((2, 4)), np.zeros(2, int)), ShapeError,
            "ConfusionMatrix: predictions must be (N,), (N, 1) or (N, 3), got (2, 4)",
        ),
        (
            lambda c: c.batchAdd(np.ones((2, 3)), np.zeros(2)), DTypeError,
            "ConfusionMatrix: targets must be whole numbers, got float64",
        ),
        (lambda c: c.batchAdd([0], np.zeros(1, int)), DTypeError, None),
        (
            lambda c: c.batchAdd(np.array([0, 5]), np.array([0, 1])), SettingError,
            "ConfusionMatrix: a prediction must be from 0 to 2, got 5",
        ),
        (
            lambda c: optim.ConfusionMatrix(2, ["a"]), ShapeError,
            "ConfusionMatrix: classes must be 2 names, got 1",
        ),
        (
            lambda c: optim.ConfusionMatrix(0), SettingError,
            "ConfusionMatrix: nclasses must be at least 1, got 0",
        ),
        (lambda c: optim.ConfusionMatrix(2.5), DTypeError, None),
    ],
)  # fmt: skip
def test_confusion_refuses(call, kind, message):
    confusion = optim.ConfusionMatrix(3)
    with pytest.raises((DTypeError, ShapeError, SettingError)) as caught:
        call(confusion)
    assert type(caught.value) is kind
    assert message is None or str(caught.value) == message
    assert not confusion.mat.any()


# ---------------------------------------------------------------- Logger


def test_logger_takes_dicts(tmp_path):
    logger = optim.Logger(tmp_path / "a.log")
    logger.add({"loss": 0.5, "epoch": 1})
    logger.add({"epoch": 2, "loss": np.float32(0.25)})
    assert logger.path.read_text() == (
        "loss\tepoch\t\n 5.0000e-01\t 1.0000e+00\t\n 2.5000e-01\t 2.0000e+00\t\n"
    )
    assert logger.symbols == {"loss": [0.5, 0.25], "epoch": [1, 2]}
    assert logger.names == ["loss", "epoch"]


def test_logger_with_the_time_in_its_name(tmp_path):
    logger = optim.Logger(tmp_path / "a.log", timestamp=True)
    assert re.fullmatch(r"a\.log-\d{4}(_\d\d){3}(-\d\d){2}", logger.path.name)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda log: log.setNames(["x"]), StateError,
            "Logger.setNames: the columns have names already: a, b",
        ),
        (lambda log: log.add([1]), ShapeError, "Logger.add: values must be 2 entries, got 1"),
        (
            lambda log: log.add({"a": 1}), ShapeError,
            "Logger.add: values must be for ['a', 'b'], got ['a']",
        ),
        (
            lambda log: log.add([1, None]), DTypeError,
            "Logger.add: values must be numbers or strings, got None",
        ),
        (lambda log: log.add(1), DTypeError, "Logger.add: values must be a list or a dict, got 1"),
        (
            lambda log: log.style({"c": "-"}), SettingError,
            "Logger.style: names must be the name of a column (a, b), got 'c'",
        ),
        (
            lambda log: log.style("-"), DTypeError,
            "Logger.style: styles must be a list or a dict, got '-'",
        ),
        (
            lambda log: log.style(["-", "-", "-"]), ShapeError,
            "Logger.style: styles must be 2 entries or fewer, got 3",
        ),
        (lambda log: log.plot("c"), SettingError, None),
        (
            lambda log: log.plot(), StateError,
            "Logger.plot: there are no numbers to draw yet",
        ),
        (lambda log: optim.Logger().setNames("ab"), DTypeError, None),
        (lambda log: optim.Logger().setNames(["a", "a"]), ShapeError, None),
    ],
)  # fmt: skip
def test_logger_refuses(call, kind, message, tmp_path):
    logger = optim.Logger(tmp_path / "a.log").setNames(["a", "b"])
    before = logger.path.read_text()
    with pytest.raises((DTypeError, ShapeError, StateError, SettingError)) as caught:
        call(logger)
    assert type(caught.value) is kind
    assert message is None or str(caught.value) == message
    assert logger.path.read_text() == before


def test_logger_plots(tmp_path):
    pytest.importorskip("matplotlib")
    logger = optim.Logger(tmp_path / "a.log").setNames(["loss", "accuracy", "note"])
    logger.style(["-", "+-"]).style({"accuracy": "."}).setlogscale()
    for epoch in range(1, 4):
        logger.add([1 / epoch, epoch, "text"])
    (axes,) = logger.plot().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "accuracy"]
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert axes.lines[0].get_ydata().tolist() == [1, 1 / 2, 1 / 3]
    assert [line.get_marker() for line in axes.lines] == ["None", "."]
    assert axes.get_xgridlines()[0].get_visible()
    assert (axes.get_title(), axes.get_xlabel(), axes.get_yscale()) == ("a.log", "row", "log")
    assert (tmp_path / "a.log.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = logger.setlogscale(False).plot("accuracy").axes
    assert [line.get_label() for line in axes.lines] == ["accuracy"]
    assert axes.get_yscale() == "linear"


def test_logger_plots_as_it_is_told(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    for logger in (optim.Logger(tmp_path / "a.log"), optim.Logger()):
        logger.add([1, 2])
        file = tmp_path / "curve.svg"
        (axes,) = logger.plot(file=file, title="all", xlabel="epoch", ylim=(0, 7)).axes
        assert (axes.get_title(), axes.get_xlabel(), axes.get_ylim()) == ("all", "epoch", (0, 7))
        assert "<svg" in file.read_text()
        file.unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_logger_without_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    logger = optim.Logger()
    logger.add([1, 2])
    assert capsys.readouterr().out == "1\t2\t\n 1.0000e+00\t 2.0000e+00\t\n"
    pytest.importorskip("matplotlib")
    assert len(logger.plot().axes[0].lines) == 2
    assert list(tmp_path.iterdir()) == []


def test_logger_asks_for_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    logger = optim.Logger()
    logger.add([1.0])
    with pytest.raises(ImportError, match=r"Logger\.plot needs matplotlib: pip install"):
        logger.plot()


# ---------------------------------------------------------------- the documentation


def documented(name, heading):
    """Return, of an optimizer's docstring, the section under a heading."""
    section = rf"^{heading}\n-+\n(.*?)\n\n\w+\n---"
    doc = inspect.getdoc(getattr(optim, name)) + "\n\nEnd\n---"
    found = re.search(section, doc, re.DOTALL | re.MULTILINE)
    assert found, f"add {heading} to the docstring of {name}"
    return found[1]


@pytest.mark.parametrize("name", CONFIGURED)
def test_the_docs_list_the_config(name):
    listed = dict(re.findall(r"^(\w+)(?: : (.*))?$", documented(name, "Config"), re.MULTILINE))
    keys = METHODS[name].keys
    assert list(listed) == list(keys), f"list the keys of the Method in the Config of {name}"
    for key, text in listed.items():
        default = keys[key].default
        assert text == "" if key == "sigma" else text
        try:
            said = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            said = None  # a formula, or nothing
        assert said == default, f"give the default of {key} of {name}, {default}, in its Config"


@pytest.mark.parametrize("name", STATEFUL)
def test_the_docs_list_the_state(name):
    missing = METHODS[name].state - set(re.findall(r"\w+", documented(name, "State")))
    assert not missing, f"say what {', '.join(sorted(missing))} is in the State of {name}"


@pytest.mark.parametrize("name", optim.__all__)
def test_no_name_is_left_over_from_a_copy(name):
    file, called = file_of(name), f"_{name.upper()}"
    stem, methods = file.__name__.rpartition(".")[2], methods_in(file)
    assert not methods or called in methods or stem.startswith("_"), (
        f"call the Method of {name} {called}, not {', '.join(methods)}"
    )
    for key, method in methods.items():
        assert key == f"_{method.name.upper()}", f'name it Method("{name}", ...), as its function'
    example = documented(name, "Example")
    assert re.search(rf"\b{name}\(", example), f"call {name} in the Example of {name}"
    lua = re.findall(r"optim/(\w+)\.lua", inspect.getdoc(getattr(optim, name)))
    fits = not lua or lua[0].lower() == stem.replace("_", "")
    assert fits, f"name the source of {name} in its Reference"


def test_every_optimizer_is_exported():
    assert optim.__all__ == sorted(optim.__all__)
    for path in Path(optim.__file__).parent.glob("[!_]*.py"):
        file = importlib.import_module(f"torchlite.optim.{path.stem}")
        assert any(vars(file)[name] is vars(optim).get(name) for name in file.__all__), (
            f"export {file.__all__[0]} of torchlite/optim/{path.name} in "
            "torchlite/optim/__init__.py"
        )


def test_every_optimizer_has_settings_for_the_tests_of_all():
    for name in STATEFUL:
        assert getattr(optim, name) in dict(STEPWISE), f"add {name} to STEPWISE in {THIS}"
    for name in FIRST_ORDER:
        assert name in FOR_DIGITS, f"add {name} to FOR_DIGITS in {THIS}"
