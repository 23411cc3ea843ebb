"""Padding and resampling: what the rows in tests/cases leave out."""

import re

import cases
import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, SettingError, ShapeError
from torchlite.nn.nested import map_arrays


@pytest.mark.parametrize(
    "kind", [nn.SpatialZeroPadding, nn.SpatialReflectionPadding, nn.SpatialReplicationPadding]
)
def test_pads_that_are_not_given_are_as_the_left_one(kind):
    layer = kind(2)
    assert (layer.pad_l, layer.pad_r, layer.pad_t, layer.pad_b) == (2, 2, 2, 2)
    assert repr(kind(2, 0, -1)) == f"{kind.__name__}(l=2, r=0, t=-1, b=2)"
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
    (lambda: nn.SpatialUpSamplingNearest(2), (3, 0, 3),
     f"{IMAGES} with H >= 1 and W >= 1, got (3, 0, 3)"),
    (lambda: nn.SpatialUpSamplingBilinear(2), (3, 3),
     f"{IMAGES}, got (3, 3)\n  hint: input[None] is one sample with one plane"),
    (lambda: nn.UpSampling(2), (3, 3, 3), "(N, C, H, W) or (N, C, T, H, W), got (3, 3, 3)"),
    (lambda: nn.UpSampling({"oheight": 2, "owidth": 2}, "linear"), (3, 3, 3, 3, 3),
     "(N, C, H, W), got (3, 3, 3, 3, 3)"),
    (lambda: nn.UpSampling({"odepth": 2, "oheight": 2, "owidth": 2}, "linear"), (3, 3, 3, 3),
     "(N, C, T, H, W), got (3, 3, 3, 3)"),
    (lambda: nn.UpSampling(2, "linear"), (3, 3, 3, 0),
     "(N, C, H, W) or (N, C, T, H, W) with entries in every plane, got (3, 3, 3, 0)"),
    (lambda: nn.PixelShuffle(2), (3, 6, 2, 2),
     f"{IMAGES} with C a multiple of 4, got (3, 6, 2, 2)"),
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


def test_it_prints_as_in_torch7():
    for layer, text in [
        (nn.SpatialZeroPadding(1, 2, 0, -1), "SpatialZeroPadding(l=1, r=2, t=0, b=-1)"),
        (nn.VolumetricReplicationPadding(1, 2, 3, 4, 5, 6),
         "VolumetricReplicationPadding(left=1, right=2, top=3, bottom=4, front=5, back=6)"),
        (nn.SpatialUpSamplingNearest(2), "SpatialUpSamplingNearest"),
        (nn.SpatialUpSamplingBilinear(2), "SpatialUpSamplingBilinear(2)"),
        (nn.SpatialUpSamplingBilinear({"oheight": 3, "owidth": 4}),
         "SpatialUpSamplingBilinear(3, 4)"),
        (nn.UpSampling(2), "UpSampling(2x, nearest)"),
        (nn.UpSampling(3, "bilinear"), "UpSampling(3x, linear)"),
        (nn.UpSampling({"oheight": 3, "owidth": 4}, "linear"), "UpSampling(3x4, linear)"),
        (nn.UpSampling({"odepth": 2, "oheight": 3, "owidth": 4}, "trilinear"),
         "UpSampling(2x3x4, linear)"),
        (nn.PixelShuffle(3), "PixelShuffle"),
    ]:  # fmt: skip
        assert repr(layer) == text


def test_sizes_that_are_given_are_those_of_height_and_width():
    x = np.arange(6.0).reshape(1, 1, 2, 3)
    size = {"oheight": 3, "owidth": 5}
    layer = nn.UpSampling(size, "linear")
    assert (layer.scale_factor, layer.odepth, layer.oheight, layer.owidth) == (None, None, 3, 5)
    assert layer.forward(x).tolist() == [
        [[[0, 0.5, 1, 1.5, 2], [1.5, 2, 2.5, 3, 3.5], [3, 3.5, 4, 4.5, 5]]]
    ]
    layer = nn.UpSampling({"odepth": 7, **size}, "linear")
    assert layer.odepth == 7
    assert layer.forward(x[:, :, None]).shape == (1, 1, 7, 3, 5)


