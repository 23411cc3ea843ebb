"""Add."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.simple._componentwise import Adding

__all__ = ["Add"]


class Add(Adding):
    """Adds a bias to each sample.

    Maths
    -----
    ::

        output = input + bias.reshape(input.shape[1:])
        gradInput = gradOutput
        gradBias += scale * gradOutput.sum(0).reshape(bias.shape)

    With scalar: output = input + bias, gradBias += scale * gradOutput.sum().

    Shapes
    ------
    input (inputSize,) or (N, ...) with inputSize entries in each sample; with scalar: any; output:
    as input.

    Parameters
    ----------
    inputSize
        An integer of at least 0.
    scalar
        True for one number that is added to every entry; inputSize does not matter then.

    Attributes
    ----------
    bias, gradBias
        (inputSize,), or (1,) with scalar.

    Conventions
    -----------
    gradInput is a view of gradOutput, or a copy where its entries do not lie row by row. The bias
    is drawn from U(-s, s) with s = 1 / sqrt(its entries); `reset(stdv)` takes s = stdv * sqrt(3).
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Add(2)
    >>> layer.bias[:] = [10, 20]
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> layer.forward(x)
    array([[11., 22.],
           [13., 24.]])
    >>> layer.backward(x, np.array([[1.0, 2.0], [3.0, 5.0]]))
    array([[1., 2.],
           [3., 5.]])
    >>> layer.gradBias
    array([4., 7.])

    Reference
    ---------
    Torch7, nn/Add.lua.
    """

    def __init__(self, inputSize: int, scalar: bool = False) -> None:
        self.scalar = bool(scalar)
        n = 1 if scalar else checks.size(self, "inputSize", inputSize)
        self.bias: Array = np.zeros(n)
        self.gradBias: Array = np.zeros(n)
        self.reset()
