"""MulConstant."""

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import constant
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["MulConstant"]


class MulConstant(Pointwise):
    """Every entry times a number.

    Maths
    -----
    ::

        output = input * constant_scalar
        gradInput = gradOutput * constant_scalar

    Parameters
    ----------
    constant_scalar
        The number.
    inplace
        Kept, and without effect.

    Raises
    ------
    DTypeError
        constant_scalar is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.MulConstant(3)
    >>> x = np.array([1.0, -2.0])
    >>> layer.forward(x)
    array([ 3., -6.])
    >>> layer.backward(x, np.array([4.0, 5.0]))
    array([12., 15.])

    Reference
    ---------
    Torch7, nn/MulConstant.lua.
    """

    def __init__(self, constant_scalar: float, inplace: bool = False) -> None:
        self.constant_scalar = constant(self, "constant_scalar", constant_scalar)
        self.inplace = inplace

    def _function(self, input: Array) -> Array:
        return input * self.constant_scalar

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput * self.constant_scalar
