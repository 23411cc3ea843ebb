"""SmoothL1Criterion."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["SmoothL1Criterion"]


class SmoothL1Criterion(Elementwise):
    """Differences up to 1 halved and squared, larger ones absolute: few care for outliers.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        z = np.abs(input - target)
        output = np.where(z < 1, z**2 / 2, z - 1 / 2).sum() / n
        gradInput = np.clip(input - target, -1, 1) / n

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.SmoothL1Criterion(False)
    >>> x, y = np.array([0.5, 4.0]), np.array([0.0, 1.0])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (2.625, array([0.5, 1. ]))

    Reference
    ---------
    Torch7, nn/SmoothL1Criterion.lua; Girshick, Fast R-CNN, arXiv:1504.08083.
    """

    def _losses(self, input: Array, target: Array) -> Array:
        z = absolute(input - target)
        square = np.minimum(z, 1)
        return square * (z - square / 2)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        gradInput = np.clip(input - target, -1, 1)
        gradInput *= factor
        return gradInput
