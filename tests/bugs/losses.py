"""Losses, as they are written beside a network."""

import numpy as np

from bugs import CriterionBug
from bugs.good import CrossEntropy, Good, Hinge, Huber, Squared, fit, odd
from torchlite import nn
from torchlite.errors import ShapeError


def fit_classes(input, target):
    if target.shape != input.shape[:1] or target.dtype.kind not in "iu":
        raise ShapeError(f"target must be integers {input.shape[:1]}, got {target.shape}")


def of_classes(input, target):
    """Return a mask of the entries of the target classes."""
    return np.arange(input.shape[1], like=target) == target[:, None]


class Loss(nn.Criterion):
    """A loss that is a sum of values, and the gradient of each."""

    def updateOutput(self, input, target):
        self.check(input, target)
        self.output = self.values(input, target).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        self.check(input, target)
        self.gradInput = self.slopes(input, target)
        return self.gradInput

    def check(self, input, target):
        fit(input, target)


# ---------------------------------------------------------------- classes


class MulticlassHinge(Loss):
    """The SVM loss: margins of 1 between the right class and each other."""

    check = staticmethod(fit_classes)

    def _margins(self, input, target):
        right = np.take_along_axis(input, target[:, None], 1)
        return np.where(of_classes(input, target), 0, input - right + 1)

    def values(self, input, target):
        return np.maximum(self._margins(input, target), 0)

    def _violated(self, margins):
        return np.where(margins.real > 0, 1, 0 * margins)

    def slopes(self, input, target):
        violated = self._violated(self._margins(input, target))
        counts = violated.sum(1, keepdims=True)
        return np.where(of_classes(input, target), -counts, violated)


class HingeForgetsRightClass(MulticlassHinge):
    """The right class gets no gradient."""

    def slopes(self, input, target):
        return self._violated(self._margins(input, target))


class HingeCountsOneViolation(MulticlassHinge):
    """The right class gets -1, however many others are too close."""

    def slopes(self, input, target):
        slopes = super().slopes(input, target)
        return np.where(of_classes(input, target), np.maximum(slopes, -1), slopes)


class HingeCountsAllClasses(MulticlassHinge):
    """As if every margin were violated."""

    def _violated(self, margins):
        return np.where(margins == 0, 0, np.ones_like(margins))


class SquaredHinge(MulticlassHinge):
    def values(self, input, target):
        return super().values(input, target) ** 2

    def _violated(self, margins):
        return 2 * np.maximum(margins, 0)


class SquaredHingeForgetsTwo(SquaredHinge):
    def _violated(self, margins):
        return np.maximum(margins, 0)


class LargestViolation(MulticlassHinge):
    """The largest margin alone; of equal ones, the first."""

    def values(self, input, target):
        return super().values(input, target).max(1)

    def _largest(self, margins):
        place = margins.real.argmax(1)[:, None]
        return np.arange(margins.shape[1], like=place) == place

    def _violated(self, margins):
        return np.where(self._largest(margins) & (margins.real > 0), 1, 0 * margins)


class LargestViolationPaysEachTie(LargestViolation):
    """All of the largest margins get the whole gradient."""

    def _largest(self, margins):
        return margins == margins.max(1, keepdims=True)


class LabelSmoothing(Loss):
    """Cross entropy with a target of 0.9 for the class and the rest for all."""

    share = 0.1
    check = staticmethod(fit_classes)

    def _logs(self, input):
        shifted = input - input.max(1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))

    def _wanted(self, input, target):
        rest = self.share / input.shape[1]
        return np.where(of_classes(input, target), 1 - self.share + rest, rest + 0 * input)

    def values(self, input, target):
        return -self._wanted(input, target) * self._logs(input)

    def slopes(self, input, target):
        return np.exp(self._logs(input)) - self._wanted(input, target)


class SmoothingForwardsOnly(LabelSmoothing):
    def slopes(self, input, target):
        return np.exp(self._logs(input)) - np.where(of_classes(input, target), 1, 0 * input)


