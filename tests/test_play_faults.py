"""Layers broken on purpose: the fault is what it says, the checker sees it, and it goes again."""

import copy
import json
import pickle
import re

import numpy as np
import pytest
from cases import rows

import torchlite as nn
from torchlite import random, serial
from torchlite.errors import SettingError, StateError
from torchlite.nn.nested import is_floating, leaves, map_arrays
from torchlite.nn.stateful import parts
from torchlite.play import PROBLEMS, Problem, Run, Trainer
from torchlite.play.faults import FAULTS, broken, catalogue, clone, notices, put
from torchlite.stepping import record, trace
from torchlite.testing import PROPERTIES, check_network

OF_LAYERS = [name for name, fault in FAULTS.items() if not fault.whole]
OF_LOOPS = [name for name, fault in FAULTS.items() if fault.whole]


class Swish(nn.Module):
    """What a user may have written."""

    def updateOutput(self, input):
        self.output = input / (1 + np.exp(-input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = 1 / (1 + np.exp(-input))
        self.gradInput = gradOutput * y * (1 + input * (1 - y))
        return self.gradInput


class Scale(nn.Module):
    """Another one, with a matrix for a weight."""

    def __init__(self):
        self.weight, self.gradWeight = np.arange(6.0).reshape(2, 3), np.zeros((2, 3))

    def updateOutput(self, input):
        self.output = input @ self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.weight.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * input.T @ gradOutput


# Layers of all kinds, and shapes for them.
LAYERS = {
    "Linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "Tanh": (nn.Tanh, (4, 3)),
    "LogSoftMax": (nn.LogSoftMax, (4, 3)),
    "PReLU": (nn.PReLU, (4, 3)),
    "Dropout": (nn.Dropout, (4, 3)),
    "CAddTable": (nn.CAddTable, [(4, 3), (4, 3)]),
    "Reshape": (lambda: nn.Reshape(6), (4, 2, 3)),
    "Swish": (Swish, (4, 3)),
    "Scale": (Scale, (4, 2)),
}


def drawn(shape, seed=0):
    rng = np.random.default_rng(seed)
    if isinstance(shape, list):
        return [drawn(one, seed + i) for i, one in enumerate(shape)]
    return rng.normal(size=shape)


def made(name):
    random.manualSeed(0)
    make, shape = LAYERS[name]
    return make(), drawn(shape)


FITTING = [(layer, each["name"]) for layer in LAYERS for each in catalogue(LAYERS[layer][0]())]


@pytest.mark.parametrize(("name", "fault"), FITTING)
def test_every_fault_is_noticed_by_its_property(name, fault):
    layer, x = made(name)
    (found,) = notices(layer, fault, x)
    assert found["property"] == FAULTS[fault].property
    assert found["says"].startswith(repr(layer))
    assert broken(layer) is None


def test_every_fault_of_a_layer_is_tried():
    assert {fault for _, fault in FITTING} == set(OF_LAYERS)
    assert {fault.property for fault in FAULTS.values()} <= set(PROPERTIES)


def test_what_can_be_put_where():
    names = {name: [each["name"] for each in catalogue(LAYERS[name][0]())] for name in LAYERS}
    gradients = ["first sample only", "bias averaged", "bias summed over everything"]
    adding = ["scale ignored", "overwrites"]
    assert names["Linear"] == [
        *["wrong sign", "transposed weight", *gradients, *adding, "late input", "one buffer"]
    ]
    assert (
        names["Dropout"] == names["CAddTable"] == names["Reshape"] == ["wrong sign", "one buffer"]
    )
    function = ["wrong sign", "no derivative", "late input", "in place", "one buffer"]
    assert names["Tanh"] == names["LogSoftMax"] == names["Swish"] == function
    assert names["Scale"] == [
        *["wrong sign", "transposed weight", "first sample only", *adding, "late input"],
        "one buffer",
    ]
    assert catalogue(nn.GradientReversal()) == []
    assert catalogue(nn.LookupTable(3, 2)) == []
    assert catalogue(nn.Sequential(nn.Linear(2, 2))) == []
    assert [each["name"] for each in catalogue(nn.Sequential(nn.Linear(2, 2)), True)] == OF_LOOPS
    assert catalogue(nn.Sequential(nn.Tanh()), True) == []
    alone = [each["name"] for each in catalogue(nn.Linear(2, 2), True)]
    assert alone == [*names["Linear"], *OF_LOOPS]
    assert catalogue(nn.Tanh())[0] == {
        "name": "wrong sign",
        "words": "gradInput has the wrong sign: everything before it climbs.",
    }


def results(layer, x):
    """Return what two steps of training give, and what is left of them, bit for bit."""
    random.manualSeed(1)
    kept = []
    for scale in (1, 2):
        x = map_arrays(lambda array, scale=scale: scale * array, x)
        output = layer.forward(x)
        kept += [x, output, layer.backward(x, map_arrays(np.cos, output), scale)]
    kept += layer.parameters()
    return [(array.shape, array.dtype, array.tobytes()) for array in leaves(kept)]


@pytest.mark.parametrize(("name", "fault"), FITTING)
def test_mended_it_is_as_before(name, fault):
    layer, x = made(name)
    whole, start = layer.clone(), layer.clone()
    before, held = results(whole, x), dict(vars(layer))
    put(layer, fault)
    assert broken(layer) == fault
    assert type(layer) is type(whole)
    assert results(layer, x) != before
    put(layer, None)
    assert broken(layer) is None
    assert vars(layer).keys() == vars(whole).keys()
    for key, value in held.items():
        assert vars(layer)[key] is value
        if isinstance(value, np.ndarray):
            value[...] = vars(start)[key]
    assert results(layer, x) == before


@pytest.mark.parametrize("fault", [each["name"] for each in catalogue(nn.Linear(3, 2), True)])
@pytest.mark.parametrize(
    "copied",
    [nn.Module.clone, copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))],
)
def test_copies_are_whole(fault, copied):
    layer, x = made("Linear")
    before = results(layer.clone(), x)
    put(layer, fault)
    layer.forward(x)
    assert broken(copied(layer)) is None
    assert vars(copied(layer)).keys() == vars(layer.clone()).keys()
    assert results(copied(layer).zeroGradParameters(), x) == before


