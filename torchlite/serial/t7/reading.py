"""Reading a .t7 file: which encoding it has, and what is said of one that is damaged."""

import codecs
import os
from itertools import product
from typing import Any, BinaryIO

from torchlite.errors import FormatError, SettingError, fault
from torchlite.serial.archive import broken
from torchlite.serial.atomic import Path
from torchlite.serial.t7.build import build, place
from torchlite.serial.t7.parse import Parsed
from torchlite.serial.t7.source import Ascii, Binary, DamageError, is_ascii
from torchlite.serial.values import RefusalError

__all__ = ["load"]

_LONG_SIZES = (8, 4)
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
    ...     with open(path, "w") as file:
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
        parsed = _parsed(file, encoding, list(product(orders, sizes)))
        try:
            return build(parsed, file, unknown)
        except RefusalError as error:
            raise broken(file, error.where, error.problem, error.hint) from error.__cause__
        except DamageError as error:
            raise broken(file, place("", error.at), error.problem) from None


def _parsed(file: BinaryIO, encoding: str, layouts: list[tuple[str, int]]) -> Parsed:
    """Return the nodes of the file, in the first layout that uses it up."""
    size = os.fstat(file.fileno()).st_size
    if not size:
        raise broken(file, "", "it is empty")
    if is_ascii(file.read(1)):
        file.seek(0)
        sources: Any = [Ascii(file.read())]
    else:
        sources = (Binary(file, size, long_size, order) for order, long_size in layouts)
    furthest: tuple[int, FormatError] | None = None
    for source in sources:
        parsed = Parsed(source, encoding)
        try:
            parsed.read()
        except DamageError as error:
            if furthest is None or error.at > furthest[0]:
                where = place(parsed.path(), error.at)
                furthest = error.at, broken(file, where, error.problem, error.hint)
        else:
            return parsed
    raise furthest[1] if furthest is not None else broken(file, "", "it is empty")


def _is_encoding(name: Any) -> bool:
    try:
        codecs.lookup(name)
    except (LookupError, TypeError):
        return False
    return True


def _must_be(argument: str, value: Any, expected: str, right: bool) -> None:
    if not right:
        raise fault(SettingError, "load", argument, expected, repr(value))
