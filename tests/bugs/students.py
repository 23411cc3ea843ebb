"""Layers as students write them: loops, einsum, own names, caches and tricks."""

import copy

import numpy as np

from bugs import Bug
from bugs.good import Gain, OwnNames, Polynomial, rows
from torchlite import nn


class LoopForgetsLastSample(OwnNames):
    def accGradParameters(self, input, gradOutput, scale=1):
        input, gradOutput = rows(input), rows(gradOutput)
        for i in range(len(input) - 1):
            self.dW += scale * np.outer(input[i], gradOutput[i])
        self.db += scale * gradOutput.sum(0)


class LoopKeepsLastSample(OwnNames):
    def accGradParameters(self, input, gradOutput, scale=1):
        before = self.dW.copy()
        for x, g in zip(rows(input), rows(gradOutput), strict=True):
            self.dW[...] = before + scale * np.outer(x, g)
        self.db += scale * rows(gradOutput).sum(0)


class LoopForgetsFirstInput(OwnNames):
    def updateOutput(self, input):
        output = np.zeros_like(input @ self.W)
        for i in range(1, input.shape[-1]):
            output = output + input[..., i, None] * self.W[i]
        self.output = output + self.b
        return self.output


class EinsumMixesIndices(OwnNames):
    """Only fits when there are as many outputs as inputs."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.einsum("...o,oi->...i", gradOutput, self.W)
        return self.gradInput


class EinsumSumsEverything(OwnNames):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.dW += scale * np.einsum("bi,bo->io", rows(input), rows(gradOutput))
        self.db += scale * np.einsum("bo->", rows(gradOutput))


class DotIntoOneBuffer(OwnNames):
    """np.dot(..., out=), because that is faster."""

    _buffer = None

    def updateOutput(self, input):
        shape = (*input.shape[:-1], len(self.b))
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (shape, input.dtype):
            self._buffer = np.empty_like(input, shape=shape)
        np.dot(input, self.W, out=self._buffer)
        self._buffer += self.b
        self.output = self._buffer
        return self.output


class InputMeanRemovedInPlace(OwnNames):
    def updateOutput(self, input):
        input -= input.mean(-1, keepdims=True)
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        gradInput -= gradInput.mean(-1, keepdims=True)
        return gradInput


class ParametersListBiasTwice(OwnNames):
    def parameters(self):
        return [self.W, self.b, self.b], [self.dW, self.db, self.db]


class ForgetsWhatItTrains(nn.Module):
    """It trains a network in an attribute, and never says so."""

    def __init__(self, inputs, outputs):
        self.net = nn.Sequential(nn.Linear(inputs, outputs), nn.Tanh())

    def updateOutput(self, input):
        self.output = self.net.forward(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.net.updateGradInput(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.net.accGradParameters(input, gradOutput, scale)


class ParametersAreViews(OwnNames):
    def parameters(self):
        return [self.W.T, self.b[:]], [self.dW.T, self.db[:]]


class OutputsRememberedForEver(OwnNames):
    """A dictionary of all outputs so far, by the bytes of the input."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self._known = {}

    def updateOutput(self, input):
        key = (input.tobytes(), input.shape, input.dtype.str)
        if key not in self._known:
            self._known[key] = super().updateOutput(input)
        self.output = self._known[key]
        return self.output


class GradientsKeptInFloat(OwnNames):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.db = np.zeros(outputs, np.float32)


class GradientOfIntegers(Gain):
    def __init__(self, size):
        super().__init__(size)
        self.gradWeight = np.zeros(size, int)

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += (scale * rows(input * gradOutput).sum(0)).astype(int)


class PowersForgetFactor(Polynomial):
    def updateGradInput(self, input, gradOutput):
        slope = np.zeros_like(input)
        for power, factor in enumerate(self.factors[1:], start=1):
            slope = slope + factor * input ** (power - 1)
        self.gradInput = gradOutput * slope
        return self.gradInput


class PowersOffByOne(Polynomial):
    def accGradParameters(self, input, gradOutput, scale=1):
        for power, gradient in enumerate(self.gradFactors, start=1):
            gradient += scale * rows(gradOutput * input**power).sum(0)


class LateBindingOfPowers(Polynomial):
    """Every lambda of the loop sees the last power."""

    def accGradParameters(self, input, gradOutput, scale=1):
        powers = range(len(self.gradFactors))
        terms = [lambda: gradOutput * input**power for power in powers]  # noqa: B023
        for gradient, term in zip(self.gradFactors, terms, strict=True):
            gradient += scale * rows(term()).sum(0)


class OneGradientForAllFactors(Polynomial):
    """[zeros] * 4 is one array four times."""

    def __init__(self, size):
        super().__init__(size)
        self.gradFactors = [np.zeros(size)] * len(self.factors)


class CloneCopiesListOnly(Polynomial):
    def clone(self, *names):
        twin = copy.copy(self)
        twin.factors, twin.gradFactors = list(self.factors), list(self.gradFactors)
        return twin


class GradOutputScaledInPlace(OwnNames):
    def accGradParameters(self, input, gradOutput, scale=1):
        gradOutput *= scale
        super().accGradParameters(input, gradOutput)


class AddsFirstNoticesLater(OwnNames):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.db += scale * rows(gradOutput).sum(0)
        assert len(rows(input)) == len(rows(gradOutput)), "samples"
        self.dW += scale * (rows(input).T @ rows(gradOutput))


