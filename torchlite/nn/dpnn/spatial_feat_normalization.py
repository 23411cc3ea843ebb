"""SpatialFeatNormalization."""

from typing import Any

import numpy as np

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import shapes

__all__ = ["SpatialFeatNormalization"]


class SpatialFeatNormalization(Module):
    """Subtracts a number from each plane of images, and divides it by another: colours, say.

    Maths
    -----
    With a mean and a std for each plane, as (C, 1, 1)::

        m, s = mean.reshape(-1, 1, 1), std.reshape(-1, 1, 1)
        output = (input - m) / s
        gradInput = gradOutput / s

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output: the same.

    Parameters
    ----------
    mean, std
        Arrays (C,), which are copied; without std it is ones.

    Attributes
    ----------
    mean, std
        As above. They are no parameters: nothing trains them.

    Conventions
    -----------
    Remembers nothing. A std of 0 gives infinities.

    Raises
    ------
    ShapeError, DTypeError
        input, gradOutput, mean or std does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialFeatNormalization(np.array([1.0, 10.0]), np.array([2.0, 5.0]))
    >>> layer.forward(np.array([[[3.0]], [[20.0]]])).ravel()
    array([1., 2.])

    Reference
    ---------
    dpnn, SpatialFeatNormalization.lua.
    """

    def __init__(self, mean: Array, std: Array | None = None) -> None:
        self.mean = self._held("mean", mean)
        self.std = np.ones_like(self.mean) if std is None else self._held("std", std)
        if self.std.shape != self.mean.shape:
            expected = f"{shapes(self.mean)} like mean"
            raise checks.misbuilt(ShapeError, self, "std", expected, shapes(std))

    def _held(self, argument: str, values: Any) -> Array:
        checks.must_be_array(self, "__init__", argument, values)
        checks.must_have_precision(self, "__init__", argument, values, None)
        if values.ndim != 1:
            raise checks.misbuilt(ShapeError, self, argument, "(C,)", shapes(values))
        return values.copy()

    def _held_dtype(self) -> np.dtype[Any]:
        return self.mean.dtype

    def updateOutput(self, input: Array) -> Array:
        self._must_fit("updateOutput", input)
        self.output = (input - self.mean[:, None, None]) / self.std[:, None, None]
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit("updateGradInput", input)
        checks.must_match(self, "updateGradInput", input, gradOutput)
        self.gradInput = gradOutput / self.std[:, None, None]
        return self.gradInput

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_typed(self, method, input, self.mean.dtype)
        planes = len(self.mean)
        if input.ndim not in (3, 4) or input.shape[-3] != planes:
            expected = f"({planes}, H, W) or (N, {planes}, H, W)"
            hint = checks.planes_hint(input, planes, 2)
            raise checks.misshapen(self, method, "input", expected, input, hint)
