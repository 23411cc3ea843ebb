"""Some entries are right, and where the others lie tells the mistake."""

import math
from functools import partial
from typing import Any

import numpy as np

from torchlite.nn.checks import is_integral
from torchlite.nn.nested import is_array, leaves
from torchlite.testing.patterns.clues import Clues, ratio_of
from torchlite.testing.patterns.moves import chosen

__all__ = [
    "at_one_place",
    "at_target",
    "flat_places",
    "only_where",
    "repeated_samples",
    "some_signs",
    "zero_places",
]

# How likely chance may be to give the entries that differ where a pattern says that they do.
CHANCE = 1 / 400
OUTSIDE = "only outside the first sample"


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


def said(c: Clues) -> str:
    """Say what all wrong entries are; of those that are 0, that this may be what they were."""
    what = what_differs(c, c.wrong)
    never = ", the others are right -> never written there?"
    return what + never if what == "got is 0" else what


def only_where(c: Clues) -> str | None:
    """Where the input, or gradOutput, is on one side of a number, everything is wrong."""
    where = condition(c)
    return where and f"{where}: {what_differs(c, c.wrong)}"


def condition(c: Clues) -> str | None:
    """Say on which side of which number everything is wrong."""
    if not some(c) or c.derivative is None:
        return None
    if place(c) is not None and c.wrong.sum() > 1:
        return None
    known = c.derivative
    beside = {"input" if known.variable.kind == "input" else "the parameter": known.here}
    if c.outputs == c.got.shape:
        beside["gradOutput"] = known.weights[0]
    compared = ~np.broadcast_to(known.skipped, c.got.shape)
    for name, numbers in beside.items():
        # Other numbers were the cause, so these are: chance is not.
        likely = c.changed == "numbers" and name != "gradOutput"
        where = side(numbers[compared], c.wrong[compared], name, 1 if likely else CHANCE)
        if where:
            return f"only where {where}"
    return None


def side(numbers: Any, wrong: Any, name: str, most: float) -> str | None:
    """Say on which side of a number those lie that are wrong; None if they lie on both."""
    chance = 1 / math.comb(wrong.size, int(wrong.sum()))
    negative = numbers < 0
    if (wrong == negative).all() and 0.5**wrong.size <= most:
        return f"{name} < 0"
    if (wrong == (numbers > 0)).all() and 0.5**wrong.size <= most:
        return f"{name} > 0"
    if chance > most:
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
    found = place(c)
    if found == OUTSIDE and not c.wrong[1:].all():
        # By chance: what is flat tells it.
        found = None
    found = found or condition(c)
    where = f"{found}, where" if found else "only where"
    zero = np.abs(c.expected) <= c.tolerance
    if (c.wrong == zero).all():
        return (
            f"{where} expected is 0: got is not -> does the forward saturate, mask or ignore these?"
        )
    # At its bounds, as those of a clipped slope.
    bounded, inside = c.expected[c.wrong], c.expected[~c.wrong]
    limit = np.abs(bounded).max()
    at_bound = c.wrong.sum() > 2 and np.abs(bounded).min() >= limit - c.tolerance
    if at_bound and np.ptp(bounded) <= c.tolerance:
        inside = inside * np.sign(bounded[0])
    several = len(np.unique(np.round(np.abs(inside), 9))) > 2
    if at_bound and several and inside.max() < 0.999 * limit and inside.min() > -1.001 * limit:
        return f"{where} expected is at its bound of {limit:.6g} -> saturation forgotten?"
    return None


def at_target(c: Clues) -> str | None:
    """All that is wrong is at the classes that the target names, or at all others."""
    target: Any = getattr(c.derivative.subject, "target", None) if c.derivative else None
    if not is_integral(target) or not some(c) or c.changed == "numbers":
        return None
    for axis in range(c.got.ndim):
        count = c.got.shape[axis]
        if target.shape != c.got.shape[:axis] + c.got.shape[axis + 1 :] or count < 3:
            continue
        named = np.moveaxis(np.arange(count) == target[..., None], -1, axis)
        for where, mask in (("the classes of the target", named), ("the other classes", ~named)):
            if (c.wrong <= mask).all() and c.wrong.sum() > max(1, mask.sum() // 2):
                return f"only at {where}: {said(c)}"
    return None


def repeated_samples(c: Clues) -> str | None:
    """Where ids or labels are those of another sample, one of them counts."""
    if c.changed != "ids" or c.derivative is None:
        return None
    subject = c.derivative.subject
    labels = [a for a in leaves(subject.asked) if is_array(a) and is_integral(a) and a.ndim]
    if not labels or len(labels[0]) < 2:
        return None
    _, alike = np.unique(labels[0], axis=0, return_inverse=True)
    rows = np.arange(len(alike))
    alike = alike.reshape(-1)
    same = alike[:, None] == alike
    places = (
        ("first", (same & (rows < rows[:, None])).any(1)),
        (
            "last",
            (same & (rows > rows[:, None])).any(1),
        ),
    )
    for name, others in places:
        if not others.any():
            continue
        if c.derivative.variable.kind == "input":
            found = len(c.wrong) == len(rows) and (c.wrong.reshape(len(rows), -1).any(1) == others)
            if np.all(found) and not c.got[others].any():
                return f"of samples that are alike, only the {name} gets any -> counted once?"
        elif c.outputs[:1] == (len(rows),) and c.has_slopes:
            kept = np.flatnonzero(~others)
            if c.gives_array(partial(chosen, axis=0, kept=kept)):
                return f"of samples that are alike, only the {name} counts -> counted once?"
    return None


def zero_places(c: Clues) -> str | None:
    """All that is wrong is 0."""
    if some(c) and c.wrong.sum() > 1 and not c.got[c.wrong].any():
        where = place(c) or f"in {int(c.wrong.sum())} entries"
        return f"{where} got is 0, the others are right -> never written there?"
    return None


def some_signs(c: Clues) -> str | None:
    """All that is wrong has the wrong sign."""
    if some(c) and c.wrong.sum() > 2 and c.near(-c.got[c.wrong], c.expected[c.wrong]):
        return f"in {int(c.wrong.sum())} entries got = -expected -> sign wrong there?"
    return None


def at_one_place(c: Clues) -> str | None:
    """One entry, or one slice, is wrong."""
    where = place(c)
    return where and f"{where}: {said(c)}"


def place(c: Clues) -> str | None:
    """Say in which one entry, or slice, everything is wrong."""
    if not some(c) or c.changed == "numbers":
        # Not where they are makes the difference, then, but what they are.
        return None
    places = np.argwhere(c.wrong)
    last = set(places[:, 0]) if c.wrong.ndim else set[int]()
    of_input = c.derivative is not None and c.derivative.variable.kind == "input"
    if c.changed == "samples" and of_input and last == {len(c.wrong) - 1}:
        return "only in the last sample"
    if len(places) == 1:
        return f"only at index {places[0].tolist()}"
    for axis in range(c.wrong.ndim):
        found = set(places[:, axis])
        length = c.wrong.shape[axis]
        if axis == 0 and of_input and length > 2 and found == set(range(1, length)):
            return OUTSIDE
        if len(found) == 1 and length > 2:
            index = [":"] * c.wrong.ndim
            index[axis] = str(found.pop())
            return f"only at index [{', '.join(index)}]"
    return None
