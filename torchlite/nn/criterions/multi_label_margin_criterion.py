"""MultiLabelMarginCriterion."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_along
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._class_margin import ClassMargin

__all__ = ["MultiLabelMarginCriterion"]


class MultiLabelMarginCriterion(ClassMargin):
    """The hinge loss of several labels a sample: other classes must be 1 below each of them.

    Maths
    -----
    For a batch, with axes sample, label, class::

        n = input.size if sizeAverage else input.shape[1]
        listed = np.cumsum(target == -1, 1) == 0
        label = np.where(listed, target, 0)
        hot = listed[:, :, None] & (label[:, :, None] == np.arange(input.shape[1]))
        others = listed[:, :, None] & ~hot.any(1, keepdims=True)
        slack = 1 - np.take_along_axis(input, label, 1)[:, :, None] + input[:, None, :]
        output = np.where(others, np.maximum(slack, 0), 0).sum() / n
        missed = others & (slack > 0)
        gradInput = (missed.sum(1) - (hot * missed.sum(2, keepdims=True)).sum(1)) / n

    Shapes
    ------
    input (C,) or (N, C); target: integers of the same shape; output: a number; gradInput as input.

    Parameters
    ----------
    sizeAverage
        Whether to divide by the number of samples; by the number of classes it always divides.
        It may be set later, too.

    Conventions
    -----------
    Each row of target lists the sample's classes, counting from 0; a -1 ends the list, whatever
    follows. A class that is listed twice counts twice. On the margin the derivative is 0.
    Remembers nothing.

    Raises
    ------
    IndexError
        target lists what is no class.
    ShapeError, DTypeError
        target has another shape than input, or no integers.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MultiLabelMarginCriterion()
    >>> x, y = np.array([1.0, 3.0, 2.5, 0.0]), np.array([1, 2, -1, -1])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (0.0, array([0., 0., 0., 0.]))
    >>> criterion.forward(x, np.array([0, -1, -1, -1]))
    1.375

    Reference
    ---------
    Torch7, nn/MultiLabelMarginCriterion.lua.
    """

    def _prepared(self, method: str, input: Array, target: Any) -> tuple[Array, Array]:
        """Return the rows' labels, and where they stand: axes sample, label, class."""
        listed = _checks.labels(self, method, input, target)
        longest = listed.sum(-1).max().item() if listed.size else 0
        label = np.where(listed, target, 0)[..., :longest]
        classes = like(np.arange(input.shape[-1]), input)
        return label, listed[..., :longest, None] & (label[..., None] == classes)

    def _losses(self, input: Array, target: tuple[Array, Array]) -> Array:
        return self._slack(input, *target)

    def _gradient(self, input: Array, target: tuple[Array, Array], factor: float) -> Array:
        missed = (self._slack(input, *target).real > 0) * input.dtype.type(factor)
        at_labels = target[1] * sum_along(missed, -1, keepdims=True)
        return sum_along(missed, -2) - sum_along(at_labels, -2)

    def _slack(self, input: Array, label: Array, hot: Array) -> Array:
        others = hot.any(-1, keepdims=True) & ~hot.any(-2, keepdims=True)
        right = np.take_along_axis(input, label, -1)
        slack = 1 - right[..., None] + input[..., None, :]
        return np.where(others, np.maximum(slack, 0), 0)
