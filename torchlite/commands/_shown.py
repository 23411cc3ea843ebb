"""How what is in a file is shown: a tree of its tables, its networks, and the classes not known."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from torchlite.commands import _files, _terminal
from torchlite.commands._files import Described
from torchlite.errors import TorchliteError
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module
from torchlite.nn.stateful import Stateful
from torchlite.nn.tree import walk
from torchlite.serial.t7 import Object, Table, modules
from torchlite.serial.t7.kept import Kept
from torchlite.serial.t7.parse import step_to
from torchlite.stepping import summary

__all__ = ["described", "lines"]

# Tables deeper inside than this, entries of tables that are not the outermost, lines in all, and
# letters of a string: the rest is not shown.
_DEEPEST, _MOST, _LINES, _LETTERS = 10, 20, 400, 60
# An array of so many numbers is shown with them, a list with so many.
_FEW = 6


def lines(value: Any, path: str) -> Iterator[str]:
    """Yield what a value holds, which stands at this path of a file."""
    yield from _tree(value, path)
    for where, net in _files.networks(value, path).items():
        yield from _network(where, net)
    yield from _unknown(value, path)


def _tree(value: Any, path: str) -> list[str]:
    """Return a line for each entry of tables, and of those inside them."""
    lines = list(islice(_branches("", value, path, 0, {}), _LINES + 1))
    if len(lines) > _LINES:
        lines[-1] = "... and more: --select PATH shows a part"
    return lines


def _branches(before: str, value: Any, path: str, depth: int, met: dict[int, str]) -> Iterator[str]:
    entries = _files.entries(value)
    named = entries is not None or isinstance(value, np.ndarray | Stateful)
    if named and id(value) in met:
        yield f"{before}the same as {met[id(value)]}"
        return
    if named:
        met[id(value)] = path.lstrip(".") or "the whole"
    yield before + described(value)
    if entries is None or _is_plain(value):
        return
    indent = "  " * depth
    if depth == _DEEPEST:
        yield f"{indent}..."
        return
    for i, (key, entry) in enumerate(entries):
        if i == _MOST and depth:
            yield f"{indent}... and more"
            return
        step = step_to(key)
        yield from _branches(f"{indent}{step.lstrip('.')}: ", entry, path + step, depth + 1, met)


def _is_plain(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        entry is None or isinstance(entry, str | bytes | int | float) for entry in value
    )


def described(value: Any) -> str:
    """Return what a value is, in a few words.

    Example
    -------
    >>> described({"a": 1}), described([1, 2]), described(np.zeros(2)), described("x")
    ('table of 1', 'list of 2: 1, 2', 'float64 (2,): 0.0 0.0', "'x'")
    """
    if isinstance(value, Kept):
        return f"{value!r}, a class that torchlite does not know"
    if isinstance(value, Module):
        parameters = value.parameters()[0]
        dtypes = ", ".join(sorted({str(array.dtype) for array in parameters}))
        name = repr(value).partition("\n")[0].removesuffix(" {")
        return f"{name}, {sum(array.size for array in parameters):,} parameters, {dtypes}".rstrip(
            ", "
        )
    if isinstance(value, Criterion):
        return type(value).__name__
    if isinstance(value, Object):
        known = "" if modules.known(value.name) else ", a class that torchlite does not know"
        return f"{value.name} with {len(value.fields)} fields{known}"
    if isinstance(value, np.ndarray | Described):
        numbers = ""
        if isinstance(value, np.ndarray) and value.ndim == 1 and 0 < value.size <= _FEW:
            numbers = f": {' '.join(map(str, value))}"
        return f"{value.dtype} {value.shape}{numbers}"
    if _is_plain(value):
        few = [described(entry) for entry in value[:_FEW]]
        more = ", ..." if len(value) > _FEW else ""
        return f"list of {len(value)}: {', '.join(few)}{more}".rstrip(": ")
    if isinstance(value, list | tuple):
        return f"list of {len(value)}"
    if isinstance(value, dict | Table):
        return f"table of {len(value)}"
    if isinstance(value, str | bytes) and len(value) > _LETTERS:
        return f"{value[:_LETTERS]!r}..."
    return repr(value)


def _network(path: str, net: Module) -> list[str]:
    """Return the network as it prints, and its summary."""
    title = path or "the network"
    try:
        table = summary(net).within(_terminal.columns())
    except TorchliteError as error:
        table = f"no summary: {error}"
    return ["", title, "-" * len(title), *repr(net).split("\n"), "", *table.split("\n")]


def _unknown(value: Any, path: str) -> list[str]:
    """Return what is to be done about classes that are not known, if there are any."""
    names: dict[str, str] = {}
    for where, part in _files.everything(value, path):
        if isinstance(part, Object) and not modules.known(part.name):
            names.setdefault(part.name, where)
        elif isinstance(part, Module):
            for place in walk(part):
                if isinstance(place.module, Kept):
                    names.setdefault(place.module.object.name, f"{where}{place.path}")
    if not names:
        return []
    said = ", ".join(f"{name} (first at {where or 'the top'})" for name, where in names.items())
    return [
        "",
        f"torchlite does not know {said}",
        "t7.register(...) makes classes known to a program",
    ]
