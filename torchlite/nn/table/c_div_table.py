"""CDivTable."""

from collections.abc import Sequence

from torchlite.kernels.arrays import Array
from torchlite.nn.table._entrywise import Entrywise

__all__ = ["CDivTable"]


class CDivTable(Entrywise):
    """The quotient of two arrays.

    Maths
    -----
    ::

        output = input[0] / input[1]
        gradInput = [gradOutput / input[1], -gradOutput / input[1] * output]

    Shapes
    ------
    input: a table of two arrays of one shape; output: that shape.

    Conventions
    -----------
    Division by zero is NumPy's: infinity or NaN, with its warning.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CDivTable()
    >>> x = [np.array([1.0, 6.0]), np.array([2.0, 3.0])]
    >>> layer.forward(x)
    array([0.5, 2. ])
    >>> layer.backward(x, np.array([4.0, 3.0]))
    [array([2., 1.]), array([-1., -2.])]

    Reference
    ---------
    Torch7, nn/CDivTable.lua.
    """

    _length = 2

    def _function(self, arrays: Sequence[Array]) -> Array:
        return arrays[0] / arrays[1]

    def _gradients(self, arrays: Sequence[Array], gradOutput: Array) -> list[Array]:
        numerator, denominator = arrays
        first = gradOutput / denominator
        return [first, -first * (numerator / denominator)]
