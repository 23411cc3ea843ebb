"""ReverseSequence."""

from typing import Any, ClassVar, Self

from torchlite.kernels.arrays import Array, Table
from torchlite.nn import checks, table_checks
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array
from torchlite.nn.recurrent._masks import must_be_alike

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
    Integers and booleans pass, too; zeros of their dtype go back. A mask of the sequence, which a
    network around it is told, does not turn with it: ReverseUnreverse turns both.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput is not like input.
    StateError
        A mask is told, by `setZeroMask`, that is another one turned around.

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

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Refuse a mask (T, N) that would have to turn with the sequence. Return self."""
        must_be_alike(self, checks.mask(self, zeroMask), 0)
        return self

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
