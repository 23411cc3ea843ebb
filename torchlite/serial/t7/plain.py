"""Plain values: what a file may put into attributes, and what messages quote."""

from typing import Any

import numpy as np

__all__ = ["is_plain", "shown"]

_MOST = 10_000


def is_plain(value: Any, *leaves: type) -> bool:
    """Tell whether a value is a number, text or array, or a small tree of lists and dicts of those.

    What refers to itself is none, and what holds one thing in more and more places is not small.

    Example
    -------
    >>> is_plain({"a": [1, "b"]}), is_plain(print)
    (True, False)
    """
    waiting, met = [value], 0
    while waiting:
        one = waiting.pop()
        met += 1
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
        elif not isinstance(one, (bool, int, float, str, bytes, np.ndarray, *leaves)):
            return False
        if met + len(waiting) > _MOST:
            return False
    return True


def shown(value: Any) -> str:
    """Return how a message quotes what a file says.

    Example
    -------
    >>> shown(3), shown("three"), shown([3])
    ('3', "'three'", 'a list')
    """
    if isinstance(value, (bool, int, float, str, bytes)):
        return repr(value)[:80]
    return "nothing" if value is None else f"a {type(value).__name__}"
