"""VolumetricDilatedConvolution."""

from torchlite.nn._windowed import Dilated
from torchlite.nn.convolution.volumetric_convolution import VolumetricConvolution

__all__ = ["VolumetricDilatedConvolution"]


class VolumetricDilatedConvolution(Dilated, VolumetricConvolution):
    """VolumetricConvolution with windows of points that are not next to one another.

    Maths
    -----
    ::

        geometry = (dT, dH, dW), (padT, padH, padW), (dilationT, dilationH, dilationW)
        output = conv(input, weight, *geometry) + bias[:, None, None, None]
        gradInput = conv_transposed(gradOutput, weight, input.shape[-3:], *geometry)
        gradWeight += scale * conv_weight(input, gradOutput, (kT, kH, kW), *geometry)
        gradBias += scale * gradOutput.sum((0, 2, 3, 4))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum. The
    windows are as in VolumetricConvolution, but for dilationT, dilationH and dilationW from each of
    their points to the next.

    Shapes
    ------
    input (nInputPlane, T, H, W) or (N, nInputPlane, T, H, W); output (nOutputPlane, oT, oH, oW) or
    (N, nOutputPlane, oT, oH, oW), where oT = (T + 2 * padT - dilationT * (kT - 1) - 1) // dT + 1,
    oH = (H + 2 * padH - dilationH * (kH - 1) - 1) // dH + 1 and
    oW = (W + 2 * padW - dilationW * (kW - 1) - 1) // dW + 1.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    kT, kW, kH
        How many points the windows have in time, across and down.
    dT, dW, dH
        How far the windows are apart.
    padT, padW, padH
        How many zeros stand at each side of the volume; padW is padT if it is not given, and padH
        is padW.
    dilationT, dilationW, dilationH
        How far the points of a window are apart.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane, nInputPlane, kT, kH, kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    As those of VolumetricConvolution.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.VolumetricDilatedConvolution(1, 1, 1, 2, 1, 1, 1, 1, 0, 0, 0, 1, 2, 1)
    >>> layer.weight[:], layer.bias[:] = [[[1, 2]]], 10
    >>> x = np.array([[[[1.0, 0.0, 3.0, 4.0]]]])
    >>> layer.forward(x)
    array([[[[17., 18.]]]])
    >>> layer.backward(x, np.array([[[[1.0, 10.0]]]]))
    array([[[[ 1., 10.,  2., 20.]]]])
    >>> layer.gradWeight.reshape(-1)
    array([ 1., 43.])

    Reference
    ---------
    Torch7, nn/VolumetricDilatedConvolution.lua.
    """

    dilationT: int
    dilationW: int
    dilationH: int

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kT: int,
        kW: int,
        kH: int,
        dT: int = 1,
        dW: int = 1,
        dH: int = 1,
        padT: int = 0,
        padW: int | None = None,
        padH: int | None = None,
        dilationT: int = 1,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        padding = self._paddings(padT, padW, padH)
        dilation = dilationT, dilationH, dilationW
        self._build((nInputPlane, nOutputPlane), (kT, kH, kW), (dT, dH, dW), padding, dilation)
