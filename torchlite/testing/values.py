"""The numbers that checks are made with.

Odd multiples of 1/16, or of a smaller power of two where there are many: exact in single and double
precision, never 0, so that products and sums of a few of them are exact and a failure shows numbers
that can be checked by hand. Where sums do not matter, huge and tiny numbers show what these leave
alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.nested import is_array, is_floating, leaves, map_arrays

__all__ = [
    "EXTREMES",
    "HUGE",
    "adversarial",
    "directions",
    "distinct",
    "generator",
    "nearby",
    "signs",
    "sixteenths",
    "tied",
    "wrong",
]

# About 1e30; times a power of two, a sum is rounded as it was.
HUGE = 2.0**100
# What adversarial numbers are, and which are mixed in: to a maximum, one NaN hides all others.
EXTREMES: list[tuple[str, tuple[float, ...]]] = [
    ("huge and tiny numbers", ()),
    ("huge and tiny numbers, infinities and NaN", (np.nan, np.inf, -np.inf)),
]
# In so many entries of an array there are numbers that are the smallest there are.
FEW_TINY = 1000
# What a seed is used for beside inputs, and the properties, which have names.
_USES = {"parameters": b"\1", "modes": b"\2"}


def generator(seed: int, use: str = "") -> np.random.Generator:
    """Return the generator of one use of a seed: what is drawn for one changes no other."""
    return np.random.default_rng([seed, *_USES.get(use, use.encode())])


def sixteenths(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return odd multiples of 1/16 between -4 and 4."""
    drawn: Array = (2 * rng.integers(-32, 32, shape) + 1) / 16
    return drawn


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return odd multiples of 1/16 between -4 and 4, no two of them alike, so that nothing ties.

    Many numbers lie closer together, not farther out: what is drawn does not depend on how much.
    """
    size = int(np.prod(shape))
    half = 32
    while 2 * half < size:
        half *= 2
    drawn = rng.permutation(np.arange(-half, half))[:size]
    return ((2 * drawn + 1) * (2 / half)).reshape(shape)


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return 1 and -1."""
    return 2.0 * rng.integers(0, 2, shape) - 1


def directions(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return numbers of both signs, no two of one size, so that equal errors do not cancel."""
    return rng.uniform(0.5, 1.5, shape) * signs(rng, shape)


def tied(table: Any, step: float) -> Any:
    """Return a table of the nearest odd multiples of half a step: many of them are equal."""
    return map_arrays(
        lambda a: step * np.floor(a / step) + step / 2 if is_floating(a) else a, table
    )


def nearby(rng: np.random.Generator, array: Array) -> Array:
    """Return odd multiples of 1/64 within 1/2 of the array's values, no two of them alike.

    What starts at zero or one, or symmetric, starts out special: a parameter that is to show a
    wrong gradient must not be.
    """
    moved = np.full(array.shape, np.nan)
    again = np.ones(array.shape, bool)
    while again.any():
        draws = np.round(32 * array.real[again]) + rng.integers(-16, 16, int(again.sum()))
        moved[again] = (2 * draws + 1) / 64
        _, first = np.unique(moved, return_index=True)
        again = np.ones(array.shape, bool)
        again.reshape(-1)[first] = False
        if array.size > 32:
            break
    return moved.astype(array.dtype)


def adversarial(rng: np.random.Generator, shape: tuple[int, ...], *more: float) -> Array:
    """Return huge, tiny and ordinary numbers, both zeros and `more` in turn.

    They show what a layer does to its surroundings; no sum of them is exact.
    """
    tiny = float(np.finfo(float).smallest_subnormal)
    pool = [*more, 1e30, -1e30, 1e-30, -1e-30, tiny, 0.0, -0.0, 1.0, -3.5]
    size = int(np.prod(shape))
    numbers: Array = np.tile(rng.permutation(pool), size // len(pool) + 1)[:size]
    # A few are enough: arithmetic with numbers so small takes a hundred times as long.
    rest = numbers[FEW_TINY:]
    rest[rest == tiny] = 1e-30
    return numbers.reshape(shape)


def wrong(table: Any) -> list[Any]:
    """Return tables that hardly any layer takes."""
    first = leaves(table)[0]

    def each(change: Callable[[Any], Any]) -> Any:
        return map_arrays(lambda a: change(a) if is_array(a) else a, table)

    found: list[Any] = [
        None,
        "text",
        each(lambda a: a.astype(object)),
        each(lambda a: a[..., None]),
        each(lambda a: np.concatenate([a, a], axis=-1) if a.ndim else a),
        each(lambda a: np.concatenate([a, a]) if a.ndim else a),
        each(lambda a: a[..., :-1] if a.ndim else a),
    ]
    if first.ndim > 1:
        found.append(each(lambda a: a[:-1] if a.ndim > 1 else a))
        found.append(each(lambda a: a[0] if a.ndim > 1 else a))
    if not is_array(table):
        found += [first, list(table)[:-1]] if isinstance(table, (list, tuple)) else [first]
    else:
        found.append([table])
    return found
