"""Images made larger and smaller: what stands around them, and what stands between their pixels.

Shapes: input (..., *size): the last dimensions are those of the image, and there may be any before.
Each function works along one dimension of it after the other.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.kernels.means import sum_windows
from torchlite.kernels.sums import DOUBLE
from torchlite.kernels.windows import along, middle

__all__ = [
    "crop_or_pad",
    "reflected",
    "replicated",
    "take_border",
    "take_border_back",
    "upsample_linear",
    "upsample_linear_back",
    "upsample_nearest",
    "upsample_nearest_back",
]

Pads = Sequence[tuple[int, int]]

# More terms than these are not added up one after the other in single precision.
_FEW = 64


# ---------------------------------------------------------------- around


def crop_or_pad(input: Array, pads: Pads) -> Array:
    """Return the image with so many zeros before and behind it; negative numbers cut entries off.

    Its gradient is itself, with the pads turned into their negatives::

        gradInput = crop_or_pad(gradient, [(-before, -behind) for before, behind in pads])

    Example
    -------
    >>> crop_or_pad(np.array([1.0, 2.0, 3.0]), [(-1, 2)])
    array([2., 3., 0., 0.])
    """
    dims = len(pads)
    lead = input.shape[: input.ndim - dims]
    size = tuple(n + a + b for n, (a, b) in zip(input.shape[len(lead) :], pads, strict=True))
    output = np.zeros_like(input, order="C", shape=(*lead, *size))
    here, there = middle(input.shape[len(lead) :], size, [before for before, _ in pads])
    output[there] = input[here]
    return output


def reflected(size: int, before: int, behind: int) -> list[int]:
    """Return the places in a row of what stands in it after reflection at its first and last entry.

    Example
    -------
    >>> reflected(4, 2, 1), reflected(4, -1, 0)
    ([2, 1, 0, 1, 2, 3, 2], [1, 2, 3])
    """
    last = size - 1
    return [last - abs(last - abs(place)) for place in range(-before, size + behind)]


def replicated(size: int, before: int, behind: int) -> list[int]:
    """Return the places in a row of what stands in it after repeating its first and last entry.

    Example
    -------
    >>> replicated(3, 2, 1), replicated(3, -1, 0)
    ([0, 0, 0, 1, 2, 2], [1, 2])
    """
    return [min(max(place, 0), size - 1) for place in range(-before, size + behind)]


def take_border(input: Array, pads: Pads, places: Any) -> Array:
    """Return the image with a border of its own entries: `places` is `reflected` or `replicated`.

    In one dimension::

        output = input[..., places(size, before, behind)]

    Example
    -------
    >>> take_border(np.array([1.0, 2.0, 3.0]), [(1, 2)], reflected)
    array([2., 1., 2., 3., 2., 1.])
    """
    output = input
    for axis, (before, behind) in enumerate(pads, input.ndim - len(pads)):
        n = input.shape[axis]
        if before or behind:
            index = like(np.array(places(n, before, behind), np.intp), input)
            output = np.take(output, index, axis)
    return output.copy() if output is input else output


def take_border_back(gradient: Array, size: Sequence[int], pads: Pads, places: Any) -> Array:
    """Return the gradient of the input of `size` of `take_border`.

    In one dimension::

        gradInput = np.zeros((N, C, size))
        for o, place in enumerate(places(size, before, behind)):
            gradInput[..., place] += gradient[..., o]

    Example
    -------
    >>> take_border_back(np.array([1.0, 2.0, 3.0, 4.0]), (3,), [(1, 0)], replicated)
    array([3., 3., 4.])
    """
    found = gradient
    for axis, (n, (before, behind)) in enumerate(
        zip(size, pads, strict=True), gradient.ndim - len(pads)
    ):
        if not (before or behind):
            continue
        rows = np.moveaxis(found, axis, -1)
        whole = crop_or_pad(rows, [(-before, -behind)])
        index = places(n, before, behind)
        # The border is narrow: its entries are added one by one.
        for o in (*range(before), *range(n + before, n + before + behind)):
            whole[..., index[o]] += rows[..., o]
        found = np.moveaxis(whole, -1, axis)
    return found.copy() if found is gradient else found


# ---------------------------------------------------------------- between


def upsample_nearest(input: Array, scale: Sequence[int]) -> Array:
    """Return the image with every entry as a block of `scale` entries.

    In one dimension::

        output = np.zeros((N, C, O))
        for o in range(O):
            output[..., o] = input[..., o // s]

    Example
    -------
    >>> upsample_nearest(np.array([1.0, 2.0]), (2,))
    array([1., 1., 2., 2.])
    """
    dims = len(scale)
    lead, size = input.shape[: input.ndim - dims], input.shape[input.ndim - dims :]
    apart = [n for each in size for n in (each, 1)]
    blocks = [n for pair in zip(size, scale, strict=True) for n in pair]
    spread = np.broadcast_to(input.reshape(*lead, *apart), (*lead, *blocks))
    # Of blocks of one entry, or of images of one, reshape alone may give a view.
    return spread.copy().reshape(*lead, *(n * s for n, s in zip(size, scale, strict=True)))


def upsample_nearest_back(gradient: Array, scale: Sequence[int]) -> Array:
    """Return the gradient of the input of `upsample_nearest`: the sums of the blocks.

    In one dimension::

        gradInput = np.zeros((N, C, size))
        for o in range(O):
            gradInput[..., o // s] += gradient[..., o]

    Example
    -------
    >>> upsample_nearest_back(np.array([1.0, 10.0, 2.0, 20.0]), (2,))
    array([11., 22.])
    """
    size = gradient.shape[gradient.ndim - len(scale) :]
    out = tuple(n // s for n, s in zip(size, scale, strict=True))
    return sum_windows(gradient, scale, scale, (0,) * len(scale), out)


def upsample_linear(input: Array, size: Sequence[int]) -> Array:
    """Return the image at `size`, linear between its entries; the corners stay what they are.

    In one dimension::

        output = np.zeros((N, C, O))
        for o in range(O):
            low, share = divmod(o * (size - 1) / max(1, O - 1), 1)
            output[..., o] = input[..., int(low)] * (1 - share)
            if share:
                output[..., o] += input[..., int(low) + 1] * share

    Example
    -------
    >>> upsample_linear(np.array([1.0, 2.0, 4.0]), (5,))
    array([1. , 1.5, 2. , 3. , 4. ])
    """
    # The last dimension first, along which entries are far slower to pick.
    for axis, m in reversed(list(enumerate(size, input.ndim - len(size)))):
        low, share, between = _between(input.shape[axis], m, input, axis)
        output = np.take(input, like(low, input), axis)
        inner = np.take(output, like(between, input), axis) * (1 - share)
        inner += np.take(input, like(low[between] + 1, input), axis) * share
        output[along(axis, like(between, input))] = inner
        input = output
    return input


def upsample_linear_back(gradient: Array, size: Sequence[int]) -> Array:
    """Return the gradient of the input of `size` of `upsample_linear`.

    In one dimension::

        gradInput = np.zeros((N, C, size))
        for o in range(O):
            low, share = divmod(o * (size - 1) / max(1, O - 1), 1)
            gradInput[..., int(low)] += gradient[..., o] * (1 - share)
            if share:
                gradInput[..., int(low) + 1] += gradient[..., o] * share

    Example
    -------
    >>> upsample_linear_back(np.array([1.0, 10.0, 100.0]), (2,))
    array([  6., 105.])
    """
    for axis, n in enumerate(size, gradient.ndim - len(size)):
        m = gradient.shape[axis]
        # Entries of the last dimension are far apart, so it comes first in memory.
        terms = np.moveaxis(gradient, axis, 0)
        if axis == gradient.ndim - 1:
            terms = terms.copy()
        dtype = gradient.dtype
        summed = DOUBLE.get(dtype.char, dtype) if m > _FEW * n else dtype
        result = np.zeros_like(gradient, summed, order="C", shape=(n, *terms.shape[1:]))
        kind = gradient.real.dtype.type
        for o in range(m):
            low, rest = divmod(o * (n - 1), max(1, m - 1))
            if not rest:
                result[low] += terms[o]
                continue
            share = kind(rest / (m - 1))
            result[low] += terms[o] * (1 - share)
            result[low + 1] += terms[o] * share
        gradient = np.moveaxis(result, 0, axis).astype(dtype, order="C")
    return gradient


def _between(n: int, m: int, array: Array, axis: int) -> tuple[Array, Array, Array]:
    """Return for m places among n which entry is below each, and where and how far they are off."""
    # The same at both ends of a dimension, and exact where an entry stands.
    steps = np.arange(m) * (n - 1)
    low, rest = np.divmod(steps, max(1, m - 1))
    between = np.nonzero(rest)[0]
    share = (rest[between] / max(1, m - 1)).astype(array.real.dtype)
    shape = (len(between), *(1,) * (array.ndim - axis - 1))
    return low, like(share, array).reshape(shape), between
