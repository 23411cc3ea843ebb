"""Faults at kinks and ties, and of what is small: there any number seems to pass."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good import Good, odd
from bugs.good_kinks import LargerOfTwo, LeakyBetween, SharedMaximum, ShiftedRelu, sixteenths, tied
from bugs.normalisation import Attometres, Microns, SlightSlope
from bugs.pooling import NUMPY

# ---------------------------------------------------------------- at the kink itself


class KinkCountsTwice(ShiftedRelu):
    """Adds the slopes of both sides, and one more."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * ((input > 0.1875) + 2 * (input == 0.1875))
        return self.gradInput


class KinkCountsTwiceInBulk(KinkCountsTwice):
    pass


class ForgetsLowerSlope(LeakyBetween):
    """Only at kinks does the gradient know of a slope below them."""

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        self.gradInput = self.gradInput * (input >= 5 / 16)
        return self.gradInput


# ---------------------------------------------------------------- ties


class MaximumPaysEachTie(SharedMaximum):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input == input.max(axis=-1, keepdims=True))
        return self.gradInput


class MaximumPaysEachTieInBulk(MaximumPaysEachTie):
    pass


class LargerOfTwoPaysBoth(LargerOfTwo):
    """Equal entries get the whole gradient in both arrays."""

    def updateGradInput(self, input, gradOutput):
        a, b = input
        self.gradInput = [gradOutput * (a >= b), gradOutput * (b >= a)]
        return self.gradInput


class TiesPayNothing(SharedMaximum):
    """x > the second largest: of equal entries none."""

    def updateGradInput(self, input, gradOutput):
        top = input == input.max(axis=-1, keepdims=True)
        self.gradInput = gradOutput * (top & (top.sum(axis=-1, keepdims=True) == 1))
        return self.gradInput


# ---------------------------------------------------------------- what is small


class MicronsInBulkForgetSign(Microns):
    """np.abs is no analytic function, and the entries are many."""

    def back(self, dout, x):
        return (self.unit * dout,)


class ColumnsOfDifferentSize(Microns):
    """Every second column is in another unit."""

    def _units(self, x):
        return np.where(np.arange(x.shape[1]) % 2, 1e-8, 1).astype(x.real.dtype)

    def run(self, x):
        return self._units(x) * x**2, x

    def back(self, dout, x):
        return (2 * self._units(x) * x * dout,)


class SmallColumnsTurned(ColumnsOfDifferentSize):
    """The sign is wrong in the smaller unit."""

    def back(self, dout, x):
        return (2 * np.where(self._units(x) < 1, -1e-8, 1).astype(x.dtype) * x * dout,)


class GainInPicometres(Functional):
    """A gain, times a very small unit."""

    learned = ("g",)
    unit = 1e-12

    def __init__(self, n):
        self.draw(g=(n,))

    def run(self, x):
        return self.unit * self.g * x, x

    def back(self, dout, x):
        return self.unit * self.g * dout, self.unit * (dout * x).sum(0)


class PicometresIgnoreScale(GainInPicometres):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, 1 if scale else 0)


class AttometresPayLargeMore(Attometres):
    """As if every gradOutput were larger than it is."""

    def back(self, dout, x):
        return ((1 + np.abs(dout)) * super().back(dout, x)[0],)


class LengthInSinglePrecision(SlightSlope):
    def run(self, x):
        length, cache = super().run(x.real.astype(np.float32))
        return length.astype(x.dtype), (x, cache[1].astype(x.dtype))


GOOD = [
    Good(lambda n, m: GainInPicometres(n)),
    Good(lambda n, m: ColumnsOfDifferentSize(), exempt=NUMPY),
]

BUGS = [
    Bug(
        lambda: KinkCountsTwice(),
        sixteenths(5, 3),
        {"gradInput"},
        "the gradient at the kink lies between no slopes",
        pattern="only",
    ),
    Bug(
        lambda: KinkCountsTwiceInBulk(),
        sixteenths(16, 64),
        {"gradInput"},
        "the gradient at the kink lies between no slopes, of many entries",
    ),
    Bug(
        lambda: ForgetsLowerSlope(),
        sixteenths(16, 64),
        {"gradInput"},
        "no gradient below the kink, of many entries",
        pattern="only where input <",
    ),
    Bug(
        lambda: MaximumPaysEachTie(),
        tied(5, 3),
        {"gradInput"},
        "each of equal entries gets the whole gradient",
        pattern="tie",
    ),
    Bug(
        lambda: MaximumPaysEachTieInBulk(),
        tied(24, 12),
        {"gradInput"},
        "each of equal entries gets the whole gradient, of many entries",
        pattern="tie",
    ),
    Bug(
        lambda: LargerOfTwoPaysBoth(),
        lambda rng: [rng.choice([-1.25, 0.5, 2.0], (5, 3)) for _ in range(2)],
        {"gradInput"},
        "each of two equal entries, in two arrays, gets the whole gradient",
        pattern="tie",
    ),
    Bug(
        lambda: TiesPayNothing(),
        tied(5, 3),
        {"gradInput"},
        "equal entries get no gradient at all",
        pattern="tie",
    ),
    Bug(
        lambda: MicronsInBulkForgetSign(),
        (16, 16),
        {"gradInput"},
        "the sign is wrong, of many gradients of 1e-7",
        pattern="only where input < 0",
    ),
    Bug(
        lambda: SmallColumnsTurned(),
        lambda rng: odd(rng, (16, 16)),
        {"gradInput"},
        "the sign is wrong, of gradients that are small beside the others",
        pattern="sign wrong",
    ),
    Bug(
        lambda: PicometresIgnoreScale(3),
        (5, 3),
        {"scale"},
        "gradients of 1e-12 take no scale",
        pattern="scale ignored",
    ),
    Bug(
        lambda: AttometresPayLargeMore(),
        (5, 3),
        {"gradInput", "linear"},
        "the gradient of 1e-14 is not linear in gradOutput",
    ),
    Bug(
        lambda: LengthInSinglePrecision(),
        (5, 3),
        {"gradInput"},
        "the length is computed in float32",
        pattern="precision",
    ),
]
