"""HardTanh."""

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import times
from torchlite.nn.checks import constant, misbuilt
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["HardTanh"]


class HardTanh(Pointwise):
    """Every entry, kept within two bounds.

    Maths
    -----
    ::

        output = np.clip(input, min_val, max_val)
        gradInput = gradOutput * ((input > min_val) & (input < max_val))

    Parameters
    ----------
    min_value, max_value
        The bounds, min_value below max_value.
    inplace
        Kept, and without effect.

    Attributes
    ----------
    min_val, max_val
        The bounds.

    Conventions
    -----------
    The derivative at the bounds is 0.

    Raises
    ------
    DTypeError, SettingError
        A bound is no number, or min_value is not below max_value.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.HardTanh()
    >>> x = np.array([-3.0, -1.0, 0.5, 2.0])
    >>> layer.forward(x)
    array([-1. , -1. ,  0.5,  1. ])
    >>> layer.backward(x, np.array([5.0, 6.0, 7.0, 8.0]))
    array([0., 0., 7., 0.])

    Reference
    ---------
    Torch7, nn/HardTanh.lua.
    """

    def __init__(self, min_value: float = -1, max_value: float = 1, inplace: bool = False) -> None:
        self.min_val = constant(self, "min_value", min_value)
        self.max_val = constant(self, "max_value", max_value)
        if not self.min_val < self.max_val:
            raise misbuilt(
                SettingError, self, "min_value", f"below max_value = {max_value!r}", repr(min_value)
            )
        self.inplace = inplace

    def _function(self, input: Array) -> Array:
        return input.clip(self.min_val, self.max_val)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, (input > self.min_val) & (input < self.max_val))
