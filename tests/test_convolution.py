"""Convolutions: what their rows in tests/cases leave out."""

import re

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError
from torchlite.kernels.convolution import conv


def test_the_settings_stand_in_attributes():
    layer = nn.SpatialConvolution(2, 3, 5, 4, 3, 2, 1)
    assert (layer.nInputPlane, layer.nOutputPlane) == (2, 3)
    assert (layer.kW, layer.kH, layer.dW, layer.dH) == (5, 4, 3, 2)
    assert (layer.padW, layer.padH) == (1, 1)
    assert nn.SpatialConvolution(2, 3, 5, 4, padH=2).padW == 0
    assert layer.weight.shape == layer.gradWeight.shape == (3, 2, 4, 5)
    assert layer.noBias() is layer
    assert layer.bias is layer.gradBias is None
    assert layer.reset() is layer
    x = np.ones((2, 6, 8))
    layer.dW = 1
    assert np.array_equal(layer.forward(x), conv(x, layer.weight, (2, 1), (1, 1)))


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.SpatialConvolution(3, 8, 5, 4), "SpatialConvolution(3 -> 8, 5x4)"),
        (
            lambda: nn.SpatialConvolution(8, 8, 3, 3, 2, 1, 1, 0),
            "SpatialConvolution(8 -> 8, 3x3, 2,1, 1,0)",
        ),
        (
            lambda: nn.SpatialConvolution(8, 8, 3, 3, 1, 2).noBias(),
            "SpatialConvolution(8 -> 8, 3x3, 1,2) without bias",
        ),
        (lambda: nn.SpatialConvolutionMM(1, 2, 1, 1), "SpatialConvolutionMM(1 -> 2, 1x1)"),
        (
            lambda: nn.SpatialFullConvolution(3, 8, 5, 4).noBias(),
            "SpatialFullConvolution(3 -> 8, 5x4) without bias",
        ),
        (
            lambda: nn.SpatialFullConvolution(3, 8, 4, 4, 2, 3, 1, 0, 0, 2),
            "SpatialFullConvolution(3 -> 8, 4x4, 2,3, 1,0, 0,2)",
        ),
        (
            lambda: nn.SpatialDilatedConvolution(3, 8, 5, 4),
            "SpatialDilatedConvolution(3 -> 8, 5x4, 1,1)",
        ),
        (
            lambda: nn.SpatialDilatedConvolution(3, 8, 5, 4, 2, 2, 1, 0, 2, 3).noBias(),
            "SpatialDilatedConvolution(3 -> 8, 5x4, 2,2, 1,0, 2,3) without bias",
        ),
        (
            lambda: nn.SpatialDepthWiseConvolution(3, 2, 5, 4, 1, 2),
            "SpatialDepthWiseConvolution(3 -> 2, 5x4, 1,2)",
        ),
        (
            lambda: nn.SpatialConvolutionLocal(3, 2, 9, 8, 5, 4),
            "SpatialConvolutionLocal(3 -> 2, 9x8, 5x4)",
        ),
        (
            lambda: nn.SpatialConvolutionLocal(3, 2, 9, 8, 5, 4, 2, 1, 0, 1).noBias(),
            "SpatialConvolutionLocal(3 -> 2, 9x8, 5x4, 2,1, 0,1) without bias",
        ),
        (lambda: nn.SpatialConvolutionMap([[0, 0]], 3, 2), "SpatialConvolutionMap"),
        (lambda: nn.SpatialFullConvolutionMap([[0, 0]], 3, 2), "SpatialFullConvolutionMap"),
        (lambda: nn.TemporalConvolution(3, 2, 5, 4), "TemporalConvolution"),
        (lambda: nn.TemporalRowConvolution(3, 2), "TemporalRowConvolution(3, 2)"),
        (
            lambda: nn.TemporalRowConvolution(3, 2, 4, True).noBias(),
            "TemporalRowConvolution(3, 2, 4) without bias",
        ),
        (lambda: nn.TemporalSubSampling(3, 2), "TemporalSubSampling"),
        (lambda: nn.SpatialSubSampling(3, 2, 2), "SpatialSubSampling"),
        (lambda: nn.VolumetricConvolution(3, 8, 5, 4, 3), "VolumetricConvolution(3 -> 8, 5x4x3)"),
        (
            lambda: nn.VolumetricConvolution(3, 8, 5, 4, 3, 1, 2, 3, 0, 2, 1).noBias(),
            "VolumetricConvolution(3 -> 8, 5x4x3, 1,2,3, 0,2,1) without bias",
        ),
        (
            lambda: nn.VolumetricDilatedConvolution(3, 8, 5, 4, 3, 1, 1, 1, 0, 0, 0, 1, 2, 3),
            "VolumetricDilatedConvolution(3 -> 8, 5x4x3, 1,2,3)",
        ),
        (
            lambda: nn.VolumetricFullConvolution(3, 8, 5, 4, 3, 1, 3, 2, 0, 2, 1, 0, 2, 1),
            "VolumetricFullConvolution(3 -> 8, 5x4x3, 1,3,2, 0,2,1, 0,2,1)",
        ),
    ],
)
def test_it_prints_as_in_torch7(layer, text):
    assert repr(layer()) == text


