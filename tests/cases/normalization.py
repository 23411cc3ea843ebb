"""Normalisation: over a batch, over a sample, over planes and neighbourhoods."""

import numpy as np

from cases import Case
from torchlite import nn

KERNEL = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 1.0], [0.0, 1.0, 2.0]])

CASES = [
    Case(lambda: nn.BatchNormalization(3), (5, 3)),
    Case(
        lambda: nn.BatchNormalization(3, affine=False),
        (5, 3),
        name="not affine",
    ),
    Case(lambda: nn.BatchNormalization(3).evaluate(), (5, 3), name="evaluation"),
    Case(lambda: nn.LayerNormalization(3), (5, 3)),
    Case(
        lambda: nn.LayerNormalization(3, affine=False),
        (5, 3),
        name="not affine",
    ),
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
    Case(lambda: nn.SpatialCrossMapLRN(3, 2, 0.75, 1), (3, 4, 2, 3)),
    Case(
        lambda: nn.SpatialCrossMapLRN(5, 0.5, 0.6, 2),
        (3, 2, 2),
        name="one sample",
    ),
    Case(lambda: nn.SpatialSubtractiveNormalization(2, KERNEL), (3, 2, 4, 3)),
    Case(
        lambda: nn.SpatialSubtractiveNormalization(1, [1.0, 2.0, 1.0]), (1, 3, 4), name="one sample"
    ),
    Case(lambda: nn.SpatialDivisiveNormalization(2, KERNEL), (3, 2, 4, 3)),
    Case(
        lambda: nn.SpatialDivisiveNormalization(1, [1.0, 2.0, 1.0], 2, 3),
        (1, 3, 4),
        name="one sample",
    ),
    Case(lambda: nn.SpatialContrastiveNormalization(2, KERNEL), (3, 2, 4, 3)),
]
