"""Sums and means of windows, with one to three dimensions, and their gradients.

Shapes: input (N, C, *size), or one sample (C, *size); output (N, C, *out). There are as many
windows as `out` says; one that reaches beyond the image has fewer entries. A sum is taken along one
dimension after the other.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, Size
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_along
from torchlite.kernels.threads import share_out
from torchlite.kernels.windows import adaptive_windows, along, cached, inner_taps

__all__ = [
    "adaptive_means",
    "adaptive_means_back",
    "mean_windows",
    "mean_windows_back",
    "sum_windows",
    "sum_windows_back",
]

# More entries than these along one dimension are not added up one after the other.
_FEW = 64


def sum_windows(
    input: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    out: Sequence[int],
) -> Array:
    """Return the sum of the entries of every window.

    In one dimension::

        output = np.zeros((N, C, O))
        for n, c, o, k in np.ndindex(N, C, O, K):
            if 0 <= s * o - p + k < size:
                output[n, c, o] += input[n, c, s * o - p + k]

    Example
    -------
    >>> sum_windows(np.array([[1.0, 5.0, 2.0]]), (2,), (2,), (0,), (2,))
    array([[6., 2.]])
    """
    dims = len(kernel)
    lead = input.shape[: input.ndim - dims]
    if _is_whole(input.shape[input.ndim - dims :], kernel, padding, out):
        return sum_along(input, tuple(range(-dims, 0)), keepdims=True)
    planes = input.reshape(prod(lead), *input.shape[input.ndim - dims :])
    output = np.empty_like(planes, order="C", shape=(len(planes), *out))
    each = list(zip(kernel, stride, padding, out, strict=True))

    def add(part: slice) -> None:
        sums = planes[part]
        for i, (k, s, p, m) in enumerate(each):
            sums = _summed(sums, i + 1, k, s, p, m)
        output[part] = sums

    share_out(planes, cached(planes), add)
    return output.reshape(*lead, *out)


def _is_whole(
    size: Sequence[int], kernel: Sequence[int], padding: Sequence[int], out: Sequence[int]
) -> bool:
    """Tell whether there is one window, with the whole image in it."""
    each = zip(size, kernel, padding, strict=True)
    return prod(out) == 1 and all(k - p >= n for n, k, p in each)


def _summed(x: Array, axis: int, k: int, s: int, p: int, m: int) -> Array:
    """Return the sums of windows along one axis."""
    n = x.shape[axis]
    result = np.zeros_like(x, shape=(*x.shape[:axis], m, *x.shape[axis + 1 :]))
    if k > _FEW:
        for o in range(m):
            entries = slice(max(0, o * s - p), max(0, o * s - p + k))
            result[along(axis, o)] = sum_along(x[along(axis, entries)], axis)
        return result
    for _, (_, inside), (_, entries) in inner_taps((n,), (m,), (k,), (s,), (p,), (1,)):
        result[along(axis, inside)] += x[along(axis, entries)]
    return result


def sum_windows_back(
    gradient: Array,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> Array:
    """Return the gradient of the input of `size` of `sum_windows`.

    In one dimension::

        gradInput = np.zeros((N, C, size))
        for n, c, o, k in np.ndindex(N, C, O, K):
            if 0 <= s * o - p + k < size:
                gradInput[n, c, s * o - p + k] += gradient[n, c, o]

    Example
    -------
    >>> sum_windows_back(np.array([[1.0, 10.0]]), (3,), (2,), (1,), (0,))
    array([[ 1., 11., 10.]])
    """
    dims = len(kernel)
    lead, out = gradient.shape[: gradient.ndim - dims], gradient.shape[gradient.ndim - dims :]
    if _is_whole(size, kernel, padding, out):
        return np.broadcast_to(gradient, (*lead, *size)).copy()
    planes = gradient.reshape(prod(lead), *out)
    result = np.empty_like(planes, order="C", shape=(len(planes), *size))
    each = list(zip(kernel, stride, padding, size, strict=True))

    def put(part: slice) -> None:
        spread = planes[part]
        for i, (k, s, p, n) in reversed(list(enumerate(each))):
            spread = _spread(spread, i + 1, k, s, p, n)
        result[part] = spread

    share_out(result, cached(result), put)
    return result.reshape(*lead, *size)


def _spread(x: Array, axis: int, k: int, s: int, p: int, n: int) -> Array:
    """Return the gradient of `_summed` along an axis with n entries."""
    result = np.zeros_like(x, shape=(*x.shape[:axis], n, *x.shape[axis + 1 :]))
    m = x.shape[axis]
    for _, (_, inside), (_, entries) in inner_taps((n,), (m,), (k,), (s,), (p,), (1,)):
        result[along(axis, entries)] += x[along(axis, inside)]
    return result


def mean_windows(
    input: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    out: Sequence[int],
    pads: bool = True,
) -> Array:
    """Return the mean of every window; with pads, entries of the padding count, as zeros.

    In one dimension::

        output = np.zeros((N, C, O))
        for n, c, o in np.ndindex(N, C, O):
            entries = [at for at in s * o - p + np.arange(K) if at < size + p]
            inside = [at for at in entries if 0 <= at < size]
            output[n, c, o] = input[n, c, inside].sum() / len(entries if pads else inside)

    Example
    -------
    >>> x = np.array([[6.0, 2.0, 4.0]])
    >>> mean_windows(x, (2,), (2,), (1,), (2,)), mean_windows(x, (2,), (2,), (1,), (2,), False)
    (array([[3., 3.]]), array([[6., 3.]]))
    """
    size = input.shape[input.ndim - len(kernel) :]
    counts = _counts(size, kernel, stride, padding, out, pads, input)
    return sum_windows(input, kernel, stride, padding, out) / counts


def mean_windows_back(
    gradient: Array,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    pads: bool = True,
) -> Array:
    """Return the gradient of the input of `size` of `mean_windows`.

    In one dimension::

        gradInput = np.zeros((N, C, size))
        for n, c, o in np.ndindex(N, C, O):
            entries = [at for at in s * o - p + np.arange(K) if at < size + p]
            inside = [at for at in entries if 0 <= at < size]
            gradInput[n, c, inside] += gradient[n, c, o] / len(entries if pads else inside)

    Example
    -------
    >>> mean_windows_back(np.array([[6.0, 6.0]]), (3,), (2,), (2,), (1,), False)
    array([[6., 3., 3.]])
    """
    out = gradient.shape[gradient.ndim - len(kernel) :]
    counts = _counts(size, kernel, stride, padding, out, pads, gradient)
    return sum_windows_back(gradient / counts, size, kernel, stride, padding)


def _counts(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    out: Sequence[int],
    pads: bool,
    array: Array,
) -> Array | int:
    """Return how many entries each window has, in the array's precision and of its kind."""
    counts = _whole_counts(*map(tuple, (size, kernel, stride, padding, out)), pads)
    return counts if isinstance(counts, int) else like(counts.astype(array.real.dtype), array)


