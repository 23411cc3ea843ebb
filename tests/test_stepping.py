"""Recording, and everything that is made of a recording but the page in a browser."""

import base64
import copy
import html
import json
import os
import pickle
import random as chance
import re
import runpy
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from counting import calls_of
from hypothesis import settings

import torchlite as nn
from torchlite import random
from torchlite.__main__ import main
from torchlite.errors import DTypeError, FormatError, ShapeError, StateError
from torchlite.stepping import Trace, drawing, packing, page, record, replay, summary, trace
from torchlite.stepping.formulas import regions, sources, windows
from torchlite.stepping.text import lines_of, rows
from torchlite.testing import maths

THOROUGH = settings.default.max_examples > 100
MUTATIONS = 3000 if THOROUGH else 200
ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data" / "stepping"


def numbers(*shape):
    """Numbers that differ, multiples of 1/8."""
    size = int(np.prod(shape))
    return ((np.arange(size) * 7 % 23 - 11) / 8).reshape(shape)


def filled(net):
    """The network with weights that do not depend on random numbers."""
    for parameter in net.parameters()[0]:
        parameter[...] = numbers(*parameter.shape) / 2
    return net


def by_hand():
    net = filled(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
    return net, nn.MSECriterion(), numbers(4, 2), numbers(4, 2) / 2


def linear_regression():
    x = np.linspace(1, 3, 3).reshape(3, 1)
    return filled(nn.Linear(1, 1)), nn.MSECriterion(), x, 2 * x + 1


def module_internals():
    return filled(nn.Linear(2, 3)), nn.MSECriterion(), np.array([4.0, 5.0]), np.ones(3)


def sgd_by_sample():
    net = filled(nn.Linear(1, 1)).float()
    return net, nn.MSECriterion(), np.array([2], "float32"), np.array([4], "float32")


def chain_rule():
    x = np.array([[1], [2], [3], [4]], "float32")
    return filled(nn.Linear(1, 1, bias=False)).float(), nn.MSECriterion(False), x, 2 * x


def fit_a_curve():
    example = runpy.run_path(str(ROOT / "examples" / "fit_a_curve.py"))
    with np.load(example["REFERENCE"]) as reference:
        net = example["network"](reference, relu=True)
        return net, nn.MSECriterion(), reference["x"][:10], reference["y"][:10]


def nested():
    net = nn.Sequential(
        nn.Linear(4, 6),
        nn.Concat(
            1,
            nn.Sequential(nn.Linear(6, 3), nn.Tanh()),
            nn.Sequential(nn.Linear(6, 2), nn.Dropout(0.5)),
        ),
        nn.Linear(5, 2),
        nn.LogSoftMax(),
    )
    return filled(net), nn.ClassNLLCriterion(), numbers(3, 4), np.array([0, 1, 0])


def tables():
    net = nn.Sequential(
        nn.ConcatTable(nn.Linear(3, 2), nn.Linear(3, 2)), nn.CMulTable(), nn.Sigmoid()
    )
    return filled(net), nn.BCECriterion(), numbers(2, 3), np.array([[0.0, 1.0], [1.0, 0.0]])


def digits():
    from torchlite.datasets import digits

    images, labels, *_ = digits()
    nn.manualSeed(0)
    net = nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 10))
    return net, nn.MSECriterion(), images[:64], np.eye(10)[labels[:64]]


CASES = [
    by_hand,
    linear_regression,
    module_internals,
    sgd_by_sample,
    chain_rule,
    fit_a_curve,
    nested,
    tables,
    digits,
]


def page_data(steps, tmp_path):
    """What the page holds."""
    steps.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*)</script>', page)[1]
    )


def golden(name, text):
    assert text + "\n" == (DATA / name).read_text("utf-8")


# every case


@pytest.mark.parametrize("case", CASES)
def test_text_fits(case):
    steps = trace(*arranged(case()))
    assert max(map(len, str(steps).splitlines())) <= 100
    assert str(steps).count("\n\n") == len(steps) - 1


@pytest.mark.parametrize("case", CASES)
def test_every_gradient_is_the_numeric_derivative(case, tmp_path):
    nn.manualSeed(3)
    steps = trace(*arranged(case()))
    state = random.getRNGState()
    data = page_data(steps, tmp_path)
    assert np.array_equal(state, random.getRNGState())
    found = [array for step in data["steps"] for array in step["arrays"] if "numeric" in array]
    assert len(found) > 1
    for array in found:
        assert {verdict for _, verdict in array["numeric"]} <= {"agrees"}, array["name"]
    assert (tmp_path / "page.html").stat().st_size < 2_000_000


@pytest.mark.parametrize("case", CASES)
def test_recording_changes_nothing(case):
    results = []
    for recorded in (False, True):
        net, criterion, input, target = case()
        nn.manualSeed(1)
        if recorded:
            trace(net, input, criterion, target)
        else:
            loss = criterion.forward(net.forward(input), target)
            assert loss == criterion.output
            net.backward(input, criterion.backward(net.output, target))
        results.append((criterion.output, net.gradInput, *net.parameters()[1]))
    for plain, other in zip(*results, strict=True):
        np.testing.assert_array_equal(plain, other)


@pytest.mark.parametrize("case", CASES)
def test_files(case, tmp_path):
    steps = trace(*arranged(case()))
    steps.to_json(tmp_path / "trace.json")
    read = Trace.from_json(tmp_path / "trace.json")
    assert str(read) == str(steps)
    assert steps.diff(read) is None
    assert "they need the network itself" in page_data(read, tmp_path)["note"]


def arranged(case):
    net, criterion, input, target = case
    return net, input, criterion, target


# record


def test_order_and_positions():
    steps = trace(*arranged(by_hand()))
    assert [f"{step.method} {step.position}" for step in steps] == [
        "updateOutput net[0]",
        "updateOutput net[1]",
        "updateOutput net[2]",
        "updateOutput net",
        "updateOutput criterion",
        "updateGradInput criterion",
        "updateGradInput net[2]",
        "updateGradInput net[1]",
        "updateGradInput net[0]",
        "updateGradInput net",
        "accGradParameters net[2]",
        "accGradParameters net[1]",
        "accGradParameters net[0]",
        "accGradParameters net",
    ]
    assert [step.inside for step in steps if step.position == "net"] == [(1, 3), (7, 9), (11, 13)]
    assert [step.number for step in steps] == list(range(1, 15))
    assert repr(steps) == "<Trace of 14 steps>"


def test_without_criterion(tmp_path):
    net, _, x, _ = by_hand()
    assert [step.method for step in trace(net, x)] == ["updateOutput"] * 4
    with record(net) as steps:
        net.forward(x)
        net.backward(x, np.ones((4, 2)))
    data = page_data(steps, tmp_path)
    assert "nothing was recorded of a criterion" in data["note"]
    assert not any("numeric" in array for step in data["steps"] for array in step["arrays"])


def test_nothing_is_left_behind():
    net, criterion, x, y = by_hand()
    before = [set(vars(part)) for part in (net, *net, criterion)]
    with record(net, criterion):
        pass
    assert [set(vars(part)) for part in (net, *net, criterion)] == before
    with pytest.raises(ShapeError), record(net, criterion) as steps:
        net.forward(np.ones((4, 9)))
    assert not steps
    assert "updateOutput" not in vars(net[0])
    assert trace(net, x, criterion, y)[0].number == 1


def test_a_method_that_the_user_replaced_is_back_afterwards():
    net = nn.Sequential(nn.Identity())
    replaced = net[0].updateOutput = lambda input: 2 * input
    with record(net) as steps:
        assert net.forward(np.ones(2)).tolist() == [2, 2]
        assert net.clone().forward(np.ones(2)).tolist() == [2, 2]
    assert net[0].updateOutput is replaced
    assert len(steps) == 2


def test_a_method_that_the_user_replaced_counts_in_numeric_derivatives(tmp_path):
    net = nn.Sequential(nn.Identity())
    net[0].updateOutput = lambda input: 2 * input
    net[0].updateGradInput = lambda input, gradOutput: 2 * gradOutput
    with record(net, criterion := nn.MSECriterion()) as steps:
        x, y = numbers(3, 2), numbers(3, 2)
        net.backward(x, criterion.backward(net.forward(x), y))
        criterion.forward(net.forward(x), y)
    data = page_data(steps, tmp_path)["steps"]
    marked = [v for step in data for a in step["arrays"] for _, v in a.get("numeric", [])]
    assert marked
    assert set(marked) == {"agrees"}


def test_copies_made_meanwhile_are_ordinary():
    net, criterion, x, _ = by_hand()
    with record(net, criterion) as steps:
        copies = [
            net.clone(),
            net.clone("weight", "gradWeight"),
            copy.deepcopy(net),
            pickle.loads(pickle.dumps(net)),
        ]
        part = net[0:2]
        lone = copy.copy(net[0])
        flat, _ = net.getParameters()
        net.float().double()
        for other in copies:
            assert other.forward(x).shape == (4, 2)
            assert not {"updateOutput", "__getstate__"} & vars(other).keys()
        assert lone.forward(x).shape == (4, 3)
        assert not steps
        part.forward(x)
        assert [step.position for step in steps] == ["net[0]", "net[1]"]
    assert flat.size == 17


def test_recording_twice_at_once_is_refused():
    net = by_hand()[0]
    again = record(net[0])
    with record(net), pytest.raises(StateError, match="is being recorded already"):
        again.__enter__()
    with record(net[0]):
        pass


def test_accumulation(tmp_path):
    net, criterion, x, y = by_hand()
    with record(net, criterion) as steps:
        for scale in (1, 3):
            output = net.forward(x)
            criterion.forward(output, y)
            net.backward(x, criterion.backward(output, y), scale)
        net.zeroGradParameters()
        net.updateParameters(0.1)
    first, second = (
        step for step in steps if (step.method, step.position) == ("accGradParameters", "net[0]")
    )
    np.testing.assert_array_equal(
        second.before["gradWeight"].values, first.after["gradWeight"].values
    )
    np.testing.assert_allclose(
        second.after["gradWeight"].values, 4 * first.after["gradWeight"].values
    )
    assert "gradWeight (3, 2) increment [[" in str(steps)
    zeroed, updated = steps[-2:]
    assert set(zeroed.after) == {"[0].gradWeight", "[0].gradBias", "[2].gradWeight", "[2].gradBias"}
    assert zeroed.before["[0].gradBias"].norm > 0 == zeroed.after["[0].gradBias"].norm
    assert updated.arguments == {"learningRate": 0.1}
    # What an update does to a parameter is no increment of a gradient.
    labels = [label for label, _ in rows(updated)]
    assert labels[:3] == ["learningRate", "[0].weight (3, 2) before", "[0].weight (3, 2) after"]
    assert set(updated.after) == {"[0].weight", "[0].bias", "[2].weight", "[2].bias"}
    data = page_data(steps, tmp_path)
    arrays = data["steps"][second.number - 1]["arrays"]
    shown = {array["role"]: array for array in arrays if array["name"] == "gradWeight"}
    assert list(shown) == ["before", "increment", "after"]
    increment = shown["increment"]
    assert {verdict for _, verdict in increment["numeric"]} == {"agrees"}
    assert increment["sources"] == [["gradOutput", [None, 0]], ["input", [None, 1]]]


def test_layer_by_layer(tmp_path):
    """Numeric derivatives need no forward of the whole network."""
    net, criterion, x, y = by_hand()
    with record(net, criterion) as steps:
        hidden = net[1].forward(net[0].forward(x))
        output = net[2].forward(hidden)
        gradient = criterion.backward(output, y)
        gradient = net[2].backward(hidden, gradient)
        net[1].backward(net[0].output, gradient)
        net[2].backward(hidden, np.ones((4, 2)))
    data = page_data(steps, tmp_path)["steps"]
    marked = {
        step["number"]: {v for a in step["arrays"] for _, v in a.get("numeric", [])}
        for step in data
    }
    assert [marked[n] for n in (4, 5, 6, 7)] == [{"agrees"}] * 4
    assert not marked[9]
    assert data[8]["unlinked"]
    assert not data[4]["unlinked"]


