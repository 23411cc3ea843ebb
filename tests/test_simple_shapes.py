"""Simple layers without parameters: conventions, messages, and where Torch7 differs."""

import pickle

import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, SettingError, ShapeError

X = np.arange(12.0).reshape(4, 3)


def shape(layer, *input_shape):
    """Return the shape of the output for an input of this shape; the backward must fit it."""
    x = np.ones(input_shape)
    output = layer.forward(x)
    assert layer.backward(x, output).shape == input_shape
    return output.shape


# ---------------------------------------------------------------- dimensions


def padding(dim, nInputDim=None):
    return nn.Padding(dim, 1, nInputDim)


@pytest.mark.parametrize("make", [nn.Max, nn.Min, nn.Sum, nn.Mean, nn.Squeeze, padding])
def test_a_dimension_counts_within_a_sample(make):
    x = np.random.default_rng(0).permutation(np.arange(24.0)).reshape(2, 3, 4, 1)
    of_input = make(2).forward(x)
    for dims in ([-2], [2, None], [2, -1], [2, 4], [1, 3], [0, 2], [-2, 2]):
        assert np.array_equal(make(*dims).forward(x), of_input)


def test_dimensions_may_be_numpy_integers():
    assert shape(nn.Sum(np.int64(-1), np.int32(2)), 4, 3) == (4,)


def test_a_new_dimension_counts_within_a_sample():
    assert [shape(nn.Unsqueeze(pos, 2), 5, 3, 2) for pos in (0, 1, 2, -1, -3)] == [
        (5, 1, 3, 2),
        (5, 3, 1, 2),
        (5, 3, 2, 1),
        (5, 3, 2, 1),
        (5, 1, 3, 2),
    ]
    assert shape(nn.Replicate(7, -1, 1), 5, 3) == (5, 3, 7)
    assert shape(nn.Unsqueeze(0, 0), 5) == (5, 1)


def test_all_dimensions_before_a_sample_are_the_batchs():
    assert shape(nn.Sum(0, 1), 5, 4, 3) == (5, 4)
    assert shape(nn.Collapse(2), 6, 5, 4, 3) == (6, 5, 12)
    assert shape(nn.Transpose((0, 1)).setNumInputDims(2), 6, 5, 4, 3) == (6, 5, 3, 4)
    assert shape(nn.Constant([1, 2], 1), 6, 5, 4) == (6, 5, 2)
    assert shape(nn.View(-1).setNumInputDims(2), 6, 5, 4, 3) == (30, 12)


def test_unsqueeze_does_not_remember_the_first_input():
    layer = nn.Unsqueeze(1)
    assert shape(layer, 5, 3) == (5, 1, 3)
    assert shape(layer, 5, 3, 2) == (5, 1, 3, 2)


# ---------------------------------------------------------------- one number of a line


def test_of_equal_entries_the_first_gets_the_gradient():
    x = np.array([[1.0, 5.0, 5.0, 1.0]])
    assert nn.Max(1).backward(x, np.array([2.0])).tolist() == [[0, 2, 0, 0]]
    assert nn.Min(1).backward(x, np.array([2.0])).tolist() == [[2, 0, 0, 0]]


def test_max_and_min_say_where_the_entries_stand():
    x = np.array([[1.0, 7.0, 7.0], [6.0, 5.0, 4.0]])
    highest, lowest = nn.Max(1), nn.Min(-1)
    highest.forward(x), lowest.forward(x)
    assert highest._indices.tolist() == [[1], [0]]
    assert lowest._indices.tolist() == [[0], [2]]
    assert highest.clearState()._indices.size == 0


@pytest.mark.parametrize("layer", [nn.Max(1), nn.Min(1), nn.Sum(1), nn.Mean(1)])
def test_nan_is_not_swallowed(layer):
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    assert np.isnan(layer.forward(x)).tolist() == [True, False]


def test_complex_numbers_are_ordered_by_their_real_parts():
    x = np.array([1 + 9j, 2 - 9j, 2 + 9j])
    assert nn.Max().forward(x).tolist() == [2 - 9j]
    assert nn.Min().forward(x).tolist() == [1 + 9j]


@pytest.mark.parametrize("make", [nn.Max, nn.Min, nn.Sum, nn.Mean])
def test_one_line_gives_one_entry_as_in_torch7(make):
    assert shape(make(), 5) == (1,)


