"""WhiteNoise."""

from typing import Any

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.checks import positive_number
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY

__all__ = ["WhiteNoise"]


class WhiteNoise(Module):
    """Adds normal noise to every entry in training, and its mean in evaluation.

    Maths
    -----
    In training, with noise drawn from N(mean, std)::

        output = input + noise
        gradInput = gradOutput

    In evaluation output is input + mean.

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    mean, std
        Those of the noise; std is positive.

    Attributes
    ----------
    noise
        What the last forward in training added.

    Conventions
    -----------
    gradInput is gradOutput itself. Remembers nothing: a backward needs no noise.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    SettingError
        std is not positive.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.WhiteNoise(10, 0.5)
    >>> x = np.array([1.0, 2.0])
    >>> layer
    WhiteNoise mean: 10.000000, std: 0.500000
    >>> bool((layer.forward(x) == x + layer.noise).all())
    True
    >>> layer.evaluate().forward(x)
    array([11., 12.])

    Reference
    ---------
    Torch7, nn/WhiteNoise.lua.
    """

    transient = (*Module.transient, "noise")
    noise: Any = EMPTY

    def __init__(self, mean: float = 0, std: float = 0.1) -> None:
        self.mean = float(checks.constant(self, "mean", mean))
        self.std = positive_number(self, "std", std)

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        if self.train:
            # Drawn in the precision of the input, as Torch7 does.
            draws = np.empty(input.shape, input.real.dtype)
            self.noise = like(random.normal(self.mean, self.std, out=draws), input)
            self.output = input + self.noise
        else:
            self.output = input + self.mean
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        self.gradInput = gradOutput
        return gradOutput

    def __repr__(self) -> str:
        return f"{type(self).__name__} mean: {self.mean:f}, std: {self.std:f}"
