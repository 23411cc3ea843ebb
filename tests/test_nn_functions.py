"""nn.tables and nn.utils: Torch7's functions of tables."""

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError

# ---------------------------------------------------------------- nn.tables (Torch7's: test_api.py)


@pytest.mark.parametrize(("nin", "nout", "nto"), [(4, 2, 2), (5, 3, 2), (3, 4, 3), (1, 2, 1)])
def test_random_connections_use_the_inputs_equally_often(nin, nout, nto):
    random.manualSeed(1)
    table = nn.tables.random(nin, nout, nto)
    assert table[:, 1].tolist() == [out for out in range(nout) for _ in range(nto)]
    for hand in table[:, 0].reshape(nout, nto):
        assert len(set(hand)) == nto
    dealt = table[: nin // nto * nto, 0]
    assert len(set(dealt)) == len(dealt)
    # One shuffle to begin with, and one whenever the hands of the last are dealt.
    after = random.random()
    random.manualSeed(1)
    for _ in range(1 + nout // (nin // nto)):
        random.randperm(nin)
    assert random.random() == after


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: nn.tables.random(3, 2, 4),
            SettingError,
            "nn.tables.random: nto must be from 1 to nin, which is 3, got 4",
        ),
        (
            lambda: nn.tables.full(0, 2),
            SettingError,
            "nn.tables.full: nin must be a whole number of at least 1, got 0",
        ),
        (
            lambda: nn.tables.oneToOne(2.0),
            DTypeError,
            "nn.tables.oneToOne: nfeat must be a whole number of at least 1, got 2.0",
        ),
        (
            lambda: nn.utils.recursiveFill([np.ones(1), 2.0], 1),
            DTypeError,
            "nn.utils.recursiveFill: t2 must be an array or a table of arrays, got float",
        ),
        (
            lambda: nn.utils.recursiveAdd([np.ones(2)], [np.ones(1)]),
            ShapeError,
            "nn.utils.recursiveAdd: t2 must be [(2,)] like t1, got [(1,)]",
        ),
        (
            lambda: nn.utils.recursiveAdd(np.ones(2), 2, np.ones(2, "float32")),
            DTypeError,
            "nn.utils.recursiveAdd: t2 must be float64 like t1, got float32",
        ),
        (
            lambda: nn.utils.recursiveCopy(None, "x"),
            DTypeError,
            "nn.utils.recursiveCopy: t2 must be an array or a table of arrays, got str",
        ),
        (
            lambda: nn.utils.getZeroMaskBatch(np.ones(())),
            ShapeError,
            "nn.utils.getZeroMaskBatch: batch must be at least 1-D, got ()",
        ),
        (
            lambda: nn.utils.getZeroMaskSequence([np.ones(2)]),
            ShapeError,
            "nn.utils.getZeroMaskSequence: sequence must be at least 2-D, got [(2,)]",
        ),
        (
            lambda: nn.utils.setZeroMask([nn.ReLU(), 3], False),
            DTypeError,
            "nn.utils.setZeroMask: modules must be a list of modules, got int",
        ),
        (
            lambda: nn.utils.recursiveZeroMask(np.ones((2, 3)), np.zeros(3, bool)),
            ShapeError,
            "nn.utils.recursiveZeroMask: tensor must be of arrays with (3,) first, like mask, "
            "got (2, 3)",
        ),
        (
            lambda: nn.utils.recursiveZeroMask(np.ones(2), [0, 1]),
            DTypeError,
            "nn.utils.recursiveZeroMask: mask must be an array, got list",
        ),
        (
            lambda: nn.utils.recursiveType([np.ones(1)], "int64"),
            DTypeError,
            "nn.utils.recursiveType.type: dtype must be float32, float64, complex64 or "
            "complex128, got int64",
        ),
    ],
)
def test_what_is_refused(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == text


# ---------------------------------------------------------------- nn.utils


def test_recursiveType_casts_what_is_inside():
    x, ids, net = np.ones(2), np.arange(2), nn.Linear(2, 1)
    table = [x, (x, ids), {"net": net, "loss": nn.MSECriterion()}]
    assert nn.utils.recursiveType(table, "torch.FloatTensor") is table
    assert table[0].dtype == net.weight.dtype == net.type() == np.float32
    assert table[1][0] is table[0]
    assert table[1][1] is ids
    assert table[2]["loss"].type() == np.float32
    assert x.dtype == np.float64
    assert nn.utils.recursiveType(x, "complex64").dtype == np.complex64
    assert nn.utils.recursiveType(net, "float64") is net


def test_recursiveFill_fills_in_place():
    x, y = np.ones(2), np.ones((1, 2), "float32")
    table = [x, {"y": (y,)}]
    assert nn.utils.recursiveFill(table, 7) is table
    assert x.tolist() == [7, 7]
    assert y.tolist() == [[7, 7]]
    assert nn.utils.recursiveFill(x, 1) is x


def test_recursiveAdd_adds_in_place():
    x, y = np.ones(2), np.ones((2, 3))[:, ::2]
    t1, t2 = [x, [y]], [np.array([1.0, 2.0]), [np.ones((2, 2))]]
    assert nn.utils.recursiveAdd(t1, t2) == (t1, t2)
    assert nn.utils.recursiveAdd(t1, 0.5, t2)[0] is t1
    assert x.tolist() == [2.5, 4]
    assert y.tolist() == [[2.5, 2.5], [2.5, 2.5]]


def test_a_refused_recursiveAdd_has_changed_nothing():
    x, y = np.ones(2), np.ones(2)
    with pytest.raises(DTypeError):
        nn.utils.recursiveAdd([x, y], [x, y.astype("float32")])
    assert x.tolist() == y.tolist() == [1, 1]


def test_recursiveCopy_writes_where_it_fits():
    x, y = np.zeros(2, "float32"), np.zeros(3)
    target = [x, {"y": y, "more": y}]
    source = [np.ones(2), {"y": np.ones(2)}, np.ones(1)]
    copied, same = nn.utils.recursiveCopy(target, source)
    assert copied is target
    assert same is source
    assert copied[0] is x
    assert x.tolist() == [1, 1]
    assert copied[1]["y"].tolist() == [1, 1]
    assert copied[1]["y"] is not source[1]["y"]
    assert copied[1]["more"] is y
    assert copied[2].tolist() == [1]
    assert copied[2] is not source[2]
    fresh, _ = nn.utils.recursiveCopy(None, (np.ones(1), 1j * np.ones(1)))
    assert [array.tolist() for array in fresh] == [[1], [1j]]
    assert nn.utils.recursiveCopy(x, 1j * x)[0].dtype.kind == "c"


def test_masks_of_batches_and_sequences():
    x = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, np.nan]]])
    assert nn.utils.getZeroMaskSequence([x, x[0]]).tolist() == [[False, True], [True, False]]
    assert nn.utils.getZeroMaskBatch(x).tolist() == [False, False]
    assert nn.utils.getZeroMaskBatch(np.array([0, -1])).tolist() == [False, True]
    table = [np.ones((2, 2)), np.ones((2, 2, 1), "int64")]
    assert nn.utils.recursiveZeroMask(table, np.array([[0, 1], [0, 0]], "uint8")) is table
    assert [array.ravel().tolist() for array in table] == [[1, 0, 1, 1]] * 2
    nets = [nn.MaskZero(nn.ReLU()), nn.MaskZero(nn.ReLU())]
    nn.utils.setZeroMask(nets, np.array([True]))
    assert [net.zeroMask.tolist() for net in nets] == [[True], [True]]
    nn.utils.setZeroMask(nets[0], False)
    assert nets[0].zeroMask is False


