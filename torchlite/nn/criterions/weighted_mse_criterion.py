"""WeightedMSECriterion."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions.mse_criterion import MSECriterion

__all__ = ["WeightedMSECriterion"]


class WeightedMSECriterion(MSECriterion):
    """The squared distance to the target times a weight: it is the target that is weighted.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        output = ((input - weight * target) ** 2).sum() / n
        gradInput = 2 / n * (input - weight * target)

    Parameters
    ----------
    w
        An array in the shape of one sample, or of the whole input; it is copied.
    sizeAverage
        As for every criterion that divides by the number of entries.

    Attributes
    ----------
    weight
        The copy of w.

    Raises
    ------
    ShapeError, DTypeError
        target, or the weight, does not fit the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.WeightedMSECriterion(np.array([1.0, 0.5]))
    >>> x, y = np.array([[1.0, 1.0], [2.0, 2.0]]), np.array([[0.0, 4.0], [2.0, 8.0]])
    >>> criterion.forward(x, y)
    1.5
    >>> criterion.backward(x, y)
    array([[ 0.5, -0.5],
           [ 0. , -1. ]])

    Reference
    ---------
    Torch7, nn/WeightedMSECriterion.lua.
    """

    def __init__(self, w: Any, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.weight = _checks.held(self, "w", w, needed=True).copy()

    def _prepared(self, method: str, input: Array, target: Array) -> Array:
        target = super()._prepared(method, input, target)
        _checks.must_be_weights(
            self, method, "weight", self.weight, input, input.shape[1:], input.shape
        )
        return self.weight * target
