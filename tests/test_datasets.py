"""`torchlite.datasets`: the digits and minibatches."""

import hashlib
import inspect
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchlite import random
from torchlite.datasets import Split, digits, minibatches
from torchlite.errors import DTypeError, ShapeError

# digits


def test_digits_have_the_shapes_and_dtypes_promised():
    data = digits()
    assert isinstance(data, Split)
    assert [(a.shape, a.dtype) for a in data] == [
        ((1437, 64), np.float64),
        ((1437,), np.int64),
        ((360, 64), np.float64),
        ((360,), np.int64),
    ]
    assert all(a.flags.c_contiguous and a.flags.writeable for a in data)


def _in_stored_order(train, test):
    """Undo the split: every fifth one, from the first on, comes from the test part."""
    train, test = iter(train), iter(test)
    return np.array([next(train) if i % 5 else next(test) for i in range(1797)])


def test_digits_are_the_published_ones():
    x_train, y_train, x_test, y_test = digits()
    images = _in_stored_order(x_train, x_test) * 16
    labels = _in_stored_order(y_train, y_test)
    content = images.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    assert hashlib.sha256(content).hexdigest() == (
        "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    )


def test_digits_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    x_train, y_train, x_test, y_test = digits()
    np.testing.assert_array_equal(_in_stored_order(x_train, x_test), images / 16)
    np.testing.assert_array_equal(_in_stored_order(y_train, y_test), labels)


def test_digits_have_every_digit_in_both_parts():
    data = digits()
    assert np.bincount(data.y_train).tolist() == [
        136, 154, 151, 135, 143, 143, 151, 153, 138, 133,
    ]  # fmt: skip
    assert np.bincount(data.y_test).tolist() == [42, 28, 26, 48, 38, 39, 30, 26, 36, 47]


def test_digits_in_float32_are_the_same_numbers():
    for single, double in zip(digits(np.float32), digits(), strict=True):
        assert single.dtype == (np.float32 if double.dtype == np.float64 else np.int64)
        np.testing.assert_array_equal(single, double)


def test_digits_run_from_0_to_1():
    x_train = digits().x_train
    assert (x_train.min(), x_train.max()) == (0.0, 1.0)


def test_digits_are_fresh_every_time():
    digits().x_train[:] = 7
    assert digits().x_train.max() == 1


@pytest.mark.parametrize("dtype", ["int64", "float16", "complex128"])
def test_digits_refuse_other_dtypes(dtype):
    with pytest.raises(DTypeError) as caught:
        digits(dtype)
    assert str(caught.value) == f"digits: dtype must be float64 or float32, got {dtype}"
    assert caught.value.argument == "dtype"
    assert caught.value.got == dtype


def test_digits_are_small_and_come_with_their_licence():
    folder = files("torchlite.datasets")
    assert len((folder / "digits.npz").read_bytes()) < 50_000
    licence = (folder / "digits.LICENSE.txt").read_text(encoding="utf-8")
    for attribution in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert attribution in licence
        assert attribution in inspect.getdoc(digits)


# minibatches


def _numbered(n):
    """Rows that say which they are."""
    return np.arange(n)[:, None] + np.array([0.0, 0.5])


def test_minibatches_in_order():
    x, y = _numbered(5), np.arange(5)
    batches = list(minibatches(x, y, 2, shuffle=False))
    assert [by.tolist() for _, by in batches] == [[0, 1], [2, 3], [4]]
    for bx, by in batches:
        np.testing.assert_array_equal(bx, x[by])
        assert np.shares_memory(bx, x)


def test_minibatches_shuffle_with_torchlites_own_generator():
    x, y = _numbered(7), np.arange(7)
    random.manualSeed(3)
    batches = list(minibatches(x, y, 3))
    random.manualSeed(3)
    order = random.randperm(7)
    assert [by.tolist() for _, by in batches] == [
        order[:3].tolist(),
        order[3:6].tolist(),
        order[6:].tolist(),
    ]
    for bx, by in batches:
        np.testing.assert_array_equal(bx, x[by])
        assert not np.shares_memory(bx, x)


def test_minibatches_draw_at_the_call_and_only_when_they_shuffle():
    x = np.arange(20)
    random.manualSeed(3)
    first, second = minibatches(x, x, 20), minibatches(x, x, 20)
    random.manualSeed(3)
    list(minibatches(x, x, 20, shuffle=False))
    for expected, batches in ((random.randperm(20), first), (random.randperm(20), second)):
        [(_, order)] = batches
        np.testing.assert_array_equal(order, expected)


@given(
    n=st.integers(1, 40), size=st.integers(1, 50), shuffle=st.booleans(), seed=st.integers(0, 99)
)
def test_minibatches_give_every_row_once(n, size, shuffle, seed):
    random.manualSeed(seed)
    x, y = _numbered(n), np.arange(n)
    batches = list(minibatches(x, y, size, shuffle=shuffle))
    assert [len(by) for _, by in batches[:-1]] == [size] * (len(batches) - 1)
    assert 1 <= len(batches[-1][1]) <= size
    rows = np.concatenate([by for _, by in batches])
    np.testing.assert_array_equal(np.sort(rows), y)
    np.testing.assert_array_equal(np.concatenate([bx for bx, _ in batches]), x[rows])


@pytest.mark.parametrize(
    ("n", "size", "least", "lengths"),
    [
        (5, 2, 2, [2, 3]),
        (7, 3, 2, [3, 4]),
        (8, 3, 2, [3, 3, 2]),
        (8, 3, 3, [3, 5]),
        (6, 3, 3, [3, 3]),
        (4, 3, 1, [3, 1]),
        (1, 4, 3, [1]),
        (5, 2, 9, [2, 3]),
        (6, 3, 9, [3, 3]),
        (3, 1, 2, [1, 1, 1]),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_last_minibatch_of_few_rows_joins_the_one_before(n, size, least, lengths, shuffle):
    random.manualSeed(3)
    plain = [*minibatches(np.arange(n), np.arange(n), size, shuffle)]
    random.manualSeed(3)
    joined = [*minibatches(np.arange(n), np.arange(n), size, shuffle, least)]
    assert [len(y) for _, y in joined] == lengths
    assert [*np.concatenate([x for x, _ in joined])] == [*np.concatenate([x for x, _ in plain])]


def test_minibatches_of_tables_pick_the_same_rows_everywhere():
    n = 7
    x = (_numbered(n), [np.arange(n), np.arange(n) * 10])
    y = [-np.arange(n)]
    for bx, by in minibatches(x, y, 3):
        assert isinstance(bx, list)
        assert isinstance(bx[1], list)
        rows = bx[1][0]
        np.testing.assert_array_equal(bx[0], x[0][rows])
        np.testing.assert_array_equal(bx[1][1], rows * 10)
        np.testing.assert_array_equal(by[0], -rows)


def test_minibatches_take_numpys_integers_for_a_size():
    assert len(list(minibatches(np.arange(5), np.arange(5), np.int64(2)))) == 3


FIVE = np.arange(5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((FIVE, FIVE, 2.0), DTypeError, "size must be a whole number, got 2.0"),
        ((FIVE, FIVE, True), DTypeError, "size must be a whole number, got True"),
        ((FIVE, FIVE, FIVE), DTypeError, "size must be a whole number, got array([0, 1, 2, 3, 4])"),
        ((FIVE, FIVE, 0), ShapeError, "size must be 1 or more, got 0"),
        ((FIVE, FIVE, 2, True, 2.0), DTypeError, "least must be a whole number, got 2.0"),
        ((FIVE, FIVE, 2, True, 0), ShapeError, "least must be 1 or more, got 0"),
        ((FIVE, FIVE[1:], 2), ShapeError, "y must be 5 rows long, like x, got 4"),
        (([FIVE, FIVE[1:]], FIVE, 2), ShapeError, "x[1] must be 5 rows long, like x[0], got 4"),
        ((FIVE, [[FIVE], [FIVE[1:]]], 2), ShapeError, "y[1][0] must be 5 rows long, like x, got 4"),
        ((FIVE, np.array(5), 2), ShapeError, "y must be an array of 1 row or more, got shape ()"),
        ((FIVE[:0], FIVE, 2), ShapeError, "x must be an array of 1 row or more, got shape (0,)"),
        (([], FIVE, 2), ShapeError, "x must be an array or a table of arrays, got []"),
        ((FIVE, [1, 2], 2), DTypeError, "y must be an array, got list"),
        ((None, FIVE, 2), DTypeError, "x must be an array, got NoneType"),
    ],
)
def test_minibatches_say_what_is_wrong_when_they_are_called(arguments, error, message):
    random.manualSeed(3)
    with pytest.raises(error) as caught:
        minibatches(*arguments)
    facts = caught.value
    assert str(facts).partition("\n")[0] == f"minibatches: {message}"
    assert message == f"{facts.argument} must be {facts.expected}, got {facts.got}"
    drawn = random.randperm(9).tolist()
    random.manualSeed(3)
    assert random.randperm(9).tolist() == drawn
