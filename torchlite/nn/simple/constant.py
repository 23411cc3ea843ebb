"""Constant."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dims import leading, sample_dims
from torchlite.nn.module import Module

__all__ = ["Constant"]


class Constant(Module):
    """The same output for every input.

    Maths
    -----
    ::

        output = np.stack([value] * len(input)) if nInputDim else value
        gradInput = np.zeros_like(input)

    Shapes
    ------
    input: any; output: that of value. With nInputDim, for a batch, the batch's dimensions before.

    Parameters
    ----------
    value
        A number, or an array or nested list of numbers. A number is taken for [number].
    nInputDim
        How many dimensions a sample has; those before are the batch's, and value is repeated for
        each sample. None (or -1): there is no batch.

    Attributes
    ----------
    value
        The array, a copy. It is no parameter.

    Conventions
    -----------
    The output is of the input's dtype. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.zeros((2, 5))
    >>> nn.Constant(7).forward(x)
    array([7.])
    >>> nn.Constant([7, 8], 1).forward(x)
    array([[7., 8.],
           [7., 8.]])

    Reference
    ---------
    Torch7, nn/Constant.lua.
    """

    def __init__(self, value: Any, nInputDim: int | None = None) -> None:
        self.value = np.array(value, dtype="float64", ndmin=1)
        self.nInputDim = sample_dims(self, "nInputDim", nInputDim)

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        value = self.value.real.astype(input.dtype)
        self.output = np.broadcast_to(value, self._shape("updateOutput", input)).copy()
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_be_floating(self, "updateGradInput", "input", input)
        shape = self._shape("updateGradInput", input)
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, input.dtype)
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def _shape(self, method: str, input: Array) -> tuple[int, ...]:
        batch = input.shape[: leading(self, method, input, self.nInputDim)]
        return (*batch, *self.value.shape)
