"""Arrays that lie one after the other in one piece of memory, and that memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, address

__all__ = ["flatten", "runs", "stretch"]


def _owner(array: Array) -> Any:
    """Return the one-dimensional memory that a C-contiguous array is a piece of, or None."""
    if address(array) is None or not array.flags.c_contiguous:
        return None
    owner = array if array.base is None else array.base
    if type(owner) is type(array) and owner.ndim == 1 and owner.flags.c_contiguous:
        return owner if owner.dtype == array.dtype else None
    return None


def stretch(arrays: Sequence[Array]) -> Any:
    """Return the piece of memory that the arrays tile in this order, or None.

    The result is a one-dimensional view: writing to it writes to the arrays. A single array
    that is C-contiguous tiles its own memory.

    Example
    -------
    >>> memory = np.arange(6.0)
    >>> stretch([memory[1:3], memory[3:].reshape(3, 1)])
    array([1., 2., 3., 4., 5.])
    >>> stretch([memory[:2], memory[3:]]) is None
    True
    """
    filled = [array for array in arrays if array.size]
    if not filled:
        return None
    first = filled[0]
    if len(filled) == 1:
        whole = address(first) is not None and first.flags.c_contiguous
        return first.reshape(-1) if whole else None
    owner = _owner(first)
    if owner is None:
        return None
    end = start = address(first)
    for array in filled:
        if _owner(array) is not owner or address(array) != end:
            return None
        end += array.nbytes
    offset = (start - address(owner)) // owner.itemsize
    return owner[offset : offset + (end - start) // owner.itemsize]


def runs(parameters: Sequence[Array], gradients: Sequence[Array]) -> list[tuple[Array, Array]]:
    """Return pairs of arrays, as few as possible, that cover the parameters and gradients.

    Neighbours in memory, on both sides, are covered by one pair of one-dimensional views, and what
    is C-contiguous on both sides is one-dimensional, too.
    """
    covered: list[tuple[Array, Array]] = []
    for pair in zip(parameters, gradients, strict=True):
        whole = [stretch([array]) for array in pair]
        parameter, gradient = pair if any(view is None for view in whole) else whole
        if covered:
            last_parameter, last_gradient = covered[-1]
            joined = stretch([last_parameter, parameter])
            joined_gradient = None if joined is None else stretch([last_gradient, gradient])
            if joined_gradient is not None:
                covered[-1] = joined, joined_gradient
                continue
        covered.append((parameter, gradient))
    return covered


def flatten(arrays: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return one new one-dimensional array with the values of all, and views of it in their shapes.

    Example
    -------
    >>> memory, (a, b) = flatten([np.eye(2), np.array([7.0])])
    >>> a[0, 1] = 5
    >>> memory
    array([1., 5., 0., 1., 7.])
    """
    memory = np.concatenate([array.reshape(-1) for array in arrays])
    views = []
    start = 0
    for array in arrays:
        views.append(memory[start : start + array.size].reshape(array.shape))
        start += array.size
    return memory, views
