"""TanhShrink."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute, choose
from torchlite.kernels.threads import by_rows
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["TanhShrink"]


class TanhShrink(Pointwise):
    """What the hyperbolic tangent leaves of every entry.

    Maths
    -----
    ::

        output = input - np.tanh(input)
        gradInput = gradOutput * np.tanh(input) ** 2

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.TanhShrink()
    >>> x = np.array([0.0, 100.0])
    >>> layer.forward(x)
    array([ 0., 99.])
    >>> layer.backward(x, np.array([5.0, 6.0]))
    array([0., 6.])

    Reference
    ---------
    Torch7, nn/TanhShrink.lua.
    """

    def _function(self, input: Array) -> Array:
        # What there is on the way to the output stays in the cache.
        return by_rows(_shrunk, input, in_pieces=True)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        tanh = np.tanh(input)
        return gradOutput * tanh * tanh


def _shrunk(x: Array) -> Array:
    """Return x - tanh(x)."""
    near = absolute(x.real) < 1
    return choose(near, _near_zero(x.clip(-1, 1)), x - np.tanh(x), x.dtype)


def _near_zero(x: Array) -> Array:
    """Return x - tanh(x) of numbers from -1 to 1, near 0 without a difference that has no digits.

    tanh(x) is x / (1 + rest), rest the continued fraction x^2 / (3 + x^2 / (5 + x^2 / (7 + ...))).
    """
    square = x * x
    # What follows would change the last digit of no number up to 1.
    last = 11 if x.real.dtype == np.float32 else 19
    rest = square / last
    for odd in range(last - 2, 1, -2):
        rest += odd
        np.divide(square, rest, out=rest)
    return x * rest / (1 + rest)
