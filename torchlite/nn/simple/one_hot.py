"""OneHot."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["OneHot"]


class OneHot(Module):
    """Makes a row of 0 with a 1 in it of every index.

    Maths
    -----
    ::

        output = np.eye(outputSize)[input]
        gradInput = np.zeros_like(input)

    Shapes
    ------
    input: integers, any shape of at least one dimension; output (..., outputSize).

    Parameters
    ----------
    outputSize
        The number of classes.

    Conventions
    -----------
    Indices count from 0, and negative ones are out of range. They have no gradient: gradInput is
    zeros of their dtype. The output is of the layer's. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    IndexError
        There is no such class.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.OneHot(3).forward(np.array([2, 0]))
    array([[0., 0., 1.],
           [1., 0., 0.]])

    Reference
    ---------
    Torch7, nn/OneHot.lua.
    """

    def __init__(self, outputSize: int) -> None:
        self.outputSize = checks.size(self, "outputSize", outputSize)

    def updateOutput(self, input: Array) -> Array:
        indices = self._indices("updateOutput", input)
        output = np.zeros_like(input, self._dtype, shape=(*input.shape, self.outputSize))
        np.put_along_axis(output, indices[..., None], 1, -1)
        self.output = output
        return output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._indices("updateGradInput", input)
        shape = (*input.shape, self.outputSize)
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, self._dtype)
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def _indices(self, method: str, input: Array) -> Array:
        indices = checks.integers(self, method, "input", input, self.outputSize, "classes")
        if not input.ndim:
            expected = "an array of at least one dimension"
            raise checks.misshapen(self, method, "input", expected, input)
        return indices
