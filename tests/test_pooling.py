"""Poolings: what their rows in tests/cases leave out."""

import re

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.kernels.maxima import largest
from torchlite.testing import maths


def test_strides_have_the_defaults_of_torch7():
    layer = nn.SpatialMaxPooling(3, 2)
    assert (layer.kW, layer.kH, layer.dW, layer.dH, layer.padW, layer.padH) == (3, 2, 3, 2, 0, 0)
    layer = nn.SpatialAveragePooling(3, 2)
    assert (layer.kW, layer.kH, layer.dW, layer.dH, layer.padW, layer.padH) == (3, 2, 1, 1, 0, 0)
    for kind in (nn.VolumetricMaxPooling, nn.VolumetricDilatedMaxPooling):
        layer = kind(2, 3, 4, dH=5)
        assert [getattr(layer, f"d{axis}") for axis in "TWH"] == [2, 3, 5]
    layer = nn.VolumetricAveragePooling(2, 3, 4, 5)
    assert [getattr(layer, f"d{axis}") for axis in "TWH"] == [5, 3, 4]
    layer = nn.TemporalMaxPooling(3)
    assert (layer.kW, layer.dW) == (3, 3)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.SpatialMaxPooling(3, 2), "SpatialMaxPooling(3x2, 3,2)"),
        (lambda: nn.SpatialMaxPooling(3, 3, 2, 1, 1, 0), "SpatialMaxPooling(3x3, 2,1, 1,0)"),
        (lambda: nn.SpatialAveragePooling(3, 2), "SpatialAveragePooling(3x2, 1,1)"),
        (lambda: nn.SpatialDilatedMaxPooling(3, 2, 1, 1, 0, 0, 2, 4),
         "SpatialDilatedMaxPooling(3x2, 1,1, 2,4)"),
        (lambda: nn.SpatialDilatedMaxPooling(3, 2, 1, 1, 1, 0, 2, 1),
         "SpatialDilatedMaxPooling(3x2, 1,1, 1,0, 2,1)"),
        (lambda: nn.VolumetricMaxPooling(4, 3, 2), "VolumetricMaxPooling(4x3x2, 4,3,2)"),
        (lambda: nn.VolumetricDilatedMaxPooling(4, 3, 2, 1, 1, 1, 2, 1, 0, 5, 6, 7),
         "VolumetricDilatedMaxPooling(4x3x2, 1,1,1, 2,1,0, 5,6,7)"),
        (lambda: nn.VolumetricAveragePooling(4, 3, 2), "VolumetricAveragePooling(4x3x2, 4,3,2)"),
        (lambda: nn.TemporalMaxPooling(3), "TemporalMaxPooling"),
        (lambda: nn.TemporalDynamicKMaxPooling(3), "TemporalDynamicKMaxPooling"),
        (lambda: nn.SpatialAdaptiveMaxPooling(3, 2), "SpatialAdaptiveMaxPooling"),
        (lambda: nn.SpatialAdaptiveAveragePooling(3, 2), "SpatialAdaptiveAveragePooling"),
        (lambda: nn.SpatialFractionalMaxPooling(2, 3, 0.5, 0.25),
         "SpatialFractionalMaxPooling(0.5x0.25, 2,3)"),
        (lambda: nn.VolumetricFractionalMaxPooling(2, 3, 4, 5, 6, 7),
         "VolumetricFractionalMaxPooling(5x6x7, 2,3,4)"),
        (lambda: nn.SpatialMaxUnpooling(nn.SpatialMaxPooling(2, 2)),
         "SpatialMaxUnpooling associated to SpatialMaxPooling(2x2, 2,2)"),
        (lambda: nn.FeatureLPPooling(2, 1, 3), "FeatureLPPooling(w2 s1 power 3 batch 0)"),
    ],
)  # fmt: skip
def test_it_prints_as_in_torch7(layer, text):
    assert repr(layer()) == text


@pytest.mark.parametrize("kind", [nn.SpatialMaxPooling, nn.SpatialAveragePooling])
def test_ceil_takes_a_last_window_in_part(kind):
    layer = kind(2, 2, 2, 2)
    x = np.arange(15.0).reshape(1, 3, 5)
    assert layer.forward(x).shape == (1, 1, 2)
    assert layer.ceil() is layer
    last = layer.forward(x)
    assert last.shape == (1, 2, 3)
    assert last[0, 1, 2] == 14
    assert layer.floor() is layer
    assert layer.forward(x).shape == (1, 1, 2)
    # Torch7 would have a third window here, with nothing in it.
    assert kind(1, 1, 3, 3).ceil().forward(np.ones((1, 6, 6))).shape == (1, 2, 2)


