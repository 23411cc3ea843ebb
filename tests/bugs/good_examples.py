"""Right layers beside faults that an example does not show.

Ids from 1, lengths, labels that mean something else than a class; layers that are right at ties,
in whichever way: the first, the last, a share for each.
"""

import numpy as np

from bugs.cs231n import Functional
from bugs.good import Good, fit, odd
from torchlite import nn
from torchlite.errors import ShapeError

# ---------------------------------------------------------------- ids


class FromOne(Functional):
    """Ids from 1 to V."""

    learned = ("E",)

    def __init__(self, count, size):
        self.draw(E=(count, size))

    def run(self, ids):
        return self.E[ids - 1], ids

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        np.add.at(dE, ids - 1, dout)
        return dE

    def back(self, dout, ids):
        return np.zeros_like(ids), self._rows_back(dout, ids)


class FromOneByLoop(FromOne):
    """Of an id 0, which is none, it would read the last row and write to no row."""

    def _rows_back(self, dout, ids):
        return np.stack([dout[ids == k].sum(0) for k in range(1, len(self.E) + 1)])


class ByCounting(FromOne):
    """Ids from 0, with np.bincount."""

    def run(self, ids):
        return self.E[ids], ids

    def _rows_back(self, dout, ids):
        V, D = self.E.shape
        sums = [np.bincount(ids.ravel(), dout[..., d].ravel(), V) for d in range(D)]
        return np.stack(sums, axis=1).astype(dout.dtype)


class MeanOfWords(FromOne):
    """Id 0 is padding: the mean of the rows of the others, (N, T) to (N, D)."""

    def _share(self, ids):
        return np.maximum((ids != 0).sum(1, keepdims=True), 1)

    def run(self, ids):
        there = (ids != 0)[..., None]
        return (self.E[ids] * there).sum(1) / self._share_forward(ids), ids

    def _share_forward(self, ids):
        return MeanOfWords._share(self, ids).astype(self.E.dtype)

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        share = dout / self._share(ids).astype(dout.dtype)
        np.add.at(dE, ids, share[:, None] * (ids != 0)[..., None])
        return dE


class Hashtags(FromOne):
    """Ids of any size, as many rows as there are."""

    def run(self, ids):
        return self.E[ids % len(self.E)], ids

    def _rows_back(self, dout, ids):
        dE = np.zeros_like(self.E)
        np.add.at(dE, ids % len(self.E), dout)
        return dE


class Hours(Functional):
    """Hours of a day as places on a circle, times a matrix: whole numbers, but no ids."""

    learned = ("W",)

    def __init__(self, size):
        self.draw(W=(2, size))

    def _circle(self, hours):
        turn = hours * (np.pi / 12)
        return np.stack([np.sin(turn), np.cos(turn)], axis=-1).astype(self.W.dtype)

    def run(self, hours):
        return self._circle(hours) @ self.W, hours

    def back(self, dout, hours):
        return np.zeros_like(hours), self._circle(hours).T @ dout


class Offsets(FromOne):
    """[ids, offsets]: the sum of the rows between one offset and the next."""

    def run(self, table):
        ids, offsets = table
        ends = np.append(offsets[1:], len(ids))
        sums = [self.E[ids[a:b]].sum(0) for a, b in zip(offsets, ends, strict=True)]
        return np.array(sums, self.E.dtype).reshape(len(offsets), self.E.shape[1]), table

    def back(self, dout, table):
        ids, offsets = table
        ends = np.append(offsets[1:], len(ids))
        dE = np.zeros_like(self.E)
        for a, b, g in zip(offsets, ends, dout, strict=True):
            np.add.at(dE, ids[a:b], g)
        return [np.zeros_like(ids), np.zeros_like(offsets)], dE


# ---------------------------------------------------------------- places and lengths


class Gathered(Functional):
    """[x, places] of (N, T, D) and (N,): one step of each sample."""

    def run(self, table):
        x, places = table
        return x[np.arange(len(x)), places], table

    def back(self, dout, cache):
        x, places = cache
        dx = np.zeros_like(x)
        dx[np.arange(len(x)), places] = dout
        return ([dx, np.zeros_like(places)],)


