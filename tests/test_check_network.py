"""check_network: the gradients of a whole network, by the user's data, in its own dtype."""

import itertools
import pickle
import time
from typing import ClassVar

import numpy as np
import pytest
from bugs.examples import SecondPaysForFirst
from bugs.good_losses import BinaryOfScores
from bugs.hidden import GainBesideListedWeight, GammaNeverTrained
from sparse import SPARSE
from test_checker import AveragesBias

import torchlite
from torchlite import nn
from torchlite.testing import ContractViolation, GradientMismatch, check_network


class Half(nn.Tanh):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 0.5 * super().updateGradInput(input, gradOutput)
        return self.gradInput


class HalfLoss(nn.MSECriterion):
    def updateGradInput(self, input, target):
        self.gradInput = 0.5 * super().updateGradInput(input, target)
        return self.gradInput


class Coarse(nn.Tanh):
    """Right in float64."""

    def updateOutput(self, input):
        if input.dtype == np.float32:
            input = np.round(input * 64) / 64
        return super().updateOutput(input)


class SingleGradients(nn.Linear):
    """One in a hundred too much, in float32."""

    def accGradParameters(self, input, gradOutput, scale=1):
        scale *= 1.01 if input.dtype == np.float32 else 1
        super().accGradParameters(input, gradOutput, scale)


class Counts(nn.Identity):
    forwards = 0

    def updateOutput(self, input):
        Counts.forwards += 1
        return super().updateOutput(input)


def data(dtype="float64", rows=50):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 20)).astype(dtype), rng.normal(size=(rows, 3)).astype(dtype)


def around(middle, dtype="float64"):
    torchlite.random.manualSeed(0)
    return nn.Sequential(nn.Linear(20, 10), middle, nn.Linear(10, 3)).type(dtype)


def violation(net, criterion, *data):
    with pytest.raises(ContractViolation) as caught:
        check_network(net, criterion, *data)
    return caught.value


def first_line(net, criterion, *data):
    return str(violation(net, criterion, *data)).splitlines()[0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "middle",
    [
        nn.Tanh(),
        nn.ReLU(),
        nn.Abs(),
        nn.Dropout(0.5),
        nn.BatchNormalization(10),
        nn.Sequential(nn.Linear(10, 10), nn.ReLU(True)),
        nn.Sequential(nn.ConcatTable(nn.Identity(), nn.Tanh()), nn.CAddTable()),
    ],
    ids=lambda middle: type(middle).__name__,
)
def test_right_networks_pass(middle, dtype):
    report = check_network(around(middle, dtype), nn.MSECriterion(), *data(dtype))
    own = [name for name in report.passed if not name.startswith("net[1]")]
    assert own == ["net[0].weight", "net[0].bias", "net[2].weight", "net[2].bias", "input"]
    notes = ["in float32, too, beside float64 of the same numbers"] if dtype == "float32" else []
    assert report.notes == [*notes, "along random directions, by complex step"]


def test_the_report():
    net, (x, y) = around(nn.Tanh()), data()
    report = check_network(net, nn.MSECriterion(), x, y)
    loss = nn.MSECriterion().forward(net.forward(x), y)
    assert report.loss == loss
    assert str(report) == (
        f"Sequential under MSECriterion: loss {loss:.6g}, 5 gradients are right\n"
        "  along random directions, by complex step"
    )
    assert report.seconds > 0


def test_classes_and_ids():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.LookupTable(7, 4), nn.Mean(1), nn.Linear(4, 3), nn.LogSoftMax())
    ids, classes = rng.integers(0, 7, (6, 5)), rng.integers(0, 3, 6)
    report = check_network(net.float(), nn.ClassNLLCriterion(), ids, classes)
    # Of ids there is no gradient.
    assert report.passed == ["net[0].weight", "net[2].weight", "net[2].bias"]


