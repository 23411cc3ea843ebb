"""SplitTable."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, Table
from torchlite.nn import checks, table_checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import position, sample_dims
from torchlite.nn.entries import at
from torchlite.nn.module import Module

__all__ = ["SplitTable"]


class SplitTable(Module):
    """The slices along a dimension, as a table.

    Maths
    -----
    With dimension counted in the whole input::

        output = [np.take(input, i, dimension) for i in range(input.shape[dimension])]
        gradInput = np.stack(gradOutput, dimension)

    Shapes
    ------
    input: any; output: a table with an array of one dimension less for each slice.

    Parameters
    ----------
    dimension
        Counted from 0, or from the end if negative.
    nInputDims
        How many dimensions a sample has: then the dimension is one of each sample.

    Conventions
    -----------
    Remembers nothing. The outputs are views of the input. Integers and booleans pass, too; zeros of
    their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SplitTable(1)
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> layer.forward(x)
    [array([1., 3.]), array([2., 4.])]
    >>> layer.backward(x, [np.array([10.0, 30.0]), np.array([20.0, 40.0])])
    array([[10., 20.],
           [30., 40.]])
    >>> nn.SplitTable(0, 1).forward(x)
    [array([1., 3.]), array([2., 4.])]

    Reference
    ---------
    Torch7, nn/SplitTable.lua.
    """

    def __init__(self, dimension: int, nInputDims: int | None = None) -> None:
        self.dimension = whole(self, "dimension", dimension)
        self.nInputDims = sample_dims(self, "nInputDims", nInputDims)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"maths": "it is said without nInputDims"} if self.nInputDims is not None else {}

    def updateOutput(self, input: Array) -> list[Any]:
        self.output = self._slices("updateOutput", input)[1]
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Table) -> Array:
        axis, slices = self._slices("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, slices)
        self.gradInput = np.stack(gradOutput, axis) if slices else np.zeros_like(input)
        return self.gradInput

    def _slices(self, method: str, input: Array) -> tuple[int, list[Any]]:
        """Return the axis that is split, and the slices."""
        checks.must_be_movable(self, method, "input", input)
        axis = position(self, method, input, self.dimension, self.nInputDims)
        return axis, [at(input, axis, i) for i in range(input.shape[axis])]
