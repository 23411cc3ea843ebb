"""The page that trains: a run, the thread around it, and the server; the page itself elsewhere."""

import base64
import contextlib
import http.client
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import torchlite as nn
from torchlite import random
from torchlite.commands import _terminal
from torchlite.commands.play import _open
from torchlite.errors import DTypeError, SettingError, StateError
from torchlite.play import PROBLEMS, Problem, Run, Trainer
from torchlite.play.frames import View
from torchlite.play.judge import Judge
from torchlite.play.run import CHOICES, OPTIMIZERS
from torchlite.play.server import Server

XOR = PROBLEMS["xor"]


def parameters(run):
    return run.net.getParameters()[0].copy()


def array(said):
    return np.frombuffer(base64.b64decode(said["data"]), "<f4").reshape(said["shape"])


# ------------------------------------------------------------------ a run


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_that_of_the_optimizer(name):
    run = Run(XOR)
    run.set(optimizer=name, learning_rate=0.05)
    twin = run.net.clone()
    flat, gradients = twin.getParameters()
    method, config = OPTIMIZERS[name]
    config = {**config, "learningRate": 0.05}
    for _ in range(3):
        loss = run.step()

        def opfunc(_):
            twin.zeroGradParameters()
            output = twin.forward(run.x)
            value = run.criterion.forward(output, run.y)
            twin.backward(run.x, run.criterion.backward(output, run.y))
            return value, gradients

        _, (expected,) = method(opfunc, flat, config)
        assert loss == expected
        assert (parameters(run) == flat).all()
    assert run.steps == 3


def test_a_network_that_the_function_did_not_make_stays_as_it_is_and_is_gone_back_to():
    nn.manualSeed(1)
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNormalization(3), nn.Linear(3, 1))
    x = random.normal(size=(8, 2))
    first = net.getParameters()[0].copy()
    run = Run(Problem("own", lambda: (net, nn.MSECriterion(), x, x[:, :1])))
    run.step()
    assert (parameters(run) != first).any()
    assert (net.getParameters()[0] == first).all()
    run.reset()
    assert (parameters(run) == first).all()
    assert (run.net[1].running_mean == 0).all()


def test_a_seed_decides_a_run_and_reset_goes_back_to_its_start():
    run = Run(XOR, seed=3)
    first = parameters(run)
    losses = [run.step() for _ in range(20)]
    assert run.epochs == 1
    run.reset()
    assert run.steps == 0
    assert len(run.losses.steps) == len(run.losses.values) == 0
    assert (parameters(run) == first).all()
    assert [run.step() for _ in range(20)] == losses
    run.set(seed=4)
    assert run.steps == 0
    assert (parameters(run) != first).any()


@pytest.mark.parametrize("name", ["adam", "nag", "sgd with momentum"])
def test_one_call_after_another_is_a_step(name):
    run, twin = Run(XOR), Run(XOR)
    run.set(optimizer=name)
    twin.set(optimizer=name)
    random.manualSeed(1)
    for _ in range(2):
        twin.step()
    random.manualSeed(1)
    seen = []
    for _ in range(2):
        before = parameters(run)
        while (call := run.one_call()) is not None:
            seen.append((call.method, call.position))
            assert (parameters(run) == before).all()
    assert run.passing is None
    assert run.steps == 2
    assert (parameters(run) == parameters(twin)).all()
    assert run.loss == twin.loss
    half = len(seen) // 2
    assert seen[:half] == seen[half:]
    assert ("updateGradInput", "net[2]") in seen


def test_what_layers_hold_changes_call_by_call():
    run = Run(XOR)
    run.step()
    held = run.held()["net[0]"]
    before = {name: array.copy() for name, array in held.items()}
    run.one_call()
    while (run.passing.step.method, run.passing.step.position) != ("updateOutput", "net[0]"):
        assert (run.held()["net[0]"]["output"] == before["output"]).all()
        run.one_call()
    held = run.held()["net[0]"]
    assert (held["output"] == run.x @ held["weight"].T + held["bias"]).all()
    assert (held["gradInput"] == before["gradInput"]).all()
    assert (held["gradWeight"] == 0).all()


def test_a_step_or_an_edit_in_the_middle_of_a_pass():
    run, twin = Run(XOR), Run(XOR)
    random.manualSeed(1)
    twin.step()
    random.manualSeed(1)
    run.one_call()
    run.step()
    assert run.passing is None
    assert run.steps == 1
    assert (parameters(run) == parameters(twin)).all()
    run.one_call()
    before = parameters(run)
    run.edit("net[0]", "weight", 0, before[0])
    assert run.passing is None
    assert (parameters(run) == before).all()
    run.one_call()
    run.set(learning_rate=0.5)
    assert run.passing is None
    assert (parameters(run) == before).all()
    assert run.steps == 1


def normalized(rows=33):
    """Batches of 16 leave one row over."""
    _, _, x, y = XOR.make()
    drawn = nn.Dropout(0.5)
    net = nn.Sequential(nn.Linear(2, 4), nn.BatchNormalization(4), drawn, nn.Linear(4, 2))
    return net, nn.CrossEntropyCriterion(), x[:rows], y[:rows]


@pytest.mark.parametrize(
    "give_up",
    [
        lambda run: run.set(learning_rate=0.5),
        lambda run: run.edit("net[0]", "weight", 0, run.net[0].weight[0, 0]),
        lambda run: run.break_it("net[0]", "wrong sign"),
    ],
)
def test_a_pass_that_is_given_up_has_changed_nothing(give_up):
    """Neither running statistics nor random numbers have gone on, nor the optimizer."""
    run = Run(Problem("normalized", normalized))
    run.step()
    flat, mean = parameters(run), run.net[1].running_mean.copy()
    gradients = run.net.getParameters()[1].copy()
    state = {name: np.copy(value) for name, value in run._state.items()}
    while run.one_call().method != "accGradParameters":
        drawn = random.getRNGState()
    give_up(run)
    assert run.passing is None
    assert (run.net[1].running_mean == mean).all()
    assert (parameters(run) == flat).all()
    assert (run.net.getParameters()[1] == gradients).all()
    assert run._state.keys() == state.keys()
    assert all(np.array_equal(run._state[name], value) for name, value in state.items())
    assert (random.getRNGState() == drawn).all()
    assert run.steps == 1


