"""SpatialAdaptiveMaxPooling."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.maxima import adaptive_places, max_at
from torchlite.nn.pooling._pooling import Adaptive, Maxima

__all__ = ["SpatialAdaptiveMaxPooling"]


class SpatialAdaptiveMaxPooling(Adaptive, Maxima):
    """The largest entry of each of so many windows as are asked for.

    Maths
    -----
    ::

        output, places = max_at(input, adaptive_places(input.shape[-2:], (H, W)), 2)
        gradInput = scatter(gradOutput, places, input.shape[-2:])

    All of them stand in torchlite.kernels.maxima, each defined by a few lines.

    Shapes
    ------
    input (C, iH, iW) or (N, C, iH, iW), of any size; output (C, H, W) or (N, C, H, W). Of iW
    entries window x has those from floor(x * iW / W) to ceil((x + 1) * iW / W) - 1: all windows
    together have all entries, and neighbours may have one in common.

    Parameters
    ----------
    W, H
        Width and height of the output, at least 1.

    Attributes
    ----------
    indices
        After a forward: where in its plane each maximum stands, y * iW + x.

    Conventions
    -----------
    Of several equal entries the first gets the gradient. NaN in gives NaN out, and gets the
    gradient. Complex numbers are ordered by their real parts. Remembers nothing: a backward uses
    indices if its input is the very array that they come from, so do not write to it in between.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or input has no entries in a plane.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialAdaptiveMaxPooling(2, 1)
    >>> x = np.array([[[1.0, 2.0, 5.0, 4.0, 3.0]]])
    >>> layer.forward(x)
    array([[[5., 5.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]]]))
    array([[[ 0.,  0., 11.,  0.,  0.]]])

    Reference
    ---------
    Torch7, nn/SpatialAdaptiveMaxPooling.lua.
    """

    W: int
    H: int

    def __init__(self, W: int, H: int) -> None:
        self._set_size(W=W, H=H)

    def _maxima(self, input: Array, out: tuple[int, ...]) -> tuple[Array, Array]:
        return max_at(input, adaptive_places(input.shape[-2:], out), 2)