class SmoothingAmongTheOthers(LabelSmoothing):
    """Backwards the rest is spread over the other classes only."""

    def slopes(self, input, target):
        rest = self.share / max(input.shape[1] - 1, 1)
        wanted = np.where(of_classes(input, target), 1 - self.share, rest + 0 * input)
        return np.exp(self._logs(input)) - wanted


class SmoothingWithoutShift(LabelSmoothing):
    """Backwards the powers overflow from 710."""

    def slopes(self, input, target):
        with np.errstate(all="ignore"):
            powers = np.exp(input)
            p = powers / powers.sum(1, keepdims=True)
        return p - self._wanted(input, target)


class Focal(Loss):
    """-(1 - p)**2 * log(p) of the right class."""

    check = staticmethod(fit_classes)

    def _probability(self, input, target):
        powers = np.exp(input - input.max(1, keepdims=True))
        p = powers / powers.sum(1, keepdims=True)
        return p, np.take_along_axis(p, target[:, None], 1)

    def values(self, input, target):
        _, right = self._probability(input, target)
        return -((1 - right) ** 2) * np.log(right)

    def _slope(self, right):
        """Return the loss' derivative by log(p)."""
        return 2 * right * (1 - right) * np.log(right) - (1 - right) ** 2

    def slopes(self, input, target):
        p, right = self._probability(input, target)
        return self._slope(right) * (np.where(of_classes(input, target), 1, 0 * input) - p)


class FocalTakesFactorForConstant(Focal):
    def _slope(self, right):
        return -((1 - right) ** 2)


class FocalForgetsCrossTerm(Focal):
    """Only the right class' own score gets a gradient."""

    def slopes(self, input, target):
        _, right = self._probability(input, target)
        return np.where(of_classes(input, target), self._slope(right) * (1 - right), 0 * input)


class WithIgnoredClass(CrossEntropy):
    """Class 0 does not count, and the mean is over the others."""

    def _counted(self, target):
        return target != 0

    def updateOutput(self, input, target):
        self._check(input, target)
        chosen = np.take_along_axis(self._logarithms(input), target[..., None], -1)[..., 0]
        counted = self._counted(target)
        self.output = -(chosen * counted).sum().item() / max(int(counted.sum()), 1)
        return self.output

    def _divisor(self, target):
        return max(int(self._counted(target).sum()), 1)

    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target) * max(len(input), 1)
        self.gradInput = gradInput * self._counted(target)[:, None] / self._divisor(target)
        return self.gradInput


class IgnoredClassDivides(WithIgnoredClass):
    """Backwards the mean is over all samples."""

    def _divisor(self, target):
        return max(len(target), 1)


class IgnoredClassPulls(WithIgnoredClass):
    """Backwards class 0 counts as any other."""

    def updateGradInput(self, input, target):
        gradInput = CrossEntropy.updateGradInput(self, input, target) * max(len(input), 1)
        self.gradInput = gradInput / self._divisor(target)
        return self.gradInput


class ThirtyTwoTargets(CrossEntropy):
    """A batch had 32 samples when it was written."""

    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target)
        gradInput[32:] = 0
        return gradInput


class RepeatedClassCountsOnce(CrossEntropy):
    """Right as long as no two samples have the same class."""

    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target)
        _, first = np.unique(target, return_index=True)
        once = np.zeros_like(gradInput)
        once[first] = gradInput[first]
        self.gradInput = once
        return once


# ---------------------------------------------------------------- distances


class HuberFrom(Loss):
    """Half the square up to a bound, straight on beyond."""

    def __init__(self, bound=2.0):
        self.bound = bound

    def values(self, input, target):
        d = input - target
        size = np.where(d.real < 0, -d, d)
        return np.where(size.real < self.bound, 0.5 * d**2, self.bound * (size - 0.5 * self.bound))

    def slopes(self, input, target):
        return np.clip(input - target, -self.bound, self.bound)


class HuberBoundIsOne(HuberFrom):
    """Backwards the bound is 1."""

    def slopes(self, input, target):
        return np.clip(input - target, -1, 1)


class HuberStraightWithoutBound(HuberFrom):
    """Beyond the bound the slope is 1, not the bound."""

    def slopes(self, input, target):
        d = input - target
        return np.where(np.abs(d) < self.bound, d, np.sign(d))


