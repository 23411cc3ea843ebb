"""Networks inside networks: how far that may go."""

from typing import Any

from torchlite.nn._places import DEEPEST
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.serial.values import RefusalError

__all__ = ["DEEPEST", "LARGEST", "check_tree"]

# All modules, those that stand in several places counted each time.
LARGEST = 2**16


def check_tree(parts: list[Any]) -> None:
    """Raise unless what stands in `modules` are modules, in trees of a bearable size.

    Whoever asks one of the parts for its parameters may walk through all that is inside: so the
    sizes of those that answer in their own way are bearable together, too.

    A file of a few lines can describe a network that contains itself, or 2**100 layers by putting
    the same two into each other again and again.

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

    def measure(module: Any, depth: int) -> tuple[int, int]:
        if id(module) not in known:
            name = type(module).__name__
            if type(module.modules) not in (list, tuple) or not all(
                isinstance(inner, Module) for inner in module.modules
            ):
                raise RefusalError("", f"{name}: modules must be a list of modules")
            if isinstance(module, Container) and type(module.modules) is tuple:
                raise RefusalError("", f"{name}: modules must be a list, not a tuple")
            if depth > DEEPEST:
                raise RefusalError("", f"{name}: modules are nested more than {DEEPEST} deep")
            inside = [measure(inner, depth + 1) for inner in module.modules]
            size = 1 + sum(size for size, _ in inside)
            height = 1 + max((height for _, height in inside), default=0)
            if height > DEEPEST:
                raise RefusalError("", f"{name}: modules are nested more than {DEEPEST} deep")
            if size > LARGEST:
                raise RefusalError("", f"{name}: there are more than {LARGEST} modules in it")
            known[id(module)] = size, height
        return known[id(module)]

    asked = 0
    for part in parts:
        if isinstance(part, Module):
            size, _ = measure(part, 0)
            if size > 1 and type(part).parameters is not Container.parameters:
                asked += size
                if asked > LARGEST:
                    name = type(part).__name__
                    problem = f"several stand around the same more than {LARGEST} modules"
                    raise RefusalError("", f"{name}: {problem}")
