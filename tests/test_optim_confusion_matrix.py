"""ConfusionMatrix: counts, shares of them, and what it refuses."""

import math

import numpy as np
import pytest

from torchlite import optim
from torchlite.errors import DTypeError, SettingError, ShapeError


def test_confusion_counts_alike_one_by_one_and_in_batches():
    rng = np.random.RandomState(1)
    scores, targets = rng.uniform(size=(50, 4)), rng.randint(-1, 4, 50)
    batch, single, column = (optim.ConfusionMatrix(4) for _ in range(3))
    batch.batchAdd(scores, targets)
    column.batchAdd(scores.argmax(1)[:, None], targets[:, None])
    for row, target in zip(scores, targets, strict=True):
        single.add(row, target)
    np.testing.assert_array_equal(batch.mat, single.mat)
    np.testing.assert_array_equal(batch.mat, column.mat)
    assert batch.mat.sum() == (targets >= 0).sum() < 50
    single.add(np.array(3), np.array(3))
    assert single.mat[3, 3] == batch.mat[3, 3] + 1


def test_the_shares_of_a_confusion_matrix_are_always_those_of_its_counts():
    confusion = optim.ConfusionMatrix(2)
    confusion.add(1, 0)
    assert confusion.totalValid == confusion.averageValid == confusion.averageUnionValid == 0
    confusion.batchAdd(np.array([0, 1, 1]), np.array([0, 1, 1]))
    for _ in range(2):
        assert confusion.totalValid == 0.75
        assert confusion.valids.tolist() == [0.5, 1]
        assert confusion.averageValid == 0.75
        assert confusion.unionvalids.tolist() == [0.5, np.float32(2 / 3)]
        assert confusion.averageUnionValid == pytest.approx(7 / 12)
        assert confusion.updateValids() is None


def test_confusion_without_samples():
    confusion = optim.ConfusionMatrix(2)
    assert math.isnan(confusion.totalValid)
    assert math.isnan(confusion.averageValid)
    confusion.add(1, 0)
    text = str(confusion)
    assert text.splitlines()[1:3] == [
        "[[       0       1]   0.000% ",
        " [       0       0]]  nan% ",
    ]
    assert confusion.averageValid == 0
    assert confusion.farFrr()[0].tolist() == [1, -1]
    three = optim.ConfusionMatrix(3)
    three.batchAdd(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]))
    assert [rates.tolist() for rates in three.farFrr()] == [
        [0.5, 0, -1], [0, 0.5, -1], [0.5, 0], [0, 0.5]
    ]  # fmt: skip
    assert confusion.zero() is confusion
    assert not confusion.mat.any()
    assert math.isnan(confusion.totalValid)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda c: c.add(0, 3), SettingError,
            "ConfusionMatrix: a target must be from 0 to 2 or -1, got 3",
        ),
        (lambda c: c.add(0, -2), SettingError, None),
        (
            lambda c: c.add(-1, 0), SettingError,
            "ConfusionMatrix: a prediction must be from 0 to 2, got -1",
        ),
        (
            lambda c: c.add(0, 1.0), DTypeError,
            "ConfusionMatrix: target must be a whole number, got 1.0",
        ),
        (
            lambda c: c.add(np.ones(2), 1), ShapeError,
            "ConfusionMatrix: prediction must be a class or (3,), got (2,)",
        ),
        (
            lambda c: c.batchAdd(np.ones((2, 3)), np.zeros(3, int)), ShapeError,
            "ConfusionMatrix: targets must be 2 long, got 3",
        ),
        (
            lambda c: c.batchAdd(np.ones((2, 4)), np.zeros(2, int)), ShapeError,
            "ConfusionMatrix: predictions must be (N,), (N, 1) or (N, 3), got (2, 4)",
        ),
        (
            lambda c: c.batchAdd(np.ones((2, 3)), np.zeros(2)), DTypeError,
            "ConfusionMatrix: targets must be whole numbers, got float64",
        ),
        (
            lambda c: c.batchAdd([0], np.zeros(1, int)), DTypeError,
            "ConfusionMatrix: predictions must be a NumPy array, got list\n"
            "  hint: np.array(predictions)",
        ),
        (
            lambda c: optim.ConfusionMatrix(1).batchAdd(np.array([[5]]), np.zeros(1, int)),
            SettingError, "ConfusionMatrix: a prediction must be from 0 to 0, got 5",
        ),
        (
            lambda c: c.batchAdd(np.array([0, 5]), np.array([0, 1])), SettingError,
            "ConfusionMatrix: a prediction must be from 0 to 2, got 5",
        ),
        (
            lambda c: optim.ConfusionMatrix(2, ["a"]), ShapeError,
            "ConfusionMatrix: classes must be 2 names, got 1",
        ),
        (
            lambda c: optim.ConfusionMatrix(0), SettingError,
            "ConfusionMatrix: nclasses must be at least 1, got 0",
        ),
        (
            lambda c: optim.ConfusionMatrix(2.5), DTypeError,
            "ConfusionMatrix: nclasses must be a whole number, got 2.5",
        ),
        (
            lambda c: c.batchAdd(np.zeros((2, 1, 3), int), np.zeros(2, int)), ShapeError,
            "ConfusionMatrix: predictions must be (N,), (N, 1) or (N, 3), got (2, 1, 3)",
        ),
    ],
)  # fmt: skip
def test_confusion_refuses(call, kind, message):
    confusion = optim.ConfusionMatrix(3)
    with pytest.raises((DTypeError, ShapeError, SettingError)) as caught:
        call(confusion)
    assert type(caught.value) is kind
    assert message is None or str(caught.value) == message
    assert not confusion.mat.any()
