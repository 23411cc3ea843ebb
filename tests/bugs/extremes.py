"""Faults that only huge and tiny numbers, zeros or NaN show."""

import math

import numpy as np

from bugs import Bug, CriterionBug
from bugs.good import (
    Affine,
    CrossEntropy,
    Dropped,
    Largest,
    LogSumExp,
    Quotient,
    SoftMax,
    Square,
    Squared,
    distinct,
    ids,
)
from torchlite import nn
from torchlite.errors import StateError

# ---------------------------------------------------------------- what belongs to the caller


class TinyZeroedInInput(Square):
    def updateOutput(self, input):
        tiny = abs(input) < 1e-12
        if tiny.any():
            input[tiny] = 0
        return super().updateOutput(input)


class ZerosMadePositive(Square):
    def updateOutput(self, input):
        zeros = input == 0
        if zeros.any():
            input[zeros] = 0
        return super().updateOutput(input)


class NanTakenOutOfInput(Square):
    """Computes without NaN and puts it back, but in its output only."""

    def updateOutput(self, input):
        undefined = np.isnan(input)
        if undefined.any():
            np.nan_to_num(input, copy=False)
        output = input**2
        output[undefined] = np.nan
        self.output = output
        return output


class GradOutputClippedInPlace(Affine):
    def updateGradInput(self, input, gradOutput):
        if (abs(gradOutput) > 1e9).any():
            np.clip(gradOutput, -1e9, 1e9, out=gradOutput)
        return super().updateGradInput(input, gradOutput)


class UpdateClipsGradients(Affine):
    def updateParameters(self, learningRate):
        for parameter, gradient in zip(*self.parameters(), strict=True):
            parameter -= learningRate * np.clip(gradient, -1e3, 1e3)
        return self


# ---------------------------------------------------------------- what came before


class QuotientKeepsOldNumbers(Quotient):
    """Leaves out the division by zero, and what stands there from the last call."""

    _kept = None

    def updateOutput(self, input):
        if self._kept is None or (self._kept.shape, self._kept.dtype) != (input.shape, input.dtype):
            self._kept = np.zeros_like(input)
        np.divide(1, input, out=self._kept, where=input != 0)
        self.output = self._kept.copy()
        return self.output


class SumClearedByMultiplication(nn.Module):
    """Infinity times 0 is no 0."""

    _sum = None

    def updateOutput(self, input):
        if self._sum is None or (self._sum.shape, self._sum.dtype) != (input.shape, input.dtype):
            self._sum = np.zeros_like(input)
        self._sum *= 0
        self._sum += input
        self._sum += input**3
        self.output = self._sum.copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 + 3 * input**2)
        return self.gradInput


class GradientHalvedAfterExplosion(Square):
    level = 1.0

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.level * super().updateGradInput(input, gradOutput)
        if (abs(self.gradInput) > 1e20).any():
            self.level /= 2
        return self.gradInput


class LastGradInputCleaned(Square):
    """What is too large becomes zero, in the array that the last call returned."""

    def updateGradInput(self, input, gradOutput):
        last = self.gradInput
        gradInput = 2 * input * gradOutput
        huge = abs(gradInput) > 1e20
        if huge.any():
            gradInput = np.where(huge, 0, gradInput)
            if last.shape == gradInput.shape:
                last[...] = gradInput
                gradInput = last
        self.gradInput = gradInput
        return gradInput


class DroppedOfNearlyTheSame(Dropped):
    def updateGradInput(self, input, gradOutput):
        if self._seen is None or input.shape != self._seen.shape:
            raise StateError("Dropped: input is not that of the last forward")
        if not np.allclose(input, self._seen):
            raise StateError("Dropped: input is not that of the last forward")
        self.gradInput = gradOutput if self._mask is None else gradOutput * self._mask
        return self.gradInput


class LargestOfNearlyTheSame(Largest):
    def updateGradInput(self, input, gradOutput):
        if input.shape != self._seen.shape or not np.allclose(input, self._seen):
            raise StateError("Largest: input is not that of the last forward")
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, self._place, gradOutput, axis=-1)
        self.gradInput = gradInput
        return gradInput


