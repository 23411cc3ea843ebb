"""SpatialReflectionPadding."""

from torchlite.kernels.resampling import reflected
from torchlite.nn.resampling._resampling import Bordered

__all__ = ["SpatialReflectionPadding"]


class SpatialReflectionPadding(Bordered):
    """Images with what stands inside their edges mirrored around them.

    Maths
    -----
    ::

        pads = [(pad_t, pad_b), (pad_l, pad_r)]
        output = take_border(input, pads, reflected)
        gradInput = take_border_back(gradOutput, input.shape[-2:], pads, reflected)

    All of them stand in torchlite.kernels.resampling, each defined by a few lines; along each
    dimension output is input[reflected(size, before, behind)]. Beyond an edge the entries come back
    as in a mirror at the middle of the last one, which itself does not come twice.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = H + pad_t + pad_b and oW = W + pad_l + pad_r. H and W are larger than the pads along them.

    Parameters
    ----------
    pad_l, pad_r, pad_t, pad_b
        How many mirrored entries come at the left, right, top and bottom: those not given are as
        many as pad_l. Of a negative number so many entries are cut off.

    Conventions
    -----------
    Remembers nothing. It takes integers and booleans, too, which have no gradient.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or is not longer than the pads.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialReflectionPadding(1, 2, 0, 0)
    >>> x = np.array([[[1.0, 2.0, 3.0]]])
    >>> layer.forward(x)
    array([[[2., 1., 2., 3., 2., 1.]]])
    >>> layer.backward(x, np.array([[[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]]))
    array([[[2., 3., 1.]]])

    Reference
    ---------
    Torch7, nn/SpatialReflectionPadding.lua.
    """

    _places = staticmethod(reflected)
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

    def _least(self) -> tuple[int, ...]:
        """A mirror must not show more than there is."""
        each = zip(super()._least(), self._pads(), strict=True)
        return tuple(max(least, a + 1, b + 1) for least, (a, b) in each)
