"""SpatialCrossMapLRN."""

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.means import sum_windows
from torchlite.nn import checks
from torchlite.nn.normalization._neighbourhood import Images

__all__ = ["SpatialCrossMapLRN"]


class SpatialCrossMapLRN(Images):
    """Divides every entry by a power of the mean square of its neighbours in other planes.

    Maths
    -----
    ::

        *lead, C, H, W = input.shape
        windows = (size, 1), (1, 1), (size // 2, 0), (C, H * W)
        squares = sum_windows((input**2).reshape(*lead, C, H * W), *windows).reshape(input.shape)
        level = k + alpha / size * squares
        output = input * level**-beta
        ratio = (gradOutput * output / level).reshape(*lead, C, H * W)
        spread = sum_windows(ratio, *windows).reshape(input.shape)
        gradInput = gradOutput * level**-beta - 2 * alpha * beta / size * input * spread

    sum_windows stands in torchlite.kernels.means, defined by a few lines: squares[n, c] is the sum
    of input[n, j] ** 2 with abs(j - c) <= size // 2, planes that there are not left out.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output: the same.

    Parameters
    ----------
    size
        How many planes are neighbours, with the plane itself: an odd number.
    alpha, beta, k
        As above; k is positive, the others at least 0.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    SettingError
        size is even, k is not positive, or another number is negative.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialCrossMapLRN(3, 3, 1, 1)
    >>> layer.forward(np.array([[[2.0]], [[1.0]], [[0.0]], [[3.0]]])).ravel().round(6)
    array([0.333333, 0.166667, 0.      , 0.3     ])

    Reference
    ---------
    Torch7, nn/SpatialCrossMapLRN.lua. Krizhevsky, Sutskever and Hinton, ImageNet classification
    with deep convolutional neural networks, 2012.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        self.size = checks.at_least(self, "size", size, 1)
        if self.size % 2 == 0:
            raise checks.misbuilt(SettingError, self, "size", "odd", repr(size))
        self.alpha = checks.not_negative(self, "alpha", alpha)
        self.beta = checks.not_negative(self, "beta", beta)
        self.k = checks.positive_number(self, "k", k)

    def updateOutput(self, input: Array) -> Array:
        self._check("updateOutput", input)
        self.output = input * self._factor(self._level(input))
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._check_back("updateGradInput", input, gradOutput)
        level = self._level(input)
        factor = gradOutput * self._factor(level)
        spread = self._neighbours(factor * input / level)
        spread *= input
        spread *= 2 * self.alpha * self.beta / self.size
        self.gradInput = factor - spread
        return self.gradInput

    def _level(self, input: Array) -> Array:
        level = self._neighbours(input**2)
        level *= self.alpha / self.size
        level += self.k
        return level

    def _factor(self, level: Array) -> Array:
        if self.beta == 0.75:
            # Square roots take a fraction of the time of a power.
            root = np.sqrt(level)
            return 1 / (root * np.sqrt(root))
        return level**-self.beta

    def _neighbours(self, images: Array) -> Array:
        """Return the sums over the neighbouring planes."""
        *lead, planes, height, width = images.shape
        flat = images.reshape(*lead, planes, height * width)
        out = planes, height * width
        sums = sum_windows(flat, (self.size, 1), (1, 1), (self.size // 2, 0), out)
        return sums.reshape(images.shape)
