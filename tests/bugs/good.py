"""Layers and criterions that are right, as different users would write them.

Most bugs are one of these with one method changed.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torchlite import nn, random
from torchlite.errors import ShapeError, StateError


@dataclass(frozen=True)
class Good:
    """A right layer or criterion, in any size.

    make
        Makes one for n inputs and m outputs, as far as it has such sizes.
    input, target
        What a batch of N samples of size n looks like: a shape, a (nested) list of shapes, or a
        function of a NumPy generator that returns the arrays. No target: a layer.
    exempt
        The properties that it breaks by definition, each with the reason.
    sizes
        The (N, n, m) that it is checked at.
    label
        Tells rows of one class apart.
    """

    make: Callable[[int, int], Any]
    input: Callable[[int, int], Any] = lambda N, n: (N, n)
    target: Callable[[int, int], Any] | None = None
    exempt: Mapping[str, str] = field(default_factory=dict)
    sizes: Collection[tuple[int, int, int]] = ((5, 3, 4), (1, 2, 3), (16, 8, 5))
    label: str = ""

    @property
    def name(self) -> str:
        made = type(self.make(3, 4)).__name__
        return f"{made}-{self.label}" if self.label else made


def rows(array):
    """One sample as a batch of one."""
    return array if array.ndim > 1 else array[None]


# ---------------------------------------------------------------- maps with parameters


class Affine(nn.Module):
    """Linear from scratch."""

    def __init__(self, inputSize, outputSize):
        self.weight = random.uniform(-1, 1, size=(outputSize, inputSize))
        self.bias = random.uniform(-1, 1, size=outputSize)
        self.gradWeight = np.zeros_like(self.weight)
        self.gradBias = np.zeros_like(self.bias)

    def updateOutput(self, input):
        self.output = input @ self.weight.T + self.bias
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        self.gradBias += scale * rows(gradOutput).sum(0)


class AffineWithMaths(Affine):
    """Linear from scratch, with its formulas.

    Maths
    -----
    ::

        output = input @ weight.T + bias
        gradInput = gradOutput @ weight
        gradWeight += scale * gradOutput.T @ input
        gradBias += scale * gradOutput.sum(0)
    """


class AffineAgainstExplosion(Affine):
    """Refuses gradients that are no numbers, before it adds them."""

    def accGradParameters(self, input, gradOutput, scale=1):
        gradWeight = scale * (rows(gradOutput).T @ rows(input))
        gradBias = scale * rows(gradOutput).sum(0)
        if not (np.isfinite(gradWeight).all() and np.isfinite(gradBias).all()):
            raise FloatingPointError("AffineAgainstExplosion: gradients are no numbers")
        self.gradWeight += gradWeight
        self.gradBias += gradBias


class AffineWithoutBias(nn.Module):
    def __init__(self, inputSize, outputSize):
        self.weight = random.normal(0, 1, size=(inputSize, outputSize))
        self.gradWeight = np.zeros((inputSize, outputSize))

    def updateOutput(self, input):
        self.output = input @ self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(input).T @ rows(gradOutput))


class OwnNames(nn.Module):
    def __init__(self, inputs, outputs):
        self.W = random.uniform(-1, 1, size=(inputs, outputs))
        self.b = random.uniform(-1, 1, size=outputs)
        self.dW = np.zeros((inputs, outputs))
        self.db = np.zeros(outputs)

    def parameters(self):
        return [self.W, self.b], [self.dW, self.db]

    def updateOutput(self, input):
        self.output = np.dot(input, self.W) + self.b
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.dot(gradOutput, self.W.T)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.dW += scale * np.einsum("bi,bo->io", rows(input), rows(gradOutput))
        self.db += scale * np.einsum("bo->o", rows(gradOutput))


class Loops(OwnNames):
    """Sample by sample, entry by entry."""

    def accGradParameters(self, input, gradOutput, scale=1):
        dW, db = np.zeros_like(self.dW), np.zeros_like(self.db)
        for x, g in zip(rows(input), rows(gradOutput), strict=True):
            for i in range(len(self.W)):
                for o in range(len(self.b)):
                    dW[i, o] += x[i] * g[o]
            db += g
        # Nothing is added before all of it is known to fit.
        self.dW += scale * dW
        self.db += scale * db


class Gain(nn.Module):
    """One factor per column; the bias stays unused."""

    def __init__(self, size):
        self.weight = random.uniform(-1, 1, size=size)
        self.gradWeight = np.zeros(size)

    def updateOutput(self, input):
        self.output = input * self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.weight
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * rows(input * gradOutput).sum(0)


class Polynomial(nn.Module):
    """A list of parameters: one array per power."""

    def __init__(self, size, degree=3):
        self.factors = [random.uniform(-1, 1, size=size) for _ in range(degree + 1)]
        self.gradFactors = [np.zeros(size) for _ in range(degree + 1)]

    def parameters(self):
        return list(self.factors), list(self.gradFactors)

    def updateOutput(self, input):
        output = self.factors[-1]
        for factor in self.factors[-2::-1]:
            output = output * input + factor
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        slope = np.zeros_like(input)
        for power, factor in enumerate(self.factors[1:], start=1):
            slope = slope + power * factor * input ** (power - 1)
        self.gradInput = gradOutput * slope
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for power, gradient in enumerate(self.gradFactors):
            gradient += scale * rows(gradOutput * input**power).sum(0)


class LearnedSlope(nn.Module):
    """PReLU with a single slope."""

    def __init__(self):
        self.slope = np.array([0.25])
        self.gradSlope = np.zeros(1)

    def parameters(self):
        return [self.slope], [self.gradSlope]

    def updateOutput(self, input):
        self.output = np.where(input.real > 0, input, self.slope * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input.real > 0, gradOutput, self.slope * gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        products = np.where(input.real > 0, 0, input * gradOutput)
        self.gradSlope += scale * products.sum()


class PositiveWeights(nn.Linear):
    """Uses the absolute values of its weights."""

    def updateOutput(self, input):
        self.output = input @ np.abs(self.weight).T + self.bias
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ np.abs(self.weight)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * np.sign(self.weight) * (rows(gradOutput).T @ rows(input))
        self.gradBias += scale * rows(gradOutput).sum(0)


class Frozen(nn.Linear):
    """A linear layer that stays as it is."""

    def parameters(self):
        return [], []


class OnlyBatches(Affine):
    """Refuses a bare sample."""

    def updateOutput(self, input):
        if input.ndim != 2:
            raise ShapeError(f"OnlyBatches: input must be (N, n), got {input.shape}")
        return super().updateOutput(input)


class OnlyVectors(Affine):
    """Refuses a batch."""

    def updateOutput(self, input):
        if input.ndim != 1:
            raise ValueError(f"OnlyVectors: input must be a vector, got shape {input.shape}")
        return super().updateOutput(input)

    def accGradParameters(self, input, gradOutput, scale=1):
        if gradOutput.shape != self.bias.shape:
            raise ValueError(f"OnlyVectors: gradOutput must be {self.bias.shape}")
        self.gradWeight += scale * np.outer(gradOutput, input)
        self.gradBias += scale * gradOutput


class Constant(nn.Module):
    """The same row for every sample, whatever it is."""

    def __init__(self, size):
        self.bias = random.uniform(-1, 1, size=size)
        self.gradBias = np.zeros(size)

    def updateOutput(self, input):
        self.output = np.zeros_like(input) + self.bias
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradBias += scale * rows(gradOutput).sum(0)


class Embedding(nn.Module):
    """A row of the weight for each id."""

    def __init__(self, count, size):
        self.weight = random.normal(0, 1, size=(count, size))
        self.gradWeight = np.zeros((count, size))

    def updateOutput(self, input):
        self.output = self.weight[input]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        np.add.at(self.gradWeight, input, scale * gradOutput)


class OneHot(nn.Module):
    """Ids to rows of an identity matrix, which is a setting and no parameter."""

    def __init__(self, count):
        self.table = np.eye(count)

    def updateOutput(self, input):
        self.output = self.table[input]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput


class Smoothing(nn.Module):
    """A convolution over time, (N, T, n) to (N, T - 1, n), by slices."""

    def __init__(self, size):
        self.weight = random.uniform(-1, 1, size=(2, size))
        self.gradWeight = np.zeros((2, size))

    def updateOutput(self, input):
        self.output = input[:, :-1] * self.weight[0] + input[:, 1:] * self.weight[1]
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        gradInput[:, :-1] += gradOutput * self.weight[0]
        gradInput[:, 1:] += gradOutput * self.weight[1]
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight[0] += scale * (gradOutput * input[:, :-1]).sum((0, 1))
        self.gradWeight[1] += scale * (gradOutput * input[:, 1:]).sum((0, 1))


class Unrolled(nn.Module):
    """A recurrent layer over (N, T, n): h = tanh(x + h * weight), its path computed anew."""

    def __init__(self, size):
        self.weight = random.uniform(-1, 1, size=size)
        self.gradWeight = np.zeros(size)

    def _states(self, input):
        states = [np.zeros_like(input[:, 0])]
        for t in range(input.shape[1]):
            states.append(np.tanh(input[:, t] + states[-1] * self.weight))
        return states

    def updateOutput(self, input):
        self.output = np.stack(self._states(input)[1:], axis=1)
        return self.output

    def _inner(self, input, gradOutput):
        states = self._states(input)
        inner = [None] * input.shape[1]
        carried = np.zeros_like(input[:, 0])
        for t in reversed(range(input.shape[1])):
            inner[t] = (gradOutput[:, t] + carried) * (1 - states[t + 1] ** 2)
            carried = inner[t] * self.weight
        return states, inner

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.stack(self._inner(input, gradOutput)[1], axis=1)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        states, inner = self._inner(input, gradOutput)
        for state, gradient in zip(states, inner, strict=False):
            self.gradWeight += scale * (state * gradient).sum(0)


class RootOfWeight(nn.Module):
    """Its parameters must be positive."""

    def __init__(self, size):
        self.weight = random.uniform(0.01, 1, size=size)
        self.gradWeight = np.zeros(size)

    def updateOutput(self, input):
        if (self.weight.real <= 0).any():
            raise ValueError("RootOfWeight: weight must be positive")
        self.output = input * np.sqrt(self.weight)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.sqrt(self.weight)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        slopes = 0.5 / np.sqrt(self.weight)
        self.gradWeight += scale * rows(input * gradOutput * slopes).sum(0)


class EmbeddingWithoutGradInput(Embedding):
    """There is no gradient by ids, and it says so."""

    def __init__(self, count, size):
        super().__init__(count, size)
        self.gradInput = None

    def updateGradInput(self, input, gradOutput):
        return None


# ---------------------------------------------------------------- functions of the input alone


class Square(nn.Module):
    """Only the two methods that it needs."""

    def updateOutput(self, input):
        self.output = input**2
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput
        return self.gradInput


class Relu(nn.Module):
    def updateOutput(self, input):
        self.output = np.maximum(input, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input > 0)
        return self.gradInput


class TanhWithMaths(nn.Module):
    """The hyperbolic tangent.

    Maths
    -----
    ::

        output = np.tanh(input)
        gradInput = gradOutput * (1 - np.tanh(input) ** 2)
    """

    def updateOutput(self, input):
        self.output = np.tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 - np.tanh(input) ** 2)
        return self.gradInput


class OwnNotation(Square):
    """The square, in the notation of its author.

    Maths
    -----
    ::

        y = x**2
        dx = 2 * x * dy
    """


class Counting(Square):
    """Counts its forwards, which changes no result."""

    calls = 0

    def updateOutput(self, input):
        output = super().updateOutput(input)
        self.calls += 1
        return output


class CachedExp(nn.Module):
    """Uses its output again when the input is the very array that it was computed from."""

    _source = None

    def updateOutput(self, input):
        self.output = np.exp(input)
        self._source = input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (self.output if input is self._source else np.exp(input))
        return self.gradInput


class Sigmoid(nn.Module):
    def updateOutput(self, input):
        self.output = 0.5 * (1 + np.tanh(0.5 * input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = 0.5 * (1 + np.tanh(0.5 * input))
        self.gradInput = gradOutput * y * (1 - y)
        return self.gradInput


class Abs(nn.Module):
    """np.abs is no analytic function."""

    def updateOutput(self, input):
        self.output = np.abs(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.sign(input)
        return self.gradInput


class Clip(nn.Module):
    def updateOutput(self, input):
        self.output = np.clip(input, -1, 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * ((input > -1) & (input < 1))
        return self.gradInput


class Sign(nn.Module):
    """Flat everywhere."""

    def updateOutput(self, input):
        self.output = np.sign(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(gradOutput)
        return self.gradInput


class Sorted(nn.Module):
    """Every row in ascending order."""

    def updateOutput(self, input):
        self.output = np.take_along_axis(input, np.argsort(input, axis=-1), axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        back = np.argsort(np.argsort(input, axis=-1), axis=-1)
        self.gradInput = np.take_along_axis(gradOutput, back, axis=-1)
        return self.gradInput


class Norm(nn.Module):
    """The length of every row, with slope 0 at 0; np.linalg.norm is no analytic function."""

    def updateOutput(self, input):
        self.output = np.linalg.norm(input, axis=-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        length = np.linalg.norm(input, axis=-1, keepdims=True)
        self.gradInput = gradOutput * input / np.where(length == 0, 1, length)
        return self.gradInput


class SoftMax(nn.Module):
    def _powers(self, input):
        return np.exp(input - input.max(axis=-1, keepdims=True))

    def updateOutput(self, input):
        powers = self._powers(input)
        self.output = powers / powers.sum(axis=-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        powers = self._powers(input)
        y = powers / powers.sum(axis=-1, keepdims=True)
        self.gradInput = y * (gradOutput - (y * gradOutput).sum(axis=-1, keepdims=True))
        return self.gradInput


class LogSumExp(nn.Module):
    """Of every row; stable, because the largest entry is taken out."""

    def _shift(self, input):
        return input.max(axis=-1, keepdims=True)

    def updateOutput(self, input):
        shift = self._shift(input)
        self.output = shift + np.log(np.exp(input - shift).sum(axis=-1, keepdims=True))
        return self.output

    def updateGradInput(self, input, gradOutput):
        powers = np.exp(input - input.max(axis=-1, keepdims=True))
        self.gradInput = gradOutput * powers / powers.sum(axis=-1, keepdims=True)
        return self.gradInput


class Softplus(nn.Module):
    """log(1 + exp(x)), stable on both sides."""

    def updateOutput(self, input):
        size = np.where(input.real < 0, -input, input)
        self.output = (input + size) / 2 + np.log1p(np.exp(-size))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * 0.5 * (1 + np.tanh(0.5 * input))
        return self.gradInput


class ExpWithoutOverflow(nn.Module):
    """Raises where the result would be infinite."""

    def updateOutput(self, input):
        with np.errstate(over="raise"):
            self.output = np.exp(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.exp(input)
        return self.gradInput


class Quotient(nn.Module):
    """1 / x, and 0 for 0."""

    def _inverse(self, input):
        apart = input != 0
        return np.where(apart, 1 / np.where(apart, input, 1), 0)

    def updateOutput(self, input):
        self.output = self._inverse(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -gradOutput * self._inverse(input) ** 2
        return self.gradInput


class Cleaned(nn.Module):
    """The square of a clean copy, without what is nearly zero or huge; NaN comes back."""

    def updateOutput(self, input):
        clean = np.nan_to_num(input)
        clean[abs(clean) < 1e-12] = 0
        output = np.clip(clean, -1e6, 1e6) ** 2
        output[np.isnan(input)] = np.nan
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * np.clip(input, -1e6, 1e6) * gradOutput * (abs(input) < 1e6)
        return self.gradInput


class Centred(nn.Module):
    """Every row less its mean."""

    def updateOutput(self, input):
        self.output = input - input.mean(axis=-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput - gradOutput.mean(axis=-1, keepdims=True)
        return self.gradInput


class Log(nn.Module):
    """For positive numbers."""

    def updateOutput(self, input):
        self.output = np.log(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / input
        return self.gradInput


class Reciprocal(nn.Module):
    """For positive numbers; refuses others."""

    def updateOutput(self, input):
        if (input.real <= 0).any():
            raise ValueError("Reciprocal: input must be positive")
        self.output = 1 / input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -gradOutput / input**2
        return self.gradInput


class Root(nn.Module):
    """For positive numbers."""

    def updateOutput(self, input):
        self.output = np.sqrt(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 0.5 * gradOutput / np.sqrt(input)
        return self.gradInput


# ---------------------------------------------------------------- other shapes


class Largest(nn.Module):
    """The largest entry of every row; remembers where it was."""

    _seen = None
    _place = None

    def updateOutput(self, input):
        place = np.argmax(input.real, axis=-1, keepdims=True)
        output = np.take_along_axis(input, place, axis=-1)
        self.output, self._seen, self._place = output, input, place
        return output

    def updateGradInput(self, input, gradOutput):
        if input is not self._seen and not np.array_equal(input, self._seen):
            raise StateError("Largest: input is not that of the last forward")
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, self._place, gradOutput, axis=-1)
        self.gradInput = gradInput
        return gradInput


class Argmax(nn.Module):
    """Where the largest entry is: whole numbers, and no slope."""

    def updateOutput(self, input):
        self.output = np.argmax(input.real, axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput


class Turned(nn.Module):
    """(N, T, n) to (N, n, T): a view of its input."""

    def updateOutput(self, input):
        self.output = input.swapaxes(-1, -2)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.swapaxes(-1, -2)
        return self.gradInput


class Pooled(nn.Module):
    """The means of 2 by 2 patches of (N, c, 2h, 2w)."""

    def updateOutput(self, input):
        N, c, h, w = input.shape
        self.output = input.reshape(N, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.repeat(2, axis=2).repeat(2, axis=3) / 4
        return self.gradInput


class EverySecond(nn.Module):
    """Leaves out every second row, so that the output has fewer."""

    def updateOutput(self, input):
        self.output = input[::2].copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        gradInput[::2] = gradOutput
        self.gradInput = gradInput
        return gradInput


class Total(nn.Module):
    """The sum of all entries, as one number."""

    def updateOutput(self, input):
        self.output = input.sum().reshape(1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input) + gradOutput
        return self.gradInput


class Flat(nn.Module):
    """(N, a, b) to (N, a * b)."""

    def updateOutput(self, input):
        self.output = input.reshape(len(input), input.shape[1] * input.shape[2])
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.reshape(input.shape)
        return self.gradInput


# ---------------------------------------------------------------- memory and chance


class Dropped(nn.Module):
    """Dropout: remembers its mask and the input that it belongs to."""

    def __init__(self, keep=0.5):
        self.keep = keep
        self._seen = None
        self._mask = None

    def _draw(self, input):
        draws = random.bernoulli(self.keep, size=input.shape)
        return np.asarray(draws, input.dtype, like=input) / self.keep

    def updateOutput(self, input):
        mask = self._draw(input) if self.train else None
        self._seen, self._mask = input, mask
        self.output = input if mask is None else input * mask
        return self.output

    def updateGradInput(self, input, gradOutput):
        if input is not self._seen and not np.array_equal(input, self._seen):
            raise StateError("Dropped: input is not that of the last forward")
        self.gradInput = gradOutput if self._mask is None else gradOutput * self._mask
        return self.gradInput


class Noisy(nn.Module):
    """Adds noise in training."""

    def updateOutput(self, input):
        if self.train:
            noise = random.normal(0, 1, size=input.shape)
            self.output = input + np.asarray(noise, input.dtype, like=input)
        else:
            self.output = input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput
        return gradOutput


class Standardised(nn.Module):
    """Batch normalisation: the statistics of the batch in training, running ones afterwards."""

    eps = 1e-3

    def __init__(self, size):
        self.weight = random.uniform(0, 1, size=size)
        self.bias = np.zeros(size)
        self.gradWeight = np.zeros(size)
        self.gradBias = np.zeros(size)
        self.runningMean = np.zeros(size)
        self.runningVar = np.ones(size)

    def _statistics(self, input):
        if not self.train:
            return self.runningMean, self.runningVar
        count = max(len(input), 1)
        mean = input.sum(0) / count
        return mean, ((input - mean) ** 2).sum(0) / count

    def _follow(self, mean, variance):
        self.runningMean[...] = 0.9 * self.runningMean + 0.1 * mean
        self.runningVar[...] = 0.9 * self.runningVar + 0.1 * variance

    def updateOutput(self, input):
        mean, variance = self._statistics(input)
        output = (input - mean) / np.sqrt(variance + self.eps) * self.weight + self.bias
        if self.train and len(input):
            self._follow(mean, variance)
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        mean, variance = self._statistics(input)
        deviation = np.sqrt(variance + self.eps)
        gradient = gradOutput * self.weight / deviation
        if self.train:
            count = max(len(input), 1)
            normal = (input - mean) / deviation
            gradient = (
                gradient - gradient.sum(0) / count - normal * (gradient * normal).sum(0) / count
            )
        self.gradInput = gradient
        return gradient

    def accGradParameters(self, input, gradOutput, scale=1):
        mean, variance = self._statistics(input)
        normal = (input - mean) / np.sqrt(variance + self.eps)
        self.gradWeight += scale * (gradOutput * normal).sum(0)
        self.gradBias += scale * gradOutput.sum(0)


WHOLE_BATCH = {"batch": "in training it normalises by the statistics of the batch"}


# ---------------------------------------------------------------- tables


class Added(nn.Module):
    """The sum of a table of any length."""

    def updateOutput(self, input):
        output = input[0].copy()
        for entry in input[1:]:
            output += entry
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput.copy() for _ in input]
        return self.gradInput


class Dot(nn.Module):
    """The inner products of the rows of two arrays."""

    def updateOutput(self, input):
        a, b = input
        self.output = (a * b).sum(-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, b = input
        self.gradInput = [gradOutput * b, gradOutput * a]
        return self.gradInput


class Joined(nn.Module):
    """The arrays of a table side by side."""

    def updateOutput(self, input):
        self.output = np.concatenate(input, axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        ends = np.cumsum([entry.shape[-1] for entry in input])
        self.gradInput = [
            gradOutput[..., end - entry.shape[-1] : end].copy()
            for end, entry in zip(ends, input, strict=True)
        ]
        return self.gradInput


class Columns(nn.Module):
    """An array to the table of its columns."""

    def updateOutput(self, input):
        self.output = [input[..., i].copy() for i in range(input.shape[-1])]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.stack(gradOutput, axis=-1)
        return self.gradInput


class Flipped(nn.Module):
    """The columns from the last to the first, of integers and booleans too."""

    def updateOutput(self, input):
        self.output = input[..., ::-1].copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        if input.dtype.kind in "biu":
            self.gradInput = np.zeros_like(input)
        else:
            self.gradInput = gradOutput[..., ::-1].copy()
        return self.gradInput


class Halves(nn.Module):
    """An array to a tuple of its first column and the others."""

    def updateOutput(self, input):
        self.output = (input[..., :1].copy(), input[..., 1:].copy())
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.concatenate(gradOutput, axis=-1)
        return self.gradInput


class Named(nn.Module):
    """The product of two arrays of a dictionary."""

    def updateOutput(self, input):
        self.output = input["a"] * input["b"]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = {"a": gradOutput * input["b"], "b": gradOutput * input["a"]}
        return self.gradInput


class Bilinear(nn.Module):
    """a' W b for two arrays and each slice of a three-dimensional weight."""

    def __init__(self, first, second, outputs):
        self.weight = random.uniform(-1, 1, size=(outputs, first, second))
        self.gradWeight = np.zeros((outputs, first, second))

    def updateOutput(self, input):
        a, b = input
        self.output = np.einsum("...i,oij,...j->...o", a, self.weight, b)
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, b = input
        self.gradInput = [
            np.einsum("...o,oij,...j->...i", gradOutput, self.weight, b),
            np.einsum("...o,oij,...i->...j", gradOutput, self.weight, a),
        ]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        a, b = map(rows, input)
        self.gradWeight += scale * np.einsum("no,ni,nj->oij", rows(gradOutput), a, b)


