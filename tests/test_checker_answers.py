"""What failures say to write instead."""

import re

import numpy as np
import pytest
from bugs import misleading

from torchlite import nn
from torchlite.testing import (
    CRITERION_PROPERTIES,
    PROPERTIES,
    ContractViolation,
    check_criterion,
    check_module,
    check_network,
)
from torchlite.testing.hints import HINTS


class Layer(misleading.Layer):
    """A function, and what is taken for its gradient; both get the input."""

    def __init__(self, function, slopes):
        self.function, self.slopes = function, slopes


class Loss(nn.Criterion):
    """The sum of a function, and what is taken for its gradient."""

    def __init__(self, function, slopes):
        self.function, self.slopes = function, slopes

    def updateOutput(self, input, target):
        if input.shape != target.shape:
            raise ValueError("of other shapes")
        self.output = self.function(input, target).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        if input.shape != target.shape:
            raise ValueError("of other shapes")
        self.gradInput = self.slopes(input, target)
        return self.gradInput


def check(layer, shape, **options):
    if isinstance(layer, nn.Criterion):
        x = np.random.default_rng(0).uniform(-1, 1, shape)
        check_criterion(layer, x, x[::-1] / 2, **options)
    else:
        check_module(layer, shape=shape, **options)


def violation(layer, shape=(4, 3), **options):
    with pytest.raises(ContractViolation) as caught:
        check(layer, shape, **options)
    return caught.value


def copied(input, gradOutput):
    return gradOutput.copy()


def squares(input, target):
    return (input - target) ** 2


def slopes(input, target):
    return 2 * (input - target)


def without_line(text):
    return re.sub(r"\.py:\d+", ".py:1", text)


FLOAT64 = "in test_checker_answers.py:1, {} makes float64 of float32: {}"
NUMBER = FLOAT64.format(
    "a number of NumPy's float64", "put it in float(...), as in float(np.sqrt(2))"
)
ARRAY = FLOAT64.format(
    "an array of float64",
    "make it of that dtype, as np.ones(3, dtype=input.dtype), or .astype(input.dtype)",
)
MADE = (
    "np.zeros, np.ones, np.empty and np.arange make float64: give them dtype=input.dtype, or use "
    "np.zeros_like(input)"
)


def through_buffer(input):
    made = np.zeros(input.shape, input.dtype if np.iscomplexobj(input) else float)
    made[...] = input
    return made


