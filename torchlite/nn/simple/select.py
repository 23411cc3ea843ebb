"""Select."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import out_of_range, position
from torchlite.nn.simple._picking import Picking

__all__ = ["Select"]


class Select(Picking):
    """One slice of a dimension, which is then left out.

    Maths
    -----
    ::

        output = np.take(input, index, dimension)
        gradInput = np.zeros_like(input)
        np.moveaxis(gradInput, dimension, 0)[index] = gradOutput

    Shapes
    ------
    input: any, of at least two dimensions; output: the same without the dimension.

    Parameters
    ----------
    dimension, index
        Counted from 0, negative ones from the end.

    Conventions
    -----------
    Remembers nothing. The output is a view of the input. Integers and booleans pass, too; zeros of
    their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension or index.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Select(1, -1)
    >>> x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> layer.forward(x)
    array([3., 6.])
    >>> layer.backward(x, np.array([10.0, 20.0]))
    array([[ 0.,  0., 10.],
           [ 0.,  0., 20.]])

    Reference
    ---------
    Torch7, nn/Select.lua.
    """

    def __init__(self, dimension: int, index: int) -> None:
        self.dimension = whole(self, "dimension", dimension)
        self.index = whole(self, "index", index)

    def _plan(self, method: str, input: Array) -> Any:
        if input.ndim < 2:
            raise checks.misshapen(self, method, "input", "of at least 2 dimensions", input)
        axis = position(self, method, input, self.dimension)
        size = input.shape[axis]
        if not -size <= self.index < size:
            what, of = f"index {self.index}", f"dimension {axis} of "
            raise out_of_range(self, method, what, of, input)
        return (*[slice(None)] * axis, self.index)
