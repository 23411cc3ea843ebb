"""LogSoftMax."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.buffers import broadcasting
from torchlite.kernels.functions import times
from torchlite.kernels.sums import sum_along
from torchlite.nn.transfer._soft_max import AlongDimension, shifted

__all__ = ["LogSoftMax"]


class LogSoftMax(AlongDimension):
    """The logarithm of SoftMax: what ClassNLLCriterion takes.

    Maths
    -----
    For input of shape (N, n)::

        shifted = input - input.max(1, keepdims=True)
        output = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        gradInput = gradOutput - np.exp(output) * gradOutput.sum(1, keepdims=True)

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
    >>> layer = nn.LogSoftMax()
    >>> x = np.array([[0.0, 1000.0], [0.0, np.log(3)]])
    >>> layer.forward(x)[0]
    array([-1000.,     0.])
    >>> np.exp(layer.output[1])
    array([0.25, 0.75])
    >>> layer.backward(x, np.array([[1.0, 0.0], [4.0, 0.0]]))
    array([[ 1., -1.],
           [ 3., -3.]])

    Reference
    ---------
    Torch7, nn/LogSoftMax.lua.
    """

    def _function(self, input: Array) -> Array:
        axis = self._axis(input)
        with broadcasting(input, axis):
            output = shifted(input, axis)
            if output.size:
                output -= np.log(sum_along(np.exp(output), axis, keepdims=True))
        return output

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        axis = self._axis(output)
        total = sum_along(gradOutput, axis, keepdims=True)
        with broadcasting(output, axis):
            share = times(total, np.exp(output))
        return np.subtract(gradOutput, share, out=share)
