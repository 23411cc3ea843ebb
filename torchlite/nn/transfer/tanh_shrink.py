"""TanhShrink."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
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
        output = input - np.tanh(input)
        near = absolute(input.real) < 1
        if near.any():
            output[near] = _near_zero(input[near])
        return output

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        tanh = np.tanh(input)
        return gradOutput * tanh * tanh


def _near_zero(x: Array) -> Array:
    """Return x - tanh(x), in which all digits are lost near 0, without a difference.

    tanh(x) is x / (1 + rest), rest the continued fraction x^2 / (3 + x^2 / (5 + x^2 / (7 + ...))).
    """
    square = x * x
    rest = square / 19
    for odd in range(17, 1, -2):
        rest = square / (odd + rest)
    return x * rest / (1 + rest)
