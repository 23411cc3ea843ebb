"""One thing that explains all entries: a factor, a term, a precision."""

import math
from typing import Any

import numpy as np

from torchlite.nn.nested import is_array, is_floating, leaves
from torchlite.testing.patterns.clues import Clues, ratio_of
from torchlite.testing.violations import shown

__all__ = [
    "added",
    "entry_factors",
    "formula",
    "gradInput_scaled",
    "never_written",
    "no_signs",
    "one_factor",
    "previous_alone",
    "rounded",
    "scaled",
    "slice_factors",
]


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
    s = c.scale
    ones = c.expected / s if c.ones is None and s else c.ones
    if s is None or s == 1 or ones is None or not ones.any():
        return None
    if c.is_got(ones):
        return f"got = what scale 1 gives, not {shown(s)} -> scale ignored?"
    for power, times in ((2, "twice"), (3, "three times")):
        if c.is_got(s**power * ones):
            return f"got = {shown(s ** (power - 1))} * expected -> scale applied {times}?"
    if c.start is not None and c.is_got(c.expected + (s - 1) * c.start):
        return f"got = {shown(s)} * what was there before, and what the call adds -> scaled, too?"
    if not isinstance(s, complex) and int(s) != s and c.is_got(int(s) * ones):
        return f"got = what scale {int(s)} gives, not {shown(s)} -> scale made a whole number?"
    return None


def gradInput_scaled(c: Clues) -> str | None:
    """The gradient of the input is scaled, too."""
    s = c.beside_scale
    if s is not None and s != 1 and c.is_got(s * c.expected):
        return f"got = {shown(s)} * expected, the scale -> is the scale for parameters alone?"
    return None


def never_written(c: Clues) -> str | None:
    """All that came is zero."""
    if c.got.any():
        return None
    if c.changed == "numbers":
        if (c.derivative.here < 0).all():
            return "got is all zero where input < 0 -> never written there?"
        return "got is all zero at these numbers -> saturated, or cut off, too early?"
    return "got is all zero -> never written?"


def roots(c: Clues, ratio: float) -> str:
    """Say of which length a factor is the root, with which many divide."""
    known = c.derivative
    if known is None:
        return ""
    arrays = [known.here, *known.weights, *leaves(known.subject.input)]
    for n in sorted({n for array in arrays for n in np.shape(array) if n > 2}):
        if any(math.isclose(ratio, n**power, rel_tol=1e-6) for power in (0.5, -0.5)):
            return f"by the root of {n}"
    return ""


def one_factor(c: Clues) -> str | None:
    """One factor is off everywhere."""
    ratio = ratio_of(c.got, c.expected, c.tolerance)
    if ratio is None:
        return None
    if math.isclose(ratio, -1, rel_tol=1e-6):
        return "got = -expected -> wrong sign?"
    if math.isclose(abs(ratio), 1, rel_tol=1e-3):
        return (
            f"got = (1 {'+' if ratio > 1 else '-'} {abs(ratio - 1):.3g}) * expected everywhere -> "
            "a constant factor is off?"
        )
    root = roots(c, ratio)
    if math.isclose(ratio, 2, rel_tol=1e-6):
        two = " and the batch has 2 rows -> summed instead of averaged, or doubled"
        two = two if c.rows == 2 else " -> doubled"
        return f"got = 2 * expected{two}{root and ', or off '}{root}?"
    if math.isclose(ratio, 0.5, rel_tol=1e-6):
        two = " and the batch has 2 rows -> averaged instead of summed, or a 2 is missing"
        if c.rows != 2:
            two = " -> a factor of 2 is missing"
            if c.derivative is not None and c.got.size == 2 * sum(
                w.size for w in c.derivative.weights
            ):
                two += ", or averaged over 2 instead of summed"
        return f"got = expected / 2{two}{root and ', or off '}{root}?"
    for count, what in counts(c):
        if count > 2 and math.isclose(ratio * count, 1, rel_tol=1e-6):
            return f"got = expected / {count}{what} -> averaged instead of summed?"
        if count > 2 and math.isclose(ratio, count, rel_tol=1e-6):
            return f"got = {count} * expected{what} -> summed instead of averaged?"
    return (
        f"got = {ratio:.6g} * expected everywhere -> a constant factor is off{root and ' '}{root}?"
    )


