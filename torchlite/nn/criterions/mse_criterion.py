"""MSECriterion."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import dot
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["MSECriterion"]


class MSECriterion(Elementwise):
    """The mean, or the sum, of the squared differences.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        output = ((input - target) ** 2).sum() / n
        gradInput = 2 / n * (input - target)

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
    >>> nn.MSECriterion().forward(x, y), nn.MSECriterion(False).forward(x, y)
    (6.5, 13.0)

    Reference
    ---------
    Torch7, nn/MSECriterion.lua.
    """

    def _total(self, input: Array, target: Array) -> Array:
        difference = (input - target).reshape(-1)
        return dot(difference, difference)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        gradInput = input - target
        gradInput *= 2 * factor
        return gradInput
