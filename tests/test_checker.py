"""The checker from the user's side: what it says, what it counts, what it leaves alone."""

import math
import pickle
import random as stdlib_random
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from bugs import corpus
from bugs.attention import DroppedWithLastMask
from bugs.examples import SecondPaysForFirst
from bugs.extremes import ZerosMadePositive
from bugs.good_attention import FeedForward
from bugs.good_shapes import ScalarGain
from bugs.losses import QuantileOneSided
from bugs.program import FallingSilencesAll, FallingSilencesInBackward
from bugs.zeros import RootOfSquareDividesZero
from hypothesis import find
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import just
from test_bugs import violation as of_bug

import torchlite
from torchlite import nn
from torchlite.__main__ import main
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.nn.nested import is_array
from torchlite.testing import (
    CRITERION_PROPERTIES,
    PROPERTIES,
    ContractViolation,
    ContractViolations,
    GradientMismatch,
    check_criterion,
    check_module,
    criterion_contract,
    drawn,
    generators,
    guards,
    jacobian,
    maths,
    module_contract,
    module_subject,
    oracle,
    slopes,
    subject,
    values,
    variations,
)
from torchlite.testing import strategies as ours
from torchlite.testing.duck import Duck
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.oracle import FEW
from torchlite.testing.patterns import guess
from torchlite.testing.properties import purity


class AveragesBias(nn.Linear):
    def accGradParameters(self, input, gradOutput, scale=1):
        before = self.gradBias.copy()
        super().accGradParameters(input, gradOutput, scale)
        self.gradBias[...] = before + (self.gradBias - before) / len(input)


class Absolute(nn.Module):
    """Right, but not for complex numbers."""

    def updateOutput(self, input):
        self.output = np.abs(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.sign(input)
        return self.gradInput


def violation(*args, **kwargs):
    with pytest.raises(ContractViolation) as caught:
        check_module(*args, **kwargs)
    return caught.value


# ---------------------------------------------------------------- what it draws


@pytest.mark.parametrize("shape", [(5, 3), (8, 8), (5, 13), (64, 128), (16, 3, 32, 32)])
def test_what_is_drawn_does_not_depend_on_how_much(shape):
    drawn = values.distinct(np.random.default_rng(0), shape)
    assert drawn.shape == shape
    assert len(np.unique(drawn)) == drawn.size
    assert 3 < drawn.max() < 4
    assert -4 < drawn.min() < -3
    assert abs(drawn).min() > 0
    assert (drawn == drawn.astype(np.float32)).all()
    assert drawn.size > 64 or (drawn * 16 % 2 == 1).all()


@pytest.mark.parametrize(
    ("bug", "where"),
    [
        ("SquareClippedAt128", "SquareClippedAt128 at input * 64"),
        ("SwishOverflows", "SwishOverflows at input * 512"),
        ("MaxPoolWherePositive", "MaxPoolWherePositive at -|input|"),
        ("AffineInBlocksOfEight", "AffineInBlocksOfEight at 9 samples"),
        ("AffineTakesThirtyTwoRows", "AffineTakesThirtyTwoRows at 33 samples"),
        ("RnnCutOffAfterEightSteps", "RnnCutOffAfterEightSteps at 33 along the second axis"),
        ("LookupTakesFirstOfEqual", "LookupTakesFirstOfEqual at its ids or labels repeated"),
        (
            "LookupSkipsRepeatedSentences",
            "LookupSkipsRepeatedSentences at its ids or labels of the first sample",
        ),
        (
            "HingePullsNegatives",
            "HingePullsNegatives at its ids or labels exchanged for the others",
        ),
    ],
)
def test_where_one_example_does_not_reach(bug, where):
    row = next(row for row in corpus() if row.name == bug)
    found = of_bug(row)
    assert type(found) is GradientMismatch
    assert str(found).startswith(f"{where}: {found.method}: ")


def test_numbers_that_the_checker_chose_give_no_warnings(recwarn):
    class Logistic(nn.Module):
        """Right, though its exponential overflows at input * 512."""

        def updateOutput(self, input):
            self.output = 1 / (1 + np.exp(-input))
            return self.output

        def updateGradInput(self, input, gradOutput):
            output = 1 / (1 + np.exp(-input))
            self.gradInput = gradOutput * output * (1 - output)
            return self.gradInput

    check_module(Logistic(), shape=(4, 3))
    assert not recwarn


def test_the_other_side_of_a_target():
    x = np.random.default_rng(0).uniform(1, 2, (5, 3))
    with pytest.raises(GradientMismatch) as caught:
        check_criterion(QuantileOneSided(), -x, x)
    assert caught.value.where == "QuantileOneSided at input and target exchanged"


class LogisticMap(nn.Module):
    """Right: but after 33 steps, a rounding has become everything."""

    def updateOutput(self, input):
        self.states = [0 * input[:, 0] + 0.3]
        for t in range(input.shape[1]):
            x = self.states[-1]
            self.states.append(4 * x * (1 - x) + 1e-3 * input[:, t])
        self.output = self.states[-1][:, None]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.updateOutput(input)
        self.gradInput = np.zeros_like(input)
        slope = gradOutput[:, 0]
        for t in reversed(range(input.shape[1])):
            self.gradInput[:, t] = 1e-3 * slope
            slope = slope * 4 * (1 - 2 * self.states[t])
        return self.gradInput


def test_at_zeros_the_kinks_of_several_may_add_up_beyond_both_sides():
    torchlite.random.manualSeed(19)
    check_module(lambda: FeedForward(3, 8), shape=(5, 4, 3), seed=19, only="gradInput")


def test_what_rounding_makes_of_long_sequences_is_no_fault():
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 1))[..., 0]
    only = ["gradInput", "batch"]
    assert check_module(LogisticMap(), x, only=only).passed == only


def test_of_probabilities_and_whole_distributions_there_are_no_others():
    """Rows that sum to one: p - t is the gradient for no others."""

    class SoftTargets(nn.Criterion):
        def updateOutput(self, input, target):
            shifted = input - input.real.max(1, keepdims=True)
            logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
            self.output = -(target * logs).sum()
            return self.output.item()

        def updateGradInput(self, input, target):
            shifted = input - input.real.max(1, keepdims=True)
            shares = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
            self.gradInput = shares - target
            return self.gradInput

    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (5, 3))
    for target in (rng.dirichlet(np.ones(3), 5), np.eye(3)[[0, 2, 1, 1, 0]]):
        assert check_criterion(SoftTargets(), x, target, only="gradInput").passed


def test_which_of_many_samples_are_alone_is_said():
    report = check_module(nn.Linear(3, 2), shape=(20, 3), only="batch")
    assert report.notes == ["batch: of 20 samples, 9 alone and the others together"]
    assert check_module(nn.Linear(3, 2), shape=(16, 3), only="batch").notes == []


def test_what_is_checked_of_a_large_layer_is_said():
    few = "at the first 4 of 20 samples"
    layer = nn.Linear(100, 100)
    batch = "batch: of 20 samples, 3 alone and the others together"
    report = check_module(layer, shape=(20, 100), only=["gradInput", "gradParameters", "batch"])
    assert report.notes == [f"{few}, but of all for gradInput, gradParameters, batch", batch]
    assert check_module(layer, shape=(20, 100), only="scale").notes == [few]
    assert check_module(nn.Linear(9, 9), shape=(20, 9), only="scale").notes == []


@pytest.mark.parametrize("name", ["gradInput", "gradParameters", "batch"])
def test_of_a_large_layer_all_samples_are_checked(name):
    class ForgetsLast(nn.Linear):
        def updateGradInput(self, input, gradOutput):
            gradInput = super().updateGradInput(input, gradOutput)
            gradInput[19:] = 0
            return gradInput

        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(input[:19], gradOutput[:19], scale)

    assert violation(ForgetsLast(100, 100), shape=(20, 100), only=name).property == name


# ---------------------------------------------------------------- what a failure says


def test_the_whole_text():
    layer = AveragesBias(2, 2)
    layer.weight[...] = layer.bias[...] = 0
    found = violation(
        nn.Sequential(nn.ReLU(), nn.Sequential(layer)),
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]),
    )
    assert type(found) is GradientMismatch
    lines = str(found).splitlines()
    assert lines[0] == (
        "net[1][0] AveragesBias(2 -> 2): accGradParameters: gradBias is not the derivative."
    )
    assert lines[1] == (
        f"  worst at {list(found.index)}: got {found.got:.12g}, expected {found.expected:.12g} "
        f"(complex step), off by {found.difference:.3g}, allowed {found.allowed:.3g}; "
        "2 of 2 entries differ"
    )
    assert found.got == found.expected / 4
    assert lines[2:] == [
        "  pattern: got = expected / 4 and the batch has 4 rows -> averaged instead of summed?",
        "  input (4, 2) float64, gradOutput (4, 2), seed 0",
        "  reproduce: check_module(..., only='gradParameters', seed=0)",
    ]
    assert (found.method, found.property) == ("accGradParameters", "gradParameters")
    assert found.oracle == "complex step"
    again = pickle.loads(pickle.dumps(found))
    assert type(again) is GradientMismatch
    assert str(again) == str(found)


E = np.array([[1.0, 2.0], [-3.0, 5.0]])


@pytest.mark.parametrize(
    ("got", "facts", "text"),
    [
        (2 * E, {}, "got = 2 * expected -> doubled?"),
        (-E, {}, "got = -expected -> wrong sign?"),
        (E / 2, {}, "got = expected / 2 -> a factor of 2 is missing?"),
        (
            E / 3,
            {"rows": 3},
            "got = expected / 3 and the batch has 3 rows -> averaged instead of summed?",
        ),
        (
            3 * E,
            {"rows": 3},
            "got = 3 * expected and the batch has 3 rows -> summed instead of averaged?",
        ),
        (
            E / 4,
            {"rows": 3},
            "got = expected / 4, the number of entries -> averaged instead of summed?",
        ),
        (E.T, {}, "got = expected transposed -> operands swapped?"),
        (0 * E, {}, "got is all zero -> never written?"),
        (
            E / -2,
            {"scale": -2},
            "got = what scale 1 gives, not -2 -> scale ignored?",
        ),
        (E * 3, {"scale": 3}, "got = 3 * expected -> scale applied twice?"),
        (
            E - 1,
            {"previous": np.ones((2, 2))},
            "got = the last call's part alone -> overwrites instead of accumulating?",
        ),
        (
            np.ones((2, 2)),
            {"previous": np.ones((2, 2))},
            "got = what was there before -> never added?",
        ),
        (2 - E, {"previous": np.ones((2, 2))}, "got adds the negative -> wrong sign?"),
        (np.full((2, 2), np.nan), {}, "not finite"),
        (0.1 * E, {}, "got = 0.1 * expected everywhere -> a constant factor is off?"),
        (
            E + np.array([[0, 0], [0, 1]]),
            {},
            "only at index [1, 1]: got is another number",
        ),
        (
            E * (1 + 1e-9),
            {},
            "got = (1 + 1e-09) * expected everywhere -> a constant factor is off?",
        ),
        (E + np.array([[0, 0.5], [0, 1]]) ** 2, {}, None),
        (E[0], {}, None),
    ],
)
def test_patterns(got, facts, text):
    assert guess(got, E, **facts) == text


def test_a_large_array_is_searched_by_halving():
    class OneEntryWrong(nn.Linear):
        def accGradParameters(self, input, gradOutput, scale=1):
            before = self.gradWeight[17, 200]
            super().accGradParameters(input, gradOutput, scale)
            self.gradWeight[17, 200] += 1e-6 * (self.gradWeight[17, 200] - before)

    layer = OneEntryWrong(300, 40)
    assert layer.weight.size > FEW
    found = violation(layer, shape=(8, 300))
    assert found.index == (17, 200)
    assert "found by halving 12000 entries" in str(found)


