"""NormStabilizer."""

from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from torchlite.kernels.arrays import Number
from torchlite.kernels.sums import sum_all, sum_along
from torchlite.nn import checks
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._recurrent import AbstractRecurrent

__all__ = ["NormStabilizer"]


class NormStabilizer(AbstractRecurrent):
    """Hands a state on as it is, and pulls its norm, going back, to the norms of its neighbours.

    Maths
    -----
    Of a step alone::

        output = input
        gradInput = gradOutput

    In training, with n the 2-norms of the rows of each step's input h, every step t adds, for the
    step before it and the step after it, s, as far as there are such,
    `2 * beta * ((n[t] - n[s]) / n[t])[:, None] * h[t] / len(h[t])`: the gradient of the sum over
    all steps of `beta * ((n[t] - n[t - 1]) ** 2).mean()`. With a mask, the mean is over the samples
    that count at both steps, `len(h[t])` is how many these are, and the others are not pulled.

    Shapes
    ------
    input and output (N, R), of one N in a sequence.

    Parameters
    ----------
    beta
        How strongly norms are pulled.

    Attributes
    ----------
    loss
        What `updateLoss()` found last.
    steps
        The steps that a backward can go back through; `gates` of each are the norms of its rows.

    Conventions
    -----------
    A row of zeros is not pulled. In evaluation mode it does nothing. Hands arrays on as they are.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or has another batch than the step before.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Sequencer(nn.NormStabilizer())
    >>> h = np.array([[[3.0, 4.0]], [[0.0, 2.0]]])
    >>> np.array_equal(net.forward(h), h), net.modules[0].updateLoss()
    (True, 4.5)
    >>> net.backward(h, np.zeros((2, 1, 2)))
    array([[[ 3.6,  4.8]],
    <BLANKLINE>
           [[ 0. , -6. ]]])

    Reference
    ---------
    torch/rnn and Element-Research/rnn, NormStabilizer.lua, whose updateLoss adds the norms. Krueger
    and Memisevic, Regularizing RNNs by stabilizing activations, 2016.
    """

    exempt: ClassVar[Any] = {
        **AbstractRecurrent.exempt,
        **dict.fromkeys(("gradInput", "linear"), "in training the norms of steps are pulled"),
    }
    _look_ahead: Any = None
    loss: Any = 0.0
    transient = (*AbstractRecurrent.transient, "loss")

    _validates = True

    def __init__(self, beta: float = 1) -> None:
        self._hold()
        self.beta = checks.constant(self, "beta", beta)

    def updateLoss(self) -> Any:
        """Return what the steps' norms cost: the gradient's sum, divided by the number of steps.

        A step at which every sample is masked is none.
        """
        apart = [_apart(a, b) for a, b in pairwise(self.steps)]
        squares = [sum_all(gap**2).item() / count for gap, count in apart]
        steps = sum(step.mask is None or not bool(step.mask.all()) for step in self.steps)
        self.loss = self.beta * sum(squares) / max(steps, 1)
        return self.loss

    def _state_for(self, input: Any) -> list[Any]:
        checks.must_be_floating(self, "updateOutput", "input", input)
        known = self._now[0].shape if self._now else None
        if input.ndim != 2 or (known is not None and input.shape != known):
            expected = "(N, R)" if known is None else f"{known} like the step before"
            raise checks.misshapen(self, "updateOutput", "input", expected, input)
        return []

    def _take(self, input: Any, before: list[Any]) -> Step:
        return Step(input, before, sum_along(input * input, 1) ** 0.5, [input])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Any:
        step.gradAfter = gradAfter
        if not self.train:
            return gradAfter[0]
        place = self._back - 1 - self.step
        beside = [self.steps[place - 1]] if place > -len(self.steps) else []
        beside += [self.steps[place + 1]] if place < -1 else []
        if not beside:
            return gradAfter[0]
        norms, h = step.gates, step.input
        apart = [_apart(step, other) for other in beside]
        pull = sum((2 * self.beta / count) * gap for gap, count in apart)
        pull = pull / np.where(norms == 0, 1, norms)
        return gradAfter[0] + pull[:, None] * h

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Number = 1) -> None:
        """Do nothing: there are no parameters."""
        checks.scale(self, scale)


def _apart(one: Step, other: Step) -> tuple[Any, int]:
    """Return by how much the norms of two steps differ, and how many samples count at both.

    The difference is 0 for the others.
    """
    gap = one.gates - other.gates
    masks = [step.mask for step in (one, other) if step.mask is not None]
    if not masks:
        return gap, max(len(gap), 1)
    counts = ~(masks[0] | masks[-1])
    return np.where(counts, gap, 0), max(int(np.count_nonzero(counts)), 1)
