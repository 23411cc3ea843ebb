"""The zip around the members of a file: what is wrong with it is named, word for word."""

import io
import zlib

import pytest

from torchlite.errors import FormatError
from torchlite.serial import archive, npy

INSIDE = b"12"
BODY = archive._local(b"a", zlib.crc32(INSIDE), len(INSIDE)) + INSIDE
ENTRY = archive._entry(b"a", zlib.crc32(INSIDE), len(INSIDE), 0)
# A member that says that it ends at 2**63, where no file is read.
LONG = 2**63 - len(BODY) + len(INSIDE)
UP_TO_FAR, FAR = archive._local(b"a", 0, LONG), archive._entry(b"a", 0, LONG, 0)


def read(entries=ENTRY, *, count=1, body=BODY):
    file = io.BytesIO(body + entries + archive._end(count, len(entries), len(body)))
    file.name = "it"
    return archive.directory(file)


def test_members():
    start = len(BODY) - len(INSIDE)
    assert read() == {"a": archive.Member("a", start, len(INSIDE), zlib.crc32(INSIDE))}
    assert read(b"", count=0, body=b"") == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 2**16}, "it says that it has 65536 members, at most 65535 can be"),
        ({"count": 2**16 - 1}, "member 1: the directory ends before it"),
        ({"count": 0}, f"a directory of {len(ENTRY)} bytes is too long for 0 members"),
        ({"entries": ENTRY + bytes(999)}, f"a directory of {len(ENTRY) + 999} bytes is too long "
            "for 1 members"),
        ({"entries": ENTRY + b"x"}, "its members do not fill it"),
        ({"body": BODY + b"x"}, "its members do not fill it"),
        ({"entries": ENTRY[:-1]}, "a: the directory ends before its sizes"),
        (
            {"entries": ENTRY[:10] + b"\x08" + ENTRY[11:]},
            "member 0: it is compressed, and torchlite does not compress",
        ),
        (
            {"entries": ENTRY[:12] + b"\x08" + ENTRY[13:]},
            "a: its entry in the directory is not as torchlite writes it",
        ),
        (
            {"body": BODY[:10] + b"\x08" + BODY[11:]},
            "a: its header is not what the directory says",
        ),
        (
            {"entries": FAR + archive._entry(b"b", 0, 0, 2**63), "count": 2, "body": UP_TO_FAR},
            "b: its header is not what the directory says",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_directory_is_named(given, message):
    with pytest.raises(FormatError) as error:
        read(**given)
    assert str(error.value) == f"it: {message}"


END = archive._end(1, len(ENTRY), len(BODY))


@pytest.mark.parametrize(
    "raw",
    [b"", b"PK", bytes(98), BODY + ENTRY, b"x" + BODY + ENTRY + END, BODY + ENTRY + END + b"x"],
)
def test_a_file_without_an_end_is_refused(raw):
    file = io.BytesIO(raw)
    file.name = "it"
    with pytest.raises(FormatError) as error:
        archive.directory(file)
    assert str(error.value) == (
        "it: its end is not that of a torchlite file\n"
        "  hint: it is cut off, continued, or was zipped by another program"
    )


def header(shape, *, descr="<f8", length=None, padding=0, numbers=8, cut=None):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}".encode()
    text += b" " * padding + b"\n"
    said = (len(text) if length is None else length).to_bytes(2, "little")
    raw = (b"\x93NUMPY\1\0" + said + text + bytes(numbers))[:cut]
    file = io.BytesIO(raw + bytes(99))
    file.name = "it"
    return npy.header(file, archive.Member("a", 0, len(raw), 0))


def test_headers_that_are_just_possible():
    bare = len(header("1,").text)
    assert header("1,").shape == (1,)
    assert len(header("1,", padding=4096 + 10 - bare).text) == 4096 + 10
    assert header("1, " * 64).shape == (1,) * 64
    assert header(f"0, {2**60 - 1}", numbers=0).shape == (0, 2**60 - 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shape": "1,", "cut": 9}, "it is no array in version 1.0 of NumPy's format"),
        ({"shape": "1,", "length": 200}, "a header of 200 bytes is too long"),
        ({"shape": "1,", "padding": 4100, "length": 4097}, "a header of 4097 bytes is too long"),
        (
            {"shape": "1, " * 65},
            f"an array of float64 in {str((1,) * 65)[:80]} has not the 8 bytes that are there",
        ),
        (
            {"shape": f"0, {2**60}", "numbers": 0},
            f"an array of float64 in (0, {2**60}) has not the 0 bytes that are there",
        ),
        ({"shape": "2,"}, "an array of float64 in (2,) has not the 8 bytes that are there"),
        ({"shape": "1, , 2"}, "b'1, , 2' is no shape"),
        ({"shape": "1, " * 40 + ", 2"}, f"{b'1, ' * 26 + b'1,'} is no shape"),
        (
            {"shape": "1,", "descr": "<f3"},
            "b\"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }\\n\" is no header of an "
            "array that torchlite reads\n  hint: dtypes are bool, int8, int16, int32, int64, "
            "uint8, uint16, uint32, uint64, float16, float32, float64, complex64, complex128",
        ),
    ],
)
def test_what_is_wrong_with_a_header_is_named(given, message):
    with pytest.raises(FormatError) as error:
        header(**given)
    assert str(error.value) == f"it: a: {message}"