def test_tables():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.ParallelTable(nn.Linear(3, 4), nn.Tanh()), nn.CMulTable())
    x = [rng.normal(size=(5, 3)), rng.normal(size=(5, 4))]
    report = check_network(net, nn.MSECriterion(), x, rng.normal(size=(5, 4)))
    assert report.passed == ["net[0][0].weight", "net[0][0].bias", "input"]
    net[0].modules[1] = Half()
    assert first_line(net, nn.MSECriterion(), x, rng.normal(size=(5, 4))) == (
        "net[0][1] Half: updateGradInput: gradInput is not the derivative of the loss by the input "
        "of net[0][1]."
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_layer_where_gradients_go_wrong_is_named(dtype):
    found = violation(around(AveragesBias(10, 10), dtype), nn.MSECriterion(), *data(dtype))
    assert type(found) is GradientMismatch
    lines = str(found).splitlines()
    assert lines[0] == (
        "net[1] AveragesBias(10 -> 10): accGradParameters: gradBias is not the derivative of the "
        "loss by net[1].bias."
    )
    assert "10 of 10 entries differ" in lines[1]
    assert found.pattern.startswith("got = expected / 50")
    assert lines[-2:] == [
        f"  input (50, 20) {dtype}, target (50, 3) {dtype}, network {dtype}, seed 0",
        "  reproduce: check_network(..., seed=0)",
    ]
    # What stands before it is wrong, too, and not its fault.
    found = violation(around(Half(), dtype), nn.MSECriterion(), *data(dtype))
    assert str(found).splitlines()[0] == (
        "net[1] Half: updateGradInput: gradInput is not the derivative of the loss by the input of "
        "net[1]."
    )
    assert found.got == pytest.approx(found.expected / 2)
    assert first_line(around(nn.Tanh(), dtype), HalfLoss(), *data(dtype)) == (
        "HalfLoss: updateGradInput: gradInput is not the derivative of the loss by net.output."
    )
    assert first_line(AveragesBias(20, 3), nn.MSECriterion(), *data()) == (
        "net AveragesBias(20 -> 3): accGradParameters: gradBias is not the derivative of the loss "
        "by net.bias."
    )


def test_the_nearest_to_the_loss_of_several_is_named():
    net = nn.Sequential(nn.Linear(20, 5), Half(), nn.Linear(5, 5), Half(), nn.Linear(5, 3))
    assert first_line(net, nn.MSECriterion(), *data()).startswith("net[3] Half: ")


def test_without_complex_numbers_central_differences_tell():
    class Absolute(nn.Module):
        off = 0.0

        def updateOutput(self, input):
            self.output = np.abs(input)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * (np.sign(input) + self.off)
            return self.gradInput

    layer = Absolute()
    check_network(around(layer), nn.MSECriterion(), *data())
    layer.off = 1e-4
    found = violation(around(layer), nn.MSECriterion(), *data())
    assert (found.where, found.oracle) == ("net[1] Absolute", "central differences")


def test_kinks_do_not_cry_wolf():
    x, y = data()
    net = around(nn.ReLU())
    net[0].bias[...] = 0
    net[0].weight[:5] = 0
    x[3:8] = 0
    report = check_network(net, nn.MSECriterion(), x, y)
    assert "beside its numbers, too, some of which lie at kinks" in report.notes
    check_network(net, nn.AbsCriterion(), x, np.zeros_like(y) + net.forward(x))
    # A fault is found all the same.
    net.modules[0] = AveragesBias(20, 10)
    net[0].bias[...] = 0
    assert violation(net, nn.MSECriterion(), x, y).where == "net[0] AveragesBias(20 -> 10)"

    class WholeNumbers(nn.Identity):
        def updateOutput(self, input):
            if (input % 1).any():
                raise ValueError("whole numbers only")
            return super().updateOutput(input)

    report = check_network(WholeNumbers(), nn.MSECriterion(), np.ones((2, 2)), np.zeros((2, 2)))
    assert "hardly checked, so much lies at kinks: pass other data" in report.notes


class SteepAtZero(nn.Abs):
    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        self.gradInput = np.where(input == 0, 3 * gradOutput, gradInput)
        return self.gradInput


class DownhillAtZero(nn.ReLU):
    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        self.gradInput = np.where(input == 0, -4 * gradOutput, gradInput)
        return self.gradInput


class SteepAtTarget(nn.AbsCriterion):
    def updateGradInput(self, input, target):
        gradInput = super().updateGradInput(input, target)
        self.gradInput = np.where(input == target, -3 / input.size, gradInput)
        return self.gradInput


def images(dtype="float64"):
    """Most of them zeros, and some nothing else."""
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(40, 64)) - 0.3, 0).astype(dtype)
    x[:5] = 0
    return x, rng.integers(0, 3, 40)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", [SteepAtZero, DownhillAtZero])
