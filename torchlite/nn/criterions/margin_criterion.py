"""MarginCriterion."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import constant
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["MarginCriterion"]


class MarginCriterion(Elementwise):
    """The hinge loss: what is missing until the input is beyond the margin, on the target's side.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        slack = margin - input * target
        output = np.maximum(slack, 0).sum() / n
        gradInput = np.where(slack > 0, -target, 0) / n

    Parameters
    ----------
    margin
        A number.
    sizeAverage
        Whether to divide by the number of entries.

    Conventions
    -----------
    target holds 1 and -1 (other numbers multiply the input all the same). On the margin the
    derivative is 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MarginCriterion()
    >>> x, y = np.array([0.5, -3.0]), np.array([1.0, 1.0])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (2.25, array([-0.5, -0.5]))

    Reference
    ---------
    Torch7, nn/MarginCriterion.lua.
    """

    def __init__(self, margin: float = 1, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.margin = constant(self, "margin", margin)

    def _losses(self, input: Array, target: Array) -> Array:
        return np.maximum(self.margin - input * target, 0)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        missed = (input * target).real < self.margin
        return missed * (-factor * target)
