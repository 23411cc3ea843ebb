"""Padding and resampling: what the rows in tests/cases leave out."""

import re

import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, ShapeError


@pytest.mark.parametrize(
    "kind", [nn.SpatialZeroPadding, nn.SpatialReflectionPadding, nn.SpatialReplicationPadding]
)
def test_pads_that_are_not_given_are_as_the_left_one(kind):
    layer = kind(2)
    assert (layer.pad_l, layer.pad_r, layer.pad_t, layer.pad_b) == (2, 2, 2, 2)
    assert repr(kind(2, 0, -1)) == f"{kind.__name__}(l=2,r=0,t=-1,b=2)"
    layer = nn.VolumetricReplicationPadding(1, 0)
    assert (layer.pleft, layer.pright, layer.ptop, layer.pbottom) == (1, 0, 1, 1)
    assert (layer.pfront, layer.pback) == (1, 1)
    text = "VolumetricReplicationPadding(left=1, right=0, top=1, bottom=1, front=1, back=1)"
    assert repr(layer) == text


X = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])


@pytest.mark.parametrize(
    ("layer", "output"),
    [
        (lambda: nn.SpatialZeroPadding(1, -1, 0, 1), [[0, 1, 2], [0, 4, 5], [0, 0, 0]]),
        (lambda: nn.SpatialReflectionPadding(2, -1, 0, 1),
         [[3, 2, 1, 2], [6, 5, 4, 5], [3, 2, 1, 2]]),
        (lambda: nn.SpatialReplicationPadding(2, -1, 0, 1),
         [[1, 1, 1, 2], [4, 4, 4, 5], [4, 4, 4, 5]]),
    ],
)  # fmt: skip
def test_what_stands_beyond_the_edges(layer, output):
    found = layer().forward(X)
    assert found.tolist() == [output]
    assert layer().forward(X[None].astype("int8")).tolist() == [[output]]


def test_volumes_are_padded_in_the_order_t_h_w():
    layer = nn.VolumetricReplicationPadding(1, 0, 0, 0, 0, 2)
    x = np.arange(4.0).reshape(1, 2, 1, 2)
    assert layer.forward(x).tolist() == [
        [[[0, 0, 1]], [[2, 2, 3]], [[2, 2, 3]], [[2, 2, 3]]]
    ]  # fmt: skip


IMAGES = "(C, H, W) or (N, C, H, W)"
WRONG = [
    (lambda: nn.SpatialZeroPadding(1), (4, 4),
     f"{IMAGES}, got (4, 4)\n  hint: input[None] is one sample with one plane"),
    (lambda: nn.SpatialZeroPadding(1), (4, 4, 4, 4, 4), f"{IMAGES}, got (4, 4, 4, 4, 4)"),
    (lambda: nn.SpatialZeroPadding(-2, 5, 0, -1), (1, 2, 2),
     f"{IMAGES} with H >= 2 and W >= 3, got (1, 2, 2)"),
    (lambda: nn.SpatialReflectionPadding(1, 3, 0, 0), (1, 1, 3),
     f"{IMAGES} with H >= 1 and W >= 4, got (1, 1, 3)"),
    (lambda: nn.SpatialReplicationPadding(1, 1, 0, 0), (1, 0, 3),
     f"{IMAGES} with H >= 1 and W >= 1, got (1, 0, 3)"),
    (lambda: nn.VolumetricReplicationPadding(1, 1, 0, 0, -1, 0), (2, 1, 3, 3),
     "(C, T, H, W) or (N, C, T, H, W) with T >= 2 and H >= 1 and W >= 1, got (2, 1, 3, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shape", "message"), WRONG)
def test_a_wrong_input_is_refused(make, shape, message):
    layer = make()
    for method, arguments in [("updateOutput", ()), ("updateGradInput", (np.ones(shape),))]:
        expected = f"{layer!r}.{method}: input must be {message}"
        with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
            getattr(layer, method)(np.ones(shape), *arguments)


def test_pads_are_integers():
    message = "^SpatialZeroPadding: pad_r must be an integer, got 1.5$"
    with pytest.raises(DTypeError, match=message):
        nn.SpatialZeroPadding(1, 1.5)
