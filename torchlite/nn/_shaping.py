"""What all layers have in common that rearrange, pick or reduce the entries of one array."""

from typing import Any, Self

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dims import sample_dims
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY


class Shaping(Module):
    """A function of one array of which the shape decides what goes where.

    A member says in `_plan` what that is (a dimension, an order, a part), and what it means for
    output and gradient.

    Conventions
    -----------
    Remembers nothing. Unless it computes, it takes integers and booleans, too.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    """

    # What input must be: one that computes takes numbers alone.
    _must_fit: Any = staticmethod(checks.must_be_movable)

    def updateOutput(self, input: Array) -> Array:
        self._must_fit(self, "updateOutput", "input", input)
        plan = self._plan("updateOutput", input)
        # The last one makes room for the next.
        self.output = EMPTY
        self.output = self._function(input, plan)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit(self, "updateGradInput", "input", input)
        plan = self._plan("updateGradInput", input)
        shape = self._shape(input, plan)
        gradOutput = checks.moved_back(self, "updateGradInput", gradOutput, input, shape)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = self._gradient(input, gradOutput, plan)
        return self.gradInput

    def _plan(self, method: str, input: Array) -> Any:
        """Return what the shape of the input decides, or raise because it does not fit."""
        raise NotImplementedError

    def _shape(self, input: Array, plan: Any) -> tuple[int, ...]:
        """Return the shape of the output."""
        raise NotImplementedError

    def _function(self, input: Array, plan: Any) -> Array:
        raise NotImplementedError

    def _gradient(self, input: Array, gradOutput: Array, plan: Any) -> Array:
        raise NotImplementedError


class OfSamples(Shaping):
    """One that can be told how many dimensions a sample has."""

    numInputDims: int | None = None

    def setNumInputDims(self, numInputDims: int | None) -> Self:
        """Say how many dimensions a sample has. Return self."""
        self.numInputDims = sample_dims(self, "numInputDims", numInputDims)
        return self
