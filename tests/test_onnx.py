"""Networks as ONNX files: run by onnxruntime and by ONNX's own reference, with the same numbers."""

import os
import runpy
import sys
from contextlib import suppress
from pathlib import Path

import cases
import golden
import numpy as np
import pytest
from test_t7_modules import MODELS, case_of

import torchlite
from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.interop.onnx import export, exporting
from torchlite.interop.onnx.rules import entry_of
from torchlite.nn.nested import leaves, map_arrays
from torchlite.serial import t7
from torchlite.serial.describe import Description

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
onnxruntime = pytest.importorskip("onnxruntime")

ROWS = [
    pytest.param(case, id=f"{chapter}-{case.id}")
    for chapter, case in cases.rows()
    if isinstance(case.make(), nn.Module)
]
# ONNX's reference takes the samples for the planes.
WRONG_REFERENCE = {nn.SpatialCrossMapLRN}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return where an ONNX file is to be, which is not waited for to reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return str(tmp_path / "net.onnx")


def run(file, input):
    """Return what onnxruntime computes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(names, leaves(input), strict=True)))


def run_reference(file, input):
    """Return what ONNX's reference computes, which has float64 of every operator."""
    session = reference.ReferenceEvaluator(file)
    with np.errstate(all="ignore"):
        return session.run(None, dict(zip(session.input_names, leaves(input), strict=True)))


def compare(got, wanted, tolerance):
    for ours, theirs in zip(leaves(wanted), got, strict=True):
        assert (theirs.shape, theirs.dtype) == (ours.shape, ours.dtype)
        if ours.dtype.kind == "f":
            assert np.abs(theirs - ours).max(initial=0) <= tolerance * np.abs(ours).max(initial=0)
        else:
            assert np.array_equal(theirs, ours)


def cast(table, dtype):
    return map_arrays(lambda a: a.astype(dtype) if a.dtype.kind == "f" else a, table)


def batches(input):
    """Yield the dimension that may be the batch's, and None."""
    if len({a.shape[:1] for a in leaves(input)}) == 1 and leaves(input)[0].ndim:
        yield 0
    yield None


def exported(case, file, dtype="float32", **options):
    """Export a row, with a free batch if it has one; return the network, its input, the batch."""
    net, input = case.make(), case.draw(np.random.default_rng(0))
    for batch in batches(input):
        try:
            export(net, file, input, dtype=dtype, batch=batch, **options)
        except (ShapeError, StateError):
            if batch is None:
                raise
        else:
            return net.evaluate().type(dtype), cast(input, dtype), batch
    return None


def kinds_in(net):
    return {type(module) for module in net.listModules()}


@pytest.mark.parametrize("case", ROWS)
def test_every_row_has_the_same_numbers_or_is_refused(case, file):
    """Rows have batches of other sizes than those that the export tries."""
    unknown = {kind: entry_of(kind) for kind in kinds_in(case.make()) if entry_of(kind).but}
    try:
        net, input, _ = exported(case, file)
    except StateError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert unknown
        # What is inside of one that is refused is not asked.
        assert any(
            f"{kind.__name__}: {entry.but if entry.refused else ''}" in said
            for kind, entry in unknown.items()
        )
        assert not os.path.exists(file)
        return
    assert not any(entry.refused for entry in unknown.values())
    onnx.checker.check_model(file, full_check=True)
    compare(run(file, input), net.forward(input), 1e-5)
    if not kinds_in(net) & WRONG_REFERENCE:
        net, input, _ = exported(case, file, "float64")
        compare(run_reference(file, input), net.forward(input), 1e-6)


def test_every_class_that_can_be_said_is_said_with_a_free_batch(file):
    """But for Index, whose indices are not by sample. Of sequences the batch is not the first."""
    wanted, said = set(), set()
    for row in ROWS:
        if row.id.startswith("recurrent-"):
            continue
        net = row.values[0].make()
        wanted |= {kind for kind in kinds_in(net) if not entry_of(kind).refused}
        if not wanted <= said:
            with suppress(StateError):
                said |= kinds_in(net) if exported(row.values[0], file)[2] == 0 else set()
    assert wanted - said == {nn.Index}