def test_many_entries_that_are_wrong_together_only():
    """The tolerance that is printed is the one that judged."""

    class SlightlyTooMuch(nn.Module):
        def updateOutput(self, input):
            self.output = input.sum(1, keepdims=True) * 0.25 + 1e6
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = np.zeros_like(input) + 0.25 * (1 + 1.6e-7) * gradOutput
            return self.gradInput

    found = violation(SlightlyTooMuch(), shape=(1, 256), only="gradInput")
    words = (
        "gradInput is not the derivative of no entry alone, but all of them together: in sum got "
    )
    assert found.problem.startswith(words)
    off, allowed = re.search(r"off by (\S+), allowed (\S+)\.$", found.problem).groups()
    assert float(off) > float(allowed) > 0


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        (np.nan, 2.0, "got nan, expected 2, of which only one is a finite number; "),
        (2.0, np.inf, "got 2, expected inf, of which only one is a finite number; "),
        (np.inf, np.nan, "got inf, expected nan, of which none is a finite number; "),
        (2.5, 2.0, "got 2.5, expected 2, off by 0.5, allowed 0.25; "),
    ],
)
def test_what_cannot_be_compared_is_said_in_words(value, expected, words):
    found = ContractViolation(
        "net", "forward", "maths", "Why.", index=(0,), got=value, expected=expected, allowed=0.25
    )
    assert f"  worst at [0]: {words}" in str(found)


def test_the_sign_of_zero_is_a_bit():
    found = violation(ZerosMadePositive(), shape=(5, 3))
    assert str(found).splitlines()[0] == (
        "ZerosMadePositive at huge and tiny numbers: updateOutput: it changed its input. "
        "A zero has another sign."
    )
    assert found.index is None


def test_an_error_inside_a_layer_is_a_violation_that_names_it():
    class OnlyForward(nn.Module):
        def updateOutput(self, input):
            self.output = 2 * input
            return self.output

    found = violation(nn.Sequential(OnlyForward()), shape=(2, 3))
    assert str(found).startswith(
        "net[0] OnlyForward: updateGradInput: it raises NotImplementedError: "
        "OnlyForward does not define updateGradInput"
    )
    assert isinstance(found.__cause__, NotImplementedError)


def test_large_arrays_have_few_numbers_that_take_their_time():
    numbers = values.adversarial(np.random.default_rng(0), (50, 100))
    tiny = numbers == np.finfo(float).smallest_subnormal
    assert 100 < tiny[:10].sum() < 120
    assert not tiny[10:].any()
    assert (numbers[10:] == 1e-30).sum() > 800


# ---------------------------------------------------------------- what a report says


def test_a_report():
    report = check_module(nn.Linear(3, 2), shape=(4, 3), exempt={"duck": "NumPy alone"})
    assert report.passed == [name for name in PROPERTIES if name != "duck"]
    assert str(report) == (
        f"Linear(3 -> 2): {len(PROPERTIES) - 1} properties hold, 2 parameters\n"
        "  exempt from duck: NumPy alone"
    )
    assert report.seconds > 0


def test_falling_back_to_central_differences_is_said():
    report = check_module(Absolute(), shape=(4, 3))
    assert (
        "gradInput: central differences, because complex input fails: the output of a complex "
        "input is real"
    ) in report.notes

    class SilentlyReal(Absolute):
        def updateOutput(self, input):
            self.output = np.abs(input) + 0 * input
            return self.output

    report = check_module(SilentlyReal(), shape=(4, 3))
    assert (
        "gradInput: central differences, because the forward is not right for complex input"
    ) in report.notes

    class WrongToo(SilentlyReal):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * np.sign(input) * (1 + 1e-4 * (input < 0))
            return self.gradInput

    assert violation(WrongToo(), shape=(4, 3)).oracle == "central differences"


def test_a_complex_step_that_is_wrong_beside_larger_numbers_is_not_believed():
    class Units(nn.Module):
        """Magnitudes in another unit in the second column."""

        def updateOutput(self, input):
            self.output = input.copy()
            self.output[:, 1] = 1e-9 * np.abs(input[:, 1])
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput.copy()
            self.gradInput[:, 1] *= 1e-9 * np.sign(input[:, 1])
            return self.gradInput

    for shape in ((4, 2), (200, 2)):
        report = check_module(Units(), shape=shape, only="gradInput")
        assert report.notes == [
            "gradInput: central differences, because the forward is not right for complex input"
        ]


def test_a_complex_step_that_lacks_too_little_for_differences_to_see_is_not_believed():
    class Softplus(nn.Module):
        """The tail at 20 is 2e-9, and of np.abs there is no imaginary part."""

        def updateOutput(self, input):
            self.output = np.maximum(input, 0) + np.log1p(np.exp(-np.abs(input)))
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * (0.5 * (1 + np.tanh(input / 2)))
            return self.gradInput

    for x in (np.full((1, 2), 20.0), 16 + np.arange(300.0).reshape(20, 15) / 32):
        for seed in range(5):
            report = check_module(Softplus(), x, only="gradInput", seed=seed)
            assert report.notes[:1] == [
                "gradInput: central differences, because the forward is not right for complex input"
            ]


def test_a_loss_whose_complex_step_overflows():
    class Falling(nn.Criterion):
        """1 / (1 + exp(x)): 0 far out, where a complex exp is no number."""

        def updateOutput(self, input, target):
            self.output = (1 / (1 + np.exp(input))).sum()
            return self.output

        def updateGradInput(self, input, target):
            with np.errstate(over="ignore"):
                s = 1 / (1 + np.exp(input))
            self.gradInput = -s * (1 - s)
            return self.gradInput

    with np.errstate(over="ignore"):
        check_criterion(Falling(), np.array([[2.0, -1.0]]), None, only="gradInput")


@pytest.mark.parametrize("seed", range(8))
def test_equal_errors_do_not_cancel(seed):
    with pytest.raises(GradientMismatch) as caught:
        check_module(SecondPaysForFirst(), shape=(16, 16), only="gradInput", seed=seed)
    found = caught.value
    assert found.problem == "gradInput is not the derivative."
    assert found.index in {(0, 0), (0, 1)}


def test_kinks_are_counted_and_nothing_but_kinks_fails():
    x = np.array([[0.0, 1.0, -1.0, 0.0]])

    class RightSided(nn.ReLU):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * (input >= 0)
            return self.gradInput

    report = check_module(nn.ReLU(), x, only="gradInput")
    assert report.kinks == {"gradInput": (2, 4)}
    assert str(report).endswith("gradInput: 2 of 4 entries skipped at kinks")
    # The oracle itself looks from the right: this agrees with it.
    assert check_module(RightSided(), x, only="gradInput").kinks == {}


class WholeRelu(nn.ReLU):
    """Takes whole numbers only."""

    def updateOutput(self, input):
        if (input % 1).any():
            raise ValueError("whole numbers only")
        return super().updateOutput(input)


@pytest.mark.parametrize("shape", [(2, 2), (16, 16)])
def test_where_all_entries_lie_at_kinks_numbers_beside_them_are_checked(shape):
    what = "256 of 256 outputs" if shape == (16, 16) else "4 of 4 entries"
    report = check_module(nn.ReLU(), np.zeros(shape), only="gradInput")
    assert report.notes == [f"gradInput: checked beside the input, too: there {what} lie at a kink"]

    class Turned(nn.ReLU):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * ((input < 0) + 0.5 * (input == 0))
            return self.gradInput

    assert str(violation(Turned(), np.zeros(shape), only="gradInput")).startswith(
        "Turned beside its input: updateGradInput: gradInput is not the derivative."
    )
    found = violation(WholeRelu(), np.zeros(shape), only="gradInput")
    assert found.problem == (
        f"gradInput was hardly checked: {what} lie at a kink. Pass another input."
    )


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.SpatialLPPooling(1, 3, 2, 2), (2, 1, 4, 4)),
        (nn.Sqrt(), (3, 2)),
        (nn.Log(), (3, 2)),
        (nn.Power(0.5), (3, 2)),
        (nn.Sequential(nn.Linear(2, 2, bias=False), nn.Log()), (3, 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_takes_positive_numbers_alone_asks_for_them_without_warnings(layer, shape):
    found = violation(layer, shape=shape)
    assert found.problem == (
        "gradInput was hardly checked: of numbers below 0 its output is no number. "
        "Pass positive ones."
    )


ROWS = np.array([[1, 2.0], [3, 1.0], [0, -1.0]])
KEYS, VALUES = ROWS[:, 0].astype(int), ROWS[:, 1].copy()
# Of as many entries as there are outputs, and of others.
SPARSE = {
    "rows": (nn.SparseLinear, ROWS[:2]),
    "more rows": (nn.SparseLinear, ROWS),
    "list of rows": (nn.SparseLinear, [ROWS, ROWS[:2]]),
    "batch of rows": (nn.SparseLinear, np.stack([ROWS, ROWS[::-1]])),
    "keys": (nn.IndexLinear, [KEYS[:2], VALUES[:2]]),
    "lists of keys": (nn.IndexLinear, [[KEYS, KEYS[:2]], [VALUES, VALUES[:2]]]),
    "keys and sizes": (nn.IndexLinear, [KEYS, VALUES, np.array([2, 1])]),
}


@pytest.mark.parametrize("doGradInput", [False, True])
@pytest.mark.parametrize("name", SPARSE)
def test_layers_of_sparse_input_pass_with_every_form_of_it(name, doGradInput):
    kind, input = SPARSE[name]
    layer = kind(5, 2, doGradInput).reset()
    assert {*check_module(layer, input, only=("maths", "batch")).passed} == {"maths", "batch"}
    other = type("Other", (kind,), {"__doc__": OTHER_MATHS})(5, 2)
    assert violation(other, input, only="maths").method == "accGradParameters"


OTHER_MATHS = """Has a gradient for its bias that is not there.

Maths
-----
::

    gradBias += 0 * bias
"""


def test_kinks_of_a_large_network_do_not_cry_wolf():
    net = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 5))
    x = np.ones((6, 40)) * np.arange(1.0, 7)[:, None]
    net[0].weight[:3] = 0
    net[0].bias[:3] = 0
    check_module(net, x, only=["gradInput", "gradParameters"])


@pytest.mark.parametrize(
    ("layer", "oracle"), [(nn.ReLU(), "complex step"), (Absolute(), "central differences")]
)
def test_outputs_of_a_large_array_that_lie_at_a_kink_are_taken_out(layer, oracle):
    x = np.ones((4, FEW))
    x[0, :2] = 0

    class Between(type(layer)):
        off, share = 0.0, 0.25

        def updateGradInput(self, input, gradOutput):
            gradInput = super().updateGradInput(input, gradOutput)
            self.gradInput = np.where(input == 0, self.share * gradOutput, gradInput)
            self.gradInput[3, 7] += self.off
            return self.gradInput

    report = check_module(Between(), x, only="gradInput")
    assert report.kinks == {"gradInput": (2, x.size)}
    Between.share = -3.0
    problem = violation(Between(), x, only="gradInput").problem
    assert problem.startswith(
        "gradInput is not the derivative of 2 entries at kinks or ties: in sum"
    )
    Between.off, Between.share = 0.5, 0.25
    found = violation(Between(), x, only="gradInput")
    assert (found.problem, found.index) == ("gradInput is not the derivative.", (3, 7))
    assert found.oracle == oracle


@pytest.mark.parametrize("columns", [3, 300])
def test_a_gradient_of_nan_is_no_fault_of_copies(columns):
    x = np.ones((1, columns))
    x[0, 0] = 0
    found = violation(RootOfSquareDividesZero(), x)
    assert (found.property, found.problem) == ("gradInput", "gradInput is not the derivative.")
    assert (found.index, found.differing, found.pattern) == ((0, 0), 1, "not finite")
    assert np.isnan(found.got)


