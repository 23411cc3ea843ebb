"""Tanh."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import mended, sigmoid, times
from torchlite.nn.transfer._pointwise import FromOutput

__all__ = ["Tanh"]


class Tanh(FromOutput):
    """The hyperbolic tangent, which rises from -1 to 1.

    Maths
    -----
    ::

        output = np.tanh(input)
        gradInput = gradOutput * (1 - output * output)

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Tanh()
    >>> x = np.array([0.0, np.arctanh(0.5)])
    >>> layer.forward(x)
    array([0. , 0.5])
    >>> layer.backward(x, np.array([4.0, 4.0]))
    array([4., 3.])

    Reference
    ---------
    Torch7, nn/Tanh.lua.
    """

    _takes_long = True

    def _function(self, input: Array, out: Array | None = None) -> Array:
        return np.tanh(input, out)

    def _gradient_of(
        self, input: Array, output: Array, gradOutput: Array, out: Array | None = None
    ) -> Array:
        slope = np.multiply(output, output, out)
        slope = mended(np.subtract(1, slope, out=slope), input, _slope)
        return times(gradOutput, slope, out)


def _slope(x: Array) -> Array:
    # Beyond 1000 it is 0, and twice the largest number is none.
    twice = 2 * x.clip(-1000, 1000)
    return 4 * sigmoid(twice) * sigmoid(-twice)
