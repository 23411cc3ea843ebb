"""SpatialDilatedMaxPooling."""

from torchlite.nn.pooling._pooling import DilatedMaxPooling

__all__ = ["SpatialDilatedMaxPooling"]


class SpatialDilatedMaxPooling(DilatedMaxPooling):
    """The largest entry of every window of each plane, of which entries are apart.

    Maths
    -----
    ::

        windows = (kH, kW), (dH, dW), (padH, padW), (dilationH, dilationW)
        size = pooled_size(input.shape[-2:], *windows, ceil_mode)
        output, places = max_windows(input, *windows, size)
        gradInput = scatter(gradOutput, places, input.shape[-2:])

    max_windows and scatter stand in torchlite.kernels.maxima, each defined by a few lines:
    output[n, c, y, x] is the largest of input[n, c, y * dH - padH + dilationH * i,
    x * dW - padW + dilationW * j] with i < kH and j < kW, those outside the image left out.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = (H + 2 * padH - dilationH * (kH - 1) - 1) // dH + 1 and
    oW = (W + 2 * padW - dilationW * (kW - 1) - 1) // dW + 1. After `ceil()` the quotients are
    rounded up, but no window starts behind the image.

    Parameters
    ----------
    kW, kH
        Width and height of the windows, in entries.
    dW, dH
        How far they are apart; what is not given is as the window.
    padW, padH
        How far windows reach beyond each side of the image: at most half of kW, kH.
    dilationW, dilationH
        How far the entries of a window are apart.

    Attributes
    ----------
    indices
        After a forward: where in its plane each maximum stands, y * W + x.
    ceil_mode
        Whether a last window that reaches beyond the padded image counts: set by `ceil()` and
        `floor()`.

    Conventions
    -----------
    Of several equal entries the first gets the gradient. NaN in gives NaN out, and gets the
    gradient. Complex numbers are ordered by their real parts. A backward uses indices if its input
    is the very array that they come from, and otherwise finds those of its input itself: nothing
    needs to be remembered, but do not write to that array in between.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, no window fits into the input, or one has
        all its entries in the padding.
    SettingError
        The padding is wider than half a window.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialDilatedMaxPooling(2, 1, 1, 1, 0, 0, 2, 1)
    >>> x = np.array([[[1.0, 5.0, 2.0, 3.0]]])
    >>> layer.forward(x)
    array([[[2., 5.]]])
    >>> layer.backward(x, np.array([[[10.0, 20.0]]]))
    array([[[ 0., 20., 10.,  0.]]])

    Reference
    ---------
    Torch7, nn/SpatialDilatedMaxPooling.lua.
    """

    kW: int
    kH: int
    dW: int
    dH: int
    padW: int
    padH: int
    dilationW: int
    dilationH: int

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int = 0,
        padH: int = 0,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        self._build((kH, kW), (dH, dW), (padH, padW), (dilationH, dilationW))
