"""Contiguous."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["Contiguous"]


class Contiguous(Module):
    """Lets the entries lie row by row in memory.

    Maths
    -----
    ::

        output = input
        gradInput = gradOutput

    Shapes
    ------
    input: any; output: the same.

    Conventions
    -----------
    Of what lies so already results are views, otherwise copies. Remembers nothing. Integers and
    booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput has another shape or precision than input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones((2, 3))
    >>> layer = nn.Contiguous()
    >>> np.shares_memory(layer.forward(x), x), layer.forward(x.T).flags.c_contiguous
    (True, True)

    Reference
    ---------
    Torch7, nn/Contiguous.lua.
    """

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_movable(self, "updateOutput", "input", input)
        self.output = _contiguous(input)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_be_movable(self, "updateGradInput", "input", input)
        gradOutput = checks.moved_back(self, "updateGradInput", gradOutput, input, input.shape)
        self.gradInput = _contiguous(gradOutput)
        return self.gradInput


def _contiguous(array: Array) -> Array:
    return np.ravel(array).reshape(array.shape)
