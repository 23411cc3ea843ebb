"""L1HingeEmbeddingCriterion."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
from torchlite.kernels.sums import sum_all
from torchlite.nn.checks import constant
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._pairwise import Pairwise

__all__ = ["L1HingeEmbeddingCriterion"]


class L1HingeEmbeddingCriterion(Pairwise):
    """The L1 distance of two arrays: small for an alike pair (target 1), else beyond a margin (-1).

    Maths
    -----
    ::

        distance = np.abs(input[0] - input[1]).sum()
        sign = np.sign(input[0] - input[1])
        output = distance if target == 1 else max(0, margin - distance)
        slope = 1 if target == 1 else -1 if distance <= margin else 0
        gradInput = [slope * sign, -slope * sign]

    Shapes
    ------
    input: a list of two arrays of one shape, of at least one dimension, all of it one sample;
    target: a number, or an array () or (1,) of one; output: a number; gradInput: a list of two such
    arrays.

    Parameters
    ----------
    margin
        A number.

    Conventions
    -----------
    Divides by nothing. Where the two have the same entry, the derivative is 0; Torch7 draws 1 or
    -1. At a distance of exactly the margin it is that from inside. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input is not such a list, or target not one number.
    SettingError
        target is neither 1 nor -1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.L1HingeEmbeddingCriterion(5)
    >>> x = [np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 1.0])]
    >>> criterion.forward(x, 1), criterion.forward(x, -1)
    (3.0, 2.0)
    >>> criterion.backward(x, 1)[0]
    array([-1.,  0.,  1.])

    Reference
    ---------
    Torch7, nn/L1HingeEmbeddingCriterion.lua.
    """

    def __init__(self, margin: float = 1) -> None:
        self.margin = constant(self, "margin", margin)

    def _prepared(self, method: str, input: Sequence[Array], target: Any) -> Array:
        super()._prepared(method, input, target)
        return _checks.signs(self, method, input[0], target, ())

    def _total(self, input: Sequence[Array], target: Array) -> Array:
        distance = sum_all(absolute(input[0] - input[1]))
        return distance if target == 1 else np.maximum(self.margin - distance, 0)

    def _gradient(self, input: Sequence[Array], target: Array, factor: float) -> list[Array]:
        difference = input[0] - input[1]
        sign = np.sign(difference.real).astype(difference.dtype, copy=False)
        beyond = (target == -1) & (sum_all(absolute(difference)).real > self.margin)
        gradient = np.where(beyond, 0, target * sign)
        return [gradient, -gradient]

    def _divisor(self, input: Sequence[Array]) -> int:
        return 1
