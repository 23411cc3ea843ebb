"""Right criterions; some return Python's numbers, some NumPy's."""

import math

import numpy as np

from bugs.good import Good, fit, odd, signs
from torchlite import nn


def log_softmax(x):
    z = x - x.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


class MeanSquares(nn.Criterion):
    """np.mean as a loss."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.mean((input - target) ** 2)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 * (input - target) / input.size
        return self.gradInput


class MeanAbsolute(nn.Criterion):
    """np.mean as a loss; no analytic function."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.mean(np.abs(input - target))
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.sign(input - target) / input.size
        return self.gradInput


class RootMeanSquares(nn.Criterion):
    """Its slope at the target is 0."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = float(np.sqrt(((input - target) ** 2).mean()))
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        d = input - target
        distance = np.sqrt((d**2).mean())
        self.gradInput = d / (d.size * distance) if distance else 0 * d
        return self.gradInput


class LogCosh(nn.Criterion):
    def updateOutput(self, input, target):
        fit(input, target)
        d = np.abs(input - target)
        self.output = float((d + np.log1p(np.exp(-2 * d)) - math.log(2)).sum())
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.tanh(input - target)
        return self.gradInput


class HuberAt(nn.Criterion):
    """The quadratic part ends at 5/16."""

    def __init__(self, delta=0.3125):
        self.delta = delta

    def updateOutput(self, input, target):
        fit(input, target)
        d = np.abs(input - target)
        loss = np.where(d <= self.delta, d**2 / 2, self.delta * (d - self.delta / 2))
        self.output = loss.sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.clip(input - target, -self.delta, self.delta)
        return self.gradInput


class EpsilonInsensitive(nn.Criterion):
    """max(0, |x - y| - 3/8): its kinks lie at differences of the drawn numbers."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = float(np.maximum(np.abs(input - target) - 0.375, 0).mean())
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        d = input - target
        self.gradInput = np.sign(d) * (np.abs(d) >= 0.375) / d.size
        return self.gradInput


class Quantile(nn.Criterion):
    def __init__(self, q=0.9):
        self.q = q

    def updateOutput(self, input, target):
        fit(input, target)
        d = target - input
        self.output = np.maximum(self.q * d, (self.q - 1) * d).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.where(target > input, -self.q, 1 - self.q).astype(input.dtype)
        return self.gradInput


class Charbonnier(nn.Criterion):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.sqrt((input - target) ** 2 + 1e-6).mean()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        d = input - target
        self.gradInput = d / np.sqrt(d * d + 1e-6) / d.size
        return self.gradInput


class Truncated(nn.Criterion):
    """Squares up to a difference of 3/8, where the kink belongs to the parabola."""

    def updateOutput(self, input, target):
        fit(input, target)
        d = input - target
        self.output = np.where(np.abs(d) >= 0.375, 0.375**2, d * d).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        d = input - target
        self.gradInput = 2 * d * (np.abs(d) <= 0.375)
        return self.gradInput


class HingeLoop(nn.Criterion):
    """Multi-class hinge with a margin of 3/16, by loops."""

    def updateOutput(self, input, target):
        loss = 0.0
        for x, y in zip(input, target, strict=True):
            for j in range(len(x)):
                if j != y:
                    loss += np.maximum(x[j] - x[y] + 0.1875, 0)
        self.output = float(loss) / len(input)
        return self.output

    def updateGradInput(self, input, target):
        gradInput = np.zeros_like(input)
        for x, y, g in zip(input, target, gradInput, strict=True):
            for j in range(len(x)):
                if j != y and x[j] - x[y] + 0.1875 > 0:
                    g[j] += 1
                    g[y] -= 1
        self.gradInput = gradInput / len(input)
        return self.gradInput


class SquaredHinge(nn.Criterion):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = float((np.maximum(1 - input * target, 0) ** 2).sum())
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = -2 * target * np.maximum(1 - input * target, 0)
        return self.gradInput


class LargestViolation(nn.Criterion):
    """Crammer and Singer: the most violating class only."""

    def _margins(self, x, y):
        rows = np.arange(len(x))
        m = x - x[rows, y][:, None] + 1
        m[rows, y] = 0
        return rows, m

    def updateOutput(self, input, target):
        self.output = float(self._margins(input, target)[1].max(axis=1).sum())
        return self.output

    def updateGradInput(self, input, target):
        rows, m = self._margins(input, target)
        worst = m.argmax(axis=1)
        gradInput = np.zeros_like(input)
        np.add.at(gradInput, (rows, worst), 1)
        np.add.at(gradInput, (rows, target), -1)
        self.gradInput = gradInput
        return gradInput