def test_one_instance_in_two_places(tmp_path):
    shared = nn.Linear(2, 2)
    net = filled(nn.Sequential(shared, nn.Tanh(), shared))
    steps = trace(net, numbers(3, 2), nn.MSECriterion(), np.ones((3, 2)))
    by_place = [step.position for step in steps if step.layer == "Linear(2 -> 2)"]
    assert by_place == ["net[0]", "net[2]", "net[2]", "net[0]", "net[2]", "net[0]"]
    for step in page_data(steps, tmp_path)["steps"]:
        for array in step["arrays"]:
            assert {verdict for _, verdict in array.get("numeric", [])} <= {"agrees"}


@pytest.mark.parametrize(
    ("kind", "forward", "backward"),
    [(nn.Sequential, "0101", "1010"), (nn.ConcatTable, "0101", "0101")],
)
def test_one_instance_that_is_called_more_often_than_it_stands(kind, forward, backward):
    class Twice(kind):
        def updateOutput(self, input):
            super().updateOutput(input)
            return super().updateOutput(input)

        def updateGradInput(self, input, gradOutput):
            super().updateGradInput(input, gradOutput)
            return super().updateGradInput(input, gradOutput)

    shared = nn.ReLU()
    net = Twice(shared, shared)
    with record(net) as steps:
        output = net.forward(np.ones(2))
        net.updateGradInput(np.ones(2), output)
    for method, order in (("updateOutput", forward), ("updateGradInput", backward)):
        places = [step.position for step in steps if (step.method, step.layer) == (method, "ReLU")]
        assert places == [f"net[{i}]" for i in order]


def test_what_a_layer_calls_of_itself_and_of_its_attributes_stands_there():
    class Zeroes(nn.Module):
        def __init__(self):
            self.inner = nn.ReLU()

        def updateOutput(self, input):
            self.zeroGradParameters()
            self.output = self.inner.updateOutput(input)
            return self.output

    layer = Zeroes()
    steps = trace(nn.Sequential(layer, layer), np.ones(2))
    assert [f"{step.method} of {step.position}" for step in steps] == [
        "zeroGradParameters of net[0]",
        "updateOutput of net[0].inner",
        "updateOutput of net[0]",
        "zeroGradParameters of net[1]",
        "updateOutput of net[0].inner",
        "updateOutput of net[1]",
        "updateOutput of net",
    ]


def test_integers_have_no_numeric_derivatives(tmp_path):
    ids = np.array([2, 0])
    steps = trace(nn.OneHot(3), ids, nn.MSECriterion(), np.ones((2, 3)))
    loss, layer = page_data(steps, tmp_path)["steps"][2:4]
    assert loss["arrays"][-1]["numeric"]
    assert layer["arrays"][-1]["name"] == "gradInput"
    assert layer["arrays"][-1]["numeric"] is None


def test_a_criterion_of_criterions(tmp_path):
    net = filled(nn.Sequential(nn.ConcatTable(nn.Linear(2, 1), nn.Linear(2, 1))))
    criterion = nn.ParallelCriterion().add(nn.MSECriterion(), 2.0).add(nn.AbsCriterion(), 0.5)
    steps = trace(net, numbers(3, 2), criterion, [np.ones((3, 1)), np.zeros((3, 1))])
    assert [step.position for step in steps[4:7]] == ["criterion[0]", "criterion[1]", "criterion"]
    assert verdicts(page_data(steps, tmp_path)) == {"agrees"}


def test_an_array_that_stands_twice_in_a_table(tmp_path):
    net = nn.Sequential(nn.ConcatTable(nn.Identity(), nn.Identity()))
    criterion = nn.ParallelCriterion(True).add(nn.MSECriterion()).add(nn.AbsCriterion())
    steps = trace(net, numbers(2, 2), criterion, np.ones((2, 2)))
    assert verdicts(page_data(steps, tmp_path)) == {"agrees"}


def test_a_forward_that_failed_is_no_part_of_the_round(tmp_path):
    net, criterion, x, y = by_hand()
    with record(net, criterion) as steps:
        with pytest.raises(ShapeError):
            net.forward(x[:, :1])
        with pytest.raises(ShapeError):
            criterion.forward(net.forward(x), y[:2])
        output = net.updateOutput(input=x)
        criterion.updateOutput(target=y, input=output)
        net.backward(x, criterion.backward(output, y))
    assert verdicts(page_data(steps, tmp_path)) == {"agrees"}


def test_training_is_followed_step_by_step(tmp_path):
    """Each numeric derivative is that of its own round, with the weights of then."""
    net, criterion, x, y = by_hand()
    with record(net, criterion) as steps:
        for _ in range(3):
            output = net.forward(x)
            criterion.forward(output, y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(output, y))
            net.updateParameters(0.1)
    data = page_data(steps, tmp_path)
    assert verdicts(data) == {"agrees"}
    assert sum("numeric" in array for step in data["steps"] for array in step["arrays"]) == 27


def test_of_a_loss_that_is_no_number_no_gradient_is_accused(tmp_path):
    x = np.array([[np.nan, 1.0], [2.0, 3.0]])
    net = filled(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    data = page_data(trace(net, x, nn.MSECriterion(), np.ones((2, 2))), tmp_path)
    assert verdicts(data) == {"is not finite"}


def verdicts(data):
    arrays = [array for step in data["steps"] for array in step["arrays"]]
    return {verdict for array in arrays for _, verdict in array.get("numeric") or []}


def test_a_wrong_gradient_differs_and_a_kink_is_named(tmp_path):
    class Half(nn.Tanh):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = super().updateGradInput(input, gradOutput) / 2
            return self.gradInput

    steps = trace(
        nn.Sequential(Half(), nn.ReLU()), np.array([[0.5, 0.0]]), nn.MSECriterion(), np.ones((1, 2))
    )
    data = page_data(steps, tmp_path)["steps"]
    relu, half = (
        step["arrays"][-1]["numeric"]
        for step in data
        if step["method"] == "updateGradInput"
        if step["position"] in ("net[0]", "net[1]")
    )
    assert [verdict for _, verdict in relu] == ["agrees", "lies at a kink"]
    assert half[0][1] == "differs"
    # The formula is that of another method than the one that ran.
    gradient = next(s for s in steps if (s.method, s.position) == ("updateGradInput", "net[0]"))
    assert not gradient.maths


@pytest.mark.parametrize(
    ("loss", "verdict"),
    [
        (lambda x: x * x, "differs"),
        (lambda x: 40 * x * (x + 1 / 40), "differs"),
        (lambda x: 2e-4 * max(x, 0), "lies at a kink"),
        (lambda x: -2e-4 * max(x, 0), "lies at a kink"),
        (lambda x: 5e-5 * max(x, 0), "differs"),
        (lambda x: x + 2e-3 * max(x, 0), "lies at a kink"),
        (lambda x: x + 5e-4 * max(x, 0), "differs"),
        (lambda x: -x - 5e-4 * min(x, 0), "differs"),
    ],
)
def test_a_kink_is_a_change_of_slope_by_a_thousandth(tmp_path, loss, verdict):
    class Wrong(nn.Criterion):
        def updateOutput(self, input, target):
            self.output = float(loss(input.item()))
            return self.output

        def updateGradInput(self, input, target):
            self.gradInput = np.full_like(input, 7)
            return self.gradInput

    steps = trace(nn.Identity(), np.zeros(1), Wrong(), np.zeros(1))
    assert verdicts(page_data(steps, tmp_path)) == {verdict}


def test_large_arrays_are_summarised():
    net, criterion, x, y = by_hand()
    steps = trace(net, x, criterion, y, max_elements=6)
    assert steps[0].arguments["input"].values is None
    assert steps[0].parameters["weight"].values is not None
    assert "input (4, 2)  norm" in str(steps)


# text


def numbers_of(packed):
    """The numbers of a large array, as the page unpacks them."""
    kind, numbers = packed
    return np.frombuffer(base64.b64decode(numbers), kind)


def test_pages_show_arrays_of_up_to_200_entries_as_tables_and_larger_ones_as_heat_maps(tmp_path):
    shown = [
        page_data(trace(nn.Identity(), np.arange(-n, 0.0)), tmp_path)
        for n in (page.SHOWN, page.SHOWN + 1)
    ]
    arrays = [data["steps"][0]["arrays"][0] for data in shown]
    assert (page.SHOWN, len(arrays[0]["values"]), arrays[0]["largest"]) == (200, 200, 200.0)
    assert "values" not in arrays[1]
    assert arrays[1]["text"] == "norm 1651, min -201, max -1"
    # Input and output are one.
    (packed,) = shown[1]["packed"]
    assert [array["packed"] for array in shown[1]["steps"][0]["arrays"]] == [0, 0]
    assert packed[0] == "f4"
    assert np.array_equal(numbers_of(packed), np.arange(-201.0, 0))
    assert "In heat maps numbers are rounded to seven digits." in shown[1]["note"]
    assert "heat maps" not in shown[0]["note"]


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.arange(300.0) / 7, "f4"),
        (np.arange(300.0) * 1e300, "f8"),
        (np.arange(300.0) * 1e-60, "f8"),
        (np.where(np.arange(300) % 2, np.nan, np.inf), "f4"),
        (np.arange(300), "f4"),
        (np.arange(300) + 2**24, "f8"),
        (np.arange(300) % 2 == 0, "f4"),
        (np.full(300, np.nan), "f4"),
    ],
)
def test_heat_maps_keep_seven_digits_of_every_number(array, kind, tmp_path):
    data = page_data(trace(nn.Identity(), array), tmp_path)
    (packed,) = data["packed"]
    assert packed[0] == kind
    np.testing.assert_allclose(numbers_of(packed), array.astype("float64"), rtol=1e-7, atol=0)
    assert ("rounded" in data["note"]) == (kind == "f4")


def test_what_is_the_same_everywhere_and_what_is_complex_is_said_in_words(tmp_path):
    data = page_data(trace(nn.Identity(), np.full((20, 20), 0.1)), tmp_path)
    assert data["packed"] == [["same", 0.1]]
    data = page_data(trace(nn.Identity(), np.full(300, 1j)), tmp_path)
    assert data["packed"] == []
    assert data["steps"][0]["arrays"][0]["text"] == "norm 17.32"
    assert "max_elements" not in data["note"]


def test_a_page_does_not_grow_without_bounds_and_says_what_it_leaves_out(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "ROOM", 4000)
    net = nn.Sequential(*(nn.MulConstant(3) for _ in range(6)))
    data = page_data(trace(net, np.arange(400.0)), tmp_path)
    first, second, *_ = data["steps"]
    assert [array.get("packed") for array in first["arrays"]] == [0, None]
    assert [array.get("packed") for array in second["arrays"]] == [None, None]
    assert (
        "From step 1 on large arrays are shown by norm, minimum and maximum: the page would be too "
        "large."
    ) in data["note"]
    data = page_data(trace(net, np.arange(400.0), max_elements=300), tmp_path)
    assert "max_elements says how large arrays may be that it keeps." in data["note"]


