"""SpatialConvolutionMM."""

from torchlite.kernels.arrays import Array
from torchlite.nn.convolution.spatial_convolution import SpatialConvolution

__all__ = ["SpatialConvolutionMM"]


class SpatialConvolutionMM(SpatialConvolution):
    """SpatialConvolution with a matrix as its weight: a row for each output plane.

    Maths
    -----
    ::

        kernels = weight.reshape(nOutputPlane, nInputPlane, kH, kW)
        output = conv(input, kernels, (dH, dW), (padH, padW)) + bias[:, None, None]
        gradInput = conv_transposed(gradOutput, kernels, input.shape[-2:], (dH, dW), (padH, padW))
        found = conv_weight(input, gradOutput, (kH, kW), (dH, dW), (padH, padW))
        gradWeight += scale * found.reshape(weight.shape)
        gradBias += scale * gradOutput.sum((0, 2, 3))

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where oH = (H + 2 * padH - kH) // dH + 1 and
    oW = (W + 2 * padW - kW) // dW + 1.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart.
    padW, padH
        How many zeros stand at each side of the image; padH is padW if it is not given.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane, nInputPlane * kH * kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    As those of SpatialConvolution, which draws the same numbers.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialConvolutionMM(1, 1, 2, 1)
    >>> layer.weight[:], layer.bias[:] = [[1, 2]], 10
    >>> x = np.array([[[1.0, 0.0, 3.0]]])
    >>> layer.forward(x)
    array([[[11., 16.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]]]))
    array([[[ 1., 12., 20.]]])
    >>> layer.gradWeight
    array([[ 1., 30.]])

    Reference
    ---------
    Torch7, nn/SpatialConvolutionMM.lua.
    """

    def _weight_shape(self) -> tuple[int, ...]:
        planes, *window = super()._weight_shape()
        return (planes, window[0] * window[1] * window[2])

    def _kernels(self) -> Array:
        return self.weight.reshape(super()._weight_shape())
