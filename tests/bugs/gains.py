"""Faults that show where parameters are far from where they start: of other signs and sizes."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good_gains import (
    Cut,
    Floored,
    LogWidth,
    MaxNormed,
    OpenGate,
    RowsOfNorm,
    Shares,
    Size,
    SoftGain,
    Tempered,
)


class SizeWithoutSign(Size):
    def slope(self, w):
        return np.ones_like(w)


class SizeInForwardAlone(Size):
    """Right of what it learns; the input gets w for |w|."""

    def back(self, dout, x):
        return dout * self.w, super().back(dout, x)[1]


class CutWithoutMask(Cut):
    def slope(self, w):
        return np.ones_like(w)


class CutOnOneSideAlone(Cut):
    """Below -2 a gain is 2's, too, but for its gradient."""

    def slope(self, w):
        return np.where(w > 2, 0, 1).astype(w.dtype)


class SlopeBelowZeroLearnsOn(Floored):
    def slope(self, w):
        return np.ones_like(w)


class SoftGainStopsAtTen(SoftGain):
    def slope(self, w):
        return np.where(w < 10, super().slope(w), 0).astype(w.dtype)


class GateOpensForEver(OpenGate):
    def slope(self, w):
        return np.full_like(w, 0.2)


class LargestTakenForConstant(MaxNormed):
    def back(self, dout, x):
        W, n, _ = self._normed()
        return dout @ W.T, x.T @ dout / n


class NormedForGood(Functional):
    """A forward writes the normed weights back."""

    learned = ("W",)

    def __init__(self, n, m):
        self.draw(W=(n, m))
        self.W *= 0.2

    def run(self, x):
        self.W /= max(1, np.abs(self.W).max())
        return x @ self.W, x

    def back(self, dout, x):
        return dout @ self.W.T, x.T @ dout


class TemperatureFloorForgotten(Tempered):
    def slope(self, w):
        return np.ones_like(w)


class WidthCapForgotten(LogWidth):
    def slope(self, w):
        return np.exp(np.minimum(w, 2))


class SharesOfSizesTakenForPositive(Shares):
    def _signs(self):
        return np.ones_like(self.w)


class RowsShrinkForNothing(RowsOfNorm):
    """The length of a row is taken for a constant."""

    def _along(self, rows, lengths):
        return np.zeros_like(rows)


class LayerWithSizeInside(Functional):
    """A layer and its gain, two parts in attributes."""

    learned = ("W", "w")

    def __init__(self, n, m):
        self.draw(W=(n, m))
        self.w, self.dw = np.ones(m), np.zeros(m)

    def run(self, x):
        z = x @ self.W
        return z * np.abs(self.w), (x, z)

    def back(self, dout, cache):
        x, z = cache
        dz = dout * np.abs(self.w)
        return dz @ self.W.T, x.T @ dz, (dout * z).sum(0)


class SizeBesideLogarithm(Functional):
    """b has a domain; the gradient of |w| has no sign."""

    learned = ("w", "b")

    def __init__(self, n):
        self.w, self.dw = np.ones(n), np.zeros(n)
        self.b, self.db = np.full(n, 2.0), np.zeros(n)

    def run(self, x):
        return x * np.abs(self.w) + np.log(self.b), x

    def back(self, dout, x):
        return dout * np.abs(self.w), (dout * x).sum(0), dout.sum(0) / self.b


SHAPE = (5, 3)

BUGS = [
    Bug(
        lambda: SizeWithoutSign(3),
        SHAPE,
        {"gradParameters"},
        "|w| has the slope 1",
        pattern="where the parameter < 0: got = -expected",
    ),
    Bug(
        lambda: SizeInForwardAlone(3),
        SHAPE,
        {"gradInput"},
        "w for |w| in gradInput",
        pattern="sign wrong",
    ),
    Bug(
        lambda: CutWithoutMask(3),
        SHAPE,
        {"gradParameters"},
        "a clipped gain learns",
        pattern="saturate",
    ),
    Bug(
        lambda: CutOnOneSideAlone(3),
        SHAPE,
        {"gradParameters"},
        "below -2 it learns",
        pattern="saturate",
    ),
    Bug(
        lambda: SlopeBelowZeroLearnsOn(3),
        SHAPE,
        {"gradParameters"},
        "max(w, 0) has the slope 1",
        pattern="saturate",
    ),
    Bug(
        lambda: SoftGainStopsAtTen(3),
        SHAPE,
        {"gradParameters"},
        "no gradient from 10 on",
        pattern="where the parameter > 0: got is 0",
    ),
    Bug(
        lambda: GateOpensForEver(3),
        SHAPE,
        {"gradParameters"},
        "a hard sigmoid never saturates",
        pattern="saturate",
    ),
    Bug(
        lambda: LargestTakenForConstant(3, 4),
        SHAPE,
        {"gradParameters"},
        "W / max(1, |W|.max()) as if the divisor were a constant",
        pattern="only where the parameter > 4",
    ),
    Bug(
        lambda: NormedForGood(3, 4),
        SHAPE,
        {"mutation", "gradParameters"},
        "a forward changes parameters that are large",
    ),
    Bug(
        lambda: TemperatureFloorForgotten(3),
        SHAPE,
        {"gradParameters"},
        "max(w, 0.1) forgotten",
        pattern="saturate",
    ),
    Bug(
        lambda: WidthCapForgotten(3),
        SHAPE,
        {"gradParameters"},
        "min(w, 2) forgotten",
        pattern="where the parameter > 2, where expected is 0",
    ),
    Bug(
        lambda: SharesOfSizesTakenForPositive(3),
        SHAPE,
        {"gradParameters"},
        "w / |w|.sum() as if no w were negative",
        pattern="where the parameter < 0",
    ),
    Bug(
        lambda: RowsShrinkForNothing(6, 4),
        lambda rng: rng.integers(0, 6, (4, 2)),
        {"gradParameters"},
        "rows of an embedding shrink to length 1 by a constant",
    ),
    Bug(
        lambda: LayerWithSizeInside(3, 4),
        SHAPE,
        {"gradParameters"},
        "|w| has the slope 1",
        pattern="where the parameter < 0: got = -expected",
    ),
    Bug(
        lambda: SizeBesideLogarithm(3),
        SHAPE,
        {"gradParameters"},
        "|w| has the slope 1",
        pattern="where the parameter < 0: got = -expected",
    ),
]
