"""SpatialRegionDropout."""

import math

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.simple.dropout import Dropout

__all__ = ["SpatialRegionDropout"]


class SpatialRegionDropout(Dropout):
    """Sets a strip at an edge of the images to 0 in training, as if they were cut badly.

    Maths
    -----
    In training one edge of the four is drawn, and noise is 0 in the strip that has the share p of
    the rows or columns, rounded down, else 1 / (1 - p); in evaluation it is empty::

        factor = noise if noise.size else 1
        output = input * factor
        gradInput = gradOutput * factor

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output: the same.

    Parameters
    ----------
    p
        The share of the rows or columns, from 0 to less than 1.

    Attributes
    ----------
    p
        As above; `setp(p)` changes it.
    noise
        The factors of the last forward, (H, W); empty if it drew none.

    Conventions
    -----------
    A forward in training draws one number, for all images and planes: 1 to 4 are top, bottom, left
    and right. It remembers noise and input; a backward in that mode needs them. In evaluation
    output is input itself, and gradInput is gradOutput.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        A backward that needs the noise of another input than the last forward's.
    SettingError
        p is less than 0, or not less than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(8)
    >>> nn.SpatialRegionDropout(0.5).forward(np.ones((1, 2, 4)))
    array([[[2., 2., 0., 0.],
            [2., 2., 0., 0.]]])

    Reference
    ---------
    dpnn, SpatialRegionDropout.lua.
    """

    def __init__(self, p: float = 0.2) -> None:
        super().__init__(p)

    def _drops(self) -> bool:
        return self.train

    def _draw(self, input: Array) -> Array:
        noise = np.full(input.shape[-2:], 1 / (1 - self.p), input.real.dtype)
        edge = random.random(4)
        rows = noise if edge <= 2 else noise.T
        strip = math.floor(len(rows) * self.p)
        rows[slice(strip) if edge % 2 else slice(len(rows) - strip, None)] = 0
        return like(noise, input)

    def _must_fit(self, method: str, input: Array) -> None:
        super()._must_fit(method, input)
        if input.ndim not in (3, 4):
            expected = "(C, H, W) or (N, C, H, W)"
            raise checks.misshapen(self, method, "input", expected, input)
