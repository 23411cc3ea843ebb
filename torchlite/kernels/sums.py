"""Sums of many numbers, right to a millionth of the sum of their magnitudes.

A float32 addition rounds by up to 2**-24 = 6e-8 of the sum so far. A sum that is taken number by
number is off by up to 6e-8 times their count: 16.8 million ones, and it does not even grow any
more. NumPy adds up in pairs along the axis that lies closest in memory, but number by number along
any other; so does the BLAS in a product with ones, in four rows at a time where it takes columns in
fours, and in some lanes where there is one column, or a dot product.

Here no more than 64 float32 numbers are added up one after the other, then the sums of such blocks,
in float64 if these are more than 32 in their turn. However many there are, the error is that of a
block and of its rounding: at most 1e-6, measured on numbers that round to one side each time, up to
20 million rows. Were every rounding the worst there is, it would be 4e-6. (Up to 100 rows alone are
added up at once: 1.5e-6 where all numbers of a column are the same.) Numbers that lie close to
one another are added up in pairs, 65,536 at a time: some 30 roundings at most. (Of more, NumPy up
to 2.2 would add up stretches of 8,192 one after the other.) Complex64 goes the same ways; float64
needs no such care before 10**9 numbers, and adds up as other kinds of arrays do.

What that costs is gained elsewhere: of narrow arrays several rows are taken side by side, as one
line, for which the processor has its vectors, and pieces stay in its cache.
"""

from itertools import groupby
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from torchlite.kernels.arrays import Array

__all__ = [
    "DOT",
    "DOUBLE",
    "dot",
    "einsum_rows",
    "inner",
    "is_single",
    "item",
    "rounded",
    "sum_all",
    "sum_along",
    "sum_products",
    "sum_rows",
]

# What blocks of these dtypes are added up in.
DOUBLE = {"f": "d", "F": "D"}
# Numbers that may be added up one after the other.
_BLOCK = 32
_FEW = 2 * _BLOCK
# So many rows one product with ones may take: another way would take longer than a small layer.
_AT_ONCE = 100
# The BLAS takes columns in fours, and of these four rows at a time; and one column in lanes.
_IN_FOURS = 4 * _FEW
_LANES = 1 << 8
# So many numbers dot leaves to the BLAS at once, and so many at a time of more.
DOT, _DOT_BLOCK = 1 << 12, 1 << 10
# Up to so many entries, products in an array of their own take less time than einsum.
_SMALL = 1 << 15
# Rows are taken side by side up to about so many entries.
_LINE = 1 << 10
# Pieces of about so many entries stay in the cache.
_PIECE = 1 << 18
# So many numbers are added up in pairs at a time.
_PAIRS = 1 << 16
# A product with ones takes a third to a fifth of the time of sum(0).
_ones = {char: np.ones(DOT if char in DOUBLE else 1 << 16, char) for char in "fFdD"}
# To cut them off takes as long as a small product.
_few_ones = {char: [ones[:n] for n in range(_AT_ONCE + 1)] for char, ones in _ones.items()}