def test_sum_may_keep_its_dimension():
    assert shape(nn.Sum(1, None, False, False), 4, 3) == (4, 1)
    assert shape(nn.Sum(1, None, False, False), 4, 3, 2) == (4, 1, 2)


def test_the_sum_of_nothing_is_zero():
    assert nn.Sum(1).forward(np.ones((2, 0))).tolist() == [0, 0]


# ---------------------------------------------------------------- Normalize


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, 10, 100, np.inf])
@pytest.mark.parametrize("size", [1e4, 1.0, 1e-4])
def test_normalize_is_stable_in_float32(p, size):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal((4, 5)).astype("float32") * np.float32(s) for s in (size, 1))
    x[0] = 0
    x[:, 1] = 0
    layer = nn.Normalize(p)
    output, gradInput = layer.forward(x), layer.backward(x, g)
    x, g = x.astype("float64"), g.astype("float64")
    assert output.dtype == gradInput.dtype == np.float32
    np.testing.assert_allclose(output, layer.forward(x), rtol=1e-4, atol=1e-7)
    expected = layer.backward(x, g)
    scales = np.abs(expected).max(1, keepdims=True)
    np.testing.assert_allclose(gradInput / scales, expected / scales, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [3, 1000])
def test_the_squares_of_a_norm_may_be_too_large_or_too_small(dtype, n):
    limits = np.finfo(dtype)
    unit = np.random.default_rng(0).standard_normal((4, n)).astype(dtype)
    expected = nn.Normalize(2, 0).forward(unit)
    for size in (1, 1e-13, limits.tiny * 1e10, limits.max * 1e-6):
        for sizes in (size, np.array([[1], [size], [1], [size]])):
            x = unit * np.asarray(sizes, dtype)
            np.testing.assert_allclose(
                nn.Normalize(2, 0).forward(x), expected, rtol=20 * limits.eps
            )


def test_normalize_of_nan_is_nan_in_its_row_alone():
    x = np.ones((2, 3))
    x[0, 1] = np.nan
    output = nn.Normalize(2).forward(x)
    assert np.isnan(output[0]).all()
    np.testing.assert_allclose(output[1], 3**-0.5)


def test_the_backward_of_normalize_does_not_depend_on_the_last_forward():
    x, other, g = np.random.default_rng(0).standard_normal((3, 4, 5))
    layer = nn.Normalize(2)
    expected = layer.backward(x, g)
    layer.forward(other)
    np.testing.assert_array_equal(layer.backward(x, g), expected)
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(x, g), expected)


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, np.inf])
def test_normalize_can_be_differentiated_by_complex_step(p):
    rng = np.random.default_rng(0)
    layer, (x, g, direction) = nn.Normalize(p, 0.5), rng.standard_normal((3, 4, 5))
    slope = layer.forward(x + 1e-30j * direction).imag / 1e-30
    np.testing.assert_allclose((g * slope).sum(), (layer.backward(x, g) * direction).sum(), 1e-12)


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_eps_makes_the_norm_larger(p):
    expected = 3 / (9 + 1) ** 0.5 if p == 2 else 3 / (3 + 1)
    np.testing.assert_allclose(nn.Normalize(p, 1).forward(np.array([3.0])), expected)


def test_normalize_gives_a_norm_of_one():
    x = np.random.default_rng(0).standard_normal((4, 5))
    for p in (1, 2, 3.5):
        np.testing.assert_allclose((np.abs(nn.Normalize(p).forward(x)) ** p).sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.abs(nn.Normalize(np.inf).forward(x)).max(1), 1, rtol=1e-6)


@pytest.mark.parametrize("p", [0.5, 1, 2, np.inf])
@pytest.mark.parametrize("eps", [0, 1e-10])
def test_normalize_of_zeros_is_zero(p, eps):
    x = np.zeros((2, 3))
    assert not nn.Normalize(p, eps).forward(x).any()
    assert np.isfinite(nn.Normalize(p, 1e-10).backward(x, np.ones((2, 3)))).all()


def test_the_slope_of_a_norm_at_zero_is_zero():
    x, g = np.array([0.0, 2.0]), np.array([0.0, 1.0])
    for p in (0.5, 1, 1.5):
        assert nn.Normalize(p).backward(x, g)[0] == 0


