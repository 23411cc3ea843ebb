"""Pooling: one number for all entries of a window."""

import numpy as np

from cases import Case
from torchlite import nn


def distinct(*shape):
    """Return a maker of inputs without ties."""
    size = int(np.prod(shape))
    return lambda rng: (2 * rng.permutation(np.arange(-size, size))[:size] + 1).reshape(shape) / 16


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
]