def test_clear_empties_what_is_named():
    layer = nn.Linear(2, 1)
    layer.table, layer.named, layer.text = [1], {"a": 1}, "x"
    assert nn.utils.clear(layer, "weight", "table", "missing") is layer
    assert layer.weight.shape == (0,)
    assert nn.utils.clear(layer, ["named", "text"]).table == []
    assert layer.named == {}
    assert layer.text is None
    assert not hasattr(layer, "missing")


@pytest.mark.parametrize(
    ("function", "arguments", "name", "got"),
    [
        (nn.tables.full, (0, 2), "nin", "0"),
        (nn.tables.full, (2, -1), "nout", "-1"),
        (nn.tables.oneToOne, (0,), "nfeat", "0"),
        (nn.tables.random, (0, 2, 1), "nin", "0"),
        (nn.tables.random, (2, 0, 1), "nout", "0"),
        (nn.tables.random, (2, 2, 0), "nto", "0"),
        (nn.tables.full, (True, 2), "nin", "True"),
        (nn.tables.full, (2, 1.5), "nout", "1.5"),
        (nn.tables.oneToOne, (True,), "nfeat", "True"),
        (nn.tables.random, (2, 2, True), "nto", "True"),
    ],
)
def test_counts_of_planes(function, arguments, name, got):
    with pytest.raises((SettingError, DTypeError)) as caught:
        function(*arguments)
    assert str(caught.value) == (
        f"nn.tables.{function.__name__}: {name} must be a whole number of at least 1, got {got}"
    )
