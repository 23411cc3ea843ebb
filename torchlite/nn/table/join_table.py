"""JoinTable."""

from collections.abc import Sequence

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import position, resized, sample_dims
from torchlite.nn.entries import pieces
from torchlite.nn.module import Module

__all__ = ["JoinTable"]


class JoinTable(Module):
    """Arrays one after the other along a dimension.

    Maths
    -----
    With dimension counted in the whole arrays::

        output = np.concatenate(input, dimension)
        ends = np.cumsum([array.shape[dimension] for array in input])
        gradInput = np.split(gradOutput, ends[:-1], dimension)

    Shapes
    ------
    input: a table of arrays that differ in the length of that dimension alone; output: the same
    with the sum of the lengths. The table may have another length at every call.

    Parameters
    ----------
    dimension
        Counted from 0, or from the end if negative.
    nInputDims
        How many dimensions a sample has: then the dimension is one of each sample.

    Conventions
    -----------
    Remembers nothing. The gradInputs are views of gradOutput that do not overlap. Integers and
    booleans pass, too, all of one dtype; zeros of it go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.JoinTable(0)
    >>> x = [np.array([1.0, 2.0]), np.array([3.0])]
    >>> layer.forward(x)
    array([1., 2., 3.])
    >>> layer.backward(x, np.array([10.0, 20.0, 30.0]))
    [array([10., 20.]), array([30.])]

    Reference
    ---------
    Torch7, nn/JoinTable.lua.
    """

    def __init__(self, dimension: int, nInputDims: int | None = None) -> None:
        self.dimension = whole(self, "dimension", dimension)
        self.nInputDims = sample_dims(self, "nInputDims", nInputDims)

    def updateOutput(self, input: Sequence[Array]) -> Array:
        axis = self._axis("updateOutput", input)
        self.output = np.concatenate(input, axis)
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        axis = self._axis("updateGradInput", input)
        first = input[0]
        lengths = [array.shape[axis] for array in input]
        shape = resized(first, axis, sum(lengths))
        gradOutput = checks.moved_back(self, "updateGradInput", gradOutput, first, shape)
        self.gradInput = pieces(gradOutput, lengths, axis)
        return self.gradInput

    def _axis(self, method: str, input: Sequence[Array]) -> int:
        table_checks.must_be_arrays(self, method, "input", input, movable=True)
        axis = position(self, method, input[0], self.dimension, self.nInputDims)
        return table_checks.joined_axis(self, method, "input", input, axis)
