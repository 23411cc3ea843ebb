"""Containers but Sequential: memory, errors, None, drawing, and what each does of its own."""

import json
import pickle
import re
import tracemalloc
from copy import deepcopy
from weakref import ref

import golden
import numpy as np
import pytest

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.kernels.threads import threads
from torchlite.nn import (
    Bottle,
    CAddTable,
    Concat,
    ConcatTable,
    Decorator,
    DepthConcat,
    DontCast,
    MapTable,
    NaN,
    Parallel,
    ParallelTable,
    Profile,
    SelectTable,
    WeightNorm,
    checks,
)
from torchlite.nn.containers import nan as nan_module
from torchlite.nn.containers import profile as profile_module
from torchlite.testing import check_module
from torchlite.testing.duck import Duck

X = np.arange(6.0).reshape(2, 3)


@pytest.fixture(autouse=True)
def _same_parameters_every_time():
    random.manualSeed(0)


@pytest.fixture
def one_thread():
    before = threads()
    threads(1)
    yield
    threads(before)


class Crop(nn.Module):
    """The first entries of the last dimension."""

    def __init__(self, length):
        self.length = length

    def updateOutput(self, input):
        self.output = input[..., : self.length]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        self.gradInput[..., : self.length] = gradOutput
        return self.gradInput


class Coin(nn.Module):
    """Keeps entries by chance: it must remember which, and does not say so."""

    def updateOutput(self, input):
        self.mask = random.bernoulli(0.5, size=input.shape)
        self.output = input * self.mask if self.train else input
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.mask if self.train else gradOutput
        return self.gradInput


class Failing(nn.Linear):
    """Fails in one method, after it has done its work."""

    def __init__(self, method):
        super().__init__(3, 2)
        self.method = method

    def _fail(self, method):
        if method == self.method:
            raise RuntimeError("now")

    def updateOutput(self, input):
        super().updateOutput(input)
        self._fail("updateOutput")
        return self.output

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        self._fail("updateGradInput")
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self._fail("accGradParameters")


def linear(*size):
    return nn.Linear(*size)


def mlp(*sizes):
    return nn.Sequential(nn.Linear(*sizes[:2]), nn.Identity(), nn.Linear(*sizes[1:]))


