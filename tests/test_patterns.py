"""What the checker guesses of a wrong gradient, each pattern by a small layer that shows it."""

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.testing import (
    ContractViolation,
    GradientMismatch,
    check_criterion,
    check_module,
)
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.patterns import Derivative, guess


class Layer(nn.Module):
    """A function of the input, and what is taken for its gradient."""

    def __init__(self, function, slopes, **settings):
        self.function, self.slopes = function, slopes
        vars(self).update(settings)

    def updateOutput(self, input):
        self.output = self.function(self, input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.slopes(self, input, gradOutput)
        return self.gradInput


class Learner(nn.Module):
    """A function of the input and of parameters, and what is taken for their gradients."""

    def __init__(self, function, gradients, *shapes):
        self.function, self.gradients_of = function, gradients
        self.weights = [random.uniform(-1, 1, size=shape) for shape in shapes]
        self.gradWeights = [np.zeros(shape) for shape in shapes]

    def parameters(self):
        return self.weights, self.gradWeights

    def updateOutput(self, input):
        self.output = self.function(input, *self.weights)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        parts = self.gradients_of(input, gradOutput, *self.weights)
        for gradient, part in zip(self.gradWeights, parts, strict=True):
            gradient += scale * part


class Loss(nn.Criterion):
    def __init__(self, function, slopes):
        self.function, self.slopes = function, slopes

    def updateOutput(self, input, target):
        self.output = self.function(input, target).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        self.gradInput = self.slopes(input, target)
        return self.gradInput


def guessed(layer, input, only, seed=0, target=None):
    """Return what is guessed of the first gradient that is wrong."""
    with pytest.raises(ContractViolation) as caught:
        check(layer, input, target, only=only, seed=seed)
    return caught.value.pattern


def check(layer, input, target, **options):
    if target is None:
        check_module(layer, shape=input, **options)
    else:
        check_criterion(layer, input, target, **options)


def each(function, slope):
    """A function of each entry, and the slope by which its gradOutput is multiplied."""
    return lambda: Layer(lambda s, x: function(x), lambda s, x, g: g * slope(x))


def layer(function, slopes, **settings):
    return lambda: Layer(lambda s, x: function(x), lambda s, x, g: slopes(x, g), **settings)


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def normal(x):
    return (x - x.mean(-1, keepdims=True)) / deviation(x)


def deviation(x):
    inner = x - x.mean(-1, keepdims=True)
    return ((inner**2).mean(-1, keepdims=True) + 1e-3) ** 0.5


def positive(x):
    return np.where(x.real > 0, x, 0 * x)


def last(g, axis=0):
    kept = np.zeros_like(g)
    np.moveaxis(kept, axis, 0)[-1] = np.moveaxis(g, axis, 0)[-1]
    return kept


def first(g):
    kept = np.zeros_like(g)
    kept[0] = g[0]
    return kept


class Shifted(nn.Module):
    shift = 0.5

    def updateOutput(self, input):
        self.output = 1 / (input**2 + self.shift)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -2 * input / input**4 * gradOutput
        return self.gradInput


class Moded(nn.Module):
    """Squares in training, np.sin in evaluation; goes back as in training."""

    def updateOutput(self, input):
        self.output = input**2 if self.train else np.sin(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * input * gradOutput
        return self.gradInput


class Dropping(nn.Module):
    """Draws another mask on the way back."""

    def _mask(self, input):
        return 2 * (random.uniform(0, 1, size=input.shape) < 0.5) if self.train else 1

    def updateOutput(self, input):
        self.output = input * self._mask(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self._mask(input)
        return self.gradInput


def of_few(x, g):
    """Right for 32 samples."""
    back = 2 * x * g
    back[32:] = 0
    return back


def once(x, t):
    """Of equal targets the first alone."""
    _, first = np.unique(t, return_index=True)
    back = np.zeros_like(x)
    back[first] = softmax(x)[first] - one_hot(t[first])
    return back


def one_hot(t):
    return np.eye(3)[t]


def classes(x, t):
    return -(np.log(softmax(x)) * one_hot(t))


def squares(x, t):
    return (x - t) ** 2


def in_single(array):
    return array.astype(np.float32).astype(array.dtype)


def back_of_tanh(x, g):
    return (g * (1 - np.tanh(x @ SQUARE) ** 2)) @ SQUARE.T


def picked(x, places):
    return np.take_along_axis(x, places[:, None], 1)[:, 0]


def put_back(x, g, places):
    back = np.zeros_like(x)
    np.put_along_axis(back, places[:, None], g[:, None], 1)
    return back


def length(x):
    return (x * x).sum(1, keepdims=True) ** 0.5


def turned(x, g):
    """The sum over the samples, where that over each of them is meant."""
    return (x * g).sum(0) / length(x) ** 3


def near_alone(t, g):
    d = (t[0] - t[1]).sum(1, keepdims=True)
    back = 2 * d * (d**2 < 1) * g[:, None] + 0 * t[0]
    return [back, -back]


SQUARE = np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 2.0], [4.0, 0.25, -2.0]])
GAIN = np.array([1.0, 0.5, -2.0, 3.0])
SKEW = np.arange(27.0).reshape(3, 3, 3) % 5 - 2

