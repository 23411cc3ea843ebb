"""LogSigmoid."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import log_sigmoid, over
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["LogSigmoid"]


class LogSigmoid(Pointwise):
    """The logarithm of the logistic function.

    Maths
    -----
    ::

        output = -np.log(1 + np.exp(-input))
        gradInput = gradOutput / (1 + np.exp(input))

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LogSigmoid()
    >>> x = np.array([np.log(3), -100.0])
    >>> np.exp(layer.forward(x[:1]))
    array([0.75])
    >>> layer.backward(x, np.array([4.0, 5.0]))
    array([1., 5.])

    Reference
    ---------
    Torch7, nn/LogSigmoid.lua.
    """

    _takes_long = True

    def _function(self, input: Array, out: Array | None = None) -> Array:
        return log_sigmoid(input, out)

    def _gradient(self, input: Array, gradOutput: Array, out: Array | None = None) -> Array:
        return over(gradOutput, input, out)
