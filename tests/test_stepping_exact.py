"""What is made of a recording, to the last number and word: diffs, formulas, pages, files."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from test_stepping import DATA, by_hand, filled, numbers, page_data, verdicts

import torchlite as nn
from torchlite.errors import FormatError, ShapeError, StateError
from torchlite.stepping import Trace, record, summary, trace
from torchlite.stepping.arrays import Copy, named_arrays, snapshot
from torchlite.stepping.diff import _pattern
from torchlite.stepping.formulas import filled as filled_in
from torchlite.stepping.formulas import sources
from torchlite.stepping.summarize import _memory
from torchlite.stepping.text import block, columns, look, shapes_of_all
from torchlite.testing.duck import ducks


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A trace as a file has it."""
    file = tmp_path_factory.mktemp("traces") / "trace.json"
    net, criterion, x, y = by_hand()
    trace(net, x, criterion, y).to_json(file)
    return file.read_text()


def test_a_backward_that_failed_leaves_the_round_as_it_is(tmp_path):
    net, criterion, x, y = by_hand()
    with record(net, criterion) as steps:
        criterion.forward(net.forward(x), y)
        with pytest.raises(ShapeError):
            criterion.backward(net.output, y[:2])
        net.backward(x, criterion.backward(net.output, y))
    numeric = [
        f"{step['method']} of {step['position']}"
        for step in page_data(steps, tmp_path)["steps"]
        if any("numeric" in array for array in step["arrays"])
    ]
    assert numeric == [
        "updateGradInput of criterion",
        "updateGradInput of net[2]",
        "updateGradInput of net[1]",
        "updateGradInput of net[0]",
        "updateGradInput of net",
        "accGradParameters of net[2]",
        "accGradParameters of net[0]",
    ]


def test_two_branches_that_the_user_puts_together(tmp_path):
    """The second begins with an array of the user's own, and belongs to the same loss."""
    net, x, y = (
        filled(nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1))),
        numbers(3, 2),
        np.ones((3, 1)),
    )
    criterion = nn.ParallelCriterion().add(nn.MSECriterion()).add(nn.MSECriterion())
    with record(net, criterion) as steps:
        outputs = [net[0].forward(x), net[1].forward(x + 1)]
        criterion.forward(outputs, [y, y])
        gradients = criterion.backward(outputs, [y, y])
        net[0].backward(x, gradients[0])
        net[1].backward(x + 1, gradients[1])
    data = page_data(steps, tmp_path)
    assert verdicts(data) == {"agrees"}
    assert sum("numeric" in array for step in data["steps"] for array in step["arrays"]) == 8


def test_without_a_criterion_the_network_is_not_copied():
    class Single(nn.Identity):
        def __deepcopy__(self, memo):
            raise AssertionError

    assert len(trace(nn.Sequential(Single()), np.ones(2))) == 2


def test_copies_of_values():
    duck = ducks()(np.ones((2, 3)))
    with np.errstate(all="raise"):
        kept = snapshot([None, True, np.float32(0.5), "text", duck, np.array([1e200])], 10)
    assert kept[:5] == [None, True, 0.5, "str", Copy((2, 3), "float64")]
    assert kept[5][:-1] == ((1,), "float64", math.inf, 1e200, 1e200)
    table = {"a": kept[4], 1: [kept[4]]}
    assert [name for name, _ in named_arrays("input", table)] == ["input['a']", "input[1][0]"]


def differences(one, other, rtol=0.25):
    """What is said of two arguments."""
    traces = [trace(nn.Identity(), np.ones(1)) for _ in range(2)]
    for steps, value in zip(traces, (one, other), strict=True):
        steps[0].arguments = {"it": value}
    said = traces[0].diff(traces[1], rtol=rtol)
    return said and (said.index, said.expected, said.got)