@pytest.mark.parametrize("name", [name for name in MODELS if "custom_classes" not in case_of(name)])
def test_torch7s_models_give_torch7s_numbers(name, file):
    """A residual network, LeNet, texts, twins, a step of a recurrent network ..."""
    case = case_of(name)
    net = t7.load(golden.DATA / case["files"]["bin"])
    for key in case.get("model_at", ["model"] if name == "checkpoint" else []):
        net = net[key]
    input = golden._fed(case, "input")
    export(net, file, input)
    wanted = cast(case["output_evaluate"], "float32")
    compare(run(file, cast(input, "float32")), wanted, 1e-5)
    export(net, file, input, dtype="float64")
    input = cast(input, "float64")
    compare(run_reference(file, input), net.double().evaluate().forward(input), 1e-6)


def sequences():
    """Return networks of whole sequences, by name."""
    return {
        "step by step": nn.Sequencer(
            nn.Sequential(nn.Linear(3, 4), nn.RecLSTM(4, 5), nn.RecGRU(5, 2))
        ),
        "projections": nn.Sequencer(nn.RecLSTM(3, 4, 2)),
        "recurrence": nn.Sequencer(
            nn.Recurrence(
                nn.Sequential(nn.ParallelTable(nn.Linear(3, 2), nn.Tanh()), nn.CAddTable()), 2, 1
            )
        ),
        "of long memory": nn.Sequencer(nn.Sequential(nn.FastLSTM(3, 4), nn.LSTM(4, 2))),
        "without peepholes": nn.Sequencer(nn.LSTM(3, 4, None, False)),
        "with dropout": nn.Sequencer(
            nn.Sequential(nn.FastLSTM(3, 4, p=0.5), nn.GRU(4, 2, None, 0.5), nn.GRU(2, 3))
        ),
        "of functions": nn.Sequencer(nn.MuFuRu(3, 2)),
        "of one's own": nn.Sequencer(nn.Recurrent(2, nn.Linear(3, 2), nn.Linear(2, 2), nn.Tanh())),
        "both ways": nn.BiSequencer(nn.RecGRU(3, 2), nn.LinearRNN(3, 2)),
        "at once": nn.Sequential(nn.SeqLSTM(3, 4), nn.ReverseUnreverse(nn.SeqGRU(4, 2))),
        "one after the other": nn.Sequential(
            nn.Sequencer(nn.RecGRU(3, 2)), nn.Sequencer(nn.RecGRU(2, 2))
        ),
    }


@pytest.mark.parametrize("name", sequences())
@pytest.mark.parametrize("samples", [1, 6])
def test_sequences_of_any_batch(name, samples, file):
    """Time first, the batch behind it."""
    net = sequences()[name]
    export(net, file, (5, 1, 3), batch=1)
    input = np.random.default_rng(0).normal(size=(5, samples, 3)).astype("float32")
    compare(run(file, input), net.float().evaluate().forward(input), 1e-5)
    again = nn.Sequential(net, nn.Identity())
    export(again, file, (5, 1, 3), batch=1)
    compare(run(file, input), net.forget().forward(input), 1e-5)


def ids(*shape):
    return np.random.default_rng(0).integers(0, 9, shape)


def drawn(rng, shape):
    """Return an input of a shape; an array is one."""
    return rng.normal(size=shape).astype("float32") if isinstance(shape, tuple) else shape


def unlike():
    """Return a MapTable of two modules, which another entry has no module for yet."""
    net = nn.MapTable(nn.Linear(3, 2), False).resize(2)
    net.modules[1].reset()
    return net


