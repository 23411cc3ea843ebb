"""What all functions that work entry by entry have in common."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.module import Module


class Pointwise(Module):
    """A function applied to every entry: a member is its formula, and its derivative.

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Conventions
    -----------
    Remembers nothing: the derivative is taken at the `input` of the backward. NaN in gives NaN
    out.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput has another shape or precision than input.
    """

    def updateOutput(self, input: Any) -> Any:
        checks.floating(self, "updateOutput", input)
        self.output = self._function(input)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        checks.alike(self, "updateGradInput", input, gradOutput)
        self.gradInput = self._gradient(input, gradOutput)
        return self.gradInput

    def _function(self, input: Any) -> Any:
        raise NotImplementedError

    def _gradient(self, input: Any, gradOutput: Any) -> Any:
        """Return gradOutput times the derivative at input."""
        raise NotImplementedError