def test_diff_of_any_values():
    kept = snapshot(np.ones((2, 2)), 10)
    assert differences(4.0, 5.0) is None
    assert differences(4.0, 5.125) == (None, 4, 5.125)
    assert differences(math.inf, math.inf) is None
    assert differences(math.nan, math.nan) is None
    assert differences(1.0, math.nan)[1] == 1
    assert differences(math.nan, 1.0)[2] == 1
    assert differences("str", "str") is None
    assert differences("one", "two") == (None, "str", "str")
    assert differences(kept, 1.0) == (None, "(2, 2)", "float")
    assert differences(1.0, kept) == (None, "float", "(2, 2)")
    assert differences(kept, kept) is None
    other = snapshot(np.array([[1.0, 1.25], [1, 9]]), 10)
    assert differences(kept, other) == ((1, 1), 1, 9)
    assert "input[1, 1]: 1 against 9" in str(
        trace(nn.Identity(), np.ones((2, 2))).diff(trace(nn.Identity(), other.values))
    )


def test_diff_of_arrays_of_which_less_is_kept():
    ones = np.ones((2, 2))
    assert differences(snapshot(ones, 10), snapshot(ones, 0)) is None
    assert differences(snapshot(ones, 0), snapshot(ones, 10)) is None
    assert differences(snapshot(ones, 0), snapshot(3 * ones, 0)) == (None, "norm 2", "norm 6")
    pair = [snapshot(np.array(values), 0) for values in ([3.0, 4.0], [-3.0, 4.0])]
    assert differences(*pair) == (None, "min 3", "min -3")
    pair = [snapshot(np.array(values), 0) for values in ([-4.0, 3.0], [-4.0, -3.0])]
    assert differences(*pair) == (None, "max 3", "max -3")
    pair = [snapshot(values, 0) for values in (ones + 0j, ones)]
    assert differences(*pair) == (None, "min none", "min 1")
    assert differences(*pair[::-1]) == (None, "min 1", "min none")
    nan = snapshot(np.full((2, 2), np.nan), 0)
    assert differences(nan, snapshot(ones, 0)) == (None, "norm nan", "norm 2")
    assert differences(snapshot(ones, 0), nan) == (None, "norm 2", "norm nan")
    assert differences(nan, nan) is None
    pair = [snapshot(np.array(values), 9) for values in ([1.0, 1.0], [1.0, 1.5])]
    assert differences(*pair) == ((1,), 1, 1.5)
    # Near is what differs little beside the largest.
    pair = [snapshot(np.array(values), 9) for values in ([10.0, 1.0], [10.0, 3.5], [10.0, 3.625])]
    assert differences(pair[0], pair[1]) is None
    assert differences(pair[0], pair[2]) == ((1,), 1, 3.625)


def test_what_a_diff_guesses():
    def guessed(got, expected, previous=None, **arguments):
        step = SimpleNamespace(arguments=snapshot(arguments, 10))
        return _pattern(np.array(got), np.array(expected), step, previous)

    assert guessed([0.25, 0.5], [1.0, 2.0], input=np.ones((4, 3))) == "averaged instead of summed?"
    assert guessed([0.25, 0.5], [1.0, 2.0], input=np.ones(4)) == "a constant factor is off?"
    assert guessed([1.0, 2.0], [3.0, 6.0], scale=3.0) == "scale ignored?"
    assert guessed([1.0, 2.0], [3.0, 6.0], scale=[3.0]) == "a constant factor is off?"
    assert guessed([5.0, 9.0], [7.0, 13.0], np.array([4.0, 7.0]), scale=3.0) == "scale ignored?"
    assert guessed([5.0, 2.0, 3.0], [7.0, 1.0, 13.0]) is None


def test_shapes_are_not_filled_in_where_sizes_are_asked_for():
    for size in ("shape", "size", "ndim", "dtype"):
        assert filled_in([f"output = input.{size} + input.T"], {"input": "(5, 4)"}) == [
            f"output = input.{size} + input.T (4, 5)"
        ]
    table = "[(2,), (3,)]"
    assert filled_in(["output = input.T"], {"input": table}) == [f"output = input.T {table}"]


