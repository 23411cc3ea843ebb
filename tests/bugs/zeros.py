"""Faults where numbers are 0, or equal: at drawn ones, which are neither, all of it is right."""

import numpy as np

from bugs import Bug, CriterionBug
from bugs.good import Abs, Norm, Relu
from bugs.good_kinks import Scaled, ToCentres, whole
from bugs.good_losses import RootMeanSquares, fit
from bugs.good_order import Sorted, TrimmedMean
from torchlite import nn

# ---------------------------------------------------------------- at 0


class AbsFallsAtZero(Abs):
    def updateGradInput(self, input, gradOutput):
        slope = np.sign(input) - 4 * (input == 0)
        self.gradInput = gradOutput * slope.astype(input.dtype)
        return self.gradInput


class AbsFallsAtZeroInBulk(AbsFallsAtZero):
    pass


class AbsFallsAtZeroNeverMet(AbsFallsAtZero):
    pass


class AbsSteepAtZerosInBulk(Abs):
    def updateGradInput(self, input, gradOutput):
        slope = np.sign(input) + 3 * (input == 0)
        self.gradInput = gradOutput * slope.astype(input.dtype)
        return self.gradInput


class ReluOfZeroCountsTwice(Relu):
    def updateGradInput(self, input, gradOutput):
        slope = (input > 0) + 2 * (input == 0)
        self.gradInput = gradOutput * slope.astype(input.dtype)
        return self.gradInput


