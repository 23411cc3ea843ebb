"""Mean."""

from torchlite.nn.simple.sum import Sum

__all__ = ["Mean"]


class Mean(Sum):
    """The mean of the entries along a dimension, which is then left out.

    Maths
    -----
    ::

        output = np.mean(input, dimension)
        gradInput = np.zeros_like(input)
        gradInput += np.expand_dims(gradOutput, dimension) / input.shape[dimension]

    Shapes
    ------
    input: any; output: the same without the dimension. From a 1-D input it is (1,).

    Parameters
    ----------
    dimension, nInputDims
        As for `Sum`.

    Conventions
    -----------
    Remembers nothing. NaN in gives NaN out. It is a `Sum` with sizeAverage, and as accurate.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension, or nothing along it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Mean(1)
    >>> x = np.array([[1.0, 2.0, 6.0], [4.0, 5.0, 6.0]])
    >>> layer.forward(x)
    array([3., 5.])
    >>> layer.backward(x, np.array([30.0, 60.0]))
    array([[10., 10., 10.],
           [20., 20., 20.]])

    Reference
    ---------
    Torch7, nn/Mean.lua.
    """

    def __init__(self, dimension: int = 0, nInputDims: int | None = None) -> None:
        super().__init__(dimension, nInputDims, sizeAverage=True)
