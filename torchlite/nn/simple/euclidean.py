"""Euclidean."""

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._distances import Distances

__all__ = ["Euclidean"]


class Euclidean(Distances):
    """The distance of each sample to each centre, a column of the weight.

    Maths
    -----
    ::

        difference = input[:, :, None] - weight
        output = np.sqrt((difference**2).sum(1))
        rate = (gradOutput / (output + 1e-7))[:, None]
        gradInput = (rate * difference).sum(2)
        gradWeight += scale * -(rate * difference).sum(0)

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0: how long a sample is, and how many centres there are.

    Attributes
    ----------
    weight, gradWeight
        (inputSize, outputSize), a centre in each column.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Euclidean(2, 2)
    >>> layer.weight[:] = [[0, 3], [0, 4]]
    >>> x = np.array([[3.0, 4.0], [0.0, 0.0]])
    >>> layer.forward(x)
    array([[5., 0.],
           [0., 5.]])
    >>> layer.backward(x, np.array([[10.0, 0.0], [0.0, 0.0]])).round(6)
    array([[6., 8.],
           [0., 0.]])
    >>> layer.gradWeight.round(6)
    array([[-6.,  0.],
           [-8.,  0.]])

    Reference
    ---------
    Torch7, nn/Euclidean.lua.
    """

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize)
        self.reset()

    def _stretched(self, differences: Array) -> Array:
        return differences
