"""Integers and booleans: who takes them, what goes back to them, and who refuses them how."""

import cases.containers
import cases.convolution
import cases.criterions
import cases.normalization
import cases.pooling
import cases.simple
import cases.simple_shapes
import cases.table
import cases.transfer
import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, ShapeError
from torchlite.nn.checks import is_integral
from torchlite.nn.nested import leaves, map_arrays
from torchlite.testing import ContractViolation, check_module

IDS = np.array([[2, 0, 1], [1, 1, 0]])
FLAGS = IDS > 0
# What gradOutput may be of, where the output is of integers: it is not looked at.
ANYTHING = ["float32", "float64", "complex128", "int8", "uint64", "bool", "float16", "longdouble"]


def same(got, expected):
    """Whether arrays, or tables of them, are equal, dtypes and shapes included."""
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[k], expected[k]) for k in expected)
    return got.dtype == expected.dtype and np.array_equal(got, expected)


MOVED = [
    (nn.Transpose((0, 1)), [[2, 1], [0, 1], [1, 0]]),
    (nn.View(3, 2), [[2, 0], [1, 1], [1, 0]]),
    (nn.Reshape(6), [2, 0, 1, 1, 1, 0]),
    (nn.Collapse(2), [2, 0, 1, 1, 1, 0]),
    (nn.Select(1, -1), [1, 0]),
    (nn.Narrow(1, 1, 2), [[0, 1], [1, 0]]),
    (nn.Squeeze(), [[2, 0, 1], [1, 1, 0]]),
    (nn.Unsqueeze(0), [[[2, 0, 1], [1, 1, 0]]]),
    (nn.Replicate(2, 2), [[[2, 2], [0, 0], [1, 1]], [[1, 1], [1, 1], [0, 0]]]),
    (nn.Contiguous(), [[2, 0, 1], [1, 1, 0]]),
    (nn.Copy("float64", "float32"), [[2, 0, 1], [1, 1, 0]]),
    (nn.Padding(1, 1, None, 1), [[2, 0, 1, 1], [1, 1, 0, 1]]),
    (nn.Identity(), [[2, 0, 1], [1, 1, 0]]),
    (nn.ZeroGrad(), [[2, 0, 1], [1, 1, 0]]),
    (nn.Sequential(), [[2, 0, 1], [1, 1, 0]]),
    (nn.Bottle(nn.Identity(), 1), [[2, 0, 1], [1, 1, 0]]),
    (nn.Concat(1, nn.Narrow(1, 0, 1), nn.Identity()), [[2, 2, 0, 1], [1, 1, 1, 0]]),
    (
        nn.DepthConcat(1, nn.Narrow(0, 0, 1), nn.Identity()),
        [[2, 0, 1, 2, 0, 1], [0, 0, 0, 1, 1, 0]],
    ),
    (nn.Parallel(0, 0, nn.Identity(), nn.Narrow(0, 0, 1)), [2, 0, 1, 1]),
    (nn.Sequential(nn.ConcatTable(nn.Identity(), nn.Select(1, 0)), nn.SelectTable(1)), [2, 1]),
]


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "uint64", "bool"])
@pytest.mark.parametrize(("layer", "expected"), MOVED, ids=[type(m).__name__ for m, _ in MOVED])
def test_what_only_moves_entries_takes_integers_and_booleans(layer, expected, dtype):
    x = IDS.astype(dtype)
    for net in (layer.clone(), layer.clone().float()):
        output = net.forward(x)
        assert same(output, np.array(expected).astype(dtype))
        for kind in ANYTHING:
            gradOutput = np.full(output.shape, 3).astype(kind)
            assert same(net.backward(x, gradOutput), np.zeros_like(x))
            assert same(net.gradInput, np.zeros_like(x))
        nothing = np.full(output.shape, np.nan, "float32")
        assert same(net.backward(x, nothing), np.zeros_like(x))


@pytest.mark.parametrize(("layer", "expected"), MOVED, ids=[type(m).__name__ for m, _ in MOVED])
def test_the_gradOutput_of_integers_has_the_shape_of_the_output(layer, expected):
    shape = np.shape(expected)
    for gradOutput, kind, got in (
        (np.zeros((7, *shape)), ShapeError, str((7, *shape))),
        (np.zeros(shape, object), DTypeError, "object"),
        (np.zeros(shape).tolist(), DTypeError, "list"),
        (None, DTypeError, "NoneType"),
    ):
        net = layer.clone()
        net.forward(IDS)
        before = net.gradInput
        with pytest.raises(kind, match=r"gradOutput.* must be .*") as error:
            net.backward(IDS, gradOutput)
        assert error.value.got == got
        assert net.gradInput is before


