"""SoftMin."""

from torchlite.kernels.arrays import Array
from torchlite.nn.transfer.soft_max import SoftMax

__all__ = ["SoftMin"]


class SoftMin(SoftMax):
    """Positive numbers that add up to 1: SoftMax of the negative input.

    Maths
    -----
    For input of shape (N, n)::

        e = np.exp(input.min(1, keepdims=True) - input)
        output = e / e.sum(1, keepdims=True)
        gradInput = output * ((gradOutput * output).sum(1, keepdims=True) - gradOutput)

    Shapes
    ------
    input: (n,), (N, n), (n, H, W) or (N, n, H, W), and with dim any; output: the same.

    Parameters
    ----------
    dim
        The dimension of the n entries, counted from 0, or from the end if negative. None: as
        under Shapes, which is Torch7's rule; a batch of sequences (N, T, n) wants dim=2.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SoftMin()
    >>> x = np.array([[0.0, np.log(3)]])
    >>> layer.forward(x)
    array([[0.75, 0.25]])
    >>> layer.backward(x, np.array([[16.0, 0.0]]))
    array([[-3.,  3.]])

    Reference
    ---------
    Torch7, nn/SoftMin.lua.
    """

    def _function(self, input: Array) -> Array:
        return super()._function(-input)

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        return -super()._gradient_of(input, output, gradOutput)
