"""The table of classes that files may name: torchlite's own, and those that were registered."""

from typing import Any

from torchlite import nn
from torchlite.errors import DTypeError, SettingError, fault
from torchlite.nn.stateful import Stateful

__all__ = ["find", "is_own", "name_of", "register"]

_OWN: dict[str, type[Stateful]] = {
    name: kind
    for name, kind in ((name, getattr(nn, name)) for name in nn.__all__)
    if issubclass(kind, Stateful)
} | {
    f"recurrent.element_research.{name}": getattr(nn.recurrent.element_research, name)
    for name in nn.recurrent.element_research.__all__
}
_NAMES = {kind: name for name, kind in _OWN.items()}
_registered: dict[str, type[Stateful]] = {}


def register(name: str, cls: type[Stateful]) -> None:
    """Let files hold objects of a class of your own, under this name, from now on.

    What is saved is what `cls.__getstate__` returns: by default every attribute but the results of
    the last call. What is loaded is given to `cls.__setstate__`, if there is one; the constructor
    is not called. Registering a name again replaces the class, as running a cell of a notebook
    again does.

    Raises
    ------
    DTypeError
        name is no text, or cls no subclass of Module or Criterion.
    SettingError
        name is that of a class of torchlite.

    Example
    -------
    >>> import torchlite as nn
    >>> class Double(nn.Module):
    ...     def updateOutput(self, input):
    ...         self.output = 2 * input
    ...         return self.output
    >>> register("Double", Double)
    """
    if not isinstance(name, str):
        raise fault(DTypeError, "register", "name", "text", repr(name))
    if not (isinstance(cls, type) and issubclass(cls, nn.Module | nn.Criterion)):
        raise fault(DTypeError, "register", "cls", "a subclass of Module or Criterion", repr(cls))
    if name in _OWN:
        raise fault(SettingError, "register", "name", "no name of a class of torchlite", repr(name))
    _registered[name] = cls


def find(name: Any) -> type[Stateful] | None:
    """Return the class of this name, or None."""
    return (_OWN.get(name) or _registered.get(name)) if isinstance(name, str) else None


def is_own(kind: type) -> bool:
    """Tell whether this very class is one of torchlite's."""
    return kind in _NAMES


def name_of(kind: type) -> str | None:
    """Return the name of this very class (a subclass has its own), or None."""
    if kind in _NAMES:
        return _NAMES[kind]
    return next((name for name, known in _registered.items() if known is kind), None)
