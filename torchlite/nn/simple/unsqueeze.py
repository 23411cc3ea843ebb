"""Unsqueeze."""

from torchlite.kernels.arrays import Array
from torchlite.nn._shaping import OfSamples
from torchlite.nn.checks import whole
from torchlite.nn.dims import position
from torchlite.nn.simple._reshaping import Reshaping

__all__ = ["Unsqueeze"]


class Unsqueeze(OfSamples, Reshaping):
    """Puts in a dimension of size 1.

    Maths
    -----
    ::

        output = np.expand_dims(input, pos)
        gradInput = gradOutput.reshape(input.shape)

    Shapes
    ------
    input: any; output: the same with a 1 before dimension pos.

    Parameters
    ----------
    pos
        Where the new dimension stands in the output, counted from 0, negative ones from the end.
    numInputDims
        How many dimensions a sample has: pos is then a place in the sample, and the dimensions
        before are the batch's. None (or -1): pos is a place in the input.

    Conventions
    -----------
    Remembers nothing, also not, as Torch7 does, how many dimensions the first input had. Results
    are views of input and gradOutput, or copies where their entries do not lie row by row. Integers
    and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such place.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones((5, 2))
    >>> nn.Unsqueeze(0).forward(x).shape, nn.Unsqueeze(-1).forward(x).shape
    ((1, 5, 2), (5, 2, 1))
    >>> nn.Unsqueeze(0, 1).forward(x).shape
    (5, 1, 2)

    Reference
    ---------
    Torch7, nn/Unsqueeze.lua.
    """

    def __init__(self, pos: int, numInputDims: int | None = None) -> None:
        self.pos = whole(self, "pos", pos)
        self.setNumInputDims(numInputDims)

    def _plan(self, method: str, input: Array) -> tuple[int, ...]:
        axis = position(self, method, input, self.pos, self.numInputDims, room=1)
        return (*input.shape[:axis], 1, *input.shape[axis:])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim {self.pos})"
