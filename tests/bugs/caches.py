"""Faults of layers that keep what they computed for the next call with the same numbers."""

import numpy as np

from bugs import Bug, CriterionBug
from bugs.good import Affine, fit
from bugs.good_caches import KeptLoss, KeptTanh, Places, SlopesKept
from torchlite import nn


class KeptTanhHandedOut(KeptTanh):
    def _tanh(self, x):
        super()._tanh(x)
        return self._value


class KeptTanhOfOtherDtype(KeptTanh):
    def _known(self, x):
        return np.array_equal(self._key, x)


class KeptTanhOfNearNumbers(KeptTanh):
    def _known(self, x):
        return super()._known(x) or (
            self._key.shape == x.shape and self._key.dtype == x.dtype and np.allclose(self._key, x)
        )


class SlopesHandedOut(SlopesKept):
    """gradInput of the same arguments again is the array that was returned before."""

    def _kept_gradInput(self):
        return self._gradient


class LossGradientHandedOut(KeptLoss):
    def _kept_gradient(self):
        return self._gradient


class LossGradientOfOtherDtype(KeptLoss):
    def _known(self, input, target):
        return np.array_equal(self._seen[0], input) and np.array_equal(self._seen[1], target)


class PlacesOfFirstDtype(Places):
    """The table of places is made once for each length, in the dtype of that call."""

    def _table(self, x):
        if x.shape[1:] not in self._tables:
            self._tables[x.shape[1:]] = super()._table(x)
        return self._tables[x.shape[1:]]


class RampKeptByShape(nn.Module):
    """A ramp along the last axis, kept in the dtype of the first input of its shape."""

    _ramp = None

    def _of(self, x):
        if self._ramp is None or self._ramp.shape != x.shape[-1:]:
            self._ramp = np.linspace(0.5, 1, x.shape[-1]).astype(x.dtype)
        return self._ramp

    def updateOutput(self, x):
        self.output = x * self._of(x)
        return self.output

    def updateGradInput(self, x, dout):
        self.gradInput = dout * self._of(x)
        return self.gradInput


class ProjectionHandedOut(Affine):
    """What is kept belongs to an input and a weight, and is handed out."""

    transient = ("_seen", "_kept")
    _seen = None

    def updateOutput(self, input):
        if self._seen is None or not all(
            a.dtype == b.dtype and np.array_equal(a, b)
            for a, b in zip(self._seen, (input, self.weight, self.bias), strict=True)
        ):
            self._seen = input.copy(), self.weight.copy(), self.bias.copy()
            self._kept = super().updateOutput(input)
        self.output = self._kept
        return self.output


class LossKeptOfOtherDtype(nn.Criterion):
    """Takes the halves that it computed of equal numbers of another dtype for its own."""

    _seen = None

    def _apart(self, input, target):
        fit(input, target)
        if self._seen is None or not np.array_equal(self._seen[0], input - target):
            self._seen = input - target, (input - target) / 2
        return self._seen

    def updateOutput(self, input, target):
        apart, half = self._apart(input, target)
        self.output = (apart * half).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        self.gradInput = self._apart(input, target)[0].copy()
        return self.gradInput


class BufferFadesInBackward(nn.Module):
    """A factor that the forward reads shrinks in every backward."""

    def __init__(self):
        self.factor = 1.0

    def updateOutput(self, input):
        self.output = self.factor * input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.factor * gradOutput
        self.factor *= 0.999
        return self.gradInput


SHAPE = (5, 4)

BUGS = [
    Bug(KeptTanhHandedOut, SHAPE, {"aliasing"}, "whoever writes to the output spoils what is kept"),
    Bug(KeptTanhOfOtherDtype, SHAPE, {"dtype"}, "what is kept in float64 is given for float32"),
    Bug(KeptTanhOfNearNumbers, (1, 2), {"repeat"}, "np.allclose of two numbers"),
    Bug(SlopesHandedOut, SHAPE, {"aliasing"}, "gradInput is kept, and handed out"),
    CriterionBug(
        LossGradientHandedOut, SHAPE, SHAPE, {"aliasing"}, "gradInput is kept, and handed out"
    ),
    CriterionBug(
        LossGradientOfOtherDtype, SHAPE, SHAPE, {"dtype"}, "gradInput is kept for another dtype"
    ),
    Bug(PlacesOfFirstDtype, (2, 3, 4), {"dtype"}, "a table is kept for another dtype"),
    Bug(RampKeptByShape, SHAPE, {"dtype"}, "a ramp is kept for another dtype"),
    Bug(lambda: ProjectionHandedOut(4, 3), SHAPE, {"aliasing"}, "the output is kept"),
    CriterionBug(
        LossKeptOfOtherDtype, SHAPE, SHAPE, {"dtype"}, "the differences are of another dtype"
    ),
    Bug(BufferFadesInBackward, SHAPE, {"repeat"}, "a backward changes the next forward"),
]