class TransposesTwice(OwnNames):
    """ravel and reshape instead of a transpose, which is the same for a single row only."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.W.ravel().reshape(self.W.T.shape)
        return self.gradInput


class MeanOverWhateverComesFirst(OwnNames):
    """len(input) is the size of a sample when there is no batch."""

    def updateOutput(self, input):
        self.output = super().updateOutput(input) / max(len(input), 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        return super().updateGradInput(input, gradOutput / max(len(input), 1))

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput / max(len(input), 1), scale)


class LearnsAtOnce(OwnNames):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.W -= 0.01 * self.dW


class NanTakenForZero(OwnNames):
    def updateOutput(self, input):
        if np.isnan(input).any():
            input = np.where(np.isnan(input), 0, input)
        return super().updateOutput(input)


class OutputFilledInOrderOfMemory(nn.Module):
    def updateOutput(self, input):
        output = np.empty_like(input)
        output.ravel(order="K")[...] = input.ravel() ** 2
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput
        return self.gradInput


BUGS = [
    Bug(
        lambda: LoopForgetsLastSample(3, 4),
        (5, 3),
        {"gradParameters", "batch"},
        "range(len - 1) leaves the last sample out",
        pattern="last sample",
    ),
    Bug(
        lambda: LoopKeepsLastSample(3, 4),
        (5, 3),
        {"gradParameters", "batch"},
        "each sample overwrites the one before",
        pattern="last sample",
    ),
    Bug(
        lambda: LoopForgetsFirstInput(3, 4),
        (5, 3),
        {"gradInput", "gradParameters"},
        "the loop counts from 1",
        pattern="only at index",
    ),
    Bug(
        lambda: EinsumMixesIndices(4, 4),
        (5, 4),
        {"gradInput"},
        "the weight is transposed, which only a square one does not refuse",
        pattern="transposed",
    ),
    Bug(
        lambda: EinsumSumsEverything(3, 4),
        (5, 3),
        {"gradParameters"},
        "every bias gets the sum over all outputs",
        pattern="sum of all",
    ),
    Bug(
        lambda: DotIntoOneBuffer(3, 4),
        (5, 3),
        {"aliasing"},
        "the next forward writes over the last output",
        pattern="reused",
    ),
    Bug(
        lambda: InputMeanRemovedInPlace(3, 4),
        (5, 3),
        {"mutation"},
        "the input is centred",
        pattern="changed its input",
    ),
    Bug(
        lambda: ForgetsWhatItTrains(3, 4),
        (5, 3),
        {"update"},
        "what its network learns reaches no parameter",
    ),
    Bug(
        lambda: ParametersListBiasTwice(3, 4),
        (5, 3),
        {"update"},
        "the bias is listed, and updated, twice",
    ),
    Bug(
        lambda: ParametersAreViews(3, 4),
        (5, 3),
        {"identity"},
        "parameters() returns other array objects each time",
    ),
    Bug(
        lambda: OutputsRememberedForEver(3, 4),
        (5, 3),
        {"update"},
        "after an update, an input seen before gets its old output",
    ),
    Bug(
        lambda: GradientsKeptInFloat(3, 4),
        (5, 3),
        {"gradParameters"},
        "a float32 gradient of a float64 parameter",
        pattern="the dtype float32",
    ),
    Bug(
        lambda: GradientOfIntegers(3),
        (5, 3),
        {"gradParameters"},
        "gradients are whole numbers",
        pattern="int64, not",
    ),
    Bug(lambda: PowersForgetFactor(3), (5, 3), {"gradInput"}, "the power does not come down"),
    Bug(
        lambda: PowersOffByOne(3),
        (5, 3),
        {"gradParameters"},
        "each power is one too high",
        pattern="another parameter",
    ),
    Bug(
        lambda: LateBindingOfPowers(3),
        (5, 3),
        {"gradParameters"},
        "all gradients are that of the last power",
        pattern="another parameter",
    ),
    Bug(
        lambda: OneGradientForAllFactors(3),
        (5, 3),
        {"gradParameters"},
        "all parameters have the same gradient array",
        pattern="one array for all",
    ),
    Bug(
        lambda: CloneCopiesListOnly(3),
        (5, 3),
        {"clone"},
        "a clone has lists of its own, with the same arrays",
    ),
    Bug(
        lambda: GradOutputScaledInPlace(3, 4),
        (5, 3),
        {"mutation"},
        "gradOutput is multiplied by scale",
    ),
    Bug(
        lambda: AddsFirstNoticesLater(3, 4),
        (5, 3),
        {"exceptions"},
        "db has changed when the assertion fails",
    ),
    Bug(lambda: TransposesTwice(3, 4), (5, 3), {"gradInput"}, "reshape is no transpose"),
    Bug(
        lambda: MeanOverWhateverComesFirst(3, 4),
        (5, 3),
        {"batch"},
        "the mean over the samples, or over a bare one's entries",
    ),
    Bug(
        lambda: LearnsAtOnce(3, 4),
        (5, 3),
        {"mutation"},
        "accGradParameters updates the weight",
        pattern="changed parameters",
    ),
    Bug(lambda: NanTakenForZero(3, 4), (5, 3), {"nan"}, "NaN counts as 0"),
    Bug(
        lambda: OutputFilledInOrderOfMemory(),
        (5, 3),
        {"layout"},
        "the output of an input in Fortran order is mixed up",
    ),
]
