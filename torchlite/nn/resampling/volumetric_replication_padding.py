"""VolumetricReplicationPadding."""

from torchlite.kernels.resampling import replicated
from torchlite.nn.resampling._resampling import Bordered

__all__ = ["VolumetricReplicationPadding"]


class VolumetricReplicationPadding(Bordered):
    """Volumes with their outermost entries repeated around them.

    Maths
    -----
    ::

        pads = [(pfront, pback), (ptop, pbottom), (pleft, pright)]
        output = take_border(input, pads, replicated)
        gradInput = take_border_back(gradOutput, input.shape[-3:], pads, replicated)

    All of them stand in torchlite.kernels.resampling, each defined by a few lines; along each
    dimension output is input[replicated(size, before, behind)]. Beyond an edge stands the entry
    nearest to it.

    Shapes
    ------
    input (C, T, H, W) or (N, C, T, H, W); output (C, oT, oH, oW) or (N, C, oT, oH, oW), where
    oT = T + pfront + pback, oH = H + ptop + pbottom and oW = W + pleft + pright.

    Parameters
    ----------
    pleft, pright, ptop, pbottom, pfront, pback
        How many repeated entries come at the left and right (W), top and bottom (H), front and
        back (T): those not given are as many as pleft. Of a negative number so many entries are cut
        off.

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
    >>> layer = nn.VolumetricReplicationPadding(1, 2, 0, 0, 0, 0)
    >>> x = np.array([[[[1.0, 2.0, 3.0]]]])
    >>> layer.forward(x)
    array([[[[1., 1., 2., 3., 3., 3.]]]])
    >>> layer.backward(x, np.array([[[[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]]]))
    array([[[[2., 1., 3.]]]])

    Reference
    ---------
    Torch7, nn/VolumetricReplicationPadding.lua.
    """

    _axes = ("T", "H", "W")
    _sides = (("pfront", "pback"), ("ptop", "pbottom"), ("pleft", "pright"))
    _places = staticmethod(replicated)
    pleft: int
    pright: int
    ptop: int
    pbottom: int
    pfront: int
    pback: int

    def __init__(
        self,
        pleft: int,
        pright: int | None = None,
        ptop: int | None = None,
        pbottom: int | None = None,
        pfront: int | None = None,
        pback: int | None = None,
    ) -> None:
        self._set_pads(
            pleft=pleft, pright=pright, ptop=ptop, pbottom=pbottom, pfront=pfront, pback=pback
        )
