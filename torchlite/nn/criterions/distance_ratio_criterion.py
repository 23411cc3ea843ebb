"""DistanceRatioCriterion."""

from collections.abc import Sequence
from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import sigmoid, softplus
from torchlite.nn.criterions._pairwise import Pairwise

__all__ = ["DistanceRatioCriterion"]


class DistanceRatioCriterion(Pairwise):
    """For distances to something alike and to something else: how likely the first seems nearer.

    Maths
    -----
    ::

        n = (len(input[0]) or 1) if sizeAverage else 1
        X, Y = input
        output = -np.log(np.exp(-X) / (np.exp(-X) + np.exp(-Y))).sum() / n
        gradX = 1 / (1 + np.exp(Y - X)) / n
        gradInput = [gradX, -gradX]

    Shapes
    ------
    input: a list of two arrays of one shape, of at least one dimension; target: not looked at;
    output: a number; gradInput: a list of two such arrays.

    Parameters
    ----------
    sizeAverage
        Whether to divide by the length of the first dimension. It may be set later, too.

    Conventions
    -----------
    Computed as log(1 + exp(X - Y)), finite for all finite distances, while Torch7's exponentials
    vanish beyond 750. Remembers nothing.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.DistanceRatioCriterion()
    >>> x = [np.array([2000.0, 1.0]), np.array([1000.0, 1.0])]
    >>> round(criterion.forward(x, None), 6), criterion.backward(x, None)
    (500.346574, [array([0.5 , 0.25]), array([-0.5 , -0.25])])

    Reference
    ---------
    Torch7, nn/DistanceRatioCriterion.lua; Hoffer and Ailon, Deep metric learning using triplet
    network, arXiv:1412.6622.
    """

    def _losses(self, input: Sequence[Array], target: Any) -> Array:
        return softplus(input[0] - input[1])

    def _gradient(self, input: Sequence[Array], target: Any, factor: float) -> list[Array]:
        gradient = factor * sigmoid(input[0] - input[1])
        return [gradient, -gradient]
