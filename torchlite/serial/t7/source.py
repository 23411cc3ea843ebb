"""The numbers and strings of a .t7 file, one after the other, in each of the encodings."""

import re
import struct
from enum import IntEnum
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from torchlite.kernels.arrays import Array

__all__ = ["KINDS", "Ascii", "Binary", "DamageError", "Numbers", "Source", "Tag", "is_ascii"]

# What Torch7 calls the entries of tensors and storages. A long's size depends on the machine.
KINDS = {
    "Byte": "u1", "Char": "i1", "Short": "i2", "Int": "i4", "Long": "i8", "Half": "f2",
    "Float": "f4", "Double": "f8",
}  # fmt: skip
# As such they stand in ascii files, too.
_KINDS_OF_BYTES = {"u1", "i1"}

_AHEAD = 2**14
_TOKEN = re.compile(rb"\s*(\S{1,64})(?!\S)")


class Tag(IntEnum):
    """How a file says what kind of value follows."""

    NIL = 0
    NUMBER = 1
    STRING = 2
    TABLE = 3
    TORCH = 4
    BOOLEAN = 5
    # Of the three kinds of functions this one has no number: each is written where it stands.
    UNSHARED = 6
    OLD_FUNCTION = 7
    FUNCTION = 8


class DamageError(Exception):
    """Bytes that no .t7 file has: what is wrong, and at which byte that begins."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.problem, self.at = problem, at


class Numbers(NamedTuple):
    """The entries of a storage: in memory already, or where they stand in the file, and how."""

    length: int
    dtype: np.dtype[Any]
    at: int
    said: np.dtype[Any]
    array: Array | None = None

    def read(self, file: BinaryIO) -> Array:
        """Return the entries."""
        if self.array is not None:
            return self.array
        array = np.empty(self.length, self.said)
        if self.length:
            file.seek(self.at)
            taken = file.readinto(array.view(np.uint8))  # type: ignore[attr-defined]
            if taken != array.nbytes:
                raise DamageError("the file became shorter while it was read", self.at + taken)
        return array.astype(self.dtype, copy=False)


class Source(Protocol):
    """Where the numbers and strings of a file come from.

    Attributes
    ----------
    position
        The byte that is read next.
    smallest
        How few bytes an entry of a table can take.
    """

    position: int
    smallest: int

    @property
    def left(self) -> int:
        """How many bytes have not been read."""

    def word(self) -> int: ...

    def long(self) -> int: ...

    def double(self) -> float: ...

    def chars(self, count: int) -> bytes: ...

    def numbers(self, kind: str, count: int) -> Numbers: ...

    def at_end(self) -> bool:
        """Tell whether nothing follows."""


class Binary:
    """A file in binary, with longs of 4 or 8 bytes, of either byte order."""

    smallest = 12

    def __init__(self, file: BinaryIO, size: int, long_size: int, byte_order: str) -> None:
        sign = "<" if byte_order == "little" else ">"
        self.position = 0
        self._file, self._size, self._sign = file, size, sign
        self._word = struct.Struct(f"{sign}i")
        self._long = struct.Struct(f"{sign}{'q' if long_size == 8 else 'i'}")
        self._double = struct.Struct(f"{sign}d")
        # What was read ahead, and where it begins.
        self._ahead, self._start = b"", 0

    @property
    def left(self) -> int:
        return self._size - self.position

    def word(self) -> int:
        return self._next(self._word)

    def long(self) -> int:
        return self._next(self._long)

    def double(self) -> float:
        return self._next(self._double)

    def chars(self, count: int) -> bytes:
        begin = self.position - self._start
        if not 0 <= count <= len(self._ahead) - begin:
            _must_have(self, count)
            self._read_ahead(count)
            begin = 0
        self.position += count
        return self._ahead[begin : begin + count]

    def numbers(self, kind: str, count: int) -> Numbers:
        code = f"i{self._long.size}" if kind == "Long" else KINDS[kind]
        said = np.dtype(f"{self._sign}{code}")
        _must_have(self, count * said.itemsize)
        numbers = Numbers(count, np.dtype(KINDS[kind]), self.position, said)
        self.position += count * said.itemsize
        return numbers

    def at_end(self) -> bool:
        return not self.left

    def _next(self, form: struct.Struct) -> Any:
        try:
            found = form.unpack_from(self._ahead, self.position - self._start)[0]
        except struct.error:
            _must_have(self, form.size)
            self._read_ahead(form.size)
            found = form.unpack_from(self._ahead)[0]
        self.position += form.size
        return found

    def _read_ahead(self, count: int) -> None:
        """Read so many bytes, and some more."""
        self._file.seek(self.position)
        self._ahead, self._start = self._file.read(max(count, _AHEAD)), self.position
        if len(self._ahead) < count:
            raise DamageError("the file became shorter while it was read", self.position)


class Ascii:
    """A file in ascii: numbers as text, with a newline or blanks between them."""

    smallest = 6

    def __init__(self, text: bytes) -> None:
        self.position = 0
        self._text = text
        # Of the number that was read last.
        self._begin = 0

    @property
    def left(self) -> int:
        return len(self._text) - self.position

    def word(self) -> int:
        found = self._whole()
        self._end_line()
        return found

    long = word

    def double(self) -> float:
        found = self._number()
        self._end_line()
        return found

    def chars(self, count: int) -> bytes:
        _must_have(self, count)
        found = self._text[self.position : self.position + count]
        self.position += count
        if count:
            self._end_line()
        return found

    def numbers(self, kind: str, count: int) -> Numbers:
        at, dtype = self.position, np.dtype(KINDS[kind])
        if KINDS[kind] in _KINDS_OF_BYTES:
            array = np.frombuffer(self.chars(count), dtype).copy()
            return Numbers(count, dtype, at, dtype, array)
        # Each has a sign and a blank after it, but for the last.
        _must_have(self, 2 * count - 1 if count else 0)
        array = np.empty(count, dtype)
        one = self._number if dtype.kind == "f" else self._whole
        with np.errstate(over="ignore"):
            for i in range(count):
                try:
                    array[i] = one()
                except OverflowError:
                    raise DamageError(f"a number is too large for {dtype}", self._begin) from None
        if count:
            self._end_line()
        return Numbers(count, dtype, at, dtype, array)

    def at_end(self) -> bool:
        return not self._text[self.position :].strip()

    def _whole(self) -> Any:
        token = self._token()
        try:
            return int(token)
        except ValueError:
            raise DamageError(f"{token!r} is no whole number", self._begin) from None

    def _number(self) -> Any:
        token = self._token()
        try:
            return float(token)
        except ValueError:
            raise DamageError(f"{token!r} is no number", self._begin) from None

    def _token(self) -> bytes:
        match = _TOKEN.match(self._text, self.position)
        if match is None or b"_" in match[1]:
            problem = "a number is to follow" if self.left else "the file ends before a number"
            raise DamageError(problem, self.position)
        self._begin, self.position = match.span(1)
        return match[1]

    def _end_line(self) -> None:
        if self._text.startswith(b"\n", self.position):
            self.position += 1


def is_ascii(start: bytes) -> bool:
    r"""Tell whether a file that starts so is in ascii: with the digit that says a value's type.

    Example
    -------
    >>> is_ascii(b"4\n1\n"), is_ascii(bytes([4, 0, 0, 0]))
    (True, False)
    """
    return start[:1].isdigit()


def _must_have(source: Source, count: int) -> None:
    if count < 0:
        raise DamageError(f"{count} bytes are to follow", source.position)
    if count > source.left:
        problem = f"{count} bytes are to follow, and the file has {source.left} more"
        raise DamageError(problem, source.position)