def test_rows_of_digits_are_pictures_and_so_is_what_meets_them(tmp_path):
    net, x, criterion, y = arranged(digits())
    data = page_data(trace(net, x, criterion, y), tmp_path)
    found = {
        (step["position"], step["method"], array["name"], array["role"]): array["tile"]
        for step in data["steps"]
        for array in step["arrays"]
        if "tile" in array
    }
    pictures = {key for key, tile in found.items() if tile == [8, 8]}
    methods = ("updateOutput", "updateGradInput", "accGradParameters")
    expected = {("net", method, "input", "argument") for method in methods}
    expected |= {("net[0]", method, "input", "argument") for method in methods}
    expected |= {("net[0]", method, "weight", "parameter") for method in methods[:2]}
    expected |= {(place, methods[1], "gradInput", "result") for place in ("net", "net[0]")}
    roles = ("before", "increment", "after")
    expected |= {("net[0]", methods[2], "gradWeight", role) for role in roles}
    assert pictures == expected & found.keys()
    assert len(pictures) >= 10
    assert {tuple(tile) for tile in found.values() if tile} == {(8, 8)}
    said = "Rows of a layer's input that look like square pictures, for numbers one above the other"
    assert said in data["note"]
    noise = np.random.default_rng(0).random((4, 64))
    data = page_data(trace(nn.Linear(64, 4), noise), tmp_path)
    assert said not in data["note"]
    assert "packed" in data["steps"][0]["arrays"][0]


def test_text():
    golden("by_hand.txt", str(trace(*arranged(by_hand()))))


def test_layers_without_maths_show_names_and_shapes():
    class Mine(nn.Module):
        def updateOutput(self, input):
            self.output = input[0] * 2
            return self.output

    text = str(trace(Mine(), [np.ones(2), np.ones((1, 3))]))
    assert "updateOutput(input [(2,), (1, 3)]) -> output (2,)" in text
    assert "input[1] (1, 3) [[1. 1. 1.]]" in text


# diff


class Averages(nn.Linear):
    """A student's layer."""

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.gradBias -= scale * gradOutput.sum(0)
        self.gradBias += scale * gradOutput.mean(0)


def test_of_integers_the_formula_is_shown_where_it_holds():
    net = nn.Sequential(nn.Transpose((0, 1)))
    ids = np.arange(6).reshape(2, 3)
    for gradOutput, lines in ((np.ones((3, 2)), 0), (np.zeros((3, 2), int), 2)):
        with record(net) as steps:
            net.forward(ids)
            net.backward(ids, gradOutput)
        assert len(steps[0].maths) == 2
        assert len(steps[2].maths) == lines


def test_diff_says_where_and_why():
    net, criterion, x, y = by_hand()
    reference = trace(net, x, criterion, y)
    other = nn.Sequential(Averages(2, 3), *net[1:].clone())
    other[0].weight[:], other[0].bias[:] = net[0].weight, net[0].bias
    other.zeroGradParameters()
    difference = reference.diff(trace(other, x, criterion, y))
    assert (difference.step, difference.name, difference.index) == (13, "gradBias", (1,))
    assert re.fullmatch(
        r"step 13, accGradParameters of net\[0\], gradBias\[1\]: -?[\d.]+ against -?[\d.]+: "
        r"averaged instead of summed\?",
        str(difference),
    )
    assert reference.diff(reference) is None


def test_diff_of_other_calls():
    net, criterion, x, y = by_hand()
    reference = trace(net, x, criterion, y)
    with record(net, criterion) as steps:
        criterion.forward(net.forward(x), y)
        net.zeroGradParameters()
    assert str(reference.diff(steps)) == (
        "step 6: updateGradInput of criterion against zeroGradParameters of net"
    )
    shorter = trace(net, x)
    assert str(reference.diff(shorter)) == "step 5: updateOutput of criterion against no more steps"
    assert str(shorter.diff(reference)) == "step 5: no more steps against updateOutput of criterion"


def test_diff_of_shapes_numbers_and_large_arrays():
    net, _, x, _ = by_hand()
    plain = trace(net, x)
    assert str(plain.diff(trace(net, x[:2]))) == (
        "step 1, updateOutput of net[0], input: (4, 2) against (2, 2)"
    )
    assert "step 1, updateOutput of net[0], input: norm" in str(
        trace(net, x, max_elements=0).diff(trace(net, 2 * x, max_elements=0))
    )
    with record(net) as one:
        net.updateParameters(0.5)
    with record(net) as other:
        net.updateParameters(0.25)
    assert "learningRate: 0.5 against 0.25" in str(one.diff(other))


@pytest.mark.parametrize(
    ("one", "other", "tolerance"),
    [
        ("float64", "float64", 1e-9),
        ("complex128", "complex128", 1e-9),
        ("float32", "float32", 1e-5),
        ("float32", "float64", 1e-5),
        ("float64", "float32", 1e-5),
        ("complex64", "complex64", 1e-5),
        ("complex64", "complex128", 1e-5),
        ("complex128", "complex64", 1e-5),
    ],
)
@pytest.mark.parametrize("kept", [0, 10])
def test_diff_is_as_fine_as_the_coarser_of_two_dtypes(one, other, tolerance, kept):
    def traced(dtype, factor=1.0):
        return trace(nn.Identity(), np.array([1.0, 0.0]).astype(dtype) * factor, max_elements=kept)

    reference = traced(one)
    assert reference.diff(traced(other, 1 + tolerance / 2)) is None
    assert reference.diff(traced(other, 1 + 2 * tolerance)) is not None
    assert reference.diff(traced(other, 1.0009), rtol=1e-3) is None


def test_diff_of_numbers():
    net = nn.Linear(1, 1)

    def updated(rate):
        with record(net) as steps:
            net.updateParameters(rate)
        steps[0].parameters = steps[0].before = steps[0].after = {}
        return steps

    reference = updated(0.5)
    assert reference[0].arguments == updated(np.float32(0.5))[0].arguments
    assert reference.diff(updated(0.5 + 1e-10)) is None
    assert reference.diff(updated(0.5 + 1e-8)).name == "learningRate"
    nothing = trace(nn.Identity(), np.full(3, np.nan), nn.MSECriterion(), np.ones(3))
    assert nothing.diff(nothing) is None
    summarised = trace(nn.Identity(), np.full(3, np.nan), max_elements=0)
    assert summarised.diff(summarised) is None


def test_diff_knows_a_mistake_on_top_of_an_old_gradient():
    x = np.ones((4, 2))
    traces = []
    for kind in (nn.Linear, Averages):
        layer = filled(kind(2, 2))
        layer.gradBias[:] = [0.5, 2.0]
        with record(layer) as steps:
            layer.accGradParameters(x, x * [[1.0, 3.0]])
        traces.append(steps)
    difference = traces[0].diff(traces[1])
    assert (difference.name, difference.pattern) == ("gradBias", "averaged instead of summed?")


def test_what_is_neither_array_nor_number_is_kept_by_its_kind():
    class Named(nn.Identity):
        def updateOutput(self, input):
            self.output = input
            return self.output

    assert trace(Named(), "text")[0].arguments == {"input": "str"}


# files