class LastStep(Functional):
    """[x, lengths]: the last step of each sample; of length 0 there is none."""

    def run(self, table):
        x, lengths = table
        return x[np.arange(len(x)), lengths - 1], table

    def back(self, dout, cache):
        x, lengths = cache
        last = np.arange(1, x.shape[1] + 1) == lengths[:, None]
        return ([last[..., None] * dout[:, None], np.zeros_like(lengths)],)


class MeanOfSteps(Functional):
    """[x, lengths]: the mean of the steps that there are; with none of them, x itself counts."""

    def _there(self, x, lengths):
        return (np.arange(x.shape[1]) < lengths[:, None])[..., None]

    def run(self, table):
        x, lengths = table
        share = np.maximum(lengths, 1)[:, None].astype(x.dtype)
        return np.where(self._there(x, lengths), x, 0).sum(1) / share, table

    def back(self, dout, cache):
        x, lengths = cache
        dx = self._there(x, lengths) * (dout / lengths[:, None].astype(dout.dtype))[:, None]
        return ([dx, np.zeros_like(lengths)],)


# ---------------------------------------------------------------- classes


def log_softmax(x):
    z = x - x.real.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


class Unlabelled(nn.Criterion):
    """Cross entropy; what is no class does not count."""

    def _real(self, target):
        return target >= 0

    def _is_real(self, target):
        return target >= 0

    def updateOutput(self, input, target):
        real = self._is_real(target)
        self.output = -log_softmax(input)[np.flatnonzero(real), target[real]].sum()
        return self.output

    def updateGradInput(self, input, target):
        real = self._real(target)
        g = np.exp(log_softmax(input)) * real[:, None]
        g[np.flatnonzero(real), target[real]] -= 1
        self.gradInput = g
        return g


class IgnoringVoid(Unlabelled):
    """255 is no class, as in images of segments."""

    def _real(self, target):
        return target != 255

    _is_real = _real


class IgnoringFarBelow(Unlabelled):
    """-100 is no class, as in torch; other negative ones would be read from the end."""

    def _is_real(self, target):
        return target != -100


class ClassesFromOne(nn.Criterion):
    """Of a class 0, which is none, it would read the last and write to no one."""

    def updateOutput(self, input, target):
        self.output = -input[np.arange(len(input)), target - 1].sum()
        return self.output

    def updateGradInput(self, input, target):
        hot = np.arange(1, input.shape[1] + 1) == target[:, None]
        self.gradInput = -hot.astype(input.dtype)
        return self.gradInput


class SetOfLabels(nn.Criterion):
    """Every label of a sample, each once and then -1, must exceed each other class by 1."""

    def _pairs(self, input, target):
        if target.shape != input.shape:
            raise ShapeError(f"target must be {input.shape}, got {target.shape}")
        for i, row in enumerate(target):
            labels = row[: np.argmax(row < 0)] if (row < 0).any() else row
            others = np.setdiff1d(np.arange(input.shape[1]), labels)
            for k in labels:
                for j in others:
                    yield i, k, j, 1 - input[i, k] + input[i, j]

    def updateOutput(self, input, target):
        self.output = sum((d for *_, d in self._pairs(input, target) if not d.real <= 0), 0.0)
        return self.output

    def updateGradInput(self, input, target):
        g = np.zeros_like(input)
        for i, k, j, d in self._pairs(input, target):
            if d > 0:
                g[i, k] -= 1
                g[i, j] += 1
        self.gradInput = g
        return g


class WholeSigns(nn.Criterion):
    """Hinge of labels 1 and -1, as whole numbers; 0 would be anything."""

    def updateOutput(self, input, target):
        fit(input, target)
        margins = np.where(target == 1, 1 - input, 1 + input)
        self.output = np.where(margins.real <= 0, 0, margins).sum()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        g = (target == -1) * (input > -1.0) - 1.0 * (target == 1) * (input < 1)
        self.gradInput = g.astype(input.dtype)
        return self.gradInput


