"""Faults that the example at hand does not show.

Ids and classes that it leaves out, ties that its numbers do not hold, errors that cancel each
other along a direction.
"""

import numpy as np

from bugs import Bug, CriterionBug
from bugs.cs231n import Functional
from bugs.embedding import Lookup
from bugs.good import Affine, fit, odd
from bugs.good_examples import (
    ByCounting,
    Farthest,
    FromOne,
    Gathered,
    LargerPair,
    LargestOther,
    Margin,
    Maxout,
    MeanOfWords,
    RunningMaximum,
    SmallLabels,
    Span,
    TopShare,
    Unlabelled,
)
from bugs.losses import LabelSmoothing


class SmallLabelsWrap(SmallLabels):
    """2 * 0 - 1 is 255 of what has no sign."""

    def updateGradInput(self, input, target):
        fit(input, target)
        signs = (2 * target - 1).astype(input.dtype)
        self.gradInput = -signs * (1 - np.tanh(signs * input / 2)) / 2
        return self.gradInput


class SmallLabelsHalved(SmallLabels):
    def updateGradInput(self, input, target):
        self.gradInput = super().updateGradInput(input, target) / 2
        return self.gradInput


class AffineOfNothingInSum(Affine):
    """Takes what adds up to 0 for zeros."""

    def updateGradInput(self, input, gradOutput):
        if gradOutput.sum() == 0:
            self.gradInput = np.zeros_like(input)
            return self.gradInput
        return super().updateGradInput(input, gradOutput)


class AffineOfRowsAlike(Affine):
    """Takes a sample whose gradOutput is that of the one before for padding."""

    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        if input.ndim > 1:
            gradInput[1:][(gradOutput[1:] == gradOutput[:-1]).all(-1)] = 0
        self.gradInput = gradInput
        return gradInput


class AffineOfNoRow(Affine):
    """A sample without gradOutput gets the gradient of the one before."""

    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        if input.ndim > 1:
            empty = (gradOutput[1:] == 0).all(-1) & (gradOutput[:-1] != 0).any(-1)
            gradInput[1:][empty] = gradInput[:-1][empty]
        self.gradInput = gradInput
        return gradInput


class AffineOfOnes(Affine):
    """A shortcut for the gradient of a sum, which is a mean's."""

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        if gradOutput.size and (gradOutput == 1).all():
            self.gradInput = self.gradInput / gradOutput.shape[-1]
        return self.gradInput


class AffineReadsSingle(Affine):
    """Goes back with the weight in single precision, whatever it is."""

    def updateGradInput(self, input, gradOutput):
        weight = self.weight.astype(np.float32).astype(self.weight.dtype)
        self.gradInput = gradOutput @ weight
        return self.gradInput


# ---------------------------------------------------------------- ids


class LookupForgetsIdZero(Lookup):
    """Id 0 was padding once."""

    def _rows_back(self, dout, ids):
        return super()._rows_back(dout * (ids != 0)[..., None], ids)


class LookupForgetsLastRow(Lookup):
    """range(len(E) - 1)."""

    def _rows_back(self, dout, ids):
        dE = super()._rows_back(dout, ids)
        dE[-1] = 0
        return dE


class LookupForgetsThird(Lookup):
    """Looked at where no word is the third."""

    def _rows_back(self, dout, ids):
        return super()._rows_back(np.where((ids == 2)[..., None], 0, dout), ids)


class FromOneForgetsFirst(FromOne):
    """ids - 1 > 0 is no test for what is there."""

    def _rows_back(self, dout, ids):
        return super()._rows_back(dout * (ids > 1)[..., None], ids)


class MeanOfWordsCountsPadding(MeanOfWords):
    """Divided by the words that there are, and backwards by all places."""

    def _share(self, ids):
        return np.full(ids.shape[:1], ids.shape[1])[:, None]


class CountingStopsEarly(ByCounting):
    """np.bincount without minlength has as many as the largest id says."""

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        for d in range(dE.shape[1]):
            sums = np.bincount(ids.ravel(), dout[..., d].ravel())
            dE[: min(len(sums), 5), d] = sums[:5]
        return dE


