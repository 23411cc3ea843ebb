"""Right normalisations, of rows that are equal or nearly so among others."""

import math

import numpy as np

from bugs.good import WHOLE_BATCH, Good, odd
from torchlite import nn, random


class LayerNorm(nn.Module):
    """(x - mean) / sqrt(var + 1e-5), with gain and bias."""

    eps = 1e-5

    def __init__(self, n):
        self.weight, self.bias = np.ones(n), np.zeros(n)
        self.gradWeight, self.gradBias = np.zeros(n), np.zeros(n)

    def _normal(self, x):
        d = x - x.mean(-1, keepdims=True)
        s = np.sqrt((d * d).mean(-1, keepdims=True) + self.eps)
        return d / s, s

    def updateOutput(self, input):
        self.output = self._normal(input)[0] * self.weight + self.bias
        return self.output

    def updateGradInput(self, input, gradOutput):
        z, s = self._normal(input)
        g = gradOutput * self.weight
        self.gradInput = (g - g.mean(-1, keepdims=True) - z * (g * z).mean(-1, keepdims=True)) / s
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        z, _ = self._normal(input)
        axes = tuple(range(input.ndim - 1))
        self.gradWeight += scale * (gradOutput * z).sum(axes)
        self.gradBias += scale * gradOutput.sum(axes)


class LayerNormByVar(nn.Module):
    """No parameters; np.var is no analytic function."""

    def updateOutput(self, input):
        mean, var = input.mean(1, keepdims=True), input.var(1, keepdims=True)
        self.output = (input - mean) / np.sqrt(var + 1e-5)
        return self.output

    def updateGradInput(self, input, gradOutput):
        n = input.shape[1]
        s = np.sqrt(input.var(1, keepdims=True) + 1e-5)
        z = (input - input.mean(1, keepdims=True)) / s
        gradInput = np.zeros_like(input)
        for i in range(len(input)):
            J = (np.eye(n) - 1 / n - np.outer(z[i], z[i]) / n) / s[i]
            gradInput[i] = J @ gradOutput[i]
        self.gradInput = gradInput
        return gradInput


class RootMeanSquareNorm(nn.Module):
    eps = 1e-6

    def __init__(self, n):
        self.g = np.ones(n)
        self.dg = np.zeros(n)

    def parameters(self):
        return [self.g], [self.dg]

    def _rms(self, x):
        return np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + self.eps)

    def updateOutput(self, input):
        self.output = input / self._rms(input) * self.g
        return self.output

    def updateGradInput(self, input, gradOutput):
        r = self._rms(input)
        dy = gradOutput * self.g
        self.gradInput = dy / r - input * np.mean(dy * input, axis=-1, keepdims=True) / r**3
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.dg += scale * (gradOutput * input / self._rms(input)).sum(axis=0)


class ScaleNorm(nn.Module):
    """g x / |x|, with one number g."""

    def __init__(self):
        self.g, self.dg = np.array(2.0), np.array(0.0)

    def parameters(self):
        return [self.g], [self.dg]

    def updateOutput(self, input):
        self.output = self.g * input / np.sqrt((input**2).sum(-1, keepdims=True) + 1e-8)
        return self.output

    def updateGradInput(self, input, gradOutput):
        r = np.sqrt((input**2).sum(-1, keepdims=True) + 1e-8)
        along = (gradOutput * input).sum(-1, keepdims=True)
        self.gradInput = self.g * (gradOutput / r - input * along / r**3)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        r = np.sqrt((input**2).sum(-1, keepdims=True) + 1e-8)
        self.dg += scale * (gradOutput * input / r).sum()


