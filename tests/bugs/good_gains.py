"""Right layers whose parameters have a domain, a kink or a sign of their own."""

import numpy as np

from bugs.cs231n import Functional
from bugs.good import Good
from torchlite import random
from torchlite.errors import ShapeError


class ByGain(Functional):
    """x times a function of w, a number for each column; w starts at `start`."""

    learned = ("w",)
    start = 1.0

    def __init__(self, n):
        self.w, self.dw = np.full(n, self.start), np.zeros(n)

    def run(self, x):
        return x * self.gain(self.w), x

    def back(self, dout, x):
        return dout * self.gain(self.w), self.slope(self.w) * (dout * x).sum(0)


class Size(ByGain):
    def gain(self, w):
        return np.abs(w)

    def slope(self, w):
        return np.sign(w)


class Cut(ByGain):
    """No gain beyond 2, on either side."""

    def gain(self, w):
        return np.clip(w, -2, 2)

    def slope(self, w):
        return (np.abs(w) < 2).astype(w.dtype)


class Floored(ByGain):
    start = 0.75

    def gain(self, w):
        return np.maximum(w, 0)

    def slope(self, w):
        return (w > 0).astype(w.dtype)


class SoftGain(ByGain):
    start = 2.0

    def gain(self, w):
        return np.logaddexp(0, w)

    def slope(self, w):
        return 0.5 * (1 + np.tanh(0.5 * w))


class OpenGate(ByGain):
    """The hard sigmoid."""

    start = 0.0

    def gain(self, w):
        return np.clip(0.2 * w + 0.5, 0, 1)

    def slope(self, w):
        return np.where(np.abs(w) < 2.5, 0.2, 0).astype(w.dtype)


class Root(ByGain):
    def gain(self, w):
        return np.sqrt(w)

    def slope(self, w):
        return 0.5 / np.sqrt(w)


class LogGain(ByGain):
    start = 2.0

    def gain(self, w):
        return np.log(w)

    def slope(self, w):
        return 1 / w


class LogOdds(ByGain):
    """w is a probability."""

    start = 0.5

    def __init__(self, n):
        super().__init__(n)
        self.w += random.uniform(-0.2, 0.2, size=n)

    def gain(self, w):
        return np.log(w / (1 - w))

    def slope(self, w):
        return 1 / (w * (1 - w))


class Odds(LogOdds):
    """w is a probability, and nothing else is taken for one."""

    def gain(self, w):
        if ((w.real <= 0) | (w.real >= 1)).any():
            raise ValueError("Odds: w must lie between 0 and 1")
        return w / (1 - w)

    def slope(self, w):
        return 1 / (1 - w) ** 2


class ByDeviation(ByGain):
    """Divides by a deviation, and refuses one that is none."""

    def gain(self, w):
        if (w.real <= 0).any():
            raise ValueError("ByDeviation: w must be positive")
        return 1 / w

    def slope(self, w):
        return -1 / (w * w)


class Warned(ByDeviation):
    """Says by NaN that a deviation is none."""

    def gain(self, w):
        return np.where(w.real > 0, 1 / w, np.nan)


class Power(ByGain):
    """A positive number to the power of x's column."""

    start = 1.5

    def run(self, x):
        return self.w**x, x

    def back(self, dout, x):
        y = self.w**x
        return dout * y * np.log(self.w), (dout * x * y / self.w).sum(0)


class Tempered(ByGain):
    """x / max(w, 0.1): no temperature is lower."""

    def _kept(self, w):
        return np.where(w.real > 0.1, w, 0.1)

    def run(self, x):
        return x / self._kept(self.w), x

    def slope(self, w):
        return (w > 0.1).astype(w.dtype)

    def back(self, dout, x):
        kept = self._kept(self.w)
        return dout / kept, -self.slope(self.w) * (dout * x).sum(0) / kept**2


class Width(ByGain):
    """exp(-w x^2), which grows where w is negative."""

    start = 0.5

    def run(self, x):
        return np.exp(-self.w * x * x), x

    def back(self, dout, x):
        d = dout * np.exp(-self.w * x * x)
        return -2 * d * self.w * x, -(d * x * x).sum(0)


class LogWidth(ByGain):
    """exp(-exp(w) x^2), no width beyond exp(2)."""

    start = 0.0

    def _width(self):
        return np.exp(np.where(self.w.real < 2, self.w, 2))

    def run(self, x):
        return np.exp(-self._width() * x * x), x

    def slope(self, w):
        return np.where(w < 2, np.exp(w), 0).astype(w.dtype)

    def back(self, dout, x):
        d = dout * np.exp(-self._width() * x * x)
        return -2 * d * self._width() * x, -self.slope(self.w) * (d * x * x).sum(0)


class Shares(ByGain):
    """x times w's shares of the sum of sizes."""

    def _signs(self):
        return np.sign(self.w)

    def run(self, x):
        return x * self.w / np.abs(self.w).sum(), x

    def back(self, dout, x):
        total, g = np.abs(self.w).sum(), (dout * x).sum(0)
        return dout * self.w / total, g / total - self._signs() * (g * self.w).sum() / total**2


class Shrunk(ByGain):
    """Soft threshold: what is nearer to 0 than w is 0."""

    def run(self, x):
        return np.sign(x) * np.maximum(np.abs(x) - self.w, 0), x

    def back(self, dout, x):
        on = np.abs(x) > self.w
        return dout * on, -(dout * np.sign(x) * on).sum(0)