class GatheredForgetsFirst(Gathered):
    """What stands first is never chosen."""

    def back(self, dout, cache):
        _, places = cache
        return super().back(dout * (places != 0)[:, None], cache)


class GatheredForgetsLast(Gathered):
    def back(self, dout, cache):
        x, places = cache
        return super().back(dout * (places != x.shape[1] - 1)[:, None], cache)


# ---------------------------------------------------------------- classes


class ClassTwoIsForgotten(LabelSmoothing):
    """Looked at where no sample is of class 2."""

    def slopes(self, input, target):
        slopes = super().slopes(input, target)
        slopes[target == 2, 2] += 1
        return slopes


class LastClassIsForgotten(LabelSmoothing):
    """Looked at where no sample is of the last."""

    def slopes(self, input, target):
        slopes = super().slopes(input, target)
        slopes[target == input.shape[1] - 1, -1] += 1
        return slopes


class BackgroundIsForgotten(LabelSmoothing):
    """Class 0 gets no gradient at all, as if it were what is ignored."""

    def slopes(self, input, target):
        return super().slopes(input, target) * (target > 0)[:, None]


class UnlabelledTakeClass(Unlabelled):
    """Backwards target > 0 is what counts."""

    def _real(self, target):
        return target > 0


# ---------------------------------------------------------------- ties


class MaxoutPaysEachTie(Maxout):
    def _shares(self, z):
        return z == z.max(-1, keepdims=True)


class LargerPairPaysBoth(LargerPair):
    def _parts(self, a, b):
        return a >= b, b >= a


class TopSharePaysMore(TopShare):
    """All that is as large as the last of the chosen, however many that is."""

    def _chosen(self, x):
        return x >= np.sort(x, axis=-1)[:, -self.k :][:, :1]


class SpanPaysEachTie(Span):
    def _ends(self, x):
        return x == x.max(-1, keepdims=True), x == x.min(-1, keepdims=True)


class LargestOtherPaysEachTie(LargestOther):
    """All of the others that are the largest get the whole gradient."""

    def _largest(self, others):
        return others == others.max(1, keepdims=True)


class LargestOtherAlwaysPays(Margin):
    """The right class gets its -1, even if it is largest by more than 1."""

    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target)
        gradInput[np.arange(len(input)), target] = -1
        return gradInput


class FarthestPaysEachTie(Farthest):
    def _farthest(self, sizes):
        return sizes == sizes.max(-1, keepdims=True)


class RunningMaximumPaysLatest(RunningMaximum):
    """Each place that is as large as the largest so far takes all that comes after it."""

    def back(self, dout, cache):
        x, y = cache
        later = np.cumsum(dout[:, ::-1] * (y == y[:, -1:])[:, ::-1], axis=1)[:, ::-1]
        top = (x == y) & (y == y[:, -1:])
        return (np.where(top, later, super().back(dout, cache)[0]),)


class TiesPayNothingHere(Maxout):
    """z > every other one."""

    def _shares(self, z):
        top = z == z.max(-1, keepdims=True)
        return top & (top.sum(-1, keepdims=True) == 1)


# ---------------------------------------------------------------- what cancels


class SecondPaysForFirst(Functional):
    """A part of what is due to the first entry of all goes to the second."""

    def run(self, x):
        return x * x, x

    def back(self, dout, x):
        dx = 2 * x * dout
        dx[0, 0] -= dout[0, 0]
        dx[0, 1] += dout[0, 0]
        return (dx,)


def from_1_to_3(rng):
    return np.array([[1, 3, 1], [3, 1, 4]])


def from_2(rng):
    return np.array([[2, 3, 2], [4, 2, 3]])


def places(rng):
    return [odd(rng, (4, 5, 2)), np.array([1, 3, 2, 1])]


def classes(*of):
    return lambda rng: np.array(of)


GATHERED = {"gradInput"}
WEIGHT = {"gradParameters"}


def ids(kind, why, pattern, input=from_1_to_3):
    return Bug(lambda: kind(6, 2), input, WEIGHT, why, pattern=pattern)


def ties(kind, why, input, pattern="tie"):
    return Bug(lambda: kind(), input, {"gradInput"}, why, pattern=pattern)


