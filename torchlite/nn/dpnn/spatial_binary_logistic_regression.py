"""SpatialBinaryLogisticRegression."""

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterions.soft_margin_criterion import SoftMarginCriterion

__all__ = ["SpatialBinaryLogisticRegression"]


class SpatialBinaryLogisticRegression(SoftMarginCriterion):
    """Half the logistic loss of one score a pixel.

    Maths
    -----
    With targets of 1 and -1::

        height, width = input.shape[-2:]
        images = input.size // (height * width or 1)
        n = 2 * height * width * (images if sizeAverage else 1) or 2
        output = np.log(1 + np.exp(-target * input)).sum() / n
        gradInput = -target / (1 + np.exp(target * input)) / n

    Shapes
    ------
    input, target and gradInput (1, H, W) or (N, 1, H, W); output: a number.

    Attributes
    ----------
    sizeAverage
        True: also divide by the number of images. It may be set.

    Conventions
    -----------
    target holds 1 and -1. Finite wherever -target * input is, while Torch7's exponential overflows.

    Raises
    ------
    ShapeError, DTypeError
        input or target does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.SpatialBinaryLogisticRegression()
    >>> x, y = np.array([[[0.0, -2e4]]]), np.array([[[1.0, 1.0]]])
    >>> round(criterion.forward(x, y), 6), criterion.backward(x, y)
    (5000.173287, array([[[-0.125, -0.25 ]]]))

    Reference
    ---------
    dpnn, SpatialBinaryLogisticRegression.lua.
    """

    def __init__(self) -> None:
        super().__init__()

    def _prepared(self, method: str, input: Array, target: Array) -> Array:
        checks.must_be_floating(self, method, "input", input)
        if input.ndim not in (3, 4) or input.shape[-3] != 1:
            expected = "(1, H, W) or (N, 1, H, W)"
            raise checks.misshapen(self, method, "input", expected, input)
        prepared: Array = super()._prepared(method, input, target)
        return prepared

    def _divisor(self, input: Array) -> int:
        height, width = input.shape[-2:]
        images = len(input) if self.sizeAverage and input.ndim == 4 else 1
        return 2 * height * width * images or 2
