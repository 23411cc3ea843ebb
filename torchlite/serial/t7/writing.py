"""Writing a .t7 file: binary, little-endian, with longs of 8 bytes, as Torch7 does by default."""

import math
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.array_utils import byte_bounds

from torchlite.kernels.arrays import Array
from torchlite.serial.atomic import Path, replacing
from torchlite.serial.describe import refusal
from torchlite.serial.t7 import modules
from torchlite.serial.t7.parse import (
    DEEPEST,
    HEADERS,
    LONGEST_NAME,
    MOST_VERSION,
    array_class,
    shortened,
    step_to,
)
from torchlite.serial.t7.plain import shown
from torchlite.serial.t7.source import KINDS, Tag
from torchlite.serial.t7.values import Function, Object, Storage, Table, as_lua
from torchlite.serial.values import RefusalError

__all__ = ["save"]

_NAMES = {np.dtype(code): kind for kind, code in KINDS.items()}
_WORD, _LONG, _NUMBER = struct.Struct("<i"), struct.Struct("<q"), struct.Struct("<id")
_LONGEST = 2**31 - 1
_FUNCTIONS = (Tag.UNSHARED, Tag.OLD_FUNCTION, Tag.FUNCTION)


def save(path: Path, value: Any) -> None:
    """Write a value to a file that Torch7's `torch.load` reads.

    Parameters
    ----------
    path
        Where to; what is there is replaced once all is written.
    value
        None, bools, numbers, text, bytes, arrays, modules and criterions, what `load` returns, and
        lists, tuples, dicts and Tables of those.

    Conventions
    -----------
    - A list or tuple becomes a table with the keys 1..n, and so it cannot hold None; in a dict an
      entry that is None is left out: that is what nil means in Lua.
    - Arrays that are views of one memory become tensors of one storage, which holds the memory from
      the first to the last of their entries. Strides that Torch7 does not have (negative ones, or
      between the bytes of an entry) make a contiguous copy. An array without dimensions is a
      number. bool becomes a ByteTensor.
    - `Storage(array)` is written as a storage, not as a tensor. An array that `load` has made of a
      storage becomes a tensor, also in an `Object`.

    Raises
    ------
    DTypeError
        Something cannot be saved: a whole number that no float is, an array of complex numbers ...
        The file is what it was.
    OSError
        Writing failed. The file is what it was.

    Example
    -------
    >>> import os, tempfile
    >>> from torchlite.serial import t7
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "value.t7")
    ...     save(path, {"epoch": 3, "losses": [0.5, 0.25]})
    ...     t7.load(path)
    {'epoch': 3, 'losses': [0.5, 0.25]}
    """
    try:
        plan = _Plan()
        plan.add(value)
        with replacing(path) as file:
            plan.write(file)
    except RefusalError as error:
        raise refusal("save", error) from None


class _Fields:
    """The table of an object's fields, which is no object of Python's that could be met again."""

    def __init__(self, fields: Any) -> None:
        self.fields = fields


