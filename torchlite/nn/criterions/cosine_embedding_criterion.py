"""CosineEmbeddingCriterion."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import by_cosine, units
from torchlite.kernels.sums import sum_along
from torchlite.nn.checks import constant, misshapen
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._pairwise import Pairwise

__all__ = ["CosineEmbeddingCriterion"]

# Stands for the length of a vector of zeros, as in Torch7, where it is added to every length.
_ZERO = 1e-6


class CosineEmbeddingCriterion(Pairwise):
    """The cosine between two vectors: 1 for an alike pair (target 1), else below a margin (-1).

    Maths
    -----
    For a batch::

        n = (len(input[0]) or 1) if sizeAverage else 1
        a, b = input
        aa, bb = (a * a).sum(1), (b * b).sum(1)
        w = 1 / np.sqrt(aa * bb)
        cos = (a * b).sum(1) * w
        loss = np.where(target == 1, 1 - cos, np.maximum(cos - margin, 0))
        output = loss.sum() / n
        slope = (np.where(loss > 0, -target, 0) / n)[:, None]
        gradA = slope * (w[:, None] * b - (cos / aa)[:, None] * a)
        gradB = slope * (w[:, None] * a - (cos / bb)[:, None] * b)
        gradInput = [gradA, gradB]

    Shapes
    ------
    input: a list of two arrays (K,) or (N, K); target: for one sample a number, or an array () or
    (1,) of one, for a batch (N,); output: a number; gradInput: a list of two arrays as input.

    Parameters
    ----------
    margin
        A number from -1 to 1.
    sizeAverage
        Whether to divide by the number of samples. It may be set later, too.

    Conventions
    -----------
    Where the loss of a sample is 0, so is its gradient, on the margin too. The cosine with a
    vector of zeros is 0; for the gradient, it has the length 1e-6. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input is not such a list, or target does not fit it.
    SettingError
        target has an entry that is neither 1 nor -1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.CosineEmbeddingCriterion()
    >>> x = [np.array([3.0, 4.0]), np.array([0.0, 5.0])]
    >>> round(criterion.forward(x, 1), 6), round(criterion.forward(x, -1), 6)
    (0.2, 0.8)
    >>> [gradient.round(6) for gradient in criterion.backward(x, -1)]
    [array([-0.096,  0.072]), array([0.12, 0.  ])]

    Reference
    ---------
    Torch7, nn/CosineEmbeddingCriterion.lua.
    """

    def __init__(self, margin: float = 0, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.margin = constant(self, "margin", margin)

    def _prepared(self, method: str, input: Sequence[Array], target: Any) -> Array:
        super()._prepared(method, input, target)
        if input[0].ndim > 2:
            raise misshapen(self, method, "input", "two arrays (K,) or (N, K)", input)
        return _checks.signs(self, method, input[0], target, input[0].shape[:-1])[..., None]

    def _divisor(self, input: Sequence[Array]) -> int:
        return super()._divisor(input) if input[0].ndim == 2 else 1

    def _losses(self, input: Sequence[Array], target: Array) -> Array:
        return self._cosine(input, target)[0]

    def _gradient(self, input: Sequence[Array], target: Array, factor: float) -> list[Array]:
        loss, cos, a, b = self._cosine(input, target)
        return list(by_cosine(np.where(loss.real > 0, -factor * target, 0), cos, a, b))

    def _cosine(self, input: Sequence[Array], target: Array) -> Any:
        """Return each sample's loss and cosine, as columns, and both arrays as `units` does."""
        a, b = (units(rows, _ZERO) for rows in input)
        cos = sum_along(a[0] * b[0], -1, keepdims=True)
        loss = np.where(target == 1, 1 - cos, np.maximum(cos - self.margin, 0))
        return loss, cos, a, b
