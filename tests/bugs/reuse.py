"""Faults that show where arrays are used again: one given twice, refilled, or handed out twice."""

import numpy as np

from bugs import Bug, CriterionBug
from bugs.good import Added, Constant, CrossEntropy, Dot, Good, OneHot, Square, Squared, ids
from bugs.good_embedding import Lookup
from bugs.good_recurrent import RnnCell
from torchlite import nn

# ---------------------------------------------------------------- one array in several places


class Product(nn.Module):
    """The product of a table of any length."""

    def _others(self, input, i):
        return [entry for j, entry in enumerate(input) if j != i]

    def updateOutput(self, input):
        output = input[0].copy()
        for entry in input[1:]:
            output = output * entry
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        gradInput = [gradOutput.copy() for _ in input]
        for i, gradient in enumerate(gradInput):
            for other in self._others(input, i):
                gradient *= other
        self.gradInput = gradInput
        return self.gradInput


class ProductKnowsFactorsByIdentity(Product):
    def _others(self, input, i):
        return [entry for entry in input if entry is not input[i]]


class AddedKnowsEntriesByIdentity(Added):
    def updateOutput(self, input):
        different = {id(entry): entry for entry in input}
        return super().updateOutput(list(different.values()))


class DotOfCachedLengths(Dot):
    """What it keeps of each array it keeps by its id."""

    def updateGradInput(self, input, gradOutput):
        other = {id(input[0]): input[1], id(input[1]): input[0]}
        self.gradInput = [gradOutput * other[id(entry)] for entry in input]
        if input[0] is input[1]:
            self.gradInput[1] = np.zeros_like(input[1])
        return self.gradInput


class CellKnowsStateByIdentity(RnnCell):
    """Takes an input that is its state for the first step's, which has no state."""

    def updateOutput(self, input):
        x, h = input
        super().updateOutput([x, h * 0] if x is h else input)
        return self.output


class SquaredOfItself(Squared):
    """No target given, it thinks, where the target is the input."""

    def updateOutput(self, input, target):
        super().updateOutput(input, 0 * target if target is input else target)
        return self.output


# ---------------------------------------------------------------- one array with other numbers


class OutputOfSameArrayKept(Square):
    _seen = None

    def updateOutput(self, input):
        if input is not self._seen:
            super().updateOutput(input)
            self._seen = input
        return self.output


class PowersKeptByIdentity(Square):
    """Right forwards; backwards it takes what it computed for an array of this identity."""

    _kept = None

    def updateGradInput(self, input, gradOutput):
        if self._kept is None or self._kept[0] is not input:
            self._kept = input, 2 * input
        self.gradInput = gradOutput * self._kept[1]
        return self.gradInput


class HotOfSameIdsKept(OneHot):
    _seen = None

    def updateOutput(self, input):
        if input is not self._seen:
            super().updateOutput(input)
            self._seen = input
        return self.output


class LossOfSameArraysKept(Squared):
    _seen = None

    def updateOutput(self, input, target):
        if self._seen is None or self._seen[0] is not input or self._seen[1] is not target:
            super().updateOutput(input, target)
            self._seen = input, target
        return self.output


class GradientOfSameTargetKept(CrossEntropy):
    """What a target says is kept as long as the array is the same."""

    _seen = None

    def updateGradInput(self, input, target):
        if self._seen is None or self._seen[0] is not target:
            self._seen = target, target.copy()
        return super().updateGradInput(input, self._seen[1])


# ---------------------------------------------------------------- one array returned twice


class LookupIntoBuffer(Lookup):
    """The rows of the ids, in an array that is kept."""

    _buffer = None

    def updateOutput(self, ids):
        shape = (*ids.shape, self.W.shape[1])
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (
            shape,
            self.W.dtype,
        ):
            self._buffer = np.empty(shape, self.W.dtype)
        self._buffer[...] = self.W[ids]
        self.output = self._buffer
        return self.output


class OneHotIntoBuffer(OneHot):
    _buffer = None

    def updateOutput(self, input):
        output = super().updateOutput(input)
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (
            output.shape,
            output.dtype,
        ):
            self._buffer = np.empty_like(output)
        self._buffer[...] = output
        self.output = self._buffer
        return self.output


class MaskedFill(nn.Module):
    """[x, mask] to x, and 0 where the mask is False."""

    def updateOutput(self, input):
        x, mask = input
        self.output = np.where(mask, x, 0 * x)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [np.where(input[1], gradOutput, 0 * gradOutput), np.zeros_like(input[1])]
        return self.gradInput


