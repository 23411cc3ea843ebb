"""A file as a whole: the arrays and the description, written and read with all checks."""

import json
from itertools import chain
from typing import Any, BinaryIO

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.serial import archive, npy
from torchlite.serial.archive import broken
from torchlite.serial.atomic import Path, replacing
from torchlite.serial.describe import Description
from torchlite.serial.values import DEEPEST, RefusalError

__all__ = ["Contents", "write"]

_VERSION = 1
_DESCRIPTION = "torchlite.json"
# JSON takes up to thirty times its size in memory.
_LONGEST = 2**21
# A step in for an opening bracket, one out for a closing one.
_STEPS = bytes(1 if sign in b"[{" else 255 if sign in b"]}" else 0 for sign in range(256))
_KEYS = {
    "format": str, "version": int, "holds": str, "gradients": bool, "content": object, "parts": list
}  # fmt: skip


def write(path: Path, holds: str, description: Description, gradients: bool) -> None:
    """Write a file that holds a "network" or a "checkpoint", in the place of what is there."""
    said = dict(
        zip(
            _KEYS,
            ("torchlite", _VERSION, holds, gradients, description.content, description.parts),
            strict=True,
        )
    )
    text = json.dumps(said, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > _LONGEST:
        raise RefusalError(
            "",
            f"what is not in arrays takes {len(text)} bytes, at most {_LONGEST} can be",
            "long lists of numbers belong into arrays",
        )
    arrays = ((f"{name}.npy", npy.pieces(array)) for name, array in description.arrays.items())
    with replacing(path) as file:
        archive.write(file, chain([(_DESCRIPTION, (text,))], arrays))


class Contents:
    """An open file whose directory, description and headers were found to be right.

    Attributes
    ----------
    content, parts, gradients
        What the description says.
    """

    def __init__(self, file: BinaryIO, holds: str) -> None:
        self.file = file
        members = archive.directory(file)
        said = _description(file, members.pop(_DESCRIPTION, None), holds)
        self.content, self.parts, self.gradients = (
            said[key] for key in ("content", "parts", "gradients")
        )
        self._members = {name.removesuffix(".npy"): member for name, member in members.items()}
        if any(not name.endswith(".npy") for name in members):
            stranger = next(name for name in members if not name.endswith(".npy"))
            raise broken(file, stranger, "a torchlite file has no such member")
        self.headers = {name: npy.header(file, member) for name, member in self._members.items()}

    def read(self, name: str, array: Array) -> None:
        """Read an array of the file into the one that `headers[name].empty()` returned."""
        npy.read(self.file, self._members[name], self.headers[name], array)

    def broken(self, where: str, problem: str, hint: str | None = None) -> Exception:
        return broken(self.file, where, problem, hint)


def _description(file: BinaryIO, member: archive.Member | None, holds: str) -> dict[str, Any]:
    if member is None:
        raise broken(file, _DESCRIPTION, "this member is missing: it is no torchlite file")
    if member.size > _LONGEST:
        raise broken(file, _DESCRIPTION, f"{member.size} bytes are more than {_LONGEST}")
    text = bytearray(member.size)
    archive.read_into(file, member, b"", text)
    if _depth(bytes(text)) > 4 * DEEPEST:
        raise broken(file, _DESCRIPTION, f"it is nested more than {4 * DEEPEST} deep")
    try:
        said = json.loads(text.decode("ascii"), object_pairs_hook=_once, parse_constant=_never)
    except (ValueError, RecursionError) as error:
        raise broken(file, _DESCRIPTION, f"it is not the JSON of a description: {error}") from None
    if not isinstance(said, dict) or said.get("format") != "torchlite":
        raise broken(file, _DESCRIPTION, "it does not describe a torchlite file")
    version = said.get("version")
    if version != _VERSION or type(version) is not int:
        raise broken(
            file,
            _DESCRIPTION,
            f"it is of version {str(version)[:80]}, this torchlite reads {_VERSION}",
            "a newer torchlite may have written it",
        )
    if said.keys() != _KEYS.keys():
        raise broken(file, _DESCRIPTION, f"it must say {', '.join(_KEYS)}, and nothing else")
    for key, kind in _KEYS.items():
        if not isinstance(said[key], kind):
            raise broken(file, _DESCRIPTION, f"{key} is not what it must be")
    if said["holds"] != holds:
        other = {"network": "load", "checkpoint": "load_checkpoint"}.get(said["holds"])
        raise broken(
            file,
            "",
            f"it holds a {said['holds'][:80]}, not a {holds}",
            other and f"serial.{other}() reads it",
        )
    return said


def _depth(text: bytes) -> int:
    """Return how deep brackets are nested: json.loads would find out by recursion."""
    outside = b"".join(text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    steps = np.frombuffer(outside.translate(_STEPS), np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a key stands there twice")
    return said


def _never(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")