def test_a_pass_of_layers_that_remember_and_draw_is_a_step():
    runs = [Run(Problem("normalized", normalized)) for _ in range(2)]
    for run in runs:
        run.reset()
        for _ in range(3):
            if run is runs[0]:
                run.step()
            else:
                while run.one_call() is not None:
                    pass
    assert (parameters(runs[0]) == parameters(runs[1])).all()
    assert (runs[0].net[1].running_mean == runs[1].net[1].running_mean).all()
    assert runs[0].loss == runs[1].loss


@pytest.mark.parametrize(
    ("rows", "size", "sizes"),
    [(33, 16, [16, 17]), (33, 32, [33]), (33, 33, [33]), (33, 11, [11, 11, 11]), (3, 1, [1, 1, 1])],
)
def test_a_last_batch_of_one_row_joins_the_one_before(rows, size, sizes):
    run = Run(Problem("normalized", lambda: normalized(rows), batch=size))
    seen = [len(run.x)]
    for _ in sizes:
        run._draw()
        seen.append(len(run.x))
    assert seen[: len(sizes)] == sizes
    assert run.epochs == 1
    joined = sizes[-1] == size + 1
    assert run.joined == View(run).about()["joined"] == joined


def test_an_edit_shows_what_it_changes_and_learns_nothing():
    run = Run(XOR)
    run.step()
    loss = run.look()
    old = run.net[0].weight[1, 1]
    change = run.edit("net[0]", "weight", 3, 2.5)
    assert run.net[0].weight[1, 1] == 2.5
    after = run.criterion.forward(run.net.clone().forward(run.x), run.y)
    assert change == ((1, 1), old, 2.5, loss, after)
    held = run.held()["net[0]"]
    assert (held["output"] == run.x @ run.net[0].weight.T + run.net[0].bias).all()
    assert run.edit("net[0]", "weight", 3, old)[3:] == (after, loss)
    data = run.input.copy()
    changed = run.edit("net", "input", 1, 7.0)
    assert run.x[0, 1] == 7
    assert changed.loss_after != changed.loss_before
    assert (run.input == data).all()
    assert run.steps == 1


def test_edits_that_cannot_be():
    run = Run(XOR)
    before = parameters(run)
    with pytest.raises(SettingError) as caught:
        run.edit("net[0]", "weights", 0, 1.0)
    assert str(caught.value) == (
        "Run.edit: what is edited must be one of net.input, net[0].weight, net[0].bias, "
        "net[2].weight, net[2].bias, got net[0].weights"
    )
    with pytest.raises(SettingError) as caught:
        run.edit("net[0]", "weight", 8, 1.0)
    assert str(caught.value) == "Run.edit: index must be from 0 to 7, got 8"

    def make():
        net = nn.Sequential(nn.Linear(1, 1), nn.Identity())
        net[0].weight[:], net[0].bias[:] = 0.5, 0
        return net, nn.BCECriterion(), np.ones((2, 1)), np.ones((2, 1))

    run = Run(Problem("bce", make))
    with pytest.raises(SettingError):
        run.edit("net[0]", "weight", 0, 2.0)
    assert run.net[0].weight == 0.5
    assert (before == parameters(Run(XOR))).all()


@pytest.mark.parametrize(
    ("settings", "kind", "says"),
    [
        ({"batch": 0}, SettingError, "batch must be a whole number of at least 1, got 0"),
        ({"batch": 1.0}, DTypeError, "batch must be a whole number of at least 1, got float"),
        ({"seed": -1}, SettingError, "seed must be a whole number from 0 to 4294967295, got -1"),
        (
            {"learning_rate": math.nan},
            SettingError,
            "learning_rate must be a number of at least 0, got nan",
        ),
        ({"seed": True}, DTypeError, "seed must be a whole number from 0 to 4294967295, got bool"),
        (
            {"optimizer": "adams"},
            SettingError,
            f"optimizer must be one of {', '.join(CHOICES)}, got 'adams'",
        ),
        (
            {"momentum": 1},
            SettingError,
            "a setting must be one of optimizer, learning_rate, batch, seed, got momentum",
        ),
    ],
)
def test_settings_that_cannot_be(settings, kind, says):
    run = Run(XOR)
    before = run.settings
    with pytest.raises(kind) as caught:
        run.set(**settings)
    assert str(caught.value) == f"Run.set: {says}"
    assert run.settings == before


class Frame:
    """As pandas has them."""

    iloc = None

    def __array__(self):
        return np.ones((4, 1))


def test_what_is_no_problem():
    net, mse = nn.Linear(1, 1), nn.MSECriterion()
    arrays = "an array, or a list of arrays"
    order = "\n  hint: the order is (net, criterion, input, target)"
    for made, says in (
        (None, "what p returns must be (net, criterion, input, target), got NoneType"),
        ((1, 2, 3), "what p returns must be (net, criterion, input, target), got a tuple of 3"),
        ((1, mse, 1, 1), f"net of what p returns must be a Module, got int{order}"),
        ((net, 2, 1, 1), f"criterion of what p returns must be a Criterion, got int{order}"),
        (
            (net, None, 1, 1),
            f"criterion of what p returns must be a Criterion, got NoneType{order}",
        ),
        ((net, mse, 1, 1), f"input of what p returns must be {arrays}, got int{order}"),
        (
            (net, mse, Frame(), 1),
            f"input of what p returns must be {arrays}, got Frame\n  hint: input.to_numpy()",
        ),
        ((net, mse, [], net), f"target of what p returns must be {arrays}, got Linear{order}"),
    ):
        with pytest.raises(DTypeError) as caught:
            Run(Problem("p", lambda made=made: made))
        assert str(caught.value) == f"play: {says}"