def test_files_are_whole(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    serial.save(tmp_path / "whole", net)
    put(net[0], "overwrites"), put(net[1], "one buffer")
    serial.save(tmp_path / "broken", net)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "broken").read_bytes()


def test_one_fault_takes_the_place_of_another():
    layer, x = made("Linear")
    before = results(layer.clone(), x)
    for fault in ("wrong sign", "overwrites", "overwrites"):
        put(layer, fault)
        assert broken(layer) == fault
    once = layer.clone()
    once.backward(x, np.cos(once.forward(x)))
    layer.gradWeight[:] = 7
    gradInput = layer.backward(x, np.cos(layer.forward(x)))
    assert (layer.gradWeight == once.gradWeight).all()
    assert (gradInput == once.gradInput).all()
    put(layer, None)
    put(layer, None)
    assert results(layer.zeroGradParameters(), x) == before


def test_a_broken_layer_is_cast_and_flattened_as_any_other(linear):
    layer, x, _ = linear
    put(layer, "wrong sign")
    parameters, _ = layer.getParameters()
    parameters[:] = 1
    layer.float()
    x = x.astype("float32")
    assert layer.forward(x).tolist() == [[4, 4], [9, 9]]
    assert layer.backward(x, x).tolist() == [[-3, -3], [-8, -8]]


