"""Sums of many numbers, right to a millionth of the sum of their magnitudes.

A float32 addition rounds by up to 2**-24 = 6e-8 of the sum so far. A sum that is taken number by
number is off by up to 6e-8 times their count: 16.8 million ones, and it does not even grow any
more. NumPy adds up in pairs along the axis that lies closest in memory, but number by number along
any other; the BLAS goes number by number, or in a few lanes, in a product with ones and in the dot
product of two vectors.

Here float32 numbers are added up in blocks of 32 (or all at once, up to 64), and what the blocks
give in float64. However many they are, the error is that of one block: 5e-7 (1e-6) measured on
numbers chosen for it, 2e-6 (4e-6) if every rounding went the same way by as much as it can. Up to
65,536 numbers in pairs are off by 27 roundings at most, which is less. Complex64 goes the same way.
Float64 needs no such care before 10**9 numbers; it, and other kinds of arrays, add up as ever.

What that costs is gained elsewhere: of narrow arrays several rows are taken as one long line, for
which the processor has its vectors, and pieces stay in its cache.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

__all__ = [
    "DOUBLE",
    "dot",
    "einsum_rows",
    "inner",
    "is_single",
    "sum_all",
    "sum_along",
    "sum_products",
    "sum_rows",
]

# What blocks of these dtypes are added up in.
DOUBLE = {"f": "d", "F": "D"}
_BLOCK = 32
# How many rows one product with ones may take; of a dtype that is not here, none.
_AT_ONCE = {"f": 2 * _BLOCK, "F": 2 * _BLOCK, "d": 1 << 16, "D": 1 << 16}
# Up to so many entries, a copy in float64 takes less time than the calls that avoid it.
_FEW = 1 << 11
# Up to so many entries, products in an array of their own take less time than einsum.
_SMALL = 1 << 15
# Pieces of about so many entries stay in the cache.
_PIECE = 1 << 18
# So many products are added up in lanes at a time.
_LANES = 1 << 8
# So many numbers are added up in pairs at a time.
_PAIRS = 1 << 16
# Up to so many dot leaves to the BLAS at once, and so many at a time of more.
_DOT, _DOT_BLOCK = 1 << 12, 1 << 10

# The longest vector of ones wanted so far, by the character of the dtype: a product with it is
# three to five times as fast as sum(0).
_ones: dict[str, Any] = {}


def sum_rows(a: Any) -> Any:
    """Return the sum of the rows, `a.sum(0)`.

    Shapes: a (M, N); the sum (N,).

    Example
    -------
    >>> a = np.full((1_000_000, 2), 0.1, np.float32)
    >>> sum_rows(a).round()
    array([100000., 100000.], dtype=float32)
    """
    if type(a) is not np.ndarray:
        return a.sum(axis=0)
    n, char = len(a), a.dtype.char
    if n <= _AT_ONCE.get(char, 0):
        return _ones_for(char, n).dot(a)
    if char not in DOUBLE or not a.size or a.flags.fnc:
        return a.sum(axis=0)
    if a.size <= _FEW:
        return _ones_for(DOUBLE[char], n).dot(a).astype(char)
    if a.size > _PIECE:
        return _added(sum_rows(a[piece]) for piece in _pieces(n, a.size)).astype(char)
    # A line is as many rows as there are blocks.
    blocks = n // _BLOCK
    whole = _BLOCK * blocks
    lines = (a if whole == n else a[:whole]).reshape(_BLOCK, -1)
    sums = _ones_for(char, _BLOCK).dot(lines).reshape(blocks, -1)
    # Few numbers more may be added up in their own precision, which is quicker.
    summed = _ones_for(char if blocks <= _BLOCK else DOUBLE[char], blocks).dot(sums)
    if whole < n:
        summed = summed + _ones_for(char, n - whole).dot(a[whole:])
    return summed.astype(char, copy=False)


def sum_products(a: Any, b: Any) -> Any:
    """Return the sum of the rows of a product, `(a * b).sum(0)`, without the product in between.

    Shapes: a and b (M, N); the sum (N,).

    Example
    -------
    >>> sum_products(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [10.0, 10.0]]))
    array([31., 42.])
    """
    if len(a) > 2 * _BLOCK and a.size <= _SMALL and is_single(a) and is_single(b):
        return sum_rows(a * b)
    return einsum_rows("nj,nj->j", a, b)


def einsum_rows(subscripts: str, a: Any, b: Any) -> Any:
    """Return `np.einsum(subscripts, a, b)`, for subscripts that sum over the first axis alone.

    Example
    -------
    >>> einsum_rows("no,noi->oi", np.array([[1.0], [2.0]]), np.array([[[1.0, 2.0]], [[3.0, 4.0]]]))
    array([[ 7., 10.]])
    """
    n = len(a)
    if n <= 2 * _BLOCK or not (is_single(a) and is_single(b)) or not b.size:
        return np.einsum(subscripts, a, b)
    size = max(a.size, b.size)
    if size > _PIECE:
        each = (einsum_rows(subscripts, a[piece], b[piece]) for piece in _pieces(n, size))
        return _added(each).astype(a.dtype)
    blocks = n // _BLOCK
    whole = _BLOCK * blocks
    lines = [x[:whole].reshape(_BLOCK, blocks * x.shape[1], *x.shape[2:]) for x in (a, b)]
    sums = np.einsum(subscripts, *lines)
    summed = sum_rows(sums.reshape(blocks, -1)).reshape(-1, *sums.shape[1:])
    return summed + np.einsum(subscripts, a[whole:], b[whole:])


def inner(a: Any, b: Any) -> Any:
    """Return `(a * b).sum(-1)`, without the product in between.

    Shapes: a and b (..., N); the sum (...).

    Example
    -------
    >>> inner(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 10.0], [1.0, 10.0]]))
    array([21., 43.])
    """
    n = a.shape[-1]
    if n <= _LANES or not (is_single(a) and is_single(b)):
        return np.einsum("...i,...i->...", a, b)
    whole = n - n % _LANES
    blocks = (x[..., :whole].reshape(*x.shape[:-1], -1, _LANES) for x in (a, b))
    summed = np.einsum("...ki,...ki->...k", *blocks).sum(-1, dtype=DOUBLE[a.dtype.char])
    summed += np.einsum("...i,...i->...", a[..., whole:], b[..., whole:])
    return summed.astype(a.dtype)


def dot(a: Any, b: Any) -> Any:
    """Return `(a * b).sum()`, without the product in between: the dot product of two vectors.

    Shapes: a and b alike.

    Example
    -------
    >>> a = np.full(1_000_000, 1.1, np.float32)
    >>> int(dot(a, a))
    1210000
    """
    if a.ndim > 1:
        a, b = a.reshape(-1), b.reshape(-1)
    if a.size <= _DOT or not (is_single(a) and is_single(b)):
        return a.dot(b)
    whole = a.size - a.size % _DOT_BLOCK
    blocks = a[:whole].reshape(-1, 1, _DOT_BLOCK) @ b[:whole].reshape(-1, _DOT_BLOCK, 1)
    summed = blocks.sum(dtype=DOUBLE[a.dtype.char])
    return (summed + a[whole:].dot(b[whole:])).astype(a.dtype)


def sum_all(a: Any) -> Any:
    """Return the sum of everything, `a.sum()`.

    Example
    -------
    >>> sum_all(np.ones((2, 3)))
    np.float64(6.0)
    """
    if a.size <= 2 * _BLOCK or not is_single(a) or (a.size <= _PAIRS and a.flags.forc):
        return a.sum()
    flat = a.ravel("K")
    whole = a.size - a.size % _PAIRS
    blocks = flat[:whole].reshape(-1, _PAIRS).sum(1)
    return (blocks.sum(dtype=DOUBLE[a.dtype.char]) + flat[whole:].sum()).astype(a.dtype)


def sum_along(a: Any, axis: int | tuple[int, ...], keepdims: bool = False) -> Any:
    """Return the sum along one axis or several, `a.sum(axis, keepdims=keepdims)`.

    Example
    -------
    >>> a = np.full((2, 500_000, 2), 0.1, np.float32)
    >>> sum_along(a, (0, 1)).round()
    array([100000., 100000.], dtype=float32)
    """
    if type(axis) is int and (a.shape[axis] <= 2 * _BLOCK or _is_closest(a, axis)):
        return a.sum(axis, keepdims=keepdims)
    if not is_single(a) or not a.size:
        return np.sum(a, axis, keepdims=keepdims)
    axes = normalize_axis_tuple(axis, a.ndim)
    kept = [n for i, n in enumerate(a.shape) if i not in axes]
    if not kept:
        summed = sum_all(a)
    else:
        summed, behind, double = np.ascontiguousarray(a), 1, DOUBLE[a.dtype.char]
        # Neighbours count as one axis. The last ones first, which lie closest in memory.
        for leave, group in groupby(reversed(range(a.ndim)), axes.__contains__):
            n = prod(a.shape[i] for i in group)
            if leave:
                summed = _middle(summed.reshape(-1, n, behind)).astype(double, copy=False)
            else:
                behind *= n
    if keepdims:
        kept = [1 if i in axes else n for i, n in enumerate(a.shape)]
    return summed.astype(a.dtype).reshape(kept)


def _middle(a: Any) -> Any:
    """Return the sum along the second of three axes."""
    outer, n, behind = a.shape
    if behind == 1 or n <= 2 * _BLOCK:
        return a.sum(1)
    if outer == 1:
        return sum_rows(a[0])
    whole = n - n % _BLOCK
    summed = a[:, :whole].reshape(outer, _BLOCK, -1).sum(1)
    summed = summed.reshape(outer, -1, behind).sum(1, dtype=DOUBLE.get(a.dtype.char))
    summed += a[:, whole:].sum(1)
    return summed


def _pieces(n: int, size: int) -> Iterator[slice]:
    """Return the pieces of n rows with as many entries altogether."""
    step = max(2 * _BLOCK, _PIECE * n // size // _BLOCK * _BLOCK)
    return (slice(start, start + step) for start in range(0, n, step))


def _added(arrays: Iterable[Any]) -> Any:
    """Return the sum of arrays in float64."""
    return sum(arrays, np.float64(0))


def is_single(a: Any) -> bool:
    return type(a) is np.ndarray and a.dtype.char in DOUBLE


def _is_closest(a: Any, axis: int) -> bool:
    """Return whether NumPy goes along this axis first, and so adds up in pairs."""
    return type(a) is np.ndarray and a.strides[axis] == a.itemsize and 0 not in a.strides


def _ones_for(char: str, length: int) -> Any:
    """Return a vector of ones."""
    ones = _ones.get(char)
    if ones is None or len(ones) < length:
        ones = _ones[char] = np.ones(length, char)
    return ones if len(ones) == length else ones[:length]
