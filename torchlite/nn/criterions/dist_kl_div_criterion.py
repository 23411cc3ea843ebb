"""DistKLDivCriterion."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["DistKLDivCriterion"]


class DistKLDivCriterion(Elementwise):
    """The Kullback-Leibler divergence of log-probabilities from the probabilities in target.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        p = np.where(target > 0, target, 1)
        output = np.where(target > 0, p * (np.log(p) - input), 0).sum() / n
        gradInput = -np.maximum(target, 0) / n

    Conventions
    -----------
    Divides by the number of entries, not of samples. Entries with a target of 0 count nothing,
    even where the log-probability is -inf.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.DistKLDivCriterion(False)
    >>> x, y = np.log([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])
    >>> print(round(criterion.forward(x, y) / np.log(2), 6))
    0.25
    >>> criterion.backward(x, y)
    array([-0.25, -0.25, -0.5 ])

    Reference
    ---------
    Torch7, nn/DistKLDivCriterion.lua.
    """

    def _losses(self, input: Array, target: Array) -> Array:
        nothing = target.real <= 0
        p = np.where(nothing, 1, target)
        divergence = p * (np.log(p) - input)
        # A NaN in input is to be seen even where the target is 0.
        return np.where(nothing & (input == input), 0, divergence)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        return np.maximum(target, 0) * -factor