def sum_rows(a: Array) -> Array:
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
    if n <= _AT_ONCE and char in _few_ones:
        return _few_ones[char][n].dot(a)
    if char not in DOUBLE:
        return _ones[char][:n].dot(a) if char in _ones and n <= len(_ones[char]) else a.sum(axis=0)
    width = a.shape[1]
    if (n <= _IN_FOURS and width % 4 == 0) or (n <= DOT and width == 1):
        return _ones[char][:n].dot(a)
    if not width or a.flags.fnc:
        return _in_pairs(a.T)
    if a.size > _PIECE and n > _IN_FOURS:
        step = max(_IN_FOURS, _PIECE * n // a.size // _IN_FOURS * _IN_FOURS)
        pieces = (sum_rows(a[start : start + step]) for start in range(0, n, step))
        return rounded(sum(pieces, np.zeros(())), a)
    # So many rows side by side, as one line, have all their columns in fours.
    blocks = 4 * -(-n // (2 * _IN_FOURS))
    whole = n - n % blocks
    lines = (a if whole == n else a[:whole]).reshape(whole // blocks, -1)
    sums = _ones[char][: len(lines)].dot(lines).reshape(blocks, -1)
    # Few numbers more may be added up in their own precision, which is quicker.
    summed = _ones[char if blocks <= _BLOCK else DOUBLE[char]][:blocks].dot(sums)
    if whole < n:
        summed = summed + sum_rows(a[whole:])
    return summed if blocks <= _BLOCK else rounded(summed, a)


def sum_products(a: Array, b: Array) -> Array:
    """Return the sum of the rows of a product, `(a * b).sum(0)`, without the product in between.

    Shapes: a and b (M, N); the sum (N,).

    Example
    -------
    >>> sum_products(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [10.0, 10.0]]))
    array([31., 42.])
    """
    if len(a) > _FEW and is_single(a) and is_single(b):
        if a.flags.fnc and b.flags.fnc:
            return inner(a.T, b.T)
        if a.size <= _SMALL:
            return sum_rows(a * b)
    return einsum_rows("nj,nj->j", a, b)


def einsum_rows(subscripts: str, a: Array, b: Array) -> Array:
    """Return `np.einsum(subscripts, a, b)`, for subscripts that sum over the first axis alone.

    Example
    -------
    >>> einsum_rows("no,noi->oi", np.array([[1.0], [2.0]]), np.array([[[1.0, 2.0]], [[3.0, 4.0]]]))
    array([[ 7., 10.]])
    """
    n = len(a)
    if n <= _FEW or not (is_single(a) and is_single(b)) or not b.size:
        return np.einsum(subscripts, a, b)
    # Rows a line, and blocks of such lines.
    long = max(1, min(_LINE // a.shape[1], n // _BLOCK))
    blocks = n // (_BLOCK * long)
    whole = blocks * _BLOCK * long
    lines = [x[:whole].reshape(blocks, _BLOCK, long * x.shape[1], *x.shape[2:]) for x in (a, b)]
    first, second = subscripts.split(",")
    sums = np.einsum(f"...{first},...{second.replace('->', '->...')}", *lines)
    summed = sum_rows(sums.reshape(blocks * long, -1)).reshape(-1, *sums.shape[2:])
    return summed if whole == n else summed + einsum_rows(subscripts, a[whole:], b[whole:])


def inner(a: Array, b: Array) -> Array:
    """Return `(a * b).sum(-1)`, without the product in between.

    Shapes: a and b (..., N); the sum (...).

    Example
    -------
    >>> inner(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 10.0], [1.0, 10.0]]))
    array([21., 43.])
    """
    n = a.shape[-1]
    if n > _FEW and _are_rows(a) and _are_rows(b):
        return np.vecdot(a, b)
    if n <= _FEW or not (is_single(a) and is_single(b)) or not a.size:
        return np.einsum("...i,...i->...", a, b)
    if a.ndim == 2 and a.flags.fnc and b.flags.fnc:
        return sum_products(a.T, b.T)
    # Neighbours in memory are added up in lanes.
    block = _LANES if _is_closest(a, -1) and _is_closest(b, -1) else _FEW
    if n <= block:
        return np.einsum("...i,...i->...", a, b)
    whole = n - n % block
    blocks = (x[..., :whole].reshape(*x.shape[:-1], -1, block) for x in (a, b))
    summed = np.einsum("...ki,...ki->...k", *blocks).sum(-1, dtype=DOUBLE[a.dtype.char])
    summed += np.einsum("...i,...i->...", a[..., whole:], b[..., whole:])
    return rounded(summed, a)


def dot(a: Array, b: Array) -> Array:
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
    if a.size <= DOT or not (is_single(a) and is_single(b)):
        return a.dot(b)
    whole = a.size - a.size % _DOT_BLOCK
    blocks = a[:whole].reshape(-1, 1, _DOT_BLOCK) @ b[:whole].reshape(-1, _DOT_BLOCK, 1)
    return sum_rows(blocks.reshape(-1, 1))[0] + a[whole:].dot(b[whole:])


def sum_all(a: Array) -> Array:
    """Return the sum of everything, `a.sum()`.

    Example
    -------
    >>> sum_all(np.ones((2, 3)))
    np.float64(6.0)
    """
    if not is_single(a) or (a.size <= _PAIRS and a.flags.forc):
        return a.sum()
    return _in_pairs(a.ravel("K"))


def item(total: Any) -> Any:
    """Return an array's only number, or NumPy's scalar, as a number of Python's own.

    Example
    -------
    >>> item(sum_all(np.ones((2, 3), np.float32)))
    6.0
    """
    # float() takes a tenth of the time of item().
    return float(total) if isinstance(total, np.floating) else total.item()


def sum_along(a: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array:
    """Return the sum along one axis or several, `a.sum(axis, keepdims=keepdims)`.

    Example
    -------
    >>> a = np.full((2, 500_000, 2), 0.1, np.float32)
    >>> sum_along(a, (0, 1)).round()
    array([100000., 100000.], dtype=float32)
    """
    if type(axis) is tuple and len(axis) == 1:
        axis = axis[0]
    if type(axis) is int and axis in (-1, a.ndim - 1) and _are_rows(a):
        summed = np.vecdot(a, _ones[a.dtype.char][: a.shape[-1]])
        return summed[..., None] if keepdims else summed
    if type(axis) is int and (a.shape[axis] <= _FEW or _is_closest(a, axis)):
        if a.shape[axis] <= _PAIRS or not is_single(a):
            return a.sum(axis, keepdims=keepdims)
        summed = _in_pairs(np.moveaxis(a, axis, -1))
        return np.expand_dims(summed, axis) if keepdims else summed
    if not is_single(a) or not a.size:
        return np.sum(a, axis, keepdims=keepdims)
    if axis == 0 and a.ndim == 2:
        return sum_rows(a)[None] if keepdims else sum_rows(a)
    axes = normalize_axis_tuple(axis, a.ndim)
    order = [*range(a.ndim)]
    if not a.flags.c_contiguous:
        order.sort(key=lambda i: -abs(a.strides[i]))
    if order != [*range(a.ndim)]:
        # In the order in which the entries lie in memory.
        turned = tuple(order.index(i) for i in axes)
        summed = sum_along(np.transpose(a, order), turned, keepdims=True)
        summed = np.transpose(summed, np.argsort(order))
        return summed if keepdims else summed.squeeze(axes)
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
    return rounded(summed, a).reshape(kept)


def _are_rows(a: Array) -> bool:
    """Return whether a dot product of each row takes less time than a sum of products."""
    if a.size < _LINE or type(a) is not np.ndarray or a.dtype.char not in "fd":
        return False
    return a.shape[-1] <= DOT and a.flags.c_contiguous


def _middle(a: Array) -> Array:
    """Return the sum along the second of three axes."""
    outer, n, behind = a.shape
    if n <= _FEW:
        return a.sum(1)
    if behind == 1:
        return sum_along(a[:, :, 0], 1)[:, None]
    if outer == 1:
        return sum_rows(a[0])
    whole = n - n % _BLOCK
    summed = a[:, :whole].reshape(outer, _BLOCK, -1).sum(1)
    summed = summed.reshape(outer, -1, behind).sum(1, dtype=DOUBLE.get(a.dtype.char))
    summed += a[:, whole:].sum(1)
    return summed


def _in_pairs(a: Array) -> Array:
    """Return the sum along the last axis, along which the numbers lie close to one another."""
    n = a.shape[-1]
    if n <= _PAIRS or not is_single(a):
        return a.sum(-1)
    whole = n - n % _PAIRS
    blocks = a[..., :whole].reshape(*a.shape[:-1], -1, _PAIRS).sum(-1)
    return rounded(blocks.sum(-1, dtype=DOUBLE[a.dtype.char]) + a[..., whole:].sum(-1), a)


def rounded(summed: Array, a: Array) -> Array:
    """Return a sum in the precision of what was added up, where it may be infinite."""
    with np.errstate(over="ignore"):
        return summed.astype(a.dtype)


def is_single(a: Array) -> bool:
    return type(a) is np.ndarray and a.dtype.char in DOUBLE


def _is_closest(a: Array, axis: int) -> bool:
    """Return whether NumPy goes along this axis first, and so adds up in pairs."""
    return type(a) is np.ndarray and a.strides[axis] == a.itemsize and 0 not in a.strides
