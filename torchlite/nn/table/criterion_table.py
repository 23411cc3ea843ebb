"""CriterionTable."""

from typing import Any

import numpy as np

from torchlite.errors import DTypeError
from torchlite.kernels.arrays import Array, Table
from torchlite.nn import checks, table_checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.entries import first_array
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, map_arrays

__all__ = ["CriterionTable"]


class CriterionTable(Module):
    """A criterion as a layer of a table of input and target.

    Maths
    -----
    ::

        output = criterion.updateOutput(input[0], input[1])
        gradient = gradOutput * criterion.updateGradInput(input[0], input[1])
        gradInput = [gradient, np.zeros_like(input[1])]

    Shapes
    ------
    input: a table of two entries, what the criterion takes; output: (), a number as an array.

    Parameters
    ----------
    criterion
        A Criterion.

    Conventions
    -----------
    Remembers what the criterion remembers. Nothing is learnt about the target: its gradient is
    zeros, of which Torch7 leaves the entry out. gradOutput may also be a plain number; Torch7 takes
    no notice of it.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table, or does not fit the criterion; gradOutput is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CriterionTable(nn.MSECriterion())
    >>> x = [np.array([1.0, 2.0]), np.array([3.0, 5.0])]
    >>> layer.forward(x)
    array(6.5)
    >>> layer.backward(x, 1), layer.backward(x, 10)
    ([array([-2., -3.]), array([0., 0.])], [array([-20., -30.]), array([0., 0.])])

    Reference
    ---------
    Torch7, nn/CriterionTable.lua.
    """

    # Of the output.
    _shape: tuple[int, ...] = ()

    def __init__(self, criterion: Criterion) -> None:
        if not isinstance(criterion, Criterion):
            got = type(criterion).__name__
            raise checks.misbuilt(DTypeError, self, "criterion", "a Criterion", got)
        self.criterion = criterion

    def updateOutput(self, input: Table) -> Array:
        table_checks.must_be_table(self, "updateOutput", "input", input, 2)
        loss = self.criterion.updateOutput(*input)
        self.output = np.full_like(first_array(input), loss, shape=self._shape)
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Any) -> list[Any]:
        table_checks.must_be_table(self, "updateGradInput", "input", input, 2)
        if is_array(gradOutput):
            dtype = first_array(input).dtype
            table_checks.must_be_like(
                self, "updateGradInput", "gradOutput", gradOutput, self._shape, dtype
            )
        else:
            gradOutput = checks.number(self, "updateGradInput", "gradOutput", gradOutput)
        gradient = self.criterion.updateGradInput(*input)
        self.gradInput = [
            map_arrays(lambda array: gradOutput * array, gradient),
            map_arrays(_zeros, input[1]),
        ]
        return self.gradInput


def _zeros(target: Any) -> Any:
    """Return the gradient of a target that is an array, a number or nothing."""
    if is_array(target):
        return np.zeros_like(target)
    return None if target is None else type(target)(0)
