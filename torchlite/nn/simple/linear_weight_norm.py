"""LinearWeightNorm."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addrows, product
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.nested import shapes
from torchlite.nn.simple.linear import Linear
from torchlite.nn.stateful import restored

__all__ = ["LinearWeightNorm"]


class LinearWeightNorm(Linear):
    """A linear map of which each output's weights have a length g and a direction v of their own.

    Maths
    -----
    ::

        norm = np.sqrt((v * v).sum(1, keepdims=True)).clip(eps)
        rows = v * g / norm
        output = input @ rows.T + bias
        gradInput = gradOutput @ rows
        direct = gradOutput.T @ input
        along = (direct * v).sum(1, keepdims=True) / norm
        gradG += scale * along
        gradV += scale * g / norm * (direct - along * v / norm)
        gradBias += scale * gradOutput.sum(0)

    Where eps limits norm, the last term of gradV is missing.

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.
    bias
        False for a map without bias.
    eps
        The smallest number that v is divided by.

    Attributes
    ----------
    v, gradV
        (outputSize, inputSize).
    g, gradG
        (outputSize, 1).
    bias, gradBias
        (outputSize,), or None without bias.
    weight
        The matrix of the last forward, v * g / norm. It is no parameter: there is no gradWeight.

    Conventions
    -----------
    v and bias are drawn as the weight and bias of a `Linear`, g is the length of v's rows. The
    parameters stand in the order v, g, bias. Remembers nothing: a backward computes the weight
    anew.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LinearWeightNorm(2, 1)
    >>> layer.v[:], layer.g[:], layer.bias[:] = [[3, 4]], 10, 1
    >>> x = np.array([[1.0, 2.0]])
    >>> layer.forward(x)
    array([[23.]])
    >>> layer.weight
    array([[6., 8.]])
    >>> layer.backward(x, np.array([[25.0]]))
    array([[150., 200.]])
    >>> layer.gradG, layer.gradV
    (array([[55.]]), array([[-16.,  12.]]))

    Reference
    ---------
    Torch7, nn/LinearWeightNorm.lua. Salimans and Kingma, Weight normalization, 2016.
    """

    _validates = True
    transient = (*Linear.transient, "weight")

    def __init__(
        self, inputSize: int, outputSize: int, bias: bool = True, eps: float = 1e-16
    ) -> None:
        inputSize = checks.size(self, "inputSize", inputSize)
        outputSize = checks.size(self, "outputSize", outputSize)
        self.eps = checks.finite_at_least_0(self, "eps", eps)
        self.v: Array = np.zeros((outputSize, inputSize))
        self.gradV: Array = np.zeros((outputSize, inputSize))
        self.g: Array = np.zeros((outputSize, 1))
        self.gradG: Array = np.zeros((outputSize, 1))
        if bias:
            self.bias = np.zeros(outputSize)
            self.gradBias = np.zeros(outputSize)
        self.reset()

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_rows(self, "updateOutput", input, self.v.shape[1], self.v.dtype)
        self.weight = self.v * (self.g / self._norm())
        output = product(input, self.weight.T)
        if self.bias is not None:
            output += self.bias
        self.output = output
        return output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Any:
        if self.gradInput is None:
            return None
        m, n = self.v.shape
        checks.must_be_rows_back(self, "updateGradInput", input, n, gradOutput, m, self.v.dtype)
        self.gradInput = product(gradOutput, self.v * (self.g / self._norm()))
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        m, n = self.v.shape
        checks.must_be_rows_back(self, "accGradParameters", input, n, gradOutput, m, self.v.dtype)
        if input.ndim == 1:
            input, gradOutput = input[None], gradOutput[None]
        norm = self._norm()
        direction = self.v / norm
        direct = product(gradOutput.T, input)
        along = sum_along(direct * direction, 1, keepdims=True)
        # Where eps limits the norm, that does not change with v.
        across = direct - along * (norm != self.eps) * direction
        along, across = scale * along, scale * (self.g / norm) * across
        if self.bias is not None:
            addrows(self.gradBias, scale, gradOutput)
        self.gradG += along
        self.gradV += across

    def _norm(self) -> Array:
        """Return the lengths of v's rows, at least eps."""
        return np.maximum(np.sqrt(sum_along(self.v * self.v, 1, keepdims=True)), self.eps)

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """Return v, g and bias, and their gradients."""
        if self.bias is None:
            return [self.v, self.g], [self.gradV, self.gradG]
        return [self.v, self.g, self.bias], [self.gradV, self.gradG, self.gradBias]

    def reset(self, stdv: Any = None) -> Self:
        """Draw v and bias as those of a Linear, and set g to the lengths of v. Return self."""
        with restored(self.parameters()[0]):
            uniform(self, stdv, self.v.shape[1], self.v)
            self.g[...] = self._norm()
            if self.bias is not None:
                uniform(self, stdv, self.v.shape[1], self.bias)
        return self

    def initFromWeight(self, weight: Any) -> Self:
        """Set v and g so that `v * g / norm` is this weight. Return self."""
        if np.shape(weight) != self.v.shape:
            expected = shapes(self.v)
            raise checks.misshapen(self, "initFromWeight", "weight", expected, weight)
        with restored([self.v, self.g]):
            self.v[...] = weight
            self.g[...] = self._norm()
        return self

    @staticmethod
    def fromLinear(linear: Linear) -> "LinearWeightNorm":
        """Return the LinearWeightNorm that computes what a Linear computes."""
        outputSize, inputSize = linear.weight.shape
        layer = LinearWeightNorm(inputSize, outputSize, linear.bias is not None)
        layer.type(linear.type())
        layer.initFromWeight(linear.weight)
        if linear.bias is not None:
            layer.bias[...] = linear.bias
        return layer

    def toLinear(self) -> Linear:
        """Return the Linear that computes what this layer computes."""
        outputSize, inputSize = self.v.shape
        linear = Linear(inputSize, outputSize, self.bias is not None)
        linear.type(self.type())
        linear.weight[...] = self.v * (self.g / self._norm())
        if self.bias is not None:
            linear.bias[...] = self.bias
        return linear

    def __repr__(self) -> str:
        outputSize, inputSize = self.v.shape
        without = "" if self.bias is not None else " without bias"
        return f"{type(self).__name__}({inputSize} -> {outputSize}){without}"