def test_of_equal_absolute_values_the_first_makes_the_infinite_norm():
    x, g = np.array([-2.0, 2.0]), np.array([0.0, 4.0])
    np.testing.assert_allclose(nn.Normalize(np.inf).backward(x, g), [2, 2], rtol=1e-9)


# ---------------------------------------------------------------- shapes


def test_reshape_takes_what_fits_in_one_way():
    assert shape(nn.Reshape(6), 2, 3) == (6,)
    assert shape(nn.Reshape(6), 5, 2, 3) == (5, 6)
    assert shape(nn.Reshape(6), 0, 2, 3) == (0, 6)
    assert shape(nn.Reshape((3, 2)), 6) == (3, 2)
    assert shape(nn.Reshape([3, 2], batchMode=True), 1, 6) == (1, 3, 2)
    assert shape(nn.Reshape(3, 2, True), 1, 6) == (1, 3, 2)
    assert shape(nn.Reshape(3, 2, False), 1, 6) == (3, 2)


def test_view_takes_what_fits_in_one_way():
    assert shape(nn.View(6), 2, 3) == (6,)
    assert shape(nn.View(6), 5, 2, 3) == (5, 6)
    assert shape(nn.View(6), 0, 2, 3) == (0, 6)
    assert shape(nn.View(4), 2, 3, 4) == (6, 4)
    assert shape(nn.View([3, -1]), 1, 6) == (3, 2)
    assert shape(nn.View(6).setNumInputDims(2), 1, 2, 3) == (1, 6)
    assert shape(nn.View(6).setNumInputDims(2), 2, 3) == (6,)
    assert shape(nn.View(3).setNumInputDims(2), 2, 3) == (2, 3)
    assert shape(nn.View(-1, 2).setNumInputDims(2), 0, 3, 4) == (0, 6, 2)
    assert shape(nn.View(6).resetSize(3, 2), 5, 6) == (5, 3, 2)


def test_squeeze():
    assert shape(nn.Squeeze(), 1, 3, 1, 2) == (3, 2)
    assert shape(nn.Squeeze(1), 4, 3) == (4, 3)
    assert shape(nn.Squeeze(1), 1, 1, 3) == (1, 3)
    assert shape(nn.Squeeze(None, 2), 1, 1, 3) == (1, 3)
    assert shape(nn.Squeeze().setNumInputDims(3), 1, 1, 3, 1) == (1, 3)


def test_squeeze_leaves_one_dimension_where_torch7_fails_in_backward():
    assert shape(nn.Squeeze(), 1, 1) == (1,)
    assert shape(nn.Squeeze(0), 1) == (1,)


def test_transpose_swaps_in_turn():
    x = np.arange(24.0).reshape(2, 3, 4)
    output = nn.Transpose((0, 1), (1, 2)).forward(x)
    assert np.array_equal(output, x.transpose(1, 2, 0))
    assert np.array_equal(nn.Transpose((0, 1), (1, 2)).backward(x, output), x)


def test_what_only_rearranges_returns_views():
    layers = [
        nn.View(12), nn.Reshape(12), nn.Collapse(2), nn.Squeeze(), nn.Unsqueeze(0),
        nn.Transpose((0, 1)), nn.Select(1, 0), nn.Narrow(1, 0, 2), nn.Replicate(2),
        nn.Contiguous(), nn.Convert("bf", "fb"), nn.Copy(), nn.ZeroGrad(),
    ]  # fmt: skip
    for layer in layers:
        assert np.shares_memory(layer.forward(X), X), layer


def test_replicate_is_read_only():
    assert not nn.Replicate(3).forward(X).flags.writeable


def test_contiguous():
    x, g = np.asfortranarray(X), np.repeat(X, 2, 1)[:, ::2]
    layer = nn.Contiguous()
    assert layer.forward(x).flags.c_contiguous
    assert layer.backward(x, g).flags.c_contiguous
    line = np.arange(6.0)[::2]
    assert layer.forward(line).flags.c_contiguous
    assert np.array_equal(layer.forward(line), [0, 2, 4])


# ---------------------------------------------------------------- parts


