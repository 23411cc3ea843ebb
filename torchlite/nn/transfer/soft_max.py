"""SoftMax."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.buffers import broadcasting
from torchlite.kernels.functions import times
from torchlite.kernels.sums import sum_along
from torchlite.nn.transfer._soft_max import AlongDimension, shifted

__all__ = ["SoftMax"]


class SoftMax(AlongDimension):
    """Positive numbers that add up to 1: the exponentials, divided by their sum.

    Maths
    -----
    For input of shape (N, n)::

        e = np.exp(input - input.max(1, keepdims=True))
        output = e / e.sum(1, keepdims=True)
        gradInput = output * (gradOutput - (gradOutput * output).sum(1, keepdims=True))

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
    >>> layer = nn.SoftMax()
    >>> x = np.array([[0.0, 1000.0], [0.0, np.log(3)]])
    >>> layer.forward(x)
    array([[0.  , 1.  ],
           [0.25, 0.75]])
    >>> layer.backward(x, np.array([[1.0, 0.0], [16.0, 0.0]]))
    array([[ 0.,  0.],
           [ 3., -3.]])

    Reference
    ---------
    Torch7, nn/SoftMax.lua.
    """

    def _function(self, input: Array) -> Array:
        axis = self._axis(input)
        with broadcasting(input, axis):
            output = shifted(input, axis)
            np.exp(output, out=output)
            output /= sum_along(output, axis, keepdims=True)
        return output

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        axis = self._axis(output)
        mean = sum_along(output * gradOutput, axis, keepdims=True)
        with broadcasting(output, axis):
            return times(output, gradOutput - mean)
