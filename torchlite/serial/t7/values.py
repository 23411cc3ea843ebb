"""What a .t7 file can hold that Python has no type for."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from reprlib import recursive_repr
from typing import Any

import numpy as np

from torchlite.errors import SettingError, fault, printable
from torchlite.kernels.arrays import Array

__all__ = ["Function", "Object", "Storage", "Table"]


class Table(MutableMapping[Any, Any]):
    """A Lua table whose keys are more than strings and numbers.

    Keys are compared as Lua does: 1 and 1.0 are one key, True is another, a text and its bytes in
    UTF-8 are one, and all else (tables, arrays, objects) is itself alone. So are tables: two of
    them are equal if they are one.

    Example
    -------
    >>> table = Table([(1, "one"), (True, "yes")])
    >>> table
    Table([(1, 'one'), (True, 'yes')])
    >>> table[1.0], table[True], len(table)
    ('one', 'yes', 2)
    >>> key = [1, 2]
    >>> table[key] = "a list"
    >>> table[key], [1, 2] in table
    ('a list', False)
    """

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def __init__(self, entries: Any = ()) -> None:
        self._entries: dict[Any, tuple[Any, Any]] = {}
        self.update(entries)

    def __getitem__(self, key: Any) -> Any:
        found = self._entries.get(as_lua(key))
        if found is None:
            raise KeyError(key)
        return found[1]

    def __setitem__(self, key: Any, value: Any) -> None:
        if key is None or (isinstance(key, float) and key != key):
            raise fault(SettingError, "Table", "a key", "neither None nor nan", repr(key))
        self._entries[as_lua(key)] = key, value

    def __delitem__(self, key: Any) -> None:
        if self._entries.pop(as_lua(key), None) is None:
            raise KeyError(key)

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    @recursive_repr("Table(...)")
    def __repr__(self) -> str:
        return f"Table({list(self.items())!r})"


@dataclass(eq=False, repr=False)
class Object:
    """An object of a Torch class that has not become a module: its name, version and fields.

    Example
    -------
    >>> Object("OneHot", {"outputSize": 5})
    <OneHot: outputSize>
    """

    name: str
    fields: Any
    version: int = 1

    def __repr__(self) -> str:
        said = f"<{self.name}: {', '.join(map(str, self.fields))}>"
        return printable(said).replace("\n", "\\n")


@dataclass(eq=False, repr=False)
class Function:
    """A Lua function: bytes that are never run, and written back as they were.

    Attributes
    ----------
    code
        What Lua's `string.dump` made of it.
    upvalues
        What it refers to: a list of dicts, each with a name and a value.
    kind
        How the file marks it: 8, or 6 and 7 in old files.
    """

    code: bytes
    upvalues: Any = None
    kind: int = 8

    def __repr__(self) -> str:
        return f"<Function of {len(self.code)} bytes>"


@dataclass(eq=False)
class Storage:
    """Says that a 1-D array is to be written as a storage, not as a tensor.

    Example
    -------
    >>> Storage(np.array([2, 3]))
    Storage(array=array([2, 3]))
    """

    array: Array


def as_lua(key: Any) -> Any:
    """Return what is equal for keys that are one in Lua, and different for others."""
    if isinstance(key, np.generic):
        key = key.item()
    kind = type(key)
    if kind in (int, float, str):
        return key
    if kind is bool:
        return kind, key
    if kind is bytes:
        try:
            return key.decode()
        except UnicodeDecodeError:
            return key
    return Table, id(key)