INPUTS = [
    (
        "wrong where negative",
        each(lambda x: np.where(x.real < 0, -x, x), np.ones_like),
        (5, 4),
        "only where input < 0: got = -expected",
    ),
    (
        "zero where large",
        each(lambda x: x**2, lambda x: 2 * x * (x < 2)),
        (5, 4),
        "only where input > 2: got is 0",
    ),
    (
        "wrong where far out",
        each(lambda x: x**2, lambda x: np.where(abs(x) > 3, 3 * x, 2 * x)),
        (5, 4),
        "only where |input| > 3: got = 1.5 * expected",
    ),
    (
        "lets clipped ones back",
        each(lambda x: np.clip(x, -1, 1), np.ones_like),
        (5, 4),
        "only where |input| > 1, where expected is 0: got is not -> does the forward "
        "saturate, mask or ignore these?",
    ),
    (
        "cut off early",
        each(lambda x: x**2, lambda x: 2 * x * (abs(x) < 100)),
        (5, 4),
        "only where |input| > 96: got is 0",
    ),
    (
        "cut off early by another number",
        each(lambda x: x**2, lambda x: 2 * x * (abs(x).min() < 10)),
        (5, 4),
        "got is all zero at these numbers -> saturated, or cut off, too early?",
    ),
    (
        "only for some that are positive",
        layer(lambda x: x**2, lambda x, g: 2 * x * g * (x > 0).any()),
        (5, 4),
        "got is all zero where input < 0 -> never written there?",
    ),
    (
        "as many as a buffer holds",
        layer(lambda x: x**2, of_few),
        (5, 4),
        "got = expected of all but the last sample -> is the rest overwritten, or left out?",
    ),
    (
        "the first sample counts forwards",
        layer(lambda x: first(x**2), lambda x, g: 2 * x * g),
        (5, 4),
        "only outside the first sample, where expected is 0: got is not -> does the forward "
        "saturate, mask or ignore these?",
    ),
    (
        "gain before what it comes after",
        layer(
            lambda x: (x - x.mean(-1, keepdims=True)) * GAIN,
            lambda x, g: GAIN * (g - g.mean(-1, keepdims=True)),
        ),
        (5, 4),
        "got = expected with each entry's factor taken before instead of after what mixes them -> "
        "in the wrong order?",
    ),
    (
        "root of the size",
        layer(lambda x: x**2 / 3**0.5, lambda x, g: 2 * x * g),
        (5, 3),
        "got = 1.73205 * expected everywhere -> a constant factor is off by the root of 3?",
    ),
    (
        "root of four",
        layer(lambda x: x**2 / 2, lambda x, g: 2 * x * g),
        (5, 4),
        "got = 2 * expected -> doubled, or off by the root of 4?",
    ),
    (
        "half of the root of four",
        layer(lambda x: x**2 * 2, lambda x, g: 2 * x * g),
        (2, 4),
        "got = expected / 2 and the batch has 2 rows -> averaged instead of summed, or a 2 is "
        "missing, or off by the root of 4?",
    ),
    (
        "never saturates",
        each(lambda x: np.where(abs(x) < 2, x**2 / 2, 2 * abs(x) - 2), lambda x: x),
        (5, 4),
        "only where |input| > 2: got is another number",
    ),
    (
        "drops negative gradients",
        layer(lambda x: 2 * x, lambda x, g: 2 * positive(g)),
        (5, 4),
        "only where gradOutput < 0 -> are negative gradients dropped?",
    ),
    (
        "first sample",
        layer(lambda x: x @ SQUARE, lambda x, g: first(g) @ SQUARE.T),
        (5, 3),
        "got = expected of only the first sample -> is the rest overwritten, or left out?",
    ),
    (
        "last sample",
        layer(lambda x: x @ SQUARE, lambda x, g: last(g) @ SQUARE.T),
        (5, 3),
        "got = expected of only the last sample -> is the rest overwritten, or left out?",
    ),
    (
        "last column",
        layer(lambda x: x @ SQUARE, lambda x, g: last(g, 1) @ SQUARE.T),
        (5, 3),
        "got = expected of only the last slice of gradOutput's axis 1 -> is the rest "
        "overwritten, or left out?",
    ),
    (
        "first for all",
        layer(lambda x: x @ SQUARE, lambda x, g: np.repeat(g[:1] @ SQUARE.T, len(x), 0)),
        (5, 3),
        "got = expected of only the first sample of gradOutput everywhere -> fed to each?",
    ),
    (
        "transposed operand",
        layer(lambda x: x @ SQUARE, lambda x, g: g @ SQUARE),
        (5, 3),
        "got = expected with a square operand transposed -> transposed?",
    ),
    (
        "absolute operand",
        layer(lambda x: x @ SQUARE, lambda x, g: g @ abs(SQUARE.T)),
        (5, 3),
        "got = expected with all slopes positive -> signs forgotten?",
    ),
    (
        "transposed beyond two dimensions",
        layer(lambda x: x * SKEW, lambda x, g: (g * SKEW).transpose(0, 2, 1)),
        (3, 3, 3),
        "got = expected transposed by [0, 2, 1] -> operands swapped?",
    ),
    (
        "reshaped instead of transposed",
        layer(
            lambda x: x.transpose(0, 2, 1).reshape(x.shape[0], -1).copy(),
            lambda x, g: g.reshape(x.shape),
        ),
        (2, 3, 4),
        "got = expected reshaped where it must be transposed?",
    ),
    (
        "off by one",
        layer(lambda x: x**2, lambda x, g: np.roll(2 * x * g, 1, 1)),
        (5, 4),
        "got = expected one place on around the end along axis 1 -> off by one?",
    ),
    (
        "reversed",
        layer(lambda x: x**2, lambda x, g: (2 * x * g)[:, ::-1].copy()),
        (5, 4),
        "got = expected in reverse along axis 1 -> reversed?",
    ),
    (
        "permutation for its inverse",
        layer(lambda x: x[:, [1, 2, 3, 0]], lambda x, g: g[:, [1, 2, 3, 0]]),
        (5, 4),
        "got has the right numbers at other places -> a permutation for its inverse?",
    ),
    (
        "softmax is diagonal",
        layer(softmax, lambda x, g: g * softmax(x) * (1 - softmax(x))),
        (5, 4),
        "got = each output's slope by its own entry alone -> the cross terms are missing?",
    ),
    (
        "softmax forgets the sum",
        layer(softmax, lambda x, g: g * softmax(x)),
        (5, 4),
        "got = expected without the cross terms of a sum, mean or deviation -> as if these "
        "were constant?",
    ),
    (
        "mean and deviation detached",
        layer(normal, lambda x, g: g / deviation(x)),
        (5, 6),
        "got = expected without the cross terms of a sum, mean or deviation -> as if these "
        "were constant?",
    ),
    (
        "deviation detached",
        layer(normal, lambda x, g: (g - g.mean(-1, keepdims=True)) / deviation(x)),
        (5, 6),
        "got = expected without the cross terms of a sum, mean or deviation -> as if these "
        "were constant?",
    ),
    (
        "overlap counted once",
        layer(
            lambda x: np.stack([x[:, :-1], 2 * x[:, 1:]], 1),
            lambda x, g: np.concatenate([g[:, 0], 2 * g[:, 1, -1:]], 1),
        ),
        (3, 5),
        "got = one of the parts that meet at each entry -> counted once where they overlap "
        "or repeat?",
    ),
    (
        "constant times",
        layer(lambda x: x**2, lambda x, g: 0.7 * 2 * x * g),
        (5, 4),
        "got = 0.7 * expected everywhere -> a constant factor is off?",
    ),
    (
        "one column",
        layer(lambda x: x**2, lambda x, g: 2 * x * g * [1, 1, 3, 1]),
        (5, 4),
        "only at index [:, 2]: got = 3 * expected",
    ),
    (
        "each row",
        layer(lambda x: x / 2, lambda x, g: g * np.arange(1, 6)[:, None]),
        (5, 4),
        "each row is off by a factor of its own (2, 4, 6, 8, ...) -> a factor is missing or "
        "too much?",
    ),
    (
        "too much input",
        layer(lambda x: x**2, lambda x, g: 2 * x**2 * g),
        (5, 4),
        "got = expected * input -> a factor too much?",
    ),
    (
        "slope at the input",
        each(lambda x: 1 / (1 + np.exp(-x)), lambda x: x * (1 - x)),
        (5, 4),
        "got = gradOutput * input * (1 - input), expected gradOutput * output * (1 - output) "
        "-> another function's slope?",
    ),
    (
        "no gradOutput",
        layer(lambda x: x**2, lambda x, g: 2 * x),
        (5, 4),
        "got is the same for another gradOutput -> does not depend on gradOutput?",
    ),
    (
        "shortcut forgotten",
        layer(lambda x: x + np.tanh(x @ SQUARE), lambda x, g: g * 0 + back_of_tanh(x, g)),
        (5, 3),
        "got = expected - gradOutput -> a shortcut, or a term of 1, is forgotten?",
    ),
    (
        "past forgotten",
        layer(lambda x: np.cumsum(x**2, 1), lambda x, g: 2 * x * g),
        (2, 4),
        "got = each output's slope by its own entry alone -> the cross terms are missing?",
    ),
    (
        "single precision",
        layer(lambda x: x**2, lambda x, g: in_single(2 * x * g)),
        (5, 4),
        "got has the digits of float32 -> computed in single precision?",
    ),
    (
        "whole numbers",
        layer(lambda x: x**2, lambda x, g: np.trunc(2 * x * g)),
        (5, 4),
        "got = expected without its fraction -> made a whole number?",
    ),
    (
        "held in bounds",
        layer(lambda x: x**2, lambda x, g: np.clip(2 * x * g, -2, 2)),
        (5, 4),
        "got = expected between -2 and 2 -> clipped?",
    ),
    ("never finite", layer(lambda x: x**2, lambda x, g: 2 * x * g * np.nan), (5, 4), "not finite"),
    ("setting", lambda: Shifted(), (5, 4), "got = expected as if shift were 0 -> shift forgotten?"),
    (
        "mode",
        lambda: Moded(),
        (5, 4),
        "got is the gradient in training mode -> the mode is forgotten?",
    ),
    (
        "mask",
        lambda: Dropping(),
        (5, 4),
        "got is 0 at other entries than expected -> the mask of another forward?",
    ),
]

