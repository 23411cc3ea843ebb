"""Recordings, pages and summaries of sequences: time is a dimension of its own."""

import json
import re

import numpy as np
import pytest

import torchlite as nn
from torchlite.errors import FormatError
from torchlite.stepping import Trace, record, summary, trace

X = np.arange(12.0).reshape(3, 2, 2) / 4


def loss():
    return nn.MSECriterion(), np.ones((3, 2, 1))


def page(steps, path):
    steps.to_html(path)
    text = path.read_text("utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def differing(data):
    """Return the numeric derivatives of a page that do not agree, and how many there are."""
    found = [
        (step["number"], array["name"], numeric)
        for step in data["steps"]
        for array in step["arrays"]
        for numeric in array.get("numeric") or ()
    ]
    return [entry for entry in found if entry[2][1] != "agrees"], len(found)


def test_every_call_says_of_which_step_it_is():
    net = nn.Sequential(nn.Sequencer(nn.Sequential(nn.RecGRU(2, 1), nn.Mul())), nn.Identity())
    steps = trace(net, X, *loss())
    times = [(step.position, step.time) for step in steps if step.method == "updateOutput"]
    inside = ["net[0][0][0][0]", "net[0][0][0][1]", "net[0][0][0]", "net[0][0]"]
    assert times[:-1] == [
        *((position, time) for time in range(3) for position in inside),
        *((position, None) for position in ("net[0]", "net[1]", "net")),
    ]
    for method in ("updateGradInput", "accGradParameters"):
        of_steps = [step for step in steps if step.method == method and step.time is not None]
        assert [step.time for step in of_steps] == [2] * 4 + [1] * 4 + [0] * 4
    assert str(steps[1]).count("time") == 1
    headings = [block.split("\n")[0] for block in str(steps).split("\n\n")]
    assert headings[3] == "step 4: updateOutput of net[0][0] at time 0, Recursor"
    assert headings[12] == "step 13: updateOutput of net[0], Sequencer"


def test_calls_by_hand_count_on_until_a_sequence_is_forgotten():
    net = nn.RecGRU(2, 1)
    with record(net) as steps:
        for x in X[:2]:
            net.forward(x)
        for x in X[1::-1]:
            net.backward(x, np.ones((2, 1)))
        net.forget().forward(X[0])
    assert [step.time for step in steps] == [0, 1, 1, 1, 0, 0, 0]


def test_states_and_gates_are_shown():
    net = nn.Sequential(nn.Sequencer(nn.RecLSTM(2, 1)), nn.SeqGRU(1, 1))
    steps = trace(net, X)
    states = [step.parameters["state"] for step in steps[:3]]
    assert not states[0][0].norm
    for state, step in zip(states[1:], net[0].modules[0].steps, strict=False):
        for copy, array in zip(state, step.after, strict=True):
            assert np.array_equal(copy.values, array)
    gates = [step.gates for step in net[0].modules[0].steps]
    for step, array in zip(steps, gates, strict=False):
        assert np.array_equal(step.parameters["gates"].values, array)
    whole = steps[4].parameters["gates"].values
    assert np.array_equal(whole, np.stack([step.gates for step in net[1].steps]))
    named = trace(nn.Sequencer(nn.LSTM(2, 1)), X)[0].parameters["gates"]
    assert {name: gate.shape for name, gate in named.items()} == dict.fromkeys("ifoz", (2, 1))
    block = str(steps).split("\n\n")[1]
    assert block.startswith("step 2: updateOutput of net[0][0] at time 1, RecLSTM(2 -> 1)\n")
    for label in ("state[0] (2, 1)", "state[1] (2, 1)", "gates (2, 4)", "output (2, 1)"):
        assert f"\n  {label} " in block


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequencer(nn.Sequential(nn.RecGRU(2, 2), nn.Linear(2, 1))),
        lambda: nn.Sequencer(nn.LinearRNN(2, 1)),
        lambda: nn.BiSequencer(nn.RecLSTM(2, 1), nn.SeqGRU(2, 1)),
    ],
)
@pytest.mark.parametrize("same", [False, True])
def test_gradients_of_every_step_are_numeric_derivatives(make, same, tmp_path):
    """Also where all steps are given the same numbers: each is told from the others by time."""
    nn.manualSeed(1)
    x = np.ones((3, 2, 2)) / 2 if same else X
    off, count = differing(page(trace(make(), x, *loss()), tmp_path / "page.html"))
    assert off == []
    assert count > 40


