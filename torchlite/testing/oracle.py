"""Whether a gradient is the derivative, by the forward's slopes.

With few entries, each is moved by itself. With many, the adjoint identity <v, J u> = <J'v, u> is
tested along random directions u, and a wrong entry is found by halving. Where a gradient is not
the slope, the slopes on both sides tell a kink, where whatever lies between them is right, from
a fault. Equal entries are moved together, too: however they share a gradient, in sum it is right.
"""

import copy
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.nested import (
    copy_arrays,
    is_finite,
    is_floating,
    map_arrays,
    shapes,
)
from torchlite.testing import values
from torchlite.testing.patterns import Derivative, guess
from torchlite.testing.slopes import CENTRAL, COMPLEX, Sides, Unfit, Variable, magnitude
from torchlite.testing.subject import ROUNDING, SLACK, Subject, attempt
from torchlite.testing.violations import GradientMismatch, shown

__all__ = ["FLOOR", "Backward", "check_again", "check_gradient", "check_ties"]

# Up to so many entries each is moved by itself; fewer where a forward takes its time.
FEW = 200
FEW_OF_LARGE = 16
# What is rounded without a trace in the result, of the largest number that is near.
FLOOR = 1e-13
# What differences may be off by at most, of the same.
TREMOR = 1e-6
# So often it is tried whether outputs hang on entries that tie.
TRIALS = 3
# What share of the largest number is nothing: around it, all numbers are nearly equal.
NIL = 1e-4
# So many entries that are no numbers are looked at, and so many that are 0.
FEW_LOST = 8
FEW_ZEROS = 8
# A slope of which a quarter of the step makes so much more is none.
STEEP = 0.05
NOT_ANALYTIC = "the forward is not right for complex input"
# What is small among many gradients, of the largest one.
SMALL = (1e-4, 1e-8)


# Asked for a subject and the gradients of its output's arrays.
Backward = Callable[[Subject, list[Array]], Any]


def check_gradient(
    subject: Subject, kind: str, number: int | None, backward: Backward, name: str
) -> None:
    """Fail unless a gradient is the derivative by input `number` or parameter `number`.

    backward takes a subject and the list of output gradients, and returns the array that is
    checked. It is asked twice: for multiples of 1/16, so that failures read well, and for numbers
    that no lower precision can hold. Where most entries lie at kinks, numbers beside them are
    checked, too.
    """
    backward = _asked_once(backward)
    hardly = _check_at(subject, kind, number, backward, name)
    if hardly:
        beside = _beside(subject)
        if beside is None or _check_at(beside, kind, number, backward, name):
            problem = f"{name} was hardly checked: {hardly} lie at a kink. Pass another input."
            if not is_finite(subject.output) and _is_of_positive_numbers(subject):
                problem = (
                    f"{name} was hardly checked: of numbers below 0 its output is no number. "
                    "Pass positive ones."
                )
            Variable(subject, kind, number).fail(problem)
        subject.notes.append(f"{name}: checked beside the input, too: there {hardly} lie at a kink")


def _is_of_positive_numbers(subject: Subject) -> bool:
    """Tell whether the output would be finite of the same numbers without their signs."""
    given = [
        map_arrays(lambda a: abs(a) if is_floating(a) else a, table)
        for table in subject.asked.values()
    ]
    output = attempt(subject.forward, subject.fresh(), *given)
    return output is not None and is_finite(output)


def check_again(
    subject: Subject, kind: str, number: int | None, backward: Backward, name: str
) -> None:
    """Fail unless a gradient is right along a direction; if it is not, by a closer look."""
    variable = Variable(subject, kind, number)
    weights, backward = subject.weights(), _asked_once(backward)
    try:
        got = backward(subject, weights)
        right = np.shape(got) == variable.values.shape
        if right:
            if subject.changed == "zeros" and _lies_between(variable, weights, got):
                return
            check = _Check(subject, variable, backward, name)
            if check.lost(weights, got).any():
                return
            if not subject.tied:
                check.directions(weights, got)
            if kind == "input":
                check.ties(weights)
    except GradientMismatch:
        if subject.tied:
            raise
        right = False
    if not right:
        _check_at(subject, kind, number, backward, name)
    if subject.changed == "zeros" and kind == "input":
        # Of many entries, what differences are off by at kinks may hide what is wrong there.
        check = _Check(subject, variable, backward, name)
        check.zeros(weights, backward(subject, weights))


