"""SequencerCriterion."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.recurrent._steps_criterion import StepsCriterion, of_steps

__all__ = ["SequencerCriterion"]


class SequencerCriterion(StepsCriterion):
    """The sum of what a criterion says of each step, given the step's target.

    Maths
    -----
    ::

        n = len(input) if sizeAverage else 1
        output = sum(criterion.forward(x, y) for x, y in zip(input, target)) / n
        gradients = [scale_arrays(criterion.backward(x, y), 1 / n) for x, y in zip(input, target)]
        gradInput = gradients if isinstance(input, (list, tuple)) else np.stack(gradients)

    Shapes
    ------
    input: a table of what the criterion takes, one entry a step, or an array with the steps first;
    target: the same, of as many steps; gradInput as input.

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
        input or target is no sequence, or the two are not equally long; the mask has another
        length; criterion is no Criterion.
    SettingError
        There is a ModuleCriterion in criterion.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.SequencerCriterion(nn.MSECriterion())
    >>> x = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    >>> y = [np.array([3.0, 2.0]), np.array([3.0, 4.0]), np.array([6.0, 5.0])]
    >>> criterion.forward(x, y)
    3.0
    >>> criterion.backward(x, y)
    [array([-2.,  0.]), array([0., 0.]), array([-1.,  1.])]

    Reference
    ---------
    torch/rnn and Element-Research/rnn, SequencerCriterion.lua.
    """

    def _targets(self, method: str, target: Any, count: int) -> list[Any]:
        targets = self._steps(method, "target", target)
        if len(targets) != count:
            expected = f"{of_steps(count)} like input"
            raise checks.misshapen(self, method, "target", expected, target)
        return targets
