"""WeightedEuclidean."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.sums import sum_along
from torchlite.nn.simple._distances import Distances
from torchlite.nn.stateful import restored

__all__ = ["WeightedEuclidean"]


class WeightedEuclidean(Distances):
    """The distance of each sample to each centre, stretched along each axis by a learned factor.

    Maths
    -----
    ::

        difference = input[:, :, None] - weight
        output = np.sqrt(((diagCov * difference) ** 2).sum(1))
        rate = (gradOutput / (output + 1e-7))[:, None]
        gradInput = (rate * diagCov**2 * difference).sum(2)
        gradWeight += scale * -(rate * diagCov**2 * difference).sum(0)
        gradDiagCov += scale * (rate * diagCov * difference**2).sum(0)

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0: how long a sample is, and how many centres there are.

    Attributes
    ----------
    weight, gradWeight
        (inputSize, outputSize), a centre in each column.
    diagCov, gradDiagCov
        (inputSize, outputSize), the factors of each centre; at first 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.WeightedEuclidean(2, 1)
    >>> layer.weight[:], layer.diagCov[:] = [[0], [0]], [[3], [4]]
    >>> x = np.array([[1.0, 1.0]])
    >>> layer.forward(x)
    array([[5.]])
    >>> layer.backward(x, np.array([[5.0]])).round(6)
    array([[ 9., 16.]])
    >>> layer.gradDiagCov.round(6)
    array([[3.],
           [4.]])

    Reference
    ---------
    Torch7, nn/WeightedEuclidean.lua.
    """

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize)
        self.diagCov: Array = np.zeros(self.weight.shape)
        self.gradDiagCov: Array = np.zeros(self.weight.shape)
        self.reset()

    def _stretched(self, differences: Array) -> Array:
        return self.diagCov.T * differences

    def _accumulate(
        self, scale: Number, rates: Array, stretched: Array, differences: Array
    ) -> None:
        # In this order no square is beyond what a float holds.
        increment = scale * sum_along(rates[..., None] * stretched * differences, 0).T
        super()._accumulate(scale, rates, stretched, differences)
        self.gradDiagCov += increment

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """Return weight and diagCov, and their gradients."""
        return [self.weight, self.diagCov], [self.gradWeight, self.gradDiagCov]

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight as Euclidean does, and set diagCov to 1. Return self."""
        with restored(self.parameters()[0]):
            super().reset(stdv)
            self.diagCov[...] = 1
        return self
