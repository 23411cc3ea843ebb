"""HingeEmbeddingCriterion."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.checks import constant
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["HingeEmbeddingCriterion"]


class HingeEmbeddingCriterion(Elementwise):
    """For distances: those of alike pairs (target 1) small, of others (-1) beyond a margin.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        output = np.where(target == 1, input, np.maximum(margin - input, 0)).sum() / n
        gradInput = np.where(target == 1, 1, np.where(input > margin, 0, -1)) / n

    Shapes
    ------
    input and target: any, the same; for an input of one entry target may be a number.

    Parameters
    ----------
    margin
        A number.
    sizeAverage
        Whether to divide by the number of entries.

    Conventions
    -----------
    For a target of -1 the derivative on the margin is that from inside, -1 / n.

    Raises
    ------
    SettingError
        target has an entry that is neither 1 nor -1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.HingeEmbeddingCriterion(5)
    >>> x, y = np.array([3.0, 4.0, 6.0, 0.0]), np.array([1.0, -1.0, -1.0, 1.0])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (1.0, array([ 0.25, -0.25,  0.  ,  0.25]))

    Reference
    ---------
    Torch7, nn/HingeEmbeddingCriterion.lua.
    """

    def __init__(self, margin: float = 1, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.margin = constant(self, "margin", margin)

    def _prepared(self, method: str, input: Array, target: Any) -> Array:
        checks.must_be_floating(self, method, "input", input)
        return _checks.signs(self, method, input, target, input.shape)

    def _losses(self, input: Array, target: Array) -> Array:
        return np.where(target == 1, input, np.maximum(self.margin - input, 0))

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        beyond = (target == -1) & (input.real > self.margin)
        return np.where(beyond, 0, factor * target)