def diverging():
    """Whatever the start, a learning rate of 1e9 makes each loss larger than the one before."""
    x = np.arange(1.0, 9.0).reshape(8, 1)
    return nn.Sequential(nn.Linear(1, 1)), nn.MSECriterion(), x, 2 * x


FAST = Problem("fast", diverging, optimizer="sgd", learning_rate=1e9)


def test_a_loss_that_is_no_number_teaches_nothing_and_is_told():
    run = Run(FAST)
    with np.errstate(all="ignore"):
        for _ in range(100):
            before = parameters(run)
            loss = run.step()
            if run.trouble is not None:
                break
        assert not math.isfinite(loss)
        assert (parameters(run) == before).all()
        steps = run.steps
        said = (
            f"The loss is {loss} at step {steps + 1}: the criterion made it of outputs that are "
            "finite. Nothing was learned from this batch. Often the learning rate is too large "
            "(it is 1e+09): go back to the start, with a smaller one."
        )
        assert run.trouble == said
        assert run.one_call() is None
        assert (run.steps, run.passing) == (steps, None)
        run.net[0].weight[:] = 1e308
        run.step()
        where = "net[0], Linear(1 -> 1)"
        assert f": the first output that is not finite is that of {where}. " in run.trouble
        run.net[0].weight[:] = np.nan
        run.step()
        assert ": net[0].weight has numbers that are not finite. " in run.trouble
    run.reset()
    assert run.trouble is None
    run.input[:] = np.inf
    run.reset()
    run.input[:] = np.nan
    with np.errstate(all="ignore"):
        run.step()
    assert (
        run.trouble
        == "The loss is nan at step 1: the batch itself has numbers that are not finite."
    )


def test_tables_and_networks_without_parameters():
    def make():
        x = [np.ones((4, 2)), np.arange(8.0).reshape(4, 2)]
        return nn.CAddTable(), nn.MSECriterion(), x, np.ones((4, 2))

    run = Run(Problem("table", make, batch=2))
    assert math.isfinite(run.step(watch=True))
    frame = json.loads(json.dumps(View(run).frame()))
    assert [said["shape"] for said in frame["input"]] == [[2, 2], [2, 2]]
    assert frame["accuracy"] is None
    assert run.edit("net", "input[1]", 0, 5.0).new == 5
    while run.one_call() is not None:
        pass
    assert run.steps == 2


def test_looking_changes_nothing():
    """Neither random numbers nor statistics go on by a look, or by a frame."""

    def make():
        # The second Dropout draws when it is evaluated, too.
        drawn = nn.Dropout(0.5, False, False, True)
        net = nn.Sequential(
            nn.Linear(2, 4), nn.BatchNormalization(4), nn.Dropout(), drawn, nn.Linear(4, 2)
        )
        _, _, x, y = XOR.make()
        return net, nn.CrossEntropyCriterion(), x, y

    runs = [Run(Problem("random", make)) for _ in range(2)]
    seen = []
    for run, looks in zip(runs, (False, True), strict=True):
        run.reset()
        view = View(run)
        for _ in range(5):
            run.step(watch=looks)
            if looks:
                run.look()
                assert view.frame()["accuracy"] is not None
        seen.append([parameters(run), run.net[1].running_mean])
    assert (seen[0][0] == seen[1][0]).all()
    assert (seen[0][1] == seen[1][1]).all()
    assert runs[1].net.train


# ------------------------------------------------------------------ what a page sees


def test_a_frame_has_the_numbers():
    run = Run(XOR)
    view = View(run)
    run.step(watch=True)
    before = run.net[0].weight.copy()
    run.step(watch=True)
    frame = json.loads(json.dumps(view.frame(), allow_nan=False))
    first = frame["layers"][0]
    held = {(said["role"], said["name"]): array(said) for said in first["arrays"]}
    f4 = np.float32
    assert (held["parameter", "weight"] == run.net[0].weight.astype(f4)).all()
    assert (held["gradient", "gradWeight"] == run.net[0].gradWeight.astype(f4)).all()
    assert (held["activation", "output"] == run.net[0].output.astype(f4)).all()
    update = run.net[0].weight - before
    assert (held["update", "weight"] == update.astype(f4)).all()
    assert first["ratios"]["weight"] == np.linalg.norm(update) / np.linalg.norm(before)
    answers = run.net.clone().forward(run.input).argmax(1)
    assert frame["accuracy"] == (answers == run.target).mean()
    assert (array(frame["input"][0]) == run.x.astype(f4)).all()
    view.unfolded["net[0]"] = False
    folded = view.frame()["layers"][0]
    assert not folded["open"]
    assert folded["arrays"][0]["norm"] == np.linalg.norm(run.net[0].weight)
    assert "data" not in folded["arrays"][0]


