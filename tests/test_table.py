"""Table layers: lengths that change, kinks and ties, what is separate and what is not, errors."""

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError
from torchlite.nn import (
    CAddTable,
    CAddTensorTable,
    CDivTable,
    CMaxTable,
    CMinTable,
    CMulTable,
    CosineDistance,
    CriterionTable,
    CSubTable,
    DotProduct,
    FlattenTable,
    JoinTable,
    MixtureTable,
    NarrowTable,
    PairwiseDistance,
    SelectTable,
    SplitTable,
    ZipTable,
    ZipTableOneToMany,
)


def vectors(count, start=1.0):
    return [np.array([start + i, -start - i]) for i in range(count)]


def same(got, expected):
    """Whether two tables are built alike and hold equal numbers."""
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[k], expected[k]) for k in expected)
    if isinstance(expected, list):
        return (
            type(got) is list
            and len(got) == len(expected)
            and all(same(*pair) for pair in zip(got, expected, strict=True))
        )
    return got.dtype == expected.dtype and np.array_equal(got, expected)


# ---------------------------------------------------------------- tables of changing length


@pytest.mark.parametrize(
    ("layer", "output"),
    [
        (CAddTable(), sum),
        (CMulTable(), lambda table: np.prod(table, axis=0)),
        (CMaxTable(), lambda table: np.max(table, axis=0)),
        (CMinTable(), lambda table: np.min(table, axis=0)),
        (JoinTable(0), np.concatenate),
        (FlattenTable(), list),
    ],
    ids=lambda value: str(value) if isinstance(value, nn.Module) else "",
)
def test_no_entry_of_a_longer_table_survives(layer, output):
    for count in (3, 1, 2, 4):
        x = vectors(count)
        y = layer.forward(x)
        assert same(y, output(x))
        gradInput = layer.backward(x, y)
        assert [array.shape for array in gradInput] == [(2,)] * count
        assert layer.gradInput is gradInput


def test_selections_of_changing_tables():
    layer = SelectTable(-1)
    for x in ([np.ones(2)], [np.ones(3), [np.ones(1)]], [np.ones(2), np.ones(2), np.ones(4)]):
        output = layer.forward(x)
        assert output is x[-1]
        gradInput = layer.backward(x, output)
        assert len(gradInput) == len(x)
        assert gradInput[-1] is output
        assert all(not entry.any() for entry in gradInput[:-1])


def test_tuples_are_tables():
    x = tuple(vectors(2))
    gradOutput = np.array([3.0, 4.0])
    assert same(CAddTable().forward(x), x[0] + x[1])
    assert same(JoinTable(0).backward(x, np.arange(4.0)), [np.array([0.0, 1]), np.array([2.0, 3])])
    assert same(SelectTable(0).backward(x, gradOutput), [gradOutput, np.zeros(2)])
    assert same(NarrowTable(0, 2).forward(x), list(x))
    assert same(FlattenTable().backward((x, x[0]), (*x, x[1])), [list(x), x[1]])
    assert same(SplitTable(0).backward(np.ones((2, 2)), x), np.stack(x))


def test_dicts():
    a, b, c = np.ones(1), np.ones(2), np.ones(3)
    x = {"a": a, "rest": {"b": b, "c": [c]}}
    layer = SelectTable("rest")
    assert layer.forward(x) is x["rest"]
    gradInput = layer.backward(x, {"b": 2 * b, "c": [3 * c]})
    assert same(gradInput, {"a": 0 * a, "rest": {"b": 2 * b, "c": [3 * c]}})
    flat = FlattenTable()
    assert same(flat.forward(x), [a, b, c])
    assert same(
        flat.backward(x, [2 * a, 3 * b, 4 * c]), {"a": 2 * a, "rest": {"b": 3 * b, "c": [4 * c]}}
    )


def test_zip_tables_turn_back():
    x = [vectors(3), vectors(3, 5.0)]
    layer = ZipTable()
    columns = layer.forward(x)
    assert same(columns, [[x[0][i], x[1][i]] for i in range(3)])
    assert same(layer.backward(x, columns), x)
    assert ZipTable().forward([[], []]) == []
    assert ZipTable().backward([[], []], []) == [[], []]