class HuberUnboundedBelow(Huber):
    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.minimum(input - target, 1)
        return self.gradInput


class HuberFarOutForgetsBound(HuberFrom):
    """With a bound so large that no example reaches it."""

    def __init__(self):
        super().__init__(50.0)

    def slopes(self, input, target):
        return input - target


class LogCosh(Loss):
    """log(cosh(d)), stable: |d| + log(1 + exp(-2 |d|)) - log(2)."""

    def values(self, input, target):
        d = input - target
        size = np.where(d.real < 0, -d, d)
        return size + np.log1p(np.exp(-2 * size)) - np.log(2.0)

    def slopes(self, input, target):
        return np.tanh(input - target)


class LogCoshOverflows(LogCosh):
    """sinh over cosh, which is NaN from 711."""

    def slopes(self, input, target):
        d = input - target
        with np.errstate(all="ignore"):
            return np.sinh(d) / np.cosh(d)


class Quantile(Loss):
    """The ninth decile: 0.9 * d below, 0.1 * d above."""

    def values(self, input, target):
        d = target - input
        return np.where(d.real > 0, 0.9 * d, -0.1 * d)

    def slopes(self, input, target):
        return np.where((target - input).real > 0, -0.9, 0.1 + 0 * input)


class QuantileExchanged(Quantile):
    """The other share, and sign, on each side."""

    def slopes(self, input, target):
        return np.where((target - input).real > 0, -0.1, 0.9 + 0 * input)


class QuantileOneSided(Quantile):
    """What lies above the target gets the wrong share; here nothing does."""

    def slopes(self, input, target):
        return np.where((target - input).real > 0, -0.9, -0.1 + 0 * input)


class RelativeSquares(Loss):
    """((input - target) / target)**2."""

    def values(self, input, target):
        return ((input - target) / target) ** 2

    def slopes(self, input, target):
        return 2 * (input - target) / target**2


class RelativeSquaresDivideOnce(RelativeSquares):
    def slopes(self, input, target):
        return 2 * (input - target) / target


# ---------------------------------------------------------------- probabilities


class LogisticLoss(Loss):
    """Cross entropy of logits and targets between 0 and 1, stable; positives count three times."""

    positive = 3.0

    def _softplus(self, x):
        size = np.where(x.real < 0, -x, x)
        return (x + size) / 2 + np.log1p(np.exp(-size))

    def values(self, input, target):
        plus, minus = self._softplus(-input), self._softplus(input)
        return self.positive * target * plus + (1 - target) * minus

    def slopes(self, input, target):
        p = 0.5 * (1 + np.tanh(0.5 * input))
        return (1 - target) * p - self.positive * target * (1 - p)


class LogisticForgetsWeight(LogisticLoss):
    """Positives count once backwards; with a target of zeros nobody sees it."""

    def slopes(self, input, target):
        return 0.5 * (1 + np.tanh(0.5 * input)) - target


class LogisticForgetsTail(LogisticLoss):
    """Beyond 30 the gradient of a negative is taken for 0, where it is 1."""

    def slopes(self, input, target):
        return np.where(input.real > 30, 0, super().slopes(input, target))


class Divergence(Loss):
    """KL: target * (log(target) - log(input)), of probabilities."""

    def values(self, input, target):
        return target * (np.log(target) - np.log(input))

    def slopes(self, input, target):
        return -target / input


class DivergenceTheOtherWay(Divergence):
    """The derivative of the divergence with its arguments exchanged."""

    def slopes(self, input, target):
        return np.log(input) - np.log(target) + 1


class Dice(Loss):
    """1 - 2 |A B| / (|A| + |B|)."""

    def values(self, input, target):
        return 1 - 2 * (input * target).sum(keepdims=True) / (input + target).sum(keepdims=True)

    def slopes(self, input, target):
        total, both = (input + target).sum(), (input * target).sum()
        return -2 * target / total + 2 * both / total**2 * np.ones_like(input)


class DiceTakesSizesForConstant(Dice):
    def slopes(self, input, target):
        return -2 * target / (input + target).sum()


class Poisson(Loss):
    """exp(input) - target * input."""

    def values(self, input, target):
        return np.exp(input) - target * input

    def slopes(self, input, target):
        return np.exp(input) - target


