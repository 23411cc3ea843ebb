"""ZeroGrad."""

from typing import ClassVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["ZeroGrad"]


class ZeroGrad(Module):
    """Passes on its input, and stops the gradient.

    Maths
    -----
    ::

        output = input
        gradInput = np.zeros_like(gradOutput)

    Shapes
    ------
    input: any; output: the same array.

    Conventions
    -----------
    Remembers nothing. gradInput is not the derivative: that is what this layer is for. Integers and
    booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput has another shape or precision than input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.ZeroGrad().backward(np.array([1.0, 2.0]), np.array([10.0, 20.0]))
    array([0., 0.])

    Reference
    ---------
    Torch7, nn/ZeroGrad.lua.
    """

    exempt: ClassVar = {"gradInput": "the gradient is stopped on purpose"}

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_movable(self, "updateOutput", "input", input)
        self.output = input
        return input

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_be_movable(self, "updateGradInput", "input", input)
        gradOutput = checks.moved_back(self, "updateGradInput", gradOutput, input, input.shape)
        self.gradInput = np.zeros_like(gradOutput)
        return self.gradInput