def test_one_to_none():
    x = [np.ones(2), []]
    for layer in (ZipTableOneToMany(), CAddTensorTable()):
        assert layer.forward(x) == []
        assert same(layer.backward(x, []), [np.zeros(2), []])


def test_one_nested_table_to_many():
    layer = ZipTableOneToMany()
    one = [np.ones(2), {"a": np.ones(1)}]
    x = [one, vectors(2)]
    assert layer.forward(x) == [[one, x[1][0]], [one, x[1][1]]]
    gradOutput = [[[np.full(2, i), {"a": np.full(1, 10.0 * i)}], x[1][0]] for i in (1.0, 2.0)]
    gradInput = layer.backward(x, gradOutput)
    assert same(gradInput[0], [np.full(2, 3.0), {"a": np.full(1, 30.0)}])


# ---------------------------------------------------------------- separate arrays, and views


@pytest.mark.parametrize(
    "layer",
    [CAddTable(), CAddTable(True), CAddTable(inplace=True), CMulTable(), CMaxTable(), CMinTable()],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_gradInputs_are_separate(layer, count):
    """Torch7's CAddTable(true) hands out gradOutput itself, once for each input."""
    x = [np.ones(3) for _ in range(count)]
    gradOutput = np.arange(3.0)
    output = layer.forward(x)
    gradInput = layer.backward(x, gradOutput)
    # For the last input of a sum it is no copy.
    passed = isinstance(layer, CAddTable) and count > 1
    assert (gradInput[-1] is gradOutput) == passed
    arrays = [*x, output, *gradInput, *([] if passed else [gradOutput])]
    for i, one in enumerate(arrays):
        assert not any(np.shares_memory(one, other) for other in arrays[:i])


def test_added_gradients_are_separate():
    x = [np.ones(2), vectors(2)]
    gradOutput = vectors(2, 7.0)
    one, many = CAddTensorTable().backward(x, gradOutput)
    arrays = [one, *many, *gradOutput]
    for i, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[:i])
    gradOutput = [[np.ones(2), np.ones(2)]]
    one, _ = ZipTableOneToMany().backward([np.ones(2), [np.ones(2)]], gradOutput)
    assert not np.shares_memory(one, gradOutput[0][0])


def test_split_and_join_give_views():
    x = np.arange(12.0).reshape(3, 4)
    outputs = SplitTable(1).forward(x)
    assert all(np.shares_memory(output, x) for output in outputs)
    gradOutput = np.arange(8.0).reshape(2, 4)
    left, right = JoinTable(1).backward([np.ones((2, 1)), np.ones((2, 3))], gradOutput)
    assert np.shares_memory(left, gradOutput)
    assert np.shares_memory(right, gradOutput)
    assert not np.shares_memory(left, right)


# ---------------------------------------------------------------- dimensions


def test_dimensions_count_from_the_end_too():
    x = np.arange(24.0).reshape(2, 3, 4)
    for dimension in (0, 1, 2):
        assert same(SplitTable(dimension).forward(x), SplitTable(dimension - 3).forward(x))
        parts = [x, 2 * x]
        joined = np.concatenate(parts, dimension)
        assert same(JoinTable(dimension).forward(parts), joined)
        assert same(JoinTable(dimension - 3).forward(parts), joined)


def test_nInputDims_lets_a_batch_stand_in_front():
    sample = np.arange(6.0).reshape(2, 3)
    batch = np.stack([sample, 2 * sample])
    for dimension in (0, 1, -1, -2):
        layer = SplitTable(dimension, 2)
        first, second = layer.forward(sample), layer.forward(2 * sample)
        expected = [np.stack(pair) for pair in zip(first, second, strict=True)]
        assert same(layer.forward(batch), expected)
        layer = JoinTable(dimension, 2)
        expected = np.stack([layer.forward([sample, sample]), layer.forward([2 * sample] * 2)])
        assert same(layer.forward([batch, batch]), expected)


def test_split_of_numbers():
    """In Torch7 the backward of a 1-D input fails."""
    layer = SplitTable(0)
    x = np.array([1.0, 2.0])
    outputs = layer.forward(x)
    assert [output.shape for output in outputs] == [(), ()]
    assert same(layer.backward(x, [np.float64(3), np.array(4.0)]), np.array([3.0, 4.0]))
    with pytest.raises(ShapeError, match=r"gradOutput\[1\] must be \(\), got \(1,\)"):
        layer.backward(x, [np.array(3.0), np.ones(1)])


