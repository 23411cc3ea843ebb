"""What the checker raises: a sentence, the worst entry, a guess, and how to see it again."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["ContractViolation", "ContractViolations", "GradientMismatch"]


class ContractViolation(AssertionError):
    """A layer or criterion breaks the contract.

    Attributes
    ----------
    where, method, property, problem
        The layer (with its position in a network), the method at fault, the property that was
        checked and what is wrong with it, in a sentence.
    index, got, expected, difference, allowed, oracle
        The worst entry, where numbers were compared; otherwise None.
    differing, entries
        How many entries differ, of how many.
    pattern
        What kind of mistake would give these numbers, or None.
    context
        Shapes, dtypes and the seed.
    reproduce
        A line that shows it again.
    """

    def __init__(
        self,
        where: str,
        method: str,
        property: str,
        problem: str,
        *,
        index: tuple[int, ...] | None = None,
        got: Any = None,
        expected: Any = None,
        allowed: float | None = None,
        oracle: str | None = None,
        differing: int = 0,
        entries: int = 0,
        pattern: str | None = None,
        context: str = "",
        reproduce: str = "",
    ) -> None:
        self.where = where
        self.method = method
        self.property = property
        self.problem = problem
        self.index = index
        self.got = got
        self.expected = expected
        self.difference = None if index is None else abs(got - expected)
        self.allowed = allowed
        self.oracle = oracle
        self.differing = differing
        self.entries = entries
        self.pattern = pattern
        self.context = context
        self.reproduce = reproduce
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.method}: {self.problem}"]
        if self.index is not None:
            oracle = f" ({self.oracle})" if self.oracle else ""
            count = (
                f"{self.differing} of {self.entries} entries differ"
                if self.differing
                else f"found by halving {self.entries} entries"
            )
            lines.append(
                f"  worst at {list(self.index)}: got {shown(self.got)}, "
                f"expected {shown(self.expected)}{oracle}, {self._compared()}; {count}"
            )
        if self.pattern:
            lines.append(f"  pattern: {self.pattern}")
        if self.context:
            lines.append(f"  {self.context}")
        if self.reproduce:
            lines.append(f"  reproduce: {self.reproduce}")
        return "\n".join(lines)

    def _compared(self) -> str:
        finite = int(np.isfinite(self.got)) + int(np.isfinite(self.expected))
        if finite < 2:
            return f"of which {'only one' if finite else 'none'} is a finite number"
        return f"off by {self.difference:.3g}, allowed {self.allowed:.3g}"

    def __reduce__(self) -> Any:
        return _restored, (type(self), vars(self).copy())


class GradientMismatch(ContractViolation):
    """A gradient is not the derivative."""


class ContractViolations(ContractViolation):
    """Several properties do not hold.

    Attributes
    ----------
    violations
        All of them, in the order in which they were checked. The other attributes are those of
        the first.
    """

    def __init__(self, violations: Sequence[ContractViolation]) -> None:
        vars(self).update(vars(violations[0]))
        self.violations = tuple(violations)
        AssertionError.__init__(self, str(self))

    def __str__(self) -> str:
        return "\n\n".join([f"{len(self.violations)} violations", *map(str, self.violations)])


def _restored(kind: type[ContractViolation], facts: dict[str, Any]) -> ContractViolation:
    violation = kind.__new__(kind)
    vars(violation).update(facts)
    violation.args = (str(violation),)
    return violation


def shown(number: Any) -> str:
    """Return a number as failures print it."""
    number = complex(number)
    return f"{number.real:.12g}" if number.imag == 0 else f"{number:.12g}"


def guess(
    got: Any, expected: Any, *, rows: int = 0, previous: Any = None, scale: Any = None
) -> str | None:
    """Guess the mistake from the ratio of what came to what was expected.

    rows is the number of samples in the batch, previous what was accumulated before, scale the
    scale that was asked for.
    """

    def near(a: Any, b: Any) -> bool:
        size = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
        return bool(np.all(np.abs(a - b) <= 1e-6 * size))

    if got.shape != expected.shape or not got.size:
        return None
    if not np.isfinite(got).all():
        return "not finite" if np.isfinite(expected).all() else None
    if not expected.any() or near(got, expected):
        return None
    if previous is not None and previous.any():
        if near(got, previous):
            return "got = what was there before -> never added?"
        if near(got, expected - previous):
            return "got = the last call's part alone -> overwrites instead of accumulating?"
        if near(got - previous, -(expected - previous)):
            return "got adds the negative -> wrong sign?"
    if not got.any():
        return "got is all zero -> never written?"
    if got.ndim == 2 and got.shape[0] == got.shape[1] and near(got.T, expected):
        return "got = expected transposed -> operands swapped?"
    if scale is not None and scale not in (0, 1):
        if near(got * scale, expected):
            return f"got = expected / {shown(scale)}, the scale -> scale ignored?"
        if near(got, expected * scale):
            return f"got = {shown(scale)} * expected, the scale -> scale applied twice?"
    ratio = _ratio(got, expected)
    if ratio is None:
        return None
    if math.isclose(ratio, -1, rel_tol=1e-6):
        return "got = -expected -> wrong sign?"
    if rows > 1 and math.isclose(ratio * rows, 1, rel_tol=1e-6):
        return (
            f"got = expected / {rows} and the batch has {rows} rows -> averaged instead of summed?"
        )
    if rows > 1 and math.isclose(ratio, rows, rel_tol=1e-6):
        return (
            f"got = {rows} * expected and the batch has {rows} rows -> summed instead of averaged?"
        )
    if math.isclose(ratio, 2, rel_tol=1e-6):
        return "got = 2 * expected -> doubled?"
    if math.isclose(ratio, 0.5, rel_tol=1e-6):
        return "got = expected / 2 -> a factor of 2 is missing?"
    entries = got.size
    if entries > 1 and math.isclose(ratio * entries, 1, rel_tol=1e-6):
        return f"got = expected / {entries}, the number of entries -> averaged instead of summed?"
    if entries > 1 and math.isclose(ratio, entries, rel_tol=1e-6):
        return f"got = {entries} * expected, the number of entries -> summed instead of averaged?"
    return f"got = {ratio:.6g} * expected everywhere -> a constant factor is off?"


def _ratio(got: Any, expected: Any) -> float | None:
    """Return the one real factor between the two, if there is one."""
    largest = np.unravel_index(np.argmax(np.abs(expected)), expected.shape)
    ratio = got[largest] / expected[largest]
    if np.iscomplexobj(ratio):
        ratio = ratio.real
    size = np.abs(got).max()
    if np.all(np.abs(got - ratio * expected) <= 1e-6 * size):
        return float(ratio)
    return None
