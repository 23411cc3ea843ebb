"""What convolutions have in common, with any number of dimensions."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.convolution import conv, conv_transposed, conv_weight
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn._windowed import Windowed
from torchlite.nn.initial import uniform
from torchlite.nn.nested import EMPTY

Size = tuple[int, ...]


class Convolution(Windowed):
    """The correlation of every window with a kernel for each output plane, plus a bias.

    A member says the names of its dimensions, and in which order its arguments are; and what of it
    is no plain correlation.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane, nInputPlane, *kernel).
    bias, gradBias
        (nOutputPlane,), or None without bias.

    Conventions
    -----------
    Remembers nothing: the columns of the windows are made again in the backward, block by block.
    The weight says how large the windows are: kW and its kin are for reading, and a convolution
    with other windows is another one.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.
    """

    _validates = True

    # What the numbers of planes are called.
    _counts: ClassVar[tuple[str, ...]] = ("nInputPlane", "nOutputPlane")

    def _build(
        self,
        planes: Sequence[Any],
        kernel: Sequence[Any],
        stride: Sequence[Any],
        padding: Sequence[Any] | None = None,
        dilation: Sequence[Any] | None = None,
    ) -> None:
        """Check and keep the settings, of windows in the order of `_axes`; draw parameters."""
        self._set_planes(planes)
        self._set_windows(kernel, stride, padding, dilation)
        self._make_parameters()

    def _set_planes(self, planes: Sequence[Any]) -> None:
        for name, value in zip(self._counts, planes, strict=True):
            setattr(self, name, checks.at_least(self, name, value, 1))

    def _make_parameters(self) -> None:
        weight, bias = self._weight_shape(), self._bias_shape()
        self.weight, self.gradWeight = np.zeros(weight), np.zeros(weight)
        self.bias, self.gradBias = np.zeros(bias), np.zeros(bias)
        self.reset()

    # What a member may have otherwise. Here images have the planes first.

    @property
    def _planes(self) -> tuple[int, int]:
        """How many planes input and output have."""
        numbers = [getattr(self, name) for name in self._counts]
        return numbers[0], numbers[-1]

    @property
    def _groups(self) -> int:
        """How many groups of planes there are, with kernels of their own."""
        return 1

    def _weight_shape(self) -> Size:
        return (*reversed(self._planes), *self._kernel)

    def _bias_shape(self) -> Size:
        return (self._planes[1],)

    def _fan_in(self) -> int:
        """Return what Torch7 divides by where it draws the first parameters."""
        return prod(self._kernel) * self._planes[0]

    def _fans(self) -> tuple[float, float]:
        """Return how many numbers one of the output is made of, and to how many one goes."""
        window, groups = prod(self._kernel), self._groups
        planes_in, planes_out = self._planes
        return window * planes_in // groups, window * planes_out // groups

    def _identity(self) -> Array:
        """Return the weight by which an output plane is the mean of its input planes."""
        weight = np.zeros(self.weight.shape)
        shares = weight.reshape(-1, *self._kernel)
        shares[self._middle_of_each] = self._groups / self._planes[0]
        return weight

    @property
    def _middle_of_each(self) -> Any:
        """The index of the middle of every window, in an array (n, *kernel)."""
        return (slice(None), *((k - 1) // 2 for k in self._kernel))

    def _kernels(self) -> Array:
        """Return the weight as (output planes, input planes of a group, *kernel)."""
        return self.weight

    def _biases(self) -> Array | None:
        """Return the bias as (output planes,)."""
        return self.bias

    def _made(self, images: Array, out: Size) -> Array:
        """Return the output of images, which has the size out."""
        return conv(images, self._kernels(), *self._geometry, self._biases())

    def _sent_back(self, gradOutput: Array, size: Size) -> Array:
        """Return the gradient of images of this size."""
        return conv_transposed(gradOutput, self._kernels(), size, *self._geometry, self._groups)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        found = conv_weight(images, gradOutput, self._kernel, *self._geometry, self._groups)
        return found.reshape(self.weight.shape)

    def _bias_gradient(self, gradOutput: Array) -> Array:
        """Return the sum of each plane over the batch and its positions."""
        dims = len(self._axes)
        behind = tuple(range(gradOutput.ndim - dims, gradOutput.ndim))
        return sum_along(gradOutput, (0, *behind) if gradOutput.ndim > dims + 1 else behind)

    @property
    def _geometry(self) -> tuple[Size, Size, Size]:
        return self._stride, self._padding, self._dilation

    def updateOutput(self, input: Any) -> Array:
        images, out = self._check("updateOutput", input)
        # The last one makes room for the next.
        self.output = EMPTY
        self.output = self._planes_first(self._made(images, out))
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Array) -> Any:
        images, gradOutput = self._check_back("updateGradInput", input, gradOutput)
        size = images.shape[images.ndim - len(self._axes) :]
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = self._planes_first(self._sent_back(gradOutput, size))
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        images, gradOutput = self._check_back("accGradParameters", input, gradOutput)
        increment = self._weight_gradient(images, gradOutput)
        # What fails has changed nothing: all increments are made before the first is added.
        if self.bias is not None:
            sums = scale * self._bias_gradient(gradOutput)
        self.gradWeight += increment if scale == 1 else scale * increment
        if self.bias is not None:
            self.gradBias += sums

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(fan in)."""
        uniform(self, stdv, self._fan_in(), *self.parameters()[0])
        return self

    def noBias(self) -> Self:
        """Remove the bias. Return self."""
        self.bias = self.gradBias = None
        return self

    def __repr__(self) -> str:
        without = "" if self.bias is not None else " without bias"
        planes = " -> ".join(str(getattr(self, name)) for name in self._counts)
        return f"{type(self).__name__}({planes}, {self._written()}){without}"

    def _check(self, method: str, input: Any) -> tuple[Array, Size]:
        """Raise unless the input fits; return it with the planes first, and the output's size."""
        planes, _ = self._planes
        self._check_images(method, input, planes, self.weight.dtype)
        images = self._planes_first(input)
        out = self._windows_of(images.shape[images.ndim - len(self._axes) :])
        if min(out) < 1:
            self._refuse_small(method, input, planes)
        return images, out

    def _check_back(self, method: str, input: Any, gradOutput: Array) -> tuple[Array, Array]:
        """Raise unless both fit; return them with the planes first."""
        images, out = self._check(method, input)
        lead, (_, planes) = images.shape[: images.ndim - len(out) - 1], self._planes
        shape = (*lead, *out, planes) if self._planes_last else (*lead, planes, *out)
        checks.must_be_typed_back(self, method, images, gradOutput, shape, self.weight.dtype)
        return images, self._planes_first(gradOutput)

    def _planes_hint(self, input: Array, planes: int | None) -> str | None:
        hint = super()._planes_hint(input, planes)
        dims = len(self._axes)
        if hint is None and input.ndim in (dims + 1, dims + 2):
            n = input.shape[-1 if self._planes_last else -dims - 1]
            numbers = n, *(getattr(self, name) for name in self._counts[1:])
            fit = f"{type(self).__name__}({', '.join(map(str, numbers))}, ...) would fit"
            return fit if n else None
        return hint
