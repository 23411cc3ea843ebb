"""GatedLinearUnit."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import mended, sigmoid
from torchlite.nn import checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import position
from torchlite.nn.module import Module

__all__ = ["GatedLinearUnit"]


class GatedLinearUnit(Module):
    """One half of the input, each entry let through as far as the other half says.

    Maths
    -----
    ::

        values, gates = np.split(input, 2, dim)
        open = 1 / (1 + np.exp(-gates))
        output = values * open
        gradValues = gradOutput * open
        gradGates = gradOutput * output * (1 - open)
        gradInput = np.concatenate([gradValues, gradGates], dim)

    Shapes
    ------
    input: any, of at least one dimension, of even size along dim; output: half as large there.

    Parameters
    ----------
    dim
        The dimension to halve, counted from 0, or from the end if negative; None: the last one.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input has no such dimension, it cannot be halved, or gradOutput is not of the output's
        shape and precision.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.GatedLinearUnit()
    >>> x = np.array([4.0, 8.0, 0.0, np.log(3)])
    >>> layer.forward(x)
    array([2., 6.])
    >>> layer.backward(x, np.array([2.0, 4.0]))
    array([1., 3., 2., 6.])

    Reference
    ---------
    Torch7, nn/GatedLinearUnit.lua. Dauphin and others, Language Modeling with Gated Convolutional
    Networks (2016).
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = -1 if dim is None else whole(self, "dim", dim)

    def updateOutput(self, input: Array) -> Array:
        values, gates = self._halves("updateOutput", input)
        self.output = values * sigmoid(gates)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        values, gates = self._halves("updateGradInput", input)
        checks.must_be_gradient(self, "updateGradInput", gradOutput, values.shape, input.dtype)
        opened = sigmoid(gates)
        gradValues = gradOutput * opened
        closed = mended(1 - opened, gates, lambda x: sigmoid(-x))
        gradGates = gradValues * closed * values
        self.gradInput = np.concatenate([gradValues, gradGates], axis=self.dim)
        return self.gradInput

    def _halves(self, method: str, input: Array) -> list[Array]:
        checks.must_be_floating(self, method, "input", input)
        axis = position(self, method, input, self.dim)
        if input.shape[axis] % 2:
            expected = f"of even size along dimension {axis}"
            raise checks.misshapen(self, method, "input", expected, input)
        return np.split(input, 2, axis=axis)
