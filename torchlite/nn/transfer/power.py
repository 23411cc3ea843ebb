"""Power."""

import numpy as np

from torchlite.kernels.arrays import Array
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
    Of a negative entry to a fractional power the result is NaN. To the power 0 every entry but NaN
    is 1, and the derivative is 0. At 0 the derivative is 0 for exponents between 0 and 1, too, as
    that of `Sqrt`; it is infinite for negative ones.

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

    def _function(self, input: Array) -> Array:
        if self.pow == 0:
            return np.where(input == input, np.ones_like(input), input)
        return input**self.pow

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        if self.pow == 0:
            return np.zeros_like(gradOutput)
        if 0 < self.pow < 1:
            steepness = np.where(input == 0, np.inf, input ** (1 - self.pow))
            return gradOutput * self.pow / steepness
        return gradOutput * self.pow * input ** (self.pow - 1)
