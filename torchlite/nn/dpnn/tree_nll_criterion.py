"""TreeNLLCriterion."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_all
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion

__all__ = ["TreeNLLCriterion"]


class TreeNLLCriterion(Criterion):
    """Minus the mean of what `SoftMaxTree` gives: the logarithms of the targets' probabilities.

    Maths
    -----
    ::

        n = input.size or 1
        output = -input.sum() / n
        gradInput = np.full_like(input, -1 / n)

    Shapes
    ------
    input (N,); target: not looked at, for SoftMaxTree has had it; output: a number.

    Raises
    ------
    ShapeError, DTypeError
        input does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.TreeNLLCriterion().forward(np.array([-1.0, -2.0]))
    1.5

    Reference
    ---------
    nnx, TreeNLLCriterion.lua.
    """

    def updateOutput(self, input: Array, target: Any = None) -> float:
        self._must_fit("updateOutput", input)
        self.output = -sum_all(input).item() / (input.size or 1)
        return self.output

    def updateGradInput(self, input: Array, target: Any = None) -> Array:
        self._must_fit("updateGradInput", input)
        self.gradInput = np.full_like(input, -1 / (input.size or 1))
        return self.gradInput

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_floating(self, method, "input", input)
        if input.ndim != 1:
            raise checks.misshapen(self, method, "input", "(N,)", input)
