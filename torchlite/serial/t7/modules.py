"""Objects of Torch7's classes and torchlite's modules and criterions: from one to the other."""

from typing import Any

from torchlite.serial.t7.values import Object

__all__ = ["build", "known", "prepare", "take_apart", "version"]


def known(name: str) -> bool:
    """Tell whether objects of this class of Torch7's become something of torchlite's."""
    return False


def version(name: str) -> int:
    """Return the class version that Torch7 writes."""
    return 1


def prepare(objects: list[Object]) -> None:
    """Change what has to be changed before the first of a file's objects is built."""


def build(name: str, fields: Any, where: str) -> Any:
    """Return what an object of this class is in torchlite."""
    raise NotImplementedError


def take_apart(module: Any) -> tuple[str, Any]:
    """Return the name of Torch7's class and the fields that it needs."""
    raise NotImplementedError
