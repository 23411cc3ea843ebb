"""Sqrt."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import constant
from torchlite.nn.transfer._pointwise import FromOutput

__all__ = ["Sqrt"]


class Sqrt(FromOutput):
    """The square root of every entry.

    Maths
    -----
    ::

        output = np.sqrt(input)
        gradInput = gradOutput / (2 * output)

    Parameters
    ----------
    b
        Kept, and without effect, as in Torch7.

    Conventions
    -----------
    The derivative at 0 is 0. Of a negative entry the result is NaN.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Sqrt()
    >>> x = np.array([0.0, 4.0, 9.0])
    >>> layer.forward(x)
    array([0., 2., 3.])
    >>> layer.backward(x, np.array([5.0, 8.0, 12.0]))
    array([0., 2., 2.])

    Reference
    ---------
    Torch7, nn/Sqrt.lua.
    """

    def __init__(self, b: float = 0) -> None:
        self.eps = constant(self, "b", b)

    def _function(self, input: Array) -> Array:
        return np.sqrt(input)

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        return gradOutput / np.where(output == 0, np.inf, 2 * output)