WRONG = {
    "planes": (
        (3, 4),
        (2, 2, 5, 5),
        "(3, H, W) or (N, 3, H, W), got (2, 2, 5, 5)\n"
        "  hint: SpatialConvolution(2, 4, ...) would fit",
    ),
    "planes last": (
        (3, 4),
        (2, 5, 5, 3),
        "(3, H, W) or (N, 3, H, W), got (2, 5, 5, 3)\n"
        "  hint: np.moveaxis(input, -1, -3) has the planes before the pixels",
    ),
    "no planes": (
        (1, 4),
        (5, 5),
        "(1, H, W) or (N, 1, H, W), got (5, 5)\n  hint: input[None] is one sample with one plane",
    ),
    "a batch without planes": (
        (1, 4),
        (7, 5, 5),
        "(1, H, W) or (N, 1, H, W), got (7, 5, 5)\n"
        "  hint: input[:, None] is a batch of samples with one plane each",
    ),
    "a vector": ((1, 4), (5,), "(1, H, W) or (N, 1, H, W), got (5,)"),
    "small": (
        (1, 4),
        (1, 2, 1),
        "(1, H, W) or (N, 1, H, W) with H >= 3 and W >= 2, got (1, 2, 1)\n"
        "  hint: a window of 3x2 is larger than the input, 2x1",
    ),
}


@pytest.mark.parametrize(("planes", "shape", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_input_is_refused(planes, shape, message):
    layer = nn.SpatialConvolution(*planes, 2, 3)
    expected = f"{layer!r}.updateOutput: input must be {message}"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        layer.forward(np.ones(shape))


def test_a_wrong_gradient_is_refused():
    layer = nn.SpatialConvolution(1, 2, 2, 3)
    x = np.ones((5, 1, 4, 4))
    for method in ("updateGradInput", "accGradParameters"):
        expected = (
            f"SpatialConvolution(1 -> 2, 2x3).{method}: gradOutput must be (5, 2, 2, 3), "
            "got (5, 1, 4, 4)"
        )
        with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
            getattr(layer, method)(x, x)
    with pytest.raises(DTypeError, match="scale must be a number, got 'a'"):
        layer.accGradParameters(x, np.ones((5, 2, 2, 3)), "a")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 2, 2), "nInputPlane must be at least 1, got 0"),
        ((1, 0, 2, 2), "nOutputPlane must be at least 1, got 0"),
        ((1, 1, 0, 2), "kW must be at least 1, got 0"),
        ((1, 1, 2, 2, 1, 0), "dH must be at least 1, got 0"),
        ((1, 1, 2, 2, 1, 1, 0, -1), "padH must be at least 0, got -1"),
    ],
)
def test_wrong_settings_are_refused(arguments, message):
    with pytest.raises(ShapeError, match=f"^SpatialConvolution: {message}$"):
        nn.SpatialConvolution(*arguments)
    with pytest.raises(DTypeError, match=r"^SpatialConvolution: kW must be an integer, got 2\.0$"):
        nn.SpatialConvolution(1, 1, 2.0, 2)


def test_the_weight_says_how_large_the_windows_are():
    layer, x = nn.SpatialConvolution(1, 2, 3, 3), np.ones((1, 5, 5))
    before = layer.forward(x)
    layer.kW = 2
    assert np.array_equal(layer.forward(x), before)