def test_look_takes_no_more_columns_than_there_are():
    kept = snapshot(np.array([[1.5, 2.5], [3.5, 4.5]]), 10)
    assert look(kept, 11) == "[[1.5 2.5]\n [3.5 4.5]]"
    assert look(kept, 10) is None
    many = snapshot(np.arange(60.0), 100)
    assert look(many, 94).count("\n") == 2
    assert max(map(len, look(many, 94).split("\n"))) <= 94
    assert look(many, 93) is None
    assert look(snapshot(np.arange(61.0), 100), 94) == "norm 271.7, min 0, max 60"


def test_what_is_too_wide_stands_below():
    kept = snapshot(np.arange(61.0), 100)
    said = "norm 271.7, min 0, max 60"
    assert look(kept, len(said), 40) == said
    assert look(kept, len(said) - 1, 40) is None
    assert look(kept, 20, 20) == "norm 271.7\nmin 0\nmax 60"
    cells = [("at", "a", "1"), ("[10]", "bc", "20")]
    assert columns(cells, 12, {2}) == [["at    a    1", "[10]  bc  20"]]
    assert columns(cells, 11, {2}) == [["at    a", "[10]  bc"], ["at     1", "[10]  20"]]
    assert columns(cells, 1) == [["at    a", "[10]  bc"], ["at    1", "[10]  20"]]


def test_a_summary_has_its_rules_and_its_note_in_each_part():
    table = summary(nn.Sequential(nn.Linear(3, 2)), (1, 3))
    assert table.within(2**20) == str(table)
    assert f"{table.within(36)}\n" == NARROW


NARROW = """\
position  layer           output
--------------------------------
net       Sequential      (1, 2)
  net[0]  Linear(3 -> 2)  (1, 2)
--------------------------------
total

position  parameters  multiply-adds
-----------------------------------
net
  net[0]           8              6
-----------------------------------
total              8              6

position  activations
---------------------
net
  net[0]         16 B
---------------------
total            16 B
8 trainable parameters, 0 frozen
a step of training holds 184 B:
  64 B parameters, 64 B their
  gradients, 16 B from forward, 40 B
  from backward
"""


def test_look_at_small_and_unknown_numbers():
    assert look(snapshot(np.array([1e-9, 1.0]), 10), 94) == "[1.e-09 1.e+00]"
    assert look(snapshot(np.full(20, 1 / 3), 20), 94).split("\n")[0] == (
        "[" + " ".join(["0.3333"] * 13)
    )
    assert look(Copy((2,), "<U1"), 94) == "<U1"
    table = {"a": Copy((2,), "f"), "b": [Copy((), "f"), 0.1234567]}
    assert shapes_of_all(table) == "{a: (2,), b: [(), 0.123457]}"


def test_long_lines_are_cut_or_broken():
    steps = trace(nn.Identity(), np.full(13, 0.125))
    steps[0].layer = "x" * (100 - len("step 1: updateOutput of net, "))
    assert block(steps[0]).split("\n")[0].endswith("x")
    steps[0].layer += "y"
    assert block(steps[0]).split("\n")[0] == ("step 1: updateOutput of net, " + "x" * 68 + "...")
    steps[0].arguments = {"y" * 15: steps[0].arguments["input"]}
    name, numbers = block(steps[0]).split("\n")[-4:-2]
    assert (name, numbers) == (
        "  " + "y" * 15 + " (13,)",
        "      [" + " ".join(["0.125"] * 13) + "]",
    )


def test_summary_cuts_long_names():
    class Named(nn.Identity):
        def __repr__(self):
            return self.name

    layer = Named()
    for name, shown in (("x" * 40, "x" * 40), ("x" * 41, "x" * 37 + "...")):
        layer.name = name
        assert summary(layer).rows[0].layer == shown


