"""MultiMarginCriterion."""

from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn.checks import constant, misbuilt
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._class_margin import ClassMargin

__all__ = ["MultiMarginCriterion"]


class MultiMarginCriterion(ClassMargin):
    """The hinge loss of several classes: by how much others are not a margin below the right one.

    Maths
    -----
    For a batch::

        rows = np.arange(len(target))
        w = weights if np.ndim(weights) else np.ones(input.shape[1])
        n = input.size if sizeAverage else input.shape[1]
        slack = np.maximum(margin - input[rows, target][:, None] + input, 0)
        slack[rows, target] = 0
        output = (w[target][:, None] * slack**p).sum() / n
        gradInput = w[target][:, None] * np.where(slack > 0, p * slack ** (p - 1), 0) / n
        gradInput[rows, target] = -gradInput.sum(1)

    Shapes
    ------
    input (C,) or (N, C); target for one sample an integer, or an array () or (1,) of one, for a
    batch integers (N,); output: a number; gradInput as input.

    Parameters
    ----------
    p
        1, or 2 for the squared hinge.
    weights
        One for each class, an array (C,), or None: the weight of the target counts.
    margin
        A number.
    sizeAverage
        Whether to divide by the number of samples; by the number of classes it always divides.
        It may be set later, too.

    Conventions
    -----------
    Classes count from 0. On the margin the derivative is 0. Remembers nothing.

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
    >>> criterion = nn.MultiMarginCriterion()
    >>> x, y = np.array([[3.0, 2.5], [0.0, 4.0]]), np.array([0, 1])
    >>> criterion.forward(x, y)
    0.125
    >>> criterion.backward(x, y)
    array([[-0.25,  0.25],
           [ 0.  , -0.  ]])

    Reference
    ---------
    Torch7, nn/MultiMarginCriterion.lua.
    """

    def __init__(
        self, p: int = 1, weights: Any = None, margin: float = 1, sizeAverage: bool = True
    ) -> None:
        super().__init__(sizeAverage)
        if p not in (1, 2):
            raise misbuilt(SettingError, self, "p", "1 or 2", repr(p))
        self.p = p
        self.weights = _checks.held(self, "weights", weights)
        self.margin = constant(self, "margin", margin)

    def _prepared(self, method: str, input: Array, target: Any) -> Array:
        target = _checks.classes(self, method, input, target, self.weights)
        return target[..., None]

    def _losses(self, input: Array, target: Array) -> Array:
        slack = self._slack(input, target)
        return self._weighed(slack if self.p == 1 else slack * slack, target)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        slack = self._slack(input, target)
        gradInput = (slack.real > 0).astype(slack.dtype) if self.p == 1 else 2 * slack
        gradInput = self._weighed(factor * gradInput, target)
        np.put_along_axis(gradInput, target, -sum_along(gradInput, -1, keepdims=True), -1)
        return gradInput

    def _slack(self, input: Array, target: Array) -> Array:
        right = np.take_along_axis(input, target, -1)
        slack = np.maximum(self.margin - right + input, 0)
        np.put_along_axis(slack, target, 0, -1)
        return slack

    def _weighed(self, array: Array, target: Array) -> Array:
        return array if self.weights is None else self.weights[target] * array
