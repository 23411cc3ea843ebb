"""Index."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import addat
from torchlite.nn import checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import position, resized
from torchlite.nn.module import Module
from torchlite.nn.simple._pairs import pair

__all__ = ["Index"]


class Index(Module):
    """Picks slices of a dimension by their indices, which are part of the input.

    Maths
    -----
    ::

        array, indices = input
        output = np.take(array, indices, dimension)
        gradArray = np.zeros_like(array)
        rows, gradRows = (np.moveaxis(x, dimension, 0) for x in (gradArray, gradOutput))
        np.add.at(rows, indices, gradRows)
        gradInput = [gradArray, np.zeros_like(indices)]

    np.add.at is `rows[indices] += ...` for indices that may occur several times: all of them count.

    Shapes
    ------
    input: a table of any array and (k,) integers; output: the array with size k in the dimension.

    Parameters
    ----------
    dimension
        Counted from 0, negative ones from the end.

    Conventions
    -----------
    Indices count from 0, and negative ones are out of range. They have no gradient: in its place
    stand zeros of their dtype. Remembers nothing. An array of integers or booleans gets zeros, too.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension.
    IndexError
        There is no such slice.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Index(0)
    >>> x, indices = np.array([10.0, 20.0, 30.0]), np.array([2, 0, 2])
    >>> layer.forward([x, indices])
    array([30., 10., 30.])
    >>> layer.backward([x, indices], np.array([1.0, 2.0, 3.0]))
    [array([2., 0., 4.]), array([0, 0, 0])]

    Reference
    ---------
    Torch7, nn/Index.lua.
    """

    exempt: ClassVar = dict.fromkeys(("batch", "empty"), "the indices are not by sample")

    def __init__(self, dimension: int) -> None:
        self.dimension = whole(self, "dimension", dimension)

    def updateOutput(self, input: Sequence[Array]) -> Array:
        array, indices, axis = self._parts("updateOutput", input)
        self.output = np.take(array, indices, axis)
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        array, indices, axis = self._parts("updateGradInput", input)
        shape = resized(array, axis, len(indices))
        gradOutput = checks.moved_back(self, "updateGradInput", gradOutput, array, shape)
        rest = resized(array, axis)
        rows = np.zeros_like(gradOutput, shape=(array.shape[axis], math.prod(rest)))
        gradRows = np.moveaxis(gradOutput, axis, 0).reshape(len(indices), math.prod(rest))
        addat(rows, 1, indices, gradRows)
        gradArray = np.moveaxis(rows.reshape(array.shape[axis], *rest), 0, axis)
        self.gradInput = [gradArray, np.zeros_like(input[1])]
        return self.gradInput

    def _parts(self, method: str, input: Sequence[Array]) -> tuple[Array, Array, int]:
        array, indices = pair(self, method, input)
        axis = position(self, method, array, self.dimension)
        n = array.shape[axis]
        what = f"entries of dimension {axis}"
        indices = checks.integers(self, method, "input[1]", indices, n, what)
        if indices.ndim != 1:
            raise checks.misshapen(self, method, "input[1]", "of one dimension", indices)
        return array, indices, axis
