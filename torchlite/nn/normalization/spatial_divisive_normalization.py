"""SpatialDivisiveNormalization."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.normalization._neighbourhood import Neighbourhood

__all__ = ["SpatialDivisiveNormalization"]


class SpatialDivisiveNormalization(Neighbourhood):
    """Divides every pixel by the weighted deviation of its neighbours in all planes.

    Maths
    -----
    ::

        padding = kernel.shape[0] // 2, kernel.shape[1] // 2
        weight = kernel[None, None]
        ones, total = np.ones((1, *input.shape[-2:])), (input**2).sum(-3, keepdims=True)
        inside = nInputPlane * conv(ones, weight, (1, 1), padding)
        sums = conv(total, weight, (1, 1), padding)
        deviation = np.sqrt(sums) / inside
        large = deviation > threshold
        divisor = np.where(large, deviation, thresval)
        output = input / divisor
        slope = np.where(large, 1 / (inside * np.sqrt(np.where(large, sums, 1))), 0)
        gradSums = -(gradOutput * input).sum(-3, keepdims=True) / divisor**2 * slope / 2
        spread = conv_transposed(gradSums, weight, input.shape[-2:], (1, 1), padding)
        gradInput = gradOutput / divisor + 2 * input * spread

    conv and conv_transposed stand in torchlite.kernels.convolution, each defined by a few lines.
    `inside` is 1 but near the edges, where fewer weights meet pixels: there Torch7 divides the root
    by it, too, and not what stands under it.

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
    threshold
        Deviations up to this are replaced.
    thresval
        By this, which is positive.

    Attributes
    ----------
    kernel
        The weights, (kH, kW), divided by nInputPlane times their sum; in float64, whatever the
        images are.

    Conventions
    -----------
    Where a deviation is replaced, nothing goes back through it. Complex numbers are compared by
    their real parts. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; the kernel has even sizes.
    SettingError
        The sum of the kernel is 0, threshold is negative or thresval is not positive.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialDivisiveNormalization(2, np.ones((1, 1)))
    >>> layer.forward(np.array([[[1.0, 0.0]], [[7.0, 0.0]]]))
    array([[[0.2, 0. ]],
    <BLANKLINE>
           [[1.4, 0. ]]])

    Reference
    ---------
    Torch7, nn/SpatialDivisiveNormalization.lua. Jarrett and others, What is the best
    multi-stage architecture for object recognition?, 2009.
    """

    def __init__(
        self,
        nInputPlane: int = 1,
        kernel: Any = None,
        threshold: float = 1e-4,
        thresval: float = 1e-4,
    ) -> None:
        self._set_kernel(nInputPlane, kernel)
        self.threshold = checks.not_negative(self, "threshold", threshold)
        self.thresval = checks.positive_number(self, "thresval", thresval)

    def updateOutput(self, input: Array) -> Array:
        self._check("updateOutput", input, self.nInputPlane)
        self.output = input / self._divisor(input)[0]
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._check_back("updateGradInput", input, gradOutput, self.nInputPlane)
        divisor, slope = self._divisor(input)
        together = sum_along(gradOutput * input, input.ndim - 3, True)
        spread = self._sums_back(together / divisor**2 * slope)
        self.gradInput = gradOutput / divisor - input * spread
        return self.gradInput

    def _divisor(self, input: Array) -> tuple[Array, Array]:
        """Return what the input is divided by, and twice its derivative by the sums of squares."""
        inside = self._inside(input)
        roots = np.sqrt(self._sums(input**2))
        deviation = roots / inside
        # NaN is not replaced.
        small = deviation.real <= self.threshold
        divisor = np.where(small, np.full_like(roots, self.thresval), deviation)
        slope = 1 / (inside * np.where(small, np.ones_like(roots), roots))
        return divisor, np.where(small, np.zeros_like(roots), slope)
