"""Mul."""

from typing import ClassVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._componentwise import Multiplying

__all__ = ["Mul"]


class Mul(Multiplying):
    """Multiplies every entry by the same learned number.

    Maths
    -----
    ::

        output = input * weight
        gradInput = gradOutput * weight
        gradWeight += scale * (gradOutput * input).sum()

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Attributes
    ----------
    weight, gradWeight
        (1,), drawn from U(-1, 1).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Mul()
    >>> layer.weight[:] = 10
    >>> x = np.array([1.0, 2.0])
    >>> layer.forward(x)
    array([10., 20.])
    >>> layer.backward(x, np.array([3.0, 4.0]))
    array([30., 40.])
    >>> layer.gradWeight
    array([11.])

    Reference
    ---------
    Torch7, nn/Mul.lua.
    """

    scalar = True
    # Its Maths says the sum over all entries.
    exempt: ClassVar = {}

    def __init__(self) -> None:
        self.weight: Array = np.zeros(1)
        self.gradWeight: Array = np.zeros(1)
        self.reset()
