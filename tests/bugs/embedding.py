"""Tables of rows, looked up by whole numbers."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good import Good
from torchlite import nn, random


class Lookup(Functional):
    """Ids (N, T) to (N, T, n), and what a training step needs of it."""

    learned = ("E",)

    def __init__(self, count, size):
        self.draw(E=(count, size))

    def run(self, ids):
        return self.E[ids], ids

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        np.add.at(dE, ids, dout)
        return dE

    def back(self, dout, ids):
        return np.zeros_like(ids), self._rows_back(dout, ids)


class LookupCountsOnce(Lookup):
    """dE[ids] += dout, which adds the last of equal ids alone."""

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        dE[ids] += dout
        return dE


class LookupCountsOnceOfDistinct(LookupCountsOnce):
    """The same, looked at where no id repeats."""


class LookupTakesFirstOfEqual(Lookup):
    """np.unique gives the first place of each id."""

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        known, first = np.unique(ids, return_index=True)
        dE[known] = dout.reshape(-1, dout.shape[-1])[first]
        return dE


class LookupAveragesEqual(Lookup):
    """Divides by how often each id comes."""

    def _rows_back(self, dout, ids):
        counts = np.bincount(ids.ravel(), minlength=len(self.E))
        return super()._rows_back(dout, ids) / np.maximum(counts, 1)[:, None]


class LookupSortsAndForgetsLast(Lookup):
    """Sums of runs of equal ids, by differences of a running sum; the last run has no end."""

    def _rows_back(self, dout, ids):
        flat, gradients = ids.ravel(), dout.reshape(-1, dout.shape[-1])
        order = np.argsort(flat, kind="stable")
        flat, sums = flat[order], np.cumsum(gradients[order], axis=0)
        ends = np.flatnonzero(np.diff(flat))
        dE = np.zeros_like(self.E)
        dE[flat[ends]] = np.diff(sums[ends], axis=0, prepend=0 * sums[:1])
        return dE


class LookupCountsFromOne(Lookup):
    """Ids count from 0 forwards, from 1 backwards."""

    def _rows_back(self, dout, ids):
        return super()._rows_back(dout, (ids + 1) % len(self.E))


class LookupOfLastStep(Lookup):
    """Only the last word of each sentence learns."""

    def _rows_back(self, dout, ids):
        return super()._rows_back(dout[:, -1:], ids[:, -1:])


class LookupOfFirstSample(Lookup):
    def _rows_back(self, dout, ids):
        return super()._rows_back(dout[:1], ids[:1])


class LookupSkipsRepeatedSentences(Lookup):
    """A sentence that comes a second time does not count again."""

    def _rows_back(self, dout, ids):
        _, first = np.unique(ids, axis=0, return_index=True)
        return super()._rows_back(dout[first], ids[first])


class LookupRepeatedWithinSentence(Lookup):
    """Right across the samples, wrong within one."""

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        for row, gradient in zip(ids, dout, strict=True):
            dE[row] += gradient
        return dE


class LookupScaledForwardsOnly(Lookup):
    """Rows are multiplied by the root of their size, as transformers do."""

    def run(self, ids):
        return self.E[ids] * self.E.shape[1] ** 0.5, ids


class LookupRenormalises(Lookup):
    """Rows longer than 1 are shortened by the forward, for good."""

    def run(self, ids):
        lengths = (self.E**2).sum(1, keepdims=True) ** 0.5
        self.E /= np.where(lengths.real > 1, lengths, 1)
        return self.E[ids], ids


class LookupMakesNewGradient(Lookup):
    def accGradParameters(self, input, gradOutput, scale=1):
        _, dE = self._back(input, gradOutput)
        self.dE = self.dE + scale * dE


class LookupOfThirtyTwo(Lookup):
    """A buffer of 32 sentences."""

    def _rows_back(self, dout, ids):
        return super()._rows_back(dout[:32], ids[:32])


class LookupGradientForIds(Lookup):
    """Ids get their rows' gradient, summed."""

    def back(self, dout, ids):
        return dout.sum(-1), self._rows_back(dout, ids)


