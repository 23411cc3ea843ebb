"""Normalisations of each sample: statistics that depend on the input, which backward forgets."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good import Good

# ---------------------------------------------------------------- along the last axis


class LayerNorm(Functional):
    """Each row less its mean, over its deviation; a gain and a shift per column."""

    learned = ("g", "b")
    eps = 1e-5

    def __init__(self, size):
        self.draw(g=size, b=size)

    def run(self, x):
        mean = x.mean(-1, keepdims=True)
        deviation = (((x - mean) ** 2).mean(-1, keepdims=True) + self.eps) ** 0.5
        normal = (x - mean) / deviation
        return normal * self.g + self.b, (normal, deviation)

    def _input_back(self, dn, normal, deviation):
        inner = dn - dn.mean(-1, keepdims=True)
        return (inner - normal * (dn * normal).mean(-1, keepdims=True)) / deviation

    def _sum(self, array):
        return array.reshape(array.size // max(len(self.g), 1), len(self.g)).sum(0)

    def back(self, dout, cache):
        normal, deviation = cache
        dx = self._input_back(dout * self.g, normal, deviation)
        return dx, self._sum(dout * normal), self._sum(dout)


class LayerNormDetached(LayerNorm):
    """As if mean and deviation were given."""

    def _input_back(self, dn, normal, deviation):
        return dn / deviation


class LayerNormDeviationDetached(LayerNorm):
    def _input_back(self, dn, normal, deviation):
        return (dn - dn.mean(-1, keepdims=True)) / deviation


class LayerNormMeanDetached(LayerNorm):
    def _input_back(self, dn, normal, deviation):
        return (dn - normal * (dn * normal).mean(-1, keepdims=True)) / deviation


class LayerNormUnbiasedBackwards(LayerNorm):
    """The means of the backward divide by n - 1."""

    def _input_back(self, dn, normal, deviation):
        n = max(dn.shape[-1] - 1, 1)
        inner = dn - dn.sum(-1, keepdims=True) / n
        return (inner - normal * (dn * normal).sum(-1, keepdims=True) / n) / deviation


class LayerNormSumsOverBatch(LayerNorm):
    """Written after batch normalisation: the means are over the samples."""

    def _input_back(self, dn, normal, deviation):
        count = max(len(dn), 1)
        inner = dn - dn.sum(0) / count - normal * (dn * normal).sum(0) / count
        return inner / deviation


class LayerNormForgetsGain(LayerNorm):
    """The gain is left out on the way back."""

    def back(self, dout, cache):
        _, dg, db = super().back(dout, cache)
        return self._input_back(dout, *cache), dg, db


class LayerNormGainOfInput(LayerNorm):
    """The gain's gradient takes what was not yet divided by the deviation."""

    def back(self, dout, cache):
        normal, deviation = cache
        dx, _, db = super().back(dout, cache)
        return dx, self._sum(dout * normal * deviation), db


class LayerNormOtherEpsilon(LayerNorm):
    """1e-6 backwards, 1e-5 forwards: one part in a million."""

    def back(self, dout, cache):
        normal, deviation = cache
        return super().back(dout, (normal, (deviation**2 - 9e-6) ** 0.5))


class RootMeanSquare(Functional):
    """x over the root of the mean of its squares."""

    learned = ("g",)

    def __init__(self, size):
        self.draw(g=size)

    def run(self, x):
        root = ((x**2).mean(-1, keepdims=True) + 1e-6) ** 0.5
        return x / root * self.g, (x, root)

    def _cross(self, dn, x, root):
        return x * (dn * x).mean(-1, keepdims=True) / root**3

    def back(self, dout, cache):
        x, root = cache
        dn = dout * self.g
        return dn / root - self._cross(dn, x, root), (dout * x / root).sum(0)


class RootMeanSquareDetached(RootMeanSquare):
    def _cross(self, dn, x, root):
        return np.zeros_like(x)


class RootMeanSquareOfSquaredRoot(RootMeanSquare):
    """The cross term is divided by the square, not the cube."""

    def _cross(self, dn, x, root):
        return x * (dn * x).mean(-1, keepdims=True) / root**2