# What no row has: how to make it, its input, and the operators that it becomes.
MORE = {
    "a last window behind the padding": (
        lambda: nn.SpatialAveragePooling(3, 3, 2, 2, 1, 1).ceil(),
        (3, 2, 4, 6),
        ["Pad", "AveragePool"],
    ),
    "a last window inside of it": (
        lambda: nn.SpatialAveragePooling(2, 3, 2, 2, 1, 1).ceil(),
        (3, 2, 5, 5),
        ["AveragePool"],
    ),
    "padding that does not count": (
        lambda: nn.SpatialAveragePooling(3, 3, 2, 2, 1, 1).ceil().setCountExcludePad(),
        (3, 2, 4, 6),
        ["AveragePool"],
    ),
    "even means": (lambda: nn.SpatialAdaptiveAveragePooling(2, 3), (3, 2, 6, 4), ["AveragePool"]),
    "means of all": (lambda: nn.SpatialAdaptiveAveragePooling(1, 1), (3, 2, 6, 5), ["AveragePool"]),
    "even maxima": (lambda: nn.SpatialAdaptiveMaxPooling(2, 3), (3, 2, 6, 4), ["MaxPool"]),
    "nearest": (lambda: nn.SpatialUpSamplingNearest(2), (3, 2, 3, 4), ["Resize"]),
    "modules of their own": (unlike, [(4, 3)] * 3, ["Gemm"] * 3),
    "steps around each, of ids": (
        lambda: nn.BiSequencerLM(nn.Sequential(nn.LookupTable(9, 3), nn.RecGRU(3, 2))),
        [ids(4)] * 3,
        None,
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_what_no_row_has(name, file):
    make, shape, operators = MORE[name]
    net = make()
    export(net, file, shape)
    if operators:
        assert [op for op in operators_of(file) if op != "Identity"] == operators
    rng = np.random.default_rng(0)
    input = [drawn(rng, entry) for entry in shape] if isinstance(shape, list) else drawn(rng, shape)
    compare(run(file, input), net.float().evaluate().forward(input), 1e-5)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.Maxout(3, 2, 4), (3,)),
        (lambda: nn.LayerNormalization(3), (3,)),
        (lambda: nn.SpatialGlimpse(2, 2), [(2, 5, 4), (2,)]),
    ],
)
def test_one_sample(make, shape, file):
    net, rng = make(), np.random.default_rng(0)
    export(net, file, shape, batch=None)
    input = [drawn(rng, entry) for entry in shape] if isinstance(shape, list) else drawn(rng, shape)
    compare(run(file, input), net.float().evaluate().forward(input), 1e-5)


