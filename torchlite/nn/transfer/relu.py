"""ReLU."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["ReLU"]


class ReLU(Pointwise):
    """The positive part of every entry.

    Maths
    -----
    ::

        output = np.maximum(input, 0)
        gradInput = gradOutput * (input > 0)

    Parameters
    ----------
    inplace
        Kept, and without effect.

    Conventions
    -----------
    The derivative at 0 is 0. NaN in gives NaN out, where Torch7 gives 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.ReLU()
    >>> x = np.array([-1.0, 0.0, 2.0])
    >>> layer.forward(x)
    array([0., 0., 2.])
    >>> layer.backward(x, np.array([5.0, 6.0, 7.0]))
    array([0., 0., 7.])

    Reference
    ---------
    Torch7, nn/ReLU.lua.
    """

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def _function(self, input: Array) -> Array:
        # Vectorised, as np.maximum with a number is not.
        return input.clip(0, np.inf)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput * (input > 0)
