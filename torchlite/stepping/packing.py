"""Large arrays in a page: packed, and whether the rows of a matrix are drawn as pictures."""

import base64
import math
from typing import Any

import numpy as np

from torchlite.stepping.arrays import Copy

__all__ = ["Pool"]

# So many characters of packed numbers a page may have: some megabytes load at once.
ROOM = 4_000_000
# Rows of fewer entries are no pictures.
SIDE = 5


class Pool:
    """The packed arrays of a page, each once: a step's output is the next one's input.

    Attributes
    ----------
    packed
        One for each array: what kind (`"f4"`, `"f8"`), and the numbers in base64; or `"same"`, and
        the number that all entries are.
    """

    def __init__(self) -> None:
        self.packed: list[tuple[str, Any]] = []
        self._places: dict[tuple[str, Any], int] = {}
        self._room = ROOM
        self._end: int | None = None
        self._missing = False
        self._pictures = False

    @property
    def note(self) -> str:
        """What has been left out, and what was rounded."""
        said = []
        if any(kind == "f4" for kind, _ in self.packed):
            said.append("In heat maps numbers are rounded to seven digits.")
        if self._pictures:
            said.append(
                "Rows of a layer's input that look like square pictures, for numbers one above the "
                "other are alike, are drawn so, and the weights that meet them."
            )
        if self._end is not None:
            said.append(
                f"From step {self._end} on large arrays are shown by norm, minimum and maximum: "
                "the page would be too large."
            )
        if self._missing:
            said.append(
                "Arrays of which the trace kept no numbers are shown by norm, minimum and maximum: "
                "max_elements says how large arrays may be that it keeps."
            )
        return " ".join(said)

    def add(self, step: Any, copy: Copy) -> int | None:
        """Return the place of an array, or None where there is none for it."""
        if copy.values is None or copy.values.dtype.kind == "c":
            self._missing = self._missing or (copy.norm is not None and copy.values is None)
            return None
        entry = _packed(copy.values)
        if entry not in self._places:
            self._room -= len(entry[1]) if isinstance(entry[1], str) else 0
            if self._room < 0:
                self._end = self._end or step.number
                return None
            self._places[entry] = len(self.packed)
            self.packed.append(entry)
        return self._places[entry]

    def picture(self, step: Any, name: str, copy: Copy) -> list[int] | None:
        """Return [height, width] of the pictures that the rows of a matrix are, or None.

        They are pictures where the rows of a step's input look like squares; with them its
        gradInput, and the weights that meet them.
        """
        input = step.arguments.get("input")
        rows = name in ("input", "gradInput") or name.lower().endswith("weight")
        if not (rows and isinstance(input, Copy) and input.values is not None):
            return None
        if len(input.shape) != 2 or len(copy.shape) != 2 or input.shape[1] != copy.shape[1]:
            return None
        side = _side(input.values)
        if side is None:
            return None
        self._pictures = True
        return [side, side]


def _packed(values: Any) -> tuple[str, Any]:
    """Return the numbers as float32 in base64, where that rounds them and no more.

    Example
    -------
    >>> _packed(np.zeros((2, 2))), _packed(np.array([1.0, 2.0])), _packed(np.array([1e300, 1]))[0]
    (('same', 0.0), ('f4', 'AACAPwAAAEA='), 'f8')
    """
    exact = values.astype("<f8").ravel()
    if exact.size and math.isfinite(exact[0]) and (exact == exact[0]).all():
        return "same", float(exact[0])
    with np.errstate(all="ignore"):
        rounded = exact.astype("<f4")
        near = np.isclose(rounded, exact, rtol=1e-6, atol=0, equal_nan=True)
    if near.all() and (values.dtype.kind == "f" or (rounded == exact).all()):
        return "f4", base64.b64encode(rounded.tobytes()).decode()
    return "f8", base64.b64encode(exact.tobytes()).decode()


def _side(rows: Any) -> int | None:
    """Return the side of the squares that rows are, None if they are none.

    What is one above the other in a picture is alike: entries that are a side apart are much more
    so than those that are half a side less, or more, apart.

    Example
    -------
    >>> from torchlite.datasets import digits
    >>> noise = np.random.default_rng(0).random((4, 64))
    >>> _side(digits()[0][:4]), _side(noise), _side(np.linspace(0, 1, 64)[None])
    (8, None, None)
    """
    side = math.isqrt(rows.shape[1])
    if side < SIDE or side * side != rows.shape[1] or rows.dtype.kind != "f":
        return None

    def unlike(apart: int) -> float:
        return float(np.abs(rows[:, apart:] - rows[:, :-apart]).mean())

    half = side // 2
    with np.errstate(all="ignore"):
        around = min(unlike(side - half), unlike(side + half))
        # Of the digits it is a third, of noise about the same.
        return side if unlike(side) < 0.6 * around else None
