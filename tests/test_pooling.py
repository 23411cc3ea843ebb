"""Poolings: what their rows in tests/cases leave out."""

import re

import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, SettingError, ShapeError


def test_strides_have_the_defaults_of_torch7():
    layer = nn.SpatialMaxPooling(3, 2)
    assert (layer.kW, layer.kH, layer.dW, layer.dH, layer.padW, layer.padH) == (3, 2, 3, 2, 0, 0)
    layer = nn.SpatialAveragePooling(3, 2)
    assert (layer.kW, layer.kH, layer.dW, layer.dH, layer.padW, layer.padH) == (3, 2, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.SpatialMaxPooling(3, 2), "SpatialMaxPooling(3x2, 3,2)"),
        (lambda: nn.SpatialMaxPooling(3, 3, 2, 1, 1, 0), "SpatialMaxPooling(3x3, 2,1, 1,0)"),
        (lambda: nn.SpatialAveragePooling(3, 2), "SpatialAveragePooling(3x2, 1,1)"),
    ],
)
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


SMALL = "(C, H, W) or (N, C, H, W)"
WRONG = [
    (lambda: nn.SpatialMaxPooling(2, 2), (5, 5), f"{SMALL}, got (5, 5)\n"
     "  hint: input[None] is one sample with one plane"),
    (lambda: nn.SpatialMaxPooling(2, 3), (1, 2, 1), f"{SMALL} with H >= 3 and W >= 2, "
     "got (1, 2, 1)"),
    (lambda: nn.SpatialMaxPooling(3, 3, 2, 2).ceil(), (1, 1, 5), f"{SMALL} with H >= 2 and "
     "W >= 2, got (1, 1, 5)"),
    (lambda: nn.SpatialAveragePooling(5, 5, 1, 1, 1, 0), (1, 5, 2), f"{SMALL} with H >= 5 and "
     "W >= 3, got (1, 5, 2)"),
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
