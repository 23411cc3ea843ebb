"""SpatialContrastiveNormalization."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn._network import OneLayer
from torchlite.nn.normalization._neighbourhood import normalized
from torchlite.nn.normalization.spatial_divisive_normalization import SpatialDivisiveNormalization
from torchlite.nn.normalization.spatial_subtractive_normalization import (
    SpatialSubtractiveNormalization,
)

__all__ = ["SpatialContrastiveNormalization"]


class SpatialContrastiveNormalization(OneLayer):
    """Subtracts from every pixel the mean of its neighbours, then divides by their deviation.

    It is a network: modules[0] is a `SpatialSubtractiveNormalization`, modules[1] a
    `SpatialDivisiveNormalization`.

    Maths
    -----
    ::

        centered = modules[0].updateOutput(input)
        output = modules[1].updateOutput(centered)
        gradCentered = modules[1].updateGradInput(centered, gradOutput)
        gradInput = modules[0].updateGradInput(input, gradCentered)

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output: the same.

    Parameters
    ----------
    nInputPlane
        The number of planes.
    kernel
        The weights of the neighbours: an array (kH, kW) with odd sizes, or (k,), which stands for
        np.outer(kernel, kernel); if it is not given, 9 times 9 ones. It is copied.
    threshold
        Deviations up to this are replaced.
    thresval
        By this, which is positive.

    Conventions
    -----------
    Remembers its forward, as every `Sequential`.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; the kernel has even sizes.
    SettingError
        The sum of the kernel is 0, threshold is negative or thresval is not positive.
    StateError
        A backward of another input than the last forward's.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialContrastiveNormalization(2, np.ones((1, 1)))
    >>> layer.forward(np.array([[[1.0, 2.0]], [[7.0, 2.0]]]))
    array([[[-1.,  0.]],
    <BLANKLINE>
           [[ 1.,  0.]]])

    Reference
    ---------
    Torch7, nn/SpatialContrastiveNormalization.lua. Jarrett and others, What is the best
    multi-stage architecture for object recognition?, 2009.
    """

    def __init__(
        self,
        nInputPlane: int = 1,
        kernel: Any = None,
        threshold: float = 1e-4,
        thresval: float = 1e-4,
    ) -> None:
        checks.at_least(self, "nInputPlane", nInputPlane, 1)
        normalized(self, kernel)
        checks.not_negative(self, "threshold", threshold)
        checks.positive_number(self, "thresval", thresval)
        super().__init__(
            SpatialSubtractiveNormalization(nInputPlane, kernel),
            SpatialDivisiveNormalization(nInputPlane, kernel, threshold, thresval),
        )
