"""Abs."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute, choose, times
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["Abs"]


class Abs(Pointwise):
    """The absolute value of every entry.

    Maths
    -----
    ::

        output = np.abs(input)
        gradInput = gradOutput * np.where(input < 0, -1, 1)

    Conventions
    -----------
    The derivative at 0 is 1. Of a complex entry, it is the entry or its negative, whichever has
    the positive real part.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Abs()
    >>> x = np.array([-2.0, 0.0, 3.0])
    >>> layer.forward(x)
    array([2., 0., 3.])
    >>> layer.backward(x, np.array([5.0, 6.0, 7.0]))
    array([-5.,  6.,  7.])

    Reference
    ---------
    Torch7, nn/Abs.lua.
    """

    def _function(self, input: Array) -> Array:
        return absolute(input)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, choose(input < 0, -1, 1, gradOutput.dtype))