EXAMPLES = {
    "lenet_digits": (lambda made: made["network"](), (3, 1, 8, 8)),
    "lstm_of_nodes": (lambda made: made["lstm_step"](6), [ids(3), (3, 6), (3, 6)]),
    "resnet_digits": (lambda made: made["network"](2, True), (3, 1, 8, 8)),
    "segment": (lambda made: made["network"](), (3, 1, 16, 16)),
    "text_cnn": (lambda made: made["convolutional"](), ids(3, 20)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_networks_of_the_examples(name, file):
    """A step of a recurrent network, residual networks, an encoder and decoder, texts."""
    make, shape = EXAMPLES[name]
    net = make(runpy.run_path(str(Path(__file__).parents[1] / "examples" / f"{name}.py")))
    export(net, file, shape)
    rng = np.random.default_rng(0)
    input = [drawn(rng, entry) for entry in shape] if isinstance(shape, list) else drawn(rng, shape)
    compare(run(file, input), net.float().evaluate().forward(input), 1e-5)


@pytest.mark.parametrize("opset", [13, 18, 23])
def test_every_opset_has_the_same_numbers(opset, file):
    """Rows of the layers whose operators have changed since 13."""
    changed = {
        nn.BatchNormalization, nn.CAddTable, nn.GatedLinearUnit, nn.LayerNormalization,
        nn.LinearWeightNorm, nn.Max, nn.Maxout, nn.Mean, nn.Min, nn.Padding, nn.PairwiseDistance,
        nn.SpatialAveragePooling, nn.SpatialConvolution, nn.SpatialMaxPooling,
        nn.SpatialMaxUnpooling,
        nn.SpatialReflectionPadding, nn.SpatialUpSamplingBilinear, nn.SpatialUpSamplingNearest,
        nn.Sum, nn.TemporalDynamicKMaxPooling, nn.View,
    }  # fmt: skip
    met = set()
    for row in ROWS:
        case = row.values[0]
        if not kinds_in(case.make()) & (changed - met):
            continue
        met |= kinds_in(case.make())
        net, input, _ = exported(case, file, opset=opset)
        assert [used.version for used in onnx.load(file).opset_import] == [opset]
        onnx.checker.check_model(file, full_check=True)
        compare(run(file, input), net.forward(input), 1e-5)
    assert met >= changed


def test_batches_of_any_size(file):
    random.manualSeed(1)
    net = nn.Sequential(
        nn.SpatialConvolution(2, 3, 3, 3), nn.ReLU(), nn.View(-1, 12), nn.Replicate(2, 1),
        nn.Bottle(nn.Linear(12, 4)), nn.LogSoftMax(2),
    )  # fmt: skip
    export(net, file, (1, 2, 4, 4))
    for n in (1, 2, 3, 8):
        input = np.random.default_rng(n).normal(size=(n, 2, 4, 4)).astype("float32")
        compare(run(file, input), net.clone().float().evaluate().forward(input), 1e-5)


def test_the_batch_may_stand_elsewhere(file):
    net = nn.Sequential(nn.Bottle(nn.Linear(3, 2)), nn.Tanh())
    export(net, file, (5, 1, 3), batch=1)
    shape = [
        d.dim_param or d.dim_value
        for d in onnx.load(file).graph.output[0].type.tensor_type.shape.dim
    ]
    assert shape == [5, "N", 2]
    input = np.ones((5, 7, 3), "float32")
    compare(run(file, input), net.float().forward(input), 1e-5)


def held(net):
    """Return parameters, gradients and running statistics."""
    parameters, gradients = net.parameters()
    return [*parameters, *gradients, net[1].running_mean, net[1].running_var]


def test_a_network_stays_what_it_is(file):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNormalization(4), nn.Dropout(), nn.WhiteNoise())
    input = np.random.default_rng(0).normal(size=(5, 3))
    output = net.forward(input).copy()
    net.backward(input, output)
    before = net.clone()
    state = random.getRNGState()
    export(net, file, (1, 3))
    assert np.array_equal(net.output, output)
    assert np.array_equal(random.getRNGState(), state)
    assert net.train
    assert net.type() == np.dtype("float64")
    for ours, theirs in zip(held(net), held(before), strict=True):
        assert np.array_equal(ours, theirs)
    assert "updateOutput" not in vars(net[0])


def arrays_of(file):
    return {
        array.name: onnx.numpy_helper.to_array(array) for array in onnx.load(file).graph.initializer
    }


def operators_of(file):
    return [node.op_type for node in onnx.load(file).graph.node]


def test_parameters_have_their_names(file):
    net = nn.Sequential(nn.Linear(3, 4), nn.PReLU(4), nn.BatchNormalization(4))
    export(net, file, (1, 3))
    arrays = arrays_of(file)
    assert list(arrays) == [
        "0.weight", "0.bias", "1.weight", "2.weight", "2.bias", "2.running_mean", "2.running_var"
    ]  # fmt: skip
    assert {*arrays} <= {*Description(net, "", False).arrays}
    assert np.array_equal(arrays["0.weight"], net[0].weight.astype("float32"))
    assert [node.name for node in onnx.load(file).graph.node] == [
        "0.Gemm", "1.PRelu", "2.BatchNormalization", "output"
    ]  # fmt: skip


def test_nodes_are_named_after_their_layers(file):
    net = nn.Sequential(
        nn.Concat(1, nn.Linear(3, 4), nn.Euclidean(3, 2)), nn.SplitTable(1), nn.MapTable(nn.Tanh())
    )
    export(net, file, (1, 3))
    graph = onnx.load(file).graph
    names = [node.name for node in graph.node]
    assert names[:5] == ["0.0.Gemm", "0.1.Unsqueeze", "0.1.Transpose", "0.1.Sub", "0.1.ReduceL2"]
    assert names[5:9] == ["0.Concat", "1.Gather", "1.Gather_1", "1.Gather_2"]
    assert names[12:15] == ["2.0.Tanh", "2.0.Tanh_1", "2.0.Tanh_2"]
    assert [node.output[0] for node in graph.node] == names
    constants = ["0.0.weight", "0.0.bias", "0.1.constant", "0.1.weight"]
    assert list(arrays_of(file))[:4] == constants
    assert list(arrays_of(file))[4:] == ["1.constant", *(f"1.constant_{i}" for i in range(1, 6))]


def test_what_is_shared_is_there_once(file):
    shared = nn.SpatialConvolutionMM(1, 2, 1, 1)
    net = nn.Sequential(
        nn.ConcatTable(
            nn.Sequential(shared, nn.Tanh()),
            shared.clone("weight", "bias", "gradWeight", "gradBias"),
        ),
        nn.MapTable(nn.PReLU()),
        nn.CAddTable(),
    )
    export(net, file, (1, 1, 2, 2))
    assert list(arrays_of(file)) == ["0.0.0.weight", "0.0.0.bias", "1.0.weight"]


def test_a_large_tree_is_a_table_as_wide_as_it_is_deep(file):
    net = nn.SoftMaxTree(3, {i: [2 * i + 1, 2 * i + 2] for i in range(255)})
    leaves = np.arange(255, 511)
    x = np.random.default_rng(0).normal(size=(len(leaves), 3)).astype("float32")
    export(net, file, [(1, 3), leaves])
    tables = [array.shape for array in arrays_of(file).values() if array.dtype == "int64"]
    assert (511, 8) in tables
    assert sum(array.nbytes for array in arrays_of(file).values()) < 511 * 8 * 8 + 20_000
    compare(run(file, [x, leaves]), net.float().forward([x, leaves]), 1e-5)


def test_what_is_tied_by_transposing_is_there_once(file):
    encoder, decoder = nn.Linear(3, 2), nn.Linear(2, 3)
    decoder.weight, decoder.gradWeight = encoder.weight.T, encoder.gradWeight.T
    net = nn.Sequential(encoder, nn.Tanh(), decoder)
    export(net, file, (1, 3))
    assert list(arrays_of(file)) == ["0.weight", "0.bias", "2.bias"]
    assert operators_of(file) == ["Gemm", "Tanh", "Transpose", "Gemm", "Identity"]
    input = np.ones((2, 3), "float32")
    compare(run(file, input), net.float().forward(input), 1e-5)


def test_arrays_in_any_order(file):
    net = nn.Sequential(nn.CAdd(2, 3, 4), nn.CMul(2, 3, 4))
    net[0].bias = np.arange(24.0).reshape(4, 3, 2).T
    net[1].weight = np.arange(48.0).reshape(2, 3, 8)[:, :, ::2]
    export(net, file, (1, 2, 3, 4))
    input = np.ones((5, 2, 3, 4), "float32")
    compare(run(file, input), net.float().forward(input), 1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.SeqLSTM(2, 3).setStartState([np.ones((1, 3))] * 2),
        lambda: nn.SeqGRU(2, 3).setStartState(np.ones((1, 3))),
        lambda: nn.Sequencer(nn.RecGRU(2, 3).setStartState(np.ones((1, 3)))),
        lambda: nn.Sequencer(nn.RecLSTM(2, 3)).setStartState([[np.ones((1, 3))] * 2]),
        lambda: nn.Sequencer(nn.LinearRNN(2, 3).setStartState(np.ones((1, 3)))),
    ],
)
def test_a_start_state_is_no_part_of_a_file(make, file):
    net = nn.Sequential(nn.Identity(), make())
    (layer,) = [m for m in net.listModules() if getattr(m, "startState", None) is not None]
    with pytest.raises(StateError) as caught:
        export(net, file, (4, 1, 2), batch=1)
    place = "[1]" if layer is net[1] else "[1][0]"
    assert str(caught.value) == (
        "export: net must be of layers that ONNX can say, got 1 that it cannot\n"
        f"  {place} {type(layer).__name__}: it has a start state"
    )
    assert not Path(file).exists()
    assert layer.startState is not None
    layer.setStartState()
    export(net, file, (4, 1, 2), batch=1)


