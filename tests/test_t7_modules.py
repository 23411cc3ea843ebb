"""Torch7's modules in .t7 files: they compute what Torch7 computes, and are written as it does."""

import json
import re
import warnings
from pathlib import Path

import golden
import numpy as np
import pytest
from saving import ROWS, same

from torchlite import nn, optim, random, serial
from torchlite.elsewhere import TORCH7
from torchlite.errors import DTypeError, FormatError, SettingError, ShapeError, StateError
from torchlite.nn.nested import map_arrays
from torchlite.nn.stateful import parts
from torchlite.serial import t7
from torchlite.serial.t7 import modules, parse, source
from torchlite.serial.t7.fields import OTHERWISE
from torchlite.serial.t7.fields import ROWS as CLASSES
from torchlite.serial.t7.nngraph import PARTS

CASES = {
    case["id"]: case
    for chapter in ("t7", "t7_models")
    for case in golden.cases(chapter)
    if case["kind"] == "t7_model"
}
FILES = [(name, file) for name, case in CASES.items() for file in case["files"].values()]
MODELS = [name for name, case in CASES.items() if "bin" in case["files"]]
DOCS = Path(__file__).parents[1] / "docs"


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


def there_and_back(path, value):
    t7.save(path, value)
    return t7.load(path)


def equal(one, other):
    """Tell whether two networks are of the same classes, and hold the same, part by part."""
    ones, others = parts([one]), parts([other])
    return len(ones) == len(others) and all(
        type(a) is type(b) and without_parts(a) == without_parts(b)
        for a, b in zip(ones, others, strict=True)
    )


def without_parts(part):
    def plain(value):
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, value.tobytes()
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return list(map(plain, value))
        return type(value) if isinstance(value, nn.Module | nn.Criterion) else value

    return {name: plain(value) for name, value in part.__getstate__().items() if value is not None}


# ---------------------------------------------------------------- what Torch7 has written


@pytest.mark.parametrize(("name", "file"), FILES)
def test_models_compute_what_torch7_computes(name, file):
    case = case_of(name)
    golden.check_model(case, held(case, t7.load(golden.DATA / file)))


@pytest.mark.parametrize("name", MODELS)
def test_what_else_the_files_hold(name):
    case = case_of(name)
    saved = t7.load(golden.DATA / case["files"]["bin"])
    model = held(case, saved)
    if "tostring" in case:
        text = case["tostring"].replace("nn.", "")
        # Modules count from 0 here.
        text = re.sub(r"\((\d+)\)(?=:| ->)", lambda n: f"({int(n[1]) - 1})", text)
        assert repr(model) == text
    for field, value in case.get("checkpoint", {}).items():
        # JSON has no numbers as keys.
        assert json.loads(json.dumps(saved[field])) == value
    if "saved_train" in case:
        assert {part.train for part in parts([model])} == {case["saved_train"]}
    if "param_order" in case:
        order = [case["params"][path] for path in case["param_order"]]
        assert same(model.parameters()[0], order)


@pytest.mark.parametrize("name", MODELS)
def test_models_that_were_written_are_what_was_read(name, path):
    case = case_of(name)
    whole = t7.load(golden.DATA / case["files"]["bin"])
    again = there_and_back(path, whole)
    assert equal(held(case, whole), held(case, again))
    golden.check_model(case, held(case, again))


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


# ---------------------------------------------------------------- what torchlite writes


def kind_of(said):
    """Return what Torch7 sees of a value in a file; what lies on a GPU is of the CPU's types."""
    if isinstance(said, parse.ObjectNode):
        return said.name.replace("cudnn.", "nn.")
    if isinstance(said, parse.TensorNode | parse.StorageNode):
        return f"{said.kind[1]}{type(said).__name__.removesuffix('Node')}"
    if isinstance(said, parse.TableNode):
        return "table"
    return {bool: "boolean", int: "number", float: "number", str: "string"}[type(said)]


def kinds_of(path):
    """Return the (class, version, field, kind of value) that stand in a file."""
    with open(path, "rb") as file:
        parsed = parse.Parsed(source.Binary(file, path.stat().st_size, 8, "little"), "utf-8")
        parsed.read()
    return {
        (kind_of(node), node.version, field, kind_of(value))
        for node in parsed.opened
        if isinstance(node, parse.ObjectNode)
        for field, value in zip(node.content.entries[::2], node.content.entries[1::2], strict=True)
    }