INPUTS += [
    (
        "wrong where positive",
        each(lambda x: x**2, lambda x: np.where(x > 0, -x, 2 * x)),
        (5, 4),
        "only where input > 0: got = -0.5 * expected",
    ),
    (
        "wrong where low",
        each(lambda x: x**2, lambda x: np.where(x < -2, x, 2 * x)),
        (5, 4),
        "only where input < -2: got = 0.5 * expected",
    ),
    (
        "first one's for all",
        layer(lambda x: x**2, lambda x, g: np.repeat((2 * x * g)[:1], len(x), 0)),
        (5, 4),
        "got = expected of the first sample everywhere -> the first sample alone?",
    ),
    (
        "gradOutput reversed",
        layer(lambda x: x**2, lambda x, g: 2 * x * g[:, ::-1]),
        (5, 4),
        "got = expected of gradOutput reversed along axis 1 -> reversed?",
    ),
    (
        "gradOutput shifted",
        layer(lambda x: x**2, lambda x, g: 2 * x * np.roll(g, 1, 0)),
        (5, 4),
        "got = expected of gradOutput off by one along axis 0?",
    ),
    (
        "gradOutput transposed",
        layer(lambda x: x**2, lambda x, g: 2 * x * g.T),
        (4, 4),
        "got = expected of gradOutput transposed by [1, 0] -> axes exchanged?",
    ),
    (
        "gradOutput reshaped",
        layer(
            lambda x: (x**2).transpose(0, 2, 1).copy(),
            lambda x, g: 2 * x * g.reshape(x.shape),
        ),
        (2, 3, 4),
        "got = expected of gradOutput reshaped where it must be transposed?",
    ),
    (
        "transposed instead of reshaped",
        layer(
            lambda x: (2 * x).reshape(x.shape[0], 4, 3),
            lambda x, g: 2 * g.transpose(0, 2, 1),
        ),
        (2, 3, 4),
        "got = expected transposed where it must be reshaped?",
    ),
    (
        "some signs",
        layer(lambda x: x**2, lambda x, g: 2 * x * g * np.array([1, -1, -1, 1, -1])[:, None]),
        (5, 4),
        "in 12 entries got = -expected -> sign wrong there?",
    ),
    (
        "not divided by the input",
        each(lambda x: np.log(np.where(x.real < 0, -x, x)), lambda x: 1 / x**2),
        (5, 4),
        "got = expected / input -> a factor is missing?",
    ),
]