class PoissonOfRate(Poisson):
    """1 - target / input is the derivative for those who give the rate itself."""

    def slopes(self, input, target):
        return 1 - target / input


class Gaussian(Loss):
    """[mean, log variance]: half of log variance + (target - mean)**2 / variance."""

    def check(self, input, target):
        fit(input[0], target)
        fit(input[1], target)

    def values(self, input, target):
        mean, log = input
        return 0.5 * (log + (target - mean) ** 2 * np.exp(-log))

    def slopes(self, input, target):
        mean, log = input
        d, precision = mean - target, np.exp(-log)
        return [d * precision, 0.5 * (1 - d**2 * precision)]


class GaussianExchanged(Gaussian):
    def slopes(self, input, target):
        return super().slopes(input, target)[::-1]


class GaussianForgetsOne(Gaussian):
    """The log variance itself is left out of its gradient."""

    def slopes(self, input, target):
        first, second = super().slopes(input, target)
        return [first, second - 0.5]


# ---------------------------------------------------------------- pairs and triplets


class Triplet(Loss):
    """[anchor, near, far]: the hinge of 1 + |a - n|**2 - |a - f|**2, row by row."""

    def check(self, input, target):
        for one in input[1:]:
            fit(input[0], one)

    def _hinges(self, input):
        a, n, f = input
        return 1 + ((a - n) ** 2).sum(-1, keepdims=True) - ((a - f) ** 2).sum(-1, keepdims=True)

    def values(self, input, target):
        return np.maximum(self._hinges(input), 0)

    def _active(self, input):
        return self._hinges(input).real > 0

    def slopes(self, input, target):
        a, n, f = input
        active = 2.0 * self._active(input)
        active = active.astype(a.dtype)
        return [active * (f - n), active * (n - a), active * (a - f)]


class TripletNearAndFarExchanged(Triplet):
    def slopes(self, input, target):
        anchor, near, far = super().slopes(input, target)
        return [anchor, far, near]


class TripletAlwaysActive(Triplet):
    """Triplets that are apart enough are pulled, too."""

    def _active(self, input):
        return self._hinges(input).real > -np.inf


class TripletAnchorForgotten(Triplet):
    def slopes(self, input, target):
        anchor, near, far = super().slopes(input, target)
        return [0 * anchor, near, far]


class Contrastive(Loss):
    """[a, b] and 1 or -1: the squared distance, or the square of what it lacks of 3."""

    margin = 3.0

    def check(self, input, target):
        fit(*input)
        if target.shape != input[0].shape[:1]:
            raise ShapeError(f"target must be {input[0].shape[:1]}, got {target.shape}")

    def _distance(self, input):
        a, b = input
        return (((a - b) ** 2).sum(-1) + 1e-12) ** 0.5

    def values(self, input, target):
        d, alike = self._distance(input), (1 + target) / 2
        return alike * d**2 + (1 - alike) * np.maximum(self.margin - d, 0) ** 2

    def _far(self, d):
        return -2 * np.maximum(self.margin - d, 0) / d

    def slopes(self, input, target):
        a, b = input
        d, alike = self._distance(input), (1 + target) / 2
        slope = (2 * alike + (1 - alike) * self._far(d))[:, None] * (a - b)
        return [slope, -slope]


class ContrastivePullsAll(Contrastive):
    """The sign is wrong for pairs that are to be apart; in the example none are."""

    def _far(self, d):
        return -super()._far(d)


class MarginRanking(Loss):
    """[a, b] and 1 or -1: the hinge of 0.5 - target * (a - b)."""

    def check(self, input, target):
        fit(*input)
        fit(input[0], target)

    def values(self, input, target):
        a, b = input
        return np.maximum(0.5 - target * (a - b), 0)

    def slopes(self, input, target):
        a, b = input
        slope = np.where((0.5 - target * (a - b)).real > 0, -target, 0 * a)
        return [slope, -slope]


class RankingForgetsTarget(MarginRanking):
    """Right where the target is 1, as it is in the example."""

    def slopes(self, input, target):
        a, b = input
        slope = np.where((0.5 - target * (a - b)).real > 0, -1, 0 * a)
        return [slope, -slope]