def different():
    """Return the fields that docs/torch7_models.md says are different."""
    page = (DOCS / "torch7_models.md").read_text("utf-8")
    table = page.partition("## Fields that differ")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \| (`.+?) \|", table, re.MULTILINE)
    return {
        (name, field)
        for names, fields in rows
        for name in re.findall("`(.+?)`", names)
        for field in re.findall("`(.+?)`", fields)
    }


def test_what_is_written_has_the_fields_that_torch7_has_written(path):
    explained, met = different(), set()
    for name in MODELS:
        file = golden.DATA / CASES[name]["files"]["bin"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            t7.save(path, t7.load(file))
        theirs, ours = kinds_of(file), kinds_of(path)
        if name != "old_batch_norm":
            versions = [{row[:2] for row in rows} for rows in (theirs, ours)]
            assert versions[0] == versions[1]
        wrong = {(kind, field, value) for kind, _, field, value in theirs}
        wrong ^= {(kind, field, value) for kind, _, field, value in ours}
        wrong = {(kind.rpartition(".")[2], field) for kind, field, _ in wrong}
        met |= wrong
        assert wrong <= explained, f"{name}: say why in docs/torch7_models.md"
    assert explained == met, "docs/torch7_models.md explains fields that are the same"


@pytest.mark.parametrize("case", ROWS)
def test_every_row_comes_back(case, path):
    random.manualSeed(1)
    made = case.make()
    rng = np.random.default_rng(0)
    if isinstance(made, nn.Module):
        for gradient in made.parameters()[1]:
            gradient[...] = rng.integers(1, 9, gradient.shape)
    refused = [why for part in parts([made]) for why in refusals(type(part))]
    if refused:
        with pytest.raises(DTypeError) as caught:
            t7.save(path, made)
        assert refused[0] in str(caught.value)
        assert str(caught.value).endswith("\n  hint: torchlite.serial.save keeps it")
        return
    before = random.getRNGState()
    with warnings.catch_warnings():
        # What torchlite has and Torch7 has not is said, and comes back nevertheless.
        warnings.filterwarnings("ignore", ".* is torchlite's own: Torch7 does without")
        warnings.filterwarnings("ignore", ".* counts from the end, which it does not in Torch7")
        loaded = there_and_back(path, made)
    assert same(random.getRNGState(), before), "reading a file must draw nothing"
    assert type(loaded) is type(made)
    assert repr(loaded) == repr(made)
    for part, other in zip(parts([made]), parts([loaded]), strict=True):
        # A test's own.
        vars(other).update({name: 0 for name in ("_guard",) if name in vars(part)})
    assert same(results(made, case), results(loaded, case))


def refusals(kind):
    """Yield why a class cannot stand in a .t7 file."""
    if kind.__name__ in OTHERWISE:
        yield f"Torch7 makes its {kind.__name__} of other modules"
    elif "element_research" in kind.__module__:
        yield f"Torch7 would take this {kind.__name__} for torch/rnn's"


def results(made, case):
    """Return what a forward and a backward give, from the same random numbers."""
    rng = np.random.default_rng(0)
    random.manualSeed(5)
    input = case.draw(rng)
    if isinstance(made, nn.Criterion):
        target = None if case.target is None else case.draw(rng, "target")
        output = made.forward(input, target)
        return [output, made.backward(input, target)]
    output = made.forward(input)
    gradOutput = map_arrays(lambda a: (a * 0 + 1).astype(a.dtype), output)
    if "backward" in case.exempt or not isinstance(made, nn.Module):
        return [output]
    return [output, made.backward(input, gradOutput), made.parameters()[1]]


def test_every_class_of_torch7_comes_back(path):
    rows = {type(part).__name__ for case in ROWS for part in parts([case.values[0].make()])}
    others = {
        "Module": nn.Module(),
        "Container": nn.Container(nn.ReLU()),
        "Criterion": nn.Criterion(),
        "Decorator": nn.Decorator(nn.ReLU()),
    }
    for name, made in others.items():
        assert type(there_and_back(path, made)).__name__ == name
    trainer = nn.StochasticGradient(nn.Linear(2, 3), nn.MSECriterion())
    trainer.maxIteration = 7
    again = there_and_back(path, trainer)
    assert type(again) is nn.StochasticGradient
    assert again.maxIteration == 7
    assert equal([again.module, again.criterion], [trainer.module, trainer.criterion])
    assert rows | others.keys() | {"StochasticGradient"} >= TORCH7


def test_every_row_of_the_table_is_of_a_class():
    assert CLASSES.keys() <= set(nn.__all__)


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
    value = modules.take_apart(made).fields.get(field)
    value = getattr(value, "array", value)
    assert (value.tolist() if isinstance(value, np.ndarray) else value) == expected


# ---------------------------------------------------------------- what is in old files


def tensor(*shape, dtype="float64"):
    return np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape)


def made_of(path, kind, **fields):
    return there_and_back(path, t7.Object(kind, fields))


def convolution(**more):
    return {
        "nInputPlane": 1, "nOutputPlane": 2, "kW": 2, "kH": 3, "dW": 1, "dH": 1,
        "weight": tensor(2, 1, 3, 2), "bias": tensor(2), **more,
    }  # fmt: skip


def test_layers_of_dpnn_are_written_as_theirs(path):
    fire = fields_of(nn.FireModule(2, 1, 3, 4, "Tanh"))
    assert [fire[name] for name in ("nInputPlane", "s1x1", "e1x1", "e3x3")] == [2, 1, 3, 4]
    assert fire["activation"] == "Tanh"
    assert fire["module"] is fire["modules"][0]
    assert fire["module"][2].dimension == 1
    made = nn.FireModule(2, 1, 3, 4)
    assert there_and_back(path, made).modules[0][2].dimension == made.modules[0][2].dimension == -3
    noise = fields_of(nn.NCEModule(2, 3, 4, np.array([1.0, 1.0, 6.0])))
    assert noise["unigrams"].tolist() == [0.125, 0.125, 0.75]
    alias = noise["aliasmultinomial"]
    assert alias.name == "torch.AliasMultinomial"
    assert alias.fields["J"].tolist() == [3, 3, 1]
    assert alias.fields["q"].tolist() == [0.375, 0.375, 1]
    entropy = fields_of(nn.CategoricalEntropy(2))
    assert entropy["minusOne"].tolist() == [-2]
    assert entropy["_mul"] is entropy["module"][1]
    lazy = fields_of(nn.Dropout(0.5, lazy=True))
    assert (lazy["lazy"], lazy["flag"]) == (True, True)
    assert not {"lazy", "mono", "flag"} & fields_of(nn.Dropout(0.5)).keys()
    assert there_and_back(path, nn.Dropout(0.5, lazy=True, mono=True)).lazy
    tree = fields_of(nn.SoftMaxTree(2, {5: [2, 0, 7], 0: [1, 3], 7: [4, 6, 8]}, 5))
    assert tree["childIds"].tolist() == [3, 1, 8, 2, 4, 5, 7, 9]
    assert tree["parentIds"].tolist() == [6, 1, 8]
    assert tree["parentChildren"].tolist()[5:] == [[1, 3], [-1, -1], [6, 3]]
    assert tree["childParent"].tolist()[:3] == [[6, 2], [1, 1], [6, 1]]
    facts = ("rootId", "nChildNode", "nParentNode", "minNodeId", "maxNodeId", "maxParentId")
    assert [tree[name] for name in facts] == [6, 8, 3, 1, 9, 8]
    assert [tree[name] for name in ("maxChildId", "maxFamily", "maxDept")] == [9, 3, 2]
    assert tree["maxFamilyPath"] == 6


def fields_of(made):
    return t7.modules.take_apart(made).fields


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"parentChildren": np.ones(3, "int32")}, "parentChildren: must be (n, 2), got (3,)"),
        (
            {"parentChildren": np.array([[1, 2], [1, 2]], "int32")},
            "parentChildren: must say of all children where they begin",
        ),
        (
            {"parentChildren": np.array([[1, 3]], "int32")},
            "parentChildren: must say of all children where they begin",
        ),
        ({"rootId": "a"}, "rootId: must be a whole number, got 'a'"),
        ({"weight": np.zeros((3, 2))}, "weight: must have 2 rows, one for each of childIds"),
        ({"childIds": np.array([2.5, 3])}, "childIds: must hold whole numbers"),
    ],
)
def test_trees_that_are_none(path, change, problem):
    fields = fields_of(nn.SoftMaxTree(2, {0: [1, 2]}))
    with pytest.raises(FormatError) as raised:
        made_of(path, "nn.SoftMaxTree", **{**fields, **change})
    assert problem.partition(":")[0] in str(raised.value)
    assert problem.partition(": ")[2] in str(raised.value)


def test_old_convolutions(path):
    old = convolution(padding=1, weight=tensor(2, 6), gradWeight=tensor(2, 6))
    made = made_of(path, "nn.SpatialConvolution", **old)
    assert (made.padW, made.padH) == (1, 1)
    np.testing.assert_array_equal(made.weight, tensor(2, 1, 3, 2))
    np.testing.assert_array_equal(made.gradWeight, tensor(2, 1, 3, 2))
    assert not hasattr(made, "padding")
    assert np.shares_memory(made.weight, made.weight.base)
    assert (made_of(path, "nn.SpatialConvolution", **convolution()).padW) == 0
    without = convolution(padW=0, padH=0)
    del without["bias"]
    assert made_of(path, "nn.SpatialConvolution", **without).bias is None


def test_old_batch_normalization(path):
    made = made_of(
        path, "nn.SpatialBatchNormalization",
        eps=0.25, momentum=0.1, running_mean=tensor(2), running_std=np.array([0.5, 2.0]),
        weight=tensor(2), bias=tensor(2),
    )  # fmt: skip
    assert made.running_var.tolist() == [3.75, 0.0]
    assert made.affine is True
    assert not hasattr(made, "running_std")
    made = made_of(
        path, "nn.BatchNormalization",
        eps=0.25, momentum=0.1, running_mean=tensor(2), running_var=tensor(2),
    )  # fmt: skip
    assert made.affine is False


def test_other_old_fields(path):
    assert made_of(path, "nn.GradientReversal").lambda_ == 1
    assert made_of(path, "nn.Dropout", p=0.25).v2 is False
    assert made_of(path, "nn.Dropout", p=0.25, v2=True).v2 is True
    assert made_of(path, "nn.VolumetricMaxPooling", kT=1, kW=2, kH=3).ceil_mode is False
    old = convolution(nOutputPlane=2, nInputPlane=1, weight=tensor(2, 6), bias=tensor(2, 1))
    made = made_of(path, "nn.SpatialDepthWiseConvolution", **old)
    assert (made.depthwiseMultiplier, made.nOutputPlane) == (2, 2)
    assert made_of(path, "nn.Narrow", dimension=1, index=-1, length=2).length == -3
    old = {"weight": tensor(3, 2), "size": np.array([3, 2]), "batchSize": np.array([1, 3, 2])}
    assert not {"size", "batchSize"} & vars(made_of(path, "nn.LookupTable", **old)).keys()


def test_fields_that_may_be_missing(path):
    assert repr(made_of(path, "nn.Sequential")) == repr(nn.Sequential())
    assert repr(there_and_back(path, nn.MapTable())) == repr(nn.MapTable())
    inside = t7.Object("nn.Tanh", {})
    made = made_of(path, "nn.MapTable", modules=[inside])
    assert type(made[0]) is nn.Tanh
    inside = {"lsm": t7.Object("nn.LogSoftMax", {}), "nll": t7.Object("nn.ClassNLLCriterion", {})}
    assert made_of(path, "nn.CrossEntropyCriterion", **inside).sizeAverage is True
    inside = {"module": t7.Object("nn.Tanh", {}), "criterion": t7.Object("nn.MSECriterion", {})}
    made = made_of(path, "nn.StochasticGradient", **inside, learningRate="fast", maxIteration=3)
    assert (made.learningRate, made.maxIteration) == (0.01, 3)


def test_average_pooling_that_did_not_divide(path):
    windows = {"kW": 2, "kH": 3, "dW": 1, "dH": 1, "_type": "torch.FloatTensor"}
    x = np.ones((1, 3, 2), "float32")
    for divide in ({}, {"divide": False}):
        net = made_of(path, "nn.SpatialAveragePooling", **windows, **divide)
        assert net.forward(x).tolist() == [[[6]]]
        assert net.type() == np.float32
    parts = [
        t7.Object("nn.Square", {}),
        t7.Object("nn.SpatialAveragePooling", windows),
        t7.Object("nn.Sqrt", {}),
    ]
    net = made_of(path, "nn.SpatialLPPooling", modules=parts)
    assert type(net) is nn.SpatialLPPooling
    assert net.forward(3 * x).tolist() == [[[np.float32(54) ** np.float32(0.5)]]]
    for kind, divide in (("nn", {"divide": True}), ("cudnn", {})):
        net = made_of(path, f"{kind}.SpatialAveragePooling", **windows, **divide)
        assert net.forward(x).tolist() == [[[1]]]


def test_settings_of_cudnn(path):
    mode = "CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING"
    windows = {"kW": 2, "kH": 2, "dW": 1, "dH": 1, "padW": 1, "padH": 1}
    made = made_of(path, "cudnn.SpatialAveragePooling", **windows, mode=mode)
    assert made.count_include_pad is False
    made = made_of(path, "cudnn.SpatialAveragePooling", **windows, mode=mode.replace("EX", "IN"))
    assert made.count_include_pad is True


def test_connections_of_any_type(path):
    for dtype in ("int64", "float32", "float64"):
        table = np.array([[1, 2], [2, 1]], dtype)
        fields = convolution(connTable=table, weight=tensor(2, 3, 2))
        made = made_of(path, "nn.SpatialConvolutionMap", **fields)
        assert made.connTable.tolist() == [[0, 1], [1, 0]]


def test_narrow_from_the_end_is_what_torch7_makes_of_it(path):
    # Torch7: from the first entry on, and as many as there are but for length.
    net = made_of(path, "nn.Narrow", dimension=1, index=-1, length=2)
    assert net.forward(np.arange(5.0)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("package", ["nn", "cudnn"])
def test_classes_of_cudnn_are_those_of_nn(path, package):
    fields = convolution(
        _type="torch.CudaTensor", groups=1, iSize=np.zeros(4, "int64"), fmode=1, algType="x",
        weight=tensor(2, 1, 3, 2, dtype="float32"), bias=tensor(2, dtype="float32"),
    )  # fmt: skip
    made = made_of(path, f"{package}.SpatialConvolution", **fields)
    assert type(made) is nn.SpatialConvolution
    assert made.type() == np.float32
    assert not {"groups", "iSize", "fmode", "algType"} & vars(made).keys()


def test_parallel_modules_of_gpus(path):
    for version in (1, 3):
        inside = t7.Object("nn.Linear", {"weight": tensor(2, 3), "bias": tensor(2)})
        fields = {"modules": [inside], "gpuAssignments": [1, 2], "dimension": 1}
        made = there_and_back(path, t7.Object("nn.DataParallelTable", fields, version))
        assert repr(made) == "Linear(3 -> 2)"


def test_gradients_that_were_left_out(path):
    for left in ({}, {"gradWeight": np.zeros(0), "gradBias": np.zeros(0)}):
        made = made_of(path, "nn.Linear", weight=tensor(2, 3), bias=tensor(2), **left)
        assert made.gradWeight.tolist() == [[0, 0, 0], [0, 0, 0]]
        assert made.gradBias.tolist() == [0, 0]


def test_precision(path):
    half = {"weight": tensor(2, 3, dtype="float32"), "bias": tensor(2, dtype="float32")}
    made = made_of(path, "nn.Linear", _type="torch.CudaTensor", **half)
    assert made.type() == made.gradWeight.dtype == np.float32
    for kind, dtype in (("Float", "float32"), ("Double", "float64"), ("CudaHalf", "float32")):
        assert made_of(path, "nn.Tanh", _type=f"torch.{kind}Tensor").type() == dtype
    assert made_of(path, "nn.Tanh", output=np.zeros(0, "float32")).type() == np.float32
    assert made_of(path, "nn.Tanh").type() == np.float64
    assert made_of(path, "nn.MSECriterion", gradInput=np.zeros(0, "float32")).type() == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in (getattr(nn, name) for name in nn.__all__)
        if isinstance(kind, type) and issubclass(kind, nn.Criterion) and kind is not nn.Criterion
    ],
)
def test_precision_of_criterions(path, kind, dtype):
    needs = {
        "BinaryClassReward": (nn.ReinforceBernoulli(),),
        "ClassSimplexCriterion": (3,),
        "MaskZeroCriterion": (nn.MSECriterion(),),
        "ModuleCriterion": (nn.MSECriterion(),),
        "RepeaterCriterion": (nn.MSECriterion(),),
        "SequencerCriterion": (nn.MSECriterion(),),
        "VRClassReward": (nn.ReinforceBernoulli(),),
        "WeightedMSECriterion": (np.ones(2),),
    }
    made = kind(*needs.get(kind.__name__, ()))
    if hasattr(made, "criterions"):
        made.add(nn.MSECriterion())
    again = there_and_back(path, made.type(dtype))
    assert again.type() == np.dtype(dtype)
    assert all(part.type() == np.dtype(dtype) for part in parts([again]))


def test_half_precision_becomes_single_and_stays_shared():
    memory = np.arange(8, dtype="float16")
    fields = {
        "weight": memory[:6].reshape(2, 3), "bias": memory[6:], "_type": "torch.HalfTensor"
    }  # fmt: skip
    made = [t7.Object("nn.Linear", dict(fields)) for _ in range(2)]
    with pytest.warns(UserWarning, match="^modules in half precision become float32$"):
        builder = modules.Builder(made)
    one, other = (builder.build(each, "") for each in made)
    assert one.weight is other.weight
    assert one.weight.dtype == one.type() == np.float32
    assert one.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert one.bias.tolist() == [6, 7]
    assert one.bias.base is one.weight.base


def test_what_was_tied_stays_tied(path):
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.share(first, "weight", "bias", "gradWeight", "gradBias")
    transposed = nn.Linear(3, 3)
    transposed.weight, transposed.gradWeight = first.weight.T, first.gradWeight.T
    net = nn.Sequential(first, second, transposed)
    flat, _ = net.getParameters()
    again = there_and_back(path, {"net": net, "flat": flat})
    net, flat = again["net"], again["flat"]
    assert net[1].weight is net[0].weight
    flat[0] = 7
    assert net[0].weight[0, 0] == net[2].weight[0, 0] == 7
    assert np.shares_memory(net.getParameters()[0], flat)
    assert len(net.getParameters()[0]) == 15


def test_modes(path):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).evaluate()
    net[0].train = True
    again = there_and_back(path, net)
    assert (again.train, again[0].train, again[1].train) == (False, True, False)
    assert "train" not in modules.take_apart(nn.Linear(2, 2)).fields
    assert modules.take_apart(nn.Dropout()).fields["train"] is True


def test_no_gradient_of_the_input(path):
    net = nn.Sequential(nn.Linear(2, 2))
    net[0].gradInput = None
    assert "gradInput" not in modules.take_apart(net[0]).fields
    assert there_and_back(path, net)[0].gradInput is None
    assert there_and_back(path, nn.Tanh()).gradInput.shape == (0,)
    # Torch7's View has none before the first forward.
    view = made_of(path, "nn.View", size=np.array([2]), numElements=2)
    assert view.gradInput.shape == (0,)


@pytest.mark.parametrize(
    "make",
    [
        nn.Sequential,
        nn.ConcatTable,
        nn.ParallelTable,
        lambda *inside: nn.Concat(1, *inside),
        lambda *inside: nn.gModule([node := nn.Identity()()], [inside[0](node)]),
        lambda *inside: nn.Tanh(),
    ],
)
def test_no_gradient_of_a_containers_input(path, make):
    net = make(nn.Linear(2, 2))
    assert there_and_back(path, net).gradInput is not None
    assert "_none" not in modules.take_apart(net).fields
    net.gradInput = None
    assert there_and_back(path, net).gradInput is None
    # Where Torch7 has written it again since, it is there.
    fields = {**modules.take_apart(net).fields, "gradInput": np.zeros(0)}
    t7.save(path, t7.Object(modules.take_apart(net).name, fields))
    assert t7.load(path).gradInput is not None


def test_a_batch_of_one_is_taken_as_torch7_takes_it(path):
    view = made_of(path, "nn.View", size=np.array([6]), numElements=6)
    reshape = made_of(path, "nn.Reshape", size=np.array([2, 3]), nelement=6)
    one, two = np.ones((1, 6)), np.ones((2, 6))
    assert (view.forward(one).shape, view.forward(two).shape) == ((6,), (2, 6))
    assert (reshape.forward(one).shape, reshape.forward(two).shape) == ((1, 2, 3), (2, 2, 3))
    assert reshape.forward(np.ones((3, 2))).shape == (2, 3)
    assert reshape.backward(one, np.ones((1, 2, 3))).shape == (1, 6)
    for net in (view, reshape):
        assert "guesses" not in modules.take_apart(net).fields
        serial.save(path, net)
        assert serial.load(path).guesses is True
        with pytest.raises(ShapeError):
            net.forward(np.ones((2, 5)))


def test_the_same_module_twice(path):
    relu, dropout = t7.Object("nn.ReLU", {}), t7.Object("nn.Dropout", {"p": 0.5, "v2": True})
    linear = t7.Object("nn.Linear", {"weight": tensor(2, 2), "bias": tensor(2)})
    pair = t7.Object("nn.Sequential", {"modules": [linear, dropout]})
    net = made_of(path, "nn.Sequential", modules=[relu, pair, relu, pair])
    assert net[0] is net[2]
    assert net[1] is not net[3]
    assert net[1][0].weight is net[3][0].weight
    assert len(net.getParameters()[0]) == 6


def test_what_users_have_added(path):
    tags = {"name": "conv1", "index": 3, "shared": True, "mean": tensor(3), "tags": ["a", {"b": 1}]}
    made = made_of(path, "nn.Tanh", **tags, forward=2, _buffer=tensor(9), ones=tensor(9))
    assert made.name == "conv1"
    assert made.mean.tolist() == [0, 1, 2]
    assert made.tags == ["a", {"b": 1}]
    assert vars(made).keys() == tags.keys()
    again = there_and_back(path, made)
    assert vars(again).keys() == tags.keys()


def test_functions_of_lua_are_not_run(path):
    code = t7.Function(b"abc")
    with pytest.warns(UserWarning, match="^this nn.Tanh has its own updateOutput, a Lua function"):
        made_of(path, "nn.Tanh", updateOutput=code)
    made_of(path, "nn.SpatialMaxPooling", kW=2, kH=2, dW=2, dH=2, updateOutput=code)
    empty = np.zeros(0)
    made = made_of(
        path, "nn.Copy", output=empty, gradInput=empty, updateOutput=code, updateGradInput=code
    )
    assert made.forceCopy is False
    assert made_of(path, "nn.Copy", output=empty, gradInput=empty).forceCopy is True


HALF = {"weight": np.ones((1, 2), "float16"), "bias": np.ones(1, "float16")}
WARNED = {
    "half precision": (t7.load, t7.Object("nn.Linear", HALF), "in half precision"),
    "a function": (t7.load, t7.Object("nn.Tanh", {"forward": t7.Function(b"")}), "its own forward"),
    "a setting": (t7.save, nn.SoftMax(0), "torchlite's own"),
    "a position": (t7.save, nn.Sequential(nn.Sequential(nn.Concat(-1))), "from the end"),
}


@pytest.mark.parametrize("what", WARNED)
def test_a_warning_names_the_line_that_loads_or_saves(path, what):
    call, value, said = WARNED[what]
    arguments = [path] if call is t7.load else [path, value]
    if call is t7.load:
        t7.save(path, {"a": [value]})
    with pytest.warns(UserWarning, match=said) as caught:
        call(*arguments)
    assert [warning.filename for warning in caught] == [__file__]


def test_weight_norm_as_torch7_writes_it(path):
    net = nn.WeightNorm(nn.SpatialFullConvolution(2, 3, 2, 1), 1)
    x = np.ones((1, 2, 3, 3))
    expected = net.forward(x)
    written = modules.take_apart(net)
    inside = modules.take_apart(net.modules[0])
    for one in (written, inside):
        del one.fields["weight"], one.fields["gradWeight"]
    written.fields["modules"] = [inside]
    written.fields["g"] = written.fields["g"][:, 0]
    # After a forward it is a view in the shape of the weight.
    written.fields["gradV"] = written.fields["gradV"].reshape(3, 2, 1, 2)
    again = there_and_back(path, written)
    assert again.g.shape == (3, 1)
    np.testing.assert_array_equal(again.forward(x), expected)


def test_settings_that_torch7_does_not_have(path):
    said = r"^SoftMax.dim is torchlite's own: Torch7 does without$"
    with pytest.warns(UserWarning, match=said):
        t7.save(path, nn.SoftMax(0))
    assert t7.load(path).dim == 0
    with pytest.warns(UserWarning, match="^L1Cost.sizeAverage is"):
        t7.save(path, nn.L1Cost(sizeAverage=True))
    assert t7.load(path).sizeAverage is True


@pytest.mark.parametrize(
    ("made", "attributes"),
    [
        (nn.Concat(-1), ["dimension"]),
        (nn.DepthConcat(-1), ["dimension"]),
        (nn.GatedLinearUnit(-2), ["dim"]),
        (nn.Index(-1), ["dimension"]),
        (nn.MixtureTable(-1), ["dim"]),
        (nn.Narrow(0, -2, 1), ["index"]),
        (nn.NarrowTable(-1), ["offset"]),
        (nn.Padding(-1, 2), ["dim"]),
        (nn.Parallel(-1, -2), ["inputDimension", "outputDimension"]),
        (nn.Replicate(3, -1), ["dim"]),
        (nn.Squeeze(-1), ["dim"]),
        (nn.Transpose([0, 1], [0, -1]), ["permutations"]),
        (nn.Unsqueeze(-1), ["pos"]),
        (nn.WeightNorm(nn.Linear(2, 3), -1), ["outputDim"]),
        # Torch7, too, counts these from the end.
        (nn.GatedLinearUnit(), []),
        (nn.JoinTable(-1), []),
        (nn.Max(-1), []),
        (nn.Mean(-1), []),
        (nn.Min(-1), []),
        (nn.Narrow(-1, 0, -1), []),
        (nn.Select(-1, -1), []),
        (nn.SelectTable(-1), []),
        (nn.SplitTable(-1), []),
        (nn.Sum(-1), []),
    ],
)
def test_what_torch7_does_not_count_from_the_end_is_said(made, attributes, path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        t7.save(path, made)
    name = type(made).__name__
    assert [str(warning.message) for warning in caught] == [
        f"{name}.{attribute} counts from the end, which it does not in Torch7"
        for attribute in attributes
    ]
    assert equal(t7.load(path), made)


# ---------------------------------------------------------------- what is wrong


LINEAR = {"weight": tensor(2, 3), "bias": tensor(2)}


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("nn.Linear", {"bias": tensor(2)}, ".weight*: is missing"),
        ("nn.Linear", {**LINEAR, "weight": 3}, ".weight*: must be a tensor, got 3"),
        (
            "nn.Linear",
            {**LINEAR, "weight": tensor(2)},
            ".weight*: must have 2 dimensions, got (2,)",
        ),
        ("nn.Linear", {**LINEAR, "bias": tensor(3)}, ".bias*: must be (2,), got (3,)"),
        (
            "nn.Linear",
            {**LINEAR, "bias": tensor(2, dtype="float32")},
            "*: its tensors are float32 and float64, all must be of one type",
        ),
        (
            "nn.Linear",
            {"weight": tensor(2, 3, dtype="int64")},
            ".weight*: must be a float or double tensor, got int64",
        ),
        (
            "nn.Tanh",
            {"_type": "torch.ByteTensor"},
            "._type*: must be a type of float or double tensors, got 'torch.ByteTensor'",
        ),
        ("nn.Linear", {**LINEAR, "bias": 3}, ".bias*: must be a tensor, got 3"),
        ("nn.SpatialMaxPooling", {"kW": 2}, ".kH*: is missing"),
        (
            "nn.SpatialMaxPooling",
            {"kW": 2, "kH": 2, "dW": 2, "dH": 2, "ceil_mode": 1},
            ".ceil_mode*: must be true or false, got 1",
        ),
        ("nn.BatchNormalization", {"running_mean": tensor(2)}, ".running_var*: is missing"),
        (
            "nn.BatchNormalization",
            {"running_mean": tensor(2), "running_std": 3},
            ".running_std*: must be a tensor, and eps a number",
        ),
        ("nn.SpatialConvolution", convolution(weight=None), ".weight*: is missing"),
        ("nn.SpatialConvolution", convolution(kW=None), ".kW*: is missing"),
        ("nn.SpatialConvolution", convolution(kW="2"), ".kW*: must be a whole number, got '2'"),
        (
            "nn.SpatialConvolution",
            convolution(kW=10**9),
            ".weight*: has 12 numbers, and nOutputPlane * nInputPlane * kH * kW is 6000000000",
        ),
        (
            "nn.SpatialConvolution",
            convolution(dW=0),
            "*: this cannot be a nn.SpatialConvolution: SpatialConvolution: dW must be at least 1, "
            "got 0",
        ),
        (
            "nn.SpatialConvolution",
            convolution(groups=2),
            ".groups*: torchlite has no convolution in groups",
        ),
        ("nn.Max", {"dimension": 0}, ".dimension*: must count from one, got 0"),
        ("nn.Dropout", {"p": 2, "v2": True}, "*: this cannot be a nn.Dropout: Dropout: p must be*"),
        ("nn.ReLU", {"inplace": "yes"}, ".inplace*: must be true or false, got 'yes'"),
        ("nn.Sequential", {"modules": 3}, ".modules*: must be a list, got 3"),
        (
            "nn.Sequential",
            {"modules": ["a"]},
            "*: this cannot be a nn.Sequential: Sequential.add: module must be a Module, got str",
        ),
        ("nn.Bottle", {"modules": []}, ".modules*: must be Module"),
        ("nn.DataParallelTable", {}, ".modules*: must hold a module"),
        ("nn.gModule", {}, ".forwardnodes*: must be a list of nodes"),
        ("nn.gModule", {"forwardnodes": [1]}, ".forwardnodes[[]0]*: must be a node with data"),
        (
            "nn.ClassSimplexCriterion",
            {"nClasses": 10**6, "simplex": tensor(2, 2)},
            ".simplex*: must be (1000000, 1000000), got (2, 2)",
        ),
        (
            "nn.SpatialConvolutionMap",
            {**convolution(), "connTable": np.array([[1.0, 1e15]]), "weight": tensor(1, 3, 2)},
            ".connTable*: names 1000000000000000 planes, and there are others in bias",
        ),
        (
            "nn.SpatialConvolutionMap",
            {
                **convolution(),
                "connTable": np.array([[0, 1], [2, 2]], "uint8"),
                "weight": tensor(2, 3, 2),
            },
            "*: this cannot be a nn.SpatialConvolutionMap: SpatialConvolutionMap: conMatrix must "
            "be of planes, counted from 0, got -1",
        ),
        (
            "nn.SpatialConvolutionMap",
            {**convolution(), "connTable": np.array([[1.0, 1.5]])},
            ".connTable*: must hold whole numbers",
        ),
        ("nn.Narrow", {"dimension": 1, "index": -1, "length": -1}, ".length*: must be positive *"),
        (
            "nn.Maxout",
            {"modules": [t7.Object("nn.Tanh", {})]},
            ".modules*: must be Linear, *",
        ),
        ("nn.LayerNormalization", {}, ".modules*: must be ConcatTable, CSubTable, Normalize, *"),
        (
            "nn.LayerNormalization",
            {
                "modules": [
                    t7.Object("nn.ConcatTable", {}),
                    t7.Object("nn.CSubTable", {}),
                    t7.Object("nn.Normalize", {"p": 2}),
                    t7.Object("nn.MulConstant", {"constant_scalar": 2}),
                ]
            },
            ".modules*: must begin with a ConcatTable of Identity and the means",
        ),
        (
            "nn.WeightNorm",
            {"modules": [t7.Object("nn.Linear", {"bias": tensor(2)})], "v": tensor(2, 3)},
            ".modules[[]0].weight*: is missing",
        ),
        (
            "nn.WeightNorm",
            {
                "modules": [t7.Object("nn.Linear", {"bias": tensor(2)})],
                "v": tensor(2, 3),
                "weightSize": np.array([9, 9]),
            },
            ".modules[[]0].weight*: is missing",
        ),
        ("nn.MultiCriterion", {"criterions": []}, None),
        (
            "nn.MultiCriterion",
            {"criterions": [], "weights": np.ones(1)},
            ".weights*: must be a number for each criterion",
        ),
        ("nn.CrossEntropyCriterion", {}, ".lsm*: must be a LogSoftMax"),
        (
            "nn.IndexLinear",
            {**LINEAR, "normalize": 4},
            ".normalize*: torchlite has no IndexLinear*",
        ),
        (
            "nn.View",
            {"size": np.array([2]), "numInputDims": "x"},
            ".numInputDims*: must be a whole*",
        ),
        ("nn.SpatialMaxUnpooling", {"pooling": 3}, "*: this cannot be a nn.SpatialMaxUnpooling: *"),
    ],
)
def test_fields_that_are_wrong(name, fields, said, path):
    fields = {key: value for key, value in fields.items() if value is not None}
    t7.save(path, {"net": [t7.Object(name, fields)]})
    if said is None:
        assert t7.load(path)["net"][0].criterions == []
        return
    with pytest.raises(FormatError) as error:
        t7.load(path)
    assert fits(str(error.value), f"{path}: ['net'][0]", said)


def doubled(value, times, around):
    for _ in range(times):
        value = around([value, value])
    return value


LISTS = doubled([1], 60, list)


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("nn.Max", {"dimension": LISTS}, "dimension*: must be pairs of dimensions"),
        ("nn.View", {"size": LISTS}, "size*: must be of whole numbers"),
        ("nn.View", {"size": np.full(65, 2)}, "size*: must be at most 64 long, got 65"),
        ("nn.SpatialConvolution", convolution(kW=LISTS), "kW*: must be a whole number, got a list"),
        ("nn.HardTanh", {"min_val": LISTS}, "min_val*: must be no table or function, got a list"),
        ("nn.UpSampling", {"oheight": LISTS}, "params*: must be no table or function, got a dict"),
        ("nn.StochasticGradient", {"module": LISTS}, "module*: must be no table or function, *"),
        ("nn.PartialLinear", {"network": LISTS}, "network*: must be a Sequential of a ParallelT*"),
        (
            "nn.ClassSimplexCriterion",
            {"nClasses": LISTS, "simplex": tensor(2, 2)},
            "simplex*: must be (a list, a list), got (2, 2)",
        ),
        ("nn.gModule", {"forwardnodes": LISTS}, "forwardnodes[[]0]*: must be a node with data"),
        ("mine.Scaled", {"factor": LISTS}, "factor*: is in itself, or too much"),
        ("nn.Convert", {"inputShape": 1001 * "b"}, "inputShape*: must be at most 1000 long, *"),
        (
            "nn.SpatialSubtractiveNormalization",
            {"kernel": np.ones(1001)},
            "kernel*: must be at most 1000 long, got 1001",
        ),
        ("nn.SelectTable", {"index": "\x1b[2J"}, None),
        ("nn.Tanh", {"tag": LISTS}, None),
    ],
)
def test_a_few_bytes_do_not_ask_for_much(name, fields, said, path):
    t7.register("mine.Scaled", Scaled)
    t7.save(path, t7.Object(name, fields))
    if said is None:
        made = t7.load(path)
        assert not hasattr(made, "tag")
        assert repr(made).isprintable()
        return
    with pytest.raises(FormatError) as error:
        t7.load(path)
    assert fits(str(error.value), f"{path}: ", said)


def fits(message, before, said):
    """Tell whether the first line says this, in which * stands for anything."""
    pattern = re.escape(said).replace(r"\*", ".*").replace(re.escape("[[]"), r"\[")
    return re.match(re.escape(before) + pattern + "$", message.splitlines()[0])


def test_networks_that_grow_when_they_are_read(path):
    dropout = t7.Object("nn.Dropout", {"p": 0.5})
    around = lambda modules: t7.Object("nn.Sequential", {"modules": modules})  # noqa: E731
    t7.save(path, doubled(around([dropout]), 5, around))
    assert len(t7.load(path).listModules()) == 3 * 2**5 - 1
    t7.save(path, doubled(around([dropout]), 60, around))
    with pytest.raises(FormatError, match="more than 1000 modules stand in several places"):
        t7.load(path)
    around = lambda inside: t7.Object(  # noqa: E731
        "nn.MultiCriterion", {"criterions": inside, "weights": [1, 1]}
    )
    t7.save(path, doubled(t7.Object("nn.MSECriterion", {}), 60, around))
    with pytest.raises(FormatError, match="there are more than 65536 criterions in it"):
        t7.load(path)


def test_networks_that_are_too_deep(path):
    net = t7.Object("nn.Identity", {})
    for _ in range(200):
        net = t7.Object("nn.Sequential", {"modules": [net]})
    t7.save(path, net)
    with pytest.raises(FormatError, match="at most 100 deep inside one another"):
        t7.load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda nodes: nodes.pop(), "gModule"),
        (lambda nodes: nodes.reverse(), "gModule"),
        (lambda nodes: nodes[0].fields.pop("data"), "must be a node with data"),
        (lambda nodes: nodes[1].fields["data"].update(module=3), "must be a module, got 3"),
        (lambda nodes: nodes[1].fields["data"].update(criterion=3), "no nodes of criterions"),
        (lambda nodes: nodes[1].fields["data"].update(mapindex=[{}]), "names a node that is not"),
        (lambda nodes: nodes.append(nodes[1]), "two nodes must have data of their own"),
        (lambda nodes: nodes[1].fields["data"].update(selectindex="a"), "must count from one"),
    ],
)
def test_graphs_that_are_wrong(change, said, path):
    x = nn.Identity()()
    nodes = modules.take_apart(nn.gModule([x], [nn.Tanh()(nn.Linear(2, 2)(x))]))
    nodes = nodes.fields["forwardnodes"]
    change(nodes)
    t7.save(path, t7.Object("nn.gModule", {"forwardnodes": nodes}))
    with pytest.raises(FormatError, match=said):
        t7.load(path)


def test_complex_modules_have_no_place_in_torch7(path):
    with pytest.raises(DTypeError, match="Torch7 has no modules of complex128"):
        t7.save(path, nn.Linear(2, 3).type("complex128"))


# ---------------------------------------------------------------- classes of one's own


def test_unknown_classes_are_kept(path):
    mine = t7.Object("nn.Mine", {"size": 3, "inside": t7.Object("nn.Tanh", {})})
    t7.save(path, t7.Object("nn.Sequential", {"modules": [t7.Object("nn.ReLU", {}), mine]}))
    with pytest.raises(FormatError, match=r"torchlite does not know the class nn\.Mine"):
        t7.load(path)
    net = t7.load(path, unknown="keep")
    assert repr(net[1]) == "nn.Mine"
    assert net[1].object.fields["size"] == 3
    assert type(net[1].object.fields["inside"]) is nn.Tanh
    with pytest.raises(StateError) as error:
        net.forward(np.ones(3))
    assert str(error.value).splitlines()[:2] == [
        "nn.Mine.updateOutput: torchlite does not know this class",
        "  hint: t7.register('nn.Mine', ...) before t7.load",
    ]
    with pytest.raises(StateError, match=r"^nn\.Mine\.updateGradInput: "):
        net[1].updateGradInput(np.ones(3), np.ones(3))
    t7.save(path, net)
    again = t7.load(path, unknown="keep")
    assert again[1].object.name == "nn.Mine"
    with pytest.raises(DTypeError) as refused:
        serial.save(path, again)
    assert str(refused.value) == (
        "save: [1]: nn.Mine is not a class that files know\n"
        "  hint: t7.register('nn.Mine', ...) before t7.load, and serial.register, make it known"
    )
    assert again[1].object.fields.keys() == {"size", "inside"}


class Scaled(nn.Module):
    def __init__(self, factor):
        self.factor = factor

    def updateOutput(self, input):
        self.output = self.factor * input
        return self.output


def test_a_class_of_ones_own(path):
    with pytest.raises(DTypeError, match="Scaled is not a class that files know"):
        t7.save(path, Scaled(2))
    t7.register("mine.Scaled", Scaled)
    net = there_and_back(path, nn.Sequential(Scaled(2).float()).evaluate())
    assert net[0].factor == 2
    assert net[0].type() == np.float32
    assert net[0].train is False
    net = made_of(path, "mine.Scaled", factor=3, updateOutput=t7.Function(b""), __version=2)
    assert vars(net) == {"factor": 3}


def test_a_class_of_ones_own_with_functions(path):
    t7.register(
        "mine.Scaled",
        Scaled,
        build=lambda fields: Scaled(fields["percent"] / 100),
        take_apart=lambda module: {"percent": 100 * module.factor},
    )
    assert there_and_back(path, Scaled(0.5)).factor == 0.5
    t7.save(path, [t7.Object("mine.Scaled", {})])
    with pytest.raises(FormatError, match=r"\[0\].*: this cannot be a mine.Scaled: KeyError"):
        t7.load(path)


SUBCLASSED = [
    (lambda kind: kind(), nn.ClassNLLCriterion, (np.zeros((2, 3)), np.array([0, 2]))),
    (lambda kind: kind(), nn.BCECriterion, (np.full(2, 0.5), np.ones(2))),
    (lambda kind: kind(), nn.SoftMax, (np.ones(3),)),
    (lambda kind: kind(), nn.Squeeze, (np.ones((1, 3)),)),
    (lambda kind: kind(3), nn.Reshape, (np.ones((3, 1)),)),
    (lambda kind: kind(0), nn.JoinTable, ([np.ones(3), np.ones(2)],)),
    (lambda kind: kind(0), nn.Max, (np.ones(3),)),
    (lambda kind: kind(0), nn.Sum, (np.ones(3),)),
    (lambda kind: kind(0), nn.Mean, (np.ones(3),)),
    (lambda kind: kind(0, 1), nn.Padding, (np.ones(3),)),
    (lambda kind: kind(4, 2), nn.LookupTable, (np.array([0, 3]),)),
    (
        lambda kind: kind([node := nn.Identity()()], [nn.Linear(3, 2)(node), node]),
        nn.gModule,
        (np.ones(3),),
    ),
]


@pytest.mark.parametrize(
    ("make", "parent", "arguments"), SUBCLASSED, ids=[kind.__name__ for _, kind, _ in SUBCLASSED]
)
def test_subclasses_of_torchlites_own_keep_what_is_none(path, make, parent, arguments):
    class Mine(parent):
        pass

    t7.register("Mine", Mine)
    made = make(Mine)
    made.opt = None
    again = there_and_back(path, made)
    assert type(again) is Mine
    assert again.opt is None
    assert vars(again).keys() == made.__getstate__().keys()
    assert without_parts(again) == without_parts(made)
    tuples, again_tuples = (
        {name for name, value in one.__getstate__().items() if isinstance(value, tuple)}
        for one in (made, again)
    )
    assert again_tuples == tuples
    for one, other in zip(
        *(x if isinstance(x, list) else [x] for x in map(run_with(arguments), (made, again))),
        strict=True,
    ):
        assert np.array_equal(one, other)


def run_with(arguments):
    return lambda made: made.forward(*arguments)


def test_a_registered_class_keeps_that_nobody_needs_its_gradient(path):
    t7.register("mine.Scaled", Scaled)
    made = Scaled(2)
    made.gradInput = None
    assert there_and_back(path, made).gradInput is None
    for listed in ("_none", "_tuples"):
        with pytest.raises(FormatError, match=rf"{listed}.*: must be at most 1000 long, got 1001"):
            made_of(path, "mine.Scaled", **{listed: [f"a{i}" for i in range(1001)]})
    fields = {"factor": 3, "_none": ["factor", "forward", "not a name", "_dtype", "missing", 1]}
    assert vars(made_of(path, "mine.Scaled", **fields)) == {"factor": 3, "missing": None}
    assert vars(made_of(path, "mine.Scaled", factor=3, _none=2, _tuples=["factor", "no"])) == {
        "factor": 3
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array([True]), "an array of bools, and comes back as one of uint8"),
        ({1: "a", 2: "b"}, "a dict with the keys 1..n, and comes back as a list"),
        ({}, "a dict that is empty, and comes back as a list"),
    ],
)
def test_what_a_class_of_ones_own_loses_is_said(path, value, said):
    t7.register("mine.Scaled", Scaled)
    with pytest.warns(UserWarning, match=r"^Scaled\.factor") as warned:
        t7.save(path, nn.Sequential(Scaled(value), Scaled(2)))
    assert [(str(one.message), one.filename) for one in warned] == [
        (
            f"Scaled.factor is {said}: build= and take_apart= of t7.register say otherwise",
            __file__,
        )
    ]
    lost = t7.load(path)[0].factor
    assert getattr(lost, "dtype", type(lost)) == (np.uint8 if "uint8" in said else list)
    t7.register("mine.Scaled", Scaled, take_apart=lambda module: {"factor": module.factor})
    t7.save(path, Scaled(value))


@pytest.mark.parametrize(
    "value", [[], [1], (), (1, "a"), {"a": 1}, {2: "b"}, 2, "two", np.ones(2), None]
)
def test_what_a_class_of_ones_own_keeps_is_not_warned_of(path, value):
    t7.register("mine.Scaled", Scaled)
    again = there_and_back(path, Scaled(value)).factor
    assert type(again) is type(value)
    assert np.array_equal(again, value)


def test_what_is_no_module_is_not_to_be_registered(path):
    with pytest.raises(DTypeError) as error:
        t7.save(path, {1, 2})
    assert "set is not a class that files know" in str(error.value)
    assert error.value.hint is None
    with pytest.raises(DTypeError) as error:
        t7.save(path, Scaled(2))
    assert error.value.hint == "t7.register(name, Scaled) makes it known"


def test_a_class_of_ones_own_that_has_no_fields(path):
    t7.register("mine.Scaled", Scaled, take_apart=lambda module: None)
    said = r"^save: \[0\]: the fields of a mine\.Scaled must be a dict or a Table, got nothing$"
    with pytest.raises(DTypeError, match=said):
        t7.save(path, [Scaled(2)])
    assert not path.exists()


def test_a_criterion_of_ones_own(path):
    class Loss(nn.Criterion):
        def updateOutput(self, input, target):
            return self.factor

    t7.register("mine.Loss", Loss)
    made = Loss()
    made.factor = 2
    again = there_and_back(path, made)
    assert again.forward(1, 1) == 2
    assert "_type" not in modules.take_apart(again).fields


def test_what_can_be_registered():
    with pytest.raises(DTypeError) as error:
        t7.register(3, Scaled)
    assert str(error.value) == "register: name must be text, got 3"
    for argument, thing in [("build", {"weight": 1}), ("build", 0), ("take_apart", "fields")]:
        with pytest.raises(DTypeError) as error:
            t7.register("mine.Other", nn.Identity, **{argument: thing})
        assert str(error.value) == (
            f"register: {argument} must be a function or None, got {thing!r}"
        )
        assert not modules.known("mine.Other")
    with pytest.raises(DTypeError, match=r"^register: cls must be a subclass of"):
        t7.register("mine.Scaled", int)
    for name in ("nn.Linear", "cudnn.ReLU", "nn.DataParallelTable", *PARTS):
        with pytest.raises(SettingError, match=r"^register: name must be no name of a"):
            t7.register(name, Scaled)
    t7.register("mine.Scaled", Scaled)
    t7.register("mine.Scaled", Scaled)


# ---------------------------------------------------------------- sequences


@pytest.mark.parametrize("name", sorted(OTHERWISE))
def test_what_torch7_makes_otherwise_is_not_read(path, name):
    with pytest.raises(FormatError, match=rf"nn\.{name}"):
        made_of(path, f"nn.{name}", inputSize=3, outputSize=2, modules=[nn.Identity()])


def test_what_is_made_of_modules_is_said_in_full():
    """A module that is made of others is read as these, not made anew of sizes."""
    kinds = (getattr(nn, name) for name in nn.__all__)
    recurrent = {
        kind.__name__
        for kind in kinds
        if isinstance(kind, type)
        and issubclass(kind, nn.Container)
        and "recurrent" in kind.__module__
    }
    assert recurrent <= CLASSES.keys() | OTHERWISE


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("RecLSTM", {}, "modules, byte 0: must be StepLSTM$"),
        ("RecLSTM", {"modules": [nn.StepGRU(3, 2)]}, "modules, byte .*: must be StepLSTM$"),
        ("Repeater", {"modules": [nn.ReLU()]}, "seqlen, byte 0: is missing$"),
        ("Repeater", {"modules": [nn.ReLU()], "seqlen": "3"}, "seqlen, byte 0: cannot be '3'$"),
        (
            "Recurrence",
            {"modules": [nn.ReLU()], "outputSize": [-1], "nInputDim": 1},
            "outputSize, byte 0: cannot be a list$",
        ),
        ("SeqLSTM", {"weight": tensor(5, 8), "bias": tensor(8), "zeroMask": 3}, "zeroMask"),
        ("SeqLSTM", {"weight": tensor(5, 8), "bias": tensor(8), "_remember": "x"}, "remember"),
    ],
)
def test_what_sequences_are_made_of(path, name, fields, problem):
    with pytest.raises(FormatError) as caught:
        made_of(path, f"nn.{name}", **fields)
    assert re.search(problem, str(caught.value))


def test_sequences_keep_their_memory_and_their_sizes(path):
    net = nn.Sequential(nn.SeqGRU(3, 2).remember("eval"), nn.Sequencer(nn.Identity()).remember())
    again = there_and_back(path, net)
    assert [module._remember for module in again] == ["eval", "both"]
    made = nn.Recurrence(nn.Identity(), [2, [3, [4, 5]]], 1)
    assert there_and_back(path, made).outputSize == made.outputSize
