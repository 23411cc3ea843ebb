"""Damaged and hostile .t7 files are refused, where they are wrong, before they cost anything."""

import gc
import math
import os
import tracemalloc
from types import SimpleNamespace

import golden
import numpy as np
import pytest
from counting import calls_of
from t7files import Hand, alike

from torchlite.errors import FormatError
from torchlite.serial import t7

HAND = Hand()
ASCII = Hand("ascii")
STRING, NUMBER, TABLE, TENSOR = HAND.string, HAND.number, HAND.table, HAND.tensor
THREE = HAND.storage(11, 1, 2, 3)


def network(weight):
    """Return a file in which a weight stands deep inside."""
    linear = HAND.torch(8, "nn.Linear", TABLE(9, STRING("weight"), weight))
    tanh = HAND.torch(6, "nn.Tanh", TABLE(7))
    modules = TABLE(5, NUMBER(1), tanh, NUMBER(2), linear)
    net = HAND.torch(3, "nn.Sequential", TABLE(4, STRING("modules"), modules))
    return TABLE(1, STRING("protos"), TABLE(2, STRING("rnn"), net))


def strange(*names):
    """Return a file with objects of such classes."""
    rows = [
        piece
        for i, name in enumerate(names)
        for piece in (NUMBER(i + 1), HAND.torch(10 + 2 * i, name, TABLE(11 + 2 * i)))
    ]
    return TABLE(1, STRING("things"), TABLE(2, *rows))


