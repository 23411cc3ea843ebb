"""Networks inside networks: how far that may go."""

from typing import Any

from torchlite.nn._places import DEEPEST
from torchlite.nn._stateful import Stateful
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.serial.values import RefusalError

__all__ = ["DEEPEST", "LARGEST", "check_tree"]

# All modules, those that stand in several places counted each time.
LARGEST = 2**16


def check_tree(parts: list[Stateful]) -> None:
    """Raise unless what stands in `modules` are modules, in trees of a bearable size.

    Criterions of criterions are trees, too. A file of a few lines can describe a network that
    contains itself, or 2**100 layers by putting the same two into each other again and again; or
    thousands of modules around one tree, each of which walks through all of it when it is asked
    for its parameters.

    Example
    -------
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.ReLU())
    >>> net.modules.append(net)
    >>> check_tree([net])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    torchlite.serial.values.RefusalError: ... modules are nested more than 100 deep...
    """
    known: dict[int, tuple[int, int]] = {}

    def measure(part: Stateful, depth: int) -> tuple[int, int]:
        if id(part) not in known:
            name, word, held = type(part).__name__, *_inside(part)
            if depth > DEEPEST:
                raise RefusalError("", f"{name}: {word} are nested more than {DEEPEST} deep")
            inside = [measure(inner, depth + 1) for inner in held]
            size = 1 + sum(size for size, _ in inside)
            height = 1 + max((height for _, height in inside), default=0)
            if height > DEEPEST:
                raise RefusalError("", f"{name}: {word} are nested more than {DEEPEST} deep")
            if size > LARGEST:
                raise RefusalError("", f"{name}: there are more than {LARGEST} {word} in it")
            known[id(part)] = size, height
        return known[id(part)]

    asked = 0
    for part in parts:
        size, _ = measure(part, 0)
        own_way = isinstance(part, Module) and type(part).parameters is not Container.parameters
        if size > 1 and own_way:
            asked += size
            if asked > LARGEST:
                problem = f"several stand around the same more than {LARGEST} modules"
                raise RefusalError("", f"{type(part).__name__}: {problem}")


def _inside(part: Stateful) -> tuple[str, list[Any]]:
    """Return what a part holds in its tree: the modules, checked, or criterions."""
    if not isinstance(part, Module):
        held = getattr(part, "criterions", ())
        held = held if isinstance(held, (list, tuple)) else ()
        return "criterions", [inner for inner in held if isinstance(inner, Stateful)]
    name = type(part).__name__
    if type(part.modules) not in (list, tuple) or not all(
        isinstance(inner, Module) for inner in part.modules
    ):
        raise RefusalError("", f"{name}: modules must be a list of modules")
    if isinstance(part, Container) and type(part.modules) is tuple:
        raise RefusalError("", f"{name}: modules must be a list, not a tuple")
    return "modules", list(part.modules)
