"""Convolution with one to three dimensions, as matrix products of columns.

A column holds the entries of one window. The columns of a block of windows are copied side by side
into a buffer that stays in the cache, products make the outputs of all of them, and then the next
block takes its place. To keep the columns would take as many times the memory of the input as a
kernel has entries, and longer. Nothing is remembered: a backward copies them again.

Windows that overlap along the first dimension share what is copied. A layer is a row of images, or
a plane of volumes: it holds the columns of a kernel of one layer. Layers stand one below the other,
so that the columns of the whole kernel are as many neighbouring layers as it has, and those of the
next windows begin `stride` layers further down.

Shapes: input (N, C, *size), or one sample (C, *size); weight (M, C / groups, *kernel); output and
gradient (N, M, *out). Padding, stride and dilation have one number for each dimension; what is
beside the image counts as 0.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import groupby, product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from torchlite.kernels import depthwise
from torchlite.kernels.arrays import Array, Size
from torchlite.kernels.blas import products
from torchlite.kernels.scratch import Scratch, even, stretches
from torchlite.kernels.sums import DOUBLE, sum_along
from torchlite.kernels.threads import share_out
from torchlite.kernels.windows import along, cached, middle, taps, window_view, windowed_size

__all__ = ["conv", "conv_transposed", "conv_weight"]

# Some samples, and some rows of them.
_Block = tuple[slice, slice]

# A block of columns has about so many bytes: it stays in the cache, and makes a large product.
# Where rows are not copied one by one, fewer and larger blocks are quicker.
_BLOCK, _WIDE = 1 << 20, 1 << 21
# A product of fewer columns than these is slow, and of these no longer loses much.
_FEW, _ENOUGH = 48, 256
# Columns share layers where a product has no more of planes times entries: larger ones take so long
# that copying hardly counts.
_LIGHT = 1 << 15
# More multiplications than these are worth a product, and up to these the BLAS may be twice as
# quick.
_WORTH, _SMALL = 1 << 18, 1_000_000
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
    n, m, *out = gradient.shape
    each = input.shape[1] // groups
    if depthwise.is_depthwise(input, (m, each, *kernel), stride, out):
        found = depthwise.weight_gradient(input, gradient, kernel, padding, dilation)
        # Otherwise NaN or an infinity, times a zero beside its window, may have left it.
        if np.isfinite(found).all():
            return found
    dtype = np.result_type(input.dtype, gradient.dtype)
    shape = (groups, each * prod(kernel), m // groups)
    total = np.zeros_like(input, DOUBLE.get(dtype.char, dtype), shape=shape)
    side_by_side = _are_side_by_side(gradient)
    gradient = gradient.reshape(n, groups, m // groups, *out)
    plan = _Plan.of(input, kernel, stride, dilation, out, groups, m, alone=False)
    windows = _Windows(input, kernel, stride, padding, dilation, out, groups, plan.layered)
    turned = windows.turned()

    def correlate(block: _Block, memory: _Memory) -> Array:
        samples, rows = block
        columns = windows.columns(block, memory)
        laid = _in_layers(gradient[samples, :, :, rows], columns)
        planes_last = (0, 1, *range(3, laid.ndim), 2)
        given = np.transpose(laid, planes_last)
        if samples.stop - samples.start > 1 and not side_by_side:
            # The BLAS likes them best with the planes side by side. But planes so far apart have
            # the same place in the cache, from which they push each other when read in turns.
            if prod(out) * gradient.dtype.itemsize % 4096:
                given = memory.other.copied(given)
            else:
                given = np.transpose(memory.other.copied(laid), planes_last)
        given = given.reshape(*columns.shape[:2], columns.shape[3], m // groups)
        made = products(columns, given)
        return sum_along(made, 1) if plan.layered else made[:, 0]

    def add(found: Array) -> None:
        nonlocal total
        total += found

    make = partial(_Memory, input, input.dtype, gradient.dtype)
    share_out(input, plan.blocks(n, out), correlate, add, products=True, memory=make)
    total = np.swapaxes(total, 1, 2).astype(dtype)
    if turned:
        return np.moveaxis(total.reshape(m, *kernel, each), -1, 1)
    if plan.layered:
        total = np.swapaxes(total.reshape(m, kernel[0], each, *kernel[1:]), 1, 2)
    return total.reshape(m, each, *kernel)


def _correlated(*arguments: Any) -> Array:
    """Return what `conv` does, for an input whose first entry stands at `before` in the image."""
    # Windows that reach over the ends of rows are left out, but may overflow where no others do.
    with suppress(FloatingPointError), np.errstate(over="raise", invalid="raise"):
        return _sums(True, *arguments)
    return _sums(False, *arguments)


def _sums(
    over_ends: bool,
    input: Array,
    weight: Array,
    stride: Sequence[int],
    before: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
    bias: Array | None,
) -> Array:
    """Return the same; over_ends: rows may be copied with windows that reach over their ends."""
    n, c = input.shape[:2]
    m, each, *kernel = weight.shape
    groups = c // each if each else 1
    if over_ends and depthwise.is_depthwise(input, weight.shape, stride, out):
        return depthwise.correlated(input, weight, before, dilation, out, bias)
    dtype = np.result_type(input.dtype, weight.dtype)
    output = np.empty_like(input, dtype, order="C", shape=(n, groups, m // groups, *out))
    plan = _Plan.of(input, kernel, stride, dilation, out, groups, m, alone=True)
    if plan.layered:
        weight = np.swapaxes(weight, 1, 2)
    weight = weight.reshape(groups, 1, m // groups, each * prod(kernel))
    if bias is not None:
        bias = bias.reshape(groups, 1, m // groups, 1)
    if _is_pointwise(input, kernel, stride, before, out):
        matrix = input.reshape(n, groups, each, prod(out))
        made = output.reshape(n, groups, m // groups, prod(out))

        def multiply(part: slice) -> None:
            np.matmul(weight[:, 0], matrix[part], out=made[part])
            if bias is not None:
                made[part] += bias[:, 0]

        share_out(input, cached(matrix), multiply, products=True)
        return output.reshape(n, m, *out)
    windows = _Windows(input, kernel, stride, before, dilation, out, groups, plan.layered)
    if over_ends and not plan.layered and windows.widened():
        nbytes = c * prod(kernel) * input.dtype.itemsize
        plan = _Plan.whole(n, (*out[:-1], windows.width), nbytes, _WIDE)

    def correlate(block: _Block, memory: _Memory) -> None:
        samples, rows = block
        columns = windows.columns(block, memory)
        place = output[samples, :, :, rows]
        shape = (*columns.shape[:2], m // groups, columns.shape[3])
        if len(place) == 1 and windows.width == out[-1]:
            # The products of one sample are made where they belong.
            made = np.matmul(weight, columns, out=_in_layers(place, columns).reshape(shape))
            if bias is not None:
                made += bias
            return
        made = np.matmul(weight, columns, out=memory.other.shaped(shape))
        if bias is not None:
            made += bias
        shape = _in_layers(place, columns).shape
        if windows.width > out[-1]:
            made = made.reshape(*shape[:-1], windows.width)[..., : out[-1]]
        made = np.transpose(made.reshape(shape), (3, 0, 2, 1, *range(4, len(shape))))
        place[...] = made.reshape(place.shape)

    make = partial(_Memory, input, input.dtype, dtype)
    share_out(input, plan.blocks(n, out), correlate, products=True, memory=make)
    return output.reshape(n, m, *out)


def _are_side_by_side(array: Array) -> bool:
    """Tell whether the planes of (N, C, ...) lie side by side, as those of frames do."""
    return type(array) is np.ndarray and array.strides[1] == array.itemsize


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

    def scatter(unit: list[_Block], memory: _Memory) -> None:
        samples = unit[0][0]
        count = samples.stop - samples.start
        # What is added stands side by side: rows, or samples if the rows are short.
        axis = -1 if count >= min(out[-1], _LOOP) else 1
        room = (groups * each, *span, count) if axis == -1 else (groups * each, count, *span)
        padded = np.moveaxis(memory.image.shaped(room), axis, -1)
        padded[...] = 0
        for _, rows in unit:
            part = gradient[samples, :, rows]
            inner = part.shape[2:]
            columns: Any = memory.columns.shaped((groups, weight.shape[1], prod(inner) * count))
            block = np.moveaxis(part, 0, axis)
            block = block if count == 1 else memory.other.copied(block)
            np.matmul(weight, block.reshape(groups, m // groups, columns.shape[2]), out=columns)
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

    blocks = _Plan.whole(n, out, depth * dtype.itemsize, _BLOCK).blocks(n, out)
    # Windows of neighbouring rows overlap: one thread has all of a sample.
    units = [list(group) for _, group in groupby(blocks, lambda block: block[0].start)]
    share_out(
        gradient, units, scatter, products=True, memory=partial(_Memory, gradient, dtype, dtype)
    )
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(size))
    return result


def _turned(weight: Array, groups: int) -> Array:
    """Return the kernels turned round, (C, M / groups, *kernel) instead of (M, C / groups, ...)."""
    m, c, *kernel = weight.shape
    turned = weight.reshape(groups, m // groups, c, *kernel)
    backwards: Any = (..., *[slice(None, None, -1)] * len(kernel))
    turned = np.swapaxes(turned, 1, 2)[backwards]
    # Products of a view that goes backwards through memory are slow.
    return turned.copy().reshape(groups * c, m // groups, *kernel)


class _Plan(NamedTuple):
    """How many samples and rows (of the first dimension) make a block, and whether in layers."""

    samples: int
    rows: int
    layered: bool = False

    @classmethod
    def of(
        cls,
        input: Array,
        kernel: Sequence[int],
        stride: Sequence[int],
        dilation: Sequence[int],
        out: Sequence[int],
        groups: int,
        planes: int,
        alone: bool,
    ) -> "_Plan":
        """Return the plan for products of columns and so many planes.

        With alone, those of a single sample cost less: they are made where they belong.
        """
        n, c = input.shape[:2]
        nbytes = c * prod(kernel) * input.dtype.itemsize
        products = c // groups * prod(kernel) * (planes // groups)
        overlap = stride[0] < kernel[0] and dilation[0] == 1
        width = prod(out[1:])
        if overlap and products <= _LIGHT and n * width >= _FEW:
            # Those of the others share the cache with what is made of them.
            room = 2 * _BLOCK if alone else _BLOCK
            fit = room // max(1, nbytes // kernel[0] * width)
            samples = fit // ((out[0] - 1) * stride[0] + kernel[0])
            samples = min(samples, _SMALL // max(1, products * width))
            samples = max(samples, -(-_ENOUGH // max(1, width)))
            samples = even(n, max(1, min(samples, fit // (2 * kernel[0]))))
            if alone and width >= _FEW and products * width >= _WORTH:
                samples = 1
            rows = (fit // samples - kernel[0]) // stride[0] + 1
            if samples * width >= _FEW and rows >= min(out[0], kernel[0]):
                return cls(samples, even(out[0], rows), True)
        return cls.whole(n, out, nbytes, _BLOCK)

    @classmethod
    def whole(cls, n: int, out: Sequence[int], nbytes: int, room: int) -> "_Plan":
        """Return as many samples as fit, or as many rows of one; nbytes is what a column has."""
        fit = room // max(1, nbytes)
        samples = even(n, fit // max(1, prod(out)))
        return cls(samples, out[0] if samples > 1 else even(out[0], fit // max(1, prod(out[1:]))))

    def blocks(self, n: int, out: Sequence[int]) -> list[_Block]:
        """Return the blocks, those of the same samples one after the other."""
        return list(product(stretches(n, self.samples), stretches(out[0], self.rows)))


@lru_cache
def _reach(
    size: Size, kernel: Size, stride: Size, before: Size, dilation: Size, out: Size
) -> tuple[Size, tuple[Any, ...], tuple[Any, ...]]:
    """Return what windows span together, what of an image of `size` is in there, and where."""
    each = zip(out, stride, dilation, kernel, strict=True)
    span = tuple((o - 1) * s + d * (k - 1) + 1 for o, s, d, k in each)
    return span, *middle(size, span, before)


class _Windows:
    """The windows of an input, of which columns are made."""

    def __init__(
        self,
        input: Array,
        kernel: Sequence[int],
        stride: Sequence[int],
        before: Sequence[int],
        dilation: Sequence[int],
        out: Sequence[int],
        groups: int,
        layered: bool,
    ) -> None:
        geometry = map(tuple, (kernel, stride, before, dilation, out))
        self._span, self._here, self._there = _reach(input.shape[2:], *geometry)
        self._is_whole = input[self._here].shape[2:] == self._span
        self._input, self._kernel, self._stride, self._dilation = input, kernel, stride, dilation
        self._out, self._groups, self._layered = out, groups, layered
        # How many columns are made of the windows of a row.
        self.width = out[-1]
        self._wide = self._turned = False

    def widened(self) -> bool:
        """Copy what is between the rows, too, if that is possible and not much. Tell whether."""
        row = self._out[-1]
        left = self._there[-1].start
        right = self._span[-1] - self._there[-1].stop
        width = max(row, self._span[-1] - min(left, right))
        plain = type(self._input) is np.ndarray and len(self._out) > 1
        if plain and prod(self._stride[-2:]) == 1 and 4 * (width - row) <= row:
            self.width, self._wide = width, True
        return self._wide

    def turned(self) -> bool:
        """Let entries be (*kernel, planes), and copy a column at a time, if its planes lie so.

        Tell whether.
        """
        self._turned = self._is_whole and not self._layered and _are_side_by_side(self._input)
        return self._turned

    def columns(self, block: _Block, memory: "_Memory") -> Array:
        """Return the columns (groups, layers, entries, positions) of a block.

        Entries are (planes of a group, *kernel), unless turned, positions (samples, rows, ...) of
        one layer. With layers, these are the rows; entries are (kernel[0], planes of a group, ...).
        """
        samples, rows = block
        if memory.samples != samples:
            memory.view, memory.samples = self._view(samples, memory), samples
        dims = len(self._kernel)
        if not self._layered:
            part = memory.view[along(dims + 4, rows)]
            if self._turned:
                order = (0, 1, *range(dims + 3, part.ndim), *range(3, dims + 3), 2)
                columns = memory.columns.copied(np.transpose(part, order))
                entries = prod(columns.shape[-dims - 1 :])
                return np.swapaxes(columns.reshape(self._groups, 1, -1, entries), 2, 3)
            columns = memory.columns.copied(part)
            return columns.reshape(self._groups, 1, prod(columns.shape[2 : dims + 3]), -1)
        end = (rows.stop - 1) * self._stride[0] + self._kernel[0]
        columns = memory.columns.copied(memory.view[:, rows.start * self._stride[0] : end])
        return self._stacked(columns, memory)

    def _view(self, samples: slice, memory: "_Memory") -> Array:
        """Return what of the samples becomes columns: (groups, 1, planes, *kernel, N, rows, ...).

        With layers it is (groups, layers, planes, 1, *kernel[1:], N, 1, ...).
        """
        kernel, stride = self._kernel, self._stride
        padded = self._input[samples][self._here]
        if self._wide:
            return self._wide_view(padded, memory)
        if not self._is_whole:
            part, padded = padded, memory.image.shaped((*padded.shape[:2], *self._span))
            padded[self._there] = part
        if self._layered:
            kernel, stride = (1, *kernel[1:]), (1, *stride[1:])
        view = window_view(padded, kernel, stride, self._dilation)
        view = view.reshape(self._groups, 1, len(view) // self._groups, *view.shape[1:])
        return np.swapaxes(view, 1, len(kernel) + 4) if self._layered else view

    def _wide_view(self, part: Array, memory: "_Memory") -> Array:
        """Return the same of a part of the image, but with rows of `width` windows."""
        lead, left = part.shape[:2], self._there[-1].start
        steps = [prod(self._span[i:-1]) * self.width for i in range(1, len(self._span))]
        entries = self._span[0] * steps[0]
        # Behind the last row stands what the windows between it and the next would take in.
        line = memory.image.shaped((*lead, entries + max(left, self._span[-1] - self._out[-1])))
        rows = line[..., left : left + entries].reshape(*lead, *self._span[:-1], self.width)
        rows[(*self._there[:-1], slice(part.shape[-1]))] = part
        sample, plane, entry = line.strides
        apart = [step * entry for step in (*steps, 1)]
        of_kernel, of_out = (
            [n * step for n, step in zip(by, apart, strict=True)]
            for by in (self._dilation, self._stride)
        )
        return as_strided(
            line,
            (
                self._groups,
                1,
                lead[1] // self._groups,
                *self._kernel,
                lead[0],
                *self._out[:-1],
                self.width,
            ),
            (plane * (lead[1] // self._groups), 0, plane, *of_kernel, sample, *of_out),
            writeable=False,
        )

    def _stacked(self, columns: Array, memory: "_Memory") -> Array:
        """Return a view of columns of layers, (groups, layers, ...), in which a kernel has all."""
        if memory.shape != columns.shape:
            memory.shape = columns.shape
            layer = prod(columns.shape[2 : len(self._kernel) + 3])
            columns = columns.reshape(self._groups, columns.shape[1] * layer, -1)
            found = sliding_window_view(columns, layer * self._kernel[0], 1)
            memory.stacked = np.swapaxes(found[:, :: self._stride[0] * layer], 2, 3)
        return memory.stacked


def _in_layers(block: Array, columns: Array) -> Array:
    """Return planes (N, groups, planes, rows, ...) as (groups, layers, planes, N, rows, ...).

    Either the layers of the columns are the rows, or the rows are in one layer.
    """
    n, groups, planes, rows, *rest = block.shape
    layers = columns.shape[1]
    split = block.reshape(n, groups, planes, layers, rows // layers, *rest)
    return np.transpose(split, (1, 3, 2, 0, *range(4, split.ndim)))


class _Memory:
    """What one thread writes blocks to: columns, samples with their padding, and something else."""

    def __init__(self, array: Array, dtype: Any, other: Any) -> None:
        self.columns, self.other = Scratch(array, dtype), Scratch(array, other)
        self.image = Scratch(array, dtype, np.zeros_like)
        # A view of the windows of some samples.
        self.view: Any = None
        self.samples = slice(0)
        # Columns as they stand one below the other, and how they were copied.
        self.stacked: Any = None
        self.shape: Size = ()