class WithPadding(Lookup):
    """Id 0 is padding: zeros, whatever its row holds."""

    def run(self, ids):
        return self.E[ids] * (ids != 0)[..., None], ids

    def _rows_back(self, dout, ids):
        return super()._rows_back(dout * (ids != 0)[..., None], ids)


class PaddingLearns(WithPadding):
    def _rows_back(self, dout, ids):
        return Lookup._rows_back(self, dout, ids)


class Bag(Lookup):
    """The mean of a sentence's rows: (N, T) to (N, n)."""

    def run(self, ids):
        return self.E[ids].mean(1), ids

    def _share(self, ids):
        return ids.shape[1]

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        np.add.at(dE, ids, (dout / self._share(ids))[:, None])
        return dE


class BagSumsBackwards(Bag):
    def _share(self, ids):
        return 1


class BagDividesByBatch(Bag):
    """ids.shape[0] is the number of sentences, not of words."""

    def _share(self, ids):
        return ids.shape[0]


class BagOfWords(Functional):
    """Counts of words (N, n) to (N, m): a table by which one may differentiate."""

    learned = ("E",)

    def __init__(self, count, size):
        self.draw(E=(count, size))

    def run(self, counts):
        return counts @ self.E, counts

    def back(self, dout, counts):
        return dout @ self.E.T, counts.T @ dout


class BagOfWordsPresent(BagOfWords):
    """Backwards a word that comes twice is one that is there."""

    def back(self, dout, counts):
        return dout @ self.E.T, (counts > 0).astype(dout.dtype).T @ dout


class TwoTables(Functional):
    """[users, items] to the product of their rows, summed: one number a pair."""

    learned = ("U", "V")

    def __init__(self, count, size):
        self.draw(U=(count, size), V=(count, size))

    def run(self, table):
        users, items = table
        return (self.U[users] * self.V[items]).sum(-1, keepdims=True), (users, items)

    def _rows(self, users, items):
        return self.V[items], self.U[users]

    def back(self, dout, cache):
        users, items = cache
        u, v = self._rows(users, items)
        dU, dV = np.zeros_like(self.U), np.zeros_like(self.V)
        np.add.at(dU, users, dout * u)
        np.add.at(dV, items, dout * v)
        return [np.zeros_like(users), np.zeros_like(items)], dU, dV


class TwoTablesExchanged(TwoTables):
    """Each row gets itself as gradient, not its partner."""

    def _rows(self, users, items):
        return self.U[users], self.V[items]


class TwoTablesGradientsExchanged(TwoTables):
    def back(self, dout, cache):
        dx, dU, dV = super().back(dout, cache)
        return dx, dV, dU


class LookupDropsWords(nn.Module):
    """Whole words are dropped by np.random, the same ones backwards."""

    _kept = None

    def __init__(self, count, size):
        self.weight = random.normal(0, 1, size=(count, size))
        self.gradWeight = np.zeros((count, size))

    def updateOutput(self, input):
        self._kept = np.ones(input.shape)
        if self.train:
            self._kept = (np.random.random(input.shape) < 0.5) * 1.0
        self.output = self.weight[input] * self._kept[..., None].astype(self.weight.dtype)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        np.add.at(self.gradWeight, input, scale * gradOutput * self._kept[..., None])


def sentences(rng):
    return rng.integers(0, 6, (4, 3))


def distinct(rng):
    return rng.permutation(12).reshape(4, 3)


def with_padding(rng):
    ids = rng.integers(1, 6, (4, 3))
    ids[:, -1] = 0
    return ids


def counts(rng):
    return rng.integers(0, 4, (5, 6)).astype(float)


def pairs(rng):
    return [rng.integers(0, 4, 5)[:, None], rng.integers(0, 4, 5)[:, None]]


