"""What is written to .t7 files: arrays of every memory layout, and what is refused."""

import os

import golden
import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from t7files import Hand, alike, owner

from torchlite import nn
from torchlite.errors import DTypeError
from torchlite.serial import t7
from torchlite.serial.t7 import modules, writing

HAND = Hand()


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return tmp_path / "value.t7"


@pytest.fixture
def again(path):
    """Return a function that saves a value and loads it."""

    def again(value):
        t7.save(path, value)
        return t7.load(path, unknown="keep")

    return again


def elements():
    return np.arange(24.0).reshape(2, 3, 4)


KEPT = {
    "whole": lambda: elements(),
    "transposed": lambda: elements().transpose(2, 0, 1),
    "Fortran": lambda: np.asfortranarray(elements()),
    "sliced": lambda: elements()[:, 1:, ::2],
    "repeated": lambda: np.broadcast_to(elements()[0, 0], (3, 4)),
    "windows": lambda: sliding_window_view(np.arange(5.0), 3),
    "overlapping": lambda: as_strided(np.arange(5.0), (3, 3), (8, 8)),
    "one entry": lambda: elements()[1:, 2:, 3:],
    "of one": lambda: np.ones((1, 1)),
    "read-only": lambda: np.frombuffer(bytes(range(8)), "uint8"),
}


@pytest.mark.parametrize("what", KEPT)
def test_strides_that_torch7_has_are_kept(again, what):
    array = KEPT[what]()
    back = again(array)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    assert back.strides == array.strides


COPIED = {
    "reversed": (lambda: np.arange(6.0)[::-1], (8,)),
    "reversed rows": (lambda: elements()[:, ::-1], (96, 32, 8)),
    "between entries": (
        lambda: np.frombuffer(bytes(range(20)), "i2,i4,f4", 2)["f1"],
        (4,),
    ),
    "other byte order": (lambda: np.arange(6.0).astype(">f8"), (8,)),
}


@pytest.mark.parametrize("what", COPIED)
def test_strides_that_torch7_does_not_have_make_a_copy(again, what):
    make, strides = COPIED[what]
    array = make()
    back = again(array)
    assert np.array_equal(back, array)
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.strides == strides


def test_views_of_one_memory_are_of_one_storage(again):
    whole = elements()
    flat, column, corner = whole.reshape(-1), whole[:, :, 1], whole[1, 2, 3:]
    value = [column, flat, corner, np.arange(24.0), flat]
    back = again(value)
    assert alike(back, value)
    assert owner(back[0]) is owner(back[1]) is owner(back[2])
    assert owner(back[3]) is not owner(back[0])
    back[1][1] = 99
    assert back[0][0, 0] == 99


def test_a_piece_of_a_large_array_is_written_without_the_rest(again, path):
    whole = np.zeros((1000, 1000))
    whole[10:12] = 5
    back = again([whole[10], whole[11]])
    assert path.stat().st_size < 17_000
    assert owner(back[0]).size == 2000
    assert owner(back[0]) is owner(back[1])


def test_one_memory_of_two_dtypes_becomes_two(again):
    floats = np.arange(4.0)
    back = again([floats, floats.view("int64"), floats.view("uint8")[1:3]])
    assert [array.dtype.name for array in back] == ["float64", "int64", "uint8"]
    assert len({id(owner(array)) for array in back}) == 3
    assert np.array_equal(back[1].view("float64"), floats)


def test_numbers_of_numpy_are_numbers(again):
    numbers = [
        np.float32(0.5), np.float64(2.0), np.int8(-3), np.uint64(7), np.bool_(True), np.float16(1),
        np.array(0.25), np.array(4), np.str_("x"),
    ]  # fmt: skip
    back = again(numbers)
    assert back == [0.5, 2, -3, 7, True, 1, 0.25, 4, "x"]
    assert [type(x) for x in back] == [float, int, int, int, bool, int, float, int, str]


def test_booleans_become_bytes(again):
    array = np.array([[True, False], [False, True]]).T[:1]
    back = again([array, array.base])
    assert back[0].dtype == "uint8"
    assert back[0].tolist() == [[1, 0]]
    assert owner(back[0]) is owner(back[1])


def test_memory_of_a_file_is_written(again, tmp_path):
    np.arange(10.0).tofile(tmp_path / "raw")
    mapped = np.memmap(tmp_path / "raw", "float64", "r")
    back = again([mapped[2:4], mapped])
    assert [array.tolist() for array in back] == [[2.0, 3.0], list(range(10))]
    assert owner(back[0]) is owner(back[1])


