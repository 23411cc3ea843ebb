"""ReverseTable."""

from typing import Any

from torchlite.kernels.arrays import Table
from torchlite.nn import table_checks
from torchlite.nn.module import Module

__all__ = ["ReverseTable"]


class ReverseTable(Module):
    """The entries of a table in reverse order.

    Maths
    -----
    ::

        output = input[::-1]
        gradInput = gradOutput[::-1]

    Shapes
    ------
    input: a table of arrays or tables; output: a table of as many.

    Conventions
    -----------
    Remembers nothing. The outputs are the entries themselves, and the gradInputs are the
    gradOutputs themselves. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input is no table; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.ReverseTable().forward([np.array([1.0]), np.array([2.0, 3.0])])
    [array([2., 3.]), array([1.])]

    Reference
    ---------
    dpnn, ReverseTable.lua.
    """

    def updateOutput(self, input: Table) -> list[Any]:
        self.output = self._reversed("updateOutput", input)
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Table) -> list[Any]:
        output = self._reversed("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, output)
        self.gradInput = list(gradOutput)[::-1]
        return self.gradInput

    def _reversed(self, method: str, input: Table) -> list[Any]:
        table_checks.must_be_table(self, method, "input", input)
        return list(input)[::-1]
