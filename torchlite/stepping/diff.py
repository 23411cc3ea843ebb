"""The first step where two traces part, in a sentence."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from torchlite.errors import printable
from torchlite.nn.nested import shapes
from torchlite.stepping.arrays import Copy, named_arrays
from torchlite.testing.patterns import guess
from torchlite.testing.violations import shown

if TYPE_CHECKING:
    from torchlite.stepping.steps import Step, Trace

__all__ = ["Difference", "compare"]


@dataclass(frozen=True)
class Difference:
    """Where a trace parts from the reference; a sentence when printed.

    Attributes
    ----------
    step, method, position
        Of the reference.
    name
        What differs, or None where another call was made.
    index
        The entry that differs most, or None where shapes, norms or single numbers differ.
    expected, got
        The numbers of the reference and of the other trace, or texts.
    pattern
        What mistake would give these numbers, or None.
    """

    step: int
    method: str
    position: str
    name: str | None
    index: tuple[int, ...] | None
    expected: Any
    got: Any
    pattern: str | None = None

    def __str__(self) -> str:
        return printable(self._sentence())

    def _sentence(self) -> str:
        if self.name is None:
            return f"step {self.step}: {self.expected} against {self.got}"
        entry = self.name + (f"[{', '.join(map(str, self.index))}]" if self.index else "")
        sentence = (
            f"step {self.step}, {self.method} of {self.position}, {entry}: "
            f"{_shown(self.expected)} against {_shown(self.got)}"
        )
        return f"{sentence}: {self.pattern}" if self.pattern else sentence


def compare(reference: "Trace", other: "Trace", rtol: float) -> Difference | None:
    """Return the first difference, or None."""
    for expected, got in zip(reference, other, strict=False):
        calls = [f"{step.method} of {step.position}" for step in (expected, got)]
        if calls[0] != calls[1]:
            return _other_call(expected, *calls)
        found = _within(expected, got, rtol)
        if found:
            return found
    if len(reference) != len(other):
        longer = max(reference, other, key=len)
        step = longer[min(len(reference), len(other))]
        said = [f"{step.method} of {step.position}", "no more steps"]
        return _other_call(step, *(said if longer is reference else said[::-1]))
    return None


def _other_call(step: "Step", expected: str, got: str) -> Difference:
    return Difference(step.number, step.method, step.position, None, None, expected, got)


def _within(expected: Any, got: Any, rtol: float) -> Difference | None:
    for kind in ("arguments", "parameters", "before", "results", "after"):
        theirs = dict(_named(getattr(got, kind)))
        for name, value in _named(getattr(expected, kind)):
            other = theirs.get(name)
            previous = expected.before.get(name) if kind == "after" else None
            difference = _values(value, other, rtol, previous, expected)
            if difference:
                where = (expected.number, expected.method, expected.position)
                return Difference(*where, name, *difference)
    return None


def _named(values: dict[str, Any]) -> Any:
    for name, value in values.items():
        if isinstance(value, (Copy, list, dict)):
            yield from named_arrays(name, value)
        else:
            yield name, value


def _values(expected: Any, got: Any, rtol: float, previous: Any, step: "Step") -> Any:
    """Return (index, expected, got, pattern) of what differs, or None."""
    if not isinstance(expected, Copy) or not isinstance(got, Copy):
        numbers = (int, float, complex)
        if isinstance(expected, numbers) and isinstance(got, numbers):
            # As arrays, of which no sum or size is too large.
            a, b = (np.array(value, complex) for value in (expected, got))
            with np.errstate(all="ignore"):
                near = np.abs(a - b) <= rtol * np.abs(a)
            if expected == got or near or (expected != expected and got != got):
                return None
            return None, expected, got, _pattern(np.array(got), np.array(expected), step, None)
        if isinstance(expected, Copy) or isinstance(got, Copy) or expected != got:
            return None, _shapes(expected), _shapes(got), None
        return None
    if expected.shape != got.shape:
        return None, str(expected.shape), str(got.shape), None
    if {expected.dtype, got.dtype} & {"float32", "complex64"}:
        rtol = max(rtol, 1e-5)
    if expected.values is None or got.values is None:
        for name in ("norm", "low", "high"):
            one, other = getattr(expected, name), getattr(got, name)
            if not _near(one, other, rtol * (expected.norm or 0)):
                word = {"norm": "norm", "low": "min", "high": "max"}[name]
                return (
                    None,
                    *(f"{word} {'none' if fact is None else shown(fact)}" for fact in (one, other)),
                    None,
                )
        return None
    a, b = expected.values, got.values
    if a.dtype.kind == "b":
        a, b = a.astype(int), b.astype(int)
    with np.errstate(all="ignore"):
        off = np.abs(a - b)
        largest = np.abs(a[np.isfinite(a)]).max(initial=0)
        wrong = ~((off <= rtol * largest) | (a == b) | ((a != a) & (b != b)))
    if not wrong.any():
        return None
    excess = np.where(wrong, np.where(np.isnan(off), np.inf, off), -1)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(excess)), a.shape))
    before = previous.values if previous is not None else None
    return index, a[index].item(), b[index].item(), _pattern(b, a, step, before)


def _pattern(got: Any, expected: Any, step: "Step", previous: Any) -> str | None:
    """Return the checker's guess, without the numbers that led to it."""
    inputs = [copy for _, copy in named_arrays("input", step.arguments.get("input"))]
    rows = inputs[0].shape[0] if inputs and len(inputs[0].shape) > 1 else 0
    scale = step.arguments.get("scale")
    scale = scale if isinstance(scale, (int, float, complex)) else None
    with np.errstate(all="ignore"):
        found = guess(got, expected, rows=rows, previous=previous, scale=scale)
        if found is None and previous is not None:
            found = guess(got - previous, expected - previous, rows=rows, scale=scale)
    return found and found.rpartition("-> ")[2]


def _near(one: Any, other: Any, distance: float) -> bool:
    if one is None or other is None:
        return one is other
    both_nan = one != one and other != other
    return bool(one == other or both_nan or abs(one - other) <= distance)


def _shapes(value: Any) -> str:
    return str(value.shape) if isinstance(value, Copy) else shapes(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
