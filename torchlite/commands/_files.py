"""Files that users name on the command line, and what is in them."""

import json
import os
import re
import struct
import sys
import warnings
import zipfile
import zlib
from ast import literal_eval
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from torchlite import serial
from torchlite.errors import FormatError, SettingError, fault, printable
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.serial import t7
from torchlite.serial.t7 import Function, Object, Table
from torchlite.serial.t7.parse import step_to

__all__ = [
    "Contents",
    "Described",
    "entries",
    "everything",
    "networks",
    "read",
    "selected",
]

# Of a safetensors file, as where parameters are loaded. Its length tells it from a .t7 file, where
# byte 8 can be the same: there the eight before it are 1 as a number, or far more than this.
_LONGEST_HEADER = 2**22
_STEP = re.compile(r"\.?([^\W\d]\w*)|\[([^\]]*)\]")
# What zipfile and NumPy raise for other zips.
_NO_ARRAYS = (
    ValueError, OSError, LookupError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip
# Names that a message lists.
_LISTED = 10


@dataclass(frozen=True)
class Described:
    """An array that stays in its file: of it only the dtype and shape are known."""

    dtype: str
    shape: tuple[int, ...]


class Contents(NamedTuple):
    """What a file holds: of which format it is, the value, and what there is to say about it."""

    format: str
    value: Any
    notes: list[str]


def read(path: str, unknown: str = "refuse") -> Contents:
    """Return what a file holds, whatever its name says.

    Raises
    ------
    FormatError
        It is of no known format, or damaged.
    OSError
        It cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(9)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if start[:2] == b"PK":
            format, value = _zip(path)
        elif start[8:] == b"{" and 2 <= int.from_bytes(start[:8], "little") <= _LONGEST_HEADER:
            format, value = "safetensors", _safetensors(path)
        else:
            format, value = "Torch7", _torch7(path, unknown)
    return Contents(format, value, sorted({str(warning.message) for warning in caught}))


def _torch7(path: str, unknown: str) -> Any:
    try:
        return t7.load(path, unknown=unknown)
    except FormatError:
        # Nothing else tells such a file.
        if path.lower().endswith(".onnx"):
            raise FormatError(f"{path}: ONNX files are written, and not read") from None
        raise


def _zip(path: str) -> tuple[str, Any]:
    try:
        return "a network of torchlite", serial.load(path)
    except FormatError as error:
        problem = error
    if "load_checkpoint" in (problem.hint or ""):
        return "a checkpoint of torchlite", serial.load_checkpoint(path)._asdict()
    try:
        # NumPy would leave a file open that is no zip.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            if "torchlite.json" in archive.files:
                raise problem
            return "arrays of NumPy", {name: _header(archive, name) for name in archive.files}
    except _NO_ARRAYS:
        raise problem from None


def _header(archive: Any, name: str) -> Described:
    """Return what the header of an array says, without reading the array."""
    with archive.zip.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0
        }[version]  # fmt: skip
        shape, _, dtype = header(file)
    return Described(str(dtype), shape)


def _safetensors(path: str) -> dict[str, Described]:
    problem = FormatError(f"{path}: its header is not that of a safetensors file")
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > os.path.getsize(path) - 8:
            raise problem
        text = file.read(length)
    try:
        said = json.loads(text)
        said.pop("__metadata__", None)
        return {
            name: Described(str(row["dtype"]), tuple(map(int, row["shape"])))
            for name, row in said.items()
        }
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise problem from None


def say(lines: Iterable[str], width: int = 2**20) -> None:
    """Print lines with what a file says in them: nothing that steers or stops a terminal."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in map(printable, lines):
        # Signs that the output cannot have are written out, too.
        line = line.encode(encoding, "backslashreplace").decode(encoding)
        print(line if len(line) <= width else f"{line[: max(width - 3, 0)]}...")


# ---------------------------------------------------------------- paths in a value


def entries(value: Any) -> Iterator[tuple[Any, Any]] | None:
    """Return the keys and values of what is shown as a table, or None."""
    if isinstance(value, Object):
        value = value.fields
    if isinstance(value, dict | Table):
        return iter(value.items())
    if isinstance(value, Function):
        return iter([("upvalues", value.upvalues)])
    return enumerate(value) if isinstance(value, list | tuple) else None


def selected(command: str, value: Any, path: str) -> Any:
    """Return what stands at a path such as protos.rnn, models[0] or ['a b'].

    Raises
    ------
    SettingError
        There is nothing. What there is, is said.

    Example
    -------
    >>> selected("show", {"models": [{"a b": 5}]}, "models[0]['a b']")
    5
    """
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            expected = "a path such as protos.rnn or models[0]"
            raise fault(SettingError, command, "--select", expected, repr(path))
        try:
            value = _inside(value, step[1] or literal_eval(step[2]))
        except (LookupError, TypeError, ValueError, SyntaxError):
            there = [step_to(key).lstrip(".") for key, _ in entries(value) or ()]
            got = path[at:].lstrip(".")
            if there:
                expected = f"one of {', '.join(there[:_LISTED])}{', ...' * (len(there) > _LISTED)}"
                expected += f" in {path[:at]}" * bool(at)
            else:
                expected, got = f"no longer than {path[:at]}" if at else "left out", path
            raise fault(
                SettingError, command, "--select", printable(expected), printable(got)
            ) from None
        at = step.end()
    return value


def _inside(value: Any, key: Any) -> Any:
    if isinstance(value, Object):
        value = value.fields
    if isinstance(value, dict | Table | Container) or (
        isinstance(value, list | tuple) and type(key) is int
    ):
        return value[key]
    raise KeyError(key)


def everything(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what is in a value, itself first, each once, and its path; of networks the outermost.

    Example
    -------
    >>> list(everything([1, {"a": None}], ""))
    [('', [1, {'a': None}]), ('[0]', 1), ('[1]', {'a': None}), ('[1].a', None)]
    """
    met: set[int] = set()
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        inside = entries(value)
        if inside is not None:
            if id(value) in met:
                continue
            met.add(id(value))
            waiting += [(path + step_to(key), entry) for key, entry in inside][::-1]
        yield path.lstrip("."), value


def networks(value: Any, path: str) -> dict[str, Any]:
    """Return the networks that are in no other, each once, by path."""
    found: dict[int, tuple[str, Any]] = {}
    for where, part in everything(value, path):
        if isinstance(part, Module):
            found.setdefault(id(part), (where, part))
    return dict(found.values())
