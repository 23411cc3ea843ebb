"""SoftShrink."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import times
from torchlite.nn.checks import not_negative
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["SoftShrink"]


class SoftShrink(Pointwise):
    """Every entry, moved by lambda_ towards 0, but not beyond.

    Maths
    -----
    ::

        output = input - np.clip(input, -lambda_, lambda_)
        gradInput = gradOutput * (np.abs(input) > lambda_)

    Parameters
    ----------
    lambda_
        A number of at least 0.

    Conventions
    -----------
    The derivative at both ends is 0.

    Raises
    ------
    DTypeError, SettingError
        lambda_ is no number, or negative.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SoftShrink(1)
    >>> x = np.array([-3.0, 0.5, 1.0, 3.0])
    >>> layer.forward(x)
    array([-2.,  0.,  0.,  2.])
    >>> layer.backward(x, np.array([5.0, 6.0, 7.0, 8.0]))
    array([5., 0., 0., 8.])

    Reference
    ---------
    Torch7, nn/SoftShrink.lua.
    """

    def __init__(self, lambda_: float = 0.5) -> None:
        self.lambda_ = not_negative(self, "lambda_", lambda_)

    def _function(self, input: Array) -> Array:
        return input - input.clip(-self.lambda_, self.lambda_)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, np.abs(input) > self.lambda_)
