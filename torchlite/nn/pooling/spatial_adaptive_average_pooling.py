"""SpatialAdaptiveAveragePooling."""

from torchlite.kernels.arrays import Array
from torchlite.kernels.means import adaptive_means, adaptive_means_back
from torchlite.nn.nested import EMPTY
from torchlite.nn.pooling._pooling import Adaptive

__all__ = ["SpatialAdaptiveAveragePooling"]


class SpatialAdaptiveAveragePooling(Adaptive):
    """The mean of each of so many windows as are asked for.

    Maths
    -----
    ::

        output = adaptive_means(input, (H, W))
        gradInput = adaptive_means_back(gradOutput, input.shape[-2:])

    Both stand in torchlite.kernels.means, each defined by a few lines.

    Shapes
    ------
    input (C, iH, iW) or (N, C, iH, iW), of any size; output (C, H, W) or (N, C, H, W). Of iW
    entries window x has those from floor(x * iW / W) to ceil((x + 1) * iW / W) - 1: all windows
    together have all entries, and neighbours may have one in common.

    Parameters
    ----------
    W, H
        Width and height of the output, at least 1.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or input has no entries in a plane.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialAdaptiveAveragePooling(2, 1)
    >>> x = np.array([[[1.0, 3.0, 5.0, 4.0, 3.0]]])
    >>> layer.forward(x)
    array([[[3., 4.]]])
    >>> layer.backward(x, np.array([[[3.0, 30.0]]]))
    array([[[ 1.,  1., 11., 10., 10.]]])

    Reference
    ---------
    Torch7, nn/SpatialAdaptiveAveragePooling.lua.
    """

    W: int
    H: int

    def __init__(self, W: int, H: int) -> None:
        self._set_size(W=W, H=H)

    def updateOutput(self, input: Array) -> Array:
        out = self._check("updateOutput", input)
        # The last one makes room for the next.
        self.output = EMPTY
        self.output = adaptive_means(input, out)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._check_back("updateGradInput", input, gradOutput)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = adaptive_means_back(gradOutput, input.shape[-2:])
        return self.gradInput
