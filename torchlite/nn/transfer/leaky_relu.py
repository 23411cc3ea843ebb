"""LeakyReLU."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import choose, leaky, times
from torchlite.nn.checks import constant
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["LeakyReLU"]


class LeakyReLU(Pointwise):
    """Every positive entry; the others times a slope.

    Maths
    -----
    ::

        output = np.where(input > 0, input, negval * input)
        gradInput = np.where(input > 0, gradOutput, negval * gradOutput)

    Parameters
    ----------
    negval
        The slope. `LeakyReLU(True)` is `LeakyReLU(inplace=True)`.
    inplace
        Kept, and without effect.

    Conventions
    -----------
    The derivative at 0 is negval.

    Raises
    ------
    DTypeError
        negval is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LeakyReLU(0.5)
    >>> x = np.array([-2.0, 0.0, 3.0])
    >>> layer.forward(x)
    array([-1.,  0.,  3.])
    >>> layer.backward(x, np.array([6.0, 8.0, 5.0]))
    array([3., 4., 5.])

    Reference
    ---------
    Torch7, nn/LeakyReLU.lua.
    """

    def __init__(self, negval: Any = 1 / 100, inplace: bool = False) -> None:
        if isinstance(negval, bool):
            negval, inplace = 1 / 100, negval
        self.negval = constant(self, "negval", negval)
        self.inplace = inplace

    def _function(self, input: Array) -> Array:
        return leaky(input, self.negval)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, choose(input > 0, 1, self.negval, gradOutput.dtype))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.negval:g})"
