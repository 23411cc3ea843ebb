"""Wrong gradients whose numbers, of one example, look like another fault."""

import numpy as np

from torchlite import nn, random

from . import Bug, CriterionBug


class Layer(nn.Module):
    def updateOutput(self, input):
        self.output = self.function(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.slopes(input, gradOutput)
        return self.gradInput


class Loss(nn.Criterion):
    def updateOutput(self, input, target):
        self.output = self.function(input, target).item()
        return self.output

    def updateGradInput(self, input, target):
        self.gradInput = self.slopes(input, target)
        return self.gradInput


class LargestBySize(Layer):
    """The largest of each row; the gradient goes to the largest in size."""

    def function(self, input):
        return np.take_along_axis(input, input.real.argmax(1)[:, None], 1)[:, 0]

    def slopes(self, input, gradOutput):
        back = np.zeros_like(input)
        np.put_along_axis(back, np.abs(input).argmax(1)[:, None], gradOutput[:, None], 1)
        return back


class MaxoutForgetsBias(Layer):
    """The largest of some sums with a bias; the gradient takes the largest without it."""

    def __init__(self):
        self.weight = random.uniform(-1, 1, size=(3, 4))
        self.bias = np.array([0.25, -2, 1.5, 0.75])
        self.gradWeight, self.gradBias = np.zeros((3, 4)), np.zeros(4)

    def function(self, input):
        sums = input @ self.weight + self.bias
        return np.take_along_axis(sums, sums.real.argmax(1)[:, None], 1)[:, 0]

    def slopes(self, input, gradOutput):
        places = (input @ self.weight).argmax(1)
        return gradOutput[:, None] * self.weight.T[places]

    def accGradParameters(self, input, gradOutput, scale=1):
        places = (input @ self.weight + self.bias).argmax(1)
        chosen = np.eye(4, dtype=input.dtype)[places] * gradOutput[:, None]
        self.gradWeight += scale * (input.T @ chosen)
        self.gradBias += scale * chosen.sum(0)


class HardTanhTooWide(Layer):
    def function(self, input):
        return np.clip(input, -1, 1)

    def slopes(self, input, gradOutput):
        return gradOutput * (np.abs(input) < 2)


class LengthOverSamples(Layer):
    """Rows of length 1; the gradient's sum runs over the samples."""

    def function(self, input):
        return input / (input**2).sum(1, keepdims=True) ** 0.5

    def slopes(self, input, gradOutput):
        length = (input**2).sum(1, keepdims=True) ** 0.5
        output = input / length
        return (gradOutput - output * (gradOutput * output).sum(0)) / length


class HighwayForgetsShare(Layer):
    """A share of something new, and the rest of the input; the gradient of the rest is whole."""

    def __init__(self):
        self.weight = random.uniform(-1, 1, size=(3, 3))
        self.gradWeight = np.zeros((3, 3))

    def function(self, input):
        share = 0.5 + np.tanh(input) / 2
        return share * (input @ self.weight) + (1 - share) * input

    def slopes(self, input, gradOutput):
        share = 0.5 + np.tanh(input) / 2
        slope = (1 - np.tanh(input) ** 2) / 2
        new = input @ self.weight
        return (
            (gradOutput * share) @ self.weight.T + gradOutput * slope * (new - input) + gradOutput
        )

    def accGradParameters(self, input, gradOutput, scale=1):
        share = 0.5 + np.tanh(input) / 2
        self.gradWeight += scale * (input.T @ (gradOutput * share))


class MeanOfThreeIsSum(Layer):
    def function(self, input):
        return input.reshape(len(input), input.shape[1] // 3, 3).mean(2)

    def slopes(self, input, gradOutput):
        return np.repeat(gradOutput, 3, axis=1)


class BilinearForgetsFirst(Layer):
    def function(self, input):
        return input[0] * input[1] ** 2

    def slopes(self, input, gradOutput):
        return [gradOutput * input[1] ** 2, 2 * gradOutput * input[1]]


class AbsIgnoresTarget(Loss):
    def function(self, input, target):
        return np.abs(input - target).sum()

    def slopes(self, input, target):
        return np.sign(input)


class TripletPullsAway(Loss):
    """The gradient of the one that is alike has the wrong sign."""

    def function(self, input, target):
        anchor, alike, other = input
        off = ((anchor - alike) ** 2).sum(1) - ((anchor - other) ** 2).sum(1) + 1
        return np.where(off.real > 0, off, 0 * off).sum()

    def slopes(self, input, target):
        anchor, alike, other = input
        off = ((anchor - alike) ** 2).sum(1) - ((anchor - other) ** 2).sum(1) + 1
        paying = 2.0 * (off > 0)[:, None].astype(anchor.dtype)
        return [paying * (other - alike), paying * (anchor - alike), paying * (anchor - other)]


class NegativesTurned(Loss):
    """Logistic regression; the gradient of the negatives has the wrong sign."""

    def function(self, input, target):
        return np.log(1 + np.exp(-input * np.where(target > 0, 1, -1))).sum()

    def slopes(self, input, target):
        sign = np.where(target > 0, 1, -1)
        return -1 / (1 + np.exp(sign * input))


SHAPE = (4, 3)


def near_and_far(rng):
    anchor = rng.uniform(-1, 1, SHAPE)
    return [anchor, anchor + rng.uniform(1, 2, SHAPE), anchor + rng.uniform(-3, 3, SHAPE)]


def beside_target(rng):
    """In one column the input is between 0 and the target."""
    return rng.uniform(1, 2, SHAPE) * [1, -1, 1]


def target_of_signs(rng):
    return np.array([[0.25, -0.5, 0.75], [0.5, -0.25, 3], [0.125, -0.75, 4], [0.25, -0.5, 0.5]])


def zeros_and_ones(rng):
    return np.array([[0.0, 1, 1], [1, 0, 1], [0, 0, 1], [1, 1, 0]])


def bug(kind, input, why, pattern, exempt=()):
    reasons = dict.fromkeys(exempt, "is not what is wrong here")
    return Bug(lambda: kind(), input, {"gradInput"}, why, reasons, pattern)


def loss(kind, input, target, why, pattern):
    reasons = {"broadcast": "is not what is wrong here", "nan": "compares", "dtype": "counts"}
    return CriterionBug(lambda: kind(), input, target, {"gradInput"}, why, reasons, pattern)


BUGS = [
    bug(
        LargestBySize,
        (5, 4),
        "the largest in size gets the gradient",
        "at other places than those that the forward reads",
        ["nan", "duck"],
    ),
    bug(
        MaxoutForgetsBias,
        (6, 3),
        "the largest is chosen without the bias",
        "as if the parameter of gradBias were 0",
        ["nan", "duck", "exceptions"],
    ),
    bug(
        HardTanhTooWide,
        (4, 3),
        "bounds of 2 instead of 1",
        "only where 1 < |input| < 2, where expected is 0",
    ),
    bug(
        LengthOverSamples,
        (4, 3),
        "a sum over the samples",
        "depends on the gradOutput of others",
    ),
    bug(HighwayForgetsShare, (5, 3), "the rest counts whole", "a direct path"),
    bug(
        MeanOfThreeIsSum,
        (4, 6),
        "a mean goes back as a sum",
        "3 * expected, the number of entries that share an output",
    ),
    bug(
        BilinearForgetsFirst,
        [(4, 3), (4, 3)],
        "a factor is left out",
        "as if input[0] were 1",
    ),
    loss(
        AbsIgnoresTarget,
        beside_target,
        target_of_signs,
        "the target is left out",
        "does not depend on the target",
    ),
    loss(TripletPullsAway, near_and_far, None, "one sign is wrong", "wrong sign"),
    loss(
        NegativesTurned,
        SHAPE,
        zeros_and_ones,
        "the sign of the negatives",
        "only where target = 0: got = -expected",
    ),
]
