"""Linear layers whose results are wrong: derivatives, scale, accumulation, batches, the split."""

import numpy as np

from bugs import Bug
from bugs.good import Affine, Gain, rows
from torchlite import nn

# ---------------------------------------------------------------- the gradient of the input


class GradInputNegated(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = -(gradOutput @ self.weight)
        return self.gradInput


class GradInputDoubled(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * gradOutput @ self.weight
        return self.gradInput


class GradInputTransposedWhenSquare(Affine):
    def updateGradInput(self, input, gradOutput):
        square = self.weight.shape[0] == self.weight.shape[1]
        self.gradInput = gradOutput @ (self.weight.T if square else self.weight)
        return self.gradInput


class GradInputHasOneWrongEntry(Affine):
    def updateGradInput(self, input, gradOutput):
        gradInput = gradOutput @ self.weight
        gradInput[..., -1] *= 1 + 1e-6
        self.gradInput = gradInput
        return gradInput


class GradInputIgnoresSignsOfWeights(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ np.abs(self.weight)
        return self.gradInput


class GradInputAveragesOverBatch(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight / max(len(rows(input)), 1)
        return self.gradInput


class GradInputOfFirstSampleForAll(Affine):
    def updateGradInput(self, input, gradOutput):
        gradInput = gradOutput @ self.weight
        gradInput[...] = rows(gradInput)[:1]
        self.gradInput = gradInput
        return gradInput


class GradInputInSinglePrecision(Affine):
    def updateGradInput(self, input, gradOutput):
        product = gradOutput.astype(np.float32) @ self.weight.astype(np.float32)
        self.gradInput = product.astype(input.dtype)
        return self.gradInput


class GradInputWrongInEvaluation(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight
        if not self.train:
            self.gradInput = self.gradInput * 0.5
        return self.gradInput


class GradInputWrongForBareSample(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight
        if input.ndim == 1:
            self.gradInput = self.gradInput / len(input)
        return self.gradInput


# ---------------------------------------------------------------- the gradients of the parameters


class GradWeightNegated(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight -= scale * (rows(gradOutput).T @ rows(input))
        self.gradBias += scale * rows(gradOutput).sum(0)


class GradWeightTransposedWhenSquare(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(input).T @ rows(gradOutput))
        self.gradBias += scale * rows(gradOutput).sum(0)


class GradWeightSkipsNegativeInputs(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(np.maximum(input, 0), gradOutput, scale)


class GradWeightMissesOneEntry(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        before = self.gradWeight[-1, -1]
        super().accGradParameters(input, gradOutput, scale)
        self.gradWeight[-1, -1] = before


class GradWeightMissesOneOfMany(GradWeightMissesOneEntry):
    """Too many entries to look at one by one."""


class GradInputWrongInOneOfMany(GradInputHasOneWrongEntry):
    """Too many entries to look at one by one."""


class GradWeightDecays(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.gradWeight += scale * 1e-4 * self.weight


class GradBiasForgotten(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))


class GradBiasAveragesOverBatch(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        self.gradBias += scale * rows(gradOutput).sum(0) / max(len(rows(gradOutput)), 1)


class GradBiasTakesFirstSample(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        self.gradBias += scale * rows(gradOutput)[0]


class GradientsInSinglePrecision(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        product = rows(gradOutput).T @ rows(input)
        self.gradWeight += scale * product.astype(np.float32)
        self.gradBias += scale * rows(gradOutput).sum(0)


class GradParametersWrongInEvaluation(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        if self.train:
            super().accGradParameters(input, gradOutput, scale)


class GradParametersClipped(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += np.clip(scale * (rows(gradOutput).T @ rows(input)), -100, 100)
        self.gradBias += scale * rows(gradOutput).sum(0)


class GradGainWrongForBareSample(Gain):
    def accGradParameters(self, input, gradOutput, scale=1):
        # For one sample this adds the inner product to every entry.
        self.gradWeight += scale * (input * gradOutput).sum(0)


# ---------------------------------------------------------------- scale


class ScaleIgnoredForBias(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        self.gradBias += rows(gradOutput).sum(0)


class ScaleIgnoredForWeight(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += rows(gradOutput).T @ rows(input)
        self.gradBias += scale * rows(gradOutput).sum(0)


class ScaleSquared(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, scale * gradOutput, scale)


class ScaleOfZeroTakenForMissing(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale or 1)


class ScaleWithoutSign(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, abs(scale))


class ScaleTruncated(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, int(scale))


class ScaleDroppedByBackward(Affine):
    def backward(self, input, gradOutput, scale=1):
        return super().backward(input, gradOutput)


class ScaleAppliedToGradInput(Affine):
    def backward(self, input, gradOutput, scale=1):
        super().backward(input, gradOutput, scale)
        self.gradInput = scale * self.gradInput
        return self.gradInput


class ScaleAppliedToWhatWasThere(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput)
        self.gradWeight *= scale
        self.gradBias *= scale


class ScaleMustBePythonNumber(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        if type(scale) not in (int, float):
            scale = 1
        super().accGradParameters(input, gradOutput, scale)


# ---------------------------------------------------------------- accumulation


class GradientsOverwritten(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight[...] = scale * (rows(gradOutput).T @ rows(input))
        self.gradBias[...] = scale * rows(gradOutput).sum(0)


class GradBiasOverwritten(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        self.gradBias[...] = scale * rows(gradOutput).sum(0)


class SecondAccumulationOverwrites(Affine):
    """Keeps to itself whether there is something to add to."""

    _begun = False

    def accGradParameters(self, input, gradOutput, scale=1):
        before = self.gradWeight.copy(), self.gradBias.copy()
        super().accGradParameters(input, gradOutput, scale)
        if self._begun:
            self.gradWeight -= before[0]
            self.gradBias -= before[1]
        self._begun = True

    def zeroGradParameters(self):
        self._begun = False
        return super().zeroGradParameters()


class GradientsAveragedOverCalls(Affine):
    calls = 0

    def accGradParameters(self, input, gradOutput, scale=1):
        self.calls += 1
        self.gradWeight += (
            scale * (rows(gradOutput).T @ rows(input)) - self.gradWeight
        ) / self.calls
        self.gradBias += (scale * rows(gradOutput).sum(0) - self.gradBias) / self.calls

    def zeroGradParameters(self):
        self.calls = 0
        return super().zeroGradParameters()


class GradientsWithHiddenMomentum(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight *= 0.9
        self.gradBias *= 0.9
        super().accGradParameters(input, gradOutput, scale)


class GradientsHeldInBounds(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        np.clip(self.gradBias, -1, 1, out=self.gradBias)


# ---------------------------------------------------------------- batches


class BatchOfOneSqueezed(Affine):
    def updateOutput(self, input):
        self.output = (input @ self.weight.T + self.bias).squeeze()
        return self.output


class BareSampleBecomesBatch(Affine):
    def updateOutput(self, input):
        self.output = rows(input) @ self.weight.T + self.bias
        return self.output


class BatchSizeFixedByFirstForward(nn.Module):
    def __init__(self, size):
        self.bias = np.linspace(-1, 1, size)
        self.gradBias = np.zeros(size)
        self._ones = None

    def updateOutput(self, input):
        if self._ones is None:
            self._ones = np.ones((len(input), 1), input.dtype)
        self.output = input + self._ones * self.bias
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradBias += scale * rows(gradOutput).sum(0)


class EverySampleGetsFirstOutput(Affine):
    """With a consistent gradient: all of gradOutput goes to the first sample."""

    def _first(self, input):
        return input if input.ndim == 1 else 0 * input + input[:1]

    def _all_to_first(self, gradOutput):
        if gradOutput.ndim == 1:
            return gradOutput
        gathered = np.zeros_like(gradOutput)
        gathered[:1] = gradOutput.sum(0)
        return gathered

    def updateOutput(self, input):
        return super().updateOutput(self._first(input))

    def updateGradInput(self, input, gradOutput):
        return super().updateGradInput(input, self._all_to_first(gradOutput))

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(self._first(input), gradOutput, scale)


class EmptyBatchDividesByZero(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        count = len(rows(input))
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        self.gradBias += scale * rows(gradOutput).sum(0) / count * count


class EmptyBatchHasNothingToStack(Affine):
    def updateOutput(self, input):
        if input.ndim == 1:
            return super().updateOutput(input)
        self.output = np.stack([self.weight @ row + self.bias for row in input])
        return self.output


class EmptyBatchHasNoFirstSample(Affine):
    def updateOutput(self, input):
        if rows(input)[0].shape != self.weight.shape[1:]:
            raise ValueError("the samples do not fit")
        return super().updateOutput(input)


# ---------------------------------------------------------------- the split


class OutputNotKept(Affine):
    def updateOutput(self, input):
        return input @ self.weight.T + self.bias


class OutputNotReturned(Affine):
    def updateOutput(self, input):
        self.output = input @ self.weight.T + self.bias


class GradInputNotKept(Affine):
    def updateGradInput(self, input, gradOutput):
        return gradOutput @ self.weight


class GradInputNotReturned(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight


class OtherOutputKeptThanReturned(Affine):
    def updateOutput(self, input):
        self.output = input @ self.weight.T
        return self.output + self.bias


class ForwardDoesMoreThanUpdateOutput(Affine):
    def forward(self, input):
        self.output = 2 * self.updateOutput(input)
        return self.output


class ForwardAddsToUpdateOutput(Affine):
    """A constant, so that the derivatives stay right."""

    def forward(self, input):
        self.output = self.updateOutput(input) + 1
        return self.output


class GradientsAccumulatedByUpdateGradInput(Affine):
    def updateGradInput(self, input, gradOutput):
        super().accGradParameters(input, gradOutput)
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        pass


class GradientsAccumulatedByBoth(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradBias += rows(gradOutput).sum(0)
        return super().updateGradInput(input, gradOutput)


class GradBiasNeedsUpdateGradInput(Affine):
    """accGradParameters takes the gradOutput that updateGradInput left."""

    _gradOutput = None

    def updateGradInput(self, input, gradOutput):
        self._gradOutput = gradOutput
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))
        if self._gradOutput is not None:
            self.gradBias += scale * rows(self._gradOutput).sum(0)


class BackwardAccumulatesTwice(Affine):
    def backward(self, input, gradOutput, scale=1):
        self.accGradParameters(input, gradOutput, scale)
        return super().backward(input, gradOutput, scale)


class BackwardLeavesGradientsOut(Affine):
    def backward(self, input, gradOutput, scale=1):
        return self.updateGradInput(input, gradOutput)


class BackwardReturnsNothing(Affine):
    def backward(self, input, gradOutput, scale=1):
        super().backward(input, gradOutput, scale)


class AccGradParametersReturnsItself(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        return self


# ---------------------------------------------------------------- the documentation


class MathsAveragesGradBias(Affine):
    """A linear map.

    Maths
    -----
    ::

        output = input @ weight.T + bias
        gradInput = gradOutput @ weight
        gradWeight += scale * gradOutput.T @ input
        gradBias += scale * gradOutput.mean(0)
    """


class MathsForgetsBias(Affine):
    """A linear map.

    Maths
    -----
    ::

        output = input @ weight.T
        gradInput = gradOutput @ weight
        gradWeight += scale * gradOutput.T @ input
        gradBias += scale * gradOutput.sum(0)
    """


class MathsForgetsTheTranspose(Affine):
    """A linear map.

    Maths
    -----
    ::

        output = input @ weight + bias
        gradInput = gradOutput @ weight
    """


BUGS = [
    Bug(
        lambda: GradInputNegated(3, 4),
        (5, 3),
        {"gradInput"},
        "the sign is wrong",
        pattern="wrong sign",
    ),
    Bug(
        lambda: GradInputDoubled(3, 4),
        (5, 3),
        {"gradInput"},
        "twice the derivative",
        pattern="doubled",
    ),
    Bug(
        lambda: GradInputTransposedWhenSquare(4, 4),
        (5, 4),
        {"gradInput"},
        "the weight is transposed, which only a square one does not refuse",
        pattern="transposed",
    ),
    Bug(
        lambda: GradInputHasOneWrongEntry(3, 4),
        (5, 3),
        {"gradInput"},
        "one column is off by a millionth",
        pattern="only at index",
    ),
    Bug(
        lambda: GradInputIgnoresSignsOfWeights(3, 4),
        (5, 3),
        {"gradInput"},
        "absolute weights go back, signed ones went forward",
        pattern="signs forgotten",
    ),
    Bug(
        lambda: GradInputAveragesOverBatch(3, 4),
        (5, 3),
        {"gradInput", "batch"},
        "divides by the number of samples",
        pattern="averaged instead of summed",
    ),
    Bug(
        lambda: GradInputOfFirstSampleForAll(3, 4),
        (5, 3),
        {"gradInput", "batch"},
        "all samples get the gradient of the first",
        pattern="first sample",
    ),
    Bug(
        lambda: GradInputInSinglePrecision(3, 4),
        (5, 3),
        {"gradInput"},
        "computes in float32 on the way back",
        pattern="single precision",
    ),
    Bug(
        lambda: GradInputWrongInEvaluation(3, 4),
        (5, 3),
        {"gradInput"},
        "half the derivative in evaluation mode",
        pattern="factor of 2",
    ),
    Bug(
        lambda: GradInputWrongForBareSample(3, 4),
        (5, 3),
        {"batch"},
        "a bare sample's gradient is divided by its size",
    ),
    Bug(
        lambda: GradWeightNegated(3, 4),
        (5, 3),
        {"gradParameters"},
        "the sign is wrong",
        pattern="wrong sign",
    ),
    Bug(
        lambda: GradWeightTransposedWhenSquare(4, 4),
        (5, 4),
        {"gradParameters"},
        "the transposed gradient, which only fits a square weight",
        pattern="transposed",
    ),
    Bug(
        lambda: GradWeightSkipsNegativeInputs(3, 4),
        (5, 3),
        {"gradParameters"},
        "negative inputs count as zero",
        pattern="negative numbers",
    ),
    Bug(
        lambda: GradWeightMissesOneEntry(3, 4),
        (5, 3),
        {"gradParameters"},
        "the last entry is never written",
        pattern="only at index",
    ),
    Bug(
        lambda: GradWeightMissesOneOfMany(70, 80),
        (5, 70),
        {"gradParameters"},
        "one of 5,600 entries is never written",
        pattern="only at index",
    ),
    Bug(
        lambda: GradInputWrongInOneOfMany(500, 2),
        (5, 500),
        {"gradInput"},
        "one of 500 columns is off by a millionth",
        pattern="only at index",
    ),
    Bug(
        lambda: GradWeightDecays(3, 4),
        (5, 3),
        {"gradParameters", "linear"},
        "weight decay hides in the gradient",
        pattern="weight decay",
    ),
    Bug(
        lambda: GradBiasForgotten(3, 4),
        (5, 3),
        {"gradParameters"},
        "gradBias is never written",
        pattern="never written",
    ),
    Bug(
        lambda: GradBiasAveragesOverBatch(3, 4),
        (5, 3),
        {"gradParameters", "batch"},
        "averaged instead of summed",
        pattern="averaged instead of summed",
    ),
    Bug(
        lambda: GradBiasTakesFirstSample(3, 4),
        (5, 3),
        {"gradParameters", "batch", "empty"},
        "only the first sample counts",
        pattern="first sample",
    ),
    Bug(
        lambda: GradientsInSinglePrecision(3, 4),
        (5, 3),
        {"gradParameters"},
        "gradWeight is rounded to float32",
        pattern="single precision",
    ),
    Bug(
        lambda: GradParametersWrongInEvaluation(3, 4),
        (5, 3),
        {"gradParameters"},
        "no gradients in evaluation mode",
        pattern="never written",
    ),
    Bug(
        lambda: GradParametersClipped(3, 4),
        (5, 3),
        {"linear"},
        "one call's gradient is cut off at 100",
    ),
    Bug(
        lambda: GradGainWrongForBareSample(3),
        (5, 3),
        {"batch"},
        "a bare sample adds its inner product to every entry",
    ),
    Bug(
        lambda: ScaleIgnoredForBias(3, 4),
        (5, 3),
        {"scale"},
        "gradBias does not know scale",
        pattern="scale ignored",
    ),
    Bug(
        lambda: ScaleIgnoredForWeight(3, 4),
        (5, 3),
        {"scale"},
        "gradWeight does not know scale",
        pattern="scale ignored",
    ),
    Bug(
        lambda: ScaleSquared(3, 4),
        (5, 3),
        {"scale"},
        "applied twice",
        pattern="scale applied twice",
    ),
    Bug(
        lambda: ScaleOfZeroTakenForMissing(3, 4),
        (5, 3),
        {"scale"},
        "0 counts as 1",
        pattern="scale ignored",
    ),
    Bug(lambda: ScaleWithoutSign(3, 4), (5, 3), {"scale"}, "-2 counts as 2", pattern="wrong sign"),
    Bug(lambda: ScaleTruncated(3, 4), (5, 3), {"scale"}, "0.5 counts as 0", pattern="whole number"),
    Bug(
        lambda: ScaleDroppedByBackward(3, 4),
        (5, 3),
        {"scale"},
        "backward does not pass it on",
        pattern="scale ignored",
    ),
    Bug(
        lambda: ScaleAppliedToGradInput(3, 4),
        (5, 3),
        {"scale"},
        "backward scales the gradient of the input, too",
        pattern="the scale",
    ),
    Bug(
        lambda: ScaleAppliedToWhatWasThere(3, 4),
        (5, 3),
        {"scale"},
        "the gradient so far is scaled with the new one",
        pattern="what was there before",
    ),
    Bug(
        lambda: ScaleMustBePythonNumber(3, 4),
        (5, 3),
        {"scale"},
        "a NumPy number counts as 1",
        pattern="scale ignored",
    ),
    Bug(
        lambda: GradientsOverwritten(3, 4),
        (5, 3),
        {"accumulate"},
        "= instead of +=",
        pattern="overwrites",
    ),
    Bug(
        lambda: GradBiasOverwritten(3, 4),
        (5, 3),
        {"accumulate"},
        "= instead of += for the bias",
        pattern="overwrites",
    ),
    Bug(
        lambda: SecondAccumulationOverwrites(3, 4),
        (5, 3),
        {"accumulate"},
        "only the last call since zeroGradParameters counts",
        pattern="overwrites",
    ),
    Bug(
        lambda: GradientsAveragedOverCalls(3, 4),
        (5, 3),
        {"accumulate"},
        "the mean of all calls instead of their sum",
        pattern="overwrites",
    ),
    Bug(
        lambda: GradientsWithHiddenMomentum(3, 4),
        (5, 3),
        {"accumulate"},
        "what was there shrinks at each call",
        pattern="what was there before",
    ),
    Bug(
        lambda: GradientsHeldInBounds(3, 4),
        (5, 3),
        {"gradParameters"},
        "the accumulated gradient is clipped",
        pattern="clipped",
    ),
    Bug(lambda: BatchOfOneSqueezed(3, 4), (5, 3), {"batch"}, "(1, m) comes out as (m,)"),
    Bug(lambda: BareSampleBecomesBatch(3, 4), (5, 3), {"batch"}, "(n,) comes out as (1, m)"),
    Bug(
        lambda: BatchSizeFixedByFirstForward(3),
        (5, 3),
        {"batch"},
        "after the first forward only batches of its size fit",
    ),
    Bug(
        lambda: EverySampleGetsFirstOutput(3, 4),
        (5, 3),
        {"batch"},
        "all samples get the output of the first",
    ),
    Bug(
        lambda: EmptyBatchDividesByZero(3, 4),
        (5, 3),
        {"empty"},
        "divides by the number of samples",
    ),
    Bug(
        lambda: EmptyBatchHasNothingToStack(3, 4),
        (5, 3),
        {"empty"},
        "np.stack refuses an empty list",
    ),
    Bug(
        lambda: EmptyBatchHasNoFirstSample(3, 4),
        (5, 3),
        {"empty"},
        "looks at the first sample, which need not be there",
    ),
    Bug(lambda: OutputNotKept(3, 4), (5, 3), {"split"}, "self.output is not set"),
    Bug(lambda: OutputNotReturned(3, 4), (5, 3), {"split"}, "updateOutput returns None"),
    Bug(lambda: GradInputNotKept(3, 4), (5, 3), {"split"}, "self.gradInput is not set"),
    Bug(lambda: GradInputNotReturned(3, 4), (5, 3), {"split"}, "updateGradInput returns None"),
    Bug(
        lambda: OtherOutputKeptThanReturned(3, 4),
        (5, 3),
        {"split"},
        "self.output is not what was returned",
    ),
    Bug(
        lambda: ForwardDoesMoreThanUpdateOutput(3, 4),
        (5, 3),
        {"split"},
        "forward and updateOutput give different results",
    ),
    Bug(
        lambda: ForwardAddsToUpdateOutput(3, 4),
        (5, 3),
        {"split"},
        "forward and updateOutput give different results, with the same derivatives",
    ),
    Bug(
        lambda: GradientsAccumulatedByUpdateGradInput(3, 4),
        (5, 3),
        {"split"},
        "updateGradInput does the work of accGradParameters",
    ),
    Bug(
        lambda: GradientsAccumulatedByBoth(3, 4),
        (5, 3),
        {"split"},
        "updateGradInput accumulates gradBias, too",
    ),
    Bug(
        lambda: GradBiasNeedsUpdateGradInput(3, 4),
        (5, 3),
        {"split"},
        "accGradParameters alone uses an older gradOutput, or none",
    ),
    Bug(lambda: BackwardAccumulatesTwice(3, 4), (5, 3), {"split"}, "backward accumulates twice"),
    Bug(lambda: BackwardLeavesGradientsOut(3, 4), (5, 3), {"split"}, "backward does half the work"),
    Bug(lambda: BackwardReturnsNothing(3, 4), (5, 3), {"split"}, "backward returns None"),
    Bug(
        lambda: AccGradParametersReturnsItself(3, 4),
        (5, 3),
        {"split"},
        "accGradParameters returns the layer instead of None",
    ),
    Bug(
        lambda: MathsAveragesGradBias(3, 4),
        (5, 3),
        {"maths"},
        "the docstring averages, the layer sums",
    ),
    Bug(
        lambda: MathsForgetsBias(3, 4),
        (5, 3),
        {"maths"},
        "the docstring's output lacks the bias",
    ),
    Bug(
        lambda: MathsForgetsTheTranspose(3, 4),
        (5, 3),
        {"maths"},
        "the docstring raises",
    ),
]