def test_where_a_sequence_goes_on_numeric_derivatives_do_too(tmp_path):
    nn.manualSeed(1)
    net = nn.Sequencer(nn.RecGRU(2, 1)).remember()
    criterion, target = loss()
    net.forward(X)
    with record(net, criterion) as steps:
        for _ in range(2):
            output = net.forward(X)
            criterion.forward(output, target)
            net.backward(X, criterion.backward(output, target))
    assert [step.time for step in steps[:3]] == [3, 4, 5]
    off, count = differing(page(steps, tmp_path / "page.html"))
    assert off == []
    assert count > 40


def test_files_keep_time_and_those_from_before_have_none(tmp_path):
    steps = trace(nn.Sequencer(nn.Mul()), X)
    steps.to_json(tmp_path / "new.json")
    assert [step.time for step in Trace.from_json(tmp_path / "new.json")] == [
        0,
        0,
        1,
        1,
        2,
        2,
        None,
    ]
    written = json.loads((tmp_path / "new.json").read_text())
    for step in written["steps"]:
        del step["time"]
    (tmp_path / "old.json").write_text(json.dumps(written))
    assert {step.time for step in Trace.from_json(tmp_path / "old.json")} == {None}
    for wrong in (-1, 0.5, "0"):
        written["steps"][0]["time"] = wrong
        (tmp_path / "wrong.json").write_text(json.dumps(written))
        with pytest.raises(FormatError, match="step 1: time is none"):
            Trace.from_json(tmp_path / "wrong.json")


def test_a_summary_counts_all_steps():
    nn.manualSeed(1)
    net = nn.Sequential(
        nn.LookupTable(8, 4), nn.Sequencer(nn.RecLSTM(4, 5)), nn.Sequencer(nn.Linear(5, 8))
    )
    assert str(summary(net, (3, 2))).split("\n") == [
        "position            layer                                  output      parameters  "
        "multiply-adds  activations",
        "-" * 109,
        "net                 Sequential                             (3, 2, 8)",
        "  net[0]            LookupTable                            (3, 2, 4)           32  "
        "            0        192 B",
        "  net[1]            Sequencer @ RecLSTM(4 -> 5)            (3, 2, 5)",
        "    net[1][0]       RecLSTM(4 -> 5)                        3 x (2, 5)              "
        "        1,080        240 B",
        "      net[1][0][0]  StepLSTM(4 -> 5)                                          200",
        "  net[2]            Sequencer @ Recursor @ Linear(5 -> 8)  (3, 2, 8)",
        "    net[2][0]       Recursor @ Linear(5 -> 8)              3 x (2, 8)",
        "      net[2][0][0]  Linear(5 -> 8)                         3 x (2, 8)          48  "
        "          240        384 B",
        "-" * 109,
        "total                                                                         280  "
        "        1,320        816 B",
        "280 trainable parameters, 0 frozen",
        "a step of training holds 10.0 kB:",
        "  2.2 kB parameters, 2.2 kB their gradients, 2.7 kB from forward, 2.9 kB from backward",
    ]
    # At once, or step by step, it is the same number of products; a projection has its own.
    for make, count in (
        (lambda: nn.SeqLSTM(4, 5), 6 * (4 + 5) * 20),
        (lambda: nn.SeqLSTM(4, 5, 3), 6 * ((4 + 3) * 20 + 5 * 3)),
        (lambda: nn.Sequencer(nn.RecLSTM(4, 5, 3)), 6 * ((4 + 3) * 20 + 5 * 3)),
        (lambda: nn.SeqGRU(4, 5), 6 * (4 + 5) * 15),
        (lambda: nn.Sequencer(nn.LSTM(4, 5)), 6 * (4 + 5) * 20),
        (lambda: nn.Sequencer(nn.GRU(4, 5)), 6 * (4 + 5) * 15),
    ):
        assert summary(make(), (3, 2, 4)).total.multiply_adds == count
