"""Convolution with weights of its own for every window, with one to three dimensions.

The windows of one row at a time are copied out, and each has a product of its own.

Shapes: input (N, C, *size), or one sample (C, *size); weight (*out, M, C, *kernel); output and
gradient (N, M, *out). Padding and stride have one number for each dimension.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import products
from torchlite.kernels.resampling import crop_or_pad
from torchlite.kernels.windows import along, taps, window_view

__all__ = ["local_conv", "local_conv_transposed", "local_conv_weight"]


def local_conv(input: Array, weight: Array, stride: Sequence[int], padding: Sequence[int]) -> Array:
    """Return the product of every window with its own weights.

    In one dimension::

        padded = np.pad(input, ((0, 0), (0, 0), (p, p)))
        output = np.zeros((N, M, O))
        for n, m, o, c, k in np.ndindex(N, M, O, C, K):
            output[n, m, o] += weight[o, m, c, k] * padded[n, c, s * o + k]

    Example
    -------
    >>> weight = np.array([[[[1.0, 2.0]]], [[[0.0, 10.0]]]])
    >>> local_conv(np.array([[1.0, 2.0, 3.0]]), weight, (1,), (0,))
    array([[ 5., 30.]])
    """
    dims = len(stride)
    if input.ndim == dims + 1:
        return local_conv(input[None], weight, stride, padding)[0]
    out, m = weight.shape[:dims], weight.shape[dims]
    dtype = np.result_type(input.dtype, weight.dtype)
    output = np.empty_like(input, dtype, order="C", shape=(len(input), m, *out))
    for row, columns in _rows(input, weight.shape[dims + 2 :], stride, padding):
        made = np.matmul(_matrices(weight[row], dims), columns)
        output[:, :, row] = made.T.reshape(output[:, :, row].shape)
    return output


def local_conv_transposed(
    gradient: Array,
    weight: Array,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> Array:
    """Return the gradient of an input of `size` of `local_conv`.

    In one dimension::

        padded = np.zeros((N, C, size + 2 * p))
        for n, m, o, c, k in np.ndindex(N, M, O, C, K):
            padded[n, c, s * o + k] += weight[o, m, c, k] * gradient[n, m, o]
        gradInput = padded[:, :, p : p + size]

    Example
    -------
    >>> weight = np.array([[[[1.0, 2.0]]], [[[0.0, 10.0]]]])
    >>> local_conv_transposed(np.array([[1.0, 3.0]]), weight, (3,), (1,), (0,))
    array([[ 1.,  2., 30.]])
    """
    dims = len(stride)
    if gradient.ndim == dims + 1:
        return local_conv_transposed(gradient[None], weight, size, stride, padding)[0]
    n, _, *out = gradient.shape
    c, *kernel = weight.shape[dims + 1 :]
    dtype = np.result_type(gradient.dtype, weight.dtype)
    span = [b + 2 * p for b, p in zip(size, padding, strict=True)]
    padded = np.zeros_like(gradient, dtype, order="C", shape=(n, c, *span))
    for row in range(out[0]):
        made = np.matmul(_matrices(weight[row], dims).swapaxes(1, 2), _given(gradient, row))
        columns: Any = made.T.reshape(n, c, *kernel, 1, *out[1:])
        reached = padded[:, :, row * stride[0] :]
        for tap, entries in taps((1, *out[1:]), kernel, stride, (1,) * dims):
            reached[entries] += columns[(slice(None), slice(None), *tap)]
    return crop_or_pad(padded, [(-p, -p) for p in padding])


def local_conv_weight(
    input: Array,
    gradient: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> Array:
    """Return the gradient of the weight of `local_conv`.

    In one dimension::

        padded = np.pad(input, ((0, 0), (0, 0), (p, p)))
        gradWeight = np.zeros((O, M, C, K))
        for n, m, o, c, k in np.ndindex(N, M, O, C, K):
            gradWeight[o, m, c, k] += gradient[n, m, o] * padded[n, c, s * o + k]

    Example
    -------
    >>> local_conv_weight(np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]]), (1,), (1,), (0,))[:, 0, 0]
    array([[1.],
           [6.]])
    """
    dims = len(stride)
    if input.ndim == dims + 1:
        return local_conv_weight(input[None], gradient[None], kernel, stride, padding)
    _, m, *out = gradient.shape
    dtype = np.result_type(input.dtype, gradient.dtype)
    shape = (*out, m, input.shape[1], *kernel)
    found = np.empty_like(input, dtype, order="C", shape=shape)
    for row, columns in _rows(input, kernel, stride, padding):
        made = products(_given(gradient, row), columns.swapaxes(1, 2))
        found[row] = made.reshape(found[row].shape)
    return found


def _rows(
    input: Array, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> Iterator[tuple[int, Array]]:
    """Yield each row of windows, and their entries (positions, entries, samples)."""
    dims = len(kernel)
    padded = crop_or_pad(input, [(p, p) for p in padding]) if any(padding) else input
    view = window_view(padded, kernel, stride, (1,) * dims)
    view = np.moveaxis(view, dims + 1, -1)
    entries = prod(view.shape[: dims + 1])
    for row in range(view.shape[dims + 1]):
        block = view[along(dims + 1, row)]
        flat = block.reshape(entries, prod(block.shape[dims + 1 : -1]), len(input))
        yield row, flat.swapaxes(0, 1)


def _matrices(weight: Array, dims: int) -> Array:
    """Return the weights of one row of windows as (positions, output planes, entries)."""
    m, *rest = weight.shape[dims - 1 :]
    return weight.reshape(prod(weight.shape[: dims - 1]), m, prod(rest))


def _given(gradient: Array, row: int) -> Array:
    """Return the gradient of one row of windows as (positions, output planes, samples)."""
    block = gradient[:, :, row]
    return block.reshape(*block.shape[:2], prod(block.shape[2:])).T