def test_narrow_counts_from_both_ends():
    line = np.arange(5.0)
    assert nn.Narrow(0, 1, -1).forward(line).tolist() == [1, 2, 3, 4]
    assert nn.Narrow(0, 1, -2).forward(line).tolist() == [1, 2, 3]
    assert nn.Narrow(0, -2, 1).forward(line).tolist() == [3]
    assert nn.Narrow(0, -3, -2).forward(line).tolist() == [2, 3]
    assert nn.Narrow(0, 5, -1).forward(line).tolist() == []
    assert nn.Narrow(0, 2, 0).forward(line).tolist() == []
    assert nn.Narrow(0, 2).forward(line).tolist() == [2]


def test_index_adds_up_what_is_picked_repeatedly():
    x, indices = np.arange(6.0).reshape(2, 3), np.array([2, 0, 2], "uint8")
    output = nn.Index(1).forward([x, indices])
    assert output.tolist() == [[2, 0, 2], [5, 3, 5]]
    g = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    gradient, nothing = nn.Index(1).backward((x, indices), g)
    assert gradient.tolist() == [[2, 0, 5], [16, 0, 40]]
    assert nothing.tolist() == [0, 0, 0]


def test_a_list_is_no_array_of_indices():
    with pytest.raises(DTypeError, match=r"input\[1\] must be an array, got list"):
        nn.Index(0).forward([X, [0, 1]])


def test_index_may_pick_nothing():
    x, indices = np.ones((4, 3)), np.zeros(0, int)
    assert nn.Index(0).forward([x, indices]).shape == (0, 3)
    gradient, _ = nn.Index(0).backward([x, indices], np.ones((0, 3)))
    assert gradient.shape == (4, 3)
    assert not gradient.any()


def test_masked_select_of_a_fortran_array_goes_row_by_row():
    x = np.asfortranarray(X)
    assert nn.MaskedSelect().forward([x, x % 2 == 0]).tolist() == [0, 2, 4, 6, 8, 10]


def test_padding():
    line = np.array([1.0, 2.0, 3.0])
    assert nn.Padding(0, 2, 1, 9, 1).forward(line).tolist() == [1, 2, 9, 9, 3]
    assert nn.Padding(0, -2, 1, 9, 1).forward(line).tolist() == [1, 9, 9, 2, 3]
    assert nn.Padding(0, 1, None, 9, 3).forward(line).tolist() == [9, 1, 2, 3]
    assert nn.Padding(0, 0).forward(line).tolist() == [1, 2, 3]
    assert nn.Padding(0, 1, None, np.float64(0.5)).forward(line.astype("f")).dtype == np.float32


# ---------------------------------------------------------------- products


def test_products_of_nothing_are_zero():
    assert not nn.MM().forward([np.ones((2, 0)), np.ones((0, 3))]).any()
    gradient, _ = nn.MV().backward([np.ones((0, 2)), np.ones(2)], np.ones(0))
    assert gradient.shape == (0, 2)


@pytest.mark.parametrize("trans_a", [False, True])
@pytest.mark.parametrize("trans_b", [False, True])
def test_mm_of_a_batch_is_mm_of_each_two(trans_a, trans_b):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 3, 2) if trans_a else (4, 2, 3))
    b = rng.standard_normal((4, 5, 3) if trans_b else (4, 3, 5))
    g = rng.standard_normal((4, 2, 5))
    layer = nn.MM(trans_a, trans_b)
    output, (grad_a, grad_b) = layer.forward([a, b]), layer.backward([a, b], g)
    for i in range(4):
        np.testing.assert_allclose(layer.forward([a[i], b[i]]), output[i], rtol=1e-14)
        one, other = layer.backward([a[i], b[i]], g[i])
        np.testing.assert_allclose(one, grad_a[i], rtol=1e-14)
        np.testing.assert_allclose(other, grad_b[i], rtol=1e-14)


# ---------------------------------------------------------------- constants and classes


def test_constant_keeps_a_copy_that_is_no_parameter():
    value = np.array([1.0, 2.0])
    layer = nn.Constant(value)
    value[:] = 0
    assert layer.forward(X).tolist() == [1, 2]
    assert layer.parameters() == ([], [])
    layer.forward(X)[:] = 0
    assert layer.forward(X).tolist() == [1, 2]


