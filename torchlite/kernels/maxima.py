"""Pooling by maxima, with one to three dimensions: where they stand, and what goes back there.

Shapes: input (N, C, *size), or one sample (C, *size); output (N, C, *out). There are as many
windows as `out` says; one that reaches beyond the image has fewer entries.

Where a maximum stands is said by its place in its plane, counted in C order from 0. The first of
equal entries is the maximum; NaN goes before all numbers. Complex numbers are ordered by their real
parts.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, Size
from torchlite.kernels.like import like
from torchlite.kernels.threads import share_out
from torchlite.kernels.windows import adaptive_windows, cached, inner_taps

__all__ = [
    "adaptive_places",
    "fractional_places",
    "gather",
    "largest",
    "max_at",
    "max_windows",
    "scatter",
]

# So many windows that have no number as their maximum are looked through at once.
_AT_ONCE = 1 << 14


def max_windows(
    input: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
) -> tuple[Array, Array]:
    """Return the maximum of every window, and its place in its plane.

    In one dimension::

        output, indices = np.zeros((N, C, O)), np.zeros((N, C, O), int)
        for n, c, o in np.ndindex(N, C, O):
            entries = [at for at in s * o - p + d * np.arange(K) if 0 <= at < size]
            indices[n, c, o] = entries[np.argmax(input[n, c, entries])]
            output[n, c, o] = input[n, c, indices[n, c, o]]

    Example
    -------
    >>> max_windows(np.array([[1.0, 5.0, 5.0, 2.0]]), (2,), (1,), (0,), (1,), (3,))
    (array([[5., 5., 5.]]), array([[1, 1, 2]]))
    """
    dims = len(kernel)
    lead, size = input.shape[: input.ndim - dims], input.shape[input.ndim - dims :]
    planes = input.real.reshape(prod(lead), *size)
    geometry = size, tuple(out), *map(tuple, (kernel, stride, padding, dilation))
    steps = inner_taps(*geometry)
    best = np.empty_like(planes, order="C", shape=(len(planes), *out))
    hits = np.empty_like(planes, "uint8" if len(steps) < 256 else "int32", shape=best.shape)

    def look(part: slice) -> None:
        _first_maximum(planes[part], steps, best[part], hits[part])

    share_out(planes, cached(planes), look)
    corners = [np.arange(n) * s - p for n, s, p in zip(out, stride, padding, strict=True)]
    indices = np.take(like(_offsets(*geometry), input), hits)
    indices += like(_flat(np.ix_(*corners), size), input)
    unsettled = (hits == 0) | np.isnan(best)
    # There is hardly ever one, and nonzero takes as long as the maxima.
    if unsettled.any():
        wrong = np.nonzero(unsettled)
        _settle(planes, wrong, indices, kernel, stride, padding, dilation)
        best[wrong] = gather(planes, indices, dims)[wrong]
    shape = (*lead, *out)
    best, indices = best.reshape(shape), indices.reshape(shape)
    return gather(input, indices, dims) if input.dtype.kind == "c" else best, indices


@lru_cache
def _offsets(
    size: Size, out: Size, kernel: Size, stride: Size, padding: Size, dilation: Size
) -> tuple[int, ...]:
    """Return how far behind the corner of its window each of `inner_taps` is; before them 0."""
    steps = inner_taps(size, out, kernel, stride, padding, dilation)
    each = ([d * i for d, i in zip(dilation, tap, strict=True)] for tap, _, _ in steps)
    return 0, *(_flat(at, size) for at in each)


def _first_maximum(planes: Array, steps: Any, best: Array, hits: Array) -> None:
    """Fill in the maximum of each window, and the number of the step that found it; 0 if none did.

    NaN becomes the maximum, too, but which of them is not found here.
    """
    for number, (_, inside, entries) in enumerate(steps, 1):
        values, found, reached = planes[entries], best[inside], hits[inside]
        if number == 1:
            if found.shape == best.shape:
                best[...] = values
                hits[...] = 1
                continue
            best[...] = -np.inf
            hits[...] = 0
        better = values > found
        np.maximum(found, values, out=found)
        np.maximum(reached, np.multiply(better, number, dtype=hits.dtype), out=reached)


def _settle(
    planes: Array,
    wrong: tuple[Array, ...],
    indices: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> None:
    """Find the maximum of windows with a NaN, and of those with nothing above -infinity."""
    size = planes.shape[1:]
    flat = planes.reshape(-1)
    grid = np.indices(kernel).reshape(len(kernel), -1)
    for start in range(0, wrong[0].size, _AT_ONCE):
        plane, *where = (places[start : start + _AT_ONCE, None] for places in wrong)
        entries = [
            o * s - p + like(d * i, planes)
            for o, s, p, d, i in zip(where, stride, padding, dilation, grid, strict=True)
        ]
        inside: Any = True
        for at, n in zip(entries, size, strict=True):
            inside = inside & (at >= 0) & (at < n)
        places = _flat([at.clip(0, n - 1) for at, n in zip(entries, size, strict=True)], size)
        values = flat[plane * prod(size) + places]
        first = np.argmax(inside + 1 * (inside & np.isnan(values)), 1, keepdims=True)
        at_once = tuple(places[start : start + _AT_ONCE] for places in wrong)
        indices[at_once] = np.take_along_axis(places, first, 1)[:, 0]


def max_at(input: Array, places: Array, dims: int) -> tuple[Array, Array]:
    """Return the maximum of the entries at some places, and its place in its plane.

    Shapes: places (K, *out), the same in every plane, or (K, N, C, *out). In one dimension::

        output, indices = np.zeros((N, C, O)), np.zeros((N, C, O), int)
        for n, c, o in np.ndindex(N, C, O):
            indices[n, c, o] = places[np.argmax(input[n, c, places[:, o]]), o]
            output[n, c, o] = input[n, c, indices[n, c, o]]

    Example
    -------
    >>> max_at(np.array([[1.0, 5.0, 2.0]]), np.array([[0, 1], [1, 2]]), 1)
    (array([[5., 5.]]), array([[1, 1]]))
    """
    lead = input.shape[: input.ndim - dims]
    out = places.shape[places.ndim - dims :]
    planes = _flat_planes(input.real, dims)
    alike = places.ndim == dims + 1
    places = like(places.reshape(len(places), 1 if alike else prod(lead), prod(out)), input)
    hits: Any = None
    for number in range(len(places)):
        if alike:
            values = np.take(planes, places[number, 0], 1)
        else:
            values = np.take_along_axis(planes, places[number], 1)
        if hits is None:
            kind = "uint8" if len(places) < 256 else "int32"
            best, hits = values, np.zeros_like(planes, kind, shape=values.shape)
        else:
            # NaN is better than a number, and nothing is better than NaN.
            better = ~(values <= best) & (best == best)
            best = np.maximum(best, values)
            hits = np.maximum(hits, np.multiply(better, number, dtype=hits.dtype))
    places = np.broadcast_to(places, (len(places), *hits.shape))
    indices = np.take_along_axis(places, hits[None].astype(np.intp), 0).reshape(*lead, *out)
    return gather(input, indices, dims), indices


def adaptive_places(size: Sequence[int], out: Sequence[int]) -> Array:
    """Return the places (K, *out) of the entries of `adaptive_windows` in each dimension.

    A window with fewer entries than others has its last one several times.

    Example
    -------
    >>> adaptive_places((5,), (2,))
    array([[0, 2],
           [1, 3],
           [2, 4]])
    """
    each = []
    for n, m in zip(size, out, strict=True):
        found = adaptive_windows(n, m)
        longest = max(end - start for start, end in found)
        each.append([[min(start + k, end - 1) for start, end in found] for k in range(longest)])
    return _places([np.array(rows) for rows in each], size)


def fractional_places(
    samples: Array, size: Sequence[int], out: Sequence[int], kernel: Any
) -> Array:
    """Return the places (K, *lead, *out) of the entries of windows at random distances.

    Shapes: samples (*lead, dims), from 0 to 1. In each dimension, with u from samples::

        alpha = (size - kernel) / (out - 1)
        start = [int((o + u) * alpha) - int(u * alpha) for o in range(out - 1)] + [size - kernel]

    Example
    -------
    >>> fractional_places(np.array([0.5]), (7,), (3,), (2,))
    array([[0, 2, 5],
           [1, 3, 6]])
    """
    each = []
    for i, (n, m, k) in enumerate(zip(size, out, kernel, strict=True)):
        u = samples[..., i, None]
        # In the precision of the samples, as Torch7 computes it.
        alpha = u.dtype.type(n - k) / u.dtype.type(max(1, m - 1))
        starts = ((np.arange(m).astype(u.dtype) + u) * alpha).astype(np.intp)
        starts -= (u * alpha).astype(np.intp)
        starts[..., -1] = n - k
        each.append(starts + np.arange(k).reshape(-1, *(1,) * starts.ndim))
    return _places(each, size)


def _places(each: Sequence[Array], size: Sequence[int]) -> Array:
    """Return places (K, ..., *out) of what stands at (k, ..., out) in each dimension."""
    dims = len(each)
    spread = []
    for i, at in enumerate(each):
        k, *lead, m = at.shape
        ones = [1] * dims
        at = at.reshape(*ones[:i], k, *ones[i + 1 :], *lead, *ones[:i], m, *ones[i + 1 :])
        spread.append(at)
    flat = _flat(spread, size)
    return flat.reshape(prod(flat.shape[:dims]), *flat.shape[dims:])


def largest(input: Array, k: int) -> Array:
    """Return where the k largest entries stand along the dimension before the last, in order.

    In one plane::

        indices = np.zeros((k, F), int)
        for f in range(F):
            indices[:, f] = sorted(range(T), key=lambda t: -input[t, f])[:k]
        indices.sort(0)

    Example
    -------
    >>> largest(np.array([[3.0], [1.0], [5.0], [3.0]]), 2)[:, 0]
    array([0, 2])
    """
    # Backwards, so that of equal ones the first stand last; NaN stands behind all numbers.
    order = np.argsort(input.real[..., ::-1, :], axis=-2, kind="stable")
    n = input.shape[-2]
    return np.sort(n - 1 - order[..., n - k :, :], axis=-2)


def gather(input: Array, indices: Array, dims: int) -> Array:
    """Return the entries of each plane, its last `dims` dimensions, that stand at places in it.

    In one dimension::

        output = np.zeros((N, C, O))
        for n, c, o in np.ndindex(N, C, O):
            output[n, c, o] = input[n, c, indices[n, c, o]]

    Example
    -------
    >>> gather(np.array([[1.0, 5.0, 2.0]]), np.array([[1, 1]]), 1)
    array([[5., 5.]])
    """
    planes = _flat_planes(input, dims)
    return np.take_along_axis(planes, _flat_planes(indices, dims), 1).reshape(indices.shape)


def scatter(gradient: Array, indices: Array, size: Sequence[int], distinct: bool = False) -> Array:
    """Return planes of `size` with the entries added at places in them: the gradient of `gather`.

    With distinct, no two of a plane have the same place. In one dimension::

        gradInput = np.zeros((N, C, size))
        for n, c, o in np.ndindex(N, C, O):
            gradInput[n, c, indices[n, c, o]] += gradient[n, c, o]

    Example
    -------
    >>> scatter(np.array([[1.0, 10.0, 100.0]]), np.array([[1, 1, 3]]), (4,))
    array([[  0.,  11.,   0., 100.]])
    """
    dims = len(size)
    result = np.zeros_like(gradient, order="C", shape=(*gradient.shape[:-dims], *size))
    places = _flat_planes(indices, dims)
    places = places + like(np.arange(places.shape[0]) * prod(size), gradient)[:, None]
    flat, places, values = result.reshape(-1), places.reshape(-1), gradient.reshape(-1)
    if distinct:
        flat[places] = values
    else:
        np.add.at(flat, places, values)
    return result


def _flat_planes(array: Array, dims: int) -> Array:
    """Return an array with all planes side by side, and each of them flat."""
    lead, size = array.shape[: array.ndim - dims], array.shape[array.ndim - dims :]
    return array.reshape(prod(lead), prod(size))


def _flat(places: Sequence[Any], size: Sequence[int]) -> Any:
    """Return the place in C order of a place that is said for each dimension."""
    flat: Any = 0
    for place, n in zip(places, size, strict=True):
        flat = flat * n + place
    return flat
