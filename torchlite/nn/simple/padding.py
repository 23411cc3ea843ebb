"""Padding."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn._shaping import Shaping
from torchlite.nn.checks import constant, whole
from torchlite.nn.dims import out_of_range, position, resized, sample_dims

__all__ = ["Padding"]


class Padding(Shaping):
    """Puts slices of one value before, behind or between the slices of a dimension.

    Maths
    -----
    ::

        start = index if pad < 0 else input.shape[dim] - index
        added = range(start, start + abs(pad))
        output = np.insert(input, [start] * abs(pad), value, dim)
        gradInput = np.delete(gradOutput, added, dim)

    Shapes
    ------
    input: any; output: the same, larger by abs(pad) in the dimension.

    Parameters
    ----------
    dim
        Counted from 0, negative ones from the end.
    pad
        How many slices: behind the dimension, or, if negative, before it.
    nInputDim
        How many dimensions a sample has: dim is then one of the sample's, and those before are the
        batch's. None (or -1): dim is one of the input's.
    value
        What stands in them.
    index
        How many slices of the input stand outside of them: after those that are added behind,
        before those that are added before.

    Conventions
    -----------
    Remembers nothing. Integers and booleans pass, too, and zeros of their dtype go back; value must
    then be one that their dtype holds.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension or index; value is no integer
        where input is of integers.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> nn.Padding(0, 2).forward(x), nn.Padding(0, -2, 1, 9, 1).forward(x)
    (array([1., 2., 3., 0., 0.]), array([1., 9., 9., 2., 3.]))
    >>> nn.Padding(0, -1).backward(x, np.array([10.0, 20.0, 30.0, 40.0]))
    array([20., 30., 40.])

    Reference
    ---------
    Torch7, nn/Padding.lua.
    """

    def __init__(
        self, dim: int, pad: int, nInputDim: int | None = None, value: Any = 0, index: int = 0
    ) -> None:
        self.dim = whole(self, "dim", dim)
        self.pad = whole(self, "pad", pad)
        self.nInputDim = sample_dims(self, "nInputDim", nInputDim)
        self.value = constant(self, "value", value)
        self.index = checks.size(self, "index", index)

    def _plan(self, method: str, input: Array) -> tuple[int, int]:
        axis = position(self, method, input, self.dim, self.nInputDim)
        size = input.shape[axis]
        if self.index > size:
            what, of = f"index {self.index}", f"dimension {axis} of "
            raise out_of_range(self, method, what, of, input)
        if checks.is_integral(input):
            self._must_hold_value(method, input.dtype)
        return axis, self.index if self.pad < 0 else size - self.index

    def _must_hold_value(self, method: str, dtype: Any) -> None:
        """Raise unless entries of this dtype, of integers or booleans, can hold the value."""
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        # The remainder of infinity is NaN.
        if not (low <= self.value <= high and self.value % 1 == 0):
            expected, why = f"a whole number from {low} to {high}", f" in {dtype} input"
            raise checks.mistyped(self, method, "value", expected, repr(self.value), why=why)

    def _shape(self, input: Array, plan: tuple[int, int]) -> tuple[int, ...]:
        axis, _ = plan
        return resized(input, axis, input.shape[axis] + abs(self.pad))

    def _function(self, input: Array, plan: tuple[int, int]) -> Array:
        axis, start = plan
        added = np.full_like(input, self.value, shape=resized(input, axis, abs(self.pad)))
        before, behind = np.split(input, [start], axis)
        return np.concatenate([before, added, behind], axis)

    def _gradient(self, input: Array, gradOutput: Array, plan: tuple[int, int]) -> Array:
        axis, start = plan
        before, _, behind = np.split(gradOutput, [start, start + abs(self.pad)], axis)
        return np.concatenate([before, behind], axis)
