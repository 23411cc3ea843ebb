"""Torch7's modules in .t7 files: they compute what Torch7 computes, and are written as it does."""

from pathlib import Path

import golden
import numpy as np
import pytest

from torchlite import nn, optim, random
from torchlite.serial import t7
from torchlite.serial.t7 import modules

CASES = {
    case["id"]: case
    for chapter in ("t7", "t7_models")
    for case in golden.cases(chapter)
    if case["kind"] == "t7_model"
}
FILES = [(name, file) for name, case in CASES.items() for file in case["files"].values()]
MODELS = [name for name, case in CASES.items() if "bin" in case["files"]]
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.t7"


class OneHot(nn.Module):
    """The class of the script that wrote char_rnn.t7."""

    def updateOutput(self, input):
        self.output = self._eye[input]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(modules, "_registered", {})
    t7.register("OneHot", OneHot)


def held(case, value):
    """Return the model in what a file holds."""
    keys = ["model"] if case["id"] == "checkpoint" else case.get("model_at", ())
    for key in keys:
        value = value[key - 1] if isinstance(value, list) else value[key]
    return value


def case_of(name):
    case = CASES[name]
    return {**CASES[case["same_as"]], **case} if "same_as" in case else case


def read(name):
    case = case_of(name)
    return case, held(case, t7.load(golden.DATA / case["files"]["bin"]))


# ---------------------------------------------------------------- what Torch7 has written


@pytest.mark.parametrize(("name", "file"), FILES)
def test_models_compute_what_torch7_computes(name, file):
    case = case_of(name)
    golden.check_model(case, held(case, t7.load(golden.DATA / file)))


def test_a_training_goes_on_to_the_same_digits():
    case = CASES["lenet_training"]
    resume = case["resume"]
    saved = t7.load(golden.DATA / case["files"]["bin"])
    net, criterion = saved["model"], saved["criterion"]
    parameters, gradients = net.training().getParameters()
    random.setRNGState(saved["rng"])
    assert random.random() == resume["next_random_before"]
    random.setRNGState(saved["rng"])
    config = saved["optimState"]
    np.testing.assert_array_equal(config["dfdx"], resume["dfdx"])
    losses = []
    targets = [target.astype("int64") - 1 for target in resume["targets"]]
    for input, target in zip(resume["inputs"], targets, strict=True):

        def opfunc(_, input=input, target=target):
            gradients.fill(0)
            loss = criterion.forward(net.forward(input), target)
            net.backward(input, criterion.backward(net.output, target))
            return loss, gradients

        _, (loss,) = optim.sgd(opfunc, parameters, config)
        losses.append(loss)
    np.testing.assert_allclose(losses, resume["losses"], rtol=2e-6)
    np.testing.assert_allclose(parameters, resume["flat_parameters_after"], rtol=2e-6, atol=1e-7)
    assert random.random() == resume["next_random"]


@pytest.mark.parametrize(
    ("made", "field", "expected"),
    [
        (nn.Max(0), "dimension", 1),
        (nn.Max(-1), "dimension", -1),
        (nn.Min(2), "dimension", 3),
        (nn.Sum(1), "dimension", 2),
        (nn.Mean(0), "dimension", 1),
        (nn.Concat(1), "dimension", 2),
        (nn.DepthConcat(0), "dimension", 1),
        (nn.Parallel(0, 1), "inputDimension", 1),
        (nn.Parallel(0, 1), "outputDimension", 2),
        (nn.JoinTable(0), "dimension", 1),
        (nn.SplitTable(-2), "dimension", -2),
        (nn.Select(1, -1), "dimension", 2),
        (nn.Select(1, -1), "index", -1),
        (nn.Select(1, 4), "index", 5),
        (nn.Narrow(0, 2, 3), "dimension", 1),
        (nn.Narrow(0, 2, 3), "index", 3),
        (nn.Narrow(0, 2, 3), "length", 3),
        (nn.NarrowTable(1), "offset", 2),
        (nn.SelectTable(0), "index", 1),
        (nn.SelectTable("b"), "index", "b"),
        (nn.Index(0), "dimension", 1),
        (nn.Squeeze(0), "dim", 1),
        (nn.Unsqueeze(1), "pos", 2),
        (nn.Replicate(3, 1), "dim", 2),
        (nn.Padding(0, 2, None, 7, 1), "dim", 1),
        (nn.Padding(0, 2, None, 7, 1), "index", 2),
        (nn.Padding(0, 2, None, 7, 1), "pad", 2),
        (nn.Transpose([0, 1], [2, 0]), "permutations", [[1, 2], [3, 1]]),
        (nn.MixtureTable(1), "dim", 2),
        (nn.GatedLinearUnit(1), "dim", 2),
        (nn.GatedLinearUnit(), "dim", None),
        (nn.LookupTable(3, 2), "paddingValue", 0),
        (nn.LookupTable(3, 2, 0), "paddingValue", 1),
        (nn.ClassNLLCriterion(), "ignoreIndex", -100),
        (nn.ClassNLLCriterion(ignoreIndex=0), "ignoreIndex", 1),
        (nn.ClassNLLCriterion(ignoreIndex=-1), "ignoreIndex", 0),
        (nn.WeightNorm(nn.Linear(2, 3), 1), "outputDim", 2),
        (nn.SpatialConvolutionMap(nn.tables.oneToOne(2), 1, 1), "connTable", [[1, 1], [2, 2]]),
        (nn.PartialLinear(2, 3).setPartition([2, 0]), "partition", [3, 1]),
        (nn.PartialLinear(2, 3), "allcolumns", [1, 2, 3]),
        (nn.IndexLinear(2, 3), "offset", -1),
        (nn.View(2, -1), "size", [2, -1]),
        (nn.Convert("chb", "bf"), "inputBatchDim", 3),
    ],
)
def test_torch7_counts_from_one(made, field, expected):
    _, fields = modules.take_apart(made)
    value = fields.get(field)
    value = getattr(value, "array", value)
    assert (value.tolist() if isinstance(value, np.ndarray) else value) == expected
