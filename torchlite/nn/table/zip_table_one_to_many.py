"""ZipTableOneToMany."""

from typing import Any

from torchlite.kernels.arrays import Table
from torchlite.nn import table_checks
from torchlite.nn.entries import total_gradient
from torchlite.nn.module import Module

__all__ = ["ZipTableOneToMany"]


class ZipTableOneToMany(Module):
    """One thing paired with each entry of a table.

    Maths
    -----
    ::

        output = [[input[0], entry] for entry in input[1]]
        gradInput = [sum(pair[0] for pair in gradOutput), [pair[1] for pair in gradOutput]]

    Shapes
    ------
    input: a table of an array (or table) and a table of n entries; output: a table of n pairs.

    Conventions
    -----------
    Remembers nothing. The outputs are the entries themselves. In gradInput the sum is fresh, the
    others are the gradOutputs themselves. Integers and booleans pass, too; zeros of their dtype go
    back.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.ZipTableOneToMany()
    >>> x = [np.array([1.0]), [np.array([2.0]), np.array([3.0])]]
    >>> layer.forward(x)
    [[array([1.]), array([2.])], [array([1.]), array([3.])]]
    >>> g = [[np.array([10.0]), np.array([20.0])], [np.array([5.0]), np.array([6.0])]]
    >>> layer.backward(x, g)
    [array([15.]), [array([20.]), array([6.])]]

    Reference
    ---------
    Torch7, nn/ZipTableOneToMany.lua.
    """

    def updateOutput(self, input: Table) -> list[Any]:
        self.output = self._pairs_of("updateOutput", input)
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Table) -> list[Any]:
        pairs = self._pairs_of("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, pairs)
        one = total_gradient([pair[0] for pair in gradOutput], input[0])
        self.gradInput = [one, [pair[1] for pair in gradOutput]]
        return self.gradInput

    def _pairs_of(self, method: str, input: Table) -> list[Any]:
        table_checks.must_be_table(self, method, "input", input, 2)
        one, many = input
        table_checks.must_be_table(self, method, "input[1]", many)
        return [[one, entry] for entry in many]