def test_a_batch_in_two_dimensions(file):
    """Every sample with every other."""
    net = nn.Sequential(
        nn.ConcatTable(nn.Identity(), nn.Identity()), nn.MM(False, True), nn.Unsqueeze(0),
        nn.Unsqueeze(0), nn.Tanh(), nn.Squeeze(),
    )  # fmt: skip
    export(net, file, (1, 3))
    for n in (2, 5):
        input = np.random.default_rng(n).normal(size=(n, 3)).astype("float32")
        compare(run(file, input), net.forward(input), 1e-5)


def test_equal_parameters_are_not_shared(file):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight[...], net[1].bias[...] = net[0].weight, net[0].bias
    export(net, file, (1, 2))
    assert list(arrays_of(file)) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_tables_have_names_by_their_places(file):
    net = nn.ParallelTable(nn.ParallelTable(nn.Identity(), nn.Tanh()), nn.SelectTable("ids"))
    shape = [[(1, 2), (1, 3)], {"ids": np.zeros((1, 4), "int64"), "rest": np.zeros((1, 1), bool)}]
    export(net, file, shape)
    graph = onnx.load(file).graph
    assert [value.name for value in graph.input] == [
        "input_0_0", "input_0_1", "input_1_ids", "input_1_rest"
    ]  # fmt: skip
    assert [value.name for value in graph.output] == ["output_0_0", "output_0_1", "output_1"]
    input = [
        [np.ones((5, 2), "float32"), np.ones((5, 3), "float32")],
        {"ids": np.ones((5, 4), "int64"), "rest": np.ones((5, 1), bool)},
    ]
    compare(run(file, input), net.float().forward(input), 1e-5)


