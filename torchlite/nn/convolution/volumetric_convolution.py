"""VolumetricConvolution."""

from torchlite.nn.convolution._convolution import Convolution

__all__ = ["VolumetricConvolution"]


class VolumetricConvolution(Convolution):
    """The correlation of every window of a volume with a kernel for each output plane, plus a bias.

    Maths
    -----
    ::

        geometry = (dT, dH, dW), (padT, padH, padW)
        output = conv(input, weight, *geometry) + bias[:, None, None, None]
        gradInput = conv_transposed(gradOutput, weight, input.shape[-3:], *geometry)
        gradWeight += scale * conv_weight(input, gradOutput, (kT, kH, kW), *geometry)
        gradBias += scale * gradOutput.sum((0, 2, 3, 4))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum:
    output[n, m, t, y, x] is bias[m] plus the sum over c, h, i and j of weight[m, c, h, i, j] times
    input[n, c, t * dT - padT + h, y * dH - padH + i, x * dW - padW + j], where what is outside the
    volume counts as 0.

    Shapes
    ------
    input (nInputPlane, T, H, W) or (N, nInputPlane, T, H, W); output (nOutputPlane, oT, oH, oW) or
    (N, nOutputPlane, oT, oH, oW), where oT = (T + 2 * padT - kT) // dT + 1,
    oH = (H + 2 * padH - kH) // dH + 1 and oW = (W + 2 * padW - kW) // dW + 1.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    kT, kW, kH
        Length in time, width and height of the windows.
    dT, dW, dH
        How far they are apart.
    padT, padW, padH
        How many zeros stand at each side of the volume; padW is padT if it is not given, and padH
        is padW.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane, nInputPlane, kT, kH, kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kT * kW * kH * nInputPlane), the
    weight in C order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation
    stdv. Remembers nothing: the columns of the windows are made again in the backward, block by
    block. The weight says how large the windows are: kW and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.VolumetricConvolution(1, 1, 2, 1, 1)
    >>> layer.weight[:], layer.bias[:] = [[[1]], [[2]]], 10
    >>> x = np.array([[[[1.0, 0.0]], [[0.0, 3.0]]]])
    >>> layer.forward(x)
    array([[[[11., 16.]]]])
    >>> layer.backward(x, np.array([[[[1.0, 10.0]]]]))
    array([[[[ 1., 10.]],
    <BLANKLINE>
            [[ 2., 20.]]]])
    >>> layer.gradWeight.reshape(-1)
    array([ 1., 30.])

    Reference
    ---------
    Torch7, nn/VolumetricConvolution.lua.
    """

    nInputPlane: int
    nOutputPlane: int
    kT: int
    kW: int
    kH: int
    dT: int
    dW: int
    dH: int
    padT: int
    padW: int
    padH: int

    _axes = ("T", "H", "W")
    _printed = ("T", "W", "H")

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
    ) -> None:
        padding = self._paddings(padT, padW, padH)
        self._build((nInputPlane, nOutputPlane), (kT, kH, kW), (dT, dH, dW), padding)