def loss(kind, why, pattern, target, input=(3, 5)):
    return CriterionBug(kind, input, target, {"gradInput"}, why, pattern=pattern)


def zeros_and_ones(rng):
    return np.resize([0, 1, 1, 0], (5, 3)).astype(np.uint8)


BUGS = [
    ids(LookupForgetsIdZero, "id 0 learns nothing", "only at index"),
    ids(LookupForgetsLastRow, "the last id learns nothing", "only at index"),
    ids(LookupForgetsThird, "an id in between learns nothing", "only at index"),
    ids(FromOneForgetsFirst, "the first of ids from 1 learns nothing", "only at index", from_2),
    ids(MeanOfWordsCountsPadding, "padding counts on the way back", None),
    Bug(
        lambda: CountingStopsEarly(6, 2),
        from_1_to_3,
        WEIGHT,
        "all ids from 5 on learn nothing",
        {"duck": "np.bincount makes NumPy arrays"},
        pattern="never written there",
    ),
    Bug(
        lambda: GatheredForgetsFirst(),
        places,
        GATHERED,
        "what stands first gets no gradient",
        pattern="never written there",
    ),
    Bug(
        lambda: GatheredForgetsLast(),
        places,
        GATHERED,
        "what stands last gets no gradient",
        pattern="never written there",
    ),
    loss(
        ClassTwoIsForgotten, "class 2 is not pulled up", "only where target = 2", classes(0, 4, 1)
    ),
    loss(
        LastClassIsForgotten, "the last is not pulled up", "only where target = 4", classes(0, 2, 1)
    ),
    loss(
        BackgroundIsForgotten, "class 0 gets no gradient", "never written there", classes(2, 4, 1)
    ),
    loss(UnlabelledTakeClass, "class 0 is ignored", "never written there", classes(2, -1, 1)),
    ties(MaxoutPaysEachTie, "each of equal entries gets the whole gradient", (4, 6)),
    ties(LargerPairPaysBoth, "both of equal entries get the whole gradient", [(4, 3), (4, 3)]),
    ties(TopSharePaysMore, "more than k entries get the whole gradient", (4, 5)),
    ties(SpanPaysEachTie, "each of equal entries gets the whole gradient", (4, 5)),
    ties(FarthestPaysEachTie, "each of equal sizes gets the whole gradient", (4, 5)),
    ties(TiesPayNothingHere, "equal entries get no gradient at all", (4, 6)),
    ties(RunningMaximumPaysLatest, "equal entries get the gradient more than once", (4, 5)),
    loss(
        LargestOtherPaysEachTie,
        "each of equal classes gets the whole gradient",
        "tie",
        classes(0, 4, 1),
    ),
    loss(
        LargestOtherAlwaysPays,
        "the right class gets a gradient where it has its margin",
        "expected is 0 everywhere",
        classes(0, 0, 1),
        lambda rng: np.array([[-3.0, 1, 2], [-2, 0.5, 1], [1, -2, 0.5]]),
    ),
    Bug(
        lambda: SecondPaysForFirst(),
        (16, 16),
        {"gradInput"},
        "two of many entries are wrong by the same",
        pattern="only at index",
    ),
    *(
        CriterionBug(
            lambda kind=kind: kind(), (5, 3), zeros_and_ones, {"gradInput"}, why, pattern=said
        )
        for kind, why, said in (
            (SmallLabelsWrap, "-1 is 255 in labels that have no sign", "only where target = 0"),
            (SmallLabelsHalved, "half of it, of labels that have no sign", "expected / 2"),
        )
    ),
    *(
        Bug(lambda kind=kind: kind(3, 4), (5, 3), {"linear"}, why)
        for kind, why in (
            (AffineOfNothingInSum, "no gradient where gradOutput adds up to 0"),
            (AffineOfRowsAlike, "no gradient where the sample before has the same gradOutput"),
            (AffineOfNoRow, "where gradOutput is 0, the gradient of the sample before"),
            (AffineOfOnes, "of a gradOutput of ones, a mean's gradient"),
        )
    ),
    Bug(
        lambda: AffineReadsSingle(3, 4),
        (5, 3),
        {"gradInput"},
        "the weight is rounded to single precision on the way back",
        pattern="rounds",
    ),
]