def test_empty_dimensions():
    layer = SplitTable(1)
    x = np.ones((2, 0, 3))
    assert layer.forward(x) == []
    assert layer.backward(x, []).shape == (2, 0, 3)
    join = JoinTable(0)
    assert join.forward([np.ones((0, 2)), np.ones((1, 2))]).shape == (1, 2)


# ---------------------------------------------------------------- kinks, ties, zeros


def test_of_equal_entries_the_first_gets_the_gradient():
    x = [np.array([1.0, 2.0, 0.0]), np.array([1.0, 3.0, -0.0]), np.array([1.0, 3.0, 0.0])]
    g = np.array([10.0, 20.0, 30.0])
    largest = [np.array([10.0, 0, 30]), np.array([0.0, 20, 0]), np.zeros(3)]
    assert same(CMaxTable().backward(x, g), largest)
    assert same(CMinTable().backward([-array for array in x], g), largest)


@pytest.mark.parametrize("layer", [CMaxTable(), CMinTable()], ids=str)
@pytest.mark.parametrize("place", [0, 1])
def test_nan_is_not_passed_over(layer, place):
    x = [np.array([1.0, 2.0]), np.array([3.0, 1.0])]
    x[place][1] = np.nan
    assert np.isnan(layer.forward(x)).tolist() == [False, True]
    assert layer.backward(x, np.ones(2))[place][1] == 1


@pytest.mark.parametrize("layer", [CMaxTable(), CMinTable()], ids=str)
def test_an_infinite_gradient_goes_to_the_winner_alone(layer):
    gradInput = layer.backward(vectors(2), np.array([np.inf, -np.inf]))
    assert sorted(array[0] for array in gradInput) == [0, np.inf]


def test_products_with_zeros():
    """Dividing the output by the input would give NaN."""
    x = [np.array([0.0, 0.0, 2.0]), np.array([3.0, 0.0, 5.0]), np.array([7.0, 2.0, 1.0])]
    gradInput = CMulTable().backward(x, np.ones(3))
    expected = [np.array([21.0, 0, 5]), np.array([0.0, 0, 2]), np.array([0.0, 0, 10])]
    assert same(gradInput, expected)


def test_products_of_many_arrays_take_three_times_as_many_products():
    """Multiplying out each array's others took as many as the square of that."""

    class Counted(np.ndarray):
        products = 0

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            Counted.products += ufunc is np.multiply
            arrays = [a.view(np.ndarray) if isinstance(a, Counted) else a for a in inputs]
            return getattr(ufunc, method)(*arrays, **kwargs).view(Counted)

    for count in (2, 3, 10, 1000):
        x = [np.array([1.0 + i % 2, -1.0]).view(Counted) for i in range(count)]
        Counted.products = 0
        gradInput = CMulTable().backward(x, np.array([1.0, 3.0]).view(Counted))
        assert Counted.products == 3 * count - 4
        powers = [2.0 ** (count // 2 - i % 2) for i in range(count)]
        assert [array[0] for array in gradInput] == powers
        assert [array[1] for array in gradInput] == [3 * (-1.0) ** (count - 1)] * count


def test_quotients_far_from_one():
    x = [np.array([1e-30, 1e25], "float32"), np.array([1e-30, 1e20], "float32")]
    layer = CDivTable()
    assert np.allclose(layer.forward(x), [1, 1e5], 1e-6)
    first, second = layer.backward(x, np.array([1e-30, 1e38], "float32"))
    assert np.allclose(first, [1, 1e18], 1e-6)
    assert np.allclose(second, [-1, -1e23], 1e-6)


# ---------------------------------------------------------------- rows


def test_distances():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 4))
    for p in (1, 1.25, 2, 3, 7.5):
        expected = (np.abs(a - b) ** p).sum(1) ** (1 / p)
        assert np.allclose(PairwiseDistance(p).forward([a, b]), expected, 1e-14)


