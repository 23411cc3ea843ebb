"""Criterions with exactly one fault each."""

import copy

import numpy as np

from bugs import CriterionBug
from bugs.good import (
    Apart,
    BinaryCrossEntropy,
    CrossEntropy,
    Distance,
    Hinge,
    Huber,
    Squared,
    WeightedSquares,
    fit,
    ids,
    probabilities,
    signs,
)

# ---------------------------------------------------------------- derivatives


class GradientForgetsTwo(Squared):
    def updateGradInput(self, input, target):
        self.gradInput = super().updateGradInput(input, target) / 2
        return self.gradInput


class GradientNegated(Squared):
    def updateGradInput(self, input, target):
        return super().updateGradInput(target, input)


class GradientIgnoresTarget(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 / self._divisor(input) * input
        return self.gradInput


class AverageForwardsOnly(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 * (input - target)
        return self.gradInput


class AverageOverSamplesBackwards(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 / max(len(input), 1) * (input - target)
        return self.gradInput


class AverageBackwardsThoughSwitchedOff(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 / max(input.size, 1) * (input - target)
        return self.gradInput


class LossOfFirstSample(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = ((input[:1] - target[:1]) ** 2).sum().item() / self._divisor(input)
        return self.output


class SignForgotten(Distance):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.ones_like(input)
        return self.gradInput


class HuberForgetsBounds(Huber):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = input - target
        return self.gradInput


class HingeAlwaysPulls(Hinge):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = -target + 0 * input
        return self.gradInput


class ClassesCountedFromOne(CrossEntropy):
    """Forwards from 0, backwards from 1."""

    def updateGradInput(self, input, target):
        return super().updateGradInput(input, (target + 1) % input.shape[-1])


class SoftMaxForgotten(CrossEntropy):
    def updateGradInput(self, input, target):
        self._check(input, target)
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, target[..., None], -1 / max(len(input), 1), -1)
        self.gradInput = gradInput
        return gradInput


class EntropyForgetsComplement(BinaryCrossEntropy):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = -target / input
        return self.gradInput


class WeightsForgottenBackwards(WeightedSquares):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 * (input - target)
        return self.gradInput


class ApartForgetsSecond(Apart):
    def updateGradInput(self, input, target):
        first, second = super().updateGradInput(input, target)
        self.gradInput = [first, np.zeros_like(second)]
        return self.gradInput


class GradientOfBareSampleOnly(Squared):
    """gradInput has the shape of one row."""

    def updateGradInput(self, input, target):
        gradient = super().updateGradInput(input, target)
        self.gradInput = gradient.reshape(-1)
        return self.gradInput


# ---------------------------------------------------------------- the contract


class BroadcastsColumn(Squared):
    def updateOutput(self, input, target):
        self.output = ((input - target) ** 2).sum().item() / self._divisor(input)
        return self.output


class BroadcastsBackwards(Squared):
    """The loss is strict, its gradient is not."""

    def updateGradInput(self, input, target):
        self.gradInput = 2 / self._divisor(input) * (input - target)
        return self.gradInput


class FitsBySize(Squared):
    """(3, 5) against (5, 3) passes."""

    def updateOutput(self, input, target):
        return super().updateOutput(input, target.reshape(input.shape))

    def updateGradInput(self, input, target):
        return super().updateGradInput(input, target.reshape(input.shape))


class LossIsArray(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.asarray(((input - target) ** 2).sum() / self._divisor(input))
        return self.output


class LossOfSinglePrecision(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.float32(((input - target) ** 2).sum() / self._divisor(input))
        return self.output


class LossNotKept(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        return ((input - target) ** 2).sum().item() / self._divisor(input)


class GradientNotKept(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        return 2 / self._divisor(input) * (input - target)


class BackwardHalves(Squared):
    def backward(self, input, target):
        self.gradInput = super().backward(input, target) / 2
        return self.gradInput


class LossBackwardReturnsNothing(Squared):
    def backward(self, input, target):
        self.updateGradInput(input, target)


class TargetMutated(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        target -= input
        self.output = (target**2).sum().item() / self._divisor(input)
        return self.output


class InputMutated(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        input -= target
        input *= 2 / self._divisor(input)
        self.gradInput = input
        return input


class GradientBufferReused(Squared):
    def updateGradInput(self, input, target):
        before = self.gradInput
        gradInput = super().updateGradInput(input, target)
        if (before.shape, before.dtype) == (gradInput.shape, gradInput.dtype):
            before[...] = gradInput
            self.gradInput = before
        return self.gradInput


class GradientAccumulates(Squared):
    def updateGradInput(self, input, target):
        before = self.gradInput
        gradInput = super().updateGradInput(input, target)
        if before.shape == gradInput.shape:
            self.gradInput = before + gradInput
        return self.gradInput


class GradientUpcasts(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.float64(2) / self._divisor(input) * (input - target)
        return self.gradInput


class LossInSinglePrecision(Squared):
    def updateOutput(self, input, target):
        loss = super().updateOutput(input, target)
        if input.dtype.kind == "f":
            self.output = float(np.float32(loss))
        return self.output


class GradientInSinglePrecision(Squared):
    def updateGradInput(self, input, target):
        gradient = super().updateGradInput(input, target)
        self.gradInput = gradient.astype(np.float32).astype(input.dtype)
        return self.gradInput


class OrderOfMemory(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        difference = input.ravel(order="K") - target.ravel(order="K")
        self.output = (difference**2).sum().item() / self._divisor(input)
        return self.output


class GradientInOrderOfMemory(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        difference = input.ravel(order="K") - target.ravel(order="K")
        self.gradInput = (2 / self._divisor(input) * difference).reshape(input.shape)
        return self.gradInput


class LastBitOfFirstLoss(Squared):
    """Off by less than any tolerance."""

    begun = False

    def updateOutput(self, input, target):
        loss = super().updateOutput(input, target)
        self.output = loss if self.begun else loss * (1 + 2.0**-51)
        self.begun = True
        return self.output


class LossAveragesOverCalls(Squared):
    mean = 0.0

    def updateOutput(self, input, target):
        loss = super().updateOutput(input, target)
        self.mean = 0.5 * self.mean + 0.5 * loss
        self.output = self.mean
        return self.output


class DifferenceOfLastForward(Squared):
    _difference = None

    def updateOutput(self, input, target):
        fit(input, target)
        self._difference = input - target
        return super().updateOutput(input, target)

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = 2 / self._divisor(input) * self._difference
        return self.gradInput


class TargetOfLastForward(Squared):
    _target = None

    def updateOutput(self, input, target):
        self._target = target
        return super().updateOutput(input, target)

    def updateGradInput(self, input, target):
        return super().updateGradInput(input, self._target)


class CriterionCloneIsItself(Squared):
    def clone(self):
        return self


class CloneForgetsSetting(Squared):
    def clone(self):
        return type(self)()


class CloneSharesWeights(WeightedSquares):
    def __deepcopy__(self, memo):
        return copy.copy(self)


class LossLostByRefusal(Squared):
    def updateOutput(self, input, target):
        self.output = 0.0
        return super().updateOutput(input, target)


class GradientLostByRefusal(Squared):
    def updateGradInput(self, input, target):
        self.gradInput = 2 / self._divisor(input) * input
        return super().updateGradInput(input, target)


class NanLeftOut(Squared):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = np.nansum((input - target) ** 2).item() / self._divisor(input)
        return self.output


class NanOfTargetLeftOut(Squared):
    """A way of saying 'unlabelled' that nobody agreed on."""

    def updateOutput(self, input, target):
        fit(input, target)
        return super().updateOutput(input, np.where(np.isnan(target), input, target))


class HingeSwallowsNan(Hinge):
    def updateOutput(self, input, target):
        fit(input, target)
        margin = 1 - target * input
        self.output = (margin * (margin > 0))[margin > 0].sum().item()
        return self.output


class TargetMadeNumpy(Squared):
    def updateOutput(self, input, target):
        return super().updateOutput(input, np.asarray(target))


class GradientFromBareShape(Squared):
    def updateGradInput(self, input, target):
        fit(input, target)
        gradInput = np.empty(input.shape, input.dtype)
        np.subtract(input, target, out=gradInput)
        gradInput *= 2 / self._divisor(input)
        self.gradInput = gradInput
        return gradInput


class MathsOfLossForgetsTwo(Squared):
    """The squared distance.

    Maths
    -----
    ::

        n = input.size if sizeAverage else 1
        output = ((input - target) ** 2).sum() / n
        gradInput = (input - target) / n
    """


class MathsAlwaysAverages(Squared):
    """The squared distance.

    Maths
    -----
    ::

        output = ((input - target) ** 2).sum() / input.size
        gradInput = 2 * (input - target) / input.size
    """


class MathsOfAnotherTarget(Squared):
    """The squared distance.

    Maths
    -----
    ::

        output = ((input - target[0].T[:1]) ** 2).mean(3)
    """


class MathsOfEachEntry(Squared):
    """The squared distance.

    Maths
    -----
    ::

        output = (input - target) ** 2
    """


SHAPE = (5, 3)


def squared(kind, kills, why, *arguments, pattern=None):
    return CriterionBug(lambda: kind(*arguments), SHAPE, SHAPE, kills, why, pattern=pattern)


BUGS = [
    squared(GradientForgetsTwo, {"gradInput"}, "half the derivative", pattern="factor of 2"),
    squared(GradientNegated, {"gradInput"}, "the gradient of the target", pattern="wrong sign"),
    squared(
        GradientIgnoresTarget,
        {"gradInput"},
        "the target does not matter",
        pattern="depend on the target",
    ),
    squared(
        AverageForwardsOnly,
        {"gradInput"},
        "the loss is averaged, its gradient is not",
        pattern="summed instead of averaged",
    ),
    squared(
        AverageOverSamplesBackwards,
        {"gradInput"},
        "divided by the number of samples, not of entries",
        pattern="constant factor",
    ),
    squared(
        AverageBackwardsThoughSwitchedOff,
        {"gradInput"},
        "averages with sizeAverage = False, too",
        False,
        pattern="averaged instead of summed",
    ),
    squared(
        LossOfFirstSample,
        {"gradInput"},
        "only the first sample counts forwards",
        pattern="first sample",
    ),
    squared(SignForgotten, {"gradInput"}, "the gradient is always 1", pattern="sign"),
    squared(
        HuberForgetsBounds,
        {"gradInput"},
        "large differences are not bounded",
        pattern="only where |input - target| > 1",
    ),
    CriterionBug(
        lambda: HingeAlwaysPulls(),
        SHAPE,
        signs(*SHAPE),
        {"gradInput"},
        "a gradient beyond the margin, too",
        pattern="saturat",
    ),
    CriterionBug(
        lambda: ClassesCountedFromOne(),
        SHAPE,
        ids(*SHAPE),
        {"gradInput"},
        "the gradient belongs to the next class",
        pattern="off by one",
    ),
    CriterionBug(
        lambda: SoftMaxForgotten(),
        SHAPE,
        ids(*SHAPE),
        {"gradInput"},
        "the gradient of the log-likelihood alone",
    ),
    CriterionBug(
        lambda: EntropyForgetsComplement(),
        probabilities(*SHAPE),
        probabilities(*SHAPE),
        {"gradInput"},
        "the gradient of one of two terms",
    ),
    squared(
        WeightsForgottenBackwards,
        {"gradInput"},
        "unweighted gradients",
        np.arange(1.0, 4.0),
        pattern="each column",
    ),
    CriterionBug(
        lambda: ApartForgetsSecond(),
        [SHAPE, SHAPE],
        SHAPE,
        {"gradInput"},
        "the second array gets no gradient",
        pattern="never written",
    ),
    squared(
        GradientOfBareSampleOnly,
        {"gradInput", "split"},
        "the gradient is flat",
        pattern="expected (5, 3)",
    ),
    squared(BroadcastsColumn, {"broadcast"}, "a target of one column is spread over all"),
    squared(BroadcastsBackwards, {"broadcast"}, "a target of one column is spread by the gradient"),
    squared(FitsBySize, {"broadcast"}, "a target of another shape but the same size passes"),
    squared(LossIsArray, {"split"}, "a 0-dimensional array instead of a Python number"),
    squared(LossOfSinglePrecision, {"split"}, "a number of float32 for an input of float64"),
    squared(LossNotKept, {"split"}, "self.output is not set"),
    squared(GradientNotKept, {"split"}, "self.gradInput is not set"),
    squared(BackwardHalves, {"split"}, "backward and updateGradInput differ"),
    squared(LossBackwardReturnsNothing, {"split"}, "backward returns None"),
    squared(
        TargetMutated,
        {"mutation"},
        "the target becomes the difference",
        pattern="changed its target",
    ),
    squared(
        InputMutated, {"mutation"}, "the input becomes the gradient", pattern="changed its input"
    ),
    squared(GradientBufferReused, {"aliasing"}, "the next gradient is written over the last"),
    squared(GradientAccumulates, {"repeat"}, "the gradient is added to the last one"),
    squared(GradientUpcasts, {"dtype"}, "a float64 factor upcasts float32"),
    squared(
        LossInSinglePrecision,
        {"gradInput"},
        "the loss is rounded to float32",
        pattern="single precision",
    ),
    squared(
        GradientInSinglePrecision,
        {"gradInput"},
        "the gradient is rounded to float32",
        pattern="single precision",
    ),
    squared(OrderOfMemory, {"layout"}, "different layouts mix the entries up"),
    squared(GradientInOrderOfMemory, {"layout"}, "the gradient of other layouts is mixed up"),
    squared(LastBitOfFirstLoss, {"repeat"}, "the first loss differs in a bit"),
    squared(LossAveragesOverCalls, {"repeat"}, "the loss depends on earlier ones"),
    squared(DifferenceOfLastForward, {"interleave"}, "uses the difference of the last forward"),
    squared(TargetOfLastForward, {"interleave"}, "uses the target of the last forward"),
    squared(CriterionCloneIsItself, {"clone"}, "a clone is the criterion itself"),
    squared(CloneForgetsSetting, {"clone"}, "a clone averages again", False),
    squared(CloneSharesWeights, {"clone"}, "a clone has the same weights", np.arange(1.0, 4.0)),
    squared(LossLostByRefusal, {"exceptions"}, "a refused target costs the last loss"),
    squared(GradientLostByRefusal, {"exceptions"}, "a refused target costs the last gradient"),
    squared(NanLeftOut, {"nan"}, "NaN is left out of the sum"),
    squared(NanOfTargetLeftOut, {"nan"}, "NaN in the target counts as no difference"),
    CriterionBug(
        lambda: HingeSwallowsNan(),
        SHAPE,
        signs(*SHAPE),
        {"nan"},
        "NaN > 0 is false",
    ),
    squared(TargetMadeNumpy, {"duck"}, "np.asarray takes other arrays to the host"),
    squared(GradientFromBareShape, {"duck"}, "np.empty of a shape is always a NumPy array"),
    squared(MathsOfLossForgetsTwo, {"maths"}, "the docstring's gradient lacks a factor"),
    squared(MathsOfAnotherTarget, {"maths"}, "the docstring raises"),
    squared(MathsOfEachEntry, {"maths"}, "the docstring gives a loss for each entry"),
    squared(MathsAlwaysAverages, {"maths"}, "the docstring ignores sizeAverage", False),
]