def test_storages_are_written_as_such(path):
    value = t7.Storage(np.array([2, 3]))
    t7.save(path, [value, value])
    storage = HAND.storage(2, 2, 3, kind="Long", code="long")
    expected = HAND.table(1, HAND.number(1), storage, HAND.number(2), HAND.ref(2, 4))
    assert path.read_bytes() == expected


def test_a_storage_in_an_object_that_was_kept_is_written_as_a_tensor(path):
    fields = {"size": t7.Storage(np.array([2, 3]))}
    t7.save(path, t7.Object("my.Thing", fields))
    kept = t7.load(path, unknown="keep")
    assert kept.fields["size"].tolist() == [2, 3]
    before = path.read_bytes()
    assert before.count(b"torch.LongTensor") == 0
    t7.save(path, kept)
    assert path.read_bytes().count(b"torch.LongTensor") == 1
    assert alike(t7.load(path, unknown="keep"), kept)
    kept.fields["size"] = t7.Storage(kept.fields["size"])
    t7.save(path, kept)
    assert path.read_bytes() == before


def test_tuples_are_lists_and_share_what_lists_share(again):
    pair = (1, 2)
    value = again({"a": pair, "b": pair, "c": (), "d": ()})
    assert value == {"a": [1, 2], "b": [1, 2], "c": [], "d": []}
    assert value["a"] is value["b"]
    assert value["c"] is not value["d"]


def test_what_is_none_is_not_written(again):
    assert again({"a": None, "b": 1}) == {"b": 1}
    assert again({"a": None}) == []
    table = again(t7.Table([(True, None), (False, 5)]))
    assert list(table.items()) == [(False, 5)]
    assert again(None) is None


def test_objects_are_written_with_their_version_and_what_stands_before_their_fields(
    path, monkeypatch
):
    monkeypatch.setattr(modules, "known", lambda name: False)
    gpu = t7.Object("nn.GPU", {"_type": "torch.CudaTensor", "device": 2})
    t7.save(path, gpu)
    header = HAND.table(
        2, HAND.number(1), HAND.string("torch.CudaTensor"), HAND.number(2), HAND.number(2)
    )
    fields = HAND.table(
        3, HAND.string("_type"), HAND.string("torch.CudaTensor"), HAND.string("device"),
        HAND.number(2),
    )  # fmt: skip
    assert path.read_bytes() == HAND.torch(1, "nn.GPU", header + fields)
    assert alike(t7.load(path, unknown="keep"), gpu)
    for version in (1, 2, 3):
        parallel = t7.Object("nn.DataParallelTable", {"gpuAssignments": [1, 2]}, version)
        t7.save(path, parallel)
        assert alike(t7.load(path, unknown="keep"), parallel)
    old = t7.Object("my.Thing", {1: "x", "y": 2}, 0)
    t7.save(path, old)
    assert path.read_bytes() == HAND.torch(
        1,
        "my.Thing",
        HAND.table(2, HAND.number(1), HAND.string("x"), HAND.string("y"), HAND.number(2)),
        "V 0",
    )


