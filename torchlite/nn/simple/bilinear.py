"""Bilinear."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addrows, product, products
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module

__all__ = ["Bilinear"]


class Bilinear(Module):
    """A bilinear map of pairs of samples, plus a bias: one matrix between the two an output.

    Maths
    -----
    ::

        left, right = input
        output = np.einsum("ni,kij,nj->nk", left, weight, right) + bias
        gradLeft = np.einsum("nk,kij,nj->ni", gradOutput, weight, right)
        gradRight = np.einsum("nk,kij,ni->nj", gradOutput, weight, left)
        gradInput = [gradLeft, gradRight]
        gradWeight += scale * np.einsum("nk,ni,nj->kij", gradOutput, left, right)
        gradBias += scale * gradOutput.sum(0)

    So output[n, k] is left[n] @ weight[k] @ right[n] + bias[k].

    Shapes
    ------
    input: a table of (N, inputSize1) and (N, inputSize2); output (N, outputSize).

    Parameters
    ----------
    inputSize1, inputSize2, outputSize
        Integers of at least 0.
    bias
        False for a map without bias.

    Attributes
    ----------
    weight, gradWeight
        (outputSize, inputSize1, inputSize2).
    bias, gradBias
        (outputSize,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(inputSize1), the weight first;
    `reset(stdv)` takes s = stdv * sqrt(3). Remembers nothing. It takes batches only.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Bilinear(2, 2, 1)
    >>> layer.weight[:] = [[[1, 2], [3, 4]]]
    >>> layer.bias[:] = 100
    >>> x = [np.array([[1.0, 10.0]]), np.array([[1.0, 2.0]])]
    >>> layer.forward(x)
    array([[215.]])
    >>> layer.backward(x, np.array([[1.0]]))
    [array([[ 5., 11.]]), array([[31., 42.]])]
    >>> layer.gradWeight
    array([[[ 1.,  2.],
            [10., 20.]]])

    Reference
    ---------
    Torch7, nn/Bilinear.lua.
    """

    _validates = True

    def __init__(
        self, inputSize1: int, inputSize2: int, outputSize: int, bias: bool = True
    ) -> None:
        inputSize1 = checks.size(self, "inputSize1", inputSize1)
        inputSize2 = checks.size(self, "inputSize2", inputSize2)
        outputSize = checks.size(self, "outputSize", outputSize)
        self.weight: Array = np.zeros((outputSize, inputSize1, inputSize2))
        self.gradWeight: Array = np.zeros((outputSize, inputSize1, inputSize2))
        if bias:
            self.bias = np.zeros(outputSize)
            self.gradBias = np.zeros(outputSize)
        self.reset()

    # One matrix product an output needs less memory than all products of left and right entries.

    def updateOutput(self, input: Sequence[Array]) -> Array:
        left, right = self._pair("updateOutput", input)
        output = sum_along(products(left, self.weight) * right, 2).T
        if self.bias is not None:
            output += self.bias
        self.output = output
        return output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        left, right = self._pair("updateGradInput", input, gradOutput)
        each = gradOutput.T[:, :, None]
        self.gradInput = [
            sum_along(products(right, self.weight.transpose(0, 2, 1)) * each, 0),
            sum_along(products(left, self.weight) * each, 0),
        ]
        return self.gradInput

    def accGradParameters(
        self, input: Sequence[Array], gradOutput: Array, scale: Number = 1
    ) -> None:
        scale = checks.scale(self, scale)
        left, right = self._pair("accGradParameters", input, gradOutput)
        m, k, n = self.weight.shape
        pairs = (left.T * gradOutput.T[:, None]).reshape(m * k, len(left))
        increment = scale * product(pairs, right).reshape(m, k, n)
        if self.bias is not None:
            addrows(self.gradBias, scale, gradOutput)
        self.gradWeight += increment

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(inputSize1)."""
        uniform(self, stdv, self.weight.shape[1], *self.parameters()[0])
        return self

    def __repr__(self) -> str:
        outputSize, inputSize1, inputSize2 = self.weight.shape
        without = "" if self.bias is not None else " without bias"
        return f"{type(self).__name__}({inputSize1}x{inputSize2} -> {outputSize}){without}"

    def _pair(self, method: str, input: Sequence[Array], *gradOutput: Any) -> Any:
        """Return the two arrays of the input, which fit each other and gradOutput."""
        outputSize, *lengths = self.weight.shape
        dtype = self.weight.dtype
        if not (isinstance(input, (list, tuple)) and len(input) == 2):
            raise self._unfit(method, input)
        for array in input:
            checks.must_be_typed(self, method, array, dtype)
        n = len(input[0]) if input[0].ndim else 0
        if [array.shape for array in input] != [(n, length) for length in lengths]:
            raise self._unfit(method, input)
        for given in gradOutput:
            for array in input:
                checks.must_be_typed_back(self, method, array, given, (n, outputSize), dtype)
        return input

    def _unfit(self, method: str, input: Sequence[Array]) -> Any:
        _, inputSize1, inputSize2 = self.weight.shape
        expected = f"[(N, {inputSize1}), (N, {inputSize2})]"
        return checks.misshapen(self, method, "input", expected, input)
