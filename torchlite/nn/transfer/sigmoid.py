"""Sigmoid."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import mended, sigmoid, times
from torchlite.nn.transfer._pointwise import FromOutput

__all__ = ["Sigmoid"]


class Sigmoid(FromOutput):
    """The logistic function, which rises from 0 to 1.

    Maths
    -----
    ::

        output = 1 / (1 + np.exp(-input))
        gradInput = gradOutput * output * (1 - output)

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Sigmoid()
    >>> x = np.array([0.0, np.log(3)])
    >>> layer.forward(x)
    array([0.5 , 0.75])
    >>> layer.backward(x, np.array([4.0, 16.0]))
    array([1., 3.])

    Reference
    ---------
    Torch7, nn/Sigmoid.lua.
    """

    _takes_long = True

    def _function(self, input: Array, out: Array | None = None) -> Array:
        return sigmoid(input, out)

    def _gradient_of(
        self, input: Array, output: Array, gradOutput: Array, out: Array | None = None
    ) -> Array:
        slope = mended(np.subtract(1, output, out), input, lambda x: sigmoid(-x))
        slope *= output
        return times(gradOutput, slope, out)