class RootMeanSquareSums(RootMeanSquare):
    """sum for mean."""

    def _cross(self, dn, x, root):
        return x * (dn * x).sum(-1, keepdims=True) / root**3


class UnitRows(Functional):
    """Rows of length one; those that are nearly zero stay as they are."""

    def run(self, x):
        length = (x**2).sum(-1, keepdims=True) ** 0.5
        length = np.where(length.real > 1e-6, length, 1)
        return x / length, (x, length)

    def back(self, dout, cache):
        x, length = cache
        y = x / length
        inner = (dout * y).sum(-1, keepdims=True)
        return ((dout - np.where(length == 1, 0, y * inner)) / length,)


class UnitRowsDetached(UnitRows):
    def back(self, dout, cache):
        _, length = cache
        return (dout / length,)


class UnitRowsAddCrossTerm(UnitRows):
    """The sign of the cross term is wrong."""

    def back(self, dout, cache):
        x, length = cache
        y = x / length
        inner = (dout * y).sum(-1, keepdims=True)
        return ((dout + np.where(length == 1, 0, y * inner)) / length,)


# ---------------------------------------------------------------- groups of channels


class GroupNorm(Functional):
    """(N, C, H, W): groups of channels, each by its own mean and deviation."""

    def __init__(self, groups):
        self.groups = groups

    def _grouped(self, x):
        N, C, H, W = x.shape
        return x.reshape(N, self.groups, C // self.groups * H * W)

    def run(self, x):
        grouped = self._grouped(x)
        mean = grouped.mean(-1, keepdims=True)
        deviation = (((grouped - mean) ** 2).mean(-1, keepdims=True) + 1e-5) ** 0.5
        normal = (grouped - mean) / deviation
        return normal.reshape(x.shape), (normal, deviation)

    def back(self, dout, cache):
        normal, deviation = cache
        dn = self._grouped(dout)
        inner = dn - dn.mean(-1, keepdims=True) - normal * (dn * normal).mean(-1, keepdims=True)
        return ((inner / deviation).reshape(dout.shape),)


class GroupNormDetached(GroupNorm):
    def back(self, dout, cache):
        _, deviation = cache
        return ((self._grouped(dout) / deviation).reshape(dout.shape),)


class GroupNormTakesEverySecondChannel(GroupNorm):
    """Groups of neighbours forwards, of every second channel backwards."""

    def back(self, dout, cache):
        N, C, H, W = dout.shape
        size = C // self.groups

        def other(a):
            return a.reshape(N, size, self.groups, H, W).swapaxes(1, 2).reshape(N, C, H, W)

        return super().back(other(dout), cache)


class InstanceNormOfBatch(GroupNorm):
    """The sums of the backward run over the samples, too."""

    def back(self, dout, cache):
        normal, deviation = cache
        dn = self._grouped(dout)
        inner = dn - dn.mean((0, 2), keepdims=True)
        inner = inner - normal * (dn * normal).mean((0, 2), keepdims=True)
        return ((inner / deviation).reshape(dout.shape),)


# ---------------------------------------------------------------- among neighbours


class LocalResponse(Functional):
    """x / (1 + the squares of the columns beside it and its own): (N, n)."""

    def _summed(self, squares):
        wide = np.pad(squares, ((0, 0), (1, 1)))
        return wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]

    def _summed_back(self, array):
        return self._summed(array)

    def run(self, x):
        scale = 1 + 0.5 * self._summed(x**2)
        return x / scale, (x, scale)

    def back(self, dout, cache):
        x, scale = cache
        return (dout / scale - x * self._summed_back(dout * x / scale**2),)


class LocalResponseOffByOne(LocalResponse):
    """Backwards the window begins one column too far to the right."""

    def _summed_back(self, array):
        wide = np.pad(array, ((0, 0), (0, 2)))
        return wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]


class LocalResponseForgetsNeighbours(LocalResponse):
    def _summed_back(self, array):
        return array


# ---------------------------------------------------------------- of weights