# name: (container, input, gradOutput)
KINDS = {
    "Concat": lambda: (Concat(1, mlp(3, 2, 2), linear(3, 1)), X, np.ones((2, 3))),
    "DepthConcat": lambda: (DepthConcat(0, mlp(3, 2, 2), linear(3, 4)), X, np.ones((4, 4))),
    "Parallel": lambda: (Parallel(0, 0, mlp(3, 2, 2), linear(3, 1)), X, np.ones(3)),
    "ConcatTable": lambda: (
        ConcatTable(mlp(3, 2, 2), linear(3, 1)),
        X,
        [np.ones((2, 2)), np.ones((2, 1))],
    ),
    "ParallelTable": lambda: (
        ParallelTable(mlp(3, 2, 2), linear(3, 1)),
        [X, X + 1],
        [np.ones((2, 2)), np.ones((2, 1))],
    ),
    "MapTable": lambda: (MapTable(mlp(3, 2, 2)), [X, X + 1], [np.ones((2, 2)), np.ones((2, 2))]),
    "Bottle": lambda: (Bottle(mlp(3, 2, 2)), X[None], np.ones((1, 2, 2))),
    "Decorator": lambda: (Decorator(mlp(3, 2, 2)), X, np.ones((2, 2))),
    "WeightNorm": lambda: (WeightNorm(linear(3, 2)), X, np.ones((2, 2))),
    "DontCast": lambda: (DontCast(mlp(3, 2, 2), True), X, np.ones((2, 2))),
    "NaN": lambda: (NaN(mlp(3, 2, 2)), X, np.ones((2, 2))),
    "Profile": lambda: (Profile(mlp(3, 2, 2)), X, np.ones((2, 2))),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def changed(table):
    return nn.nested.map_arrays(lambda array: array + 0.5, table)


# ---------------------------------------------------------------- memory


@every_kind
def test_it_remembers_by_position_what_each_module_was_given(kind):
    net, input, gradOutput = KINDS[kind]()
    assert len(net.inputs) == len(net.outputs) == len(net.gradOutputs) == 0
    net.forward(input)
    net.backward(input, gradOutput)
    modules = [net.get(0), *net.clones] if kind == "MapTable" else net.modules
    for module, part, output, gradient in zip(
        modules, net.inputs, net.outputs, net.gradOutputs, strict=True
    ):
        assert module.output is output
        alone = module.clone()
        assert np.array_equal(alone.forward(part), output)
        assert np.array_equal(alone.backward(part, gradient), module.gradInput)


@every_kind
def test_a_backward_belongs_to_the_last_forward(kind):
    net, input, gradOutput = KINDS[kind]()
    for method in (net.updateGradInput, net.accGradParameters):
        with pytest.raises(StateError, match="input is not that of the last forward"):
            method(input, gradOutput)
    net.forward(input)
    net.forward(changed(input))
    net.zeroGradParameters()
    for method in (net.updateGradInput, net.accGradParameters):
        with pytest.raises(StateError) as error:
            method(input, gradOutput)
        assert str(error.value).endswith(
            "\n  hint: call forward(input) first: a backward goes back along its path"
        )
    assert not any(gradient.any() for gradient in net.parameters()[1])
    net.backward(nn.nested.map_arrays(np.copy, changed(input)), gradOutput)
    assert any(gradient.any() for gradient in net.parameters()[1])


def test_a_dict_is_remembered_by_its_values():
    net = nn.Sequential(nn.SelectTable("b"), nn.ReLU())
    net.forward({"a": X, "b": X})
    gradInput = net.backward({"b": X.copy(), "a": X.copy()}, X)
    assert not gradInput["a"].any()
    assert np.array_equal(gradInput["b"], X * (X > 0))
    for other in ({"b": X}, {"a": X, "b": X + 1}, [X, X]):
        with pytest.raises(StateError, match="input is not that of the last forward"):
            net.backward(other, X)


@every_kind
def test_a_failing_forward_drops_the_one_before(kind):
    net, input, gradOutput = KINDS[kind]()
    net.forward(input)
    with pytest.raises((ShapeError, DTypeError)):
        net.forward(nn.nested.map_arrays(lambda array: array[..., :-1], input))
    with pytest.raises(StateError, match="input is not that of the last forward"):
        net.backward(input, gradOutput)


@every_kind
def test_clearing_forgets_the_forward(kind):
    net, input, gradOutput = KINDS[kind]()
    net.forward(input)
    net.backward(input, gradOutput)
    for copy in (net.clone(), pickle.loads(pickle.dumps(net)), net.clearState()):
        assert len(copy.inputs) == len(copy.outputs) == len(copy.gradOutputs) == 0
        with pytest.raises(StateError):
            copy.backward(input, gradOutput)


@every_kind
def test_a_module_more_makes_it_another_network(kind):
    net, input, gradOutput = KINDS[kind]()
    net.forward(input)
    net.modules.append(nn.Identity())
    if kind == "MapTable":
        net.backward(input, gradOutput)
    else:
        with pytest.raises(StateError):
            net.backward(input, gradOutput)


@every_kind
def test_accumulating_alone_belongs_to_the_gradOutput_given(kind):
    """The gradOutputs of the last updateGradInput are used for its own gradOutput only."""
    net, input, gradOutput = KINDS[kind]()
    # Not what remembers gradOutputs itself.
    net = net.replace(lambda part: linear(3, 2) if type(part) is nn.Sequential else part)
    other = changed(gradOutput)
    net.forward(input)
    net.zeroGradParameters()
    net.backward(input, other)
    expected = [gradient.copy() for gradient in net.parameters()[1]]
    net.updateGradInput(input, gradOutput)
    net.zeroGradParameters()
    net.accGradParameters(input, other)
    for got, array in zip(net.parameters()[1], expected, strict=True):
        assert np.allclose(got, array)


@every_kind
@pytest.mark.parametrize("scale", [0, -2, 0.5])
def test_scale_reaches_every_module(kind, scale):
    """Torch7's DepthConcat loses it."""
    net, input, gradOutput = KINDS[kind]()
    net.forward(input)
    net.backward(input, gradOutput)
    ones = [gradient.copy() for gradient in net.parameters()[1]]
    net.zeroGradParameters()
    net.backward(input, gradOutput, scale)
    for got, one in zip(net.parameters()[1], ones, strict=True):
        assert one.any()
        assert np.allclose(got, scale * one)


# ---------------------------------------------------------------- errors

PAIR = {
    "Concat": lambda *modules: (Concat(1, *modules), X, np.ones((2, 4))),
    "DepthConcat": lambda *modules: (DepthConcat(1, *modules), X, np.ones((2, 4))),
    "Parallel": lambda *modules: (Parallel(0, 0, *modules), X, np.ones(4)),
    "ConcatTable": lambda *modules: (ConcatTable(*modules), X, [np.ones((2, 2))] * 2),
    "ParallelTable": lambda *modules: (ParallelTable(*modules), [X, X], [np.ones((2, 2))] * 2),
    "MapTable": lambda _, module: (MapTable(module), [X, X], [np.ones((2, 2))] * 2),
    "Decorator": lambda _, module: (Decorator(module), X, np.ones((2, 2))),
    "WeightNorm": lambda _, module: (WeightNorm(module), X, np.ones((2, 2))),
}


@pytest.mark.parametrize("kind", PAIR)
@pytest.mark.parametrize("method", ["updateOutput", "updateGradInput", "accGradParameters"])
def test_a_failing_module_leaves_gradients_as_they_were_and_the_path_forgotten(kind, method):
    net, input, gradOutput = PAIR[kind](linear(3, 2), Failing(method))
    parameters, gradients = net.parameters()
    for gradient in gradients:
        gradient.fill(1.25)
    before = [array.copy() for array in (*parameters, *gradients)]

    def step():
        net.forward(input)
        net.backward(input, gradOutput)

    with pytest.raises(RuntimeError, match="now") as error:
        step()
    assert len(error.value.__notes__) == 1
    for array, values in zip((*parameters, *gradients), before, strict=True):
        assert np.array_equal(array, values)
    with pytest.raises(StateError, match="input is not that of the last forward"):
        net.backward(input, gradOutput)


def test_a_failing_copy_in_a_map_leaves_gradients_as_they_were():
    net = MapTable(Failing("accGradParameters"))
    net.get(0).method = None
    net.forward([X, X])
    net.updateGradInput([X, X], [np.ones((2, 2))] * 2)
    net.clones[0].method = "accGradParameters"
    with pytest.raises(RuntimeError, match="now") as error:
        net.accGradParameters([X, X], [np.ones((2, 2))] * 2)
    assert error.value.__notes__ == ["  at [1] of MapTable: gradOutput (2, 2)"]
    assert not any(gradient.any() for gradient in net.parameters()[1])


def test_notes_tell_the_way_in_and_the_way_back():
    inner = Concat(1, linear(9, 2), nn.Sequential(linear(9, 4), nn.ReLU(), linear(8, 2)))
    net = nn.Sequential(linear(4, 9), inner)
    with pytest.raises(ShapeError) as error:
        net.forward(np.ones((5, 4)))
    assert str(error.value) == (
        "Linear(8 -> 2).updateOutput: input must be (8,) or (N, 8), got (5, 4)\n"
        "  hint: Linear(4, 2) would fit"
    )
    assert error.value.__notes__ == [
        "  at [2] of Sequential: input (5, 9) -> [0] Linear(9 -> 4) -> (5, 4) "
        "-> [1] ReLU -> (5, 4) -> [2] here",
        "  at [1] of Concat: input (5, 9)",
        "  at [1] of Sequential: input (5, 4) -> [0] Linear(4 -> 9) -> (5, 9) -> [1] here",
    ]
    assert error.value.path == (1, 1, 2)
    net = ConcatTable(linear(3, 2), linear(3, 2))
    net.forward(X)
    with pytest.raises(ShapeError) as error:
        net.backward(X, [np.ones((2, 2)), np.ones((2, 4))])
    assert error.value.__notes__ == ["  at [1] of ConcatTable: gradOutput (2, 4)"]


def test_notes_where_torch7_has_them():
    """The case parallel_in_concat of Torch7's strings."""
    inner = Parallel(0, 0, linear(3, 2), linear(3, 2))
    net = nn.Sequential(nn.Identity(), Concat(0, inner))
    with pytest.raises(ShapeError) as error:
        net.forward(np.ones((2, 5)))
    assert error.value.path == (1, 0, 0)
    assert error.value.__notes__[0] == "  at [0] of Parallel: input (5,)"


ERRORS = [
    (
        Concat(0, linear(3, 2), linear(3, 4)),
        X,
        "outputs must be arrays alike but for dimension 0, got [(2, 2), (2, 4)]",
    ),
    (Concat(2, linear(3, 2)), X, "outputs must be arrays alike but for dimension 2, got [(2, 2)]"),
    (Concat(0, nn.Identity()), [X], "outputs[0] must be an array, got list"),
    (
        DepthConcat(2, linear(3, 2)),
        X,
        "outputs must be arrays of as many dimensions, with dimension 2, got [(2, 2)]",
    ),
    (
        Parallel(0, 0, linear(3, 2)),
        X,
        "input must be of length 1 along dimension 0, a slice for each module, got (2, 3)",
    ),
    (
        Parallel(-1, 0, *(nn.Identity() for _ in range(4))),
        X,
        "input must be of length 4 along dimension 1, a slice for each module, got (2, 3)",
    ),
    (Parallel(0, 0, nn.Identity()), [X], "input must be an array, got list"),
    (
        ParallelTable(nn.Identity()),
        [X, X],
        "input must be a table of 1 entry, got [(2, 3), (2, 3)]",
    ),
    (
        ParallelTable(nn.Identity(), nn.Identity()),
        [X],
        "input must be a table of 2 entries, got [(2, 3)]",
    ),
    (ParallelTable(nn.Identity()), X, "input must be a table (a list), got ndarray"),
    (MapTable(nn.Identity()), X, "input must be a table (a list), got ndarray"),
    (Bottle(nn.Identity()), [X], "input must be an array, got list"),
    (
        Bottle(nn.Identity(), 2, 1),
        X[None],
        "output of its module must be 1-D with 2 first, got (2, 3)",
    ),
    (Bottle(Crop(1), 1), X, "output of its module must be 1-D with 6 first, got (1,)"),
    (ConcatTable(), X, "there are no modules"),
    (Concat(0), X, "there are no modules"),
    (MapTable(), [X], "there are no modules"),
]


@pytest.mark.parametrize(("net", "input", "message"), ERRORS)
def test_forwards_that_cannot_be(net, input, message):
    with pytest.raises((ShapeError, DTypeError, StateError)) as error:
        net.forward(input)
    first = str(error.value).splitlines()[0]
    assert first.endswith(f".updateOutput: {message}")
    assert first.startswith(type(net).__name__)


@pytest.mark.parametrize(
    ("net", "input", "gradOutput", "message"),
    [
        (Concat(1, linear(3, 2), linear(3, 1)), X, np.ones((2, 2)), "(2, 3), got (2, 2)"),
        (DepthConcat(0, linear(3, 2), linear(3, 1)), X, np.ones((4, 1)), "(4, 2), got (4, 1)"),
        (Parallel(0, 0, linear(3, 2), linear(3, 1)), X, np.ones(2), "(3,), got (2,)"),
        (Bottle(linear(3, 2)), X[None], np.ones((2, 2)), "(1, 2, 2), got (2, 2)"),
        (
            ConcatTable(linear(3, 2)),
            X,
            np.ones((2, 2)),
            "a table (a list), got ndarray\n  hint: a list of arrays: [gradOutput, ...]",
        ),
        (ConcatTable(linear(3, 2)), X, [], "a table of 1 entry, got []"),
        (MapTable(linear(3, 2)), [X, X], [X], "a table of 2 entries, got [(2, 3)]"),
    ],
)
def test_gradOutputs_that_do_not_fit(net, input, gradOutput, message):
    net.forward(input)
    for method in ("updateGradInput", "accGradParameters"):
        with pytest.raises((ShapeError, DTypeError)) as error:
            getattr(net, method)(input, gradOutput)
        assert str(error.value).endswith(f".{method}: gradOutput must be {message}")
    assert not any(gradient.any() for gradient in net.parameters()[1])


def test_no_gradInput_is_broadcast_in_a_sum():
    class Careless(nn.Identity):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput.sum(0, keepdims=True)
            return self.gradInput

    net = ConcatTable(nn.Identity(), Careless())
    net.forward(X)
    with pytest.raises(ShapeError) as error:
        net.backward(X, [X, X])
    assert str(error.value) == (
        "Careless.updateGradInput: gradInput must be (2, 3) like its input, got (1, 3)"
    )
    with pytest.raises(StateError):
        net.accGradParameters(X, [X, X])


# ---------------------------------------------------------------- gradInput


@pytest.mark.parametrize("kind", PAIR)
def test_a_module_without_gradInput_leaves_all_of_it_out(kind):
    """Part of a sum would be a wrong gradient."""
    net, input, gradOutput = PAIR[kind](linear(3, 2), linear(3, 2))
    expected = net.clone()
    expected.forward(input)
    expected.backward(input, gradOutput)
    net.modules[-1].gradInput = None
    net.forward(input)
    assert net.backward(input, gradOutput) is None
    assert net.gradInput.size == 0
    assert net.modules[-1].gradInput is None
    for got, array in zip(net.parameters()[1], expected.parameters()[1], strict=True):
        assert array.any()
        assert np.array_equal(got, array)


def test_a_missing_gradInput_that_is_needed_is_an_error():
    inner = Concat(1, linear(3, 2), linear(3, 2))
    inner[1].gradInput = None
    net = nn.Sequential(linear(3, 3), inner)
    net.forward(X)
    with pytest.raises(StateError, match=r"\[0\] Linear\(3 -> 3\) before it needs it"):
        net.backward(X, np.ones((2, 4)))


def test_sums_of_gradInputs_are_fresh():
    for net, gradOutput in (
        (ConcatTable(nn.Identity()), [X.copy()]),
        (ConcatTable(nn.Identity(), nn.Identity()), [X.copy(), X.copy()]),
        (Concat(0, nn.Identity()), X.copy()),
        (Parallel(0, 0, nn.Identity(), nn.Identity()), X.reshape(-1)),
    ):
        net.forward(X)
        gradInput = net.backward(X, gradOutput)
        arrays = gradOutput if isinstance(gradOutput, list) else [gradOutput]
        assert not any(np.shares_memory(gradInput, array) for array in [X, *arrays])


@pytest.mark.parametrize(
    ("make", "tables"),
    [
        (lambda: nn.SpatialConvolution(4, 4, 3, 3, 1, 1, 1, 1), ""),
        (lambda: nn.SpatialBatchNormalization(4), ""),
        (lambda: nn.SpatialMaxPooling(1, 1), ""),
        (lambda: nn.SpatialAveragePooling(1, 1), ""),
        (nn.ReLU, ""),
        (nn.Tanh, ""),
        (nn.CAddTable, "input"),
        (lambda: nn.ConcatTable(nn.ReLU()), "gradOutput"),
        (lambda: nn.Sequential(nn.ReLU(), nn.Identity()), ""),
        (lambda: nn.SpatialAdaptiveAveragePooling(64, 64), ""),
        (lambda: nn.SpatialReflectionPadding(0, 0, 0, 0), ""),
        (nn.Dropout, ""),
    ],
)
@pytest.mark.usefixtures("one_thread")
def test_the_last_gradInput_makes_room_for_the_next(make, tables):
    array = np.ones((32, 4, 64, 64), np.float32)
    x = [array, array] if tables == "input" else array
    g = [array] if tables == "gradOutput" else array
    for method in ("updateGradInput", "backward"):
        layer, peaks = make().float(), []
        layer.forward(x)
        if method == "backward" and layer.parameters()[0]:
            # It has the last one back where accumulating fails.
            continue
        tracemalloc.start()
        try:
            for _ in range(2):
                tracemalloc.reset_peak()
                getattr(layer, method)(x, g)
                peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert peaks[1] < peaks[0] + array.nbytes / 2, method


IMAGES = np.ones((64, 4, 64, 64), np.float32)


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: nn.SpatialConvolution(4, 4, 1, 1), IMAGES),
        (lambda: nn.TemporalConvolution(64, 64, 1), IMAGES.reshape(64, 256, 64)),
        (lambda: nn.VolumetricConvolution(4, 4, 1, 1, 1), IMAGES.reshape(64, 4, 4, 16, 64)),
        (lambda: nn.SpatialFullConvolution(4, 4, 1, 1), IMAGES),
        (lambda: nn.SpatialBatchNormalization(4), IMAGES),
        (lambda: nn.SpatialAveragePooling(1, 1), IMAGES),
        (lambda: nn.SpatialAdaptiveAveragePooling(64, 64), IMAGES),
        (lambda: nn.SpatialMaxPooling(1, 1), IMAGES),
        (lambda: nn.VolumetricMaxPooling(1, 1, 1), IMAGES.reshape(64, 4, 4, 16, 64)),
        (lambda: nn.SpatialReflectionPadding(0, 0, 0, 0), IMAGES),
        (nn.ReLU, IMAGES),
        (nn.Tanh, IMAGES),
        (nn.LogSoftMax, IMAGES),
        (nn.CAddTable, [IMAGES, IMAGES]),
        (lambda: nn.Sequential(nn.ReLU()), IMAGES),
        (lambda: nn.ConcatTable(nn.ReLU()), IMAGES),
        (lambda: nn.ParallelTable(nn.ReLU(), nn.ReLU()), [IMAGES, IMAGES]),
        (lambda: nn.Concat(1, nn.ReLU()), IMAGES),
        (lambda: nn.DepthConcat(1, nn.ReLU()), IMAGES),
        (lambda: nn.Sequential(nn.ReLU(), nn.SpatialBatchNormalization(4)), IMAGES),
        (lambda: nn.Sequential(nn.ReLU(), nn.SpatialMaxPooling(1, 1)), IMAGES),
        (lambda: nn.Sequential(nn.ReLU(), nn.Tanh()), IMAGES),
    ],
)
@pytest.mark.usefixtures("one_thread")
def test_the_last_output_makes_room_for_the_next(make, x):
    layer, peaks = make().float(), []
    tracemalloc.start()
    try:
        for _ in range(2):
            tracemalloc.reset_peak()
            layer.forward(x)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + IMAGES.nbytes / 2


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.usefixtures("one_thread")
def test_a_step_of_a_residual_block_needs_one_array_more_than_it_leaves(graph):
    def convolution():
        return nn.SpatialConvolution(4, 4, 1, 1)

    def normalization():
        return nn.SpatialBatchNormalization(4)

    if graph:
        start = nn.Identity()()
        found = normalization()(convolution()(nn.ReLU()(normalization()(convolution()(start)))))
        net = nn.gModule([start], [nn.ReLU()(nn.CAddTable()([found, start]))])
    else:
        layers = convolution(), normalization(), nn.ReLU(), convolution(), normalization()
        both = nn.ConcatTable(nn.Sequential(*layers), nn.Identity())
        net = nn.Sequential(nn.Sequential(both, nn.CAddTable()), nn.ReLU())
    net.float()
    tracemalloc.start()
    try:
        for _ in range(3):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            net.forward(IMAGES)
            net.backward(IMAGES, IMAGES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The last gradOutput of the block, which is handed on, and the truth values of ReLU.
    assert peak - before < 1.4 * IMAGES.nbytes


def test_what_only_knows_its_input_again_does_not_keep_it():
    for layer in (nn.SpatialBatchNormalization(2), nn.SpatialMaxPooling(1, 1), nn.Tanh()):
        x = np.ones((2, 2, 3, 3))
        layer.forward(x)
        kept = ref(x)
        del x
        assert kept() is None


KNOWING = [
    (nn.Tanh, (2, 4)),
    (nn.SoftMax, (2, 4)),
    (lambda: nn.BatchNormalization(4), (3, 4)),
    (lambda: nn.SpatialMaxPooling(2, 2), (1, 2, 4, 4)),
]


@pytest.mark.parametrize(("make", "shape"), KNOWING)
def test_an_array_that_cannot_be_referred_to_weakly_is_known_again(make, shape):
    with pytest.raises(TypeError, match="weak reference"):
        ref(Duck(np.ones(shape)))
    check_module(make(), shape=shape, only="duck")


@pytest.mark.parametrize(("make", "shape"), KNOWING)
@pytest.mark.parametrize("refer", [ref, None])
def test_a_state_of_all_attributes_can_be_copied_after_a_forward(make, shape, refer, monkeypatch):
    if refer is None:
        # As an array of a class without a place for them has it.
        monkeypatch.setattr("torchlite.kernels.weak._Weak", None)
    layer, x = make(), np.ones(shape)
    layer.forward(x)
    # What a class says that defines __getstate__ itself.
    state = vars(layer)
    for copied in (deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert copied.keys() == state.keys()
        known = [value() for value in copied.values() if callable(value)]
        assert known == [None]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(nn.ReLU(), nn.Linear(2, 3)),
        lambda: nn.Concat(1, nn.ReLU(), nn.Linear(2, 3)),
        lambda: nn.ConcatTable(nn.ReLU(), nn.Linear(2, 3)),
        lambda: nn.gModule([start := nn.ReLU()()], [nn.Linear(2, 3)(start)]),
    ],
)
def test_a_container_of_which_a_module_refuses_the_input_has_no_output(make):
    net, x = make(), np.ones((4, 2))
    output = net.forward(x)
    with pytest.raises(ShapeError):
        net.forward(np.ones((4, 5)))
    assert net.output.size == 0
    for input in (x, np.ones((4, 5))):
        with pytest.raises(StateError, match="call forward"):
            net.backward(input, output)
    assert not any(gradient.any() for gradient in net.parameters()[1])
    gradOutput = net.forward(x)
    assert net.backward(x, gradOutput).shape == x.shape


