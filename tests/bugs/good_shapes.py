"""Right layers of unusual shape: parameters without dimensions, outputs (N, N), sums of samples."""

import math

import numpy as np

from bugs.good import Good, odd
from torchlite import nn, random

MIXED = {"batch": "samples are compared with one another"}


class ScalarGain(nn.Module):
    """One factor, an array without dimensions."""

    def __init__(self):
        self.weight = np.array(0.75)
        self.gradWeight = np.array(0.0)

    def updateOutput(self, input):
        self.output = self.weight * input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.weight * gradOutput
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (input * gradOutput).sum()


class ScalarShift(nn.Module):
    """One number added, under a name of its own."""

    def __init__(self):
        self.shift = np.asarray(random.uniform(-1, 1))
        self.gradShift = np.zeros_like(self.shift)

    def parameters(self):
        return [self.shift], [self.gradShift]

    def updateOutput(self, input):
        self.output = input + self.shift
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradShift += scale * gradOutput.sum()


class Temperature(nn.Module):
    """Softmax with a learned temperature, kept as its logarithm."""

    def __init__(self):
        self.logT = np.zeros(())
        self.dlogT = np.zeros(())

    def parameters(self):
        return [self.logT], [self.dlogT]

    def _softmax(self, input):
        z = input * np.exp(-self.logT)
        e = np.exp(z - z.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def updateOutput(self, input):
        self.output = self._softmax(input)
        return self.output

    def _dz(self, input, gradOutput):
        p = self._softmax(input)
        return p * (gradOutput - (gradOutput * p).sum(-1, keepdims=True))

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._dz(input, gradOutput) * np.exp(-self.logT)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        z = input * np.exp(-self.logT)
        self.dlogT -= scale * (self._dz(input, gradOutput) * z).sum()


class Blend(nn.Module):
    """a * tanh(x) + b * x with two numbers a and b."""

    def __init__(self):
        self.a, self.b = np.array(0.5), np.array(0.5)
        self.da, self.db = np.array(0.0), np.array(0.0)

    def parameters(self):
        return [self.a, self.b], [self.da, self.db]

    def updateOutput(self, input):
        self.output = self.a * np.tanh(input) + self.b * input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (self.a * (1 - np.tanh(input) ** 2) + self.b)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.da += scale * np.sum(gradOutput * np.tanh(input))
        self.db += scale * np.sum(gradOutput * input)


class Swish(nn.Module):
    """x * sigmoid(beta * x), where beta is learned."""

    def __init__(self):
        self.beta = np.ones(())
        self.gradBeta = np.zeros(())

    def parameters(self):
        return [self.beta], [self.gradBeta]

    def _gate(self, input):
        return 0.5 * (1 + np.tanh(0.5 * self.beta * input))

    def updateOutput(self, input):
        self.output = input * self._gate(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        s = self._gate(input)
        self.gradInput = gradOutput * (s + input * self.beta * s * (1 - s))
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        s = self._gate(input)
        self.gradBeta += scale * (gradOutput * input**2 * s * (1 - s)).sum()


class OneSlope(nn.Module):
    """PReLU with one slope, an array without dimensions."""

    def __init__(self):
        self.weight = np.array(0.25)
        self.gradWeight = np.zeros(())

    def updateOutput(self, input):
        self.output = np.where(input > 0, input, self.weight * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input > 0, gradOutput, self.weight * gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (gradOutput * input)[input <= 0].sum()


class Gram(nn.Module):
    """The inner products of all samples: (N, n) to (N, N)."""

    def updateOutput(self, input):
        self.output = input @ input.T
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = (gradOutput + gradOutput.T) @ input
        return self.gradInput


class SquaredDistances(nn.Module):
    """Between all samples: (N, n) to (N, N)."""

    def updateOutput(self, input):
        d = input[:, None] - input[None]
        self.output = (d**2).sum(-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        d = input[:, None] - input[None]
        g = 2 * (gradOutput + gradOutput.T)
        self.gradInput = (g[..., None] * d).sum(1)
        return self.gradInput


class Kernel(nn.Module):
    """exp(-gamma |a - b|^2) for all pairs of samples of two arrays: (N, n), (N, n) to (N, N)."""

    gamma = 0.125

    def _kernel(self, a, b):
        d = a[:, None, :] - b[None, :, :]
        return d, np.exp(-self.gamma * (d * d).sum(-1))

    def updateOutput(self, input):
        self.output = self._kernel(*input)[1]
        return self.output

    def updateGradInput(self, input, gradOutput):
        d, k = self._kernel(*input)
        g = (-2 * self.gamma * gradOutput * k)[..., None] * d
        self.gradInput = [g.sum(1), -g.sum(0)]
        return self.gradInput


class Similarities(nn.Module):
    """The cosines between the rows of two arrays, (N, N), over a temperature, as in CLIP."""

    def __init__(self):
        self.weight = np.array(1.0)
        self.gradWeight = np.array(0.0)

    @staticmethod
    def _unit(x):
        length = np.sqrt((x * x).sum(1, keepdims=True))
        return length, x / length

    def updateOutput(self, input):
        (_, u), (_, v) = map(self._unit, input)
        self.output = np.exp(self.weight) * (u @ v.T)
        return self.output

    def updateGradInput(self, input, gradOutput):
        (lu, u), (lv, v) = map(self._unit, input)
        g = np.exp(self.weight) * gradOutput
        du, dv = g @ v, g.T @ u
        self.gradInput = [
            (du - u * (u * du).sum(1, keepdims=True)) / lu,
            (dv - v * (v * dv).sum(1, keepdims=True)) / lv,
        ]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        (_, u), (_, v) = map(self._unit, input)
        self.gradWeight += scale * (np.exp(self.weight) * (u @ v.T) * gradOutput).sum()


class Covariance(nn.Module):
    """Of the columns: (N, n) to (n, n)."""

    def updateOutput(self, input):
        c = input - input.mean(0)
        self.output = c.T @ c / len(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        c = input - input.mean(0)
        g = c @ (gradOutput + gradOutput.T) / len(input)
        self.gradInput = g - g.mean(0)
        return self.gradInput


class MeanSample(nn.Module):
    """The mean of the batch: (N, n) to (n,)."""

    def updateOutput(self, input):
        self.output = input.mean(axis=0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.repeat(gradOutput[None] / len(input), len(input), axis=0)
        return self.gradInput


class Outer(nn.Module):
    """Every sample's outer product with itself: (N, n) to (N, n, n)."""

    def updateOutput(self, input):
        self.output = np.einsum("ni,nj->nij", input, input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.einsum("nij,nj->ni", gradOutput + gradOutput.swapaxes(1, 2), input)
        return self.gradInput


class LowerTriangle(nn.Module):
    """The products of all pairs of different features: (N, n) to (N, n (n - 1) / 2)."""

    def updateOutput(self, input):
        i, j = np.tril_indices(input.shape[1], -1)
        self.output = input[:, i] * input[:, j]
        return self.output

    def updateGradInput(self, input, gradOutput):
        i, j = np.tril_indices(input.shape[1], -1)
        gradInput = np.zeros_like(input)
        for k, (a, b) in enumerate(zip(i, j, strict=True)):
            gradInput[:, a] += gradOutput[:, k] * input[:, b]
            gradInput[:, b] += gradOutput[:, k] * input[:, a]
        self.gradInput = gradInput
        return gradInput


class NeighbourMixing(nn.Module):
    """Graph convolution: a fixed adjacency of the samples, then a linear map."""

    def __init__(self, count, n, m):
        ring = np.eye(count) + np.roll(np.eye(count), 1, axis=1)
        self.adjacency = ring / 2
        self.weight = random.normal(0, 1, size=(n, m))
        self.gradWeight = np.zeros((n, m))

    def updateOutput(self, input):
        self.output = self.adjacency @ input @ self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.adjacency.T @ gradOutput @ self.weight.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (self.adjacency @ input).T @ gradOutput


class PlaneRotation(nn.Module):
    """Turns pairs of columns by one learned angle."""

    def __init__(self):
        self.theta = np.array(math.pi / 7)
        self.gradTheta = np.array(0.0)

    def parameters(self):
        return [self.theta], [self.gradTheta]

    def _turned(self, a, sine):
        c = np.cos(self.theta)
        return np.stack([c * a[:, 0] - sine * a[:, 1], sine * a[:, 0] + c * a[:, 1]], axis=1)

    def updateOutput(self, input):
        self.output = self._turned(input, np.sin(self.theta))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._turned(gradOutput, -np.sin(self.theta))
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        y = self._turned(input, np.sin(self.theta))
        self.gradTheta += scale * (gradOutput[:, 1] * y[:, 0] - gradOutput[:, 0] * y[:, 1]).sum()


def pair(N, n):
    return [(N, n), (N, n)]


def single(N, n):
    return lambda rng: odd(rng, (N, n)).astype("float32")


BATCH_FIXED = {**MIXED, "empty": "it is made for a certain number of samples"}

GOOD = [
    Good(lambda n, m: ScalarGain()),
    Good(lambda n, m: ScalarGain().float(), single, label="float32"),
    Good(lambda n, m: ScalarShift()),
    Good(lambda n, m: Temperature()),
    Good(lambda n, m: Blend()),
    Good(lambda n, m: Swish()),
    Good(lambda n, m: OneSlope()),
    Good(lambda n, m: Gram(), exempt=MIXED),
    Good(lambda n, m: SquaredDistances(), exempt=MIXED),
    Good(lambda n, m: Kernel(), pair, exempt=MIXED),
    Good(lambda n, m: Similarities(), pair, exempt=MIXED),
    Good(lambda n, m: Covariance(), exempt=MIXED),
    Good(lambda n, m: MeanSample(), exempt=MIXED),
    Good(lambda n, m: Outer()),
    Good(lambda n, m: LowerTriangle()),
    Good(
        lambda n, m: NeighbourMixing(n, m, 3),
        lambda N, n: (n, n + 1),
        sizes=((0, 3, 4), (0, 4, 5), (0, 8, 9)),
        exempt=BATCH_FIXED,
    ),
    Good(lambda n, m: PlaneRotation(), lambda N, n: (N, 2)),
]