def test_json_keeps_every_number(tmp_path):
    x = np.array([[np.nan, np.inf, -np.inf, 0.1]])
    file = tmp_path / "trace.json"
    for input in (x, x + 1j, x.astype("float32")):
        net = nn.Sequential(nn.Identity())
        steps = trace(net, input)
        steps.to_json(file)
        read = Trace.from_json(file)[0].results["output"].values
        np.testing.assert_array_equal(read, input)
        assert read.dtype == input.dtype
    json.loads(file.read_text(), parse_constant=lambda name: pytest.fail(name))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Traces as JSON: with formulas, tables, numbers of all kinds, gradients before and after."""
    file = tmp_path_factory.mktemp("traces") / "trace.json"
    texts = []
    net = filled(nn.Sequential(nn.Linear(2, 2), nn.ConcatTable(nn.Tanh(), nn.Identity())))
    net.add(nn.CAddTable())
    criterion = nn.MSECriterion()
    with record(net, criterion) as steps:
        for _ in range(2):
            criterion.forward(net.forward(numbers(3, 2)), numbers(3, 2))
            net.backward(numbers(3, 2), criterion.backward(net.output, numbers(3, 2)), 0.5)
        net.updateParameters(0.1)
    steps.to_json(file)
    texts.append(file.read_text())
    x = np.array([[np.nan, np.inf, 1 + 2j]])
    net = nn.Sequential(nn.Identity())
    with record(net, max_elements=4) as steps:
        for input in (
            x,
            {"number": [np.arange(9.0), np.zeros((0, 2))], "a": np.ones(2, "float32")},
        ):
            net.forward(input)
    steps.to_json(file)
    return [*texts, file.read_text()]


def looked_at(steps, other, folder):
    """Make of a trace all that can be made of it."""
    texts = [str(steps), repr(steps), *(str(step) for step in steps)]
    steps.to_html(folder / "page.html")
    steps.to_json(folder / "again.json")
    for one, two in ((steps, other), (other, steps), (steps, steps)):
        texts.append(str(one.diff(two)))
    "".join(texts).encode()
    assert texts[0].replace("\n", "").isprintable()
    assert str(Trace.from_json(folder / "again.json")) == texts[0]


VALUES = [
    None, True, False, 0, 1, -1, 3, 2**31, 2**70, 10**400, 0.5, -1e308, 1e308, "", "input", "é",
    "\x1b[2J", "\ud800", "(2,)", "(2, 2)", "(1000000000,)", "(", "[", "float32", "int8", "bool",
    "O", "M8", "f8,f8", [], [1], [[[]]], [1, 2], {}, {"number": "nan"}, {"number": "inf"},
    {"number": "1e308+1e308j"}, {"number": "x"}, {"number": 3}, {"array": {}}, {"array": 1},
    {"dict": {}}, {"dict": 1}, ["output = input @ input"], ["output = ("], ["\x0c"], ["1 is 1"],
    {"input": "(2,)"}, {"input": "[(2,)]"}, {"input": 5}, {"input": None},
    {"array": {"shape": [2], "dtype": "float64", "norm": 1.0, "low": None, "high": None}},
    {"array": {"shape": [2], "dtype": "float32", "norm": None, "low": 1.0, "high": None,
               "values": [1.0, {"number": "-inf"}]}},
    {"array": {"shape": [1], "dtype": "bool", "norm": 1.0, "low": 1.0, "high": 1.0,
               "values": [True]}},
    {"array": {"shape": [2, 0], "dtype": "int64", "norm": 0.0, "low": None, "high": None,
               "values": []}},
]  # fmt: skip


def mutated(text, draws):
    """Return a text that is not as it was: a few values replaced, or signs of it."""
    if draws.random() < 0.2:
        at, to = sorted(draws.randrange(len(text)) for _ in range(2))
        return draws.choice([text[:at] + text[at + 1 :], text[:at], text[:at] + text[to:]])
    said = json.loads(text)
    for _ in range(draws.choice([1, 1, 2, 4])):
        container, key = draws.choice(list(places(said)))
        action = draws.randrange(4)
        if action == 0:
            del container[key]
        elif action == 1 and isinstance(container, dict):
            container[draws.choice(["array", "number", "dict", "x", "input"])] = 1
        elif action == 2:
            other, place = draws.choice(list(places(said)))
            container[key] = copy.deepcopy(other[place])
        else:
            container[key] = copy.deepcopy(draws.choice(VALUES))
    return json.dumps(said)


def places(node):
    """Yield (container, key) for everything inside a JSON value."""
    for key, inside in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(inside, (dict, list)):
            yield from places(inside)


def test_a_damaged_trace_is_refused_or_works(written, tmp_path):
    draws = chance.Random(1)
    file = tmp_path / "trace.json"
    originals = []
    for text in written:
        file.write_text(text)
        originals.append(Trace.from_json(file))
        looked_at(originals[-1], originals[0], tmp_path)
    refused = []
    for i in range(MUTATIONS):
        file.write_text(mutated(written[i % 2], draws))
        try:
            steps = Trace.from_json(file)
        except FormatError as error:
            refused.append(str(error))
            continue
        looked_at(steps, originals[i % 2], tmp_path)
    assert all(message.startswith("Trace.from_json: ") for message in refused)
    assert "".join(refused).replace("\n", "").isprintable()
    assert MUTATIONS / 2 < len(refused) < MUTATIONS


def test_what_is_wrong_with_a_trace_is_said(written, tmp_path):
    file = tmp_path / "trace.json"

    def said(change):
        data = json.loads(written[0])
        change(data)
        file.write_text(json.dumps(data))
        with pytest.raises(FormatError) as error:
            Trace.from_json(file)
        return str(error.value).removeprefix("Trace.from_json: ")

    def array(**facts):
        return lambda data: data["steps"][0]["arguments"]["input"]["array"].update(facts)

    def step(**values):
        return lambda data: data["steps"][0].update(values)

    assert said(lambda data: data.clear()) == "it is not a torchlite trace"
    assert said(lambda data: data.update(version=2)) == "its version is 2, known is 1"
    assert said(lambda data: data.update(version="\x1b")) == r"its version is \x1b, known is 1"
    assert said(lambda data: data.pop("network")) == "network is no tree of modules"
    assert said(lambda data: data["steps"].append(3)).startswith("step 42: it must have number, ")
    assert said(array(shape=[3])) == "step 1: cannot reshape array of size 6 into shape (3,)"
    assert said(array(dtype="O")) == "step 1: an array of O holds no numbers"
    assert said(array(values=["1"] * 6)) == "step 1: the values of an array are not of float64"
    assert said(array(norm="1")) == "step 1: norm of an array is no number"
    assert said(array(shape=[-1])) == "step 1: the shape of an array is none"
    assert said(array(dtype="float32", values=[1e300] * 6)) == (
        "step 1: overflow encountered in cast"
    )
    assert said(step(number=0)) == "step 1: number is none"
    assert said(step(maths=[1])) == "step 1: maths are no lines"
    assert said(step(maths=["output = ("])) == (
        "step 1: maths are no statements: '(' was never closed (<unknown>, line 1)"
    )
    assert said(step(inside=[1])) == "step 1: inside is no pair of numbers"
    assert said(step(before={"x": 1})) == "step 1: before and after are of other arrays"
    assert said(step(arguments={"scale": 10**400})) == "step 1: int too large to convert to float"
    deep = json.loads(written[0])["network"]
    for _ in range(200):
        deep = {**deep, "modules": [deep]}
    assert said(lambda data: data.update(network=deep)) == ("modules are nested more than 200 deep")


@pytest.mark.parametrize(
    "lines",
    [
        ["output = 1 if {} else 2"],
        ["output = 2 if input.size else {}"],
        ["output = input.size and {}"],
        ["{}", "n = input.size", "output = input / n"],
        ["n = {}.size"],
        ["output = conv(input, {}, (1,), (0,))"],
        ["for i in range(input.size):\n    {}", "n = len(input) or 1"],
    ],
)
def test_nothing_that_is_made_of_a_file_runs_what_it_says(lines, tmp_path, monkeypatch, capsys):
    file, written = tmp_path / "trace.json", tmp_path / "written"
    code = f"np.savetxt({str(written)!r}, np.ones(1))"
    lines = [line.format(code) for line in lines]
    monkeypatch.chdir(tmp_path)
    net, criterion, x, y = by_hand()
    steps = trace(net, x, criterion, y)
    steps.to_json(file)
    data = json.loads(file.read_bytes())
    for step in data["steps"]:
        step["maths"] = lines
        step["shapes"] = {"input": "(4, 2)", "n": "(4, 2)"}
    file.write_text(json.dumps(data))
    read = Trace.from_json(file)
    # All ways to look, and those of the shell; what numeric derivatives need is in no file.
    str(read), repr(read), read._repr_html_()
    for numeric in (True, False):
        read.to_html(tmp_path / "page.html", numeric)
    for step in read:
        repr(step), step._repr_html_()
    # Nor what was put into a recording, under the numbers of its own steps.
    mixed = trace(net, x, criterion, y)
    mixed.steps[:] = read.steps
    mixed.to_html(tmp_path / "page.html")
    read.diff(steps), steps.diff(read), read.diff(read)
    read.to_json(tmp_path / "again.json")
    assert main(["trace", "--compare", str(file), str(file)]) == 0
    assert main(["show", str(file)]) == 2
    assert not written.exists()
    input = np.ones((0, 2) if " 2 if" in lines[0] else (1, 1, 2))
    # Run, it would have been there.
    with suppress(maths.MathsError):
        maths.evaluate(lines, SimpleNamespace(), input=input)
    assert written.exists()


def test_names_in_a_trace_steer_no_terminal(tmp_path):
    net = nn.Sequential(nn.SelectTable("a\x1b[2J\ud800"))
    steps = trace(net, {"a\x1b[2J\ud800": np.ones(2)})
    steps[0].position = "net\x1b[2J\ud800"
    steps.to_html(tmp_path / "page.html")
    steps.to_json(tmp_path / "trace.json")
    read = Trace.from_json(tmp_path / "trace.json")
    assert read[0].position == steps[0].position
    for each in (steps, read):
        assert str(each).replace("\n", "").isprintable()
        assert r"net\x1b[2J\ud800" in str(each)
    assert str(read.diff(trace(nn.Sequential(nn.Identity()), np.ones(2)))).isprintable()


def test_a_trace_of_text_can_be_read(tmp_path):
    steps = trace(nn.Sequential(nn.SelectTable(0)), [np.ones(2), np.array(["a"])])
    steps.to_json(tmp_path / "trace.json")
    assert Trace.from_json(tmp_path / "trace.json")[0].arguments["input"][1].dtype == "<U1"


def test_without_docstrings_the_trace_says_so(tmp_path):
    program = """
import sys, numpy as np, torchlite as nn
from torchlite.stepping import Trace, trace
steps = trace(nn.Sequential(nn.Linear(2, 1)), np.ones((3, 2)))
steps.to_json("trace.json")
steps.to_html("page.html")
print(Trace.from_json("trace.json"))
"""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    said = (
        "There is no Maths here: it stands in the layers' docstrings, which python -OO leaves out."
    )
    assert done.stdout.startswith(f"{said}\n\nstep 1: updateOutput of net[0], Linear(2 -> 1)\n")
    assert f'"note": "{said} There are no numeric' in (tmp_path / "page.html").read_text()
    assert trace(nn.Sequential(nn.Linear(2, 1)), np.ones((3, 2))).note is None


def test_without_docstrings_a_summary_counts_no_multiply_adds():
    program = """
