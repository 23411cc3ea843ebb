"""ArgMax."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dims import position, resized
from torchlite.nn.module import Module

__all__ = ["ArgMax"]


class ArgMax(Module):
    """Where the largest entry along a dimension stands.

    Maths
    -----
    ::

        output = np.argmax(input, dim + (input.ndim > nInputDim))
        gradInput = np.zeros_like(input)

    Shapes
    ------
    input: any; output: the same without the dimension. From a 1-D input it is (1,).

    Parameters
    ----------
    dim
        Counted from 0, or from the end if negative; in a sample, if input has more than nInputDim
        dimensions, the first of which then counts the samples.
    nInputDim
        How many dimensions a sample has.
    asLong
        Whether the places are integers; False: numbers of input's dtype.

    Conventions
    -----------
    Places count from 0. Of entries that are equally large the first counts, NaN before all others;
    complex numbers are ordered by their real parts. A place has no gradient: gradInput is zeros.
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension, or nothing along it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.ArgMax().forward(np.array([[1.0, 5.0, 2.0], [4.0, 0.0, 3.0]]))
    array([1, 0])

    Reference
    ---------
    torch/rnn, ArgMax.lua.
    """

    def __init__(self, dim: int = 0, nInputDim: int = 1, asLong: bool = True) -> None:
        self.dim = checks.whole(self, "dim", dim)
        self.nInputDim = checks.at_least(self, "nInputDim", nInputDim, 1)
        self.asLong = bool(asLong)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {} if self.asLong else {"nan": "NaN has a place, too"}

    def updateOutput(self, input: Array) -> Array:
        axis = self._axis("updateOutput", input)
        places = input.real.argmax(axis=axis).reshape(self._shape(input, axis))
        self.output = places if self.asLong else places.astype(input.dtype)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        axis = self._axis("updateGradInput", input)
        dtype = np.dtype(np.intp) if self.asLong else input.dtype
        shape = self._shape(input, axis)
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, dtype)
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def _axis(self, method: str, input: Array) -> int:
        checks.must_be_floating(self, method, "input", input)
        of_batch = input.ndim > self.nInputDim
        axis = position(self, method, input, self.dim, input.ndim - 1 if of_batch else None)
        if not input.shape[axis]:
            expected = f"an array with entries along dimension {axis}"
            raise checks.misshapen(self, method, "input", expected, input)
        return axis

    @staticmethod
    def _shape(input: Array, axis: int) -> tuple[int, ...]:
        return resized(input, axis, *(() if input.ndim > 1 else (1,)))
