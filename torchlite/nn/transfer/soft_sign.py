"""SoftSign."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["SoftSign"]


class SoftSign(Pointwise):
    """A function that rises from -1 to 1, more slowly than Tanh.

    Maths
    -----
    ::

        output = input / (1 + np.abs(input))
        gradInput = gradOutput / (1 + np.abs(input)) ** 2

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SoftSign()
    >>> x = np.array([-1.0, 0.0, 3.0])
    >>> layer.forward(x)
    array([-0.5 ,  0.  ,  0.75])
    >>> layer.backward(x, np.array([4.0, 5.0, 16.0]))
    array([1., 5., 1.])

    Reference
    ---------
    Torch7, nn/SoftSign.lua.
    """

    def _function(self, input: Array) -> Array:
        return input / (1 + absolute(input))

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput / (1 + absolute(input)) ** 2
