"""Replicate."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn._shaping import Shaping
from torchlite.nn.checks import whole
from torchlite.nn.dims import position, sample_dims

__all__ = ["Replicate"]


class Replicate(Shaping):
    """Repeats the input along a new dimension.

    Maths
    -----
    ::

        output = np.stack([input] * nfeatures, dim)
        gradInput = gradOutput.sum(dim)

    Shapes
    ------
    input: any; output: the same with nfeatures before dimension dim.

    Parameters
    ----------
    nFeature
        How often to repeat.
    dim
        Where the new dimension stands in the output, counted from 0, negative ones from the end.
    ndim
        How many dimensions a sample has: dim is then a place in the sample, and the dimensions
        before are the batch's. None (or -1): dim is a place in the input.

    Attributes
    ----------
    nfeatures
        How often it repeats.

    Conventions
    -----------
    Remembers nothing. The output is a view of the input, in which the repetitions lie on one
    another: it is read-only, nothing is copied. Integers and booleans pass, too; zeros of their
    dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such place.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Replicate(3)
    >>> x = np.array([1.0, 2.0])
    >>> layer.forward(x)
    array([[1., 2.],
           [1., 2.],
           [1., 2.]])
    >>> layer.backward(x, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    array([ 9., 12.])

    Reference
    ---------
    Torch7, nn/Replicate.lua.
    """

    def __init__(self, nFeature: int, dim: int = 0, ndim: int | None = None) -> None:
        self.nfeatures = checks.size(self, "nFeature", nFeature)
        self.dim = whole(self, "dim", dim)
        self.ndim = sample_dims(self, "ndim", ndim)

    def _plan(self, method: str, input: Array) -> int:
        return position(self, method, input, self.dim, self.ndim, room=1)

    def _shape(self, input: Array, axis: int) -> tuple[int, ...]:
        return (*input.shape[:axis], self.nfeatures, *input.shape[axis:])

    def _function(self, input: Array, axis: int) -> Array:
        return np.broadcast_to(np.expand_dims(input, axis), self._shape(input, axis))

    def _gradient(self, input: Array, gradOutput: Array, axis: int) -> Array:
        return sum_along(gradOutput, axis).astype(gradOutput.dtype, copy=False)
