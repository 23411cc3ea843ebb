"""ZipTable."""

from typing import Any

from torchlite.kernels.arrays import Table
from torchlite.nn import checks, table_checks
from torchlite.nn.module import Module

__all__ = ["ZipTable"]


class ZipTable(Module):
    """A table of tables, turned: the first entries, the second entries, and so on.

    Maths
    -----
    ::

        output = [[row[i] for row in input] for i in range(len(input[0]))]
        gradInput = [[column[j] for column in gradOutput] for j in range(len(input))]

    Shapes
    ------
    input: a table of m tables of n entries; output: a table of n tables of m entries.

    Conventions
    -----------
    Remembers nothing. The outputs are the entries themselves, and the gradInputs are the
    gradOutputs themselves. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.ZipTable()
    >>> layer.forward([[np.array([1.0]), np.array([2.0])], [np.array([3.0]), np.array([4.0])]])
    [[array([1.]), array([3.])], [array([2.]), array([4.])]]

    Reference
    ---------
    Torch7, nn/ZipTable.lua.
    """

    def updateOutput(self, input: Table) -> list[Any]:
        self.output = self._columns("updateOutput", input)
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Table) -> list[Any]:
        columns = self._columns("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, columns)
        self.gradInput = [[column[j] for column in gradOutput] for j in range(len(input))]
        return self.gradInput

    def _columns(self, method: str, input: Table) -> list[Any]:
        table_checks.must_be_table(self, method, "input", input)
        if not input:
            raise checks.misshapen(self, method, "input", "a table of at least 1 entry", input)
        for j, row in enumerate(input):
            length = len(input[0]) if j else None
            table_checks.must_be_table(self, method, f"input[{j}]", row, length)
        return [list(column) for column in zip(*input, strict=True)]
