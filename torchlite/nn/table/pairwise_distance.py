"""PairwiseDistance."""

import math
from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute, largest
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.table._rows import Rows

__all__ = ["PairwiseDistance"]

# Keeps the gradient from dividing by a distance of 0.
_EPSILON = 1e-6


class PairwiseDistance(Rows):
    """The distance between each pair of rows, by the p-norm.

    Maths
    -----
    With p the `norm`::

        difference = input[0] - input[1]
        output = (np.abs(difference) ** norm).sum(-1) ** (1 / norm)
        ratio = np.abs(difference) / (output + 1e-6)[:, None]
        slope = np.sign(difference) * ratio ** (norm - 1)
        gradInput = [gradOutput[:, None] * slope, -gradOutput[:, None] * slope]

    Shapes
    ------
    input: a table of two arrays, (n,) or (N, n), of one shape; output: (1,) or (N,).

    Parameters
    ----------
    p
        A number of at least 1.

    Attributes
    ----------
    norm
        p.

    Conventions
    -----------
    Remembers nothing. Where the rows are equal in an entry, its gradient is 0. The gradient
    divides by the distance plus 1e-6, as Torch7's does: it is that much smaller than the
    derivative (of p = 1 it is exact).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = [np.array([[1.0, 5.0]]), np.array([[4.0, 1.0]])]
    >>> nn.PairwiseDistance(2).forward(x), nn.PairwiseDistance(1).forward(x)
    (array([5.]), array([7.]))
    >>> nn.PairwiseDistance(1).backward(x, np.array([10.0]))
    [array([[-10.,  10.]]), array([[ 10., -10.]])]

    Reference
    ---------
    Torch7, nn/PairwiseDistance.lua, whose gradient is wrong for 1 < p < 2, and random for p = 1
    where rows are equal in an entry.
    """

    def __init__(self, p: Any = 2) -> None:
        self.norm = float(checks.number(self, "__init__", "p", p))
        if not (self.norm >= 1 and math.isfinite(self.norm)):
            raise checks.misbuilt(SettingError, self, "p", "finite and at least 1", repr(p))

    def _function(self, a: Array, b: Array) -> Array:
        return self._distance(absolute(a - b))[:, 0]

    def _gradients(self, a: Array, b: Array, gradOutput: Array) -> tuple[Array, Array]:
        difference = a - b
        magnitude = absolute(difference)
        ratio = magnitude / (self._distance(magnitude) + _EPSILON)
        gradient = gradOutput * np.sign(difference.real) * ratio ** (self.norm - 1)
        return gradient, -gradient

    def _distance(self, magnitude: Array) -> Array:
        # Powers of numbers up to 1 do not overflow.
        scale = largest(magnitude, -1, 0)
        scale = np.where(scale == 0, 1, scale)
        powers = (magnitude / scale) ** self.norm
        return scale * sum_along(powers, -1, keepdims=True) ** (1 / self.norm)