def test_of_what_a_result_is_made_in_steps():
    shapes = {"input": "(5, 4)", "h": "(5, 4)", "weight": "(3, 4)", "output": "(5, 3)"}
    lines = ["h = input + 1", "output = h @ weight.T"]
    assert sources(lines, shapes, "output") == [["input", [0, None]], ["weight", [1, None]]]
    assert sources(["output = output + input"], {**shapes, "input": "(5, 3)"}, "output") == [
        ["output", [0, 1]],
        ["input", [0, 1]],
    ]


@pytest.mark.parametrize(
    ("right", "places"),
    [
        ("a + b", [["a", [0, 1]], ["b", [0, 1]]]),
        ("-a", [["a", [0, 1]]]),
        ("a.T", [["a", [1, 0]]]),
        ("a.real", [["a", [None, None]]]),
        ("np.exp(a)", [["a", [0, 1]]]),
        ("np.clip(a, 0, 1)", [["a", [0, 1]]]),
        ("np.where(a > b, a, 0)", [["a", [0, 1]], ["b", [0, 1]]]),
        ("np.cumsum(a, 0)", [["a", [None, None]]]),
        ("a[::-1]", [["a", [None, None]]]),
        ("a @ b", [["a", [0, None]], ["b", [None, 1]]]),
    ],
)
def test_of_what_an_entry_is_made(right, places):
    shapes = dict.fromkeys(("a", "b", "output"), "(3, 3)")
    assert sources([f"output = {right}"], shapes, "output") == places


def test_a_formula_that_warns_is_shown():
    class Largest(nn.Module):
        """The largest of what is a number.

        Maths
        -----
        ::

            output = np.nanmax(input, 0)
        """

        def updateOutput(self, input):
            self.output = input[0]
            return self.output

    steps = trace(Largest(), np.full((2, 3), np.nan))
    assert steps[0].maths == ["output = np.nanmax(input, 0)"]


def tower(levels):
    """A tree of modules, one in the other."""
    tree = {"position": "net", "layer": "Identity", "kind": "layer", "modules": []}
    for _ in range(levels - 1):
        tree = {**tree, "kind": "row", "modules": [tree]}
    return tree


def lists(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


NO_TREE, NO_PAIR = "network is no tree of modules", "step 1: inside is no pair of numbers"
UNLIKE = "step 1: before and after, it is not the same kind of array"
ARRAY = {"shape": [2], "dtype": "float64", "norm": 5.0, "low": 3.0, "high": 4.0, "values": [3, 4]}
BOOLS = {**ARRAY, "dtype": "bool", "values": [True, False]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": True}, "its version is True, known is 1"),
        ({"criterion": 3}, "criterion is no text"),
        ({"note": 3}, "note is no text"),
        ({"steps": {}}, "steps are no list"),
        ({"network": []}, NO_TREE),
        ({"network": {**tower(1), "position": 1}}, NO_TREE),
        ({"network": {**tower(1), "layer": 1}}, NO_TREE),
        ({"network": {**tower(1), "kind": "heap"}}, NO_TREE),
        ({"network": {**tower(1), "modules": {}}}, NO_TREE),
        ({"network": {**tower(1), "more": 1}}, NO_TREE),
        ({"network": tower(201)}, "modules are nested more than 200 deep"),
    ],
)  # fmt: skip
def test_what_is_wrong_around_the_steps_is_said(change, message, written, tmp_path):
    assert refusal({**json.loads(written), **change}, tmp_path) == message


def refusal(data, tmp_path):
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(data))
    with pytest.raises(FormatError) as error:
        Trace.from_json(file)
    return str(error.value).removeprefix("Trace.from_json: ")


def values_of(before, after):
    return {"before": {"it": {"array": before}}, "after": {"it": {"array": after}}}