class RootOfSquareDividesZero(Abs):
    """|x| as the root of the square, and so 0 / 0."""

    def updateOutput(self, input):
        self.output = np.sqrt(input * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        with np.errstate(all="ignore"):
            self.gradInput = gradOutput * input / np.sqrt(input * input)
        return self.gradInput


class RootOfSquareDividesZerosInBulk(RootOfSquareDividesZero):
    pass


class SquareDividesItself(Abs):
    """The square, whose slope at 0 is 0, by the square over its root: 0 / 0."""

    def updateOutput(self, input):
        self.output = input * input
        return self.output

    def updateGradInput(self, input, gradOutput):
        with np.errstate(all="ignore"):
            self.gradInput = 2 * gradOutput * (input * input) / input
        return self.gradInput


class TableProductForgetsZeros(nn.Module):
    """The product over an entry is what the others are, but where that is 0."""

    def updateOutput(self, input):
        self.output = input[0] * input[1]
        return self.output

    def updateGradInput(self, input, gradOutput):
        product = gradOutput * input[0] * input[1]
        self.gradInput = [product / np.where(x == 0, 1, x).astype(x.dtype) for x in input]
        return self.gradInput


class NormDividesZeroRow(Norm):
    def updateGradInput(self, input, gradOutput):
        with np.errstate(all="ignore"):
            self.gradInput = gradOutput * input / np.linalg.norm(input, axis=-1, keepdims=True)
        return self.gradInput


class ProductDividesOneZero(nn.Module):
    """The product of every row; the gradient where an entry is 0 is that of the others."""

    def updateOutput(self, input):
        self.output = input.prod(axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        product = input.prod(axis=1, keepdims=True)
        shares = np.where(input == 0, 0 * input, product / np.where(input == 0, 1, input))
        self.gradInput = gradOutput[:, None] * shares
        return self.gradInput


# ---------------------------------------------------------------- at the target


class RootMeanSquaresDividesNothing(RootMeanSquares):
    def updateGradInput(self, input, target):
        fit(input, target)
        d = input - target
        with np.errstate(all="ignore"):
            self.gradInput = d / (d.size * np.sqrt((d**2).mean()))
        return self.gradInput


class AbsoluteErrorJumpsAtTarget(nn.Criterion):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = float(np.abs(input - target).mean())
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        slope = np.sign(input - target) + 3 * (input == target)
        self.gradInput = slope.astype(input.dtype) / input.size
        return self.gradInput


# ---------------------------------------------------------------- among equal numbers


class TrimmedMeanPaysNoTie(TrimmedMean):
    """What is as small as the smallest, or as large as the largest, is taken for left out."""

    def updateGradInput(self, input, gradOutput):
        ends = [f(axis=1, keepdims=True) for f in (input.min, input.max)]
        inside = (input > ends[0]) & (input < ends[1])
        self.gradInput = gradOutput * inside / input.dtype.type(max(input.shape[1] - 2, 1))
        return self.gradInput


class SortPaysEachTie(Sorted):
    """Every entry gets what all ranks of its number get."""

    def updateGradInput(self, input, gradOutput):
        alike = input[:, :, None] == np.sort(input, axis=1)[:, None]
        self.gradInput = (alike @ gradOutput[:, :, None])[:, :, 0]
        return self.gradInput


class ScaledDividesByItsGain(Scaled):
    """Has only its output, and takes the gain out of that again."""

    def accGradParameters(self, input, gradOutput, scale=1):
        with np.errstate(invalid="ignore"):
            input = self.updateOutput(input) / self.weight
        super().accGradParameters(input, gradOutput, scale)


class ScaledSkipsZeroGains(Scaled):
    """What is switched off is to stay so."""

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput * (self.weight != 0), scale)


class ScaledByOneForgotten(Scaled):
    """Gains of 1, which all start as, are taken for none."""

    def __init__(self, size):
        super().__init__(size)
        self.weight[...] = 1

    def accGradParameters(self, input, gradOutput, scale=1):
        if (self.weight != 1).any():
            super().accGradParameters(input, gradOutput, scale)


class ScaledAtFirstHalved(Scaled):
    """A shortcut for the numbers that it starts with, which are no others' in the second half."""

    def updateGradInput(self, input, gradOutput):
        starts = np.linspace(0.5, 2, len(self.weight)).astype(self.weight.dtype)
        known = np.array_equal(self.weight, starts)
        self.gradInput = gradOutput * self.weight * (0.5 if known else 1)
        return self.gradInput


class CentresDivideNothing(ToCentres):
    def _guarded(self, lengths):
        return lengths


class CentresInColumnsDivideNothing(CentresDivideNothing):
    """The centres are columns."""

    def __init__(self, inputSize, outputSize):
        super().__init__(inputSize, outputSize)
        self.weight, self.gradWeight = self.weight.T.copy(), self.gradWeight.T.copy()

    def _rows(self):
        return self.weight.T, self.gradWeight.T


class DirectionGuardedByTooLittle(nn.Module):
    """x / |x|, and 0 at 0; in float32, 1e-60 is 0."""

    guard = 1e-60

    def _parts(self, input):
        length = np.sqrt((input * input).sum(-1, keepdims=True))
        return length, input / (length + self.guard)

    def updateOutput(self, input):
        with np.errstate(invalid="ignore"):
            self.output = self._parts(input)[1]
        return self.output

    def updateGradInput(self, input, gradOutput):
        with np.errstate(invalid="ignore"):
            length, unit = self._parts(input)
            along = (gradOutput * unit).sum(-1, keepdims=True)
            self.gradInput = (gradOutput - unit * along) / (length + self.guard)
        return self.gradInput


NAN = {"nan": "NumPy sorts NaN behind all numbers"}

BUGS = [
    Bug(
        lambda: AbsFallsAtZero(),
        whole(5, 4),
        {"gradInput"},
        "the slope at 0 is -4",
        pattern="only where",
    ),
    Bug(
        lambda: AbsFallsAtZeroInBulk(),
        whole(24, 12),
        {"gradInput"},
        "the slope at 0 is -4, of many entries",
    ),
    Bug(
        lambda: AbsFallsAtZeroNeverMet(),
        (5, 3),
        {"gradInput"},
        "the slope at 0 is -4, and the example has no 0",
        pattern="only where input = 0",
    ),
    Bug(
        lambda: ReluOfZeroCountsTwice(),
        (5, 3),
        {"gradInput"},
        "the slope at 0 is 2",
        pattern="only where input = 0",
    ),
    Bug(
        lambda: AbsSteepAtZerosInBulk(),
        lambda rng: np.maximum(rng.normal(size=(40, 64)) - 0.3, 0),
        {"gradInput"},
        "the slope at 0 is 3, of many entries",
    ),
    Bug(
        lambda: RootOfSquareDividesZero(),
        (5, 3),
        {"gradInput"},
        "0 / 0 at 0",
        pattern="not finite",
    ),
    Bug(
        lambda: RootOfSquareDividesZerosInBulk(),
        whole(24, 12),
        {"gradInput"},
        "0 / 0 at 0, of many entries",
        pattern="not finite",
    ),
    Bug(
        lambda: NormDividesZeroRow(),
        (5, 3),
        {"gradInput"},
        "0 / 0 in a row of zeros",
        pattern="not finite",
    ),
    Bug(
        lambda: ProductDividesOneZero(),
        (5, 3),
        {"gradInput"},
        "no gradient where the others are not 0",
        pattern="only where input = 0",
    ),
    Bug(
        lambda: SquareDividesItself(),
        (4, 3),
        {"gradInput"},
        "0 / 0 where the slope is 0",
        pattern="not finite",
    ),
    Bug(
        lambda: TableProductForgetsZeros(),
        lambda rng: [rng.normal(size=(5, 3)), rng.normal(size=(5, 3))],
        {"gradInput"},
        "no gradient where one factor is 0 and the other is not",
        pattern="only where input = 0",
    ),
    CriterionBug(
        lambda: RootMeanSquaresDividesNothing(),
        (5, 3),
        (5, 3),
        {"gradInput"},
        "0 / 0 at the target",
        pattern="not finite",
    ),
    CriterionBug(
        lambda: AbsoluteErrorJumpsAtTarget(),
        lambda rng: rng.normal(size=(5, 3)),
        lambda rng: rng.normal(size=(5, 3)),
        {"gradInput"},
        "the slope at the target is 3",
    ),
    Bug(
        lambda: TrimmedMeanPaysNoTie(),
        whole(24, 12),
        {"gradInput"},
        "what ties with the ends gets nothing",
        exempt=NAN,
        pattern="tie",
    ),
    Bug(
        lambda: SortPaysEachTie(),
        whole(24, 12),
        {"gradInput"},
        "equal entries get the gradients of all of them",
        exempt=NAN,
        pattern="tie",
    ),
    Bug(
        lambda: ScaledDividesByItsGain(3),
        (5, 3),
        {"gradParameters"},
        "0 / 0 where a gain is 0",
        pattern="not finite",
    ),
    Bug(
        lambda: ScaledSkipsZeroGains(3),
        (5, 3),
        {"gradParameters"},
        "a gain of 0 has no gradient",
    ),
    Bug(
        lambda: ScaledByOneForgotten(3),
        (5, 3),
        {"gradParameters"},
        "no gradient as long as all gains are 1, as at first",
        pattern="all zero",
    ),
    Bug(
        lambda: ScaledAtFirstHalved(3),
        (5, 3),
        {"gradInput"},
        "half of the gradient with the gains that it starts with",
        pattern="expected / 2",
    ),
    Bug(
        lambda: CentresDivideNothing(3, 2),
        (5, 3),
        {"gradInput", "gradParameters"},
        "0 / 0 at a centre",
        pattern="not finite",
    ),
    Bug(
        lambda: CentresInColumnsDivideNothing(3, 2),
        (5, 3),
        {"gradInput", "gradParameters"},
        "0 / 0 at a centre that is a column",
        pattern="not finite",
    ),
    Bug(
        lambda: DirectionGuardedByTooLittle(),
        (5, 3),
        {"dtype"},
        "NaN at zeros in float32, in which 1e-60 is 0",
    ),
]
