"""Convolution of each plane by itself, with a kernel of its own, and windows next to one another.

There is little to compute for each number that is moved, so these move few, in long stretches. The
rows of an image with its padding stand one after the other in memory, as one line. So the entries
at one place of all windows are a stretch of that line, which begins a distance further on than that
of the first place. It takes in windows that reach from the end of a row into the next one: what is
found there is left out.

Columns are copied for one row of the kernel only. A product makes the sums of every row at all
places of the line, and these are added up, each from where its row is. For the gradient of the
weight nothing is copied but the gradient, with zeros between its rows: it is the inner products of
that with the stretches.

Shapes: input (N, C, *size); weight (C, 1, *kernel); output and gradient (N, C, *out). The first
entry of the input stands at `before` in the image.
"""

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import products
from torchlite.kernels.scratch import Scratch, even, stretches
from torchlite.kernels.sums import DOT, DOUBLE
from torchlite.kernels.threads import share_out
from torchlite.kernels.windows import middle

__all__ = ["correlated", "is_depthwise", "weight_gradient"]

# Some samples, some of their planes, some rows of the output.
_Block = tuple[slice, slice, slice]

# What a block of columns and sums takes: more than stays in the cache, but of smaller blocks the
# calls of NumPy take as long as the work. A gradient is read for every entry of the kernel.
_BLOCK, _READ_OFTEN = 1 << 22, 1 << 20
# So many entries more a line: to copy between places that are a multiple of 4 KiB apart takes some
# processors ten times as long.
_ASIDE = 16


def is_depthwise(
    input: Array, weight: Sequence[int], stride: Sequence[int], out: Sequence[int]
) -> bool:
    """Tell whether a convolution by a weight of this shape is of this kind.

    Example
    -------
    >>> x = np.zeros((1, 3, 5))
    >>> is_depthwise(x, (3, 1, 2), (1,), (4,)), is_depthwise(x, (6, 1, 2), (1,), (4,))
    (True, False)
    """
    plain = type(input) is np.ndarray and input.shape[1] > 1
    # With several kernels for each plane, products of all columns are quicker.
    return plain and weight[:2] == (input.shape[1], 1) and prod(stride) == 1 and min(out) > 0


def correlated(
    input: Array,
    weight: Array,
    before: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
    bias: Array | None,
) -> Array:
    """Return the correlation of every window with the kernel of its plane, plus the bias.

    Example
    -------
    >>> x, weight = np.array([[[1.0, 2.0], [3.0, 5.0]]]), np.array([[[1.0, -1.0]], [[1.0, 1.0]]])
    >>> correlated(x, weight, (0,), (1,), (1,), None)
    array([[[-1.],
            [ 8.]]])
    """
    *rows, width = weight.shape[2:]
    dtype = np.result_type(input.dtype, weight.dtype)
    lines = _Lines(input, before, dilation, out, weight.shape[2:])
    starts = [lines.distance(tap) for tap in product(*map(range, rows), [0])]
    weight = weight.reshape(len(weight), len(starts), width)
    if bias is not None:
        # It is the weight of a column of ones, of the kernel's first row.
        shift = np.zeros((*weight.shape[:2], 1), bias.dtype)
        shift[:, 0, 0] = bias
        weight = np.concatenate((weight, shift), 2, dtype=weight.dtype)
    output = np.empty_like(input, dtype, order="C", shape=(*input.shape[:2], *out))

    def correlate(block: _Block, memory: list[Scratch]) -> None:
        image, copies, sums = memory
        line = lines.of(block, image)
        moved = lines.moved(line, (width,))
        (*lead, length), whole = line.shape, moved.shape[3]
        columns = copies.shaped((*lead, weight.shape[2], length + _ASIDE))[..., :length]
        columns[:, :, :width, :whole] = moved
        columns[:, :, :width, whole:] = 0
        columns[:, :, width:] = 1
        made = sums.shaped((len(starts), *line.shape))
        np.matmul(weight[block[1]], columns, out=made.transpose(1, 2, 0, 3))
        total, *others = made.reshape(len(starts), -1)
        for other, start in zip(others, starts[1:], strict=True):
            total[:-start] += other[start:]
        output[block] = lines.inside(total.reshape(line.shape))

    fit = _BLOCK // ((len(starts) + weight.shape[2]) * dtype.itemsize)
    kinds = input.dtype, input.dtype, dtype
    share_out(
        input,
        lines.blocks(fit, fit),
        correlate,
        products=True,
        memory=lambda: [Scratch(input, kind) for kind in kinds],
    )
    return output


