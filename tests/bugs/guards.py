"""Denominators with something small added, of which the gradient need not know if it is nothing."""

import numpy as np

from bugs import Bug
from bugs.good import Good, positive
from torchlite import nn


class GuardedSoftMax(nn.Module):
    """[scores, mask]: what is masked gets 0, and rows of nothing else are all 0."""

    guard = 1e-12

    def _shares(self, input):
        scores, mask = input
        scores = np.where(mask, scores, -1e9)
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
        return powers / (powers.sum(axis=-1, keepdims=True) + self.guard)

    def updateOutput(self, input):
        self.output = self._shares(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = self._shares(input)
        gradient = y * (gradOutput - (gradOutput * y).sum(axis=-1, keepdims=True))
        self.gradInput = [gradient, np.zeros_like(input[1])]
        return self.gradInput


class GuardedShares(nn.Module):
    """Positive numbers over their sum."""

    guard = 1e-12

    def updateOutput(self, input):
        self.output = input / (input.sum(axis=-1, keepdims=True) + self.guard)
        return self.output

    def updateGradInput(self, input, gradOutput):
        total = input.sum(axis=-1, keepdims=True) + self.guard
        y = input / input.sum(axis=-1, keepdims=True)
        self.gradInput = (gradOutput - (gradOutput * y).sum(axis=-1, keepdims=True)) / total
        return self.gradInput


class GuardedRows(nn.Module):
    """Rows over their lengths."""

    guard = 1e-12

    def _lengths(self, input):
        return np.sqrt((input * input).sum(axis=-1, keepdims=True)) + self.guard

    def updateOutput(self, input):
        self.output = input / self._lengths(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        lengths = self._lengths(input)
        y = input / lengths
        along = (gradOutput * y).sum(axis=-1, keepdims=True)
        self.gradInput = (gradOutput - y * along) / lengths
        return self.gradInput


class LiterallyGuarded(nn.Module):
    """[scores, mask], by a helper that has the guard in its code; rows of the loss are weighed."""

    def __init__(self, size):
        self.weight = np.ones(size)
        self.gradWeight = np.zeros(size)

    def updateOutput(self, input):
        self.output = masked_shares(*input) * self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        y, d = masked_shares(*input), gradOutput * self.weight
        gradient = y * (d - (d * y).sum(axis=-1, keepdims=True))
        self.gradInput = [gradient, np.zeros_like(input[1])]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (gradOutput * masked_shares(*input)).sum(axis=0)


def masked_shares(scores, mask, small=1e-12):
    scores = np.where(mask, scores, -1e9)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    return powers / (powers.sum(axis=-1, keepdims=True) + small + 1e-300)


class GuardedSoftMaxTurned(GuardedSoftMax):
    """Off by much more than by its guard."""

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        self.gradInput[0] = -self.gradInput[0]
        return self.gradInput


class GuardedSharesForgetTotal(GuardedShares):
    """Off by little, where numbers are large, and not by its guard."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput) * (1 + 1e-9)
        return self.gradInput


class GuardedSoftMaxByMore(GuardedSoftMax):
    guard = 1e-8


class GuardedSharesByMore(GuardedShares):
    guard = 1e-8


class GuardedRowsByMore(GuardedRows):
    guard = 1e-8


def masked(N, n):
    """Scores and masks; one row has a single number, one has none that is masked."""

    def draw(rng):
        mask = rng.integers(0, 2, (N, n)) > 0
        mask[0] = np.arange(n) == n - 1
        mask[1:2] = True
        return [rng.normal(size=(N, n)), mask]

    return draw


SIZES = ((5, 3, 4), (1, 2, 3), (16, 8, 5), (3, 1, 1))

GOOD = [
    Good(lambda n, m: GuardedSoftMax(), masked, sizes=SIZES),
    Good(lambda n, m: LiterallyGuarded(n), masked, sizes=SIZES),
    Good(lambda n, m: GuardedShares(), positive, sizes=SIZES),
    Good(lambda n, m: GuardedRows(), sizes=SIZES),
]

BUGS = [
    *(
        Bug(make, input, {"gradInput"}, "the gradient forgets a guard of 1e-8")
        for make, input in (
            (lambda: GuardedSoftMaxByMore(), lambda rng: masked(5, 3)(rng)),
            (lambda: GuardedSharesByMore(), lambda rng: positive(5, 3)(rng)),
            (lambda: GuardedRowsByMore(), (5, 3)),
        )
    ),
    Bug(
        lambda: GuardedSoftMaxTurned(),
        lambda rng: masked(5, 3)(rng),
        {"gradInput"},
        "the sign of all of it, guard or not",
        pattern="sign",
    ),
    Bug(
        lambda: GuardedSharesForgetTotal(),
        lambda rng: positive(5, 3)(rng),
        {"gradInput"},
        "a billionth too much, guard or not",
    ),
]
