"""What a guess is made of: the numbers that came, and how others can be computed."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from torchlite.testing import values

__all__ = [
    "Clues",
    "Derivative",
    "Pattern",
    "Refused",
    "gives_with",
    "own_slopes",
    "ratio_of",
    "variable_of",
]

# Arrays of up to so many entries, by so many outputs, are differentiated anew for a guess.
ENTRIES = 400
SLOPES = 400_000


class Refused(Exception):
    """The layer does not take what a guess would ask of it."""


@dataclass
class Derivative:
    """How the numbers under comparison came about, to compute others by."""

    # The array's `slopes(direction, by)`, and its values; see `slopes.Variable`.
    variable: Any
    by: str
    # What the layer gives for gradients of the output's arrays, and those that gave the numbers.
    backward: Callable[[list[Any]], Any]
    weights: list[Any]
    # Entries that are not compared.
    skipped: Any

    @property
    def subject(self) -> Any:
        """The layer under check."""
        return self.variable.subject

    @property
    def here(self) -> Any:
        """The numbers by which it is derived."""
        return self.variable.values

    @cached_property
    def jacobian(self) -> Any:
        """The slope of each output (a row) by each entry (a column), or None if it is too large."""
        outputs = sum(w.size for w in self.weights)
        if self.here.size > ENTRIES or self.here.size * outputs > SLOPES:
            return None
        columns = []
        for index in np.ndindex(self.here.shape):
            direction = np.zeros(self.here.shape)
            direction[index] = 1
            try:
                columns.append(self.slopes_of(self.variable, direction))
            except Refused:
                return None
        found = np.stack(columns, axis=1)
        return np.where(np.isfinite(found), found, 0)

    @property
    def expected(self) -> Any:
        """The gradient by the slopes, or None."""
        if self.jacobian is None:
            return None
        return (flat(self.weights) @ self.jacobian).reshape(self.here.shape)

    def slopes_of(self, variable: Any, direction: Any) -> Any:
        """Return the slopes of all outputs along a direction."""
        try:
            return flat(variable.slopes(direction, self.by)[0])
        except Exception as error:
            raise Refused from error

    def ask(self, weights: list[Any]) -> Any:
        """Return what the layer gives for gradients of the output; 0 where nothing is compared."""
        try:
            return np.where(self.skipped, 0.0, self.backward(weights))
        except Exception as error:
            raise Refused from error

    @cached_property
    def trials(self) -> list[list[Any]]:
        """Gradients of the output to try: those that were used, and drawn ones."""
        rng = values.generator(0)
        drawn = [[rng.uniform(-2, 2, w.shape) for w in self.weights] for _ in range(2)]
        return [self.weights, *drawn]

    @cached_property
    def answers(self) -> list[Any]:
        """What the layer gives for each trial, 0 where nothing is compared."""
        return [self.ask(list(weights)) for weights in self.trials]


@dataclass
class Clues:
    """What came, what was expected, and what else is known."""

    got: Any
    expected: Any
    # The number of samples in the batch.
    rows: int = 0
    # What was accumulated before; the scale that was asked for, and what scale 1 gives.
    previous: Any = None
    scale: Any = None
    ones: Any = None
    # The number that all entries were before, if it was taken off got again.
    start: float | None = None
    # A scale that should not change what is compared.
    beside_scale: float | None = None
    derivative: Any = None
    tolerance: float = field(init=False)
    wrong: Any = field(init=False)

    def __post_init__(self) -> None:
        size = max(np.abs(self.got).max(initial=0), np.abs(self.expected).max(initial=0))
        off = np.abs(self.got - self.expected)
        self.tolerance = min(1e-6 * size, 1e-3 * off.max(initial=0))
        self.wrong = off > self.tolerance

    def near(self, one: Any, other: Any) -> bool:
        """Tell whether two arrays are the same, within what is nothing beside the mistake."""
        return bool(np.all(np.abs(one - other) <= self.tolerance))

    def is_got(self, other: Any) -> bool:
        """Tell whether another array is what came."""
        return np.shape(other) == self.got.shape and self.near(self.got, other)

    @property
    def changed(self) -> str:
        """What of the example was changed, without which nothing was wrong."""
        return "" if self.derivative is None else self.derivative.subject.changed

    @property
    def jacobian(self) -> Any:
        """The slopes, or None."""
        return None if self.derivative is None else self.derivative.jacobian

    @property
    def has_slopes(self) -> bool:
        """Whether there are slopes, and enough of them to tell patterns apart."""
        return self.jacobian is not None and self.jacobian.size > 3

    @cached_property
    def others(self) -> list["Clues"]:
        """The same for other gradients of the output: what explains these explains those."""
        known = self.derivative
        if known is None or known.jacobian is None or known.weights[0].ndim == 0:
            return []
        try:
            answers = known.answers
        except Refused:
            return []
        found = []
        for weights, answer in zip(known.trials[1:], answers[1:], strict=True):
            other = replace(known, weights=weights)
            vars(other).update(jacobian=known.jacobian)
            expected = (flat(weights) @ known.jacobian).reshape(self.got.shape)
            expected = np.where(known.skipped, 0.0, expected)
            found.append(Clues(answer, expected, self.rows, derivative=other))
        return found

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The shape of the output, if it is one array; otherwise ()."""
        weights = self.derivative.weights if self.derivative else []
        return weights[0].shape if len(weights) == 1 else ()

    def gives(self, change: Callable[[list[Any]], list[Any]] | None, jacobian: Any = None) -> bool:
        """Tell whether what came is the product of changed gradients of the output and slopes."""
        known = self.derivative
        jacobian = known.jacobian if jacobian is None else jacobian
        if jacobian is None:
            return False
        pairs = zip(known.trials, known.answers, strict=True)
        for weights, answer in pairs:
            product = flat(weights if change is None else change(weights)) @ jacobian
            product = np.where(known.skipped, 0.0, product.reshape(self.got.shape))
            if not self.near(answer, product):
                return False
        return True

    def gives_array(self, change: Callable[[Any], Any]) -> bool:
        """As `gives`, of an output that is one array."""
        return self.gives(lambda weights: [change(weights[0])])

    def gives_gradient_by(self, *variables: Any) -> bool:
        """Tell whether what came is the gradient by other arrays, or the sum of such gradients.

        Two directions tell, without all the slopes.
        """
        known = self.derivative
        rng = values.generator(1)
        for _ in range(2):
            direction = np.where(known.skipped, 0.0, rng.uniform(0.5, 1.5, self.got.shape))
            slopes = sum(known.slopes_of(v, direction) for v in variables)
            for weights, answer in zip(known.trials, known.answers, strict=True):
                off = abs(float((answer * direction).sum() - flat(weights) @ slopes))
                if not off <= self.tolerance:
                    return False
        return True


