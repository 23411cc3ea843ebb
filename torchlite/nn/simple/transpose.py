"""Transpose."""

from typing import Any

import numpy as np

from torchlite.errors import DTypeError
from torchlite.kernels.arrays import Array
from torchlite.nn._shaping import OfSamples
from torchlite.nn.checks import misbuilt, whole
from torchlite.nn.dims import position

__all__ = ["Transpose"]


class Transpose(OfSamples):
    """Swaps dimensions, one pair after the other.

    Maths
    -----
    ::

        output = input
        for a, b in permutations: output = np.swapaxes(output, a, b)
        gradInput = gradOutput
        for a, b in permutations[::-1]: gradInput = np.swapaxes(gradInput, a, b)

    Shapes
    ------
    input: any; output: the same with its sizes swapped.

    Parameters
    ----------
    permutations
        Pairs of dimensions, counted from 0, negative ones from the end.

    Attributes
    ----------
    numInputDims
        How many dimensions a sample has: the pairs are then dimensions of a sample, and those
        before are the batch's. None: they are dimensions of the input.

    Conventions
    -----------
    Remembers nothing. These are swaps in turn, not one permutation: after (0, 1) and (1, 2) the
    first dimension has become the last. Results are views of input and gradOutput, where Torch7
    copies. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.Transpose((0, 1)).forward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[1., 4.],
           [2., 5.],
           [3., 6.]])
    >>> nn.Transpose((0, 1), (1, 2)).forward(np.ones((2, 3, 4))).shape
    (3, 4, 2)

    Reference
    ---------
    Torch7, nn/Transpose.lua.
    """

    def __init__(self, *permutations: Any) -> None:
        pairs = []
        for pair in permutations:
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                expected = "pairs of dimensions"
                raise misbuilt(DTypeError, self, "permutations", expected, repr(pair))
            pairs.append(tuple(whole(self, "permutations", dim) for dim in pair))
        self.permutations = pairs

    def _plan(self, method: str, input: Array) -> list[int]:
        order = list(range(input.ndim))
        for pair in self.permutations:
            i, j = (position(self, method, input, dim, self.numInputDims) for dim in pair)
            order[i], order[j] = order[j], order[i]
        return order

    def _shape(self, input: Array, order: list[int]) -> tuple[int, ...]:
        return tuple(input.shape[i] for i in order)

    def _function(self, input: Array, order: list[int]) -> Array:
        return np.transpose(input, order)

    def _gradient(self, input: Array, gradOutput: Array, order: list[int]) -> Array:
        return np.transpose(gradOutput, inverse(order))


def inverse(order: list[int]) -> list[int]:
    """Return the order that undoes this one.

    Example
    -------
    >>> inverse([1, 2, 0])
    [2, 0, 1]
    """
    return sorted(range(len(order)), key=order.__getitem__)