@lru_cache(32)
def _whole_counts(
    size: Size, kernel: Size, stride: Size, padding: Size, out: Size, pads: bool
) -> Array | int:
    """Return the same as whole numbers; found once, for small planes wait for it."""
    each = []
    for n, k, s, p, m in zip(size, kernel, stride, padding, out, strict=True):
        start = np.arange(m) * s - p
        end = np.minimum(start + k, n + p)
        each.append(end - start if pads else np.minimum(end, n) - np.maximum(start, 0))
    counts: Any = prod(np.ix_(*each))
    if counts.size and counts.min() == counts.max():
        return int(counts.flat[0])
    found: Array = counts
    return found


def adaptive_means(input: Array, out: Sequence[int]) -> Array:
    """Return the means of `adaptive_windows` in each dimension.

    In one dimension::

        output = np.zeros((N, C, O))
        for n, c, o in np.ndindex(N, C, O):
            start, end = o * size // O, -(-(o + 1) * size // O)
            output[n, c, o] = input[n, c, start:end].mean()

    Example
    -------
    >>> adaptive_means(np.array([[1.0, 2.0, 6.0]]), (2,))
    array([[1.5, 4. ]])
    """
    dims = len(out)
    if prod(out) == 1:
        whole = sum_along(input, tuple(range(-dims, 0)), keepdims=True)
        return whole / prod(input.shape[-dims:])
    for axis, m in enumerate(out, input.ndim - dims):
        shape = (*input.shape[:axis], m, *input.shape[axis + 1 :])
        means = np.empty_like(input, order="C", shape=shape)
        for o, (start, end) in enumerate(adaptive_windows(input.shape[axis], m)):
            part = input[along(axis, slice(start, end))]
            means[along(axis, o)] = sum_along(part, axis) / (end - start)
        input = means
    return input


def adaptive_means_back(gradient: Array, size: Sequence[int]) -> Array:
    """Return the gradient of the input of `size` of `adaptive_means`.

    In one dimension::

        gradInput = np.zeros((N, C, size))
        for n, c, o in np.ndindex(N, C, O):
            start, end = o * size // O, -(-(o + 1) * size // O)
            gradInput[n, c, start:end] += gradient[n, c, o] / (end - start)

    Example
    -------
    >>> adaptive_means_back(np.array([[2.0, 20.0]]), (3,))
    array([[ 1., 11., 10.]])
    """
    for axis, n in enumerate(size, gradient.ndim - len(size)):
        found = adaptive_windows(n, gradient.shape[axis])
        counts = np.array([end - start for start, end in found], gradient.real.dtype)
        share = gradient / like(counts, gradient).reshape(-1, *(1,) * (gradient.ndim - axis - 1))
        of: list[list[int]] = [[] for _ in range(n)]
        for o, (start, end) in enumerate(found):
            for windows in of[start:end]:
                windows.append(o)
        # The first window of each entry, then the second of those in several, and so on.
        gradient = np.take(share, like(np.array([windows[0] for windows in of]), share), axis)
        for rank in range(1, max(map(len, of))):
            some = [i for i, windows in enumerate(of) if len(windows) > rank]
            more = np.take(share, like(np.array([of[i][rank] for i in some]), share), axis)
            gradient[along(axis, like(np.array(some), share))] += more
    return gradient