class CrossEntropy(nn.Criterion):
    """Of scores and classes, np.mean."""

    def updateOutput(self, input, target):
        self.output = -np.mean(log_softmax(input)[np.arange(len(input)), target])
        return self.output

    def updateGradInput(self, input, target):
        hot = np.eye(input.shape[1], dtype=input.dtype)[target]
        self.gradInput = (np.exp(log_softmax(input)) - hot) / len(input)
        return self.gradInput


class Smoothed(nn.Criterion):
    """Cross-entropy with label smoothing."""

    def __init__(self, smoothing=0.1):
        self.smoothing = smoothing

    def _goal(self, input, target):
        goal = np.full(input.shape, self.smoothing / input.shape[1], input.dtype)
        goal[np.arange(len(input)), target] += 1 - self.smoothing
        return goal

    def updateOutput(self, input, target):
        loss = -(self._goal(input, target) * log_softmax(input)).sum() / len(input)
        self.output = loss.item()
        return self.output

    def updateGradInput(self, input, target):
        p = np.exp(log_softmax(input))
        self.gradInput = (p - self._goal(input, target)) / len(input)
        return self.gradInput


class Focal(nn.Criterion):
    """-(1 - p)^gamma log p of the right class."""

    gamma = 2

    def updateOutput(self, input, target):
        lp = log_softmax(input)[np.arange(len(input)), target]
        self.output = float(-(((1 - np.exp(lp)) ** self.gamma) * lp).sum())
        return self.output

    def updateGradInput(self, input, target):
        lp = log_softmax(input)
        p = np.exp(lp)
        rows = np.arange(len(input))
        pt, lt = p[rows, target][:, None], lp[rows, target][:, None]
        dlt = self.gamma * (1 - pt) ** (self.gamma - 1) * pt * lt - (1 - pt) ** self.gamma
        hot = np.zeros_like(input)
        hot[rows, target] = 1
        self.gradInput = dlt * (hot - p)
        return self.gradInput


class ClassWeighted(nn.Criterion):
    """Cross-entropy with a weight for every class, over the sum of the weights."""

    def __init__(self, count):
        self.weights = np.arange(1.0, count + 1)

    def updateOutput(self, input, target):
        w = self.weights[target]
        chosen = np.take_along_axis(log_softmax(input), target[:, None], 1)[:, 0]
        self.output = (-(w * chosen).sum() / w.sum()).item()
        return self.output

    def updateGradInput(self, input, target):
        w = self.weights[target]
        p = np.exp(log_softmax(input))
        p[np.arange(len(p)), target] -= 1
        self.gradInput = p * (w / w.sum())[:, None]
        return self.gradInput


class Ignoring(nn.Criterion):
    """Cross-entropy over sequences that leaves out the steps with a target of -1."""

    def updateOutput(self, input, target):
        lp = log_softmax(input)
        real = target >= 0
        chosen = np.take_along_axis(lp, np.where(real, target, 0)[..., None], -1)[..., 0]
        self.output = float(-(chosen * real).sum()) / max(int(real.sum()), 1)
        return self.output

    def updateGradInput(self, input, target):
        real = target >= 0
        hot = np.eye(input.shape[-1], dtype=input.dtype)[np.where(real, target, 0)]
        g = (np.exp(log_softmax(input)) - hot) * real[..., None]
        self.gradInput = g / max(int(real.sum()), 1)
        return self.gradInput


class NegativeLogLikelihood(nn.Criterion):
    """Of log-probabilities, sample by sample."""

    def updateOutput(self, input, target):
        self.output = -sum(float(row[k]) for row, k in zip(input.real, target, strict=True))
        return self.output

    def updateGradInput(self, input, target):
        g = np.zeros_like(input)
        for i, k in enumerate(target):
            g[i, k] = -1
        self.gradInput = g
        return g


class BinaryOfScores(nn.Criterion):
    """Stable for any score."""

    def updateOutput(self, input, target):
        fit(input, target)
        loss = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
        self.output = loss.mean()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = (0.5 * (1 + np.tanh(input / 2)) - target) / input.size
        return self.gradInput


