"""CAdd."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._componentwise import Adding, parameter_size

__all__ = ["CAdd"]


class CAdd(Adding):
    """Adds a bias of any size to each sample, entry by entry.

    Maths
    -----
    ::

        output = input + bias
        gradInput = gradOutput
        gradBias += scale * gradOutput.sum(0)

    Where a 1 of size is broadcast, gradBias sums over that dimension instead.

    Parameters
    ----------
    size
        The size of the bias, as several integers or as one tuple. With one entry, `CAdd(1)`, it is
        one number for all entries of any input.

    Attributes
    ----------
    bias, gradBias
        Of that size.
    size
        That size, as a tuple.

    Conventions
    -----------
    gradInput is a view of gradOutput, or a copy where its entries do not lie row by row.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CAdd(2, 1)
    >>> layer.bias[:] = [[10], [20]]
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> layer.forward(x)
    array([[11., 12.],
           [23., 24.]])
    >>> layer.backward(x, np.array([[1.0, 2.0], [3.0, 5.0]]))
    array([[1., 2.],
           [3., 5.]])
    >>> layer.gradBias
    array([[3.],
           [8.]])

    Reference
    ---------
    Torch7, nn/CAdd.lua.
    """

    def __init__(self, *size: Any) -> None:
        shape = parameter_size(self, size)
        self.bias: Array = np.zeros(shape)
        self.gradBias: Array = np.zeros(shape)
        self.reset()

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(self.bias.shape)

    @property
    def scalar(self) -> bool:  # type: ignore[override]
        return bool(self.bias.size == 1)