class SignedRoot(nn.Module):
    """Infinitely steep at 0."""

    def updateOutput(self, input):
        self.output = np.sign(input) * np.sqrt(np.abs(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        with np.errstate(all="ignore"):
            self.gradInput = gradOutput / (2 * np.sqrt(np.abs(input)))
        return self.gradInput


@pytest.mark.parametrize("shape", [(3, 4), (30, 40)])
def test_what_is_infinitely_steep_may_have_any_gradient(shape):
    check_module(SignedRoot(), shape=shape, only="gradInput")
    x = np.random.default_rng(0).normal(size=shape)
    x[:, 0] = 0
    check_module(SignedRoot(), x, only="gradInput")


class Sorted(nn.Module):
    def updateOutput(self, input):
        self.output = np.sort(input, axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        places = np.argsort(input, axis=1, kind="stable")
        self.gradInput = np.zeros_like(input)
        np.put_along_axis(self.gradInput, places, gradOutput, axis=1)
        return self.gradInput


def test_kinks_that_lie_close_together_are_no_tremor():
    x = np.random.default_rng(0).normal(size=(20, 1000))
    assert check_module(Sorted(), x, only="gradInput").passed == ["gradInput"]


class OverLargest(nn.Module):
    """Divided by the largest of each row, which the gradient takes for a constant."""

    def updateOutput(self, input):
        self.output = input / (np.abs(input).max(axis=1, keepdims=True) + 0.1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / (np.abs(input).max(axis=1, keepdims=True) + 0.1)
        return self.gradInput


@pytest.mark.parametrize("shape", [(6, 5), (6, 50)])
def test_ties_hide_no_wrong_complex_step(shape):
    x = np.random.default_rng(0).integers(-1, 2, shape) / 2
    assert violation(OverLargest(), x, only="gradInput").oracle == "central differences"


# ---------------------------------------------------------------- a parameter without dimensions


class GainFalls(ScalarGain):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight -= scale * (input * gradOutput).sum()


def test_a_parameter_without_dimensions_has_a_gradient_too():
    found = violation(GainFalls(), np.arange(1.0, 13).reshape(4, 3), only="gradParameters")
    assert found.index == ()
    assert found.got == -found.expected != 0


# ---------------------------------------------------------------- rows that are nearly equal


class Standardised(nn.Module):
    """Each row by its own mean and deviation."""

    def __init__(self, eps):
        self.eps = eps

    def _parts(self, input):
        centred = input - input.mean(axis=1, keepdims=True)
        return centred, np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.eps)

    def updateOutput(self, input):
        centred, deviation = self._parts(input)
        self.output = centred / deviation
        return self.output

    def updateGradInput(self, input, gradOutput):
        centred, deviation = self._parts(input)
        along = (gradOutput * centred).mean(axis=1, keepdims=True) / deviation**2
        mean = gradOutput.mean(axis=1, keepdims=True)
        self.gradInput = (gradOutput - mean - centred * along) / deviation
        return self.gradInput


@pytest.mark.parametrize(("eps", "gap"), [(1e-5, 0), (1e-8, 1e-9), (1e-8, 1e-6), (1e-12, 1e-9)])
@pytest.mark.parametrize("n", [3, 8])
def test_what_divides_by_the_spread_of_equal_rows_may_make_much_of_rounding(eps, gap, n):
    rng = np.random.default_rng(2)
    check_module(Standardised(eps), rng.normal(size=(6, 1)) + gap * rng.normal(size=(6, n)))


def test_layer_normalization_of_equal_rows_passes():
    x = np.repeat(np.random.default_rng(0).normal(size=(6, 1)), 3, axis=1)
    check_module(nn.LayerNormalization(3), x, only=["gradInput", "dtype", "layout"])


def test_among_equal_rows_a_wrong_gradient_is_found():
    class Detached(Standardised):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput / self._parts(input)[1]
            return self.gradInput

    x = np.repeat(np.random.default_rng(0).normal(size=(6, 1)), 3, axis=1)
    found = violation(Detached(1e-5), x)
    assert (found.property, found.problem) == ("gradInput", "gradInput is not the derivative.")


class Centred(nn.Module):
    """By the mean of the batch, in training."""

    def updateOutput(self, input):
        mean = input.mean(axis=0) if self.train and len(input) else 0
        self.output = input - mean
        return self.output

    def updateGradInput(self, input, gradOutput):
        mean = gradOutput.mean(axis=0) if self.train and len(input) else 0
        self.gradInput = gradOutput - mean
        return self.gradInput


@pytest.mark.parametrize("spread", [0, 1])
def test_samples_that_are_alike_mix_too(spread):
    x = 1 + spread * np.random.default_rng(0).normal(size=(4, 3))
    report = check_module(Centred(), x)
    note = "batch: checked in evaluation mode, training draws or mixes the samples"
    assert note in report.notes


class ConvertsInput(nn.ReLU):
    """As people write it: right, for NumPy's arrays alone."""

    def updateOutput(self, input):
        self.output = np.asarray(input) * (np.asarray(input) > 0)
        return self.output


def test_what_torchlite_alone_is_strict_about_is_advice():
    report = check_module(nn.Sequential(ConvertsInput()), shape=(4, 3))
    assert [*report.advice] == ["duck"]
    # Its container is not blamed again, and does not have it.
    assert report.advice["duck"].where == "net[0] ConvertsInput"
    assert report.passed == [name for name in PROPERTIES if name != "duck"]
    lines = str(report).splitlines()
    assert lines[1].startswith("  advice, duck: net[0] ConvertsInput: updateOutput: an array of ")
    # What is asked for by name is no advice.
    for asked in ({"level": "strict"}, {"only": "duck"}, {"only": ["duck"], "level": "contract"}):
        assert violation(ConvertsInput(), shape=(4, 3), **asked).property == "duck"


def test_levels():
    gradients = check_module(ConvertsInput(), shape=(4, 3), level="gradients").passed
    assert gradients == [
        *("modes", "gradInput", "gradParameters", "accumulate", "scale", "linear", "batch")
    ]
    assert check_module(nn.ReLU(), shape=(4, 3), level="strict").passed == [*PROPERTIES]
    x, y = np.array([[1.0, 2.0]]), np.array([[0.5, 3.0]])
    assert check_criterion(nn.MSECriterion(), x, y, level="gradients").passed == ["gradInput"]
    assert not check_module(nn.ReLU(), shape=(4, 3), only=[]).passed
    with pytest.raises(SettingError) as caught:
        check_criterion(nn.MSECriterion(), x, y, level="all")
    assert str(caught.value) == (
        "check_criterion: level must be one of 'gradients', 'contract', 'strict', got 'all'"
    )


# ---------------------------------------------------------------- all that is wrong


class WrongTwice(nn.Linear):
    """Its gradInput is doubled, its parameters are updated the other way."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * super().updateGradInput(input, gradOutput)
        return self.gradInput

    def updateParameters(self, learningRate):
        return super().updateParameters(-learningRate)


def test_all_that_fails_at_once():
    net = nn.Sequential(WrongTwice(3, 2), nn.Tanh(), WrongTwice(2, 2))
    found = violation(net, shape=(4, 3), all_failures=True)
    assert type(found) is ContractViolations
    first = found.violations[0]
    assert (found.where, found.method, found.problem) == (first.where, first.method, first.problem)
    for where in ("net[0] WrongTwice(3 -> 2)", "net[2] WrongTwice(2 -> 2)"):
        own = [each.property for each in found.violations if each.where.startswith(where)]
        assert {"gradInput", "update"} <= set(own)
        assert len(own) == len(set(own))
    # The network is wrong where its layers are, and is not told it again.
    assert not {"gradInput", "gradParameters", "update"} & {
        each.property for each in found.violations if not each.where.startswith("net")
    }
    assert str(found) == "\n\n".join(
        [f"{len(found.violations)} violations", *map(str, found.violations)]
    )
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)
    assert len(again.violations) == len(found.violations)


def test_one_failure_of_all_is_raised_as_itself():
    options = {"only": ["gradInput", "clone"], "all_failures": True}
    found = violation(WrongTwice(3, 2), shape=(4, 3), **options)
    assert type(found) is GradientMismatch
    assert "gradInput" in str(found)
    assert check_module(nn.ReLU(), shape=(4, 3), **options).passed == ["clone", "gradInput"]

    class NoFactor(nn.MSECriterion):
        __doc__ = nn.MSECriterion.__doc__

        def updateGradInput(self, input, target):
            self.gradInput = 0.5 * super().updateGradInput(input, target)
            return self.gradInput

    with pytest.raises(ContractViolations) as caught:
        check_criterion(NoFactor(False), np.ones((2, 3)), np.zeros((2, 3)), all_failures=True)
    assert [each.property for each in caught.value.violations] == ["gradInput", "maths"]


# ---------------------------------------------------------------- what is not asked

REASON = "the gradient is turned round on purpose"


class Reversal(nn.Identity):
    """Right but for its gradInput, and says so if it is told why."""

    def __init__(self, reason=None):
        self.reason = reason

    @property
    def exempt(self):
        return {"gradInput": self.reason} if self.reason else {}

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -gradOutput
        return self.gradInput


def test_what_a_class_declares_is_not_asked_and_told():
    report = check_module(nn.GradientReversal(), shape=(4, 3))
    assert report.exempt == {"gradInput": REASON}
    assert set(PROPERTIES) - set(report.passed) == {"gradInput"}
    assert str(report).endswith(f", no parameters\n  exempt from gradInput: {REASON}")
    # Settings may decide.
    check_module(Reversal("on purpose"), shape=(4, 3))
    assert violation(Reversal(), shape=(4, 3)).property == "gradInput"


def test_what_a_layer_breaks_its_containers_break():
    net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.ReLU(), nn.GradientReversal()))
    report = check_module(net, shape=(4, 3))
    # The gradient of what stands before it is turned round, too.
    assert report.exempt == {
        "gradInput": f"[1][1] GradientReversal: {REASON}",
        "gradParameters": f"[1][1] GradientReversal: {REASON}",
    }
    assert check_module(net, shape=(4, 3), only="linear").exempt == {}
    # Its neighbours are asked.
    net = nn.Sequential(AveragesBias(3, 3), nn.GradientReversal())
    assert str(violation(net, shape=(4, 3))).startswith("net[0] AveragesBias(3 -> 3): accGradP")


def test_a_docstring_is_exempt_for_itself_alone():
    class Elsewhere(nn.Identity):
        """Maths
        -----
            output = 2 * input
        """

        exempt: ClassVar = {"maths": "of another layer"}

    report = check_module(nn.Sequential(Elsewhere()), shape=(4, 3))
    assert report.exempt == {"[0].maths": "of another layer"}
    assert "maths" in report.passed


def test_exemptions_are_a_dict():
    with pytest.raises(
        DTypeError, match="check_module: exempt must be a dict of reasons, got list"
    ):
        check_module(nn.ReLU(), shape=(4, 3), exempt=["duck"])
    wrong = type("Wrong", (nn.ReLU,), {"exempt": "duck"})
    with pytest.raises(DTypeError, match="Wrong: exempt must be a dict of reasons, got str"):
        check_module(wrong(), shape=(4, 3))


def test_exemptions_by_path():
    net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(Reversal(), nn.Decorator(nn.Tanh())))
    said = {"[1][0].gradInput": "on purpose"}
    report = check_module(net, shape=(4, 3), exempt=said)
    assert report.exempt == {
        "gradInput": "[1][0] Reversal: on purpose",
        "gradParameters": "[1][0] Reversal: on purpose",
    }
    # What is said of a container is said of what is inside.
    assert check_module(net, shape=(4, 3), exempt={"[1].gradInput": "on purpose"}).exempt == {
        "gradInput": "[1] Sequential: on purpose",
        "gradParameters": "[1] Sequential: on purpose",
    }
    # As failures name it.
    assert check_module(net, shape=(4, 3), exempt={"net[1][0].gradInput": "x"}).exempt == {
        "gradInput": "[1][0] Reversal: x",
        "gradParameters": "[1][0] Reversal: x",
    }
    # Of the others nothing is said.
    net.add(Reversal())
    found = violation(net, shape=(4, 3), exempt=said)
    assert found.where == "net[2] Reversal"

    class Holder(nn.Module):
        def __init__(self):
            self.inner = Reversal()

        def updateOutput(self, input):
            self.output = self.inner.updateOutput(input)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = self.inner.updateGradInput(input, gradOutput)
            return self.gradInput

    for path in ("inner.gradInput", ".inner.gradInput"):
        report = check_module(Holder(), shape=(4, 3), exempt={path: "on purpose"})
        assert report.exempt["gradInput"] == ".inner Reversal: on purpose"


def test_exemptions_of_what_is_not_there():
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    with pytest.raises(SettingError) as caught:
        check_module(net, shape=(4, 3), exempt={"[2].gradInput": "why"})
    assert str(caught.value) == ("check_module: a path must be one of [0], [1], [1][0], got '[2]'")
    with pytest.raises(SettingError) as caught:
        check_module(net, shape=(4, 3), exempt={"[1].gradient": "why"})
    assert str(caught.value) == (
        f"check_module: a property must be one of {', '.join(PROPERTIES)}, got 'gradient'"
    )
    with pytest.raises(SettingError) as caught:
        check_module(nn.ReLU(), shape=(4, 3), exempt={"[0].gradInput": "why"})
    assert str(caught.value) == (
        "check_module: a path must be one of those inside, and there are none, got '[0]'"
    )

    class Misspelt(nn.Identity):
        exempt: ClassVar = {"gradinput": "why"}

    with pytest.raises(SettingError, match=r"^Misspelt: exempt must be of mutation, .* got 'gradi"):
        check_module(Misspelt(), shape=(4, 3))


X = np.random.default_rng(0).normal(size=(4, 3))


class Tripled(nn.gModule):
    """Wrong: of the first input the gradient is three times what it should be."""

    def updateGradInput(self, input, gradOutput):
        first, *others = super().updateGradInput(input, gradOutput)
        self.gradInput = [3 * first, *others]
        return self.gradInput


class Halved(nn.gModule):
    """Wrong: it accumulates half of what it should."""

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale / 2)


def with_a_criterion(kind, criterion):
    """Return a network of an input and a target, both of which parameters work on."""
    x, y = nn.Identity()(), nn.Identity()()
    return kind([x, y], [criterion([nn.Linear(3, 2)(x), nn.Linear(2, 2)(y)])])


@pytest.mark.parametrize(
    ("kind", "broken", "name"),
    [(Tripled, "gradInput", "gradInput[0]"), (Halved, "gradParameters", "[1].gradWeight")],
)
def test_a_criterion_inside_a_network_lets_nothing_pass(kind, broken, name):
    given = [X, X[:, :2] + 1]
    found = violation(with_a_criterion(kind, nn.MSECriterion()), given, level="gradients")
    assert (found.where, found.property) == (kind.__name__, broken)
    assert found.problem == f"{name} is not the derivative."


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Tripled, "it is not what [0] gives, which alone has the input[0]."),
        (Halved, "it is not its modules, each with its inputs and gradOutputs."),
    ],
)
def test_a_graph_is_its_modules_where_no_derivative_tells(kind, problem):
    given = [X, X[:, :2] + 1]
    found = violation(with_a_criterion(kind, turned), given, only=("gradInput", "container"))
    assert (found.where, found.property, found.problem) == (kind.__name__, "container", problem)


def turned(pair):
    return nn.GradientReversal()(nn.CMulTable()(pair))


def test_a_right_graph_is_its_modules():
    class Shifted(nn.gModule):
        def updateOutput(self, input):
            self.output = super().updateOutput(3 * input)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = 3 * super().updateGradInput(3 * input, gradOutput)
            return self.gradInput

        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(3 * input, gradOutput, scale)

    x, y = nn.Identity()(), nn.Identity()()
    both = nn.gModule.__new__(nn.gModule)
    both.modules = [nn.Linear(3, 3), nn.Tanh(), nn.CMulTable()]
    wires = [(None, []), (0, [0]), (1, [0]), (2, [1, 2]), (None, [3])]
    facts = {"annotations": {}, "selectindex": None, "nSplitOutputs": None}
    nodes = [{"module": module, "inputs": inputs, **facts} for module, inputs in wires]
    both.__setstate__({"modules": both.modules, "nodes": nodes})
    for net, given in (
        (with_a_criterion(nn.gModule, turned), [X, X[:, :2] + 1]),
        (nn.gModule([x], [nn.CMulTable()([nn.Linear(3, 3)(x), x])]), X),
        # What makes something else of its input may be right.
        (Shifted([y], [nn.Tanh()(nn.Linear(3, 3)(y))]), X),
        # Two modules have the input, as files of Torch7's have it.
        (both, X),
    ):
        assert check_module(net, given, only="container").passed == ["container"]


def test_targets_of_criteria_inside_are_held():
    given = [X, X[:, :2] + 1]
    note = "the targets of criteria are held: nothing is learnt about them"
    for criterion in (nn.MSECriterion(), nn.SmoothL1Criterion(), nn.DistKLDivCriterion()):
        report = check_module(
            with_a_criterion(nn.gModule, criterion), given, only=("gradInput", "gradParameters")
        )
        assert (report.passed, report.exempt) == (["gradInput", "gradParameters"], {})
        assert note in report.notes
    # The same input, and the same parameters, may make the target, too: of several criteria.
    x = nn.Identity()()
    h = nn.Linear(3, 3)(x)
    losses = [nn.MSECriterion()([nn.Tanh()(h), x]), nn.MSECriterion()([x, nn.Sigmoid()(h)])]
    report = check_module(nn.gModule([x], losses), X, level="gradients")
    assert {"gradInput", "gradParameters"} <= set(report.passed)

    class Learnt(nn.CriterionTable):
        def updateGradInput(self, input, gradOutput):
            gradient, _ = super().updateGradInput(input, gradOutput)
            self.gradInput = [gradient, -gradient]
            return self.gradInput

    # A gradient of the target is one too much.
    found = violation(Learnt(nn.MSECriterion()), [X, X + 1], only="gradInput")
    assert found.problem == "gradInput[1] is not the derivative."


# ---------------------------------------------------------------- one property alone


class Chosen(nn.Identity):
    """Right but for the gradInput that it was made with, or a batch of no samples."""

    def __init__(self, wrong=None, nothing=None):
        self.wrong = wrong
        self.nothing = nothing

    def updateOutput(self, input):
        super().updateOutput(input)
        if self.nothing and not len(input):
            self.output = self.nothing(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.wrong(gradOutput) if self.wrong else gradOutput
        return self.gradInput


@pytest.mark.parametrize(
    ("wrong", "input", "problem"),
    [
        (lambda g: g[:1], np.ones((4, 3)), "gradInput has shape (1, 3), expected (4, 3)."),
        (lambda g: 1.0, np.ones((4, 3)), "gradInput is float."),
        (
            lambda g: [g[0], g[1][:1]],
            [np.ones((4, 3)), np.ones((4, 2))],
            "gradInput is [(4, 3), (1, 2)], expected [(4, 3), (4, 2)].",
        ),
        (lambda g: g[:1], np.arange(4), "gradInput is (1,), expected (4,)."),
    ],
)
def test_a_property_needs_no_other_before_it(wrong, input, problem):
    found = violation(Chosen(wrong), input, only=["gradInput", "integers"])
    assert found.problem == problem


def test_no_samples_must_give_no_results():
    found = violation(Chosen(nothing=lambda input: input[:, :1]), np.ones((4, 3)), only="empty")
    assert found.problem == ("for a batch of no samples it gives (0, 1), expected (0, 3).")

    class CountsCalls(nn.Linear):
        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(input, gradOutput, scale)
            if not len(input):
                self.gradBias += 1

    found = violation(CountsCalls(3, 2), np.ones((4, 3)), only="empty")
    assert found.problem == "a batch of no samples changes gradBias."


def line(function, below):
    """Return how a line of a function is told, so many below its first."""
    return f" (test_checker.py:{function.__code__.co_firstlineno + below})"


class OneList(nn.Linear):
    def parameters(self):
        return [self.weight, self.bias]


class TooFewGradients(nn.Linear):
    def parameters(self):
        return [self.weight, self.bias], [self.gradWeight]


class CannotBeCopied(nn.Identity):
    def __deepcopy__(self, memo):
        raise MemoryError("it is large")


class TrainsOnly(nn.Identity):
    def updateOutput(self, input):
        if not self.train:
            raise ValueError("never evaluated")
        return super().updateOutput(input)


class CannotUpdate(nn.Linear):
    def updateParameters(self, learningRate):
        raise ValueError("no rate today")


class CannotZero(nn.Linear):
    def zeroGradParameters(self):
        raise ValueError("no zeros today")


class CannotGoBack(nn.Identity):
    def updateGradInput(self, input, gradOutput):
        raise ValueError("no way back")


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (OneList(3, 2), "it does not return two lists."),
        (TooFewGradients(3, 2), "it returns 2 parameters and 1 gradients."),
        (CannotBeCopied(), "it raises MemoryError: it is large"),
        (
            TrainsOnly(),
            f"it raises ValueError: never evaluated{line(TrainsOnly.updateOutput, 2)}",
        ),
    ],
)
def test_what_cannot_be_checked_at_all(layer, problem):
    assert violation(layer, np.ones((4, 3))).problem == problem


@pytest.mark.parametrize(
    ("layer", "method", "problem"),
    [
        (CannotUpdate(3, 2), "updateParameters", "it raises ValueError: no rate today"),
        (CannotZero(3, 2), "zeroGradParameters", "it raises ValueError: no zeros today"),
        (CannotGoBack(), "updateGradInput", "it raises ValueError: no way back"),
    ],
)
def test_what_a_layer_raises_is_said(layer, method, problem):
    found = violation(layer, np.ones((4, 3)), only=["mutation", "update", "zero"])
    where = line(vars(type(layer))[method], 1)
    assert (found.method, found.problem) == (method, f"{problem}{where}")


class Mistaken(nn.Module):
    """With the methods that it is given."""

    def __init__(self, **own):
        self.weight, self.gradWeight = np.ones(3), np.zeros(3)
        vars(self).update(own)

    def updateOutput(self, input):
        self.output = self.make(input)
        return self.output

    make = staticmethod(lambda input: input)

    def parameters(self):
        return self.listed()

    def listed(self):
        return super().parameters()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"make": lambda input: 2.0}, "updateOutput: it returned float, not an array."),
        ({"make": lambda input: [input, 1]}, "updateOutput: it returned int, not an array."),
        (
            {"make": lambda input: input.nothing},
            "updateOutput: it raises AttributeError: 'numpy.ndarray' object has no attribute "
            "'nothing' (test_checker.py:{})",
        ),
        (
            {"make": lambda: 1},
            "updateOutput: it raises TypeError: <lambda>() takes 0 positional arguments but 1 was "
            "given (test_checker.py:{})",
        ),
        (
            {"listed": lambda: nothing},  # noqa: F821
            "parameters: it raises NameError: name 'nothing' is not defined (test_checker.py:{})",
        ),
        ({"weight": [1.0]}, "parameters: weight is list, not an array."),
        ({"gradWeight": None}, "parameters: the gradient of weight is NoneType, not an array."),
    ],
)
def test_the_first_line_names_the_layer_and_what_is_wrong(own, said):
    line = str(violation(Mistaken(**own), np.ones((4, 3)))).splitlines()[0]
    assert re.sub(r"py:\d+", "py:{}", line) == f"Mistaken: {said}"


def test_what_raises_for_its_input_raises_that():
    """It may be the input that is wrong."""

    def refuse(input):
        raise ValueError("too long")

    with pytest.raises(ValueError, match=r"^too long$"):
        check_module(Mistaken(make=refuse), np.ones((4, 3)))


def test_output_that_is_complex_is_no_output():
    class Turned(nn.Identity):
        def updateOutput(self, input):
            self.output = 1j * input
            return self.output

    found = violation(Turned(), shape=(4, 3))
    assert (found.property, found.problem) == ("dtype", "of float64 it makes complex128.")


class Picky(nn.Linear):
    """Raises where it is told to."""

    def __init__(self, refuses):
        super().__init__(3, 2)
        self.refuses = refuses

    def updateOutput(self, input):
        if self.refuses(self, input):
            raise ValueError("not that")
        return super().updateOutput(input)

    def accGradParameters(self, input, gradOutput, scale=1):
        if self.refuses(self, scale):
            raise ValueError("not that")
        super().accGradParameters(input, gradOutput, scale)


@pytest.mark.parametrize(
    ("refuses", "method", "property", "what"),
    [
        (
            lambda layer, input: is_array(input) and not input.flags.writeable,
            "updateOutput",
            "mutation",
            "with read-only input, it",
        ),
        (
            lambda layer, input: is_array(input) and input.dtype == "float32",
            "updateOutput",
            "dtype",
            "with float32 input, it",
        ),
        (
            lambda layer, input: is_array(input) and not input.flags.c_contiguous,
            "updateOutput",
            "layout",
            "with sliced input, it",
        ),
        (
            lambda layer, input: is_array(input) and input.shape == (1, 3),
            "updateOutput",
            "batch",
            "with input of shape (1, 3), it",
        ),
        (
            lambda layer, input: is_array(input) and input.shape == (0, 3),
            "updateOutput",
            "empty",
            "a batch of no samples",
        ),
        (
            lambda layer, scale: not is_array(scale) and scale == -2,
            "accGradParameters",
            "scale",
            "with scale -2, it",
        ),
    ],
)
def test_an_error_says_which_call_raised_on_what(refuses, method, property, what):
    found = violation(Picky(refuses), shape=(4, 3))
    where = line(vars(Picky)[method], 2)
    assert str(found).splitlines()[0] == (
        f"Picky(3 -> 2): {method}: {what} raises ValueError: not that{where}"
    )
    assert found.property == property


def test_calls_that_cannot_be_made():
    class WithoutScale(nn.Linear):
        def accGradParameters(self, input, gradOutput):
            super().accGradParameters(input, gradOutput)

    class WithoutInput(nn.Identity):
        def updateGradInput(self, gradOutput):
            return gradOutput

    found = violation(WithoutScale(3, 2), shape=(4, 3))
    assert str(found).splitlines()[0] == (
        "WithoutScale(3 -> 2): accGradParameters: it must take scale: "
        "accGradParameters(self, input, gradOutput, scale=1)."
    )
    assert found.property == "scale"
    found = violation(WithoutInput(), shape=(4, 3))
    assert str(found).splitlines()[0] == (
        "WithoutInput: updateGradInput: it must take input and gradOutput."
    )


def test_a_gradient_that_is_not_like_its_parameter():
    class Single(nn.Linear):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.gradBias = np.zeros(3)

    class Whole(Single):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.gradBias = np.zeros(2, int)

    for kind, problem in (
        (Single, "gradBias has the shape (3,), its parameter (2,)."),
        (Whole, "gradBias is int64, not an array of floating numbers."),
    ):
        found = violation(kind(3, 2), shape=(4, 3))
        assert (found.method, found.property, found.problem) == (
            "parameters",
            "gradParameters",
            problem,
        )


def test_a_reused_array_is_no_wrong_gradient():
    class Reuses(nn.Linear):
        kept = None

        def updateOutput(self, input):
            output = super().updateOutput(input)
            if self.kept is None or self.kept.shape != output.shape:
                self.kept = output
            self.kept[...] = output
            self.output = self.kept
            return self.output

    found = violation(Reuses(3, 2), shape=(4, 3))
    assert str(found).splitlines()[0] == (
        "Reuses(3 -> 2): updateOutput: the output array was reused: a later call changed what an "
        "earlier one returned."
    )
    check_module(Reuses(3, 2), shape=(4, 3), only=["gradInput", "gradParameters"])


# ---------------------------------------------------------------- what it leaves alone


def test_module_input_and_random_stream_are_untouched():
    layer = nn.Linear(3, 2).float()
    layer.gradWeight.fill(7)
    x = np.ones((4, 3), "float32")
    layer.forward(x)
    kept = pickle.dumps((layer.weight, layer.gradWeight, x))
    output, state = layer.output, torchlite.random.getRNGState()
    check_module(layer, x)
    assert pickle.dumps((layer.weight, layer.gradWeight, x)) == kept
    assert layer.output is output
    assert np.array_equal(torchlite.random.getRNGState(), state)


@pytest.mark.parametrize(
    ("layer", "method"),
    [(FallingSilencesAll, "updateOutput"), (FallingSilencesInBackward, "updateGradInput")],
)
def test_what_a_layer_sets_for_numpy_ends_with_its_check(layer, method):
    before = np.geterr()
    # Nor would it reach other tests.
    with np.errstate():
        found = violation(layer(), shape=(5, 3))
        assert (found.property, found.method) == ("repeat", method)
        assert np.geterr() == before


def test_what_other_threads_draw_is_not_the_layers(monkeypatch):
    """As one that draws now and then, and never twice as much."""
    draws = iter(range(10**6))

    def among_others(call):
        def called():
            stdlib_random.getrandbits(32 * next(draws))
            return call()

        return called

    touched_by = generators.touched_by
    monkeypatch.setattr(purity, "touched_by", lambda call: touched_by(among_others(call)))
    check_module(nn.Linear(3, 2), shape=(4, 3), only="repeat")
    assert next(draws) > 2


def test_one_seed_one_result():
    first, second = (str(violation(AveragesBias(3, 2), shape=(4, 3), seed=5)) for _ in range(2))
    assert first.splitlines()[0] == second.splitlines()[0]

    def make():
        return AveragesBias(3, 2)

    assert str(violation(make, shape=(4, 3), seed=5)) == str(violation(make, shape=(4, 3), seed=5))


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {},
            "check_module: input must be an array or a table, got None\n"
            "  hint: or give the shape of one: check_module(module, shape=(4, 3))",
        ),
        (
            {"shape": (2, 3), "only": "gradient"},
            "check_module: a property must be one of mutation, identity, zero, repeat,",
        ),
        (
            {"shape": (2, 3), "exempt": {"nothing": "why"}},
            "check_module: a property must be one of mutation, identity, zero, repeat,",
        ),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(SettingError, match=r"^check_module") as caught:
        check_module(nn.ReLU(), **arguments)
    assert str(caught.value).startswith(message)


def test_a_shape_in_the_place_of_an_input():
    with pytest.raises(SettingError) as caught:
        check_module(nn.ReLU(), (5, 2))
    assert str(caught.value) == (
        "check_module: input must be an array or a table, got (5, 2)\n"
        "  hint: or give the shape of one: check_module(module, shape=(5, 2))"
    )


def test_what_is_no_module():
    with pytest.raises(TypeError, match="module must be a Module or what makes one, got 3"):
        check_module(lambda: 3, shape=(2, 2))
    with pytest.raises(TypeError) as caught:
        check_module(nn.MSECriterion(), shape=(2, 3))
    assert str(caught.value) == (
        "check_module: module must be a Module or what makes one, got MSECriterion\n"
        "  hint: check_criterion(criterion, input, target)"
    )
    with pytest.raises(TypeError) as caught:
        check_criterion(nn.ReLU, np.ones(2), np.ones(2))
    assert str(caught.value) == (
        "check_criterion: criterion must be a Criterion or what makes one, got ReLU\n"
        "  hint: check_module(module, input)"
    )
    with pytest.raises(TypeError, match="criterion must be a Criterion or what makes one"):
        check_criterion(nn.ReLU, np.ones(2), np.ones(2))


def test_an_input_that_the_layer_refuses_is_the_callers_error():
    with pytest.raises(ValueError, match=r"input must be \(3,\)") as caught:
        check_module(nn.Linear(3, 2), shape=(4, 4))
    assert not isinstance(caught.value, AssertionError)


def test_factories_tables_and_given_gradOutputs():
    class Sum(nn.Module):
        def updateOutput(self, input):
            self.output = input[0] + input[1]
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = [gradOutput.copy(), gradOutput.copy()]
            return self.gradInput

    report = check_module(Sum, shape=[(4, 3), (4, 3)])
    assert report.passed == list(PROPERTIES)
    check_module(lambda: nn.Linear(3, 2), np.ones((1, 3)), gradOutput=np.ones((1, 2)))


def test_a_gradient_that_starts_elsewhere_than_at_zero():
    class Starts(nn.Linear):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.gradBias += 1

    found = violation(lambda: Starts(3, 2), shape=(4, 3))
    assert (found.property, found.problem) == ("zero", "gradBias does not start at 0.")


# ---------------------------------------------------------------- criterions


def test_criterions():
    class NoFactor(nn.MSECriterion):
        def updateGradInput(self, input, target):
            self.gradInput = 0.5 * super().updateGradInput(input, target)
            return self.gradInput

    x, y = np.array([[1.0], [2.0], [-1.0]]), np.array([[0.5], [3.5], [0.25]])
    assert check_criterion(nn.MSECriterion, x, y).passed == list(CRITERION_PROPERTIES)
    with pytest.raises(GradientMismatch) as caught:
        check_criterion(NoFactor(False), x, y)
    assert str(caught.value).startswith(
        "NoFactor: updateGradInput: gradInput is not the derivative."
    )
    assert caught.value.pattern == "got = expected / 2 -> a factor of 2 is missing?"


def test_a_loss_is_a_number_of_the_precision_of_the_input():
    class Mean(nn.Criterion):
        makes = staticmethod(np.mean)

        def updateOutput(self, input, target):
            self.output = self.makes((input - target) ** 2)
            return self.output

        def updateGradInput(self, input, target):
            self.gradInput = 2 / input.size * (input - target)
            return self.gradInput

    class OfSinglePrecision(Mean):
        makes = staticmethod(lambda squares: np.float32(squares.mean()))

    class OfNoDimensions(Mean):
        makes = staticmethod(lambda squares: np.array(squares.mean()))

    x, y = np.array([[1.0], [2.0], [-1.0]]), np.array([[0.5], [3.5], [0.25]])
    check_criterion(Mean, x, y, only=["split", "dtype"])
    for wrong, name in ((OfSinglePrecision, "float32"), (OfNoDimensions, "ndarray")):
        with pytest.raises(ContractViolation) as caught:
            check_criterion(wrong, x, y)
        assert str(caught.value).splitlines()[0] == (
            f"{wrong.__name__}: updateOutput: the loss is {name}, not a Python float or NumPy's "
            "number of the input's precision."
        )


# ---------------------------------------------------------------- as property-based tests

TestLinear = module_contract(
    ours.builds(nn.Linear, ours.sizes(), ours.sizes()),
    input=lambda layer: ours.inputs("N", layer.weight.shape[1]),
    level="strict",
    max_examples=5,
)
TestCAddTable = module_contract(
    nn.CAddTable(), input=lambda layer: ours.tables("N", 3), level="strict", max_examples=3
)
TestReLU = module_contract(
    nn.ReLU(),
    input=lambda layer: ours.inputs("N", "N"),
    exempt={"duck": "shown elsewhere"},
    level="strict",
    max_examples=3,
)


TestTanhOfAShape = module_contract(nn.Tanh, shape=(4, 3), level="strict")
TestTableOfAShape = module_contract(nn.CAddTable(), shape=[(4, 3), (4, 3)])
TestReLUOfAnInput = module_contract(nn.ReLU, np.array([[1.0, -2.0]]), exempt={"batch": "one"})
TestMSE = criterion_contract(nn.MSECriterion, np.ones((4, 3)), np.zeros((4, 3)))


def names_in(kind):
    return [name.removeprefix("test_") for name in vars(kind) if name.startswith("test_")]


def test_one_line_gives_one_test_a_property():
    assert names_in(TestTanhOfAShape) == [*PROPERTIES, "any_order"]
    advice = {"digits", "duck", "exceptions", "none"}
    assert names_in(TestTableOfAShape) == [n for n in PROPERTIES if n not in advice] + ["any_order"]
    assert {*names_in(TestTableOfAShape)} - {*names_in(TestReLUOfAnInput)} == {"batch"}
    assert names_in(TestMSE) == [name for name in CRITERION_PROPERTIES if name not in advice]
    assert TestMSE.test_gradInput.__doc__ == CRITERION_PROPERTIES["gradInput"].__doc__
    assert TestMSE.test_gradInput.__name__ == "test_gradInput"
    wrong = module_contract(lambda: AveragesBias(3, 2), shape=(4, 3), level="gradients")
    gradients = {"gradInput", "gradParameters", "accumulate", "scale", "linear", "batch", "modes"}
    assert names_in(wrong) == [name for name in PROPERTIES if name in gradients] + ["any_order"]
    with pytest.raises(GradientMismatch, match="averaged instead of summed"):
        wrong().test_gradParameters()
    wrong().test_gradInput()


def test_pytest_shows_the_users_lines_alone(tmp_path):
    """Of each failure the line that asks for the check, be it that of a generated test."""
    path = tmp_path / "test_mine.py"
    path.write_text(
        "import numpy as np\n"
        "import torchlite as nn\n"
        "from torchlite.testing import check_module, criterion_contract, module_contract\n"
        "from torchlite.testing import strategies as ours\n"
        "class Turned(nn.Tanh):\n"
        "    def updateGradInput(self, input, gradOutput):\n"
        "        self.gradInput = -super().updateGradInput(input, gradOutput)\n"
        "        return self.gradInput\n"
        "class Loss(nn.MSECriterion):\n"
        "    def updateGradInput(self, input, target):\n"
        "        self.gradInput = -super().updateGradInput(input, target)\n"
        "        return self.gradInput\n"
        "class Forgets(nn.Linear):\n"
        "    def clone(self, *names): return self\n"
        "class Far(nn.Identity):\n"
        "    def updateGradInput(self, input, gradOutput):\n"
        "        self.gradInput = gradOutput * (abs(input) < 100)\n"
        "        return self.gradInput\n"
        "class Misspelt(nn.Module):\n"
        "    def updateOutput(self, input): return inptu\n"
        "TestTurned = module_contract(Turned, shape=(4, 3))\n"
        "TestLoss = criterion_contract(Loss, np.ones((4, 3)), np.zeros((4, 3)))\n"
        "TestForgets = module_contract(Forgets(3, 2), shape=(4, 3))\n"
        "TestDrawn = module_contract(\n"
        "    Turned, lambda layer: ours.inputs('N', 3), max_examples=2)\n"
        "def test_turned():\n"
        "    check_module(Turned, shape=(4, 3))\n"
        "def test_turned_far_away():\n"
        "    check_module(Far(), shape=(4, 3))\n"
        "def test_turned_misspelt():\n"
        "    check_module(Misspelt(), shape=(4, 3))\n"
    )
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path]
    only = ["-k", "gradInput or test_turned or (Forgets and any_order)"]
    made = subprocess.run([*run, *only, path], capture_output=True, text=True, cwd=tmp_path).stdout
    shown = [line[1:].strip() for line in made.splitlines() if line.startswith(">")]
    drawn = ["TestDrawn = module_contract("]
    assert shown == [
        "TestTurned = module_contract(Turned, shape=(4, 3))",
        "TestLoss = criterion_contract(Loss, np.ones((4, 3)), np.zeros((4, 3)))",
        "TestForgets = module_contract(Forgets(3, 2), shape=(4, 3))",
        *drawn * 2,
        "check_module(Turned, shape=(4, 3))",
        "check_module(Far(), shape=(4, 3))",
        "def updateOutput(self, input): return inptu",
        "check_module(Misspelt(), shape=(4, 3))",
    ]
    assert "test_mine.py::TestTurned::test_gradInput - " in made
    assert "test_mine.py::test_turned - torchlite.testing.violations.Gradient" in made
    assert "hidden" not in made
    assert "torchlite/testing/" not in made.replace("\\", "/")


def test_contract_classes_find_faults_and_honour_exemptions():
    wrong = module_contract(
        ours.builds(AveragesBias, ours.sizes(), ours.sizes()),
        input=lambda layer: ours.inputs("N", layer.weight.shape[1]),
        max_examples=30,
    )
    with pytest.raises(GradientMismatch, match="averaged instead of summed"):
        wrong().test_gradParameters()
    assert not hasattr(TestReLU, "test_duck")
    assert {f"test_{name}" for name in PROPERTIES} | {"test_any_order"} == {
        name for name in dir(TestLinear) if name.startswith("test_")
    }


def test_tables_have_arrays_of_one_shape():
    drawn = find(ours.tables("N", 2, smallest=3), lambda table: table[1].any())
    assert [array.shape for array in drawn] == [(1, 2)] * 3
    with pytest.raises(NoSuchExample):
        find(ours.tables(1, largest=2), lambda table: len(table) > 2)


def test_notes_and_kinks_are_events_of_hypothesis(monkeypatch):
    events = []
    monkeypatch.setattr(drawn, "event", events.append)
    for layer in (Absolute(), nn.ReLU()):
        tests = module_contract(
            layer, input=lambda layer: just(np.array([[0.0, 1, -1, 2]])), max_examples=1
        )
        tests().test_gradInput()
    assert set(events) == {
        "gradInput: central differences, because complex input fails: "
        "the output of a complex input is real",
        "gradInput: some entries at kinks",
    }


def test_any_order_finds_what_only_an_order_shows():
    class ZeroesEverySecondTime(nn.Linear):
        def zeroGradParameters(self):
            self.asked = not getattr(self, "asked", False)
            return super().zeroGradParameters() if self.asked else self

    wrong = module_contract(
        ZeroesEverySecondTime(2, 2), input=lambda layer: ours.inputs("N", 2), max_examples=20
    )
    with pytest.raises(ContractViolation, match="after other calls it gives other numbers"):
        wrong().test_any_order()
    wrong = module_contract(lambda: ZeroesEverySecondTime(2, 2), shape=(3, 2))
    with pytest.raises(ContractViolation, match=r"; done: \w+\(.*zero\(\)") as caught:
        wrong().test_any_order()
    assert caught.value.method == "zeroGradParameters"


# ---------------------------------------------------------------- Torch7's tools


def test_a_parameter_with_gaps_cannot_be_moved():
    layer = nn.Linear(3, 2)
    layer.weight = np.ones((2, 6))[:, :3]
    with pytest.raises(SettingError) as caught:
        jacobian.forward(layer, np.zeros((4, 3)), layer.weight)
    assert str(caught.value) == "jacobian.forward: param must be contiguous, got a view with gaps"


def test_jacobian_tools():
    layer, x = nn.Linear(3, 2), np.zeros((4, 3))
    assert jacobian.testJacobian(layer, x) < 1e-8
    assert jacobian.testJacobianParameters(layer, x, layer.weight, layer.gradWeight) < 1e-8
    assert jacobian.testJacobianUpdateParameters(layer, x, layer.bias) < 1e-8
    for weight, gradient in (("weight", "gradWeight"), ("bias", "gradBias")):
        errors = jacobian.testAllUpdate(layer, x, weight, gradient)
        assert len(errors) == 4
        assert max(errors.values()) < 1e-12
    assert jacobian.testIO(layer, x) == (0, 0)
    wrong = AveragesBias(3, 2)
    assert jacobian.testJacobianParameters(wrong, x, wrong.bias, wrong.gradBias) > 0.5


# ---------------------------------------------------------------- the strict array


def test_ducks_refuse_the_host():
    duck = Duck(np.ones((2, 2)))
    for wrong in (
        lambda: np.asarray(duck),
        lambda: list(duck),
        lambda: duck + np.ones((2, 2)),
        lambda: np.where(np.ones((2, 2), bool), duck, 0),
        lambda: float(duck),
        lambda: duck.__setitem__(0, np.ones(2)),
        lambda: np.concatenate([duck, np.ones((2, 2))]),
        lambda: np.float64(1) < duck,  # of which NumPy makes an array without dimensions
        lambda: np.max(duck, initial=0),
        lambda: duck.sum(where=duck > 0),
        lambda: np.add(duck, 1, where=duck > 0),
        lambda: np.empty_like(duck, subok=False),
    ):
        with pytest.raises(TypeError):
            wrong()
    for right in (
        duck @ duck,
        np.where(duck > 0, duck, 0),
        np.zeros_like(duck),
        np.empty(3, like=duck),
        duck.sum(axis=0),
        duck[:, None],
        np.concatenate([duck, duck]),
    ):
        assert isinstance(right, Duck)
    assert duck.sum().item() == 4


# ---------------------------------------------------------------- the page


def test_the_page_tells_the_numbers_that_the_checker_goes_by():
    page = (Path(__file__).parents[1] / "docs" / "checker.md").read_text("utf-8")
    (*factors, factor), (*samples, most) = variations.FACTORS, variations.SAMPLES
    two, one = variations.FEWER
    told = [
        f"`f(x + {slopes.COMPLEX_STEP}j)`, divided by `{slopes.COMPLEX_STEP}`",
        f"may be off by {subject.ROUNDING} of the magnitudes",
        f"by {oracle.FLOOR} of the largest gradient",
        f"Arrays of more than {oracle.FEW} entries ({oracle.FEW_OF_LARGE} where a module has more",
        f"With more than {module_subject.LARGE:,} numbers",
        f"at the input times {', '.join(factors)} and {factor}, at -|input|",
        f"with {two} samples, with {', '.join(map(str, samples))} and {most} samples",
        f"of a criterion with {one}; with",
        f"numbers up to {guards.MOST}, in",
        f"with {one} and {two} where there is a third",
        f"with {variations.STEPS} entries along the second axis",
    ]
    assert [text for text in told if text not in " ".join(page.split())] == []


# ---------------------------------------------------------------- the command


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_layers.py"
    path.write_text(
        "import torchlite as nn\n"
        "class Right(nn.Linear):\n"
        "    pass\n"
        "class Wrong(nn.Linear):\n"
        "    def updateGradInput(self, input, gradOutput):\n"
        "        self.gradInput = -super().updateGradInput(input, gradOutput)\n"
        "        return self.gradInput\n"
    )
    return path


def test_the_command(file, capsys):
    arguments = ["--args", "3,2,bias=False", "--input", "4,3"]
    assert main(["check", f"{file}:Right", *arguments]) == 0
    assert capsys.readouterr().out == (
        f"Right(3 -> 2) without bias: {len(PROPERTIES)} properties hold, 1 parameter\n"
    )
    assert main(["check", f"{file}:Wrong", *arguments]) == 1
    out = capsys.readouterr().out
    assert out.startswith(
        "GradientMismatch: Wrong(3 -> 2) without bias: updateGradInput: "
        "gradInput is not the derivative.\n"
    )
    assert "pattern: got = -expected -> wrong sign?" in out
    assert main(["check", f"{file}:Wrong", *arguments, "--only", "gradParameters"]) == 0
    capsys.readouterr()
    assert main(["check", "torchlite.nn:Identity", "--input", "4,3 4,2"]) in (0, 1)
    capsys.readouterr()
    for bad in (f"{file}:Missing", "no.such.module:X", "nothing"):
        assert main(["check", bad, *arguments]) == 2
        assert capsys.readouterr().err.startswith("check: ")
    assert main(["check", f"{file}:Right", "--args", "3,2", "--input", "4,4"]) == 2
    assert "input must be (3,) or (N, 3), got (4, 4)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["3) + (2", "3)(2", "3), (2", "3).f(2", "3,,2", "n", "*3", "**{'bias': 1}", "3\0"]
)
def test_the_command_refuses_what_are_no_arguments(text, file, capsys):
    """The same under python -O, which leaves assertions out."""
    assert main(["check", f"{file}:Right", "--args", text, "--input", "4,3"]) == 2
    assert capsys.readouterr().err == (
        "check: SettingError: check: --args must be a constructor's arguments as in Python, "
        f"literals alone, got {text!r}\n  hint: --args 3,bias=False\n"
    )


@pytest.mark.parametrize("text", ["a", "4,", "4;3", "-4,3"])
def test_the_command_refuses_what_is_no_shape(text, file, capsys):
    assert main(["check", f"{file}:Right", "--args", "3,2", f"--input=4,3 {text}"]) == 2
    assert capsys.readouterr().err == (
        "check: SettingError: check: --input must be a shape, or several with blanks between "
        f"them, got {text!r}\n  hint: '5x3 5x2', 'ids:5x3<10' for whole numbers below 10, "
        "signs:5, unit:5x3, 'pairs:4<10'\n"
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MSECriterion", ["--input", "5x3", "--target", "5,3"]),
        ("ClassNLLCriterion", ["--input", "5x3", "--target", "ids:5<3"]),
        ("HingeEmbeddingCriterion", ["--input", "5", "--target", "signs:5"]),
        ("BCECriterion", ["--input", "unit:5x3", "--target", "unit:5x3"]),
        ("CosineEmbeddingCriterion", ["--input", "5x3 5x3", "--target", "signs:5"]),
        ("L1Cost", ["--input", "5x3"]),
    ],
)
def test_the_command_takes_criterions(name, options, capsys):
    status = main(["check", f"torchlite.nn:{name}", *options])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert out.startswith(f"{name}: {len(CRITERION_PROPERTIES)} properties hold\n")


def test_the_command_takes_whole_numbers_and_tables(capsys):
    lookup = ["check", "torchlite.nn:LookupTable", "--args", "10,4", "--level", "strict"]
    assert main([*lookup, "--input", "ids:5x3<10"]) == 0
    assert main([*lookup, "--input", "5x3<10"]) == 0
    assert main(["check", "torchlite.nn:Index", "--args", "0", "--input", "5x3 ids:4<5"]) == 0
    assert "properties hold" in capsys.readouterr().out
    assert main(["check", "torchlite.nn:ReLU", "--input", "5x3", "--target", "5x3"]) == 2
    assert capsys.readouterr().err == (
        "check: SettingError: check: --target must be left out for a layer; criterions have one, "
        "got '5x3'\n"
    )


@pytest.mark.parametrize("input", ["pairs:4<10", "pairs:5x4<10", "pairs:4<10 pairs:2<10"])
def test_the_command_takes_rows_of_an_index_and_its_value(input, capsys):
    """A sample, a batch of them, and a table of two."""
    sparse = ["check", "torchlite.nn:SparseLinear", "--args", "10,3", "--level", "strict"]
    assert main([*sparse, "--input", input]) == 0
    assert "properties hold, 2 parameters" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["pairs:5", "ids:5x3", "signs:5<3", "unit:5<3", "idx:5<3", "5x<3", "5x3<"]
)
def test_the_command_refuses_kinds_that_it_does_not_have(text, capsys):
    assert main(["check", "torchlite.nn:ReLU", "--input", text]) == 2
    assert f"between them, got {text!r}\n" in capsys.readouterr().err


def test_the_command_asks_by_level_and_for_all(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "import numpy as np, torchlite as nn\n"
        "class Converts(nn.ReLU):\n"
        "    def updateOutput(self, input):\n"
        "        self.output = np.asarray(input) * (np.asarray(input) > 0)\n"
        "        return self.output\n"
        "class Twice(nn.Linear):\n"
        "    def updateParameters(self, learningRate):\n"
        "        return super().updateParameters(2 * learningRate)\n"
    )
    converts = ["check", f"{tmp_path / 'mine.py'}:Converts", "--input", "4x3"]
    assert main(converts) == 0
    assert "\n  advice, duck: Converts: " in capsys.readouterr().out
    assert main([*converts, "--level", "strict"]) == 1
    capsys.readouterr()
    twice = ["check", f"{tmp_path / 'mine.py'}:Twice", "--args", "3,2", "--input", "4x3"]
    assert main([*twice, "--level", "gradients"]) == 0
    capsys.readouterr()
    assert main([*twice, "--all"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("ContractViolations: ")
    assert out.count("Twice(3 -> 2): updateParameters: ") == 1
    assert out.count("Twice(3 -> 2): accUpdateGradParameters: ") == 1


def test_the_command_tells_where_in_the_file_an_error_is(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("import torchlite as nn\n\nnn.Linear(3, 2)\n1 / 0\n")
    assert main(["check", f"{path}:Any", "--input", "4x3"]) == 2
    assert capsys.readouterr().err == (
        f"check: ZeroDivisionError: division by zero\n  {path}:4, <module>: 1 / 0\n"
    )
    path.write_text(
        "import torchlite as nn\n"
        "class Any(nn.Linear):\n"
        "    def __init__(self):\n"
        "        super().__init__(3, 'two')\n"
    )
    assert main(["check", f"{path}:Any", "--input", "4x3"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("got 'two'")
    assert said[1:] == [f"  {path}:4, __init__: super().__init__(3, 'two')"]
    path.write_text("class Any(:\n")
    assert main(["check", f"{path}:Any", "--input", "4x3"]) == 2
    assert "(broken.py, line 1)" in capsys.readouterr().err


def test_a_file_named_as_a_module_hides_none(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = tmp_path / "random.py"
    path.write_text(
        "import random\n"
        "import torchlite as nn\n"
        "from helpers_beside_it import Base\n"
        "class Mine(Base):\n"
        "    lots = random.Random(0).random()\n"
    )
    (tmp_path / "helpers_beside_it.py").write_text("from torchlite.nn import ReLU as Base\n")
    before = sys.modules["random"]
    # Pickled and read again, too.
    assert main(["check", f"{path}:Mine", "--input", "4x3"]) == 0
    assert capsys.readouterr().out == f"Mine: {len(PROPERTIES)} properties hold, no parameters\n"
    assert sys.modules["random"] is before


# ---------------------------------------------------------------- methods of a layer's own


def test_a_part_is_checked_with_the_methods_that_stand_on_itself():
    """What the checker shadows in between, it puts back."""
    net = nn.Sequential(nn.Identity(), nn.Linear(3, 2))
    net[0].updateOutput = lambda input: 2 * input
    with pytest.raises(GradientMismatch) as caught:
        check_module(net, shape=(4, 3), only=["gradInput", "none"])
    assert str(caught.value).startswith("net[0] Identity: updateGradInput: gradInput is not the ")
    net[0].updateGradInput = lambda input, gradOutput: 2 * gradOutput
    check_module(net, shape=(4, 3), only=["gradInput"])


# ---------------------------------------------------------------- parameters that nobody lists


class Shift(nn.Module):
    """A shift of which `hold` tells where it and its gradient stand."""

    def __init__(self):
        self.hold(np.array([1.5, -2.0]), np.zeros(2))

    def hold(self, shift, gradient):
        self.shift, self.gradShift = shift, gradient

    def held(self):
        return self.shift, self.gradShift

    def updateOutput(self, input):
        self.output = input + self.held()[0]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.held()[1][...] += scale * gradOutput.sum(axis=0)


class InDictionaries(Shift):
    def hold(self, shift, gradient):
        self.params, self.grads = {"shift": shift}, {"shift": gradient}

    def held(self):
        return self.params["shift"], self.grads["shift"]


class InObject(Shift):
    def hold(self, shift, gradient):
        self.entry = types.SimpleNamespace(value=shift, grad=gradient)

    def held(self):
        return self.entry.value, self.entry.grad


class InTuples(Shift):
    def hold(self, shift, gradient):
        self.pairs = [(shift, gradient)]

    def held(self):
        return self.pairs[0]


class UnderCourseNames(Shift):
    def hold(self, shift, gradient):
        self.b, self.db = shift, gradient

    def held(self):
        return self.b, self.db


class OneNumber(Shift):
    """Python's numbers."""

    def __init__(self):
        self.shift, self.gradShift = 1.5, 0.0

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradShift += scale * float(gradOutput.sum())


class NeverTrained(Shift):
    def accGradParameters(self, input, gradOutput, scale=1):
        pass


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Shift, "shift has a gradient, but parameters() does not return both."),
        (
            InDictionaries,
            "backward adds to grads['shift'], but parameters() does not return it.",
        ),
        (InTuples, "backward adds to pairs[0][1], but parameters() does not return it."),
        (InObject, "backward adds to entry.grad, but parameters() does not return it."),
        (UnderCourseNames, "b has a gradient, but parameters() does not return both."),
        (OneNumber, "shift has a gradient, but parameters() does not return both."),
        (NeverTrained, "shift has a gradient, but parameters() does not return both."),
    ],
)
def test_what_parameters_leaves_out(kind, problem):
    found = violation(kind, shape=(4, 2))
    assert str(found).splitlines()[0] == (
        f"{kind.__name__}: parameters: {problem} Return them, or say in its docstring what stays "
        "as it is."
    )
    assert found.property == "update"