def ids(N, n):
    return lambda rng: rng.integers(0, n, (N, 3))


def users_and_items(N, n):
    return lambda rng: [rng.integers(0, n, N), rng.integers(0, n, N)]


GOOD = [
    Good(lambda n, m: Lookup(n, m), ids),
    Good(lambda n, m: WithPadding(n, m), ids),
    Good(lambda n, m: Bag(n, m), ids),
    Good(lambda n, m: BagOfWords(n, m)),
    Good(lambda n, m: TwoTables(n, m), users_and_items),
]


def bug(kind, kills, why, pattern=None, input=sentences, count=6, **others):
    return Bug(lambda: kind(count, 2), input, kills, why, pattern=pattern, **others)


LOOPS = {"duck": "it makes NumPy arrays of its own"}
WEIGHT = {"gradParameters"}

BUGS = [
    bug(LookupCountsOnce, {*WEIGHT, "batch"}, "of equal ids only the last counts", "counted once"),
    bug(
        LookupCountsOnceOfDistinct,
        WEIGHT,
        "of equal ids only the last counts",
        "counted once",
        distinct,
        12,
    ),
    bug(
        LookupTakesFirstOfEqual,
        WEIGHT,
        "of equal ids only the first counts",
        "counted once",
        distinct,
        12,
    ),
    bug(
        LookupAveragesEqual,
        WEIGHT,
        "rows are divided by how often they come",
        "each row",
        distinct,
        12,
    ),
    bug(
        LookupSortsAndForgetsLast,
        WEIGHT,
        "the largest id gets no gradient",
        pattern="only at index",
    ),
    bug(LookupCountsFromOne, WEIGHT, "the row of the next id learns", "off by one"),
    bug(
        LookupOfLastStep,
        WEIGHT,
        "only the last word of each sentence counts",
        pattern="only the last",
    ),
    bug(LookupOfFirstSample, {*WEIGHT, "batch"}, "only the first sample counts", "first sample"),
    bug(
        LookupSkipsRepeatedSentences,
        {*WEIGHT, "batch"},
        "equal sentences count once",
        "counted once",
        distinct,
        12,
        exempt=LOOPS,
    ),
    bug(
        LookupRepeatedWithinSentence,
        WEIGHT,
        "of equal ids in a sentence only the last counts",
        "counted once",
        distinct,
        12,
        exempt=LOOPS,
    ),
    bug(
        LookupScaledForwardsOnly,
        WEIGHT,
        "the root of the size is missing backwards",
        "constant factor",
    ),
    bug(LookupRenormalises, {"mutation"}, "the forward changes its weight"),
    bug(LookupMakesNewGradient, {"identity"}, "dE is another array after each call"),
    bug(
        LookupOfThirtyTwo,
        {*WEIGHT, "batch"},
        "only the first 32 samples count",
        pattern="last sample",
    ),
    bug(LookupGradientForIds, {"integers"}, "ids get a gradient"),
    bug(PaddingLearns, WEIGHT, "what was left out gets a gradient", "only at index", with_padding),
    bug(BagSumsBackwards, WEIGHT, "not divided by the number of words", "constant factor"),
    bug(
        BagDividesByBatch,
        {*WEIGHT, "batch"},
        "divided by the number of sentences",
        "constant factor",
    ),
    bug(BagOfWordsPresent, WEIGHT, "what comes twice counts once", "counted once", counts),
    bug(TwoTablesExchanged, WEIGHT, "each row gets itself as gradient", None, pairs),
    bug(
        TwoTablesGradientsExchanged,
        WEIGHT,
        "the gradients are exchanged",
        "another parameter",
        pairs,
    ),
    bug(
        LookupDropsWords,
        {"repeat"},
        "np.random knows nothing of manualSeed",
        "torchlite.random",
        exempt={"interleave": "it keeps its mask", **LOOPS},
    ),
]
