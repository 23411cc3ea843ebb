"""FeatureLPPooling."""

from math import prod

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.means import sum_windows, sum_windows_back
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["FeatureLPPooling"]


class FeatureLPPooling(Module):
    """The p-norm of neighbouring features.

    Maths
    -----
    ::

        axis = 1 if batch_mode else 0
        rows = input.reshape(*input.shape[: axis + 1], -1)
        size = rows.shape[-2:]
        windows = (width, 1), (stride, 1), (0, 0)
        sums = sum_windows(rows**power, *windows, pooled_size(size, *windows, (1, 1)))
        norms = sums ** (1 / power)
        output = norms.reshape(*input.shape[:axis], -1, *input.shape[axis + 1 :])
        slopes = gradOutput.reshape(norms.shape) * sums ** (1 / power - 1)
        gradRows = sum_windows_back(slopes, size, *windows) * rows ** (power - 1)
        gradInput = gradRows.reshape(input.shape)

    sum_windows and sum_windows_back stand in torchlite.kernels.means, each defined by a few lines:
    output[f] is the sum of input[f * stride + i] ** power with i < width, to the power 1 / power.

    Shapes
    ------
    input (F,), (F, A) or (F, A, B); in batch_mode (N, F), (N, F, A) or (N, F, A, B). output: the
    same, but (F - width) // stride + 1 features.

    Parameters
    ----------
    width
        How many features are taken together, 2 to 16.
    stride
        How far apart they start, 1 to 4.
    power
        The exponent, positive.
    batch_mode
        Whether the first dimension is that of the samples.

    Conventions
    -----------
    No absolute values are taken: where power is odd, terms cancel, and where it is no integer, a
    negative entry gives NaN. Where a norm is 0, its gradient is 0; for a power below 1, so is that
    of an entry that is 0. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or has fewer than `width` features.
    SettingError
        width, stride or power is out of its range.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.FeatureLPPooling(2, 2, 2)
    >>> x = np.array([3.0, 4.0, 0.0, 2.0])
    >>> layer.forward(x)
    array([5., 2.])
    >>> layer.backward(x, np.array([10.0, 1.0]))
    array([6., 8., 0., 1.])

    Reference
    ---------
    Torch7, nn/FeatureLPPooling.lua.
    """

    def __init__(self, width: int, stride: int, power: float, batch_mode: bool = False) -> None:
        for name, value, least, most in (("width", width, 2, 16), ("stride", stride, 1, 4)):
            if not least <= checks.whole(self, name, value) <= most:
                expected = f"from {least} to {most}"
                raise checks.misbuilt(SettingError, self, name, expected, repr(value))
        checks.positive_number(self, "power", power)
        self.width, self.stride, self.power = int(width), int(stride), power
        self.batch_mode = bool(batch_mode)

    def updateOutput(self, input: Array) -> Array:
        out = self._check("updateOutput", input)
        rows = self._rows(input)
        self.output = (self._sums(rows) ** (1 / self.power)).reshape(out)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        out = self._check("updateGradInput", input)
        checks.must_be_typed_back(self, "updateGradInput", input, gradOutput, out, input.dtype)
        rows = self._rows(input)
        sums = self._sums(rows)
        # Of no length there is no direction.
        known = sums != 0
        slopes = np.where(known, sums, 1) ** (1 / self.power - 1) * known
        slopes *= gradOutput.reshape(sums.shape)
        spread = sum_windows_back(slopes, rows.shape[-2:], *self._windows())
        if self.power < 1:
            gradRows = spread / np.where(rows == 0, np.inf, rows ** (1 - self.power))
        else:
            gradRows = spread * rows ** (self.power - 1)
        self.gradInput = gradRows.reshape(input.shape)
        return self.gradInput

    def _windows(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        return (self.width, 1), (self.stride, 1), (0, 0)

    def _rows(self, input: Array) -> Array:
        """Return the input with what stands behind the features as one dimension."""
        axis = 1 if self.batch_mode else 0
        return input.reshape(*input.shape[: axis + 1], prod(input.shape[axis + 1 :]))

    def _sums(self, rows: Array) -> Array:
        features, behind = rows.shape[-2:]
        out = (features - self.width) // self.stride + 1, behind
        return sum_windows(rows**self.power, *self._windows(), out)

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        """Raise unless the input fits; return the shape of the output."""
        checks.must_be_floating(self, method, "input", input)
        axis = 1 if self.batch_mode else 0
        if not (axis < input.ndim <= axis + 3 and input.shape[axis] >= self.width):
            one = "(N, F), (N, F, A) or (N, F, A, B)" if axis else "(F,), (F, A) or (F, A, B)"
            expected = f"{one} with F >= {self.width}"
            raise checks.misshapen(self, method, "input", expected, input)
        out = (input.shape[axis] - self.width) // self.stride + 1
        return (*input.shape[:axis], out, *input.shape[axis + 1 :])

    def __repr__(self) -> str:
        said = f"w{self.width} s{self.stride} power {self.power} batch {int(self.batch_mode)}"
        return f"{type(self).__name__}({said})"