class RankingRanksTheSameWay(MarginRanking):
    """Both get the first one's gradient."""

    def slopes(self, input, target):
        first, _ = super().slopes(input, target)
        return [first, first.copy()]


class HingePullsNegatives(Hinge):
    """Right for targets of 1, of which the example is full."""

    def updateGradInput(self, input, target):
        fit(input, target)
        self.gradInput = np.where(target * input < 1, -np.ones_like(target), 0 * input)
        return self.gradInput


class SquaredPenaltyNegated(Squared):
    """A tiny penalty of large inputs, whose gradient has the wrong sign."""

    penalty = 1e-12

    def updateOutput(self, input, target):
        loss = super().updateOutput(input, target)
        self.output = loss + self.penalty * (input**2).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target)
        self.gradInput = gradInput - 2 * self.penalty * input
        return self.gradInput


# ---------------------------------------------------------------- examples


SHAPE = (5, 3)


def classes(rng):
    return np.array([2, 0, 1, 2, 0])


def equals(rng):
    """Scores of which the wrong classes have equal ones."""
    return np.array([[1.0, 1, 0], [0.5, 2, 2], [3, 1, 3], [-1, -1, 0.25], [1, 1.5, 1.5]])


def three_classes(rng):
    return np.array([2, 0, 1])


def ones(*shape):
    return lambda rng: np.ones(shape)


def zeros(rng):
    return np.zeros(SHAPE)


def both(*shape):
    return lambda rng: np.resize([1.0, -1.0, -1.0], shape)


def near(rng):
    """Pairs within the margin."""
    a = odd(rng, SHAPE)
    return [a, a + rng.choice([0.5, -0.25], SHAPE)]


def far_below(rng):
    return odd(rng, SHAPE) - 9


def probabilities(rng):
    return rng.integers(1, 16, SHAPE) / 16


def same(N, n):
    return (N, n)


def one_more(N, n):
    return (N, n + 1)


def ids(N, n):
    return lambda rng: rng.integers(0, n, N)


def between(N, n):
    return lambda rng: rng.integers(1, 16, (N, n)) / 16


def two(N, n):
    return [(N, n), (N, n)]


def signs(N, n):
    return lambda rng: rng.choice([-1.0, 1.0], (N, n))


def sign_of_rows(N, n):
    return lambda rng: rng.choice([-1.0, 1.0], N)


def nothing(*sizes):
    return lambda rng: None


NUMPY = {"duck": "it makes Python numbers of arrays"}

GOOD = [
    Good(lambda n, m: MulticlassHinge(), one_more, ids),
    Good(lambda n, m: SquaredHinge(), one_more, ids),
    Good(lambda n, m: LargestViolation(), one_more, ids),
    Good(lambda n, m: LabelSmoothing(), same, ids),
    Good(lambda n, m: Focal(), same, ids),
    Good(lambda n, m: WithIgnoredClass(), same, ids, NUMPY),
    Good(lambda n, m: HuberFrom(), same, same),
    Good(lambda n, m: LogCosh(), same, same),
    Good(lambda n, m: Quantile(), same, same),
    Good(lambda n, m: RelativeSquares(), same, same),
    Good(lambda n, m: LogisticLoss(), same, between),
    Good(lambda n, m: Divergence(), between, between),
    Good(lambda n, m: Dice(), between, between),
    Good(lambda n, m: Poisson(), same, same),
    Good(lambda n, m: Gaussian(), two, same),
    Good(lambda n, m: Triplet(), lambda N, n: [(N, n)] * 3, nothing),
    Good(lambda n, m: Contrastive(), two, sign_of_rows),
    Good(lambda n, m: MarginRanking(), two, signs),
]


def bug(kind, why, pattern=None, input=SHAPE, target=SHAPE):
    exempt = NUMPY if issubclass(kind, WithIgnoredClass) else {}
    return CriterionBug(kind, input, target, {"gradInput"}, why, exempt, pattern)


def of(kind, why, pattern=None, target=classes):
    """Of classes."""
    return bug(kind, why, pattern, SHAPE, target)


