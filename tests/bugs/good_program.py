"""Right layers that leave the whole program, and others of their class, as they are."""

import numpy as np

from bugs.good import Affine, Good
from torchlite import nn, random


class Falling(nn.Module):
    """1 / (1 + exp(x)), which may overflow on the way."""

    def updateOutput(self, input):
        with np.errstate(over="ignore"):
            self.output = 1 / (1 + np.exp(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        output = self.updateOutput(input)
        self.gradInput = gradOutput * output * (output - 1)
        return self.gradInput


class Projected(nn.Module):
    """A product with a matrix that is drawn anew, the same each time, from a stream of its own."""

    def _matrix(self, n, dtype):
        drawn = np.random.default_rng(5).uniform(-1, 1, (n, 2))
        return drawn.astype(dtype)

    def updateOutput(self, input):
        self.output = input @ self._matrix(input.shape[-1], input.dtype)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self._matrix(input.shape[-1], input.dtype).T
        return self.gradInput


class ProjectedPutsBack(Projected):
    """From torchlite's stream, which is then as it was."""

    def _matrix(self, n, dtype):
        state = random.getRNGState()
        random.manualSeed(5)
        drawn = random.uniform(-1, 1, size=(n, 2))
        random.setRNGState(state)
        return drawn.astype(dtype)


class AffineOfOwnArrays(Affine):
    """Takes its arrays, or makes them."""

    def __init__(self, weight=None, bias=None, size=(2, 3)):
        self.weight = np.ones(size) if weight is None else weight
        self.bias = np.zeros(size[0]) if bias is None else bias
        self.gradWeight = np.zeros_like(self.weight)
        self.gradBias = np.zeros_like(self.bias)


SMOOTHING = np.array([0.25, 0.5, 0.25])
SMOOTHING.flags.writeable = False


class CircularMeans(nn.Module):
    """Means of three neighbours around the circle; whose kernel is a constant may be a default."""

    def __init__(self, kernel=SMOOTHING):
        self.kernel = kernel

    def _turned(self, array, by):
        turned = [k * np.roll(array, by * i, -1) for i, k in enumerate(self.kernel, -1)]
        return sum(turned).astype(array.dtype)

    def updateOutput(self, input):
        self.output = self._turned(input, 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._turned(gradOutput, -1)
        return self.gradInput


GOOD = [
    Good(lambda n, m: Falling()),
    Good(lambda n, m: Projected()),
    Good(lambda n, m: ProjectedPutsBack()),
    Good(lambda n, m: CircularMeans()),
    Good(lambda n, m: AffineOfOwnArrays(size=(m, n))),
]
