"""What kind of mistake would give these numbers: one small function a pattern.

A guess must explain every entry that differs, within rounding; in doubt there is none. The first
pattern in the list that does is told, so that what is simple comes first.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np

from torchlite.nn.nested import is_array, is_floating, leaves

__all__ = ["Derivative", "guess"]

# Arrays of up to so many entries, by so many outputs, are differentiated anew for a guess.
ENTRIES = 400
SLOPES = 400_000
# How likely chance may be to give the entries that differ where a pattern says that they do.
CHANCE = 1 / 400


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
        shape = self.here.shape
        outputs = sum(w.size for w in self.weights)
        if self.here.size > ENTRIES or self.here.size * outputs > SLOPES:
            return None
        return self._jacobian_of(self.variable)

    def _jacobian_of(self, variable: Any) -> Any:
        columns = []
        for index in np.ndindex(variable.values.shape):
            direction = np.zeros(variable.values.shape)
            direction[index] = 1
            slopes, _ = variable.slopes(direction, self.by)
            columns.append(flat(slopes))
        found = np.stack(columns, axis=1)
        return np.where(np.isfinite(found), found, 0)

    def jacobian_by(self, kind: str, number: int) -> Any:
        """The same by another array of the same layer."""
        return self._jacobian_of(type(self.variable)(self.subject, kind, number))

    @property
    def expected(self) -> Any:
        """The gradient by the slopes, or None."""
        if self.jacobian is None:
            return None
        return (flat(self.weights) @ self.jacobian).reshape(self.here.shape)

    @cached_property
    def trials(self) -> list[list[Any]]:
        """Gradients of the output to try: those that were used, and drawn ones."""
        rng = np.random.default_rng(0)
        drawn = [[rng.uniform(-2, 2, w.shape) for w in self.weights] for _ in range(2)]
        return [self.weights, *drawn]

    @cached_property
    def answers(self) -> list[Any]:
        """What the layer gives for each trial, 0 where nothing is compared."""
        found = [self.backward(list(weights)) for weights in self.trials]
        return [np.where(self.skipped, 0.0, answer) for answer in found]


@dataclass
class Clues:
    """What came, what was expected, and what else is known."""

    got: Any
    expected: Any
    # The number of samples in the batch.
    rows: int = 0
    # What was accumulated before; the scale that was asked for, and what scale 1 gives.
    previous: Any = None
    scale: float | None = None
    ones: Any = None
    start: float | None = None
    derivative: Derivative | None = None
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
    def jacobian(self) -> Any:
        """The slopes, or None."""
        return None if self.derivative is None else self.derivative.jacobian

    @cached_property
    def others(self) -> list["Clues"]:
        """The same for other gradients of the output: what explains these explains those."""
        known = self.derivative
        if known is None or known.jacobian is None or known.weights[0].ndim == 0:
            return []
        found = []
        for weights, answer in zip(known.trials[1:], known.answers[1:], strict=True):
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
        assert self.derivative is not None
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


Pattern = Callable[[Clues], str | None]


def flat(arrays: Any) -> Any:
    """Return all entries of some arrays one after the other."""
    return np.concatenate([np.reshape(array, -1) for array in arrays])


# ---------------------------------------------------------------- one number explains all


def previous_alone(c: Clues) -> str | None:
    """What was there before matters where it should not, or does not where it should."""
    before = c.previous
    if before is None or not before.any():
        return None
    if c.is_got(before):
        return "got = what was there before -> never added?"
    if c.is_got(c.expected - before):
        return "got = the last call's part alone -> overwrites instead of accumulating?"
    if c.is_got(2 * before - c.expected):
        return "got adds the negative -> wrong sign?"
    ratio = ratio_of(c.got - c.expected + before, before, c.tolerance)
    if ratio is not None:
        return f"got = {ratio:.6g} * what was there before, and what the call adds -> scaled, too?"
    return None


def scaled(c: Clues) -> str | None:
    """The scale is ignored, applied twice, or rounded."""
    if c.scale is None or c.ones is None or not c.ones.any() or c.scale == 1:
        return None
    s = c.scale
    if c.is_got(c.ones):
        return f"got = what scale 1 gives, not {shown(s)} -> scale ignored?"
    if c.is_got(s * s * c.ones):
        return f"got = {shown(s)} * expected, the scale -> scale applied twice?"
    if c.start is not None and c.is_got(c.expected + (s - 1) * c.start):
        return f"got = {shown(s)} * what was there before, and what the call adds -> scaled, too?"
    if int(s) != s and c.is_got(int(s) * c.ones):
        return f"got = what scale {int(s)} gives, not {shown(s)} -> scale made a whole number?"
    return None


def gradInput_scaled(c: Clues) -> str | None:
    """The gradient of the input is scaled, too."""
    if c.scale not in (None, 1) and c.ones is None and c.is_got(c.scale * c.expected):
        return f"got = {shown(c.scale)} * expected, the scale -> gradInput scaled, too?"
    return None


def never_written(c: Clues) -> str | None:
    """Nothing came."""
    return None if c.got.any() else "got is all zero -> never written?"


def transposed(c: Clues) -> str | None:
    """The gradient's axes are exchanged, or those of a square operand."""
    for order in orders(c.got.shape):
        if c.is_got(c.expected.transpose(order)):
            which = "" if c.got.ndim == 2 else f" by {list(order)}"
            return f"got = expected transposed{which} -> operands swapped?"
    return None