class Roots(nn.Linear):
    """Divides by a number that it was made with."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.root = np.sqrt(sizes[0])

    def updateOutput(self, input):
        self.output = input @ (self.weight / self.root).T
        return self.output


@pytest.mark.parametrize(
    ("layer", "method", "hint"),
    [
        (Layer(lambda x: x / np.sqrt(x.shape[1]), copied), "updateOutput", NUMBER),
        (Layer(lambda x: np.sqrt(2 / np.pi) * np.tanh(x), copied), "updateOutput", NUMBER),
        (Layer(lambda x: x, lambda x, g: g / np.sqrt(4)), "updateGradInput", NUMBER),
        (Loss(squares, lambda x, t: np.float64(2) * (x - t)), "updateGradInput", NUMBER),
        (Roots(3, 2), "updateOutput", NUMBER),
        (Layer(lambda x: x * (np.arange(x.shape[1]) / 2), copied), "updateOutput", ARRAY),
        (Layer(lambda x: x, lambda x, g: np.where(x > 0, g, np.ones(3))), "updateGradInput", ARRAY),
        (
            Layer(lambda x: x / np.full(3, 2), copied),
            "updateOutput",
            FLOAT64.format("an array of int64", "make it of that dtype, .astype(input.dtype)"),
        ),
        (
            Layer(lambda x: x / np.int64(2), copied),
            "updateOutput",
            FLOAT64.format("a number of NumPy's int64", "put it in int(...)"),
        ),
        (Layer(through_buffer, copied), "updateOutput", MADE),
        (Layer(lambda x: x, lambda x, g: through_buffer(g)), "updateGradInput", MADE),
    ],
)
def test_what_makes_float64_is_named(layer, method, hint):
    found = violation(layer, only="dtype")
    assert found.problem == "of float32 it makes float64."
    assert (found.method, without_line(found.hint)) == (method, hint)


def test_the_hint_stands_below_the_first_line():
    found = violation(Layer(lambda x: x / np.sqrt(4), lambda x, g: g / 2))
    line = found.hint.partition(",")[0]
    assert without_line(line) == "in test_checker_answers.py:1"
    assert str(found).splitlines() == [
        "Layer: updateOutput: of float32 it makes float64.",
        f"  hint: {found.hint}",
        "  input (4, 3) float64, gradOutput (4, 3), seed 0",
        "  reproduce: check_module(..., only='dtype', seed=0)",
    ]


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (
            lambda x: x.reshape(len(x), -1) * 2,
            "-1 can be anything where there are no samples: write the size out, "
            "input.reshape(len(input), math.prod(input.shape[1:]))",
        ),
        (
            lambda x: np.stack([row.reshape(-1) for row in x]),
            "without samples there is nothing to stack: make the array first, "
            "np.empty((len(input), n), input.dtype), and fill its rows; or compute all samples at "
            "once",
        ),
        (
            lambda x: x - 0 * x.max(),
            "of no numbers there is no largest: take it of each sample, .max(axis=1), or with "
            "initial=-np.inf",
        ),
        (
            lambda x: x * len(x[0]),
            "without samples there is no first or last one: take sizes from input.shape",
        ),
        (
            lambda x: x - x.sum() / len(x),
            "the number of samples may be 0: divide by max(len(input), 1)",
        ),
        (
            lambda x: x * (1 / len(x)),
            "the number of samples may be 0: divide by max(len(input), 1)",
        ),
        (
            lambda x: np.linalg.inv(x) if len(x) else x.nothing,
            "of no samples there is nothing to do: return empty arrays, by their shapes",
        ),
    ],
)
def test_no_samples(function, hint):
    found = violation(Layer(function, copied), (2, 2, 2), only="empty")
    assert found.hint == hint


COMPARED = (
    "a comparison with NaN is False: np.maximum(x, 0), or np.where(x <= 0, 0, x), keeps NaN where "
    'np.where(x > 0, x, 0) loses it; if it is to be lost: exempt = {"nan": "why"} in the class'
)
SORTED = (
    'NumPy sorts NaN behind all numbers; if that is to be so: exempt = {"nan": "why"} in the class'
)
LETS_THROUGH = (
    "let NaN through: np.maximum, .sum() and .mean() keep it, np.fmax, np.nansum, np.nanmean and "
    "np.nan_to_num do not"
)


class Rectified(nn.Module):
    def updateOutput(self, input):
        self.output = np.where(input > 0, input, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (input > 0)
        return self.gradInput


class Smallest(Rectified):
    def updateOutput(self, input):
        self.output = np.sort(input, axis=1)[:, 0]
        return self.output


class Cleaned(Rectified):
    def updateOutput(self, input):
        self.output = np.nan_to_num(input)
        return self.output


class Positive(nn.Criterion):
    def updateOutput(self, input, target):
        self.output = np.where(target > 0, target * input, 0).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        self.gradInput = np.maximum(target, 0)
        return self.gradInput


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        (Rectified(), COMPARED),
        (Smallest(), SORTED),
        (Cleaned(), LETS_THROUGH),
        (Positive(), COMPARED),
    ],
)
def test_what_hides_nan(layer, hint):
    assert violation(layer, only="nan").hint == hint


def test_the_argument_that_is_written_to_is_named():
    def in_place(input, gradOutput):
        gradOutput *= 2
        return gradOutput

    found = violation(Layer(lambda x: 2 * x, in_place))
    assert (found.problem, found.hint) == (
        "it changed gradOutput.",
        "write to a copy, gradOutput = gradOutput.copy(), or use expressions: no "
        "gradOutput[...] = ..., gradOutput *= ... or out=gradOutput, nor of a view of it, as "
        "gradOutput.T or gradOutput.reshape(-1)",
    )


class Locked(nn.Identity):
    def __deepcopy__(self, memo):
        raise TypeError("cannot pickle a lock")


class TakesBackOnce(nn.Identity):
    def updateOutput(self, input):
        self.seen = [input]
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        self.seen.pop()
        return super().updateGradInput(input, gradOutput)


class Fixed(nn.Identity):
    def updateOutput(self, input):
        if len(input) not in (0, 4):
            raise ValueError("not that many")
        return super().updateOutput(input)


@pytest.mark.parametrize(
    ("layer", "problem", "hint"),
    [
        (
            Locked(),
            "it raises TypeError: cannot pickle a lock",
            "what cannot be copied, as a lock or an open file, is named in the class, "
            'transient = ("lock",), and made where it is needed',
        ),
        (
            TakesBackOnce(),
            "it raises IndexError: pop from empty list",
            "a backward may come twice: read what the forward kept, and leave it there",
        ),
        (
            Fixed(),
            "with input of shape (1, 3), it raises ValueError: not that many",
            "take sizes from the input of each call, as len(input), and from settings",
        ),
    ],
)
def test_what_raises_says_what_to_write_only_of_that(layer, problem, hint):
    found = violation(layer)
    assert (found.problem.partition(" (test_")[0], found.hint) == (problem, hint)


def test_of_a_gradient_that_is_wrong_patterns_tell():
    found = violation(Layer(lambda x: x * x, lambda x, g: x * g), (5, 3))
    assert (found.hint, found.pattern) == (None, "got = expected / 2 -> a factor of 2 is missing?")
    assert violation(Layer(lambda x: x, lambda x, g: 1.0), only="gradInput").hint == (
        "an array, as input is"
    )


def test_what_overflows_in_single_precision_is_told_how_else():
    def softmax(x):
        powers = np.exp(x)
        return powers / powers.sum(axis=1, keepdims=True)

    def back(x, g):
        y = np.exp(x - x.max(axis=1, keepdims=True))
        y = y / y.sum(axis=1, keepdims=True)
        return y * (g - (g * y).sum(axis=1, keepdims=True))

    found = violation(Layer(softmax, back), only="dtype")
    assert found.hint == (
        "np.exp(x - x.max(axis=-1, keepdims=True)) in a softmax; (1 + np.tanh(x / 2)) / 2 is the "
        "sigmoid, np.logaddexp(0, x) is log(1 + exp(x))"
    )


def test_of_an_error_of_its_own_the_layer_tells_all():
    class Refuses(nn.Identity):
        def updateGradInput(self, input, gradOutput):
            raise ValueError("no way back")

    assert violation(Refuses()).hint is None


def test_hints_are_of_properties_that_there_are():
    """Of gradients that are wrong, patterns tell; of NaN, the code does."""
    known = {*PROPERTIES, *CRITERION_PROPERTIES}
    assert HINTS.keys() <= known
    assert known - HINTS.keys() == {"nan"}


class Squares(nn.Linear):
    """
    Maths
    -----
        output = input @ weight.T + bias
        gradInput = gradOutput @ weight
        gradWeight += scale * gradOutput.T @ input
        gradBias += scale * gradOutput.mean(0)
    """


def test_maths_are_told_by_the_input_that_the_layer_takes():
    """A forward may take two samples for one, and know no way back."""

    found = violation(Squares(3, 2), only="maths")
    assert (found.method, found.problem) == (
        "accGradParameters",
        "the docstring's Maths gives another gradBias.",
    )


# ---------------------------------------------------------------- a whole network


class Opposite(Layer):
    """Goes back by its factor as it stands, for which this is square."""

    def __init__(self, *sizes):
        self.factor = np.arange(1.0, 1 + np.prod(sizes)).reshape(sizes)

    def function(self, input):
        return input @ self.factor

    def slopes(self, input, gradOutput):
        return gradOutput @ self.factor


class Misspelt(Opposite):
    def function(self, input):
        return input @ self.facotr


class TakesNoScale(nn.Linear):
    def accGradParameters(self, input, gradOutput):
        super().accGradParameters(input, gradOutput)


class AlmostLinear(Opposite):
    def function(self, input):
        return input * np.sqrt(2)

    def slopes(self, input, gradOutput):
        return gradOutput * float(np.sqrt(2))


class BackInDouble(AlmostLinear):
    def function(self, input):
        return input * float(np.sqrt(2))

    def slopes(self, input, gradOutput):
        return gradOutput * np.sqrt(2)


def of_network(layer, dtype="float64", width=3):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.5, 1, (5, 3)), rng.uniform(0.5, 1, (5, width))
    net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(layer)).type(dtype)
    with pytest.raises(ContractViolation) as caught:
        check_network(net, nn.MSECriterion(), x.astype(dtype), y.astype(dtype))
    return caught.value


@pytest.mark.parametrize(
    ("layer", "width", "first", "hint"),
    [
        (
            Opposite(3, 4),
            4,
            "net[1][0] Opposite: updateGradInput: with input (5, 3), gradOutput (5, 4), it raises "
            "ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0",
            "gradOutput has the shape of the output, gradInput that of input, and a gradient that "
            "of its parameter: is an operand transposed?",
        ),
        (
            Misspelt(3, 3),
            3,
            "net[1][0] Misspelt: updateOutput: with input (5, 3), it raises AttributeError: "
            "'Misspelt' object has no attribute 'facotr'",
            None,
        ),
        (
            TakesNoScale(3, 3),
            3,
            "net[1][0] TakesNoScale(3 -> 3): accGradParameters: it must take scale: "
            "accGradParameters(self, input, gradOutput, scale=1).",
            "self.gradWeight += scale * ...: a factor of all that is added, once",
        ),
    ],
)
def test_what_a_layer_of_a_network_raises_names_it(layer, width, first, hint):
    found = of_network(layer, width=width)
    assert str(found).startswith(first)
    assert found.hint == hint


def test_what_an_input_of_another_size_raises_is_the_callers():
    net = nn.Sequential(Opposite(3, 4))
    with pytest.raises(ValueError, match="matmul"):
        check_network(net, nn.MSECriterion(), np.ones((5, 2)), np.ones((5, 4)))


@pytest.mark.parametrize(
    ("kind", "method"), [(AlmostLinear, "updateOutput"), (BackInDouble, "updateGradInput")]
)
def test_what_makes_float64_in_a_network_is_named(kind, method):
    found = of_network(kind(3, 3), "float32")
    assert (found.where, found.method) == (f"net[1][0] {kind.__name__}", method)
    assert (found.problem, without_line(found.hint)) == ("of float32 it makes float64.", NUMBER)


def test_where_a_network_loses_its_numbers():
    net = nn.Sequential(nn.AddConstant(-2), nn.Log())
    with pytest.raises(ContractViolation) as caught:
        check_network(net, nn.MSECriterion(), np.array([[4.0, 0.5]]), np.ones((1, 2)))
    assert (caught.value.where, caught.value.hint) == (
        "net[1] Log",
        "at [0, 1] its input is -1.5, its output nan",
    )


# ---------------------------------------------------------------- what is said at all


def test_what_is_no_layer_is_told_to_be_one():
    class Mine:
        pass

    with pytest.raises(TypeError) as caught:
        check_module(Mine, shape=(4, 3))
    assert str(caught.value) == (
        "check_module: module must be a Module or what makes one, got Mine\n"
        "  hint: class Mine(nn.Module): ..."
    )


def test_a_method_may_call_its_layer_as_it_likes():
    class Own(nn.Module):
        def updateOutput(s, x):
            s.output = x
            return s.output

        def updateGradInput(me, x, g):
            raise ValueError("no way back")

    found = violation(Own())
    assert (found.method, found.problem.partition(" (")[0]) == (
        "updateGradInput",
        "it raises ValueError: no way back",
    )


def test_what_was_never_drawn_is_not_told():
    assert violation(Misspelt(3, 3)).context == "input (4, 3) float64, seed 0"


class Remembering(nn.Module):
    """Right, but for what it takes for the input of the last call."""

    last = None

    def updateOutput(self, input):
        same = self.last is not None and self.last.shape == input.shape
        if not (same and np.allclose(self.last, input, rtol=2e-6, atol=0)):
            self.last, self.output = input.copy(), np.tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (1 - np.tanh(input) ** 2)
        return self.gradInput


def test_an_old_result_is_told_from_lower_precision():
    found = violation(Remembering(), only="gradInput")
    assert found.problem.endswith(
        "where the input moves by less: called before with nearly the same numbers, it gives an "
        "old result."
    )
    assert found.hint == (
        "what is remembered belongs to one input alone: compare with np.array_equal(input, a copy "
        "of that), not with np.allclose or by a sum, or compute anew"
    )
    coarse = Layer(
        lambda x: np.tanh(x.astype(np.float32)).astype(x.dtype),
        lambda x, g: g * (1 - np.tanh(x) ** 2),
    )
    found = violation(coarse, only="gradInput")
    assert found.problem.endswith("as lower precision does.")
    assert found.hint == "compute in input's dtype: no float32, no rounding"


def test_a_layer_that_tells_arrays_by_what_they_are():
    class ByIdentity(nn.Module):
        def updateOutput(self, input):
            self.output = input[0] * 2 + input[1]
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = [gradOutput * (2 if x is input[0] else 1) for x in input]
            return self.gradInput

    with pytest.raises(ContractViolation) as caught:
        check_module(ByIdentity(), shape=[(5, 3), (5, 3)])
    assert caught.value.hint == (
        "go by the places: enumerate, not `is`, id(array) or a dictionary of arrays, tells which "
        "one an array is"
    )


def test_a_sum_of_ties_is_no_shape():
    def back(x, g):
        largest = x == x.max(axis=1, keepdims=True)
        return g * largest

    x = np.array([[1.0, 1.0, 0.5], [2.0, 1.5, 2.0]])
    layer = Layer(lambda x: x.max(axis=1, keepdims=True), back)
    with pytest.raises(ContractViolation, match="in sum got") as caught:
        check_module(layer, x, only="gradInput")
    assert caught.value.hint is None


class Counting(nn.Module):
    """Draws its parameters, and keeps how often it was called."""

    def __init__(self):
        self.calls = 0
        self.weight, self.gradWeight = self._drawn(), np.zeros(3)

    def _drawn(self):
        return np.random.default_rng(0).normal(size=3)

    def updateOutput(self, input):
        self.calls += 1
        self.output = self.calls * input * self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.calls * gradOutput * self.weight
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * self.calls * (gradOutput * input).sum(axis=0)


class Noisy(Counting):
    """What it adds is drawn in each call, by a helper."""

    def updateOutput(self, input):
        self.calls = 1
        self.output = input * self.weight + self._noise()
        return self.output

    def _noise(self):
        return np.random.default_rng().normal(size=3)


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        (
            Counting(),
            "a call must not depend on those before it: make in updateOutput anew what it keeps of "
            "a call, and add nothing to what was there",
        ),
        (
            Noisy(),
            "from torchlite import random; random.uniform(0, 1, size=input.shape), or "
            "random.normal, in the place of it",
        ),
    ],
)
def test_what_is_drawn_once_is_not_drawn_in_a_call(layer, hint):
    with pytest.raises(ContractViolation) as caught:
        check_module(layer, shape=(5, 3), only="repeat")
    assert caught.value.hint == hint