def test_a_gradOutput_that_is_no_number():
    with pytest.raises(DTypeError) as error:
        nn.View(3, 2).backward(IDS, np.full((3, 2), "a"))
    assert str(error.value) == (
        "View(3, 2).updateGradInput: gradOutput must be numbers or bool, got <U1"
    )


@pytest.mark.parametrize("dtype", ["object", "float16", "<U1", "datetime64[s]"])
def test_other_dtypes_are_refused(dtype):
    x = np.zeros((2, 3)).astype(dtype)
    moving = (nn.View(3, 2), nn.Contiguous(), nn.SplitTable(0), nn.Copy(), nn.ZeroGrad())
    for layer in (*moving, nn.Sequential(nn.Index(0))):
        input = [x, np.array([0])] if isinstance(layer, nn.Sequential) else x
        with pytest.raises(DTypeError) as error:
            layer.forward(input)
        assert error.value.expected == ("float32, float64, complex64, complex128, integers or bool")
    with pytest.raises(ShapeError, match="an array of at least one dimension, got"):
        nn.Contiguous().forward(np.array(3))


# ---------------------------------------------------------------- networks of ids


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["int64", "uint8"])
def test_columns_of_ids_through_one_table(dtype, kind):
    """The two errors of this network sent its user round in circles."""
    net = nn.Sequential(nn.SplitTable(1), nn.MapTable(nn.LookupTable(3, 2))).type(dtype)
    table = net[1][0]
    table.weight[:] = [[1, 2], [3, 4], [5, 6]]
    x = np.array([[0, 2], [2, 2]], kind)
    first, second = net.forward(x)
    assert same(first, np.array([[1, 2], [5, 6]], dtype))
    assert same(second, np.array([[5, 6], [5, 6]], dtype))
    gradOutput = [np.array([[1, 10], [2, 20]], dtype), np.array([[4, 40], [8, 80]], dtype)]
    assert same(net.backward(x, gradOutput), np.zeros_like(x))
    assert same(table.gradWeight, np.array([[1, 10], [0, 0], [14, 140]], dtype))


def test_a_batch_of_sentences():
    """Padded, turned, looked up, averaged over time."""
    net = nn.Sequential(
        nn.Padding(1, 1, None, 2),
        nn.Transpose((0, 1)),
        nn.Bottle(nn.LookupTable(3, 1), 1, 2),
        nn.Mean(0),
    )
    net[2][0].weight[:] = [[1], [2], [4]]
    assert same(net.forward(IDS), np.array([[(4 + 1 + 2 + 4) / 4], [(2 + 2 + 1 + 4) / 4]]))
    assert same(net.backward(IDS, np.array([[4.0], [8.0]])), np.zeros_like(IDS))
    assert same(net[2][0].gradWeight, np.array([[3.0], [5.0], [4.0]]))
    check_module(net, IDS)


def test_the_checker_asks_for_zeros_of_the_ids_dtype():
    class Turned(nn.Transpose):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = np.swapaxes(gradOutput, 0, 1)
            return self.gradInput

    check_module(Turned((0, 1)), shape=(2, 3))
    for x in (IDS, FLAGS):
        with pytest.raises(ContractViolation) as failure:
            check_module(nn.Sequential(Turned((0, 1)), nn.View(6)), x)
        assert str(failure.value).splitlines()[0] == (
            "net[0] Turned: updateGradInput: the gradient of integers and booleans is not zeros "
            f"of their dtype. Its dtype is float64, not {x.dtype}."
        )
        assert failure.value.property == "integers"


def test_a_gradOutput_of_integers_may_be_given_to_the_checker():
    for dtype in ("int64", "bool", "float32"):
        check_module(nn.View(6), IDS, gradOutput=np.ones(6, dtype))


