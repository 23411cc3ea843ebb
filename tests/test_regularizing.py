"""Limits for norms, decay and momentum, as methods of modules."""

import numpy as np
import pytest

from torchlite import nn, serial
from torchlite.errors import DTypeError, SettingError
from torchlite.kernels import norms


def filled(*values):
    """Return a Sequential of layers without bias whose gradients hold one number each."""
    net = nn.Sequential(*(nn.LinearNoBias(2, 2) for _ in values))
    for layer, value in zip(net, values, strict=True):
        layer.gradWeight[:] = value
        layer.weight[:] = 10 * value
    return net


def twice(value):
    """Return a network in which one layer's arrays stand in two places."""
    net = filled(value)
    return net.add(net[0].clone("weight", "gradWeight"))


def gradients(net):
    return [layer.gradWeight[0, 0].item() for layer in net]


# ---------------------------------------------------------------- gradParamClip


def test_gradients_are_shortened_together_or_layer_by_layer():
    net = filled(3, 4)
    assert net.gradParamClip(5) == 10
    assert gradients(net) == [1.5, 2]
    assert net.gradParamClip(5) == 5
    assert gradients(net) == [1.5, 2]
    net = filled(3, 4)
    assert net.gradParamClip(6, True) == 10
    assert gradients(net) == [3, 3]
    assert filled(3, 4).gradParamClip(0) is None
    assert filled(3, 4).gradParamClip(-1, True) is None
    assert nn.Tanh().gradParamClip(1) == 0


def test_settings_of_a_module_go_before_the_arguments():
    net = filled(3, 4)
    net.cutoffNorm, net.moduleLocal = 6, True
    net[1].cutoffNorm = 4
    assert net.gradParamClip(100) == 10
    assert gradients(net) == [3, 2]
    # One that is not to be clipped is not counted.
    net[1].cutoffNorm = 0
    assert net.gradParamClip(100) == 6
    net = nn.Sequential(filled(3), filled(4))
    net[1].moduleLocal, net[1].cutoffNorm = True, 4
    assert net.gradParamClip(5) == 10
    assert net[1][0].gradWeight[0, 0] == 2


def test_a_norm_that_is_no_number_leaves_the_gradients():
    for value in (np.inf, np.nan):
        net = filled(3, value)
        assert net.gradParamClip(1) == pytest.approx(value, nan_ok=True)
        assert net[0].gradWeight[0, 0] == 3
    huge = filled(3, 4)
    huge[0].gradWeight *= 1e300
    huge[1].gradWeight *= 1e300
    assert huge.gradParamClip(1) == pytest.approx(1e301)
    assert huge[0].gradWeight[0, 0] == pytest.approx(0.3)


def test_complex_gradients_have_lengths():
    layer = nn.LinearNoBias(1, 1).type("complex128")
    layer.gradWeight[:] = 3 + 4j
    assert layer.gradParamClip(1) == 5
    assert layer.gradWeight[0, 0] == pytest.approx(0.6 + 0.8j)


def test_what_stands_twice_counts_once():
    net = twice(3)
    assert net.gradParamClip(3) == 6
    assert net[1].gradWeight[0, 0] == 1.5
    net = twice(3)
    net.weightDecay(0.1)
    assert gradients(net) == [6, 6]
    net = twice(4)
    net.updateGradParameters(0.5)
    net.updateGradParameters(0.5, 0)
    assert gradients(net) == [6, 6]
    assert len(net.momGradParams) == 1
    tied = nn.Sequential(nn.LinearNoBias(2, 3), nn.LinearNoBias(3, 2))
    tied[1].weight, tied[1].gradWeight = tied[0].weight.T, tied[0].gradWeight.T
    tied[0].weight[:] = 2
    tied.weightDecay(0.5)
    assert tied[0].gradWeight.tolist() == [[1, 1]] * 3


def test_what_stands_twice_is_clipped_once_layer_by_layer():
    net = twice(3)
    net[0].gradWeight[:] = [[3, 0], [0, 0]]
    assert net.gradParamClip(1, True) == 3
    assert net[0].gradWeight.tolist() == net[1].gradWeight.tolist() == [[1, 0], [0, 0]]
    layer = filled(3)[0]
    net = nn.Sequential(layer, layer)
    assert net.gradParamClip(1, True) == 6
    assert gradients(net) == [0.5, 0.5]
    # What stands in a second place is clipped with the layer of the first.
    net = twice(3).add(filled(4)[0])
    net[0].cutoffNorm, net[1].cutoffNorm = 0, 1
    assert net.gradParamClip(2, True) == 8
    assert gradients(net) == [3, 3, 1]
    assert nn.Tanh().gradParamClip(1, True) == 0