def given(value):
    return {"arguments": {"it": value}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": True}, "step 1: number is none"),
        ({"number": 2**63}, "step 1: number is none"),
        ({"position": 1}, "step 1: position is no text"),
        ({"layer": 1}, "step 1: layer is no text"),
        ({"method": 1}, "step 1: method is no text"),
        ({"inside": {"0": 1, "1": 2}}, NO_PAIR),
        ({"inside": [1, 2, 3]}, NO_PAIR),
        ({"inside": [1, "2"]}, NO_PAIR),
        *(({name: []}, f"step 1: {name} are no names and values")
            for name in ("arguments", "results", "parameters", "before", "after", "shapes")),
        (values_of(ARRAY, {**ARRAY, "shape": [2, 1]}), UNLIKE),
        (values_of(ARRAY, {**ARRAY, "dtype": "float32"}), UNLIKE),
        (values_of(ARRAY, {**ARRAY, "values": None}), UNLIKE),
        (values_of({**ARRAY, "values": None}, ARRAY), UNLIKE),
        (values_of(BOOLS, BOOLS), UNLIKE),
        ({"before": {"it": 1}, "after": {"it": {"array": ARRAY}}}, UNLIKE),
        ({"before": {"it": {"array": ARRAY}}, "after": {"it": 1}}, UNLIKE),
        ({"shapes": {"it": 3}}, "step 1: shapes are none"),
        ({"shapes": {"it": "x"}}, "step 1: shapes are none"),
        ({"maths": "output = input"}, "step 1: maths are no lines"),
        ({"maths": ["\x0c"]}, "step 1: maths are not printable"),
        (given(lists(200)), "step 1: tables are nested more than 200 deep"),
        (given({"number": 3}), "step 1: a number is none"),
        (given({"dict": 1}), "step 1: a table is none"),
        (given({"array": 1}), "step 1: an array must have shape, dtype, norm, low, high"),
        (given({"array": {"shape": [2]}}), "step 1: an array must have shape, dtype, norm, low, "
            "high"),
        (given({"array": {**ARRAY, "shape": 2}}), "step 1: the shape of an array is none"),
        (given({"array": {**ARRAY, "shape": [True]}}), "step 1: the shape of an array is none"),
        (given({"array": {**ARRAY, "shape": [2**63]}}), "step 1: the shape of an array is none"),
        (given({"array": {**ARRAY, "dtype": 1}}), "step 1: the dtype of an array is none"),
        (given({"array": {**ARRAY, "low": 1}}), "step 1: low of an array is no number"),
        (given({"array": {**ARRAY, "high": "1"}}), "step 1: high of an array is no number"),
        (given({"array": {**ARRAY, "values": {"0": 1}}}), "step 1: the values of an array are not "
            "of float64"),
        (given({"array": {**ARRAY, "values": [True, 1]}}), "step 1: the values of an array are not "
            "of float64"),
        (given({"array": {**BOOLS, "values": [True, 0]}}), "step 1: the values of an array are not "
            "of bool"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_step_is_said(change, message, written, tmp_path):
    data = json.loads(written)
    data["steps"][0].update(change)
    assert refusal(data, tmp_path) == message


def test_what_is_just_right_in_a_trace(written, tmp_path):
    data = json.loads(written)
    data.update(note="a note", criterion=None, network=tower(200))
    data["steps"][0].update(
        number=2**63 - 1, inside=[1, 2], shapes={}, **given([lists(197), ARRAY, BOOLS])
    )
    data["steps"][0].update(values_of(ARRAY, ARRAY))
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(data))
    steps = Trace.from_json(file)
    assert (steps.note, steps.criterion, steps.network) == ("a note", None, tower(200))
    assert steps[0].inside == (1, 2)
    steps.to_json(file)
    assert json.loads(file.read_text()) == data
    steps.network = tower(201)
    with pytest.raises(StateError) as error:
        steps.to_json(file)
    assert str(error.value) == "Trace.to_json: modules are nested more than 200 deep"
    assert error.value.method == "to_json"


def test_a_trace_has_no_constants_that_json_lacks(written, tmp_path):
    file = tmp_path / "trace.json"
    for text, said in (
        (written.replace('"number": 1,', '"number": NaN,'), "NaN is no number of JSON"),
        ("[]", "it is not a torchlite trace"),
    ):
        file.write_text(text)
        with pytest.raises(FormatError, match=f"^Trace.from_json: {said}$"):
            Trace.from_json(file)


def test_page_of_numbers_that_can_be_checked_by_hand(tmp_path):
    net, criterion = nn.Linear(2, 1), nn.MSECriterion()
    net.weight[:], net.bias[:] = [1, 2], 3
    x, y = np.array([[1.0, 0.5]]), np.array([[2.0]])
    with record(net, criterion) as steps:
        criterion.forward(net.forward(x), y)
        net.backward(x, criterion.backward(net.output, y), 0.5)
        net.updateParameters(0.25)
        net.zeroGradParameters()
    data = page_data(steps, tmp_path)
    for step in data["steps"]:
        for array in step["arrays"]:
            if array.get("numeric"):
                array["numeric"] = [[round(n, 6), verdict] for n, verdict in array["numeric"]]
    assert data == json.loads((DATA / "page.json").read_text("utf-8"))


def test_page_of_what_json_has_no_sign_for(tmp_path):
    for value, shown, largest in (
        ([np.nan, 1.0], ["nan", 1], 1),
        ([-np.inf, -2.0], ["-inf", -2], 2),
        ([3 + 4j], ["(3+4j)"], 5),
    ):
        data = page_data(trace(nn.Identity(), np.array(value)), tmp_path)
        array = data["steps"][0]["arrays"][0]
        assert (array["values"], array["largest"]) == (shown, largest)
    net = nn.Linear(1, 1)
    with record(net) as steps:
        net.accGradParameters(np.ones(1), np.ones(1), -0.5)
        net.forward(np.ones((67, 3, 1))[:, 0])
        net.forward(np.ones((201, 1)))
    steps[0].arguments["scale"] = "scale"
    first, second, third = page_data(steps, tmp_path)["steps"]
    assert first["scale"] == 1
    assert "values" in second["arrays"][0]
    assert third["arrays"][0] == {
        "name": "input", "role": "argument", "shape": [201, 1], "dtype": "float64",
        "text": "norm 14.18, min 1, max 1", "packed": 0, "tile": None, "sources": [],
    }  # fmt: skip


def test_page_says_where_numeric_derivatives_come_from(tmp_path):
    net, criterion, x, y = by_hand()
    steps = trace(net, x)
    nothing = "There are no numeric derivatives: "
    assert page_data(steps, tmp_path)["note"] == (f"{nothing}nothing was recorded of a criterion.")
    steps.note = "A note."
    assert page_data(steps, tmp_path)["note"] == (
        f"A note. {nothing}nothing was recorded of a criterion."
    )
    trace(net, x, criterion, y).to_json(tmp_path / "trace.json")
    assert page_data(Trace.from_json(tmp_path / "trace.json"), tmp_path)["note"] == (
        f"{nothing}they need the network itself, or a backward."
    )


def numeric_steps(steps, tmp_path):
    """The calls whose gradients have numeric derivatives, all of which agree."""
    data = page_data(steps, tmp_path)
    assert verdicts(data) == {"agrees"}
    return [
        f"{step['method'][:3]} {step['position']}"
        for step in data["steps"]
        if any("numeric" in array for array in step["arrays"])
    ]


def test_a_layer_that_the_user_calls_twice_in_a_row(tmp_path):
    net, criterion, x, y = filled(nn.Linear(2, 2)), nn.MSECriterion(), numbers(3, 2), numbers(3, 2)
    with record(net, criterion) as steps:
        hidden = net.forward(x)
        output = net.forward(hidden)
        gradient = net.backward(hidden, criterion.backward(output, y))
        net.backward(x, gradient)
    assert numeric_steps(steps, tmp_path) == [
        "upd criterion", "upd net", "acc net", "upd net", "acc net"
    ]  # fmt: skip


def test_forwards_without_a_loss_leave_earlier_rounds_alone(tmp_path):
    net, criterion, x, y = filled(nn.Linear(2, 2)), nn.MSECriterion(), numbers(3, 2), numbers(3, 2)
    with record(net, criterion) as steps:
        output = net.forward(x)
        criterion.forward(output, y)
        gradient = criterion.backward(output, y)
        net.forward(x + 1)
        net.forward(x + 2)
        net.backward(x, gradient)
    assert numeric_steps(steps, tmp_path) == ["upd criterion", "upd net", "acc net"]


def test_a_layer_that_failed_at_first(tmp_path):
    net, criterion, x, y = by_hand()
    with record(net, criterion) as steps:
        hidden = net[1].forward(net[0].forward(x))
        with pytest.raises(ShapeError):
            net[2].forward(x)
        # Neither does a backward before the loss lead to it.
        net[1].updateGradInput(net[0].output, hidden)
        output = net[2].forward(hidden)
        gradient = net[2].backward(hidden, criterion.backward(output, y))
        net[0].backward(x, net[1].backward(net[0].output, gradient))
    assert numeric_steps(steps, tmp_path) == [
        "upd criterion", "upd net[2]", "acc net[2]", "upd net[1]", "upd net[0]", "acc net[0]"
    ]  # fmt: skip


def test_complex_numbers_have_no_numeric_derivatives(tmp_path):
    x = np.ones((2, 1)) + 1j
    steps = trace(nn.Identity(), x, nn.MSECriterion(), 2j * x)
    arrays = page_data(steps, tmp_path)["steps"][2]["arrays"]
    assert (arrays[-1]["name"], arrays[-1]["numeric"]) == ("gradInput", None)


def test_scale_is_1_where_it_is_left_out():
    net = nn.Linear(1, 1)
    with record(net) as steps:
        net.accGradParameters(np.ones(1), np.ones(1))
        net.accGradParameters(np.ones(1), np.ones(1), 2)
    assert [step.arguments["scale"] for step in steps] == [1, 2]


def test_summary_of_what_cannot_be_counted():
    class Shifted(nn.Linear):
        """Linear, of what is 1 more.

        Maths
        -----
        ::

            output = (input + 1) @ weight.T + bias
        """

        def updateOutput(self, input):
            return super().updateOutput(input + 1)

    assert summary(Shifted(3, 2), (4, 3)).rows[0].multiply_adds is None
    assert summary(nn.Linear(3, 2), (4, 3)).rows[0].multiply_adds == 24


def test_summary_counts_bytes():
    assert summary(nn.Linear(2, 3).float(), (5, 2)).total.activations == 5 * 3 * 4
    for size, shown in (
        (1023, "1023 B"),
        (1024, "1.0 kB"),
        (1024**2 - 1024, "1023.0 kB"),
        (1024**2, "1.0 MB"),
        (1024**3, "1.0 GB"),
        (2048 * 1024**3, "2048.0 GB"),
    ):
        assert _memory(size) == shown


def test_summary_of_tied_parameters():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].share(net[0], "weight", "gradWeight")
    assert str(summary(net)) == (
        "position  layer           parameters\n"
        "------------------------------------------\n"
        "net       Sequential\n"
        "  net[0]  Linear(2 -> 2)           6\n"
        "  net[1]  Linear(2 -> 2)           2  tied\n"
        "------------------------------------------\n"
        "total                              8\n"
        "8 trainable parameters, 0 frozen"
    )


def test_text_of_calls_without_numbers_before():
    layer = nn.Linear(1, 1)
    layer.weight[:], layer.bias[:] = 1, 0
    net = nn.Sequential(nn.ReLU(), layer)
    with record(net) as steps:
        net[0].updateParameters(0.5)
        layer.gradBias[:] = 1
        layer.updateParameters(0.5)
    assert block(steps[0]) == (
        "step 1: updateParameters of net[0], ReLU\n"
        "  updateParameters(learningRate 0.5)\n"
        "  learningRate 0.5"
    )
    assert block(steps[1]).splitlines()[-2:] == [
        "  bias (1,) before     [0.]",
        "  bias (1,) after      [-0.5]",
    ]
