"""VRClassReward."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dpnn._class_reward import ClassReward

__all__ = ["VRClassReward"]


class VRClassReward(ClassReward):
    """Rewards the layers that draw where the class with the largest score is the target.

    Maths
    -----
    ::

        scores, baseline = input
        n = (len(scores) or 1) if sizeAverage else 1
        reward = scale * np.where(scores.argmax(1) == target, 1.0, 0.0)
        output = -reward.sum() / n
        vrReward = (reward - baseline.reshape(-1)) / n
        gradBaseline = criterion.updateGradInput(baseline, reward.reshape(baseline.shape))
        gradInput = [np.zeros_like(scores), gradBaseline]

    and a backward calls module.reinforce(vrReward).

    Shapes
    ------
    input: a list of scores (N, C) and the baseline, (N,) or (N, 1); target (N,), classes counted
    from 0; output: a number; gradInput: as input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.ReinforceBernoulli()
    >>> criterion = nn.VRClassReward(net)
    >>> x = [np.array([[1.0, 3.0], [1.0, 0.0]]), np.array([0.5, 0.5])]
    >>> criterion.forward(x, np.array([1, 1]))
    -0.5
    >>> criterion.backward(x, np.array([1, 1]))[1]
    array([-0.5,  0.5])
    >>> net.reward
    array([ 0.25, -0.25])

    Reference
    ---------
    torch/rnn, VRClassReward.lua. Mnih and others, Recurrent models of visual attention, 2014.
    """

    def _hits(self, method: str, scores: Array, target: Any) -> Array:
        if scores.ndim != 2 or not scores.shape[1]:
            raise checks.misshapen(self, method, "input[0]", "(N, C)", scores)
        target = checks.integers(self, method, "target", target, scores.shape[1], "classes")
        if target.shape != scores.shape[:1]:
            raise checks.misshapen(self, method, "target", f"({len(scores)},)", target)
        return scores.real.argmax(axis=1) == target
