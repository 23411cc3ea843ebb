"""NarrowTable."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Table
from torchlite.nn import checks, table_checks
from torchlite.nn.checks import whole
from torchlite.nn.module import Module
from torchlite.nn.nested import map_arrays

__all__ = ["NarrowTable"]


class NarrowTable(Module):
    """Some entries of a table that follow each other.

    Maths
    -----
    ::

        start = offset % len(input)
        output = input[start : start + length]
        gradInput = map_arrays(np.zeros_like, input)
        gradInput[start : start + length] = gradOutput

    Shapes
    ------
    input: a table of arrays or tables; output: a table of `length` of them.

    Parameters
    ----------
    offset
        The position of the first, counted from 0 or from the end if negative.
    length
        How many.

    Conventions
    -----------
    Remembers nothing. The outputs are the entries themselves, and their gradInputs are the
    gradOutputs themselves. The gradInputs of the others are zeros, table by table. Integers and
    booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input is no table, or too short; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.NarrowTable(1, 2)
    >>> x = [np.array([1.0]), np.array([2.0]), np.array([3.0])]
    >>> layer.forward(x)
    [array([2.]), array([3.])]
    >>> layer.backward(x, [np.array([20.0]), np.array([30.0])])
    [array([0.]), array([20.]), array([30.])]

    Reference
    ---------
    Torch7, nn/NarrowTable.lua, which gives a shorter table where the input ends too early.
    """

    def __init__(self, offset: int, length: int = 1) -> None:
        self.offset = whole(self, "offset", offset)
        self.length = checks.size(self, "length", length)

    def updateOutput(self, input: Table) -> list[Any]:
        self.output = list(input[self._stretch("updateOutput", input)])
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Table) -> list[Any]:
        stretch = self._stretch("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(
            self, "updateGradInput", gradOutput, input[stretch]
        )
        self.gradInput = map_arrays(np.zeros_like, input)
        self.gradInput[stretch] = gradOutput
        return self.gradInput

    def _stretch(self, method: str, input: Table) -> slice:
        table_checks.must_be_table(self, method, "input", input)
        start = self.offset if self.offset >= 0 else self.offset + len(input)
        table_checks.must_reach(self, method, "input", input, self.offset, self.length)
        return slice(start, start + self.length)