PADDED = [
    (nn.SpatialConvolution, (1, 1, 2, 2, 1, 1), "padW"),
    (nn.SpatialConvolutionMM, (1, 1, 2, 2, 1, 1), "padW"),
    (nn.SpatialConvolutionLocal, (1, 1, 4, 4, 2, 2, 1, 1), "padW"),
    (nn.SpatialDepthWiseConvolution, (1, 1, 2, 2, 1, 1), "padW"),
    (nn.SpatialDilatedConvolution, (1, 1, 2, 2, 1, 1), "padW"),
    (nn.VolumetricConvolution, (1, 1, 2, 2, 2, 1, 1, 1), "padT"),
    (nn.VolumetricDilatedConvolution, (1, 1, 2, 2, 2, 1, 1, 1), "padT"),
]


@pytest.mark.parametrize(("kind", "arguments", "name"), PADDED)
def test_a_wrong_padding_is_named_as_it_was_given(kind, arguments, name):
    for wrong, error, expected in [
        (-1, ShapeError, "at least 0"),
        (0.5, DTypeError, "an integer"),
        ("same", DTypeError, "an integer"),
        (None, DTypeError, "an integer"),
    ]:
        message = f"^{kind.__name__}: {name} must be {expected}, got {wrong!r}$"
        with pytest.raises(error, match=message):
            kind(*arguments, wrong)
    with pytest.raises(ShapeError, match=f"^{kind.__name__}: padH must be at least 0, got -1$"):
        kind(*arguments, padH=-1)
    assert kind(*arguments, 1).padH == 1
    layer = kind(*arguments, padW=1)
    assert (layer.padW, layer.padH) == (1, 1)


def test_a_matrix_of_weights_makes_no_difference():
    random.manualSeed(3)
    one = nn.SpatialConvolution(2, 3, 3, 2, 2, 1, 1)
    random.manualSeed(3)
    other = nn.SpatialConvolutionMM(2, 3, 3, 2, 2, 1, 1)
    assert other.weight.shape == (3, 12)
    x = np.random.default_rng(0).standard_normal((4, 2, 5, 5))
    output = one.forward(x)
    assert np.array_equal(other.forward(x), output)
    assert np.array_equal(one.backward(x, output), other.backward(x, output))
    assert np.array_equal(one.gradWeight.reshape(3, 12), other.gradWeight)
    assert np.array_equal(other.noBias().reset(1).weight.shape, (3, 12))


def test_the_bias_gradient_of_many_pixels_is_accurate():
    layer = nn.SpatialConvolution(1, 1, 1, 1).float()
    x = np.full((4, 1, 1000, 1000), 0.1, np.float32)
    layer.accGradParameters(x, x)
    np.testing.assert_allclose(layer.gradBias, 4e6 * np.float64(np.float32(0.1)), 1e-6)


def test_paddings_of_volumes_have_the_defaults_of_torch7():
    for kind in (nn.VolumetricConvolution, nn.VolumetricDilatedConvolution):
        layer = kind(1, 2, 5, 6, 7, 1, 2, 3, 2)
        assert (layer.kT, layer.kW, layer.kH, layer.dT, layer.dW, layer.dH) == (5, 6, 7, 1, 2, 3)
        assert (layer.padT, layer.padW, layer.padH) == (2, 2, 2)
        assert layer.weight.shape == (2, 1, 5, 7, 6)
        layer = kind(1, 2, 5, 6, 7, 1, 2, 3, 2, 1)
        assert (layer.padT, layer.padW, layer.padH) == (2, 1, 1)
        assert kind(1, 2, 5, 6, 7, padH=1).padW == 0
    layer = nn.VolumetricFullConvolution(1, 2, 5, 6, 7, 1, 2, 3, 2)
    assert (layer.padT, layer.padW, layer.padH) == (2, 0, 0)
    assert layer.weight.shape == (1, 2, 5, 7, 6)


# Sequences


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            lambda: nn.TemporalConvolution(3, 4, 2),
            (2, 5, 4),
            "(T, 3) or (N, T, 3), got (2, 5, 4)\n  hint: TemporalConvolution(4, 4, ...) would fit",
        ),
        (
            lambda: nn.TemporalConvolution(3, 4, 2),
            (3, 5),
            "(T, 3) or (N, T, 3), got (3, 5)\n"
            "  hint: np.swapaxes(input, -1, -2) has a frame in each row",
        ),
        (
            lambda: nn.TemporalConvolution(3, 4, 2),
            (1, 3),
            "(T, 3) or (N, T, 3) with T >= 2, got (1, 3)\n"
            "  hint: a window of 2 is larger than the input, 1",
        ),
        (lambda: nn.TemporalSubSampling(3, 2), (3,), "(T, 3) or (N, T, 3), got (3,)"),
        (
            lambda: nn.TemporalRowConvolution(3, 4),
            (5, 6, 2),
            "(T, 3) or (N, T, 3), got (5, 6, 2)\n  hint: TemporalRowConvolution(2, ...) would fit",
        ),
        (
            lambda: nn.TemporalRowConvolution(3, 4, 1, True),
            (6, 3),
            "(3, T) or (N, 3, T), got (6, 3)\n"
            "  hint: np.moveaxis(input, -1, -2) has the planes before the pixels",
        ),
    ],
)
def test_a_wrong_sequence_is_refused(layer, shape, message):
    made = layer()
    expected = f"{made!r}.updateOutput: input must be {message}"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        made.forward(np.ones(shape))


