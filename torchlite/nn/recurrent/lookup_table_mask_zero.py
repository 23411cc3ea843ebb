"""LookupTableMaskZero."""

from typing import Any, Self

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.simple.lookup_table import LookupTable

__all__ = ["LookupTableMaskZero"]


class LookupTableMaskZero(LookupTable):
    """A table of vectors in which the id -1 stands for nothing: a row of zeros.

    Maths
    -----
    weight[0] is zeros::

        output = weight[input + 1]
        gradInput = np.zeros_like(input)
        np.add.at(gradWeight, input + 1, scale * gradOutput)

    Shapes
    ------
    input (n,) or (N, n), of integers from -1 to nIndex - 1; output (n, nOutput) or (N, n, nOutput).

    Parameters
    ----------
    nIndex, nOutput
        The number of ids from 0 on, and the length of their rows.

    Attributes
    ----------
    weight, gradWeight
        (nIndex + 1, nOutput): the row of -1 comes first, the row of an id stands behind it by one.

    Conventions
    -----------
    Every forward sets weight[0] to zeros, so that an update of it does not last. Its gradient is
    summed like that of other rows, as in Torch7, and counts in norms (`gradParamClip`). All rows
    are drawn, from N(0, 1), before the first is set to zeros. Remembers nothing. What else
    LookupTable has (`setMaxNorm` ...) is here, too; the padding's id counts as the ids here do.

    Raises
    ------
    IndexError
        An id is neither -1 nor that of a row.
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LookupTableMaskZero(2, 2)
    >>> layer.weight[1:] = [[1, 2], [3, 4]]
    >>> layer.forward(np.array([1, -1, 0]))
    array([[3., 4.],
           [0., 0.],
           [1., 2.]])

    Reference
    ---------
    torch/rnn and Element-Research/rnn, LookupTableMaskZero.lua, where 0 stands for nothing and ids
    count from 1.
    """

    _validates = True
    _least = -1

    def __init__(self, nIndex: int, nOutput: int) -> None:
        super().__init__(checks.size(self, "nIndex", nIndex) + 1, nOutput)

    @property
    def exempt(self) -> dict[str, str]:
        """What it breaks, and settings."""
        blank = "the forward itself sets the row of -1 to zeros, but its gradient is summed"
        names = ("mutation", "gradParameters", "dtype", "flat")
        return {**super().exempt, **dict.fromkeys(names, blank)}

    def updateOutput(self, input: Array) -> Array:
        self._ids("updateOutput", input)
        self.weight[0] = 0
        return super().updateOutput(input)

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight from N(0, stdv), or N(0, 1); the row of -1 is zeros."""
        super().reset(stdv)
        self.weight[0] = 0
        return self