class ExplosionNoticedTooLate(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        if not np.isfinite(self.gradWeight).all():
            raise FloatingPointError("ExplosionNoticedTooLate: gradients are no numbers")


# ---------------------------------------------------------------- overflow


class SoftMaxShiftedByLargestOfAll(SoftMax):
    def _powers(self, input):
        return np.exp(input - (input.max() if input.size else 0))


class ShiftLeftOutWhereContiguous(LogSumExp):
    def _shift(self, input):
        return 0 if input.flags.c_contiguous else super()._shift(input)


class HugeInDouble(Square):
    def updateOutput(self, input):
        self.output = (input.astype(float) if (abs(input) > 1e18).any() else input) ** 2
        return self.output


# ---------------------------------------------------------------- criterions


class InputClippedInPlace(CrossEntropy):
    def updateOutput(self, input, target):
        if (abs(input) > 1e3).any():
            np.clip(input, -1e3, 1e3, out=input)
        return super().updateOutput(input, target)


class TargetClippedInPlace(Squared):
    def updateOutput(self, input, target):
        if (abs(target) > 1e9).any():
            np.clip(target, -1e9, 1e9, out=target)
        return super().updateOutput(input, target)


class LossHalvedAfterExplosion(Squared):
    level = 1.0

    def updateOutput(self, input, target):
        self.output = self.level * super().updateOutput(input, target)
        if self.output > 1e20:
            self.level /= 2
        return self.output


class LastGradientCleaned(Squared):
    def updateGradInput(self, input, target):
        last = self.gradInput
        gradInput = super().updateGradInput(input, target)
        huge = abs(gradInput) > 1e20
        if huge.any() and last.shape == gradInput.shape:
            last[...] = np.where(huge, 0, gradInput)
        return gradInput


class LossKeptThoughRefused(Squared):
    def updateOutput(self, input, target):
        super().updateOutput(input, target)
        if not math.isfinite(self.output):
            raise OverflowError("LossKeptThoughRefused: the loss is no number")
        return self.output


class LogarithmsWithoutShiftWhereContiguous(CrossEntropy):
    def _logarithms(self, input):
        if input.flags.c_contiguous:
            return input - np.log(np.exp(input).sum(-1, keepdims=True))
        return super()._logarithms(input)


SHAPE = (5, 3)
STRIDES = {"duck": "it looks at strides"}

BUGS = [
    Bug(
        lambda: TinyZeroedInInput(),
        SHAPE,
        {"mutation"},
        "what is nearly zero becomes zero in the caller's array",
    ),
    Bug(
        lambda: ZerosMadePositive(),
        SHAPE,
        {"mutation"},
        "-0.0 becomes 0.0 in the caller's array",
    ),
    Bug(
        lambda: NanTakenOutOfInput(),
        SHAPE,
        {"mutation", "repeat"},
        "NaN becomes a number in the caller's array",
    ),
    Bug(
        lambda: GradOutputClippedInPlace(3, 4),
        SHAPE,
        {"mutation"},
        "a huge gradOutput is cut in the caller's array",
    ),
    Bug(lambda: UpdateClipsGradients(3, 4), SHAPE, {"update"}, "huge gradients are cut"),
    Bug(
        lambda: QuotientKeepsOldNumbers(),
        SHAPE,
        {"repeat"},
        "for 0 it gives what the last call gave there",
    ),
    Bug(
        lambda: SumClearedByMultiplication(),
        SHAPE,
        {"repeat"},
        "an infinite sum is NaN in all later calls",
    ),
    Bug(
        lambda: GradientHalvedAfterExplosion(),
        SHAPE,
        {"batch", "repeat"},
        "after a huge gradient all others are halved",
    ),
    Bug(
        lambda: LastGradInputCleaned(),
        SHAPE,
        {"aliasing"},
        "a huge gradient overwrites what an earlier call returned",
    ),
    Bug(
        lambda: DroppedOfNearlyTheSame(),
        SHAPE,
        {"interleave"},
        "the mask of another input is used if all entries of both are tiny",
    ),
    Bug(
        lambda: LargestOfNearlyTheSame(),
        distinct(*SHAPE),
        {"interleave"},
        "the places of another input are used if all entries of both are tiny",
    ),
    Bug(
        lambda: ExplosionNoticedTooLate(3, 4),
        SHAPE,
        {"exceptions"},
        "gradients that are refused have been accumulated",
    ),
    Bug(
        lambda: SoftMaxShiftedByLargestOfAll(),
        SHAPE,
        {"batch"},
        "a sample with huge numbers makes the others NaN",
    ),
    Bug(
        lambda: ShiftLeftOutWhereContiguous(),
        SHAPE,
        {"layout"},
        "contiguous input overflows, other input does not",
        exempt=STRIDES,
    ),
    Bug(lambda: HugeInDouble(), SHAPE, {"dtype"}, "huge float32 numbers come out as float64"),
    CriterionBug(
        lambda: InputClippedInPlace(),
        SHAPE,
        ids(*SHAPE),
        {"mutation"},
        "a huge input is cut in the caller's array",
    ),
    CriterionBug(
        lambda: TargetClippedInPlace(),
        SHAPE,
        SHAPE,
        {"mutation"},
        "a huge target is cut in the caller's array",
    ),
    CriterionBug(
        lambda: LossHalvedAfterExplosion(),
        SHAPE,
        SHAPE,
        {"repeat"},
        "after a huge loss all others are halved",
    ),
    CriterionBug(
        lambda: LastGradientCleaned(),
        SHAPE,
        SHAPE,
        {"aliasing"},
        "a huge gradient overwrites what an earlier call returned",
    ),
    CriterionBug(
        lambda: LossKeptThoughRefused(),
        SHAPE,
        SHAPE,
        {"exceptions"},
        "a loss that is refused is kept",
    ),
    CriterionBug(
        lambda: LogarithmsWithoutShiftWhereContiguous(),
        SHAPE,
        ids(*SHAPE),
        {"layout"},
        "contiguous input overflows, other input does not",
        exempt=STRIDES,
    ),
]
