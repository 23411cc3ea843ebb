"""PReLU."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.functions import choose, leaky, times
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["PReLU"]


class PReLU(Pointwise):
    """Every positive entry; the others times a slope that is learned.

    Maths
    -----
    Of a batch, which has its planes in dimension 1::

        slope = weight.reshape(-1, *[1] * (input.ndim - 2))
        output = np.where(input > 0, input, slope * input)
        gradInput = np.where(input > 0, gradOutput, slope * gradOutput)
        summed = [i for i in range(input.ndim) if i != 1 or nOutputPlane == 0]
        gradWeight += scale * (gradOutput * np.minimum(input, 0)).sum(tuple(summed))

    Shapes
    ------
    input: any, of at least one dimension; with planes (nOutputPlane,) or (N, nOutputPlane, ...);
    output: the same.

    Parameters
    ----------
    nOutputPlane
        How many planes, each with a slope of its own; 0: one slope for all entries.

    Attributes
    ----------
    weight, gradWeight
        (nOutputPlane,), or (1,) without planes. The slopes start at 1/4.

    Conventions
    -----------
    The derivative at 0 is the slope. The planes are dimension 1 of everything that has more than
    one dimension, as in Torch7: one sample of an image has to be a batch of one. Remembers
    nothing.

    Raises
    ------
    ShapeError, DTypeError
        input has another number of planes or dtype, or gradOutput another shape or precision.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.PReLU()
    >>> x = np.array([-8.0, 3.0])
    >>> layer.forward(x)
    array([-2.,  3.])
    >>> layer.backward(x, np.array([4.0, 5.0]))
    array([1., 5.])
    >>> layer.gradWeight
    array([-32.])

    Reference
    ---------
    Torch7, nn/PReLU.lua. He and others, Delving Deep into Rectifiers (2015).
    """

    _validates = True

    def __init__(self, nOutputPlane: int = 0) -> None:
        self.nOutputPlane = checks.size(self, "nOutputPlane", nOutputPlane)
        self.weight: Array = np.zeros(self.nOutputPlane or 1)
        self.gradWeight: Array = np.zeros(self.nOutputPlane or 1)
        self.reset()

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_have_precision(self, method, "input", input, self.weight.dtype)
        n = self.nOutputPlane
        if n and input.shape[_plane(input)] != n:
            hint = checks.rows_hint(self, input, n) if input.ndim == 2 else None
            raise checks.misshapen(self, method, "input", f"({n},) or (N, {n}, ...)", input, hint)

    def _function(self, input: Array) -> Array:
        return leaky(input, self._slopes(input))

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, choose(input > 0, 1, self._slopes(input), self.weight.dtype))

    def _slopes(self, input: Array) -> Array:
        """Return the weight in a shape that spreads over the planes of input."""
        return self.weight.reshape(-1, *[1] * (input.ndim - 1 - _plane(input)))

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        checks.must_match(self, "accGradParameters", input, gradOutput)
        self._must_fit("accGradParameters", input)
        checks.must_accumulate(self, input, gradOutput, self.weight.dtype)
        kept = _plane(input) if self.nOutputPlane else None
        others = tuple(i for i in range(input.ndim) if i != kept)
        self.gradWeight += scale * sum_along(gradOutput * input.clip(-np.inf, 0), others)

    def reset(self, stdv: Any = None) -> Self:
        """Set every slope to 1/4: nothing is drawn."""
        self.weight.fill(0.25)
        return self


def _plane(input: Array) -> int:
    return 1 if input.ndim > 1 else 0
