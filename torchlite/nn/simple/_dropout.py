"""What the layers have in common that leave out parts of their input at random."""

from typing import Any, ClassVar, Self

import numpy as np

from torchlite import random
from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, same, shapes


class Dropping(Module):
    """Multiplies the input by a mask, drawn anew in each forward.

    A member says how many trailing dimensions are dropped together, and what evaluation does.

    Attributes
    ----------
    p
        The probability to be dropped.
    noise
        The factors of the last forward; empty if it drew none.

    Conventions
    -----------
    A forward in training, or any with stochasticInference, draws the mask and remembers it
    together with its input; a backward in that mode needs it. A backward in evaluation needs
    nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        The mask that a backward needs is not that of its input.
    SettingError
        p is less than 0, or not less than 1.
    """

    # How many trailing dimensions share one draw.
    _together: ClassVar[int] = 0
    # The input as errors describe it.
    _expected: ClassVar[str] = "an array of at least one dimension"
    # Whether what is kept is enlarged in training; otherwise everything shrinks in evaluation.
    v2: bool = False
    p: float = 0.5

    remembers = True
    transient = (*Module.transient, "noise", "_input")
    noise: Any = EMPTY
    # The input that the noise belongs to.
    _input: Any = EMPTY

    def __init__(self, p: float = 0.5, stochasticInference: bool = False) -> None:
        self.setp(p)
        self.stochastic_inference = bool(stochasticInference)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        drawn = {"batch": "every sample gets draws of its own, in evaluation, too"}
        return drawn if self.stochastic_inference else {}

    def setp(self, p: float) -> Self:
        """Set the probability to be dropped, from 0 to less than 1. Return self."""
        number = checks.number(self, "setp", "p", p)
        if not 0 <= number < 1:
            raise checks.misbuilt(SettingError, self, "p", "at least 0 and less than 1", repr(p))
        self.p = float(number)
        return self

    def updateOutput(self, input: Array) -> Array:
        self._must_fit("updateOutput", input)
        # The last ones make room for the next.
        self.output = self.noise = self._input = EMPTY
        if self._drops():
            self.noise, self._input = self._draw(input), input
            self.output = input * self.noise
        else:
            self.output = self._pass_on(input)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit("updateGradInput", input)
        checks.must_match(self, "updateGradInput", input, gradOutput)
        if self._drops():
            noise = self._noise_of(input)
            # The last one makes room for the next.
            self.gradInput = EMPTY
            self.gradInput = gradOutput * noise
        else:
            self.gradInput = self._pass_on(gradOutput)
        return self.gradInput

    def _drops(self) -> bool:
        return self.train or self.stochastic_inference

    def _draw(self, input: Array) -> Array:
        """Return 1 or 0 for what is kept and dropped; 1 is enlarged with v2."""
        shape = self._shape_of_noise(input)
        noise = like(random.bernoulli(1 - self.p, out=np.empty(shape, input.real.dtype)), input)
        if self.v2:
            noise /= 1 - self.p
        return noise

    def _shape_of_noise(self, input: Array) -> tuple[int, ...]:
        shape: tuple[int, ...] = input.shape[: input.ndim - self._together]
        return shape + (1,) * self._together

    def _pass_on(self, array: Array) -> Array:
        return array if self.v2 else array * (1 - self.p)

    def _noise_of(self, input: Array) -> Array:
        if input is self._input or same(input, self._input):
            return self.noise
        known = None if self._input is EMPTY else f"input {shapes(self._input)}"
        hint = "call forward(input) first: the mask is drawn there"
        name = checks.title(self)
        raise checks.unremembered(name, self, "updateGradInput", "input", known, input, hint)

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_floating(self, method, "input", input)
        if self._together and input.ndim - self._together not in (1, 2):
            raise checks.misshapen(self, method, "input", self._expected, input)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.p:f})"
