"""Faults that hide: parameters that nobody lists, modes behind decorators."""

import functools
from collections import Counter
from itertools import pairwise

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good import WHOLE_BATCH, Affine, Gain, Good, Standardised, rows
from torchlite import nn, random

# ---------------------------------------------------------------- parameters


class GammaWithoutParameters(nn.Module):
    """gamma has a gradient, wrong by -7, and no parameters() that says so."""

    def __init__(self, size):
        self.gamma = random.uniform(-1, 1, size=size)
        self.gradGamma = np.zeros(size)

    def updateOutput(self, input):
        self.output = input * self.gamma
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.gamma
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradGamma += -7 * scale * rows(input * gradOutput).sum(0)


class GammaNeverTrained(GammaWithoutParameters):
    """With the right gradient, which leads nowhere."""

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradGamma += scale * rows(input * gradOutput).sum(0)


class CourseNamesWithoutParameters(nn.Module):
    """W, b, dW and db."""

    def __init__(self, inputs, outputs):
        self.W = random.uniform(-1, 1, size=(inputs, outputs))
        self.b = random.uniform(-1, 1, size=outputs)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def updateOutput(self, input):
        self.output = input @ self.W + self.b
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.W.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.dW += scale * (rows(input).T @ rows(gradOutput))
        self.db += scale * rows(gradOutput).sum(0)


class DictionariesWithoutParameters(nn.Module):
    """params and grads, as a course has them."""

    def __init__(self, inputs, outputs):
        self.params = {"W": random.uniform(-1, 1, size=(inputs, outputs))}
        self.grads = {"W": np.zeros((inputs, outputs))}

    def updateOutput(self, input):
        self.output = input @ self.params["W"]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.params["W"].T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.grads["W"] += scale * (rows(input).T @ rows(gradOutput))


