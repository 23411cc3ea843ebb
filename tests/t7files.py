"""What the tests of .t7 files have in common: comparing values, and writing files by hand."""

import re
import struct

import numpy as np

from torchlite.serial import t7

TYPES = {
    "Byte": "uint8", "Char": "int8", "Short": "int16", "Int": "int32", "Long": "int64",
    "Float": "float32", "Double": "float64",
}  # fmt: skip


def is_as_said(value, said):
    """Check a loaded value against the tree of a golden case: values, identity, shared memory."""
    objects, storages = {}, {}

    def check(value, said):
        if "ref" in said:
            assert value is objects[said["ref"]]
        elif "nil" in said:
            assert value is None
        elif "tensor" in said or "storage_type" in said:
            name = said.get("tensor", said.get("storage_type"))
            assert objects.setdefault(said["object"], value) is value
            assert value.dtype == TYPES[re.fullmatch(r"torch\.(\w+?)(Tensor|Storage)", name)[1]]
            check_array(value, said)
        elif "table" in said:
            assert objects.setdefault(said["object"], value) is value
            keys = [next(iter(key.values())) for key, _ in said["table"]]
            wanted = list if keys == list(range(1, len(keys) + 1)) else dict
            if any(type(key) is bool for key in keys):
                wanted = t7.Table
            assert type(value) is wanted
            assert len(value) == len(keys)
            for key, (_, entry) in zip(keys, said["table"], strict=True):
                check(value[key - 1 if wanted is list else key], entry)
        else:
            ((_, wanted),) = said.items()
            assert type(value) is type(wanted)
            assert value == wanted

    def check_array(value, said):
        if "tensor" in said and not said["size"]:
            assert value.shape == (0,)
            return
        size = said["size"] if "tensor" in said else [said["size"]]
        assert value.shape == tuple(size)
        assert np.array_equal(value, said.get("data", np.empty(0)))
        strides = said.get("stride", [1])
        assert not value.size or value.strides == tuple(
            stride * value.itemsize for stride in strides
        )
        whole = value if "storage_type" in said else value.base
        assert whole.ndim == 1
        assert whole.base is None
        assert storages.setdefault(said["storage"], whole) is whole
        first = value.ctypes.data - whole.ctypes.data
        assert first == (said.get("storage_offset", 1) - 1) * value.itemsize

    check(value, said)
    return True


class Hand:
    """Writes the pieces of a file in one of the encodings: "ascii", or "<8", ">4" ..."""

    def __init__(self, layout="<8"):
        self.layout = layout

    def words(self, *numbers, code="i"):
        if self.layout == "ascii":
            return " ".join(map(str, numbers)).encode() + b"\n" * bool(numbers)
        return struct.pack(f"{self.layout[0]}{len(numbers)}{code}", *numbers)

    def longs(self, *numbers):
        return self.words(*numbers, code="q" if self.layout[1:] == "8" else "i")

    def chars(self, text):
        text = text.encode() if isinstance(text, str) else text
        return self.words(len(text)) + text + b"\n" * (self.layout == "ascii" and bool(text))

    def nil(self):
        return self.words(0)

    def number(self, number):
        if self.layout == "ascii":
            return self.words(1) + f"{number:.17g}\n".encode()
        return self.words(1) + self.words(number, code="d")

    def string(self, text):
        return self.words(2) + self.chars(text)

    def boolean(self, value):
        return self.words(5, int(value)) if self.layout != "ascii" else b"5\n%d\n" % value

    def ref(self, index, tag=3):
        return self.words(tag) + self.words(index)

    def table(self, index, *entries, count=None):
        """Return a table: keys and values in turn, in pieces that are encoded already."""
        count = len(entries) // 2 if count is None else count
        return self.words(3) + self.words(index) + self.words(count) + b"".join(entries)

    def torch(self, index, name, content, version="V 1"):
        said = self.chars(version) if version is not None else b""
        return self.words(4) + self.words(index) + said + self.chars(name) + content

    def tensor(self, index, sizes, strides, first, storage, kind="Double"):
        content = self.words(len(sizes)) + self.longs(*sizes) + self.longs(*strides)
        return self.torch(index, f"torch.{kind}Tensor", content + self.longs(first) + storage)

    def storage(self, index, *numbers, kind="Double", code="d", length=None):
        length = len(numbers) if length is None else length
        entries = self.longs(*numbers) if code == "long" else self.words(*numbers, code=code)
        return self.torch(index, f"torch.{kind}Storage", self.longs(length) + entries)

    def function(self, index, code, upvalues, tag=8):
        index = self.words(index) if tag != 6 else b""
        return self.words(tag) + index + self.chars(code) + upvalues


LAYOUTS = ["ascii", "<8", "<4", ">8", ">4"]


def alike(one, other):
    """Check that two values are equal in kind, numbers, strides, and in what they share."""
    pairs, back = {}, {}
    waiting = [(one, other)]
    while waiting:
        one, other = waiting.pop()
        assert type(one) is type(other)
        if not isinstance(one, np.ndarray | list | dict | t7.Table | t7.Object | t7.Function):
            assert repr(one) == repr(other)
            continue
        if id(one) in pairs:
            assert pairs[id(one)] is other
            continue
        assert id(other) not in back
        pairs[id(one)], back[id(other)] = other, one
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert not one.size or one.strides == other.strides
            assert one.flags.writeable == other.flags.writeable
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
            if one.size:
                memory, memory_again = map(owner, (one, other))
                assert pairs.setdefault(("memory", id(memory)), memory_again) is memory_again
                assert back.setdefault(("memory", id(memory_again)), memory) is memory
        elif isinstance(one, t7.Object):
            assert (one.name, one.version) == (other.name, other.version)
            waiting.append((one.fields, other.fields))
        elif isinstance(one, t7.Function):
            assert (one.code, one.kind) == (other.code, other.kind)
            waiting.append((one.upvalues, other.upvalues))
        else:
            assert len(one) == len(other)
            if isinstance(one, list):
                waiting += zip(one, other, strict=True)
            else:
                waiting += zip(one, other, strict=True)
                waiting += zip(one.values(), other.values(), strict=True)
    return True


def owner(array):
    """Return the array of a storage, of which a tensor is a view."""
    return array if array.base is None else array.base