def test_of_a_network_whose_parameters_are_its_own():
    """A WeightNorm has v and g; the weight inside is scratch paper."""
    net = nn.WeightNorm(nn.Linear(2, 2, bias=False))
    net.v[:], net.g[:], net.modules[0].weight[:] = 3, 2, 7
    net.weightDecay(1)
    assert (net.gradV == 3).all()
    assert not net.modules[0].gradWeight.any()


# ---------------------------------------------------------------- maxParamNorm


def test_rows_then_columns_are_shortened():
    layer = nn.Linear(2, 2)
    layer.weight[:], layer.bias[:] = [[6, 8], [0, 1]], 100
    assert layer.maxParamNorm(5, 3) is layer
    rows = np.array([[6, 8], [0, 1]]) * [[5 / (10 + 1e-7)], [1]]
    assert layer.weight == pytest.approx(rows * [1, 3 / ((rows[:, 1] ** 2).sum() ** 0.5 + 1e-7)])
    assert (layer.bias == 100).all()
    before = layer.weight.copy()
    assert (layer.maxParamNorm().maxParamNorm(0, -1).weight == before).all()
    layer.maxOutNorm = 1
    assert layer.maxParamNorm(100).weight[0] == pytest.approx(
        before[0] / (before[0] @ before[0]) ** 0.5
    )


def test_inputs_of_a_lookup_table_are_rows():
    table = nn.LookupTable(2, 2)
    table.weight[:] = [[6, 8], [0, 1]]
    table.maxParamNorm(None, 5)
    assert table.weight == pytest.approx(np.array([[3, 4], [0, 1]]), rel=1e-6)
    table.maxParamNorm(1)
    assert (table.weight**2).sum(0) == pytest.approx(np.array([1, 1]), rel=1e-6)


