"""BCECriterion."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._weighted import Weighted

__all__ = ["BCECriterion"]

# Keeps the logarithm of 0 finite, Torch7's way.
_EPS = 1e-12


class BCECriterion(Weighted):
    """Binary cross-entropy between probabilities and targets, both between 0 and 1.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        w = weights if np.ndim(weights) else 1
        eps = 1e-12
        loss = target * np.log(input + eps) + (1 - target) * np.log(1 - input + eps)
        output = -(w * loss).sum() / n
        gradInput = w * (input - target) / ((1 - input + eps) * (input + eps)) / n

    Conventions
    -----------
    The gradient is Torch7's: it leaves out a term of eps, so that it is exactly 0 where input
    equals target. The probabilities should come from a Sigmoid; MultiLabelSoftMarginCriterion
    does both in one, and loses nothing to rounding where the Sigmoid is flat.

    Raises
    ------
    SettingError
        input has an entry below 0 or above 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.BCECriterion()
    >>> x, y = np.array([0.5, 0.25]), np.array([1.0, 0.0])
    >>> round(criterion.forward(x, y), 6), criterion.backward(x, y).round(6)
    (0.490415, array([-1.      ,  0.666667]))

    Reference
    ---------
    Torch7, nn/BCECriterion.lua.
    """

    def _prepared(self, method: str, input: Array, target: Array) -> Array:
        target = super()._prepared(method, input, target)
        _checks.must_be_probabilities(self, method, input)
        return target

    def _loss(self, input: Array, target: Array) -> Array:
        return (target - 1) * np.log(1 - input + _EPS) - target * np.log(input + _EPS)

    def _derivative(self, input: Array, target: Array) -> Array:
        return (input - target) / ((1 - input + _EPS) * (input + _EPS))