class GainBesideListedWeight(Affine):
    """A factor of the outputs joins weight and bias, and parameters() stays as it was."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.gain = random.uniform(0.5, 1, size=outputs)
        self.gradGain = np.zeros(outputs)

    def updateOutput(self, input):
        self.output = self.gain * super().updateOutput(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        return super().updateGradInput(input, gradOutput * self.gain)

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput * self.gain, scale)
        outputs = rows(input) @ self.weight.T + self.bias
        self.gradGain += scale * (rows(gradOutput) * outputs).sum(0)


class TwoParts(nn.Module):
    """Two linear layers in a row, in attributes."""

    def __init__(self, inputs, hidden, outputs):
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def parameters(self):
        first, second = self.first.parameters(), self.second.parameters()
        return first[0] + second[0], first[1] + second[1]

    def updateOutput(self, input):
        self.output = self.second.updateOutput(self.first.updateOutput(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        hidden = self.first.updateOutput(input)
        inner = self.second.updateGradInput(hidden, gradOutput)
        self.gradInput = self.first.updateGradInput(input, inner)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        hidden = self.first.updateOutput(input)
        inner = self.second.updateGradInput(hidden, gradOutput)
        self.second.accGradParameters(hidden, gradOutput, scale)
        self.first.accGradParameters(input, inner, scale)


class ListsFirstPart(TwoParts):
    def parameters(self):
        return self.first.parameters()


class ListsPartsInTraining(TwoParts):
    """In evaluation mode nothing is to be trained, so there seems to be nothing."""

    def parameters(self):
        return super().parameters() if self.train else ([], [])


class ListsWeightsOnly(TwoParts):
    def parameters(self):
        parts = self.first, self.second
        return [part.weight for part in parts], [part.gradWeight for part in parts]


class PartsInList(TwoParts):
    """The parts stand in a list, and parameters() is forgotten altogether."""

    def __init__(self, inputs, hidden, outputs):
        self.parts = [nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)]

    first = property(lambda self: self.parts[0])
    second = property(lambda self: self.parts[1])

    def parameters(self):
        return [], []


class PartAccumulatesNothing(TwoParts):
    """The second part is used, listed, and gets no gradient."""

    def accGradParameters(self, input, gradOutput, scale=1):
        hidden = self.first.updateOutput(input)
        inner = self.second.updateGradInput(hidden, gradOutput)
        self.first.accGradParameters(input, inner, scale)


class LayersAsPairs(nn.Module):
    """A list of (W, dW), of which parameters() returns the first."""

    def __init__(self, *sizes):
        self.pairs = [
            (random.uniform(-1, 1, size=pair), np.zeros(pair)) for pair in pairwise(sizes)
        ]

    def parameters(self):
        return [pair[0] for pair in self.pairs], [pair[1] for pair in self.pairs]

    def _path(self, input):
        path = [input]
        for W, _ in self.pairs:
            path.append(np.tanh(path[-1] @ W))
        return path

    def updateOutput(self, input):
        self.output = self._path(input)[-1]
        return self.output

    def _back(self, input, gradOutput):
        path, gradients = self._path(input), []
        for (W, _), x, y in zip(self.pairs[::-1], path[-2::-1], path[:0:-1], strict=True):
            inner = gradOutput * (1 - y**2)
            gradients.insert(0, rows(x).T @ rows(inner))
            gradOutput = inner @ W.T
        return gradOutput, gradients

    def updateGradInput(self, input, gradOutput):
        self.gradInput, _ = self._back(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        _, gradients = self._back(input, gradOutput)
        for (_, array), gradient in zip(self.pairs, gradients, strict=True):
            array += scale * gradient


class FirstPairOnly(LayersAsPairs):
    def parameters(self):
        W, dW = self.pairs[0]
        return [W], [dW]


class PrivateShift(Gain):
    """A shift under a private name, trained by nobody."""

    def __init__(self, size):
        super().__init__(size)
        self._shift = random.uniform(-1, 1, size=size)
        self._gradShift = np.zeros(size)

    def updateOutput(self, input):
        self.output = super().updateOutput(input) + self._shift
        return self.output

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self._gradShift += scale * rows(gradOutput).sum(0)


class SlopeOfOneNumber(nn.Module):
    """A slope in an array of no dimensions, with a gradient that nobody sees."""

    def __init__(self):
        self.slope = np.array(0.25)
        self.gradSlope = np.zeros(())

    def updateOutput(self, input):
        self.output = np.where(input.real > 0, input, self.slope * input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.where(input.real > 0, gradOutput, self.slope * gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradSlope += scale * np.where(input.real > 0, 0, input * gradOutput).sum()


# ---------------------------------------------------------------- modes


CALLS = Counter()


def counted(method):
    """Count the calls, as one does to see what is slow."""

    @functools.wraps(method)
    def wrapper(self, *arguments):
        CALLS[method.__name__] += 1
        return method(self, *arguments)

    return wrapper


def in_training(method):
    """Make a method do half of its work in evaluation."""

    @functools.wraps(method)
    def wrapper(self, input, gradOutput, *scale):
        return method(self, input, gradOutput if self.train else 0.5 * gradOutput, *scale)

    return wrapper


class Mode:
    """A descriptor: one method in training, another in evaluation."""

    def __init__(self, training, evaluation):
        self.ways = {True: training, False: evaluation}

    def __get__(self, layer, kind=None):
        return self if layer is None else functools.partial(self.ways[layer.train], layer)


class Tools:
    """What several layers have in common."""

    @staticmethod
    def weakened(layer, gradOutput):
        return gradOutput if layer.train else 0.1 * gradOutput


class SlopeHalvedBehindDecorator(nn.Module):
    """Wrong in evaluation, by a method that a decorator wraps."""

    def updateOutput(self, input):
        self.output = input**2
        return self.output

    @counted
    def updateGradInput(self, input, gradOutput):
        self.gradInput = (2 if self.train else 1) * input * gradOutput
        return self.gradInput


class DecoratedTwice(Functional):
    """Noise-free evaluation, whose backward is that of training."""

    @counted
    @counted
    def run(self, x):
        return (x**3 if self.train else x**2), x

    def back(self, dout, x):
        return (3 * x**2 * dout,)


class GradientsHalvedByDecorator(Affine):
    accGradParameters = in_training(Affine.accGradParameters)


class ModeBehindDescriptor(nn.Module):
    def _training(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput
        return self.gradInput

    def _evaluation(self, input, gradOutput):
        self.gradInput = input * gradOutput
        return self.gradInput

    updateGradInput = Mode(_training, _evaluation)

    def updateOutput(self, input):
        self.output = input**2
        return self.output


class ModeInTools(nn.Module):
    def updateOutput(self, input):
        self.output = input**2
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * Tools.weakened(self, gradOutput)
        return self.gradInput


class ModeInCallable(Affine):
    """An object that is called and holds the layer's rule."""

    class Rule:
        def __call__(self, layer, gradOutput):
            return gradOutput if layer.train else gradOutput[..., ::-1]

    rule = Rule()

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, self.rule(self, gradOutput), scale)


class ModeByName(Affine):
    """Looks its mode up among its attributes."""

    def updateGradInput(self, input, gradOutput):
        mode = vars(self).get("train", True)
        self.gradInput = gradOutput @ self.weight if mode else gradOutput @ abs(self.weight)
        return self.gradInput


class StatisticsBehindDecorator(Standardised):
    """The gain's gradient takes the batch's statistics in evaluation, too."""

    @counted
    def accGradParameters(self, input, gradOutput, scale=1):
        train, self.train = self.train, True
        super().accGradParameters(input, gradOutput, scale)
        self.train = train


class OutputDoubledWhileMeasured(nn.Module):
    """cached_property-like: the factor of the mode in which it was first asked for."""

    _factor = None

    @counted
    def updateOutput(self, input):
        if self._factor is None:
            self._factor = 2.0 if self.train else 1.0
        self.output = self._factor * input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._factor * gradOutput
        return self.gradInput


