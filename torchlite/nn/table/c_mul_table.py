"""CMulTable."""

import math
import operator
from collections.abc import Sequence
from itertools import accumulate

from torchlite.kernels.arrays import Array
from torchlite.nn.table._entrywise import Entrywise

__all__ = ["CMulTable"]


class CMulTable(Entrywise):
    """The product of arrays.

    Maths
    -----
    ::

        output = np.prod(input, axis=0)
        others = [np.prod(input[:i] + input[i + 1 :], axis=0) for i in range(len(input))]
        gradInput = [gradOutput * product for product in others]

    Shapes
    ------
    input: a table of arrays, all of one shape; output: that shape.

    Conventions
    -----------
    The product of the others is multiplied out, not divided out of the output: zeros are right.
    The work grows with the number of arrays.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CMulTable()
    >>> x = [np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([0.0, 3.0])]
    >>> layer.forward(x)
    array([  0., 120.])
    >>> layer.backward(x, np.array([1.0, 1.0]))
    [array([ 0., 60.]), array([0., 6.]), array([10., 40.])]

    Reference
    ---------
    Torch7, nn/CMulTable.lua.
    """

    def _function(self, arrays: Sequence[Array]) -> Array:
        return math.prod(arrays[1:], start=arrays[0])

    def _gradients(self, arrays: Sequence[Array], gradOutput: Array) -> list[Array]:
        # Of n arrays n products of n - 1 each take a while: those before and those behind meet.
        before = list(accumulate(arrays[:-1], operator.mul, initial=gradOutput))
        behind = list(accumulate(arrays[:0:-1], operator.mul))[::-1]
        return [*map(operator.mul, before, behind), before[-1]]
