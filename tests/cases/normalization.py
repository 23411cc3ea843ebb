"""Normalisation of images: over a batch, over planes, over neighbourhoods."""

from cases import Case
from torchlite import nn

CASES = [
    Case(lambda: nn.SpatialBatchNormalization(3), (4, 3, 2, 3)),
    Case(
        lambda: nn.SpatialBatchNormalization(3).evaluate(),
        (2, 3, 2, 3),
        name="evaluation",
    ),
    Case(
        lambda: nn.SpatialBatchNormalization(3, affine=False),
        (4, 3, 2, 2),
        name="not affine",
    ),
    Case(lambda: nn.VolumetricBatchNormalization(2), (3, 2, 2, 1, 3)),
    Case(
        lambda: nn.VolumetricBatchNormalization(2).evaluate(),
        (2, 2, 2, 1, 3),
        name="evaluation",
    ),
]
