"""The corpus that proves the checker: layers with exactly one fault each, and right ones.

A file here holds the bugs of one kind of layer, and ends with their list: what each is and the
properties that must find it; where the right layers that they were made of are there, too, these
stand in a list before it. `good.py` and the files that begin with `good_` hold layers that must
pass; `said.py` has what the checker says to write instead.
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
    pattern
        Words that say what kind of fault it is, which the checker's guess should hold.
    """

    make: Callable[[], Any]
    input: Any
    kills: Collection[str]
    why: str
    exempt: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None

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
    pattern: str | None = None

    @property
    def name(self) -> str:
        return type(self.make()).__name__


# The properties of faults whose numbers show what kind of fault it is.
GRADIENTS = {"gradInput", "gradParameters", "accumulate", "scale"}


def of_gradients() -> list[Bug | CriterionBug]:
    """Return the bugs of which an answer should guess what kind of fault it is."""
    return [bug for bug in corpus() if bug.pattern or GRADIENTS & set(bug.kills)]


def verdict(bug: Bug | CriterionBug, found: Any) -> str:
    """Tell whether a violation, the checker's answer, guesses what kind of fault it is."""
    if found is None:
        return "survives"
    if bug.pattern and bug.pattern in f"{found.problem} {found.pattern}":
        return "right"
    return "wrong" if found.pattern else "silent"


def corpus() -> list[Bug | CriterionBug]:
    """Return all bugs: those of every file here but the ones of right layers."""
    return [bug for file in _files() if not file.startswith("good") for bug in _list(file, "BUGS")]


def bases() -> list[Any]:
    """Return the right layers that stand beside the bugs that were made of them."""
    return [row for file in _files() if not file.startswith("good") for row in _list(file, "GOOD")]


def right() -> list[Any]:
    """Return all right layers as users write them: those of the files that begin with good_."""
    return [row for file in _files() if file.startswith("good_") for row in _list(file, "GOOD")]


def _files() -> list[str]:
    return [file.name for file in pkgutil.iter_modules(__path__)]


def _list(file: str, name: str) -> list[Any]:
    return getattr(import_module(f"bugs.{file}"), name, [])