@pytest.mark.parametrize("p", [1.25, 1.5, 2, 2.5, 4])
def test_the_gradient_of_distances_is_right_for_every_norm(p):
    """Torch7 leaves a factor out for 1 < p < 2. It divides by the distance plus 1e-6."""
    rng = np.random.default_rng(1)
    x = list(rng.normal(size=(2, 5, 4)))
    layer = PairwiseDistance(p)
    gradInput = layer.backward(x, np.ones(5))
    h = 1e-30
    for i, j in np.ndindex(5, 4):
        moved = x[0].astype(complex)
        moved[i, j] += h * 1j
        slope = layer.forward([moved, x[1]])[i].imag / h
        distance = layer.forward(x)[i]
        expected = slope * (distance / (distance + 1e-6)) ** (p - 1)
        assert gradInput[0][i, j] == pytest.approx(expected, rel=1e-11)
        assert gradInput[1][i, j] == -gradInput[0][i, j]


def test_the_subgradient_of_equal_entries_is_zero_and_draws_nothing():
    """Torch7 draws a sign."""
    x = [np.array([[1.0, 2.0]]), np.array([[1.0, 5.0]])]
    random.manualSeed(1)
    before = random.getRNGState()
    gradInput = PairwiseDistance(1).backward(x, np.array([2.0]))
    assert same(gradInput, [np.array([[0.0, -2.0]]), np.array([[0.0, 2.0]])])
    assert np.array_equal(before, random.getRNGState())


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_distance_zero(p):
    x = [np.ones((2, 3)), np.ones((2, 3))]
    layer = PairwiseDistance(p)
    assert not layer.forward(x).any()
    assert not np.any(layer.backward(x, np.ones(2)))


@pytest.mark.parametrize(
    "layer",
    [*(PairwiseDistance(p) for p in (1, 1.5, 2, 3, 10, 40)), DotProduct(), CosineDistance()],
)
@pytest.mark.parametrize("size", [1e-4, 1e4])
def test_rows_of_extreme_size_in_float32(layer, size):
    rng = np.random.default_rng(2)
    x = [(size * rng.normal(size=(6, 5))).astype("float32") for _ in range(2)]
    g = rng.normal(size=6).astype("float32")
    output, gradInput = layer.forward(x), layer.backward(x, g)
    exact = [array.astype("float64") for array in x]
    expected, expected_gradInput = layer.forward(exact), layer.backward(exact, g.astype("float64"))
    assert output.dtype == gradInput[0].dtype == np.float32
    assert np.allclose(output, expected, 1e-4, 1e-5 * np.abs(expected).max())
    for got, array in zip(gradInput, expected_gradInput, strict=True):
        assert np.allclose(got, array, 1e-3, 1e-5 * np.abs(array).max())


def test_the_cosine_with_a_row_of_zeros():
    x = [np.zeros((1, 2)), np.array([[3.0, 4.0]])]
    layer = CosineDistance()
    assert layer.forward(x) == 0
    to_zeros, to_other = layer.backward(x, np.ones(1))
    assert np.allclose(to_zeros, [[0.6e6, 0.8e6]])
    assert not to_other.any()


def test_one_sample_is_a_batch_of_one():
    x = [np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.5, -1.0])]
    for layer in (PairwiseDistance(3), DotProduct(), CosineDistance()):
        single, batch = layer.forward(x), layer.forward([array[None] for array in x])
        assert single.shape == batch.shape == (1,)
        assert single == batch
        gradInput = layer.backward(x, np.array([2.0]))
        assert [array.shape for array in gradInput] == [(3,), (3,)]


def test_norms_that_are_none():
    with pytest.raises(DTypeError, match=r"PairwiseDistance.__init__: p must be a number, got '2'"):
        PairwiseDistance("2")
    for p in (0.5, 0, -1, float("inf"), float("nan")):
        with pytest.raises(SettingError, match="p must be finite and at least 1, got"):
            PairwiseDistance(p)


# ---------------------------------------------------------------- mixtures, criterions


def test_one_mixture_takes_samples_batches_tables_and_arrays():
    """Torch7 keeps to what it saw first."""
    layer = MixtureTable()
    rng = np.random.default_rng(3)
    gates, experts = rng.normal(size=(4, 3)), rng.normal(size=(3, 4, 2))
    expected = np.einsum("bi,ibk->bk", gates, experts)
    table = list(experts)
    for _ in range(2):
        assert np.allclose(layer.forward([gates, table]), expected)
        assert np.allclose(layer.forward([gates[0], list(experts[:, 0])]), expected[0])
        assert np.allclose(layer.forward([gates, experts.swapaxes(0, 1)]), expected)
        assert np.allclose(layer.forward([gates[1], experts[:, 1]]), expected[1])
    assert np.allclose(MixtureTable(-1).forward([gates, np.moveaxis(experts, 0, -1)]), expected)
    assert np.allclose(MixtureTable(0).forward([gates, experts]), expected)