def test_a_clone_with_the_same_faults():
    """The copies of what stands in two places are one, as the original is."""
    shared = nn.Tanh()
    net = nn.Sequential(nn.Linear(3, 3), shared, nn.Linear(3, 3), shared, nn.Linear(3, 2))
    for part, fault in ((net[0], "wrong sign"), (shared, "in place"), (net, "no zeroing")):
        put(part, fault)
    made = clone(net)
    faults = ["no zeroing", "wrong sign", "in place", None, "in place", None]
    assert [broken(part) for part in made.listModules()] == faults
    put(made[1], None)
    assert broken(made[3]) is None
    assert broken(shared) == "in place"


# ---------------------------------------------------------------- what each fault does


def backward(layer, x, gradOutput, *scale):
    """Return a layer's gradInput and gradients, which were 1 before."""
    layer.forward(x)
    for gradient in layer.parameters()[1]:
        gradient.fill(1)
    gradInput = layer.backward(x, gradOutput, *scale)
    return [np.asarray(array).tolist() for array in (gradInput, *layer.parameters()[1])]


@pytest.fixture
def linear():
    layer = nn.Linear(2, 2)
    layer.weight[:], layer.bias[:] = [[1, 2], [3, 4]], [5, 6]
    return layer, np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 0.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    ("fault", "scale", "gradInput", "gradWeight", "gradBias"),
    [
        (None, 1, [[1, 2], [14, 20]], [[8, 13], [13, 21]], [4, 5]),
        ("wrong sign", 1, [[-1, -2], [-14, -20]], [[8, 13], [13, 21]], [4, 5]),
        ("transposed weight", 1, [[1, 3], [10, 22]], [[8, 13], [13, 21]], [4, 5]),
        ("first sample only", 1, [[1, 2], [14, 20]], [[2, 3], [1, 1]], [2, 1]),
        ("bias averaged", 1, [[1, 2], [14, 20]], [[8, 13], [13, 21]], [2.5, 3]),
        ("bias summed over everything", 1, [[1, 2], [14, 20]], [[8, 13], [13, 21]], [8, 8]),
        ("scale ignored", 2, [[1, 2], [14, 20]], [[8, 13], [13, 21]], [4, 5]),
        ("overwrites", 2, [[1, 2], [14, 20]], [[14, 24], [24, 40]], [6, 8]),
    ],
)
def test_gradients_are_wrong_as_told(linear, fault, scale, gradInput, gradWeight, gradBias):
    layer, x, gradOutput = linear
    put(layer, fault)
    assert backward(layer, x, gradOutput, scale) == [gradInput, gradWeight, gradBias]


def test_the_weight_of_another_shape_is_read_column_by_column():
    layer = nn.Linear(3, 2)
    layer.weight[:] = [[1, 2, 3], [4, 5, 6]]
    put(layer, "transposed weight")
    layer.forward(np.zeros((1, 3)))
    assert layer.backward(np.zeros((1, 3)), np.eye(2)[:1]).tolist() == [[1, 4, 2]]
    assert layer.weight.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_late_input_is_that_of_the_forward_before(linear):
    layer, x, gradOutput = linear
    right = backward(layer, x, gradOutput)
    put(layer, "late input")
    assert backward(layer, x, gradOutput) == right
    other = backward(layer, 2 * x, gradOutput)
    assert other == right
    # Of another shape, or dtype, there is none.
    assert backward(layer, x[:1], gradOutput[:1])[1] == [[2, 3], [1, 1]]


def test_missing_derivative_in_place_and_one_buffer():
    x, gradOutput = np.array([0.0, 2.0]), np.array([3.0, 4.0])
    layer = nn.Square()
    assert backward(layer, x, gradOutput) == [[0, 16]]
    put(layer, "no derivative")
    assert backward(layer, x, gradOutput) == [[3, 4]]
    assert layer.gradInput is not gradOutput
    put(layer, "in place")
    output = layer.forward(x)
    assert x.tolist() == output.tolist() == [0, 4]
    assert not np.shares_memory(x, output)
    put(layer, "one buffer")
    first = layer.forward(x)
    assert first.tolist() == [0, 16]
    assert layer.forward(x + 1) is layer.output is first
    assert first.tolist() == [1, 25]
    assert layer.forward(x[:1]) is not first


