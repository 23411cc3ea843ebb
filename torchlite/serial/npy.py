"""Arrays as members of a file, in NumPy's own format: a header, then the numbers."""

import io
import math
import re
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.serial.archive import Member, broken, read_into

__all__ = ["DTYPES", "Header", "header", "in_memory", "pieces", "read"]

# What a file may hold. No objects: theirs would have to be pickled.
DTYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex64", "complex128",
    )
}  # fmt: skip

_START = struct.Struct("<6sBBH")
_LONGEST = 4096
_HEADER = re.compile(
    rb"{'descr': '([^']{2,4})', 'fortran_order': (False|True), 'shape': \(([0-9, ]*)\), } *\n"
)


class Header(NamedTuple):
    """What the header of an array says, and its bytes."""

    dtype: np.dtype[Any]
    order: str
    shape: tuple[int, ...]
    text: bytes

    def empty(self) -> Array:
        """Return an array that waits for its numbers: the memory is taken when they come."""
        return np.empty(self.shape, self.dtype, self.order)  # type: ignore[call-overload]

    def zeros(self) -> Array:
        """Return an array of zeros."""
        return np.zeros(self.shape, self.dtype, self.order)  # type: ignore[call-overload]


def pieces(array: Array) -> tuple[Any, ...]:
    """Return the bytes of the member that an array becomes, of whatever memory layout.

    Example
    -------
    >>> import io
    >>> np.load(io.BytesIO(b"".join(pieces(np.arange(6)[::-2]))))
    array([5, 3, 1])
    """
    said = np.lib.format.header_data_from_array_1_0(array)
    text = io.BytesIO()
    np.lib.format.write_array_header_1_0(text, said)
    return text.getvalue(), np.ascontiguousarray(in_memory(array)).reshape(-1).view(np.uint8)


def in_memory(array: Array) -> Array:
    """Return the array with its axes in the order in which a file has its numbers."""
    flags = array.flags
    return array.T if flags.f_contiguous and not flags.c_contiguous else array


def header(file: BinaryIO, member: Member) -> Header:
    """Return what the member's header says, if that is possible and fits the member's size."""
    file.seek(member.start)
    start = file.read(min(_START.size, member.size))
    if len(start) < _START.size or start[:8] != b"\x93NUMPY\1\0":
        raise broken(file, member.name, "it is no array in version 1.0 of NumPy's format")
    length = _START.unpack(start)[3]
    if length > min(_LONGEST, member.size - _START.size):
        raise broken(file, member.name, f"a header of {length} bytes is too long")
    text = file.read(length)
    match = _HEADER.fullmatch(text)
    dtype = match and DTYPES.get(match[1].decode("latin-1"))
    if match is None or dtype is None:
        raise broken(
            file,
            member.name,
            f"{text[:80]!r} is no header of an array that torchlite reads",
            f"dtypes are {', '.join(map(str, DTYPES.values()))}",
        )
    try:
        shape = tuple(int(size) for size in match[3].decode().rstrip(", ").split(",") if size)
    except ValueError:
        raise broken(file, member.name, f"{match[3][:80]!r} is no shape") from None
    needed = math.prod(shape) * dtype.itemsize
    # NumPy wants the sizes that are not 0 to fit a number of its own.
    possible = math.prod(size or 1 for size in shape) * dtype.itemsize < 2**63 and len(shape) <= 64
    if not possible or needed != member.size - len(start) - length:
        raise broken(
            file,
            member.name,
            f"an array of {dtype} in {str(shape)[:80]} has not the "
            f"{member.size - len(start) - length} bytes that are there",
        )
    return Header(dtype, "F" if match[2] == b"True" else "C", shape, start + text)


def read(file: BinaryIO, member: Member, said: Header, array: Array) -> None:
    """Read the numbers of the member into the array that `said.empty()` returned."""
    numbers = array.T if said.order == "F" else array
    read_into(file, member, said.text, numbers.reshape(-1).view(np.uint8))
