"""Layers that remember their forward, or draw random numbers."""

import numpy as np

from bugs import Bug
from bugs.good import Dropped, Good, Largest, Noisy, distinct
from torchlite import nn, random


class MaskDrawnAnew(Dropped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self._draw(input) if self.train else gradOutput
        return self.gradInput


class MaskScaledForwardsOnly(Dropped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput)
        if self._mask is not None:
            self.gradInput = self.gradInput * self.keep
        return self.gradInput


class MaskFromNumpy(Dropped):
    def _draw(self, input):
        draws = np.random.default_rng().random(input.shape) < self.keep
        return np.asarray(draws, input.dtype, like=input) / self.keep


class TanhRemembered(nn.Module):
    """Right: a forward is kept, with the input that it belongs to."""

    last = None

    def _is_last(self, input):
        return np.array_equal(self.last, input)

    def updateOutput(self, input):
        same = self.last is not None and self.last.dtype == input.dtype
        if not (same and self.last.shape == input.shape and self._is_last(input)):
            self.last, self._kept = input.copy(), np.tanh(input)
        self.output = self._kept.copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 - np.tanh(input) ** 2)
        return self.gradInput


class TanhRememberedBySum(TanhRemembered):
    def _is_last(self, input):
        return self.last.sum() == input.sum()


class TanhRememberedIfClose(TanhRemembered):
    def _is_last(self, input):
        return np.allclose(self.last, input)


