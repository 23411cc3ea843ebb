"""Settings for parts of a network, and limits on gradients."""

import math

import numpy as np
import pytest
from optimizers import STATEFUL, bowl, run

from torchlite import nn, optim, random
from torchlite.errors import DTypeError, SettingError, StateError


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
    assert factors({"Linear.bias": 4, nn.Linear: 2}) == [2, 4, 2, 2, 4]
    assert factors({"[1]": 2, nn.Linear: 3, "Linear.weight": 4}) == [4, 3, 2, 2, 2]
    net.float()
    assert factors({"[1][2]": 7}) == [1, 1, 1, 7, 7]

    assert optim.per_parameter(nn.Linear(1, 2, False), {".weight": 5}).tolist() == [5, 5]

    with pytest.raises(StateError) as caught:
        optim.per_parameter(net, {"[0]": 1, "[7]": 2})
    assert str(caught.value) == (
        "per_parameter: '[7]' names no parameter of the network\n  hint: its parameters are "
        "[0].weight, [0].bias, [1][0].weight, [1][2].weight, [1][2].bias"
    )
    assert (caught.value.method, caught.value.argument) == ("per_parameter", "factors")
    with pytest.raises(DTypeError) as caught:
        optim.per_parameter(net, [0, 1])
    assert str(caught.value) == (
        'per_parameter: factors must be a dict, got list\n  hint: per_parameter(net, {"[0]": 0})'
    )
    with pytest.raises(DTypeError) as caught:
        optim.per_parameter(net, {0: 1})
    assert str(caught.value) == "per_parameter: a key must be text or a class, got 0"
    with pytest.raises(DTypeError) as caught:
        optim.per_parameter(net, {"[0]": None})
    assert str(caught.value) == "per_parameter: the factor of '[0]' must be a number, got None"
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


def test_per_parameter_of_a_weight_that_is_another_transposed():
    net = nn.Sequential(nn.Linear(2, 3, False), nn.Linear(3, 2, False))
    net[1].weight, net[1].gradWeight = net[0].weight.T, net[0].gradWeight.T
    assert optim.per_parameter(net, {nn.Linear: 2}).tolist() == [2] * 6


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
        norm = pytest.approx(5 * float(np.finfo(dtype).tiny), rel=1e-6, abs=0)
        assert optim.clip_by_norm(tiny, 5) == norm
        for length in (0.25, 1):
            assert optim.clip_by_norm(np.array([length, 0], dtype), 5) == length
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
