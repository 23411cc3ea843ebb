"""Layers that lose, near 0, the digits of what they compute: right in all but that."""

import math

import numpy as np

from bugs import Bug
from bugs.good import Good
from torchlite import nn


class SmoothElu(nn.Module):
    def updateOutput(self, input):
        self.output = np.where(input > 0, input, self._low(np.minimum(input, 0)))
        return self.output

    def _low(self, x):
        return np.expm1(x)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input > 0, 1, np.exp(np.minimum(input, 0))) * gradOutput
        return self.gradInput


class SmoothEluOfExp(SmoothElu):
    def _low(self, x):
        return np.exp(x) - 1


class SignedLogarithm(nn.Module):
    """sign(x) * log(1 + |x|)."""

    def updateOutput(self, input):
        size = self._log(np.where(input > 0, input, -input))
        self.output = np.where(input > 0, size, -size)
        return self.output

    def _log(self, x):
        return np.log1p(x)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / (1 + np.where(input > 0, input, -input))
        return self.gradInput


class SignedLogarithmOfOneAndMore(SignedLogarithm):
    def _log(self, x):
        return np.log(1 + x)


class TanhRight(nn.Module):
    def updateOutput(self, input):
        self.output = self._tanh(input)
        return self.output

    def _tanh(self, x):
        return np.tanh(x)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 - np.tanh(input) ** 2)
        return self.gradInput


class TanhOfSigmoid(TanhRight):
    def _tanh(self, x):
        e = np.exp(-2 * np.where(x > 0, x, -x))
        size = 2 / (1 + e) - 1
        return np.where(x > 0, size, -size)


class CentredSoftPlus(nn.Module):
    """log(1 + exp(x)) - log(2): 0 at 0."""

    def updateOutput(self, input):
        self.output = 0.5 * input + self._even(0.5 * input)
        return self.output

    def _even(self, x):
        # log(cosh(x)), near 0 from what is small where x is.
        size = np.where(x > 0, x, -x)
        near = 0.5 * np.log1p(np.sinh(np.minimum(size, 1)) ** 2)
        return np.where(size > 1, size + np.log1p(np.exp(-2 * size)) - math.log(2), near)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * 0.5 * (1 + np.tanh(0.5 * input))
        return self.gradInput


class CentredSoftPlusByDifference(CentredSoftPlus):
    def updateOutput(self, input):
        above = np.maximum(input, 0)
        below = np.where(input > 0, -input, input)
        self.output = above + np.log(1 + np.exp(below)) - math.log(2)
        return self.output


class Compounded(nn.Module):
    """What a rate makes of 1 in two and a half years, beyond that 1; rates above -1 alone."""

    def _rates(self, input):
        return 0.5 * np.tanh(input)

    def updateOutput(self, input):
        self.output = self._gain(self._rates(input))
        return self.output

    def _gain(self, r):
        return np.expm1(2.5 * np.log1p(r))

    def updateGradInput(self, input, gradOutput):
        slope = 0.5 * (1 - np.tanh(input) ** 2)
        self.gradInput = gradOutput * 2.5 * (1 + self._rates(input)) ** 1.5 * slope
        return self.gradInput


class CompoundedByPower(Compounded):
    def _gain(self, r):
        return (1 + r) ** 2.5 - 1


class SquaresAboveOne(nn.Module):
    """x * sqrt(1 + x**2): as small as x, of nothing that cancels."""

    def updateOutput(self, input):
        self.output = input * np.sqrt(1 + input**2)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 + 2 * input**2) / np.sqrt(1 + input**2)
        return self.gradInput


class Versine(nn.Module):
    """1 - cos(x), of which nobody needs what is left where it is far below x."""

    def updateOutput(self, input):
        self.output = 1 - np.cos(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.sin(input) * gradOutput
        return self.gradInput


GOOD = [
    *(
        Good(lambda n, m, kind=kind: kind())
        for kind in (SmoothElu, SignedLogarithm, TanhRight, CentredSoftPlus, Compounded)
    ),
    Good(lambda n, m: SquaresAboveOne()),
    Good(lambda n, m: Versine()),
]

BUGS = [
    Bug(make, (5, 3), {"digits"}, why)
    for make, why in (
        (lambda: SmoothEluOfExp(), "exp(x) - 1 for expm1(x)"),
        (lambda: SignedLogarithmOfOneAndMore(), "log(1 + x) for log1p(x)"),
        (lambda: TanhOfSigmoid(), "2 * sigmoid(2 * x) - 1 for tanh(x)"),
        (lambda: CentredSoftPlusByDifference(), "less log(2), of what is nearly as much"),
        (lambda: CompoundedByPower(), "(1 + r)**a - 1 for expm1(a * log1p(r))"),
    )
]