def test_the_plane_is_what_the_network_answers_there():
    run = Run(XOR)
    run.net[0].weight[:], run.net[0].bias[:] = [[1, 0], [0, 1], [0, 0], [0, 0]], 0
    run.net[2].weight[:], run.net[2].bias[:] = [[-9, 0, 0, 0], [9, 0, 0, 0]], 0
    plane = View(run).frame()["plane"]
    side = plane["side"]
    classes = np.frombuffer(base64.b64decode(plane["classes"]), "<i4").reshape(side, side)
    # The answer is whether the first coordinate, from left to right, is positive.
    assert (classes[:, 0] == 0).all()
    assert (classes[:, -1] == 1).all()
    units = plane["units"]["net[0]"]
    tiles = np.frombuffer(base64.b64decode(units["values"]), np.int8)
    across, up = tiles.reshape(4, plane["coarse"], -1)[:2]
    assert (np.diff(across.astype(int), axis=1) > 0).all()
    assert (np.diff(up.astype(int), axis=0) < 0).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_plane_of_a_regression_has_a_scale(outputs):
    """The largest size of the first output, which is the strongest colour."""

    def make():
        net = nn.Linear(2, outputs)
        net.weight[:], net.bias[:] = 0, 5
        net.weight[0], net.bias[0] = [-1, 0], 0
        return net, nn.MSECriterion(), XOR.make()[2], np.zeros((200, outputs)) + 0.5

    view = View(Run(Problem("regression", make)))
    plane = view.frame()["plane"]
    left = max(map(abs, plane["box"][0]))
    assert (plane["largest"], plane["outputs"], plane["labels"]) == (left, outputs, None)
    values = np.frombuffer(base64.b64decode(plane["values"]), np.int8).reshape(plane["side"], -1)
    assert max(abs(values.min()), values.max()) == 127
    assert (values[:, 0] > 0).all()
    view.run.net.weight[:] = 0
    assert view.frame()["plane"]["largest"] == 0


@pytest.mark.parametrize("criterion", [nn.CrossEntropyCriterion, nn.BCECriterion])
def test_the_plane_has_all_classes_that_the_network_can_answer(criterion):
    _, _, x, y = XOR.make()

    def make():
        if criterion is nn.BCECriterion:
            return nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), criterion(), x, y[:, None] + 0.0
        return nn.Linear(2, 5), criterion(), x, y

    plane = View(Run(Problem("classes", make))).frame()["plane"]
    assert plane["kinds"] == (2 if criterion is nn.BCECriterion else 5)


def test_curves_are_packed_as_arrays_are():
    run = Run(XOR)
    view = View(run)
    losses = []
    for _ in range(3):
        losses.append(run.step())
        frame = view.frame()
    for name, values in (("loss", losses), ("accuracy", None)):
        curve = {key: base64.b64decode(text) for key, text in frame["curves"][name].items()}
        assert np.frombuffer(curve["steps"], "<f8").tolist() == [1, 2, 3]
        found = np.frombuffer(curve["values"], "<f4")
        if values:
            assert (found == np.float32(values)).all()
        else:
            assert found[-1] == np.float32(view.accuracy)
    run.losses.add(4, 1e300)
    ends = np.frombuffer(base64.b64decode(view.frame()["curves"]["loss"]["values"]), "<f4")
    assert ends[-1] == np.inf


def test_folded_layers_have_no_units_in_the_plane():
    view = View(Run(XOR))
    view.unfolded["net[0]"] = False
    assert [*view.frame()["plane"]["units"]] == ["net[1]", "net[2]", "net[3]"]


def test_what_is_judged_is_not_in_step_with_the_data():
    """Classes that alternate: every second sample would be of one class alone."""

    def make():
        x = np.random.RandomState(0).normal(size=(1000, 2))
        return nn.Linear(2, 2), nn.CrossEntropyCriterion(), x, np.arange(1000) % 2

    run = Run(Problem("alternating", make))
    run.net.weight[:], run.net.bias[:] = 0, [1, 0]
    frame = View(run).frame()
    assert 0.4 < frame["accuracy"] < 0.6
    assert 150 < sum(frame["plane"]["labels"]) < 250


def test_answers_of_an_earlier_batch_are_not_shown(monkeypatch):
    run = Run(PROBLEMS["digits"])
    run.step()
    assert View(run).frame()["images"]["answers"] is not None

    def broken(input):
        raise ValueError("no output")

    monkeypatch.setattr(run.net, "forward", broken)
    with pytest.raises(ValueError, match="no output"):
        run.step()
    assert View(run).frame()["images"]["answers"] is None


def test_units_that_are_not_finite_are_drawn_as_nothing():
    run = Run(XOR)
    run.net[0].weight[0] = np.nan
    plane = View(run).frame()["plane"]
    tiles = np.frombuffer(base64.b64decode(plane["units"]["net[0]"]["values"]), np.int8)
    first, second = tiles.reshape(4, -1)[:2]
    assert (first == 0).all()
    assert np.abs(second).max() == 127
    largest = np.frombuffer(base64.b64decode(plane["units"]["net[0]"]["largest"]), "<f4")
    assert largest[0] == 0 < largest[1:].min()


def test_images_are_found_and_answered():
    run = Run(PROBLEMS["digits"])
    view = View(run)
    run.step()
    images = view.frame()["images"]
    assert (array(images["pixels"]) == run.x[:24].astype(np.float32)).all()
    assert images["classes"] == run.y[:24].tolist()
    assert images["answers"] == run.net.output[:24].argmax(1).tolist()


def test_large_arrays_are_shown_in_part():
    def make():
        return nn.Linear(300, 200), nn.MSECriterion(), np.ones((4, 300)), np.ones((4, 200))

    frame = View(Run(Problem("large", make))).frame()
    weight = frame["layers"][0]["arrays"][0]
    assert weight["of"] == [200, 300]
    assert weight["shape"] == [33, 300]
    assert array(weight).shape == (33, 300)


@pytest.mark.parametrize(
    ("target", "output", "reads", "right"),
    [
        ([0, 2], [[1, 0, 0], [0, 1, 0]], "class", [True, False]),
        ([[0.0, 1.0], [1.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]], "class", [True, False]),
        ([[1.0], [0.0]], [[0.6], [0.7]], "half", [True, False]),
        ([1.0, -1.0], [0.1, 0.1], "sign", [True, False]),
        ([0, 2], [[np.nan, 0, 0], [0, 0, 1]], "class", [False, True]),
        ([[0.0], [1.0]], [[np.nan], [0.7]], "half", [False, True]),
        ([0.0] * 1500 + [3.5], [0.0] * 1501, None, None),
        ([[0.0], [0.0]], [[0.0], [0.0]], None, None),
        ([[0.3], [2.0]], [[0.3], [2.0]], None, None),
        ([[1.0, 1.0], [0.0, 1.0]], [[0.3, 1.0], [2.0, 1.0]], None, None),
    ],
)
def test_which_answers_are_right(target, output, reads, right):
    target, output = np.array(target), np.array(output, float)
    judge = Judge(target)
    assert judge.reads == reads
    told = judge.right(output, target)
    assert told is right is None or told.tolist() == right


