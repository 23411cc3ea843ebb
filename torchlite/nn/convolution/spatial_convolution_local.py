"""SpatialConvolutionLocal."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.local import local_conv, local_conv_transposed, local_conv_weight
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.convolution._convolution import Convolution

__all__ = ["SpatialConvolutionLocal"]


class SpatialConvolutionLocal(Convolution):
    """A convolution whose weights are not shared: every window of an image has its own.

    Maths
    -----
    ::

        output = local_conv(input, weight, (dH, dW), (padH, padW)) + bias
        size = input.shape[-2:]
        gradInput = local_conv_transposed(gradOutput, weight, size, (dH, dW), (padH, padW))
        found = local_conv_weight(input, gradOutput, (kH, kW), (dH, dW), (padH, padW))
        gradWeight += scale * found
        gradBias += scale * gradOutput.sum(0)

    local_conv and its kin stand in torchlite.kernels.local, each defined by an explicit sum:
    output[n, m, y, x] is bias[m, y, x] plus the sum over c, i and j of weight[y, x, m, c, i, j]
    times input[n, c, y * dH - padH + i, x * dW - padW + j], where what is outside the image counts
    as 0.

    Shapes
    ------
    input (nInputPlane, iH, iW) or (N, nInputPlane, iH, iW); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where oH = (iH + 2 * padH - kH) // dH + 1 and
    oW = (iW + 2 * padW - kW) // dW + 1.

    Parameters
    ----------
    nInputPlane, nOutputPlane
        Integers of at least 1.
    iW, iH
        Width and height of the images.
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart.
    padW, padH
        How many zeros stand at each side of the image; padH is padW if it is not given.

    Attributes
    ----------
    oW, oH
        Width and height of the output.
    weight, gradWeight
        (oH, oW, nOutputPlane, nInputPlane, kH, kW).
    bias, gradBias
        (nOutputPlane, oH, oW), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW * kH * nInputPlane), the weight in
    C order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv.
    Remembers nothing: the windows are copied again in the backward, row by row. The weight says how
    large the windows are: kW and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the image.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialConvolutionLocal(1, 1, 3, 1, 2, 1)
    >>> layer.weight[:], layer.bias[:] = np.reshape([[1, 2], [0, -1]], (1, 2, 1, 1, 1, 2)), 10
    >>> x = np.array([[[1.0, 0.0, 3.0]]])
    >>> layer.forward(x)
    array([[[11.,  7.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]]]))
    array([[[  1.,   2., -10.]]])
    >>> layer.gradWeight.reshape(2, 2)
    array([[ 1.,  0.],
           [ 0., 30.]])

    Reference
    ---------
    Torch7, nn/SpatialConvolutionLocal.lua.
    """

    nInputPlane: int
    nOutputPlane: int
    iW: int
    iH: int
    kW: int
    kH: int
    dW: int
    dH: int
    padW: int
    padH: int
    oW: int
    oH: int

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        iW: int,
        iH: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int | None = None,
    ) -> None:
        padding = self._paddings(padW, padH)
        self._set_planes((nInputPlane, nOutputPlane))
        self._set_windows((kH, kW), (dH, dW), padding)
        self.iW = checks.at_least(self, "iW", iW, max(1, self.kW - 2 * self.padW))
        self.iH = checks.at_least(self, "iH", iH, max(1, self.kH - 2 * self.padH))
        self.oH, self.oW = self._windows_of((self.iH, self.iW))
        self._make_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.oH, self.oW, *super()._weight_shape())

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.nOutputPlane, self.oH, self.oW)

    def _made(self, images: Array, out: tuple[int, ...]) -> Array:
        output = local_conv(images, self.weight, self._stride, self._padding)
        if self.bias is not None:
            output += self.bias
        return output

    def _sent_back(self, gradOutput: Array, size: tuple[int, ...]) -> Array:
        geometry = self._stride, self._padding
        return local_conv_transposed(gradOutput, self.weight, size, *geometry)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        geometry = self._stride, self._padding
        return local_conv_weight(images, gradOutput, self._kernel, *geometry)

    def _bias_gradient(self, gradOutput: Array) -> Array:
        return sum_along(gradOutput, 0) if gradOutput.ndim == 4 else gradOutput

    def _check(self, method: str, input: Any) -> tuple[Array, tuple[int, ...]]:
        images, out = super()._check(method, input)
        if images.shape[-2:] != (self.iH, self.iW):
            self._refuse_small(method, input, self.nInputPlane)
        return images, out

    def _refuse_small(
        self, method: str, input: Array, planes: int | None, argument: str = "input"
    ) -> None:
        raise checks.misshapen(self, method, argument, self._images(planes), input)

    def _images(self, planes: int | None) -> str:
        sample = f"{planes}, {self.iH}, {self.iW}"
        return f"({sample}) or (N, {sample})"

    def _written(self) -> str:
        return f"{self.iW}x{self.iH}, {super()._written()}"
