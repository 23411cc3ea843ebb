"""All contenders must find the same numbers, or they would not be doing the same work."""

from itertools import chain

import numpy as np

__all__ = ["agree", "numbers"]

# Of the largest number in an array, by its dtype.
TOLERANCE = {"float32": 1e-4, "float64": 1e-8}


def numbers(found):
    """What a step returned as NumPy arrays; lists of arrays end to end."""
    return [
        np.concatenate([_array(part).ravel() for part in entry])
        if isinstance(entry, list)
        else _array(entry)
        for entry in found
    ]


def agree(case, dtype, name, found, expected):
    """Raise ArithmeticError where in its first steps it found other numbers than expected."""
    for got, wanted in zip(chain(*found), chain(*expected), strict=True):
        if got.shape != wanted.shape or (got.ndim and got.dtype != wanted.dtype):
            raise ArithmeticError(f"{case.name}, {name}: {got.dtype} of {got.shape}")
        if case.layer == "Dropout":
            # Everyone drops others, about half of all, and does the same to those that stay.
            if abs(np.mean(got == 0) - 0.5) > 3 / np.sqrt(got.size):
                raise ArithmeticError(f"{case.name}, {name}: {np.mean(got == 0):.0%} dropped")
            stay = (got != 0) & (wanted != 0)
            got, wanted = got[stay], wanted[stay]
        tolerance = TOLERANCE[dtype] * np.abs(wanted).max(initial=0)
        error = np.abs(got - wanted).max(initial=0)
        # The other way round NaN would pass.
        if not error <= tolerance:
            raise ArithmeticError(f"{case.name}, {name}: off by {error:.1e}")


def _array(value):
    return np.array(value.numpy() if hasattr(value, "numpy") else value)
