"""What users name on the command line: a class or function of theirs, and the shapes of arrays."""

import importlib
import inspect
import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from torchlite.errors import DTypeError, SettingError, closest, fault

__all__ = ["SHAPE", "maker", "named", "refused", "shape_of", "unfit", "wants"]

# The sizes of a shape: 5x3 or, as in Python, 5,3.
SHAPE = r"\d+(?:[,x]\d+)*"
# More names of a file are not told.
MANY = 20


def named(command: str, source: str) -> Any:
    """Return the class or function that file.py:name or package.module:name means."""
    place, _, name = source.rpartition(":")
    is_file = place.endswith(".py")
    if not (name and (is_file or all(map(str.isidentifier, place.split("."))))):
        expected = "file.py:name or package.module:name"
        hint = f"{place}.py:{name}" if name and Path(f"{place}.py").is_file() else None
        raise fault(SettingError, command, "what is named", expected, repr(source), hint=hint)
    module = _of_file(place) if is_file else _of_package(place)
    try:
        found = getattr(module, name)
    except AttributeError as error:
        if "\n  hint: " in str(error):
            raise
        raise _nameless(command, module, place, name) from None
    if not callable(found):
        expected = "a class or a function"
        raise fault(DTypeError, command, source, expected, type(found).__name__)
    return found


def maker(command: str, source: str) -> Callable[[], Any]:
    """Return the function without arguments that is named."""
    found: Callable[[], Any] = named(command, source)
    takes = unfit(found)
    if takes:
        name = source.rpartition(":")[2]
        expected = "a function without arguments"
        hint = f"write one that calls it: def mine(): return {name}({wants(takes)})"
        raise fault(DTypeError, command, source, expected, f"{name}{takes}", hint=hint)
    return found


def unfit(found: Callable[..., Any], *positional: Any, **by_name: Any) -> inspect.Signature | None:
    """Return what a function takes, without types, unless it takes these arguments.

    Example
    -------
    >>> def scaled(size: int, /, scale: float = 1.0, *, name: str) -> None: ...
    >>> print(unfit(scaled, 3, name="x"), unfit(scaled, 3))
    None (size, /, scale=1.0, *, name)
    """
    try:
        signature = inspect.signature(found)
        signature.bind(*positional, **by_name)
    except ValueError:
        # Some functions of C's do not say what they take.
        return None
    except TypeError:
        parameters = signature.parameters.values()
        return inspect.Signature([each.replace(annotation=each.empty) for each in parameters])
    return None


def wants(takes: inspect.Signature) -> str:
    """Return what must be given, as it is written in a call.

    Example
    -------
    >>> wants(inspect.signature(lambda size, /, scale, rate=0.1, *, name: None))
    '..., scale=..., name=...'
    """
    unnamed = inspect.Parameter.POSITIONAL_ONLY
    return ", ".join(
        "..." if each.kind is unnamed else f"{name}=..."
        for name, each in takes.parameters.items()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    )


def _of_file(place: str) -> ModuleType:
    _find_beside(str(Path(place).resolve().parent))
    # No import statement can mean this name: a random.py is not Python's. A pickle can.
    loader = SourceFileLoader(f"{Path(place).stem.replace('.', '_')} (file)", place)
    module = ModuleType(loader.name)
    module.__file__ = place
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def _of_package(place: str) -> ModuleType:
    _find_beside(os.getcwd())
    return importlib.import_module(place)


def _find_beside(folder: str) -> None:
    """Let what lies in a folder be imported: before what is installed, but after Python's own."""
    if folder not in sys.path:
        standard = Path(sysconfig.get_path("stdlib"))
        own = {standard, standard / "lib-dynload"}
        places = [i for i, entry in enumerate(sys.path) if Path(entry) in own]
        sys.path.insert(max(places, default=len(sys.path) - 1) + 1, folder)


def _nameless(command: str, module: ModuleType, place: str, name: str) -> SettingError:
    """Return the error of a name that a module does not have: it says which are there."""
    own = [
        key
        for key, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    known = sorted(getattr(module, "__all__", own))
    close = closest(name, known)
    hint = f"{place}:{close}?" if close else None
    file = getattr(module, "__file__", place)
    expected = f"one of {', '.join(known)}" if 0 < len(known) <= MANY else "a class or a function"
    return fault(SettingError, command, "the name", f"{expected} in {file}", repr(name), hint=hint)


def shape_of(text: str) -> tuple[int, ...]:
    """Return the shape that is written as 5x3 or 5,3."""
    return tuple(map(int, re.split("[,x]", text)))


def refused(command: str, error: Exception) -> int:
    """Print an error, with the user's own line that raised it; return the exit status."""
    # Here, because loading it would slow down every other command.
    from torchlite.testing.raised import own_lines

    lines: list[str] = [f"{command}: {type(error).__name__}: {error}"]
    lines += getattr(error, "__notes__", ())
    for file, line, function in own_lines(error):
        linecache.checkcache(file)
        text = linecache.getline(file, line).strip()
        lines.append(f"  {file}:{line}, {function}: {text}".rstrip(": "))
    if isinstance(error, SyntaxError) and error.text:
        lines.append(f"  {error.filename}:{error.lineno}: {error.text.strip()}")
    print("\n".join(lines), file=sys.stderr)
    return 2
