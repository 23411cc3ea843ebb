"""LogSoftMax."""

from typing import Any

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

    transient = (*AlongDimension.transient, "_kept")
    # The last output, for which exp was taken of all entries, what that gave, and its sums. A
    # backward makes its result of them.
    _kept: Any = None

    def _function(self, input: Array) -> Array:
        axis = self._axis(input)
        # The last ones make room for the next.
        self._kept = None
        with broadcasting(input, axis):
            output = shifted(input, axis)
            powers = np.exp(output)
            total = sum_along(powers, axis, keepdims=True) if output.size else 1
            output -= np.log(total)
        self._kept = output, powers, total
        return output

    def _gradient_of(self, input: Array, output: Array, gradOutput: Array) -> Array:
        axis = self._axis(output)
        if self._kept is None or self._kept[0] is not output:
            self._function(input)
        (_, powers, total), self._kept = self._kept, None
        total = sum_along(gradOutput, axis, keepdims=True) / total
        with broadcasting(output, axis):
            share = times(total, powers)
        return np.subtract(gradOutput, share, out=share)