def test_constant_has_the_dtype_of_the_input():
    assert nn.Constant(1).forward(X.astype("float32")).dtype == np.float32
    assert nn.Constant(1).type("complex64").forward(X.astype("float32")).dtype == np.float32
    assert nn.Constant(1).forward(X.astype("complex128")).dtype == np.complex128


def test_one_hot_has_the_dtype_of_the_layer():
    ids = np.array([[0, 2], [1, 1]], "uint64")
    output = nn.OneHot(3).float().forward(ids)
    assert output.dtype == np.float32
    assert np.array_equal(output, np.eye(3)[[[0, 2], [1, 1]]])


def test_print_size_prints(capsys):
    layer = nn.PrintSize()
    layer.forward([X, X[0]])
    layer.updateGradInput(X, X)
    assert capsys.readouterr().out == (
        "PrintSize:input\n[(4, 3), (3,)]\nPrintSize:gradOutput\n(4, 3)\n"
    )


# ---------------------------------------------------------------- dtypes and layouts


@pytest.mark.parametrize("name", ["float32", np.float32, "torch.FloatTensor", np.dtype("f4")])
def test_copy_casts_there_and_back(name):
    layer = nn.Copy("torch.DoubleTensor", name)
    output = layer.forward(X)
    assert output.dtype == np.float32
    assert layer.backward(X, output).dtype == np.float64
    assert layer.forward(X + 1j).dtype == np.complex64
    again = pickle.loads(pickle.dumps(layer))
    assert again.forward(X).dtype == np.float32


def test_copy_passes_on_what_has_the_right_dtype_unless_forced():
    assert nn.Copy().forward(X) is X
    assert nn.Copy().backward(X, X) is X
    assert nn.Copy().backward(X.astype("f"), X.astype("f")).dtype == np.float32
    assert not np.shares_memory(nn.Copy(forceCopy=True).forward(X), X)
    assert not np.shares_memory(nn.Copy(forceCopy=True).backward(X, X), X)


def test_a_cast_of_the_network_reaches_copy_unless_dont_cast():
    for kept in (False, True):
        net = nn.Sequential(nn.Copy("float32", "float64", dontCast=kept)).type("float32")
        assert net.forward(X.astype("float32")).dtype == (np.float64 if kept else np.float32)


@pytest.mark.parametrize(
    ("source", "target", "given", "expected"),
    [
        ("bchw", "bf", (5, 2, 3, 4), (5, 24)),
        ("bchw", "bf", (2, 3, 4), (24,)),
        ("chw", "f", (1, 2, 3, 4), (1, 24)),
        ("chwb", "bf", (2, 3, 4, 5), (5, 24)),
        ("bc", "bf", (5, 2), (5, 2)),
        ("b", "bf", (5,), (5, 1)),
        ("b", "bt", (5,), (5, 1)),
        ("bf", "b", (5, 1), (5,)),
        ("fb", "b", (1, 5), (5,)),
        ("tb", "b", (3, 5), (5,)),
        ("bt", "b", (3,), (1,)),
        ("bt", "tb", (5, 3), (3, 5)),
        ("bhwc", "bchw", (5, 2, 3, 4), (5, 4, 2, 3)),
        ("hwc", "chw", (2, 3, 4), (4, 2, 3)),
        ("hwcb", "bchw", (2, 3, 4), (4, 2, 3)),
        (None, None, (5, 2, 3), (5, 2, 3)),
        (None, None, (5,), (5,)),
    ],
)
def test_convert(source, target, given, expected):
    assert shape(nn.Convert(source, target), *given) == expected


