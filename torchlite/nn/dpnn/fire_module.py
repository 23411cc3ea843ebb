"""FireModule."""

from typing import Any

from torchlite import nn
from torchlite.errors import SettingError
from torchlite.nn import checks
from torchlite.nn.containers.concat import Concat
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.convolution.spatial_convolution import SpatialConvolution
from torchlite.nn.module import Module

__all__ = ["FireModule"]


class FireModule(Decorator):
    """A convolution of 1 x 1 to few planes, then ones of 1 x 1 and 3 x 3 side by side.

    It is a network: a `Sequential` with a `Concat` in it.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output: the same, of e1x1 + e3x3 planes.

    Parameters
    ----------
    nInputPlane, s1x1, e1x1, e3x3
        The planes that come in, of the first convolution, and of the two behind it.
    activation
        The name of the class of the transfer functions behind both, such as "ReLU".

    Conventions
    -----------
    Remembers its forward, as all containers do.

    Raises
    ------
    SettingError
        activation is not the name of a module.
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.FireModule(4, 1, 2, 3).forward(np.ones((4, 5, 5))).shape
    (5, 5, 5)

    Reference
    ---------
    dpnn, FireModule.lua. Iandola and others, SqueezeNet, 2016.
    """

    def __init__(
        self, nInputPlane: int, s1x1: int, e1x1: int, e3x3: int, activation: str = "ReLU"
    ) -> None:
        kind: Any = getattr(nn, activation, None) if activation in nn.__all__ else None
        if not (isinstance(kind, type) and issubclass(kind, Module)):
            expected = 'the name of a module, such as "ReLU"'
            raise checks.misbuilt(SettingError, self, "activation", expected, repr(activation))
        super().__init__(
            Sequential(
                SpatialConvolution(nInputPlane, s1x1, 1, 1),
                kind(),
                Concat(
                    -3,
                    SpatialConvolution(s1x1, e1x1, 1, 1),
                    SpatialConvolution(s1x1, e3x3, 3, 3, 1, 1, 1, 1),
                ),
                kind(),
            )
        )
