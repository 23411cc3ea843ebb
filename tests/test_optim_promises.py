"""What all optimizers promise, beyond Torch7's numbers."""

import copy
import io

import numpy as np
import pytest
from optimizers import ALL, METHODS, STATEFUL, STEPWISE, Counted, bowl, close, run

from torchlite import nn, optim, random
from torchlite.errors import ShapeError
from torchlite.kernels import blas
from torchlite.optim import _chunks

each = pytest.mark.parametrize(
    ("method", "config"), ALL, ids=[f"{method.__name__}-{i}" for i, (method, _) in enumerate(ALL)]
)
stepwise = pytest.mark.parametrize(
    ("method", "config"),
    STEPWISE,
    ids=[f"{method.__name__}-{i}" for i, (method, _) in enumerate(STEPWISE)],
)


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


@pytest.mark.parametrize("name", STATEFUL)
def test_the_state_holds_what_the_method_names(name):
    held = set()
    for method, config in STEPWISE:
        if method is getattr(optim, name):
            state = {}
            run(method, bowl, np.array([-1.0, 2.0, 0.5]), dict(config), 2, state)
            held |= state.keys()
    assert held == METHODS[name].state


@stepwise
def test_the_state_counts(method, config):
    state, opfunc = {}, Counted(bowl)
    run(method, opfunc, np.array([-1.0, 2.0, 0.5]), config, 3, state)
    counts = {"evalCounter": 3, "t": 3, "nIter": 6, "funcEval": opfunc.calls}
    if method is optim.lbfgs:
        del counts["t"]  # a step, there
    for name in state.keys() & counts.keys():
        assert state[name] == counts[name]


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
        with pytest.raises(ShapeError) as caught:
            method(bowl, x, dict(config))
        name = method.__name__
        assert str(caught.value) == f"{name}: x must be an array of 1 entry or more, got (0,)"
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


def test_rmsprop_begins_with_its_initialMean():
    x = np.array([0.0])
    config = {"learningRate": 1, "alpha": 0.75, "initialMean": 3, "epsilon": 1e-12}
    optim.rmsprop(lambda x: (0.0, np.array([2.0])), x, config)
    # The mean is 0.75 * 3 + 0.25 * 2**2.
    assert x[0] == pytest.approx(-2 / 3.25**0.5, rel=1e-9)
