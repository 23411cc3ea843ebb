"""Simple layers with parameters or randomness: what their rows and Torch7's numbers leave open."""

import re

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.nn.nested import map_arrays
from torchlite.testing import maths


@pytest.fixture(autouse=True)
def _seeded():
    random.manualSeed(1)


def numbers(*shape):
    return random.normal(size=shape)


def raises(kind, text):
    """Expect an error of exactly this text."""
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


def slope(function, array, step=1e-6):
    """Return the derivative of a number by every entry of an array, by central differences."""
    slopes = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        before = array[place]
        array[place] = before + step
        ahead = function()
        array[place] = before - step
        slopes[place] = (ahead - function()) / (2 * step)
        array[place] = before
    return slopes


# ---------------------------------------------------------------- what many have in common


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nn.Bilinear(3, 4, 2), "weight"),
        (lambda: nn.LinearWeightNorm(3, 4), "v"),
        (lambda: nn.Add(4), "bias"),
        (lambda: nn.CAdd(2, 3), "bias"),
        (lambda: nn.Mul(), "weight"),
        (lambda: nn.CMul(2, 3), "weight"),
        (lambda: nn.Euclidean(3, 4), "weight"),
        (lambda: nn.WeightedEuclidean(3, 4), "weight"),
        (lambda: nn.Cosine(3, 4), "weight"),
    ],
)
def test_reset_takes_a_standard_deviation(make, name):
    layer = make()
    parameter = getattr(layer, name)
    random.manualSeed(3)
    right = random.uniform(-0.1 * 3**0.5, 0.1 * 3**0.5, size=parameter.shape)
    random.manualSeed(3)
    assert layer.reset(0.1) is layer
    assert getattr(layer, name) is parameter
    np.testing.assert_array_equal(parameter, right)
    with pytest.raises(SettingError, match="stdv must be finite and at least 0, got -1"):
        layer.reset(-1)
    np.testing.assert_array_equal(parameter, right)


@pytest.mark.parametrize("make", [lambda: nn.LookupTable(3, 4), lambda: nn.PartialLinear(3, 4)])
def test_reset_takes_the_standard_deviation_of_a_normal(make):
    layer = make()
    random.manualSeed(3)
    right = random.normal(0, 0.1, size=layer.weight.shape)
    random.manualSeed(3)
    assert layer.reset(0.1) is layer
    np.testing.assert_allclose(layer.weight, right, rtol=1e-15)
    assert not layer.reset(0).weight.any()


@pytest.mark.parametrize(
    ("make", "input"),
    [
        (lambda: nn.CMul(3), np.ones((4, 3))),
        (lambda: nn.BatchNormalization(3).evaluate(), np.ones((4, 3))),
        (lambda: nn.LookupTable(2, 3), np.zeros(4, int)),
    ],
)
def test_real_gradients_take_up_nothing_complex(make, input):
    layer = make()
    g = np.full((4, 3), 1 + 1j)
    layer.forward(input)
    layer.updateGradInput(input, g)
    with pytest.raises(DTypeError, match="gradOutput must be float64 to add to gradients"):
        layer.accGradParameters(input, g)
    assert not layer.gradWeight.any()
    with pytest.raises(DTypeError, match="gradOutput must be float64, got float32"):
        layer.accGradParameters(input, np.ones((4, 3), "float32"))


ROWS = np.linspace(-1, 1, 20).reshape(5, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("make", "input"),
    [
        (lambda: nn.Linear(4, 3), ROWS),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), ROWS),
        (lambda: nn.Bilinear(4, 4, 3), [ROWS, ROWS[::-1]]),
        (lambda: nn.CMul(4), ROWS),
        (lambda: nn.PartialLinear(4, 3), ROWS),
        (lambda: nn.LookupTable(6, 3), np.array([[1, 5, 1], [0, 1, 2]])),
        (lambda: nn.TemporalConvolution(4, 3, 2), ROWS),
    ],
)
def test_parameters_of_the_other_byte_order_are_trained_alike(make, input, dtype):
    input = map_arrays(lambda a: a if a.dtype.kind == "i" else a.astype(dtype), input)
    trained = []
    for dtype_of_parameters in (np.dtype(dtype), np.dtype(dtype).newbyteorder()):
        random.manualSeed(1)
        net = make().type(dtype)
        for layer in net.listModules():
            for name, array in vars(layer).items():
                if name in ("weight", "bias", "gradWeight", "gradBias") and array is not None:
                    setattr(layer, name, array.astype(dtype_of_parameters))
        for scale in (1, 0.5):
            output = net.forward(input)
            net.backward(input, np.ones_like(output, dtype=dtype), scale)
        net.updateParameters(0.1)
        parameters, gradients = net.parameters()
        assert {array.dtype for array in parameters + gradients} == {dtype_of_parameters}
        trained.append([output, *parameters, *gradients])
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for native, other in zip(*trained, strict=True):
        np.testing.assert_allclose(other, native, rtol=rtol, atol=rtol)


# ---------------------------------------------------------------- stability


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.LinearWeightNorm(4, 3),
        lambda: nn.PartialLinear(4, 3),
        lambda: nn.Add(4),
        lambda: nn.CMul(4),
        lambda: nn.Mul(),
        lambda: nn.Euclidean(4, 3),
        lambda: nn.WeightedEuclidean(4, 3),
        lambda: nn.Cosine(4, 3),
        lambda: nn.BatchNormalization(4),
        lambda: nn.BatchNormalization(4).evaluate(),
        lambda: nn.LayerNormalization(4),
        lambda: nn.Maxout(4, 3, 2),
        lambda: nn.L1Penalty(0.5),
        lambda: nn.GradientReversal(0.5),
    ],
)
def test_large_numbers_in_single_precision(make):
    exact = make()
    single = exact.clone().float()
    exact = single.clone().double()
    x, g = (random.uniform(-1e4, 1e4, size=(6, 4)).astype("float32") for _ in range(2))
    g = g[:, : exact.forward(x.astype("float64")).shape[1]]
    for method, got, right in (
        ("forward", single.forward(x), exact.forward(x.astype("float64"))),
        ("backward", single.backward(x, g), exact.backward(*map(np.float64, (x, g)))),
    ):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, right, 1e-4, 1e-5 * np.abs(right).max(), err_msg=method)
    for got, right in zip(single.parameters()[1], exact.parameters()[1], strict=True):
        np.testing.assert_allclose(got, right, 1e-4, 1e-5 * np.abs(right).max())


