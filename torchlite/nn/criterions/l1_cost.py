"""L1Cost."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
from torchlite.nn import checks
from torchlite.nn.criterions._elementwise import Elementwise

__all__ = ["L1Cost"]


class L1Cost(Elementwise):
    """The sum of the absolute values: a price for being different from zero. It has no target.

    Maths
    -----
    ::

        n = (input.size or 1) if sizeAverage else 1
        output = np.abs(input).sum() / n
        gradInput = np.sign(input) / n

    Shapes
    ------
    input and gradInput: any, of at least one dimension; target: not looked at.

    Parameters
    ----------
    sizeAverage
        Whether to divide by the number of entries; not by default.

    Conventions
    -----------
    The derivative at 0 is 0.

    Raises
    ------
    DTypeError
        input has none of the four floating dtypes.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.L1Cost()
    >>> x = np.array([3.0, 0.0, -4.0])
    >>> criterion.forward(x, None), criterion.backward(x, None)
    (7.0, array([ 1.,  0., -1.]))

    Reference
    ---------
    Torch7, nn/L1Cost.lua.
    """

    def __init__(self, sizeAverage: bool = False) -> None:
        super().__init__(sizeAverage)

    def _prepared(self, method: str, input: Array, target: Any) -> None:
        checks.must_be_floating(self, method, "input", input)
        return

    def _losses(self, input: Array, target: None) -> Array:
        return absolute(input)

    def _gradient(self, input: Array, target: None, factor: float) -> Array:
        return (factor * np.sign(input.real)).astype(input.dtype, copy=False)
