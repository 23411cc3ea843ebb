"""SpatialFullConvolution."""

from torchlite.nn.convolution._full_convolution import FullConvolution

__all__ = ["SpatialFullConvolution"]


class SpatialFullConvolution(FullConvolution):
    """The transpose of a convolution: every entry of an image adds a kernel for each output plane.

    It makes images larger where a SpatialConvolution of the same settings makes them smaller.

    Maths
    -----
    ::

        table = isinstance(input, list)
        images = input[0] if table else input
        H, W = images.shape[-2:]
        size = (H - 1) * dH - 2 * padH + kH + adjH, (W - 1) * dW - 2 * padW + kW + adjW
        size = input[1].shape[-2:] if table else size
        output = conv_transposed(images, weight, size, (dH, dW), (padH, padW))
        output = output + bias[:, None, None]
        gradImages = conv(gradOutput, weight, (dH, dW), (padH, padW))
        gradInput = [gradImages, np.zeros_like(input[1])] if table else gradImages
        gradWeight += scale * conv_weight(gradOutput, images, (kH, kW), (dH, dW), (padH, padW))
        gradBias += scale * gradOutput.sum((0, 2, 3))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum:
    images[n, c, y, x] * weight[c, m, i, j] is added to
    output[n, m, y * dH - padH + i, x * dW - padW + j], unless that is outside the output.

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where oH = (H - 1) * dH - 2 * padH + kH + adjH and
    oW = (W - 1) * dW - 2 * padW + kW + adjW.
    input may be a table [x, like], where like is an array (..., oH, oW) of which only the size
    counts: it takes the place of adjH and adjW, and must be one that they could give.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    kW, kH
        Width and height of the kernels.
    dW, dH
        How far apart neighbouring entries of the input add theirs.
    padW, padH
        How much is cut off each side of the output.
    adjW, adjH
        How much larger the output is on the right and at the bottom; less than dW and dH.

    Attributes
    ----------
    weight, gradWeight
        (nInputPlane, nOutputPlane, kH, kW).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW * kH * nInputPlane), the weight in
    C order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv. Of
    a table, gradInput has zeros for like. Remembers nothing: the columns of the windows are made
    again in the backward, block by block. The weight says how large the windows are: kW and its kin
    are for reading.

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
    >>> layer = nn.SpatialFullConvolution(1, 1, 2, 1, 2, 1)
    >>> layer.weight[:], layer.bias[:] = [[1, 2]], 10
    >>> x = np.array([[[1.0, 3.0]]])
    >>> layer.forward(x)
    array([[[11., 12., 13., 16.]]])
    >>> layer.forward([x, np.zeros((1, 5))])
    array([[[11., 12., 13., 16., 10.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0, 100.0, 1000.0]]]))
    array([[[  21., 2100.]]])
    >>> layer.gradWeight
    array([[[[ 301., 3010.]]]])

    Reference
    ---------
    Torch7, nn/SpatialFullConvolution.lua.
    """

    nInputPlane: int
    nOutputPlane: int
    kW: int
    kH: int
    dW: int
    dH: int
    padW: int
    padH: int
    adjW: int
    adjH: int

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int = 0,
        adjW: int = 0,
        adjH: int = 0,
    ) -> None:
        self._adjust((adjH, adjW), (dH, dW))
        self._build((nInputPlane, nOutputPlane), (kH, kW), (dH, dW), (padH, padW))