def test_gradients_of_a_mixture_keep_the_form_of_the_experts():
    rng = np.random.default_rng(4)
    gates, experts, g = rng.normal(size=(4, 3)), rng.normal(size=(3, 4, 2)), rng.normal(size=(4, 2))
    by_gates, table = MixtureTable().backward([gates, list(experts)], g)
    again, array = MixtureTable(2).backward([gates, np.moveaxis(experts, 0, 2)], g)
    assert np.array_equal(by_gates, again)
    assert np.allclose(by_gates, np.einsum("bk,ibk->bi", g, experts))
    assert np.array_equal(np.moveaxis(array, 2, 0), table)


@pytest.mark.parametrize(
    ("dim", "gates", "experts", "message"),
    [
        (None, (4, 3), [(4, 2), (4, 2)], "3 experts of 4 samples, got [(4, 2), (4, 2)]"),
        (None, (4, 2), [(5, 2), (5, 2)], "2 experts of 4 samples, got [(5, 2), (5, 2)]"),
        (None, (3,), [(2,), (2,)], "3 experts, got [(2,), (2,)]"),
        (None, (4, 3), (4, 2, 3), "3 experts of 4 samples, got (4, 2, 3)"),
    ],
)
def test_mixtures_that_do_not_fit(dim, gates, experts, message):
    if isinstance(experts, list):
        experts = [np.ones(shape) for shape in experts]
    else:
        experts = np.ones(experts)
    with pytest.raises(ShapeError) as error:
        MixtureTable(dim).forward([np.ones(gates), experts])
    assert str(error.value) == f"MixtureTable.updateOutput: input[1] must be {message}"


def test_gates_are_vectors():
    with pytest.raises(ShapeError) as error:
        MixtureTable().forward([np.ones((2, 2, 2)), [np.ones((2, 2))]])
    assert str(error.value) == (
        "MixtureTable.updateOutput: input[0] must be (n,) or (N, n), got (2, 2, 2)"
    )


def test_a_criterion_among_layers():
    layer = CriterionTable(nn.MSECriterion())
    x = [np.array([1.0, 2.0], "float32"), np.array([3.0, 5.0], "float32")]
    output = layer.forward(x)
    assert output.shape == ()
    assert output.dtype == np.float32
    assert output == layer.criterion.output == 6.5
    expected = np.array([-4.0, -6.0], "float32")
    for gradOutput in (2, 2.0, np.float64(2), np.array(2, "float32")):
        assert same(layer.backward(x, gradOutput), [expected, np.zeros(2, "float32")])
    layer.double()
    assert layer.criterion.type() == np.float64


def test_a_criterion_of_tables():
    class Pair(nn.Criterion):
        def updateOutput(self, input, target):
            self.output = (target * (input[0] * input[1]).sum()).item()
            return self.output

        def updateGradInput(self, input, target):
            self.gradInput = [target * input[1], target * input[0]]
            return self.gradInput

    layer = CriterionTable(Pair())
    x = [[np.array([2.0]), np.array([3.0])], 10.0]
    assert layer.forward(x) == 60
    gradient, zero = layer.backward(x, 0.5)
    assert same(gradient, [np.array([15.0]), np.array([10.0])])
    assert zero == 0
    assert type(zero) is float


