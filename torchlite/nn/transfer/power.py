"""Power."""

from typing import Any

from torchlite.nn.checks import constant
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["Power"]


class Power(Pointwise):
    """Every entry to one power.

    Maths
    -----
    ::

        output = input**pow
        gradInput = gradOutput * pow * input ** (pow - 1)

    Parameters
    ----------
    p
        The exponent.

    Attributes
    ----------
    pow
        The exponent.

    Conventions
    -----------
    Of a negative entry to a fractional power the result is NaN.

    Raises
    ------
    DTypeError
        p is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Power(3)
    >>> x = np.array([-1.0, 2.0])
    >>> layer.forward(x)
    array([-1.,  8.])
    >>> layer.backward(x, np.array([1.0, 2.0]))
    array([ 3., 24.])

    Reference
    ---------
    Torch7, nn/Power.lua.
    """

    def __init__(self, p: float) -> None:
        self.pow = constant(self, "p", p)

    def _function(self, input: Any) -> Any:
        return input**self.pow

    def _gradient(self, input: Any, gradOutput: Any) -> Any:
        return gradOutput * self.pow * input ** (self.pow - 1)
