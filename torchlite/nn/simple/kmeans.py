"""Kmeans."""

import math
from typing import Any, ClassVar, Self

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addat
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_all, sum_along
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["Kmeans"]

_CLUSTERS = "the gradient moves each center to the mean of its cluster: it is no derivative"


class Kmeans(Module):
    """The nearest of k centers; training moves each to the mean of the samples nearest to it.

    Maths
    -----
    ::

        distances = ((input[:, None] - weight) ** 2).sum(2)
        output = distances.argmin(1)
        loss = distances.min(1).sum()
        gradInput = np.zeros_like(input)
        for i in np.unique(output):
            gradWeight[i] += scale * (weight[i] - input[output == i].mean(0))

    Shapes
    ------
    input (dim,) or (N, dim); output of integers, (1,) or (N,).

    Parameters
    ----------
    k, dim
        How many centers, at least 1, and how many numbers a sample has.
    scale
        What to take instead of the scale of every backward; None for that.

    Attributes
    ----------
    weight, gradWeight
        (k, dim): the centers.
    loss
        The sum of the squared distances of the last forward.

    Conventions
    -----------
    Clusters count from 0; of centers equally near, the first wins. The weight is drawn from
    U(-1, 1), or U(-stdv, stdv) by `reset(stdv)`. `updateParameters(1)` after one backward moves
    the centers to the means. gradOutput is not looked at but for its shape. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    SettingError
        k or dim is less than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Kmeans(2, 1)
    >>> layer.weight[:] = [[0], [10]]
    >>> x = np.array([[1.0], [3.0], [9.0]])
    >>> layer.forward(x), layer.loss
    (array([0, 0, 1]), 11.0)
    >>> _ = layer.zeroGradParameters().backward(x, np.zeros(3))
    >>> layer.updateParameters(1).weight
    array([[2.],
           [9.]])

    Reference
    ---------
    Torch7, nn/Kmeans.lua.
    """

    _validates = True
    transient = (*Module.transient, "loss")
    loss: Any = None
    exempt: ClassVar = {
        "gradInput": "clusters have no gradient",
        "gradParameters": _CLUSTERS,
        "linear": _CLUSTERS,
        "batch": _CLUSTERS,
    }

    def __init__(self, k: int, dim: int, scale: Number | None = None) -> None:
        shape = checks.at_least(self, "k", k, 1), checks.at_least(self, "dim", dim, 1)
        self.scale = None if scale is None else checks.constant(self, "scale", scale)
        self.weight: Array = np.zeros(shape)
        self.gradWeight: Array = np.zeros(shape)
        self.reset()

    def updateOutput(self, input: Array) -> Array:
        self.output, nearest = self._clusters("updateOutput", input)
        self.loss = sum_all(nearest).item()
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._check_back("updateGradInput", input, gradOutput)
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        self._check_back("accGradParameters", input, gradOutput)
        scale = scale if self.scale is None else self.scale
        rows = input.reshape(-1, self.weight.shape[1])
        clusters = self._clusters("accGradParameters", input)[0]
        sums = np.zeros_like(self.weight)
        addat(sums, 1, clusters, self.weight[clusters] - rows)
        counts = np.zeros_like(sums, shape=(len(sums), 1))
        addat(counts, 1, clusters, np.ones_like(sums, shape=(len(rows), 1)))
        self.gradWeight += scale * (sums / np.maximum(counts, 1))

    def reset(self, stdv: Any = None) -> Self:
        """Draw the centers from U(-stdv, stdv), or U(-1, 1)."""
        bound = 1.0 if stdv is None else checks.deviation(self, stdv)
        draws = np.empty(self.weight.shape, self.weight.dtype.char.lower())
        self.weight[...] = like(random.uniform(-bound, bound, out=draws), self.weight)
        return self

    def initRandom(self, input: Array) -> Self:
        """Take samples of input as centers, drawn one by one, perhaps twice. Return self."""
        self._check_samples("initRandom", input, len(self.weight))
        self.weight[...] = input[[random.random(0, len(input) - 1) for _ in self.weight]]
        return self

    def initKmeansPlus(self, input: Array, p: float = 0.95) -> Self:
        """Take samples far apart as centers. Return self.

        The first is drawn from all, each further one from the share 1 - p of the samples that are
        farthest from the nearest center so far.
        """
        self._check_samples("initKmeansPlus", input, 1)
        p = checks.number(self, "initKmeansPlus", "p", p)
        if not 0 <= p <= 1:
            raise checks.out_of_range(self, "initKmeansPlus", "p", "0 to 1", repr(p))
        candidates = max(math.ceil((1 - p) * len(input)), 1)
        centers = self.weight.copy()
        for i in range(len(centers)):
            if i == 0:
                chosen = random.random(0, len(input) - 1)
            else:
                nearest = _distances(input, centers[:i]).min(1)
                farthest = np.argsort(-nearest, kind="stable")[:candidates]
                chosen = farthest[random.random(0, candidates - 1)]
            centers[i] = input[chosen]
        self.weight[...] = centers
        return self

    def _clusters(self, method: str, input: Array) -> tuple[Array, Array]:
        checks.must_be_rows(self, method, input, self.weight.shape[1], self.weight.dtype)
        distances = _distances(input.reshape(-1, self.weight.shape[1]), self.weight)
        return distances.argmin(1), distances.min(1)

    def _check_back(self, method: str, input: Array, gradOutput: Array) -> None:
        checks.must_be_rows(self, method, input, self.weight.shape[1], self.weight.dtype)
        shape = (1,) if input.ndim == 1 else input.shape[:1]
        checks.must_be_gradient(self, method, gradOutput, shape, np.dtype(np.intp))

    def _check_samples(self, method: str, input: Array, least: int) -> None:
        checks.must_be_rows(self, method, input, self.weight.shape[1], self.weight.dtype)
        if input.ndim != 2 or len(input) < least:
            expected = f"(N, {self.weight.shape[1]}) with N >= {least}"
            raise checks.misshapen(self, method, "input", expected, input)


def _distances(rows: Array, centers: Array) -> Array:
    """Return the squared distances of all rows to all centers."""
    differences = rows[:, None] - centers
    return sum_along((differences * differences.conj()).real, 2)