class Clipped(nn.Criterion):
    """Binary cross-entropy of probabilities that are kept off 0 and 1."""

    eps = 1e-7

    def updateOutput(self, input, target):
        fit(input, target)
        p = np.clip(input, self.eps, 1 - self.eps)
        self.output = float(-(target * np.log(p) + (1 - target) * np.log(1 - p)).mean())
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        p = np.clip(input, self.eps, 1 - self.eps)
        inside = (input > self.eps) & (input < 1 - self.eps)
        self.gradInput = inside * (p - target) / (p * (1 - p)) / input.size
        return self.gradInput


class ExponentialLoss(nn.Criterion):
    """AdaBoost's."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = float(np.exp(-input * target).sum())
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = -target * np.exp(-input * target)
        return self.gradInput


class Poisson(nn.Criterion):
    """exp(x) - y x."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = float(np.mean(np.exp(input) - target * input))
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = (np.exp(input) - target) / input.size
        return self.gradInput


class Gaussian(nn.Criterion):
    """[mean, log variance]: the negative log-likelihood of the target."""

    def updateOutput(self, input, target):
        mean, logvar = input
        self.output = float(0.5 * (logvar + (target - mean) ** 2 * np.exp(-logvar)).sum())
        return self.output

    def updateGradInput(self, input, target):
        mean, logvar = input
        d, inverse = mean - target, np.exp(-logvar)
        self.gradInput = [d * inverse, 0.5 * (1 - d * d * inverse)]
        return self.gradInput


class Latent(nn.Criterion):
    """[mean, log variance]: the divergence from the standard normal, of a variational encoder."""

    def updateOutput(self, input, target=None):
        mean, logvar = input
        self.output = -0.5 * (1 + logvar - mean**2 - np.exp(logvar)).sum()
        return self.output

    def updateGradInput(self, input, target=None):
        mean, logvar = input
        self.gradInput = [mean.copy(), 0.5 * (np.exp(logvar) - 1)]
        return self.gradInput


class Divergence(nn.Criterion):
    """Kullback and Leibler, of scores against probabilities."""

    def updateOutput(self, input, target):
        fit(input, target)
        lp = log_softmax(input)
        self.output = float((target * (np.log(target) - lp)).sum() / len(input))
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        p = np.exp(log_softmax(input))
        self.gradInput = (p * target.sum(1, keepdims=True) - target) / len(input)
        return self.gradInput


class Triplet(nn.Criterion):
    """[anchor, positive, negative]; there is no target."""

    margin = 1.0

    def _gap(self, input):
        a, p, n = input
        return ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + self.margin

    def updateOutput(self, input, target=None):
        self.output = float(np.maximum(self._gap(input), 0).sum())
        return self.output

    def updateGradInput(self, input, target=None):
        a, p, n = input
        on = np.where(self._gap(input) > 0, 2.0, 0.0).astype(a.dtype)[:, None]
        self.gradInput = [on * (n - p), on * (p - a), on * (a - n)]
        return self.gradInput


class Contrastive(nn.Criterion):
    """[a, b] with targets of 1 for alike and 0 for different."""

    margin = 2.0

    def _distance(self, input):
        a, b = input
        return a - b, np.sqrt(((a - b) ** 2).sum(1) + 1e-9)

    def updateOutput(self, input, target):
        _, d = self._distance(input)
        loss = target * d**2 + (1 - target) * np.maximum(self.margin - d, 0) ** 2
        self.output = float(loss.sum()) / 2
        return self.output

    def updateGradInput(self, input, target):
        diff, d = self._distance(input)
        g = target * d - (1 - target) * np.maximum(self.margin - d, 0)
        grad = (g / d)[:, None] * diff
        self.gradInput = [grad, -grad]
        return self.gradInput


class CosineEmbedding(nn.Criterion):
    """[a, b] with targets of 1 and -1."""

    def _parts(self, input):
        a, b = input
        ra = np.sqrt((a * a).sum(1, keepdims=True))
        rb = np.sqrt((b * b).sum(1, keepdims=True))
        return a / ra, ra, b / rb, rb, ((a / ra) * (b / rb)).sum(1, keepdims=True)

    def updateOutput(self, input, target):
        c = self._parts(input)[-1][:, 0]
        self.output = np.where(target > 0, 1 - c, np.maximum(c, 0)).mean()
        return self.output

    def updateGradInput(self, input, target):
        u, ra, v, rb, c = self._parts(input)
        s = np.where(target[:, None] > 0, -1, c > 0).astype(c.dtype) / len(c)
        self.gradInput = [s * (v - c * u) / ra, s * (u - c * v) / rb]
        return self.gradInput


