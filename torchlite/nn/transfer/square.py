"""Square."""

from torchlite.kernels.arrays import Array
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["Square"]


class Square(Pointwise):
    """The square of every entry.

    Maths
    -----
    ::

        output = input * input
        gradInput = gradOutput * 2 * input

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Square()
    >>> x = np.array([-2.0, 3.0])
    >>> layer.forward(x)
    array([4., 9.])
    >>> layer.backward(x, np.array([1.0, 2.0]))
    array([-4., 12.])

    Reference
    ---------
    Torch7, nn/Square.lua.
    """

    def _function(self, input: Array) -> Array:
        return input * input

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput * 2 * input
