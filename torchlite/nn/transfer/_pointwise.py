"""What all functions that work entry by entry have in common."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.threads import LONG, entrywise
from torchlite.kernels.weak import GONE, weakly
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY


class Pointwise(Module):
    """A function applied to every entry: a member is its formula, and its derivative.

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Attributes
    ----------
    inplace
        Taken and kept where Torch7 has it. The numbers are the same, and torchlite never writes
        to `input` or `gradOutput`.

    Conventions
    -----------
    Remembers nothing: the derivative is taken at the `input` of the backward. NaN in gives NaN
    out.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput has another shape or precision than input.
    """

    _validates = True
    inplace: bool = False
    # Whether an entry takes so long that threads are worth it. Function and gradient of such a
    # class also take `out`, an array for what they return.
    _takes_long = False

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        self._must_fit("updateOutput", input)
        # The last one makes room for the next.
        self.output = EMPTY
        if self._takes_long and input.size >= LONG:
            self.output = entrywise(self._function, input)
        else:
            self.output = self._function(input)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        self._must_fit("updateGradInput", input)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        if self._takes_long and input.size >= LONG:
            self.gradInput = entrywise(self._gradient, input, gradOutput)
        else:
            self.gradInput = self._gradient(input, gradOutput)
        return self.gradInput

    def _must_fit(self, method: str, input: Array) -> None:
        """Raise unless input fits. Here: any array of numbers does."""

    def _function(self, input: Array) -> Array:
        raise NotImplementedError

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        """Return gradOutput times the derivative at input."""
        raise NotImplementedError


class FromOutput(Pointwise):
    """A function whose derivative is cheapest from its output.

    Conventions
    -----------
    Remembers nothing, in effect: where the `input` of the backward is the very array of the last
    forward, `output` is used, otherwise it is computed anew. So do not write to that array in
    between.
    """

    transient = (*Pointwise.transient, "_source")
    _source: Any = GONE  # the array that self.output was computed from

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        self._must_fit("updateOutput", input)
        # Broken off from here on, an output is nobody's.
        self._source = GONE
        # The last one makes room for the next.
        self.output = EMPTY
        if self._takes_long and input.size >= LONG:
            self.output = entrywise(self._function, input)
        else:
            self.output = self._function(input)
        self._source = weakly(input)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        self._must_fit("updateGradInput", input)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        # EMPTY: a forward of another input was broken off.
        kept = input is self._source() and self.output is not EMPTY
        output = self.output if kept else self._function(input)
        if self._takes_long and input.size >= LONG:
            self.gradInput = entrywise(self._gradient_of, input, output, gradOutput)
        else:
            self.gradInput = self._gradient_of(input, output, gradOutput)
        return self.gradInput

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        """Return gradOutput times the derivative at input, where the function is output."""
        raise NotImplementedError