class InfoNce(nn.Criterion):
    """[a, b]: row i of a belongs to row i of b; there is no target."""

    def updateOutput(self, input, target=None):
        a, b = input
        self.output = float(-np.diagonal(log_softmax(a @ b.T)).mean())
        return self.output

    def updateGradInput(self, input, target=None):
        a, b = input
        dz = (np.exp(log_softmax(a @ b.T)) - np.eye(len(a), dtype=a.dtype)) / len(a)
        self.gradInput = [dz @ b, dz.T @ a]
        return self.gradInput


class Ranking(nn.Criterion):
    """[a, b] and y: max(0, -y (a - b) + 1/8)."""

    def updateOutput(self, input, target):
        a, b = input
        self.output = float(np.maximum(0.125 - target * (a - b), 0).sum())
        return self.output

    def updateGradInput(self, input, target):
        a, b = input
        on = -target * (target * (a - b) < 0.125)
        self.gradInput = [on, -on]
        return self.gradInput


class Dice(nn.Criterion):
    """1 - 2 |x y| / (|x| + |y|) of probabilities."""

    def updateOutput(self, input, target):
        fit(input, target)
        top, below = 2 * (input * target).sum() + 1, input.sum() + target.sum() + 1
        self.output = float(1 - top / below)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        top, below = 2 * (input * target).sum() + 1, input.sum() + target.sum() + 1
        self.gradInput = top / below**2 - 2 * target / below
        return self.gradInput


class Cosine(nn.Criterion):
    """1 - the mean cosine of the rows."""

    def updateOutput(self, input, target):
        fit(input, target)
        lengths = np.linalg.norm(input, axis=1) * np.linalg.norm(target, axis=1)
        self.output = np.mean(1 - (input * target).sum(1) / lengths)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        r = np.linalg.norm(input, axis=1, keepdims=True)
        u, v = input / r, target / np.linalg.norm(target, axis=1, keepdims=True)
        self.gradInput = -(v - u * (u * v).sum(1, keepdims=True)) / r / len(input)
        return self.gradInput


class TotalVariation(nn.Criterion):
    """The sum of the absolute differences of neighbours; there is no target."""

    def updateOutput(self, input, target=None):
        self.output = np.abs(np.diff(input, axis=1)).sum().item()
        return self.output

    def updateGradInput(self, input, target=None):
        s = np.sign(np.diff(input, axis=1))
        g = np.zeros_like(input)
        g[:, 1:] += s
        g[:, :-1] -= s
        self.gradInput = g
        return g


class Entropy(nn.Criterion):
    """Of the softmax of every row; there is no target."""

    def updateOutput(self, input, target=None):
        lp = log_softmax(input)
        self.output = float(-(np.exp(lp) * lp).sum())
        return self.output

    def updateGradInput(self, input, target=None):
        lp = log_softmax(input)
        p = np.exp(lp)
        self.gradInput = -p * (lp - (p * lp).sum(-1, keepdims=True))
        return self.gradInput


class NearestCentre(nn.Criterion):
    """The squared distance from the nearest row of the target, as in k-means."""

    def _nearest(self, input, target):
        d = ((input[:, None] - target[None]) ** 2).sum(-1)
        return d.min(axis=1), target[d.argmin(axis=1)]

    def updateOutput(self, input, target):
        self.output = float(self._nearest(input, target)[0].sum())
        return self.output

    def updateGradInput(self, input, target):
        self.gradInput = 2 * (input - self._nearest(input, target)[1])
        return self.gradInput


class MultiLabel(nn.Criterion):
    """The logistic loss of every label, the mean over labels and the sum over samples."""

    def updateOutput(self, input, target):
        fit(input, target)
        z = np.where(target > 0, -input, input)
        loss = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
        self.output = sum(float(np.mean(row)) for row in loss.real)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        sign = np.where(target > 0, -1, 1).astype(input.dtype)
        g = sign * 0.5 * (1 + np.tanh(sign * input / 2)) / input.shape[1]
        self.gradInput = g
        return g


class Elastic(nn.Criterion):
    """Squares and magnitudes of the input; there is no target."""

    def updateOutput(self, input, target=None):
        self.output = 0.5 * (input**2).sum() + 0.25 * np.abs(input).sum()
        return self.output

    def updateGradInput(self, input, target=None):
        self.gradInput = input + 0.25 * np.sign(input)
        return self.gradInput


def same(N, n):
    return (N, n)