def test_a_function_of_another_shape_is_left_alone():
    """Whether a user's layer is one of each entry, only a call tells."""

    class Total(nn.Module):
        def updateOutput(self, input):
            self.output = input.sum(axis=1)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput[:, None] * np.ones_like(input)
            return self.gradInput

    for fault in ("no derivative", "in place"):
        layer, x = Total(), np.ones((2, 3))
        put(layer, fault)
        assert layer.forward(x).tolist() == [3, 3]
        assert layer.backward(x, np.array([1.0, 2.0])).tolist() == [[1, 1, 1], [2, 2, 2]]
        assert (x == 1).all()
        (found,) = notices(layer, fault, x)
        assert found == {
            "property": None,
            "says": "Nothing: here it makes no difference.",
        }


@pytest.mark.parametrize(
    ("fault", "gradient", "weight"),
    [("no zeroing", 1, -1), ("no learning rate", 0, 0), ("uphill", 0, 2)],
)
def test_faults_of_the_loop(fault, gradient, weight):
    net = nn.Sequential(nn.Mul())
    net[0].weight[:], net[0].gradWeight[:] = 1, 1
    whole = net.clone().zeroGradParameters().updateParameters(2)
    assert (whole[0].gradWeight, whole[0].weight) == (0, 1)
    put(net, fault)
    assert net.zeroGradParameters() is net
    assert net[0].gradWeight == gradient
    net[0].gradWeight[:] = 1
    assert (
        net.updateParameters(2 if fault == "no zeroing" else 1 if fault == "uphill" else 5) is net
    )
    assert net[0].weight == weight


@pytest.mark.parametrize("fault", OF_LOOPS)
def test_what_no_check_sees_of_loops_is_told(fault):
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    x = drawn((4, 3))
    put(net, fault)
    seen, unseen = notices(net, fault, x)
    assert seen["property"] == FAULTS[fault].property
    method = next(iter(FAULTS[fault].methods))
    assert seen["says"].startswith(f"Sequential: {method}: ")
    assert unseen["property"] is None
    assert "check_network" in unseen["says"]
    # It is so: of a network whose class has the fault, all gradients are right.
    from torchlite.play.faults import _by_class

    wrong = _by_class(net, FAULTS[fault])
    wrong.backward(x, np.ones_like(wrong.forward(x)))
    check_network(wrong, nn.MSECriterion(), x, np.ones((4, 2)))


# ---------------------------------------------------------------- what is refused


def test_what_a_layer_cannot_have():
    with pytest.raises(SettingError) as raised:
        put(nn.Reshape(2), "overwrites")
    assert str(raised.value) == (
        "Reshape(2): the fault must be one of 'wrong sign', 'one buffer', got 'overwrites'"
    )
    with pytest.raises(SettingError) as raised:
        notices(nn.ArgMax(0), "nonsense", np.ones((1, 1)))
    assert str(raised.value) == "ArgMax: the fault must be none, got 'nonsense'"


def test_a_layer_that_is_recorded_stays_as_it_is():
    net, x = nn.Sequential(nn.Linear(2, 2)), np.ones((1, 2))
    put(net[0], "wrong sign")
    with record(net):
        for fault in ("overwrites", None):
            with pytest.raises(StateError) as raised:
                put(net[0], fault)
            assert str(raised.value) == "put: Linear(2 -> 2) is being recorded"
        with pytest.raises(StateError) as raised, record(net):
            pass
        assert str(raised.value) == "record: Sequential is being recorded already"
    assert broken(net[0]) == "wrong sign"
    right = net[0].clone()
    right.forward(x)
    assert (net[0].updateGradInput(x, x) == -right.updateGradInput(x, x)).all()