def test_zeros_of_the_padding_count_or_do_not():
    layer = nn.SpatialAveragePooling(2, 2, 2, 2, 1, 1)
    x = np.array([[[12.0, 4.0], [8.0, 0.0]]])
    assert layer.forward(x).tolist() == [[[3, 1], [2, 0]]]
    assert layer.setCountExcludePad() is layer
    assert layer.forward(x).tolist() == [[[12, 4], [8, 0]]]
    assert layer.setCountIncludePad() is layer
    assert layer.forward(x).tolist() == [[[3, 1], [2, 0]]]


def test_indices_count_from_0_in_each_plane():
    layer = nn.SpatialMaxPooling(2, 2)
    assert layer.indices.size == 0
    x = np.zeros((2, 1, 2, 4))
    x[0, 0, 1, 3] = x[1, 0, 0, 1] = 1
    layer.forward(x)
    assert layer.indices.tolist() == [[[[0, 7]]], [[[1, 2]]]]
    assert layer.clone().indices.size == 0


def test_a_backward_of_another_input_finds_its_own_maxima():
    layer = nn.SpatialMaxPooling(2, 1)
    one, other = np.array([[[1.0, 2.0]]]), np.array([[[2.0, 1.0]]])
    gradOutput = np.array([[[5.0]]])
    layer.forward(one)
    assert layer.updateGradInput(other, gradOutput).tolist() == [[[5, 0]]]
    assert layer.updateGradInput(one, gradOutput).tolist() == [[[0, 5]]]
    assert layer.indices.tolist() == [[[1]]]
    assert layer.clearState().updateGradInput(one, gradOutput).tolist() == [[[0, 5]]]


def test_nan_is_the_maximum_and_gets_the_gradient():
    layer = nn.SpatialMaxPooling(2, 2)
    x = np.array([[[1.0, np.nan, 1.0, 2.0], [np.nan, 9.0, 0.0, 0.0]]])
    output = layer.forward(x)
    assert np.array_equal(output, [[[np.nan, 2]]], equal_nan=True)
    gradInput = layer.backward(x, np.array([[[3.0, 4.0]]]))
    assert gradInput.tolist() == [[[0, 3, 0, 4], [0, 0, 0, 0]]]


