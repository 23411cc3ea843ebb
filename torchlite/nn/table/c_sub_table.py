"""CSubTable."""

from collections.abc import Sequence

from torchlite.kernels.arrays import Array
from torchlite.kernels.buffers import broadcasting
from torchlite.nn.table._entrywise import Entrywise

__all__ = ["CSubTable"]


class CSubTable(Entrywise):
    """The difference of two arrays.

    Maths
    -----
    ::

        output = input[0] - input[1]
        gradInput = [gradOutput, -gradOutput]

    Shapes
    ------
    input: a table of two arrays of one shape; output: that shape.

    Conventions
    -----------
    Remembers nothing. The first gradInput is gradOutput itself.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CSubTable()
    >>> x = [np.array([1.0, 2.0]), np.array([10.0, 20.0])]
    >>> layer.forward(x)
    array([ -9., -18.])
    >>> layer.backward(x, np.array([3.0, 4.0]))
    [array([3., 4.]), array([-3., -4.])]

    Reference
    ---------
    Torch7, nn/CSubTable.lua, which takes no notice of a third array.
    """

    _length = 2

    def _function(self, arrays: Sequence[Array]) -> Array:
        with broadcasting(arrays[0], -1):
            return arrays[0] - arrays[1]

    def _gradients(self, arrays: Sequence[Array], gradOutput: Array) -> list[Array]:
        return [gradOutput, -gradOutput]
