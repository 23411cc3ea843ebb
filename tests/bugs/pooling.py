"""Pooling, and what goes back to where the largest entries were."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional, patches, unpatched
from bugs.good import Good
from torchlite.errors import StateError


class MaxPool(Functional):
    """The largest of each patch of k by k; of equal entries, the first."""

    def __init__(self, k=2, stride=2):
        self.k, self.stride = k, stride

    def run(self, x):
        cols = patches(x, self.k, self.stride, 0)
        place = cols.real.argmax(2)[:, :, None]
        return np.take_along_axis(cols, place, 2)[:, :, 0], (x, cols, place)

    def _to(self, cols, place, dout):
        dcols = np.zeros_like(cols)
        np.put_along_axis(dcols, place, dout[:, :, None], 2)
        return dcols

    def back(self, dout, cache):
        x, cols, place = cache
        return (unpatched(self._to(cols, place, dout), x, self.k, self.stride, 0),)


class MaxPoolPaysEachTie(MaxPool):
    """All entries of a patch that are the largest get the whole gradient."""

    def _to(self, cols, place, dout):
        return dout[:, :, None] * (cols == cols.max(2, keepdims=True))


class MaxPoolTakesNextPlace(MaxPool):
    """Counts the places of a patch from 1."""

    def _to(self, cols, place, dout):
        return super()._to(cols, (place + 1) % cols.shape[2], dout)


class MaxPoolReadsPlaceByColumns(MaxPool):
    """Rows and columns of a patch are exchanged."""

    def _to(self, cols, place, dout):
        return super()._to(cols, place // self.k + place % self.k * self.k, dout)


class MaxPoolOverlapsOverwrite(MaxPool):
    """What is the largest of two patches gets the gradient of one."""

    def back(self, dout, cache):
        x, cols, place = cache
        dcols = self._to(cols, place, dout)
        dx = np.zeros_like(x)
        h, w = dout.shape[2:]
        for i in range(h):
            for j in range(w):
                rows = slice(i * self.stride, i * self.stride + self.k)
                columns = slice(j * self.stride, j * self.stride + self.k)
                part = dcols[:, :, :, i, j].reshape(*x.shape[:2], self.k, self.k)
                dx[:, :, rows, columns] = np.where(part != 0, part, dx[:, :, rows, columns])
        return (dx,)


class MaxPoolForgetsStride(MaxPool):
    """Each patch goes back one step further, whatever the stride."""

    def back(self, dout, cache):
        x, cols, place = cache
        return (unpatched(self._to(cols, place, dout), x, self.k, 1, 0),)


class MaxPoolWherePositive(MaxPool):
    """Looks for the largest among zeros, so that negative ones get nothing."""

    def _to(self, cols, place, dout):
        return super()._to(cols, place, dout) * (cols.real > 0)


class MaxPoolRemembers(MaxPool):
    """Keeps where the largest entries were; refuses another input."""

    _seen = None
    _kept = None

    def updateOutput(self, input):
        self.output, self._kept = self.run(input)
        self._seen = input
        return self.output

    def updateGradInput(self, input, gradOutput):
        if input is not self._seen and not np.array_equal(input, self._seen):
            raise StateError("input is not that of the last forward")
        (self.gradInput,) = self.back(gradOutput, self._kept)
        return self.gradInput


class MaxPoolOfLastForward(MaxPoolRemembers):
    def updateGradInput(self, input, gradOutput):
        (self.gradInput,) = self.back(gradOutput, self._kept)
        return self.gradInput


class AveragePool(Functional):
    """The mean of each patch; at the border, of what is there."""

    def __init__(self, k=3, stride=2, pad=1):
        self.k, self.stride, self.pad = k, stride, pad

    def _counts(self, x):
        return patches(np.ones_like(x[:1, :1]), self.k, self.stride, self.pad).sum(2)

    def run(self, x):
        sums = patches(x, self.k, self.stride, self.pad).sum(2)
        return sums / self._counts(x), x

    def _divisors(self, x):
        return self._counts(x)

    def back(self, dout, x):
        dcols = (dout / self._divisors(x))[:, :, None].repeat(self.k**2, axis=2)
        return (unpatched(dcols, x, self.k, self.stride, self.pad),)


class AveragePoolCountsPadding(AveragePool):
    def _divisors(self, x):
        return self.k**2


class AveragePoolSums(AveragePool):
    def _divisors(self, x):
        return 1


class AveragePoolOffByOne(AveragePool):
    """Every patch goes back one column further to the right."""

    def back(self, dout, x):
        (dx,) = super().back(dout, x)
        return (np.roll(dx, 1, axis=3),)


class GlobalAverage(Functional):
    """(N, C, H, W) to (N, C)."""

    def run(self, x):
        return x.mean((2, 3)), x

    def back(self, dout, x):
        size = x.shape[2] * x.shape[3]
        return (np.zeros_like(x) + dout[:, :, None, None] / size,)


class GlobalAverageDividesByWidth(GlobalAverage):
    """x.shape[2] is the height alone."""

    def back(self, dout, x):
        return (np.zeros_like(x) + dout[:, :, None, None] / x.shape[2],)


class GlobalAverageOverBatch(GlobalAverage):
    """Divides by the number of samples, too."""

    def back(self, dout, x):
        (dx,) = super().back(dout, x)
        return (dx / max(len(x), 1),)


class GlobalMax(Functional):
    """The largest of each row, (N, T, n) to (N, n): max over time."""

    def run(self, x):
        return x.max(1), x

    def back(self, dout, x):
        first = x.real.argmax(1)[:, None]
        dx = np.zeros_like(x)
        np.put_along_axis(dx, first, dout[:, None], 1)
        return (dx,)


class GlobalMaxPaysEachTie(GlobalMax):
    """x == x.max(): padded sequences are full of equal rows."""

    def back(self, dout, x):
        return (dout[:, None] * (x == x.max(1, keepdims=True)),)


class GlobalMaxAlongWrongAxis(GlobalMax):
    """argmax over the columns, which only square samples do not refuse."""

    def back(self, dout, x):
        dx = np.zeros_like(x)
        np.put_along_axis(dx, x.real.argmax(2)[:, None], dout[:, None], 1)
        return (dx,)


class GlobalMaxOfFirstSample(GlobalMax):
    """Where the first sample's largest steps are, for all samples."""

    def back(self, dout, x):
        first = x[:1].real.argmax(1)[:, None]
        dx = np.zeros_like(x)
        np.put_along_axis(dx, first.repeat(len(x), axis=0), dout[:, None], 1)
        return (dx,)