def test_slopes_that_are_wrong_at_zeros_of_the_data_alone(kind, dtype):
    x, y = images(dtype)
    torchlite.random.manualSeed(0)
    for net, where in (
        (nn.Sequential(kind(), nn.Linear(64, 3), nn.LogSoftMax()), f"net[0] {kind.__name__}"),
        (
            nn.Sequential(nn.Linear(64, 9, bias=False), nn.Sequential(kind()), nn.Linear(9, 3)),
            f"net[1][0] {kind.__name__}",
        ),
    ):
        found = violation(net.type(dtype), nn.CrossEntropyCriterion(), x, y)
        assert (found.where, found.method) == (where, "updateGradInput")
        assert found.reproduce == "check_network(..., seed=0)"


def test_slopes_of_a_loss_that_are_wrong_at_its_target_alone():
    x, _ = images()
    net = nn.Sequential(nn.Linear(64, 3, bias=False))
    target = np.ones((40, 3))
    target[:5] = 0
    found = violation(net, SteepAtTarget(), x, target)
    assert (found.where, found.method) == ("SteepAtTarget", "updateGradInput")
    check_network(net, nn.AbsCriterion(), x, target)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [(nn.PReLU, 9), (nn.PReLU, 26), (nn.PReLU, 28), (nn.ReLU, 0), (nn.Abs, 0), (nn.ReLU6, 0)],
)
def test_zeros_of_the_data_do_not_cry_wolf(kind, seed):
    """What the sides of many kinks add up to may cancel along one direction."""
    x, y = images()
    torchlite.random.manualSeed(seed)
    net = nn.Sequential(kind(), nn.Linear(64, 3), nn.LogSoftMax())
    check_network(net, nn.ClassNLLCriterion(), x, y, seed=seed)


def test_gradients_that_nearly_cancel_do_not_cry_wolf():
    """Near the minimum their terms are large, their sum is not."""
    x, y = data()
    net = nn.Linear(20, 3)
    solution = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0]
    net.weight[...], net.bias[...] = solution[:-1].T, solution[-1]
    for dtype in ("float64", "float32"):
        check_network(net.type(dtype), nn.MSECriterion(), x.astype(dtype), y.astype(dtype))


def test_gradients_that_are_zero_but_for_rounding():
    """What is added before a mean is taken off makes no difference."""
    for rows in (4, 50, 500):
        x, y = data(rows=rows)
        net = nn.Sequential(nn.Linear(20, 10), nn.BatchNormalization(10), nn.Linear(10, 3))
        net[0].weight[...] = np.round(net[0].weight * 16) / 16
        check_network(net, nn.MSECriterion(), np.round(x * 4) / 4, np.round(y * 4) / 4)
        net[2].weight[...] = 0
        check_network(net, nn.MSECriterion(), x, y)


def test_tails_that_complex_steps_lack_do_not_cry_wolf():
    rng = np.random.default_rng(0)
    for seed in range(5):
        x, y = rng.uniform(16, 20, (4, 3)), rng.integers(0, 2, (4, 3)).astype(float)
        check_network(nn.Identity(), BinaryOfScores(), x, y, seed=seed)


