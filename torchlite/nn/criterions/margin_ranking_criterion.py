"""MarginRankingCriterion."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import constant
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._pairwise import Pairwise

__all__ = ["MarginRankingCriterion"]


class MarginRankingCriterion(Pairwise):
    """For scores of two things: a target of 1 ranks the first higher, -1 the second.

    Maths
    -----
    ::

        n = (len(input[0]) or 1) if sizeAverage else 1
        slack = margin - target * (input[0] - input[1])
        output = np.maximum(slack, 0).sum() / n
        gradInput = [np.where(slack < 0, 0, -target) / n, np.where(slack < 0, 0, target) / n]

    Shapes
    ------
    input: a list of two arrays of one shape, of at least one dimension; target: the same shape, or
    a number where they have one entry; output: a number; gradInput: a list of two such arrays.

    Parameters
    ----------
    margin
        A number.
    sizeAverage
        Whether to divide by the length of the first dimension. It may be set later, too.

    Conventions
    -----------
    target holds 1 and -1 (other numbers multiply the difference all the same). On the margin the
    derivative is that from inside. Remembers nothing.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MarginRankingCriterion()
    >>> x, y = [np.array([2.0, 5.0]), np.array([3.0, 1.0])], np.array([1.0, 1.0])
    >>> criterion.forward(x, y)
    1.0
    >>> criterion.backward(x, y)[1]
    array([0.5, 0. ])

    Reference
    ---------
    Torch7, nn/MarginRankingCriterion.lua.
    """

    def __init__(self, margin: float = 1, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.margin = constant(self, "margin", margin)

    def _prepared(self, method: str, input: Sequence[Array], target: Any) -> Array:
        super()._prepared(method, input, target)
        return _checks.one_each(self, method, input[0], target, input[0].shape)

    def _losses(self, input: Sequence[Array], target: Array) -> Array:
        return np.maximum(self._slack(input, target), 0)

    def _gradient(self, input: Sequence[Array], target: Array, factor: float) -> list[Array]:
        beyond = self._slack(input, target).real < 0
        gradient = np.where(beyond, 0, factor * target)
        return [-gradient, gradient]

    def _slack(self, input: Sequence[Array], target: Array) -> Array:
        return self.margin - target * (input[0] - input[1])
