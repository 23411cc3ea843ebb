"""ReverseSequence."""

from typing import Any, ClassVar

from torchlite.kernels.arrays import Array, Table
from torchlite.nn import checks, table_checks
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array

__all__ = ["ReverseSequence"]


class ReverseSequence(Module):
    """Turns a sequence around: the last step comes first.

    Maths
    -----
    ::

        output = input[::-1]
        gradInput = gradOutput[::-1]

    Shapes
    ------
    input: an array with the steps first, or a table of steps; output: the same.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput, or tables of their entries.
    Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput is not like input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.ReverseSequence().forward(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    array([[5., 6.],
           [3., 4.],
           [1., 2.]])

    Reference
    ---------
    torch/rnn, ReverseSequence.lua.
    """

    exempt: ClassVar = {"batch": "it turns the samples around"}

    def updateOutput(self, input: Array | Table) -> Any:
        self._must_be_steps("updateOutput", input)
        self.output = input[::-1]
        return self.output

    def updateGradInput(self, input: Array | Table, gradOutput: Array | Table) -> Any:
        self._must_be_steps("updateGradInput", input)
        checked = table_checks.checked_gradient(self, "updateGradInput", gradOutput, input)
        self.gradInput = checked[::-1]
        return self.gradInput

    def _must_be_steps(self, method: str, input: Any) -> None:
        if is_array(input):
            checks.must_be_movable(self, method, "input", input)
        else:
            table_checks.must_be_table(self, method, "input", input)
