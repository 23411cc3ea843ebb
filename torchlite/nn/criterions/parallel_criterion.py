"""ParallelCriterion."""

from typing import Any

from torchlite.nn.criterions._weighted_sum import WeightedSum
from torchlite.nn.table_checks import must_be_table

__all__ = ["ParallelCriterion"]


class ParallelCriterion(WeightedSum):
    """A weighted sum of criterions, the i-th of the i-th input and the i-th target.

    Maths
    -----
    ::

        targets = [target] * len(input) if repeatTarget else target
        parts = list(zip(criterions, weights, input, targets))
        output = sum(w * c.forward(x, y) for c, w, x, y in parts)
        gradInput = [w * c.backward(x, y) for c, w, x, y in parts]

    Shapes
    ------
    input and target: lists of as many entries as there are criterions; gradInput as input.

    Parameters
    ----------
    repeatTarget
        True to give the whole target to every criterion.

    Attributes
    ----------
    criterions, weights
        Lists of what was added with `add(criterion, weight=1)`.

    Raises
    ------
    ShapeError
        input or target is not such a list.
    DTypeError
        What is added is no Criterion, or its weight no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.ParallelCriterion()
    >>> criterion = criterion.add(nn.MSECriterion(), 0.5).add(nn.ClassNLLCriterion())
    >>> x = [np.array([1.0, 2.0]), np.array([-1.0, -2.0, -3.0])]
    >>> y = [np.array([3.0, 2.0]), 1]
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (3.0, [array([-1.,  0.]), array([ 0., -1.,  0.])])

    Reference
    ---------
    Torch7, nn/ParallelCriterion.lua.
    """

    def __init__(self, repeatTarget: bool = False) -> None:
        super().__init__()
        self.repeatTarget = repeatTarget

    def updateGradInput(self, input: Any, target: Any) -> Any:
        self.gradInput = self._each("updateGradInput", input, target)
        return self.gradInput

    def _dealt(self, method: str, input: Any, target: Any) -> list[tuple[Any, Any]]:
        count = len(self.criterions)
        must_be_table(self, method, "input", input, count)
        if self.repeatTarget:
            return [(entry, target) for entry in input]
        must_be_table(self, method, "target", target, count)
        return list(zip(input, target, strict=True))