def test_a_criterion_inside_table_containers():
    x, target = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    branches = nn.ConcatTable(CriterionTable(nn.MSECriterion()), nn.SelectTable(0))
    loss, _ = branches.forward([x, target])
    assert loss == 6.5
    gradients = branches.backward([x, target], [np.array(2.0), np.ones((1, 2))])
    assert same(gradients, [np.array([[-3.0, -5.0]]), np.zeros((1, 2))])
    net = nn.Sequential(
        nn.ParallelTable(nn.Linear(2, 2), nn.Identity()), CriterionTable(nn.MSECriterion())
    )
    net.forward([x, target])
    by_input, by_target = net.backward([x, target], 1)
    assert by_input.shape == (1, 2)
    assert not by_target.any()
    classes = nn.CriterionTable(nn.ClassNLLCriterion())
    ids = np.array([1])
    losses = nn.ConcatTable(classes, classes.clone())
    losses.forward([x, ids])
    gradients = losses.backward([x, ids], [np.array(1.0), np.array(2.0)])
    assert same(gradients, [np.array([[0.0, -3.0]]), np.zeros_like(ids)])
    assert nn.CriterionTable(nn.L1Cost()).backward([x[0], None], 1)[1] is None


@pytest.mark.parametrize(
    ("gradOutput", "message"),
    [
        (None, "gradOutput must be a number, got None"),
        ("1", "gradOutput must be a number, got '1'"),
        (np.ones(1), "gradOutput must be (), got (1,)"),
        (np.array(1, "float32"), "gradOutput must be float64, got float32"),
    ],
)
def test_gradOutputs_of_a_criterion(gradOutput, message):
    with pytest.raises((ShapeError, DTypeError)) as error:
        CriterionTable(nn.MSECriterion()).backward(vectors(2), gradOutput)
    assert str(error.value).splitlines()[0] == f"CriterionTable.updateGradInput: {message}"


def test_only_criterions_become_layers():
    with pytest.raises(DTypeError) as error:
        CriterionTable(nn.Identity())
    assert str(error.value) == "CriterionTable: criterion must be a Criterion, got Identity"


# ---------------------------------------------------------------- errors, word for word

A, B = np.ones(2), np.ones(3)
FORWARD_ERRORS = [
    (CAddTable(), A, DTypeError, "input must be a table (a list), got ndarray"),
    (CAddTable(), [], ShapeError, "input must be a table of at least 1 entry, got []"),
    (CAddTable(), [A, A, B], ShapeError, "input[2] must be (2,) like input[0], got (3,)"),
    (CAddTable(), [A, A.astype("f")], DTypeError, "input[1] must be float64, got float32"),
    (CAddTable(), [A, [A]], DTypeError, "input[1] must be an array, got list"),
    (
        CAddTable(),
        [np.arange(2)],
        DTypeError,
        f"input[0] must be {nn.checks.FLOATING_NAMES}, got int64",
    ),
    (
        CMaxTable(),
        [np.array(1.0)],
        ShapeError,
        "input[0] must be an array of at least one dimension, got ()",
    ),
    (
        CSubTable(),
        [A, A, A],
        ShapeError,
        "input must be a table of 2 entries, got [(2,), (2,), (2,)]",
    ),
    (CDivTable(), [A], ShapeError, "input must be a table of 2 entries, got [(2,)]"),
    (CAddTensorTable(), [A, A], DTypeError, "input[1] must be a table (a list), got ndarray"),
    (
        CAddTensorTable(),
        [A, [A, B]],
        ShapeError,
        "input[1][1] must be (2,) like input[0], got (3,)",
    ),
    (DotProduct(), [A, B], ShapeError, "input[1] must be (2,) like input[0], got (3,)"),
    (
        DotProduct(),
        [np.ones((2, 2, 2))] * 2,
        ShapeError,
        "input must be a table of two arrays (n,) or (N, n), got [(2, 2, 2), (2, 2, 2)]",
    ),
    (
        JoinTable(0),
        [np.ones((2, 2)), np.ones((2, 3))],
        ShapeError,
        "input must be arrays alike but for dimension 0, got [(2, 2), (2, 3)]",
    ),
    (
        JoinTable(-1),
        [np.ones((2, 2)), np.ones(2)],
        ShapeError,
        "input must be arrays alike but for dimension 1, got [(2, 2), (2,)]",
    ),
    (JoinTable(1), [A], ShapeError, None),
    (SplitTable(2), np.ones((2, 2)), ShapeError, None),
    (SplitTable(0, 3), np.ones((2, 2)), ShapeError, None),
    (SplitTable(0), [A], DTypeError, "input must be an array, got list"),
    (SelectTable(2), [A, B], ShapeError, "input must be a table with entry 2, got [(2,), (3,)]"),
    (SelectTable(-3), [A, B], ShapeError, "input must be a table with entry -3, got [(2,), (3,)]"),
    (SelectTable("c"), {"a": A}, ShapeError, "input must be a dict with 'c', got {a: (2,)}"),
    (SelectTable("c"), [A], DTypeError, "input must be a dict with 'c', got list"),
    (SelectTable(0), {"a": A}, DTypeError, "input must be a table (a list), got dict"),
    (
        NarrowTable(1, 2),
        [A, B],
        ShapeError,
        "input must be a table with 2 entries from 1 on, got [(2,), (3,)]",
    ),
    (
        NarrowTable(-1, 2),
        [A, B],
        ShapeError,
        "input must be a table with 2 entries from -1 on, got [(2,), (3,)]",
    ),
    (FlattenTable(), A, DTypeError, "input must be a table (a list), got ndarray"),
    (ZipTable(), [[A, B], [A]], ShapeError, "input[1] must be a table of 2 entries, got [(2,)]"),
    (ZipTable(), [A], DTypeError, "input[0] must be a table (a list), got ndarray"),
    (ZipTable(), [], ShapeError, "input must be a table of at least 1 entry, got []"),
    (ZipTableOneToMany(), [A, B], DTypeError, "input[1] must be a table (a list), got ndarray"),
    (ZipTableOneToMany(), [A], ShapeError, "input must be a table of 2 entries, got [(2,)]"),
]


