"""Memory that blocks of a large work take turns in, and blocks of one size."""

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array

__all__ = ["Scratch", "even", "stretches"]


class Scratch:
    """Memory that blocks take turns in, of the kind of an array.

    Example
    -------
    >>> scratch = Scratch(np.zeros(1), np.float32)
    >>> scratch.copied(np.eye(2)[::-1])
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """

    def __init__(self, array: Array, dtype: Any, make: Any = np.empty_like) -> None:
        self._make = partial(make, array, dtype)
        self._memory: Any = None

    def shaped(self, shape: Sequence[int]) -> Array:
        """Return the memory in this shape, with whatever it holds."""
        size = prod(shape)
        # Nearly always the first block is the largest.
        if self._memory is None or self._memory.size < size:
            self._memory = self._make(shape=(size,))
        return self._memory[:size].reshape(shape)

    def copied(self, block: Array) -> Array:
        """Return a copy that is contiguous in memory."""
        copy = self.shaped(block.shape)
        copy[...] = block
        return copy


def even(n: int, most: int) -> int:
    """Return how many of n make a piece, when pieces are alike and not larger than `most`.

    Example
    -------
    >>> even(10, 4), even(0, 4), even(10, 0)
    (4, 1, 1)
    """
    pieces = max(1, -(-n // max(1, most)))
    return max(1, -(-n // pieces))


def stretches(n: int, length: int) -> list[slice]:
    """Return slices of this length that cover n entries.

    Example
    -------
    >>> stretches(3, 2)
    [slice(0, 2, None), slice(2, 3, None)]
    """
    return [slice(start, min(start + length, n)) for start in range(0, n, length)]
