"""RReLU."""

from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import choose, leaky, times
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.checks import misbuilt, not_negative
from torchlite.nn.module import Module
from torchlite.nn.nested import same, shapes

__all__ = ["RReLU"]


class RReLU(Module):
    """Every positive entry; the others times a slope, drawn for each of them in training.

    Maths
    -----
    In training noise is drawn, in evaluation every slope is the mean::

        slope = noise if train else np.where(input > 0, 1, (lower + upper) / 2)
        output = slope * input
        gradInput = slope * gradOutput

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    lower, upper
        The bounds of the slopes, 0 <= lower <= upper.
    inplace
        Kept, and without effect.

    Attributes
    ----------
    noise
        The slopes of the last forward in training, drawn from U(lower, upper) in the order of the
        entries; 1 for positive ones. None before the first, and after one in evaluation.

    Conventions
    -----------
    Remembers noise, and the input that it was drawn for. The derivative at 0 is the slope there.
    In evaluation it depends on the arguments alone.

    Raises
    ------
    DTypeError, SettingError
        A bound is no number, negative, or lower is above upper.
    ShapeError, DTypeError
        gradOutput has another shape or precision than input.
    StateError
        In training, the input of a backward is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.RReLU(0.25, 0.75)
    >>> x = np.array([-2.0, 3.0])
    >>> bool(-1.5 <= layer.forward(x)[0] <= -0.5), float(layer.output[1])
    (True, 3.0)
    >>> layer.evaluate().forward(x)
    array([-1.,  3.])
    >>> layer.backward(x, np.array([4.0, 5.0]))
    array([2., 5.])

    Reference
    ---------
    Torch7, nn/RReLU.lua. Xu and others, Empirical Evaluation of Rectified Activations in
    Convolutional Network (2015).
    """

    remembers = True
    transient = (*Module.transient, "noise", "_input")
    noise: Any = None
    _input: Any = None  # the input that noise was drawn for

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        self.lower = not_negative(self, "lower", lower)
        self.upper = not_negative(self, "upper", upper)
        if self.lower > self.upper:
            raise misbuilt(SettingError, self, "lower", f"at most upper = {upper!r}", repr(lower))
        self.inplace = inplace

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        if self.train:
            self.noise, self._input = self._draw(input), input
            self.output = self.noise * input
        else:
            self.noise = self._input = None
            self.output = leaky(input, (self.lower + self.upper) / 2)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        if self.train:
            self._must_remember(input)
            self.gradInput = self.noise * gradOutput
        else:
            slope = (self.lower + self.upper) / 2
            self.gradInput = times(gradOutput, choose(input > 0, 1, slope, gradOutput.dtype))
        return self.gradInput

    def _draw(self, input: Array) -> Array:
        """Return a slope for every entry that is not positive, and 1 for the others."""
        noise = np.ones_like(input.real)
        slanted = input <= 0
        draws = random.uniform(self.lower, self.upper, size=slanted.sum().item())
        noise[slanted] = like(draws.astype(noise.dtype), noise)
        return noise

    def _must_remember(self, input: Array) -> None:
        """Raise unless noise was drawn for this input."""
        if self.noise is None or not same(self._input, input):
            known = None if self.noise is None else shapes(self._input)
            hint = "call forward(input) first: it draws the slopes"
            name = checks.title(self)
            raise checks.unremembered(name, self, "updateGradInput", "input", known, input, hint)

    def __repr__(self) -> str:
        return f"{type(self).__name__} (l:{self.lower:f}, u:{self.upper:f})"