def test_a_forward_that_fails_leaves_no_output_to_a_backward():
    layer, x = nn.Sqrt(), np.ones(1)
    layer.forward(x)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        layer.forward(-x)
    assert layer.backward(x, x) == 0.5


@pytest.mark.usefixtures("one_thread")
def test_accumulating_takes_no_array_as_large_as_the_input():
    layer = nn.SpatialBatchNormalization(4).float()
    x = np.ones((64, 4, 64, 64), np.float32)
    layer.forward(x)
    tracemalloc.start()
    try:
        layer.accGradParameters(x, x)
        assert tracemalloc.get_traced_memory()[1] < x.nbytes / 2
    finally:
        tracemalloc.stop()


def test_sums_of_nested_gradInputs():
    x = [np.ones(2), {"a": [np.ones(3)]}]
    net = ConcatTable(nn.Identity(), SelectTable(0), nn.Identity())
    net.forward(x)
    gradInput = net.backward(x, [x, np.full(2, 10.0), x])
    assert gradInput[0].tolist() == [12, 12]
    assert gradInput[1]["a"][0].tolist() == [2, 2, 2]


def test_results_are_lists_of_their_own():
    net = ConcatTable(nn.Identity(), nn.Identity())
    output = net.forward(X)
    output.pop()
    assert len(net.outputs) == 2
    assert net.backward(X, [X, X]).tolist() == (2 * X).tolist()


