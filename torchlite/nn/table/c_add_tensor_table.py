"""CAddTensorTable."""

from typing import Any

from torchlite.kernels.arrays import Table
from torchlite.nn import checks, table_checks
from torchlite.nn.entries import total_gradient
from torchlite.nn.module import Module

__all__ = ["CAddTensorTable"]


class CAddTensorTable(Module):
    """An array added to each array of a table.

    Maths
    -----
    ::

        output = [input[0] + array for array in input[1]]
        gradInput = [sum(gradOutput), [gradient.copy() for gradient in gradOutput]]

    Shapes
    ------
    input: a table of an array and a table of n arrays, all of one shape; output: a table of n
    arrays of that shape.

    Conventions
    -----------
    Remembers nothing. The gradInputs are separate arrays.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CAddTensorTable()
    >>> x = [np.array([1.0]), [np.array([10.0]), np.array([20.0])]]
    >>> layer.forward(x)
    [array([11.]), array([21.])]
    >>> layer.backward(x, [np.array([5.0]), np.array([6.0])])
    [array([11.]), [array([5.]), array([6.])]]

    Reference
    ---------
    Torch7, nn/CAddTensorTable.lua.
    """

    def updateOutput(self, input: Table) -> list[Any]:
        one, many = self._opened("updateOutput", input)
        self.output = [one + array for array in many]
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Table) -> list[Any]:
        one, many = self._opened("updateGradInput", input)
        table_checks.checked_gradient(self, "updateGradInput", gradOutput, many)
        self.gradInput = [
            total_gradient(gradOutput, one),
            [gradient.copy() for gradient in gradOutput],
        ]
        return self.gradInput

    def _opened(self, method: str, input: Table) -> tuple[Any, Any]:
        table_checks.must_be_table(self, method, "input", input, 2)
        one, many = input
        checks.must_be_floating(self, method, "input[0]", one)
        table_checks.must_be_table(self, method, "input[1]", many)
        for i, array in enumerate(many):
            table_checks.must_be_like(
                self, method, f"input[1][{i}]", array, one.shape, one.dtype, " like input[0]"
            )
        return one, many
