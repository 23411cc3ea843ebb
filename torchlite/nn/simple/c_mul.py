"""CMul."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._componentwise import Multiplying, parameter_size

__all__ = ["CMul"]


class CMul(Multiplying):
    """Multiplies each sample by a weight of any size, entry by entry.

    Maths
    -----
    ::

        output = input * weight
        gradInput = gradOutput * weight
        gradWeight += scale * (gradOutput * input).sum(0)

    Where a 1 of size is broadcast, gradWeight sums over that dimension instead.

    Parameters
    ----------
    size
        The size of the weight, as several integers or as one tuple. With one entry, `CMul(1)`, it
        is one number for all entries of any input.

    Attributes
    ----------
    weight, gradWeight
        Of that size.
    size
        That size, as a tuple.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CMul(2)
    >>> layer.weight[:] = [10, 20]
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> layer.forward(x)
    array([[10., 40.],
           [30., 80.]])
    >>> layer.backward(x, np.array([[1.0, 2.0], [3.0, 5.0]]))
    array([[ 10.,  40.],
           [ 30., 100.]])
    >>> layer.gradWeight
    array([10., 24.])

    Reference
    ---------
    Torch7, nn/CMul.lua.
    """

    def __init__(self, *size: Any) -> None:
        shape = parameter_size(self, size)
        self.weight: Array = np.zeros(shape)
        self.gradWeight: Array = np.zeros(shape)
        self.reset()

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(self.weight.shape)

    @property
    def scalar(self) -> bool:  # type: ignore[override]
        return bool(self.weight.size == 1)
