"""RepeaterCriterion."""

from typing import Any

from torchlite.nn.recurrent._steps_criterion import StepsCriterion

__all__ = ["RepeaterCriterion"]


class RepeaterCriterion(StepsCriterion):
    """The sum of what a criterion says of each step, given one target for all of them.

    Maths
    -----
    ::

        n = len(input) if sizeAverage else 1
        output = sum(criterion.forward(x, target) for x in input) / n
        gradients = [scale_arrays(criterion.backward(x, target), 1 / n) for x in input]
        gradInput = gradients if isinstance(input, (list, tuple)) else np.stack(gradients)

    Shapes
    ------
    input: a table of what the criterion takes, one entry a step, or an array with the steps first;
    target: what the criterion takes; gradInput as input.

    Parameters
    ----------
    criterion
        A Criterion that remembers nothing.
    sizeAverage
        Whether to divide by the number of steps. It may be set later, too.

    Attributes
    ----------
    zeroMask
        What `setZeroMask(mask)` has set, (T, N): each step tells the criterion inside its row.
        False: none.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input is no sequence; the mask has another length; criterion is no Criterion.
    SettingError
        There is a ModuleCriterion in criterion.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.RepeaterCriterion(nn.MSECriterion(), True)
    >>> x, y = [np.array([1.0, 2.0]), np.array([3.0, 4.0])], np.array([3.0, 2.0])
    >>> criterion.forward(x, y)
    2.0
    >>> criterion.backward(x, y)
    [array([-1.,  0.]), array([0., 1.])]

    Reference
    ---------
    torch/rnn and Element-Research/rnn, RepeaterCriterion.lua. With sizeAverage Torch7's backward
    fails.
    """

    def _targets(self, method: str, target: Any, count: int) -> list[Any]:
        return [target] * count