class Net(nn.Sequential):
    """Layers put together in a constructor, and a method that no forward calls."""

    def __init__(self):
        super().__init__(nn.Linear(3, 2), Half())

    def hidden(self):
        return self[0].output


class Half(nn.MulConstant):
    def __init__(self):
        super().__init__(0.5)

    def updateGradInput(self, input, gradOutput):
        return super().updateGradInput(input, gradOutput)


class Sorted(nn.ReLU):
    def updateOutput(self, input):
        self.output = np.sort(input)
        return self.output


class Switched(nn.Dropout):
    def _drops(self):
        return True

    @property
    def p(self):
        return 0.5

    @p.setter
    def p(self, p):
        pass


class Clumsy(nn.Module):
    def updateOutput(self, input):
        raise OverflowError("not of zeros")


def test_classes_of_ones_own_that_add_nothing(file):
    net = Net()
    export(net, file, (1, 3))
    input = np.ones((5, 3), "float32")
    compare(run(file, input), net.float().forward(input), 1e-5)


def refused(error, net, input_shape, tmp_path, **options):
    with pytest.raises(error) as caught:
        export(net, tmp_path / "net.onnx", input_shape, **options)
    assert os.listdir(tmp_path) == []
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


def test_all_that_cannot_be_said_is_named(tmp_path):
    pools = nn.SpatialFractionalMaxPooling(2, 2, 3, 3)
    net = nn.Sequential(
        nn.Concat(
            1, pools, nn.Sequential(nn.SpatialMaxPooling(2, 2), nn.SpatialZeroPadding(0, -1, 0, -1))
        ),
        nn.ReLU(),
        nn.Sequential(Sorted(), nn.Dropout(0.5, stochasticInference=True)),
    )
    assert refused(StateError, net, (1, 3, 8, 8), tmp_path) == (
        "export: net must be of layers that ONNX can say, got 3 that it cannot\n"
        "  [0][0] SpatialFractionalMaxPooling: it draws its windows at random, in evaluation mode, "
        "too\n"
        "  [2][0] Sorted: what its own updateOutput computes is not known\n"
        "  [2][1] Dropout: it draws random numbers in evaluation mode, too"
    )
    # What is refused may not even run.
    net = nn.Sequential(Sorted(), Clumsy(), nn.ReLU())
    assert refused(StateError, net, (1, 3), tmp_path) == (
        "export: net must be of layers that ONNX can say, got 2 that it cannot\n"
        "  [0] Sorted: what its own updateOutput computes is not known\n"
        "  [1] Clumsy: what a class of your own computes is not known"
    )
    assert refused(StateError, Sorted(), (1, 3), tmp_path) == (
        "export: net must be of layers that ONNX can say, got 1 that it cannot\n"
        "  Sorted: what its own updateOutput computes is not known"
    )


