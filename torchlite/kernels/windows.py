"""Windows of arrays along their last dimensions: how many there are, where, and views of them.

An array of planes is (N, C, *size), with one to three dimensions of positions. A window of
`kernel` entries starts every `stride` entries of an image with `padding` entries around it, and
takes every `dilation`-th entry from there. What says so has one number for each dimension.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from torchlite.kernels.arrays import Array, Size
from torchlite.kernels.scratch import stretches

__all__ = [
    "adaptive_windows",
    "along",
    "cached",
    "full_size",
    "inner_taps",
    "middle",
    "pooled_size",
    "taps",
    "window_view",
    "windowed_size",
]

# Blocks of planes of about so many bytes stay in the cache.
_CACHED = 1 << 20


def windowed_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Size:
    """Return how many whole windows there are: `(n + 2 * p - d * (k - 1) - 1) // s + 1`.

    It is 0 or less where not even one fits, and 0 in an image without entries, however wide its
    padding.

    Example
    -------
    >>> windowed_size((7, 8), (3, 3), (2, 2), (0, 1), (1, 2))
    (3, 3)
    """
    each = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 if n else 0 for n, k, s, p, d in each)


def pooled_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil: bool = False,
) -> Size:
    """Return how many windows pooling has: as `windowed_size`, but ceil takes a last one in part.

    One that starts behind the image has no entries, and is left out; an image without entries has
    none.

    Example
    -------
    >>> pooled_size((7,), (2,), (2,), (0,), (1,)), pooled_size((7,), (2,), (2,), (0,), (1,), True)
    ((3,), (4,))
    >>> pooled_size((6,), (1,), (3,), (0,), (1,), True)
    (2,)
    """
    found = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        count = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil else 0)) // s + 1
        found.append(count - ((count - 1) * s >= n + p) if n else 0)
    return tuple(found)


def full_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    extra: Sequence[int],
) -> Size:
    """Return the smallest size that has so many windows, plus extra: what a full convolution makes.

    That is `(n - 1) * s - 2 * p + d * (k - 1) + 1 + extra`, where extra is less than s; and 0 for
    no windows.

    Example
    -------
    >>> full_size((3,), (3,), (2,), (0,), (1,), (1,))
    (8,)
    """
    each = zip(size, kernel, stride, padding, dilation, extra, strict=True)
    return tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 + e if n else 0 for n, k, s, p, d, e in each)


def adaptive_windows(size: int, count: int) -> list[tuple[int, int]]:
    """Return where `count` windows begin and end that cover `size` entries: i * size / count.

    Example
    -------
    >>> adaptive_windows(5, 3)
    [(0, 2), (1, 4), (3, 5)]
    """
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def window_view(
    planes: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Array:
    """Return a view (C, *kernel, N, *out) of the windows of planes (N, C, *size).

    Example
    -------
    >>> window_view(np.arange(5).reshape(1, 1, 5), (2,), (2,), (1,))[0]
    array([[[0, 2]],
    <BLANKLINE>
           [[1, 3]]])
    """
    dims = len(kernel)
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if type(planes) is np.ndarray:
        # The same as below, but in a third of the time, which is much where planes are small.
        samples, c, *size = planes.shape
        sample, plane, *apart = planes.strides
        out = [(n - span) // s + 1 for n, span, s in zip(size, spans, stride, strict=True)]
        of_kernel, of_out = (
            [n * step for n, step in zip(by, apart, strict=True)] for by in (dilation, stride)
        )
        strides = plane, *of_kernel, sample, *of_out
        return as_strided(planes, (c, *kernel, samples, *out), strides, writeable=False)
    view = sliding_window_view(planes, spans, tuple(range(2, 2 + dims)))
    steps = (*stride, *dilation)
    view = view[(slice(None), slice(None), *(slice(None, None, step) for step in steps))]
    return np.transpose(view, (1, *range(2 + dims, 2 + 2 * dims), 0, *range(2, 2 + dims)))


def taps(
    out: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[Size, tuple[Any, ...]]]:
    """Yield each entry of a window, and the index of all these entries in planes without padding.

    Example
    -------
    >>> planes = np.arange(5).reshape(1, 1, 5)
    >>> [planes[index][0, 0].tolist() for _, index in taps((2,), (2,), (2,), (1,))]
    [[0, 2], [1, 3]]
    """
    for tap in product(*map(range, kernel)):
        starts = [d * i for d, i in zip(dilation, tap, strict=True)]
        each = zip(starts, out, stride, strict=True)
        yield tap, (..., *(slice(a, a + s * (n - 1) + 1, s) for a, n, s in each))


@lru_cache(32)
def inner_taps(
    size: Size, out: Size, kernel: Size, stride: Size, padding: Size, dilation: Size
) -> tuple[tuple[Size, tuple[Any, ...], tuple[Any, ...]], ...]:
    """Return each entry of a window, the index of the windows where it is no padding, and of it.

    Sizes are tuples: what was found for the last ones is kept, as to find it takes longer than to
    look at small planes.

    Example
    -------
    >>> inner_taps((3,), (3,), (2,), (2,), (1,), (1,))[0]
    ((0,), (Ellipsis, slice(1, 2, None)), (Ellipsis, slice(1, 2, 2)))
    """
    found = []
    for tap in product(*map(range, kernel)):
        inside, entries = [], []
        for i, n, m, s, p, d in zip(tap, size, out, stride, padding, dilation, strict=True):
            start = d * i - p
            first = max(0, -(start // s))
            last = min(m, (n - 1 - start) // s + 1)
            inside.append(slice(first, last))
            entries.append(slice(start + first * s, start + (last - 1) * s + 1, s))
            if last <= first:
                break
        else:
            found.append((tap, (..., *inside), (..., *entries)))
    return tuple(found)


def middle(
    shape: Sequence[int], size: Sequence[int], before: Sequence[int]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return which part of an array of this shape stands in an image of `size`, and where there.

    Its first entry stands at `before`; a negative one cuts entries off.

    Example
    -------
    >>> middle((5,), (4,), (-2,))
    ((Ellipsis, slice(2, 5, None)), (Ellipsis, slice(0, 3, None)))
    """
    here, there = [], []
    for n, m, b in zip(shape, size, before, strict=True):
        start, end = max(0, -b), max(0, -b, min(n, m - b))
        here.append(slice(start, end))
        there.append(slice(start + b, end + b))
    return (..., *here), (..., *there)


def cached(planes: Array) -> list[slice]:
    """Return slices of the planes that fit into the cache.

    Example
    -------
    >>> cached(np.zeros((3, 256, 256)))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(1, _CACHED // max(1, planes.dtype.itemsize * prod(planes.shape[1:])))
    return stretches(len(planes), step)


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """Return an index along one axis as an index of the whole array.

    Example
    -------
    >>> np.eye(3)[along(1, 0)]
    array([1., 0., 0.])
    """
    return (*(slice(None),) * axis, index)
