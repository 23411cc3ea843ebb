"""CosineDistance."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import by_cosine, units
from torchlite.kernels.sums import sum_along
from torchlite.nn.table._rows import Rows

__all__ = ["CosineDistance"]

# Stands for the length of a row of zeros, as in Torch7, where it is added to every length.
_ZERO = 1e-6


class CosineDistance(Rows):
    """The cosine of the angle between each pair of rows.

    Maths
    -----
    ::

        a, b = input
        length_a = np.sqrt((a * a).sum(-1, keepdims=True))
        length_b = np.sqrt((b * b).sum(-1, keepdims=True))
        cosine = (a / length_a * (b / length_b)).sum(-1, keepdims=True)
        output = cosine[:, 0]
        by_a = (b / length_b - cosine * (a / length_a)) / length_a
        by_b = (a / length_a - cosine * (b / length_b)) / length_b
        gradInput = [gradOutput[:, None] * by_a, gradOutput[:, None] * by_b]

    Shapes
    ------
    input: a table of two arrays, (n,) or (N, n), of one shape; output: (1,) or (N,).

    Conventions
    -----------
    Remembers nothing. It is a similarity, 1 for rows of one direction, for all its name, however
    long or short they are. With a row of zeros the output is 0; for the gradient, it has the length
    1e-6.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CosineDistance()
    >>> x = [np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 4.0]])]
    >>> layer.forward(x)
    array([1., 0.])
    >>> layer.backward(x, np.array([0.0, 8.0]))
    [array([[0., 0.],
           [0., 4.]]), array([[0., 0.],
           [2., 0.]])]

    Reference
    ---------
    Torch7, nn/CosineDistance.lua.
    """

    def _function(self, a: Array, b: Array) -> Array:
        return sum_along(units(a, _ZERO)[0] * units(b, _ZERO)[0], -1)

    def _gradients(self, a: Array, b: Array, gradOutput: Array) -> tuple[Array, Array]:
        one, other = units(a, _ZERO), units(b, _ZERO)
        cosine = sum_along(one[0] * other[0], -1, keepdims=True)
        return by_cosine(gradOutput, cosine, one, other)
