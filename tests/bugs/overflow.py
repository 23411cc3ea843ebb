"""Numbers that are lost on the way to a moderate one, and right layers that lose none there."""

import numpy as np

from bugs import Bug, CriterionBug
from bugs.good import CrossEntropy, Good, SoftMax, fit, ids, positive
from bugs.good_attention import LinearAttention
from bugs.good_recurrent import Rnn
from torchlite import nn


class SoftMaxUnshifted(SoftMax):
    def _powers(self, input):
        return np.exp(input)


class LogSoftMaxUnshifted(SoftMaxUnshifted):
    def updateOutput(self, input):
        self.output = np.log(super().updateOutput(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        powers = self._powers(input)
        y = powers / powers.sum(axis=-1, keepdims=True)
        self.gradInput = gradOutput - y * gradOutput.sum(axis=-1, keepdims=True)
        return self.gradInput


class SoftMinUnshifted(SoftMaxUnshifted):
    """Of positive numbers, those that are negative overflow."""

    def _powers(self, input):
        return np.exp(-input)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -super().updateGradInput(input, gradOutput)
        return self.gradInput


class TanhByExponentials(nn.Module):
    def _tanh(self, input):
        up, down = np.exp(input), np.exp(-input)
        return (up - down) / (up + down)

    def updateOutput(self, input):
        self.output = self._tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 - self._tanh(input) ** 2)
        return self.gradInput


class SigmoidOfQuotient(nn.Module):
    def _sigmoid(self, input):
        return np.exp(input) / (1 + np.exp(input))

    def updateOutput(self, input):
        self.output = self._sigmoid(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = self._sigmoid(input)
        self.gradInput = gradOutput * y * (1 - y)
        return self.gradInput


class SwishOfQuotient(SigmoidOfQuotient):
    def updateOutput(self, input):
        self.output = input * self._sigmoid(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = self._sigmoid(input)
        self.gradInput = gradOutput * (y + input * y * (1 - y))
        return self.gradInput


class EluOfMasks(nn.Module):
    """Infinity times a mask that is 0."""

    def updateOutput(self, input):
        above = input > 0
        self.output = input * above + (np.exp(input) - 1) * ~above
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.where(input > 0, 1, np.exp(np.minimum(input, 0)))
        return self.gradInput


class SlopeOfSigmoidByExponentials(nn.Module):
    """Right forwards; backwards, infinity is divided by infinity."""

    def updateOutput(self, input):
        self.output = 0.5 + 0.5 * np.tanh(0.5 * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        powers = np.exp(-input)
        self.gradInput = gradOutput * powers / (1 + powers) ** 2
        return self.gradInput


class AttentionUnshifted(nn.Module):
    """[q, k, v] to softmax(q k') v."""

    def _weights(self, q, k):
        powers = np.exp(q @ k.swapaxes(-1, -2))
        return powers / powers.sum(-1, keepdims=True)

    def updateOutput(self, input):
        q, k, v = input
        self.output = self._weights(q, k) @ v
        return self.output

    def updateGradInput(self, input, gradOutput):
        q, k, v = input
        a = self._weights(q, k)
        da = gradOutput @ v.swapaxes(-1, -2)
        ds = a * (da - (da * a).sum(-1, keepdims=True))
        self.gradInput = [ds @ k, ds.swapaxes(-1, -2) @ q, a.swapaxes(-1, -2) @ gradOutput]
        return self.gradInput


class LinearAttentionUnshifted(LinearAttention):
    def _features(self, q, k):
        return np.exp(q), np.exp(k)


class NearestByDistances(nn.Module):
    """[x, c]: shares by exp(-(x - c) ** 2), all of which may be 0."""

    def _shares(self, input):
        powers = np.exp(-((input[0] - input[1]) ** 2))
        return powers / powers.sum(-1, keepdims=True)

    def updateOutput(self, input):
        self.output = self._shares(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = self._shares(input)
        gradient = y * (gradOutput - (gradOutput * y).sum(-1, keepdims=True))
        gradient = gradient * 2 * (input[1] - input[0])
        self.gradInput = [gradient, -gradient]
        return self.gradInput


class RnnOfExponentials(Rnn):
    """Its tanh is a quotient of exponentials."""

    def _states(self, x):
        h = [np.zeros((len(x), len(self.b)), x.dtype)]
        for t in range(x.shape[1]):
            up = np.exp(x[:, t] @ self.Wx + h[-1] @ self.Wh + self.b)
            h.append((up - 1 / up) / (up + 1 / up))
        return h


class CrossEntropyUnshifted(CrossEntropy):
    def _logarithms(self, input):
        powers = np.exp(input)
        return np.log(powers / powers.sum(-1, keepdims=True))


class CrossEntropyOfShares(nn.Criterion):
    """Of one-hot targets; 0 times the logarithm of 0."""

    def _shares(self, input):
        powers = np.exp(input - input.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = -(target * np.log(self._shares(input))).sum().item() / max(len(input), 1)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        all_of_it = target.sum(-1, keepdims=True)
        self.gradInput = (self._shares(input) * all_of_it - target) / max(len(input), 1)
        return self.gradInput


class BinaryOfScoresByExponentials(nn.Criterion):
    """The scores' loss is right; its gradient is a quotient of exponentials."""

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = (np.logaddexp(0, input) - input * target).sum().item() / max(input.size, 1)
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        powers = np.exp(input)
        self.gradInput = (powers / (1 + powers) - target) / max(input.size, 1)
        return self.gradInput


# ---------------------------------------------------------------- right ones


class HyperbolicSine(nn.Module):
    """What is infinite is so by right."""

    def updateOutput(self, input):
        self.output = (np.exp(input) - np.exp(-input)) / 2
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (np.exp(input) + np.exp(-input)) / 2
        return self.gradInput


class DifferenceOfExponentials(nn.Module):
    """[a, b] to exp(a) - exp(b): infinity less infinity, where both are out of reach."""

    def updateOutput(self, input):
        self.output = np.exp(input[0]) - np.exp(input[1])
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput * np.exp(input[0]), -gradOutput * np.exp(input[1])]
        return self.gradInput


class LinearOfExponentials(nn.Module):
    """Sums and differences of what is infinite."""

    def __init__(self, n, m):
        self.weight = np.resize([1.0, -1.0, 0.5], (n, m))
        self.gradWeight = np.zeros((n, m))

    def updateOutput(self, input):
        self.output = np.exp(input) @ self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.exp(input) * (gradOutput @ self.weight.T)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * np.exp(input).T @ gradOutput


class SigmoidByDivision(nn.Module):
    """1 / infinity is 0, as it should be."""

    def updateOutput(self, input):
        with np.errstate(over="ignore"):
            self.output = 1 / (1 + np.exp(-input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        with np.errstate(over="ignore"):
            y = 1 / (1 + np.exp(-input))
        self.gradInput = gradOutput * y * (1 - y)
        return self.gradInput


class FifthPower(nn.Module):
    def updateOutput(self, input):
        self.output = input**5
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 5 * gradOutput * input**4
        return self.gradInput


class LogOfPositive(nn.Module):
    """NaN of negative numbers, in any precision."""

    def updateOutput(self, input):
        self.output = np.log(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / input
        return self.gradInput


class SharesOfPowers(nn.Module):
    """x ** 4 over their sum: large, but no more than that."""

    def updateOutput(self, input):
        powers = input**4
        self.output = powers / powers.sum(-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        powers = input**4
        total = powers.sum(-1, keepdims=True)
        mean = (gradOutput * powers).sum(-1, keepdims=True) / total
        self.gradInput = 4 * input**3 / total * (gradOutput - mean)
        return self.gradInput


class GaussianByLogVariance(nn.Criterion):
    """[mean, log variance]: exp(-v) times a square, which may be infinite by right."""

    def updateOutput(self, input, target):
        mean, v = input
        self.output = (0.5 * (v + np.exp(-v) * (mean - target) ** 2)).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        mean, v = input
        w = np.exp(-v)
        self.gradInput = [w * (mean - target), 0.5 - 0.5 * w * (mean - target) ** 2]
        return self.gradInput


class PoissonOfLogarithms(nn.Criterion):
    def updateOutput(self, input, target):
        fit(input, target)
        self.output = (np.exp(input) - target * input).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.exp(input) - target
        return self.gradInput


class SoftplusOfExponentials(nn.Module):
    def updateOutput(self, input):
        self.output = np.log(1 + np.exp(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / (1 + np.exp(-input))
        return self.gradInput


class SoftplusOfLargest(SoftplusOfExponentials):
    """Right: what is larger than 20 is its own softplus, whatever its exponential is."""

    def updateOutput(self, input):
        with np.errstate(over="ignore"):
            self.output = np.where(input > 40, input, np.log1p(np.exp(input)))
        return self.output


class LogSoftMaxOfExponentials(LogSoftMaxUnshifted):
    def _powers(self, input):
        return np.exp(input - input.max(axis=-1, keepdims=True))

    def updateOutput(self, input):
        self.output = input - np.log(np.exp(input).sum(axis=-1, keepdims=True))
        return self.output


class CrossEntropyOfExponentials(CrossEntropy):
    def updateOutput(self, input, target):
        sums = np.log(np.exp(input).sum(axis=1))
        chosen = input[np.arange(len(input)), target]
        self.output = (sums - chosen).sum().item() / max(len(input), 1)
        return self.output


class LogOfShares(LogSoftMaxOfExponentials):
    """Right, but that the logarithm of a share that is rounded to 0 is none."""

    def updateOutput(self, input):
        powers = self._powers(input)
        self.output = np.log(powers / powers.sum(axis=-1, keepdims=True))
        return self.output


SHAPE = (5, 3)


def small(rng):
    """Numbers between -0.3 and 0.3, as an image has that was normalised."""
    return rng.uniform(-0.3, 0.3, SHAPE)


def one_hot(N, n):
    return lambda rng: np.eye(n)[rng.integers(0, n, N)]


GOOD = [
    Good(lambda n, m: HyperbolicSine(), exempt={"digits": "as textbooks have it"}),
    Good(
        lambda n, m: DifferenceOfExponentials(),
        lambda N, n: [(N, n)] * 2,
        exempt={"digits": "of numbers that are nearly equal"},
    ),
    Good(lambda n, m: LinearOfExponentials(n, m)),
    Good(lambda n, m: SigmoidByDivision()),
    Good(lambda n, m: FifthPower()),
    Good(lambda n, m: SoftplusOfLargest()),
    Good(lambda n, m: LogOfShares()),
    Good(lambda n, m: LogOfPositive(), positive),
    Good(lambda n, m: SharesOfPowers()),
    Good(lambda n, m: GaussianByLogVariance(), lambda N, n: [(N, n)] * 2, lambda N, n: (N, n)),
    Good(lambda n, m: PoissonOfLogarithms(), target=positive),
]

BUGS = [
    *(
        Bug(make, input, {"dtype"}, why)
        for make, input, why in (
            (lambda: SoftMaxUnshifted(), SHAPE, "exp(800) / exp(800) is no number"),
            (lambda: LogSoftMaxUnshifted(), SHAPE, "nor is its logarithm"),
            (lambda: SoftMinUnshifted(), lambda rng: positive(*SHAPE)(rng), "exp(-x) overflows"),
            (lambda: TanhByExponentials(), SHAPE, "infinity by infinity, where it is 1"),
            (lambda: SigmoidOfQuotient(), SHAPE, "infinity by infinity, where it is 1"),
            (lambda: SwishOfQuotient(), SHAPE, "infinity by infinity, where it is x"),
            (lambda: EluOfMasks(), SHAPE, "infinity by 0, where it is x"),
            (lambda: SlopeOfSigmoidByExponentials(), small, "infinity by infinity, backwards"),
            (lambda: AttentionUnshifted(), [(2, 4, 3)] * 3, "scores of 100 overflow"),
            (lambda: LinearAttentionUnshifted(), [(2, 4, 3)] * 3, "features of 100 overflow"),
            (lambda: NearestByDistances(), [SHAPE] * 2, "0 by 0, of far distances"),
            (lambda: RnnOfExponentials(3, 4), (2, 4, 3), "states become infinity by infinity"),
            (lambda: SoftplusOfExponentials(), SHAPE, "log(1 + exp(800)) is infinite, not 800"),
            (lambda: LogSoftMaxOfExponentials(), SHAPE, "log(exp(800)) is infinite, not 800"),
        )
    ),
    CriterionBug(
        lambda: CrossEntropyUnshifted(),
        SHAPE,
        ids(*SHAPE),
        {"dtype"},
        "the loss of scores of 800 is no number",
    ),
    CriterionBug(
        lambda: CrossEntropyOfExponentials(),
        SHAPE,
        ids(*SHAPE),
        {"dtype"},
        "the loss of scores of 800 is infinite",
    ),
    CriterionBug(
        lambda: CrossEntropyOfShares(),
        SHAPE,
        one_hot(*SHAPE),
        {"dtype"},
        "0 times the logarithm of a share that is rounded to 0",
    ),
    CriterionBug(
        lambda: BinaryOfScoresByExponentials(),
        lambda rng: small(rng),
        lambda rng: rng.integers(0, 2, SHAPE) + 0.0,
        {"dtype"},
        "backwards, infinity by infinity",
    ),
]
