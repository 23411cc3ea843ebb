"""SpatialReplicationPadding."""

from torchlite.kernels.resampling import replicated
from torchlite.nn.resampling._resampling import Bordered

__all__ = ["SpatialReplicationPadding"]


class SpatialReplicationPadding(Bordered):
    """Images with their outermost entries repeated around them.

    Maths
    -----
    ::

        pads = [(pad_t, pad_b), (pad_l, pad_r)]
        output = take_border(input, pads, replicated)
        gradInput = take_border_back(gradOutput, input.shape[-2:], pads, replicated)

    All of them stand in torchlite.kernels.resampling, each defined by a few lines; along each
    dimension output is input[replicated(size, before, behind)]. Beyond an edge stands the entry
    nearest to it.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = H + pad_t + pad_b and oW = W + pad_l + pad_r.

    Parameters
    ----------
    pad_l, pad_r, pad_t, pad_b
        How many repeated entries come at the left, right, top and bottom: those not given are as
        many as pad_l. Of a negative number so many entries are cut off.

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
    >>> layer = nn.SpatialReplicationPadding(1, 2, 0, 0)
    >>> x = np.array([[[1.0, 2.0, 3.0]]])
    >>> layer.forward(x)
    array([[[1., 1., 2., 3., 3., 3.]]])
    >>> layer.backward(x, np.array([[[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]]))
    array([[[2., 1., 3.]]])

    Reference
    ---------
    Torch7, nn/SpatialReplicationPadding.lua.
    """

    _places = staticmethod(replicated)
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
