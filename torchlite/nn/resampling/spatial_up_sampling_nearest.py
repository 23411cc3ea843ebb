"""SpatialUpSamplingNearest."""

from torchlite.nn import checks
from torchlite.nn.resampling._resampling import UpSampled

__all__ = ["SpatialUpSamplingNearest"]


class SpatialUpSamplingNearest(UpSampled):
    """Every entry of an image as a block of entries.

    Maths
    -----
    ::

        output = upsample_nearest(input, (scale_factor, scale_factor))
        gradInput = upsample_nearest_back(gradOutput, (scale_factor, scale_factor))

    Both stand in torchlite.kernels.resampling, each defined by a few lines: output[n, c, y, x] is
    input[n, c, y // scale_factor, x // scale_factor].

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = H * scale_factor and oW = W * scale_factor.

    Parameters
    ----------
    scale
        How many entries high and wide a block is, at least 1. It stands in scale_factor.

    Conventions
    -----------
    Remembers nothing. It takes integers and booleans, too, which have no gradient.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialUpSamplingNearest(2)
    >>> x = np.array([[[1.0, 2.0]]])
    >>> layer.forward(x)
    array([[[1., 1., 2., 2.],
            [1., 1., 2., 2.]]])
    >>> layer.backward(x, np.array([[[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]]]))
    array([[[33., 77.]]])

    Reference
    ---------
    Torch7, nn/SpatialUpSamplingNearest.lua.
    """

    def __init__(self, scale: int) -> None:
        self.scale_factor = checks.at_least(self, "scale", scale, 1)