class _Memory:
    """The memory of arrays that become views of one storage.

    Attributes
    ----------
    start, end
        The addresses between which their entries lie.
    index
        The number of the storage in the file, 0 before it is written.
    """

    def __init__(self) -> None:
        self.start, self.end, self.index = 2**64, 0, 0

    def cover(self, array: Array) -> None:
        """Reach to the entries of one more array."""
        start, end = byte_bounds(array)
        self.start, self.end = min(self.start, start), max(self.end, end)

    def entries(self, dtype: np.dtype[Any]) -> Array:
        """Return all that lies there, in the order of the memory."""
        self.__array_interface__ = {
            "data": (self.start, True),
            "shape": ((self.end - self.start) // dtype.itemsize,),
            "typestr": dtype.str,
            "version": 3,
        }
        return np.asarray(self)


class _Plan:
    """What will be written: bytes, and between them arrays that become tensors.

    Which part of a memory a storage has to hold is known when all arrays have been met.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pieces: list[Any] = [self._bytes]
        self._count = 0
        self._indices: dict[int, int] = {}
        # What has an index is kept: another object could get its id.
        self._kept: list[Any] = []
        self._memories: dict[Any, _Memory] = {}

    def add(self, value: Any) -> None:
        """Plan a value and all that is in it, without recursion."""
        open = [_Open([(None, value)])]
        while open:
            try:
                open[-1].key, entry = next(open[-1].entries)
                inside = self._begin(entry)
                if inside is not None and len(open) > DEEPEST:
                    raise RefusalError("", f"values are nested more than {DEEPEST} deep")
            except StopIteration:
                open.pop()
            except RefusalError as error:
                keys = [row.key for row in open if row.key is not None]
                path = "".join(
                    step_to(key, bool(i) or not isinstance(value, dict | Table))
                    for i, key in enumerate(keys)
                )
                path = shortened(f"{path}.{error.where}".strip("."))
                raise RefusalError(path, error.problem, error.hint) from None
            else:
                if inside is not None:
                    open.append(_Open(inside))

    def write(self, file: BinaryIO) -> None:
        """Write what was planned."""
        for piece in self._pieces:
            if isinstance(piece, bytearray):
                file.write(piece)
            else:
                self._write_tensor(file, *piece)

    def _begin(self, value: Any) -> Iterable[tuple[Any, Any]] | None:
        """Plan how a value begins; return what is in it, each with the key that leads there."""
        if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.shape):
            value = value.item()
        if value is None:
            self._words(Tag.NIL)
        elif isinstance(value, bool):
            self._words(Tag.BOOLEAN, value)
        elif isinstance(value, int | float):
            self._bytes += _NUMBER.pack(Tag.NUMBER, _float(value))
        elif isinstance(value, str | bytes):
            self._words(Tag.STRING)
            self._chars(value)
        elif isinstance(value, _Fields):
            self._words(Tag.TABLE, self._next())
            return self._table(value.fields)
        elif isinstance(value, Function):
            _must_be_function(value)
            if not self._is_known(value.kind, value):
                self._chars(value.code)
                return [("upvalues", value.upvalues)]
        elif isinstance(value, list | tuple | dict | Table):
            if not self._is_known(Tag.TABLE, value):
                return self._table(value)
        elif not self._is_known(Tag.TORCH, value):
            if isinstance(value, np.ndarray):
                self._tensor(value)
            elif isinstance(value, Storage):
                self._storage(value)
            else:
                return self._object(value)
        return None

    def _is_known(self, tag: int, value: Any) -> bool:
        """Plan the type and the number of an object; tell whether it has been met before."""
        if tag == Tag.UNSHARED:
            self._words(tag)
            return False
        index = self._indices.get(id(value))
        self._words(tag, index or self._next())
        # There is one empty tuple, which is many empty tables.
        if index is None and not (isinstance(value, tuple) and not value):
            self._indices[id(value)] = self._count
            self._kept.append(value)
        return index is not None

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _words(self, *numbers: int) -> None:
        for number in numbers:
            self._bytes += _WORD.pack(number)

    def _chars(self, text: str | bytes) -> None:
        try:
            found = text.encode() if isinstance(text, str) else text
        except UnicodeEncodeError:
            raise RefusalError("", f"{text!a:.80} cannot be written in UTF-8") from None
        if len(found) > _LONGEST:
            raise RefusalError("", f"it has {len(found)} bytes, at most {_LONGEST} can be")
        self._words(len(found))
        self._bytes += found

    def _table(self, value: Any) -> Iterator[tuple[Any, Any]]:
        """Plan the size of a table; return its keys and values in turn."""
        if isinstance(value, list | tuple):
            if any(entry is None for entry in value):
                problem = "a list with None in it cannot be saved: Lua's tables hold no nil"
                raise RefusalError("", problem)
            self._words(len(value))
            return (row for i, x in enumerate(value) for row in ((i, i + 1), (i, x)))
        if not isinstance(value, Table):
            for key in value:
                if not isinstance(key, str | bytes | int | float | np.generic) or key != key:
                    raise RefusalError("", f"{key!r:.80} cannot be a key of a table")
        entries = [(key, entry) for key, entry in value.items() if entry is not None]
        if len({as_lua(key) for key, _ in entries}) < len(entries):
            raise RefusalError("", "two of its keys are the same in Lua")
        self._words(len(entries))
        return (row for key, x in entries for row in ((key, key), (key, x)))

    def _object(self, value: Any) -> list[tuple[Any, Any]]:
        """Plan the name of an object; return what is in it."""
        made = value if isinstance(value, Object) else modules.take_apart(value)
        name, fields, version = made.name, made.fields, made.version
        _must_be_object(name, fields, version)
        self._chars(f"V {version}")
        self._chars(name)
        inside: list[tuple[Any, Any]] = [(None, _Fields(fields))]
        first, header = HEADERS.get(name, (version + 1, None))
        if version >= first:
            keys = header if isinstance(header, list) else [header]
            said = [fields.get(key) for key in keys]
            inside.insert(0, (None, said if isinstance(header, list) else said[0]))
        return inside

    def _storage(self, value: Storage) -> None:
        array = np.array(_writable(value.array))
        if array.ndim != 1:
            raise RefusalError("", f"a storage has one dimension, not {array.ndim}")
        kind = _NAMES[array.dtype]
        self._chars("V 1")
        self._chars(f"torch.{kind}Storage")
        self._bytes += _LONG.pack(array.size) + _little(array)

    def _tensor(self, value: Array) -> None:
        array = _writable(value)
        # Only what lies at whole entries from each other can be views of one storage.
        address = byte_bounds(array)[0]
        key = id(_owner(array)), array.dtype, address % array.itemsize
        memory = self._memories.setdefault(key, _Memory())
        if array.size:
            memory.cover(array)
        self._kept.append(array)
        self._chars("V 1")
        self._chars(f"torch.{_NAMES[array.dtype]}Tensor")
        self._bytes = bytearray()
        self._pieces += [(array, memory), self._bytes]

    def _write_tensor(self, file: BinaryIO, array: Array, memory: _Memory) -> None:
        size = array.itemsize
        dimensions = array.ndim if array.size else 0
        first = (byte_bounds(array)[0] - memory.start) // size if array.size else 0
        # Where there is one entry, NumPy's stride may be anything.
        strides = [
            stride // size if n > 1 or (stride >= 0 and not stride % size) else 1
            for n, stride in zip(array.shape, array.strides, strict=True)
        ]
        longs = [*array.shape, *strides] if dimensions else []
        file.write(_WORD.pack(dimensions))
        file.write(b"".join(map(_LONG.pack, [*longs, first + 1])))
        if not dimensions:
            file.write(_WORD.pack(Tag.NIL))
        elif memory.index:
            file.write(_WORD.pack(Tag.TORCH) + _WORD.pack(memory.index))
        else:
            memory.index = self._next()
            entries = memory.entries(array.dtype)
            name = f"torch.{_NAMES[array.dtype]}Storage".encode()
            for number in (Tag.TORCH, memory.index, 3):
                file.write(_WORD.pack(number))
            file.write(b"V 1" + _WORD.pack(len(name)) + name + _LONG.pack(entries.size))
            file.write(_little(entries))


class _Open:
    """A table or object of which the entries are being planned, and the key of the last."""

    def __init__(self, entries: Iterable[tuple[Any, Any]]) -> None:
        self.entries = iter(entries)
        self.key: Any = None


def _must_be_function(value: Function) -> None:
    if not isinstance(value.code, bytes):
        raise RefusalError("", f"the code of a Function must be bytes, got {shown(value.code)}")
    if type(value.kind) is not int or value.kind not in _FUNCTIONS:
        raise RefusalError("", f"the kind of a Function must be 6, 7 or 8, got {value.kind!r:.80}")


def _must_be_object(name: Any, fields: Any, version: Any) -> None:
    if not isinstance(name, str) or not 0 < len(name.encode(errors="replace")) <= LONGEST_NAME:
        expected = f"text of at most {LONGEST_NAME} bytes"
        raise RefusalError("", f"the name of a class must be {expected}, got {shown(name)}")
    if array_class(name):
        problem = f"no Object can be a {name}: arrays become tensors, and a Storage a storage"
        raise RefusalError("", problem)
    if not isinstance(fields, dict | Table):
        problem = f"the fields of a {name} must be a dict or a Table, got {shown(fields)}"
        raise RefusalError("", problem)
    if type(version) is not int or not 0 <= version <= MOST_VERSION:
        problem = f"the version of a {name} must be a whole number, got {version!r:.80}"
        raise RefusalError("", problem)


def _writable(array: Array) -> Array:
    """Return the array, or a copy, with a dtype and strides that Torch7 has."""
    if type(array) not in (np.ndarray, np.memmap):
        raise RefusalError("", f"a {type(array).__name__} cannot be saved")
    if array.dtype == bool:
        array = array.view(np.uint8)
    dtype = array.dtype.newbyteorder("=")
    if dtype not in _NAMES:
        raise RefusalError("", f"an array of dtype {array.dtype} cannot be saved")
    array = array.astype(dtype, copy=False)
    steps = zip(array.shape, array.strides, strict=True)
    if any(n > 1 and (step < 0 or step % array.itemsize) for n, step in steps):
        array = np.array(array, order="C")
    return array


def _owner(array: Any) -> Any:
    """Return the array that has the memory of which this one is a view."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array = base
        # as_strided puts something between the two.
        elif not isinstance(getattr(base, "base", None), np.ndarray):
            break
        base = base.base
    return array


def _little(array: Array) -> memoryview:
    """Return the bytes of a contiguous array, little-endian."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).view(np.uint8).data


def _float(value: int | float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value and value == value:
        raise RefusalError("", f"no float is {value!r:.40}, and Lua's numbers are floats")
    return number