def test_outputs_of_a_convolution_are_its_planes():
    conv = nn.SpatialConvolution(1, 2, 2, 2)
    conv.weight[:] = 1
    conv.maxParamNorm(1)
    assert conv.weight == pytest.approx(np.full((2, 1, 2, 2), 0.5), rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lengths_of_whatever_size(dtype):
    info = np.finfo(dtype)
    for size in [info.tiny, info.tiny**0.5, 3e-23, 1e-20, 1e-13, 1, info.max / 8]:
        row = np.full(4, size, dtype)
        assert norms.norm([row]) == pytest.approx(2 * float(row[0]), rel=float(4 * info.eps))
    assert norms.norm([np.zeros(2, dtype)]) == norms.norm([]) == 0
    assert norms.norm([np.array([1, np.inf], dtype)]) == np.inf
    assert np.isnan(norms.norm([np.array([1, np.nan], dtype)]))


def test_a_renorm_of_other_powers():
    assert norms.renorm(np.array([[3.0, -4.0]]), 3.5, 1) == pytest.approx(
        np.array([[1.5, -2]]), rel=1e-6
    )


# ---------------------------------------------------------------- weightDecay, momentum


def test_only_parameters_of_enough_dimensions_decay():
    layer = nn.Linear(1, 1)
    layer.weight[:], layer.bias[:] = 2, 3
    layer.weightDecay(0).weightDecay(-1)
    assert layer.gradWeight == 0
    layer.weightDecay(0.5, 1)
    assert (layer.gradWeight, layer.gradBias) == (1, 1.5)
    net = nn.Sequential(layer, nn.LinearNoBias(1, 1))
    net[1].weight[:], net[1].wdFactor, layer.wdMinDim = 4, 0.25, 1
    net.weightDecay(0.5)
    assert (layer.gradWeight, layer.gradBias, net[1].gradWeight) == (2, 3, 1)


def test_momentum_is_kept_through_copies_casts_and_files(tmp_path):
    net = filled(4)
    net.updateGradParameters(0.5)
    assert gradients(net) == [4]
    serial.save(tmp_path / "net.npz", net)
    for other in (net.clone(), net.clone().float(), serial.load(tmp_path / "net.npz")):
        other[0].gradWeight[:] = 8
        other.updateGradParameters(0.5, 0, True)
        # m = 0.5 * 4 + 8; gradient += 0.5 * m
        assert gradients(other) == [13]
        assert other.momGradParams[0].dtype == other.type()
    assert net.momGradParams[0][0, 0] == 4


def test_a_layer_that_takes_anothers_place_begins_with_no_momentum():
    net = filled(4, 4)
    net.updateGradParameters(0.5, 0)
    net.remove(0)
    net.insert(nn.LinearNoBias(1, 1), 0)
    net[0].gradWeight[:] = 1
    net.updateGradParameters(0.5, 0)
    # A momentum that begins is the gradient; then m = 0.5 * m + gradient.
    assert gradients(net)[0] == 1.5


def test_momentum_is_kept_when_parameters_are_gathered(tmp_path):
    net = filled(4, 4)
    net.updateGradParameters(0.5)
    net.getParameters()
    serial.save(tmp_path / "net.npz", net)
    for other in (net, net.clone(), serial.load(tmp_path / "net.npz")):
        before = other.momGradParams
        other.updateGradParameters(0.5)
        assert other.momGradParams is before


def test_each_layer_may_have_a_momentum_of_its_own():
    net = filled(4, 4)
    net[0].momFactor, net[0].momDamp = 0, 0.5
    net[1].momDamp, net[1].momNesterov = 0.75, True
    for _ in range(2):
        for layer in net:
            layer.gradWeight[:] = 4
        net.updateGradParameters(0.5)
    # m = 0.5 * 4 + 0.25 * 4 = 3, then 0.5 * 3 + 1 = 2.5
    assert gradients(net) == [4, 4 + 0.5 * 2.5]
    assert nn.Tanh().updateGradParameters(0.5).momGradParams == ()


def test_without_momentum_nothing_is_kept():
    net = filled(4)
    net.updateGradParameters(0)
    assert net.momGradParams == ()
    net.updateGradParameters(0.5).add(nn.LinearNoBias(2, 1))
    # Of other parameters it begins anew.
    net.updateGradParameters(0.5)
    assert [m.shape for m in net.momGradParams] == [(2, 2), (1, 2)]


# ---------------------------------------------------------------- what is no number


@pytest.mark.parametrize(
    ("method", "arguments", "argument", "got"),
    [
        ("gradParamClip", ("5",), "cutoffNorm", "'5'"),
        ("gradParamClip", (None,), "cutoffNorm", "None"),
        ("maxParamNorm", ([1],), "maxOutNorm", "[1]"),
        ("maxParamNorm", (1, "2"), "maxInNorm", "'2'"),
        ("weightDecay", (None,), "wdFactor", "None"),
        ("weightDecay", (0.1, "a"), "wdMinDim", "'a'"),
        ("updateGradParameters", (True,), "momFactor", "True"),
        ("updateGradParameters", (0.5, "x"), "momDamp", "'x'"),
    ],
)
def test_numbers_are_asked_for(method, arguments, argument, got):
    net = filled(3)
    with pytest.raises(DTypeError) as raised:
        getattr(net, method)(*arguments)
    name = "Sequential" if method == "gradParamClip" else "LinearNoBias(2 -> 2) without bias"
    assert str(raised.value) == f"{name}.{method}: {argument} must be a number, got {got}"
    assert gradients(net) == [3]


@pytest.mark.parametrize(
    ("method", "arguments", "argument"),
    [
        ("gradParamClip", (np.nan,), "cutoffNorm"),
        ("maxParamNorm", (np.nan,), "maxOutNorm"),
        ("maxParamNorm", (1, np.float32("nan")), "maxInNorm"),
        ("weightDecay", (np.nan,), "wdFactor"),
        ("updateGradParameters", (np.nan,), "momFactor"),
        ("updateGradParameters", (0.5, np.nan), "momDamp"),
    ],
)
def test_NaN_is_no_number(method, arguments, argument):
    net = filled(3)
    with pytest.raises(SettingError) as raised:
        getattr(net, method)(*arguments)
    name = "Sequential" if method == "gradParamClip" else "LinearNoBias(2 -> 2) without bias"
    assert str(raised.value) == f"{name}.{method}: {argument} must be a number, got nan"
    assert gradients(net) == [3]
    net[0].cutoffNorm = np.nan
    with pytest.raises(SettingError, match=r"cutoffNorm must be a number, got nan"):
        net.gradParamClip(1, True)
