"""Layers with batch statistics."""

import numpy as np

from bugs import Bug
from bugs.good import WHOLE_BATCH, Standardised


class StatisticsTakenForConstants(Standardised):
    def updateGradInput(self, input, gradOutput):
        _, variance = self._statistics(input)
        self.gradInput = gradOutput * self.weight / np.sqrt(variance + self.eps)
        return self.gradInput


class VarianceTakenForConstant(Standardised):
    def updateGradInput(self, input, gradOutput):
        _, variance = self._statistics(input)
        gradient = gradOutput * self.weight / np.sqrt(variance + self.eps)
        if self.train:
            gradient = gradient - gradient.sum(0) / max(len(input), 1)
        self.gradInput = gradient
        return gradient


class EvaluationGoesBackAsTraining(Standardised):
    def updateGradInput(self, input, gradOutput):
        train, self.train = self.train, True
        super().updateGradInput(input, gradOutput)
        self.train = train
        return self.gradInput


class EpsilonForgottenOnTheWayBack(Standardised):
    def updateGradInput(self, input, gradOutput):
        self.eps = 0.0
        try:
            return super().updateGradInput(input, gradOutput)
        finally:
            del self.eps


class GradGainForgetsMean(Standardised):
    def accGradParameters(self, input, gradOutput, scale=1):
        _, variance = self._statistics(input)
        self.gradWeight += scale * (gradOutput * input / np.sqrt(variance + self.eps)).sum(0)
        self.gradBias += scale * gradOutput.sum(0)


class RunningMeanMovesInEvaluation(Standardised):
    def updateOutput(self, input):
        output = super().updateOutput(input)
        if not self.train and len(input):
            self._follow(input.sum(0) / len(input), self.runningVar)
        return output


class RunningMeanMovedByBackward(Standardised):
    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        if len(input):
            self.runningMean *= 0.9
        return gradInput


class RunningMeanMovesBeforeRefusal(Standardised):
    def updateOutput(self, input):
        if self.train and input.ndim > 1 and len(input):
            columns = input.reshape(-1, input.shape[-1])
            self.runningMean[...] = 0.9 * self.runningMean + 0.1 * columns.mean(0).mean()
        if input.ndim != 2:
            raise ValueError("input must be (N, n)")
        return super().updateOutput(input)


class RunningMeanOfAllInstances(Standardised):
    _memory = np.zeros(3)

    @property
    def runningMean(self):
        return self._memory

    @runningMean.setter
    def runningMean(self, array):
        pass


def with_new_memory():
    # What one check leaves there is nothing for the next.
    RunningMeanOfAllInstances._memory = np.zeros(3)
    return RunningMeanOfAllInstances(3)


class CloneForgetsStatistics(Standardised):
    def clone(self, *names):
        twin = super().clone(*names)
        twin.runningMean = np.zeros_like(twin.runningMean)
        return twin


class PickleForgetsStatistics(Standardised):
    def __deepcopy__(self, memo):
        twin = type(self)(len(self.weight))
        for name, value in vars(self).items():
            if name not in self.transient:
                setattr(twin, name, value.copy() if isinstance(value, np.ndarray) else value)
        return twin

    def __getstate__(self):
        return {**super().__getstate__(), "runningVar": np.ones_like(self.runningVar)}


BUGS = [
    Bug(
        lambda: StatisticsTakenForConstants(3),
        (5, 3),
        {"gradInput"},
        "mean and variance depend on the input, too",
        WHOLE_BATCH,
        pattern="were constant",
    ),
    Bug(
        lambda: VarianceTakenForConstant(3),
        (5, 3),
        {"gradInput"},
        "the variance depends on the input, too",
        WHOLE_BATCH,
        pattern="were constant",
    ),
    Bug(
        lambda: EvaluationGoesBackAsTraining(3),
        (5, 3),
        {"gradInput"},
        "running statistics forwards, those of the batch backwards",
        WHOLE_BATCH,
        pattern="training mode",
    ),
    Bug(
        lambda: EpsilonForgottenOnTheWayBack(3),
        (5, 3),
        {"gradInput"},
        "the variance is that of the forward less epsilon",
        WHOLE_BATCH,
        pattern="eps forgotten",
    ),
    Bug(
        lambda: GradGainForgetsMean(3),
        (5, 3),
        {"gradParameters"},
        "the mean is not subtracted",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: RunningMeanMovesInEvaluation(3),
        (5, 3),
        {"repeat"},
        "the same input gives another output the second time, in evaluation mode",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: RunningMeanMovedByBackward(3),
        (5, 3),
        {"twice"},
        "the backward changes the running mean",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: RunningMeanMovesBeforeRefusal(3),
        (5, 3),
        {"exceptions"},
        "a refused input has moved the running mean",
        WHOLE_BATCH,
    ),
    Bug(
        with_new_memory,
        (5, 3),
        {"clone"},
        "a clone that trains moves the running mean of the layer",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: CloneForgetsStatistics(3),
        (5, 3),
        {"clone"},
        "a clone starts with no running mean",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: PickleForgetsStatistics(3),
        (5, 3),
        {"pickle"},
        "a pickle starts with no running variance",
        WHOLE_BATCH,
    ),
]