def test_a_wrong_gradient_of_a_sequence_is_refused():
    layer = nn.TemporalConvolution(3, 4, 2)
    x = np.ones((5, 6, 3))
    expected = "TemporalConvolution.updateGradInput: gradOutput must be (5, 5, 4), got (5, 4, 5)"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}"):
        layer.updateGradInput(x, np.ones((5, 4, 5)))


def test_features_first_is_the_same_turned_round():
    random.manualSeed(1)
    last = nn.TemporalRowConvolution(3, 2, 2)
    random.manualSeed(1)
    first = nn.TemporalRowConvolution(3, 2, 2, True)
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    output = last.forward(x)
    assert np.array_equal(first.forward(x.swapaxes(1, 2)), output.swapaxes(1, 2))
    gradInput = last.backward(x, output)
    turned = first.backward(x.swapaxes(1, 2), output.swapaxes(1, 2))
    assert np.array_equal(turned, gradInput.swapaxes(1, 2))
    assert np.array_equal(first.gradWeight, last.gradWeight)
    # Torch7 cannot.
    assert last.noBias().reset().bias is None


def test_a_window_of_frames_is_a_row_of_the_weight():
    layer = nn.TemporalConvolution(3, 4, 2, 2)
    assert (layer.inputFrameSize, layer.outputFrameSize, layer.kW, layer.dW) == (3, 4, 2, 2)
    x = np.random.default_rng(0).standard_normal((7, 3))
    rows = x[:6].reshape(3, 6)
    assert np.allclose(layer.forward(x), rows @ layer.weight.T + layer.bias, 0, 1e-14)


def test_sub_sampling_without_bias():
    layer = nn.SpatialSubSampling(2, 2, 1, 2, 1)
    assert (layer.nInputPlane, layer.kW, layer.kH, layer.dW, layer.dH) == (2, 2, 1, 2, 1)
    layer.weight[:], layer.bias[:] = [1, 10], [100, 200]
    x = np.array([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]])
    assert layer.forward(x).tolist() == [[[103]], [[290]]]
    assert layer.noBias().forward(x).tolist() == [[[3]], [[90]]]


# Full convolution


def test_a_full_convolution_takes_the_size_of_another_array():
    layer = nn.SpatialFullConvolution(2, 3, 3, 2, 2, 3, 1, 0)
    x = np.random.default_rng(0).standard_normal((4, 2, 3, 5))
    for extra in np.ndindex(3, 2):
        exact = nn.SpatialFullConvolution(2, 3, 3, 2, 2, 3, 1, 0, *reversed(extra))
        exact.weight, exact.bias = layer.weight, layer.bias
        expected = exact.forward(x)
        like = np.zeros(expected.shape[-2:], np.uint8)
        assert np.array_equal(layer.forward((x, like)), expected)
        gradInput, zeros = layer.backward([x, like], expected)
        assert np.array_equal(gradInput, exact.backward(x, expected))
        assert zeros.dtype == np.uint8
        assert not zeros.any()
    # adj does not count beside it.
    layer.adjW = 1
    assert layer.forward([x, np.zeros((8, 9))]).shape == (4, 3, 8, 9)


