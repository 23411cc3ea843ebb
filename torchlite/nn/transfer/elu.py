"""ELU."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import choose, times
from torchlite.nn.checks import not_negative
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["ELU"]


class ELU(Pointwise):
    """Every positive entry; an exponential, which goes to -alpha, of the others.

    Maths
    -----
    ::

        output = np.where(input > 0, input, alpha * (np.exp(input) - 1))
        gradInput = gradOutput * np.where(input > 0, 1, alpha * np.exp(input))

    Parameters
    ----------
    alpha
        A number of at least 0.
    inplace
        Kept, and without effect.

    Conventions
    -----------
    The derivative at 0 is alpha.

    Raises
    ------
    DTypeError, SettingError
        alpha is no number, or negative.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.ELU(2)
    >>> x = np.array([-np.log(4), 0.0, 3.0])
    >>> layer.forward(x)
    array([-1.5,  0. ,  3. ])
    >>> layer.backward(x, np.array([4.0, 4.0, 4.0]))
    array([2., 8., 4.])

    Reference
    ---------
    Torch7, nn/ELU.lua. Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network
    Learning by Exponential Linear Units (2015).
    """

    _takes_long = True

    def __init__(self, alpha: float = 1, inplace: bool = False) -> None:
        self.alpha = not_negative(self, "alpha", alpha)
        self.inplace = inplace

    def _function(self, input: Array, out: Array | None = None) -> Array:
        output = _below(np.clip(input, -np.inf, 0, out), self.alpha)
        output += input.clip(0, np.inf)
        return output

    def _gradient(self, input: Array, gradOutput: Array, out: Array | None = None) -> Array:
        # Not output + alpha, which far from 0 is nothing but rounding.
        slope = np.clip(input, -np.inf, 0, out)
        np.exp(slope, out=slope)
        # With alpha 1 this is right for positive entries, too.
        if self.alpha != 1:
            slope *= self.alpha
            slope = choose(input > 0, 1, slope, input.dtype)
        return times(gradOutput, slope, out)

    def __repr__(self) -> str:
        return f"{type(self).__name__} (alpha:{self.alpha:f})"


def _below(x: Array, alpha: float) -> Array:
    """Replace x, which is up to 0, by `alpha * (exp(x) - 1)`, and return it."""
    if x.dtype != np.float32:
        np.expm1(x, out=x)
        x *= alpha
        return x
    # NumPy's tanh of float32 is vectorised, as expm1 is not on many processors. It keeps all
    # digits near 0, which exp(x) - 1 does not: with t = tanh(x / 2) it is 2 t / (1 - t).
    x *= 0.5
    np.tanh(x, out=x)
    divisor = 1 - x
    x *= 2
    x /= divisor
    if alpha != 1:
        x *= alpha
    return x
