"""ClassNLLCriterion."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import item, sum_all
from torchlite.nn.checks import whole
from torchlite.nn.criterion import Criterion
from torchlite.nn.criterions import _checks

__all__ = ["ClassNLLCriterion"]


class ClassNLLCriterion(Criterion):
    """The negative log-likelihood of the right classes, given the log-probability of each class.

    Maths
    -----
    For a batch::

        kept = target != ignoreIndex
        t = target[kept]
        w = weights[t] if np.ndim(weights) else np.ones(len(t))
        total_weight = w.sum()
        n = (total_weight or 1) if sizeAverage else 1
        output = -(w * input[kept, t]).sum() / n
        gradInput = np.zeros(input.shape)
        gradInput[kept, t] = -w / n

    Shapes
    ------
    input (C,) or (N, C); target for one sample an integer, or an array () or (1,) of one, for a
    batch integers (N,); output: a number; gradInput as input.

    Parameters
    ----------
    weights
        One for each class, an array (C,), or None.
    sizeAverage
        Whether to divide by the sum of the targets' weights (without weights, by their number).
        It may be set later, too.
    ignoreIndex
        Targets of this number count nothing; it need not be a class.

    Attributes
    ----------
    total_weight
        The sum of the targets' weights in the latest forward.

    Conventions
    -----------
    Classes count from 0. Where all targets are ignored, or have a weight of 0, loss and gradient
    are 0. Remembers nothing.

    Raises
    ------
    IndexError
        target has an entry that is no class.
    ShapeError, DTypeError
        target, or the weights, do not fit the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.ClassNLLCriterion()
    >>> x = np.array([[-1.0, -2.0, -3.0], [-4.0, -5.0, -6.0]])
    >>> y = np.array([2, 0])
    >>> criterion.forward(x, y)
    3.5
    >>> criterion.backward(x, y)
    array([[ 0. ,  0. , -0.5],
           [-0.5,  0. ,  0. ]])
    >>> criterion.forward(x[1], 1)
    5.0

    Reference
    ---------
    Torch7, nn/ClassNLLCriterion.lua.
    """

    transient = (*Criterion.transient, "total_weight")
    total_weight: Any = 0.0

    # Of one sample; the first of them is the classes.
    _dims = 1

    def __init__(
        self, weights: Any = None, sizeAverage: bool = True, ignoreIndex: int = -100
    ) -> None:
        self.weights = _checks.held(self, "weights", weights)
        self.sizeAverage = sizeAverage
        self.ignoreIndex = whole(self, "ignoreIndex", ignoreIndex)

    def updateOutput(self, input: Array, target: Any) -> float:
        places, weight, total_weight = self._chosen("updateOutput", input, target)
        self.total_weight = total_weight
        chosen = self._batch(input)[places]
        self.output = item(sum_all(-weight * chosen)) / self._divisor(total_weight)
        return self.output

    def updateGradInput(self, input: Array, target: Any) -> Array:
        places, weight, total_weight = self._chosen("updateGradInput", input, target)
        gradInput = np.zeros_like(input)
        self._batch(gradInput)[places] = -weight / self._divisor(total_weight)
        self.gradInput = gradInput
        return gradInput

    def _chosen(self, method: str, input: Array, target: Any) -> tuple[Any, Any, Any]:
        """Return where in a batch the right classes stand, their weights and the weights' sum."""
        target = _checks.classes(
            self, method, input, target, self.weights, self.ignoreIndex, self._dims
        )
        if input.ndim == self._dims:
            target = target[None]
        sample, *pixel = np.nonzero(target != self.ignoreIndex)
        chosen = target[(sample, *pixel)]
        places = (sample, chosen, *pixel)
        if self.weights is None:
            return places, 1, float(chosen.size)
        weight = self.weights[chosen]
        return places, weight, item(sum_all(weight))

    def _batch(self, array: Array) -> Array:
        return array[None] if array.ndim == self._dims else array

    def _divisor(self, total_weight: Any) -> Any:
        return (total_weight or 1) if self.sizeAverage else 1
