"""What full convolutions have in common, with any number of dimensions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.convolution import conv, conv_transposed, conv_weight
from torchlite.kernels.windows import full_size
from torchlite.nn import checks, table_checks
from torchlite.nn.convolution._convolution import Convolution, Size


class FullConvolution(Convolution):
    """The transpose of a convolution: every entry adds a kernel for each output plane.

    A window is what an entry adds to. adj says how much larger the output is than it must be to
    hold them; a table {x, like} says by the size of like how large it is instead.
    """

    _validates = True

    def _adjust(self, extra: Sequence[Any], stride: Sequence[Any]) -> None:
        """Check adj, in the order of `_axes`, and keep it."""
        for axis, value, step in zip(self._axes, extra, stride, strict=True):
            name = f"adj{axis}"
            step = checks.at_least(self, f"d{axis}", step, 1)
            number = checks.at_least(self, name, value, 0)
            if number >= step:
                expected = f"less than d{axis} = {step}"
                raise checks.misbuilt(SettingError, self, name, expected, str(number))
            setattr(self, name, number)

    @property
    def _spreads(self) -> bool:
        return True

    def _weight_shape(self) -> Size:
        return (*self._planes, *self._kernel)

    def _windows_of(self, size: Size) -> Size:
        return self._size_of(size, self._numbers("adj"))

    def _size_of(self, size: Size, extra: Size) -> Size:
        return full_size(size, self._kernel, *self._geometry, extra)

    def _made(self, images: Array, out: Size) -> Array:
        return conv_transposed(images, self.weight, out, *self._geometry, bias=self.bias)

    def _sent_back(self, gradOutput: Array, size: Size) -> Array:
        return conv(gradOutput, self.weight, *self._geometry)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        return conv_weight(gradOutput, images, self._kernel, *self._geometry)

    def updateGradInput(self, input: Any, gradOutput: Array) -> Any:
        super().updateGradInput(input, gradOutput)
        if isinstance(input, (list, tuple)):
            self.gradInput = [self.gradInput, np.zeros_like(input[1])]
        return self.gradInput

    def _check(self, method: str, input: Any) -> tuple[Array, Size]:
        if not isinstance(input, (list, tuple)):
            return super()._check(method, input)
        table_checks.must_be_table(self, method, "input", input, 2)
        images, like = input
        self._check_images(method, images, self._planes[0], self.weight.dtype, "input[0]")
        checks.must_be_array(self, method, "input[1]", like)
        dims = len(self._axes)
        if 0 in images.shape[images.ndim - dims :]:
            self._refuse_small(method, images, self._planes[0], "input[0]")
        out: Size = like.shape[max(0, like.ndim - dims) :]
        least = self._size_of(images.shape[images.ndim - dims :], (0,) * dims)
        most = [n + step - 1 for n, step in zip(least, self._stride, strict=True)]
        fits = len(out) == dims
        if not (
            fits and all(max(1, a) <= n <= b for a, n, b in zip(least, out, most, strict=True))
        ):
            each = zip(self._letters, least, most, strict=True)
            sizes = " and ".join(f"{max(1, a)} <= {letter} <= {b}" for letter, a, b in each)
            expected = f"an array (..., {', '.join(self._letters)}) with {sizes}"
            raise checks.misshapen(self, method, "input[1]", expected, like)
        return images, out

    def _written(self) -> str:
        extra = [getattr(self, f"adj{axis}") for axis in self._printed]
        return super()._written() + (", " + ",".join(map(str, extra)) if any(extra) else "")