def of_holes():
    input = np.ones((6, 2))
    input[3, 0] = np.nan
    return nn.Linear(2, 1), nn.MSECriterion(), input, np.ones((6, 1))


def of_points_far_apart():
    input = np.array([[-1.7e308, 0.0], [1.7e308, 0.0]])
    return nn.Linear(2, 1), nn.MSECriterion(), input, np.ones((2, 1))


def of_no_outputs():
    net = nn.Sequential(nn.Reshape(16), nn.Linear(16, 0))
    return net, nn.MSECriterion(), np.ones((8, 4, 4)), np.ones((8, 0))


class Loss(nn.MSECriterion):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def updateOutput(self, input, target):
        self.output = self.kind(super().updateOutput(input, target))
        return self.output


def of_loss(kind):
    return lambda: (nn.Linear(3, 1), Loss(kind), np.ones((4, 3)), np.ones((4, 1)))


@pytest.mark.parametrize(
    "make",
    [of_holes, of_points_far_apart, of_no_outputs]
    + [of_loss(kind) for kind in (complex, np.float32, np.array, np.atleast_1d)],
)
def test_there_is_a_frame_of_whatever_is_trained(make):
    """Where nothing can be learned, a word says so; commands are done all the same."""
    with Trainer([Problem("odd", make)]) as trainer:
        number = frame_of(trainer)["frame"]
        assert trainer.do({"do": "step"}) == {"ok": True}
        frame = frame_of(trainer, number)
        assert frame["step"] == 1 or frame["trouble"]
        assert frame["plane"] is None
        assert trainer.do({"do": "pause"}) == {"ok": True}


@pytest.mark.parametrize("kind", [complex, np.atleast_1d])
def test_a_loss_is_a_real_number(kind):
    run = Run(Problem("odd", of_loss(kind)))
    for call in (run.look, run.step):
        with pytest.raises(DTypeError) as caught:
            call()
        got = type(kind(1.0)).__name__
        assert str(caught.value) == f"play: the loss must be a real number, got {got}"


def test_scores_are_read_as_the_criterion_takes_them():
    target, output = np.array([[1.0], [0.0]]), np.array([[0.3], [-0.1]])
    judge = Judge(target, nn.MultiLabelSoftMarginCriterion())
    assert judge.reads == "logit"
    assert judge.right(output, target).tolist() == [True, True]
    answers, clear = judge.leaning(np.array([[0.0], [1e9], [np.nan]]))
    assert (answers.tolist(), clear.tolist()) == ([0, 1, 0], [0, 1, 0])


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [("value", None, "a number"), ("value", True, "a number"), ("index", 0.0, "a whole number")],
)
def test_only_numbers_are_written_into_arrays(argument, value, expected):
    run = Run(XOR)
    before = parameters(run)
    with pytest.raises(DTypeError) as caught:
        run.edit(
            **{"position": "net[0]", "name": "weight", "index": 0, "value": 1, argument: value}
        )
    got = type(value).__name__
    assert str(caught.value) == f"Run.edit: {argument} must be {expected}, got {got}"
    assert (parameters(run) == before).all()


def test_targets_that_are_not_finite_are_named():
    def make():
        return nn.Linear(1, 1), nn.MSECriterion(), np.ones((2, 1)), np.full((2, 1), np.inf)

    run = Run(Problem("endless", make))
    with np.errstate(all="ignore"):
        run.step()
    assert run.trouble.endswith(": the targets of the batch have numbers that are not finite.")


# ------------------------------------------------------------------ the thread


class Broken(nn.Identity):
    """Raises from its third forward on."""

    calls = 0

    def updateOutput(self, input):
        Broken.calls += 1
        if self.train and Broken.calls > 3:
            raise ValueError("three is enough")
        return super().updateOutput(input)


def frames_of(page):
    return json.loads(re.search(r'class="frames">(.*?)</script>', page)[1])


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """However long a busy machine keeps a test from looking, training goes on."""
    monkeypatch.setattr("torchlite.play.trainer.PATIENCE", math.inf)


def frame_of(trainer, after=0):
    return json.loads(trainer.next(after, 120))


def until(trainer, holds):
    frame, end = frame_of(trainer), time.monotonic() + 120
    while not holds(frame):
        assert time.monotonic() < end
        frame = frame_of(trainer, frame["frame"])
    return frame


def test_training_and_pausing():
    with Trainer([XOR]) as trainer:
        assert trainer.do({"do": "set", "speed": None}) == {"ok": True}
        trainer.do({"do": "train"})
        frame = until(trainer, lambda frame: frame["step"] > 200)
        assert frame["running"]
        trainer.do({"do": "pause"})
        frame = until(trainer, lambda frame: not frame["running"])
        assert trainer.next(frame["frame"], 0.05) is None
        assert 0 < len(frames_of(trainer.story())) <= 41
        trainer.do({"do": "reset"})
        again = frame_of(trainer, frame["frame"])
        assert (again["step"], again["run"]) == (0, frame["run"] + 1)


def test_the_update_that_is_shown_is_that_of_the_last_step():
    """At a speed that can be watched frames come between steps."""
    with Trainer([XOR]) as trainer:
        step, watched = trainer.run.step, {}

        def stepping(watch):
            loss = step(watch)
            watched[trainer.run.steps] = watch
            return loss

        trainer.run.step = stepping
        trainer.do({"do": "train"})
        number, shown = 0, []
        for _ in range(20):
            frame = frame_of(trainer, number)
            number = frame["frame"]
            shown.append(frame["step"])
    assert shown[-1] > 1
    assert all(watched[number] for number in shown if number)