def test_a_size_that_a_full_convolution_cannot_have_is_refused():
    layer = nn.SpatialFullConvolution(1, 1, 3, 2, 2, 3, 1)
    name = "SpatialFullConvolution(1 -> 1, 3x2, 2,3, 1,0).updateOutput"
    x = np.ones((1, 1, 1))
    for like in (np.ones((5, 1)), np.ones((2, 3)), np.ones((1, 1)), np.ones(2)):
        expected = (
            f"{name}: input[1] must be an array (..., H, W) with 2 <= H <= 4 and 1 <= W <= 2, "
            f"got {like.shape}"
        )
        with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
            layer.forward([x, like])
    with pytest.raises(DTypeError, match=r"input\[1\] must be an array, got tuple"):
        layer.forward([x, (2, 1)])
    with pytest.raises(ShapeError, match="input must be a table of 2 entries"):
        layer.forward([x])
    with pytest.raises(ShapeError, match=r"input\[0\] must be \(1, H, W\) or \(N, 1, H, W\)"):
        layer.forward([np.ones((2, 1, 1)), x])


def test_a_full_convolution_of_which_padding_leaves_nothing_is_refused():
    layer = nn.SpatialFullConvolution(1, 1, 1, 2, 1, 1, 1)
    expected = (
        "SpatialFullConvolution(1 -> 1, 1x2, 1,1, 1,0).updateOutput: input must be (1, H, W) or "
        "(N, 1, H, W) with H >= 1 and W >= 3, got (1, 1, 2)"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        layer.forward(np.ones((1, 1, 2)))
    # With a size that adj could give, it has one.
    wider = nn.SpatialFullConvolution(1, 1, 1, 1, 2, 1, 1)
    assert wider.forward([np.ones((1, 1, 2)), np.ones((1, 1))]).shape == (1, 1, 1)
    assert wider.forward(np.ones((1, 1, 2))).shape == (1, 1, 1)


def test_a_full_convolution_of_no_entries_is_refused_with_a_table_too():
    layer = nn.SpatialFullConvolution(1, 1, 3, 3, 2, 2)
    with pytest.raises(ShapeError) as raised:
        layer.forward([np.zeros((1, 1, 2, 0)), np.zeros((1, 1, 5, 1))])
    assert str(raised.value) == (
        "SpatialFullConvolution(1 -> 1, 3x3, 2,2).updateOutput: input[0] must be (1, H, W) or "
        "(N, 1, H, W) with H >= 1 and W >= 1, got (1, 1, 2, 0)"
    )


def test_adj_is_less_than_the_stride():
    state = random.getRNGState()
    with pytest.raises(
        SettingError, match=r"^SpatialFullConvolution: adjH must be less than dH = 2, got 2$"
    ):
        nn.SpatialFullConvolution(1, 1, 3, 3, 3, 2, 0, 0, 2, 2)
    with pytest.raises(ShapeError, match="adjW must be at least 0, got -1"):
        nn.SpatialFullConvolution(1, 1, 3, 3, 3, 2, 0, 0, -1)
    # Nothing has been drawn.
    assert np.array_equal(random.getRNGState(), state)


# Dilated and by depth


def test_dilation_is_a_kernel_with_zeros_between():
    layer = nn.SpatialDilatedConvolution(2, 3, 2, 3, 1, 2, 3, 1, 4, 2)
    assert (layer.dilationW, layer.dilationH, layer.padW, layer.padH) == (4, 2, 3, 1)
    wide = nn.SpatialConvolution(2, 3, 5, 5, 1, 2, 3, 1)
    wide.weight[...], wide.bias = 0, layer.bias
    wide.weight[:, :, ::2, ::4] = layer.weight
    x = np.random.default_rng(0).standard_normal((2, 2, 7, 6))
    assert np.allclose(layer.forward(x), wide.forward(x), 0, 1e-14)
    assert nn.SpatialDilatedConvolution(2, 3, 2, 3, 1, 2, 3).padH == 3
    with pytest.raises(ShapeError, match="dilationW must be at least 1, got 0"):
        nn.SpatialDilatedConvolution(1, 1, 2, 2, 1, 1, 0, 0, 0)


def test_every_plane_has_kernels_of_its_own():
    layer = nn.SpatialDepthWiseConvolution(3, 2, 2, 3, 1, 2, 1)
    assert (layer.nInputPlane, layer.depthwiseMultiplier, layer.nOutputPlane) == (3, 2, 6)
    assert (layer.padW, layer.padH) == (1, 1)
    # Torch7 takes the height of an image that is no square for its width.
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 7))
    output = layer.forward(x)
    assert output.shape == (2, 6, 2, 8)
    for plane, i in np.ndindex(3, 2):
        kernel = layer.weight.reshape(2, 3, 1, 1, 3, 2)[i, plane]
        expected = conv(x[:, plane : plane + 1], kernel, (2, 1), (1, 1)) + layer.bias[i, plane]
        assert np.allclose(output[:, 2 * plane + i], expected[:, 0], 0, 1e-14)
    # With as many kernels as planes, Torch7 overwrites its gradient with the transpose.
    square = nn.SpatialDepthWiseConvolution(2, 2, 2, 3)
    x, gradOutput = np.ones((1, 2, 3, 2)), np.array([1.0, 2, 3, 4]).reshape(1, 4, 1, 1)
    square.zeroGradParameters()
    for _ in range(2):
        square.accGradParameters(x, gradOutput)
    assert square.gradWeight.tolist() == [[2] * 6 + [6] * 6, [4] * 6 + [8] * 6]
    assert square.gradBias.tolist() == [[2, 6], [4, 8]]
    assert square.noBias().forward(x).shape == (1, 4, 1, 1)


