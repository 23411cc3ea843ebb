"""BinaryLogisticRegression."""

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterions.soft_margin_criterion import SoftMarginCriterion

__all__ = ["BinaryLogisticRegression"]


class BinaryLogisticRegression(SoftMarginCriterion):
    """The logistic loss of one score a sample: `SoftMarginCriterion` by another name.

    Maths
    -----
    With targets of 1 and -1::

        n = (input.size or 1) if sizeAverage else 1
        output = np.log(1 + np.exp(-target * input)).sum() / n
        gradInput = -target / (1 + np.exp(target * input)) / n

    Shapes
    ------
    input, target and gradInput (N,) or (N, 1); output: a number.

    Parameters
    ----------
    sizeAverage
        Whether to divide by the number of samples. It may be set later, too.

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
    >>> criterion = nn.BinaryLogisticRegression(False)
    >>> x, y = np.array([0.0, -1e4]), np.array([1.0, 1.0])
    >>> round(criterion.forward(x, y), 6), criterion.backward(x, y)
    (10000.693147, array([-0.5, -1. ]))

    Reference
    ---------
    dpnn, BinaryLogisticRegression.lua.
    """

    def _prepared(self, method: str, input: Array, target: Array) -> Array:
        checks.must_be_floating(self, method, "input", input)
        if input.ndim != 1 and (input.ndim, *input.shape[1:]) != (2, 1):
            raise checks.misshapen(self, method, "input", "(N,) or (N, 1)", input)
        prepared: Array = super()._prepared(method, input, target)
        return prepared