Pattern = Callable[[Clues], str | None]


def flat(arrays: Any) -> Any:
    """Return all entries of some arrays one after the other."""
    return np.concatenate([np.reshape(array, -1) for array in arrays])


def own_slopes(c: Clues) -> Any:
    """Return the slopes that the layer's backward stands for, or None if there are too many."""
    known = c.derivative
    sizes = [w.size for w in known.weights]
    if known.jacobian is None or sum(sizes) > ENTRIES:
        return None
    rows = []
    for i in range(sum(sizes)):
        unit = np.zeros(sum(sizes))
        unit[i] = 1
        parts = np.split(unit, np.cumsum(sizes)[:-1])
        arrays = [p.reshape(w.shape) for p, w in zip(parts, known.weights, strict=True)]
        rows.append(known.ask(arrays).reshape(-1))
    found = np.stack(rows)
    linear = np.stack([np.reshape(a, -1) for a in known.answers])
    return found if c.near(np.stack([flat(t) for t in known.trials]) @ found, linear) else None


def gives_with(c: Clues, change: Callable[[Any], Any], **others: Any) -> bool:
    """Tell whether what came is the gradient of the layer after a change, or of other arguments."""
    known = c.derivative
    other = copy.copy(known.subject)
    other.base = other.fresh()
    vars(other).update(others)
    try:
        change(other.base)
        with np.errstate(all="ignore"):
            return c.gives_gradient_by(variable_of(other, known.variable.kind, known.variable))
    except Exception:
        # It may refuse such a setting.
        return False


def variable_of(subject: Any, kind: str, like: Any, number: int | None = None) -> Any:
    """Return another variable: of this subject, or of this number."""
    return type(like)(subject, kind, like.number if number is None else number)


def ratio_of(got: Any, expected: Any, tolerance: float) -> float | None:
    """Return the one real factor between the two, if there is one."""
    largest = np.unravel_index(np.argmax(np.abs(expected)), expected.shape)
    ratio = (got[largest] / expected[largest]).real
    return float(ratio) if np.all(np.abs(got - ratio * expected) <= tolerance) else None
