"""DotProduct."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn.table._rows import Rows

__all__ = ["DotProduct"]


class DotProduct(Rows):
    """The dot product of each pair of rows.

    Maths
    -----
    ::

        output = (input[0] * input[1]).sum(-1)
        gradInput = [gradOutput[:, None] * input[1], gradOutput[:, None] * input[0]]

    Shapes
    ------
    input: a table of two arrays, (n,) or (N, n), of one shape; output: (1,) or (N,).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.DotProduct()
    >>> x = [np.array([1.0, 2.0]), np.array([3.0, 4.0])]
    >>> layer.forward(x)
    array([11.])
    >>> layer.backward(x, np.array([10.0]))
    [array([30., 40.]), array([10., 20.])]

    Reference
    ---------
    Torch7, nn/DotProduct.lua.
    """

    def _function(self, a: Array, b: Array) -> Array:
        return sum_along(a * b, -1)

    def _gradients(self, a: Array, b: Array, gradOutput: Array) -> tuple[Array, Array]:
        return gradOutput * b, gradOutput * a
