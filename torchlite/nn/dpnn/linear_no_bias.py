"""LinearNoBias."""

from torchlite.nn.simple.linear import Linear

__all__ = ["LinearNoBias"]


class LinearNoBias(Linear):
    """A linear map of each sample: `nn.Linear(inputSize, outputSize, bias=False)` by another name.

    Maths
    -----
    ::

        output = input @ weight.T
        gradInput = gradOutput @ weight
        gradWeight += scale * gradOutput.T @ input

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.

    Attributes
    ----------
    weight, gradWeight
        (outputSize, inputSize).

    Conventions
    -----------
    Those of Linear. The weight alone is drawn.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LinearNoBias(2, 1)
    >>> layer
    LinearNoBias(2 -> 1) without bias
    >>> layer.weight[:] = [[1, 2]]
    >>> layer.forward(np.array([10.0, 20.0]))
    array([50.])

    Reference
    ---------
    Element-Research's rnn, LinearNoBias.lua.
    """

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize, bias=False)