BUGS = [
    of(HingeForgetsRightClass, "the right class gets no gradient", pattern="never written there"),
    of(
        HingeCountsOneViolation,
        "the right class gets the gradient of one violation",
        pattern="at the classes of the target",
    ),
    of(HingeCountsAllClasses, "margins that are kept get a gradient"),
    of(SquaredHingeForgetsTwo, "half the derivative", "factor of 2"),
    bug(
        LargestViolationPaysEachTie,
        "equal margins get the gradient more than once",
        "tie",
        equals,
        classes,
    ),
    of(SmoothingForwardsOnly, "the gradient is that of hard targets", pattern="share forgotten"),
    of(SmoothingAmongTheOthers, "the rest is shared by one class less"),
    of(SmoothingWithoutShift, "NaN beyond 710", "not finite"),
    of(FocalTakesFactorForConstant, "the factor depends on the input, too", pattern="each row"),
    of(FocalForgetsCrossTerm, "the other classes get no gradient", "never written there"),
    of(IgnoredClassDivides, "ignored samples count in the mean", "constant factor"),
    of(IgnoredClassPulls, "ignored samples get a gradient", pattern="ignore"),
    of(ThirtyTwoTargets, "only the first 32 samples get a gradient", pattern="last sample"),
    bug(
        RepeatedClassCountsOnce,
        "the second sample of a class gets no gradient",
        "counted once",
        (3, 3),
        three_classes,
    ),
    bug(HuberBoundIsOne, "clipped at another bound backwards", pattern="clipped"),
    bug(HuberStraightWithoutBound, "the slope beyond the bound is 1", pattern="saturat"),
    bug(HuberUnboundedBelow, "not clipped below", "saturat"),
    bug(HuberFarOutForgetsBound, "not clipped beyond 50", pattern="saturat"),
    bug(LogCoshOverflows, "NaN beyond 711", "not finite"),
    bug(QuantileExchanged, "the shares are exchanged"),
    bug(QuantileOneSided, "wrong above the target", "got = -expected", far_below),
    bug(
        RelativeSquaresDivideOnce,
        "divided by the target once instead of twice",
        pattern="expected * target",
    ),
    bug(LogisticForgetsWeight, "positives are not weighted", "constant factor", SHAPE, zeros),
    bug(
        LogisticForgetsTail,
        "no gradient beyond 30",
        "only where input >",
        SHAPE,
        probabilities,
    ),
    bug(
        DivergenceTheOtherWay,
        "the derivative of another divergence",
        None,
        probabilities,
        probabilities,
    ),
    bug(
        DiceTakesSizesForConstant,
        "as if the sizes did not depend on the input",
        "a term is missing",
        probabilities,
        probabilities,
    ),
    bug(PoissonOfRate, "the derivative by the rate, not by its logarithm"),
    bug(GaussianExchanged, "the gradients are exchanged", "entries swapped", [SHAPE] * 2),
    bug(
        GaussianForgetsOne,
        "one term of the variance's gradient is missing",
        "a term is missing",
        [SHAPE] * 2,
    ),
    bug(
        TripletNearAndFarExchanged,
        "near and far are exchanged",
        "entries swapped",
        [SHAPE] * 3,
        nothing(),
    ),
    bug(TripletAlwaysActive, "a gradient where the loss is 0", "saturat", [SHAPE] * 3, nothing()),
    bug(
        TripletAnchorForgotten,
        "the anchor gets no gradient",
        "never written",
        [SHAPE] * 3,
        nothing(),
    ),
    bug(ContrastivePullsAll, "the sign is wrong for a target of -1", "sign", near, ones(5)),
    bug(
        RankingForgetsTarget,
        "the sign is wrong for a target of -1",
        "sign",
        [SHAPE] * 2,
        ones(*SHAPE),
    ),
    bug(
        RankingRanksTheSameWay,
        "the second's sign is wrong",
        "wrong sign",
        [SHAPE] * 2,
        both(*SHAPE),
    ),
    bug(HingePullsNegatives, "the sign is wrong for a target of -1", "sign", SHAPE, ones(*SHAPE)),
    bug(SquaredPenaltyNegated, "the penalty's sign is wrong, which is 1e-12 of the loss"),
]