def _asked_once(backward: Backward) -> Backward:
    """Return a backward that remembers what it answered for each list of gradients."""
    answers: dict[tuple[int, int], tuple[Any, Any]] = {}

    def asked(subject: Subject, weights: list[Array]) -> Any:
        key = id(subject), id(weights)
        if key not in answers:
            # Both are held, so that nothing else gets their ids.
            answers[key] = (subject, weights), backward(subject, weights)
        return answers[key][1]

    return asked


def _check_at(
    subject: Subject, kind: str, number: int | None, backward: Backward, name: str
) -> str:
    """Fail unless the gradient is right; return what lies at kinks if it is nearly everything."""
    variable = Variable(subject, kind, number)
    even = subject.weights()
    rough = [v * subject.rng.uniform(0.9, 1.1, v.shape) for v in even]
    shape = variable.values.shape
    # Of many entries none reads well.
    first = rough if subject.large else even
    got = backward(subject, first)
    if np.shape(got) != shape:
        variable.fail(f"{name} has shape {np.shape(got)}, expected {shape}.")
    if not variable.values.size:
        return ""
    check = _Check(subject, variable, backward, name)
    lost = check.lost(first, got)
    if variable.values.size <= (FEW if subject.small else FEW_OF_LARGE):
        kinks = check.each((even, rough), lost)
    elif lost.any():
        return f"{lost.sum()} of {got.size} entries"
    else:
        kinks = check.directions(first, got, thorough=subject.large)
        if not kinks and not subject.large:
            kinks = check.directions(rough, backward(subject, rough), thorough=True)
    if kind == "input":
        check.ties(even)
    return kinks


def _lies_between(variable: Variable, weights: list[Array], got: Array) -> bool:
    """Tell whether, at first sight, a gradient lies between the slopes on both sides."""
    signs = values.signs(variable.subject.rng, got.shape)
    direction = np.where(got == 0, signs, np.sign(got))
    return bool(np.isfinite(got).all()) and _is_within(
        variable.sides(direction), weights, float(np.abs(got).sum()), 0.0
    )


def _is_within(sides: Sides, weights: list[Array], got: float, allowed: float) -> bool:
    """Tell whether a number lies between weighted slopes on both sides."""
    low = high = 0.0
    for v, ahead, behind, error, *_ in zip(weights, *sides, strict=True):
        low += float(np.minimum(v * ahead, v * behind).sum())
        high += float(np.maximum(v * ahead, v * behind).sum())
        allowed += float(np.abs(v * error).sum())
    return low - allowed <= got <= high + allowed


def check_ties(subject: Subject, backward: Backward, name: str) -> None:
    """Fail unless the gradients of equal entries, in whichever input, are right in sum."""
    variable = Variable(subject, "input", None)
    if variable.values.size:
        weights = subject.weights()
        _Check(subject, variable, backward, name).ties(weights)


def _beside(subject: Subject) -> Subject | None:
    """Return the subject at numbers near its own, of the same signs; None if it refuses them."""

    def move(array: Any) -> Any:
        if not is_floating(array):
            return array
        drawn = subject.rng.uniform(0.5, 1, array.shape) * values.signs(subject.rng, array.shape)
        tiny = np.abs(array) <= NIL * np.abs(array).max(initial=0)
        return np.where(tiny, drawn, array * (1 + drawn)) / 16 + array * 15 / 16

    other = copy.copy(subject)
    other.where = f"{subject.where} beside its input"
    other.input = map_arrays(move, subject.input)
    output = attempt(other.forward, other.fresh(), copy_arrays(other.input))
    if output is None or shapes(output) != shapes(subject.output) or not is_finite(output):
        return None
    other.output = copy_arrays(output)
    return other


