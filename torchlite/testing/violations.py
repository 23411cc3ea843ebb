"""What the checker raises: a sentence, the worst entry, a guess, and how to see it again."""

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
    hint
        What to write instead, or None.
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
        hint: str | None = None,
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
        self.difference = None if got is None else abs(got - expected)
        self.allowed = allowed
        self.oracle = oracle
        self.differing = differing
        self.entries = entries
        self.pattern = pattern
        self.hint = hint
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
        if self.hint:
            lines.append(f"  hint: {self.hint}")
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