@pytest.mark.parametrize("seed", range(8))
def test_equal_errors_do_not_cancel(seed):
    x = data()[0]
    net = nn.Sequential(nn.Identity(), SecondPaysForFirst())
    with pytest.raises(GradientMismatch) as caught:
        check_network(net, nn.MSECriterion(), x, np.zeros_like(x), seed=seed)
    assert (caught.value.where, caught.value.index[0]) == ("net[1] SecondPaysForFirst", 0)


def test_low_precision_is_compared_with_float64():
    found = violation(
        around(SingleGradients(10, 10), "float32"), nn.MSECriterion(), *data("float32")
    )
    assert found.problem == (
        "in float32 gradWeight, by net[1].weight, is off by 0.01 of its size from what float64 "
        "gives."
    )
    assert found.where == "net[1] SingleGradients(10 -> 10)"
    found = violation(around(Coarse(), "float32"), nn.MSECriterion(), *data("float32"))
    assert (found.where, found.method) == ("net[1] Coarse", "updateOutput")
    assert found.problem.startswith("in float32 the output is off by ")


def test_a_loss_that_is_no_number():
    net, (x, y) = around(nn.Log()), data()
    assert first_line(net, nn.MSECriterion(), x, y) == (
        "net[1] Log: updateOutput: its output has 223 of 500 entries that are no numbers; "
        "the loss is nan."
    )
    huge = nn.Sequential(nn.Linear(20, 3), nn.MulConstant(1e200))
    assert first_line(huge, nn.MSECriterion(), x, y) == (
        "MSECriterion: updateOutput: the loss is inf, no number."
    )


