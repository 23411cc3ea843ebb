"""BinaryClassReward."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dpnn._class_reward import ClassReward

__all__ = ["BinaryClassReward"]


class BinaryClassReward(ClassReward):
    """Rewards the layers that draw where a score is on the side of 0.5 that its target is.

    Maths
    -----
    ::

        scores, baseline = input
        n = (len(scores) or 1) if sizeAverage else 1
        reward = scale * np.where((scores > 0.5) == target, 1.0, 0.0)
        output = -reward.sum() / n
        vrReward = (reward - baseline.reshape(-1)) / n
        gradBaseline = criterion.updateGradInput(baseline, reward.reshape(baseline.shape))
        gradInput = [np.zeros_like(scores), gradBaseline]

    and a backward calls module.reinforce(vrReward).

    Shapes
    ------
    input: a list of scores (N,) and the baseline, (N,) or (N, 1); target (N,), of 0 and 1, of any
    dtype; output: a number; gradInput: as input.

    Raises
    ------
    SettingError
        target has an entry that is not 0 or 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.ReinforceBernoulli()
    >>> criterion = nn.BinaryClassReward(net)
    >>> x = [np.array([0.75, 0.25]), np.array([0.5, 0.5])]
    >>> criterion.forward(x, np.array([1, 1]))
    -0.5
    >>> criterion.backward(x, np.array([1, 1]))[1]
    array([-0.5,  0.5])
    >>> net.reward
    array([ 0.25, -0.25])

    Reference
    ---------
    torch/rnn, BinaryClassReward.lua.
    """

    def _hits(self, method: str, scores: Array, target: Any) -> Array:
        if scores.ndim != 1:
            raise checks.misshapen(self, method, "input[0]", "(N,)", scores)
        checks.must_be_movable(self, method, "target", target)
        if target.shape != scores.shape:
            raise checks.misshapen(self, method, "target", f"({len(scores)},)", target)
        wrong = (target != 0) & (target != 1)
        if wrong.any():
            got = checks.first_wrong(wrong, "target", target)
            raise checks.out_of_range(self, method, "target", "0 or 1", got)
        return (scores.real > 0.5) == (target == 1)
