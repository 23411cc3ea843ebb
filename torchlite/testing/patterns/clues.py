"""What a guess is made of: the numbers that came, and how others can be computed."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from torchlite.nn.nested import copy_arrays, is_array, is_finite, is_floating, map_arrays, shapes
from torchlite.testing import values

__all__ = [
    "Clues",
    "Derivative",
    "Pattern",
    "Refused",
    "gives_with",
    "ratio_of",
    "variable_of",
]

# Arrays of up to so many entries, by so many outputs, are differentiated anew for a guess.
ENTRIES = 400
SLOPES = 400_000
# Of layers with so many outputs at most, each is asked for its gradient by itself.
OUTPUTS = 150
# At so many other numbers a guess must hold, too.
ELSEWHERE = 2


class Refused(Exception):
    """The layer does not take what a guess would ask of it."""


@dataclass
class Derivative:
    """How the numbers under comparison came about, to compute others by."""

    # The array's `slopes(direction, by)`, and its values; see `slopes.Variable`.
    variable: Any
    by: str
    # What a layer gives for gradients of the output's arrays, and those that gave the numbers.
    backward: Callable[[Any, list[Any]], Any]
    weights: list[Any]
    # Entries that are not compared.
    skipped: Any
    # What is the same for other weights.
    kept: dict[str, Any] = field(default_factory=dict)

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
            return np.where(self.skipped, 0.0, self.backward(self.subject, weights))
        except Exception as error:
            raise Refused from error

    def at_other_numbers(self, n: int) -> "Derivative | None":
        """Return the same at numbers like these, in another order; None if they are refused."""
        subject = moved(self.subject, n)
        if subject is None:
            return None
        variable = variable_of(subject, self.variable.kind, self.variable)
        # A kink at 0 stays one.
        skipped = (variable.values == 0) & bool(np.any(self.skipped))
        return Derivative(variable, self.by, self.backward, self.weights, skipped)

    @property
    def own(self) -> Any:
        """The slopes that the layer's backward stands for, or None if there are too many."""
        if "own" not in self.kept:
            self.kept["own"] = self._own()
        return self.kept["own"]

    def _own(self) -> Any:
        sizes = [w.size for w in self.weights]
        if self.jacobian is None or sum(sizes) > OUTPUTS:
            return None
        rows = []
        for i in range(sum(sizes)):
            unit = np.zeros(sum(sizes))
            unit[i] = 1
            parts = np.split(unit, np.cumsum(sizes)[:-1])
            arrays = [p.reshape(w.shape) for p, w in zip(parts, self.weights, strict=True)]
            rows.append(self.ask(arrays).reshape(-1))
        found = np.stack(rows)
        linear = np.stack([np.reshape(a, -1) for a in self.answers])
        tolerance = 1e-6 * np.abs(linear).max(initial=0)
        products = np.stack([flat(t) for t in self.trials]) @ found
        return found if (np.abs(products - linear) <= tolerance).all() else None

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

    def no_finer_than(self, other: "Clues") -> "Clues":
        """Return the same, where what is rounding beside another mistake is none."""
        size = np.abs(other.expected).max(initial=0) or 1.0
        share = other.tolerance / size * np.abs(self.expected).max(initial=0)
        self.tolerance = max(self.tolerance, share)
        self.wrong = np.abs(self.got - self.expected) > self.tolerance
        return self

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
    def elsewhere(self) -> list["Clues"]:
        """The same at other numbers: what is no chance holds there, too."""
        known = self.derivative
        if known is None or known.jacobian is None or known.subject.changed == "zeros":
            return []
        found = []
        for n in range(ELSEWHERE):
            other = known.at_other_numbers(n + 1)
            try:
                if other is not None and other.jacobian is not None:
                    expected = np.where(other.skipped, 0.0, other.expected)
                    facts = {"rows": self.rows, "derivative": other}
                    clues = Clues(other.ask(other.weights), expected, **facts)
                    vars(clues)["elsewhere"] = []
                    found.append(clues.no_finer_than(self))
            except Refused:
                continue
        return [c for c in found if np.isfinite(c.got).all() and np.isfinite(c.expected).all()]

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


def moved(subject: Any, n: int) -> Any:
    """Return the subject at numbers like its own, in another order; None if it refuses them."""
    target: Any = getattr(subject, "target", None)
    others: dict[str, Any] = {}
    if is_array(target) and target.ndim:
        # What a row may be, a class or a distribution, is known of those that are there.
        others["target"] = np.roll(target, n, axis=0)
    # Of probabilities, there are none beyond 1.
    for most in (1.25, 1.0):
        found = moved_by(subject, values.generator(n), most, others)
        if found is not None:
            return found
    return None


def moved_by(subject: Any, rng: np.random.Generator, most: float, others: dict[str, Any]) -> Any:
    """Return the subject at its numbers times so much at most, and at other arguments."""

    def shuffled(array: Any) -> Any:
        if not is_floating(array):
            # The ids, or the mask, of another sample.
            return np.roll(array, 1, axis=0) if is_array(array) and array.ndim else array
        found = rng.permutation(array.reshape(-1)).reshape(array.shape)
        # Counts, and labels, are whole.
        whole = (array == np.round(array)).all()
        return found if whole else found * rng.uniform(0.75, most, array.shape)

    other = copy.copy(subject)
    vars(other).update(others, base=subject.fresh(), input=map_arrays(shuffled, subject.input))
    for parameter in other.parameters_of(other.base)[0]:
        parameter[...] = shuffled(parameter)
    try:
        with np.errstate(all="ignore"):
            output = other.forward(other.fresh(), copy_arrays(other.input))
    except Exception:
        return None
    if shapes(output) != shapes(subject.output) or not is_finite(output):
        return None
    other.output = copy_arrays(output)
    return other


def ratio_of(got: Any, expected: Any, tolerance: float) -> float | None:
    """Return the one real factor between the two, if there is one."""
    largest = np.unravel_index(np.argmax(np.abs(expected)), expected.shape)
    ratio = (got[largest] / expected[largest]).real
    return float(ratio) if np.all(np.abs(got - ratio * expected) <= tolerance) else None
