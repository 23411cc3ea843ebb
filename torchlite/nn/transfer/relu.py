"""ReLU."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import Scalar, clip
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["ReLU"]

_ZERO, _INFINITY = Scalar(0), Scalar(np.inf)


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
        if type(input) is not np.ndarray:
            return input.clip(0, np.inf)
        return clip(input, _ZERO[input.dtype], _INFINITY[input.dtype])

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        # A product with truth values takes longer than to make numbers of them first.
        zero = _ZERO[input.dtype] if type(input) is np.ndarray else 0
        gradInput = (input > zero).astype(gradOutput.dtype)
        gradInput *= gradOutput
        return gradInput