def test_classes_that_are_not_known(tmp_path):
    def why(net, shape):
        return refused(StateError, net, shape, tmp_path).partition("cannot\n  ")[2]

    assert why(Switched(), (1, 3)) == "Switched: what its own _drops, p computes is not known"
    assert why(nn.recurrent.element_research.SeqGRU(3, 2), (2, 1, 3)) == (
        "SeqGRU: there is no rule for it"
    )


@pytest.mark.parametrize(
    ("net", "shape", "why"),
    [
        (lambda: nn.SplitTable(0), (1, 3), "how long its table is depends on the batch"),
        (lambda: nn.Narrow(0, 1, -1), (1, 3), "what it does depends on the size of the batch"),
        (
            lambda: nn.TemporalConvolution(3, 2, 1),
            (1, 3),
            "the sizes that it works on depend on the batch",
        ),
        (
            lambda: nn.IndexLinear(3, 2),
            [np.zeros(3, int), np.zeros(3), np.array([1, 2])],
            "where a sample ends, its sizes tell",
        ),
        (lambda: nn.Sequential(nn.Replicate(2), nn.View(-1)), (2, 0), "there are no entries in it"),
        (
            lambda: nn.DepthConcat(1, nn.Identity(), nn.Narrow(0, 0, 1)),
            (1, 3),
            "how many zeros it adds depends on the batch",
        ),
        (
            lambda: nn.TemporalMaxPooling(1),
            (1, 3),
            "the sizes that it works on depend on the batch",
        ),
        (
            lambda: nn.TemporalDynamicKMaxPooling(1),
            (1, 3),
            "the sizes that it works on depend on the batch",
        ),
        (
            lambda: nn.FeatureLPPooling(2, 1, 2),
            (1,),
            "the sizes that it works on depend on the batch",
        ),
        (
            lambda: nn.Recursor(nn.Linear(3, 2)).maskZero(True),
            (1, 3),
            "it masks steps",
        ),
        (
            lambda: nn.RecGRU(3, 2),
            (1, 3),
            "its state goes from one call to the next, outside of a Sequencer",
        ),
        (
            lambda: nn.Sequencer(nn.RecGRU(3, 2)).remember("eval"),
            [(1, 3)],
            "it remembers its state from one call to the next",
        ),
        (
            lambda: nn.SeqGRU(3, 2).remember(),
            (2, 1, 3),
            "it remembers its state from one call to the next",
        ),
    ],
)
def test_what_some_settings_do_cannot_be_said(net, shape, why, tmp_path):
    made = net()
    batch = None if isinstance(shape, list) or 0 in shape else 0
    assert refused(StateError, made, shape, tmp_path, batch=batch).endswith(f": {why}")


