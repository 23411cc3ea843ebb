"""Convolution with one to three dimensions, as matrix products of columns.

A column holds the entries of one window. The columns of a block of windows are copied side by side
into a buffer that stays in the cache, and one product makes the outputs of all of them; then the
next block takes its place. To keep the columns would take as many times the memory of the input as
a kernel has entries, and longer. Nothing is remembered: a backward copies them again.

Shapes: input (N, C, *size), or one sample (C, *size); weight (M, C / groups, *kernel); output and
gradient (N, M, *out). Padding, stride and dilation have one number for each dimension; what is
beside the image counts as 0.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import products
from torchlite.kernels.sums import DOUBLE
from torchlite.kernels.windows import along, middle, taps, window_view, windowed_size

__all__ = ["conv", "conv_transposed", "conv_weight"]

# A block of columns has about so many bytes: it stays in the cache, and makes a large product.
_BLOCK = 1 << 20
# Fewer columns than these of one sample make a slow product.
_FEW = 64
# Fewer entries than these side by side make slow sums.
_LOOP = 16


def conv(
    input: Array,
    weight: Array,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int] | None = None,
    bias: Array | None = None,
) -> Array:
    """Return the correlation of every window with every kernel, plus the bias (M,).

    There are `groups = C // weight.shape[1]` of planes; each group has its share of the kernels.
    In one dimension, with one group::

        padded = np.pad(input, ((0, 0), (0, 0), (p, p)))
        output = np.zeros((N, M, O)) + bias[:, None]
        for n, m, o, c, k in np.ndindex(N, M, O, C, K):
            output[n, m, o] += weight[m, c, k] * padded[n, c, s * o + d * k]

    Example
    -------
    >>> conv(np.array([[1.0, 2.0, 3.0]]), np.array([[[1.0, -1.0]]]), (1,), (1,))
    array([[-1., -1., -1.,  3.]])
    """
    kernel = weight.shape[2:]
    dilation = dilation or (1,) * len(kernel)
    if input.ndim == weight.ndim - 1:
        return conv(input[None], weight, stride, padding, dilation, bias)[0]
    out = windowed_size(input.shape[2:], kernel, stride, padding, dilation)
    return _correlated(input, weight, stride, padding, dilation, out, bias)


def conv_transposed(
    gradient: Array,
    weight: Array,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int] | None = None,
    groups: int = 1,
    bias: Array | None = None,
) -> Array:
    """Return the gradient of an input of `size` of `conv`: the map transposed, plus a bias (C,).

    In one dimension, with one group::

        padded = np.zeros((N, C, size + 2 * p)) + bias[:, None]
        for n, m, o, c, k in np.ndindex(N, M, O, C, K):
            padded[n, c, s * o + d * k] += weight[m, c, k] * gradient[n, m, o]
        gradInput = padded[:, :, p : p + size]

    Example
    -------
    >>> conv_transposed(np.array([[1.0, 10.0]]), np.array([[[1.0, 2.0]]]), (4,), (2,), (0,))
    array([[ 1.,  2., 10., 20.]])
    """
    kernel = weight.shape[2:]
    dilation = dilation or (1,) * len(kernel)
    if gradient.ndim == weight.ndim - 1:
        one = gradient[None]
        return conv_transposed(one, weight, size, stride, padding, dilation, groups, bias)[0]
    planes = weight.shape[1] * groups
    if prod(stride) == 1 and 2 * planes >= weight.shape[0]:
        # A correlation with the kernel turned round, from which padding cuts off as much.
        around = [d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True)]
        return _correlated(
            gradient, _turned(weight, groups), stride, around, dilation, tuple(size), bias
        )
    return _scattered(gradient, weight, size, stride, padding, dilation, groups, bias)


def conv_weight(
    input: Array,
    gradient: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> Array:
    """Return the gradient of the weight of `conv`.

    In one dimension, with one group::

        padded = np.pad(input, ((0, 0), (0, 0), (p, p)))
        gradWeight = np.zeros((M, C, K))
        for n, m, o, c, k in np.ndindex(N, M, O, C, K):
            gradWeight[m, c, k] += gradient[n, m, o] * padded[n, c, s * o + d * k]

    Example
    -------
    >>> conv_weight(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 10.0]]), (2,), (1,), (0,))
    array([[[21., 32.]]])
    """
    dilation = dilation or (1,) * len(kernel)
    if input.ndim == len(kernel) + 1:
        input, gradient = input[None], gradient[None]
    _, m, *out = gradient.shape
    each = input.shape[1] // groups
    dtype = np.result_type(input.dtype, gradient.dtype)
    deep = _is_deep(kernel, stride)
    parts = kernel[0] if deep else 1
    shape = (parts, groups, each * prod(kernel) // parts, m // groups)
    total = np.zeros_like(input, DOUBLE.get(dtype.char, dtype), shape=shape)
    scratch = _Scratch(gradient, gradient.dtype)
    for samples, rows, columns in _columns(input, kernel, stride, padding, dilation, out, groups):
        given = scratch.planes_first(gradient[samples, :, rows], 2 if deep else 1)
        given = given.reshape(groups, m // groups, prod(given.shape[1:]))
        for part, matrix in enumerate(columns):
            # The BLAS takes less time for this than for its transpose.
            total[part] += products(matrix, np.swapaxes(given, 1, 2))
    total = np.swapaxes(total, 2, 3).astype(dtype)
    total = np.moveaxis(total.reshape(parts, m, each, prod(kernel) // parts), 0, 2)
    return total.reshape(m, each, *kernel)


def _correlated(
    input: Array,
    weight: Array,
    stride: Sequence[int],
    before: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
    bias: Array | None,
) -> Array:
    """Return what `conv` does, for an input whose first entry stands at `before` in the image."""
    n, c = input.shape[:2]
    m, each, *kernel = weight.shape
    groups = c // each if each else 1
    dtype = np.result_type(input.dtype, weight.dtype)
    output = np.empty_like(input, dtype, order="C", shape=(n, m, *out))
    deep = _is_deep(kernel, stride)
    parts = kernel[0] if deep else 1
    weight = np.moveaxis(weight.reshape(m, each, parts, prod(kernel) // parts), 2, 0)
    weight = weight.reshape(parts, groups, m // groups, each * prod(kernel) // parts)
    if bias is not None:
        bias = bias.reshape(-1, *(1,) * len(out))
    if _is_pointwise(input, kernel, stride, before, out):
        matrix = input.reshape(n, groups, each, prod(out))
        np.matmul(weight[0], matrix, out=output.reshape(n, groups, m // groups, prod(out)))
        if bias is not None:
            output += bias
        return output
    scratch, more = _Scratch(input, dtype), _Scratch(input, dtype)
    for samples, rows, columns in _columns(input, kernel, stride, before, dilation, out, groups):
        place = output[samples, :, rows]
        shape = (groups, m // groups, columns[0].shape[2])
        # The products of one sample are made where they belong.
        alone = len(place) == 1
        made = place.reshape(shape) if alone else scratch.shaped(shape)
        np.matmul(weight[0], columns[0], out=made)
        for part in range(1, parts):
            made += np.matmul(weight[part], columns[part], out=more.shaped(shape))
        if not alone:
            place[...] = _samples_first(made, place.shape, deep)
        if bias is not None:
            place += bias
    return output


def _is_deep(kernel: Sequence[int], stride: Sequence[int]) -> bool:
    """Tell whether columns hold one layer of a volume's windows at a time.

    Each entry of the kernel's first dimension then has a product of its own, with the same columns,
    from the layer on where it begins: there are fewer to copy.
    """
    return len(kernel) == 3 and stride[0] == 1


def _is_pointwise(
    input: Array, kernel: Sequence[int], stride: Sequence[int], before: Sequence[int], out: Any
) -> bool:
    """Tell whether each sample is its own columns, and these make a product of some size."""
    plain = prod(kernel) == 1 == prod(stride) and not any(before)
    return plain and (prod(out) >= _FEW or len(input) <= 1)


def _scattered(
    gradient: Array,
    weight: Array,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    bias: Array | None,
) -> Array:
    """Return what `conv_transposed` does: the columns of the products are added to the image."""
    n, m, *out = gradient.shape
    _, each, *kernel = weight.shape
    dtype = np.result_type(gradient.dtype, weight.dtype)
    result = np.empty_like(gradient, dtype, order="C", shape=(n, groups * each, *size))
    weight = np.swapaxes(weight.reshape(groups, m // groups, each * prod(kernel)), 1, 2)
    depth = groups * each * prod(kernel)
    span = tuple(
        max(p + b, (o - 1) * s + d * (k - 1) + 1)
        for p, b, o, s, d, k in zip(padding, size, out, stride, dilation, kernel, strict=True)
    )
    given, made, image = (_Scratch(gradient, dtype) for _ in range(3))
    for samples, blocks in _blocks(n, out, depth * dtype.itemsize):
        count = samples.stop - samples.start
        # What is added stands side by side: rows, or samples if the rows are short.
        axis = -1 if count >= min(out[-1], _LOOP) else 1
        room = (groups * each, *span, count) if axis == -1 else (groups * each, count, *span)
        padded = np.moveaxis(image.shaped(room), axis, -1)
        padded[...] = 0
        for rows in blocks:
            part = gradient[samples, :, rows]
            inner = part.shape[2:]
            columns: Any = made.shaped((groups, weight.shape[1], prod(inner) * count))
            block = given.planes_first(part, axis).reshape(groups, m // groups, columns.shape[2])
            np.matmul(weight, block, out=columns)
            if axis == 1:
                columns = columns.reshape(groups * each, *kernel, count, *inner)
                columns = np.moveaxis(columns, len(kernel) + 1, -1)
            else:
                columns = columns.reshape(groups * each, *kernel, *inner, count)
            reached = padded[:, rows.start * stride[0] :]
            for tap, (_, *entries) in taps(inner, kernel, stride, dilation):
                reached[(slice(None), *entries)] += columns[(slice(None), *tap)]
        inside = (slice(p, p + b) for p, b in zip(padding, size, strict=True))
        result[samples] = np.moveaxis(padded[(slice(None), *inside)], -1, 0)
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(size))
    return result


def _turned(weight: Array, groups: int) -> Array:
    """Return the kernels turned round, (C, M / groups, *kernel) instead of (M, C / groups, ...)."""
    m, c, *kernel = weight.shape
    turned = weight.reshape(groups, m // groups, c, *kernel)
    turned = np.flip(np.swapaxes(turned, 1, 2), tuple(range(3, turned.ndim)))
    return turned.reshape(groups * c, m // groups, *kernel)


def _blocks(n: int, out: Sequence[int], nbytes: int) -> Iterator[tuple[slice, list[slice]]]:
    """Yield slices of the samples, and for each those of the first dimension of out.

    As many samples make a block as fit, or else as many rows of one; nbytes is what a column has.
    """
    fit = max(1, _BLOCK // max(1, nbytes))
    samples = max(1, fit // max(1, prod(out)))
    rows = out[0] if samples > 1 else max(1, min(out[0], fit // max(1, prod(out[1:]))))
    for first in range(0, n, samples):
        parts = [slice(a, min(a + rows, out[0])) for a in range(0, out[0], rows)]
        yield slice(first, min(first + samples, n)), parts


def _columns(
    input: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    before: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
    groups: int,
) -> Iterator[tuple[slice, slice, list[Array]]]:
    """Yield slices of the samples and rows, and the columns (groups, entries, positions).

    Positions are (samples, rows, ...). Where `_is_deep`, they are (rows, samples, ...), and there
    are columns for each entry of the kernel's first dimension.
    """
    n, c = input.shape[:2]
    dims = len(kernel)
    span = tuple(
        (o - 1) * s + d * (k - 1) + 1
        for o, s, d, k in zip(out, stride, dilation, kernel, strict=True)
    )
    here, there = middle(input, span, before)
    is_whole = input[here].shape[2:] == span
    deep = _is_deep(kernel, stride)
    parts, kernel = (kernel[0], (1, *kernel[1:])) if deep else (1, kernel)
    more = dilation[0] * (parts - 1)
    entries = c // groups * prod(kernel)
    scratch, image = _Scratch(input, input.dtype), _Scratch(input, input.dtype)
    for samples, runs in _blocks(n, out, c * prod(kernel) * input.dtype.itemsize):
        if is_whole:
            padded = input[samples][here]
        else:
            padded = image.shaped((samples.stop - samples.start, c, *span))
            if not samples.start:
                padded[...] = 0
            padded[there] = input[samples][here]
        view = window_view(padded, kernel, stride, dilation)
        for rows in runs:
            block = view[along(dims + 2, slice(rows.start, rows.stop + more))]
            if deep:
                block = np.swapaxes(block, dims + 1, dims + 2)
            columns = scratch.shaped(block.shape)
            columns[...] = block
            found = [columns]
            if deep:
                starts = range(0, more + 1, dilation[0])
                height = rows.stop - rows.start
                found = [columns[along(dims + 1, slice(i, i + height))] for i in starts]
            positions = prod(found[0].shape[dims + 1 :])
            yield samples, rows, [part.reshape(groups, entries, positions) for part in found]


def _samples_first(made: Array, shape: Sequence[int], deep: bool) -> Array:
    """Return what `_Scratch.planes_first` made flat as (N, M, rows, ...) again."""
    n, m, rows, *rest = shape
    if deep:
        return np.moveaxis(made.reshape(m, rows, n, *rest), 2, 0)
    return np.swapaxes(made.reshape(m, n, rows, *rest), 0, 1)


class _Scratch:
    """Memory that blocks take turns in, of the kind of an array. The first block is the largest."""

    def __init__(self, array: Array, dtype: Any) -> None:
        self._array, self._dtype = array, dtype
        self._memory: Array | None = None

    def shaped(self, shape: Sequence[int]) -> Array:
        size = prod(shape)
        if self._memory is None:
            self._memory = np.empty_like(self._array, self._dtype, shape=(size,))
        return self._memory[:size].reshape(shape)

    def planes_first(self, block: Array, samples: int = 1) -> Array:
        """Return a block (N, C, rows, ...) as (C, ...), with the samples along another axis.

        Of several samples, as a copy that is contiguous in memory.
        """
        moved = np.moveaxis(block, 0, samples)
        if len(block) == 1:
            return moved
        copied = self.shaped(moved.shape)
        copied[...] = moved
        return copied