def test_two_who_look_see_the_same():
    with Trainer([XOR]) as trainer:
        seen = []
        threads = [threading.Thread(target=lambda: seen.append(trainer.next(0))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen[0] is seen[1]


def test_an_error_of_the_network_is_told_with_its_line_and_ends_nothing():
    Broken.calls = 0

    def make():
        net, x = nn.Sequential(nn.Linear(2, 2), Broken()), np.ones((4, 2))
        return net, nn.MSECriterion(), x, x

    with Trainer([Problem("broken", make)]) as trainer:
        trainer.do({"do": "train"})
        frame = until(trainer, lambda frame: frame["trouble"])
        line = Broken.updateOutput.__code__.co_firstlineno + 3
        assert frame["trouble"].startswith(
            f"ValueError: three is enough ({Path(__file__).name}:{line})"
        )
        assert not frame["running"]
        Broken.calls = -10
        assert trainer.do({"do": "step"}) == {"ok": True}
        assert frame_of(trainer, frame["frame"])["trouble"] is None


def test_a_frame_that_cannot_be_made_ends_the_trainer_with_a_word_why():
    with Trainer([XOR]) as trainer:

        def broken():
            raise ValueError("no frame")

        trainer.view.frame = broken
        line = broken.__code__.co_firstlineno + 1
        says = f"play: the program has ended: ValueError: no frame ({Path(__file__).name}:{line})"
        for _ in range(2):
            with pytest.raises(StateError) as caught:
                trainer.next(0)
            assert str(caught.value) == says
        assert trainer.do({"do": "step"}) == {"ok": False, "error": says}


def test_what_is_asked_of_a_trainer_that_has_not_been_started():
    trainer = Trainer([XOR])
    says = "play: the trainer has not been started: use it in a with statement"
    assert trainer.do({"do": "step"}) == {"ok": False, "error": says}
    for call in (trainer.page, trainer.story, lambda: trainer.next(0)):
        with pytest.raises(StateError) as caught:
            call()
        assert str(caught.value) == says
    trainer.close()
    assert trainer.do({"do": "step"}) == {"ok": False, "error": "play: the program has ended"}


def test_commands_are_refused_from_the_moment_of_the_end():
    """What was put in is answered, and after that nothing gets in."""
    trainer = Trainer([XOR])
    with trainer:
        late = []
        closed, put = trainer.close, trainer._commands.put

        def closing(asked):
            """While one asks, another closes: it waits until the question is in."""
            if asked is not None and not late:
                late.append(threading.Thread(target=closed))
                late[0].start()
                late[0].join(0.2)
            put(asked)

        class Commands:
            def __getattr__(self, name):
                return closing if name == "put" else getattr(commands, name)

        commands, trainer._commands = trainer._commands, Commands()
        assert not trainer._closed
        answer = trainer.do({"do": "step"})
        late[0].join()
    assert answer in ({"ok": True}, {"ok": False, "error": "play: the program has ended"})


class Raising(nn.Identity):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def updateOutput(self, input):
        raise self.kind("enough")


def raising(kind):
    x = np.ones((4, 2))
    return Problem("raising", lambda: (Raising(kind), nn.MSECriterion(), x, x))


def test_ctrl_c_while_a_trainer_is_made_is_handed_on():
    with pytest.raises(KeyboardInterrupt):
        Trainer([raising(KeyboardInterrupt)])


def test_a_network_that_exits_ends_nothing():
    problem = raising(SystemExit)
    with Trainer([XOR, problem._replace(name="exits"), Problem("gone", sys.exit)]) as trainer:
        assert trainer.do({"do": "set", "problem": "exits"}) == {"ok": True}
        frame = frame_of(trainer)
        assert frame["trouble"].startswith("SystemExit: enough")
        answer = trainer.do({"do": "set", "problem": "gone"})
        assert not answer["ok"]
        assert answer["error"].startswith("SystemExit: ")
        assert trainer.do({"do": "set", "problem": "xor"}) == {"ok": True}


@pytest.mark.parametrize(
    "refused",
    [
        {"speed": 5, "batch": 0},
        {"speed": 5, "momentum": 1},
        {"speed": True, "batch": 3},
        {"speed": math.inf, "batch": 3},
        {"speed": math.nan, "batch": 3},
        {"problem": "second", "batch": 0},
        {"problem": "second", "speed": 0},
        {"problem": "broken", "speed": 5},
    ],
)
def test_settings_are_done_whole_or_not_at_all(refused):
    def broken():
        random.uniform()
        raise ValueError("no data")

    with Trainer([XOR, XOR._replace(name="second"), Problem("broken", broken)]) as trainer:
        trainer.do({"do": "step"})
        run, speed, settings = trainer.run, trainer.speed, trainer.run.settings
        stream = random.getRNGState()
        assert not trainer.do({"do": "set", **refused})["ok"]
        assert (trainer.run, trainer.speed, trainer.run.settings) == (run, speed, settings)
        assert repr(random.getRNGState()) == repr(stream)
        assert trainer.do({"do": "set", "problem": "second", "speed": 5, "seed": 3}) == {"ok": True}
        assert (trainer.run.problem.name, trainer.run.settings.seed, trainer.speed) == (
            "second",
            3,
            5,
        )


def test_nan_stops_the_training_with_a_word_why():
    with Trainer([FAST]) as trainer:
        trainer.do({"do": "train"})
        frame = until(trainer, lambda frame: frame["trouble"])
        assert not frame["running"]
        assert "Often the learning rate is too large" in frame["trouble"]


def test_training_pauses_when_nobody_looks(monkeypatch):
    monkeypatch.setattr("torchlite.play.trainer.PATIENCE", 0.1)
    with Trainer([XOR]) as trainer:
        trainer.do({"do": "train"})
        end = time.monotonic() + 120
        while trainer.running:
            assert time.monotonic() < end
            time.sleep(0.01)
        frame = frame_of(trainer)
        assert not frame["running"]
        assert frame["said"] == "Training paused: nobody had looked for 0.1 seconds."


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (3, "a command must be an object, got 3"),
        (
            {"do": "dance"},
            "what to do must be one of train, pause, step, call, reset, set, edit, open, break, "
            "faults, "
            "got 'dance'",
        ),
        ({"do": "set", "problem": "moons"}, "problem must be one of xor, got 'moons'"),
        ({"do": "set", "speed": 0}, "speed must be a number greater than 0, or null, got 0"),
        (
            {"do": "set", "speed": math.inf},
            "speed must be a number greater than 0, or null, got inf",
        ),
    ],
)
def test_commands_that_cannot_be(command, says):
    with Trainer([XOR]) as trainer:
        assert trainer.do(command) == {"ok": False, "error": f"SettingError: play: {says}"}
        assert not trainer.do({"do": "edit", "position": 1})["ok"]
        assert not trainer.do({"do": "open", "position": "net[9]", "open": True})["ok"]
        assert trainer.view.unfolded == {}
        assert trainer.do({"do": "step"}) == {"ok": True}


