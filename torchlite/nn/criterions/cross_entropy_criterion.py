"""CrossEntropyCriterion."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn.criterion import Criterion
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions.class_nll_criterion import ClassNLLCriterion
from torchlite.nn.transfer.log_soft_max import LogSoftMax

__all__ = ["CrossEntropyCriterion"]


class CrossEntropyCriterion(Criterion):
    """The negative log-likelihood of the right classes, given scores: ClassNLL of LogSoftMax.

    Maths
    -----
    For a batch::

        rows = np.arange(len(target))
        w = np.ones(len(rows)) if nll.weights is None else nll.weights[target]
        n = (w.sum() or 1) if nll.sizeAverage else 1
        p = np.exp(input) / np.exp(input).sum(1, keepdims=True)
        output = -(w * np.log(p[rows, target])).sum() / n
        gradInput = p * w[:, None] / n
        gradInput[rows, target] -= w / n

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

    Attributes
    ----------
    lsm, nll
        The LogSoftMax and the ClassNLLCriterion it is made of; `nll` holds the settings.

    Conventions
    -----------
    Classes count from 0. Dimensions of size 1 stay what they are, where Torch7 squeezes them away:
    (1, C) is a batch of one. Remembers nothing.

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
    >>> criterion = nn.CrossEntropyCriterion()
    >>> x, y = np.log([[1.0, 3.0], [1.0, 1.0]]), np.array([0, 1])
    >>> print(round(criterion.forward(x, y) / np.log(2), 6))
    1.5
    >>> criterion.backward(x, y)
    array([[-0.375,  0.375],
           [ 0.25 , -0.25 ]])

    Reference
    ---------
    Torch7, nn/CrossEntropyCriterion.lua.
    """

    def __init__(self, weights: Any = None, sizeAverage: bool = True) -> None:
        self.lsm = LogSoftMax()
        self.nll = ClassNLLCriterion(weights, sizeAverage)

    @property
    def sizeAverage(self) -> bool:
        """Whether to divide by the sum of the targets' weights."""
        return self.nll.sizeAverage

    @sizeAverage.setter
    def sizeAverage(self, value: bool) -> None:
        self.nll.sizeAverage = value

    def updateOutput(self, input: Array, target: Any) -> float:
        self._must_fit("updateOutput", input, target)
        self.output = self.nll.updateOutput(self.lsm.updateOutput(input), target)
        return self.output

    def updateGradInput(self, input: Array, target: Any) -> Array:
        self._must_fit("updateGradInput", input, target)
        # nll is linear in its input: its gradient is the same at the scores as at their LogSoftMax.
        gradLog = self.nll.updateGradInput(input, target)
        self.gradInput = self.lsm.updateGradInput(input, gradLog)
        return self.gradInput

    def _must_fit(self, method: str, input: Array, target: Any) -> None:
        _checks.classes(self, method, input, target, self.nll.weights, self.nll.ignoreIndex)
