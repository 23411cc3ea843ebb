"""The zip around everything: members one after the other, uncompressed, then the directory.

There is one way to lay out given members: no compression, no comments, no gaps, no dates, the
64-bit records always. What is read is laid out again and compared, so that every byte that is not
a member's own is known to be right, no member overlaps another, and none is larger than the file.
"""

import re
import struct
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO, NamedTuple

from torchlite.errors import FormatError

__all__ = ["LONGEST_NAME", "MOST_MEMBERS", "Member", "broken", "directory", "read_into", "write"]

MOST_MEMBERS = 2**16 - 1
LONGEST_NAME = 255
_NAME = re.compile(rf"[A-Za-z0-9_.~]{{1,{LONGEST_NAME}}}".encode())

# How a table or object begins in Torch7's files: in binary, of either byte order, and in ascii.
_TORCH7 = re.compile(rb"[\3\4]\0{3}\x01\0{3}|\0{3}[\3\4]\0{3}\x01|[34]\r?\n1\r?\n")

_VERSION = 45  # of the zip format: the first with 64-bit sizes
_DATE = 0x21  # 1 January 1980: the same network gives the same file
_ELSEWHERE = 0xFFFFFFFF  # says that the number is in a 64-bit record

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_SIZES = struct.Struct("<2H2Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_ENTRY_SIZES = struct.Struct("<2H3Q")
_END = struct.Struct("<4sQ2H2L4Q4sLQL4s4H2LH")


class Member(NamedTuple):
    """A member of an archive: where its bytes begin, how many they are, and their checksum."""

    name: str
    start: int
    size: int
    crc: int


def broken(file: BinaryIO, where: str, problem: str, hint: str | None = None) -> FormatError:
    """Return a FormatError that names the file, the place in it (or "") and the problem.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> print(broken(SimpleNamespace(name="net.npz"), "[0].weight", "is no array"))
    net.npz: [0].weight: is no array
    """
    # What a file says can be of any length.
    before = f"{file.name}: {where[:200]}: " if where else f"{file.name}: "
    return FormatError(f"{before}{problem[:500]}", hint=hint)


def write(file: BinaryIO, members: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
    """Write the members, each a name and its bytes in pieces, to an empty file.

    Example
    -------
    >>> import io, zipfile
    >>> file = io.BytesIO()
    >>> write(file, [("a", (b"12", b"3")), ("b", ())])
    >>> zipfile.ZipFile(file).read("a")
    b'123'
    """
    position, entries = 0, []
    for name, pieces in members:
        size = crc = 0
        for piece in pieces:
            size += memoryview(piece).nbytes
            crc = zlib.crc32(piece, crc)
        header = _local(name.encode(), crc, size)
        file.write(header)
        for piece in pieces:
            file.write(piece)
        entries.append(_entry(name.encode(), crc, size, position))
        position += len(header) + size
    listed = b"".join(entries)
    file.write(listed)
    file.write(_end(len(entries), len(listed), position))


def directory(file: BinaryIO) -> dict[str, Member]:
    """Return the members by name, none of them read yet, after checking all that is around them.

    Example
    -------
    >>> import io
    >>> file = io.BytesIO()
    >>> write(file, [("a", (b"12", b"3"))])
    >>> directory(file)
    {'a': Member(name='a', start=51, size=3, crc=2286445522)}
    """
    length = file.seek(0, 2)
    end = _read(file, max(length - _END.size, 0), _END.size)
    count, size, start = _END.unpack(end)[7:10] if len(end) == _END.size else (0, 0, 0)
    if end != _end(count, size, start) or start + size + _END.size != length:
        hint = "it is cut off, continued, or was zipped by another program"
        if str(file.name).endswith(".t7") or _TORCH7.match(_read(file, 0, 12)):
            hint = "serial.t7.load() reads Torch7's files"
        raise broken(file, "", "its end is not that of a torchlite file", hint)
    if count > MOST_MEMBERS:
        raise broken(
            file, "", f"it says that it has {count} members, at most {MOST_MEMBERS} can be"
        )
    if size > count * (_ENTRY.size + LONGEST_NAME + _ENTRY_SIZES.size):
        raise broken(file, "", f"a directory of {size} bytes is too long for {count} members")
    # A view: cutting off entry after entry copies nothing.
    entries = memoryview(_read(file, start, size))
    members: dict[str, Member] = {}
    position = 0
    for i in range(count):
        member, taken = _member(file, entries, position, f"member {i}")
        if member.name in members:
            raise broken(file, member.name, "there are two members of this name")
        members[member.name] = member
        position = member.start + member.size
        entries = entries[taken:]
    if len(entries) or position != start:
        raise broken(file, "", "its members do not fill it")
    return members


def read_into(file: BinaryIO, member: Member, before: bytes, buffer: Any) -> None:
    """Fill buffer with what follows `before`, the beginning of the member; check the checksum."""
    file.seek(member.start + len(before))
    taken = file.readinto(buffer)  # type: ignore[attr-defined]
    if len(before) + taken != member.size or zlib.crc32(buffer, zlib.crc32(before)) != member.crc:
        raise broken(file, member.name, "its bytes have changed: the checksum does not fit")


def _member(file: BinaryIO, entry: memoryview, position: int, where: str) -> tuple[Member, int]:
    """Return the member that must begin at position, and the length of its entry."""
    if len(entry) < _ENTRY.size:
        raise broken(file, where, "the directory ends before it")
    fields = _ENTRY.unpack_from(entry)
    method, crc, length = fields[4], fields[7], fields[10]
    name = bytes(entry[_ENTRY.size : _ENTRY.size + length])
    if method:
        raise broken(file, where, "it is compressed, and torchlite does not compress")
    if not _NAME.fullmatch(name):
        raise broken(file, where, f"{name[:80]!r} is no name of a member")
    taken = _ENTRY.size + length + _ENTRY_SIZES.size
    where = name.decode()
    if len(entry) < taken:
        raise broken(file, where, "the directory ends before its sizes")
    size = _ENTRY_SIZES.unpack_from(entry, taken - _ENTRY_SIZES.size)[2]
    header = _local(name, crc, size)
    if entry[:taken] != _entry(name, crc, size, position):
        raise broken(file, where, "its entry in the directory is not as torchlite writes it")
    if _read(file, position, len(header)) != header:
        raise broken(file, where, "its header is not what the directory says")
    return Member(where, position + len(header), size, crc), taken


def _read(file: BinaryIO, position: int, size: int) -> bytes:
    # A file is shorter than 2**63 bytes, and a seek beyond that fails.
    if position >= 2**63:
        return b""
    file.seek(position)
    return file.read(size)


def _local(name: bytes, crc: int, size: int) -> bytes:
    sizes = _LOCAL_SIZES.pack(1, _LOCAL_SIZES.size - 4, size, size)
    return b"".join(
        (
            _LOCAL.pack(
                b"PK\3\4", _VERSION, 0, 0, 0, _DATE, crc, _ELSEWHERE, _ELSEWHERE,
                len(name), len(sizes),
            ),
            name,
            sizes,
        )
    )  # fmt: skip


def _entry(name: bytes, crc: int, size: int, position: int) -> bytes:
    sizes = _ENTRY_SIZES.pack(1, _ENTRY_SIZES.size - 4, size, size, position)
    return b"".join(
        (
            _ENTRY.pack(
                b"PK\1\2", _VERSION, _VERSION, 0, 0, 0, _DATE, crc, _ELSEWHERE, _ELSEWHERE,
                len(name), len(sizes), 0, 0, 0, 0, _ELSEWHERE,
            ),
            name,
            sizes,
        )
    )  # fmt: skip


def _end(count: int, size: int, start: int) -> bytes:
    return _END.pack(
        b"PK\6\6", 44, _VERSION, _VERSION, 0, 0, count, count, size, start,
        b"PK\6\7", 0, (start + size) % 2**64, 1,
        b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, _ELSEWHERE, _ELSEWHERE, 0,
    )  # fmt: skip