class MaskOfWhateverCameLast(Dropped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput if self._mask is None else gradOutput * self._mask
        return self.gradInput


class MaskOfSameShapeWillDo(Dropped):
    def updateGradInput(self, input, gradOutput):
        if self._seen is None or self._seen.shape != input.shape:
            raise ValueError("input is not that of the last forward")
        self.gradInput = gradOutput if self._mask is None else gradOutput * self._mask
        return self.gradInput


class MaskUsedUpByBackward(Dropped):
    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        self._seen = np.zeros(0)
        return gradInput


class MaskKeptInEvaluation(Dropped):
    """The backward in evaluation mode still applies the mask of the last training forward."""

    def updateOutput(self, input):
        mask = self._mask
        super().updateOutput(input)
        if self._mask is None and mask is not None and mask.shape == input.shape:
            self._mask = mask
        return self.output


class MaskReplacedByBackward(Dropped):
    """Leaves another mask for whoever goes back again."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput)
        self._mask = self._draw(input)
        return self.gradInput


class MaskTurnsTheLastOne(Dropped):
    """Draws once, and then changes the sign of what it has, whatever the seed."""

    def _draw(self, input):
        if self._mask is None or self._mask.shape != input.shape:
            return super()._draw(input)
        self._mask *= -1
        return self._mask


class NoiseGoesBack(Noisy):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput + random.normal(0, 1, size=gradOutput.shape)
        return self.gradInput


class NoiseUpcasts(Noisy):
    def updateOutput(self, input):
        self.output = input + random.normal(0, 1, size=input.shape) if self.train else input
        return self.output


class LargestNotChecked(Largest):
    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, self._place, gradOutput, axis=-1)
        self.gradInput = gradInput
        return gradInput


class LargestForgottenByBackward(Largest):
    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        self._seen = np.zeros(0)
        return gradInput


class LargestSpreadsGradient(Largest):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input) + gradOutput / input.shape[-1]
        return self.gradInput


class LargestOfWholeBatch(nn.Module):
    """Each entry less the largest of all rows, with a consistent gradient."""

    def updateOutput(self, input):
        self.output = input - input.flat[np.argmax(input.real)] if input.size else input
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = gradOutput.copy()
        if input.size:
            gradInput.flat[np.argmax(input.real)] -= gradOutput.sum()
        self.gradInput = gradInput
        return gradInput


class LargestSkipsNan(Largest):
    """The largest of the entries that are numbers, if there are any."""

    def updateOutput(self, input):
        largest = np.fmax.reduce(input.real, axis=-1, keepdims=True)
        place = np.argmax((input.real == largest) | np.isnan(largest), axis=-1, keepdims=True)
        output = np.take_along_axis(input, place, axis=-1)
        self.output, self._seen, self._place = output, input, place
        return output


class LargestAccumulatesGradient(Largest):
    """Writes into the array of the last backward without clearing it."""

    _kept = None

    def updateGradInput(self, input, gradOutput):
        if self._kept is None or (self._kept.shape, self._kept.dtype) != (input.shape, input.dtype):
            self._kept = np.zeros_like(input)
        np.put_along_axis(self._kept, self._place, gradOutput, axis=-1)
        self.gradInput = self._kept.copy()
        return self.gradInput


class StackOfInputs(nn.Module):
    """forward pushes its input, the backward pops it: one backward for each forward."""

    def __init__(self):
        self._stack = []

    def updateOutput(self, input):
        self._stack.append(input)
        self.output = input**2
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * self._stack.pop() * gradOutput
        return self.gradInput


class MemoryReplacedByRefusal(Dropped):
    """Takes note of the new input before it refuses it, beside the old mask."""

    def updateOutput(self, input):
        self._seen = input
        if input.ndim > 2:
            raise ValueError("input must have one or two dimensions")
        return super().updateOutput(input)


GOOD = [Good(lambda n, m: TanhRemembered())]

BUGS = [
    Bug(lambda: TanhRememberedBySum(), (5, 3), {"repeat"}, "inputs of one sum are one"),
    Bug(lambda: TanhRememberedIfClose(), (4, 3), {"repeat"}, "inputs that are close are one"),
    Bug(
        lambda: MaskDrawnAnew(),
        (5, 3),
        {"gradInput"},
        "the backward draws another mask",
        pattern="mask",
    ),
    Bug(
        lambda: MaskScaledForwardsOnly(0.75),
        (5, 3),
        {"gradInput"},
        "the backward does not divide by the probability",
        pattern="constant factor",
    ),
    Bug(lambda: MaskFromNumpy(), (5, 3), {"repeat"}, "no seed of torchlite's gives the same mask"),
    Bug(
        lambda: MaskOfWhateverCameLast(),
        (5, 3),
        {"interleave"},
        "the mask of another input is used without a word",
    ),
    Bug(
        lambda: MaskOfSameShapeWillDo(),
        (5, 3),
        {"interleave"},
        "the mask of another input of the same shape is used",
    ),
    Bug(
        lambda: MaskUsedUpByBackward(),
        (5, 3),
        {"twice"},
        "a second updateGradInput is refused",
    ),
    Bug(
        lambda: MaskKeptInEvaluation(),
        (5, 3),
        {"modes"},
        "after training, the backward in evaluation mode still drops",
    ),
    Bug(
        lambda: MaskReplacedByBackward(),
        (5, 3),
        {"twice"},
        "the first updateGradInput leaves another mask for the second",
    ),
    Bug(
        lambda: MaskTurnsTheLastOne(),
        (5, 3),
        {"repeat"},
        "after the same seed the mask is another one",
    ),
    Bug(lambda: NoiseGoesBack(), (5, 3), {"gradInput"}, "gradients are noisy, too"),
    Bug(lambda: NoiseUpcasts(), (5, 3), {"dtype"}, "random numbers are float64"),
    Bug(lambda: LargestNotChecked(), distinct(5, 3), {"interleave"}, "places of another input"),
    Bug(
        lambda: LargestForgottenByBackward(),
        distinct(5, 3),
        {"twice"},
        "a second updateGradInput is refused",
    ),
    Bug(lambda: LargestSpreadsGradient(), distinct(5, 3), {"gradInput"}, "all entries get a share"),
    Bug(lambda: LargestOfWholeBatch(), distinct(5, 3), {"batch"}, "the largest of all rows"),
    Bug(lambda: LargestSkipsNan(), distinct(5, 3), {"nan"}, "a NaN among numbers is left out"),
    Bug(
        lambda: LargestAccumulatesGradient(),
        distinct(5, 3),
        {"interleave", "repeat"},
        "what an earlier backward wrote is still there",
    ),
    Bug(lambda: StackOfInputs(), (5, 3), {"twice"}, "a second backward finds an empty stack"),
    Bug(
        lambda: MemoryReplacedByRefusal(),
        (5, 3),
        {"exceptions"},
        "after a refused input, that of the last forward is refused, too",
    ),
]