def test_wrong_shapes_are_told_by_the_layer(tmp_path):
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    assert refused(ShapeError, net, (1, 3), tmp_path) == (
        "Linear(5 -> 2).updateOutput: input must be (5,) or (N, 5), got (2, 4)\n"
        "  hint: Linear(4, 2) would fit\n"
        "  at [1] of Sequential: input (N, 4) -> [0] ReLU -> (N, 4) -> [1] here\n"
        "  at [1] of Sequential: input (N, 3) -> [0] Linear(3 -> 4) -> (N, 4) -> [1] here\n"
        "  in export, which tries batches of 2 and 3: N"
    )
    assert "export" not in refused(ShapeError, net, (1, 3), tmp_path, batch=None)
    net = nn.Sequential(nn.LookupTable(3, 2))
    assert refused(DTypeError, net, (1, 3), tmp_path, batch=None) == (
        "LookupTable.updateOutput: input must be integers, got float32\n"
        "  hint: input.astype('int64'); layers before it that only move entries hand integers on\n"
        "  at [0] of Sequential: input (1, 3) -> [0] here\n"
        "  in export, where an input of ids is given as an array of them"
    )


def test_zeros_raise_no_warnings(file):
    net = nn.Sequential(nn.Log(), nn.Power(-1), nn.ConcatTable(nn.Log(), nn.Log()), nn.CDivTable())
    export(net, file, (1, 3))
    input = np.full((2, 3), 3, "float32")
    compare(run(file, input), net.float().forward(input), 1e-5)


DIMENSION = "a dimension, counted from 0, or None"
SHAPES = "a tuple, a list or dict of such, or arrays in their place"


@pytest.mark.parametrize(
    ("error", "options", "message"),
    [
        (DTypeError, {"net": "net"}, "net must be a Module, got str"),
        (SettingError, {"opset": 12}, "opset must be one of 13 to 23, got 12"),
        (SettingError, {"opset": 24}, "opset must be one of 13 to 23, got 24"),
        (SettingError, {"opset": 17.0}, "opset must be one of 13 to 23, got 17.0"),
        (SettingError, {"dtype": "float16"}, "dtype must be float32 or float64, got 'float16'"),
        (SettingError, {"batch": -1}, f"batch must be {DIMENSION}, got -1"),
        (SettingError, {"batch": True}, f"batch must be {DIMENSION}, got True"),
        (
            SettingError,
            {"batch": 2},
            "input_shape must be of more than 2 dimensions, got (1, 3)\n"
            "  hint: batch=None leaves no size free",
        ),
        (
            SettingError,
            {"input_shape": [1, 3]},
            f"input_shape must be {SHAPES}, got 1\n"
            "  hint: a tuple is a shape, a list is a table of several",
        ),
        (SettingError, {"input_shape": (1, -1)}, f"input_shape must be {SHAPES}, got (1, -1)"),
        (SettingError, {"input_shape": (1, True)}, f"input_shape must be {SHAPES}, got (1, True)"),
        (SettingError, {"input_shape": "1x3"}, f"input_shape must be {SHAPES}, got '1x3'"),
    ],
)
def test_wrong_arguments(error, options, message, tmp_path):
    arguments = {"net": nn.Linear(3, 2), "input_shape": (1, 3), "tmp_path": tmp_path, **options}
    assert refused(error, **arguments) == f"export: {message}"


def test_more_than_a_file_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_LARGEST", 31)
    assert refused(SettingError, nn.Linear(3, 2), (1, 3), tmp_path) == (
        "export: net must be of at most 31 bytes of parameters, which is what a file can hold, "
        "got 32"
    )
    monkeypatch.setattr(exporting, "_LARGEST", 32)
    export(nn.Linear(3, 2), tmp_path / "net.onnx", (1, 3))


def test_a_file_is_replaced_as_a_whole(file, monkeypatch):
    export(nn.Linear(3, 2), file, (1, 3))
    before = Path(file).read_bytes()

    def broken(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="the disk is full"):
        export(nn.Linear(3, 4), file, (1, 3))
    assert Path(file).read_bytes() == before
    assert os.listdir(os.path.dirname(file)) == ["net.onnx"]


def test_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert refused(ImportError, nn.ReLU(), (1, 3), tmp_path) == (
        "ONNX files need the package onnx: pip install onnx"
    )


def test_who_wrote_it(file):
    export(nn.ReLU(), file, (1, 3))
    model = onnx.load(file)
    assert (model.producer_name, model.producer_version) == ("torchlite", torchlite.__version__)
    assert model.ir_version == 8
