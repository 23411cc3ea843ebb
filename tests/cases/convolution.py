"""Convolution: windows of sequences, images and volumes by the same weights."""

from cases import Case
from torchlite import nn

CASES = [
    Case(lambda: nn.SpatialConvolution(2, 3, 3, 2), (4, 2, 4, 5)),
    Case(lambda: nn.SpatialConvolution(2, 3, 3, 2), (2, 4, 5), name="one sample"),
    Case(lambda: nn.SpatialConvolution(2, 3, 2, 3, 2, 1, 1, 2), (3, 2, 4, 6), name="strided"),
    Case(lambda: nn.SpatialConvolution(3, 2, 1, 1), (4, 3, 2, 3), name="pointwise"),
    Case(
        lambda: nn.SpatialConvolution(2, 3, 3, 3, 1, 1, 1).noBias(),
        (3, 2, 3, 4),
        name="no bias",
    ),
    Case(lambda: nn.SpatialConvolutionMM(2, 3, 3, 2, 2, 1, 1, 1), (3, 2, 4, 5)),
    Case(lambda: nn.SpatialConvolutionMM(2, 3, 3, 2), (2, 4, 5), name="one sample"),
    Case(
        lambda: nn.SpatialConvolutionMM(2, 3, 3, 2).noBias(),
        (3, 2, 4, 5),
        name="no bias",
    ),
    Case(lambda: nn.SpatialFullConvolution(2, 3, 3, 2), (4, 2, 3, 2)),
    Case(
        lambda: nn.SpatialFullConvolution(3, 2, 2, 3, 2, 3, 1, 1, 1, 2),
        (3, 3, 2, 3),
        name="strided",
    ),
    Case(
        lambda: nn.SpatialFullConvolution(2, 3, 3, 3, 2, 2, 1, 1),
        [(3, 2, 2, 3), (3, 1, 4, 5)],
        name="table",
    ),
    Case(
        lambda: nn.SpatialFullConvolution(2, 3, 3, 2),
        (2, 3, 2),
        name="one sample",
    ),
    Case(
        lambda: nn.SpatialFullConvolution(2, 3, 3, 2).noBias(),
        (4, 2, 3, 2),
        name="no bias",
    ),
    Case(
        lambda: nn.SpatialDilatedConvolution(2, 3, 3, 2, 1, 1, 1, 0, 2, 3),
        (4, 2, 5, 4),
    ),
    Case(
        lambda: nn.SpatialDilatedConvolution(2, 3, 2, 3, 2, 1, 0, 1, 3, 2).noBias(),
        (4, 2, 4, 5),
        name="no bias",
    ),
    Case(lambda: nn.SpatialDepthWiseConvolution(3, 2, 3, 2), (4, 3, 3, 4)),
    Case(
        lambda: nn.SpatialDepthWiseConvolution(2, 3, 2, 3, 2, 1, 1, 0).noBias(),
        (4, 2, 3, 4),
        name="no bias",
    ),
    Case(lambda: nn.SpatialConvolutionLocal(2, 3, 4, 5, 2, 3), (4, 2, 5, 4)),
    Case(
        lambda: nn.SpatialConvolutionLocal(2, 3, 3, 4, 2, 3, 1, 2, 1, 2).noBias(),
        (3, 2, 4, 3),
        name="no bias",
    ),
    Case(
        lambda: nn.SpatialConvolutionLocal(2, 1, 3, 4, 2, 3),
        (2, 4, 3),
        name="one sample",
    ),
    Case(lambda: nn.SpatialConvolutionMap(nn.tables.full(2, 3), 3, 2), (4, 2, 4, 5)),
    Case(
        lambda: nn.SpatialConvolutionMap([[0, 0], [2, 0], [2, 3], [0, 0]], 2, 3, 2, 1).noBias(),
        (4, 3, 4, 5),
        name="no bias",
    ),
    Case(lambda: nn.SpatialFullConvolutionMap(nn.tables.full(2, 3), 3, 2), (4, 2, 2, 3)),
    Case(
        lambda: nn.SpatialFullConvolutionMap([[0, 0], [2, 0], [2, 3], [0, 0]], 2, 3, 3, 2).noBias(),
        (4, 3, 2, 3),
        name="no bias",
    ),
    Case(lambda: nn.SpatialSubSampling(3, 2, 3, 1, 2), (4, 3, 6, 4)),
    Case(
        lambda: nn.SpatialSubSampling(3, 2, 3, 2, 1).noBias(),
        (2, 3, 4, 5),
        name="no bias",
    ),
    Case(lambda: nn.TemporalConvolution(3, 2, 2), (4, 5, 3)),
    Case(lambda: nn.TemporalConvolution(2, 3, 3, 2), (6, 2), name="one sample"),
    Case(
        lambda: nn.TemporalConvolution(2, 3, 2, 3).noBias(),
        (4, 6, 2),
        name="no bias",
    ),
    Case(lambda: nn.TemporalRowConvolution(3, 2), (4, 5, 3)),
    Case(lambda: nn.TemporalRowConvolution(3, 2, 2, True), (4, 3, 5), name="features first"),
    Case(
        lambda: nn.TemporalRowConvolution(3, 2, 3).noBias(),
        (6, 3),
        name="no bias",
    ),
    Case(lambda: nn.TemporalSubSampling(3, 2), (4, 5, 3)),
    Case(
        lambda: nn.TemporalSubSampling(3, 3, 2).noBias(),
        (6, 3),
        name="no bias",
    ),
    Case(lambda: nn.VolumetricConvolution(2, 3, 2, 3, 2), (4, 2, 3, 3, 3)),
    Case(
        lambda: nn.VolumetricConvolution(2, 2, 2, 3, 1, 2, 1, 3, 1, 2, 0),
        (2, 2, 3, 4, 2),
        name="strided",
    ),
    Case(
        lambda: nn.VolumetricConvolution(2, 3, 2, 2, 2).noBias(),
        (2, 3, 2, 3),
        name="no bias",
    ),
    Case(
        lambda: nn.VolumetricDilatedConvolution(2, 3, 2, 3, 2, 1, 2, 1, 1, 1, 0, 3, 1, 2),
        (2, 2, 3, 3, 4),
    ),
    Case(
        lambda: nn.VolumetricDilatedConvolution(1, 2, 2, 2, 2).noBias(),
        (2, 1, 2, 3, 3),
        name="no bias",
    ),
    Case(lambda: nn.VolumetricFullConvolution(2, 3, 2, 1, 3), (2, 2, 2, 3, 2)),
    Case(
        lambda: nn.VolumetricFullConvolution(2, 2, 3, 2, 2, 2, 1, 3, 1, 0, 1, 1, 0, 2),
        (2, 2, 2, 3, 2),
        name="strided",
    ),
    Case(
        lambda: nn.VolumetricFullConvolution(2, 2, 2, 2, 2, 2, 2, 2, 0, 1, 0).noBias(),
        [(2, 2, 1, 2, 2), (2, 1, 3, 5, 2)],
        name="table",
    ),
]
