"""ClassSimplexCriterion."""

import math
from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions.mse_criterion import MSECriterion

__all__ = ["ClassSimplexCriterion"]


class ClassSimplexCriterion(MSECriterion):
    """The mean squared difference to the target class's corner of a regular simplex.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        output = ((input - simplex[target]) ** 2).sum() / n
        gradInput = 2 / n * (input - simplex[target])

    Shapes
    ------
    input (nClasses,) or (N, nClasses); target for one sample an integer, or an array () or (1,) of
    one, for a batch integers (N,); output: a number; gradInput as input.

    Parameters
    ----------
    nClasses
        An integer of at least 2.
    sizeAverage
        Whether to divide by the number of entries (not of samples). It may be set later, too.

    Attributes
    ----------
    simplex
        (nClasses, nClasses): the corners, one a row, all of length 1 and equally far apart; the
        last column is 0, for the simplex lies in one dimension less.

    Conventions
    -----------
    Classes count from 0. Remembers nothing.

    Raises
    ------
    IndexError
        target has an entry that is no class.
    ShapeError, DTypeError
        input, or target, does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.ClassSimplexCriterion(2)
    >>> criterion.simplex
    array([[ 1.,  0.],
           [-1.,  0.]])
    >>> x = np.array([[3.0, 0.0], [0.0, 2.0]])
    >>> criterion.forward(x, np.array([0, 1])), criterion.getTopPrediction(x)
    (2.25, array([0, 0]))

    Reference
    ---------
    Torch7, nn/ClassSimplexCriterion.lua; Mroueh et al., Multiclass learning with simplex coding,
    2012; arXiv:1506.08230.
    """

    def __init__(self, nClasses: int, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.nClasses = checks.size(self, "nClasses", nClasses)
        if self.nClasses < 2:
            raise checks.misbuilt(SettingError, self, "nClasses", "at least 2", str(nClasses))
        self.simplex = _regular_simplex(self.nClasses)

    def getPredictions(self, input: Array) -> Array:
        """Return the product of each sample with each corner: the larger, the nearer."""
        checks.must_be_rows(self, "getPredictions", input, self.nClasses, self.simplex.dtype)
        return input @ self.simplex.T

    def getTopPrediction(self, input: Array) -> Array:
        """Return each sample's nearest corner, counting from 0; of several the first."""
        return self.getPredictions(input).argmax(-1)

    def _prepared(self, method: str, input: Array, target: Any) -> Array:
        checks.must_be_rows(self, method, input, self.nClasses, self.simplex.dtype)
        return self.simplex[_checks.classes(self, method, input, target)]


def _regular_simplex(n: int) -> Array:
    """Return n points of length 1 in n dimensions, any two of the product -1 / (n - 1)."""
    corners = np.zeros((n, n))
    for k in range(n - 1):
        # Row k is made as long as 1, then all rows below get the product with it that they need.
        diagonal = math.sqrt(1 - corners[k, :k] @ corners[k, :k])
        corners[k, k] = diagonal
        corners[k + 1 :, k] = (diagonal**2 - 1 - 1 / (n - 1)) / diagonal
    return corners
