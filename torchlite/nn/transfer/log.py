"""Log."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["Log"]


class Log(Pointwise):
    """The natural logarithm of every entry.

    Maths
    -----
    ::

        output = np.log(input)
        gradInput = gradOutput / input

    Conventions
    -----------
    Of 0 the result is -inf, of a negative entry NaN.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Log()
    >>> x = np.array([1.0, 2.0])
    >>> np.exp(layer.forward(x))
    array([1., 2.])
    >>> layer.backward(x, np.array([3.0, 8.0]))
    array([3., 4.])

    Reference
    ---------
    Torch7, nn/Log.lua.
    """

    def _function(self, input: Array) -> Array:
        return np.log(input)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput / input