class NormedWeight(Functional):
    """x W with each column of W as long as g says."""

    learned = ("V", "g")

    def __init__(self, inputs, outputs):
        self.draw(V=(inputs, outputs), g=outputs)

    def run(self, x):
        length = (self.V**2).sum(0) ** 0.5
        unit = self.V / length
        return x @ unit * self.g, (x, unit, length)

    def _direction_back(self, dunit, unit, length):
        return (dunit - unit * (unit * dunit).sum(0)) / length

    def back(self, dout, cache):
        x, unit, length = cache
        dV = self._direction_back(x.T @ (dout * self.g), unit, length)
        return (dout * self.g) @ unit.T, dV, (dout * (x @ unit)).sum(0)


class NormedWeightUnprojected(NormedWeight):
    """As if the length of a column did not depend on it."""

    def _direction_back(self, dunit, unit, length):
        return dunit / length


class NormedWeightForgetsLength(NormedWeight):
    def _direction_back(self, dunit, unit, length):
        return dunit - unit * (unit * dunit).sum(0)


class NormedWeightProjectsRows(NormedWeight):
    """The sum is over the rows' axis, which only fits a square weight."""

    def _direction_back(self, dunit, unit, length):
        return (dunit - unit * (unit * dunit).sum(1)) / length


# ---------------------------------------------------------------- what is small


class FarTail(Functional):
    """exp(-2 x**2): a bell, with next to nothing outside."""

    def run(self, x):
        y = np.exp(-2 * x**2)
        return y, (x, y)

    def back(self, dout, cache):
        x, y = cache
        return (-4 * x * y * dout,)


class FarTailTurned(FarTail):
    """The sign is wrong where the bell is nearly flat."""

    def back(self, dout, cache):
        x, y = cache
        return (np.where(y.real < 1e-11, 4, -4) * x * y * dout,)


class Microns(Functional):
    """Lengths in metres, of which np.abs takes the sign; their unit is small."""

    unit = 1e-7

    def run(self, x):
        return self.unit * np.abs(x), x

    def back(self, dout, x):
        return (self.unit * np.sign(x) * dout,)


class MicronsForgetSign(Microns):
    """np.abs is no analytic function, so that only differences tell."""

    def back(self, dout, x):
        return (self.unit * dout,)


class Attometres(Functional):
    """A unit so small that sums of gradients and a rounding error look alike."""

    unit = 1e-14

    def run(self, x):
        return self.unit * x**2, x

    def back(self, dout, x):
        return (2 * self.unit * x * dout,)


class AttometresNegated(Attometres):
    def back(self, dout, x):
        return (-2 * self.unit * x * dout,)


class SlightSlope(Functional):
    """The length of each row by np.linalg.norm, which takes no complex numbers."""

    def run(self, x):
        length = np.linalg.norm(x, axis=-1, keepdims=True)
        return length, (x, length)

    def back(self, dout, cache):
        x, length = cache
        return (dout * x / np.where(length == 0, 1, length),)


class SlightSlopeOffByMillionths(SlightSlope):
    """Two parts in a million too much."""

    def back(self, dout, cache):
        return ((1 + 2e-6) * super().back(dout, cache)[0],)


CHANNELS = (2, 4, 2, 3)

GOOD = [
    Good(lambda n, m: LayerNorm(n)),
    Good(lambda n, m: LayerNorm(n), lambda N, n: (N, 2, n)),
    Good(lambda n, m: RootMeanSquare(n)),
    Good(lambda n, m: UnitRows()),
    Good(lambda n, m: GroupNorm(2), lambda N, n: (N, 2 * n, 2, 3)),
    Good(lambda n, m: LocalResponse()),
    Good(lambda n, m: NormedWeight(n, m)),
    Good(lambda n, m: FarTail()),
    Good(lambda n, m: Microns()),
    Good(lambda n, m: Attometres()),
    Good(lambda n, m: SlightSlope()),
]