def test_one_instance_in_two_branches():
    shared = linear(3, 2)
    net = Concat(1, shared, shared)
    assert len(net.parameters()[0]) == 2
    net.forward(X)
    gradInput = net.backward(X, np.ones((2, 4)))
    alone = shared.clone()
    alone.zeroGradParameters()
    alone.forward(X)
    assert np.allclose(gradInput, 2 * alone.backward(X, np.ones((2, 2))))
    assert np.allclose(shared.gradWeight, 2 * alone.gradWeight)
    inner = mlp(3, 2, 2)
    with pytest.raises(StateError, match="remembers its forward and stands in this network"):
        Concat(1, inner, inner)


# ---------------------------------------------------------------- drawing

STRINGS = {
    case["id"]: case
    for case in json.loads((golden.DATA / "strings.json").read_text("utf-8"))
    if case["kind"] == "tostring" and "module" in case
}
DRAWN = [
    "tree_residual",
    "tree_concat",
    "tree_parallel",
    "tree_parallel_table",
    "tree_map",
    "tree_bottle",
    "tree_nested",
    "tree_empty",
]


@pytest.mark.parametrize("name", DRAWN)
def test_it_draws_itself_as_in_torch7(name):
    case = STRINGS[name]
    missing = golden.missing(case["module"])
    if missing:
        pytest.skip(f"without {missing}")
    text = re.sub(
        r"\((\d+)\)(?=:| ->)", lambda n: f"({int(n[1]) - 1})", case["text"].replace("nn.", "")
    )
    assert repr(golden.build({**case["module"], "dtype": "float64"})) == text