def test_what_is_no_number_gets_zeros_of_its_dtype():
    x, g = np.ones((2, 3)), np.ones((2, 3))
    indices = np.array([1, 0], "uint8")
    assert same(nn.Index(0).backward([x, indices], g), [x, np.zeros(2, "uint8")])
    gradInput = nn.MaskedSelect().backward([x, FLAGS], np.array([1.0, 2, 3, 4]))
    assert same(gradInput, [np.array([[1.0, 0, 2], [3, 4, 0]]), np.zeros((2, 3), bool)])
    assert same(nn.OneHot(3).backward(indices, np.ones((2, 3))), np.zeros(2, "uint8"))
    assert same(nn.LookupTable(3, 4).backward(indices, np.ones((2, 4))), np.zeros(2, "uint8"))


def test_picked_integers():
    """The same id twice: numbers would be added up."""
    x, indices = np.array([5, 6, 7], "int8"), np.array([2, 2, 0])
    layer = nn.Index(0)
    assert same(layer.forward([x, indices]), np.array([7, 7, 5], "int8"))
    gradInput = layer.backward([x, indices], np.array([np.nan, np.inf, 1]))
    assert same(gradInput, [np.zeros(3, "int8"), np.zeros(3, int)])
    mask = np.array([True, False, True])
    picked = nn.MaskedSelect()
    assert same(picked.forward([mask, mask]), np.array([True, True]))
    assert same(picked.backward([mask, mask], np.array([1.0, 2.0])), [np.zeros(3, bool)] * 2)


# ---------------------------------------------------------------- tables, array by array


def test_a_table_is_judged_array_by_array():
    x, g = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    ids, ones, flags = np.array([3, 4, 5]), np.ones(3), np.array([True])
    none, off = np.zeros(3, int), np.zeros(1, bool)
    table, back = [x, [ids, flags]], [g, [ones, ones[:1]]]
    assert same(nn.Identity().backward(table, back), [g, [none, off]])
    assert same(nn.Sequential().forward(table), table)
    net = nn.Sequential()
    net.forward(table)
    assert same(net.backward(table, back), [g, [none, off]])
    flat = nn.FlattenTable()
    assert same(flat.forward(table), [x, ids, flags])
    assert same(flat.backward(table, [g, ones, ones[:1]]), [g, [none, off]])
    assert same(nn.SelectTable(1).backward(table, back[1]), [np.zeros(2), [none, off]])
    assert same(nn.NarrowTable(0, 2).backward([ids, x, flags], [ones, g]), [none, g, off])
    assert same(
        nn.ZipTable().backward([[x, ids], [x, ids]], [[g, g], [ones, ones]]), [[g, none]] * 2
    )
    pairs = nn.ZipTableOneToMany()
    assert same(pairs.backward([ids, [x, ids]], [[ones, g], [ones, ones]]), [none, [g, none]])
    assert same(pairs.backward([flags, []], []), [off, []])
    keyed = nn.Identity().backward({"x": x, "ids": ids}, {"x": g, "ids": ones})
    assert same(keyed, {"x": g, "ids": none})


def test_numbers_go_back_as_the_objects_that_they_are():
    g = [np.ones(2), {"a": np.ones(1)}]
    assert nn.Identity().backward([np.zeros(2), {"a": np.zeros(1)}], g) is g
    # It checks nothing where there are no integers.
    assert nn.Identity().backward("text", g) is g
    back = nn.Identity().backward([IDS[0], *g, None], [np.ones(3), *g, None])
    assert back[1] is g[0]
    assert back[2] is g[1]
    assert back[3] is None


def test_identity_wants_a_gradOutput_like_its_integers():
    for gradOutput, message in (
        ([np.ones(2)], "gradOutput must be a table of 2 entries, got [(2,)]"),
        ([np.ones(2), np.ones(2)], "gradOutput[1] must be (3,), got (2,)"),
        ([np.ones(2, "float32"), np.ones(3)], "gradOutput[0] must be float64, got float32"),
    ):
        with pytest.raises((ShapeError, DTypeError)) as error:
            nn.Identity().backward([np.zeros(2), IDS[0]], gradOutput)
        assert str(error.value).splitlines()[0] == f"Identity.updateGradInput: {message}"


def test_numbers_without_dimensions():
    """NumPy makes scalars of them wherever it can."""
    layer = nn.SplitTable(0)
    x = np.array([3, 4])
    assert same(layer.forward(x), [np.array(3), np.array(4)])
    for one in (np.float64(1), np.int8(1), np.array(1.0)):
        assert same(layer.backward(x, [one, one]), np.zeros(2, int))
    assert same(nn.Identity().backward(np.int64(3), np.float64(2)), np.array(0))


