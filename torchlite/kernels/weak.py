"""Arrays that are only to be known again."""

from typing import Any
from weakref import ref

import numpy as np

__all__ = ["GONE", "weakly"]


class _Weak(ref[Any]):
    """A weak reference of which copies and pickles refer to nothing."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _gone, ()


class _Strong:
    """What stands for a weak reference to an array that there can be none to."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __call__(self) -> Any:
        return self._array

    def __reduce__(self) -> tuple[Any, ...]:
        return _gone, ()


# A weak reference to no array.
GONE = _Weak(np.zeros(0))


def _gone() -> Any:
    return GONE


def weakly(array: Any) -> Any:
    """Return what gives the array when called, as long as somebody has it, and None from then on.

    Whoever is only to know an array again does not keep its memory so, unless it is of a kind that
    cannot be referred to weakly. Copies and pickles give None.

    Example
    -------
    >>> from copy import copy
    >>> array = np.ones(2)
    >>> known = weakly(array)
    >>> known() is array, copy(known)()
    (True, None)
    >>> del array
    >>> known()
    """
    try:
        return _Weak(array)
    except TypeError:
        # A class with __slots__, and no place for one.
        return _Strong(array)
