"""Values in .t7 files: those that Torch7 wrote, and those that were written by hand."""

import math
import os

import golden
import numpy as np
import pytest
from saving import run
from t7files import LAYOUTS, Hand, alike, is_as_said

from torchlite import serial
from torchlite.errors import FormatError
from torchlite.serial import t7
from torchlite.serial.t7 import modules

VALUES = [
    pytest.param(case, case["files"][kind], id=f"{case['id']}-{kind}")
    for case in golden.cases("t7")
    if case["kind"] == "t7_value"
    for kind in case["files"]
]
FILES = sorted((golden.DATA / "t7").glob("*.t7"))


@pytest.fixture
def load(tmp_path):
    """Return a function that loads the bytes of a file."""

    def load(raw, **options):
        path = tmp_path / "value.t7"
        path.write_bytes(raw)
        return t7.load(path, **options)

    return load


@pytest.fixture
def again(tmp_path, monkeypatch):
    """Return a function that saves a value and loads it."""
    # To wait for the disk takes most of the time, and here nothing depends on it.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)

    def again(value, **options):
        t7.save(tmp_path / "again.t7", value)
        return t7.load(tmp_path / "again.t7", **options)

    return again


@pytest.mark.parametrize(("case", "file"), VALUES)
def test_values_are_what_torch7_saved(case, file):
    assert is_as_said(t7.load(golden.DATA / file), case["value"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_written_is_what_was_read(file, again, monkeypatch):
    """Modules stay the objects of the file here: every byte of a file is looked at."""
    monkeypatch.setattr(modules, "known", lambda name: False)
    value = t7.load(file, unknown="keep")
    assert alike(again(value, unknown="keep"), value)


@pytest.mark.parametrize("name", ["list", "cyclic", "expanded", "same_tensor_twice"])
def test_what_is_written_is_what_torch7_wrote(tmp_path, name):
    file = golden.DATA / "t7" / f"{name}.bin.t7"
    t7.save(tmp_path / name, t7.load(file))
    assert (tmp_path / name).read_bytes() == file.read_bytes()


# numbers and strings


NUMBERS = [
    (3.0, int), (-(2.0**53), int), (2.0**53, int), (0.0, int), (-0.0, float), (0.5, float),
    (2.0**53 + 2, float), (-(2.0**60), float), (math.inf, float), (-math.inf, float),
    (math.nan, float), (5e-324, float), (0.1, float),
]  # fmt: skip
STRINGS = [
    (b"", "", ""),
    (b"\n\n x\n", "\n\n x\n", "\n\n x\n"),
    ("é€".encode(), "é€", "Ã©â\x82¬"),
    (b"\xe9\x00", b"\xe9\x00", "é\x00"),
    (b"\xed\xa0\x80", b"\xed\xa0\x80", "í\xa0\x80"),
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers(load, again, layout):
    for number, kind in NUMBERS:
        value = load(Hand(layout).number(number))
        assert type(value) is kind
        assert repr(float(value)) == repr(number)
        assert repr(again(value)) == repr(value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strings(load, again, layout):
    for raw, text, latin in STRINGS:
        file = Hand(layout).string(raw)
        assert load(file) == text
        assert load(file, encoding="latin-1") == latin
        assert again(text) == text


def test_booleans_are_as_torch7_reads_them(load):
    assert [load(Hand().words(5, word)) for word in (0, 1, 2, -1)] == [False, True, False, False]


def test_an_ascii_file_can_lack_its_last_newline(load):
    assert load(b"1\n42") == 42
    assert load(b"2\n1\nx") == "x"
    assert load(b" 1\n42\n\n"[1:]) == 42


# tables


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_is_a_list_a_dict_or_a_table(load, again, layout):
    hand = Hand(layout)
    one, two, three = map(hand.number, (1, 2, 3))
    a, b, yes = hand.string("a"), hand.string("b"), hand.boolean(True)
    value = load(hand.table(1, two, b, one, a))
    assert value == ["a", "b"]
    value = load(hand.table(1, three, a, one, b))
    assert value == {3: "a", 1: "b"}
    assert list(value) == [3, 1]
    value = load(hand.table(1, a, one, hand.number(0.5), b, hand.number(-2), a))
    assert value == {"a": 1, 0.5: "b", -2: "a"}
    assert list(value) == ["a", 0.5, -2]
    value = load(hand.table(1, yes, a, one, b))
    assert type(value) is t7.Table
    assert list(value.items()) == [(True, "a"), (1, "b")]
    assert load(hand.table(1)) == []
    for one in (["a", "b"], {3: "a", 1: "b"}, {"a": 1, 0.5: "b", -2: "a"}, value):
        assert alike(again(one), one)


def test_zero_is_no_first_key(load):
    hand = Hand()
    assert load(hand.table(1, hand.number(0), hand.number(5))) == {0: 5}
    assert load(hand.table(1, hand.number(2), hand.number(5))) == {2: 5}


def test_what_is_nil_is_not_there(load):
    hand = Hand()
    one, two, nil = hand.number(1), hand.number(2), hand.nil()
    assert load(hand.table(1, one, two, two, nil)) == [2]
    assert load(hand.table(1, one, nil)) == []


def test_tables_arrays_and_objects_are_keys_by_identity(load, again):
    hand = Hand()
    key = hand.tensor(3, [1], [1], 1, hand.storage(4, 7.0))
    thing = hand.torch(5, "my.Thing", hand.table(6, hand.string("a"), hand.number(1)))
    value = load(
        hand.table(
            1, hand.table(2), hand.number(1), key, hand.number(2), thing, hand.number(3),
            hand.string("same"), hand.table(7, hand.number(1), hand.ref(3, 4)),
            hand.string("self"), hand.ref(1),
        ),
        unknown="keep",
    )  # fmt: skip
    assert type(value) is t7.Table
    empty, array, thing, *_ = value
    assert (empty, array.tolist(), thing.name, thing.fields) == ([], [7.0], "my.Thing", {"a": 1})
    assert [value[empty], value[array], value[thing]] == [1, 2, 3]
    assert [] not in value
    assert value["same"][0] is array
    assert value["self"] is value
    assert alike(again(value, unknown="keep"), value)


def test_tables_that_contain_themselves(load, again):
    hand = Hand()
    value = load(hand.table(1, hand.number(1), hand.ref(1), hand.number(2), hand.number(5)))
    assert type(value) is list
    assert value[0] is value
    assert value[1] == 5
    value = load(hand.table(1, hand.ref(1), hand.number(5)))
    assert type(value) is t7.Table
    assert value[value] == 5
    assert alike(again(value), value)


def test_a_table_compares_keys_as_lua_does():
    table = t7.Table([(1, "a"), (True, "b"), ("x", "c"), (b"\xff", "d")])
    assert (table[1.0], table[np.int64(1)], table[np.bool_(True)]) == ("a", "a", "b")
    assert (table[b"x"], table[b"\xff"]) == ("c", "d")
    table[1.0] = "new"
    assert next(iter(table.items())) == (1.0, "new")
    del table[True]
    assert len(table) == 3
    with pytest.raises(KeyError, match="True"):
        table[True]
    with pytest.raises(KeyError, match="True"):
        del table[True]
    for key in (None, math.nan):
        with pytest.raises(ValueError, match="Table: a key must be neither None nor nan, got"):
            table[key] = 1
    assert t7.Table() != t7.Table()
    table[False] = table
    assert repr(table) == r"Table([(1.0, 'new'), ('x', 'c'), (b'\xff', 'd'), (False, Table(...))])"


def test_a_file_without_references_has_everything_anew(load):
    """As torch.save(file, {t, t}, "binary", false) writes it."""
    hand = Hand()
    inner = [hand.table(i, hand.number(1), hand.number(5)) for i in (2, 3)]
    value = load(hand.table(1, hand.number(1), inner[0], hand.number(2), inner[1]))
    assert value == [[5], [5]]
    assert value[0] is not value[1]


# tensors and storages


KINDS = [
    ("Byte", "uint8", "B"), ("Char", "int8", "b"), ("Short", "int16", "h"), ("Int", "int32", "i"),
    ("Long", "int64", "long"), ("Float", "float32", "f"), ("Double", "float64", "d"),
    ("Half", "float16", "e"),
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("where", ["", "Cuda"])
def test_kinds_of_tensors(load, again, layout, where):
    hand = Hand(layout)
    for kind, dtype, code in KINDS:
        name = where if where and kind == "Float" else where + kind
        if layout == "ascii" and code in "Bb":
            numbers = bytes(range(6)) + b"\n"
            storage = hand.torch(2, f"torch.{name}Storage", hand.longs(6) + numbers)
        else:
            storage = hand.storage(2, *range(6), kind=name, code=code)
        value = load(hand.tensor(1, [2, 3], [3, 1], 1, storage, kind=name))
        assert value.dtype == dtype
        assert value.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert value.base.flags.writeable
        assert alike(again(value), value)


def test_shared_storages(load, again):
    hand = Hand()
    whole = hand.tensor(2, [6], [1], 1, hand.storage(3, *range(6)))
    part = hand.tensor(4, [2, 2], [1, 2], 3, hand.ref(3, 4))
    one, two, three = map(hand.number, (1, 2, 3))
    value = load(hand.table(1, one, whole, two, part, three, hand.ref(3, 4)))
    array, view, storage = value
    assert array.base is view.base is storage
    assert view.tolist() == [[2, 4], [3, 5]]
    view[0, 0] = 9
    assert (array[2], storage[2]) == (9, 9)
    assert alike(again(value[:2]), value[:2])
    assert np.shares_memory(*again(value)[::2])


def test_a_tensor_that_repeats_entries_is_read_only(load, again):
    hand = Hand()
    value = load(hand.tensor(1, [2, 3], [0, 1], 1, hand.storage(2, *range(3))))
    assert value.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert not value.flags.writeable
    assert alike(again(value), value)
    value = load(hand.tensor(1, [1, 3], [0, 1], 1, hand.storage(2, *range(3))))
    assert value.flags.writeable


def test_empty_tensors(load, again):
    hand = Hand()
    value = load(hand.tensor(1, [], [], 1, hand.nil(), kind="Float"))
    assert (value.shape, value.dtype) == ((0,), "float32")
    with_storage = hand.tensor(2, [], [], 1, hand.storage(3, 5.0))
    value = load(hand.table(1, hand.number(1), with_storage, hand.number(2), hand.ref(3, 4)))
    assert value[0].shape == (0,)
    assert value[0].base is value[1]
    assert again(np.zeros((3, 0), "int8")).shape == (0,)


# functions and objects


@pytest.mark.parametrize("tag", [6, 7, 8])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_functions_are_kept_as_they_are(load, tmp_path, layout, tag):
    hand = Hand(layout)
    upvalues = hand.table(2, hand.number(1), hand.string("up"))
    raw = hand.function(1, b"\x1bLJ\x00\xff", upvalues, tag)
    value = load(raw)
    assert type(value) is t7.Function
    assert (value.code, value.kind, value.upvalues) == (b"\x1bLJ\x00\xff", tag, ["up"])
    t7.save(tmp_path / "again.t7", value)
    index = 1 if tag == 6 else 2
    hand = Hand()
    upvalues = hand.table(index, hand.number(1), hand.string("up"))
    assert (tmp_path / "again.t7").read_bytes() == hand.function(1, value.code, upvalues, tag)


def test_a_function_stands_in_what_it_refers_to(load, again):
    hand = Hand()
    value = load(
        hand.table(
            1, hand.number(1),
            hand.function(2, b"code", hand.table(3, hand.number(1), hand.ref(1))),
            hand.number(2), hand.ref(2, 8),
        )
    )  # fmt: skip
    assert value[0] is value[1]
    assert value[0].upvalues[0] is value
    assert repr(value[0]) == "<Function of 4 bytes>"
    assert alike(again(value), value)


def test_a_function_can_refer_to_a_module(load):
    hand = Hand()
    module = hand.torch(2, "nn.Tanh", hand.table(3))
    assert repr(load(hand.function(1, b"code", module)).upvalues) == "Tanh"


def test_objects_of_old_files_have_no_version(load, again):
    hand = Hand()
    fields = hand.table(2, hand.number(1), hand.string("first"))
    value = load(hand.torch(1, "my.Thing", fields, version=None), unknown="keep")
    assert (value.name, value.version, value.fields) == ("my.Thing", 0, {1: "first"})
    assert repr(value) == "<my.Thing: 1>"
    assert alike(again(value, unknown="keep"), value)
    value = load(hand.torch(1, "my.Thing", fields, version="V 12"), unknown="keep")
    assert value.version == 12


# which encoding


def test_what_fits_two_layouts_is_read_in_the_first(load):
    hand = Hand("<8")
    storage = hand.storage(2, 5, 0, 0, 0, kind="Byte", code="B")
    raw = hand.table(1, hand.number(1), storage, hand.string("\2\0"), hand.nil())
    value = load(raw)
    assert [array.tolist() for array in value] == [[5, 0, 0, 0]]
    value = load(raw, long_size=4)
    assert type(value) is t7.Table
    assert value[1].tolist() == [0, 0, 0, 0]
    assert value[False] == "\0\0"


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_a_layout_that_was_given_is_the_only_one(load, layout):
    hand = Hand(layout)
    raw = hand.tensor(1, [1], [1], 1, hand.storage(2, 5.0))
    order = {"<": "little", ">": "big"}[layout[0]]
    assert load(raw, long_size=int(layout[1]), byte_order=order).tolist() == [5]
    for other in {"little", "big"} - {order}:
        with pytest.raises(ValueError, match="it does not begin as a"):
            load(raw, byte_order=other)
    with pytest.raises(ValueError, match="byte "):
        load(raw, long_size=12 - int(layout[1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "x"}, "load: encoding must be the name of an encoding, got 'x'"),
        ({"encoding": "base64"}, "load: encoding must be the name of an encoding, got 'base64'"),
        ({"encoding": None}, "load: encoding must be the name of an encoding, got None"),
        ({"unknown": "drop"}, "load: unknown must be \"refuse\" or \"keep\", got 'drop'"),
        ({"long_size": 16}, "load: long_size must be 4 or 8, got 16"),
        ({"byte_order": "<"}, "load: byte_order must be \"little\" or \"big\", got '<'"),
    ],
)  # fmt: skip
def test_arguments_are_checked(load, options, message):
    with pytest.raises(ValueError, match="^" + message.replace('"', ".") + "$"):
        load(b"1\n1\n", **options)


def test_torch7_files_have_a_reader_of_their_own(tmp_path):
    path = tmp_path / "model.t7"
    t7.save(path, [1, 2])
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert error.value.hint == "serial.t7.load() reads Torch7's files"


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        (b"\3\0\0\0\1\0\0\0\0\0\0\0", True),
        (b"\4\0\0\0\1\0\0\0\3\0\0\0", True),
        (b"\0\0\0\4\0\0\0\1\0\0\0\3", True),
        (b"4\n1\n3\nV 1", True),
        (b"3\r\n1\r\n0\r\n", True),
        (b"\2\0\0\0\1\0\0\0\0\0\0\0", False),
        (b"\3\0\0\0\0\0\0\0{}", False),
        (b"41\n1\n", False),
        (b"", False),
    ],
)
def test_torch7_files_are_known_by_their_first_bytes(tmp_path, start, is_one):
    path = tmp_path / "model.npz"
    path.write_bytes(start)
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert (error.value.hint == "serial.t7.load() reads Torch7's files") is is_one


def test_an_object_prints_what_a_terminal_shows_as_it_is():
    said = t7.Object("nn.\x1b[2JMine\nnn.Linear", {"a\r\n": 1, "ü": 2, b"\x1b": 3, 4: 5})
    assert repr(said) == r"<nn.\x1b[2JMine\nnn.Linear: a\r\n, ü, b'\x1b', 4>"


def test_what_reads_torch7_files_is_loaded_when_it_is_named():
    code = (
        "from torchlite import serial; loaded = 'torchlite.serial.t7' in sys.modules; "
        "print(loaded, serial.t7.load.__name__, hasattr(serial, 't8'))"
    )
    with run(code) as process:
        assert process.stdout.read() == "False load False\n"