import torchlite as nn
from torchlite.stepping import summary
print(summary(nn.Sequential(nn.Linear(2, 1), nn.ReLU()), (3, 2)))
print(summary(nn.Linear(2, 1)).note)
"""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    first, *_, total, _, _, _, said, note = done.stdout.splitlines()
    assert first.split() == ["position", "layer", "output", "parameters", "activations"]
    assert total.split() == ["total", "3", "48", "B"]
    assert said == (
        "Multiply-adds are counted in the layers' docstrings, which python -OO leaves out."
    )
    assert note == "None"
    assert summary(nn.Sequential(nn.Linear(2, 1)), (3, 2)).note is None


# page


def roles(step):
    return {array["name"]: array["role"] for array in step["arrays"]}


def test_a_page_tells_parameters_from_what_else_a_layer_holds(tmp_path):
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.BatchNormalization(2), nn.Dropout(0.5))
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    steps = trace(net, x, nn.MSECriterion(), np.zeros((2, 2)))
    data = page_data(steps, tmp_path)["steps"]
    found = {(step["position"], step["method"]): roles(step) for step in data}
    back = ("updateGradInput", "updateOutput")
    assert found["net[0]", back[1]]["weight"] == found["net[0]", back[0]]["weight"] == "parameter"
    assert found["net[1]", back[0]]["output"] == "held"
    assert found["net[2]", back[0]]["weight"] == "parameter"
    assert {found["net[2]", back[0]][name] for name in ("save_mean", "save_std")} == {"held"}
    assert found["net[3]", back[0]]["noise"] == "held"
    # A file does not tell, but that an output is no parameter is plain.
    steps.to_json(tmp_path / "trace.json")
    read = page_data(Trace.from_json(tmp_path / "trace.json"), tmp_path)["steps"]
    assert {roles(step).get("output") for step in read} <= {None, "held", "result"}


def test_what_is_only_asked_for_its_size_is_no_part_of_a_result():
    shapes = {"input": "(4, 2)", "target": "(4, 2)", "gradInput": "(4, 2)", "gradOutput": "(4, 2)"}
    for lines in (
        ["n = (input.size or 1) if sizeAverage else 1", "gradInput = 2 / n * target"],
        ["n = len(input)", "gradInput = 2 / n * target"],
        ["gradInput = np.zeros_like(input) + target"],
        ["gradInput = target.reshape(input.shape)"],
    ):
        assert [name for name, _ in sources(lines, shapes, "gradInput")] == ["target"]
    full = ["gradInput = np.full_like(input, gradOutput.sum())"]
    assert sources(full, shapes, "gradInput") == [["gradOutput", [None, None]]]


@pytest.mark.parametrize(
    ("criterion", "target", "lines"),
    [
        (
            nn.MSECriterion(),
            np.ones((3, 2)),
            [
                "output = ((input (3, 2) - target (3, 2)) ** 2).sum() / n",
                "where n = input.size = 6",
            ],
        ),
        (
            nn.MSECriterion(False),
            np.ones((3, 2)),
            ["output = ((input (3, 2) - target (3, 2)) ** 2).sum() / n", "where n = 1"],
        ),
        (
            nn.ClassNLLCriterion(),
            np.array([0, 1, 1]),
            [
                "output = -(w (3,) * input (3, 2)[kept (3,), t (3,)]).sum() / n",
                "where kept (3,) = target (3,) != ignoreIndex",
                "where t (3,) = target (3,)[kept (3,)]",
                "where w (3,) = np.ones(len(t (3,)))",
                "where total_weight = w (3,).sum()",
                "where n = total_weight",
            ],
        ),
        (
            nn.ClassNLLCriterion(np.array([1.0, 3.0]), False),
            np.array([0, 1, 1]),
            [
                "output = -(w (3,) * input (3, 2)[kept (3,), t (3,)]).sum() / n",
                "where kept (3,) = target (3,) != ignoreIndex",
                "where t (3,) = target (3,)[kept (3,)]",
                "where w (3,) = weights (2,)[t (3,)]",
                "where total_weight = w (3,).sum()",
                "where n = 1",
            ],
        ),
    ],
)
def test_a_page_has_of_a_criterion_what_its_settings_leave(criterion, target, lines, tmp_path):
    steps = trace(nn.Identity(), np.arange(6.0).reshape(3, 2), criterion, target)
    assert page_data(steps, tmp_path)["steps"][1]["maths"] == lines
    # A file knows no settings.
    steps.to_json(tmp_path / "trace.json")
    read = Trace.from_json(tmp_path / "trace.json")
    said = page_data(read, tmp_path)["steps"][1]["maths"]
    assert {line.removeprefix("where ") for line in said} == set(lines_of(steps[1]))


def test_what_is_written_twice_is_read_in_its_order(tmp_path):
    layer = nn.TemporalConvolution(2, 3, 2)
    with record(layer) as steps:
        x = np.arange(8.0).reshape(1, 4, 2)
        layer.accGradParameters(x, np.ones_like(layer.forward(x)))
    said = page_data(steps, tmp_path)["steps"][1]["maths"]
    assert len(said) == len(steps[1].maths)
    assert not [line for line in said if line.startswith("where ")]


def test_a_page_says_what_each_step_is_for(tmp_path):
    net = nn.Sequential(nn.Linear(2, 1), nn.Tanh())
    x, y = np.ones((1, 2)), np.ones((1, 1))
    criterion = nn.MSECriterion()
    with record(net, criterion) as steps:
        net.zeroGradParameters()
        criterion.forward(net.forward(x), y)
        net.backward(x, criterion.backward(net.output, y))
        net.updateParameters(0.1)
    grows = "how much the loss rises when an entry of {} grows, for each unit"
    rule = "what came from behind, gradOutput, times the local derivative of the output"
    assert [step["purpose"] for step in page_data(steps, tmp_path)["steps"]] == [
        "The gradients begin at 0 again, since every backward adds to them.",
        "Forward. A linear map of each sample, plus a bias.",
        "Forward. The hyperbolic tangent, which rises from -1 to 1.",
        "Forward. Each module's output is the next one's input.",
        "The loss. The mean, or the sum, of the squared differences.",
        f"Backward begins: {grows.format('the input')}.",
        f"Backward, towards the input: {grows.format('the input')}. By the chain rule, {rule}.",
        f"Backward, towards the input: {grows.format('the input')}. By the chain rule, {rule}.",
        f"Backward, towards the input, through the modules inside: {grows.format('the input')}.",
        "Backward, towards the parameters: there are none.",
        f"Backward, towards the parameters: {grows.format('weight or bias')}. By the chain rule, "
        f"{rule}. It is added to gradWeight and gradBias.",
        "Backward, towards the parameters, through the modules inside.",
        "A step downhill: each parameter moves against its gradient, learningRate times it.",
    ]


class Around(nn.Container):
    """Adds its input to what its module makes of it."""

    def __init__(self, module):
        super().__init__()
        self.add(module)

    def updateOutput(self, input):
        self.output = input + self.modules[0].updateOutput(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput + self.modules[0].updateGradInput(input, gradOutput)
        return self.gradInput


def branches(*modules):
    return nn.Sequential(nn.ConcatTable(*modules), nn.CAddTable())


def joined():
    first = nn.Identity()()
    hidden = nn.Linear(2, 2)(first)
    return nn.gModule([first], [nn.CAddTable()([first, hidden])])


@pytest.mark.parametrize(
    ("make", "shares"),
    [
        (lambda: nn.Sequential(nn.Identity(), nn.Linear(2, 2)), []),
        (
            lambda: branches(nn.Linear(2, 2), nn.Sequential(nn.Tanh(), nn.Linear(2, 2))),
            ["net[0][0].gradInput", "net[0][1].gradInput", "net[0][1][0].gradInput"],
        ),
        # What hands its input on takes what those take to whom it is handed on.
        (
            lambda: branches(nn.Identity(), nn.Linear(2, 2)),
            ["net[0][0].gradInput", "net[0][1].gradInput", "net[1].gradInput[0]"],
        ),
        (
            lambda: branches(nn.ConcatTable(nn.Tanh(), nn.Identity()), nn.Tanh()).insert(
                nn.FlattenTable(), 1
            ),
            [
                *["net[0][0].gradInput", "net[0][0][0].gradInput", "net[0][0][1].gradInput"],
                *["net[0][1].gradInput", "net[1].gradInput[0][1]", "net[2].gradInput[1]"],
            ],
        ),
        (lambda: nn.Sequential(Around(nn.Linear(2, 2)), nn.Tanh()), ["net[0][0].gradInput"]),
        (joined, ["net[1].gradInput", "net[2].gradInput[0]"]),
    ],
)
def test_of_an_input_that_others_take_too_it_is_told_whose_gradient_it_is(tmp_path, make, shares):
    nn.manualSeed(1)
    x, y = np.array([[1.0, 2.0], [3.0, -1.0]]), np.zeros((2, 2))
    data = page_data(trace(make(), x, nn.MSECriterion(), y), tmp_path)["steps"]
    found = [
        f"{step['position']}.{array['name']}"
        for step in data
        for array in step["arrays"]
        if array.get("share")
    ]
    assert sorted(found) == sorted(shares)
    said = "when an entry of the input, for this module alone, grows"
    purposes = [f"{step['position']}.gradInput" for step in data if said in step["purpose"]]
    assert sorted(purposes) == sorted(name for name in shares if name.endswith("gradInput"))


def test_a_layer_without_maths_says_how_to_get_them(tmp_path):
    class Doubled(nn.Linear):
        """Twice as much."""

        def updateOutput(self, input):
            self.output = 2 * (input @ self.weight.T + self.bias)
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = 2 * gradOutput @ self.weight
            return self.gradInput

        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(input, 2 * gradOutput, scale)

    class Halved(nn.Identity):
        """Half of it.

        Maths
        -----
            output = input / 2
            gradInput = gradOutput / 2
        """

        def updateOutput(self, input):
            self.output = input / 2
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput / 2
            return self.gradInput

    net = nn.Sequential(Doubled(2, 2), Halved(), nn.Identity())
    x = np.ones((3, 2))
    steps = trace(net, x, nn.MSECriterion(), x)
    data = page_data(steps, tmp_path)["steps"]
    hints = {(step["position"], step["method"]): step["hint"] for step in data if step["hint"]}
    said = (
        "No section Maths in the docstring of Doubled gives this result. Write one, with a line "
        '"    {} ..." in NumPy, and it is shown here, with the numbers put in of an entry that is '
        "chosen."
    )
    assert hints == {
        ("net[0]", "updateOutput"): said.format("output ="),
        ("net[0]", "updateGradInput"): said.format("gradInput ="),
        ("net[0]", "accGradParameters"): said.format("gradWeight +="),
    }


def test_page_is_one_file_and_escapes_names(tmp_path):
    class Evil(nn.Identity):
        """No harm."""

        def __repr__(self):
            return "</script><img src=x onerror=alert(1)>&"

    net = nn.Sequential(Evil())
    steps = trace(net, np.ones((1, 2)), nn.MSECriterion(), np.zeros((1, 2)))
    data = page_data(steps, tmp_path)
    assert data["steps"][0]["layer"] == repr(Evil())
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert "default-src 'none'" in page
    assert not re.findall(r"https?:", page)
    frame = steps._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert frame.count("<") == 2
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == page


def test_page_of_the_digits_network_is_small(tmp_path):
    """It has 43,000 numbers and the script."""
    trace(*arranged(digits())).to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 350_000


# summary


def chain(n):
    """A network of n layers, and a forward, loss and backward to record."""
    net = nn.Sequential(*(nn.Linear(2, 2) if i % 2 else nn.Tanh() for i in range(n)))
    return net, numbers(3, 2), nn.MSECriterion(), numbers(3, 2)


def test_the_cost_of_every_view_grows_as_the_network(tmp_path):
    file = tmp_path / "trace.json"
    costs = []
    for n in (5, 10, 20, 40):
        arguments = chain(n)
        recorded, steps = calls_of(lambda arguments=arguments: trace(*arguments))
        others = [
            calls_of(view)[0]
            for view in (
                lambda steps=steps: str(steps),
                lambda steps=steps: steps.to_html(tmp_path / "page.html"),
                lambda steps=steps: steps.to_json(file),
                lambda: Trace.from_json(file),
                lambda steps=steps: steps.diff(steps),
            )
        ]
        costs.append([recorded, *others])
    costs = np.array(costs)
    assert (costs[2:] - costs[1:-1] < 2.1 * (costs[1:-1] - costs[:-2]).clip(10_000)).all(), costs


def test_the_forward_of_a_backward_is_found_at_once(monkeypatch):
    """Not by looking through all of them: every comparison of inputs is one of this layer's."""
    compared = []
    monkeypatch.setattr(
        replay, "same", lambda a, b, same=replay.same: compared.append(a) or same(a, b)
    )
    trace(*chain(50))
    assert len(compared) <= 3 * 50


def test_a_page_says_where_its_numeric_derivatives_end(tmp_path, monkeypatch):
    def numeric(most):
        monkeypatch.setattr("torchlite.stepping.numeric.MOST_CALLS", most)
        data = page_data(trace(*chain(4)), tmp_path)
        there = [s["number"] for s in data["steps"] if any("numeric" in a for a in s["arrays"])]
        return there, data["note"]

    # One call of the criterion, or of a layer, for 6 entries on both sides, and in a direction.
    each = 2 * (6 + 1)
    there, note = numeric(2 * each)
    assert there == [7, 8]
    assert note.endswith(" There are none at steps 9 to 13, 15: it would take too long.")
    # Parameters of a layer cost less: its weight has 4 entries, its bias 2.
    there, note = numeric(5 * each + 2 * (4 + 1) + 2 * (2 + 1) - 1)
    assert there == [7, 8, 9, 10, 11, 12, 13]
    assert note.endswith(" There are none at steps 13, 15: it would take too long.")
    there, note = numeric(10**9)
    assert "There are none" not in note
    assert there == [7, 8, 9, 10, 11, 12, 13, 15]


def test_summary():
    net = nested()[0]
    golden("summary.txt", f"{summary(net, (64, 4))}\n\n{summary(net)}")


