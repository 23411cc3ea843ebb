"""Cost in calls, not in seconds: the same number however busy the machine is."""

import sys


def calls_of(function):
    """Return how many calls and returns a function consists of, and its result."""
    calls = 0

    def count(*event):
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        result = function()
    finally:
        sys.setprofile(None)
    return calls, result
