"""PartialLinear."""

from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addat, product
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_rows
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["PartialLinear"]


class PartialLinear(Module):
    """A linear map of which only some of the outputs are computed: those of the partition.

    It keeps the parameters of all outputs, so that a large output layer can be trained on a few
    of its outputs at a time, and be used whole in the end.

    Maths
    -----
    ::

        rows = weight[partition]
        output = input @ rows.T + bias[0, partition]
        gradInput = gradOutput @ rows
        np.add.at(gradWeight, partition, scale * gradOutput.T @ input)
        np.add.at(gradBias[0], partition, scale * gradOutput.sum(0))

    np.add.at is `gradWeight[partition] += ...` for a partition that may name an output twice.

    Shapes
    ------
    input (inputsize,) or (N, inputsize); output (n,) or (N, n), for a partition of n outputs.

    Parameters
    ----------
    inputsize, outputsize
        Integers of at least 0.
    bias
        False for a map without bias.

    Attributes
    ----------
    weight, gradWeight
        (outputsize, inputsize).
    bias, gradBias
        (1, outputsize), or None without bias.
    partition
        The outputs that are computed, counted from 0; at first all, in order.

    Conventions
    -----------
    The weight is drawn from N(0, 1), or N(0, stdv) with `reset(stdv)`; the bias is 0. Remembers
    nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.PartialLinear(2, 3).setPartition([2, 0])
    >>> layer.weight[:] = [[1, 2], [3, 4], [5, 6]]
    >>> layer.bias[:] = [[10, 20, 30]]
    >>> x = np.array([[1.0, -1.0], [2.0, 0.0]])
    >>> layer.forward(x)
    array([[29.,  9.],
           [40., 12.]])
    >>> layer.backward(x, np.array([[1.0, 0.0], [0.0, 1.0]]))
    array([[5., 6.],
           [1., 2.]])
    >>> layer.gradWeight
    array([[ 2.,  0.],
           [ 0.,  0.],
           [ 1., -1.]])
    >>> layer.gradBias
    array([[1., 0., 1.]])

    Reference
    ---------
    Torch7, nn/PartialLinear.lua.
    """

    _validates = True

    def __init__(self, inputsize: int, outputsize: int, bias: bool = True) -> None:
        inputsize = checks.size(self, "inputsize", inputsize)
        outputsize = checks.size(self, "outputsize", outputsize)
        self.weight: Array = np.zeros((outputsize, inputsize))
        self.gradWeight: Array = np.zeros((outputsize, inputsize))
        if bias:
            self.bias = np.zeros((1, outputsize))
            self.gradBias = np.zeros((1, outputsize))
        self.resetPartition()
        self.reset()

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"maths": "it is said with a bias"} if self.bias is None else {}

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_rows(self, "updateOutput", input, self.weight.shape[1], self.weight.dtype)
        output = product(input, self.weight[self.partition].T)
        if self.bias is not None:
            output += self.bias[0, self.partition]
        self.output = output
        return output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit_back("updateGradInput", input, gradOutput)
        self.gradInput = product(gradOutput, self.weight[self.partition])
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        self._must_fit_back("accGradParameters", input, gradOutput)
        if input.ndim == 1:
            input, gradOutput = input[None], gradOutput[None]
        sums: Any = None if self.bias is None else scale * sum_rows(gradOutput)
        addat(self.gradWeight, scale, self.partition, product(gradOutput.T, input))
        if self.bias is not None:
            np.add.at(self.gradBias[0], self.partition, sums)

    def setPartition(self, indices: Any) -> Self:
        """Compute only these outputs, in this order, counted from 0. Return self."""
        indices, n = np.array(indices), len(self.weight)
        partition = checks.integers(self, "setPartition", "indices", indices, n, "outputs")
        if partition.ndim != 1:
            expected = "of one dimension"
            raise checks.misshapen(self, "setPartition", "indices", expected, partition)
        self.partition = like(partition, self.weight)
        return self

    def resetPartition(self) -> Self:
        """Compute all outputs again. Return self."""
        return self.setPartition(np.arange(len(self.weight)))

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight from N(0, stdv), or N(0, 1). Return self."""
        stdv = 1 if stdv is None else checks.deviation(self, stdv)
        self.weight[...] = like(stdv * random.normal(size=self.weight.shape), self.weight)
        return self

    def _must_fit_back(self, method: str, input: Array, gradOutput: Array) -> None:
        n, m = self.weight.shape[1], len(self.partition)
        checks.must_be_rows_back(self, method, input, n, gradOutput, m, self.weight.dtype)

    def __repr__(self) -> str:
        outputsize, inputsize = self.weight.shape
        without = "" if self.bias is not None else " without bias"
        return f"{type(self).__name__}({inputsize} -> {outputsize}){without}"
