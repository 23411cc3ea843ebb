"""TanhShrink."""

from typing import Any

import numpy as np

from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["TanhShrink"]


class TanhShrink(Pointwise):
    """What the hyperbolic tangent leaves of every entry.

    Maths
    -----
    ::

        output = input - np.tanh(input)
        gradInput = gradOutput * np.tanh(input) ** 2

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.TanhShrink()
    >>> x = np.array([0.0, 100.0])
    >>> layer.forward(x)
    array([ 0., 99.])
    >>> layer.backward(x, np.array([5.0, 6.0]))
    array([0., 6.])

    Reference
    ---------
    Torch7, nn/TanhShrink.lua.
    """

    def _function(self, input: Any) -> Any:
        return input - np.tanh(input)

    def _gradient(self, input: Any, gradOutput: Any) -> Any:
        tanh = np.tanh(input)
        return gradOutput * tanh * tanh
