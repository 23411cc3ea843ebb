"""SpatialFullConvolutionMap."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.mapped import mapped_conv, mapped_conv_transposed, mapped_conv_weight
from torchlite.kernels.windows import full_size
from torchlite.nn.convolution._convolution_map import ConvolutionMap

__all__ = ["SpatialFullConvolutionMap"]


class SpatialFullConvolutionMap(ConvolutionMap):
    """A full convolution in which a table says which output planes each input plane adds to.

    Maths
    -----
    ::

        back = connTable[:, ::-1]
        size = (input.shape[-2] - 1) * dH + kH, (input.shape[-1] - 1) * dW + kW
        output = mapped_conv_transposed(input, weight, back, nOutputPlane, size, (dH, dW))
        output = output + bias[:, None, None]
        gradInput = mapped_conv(gradOutput, weight, back, nInputPlane, (dH, dW))
        found = mapped_conv_weight(gradOutput, input, back, (kH, kW), (dH, dW))
        gradWeight += scale * found
        gradBias += scale * gradOutput.sum((0, 2, 3))

    mapped_conv and its kin stand in torchlite.kernels.mapped, each defined by an explicit sum: for
    each row k of connTable, input[n, connTable[k, 0], y, x] * weight[k, i, j] is added to
    output[n, connTable[k, 1], y * dH + i, x * dW + j].

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where oH = (H - 1) * dH + kH and oW = (W - 1) * dW + kW.

    Parameters
    ----------
    conMatrix
        (n, 2), integers: row i connects input plane conMatrix[i, 0] with output plane
        conMatrix[i, 1], counted from 0. nn.tables makes such tables.
    kW, kH
        Width and height of the kernels.
    dW, dH
        How far apart neighbouring entries of the input add theirs.

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
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialFullConvolutionMap([[0, 0], [1, 0], [1, 1]], 1, 2)
    >>> layer.weight[:], layer.bias[:] = np.reshape([1, 2, 3, 4, 5, 6], (3, 2, 1)), 10
    >>> x = np.array([[[1.0]], [[10.0]]])
    >>> layer.forward(x).reshape(2, 2)
    array([[41., 52.],
           [60., 70.]])
    >>> layer.backward(x, np.array([[[1.0], [0.0]], [[0.0], [1.0]]])).reshape(2)
    array([1., 9.])
    >>> layer.gradWeight.reshape(3, 2)
    array([[ 1.,  0.],
           [10.,  0.],
           [ 0., 10.]])

    Reference
    ---------
    Torch7, nn/SpatialFullConvolutionMap.lua.
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

    @property
    def _spreads(self) -> bool:
        return True

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return full_size(size, self._kernel, *self._geometry, (0, 0))

    def _made(self, images: Array, out: tuple[int, ...]) -> Array:
        of_output = self._back, self.nOutputPlane, out
        output = mapped_conv_transposed(images, self.weight, *of_output, self._stride)
        if self.bias is not None:
            output += self.bias[:, None, None]
        return output

    def _sent_back(self, gradOutput: Array, size: tuple[int, ...]) -> Array:
        planes = self.nInputPlane
        return mapped_conv(gradOutput, self.weight, self._back, planes, self._stride)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        windows = self._kernel, self._stride
        return mapped_conv_weight(gradOutput, images, self._back, *windows)

    @property
    def _back(self) -> Array:
        """The connections from the output's planes to the input's."""
        return self.connTable[:, ::-1]
