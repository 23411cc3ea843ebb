"""Narrow."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import whole
from torchlite.nn.dims import out_of_range, position
from torchlite.nn.simple._picking import Picking

__all__ = ["Narrow"]


class Narrow(Picking):
    """A stretch of a dimension.

    Maths
    -----
    ::

        size = input.shape[dimension]
        start = index if index >= 0 else index + size
        stop = start + length if length >= 0 else size + length + 1
        output = np.take(input, range(start, stop), dimension)
        gradInput = np.zeros_like(input)
        np.moveaxis(gradInput, dimension, 0)[start:stop] = np.moveaxis(gradOutput, dimension, 0)

    Shapes
    ------
    input: any; output: the same, of size stop - start in the dimension.

    Parameters
    ----------
    dimension
        Counted from 0, negative ones from the end.
    offset
        Where the stretch starts, counted likewise.
    length
        How long it is; -1: to the end, -2: to the end without the last, and so on.

    Attributes
    ----------
    index
        The offset.

    Conventions
    -----------
    Remembers nothing. The output is a view of the input. Torch7 ignores the value of a negative
    offset and takes all but the last `length` slices: here that is `Narrow(dimension, 0, -1 -
    length)`. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; the dimension does not exist or is too short.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Narrow(0, 1, 2)
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> layer.forward(x), nn.Narrow(0, 1, -1).forward(x), nn.Narrow(0, -2, 1).forward(x)
    (array([2., 3.]), array([2., 3., 4.]), array([3.]))
    >>> layer.backward(x, np.array([10.0, 20.0]))
    array([ 0., 10., 20.,  0.])

    Reference
    ---------
    Torch7, nn/Narrow.lua.
    """

    def __init__(self, dimension: int, offset: int, length: int = 1) -> None:
        self.dimension = whole(self, "dimension", dimension)
        self.index = whole(self, "offset", offset)
        self.length = whole(self, "length", length)

    def _plan(self, method: str, input: Array) -> Any:
        axis = position(self, method, input, self.dimension)
        size = input.shape[axis]
        start = self.index if self.index >= 0 else self.index + size
        stop = start + self.length if self.length >= 0 else size + self.length + 1
        if not 0 <= start <= stop <= size:
            what = f"offset {self.index} with length {self.length}"
            raise out_of_range(self, method, what, f"dimension {axis} of ", input)
        return (*[slice(None)] * axis, slice(start, stop))
