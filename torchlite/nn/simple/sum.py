"""Sum."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn.simple._reduction import Reduction

__all__ = ["Sum"]


class Sum(Reduction):
    """The sum, or the mean, of the entries along a dimension, which is then left out.

    Maths
    -----
    ::

        n = input.shape[dimension] if sizeAverage else 1
        output = np.sum(input, dimension, keepdims=not squeeze) / n
        gradInput = np.zeros_like(input)
        gradInput += gradOutput.reshape(np.sum(input, dimension, keepdims=True).shape) / n

    Shapes
    ------
    input: any; output: the same without the dimension, or with its size 1 if squeeze is False.
    From a 1-D input it is (1,) in any case.

    Parameters
    ----------
    dimension
        Counted from 0, negative ones from the end.
    nInputDims
        How many dimensions a sample has: the dimension is then one of the sample's, and those
        before are the batch's. None (or -1): the dimension is one of the input's.
    sizeAverage
        Whether to divide by the number of entries.
    squeeze
        Whether to leave out the dimension.

    Conventions
    -----------
    Remembers nothing. NaN in gives NaN out. The sum of no entries is 0. In float32 it is right to a
    millionth of the sum of the magnitudes, however many entries there are.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension, or no entry to average.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Sum(1)
    >>> x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> layer.forward(x)
    array([ 6., 15.])
    >>> layer.backward(x, np.array([10.0, 20.0]))
    array([[10., 10., 10.],
           [20., 20., 20.]])

    Reference
    ---------
    Torch7, nn/Sum.lua.
    """

    def __init__(
        self,
        dimension: int = 0,
        nInputDims: int | None = None,
        sizeAverage: bool = False,
        squeeze: bool = True,
    ) -> None:
        super().__init__(dimension, nInputDims)
        self.sizeAverage = sizeAverage
        self.squeeze = squeeze

    def _plan(self, method: str, input: Array) -> int:
        axis = super()._plan(method, input)
        if self.sizeAverage:
            self._refuse_nothing(method, input, axis)
        return axis

    def _reduce(self, input: Array, axis: int) -> Array:
        total = sum_along(input, axis, keepdims=True)
        return total / input.shape[axis] if self.sizeAverage else total

    def _spread(self, input: Array, gradOutput: Array, axis: int) -> Array:
        n = input.shape[axis]
        return np.repeat(gradOutput / n if self.sizeAverage else gradOutput, n, axis)
