"""Functions of every entry, or of every row, of the input: no parameters, but as many faults."""

import numpy as np

from bugs import Bug
from bugs.good import (
    Abs,
    Affine,
    CachedExp,
    Centred,
    Clip,
    Norm,
    Relu,
    SoftMax,
    Sorted,
    Square,
    rows,
)
from torchlite import nn

# ---------------------------------------------------------------- derivatives


class SigmoidSlopeTakenAtInput(nn.Module):
    def updateOutput(self, input):
        self.output = 0.5 * (1 + np.tanh(0.5 * input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * input * (1 - input)
        return self.gradInput


class TanhSlopeForgetsSquare(nn.Module):
    def updateOutput(self, input):
        self.output = np.tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 - np.tanh(input))
        return self.gradInput


class SquareForgetsTwo(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = input * gradOutput
        return self.gradInput


class AbsForgetsSign(Abs):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput


class LeakyOnlyForwards(Relu):
    def updateOutput(self, input):
        self.output = np.where(input.real > 0, input, 0.01 * input)
        return self.output


class ClipLetsEverythingBack(Clip):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput


class ReluPassesPositiveGradients(Relu):
    """Guided backpropagation."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.maximum(gradOutput, 0) * (input > 0)
        return self.gradInput


class SlopeForgetsLargeInputs(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * np.clip(input, -3, 3) * gradOutput
        return self.gradInput


class SortedGoesBackUnsorted(Sorted):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.take_along_axis(gradOutput, np.argsort(input, axis=-1), axis=-1)
        return self.gradInput


class SoftMaxSlopeIsDiagonal(SoftMax):
    def updateGradInput(self, input, gradOutput):
        y = self.updateOutput(input)
        self.gradInput = gradOutput * y * (1 - y)
        return self.gradInput


class LogSoftMaxWantsEqualGradients(nn.Module):
    """Right as long as all of gradOutput is the same number."""

    def updateOutput(self, input):
        shifted = input - input.max(axis=-1, keepdims=True)
        self.output = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = np.exp(self.updateOutput(input))
        self.gradInput = gradOutput * (1 - input.shape[-1] * y)
        return self.gradInput


class NormTakenForConstant(nn.Module):
    """Rows of length one, as if their lengths did not depend on them."""

    def updateOutput(self, input):
        self.output = input / np.sqrt((input**2).sum(axis=-1, keepdims=True))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / np.sqrt((input**2).sum(axis=-1, keepdims=True))
        return self.gradInput


class NormForgetsDividing(Norm):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * input
        return self.gradInput


class NormSlightlyOff(Norm):
    """np.linalg.norm takes no complex numbers, so that only differences can tell."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput) * (1 + 1e-4)
        return self.gradInput


class InputTakenForGradOutput(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * input
        return self.gradInput


# ---------------------------------------------------------------- linear


class GradOutputClipped(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * np.clip(gradOutput, -5, 5)
        return self.gradInput


class GradOutputAddsEpsilon(Relu):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input > 0) + 1e-30
        return self.gradInput


class SmallGradientsDropped(Relu):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(np.abs(gradOutput) < 1e-3, 0 * gradOutput, gradOutput) * (
            input > 0
        )
        return self.gradInput


# ---------------------------------------------------------------- what belongs to each sample


class CentredOverBatch(Centred):
    """With a consistent gradient."""

    def updateOutput(self, input):
        self.output = input - input.sum() / max(input.size, 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput - gradOutput.sum() / max(input.size, 1)
        return self.gradInput


class SoftMaxOverSamples(nn.Module):
    """Along the wrong axis, with a consistent gradient."""

    def updateOutput(self, input):
        powers = np.exp(input)
        self.output = powers / powers.sum(axis=0, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        powers = np.exp(input)
        y = powers / powers.sum(axis=0, keepdims=True)
        self.gradInput = y * (gradOutput - (y * gradOutput).sum(axis=0, keepdims=True))
        return self.gradInput


class SquareAveragesOverBatch(Square):
    """With a consistent gradient."""

    def updateOutput(self, input):
        self.output = input**2 / max(len(input), 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput / max(len(input), 1)
        return self.gradInput


class BatchOfOneTakenForSample(Centred):
    def updateOutput(self, input):
        if input.ndim == 2 and len(input) == 1:
            self.output = super().updateOutput(input)[0]
            return self.output
        return super().updateOutput(input)


class ReversedOverBatch(nn.Module):
    """Meant to turn each row round, turns the batch round."""

    def updateOutput(self, input):
        self.output = input[::-1].copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput[::-1].copy()
        return self.gradInput


class EmptyBatchHasNoLargest(SoftMax):
    def updateOutput(self, input):
        powers = np.exp(input - input.max())
        self.output = powers / powers.sum(axis=-1, keepdims=True)
        return self.output


class EmptyBatchHasNoMean(Square):
    """Stops at means that are too large; there is none without samples."""

    def updateOutput(self, input):
        if abs(input.mean()) > 1e6:
            raise ValueError("input is too large")
        return super().updateOutput(input)


# ---------------------------------------------------------------- mutation


class ReluInPlace(Relu):
    def updateOutput(self, input):
        self.output = np.maximum(input, 0, out=input)
        return self.output


class ReluInPlaceWherePossible(Relu):
    """Makes a copy only of what it may not write to, and gives the same numbers always."""

    def updateOutput(self, input):
        try:
            self.output = np.maximum(input, 0, out=input)
        except ValueError:
            self.output = np.maximum(input, 0)
        return self.output


class ReluInPlaceOnTheWayBack(Relu):
    def updateGradInput(self, input, gradOutput):
        gradOutput[input <= 0] = 0
        self.gradInput = gradOutput
        return gradOutput


class ReluInPlaceInEvaluation(Relu):
    """Nobody goes back then, so why copy."""

    def updateOutput(self, input):
        self.output = np.maximum(input, 0, out=None if self.train else input)
        return self.output


class InputShiftedAndShiftedBack(Square):
    """Nothing is left of it, but a read-only input will not do."""

    def updateOutput(self, input):
        input += 1
        self.output = input * (input - 2) + 1
        input -= 1
        return self.output


class InputWrittenByBackward(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput
        np.copyto(input, 0)
        return self.gradInput


class InputMadeReadOnly(Square):
    def updateOutput(self, input):
        input.flags.writeable = False
        return super().updateOutput(input)


class WeightNormalisedByForward(Affine):
    """Idempotent, so that only the first forward shows it."""

    def updateOutput(self, input):
        self.weight /= np.sqrt((self.weight**2).sum(1, keepdims=True))
        return super().updateOutput(input)


# ---------------------------------------------------------------- dtype


class UpcastByNumpyScalar(nn.Module):
    factor = np.float64(0.5)

    def updateOutput(self, input):
        self.output = input * self.factor
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.factor
        return self.gradInput


class UpcastByRootOfSize(nn.Module):
    def updateOutput(self, input):
        self.output = input / np.sqrt(input.shape[-1])
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / np.sqrt(input.shape[-1])
        return self.gradInput


class UpcastByMask(Relu):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input > 0).astype(np.float64)
        return self.gradInput


class UpcastInEvaluation(Square):
    def updateOutput(self, input):
        self.output = input**2
        if not self.train:
            self.output = self.output * np.float64(1)
        return self.output


class UpcastByEpsilons(Square):
    def updateOutput(self, input):
        self.output = input**2 + np.full(input.shape[-1:], 1e-8)
        return self.output


class AlwaysDouble(Square):
    def updateOutput(self, input):
        self.output = input.astype(np.result_type(input, np.float64)) ** 2
        return self.output


def single(array):
    return array.astype(np.complex64 if array.dtype.kind == "c" else np.float32)


class AlwaysSingle(Square):
    def updateOutput(self, input):
        self.output = single(input) ** 2
        return self.output


class SingleInside(Square):
    def updateOutput(self, input):
        self.output = (single(input) ** 2).astype(input.dtype)
        return self.output


class RefusesSinglePrecision(Square):
    def updateOutput(self, input):
        if input.dtype == np.float32:
            raise TypeError("input must be float64")
        return super().updateOutput(input)


class WrongInSinglePrecision(Square):
    def updateGradInput(self, input, gradOutput):
        factor = 1 if input.dtype == np.float32 else 2
        self.gradInput = factor * input * gradOutput
        return self.gradInput


# ---------------------------------------------------------------- layout


class OutputInOrderOfMemory(Square):
    def updateOutput(self, input):
        self.output = (input.ravel(order="K") ** 2).reshape(input.shape)
        return self.output


class GradOutputInOrderOfMemory(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput.ravel(order="K").reshape(input.shape)
        return self.gradInput


class ReadsRawBuffer(Square):
    def updateOutput(self, input):
        if input.dtype.kind == "f":
            input = np.frombuffer(input, input.dtype).reshape(input.shape)
        return super().updateOutput(input)


class TakesBaseForInput(Square):
    """As if a view had as many entries as what it looks at, in the same order."""

    def updateOutput(self, input):
        base = input.base
        if isinstance(base, np.ndarray) and base.size == input.size:
            input = base.reshape(input.shape)
        return super().updateOutput(input)


class RefusesToCopy(Square):
    def updateOutput(self, input):
        flat = input.reshape(-1)
        if not np.may_share_memory(flat, input):
            raise ValueError("a copy would be needed")
        self.output = (flat**2).reshape(input.shape)
        return self.output


# ---------------------------------------------------------------- repetition


class LastBitAlternates(Square):
    """By less than any tolerance."""

    odd = False

    def updateOutput(self, input):
        self.output = input**2 * (1 + float(np.finfo(input.dtype).eps) * self.odd)
        self.odd = not self.odd
        return self.output


class NoiseInEvaluation(Square):
    def updateOutput(self, input):
        self.output = input**2
        if not self.train:
            self.output = self.output + np.random.default_rng().normal()
        return self.output


class WarmsUp(Square):
    """The first output is half of the later ones."""

    warm = False

    def updateOutput(self, input):
        self.output = input**2 if self.warm else 0.5 * input**2
        self.warm = True
        return self.output


class BackwardTiresOut(Square):
    calls = 0

    def updateGradInput(self, input, gradOutput):
        self.calls += 1
        self.gradInput = 2 * input * gradOutput * (1 if self.calls == 1 else 0.5)
        return self.gradInput


class GradInputAccumulates(Square):
    def updateGradInput(self, input, gradOutput):
        gradInput = 2 * input * gradOutput
        if self.gradInput.shape == input.shape:
            gradInput = gradInput + self.gradInput
        self.gradInput = gradInput
        return gradInput


class LevelFollowsInputs(nn.Module):
    """Divides by a level that every forward moves."""

    level = 1.0

    def updateOutput(self, input):
        if input.size:
            self.level = 0.5 * self.level + 0.5 * float(abs(input).max())
        self.output = input / self.level
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / self.level
        return self.gradInput


# ---------------------------------------------------------------- interleaving


class ReluSlopeOfLastOutput(Relu):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (self.output > 0)
        return self.gradInput


class ExpSlopeOfLastOutput(CachedExp):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.output
        return self.gradInput


class SquareSlopeAtLastInput(Square):
    def updateOutput(self, input):
        self._input = input
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * self._input * gradOutput
        return self.gradInput


class GradWeightOfLastInput(Affine):
    def updateOutput(self, input):
        self._input = input
        return super().updateOutput(input)

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(self._input, gradOutput, scale)


class OutputRememberedByShape(Square):
    """Keeps the output for as long as the shape stays the same."""

    _kept = None

    def updateOutput(self, input):
        if self._kept is None or self._kept[0] != (input.shape, input.dtype):
            self._kept = (input.shape, input.dtype), input**2
        self.output = self._kept[1]
        return self.output


class OutputRememberedByFirstEntry(Square):
    _kept = None

    def updateOutput(self, input):
        key = (input.shape, input.dtype, complex(input.flat[0]) if input.size else 0)
        if self._kept is None or self._kept[0] != key:
            self._kept = key, input**2
        self.output = self._kept[1]
        return self.output


# ---------------------------------------------------------------- errors


class OutputLostByRefusal(Square):
    """Drops the old output before it looks at the input."""

    def updateOutput(self, input):
        self.output = None
        if input.ndim > 2:
            raise ValueError("input must have one or two dimensions")
        self.output = input**2
        return self.output


class GradInputLostByRefusal(Square):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input
        if gradOutput.shape != input.shape:
            raise ValueError("gradOutput does not fit")
        self.gradInput = self.gradInput * gradOutput
        return self.gradInput


class BiasAccumulatedBeforeRefusal(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradBias += scale * rows(gradOutput).sum(0)
        # Raises when the numbers of samples differ.
        self.gradWeight += scale * (rows(gradOutput).T @ rows(input))


class SamplesAccumulatedBeforeRefusal(Affine):
    """Sample by sample, so that it notices too late that gradOutput has more than input."""

    def accGradParameters(self, input, gradOutput, scale=1):
        if gradOutput.ndim == 1:
            input, gradOutput = input[None], gradOutput[None]
        for row, gradient in enumerate(gradOutput):
            self.gradWeight += scale * np.outer(gradient, input[row])
            self.gradBias += scale * gradient


# ---------------------------------------------------------------- NaN and other arrays


class ReluSwallowsNan(Relu):
    def updateOutput(self, input):
        self.output = np.where(input > 0, input, 0)
        return self.output


class NanReplaced(Square):
    def updateOutput(self, input):
        self.output = np.nan_to_num(input) ** 2
        return self.output


class NanLeftOutOfSum(Affine):
    def updateOutput(self, input):
        self.output = np.nansum(input[..., None, :] * self.weight, axis=-1) + self.bias
        return self.output


class ClipSwallowsNan(Clip):
    def updateOutput(self, input):
        self.output = np.fmin(np.fmax(input, -1), 1)
        return self.output


class InputMadeNumpy(Square):
    def updateOutput(self, input):
        return super().updateOutput(np.asarray(input))


class OutputFromBareShape(Affine):
    def updateOutput(self, input):
        output = np.zeros((*input.shape[:-1], len(self.bias)), input.dtype)
        output[...] = input @ self.weight.T
        output += self.bias
        self.output = output
        return output


class GradInputFromBareShape(Relu):
    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros(input.shape, input.dtype)
        gradInput[input > 0] = gradOutput[input > 0]
        self.gradInput = gradInput
        return gradInput


class MathsForgetsTwo(Square):
    """The square.

    Maths
    -----
    ::

        output = input ** 2
        gradInput = gradOutput * input
    """


class MathsOfCube(Square):
    """The square.

    Maths
    -----
    ::

        output = input ** 3
        gradInput = 2 * gradOutput * input
    """


BUGS = [
    Bug(
        lambda: SigmoidSlopeTakenAtInput(),
        (5, 3),
        {"gradInput"},
        "input * (1 - input) where output * (1 - output) is meant",
        pattern="input * (1 - input)",
    ),
    Bug(
        lambda: TanhSlopeForgetsSquare(),
        (5, 3),
        {"gradInput"},
        "1 - tanh instead of 1 - tanh**2",
        pattern="(1 - output)",
    ),
    Bug(
        lambda: SquareForgetsTwo(),
        (5, 3),
        {"gradInput"},
        "half the derivative",
        pattern="factor of 2",
    ),
    Bug(
        lambda: AbsForgetsSign(),
        (5, 3),
        {"gradInput"},
        "wrong for negative inputs only",
        pattern="only where input < 0",
    ),
    Bug(
        lambda: LeakyOnlyForwards(),
        (5, 3),
        {"gradInput"},
        "negative inputs get no gradient",
        pattern="only where input < 0",
    ),
    Bug(
        lambda: ClipLetsEverythingBack(),
        (5, 3),
        {"gradInput"},
        "clipped inputs get a gradient",
        pattern="saturat",
    ),
    Bug(
        lambda: ReluPassesPositiveGradients(),
        (5, 3),
        {"gradInput", "linear"},
        "negative gradients are dropped",
        pattern="only where gradOutput < 0",
    ),
    Bug(
        lambda: SlopeForgetsLargeInputs(),
        (5, 3),
        {"gradInput"},
        "wrong beyond 3 only",
        pattern="only where |input| >",
    ),
    Bug(
        lambda: SortedGoesBackUnsorted(),
        lambda rng: rng.permuted(np.arange(20.0).reshape(4, 5), axis=1),
        {"gradInput"},
        "the permutation where its inverse is meant",
        pattern="other places",
    ),
    Bug(
        lambda: SoftMaxSlopeIsDiagonal(),
        (5, 3),
        {"gradInput"},
        "the other entries are forgotten",
        pattern="cross term",
    ),
    Bug(
        lambda: LogSoftMaxWantsEqualGradients(),
        (5, 3),
        {"gradInput"},
        "right for a constant gradOutput only",
    ),
    Bug(
        lambda: NormTakenForConstant(),
        (5, 3),
        {"gradInput"},
        "the length is taken for constant",
        pattern="were constant",
    ),
    Bug(
        lambda: NormForgetsDividing(),
        (5, 3),
        {"gradInput"},
        "not divided by the length",
        pattern="each row",
    ),
    Bug(
        lambda: NormSlightlyOff(),
        (5, 3),
        {"gradInput"},
        "off by one in ten thousand",
        pattern="constant factor",
    ),
    Bug(
        lambda: InputTakenForGradOutput(),
        (5, 3),
        {"gradInput", "linear"},
        "input stands where gradOutput should",
        pattern="depend on gradOutput",
    ),
    Bug(lambda: GradOutputClipped(), (5, 3), {"linear"}, "gradOutput is cut off at 5"),
    Bug(lambda: GradOutputAddsEpsilon(), (5, 3), {"linear"}, "no gradient is not quite none"),
    Bug(lambda: SmallGradientsDropped(), (5, 3), {"linear"}, "gradients below 0.001 are dropped"),
    Bug(lambda: CentredOverBatch(), (5, 3), {"batch"}, "the mean of all rows, not of each"),
    Bug(lambda: SoftMaxOverSamples(), (5, 3), {"batch"}, "normalised over the samples"),
    Bug(lambda: SquareAveragesOverBatch(), (5, 3), {"batch"}, "divided by the number of samples"),
    Bug(lambda: BatchOfOneTakenForSample(), (5, 3), {"batch"}, "(1, n) comes out as (n,)"),
    Bug(lambda: ReversedOverBatch(), (5, 3), {"batch"}, "the samples are turned round"),
    Bug(lambda: EmptyBatchHasNoLargest(), (5, 3), {"empty"}, "no largest entry among none"),
    Bug(lambda: EmptyBatchHasNoMean(), (5, 3), {"empty"}, "the mean of none is NaN and a warning"),
    Bug(lambda: ReluInPlace(), (5, 3), {"mutation"}, "the input becomes the output"),
    Bug(
        lambda: ReluInPlaceWherePossible(),
        (5, 3),
        {"mutation"},
        "the input becomes the output, unless it is read-only",
    ),
    Bug(lambda: ReluInPlaceOnTheWayBack(), (5, 3), {"mutation"}, "gradOutput becomes gradInput"),
    Bug(
        lambda: ReluInPlaceInEvaluation(),
        (5, 3),
        {"mutation"},
        "in evaluation mode the input becomes the output",
    ),
    Bug(
        lambda: InputShiftedAndShiftedBack(),
        (5, 3),
        {"mutation"},
        "writes to its input, and undoes it",
    ),
    Bug(
        lambda: InputWrittenByBackward(),
        (5, 3),
        {"mutation"},
        "the backward zeroes the input",
        pattern="changed its input",
    ),
    Bug(
        lambda: InputMadeReadOnly(), (5, 3), {"mutation"}, "nobody can write to the input after it"
    ),
    Bug(
        lambda: WeightNormalisedByForward(3, 4),
        (5, 3),
        {"mutation"},
        "forward changes the weight",
        pattern="changed parameters",
    ),
    Bug(lambda: UpcastByNumpyScalar(), (5, 3), {"dtype"}, "a float64 constant upcasts float32"),
    Bug(lambda: UpcastByRootOfSize(), (5, 3), {"dtype"}, "np.sqrt(int) is a float64"),
    Bug(lambda: UpcastByMask(), (5, 3), {"dtype"}, "a float64 mask upcasts gradInput"),
    Bug(lambda: UpcastInEvaluation(), (5, 3), {"dtype"}, "upcasts in evaluation mode only"),
    Bug(lambda: UpcastByEpsilons(), (5, 3), {"dtype"}, "an array of float64 epsilons upcasts"),
    Bug(lambda: AlwaysDouble(), (5, 3), {"dtype"}, "the output is float64 for float32, too"),
    Bug(lambda: AlwaysSingle(), (5, 3), {"dtype"}, "the output is float32 for float64, too"),
    Bug(
        lambda: SingleInside(),
        (5, 3),
        {"gradInput"},
        "computes in float32, and hides it",
        pattern="single precision",
    ),
    Bug(lambda: RefusesSinglePrecision(), (5, 3), {"dtype"}, "raises for float32"),
    Bug(lambda: WrongInSinglePrecision(), (5, 3), {"dtype"}, "another derivative in float32"),
    Bug(lambda: OutputInOrderOfMemory(), (5, 3), {"layout"}, "Fortran order mixes the entries up"),
    Bug(
        lambda: GradOutputInOrderOfMemory(),
        (5, 3),
        {"layout"},
        "gradOutput in Fortran order is mixed up",
    ),
    Bug(lambda: ReadsRawBuffer(), (5, 3), {"layout"}, "a strided input has no plain buffer"),
    Bug(lambda: TakesBaseForInput(), (5, 3), {"layout"}, "a view is taken for its base"),
    Bug(
        lambda: RefusesToCopy(),
        (5, 3),
        {"layout"},
        "a strided view cannot be flattened without a copy",
    ),
    Bug(lambda: LastBitAlternates(), (5, 3), {"repeat"}, "every second call differs in a bit"),
    Bug(lambda: NoiseInEvaluation(), (5, 3), {"repeat"}, "evaluation mode is noisy"),
    Bug(lambda: WarmsUp(), (5, 3), {"repeat"}, "the first call gives another result"),
    Bug(lambda: BackwardTiresOut(), (5, 3), {"repeat"}, "the second backward gives another result"),
    Bug(
        lambda: GradInputAccumulates(),
        (5, 3),
        {"repeat", "twice"},
        "gradInput is added to the last one",
    ),
    Bug(lambda: LevelFollowsInputs(), (5, 3), {"repeat"}, "the result depends on earlier inputs"),
    Bug(
        lambda: ReluSlopeOfLastOutput(),
        (5, 3),
        {"interleave"},
        "the slope belongs to the last forward, whatever input says",
    ),
    Bug(
        lambda: ExpSlopeOfLastOutput(),
        (5, 3),
        {"interleave"},
        "the slope belongs to the last forward, whatever input says",
    ),
    Bug(
        lambda: SquareSlopeAtLastInput(),
        (5, 3),
        {"interleave"},
        "uses the input of the last forward",
    ),
    Bug(
        lambda: GradWeightOfLastInput(3, 4),
        (5, 3),
        {"interleave"},
        "accGradParameters uses the input of the last forward",
    ),
    Bug(
        lambda: OutputRememberedByShape(),
        (5, 3),
        {"gradInput", "repeat"},
        "another input of the same shape gets the same output",
    ),
    Bug(
        lambda: OutputRememberedByFirstEntry(),
        (5, 3),
        {"gradInput"},
        "another input with the same first entry gets the same output",
    ),
    Bug(
        lambda: OutputLostByRefusal(),
        (5, 3),
        {"exceptions"},
        "a refused input costs the last output",
    ),
    Bug(
        lambda: GradInputLostByRefusal(),
        (5, 3),
        {"exceptions"},
        "a refused gradOutput costs the last gradInput",
    ),
    Bug(
        lambda: BiasAccumulatedBeforeRefusal(3, 4),
        (5, 3),
        {"exceptions"},
        "gradBias has changed when gradOutput is refused",
    ),
    Bug(
        lambda: SamplesAccumulatedBeforeRefusal(3, 4),
        (5, 3),
        {"exceptions"},
        "the samples before the one that is missing are accumulated",
    ),
    Bug(lambda: ReluSwallowsNan(), (5, 3), {"nan"}, "NaN > 0 is false"),
    Bug(lambda: NanReplaced(), (5, 3), {"nan"}, "NaN counts as 0"),
    Bug(lambda: NanLeftOutOfSum(3, 4), (5, 3), {"nan"}, "NaN is left out of the sum"),
    Bug(lambda: ClipSwallowsNan(), (5, 3), {"nan"}, "fmax prefers the number to the NaN"),
    Bug(lambda: InputMadeNumpy(), (5, 3), {"duck"}, "np.asarray takes other arrays to the host"),
    Bug(
        lambda: OutputFromBareShape(3, 4),
        (5, 3),
        {"duck"},
        "np.zeros of a shape is always a NumPy array",
    ),
    Bug(
        lambda: GradInputFromBareShape(),
        (5, 3),
        {"duck"},
        "np.zeros of a shape is always a NumPy array",
    ),
    Bug(lambda: MathsForgetsTwo(), (5, 3), {"maths"}, "the docstring's gradInput lacks a factor"),
    Bug(lambda: MathsOfCube(), (5, 3), {"maths"}, "the docstring's output is another function"),
]
