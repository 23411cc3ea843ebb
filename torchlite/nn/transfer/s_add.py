"""SAdd."""

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["SAdd"]


class SAdd(Pointwise):
    """Adds a number, and turns the sign if it is to.

    Maths
    -----
    ::

        sign = -1 if negate else 1
        output = sign * (input + addend)
        gradInput = sign * gradOutput

    Parameters
    ----------
    addend
        The number.
    negate
        Whether to turn the sign of the sum.

    Raises
    ------
    DTypeError
        addend is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SAdd(-1, True)
    >>> x = np.array([0.25, 3.0])
    >>> layer.forward(x), layer.backward(x, np.array([5.0, 7.0]))
    (array([ 0.75, -2.  ]), array([-5., -7.]))

    Reference
    ---------
    torch/rnn and Element-Research/rnn, SAdd.lua.
    """

    def __init__(self, addend: float, negate: bool = False) -> None:
        self.addend = checks.constant(self, "addend", addend)
        self.negate = bool(negate)

    def _function(self, input: Array) -> Array:
        return -(input + self.addend) if self.negate else input + self.addend

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return -gradOutput if self.negate else gradOutput.copy()