class MutatesBehindDecorator(nn.Module):
    """In evaluation the input becomes the output."""

    @counted
    def updateOutput(self, input):
        self.output = np.maximum(input, 0, out=None if self.train else input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input > 0)
        return self.gradInput


class UpcastsBehindDecorator(nn.Module):
    @counted
    def updateOutput(self, input):
        self.output = input**2 * (1.0 if self.train else np.float64(1))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput
        return self.gradInput


class ReadsModeOnce(Affine):
    """Decides at construction, as if a layer stayed what it was."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self._factor = 1.0 if self.train else 0.5

    def evaluate(self):
        super().evaluate()
        self._factor = 0.5
        return self

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._factor * (gradOutput @ self.weight)
        return self.gradInput


GOOD = [
    Good(lambda n, m: TwoParts(n, m, 2), exempt={"exceptions": "one part after the other"}),
    Good(lambda n, m: LayersAsPairs(n, m, 2)),
]

IN_PARTS = {"exceptions": "one part after the other"}


def bug(make, kills, why, exempt=None, pattern=None, input=(5, 3)):
    return Bug(make, input, kills, why, exempt or {}, pattern)


BUGS = [
    bug(
        lambda: GammaWithoutParameters(3),
        {"update"},
        "a parameter that parameters() does not list, with a wrong gradient",
    ),
    bug(lambda: GammaNeverTrained(3), {"update"}, "a parameter that parameters() does not list"),
    bug(
        lambda: CourseNamesWithoutParameters(3, 4),
        {"update"},
        "two parameters that parameters() does not list",
    ),
    bug(
        lambda: DictionariesWithoutParameters(3, 4),
        {"update"},
        "a parameter in a dictionary that parameters() does not list",
    ),
    bug(
        lambda: GainBesideListedWeight(3, 4),
        {"update"},
        "a parameter that parameters() does not list, beside two that it does",
    ),
    bug(lambda: ListsFirstPart(3, 4, 2), {"update"}, "one part's parameters only", IN_PARTS),
    bug(
        lambda: ListsPartsInTraining(3, 4, 2),
        {"gradParameters", "modes"},
        "no parameters in evaluation mode",
        IN_PARTS,
    ),
    bug(
        lambda: ListsWeightsOnly(3, 4, 2), {"update"}, "the parts' biases are not listed", IN_PARTS
    ),
    bug(lambda: PartsInList(3, 4, 2), {"update"}, "no part's parameters", IN_PARTS),
    bug(
        lambda: PartAccumulatesNothing(3, 4, 2),
        {"gradParameters"},
        "one part gets no gradient",
        IN_PARTS,
        "never written",
    ),
    bug(lambda: FirstPairOnly(3, 4, 2), {"update"}, "the first layer's parameters only"),
    bug(lambda: PrivateShift(3), {"update"}, "a private parameter that nobody trains"),
    bug(
        lambda: SlopeOfOneNumber(),
        {"update"},
        "a parameter of no dimensions that parameters() does not list",
    ),
    bug(
        lambda: SlopeHalvedBehindDecorator(),
        {"gradInput"},
        "half the derivative in evaluation",
        pattern="factor of 2",
    ),
    bug(
        lambda: DecoratedTwice(),
        {"gradInput"},
        "the gradient of another function in evaluation",
        pattern="training mode",
    ),
    bug(
        lambda: GradientsHalvedByDecorator(3, 4),
        {"gradParameters"},
        "half the gradients in evaluation",
        pattern="factor of 2",
    ),
    bug(
        lambda: ModeBehindDescriptor(),
        {"gradInput"},
        "half the derivative in evaluation",
        pattern="factor of 2",
    ),
    bug(
        lambda: ModeInTools(),
        {"gradInput"},
        "a tenth of the derivative in evaluation",
        pattern="constant factor",
    ),
    bug(
        lambda: ModeInCallable(3, 4),
        {"gradParameters"},
        "in evaluation gradients come in another order",
        pattern="reversed",
    ),
    bug(
        lambda: ModeByName(3, 4),
        {"gradInput"},
        "in evaluation weights lose their sign",
        pattern="signs forgotten",
    ),
    bug(
        lambda: StatisticsBehindDecorator(3),
        {"gradParameters"},
        "the batch's statistics in evaluation, too",
        WHOLE_BATCH,
        pattern="training mode",
    ),
    bug(
        lambda: OutputDoubledWhileMeasured(),
        {"modes"},
        "in evaluation it does what it did in training",
    ),
    bug(
        lambda: MutatesBehindDecorator(),
        {"mutation"},
        "in evaluation the input becomes the output",
    ),
    bug(
        lambda: UpcastsBehindDecorator(),
        {"dtype"},
        "in evaluation float32 becomes float64",
    ),
    bug(
        lambda: ReadsModeOnce(3, 4),
        {"gradInput"},
        "half the derivative in evaluation, and ever after",
        pattern="factor of 2",
    ),
]