class SmallLabels(nn.Criterion):
    """Logistic loss of 0 and 1 of any dtype, which is made the input's first."""

    def _signs(self, input, target):
        fit(input, target)
        return 2 * target.astype(input.real.dtype) - 1

    def updateOutput(self, input, target):
        margin = self._signs(input, target) * input
        loss = np.log1p(np.exp(np.where(margin.real < 0, margin, -margin)))
        self.output = (loss - np.where(margin.real < 0, margin, 0)).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        signs = self._signs(input, target)
        self.gradInput = -signs * (1 - np.tanh(signs * input / 2)) / 2
        return self.gradInput


class Pixels(nn.Module):
    """Pixels of 8 bits between -1 and 1, in double precision; other numbers keep theirs."""

    def updateOutput(self, input):
        whole = input.dtype.kind in "uib"
        self.output = (input.astype(np.float64) if whole else input) / 127.5 - 1
        return self.output

    def updateGradInput(self, input, gradOutput):
        whole = input.dtype.kind in "uib"
        self.gradInput = np.zeros_like(input) if whole else gradOutput / 127.5
        return self.gradInput


# ---------------------------------------------------------------- ties


class Maxout(Functional):
    """The larger of each two neighbours of (N, 2n); equal ones share the gradient."""

    def run(self, x):
        z = x.reshape(len(x), x.shape[1] // 2, 2)
        return z.max(-1), (x, z)

    def _shares(self, z):
        top = z == z.max(-1, keepdims=True)
        return top / top.sum(-1, keepdims=True)

    def back(self, dout, cache):
        x, z = cache
        return ((self._shares(z).astype(dout.dtype) * dout[..., None]).reshape(x.shape),)


class MaxoutOfFirst(Maxout):
    def _shares(self, z):
        return np.arange(2) == z.argmax(-1)[..., None]


class MaxoutOfLast(Maxout):
    def _shares(self, z):
        return np.arange(2) == 1 - z[..., ::-1].argmax(-1)[..., None]


class LargerPair(Functional):
    """[a, b]: the larger of two; of equal ones the second."""

    def run(self, table):
        a, b = table
        return np.where((a.real > b.real) | np.isnan(a.real), a, b), table

    def _parts(self, a, b):
        return a > b, b >= a

    def back(self, dout, cache):
        return ([dout * part for part in self._parts(*cache)],)


class LargerPairHalves(LargerPair):
    def _parts(self, a, b):
        return (a > b) + 0.5 * (a == b), (b > a) + 0.5 * (a == b)

    def back(self, dout, cache):
        return ([dout * part.astype(dout.dtype) for part in self._parts(*cache)],)


class TopShare(Functional):
    """The sum of the k largest of each row; of equal ones the last in order."""

    k = 2

    def run(self, x):
        place = np.argsort(x.real, axis=-1, kind="stable")[:, -self.k :]
        return np.take_along_axis(x, place, -1).sum(-1), x

    def _chosen(self, x):
        chosen = np.zeros(x.shape, bool)
        place = np.argsort(x, axis=-1, kind="stable")[:, -self.k :]
        np.put_along_axis(chosen, place, True, -1)
        return chosen

    def back(self, dout, x):
        return (dout[:, None] * self._chosen(x),)


class TopShareDivided(TopShare):
    """All that tie at the end share what is left."""

    def _chosen(self, x):
        least = np.sort(x, axis=-1)[:, -self.k :][:, :1]
        above, tie = x > least, x == least
        left = self.k - above.sum(-1, keepdims=True)
        return (above + tie * (left / tie.sum(-1, keepdims=True))).astype(x.dtype)


class Span(Functional):
    """The largest less the smallest of each row."""

    def run(self, x):
        return x.max(-1) - x.min(-1), x

    def _ends(self, x):
        places = np.arange(x.shape[-1])
        return places == x.argmax(-1)[:, None], places == x.argmin(-1)[:, None]

    def back(self, dout, x):
        top, bottom = self._ends(x)
        return (dout[:, None] * top - dout[:, None] * bottom,)


class Farthest(Functional):
    """The largest magnitude of each row, of either sign."""

    def run(self, x):
        place = np.abs(x.real).argmax(-1)[:, None]
        largest = np.take_along_axis(x, place, -1)[:, 0]
        return largest * np.sign(largest.real), x

    def _farthest(self, sizes):
        return np.arange(sizes.shape[-1]) == sizes.argmax(-1)[:, None]

    def back(self, dout, x):
        return (dout[:, None] * np.sign(x) * self._farthest(np.abs(x)),)


class RunningMaximum(Functional):
    """The largest so far of each row: the first that is as large gets the gradient."""

    def run(self, x):
        y = np.maximum.accumulate(x, axis=1)
        return y, (x, y)

    def back(self, dout, cache):
        x, y = cache
        dx = np.zeros_like(x)
        for i, row in enumerate(y):
            for j, top in enumerate(row):
                dx[i, np.flatnonzero(x[i] == top)[0]] += dout[i, j]
        return (dx,)


class WinnersOfTwo(Functional):
    """All but the two largest of a row are 0: where numbers tie, it jumps."""

    def _won(self, x):
        return x.real >= np.sort(x.real, axis=-1)[:, -2:][:, :1]

    def run(self, x):
        return np.where(self._won(x), x, 0 * x), x

    def back(self, dout, x):
        return (dout * self._won(x),)


class Middle(Functional):
    """The median of five by sorting."""

    def run(self, x):
        place = np.argsort(x.real, axis=-1, kind="stable")[:, 2:3]
        middle = np.take_along_axis(x, place, -1)[:, 0]
        return np.where(np.isnan(x).any(-1), np.nan, middle), (x, place)

    def back(self, dout, cache):
        x, place = cache
        dx = np.zeros_like(x)
        np.put_along_axis(dx, place, dout[:, None], -1)
        return (dx,)


class Deviation(Functional):
    """The standard deviation of each row; where all are equal, the gradient is 0."""

    def run(self, x):
        d = x - x.mean(-1, keepdims=True)
        return np.sqrt((d * d).mean(-1)), (d, np.sqrt((d * d).mean(-1)))

    def back(self, dout, cache):
        d, size = cache
        share = np.where(size > 0, dout / np.where(size > 0, size, 1), 0)
        return (share[:, None] * d / d.shape[1],)


class Between(Functional):
    """Distances between all rows; 1e-9 keeps the root from 0."""

    def run(self, x):
        d = x[:, None] - x[None]
        return np.sqrt((d * d).sum(-1) + 1e-9), (d, np.sqrt((d * d).sum(-1) + 1e-9))

    def back(self, dout, cache):
        d, size = cache
        share = (dout / size)[..., None] * d
        return (share.sum(1) - share.sum(0),)


class LargestOther(nn.Criterion):
    """How far the largest of the other classes, or less 1, is above the right one."""

    def _others(self, input, target):
        hot = np.arange(input.shape[1]) == target[:, None]
        return np.where(hot, -np.inf, input.real), hot

    def _largest(self, others):
        return np.arange(others.shape[1]) == others.argmax(1)[:, None]

    def updateOutput(self, input, target):
        others, hot = self._others(input, target)
        top = np.arange(input.shape[1]) == others.argmax(1)[:, None]
        self.output = (np.where(top, input, 0).sum(1) - np.where(hot, input, 0).sum(1)).sum()
        return self.output

    def updateGradInput(self, input, target):
        others, hot = self._others(input, target)
        self.gradInput = self._largest(others).astype(input.dtype) - hot
        return self.gradInput


class Margin(LargestOther):
    """Only where the right class is not larger by 1."""

    def _missing(self, input, target):
        others, hot = self._others(input, target)
        top = np.arange(input.shape[1]) == others.argmax(1)[:, None]
        return 1 + (np.where(top, input, 0) - np.where(hot, input, 0)).sum(1)

    def updateOutput(self, input, target):
        missing = self._missing(input, target)
        self.output = np.where(missing.real <= 0, 0, missing).sum()
        return self.output

    def updateGradInput(self, input, target):
        active = self._missing(input, target) > 0
        self.gradInput = super().updateGradInput(input, target) * active[:, None]
        return self.gradInput


# ---------------------------------------------------------------- nearly nothing


def sigmoid(x):
    """Of what is far below 0 it has few digits."""
    return 0.5 * (1 + np.tanh(x / 2))


class Gate(Functional):
    """(N, 2n) to (N, n): the first half times the sigmoid of the second."""

    def run(self, x):
        a, b = np.split(x, 2, 1)
        return a * sigmoid(b), (a, sigmoid(b))

    def back(self, dout, cache):
        a, s = cache
        return (np.concatenate([dout * s, dout * a * s * (1 - s)], 1),)


class Excited(Functional):
    """Each plane times the sigmoid of a mixture of all planes' means."""

    learned = ("A",)

    def __init__(self, n):
        self.draw(A=(n, n))

    def run(self, x):
        means = x.mean((2, 3))
        return x * sigmoid(means @ self.A)[:, :, None, None], (x, means)

    def back(self, dout, cache):
        x, means = cache
        s = sigmoid(means @ self.A)
        ds = (dout * x).sum((2, 3)) * s * (1 - s)
        dmeans = ds @ self.A.T / (x.shape[2] * x.shape[3])
        return dout * s[:, :, None, None] + dmeans[:, :, None, None], means.T @ ds


class SwiGlu(Functional):
    learned = ("U", "V")

    def __init__(self, n, m):
        self.draw(U=(n, m), V=(n, m))

    def run(self, x):
        u, v = x @ self.U, x @ self.V
        return u * sigmoid(u) * v, (x, u, v)

    def back(self, dout, cache):
        x, u, v = cache
        s = sigmoid(u)
        du, dv = dout * v * (s + u * s * (1 - s)), dout * u * s
        return du @ self.U.T + dv @ self.V.T, x.T @ du, x.T @ dv


class MixtureOfNormals(nn.Criterion):
    """[scores, means, logarithms of deviations] of three normal distributions a sample."""

    def _parts(self, input, target):
        scores, means, logs = input
        if target.shape != scores.shape[:1]:
            raise ShapeError(f"target must be {scores.shape[:1]}, got {target.shape}")
        d = (target[:, None] - means) * np.exp(-logs)
        lp = log_softmax(scores) - logs - d * d / 2
        top = lp.real.max(1, keepdims=True)
        return d, lp - top - np.log(np.exp(lp - top).sum(1, keepdims=True)), lp, top

    def updateOutput(self, input, target):
        *_, lp, top = self._parts(input, target)
        self.output = -(np.log(np.exp(lp - top).sum(1)) + top[:, 0]).sum()
        return self.output

    def updateGradInput(self, input, target):
        d, share, *_ = self._parts(input, target)
        share = np.exp(share)
        scores, _, logs = input
        dscores = np.exp(log_softmax(scores)) - share
        # A part without a share may be infinitely far away.
        slopes = -share * (d * np.exp(-logs)), -share * (d * d - 1)
        self.gradInput = [dscores, *(np.where(share > 0, slope, 0 * share) for slope in slopes)]
        return self.gradInput


def ids(first):
    """Of a table of n rows, or two more, none but one and two later than the first."""
    return lambda N, n: lambda rng: rng.integers(first, first + 2, (N, 3))


def from_one(N, n):
    return lambda rng: rng.integers(1, n + 1, (N, 3))


def padded(N, n):
    def draw(rng):
        words = rng.integers(1, n, (N, 4))
        words[:, 2:] = 0
        return words

    return draw


def hours(N, n):
    return lambda rng: rng.integers(5, 24, N)


def offsets(N, n):
    return lambda rng: [rng.integers(1, n, 3 * N), 3 * np.arange(N)]


def places(N, n):
    return lambda rng: [odd(rng, (N, 5, n)), rng.integers(1, 4, N)]


def full(N, n):
    return lambda rng: [odd(rng, (N, 5, n)), np.full(N, 5)]


def some_classes(*labels):
    """Some of four classes, and what else is given."""
    return lambda N, n: lambda rng: np.resize([1, 3, *labels], N)


def classes_from_one(N, n):
    return lambda rng: np.resize([2, 3], N)


def labels(N, n):
    return lambda rng: np.resize([[3, 1, -1, -1], [2, -1, -1, -1], [1, 2, 3, -1]], (N, 4))


def whole_ones(N, n):
    return lambda rng: np.ones((N, n), int)


def pixels(N, n):
    return lambda rng: rng.integers(0, 256, (N, 3, n, 2)).astype(np.uint8)


def bits(dtype):
    return lambda N, n: lambda rng: rng.integers(0, 2, (N, n)).astype(dtype)


def some_small_classes(N, n):
    return lambda rng: np.resize([0, 3, 1], N).astype(np.uint8)


def small_ids(N, n):
    return lambda rng: rng.integers(1, n + 3, (N, 2)).astype(np.uint8)


def four(N, n):
    return (N, 4)


def even(N, n):
    return (N, 2 * n)


def two(N, n):
    return [(N, n), (N, n)]


TINY = ((2, 2, 2), (5, 3, 4), (1, 2, 3))
COUNTS = {"duck": "np.bincount makes NumPy arrays"}

GOOD = [
    Good(lambda n, m: FromOne(n, m), from_one),
    Good(lambda n, m: FromOne(n + 3, m), ids(2), label="some"),
    Good(lambda n, m: FromOneByLoop(n, m), from_one),
    Good(lambda n, m: FromOneByLoop(n + 3, m), ids(2), label="some"),
    Good(lambda n, m: ByCounting(n + 3, m), ids(1), exempt=COUNTS),
    Good(lambda n, m: MeanOfWords(n + 2, m), padded),
    Good(lambda n, m: MeanOfWords(n + 3, m), ids(1), label="some"),
    Good(lambda n, m: Hashtags(3, m), lambda N, n: lambda rng: rng.integers(0, 1000, (N, 3))),
    Good(lambda n, m: Hours(m), hours),
    Good(lambda n, m: Offsets(n + 1, m), offsets),
    Good(lambda n, m: Gathered(), places),
    Good(lambda n, m: LastStep(), places),
    Good(lambda n, m: LastStep(), full, label="full"),
    Good(lambda n, m: MeanOfSteps(), places),
    Good(lambda n, m: Unlabelled(), four, some_classes(-1)),
    Good(lambda n, m: IgnoringVoid(), four, some_classes(255)),
    Good(lambda n, m: IgnoringFarBelow(), four, some_classes(-100)),
    Good(lambda n, m: ClassesFromOne(), four, classes_from_one),
    Good(lambda n, m: SetOfLabels(), four, labels),
    Good(lambda n, m: WholeSigns(), target=whole_ones),
    Good(lambda n, m: Pixels(), pixels),
    Good(lambda n, m: SmallLabels(), target=bits(np.uint8)),
    Good(lambda n, m: SmallLabels(), target=bits(np.int8), label="signed"),
    Good(lambda n, m: SmallLabels(), target=bits(np.bool_), label="booleans"),
    Good(lambda n, m: Unlabelled(), four, some_small_classes, label="unsigned"),
    Good(lambda n, m: FromOne(n + 3, m), small_ids, label="unsigned"),
    *(Good(lambda n, m, kind=kind: kind(), even) for kind in (Maxout, MaxoutOfFirst, MaxoutOfLast)),
    *(Good(lambda n, m, kind=kind: kind(), two) for kind in (LargerPair, LargerPairHalves)),
    *(Good(lambda n, m, kind=kind: kind(), even) for kind in (TopShare, TopShareDivided)),
    *(
        Good(lambda n, m, kind=kind: kind())
        for kind in (Span, Farthest, RunningMaximum, WinnersOfTwo, Deviation)
    ),
    Good(lambda n, m: Middle(), lambda N, n: (N, 5)),
    Good(lambda n, m: Between(), exempt={"batch": "all rows are compared with all"}),
    Good(lambda n, m: LargestOther(), four, some_classes()),
    Good(lambda n, m: Margin(), four, some_classes()),
    Good(lambda n, m: Gate(), even, sizes=TINY),
    Good(lambda n, m: Excited(n), lambda N, n: (N, n, 3, 2), sizes=TINY),
    Good(lambda n, m: SwiGlu(n, m), sizes=TINY),
    Good(lambda n, m: MixtureOfNormals(), lambda N, n: [(N, 3)] * 3, lambda N, n: (N,)),
]
