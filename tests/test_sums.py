"""Sums of many float32 numbers, in the kernels and wherever layers and criterions add up."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest

import torchlite as nn
from torchlite import optim
from torchlite.kernels import blas, sums

DTYPES = ["float32", "float64", "complex64", "complex128"]
MANY = 100_000

LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "sliced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: a[::-1],
    "repeated": lambda a: np.broadcast_to(a[:1], a.shape),
}


def whole(shape, dtype, seed=0):
    """Numbers whose sums are exact, in whatever order."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-8, 9, shape)
    if dtype.startswith("complex"):
        numbers = numbers + 1j * rng.integers(-8, 9, shape)
    return numbers.astype(dtype)


def check(got, expected):
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert np.array_equal(got, expected)


# Around each size from which on sums take another way.
SHAPES = [(0, 2), (1, 3), (64, 2), (65, 3), (100, 0), (700, 3), (2100, 2), (3000, 0), (70, 40)]
SHAPES += [
    (sums._SMALL // 2 + 5, 2),
    (sums._PIECE // 2 + 70, 2),
    (66, sums._PIECE // 60),
    (5000, 1),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_way_gives_the_same(shape, layout, dtype):
    a, b = (LAYOUTS[layout](whole(shape, dtype, seed)) for seed in (1, 2))
    check(sums.sum_rows(a), a.sum(0))
    check(sums.sum_products(a, b), (a * b).sum(0))
    check(sums.inner(a, b), (a * b).sum(1))
    check(sums.dot(a, b), (a * b).sum())
    check(sums.sum_all(a), a.sum())
    for axis, keepdims in itertools.product((0, 1, -1, (0,), (0, 1)), (False, True)):
        check(sums.sum_along(a, axis, keepdims), a.sum(axis, keepdims=keepdims))


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(5, 100, 3, 70), (200, 3, 4, 5), (1, 300, 1, 2)], ids=str)
def test_every_axis_of_many(shape, layout, dtype):
    a = LAYOUTS[layout](whole(shape, dtype))
    for r in range(1, 5):
        for axes in itertools.combinations(range(4), r):
            check(sums.sum_along(a, axes), a.sum(axes))
            check(sums.sum_along(a, axes, True), a.sum(axes, keepdims=True))


WITHOUT_A_COPY = {
    "sum_products": lambda a: sums.sum_products(a, a),
    "sum_along": lambda a: sums.sum_along(a.reshape(600, 600, order="F"), 1),
    "sum_along several": lambda a: sums.sum_along(a.reshape(600, 10, 60, order="F"), (0, 2)),
}


@pytest.mark.parametrize("name", WITHOUT_A_COPY)
def test_fortran_order_is_not_copied(name):
    a = np.asfortranarray(whole((6000, 60), "float32"))
    check(WITHOUT_A_COPY[name](a), WITHOUT_A_COPY[name](a.astype("float64")).astype("float32"))
    tracemalloc.start()
    try:
        WITHOUT_A_COPY[name](a)
        assert tracemalloc.get_traced_memory()[1] < a.nbytes / 2
    finally:
        tracemalloc.stop()


def test_planes_that_lie_side_by_side_are_not_copied():
    frames = whole((100, 600, 60), "float32")
    expected = frames.astype("float64").sum((0, 1)).astype("float32")
    tracemalloc.start()
    try:
        a = np.moveaxis(frames, -1, 1)
        for axes in ((0, 2), (0, -1)):
            check(sums.sum_along(a, axes), expected)
            check(sums.sum_along(a, axes, keepdims=True), expected[None, :, None])
        assert tracemalloc.get_traced_memory()[1] < frames.nbytes / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n", [1, 64, 65, 1000, sums._PIECE // 4])
def test_products_with_an_axis_more(n):
    rates, vectors = whole((n, 2), "float32"), whole((n, 2, 3), "float32", 1)
    expected = np.einsum("no,noi->oi", rates, vectors)
    check(sums.einsum_rows("no,noi->oi", rates, vectors), expected)
    check(sums.einsum_rows("no,noi->oi", rates[:0], vectors[:0]), np.zeros((2, 3), "float32"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "shape", [(2, blas._LONG + 1, 1), (1, 70_000, 3), (70, 20_000, 60), (0, 20_000, 3)], ids=str
)
def test_long_products(shape, layout, dtype):
    m, k, n = shape
    a, b = LAYOUTS[layout](whole((k, m), dtype)).T, LAYOUTS[layout](whole((k, n), dtype))
    double = "complex128" if dtype.startswith("complex") else "float64"
    expected = (a.astype(double) @ b.astype(double)).astype(dtype)
    check(blas.product(a, b), expected)
    if m:
        check(blas.product(a[0], b), expected[0])


def test_a_product_in_several_pieces():
    a, b = whole((40_000, 40), "float32"), whole((40_000, 40), "float32", 1)
    check(blas.product(a.T, b), (a.T.astype(float) @ b.astype(float)).astype("float32"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_stacks_of_long_products(dtype):
    a, b = whole((2, 1, 3, 40_000), dtype), whole((4, 40_000, 2), dtype, 1)
    double = "complex128" if dtype.startswith("complex") else "float64"
    expected = (a.astype(double) @ b.astype(double)).astype(dtype)
    check(blas.products(a, b), expected)
    check(blas.products(a[0, 0], b), expected[0])
    check(blas.products(a[0, 0], b[0]), expected[0, 0])
    check(blas.products(a[:0], b), expected[:0])


def entries(layer, value, *shapes):
    """The layer in float32, its parameters and its inputs of these shapes full of one number."""
    layer.float()
    for parameter in layer.parameters()[0]:
        parameter.fill(value)
    return layer, [np.full(shape, value, "float32") for shape in shapes]


FEATURES = {
    "PartialLinear": (lambda n: nn.PartialLinear(n, 2, False), False),
    "Linear": (lambda n: nn.Linear(n, 2, False), False),
    "Bilinear, left": (lambda n: nn.Bilinear(n, 1, 2, False), True),
    "Bilinear, right": (lambda n: nn.Bilinear(1, n, 2, False), True),
}


@pytest.mark.parametrize("name", FEATURES)
def test_outputs_of_many_features(name):
    build, pair = FEATURES[name]
    layer, (many, one) = entries(build(MANY), HARD[3], (2, MANY), (2, 1))
    input = many
    if pair:
        one.fill(1)
        input = [many, one] if name.endswith("left") else [one, many]
    assert np.allclose(layer.forward(input), MANY * float(HARD[3]) ** 2, rtol=1e-6, atol=0)


@pytest.mark.parametrize("layer", [nn.Linear, nn.PartialLinear, nn.LinearWeightNorm], ids=str)
def test_gradients_of_the_input_from_many_outputs(layer):
    layer, (gradOutput,) = entries(layer(2, MANY, False), HARD[3], (3, MANY))
    if isinstance(layer, nn.LinearWeightNorm):
        layer.g *= np.sqrt(2)
    gradInput = layer.backward(np.ones((3, 2), "float32"), gradOutput)
    assert np.allclose(gradInput, MANY * float(HARD[3]) ** 2, rtol=1e-6, atol=0)


def test_matrices_of_many_rows():
    column, columns = (np.full((MANY, n), HARD[3], "float32") for n in (1, 2))
    ones = np.ones((2, 1), "float32")
    for got in (
        nn.MM(True).forward([column, columns]),
        nn.MM(True).forward([column[None], columns[None]]),
        nn.MM().backward([column, ones.T], columns)[1],
        nn.MM().backward([ones, column.T], columns.T)[0],
        nn.MV(True).forward([columns, column[:, 0]]),
        nn.MV().backward([columns, ones[:, 0]], column[:, 0])[1],
    ):
        assert np.allclose(got, MANY * float(HARD[3]) ** 2, rtol=1e-6, atol=0)


def test_subclasses_add_up_their_own_way():
    masked = np.ma.array(np.ones((100, 2), "float32"), mask=[[True, False]] * 100)
    for total in (sums.sum_rows(masked), sums.sum_along(masked, 0)):
        assert total.tolist() == [None, 100]
    assert sums.sum_all(masked) == 100
    assert not sums.is_single(masked)


def test_many_numbers_between_others_that_repeat():
    """NumPy goes along what repeats first, and so adds the rest up number by number."""
    column = np.full(60_000, 0.1, "float32")
    total = sums.sum_along(np.broadcast_to(column[:, None], (60_000, 3)), 0)
    assert np.allclose(total, 60_000 * float(column[0]), rtol=1e-6, atol=0)


def test_sums_of_sums_of_many():
    assert sums.sum_along(np.ones((70_000, 1, 65), "float32"), (0, 2)) == [70_000 * 65]


def test_sums_that_are_too_large():
    with np.errstate(all="raise"):
        assert sums.rounded(np.array([1e300]), np.ones(1, "float32")) == [math.inf]


# Numbers that are rounded to the same side at each addition, and numbers that are not.
HARD = np.array([1 + 15 * 2.0**-23, 1.1, 100.1, 1.7654321, 0.1], "float32")


@pytest.mark.parametrize("n", [64, 100, 128, 1000, 5000, MANY, 1_000_000])
def test_right_to_a_millionth(n):
    for value in HARD[:, None]:
        rows = np.broadcast_to(value, (n, 1)).copy()
        exact = n * value.astype(float)
        column = np.repeat(rows, 3, axis=1)
        for got in (
            sums.sum_rows(rows),
            sums.sum_rows(column),
            sums.sum_rows(np.asfortranarray(column)),
            sums.sum_along(column.reshape(2, -1, 3), (0, 1)),
            sums.sum_along(np.asfortranarray(column), 0),
            sums.sum_along(column.T.copy(), 1, keepdims=True),
            sums.sum_along(column.T.reshape(3, 2, -1), (1, 2)),
            sums.sum_all(column) / 3,
            sums.sum_all(column[:, :2]) / 2,
            sums.dot(rows, np.ones_like(rows)),
            sums.sum_products(column, np.ones_like(column)),
            sums.inner(rows.T, np.ones_like(rows.T)),
            sums.inner(column.T, np.ones_like(column).T),
            sums.einsum_rows("no,noi->oi", column, np.ones((n, 3, 2), "float32")),
        ):
            assert np.abs(got / exact - 1).max() <= 1e-6


@pytest.mark.parametrize("n", [blas._LONG + 1, MANY])
def test_long_products_are_right_to_a_hundred_thousandth(n):
    a = np.broadcast_to(HARD, (n, 5)).copy()
    exact = n * np.outer(HARD.astype(float), HARD)
    for columns in (1, 2, 5):
        got = blas.product(a[:, :columns].T, a)
        assert np.abs(got / exact[:columns] - 1).max() <= 1e-5


def rows_of(*shape):
    """Positive numbers, a hundred samples over and over again, of which the roundings repeat."""
    few = np.random.default_rng(0).uniform(1, 2, (100, *shape[1:])).astype("float32")
    return few[np.arange(shape[0]) % 100]


def weighty(layer):
    """The layer in float32, with a positive first parameter so that no sum cancels."""
    layer.float()
    for parameter in layer.parameters()[0]:
        np.abs(parameter, out=parameter)
    return layer


LAYERS = {
    "Linear(1, 2)": (lambda: nn.Linear(1, 2), (1,)),
    "Linear(3, 2)": (lambda: nn.Linear(3, 2), (3,)),
    "PartialLinear": (lambda: nn.PartialLinear(3, 4).setPartition([3, 1]), (3,)),
    "LinearWeightNorm": (lambda: nn.LinearWeightNorm(3, 2), (3,)),
    "WeightNorm": (lambda: nn.WeightNorm(nn.Linear(3, 2)), (3,)),
    "Maxout": (lambda: nn.Maxout(3, 2, 2), (3,)),
    "Bilinear": (lambda: nn.Bilinear(3, 2, 2), ((3,), (2,))),
    "Euclidean": (lambda: nn.Euclidean(3, 2), (3,)),
    "WeightedEuclidean": (lambda: nn.WeightedEuclidean(3, 2), (3,)),
    "Cosine": (lambda: nn.Cosine(3, 2), (3,)),
    "Add": (lambda: nn.Add(3), (3,)),
    "Add, scalar": (lambda: nn.Add(3, True), (3,)),
    "CAdd": (lambda: nn.CAdd(3), (3,)),
    "CAdd, broadcast": (lambda: nn.CAdd(1, 3, 1), (3, 2)),
    "CMul": (lambda: nn.CMul(3), (3,)),
    "CMul, broadcast": (lambda: nn.CMul(1, 3, 1), (3, 2)),
    "Mul": (lambda: nn.Mul(), (3,)),
    "PReLU": (lambda: nn.PReLU(), (3,)),
    "PReLU(3)": (lambda: nn.PReLU(3), (3,)),
    "PReLU(3), images": (lambda: nn.PReLU(3), (3, 2, 2)),
    "BatchNormalization": (lambda: nn.BatchNormalization(3), (3,)),
    "SpatialBatchNormalization": (lambda: nn.SpatialBatchNormalization(3), (3, 2, 2)),
    "VolumetricBatchNormalization": (lambda: nn.VolumetricBatchNormalization(3), (3, 1, 1, 1)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_over_many_rows(name):
    build, size = LAYERS[name]
    layer = weighty(build())
    exact = layer.clone().double()
    if type(size[0]) is tuple:
        input = [rows_of(MANY, *each) for each in size]
    else:
        input = rows_of(MANY, *size) * (-1 if name.startswith("PReLU") else 1)
    doubled = [x.astype(float) for x in input] if type(input) is list else input.astype(float)
    output = layer.forward(input)
    gradOutput = rows_of(*output.shape)
    layer.backward(input, gradOutput)
    exact.forward(doubled)
    exact.backward(doubled, gradOutput.astype(float))
    for got, expected in zip(layer.parameters()[1], exact.parameters()[1], strict=True):
        # As large as the terms are together: with the other sign, the sums do not cancel either.
        assert np.abs(got - expected).max() <= 1e-6 * max(np.abs(expected).max(), MANY)


@pytest.mark.parametrize("shape", [(2, 2, -1, 1), (-1, 2, 1, 2)])
def test_spatial_batch_normalization_of_two_values(shape):
    layer = nn.SpatialBatchNormalization(2).float()
    layer.weight[:] = 1
    x = np.full(4 * MANY, 100, "float32").reshape(shape)
    x[x.shape[0] // 2 :] = 100.5
    output = layer.forward(x)
    assert np.allclose(output[0], -1, atol=1e-4)
    assert np.allclose(output[-1], 1, atol=1e-4)
    assert layer.save_mean.tolist() == [100.25] * 2
    layer.backward(x, output)
    assert np.allclose(layer.gradWeight, 2 * MANY, rtol=2e-4)


def test_batch_normalization_of_two_values():
    layer = nn.BatchNormalization(2).float()
    layer.weight[:] = 1
    x = np.full((MANY, 2), 100, "float32")
    x[::2] = 100.5
    output = layer.forward(x)
    assert np.allclose(output[:2], [[1, 1], [-1, -1]], atol=1e-4)
    assert layer.save_mean.tolist() == [100.25] * 2
    layer.backward(x, output)
    assert np.allclose(layer.gradWeight, MANY, rtol=2e-4)


@pytest.mark.parametrize("shape", [(MANY,), (MANY, 3), (2, MANY, 3), (2, 3, MANY)])
def test_sum_and_mean_of_many(shape):
    x = np.full(shape, 1.1, "float32")
    axis = shape.index(MANY)
    for layer, expected in ((nn.Sum(axis), MANY * 1.1), (nn.Mean(axis), 1.1)):
        assert np.allclose(layer.float().forward(x), expected, rtol=1e-6, atol=0)


def test_replicate_many():
    layer = nn.Replicate(MANY).float()
    x = np.ones(3, "float32")
    layer.forward(x)
    gradOutput = np.full((MANY, 3), 1.1, "float32")
    assert np.allclose(layer.backward(x, gradOutput), MANY * 1.1, rtol=1e-6, atol=0)


@pytest.mark.parametrize("lookup", [nn.LookupTable(3, 2), nn.LookupTable(2 * MANY, 2)], ids=str)
def test_one_id_many_times(lookup):
    lookup.float()
    ids = np.ones(MANY, np.int64)
    ids[:10] = 2
    lookup.forward(ids)
    lookup.backward(ids, np.full((MANY, 2), 1.1, "float32"))
    expected = [[0, 0], [1.1 * (MANY - 10)] * 2, [11, 11]]
    assert np.allclose(lookup.gradWeight[:3], expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("layer", [nn.SoftMax, nn.LogSoftMax, nn.SpatialSoftMax], ids=str)
def test_planes_of_many_classes(layer):
    x = np.zeros((MANY, 2, 2), "float32")
    x[0] = np.log(1.1)
    output = layer().float().forward(x)
    got = np.exp(output) if layer is nn.LogSoftMax else output
    assert np.allclose(got[1:], 1 / (MANY + 0.1), rtol=2e-6, atol=0)


def pair_of(n):
    return rows_of(n, 3), rows_of(n, 3)[::-1].copy()


SIGNS = np.where(np.arange(MANY) % 2, 1.0, -1.0)
CRITERIONS = {
    "MSE": (nn.MSECriterion(), lambda: pair_of(MANY)),
    "WeightedMSE": (nn.WeightedMSECriterion(np.ones(3, "float32")), lambda: pair_of(MANY)),
    "Abs": (nn.AbsCriterion(), lambda: pair_of(MANY)),
    "SmoothL1": (nn.SmoothL1Criterion(), lambda: pair_of(MANY)),
    "L1Cost": (nn.L1Cost(), lambda: (rows_of(MANY, 3), None)),
    "Margin": (nn.MarginCriterion(5), lambda: pair_of(MANY)),
    "SoftMargin": (nn.SoftMarginCriterion(), lambda: pair_of(MANY)),
    "DistKLDiv": (nn.DistKLDivCriterion(), lambda: pair_of(MANY)),
    "BCE": (nn.BCECriterion(), lambda: tuple(x / 4 for x in pair_of(MANY))),
    "ClassNLL": (nn.ClassNLLCriterion(), lambda: (rows_of(MANY, 3), np.arange(MANY) % 3)),
    "MultiMargin": (nn.MultiMarginCriterion(), lambda: (rows_of(MANY, 3), np.arange(MANY) % 3)),
    "HingeEmbedding": (nn.HingeEmbeddingCriterion(5), lambda: (rows_of(MANY), SIGNS)),
    "MarginRanking": (nn.MarginRankingCriterion(5), lambda: (pair_of(MANY), np.ones((MANY, 3)))),
    "L1HingeEmbedding": (nn.L1HingeEmbeddingCriterion(), lambda: (pair_of(MANY), 1)),
}


@pytest.mark.parametrize("layout", ["C", "Fortran"])
@pytest.mark.parametrize("name", CRITERIONS)
def test_losses_of_many(name, layout):
    criterion, build = CRITERIONS[name]
    input, target = build()

    def cast(x, dtype):
        if isinstance(x, tuple):
            return [cast(each, dtype) for each in x]
        floating = isinstance(x, np.ndarray) and x.dtype.kind == "f"
        return LAYOUTS[layout](x.astype(dtype)) if floating else x

    criterion.type("float32")
    got = criterion.forward(cast(input, "float32"), cast(target, "float32"))
    criterion.type("float64")
    expected = criterion.forward(cast(input, "float64"), cast(target, "float64"))
    assert got == pytest.approx(expected, rel=1e-6)


def test_a_million_equal_errors():
    x, zeros = np.full(1_000_000, 1.1, "float32"), np.zeros(1_000_000, "float32")
    assert nn.MSECriterion().forward(x, zeros) == pytest.approx(1.21, rel=1e-6)


def test_the_length_of_a_long_gradient():
    gradient = np.full(1_000_000, 1.1, "float32")
    assert optim.clip_by_norm(gradient, 1e6) == pytest.approx(1100, rel=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_inner_products_of_stacks(layout, dtype):
    a, b = (LAYOUTS[layout](whole((2, 3, 300), dtype, seed)) for seed in (0, 1))
    check(sums.inner(a, b), (a * b).sum(-1))


@pytest.mark.parametrize("number", [2.5, 3, 1 + 2j, True])
@pytest.mark.parametrize("dimensions", [None, (), (1,)])
def test_a_total_becomes_a_number_of_pythons_own(number, dimensions):
    for dtype in ("float32", "float64") if type(number) is float else (None,):
        total = np.array(number, dtype)
        total = total[()] if dimensions is None else total.reshape(dimensions)
        found = sums.item(total)
        assert type(found) is type(number)
        assert found == number