def test_empty_ones():
    assert repr(Concat(0)) == "Concat { }"
    assert repr(MapTable()) == "MapTable { }"
    assert repr(Decorator(nn.Identity()).remove()) == "Decorator @ { }"


# ---------------------------------------------------------------- Parallel, DepthConcat


def test_slices_along_any_dimension():
    x = np.arange(24.0).reshape(2, 3, 4)
    net = Parallel(1, -1, nn.Identity(), nn.ReLU(), nn.Identity())
    output = net.forward(x)
    assert np.array_equal(output, np.concatenate([x[:, 0], x[:, 1], x[:, 2]], 1))
    assert np.array_equal(net.backward(x, output), x)


def test_odd_and_even_margins():
    """9 against 5: two zeros on each side; 9 against 4: two before and three after."""
    net = DepthConcat(0, nn.Identity(), Crop(5), Crop(4))
    x = np.arange(1.0, 10.0)[None]
    output = net.forward(x)
    assert output[1].tolist() == [0, 0, 1, 2, 3, 4, 5, 0, 0]
    assert output[2].tolist() == [0, 0, 1, 2, 3, 4, 0, 0, 0]
    gradOutput = np.arange(27.0).reshape(3, 9)
    net.backward(x, gradOutput)
    assert net.gradOutputs[1].tolist() == [[11, 12, 13, 14, 15]]
    assert net.gradOutputs[2].tolist() == [[20, 21, 22, 23]]


def test_integers_reach_the_modules():
    ids = np.arange(6).reshape(2, 3)
    assert Parallel(0, 0, *(nn.Identity() for _ in range(2)))._deal(ids)[1].dtype == ids.dtype
    assert Bottle(nn.Identity())._deal(ids[None])[0].dtype == ids.dtype
    assert ParallelTable(nn.Identity()).forward([ids]) == [ids]


# ---------------------------------------------------------------- Decorator


@nn.Decorator.decorate
class Doubled(nn.Sequential):
    """Twice what its first module says: a class that is decorated."""

    def updateOutput(self, input):
        self.inner = nn.Decorator.updateOutput(self, input)
        self.output = 2 * self.inner
        return self.output

    def _deal_back(self, method, gradOutput):
        return [2 * gradOutput]


def test_a_decorated_class_hands_on_and_keeps_its_own_methods():
    module = linear(3, 2)
    net, other = Doubled(module), module.clone()
    assert repr(net) == "Doubled @ Linear(3 -> 2)"
    assert np.array_equal(net.forward(X), 2 * module.forward(X))
    gradInput = net.backward(X, np.ones((2, 2)), 0.5)
    assert np.array_equal(gradInput, other.backward(X, np.full((2, 2), 2.0), 0.5))
    assert np.array_equal(module.gradWeight, other.gradWeight)
    assert net.clearState().inputs == ()
    with pytest.raises(
        StateError, match=r"Doubled\.updateGradInput: input is not that of the last"
    ):
        net.backward(X, X)


@pytest.mark.parametrize("base", [nn.Container, nn.Sequential])
def test_what_fails_in_a_decorated_class_leaves_no_gradient_behind(base):
    kind = nn.Decorator.decorate(type("Wrapped", (base,), {}))
    net = nn.Sequential(kind(Failing("accGradParameters")), linear(2, 2))
    net.forward(X)
    net.updateGradInput(X, np.ones((2, 2)))
    with pytest.raises(RuntimeError, match="now"):
        net.accGradParameters(X, np.ones((2, 2)))
    assert not net[1].gradWeight.any()


@pytest.mark.parametrize(
    ("cls", "got"), [(nn.Linear, "Linear"), (int, "int"), (nn.Sequential(), "Sequential {\n")]
)
def test_only_classes_of_containers_are_decorated(cls, got):
    with pytest.raises(DTypeError) as caught:
        nn.Decorator.decorate(cls)
    text = f"Decorator.decorate: cls must be a class of containers, got {got}"
    assert str(caught.value).startswith(text)


# ---------------------------------------------------------------- MapTable


def test_every_entry_has_a_copy_that_shares_all_arrays():
    net = MapTable(mlp(3, 4, 2))
    assert len(net.clones) == 0
    net.forward([X] * 3)
    assert len(net.clones) == 2
    assert net.size() == 1
    for clone in net.clones:
        assert clone is not net[0]
        for one, other in zip(clone.listModules(), net[0].listModules(), strict=True):
            for name in ("weight", "bias", "gradWeight", "gradBias"):
                assert getattr(one, name) is getattr(other, name)
    assert len(net.parameters()[0]) == 4
    assert net.listModules()[1:] == net[0].listModules()


def test_tables_of_changing_length():
    net = MapTable(mlp(3, 4, 2))
    for count in (3, 1, 2, 5, 0, 2):
        x = [X + i for i in range(count)]
        expected = net[0].clone()
        outputs = net.forward(x)
        assert len(outputs) == len(net.inputs) == len(net.outputs) == count
        net.zeroGradParameters()
        expected.zeroGradParameters()
        gradInput = net.backward(x, [np.ones((2, 2)) * (i + 1) for i in range(count)])
        assert len(gradInput) == len(net.gradOutputs) == count
        for i in range(count):
            assert np.array_equal(outputs[i], expected.forward(x[i]))
            assert np.array_equal(gradInput[i], expected.backward(x[i], np.ones((2, 2)) * (i + 1)))
        for got, array in zip(net.parameters()[1], expected.parameters()[1], strict=True):
            assert np.allclose(got, array)


def test_every_copy_remembers_its_own_forward():
    net = MapTable(Coin())
    random.manualSeed(5)
    x = [np.ones(50), np.ones(50)]
    outputs = net.forward(x)
    assert not np.array_equal(*outputs)
    assert np.array_equal(net.backward(x, x), outputs)


def test_copies_follow_the_module():
    net = MapTable(nn.Sequential(Coin(), linear(3, 2)))
    x = [X, X + 1]
    net.forward(x)
    net.evaluate()
    expected = [net[0][1].forward(entry) for entry in x]
    assert np.array_equal(net.forward(x), expected)
    net[0][1].noBias()
    net[0].add(nn.ReLU())
    expected = [net[0].forward(entry) for entry in x]
    assert np.array_equal(net.forward(x), expected)
    net[0].remove()
    replaced = net[0].modules[1] = linear(3, 2)
    expected = [replaced.forward(entry) for entry in x]
    assert np.array_equal(net.forward(x), expected)