def test_a_broken_network_can_be_stepped_through(tmp_path):
    """Gradients are the broken ones, numeric derivatives those of the loss."""
    net, x = nn.Sequential(nn.Linear(2, 2), nn.Square()), np.array([[1.0, 2.0]])
    net[0].weight[:], net[0].bias[:] = [[1, 2], [3, 4]], 0
    put(net[1], "wrong sign")
    trace(net, x, nn.MSECriterion(), np.zeros((1, 2))).to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    data = json.loads(
        re.search(r'<script type="application/json" id="data">(.*)</script>', page)[1]
    )
    found = {
        (step["position"], array["name"]): {verdict for _, verdict in array["numeric"]}
        for step in data["steps"]
        for array in step["arrays"]
        if "numeric" in array
    }
    assert found["criterion", "gradInput"] == {"agrees"}
    assert found["net[1]", "gradInput"] == found["net[0]", "gradInput"] == {"differs"}


# ---------------------------------------------------------------- all layers there are


def test_the_sign_of_every_layers_gradient_matters():
    """What the fault is offered for has a gradient, and what has one is offered it."""
    met = set()
    for _, case in rows():
        layer = case.make()
        if type(layer) in met:
            continue
        met.add(type(layer))
        if isinstance(layer, nn.Module) and len(parts(layer)) == 1 and not layer.exempt:
            layer.evaluate()
            x = case.draw(np.random.default_rng(0))
            gradInput = layer.backward(x, map_arrays(np.cos, layer.forward(x)))
            moved = any(np.any(array) for array in leaves(gradInput) if is_floating(array))
            assert moved == ("wrong sign" in [each["name"] for each in catalogue(layer)]), layer


# ---------------------------------------------------------------- of a run, and in its page


def same(run, other):
    return (run.net.getParameters()[0] == other.net.getParameters()[0]).all()


def test_a_broken_run_learns_wrongly_and_mended_rightly_again():
    run, whole = Run(PROBLEMS["xor"]), Run(PROBLEMS["xor"])
    (found,) = run.break_it("net[1]", "wrong sign")
    assert found["property"] == "gradInput"
    assert run.broken == {"net[1]": "wrong sign"}
    for each in (whole, run):
        each.reset()
        each.look()
    right, gradient = (each.held()["net[0]"]["gradWeight"] for each in (whole, run))
    assert (gradient == -right).all()
    assert np.any(gradient)
    whole.reset()
    expected = [whole.step() for _ in range(3)]
    run.reset()
    assert [run.step() for _ in range(3)] != expected
    assert run.break_it("net[1]", None) == []
    assert run.broken == {}
    run.reset()
    assert [run.step() for _ in range(3)] == expected
    assert same(run, whole)


def test_to_break_draws_no_random_numbers():
    run, whole = Run(PROBLEMS["xor"]), Run(PROBLEMS["xor"])
    run.break_it("net[1]", "wrong sign")
    run.break_it("net[1]", None)
    assert run.step() == (whole.reset(), whole.step())[1]


def test_gradients_add_up_in_a_loop_that_does_not_zero_them():
    run = Run(PROBLEMS["xor"])
    run.set(optimizer="sgd", learning_rate=0)
    run.break_it("net", "no zeroing")
    sums = []
    for _ in range(2):
        run.step()
        alone = run.net.clone().zeroGradParameters()
        alone.backward(run.x, run.criterion.backward(alone.forward(run.x), run.y))
        sums.append(alone[0].gradBias)
    assert run.net[0].gradBias == pytest.approx(sums[0] + sums[1], rel=1e-12)


