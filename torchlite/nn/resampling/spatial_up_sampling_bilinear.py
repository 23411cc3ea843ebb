"""SpatialUpSamplingBilinear."""

from collections.abc import Mapping

from torchlite.nn.resampling._resampling import UpSampled

__all__ = ["SpatialUpSamplingBilinear"]


class SpatialUpSamplingBilinear(UpSampled):
    """Images at another size, linear between their entries in both dimensions.

    Maths
    -----
    ::

        H, W = input.shape[-2:]
        size = oheight or H * scale_factor, owidth or W * scale_factor
        output = upsample_linear(input, size)
        gradInput = upsample_linear_back(gradOutput, input.shape[-2:])

    Both stand in torchlite.kernels.resampling, each defined by a few lines. The corners stay what
    they are: along a dimension of n entries, of which m are made, entry o stands at
    o * (n - 1) / (m - 1), between two of the input, each of which counts the more the nearer it is.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = H * scale_factor and oW = W * scale_factor, or what is given.

    Parameters
    ----------
    params
        How much larger the output is, at least 1; or its size, as {"oheight": oH, "owidth": oW}.

    Attributes
    ----------
    scale_factor, oheight, owidth
        As above; None where they are not given.

    Conventions
    -----------
    Remembers nothing. Torch7 rounds the shares to float32 also where the images are float64.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; params is not a positive integer, and no dict of two.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialUpSamplingBilinear({"oheight": 1, "owidth": 5})
    >>> x = np.array([[[1.0, 2.0, 4.0]]])
    >>> layer.forward(x)
    array([[[1. , 1.5, 2. , 3. , 4. ]]])
    >>> layer.backward(x, np.array([[[0.0, 2.0, 0.0, 20.0, 100.0]]]))
    array([[[  1.,  11., 110.]]])

    Reference
    ---------
    Torch7, nn/SpatialUpSamplingBilinear.lua.
    """

    mode = "linear"

    def __init__(self, params: int | Mapping[str, int]) -> None:
        self._set_target(params)

    def __repr__(self) -> str:
        wanted = self.scale_factor or f"{self.oheight}, {self.owidth}"
        return f"{type(self).__name__}({wanted})"