def test_nothing_changes_the_copies_between_forward_and_backward():
    net = MapTable(mlp(3, 4, 2))
    x, g = [X, X + 1], [np.ones((2, 2)), -np.ones((2, 2))]
    net.forward(x)
    expected = net.backward(x, g)
    net.forward(x)
    net.evaluate()
    net.zeroGradParameters()
    _, gradients = net.getParameters()
    assert np.array_equal(net.backward(x, g), expected)
    assert gradients.any()
    before = len(net.clones)
    assert np.array_equal(net.forward(x), [net[0].clone().forward(entry) for entry in x])
    assert len(net.clones) == before


def test_copies_are_no_part_of_what_is_copied_or_cast():
    net = nn.Sequential(MapTable(mlp(3, 4, 2)))
    x = [X, X + 1, X]
    expected = net.forward(x)
    for made in (net.clone(), pickle.loads(pickle.dumps(net)), net.clone("weight", "bias")):
        assert len(made[0].clones) == 0
        assert np.array_equal(made.forward(x), expected)
    assert net.clearState() is net
    assert len(net[0].clones) == 0
    net.forward(x)
    net.float()
    assert net.forward([entry.astype("f") for entry in x])[2].dtype == np.float32


def test_a_map_in_a_map():
    net = MapTable(MapTable(linear(3, 2)))
    x = [[X, X + 1], [X + 2]]
    outputs = net.forward(x)
    assert [len(entry) for entry in outputs] == [2, 1]
    gradInput = net.backward(x, [[np.ones((2, 2))] * 2, [np.ones((2, 2))]])
    assert [len(entry) for entry in gradInput] == [2, 1]
    assert np.allclose(net[0][0].gradWeight, sum(entry.sum(0) for row in x for entry in row))


def test_a_map_shares_parameters_of_any_name():
    """Torch7 shares weight, bias, gradWeight and gradBias alone."""
    net = MapTable(WeightNorm(linear(3, 2)))
    x = [X, X + 1]
    net.forward(x)
    net.backward(x, [np.ones((2, 2))] * 2)
    alone = net[0].clone()
    alone.zeroGradParameters()
    for entry in x:
        alone.forward(entry)
        alone.backward(entry, np.ones((2, 2)))
    assert np.allclose(net[0].gradV, alone.gradV)
    assert np.allclose(net[0].gradG, alone.gradG)


def ones_and_tens():
    """Return a map without sharing, its input and gradOutput: x is 1 and 10, every weight 1."""
    net = MapTable(nn.Linear(1, 1, False), False)
    net[0].weight.fill(1)
    net.zeroGradParameters()
    return net, [np.array([1.0]), np.array([10.0])], [np.ones(1), np.ones(1)]


def test_without_sharing_every_entry_trains_a_module_of_its_own():
    net, x, g = ones_and_tens()
    net.forward(x)
    net.backward(x, g)
    net.updateParameters(0.1)
    assert [entry.item() for entry in net.forward(x)] == pytest.approx([0.9, 0])
    assert [module.weight.item() for module in net] == pytest.approx([0.9, 0])
    assert len(net.parameters()[0]) == net.size() == 2
    # The weights of an entry wait until a table is that long again.
    assert [entry.item() for entry in net.forward(x[1:])] == pytest.approx([9])
    assert net.size() == 2


@pytest.mark.parametrize("made", [deepcopy, nn.MapTable.clone, nn.MapTable.clearState])
def test_modules_of_their_own_are_carried_by_copies(made):
    net, x, _ = ones_and_tens()
    net.forward(x)
    net[1].weight.fill(3)
    other = made(net)
    assert [entry.item() for entry in other.forward(x)] == [1, 30]
    assert other.float().type() == other[1].type() == np.float32
    assert other.evaluate()[1].train is False


def test_modules_of_their_own_are_in_files(tmp_path):
    net, x, _ = ones_and_tens()
    net.forward(x)
    net[1].weight.fill(3)
    serial.save(tmp_path / "net.npz", net)
    loaded = serial.load(tmp_path / "net.npz")
    assert [entry.item() for entry in loaded.forward(x)] == [1, 30]
    into, _, _ = ones_and_tens()
    assert serial.load(tmp_path / "net.npz", into=into.resize(2))[1].weight.item() == 3


def test_resize_comes_before_getParameters():
    net, x, g = ones_and_tens()
    assert net.resize(3) is net
    parameters, gradients = net.getParameters()
    assert parameters.tolist() == [1, 1, 1]
    net.forward(x)
    net.backward(x, g)
    assert gradients.tolist() == [1, 10, 0]
    kept = net[0]
    assert net.resize(1).modules == [kept]
    with pytest.raises(StateError, match="input is not that of the last forward"):
        net.backward(x, g)


def test_resize_of_shared_copies():
    net = MapTable(linear(3, 2))
    assert len(net.resize(4).clones) == 3
    assert net.clones[2].weight is net[0].weight
    assert len(net.resize(2).clones) == 1
    assert len(net.resize(1).clones) == net.size() - 1 == 0
    assert np.array_equal(net.forward([X, X])[1], net[0].forward(X))


@pytest.mark.parametrize(
    ("n", "kind", "text"),
    [
        (0, SettingError, "n must be a whole number of at least 1, got 0"),
        (2.0, DTypeError, "n must be a whole number of at least 1, got 2.0"),
        (2, StateError, "there are no modules\n  hint: add(module)"),
    ],
)
def test_no_such_size(n, kind, text):
    with pytest.raises(kind) as caught:
        MapTable().resize(n)
    assert str(caught.value) == f"MapTable.resize: {text}"


def test_one_update_a_parameter():
    net = MapTable(linear(3, 2))
    net.forward([X] * 4)
    net.backward([X] * 4, [np.ones((2, 2))] * 4)
    before = net[0].weight.copy()
    net.updateParameters(0.5)
    assert np.allclose(net[0].weight, before - 0.5 * net[0].gradWeight)


@pytest.mark.parametrize("make", [MapTable, Decorator, Bottle, WeightNorm, NaN, Profile, DontCast])
def test_made_for_one_module(make):
    net = make(linear(3, 2))
    for call in (lambda: net.add(nn.Identity()), lambda: net.insert(nn.Identity(), 0)):
        with pytest.raises(StateError, match="it is made for one module and holds one"):
            call()
    assert net.size() == 1
    assert net.remove().add(linear(3, 1)).size() == 1


# ---------------------------------------------------------------- Bottle


def test_only_what_is_too_much_is_fused():
    net = Bottle(linear(3, 2))
    for shape in ((3,), (4, 3), (5, 4, 3), (2, 5, 4, 3), (0, 4, 3), (2, 0, 3)):
        x = np.ones(shape)
        output = net.forward(x)
        assert output.shape == (*shape[:-1], 2)
        assert net.inputs[0].ndim == min(len(shape), 2)
        assert net.backward(x, output).shape == shape


def test_a_bottle_of_transposed_input():
    net = Bottle(linear(3, 2))
    x = np.arange(24.0).reshape(3, 4, 2).T
    assert not x.flags.c_contiguous
    expected = np.array([net[0].forward(rows) for rows in x])
    assert np.allclose(net.forward(x), expected)


# ---------------------------------------------------------------- WeightNorm


def loss(net, x, g):
    return (net.forward(x) * g).sum()