class Features(nn.Module):
    """A layer on top of another one."""

    def __init__(self):
        self.features, self.top = nn.Linear(2, 3), nn.Linear(3, 2)

    def parameters(self):
        return self.top.parameters()

    def updateOutput(self, input):
        self.output = self.top.updateOutput(self.features.updateOutput(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        hidden = self.features.updateOutput(input)
        inner = self.top.updateGradInput(hidden, gradOutput)
        self.gradInput = self.features.updateGradInput(input, inner)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.top.accGradParameters(self.features.updateOutput(input), gradOutput, scale)


class SaysSo(Features):
    def parameters(self):
        """Return those of top: the features are frozen."""
        return super().parameters()


class SaysSomethingElse(Features):
    def parameters(self):
        """Return those of top, but not twice."""
        return super().parameters()


class FrozenShift(Shift):
    def parameters(self):
        return [], []


class WithResults(Shift):
    """The results, statistics and counts that a layer keeps are no parameters."""

    def __init__(self):
        super().__init__()
        self.hidden, self.gradHidden = np.zeros((4, 2)), np.zeros((4, 2))
        self.calls, self.seen, self.squares = np.zeros(1), np.zeros(2), np.zeros(2)

    def parameters(self):
        return [self.shift], [self.gradShift]

    def updateOutput(self, input):
        self.hidden = input.copy()
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        self.gradHidden = gradOutput.copy()
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        self.calls += 1
        self.seen = self.seen + input.sum()
        self.squares = self.squares + (gradOutput**2).sum()
        super().accGradParameters(input, gradOutput, scale)


def test_what_parameters_leaves_out_on_purpose_it_says():
    for kind in (Features, SaysSomethingElse):
        assert violation(kind, shape=(4, 2), only="update").problem == (
            "features.weight has a gradient, but parameters() does not return both. Return them, "
            "or say in its docstring what stays as it is."
        )
    for kind in (SaysSo, FrozenShift, WithResults):
        check_module(kind, shape=(4, 2), only="update")
    frozen = nn.Linear(2, 2)
    frozen.parameters = lambda: ([], [])
    check_module(nn.Sequential(frozen), shape=(4, 2), only="update")


# ---------------------------------------------------------------- what draws elsewhere

RNG = np.random.default_rng(0)


class Drops(nn.Module):
    """A dropout, with random numbers from where it is told."""

    def __init__(self, draw):
        self.draw = draw
        self.rng = np.random.default_rng(0)
        self.old = np.random.RandomState(0)
        self.own = stdlib_random.Random(0)

    def updateOutput(self, input):
        self.mask = (self.draw(self, input.shape) < 0.5) * 2.0
        self.output = input * self.mask if self.train else input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.mask if self.train else gradOutput
        return self.gradInput


class DropsByFile(Drops):
    def __init__(self):
        super().__init__(lambda layer, shape: RNG.random(shape))

    def updateOutput(self, input):
        return super().updateOutput(input) if RNG else None


class DropsAnew(Drops):
    def __init__(self):
        super().__init__(lambda layer, shape: layer.made().random(shape))

    def made(self):
        return np.random.default_rng()


def of_python(draw):
    return lambda layer, shape: np.reshape([draw(layer) for _ in range(math.prod(shape))], shape)


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        (Drops(lambda layer, shape: np.random.random(shape)), "np.random"),
        (Drops(lambda layer, shape: layer.rng.random(shape)), "np.random"),
        (Drops(lambda layer, shape: layer.old.random_sample(shape)), "np.random"),
        (DropsByFile(), "np.random"),
        (DropsAnew(), "np.random"),
        (Drops(of_python(lambda layer: stdlib_random.random())), "Python's random"),
        (Drops(of_python(lambda layer: layer.own.random())), "Python's random"),
    ],
)
def test_what_draws_elsewhere_is_told_to_draw_from_torchlite(layer, source):
    found = violation(layer, shape=(5, 4))
    assert str(found).splitlines()[0] == (
        f"{type(layer).__name__}: updateOutput: it draws from {source}, which manualSeed does not "
        "seed. Draw from torchlite.random."
    )


