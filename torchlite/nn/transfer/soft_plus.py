"""SoftPlus."""

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import over, softplus
from torchlite.nn.checks import constant, misbuilt
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["SoftPlus"]


class SoftPlus(Pointwise):
    """A smooth ReLU.

    Maths
    -----
    ::

        output = np.log(1 + np.exp(beta * input)) / beta
        gradInput = gradOutput / (1 + np.exp(-beta * input))

    Parameters
    ----------
    beta
        A number other than 0; the larger, the closer to ReLU.

    Attributes
    ----------
    threshold
        20, where Torch7's formula has a seam; without effect.

    Conventions
    -----------
    Where beta * input is above threshold, Torch7 takes input for the output; torchlite does not,
    which is a difference of less than 2.1e-9 / beta.

    Raises
    ------
    DTypeError, SettingError
        beta is no number, or 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SoftPlus()
    >>> x = np.array([np.log(3), 100.0])
    >>> np.exp(layer.forward(x[:1]))
    array([4.])
    >>> layer.backward(x, np.array([4.0, 5.0]))
    array([3., 5.])

    Reference
    ---------
    Torch7, nn/SoftPlus.lua.
    """

    _takes_long = True
    threshold: float = 20

    def __init__(self, beta: float = 1) -> None:
        self.beta = constant(self, "beta", beta)
        if self.beta == 0:
            raise misbuilt(SettingError, self, "beta", "a number other than 0", repr(beta))

    def _function(self, input: Array, out: Array | None = None) -> Array:
        if self.beta == 1:
            return softplus(input, out)
        return np.divide(softplus(self.beta * input), self.beta, out=out)

    def _gradient(self, input: Array, gradOutput: Array, out: Array | None = None) -> Array:
        power = -self.beta * input
        return over(gradOutput, power, power if out is None else out)
