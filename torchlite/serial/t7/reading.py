"""Reading a .t7 file: which encoding it has, and what is said of one that is damaged."""

import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any, BinaryIO

from torchlite.errors import FormatError, SettingError, fault, rehint
from torchlite.serial.archive import broken
from torchlite.serial.atomic import Path
from torchlite.serial.t7 import modules
from torchlite.serial.t7.build import build, place
from torchlite.serial.t7.parse import ObjectNode, Parsed
from torchlite.serial.t7.source import Ascii, Binary, DamageError, Source, Tag, is_ascii
from torchlite.serial.values import RefusalError

__all__ = ["load"]

_LONG_SIZES = (8, 4)
# How an ascii file begins that was copied as text to Windows: texts and names then have another
# byte in front of them.
_CRLF = re.compile(rb"\d+\r\n")
_HOW_LINES_END = (
    r"its lines end in \r\n, those of Torch7 in \n: copy the file as it is, not as text, "
    r"or write data.replace(b'\r\n', b'\n')"
)
_BYTE_ORDERS = ("little", "big")


def load(
    path: Path,
    *,
    encoding: str = "utf-8",
    unknown: str = "refuse",
    long_size: int | None = None,
    byte_order: str | None = None,
) -> Any:
    r"""Return the value that a file of Torch7's `torch.save` holds.

    Parameters
    ----------
    path
        The file, in binary or ascii.
    encoding
        Of the file's strings.
    unknown
        "keep" to get an `Object` for each object of a class that torchlite does not know.
    long_size, byte_order
        4 or 8, and "little" or "big", of a file in binary. Without them all are tried, 8 and
        "little" first, and the first that uses up the file is taken.

    Conventions
    -----------
    - nil is None; a number is an int where it is whole, up to 2**53, else a float (-0.0, too).
    - A string is a str where it can be decoded, else bytes; `encoding="latin-1"` decodes all.
    - A table with exactly the keys 1..n is a list, an empty one an empty list; one whose keys are
      strings and numbers a dict, in the order of the file; any other a `Table`. One table, tensor,
      or object is one thing, wherever it stands.
    - A storage is an array of one dimension, and its tensors are views of it. A tensor that repeats
      entries (stride 0) is read-only, an empty one has shape (0,). Half precision is float16.
      Tensors of a GPU are like those of the CPU.
    - A function is a `Function`, and never run. Modules and criterions are torchlite's.

    Raises
    ------
    FormatError
        The file is damaged, no such file, or holds objects of unknown classes.
    SettingError
        An argument is none of those that can be.
    OSError
        It cannot be opened or read.

    Example
    -------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "value.t7")
    ...     with open(path, "w", newline="\n") as file:
    ...         _ = file.write("3\n1\n2\n1\n1\n2\n1\na\n1\n2\n1\n0.5\n")
    ...     load(path)
    ['a', 0.5]
    """
    _must_be("encoding", encoding, "the name of an encoding", _is_encoding(encoding))
    _must_be("unknown", unknown, '"refuse" or "keep"', unknown in ("refuse", "keep"))
    _must_be("long_size", long_size, "4 or 8", long_size in (None, 4, 8))
    _must_be("byte_order", byte_order, '"little" or "big"', byte_order in (None, *_BYTE_ORDERS))
    sizes = _LONG_SIZES if long_size is None else (long_size,)
    orders = _BYTE_ORDERS if byte_order is None else (byte_order,)
    with open(path, "rb") as file:
        try:
            parsed = _parsed(file, encoding, list(product(orders, sizes)))
            try:
                return build(parsed, file, unknown)
            except RefusalError as error:
                raise broken(file, error.where, error.problem, error.hint) from error.__cause__
            except DamageError as error:
                raise broken(file, place("", error.at), error.problem) from None
        except FormatError as error:
            file.seek(0)
            if _CRLF.match(file.read(9)):
                rehint(error, _HOW_LINES_END)
            raise


def _parsed(file: BinaryIO, encoding: str, layouts: list[tuple[str, int]]) -> Parsed:
    """Return the nodes of the file, in the first layout that uses it up."""
    size = os.fstat(file.fileno()).st_size
    start = file.read(4)
    if is_ascii(start):
        file.seek(0)
        text = file.read()
        return _furthest(file, [lambda: Ascii(text)], encoding)
    tags = {int.from_bytes(start, "big" if order == "big" else "little") for order, _ in layouts}
    if len(start) < 4 or tags.isdisjoint(Tag):
        # A pickle of PyTorch's begins otherwise; its zip and torchlite's alike.
        hint = "serial.load() reads what serial.save() wrote" if start[:2] == b"PK" else None
        raise broken(file, "", "it does not begin as a .t7 file does", hint)
    sources = [partial(Binary, file, size, long_size, order) for order, long_size in layouts]
    return _furthest(file, sources, encoding)


def _furthest(file: BinaryIO, sources: Sequence[Callable[[], Source]], encoding: str) -> Parsed:
    """Return the nodes by the first source that uses up the file; raise what stopped the best."""
    reached, problem = -1, broken(file, "", "there is no way to read it")
    for source in sources:
        parsed = Parsed(source(), encoding)
        try:
            parsed.read()
        except DamageError as error:
            if parsed.source.position > reached:
                reached = parsed.source.position
                where = place(parsed.path(), error.at)
                problem = broken(file, where, error.problem, _hint(parsed))
        else:
            return parsed
    raise problem


def _hint(parsed: Parsed) -> str | None:
    """Return what may be the reason why what is being read cannot be."""
    for node in parsed.open:
        if isinstance(node, ObjectNode) and not modules.known(node.name):
            name = node.name[:80]
            return f"torchlite does not know the class {name}, which may be written in its own way"
    return None


def _is_encoding(name: Any) -> bool:
    try:
        # Four bytes are text in every encoding; of none no encoding would be looked for.
        bytes(4).decode(name)
    except (LookupError, TypeError, ValueError):
        return False
    return True


def _must_be(argument: str, value: Any, expected: str, right: bool) -> None:
    if not right:
        raise fault(SettingError, "load", argument, expected, repr(value))
