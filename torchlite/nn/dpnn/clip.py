"""Clip."""

from typing import ClassVar

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["Clip"]


class Clip(Module):
    """Every entry, kept within two bounds; the gradient passes as if there were none.

    Maths
    -----
    ::

        output = np.clip(input, minval, maxval)
        gradInput = gradOutput

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    minval, maxval
        The bounds, minval not above maxval.

    Conventions
    -----------
    gradInput is gradOutput itself, not the derivative, which would be 0 beyond the bounds: what has
    left them still learns to come back. (`Clamp` has the derivative.) Remembers nothing. NaN in
    gives NaN out.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    SettingError
        minval is above maxval.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Clip(0, 2)
    >>> x = np.array([-1.0, 1.0, 3.0])
    >>> layer.forward(x)
    array([0., 1., 2.])
    >>> layer.backward(x, np.array([10.0, 20.0, 30.0]))
    array([10., 20., 30.])

    Reference
    ---------
    dpnn, Clip.lua.
    """

    exempt: ClassVar = {"gradInput": "the gradient passes unclipped on purpose"}

    def __init__(self, minval: float, maxval: float) -> None:
        self.minval = checks.constant(self, "minval", minval)
        self.maxval = checks.constant(self, "maxval", maxval)
        if not self.minval <= self.maxval:
            expected = f"at most maxval = {maxval!r}"
            raise checks.misbuilt(SettingError, self, "minval", expected, repr(minval))

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        self.output = input.clip(self.minval, self.maxval)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        self.gradInput = gradOutput
        return gradOutput
