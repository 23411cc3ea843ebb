"""Exp."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.transfer._pointwise import FromOutput

__all__ = ["Exp"]


class Exp(FromOutput):
    """The exponential of every entry.

    Maths
    -----
    ::

        output = np.exp(input)
        gradInput = gradOutput * output

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Exp()
    >>> x = np.array([0.0, np.log(3)])
    >>> layer.forward(x)
    array([1., 3.])
    >>> layer.backward(x, np.array([4.0, 5.0]))
    array([ 4., 15.])

    Reference
    ---------
    Torch7, nn/Exp.lua.
    """

    def _function(self, input: Array) -> Array:
        return np.exp(input)

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        return gradOutput * output
