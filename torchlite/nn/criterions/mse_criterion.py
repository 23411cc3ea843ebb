"""MSECriterion."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.criterion import Criterion

__all__ = ["MSECriterion"]


class MSECriterion(Criterion):
    """The mean, or the sum, of the squared differences.

    Maths
    -----
    ::

        n = input.size if sizeAverage else 1
        output = ((input - target) ** 2).sum() / n
        gradInput = 2 / n * (input - target)

    Shapes
    ------
    input, target and gradInput: any, the same; output: a number.

    Parameters
    ----------
    sizeAverage
        Whether to divide by the number of entries (all of them, not only the samples). It may be
        set later, too.

    Conventions
    -----------
    Remembers nothing. The loss of an empty batch is 0.

    Raises
    ------
    ShapeError, DTypeError
        target has another shape or dtype than input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
    >>> nn.MSECriterion().forward(x, y), nn.MSECriterion(False).forward(x, y)
    (6.5, 13.0)

    Reference
    ---------
    Torch7, nn/MSECriterion.lua.
    """

    def __init__(self, sizeAverage: bool = True) -> None:
        self.sizeAverage = sizeAverage

    def updateOutput(self, input: Any, target: Any) -> Any:
        checks.pair(self, "updateOutput", input, target)
        difference = (input - target).reshape(-1)
        self.output = (difference @ difference).item() / self._divisor(input)
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        checks.pair(self, "updateGradInput", input, target)
        gradInput = input - target
        gradInput *= 2 / self._divisor(input)
        self.gradInput = gradInput
        return gradInput

    def _divisor(self, input: Any) -> int:
        return (input.size or 1) if self.sizeAverage else 1