class Careless(nn.Module):
    """A user's: of ids it returns whatever."""

    def __init__(self, gradInput):
        self.back = gradInput

    def updateOutput(self, input):
        self.output = input
        return input

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.back
        return self.back


@pytest.mark.parametrize("container", [nn.ConcatTable, lambda *m: nn.Concat(0, *m)])
@pytest.mark.parametrize("x", [IDS, FLAGS, IDS.astype("uint8")], ids=lambda x: str(x.dtype))
def test_gradInputs_of_integers_are_not_added_up(container, x):
    for back in (np.full((2, 3), 7), np.full((2, 3), 0.5), np.full((2, 3), True)):
        net = container(Careless(back), Careless(back), nn.Identity())
        output = net.forward(x)
        gradInput = net.backward(x, map_arrays(lambda a: np.ones(a.shape), output))
        assert same(gradInput, np.zeros_like(x))


def test_gradInputs_of_tables_are_added_up_array_by_array():
    x, g = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    table = {"x": x, "more": [IDS, FLAGS]}
    back = {"x": g, "more": [7 * np.ones((2, 3)), np.ones((2, 3), bool)]}
    net = nn.ConcatTable(Careless(back), Careless(back), Careless(back))
    net.forward(table)
    gradInput = net.backward(table, [back] * 3)
    assert same(gradInput, {"x": 3 * g, "more": [np.zeros_like(IDS), np.zeros_like(FLAGS)]})


def test_arrays_that_are_joined_are_of_one_dtype():
    ids, numbers = np.array([1, 2]), np.array([0.5])
    layer = nn.JoinTable(0)
    assert same(layer.forward([ids, ids]), np.array([1, 2, 1, 2]))
    assert same(layer.forward([FLAGS[0], FLAGS[1, :1]]), np.array([True, False, True, True]))
    assert same(layer.backward([ids, ids], np.full(4, 0.5)), [np.zeros(2, int)] * 2)
    for table, message in (
        (
            [ids, numbers],
            "input[1] must be int64 like input[0], got float64\n"
            "  hint: nothing is cast here: input[0].astype('float64')",
        ),
        (
            [ids, ids.astype("int32")],
            "input[1] must be int64 like input[0], got int32\n"
            "  hint: nothing is cast here: input[0].astype('int32')",
        ),
        (
            [numbers, ids],
            "input[1] must be float64, got int64\n  hint: input[1].astype('float64')",
        ),
    ):
        for method, arguments in (("updateOutput", [table]), ("updateGradInput", [table, ids])):
            with pytest.raises(DTypeError) as error:
                getattr(layer, method)(*arguments)
            assert str(error.value) == f"JoinTable.{method}: {message}"
    net = nn.Concat(1, nn.LookupTable(3, 2), nn.Unsqueeze(2))
    with pytest.raises(DTypeError, match=r"outputs\[1\] must be float64, got int64"):
        net.forward(IDS)


# ---------------------------------------------------------------- single layers


def test_padding_of_integers_is_whole():
    x = np.array([5, 6], "uint8")
    assert same(nn.Padding(0, 1, None, 7.0).forward(x), np.array([5, 6, 7], "uint8"))
    assert same(nn.Padding(0, -1, None, 1).forward(x > 5), np.array([True, False, True]))
    big = nn.Padding(0, 1, None, 2**63).forward(x.astype("uint64"))
    assert same(big, np.array([5, 6, 2**63], "uint64"))
    for value, array, expected in (
        (0.5, x, "0 to 255 in uint8 input, got 0.5"),
        (-1, x, "0 to 255 in uint8 input, got -1"),
        (256, x, "0 to 255 in uint8 input, got 256"),
        (np.inf, x, "0 to 255 in uint8 input, got inf"),
        (np.nan, x, "0 to 255 in uint8 input, got nan"),
        (2, x > 5, "0 to 1 in bool input, got 2"),
        (128, x.astype("int8"), "-128 to 127 in int8 input, got 128"),
    ):
        layer = nn.Padding(0, 1, None, value)
        for method, arguments in (("updateOutput", [array]), ("updateGradInput", [array, array])):
            with pytest.raises(DTypeError) as error:
                getattr(layer, method)(*arguments)
            message = f"Padding.{method}: value must be a whole number from {expected}"
            assert str(error.value) == message
        # Of numbers, any value will do.
        assert layer.forward(array.astype("float64")).shape == (3,)