def one_factor(c: Clues) -> str | None:
    """One factor is off everywhere."""
    ratio = ratio_of(c.got, c.expected, c.tolerance)
    if ratio is None:
        return None
    if math.isclose(ratio, -1, rel_tol=1e-6):
        return "got = -expected -> wrong sign?"
    rows, entries = c.rows, c.got.size
    if rows > 2 and math.isclose(ratio * rows, 1, rel_tol=1e-6):
        return (
            f"got = expected / {rows} and the batch has {rows} rows -> averaged instead of summed?"
        )
    if rows > 2 and math.isclose(ratio, rows, rel_tol=1e-6):
        return (
            f"got = {rows} * expected and the batch has {rows} rows -> summed instead of averaged?"
        )
    if math.isclose(ratio, 2, rel_tol=1e-6):
        return "got = 2 * expected -> doubled?"
    if math.isclose(ratio, 0.5, rel_tol=1e-6):
        return "got = expected / 2 -> a factor of 2 is missing?"
    counts = [(entries, "the number of entries")]
    if c.derivative is not None:
        outputs = sum(w.size for w in c.derivative.weights)
        counts += [(outputs, "the number of outputs")]
        counts += [
            (outputs // n, "the number of outputs that share each")
            for n in c.got.shape
            if outputs % n == 0
        ]
    for count, what in counts:
        if count > 2 and math.isclose(ratio * count, 1, rel_tol=1e-6):
            return f"got = expected / {count}, {what} -> averaged instead of summed?"
        if count > 2 and math.isclose(ratio, count, rel_tol=1e-6):
            return f"got = {count} * expected, {what} -> summed instead of averaged?"
    return f"got = {ratio:.6g} * expected everywhere -> a constant factor is off?"


def rounded(c: Clues) -> str | None:
    """What came is what was expected, but for its precision or bounds."""
    size = np.abs(c.expected).max()
    off = np.abs(c.got - c.expected).max()
    single = c.got.astype(np.float32).astype(np.float64)
    if off <= 1e-3 * size and (single == c.got).all() and c.got.size > 1:
        return "got has the digits of float32 -> computed in single precision?"
    whole = (c.got == np.trunc(c.got)).all() and np.abs(c.got - c.expected).max() < 1
    if whole and c.wrong.sum() > 1 and c.got.any():
        return "got = expected without its fraction -> made a whole number?"
    low, high = c.got.min(), c.got.max()
    for bounds in ((-max(-low, high), max(-low, high)), (low, np.inf), (-np.inf, high)):
        clipped = np.clip(c.expected, *bounds)
        inside = (c.expected > bounds[0]) & (c.expected < bounds[1])
        round_number = len(f"{high:.12g}") < 4
        enough = inside.sum() > 1 - round_number and c.wrong.sum() > 1
        if c.is_got(clipped) and enough and bounds[0] < 0 < bounds[1]:
            return f"got = expected between {shown(bounds[0])} and {shown(bounds[1])} -> clipped?"
    return None


# ---------------------------------------------------------------- some entries are right


def some(c: Clues) -> bool:
    """Tell whether some entries are wrong and some are right, enough of both to say where."""
    alive = c.wrong.size - (int(c.derivative.skipped.sum()) if c.derivative else 0)
    wrong = int(c.wrong.sum())
    return 0 < wrong < alive


def what_differs(c: Clues, mask: Any) -> str:
    """Say what the entries of a mask are, beside what was expected."""
    got, expected = c.got[mask], c.expected[mask]
    if not got.any():
        return "got is 0"
    if not expected.any():
        return "got is not 0"
    ratio = ratio_of(got, expected, c.tolerance)
    negated = ratio is not None and math.isclose(ratio, -1, rel_tol=1e-6)
    if ratio is None or (len(got) < 2 and not negated):
        return "got is another number"
    return "got = -expected" if negated else f"got = {ratio:.6g} * expected"


def only_where(c: Clues) -> str | None:
    """Where the input, or gradOutput, is on one side of a number, everything is wrong."""
    where = condition(c)
    return where and f"{where}{what_differs(c, c.wrong)}"


def condition(c: Clues) -> str | None:
    """Say on which side of which number everything is wrong."""
    if not some(c) or c.derivative is None:
        return None
    found = place(c)
    if found is not None and c.wrong.sum() > 1:
        return None
    known = c.derivative
    beside = {"input" if known.variable.kind == "input" else "the parameter": known.here}
    if c.outputs == c.got.shape:
        beside["gradOutput"] = known.weights[0]
    compared = ~np.broadcast_to(known.skipped, c.got.shape)
    for name, numbers in beside.items():
        where = side(numbers[compared], c.wrong[compared], name)
        if where:
            return f"only where {where}: "
    return None


def side(numbers: Any, wrong: Any, name: str) -> str | None:
    """Say on which side of a number those lie that are wrong; None if they lie on both."""
    chance = 1 / math.comb(wrong.size, int(wrong.sum()))
    negative = numbers < 0
    if (wrong == negative).all() and 0.5**wrong.size <= CHANCE:
        return f"{name} < 0"
    if (wrong == (numbers > 0)).all() and 0.5**wrong.size <= CHANCE:
        return f"{name} > 0"
    if chance > CHANCE:
        return None
    for values, called in ((numbers, name), (np.abs(numbers), f"|{name}|")):
        inside, outside = values[wrong], values[~wrong]
        if inside.min() > outside.max():
            return f"{called} > {bound(outside.max(), inside.min())}"
        if inside.max() < outside.min() and called == name:
            return f"{called} < {bound(inside.max(), outside.min())}"
    return None


def bound(low: float, high: float) -> str:
    """Return the shortest number between two."""
    for digits in range(5):
        number = round((low + high) / 2, digits)
        if low <= number <= high:
            return f"{number:g}"
    return f"{(low + high) / 2:g}"


def flat_places(c: Clues) -> str | None:
    """All that is wrong is not 0 where the output is flat."""
    if not some(c) or c.wrong.sum() < 2:
        return None
    where = place(c) or condition(c) or "only "
    zero = np.abs(c.expected) <= c.tolerance
    if (c.wrong == zero).all():
        return (
            f"{where}where expected is 0: got is not -> does the forward saturate, mask or ignore "
            "these?"
        )
    # At its bounds, as those of a clipped slope.
    bounded, inside = c.expected[c.wrong], c.expected[~c.wrong]
    limit = np.abs(bounded).max()
    at_bound = c.wrong.sum() > 2 and np.abs(bounded).min() >= limit - c.tolerance
    if at_bound and np.ptp(bounded) <= c.tolerance:
        inside = inside * np.sign(bounded[0])
    several = len(np.unique(np.round(np.abs(inside), 9))) > 2
    if at_bound and several and inside.max() < 0.999 * limit and inside.min() > -1.001 * limit:
        return f"{where}where expected is at its bound of {limit:.6g} -> forgets where it is saturated?"
    return None


def zero_places(c: Clues) -> str | None:
    """All that is wrong is 0."""
    if some(c) and c.wrong.sum() > 1 and not c.got[c.wrong].any():
        count = int(c.wrong.sum())
        where = place(c)
        return f"{where or f'in {count} entries '}got is 0, the others are right -> never written there?"
    return None


def some_signs(c: Clues) -> str | None:
    """All that is wrong has the wrong sign."""
    if some(c) and c.wrong.sum() > 2 and c.near(-c.got[c.wrong], c.expected[c.wrong]):
        return f"in {int(c.wrong.sum())} entries got = -expected -> sign wrong there?"
    return None


def at_one_place(c: Clues) -> str | None:
    """One entry, or one slice, is wrong."""
    where = place(c)
    if where is None:
        return None
    return f"{where}{what_differs(c, c.wrong)}"


def place(c: Clues) -> str | None:
    """Say in which one entry, or slice, everything is wrong."""
    if not some(c):
        return None
    places = np.argwhere(c.wrong)
    if len(places) == 1:
        return f"only at index {places[0].tolist()}: "
    for axis in range(c.wrong.ndim):
        found = set(places[:, axis])
        length = c.wrong.shape[axis]
        if len(found) == 1 and length > 2:
            index = [":"] * c.wrong.ndim
            index[axis] = str(found.pop())
            return f"only at index [{', '.join(index)}]: "
    return None


def slice_factors(c: Clues) -> str | None:
    """Each slice along an axis has a factor of its own."""
    if c.got.ndim < 2:
        return None
    for axis in reversed(range(c.got.ndim)):
        count = c.got.shape[axis]
        if count < 2 or c.got.size // count < 2:
            continue
        slices = [np.moveaxis(a, axis, 0).reshape(count, -1) for a in (c.got, c.expected)]
        full = [(np.abs(b) > c.tolerance).sum() for b in slices[1]]
        if min(full) < 2:
            continue
        ratios = [ratio_of(a, b, c.tolerance) for a, b in zip(*slices, strict=True)]
        if any(r is None for r in ratios):
            continue
        each = {0: "each row", c.got.ndim - 1: "each column"}.get(
            axis, f"each slice of axis {axis}"
        )
        found = ", ".join(f"{r:.7g}" for r in ratios[:4]) + (", ..." if count > 4 else "")
        return f"{each} is off by a factor of its own ({found}) -> a factor is missing or too much?"
    return None


def entry_factors(c: Clues) -> str | None:
    """Each entry is off by a number of its own place: the input, the output."""
    known = c.derivative
    if known is None or c.wrong.sum() < 3:
        return None
    beside = {"input" if known.variable.kind == "input" else "the parameter": known.here}
    output = leaves(known.subject.output)
    if len(output) == 1 and is_array(output[0]) and np.shape(output[0]) == c.got.shape:
        beside["output"] = output[0]
    target = getattr(known.subject, "target", None)
    if is_array(target) and is_floating(target) and target.shape == c.got.shape:
        beside["target"] = target
    for name, numbers in beside.items():
        if np.ptp(np.abs(numbers)) == 0:
            continue
        if c.is_got(c.expected * numbers):
            return f"got = expected * {name} -> a factor too much?"
        if (numbers != 0).all() and c.is_got(c.expected / numbers):
            return f"got = expected / {name} -> a factor is missing?"
        if c.is_got(np.abs(c.expected) * np.sign(numbers)) and not c.near(c.got, c.expected):
            return f"got has the sign of {name} -> sign wrong?"
    return None


def no_signs(c: Clues) -> str | None:
    """The magnitudes are right, all of one sign."""
    if c.wrong.sum() > 1 and c.is_got(np.abs(c.expected)):
        return "got = |expected| -> sign forgotten?"
    return None


# ---------------------------------------------------------------- something added


def added(c: Clues) -> str | None:
    """A multiple of something is added, or missing."""
    known = c.derivative
    if known is None or c.wrong.sum() < 3:
        return None
    off = c.got - c.expected
    if known.variable.kind == "parameter":
        ratio = ratio_of(off, known.here, c.tolerance)
        if ratio is not None:
            return f"got = expected + {ratio:.6g} * the parameter -> weight decay?"
    if c.outputs == c.got.shape and c.is_got(c.expected - known.weights[0]):
        if c.gives(None, known.jacobian - np.eye(c.got.size)):
            return "got = expected - gradOutput -> a shortcut, or a term of 1, is forgotten?"
    constant = off.mean()
    distinct = len(np.unique(np.round(c.expected, 9)))
    if np.ptp(off) <= c.tolerance and distinct > 3:
        return f"got = expected + {constant:.6g} everywhere -> a term is missing or too much?"
    return None


# ---------------------------------------------------------------- other entries of the same numbers


def along_axes(c: Clues) -> str | None:
    """The right numbers, shifted or in reverse along an axis."""
    for axis in range(c.expected.ndim):
        length = c.expected.shape[axis]
        if length < 2:
            continue
        if length > 2 and c.is_got(np.flip(c.expected, axis)):
            return f"got = expected in reverse along axis {axis} -> reversed?"
        for step in (1, -1):
            for name, moved in (("", shifted), (" around the end", np.roll)):
                if length > 2 and c.is_got(moved(c.expected, step, axis=axis)):
                    return (
                        f"got = expected one place {'on' if step > 0 else 'back'}{name} along "
                        f"axis {axis} -> off by one?"
                    )
    return None


def first_for_all(c: Clues) -> str | None:
    """All samples have the gradient of the first, or last."""
    if c.expected.ndim > 1 and len(c.expected) > 1:
        for which, name in ((0, "first"), (-1, "last")):
            if c.is_got(np.broadcast_to(c.expected[which], c.expected.shape)):
                return f"got = expected of the {name} sample everywhere -> the {name} sample alone?"
    return None


def other_places(c: Clues) -> str | None:
    """The same numbers at other places."""
    count = int(c.wrong.sum())
    if count < 4:
        return None
    got, expected = np.sort(c.got[c.wrong]), np.sort(c.expected[c.wrong])
    distinct = len(np.unique(np.round(expected / (c.tolerance or 1))))
    if distinct >= 4 and c.near(got, expected):
        return "got has the right numbers at other places -> a permutation, or its inverse?"
    return None


def summed_up(c: Clues) -> str | None:
    """Every entry is the sum of all, or of its slice."""
    if c.got.size < 3:
        return None
    if np.ptp(c.got) <= c.tolerance and abs(c.got.flat[0] - c.expected.sum()) <= c.tolerance:
        return "got = the sum of all of expected, everywhere -> summed over one axis too many?"
    return None


# ---------------------------------------------------------------- by the slopes


def with_slopes(c: Clues) -> bool:
    """Tell whether patterns of the slopes can be told apart."""
    return c.derivative is not None and c.jacobian is not None and c.jacobian.size > 3


def of_other_mode(c: Clues) -> str | None:
    """The gradient is that of the other mode."""
    known = c.derivative
    if known is None or known.jacobian is None or not hasattr(known.subject.base, "evaluate"):
        return None
    now = known.subject.base.train
    mode = "evaluation" if now else "training"
    if gives_with(c, lambda layer: layer.evaluate() if now else layer.training()):
        return f"got is the gradient in {mode} mode -> the mode is forgotten?"
    return None


def no_gradOutput(c: Clues) -> str | None:
    """What came is the same for any gradOutput."""
    known = c.derivative
    if known is None or c.got.size < 2 or known.weights[0].ndim == 0:
        return None
    if all(c.near(answer, known.answers[0]) for answer in known.answers):
        return "got is the same for another gradOutput -> does not depend on gradOutput?"
    return None


def some_samples(c: Clues) -> str | None:
    """Only some slices of gradOutput count."""
    if not with_slopes(c) or not c.outputs:
        return None
    for axis, length in enumerate(c.outputs):
        if length < 2:
            continue
        what = "sample" if axis == 0 and c.rows == length else f"slice of gradOutput's axis {axis}"
        for name, kept in (
            (f"only the first {what}", [0]),
            (f"only the last {what}", [length - 1]),
            (f"all but the first {what}", range(1, length)),
            (f"all but the last {what}", range(length - 1)),
        ):
            if c.gives_array(lambda w, a=axis, k=kept: chosen(w, a, k)):
                return f"got = expected of {name} -> is the rest overwritten, or left out?"
            if len(kept) == 1 and length > 1:
                index = kept[0]
                spread = lambda w, a=axis, k=index: np.broadcast_to(
                    np.take(w, [k], axis=a), w.shape
                )
                if c.gives_array(spread):
                    return (
                        f"got = expected of a gradOutput that is {name} of it everywhere "
                        "-> fed to each?"
                    )
    return None


def chosen(array: Any, axis: int, kept: Any) -> Any:
    """Return the array, zero outside of the slices that are kept."""
    found = np.zeros_like(array)
    index = (slice(None),) * axis + (list(kept),)
    found[index] = array[index]
    return found


def moved_gradOutput(c: Clues) -> str | None:
    """Gradients of other outputs: shifted, in reverse, transposed, reshaped, exchanged."""
    if not with_slopes(c):
        return None
    assert c.derivative is not None
    weights = c.derivative.weights
    if len(weights) == 2 and weights[0].shape == weights[1].shape and c.gives(lambda w: w[::-1]):
        return "got = expected of gradOutput with its entries swapped -> entries swapped?"
    for i in range(len(weights) if len(weights) > 1 else 0):
        for name, kept in ((f"output {i} alone", {i}), (f"all outputs but {i}", None)):

            def some_of(arrays: list[Any], i: int = i, kept: Any = kept) -> list[Any]:
                return [a * ((k == i) == (kept is not None)) for k, a in enumerate(arrays)]

            if c.gives(some_of):
                return f"got = expected of {name} -> is the other gradOutput left out?"
    if not c.outputs or weights[0].size < 3:
        return None
    for axis, length in enumerate(c.outputs):
        if length < 2:
            continue
        if c.gives_array(lambda w, a=axis: np.flip(w, a)):
            return f"got = expected of gradOutput reversed along axis {axis} -> reversed?"
        for step in (1, -1):
            for moved in (shifted, np.roll):
                if c.gives_array(lambda w, a=axis, s=step, m=moved: m(w, s, axis=a)):
                    return f"got = expected of gradOutput off by one along axis {axis}?"
    for order in permutations(range(len(c.outputs))):
        if order == tuple(range(len(c.outputs))):
            continue
        if c.gives_array(lambda w, o=order: w.transpose(o).reshape(w.shape)):
            return f"got = expected of gradOutput transposed by {list(order)} -> axes exchanged?"
        turned = tuple(c.outputs[i] for i in order)
        if c.gives_array(lambda w, o=order, t=turned: w.reshape(t).transpose(np.argsort(o))):
            return "got = expected of gradOutput reshaped where it must be transposed?"
    return None


def other_sums(c: Clues) -> str | None:
    """The sum of gradOutput over some axes, where that over others is meant."""
    if not with_slopes(c) or not c.outputs:
        return None
    sums = [
        axes
        for axes in subsets(len(c.outputs))
        if tuple(n for i, n in enumerate(c.outputs) if i not in axes) == c.got.shape
    ]
    for meant in sums:
        slopes = np.zeros((*c.outputs, *c.got.shape))
        kept = [i for i in range(len(c.outputs)) if i not in meant]
        for index in np.ndindex(c.outputs):
            slopes[index + tuple(index[i] for i in kept)] = 1
        if not c.near(slopes.reshape(c.jacobian.shape), c.jacobian):
            continue
        assert c.derivative is not None
        for axes in sums:
            answers = zip(c.derivative.trials, c.derivative.answers, strict=True)
            if axes != meant and all(c.near(w[0].sum(axis=tuple(axes)), a) for w, a in answers):
                return f"got = gradOutput summed over axes {axes}, where {meant} are meant?"
    return None


def formula(c: Clues) -> str | None:
    """Each entry is gradOutput times a function of the input and output that is another."""
    known = c.derivative
    if not with_slopes(c) or known is None or c.outputs != c.got.shape or c.got.size < 6:
        return None
    if known.variable.kind != "input" or len(np.unique(known.here)) < 6:
        return None
    theirs = own_slopes(c)
    if theirs is None or np.count_nonzero(theirs - np.diag(np.diag(theirs))):
        return None
    if np.abs(c.jacobian - np.diag(np.diag(c.jacobian))).max() > c.tolerance:
        return None
    x, y = known.here.reshape(-1), np.reshape(leaves(known.subject.output)[0], -1)
    with np.errstate(all="ignore"):
        formulas = {
            "input": x,
            "output": y,
            "(1 - output)": 1 - y,
            "(1 + output)": 1 + y,
            "input * (1 - input)": x * (1 - x),
            "output * (1 - output)": y * (1 - y),
            "(1 - input**2)": 1 - x**2,
            "(1 - output**2)": 1 - y**2,
            "output / input": y / x,
            "1 / input": 1 / x,
            "1 / output": 1 / y,
        }

    def named(slopes: Any) -> str | None:
        for name, numbers in formulas.items():
            if np.isfinite(numbers).all() and np.allclose(slopes, numbers, rtol=1e-7, atol=0):
                return name
        return None

    came, meant = named(np.diag(theirs)), named(np.diag(c.jacobian))
    if came is None:
        return None
    right = "" if meant is None else f", expected gradOutput * {meant}"
    return f"got = gradOutput * {came}{right} -> another function's slope?"


def reshaped(c: Clues) -> str | None:
    """The gradient is reshaped where it must be transposed."""
    for order in permutations(range(c.got.ndim)):
        if order == tuple(range(c.got.ndim)):
            continue
        moved = c.expected.transpose(order)
        if c.is_got(moved.reshape(c.got.shape)):
            return "got = expected reshaped where it must be transposed?"
        turned = tuple(c.got.shape[i] for i in order)
        if c.is_got(c.expected.reshape(turned).transpose(np.argsort(order))):
            return "got = expected transposed where it must be reshaped?"
    return None


def negative_gradOutput(c: Clues) -> str | None:
    """Negative gradients of the output do not count."""
    if with_slopes(c) and c.gives(lambda weights: [np.maximum(w, 0) for w in weights]):
        return "only where gradOutput < 0 -> are negative gradients dropped?"
    return None


def other_slopes(c: Clues) -> str | None:
    """The slopes have lost their signs, or the negative ones are left out."""
    if not with_slopes(c):
        return None
    slopes = c.jacobian
    if (slopes < 0).any() and c.gives(None, np.abs(slopes)):
        return "got = expected with all slopes positive -> signs forgotten?"
    if (slopes < 0).any() and c.gives(None, np.maximum(slopes, 0)):
        return "got = expected with negative slopes left out -> negative numbers taken for 0?"
    return None


def square_operand(c: Clues) -> str | None:
    """A square operand is transposed: outputs and entries change places."""
    if not with_slopes(c) or not c.outputs:
        return None
    slopes = c.jacobian.reshape(*c.outputs, *c.got.shape)
    n = len(c.outputs)
    if ((c.jacobian != 0).sum(axis=0) == 1).all() and c.outputs == c.got.shape:
        if not c.near(c.jacobian, c.jacobian.T) and c.gives(None, c.jacobian.T):
            return "got has the right numbers at other places -> a permutation for its inverse?"
    for a in range(n):
        for b in range(c.got.ndim):
            if c.outputs[a] == c.got.shape[b] > 1:
                turned = slopes.swapaxes(a, n + b).reshape(c.jacobian.shape)
                if not c.near(turned, c.jacobian) and c.gives(None, turned):
                    return "got = expected with a square operand transposed -> transposed?"
    return None


def independent(c: Clues) -> str | None:
    """Along an axis, each output is taken to depend on its own entries alone."""
    if not with_slopes(c) or not c.outputs:
        return None
    n = len(c.outputs)
    slopes = c.jacobian.reshape(*c.outputs, *c.got.shape)
    if c.outputs == c.got.shape:
        own = np.diag(np.diag(c.jacobian))
        if not c.near(own, c.jacobian) and c.gives(None, own):
            return (
                "got = each output's slope by its own entry alone -> the cross terms are missing?"
            )
    for a in range(n):
        for b in range(c.got.ndim):
            if c.outputs[a] != c.got.shape[b] or c.outputs[a] < 2:
                continue
            grid = np.indices(slopes.shape, sparse=True)
            for name, mask in (
                ("its own place", grid[a] == grid[n + b]),
                ("places before its own", grid[a] > grid[n + b]),
                ("the place before its own", grid[a] == grid[n + b] + 1),
                ("its own place and the one before", (grid[a] - grid[n + b]) // 2 == 0),
                ("other places than its own", grid[a] != grid[n + b]),
            ):
                kept = (slopes * mask).reshape(c.jacobian.shape)
                if not c.near(kept, c.jacobian) and c.gives(None, kept):
                    return (
                        f"got = expected as if along axis {b} an output depended on {name} alone "
                        "-> cross terms missing?"
                    )
    return None


def constant_statistics(c: Clues) -> str | None:
    """Each entry by its own factor, and what is missing has the form of mean and deviation."""
    if not with_slopes(c) or c.outputs != c.got.shape or c.got.size < 6:
        return None
    assert c.derivative is not None
    known = c.derivative
    # The layer's own slopes: each gradOutput by itself.
    theirs = own_slopes(c)
    if theirs is None:
        return None
    missing = known.jacobian - theirs
    if not np.abs(missing).max() > 0:
        return None
    blocks = parts_of(known.jacobian)
    if min(map(len, blocks)) < 3:
        return None
    for block in blocks:
        square = np.ix_(block, block)
        own, lost, whole = theirs[square], missing[square], known.jacobian[square]
        size = np.abs(whole).max()
        rank = rank_of(lost, size)
        rest = np.abs(own - np.diag(np.diag(own))).max()
        if rest <= 1e-9 * size:
            # Nothing else is there: what is lost is all that the statistics do.
            if not 0 < rank <= 2 or len(block) < rank + 2 or not np.diag(own).all():
                return None
        else:
            # One statistic is lost, and one is left.
            left = completed(own)
            if rank != 1 or left is None or rank_of(left + -lost, size) != 2:
                return None
    return (
        "got = expected without the cross terms of a sum, mean or deviation -> as if these were "
        "constant?"
    )


def rank_of(matrix: Any, size: float) -> int:
    """Return the rank of a matrix beside numbers of a size."""
    return int((np.linalg.svd(matrix, compute_uv=False) > 1e-7 * size).sum())


def completed(matrix: Any) -> Any:
    """Return the matrix of rank 1 that has the same entries off the diagonal, or None."""
    n = len(matrix)
    if n < 4 or not (matrix + np.eye(n)).all():
        return None
    found = matrix.copy()
    for i in range(n):
        others = [j for j in range(n) if j != i]
        ways = [
            matrix[i, j] * matrix[k, i] / matrix[k, j] for j in others for k in others if j != k
        ]
        if np.ptp(ways) > 1e-6 * np.abs(matrix).max():
            return None
        found[i, i] = np.mean(ways)
    return found


def own_slopes(c: Clues) -> Any:
    """Return the slopes that the layer's backward stands for, or None if there are too many."""
    known = c.derivative
    assert known is not None
    sizes = [w.size for w in known.weights]
    if known.jacobian is None or sum(sizes) > ENTRIES:
        return None
    rows = []
    for i in range(sum(sizes)):
        unit = np.zeros(sum(sizes))
        unit[i] = 1
        parts = np.split(unit, np.cumsum(sizes)[:-1])
        arrays = [p.reshape(w.shape) for p, w in zip(parts, known.weights, strict=True)]
        rows.append(np.where(known.skipped, 0.0, known.backward(arrays)).reshape(-1))
    found = np.stack(rows)
    linear = np.stack([np.reshape(a, -1) for a in known.answers])
    return found if c.near(np.stack([flat(t) for t in known.trials]) @ found, linear) else None


def parts_of(slopes: Any) -> list[Any]:
    """Return the groups of entries that depend on each other and on no others."""
    linked = (slopes != 0) | (slopes.T != 0) | np.eye(len(slopes), dtype=bool)
    left, found = set(range(len(slopes))), []
    while left:
        group, new = set(), {min(left)}
        while new:
            group |= new
            new = set(np.flatnonzero(linked[sorted(new)].any(axis=0))) - group
        found.append(np.array(sorted(group)))
        left -= group
    return found


def counted_once(c: Clues) -> str | None:
    """Of several contributions to an entry, one counts."""
    if not with_slopes(c) or not c.outputs:
        return None
    assert c.derivative is not None
    known = c.derivative
    slopes = c.jacobian.reshape(*c.outputs, -1)
    n = len(c.outputs)
    for summed in subsets(n):
        kept = [axis for axis in range(n) if axis not in summed]
        if not kept:
            continue
        several = False
        for weights, answer in zip(known.trials, known.answers, strict=True):
            parts = (slopes * weights[0][..., None]).sum(axis=tuple(summed))
            parts = parts.reshape(-1, c.got.size)
            present = np.abs(parts) > 0
            got = np.where(known.skipped, 0.0, answer).reshape(-1)
            one = (np.abs(parts - got) <= c.tolerance).any(axis=0)
            if not (one | ~present.any(axis=0) & (np.abs(got) <= c.tolerance)).all():
                break
            several = bool((present.sum(axis=0)[c.wrong.reshape(-1)] > 1).all())
        else:
            if several and c.wrong.sum() > 1:
                return (
                    "got = one of the parts that meet at each entry -> counted once where they "
                    "overlap or repeat?"
                )
    # A number of times that is taken for one.
    counts = c.jacobian
    if (counts == np.round(counts)).all() and counts.max() > 1 and counts.min() >= 0:
        if c.gives(None, np.minimum(counts, 1)):
            return "got = each part once, however often it occurs -> repeats counted once?"
    return None


def subsets(n: int) -> Iterator[list[int]]:
    """Yield the subsets of some axes."""
    for bits in range(2**n):
        yield [axis for axis in range(n) if bits >> axis & 1]


def of_another_array(c: Clues) -> str | None:
    """The gradient is that of another parameter, or of another entry of the input."""
    known = c.derivative
    if known is None or known.jacobian is None:
        return None
    kind = known.variable.kind
    arrays = (
        leaves(known.subject.input)
        if kind == "input"
        else known.subject.parameters_of(known.subject.base)[0]
    )
    names = known.subject.names if kind == "parameter" else []
    for number, array in enumerate(arrays):
        if number == known.variable.number or np.shape(array) != c.got.shape:
            continue
        if not is_floating(array):
            continue
        if c.gives(None, known.jacobian_by(kind, number)):
            if kind == "input":
                return f"got = the gradient of input[{number}] -> entries swapped?"
            return f"got = what {names[number]} should be -> that of another parameter?"
    same = [i for i, array in enumerate(arrays) if np.shape(array) == c.got.shape]
    if kind == "parameter" and len(same) > 1:
        if c.gives(None, sum(known.jacobian_by(kind, i) for i in same)):
            return f"got = the gradients of {len(same)} parameters added up -> one array for all?"
    return None


def of_other_settings(c: Clues) -> str | None:
    """The gradient as if a parameter, a setting or a target were another."""
    known = c.derivative
    if known is None or known.jacobian is None:
        return None
    subject = known.subject
    for number, parameter in enumerate(subject.parameters_of(subject.base)[0]):
        for name, change in CHANGES.items():
            changed = change(parameter)
            if changed.shape != parameter.shape or c.near(changed, parameter):
                continue

            def with_other(layer: Any, number: int = number, changed: Any = changed) -> None:
                subject.parameters_of(layer)[0][number][...] = changed

            if gives_with(c, with_other):
                what = subject.names[number]
                return f"got = expected as if the parameter of {what} were {name}?"
    for name in settings(subject.base):
        for value in (0.0, 1.0):
            if getattr(subject.base, name) != value:
                if gives_with(c, lambda layer, n=name, v=value: setattr(layer, n, v)):
                    return f"got = expected as if {name} were {value:g} -> {name} forgotten?"
    target = getattr(subject, "target", None)
    if is_array(target) and target.dtype.kind in "iu":
        for step in (1, -1):
            if gives_with(c, None, target=target + step):
                return f"got = expected with target {step:+d} -> off by one?"
    return None


CHANGES: dict[str, Callable[[Any], Any]] = {
    "1": np.ones_like,
    "without sign": np.abs,
    "transposed": np.transpose,
    "in reverse": np.flip,
    "in reverse along its last axes": lambda a: a[..., ::-1, ::-1] if a.ndim > 2 else a,
}


def settings(layer: Any) -> list[str]:
    """Return the names of a layer's attributes that are floating-point numbers."""
    names = {
        name: value for kind in type(layer).__mro__[::-1] for name, value in vars(kind).items()
    }
    names |= vars(layer)
    return [name for name, value in names.items() if type(value) is float and name != "output"]


def gives_with(c: Clues, change: Callable[[Any], None] | None, **others: Any) -> bool:
    """Tell whether what came is the gradient of the layer after a change."""
    known = c.derivative
    assert known is not None
    other = copy.copy(known.subject)
    other.base = other.fresh()
    vars(other).update(others)
    try:
        if change is not None:
            change(other.base)
        variable = type(known.variable)(other, known.variable.kind, known.variable.number)
        with np.errstate(all="ignore"):
            slopes = known._jacobian_of(variable)
    except Exception:
        # It may refuse such a setting.
        return False
    if slopes.shape != known.jacobian.shape or c.near(slopes, known.jacobian):
        return False
    return c.gives(None, slopes)


def other_mask(c: Clues) -> str | None:
    """Entries are dropped as in another forward."""
    known = c.derivative
    if known is None or not known.subject.draws or c.outputs != c.got.shape:
        return None
    weights = known.weights[0]
    if not weights.all():
        return None
    values = [np.unique(np.round(a / weights, 9)) for a in (c.got, c.expected)]
    if all(len(v) == 2 and 0 in v for v in values) and c.near(values[0], values[1]):
        return "got is 0 at other entries than expected -> the mask of another forward?"
    return None


def no_target(c: Clues) -> str | None:
    """The gradient is the same for another target."""
    known = c.derivative
    target = getattr(known.subject, "target", None) if known else None
    if known is None or not is_array(target) or target.ndim == 0:
        return None
    other = np.roll(target, 1) if not is_floating(target) else target[::-1] * 0.5 + 0.125
    try:
        criterion = known.subject.fresh()
        criterion.forward(known.subject.input, other)
        found = leaves(criterion.backward(known.subject.input, other))[known.variable.number]
    except Exception:
        return None
    if c.is_got(found * float(known.weights[0])) and c.got.any() and not (other == target).all():
        return "got is the same for another target -> does not depend on the target?"
    return None


PATTERNS: list[Pattern] = [
    previous_alone,
    scaled,
    gradInput_scaled,
    never_written,
    transposed,
    one_factor,
    rounded,
    no_gradOutput,
    no_target,
    of_another_array,
    some_samples,
    first_for_all,
    negative_gradOutput,
    other_mask,
    flat_places,
    only_where,
    along_axes,
    constant_statistics,
    independent,
    counted_once,
    some_signs,
    zero_places,
    at_one_place,
    no_signs,
    added,
    slice_factors,
    entry_factors,
    summed_up,
    reshaped,
    other_sums,
    moved_gradOutput,
    square_operand,
    other_slopes,
    of_other_mode,
    formula,
    of_other_settings,
    other_places,
]


def guess(got: Any, expected: Any, **facts: Any) -> str | None:
    """Return what kind of mistake would give these numbers, or None."""
    if got.shape != expected.shape or not got.size:
        return None
    if not np.isfinite(got).all():
        return "not finite" if np.isfinite(expected).all() else None
    if not np.isfinite(expected).all():
        return None
    clues = Clues(got, expected, **facts)
    for pattern in PATTERNS:
        if not expected.any() and pattern is not scaled:
            continue
        found = pattern(clues)
        if found and all(_words(pattern(other) or "") == _words(found) for other in clues.others):
            return found
    return None


def _words(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())


# ---------------------------------------------------------------- tools


def ratio_of(got: Any, expected: Any, tolerance: float) -> float | None:
    """Return the one real factor between the two, if there is one."""
    if not got.size or not expected.any():
        return None
    largest = np.unravel_index(np.argmax(np.abs(expected)), expected.shape)
    ratio = (got[largest] / expected[largest]).real
    return float(ratio) if np.all(np.abs(got - ratio * expected) <= tolerance) else None


def orders(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the orders of the axes that leave the shape as it is."""
    for order in permutations(range(len(shape))):
        if order != tuple(range(len(shape))) and tuple(shape[i] for i in order) == shape:
            yield order


def shifted(array: Any, step: int, axis: int) -> Any:
    """Return the array one place on along an axis; what comes in is 0."""
    moved = np.roll(array, step, axis=axis)
    index: list[Any] = [slice(None)] * array.ndim
    index[axis] = 0 if step > 0 else -1
    moved[tuple(index)] = 0
    return moved


def shown(number: Any) -> str:
    """Return a number as failures print it."""
    return f"{float(number):.12g}"