class Allowed(nn.Module):
    """Booleans to 0 where they are True and -1 where not, as scores are masked."""

    def __init__(self):
        self.levels = np.array([-1.0, 0.0])

    def updateOutput(self, input):
        self.output = np.where(input, self.levels[1], self.levels[0])
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput


class AllowedIntoBuffer(Allowed):
    _buffer = None

    def updateOutput(self, input):
        output = super().updateOutput(input)
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (
            output.shape,
            output.dtype,
        ):
            self._buffer = np.empty_like(output)
        self._buffer[...] = output
        self.output = self._buffer
        return self.output


class ConstantIntoBuffer(Constant):
    """Only its bias makes other numbers."""

    _buffer = None

    def updateOutput(self, input):
        output = super().updateOutput(input)
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (
            output.shape,
            output.dtype,
        ):
            self._buffer = np.empty_like(output)
        self._buffer[...] = output
        self.output = self._buffer
        return self.output


class CrossEntropyIntoBuffer(CrossEntropy):
    """Its gradient for other classes is in the array that the last call returned."""

    _buffer = None

    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target)
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (
            gradInput.shape,
            gradInput.dtype,
        ):
            self._buffer = np.empty_like(gradInput)
        self._buffer[...] = gradInput
        self.gradInput = self._buffer
        return self.gradInput


def masks(N, n):
    return lambda rng: np.arange(N * n).reshape(N, n) % 3 > 0


def with_masks(N, n):
    return lambda rng: [rng.normal(size=(N, n)), masks(N, n)(rng)]


SHAPE = (5, 3)

GOOD = [
    Good(lambda n, m: Product(), lambda N, n: [(N, n)] * 3),
    Good(lambda n, m: MaskedFill(), with_masks),
    Good(lambda n, m: Allowed(), masks),
]

BUGS = [
    Bug(
        lambda: ProductKnowsFactorsByIdentity(),
        [SHAPE] * 3,
        {"layout"},
        "of an array that is given twice it knows one only",
    ),
    Bug(
        lambda: AddedKnowsEntriesByIdentity(),
        [SHAPE] * 2,
        {"layout"},
        "an array that is given twice counts once",
    ),
    Bug(
        lambda: DotOfCachedLengths(),
        [SHAPE] * 2,
        {"layout"},
        "an array that is given twice has one gradient",
    ),
    Bug(
        lambda: CellKnowsStateByIdentity(3, 3),
        [SHAPE] * 2,
        {"layout"},
        "a state that is the input's array is none",
    ),
    CriterionBug(
        lambda: SquaredOfItself(),
        SHAPE,
        SHAPE,
        {"layout"},
        "a target that is the input's array is none",
    ),
    Bug(
        lambda: OutputOfSameArrayKept(),
        SHAPE,
        {"repeat"},
        "an array with other numbers has the output that it had",
    ),
    Bug(
        lambda: PowersKeptByIdentity(),
        SHAPE,
        {"repeat"},
        "an array with other numbers has the slopes that it had",
    ),
    Bug(
        lambda: HotOfSameIdsKept(4),
        ids(5, 4),
        {"repeat"},
        "other ids in an array have the output that it had",
    ),
    CriterionBug(
        lambda: LossOfSameArraysKept(),
        SHAPE,
        SHAPE,
        {"repeat"},
        "arrays with other numbers have the loss that they had",
    ),
    CriterionBug(
        lambda: GradientOfSameTargetKept(),
        SHAPE,
        ids(*SHAPE),
        {"repeat"},
        "other classes in an array have the gradient that it had",
    ),
    Bug(
        lambda: LookupIntoBuffer(6, 4),
        ids(5, 6),
        {"aliasing"},
        "an earlier output has the rows of later ids",
    ),
    Bug(
        lambda: OneHotIntoBuffer(4),
        ids(5, 4),
        {"aliasing"},
        "an earlier output has the places of later ids",
    ),
    Bug(
        lambda: AllowedIntoBuffer(),
        lambda rng: masks(*SHAPE)(rng),
        {"aliasing"},
        "an earlier output is that of a later mask",
    ),
    Bug(
        lambda: ConstantIntoBuffer(3),
        SHAPE,
        {"aliasing"},
        "an earlier output moves with its bias",
        exempt={"nan": "its output does not depend on its input"},
    ),
    CriterionBug(
        lambda: CrossEntropyIntoBuffer(),
        lambda rng: np.zeros(SHAPE),
        ids(*SHAPE),
        {"aliasing"},
        "an earlier gradient is that of later classes",
    ),
]