def test_copy_keeps_the_dtype_of_integers():
    for layer in (nn.Copy("float64", "float32"), nn.Copy(forceCopy=True)):
        output = layer.forward(IDS)
        assert same(output, IDS)
        assert not np.shares_memory(output, IDS)
    assert nn.Copy().forward(IDS) is IDS


def test_repeated_booleans_stay_booleans():
    layer = nn.Replicate(300)
    assert same(layer.backward(FLAGS, np.ones((300, 2, 3))), np.zeros((2, 3), bool))


# ---------------------------------------------------------------- who computes refuses

ROWS = [
    case
    for chapter in (
        cases.convolution,
        cases.normalization,
        cases.pooling,
        cases.simple,
        cases.simple_shapes,
        cases.table,
        cases.transfer,
    )
    for case in chapter.CASES
    if not isinstance(case.make(), (*cases.simple_shapes.MOVING, *cases.table.MOVING))
    and not isinstance(case.make(), (nn.LookupTable, nn.OneHot, nn.Identity))
]


@pytest.mark.parametrize("dtype", ["int64", "bool"])
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.id)
def test_what_computes_refuses_integers(case, dtype):
    def cast(table):
        return map_arrays(lambda a: a.astype(dtype) if a.dtype == float else a, table)

    x = case.draw(np.random.default_rng(0))
    layer = case.make()
    layer.forward(x)
    with pytest.raises(DTypeError, match=rf"must be float.*, got {dtype}"):
        case.make().forward(cast(x))
    if isinstance(layer, nn.CriterionTable):
        return
    gradOutput = map_arrays(np.ones_like, layer.output)
    # Of an output of indices, the gradient is of integers.
    if not is_integral(layer.output):
        with pytest.raises(DTypeError, match=rf"must be float.*, got {dtype}"):
            layer.backward(x, cast(gradOutput))
    if not layer.remembers:
        with pytest.raises(DTypeError, match=rf"must be float.*, got {dtype}"):
            layer.backward(cast(x), gradOutput)


@pytest.mark.parametrize("case", cases.criterions.CASES, ids=lambda case: case.id)
def test_criterions_refuse_integers_as_input(case):
    rng = np.random.default_rng(0)
    x, target = case.draw(rng), None if case.target is None else case.draw(rng, "target")
    integers = map_arrays(lambda a: a.astype("int64"), x)
    with pytest.raises(DTypeError):
        case.make().forward(integers, target)


@pytest.mark.parametrize(
    ("layer", "input"),
    [
        (nn.SpatialConvolution(3, 2, 2, 2), np.ones((4, 3, 5, 5), int)),
        (nn.SpatialConvolution(1, 2, 2, 2), np.ones((5, 5), int)),
        (nn.VolumetricMaxPooling(2, 2, 2), np.ones((3, 5, 5, 5), int)),
        (nn.SpatialBatchNormalization(3), np.ones((4, 3, 5, 5), int)),
        (nn.ReLU(), np.ones((3, 5, 5), int)),
        (nn.Linear(4, 2), np.ones((5, 4), "uint8")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_pixels_are_taken_for_no_ids(layer, input):
    """Of images, and of bytes: the hint leads to numbers, not to LookupTable."""
    with pytest.raises(DTypeError, match=r", got \w+\n  hint: input.astype\('float64'\)$"):
        layer.forward(input)


def test_errors_do_not_send_round_in_circles():
    net = nn.Sequential(nn.ReLU(), nn.LookupTable(3, 2))
    with pytest.raises(DTypeError) as error:
        net.forward(IDS)
    assert str(error.value) == (
        "ReLU.updateOutput: input must be float32, float64, complex64 or complex128, got int64\n"
        "  hint: input.astype('float64'); of ids, nn.LookupTable or nn.OneHot makes numbers to "
        "compute with"
    )
    with pytest.raises(DTypeError) as error:
        net.forward(IDS.astype("float64"))
    assert str(error.value) == (
        "LookupTable.updateOutput: input must be integers, got float64\n"
        "  hint: input.astype('int64'); layers before it that only move entries hand integers on"
    )
    assert leaves(error.value.__notes__) == [
        "  at [1] of Sequential: input (2, 3) -> [0] ReLU -> (2, 3) -> [1] here"
    ]
    with pytest.raises(DTypeError) as error:
        nn.ReLU().forward(FLAGS)
    assert error.value.hint == "input.astype('float64')"
