"""Max."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._reduction import Extremum

__all__ = ["Max"]


class Max(Extremum):
    """The largest entry along a dimension, which is then left out.

    Maths
    -----
    ::

        where = np.argmax(input, dimension, keepdims=True)
        output = np.take_along_axis(input, where, dimension).squeeze(dimension)
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, where, np.expand_dims(gradOutput, dimension), dimension)

    Shapes
    ------
    input: any; output: the same without the dimension. From a 1-D input it is (1,).

    Parameters
    ----------
    dimension
        Counted from 0, negative ones from the end.
    nInputDims
        How many dimensions a sample has: the dimension is then one of the sample's, and those
        before are the batch's. None (or -1): the dimension is one of the input's.

    Attributes
    ----------
    _indices
        After a forward: where along the dimension each entry of the output stands, the dimension
        kept with size 1.

    Conventions
    -----------
    Of several equal entries the first gets the gradient. Remembers nothing: the place is found
    again in the input of the backward. NaN in gives NaN out. Complex numbers are ordered by their
    real parts.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension, or nothing along it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Max(1)
    >>> x = np.array([[1.0, 7.0, 7.0], [6.0, 5.0, 4.0]])
    >>> layer.forward(x)
    array([7., 6.])
    >>> layer.backward(x, np.array([10.0, 20.0]))
    array([[ 0., 10.,  0.],
           [20.,  0.,  0.]])

    Reference
    ---------
    Torch7, nn/Max.lua.
    """

    def _where(self, values: Array, axis: int) -> Array:
        return np.argmax(values, axis, keepdims=True)