def counts(c: Clues) -> list[tuple[int, str]]:
    """Return what a mean may have been over, and what it is called."""
    found = [(c.rows, f" and the batch has {c.rows} rows"), (c.got.size, ", the number of entries")]
    if c.derivative is not None:
        outputs = sum(w.size for w in c.derivative.weights)
        found.append((outputs, ", the number of outputs"))
        if c.derivative.variable.kind == "parameter" and c.got.ndim == 1:
            found.append((outputs // c.got.size, ", the number of outputs that share each"))
        found.append((c.got.size // outputs, ", the number of entries that share an output"))
    return found


def rounded(c: Clues) -> str | None:
    """What came is what was expected, but for its precision or bounds."""
    size = np.abs(c.expected).max()
    off = np.abs(c.got - c.expected).max()
    whole = (c.got == np.trunc(c.got)).all() and np.abs(c.got - c.expected).max() < 1
    if whole and c.wrong.sum() > 1 and c.got.any():
        return "got = expected without its fraction -> made a whole number?"
    # Drawn gradients of the output have more digits than that, and so should what they give.
    known = c.derivative
    drawn = [c.got] if known is None or not c.outputs else known.answers[1:]
    single = all((a == a.astype(np.float32)).all() for a in drawn)
    if off <= 0.1 * size and single and c.got.size > 1:
        return "got has the digits of float32 -> computed in single precision?"
    low, high = c.got.min(), c.got.max()
    for bounds in ((-max(-low, high), max(-low, high)), (low, np.inf), (-np.inf, high)):
        clipped = np.clip(c.expected, *bounds)
        inside = (c.expected > bounds[0]) & (c.expected < bounds[1])
        round_number = len(f"{high:.12g}") < 4
        # Of few different numbers, many things are a bound.
        several = len(np.unique(np.round(c.expected[inside], 9))) > 2 - round_number
        enough = several and c.wrong.sum() > 1
        if c.is_got(clipped) and enough and bounds[0] < 0 < bounds[1]:
            return f"got = expected between {shown(bounds[0])} and {shown(bounds[1])} -> clipped?"
    return None


def trembles(c: Clues) -> str | None:
    """Most entries are off by what float32 rounds."""
    size = np.abs(c.expected).max()
    off = c.got - c.expected
    small = 1e-9 * size < np.abs(off).max() < 5e-7 * size
    if small and off.min() < 0 < off.max() and 2 * c.wrong.sum() > c.wrong.size > 4:
        return "got is off by no more than float32 rounds -> computed in single precision?"
    return None


def no_signs(c: Clues) -> str | None:
    """The magnitudes are right, all of one sign."""
    if c.wrong.sum() > 1 and c.is_got(np.abs(c.expected)):
        return "got = |expected| -> sign forgotten?"
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
        if any(r is None for r in ratios) or np.ptp(np.array(ratios, float)) <= 1e-9:
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
    target: Any = getattr(known.subject, "target", None)
    if is_array(target) and is_floating(target) and target.shape == c.got.shape:
        beside["target"] = target
    for name, numbers in beside.items():
        if c.is_got(c.expected * numbers):
            return f"got = expected * {name} -> a factor too much?"
        if (numbers != 0).all() and c.is_got(c.expected / numbers):
            return f"got = expected / {name} -> a factor is missing?"
    return None


def formula(c: Clues) -> str | None:
    """Each entry is gradOutput times a function of the input and output that is another."""
    known = c.derivative
    if not c.has_slopes or c.outputs != c.got.shape or c.got.size < 6:
        return None
    if known.variable.kind != "input" or len(np.unique(known.here)) < 6:
        return None
    theirs = c.derivative.own
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


def added(c: Clues) -> str | None:
    """A multiple of something is added, or missing."""
    known = c.derivative
    if known is None or c.wrong.sum() < 3:
        return None
    off = c.got - c.expected
    if known.variable.kind == "parameter":
        ratio = ratio_of(off, known.here, c.tolerance)
        others = [ratio_of(o.got - o.expected, known.here, o.tolerance) for o in c.others]
        if ratio is not None:
            decays = all(o is not None and math.isclose(o, ratio, rel_tol=1e-6) for o in others)
            what = "weight decay" if decays else "a term along the parameter is missing or too much"
            return f"got = expected + {ratio:.6g} * the parameter -> {what}?"
    square = c.outputs == c.got.shape and c.has_slopes
    if square and c.gives(None, known.jacobian - np.eye(c.got.size)):
        return "got = expected - gradOutput -> a shortcut, or a term of 1, is forgotten?"
    constant = off.mean()
    distinct = len(np.unique(np.round(c.expected, 9)))
    if np.ptp(off) <= c.tolerance and distinct > 3:
        return f"got = expected + {constant:.6g} everywhere -> a term is missing or too much?"
    return None
