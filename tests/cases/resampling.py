"""Padding and resampling: images of another size."""

from cases import Case, of_integers
from torchlite import nn

ZERO = Case(lambda: nn.SpatialZeroPadding(1, -1, 2, 0), (3, 2, 4, 5))
REFLECTION = Case(lambda: nn.SpatialReflectionPadding(2, 3, -1, 1), (3, 2, 4, 5))
REPLICATION = Case(lambda: nn.SpatialReplicationPadding(2, 3, -1, 1), (3, 2, 4, 5))
VOLUMETRIC = Case(lambda: nn.VolumetricReplicationPadding(1, 0, 2, -1, 0, 2), (3, 2, 2, 3, 2))

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
]
