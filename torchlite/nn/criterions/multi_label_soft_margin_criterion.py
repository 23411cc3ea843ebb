"""MultiLabelSoftMarginCriterion."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute, sigmoid, softplus
from torchlite.nn.criterions._weighted import Weighted

__all__ = ["MultiLabelSoftMarginCriterion"]


class MultiLabelSoftMarginCriterion(Weighted):
    """Binary cross-entropy of each label, from scores: BCECriterion after a Sigmoid, in one.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        w = weights if np.ndim(weights) else 1
        p = 1 / (1 + np.exp(-input))
        output = -(w * (target * np.log(p) + (1 - target) * np.log(1 - p))).sum() / n
        gradInput = w * (p - target) / n

    Conventions
    -----------
    target holds 1 where the label applies and 0 where not, or probabilities. Computed as
    `max(x, 0) - x * target + log(1 + exp(-|x|))`, which neither overflows nor rounds to log(0).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MultiLabelSoftMarginCriterion()
    >>> x, y = np.array([0.0, 1e4]), np.array([1.0, 0.0])
    >>> round(criterion.forward(x, y), 6), criterion.backward(x, y)
    (5000.346574, array([-0.25,  0.5 ]))

    Reference
    ---------
    Torch7, nn/MultiLabelSoftMarginCriterion.lua.
    """

    def _loss(self, input: Array, target: Array) -> Array:
        return np.maximum(input, 0) - input * target + softplus(-absolute(input))

    def _derivative(self, input: Array, target: Array) -> Array:
        # sigmoid(input) - target, but right to the last digits where target is 0 or 1.
        return (1 - target) * sigmoid(input) - target * sigmoid(-input)