def test_linear_upsampling_is_exact_in_float64():
    x = np.array([[[[0.0, 3.0]]]])
    output = nn.UpSampling({"oheight": 1, "owidth": 4}, "linear").forward(x)
    np.testing.assert_allclose(output, [[[[0, 1, 2, 3]]]], rtol=1e-15)
    message = "input must be float32, float64, complex64 or complex128, got int64"
    with pytest.raises(DTypeError, match=message):
        nn.SpatialUpSamplingBilinear(2).forward(np.ones((1, 2, 2), int))
    with pytest.raises(DTypeError, match=message):
        nn.UpSampling(2, "linear").forward(np.ones((1, 1, 2, 2), int))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.SpatialUpSamplingNearest(0), ShapeError,
         "SpatialUpSamplingNearest: scale must be at least 1, got 0"),
        (lambda: nn.SpatialUpSamplingNearest(1.5), DTypeError,
         "SpatialUpSamplingNearest: scale must be an integer, got 1.5"),
        (lambda: nn.SpatialUpSamplingBilinear(0), ShapeError,
         "SpatialUpSamplingBilinear: scale_factor must be at least 1, got 0"),
        (lambda: nn.SpatialUpSamplingBilinear({"oheight": 2}), SettingError,
         "SpatialUpSamplingBilinear: params must be a scale factor, or a dict with oheight and "
         "owidth, got {'oheight': 2}"),
        (lambda: nn.SpatialUpSamplingBilinear({"oheight": 2, "owidth": 2, "odepth": 2}),
         SettingError, "SpatialUpSamplingBilinear: params must be a scale factor, or a dict with "
         "oheight and owidth, got {'oheight': 2, 'owidth': 2, 'odepth': 2}"),
        (lambda: nn.UpSampling({"oheight": 2, "owidht": 2}, "linear"), SettingError,
         "UpSampling: params must be a scale factor, or a dict with oheight and owidth, got "
         "{'oheight': 2, 'owidht': 2}"),
        (lambda: nn.UpSampling({"oheight": 2, "owidth": 0}, "linear"), ShapeError,
         "UpSampling: owidth must be at least 1, got 0"),
        (lambda: nn.UpSampling({"oheight": 2, "owidth": 2}), SettingError,
         "UpSampling: params must be a scale factor, got {'oheight': 2, 'owidth': 2}\n"
         "  hint: the mode 'linear' takes sizes"),
        (lambda: nn.UpSampling(2, "cubic"), SettingError,
         "UpSampling: mode must be 'nearest', 'linear', 'bilinear' or 'trilinear', got 'cubic'"),
        (lambda: nn.PixelShuffle(0), ShapeError,
         "PixelShuffle: upscaleFactor must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(make, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize("dtype", ["int8", "bool"])
def test_what_only_moves_entries_takes_integers(dtype):
    x = np.array([[[1, 0], [0, 1]]] * 4, dtype)
    for layer in (nn.SpatialUpSamplingNearest(2), nn.PixelShuffle(2)):
        output = layer.forward(x)
        assert output.dtype == dtype
        assert output.sum(dtype=int) in (8, 32)
        gradInput = layer.backward(x, np.ones(output.shape))
        assert gradInput.dtype == dtype
        assert not gradInput.any()


ROOMS = "convolution", "normalization", "pooling", "resampling"
# Settings, and sizes of images, with which there is nothing to do.
IDLE = [
    (nn.SpatialZeroPadding, (0,), (2, 4, 3, 3)),
    (nn.SpatialReflectionPadding, (0,), (2, 4, 3, 3)),
    (nn.SpatialReplicationPadding, (0,), (2, 4, 3, 3)),
    (nn.VolumetricReplicationPadding, (0,), (2, 2, 3, 3, 3)),
    (nn.SpatialUpSamplingNearest, (1,), (2, 4, 3, 3)),
    (nn.SpatialUpSamplingNearest, (2,), (2, 4, 1, 1)),
    (nn.SpatialUpSamplingBilinear, (1,), (2, 4, 3, 3)),
    (nn.UpSampling, (1,), (2, 4, 3, 3)),
    (nn.UpSampling, (1,), (2, 2, 3, 3, 3)),
    (nn.UpSampling, (1, "linear"), (2, 4, 3, 3)),
    (nn.PixelShuffle, (1,), (2, 4, 3, 3)),
    (nn.PixelShuffle, (2,), (2, 4, 1, 1)),
    (nn.SpatialMaxPooling, (1, 1), (2, 4, 3, 3)),
    (nn.SpatialDilatedMaxPooling, (1, 1), (2, 4, 3, 3)),
    (nn.SpatialAveragePooling, (1, 1), (2, 4, 3, 3)),
    (nn.SpatialAdaptiveMaxPooling, (3, 3), (2, 4, 3, 3)),
    (nn.SpatialAdaptiveAveragePooling, (3, 3), (2, 4, 3, 3)),
    (nn.SpatialLPPooling, (4, 1, 1, 1), (2, 4, 3, 3)),
    (nn.TemporalMaxPooling, (1,), (2, 3, 4)),
    (nn.TemporalDynamicKMaxPooling, (3,), (2, 3, 4)),
    (nn.VolumetricMaxPooling, (1, 1, 1), (2, 2, 3, 3, 3)),
    (nn.VolumetricAveragePooling, (1, 1, 1), (2, 2, 3, 3, 3)),
    (nn.SpatialCrossMapLRN, (1, 0), (2, 4, 3, 3)),
    (nn.SpatialSubtractiveNormalization, (4, [[1]]), (2, 4, 3, 3)),
    (nn.SpatialBatchNormalization, (4, 1e-5, 0.1, False), (2, 4, 3, 3)),
    (nn.SpatialConvolution, (4, 4, 1, 1), (2, 4, 1, 1)),
    (nn.SpatialFullConvolution, (4, 4, 1, 1), (2, 4, 1, 1)),
    (nn.SpatialDepthWiseConvolution, (4, 1, 1, 1), (2, 4, 1, 1)),
    (nn.SpatialConvolutionLocal, (4, 4, 1, 1, 1, 1), (2, 4, 1, 1)),
    (nn.SpatialSubSampling, (4, 1, 1), (2, 4, 1, 1)),
    (nn.TemporalConvolution, (4, 4, 1), (2, 1, 4)),
    (nn.TemporalRowConvolution, (4, 1), (2, 1, 4)),
]
FRESH = [
    *(pytest.param(case, id=f"{room}-{case.id}") for room, case in cases.rows() if room in ROOMS),
    *(
        pytest.param(
            cases.Case(lambda kind=kind, arguments=arguments: kind(*arguments), shape),
            id=f"{kind.__name__}{arguments}-of-{shape}",
        )
        for kind, arguments, shape in IDLE
    ),
]


@pytest.mark.parametrize("case", FRESH)
def test_what_comes_back_is_a_fresh_array(case):
    layer, x = case.make(), case.draw(np.random.default_rng(3))
    output = layer.forward(x)
    gradOutput = map_arrays(np.ones_like, output)
    gradInput = layer.backward(x, gradOutput)
    given, found = [], []
    map_arrays(given.append, [x, gradOutput])
    map_arrays(found.append, [output, gradInput])
    for array in found:
        assert array.flags.writeable
        assert not any(np.may_share_memory(array, other) for other in given)