# ---------------------------------------------------------------- layers of two modes


def test_the_other_mode_is_checked_where_anything_differs_in_it():
    """Outputs that are the same do not make modes the same."""

    class WritesInEvaluation(nn.Module):
        mode = property(lambda self: vars(self).get("tr" + "ain", True))

        def updateOutput(self, input):
            self.output = np.maximum(input, 0, out=None if self.mode else input)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * (input > 0)
            return self.gradInput

    found = violation(WritesInEvaluation(), shape=(5, 3), only="mutation")
    assert str(found).splitlines()[0] == (
        "WritesInEvaluation in evaluation mode: updateOutput: it changed its input."
    )
    subject = ModuleSubject(nn.ReLU(), np.ones((2, 3)))
    assert len(subject.variants()) == 1


def test_the_mask_is_that_of_the_last_forward():
    found = violation(DroppedWithLastMask(), shape=(5, 3))
    assert str(found).splitlines()[0] == (
        "DroppedWithLastMask: updateGradInput: after two forwards of one input it takes the "
        "mask, or noise, of the first."
    )


def test_a_property_alone_draws_what_it_draws_among_all():
    """What `reproduce` says shows the same numbers again."""
    layer = AveragesBias(3, 2)
    found = violation(layer, shape=(4, 3))
    assert str(violation(layer, shape=(4, 3), only=found.property)) == str(found)