@pytest.mark.parametrize(
    ("fault", "factor"), [(None, 0.1), ("no learning rate", 1), ("uphill", -0.1)]
)
def test_a_plain_step_is_that_of_the_network(fault, factor):
    run = Run(PROBLEMS["xor"])
    run.set(optimizer="updateParameters", learning_rate=0.1)
    if fault:
        run.break_it("net", fault)
    before = run.net.getParameters()[0].copy()
    run.step(watch=True)
    after, gradients = run.net.getParameters()
    assert after == pytest.approx(before - factor * gradients, rel=1e-12)
    before = after.copy()
    # The same by calls that are shown one by one.
    while run.steps < 2:
        run.one_call()
    assert after == pytest.approx(before - factor * run.net.getParameters()[1], rel=1e-12)


def test_a_layer_in_two_places_is_broken_in_both_and_mended_in_both():
    def make():
        x, shared = np.ones((4, 2)), nn.Tanh()
        return nn.Sequential(nn.Linear(2, 2), shared, shared), nn.MSECriterion(), x, x

    run = Run(Problem("shared", make))
    run.break_it("net[1]", "wrong sign")
    run.break_it("net[2]", "no derivative")
    assert run.broken == {"net[2]": "no derivative"}
    assert broken(run.net[1]) == "no derivative"
    run.break_it("net[1]", None)
    assert run.broken == {}
    assert broken(run.net[2]) is None


def test_what_a_run_cannot_break():
    run = Run(PROBLEMS["xor"])
    with pytest.raises(SettingError) as raised:
        run.break_it("net[9]", "wrong sign")
    expected = "net, net[0], net[1], net[2], net[3]"
    assert str(raised.value) == f"Run.layer: position must be one of {expected}, got 'net[9]'"
    with pytest.raises(SettingError):
        run.break_it("net[1]", "overwrites")
    assert run.broken == {}


def test_what_cannot_be_checked_is_broken_all_the_same():
    class Picky(nn.Tanh):
        def clone(self):
            raise RuntimeError("there is one of me")

    def make():
        x = np.ones((4, 2))
        return nn.Sequential(nn.Linear(2, 2), Picky()), nn.MSECriterion(), x, x

    run = Run(Problem("picky", make))
    (found,) = run.break_it("net[1]", "in place")
    says = "It cannot be checked: RuntimeError: there is one of me"
    assert found == {"property": None, "says": says}
    assert run.broken == {"net[1]": "in place"}


def test_a_page_breaks_and_mends():
    with Trainer([PROBLEMS["xor"], PROBLEMS["spirals"]]) as trainer:
        done = trainer.do({"do": "break", "position": "net[0]", "fault": "scale ignored"})
        assert done["ok"]
        frame = json.loads(trainer.next(0))
        assert frame["broken"] == [
            {
                "position": "net[0]",
                "layer": "Linear(2 -> 4)",
                "fault": "scale ignored",
                "words": FAULTS["scale ignored"].words,
                "noticed": done["noticed"],
            }
        ]
        known = trainer.do({"do": "faults"})["faults"]
        positions = [each["position"] for each in known]
        assert positions == ["net[0]", "net[1]", "net[2]", "net[3]", "net"]
        assert known[1] == {
            "position": "net[1]",
            "layer": "Tanh",
            "faults": catalogue(nn.Tanh()),
        }
        frame = json.loads(trainer.next(frame["frame"]))
        assert "updateParameters" in frame["optimizers"]
        assert "Backpropagation, step by step" in trainer.page()
        trainer.do({"do": "reset"})
        after = json.loads(trainer.next(frame["frame"]))
        assert [each["noticed"] for each in after["broken"]] == [done["noticed"]]
        done = trainer.do({"do": "break", "position": "net[0]", "fault": "no such"})
        assert done["error"].startswith("SettingError: Linear(2 -> 4): the fault must be one of ")
        assert trainer.do({"do": "break", "position": "net[0]", "fault": None}) == {
            "ok": True,
            "noticed": [],
        }
        trainer.do({"do": "break", "position": "net[0]", "fault": "overwrites"})
        trainer.do({"do": "set", "problem": "spirals"})
        frame = json.loads(trainer.next(after["frame"]))
        assert (frame["problem"], frame["broken"]) == ("spirals", [])