def test_dilated_windows_of_which_all_entries_lie_in_the_padding_are_refused():
    layer = nn.SpatialDilatedMaxPooling(2, 2, 1, 1, 1, 0, 2, 1)
    assert layer.forward(np.ones((1, 2, 2))).tolist() == [[[1, 1]]]
    expected = (
        f"{layer!r}.updateOutput: input must be (C, H, W) or (N, C, H, W) with an entry in every "
        "window, got (1, 2, 1)\n  hint: along W there is a window of entries [-1, 1] of 1"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        layer.forward(np.ones((1, 2, 1)))
    with pytest.raises(ShapeError, match="with an entry in every window"):
        layer.updateGradInput(np.ones((1, 2, 1)), np.ones((1, 1, 1)))
    layer = nn.VolumetricDilatedMaxPooling(2, 1, 1, 1, 1, 1, 1, 0, 0, 5, 1, 1)
    with pytest.raises(ShapeError, match=r"along T there is a window of entries \[-1, 4\] of 4"):
        layer.forward(np.ones((1, 4, 1, 1)))
    # Only the first windows are looked through that the image has.
    layer = nn.SpatialDilatedMaxPooling(5, 1, 1, 1, 2, 0, 2, 1)
    assert layer.forward(np.arange(5.0).reshape(1, 1, 5)).tolist() == [[[4]]]


def test_max_poolings_take_nan_and_the_first_of_equal_entries():
    nan = np.nan
    x = np.array([[[3.0, 3.0, nan, 1.0, nan]]])
    layer = nn.SpatialAdaptiveMaxPooling(2, 1)
    assert np.array_equal(layer.forward(x), [[[nan, nan]]], equal_nan=True)
    assert layer.indices.tolist() == [[[2, 2]]]
    layer = nn.TemporalMaxPooling(2, 2)
    assert np.array_equal(layer.forward(x[0].T), [[3], [nan]], equal_nan=True)
    assert layer.backward(x[0].T, np.ones((2, 1))).tolist() == [[1], [0], [1], [0], [0]]
    layer = nn.TemporalDynamicKMaxPooling(3)
    assert np.array_equal(layer.forward(x[0].T), [[3], [nan], [nan]], equal_nan=True)
    assert layer.indices.tolist() == [[0], [2], [4]]
    assert layer.backward(x[0].T, np.ones((3, 1))).tolist() == [[1], [0], [1], [0], [1]]


def test_dynamic_k_depends_on_the_length():
    layer = nn.TemporalDynamicKMaxPooling(2, 0.5)
    assert [len(layer.forward(np.ones((n, 1)))) for n in (2, 4, 5, 9)] == [2, 2, 3, 5]
    message = "^TemporalDynamicKMaxPooling: factor must be from 0 to 1, got 1.5$"
    with pytest.raises(SettingError, match=message):
        nn.TemporalDynamicKMaxPooling(2, 1.5)
    with pytest.raises(ShapeError, match=r"minK must be at least 1, got 0$"):
        nn.TemporalDynamicKMaxPooling(0)


def test_dynamic_k_of_another_input_finds_its_own_entries():
    layer = nn.TemporalDynamicKMaxPooling(1)
    one, other = np.array([[1.0], [2.0]]), np.array([[2.0], [1.0]])
    layer.forward(one)
    assert layer.updateGradInput(other, np.array([[5.0]])).tolist() == [[5], [0]]
    assert layer.updateGradInput(one, np.array([[5.0]])).tolist() == [[0], [5]]


FRACTIONAL = [
    (lambda: nn.SpatialFractionalMaxPooling(2, 2, 3, 2), (2, 3, 4, 6)),
    (lambda: nn.VolumetricFractionalMaxPooling(2, 2, 2, 1, 3, 2), (2, 3, 4, 6, 3)),
]


@pytest.mark.parametrize(("make", "shape"), FRACTIONAL)
def test_windows_at_random_are_drawn_in_each_forward(make, shape):
    layer = make()
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    random.manualSeed(1)
    layer.forward(x)
    first = layer.randomSamples
    assert first.shape == (2, 3, len(shape) - 2)
    random.manualSeed(1)
    assert (first == random.uniform(size=first.shape)).all()
    layer.evaluate().forward(x)
    assert (layer.randomSamples != first).all()
    kept = layer.randomSamples
    assert layer.fixPoolingRegions() is layer
    assert layer.newRandomPool is True
    layer.forward(x)
    assert layer.randomSamples is kept
    layer.forward(x[:1])
    assert layer.randomSamples.shape[0] == 1
    kept = layer.randomSamples
    assert layer.forward(x[0]).shape == layer.output.shape
    assert layer.randomSamples is kept
    layer.fixPoolingRegions(False).forward(x[0])
    assert (layer.randomSamples != kept).all()


@pytest.mark.parametrize(("make", "shape"), FRACTIONAL)
def test_windows_at_random_are_drawn_in_the_precision_of_the_input(make, shape):
    layer = make()
    layer.forward(np.ones(shape, "float32"))
    assert layer.randomSamples.dtype == "float32"
    layer.forward(np.ones(shape, "complex128"))
    assert layer.randomSamples.dtype == "float64"


@pytest.mark.parametrize(("make", "shape"), FRACTIONAL)
def test_a_backward_needs_the_windows_of_its_input(make, shape):
    layer = make()
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    out = np.ones((2, 3, *layer._windows_of(shape[2:])))
    message = (
        f"{layer!r}.updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: the windows are drawn there"
    )
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        layer.updateGradInput(x, out)
    layer.forward(x)
    right = layer.updateGradInput(x, out)
    assert (layer.updateGradInput(x.copy(), out) == right).all()
    with pytest.raises(StateError, match="input is not that of the last forward"):
        layer.updateGradInput(-x, out)


def test_the_output_of_windows_at_random_is_as_large_as_wanted():
    layer = nn.SpatialFractionalMaxPooling(2, 2, 0.5, 0.7)
    assert (layer.ratioW, layer.ratioH) == (0.5, 0.7)
    assert layer.forward(np.ones((1, 10, 9))).shape == (1, 7, 4)
    # One window more would not be apart from the last.
    assert nn.SpatialFractionalMaxPooling(2, 3, 3, 2).forward(np.ones((1, 4, 4))).shape == (1, 2, 3)
    with pytest.raises(ShapeError, match=r"with H >= 4 and W >= 4, got \(1, 4, 3\)$"):
        nn.SpatialFractionalMaxPooling(2, 3, 3, 2).forward(np.ones((1, 4, 3)))
    for ratios, name, got in [((0.5, 2), "ratioH", "2"), ((-1, 0.5), "ratioW", "-1")]:
        message = f"{name} must be more than 0 and less than 1, as one of the others is, got {got}$"
        with pytest.raises(SettingError, match=message):
            nn.SpatialFractionalMaxPooling(2, 2, *ratios)
    with pytest.raises(ShapeError, match=r"poolSizeH must be at least 2, got 1$"):
        nn.SpatialFractionalMaxPooling(2, 1, 2, 2)
    with pytest.raises(DTypeError, match=r"outW must be an integer, got 2\.5$"):
        nn.SpatialFractionalMaxPooling(2, 2, 2.5, 2)


UNPOOLING = [
    (nn.SpatialMaxUnpooling, lambda: nn.SpatialMaxPooling(2, 2), (3, 2, 4, 5)),
    (nn.VolumetricMaxUnpooling, lambda: nn.VolumetricMaxPooling(1, 2, 2), (3, 2, 2, 4, 5)),
]


@pytest.mark.parametrize(("kind", "pooling", "shape"), UNPOOLING)
def test_unpooling_does_what_its_maths_say(kind, pooling, shape):
    pool = pooling()
    x = np.random.default_rng(0).permutation(np.arange(float(np.prod(shape)))).reshape(shape)
    layer, y = kind(pool), pool.forward(x)
    output = layer.forward(y)
    assert (output == np.where(output, x, 0)).all()
    gradInput = layer.backward(y, -x)
    names = {"input": y, "gradOutput": -x, "size": x.shape[2:], "indices": pool.indices}
    found = maths.evaluate(maths.statements(kind), layer, **names)
    assert (found["output"] == output).all()
    assert (found["gradInput"] == gradInput).all()
    assert (gradInput == -y).all()


@pytest.mark.parametrize(("kind", "pooling", "shape"), UNPOOLING)
def test_unpooling_follows_its_pooling(kind, pooling, shape):
    pool = pooling()
    layer = kind(pool)
    x = np.arange(float(np.prod(shape))).reshape(shape)
    message = (
        f"{layer!r}.updateOutput: {pool!r} has seen no input\n"
        "  hint: it stands before this layer in the network, and runs before it"
    )
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        layer.forward(x)
    y = pool.forward(x)
    with pytest.raises(StateError, match="input is not that of the last forward\n  hint: call"):
        layer.updateGradInput(y, x)
    expected = f"input must be {y.shape} like the output of {pool!r}, got {y[:1].shape}"
    with pytest.raises(ShapeError, match=f"{re.escape(expected)}$"):
        layer.forward(y[:1])
    layer.forward(y)
    right = layer.updateGradInput(y, x)
    # What the pooling sees later does not matter to this backward.
    pool.forward(-x)
    assert (layer.updateGradInput(y, x) == right).all()
    net = nn.Sequential(pool, layer).clone()
    assert net[1].pooling is net[0] is not pool
    assert (net.forward(x) == layer.output).all()


def test_unpooling_wants_a_pooling_that_can_be_turned_round():
    message = "poolingModule must be a SpatialMaxPooling, got SpatialAveragePooling"
    with pytest.raises(DTypeError, match=f"^SpatialMaxUnpooling: {message}$"):
        nn.SpatialMaxUnpooling(nn.SpatialAveragePooling(2, 2))
    expected = (
        "VolumetricMaxUnpooling: poolingModule must be a VolumetricMaxPooling with strides as wide "
        "as its windows, got VolumetricMaxPooling(2x2x2, 2,2,1)"
    )
    with pytest.raises(SettingError, match=f"^{re.escape(expected)}$"):
        nn.VolumetricMaxUnpooling(nn.VolumetricMaxPooling(2, 2, 2, 2, 2, 1))


UNPOOLED = [
    (nn.SpatialMaxUnpooling, lambda: nn.SpatialMaxPooling(2, 2)),
    (nn.VolumetricMaxUnpooling, lambda: nn.VolumetricMaxPooling(1, 2, 2)),
]


@pytest.mark.parametrize(("kind", "make"), UNPOOLED)
def test_a_pooling_that_an_unpooling_needs_stands_once(kind, make):
    pool = make()
    unpooling = kind(pool)
    branches = nn.ParallelTable(nn.Sequential(pool), nn.Sequential())
    message = (
        f"{pool!r} remembers its forward and stands in this network already\n"
        "  hint: add clone('weight', 'bias', 'gradWeight', 'gradBias') instead"
    )
    for container, module in [
        (branches, pool),
        (branches[0], pool),
        (branches, nn.Sequential(nn.Identity(), pool)),
    ]:
        text = f"{type(container).__name__}.add: {message}"
        with pytest.raises(StateError, match=f"^{re.escape(text)}$"):
            container.add(module)
    # Elsewhere, and in the branches two unpoolings of it, there is nothing against it.
    nn.Sequential(pool)
    branches[1].add(pool.clone())
    nn.Sequential(branches, nn.ParallelTable(unpooling, kind(branches[1][0])))
    nn.ConcatTable(kind(pool), unpooling)
    # A copy knows it as soon as the unpooling is seen in it.
    net = nn.Sequential(pool, kind(pool)).clone()
    with pytest.raises(StateError, match="remembers its forward"):
        net.add(net[0])


@pytest.mark.parametrize(("kind", "make"), UNPOOLED)
def test_a_pooling_that_stands_twice_has_no_unpooling(kind, make):
    pool = make()
    twice = nn.ParallelTable(nn.Sequential(pool), nn.Sequential(nn.Identity(), pool))
    message = (
        f"{kind.__name__}: poolingModule must be a {type(pool).__name__} that stands once in its "
        "network, got one that stands twice\n  hint: put pooling.clone() in the other place"
    )
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        kind(pool)
    twice[1].remove()
    assert kind(pool).pooling is pool
    row = nn.Sequential(make())
    with pytest.raises(StateError, match="that stands once in its network"):
        kind(row.add(row[0])[0])
    two = make()
    networks = nn.Sequential(two), nn.Sequential(two)
    assert kind(two).pooling is networks[0][0]


def test_a_norm_of_0_has_no_gradient():
    layer = nn.FeatureLPPooling(2, 1, 2)
    x = np.array([0.0, 0.0, 3.0])
    assert layer.forward(x).tolist() == [0, 3]
    np.testing.assert_allclose(layer.backward(x, np.array([5.0, 7.0])), [0, 0, 7], rtol=1e-15)
    layer = nn.FeatureLPPooling(2, 1, 3)
    assert layer.backward(np.array([1.0, -1.0]), np.ones(1)).tolist() == [0, 0]
    layer = nn.SpatialLPPooling(1, 2, 2, 1)
    assert layer.forward(np.zeros((1, 1, 2))).tolist() == [[[0]]]
    assert layer.backward(np.zeros((1, 1, 2)), np.ones((1, 1, 1))).tolist() == [[[0, 0]]]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("p", [0.5, 1.5, 2, 3, 4])
def test_a_norm_of_0_has_no_gradient_for_any_exponent(p, dtype):
    rows = [([0.0, 0.0, 0.0], [0, 0, 0]), ([0.0, 0.0, 4.0], [0, 0, 7])]
    if p == 3:
        rows.append(([1.0, -1.0, 1.0], [0, 0, 0]))
    for entries, expected in rows:
        x, g = np.array(entries, dtype), np.array([5, 7], dtype)
        layer = nn.FeatureLPPooling(2, 1, p)
        layer.forward(x)
        found = layer.backward(x, g)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        images = nn.SpatialLPPooling(1, p, 2, 1, 1, 1).type(dtype)
        images.forward(x[None, None])
        found = images.backward(x[None, None], g[None, None])
        np.testing.assert_allclose(found[0, 0], expected, rtol=1e-6)


def test_after_relu_a_p_norm_leaves_the_weights_finite():
    norms = nn.SpatialLPPooling(1, 3, 2, 2)
    net = nn.Sequential(nn.SpatialConvolution(1, 1, 1, 1), nn.ReLU(), norms)
    net[0].weight[:], net[0].bias[:] = 1, 0
    x = np.array([[[-1.0, -2.0, 3.0, 0.0], [-3.0, -4.0, 0.0, 0.0]]])
    net.zeroGradParameters()
    net.forward(x)
    net.backward(x, np.ones((1, 1, 2)))
    np.testing.assert_allclose(net[0].gradWeight.ravel(), 3, rtol=1e-15)


def test_norms_have_settings_in_their_ranges():
    for arguments, message in [
        ((1, 1, 2), "width must be from 2 to 16, got 1"),
        ((17, 1, 2), "width must be from 2 to 16, got 17"),
        ((2, 0, 2), "stride must be from 1 to 4, got 0"),
        ((2, 5, 2), "stride must be from 1 to 4, got 5"),
        ((2, 1, 0), "power must be positive and finite, got 0"),
    ]:
        with pytest.raises(SettingError, match=f"^FeatureLPPooling: {message}$"):
            nn.FeatureLPPooling(*arguments)
    with pytest.raises(SettingError, match=r"pnorm must be positive and finite, got -1$"):
        nn.SpatialLPPooling(1, -1, 2, 2)
    layer = nn.SpatialLPPooling(3, 2, 4, 5, 1)
    assert (layer.kW, layer.kH, layer.dW, layer.dH) == (4, 5, 1, 5)


SMALL = "(C, H, W) or (N, C, H, W)"


@pytest.mark.parametrize("pnorm", [2, 3])
def test_a_norm_refuses_in_its_own_name(pnorm):
    layer = nn.SpatialLPPooling(1, pnorm, 5, 5)
    with pytest.raises(ShapeError) as caught:
        layer.forward(np.ones((1, 3, 3)))
    assert str(caught.value) == (
        f"SpatialLPPooling.updateOutput: input must be {SMALL} with H >= 5 and W >= 5, got "
        "(1, 3, 3)\n  hint: a window of 5x5 is larger than the input, 3x3"
    )
    assert caught.value.layer is layer
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(DTypeError, match=r"^SpatialLPPooling\.updateOutput: input must be float32"):
        layer.forward(np.ones((1, 5, 5), int))
    x = np.ones((1, 5, 5))
    layer.forward(x)
    message = "SpatialLPPooling.updateGradInput: gradOutput must be (1, 1, 1), got (1, 2, 2)"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}"):
        layer.backward(x, np.ones((1, 2, 2)))


