"""SpatialAutoCropMSECriterion."""

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions.mse_criterion import MSECriterion

__all__ = ["SpatialAutoCropMSECriterion"]


class SpatialAutoCropMSECriterion(MSECriterion):
    """The mean squared difference to the middle of a target that may be larger than the input.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        H, W = input.shape[-2:]
        top, left = (target.shape[-2] - H) // 2, (target.shape[-1] - W) // 2
        cropped = target[..., top : top + H, left : left + W]
        output = ((input - cropped) ** 2).sum() / n
        gradInput = 2 / n * (input - cropped)

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); target the same, with an H and a W that are at least as large.

    Conventions
    -----------
    Of an odd number of rows or columns too many, the larger half goes at the bottom or right.
    The gradient is that of the cropped target, too; Torch7 refuses to compute it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.SpatialAutoCropMSECriterion()
    >>> x, y = np.zeros((1, 1, 2)), np.arange(12.0).reshape(1, 3, 4)
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (30.5, array([[[-5., -6.]]]))

    Reference
    ---------
    Torch7, nn/SpatialAutoCropMSECriterion.lua.
    """

    def _prepared(self, method: str, input: Array, target: Array) -> Array:
        _checks.must_be_images(self, method, input, target)
        H, W = input.shape[-2:]
        top, left = (target.shape[-2] - H) // 2, (target.shape[-1] - W) // 2
        cropped = target[..., top : top + H, left : left + W]
        return super()._prepared(method, input, cropped)
