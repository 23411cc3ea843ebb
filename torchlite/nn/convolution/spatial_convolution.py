"""SpatialConvolution."""

from torchlite.nn.convolution._convolution import Convolution

__all__ = ["SpatialConvolution"]


class SpatialConvolution(Convolution):
    """The correlation of every window of an image with a kernel for each output plane, plus a bias.

    Maths
    -----
    ::

        output = conv(input, weight, (dH, dW), (padH, padW)) + bias[:, None, None]
        gradInput = conv_transposed(gradOutput, weight, input.shape[-2:], (dH, dW), (padH, padW))
        gradWeight += scale * conv_weight(input, gradOutput, (kH, kW), (dH, dW), (padH, padW))
        gradBias += scale * gradOutput.sum((0, 2, 3))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum:
    output[n, m, y, x] is bias[m] plus the sum over c, i and j of weight[m, c, i, j] times
    input[n, c, y * dH - padH + i, x * dW - padW + j], where what is outside the image counts as 0.

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
        (nOutputPlane, nInputPlane, kH, kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW * kH * nInputPlane), the weight in
    C order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv.
    Remembers nothing: the columns of the windows are made again in the backward, block by block.
    The weight says how large the windows are: kW and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialConvolution(1, 1, 2, 2)
    >>> layer.weight[:], layer.bias[:] = [[1, 2], [0, -1]], 10
    >>> x = np.array([[[1.0, 0.0, 3.0], [0.0, 2.0, 0.0]]])
    >>> layer.forward(x)
    array([[[ 9., 16.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]]]))
    array([[[  1.,  12.,  20.],
            [  0.,  -1., -10.]]])
    >>> layer.gradWeight
    array([[[[ 1., 30.],
             [20.,  2.]]]])

    Reference
    ---------
    Torch7, nn/SpatialConvolution.lua.
    """

    nInputPlane: int
    nOutputPlane: int
    kW: int
    kH: int
    dW: int
    dH: int
    padW: int
    padH: int

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
    ) -> None:
        padding = self._paddings(padW, padH)
        self._build((nInputPlane, nOutputPlane), (kH, kW), (dH, dW), padding)
