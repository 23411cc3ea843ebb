"""SpatialDilatedConvolution."""

from torchlite.nn._windowed import Dilated
from torchlite.nn.convolution.spatial_convolution import SpatialConvolution

__all__ = ["SpatialDilatedConvolution"]


class SpatialDilatedConvolution(Dilated, SpatialConvolution):
    """SpatialConvolution with windows of pixels that are not next to one another.

    Maths
    -----
    ::

        geometry = (dH, dW), (padH, padW), (dilationH, dilationW)
        output = conv(input, weight, *geometry) + bias[:, None, None]
        gradInput = conv_transposed(gradOutput, weight, input.shape[-2:], *geometry)
        gradWeight += scale * conv_weight(input, gradOutput, (kH, kW), *geometry)
        gradBias += scale * gradOutput.sum((0, 2, 3))

    output[n, m, y, x] is bias[m] plus the sum over c, i and j of weight[m, c, i, j] times
    input[n, c, y * dH - padH + i * dilationH, x * dW - padW + j * dilationW], where what is outside
    the image counts as 0.

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where oH = (H + 2 * padH - dilationH * (kH - 1) - 1) // dH + 1 and
    oW = (W + 2 * padW - dilationW * (kW - 1) - 1) // dW + 1.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    kW, kH
        How many pixels the windows have across and down.
    dW, dH
        How far the windows are apart.
    padW, padH
        How many zeros stand at each side of the image; padH is padW if it is not given.
    dilationW, dilationH
        How far the pixels of a window are apart.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane, nInputPlane, kH, kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    As those of SpatialConvolution.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialDilatedConvolution(1, 1, 2, 1, 1, 1, 0, 0, 2, 1)
    >>> layer.weight[:], layer.bias[:] = [[1, 2]], 10
    >>> x = np.array([[[1.0, 0.0, 3.0, 4.0]]])
    >>> layer.forward(x)
    array([[[17., 18.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]]]))
    array([[[ 1., 10.,  2., 20.]]])
    >>> layer.gradWeight
    array([[[[ 1., 43.]]]])

    Reference
    ---------
    Torch7, nn/SpatialDilatedConvolution.lua.
    """

    dilationW: int
    dilationH: int

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int | None = None,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        padding = self._paddings(padW, padH)
        dilation = dilationH, dilationW
        self._build((nInputPlane, nOutputPlane), (kH, kW), (dH, dW), padding, dilation)
