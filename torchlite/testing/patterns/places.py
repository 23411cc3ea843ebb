"""Some entries are right, and where the others lie tells the mistake."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from torchlite.nn.checks import is_integral
from torchlite.nn.nested import is_array, leaves
from torchlite.testing.patterns.clues import Clues, ratio_of
from torchlite.testing.patterns.moves import chosen

__all__ = [
    "at_one_number",
    "at_one_place",
    "at_target",
    "before_the_last",
    "flat_everywhere",
    "flat_places",
    "in_one_part",
    "of_label",
    "only_where",
    "repeated_samples",
    "some_signs",
    "zero_places",
]

# How likely chance may be to give the entries that differ where a pattern says that they do.
CHANCE = 1 / 400
MASKED = "does the forward saturate, mask or ignore these?"
OUTSIDE = "only outside the first sample"


def some(c: Clues) -> bool:
    """Tell whether some entries are wrong and some are right, enough of both to say where."""
    alive = c.wrong.size - (int(c.derivative.skipped.sum()) if c.derivative else 0)
    wrong = int(c.wrong.sum())
    return 0 < wrong < alive


def what_differs(c: Clues, mask: Any) -> str:
    """Say what the entries of a mask are, beside what was expected."""
    return what(c.got[mask], c.expected[mask], c.tolerance)


def what(got: Any, expected: Any, tolerance: float) -> str:
    """Say what some entries are, beside what was expected of them."""
    if not got.any():
        return "got is 0"
    if not expected.any():
        return "got is not 0"
    ratio = ratio_of(got, expected, tolerance)
    negated = ratio is not None and math.isclose(ratio, -1, rel_tol=1e-6)
    if ratio is None or (len(got) < 2 and not negated):
        return "got is another number"
    return "got = -expected" if negated else f"got = {ratio:.6g} * expected"


def said(c: Clues) -> str:
    """Say what all wrong entries are; of those that are 0, that this may be what they were."""
    return with_never(what_differs(c, c.wrong))


def with_never(what: str) -> str:
    """Add to what all wrong entries are, if that is 0, what may be the cause."""
    never = ", the others are right -> never written there?"
    return what + never if what == "got is 0" else what


def everywhere(c: Clues, of: Callable[[Clues], Any]) -> Any:
    """Return what is compared of an array beside each gradient, here and elsewhere."""
    return np.concatenate([np.asarray(of(each))[compared(each)] for each in (c, *c.elsewhere)])


def compared(c: Clues) -> Any:
    """Return a mask of the entries that are compared."""
    skipped = np.zeros((), bool) if c.derivative is None else c.derivative.skipped
    return ~np.broadcast_to(skipped, c.got.shape)


def wrong_everywhere(c: Clues) -> str:
    """Say what all wrong entries are, here and elsewhere."""
    wrong = everywhere(c, lambda each: each.wrong)
    got, expected = (everywhere(c, lambda each, k=k: getattr(each, k)) for k in ("got", "expected"))  # type: ignore[misc]
    return what(got[wrong], expected[wrong], c.tolerance)


def only_where(c: Clues) -> str | None:
    """Where the input, or what stands beside it, is on one side of a number, all is wrong."""
    where = condition(c)
    return where and f"{where}: {wrong_everywhere(c)}"


def condition(c: Clues) -> str | None:
    """Say on which side of which number everything is wrong, here and elsewhere."""
    if not some(c) or c.derivative is None:
        return None
    if place(c) is not None and c.wrong.sum() > 1:
        return None
    wrong = everywhere(c, lambda each: each.wrong)
    for name in beside(c):
        # Other numbers were the cause, so these are: chance is not.
        likely = c.changed == "numbers" and name != "gradOutput"
        numbers = everywhere(c, lambda each, name=name: beside(each)[name])  # type: ignore[misc]
        where = side(numbers, wrong, name, 1 if likely else CHANCE)
        if where:
            return f"only where {where}"
    return None


def beside(c: Clues) -> dict[str, Any]:
    """Return what has a number for each entry, by its name."""
    known = c.derivative
    found = {"input" if known.variable.kind == "input" else "the parameter": known.here}
    if c.outputs == c.got.shape:
        found["gradOutput"] = known.weights[0]
    target: Any = getattr(known.subject, "target", None)
    if is_array(target) and target.shape == c.got.shape:
        found["input - target"] = known.here - target
        found["target"] = target.astype(float)
    return found


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
        below, above = outside[outside < inside.min()], outside[outside > inside.max()]
        if len(below) + len(above) == len(outside) and len(below) and len(above):
            low, high = bound(below.max(), inside.min()), bound(inside.max(), above.min())
            return f"{low} < {called} < {high}"
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
    if not some(c) or everywhere(c, lambda each: each.wrong).sum() < 2:
        return None
    found = place(c)
    if found == OUTSIDE and not c.wrong[1:].all():
        # By chance: what is flat tells it.
        found = None
    found = found or label(c) or condition(c)
    where = f"{found}, where" if found else "only where"
    wrong, expected = everywhere(c, lambda e: e.wrong), everywhere(c, lambda e: e.expected)
    zero = np.abs(expected) <= c.tolerance
    if (wrong == zero).all() or (found and zero[wrong].all()):
        return f"{where} expected is 0: got is not -> {MASKED}"
    # At its bounds, as those of a clipped slope.
    bounded, inside = expected[wrong], expected[~wrong]
    limit = np.abs(bounded).max()
    at_bound = c.wrong.sum() > 2 and np.abs(bounded).min() >= limit - c.tolerance
    if at_bound and np.ptp(bounded) <= c.tolerance:
        inside = inside * np.sign(bounded[0])
    several = len(np.unique(np.round(np.abs(inside), 9))) > 2
    if at_bound and several and inside.max() < 0.999 * limit and inside.min() > -1.001 * limit:
        return f"{where} expected is at its bound of {limit:.6g} -> saturation forgotten?"
    return None


def flat_everywhere(c: Clues) -> str | None:
    """The output is flat, and what came is not 0."""
    if c.derivative is None or c.expected.any() or c.changed == "zeros":
        return None
    asked = MASKED
    if c.derivative.variable.kind == "parameter" and c.changed != "numbers":
        asked = "does the forward use this parameter, or what was made of it before?"
    return f"expected is 0 everywhere, got is not -> {asked}"


def at_one_number(c: Clues) -> str | None:
    """All that is wrong has the same input, as where there is a kink."""
    known = c.derivative
    if known is None or known.variable.kind != "input" or not some(c):
        return None
    there = known.here[c.wrong]
    number = there.flat[0]
    same = (known.here == number) & compared(c)
    # One entry is the only one of its kind in most cases.
    if (there != number).any() or same.all() or (there.size < 2 and number != 0):
        return None
    which = "" if c.wrong[same].all() else ", and not at all of these"
    # At a kink, what is expected is one of many.
    what = "" if c.changed == "zeros" else f": {what_differs(c, c.wrong)}"
    return f"only where input = {number:g}{which}{what}"


def at_target(c: Clues) -> str | None:
    """All that is wrong is at the classes that the target names, or at all others."""
    target: Any = getattr(c.derivative.subject, "target", None) if c.derivative else None
    if not is_integral(target) or not some(c) or c.changed == "numbers":
        return None
    for axis in range(c.got.ndim):
        count = c.got.shape[axis]
        if target.shape != c.got.shape[:axis] + c.got.shape[axis + 1 :] or count < 3:
            continue

        def named(each: Clues, axis: int = axis, count: int = count) -> Any:
            of_classes = np.arange(count) == each.derivative.subject.target[..., None]
            return np.moveaxis(of_classes, -1, axis)

        wrong = everywhere(c, lambda each: each.wrong)
        of_target = everywhere(c, named)
        for where, mask in (
            ("the classes of the target", of_target),
            ("the other classes", ~of_target),
        ):
            if (wrong <= mask).all() and wrong.sum() > max(1, mask.sum() // 2):
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
    if not some(c) or everywhere(c, lambda e: e.wrong).sum() < 2:
        return None
    if wrong_everywhere(c) == "got is 0":
        where = place(c) or f"in {entries(c)}"
        return f"{where} got is 0, the others are right -> never written there?"
    return None


def some_signs(c: Clues) -> str | None:
    """All that is wrong has the wrong sign."""
    if not some(c) or everywhere(c, lambda e: e.wrong).sum() < 3:
        return None
    if wrong_everywhere(c) == "got = -expected":
        return f"in {entries(c)} got = -expected -> sign wrong there?"
    return None


def entries(c: Clues) -> str:
    """Say how many entries are wrong."""
    count = int(c.wrong.sum())
    return "1 entry" if count == 1 else f"{count} entries"


def of_label(c: Clues) -> str | None:
    """All that is wrong has the same label."""
    where = label(c)
    return where and f"{where}: {with_never(wrong_everywhere(c))}"


def label(c: Clues) -> str | None:
    """Say with which label all is wrong, and with no other."""
    target: Any = getattr(c.derivative.subject, "target", None) if c.derivative else None
    if not is_array(target) or target.shape != c.got.shape[: target.ndim] or not some(c):
        return None
    known = [labels_of(each) for each in (c, *c.elsewhere)]
    labels, wrong, alive = (np.concatenate([np.ravel(k[i]) for k in known]) for i in range(3))
    labels, wrong = labels[alive], wrong[alive]
    named = np.unique(labels[wrong])
    if len(named) == 1 and (wrong == (labels == named[0])).all() and 0.5**wrong.size <= CHANCE:
        return f"only where target = {named[0]:g}"
    return None


def labels_of(c: Clues) -> tuple[Any, Any, Any]:
    """Return the labels of the target, and of each whether there anything is wrong, or not 0."""
    target = c.derivative.subject.target

    def any_of(mask: Any) -> Any:
        return mask.reshape(*target.shape, -1).any(axis=-1)

    return target, any_of(c.wrong), any_of((c.got != 0) | (c.expected != 0))


def at_one_place(c: Clues) -> str | None:
    """One entry, or one slice, is wrong."""
    where = place(c)
    return where and f"{where}: {said(c)}"


def place(c: Clues) -> str | None:
    """Say in which one entry, or slices, everything is wrong, whatever the numbers are."""
    found = place_of(c)
    return found if all(place_of(other) == found for other in c.elsewhere) else None


def place_of(c: Clues) -> str | None:
    """Say in which one entry, or slices, everything is wrong."""
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
        found = sorted(set(places[:, axis].tolist()))
        length = c.wrong.shape[axis]
        if axis == 0 and of_input and length > 2 and found == list(range(1, length)):
            return OUTSIDE
        if len(found) == 1 and length > 2:
            return at_index(c, axis, str(found[0]))
    return None


def at_index(c: Clues, axis: int, which: str) -> str:
    """Say at which index along an axis."""
    index = [":"] * c.wrong.ndim
    index[axis] = which
    return f"only at index [{', '.join(index)}]"


def in_one_part(c: Clues) -> str | None:
    """All of some slices beside each other are wrong, and no others."""
    where = part_of(c)
    if where is None or any(part_of(other) != where for other in c.elsewhere):
        return None
    return f"{at_index(c, *where)}: {said(c)}"


def part_of(c: Clues) -> tuple[int, str] | None:
    """Return along which axis, and from where to where, all is wrong, if all else is right."""
    known = c.derivative
    if not some(c) or c.changed == "numbers" or known is None:
        return None
    if known.variable.kind == "parameter" and any(map(is_integral, leaves(known.subject.input))):
        # These are the ids that occur.
        return None
    for axis, length in enumerate(c.wrong.shape):
        found = sorted(set(np.argwhere(c.wrong)[:, axis].tolist()))
        start, stop = found[0], found[-1] + 1
        if 1 < len(found) == stop - start < length and np.take(c.wrong, found, axis=axis).all():
            return axis, f"{start or ''}:{'' if stop == length else stop}"
    return None


def before_the_last(c: Clues) -> str | None:
    """Along an axis on which outputs hang on what was before, the last place alone is right."""
    where = part_of(c)
    if where is None or not c.has_slopes or not c.outputs:
        return None
    axis, which = where
    length = c.wrong.shape[axis]
    if which != f":{length - 1}" or any(part_of(other) != where for other in c.elsewhere):
        return None
    slopes = c.jacobian.reshape(*c.outputs, *c.got.shape)
    for a, n in enumerate(c.outputs):
        if n != length:
            continue
        places = np.indices(slopes.shape, sparse=True)
        later = places[len(c.outputs) + axis] > places[a]
        if (
            not (slopes * later).any()
            and (slopes * (places[a] > places[len(c.outputs) + axis])).any()
        ):
            return (
                f"only the last place along axis {axis} is right -> is what comes back from later "
                "places wrong?"
            )
    return None
