"""SpatialZeroPadding."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.resampling import crop_or_pad
from torchlite.nn.resampling._resampling import Padded

__all__ = ["SpatialZeroPadding"]


class SpatialZeroPadding(Padded):
    """Images with zeros around them; negative numbers cut their borders off.

    Maths
    -----
    ::

        output = crop_or_pad(input, [(pad_t, pad_b), (pad_l, pad_r)])
        gradInput = crop_or_pad(gradOutput, [(-pad_t, -pad_b), (-pad_l, -pad_r)])

    crop_or_pad stands in torchlite.kernels.resampling: output[n, c, y, x] is
    input[n, c, y - pad_t, x - pad_l], and 0 where the input has no such entry.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = H + pad_t + pad_b and oW = W + pad_l + pad_r.

    Parameters
    ----------
    pad_l, pad_r, pad_t, pad_b
        How many zeros come at the left, right, top and bottom: those not given are as many as
        pad_l. Of a negative number so many entries are cut off.

    Conventions
    -----------
    Remembers nothing. It takes integers and booleans, too, which have no gradient.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or nothing would be left of it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialZeroPadding(1, 0, 0, 1)
    >>> x = np.array([[[1.0, 2.0]]])
    >>> layer.forward(x)
    array([[[0., 1., 2.],
            [0., 0., 0.]]])
    >>> nn.SpatialZeroPadding(-1, 2, 0, 0).forward(x)
    array([[[2., 0., 0.]]])

    Reference
    ---------
    Torch7, nn/SpatialZeroPadding.lua.
    """

    pad_l: int
    pad_r: int
    pad_t: int
    pad_b: int

    def __init__(
        self,
        pad_l: int,
        pad_r: int | None = None,
        pad_t: int | None = None,
        pad_b: int | None = None,
    ) -> None:
        self._set_pads(pad_l=pad_l, pad_r=pad_r, pad_t=pad_t, pad_b=pad_b)

    def _function(self, input: Array, plan: tuple[int, ...]) -> Array:
        return crop_or_pad(input, self._pads())

    def _gradient(self, input: Array, gradOutput: Array, plan: tuple[int, ...]) -> Array:
        return crop_or_pad(gradOutput, self._pads(-1))