INPUTS += [
    (
        "upper bound forgotten",
        each(lambda x: np.clip(x, -3, 2), lambda x: x >= -3),
        (4, 3),
        "only where input > 2, where expected is 0: got is not -> does the forward saturate, mask "
        "or ignore these?",
    ),
    (
        "padding kept",
        layer(
            lambda x: x**2,
            lambda x, g: np.pad(2 * x * g, ((0, 0), (1, 0), (1, 0)), "edge")[:, :-1, :-1],
        ),
        (2, 4, 4),
        "got = expected one place on along axis 1 and axis 2, but for what comes in -> off by one, "
        "or by the padding?",
    ),
    (
        "largest by size",
        layer(lambda x: picked(x, x.real.argmax(1)), lambda x, g: put_back(x, g, abs(x).argmax(1))),
        (5, 4),
        "got has gradOutput at other places than those that the forward reads -> another index, or "
        "one of other numbers?",
    ),
    (
        "length over the samples",
        layer(lambda x: x / length(x), lambda x, g: g / length(x) - x * turned(x, g)),
        (4, 3),
        "got of a sample depends on the gradOutput of others -> a sum over the samples, by a wrong "
        "axis?",
    ),
    (
        "gate alone",
        layer(lambda x: x * np.tanh(x @ SQUARE), lambda x, g: back_of_tanh(x, g * x)),
        (5, 3),
        "got is off by each entry's own gradOutput times a number -> a direct path, as a shortcut "
        "or a gate, is missing or wrong?",
    ),
    (
        "some slopes left out",
        layer(lambda x: x @ SQUARE, lambda x, g: g @ (SQUARE * (1 - np.eye(3)[[1, 2, 0]])).T),
        (5, 3),
        "got = expected without what some entries of gradOutput give -> left out, or overwritten "
        "where several meet?",
    ),
    (
        "mask forgotten",
        layer(lambda x: x @ np.triu(SQUARE), lambda x, g: g @ SQUARE.T),
        (5, 3),
        "got = expected and what entries of gradOutput give that do not depend on it -> does the "
        "forward mask, or choose?",
    ),
    (
        "half of what comes back",
        layer(
            lambda x: np.cumsum(x**2, 1),
            lambda x, g: x * (g + np.cumsum(g[:, ::-1], 1)[:, ::-1]),
        ),
        (5, 4),
        "only the last place along axis 1 is right -> is what comes back from later places wrong?",
    ),
    (
        "slope of the gate without what it gates",
        layer(
            lambda x: x[:, :2] * np.tanh(x[:, 2:]),
            lambda x, g: np.hstack([g * np.tanh(x[:, 2:]), g * (1 - np.tanh(x[:, 2:]) ** 2)]),
        ),
        (5, 4),
        "only at index [:, 2:]: got is another number",
    ),
    (
        "detached",
        layer(lambda x: 0 * x, lambda x, g: g.copy()),
        (5, 4),
        "expected is 0 everywhere, got is not -> does the forward saturate, mask or ignore these?",
    ),
    (
        "wrong at zero alone",
        each(
            lambda x: np.where(x.real > 0, x, 0.1 * x),
            lambda x: np.where(x == 0, 7, 0.1 + 0.9 * (x > 0)),
        ),
        (5, 4),
        "only where input = 0",
    ),
]

