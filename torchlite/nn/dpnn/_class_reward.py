"""What criterions have in common that reward layers for right answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.errors import DTypeError
from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_all
from torchlite.nn import checks, table_checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.criterions.mse_criterion import MSECriterion
from torchlite.nn.module import Module


class ClassReward(Criterion):
    """Rewards each sample whose class is found, less what was to be expected.

    Its forward gives the loss, minus the rewards. Its backward tells the reward to the layers that
    have drawn, by `module.reinforce`, and teaches the baseline to foresee it.

    Parameters
    ----------
    module
        The network whose layers are told. This criterion only refers to it.
    scale
        The reward of a right answer.
    criterion
        What teaches the baseline; None: an MSECriterion.

    Attributes
    ----------
    reward, vrReward
        After a backward: the reward of each sample, and what the layers were told.
    sizeAverage
        Whether to divide by the number of samples. It may be set.

    Conventions
    -----------
    A class has no derivative: the gradient of the scores is zeros. The module's backward comes
    after this backward. Remembers nothing. A copy of the criterion alone refers to a copy of the
    module: set its `module`.

    Raises
    ------
    ShapeError, DTypeError
        input or target does not fit; module is no Module, or criterion no Criterion.
    """

    refers = ("module",)
    transient = (*Criterion.transient, "reward", "vrReward")
    module: Any = None
    reward: Any = None
    vrReward: Any = None

    def __init__(
        self, module: Module, scale: float = 1, criterion: Criterion | None = None
    ) -> None:
        self.module = self._instance("module", module, Module)
        self.criterion: Any = MSECriterion()
        if criterion is not None:
            self.criterion = self._instance("criterion", criterion, Criterion)
        self.scale = checks.constant(self, "scale", scale)
        self.sizeAverage = True

    def _instance(self, argument: str, value: Any, kind: type) -> Any:
        if isinstance(value, kind):
            return value
        got = type(value).__name__
        raise checks.misbuilt(DTypeError, self, argument, f"a {kind.__name__}", got)

    @property
    def exempt(self) -> dict[str, str]:
        """What it breaks by definition, and what settings break."""
        broken = {
            "gradInput": "it is that of the baseline alone",
            "nan": "the loss does not depend on the baseline",
        }
        return broken | ({} if self.scale == 1 else {"maths": "it is said for a scale of 1"})

    def updateOutput(self, input: Sequence[Array], target: Any) -> float:
        reward, _ = self._rewards("updateOutput", input, target)
        self.output = -sum_all(reward).item() / self._divisor(reward)
        return self.output

    def updateGradInput(self, input: Sequence[Array], target: Any) -> list[Any]:
        reward, baseline = self._rewards("updateGradInput", input, target)
        gradBaseline = self.criterion.updateGradInput(baseline, reward.reshape(baseline.shape))
        vrReward = (reward - baseline.reshape(reward.shape)) / self._divisor(reward)
        self.module.reinforce(vrReward)
        self.reward, self.vrReward = reward, vrReward
        self.gradInput = [np.zeros_like(input[0]), gradBaseline]
        return self.gradInput

    def _rewards(self, method: str, input: Any, target: Any) -> tuple[Array, Array]:
        """Return the reward of each sample, and the baseline."""
        table_checks.must_be_arrays(self, method, "input", input, 2)
        scores, baseline = input
        hits = self._hits(method, scores, target)
        if baseline.shape not in (hits.shape, (*hits.shape, 1)):
            expected = f"({len(hits)},) or ({len(hits)}, 1)"
            raise checks.misshapen(self, method, "input[1]", expected, baseline)
        # NaN in gives NaN out.
        unknown = scores != scores
        if scores.ndim > 1:
            unknown = unknown.any(axis=1)
        reward = self.scale * np.where(unknown, np.nan, hits)
        return reward.astype(scores.dtype), baseline

    def _hits(self, method: str, scores: Array, target: Any) -> Array:
        """Return for each sample whether its class is found."""
        raise NotImplementedError

    def _divisor(self, reward: Array) -> int:
        return (len(reward) or 1) if self.sizeAverage else 1