class PowerPool(Functional):
    """The cube root of the sum of cubes of positive numbers, pair by pair of columns."""

    def run(self, x):
        pairs = x.reshape(len(x), x.shape[1] // 2, 2)
        output = (pairs**3).sum(-1) ** (1 / 3)
        return output, (x, pairs, output)

    def _root(self, output):
        return output**2

    def back(self, dout, cache):
        x, pairs, output = cache
        return ((pairs**2 * (dout / self._root(output))[..., None]).reshape(x.shape),)


class PowerPoolForgetsRoot(PowerPool):
    def _root(self, output):
        return 1


class PowerPoolOfWrongPower(PowerPool):
    def _root(self, output):
        return output


class Enlarged(Functional):
    """Every pixel twice in each direction."""

    def run(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3), x

    def back(self, dout, x):
        N, C, H, W = x.shape
        return (dout.reshape(N, C, H, 2, W, 2).sum((3, 5)),)


class EnlargedAverages(Enlarged):
    def back(self, dout, x):
        return (super().back(dout, x)[0] / 4,)


class EnlargedTakesFirst(Enlarged):
    """Every pixel gets the gradient of one of its four."""

    def back(self, dout, x):
        return (dout[:, :, ::2, ::2].copy(),)


class EnlargedMixesRows(Enlarged):
    """The axes of the reshape are exchanged."""

    def back(self, dout, x):
        N, C, H, W = x.shape
        return (dout.reshape(N, C, 2, H, 2, W).sum((2, 4)),)


def images(N, n):
    return (N, n, 4, 5)


def even_positive(N, n):
    return lambda rng: rng.integers(1, 32, (N, 2 * n)) / 8


def halves(N, n):
    """Small whole numbers, so that there are ties."""
    return lambda rng: rng.integers(-1, 2, (N, n, 4, 4)).astype(float)


def padded(rng):
    """Sequences of which the last steps are empty."""
    return np.concatenate([rng.integers(-9, -1, (3, 2, 4)), np.zeros((3, 2, 4))], axis=1)


NUMPY = {"duck": "it makes NumPy arrays of its own"}

GOOD = [
    Good(lambda n, m: MaxPool(), images),
    Good(lambda n, m: MaxPool(3, 1), images),
    Good(lambda n, m: MaxPoolRemembers(), images),
    Good(lambda n, m: AveragePool(), images),
    Good(lambda n, m: GlobalAverage(), images),
    Good(lambda n, m: GlobalMax(), lambda N, n: (N, 3, n)),
    Good(lambda n, m: PowerPool(), even_positive),
    Good(lambda n, m: Enlarged(), lambda N, n: (N, n, 2, 3)),
]

IMAGES = (2, 2, 4, 4)

BUGS = [
    Bug(
        lambda: MaxPoolPaysEachTie(),
        halves(2, 2),
        {"gradInput"},
        "equal entries get the gradient more than once",
        pattern="tie",
    ),
    Bug(
        lambda: MaxPoolTakesNextPlace(),
        IMAGES,
        {"gradInput"},
        "the place next to the largest gets its gradient",
        pattern="other places",
    ),
    Bug(
        lambda: MaxPoolReadsPlaceByColumns(),
        IMAGES,
        {"gradInput"},
        "rows and columns of a patch are exchanged",
        pattern="other places",
    ),
    Bug(
        lambda: MaxPoolOverlapsOverwrite(3, 1),
        IMAGES,
        {"gradInput"},
        "where patches overlap, only the last counts",
        pattern="counted once",
    ),
    Bug(
        lambda: MaxPoolForgetsStride(),
        IMAGES,
        {"gradInput"},
        "patches go back side by side",
        pattern="other places",
    ),
    Bug(
        lambda: MaxPoolWherePositive(),
        IMAGES,
        {"gradInput"},
        "negative entries get no gradient",
        pattern="never written",
    ),
    Bug(
        lambda: MaxPoolOfLastForward(),
        IMAGES,
        {"interleave"},
        "the places of the last forward",
        pattern="forward of another input",
    ),
    Bug(
        lambda: AveragePoolCountsPadding(),
        IMAGES,
        {"gradInput"},
        "the padding counts on the way back",
    ),
    Bug(
        lambda: AveragePoolSums(3, 3, 0),
        (2, 2, 6, 6),
        {"gradInput"},
        "not divided by the size of a patch",
        pattern="share an output",
    ),
    Bug(
        lambda: AveragePoolOffByOne(),
        IMAGES,
        {"gradInput"},
        "everything goes back one column further",
        pattern="off by one",
    ),
    Bug(
        lambda: GlobalAverageDividesByWidth(),
        (2, 2, 3, 5),
        {"gradInput"},
        "divided by the height instead of the area",
        pattern="constant factor",
    ),
    Bug(
        lambda: GlobalAverageOverBatch(),
        (5, 2, 2, 3),
        {"gradInput", "batch"},
        "divided by the number of samples, too",
        pattern="averaged",
    ),
    Bug(
        lambda: GlobalMaxPaysEachTie(),
        padded,
        {"gradInput"},
        "equal entries get the gradient more than once",
        pattern="tie",
    ),
    Bug(
        lambda: GlobalMaxAlongWrongAxis(),
        (2, 4, 4),
        {"gradInput"},
        "where the largest of each step is, not of each column",
        pattern="other places",
    ),
    Bug(
        lambda: GlobalMaxOfFirstSample(),
        (3, 4, 2),
        {"gradInput", "batch"},
        "the places of the first sample for all",
        pattern="outside the first sample",
    ),
    Bug(
        lambda: PowerPoolForgetsRoot(),
        even_positive(5, 2),
        {"gradInput"},
        "the derivative of the sum, not of its root",
    ),
    Bug(
        lambda: PowerPoolOfWrongPower(),
        even_positive(5, 2),
        {"gradInput"},
        "divided by the output instead of its square",
    ),
    Bug(
        lambda: EnlargedAverages(),
        (2, 2, 2, 3),
        {"gradInput"},
        "the mean of four gradients, not their sum",
        pattern="constant factor",
    ),
    Bug(
        lambda: EnlargedTakesFirst(),
        (2, 2, 2, 3),
        {"gradInput"},
        "one of four gradients",
        pattern="one of the parts",
    ),
    Bug(lambda: EnlargedMixesRows(), (2, 2, 2, 3), {"gradInput"}, "gradients of other pixels"),
]