INPUTS += [
    (
        "between two bounds",
        each(lambda x: np.clip(x, -1, 1), lambda x: abs(x) < 2),
        (5, 4),
        "only where 1 < |input| < 2, where expected is 0: got is not -> does the forward saturate, "
        "mask or ignore these?",
    ),
    (
        "mean goes back as a sum",
        layer(
            lambda x: x.reshape(len(x), x.shape[1] // 3, 3).mean(2),
            lambda x, g: np.repeat(g, 3, axis=1),
        ),
        (5, 6),
        "got = 3 * expected, the number of entries that share an output -> summed instead of "
        "averaged?",
    ),
]

SILENT = [
    layer(lambda x: x**2, lambda x, g: 2 * x * g + 0.25 * x),
    layer(lambda x: x**2, lambda x, g: g * np.exp(x / 3)),
    layer(softmax, lambda x, g: softmax(x) * (g - g.mean(-1, keepdims=True))),
    layer(normal, lambda x, g: (g - 2 * g.mean(-1, keepdims=True)) / deviation(x)),
    layer(lambda x: x @ SKEW[0].T, lambda x, g: g @ (SKEW[0] + SKEW[1])),
    layer(lambda x: np.cumsum(x**2, 1), lambda x, g: 2 * x * np.cumsum(g, 1)),
    layer(lambda x: x**2, lambda x, g: g * np.round(2 * x + np.sin(9 * x), 1)),
    # In one row or column by chance.
    layer(lambda x: x**2, lambda x, g: 2 * x * g * np.where(np.sin(40 * x) > 0.97, 1 + x, 1)),
]

TABLES = [
    (
        "entries swapped",
        layer(lambda t: t[0] * t[1] ** 2, lambda t, g: [2 * t[0] * t[1] * g, t[1] ** 2 * g]),
        [(5, 3), (5, 3)],
        "got = the gradient of input[1] -> entries swapped?",
    ),
    (
        "second output left out",
        layer(lambda x: [x**2, 3 * x], lambda x, g: 2 * x * g[0]),
        (5, 3),
        "got = expected of output 0 alone -> is the other gradOutput left out?",
    ),
    (
        "outputs exchanged",
        layer(lambda x: [x**2, 3 * x], lambda x, g: 2 * x * g[1] + 3 * g[0]),
        (5, 3),
        "got = expected of gradOutput with its entries swapped -> entries swapped?",
    ),
]

TABLES += [
    (
        "factor forgotten",
        layer(lambda t: t[0] * t[1] ** 2, lambda t, g: [t[1] ** 2 * g, 2 * t[1] * g]),
        [(5, 3), (5, 3)],
        "got = expected as if input[0] were 1 -> a factor is forgotten?",
    ),
    (
        "wrong sign where near",
        layer(
            lambda t: positive(1 - (t[0] - t[1]).sum(1) ** 2),
            lambda t, g: near_alone(t, g),
        ),
        [(5, 3), (5, 3)],
        "got = -expected -> wrong sign?",
    ),
]

LEARNERS = [
    (
        "decays",
        lambda: Learner(lambda x, W: x @ W, lambda x, g, W: [x.T @ g + 0.5 * W], (3, 4)),
        "got = expected + 0.5 * the parameter -> weight decay?",
    ),
    (
        "another parameter",
        lambda: Learner(
            lambda x, a, b: x * a + x**2 * b,
            lambda x, g, a, b: [(g * x**2).sum(0), (g * x**2).sum(0)],
            3,
            3,
        ),
        "got = what gradWeights[1] should be -> that of another parameter?",
    ),
    (
        "one array",
        lambda: Learner(
            lambda x, a, b: x * a + x**2 * b, lambda x, g, a, b: [(g * (x + x**2)).sum(0)] * 2, 3, 3
        ),
        "got = the gradients of 2 parameters added up -> one array for all?",
    ),
    (
        "wrong sum",
        lambda: Learner(lambda x, b: x[:3] + b, lambda x, g, b: [g.sum(1)], 3),
        "got = gradOutput summed over axes [1], where [0] are meant?",
    ),
    (
        "averaged",
        lambda: Learner(lambda x, b: x * b, lambda x, g, b: [(g * x).mean(0)], 3),
        "got = expected / 5 and the batch has 5 rows -> averaged instead of summed?",
    ),
    (
        "first sample",
        lambda: Learner(lambda x, W: x @ W, lambda x, g, W: [x[:1].T @ g[:1]], (3, 4)),
        "got = expected of only the first sample -> is the rest overwritten, or left out?",
    ),
    (
        "last left out",
        lambda: Learner(lambda x, W: x @ W, lambda x, g, W: [x[:-1].T @ g[:-1]], (3, 4)),
        "got = expected of all but the last sample -> is the rest overwritten, or left out?",
    ),
    (
        "all summed",
        lambda: Learner(lambda x, b: x + b, lambda x, g, b: [0 * b + g.sum()], 3),
        "got = the sum of all of expected, everywhere -> summed over one axis too many?",
    ),
    (
        "transposed",
        lambda: Learner(lambda x, W: x @ W, lambda x, g, W: [(x.T @ g).T.copy()], (3, 3)),
        "got = expected transposed -> operands swapped?",
    ),
    (
        "row of next id",
        lambda: Learner(lambda x, W: x @ W, lambda x, g, W: [np.roll(x.T @ g, 1, 0)], (3, 4)),
        "got = expected one place on around the end along axis 0 -> off by one?",
    ),
]

LEARNERS += [
    (
        "never used",
        lambda: Learner(lambda x, b: x + 0 * b, lambda x, g, b: [g.sum(0)], 3),
        "expected is 0 everywhere, got is not -> does the forward use this parameter, or what was "
        "made of it before?",
    ),
    (
        "without exponential",
        lambda: Learner(
            lambda x, a: x * np.exp(a), lambda x, g, a: [np.broadcast_to((g * x).sum(0), 3)], 3
        ),
        "got = expected as if the parameter of gradWeights[0] were 0?",
    ),
]

LOSSES = [
    (
        "target off by one",
        classes,
        lambda x, t: softmax(x) - one_hot((t + 1) % 3),
        "got = expected with target +1 -> off by one?",
    ),
    (
        "the right class alone",
        classes,
        lambda x, t: softmax(x) - 3 * one_hot(t),
        "only at the classes of the target: got is another number",
    ),
    (
        "all but the right class",
        classes,
        lambda x, t: (softmax(x) - 1) * one_hot(t),
        "only at the other classes: got is 0, the others are right -> never written there?",
    ),
    (
        "target ignored",
        squares,
        lambda x, t: 2 * x,
        "got is the same for another target -> does not depend on the target?",
    ),
    (
        "sign forgotten",
        lambda x, t: positive(x - t) + positive(t - x),
        lambda x, t: np.ones_like(x),
        "got = |expected| -> sign forgotten?",
    ),
    (
        "term missing",
        lambda x, t: x**2 + 3 * x,
        lambda x, t: 2 * x,
        "got = expected + -3 everywhere -> a term is missing or too much?",
    ),
]


LOSSES += [
    (
        "target's sign ignored",
        lambda x, t: abs(x - t) * np.sign((x - t).real) ** 2,
        lambda x, t: np.sign(x),
        "got is the same for another target -> does not depend on the target?",
    ),
    (
        "one class forgotten",
        classes,
        lambda x, t: (softmax(x) - one_hot(t)) * (t != 1)[:, None],
        "only where target = 1: got is 0, the others are right -> never written there?",
    ),
    (
        "wrong below the target",
        lambda x, t: np.where((x - t).real > 0, 0.3, -0.7) * (x - t),
        lambda x, t: np.where(x > t, 0.3, -0.35),
        "only where input - target < 0: got = 0.5 * expected",
    ),
]


def rows(table):
    """Parameters of a test, by the name in front of each row."""
    return [pytest.param(*row, id=name) for name, *row in table]


@pytest.mark.parametrize(("make", "shape", "text"), rows(TABLES + INPUTS))
def test_gradient_of_input(make, shape, text):
    assert guessed(make, shape, "gradInput") == text


@pytest.mark.parametrize(("make", "text"), rows(LEARNERS))
def test_gradient_of_parameters(make, text):
    assert guessed(make, (5, 3), "gradParameters") == text


@pytest.mark.parametrize(("function", "slopes", "text"), rows(LOSSES))
def test_gradient_of_a_loss(function, slopes, text):
    input = np.random.default_rng(0).uniform(-1, 1, (5, 3))
    target = np.array([0, 1, 0, 1, 1]) if function is classes else input[::-1] * 0.5
    assert guessed(Loss(function, slopes), input, "gradInput", target=target) == text


@pytest.mark.parametrize("make", SILENT)
@pytest.mark.parametrize("seed", range(3))
def test_in_doubt_there_is_no_guess(make, seed):
    assert guessed(make, (5, 3), "gradInput", seed) is None


def test_equal_targets_that_count_once():
    input = np.random.default_rng(0).uniform(-1, 1, (3, 3))
    found = guessed(Loss(classes, once), input, "gradInput", target=np.array([2, 0, 1]))
    assert found == "of samples that are alike, only the first gets any -> counted once?"


def test_a_label_that_is_wrong_where_it_is_not_flat():
    """Too much where the class is 1; of each class, some samples pay nothing."""

    def paying(x, t):
        return np.where(t == 1, 1, -1) * x.sum(1)

    def too_much(x, t):
        return np.where(t == 1, 1.5, -1)[:, None] * (paying(x, t) > 0)[:, None] + 0 * x

    input = np.random.default_rng(0).uniform(-1, 1, (8, 3))
    target = np.array([0, 1, 0, 1, 1, 0, 2, 1])
    found = guessed(
        Loss(lambda x, t: positive(paying(x, t)), too_much), input, "gradInput", 0, target
    )
    assert found == "only where target = 1: got = 1.5 * expected"


def test_a_bound_of_few_different_numbers_is_none():
    counts = 0.275 * np.array([[1.0, -3], [0, -2], [1, -1]])
    assert guess(np.maximum(counts, -0.275), counts) is None


def test_a_loss_that_refuses_another_target():
    def values(x, t):
        if not 0.5 < t.max() < 1:
            raise ValueError("another target")
        return (x - t) ** 4

    input = np.random.default_rng(0).uniform(-1, 1, (5, 3))
    loss = Loss(values, lambda x, t: np.exp(x) + t)
    assert guessed(loss, input, "gradInput", target=np.abs(input)) is None


E = np.array([[1.0, 2.0], [-3.0, 5.0]])


@pytest.mark.parametrize(
    ("got", "expected", "facts", "text"),
    [
        (
            E,
            -2 * E,
            {"scale": -2.0, "ones": E},
            "got = what scale 1 gives, not -2 -> scale ignored?",
        ),
        (
            0 * E,
            0.5 * E,
            {"scale": 0.5, "ones": E},
            "got = what scale 0 gives, not 0.5 -> scale made a whole number?",
        ),
        (E, 0 * E, {"scale": 0.0, "ones": E}, "got = what scale 1 gives, not 0 -> scale ignored?"),
        (
            -np.full((2, 2), 1.25),
            0 * E,
            {"scale": 0.0, "ones": E, "start": 1.25},
            "got = 0 * what was there before, and what the call adds -> scaled, too?",
        ),
        (
            3 * E,
            E,
            {"beside_scale": 3.0},
            "got = 3 * expected, the scale -> is the scale for parameters alone?",
        ),
        (
            E + 0.9,
            E + 1,
            {"previous": np.ones((2, 2))},
            "got = 0.9 * what was there before, and what the call adds -> scaled, too?",
        ),
        (
            E / 2,
            E,
            {"rows": 2},
            "got = expected / 2 and the batch has 2 rows -> averaged instead of summed, or a "
            "2 is missing?",
        ),
        (
            2 * E,
            E,
            {"rows": 2},
            "got = 2 * expected and the batch has 2 rows -> summed instead of averaged, or "
            "doubled?",
        ),
        (E, 0 * E, {}, None),
        (E, E * np.inf, {}, None),
        (E * np.nan, E * np.inf, {}, None),
        (np.zeros((0, 2)), np.zeros((0, 2)), {}, None),
    ],
)
def test_what_numbers_alone_tell(got, expected, facts, text):
    assert guess(got, expected, **facts) == text


class Refusing:
    """Numbers of a layer that takes nothing but what it was asked for."""

    kind, number, values = "input", 0, E

    def __init__(self, *_):
        self.subject = ModuleSubject(nn.ReLU(), E)

    def slopes(self, direction, by):
        raise ValueError("no other input")


def refuse(subject, weights):
    raise ValueError("no other gradOutput")


@pytest.mark.parametrize(
    ("got", "text"),
    [(2 * E, "got = 2 * expected -> doubled?"), (E @ E, None), (np.sqrt(E + 4), None)],
)
def test_a_layer_that_refuses_to_be_asked_more(got, text):
    known = Derivative(Refusing(), "complex step", refuse, [E], np.zeros(E.shape, bool))
    assert guess(got, E, derivative=known) == text


def test_a_large_array_is_not_differentiated_for_a_guess():
    """But whatever two numbers tell of it is told."""
    make = layer(lambda x: x**2, lambda x, g: 2 * np.where(x < 0, -x, x) * g)
    assert guessed(make, (30, 40), "gradInput") is None
    assert guessed(make, (15, 20), "gradInput") == "only where input < 0: got = -expected"


class HuberDoublesTail(nn.Criterion):
    """Quadratic up to 1, and twice as steep beyond as it says."""

    def updateOutput(self, input, target):
        off = np.abs(input - target)
        self.output = float(np.where(off <= 1, off**2 / 2, off - 0.5).sum())
        return self.output

    def updateGradInput(self, input, target):
        d = input - target
        self.gradInput = np.where(np.abs(d) <= 1, d, 2 * np.sign(d))
        return self.gradInput


def test_that_the_first_sample_has_no_large_number_says_nothing():
    input = np.array([[0.5, -0.25], [3, 0.125], [-2, 4], [0.75, 1.5], [5, -0.375]])
    with pytest.raises(GradientMismatch) as caught:
        check_criterion(HuberDoublesTail(), input, np.zeros((5, 2)), only="gradInput")
    assert caught.value.pattern == (
        "only where |input| > 1, where expected is at its bound of 1 -> saturation forgotten?"
    )
