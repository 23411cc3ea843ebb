"""Cosine."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import product
from torchlite.kernels.functions import units
from torchlite.kernels.sums import sum_along, sum_rows
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module

__all__ = ["Cosine"]

# Stands for the length of a vector of zeros; Torch7 adds it to every length.
_ZERO = 1e-12


class Cosine(Module):
    """The cosine of the angle between each sample and each row of the weight.

    Maths
    -----
    ::

        inputNorm = np.sqrt((input**2).sum(1, keepdims=True))
        weightNorm = np.sqrt((weight**2).sum(1, keepdims=True))
        x, w = input / inputNorm, weight / weightNorm
        output = x @ w.T
        along = gradOutput * output
        gradInput = (gradOutput @ w - along.sum(1, keepdims=True) * x) / inputNorm
        gradWeight += scale * (gradOutput.T @ x - along.sum(0)[:, None] * w) / weightNorm

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.

    Attributes
    ----------
    weight, gradWeight
        (outputSize, inputSize).

    Conventions
    -----------
    The output for a vector of zeros is 0; for the gradient, it has the length 1e-12. The weight is
    drawn from U(-s, s) with s = 1 / sqrt(outputSize); `reset(stdv)` takes s = stdv * sqrt(3).
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Cosine(2, 2)
    >>> layer.weight[:] = [[2, 0], [0, 1]]
    >>> x = np.array([[3.0, 4.0]])
    >>> layer.forward(x).round(6)
    array([[0.6, 0.8]])
    >>> layer.backward(x, np.array([[125.0, 0.0]])).round(6)
    array([[ 16., -12.]])
    >>> layer.gradWeight.round(6)
    array([[ 0., 50.],
           [ 0.,  0.]])

    Reference
    ---------
    Torch7, nn/Cosine.lua.
    """

    _validates = True

    def __init__(self, inputSize: int, outputSize: int) -> None:
        inputSize = checks.size(self, "inputSize", inputSize)
        outputSize = checks.size(self, "outputSize", outputSize)
        self.weight: Array = np.zeros((outputSize, inputSize))
        self.gradWeight: Array = np.zeros((outputSize, inputSize))
        self.reset()

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_rows(self, "updateOutput", input, self.weight.shape[1], self.weight.dtype)
        self.output = product(units(input, _ZERO)[0], units(self.weight, _ZERO)[0].T)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit_back("updateGradInput", input, gradOutput)
        (x, length, scale), (w, _, _) = units(input, _ZERO), units(self.weight, _ZERO)
        along = gradOutput * product(x, w.T)
        gradInput = product(gradOutput, w) - sum_along(along, -1, keepdims=True) * x
        self.gradInput = gradInput / length / scale
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        self._must_fit_back("accGradParameters", input, gradOutput)
        if input.ndim == 1:
            input, gradOutput = input[None], gradOutput[None]
        (x, _, _), (w, *lengths) = units(input, _ZERO), units(self.weight, _ZERO)
        along = gradOutput * product(x, w.T)
        gradient = product(gradOutput.T, x) - sum_rows(along)[:, None] * w
        self.gradWeight += scale * (gradient / lengths[0] / lengths[1])

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(outputSize)."""
        uniform(self, stdv, len(self.weight), self.weight)
        return self

    def _must_fit_back(self, method: str, input: Array, gradOutput: Array) -> None:
        m, n = self.weight.shape
        checks.must_be_rows_back(self, method, input, n, gradOutput, m, self.weight.dtype)
