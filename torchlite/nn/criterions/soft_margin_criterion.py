"""SoftMarginCriterion."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import sigmoid, softplus
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["SoftMarginCriterion"]


class SoftMarginCriterion(Elementwise):
    """The logistic loss: a hinge without a kink.

    Maths
    -----
    With targets of 1 and -1::

        n = (input.size or 1) if sizeAverage else 1
        output = np.log(1 + np.exp(-target * input)).sum() / n
        gradInput = -target / (1 + np.exp(target * input)) / n

    Conventions
    -----------
    target holds 1 and -1 (other numbers multiply the input all the same). Finite wherever
    -target * input is, while Torch7's exponential overflows.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.SoftMarginCriterion(False)
    >>> x, y = np.array([0.0, -1e4]), np.array([1.0, 1.0])
    >>> round(criterion.forward(x, y), 6), criterion.backward(x, y)
    (10000.693147, array([-0.5, -1. ]))

    Reference
    ---------
    Torch7, nn/SoftMarginCriterion.lua.
    """

    def _losses(self, input: Array, target: Array) -> Array:
        return softplus(-target * input)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        return sigmoid(-target * input) * (-factor * target)