REFUSED = {
    "a whole number": ({"a": [2**53 + 1]}, "['a'][0]: no float is 9007199254740993, and Lua's "
                       "numbers are floats"),
    "a large number": ([10**400], "[0]: no float is 1000000000000000000000000000000000000000, "
                       "and Lua's numbers are floats"),
    "a list with None": ({"a": {"b": [1, None]}}, "['a'].b: a list with None in it cannot be "
                         "saved: Lua's tables hold no nil"),
    "a tuple as key": ({(1, 2): 3}, "(1, 2) cannot be a key of a table"),
    "None as key": ({"x": {None: 3}}, "['x']: None cannot be a key of a table"),
    "nan as key": ({float("nan"): 3}, "nan cannot be a key of a table"),
    "one key twice": ({"é": 1, "é".encode(): 2}, "two of its keys are the same in Lua"),
    "half a letter": ({"a": "\ud800"}, r"['a']: '\ud800' cannot be written in UTF-8"),
    "complex numbers": ([np.zeros(2, complex)], "[0]: an array of dtype complex128 cannot be "
                        "saved"),
    "unsigned numbers": ([np.zeros(2, "uint32")], "[0]: an array of dtype uint32 cannot be saved"),
    "objects": ([np.array([print])], "[0]: an array of dtype object cannot be saved"),
    "masks": (np.ma.masked_array([1.0], [True]), "a MaskedArray cannot be saved"),
    "a storage of two dimensions": (t7.Storage(np.eye(2)), "a storage has one dimension, not 2"),
    "fields of an object": (t7.Object("my.Thing", {"a": {"b": (None,)}}), "a.b: a list with None "
                            "in it cannot be saved: Lua's tables hold no nil"),
    "what stands under a table": (t7.Table([([1] * 9, {"a": 2**53 + 1})]), "[a list].a: no float "
                                  "is 9007199254740993, and Lua's numbers are floats"),
    "a storage of no array": (t7.Storage([[1], [2, 3]]), "a list cannot be saved"),
    "a storage of masks": (t7.Storage(np.ma.masked_array([1.0], [True])), "a MaskedArray cannot be "
                           "saved"),
    "no fields": ([t7.Object("Foo", None)], "[0]: the fields of a Foo must be a dict or a Table, "
                  "got nothing"),
    "a list of fields": (t7.Object("nn.GPU", []), "the fields of a nn.GPU must be a dict or a "
                         "Table, got a list"),
    "a version": (t7.Object("Foo", {}, "x"), "the version of a Foo must be a whole number, "
                  "got 'x'"),
    "a negative version": (t7.Object("Foo", {}, -1), "the version of a Foo must be a whole number, "
                           "got -1"),
    "a long version": (t7.Object("Foo", {}, 10**9), "the version of a Foo must be a whole number, "
                       "got 1000000000"),
    "True as version": (t7.Object("Foo", {}, True), "the version of a Foo must be a whole number, "
                        "got True"),
    "no name": (t7.Object(None, {}), "the name of a class must be text of at most 255 bytes, got "
                "nothing"),
    "an empty name": (t7.Object("", {}), "the name of a class must be text of at most 255 bytes, "
                      "got ''"),
    "a long name": (t7.Object("é" * 128, {}), "the name of a class must be text of at most 255 "
                    f"bytes, got '{'é' * 79}"),
    "half a letter in a name": (t7.Object("\ud800", {}), r"'\ud800' cannot be written in UTF-8"),
    "an object that is a tensor": (t7.Object("torch.FloatTensor", {}), "no Object can be a "
                                   "torch.FloatTensor: arrays become tensors, and a Storage a "
                                   "storage"),
    "code": (t7.Function("ab"), "the code of a Function must be bytes, got 'ab'"),
    "a kind": (t7.Function(b"ab", None, 3), "the kind of a Function must be 6, 7 or 8, got 3"),
    "no kind": (t7.Function(b"ab", None, [8]), "the kind of a Function must be 6, 7 or 8, got [8]"),
    "upvalues": (t7.Function(b"", {"a b": [np.zeros(2, complex)]}), "upvalues['a b'][0]: an array "
                 "of dtype complex128 cannot be saved"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_torch7_cannot_hold_is_refused(path, what):
    value, message = REFUSED[what]
    path.write_bytes(b"old")
    with pytest.raises(DTypeError) as error:
        t7.save(path, value)
    assert str(error.value) == f"save: {message}"
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_a_string_that_is_too_long_is_refused(path, monkeypatch):
    monkeypatch.setattr(writing, "_LONGEST", 3)
    t7.save(path, "abc")
    with pytest.raises(DTypeError, match=r"^save: \[0\]: it has 4 bytes, at most 3 can be$"):
        t7.save(path, ["abcd"])


@pytest.mark.parametrize("value", [{1, 2}, object(), print, 1j, np.complex64(1), range(3)])
def test_what_files_do_not_know_is_refused(path, value):
    name = type(value.item() if isinstance(value, np.generic) else value).__name__
    with pytest.raises(DTypeError, match=rf"^save: \['x'\]\[0\]: {name} is not a class that files"):
        t7.save(path, {"x": [value]})
    assert not path.exists()


def test_a_file_is_replaced_as_a_whole(path, monkeypatch):
    t7.save(path, "old")

    def fails(self, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("torchlite.serial.t7.writing._Plan.write", fails)
    with pytest.raises(OSError, match="disk full"):
        t7.save(path, "new")
    assert t7.load(path) == "old"
    assert os.listdir(path.parent) == [path.name]


def test_saving_changes_nothing(path):
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    net.getParameters()
    before = [id(array) for arrays in net.parameters() for array in arrays]
    value = {"net": net, "list": [1, [2]]}
    t7.save(path, value)
    t7.save(path, value)
    assert [id(array) for arrays in net.parameters() for array in arrays] == before
    assert value["list"] == [1, [2]]


def test_what_was_written_once_stays_as_it_is(path):
    """A file that was read and written may differ from the first; read again, it does not."""
    for name in ("shared_storage.bin", "narrowed.ascii", "lenet_training", "resnet"):
        t7.save(path, t7.load(golden.DATA / "t7" / f"{name}.t7"))
        once = path.read_bytes()
        t7.save(path, t7.load(path))
        assert path.read_bytes() == once