class _Check:
    """One gradient under check."""

    def __init__(self, subject: Subject, variable: Variable, backward: Backward, name: str) -> None:
        self.subject = subject
        self.variable = variable
        self.backward = backward
        self.name = name
        self.direction = values.directions(subject.rng, variable.values.shape)
        # The last weights for which it was asked how far the gradient sways, and the answer.
        self.swayed: tuple[Any, Array] = (None, np.zeros(()))
        # Past numbers that are nearly equal, a step may go by any way.
        self.tremor = np.inf if variable.nearly_equal.size else TREMOR
        self.by = self._oracle()

    def _oracle(self) -> str:
        """Return COMPLEX if the complex step and central differences agree, else CENTRAL."""
        directions = [self.direction]
        if self.variable.kind == "input":
            numbers = self.variable.values
            count, places = self._classes(np.abs(numbers))
            if count < numbers.size:
                # Where ties move together, there is no kink to hide behind.
                speeds = values.directions(self.subject.rng, (count,))
                directions.append(speeds[places] * np.where(numbers < 0, -1.0, 1.0))
        for direction in directions:
            try:
                exact, _ = self.variable.slopes(direction, COMPLEX)
            except Unfit as reason:
                return self._central(f"complex input fails: {reason}")
            if self._disagree(exact, direction):
                return self._central(NOT_ANALYTIC)
        return COMPLEX

    def _changes(self, direction: Array, weights: list[Array], off: float) -> bool:
        """Tell whether the complex step, which something is off from, is wrong itself."""
        if self.by == CENTRAL:
            return False
        exact, _ = self.variable.slopes(direction, COMPLEX)
        if not self._disagree(exact, direction):
            central, errors = self.variable.slopes(direction, CENTRAL)
            apart = sum(
                (v * (c - e)).sum() for v, c, e in zip(weights, central, exact, strict=True)
            )
            seen = 2 * magnitude(weights, errors) + 1e-7 * magnitude(weights, central)
            if off > seen + 10 * abs(apart):
                return False
            if not self.variable.lacks(exact, direction, weights, off):
                return False
        self.by = self._central(NOT_ANALYTIC)
        return True

    def _central(self, why: str) -> str:
        self.subject.notes.append(f"{self.name}: central differences, because {why}")
        self._must_not_tremble()
        return CENTRAL

    def _must_not_tremble(self) -> None:
        tremor = self.variable.trembles()
        if tremor and self.variable.remembers():
            self.subject.fail(
                "updateOutput",
                f"in float64 it trembles by {tremor:.1g} where the input moves by less: called "
                "before with nearly the same numbers, it gives an old result.",
            )
        if tremor:
            self.subject.fail(
                "updateOutput",
                f"in float64 it trembles by {tremor:.1g} where the input moves by less, as lower "
                "precision does.",
            )

    def _disagree(self, exact: list[Array], direction: Array) -> bool:
        """Tell whether slopes differ from central differences by more than these may be off by."""
        if self.variable.agree(exact, direction):
            return False
        self._must_not_tremble()
        central, errors = self.variable.slopes(direction, CENTRAL)
        size = 1e-12 * max(float(np.abs(slope).max(initial=0)) for slope in exact)
        size += self.variable.blur(direction)
        different = [
            ~(np.abs(one - other) <= 2 * error + 1e-7 * np.abs(one) + size)
            & np.isfinite(one)
            & np.isfinite(error)
            for one, other, error in zip(exact, central, errors, strict=True)
        ]
        if not any(mask.any() for mask in different):
            return False
        # At a kink, complex numbers look from one side.
        ahead, behind, errors, _, jumps = self.variable.sides(direction)
        for mask, one, a, b, error, jump in zip(
            different, exact, ahead, behind, errors, jumps, strict=True
        ):
            slack = 2 * error + 1e-7 * np.abs(one) + size
            beyond = (one < np.minimum(a, b) - slack) | (one > np.maximum(a, b) + slack)
            if (mask & beyond & ~jump).any():
                return not self.variable.confirms(exact, central, direction, different)
        return False

    def _weigh(
        self, weights: list[Array], slopes: list[Array], errors: list[Array]
    ) -> tuple[float, float, float]:
        """Return the weighted sum of slopes, the size of what is summed, and its error."""
        expected = float(sum((v * s).sum() for v, s in zip(weights, slopes, strict=True)))
        return expected, magnitude(weights, slopes), magnitude(weights, errors)

    def lost(self, weights: list[Array], got: Array) -> Array:
        """Fail if an entry that has slopes is no number; return a mask of those with neither."""
        mask = np.asarray(~np.isfinite(got))
        places = np.argwhere(mask)
        for place in places[:FEW_LOST]:
            index = tuple(int(i) for i in place)
            single = _single(got.shape, index)
            ahead, behind, errors, _, jumps = self.variable.sides(single)
            size = max(np.abs([a, b]).max(initial=0) for a, b in zip(ahead, behind, strict=True))
            # What gets steeper all the way has none. What gets flatter differs by more than it is.
            if not any(
                ((jump | ~((error <= STEEP * size) | (error > 2 * size))) & (v != 0)).any()
                for v, error, jump in zip(weights, errors, jumps, strict=True)
            ):
                _, expected, allowed, _ = self._along(single, weights, got)
                self._fail_alone(index, expected, allowed, weights, got, differing=len(places))
        return mask

    def zeros(self, weights: list[Array], got: Array) -> None:
        """Fail if the gradients of some zeros do not lie between the slopes on their sides.

        Only where each entry makes one of the output: of the kinks of several, added up with
        either sign, gradients may lie beyond both sides.
        """
        places = np.argwhere(self.variable.values == 0)
        alike = list(map(np.shape, weights)) == [got.shape] and got.ndim and got.shape[-1] > 1
        if not len(places) or not alike or self._hang(weights):
            return
        chosen = places[:: -(-len(places) // FEW_ZEROS)]
        wrong = []
        for place in chosen:
            index = tuple(int(i) for i in place)
            sides = self.variable.sides(_single(got.shape, index))
            moved = (sides.ahead[0] != 0) | (sides.behind[0] != 0)
            if sides.jumps[0].any() or moved.sum() > moved[index]:
                continue
            allowed = TREMOR * sum(magnitude(weights, side) for side in sides[:2])
            if not _is_within(sides, weights, float(got[index]), allowed):
                slopes = [self._weigh(weights, side, sides.errors)[0] for side in sides[:2]]
                nearest = min(slopes, key=lambda slope: abs(slope - got[index]))
                wrong.append((abs(nearest - got[index]), index, nearest, allowed))
        if wrong:
            _, index, nearest, allowed = max(wrong)
            self.variable.fail(
                f"{self.name} is not the derivative.",
                index=index,
                got=got[index],
                expected=nearest,
                allowed=allowed,
                oracle="one-sided differences at zeros",
                differing=len(wrong),
                entries=len(chosen),
            )

    # ---------------------------------------------------------------- entry by entry

    def each(self, weightings: tuple[list[Array], ...], lost: Array) -> str:
        """Check every entry by itself; return what lies at kinks if it is nearly everything.

        lost: a mask of those that are left out.
        """
        variable, shape = self.variable, self.variable.values.shape
        got = [self.backward(self.subject, weights) for weights in weightings]
        expected = [np.zeros(shape) for _ in weightings]
        size = [np.zeros(shape) for _ in weightings]
        error = [np.zeros(shape) for _ in weightings]
        for index in np.ndindex(shape):
            slopes, errors = variable.slopes(_single(shape, index), self.by)
            for k, weights in enumerate(weightings):
                expected[k][index], size[k][index], error[k][index] = self._weigh(
                    weights, slopes, errors
                )
        allowed = []
        kinks = lost.copy()
        for k, weights in enumerate(weightings):
            # What the layer's own sums may be off by: 1 - y * y is off by as much as 1 is.
            largest = max(variable.size(weights), default=0.0) + size[k].max()
            allowed.append(
                ROUNDING * size[k] + np.fmin(error[k], self.tremor * largest) + FLOOR * largest
            )
            kinks |= ~np.isfinite(expected[k])
            if (~(np.abs(got[k] - expected[k]) <= allowed[k]) & ~kinks).any():
                allowed[k] = allowed[k] + SLACK * self._sway(weights).max()
            wrong = ~(np.abs(got[k] - expected[k]) <= allowed[k]) & ~kinks
            for index in map(tuple, np.argwhere(wrong)):
                direction = _single(shape, index)
                if kinks[index]:
                    continue
                kinks[index] = self._between(direction, weights, got[k][index], allowed[k][index])
                if not kinks[index]:
                    kinks |= self._together_only(index, weights, expected[k], allowed[k])
                off = abs(got[k][index] - expected[k][index])
                if not kinks[index] and self._changes(direction, weights, off):
                    return self.each(weightings, lost)
        self.subject.count_kinks(self.name, int(kinks.sum()), kinks.size)
        for k in range(len(weightings)):
            self.subject.compare(
                variable.method,
                f"{self.name} is not the derivative.",
                np.where(kinks, 0.0, got[k]),
                np.where(kinks, 0.0, expected[k]),
                allowed=allowed[k],
                oracle=self.by,
                hints={"derivative": self._derivative(weightings[k], kinks)},
                kind=GradientMismatch,
            )
        if 4 * kinks.sum() > 3 * kinks.size:
            return f"{kinks.sum()} of {kinks.size} entries"
        return ""

    def _together_only(
        self, index: tuple[int, ...], weights: list[Array], expected: Array, allowed: Array
    ) -> Array:
        """Return a mask of the entries that tie with one, if slopes are another thing in sum.

        One of three that tie at a median makes no difference; moved together they do.
        """
        along = self._tie(index)
        alike = along != 0
        if self.variable.kind != "input" or alike.sum() == 1:
            return np.zeros(alike.shape, bool)
        slopes, errors = self.variable.slopes(along, self.by)
        together, _, error = self._weigh(weights, slopes, errors)
        apart = float((expected * along).sum())
        if abs(together - apart) > error + 100 * allowed[alike].sum():
            return alike
        kinks = self.variable.sides(_single(alike.shape, index)).kinks
        hang = [v * kink for v, kink in zip(weights, kinks, strict=True)]
        return alike & self._hang(hang)

    def _tie(self, index: tuple[int, ...]) -> Array:
        """Return the direction in which an entry and all of its size move and stay equal."""
        numbers = self.variable.values
        _, places = self._classes(np.abs(numbers))
        along = np.where((numbers < 0) == (numbers[index] < 0), 1.0, -1.0)
        return np.where(places == places[index], along, 0.0)

    def _derivative(self, weights: list[Any], skipped: Any) -> Derivative:
        """Return what a guess at the mistake computes with."""
        return Derivative(self.variable, self.by, self.backward, weights, skipped)

    def _guess(self, weights: list[Any], got: Any) -> str | None:
        derivative = self._derivative(weights, np.zeros(got.shape, bool))
        if derivative.expected is None:
            return None
        return guess(got, derivative.expected, rows=self.subject.rows, derivative=derivative)

    def ties(self, weights: list[Array]) -> None:
        """Check the sum of the gradients of equal entries, and of those of equal size."""
        numbers, rng = self.variable.values, self.subject.rng
        got = self.backward(self.subject, weights)
        for alike in (numbers, np.abs(numbers)):
            found, places = self._classes(alike)
            if found == numbers.size:
                continue
            along = np.where(alike == numbers, 1.0, -1.0)
            speeds = values.directions(rng, (found,))
            if self._right(speeds[places] * along, weights, got):
                continue
            counts = np.bincount(places.reshape(-1))
            for which in np.argsort(-counts)[: int((counts > 1).sum())]:
                direction = np.where(places == which, along, 0.0)
                if not self._right(direction, weights, got):
                    number = alike[places == which][0]
                    if number == 0 and self._bends(direction, weights):
                        # As of several zeros: what is added up may lie beyond both sides.
                        continue
                    tie = f"{counts[which]} entries that tie at {shown(number)}"
                    self._fail_in_sum(tie, direction, weights, got)

    def _right(self, direction: Array, weights: list[Array], got: Array) -> bool:
        moved, expected, allowed, wrong = self._along(direction, weights, got)
        if not wrong or self._between(direction, weights, moved, allowed):
            return True
        changed = self._changes(direction, weights, abs(moved - expected))
        return changed and self._right(direction, weights, got)

    def _between(self, direction: Array, weights: list[Array], got: float, allowed: float) -> bool:
        """Tell whether there is a kink, and what came lies between the slopes on its sides."""
        sides = self.variable.sides(direction)
        bent = False
        for v, kink, jump in zip(weights, sides.kinks, sides.jumps, strict=True):
            bends = kink & (v != 0)
            if bends.any() and (jump[bends].any() or self.subject.composed):
                return True
            bent |= bool(bends.any())
        return bent and _is_within(sides, weights, got, allowed)

    def _bends(self, direction: Array, weights: list[Array]) -> bool:
        kinks = self.variable.sides(direction).kinks
        return any((kink & (v != 0)).any() for v, kink in zip(weights, kinks, strict=True))

    # ---------------------------------------------------------------- many at once

    def directions(self, weights: list[Array], got: Array, *, thorough: bool = False) -> str:
        """Check along random directions; return what lies at kinks if it is everything."""
        variable, subject, name = self.variable, self.subject, self.name
        size = np.abs(got)
        # The small ones by themselves, too, beside which others would be large.
        small = [size <= share * size.max() for share in SMALL] if thorough else []
        drawn = (mask * values.directions(subject.rng, size.shape) for mask in small if mask.any())
        for direction in (self.direction, *drawn):
            wrong = self._along(direction, weights, got)[-1]
            if wrong:
                # Outputs at a kink are taken out of the sum on both sides.
                kinks = variable.sides(direction).kinks
                count, outputs = sum(int(k.sum()) for k in kinks), sum(k.size for k in kinks)
                if count:
                    self._at_kinks([v * k for v, k in zip(weights, kinks, strict=True)])
                    weights = [np.where(k, 0, v) for v, k in zip(weights, kinks, strict=True)]
                    got = self.backward(subject, weights)
                    subject.count_kinks(name, count, outputs)
                    if not any(v.any() for v in weights):
                        return f"{count} of {outputs} outputs"
                    wrong = self._along(direction, weights, got)[-1]
            while wrong:
                index = self._search(direction, weights, got)
                single = _single(size.shape, index)
                moved, expected, *_ = self._along(single, weights, got)
                if self._changes(single, weights, abs(moved - expected)):
                    return self.directions(weights, got, thorough=thorough)
                if not self._hang(weights):
                    self._fail_at(index, direction, weights, got)
                # What ties is asked for in sum; what does not is left.
                weights = self._without_hanging(weights)
                got = self.backward(subject, weights)
                wrong = self._along(direction, weights, got)[-1]
        return ""

    def _at_kinks(self, weights: list[Array]) -> None:
        """Check that gradients of outputs at kinks lie between the slopes on their sides."""
        got = self.backward(self.subject, weights)
        if not got.any() or self._right(np.sign(got), weights, got):
            return
        if self._hang(weights):
            # These are asked for in sum.
            weights = self._without_hanging(weights)
            got = self.backward(self.subject, weights)
            if not got.any() or self._right(np.sign(got), weights, got):
                return
        direction = np.sign(got)
        self._fail_in_sum(
            f"{np.count_nonzero(direction)} entries at kinks or ties", direction, weights, got
        )

    @cached_property
    def hanging(self) -> list[Array]:
        """Masks of outputs to which entries that tie add other than what each does by itself.

        As to a maximum, a median, a sort: three speeds that add up to one for all tell. |x| at 0
        has a kink, too, but there the entries add up.
        """
        variable, rng = self.variable, self.subject.rng
        masks = [np.zeros(y.shape, bool) for y in variable.here]
        numbers = variable.values
        if variable.kind != "input" or self._classes(np.abs(numbers))[0] == numbers.size:
            return masks
        for along in (np.ones_like(numbers), np.where(numbers < 0, -1.0, 1.0)):
            whole = variable.sides(along)
            for _ in range(TRIALS):
                one, two = rng.uniform(0.2, 0.4, (2, *numbers.shape))
                parts = [variable.sides(speed * along) for speed in (one, two, 1 - one - two)]
                for k, mask in enumerate(masks):
                    jump = whole.jumps[k] | np.any([part.jumps[k] for part in parts], 0)
                    apart = np.any([part.kinks[k] for part in parts], 0) & ~whole.kinks[k]
                    errors = whole.errors[k] + sum(part.errors[k] for part in parts)
                    for side in ("ahead", "behind"):
                        slopes = [getattr(part, side)[k] for part in parts]
                        slack = 4 * errors + 1e-6 * sum(np.abs(slope) for slope in slopes)
                        apart |= np.abs(sum(slopes) - getattr(whole, side)[k]) > slack
                    mask |= apart & ~jump
        return masks

    def _hang(self, weights: list[Array]) -> bool:
        """Tell whether outputs with a weight hang on entries that tie."""
        return any((v[mask] != 0).any() for v, mask in zip(weights, self.hanging, strict=True))

    def _without_hanging(self, weights: list[Array]) -> list[Array]:
        return [np.where(mask, 0, v) for v, mask in zip(weights, self.hanging, strict=True)]

    def _classes(self, numbers: Array) -> tuple[int, Array]:
        """Return how many different numbers there are, and of each entry which it has.

        What is so nearly equal that a step leads from the one to the other ties, too.
        """
        flat = numbers.reshape(-1)
        order = np.argsort(flat, kind="stable")
        steps = np.diff(flat[order]) > self.variable.near
        places = np.empty(flat.size, int)
        places[order] = np.cumsum(np.concatenate([[0], steps]))
        return int(steps.sum()) + 1, places.reshape(numbers.shape)

    def _along(
        self, direction: Array, weights: list[Array], got: Array
    ) -> tuple[float, float, float, bool]:
        """Return <got, u>, <v, J u>, what they may differ by, and whether it is more."""
        slopes, errors = self.variable.slopes(direction, self.by)
        moved = float((got * direction).sum())
        expected, size, error = self._weigh(weights, slopes, errors)
        size += float(np.abs(got * direction).sum())
        largest = size + sum(self.variable.size(weights))
        allowed = ROUNDING * size + np.fmin(error, self.tremor * largest) + FLOOR * largest
        if not abs(moved - expected) <= allowed:
            allowed += SLACK * (self._sway(weights) * np.abs(direction)).sum()
        return moved, expected, float(allowed), not abs(moved - expected) <= allowed

    def _sway(self, weights: list[Array]) -> Array:
        """Return how far each entry moves where the input is rounded otherwise.

        What divides by the spread of nearly equal numbers makes much of that.
        """
        if self.swayed[0] is not weights:

            def moved(input: Any) -> list[Array]:
                other = copy.copy(self.subject)
                other.input = input
                return [self.backward(other, weights)]

            (sway,) = self.subject.sways(moved)
            self.swayed = weights, np.fmax(sway, sway.mean())
        return self.swayed[1]

    def _search(self, direction: Array, weights: list[Array], got: Array) -> tuple[int, ...]:
        """Return the index of an entry that is wrong, or is so together with others."""
        found = np.arange(direction.size)
        while len(found) > 1:
            half = found[: len(found) // 2]
            part = np.zeros(direction.shape)
            part.reshape(-1)[half] = direction.reshape(-1)[half]
            found = half if self._along(part, weights, got)[-1] else found[len(half) :]
        return tuple(int(i) for i in np.unravel_index(int(found[0]), direction.shape))

    def _fail_at(
        self, index: tuple[int, ...], direction: Array, weights: list[Array], got: Array
    ) -> None:
        _, expected, allowed, wrong = self._along(_single(got.shape, index), weights, got)
        if wrong:
            self._fail_alone(index, expected, allowed, weights, got)
        self._fail_in_sum("no entry alone, but all of them together", direction, weights, got)

    def _fail_alone(
        self,
        index: tuple[int, ...],
        expected: float,
        allowed: float,
        weights: list[Array],
        got: Array,
        **facts: int,
    ) -> None:
        self.variable.fail(
            f"{self.name} is not the derivative.",
            index=index,
            got=got[index],
            expected=expected,
            allowed=allowed,
            oracle=self.by,
            entries=got.size,
            pattern=self._guess(weights, got),
            **facts,
        )

    def _fail_in_sum(self, which: str, direction: Array, weights: list[Array], got: Array) -> None:
        moved, expected, allowed, _ = self._along(direction, weights, got)
        self.variable.fail(
            f"{self.name} is not the derivative of {which}: in sum got {shown(moved)}, expected "
            f"{shown(expected)} ({self.by}), off by {abs(moved - expected):.3g}, allowed "
            f"{allowed:.3g}.",
            got=moved,
            expected=expected,
            allowed=allowed,
            oracle=self.by,
        )


def _single(shape: tuple[int, ...], index: Any) -> Any:
    direction = np.zeros(shape)
    direction[index] = 1
    return direction