def pair(N, n):
    return [(N, n), (N, n)]


def few(N, n):
    """Next to 0: many differences are as large as the margins."""
    return lambda rng: (2 * rng.integers(-4, 4, (N, n)) + 1) / 16


def far(N, n):
    """All but the first where the tails of exp are so small that differences do not show them."""
    away = np.resize([0.0, -20.0, 16.0, 20.0], n)
    return lambda rng: odd(rng, (N, n)) + away


def classes(N, n):
    return lambda rng: rng.integers(0, n, N)


def some_missing(N, n):
    return lambda rng: rng.integers(-1, n, (N, 3))


def zero_or_one(N, n):
    return lambda rng: rng.integers(0, 2, (N, n)).astype(float)


def alike(N, n):
    return lambda rng: rng.integers(0, 2, N).astype(float)


def sign(N, n):
    return lambda rng: rng.choice([-1.0, 1.0], N)


def counts(N, n):
    return lambda rng: rng.integers(0, 5, (N, n)).astype(float)


def probabilities(N, n):
    return lambda rng: rng.integers(1, 16, (N, n)) / 16


def distribution(N, n):
    def draw(rng):
        p = rng.integers(1, 9, (N, n)) / 8
        return p / p.sum(1, keepdims=True)

    return draw


def centres(N, n):
    return lambda rng: odd(rng, (4, n))


def nothing(N, n):
    return lambda rng: None


LABELS = {"nan": "a label is either positive or not"}
HEADS = ((5, 3, 4), (1, 4, 4), (32, 100, 4))

GOOD = [
    *(
        Good(lambda n, m, kind=kind: kind(), same, same)
        for kind in (MeanSquares, MeanAbsolute, RootMeanSquares, LogCosh, Quantile, Charbonnier)
    ),
    Good(lambda n, m: HuberAt(), same, same),
    Good(lambda n, m: HuberAt(), few, few, label="near"),
    Good(lambda n, m: EpsilonInsensitive(), same, same),
    Good(lambda n, m: EpsilonInsensitive(), few, few, label="near"),
    Good(lambda n, m: Truncated(), same, same),
    Good(lambda n, m: Truncated(), few, few, label="near"),
    Good(lambda n, m: HingeLoop(), same, classes),
    Good(lambda n, m: HingeLoop(), few, classes, label="near"),
    Good(lambda n, m: SquaredHinge(), same, signs),
    Good(lambda n, m: LargestViolation(), same, classes),
    Good(lambda n, m: CrossEntropy(), same, classes, sizes=HEADS),
    Good(lambda n, m: Smoothed(), same, classes, sizes=HEADS),
    Good(lambda n, m: Focal(), same, classes, sizes=HEADS),
    Good(lambda n, m: ClassWeighted(n), same, classes),
    Good(lambda n, m: Ignoring(), lambda N, n: (N, 3, n), some_missing),
    Good(lambda n, m: NegativeLogLikelihood(), same, classes),
    Good(lambda n, m: BinaryOfScores(), same, zero_or_one, sizes=HEADS),
    Good(lambda n, m: BinaryOfScores(), far, zero_or_one, label="far"),
    Good(lambda n, m: Clipped(), probabilities, zero_or_one),
    Good(lambda n, m: ExponentialLoss(), same, signs),
    Good(lambda n, m: Poisson(), same, counts),
    Good(lambda n, m: Gaussian(), pair, same),
    Good(lambda n, m: Latent(), pair, nothing),
    Good(lambda n, m: Divergence(), same, distribution),
    Good(lambda n, m: Triplet(), lambda N, n: [(N, n)] * 3, nothing),
    Good(lambda n, m: Contrastive(), pair, alike),
    Good(lambda n, m: CosineEmbedding(), pair, sign, exempt=LABELS),
    Good(lambda n, m: InfoNce(), pair, nothing),
    Good(lambda n, m: Ranking(), lambda N, n: [(N,), (N,)], sign),
    Good(lambda n, m: Dice(), probabilities, zero_or_one),
    Good(lambda n, m: Cosine(), same, same),
    Good(lambda n, m: TotalVariation(), lambda N, n: (N, n + 1), nothing),
    Good(lambda n, m: Entropy(), same, nothing, sizes=HEADS),
    Good(lambda n, m: NearestCentre(), same, centres),
    Good(lambda n, m: MultiLabel(), same, zero_or_one, exempt=LABELS),
    Good(lambda n, m: Elastic(), same, nothing),
]