class Unit(nn.Module):
    """Rows of length 1, by np.linalg.norm, which is no analytic function."""

    def updateOutput(self, input):
        self.output = input / np.linalg.norm(input, axis=1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        r = np.linalg.norm(input, axis=1, keepdims=True)
        u = input / r
        self.gradInput = (gradOutput - u * (u * gradOutput).sum(1, keepdims=True)) / r
        return self.gradInput


class UnitInL1(nn.Module):
    """Rows whose magnitudes add up to 1."""

    def updateOutput(self, input):
        self.output = input / np.abs(input).sum(1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        r = np.abs(input).sum(1, keepdims=True)
        along = (gradOutput * input).sum(1, keepdims=True)
        self.gradInput = gradOutput / r - np.sign(input) * along / r**2
        return self.gradInput


class GroupNorm(nn.Module):
    """(N, C, H, W) in groups of channels."""

    eps = 1e-5

    def __init__(self, C, groups):
        self.groups = groups
        self.gamma, self.beta = np.ones((1, C, 1, 1)), np.zeros((1, C, 1, 1))
        self.dgamma, self.dbeta = np.zeros_like(self.gamma), np.zeros_like(self.beta)

    def parameters(self):
        return [self.gamma, self.beta], [self.dgamma, self.dbeta]

    def _normal(self, x):
        grouped = x.reshape(len(x), self.groups, math.prod(x.shape[1:]) // self.groups)
        d = grouped - grouped.mean(2, keepdims=True)
        s = np.sqrt((d**2).mean(2, keepdims=True) + self.eps)
        return d / s, s

    def updateOutput(self, input):
        self.output = self.gamma * self._normal(input)[0].reshape(input.shape) + self.beta
        return self.output

    def updateGradInput(self, input, gradOutput):
        z, s = self._normal(input)
        g = (gradOutput * self.gamma).reshape(z.shape)
        d = (g - g.mean(2, keepdims=True) - z * (g * z).mean(2, keepdims=True)) / s
        self.gradInput = d.reshape(input.shape)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        z = self._normal(input)[0].reshape(input.shape)
        self.dgamma += scale * (gradOutput * z).sum((0, 2, 3), keepdims=True)
        self.dbeta += scale * gradOutput.sum((0, 2, 3), keepdims=True)


class InstanceNorm(nn.Module):
    """Every channel of every sample, without parameters."""

    def updateOutput(self, input):
        d = input - input.mean(axis=(2, 3), keepdims=True)
        self.output = d / np.sqrt((d**2).mean(axis=(2, 3), keepdims=True) + 1e-5)
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.empty_like(input)
        for n, c in np.ndindex(*input.shape[:2]):
            x, g = input[n, c], gradOutput[n, c]
            d = x - x.mean()
            var = (d**2).mean() + 1e-5
            gradInput[n, c] = (g - g.mean() - d * (g * d).mean() / var) / np.sqrt(var)
        self.gradInput = gradInput
        return gradInput


class ChannelNorm(nn.Module):
    """Every pixel over its channels, the variance with n - 1."""

    def updateOutput(self, input):
        C = input.shape[1]
        d = input - input.mean(1, keepdims=True)
        self.output = d / np.sqrt((d**2).sum(1, keepdims=True) / (C - 1) + 1e-3)
        return self.output

    def updateGradInput(self, input, gradOutput):
        C = input.shape[1]
        d = input - input.mean(1, keepdims=True)
        var = (d**2).sum(1, keepdims=True) / (C - 1) + 1e-3
        g = (gradOutput - d * (gradOutput * d).sum(1, keepdims=True) / var / (C - 1)) / np.sqrt(var)
        self.gradInput = g - g.mean(1, keepdims=True)
        return self.gradInput


class LocalResponse(nn.Module):
    """x / (1 + sum of the squares of 3 neighbouring channels) ** 0.75."""

    alpha, beta = 0.1, 0.75

    def _sums(self, y):
        padded = np.pad(y, ((0, 0), (1, 1), (0, 0)))
        return padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]

    def updateOutput(self, input):
        self.output = input / (1 + self.alpha * self._sums(input**2)) ** self.beta
        return self.output

    def updateGradInput(self, input, gradOutput):
        k = 1 + self.alpha * self._sums(input**2)
        back = self._sums(gradOutput * input * k ** (-self.beta - 1))
        self.gradInput = gradOutput * k**-self.beta - 2 * self.alpha * self.beta * input * back
        return self.gradInput


class BatchNormInOneStep(nn.Module):
    """Without affine part; the running statistics in one buffer."""

    def __init__(self, n):
        self.running = np.stack([np.zeros(n), np.ones(n)])

    def _statistics(self, x):
        if self.train and len(x):
            return x.mean(0), ((x - x.mean(0)) ** 2).mean(0)
        return self.running[0], self.running[1]

    def updateOutput(self, input):
        mean, var = self._statistics(input)
        self.output = (input - mean) / np.sqrt(var + 1e-3)
        if self.train and len(input):
            self.running += 0.1 * (np.stack([mean, var]) - self.running)
        return self.output

    def updateGradInput(self, input, gradOutput):
        mean, var = self._statistics(input)
        s = np.sqrt(var + 1e-3)
        g = gradOutput
        if self.train and len(input):
            z = (input - mean) / s
            g = g - g.mean(0) - z * (g * z).mean(0)
        self.gradInput = g / s
        return self.gradInput


class FixedScaler(nn.Module):
    """By mean and deviation of a data set, which are buffers."""

    def __init__(self, n):
        self.mean = random.normal(0, 1, size=n)
        self.std = random.uniform(0.5, 2, size=n)

    def updateOutput(self, input):
        self.output = (input - self.mean) / self.std
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / self.std
        return self.gradInput


class MinMax(nn.Module):
    """Every row between 0 and 1; ties share."""

    def updateOutput(self, input):
        low, high = input.min(1, keepdims=True), input.max(1, keepdims=True)
        self.output = (input - low) / (high - low)
        return self.output

    def updateGradInput(self, input, gradOutput):
        low, high = input.min(1, keepdims=True), input.max(1, keepdims=True)
        span = high - low
        at_low, at_high = (input == low) * 1.0, (input == high) * 1.0
        at_low /= at_low.sum(1, keepdims=True)
        at_high /= at_high.sum(1, keepdims=True)
        y = (input - low) / span
        dlow = -(gradOutput * (1 - y)).sum(1, keepdims=True) / span
        dhigh = -(gradOutput * y).sum(1, keepdims=True) / span
        gradInput = gradOutput / span + at_low * dlow + at_high * dhigh
        self.gradInput = gradInput.astype(input.dtype)
        return self.gradInput


class WeightNormed(nn.Module):
    """Linear with w = g v / |v|."""

    def __init__(self, n, m):
        self.v = random.normal(0, 1, size=(m, n))
        self.g = np.ones((m, 1))
        self.b = np.zeros(m)
        self.dv, self.dg, self.db = np.zeros((m, n)), np.zeros((m, 1)), np.zeros(m)

    def parameters(self):
        return [self.v, self.g, self.b], [self.dv, self.dg, self.db]

    def _w(self):
        r = np.sqrt((self.v**2).sum(1, keepdims=True))
        return r, self.g * self.v / r

    def updateOutput(self, input):
        self.output = input @ self._w()[1].T + self.b
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self._w()[1]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        r, _ = self._w()
        dw = gradOutput.T @ input
        u = self.v / r
        along = (dw * u).sum(1, keepdims=True)
        self.dg += scale * along
        self.dv += scale * self.g / r * (dw - along * u)
        self.db += scale * gradOutput.sum(0)


class WeightStandardised(nn.Module):
    """Linear whose rows have mean 0 and variance 1."""

    def __init__(self, n, m):
        self.weight = random.normal(0, 1, size=(m, n))
        self.gradWeight = np.zeros((m, n))

    def _standard(self):
        d = self.weight - self.weight.mean(1, keepdims=True)
        s = np.sqrt((d**2).mean(1, keepdims=True) + 1e-5)
        return d / s, s

    def updateOutput(self, input):
        self.output = input @ self._standard()[0].T
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self._standard()[0]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        z, s = self._standard()
        dz = gradOutput.T @ input
        dw = (dz - dz.mean(1, keepdims=True) - z * (dz * z).mean(1, keepdims=True)) / s
        self.gradWeight += scale * dw


class CosineLinear(nn.Module):
    """The cosines between the input and every row of the weight."""

    def __init__(self, n, m):
        self.weight = random.normal(0, 1, size=(m, n))
        self.gradWeight = np.zeros((m, n))

    def _parts(self, x):
        rx = np.sqrt((x * x).sum(1, keepdims=True) + 1e-12)
        rw = np.sqrt((self.weight * self.weight).sum(1, keepdims=True) + 1e-12)
        return x / rx, rx, self.weight / rw, rw

    def updateOutput(self, input):
        u, _, w, _ = self._parts(input)
        self.output = u @ w.T
        return self.output

    def updateGradInput(self, input, gradOutput):
        u, rx, w, _ = self._parts(input)
        du = gradOutput @ w
        self.gradInput = (du - u * (u * du).sum(1, keepdims=True)) / rx
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        u, _, w, rw = self._parts(input)
        dw = gradOutput.T @ u
        self.gradWeight += scale * (dw - w * (w * dw).sum(1, keepdims=True)) / rw


class SpectrallyNormed(nn.Module):
    """Linear over its largest singular value, by two vectors that are buffers."""

    def __init__(self, n, m):
        self.weight = random.normal(0, 1, size=(m, n))
        self.gradWeight = np.zeros((m, n))
        u, _, vt = np.linalg.svd(self.weight)
        self.u, self.v = u[:, 0].copy(), vt[0].copy()

    def updateOutput(self, input):
        self.output = input @ self.weight.T / (self.u @ self.weight @ self.v)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight / (self.u @ self.weight @ self.v)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        sigma = self.u @ self.weight @ self.v
        dw = gradOutput.T @ input
        along = (dw * self.weight).sum() / sigma
        self.gradWeight += scale * (dw - along * np.outer(self.u, self.v)) / sigma


def equal_rows(N, n):
    """All entries of a row alike: no variance at all."""
    return lambda rng: np.repeat(odd(rng, (N, 1)), n, axis=1)


def nearly_equal_rows(N, n):
    """They differ by a thousandth."""
    return lambda rng: odd(rng, (N, 1)) + rng.normal(0, 1e-3, (N, n))


def small(N, n):
    """As small as the root of eps."""
    return lambda rng: odd(rng, (N, n)) / 1024


def images(N, n):
    return (N, 4, 2, 3)


def equal_images(N, n):
    return lambda rng: np.tile(odd(rng, (N, 4, 1, 1)), (1, 1, 2, 3))


def equal_samples(N, n):
    """All samples alike, nearly."""
    return lambda rng: odd(rng, (1, n)) + rng.normal(0, 1e-3, (N, n))


def single(N, n):
    return lambda rng: odd(rng, (N, n)).astype("float32")


def spread(N, n):
    """Rows with a smallest and a largest entry that differ."""
    return (N, n + 2)


PAIRS = ((1, 2, 3), (5, 2, 4), (5, 3, 4))

GOOD = [
    Good(lambda n, m: LayerNorm(n)),
    Good(lambda n, m: LayerNorm(n), equal_rows, label="equal rows"),
    Good(lambda n, m: LayerNorm(n), nearly_equal_rows, label="nearly equal rows"),
    Good(lambda n, m: LayerNorm(n), small, label="small"),
    Good(lambda n, m: LayerNorm(n), lambda N, n: (N, 3, n), label="sequences"),
    Good(lambda n, m: LayerNorm(n).float(), single, label="float32"),
    Good(lambda n, m: LayerNormByVar()),
    Good(lambda n, m: LayerNormByVar(), nearly_equal_rows, sizes=PAIRS, label="nearly equal rows"),
    Good(lambda n, m: LayerNormByVar(), equal_rows, label="equal rows"),
    Good(lambda n, m: nn.Sequential(nn.Linear(n, m), LayerNorm(m)), label="norm"),
    Good(lambda n, m: RootMeanSquareNorm(n)),
    Good(lambda n, m: RootMeanSquareNorm(n), small, label="small"),
    Good(lambda n, m: ScaleNorm()),
    Good(lambda n, m: Unit()),
    Good(lambda n, m: UnitInL1()),
    Good(lambda n, m: GroupNorm(4, 2), images),
    Good(lambda n, m: GroupNorm(4, 4), equal_images, label="equal images"),
    Good(lambda n, m: InstanceNorm(), images),
    Good(lambda n, m: InstanceNorm(), equal_images, label="equal images"),
    Good(lambda n, m: ChannelNorm(), images),
    Good(lambda n, m: LocalResponse(), lambda N, n: (N, n, 2)),
    Good(lambda n, m: BatchNormInOneStep(n), exempt=WHOLE_BATCH),
    Good(
        lambda n, m: BatchNormInOneStep(n), equal_samples, exempt=WHOLE_BATCH, label="equal samples"
    ),
    Good(lambda n, m: FixedScaler(n)),
    Good(lambda n, m: MinMax(), spread),
    Good(lambda n, m: WeightNormed(n, m)),
    Good(lambda n, m: WeightStandardised(n + 1, m), lambda N, n: (N, n + 1)),
    Good(lambda n, m: CosineLinear(n, m)),
    Good(lambda n, m: SpectrallyNormed(n, m)),
]