@pytest.mark.parametrize("outputDim", [0, 1, -1])
def test_gradients_of_direction_and_length_accumulate(outputDim):
    """Torch7 overwrites the gradient of the call before, and mixes it in again."""
    random.manualSeed(1)
    net = WeightNorm(linear(3, 2), outputDim)
    rng = np.random.default_rng(0)
    calls = [(rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), scale) for scale in (1, -0.5, 3)]
    for x, g, scale in calls:
        net.forward(x)
        net.backward(x, g, scale)
    h = 1e-6
    for parameter, gradient in zip(*net.parameters(), strict=True):
        for index in np.ndindex(parameter.shape):
            kept = parameter[index]
            sides = []
            for step in (h, -h):
                parameter[index] = kept + step
                sides.append(sum(scale * loss(net, x, g) for x, g, scale in calls))
            parameter[index] = kept
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-6)


def test_the_weight_inside_is_scratch_paper():
    net = WeightNorm(linear(3, 2))
    inner = net[0]
    norm = np.sqrt((net.v**2).sum(1, keepdims=True) + 1e-4)
    net.forward(X)
    assert np.allclose(inner.weight, net.g * net.v / norm)
    weight, gradWeight = inner.weight, inner.gradWeight
    for _ in range(2):
        net.backward(X, np.ones((2, 2)))
        assert np.allclose(gradWeight, X.sum(0))
    assert inner.weight is weight
    assert inner.gradWeight is gradWeight
    assert np.allclose(net.gradBias, 4)
    assert net.bias is inner.bias


def test_its_parameters_are_direction_length_and_bias():
    net = WeightNorm(linear(3, 2))
    parameters, gradients = net.parameters()
    for got, expected in zip(parameters, (net.v, net.g, net.bias), strict=True):
        assert got is expected
    for got, expected in zip(gradients, (net.gradV, net.gradG, net.gradBias), strict=True):
        assert got is expected
    net[0].noBias()
    assert len(net.parameters()[0]) == 2
    assert net.bias is net.gradBias is None
    assert net.reset() is net


def test_its_flat_parameters():
    net = nn.Sequential(linear(3, 3), WeightNorm(linear(3, 2)))
    flat, gradients = net.getParameters()
    assert flat.size == 9 + 3 + 6 + 2 + 2
    net.forward(X)
    net.backward(X, np.ones((2, 2)))
    assert np.array_equal(gradients[-2:], net[1].gradBias)
    assert np.array_equal(gradients[12:18], net[1].gradV.ravel())
    flat.fill(0.5)
    assert (net[1].g == 0.5).all()
    assert (net[1].bias == 0.5).all()
    net.zeroGradParameters()
    assert not gradients.any()


def test_what_is_handed_on_is_shared_where_it_stands():
    layer = nn.WeightNorm(nn.Linear(2, 2))
    clone = layer.clone("v", "bias", "gradBias")
    assert clone.bias is layer.bias
    assert clone.v is layer.v
    assert vars(clone).keys() == vars(layer).keys()


def test_clones_share_what_is_named():
    net = WeightNorm(linear(3, 2))
    clone = net.clone("v", "g", "bias", "gradV", "gradG", "gradBias")
    assert clone.v is net.v
    assert clone.bias is net.bias is clone[0].bias
    assert len(nn.Sequential(net, clone).parameters()[0]) == 3


def test_where_it_starts():
    random.manualSeed(7)
    inner = linear(4, 3)
    net = WeightNorm(inner)
    random.manualSeed(7)
    linear(4, 3)
    assert np.array_equal(net.v, random.normal(0, np.sqrt(2 / 4), size=(3, 4)))
    assert np.allclose(net.g[:, 0], np.linalg.norm(net.v, axis=1))
    assert not net.bias.any()
    random.manualSeed(8)
    net.reset(0.1)
    random.manualSeed(8)
    assert np.array_equal(net.v, random.normal(0, 0.1, size=(3, 4)))


def test_modules_that_cannot_be_normed():
    with pytest.raises(DTypeError) as error:
        WeightNorm(nn.ReLU())
    assert str(error.value) == "WeightNorm: module must have a weight, got ReLU"
    with pytest.raises(ShapeError) as error:
        WeightNorm(linear(3, 2), 2)
    assert str(error.value) == (
        "WeightNorm: outputDim must be a dimension of the weight, which has 2, got 2"
    )


# ---------------------------------------------------------------- DontCast


def test_casts_stop_before_the_module():
    net = nn.Sequential(linear(3, 3), DontCast(linear(3, 2), True))
    assert net.float() is net
    assert net[0].weight.dtype == np.float32
    assert net[1][0].weight.dtype == net[1][0].gradWeight.dtype == np.float64
    x, g = X.astype("f"), np.ones((2, 2), "f")
    assert net.forward(x).dtype == np.float32
    assert net[1].inputs[0].dtype == np.float64
    assert net.backward(x, g).dtype == np.float32
    assert net[1].gradOutputs[0].dtype == np.float64
    assert net[1][0].gradWeight.any()
    net.double()
    assert net.forward(X).dtype == np.float64


def test_a_cast_of_itself_stops_too():
    net = DontCast(linear(3, 2)).float()
    assert net[0].weight.dtype == np.float64
    assert net.forward(X).dtype == np.float64
    with pytest.raises(DTypeError, match="input must be float64, got float32"):
        net.forward(X.astype("f"))


def test_input_and_output_are_cast_by_themselves():
    x = X.astype("f")
    net = DontCast(linear(3, 2), True, False).float()
    assert net.forward(x).dtype == np.float64
    assert net.backward(x, np.ones((2, 2))).dtype == np.float32
    net = DontCast(linear(3, 2), False, True).float()
    assert net.forward(X).dtype == np.float32
    assert net.backward(X, np.ones((2, 2), "f")).dtype == np.float64
    with pytest.raises(DTypeError, match="gradOutput must be float32, got float64"):
        net.updateGradInput(X, np.ones((2, 2)))


def test_tables_are_cast_and_integers_are_not():
    ids = np.arange(2)
    net = DontCast(nn.Identity(), True, moduleType="float32")
    output = net.forward([ids, [X, X * 1j]])
    assert net.inputs[0][0] is ids
    assert [array.dtype for array in net.inputs[0][1]] == [np.float32, np.complex64]
    assert [array.dtype for array in output[1]] == [np.float64, np.complex128]


def test_its_module_is_flattened_shared_and_cleared_like_any_other():
    net = nn.Sequential(DontCast(linear(3, 2)))
    flat, _ = net.getParameters()
    flat.fill(2)
    assert (net[0][0].weight == 2).all()
    net.forward(X)
    net.clearState()
    assert net[0][0].output.size == 0
    assert net.clone("weight")[0][0].weight is net[0][0].weight


# ---------------------------------------------------------------- NaN


