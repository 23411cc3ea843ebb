"""HardShrink."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import times
from torchlite.nn.checks import not_negative
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["HardShrink"]


class HardShrink(Pointwise):
    """Every entry further than lambda_ from 0; 0 in the place of all others.

    Maths
    -----
    ::

        output = input * (np.abs(input) > lambda_)
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
    >>> layer = nn.HardShrink(1)
    >>> x = np.array([-2.0, 0.5, 1.0, 3.0])
    >>> layer.forward(x)
    array([-2.,  0.,  0.,  3.])
    >>> layer.backward(x, np.array([5.0, 6.0, 7.0, 8.0]))
    array([5., 0., 0., 8.])

    Reference
    ---------
    Torch7, nn/HardShrink.lua.
    """

    def __init__(self, lambda_: float = 0.5) -> None:
        self.lambda_ = not_negative(self, "lambda_", lambda_)

    def _function(self, input: Array) -> Array:
        return input * (np.abs(input) > self.lambda_)

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return times(gradOutput, np.abs(input) > self.lambda_)