# One number for each multiply-add: of what it is the product is what a loop over these would say.
MULTIPLY_ADDS = [
    # samples, output planes and positions, input planes, window
    (nn.SpatialConvolution(2, 3, 3, 2), (4, 2, 5, 4), (4, 3, 4, 2, 2, 2, 3)),
    (nn.SpatialConvolution(2, 3, 3, 2), (2, 5, 4), (3, 4, 2, 2, 2, 3)),
    (nn.SpatialConvolution(2, 3, 2, 3, 2, 1, 1, 1).noBias(), (3, 2, 4, 6), (3, 3, 4, 4, 2, 3, 2)),
    (nn.SpatialConvolutionMM(2, 3, 3, 2), (4, 2, 5, 4), (4, 3, 4, 2, 2, 2, 3)),
    (nn.SpatialDilatedConvolution(1, 2, 3, 2, 1, 1, 0, 0, 2, 2), (2, 1, 5, 6), (2, 2, 3, 2, 2, 3)),
    (nn.SpatialConvolutionLocal(2, 3, 4, 5, 3, 2), (2, 2, 5, 4), (2, 3, 4, 2, 2, 2, 3)),
    (nn.SpatialConvolutionLocal(2, 3, 4, 5, 3, 2), (2, 5, 4), (3, 4, 2, 2, 2, 3)),
    (nn.TemporalConvolution(3, 2, 2, 2), (4, 7, 3), (4, 2, 3, 3, 2)),
    (nn.TemporalConvolution(3, 2, 2, 2), (7, 3), (2, 3, 3, 2)),
    (nn.VolumetricConvolution(2, 3, 2, 1, 3), (2, 2, 3, 4, 5), (2, 3, 2, 2, 5, 2, 2, 3, 1)),
    (
        nn.VolumetricDilatedConvolution(1, 2, 2, 1, 2, dilationT=2),
        (1, 4, 3, 2),
        (2, 2, 2, 2, 1, 2, 2, 1),
    ),
    # samples, input planes and positions, multiplier, window
    (nn.SpatialDepthWiseConvolution(3, 2, 3, 2), (4, 3, 5, 4), (4, 3, 4, 2, 2, 2, 3)),
    (nn.TemporalRowConvolution(3, 2), (4, 6, 3), (4, 3, 5, 2)),
    (nn.TemporalRowConvolution(3, 2), (6, 3), (3, 5, 2)),
    (nn.TemporalRowConvolution(3, 2, 1, True), (4, 3, 6), (4, 3, 5, 2)),
    # samples, connections, positions, window
    (nn.SpatialConvolutionMap([[0, 0], [1, 0], [1, 2]], 3, 2), (4, 2, 5, 4), (4, 3, 4, 2, 2, 3)),
    (nn.SpatialConvolutionMap([[0, 0], [1, 0], [1, 2]], 3, 2), (2, 5, 4), (3, 4, 2, 2, 3)),
    # the same, but an entry of the input is what a kernel meets
    (nn.SpatialFullConvolutionMap([[0, 1], [1, 0]], 3, 2, 2), (4, 2, 5, 4), (4, 2, 5, 4, 2, 3)),
    (nn.SpatialFullConvolutionMap([[0, 1], [1, 0]], 3, 2, 2), (2, 5, 4), (2, 5, 4, 2, 3)),
    (nn.SpatialFullConvolution(3, 2, 3, 2, 2, 2, 1), (4, 3, 5, 4), (4, 3, 5, 4, 2, 2, 3)),
    (nn.SpatialFullConvolution(3, 2, 3, 2, 2, 2, 1), (3, 5, 4), (3, 5, 4, 2, 2, 3)),
    (nn.VolumetricFullConvolution(2, 3, 2, 1, 2), (2, 2, 1, 2, 3), (2, 2, 1, 2, 3, 3, 2, 2, 1)),
    # samples, planes and positions, window
    (nn.SpatialSubSampling(2, 3, 2, 2), (4, 2, 5, 6), (4, 2, 4, 2, 2, 3)),
    (nn.SpatialSubSampling(2, 3, 2, 2), (2, 5, 6), (2, 4, 2, 2, 3)),
    (nn.TemporalSubSampling(3, 2, 2), (4, 6, 3), (4, 3, 3, 2)),
    (nn.TemporalSubSampling(3, 2, 2), (6, 3), (3, 3, 2)),
    # the mean, and how many weights are inside
    (nn.SpatialSubtractiveNormalization(2, np.ones((3, 5))), (4, 2, 6, 5), (5, 6, 5, 3, 5)),
    (nn.SpatialDivisiveNormalization(2, np.ones((3, 5))), (4, 2, 6, 5), (5, 6, 5, 3, 5)),
    # samples, planes and positions, window
    (nn.SpatialCrossMapLRN(3), (4, 2, 6, 5), (4, 2, 6, 5, 3)),
    (nn.SpatialAveragePooling(3, 2), (4, 2, 6, 5), (4, 2, 5, 3, 3, 2)),
    (nn.SpatialAveragePooling(3, 2, 3, 2), (2, 6, 6), (2, 3, 2, 3, 2)),
    (nn.VolumetricAveragePooling(2, 3, 1), (4, 2, 4, 3, 3), (4, 2, 2, 3, 1, 2, 3, 1)),
    (nn.FeatureLPPooling(3, 1, 2, True), (4, 5), (4, 3, 3)),
    # windows that overlap by what does not divide: 2, 3 and 2 of 5 entries
    (nn.SpatialAdaptiveAveragePooling(3, 1), (4, 2, 6, 5), (4, 2, 6, 7)),
    (nn.SpatialMaxPooling(3, 2), (4, 2, 6, 5), (0,)),
    (nn.SoftMax(), (4, 3), (0,)),
    (nn.Normalize(2), (4, 3), (0,)),
    (nn.LinearWeightNorm(3, 2), (4, 3), (4, 2, 3)),
    (nn.SpatialFullConvolutionMap([[0, 1], [1, 0], [1, 2]], 3, 2, 2), (2, 5, 4), (3, 5, 4, 2, 3)),
    (nn.PartialLinear(3, 4), (5, 3), (5, 4, 3)),
]


@pytest.mark.parametrize(
    ("layer", "shape", "loops"), MULTIPLY_ADDS, ids=[repr(row[0])[:30] for row in MULTIPLY_ADDS]
)
def test_multiply_adds_of_convolutions(layer, shape, loops):
    row = summary(nn.Sequential(layer), shape).rows[1]
    assert row.multiply_adds == sum(1 for _ in np.ndindex(loops))


class ByNames(nn.TemporalConvolution):
    """A convolution that says what it does in another way.

    Maths
    -----
    ::

        kernels = weight.reshape(outputFrameSize, kW, inputFrameSize).swapaxes(1, 2)
        x = input.swapaxes(-1, -2)
        made = conv(x, weight=kernels, stride=(dW,), padding=(0,))
        output = made.swapaxes(-1, -2) + bias
    """


class Sums(nn.Mul):
    """A layer that adds up windows of a size that is known when it runs.

    Maths
    -----
    ::

        wide = input.shape[2:]
        output = sum_windows(input * weight, wide, (1,), (0,), (1,))
    """

    def updateOutput(self, input):
        self.output = (input * self.weight).sum(2, keepdims=True)
        return self.output


ROWS = np.array([[1, 2.0], [3, 1.0]])


