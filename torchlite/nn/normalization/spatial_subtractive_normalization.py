"""SpatialSubtractiveNormalization."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn.normalization._neighbourhood import Neighbourhood

__all__ = ["SpatialSubtractiveNormalization"]


class SpatialSubtractiveNormalization(Neighbourhood):
    """Subtracts from every pixel the weighted mean of its neighbours in all planes.

    Maths
    -----
    ::

        padding = kernel.shape[0] // 2, kernel.shape[1] // 2
        weight = kernel[None, None]
        ones, total = np.ones((1, *input.shape[-2:])), input.sum(-3, keepdims=True)
        inside = nInputPlane * conv(ones, weight, (1, 1), padding)
        mean = conv(total, weight, (1, 1), padding) / inside
        output = input - mean
        gradMean = -gradOutput.sum(-3, keepdims=True) / inside
        spread = conv_transposed(gradMean, weight, input.shape[-2:], (1, 1), padding)
        gradInput = gradOutput + spread

    conv and conv_transposed stand in torchlite.kernels.convolution, each defined by a few lines.
    `inside` is 1 but near the edges, where fewer weights meet pixels.

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output: the same.

    Parameters
    ----------
    nInputPlane
        The number of planes.
    kernel
        The weights of the neighbours: an array (kH, kW) with odd sizes, or (k,), which stands for
        np.outer(kernel, kernel); if it is not given, 9 times 9 ones. It is copied.

    Attributes
    ----------
    kernel
        The weights, (kH, kW), divided by nInputPlane times their sum; in float64, whatever the
        images are.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; the kernel has even sizes.
    SettingError
        The sum of the kernel is 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialSubtractiveNormalization(1, np.ones((1, 3)))
    >>> layer.forward(np.array([[[1.0, 3.0, 8.0]]])).round(6)
    array([[[-1. , -1. ,  2.5]]])

    Reference
    ---------
    Torch7, nn/SpatialSubtractiveNormalization.lua. Jarrett and others, What is the best
    multi-stage architecture for object recognition?, 2009.
    """

    def __init__(self, nInputPlane: int = 1, kernel: Any = None) -> None:
        self._set_kernel(nInputPlane, kernel)

    def updateOutput(self, input: Array) -> Array:
        self._check("updateOutput", input, self.nInputPlane)
        self.output = input - self._sums(input) / self._inside(input)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._check_back("updateGradInput", input, gradOutput, self.nInputPlane)
        together = sum_along(gradOutput, gradOutput.ndim - 3, True)
        self.gradInput = gradOutput - self._sums_back(together / self._inside(input))
        return self.gradInput
