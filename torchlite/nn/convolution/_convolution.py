"""What convolutions have in common, with any number of dimensions."""

from collections.abc import Sequence
from math import prod
from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.convolution import conv, conv_transposed, conv_weight
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn._windowed import Windowed
from torchlite.nn.checks import NUMBERS
from torchlite.nn.initial import uniform


class Convolution(Windowed):
    """The correlation of every window with a kernel for each output plane, plus a bias.

    A member says the names of its dimensions, and in which order its arguments are.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane, nInputPlane, *kernel).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Remembers nothing: the columns of the windows are made again in the backward, block by block.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.
    """

    _validates = True

    nInputPlane: int
    nOutputPlane: int

    def _build(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kernel: Sequence[Any],
        stride: Sequence[Any],
        padding: Sequence[Any],
        dilation: Sequence[Any] | None = None,
    ) -> None:
        """Check and keep the settings, of windows in the order of `_axes`; draw parameters."""
        self.nInputPlane = checks.at_least(self, "nInputPlane", nInputPlane, 1)
        self.nOutputPlane = checks.at_least(self, "nOutputPlane", nOutputPlane, 1)
        self._set_windows(kernel, stride, padding, dilation)
        shape = self._weight_shape()
        self.weight, self.gradWeight = np.zeros(shape), np.zeros(shape)
        self.bias, self.gradBias = np.zeros(self.nOutputPlane), np.zeros(self.nOutputPlane)
        self.reset()

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.nOutputPlane, self.nInputPlane, *self._kernel)

    def _kernels(self) -> Array:
        """Return the weight as (nOutputPlane, nInputPlane, *kernel)."""
        return self.weight

    def updateOutput(self, input: Array) -> Array:
        self._check("updateOutput", input)
        geometry = self._stride, self._padding, self._dilation
        self.output = conv(input, self._kernels(), *geometry, self.bias)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._check_back("updateGradInput", input, gradOutput)
        size = input.shape[input.ndim - len(self._axes) :]
        geometry = self._stride, self._padding, self._dilation
        self.gradInput = conv_transposed(gradOutput, self._kernels(), size, *geometry)
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        if type(scale) not in NUMBERS:
            scale = checks.number(self, "accGradParameters", "scale", scale)
        self._check_back("accGradParameters", input, gradOutput)
        geometry = self._stride, self._padding, self._dilation
        increment = conv_weight(input, gradOutput, self._kernel, *geometry)
        increment = increment.reshape(self.weight.shape)
        # What fails has changed nothing: all increments are made before the first is added.
        if self.bias is not None:
            sums = scale * _plane_sums(gradOutput, len(self._axes))
        self.gradWeight += increment if scale == 1 else scale * increment
        if self.bias is not None:
            self.gradBias += sums

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(fan in)."""
        # How many numbers one of the output is made of.
        fan_in = prod(self._kernel) * self.nInputPlane
        uniform(self, stdv, fan_in, *self.parameters()[0])
        return self

    def noBias(self) -> Self:
        """Remove the bias. Return self."""
        self.bias = self.gradBias = None
        return self

    def __repr__(self) -> str:
        without = "" if self.bias is not None else " without bias"
        planes = f"{self.nInputPlane} -> {self.nOutputPlane}"
        return f"{type(self).__name__}({planes}, {self._written()}){without}"

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        """Raise unless the input fits; return how many windows it has."""
        self._check_images(method, input, self.nInputPlane, self.weight.dtype)
        out = self._windows_of(input.shape[input.ndim - len(self._axes) :])
        if min(out) < 1:
            self._refuse_small(method, input, self.nInputPlane)
        return out

    def _check_back(self, method: str, input: Array, gradOutput: Array) -> None:
        out = self._check(method, input)
        lead = input.shape[: input.ndim - len(out) - 1]
        shape = (*lead, self.nOutputPlane, *out)
        checks.must_be_typed_back(self, method, input, gradOutput, shape, self.weight.dtype)

    def _planes_hint(self, input: Array, planes: int | None) -> str | None:
        hint = super()._planes_hint(input, planes)
        dims = len(self._axes)
        if hint is None and input.ndim in (dims + 1, dims + 2):
            name, n = type(self).__name__, input.shape[-dims - 1]
            return f"{name}({n}, {self.nOutputPlane}, ...) would fit" if n else None
        return hint


def _plane_sums(gradOutput: Array, dims: int) -> Array:
    """Return the sum of each plane over the batch and its positions."""
    behind = tuple(range(gradOutput.ndim - dims, gradOutput.ndim))
    return sum_along(gradOutput, (0, *behind) if gradOutput.ndim > dims + 1 else behind)
