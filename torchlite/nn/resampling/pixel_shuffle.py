"""PixelShuffle."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.resampling._resampling import Resampling

__all__ = ["PixelShuffle"]


class PixelShuffle(Resampling):
    """Pixels out of planes: of r * r planes one is made that is r times as high and wide.

    Maths
    -----
    ::

        r = upscaleFactor
        *lead, C, H, W = input.shape
        blocks = np.moveaxis(input.reshape(*lead, C // r**2, r, r, H, W), [-4, -3], [-3, -1])
        output = blocks.reshape(*lead, C // r**2, r * H, r * W)
        pixels = gradOutput.reshape(*lead, C // r**2, H, r, W, r)
        gradInput = np.moveaxis(pixels, [-3, -1], [-4, -3]).reshape(input.shape)

    output[n, c, y * r + i, x * r + j] is input[n, c * r * r + i * r + j, y, x].

    Shapes
    ------
    input (C, H, W) or (N, C, H, W) with C a multiple of r * r; output (C / r / r, r * H, r * W) or
    (N, C / r / r, r * H, r * W).

    Parameters
    ----------
    upscaleFactor
        r, at least 1.

    Conventions
    -----------
    Remembers nothing. It takes integers and booleans, too, which have no gradient.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.PixelShuffle(2)
    >>> x = np.array([[[1.0, 5.0]], [[2.0, 6.0]], [[3.0, 7.0]], [[4.0, 8.0]]])
    >>> layer.forward(x)
    array([[[1., 2., 5., 6.],
            [3., 4., 7., 8.]]])
    >>> bool((layer.backward(x, layer.output) == x).all())
    True

    Reference
    ---------
    Torch7, nn/PixelShuffle.lua. Shi and others, Real-time single image and video super-resolution
    using an efficient sub-pixel convolutional neural network, 2016.
    """

    def __init__(self, upscaleFactor: int) -> None:
        self.upscaleFactor = checks.at_least(self, "upscaleFactor", upscaleFactor, 1)

    def _plan(self, method: str, input: Array) -> Any:
        size = super()._plan(method, input)
        planes, each = input.shape[-3], self.upscaleFactor**2
        if planes % each:
            expected = f"{self._images()} with C a multiple of {each}"
            raise checks.misshapen(self, method, "input", expected, input)
        return planes // each, *size

    def _size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(n * self.upscaleFactor for n in size)

    def _least(self) -> tuple[int, ...]:
        return 0, 0

    def _function(self, input: Array, plan: tuple[int, ...]) -> Array:
        r, (height, width) = self.upscaleFactor, input.shape[-2:]
        blocks = input.reshape(*input.shape[:-3], plan[0], r, r, height, width)
        # Where r or an image's size is 1, reshape alone would give a view.
        return np.moveaxis(blocks, [-4, -3], [-3, -1]).copy().reshape(self._shape(input, plan))

    def _gradient(self, input: Array, gradOutput: Array, plan: tuple[int, ...]) -> Array:
        r, (height, width) = self.upscaleFactor, input.shape[-2:]
        pixels = gradOutput.reshape(*input.shape[:-3], plan[0], height, r, width, r)
        return np.moveaxis(pixels, [-3, -1], [-4, -3]).copy().reshape(input.shape)
