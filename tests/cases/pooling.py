"""Pooling: one number for all entries of a window."""

import numpy as np

from cases import Case
from torchlite import nn


def distinct(*shape):
    """Return a maker of inputs without ties."""
    size = int(np.prod(shape))
    return lambda rng: (2 * rng.permutation(np.arange(-size, size))[:size] + 1).reshape(shape) / 16


def unpooled(kind, pool):
    """Return a network in which a layer puts back what a pooling before it took."""
    return nn.Sequential(pool, nn.MulConstant(0.5), kind(pool))


CASES = [
    Case(lambda: nn.SpatialMaxPooling(2, 2), distinct(3, 2, 4, 6)),
    Case(lambda: nn.SpatialMaxPooling(2, 2), distinct(2, 4, 4), name="one sample"),
    Case(lambda: nn.SpatialMaxPooling(3, 2, 2, 1, 1, 1), distinct(3, 2, 4, 5), name="overlapping"),
    Case(lambda: nn.SpatialMaxPooling(3, 3, 2, 2).ceil(), distinct(3, 2, 4, 6), name="ceil"),
    Case(lambda: nn.SpatialAveragePooling(2, 2), (3, 2, 4, 5)),
    Case(lambda: nn.SpatialAveragePooling(2, 2), (2, 4, 4), name="one sample"),
    Case(lambda: nn.SpatialAveragePooling(3, 2, 2, 2, 1, 1), (3, 2, 4, 5), name="padding"),
    Case(
        lambda: nn.SpatialAveragePooling(3, 3, 2, 2, 1, 1).setCountExcludePad().ceil(),
        (3, 2, 4, 4),
        name="no pads",
    ),
    Case(
        lambda: nn.SpatialDilatedMaxPooling(2, 2, 1, 2, 1, 0, 2, 1),
        distinct(3, 2, 4, 5),
    ),
    Case(
        lambda: nn.SpatialDilatedMaxPooling(3, 2, 2, 1, 1, 1, 2, 2).ceil(),
        distinct(2, 4, 6),
        name="one sample",
    ),
    Case(lambda: nn.SpatialAdaptiveMaxPooling(2, 3), distinct(3, 2, 4, 5)),
    Case(lambda: nn.SpatialAdaptiveMaxPooling(4, 2), distinct(2, 5, 3), name="one sample"),
    Case(lambda: nn.SpatialAdaptiveAveragePooling(2, 3), (3, 2, 4, 5)),
    Case(lambda: nn.SpatialAdaptiveAveragePooling(4, 2), (2, 5, 3), name="one sample"),
    Case(lambda: nn.SpatialFractionalMaxPooling(2, 2, 3, 2), distinct(3, 2, 4, 6)),
    Case(lambda: nn.SpatialFractionalMaxPooling(2, 3, 0.7, 0.5), distinct(2, 6, 7), name="ratios"),
    Case(
        lambda: nn.SpatialFractionalMaxPooling(2, 2, 2, 2).fixPoolingRegions(),
        distinct(2, 2, 4, 5),
        name="fixed",
    ),
    Case(lambda: nn.SpatialLPPooling(2, 2, 2, 2), (3, 2, 4, 5)),
    Case(lambda: nn.SpatialLPPooling(2, 4, 2, 1, 1, 1), (2, 3, 4), name="one sample"),
    Case(
        lambda: unpooled(nn.SpatialMaxUnpooling, nn.SpatialMaxPooling(2, 2)),
        distinct(3, 2, 4, 5),
        name="SpatialMaxUnpooling",
    ),
    Case(
        lambda: unpooled(nn.SpatialMaxUnpooling, nn.SpatialMaxPooling(3, 2).ceil()),
        distinct(2, 3, 5),
        name="SpatialMaxUnpooling of one sample",
    ),
    Case(lambda: nn.TemporalMaxPooling(2), distinct(3, 4, 2)),
    Case(lambda: nn.TemporalMaxPooling(3, 1), distinct(5, 3), name="one sample"),
    Case(lambda: nn.TemporalDynamicKMaxPooling(2), distinct(3, 4, 2)),
    Case(lambda: nn.TemporalDynamicKMaxPooling(1, 0.5), distinct(5, 3), name="one sample"),
    Case(lambda: nn.VolumetricMaxPooling(2, 2, 2), distinct(3, 2, 2, 4, 3)),
    Case(
        lambda: nn.VolumetricMaxPooling(2, 3, 2, 1, 2, 2, 1, 1, 0).ceil(),
        distinct(2, 2, 3, 4),
        name="one sample",
    ),
    Case(
        lambda: nn.VolumetricDilatedMaxPooling(2, 2, 1, 1, 1, 2, 0, 1, 0, 1, 2, 1),
        distinct(3, 1, 2, 3, 4),
    ),
    Case(
        lambda: nn.VolumetricDilatedMaxPooling(1, 2, 2, 1, 1, 1, 0, 0, 0, 1, 2, 2).ceil(),
        distinct(2, 2, 3, 4),
        name="one sample",
    ),
    Case(lambda: nn.VolumetricAveragePooling(2, 2, 2), (3, 2, 2, 4, 3)),
    Case(
        lambda: nn.VolumetricAveragePooling(1, 3, 2, 1, 2, 2).ceil(),
        (2, 2, 3, 4),
        name="one sample",
    ),
    Case(lambda: nn.VolumetricFractionalMaxPooling(2, 2, 2, 2, 1, 2), distinct(3, 2, 3, 2, 4)),
    Case(
        lambda: nn.VolumetricFractionalMaxPooling(2, 2, 2, 0.6, 0.5, 0.7),
        distinct(2, 4, 4, 4),
        name="ratios",
    ),
    Case(
        lambda: unpooled(nn.VolumetricMaxUnpooling, nn.VolumetricMaxPooling(1, 2, 2)),
        distinct(2, 2, 2, 4, 2),
        name="VolumetricMaxUnpooling",
    ),
    Case(lambda: nn.FeatureLPPooling(2, 1, 2), (5,)),
    Case(lambda: nn.FeatureLPPooling(3, 2, 4), (5, 2), name="positions"),
    Case(lambda: nn.FeatureLPPooling(2, 2, 2, True), (3, 5), name="batch"),
    Case(lambda: nn.FeatureLPPooling(2, 1, 2, True), (3, 4, 2, 2), name="images"),
]