def weight_gradient(
    input: Array,
    gradient: Array,
    kernel: Sequence[int],
    before: Sequence[int],
    dilation: Sequence[int],
) -> Array:
    """Return the gradient of the weight.

    Where an input is infinite or NaN, also entries may be NaN whose windows it is not in.

    Example
    -------
    >>> x, g = np.array([[[1.0, 2.0], [3.0, 5.0]]]), np.array([[[1.0], [10.0]]])
    >>> weight_gradient(x, g, (2,), (0,), (1,))
    array([[[ 1.,  2.]],
    <BLANKLINE>
           [[30., 50.]]])
    """
    dtype = np.result_type(input.dtype, gradient.dtype)
    lines = _Lines(input, before, dilation, gradient.shape[2:], kernel)
    summed = np.zeros((input.shape[1], *kernel), DOUBLE.get(dtype.char, dtype))

    def correlate(block: _Block, memory: list[Scratch]) -> tuple[slice, Array]:
        image, copy = memory
        line = lines.of(block, image)
        given = copy.shaped(line.shape)
        given[...] = 0
        lines.inside(given)[...] = gradient[block]
        moved = lines.moved(line, kernel)
        given = given[..., : moved.shape[-1]].reshape(*line.shape[:2], *(1,) * len(kernel), -1)
        made = products(moved[..., None, :], given[..., None])
        return block[1], made[..., 0, 0].sum(0, summed.dtype)

    def add(found: tuple[slice, Array]) -> None:
        planes, made = found
        summed[planes] += made

    with np.errstate(invalid="ignore"):
        share_out(
            input,
            lines.blocks(_READ_OFTEN // dtype.itemsize, DOT),
            correlate,
            add,
            products=True,
            memory=lambda: [Scratch(input, input.dtype), Scratch(input, gradient.dtype)],
        )
    return summed.astype(dtype)[:, None]


class _Lines:
    """The planes of an image with padding, each as one line of which windows are stretches."""

    def __init__(
        self,
        input: Array,
        before: Sequence[int],
        dilation: Sequence[int],
        out: Sequence[int],
        kernel: Sequence[int],
    ) -> None:
        self._input, self._before, self._out = input, before, tuple(out)
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        # Of the rows, how many more than windows; of what is in a row, the size.
        self._more, self._inner = reach[0], tuple(map(sum, zip(out[1:], reach[1:], strict=True)))
        self._row = prod(self._inner)
        steps = [prod(self._inner[i:]) for i in range(len(out))]
        self._apart = [d * step for d, step in zip(dilation, steps, strict=True)]

    def blocks(self, fit: int, long: int) -> list[_Block]:
        """Return blocks with lines of so many entries at most, all and each."""
        (n, c), rows = self._input.shape[:2], self._out[0]
        some = even(rows, min(fit // self._row - self._more, long // self._row))
        fit //= (some + self._more) * self._row
        samples, planes = stretches(n, even(n, fit // c)), stretches(c, even(c, fit))
        return list(product(samples, planes, stretches(rows, some)))

    def of(self, block: _Block, scratch: Scratch) -> Array:
        """Return the lines (samples, planes, entries) of a block."""
        samples, planes, rows = block
        span = rows.stop - rows.start + self._more, *self._inner
        before = self._before[0] - rows.start, *self._before[1:]
        here, there = middle(self._input.shape[2:], span, before)
        part = self._input[samples, planes][here]
        if part.shape[2:] != span:
            part, inside = scratch.shaped((*part.shape[:2], *span)), part
            part[...] = 0
            part[there] = inside
        return part.reshape(*part.shape[:2], -1)

    def distance(self, tap: Sequence[int]) -> int:
        """Return how far after the first entry of a window this one stands."""
        return sum(i * apart for i, apart in zip(tap, self._apart, strict=True))

    def moved(self, line: Array, kernel: Sequence[int]) -> Array:
        """Return a view (samples, planes, *kernel, entries): the line from where each tap is.

        The kernel may have the last dimensions only.
        """
        apart = self._apart[len(self._apart) - len(kernel) :]
        entries = line.shape[2] - sum((k - 1) * a for k, a in zip(kernel, apart, strict=True))
        *lead, entry = line.strides
        strides = *lead, *(a * entry for a in apart), entry
        return as_strided(line, (*line.shape[:2], *kernel, entries), strides, writeable=False)

    def inside(self, line: Array) -> Array:
        """Return a view (..., rows, ...) of what stands at a window in a line (..., entries)."""
        rows = line.shape[-1] // self._row
        line = line.reshape(*line.shape[:-1], rows, *self._inner)
        size = line.shape[-len(self._out) :]
        _, inside = middle(size, (rows - self._more, *self._out[1:]), (0,) * len(self._out))
        return line[inside]