# Weights of their own


def test_every_window_has_weights_of_its_own():
    layer = nn.SpatialConvolutionLocal(2, 3, 4, 6, 2, 3, 1, 2, 1)
    assert (layer.iW, layer.iH, layer.oW, layer.oH) == (4, 6, 5, 3)
    assert (layer.padW, layer.padH) == (1, 1)
    assert layer.weight.shape == (3, 5, 3, 2, 3, 2)
    x = np.random.default_rng(0).standard_normal((4, 2, 6, 4))
    output = layer.forward(x)
    for y, at in np.ndindex(3, 5):
        expected = conv(x, layer.weight[y, at], (2, 1), (1, 1))[:, :, y, at] + layer.bias[:, y, at]
        assert np.allclose(output[:, :, y, at], expected, 0, 1e-14)
    assert np.allclose(layer.forward(x[0]), output[0], 0, 1e-14)
    layer.zeroGradParameters()
    layer.accGradParameters(x, output)
    assert np.allclose(layer.gradBias, output.sum(0), 0, 1e-13)


@pytest.mark.parametrize("shape", [(2, 6, 5), (4, 2, 4, 6), (3, 6, 4), (6, 4)])
def test_local_weights_know_the_size_of_the_image(shape):
    layer = nn.SpatialConvolutionLocal(2, 3, 4, 6, 2, 3)
    expected = f"{layer!r}.updateOutput: input must be (2, 6, 4) or (N, 2, 6, 4), got {shape}"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}"):
        layer.forward(np.ones(shape))


def test_an_image_without_a_window_is_refused_early():
    with pytest.raises(ShapeError, match=r"^SpatialConvolutionLocal: iW must be at least 3, got 2"):
        nn.SpatialConvolutionLocal(1, 1, 2, 9, 5, 3, 1, 1, 1, 0)
    with pytest.raises(ShapeError, match="iH must be at least 1, got 0"):
        nn.SpatialConvolutionLocal(1, 1, 2, 0, 2, 2, 1, 1, 1)


# Tables of connections


@pytest.mark.parametrize("kind", [nn.SpatialConvolutionMap, nn.SpatialFullConvolutionMap])
def test_a_table_says_what_is_connected(kind):
    table = np.array([[0, 0], [2, 0], [2, 3]])
    layer = kind(table, 3, 2, 2, 3)
    table[:] = 0
    assert layer.connTable.tolist() == [[0, 0], [2, 0], [2, 3]]
    assert (layer.nInputPlane, layer.nOutputPlane, layer.kW, layer.kH) == (3, 4, 3, 2)
    assert (layer.dW, layer.dH) == (2, 3)
    assert layer.weight.shape == (3, 2, 3)
    assert np.array_equal(layer.float().connTable, layer.connTable)
    layer.double()
    # What is not connected is bias alone, and NaN reaches nothing else.
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 8))
    output = layer.forward(x)
    assert np.array_equal(
        output[:, 1:3], np.broadcast_to(layer.bias[1:3, None, None], output[:, 1:3].shape)
    )
    x[:, 0] = np.nan
    spoilt = layer.forward(x)
    assert np.isnan(spoilt[:, 0]).any()
    assert np.array_equal(spoilt[:, 1:], output[:, 1:])
    gradOutput = np.ones_like(output)
    gradOutput[:, 3] = np.nan
    gradInput = layer.backward(np.ones_like(x), gradOutput)
    assert np.isfinite(gradInput[:, :2]).all()
    assert not gradInput[:, 1].any()
    assert not np.isfinite(gradInput[:, 2]).all()


