"""SpatialConvolutionMap."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.mapped import mapped_conv, mapped_conv_transposed, mapped_conv_weight
from torchlite.nn.convolution._convolution_map import ConvolutionMap

__all__ = ["SpatialConvolutionMap"]


class SpatialConvolutionMap(ConvolutionMap):
    """A convolution in which a table says which input planes each output plane is made of.

    Maths
    -----
    ::

        output = mapped_conv(input, weight, connTable, nOutputPlane, (dH, dW))
        output = output + bias[:, None, None]
        planes, *size = input.shape[-3:]
        gradInput = mapped_conv_transposed(gradOutput, weight, connTable, planes, size, (dH, dW))
        found = mapped_conv_weight(input, gradOutput, connTable, (kH, kW), (dH, dW))
        gradWeight += scale * found
        gradBias += scale * gradOutput.sum((0, 2, 3))

    mapped_conv and its kin stand in torchlite.kernels.mapped, each defined by an explicit sum:
    output[n, m, y, x] is bias[m] plus the sum over i, j and all rows k of connTable with
    connTable[k, 1] == m of weight[k, i, j] times input[n, connTable[k, 0], y * dH + i, x * dW + j].

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where oH = (H - kH) // dH + 1 and oW = (W - kW) // dW + 1.

    Parameters
    ----------
    conMatrix
        (n, 2), integers: row i connects input plane conMatrix[i, 0] with output plane
        conMatrix[i, 1], counted from 0. nn.tables makes such tables.
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart.

    Attributes
    ----------
    connTable
        A copy of conMatrix.
    nInputPlane, nOutputPlane
        One more than the largest number in the first and in the second column.
    weight, gradWeight
        (n, kH, kW), a kernel for each connection.
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Connection by connection, the weight is drawn from U(-s, s) with s = 1 / sqrt(kW * kH * c),
    where c is the number of connections of its output plane; then the bias, plane by plane, in the
    same way. `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv. Planes
    that are connected twice are connected by the sum of both kernels. Remembers nothing: the
    columns of the windows are made again in the backward, block by block. The weight says how large
    the windows are: kW and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialConvolutionMap([[0, 0], [1, 0], [1, 1]], 1, 1)
    >>> layer.weight[:], layer.bias[:] = np.reshape([1, 2, 3], (3, 1, 1)), 10
    >>> x = np.array([[[1.0]], [[4.0]]])
    >>> layer.forward(x).reshape(2)
    array([19., 22.])
    >>> layer.backward(x, np.array([[[1.0]], [[10.0]]])).reshape(2)
    array([ 1., 32.])
    >>> layer.gradWeight.reshape(3)
    array([ 1.,  4., 40.])

    Reference
    ---------
    Torch7, nn/SpatialConvolutionMap.lua.
    """

    nInputPlane: int
    nOutputPlane: int
    kW: int
    kH: int
    dW: int
    dH: int

    def __init__(self, conMatrix: Any, kW: int, kH: int, dW: int = 1, dH: int = 1) -> None:
        self._set_table(conMatrix)
        self._set_windows((kH, kW), (dH, dW))
        self._make_parameters()

    def _made(self, images: Array, out: tuple[int, ...]) -> Array:
        planes = self.nOutputPlane
        output = mapped_conv(images, self.weight, self.connTable, planes, self._stride)
        if self.bias is not None:
            output += self.bias[:, None, None]
        return output

    def _sent_back(self, gradOutput: Array, size: tuple[int, ...]) -> Array:
        of_input = self.connTable, self.nInputPlane, size
        return mapped_conv_transposed(gradOutput, self.weight, *of_input, self._stride)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        windows = self._kernel, self._stride
        return mapped_conv_weight(images, gradOutput, self.connTable, *windows)