# ---------------------------------------------------------------- layers that remember


def test_remembering_layers_may_refuse_instead():
    class Masks(nn.Module):
        """Dropout as a user would write it."""

        remembers = True
        transient = (*nn.Module.transient, "mask", "of")
        mask = of = None

        def updateOutput(self, input):
            mask = torchlite.random.bernoulli(0.5, out=np.empty_like(input))
            self.output = input * mask
            self.mask, self.of = mask, input
            return self.output

        def updateGradInput(self, input, gradOutput):
            if self.of is None or not np.array_equal(input, self.of):
                raise StateError("Masks.updateGradInput: input is not that of the last forward")
            self.gradInput = gradOutput * self.mask
            return self.gradInput

    report = check_module(Masks(), shape=(4, 5), exempt={"duck": "draws", "batch": "draws by row"})
    assert "gradInput" in report.passed


def documented(*lines, parameters=False):
    """Return a layer of these Maths that gives each sample minus the mean of its last dimension."""

    class Centred(nn.Identity):
        def updateOutput(self, input):
            self.output = input - input.mean(-1, keepdims=True)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput - gradOutput.mean(-1, keepdims=True)
            return self.gradInput

    Centred.__doc__ = "\n".join(["Centred.", "", "Maths", "-----", "::", "", *lines, ""])
    return Centred()