WRONG = [
    (lambda: nn.SpatialMaxPooling(2, 2), (5, 5), f"{SMALL}, got (5, 5)\n"
     "  hint: input[None] is one sample with one plane"),
    (lambda: nn.SpatialMaxPooling(2, 3), (1, 2, 1), f"{SMALL} with H >= 3 and W >= 2, "
     "got (1, 2, 1)\n  hint: a window of 3x2 is larger than the input, 2x1"),
    (lambda: nn.SpatialMaxPooling(3, 3, 2, 2).ceil(), (1, 1, 5), f"{SMALL} with H >= 2 and "
     "W >= 2, got (1, 1, 5)\n  hint: a window of 3x3 is larger than the input, 1x5"),
    (lambda: nn.SpatialAveragePooling(5, 5, 1, 1, 1, 0), (1, 5, 2), f"{SMALL} with H >= 5 and "
     "W >= 3, got (1, 5, 2)\n  hint: a window of 5x5 is larger than the padded input, 5x4"),
    (lambda: nn.SpatialDilatedMaxPooling(3, 2, 1, 1, 0, 0, 2, 1), (1, 5, 4), f"{SMALL} with H >= 2 "
     "and W >= 5, got (1, 5, 4)\n  hint: a window of 2x5 is larger than the input, 5x4"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shape", "message"), WRONG)
def test_a_wrong_input_is_refused(make, shape, message):
    layer = make()
    expected = f"{layer!r}.updateOutput: input must be {message}"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        layer.forward(np.ones(shape))


@pytest.mark.parametrize("kind", [nn.SpatialMaxPooling, nn.SpatialAveragePooling])
def test_wrong_arguments_are_refused(kind):
    name = kind.__name__
    x = np.ones((5, 1, 4, 4))
    layer = kind(2, 2, 2, 2)
    expected = f"{layer!r}.updateGradInput: gradOutput must be (5, 1, 2, 2), got (5, 1, 4, 4)"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        layer.updateGradInput(x, x)
    with pytest.raises(ShapeError, match=f"^{name}: dH must be at least 1, got 0$"):
        kind(2, 2, 1, 0)
    with pytest.raises(SettingError, match=f"^{name}: padW must be at most half of kW = 3, got 2$"):
        kind(3, 4, 1, 1, 2, 2)
    with pytest.raises(DTypeError, match="must be float32, float64, complex64 or complex128, got"):
        layer.forward(x.astype(int))


def test_of_equal_entries_the_first_are_the_largest():
    input = np.random.RandomState(1).randint(0, 4, (60, 3)).astype(float)
    indices = largest(input, 20)
    for column, found in zip(input.T.tolist(), indices.T.tolist(), strict=True):
        assert found == sorted(sorted(range(60), key=lambda t: -column[t])[:20])
