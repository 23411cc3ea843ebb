"""Min."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._reduction import Extremum

__all__ = ["Min"]


class Min(Extremum):
    """The smallest entry along a dimension, which is then left out.

    Maths
    -----
    ::

        where = np.argmin(input, dimension, keepdims=True)
        output = np.take_along_axis(input, where, dimension).squeeze(dimension)
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, where, np.expand_dims(gradOutput, dimension), dimension)

    Shapes
    ------
    input: any; output: the same without the dimension. From a 1-D input it is (1,).

    Parameters
    ----------
    dimension, nInputDims
        As for `Max`.

    Attributes
    ----------
    _indices
        After a forward: where along the dimension each entry of the output stands, the dimension
        kept with size 1.

    Conventions
    -----------
    As for `Max`: the first of several equal entries, NaN in gives NaN out.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension, or nothing along it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Min(1)
    >>> x = np.array([[1.0, 7.0, 1.0], [6.0, 5.0, 4.0]])
    >>> layer.forward(x)
    array([1., 4.])
    >>> layer.backward(x, np.array([10.0, 20.0]))
    array([[10.,  0.,  0.],
           [ 0.,  0., 20.]])

    Reference
    ---------
    Torch7, nn/Min.lua.
    """

    def _where(self, values: Array, axis: int) -> Array:
        return np.argmin(values, axis, keepdims=True)
