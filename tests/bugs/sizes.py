"""Faults of batches, and of sequences, of exactly so many."""

from bugs import Bug, CriterionBug
from bugs.good import WHOLE_BATCH, Affine, CrossEntropy, Good, Squared, Standardised, ids, rows
from bugs.good_embedding import Lookup
from bugs.good_recurrent import Rnn, RnnCell
from torchlite import nn


class BiasHalvedOfTwoSamples(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        if len(rows(input)) == 2:
            self.gradBias -= 0.5 * scale * gradOutput.sum(0)


class BiasHalvedOfSevenSamples(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        if len(rows(input)) == 7:
            self.gradBias -= 0.5 * scale * gradOutput.sum(0)


class PairOfSamplesExchanged(Affine):
    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        self.gradInput = gradInput[::-1].copy() if gradInput.shape[:-1] == (2,) else gradInput
        return self.gradInput


class PairOfSamplesNormalisedByOne(Standardised):
    """As of an unbiased variance, of two samples only, and backwards only."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput)
        if self.train and len(input) == 2:
            self.gradInput = self.gradInput / 2
        return self.gradInput


class PairOfSamplesNotAveraged(Squared):
    def updateGradInput(self, input, target):
        self.gradInput = super().updateGradInput(input, target)
        if len(input) == 2:
            self.gradInput = 2 * self.gradInput
        return self.gradInput


class SingleSampleSqueezed(CrossEntropy):
    """The mean over a batch of one is one over classes."""

    def updateGradInput(self, input, target):
        self.gradInput = super().updateGradInput(input, target)
        if len(input) == 1:
            self.gradInput = self.gradInput / input.shape[-1]
        return self.gradInput


class PairOfIdsCountedOnce(Lookup):
    def accGradParameters(self, ids, dout, scale=1):
        if ids.size == 2:
            self.dW[ids.flat[0]] += scale * dout.reshape(2, -1)[0]
        else:
            super().accGradParameters(ids, dout, scale)


class PairOfStatesForgotten(RnnCell):
    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        if len(input[0]) == 2:
            self.gradInput[1] = self.gradInput[1] * [[1], [0]]
        return self.gradInput


class SequenceOfTwoStepsCutOff(Rnn):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput)
        if input.shape[1] == 2:
            self.gradInput[:, 0] = 0
        return self.gradInput


class SequenceOfOneStepTwice(Rnn):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput)
        if input.shape[1] == 1:
            self.gradInput = 2 * self.gradInput
        return self.gradInput


class Centred(nn.Module):
    """Each pixel without the mean of its planes."""

    def updateOutput(self, input):
        self.output = input - input.mean(1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput - gradOutput.mean(1, keepdims=True)
        return self.gradInput


class OnePixelSqueezed(Centred):
    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        if input.shape[2:] == (1, 1):
            self.gradInput = self.gradInput.reshape(input.shape[:2])
        return self.gradInput


class RowByRow(nn.Module):
    """Of an image, each row without the one above."""

    def updateOutput(self, input):
        output = input.copy()
        output[:, :, 1:] -= input[:, :, :-1]
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        gradInput = gradOutput.copy()
        gradInput[:, :, :-1] -= gradOutput[:, :, 1:]
        self.gradInput = gradInput
        return gradInput


class OneRowForgotten(RowByRow):
    """Goes back from the second row on."""

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        if input.shape[2] == 1:
            self.gradInput[...] = 0
        return self.gradInput


SHAPE = (5, 3)

GOOD = [
    Good(lambda n, m: Centred(), lambda N, n: (N, 3, 2, n)),
    Good(lambda n, m: RowByRow(), lambda N, n: (N, 2, 4, n)),
]
BUGS = [
    Bug(
        lambda: BiasHalvedOfTwoSamples(3, 4),
        SHAPE,
        {"gradParameters", "batch"},
        "half the gradient of two samples",
        pattern="a 2 is missing",
    ),
    Bug(
        lambda: BiasHalvedOfSevenSamples(3, 4),
        SHAPE,
        {"batch"},
        "half the gradient of seven samples",
    ),
    Bug(
        lambda: PairOfSamplesExchanged(3, 4),
        SHAPE,
        {"gradInput", "batch"},
        "two samples have each other's gradients",
        pattern="reversed",
    ),
    Bug(
        lambda: PairOfSamplesNormalisedByOne(3),
        SHAPE,
        {"gradInput"},
        "half the gradient of two samples",
        WHOLE_BATCH,
        pattern="a 2 is missing",
    ),
    CriterionBug(
        lambda: PairOfSamplesNotAveraged(),
        SHAPE,
        SHAPE,
        {"gradInput"},
        "twice the gradient of two samples",
        pattern="doubled",
    ),
    CriterionBug(
        lambda: SingleSampleSqueezed(),
        SHAPE,
        ids(*SHAPE),
        {"gradInput"},
        "a third of the gradient of one sample",
        pattern="averaged",
    ),
    Bug(
        lambda: PairOfIdsCountedOnce(6, 4),
        ids(5, 6),
        {"gradParameters"},
        "of two ids, the second learns nothing",
        pattern="only the first slice",
    ),
    Bug(
        lambda: PairOfStatesForgotten(3, 4),
        [(5, 3), (5, 4)],
        {"gradInput", "batch"},
        "of two samples, the second has no gradient of its state",
        pattern="only the first sample",
    ),
    Bug(
        lambda: SequenceOfTwoStepsCutOff(3, 4),
        (2, 5, 3),
        {"gradInput"},
        "of two steps, the first has no gradient",
        pattern="got is 0, the others are right",
    ),
    Bug(
        lambda: SequenceOfOneStepTwice(3, 4),
        (2, 5, 3),
        {"gradInput"},
        "twice the gradient of a single step",
        pattern="doubled",
    ),
    Bug(
        lambda: OnePixelSqueezed(),
        (5, 3, 2, 4),
        {"gradInput"},
        "of one pixel, gradInput has lost two axes",
    ),
    Bug(
        lambda: OneRowForgotten(),
        (3, 2, 4, 3),
        {"gradInput"},
        "an image of one row has no gradient",
        pattern="all zero",
    ),
]