def test_numbers_are_changed_while_training_pauses():
    with Trainer([XOR]) as trainer:
        edit = {"do": "edit", "position": "net[0]", "name": "weight", "index": 0, "value": 2}
        trainer.do({"do": "train"})
        assert trainer.do(edit)["error"].startswith("StateError: play: pause the training before")
        trainer.do({"do": "pause"})
        assert trainer.do(edit)["new"] == 2
        endless = trainer.do({**edit, "value": math.inf})
        assert (endless["old"], endless["new"]) == (2, "inf")
        trainer.do(edit)
        said = frame_of(trainer)["said"]
        assert said.startswith("net[0].weight[0, 0]: ")
        assert "→ 2; the loss of this batch: " in said


def test_frames_leave_the_training_its_time(monkeypatch):
    """After a frame that took so long, the training has more than ten times as long."""
    clock = [0.0]
    monkeypatch.setattr("torchlite.play.trainer.thread_time", lambda: clock[0])
    with Trainer([XOR]) as trainer:
        frame, step, steps, seen = trainer.view.frame, trainer.run.step, [0], []

        def slow():
            seen.append(steps[0])
            clock[0] += 1
            return frame()

        def stepping(watch):
            steps[0] += 1
            clock[0] += 0.25
            return step(watch)

        trainer.view.frame, trainer.run.step = slow, stepping
        trainer.do({"do": "set", "speed": None})
        trainer.do({"do": "train"})
        after = 0
        for _ in range(4):
            after = frame_of(trainer, after)["frame"]
    # A frame takes as long as four steps: 66 of them are 16.5 times as long.
    assert min(np.diff(seen[-3:])) >= 66


