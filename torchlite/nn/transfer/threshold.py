"""Threshold."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import choose, times
from torchlite.nn.checks import constant
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["Threshold"]


class Threshold(Pointwise):
    """Every entry above a threshold; another value in the place of all others.

    Maths
    -----
    ::

        output = np.where(input > threshold, input, val)
        gradInput = gradOutput * (input > threshold)

    Parameters
    ----------
    th
        The threshold.
    v
        The value.
    inplace
        Kept, and without effect.

    Attributes
    ----------
    threshold, val
        The threshold and the value.

    Conventions
    -----------
    The derivative at the threshold is 0. NaN in gives NaN out, where Torch7 gives v.

    Raises
    ------
    DTypeError
        th or v is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Threshold(1, -5)
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> layer.forward(x)
    array([-5., -5.,  2.])
    >>> layer.backward(x, np.array([5.0, 6.0, 7.0]))
    array([0., 0., 7.])

    Reference
    ---------
    Torch7, nn/Threshold.lua.
    """

    def __init__(self, th: float = 1e-6, v: float = 0, inplace: bool = False) -> None:
        self.threshold = constant(self, "th", th)
        self.val = constant(self, "v", v)
        self.inplace = inplace

    def _function(self, input: Array) -> Array:
        # In this direction, so that NaN stays.
        return choose(input <= self.threshold, self.val, input, input.dtype)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, input > self.threshold)
