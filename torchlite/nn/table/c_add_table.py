"""CAddTable."""

from collections.abc import Sequence

from torchlite.kernels.arrays import Array
from torchlite.nn.entries import total
from torchlite.nn.table._entrywise import Entrywise

__all__ = ["CAddTable"]


class CAddTable(Entrywise):
    """The sum of arrays.

    Maths
    -----
    ::

        output = sum(input)
        gradInput = [gradOutput.copy() for array in input]

    Shapes
    ------
    input: a table of arrays, all of one shape; output: that shape.

    Parameters
    ----------
    inplace
        Taken for Torch7's sake, without effect: nothing is ever written to an input, and the
        gradInputs are separate arrays.

    Conventions
    -----------
    Remembers nothing. The last of several gradInputs is gradOutput itself.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CAddTable()
    >>> x = [np.array([1.0, 2.0]), np.array([10.0, 20.0])]
    >>> layer.forward(x)
    array([11., 22.])
    >>> layer.backward(x, np.array([3.0, 4.0]))
    [array([3., 4.]), array([3., 4.])]

    Reference
    ---------
    Torch7, nn/CAddTable.lua.
    """

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def _function(self, arrays: Sequence[Array]) -> Array:
        return total(arrays)

    def _gradients(self, arrays: Sequence[Array], gradOutput: Array) -> list[Array]:
        return [*(gradOutput.copy() for _ in arrays[1:]), gradOutput]