@pytest.mark.parametrize(("layer", "input", "kind", "message"), FORWARD_ERRORS)
def test_inputs_that_do_not_fit(layer, input, kind, message):
    with pytest.raises(kind) as error:
        layer.forward(input)
    if message is not None:
        assert str(error.value).splitlines()[0] == f"{layer}.updateOutput: {message}"
    assert error.value.layer is layer
    assert error.value.method == "updateOutput"
    with pytest.raises(kind):
        layer.backward(input, A)


BACKWARD_ERRORS = [
    (CAddTable(), [A, A], B, "gradOutput must be (2,), got (3,)"),
    (CMulTable(), [A, A], A[None], "gradOutput must be (2,), got (1, 2)"),
    (
        CAddTensorTable(),
        [A, [A]],
        [A, A],
        "gradOutput must be a table of 1 entry, got [(2,), (2,)]",
    ),
    (CAddTensorTable(), [A, [A, A]], [A, B], "gradOutput[1] must be (2,), got (3,)"),
    (DotProduct(), [A, A], np.ones(2), "gradOutput must be (1,), got (2,)"),
    (JoinTable(0), [A, B], A, "gradOutput must be (5,), got (2,)"),
    (SplitTable(0), np.ones((2, 3)), [B], "gradOutput must be a table of 2 entries, got [(3,)]"),
    (SplitTable(0), np.ones((2, 3)), [B, A], "gradOutput[1] must be (3,), got (2,)"),
    (SelectTable(1), [A, [B]], [A], "gradOutput[0] must be (3,), got (2,)"),
    (SelectTable(1), [A, [B]], B, "gradOutput must be a table (a list), got ndarray"),
    (SelectTable(0), [{"a": A}], {"b": A}, "gradOutput must be a dict with 'a', got {b: (2,)}"),
    (
        SelectTable(0),
        [{"a": A}],
        {"a": A, "b": A},
        "gradOutput must be {a: (2,)}, got {a: (2,), b: (2,)}",
    ),
    (NarrowTable(0, 2), [A, B], [A, A], "gradOutput[1] must be (3,), got (2,)"),
    (FlattenTable(), [A, [B]], [A, [B]], "gradOutput[1] must be an array, got list"),
    (ZipTable(), [[A, B]], [[A], [A]], "gradOutput[1][0] must be (3,), got (2,)"),
    (ZipTableOneToMany(), [A, [B]], [[B, B]], "gradOutput[0][0] must be (2,), got (3,)"),
    (MixtureTable(), [A, [B, B]], A, "gradOutput must be (3,), got (2,)"),
    (SelectTable(0), [A], A.astype("f"), "gradOutput must be float64, got float32"),
]