def test_where_a_nan_came_from(monkeypatch):
    monkeypatch.setattr(nan_module, "_numbers", iter([0, 1]))
    net, other = NaN(linear(3, 2)), NaN(mlp(3, 2, 2))
    assert repr(net) == "NaN(0) @ Linear(3 -> 2)"
    assert repr(other).startswith("NaN(1) @ Sequential {\n  [input")

    def message(call):
        with pytest.raises(FloatingPointError) as error:
            call()
        return str(error.value)

    bad = X.copy()
    bad[1, 1] = np.nan
    ending = " of module :\nNaN(0) @ Linear(3 -> 2)"
    assert message(lambda: net.forward(bad)) == "NaN found in input" + ending
    net.forward(X)
    g = np.ones((2, 2))
    assert message(lambda: net.backward(X, g * np.nan)) == "NaN found in gradOutput" + ending
    net.forward(X)
    net.updateGradInput(X, g)
    before = net[0].gradWeight.copy()
    assert (
        message(lambda: net.accGradParameters(X, g, float("nan")))
        == "NaN found in gradParameters" + ending
    )
    assert np.array_equal(net[0].gradWeight, before)
    net[0].bias[0] = np.nan
    assert message(lambda: net.forward(X)) == "NaN found in parameters" + ending

    class Wrong(nn.Identity):
        def updateOutput(self, input):
            self.output = input if self.train else np.full_like(input, np.nan)
            return self.output

        def updateGradInput(self, input, gradOutput):
            return gradOutput * np.nan

    net = NaN(Wrong(), "w")
    net.forward(X)
    assert message(lambda: net.backward(X, X)) == (
        "NaN found in gradInput of module :\nNaN(w) @ Wrong"
    )
    assert message(lambda: net.evaluate().forward(X)) == (
        "NaN found in output of module :\nNaN(w) @ Wrong"
    )


def test_infinities_are_no_nan():
    """Torch7 looks at the sum."""
    x = np.array([np.inf, -np.inf])
    assert NaN(nn.Identity()).forward(x) is x


def test_a_nan_is_found_in_tables_and_located():
    net = nn.Sequential(NaN(nn.Identity()), CAddTable())
    with pytest.raises(FloatingPointError, match="NaN found in input of module") as error:
        net.forward([X, X * np.nan])
    assert error.value.__notes__ == ["  at [0] of Sequential: input [(2, 3), (2, 3)] -> [0] here"]
    with pytest.raises(StateError):
        net[0].updateGradInput([X, X * np.nan], [X, X])
    with pytest.raises(FloatingPointError, match="NaN found in input of module"):
        net[0].forward({"a": X, "b": [X * np.nan]})


# ---------------------------------------------------------------- Profile


def test_times_are_printed_now_and_then(monkeypatch, capsys):
    clock = iter(np.arange(0, 100, 0.25))
    monkeypatch.setattr(profile_module.time, "perf_counter", lambda: float(next(clock)))
    net = Profile(linear(3, 2), 2)
    for _ in range(3):
        net.forward(X)
        net.backward(X, np.ones((2, 2)))
    assert capsys.readouterr().out == (
        "Linear took 0.500 seconds for 2 forward passes, 250 ms each\n"
        "Linear took 1.000 seconds for 2 backward passes, 500 ms each\n"
    )
    assert (net.numFwds, net.numBwds) == (1, 1)
    net.forward(X)
    assert capsys.readouterr().out.startswith("Linear took 0.500 seconds for 2 forward passes")
    named = Profile(nn.Identity(), 1, "mine")
    named.forward(X)
    assert capsys.readouterr().out.startswith("mine took 0.250 seconds for 1 forward passes")
    assert repr(named) == "Profile @ Identity"


@pytest.mark.parametrize("change", ["replaced", "cast"])
@pytest.mark.parametrize("deep", [False, True])
def test_what_changed_since_update_grad_input_accumulates_all_or_nothing(change, deep):
    inner = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net = nn.Sequential(nn.Linear(3, 3), inner, nn.Linear(3, 3)) if deep else inner
    net.forward(X)
    net.updateGradInput(X, X)
    if change == "cast":
        inner[0].float()
    else:
        inner.modules[0] = nn.Linear(5, 3)
    with pytest.raises((DTypeError, ShapeError)):
        net.accGradParameters(X, X)
    assert not any(gradient.any() for gradient in net.parameters()[1])


def test_an_error_about_something_else_keeps_its_name():
    layer = nn.WeightNorm(nn.Linear(3, 2))
    inner, other = layer[0], nn.Linear(3, 2)
    for part, argument in ((other, "input"), (inner, "scale")):
        error = ShapeError("Linear(3 -> 2): no", layer=part, argument=argument)
        assert checks.in_the_name_of(layer, inner, error) is error
    title = checks.title(inner)
    error = ShapeError(f"{title}: not {title}", layer=inner, argument="input")
    said = str(checks.in_the_name_of(layer, inner, error))
    assert said == f"{checks.title(layer)}: not {title}"


# ---------------------------------------------------------------- what is no module


def _graph():
    x = nn.Identity()()
    return nn.gModule([x], [nn.Tanh()(nn.Linear(3, 3)(x))])


@pytest.mark.parametrize(
    ("thing", "got"),
    [
        (None, "NoneType\n  hint: nn.Identity() lets a value pass"),
        (np.tanh, "ufunc"),
        (nn.Tanh, "the class Tanh\n  hint: Tanh() makes one"),
    ],
)
@pytest.mark.parametrize(
    ("make", "input"),
    [
        (_graph, X),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.Tanh()), X),
        (lambda: Concat(1).add(nn.Linear(3, 3)).add(nn.Tanh()), X),
        (lambda: ConcatTable().add(nn.Linear(3, 3)).add(nn.Tanh()), X),
        (lambda: ParallelTable().add(nn.Linear(3, 3)).add(nn.Tanh()), [X, X]),
        (lambda: MapTable(nn.Linear(3, 3)), [X, X]),
        (lambda: Bottle(nn.Linear(3, 3)), X.reshape(1, 2, 3)),
    ],
)
def test_what_is_put_into_modules_must_be_one(make, input, thing, got):
    """Behind the container's back: its calls and parameters() say where it is."""
    net = make()
    # What was found out about the modules is known from now on.
    net.zeroGradParameters().zeroGradParameters()
    net.modules[-1] = thing
    kind, at = type(net).__name__, len(net) - 1
    for call in (
        lambda net: net.forward(input),
        lambda net: net.zeroGradParameters(),
        lambda net: net.parameters(),
    ):
        with pytest.raises(DTypeError) as caught:
            call(net)
        assert str(caught.value) == f"{kind}: modules[{at}] must be a Module, got {got}"


def test_what_is_no_module_is_found_inside():
    around = nn.Sequential(nn.Tanh(), nn.Sequential(nn.Linear(3, 3)))
    around[1].modules.append(None)
    with pytest.raises(DTypeError) as caught:
        around.parameters()
    assert str(caught.value) == (
        "Sequential[1]: modules[1] must be a Module, got NoneType\n"
        "  hint: nn.Identity() lets a value pass"
    )
    with pytest.raises(DTypeError) as caught:
        around.forward(X)
    assert str(caught.value).startswith("Sequential: modules[1] must be a Module, got NoneType\n")
    assert caught.value.__notes__ == [
        "  at [1] of Sequential: input (2, 3) -> [0] Tanh -> (2, 3) -> [1] here"
    ]


def test_errors_of_modules_are_left_alone():
    class Wrong(nn.Identity):
        def updateOutput(self, input):
            return input.nothing

        def parameters(self):
            return self.nothing

    for call in (lambda net: net.forward(X), lambda net: net.parameters()):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            call(nn.Sequential(Wrong()))
