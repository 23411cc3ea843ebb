"""What the layers have in common that combine arrays entry by entry."""

from collections.abc import Sequence

from torchlite.kernels.arrays import Array
from torchlite.nn import table_checks
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY


class Entrywise(Module):
    """A function of arrays of one shape, entry by entry: a member is its formula.

    Shapes
    ------
    input: a table of arrays, all of one shape; output: that shape. The table may have another
    length at every call; that of one array gives a copy of it.

    Conventions
    -----------
    Remembers nothing. The gradInputs are separate arrays, also where they are equal.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table; gradOutput has another shape or precision.
    """

    # How many arrays it takes; None: any number.
    _length: int | None = None

    def updateOutput(self, input: Sequence[Array]) -> Array:
        table_checks.must_be_alike(self, "updateOutput", "input", input, self._length)
        # The last one makes room for the next.
        self.output = EMPTY
        self.output = self._function(input) if len(input) > 1 else input[0].copy()
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        table_checks.must_be_alike(self, "updateGradInput", "input", input, self._length)
        first = input[0]
        table_checks.must_be_like(
            self, "updateGradInput", "gradOutput", gradOutput, first.shape, first.dtype
        )
        # The last one makes room for the next.
        self.gradInput = EMPTY
        if len(input) > 1:
            self.gradInput = self._gradients(input, gradOutput)
        else:
            self.gradInput = [gradOutput.copy()]
        return self.gradInput

    def _function(self, arrays: Sequence[Array]) -> Array:
        raise NotImplementedError

    def _gradients(self, arrays: Sequence[Array], gradOutput: Array) -> list[Array]:
        """Return, for each array, gradOutput times the derivative by it: separate arrays."""
        raise NotImplementedError