class Mixed(nn.Module):
    """A weighted sum of a table of a fixed length."""

    def __init__(self, count):
        self.weight = random.uniform(-1, 1, size=count)
        self.gradWeight = np.zeros(count)

    def updateOutput(self, input):
        self.output = sum(self.weight[i] * entry for i, entry in enumerate(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [self.weight[i] * gradOutput for i in range(len(input))]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for i, entry in enumerate(input):
            self.gradWeight[i] += scale * (entry * gradOutput).sum()


class Nested(nn.Module):
    """[a, [b, c]] to [a * b, c]."""

    def updateOutput(self, input):
        a, (b, c) = input
        self.output = [a * b, c]
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, (b, _) = input
        product, rest = gradOutput
        self.gradInput = [product * b, [product * a, rest]]
        return self.gradInput


# ---------------------------------------------------------------- containers


class Chain(nn.Container):
    """Sequential as a user would write it."""

    _path = ()
    _gradients = ()

    def updateOutput(self, input):
        self._path = self._gradients = ()
        path = [input]
        for module in self.modules:
            path.append(module.updateOutput(path[-1]))
        self._path = path
        self.output = path[-1]
        return self.output

    def _check(self, input):
        if not self._path or not (input is self._path[0] or np.array_equal(input, self._path[0])):
            raise StateError("Chain: input is not that of the last forward")

    def updateGradInput(self, input, gradOutput):
        self._check(input)
        gradients = [gradOutput]
        for module, seen in zip(self.modules[:0:-1], self._path[-2:0:-1], strict=True):
            gradients.append(module.updateGradInput(seen, gradients[-1]))
        self._gradients = gradients
        first = self.modules[0]
        if first.gradInput is None or self.gradInput is None:
            return None
        self.gradInput = first.updateGradInput(input, gradients[-1])
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        if not self._gradients or not np.array_equal(gradOutput, self._gradients[0]):
            raise StateError("Chain: gradOutput is not that of the last updateGradInput")
        kept = [gradient.copy() for gradient in self.parameters()[1]]
        try:
            for module, seen, gradient in zip(
                self.modules[::-1], self._path[-2::-1], self._gradients, strict=True
            ):
                module.accGradParameters(seen, gradient, scale)
        except Exception:
            for gradient, values in zip(self.parameters()[1], kept, strict=True):
                gradient[...] = values
            raise


class Fan(nn.Container):
    """ConcatTable as a user would write it: every module gets the input."""

    _seen = None

    def updateOutput(self, input):
        self._seen = None
        self.output = [module.updateOutput(input) for module in self.modules]
        self._seen = input
        return self.output

    def _check(self, input):
        if self._seen is None or not (input is self._seen or np.array_equal(input, self._seen)):
            raise StateError("Fan: input is not that of the last forward")

    def updateGradInput(self, input, gradOutput):
        self._check(input)
        total = np.zeros_like(input)
        for module, gradient in zip(self.modules, gradOutput, strict=True):
            total = total + module.updateGradInput(input, gradient)
        if self.gradInput is None:
            return None
        self.gradInput = total
        return total

    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        kept = [gradient.copy() for gradient in self.parameters()[1]]
        try:
            for module, gradient in zip(self.modules, gradOutput, strict=True):
                module.accGradParameters(input, gradient, scale)
        except Exception:
            for gradient, values in zip(self.parameters()[1], kept, strict=True):
                gradient[...] = values
            raise


class Residual(nn.Sequential):
    """input + net(input)."""

    def updateOutput(self, input):
        self.output = input + super().updateOutput(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        inner = super().updateGradInput(input, gradOutput)
        if inner is None:
            return None
        self.gradInput = gradOutput + inner
        return self.gradInput


SHORTCUT = {"container": "it adds its input to what its modules give"}


class Pair(nn.Module):
    """A module with parts of its own that are no `modules`."""

    def __init__(self, n, m):
        self.first = nn.Linear(n, m)
        self.second = nn.Linear(n, m)

    def parameters(self):
        first, second = self.first.parameters(), self.second.parameters()
        return first[0] + second[0], first[1] + second[1]

    def updateOutput(self, input):
        self.output = self.first.updateOutput(input) * self.second.updateOutput(input)
        return self.output

    def _gradients(self, input, gradOutput):
        return (
            gradOutput * self.second.updateOutput(input),
            gradOutput * self.first.updateOutput(input),
        )

    def updateGradInput(self, input, gradOutput):
        first, second = self._gradients(input, gradOutput)
        self.gradInput = self.first.updateGradInput(input, first) + self.second.updateGradInput(
            input, second
        )
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        first, second = self._gradients(input, gradOutput)
        self.first.accGradParameters(input, first, scale)
        self.second.accGradParameters(input, second, scale)


def shared(n):
    """One linear layer and one ReLU, each in two places."""
    linear, relu = nn.Linear(n, n), nn.ReLU()
    return nn.Sequential(linear, relu, linear, relu)


class FixedFeatures(nn.Module):
    """A network in an attribute that is used, but not trained."""

    def __init__(self, n, m):
        self.features = nn.Sequential(nn.Linear(n, m), nn.Tanh())

    def parameters(self):
        """Return nothing: the features stay as they are."""
        return [], []

    def updateOutput(self, input):
        self.output = self.features.forward(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.features.updateGradInput(input, gradOutput)
        return self.gradInput


def tied(n):
    """Two linear layers that share all their arrays."""
    linear = nn.Linear(n, n)
    copy = linear.clone("weight", "bias", "gradWeight", "gradBias")
    return Chain(linear, nn.ReLU(), copy)


def reused(n):
    """A container of the user's with one layer in two places."""
    linear = nn.Linear(n, n)
    return Chain(linear, nn.ReLU(), linear)


def first_without_gradInput(n, m):
    """A network whose first layer need not compute its gradInput."""
    net = nn.Sequential(nn.Linear(n, m), nn.ReLU())
    net[0].gradInput = None
    return net


def local(power):
    """A class that no pickle can find, with an attribute that no pickle can hold."""

    class Power(nn.Module):
        def __init__(self):
            self.function = lambda x: x**power
            self.slope = lambda x: power * x ** (power - 1)

        def updateOutput(self, input):
            self.output = self.function(input)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * self.slope(input)
            return self.gradInput

    return Power()


# ---------------------------------------------------------------- criterions


def fit(input, target):
    if input.shape != target.shape:
        raise ShapeError(f"target must be {input.shape}, got {target.shape}")


class Squared(nn.Criterion):
    """MSECriterion from scratch."""

    def __init__(self, sizeAverage=True):
        self.sizeAverage = sizeAverage

    def _divisor(self, input):
        return max(input.size, 1) if self.sizeAverage else 1

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = ((input - target) ** 2).sum().item() / self._divisor(input)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 / self._divisor(input) * (input - target)
        return self.gradInput


class SquaredWithMaths(Squared):
    """The squared distance.

    Maths
    -----
    ::

        n = input.size if sizeAverage else 1
        output = ((input - target) ** 2).sum() / n
        gradInput = 2 * (input - target) / n
    """


class WeightedSquares(nn.Criterion):
    """One factor per column, which is a setting."""

    def __init__(self, weights):
        self.weights = weights

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = (self.weights * (input - target) ** 2).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 * self.weights * (input - target)
        return self.gradInput


class Distance(nn.Criterion):
    """The sum of the absolute differences."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.abs(input - target).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.sign(input - target)
        return self.gradInput


class FiniteSquares(nn.Criterion):
    """The squared distance; refuses what would make it infinite or NaN."""

    def updateOutput(self, input, target):
        fit(input, target)
        loss = ((input - target) ** 2).sum().item()
        if not np.isfinite(loss):
            raise OverflowError("FiniteSquares: the loss is no number")
        self.output = loss
        return loss

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 * (input - target)
        return self.gradInput


class Huber(nn.Criterion):
    def updateOutput(self, input, target):
        fit(input, target)
        d = input - target
        small = np.abs(d) < 1
        self.output = np.where(small, 0.5 * d**2, np.abs(d) - 0.5).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.clip(input - target, -1, 1)
        return self.gradInput


class CrossEntropy(nn.Criterion):
    """Log-softmax and the mean negative log-likelihood of the target classes, integers."""

    def _logarithms(self, input):
        shifted = input - input.max(-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))

    def _check(self, input, target):
        if target.shape != input.shape[:-1] or target.dtype.kind not in "iu":
            raise ShapeError(f"target must be integers {input.shape[:-1]}, got {target.shape}")

    def updateOutput(self, input, target):
        self._check(input, target)
        chosen = np.take_along_axis(self._logarithms(input), target[..., None], -1)
        self.output = -chosen.sum().item() / max(len(input), 1)
        return self.output

    def updateGradInput(self, input, target):
        self._check(input, target)
        gradInput = np.exp(self._logarithms(input))
        place = target[..., None]
        chosen = np.take_along_axis(gradInput, place, -1) - 1
        np.put_along_axis(gradInput, place, chosen, -1)
        self.gradInput = gradInput / max(len(input), 1)
        return self.gradInput


class Hinge(nn.Criterion):
    """max(0, 1 - target * input) for targets of 1 and -1."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.maximum(1 - target * input, 0).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.where(target * input < 1, -target, 0 * input)
        return self.gradInput


class BinaryCrossEntropy(nn.Criterion):
    """For probabilities, strictly between 0 and 1."""

    def updateOutput(self, input, target):
        fit(input, target)
        logs = target * np.log(input) + (1 - target) * np.log(1 - input)
        self.output = -logs.sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = (input - target) / (input * (1 - input))
        return self.gradInput


class Apart(nn.Criterion):
    """The squared distance of a table's two arrays from a distance that is wanted."""

    def updateOutput(self, input, target):
        a, b = input
        fit(a, target)
        fit(a, b)
        self.output = ((a - b - target) ** 2).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        a, b = input
        fit(a, target)
        fit(a, b)
        gradient = 2 * (a - b - target)
        self.gradInput = [gradient, -gradient]
        return self.gradInput


class Sparsity(nn.Criterion):
    """The sum of all magnitudes; there is no target."""

    def updateOutput(self, input, target=None):
        self.output = np.abs(input).sum().item()
        return self.output

    def updateGradInput(self, input, target=None):
        self.gradInput = np.sign(input)
        return self.gradInput


class FarFrom(nn.Criterion):
    """The squared distance of all entries from one number."""

    def updateOutput(self, input, target):
        self.output = ((input - target) ** 2).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        self.gradInput = 2 * (input - target)
        return self.gradInput


class RememberingCrossEntropy(CrossEntropy):
    """Keeps the logarithms of its last forward, and goes back from there only."""

    _seen = None

    def updateOutput(self, input, target):
        output = super().updateOutput(input, target)
        self._seen = input
        return output

    def updateGradInput(self, input, target):
        if self._seen is None or not (input is self._seen or np.array_equal(input, self._seen)):
            raise StateError("RememberingCrossEntropy: input is not that of the last forward")
        return super().updateGradInput(input, target)


# ---------------------------------------------------------------- the list


def odd(rng, shape):
    """Odd multiples of 1/16: far from every kink at a whole number."""
    return (2 * rng.integers(-32, 32, shape) + 1) / 16


def positive(N, n):
    return lambda rng: np.abs(odd(rng, (N, n)))


def distinct(N, n):
    """No two entries of a row are equal."""
    return lambda rng: (2 * rng.permuted(np.tile(np.arange(n), (N, 1)), axis=1) - n) / 4


def ids(N, n):
    return lambda rng: rng.integers(0, n, N)


def probabilities(N, n):
    return lambda rng: rng.integers(1, 16, (N, n)) / 16


def nothing(N, n):
    return lambda rng: None


def number(N, n):
    return lambda rng: 0.5


def named(N, n):
    return lambda rng: {"a": odd(rng, (N, n)), "b": odd(rng, (N, n))}


def signs(N, n):
    return lambda rng: rng.choice([-1.0, 1.0], (N, n))


def same(N, n):
    return (N, n)


GOOD = [
    Good(lambda n, m: Affine(n, m)),
    Good(lambda n, m: Affine(n, m).float(), lambda N, n: lambda rng: odd(rng, (N, n)).astype("f4")),
    Good(lambda n, m: AffineWithMaths(n, m)),
    Good(lambda n, m: AffineAgainstExplosion(n, m)),
    Good(lambda n, m: AffineWithoutBias(n, m)),
    Good(lambda n, m: OwnNames(n, m)),
    Good(lambda n, m: Loops(n, m), exempt={"duck": "it loops over arrays"}),
    Good(lambda n, m: Gain(n)),
    Good(lambda n, m: Polynomial(n)),
    Good(lambda n, m: LearnedSlope()),
    Good(lambda n, m: PositiveWeights(n, m)),
    Good(lambda n, m: Frozen(n, m)),
    Good(lambda n, m: OnlyBatches(n, m)),
    Good(lambda n, m: OnlyVectors(n, m), lambda N, n: (n,)),
    Good(lambda n, m: Constant(n), exempt={"nan": "its output does not depend on its input"}),
    Good(lambda n, m: Embedding(n, m), ids),
    Good(lambda n, m: OneHot(n), ids),
    Good(lambda n, m: Smoothing(n), lambda N, n: (N, 4, n)),
    Good(lambda n, m: Unrolled(n), lambda N, n: (N, 3, n)),
    Good(lambda n, m: nn.Linear(n, m)),
    Good(lambda n, m: nn.Linear(n, m, bias=False)),
    Good(lambda n, m: nn.Linear(n, m).float()),
    Good(lambda n, m: nn.Identity()),
    Good(lambda n, m: nn.ReLU()),
    Good(lambda n, m: RootOfWeight(n)),
    Good(lambda n, m: EmbeddingWithoutGradInput(n, m), ids),
    Good(lambda n, m: Square()),
    Good(lambda n, m: OwnNotation()),
    Good(lambda n, m: Counting()),
    Good(lambda n, m: Relu()),
    Good(lambda n, m: TanhWithMaths()),
    Good(lambda n, m: CachedExp()),
    Good(lambda n, m: Sigmoid()),
    Good(lambda n, m: Abs()),
    Good(lambda n, m: Clip(), lambda N, n: (N, n, 2)),
    Good(lambda n, m: Sign()),
    Good(lambda n, m: Sorted(), distinct),
    Good(lambda n, m: Norm()),
    Good(lambda n, m: SoftMax()),
    Good(lambda n, m: LogSumExp()),
    Good(lambda n, m: Softplus()),
    Good(lambda n, m: ExpWithoutOverflow()),
    Good(lambda n, m: Quotient()),
    Good(lambda n, m: Cleaned()),
    Good(lambda n, m: Centred()),
    Good(lambda n, m: Log(), positive),
    Good(lambda n, m: Reciprocal(), positive),
    Good(lambda n, m: Root(), positive),
    Good(lambda n, m: Largest(), distinct),
    Good(lambda n, m: Argmax(), distinct),
    Good(lambda n, m: Turned(), lambda N, n: (N, 2, n)),
    Good(lambda n, m: Pooled(), lambda N, n: (N, n, 2, 4)),
    Good(lambda n, m: EverySecond()),
    Good(lambda n, m: Total()),
    Good(lambda n, m: Flat(), lambda N, n: (N, 2, n)),
    Good(lambda n, m: Dropped()),
    Good(lambda n, m: Dropped().evaluate()),
    Good(lambda n, m: Noisy()),
    Good(lambda n, m: Standardised(n), exempt=WHOLE_BATCH),
    Good(lambda n, m: Standardised(n).evaluate(), exempt=WHOLE_BATCH),
    Good(lambda n, m: Added(), lambda N, n: [(N, n)] * 2),
    Good(lambda n, m: Added(), lambda N, n: [(N, n)] * 3),
    Good(lambda n, m: Dot(), lambda N, n: [(N, n), (N, n)]),
    Good(lambda n, m: Joined(), lambda N, n: [(N, n), (N, 2), (N, n + 1)]),
    Good(lambda n, m: Columns()),
    Good(lambda n, m: Flipped()),
    Good(lambda n, m: Flipped(), lambda N, n: lambda rng: rng.integers(-9, 9, (N, n))),
    Good(lambda n, m: Flipped(), lambda N, n: lambda rng: rng.integers(0, 2, (N, n)) > 0),
    Good(lambda n, m: Halves()),
    Good(lambda n, m: Named(), named),
    Good(lambda n, m: Bilinear(n, 2, m), lambda N, n: [(N, n), (N, 2)]),
    Good(lambda n, m: Mixed(2), lambda N, n: [(N, n), (N, n)]),
    Good(lambda n, m: Nested(), lambda N, n: [(N, n), [(N, n), (N, 2)]]),
    Good(lambda n, m: Chain(Affine(n, m), Relu(), nn.Linear(m, 2))),
    Good(lambda n, m: Chain(Affine(n, m), Dropped())),
    Good(lambda n, m: Fan(Affine(n, m), Square())),
    Good(lambda n, m: Residual(nn.Linear(n, m), nn.ReLU(), nn.Linear(m, n)), exempt=SHORTCUT),
    Good(lambda n, m: Residual(), exempt=SHORTCUT),
    Good(lambda n, m: Pair(n, m)),
    Good(lambda n, m: FixedFeatures(n, m)),
    Good(lambda n, m: nn.Sequential()),
    Good(lambda n, m: nn.Sequential(nn.Linear(n, m), nn.Sequential(Sigmoid(), OwnNames(m, 2)))),
    Good(lambda n, m: nn.Sequential(nn.Linear(n, m), Frozen(m, m), Abs())),
    Good(lambda n, m: nn.Sequential(Fan(Affine(n, m), Affine(n, m)), Dot())),
    Good(lambda n, m: nn.Sequential(Embedding(n, m), nn.ReLU()), ids),
    Good(lambda n, m: nn.Sequential(nn.Linear(n, m), nn.ReLU()).float()),
    Good(lambda n, m: shared(n)),
    Good(lambda n, m: tied(n)),
    Good(lambda n, m: reused(n)),
    Good(lambda n, m: first_without_gradInput(n, m)),
    Good(lambda n, m: local(3)),
    Good(lambda n, m: Squared(), same, same),
    Good(lambda n, m: Squared(False), same, same),
    Good(lambda n, m: SquaredWithMaths(), same, same),
    Good(lambda n, m: nn.MSECriterion(), same, same),
    Good(lambda n, m: nn.MSECriterion(False), lambda N, n: (n,), lambda N, n: (n,)),
    Good(lambda n, m: WeightedSquares(np.arange(1.0, n + 1)), same, same),
    Good(lambda n, m: Distance(), same, same),
    Good(lambda n, m: FiniteSquares(), same, same),
    Good(lambda n, m: Huber(), same, same),
    Good(lambda n, m: CrossEntropy(), same, ids),
    Good(lambda n, m: RememberingCrossEntropy(), same, ids),
    Good(lambda n, m: Sparsity(), same, nothing),
    Good(lambda n, m: FarFrom(), same, number),
    Good(lambda n, m: Hinge(), same, signs),
    Good(lambda n, m: BinaryCrossEntropy(), probabilities, probabilities),
    Good(lambda n, m: Apart(), lambda N, n: [(N, n), (N, n)], same),
]

# Too large for a full Jacobian.
BIG = Good(lambda n, m: Affine(300, 300), lambda N, n: (10, 300))
