"""Right layers at kinks and ties: their kinks lie on the numbers that checks like to draw.

At a kink every number between the two slopes is right; among ties so is every share of the
gradient that adds up to the whole.
"""

import numpy as np

from bugs.good import Gain, Good, rows
from torchlite import nn, random


class ShiftedRelu(nn.Module):
    """max(0, x - 3/16); at the kink itself 0."""

    def updateOutput(self, input):
        self.output = np.maximum(input - 0.1875, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input > 0.1875)
        return self.gradInput


class ShiftedReluFromAbove(nn.Module):
    """max(0, x - 5/16); at the kink itself 1."""

    def updateOutput(self, input):
        self.output = np.maximum(input - 0.3125, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input >= 0.3125)
        return self.gradInput


class HardTanhInclusive(nn.Module):
    """Clipped to [-5/16, 5/16], where the ends still pass their gradient on."""

    def updateOutput(self, input):
        self.output = np.clip(input, -0.3125, 0.3125)
        return self.output

    def updateGradInput(self, input, gradOutput):
        inside = (input >= -0.3125) & (input <= 0.3125)
        self.gradInput = np.where(inside, gradOutput, 0 * gradOutput)
        return self.gradInput


class SoftThreshold(nn.Module):
    """sign(x) * max(|x| - 3/16, 0)."""

    def __init__(self, size=3 / 16):
        self.size = size

    def updateOutput(self, input):
        self.output = np.sign(input) * np.maximum(np.abs(input) - self.size, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        self.gradInput[np.abs(input) < self.size] = 0
        return self.gradInput


class HardShrink(nn.Module):
    """0 within 5/16 of 0, else x: its jumps are no place for a derivative."""

    def updateOutput(self, input):
        self.output = np.where(np.abs(input) > 0.3125, input, 0 * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (np.abs(input) > 0.3125)
        return self.gradInput


class ThresholdAt(nn.Module):
    """x where it is at least 3/16, else -1."""

    def updateOutput(self, input):
        low = input < 0.1875
        self.output = input.copy()
        self.output[low] = -1
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input >= 0.1875, gradOutput, 0 * gradOutput)
        return self.gradInput


class LeakyBetween(nn.Module):
    """Slope 1 above 5/16 and 1/4 below; at the kink the mean of both."""

    def updateOutput(self, input):
        d = input - 5 / 16
        self.output = np.where(d > 0, d, 0.25 * d)
        return self.output

    def updateGradInput(self, input, gradOutput):
        d = input - 5 / 16
        slope = np.where(d > 0, 1, 0.25) + 0.375 * (d == 0)
        self.gradInput = gradOutput * slope.astype(gradOutput.dtype)
        return self.gradInput


class Interpolated(nn.Module):
    """Piecewise linear through five points; between the last ones and beyond it is flat."""

    knots = np.array([-2.0, -0.1875, 0.3125, 0.6875, 3.0])
    heights = np.array([1.0, -0.5, 0.25, 2.0, 2.0])

    def updateOutput(self, input):
        self.output = np.interp(input, self.knots, self.heights).astype(input.dtype)
        self.output = self.output + 0 * input
        return self.output

    def updateGradInput(self, input, gradOutput):
        slopes = np.concatenate([[0], np.diff(self.heights) / np.diff(self.knots), [0]])
        place = np.searchsorted(self.knots, input, side="right")
        self.gradInput = gradOutput * slopes[place].astype(gradOutput.dtype)
        return self.gradInput


class AbsFromAbove(nn.Module):
    """|x|; its slope at 0 is 1."""

    def updateOutput(self, input):
        self.output = np.abs(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input < 0, -gradOutput, gradOutput)
        return self.gradInput


class ReluOneAtZero(nn.Module):
    def updateOutput(self, input):
        self.output = np.where(input < 0, 0 * input, input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        grad = gradOutput.copy()
        grad[input < 0] = 0
        self.gradInput = grad
        return grad


class ReluHalfAtZero(nn.Module):
    """(x + |x|) / 2."""

    def updateOutput(self, input):
        self.output = (input + np.abs(input)) / 2
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 + np.sign(input)) / 2
        return self.gradInput


class Triangle(nn.Module):
    """The distance from the nearest even number: kinks at every whole number."""

    def updateOutput(self, input):
        self.output = np.abs(input - 2 * np.round(input / 2))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.sign(input - 2 * np.round(input / 2))
        return self.gradInput


class SharedMaximum(nn.Module):
    """The largest entry of every row; ties share the gradient, as in torch.amax."""

    def updateOutput(self, input):
        self.output = input.max(axis=-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        ties = input == input.max(axis=-1, keepdims=True)
        self.gradInput = gradOutput * ties / ties.sum(axis=-1, keepdims=True).astype(input.dtype)
        return self.gradInput


class FirstMaximum(nn.Module):
    """The largest entry of every row; the first of several has the gradient."""

    def updateOutput(self, input):
        self.output = np.max(input, axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        gradInput[np.arange(len(input)), np.argmax(input, axis=1)] = gradOutput
        self.gradInput = gradInput
        return gradInput


class LastMinimum(nn.Module):
    """The smallest entry of every row; the last of several has the gradient."""

    def updateOutput(self, input):
        self.output = input.min(1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        last = input.shape[1] - 1 - np.argmin(input[:, ::-1], axis=1)
        gradInput = np.zeros(input.shape, input.dtype)
        for i, j in enumerate(last):
            gradInput[i, j] = gradOutput[i]
        self.gradInput = gradInput
        return gradInput


class LargerOfTwo(nn.Module):
    """Entry by entry the larger of two arrays; equal ones get half each."""

    def updateOutput(self, input):
        a, b = input
        self.output = np.maximum(a, b)
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, b = input
        first = ((a > b) + 0.5 * (a == b)).astype(gradOutput.dtype)
        self.gradInput = [gradOutput * first, gradOutput * (1 - first)]
        return self.gradInput


class PairsMaxout(nn.Module):
    """The larger of two neighbours, the left one if they are equal."""

    def updateOutput(self, input):
        self.output = np.maximum(input[:, 0::2], input[:, 1::2])
        return self.output

    def updateGradInput(self, input, gradOutput):
        left = input[:, 0::2] >= input[:, 1::2]
        gradInput = np.empty_like(input)
        gradInput[:, 0::2] = gradOutput * left
        gradInput[:, 1::2] = gradOutput * ~left
        self.gradInput = gradInput
        return gradInput


class Range(nn.Module):
    """The largest less the smallest entry of every row, each shared among ties."""

    def updateOutput(self, input):
        self.output = input.max(1, keepdims=True) - input.min(1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        top = (input == input.max(1, keepdims=True)).astype(input.dtype)
        low = (input == input.min(1, keepdims=True)).astype(input.dtype)
        top /= top.sum(1, keepdims=True)
        low /= low.sum(1, keepdims=True)
        self.gradInput = gradOutput * (top - low)
        return self.gradInput


class Median(nn.Module):
    """The median of an odd number of entries."""

    def updateOutput(self, input):
        self.output = np.median(input, axis=1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        middle = input.shape[1] // 2
        place = np.argsort(input, axis=1, kind="stable")[:, middle : middle + 1]
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, place, gradOutput, axis=1)
        self.gradInput = gradInput
        return gradInput


class TopTwo(nn.Module):
    """The sum of the two largest entries of every row."""

    def _places(self, input):
        return np.argsort(input, axis=1, kind="stable")[:, ::-1][:, :2]

    def updateOutput(self, input):
        self.output = np.take_along_axis(input, self._places(input), 1).sum(1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        chosen = np.zeros_like(input)
        np.put_along_axis(chosen, self._places(input), 1, 1)
        self.gradInput = gradOutput * chosen
        return self.gradInput


class IntoBall(nn.Module):
    """Rows longer than 1 are shortened to 1."""

    def updateOutput(self, input):
        length = np.sqrt((input**2).sum(1, keepdims=True))
        self.output = input / np.maximum(length, 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        length = np.sqrt((input**2).sum(1, keepdims=True))
        outside = length > 1
        unit = input / np.maximum(length, 1)
        radial = outside * unit * (unit * gradOutput).sum(1, keepdims=True)
        self.gradInput = (gradOutput - radial) / np.maximum(length, 1)
        return self.gradInput


class LargestMagnitude(nn.Module):
    """The maximum norm of every row; ties share."""

    def updateOutput(self, input):
        self.output = np.abs(input).max(axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        size = np.abs(input)
        ties = size == size.max(axis=1)[:, None]
        share = gradOutput / ties.sum(axis=1).astype(input.dtype)
        self.gradInput = share[:, None] * ties * np.sign(input)
        return self.gradInput


class CumulativeMaximum(nn.Module):
    """The largest entry so far; the first of several keeps the gradient."""

    def updateOutput(self, input):
        self.output = np.maximum.accumulate(input, axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for x, g, out in zip(input, gradOutput, gradInput, strict=True):
            best = 0
            for j in range(len(x)):
                if x[j] > x[best]:
                    best = j
                out[best] += g[j]
        self.gradInput = gradInput
        return gradInput


class ShiftedReluByReal(nn.Module):
    """max(0, x - 5/16) for complex input, too; at the kink itself 1."""

    def updateOutput(self, input):
        self.output = np.where(input.real > 0.3125, input - 0.3125, 0 * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input.real >= 0.3125, gradOutput, 0 * gradOutput)
        return self.gradInput


class TruncatedSquare(nn.Module):
    """x^2 within 3/16 of 0, and the same number outside; the ends belong to the parabola."""

    def updateOutput(self, input):
        self.output = np.where(np.abs(input) < 0.1875, input**2, 0.1875**2 + 0 * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * 2 * input * (np.abs(input) <= 0.1875)
        return self.gradInput


class Tent(nn.Module):
    """max(0, 5/16 - |x|), by cases; flat at its top and its ends."""

    def updateOutput(self, input):
        x = input.real
        rising, falling = (x > -0.3125) & (x <= 0), (x > 0) & (x < 0.3125)
        self.output = (input + 0.3125) * rising + (0.3125 - input) * falling
        return self.output

    def updateGradInput(self, input, gradOutput):
        inside = (np.abs(input) < 0.3125) & (input != 0)
        self.gradInput = -np.sign(input) * inside * gradOutput
        return self.gradInput


class SharedMaximumByReal(nn.Module):
    """The largest entry of every row, picked by its real part; ties share the gradient."""

    def updateOutput(self, input):
        place = input.real.argmax(axis=-1)[..., None]
        self.output = np.take_along_axis(input, place, -1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        ties = input == input.max(axis=-1, keepdims=True)
        share = gradOutput / ties.sum(axis=-1, keepdims=True).astype(gradOutput.dtype)
        self.gradInput = np.where(ties, share, 0 * share)
        return self.gradInput


class SharedPoolByReal(nn.Module):
    """The larger of two neighbours of (N, L), picked by its real part; equal ones get half each."""

    def updateOutput(self, input):
        a, b = input[:, ::2], input[:, 1::2]
        self.output = np.where(a.real >= b.real, a, np.maximum(a, b))
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, b = input[:, ::2], input[:, 1::2]
        gradInput = np.zeros_like(input)
        gradInput[:, ::2] = gradOutput * (a > b) + gradOutput / 2 * (a == b)
        gradInput[:, 1::2] = gradOutput * (b > a) + gradOutput / 2 * (a == b)
        self.gradInput = gradInput
        return gradInput


class LastMaximumByReal(nn.Module):
    """The largest entry of every row; of several the last has the gradient, the first is picked."""

    def updateOutput(self, input):
        rows = np.arange(len(input))
        self.output = input[rows, input.real.argmax(axis=1)]
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for x, g, out in zip(input, gradOutput, gradInput, strict=True):
            out[np.flatnonzero(x == x.max())[-1:]] = g
        self.gradInput = gradInput
        return gradInput


def sixteenths(N, n):
    """Odd multiples of 1/16 next to 0: many of them at 3/16 and 5/16."""
    return lambda rng: (2 * rng.integers(-4, 4, (N, n)) + 1) / 16


def whole(N, n):
    """Whole numbers from -2 to 2: zeros and ties."""
    return lambda rng: rng.integers(-2, 3, (N, n)).astype(float)


def tied(N, n):
    """Rows with few different numbers, whose sizes no central difference mixes up."""
    return lambda rng: rng.choice([-1.25, 0.5, 2.0], (N, n))


def two_tied(N, n):
    return lambda rng: [rng.choice([-1.25, 0.5, 2.0], (N, n)) for _ in range(2)]


def even(N, n):
    return (N, 2 * n)


class Scaled(Gain):
    """Each feature times a gain of its own, which all start as other numbers."""

    def __init__(self, size):
        super().__init__(size)
        self.weight[...] = np.linspace(0.5, 2, size)


class Divided(Scaled):
    """Each feature divided by one of its own, never 0."""

    def updateOutput(self, input):
        self.output = input / self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / self.weight
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(-input / self.weight**2, gradOutput, scale)


class ScaledBySize(Scaled):
    """By the gain's absolute value, which has a kink at 0."""

    def updateOutput(self, input):
        self.output = input * np.where(self.weight.real < 0, -self.weight, self.weight)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.abs(self.weight)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input * np.sign(self.weight), gradOutput, scale)


class ScaledByUnit(Scaled):
    """By the gains' direction, which there is none of if all are 0."""

    def _unit(self):
        return self.weight / np.sqrt((self.weight * self.weight).sum())

    def updateOutput(self, input):
        self.output = input * self._unit()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self._unit()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        slope = rows(gradOutput * input).sum(0)
        length, unit = np.sqrt((self.weight * self.weight).sum()), self._unit()
        self.gradWeight += scale * (slope - unit * (slope @ unit)) / length


class ScaledFromZero(ScaledBySize):
    """Starts at 0, where its gradient is 0 by agreement."""

    def __init__(self, size):
        super().__init__(size)
        self.weight[...] = 0


class ToCentres(nn.Module):
    """Distances to centres; at a centre itself the slope is taken for 0."""

    def __init__(self, inputSize, outputSize):
        self.weight = random.uniform(-1, 1, size=(outputSize, inputSize))
        self.gradWeight = np.zeros((outputSize, inputSize))

    def _rows(self):
        return self.weight, self.gradWeight

    def _guarded(self, lengths):
        return np.where(lengths == 0, 1, lengths)

    def _apart(self, input):
        apart = input[..., None, :] - self._rows()[0]
        return apart, np.sqrt((apart * apart).sum(-1))

    def updateOutput(self, input):
        self.output = self._apart(input)[1]
        return self.output

    def _slopes(self, input, gradOutput):
        apart, lengths = self._apart(input)
        with np.errstate(invalid="ignore"):
            return (gradOutput / self._guarded(lengths))[..., None] * apart

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._slopes(input, gradOutput).sum(-2)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        slopes, gradient = self._slopes(input, gradOutput), self._rows()[1]
        gradient -= scale * slopes.reshape(-1, *gradient.shape).sum(0)


class ToCentresSquared(ToCentres):
    """Their squares, which are smooth."""

    def updateOutput(self, input):
        self.output = self._apart(input)[1] ** 2
        return self.output

    def _slopes(self, input, gradOutput):
        return 2 * gradOutput[..., None] * self._apart(input)[0]


LARGE = ((5, 3, 4), (16, 40, 4), (64, 128, 4))

GOOD = [
    Good(lambda n, m: ShiftedReluByReal(), sixteenths),
    Good(lambda n, m: ShiftedReluByReal(), lambda N, n: (N, 8 * n), label="drawn"),
    Good(lambda n, m: TruncatedSquare(), sixteenths),
    Good(lambda n, m: TruncatedSquare(), lambda N, n: (N, 8 * n), label="drawn"),
    Good(lambda n, m: Tent(), sixteenths),
    Good(lambda n, m: SharedMaximumByReal(), tied),
    Good(lambda n, m: SharedPoolByReal(), lambda N, n: tied(N, 2 * n)),
    Good(lambda n, m: LastMaximumByReal(), tied),
    *(
        Good(lambda n, m, kind=kind: kind(), sizes=LARGE, label="large")
        for kind in (ShiftedRelu, HardTanhInclusive, SoftThreshold, AbsFromAbove, Triangle)
    ),
    *(
        Good(lambda n, m, kind=kind: kind(), tied, sizes=LARGE, label="large")
        for kind in (SharedMaximum, FirstMaximum, Range, LargestMagnitude)
    ),
    Good(lambda n, m: ShiftedRelu(), sixteenths),
    Good(lambda n, m: ShiftedRelu(), lambda N, n: (N, 8 * n), label="drawn"),
    Good(lambda n, m: ShiftedReluFromAbove(), sixteenths),
    Good(lambda n, m: ShiftedReluFromAbove(), lambda N, n: (N, 8 * n), label="drawn"),
    Good(lambda n, m: HardTanhInclusive(), sixteenths),
    Good(lambda n, m: HardTanhInclusive(), lambda N, n: (N, 8 * n), label="drawn"),
    Good(lambda n, m: SoftThreshold(), sixteenths),
    Good(lambda n, m: HardShrink(), sixteenths),
    Good(lambda n, m: HardShrink(), lambda N, n: (N, 8 * n), label="drawn"),
    Good(lambda n, m: ThresholdAt(), sixteenths),
    Good(lambda n, m: LeakyBetween(), sixteenths),
    Good(lambda n, m: nn.Sequential(ShiftedRelu(), nn.Linear(n, m)), sixteenths, label="kinks"),
    Good(lambda n, m: Interpolated(), sixteenths),
    Good(lambda n, m: AbsFromAbove(), whole),
    Good(lambda n, m: ReluOneAtZero(), whole),
    Good(lambda n, m: ReluHalfAtZero(), whole),
    Good(lambda n, m: Triangle(), lambda N, n: (N, 8 * n)),
    Good(lambda n, m: SharedMaximum(), tied),
    Good(lambda n, m: SharedMaximum(), label="drawn"),
    Good(lambda n, m: FirstMaximum(), tied),
    Good(lambda n, m: LastMinimum(), tied),
    Good(lambda n, m: LargerOfTwo(), two_tied),
    Good(lambda n, m: PairsMaxout(), lambda N, n: tied(N, 2 * n)),
    Good(lambda n, m: PairsMaxout(), even, label="drawn"),
    Good(lambda n, m: Range(), tied),
    Good(lambda n, m: Median(), lambda N, n: (N, 2 * n + 1)),
    Good(
        lambda n, m: Median(),
        lambda N, n: tied(N, 2 * n + 1),
        sizes=((5, 3, 4), (1, 2, 3)),
        label="tied",
    ),
    Good(
        lambda n, m: Median(),
        lambda N, n: tied(N, 2 * n + 1),
        sizes=((16, 40, 4), (64, 128, 4)),
        label="many tied",
    ),
    Good(lambda n, m: TopTwo(), lambda N, n: (N, n + 2)),
    Good(lambda n, m: IntoBall()),
    Good(lambda n, m: LargestMagnitude(), tied),
    Good(lambda n, m: CumulativeMaximum(), tied),
    *(
        Good(lambda n, m, kind=kind: kind(), input, sizes=((16, 40, 4), (64, 128, 4)), label="many")
        for kind, input in (
            *((kind, sixteenths) for kind in (ShiftedReluFromAbove, SoftThreshold, LeakyBetween)),
            *((kind, sixteenths) for kind in (HardShrink, HardTanhInclusive, ThresholdAt)),
            *((kind, whole) for kind in (AbsFromAbove, ReluHalfAtZero)),
            (LargerOfTwo, two_tied),
        )
    ),
    *(
        Good(lambda n, m, kind=kind: kind(n))
        for kind in (Scaled, Divided, ScaledBySize, ScaledByUnit, ScaledFromZero)
    ),
    *(Good(lambda n, m, kind=kind: kind(n, m)) for kind in (ToCentres, ToCentresSquared)),
]