# ---------------------------------------------------------------- entry by entry


def test_a_parameter_meets_samples_of_as_many_entries():
    layer = nn.CMul(6)
    x = numbers(5, 2, 3)
    np.testing.assert_array_equal(layer.forward(x), x * layer.weight.reshape(2, 3))
    layer.backward(x, x)
    np.testing.assert_allclose(layer.gradWeight, (x * x).sum(0).reshape(6))


def test_a_one_in_the_size_fits_any_length():
    layer = nn.CAdd(1, 3, 1)
    x = numbers(4, 3, 2)
    np.testing.assert_array_equal(layer.forward(x), x + layer.bias)
    layer.backward(x, x)
    np.testing.assert_allclose(layer.gradBias, x.sum((0, 2), keepdims=True))


@pytest.mark.parametrize("size", [(1,), (1, 1), (1, 1, 1)])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (4, 2, 3)])
def test_one_entry_meets_all_entries_of_any_input(size, shape):
    x, g = numbers(*shape), numbers(*shape)
    multiply, add = nn.CMul(*size), nn.CAdd(*size)
    multiply.weight[...], add.bias[...] = 3, 2
    np.testing.assert_array_equal(multiply.forward(x), 3 * x)
    np.testing.assert_array_equal(add.forward(x), x + 2)
    np.testing.assert_array_equal(multiply.backward(x, g, 0.5), 3 * g)
    np.testing.assert_array_equal(add.backward(x, g, 0.5), g)
    np.testing.assert_allclose(multiply.gradWeight, np.full(size, 0.5 * (g * x).sum()))
    np.testing.assert_allclose(add.gradBias, np.full(size, 0.5 * g.sum()))


def test_the_size_may_be_a_tuple():
    assert nn.CMul((2, 3)).weight.shape == nn.CMul(2, 3).weight.shape == (2, 3)
    assert nn.CMul([2, 3]).size == nn.CAdd(2, 3).size == (2, 3)
    with raises(ShapeError, "CAdd: size must have at least one number, got none"):
        nn.CAdd()


def test_a_scalar_parameter_takes_any_shape():
    for shape in ((4,), (2, 3), (2, 3, 4)):
        add, mul, x = nn.Add(9, scalar=True), nn.Mul(), numbers(*shape)
        np.testing.assert_array_equal(add.forward(x), x + add.bias[0])
        np.testing.assert_array_equal(mul.forward(x), x * mul.weight[0])
        add.backward(x, x)
        mul.backward(x, x)
        np.testing.assert_allclose(add.gradBias, [x.sum()])
        np.testing.assert_allclose(mul.gradWeight, [(x * x).sum()])


def test_add_passes_on_gradOutput():
    g = numbers(5, 3)
    assert np.shares_memory(nn.Add(3).updateGradInput(numbers(5, 3), g), g)
    assert np.shares_memory(nn.CAdd(3).updateGradInput(numbers(5, 3), g), g)
    turned = numbers(3, 2, 5).T
    gradInput = nn.Add(6).updateGradInput(turned, turned)
    np.testing.assert_array_equal(gradInput, turned)
    assert not np.shares_memory(gradInput, turned)


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (lambda: nn.Add(4), (5,), "Add.updateOutput: input must be (4,) or (N, 4), got (5,)"),
        (lambda: nn.Add(4), (2, 5), "Add.updateOutput: input must be (4,) or (N, 4), got (2, 5)"),
        # Torch7 takes this for one sample.
        (
            lambda: nn.CMul(6),
            (2, 3),
            "CMul.updateOutput: input must be (6,) or (N, 6), got (2, 3)\n"
            "  hint: input.reshape(6) is one sample",
        ),
        # Torch7 multiplies row by row of memory.
        (
            lambda: nn.CMul(2, 3),
            (3, 2),
            "CMul.updateOutput: input must be (2, 3) or (N, 2, 3), got (3, 2)",
        ),
        # One number for every entry is what scalar means here.
        (lambda: nn.Add(1), (2, 5), "Add.updateOutput: input must be (*,) or (N, 1), got (2, 5)"),
        (
            lambda: nn.CMul(1, 1),
            (),
            "CMul.updateOutput: input must be an array of at least one dimension, got ()",
        ),
        (
            lambda: nn.CAdd(1, 3),
            (5, 4),
            "CAdd.updateOutput: input must be (*, 3) or (N, 1, 3), got (5, 4)",
        ),
        (
            lambda: nn.Mul(),
            (),
            "Mul.updateOutput: input must be an array of at least one dimension, got ()",
        ),
    ],
)
def test_shapes_that_do_not_fit(make, shape, text):
    with raises(ShapeError, text):
        make().forward(np.ones(shape))


# ---------------------------------------------------------------- linear maps


def test_weight_norm_accumulates_twice():
    # Torch7 scales what was accumulated before once more.
    layer = nn.LinearWeightNorm(4, 3)
    pairs = [(numbers(5, 4), numbers(5, 3)) for _ in range(2)]
    for x, g in pairs:
        layer.accGradParameters(x, g, 0.5)
    for parameter, gradient in zip(*layer.parameters(), strict=True):
        right = slope(lambda: sum(0.5 * (layer.forward(x) * g).sum() for x, g in pairs), parameter)
        np.testing.assert_allclose(gradient, right, rtol=1e-7, atol=1e-8)


