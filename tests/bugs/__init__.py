"""The corpus that proves the checker: layers with exactly one fault each, and right ones.

A file here holds the bugs of one kind of layer, and ends with their list: what each is and the
properties that must find it. `good.py` holds layers that must pass.
"""

import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Bug:
    """A wrong layer.

    make
        Makes a new one.
    input
        A shape, a (nested) list of shapes for a table, or a function of a NumPy generator that
        returns an input.
    kills
        The properties each of which finds the fault alone.
    why
        The fault in one sentence.
    exempt
        The properties that the layer would break without its fault, too, each with the reason.
    """

    make: Callable[[], Any]
    input: Any
    kills: Collection[str]
    why: str
    exempt: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return type(self.make()).__name__


@dataclass(frozen=True)
class CriterionBug:
    """A wrong criterion. As `Bug`; target is like input."""

    make: Callable[[], Any]
    input: Any
    target: Any
    kills: Collection[str]
    why: str
    exempt: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return type(self.make()).__name__


def corpus() -> list[Bug | CriterionBug]:
    """Return all bugs: those of every file here but that of right layers."""
    files = [file.name for file in pkgutil.iter_modules(__path__) if file.name != "good"]
    return [bug for file in files for bug in import_module(f"bugs.{file}").BUGS]