def test_convert_puts_each_entry_in_its_place():
    x = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(nn.Convert("chb", "bhc").forward(x), x.transpose(2, 1, 0))
    assert np.array_equal(nn.Convert("chb", "bf").forward(x), x.transpose(2, 1, 0).reshape(4, 6))
    assert nn.Convert("tb", "b").forward(x[0]).tolist() == [0, 1, 2, 3]
    assert nn.Convert("tb", "b").backward(x[0], np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [
        [1, 2, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0],
    ]  # fmt: skip


def test_convert_casts_to_the_dtype_of_the_layer_and_back():
    layer = nn.Sequential(nn.Convert("bf", "fb")).float()
    output = layer.forward(X)
    assert output.dtype == np.float32
    assert layer.backward(X, output).dtype == np.float64
    assert layer.forward(X + 1j).dtype == np.complex64


@pytest.mark.parametrize("layer", [nn.Collapse(1), nn.Convert("bf", "fb"), nn.OneHot(2)])
def test_clear_state_returns_self_where_torch7_returns_nil(layer):
    assert layer.clearState() is layer


def test_repr_is_torch7s():
    layers = [
        nn.Max(1), nn.Sum(1), nn.Reshape(2, 1), nn.View(2, -1), nn.Unsqueeze(1), nn.Squeeze(1),
        nn.Transpose((0, 1)), nn.Select(1, 0), nn.Normalize(2), nn.Normalize(1.5),
        nn.Normalize(np.inf), nn.MM(True), nn.Convert(),
    ]  # fmt: skip
    assert ", ".join(map(repr, layers)) == (
        "Max, Sum, Reshape(2x1), View(2, -1), Unsqueeze(dim 1), Squeeze, Transpose, Select, "
        "Normalize(2), Normalize(1.500000), Normalize(inf), MM, Convert"
    )


# ---------------------------------------------------------------- messages

MISTAKES = {
    "no such dimension": (
        lambda: nn.Max(2).forward(X),
        ShapeError,
        "Max.updateOutput: dimension 2 is out of range for input (4, 3), counting from 0",
    ),
    "no such dimension from the end": (
        lambda: nn.Select(-3, 0).forward(X),
        ShapeError,
        "Select.updateOutput: dimension -3 is out of range for input (4, 3), counting from 0",
    ),
    "no such dimension of a sample": (
        lambda: nn.Max(1, 1).forward(X),
        ShapeError,
        "Max.updateOutput: dimension 1 is out of range for a 1-D sample of input (4, 3), "
        "counting from 0",
    ),
    "no sample": (
        lambda: nn.Collapse(3).forward(X),
        ShapeError,
        "Collapse.updateOutput: input must be a 3-D sample or a batch of them, got (4, 3)",
    ),
    "no such place": (
        lambda: nn.Replicate(2, 3).backward(X, X),
        ShapeError,
        "Replicate.updateGradInput: dimension 3 is out of range for input (4, 3), counting from 0",
    ),
    "the largest of nothing": (
        lambda: nn.Max(1).forward(np.ones((4, 0))),
        ShapeError,
        "Max.updateOutput: input must be an array with entries along dimension 1, got (4, 0)",
    ),
    "the mean of nothing": (
        lambda: nn.Mean(1).backward(np.ones((4, 0)), np.ones(4)),
        ShapeError,
        "Mean.updateGradInput: input must be an array with entries along dimension 1, got (4, 0)",
    ),
    "gradOutput with the dimension": (
        lambda: nn.Sum(1).backward(X, np.ones((4, 1))),
        ShapeError,
        "Sum.updateGradInput: gradOutput must be (4,), got (4, 1)\n"
        "  hint: gradOutput.reshape(4) has the same entries",
    ),
    "half a dimension": (
        lambda: nn.Sum(0.5),
        DTypeError,
        "Sum: dimension must be an integer, got 0.5",
    ),
    "a slice of a line": (
        lambda: nn.Select(0, 1).forward(X[0]),
        ShapeError,
        "Select.updateOutput: input must be of at least 2 dimensions, got (3,)",
    ),
    "no such slice": (
        lambda: nn.Select(1, 3).forward(X),
        ShapeError,
        "Select.updateOutput: index 3 is out of range for dimension 1 of input (4, 3), "
        "counting from 0",
    ),
    "too short to narrow": (
        lambda: nn.Narrow(1, 2, 2).forward(X),
        ShapeError,
        "Narrow.updateOutput: offset 2 with length 2 is out of range for dimension 1 of input "
        "(4, 3), counting from 0",
    ),
    "no place to pad": (
        lambda: nn.Padding(0, 2, None, 0, 5).forward(X),
        ShapeError,
        "Padding.updateOutput: index 5 is out of range for dimension 0 of input (4, 3), "
        "counting from 0",
    ),
    "reshape of too many": (
        lambda: nn.Reshape(5).forward(X),
        ShapeError,
        "Reshape(5).updateOutput: input must be a sample of 5 entries or a batch of them, "
        "got (4, 3)",
    ),
    "reshape that fits twice": (
        lambda: nn.Reshape(2, 2).forward(np.ones((1, 4))),
        ShapeError,
        "Reshape(2x2).updateOutput: input must be a sample or a batch, and not both, got (1, 4)\n"
        "  hint: batchMode=True makes (1, 2, 2) of it, batchMode=False (2, 2)",
    ),
    "reshape of a batch": (
        lambda: nn.Reshape(4, True).forward(X),
        ShapeError,
        "Reshape(4).updateOutput: input must be a batch of samples of 4 entries, got (4, 3)",
    ),
    "reshape of a sample": (
        lambda: nn.Reshape(3, False).forward(X),
        ShapeError,
        "Reshape(3).updateOutput: input must be a sample of 3 entries, got (4, 3)",
    ),
    "view of too many": (
        lambda: nn.View(5).forward(X),
        ShapeError,
        "View(5).updateOutput: input must be of 5 entries, or a multiple, got (4, 3)",
    ),
    "view of samples of too many": (
        lambda: nn.View(5).setNumInputDims(1).forward(X),
        ShapeError,
        "View(5).updateOutput: input must be of samples with 5 entries, or a multiple, got (4, 3)",
    ),
    "view that fits twice": (
        lambda: nn.View(4).forward(np.ones((1, 4))),
        ShapeError,
        "View(4).updateOutput: input must be a sample or a batch, and not both, got (1, 4)\n"
        "  hint: setNumInputDims(2) makes (4,) of it, setNumInputDims(1) (1, 4)",
    ),
    "two sizes left open": (
        lambda: nn.View(-1, -1),
        ShapeError,
        "View: size must be of positive numbers and at most one -1, got (-1, -1)",
    ),
    "no pair": (
        lambda: nn.Transpose(0, 1),
        DTypeError,
        "Transpose: permutations must be pairs of dimensions, got 0",
    ),
    "no table": (
        lambda: nn.Index(0).forward(X),
        DTypeError,
        "Index.updateOutput: input must be a table (a list), got ndarray\n"
        "  hint: a list of arrays: [input, ...]",
    ),
    "half a table": (
        lambda: nn.MM().forward([X]),
        ShapeError,
        "MM.updateOutput: input must be a table of 2 entries, got [(4, 3)]",
    ),
    "no indices": (
        lambda: nn.Index(0).forward([X, np.array([1.0])]),
        DTypeError,
        "Index.updateOutput: input[1] must be integers, got float64\n"
        "  hint: input[1].astype('int64')",
    ),
    "indices in rows": (
        lambda: nn.Index(0).forward([X, np.array([[1]])]),
        ShapeError,
        "Index.updateOutput: input[1] must be of one dimension, got (1, 1)",
    ),
    "no such index": (
        lambda: nn.Index(0).forward([X, np.array([0, 4])]),
        IndexError,
        "Index.updateOutput: input[1][1] = 4 is out of range for 4 entries of dimension 0, "
        "counting from 0",
    ),
    "negative index": (
        lambda: nn.Index(0).forward([X, np.array([-1])]),
        IndexError,
        "Index.updateOutput: input[1][0] = -1 is out of range for 4 entries of dimension 0, "
        "counting from 0",
    ),
    "no mask": (
        lambda: nn.MaskedSelect().forward([X, X]),
        DTypeError,
        "MaskedSelect.updateOutput: input[1] must be bool, got float64\n  hint: input[1] != 0",
    ),
    "another mask": (
        lambda: nn.MaskedSelect().forward([X, X[0] > 0]),
        ShapeError,
        "MaskedSelect.updateOutput: input [(4, 3), (3,)] does not fit: the mask must have the "
        "shape of the array",
    ),
    "no such class": (
        lambda: nn.OneHot(5).forward(np.array([0, 1, 7])),
        IndexError,
        "OneHot.updateOutput: input[2] = 7 is out of range for 5 classes, counting from 0",
    ),
    "no such class in rows": (
        lambda: nn.OneHot(5).forward(np.array([[0, 1], [2, -1]])),
        IndexError,
        "OneHot.updateOutput: input[1, 1] = -1 is out of range for 5 classes, counting from 0",
    ),
    "one class alone": (
        lambda: nn.OneHot(5).forward(np.array(2)),
        ShapeError,
        "OneHot.updateOutput: input must be an array of at least one dimension, got ()",
    ),
    "no classes": (
        lambda: nn.OneHot(5).forward(X),
        DTypeError,
        "OneHot.updateOutput: input must be integers, got float64\n"
        "  hint: input.astype('int64'); layers before it that only move entries hand integers on",
    ),
    "matrices that do not fit": (
        lambda: nn.MM().forward([np.ones((2, 4, 3)), np.ones((2, 4, 5))]),
        ShapeError,
        "MM.updateOutput: input [(2, 4, 3), (2, 4, 5)] does not fit: 3 columns of the first and 4 "
        "rows of the second",
    ),
    "a matrix and a batch": (
        lambda: nn.MM().forward([X, np.ones((4, 3, 2))]),
        ShapeError,
        "MM.updateOutput: input [(4, 3), (4, 3, 2)] does not fit: it must be two matrices or two "
        "batches of them",
    ),
    "a batch of one": (
        lambda: nn.MM().forward([np.ones((5, 4, 3)), np.ones((1, 3, 2))]),
        ShapeError,
        "MM.updateOutput: input [(5, 4, 3), (1, 3, 2)] does not fit: 5 matrices and 1",
    ),
    "two precisions": (
        lambda: nn.MM().forward([X, X.T.astype("float32")]),
        DTypeError,
        "MM.updateOutput: input[1] must be float64, got float32\n"
        "  hint: input[1].astype('float64')",
    ),
    "a vector that does not fit": (
        lambda: nn.MV().forward([np.ones((2, 4, 3)), np.ones((2, 4))]),
        ShapeError,
        "MV.updateOutput: input [(2, 4, 3), (2, 4)] does not fit: 3 columns and 4 entries",
    ),
    "a matrix and vectors": (
        lambda: nn.MV().forward([X, X]),
        ShapeError,
        "MV.updateOutput: input [(4, 3), (4, 3)] does not fit: it must be a matrix and a vector "
        "or two batches of them",
    ),
    "a batch of one vector": (
        lambda: nn.MV(True).forward([np.ones((5, 3, 4)), np.ones((1, 3))]),
        ShapeError,
        "MV.updateOutput: input [(5, 3, 4), (1, 3)] does not fit: 5 matrices and 1 vectors",
    ),
    "no such conversion": (
        lambda: nn.Convert("bchw", "xyz"),
        ShapeError,
        "Convert: there is no conversion from 'bchw' to 'bxyz'",
    ),
    "a letter twice": (
        lambda: nn.Convert("bhh", "bf"),
        ShapeError,
        "Convert: there is no conversion from 'bhh' to 'bf'",
    ),
    "another layout": (
        lambda: nn.Convert("bchw", "bf").forward(X),
        ShapeError,
        "Convert.updateOutput: input must be 4-D (bchw) or 3-D (chw), got (4, 3)",
    ),
    "several features": (
        lambda: nn.Convert("bf", "b").forward(X),
        ShapeError,
        "Convert.updateOutput: input must be of size 1 in f, got (4, 3)",
    ),
    "no norm": (
        lambda: nn.Normalize("2"),
        DTypeError,
        "Normalize: p must be a number, got '2'",
    ),
    "norm 0": (
        lambda: nn.Normalize(0),
        SettingError,
        "Normalize: p must be greater than 0, got 0",
    ),
    "norm of matrices": (
        lambda: nn.Normalize(2).forward(np.ones((2, 4, 3))),
        ShapeError,
        "Normalize(2).updateOutput: input must be (n,) or (N, n) with n of at least 1, "
        "got (2, 4, 3)",
    ),
    "copy of bytes": (
        lambda: nn.Copy("torch.ByteTensor"),
        DTypeError,
        "Copy: intype must be float32, float64, complex64 or complex128, got 'torch.ByteTensor'",
    ),
    "copy of another dtype": (
        lambda: nn.Copy("float64", "float32").backward(X, X),
        DTypeError,
        "Copy.updateGradInput: gradOutput must be float32, got float64\n"
        "  hint: gradOutput.astype('float32')",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_message(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message
