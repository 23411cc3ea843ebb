"""Padding and resampling: images of another size."""

from cases import Case, of_integers
from torchlite import nn

ZERO = Case(lambda: nn.SpatialZeroPadding(1, -1, 2, 0), (3, 2, 4, 5))
REFLECTION = Case(lambda: nn.SpatialReflectionPadding(2, 3, -1, 1), (3, 2, 4, 5))
REPLICATION = Case(lambda: nn.SpatialReplicationPadding(2, 3, -1, 1), (3, 2, 4, 5))
VOLUMETRIC = Case(lambda: nn.VolumetricReplicationPadding(1, 0, 2, -1, 0, 2), (3, 2, 2, 3, 2))
NEAREST = Case(lambda: nn.SpatialUpSamplingNearest(3), (3, 2, 2, 3))
VOLUMES = Case(lambda: nn.UpSampling(2), (3, 2, 2, 1, 3), name="volumes")
SHUFFLE = Case(lambda: nn.PixelShuffle(2), (3, 8, 2, 3))

CASES = [
    ZERO,
    Case(lambda: nn.SpatialZeroPadding(1), (2, 3, 4), name="one sample"),
    *of_integers(ZERO),
    REFLECTION,
    Case(lambda: nn.SpatialReflectionPadding(1), (2, 3, 4), name="one sample"),
    *of_integers(REFLECTION),
    REPLICATION,
    Case(lambda: nn.SpatialReplicationPadding(1), (2, 3, 4), name="one sample"),
    *of_integers(REPLICATION),
    VOLUMETRIC,
    Case(lambda: nn.VolumetricReplicationPadding(1), (2, 2, 1, 3), name="one sample"),
    *of_integers(VOLUMETRIC),
    NEAREST,
    Case(lambda: nn.SpatialUpSamplingNearest(2), (2, 2, 3), name="one sample"),
    *of_integers(NEAREST),
    Case(lambda: nn.SpatialUpSamplingBilinear(3), (3, 2, 2, 3)),
    Case(
        lambda: nn.SpatialUpSamplingBilinear({"oheight": 4, "owidth": 2}),
        (2, 3, 4),
        name="one sample",
    ),
    Case(lambda: nn.UpSampling(2), (3, 2, 2, 3)),
    VOLUMES,
    *of_integers(VOLUMES),
    Case(lambda: nn.UpSampling(2, "linear"), (3, 2, 2, 3), name="linear"),
    Case(
        lambda: nn.UpSampling({"odepth": 3, "oheight": 4, "owidth": 2}, "trilinear"),
        (3, 2, 2, 3, 1),
        name="linear volumes",
    ),
    SHUFFLE,
    Case(lambda: nn.PixelShuffle(1), (2, 2, 3), name="one sample"),
    *of_integers(SHUFFLE),
]