@pytest.mark.parametrize(
    ("layer", "input"),
    [
        (ByNames(2, 3, 2), np.ones((4, 5, 2))),
        (Sums(), np.ones((2, 3, 4))),
        (nn.Euclidean(3, 2), np.ones((4, 3))),
        (nn.WeightedEuclidean(3, 2), np.ones((4, 3))),
        (nn.Kmeans(3, 4), np.ones((5, 4))),
        (nn.DotProduct(), [np.ones((4, 3)), np.ones((4, 3))]),
        (nn.CosineDistance(), [np.ones((4, 3)), np.ones((4, 3))]),
        (nn.MixtureTable(), [np.ones((4, 2)), [np.ones((4, 3)), np.ones((4, 3))]]),
        (nn.SparseLinear(5, 2), ROWS),
        (nn.IndexLinear(5, 2), [ROWS[:, 0].astype(int), ROWS[:, 1].copy()]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_multiply_adds_that_cannot_be_read_off(layer, input):
    with record(layer) as steps:
        layer.forward(input)
    assert steps[0].maths
    table = summary(nn.Sequential(layer), input)
    assert table.rows[1].multiply_adds is table.total.multiply_adds is None
    note = "Multiply-adds cannot be read off the formulas of net[0], so they have no total."
    assert table.note == note


@pytest.mark.parametrize(
    ("layer", "shape", "count"),
    [
        (nn.MM(), [(4, 2, 3), (4, 3, 5)], 4 * 2 * 3 * 5),
        (nn.MM(True), [(4, 3, 2), (4, 3, 5)], None),
        (nn.MV(True), [(4, 3, 2), (4, 3)], None),
    ],
)
def test_products_whose_formula_does_not_hold_are_not_none_at_all(layer, shape, count):
    assert summary(layer, shape).rows[0].multiply_adds == count


def test_a_total_of_multiply_adds_leaves_nothing_out():
    net = nn.Sequential(nn.SpatialConvolution(1, 2, 3, 3), nn.ReLU(), nn.View(2 * 3 * 3))
    net.add(nn.ConcatTable(nn.Identity(), nn.Linear(18, 4))).add(nn.Bilinear(18, 4, 5))
    table = summary(net, (2, 1, 5, 5))
    assert [row.multiply_adds for row in table.rows] == [None, 324, 0, 0, None, 0, 144, None]
    assert table.total.multiply_adds is None
    note = "Multiply-adds cannot be read off the formulas of net[4], so they have no total."
    assert table.note == note
    assert str(table).endswith(f"\n{note}")
    assert summary(net[:4], (2, 1, 5, 5)).total.multiply_adds == 324 + 144


def test_summary_of_kinds_of_networks():
    assert "1-D" not in str(summary(nn.Linear(3, 2), (3,)))
    assert summary(nn.Linear(3, 2), (3,)).total.multiply_adds == 6
    words = summary(nn.Sequential(nn.LookupTable(100, 8), nn.Mean(1)), (4, 7))
    assert [row.output for row in words.rows] == ["(4, 8)", "(4, 7, 8)", "(4, 8)"]
    table = summary(nn.Sequential(nn.CAddTable(), nn.View(6)), [(4, 6), (4, 6)])
    assert [row.activations for row in table.rows] == [None, 192, 0]
    assert summary(nn.CDivTable(), [(2, 3), (2, 3)]).rows[0].output == "(2, 3)"
    shared = nn.Linear(2, 2)
    assert summary(nn.Sequential(shared, shared)).total.parameters == 6


def test_summary_leaves_network_and_random_stream_alone():
    net = nested()[0]
    state = random.getRNGState()
    summary(net, (2, 4))
    assert np.array_equal(state, random.getRNGState())
    assert net.train
    assert net.output.size == 0


# commands

PROGRAM = """
import numpy as np
import torchlite as nn

def homework(slip=False):
    net = nn.Sequential(nn.Linear(2, 1, bias=False))
    net[0].weight[:] = 1
    criterion = nn.MSECriterion(not slip)
    return net, criterion, np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 1))

def slip():
    return homework(True)
"""


def test_trace_command(tmp_path, capsys):
    (tmp_path / "work.py").write_text(PROGRAM)
    a, b, page = (str(tmp_path / name) for name in ("a.json", "b.json", "page.html"))
    source = f"{tmp_path / 'work.py'}"
    assert main(["trace", f"{source}:homework"]) == 0
    assert "step 1: updateOutput of net[0], Linear(2 -> 1) without bias" in capsys.readouterr().out
    assert main(["trace", f"{source}:homework", "--json", a, "--html", page]) == 0
    assert capsys.readouterr().out == f"8 steps, written to {page} and {a}\n"
    assert main(["trace", f"{source}:slip", "--json", b]) == 0
    capsys.readouterr()
    assert main(["trace", "--compare", a, a]) == 0
    assert capsys.readouterr().out == "no difference in 8 steps\n"
    assert main(["trace", "--compare", a, b]) == 1
    assert capsys.readouterr().out == (
        "step 3, updateOutput of criterion, output: 29 against 58: "
        "summed instead of averaged, or doubled?\n"
    )


def test_a_function_that_returns_something_else(tmp_path, capsys):
    source = tmp_path / "work.py"
    source.write_text("import torchlite as nn\n\ndef net():\n    return nn.ReLU()\n")
    assert main(["trace", f"{source}:net"]) == 2
    expected = "must be (net, criterion, input, target), got ReLU\n"
    assert capsys.readouterr().err == (
        f"trace: DTypeError: trace: what {source}:net returns {expected}"
    )
    assert main(["trace", f"{source}:nothing"]) == 2
    said = f"trace: the name must be one of net in {source}, got 'nothing'\n"
    assert capsys.readouterr().err == f"trace: SettingError: {said}"


def test_a_trace_of_arguments_in_another_order():
    net, criterion, x = nn.Linear(2, 1), nn.MSECriterion(), np.ones((3, 2))
    hint = "\n  hint: trace(net, input, criterion, target)"
    for arguments, said in (
        ((net, criterion, x, x), "criterion must be a Criterion, got an array (3, 2)"),
        ((x, net), "net must be a Module, got an array (3, 2)"),
        ((criterion, x), "net must be a Module, got MSECriterion"),
    ):
        with pytest.raises(DTypeError) as caught:
            trace(*arguments)
        assert str(caught.value) == f"trace: {said}{hint}"


def test_a_summary_of_an_input_in_the_place_of_its_shape():
    net = nn.Sequential(nn.LookupTable(5, 2))
    ids = np.array([[4, 1, 0], [2, 2, 3]])
    assert str(summary(net, ids)) == str(summary(net, (2, 3)))
    dense = nn.Sequential(nn.Linear(3, 2)).float()
    assert str(summary(dense, np.ones((4, 3)))) == str(summary(dense, (4, 3)))
    both = nn.ParallelTable(nn.LookupTable(5, 2), nn.Linear(3, 2))
    assert [row.output for row in summary(both, [ids[0], (4, 3)]).rows[1:]] == ["(3, 2)", "(4, 2)"]
    given = [np.array([1, 3]), np.array([1.0, 2.0])]
    assert summary(nn.IndexLinear(5, 2), given).rows[0].output == "(2,)"
    assert given[0].tolist() == [1, 3]


def test_shapes_of_what_takes_indices_and_numbers_say_the_way():
    with pytest.raises(DTypeError) as caught:
        summary(nn.IndexLinear(5, 2), [(2,), (2,)])
    assert str(caught.value) == (
        "summary: input_shape must be an input of this network, got a shape, of which neither "
        "float64 nor int64 fits everywhere\n  hint: summary(net, input)"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trace", "nothing"], "trace: what is named must be file.py:name or package.module:name"),
        (["trace", "nowhere.py:f"], "FileNotFoundError"),
        (["trace", "--compare", "nowhere.json", "nowhere.json"], "FileNotFoundError"),
        (
            ["summary", "nothing"],
            "summary: what is named must be file.py:name or package.module:name",
        ),
        (["summary", "--input", "16,63"], "ShapeError"),
        (
            ["summary", "--input", "16;64"],
            "summary: SettingError: summary: --input must be a shape, or several with blanks "
            "between them, got '16;64'\n  hint: '64x5 64x2'\n",
        ),
    ],
)
def test_what_cannot_be_used_is_said(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_commands_on_the_demos_network(capsys):
    assert main(["trace"]) == 0
    assert "updateOutput of net[4], Linear(40 -> 10)" in capsys.readouterr().out
    assert main(["summary"]) == 0
    assert "8,850" in capsys.readouterr().out


def test_summary_command(tmp_path, capsys):
    (tmp_path / "work.py").write_text(PROGRAM)
    assert main(["summary", f"{tmp_path / 'work.py'}:homework"]) == 0
    assert "(2, 1)" in capsys.readouterr().out
    for shape in ("7,2", "7x2"):
        assert main(["summary", f"{tmp_path / 'work.py'}:homework", "--input", shape]) == 0
        assert "(7, 1)" in capsys.readouterr().out


def test_in_jupyter_a_trace_is_its_page():
    nbformat, nbclient = map(pytest.importorskip, ("nbformat", "nbclient"))
    pytest.importorskip("ipykernel")
    source = (
        "import numpy as np, torchlite as nn\n"
        "from torchlite.stepping import trace\n"
        "trace(nn.Linear(2, 1), np.ones((1, 2)))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.data["text/html"].startswith("<iframe srcdoc=")


def test_the_tree_tells_rows_from_branches():
    net = nn.Sequential(nn.ConcatTable(nn.Identity(), nn.Identity()), nn.CAddTable())
    tree = trace(net, np.ones(2)).network
    assert [tree["kind"], *(module["kind"] for module in tree["modules"])] == [
        "row",
        "branches",
        "layer",
    ]


# ---------------------------------------------------------------- windows

WINDOWED = [
    (nn.SpatialConvolution(2, 2, 2, 3, 2, 1, 1, 0), (2, 2, 4, 4)),
    (nn.SpatialDilatedConvolution(1, 2, 2, 2, 1, 1, 1, 1, 2, 1), (2, 1, 3, 3)),
    (nn.SpatialFullConvolution(1, 2, 3, 2, 2, 1, 1, 0), (2, 1, 2, 3)),
    (nn.SpatialConvolutionLocal(1, 2, 3, 3, 2, 2), (2, 1, 3, 3)),
    (nn.SpatialDepthWiseConvolution(2, 2, 2, 2), (1, 2, 3, 3)),
    (nn.SpatialConvolutionMap([[0, 0], [1, 0], [1, 1]], 2, 2), (1, 2, 3, 3)),
    (nn.TemporalConvolution(2, 3, 2), (2, 4, 2)),
    (nn.TemporalSubSampling(2, 2, 2), (1, 5, 2)),
    (nn.SpatialAveragePooling(2, 2, 1, 1, 1, 1), (1, 1, 3, 3)),
    (nn.SpatialReflectionPadding(1), (1, 1, 3, 3)),
    (nn.SpatialUpSamplingNearest(2), (1, 2, 2, 2)),
]


@pytest.mark.parametrize(
    ("layer", "shape"), WINDOWED, ids=[type(row[0]).__name__ for row in WINDOWED]
)
def test_windows_are_what_an_entry_changes_with(layer, shape):
    """All of these are linear in each of their arrays, which are chosen without a 0."""
    rng = np.random.default_rng(0)
    for array in layer.parameters()[0]:
        array[...] = rng.uniform(1, 2, array.shape)
    x = rng.uniform(1, 2, shape)
    g = rng.uniform(1, 2, layer.forward(x).shape)
    calls = {
        "updateOutput": lambda: {"output": layer.updateOutput(x)},
        "updateGradInput": lambda: {"gradInput": layer.updateGradInput(x, g)},
        "accGradParameters": lambda: [
            layer.zeroGradParameters().accGradParameters(x, g),
            {"gradWeight": layer.gradWeight.copy(), "gradBias": layer.gradBias.copy()},
        ][1],
    }
    if layer.weight is None:
        del calls["accGradParameters"]
    with record(layer) as steps:
        for call in calls.values():
            call()
    known = steps._known
    steps = {step.method: step for step in steps if step.method in calls}
    for method, call in calls.items():
        step, before = steps[method], call()
        arrays = {"input": x, "gradOutput": g, "weight": layer.weight, "bias": layer.bias}
        named = {name: array for name, array in arrays.items() if name in step.shapes}
        table = {"connTable": getattr(layer, "connTable", None), "scale": 1}
        found = windows(step.maths, known(step).settings, {**named, **table}, before)
        for name, array in named.items():
            for target, made in before.items():
                expected = [[] for _ in range(made.size)]
                for place in range(array.size):
                    kept, array.flat[place] = array.flat[place], array.flat[place] + 1
                    for entry in np.flatnonzero(call()[target] != made):
                        expected[entry].append(place)
                    array.flat[place] = kept
                assert found[target][name] == expected
        # In little room, it says the same.
        short = regions(step.maths, known(step).settings, {**named, **table}, before)
        for target, made in short.items():
            # Of some arrays it cannot be said by one axis: a weight of its own at every place.
            if isinstance(layer, (nn.SpatialConvolution, nn.SpatialFullConvolution)):
                assert made.keys() == found[target].keys()
            for name, dimensions in made.items():
                assert spread(dimensions, before[target], named[name]) == found[target][name]


def spread(dimensions, target, source):
    """The places that regions stand for."""
    places = np.arange(source.size).reshape(source.shape)
    return [
        places[
            np.ix_(*(each[0 if axis is None else index[axis]] for axis, each in dimensions))
        ].ravel().tolist()
        for index in np.ndindex(*target.shape)
    ]  # fmt: skip


def test_the_page_names_windows(tmp_path):
    net = nn.Sequential(nn.SpatialConvolution(1, 1, 2, 2), nn.SpatialMaxPooling(2, 2, 1, 1))
    net[0].weight[:] = 1
    x = np.array([[[[9.0, 0.0, 0.0, 1.0], [0.0, 2.0, 3.0, 4.0], [0.0, 5.0, 6.0, 7.0]]]])
    with record(net) as steps:
        net.forward(x)
        net.backward(x, np.ones((1, 1, 1, 2)))
    first, second, _, pooled, convolved, *_ = page_data(steps, tmp_path)["steps"]

    def made(step, name):
        (array,) = [a for a in step["arrays"] if a["name"] == name and "windows" in a]
        return {key: [e and e[0] for e in each] for key, each in array["windows"].items()}

    assert made(first, "output") == {
        "input": [
            f"input[0, 0, {rows}, {columns}]"
            for rows in ("0:2", "1:3") for columns in ("0:2", "1:3", "2:4")
        ],
        "weight": ["all of weight"] * 6,
        "bias": ["all of bias"] * 6,
    }  # fmt: skip
    assert made(second, "output") == {"input": ["input[0, 0, :, 0:2]", "input[0, 0, :, 1:3]"]}
    # The sums are 11, 5, 8; 7, 16, 20: the maxima 16 and 20.
    assert made(pooled, "gradInput") == {
        "input": [None] * 6,
        "gradOutput": [None] * 4 + ["gradOutput[0, 0, 0, 0]", "gradOutput[0, 0, 0, 1]"],
    }
    assert made(convolved, "gradInput")["gradOutput"][5] == "gradOutput[0, 0, :, 0:2]"
    # What was read from a file has no settings.
    steps.to_json(tmp_path / "steps.json")
    read = page_data(Trace.from_json(tmp_path / "steps.json"), tmp_path)["steps"]
    assert "'windows'" not in str(read)


def test_the_page_has_the_regions_of_large_arrays(tmp_path, monkeypatch):
    net = nn.Sequential(nn.SpatialConvolution(1, 1, 3, 3), nn.SpatialMaxPooling(2, 2))
    x = numbers(1, 1, 16, 16)
    with record(net) as steps:
        net.forward(x)
        net.backward(x, numbers(1, 1, 7, 7))

    def large():
        return {
            step["number"]: array["regions"]
            for step in page_data(steps, tmp_path)["steps"]
            for array in step["arrays"]
            if "regions" in array
        }

    found = large()
    three = [[i, i + 1, i + 2] for i in range(14)]
    assert found[1]["input"] == [[None, [[0]]], [None, [[0]]], [2, three], [3, three]]
    assert found[1]["weight"] == [[None, [[0]]]] * 2 + [[None, [[0, 1, 2]]]] * 2
    # All of pooling is small enough to be looked at entry by entry.
    assert found.keys() == {1, 5, 8}
    for most, steps_found in ((256 + 9 + 1 + 196, {1}), (256 + 9 + 1 + 195, set())):
        monkeypatch.setattr(page, "MOST_ENTRIES", most)
        assert large().keys() == steps_found
    # Where an entry of the input goes in a maximum depends on the numbers.
    layer = nn.SpatialMaxPooling(2, 2)
    with record(layer) as steps:
        layer.forward(x)
        layer.backward(x, np.ones((1, 1, 8, 8)))
    monkeypatch.undo()
    two = [[i, i + 1] for i in range(0, 16, 2)]
    assert large() == {1: {"input": [[None, [[0]]], [None, [[0]]], [2, two], [3, two]]}}


def test_windows_are_not_looked_for_where_it_would_take_too_long(tmp_path, monkeypatch):
    layer, x = nn.SpatialConvolution(1, 1, 2, 2), np.ones((1, 1, 3, 3))
    with record(layer) as steps:
        layer.forward(x)
        layer.forward(x)
    # Once as it is, and for each index of input, weight, bias and output.
    runs = 1 + 8 + 6 + 1 + 6
    for most, count in ((2 * runs, 2), (2 * runs - 1, 1), (runs - 1, 0)):
        monkeypatch.setattr(page, "MOST_RUNS", most)
        assert str(page_data(steps, tmp_path)).count("'windows'") == count
    x[...] = np.nan
    with record(layer) as steps:
        layer.forward(x)
    assert "'windows'" not in str(page_data(steps, tmp_path))


@pytest.mark.parametrize(
    ("line", "shape", "axes"),
    [
        ("gradBias += gradOutput.sum(0)", "(3,)", [None, 0]),
        ("gradBias += gradOutput.mean(1)", "(5,)", [0, None]),
        ("gradBias += gradOutput.max(0, keepdims=True)", "(1, 3)", [None, 1]),
        ("gradBias += gradOutput.sum(2)", "(3,)", [None, None]),
        ("gradBias += gradOutput.std(0)", "(3,)", [None, None]),
    ],
)
def test_of_what_a_reduction_is_made(line, shape, axes):
    shapes = {"gradBias": shape, "gradOutput": "(5, 3)"}
    assert sources([line], shapes, "gradBias") == [["gradOutput", axes]]


# ---------------------------------------------------------------- formulas that are no formulas


class Halves(nn.Mul):
    """A layer whose documentation does more than to compute.

    Maths
    -----
    ::

        weight *= 0.5
        table[0] += 1
        input -= 1
        output = 2 * weight * (input + 1)
        gradOutput[:] = 0
        gradInput = weight * gradOutput
        np.add.at(gradWeight, 0, (gradOutput * input).sum())
    """

    def __init__(self):
        super().__init__()
        self.table = [np.ones(1)]


class Flattened(nn.Identity):
    """A layer whose documentation speaks of another shape.

    Maths
    -----
    ::

        output = input.reshape(-1)
    """


def test_a_formula_that_gives_another_shape_is_not_shown():
    flat, rows = (trace(Flattened(), np.ones(shape)) for shape in (6, (2, 3)))
    assert flat[0].maths == ["output = input.reshape(-1)"]
    assert rows[0].maths == []


def test_a_formula_that_gives_other_numbers_is_not_shown():
    class Off(nn.Identity):
        """A layer whose documentation is wrong.

        Maths
        -----
            output = 2 * input
            gradInput = gradOutput
        """

        def updateOutput(self, input):
            self.output = 3 * input
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput
            return self.gradInput

    x = np.ones((2, 3))
    steps = trace(Off(), x, nn.MSECriterion(), x)
    assert [step.maths[-1:] for step in steps if step.position == "net"] == [
        [],
        ["gradInput = gradOutput"],
        [],
    ]
    # The formula speaks of a batch: it is not that of an image, whose channels stand in front.
    assert trace(nn.LogSoftMax(), np.eye(3))[0].maths
    assert not trace(nn.LogSoftMax(), np.arange(12.0).reshape(3, 2, 2))[0].maths
    # Nor is it that of one sequence, whose bias would get the sum of all its gradients; what was
    # there before is no matter.
    layer = nn.TemporalConvolution(2, 3, 1)
    for shape, lines in ((1, 4, 2), 2), ((4, 2), 0):
        layer.gradBias[:] = 1e3
        x = np.arange(8.0).reshape(shape)
        with record(layer) as steps:
            layer.accGradParameters(x, np.ones_like(layer.forward(x)))
        assert len([line for line in steps[1].maths if "+=" in line]) == lines
    # All 0 but for rounding.
    layer = nn.BatchNormalization(2)
    with record(layer) as steps:
        layer.forward(x := np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]))
        layer.updateGradInput(x, np.full((3, 2), 0.5))
    assert len(steps[1].maths) == 6


@pytest.mark.parametrize("layer", [nn.Narrow(1, 1, 2), nn.Select(1, 0)])
def test_a_formula_that_writes_into_a_view_is_shown_as_a_whole(layer):
    x = np.arange(12.0).reshape(3, 4)
    with record(layer) as steps:
        layer.updateGradInput(x, np.ones_like(layer.forward(x)))
    first, second = steps[1].maths[-2:]
    assert first == "gradInput = np.zeros_like(input)"
    assert second.startswith("np.moveaxis(gradInput, dimension, 0)[")


class HalfRight(nn.Linear):
    """A layer of whose two gradients one is said with another shape.

    Maths
    -----
    ::

        gradWeight += scale * gradOutput.T @ input
        gradBias = scale * gradOutput
    """


def test_a_formula_is_shown_when_all_of_it_fits():
    layer = HalfRight(2, 2)
    with record(layer) as steps:
        layer.accGradParameters(np.ones((3, 2)), np.ones((3, 2)))
    assert steps[0].maths == []


def test_what_a_docstring_says_is_not_done_to_the_layer():
    net = nn.Sequential(Halves())
    net[0].weight[:], net[0].gradWeight[:] = 3, 7
    x, g = np.array([[2.0]]), np.array([[5.0]])
    with record(net) as steps:
        output = net.forward(x)
        net.backward(x, g)
    assert (net[0].weight, net[0].gradWeight, net[0].table[0]) == (3, 17, 1)
    assert (x, output, g, net.gradInput) == (2, 6, 5, 15)
    assert steps[0].maths[-1] == "output = 2 * weight * (input + 1)"
    assert steps[0].parameters["weight"].values == 3


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "open('file', 'w')",
        "print(input)",
        "__import__('os')",
        "input.__class__",
        "np.random.seed(0)",
        "def f(): return 1",
        "class A: pass",
        "del weight",
        "while True: output = input",
        "with input: output = input",
        "global weight",
        "lambda: setattr(input, 'flags', 0)",
        "exec('1')",
        "assert input",
        "raise input",
        "weight: np.load = 1",
    ],
)
def test_maths_that_does_more_than_compute_is_not_run(line):
    with pytest.raises(NameError, match="Maths cannot "):
        maths.evaluate([line, "output = input"], nn.Mul(), input=np.ones(1))