OWN_WAY = "  hint: torchlite does not know the class {}, which may be written in its own way"
REGISTER = '  hint: t7.register("{}", ...) makes one known, load(path, unknown="keep") keeps fields'
REFUSED = {
    "nothing": (b"", "it does not begin as a .t7 file does"),
    "too short": (b"\1\0\0", "it does not begin as a .t7 file does"),
    "another format": (b"\x80\2}q", "it does not begin as a .t7 file does"),
    "a zip": (
        b"PK\3\4",
        "it does not begin as a .t7 file does\n"
        "  hint: serial.load() reads what serial.save() wrote",
    ),
    "cut off": (NUMBER(1)[:-1], "byte 4: 8 bytes are to follow, and the file has 7 more"),
    "continued": (NUMBER(1) + b"xy", "byte 12: 2 bytes follow the value"),
    "no value inside": (
        TABLE(1, STRING("a"), HAND.words(9)),
        "['a'], byte 21: 9 is no type of a value",
    ),
    "a view beyond its storage": (
        network(TENSOR(10, [2, 3], [3, 1], 1, THREE)),
        "['protos'].rnn.modules[1].weight, byte 236: a tensor of sizes [2, 3], strides [3, 1] and "
        "offset 1 goes beyond its storage of 3",
    ),
    "a view before its storage": (
        network(TENSOR(10, [1], [1], 0, THREE)),
        "['protos'].rnn.modules[1].weight, byte 236: a tensor of sizes [1], strides [1] and offset "
        "0 goes beyond its storage of 3",
    ),
    "a view of nothing": (
        TENSOR(1, [1], [1], 1, HAND.nil()),
        "byte 0: a tensor of sizes [1], strides [1] and offset 1 goes beyond its storage of 0",
    ),
    "no module": (
        network(TENSOR(10, [3], [1], 1, THREE)),
        "['protos'].rnn.modules[1].weight, byte 182: must have 2 dimensions, got (3,)",
    ),
    "a negative stride": (
        TENSOR(1, [2], [-1], 2, THREE),
        "byte 0: a tensor has sizes [2] and strides [-1]",
    ),
    "a size of 0": (
        TENSOR(1, [2, 0], [1, 1], 1, THREE),
        "byte 0: a tensor has sizes [2, 0] and strides [1, 1]",
    ),
    "too many entries": (
        TENSOR(1, [2**40, 2**40], [0, 0], 1, THREE),
        "byte 0: a tensor has sizes [1099511627776, 1099511627776] and strides [0, 0]",
    ),
    "a stride that leads nowhere": (
        TENSOR(1, [1], [2**62], 1, THREE),
        "byte 0: a tensor has sizes [1] and strides [4611686018427387904]",
    ),
    "too many dimensions": (
        HAND.torch(1, "torch.IntTensor", HAND.words(65)),
        "byte 0: a tensor has 65 dimensions",
    ),
    "too few dimensions": (
        HAND.torch(1, "torch.IntTensor", HAND.words(-1)),
        "byte 0: a tensor has -1 dimensions",
    ),
    "a storage of another type": (
        TENSOR(1, [1], [1], 1, HAND.storage(2, 1.0, kind="Float", code="f")),
        "byte 0: the storage of a tensor is not of its type",
    ),
    "a table as storage": (
        TENSOR(1, [1], [1], 1, TABLE(2)),
        "byte 0: the storage of a tensor is not of its type",
    ),
    "a storage larger than the file": (
        HAND.storage(1, 1.0, length=10**12),
        "byte 46: 8000000000000 bytes are to follow, and the file has 8 more",
    ),
    "a negative storage": (
        HAND.storage(1, 1.0, length=-1),
        "byte 0: a storage has -1 entries",
    ),
    "a string longer than the file": (
        HAND.words(2, 10**9),
        "byte 8: 1000000000 bytes are to follow, and the file has 0 more",
    ),
    "a negative string": (HAND.words(2, -5), "byte 8: -5 bytes are to follow"),
    "a table larger than the file": (
        TABLE(1, count=10**6),
        "byte 0: a table of 1000000 is to follow, and the file has 0 more bytes",
    ),
    "a negative table": (
        TABLE(1, count=-1),
        "byte 0: a table of -1 is to follow, and the file has 0 more bytes",
    ),
    "nil as key": (TABLE(1, HAND.nil(), NUMBER(1)), "byte 16: nil is a key"),
    "nan as key": (TABLE(1, NUMBER(math.nan), NUMBER(1)), "byte 24: nan is a key"),
    "a key twice": (
        TABLE(1, STRING("a"), NUMBER(1), STRING("a"), NUMBER(2)),
        "byte 0: two keys of a table are the same",
    ),
    "0 and -0 as keys": (
        TABLE(1, NUMBER(0.0), NUMBER(1), NUMBER(-0.0), NUMBER(2)),
        "byte 0: two keys of a table are the same",
    ),
    "a key cut off": (
        TABLE(1, TABLE(2), HAND.words(2, 99)),
        "[a table], byte 32: 99 bytes are to follow, and the file has 0 more",
    ),
    "an object that is a table elsewhere": (
        TABLE(1, NUMBER(1), HAND.ref(1, 4)),
        "[0], byte 24: object 1 is of another type",
    ),
    "a class without a name": (
        HAND.torch(1, "", TABLE(2)),
        "byte 0: the name of a class has 0 letters",
    ),
    "a class with a long name": (
        HAND.torch(1, "x" * 256, TABLE(2)),
        "byte 0: the name of a class has 256 letters",
    ),
    "fields that are none": (
        HAND.torch(1, "nn.Tanh", NUMBER(3)),
        "byte 0: the fields of a nn.Tanh are no table",
    ),
    "a class that writes itself": (
        HAND.torch(1, "tds.Hash", HAND.longs(2) + STRING("a") + NUMBER(1)),
        "byte 0: the fields of a tds.Hash are no table\n" + OWN_WAY.format("tds.Hash"),
    ),
    "an unknown class": (
        strange("nn.Tanh", "my.Thing"),
        "['things'][1], byte 100: torchlite does not know the class my.Thing\n"
        + REGISTER.format("my.Thing"),
    ),
    "many unknown classes": (
        strange(*(f"c{i}" for i in range(24)), "c1"),
        "['things'][0], byte 50: torchlite does not know the class c0, nor "
        + ", nor ".join(f"c{i}" for i in range(1, 21))
        + ", nor 3 others\n"
        + REGISTER.format("c0"),
    ),
    "a network of one number": (
        network(TENSOR(10, [2**20, 2**20], [0, 0], 1, THREE)),
        "['protos'].rnn.modules[1].weight, byte 236: tensors up to here have more entries than a "
        "file of this size can hold",
    ),
    "a string that steers a terminal": (
        TABLE(1, STRING("\x1b[2J"), HAND.words(9)),
        r"['\x1b[2J'], byte 24: 9 is no type of a value",
    ),
    "a long key": (
        TABLE(1, STRING("k" * 500), HAND.words(9)),
        f"['{'k' * 40}'...], byte 520: 9 is no type of a value",
    ),
    "upvalues cut off": (
        HAND.function(1, b"code", TABLE(2, STRING("a"), HAND.words(9))),
        "upvalues.a, byte 37: 9 is no type of a value",
    ),
    "ascii, no type": (b"9\n", "byte 0: 9 is no type of a value"),
    "ascii, no number": (b"3\nx\n", "byte 2: b'x' is no whole number"),
    "ascii, no end": (b"3\n1", "byte 3: the file ends before a number"),
    "ascii, no float": (b"1\nabc\n", "byte 2: b'abc' is no number"),
    "ascii, a long number": (b"1\n" + b"1" * 65, "byte 2: a number is to follow"),
    "ascii, a number of Python's": (b"1\n1_0\n", "byte 2: a number is to follow"),
    "ascii, continued": (b"1\n1\n2\n", "byte 4: 2 bytes follow the value"),
    "ascii, too large": (
        ASCII.torch(1, "torch.ShortStorage", b"1\n70000\n"),
        "byte 34: a number is too large for int16",
    ),
    "ascii, too few": (
        ASCII.torch(1, "torch.DoubleStorage", b"100\n1 2"),
        "byte 37: 199 bytes are to follow, and the file has 3 more",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_said_and_where(tmp_path, what):
    raw, message = REFUSED[what]
    path = tmp_path / "bad.t7"
    path.write_bytes(raw)
    with pytest.raises(FormatError) as error:
        t7.load(path)
    assert str(error.value) == f"{path}: {message}"


def test_ascii_with_other_line_ends_says_so(tmp_path):
    """Files that were copied to Windows as text; a number alone is read."""
    path, hints = tmp_path / "value.t7", []
    for file in sorted((golden.DATA / "t7").glob("*.ascii.t7")):
        path.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        try:
            value = t7.load(path)
        except FormatError as error:
            hints.append(str(error).partition("\n  hint: ")[2])
        else:
            assert value == t7.load(file)
    assert len(hints) > 20
    assert set(hints) == {
        r"its lines end in \r\n, those of Torch7 in \n: copy the file as it is, not as text, or "
        r"write data.replace(b'\r\n', b'\n')"
    }


def test_views_of_one_storage_are_counted_once_each(tmp_path):
    """Clones that share their parameters are no flood, and neither is what no module is made of."""
    path = tmp_path / "clones.t7"

    def clones(first):
        """Return 100 layers, whose weights begin one entry later each time."""
        storage = HAND.storage(11, *range(200_000))
        rows = [NUMBER(1), storage]
        for i in range(100):
            weight = TENSOR(3 * i + 21, [1, 190_000], [1, 1], first(i), HAND.ref(11, 4))
            fields = TABLE(3 * i + 22, STRING("weight"), weight)
            rows += [NUMBER(i + 2), HAND.torch(3 * i + 23, kind, fields)]
        return TABLE(1, *rows)

    kind = "nn.CMul"
    path.write_bytes(clones(lambda i: 1))
    assert len(t7.load(path)) == 101
    path.write_bytes(clones(lambda i: i + 1))
    with pytest.raises(FormatError, match="tensors up to here have more entries than a file"):
        t7.load(path)
    kind = "my.Thing"
    path.write_bytes(clones(lambda i: i + 1))
    assert len(t7.load(path, unknown="keep")) == 101


def nested(depth, innermost=None):
    """Return a table in a table in a table ..."""
    head = [HAND.words(3, i + 1, 1) + NUMBER(1) for i in range(depth)]
    return b"".join(head) + (TABLE(depth + 1) if innermost is None else innermost)


def test_deep_tables_are_read_and_written_without_recursion(tmp_path):
    path = tmp_path / "deep.t7"
    path.write_bytes(nested(9_999))
    value = t7.load(path)
    t7.save(tmp_path / "again.t7", value)
    assert alike(t7.load(tmp_path / "again.t7"), value)
    assert (tmp_path / "again.t7").read_bytes() == path.read_bytes()


def test_tables_that_are_too_deep_are_refused(tmp_path):
    path = tmp_path / "deep.t7"
    path.write_bytes(nested(10_000))
    with pytest.raises(FormatError) as error:
        t7.load(path)
    assert str(error.value).endswith("byte 240000: values are nested more than 10000 deep")
    assert len(str(error.value)) < 400
    value = []
    for _ in range(10_001):
        value = [value]
    with pytest.raises(TypeError, match="values are nested more than 10000 deep"):
        t7.save(path, value)


def test_tables_that_share_tables_stay_small(tmp_path):
    """As a tree this has 2**1000 leaves."""
    path = tmp_path / "shared.t7"
    raw = TABLE(1000)
    for i in range(999, 0, -1):
        raw = TABLE(i, NUMBER(1), raw, NUMBER(2), HAND.ref(i + 1))
    path.write_bytes(raw)
    value = t7.load(path)
    assert value[0] is value[1]
    t7.save(tmp_path / "again.t7", value)
    assert (tmp_path / "again.t7").read_bytes() == raw


FLOODS = {
    "numbers": lambda n: TABLE(1, *(p for i in range(n) for p in (NUMBER(i + 1), NUMBER(i)))),
    "tables": lambda n: TABLE(1, *(p for i in range(n) for p in (NUMBER(i + 1), TABLE(i + 2)))),
    "references": lambda n: TABLE(1, *(p for i in range(n) for p in (NUMBER(i + 1), HAND.ref(1)))),
    "objects": lambda n: strange(*(f"c{i}" for i in range(n))),
    "modules": lambda n: strange(*["nn.Tanh"] * n),
    "objects in a cycle": lambda n: HAND.torch(
        1, "graph.Node", TABLE(2, *(p for i in range(n) for p in (NUMBER(i + 1), HAND.ref(1, 4))))
    ),
    "tensors of one storage": lambda n: TABLE(
        1, NUMBER(1), HAND.storage(2, 1.0),
        *(p for i in range(n)
          for p in (NUMBER(i + 2), TENSOR(i + 3, [1], [1], 1, HAND.ref(2, 4)))),
    ),
    "keys without an order": lambda n: TABLE(
        1, *(p for i in range(n) for p in (NUMBER(n - i + 0.0), HAND.boolean(True)))
    ),
    "depth": lambda n: nested(n),
    "depth and an unknown class": lambda n: nested(n, HAND.torch(n + 1, "c", TABLE(n + 2))),
    "blanks": lambda n: b"1\n" + b" " * (50 * n) + b"5",
}  # fmt: skip


@pytest.mark.parametrize("what", FLOODS)
def test_the_time_to_read_grows_with_the_file(tmp_path, what):
    path = tmp_path / "flood.t7"

    def calls(n):
        path.write_bytes(FLOODS[what](n))

        def load():
            try:
                t7.load(path)
            except FormatError as error:
                return len(str(error))

        return calls_of(load)[0]

    calls(10)
    few, many = calls(100), calls(400)
    assert many < 4.5 * few


def test_memory_is_taken_for_what_is_in_the_file(tmp_path):
    path = tmp_path / "large.t7"
    t7.save(path, {"weight": np.ones((1000, 1000))})
    size = os.path.getsize(path)
    gc.collect()
    tracemalloc.start()
    try:
        value = t7.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert value["weight"].nbytes < size < peak < 1.02 * size


@pytest.mark.parametrize(
    ("raw", "more", "at"),
    [(HAND.words(2, 9) + b"abcd", 5, 8), (HAND.storage(1, 1.0, length=2), 8, 54)],
    ids=["a string", "a storage"],
)
def test_a_file_that_becomes_shorter_is_refused(tmp_path, monkeypatch, raw, more, at):
    path = tmp_path / "short.t7"
    path.write_bytes(raw)
    size = len(raw) + more
    monkeypatch.setattr(os, "fstat", lambda descriptor: SimpleNamespace(st_size=size))
    with pytest.raises(FormatError) as error:
        t7.load(path)
    said = f"{path}: byte {at}: the file became shorter while it was read"
    assert str(error.value) == said
