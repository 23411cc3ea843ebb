"""What sub-samplings have in common, with any number of dimensions."""

from math import prod
from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.means import sum_windows, sum_windows_back
from torchlite.nn.convolution._convolution import Convolution, Size
from torchlite.nn.module import Module


class SubSampling(Convolution):
    """The sum of every window of a plane, times a weight of the plane's, plus a bias."""

    _counts = ("nInputPlane",)
    # No weight hands on what comes in: entries of a window are added up.
    _identity: Any = None

    def _weight_shape(self) -> Size:
        return self._bias_shape()

    def _fan_in(self) -> int:
        return prod(self._kernel)

    def _fans(self) -> tuple[float, float]:
        return prod(self._kernel), prod(self._kernel)

    def _made(self, images: Array, out: Size) -> Array:
        output = self._sums(images, out) * self._of_planes(self.weight)
        if self.bias is not None:
            output += self._of_planes(self.bias)
        return output

    def _sent_back(self, gradOutput: Array, size: Size) -> Array:
        windows = self._kernel, self._stride, self._padding
        return sum_windows_back(gradOutput * self._of_planes(self.weight), size, *windows)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        out = gradOutput.shape[gradOutput.ndim - len(self._axes) :]
        return self._bias_gradient(gradOutput * self._sums(images, out))

    def _sums(self, images: Array, out: Size) -> Array:
        return sum_windows(images, self._kernel, self._stride, self._padding, out)

    def _of_planes(self, parameter: Array) -> Array:
        return parameter.reshape(-1, *(1,) * len(self._axes))

    __repr__ = Module.__repr__
