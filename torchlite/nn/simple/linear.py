"""Linear."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addmm, product
from torchlite.kernels.sums import sum_rows
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module

__all__ = ["Linear"]


class Linear(Module):
    """A linear map of each sample, plus a bias.

    Maths
    -----
    ::

        output = input @ weight.T + bias
        gradInput = gradOutput @ weight
        gradWeight += scale * gradOutput.T @ input
        gradBias += scale * gradOutput.sum(0)

    For one sample: gradWeight += scale * np.outer(gradOutput, input) and
    gradBias += scale * gradOutput.

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.
    bias
        False for a map without bias.

    Attributes
    ----------
    weight, gradWeight
        (outputSize, inputSize).
    bias, gradBias
        (outputSize,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(inputSize), the weight row by row
    first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv.
    Remembers nothing. With `gradInput = None`, `updateGradInput` returns None.

    In float32, gradBias is right to a millionth of the sum of its terms' magnitudes, however many
    rows there are. gradWeight adds up as the BLAS does; beyond 32,768 rows, in blocks: it is right
    to 1e-5, or with up to 4096 entries to 2e-6.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Linear(2, 3)
    >>> layer.weight[:] = [[1, 2], [3, 4], [5, 6]]
    >>> layer.bias[:] = [10, 20, 30]
    >>> x = np.array([[1.0, -1.0], [2.0, 0.0]])
    >>> layer.forward(x)
    array([[ 9., 19., 29.],
           [12., 26., 40.]])
    >>> layer.backward(x, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    array([[ 1.,  2.],
           [ 8., 10.]])
    >>> layer.gradWeight
    array([[ 1., -1.],
           [ 2.,  0.],
           [ 2.,  0.]])
    >>> layer.gradBias
    array([1., 1., 1.])

    Reference
    ---------
    Torch7, nn/Linear.lua.
    """

    _validates = True

    def __init__(self, inputSize: int, outputSize: int, bias: bool = True) -> None:
        inputSize = checks.size(self, "inputSize", inputSize)
        outputSize = checks.size(self, "outputSize", outputSize)
        self.weight: Array = np.zeros((outputSize, inputSize))
        self.gradWeight: Array = np.zeros((outputSize, inputSize))
        if bias:
            self.bias = np.zeros(outputSize)
            self.gradBias = np.zeros(outputSize)
        self.reset()

    def updateOutput(self, input: Array) -> Array:
        weight = self.weight
        checks.must_be_rows(self, "updateOutput", input, weight.shape[1], weight.dtype)
        output = product(input, weight.T)
        if self.bias is not None:
            output += self.bias
        self.output = output
        return output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Any:
        if self.gradInput is None:
            return None
        weight = self.weight
        m, n = weight.shape
        checks.must_be_rows_back(self, "updateGradInput", input, n, gradOutput, m, weight.dtype)
        self.gradInput = product(gradOutput, weight)
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        m, n = self.weight.shape
        checks.must_be_rows_back(
            self, "accGradParameters", input, n, gradOutput, m, self.weight.dtype
        )
        if input.ndim == 1:
            input, gradOutput = input[None], gradOutput[None]
        # What fails has changed nothing: all increments are made before the first is added.
        if self.bias is not None:
            sums = sum_rows(gradOutput)
            increment = sums if scale == 1 else scale * sums
        addmm(self.gradWeight, scale, gradOutput.T, input)
        if self.bias is not None:
            self.gradBias += increment

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(inputSize)."""
        uniform(self, stdv, self.weight.shape[1], *self.parameters()[0])
        return self

    def noBias(self) -> Self:
        """Remove the bias. Return self."""
        self.bias = self.gradBias = None
        return self

    def __repr__(self) -> str:
        outputSize, inputSize = self.weight.shape
        without = "" if self.bias is not None else " without bias"
        return f"{type(self).__name__}({inputSize} -> {outputSize}){without}"