def test_weight_norm_where_eps_limits_the_norm():
    # Torch7's gradient is that of a norm without limit.
    layer = nn.LinearWeightNorm(4, 3, eps=1.0)
    layer.v[...] = numbers(3, 4)
    layer.v[1] *= 1e-2
    x, g = numbers(5, 4), numbers(5, 3)
    np.testing.assert_allclose(layer.forward(x)[:, 1], x @ layer.v[1] * layer.g[1] + layer.bias[1])
    layer.accGradParameters(x, g)
    for parameter, gradient in zip(*layer.parameters(), strict=True):
        right = slope(lambda: (layer.forward(x) * g).sum(), parameter)
        np.testing.assert_allclose(gradient, right, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("bias", [True, False])
def test_weight_norm_from_linear_and_back(bias):
    linear = nn.Linear(4, 3, bias).float()
    layer = nn.LinearWeightNorm.fromLinear(linear)
    x = numbers(5, 4).astype("float32")
    assert layer.type() == np.float32
    np.testing.assert_allclose(layer.forward(x), linear.forward(x), rtol=1e-5)
    layer.g *= 2
    back = layer.toLinear()
    assert type(back) is nn.Linear
    assert back.type() == np.float32
    np.testing.assert_allclose(back.weight, 2 * linear.weight, rtol=1e-6)
    assert (back.bias is None) is not bias


def test_weight_norm_shows_its_weight_but_does_not_keep_it():
    layer = nn.LinearWeightNorm(4, 3)
    assert layer.weight is None
    layer.forward(numbers(5, 4))
    np.testing.assert_allclose(layer.weight, layer.v, rtol=1e-14)
    layer.v *= 2
    x, g = numbers(5, 4), numbers(5, 3)
    np.testing.assert_allclose(layer.updateGradInput(x, g), g @ (layer.v / 2))
    assert layer.clone().weight is layer.clearState().weight is None
    assert [p.shape for p in layer.parameters()[0]] == [(3, 4), (3, 1), (3,)]
    assert repr(layer.noBias()) == "LinearWeightNorm(4 -> 3) without bias"
    with raises(
        ShapeError,
        "LinearWeightNorm(4 -> 3) without bias.initFromWeight: weight must be (3, 4), got (4, 3)",
    ):
        layer.initFromWeight(np.ones((4, 3)))


def test_bilinear_says_what_does_not_fit():
    layer = nn.Bilinear(3, 4, 2)
    for bad, got in (
        ([np.ones((5, 3)), np.ones((5, 3))], "[(5, 3), (5, 3)]"),
        ([np.ones((5, 3)), np.ones((4, 4))], "[(5, 3), (4, 4)]"),
        ([np.ones(3), np.ones(4)], "[(3,), (4,)]"),
        ([np.ones((5, 3))], "[(5, 3)]"),
        (np.ones((2, 3)), "(2, 3)"),
    ):
        with raises(
            ShapeError,
            "Bilinear(3x4 -> 2).updateOutput: input must be [(N, 3), (N, 4)], got " + got,
        ):
            layer.forward(bad)


def test_bilinear_takes_any_scale():
    # Torch7's gradWeight ignores it, and a negative one is refused.
    layer = nn.Bilinear(3, 4, 2)
    x, g = [numbers(5, 3), numbers(5, 4)], numbers(5, 2)
    before = layer.weight.copy()
    layer.accUpdateGradParameters(x, g, 0.5)
    right = np.einsum("nk,ni,nj->kij", g, *x)
    np.testing.assert_allclose(layer.weight, before - 0.5 * right)
    layer.accGradParameters(x, g, -2)
    np.testing.assert_allclose(layer.gradWeight, -2 * right)


def test_partial_linear_trains_its_partition_only():
    layer = nn.PartialLinear(3, 5)
    x, g = numbers(4, 3), numbers(4, 2)
    whole = layer.forward(x)
    assert layer.setPartition([4, 1]) is layer
    np.testing.assert_allclose(layer.forward(x), whole[:, [4, 1]])
    before = layer.weight.copy(), layer.bias.copy()
    layer.backward(x, g)
    layer.updateParameters(0.5)
    others = [0, 2, 3]
    np.testing.assert_array_equal(layer.weight[others], before[0][others])
    np.testing.assert_allclose(layer.weight[[4, 1]], before[0][[4, 1]] - 0.5 * g.T @ x)
    np.testing.assert_allclose(layer.bias[0, [4, 1]], before[1][0, [4, 1]] - 0.5 * g.sum(0))
    assert layer.resetPartition().forward(x).shape == (4, 5)


def test_partial_linear_without_bias():
    # Torch7 fails to zero and to update it.
    layer = nn.PartialLinear(3, 5, bias=False)
    x, g = numbers(4, 3), numbers(4, 5)
    before = layer.weight.copy()
    layer.zeroGradParameters().backward(x, g)
    layer.updateParameters(0.5)
    np.testing.assert_allclose(layer.weight, before - 0.5 * g.T @ x)
    assert repr(layer) == "PartialLinear(3 -> 5) without bias"


def test_partial_linear_refuses_outputs_that_it_does_not_have():
    layer = nn.PartialLinear(3, 5)
    with raises(
        IndexError,
        "PartialLinear(3 -> 5).setPartition: indices[1] = 5 is out of range for 5 outputs, "
        "counting from 0",
    ):
        layer.setPartition([0, 5])
    with raises(
        IndexError,
        "PartialLinear(3 -> 5).setPartition: indices = -1 is out of range for 5 outputs, "
        "counting from 0",
    ):
        layer.setPartition(-1)
    with pytest.raises(DTypeError):
        layer.setPartition([0.5])
    with pytest.raises(ShapeError):
        layer.setPartition([[0]])
    assert layer.partition.tolist() == [0, 1, 2, 3, 4]


# ---------------------------------------------------------------- LookupTable


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64"])
def test_ids_of_any_integer_dtype(dtype):
    layer = nn.LookupTable(100, 7)
    ids = np.array([[99, 0, 99], [5, 99, 64]], dtype)
    g = numbers(2, 3, 7)
    np.testing.assert_array_equal(layer.forward(ids), layer.weight[ids.astype(int)])
    gradInput = layer.backward(ids, g)
    assert gradInput.dtype == ids.dtype
    assert not gradInput.any()
    right = np.zeros((100, 7))
    for id, row in zip(ids.reshape(-1).tolist(), g.reshape(-1, 7), strict=True):
        right[id] += row
    np.testing.assert_allclose(layer.gradWeight, right)


def test_gradients_reach_a_gradWeight_in_any_layout():
    layer = nn.LookupTable(5, 3)
    layer.gradWeight = np.zeros((3, 5)).T
    layer.backward(np.array([1, 1, 4]), np.ones((3, 3)))
    np.testing.assert_array_equal(layer.gradWeight[:, 0], [0, 2, 0, 0, 1])


def test_ids_that_do_not_fit():
    layer = nn.LookupTable(5, 3)
    with raises(
        IndexError,
        "LookupTable.updateOutput: input[3] = 10 is out of range for 5 rows, counting from 0",
    ):
        layer.forward(np.array([0, 1, 2, 10]))
    with raises(
        IndexError,
        "LookupTable.updateOutput: input[1, 0] = -1 is out of range for 5 rows, counting from 0",
    ):
        layer.forward(np.array([[0, 4], [-1, 2]]))
    with raises(
        DTypeError,
        "LookupTable.updateOutput: input must be integers, got float64\n"
        "  hint: input.astype('int64'); layers before it that only move entries hand integers on",
    ):
        layer.forward(np.ones(2))
    with pytest.raises(DTypeError):
        layer.forward(np.ones(2, bool))
    with raises(
        DTypeError,
        "LookupTable.updateOutput: input must be an array, got list\n"
        "  hint: np.array(input, dtype='int64')",
    ):
        layer.forward([0, 1])
    with raises(
        ShapeError, "LookupTable.updateOutput: input must be (n,) or (N, n), got (1, 1, 1)"
    ):
        layer.forward(np.zeros((1, 1, 1), int))
    with raises(ShapeError, "LookupTable.accGradParameters: gradOutput must be (2, 3), got (2, 4)"):
        layer.accGradParameters(np.zeros(2, int), np.ones((2, 4)))
    assert not layer.gradWeight.any()


def test_padding_has_a_row_but_no_gradient():
    ids, g = np.array([0, 2, 2, 1]), numbers(4, 3)
    for padded in (nn.LookupTable(4, 3, 2), nn.LookupTable(4, 3).setPadding(2)):
        np.testing.assert_array_equal(padded.forward(ids), padded.weight[ids])
        before = padded.weight.copy()
        padded.backward(ids, g)
        assert not padded.gradWeight[2].any()
        np.testing.assert_array_equal(padded.gradWeight[[0, 1]], g[[0, 3]])
        padded.accUpdateGradParameters(ids, g, 1)
        np.testing.assert_array_equal(padded.weight[2], before[2])


@pytest.mark.parametrize("none", [None, -1])
def test_no_padding(none):
    for layer in (nn.LookupTable(4, 3, none), nn.LookupTable(4, 3, 0).setPadding(none)):
        assert layer.paddingValue == -1
        layer.backward(np.array([0, 3]), np.ones((2, 3)))
        np.testing.assert_array_equal(layer.gradWeight[:, 0], [1, 0, 0, 1])


def test_the_first_row_can_be_padding():
    layer = nn.LookupTable(4, 3, 0)
    layer.backward(np.array([0, 3]), np.ones((2, 3)))
    np.testing.assert_array_equal(layer.gradWeight[:, 0], [0, 0, 0, 1])


@pytest.mark.parametrize("normType", [1, 2, 3])
def test_maxNorm_shortens_the_rows_looked_up(normType):
    layer = nn.LookupTable(4, 3).setMaxNorm(0.5).setNormType(normType)
    layer.weight[...] = [[1, -2, 3], [0.1, 0.1, -0.1], [4, 5, 6], [-7, 8, 9]]
    before, weight = layer.weight.copy(), layer.weight
    layer.forward(np.array([3, 0, 1, 3]))
    assert layer.weight is weight
    np.testing.assert_array_equal(weight[[1, 2]], before[[1, 2]])
    norms = (np.abs(before) ** normType).sum(1, keepdims=True) ** (1 / normType)
    np.testing.assert_allclose(weight[[0, 3]], (before * 0.5 / norms)[[0, 3]], rtol=1e-6)


def test_maxNorm_leaves_a_row_of_just_that_norm():
    layer = nn.LookupTable(1, 2, maxNorm=5)
    layer.weight[...] = [[3, 4]]
    layer.forward(np.array([0]))
    np.testing.assert_array_equal(layer.weight, [[3, 4]])


def test_renorm_shortens_as_a_forward_does():
    table = nn.LookupTable(3, 2, maxNorm=1)
    table.weight[...] = [[3, 4], [0.3, 0.4], [6, 8]]
    with raises(
        IndexError, "LookupTable.renorm: input[0] = 3 is out of range for 3 rows, counting from 0"
    ):
        table.renorm(np.array([3]))
    assert table.renorm(np.array([[0, 1], [1, 0]])) is table
    np.testing.assert_allclose(table.weight, [[0.6, 0.8], [0.3, 0.4], [6, 8]], rtol=1e-7)
    table.setMaxNorm(None).renorm(np.array([2]))
    assert table.weight[2].tolist() == [6, 8]


@pytest.mark.parametrize("size", [1e20, 1e30])
def test_maxNorm_shortens_rows_of_any_length(size):
    table = nn.LookupTable(2, 2, maxNorm=2).float()
    table.weight[...] = np.array([[3, 4], [0, 0]]) * size
    np.testing.assert_allclose(table.forward(np.array([0, 1])), [[1.2, 1.6], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize("kind", [nn.Euclidean, nn.WeightedEuclidean])
@pytest.mark.parametrize(
    ("dtype", "size"), [("float32", 1e20), ("float32", 1e-25), ("float64", 1e200), ("float64", 1)]
)
def test_distances_of_any_length(kind, dtype, size):
    layer = kind(2, 2).type(dtype)
    x, g = (np.array([[3, 4], [0, 0]]) * size).astype(dtype), np.ones((2, 2), dtype)
    layer.weight[...] = [[0, 0], [0, 4 * size]]
    expected = np.array([[5, 3], [0, 4]], dtype)
    np.testing.assert_allclose(layer.forward(x) / np.dtype(dtype).type(size), expected, rtol=1e-6)
    gradInput = layer.backward(x, g)
    if size >= 1:
        np.testing.assert_allclose(gradInput, [[1.6, 0.8], [0, -1]], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(layer.gradWeight, [[-0.6, -1], [-0.8, 1]], rtol=1e-6)
    if size >= 1 and kind is nn.WeightedEuclidean:
        got = layer.gradDiagCov / np.dtype(dtype).type(size)
        np.testing.assert_allclose(got, [[1.8, 3], [3.2, 4]], rtol=1e-6)
    # What has no end stays without, and what is no number none.
    with np.errstate(invalid="ignore"):
        unending = layer.forward(np.array([[np.inf, 0], [np.nan, size]], dtype))
    assert np.isinf(unending[0]).all()
    assert np.isnan(unending[1]).all()


@pytest.mark.parametrize("argument", ["maxNorm", "normType"])
@pytest.mark.parametrize("value", [0, float("inf"), float("nan")])
def test_norms_are_positive_and_finite(argument, value):
    with raises(SettingError, f"LookupTable: {argument} must be positive and finite, got {value}"):
        nn.LookupTable(4, 3, **{argument: value})


def test_gradients_divided_by_frequency():
    layer = nn.LookupTable(4, 3).scaleGradByFreq()
    ids, g = np.array([2, 0, 2, 2]), numbers(4, 3)
    layer.accGradParameters(ids, g, 3)
    np.testing.assert_allclose(layer.gradWeight[2], 3 * g[[0, 2, 3]].mean(0))
    np.testing.assert_allclose(layer.gradWeight[0], 3 * g[1])


def test_updating_without_a_gradient():
    layer = nn.LookupTable(6, 3)
    ids, g = np.array([[1, 3], [3, 5]]), numbers(2, 2, 3)
    right = layer.clone()
    right.backward(ids, g)
    right.updateParameters(0.5)

    layer.gradWeight[...] = 7
    layer.accUpdateGradParameters(ids, g, 0.5)
    np.testing.assert_allclose(layer.weight, right.weight)
    assert (layer.gradWeight == 7).all()

    assert layer.accUpdateOnly() is layer
    assert layer.gradWeight is None
    assert layer.parameters() == ([], [])
    layer.zeroGradParameters().updateParameters(1)
    np.testing.assert_allclose(layer.weight, right.weight)
    right.zeroGradParameters().backward(ids, g)
    right.updateParameters(0.5)
    layer.backwardUpdate(ids, g, 0.5)
    np.testing.assert_allclose(layer.weight, right.weight)
    with raises(
        StateError,
        "LookupTable.accGradParameters: there is no gradWeight after accUpdateOnly()\n"
        "  hint: call accUpdateGradParameters or backwardUpdate",
    ):
        layer.accGradParameters(ids, g)


# ---------------------------------------------------------------- distances and angles


def test_at_a_centre_the_gradient_is_zero():
    for layer in (nn.Euclidean(2, 2), nn.WeightedEuclidean(2, 2)):
        layer.weight[...] = [[1, 4], [2, 6]]
        x = np.array([[1.0, 2.0]])
        np.testing.assert_array_equal(layer.forward(x), [[0, 5]])
        np.testing.assert_array_equal(layer.backward(x, np.array([[1.0, 0.0]])), [[0, 0]])
        assert not any(gradient.any() for gradient in layer.parameters()[1])


def test_backward_divides_by_the_distance_and_a_little_more():
    layer = nn.Euclidean(1, 1)
    layer.weight[...] = 0
    for distance in (1.0, 1e-6):
        gradInput = layer.updateGradInput(np.array([distance]), np.array([1.0]))
        np.testing.assert_allclose(gradInput, distance / (distance + 1e-7), rtol=1e-13)


def test_weighted_euclidean_accumulates_with_any_scale():
    # Torch7 spoils its buffers in the first call, and gradDiagCov of one sample has no scale.
    layer = nn.WeightedEuclidean(4, 3)
    layer.diagCov[...] = numbers(4, 3)
    x, g = numbers(4), numbers(3)
    layer.accGradParameters(x, g, 2)
    layer.accGradParameters(x, g, -0.5)
    for parameter, gradient in zip(*layer.parameters(), strict=True):
        right = slope(lambda: 1.5 * (layer.forward(x) * g).sum(), parameter)
        np.testing.assert_allclose(gradient, right, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("batch", [(5,), ()])
def test_cosine_honours_scale(batch):
    # Torch7's gradWeight ignores it, for one sample in part.
    layer = nn.Cosine(4, 3)
    x, g = numbers(*batch, 4), numbers(*batch, 3)
    layer.accGradParameters(x, g, -2)
    right = slope(lambda: -2 * (layer.forward(x) * g).sum(), layer.weight)
    np.testing.assert_allclose(layer.gradWeight, right, rtol=1e-5, atol=1e-7)


def test_the_cosine_of_a_vector_of_zeros_is_zero():
    layer = nn.Cosine(2, 2)
    layer.weight[...] = [[0, 0], [3, 4]]
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(layer.forward(x), [[0, 1], [0, 0]], atol=1e-11)
    assert np.isfinite(layer.backward(x, np.ones((2, 2)))).all()
    assert np.isfinite(layer.gradWeight).all()


# ---------------------------------------------------------------- noise


def test_dropout_draws_as_torch7_does():
    layer, x = nn.Dropout(0.25), numbers(4, 5)
    random.manualSeed(11)
    mask = random.bernoulli(0.75, size=(4, 5))
    following = random.random()
    random.manualSeed(11)
    np.testing.assert_array_equal(layer.forward(x), x * (mask / 0.75))
    assert random.random() == following
    np.testing.assert_array_equal(layer.noise, mask / 0.75)
    np.testing.assert_array_equal(layer.backward(x, x), x * (mask / 0.75))


def test_dropout_draws_nothing_where_it_drops_nothing():
    x = numbers(4, 5)
    random.manualSeed(11)
    first = random.random()
    for layer in (nn.Dropout(0), nn.Dropout().evaluate(), nn.SpatialDropout().evaluate()):
        random.manualSeed(11)
        layer.forward(x.reshape(4, 5, 1))
        assert random.random() == first
        assert layer.noise.size == 0
    # Torch7's SpatialDropout draws for p = 0, too.
    random.manualSeed(11)
    nn.SpatialDropout(0).forward(x.reshape(4, 5, 1))
    assert random.random() != first


@pytest.mark.parametrize(
    ("make", "shape", "planes"),
    [
        (lambda: nn.SpatialDropout(), (4, 8, 3, 2), (4, 8)),
        (lambda: nn.SpatialDropout(), (8, 3, 2), (8,)),
        (lambda: nn.VolumetricDropout(), (4, 8, 2, 3, 2), (4, 8)),
        (lambda: nn.VolumetricDropout(), (8, 2, 3, 2), (8,)),
    ],
)
def test_whole_planes_are_dropped(make, shape, planes):
    layer = make()
    random.manualSeed(5)
    mask = random.bernoulli(0.5, size=planes)
    random.manualSeed(5)
    kept = layer.forward(np.ones(shape))
    assert 0 < mask.mean() < 1
    np.testing.assert_array_equal(kept.reshape(*planes, -1).min(-1), mask)
    np.testing.assert_array_equal(kept.reshape(*planes, -1).max(-1), mask)
    # Evaluation shrinks, and has a backward, which Torch7's has not.
    layer.evaluate()
    np.testing.assert_array_equal(layer.forward(np.ones(shape)), np.full(shape, 0.5))
    gradInput = layer.backward(np.ones(shape), np.full(shape, 3.0))
    np.testing.assert_array_equal(gradInput, np.full(shape, 1.5))


def test_dropping_planes_needs_planes():
    with raises(
        ShapeError,
        "SpatialDropout(0.500000).updateOutput: input must be (C, H, W) or (N, C, H, W), "
        "got (2, 3)",
    ):
        nn.SpatialDropout().forward(np.ones((2, 3)))
    with raises(
        ShapeError,
        "VolumetricDropout(0.500000).updateOutput: input must be (C, T, H, W) or "
        "(N, C, T, H, W), got (2, 3, 4)",
    ):
        nn.VolumetricDropout().forward(np.ones((2, 3, 4)))


def test_the_first_version_shrinks_in_evaluation():
    layer, x = nn.Dropout(0.25, v1=True), numbers(4, 5)
    layer.forward(x)
    assert set(np.unique(layer.noise)) <= {0, 1}
    layer.evaluate()
    np.testing.assert_allclose(layer.forward(x), 0.75 * x)
    # Torch7 divides by 0.75.
    np.testing.assert_allclose(layer.backward(x, x), 0.75 * x)


def test_dropout_passes_on_what_it_does_not_change():
    x = numbers(4, 5)
    for layer in (nn.Dropout(0), nn.Dropout().evaluate()):
        assert layer.forward(x) is x
        assert layer.backward(x, x) is x


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Dropout(0.5, stochasticInference=True),
        lambda: nn.SpatialDropout(0.5, stochasticInference=True),
        lambda: nn.VolumetricDropout(0.5, True),
    ],
)
def test_stochastic_inference_masks_its_gradient(make):
    # Torch7 passes on the gradient of Dropout, and refuses that of the others.
    layer = make().evaluate()
    x, g = numbers(2, 20, 1, 1, 1), numbers(2, 20, 1, 1, 1)
    if isinstance(layer, nn.SpatialDropout):
        x, g = x[..., 0], g[..., 0]
    output = layer.forward(x)
    assert (output == 0).any()
    assert not (output == 0).all()
    np.testing.assert_array_equal(layer.backward(x, g), g * layer.noise)


def test_dropout_in_place_writes_nowhere():
    layer, x = nn.Dropout(0.5, False, True), numbers(4, 5)
    before = x.copy()
    layer.backward(x, layer.forward(x))
    np.testing.assert_array_equal(x, before)
    assert layer.inplace


def test_a_mask_belongs_to_its_input():
    layer, x = nn.Dropout(), numbers(4, 5)
    text = (
        "Dropout(0.500000).updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: the mask is drawn there"
    )
    with raises(StateError, text) as caught:
        layer.backward(x, x)
    assert caught.value.expected == "a forward before"
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(x.copy(), x), x * layer.noise)
    with raises(StateError, text) as caught:
        layer.backward(x + 1, x)
    assert caught.value.expected == "input (4, 5)"
    with pytest.raises(StateError, match="remembers its forward"):
        nn.Sequential(layer, layer)
    # A forward that draws nothing forgets the mask, and so do copies.
    assert layer.clone().noise.size == 0
    layer.evaluate().forward(x)
    with raises(StateError, text):
        layer.training().backward(x, x)
    layer.forward(x)
    assert layer.clearState().noise.size == 0


@pytest.mark.parametrize("kind", ["Dropout", "SpatialDropout", "VolumetricDropout"])
def test_p_is_a_probability_less_than_one(kind):
    layer = getattr(nn, kind)(0.25)
    for p in (1, -0.1, float("nan")):
        text = f"{kind}: p must be at least 0 and less than 1, got {p!r}"
        with raises(SettingError, text):
            getattr(nn, kind)(p)
        with raises(SettingError, text):
            layer.setp(p)
    with raises(DTypeError, f"{kind}(0.500000).setp: p must be a number, got '0.5'"):
        getattr(nn, kind)("0.5")
    assert layer.p == 0.25
    assert repr(layer.setp(0.5)) == f"{kind}(0.500000)"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_white_noise_draws_as_torch7_does(dtype):
    layer, x = nn.WhiteNoise(0.1, 0.3), numbers(4, 5).astype(dtype)
    random.manualSeed(11)
    noise = random.normal(0.1, 0.3, out=np.empty((4, 5), dtype))
    random.manualSeed(11)
    np.testing.assert_array_equal(layer.forward(x), x + noise)
    np.testing.assert_array_equal(layer.noise, noise)
    assert layer.clearState() is layer
    assert layer.noise.size == 0


def test_white_noise_prints_its_mean_and_std():
    assert repr(nn.WhiteNoise()) == "WhiteNoise mean: 0.000000, std: 0.100000"


def test_white_noise_has_a_gradient_in_evaluation():
    layer, x = nn.WhiteNoise(0.5, 0.3).evaluate(), numbers(4, 5)
    np.testing.assert_array_equal(layer.forward(x), x + 0.5)
    assert layer.backward(x, x) is x
    with raises(SettingError, "WhiteNoise: std must be positive and finite, got 0"):
        nn.WhiteNoise(0, 0)


# ---------------------------------------------------------------- what only changes the gradient


@pytest.mark.parametrize("sizeAverage", [False, True])
@pytest.mark.parametrize("provideOutput", [False, True])
def test_the_gradient_of_a_penalty(sizeAverage, provideOutput):
    layer = nn.L1Penalty(0.5, sizeAverage, provideOutput)
    x, g = numbers(3, 4), numbers(3, 4)

    def total():
        output = layer.forward(x)
        return layer.loss + provideOutput * (output * g).sum()

    np.testing.assert_allclose(layer.backward(x, g), slope(total, x), rtol=1e-7, atol=1e-8)
    layer.forward(x)
    assert type(layer.loss) is float
    assert layer.loss == pytest.approx(0.5 * np.abs(x).sum() / (12 if sizeAverage else 1))
    assert layer.clearState().loss is None


def test_the_penalty_of_zero_has_no_slope():
    layer, x = nn.L1Penalty(3), np.array([0.0, -0.0, -2.0])
    assert layer.forward(x) is x
    assert layer.loss == 6
    np.testing.assert_array_equal(layer.backward(x, np.zeros(3)), [0, 0, -3])
    empty = nn.L1Penalty(3, True)
    empty.forward(np.zeros((0, 3)))
    assert empty.loss == 0


def test_gradient_reversal():
    layer, x = nn.GradientReversal(), numbers(3, 4)
    assert layer.forward(x) is x
    np.testing.assert_array_equal(layer.backward(x, x), -x)
    assert layer.setLambda(0.25) is layer
    assert layer.lambda_ == 0.25
    np.testing.assert_array_equal(layer.backward(x, x), -0.25 * x)


# ---------------------------------------------------------------- layers made of layers


@pytest.mark.parametrize("make", [lambda: nn.LayerNormalization(3), lambda: nn.Maxout(3, 2, 4)])
def test_networks_do_what_their_maths_says(make):
    layer = make()
    x = numbers(5, 3)
    g = numbers(*layer.forward(x).shape)
    gradInput = layer.backward(x, g)
    said = maths.evaluate(maths.statements(type(layer)), layer, input=x, gradOutput=g, scale=1)
    np.testing.assert_allclose(layer.output, said["output"], rtol=1e-9)
    np.testing.assert_allclose(gradInput, said["gradInput"], rtol=1e-7, atol=1e-12)


def test_maxout_calls_preprocess_before_the_largest_is_taken():
    layer = nn.Maxout(3, 2, 4, nn.ReLU())
    x = numbers(5, 3)
    maps = (x @ layer.get(0).weight.T + layer.get(0).bias).reshape(5, 4, 2)
    np.testing.assert_allclose(layer.forward(x), np.maximum(maps, 0).max(1))
    assert [type(module).__name__ for module in layer] == ["Linear", "View", "ReLU", "Max"]


@pytest.mark.parametrize("make", [lambda: nn.LayerNormalization(3), lambda: nn.Maxout(3, 2, 4)])
def test_one_sample_goes_through_a_network_as_a_batch_of_one(make):
    layer, outer = make(), nn.Sequential(make(), nn.Identity())
    x, g = numbers(3), numbers(*layer.forward(numbers(3)).shape)
    single = layer.clone()
    output = single.forward(x)
    assert output.shape == single.output.shape == g.shape
    assert single.activations[0].shape == (1, 3)
    gradInput = single.backward(x, g, 0.5)
    assert gradInput.shape == single.gradInput.shape == (3,)
    np.testing.assert_array_equal(layer.forward(x[None]), output[None])
    np.testing.assert_array_equal(layer.backward(x[None], g[None], 0.5), gradInput[None])
    for ours, theirs in zip(single.parameters()[1], layer.parameters()[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    outer.forward(x)
    outer.backward(x, g)
    single.gradInput = None
    single.forward(x)
    assert single.backward(x, g) is None
    with pytest.raises(StateError, match="input is not that of the last forward"):
        single.backward(x + 1, g)


# ---------------------------------------------------------------- SparseLinear, IndexLinear, Kmeans


KEYS = [np.array([3, 0, 3, 1]), np.array([], "int64"), np.array([2])]
VALUES = [np.array([0.5, -1.25, 2.0, 3.0]), np.array([]), np.array([-2.0])]
PAIRS = [np.stack([k, v], 1) for k, v in zip(KEYS, VALUES, strict=True)]
FULL = np.zeros((3, 3, 2))
for row, pair in zip(FULL[1:], PAIRS[1:], strict=True):
    row[: len(pair)] = pair
FLAT = [np.concatenate(KEYS), np.concatenate(VALUES), np.array([4, 0, 1])]


def dense_of(keys, values):
    rows = np.zeros((len(keys), 5))
    for i, pair in enumerate(zip(keys, values, strict=True)):
        np.add.at(rows[i], *pair)
    return rows


@pytest.mark.parametrize(
    ("make", "input", "samples"),
    [
        (lambda: nn.SparseLinear(5, 2, True), PAIRS, slice(None)),
        (lambda: nn.SparseLinear(5, 2, True), PAIRS[0], 0),
        (lambda: nn.SparseLinear(5, 2, True), FULL[1:], slice(1, None)),
        (lambda: nn.SparseLinear(5, 2, True), [], slice(0)),
        (lambda: nn.IndexLinear(5, 2, True), [KEYS, VALUES], slice(None)),
        (lambda: nn.IndexLinear(5, 2, True), [KEYS[0], VALUES[0]], 0),
        (lambda: nn.IndexLinear(5, 2, True), FLAT, slice(None)),
        (lambda: nn.IndexLinear(5, 2, True), [[], []], slice(0)),
    ],
)
def test_sparse_samples_give_what_dense_ones_give(make, input, samples):
    layer, linear = make().reset(), nn.Linear(5, 2)
    turned = isinstance(layer, nn.IndexLinear)
    linear.weight[:] = layer.weight.T if turned else layer.weight
    linear.bias[:] = layer.bias
    x = dense_of(KEYS, VALUES)[samples]
    assert np.allclose(layer.forward(input), linear.forward(x), atol=0, rtol=1e-14)
    gradOutput = numbers(*linear.output.shape)
    gradInput = layer.backward(input, gradOutput, 0.5)
    expected = linear.backward(x, gradOutput, 0.5)
    assert np.allclose(
        layer.gradWeight.T if turned else layer.gradWeight, linear.gradWeight, rtol=1e-14
    )
    assert np.allclose(layer.gradBias, linear.gradBias, rtol=1e-14)
    if len(x):
        if turned:
            keys, values = map(np.asarray, gradInput)
        else:
            keys, values = np.moveaxis(np.asarray(gradInput), -1, 0)
        assert (keys == np.arange(5)).all()
        assert keys.shape == expected.shape
        assert np.allclose(values, expected, rtol=1e-14)
    layer.doGradInput = False
    assert layer.updateGradInput(input, gradOutput) == []


def test_IndexLinear_takes_an_offset_and_arrays_of_others():
    weight, bias = numbers(5, 2), numbers(2)
    layer = nn.IndexLinear(0, 0, True, 2, weight, bias)
    assert layer.weight is weight
    assert layer.bias is bias
    keys, values = np.array([-2, 1]), np.array([2.0, 3.0])
    assert np.allclose(layer.forward([keys, values]), 2 * weight[0] + 3 * weight[3] + bias)
    gradInput = layer.updateGradInput([keys, values], np.array([1.0, 0.0]))
    assert gradInput[0].tolist() == [-2, -1, 0, 1, 2]
    assert (gradInput[1] == weight[:, 0]).all()


@pytest.mark.parametrize(
    ("layer", "input", "kind", "text"),
    [
        (
            nn.SparseLinear(5, 2), np.array([[1.5, 1.0]]), DTypeError,
            "SparseLinear.updateOutput: input must be whole numbers as indices, got 1.5",
        ),
        (
            nn.SparseLinear(5, 2), np.array([[0.0, 1.0], [5.0, 1.0]]), IndexError,
            "SparseLinear.updateOutput: the indices[1] = 5.0 is out of range for 5 "
            "entries, counting from 0",
        ),
        (
            nn.SparseLinear(5, 2), [np.zeros((3, 3))], ShapeError,
            "SparseLinear.updateOutput: input[0] must be (n, 2), got (3, 3)",
        ),
        (
            nn.IndexLinear(5, 2, False, 1), [np.array([0, 4]), np.ones(2)], IndexError,
            "IndexLinear.updateOutput: input[0][1] = 4 is out of range for 5 rows, "
            "counting from 0",
        ),
        (
            nn.IndexLinear(5, 2), [np.array([0, 4]), np.ones(3)], ShapeError,
            "IndexLinear.updateOutput: input[1] must be (2,), got (3,)",
        ),
        (
            nn.IndexLinear(5, 2), np.ones(3), DTypeError,
            "IndexLinear.updateOutput: input must be [keys, values] or "
            "[keys, values, sizes], got ndarray",
        ),
        (
            nn.IndexLinear(5, 2), [KEYS, VALUES[:2]], ShapeError,
            "IndexLinear.updateOutput: input[1] must be a list of 3 arrays, "
            "got [(4,), (0,)]",
        ),
        (
            nn.IndexLinear(5, 2), [KEYS[0]], ShapeError,
            "IndexLinear.updateOutput: input must be [keys, values] or [keys, values, sizes], "
            f"got [({len(KEYS[0])},)]",
        ),
        (
            nn.IndexLinear(5, 2), [np.array([0.5]), np.ones(1)], DTypeError,
            "IndexLinear.updateOutput: input[0] must be integers, got float64\n"
            "  hint: input[0].astype('int64')",
        ),
        (
            nn.IndexLinear(5, 2), [np.array([[1]]), np.ones(1)], ShapeError,
            "IndexLinear.updateOutput: input[0] must be (n,), got (1, 1)",
        ),
        (
            nn.IndexLinear(5, 2), [*FLAT[:2], np.array([4, 0])], ShapeError,
            "IndexLinear.updateOutput: input[2] must be one dimension of numbers that "
            "add up to 5, got (2,)",
        ),
    ],
)  # fmt: skip
def test_sparse_inputs_that_do_not_fit_are_refused(layer, input, kind, text):
    with raises(kind, text):
        layer.forward(input)


def test_settings_of_IndexLinear_that_are_refused():
    with raises(
        ShapeError, "IndexLinear.__init__: weight must be (inputSize, outputSize), got (3,)"
    ):
        nn.IndexLinear(5, 2, False, 0, np.zeros(3))
    with raises(ShapeError, "IndexLinear.__init__: bias must be (3,), got (2,)"):
        nn.IndexLinear(5, 2, False, 0, np.zeros((4, 3)), np.zeros(2))
    with raises(
        SettingError,
        "IndexLinear: normalize must be False, got True\n"
        "  hint: scale the values beforehand, by the largest of each key",
    ):
        nn.IndexLinear(5, 2, False, 0, None, None, True)


def test_sparse_layers_print_as_in_torch7():
    layers = nn.SparseLinear(5, 2), nn.IndexLinear(5, 2), nn.Kmeans(3, 2)
    assert [*map(repr, layers)] == ["SparseLinear", "IndexLinear", "Kmeans"]


def test_Kmeans_finds_centers_that_samples_gather_around():
    x = np.concatenate([numbers(50, 2) * 0.1 + center for center in ([0, 0], [5, 0], [0, 5])])
    layer = nn.Kmeans(3, 2).initKmeansPlus(x)
    for _ in range(5):
        output = layer.forward(x)
        layer.zeroGradParameters().backward(x, np.zeros(150))
        layer.updateParameters(1)
    found = layer.weight[np.argsort(layer.weight @ [1, 2])]
    assert np.allclose(found, x.reshape(3, 50, 2).mean(1), rtol=1e-12)
    assert [len(set(part)) for part in output.reshape(3, 50)] == [1, 1, 1]


def test_Kmeans_starts_from_samples_drawn():
    x = np.arange(8.0).reshape(4, 2)
    layer = nn.Kmeans(3, 2)
    random.manualSeed(2)
    expected = x[[random.random(0, 3) for _ in range(3)]]
    random.manualSeed(2)
    assert (layer.initRandom(x).weight == expected).all()


def test_Kmeans_starts_from_samples_far_apart():
    """By the words of the stream: one sample of all, then one of the farthest share 1 - p."""
    x = np.array([[0.0], [1.0], [10.0], [12.0], [40.0], [0.5], [11.0], [41.0]])
    layer = nn.Kmeans(3, 1)
    random.manualSeed(5)
    layer.initKmeansPlus(x, 0.7)
    after = random.random()
    random.manualSeed(5)
    centers = [x[random.random(0, 7)]]
    for _ in range(2):
        distances = np.square(x - np.array(centers)[:, 0]).min(1)
        # ceil(0.3 * 8) samples.
        farthest = np.argsort(-distances)[:3]
        centers.append(x[farthest[random.random(0, 2)]])
    assert np.array_equal(layer.weight, centers)
    assert random.random() == after


def test_Kmeans_refuses_what_cannot_start_it():
    layer = nn.Kmeans(3, 2)
    with raises(ShapeError, "Kmeans.initRandom: input must be (N, 2) with N >= 3, got (2, 2)"):
        layer.initRandom(np.zeros((2, 2)))
    with raises(ShapeError, "Kmeans.initKmeansPlus: input must be (N, 2) with N >= 1, got (0, 2)"):
        layer.initKmeansPlus(np.zeros((0, 2)))
    with raises(ShapeError, "Kmeans.initKmeansPlus: input must be (N, 2) with N >= 1, got (2,)"):
        layer.initKmeansPlus(np.zeros(2))
    with raises(SettingError, "Kmeans.initKmeansPlus: p must be 0 to 1, got 1.5"):
        layer.initKmeansPlus(np.zeros((4, 2)), 1.5)


def test_GPU_keeps_the_numbers_of_its_devices():
    net = nn.GPU(nn.ReLU(), 1)
    assert (net.device, net.outdevice, nn.GPU(nn.ReLU(), 1, 2).outdevice) == (1, 1, 2)
    assert repr(net) == "GPU(1) @ ReLU"
