"""SeqReverseSequence."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn._shaping import Shaping
from torchlite.nn.dims import position
from torchlite.nn.recurrent._masks import must_be_alike

__all__ = ["SeqReverseSequence"]


class SeqReverseSequence(Shaping):
    """Turns an array around along one dimension: the last entry comes first.

    Maths
    -----
    ::

        output = np.flip(input, dim)
        gradInput = np.flip(gradOutput, dim)

    Shapes
    ------
    input: any with that dimension; output: the same.

    Parameters
    ----------
    dim
        The dimension, counted from 0, from the end if negative.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput. Integers and booleans pass, too;
    zeros of their dtype go back. A mask of the sequence, which a network around it is told, does
    not turn with it: ReverseUnreverse turns both.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension.
    StateError
        A mask is told, by `setZeroMask`, that is another one turned around: where dim is not
        negative, and so is known to be one of the mask's.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.SeqReverseSequence(1).forward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[3., 2., 1.],
           [6., 5., 4.]])

    Reference
    ---------
    torch/rnn, SeqReverseSequence.lua.
    """

    def __init__(self, dim: int) -> None:
        self.dim = checks.whole(self, "dim", dim)

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Refuse a mask, (T, N) or (N, T), that would have to turn with the input. Return self."""
        must_be_alike(self, checks.mask(self, zeroMask), self.dim)
        return self

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"batch": "it turns the samples around"} if self.dim == 0 else {}

    def _plan(self, method: str, input: Array) -> int:
        return position(self, method, input, self.dim)

    def _shape(self, input: Array, axis: int) -> tuple[int, ...]:
        return input.shape

    def _function(self, input: Array, axis: int) -> Array:
        return np.flip(input, axis)

    def _gradient(self, input: Array, gradOutput: Array, axis: int) -> Array:
        return np.flip(gradOutput, axis)
