"""Collapse."""

import math

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dims import leading
from torchlite.nn.simple._reshaping import Reshaping

__all__ = ["Collapse"]


class Collapse(Reshaping):
    """All dimensions of a sample in one, row by row.

    Maths
    -----
    Of a batch::

        output = input.reshape(len(input), -1)
        gradInput = gradOutput.reshape(input.shape)

    Shapes
    ------
    input: a sample of nInputDim dimensions, or a batch of them; output (n,) or (N, n), with n
    entries in a sample.

    Parameters
    ----------
    nInputDim
        How many dimensions a sample has.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput, or copies where their entries do
    not lie row by row. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Collapse(2)
    >>> layer.forward(np.ones((5, 3, 2))).shape, layer.forward(np.ones((3, 2))).shape
    ((5, 6), (6,))

    Reference
    ---------
    Torch7, nn/Collapse.lua.
    """

    def __init__(self, nInputDim: int) -> None:
        self.nInputDim = checks.size(self, "nInputDim", nInputDim)

    def _plan(self, method: str, input: Array) -> tuple[int, ...]:
        first = leading(self, method, input, self.nInputDim)
        return (*input.shape[:first], math.prod(input.shape[first:]))
