"""AbsCriterion."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["AbsCriterion"]


class AbsCriterion(Elementwise):
    """The mean, or the sum, of the absolute differences.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        output = np.abs(input - target).sum() / n
        gradInput = np.where(input < target, -1, 1) / n

    Conventions
    -----------
    Where input equals target, the derivative is that from above: 1 / n.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.AbsCriterion()
    >>> x, y = np.array([1.0, 2.0]), np.array([3.0, 1.0])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (1.5, array([-0.5,  0.5]))

    Reference
    ---------
    Torch7, nn/AbsCriterion.lua.
    """

    def _losses(self, input: Array, target: Array) -> Array:
        return absolute(input - target)

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        difference = input - target
        difference += 0.0  # so that -0.0 counts as 0
        return np.copysign(factor, difference.real).astype(input.dtype, copy=False)
