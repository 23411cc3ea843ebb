"""Convolutions: what their rows in tests/cases leave out."""

import re

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, ShapeError
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
        "(1, H, W) or (N, 1, H, W) with H >= 3 and W >= 2, got (1, 2, 1)",
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