BUGS = [
    Bug(
        lambda: LayerNormDetached(4),
        (5, 4),
        {"gradInput"},
        "as if mean and deviation did not depend on the input",
        pattern="were constant",
    ),
    Bug(
        lambda: LayerNormDeviationDetached(4),
        (5, 4),
        {"gradInput"},
        "as if the deviation did not depend on the input",
        pattern="were constant",
    ),
    Bug(
        lambda: LayerNormMeanDetached(4),
        (5, 4),
        {"gradInput"},
        "as if the mean did not depend on the input",
        pattern="were constant",
    ),
    Bug(
        lambda: LayerNormUnbiasedBackwards(4),
        (5, 4),
        {"gradInput"},
        "backwards the means divide by n - 1",
    ),
    Bug(
        lambda: LayerNormSumsOverBatch(4),
        (5, 4),
        {"gradInput", "batch"},
        "the means are over the samples",
        pattern="gradOutput of others",
    ),
    Bug(
        lambda: LayerNormForgetsGain(4),
        (5, 4),
        {"gradInput"},
        "the gain is left out backwards",
        pattern="dg were 1",
    ),
    Bug(
        lambda: LayerNormGainOfInput(4),
        (5, 4),
        {"gradParameters"},
        "the gain's gradient is not divided by the deviation",
    ),
    Bug(
        lambda: LayerNormOtherEpsilon(4),
        (5, 4),
        {"gradInput"},
        "another epsilon backwards: off by a millionth",
        pattern="each row",
    ),
    Bug(
        lambda: RootMeanSquareDetached(4),
        (5, 4),
        {"gradInput"},
        "as if the root did not depend on the input",
        pattern="were constant",
    ),
    Bug(
        lambda: RootMeanSquareOfSquaredRoot(4),
        (5, 4),
        {"gradInput"},
        "the cross term is divided by the square, not the cube",
    ),
    Bug(
        lambda: RootMeanSquareSums(4),
        (5, 4),
        {"gradInput"},
        "the cross term is a sum, not a mean",
    ),
    Bug(
        lambda: UnitRowsDetached(),
        (5, 4),
        {"gradInput"},
        "as if the length did not depend on the input",
        pattern="were constant",
    ),
    Bug(
        lambda: UnitRowsAddCrossTerm(),
        (5, 4),
        {"gradInput"},
        "the cross term has the wrong sign",
    ),
    Bug(
        lambda: GroupNormDetached(2),
        CHANNELS,
        {"gradInput"},
        "as if mean and deviation did not depend on the input",
        pattern="were constant",
    ),
    Bug(
        lambda: GroupNormTakesEverySecondChannel(2),
        CHANNELS,
        {"gradInput"},
        "backwards other channels make up a group",
    ),
    Bug(
        lambda: InstanceNormOfBatch(4),
        CHANNELS,
        {"gradInput", "batch"},
        "the sums run over the samples, too",
        pattern="gradOutput of others",
    ),
    Bug(
        lambda: LocalResponseOffByOne(),
        (5, 4),
        {"gradInput"},
        "the window is shifted by a column",
    ),
    Bug(
        lambda: LocalResponseForgetsNeighbours(),
        (5, 4),
        {"gradInput"},
        "each column has its own term alone",
        pattern="cross terms",
    ),
    Bug(
        lambda: NormedWeightUnprojected(3, 4),
        (5, 3),
        {"gradParameters"},
        "as if the length did not depend on the weight",
        pattern="were constant",
    ),
    Bug(
        lambda: NormedWeightForgetsLength(3, 4),
        (5, 3),
        {"gradParameters"},
        "not divided by the length",
        pattern="each column",
    ),
    Bug(
        lambda: NormedWeightProjectsRows(3, 3),
        (5, 3),
        {"gradParameters"},
        "projected along rows instead of columns",
    ),
    Bug(
        lambda: FarTailTurned(),
        (5, 3),
        {"gradInput"},
        "the sign is wrong where the output is below 1e-11",
        pattern="-expected",
    ),
    Bug(
        lambda: MicronsForgetSign(),
        (5, 3),
        {"gradInput"},
        "the sign is wrong, of gradients of 1e-7",
        pattern="only where input < 0",
    ),
    Bug(
        lambda: AttometresNegated(),
        (5, 3),
        {"gradInput"},
        "the sign is wrong, of gradients of 1e-14",
        pattern="wrong sign",
    ),
    Bug(
        lambda: SlightSlopeOffByMillionths(),
        (5, 3),
        {"gradInput"},
        "off by two millionths",
        pattern="constant factor",
    ),
]