def test_windows_that_do_not_fill_the_image_leave_the_gradient_right():
    # Torch7 writes outside it.
    layer = nn.SpatialConvolutionMap(nn.tables.full(2, 3), 2, 3, 2, 2)
    whole = nn.SpatialConvolution(2, 3, 2, 3, 2, 2)
    whole.weight, whole.bias = layer.weight.reshape(3, 2, 3, 2), layer.bias
    x = np.random.default_rng(0).standard_normal((4, 2, 6, 7))
    output = layer.forward(x)
    assert np.allclose(output, whole.forward(x), 0, 1e-14)
    for each in (layer, whole):
        each.zeroGradParameters()
    assert np.allclose(layer.backward(x, output), whole.backward(x, output), 0, 1e-13)
    assert np.allclose(layer.gradWeight.reshape(3, 2, 3, 2), whole.gradWeight, 0, 1e-12)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ([[0, 1, 2]], ShapeError, "(n, 2), a row for each connection, got (1, 3)"),
        ([], ShapeError, "(n, 2), a row for each connection, got (0,)"),
        ([[0, -1]], ShapeError, "of planes, counted from 0, got -1"),
        (
            [[0.0, 1.0]],
            DTypeError,
            "integers, got float64\n  hint: nn.tables.full, oneToOne and random make tables",
        ),
    ],
)
@pytest.mark.parametrize("kind", [nn.SpatialConvolutionMap, nn.SpatialFullConvolutionMap])
def test_a_wrong_table_is_refused(kind, table, error, message):
    expected = f"{kind.__name__}: conMatrix must be {message}"
    with pytest.raises(error, match=f"^{re.escape(expected)}$"):
        kind(table, 2, 2)


def test_the_bounds_of_a_table_follow_its_connections():
    table = [[0, 0], [1, 0], [2, 0], [3, 0], [0, 2]]
    layer = nn.SpatialConvolutionMap(table, 5, 5)
    random.manualSeed(3)
    layer.reset()
    bounds = [0.1, 0.1, 0.1, 0.1, 0.2]
    largest = np.abs(layer.weight).max((1, 2))
    assert (largest <= bounds).all()
    assert (largest > np.multiply(bounds, 0.8)).all()
    # The plane without connections, too.
    assert (np.abs(layer.bias) <= [0.1, 1, 0.2]).all()
    plain = nn.SpatialConvolution(1, 5, 5, 5)
    for each in (plain, layer):
        random.manualSeed(3)
        each.reset(0.5)
    assert np.array_equal(layer.weight, plain.weight.reshape(5, 5, 5))
    assert layer.noBias().reset().bias is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.SpatialConvolution(1, 2, 3, 3),
        lambda: nn.SpatialFullConvolution(1, 2, 3, 3),
        lambda: nn.SpatialConvolutionLocal(1, 2, 5, 5, 3, 3),
        lambda: nn.SpatialConvolutionMap(nn.tables.full(1, 2), 3, 3),
        lambda: nn.VolumetricConvolution(1, 2, 1, 2, 2),
        lambda: nn.TemporalConvolution(5, 2, 3),
    ],
)
def test_complex_layers_take_real_numbers(make):
    layer = make().type("complex128")
    layer.weight *= 1 + 2j
    shape = (5, 5) if isinstance(layer, nn.TemporalConvolution) else (1, 5, 5)
    shape = (1, *shape) if isinstance(layer, nn.VolumetricConvolution) else shape
    x = np.arange(25.0).reshape(shape)
    output, expected = layer.forward(x), layer.forward(x + 0j)
    assert output.dtype == np.complex128
    np.testing.assert_allclose(output, expected, rtol=1e-12)
    gradInputs = [layer.updateGradInput(a, expected) for a in (x, x + 0j)]
    np.testing.assert_allclose(*gradInputs, rtol=1e-12)


@pytest.mark.parametrize("batch", [(), (4,)])
def test_what_would_fit_frames(batch):
    swapped = "np.swapaxes(input, -1, -2) has a frame in each row"
    small = "a window of 4 is larger than the input, 3"
    other = "TemporalConvolution(4, 2, ...) would fit"
    layer = nn.TemporalConvolution(5, 2, 4)
    for shape, hint in (((5, 6), swapped), ((6, 4), other), ((3, 5), small)):
        with pytest.raises(ShapeError) as caught:
            layer.forward(np.zeros((*batch, *shape)))
        assert caught.value.hint == hint