class MaxNormed(Functional):
    """W / max(1, |W|.max()), of W that starts small."""

    learned = ("W",)

    def __init__(self, n, m):
        self.draw(W=(n, m))
        self.W *= 0.2

    def _normed(self):
        sizes = np.abs(self.W)
        largest = sizes.max()
        hot = (sizes == largest) * np.sign(self.W) if largest > 1 else 0 * self.W
        n = max(largest, self.W.dtype.type(1).real)
        return self.W / n, n, hot

    def run(self, x):
        return x @ self._normed()[0], x

    def back(self, dout, x):
        W, n, hot = self._normed()
        dW = x.T @ dout
        return dout @ W.T, dW / n - hot * (dW * W).sum() / n


class RowsOfNorm(Functional):
    """Rows of a table, none longer than 1."""

    learned = ("E",)

    def __init__(self, count, size):
        self.draw(E=(count, size))
        self.E *= 0.1

    def _lengths(self, rows):
        return np.sqrt((rows * rows).sum(-1, keepdims=True))

    def _along(self, rows, lengths):
        return np.where(lengths > 1, rows / lengths, 0).astype(rows.dtype)

    def run(self, ids):
        rows = self.E[ids]
        lengths = self._lengths(rows)
        return rows / np.where(lengths.real > 1, lengths, 1), ids

    def back(self, dout, ids):
        rows = self.E[ids]
        lengths = self._lengths(rows)
        unit = self._along(rows, lengths)
        d = (dout - unit * (dout * unit).sum(-1, keepdims=True)) / np.maximum(lengths, 1)
        dE = np.zeros_like(self.E)
        np.add.at(dE, ids, d)
        return np.zeros_like(ids), dE


class LengthsApart(Functional):
    """x @ (g v / |v|): lengths apart from directions."""

    learned = ("v", "g")

    def __init__(self, n, m):
        self.draw(v=(n, m), g=m)

    def run(self, x):
        n = np.sqrt((self.v * self.v).sum(0))
        return x @ (self.g * self.v / n), x

    def back(self, dout, x):
        n = np.sqrt((self.v * self.v).sum(0))
        u = self.v / n
        dW = x.T @ dout
        dg = (dW * u).sum(0)
        return dout @ (self.g * u).T, self.g / n * (dW - u * dg), dg


class Distances(Functional):
    """exp(-gamma |x - c|^2) to each of m centres."""

    learned = ("c", "gamma")

    def __init__(self, n, m):
        self.draw(c=(m, n))
        self.gamma, self.dgamma = np.full(m, 0.25), np.zeros(m)

    def run(self, x):
        apart = x[:, None, :] - self.c
        squares = (apart * apart).sum(-1)
        return np.exp(-self.gamma * squares), (apart, squares)

    def back(self, dout, cache):
        apart, squares = cache
        d = dout * np.exp(-self.gamma * squares)
        da = -2 * (d * self.gamma)[..., None] * apart
        return da.sum(1), -da.sum(0), -(d * squares).sum(0)


class SlopesOfChannels(Functional):
    """A slope for what is negative, of each channel."""

    learned = ("w",)

    def __init__(self, n):
        self.w, self.dw = np.full(n, 0.25), np.zeros(n)

    def run(self, x):
        return np.where(x.real > 0, x, x * self.w[:, None]), x

    def back(self, dout, x):
        low = x <= 0
        return np.where(low, dout * self.w[:, None], dout), (dout * x * low).sum((0, 2))


class Whitened(Functional):
    """x times the factor of a positive definite matrix, given by its logarithmic diagonal."""

    learned = ("L", "d")

    def __init__(self, n):
        self.draw(L=(n, n), d=n)

    def _factor(self):
        return np.tril(self.L, -1) + np.diag(np.exp(self.d))

    def run(self, x):
        if x.shape[1:] != self.d.shape:
            raise ShapeError(f"Whitened: input must be (N, {len(self.d)}), got {x.shape}")
        return x @ self._factor(), x

    def back(self, dout, x):
        dF = x.T @ dout
        return dout @ self._factor().T, np.tril(dF, -1), np.diag(dF) * np.exp(self.d)


class LogGammas(Functional):
    """log w! of counts w by Stirling's series, added to x: of positive w alone."""

    learned = ("w",)

    def __init__(self, n):
        self.w, self.dw = np.full(n, 3.0), np.zeros(n)

    def run(self, x):
        w = self.w
        return x + w * np.log(w) - w + 0.5 * np.log(2 * np.pi * w) + 1 / (12 * w), x

    def back(self, dout, x):
        w = self.w
        return dout.copy(), dout.sum(0) * (np.log(w) + 0.5 / w - 1 / (12 * w * w))


def few(N, n):
    return lambda rng: rng.integers(0, n + 3, (N, 2))


def positive(N, n):
    return lambda rng: rng.uniform(0.25, 2, (N, n))


GAINS = (
    Size,
    Cut,
    Floored,
    SoftGain,
    OpenGate,
    Root,
    LogGain,
    LogOdds,
    Odds,
    ByDeviation,
    Warned,
    Power,
    Tempered,
    Width,
    LogWidth,
    Shares,
    Shrunk,
    LogGammas,
    Whitened,
)

GOOD = [
    *(Good(lambda n, m, kind=kind: kind(n)) for kind in GAINS),
    # Its forward is finite where w is 0, which is no positive number.
    Good(lambda n, m: Power(n), positive, label="of-positive-numbers"),
    Good(lambda n, m: MaxNormed(n, m)),
    Good(lambda n, m: RowsOfNorm(n + 3, m), few),
    Good(lambda n, m: LengthsApart(n, m)),
    Good(lambda n, m: Distances(n, m)),
    Good(lambda n, m: SlopesOfChannels(n), lambda N, n: (N, n, 2)),
]