def test_what_is_asked_of_a_trainer_that_has_ended():
    trainer = Trainer([XOR])
    with trainer:
        pass
    with pytest.raises(StateError, match="play: the program has ended"):
        trainer.next(0)
    trainer.close("too late")
    over = {"over": "play: the program has ended"}
    assert json.loads(trainer.told(0)) == over
    assert trainer.do({"do": "step"}) == {"ok": False, "error": "play: the program has ended"}
    server = Server(trainer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        answer, told = ask(server, f"/{server.secret}/frame?after=0")
        assert (answer.status, json.loads(told)) == (200, over)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_pages_between_two_frames_hear_of_the_end_too(monkeypatch):
    told = []
    with Trainer([XOR]) as trainer, Server(trainer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        path = f"/{server.secret}/frame?after=0"

        def asked(seconds):
            told.append((seconds, json.loads(ask(server, path)[1])))

        monkeypatch.setattr("torchlite.play.server.time", SimpleNamespace(sleep=asked))
        monkeypatch.setattr("torchlite.play.trainer.RECENT", math.inf)
        assert not trainer.watched
        ask(server, path)
        assert trainer.watched
        server.farewell("come back")
        server.shutdown()
        thread.join()
    assert told == [(0.7, {"over": "play: the program has ended; come back"})]
    with Trainer([XOR]) as trainer, Server(trainer) as server:
        server.farewell("nobody looked")
    assert len(told) == 1


# ------------------------------------------------------------------ the server


@pytest.fixture(scope="module")
def served():
    with Trainer([XOR]) as trainer, Server(trainer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, path, method="GET", body=None, **headers):
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_page_and_its_files(served):
    kinds = {"css": "text/css", "js": "text/javascript", "": "text/html"}
    for name in ("", "play.css", "play.js", "live.js", "breaking.js", "arrays.css", "arrays.js"):
        kind = kinds[name.rpartition(".")[2]]
        answer, body = ask(served, f"/{served.secret}/{name}")
        assert answer.status == 200
        assert answer.headers.get_content_type() == kind
        assert len(body) > 100
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Python" not in answer.headers["Server"]


def test_a_command_and_a_frame(served):
    path = f"/{served.secret}"
    kind = {"Content_Type": "application/json"}
    answer, body = ask(served, f"{path}/do", "POST", json.dumps({"do": "step"}), **kind)
    assert (answer.status, json.loads(body)) == (200, {"ok": True})
    answer, body = ask(served, f"{path}/frame?after=0")
    assert answer.status == 200
    assert json.loads(body)["step"] >= 1
    answer, body = ask(served, f"{path}/step")
    assert answer.status == 200
    assert b"Backpropagation, step by step" in body
    answer, body = ask(served, f"{path}/save")
    assert answer.status == 200
    assert b"Moments of the run" in body


def test_nobody_else_is_let_in(served):
    own, secret = served.own, served.secret
    port = served.server_address[1]
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    refused = [
        ask(served, "/"),
        ask(served, f"/{wrong}/"),
        ask(served, f"/{wrong}/frame?after=0"),
        ask(served, f"/{secret}"[:-3]),
        ask(served, f"/{secret}/", Host=f"localhost:{port}"),
        ask(served, f"/{secret}/", Host=f"evil.example:{port}"),
        ask(served, f"/{secret}/", Host="127.0.0.1"),
        ask(served, f"/{secret}/", Origin="http://evil.example"),
        ask(served, f"/{secret}/do", "POST", "{}", Host="evil.example"),
        ask(served, f"/{secret}/do", "POST", "{}", Origin="null"),
    ]
    for answer, body in refused:
        assert answer.status == 403
        assert body == b"this page is for the one who started it\n"
    assert own == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("path", "method", "body", "headers", "status"),
    [
        ("etc/passwd", "GET", None, {}, 404),
        ("../play.js", "GET", None, {}, 404),
        ("play.js?x", "GET", None, {}, 404),
        ("frame", "GET", None, {}, 400),
        ("frame?after=-1", "GET", None, {}, 400),
        ("frame?after=²", "GET", None, {}, 400),
        ("do", "POST", "{}", {"Content_Type": "text/plain"}, 404),
        ("frame", "POST", "{}", {"Content_Type": "application/json"}, 404),
        ("do", "POST", "{", {"Content_Type": "application/json"}, 400),
        ("do", "POST", "[" * 60_000, {"Content_Type": "application/json"}, 400),
        ("do", "POST", " " * 70_000, {"Content_Type": "application/json"}, 413),
        ("do", "POST", None, {"Content_Type": "application/json", "Content_Length": "x"}, 413),
        (
            "do",
            "POST",
            None,
            {"Content_Type": "application/json", "Content_Length": "9" * 5000},
            413,
        ),
        ("", "PUT", None, {}, 501),
    ],
)
def test_requests_that_cannot_be(served, path, method, body, headers, status):
    path = path.replace("²", "%C2%B2")
    assert ask(served, f"/{served.secret}/{path}", method, body, **headers)[0].status == status


def test_it_listens_on_this_machine_alone(served):
    assert served.server_address[0] == "127.0.0.1"
    assert served.socket.family == socket.AF_INET


def test_a_port_in_use_is_told(served):
    port = served.server_address[1]
    with pytest.raises(StateError) as caught:
        Server(served.trainer, port)
    first, hint = str(caught.value).split("\n")
    assert first.startswith(f"play: port {port} cannot be had: ")
    assert hint == "  hint: without --port a free one is taken"


# ------------------------------------------------------------------ the command


WORK = """
import math
import numpy as np
import torchlite as nn
from torchlite.play import trainer

# A page that was told something looks still, however busy the machine has been since.
trainer.RECENT = math.inf

def made():
    return nn.Linear(2, 1), nn.MSECriterion(), np.ones((8, 2)), np.ones((8, 1))
"""


@pytest.mark.skipif(os.name == "nt", reason="there Ctrl-C goes to all programs of a terminal")
def test_the_command_serves_until_it_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work.py").write_text(WORK)
    given = ["work.py:made", "--seed=3", "--no-browser"]
    command = [sys.executable, "-m", "torchlite", "play", *given]
    started = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    address, _, words = started.stdout.readline().partition(" ")
    assert words == "is open to this machine alone; Ctrl-C ends it.\n"
    _, _, host, secret, _ = address.split("/")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=120)) as connection:
        again = f"{_terminal.python()} -m torchlite play {' '.join(given)}"
        words = f"start it again: {again}"
        connection.request("GET", f"/{secret}/again")
        assert json.loads(connection.getresponse().read()) == words
        connection.request("GET", f"/{secret}/frame?after=0")
        frame = json.loads(connection.getresponse().read())
        # One who waits for the next frame keeps nobody waiting.
        connection.request("GET", f"/{secret}/frame?after={frame['frame']}")
        started.send_signal(signal.SIGINT)
        told = json.loads(connection.getresponse().read())
        out, err = started.communicate(timeout=120)
    assert (frame["problem"], frame["samples"]) == ("work.py:made", 8)
    assert told == {"over": f"play: the program has ended; {words}"}
    assert (started.returncode, err) == (0, "")
    assert out == "\nended\n"


def test_a_browser_that_takes_the_terminal_is_left_alone(monkeypatch):
    opened = []

    class Lynx(webbrowser.GenericBrowser):
        def open(self, address, new=0, autoraise=True):
            opened.append(self.name)

    class Window(webbrowser.BackgroundBrowser):
        open = Lynx.open

    for browser in (Lynx("lynx"), Window("firefox")):
        monkeypatch.setattr(webbrowser, "get", lambda browser=browser: browser)
        _open("http://127.0.0.1/")
    monkeypatch.undo()

    def absent():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", absent)
    _open("http://127.0.0.1/")
    assert opened == ["firefox"]


def test_the_example_of_help_works(capsys, monkeypatch):
    from torchlite.__main__ import main

    def interrupted(server):
        assert server.trainer.run.settings.seed == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", interrupted)
    with pytest.raises(SystemExit):
        main(["play", "--help"])
    *_, last = capsys.readouterr().out.splitlines()
    assert main([*last.split()[2:], "--no-browser"]) == 0
    assert capsys.readouterr().out.endswith("Ctrl-C ends it.\n\nended\n")


def test_the_command_refuses_what_cannot_be(capsys):
    from torchlite.__main__ import main

    assert main(["play", "nowhere.py:made", "--no-browser"]) == 2
    assert "play: FileNotFoundError" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["play", "--port", "70000"])
    assert "must be a whole number from 0 to 65535, got '70000'" in capsys.readouterr().err