def test_maths_may_be_said_of_a_batch_or_of_a_sample():
    of_a_batch = documented("    output = input - input.mean(2, keepdims=True)")
    of_a_sample = documented("    output = input - input.mean(0)")
    of_neither = documented("    output = input - input.mean(-1, keepdims=True) / len(input)")
    check_module(of_a_batch, shape=(4, 3), only="maths")
    check_module(of_a_sample, shape=(4, 3), only="maths")
    found = violation(of_neither, shape=(4, 3), only="maths")
    assert found.problem == "the docstring's Maths gives another output."
    # The first violation is told, in the shapes that were given.
    assert found.context.startswith("input (4, 3)")
    of_a_batch.__class__.__doc__ = of_a_batch.__doc__.replace("(2", "(3")
    found = violation(of_a_batch, shape=(4, 3), only="maths")
    assert found.problem.startswith("its Maths raises AxisError in `output = input - input.mean(3")


def test_a_sample_does_not_hide_that_maths_forget_the_sum():
    class Weighted(nn.CMul):
        """Weighted.

        Maths
        -----
        ::

            output = input * weight
            gradWeight += scale * gradOutput * input
        """

    found = violation(Weighted(3), shape=(4, 3), only="maths")
    assert found.problem.startswith("its Maths raises ValueError in `gradWeight += scale * gradO")


