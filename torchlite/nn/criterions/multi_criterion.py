"""MultiCriterion."""

from typing import Any

from torchlite.nn.criterions._weighted_sum import WeightedSum
from torchlite.nn.entries import total_gradient

__all__ = ["MultiCriterion"]


class MultiCriterion(WeightedSum):
    """A weighted sum of criterions of one input and one target.

    Maths
    -----
    ::

        output = sum(w * c.forward(input, target) for c, w in zip(criterions, weights))
        weighted = [
            scale_arrays(c.backward(input, target), w) for c, w in zip(criterions, weights)
        ]
        gradInput = sum(weighted)

    Shapes
    ------
    input and target: what every criterion takes; gradInput as input.

    Attributes
    ----------
    criterions, weights
        Lists of what was added with `add(criterion, weight=1)`.

    Raises
    ------
    DTypeError
        What is added is no Criterion, or its weight no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MultiCriterion().add(nn.MSECriterion(), 0.5).add(nn.AbsCriterion())
    >>> x, y = np.array([1.0, 2.0]), np.array([3.0, 2.0])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (2.0, array([-1.5,  0.5]))

    Reference
    ---------
    Torch7, nn/MultiCriterion.lua.
    """

    def updateGradInput(self, input: Any, target: Any) -> Any:
        gradients = self._each("updateGradInput", input, target)
        self.gradInput = total_gradient(gradients, input)
        return self.gradInput

    def _dealt(self, method: str, input: Any, target: Any) -> list[tuple[Any, Any]]:
        return [(input, target)] * len(self.criterions)
