"""What kind of mistake would give these numbers: one small function a pattern.

A guess must explain every entry that differs, within rounding; in doubt there is none. The first
pattern in the list that does is told, so that what is simple comes first.
"""

import warnings
from typing import Any

import numpy as np

from torchlite.testing.patterns.clues import Clues, Derivative, Pattern, Refused
from torchlite.testing.patterns.moves import (
    along_axes,
    first_for_all,
    moved_gradOutput,
    other_places,
    other_sums,
    reshaped,
    some_samples,
    summed_up,
    transposed,
)
from torchlite.testing.patterns.others import (
    no_target,
    of_another_array,
    of_other_mode,
    of_other_settings,
    other_mask,
)
from torchlite.testing.patterns.places import (
    at_one_number,
    at_one_place,
    at_target,
    before_the_last,
    flat_everywhere,
    flat_places,
    in_one_part,
    of_label,
    only_where,
    repeated_samples,
    some_signs,
    zero_places,
)
from torchlite.testing.patterns.terms import (
    constant_statistics,
    counted_once,
    direct_path,
    independent,
    left_out,
    mixes,
    negative_gradOutput,
    no_gradOutput,
    other_entries,
    other_slopes,
    square_operand,
)
from torchlite.testing.patterns.whole import (
    added,
    entry_factors,
    formula,
    gradInput_scaled,
    never_written,
    no_signs,
    one_factor,
    previous_alone,
    rounded,
    scaled,
    slice_factors,
    trembles,
)

__all__ = ["PATTERNS", "Derivative", "guess"]

PATTERNS: list[Pattern] = [
    previous_alone,
    scaled,
    gradInput_scaled,
    never_written,
    transposed,
    one_factor,
    no_gradOutput,
    no_signs,
    no_target,
    repeated_samples,
    at_target,
    at_one_number,
    rounded,
    of_another_array,
    some_samples,
    first_for_all,
    negative_gradOutput,
    other_mask,
    flat_places,
    of_label,
    only_where,
    along_axes,
    constant_statistics,
    independent,
    counted_once,
    some_signs,
    zero_places,
    at_one_place,
    added,
    entry_factors,
    summed_up,
    reshaped,
    other_sums,
    moved_gradOutput,
    square_operand,
    other_slopes,
    of_other_mode,
    other_entries,
    mixes,
    direct_path,
    left_out,
    before_the_last,
    in_one_part,
    formula,
    of_other_settings,
    slice_factors,
    other_places,
    trembles,
]


# What other numbers alone show, where those of the example are right, is no matter of places.
OF_NUMBERS: list[Pattern] = [
    never_written,
    one_factor,
    rounded,
    flat_places,
    of_label,
    only_where,
    no_signs,
    some_signs,
    slice_factors,
    entry_factors,
    trembles,
]


# At 0, and at the target, what is expected lies between the slopes of two sides.
OF_ZEROS: list[Pattern] = [at_one_number]


# What other ids or labels alone show is no matter of how slopes are laid out.
OF_IDS: list[Pattern] = [
    never_written,
    one_factor,
    repeated_samples,
    at_target,
    some_samples,
    flat_places,
    of_label,
    counted_once,
    no_signs,
    some_signs,
    zero_places,
    at_one_place,
    no_target,
    slice_factors,
]


# These look at other numbers themselves.
POOLED: list[Pattern] = [
    at_target,
    at_one_number,
    at_one_place,
    before_the_last,
    flat_everywhere,
    flat_places,
    in_one_part,
    no_target,
    of_label,
    only_where,
    some_signs,
    zero_places,
]
# Of these the numbers, too, are the same elsewhere.
EXACT: list[Pattern] = [one_factor]


def guess(got: Any, expected: Any, **facts: Any) -> str | None:
    """Return what kind of mistake would give these numbers, or None."""
    if got.shape != expected.shape or not got.size:
        return None
    if not np.isfinite(got).all():
        return "not finite" if np.isfinite(expected).all() else None
    if not np.isfinite(expected).all():
        return None
    clues = Clues(got, expected, **facts)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for pattern in _asked_of(clues):
            found = _asked(pattern, clues)
            words = _words(found)
            if (
                found
                and all(_words(_asked(pattern, other)) == words for other in clues.others)
                and _holds_elsewhere(pattern, found, clues)
            ):
                return found
    return None


def _asked_of(clues: Clues) -> list[Pattern]:
    if not clues.expected.any():
        return [scaled, flat_everywhere]
    asked = {"numbers": OF_NUMBERS, "zeros": OF_ZEROS, "ids": OF_IDS}
    return asked.get(clues.changed, PATTERNS)


def _holds_elsewhere(pattern: Pattern, found: str, clues: Clues) -> bool:
    """Tell whether at other numbers, where anything is wrong, it is so for the same reason."""
    others = [other for other in clues.elsewhere if other.got.any() or other.expected.any()]
    if pattern in POOLED or not others:
        return True
    what = str if pattern in EXACT else _words
    there = [_asked(pattern, other) for other in others if other.wrong.any()]
    return bool(there) and all(what(_place(said)) == what(_place(found)) for said in there)


def _place(text: str | None) -> str:
    return (text or "").partition(":")[0]


def _asked(pattern: Pattern, clues: Clues) -> str | None:
    try:
        return pattern(clues)
    except Refused:
        return None


def _words(text: str | None) -> str:
    return "".join(letter for letter in text or "" if letter.isalpha())
