"""Convolution between planes that a table connects, with one to three dimensions.

Row k of the table says that plane table[k, 0] of the input goes into plane table[k, 1] of the
output, by the kernel weight[k]. What an output plane is made of is convolved in one go; nothing is
multiplied by zeros, so that NaN reaches what is connected with it alone.

Shapes: input (N, C, *size), or one sample (C, *size); weight (connections, *kernel); output and
gradient (N, M, *out). Stride has one number for each dimension.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.convolution import conv, conv_transposed, conv_weight
from torchlite.kernels.windows import windowed_size

__all__ = ["mapped_conv", "mapped_conv_transposed", "mapped_conv_weight"]


def mapped_conv(
    input: Array, weight: Array, table: Array, planes: int, stride: Sequence[int]
) -> Array:
    """Return output planes, each the sum of the correlations of all that is connected with it.

    In one dimension::

        output = np.zeros((N, planes, O))
        for i, (c, m) in enumerate(table):
            for n, o, k in np.ndindex(N, O, K):
                output[n, m, o] += weight[i, k] * input[n, c, s * o + k]

    Example
    -------
    >>> table = np.array([[0, 0], [1, 0], [1, 1]])
    >>> x, weight = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [10.0], [2.0]])
    >>> mapped_conv(x, weight, table, 2, (1,))
    array([[31., 42.],
           [ 6.,  8.]])
    """
    dims = len(stride)
    if input.ndim == dims + 1:
        return mapped_conv(input[None], weight, table, planes, stride)[0]
    none = (0,) * dims
    out = windowed_size(input.shape[2:], weight.shape[1:], stride, none, (1,) * dims)
    dtype = np.result_type(input.dtype, weight.dtype)
    output = np.zeros_like(input, dtype, order="C", shape=(len(input), planes, *out))
    for m, rows in _of_planes(table, planes):
        sources = input[:, table[rows, 0]]
        output[:, m : m + 1] = conv(sources, weight[None, rows], stride, none)
    return output


def mapped_conv_transposed(
    gradient: Array,
    weight: Array,
    table: Array,
    planes: int,
    size: Sequence[int],
    stride: Sequence[int],
) -> Array:
    """Return the gradient of an input of so many planes of `size` of `mapped_conv`.

    In one dimension::

        gradInput = np.zeros((N, planes, size))
        for i, (c, m) in enumerate(table):
            for n, o, k in np.ndindex(N, O, K):
                gradInput[n, c, s * o + k] += weight[i, k] * gradient[n, m, o]

    Example
    -------
    >>> table = np.array([[0, 0], [1, 0], [1, 1]])
    >>> gradient, weight = np.array([[1.0], [10.0]]), np.array([[1.0], [10.0], [2.0]])
    >>> mapped_conv_transposed(gradient, weight, table, 2, (1,), (1,))
    array([[ 1.],
           [30.]])
    """
    dims = len(stride)
    if gradient.ndim == dims + 1:
        return mapped_conv_transposed(gradient[None], weight, table, planes, size, stride)[0]
    dtype = np.result_type(gradient.dtype, weight.dtype)
    result = np.zeros_like(gradient, dtype, order="C", shape=(len(gradient), planes, *size))
    for m, rows in _of_planes(table, gradient.shape[1]):
        one = gradient[:, m : m + 1]
        found: Any = conv_transposed(one, weight[None, rows], size, stride, (0,) * dims)
        # A plane may be connected twice.
        for i in range(rows.size):
            result[:, table[rows[i], 0]] += found[:, i]
    return result


def mapped_conv_weight(
    input: Array, gradient: Array, table: Array, kernel: Sequence[int], stride: Sequence[int]
) -> Array:
    """Return the gradient of the weight of `mapped_conv`.

    In one dimension::

        gradWeight = np.zeros((len(table), K))
        for i, (c, m) in enumerate(table):
            for n, o, k in np.ndindex(N, O, K):
                gradWeight[i, k] += gradient[n, m, o] * input[n, c, s * o + k]

    Example
    -------
    >>> table = np.array([[0, 0], [1, 0], [1, 1]])
    >>> x, gradient = np.array([[1.0], [3.0]]), np.array([[1.0], [10.0]])
    >>> mapped_conv_weight(x, gradient, table, (1,), (1,))
    array([[ 1.],
           [ 3.],
           [30.]])
    """
    dims = len(kernel)
    if input.ndim == dims + 1:
        input, gradient = input[None], gradient[None]
    dtype = np.result_type(input.dtype, gradient.dtype)
    found = np.empty_like(input, dtype, order="C", shape=(len(table), *kernel))
    for m, rows in _of_planes(table, gradient.shape[1]):
        sources, one = input[:, table[rows, 0]], gradient[:, m : m + 1]
        found[rows] = conv_weight(sources, one, kernel, stride, (0,) * dims)[0]
    return found


def _of_planes(table: Array, planes: int) -> Iterator[tuple[int, Array]]:
    """Yield each of the output planes that is connected, and the rows of its connections."""
    for m in range(planes):
        rows = np.flatnonzero(table[:, 1] == m)
        if rows.size:
            yield m, rows