class LosesGradInput(nn.Tanh):
    """Has one entry in its gradInput that is no number."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput).copy()
        self.gradInput[0, 0] = np.nan
        return self.gradInput


class LosesGradBias(nn.Linear):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.gradBias[0] = np.inf


class LosesGradOutput(nn.MSECriterion):
    def updateGradInput(self, input, target):
        self.gradInput = super().updateGradInput(input, target).copy()
        self.gradInput[-1] = np.nan
        return self.gradInput


def test_who_made_the_first_number_that_is_none_on_the_way_back():
    x, y = data()
    net = nn.Sequential(nn.Linear(20, 4), nn.Tanh(), nn.Sequential(LosesGradInput()))
    net.add(nn.Linear(4, 3)).add(nn.Tanh())
    found = violation(net, nn.MSECriterion(), x, y)
    assert (found.where, found.method) == ("net[2][0] LosesGradInput", "updateGradInput")
    assert found.problem.startswith(
        "its gradInput has 1 of 200 entries that are no numbers; the loss is "
    )
    assert found.hint.startswith("at [0, 0] its input is ")
    assert found.hint.endswith("its gradInput nan")
    net.modules[3] = LosesGradBias(4, 3)
    found = violation(net, nn.MSECriterion(), x, y)
    assert (found.where, found.method) == ("net[3] LosesGradBias(4 -> 3)", "accGradParameters")
    assert found.problem.startswith("its gradBias has 1 of 3 entries that are no numbers; ")
    found = violation(net, LosesGradOutput(), x, y)
    assert (found.where, found.method) == ("LosesGradOutput", "updateGradInput")


def test_numbers_that_are_none_in_the_data_or_in_a_parameter():
    net, (x, y) = around(nn.Tanh()), data()
    x[1, 2], y[0, 0] = np.inf, np.nan
    for input, target, said in (
        (x, y, "input: it has 1 of 1000"),
        (np.zeros_like(x), y, "target: it has 1 of 150"),
    ):
        assert first_line(net, nn.MSECriterion(), input, target) == (
            f"the data: {said} entries that are no numbers."
        )
    net[2].weight[0] = np.nan
    found = violation(net, nn.MSECriterion(), *data())
    assert (found.where, found.method) == ("net[2] Linear(10 -> 3)", "updateOutput")
    assert found.hint == "its weight has 10 of 30 entries that are no numbers"


@pytest.mark.parametrize("doGradInput", [False, True])
@pytest.mark.parametrize("name", SPARSE)
def test_what_is_read_as_sparse_has_no_gradient_by_its_entries(name, doGradInput):
    kind, input = SPARSE[name]
    torchlite.random.manualSeed(0)
    layer = kind(5, 2, doGradInput).reset()
    output = layer.forward(input)
    target = np.zeros_like(output)
    alone = check_network(layer, nn.MSECriterion(), input, target)
    assert alone.passed == ["net.weight", "net.bias"]
    inside = check_network(nn.Sequential(layer, nn.Tanh()), nn.MSECriterion(), input, target)
    assert inside.passed == ["net[0].weight", "net[0].bias"]
    said = f"but gradInput of net[0] {kind.__name__}: it is not by the entries of input"
    assert inside.notes[0] == said


@pytest.mark.parametrize("name", ["rows", "lists of keys"])
def test_beside_what_is_read_as_sparse_all_is_asked(name):
    kind, input = SPARSE[name]
    torchlite.random.manualSeed(0)
    layer = kind(5, 2, True).reset()
    output = layer.forward(input)
    target, dense = np.zeros_like(output), np.ones((*output.shape[:-1], 3))
    wide = nn.Sequential(nn.ParallelTable(layer, nn.Linear(3, 2)), nn.CAddTable(), nn.ReLU())
    assert check_network(wide, nn.MSECriterion(), [input, dense], target).passed[4:] == ["input"]
    wide[0].modules[1] = Twice(3, 2)
    found = violation(wide, nn.MSECriterion(), [input, dense], target + 9)
    assert (found.where, found.method) == ("net[0][1] Twice(3 -> 2)", "updateGradInput")
    wide[0].modules[1], layer.bias[:] = nn.Linear(3, 2), 9
    layer.__class__ = type("Twofold", (_TwiceTheWeight, kind), {})
    found = violation(wide, nn.MSECriterion(), [input, dense], target)
    assert (found.where, found.method) == ("net[0][0] Twofold", "accGradParameters")


class Twice(nn.Linear):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * super().updateGradInput(input, gradOutput)
        return self.gradInput


class _TwiceTheWeight:
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, 2 * scale)


class Bag(nn.Linear):
    """Sums of rows, by ids that are numbers like all others."""

    exempt: ClassVar = {"gradInput": "there is none by ids"}

    def _hot(self, input):
        return np.eye(self.weight.shape[1])[input.real.astype(int)].sum(-2)

    def updateOutput(self, input):
        return super().updateOutput(self._hot(input))

    def updateGradInput(self, input, gradOutput):
        self.gradInput = []
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(self._hot(input), gradOutput, scale)


def test_an_exempt_gradInput_of_another_shape_is_not_asked_and_one_of_this_shape_is():
    ids, y = np.array([[0.0, 2.0], [1.0, 1.0]]), np.zeros((2, 2))
    report = check_network(nn.Sequential(Bag(3, 2), nn.Tanh()), nn.MSECriterion(), ids, y)
    assert report.passed == ["net[0].weight", "net[0].bias"]
    Undeclared = type("Undeclared", (Bag,), {"exempt": {}})
    net = nn.Sequential(Undeclared(3, 2), nn.Tanh())
    assert first_line(net, nn.MSECriterion(), ids, y) == (
        "net Sequential: updateGradInput: gradInput is [], expected (2, 2)."
    )
    turned = nn.Sequential(nn.Linear(2, 2), nn.GradientReversal())
    found = violation(turned, nn.MSECriterion(), ids, y)
    assert (found.where, found.method) == ("net[1] GradientReversal", "updateGradInput")


def test_much_data_takes_few_forwards_and_a_fault_not_many_more():
    Counts.forwards = 0
    x, y = data(rows=2000)
    net = nn.Sequential(nn.Linear(20, 300), nn.ReLU(), Counts(), nn.Linear(300, 3))
    check_network(net, nn.MSECriterion(), x, y)
    assert Counts.forwards < 30
    Counts.forwards = 0

    class OneEntryWrong(nn.Linear):
        def accGradParameters(self, input, gradOutput, scale=1):
            before = self.gradWeight[17, 2]
            super().accGradParameters(input, gradOutput, scale)
            self.gradWeight[17, 2] += 1e-3 * (self.gradWeight[17, 2] - before)

    net.modules[0] = OneEntryWrong(20, 300)
    found = violation(net, nn.MSECriterion(), x, y)
    assert found.index == (17, 2)
    assert "found by halving 6000 entries" in str(found)
    assert Counts.forwards < 150


def test_a_busy_machine_changes_no_answer(monkeypatch):
    net, (x, y) = around(AveragesBias(10, 10)), data()
    said = str(violation(net, nn.MSECriterion(), x, y))
    assert "10 of 10 entries differ" in said
    clock = itertools.count(step=1000.0)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    assert str(violation(net, nn.MSECriterion(), x, y)) == said


def test_nothing_is_touched():
    net, (x, y) = around(nn.Sequential(nn.Dropout(0.5), nn.BatchNormalization(10))), data()
    wrong = around(Half())
    net.getParameters()
    net.forward(x)
    net.backward(x, y)
    kept = pickle.dumps((net, x, y))
    output, state = net.output, torchlite.random.getRNGState()
    check_network(net, nn.MSECriterion(), x, y)
    violation(wrong, nn.MSECriterion(), x, y)
    assert pickle.dumps((net, x, y)) == kept
    assert net.output is output
    assert np.array_equal(torchlite.random.getRNGState(), state)


def test_arguments_that_cannot_be():
    with pytest.raises(TypeError, match="check_network: net must be a Module or what makes one"):
        check_network(nn.MSECriterion(), nn.MSECriterion(), *data())
    with pytest.raises(TypeError, match="check_network: criterion must be a Criterion or what"):
        check_network(nn.ReLU(), nn.ReLU(), *data())
    with pytest.raises(ValueError, match="input must be"):
        check_network(nn.Linear(4, 3), nn.MSECriterion(), *data())


@pytest.mark.parametrize(
    ("layer", "path"),
    [
        (lambda: GammaNeverTrained(10), "[1].gamma"),
        (lambda: GainBesideListedWeight(10, 10), "[1].gain"),
        (lambda: nn.Sequential(nn.Tanh(), GammaNeverTrained(10)), "[1][1].gamma"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_parameter_that_nobody_trains_is_named(layer, path, dtype):
    found = violation(around(layer(), dtype), nn.MSECriterion(), *data(dtype))
    assert found.problem == (
        f"{path} has a gradient, but parameters() does not return both. Return them, or say in "
        "its docstring what stays as it is."
    )
    assert found.hint.startswith("def parameters(self): return ")


def test_what_a_layer_says_it_does_not_train_may_stay():
    class Frozen(GammaNeverTrained):
        def parameters(self):
            """Nothing: gamma stays as it was read."""
            return [], []

    net = around(nn.Sequential(Frozen(10), nn.BatchNormalization(10), nn.Dropout(0.3)))
    assert "net[1][1].weight" in check_network(net, nn.MSECriterion(), *data()).passed


def test_targets_of_criteria_inside_are_held():
    x, y = nn.Identity()(), nn.Identity()()
    h = nn.Linear(3, 2)(x)
    net = nn.gModule([x, y], [nn.MSECriterion()([nn.Tanh()(h), nn.Linear(2, 2)(y)])])
    given = [np.random.default_rng(0).normal(size=shape) for shape in ((4, 3), (4, 2))]
    report = check_network(net, nn.MSECriterion(), given, np.ones(1))
    assert "the targets of criteria are held: nothing is learnt about them" in report.notes
    # Its gradients are asked for all the same.
    net[1].accGradParameters = lambda *given: None
    with pytest.raises(GradientMismatch) as caught:
        check_network(net, nn.MSECriterion(), given, np.ones(1))
    assert caught.value.where == "net[1] Linear(3 -> 2)"