def test_maths_of_one_sample_of_a_criterion_are_those_of_two():
    class Halved(nn.MultiMarginCriterion):
        __doc__ = nn.MultiMarginCriterion.__doc__.replace("gradInput = ", "gradInput = 0.5 * ")

    x = np.array([0.5, -1.0, 2.0])
    check_criterion(nn.MultiMarginCriterion(), x, 1, only="maths")
    with pytest.raises(ContractViolation) as caught:
        check_criterion(Halved(), x, 1, only="maths")
    assert str(caught.value).startswith(
        "Halved at two samples: updateGradInput: the docstring's Maths gives another gradInput."
    )


def test_what_is_switched_off_in_maths_changes_nothing():
    layer = nn.Linear(3, 3, bias=False)
    lines = ["a = input + bias", "b = bias[:, None] + input", "c = input * bias", "d = bias(input)"]
    names = maths.evaluate([*lines, "e = 1 if bias else 0"], layer, input=np.ones(3))
    assert [(names[name] == 1).all() for name in "abcd"] == [True] * 4
    assert names["e"] == 0


def test_sums_of_tables_in_maths():
    names = maths.evaluate(
        ["a = sum([[1, [2]], [3, [4]], [5, [6]]])", "b = sum(input)", "c = sum([])"],
        nn.Identity(),
        input=[np.ones(2), np.ones(2)],
    )
    assert (names["a"], list(names["b"]), names["c"]) == ([9, [12]], [2, 2], 0)


# ---------------------------------------------------------------- one sample, or a batch


def test_an_image_is_no_batch_of_planes():
    report = check_module(nn.SoftMax(), shape=(3, 2, 4))
    assert "batch" in report.passed
    assert "batch: checked with two samples, the input is one" in report.notes

    class Mixes(nn.SoftMax):
        """The first image's planes get the numbers of the second's."""

        def updateOutput(self, input):
            output = super().updateOutput(input)
            self.output = output + input[-1].sum() if input.ndim == 4 else output
            return self.output

    assert violation(Mixes(), shape=(3, 2, 4), only="batch").property == "batch"


class Mean(nn.Module):
    """Takes away the mean over the samples."""

    def updateOutput(self, input):
        self.output = input - input.mean(0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput - gradOutput.mean(0)
        return self.gradInput


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2)])
def test_a_batch_that_mixes_its_samples_is_none(shape):
    assert violation(Mean(), shape=shape, only="batch").property == "batch"


def test_a_matrix_and_a_vector_are_no_batch():
    report = check_module(nn.MV(), shape=[(2, 3), (3,)])
    assert "batch: not applicable, input and output have no common first dimension" in report.notes


def test_what_does_not_look_at_its_input_hides_nothing():
    check_module(nn.Constant(3.5), shape=(4, 3), only="nan")

    class Sign(nn.Module):
        """A constant for most inputs."""

        def updateOutput(self, input):
            self.output = 1.0 * (input > 0)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = 0 * gradOutput
            return self.gradInput

    assert violation(Sign(), np.ones((2, 2)), only="nan").problem == (
        "an input of NaN gives 0, which hides what went wrong."
    )


def test_without_docstrings_the_report_says_so(monkeypatch):
    monkeypatch.setattr(nn.Module, "__doc__", None)
    report = check_module(nn.ReLU, np.ones((3, 2)))
    assert "maths: not checked, python -OO leaves out the docstrings" in report.notes


class HalfWithMaths(nn.MulConstant):
    """Half of it.

    Maths
    -----
    ::

        output = input / 2
        gradInput = gradOutput / halves[0]
    """

    halves = ()

    def __init__(self):
        super().__init__(0.5)


class LossWithMaths(nn.MSECriterion):
    """A loss.

    Maths
    -----
    ::

        output = divided[0]
    """

    divided = ()


def test_maths_that_raises_is_said_to():
    with pytest.raises(ContractViolation) as caught:
        check_module(HalfWithMaths, shape=(3, 2), only="maths")
    assert str(caught.value).splitlines()[0] == (
        "HalfWithMaths: docstring: its Maths raises IndexError in "
        "`gradInput = gradOutput / halves[0]`: tuple index out of range"
    )
    with pytest.raises(ContractViolation) as caught:
        check_criterion(LossWithMaths, np.ones(3), np.zeros(3), only="maths")
    assert str(caught.value).splitlines()[0] == (
        "LossWithMaths: docstring: its Maths raises IndexError in `output = divided[0]`: "
        "tuple index out of range"
    )


def test_maths_of_a_criterion_that_names_what_is_not_there_is_not_checked(monkeypatch):
    doc = LossWithMaths.__doc__.replace("divided", "nowhere")
    monkeypatch.setattr(LossWithMaths, "__doc__", doc)
    report = check_criterion(LossWithMaths, np.ones(3), np.zeros(3), only="maths")
    assert "maths: not checked, output = nowhere[0]: Maths cannot name nowhere" in report.notes


class OfOneLabel(nn.Criterion):
    """The sum of each sample's negative score of its label."""

    def updateOutput(self, input, target):
        self._fit(input, target)
        self.output = -input[np.arange(len(input)), target].sum().item()
        return self.output

    def updateGradInput(self, input, target):
        self._fit(input, target)
        self.gradInput = np.zeros_like(input)
        self._subtract(self.gradInput, target)
        return self.gradInput

    def _fit(self, input, target):
        if target.shape != input.shape[:1] or target.dtype.kind not in "iu":
            raise ShapeError(f"target {target.shape} for input {input.shape}")

    def _subtract(self, gradInput, target):
        gradInput[np.arange(len(target)), target] -= 1


class OfAllLabels(OfOneLabel):
    def _subtract(self, gradInput, target):
        gradInput[:, target] -= 1


def test_samples_beside_the_only_one_have_other_labels():
    x, y = np.array([[1, 2, 0.5]]), np.array([1])
    check_criterion(OfOneLabel(), x, y)
    with pytest.raises(GradientMismatch) as caught:
        check_criterion(OfAllLabels(), x, y)
    assert caught.value.where.startswith("OfAllLabels at 9 samples at ")
