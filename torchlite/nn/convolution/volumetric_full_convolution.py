"""VolumetricFullConvolution."""

from torchlite.nn.convolution._full_convolution import FullConvolution

__all__ = ["VolumetricFullConvolution"]


class VolumetricFullConvolution(FullConvolution):
    """The transpose of a convolution: every entry of a volume adds a kernel for each output plane.

    It makes volumes larger where a VolumetricConvolution of the same settings makes them smaller.

    Maths
    -----
    ::

        table = isinstance(input, list)
        volumes = input[0] if table else input
        T, H, W = volumes.shape[-3:]
        size = (T - 1) * dT - 2 * padT + kT + adjT, (H - 1) * dH - 2 * padH + kH + adjH
        size = *size, (W - 1) * dW - 2 * padW + kW + adjW
        size = input[1].shape[-3:] if table else size
        geometry = (dT, dH, dW), (padT, padH, padW)
        output = conv_transposed(volumes, weight, size, *geometry) + bias[:, None, None, None]
        gradVolumes = conv(gradOutput, weight, *geometry)
        gradInput = [gradVolumes, np.zeros_like(input[1])] if table else gradVolumes
        gradWeight += scale * conv_weight(gradOutput, volumes, (kT, kH, kW), *geometry)
        gradBias += scale * gradOutput.sum((0, 2, 3, 4))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum:
    volumes[n, c, t, y, x] * weight[c, m, h, i, j] is added to
    output[n, m, t * dT - padT + h, y * dH - padH + i, x * dW - padW + j], unless that is outside
    the output.

    Shapes
    ------
    input (nInputPlane, T, H, W) or (N, nInputPlane, T, H, W); output (nOutputPlane, oT, oH, oW) or
    (N, nOutputPlane, oT, oH, oW), where oT = (T - 1) * dT - 2 * padT + kT + adjT,
    oH = (H - 1) * dH - 2 * padH + kH + adjH and oW = (W - 1) * dW - 2 * padW + kW + adjW.
    input may be a table [x, like], where like is an array (..., oT, oH, oW) of which only the size
    counts: it takes the place of adj, and must be one that adj could give.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    kT, kW, kH
        Length in time, width and height of the kernels.
    dT, dW, dH
        How far apart neighbouring entries of the input add theirs.
    padT, padW, padH
        How much is cut off each side of the output.
    adjT, adjW, adjH
        How much larger the output is at its ends; each less than the stride.

    Attributes
    ----------
    weight, gradWeight
        (nInputPlane, nOutputPlane, kT, kH, kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kT * kW * kH * nInputPlane), the
    weight in C order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation
    stdv. Of a table, gradInput has zeros for like. Remembers nothing: the columns of the windows
    are made again in the backward, block by block. The weight says how large the windows are: kW
    and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or nothing is left of the output.
    SettingError
        adj is not less than the stride.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.VolumetricFullConvolution(1, 1, 2, 1, 1, 2)
    >>> layer.weight[:], layer.bias[:] = [[[1]], [[2]]], 10
    >>> x = np.array([[[[1.0]], [[3.0]]]])
    >>> layer.forward(x).reshape(-1)
    array([11., 12., 13., 16.])
    >>> layer.forward([x, np.zeros((5, 1, 1))]).reshape(-1)
    array([11., 12., 13., 16., 10.])
    >>> gradOutput = np.array([1.0, 10.0, 100.0, 1000.0]).reshape(1, 4, 1, 1)
    >>> layer.backward(x, gradOutput).reshape(-1)
    array([  21., 2100.])
    >>> layer.gradWeight.reshape(-1)
    array([ 301., 3010.])

    Reference
    ---------
    Torch7, nn/VolumetricFullConvolution.lua.
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
    adjT: int
    adjW: int
    adjH: int

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
        padW: int = 0,
        padH: int = 0,
        adjT: int = 0,
        adjW: int = 0,
        adjH: int = 0,
    ) -> None:
        stride = dT, dH, dW
        self._adjust((adjT, adjH, adjW), stride)
        self._build((nInputPlane, nOutputPlane), (kT, kH, kW), stride, (padT, padH, padW))