def test_maths_may_compute_in_steps():
    layer = nn.Mul()
    block = ["a, b = [abs(e) for e in (input, -input)]", "for e in range(3):\n    a = a + b"]
    assert maths.evaluate(block, layer, input=np.ones(1))["a"] == 4


# gModules are drawn as graphs


def skipping():
    """A chain with a skip, a split and two outputs."""
    x = nn.Identity()()
    h = nn.ReLU()(nn.Linear(3, 3)(x))
    first, second = nn.ConcatTable(nn.Tanh(), nn.Identity())(h).split(2)
    y = nn.CAddTable()([x, first])
    return filled(nn.gModule([x], [y, second]))


SKIPPING = """\
input -> (0) Identity -> (1) Linear(3 -> 3) -> (2) ReLU -> (3) ConcatTable -[0]-> (4) CAddTable
    -[0]-> output
(0) -> (4)
(3) -[1] as [1]-> output"""


def test_a_graph_as_text_is_its_longest_way_and_what_leaves_it():
    net = skipping()
    assert "\n".join(drawing.lines(drawing.tree(net))) == SKIPPING
    x, y = nn.Identity()(), nn.Identity()()
    h = nn.Tanh()(x)
    net = nn.gModule([x, y], [nn.CAddTable()([h, y, x])])
    assert drawing.lines(drawing.tree(net)) == [
        "input -[0]-> (0) Identity -> (1) Tanh -> (3) CAddTable -> output",
        "input -[1]-> (2) Identity -------------> (3)",
        "             (0) ----------------------> (3)",
    ]
    h = nn.Tanh()(nn.Tanh()(x))
    wide = nn.gModule([x], [nn.CAddTable()([h, nn.BatchNormalization(3)(x)])])
    assert drawing.lines(drawing.tree(wide)) == [
        "input -> (0) Identity -> (1) Tanh -> (2) Tanh -> (4) CAddTable -> output",
        "         (0) -> (3) BatchNormalization (2D) (3) -> (4)",
    ]
    long = nn.gModule([x, y], [nn.CAddTable()([nn.Sequential(nn.Linear(3, 3), nn.Tanh())(x), y])])
    assert drawing.lines(drawing.tree(long))[0] == (
        "input -[0]-> (0) Identity -> (1) Sequential -> (3) CAddTable -> output"
    )


def test_the_names_of_nodes_are_drawn(tmp_path):
    x, layer = nn.Identity()(), nn.Tanh()
    h = layer(x).annotate(name="hidden\x1b", description="not its name")
    first, _ = nn.SplitTable(0)(layer(h).annotate(name="again")).annotate(name="both").split(2)
    first.annotate(name="of a part: no module")
    net = nn.Sequential(nn.gModule([x], [nn.Tanh()(first)]))
    drawn = (
        "net[0], from left to right:\n"
        "input -> (0) Identity -> (1) hidden\\x1b: Tanh -> (2) again: Tanh -> (3) both: SplitTable"
        "\n    -[0]-> (4) Tanh -> output"
    )
    steps = trace(net, numbers(2, 3))
    assert summary(net).drawings == [drawn]
    assert str(steps).startswith(f"{drawn}\n\n")
    (graph,) = page_data(steps, tmp_path)["network"]["modules"]
    assert [part["layer"] for part in graph["modules"]] == [
        "Identity", "hidden\x1b: Tanh", "again: Tanh", "both: SplitTable", "Tanh",
    ]  # fmt: skip


def test_columns_of_a_graph():
    net = skipping()
    assert net.edges == [
        (-1, 0, ""), (0, 1, ""), (1, 2, ""), (2, 3, ""), (0, 4, ""), (3, 4, "[0]"),
        (4, 5, "[0]"), (3, 5, "[1] as [1]"),
    ]  # fmt: skip
    assert drawing.columns(net.edges, 5) == [
        [-1], [0], [1, [4]], [2, [4]], [3, [4]], [[7], 4], [5],
    ]  # fmt: skip


def test_text_page_summary_and_file_draw_the_graph(tmp_path):
    net = nn.Sequential(skipping(), nn.CAddTable())
    steps = trace(net, numbers(2, 3), nn.MSECriterion(), numbers(2, 3))
    drawn = f"net[0], from left to right:\n{SKIPPING}"
    assert str(steps).startswith(f"{drawn}\n\nstep 1: updateOutput of net[0][0], Identity\n")
    assert str(summary(net, (2, 3))).endswith(f"\n\n{drawn}")
    assert summary(net).drawings == [drawn]
    steps.to_json(tmp_path / "trace.json")
    again = Trace.from_json(tmp_path / "trace.json")
    assert str(again) == str(steps)
    for one in (steps, again):
        graph = page_data(one, tmp_path)["network"]["modules"][0]
        assert graph["kind"] == "graph"
        assert graph["lines"] == SKIPPING.split("\n")
        assert graph["columns"] == drawing.columns(graph["edges"], 5)
    assert [part["kind"] for part in again.network["modules"][0]["modules"]] == [
        "layer", "layer", "layer", "branches", "layer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "edges", [None, [3], [[0, 1]], [[0, 0, ""]], [[1, 0, ""]], [[-2, 0, ""]], [[0, 6, ""]],
              [[0, 1, 2]], [[0.0, 1, ""]], [[True, 2, ""]]],
)  # fmt: skip
def test_a_file_with_other_edges_is_refused(edges, tmp_path):
    trace(skipping(), numbers(2, 3)).to_json(tmp_path / "trace.json")
    data = json.loads((tmp_path / "trace.json").read_text("utf-8"))
    data["network"]["edges"] = edges
    (tmp_path / "trace.json").write_text(json.dumps(data), "utf-8")
    with pytest.raises(FormatError, match="network is no tree of modules"):
        Trace.from_json(tmp_path / "trace.json")


def test_one_module_at_two_nodes():
    x, layer = nn.Identity()(), nn.Linear(3, 3)
    net = nn.gModule([x], [layer(nn.Tanh()(layer(x)))])
    steps = trace(net, numbers(2, 3), nn.MSECriterion(), numbers(2, 3))
    positions = {}
    for step in steps:
        positions.setdefault(step.method, []).append(step.position)
    assert positions["updateOutput"] == ["net[0]", "net[1]", "net[2]", "net[3]", "net", "criterion"]
    back = ["net[3]", "net[2]", "net[1]", "net[0]", "net"]
    assert positions["updateGradInput"] == ["criterion", *back]
    assert positions["accGradParameters"] == back


def test_the_gradients_of_a_graph_are_the_numeric_derivatives(tmp_path):
    net = nn.Sequential(skipping(), nn.JoinTable(1))
    steps = page_data(trace(net, numbers(2, 3), nn.MSECriterion(), numbers(2, 6)), tmp_path)[
        "steps"
    ]
    verdicts = [
        verdict
        for step in steps
        for array in step["arrays"]
        for _, verdict in array.get("numeric", ())
    ]
    assert set(verdicts) == {"agrees"}
    assert len(verdicts) > 50