@pytest.mark.parametrize(("layer", "input", "gradOutput", "message"), BACKWARD_ERRORS)
def test_gradOutputs_that_do_not_fit(layer, input, gradOutput, message):
    layer.forward(input)
    before = layer.gradInput
    with pytest.raises((ShapeError, DTypeError)) as error:
        layer.backward(input, gradOutput)
    assert str(error.value).splitlines()[0] == f"{layer}.updateGradInput: {message}"
    assert layer.gradInput is before


def test_integers_pass_through_tables():
    """Tables often hold indices besides numbers: taking them apart does not look inside."""
    ids = np.arange(3)
    assert SelectTable(0).forward([ids, A]) is ids
    gradInput = SelectTable(1).backward([ids, A], A)
    assert same(gradInput, [np.zeros(3, ids.dtype), A])
    assert FlattenTable().forward([ids, [A]])[0] is ids
    assert NarrowTable(0).forward([ids, A]) == [ids]


def test_real_and_complex_of_one_precision_meet():
    x = [np.array([1.0, 2.0]), np.array([1j, 2.0])]
    assert same(CAddTable().forward(x), np.array([1 + 1j, 4]))
    assert same(CMulTable().forward(x[::-1]), np.array([1j, 4]))


def test_positions_are_integers():
    for make in (SplitTable, JoinTable, SelectTable, NarrowTable, MixtureTable):
        with pytest.raises(DTypeError, match=r"must be an integer, got 1\.5"):
            make(1.5)


def test_repr():
    assert repr(SelectTable(-1)) == "SelectTable(-1)"
    assert repr(SelectTable("b")) == "SelectTable(b)"
    assert repr(JoinTable(1)) == "JoinTable"


def test_casts_return_the_layer():
    """In Torch7 that of FlattenTable returns nothing."""
    for layer in (FlattenTable(), SelectTable(0), MixtureTable()):
        assert layer.float() is layer
        assert layer.clearState() is layer


# ---------------------------------------------------------------- directions


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        ("float64", 5e-7),
        ("float64", 1e-200),
        ("float64", 1e200),
        ("float32", 1e20),
        ("float32", 1e-30),
    ],
)
def test_the_cosine_does_not_depend_on_lengths(dtype, size):
    size = np.dtype(dtype).type(size)
    a, b = np.array([[3, 4], [1, 0]], dtype), np.array([[6, 8], [0, 2]], dtype)
    layer, criterion = nn.CosineDistance().type(dtype), nn.CosineEmbeddingCriterion()
    by_rows = nn.Cosine(2, 2).type(dtype)
    by_rows.weight[...] = b * size
    np.testing.assert_allclose(layer.forward([a * size, b * size]), [1, 0], atol=1e-7)
    np.testing.assert_allclose(by_rows.forward(a * size), [[1, 0.8], [0.6, 0]], atol=1e-7)
    for sign in (1, -1):
        loss = criterion.forward([a[:1] * size, b[:1] * size], np.array([sign], dtype))
        assert loss == pytest.approx(0 if sign == 1 else 1, abs=1e-7)
    # The gradient grows as the lengths shrink.
    unit = size.astype("float64")
    g = np.full(2, min(unit, 1), dtype)
    gradients = layer.backward([a * size, b * size], g)
    expected = nn.CosineDistance().backward([a.astype(float), b.astype(float)], np.ones(2))
    for got, right in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(got, right * min(unit, 1) / unit, atol=1e-6, rtol=1e-6)
    gradient = by_rows.backward(a * size, np.eye(2, dtype=dtype) * g[0])
    exact = nn.Cosine(2, 2)
    exact.weight[...] = b
    right = exact.backward(a.astype(float), np.eye(2))
    np.testing.assert_allclose(gradient, right * min(unit, 1) / unit, atol=1e-6, rtol=1e-6)
    right = exact.gradWeight * min(unit, 1) / unit
    np.testing.assert_allclose(by_rows.gradWeight, right, atol=1e-6, rtol=1e-6)


def test_a_vector_of_zeros_has_no_direction():
    zeros, b = np.zeros((1, 2)), np.array([[0.0, 2.0]])
    layer = nn.CosineDistance()
    assert layer.forward([zeros, b]).tolist() == [0]
    by_zeros, by_b = layer.backward([zeros, b], np.ones(1))
    np.testing.assert_allclose(by_zeros, [[0, 1e6]])
    np.testing.assert_allclose(by_b, [[0, 0]])
