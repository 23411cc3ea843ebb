"""StochasticGradient, and training loops, against Torch7."""

import io
import sys

import golden
import numpy as np
import pytest

import torchlite
from torchlite import nn, optim
from torchlite.errors import DTypeError, ShapeError

CASES = [
    {"lua": case["module_lua"], "dtype": "float64", **case}
    for case in golden.cases("training")
    if not golden.missing(case["module"]) | golden.missing({"args": case["module"].get("calls")})
]
TRAINERS = [case for case in CASES if case["kind"] == "training"]
LOOPS = [case for case in CASES if case["kind"] == "training_loop"]
# The gradient of a bias before a batch normalisation is 0 but for rounding, which adam scales up.
ROUNDING = {"loop_2": "modules.0.bias"}


def made(case):
    """Return the module of a case, with its parameters, and the criterion."""
    facts = {name: case[name] for name in ("id", "dtype", "lua")}
    module = {**case["module"], **facts, "params": case["params"]}
    return golden.build(module), golden.build({**case["criterion"], **facts})


def targets(case, name):
    values = case[name]
    return (values - 1).astype(int) if name in case.get("one_based", ()) else values


@pytest.mark.parametrize("case", TRAINERS, ids=lambda case: case["id"])
def test_stochastic_gradient(case):
    module, criterion = made(case)
    trainer = nn.StochasticGradient(module, criterion)
    trainer.verbose = False
    for name, value in case["fields"].items():
        setattr(trainer, name, value)
    y = targets(case, "targets")
    dataset = [(x, y[i] if np.ndim(y[i]) else int(y[i])) for i, x in enumerate(case["inputs"])]
    order, errors = [], []
    places = {id(x): i for i, (x, _) in enumerate(dataset)}
    trainer.hookExample = lambda _, example: order.append(places[id(example[0])])
    trainer.hookIteration = lambda _, epoch, error: errors.append((epoch, error))
    torchlite.manualSeed(case["seed"])
    trainer.train(dataset)
    expected = targets(case, "example_order").astype(int)
    assert order[: len(expected)] == expected.tolist()
    assert [epoch for epoch, _ in errors] == list(range(1, len(errors) + 1))
    assert np.allclose([error for _, error in errors], case["iteration_errors"], 1e-12, 1e-14)
    golden.compare_attributes(case, "params2", module)


@pytest.mark.parametrize("case", LOOPS, ids=lambda case: case["id"])
def test_training_loop(case):
    module, criterion = made(case)
    x, y = case["input"], targets(case, "target")
    if "seed" in case:
        torchlite.manualSeed(case["seed"])
    parameters, gradients = module.getParameters()
    state = {}
    losses = []

    def evaluate(_):
        loss = criterion.forward(module.forward(x), y)
        module.zeroGradParameters()
        module.backward(x, criterion.backward(module.output, y))
        losses.append(loss)
        return loss, gradients

    for _ in range(case["steps"]):
        if case["optimizer"] == "updateParameters":
            evaluate(parameters)
            module.updateParameters(case["learningRate"])
        else:
            getattr(optim, case["optimizer"])(evaluate, parameters, dict(case["config"]), state)
    assert np.allclose(losses, case["losses"], 1e-11, 1e-13)
    exact = {**case, "params2": dict(case["params2"])}
    if case["id"] in ROUNDING:
        path = ROUNDING[case["id"]]
        # A step of adam along a true gradient is a hundredth.
        assert np.allclose(module.get(0).bias, exact["params2"].pop(path), 0, 1e-9)
    golden.compare_attributes(exact, "params2", module)
    assert np.allclose(module.evaluate().forward(x), case["output_evaluate"], 1e-11, 1e-13)


def test_it_prints_what_torch7_prints(capsys):
    trainer = nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion())
    assert (trainer.learningRate, trainer.learningRateDecay, trainer.maxIteration) == (0.01, 0, 25)
    trainer.maxIteration = 2
    trainer.train([(np.ones(1), np.ones(1))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# StochasticGradient: training"
    assert lines[1].startswith("# current error = ")
    assert lines[3] == "# StochasticGradient: you have reached the maximum number of iterations"
    assert lines[4] == lines[2].replace("current", "training")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("verbose", [True, False])
def test_verbose_is_what_prints_and_shows_progress(verbose, capsys, monkeypatch):
    trainer = nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion())
    trainer.verbose = verbose
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        trainer.train([(np.ones(1), np.ones(1))])
    assert ("epoch 25" in terminal.getvalue()) is verbose
    assert ("training error" in capsys.readouterr().out) is verbose


def test_without_shuffling_the_stream_goes_on_from_the_same_place():
    trainer = nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion())
    trainer.verbose, trainer.maxIteration = False, 1
    seen, following = [], []
    trainer.hookExample = lambda _, example: seen.append(example[0].item())
    dataset = [(np.array([float(i)]), np.ones(1)) for i in range(5)]
    for trainer.shuffleIndices in (True, False):
        torchlite.manualSeed(3)
        trainer.train(dataset)
        following.append(torchlite.random.random())
    assert seen[5:] == [0, 1, 2, 3, 4] != seen[:5]
    assert following[0] == following[1]


def test_zero_iterations_mean_for_ever():
    class Enough(Exception):
        pass

    def stop(_, epoch, error):
        if epoch == 30:
            raise Enough

    trainer = nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion())
    trainer.verbose, trainer.maxIteration, trainer.hookIteration = False, 0, stop
    with pytest.raises(Enough):
        trainer.train([(np.ones(1), np.ones(1))])


def test_what_cannot_be_trained():
    with pytest.raises(DTypeError, match="module must be a Module, got MSECriterion"):
        nn.StochasticGradient(nn.MSECriterion(), nn.Linear(1, 1))
    with pytest.raises(DTypeError, match="criterion must be a Criterion, got ReLU"):
        nn.StochasticGradient(nn.Linear(1, 1), nn.ReLU())
    with pytest.raises(ShapeError, match="dataset must have samples, got none"):
        nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion()).train([])


@pytest.mark.parametrize("rows", [2, 3])
def test_arrays_that_are_no_list_of_samples(rows):
    trainer = nn.StochasticGradient(nn.Linear(2, 1), nn.MSECriterion())
    trainer.shuffleIndices = trainer.verbose = False
    with pytest.raises(DTypeError) as caught:
        trainer.train((np.ones((rows, 2)), np.ones((rows, 1))))
    assert str(caught.value) == (
        f"StochasticGradient.train: dataset[0] must be (input, target), got ({rows}, 2)\n"
        "  hint: list(zip(inputs, targets, strict=True)) makes samples of two arrays"
    )
