"""What poolings have in common, with any number of dimensions."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from torchlite.kernels.arrays import Array
from torchlite.kernels.maxima import max_windows, scatter
from torchlite.kernels.means import mean_windows, mean_windows_back
from torchlite.kernels.windows import pooled_size
from torchlite.nn import checks
from torchlite.nn._windowed import Windowed
from torchlite.nn.nested import EMPTY


class Pooling(Windowed):
    """One number for every window of each plane. A member says which, and its constructor.

    Attributes
    ----------
    ceil_mode
        Whether a last window that reaches beyond the padded image counts.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.
    SettingError
        The padding is wider than half a window.
    """

    _prints_stride: ClassVar[bool] = True
    ceil_mode: bool = False

    def _build(
        self,
        kernel: Sequence[Any],
        stride: Sequence[Any],
        padding: Sequence[Any],
        dilation: Sequence[Any] | None = None,
    ) -> None:
        self._set_windows(kernel, stride, padding, dilation)
        self._refuse_wide_padding()

    def ceil(self) -> Self:
        """Let a last window that reaches beyond the padded image count, too. Return self."""
        self.ceil_mode = True
        return self

    def floor(self) -> Self:
        """Let whole windows count alone. Return self."""
        self.ceil_mode = False
        return self

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        geometry = self._kernel, self._stride, self._padding, self._dilation
        return pooled_size(size, *geometry, self.ceil_mode)

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        """Raise unless the input fits; return how many windows it has."""
        checks.must_be_floating(self, method, "input", input)
        self._check_images(method, input, None, input.dtype)
        out = self._windows_of(input.shape[input.ndim - len(self._axes) :])
        if min(out) < 1:
            self._refuse_small(method, input, None)
        return out

    def _check_back(self, method: str, input: Array, gradOutput: Array) -> tuple[int, ...]:
        out = self._check(method, input)
        shape = (*input.shape[: input.ndim - len(out)], *out)
        checks.must_be_typed_back(self, method, input, gradOutput, shape, input.dtype)
        return out

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._written()})"


class MaxPooling(Pooling):
    """The largest entry of every window.

    Attributes
    ----------
    indices
        After a forward: where in its plane each maximum stands, counted in C order from 0.

    Conventions
    -----------
    Of several equal entries the first gets the gradient. NaN in gives NaN out, and gets the
    gradient. Complex numbers are ordered by their real parts. A backward uses indices if its input
    is the very array that they come from, and otherwise finds those of its input itself: nothing
    needs to be remembered.
    """

    transient = (*Pooling.transient, "indices", "_pooled")
    indices: Array = EMPTY
    # The input of which these are the indices.
    _pooled: Any = None

    def updateOutput(self, input: Array) -> Array:
        out = self._check("updateOutput", input)
        self.output, indices = self._maxima(input, out)
        self.indices, self._pooled = indices, input
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        out = self._check_back("updateGradInput", input, gradOutput)
        indices = self.indices if input is self._pooled else self._maxima(input, out)[1]
        self.gradInput = scatter(
            gradOutput, indices, input.shape[input.ndim - len(out) :], self._are_distinct()
        )
        return self.gradInput

    def _maxima(self, input: Array, out: tuple[int, ...]) -> tuple[Array, Array]:
        geometry = self._kernel, self._stride, self._padding, self._dilation
        return max_windows(input, *geometry, out)

    def _are_distinct(self) -> bool:
        """Tell whether no entry is in two windows."""
        each = zip(self._kernel, self._stride, self._dilation, strict=True)
        return all(d * (k - 1) < s for k, s, d in each)


class AveragePooling(Pooling):
    """The mean of every window.

    Attributes
    ----------
    count_include_pad
        Whether zeros of the padding count in the mean.

    Conventions
    -----------
    Remembers nothing.
    """

    count_include_pad: bool = True

    def setCountIncludePad(self) -> Self:
        """Let zeros of the padding count in the mean. Return self."""
        self.count_include_pad = True
        return self

    def setCountExcludePad(self) -> Self:
        """Let the entries of the image count alone. Return self."""
        self.count_include_pad = False
        return self

    def updateOutput(self, input: Array) -> Array:
        out = self._check("updateOutput", input)
        geometry = self._kernel, self._stride, self._padding
        self.output = mean_windows(input, *geometry, out, self.count_include_pad)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        out = self._check_back("updateGradInput", input, gradOutput)
        size = input.shape[input.ndim - len(out) :]
        geometry = self._kernel, self._stride, self._padding
        self.gradInput = mean_windows_back(gradOutput, size, *geometry, self.count_include_pad)
        return self.gradInput
