"""One row per class, by chapter: everything that is tested of every class is run from its row."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from torchlite.nn.nested import map_arrays


@dataclass(frozen=True)
class Case:
    """How to make a layer or criterion, and what to feed it.

    make
        Makes a new one, with parameters drawn from torchlite.random.
    input
        The shape of an input, a (nested) list of shapes for a table, or a function of a NumPy
        generator that returns an input.
    target
        For criterions: like input; None where there is no target.
    exempt
        The properties that it breaks by definition, each with the reason.
    name
        Tells rows of one class apart.
    formula
        For a class that Torch7 lacks, if PyTorch lacks it, too: the output in 50 digits, see
        tests/exact.py.
    """

    make: Callable[[], Any]
    input: Any
    target: Any = None
    exempt: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    formula: Callable[..., Any] | None = None

    @property
    def id(self) -> str:
        made = type(self.make()).__name__
        return f"{made}-{self.name}" if self.name else made

    def draw(self, rng: np.random.Generator, what: str = "input") -> Any:
        """Return an input (or target): odd multiples of 1/16 in the shapes of the row."""
        return draw(rng, getattr(self, what))


def rows() -> Iterator[tuple[str, Case]]:
    """Yield (file, row) of every row in tests/cases/."""
    for file in pkgutil.iter_modules(__path__):
        for case in importlib.import_module(f"cases.{file.name}").CASES:
            yield file.name, case


def draw(rng: np.random.Generator, shape: Any) -> Any:
    if callable(shape):
        return shape(rng)
    if isinstance(shape, list):
        return [draw(rng, entry) for entry in shape]
    return (2 * rng.integers(-32, 32, shape) + 1) / 16


def of_integers(case: Case) -> list[Case]:
    """Return the row of a layer that only moves entries with integers, and with booleans, in it."""
    kinds = {"integers": lambda a: (16 * a).astype("int64"), "booleans": lambda a: a > 0}

    def input_of(kind: Callable[[Any], Any]) -> Callable[[np.random.Generator], Any]:
        # The indices that are in it already stay what they are.
        return lambda rng: map_arrays(lambda a: kind(a) if a.dtype == float else a, case.draw(rng))

    return [
        replace(case, input=input_of(kind), name=f"{case.name}-{name}".strip("-"))
        for name, kind in kinds.items()
    ]
