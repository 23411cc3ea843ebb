"""Right layers that sort: which of equal entries has a gradient, the sort says."""

import numpy as np

from bugs.good import Good, odd
from bugs.good_kinks import tied, whole
from bugs.good_normalisation import equal_rows
from torchlite import nn

NAN_LAST = {"nan": "NumPy sorts NaN behind all numbers, and no more than some are taken"}


class Ranked(nn.Module):
    """A sum of the sorted entries of every row, weighted by their ranks."""

    def ranks(self, n):
        """The weights: a column an output."""
        raise NotImplementedError

    def updateOutput(self, input):
        self.output = np.sort(input, axis=1) @ self.ranks(input.shape[1]).astype(input.real.dtype)
        return self.output

    def updateGradInput(self, input, gradOutput):
        places = np.argsort(input, axis=1, kind="stable")
        shares = gradOutput @ self.ranks(input.shape[1]).astype(input.dtype).T
        self.gradInput = np.zeros_like(input)
        np.put_along_axis(self.gradInput, places, shares, axis=1)
        return self.gradInput


class Sorted(Ranked):
    def ranks(self, n):
        return np.eye(n)


class LargestThree(Ranked):
    def ranks(self, n):
        return np.eye(n)[:, : -4 if n > 3 else None : -1]


class Quantile(Ranked):
    """Between the two ranks next to 0.3 of the way."""

    def ranks(self, n):
        place = 0.3 * (n - 1)
        return np.maximum(0, 1 - np.abs(np.arange(n) - place))[:, None]


class TrimmedMean(Ranked):
    """Without the smallest and the largest, if there are more."""

    def ranks(self, n):
        inside = np.arange(n) % (n - 1) > 0 if n > 2 else np.ones(n)
        return inside[:, None] / inside.sum()


class Spread(Ranked):
    def ranks(self, n):
        return (np.eye(n)[-1] - np.eye(n)[0])[:, None]


class SharedQuantile(Quantile):
    """Equal entries share what they get."""

    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        for x, row in zip(input, gradInput, strict=True):
            for number in np.unique(x):
                row[x == number] = row[x == number].mean()
        return gradInput


class OffMedian(nn.Module):
    """What each entry is above the median of its row."""

    def updateOutput(self, input):
        self.output = input - np.median(input, axis=1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        n = input.shape[1]
        places = np.argsort(input, axis=1, kind="stable")[:, [(n - 1) // 2, n // 2]]
        rows = np.arange(len(input))[:, None]
        self.gradInput = gradOutput.copy()
        np.subtract.at(self.gradInput, (rows, places), gradOutput.sum(1, keepdims=True) / 2)
        return self.gradInput


class DistancesOfPairs(nn.Module):
    """Of each entry, the sum of its distances from the others."""

    def updateOutput(self, input):
        self.output = np.abs(input[:, :, None] - input[:, None]).sum(axis=2)
        return self.output

    def updateGradInput(self, input, gradOutput):
        signs = np.sign(input[:, :, None] - input[:, None])
        pairs = signs * gradOutput[:, :, None]
        self.gradInput = pairs.sum(axis=2) - pairs.sum(axis=1)
        return self.gradInput


def nearly_tied(gap):
    """Few numbers, each times nearly one."""

    def input(N, n):
        def draw(rng):
            numbers = rng.choice([-1.25, 0.5, 2.0], (N, n))
            return numbers + gap * rng.normal(size=(N, n))

        return draw

    return input


MANY, SMALL, ONE = ((24, 12, 4), (5, 3, 4)), ((5, 3, 4), (1, 3, 2)), ((20, 13, 4),)

GOOD = [
    *(
        Good(lambda n, m, kind=kind: kind(), tied, exempt=NAN_LAST, sizes=MANY, label="tied")
        for kind in (Sorted, LargestThree, Quantile, SharedQuantile, TrimmedMean, Spread, OffMedian)
    ),
    *(
        Good(
            lambda n, m, kind=kind: kind(),
            equal_rows,
            exempt=NAN_LAST,
            sizes=MANY,
            label="equal rows",
        )
        for kind in (Sorted, TrimmedMean, DistancesOfPairs)
    ),
    *(
        Good(
            lambda n, m, kind=kind: kind(),
            nearly_tied(gap),
            exempt=NAN_LAST,
            sizes=sizes,
            label=f"{gap:g} apart",
        )
        for gap in (1e-12, 1e-7, 1e-5)
        for kind, sizes in ((Sorted, ONE), (Quantile, ONE), (DistancesOfPairs, SMALL))
    ),
    Good(lambda n, m: LargestThree(), whole, exempt=NAN_LAST, sizes=ONE, label="whole"),
    Good(
        lambda n, m: OffMedian(),
        lambda N, n: lambda rng: odd(rng, (N, n)),
        exempt=NAN_LAST,
        sizes=MANY,
    ),
]
