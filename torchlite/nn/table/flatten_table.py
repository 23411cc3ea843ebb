"""FlattenTable."""

from typing import Any

from torchlite.kernels.arrays import Table
from torchlite.nn import table_checks
from torchlite.nn.module import Module
from torchlite.nn.nested import leaves, rebuilt

__all__ = ["FlattenTable"]


class FlattenTable(Module):
    """All arrays of a nested table, one after the other.

    Maths
    -----
    Of input [a, [b, [c]]] the leaves are [a, b, c], and go back to their places::

        output = leaves(input)
        gradInput = rebuilt(input, gradOutput)

    Shapes
    ------
    input: a table of arrays and tables, of any depth (dicts too, in their order); output: a table
    of arrays.

    Conventions
    -----------
    Remembers nothing. The outputs are the arrays themselves, and the gradInputs are the gradOutputs
    themselves, in tables like those of the input. Integers and booleans pass, too; zeros of their
    dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input is no table; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.FlattenTable()
    >>> x = [np.array([1.0]), [np.array([2.0]), [np.array([3.0])]]]
    >>> layer.forward(x)
    [array([1.]), array([2.]), array([3.])]
    >>> layer.backward(x, [np.array([10.0]), np.array([20.0]), np.array([30.0])])
    [array([10.]), [array([20.]), [array([30.])]]]

    Reference
    ---------
    Torch7, nn/FlattenTable.lua.
    """

    def updateOutput(self, input: Table) -> list[Any]:
        self.output = self._arrays("updateOutput", input)
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Table) -> Any:
        arrays = self._arrays("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, arrays)
        self.gradInput = rebuilt(input, gradOutput)
        return self.gradInput

    def _arrays(self, method: str, input: Table) -> list[Any]:
        if not isinstance(input, dict):
            table_checks.must_be_table(self, method, "input", input)
        return leaves(input)
