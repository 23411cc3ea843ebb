"""CReLU."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dims import resized
from torchlite.nn.module import Module

__all__ = ["CReLU"]


class CReLU(Module):
    """The positive part of the input, followed by that of its negative: twice as many planes.

    Maths
    -----
    For a batch::

        output = np.concatenate([np.maximum(input, 0), np.maximum(-input, 0)], 1)
        gradPositive, gradNegative = np.split(gradOutput, 2, 1)
        gradInput = gradPositive * (input > 0) - gradNegative * (input < 0)

    Shapes
    ------
    input: one sample (C, ...) of nInputDims dimensions, or a batch (N, C, ...); output:
    (2 * C, ...) or (N, 2 * C, ...).

    Parameters
    ----------
    nInputDims
        How many dimensions a sample has.
    inplace
        Kept, and without effect.

    Conventions
    -----------
    The derivative at 0 is 0. Remembers nothing. It is no container here, as it is in Torch7.

    Raises
    ------
    ShapeError, DTypeError
        input is neither a sample nor a batch, or gradOutput is not of the output's shape and
        precision.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CReLU(1)
    >>> x = np.array([-2.0, 3.0])
    >>> layer.forward(x)
    array([0., 3., 2., 0.])
    >>> layer.backward(x, np.array([4.0, 5.0, 6.0, 7.0]))
    array([-6.,  5.])

    Reference
    ---------
    Torch7, nn/CReLU.lua. Shang and others, Understanding and Improving Convolutional Neural
    Networks via Concatenated Rectified Linear Units (2016).
    """

    def __init__(self, nInputDims: int, inplace: bool = False) -> None:
        self.nInputDims = checks.size(self, "nInputDims", nInputDims)
        self.inplace = inplace

    def updateOutput(self, input: Array) -> Array:
        axis = self._axis("updateOutput", input)
        self.output = np.concatenate([input.clip(0, np.inf), (-input).clip(0, np.inf)], axis=axis)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        axis = self._axis("updateGradInput", input)
        doubled = resized(input, axis, 2 * input.shape[axis])
        checks.must_be_gradient(self, "updateGradInput", gradOutput, doubled, input.dtype)
        gradPositive, gradNegative = np.split(gradOutput, 2, axis=axis)
        self.gradInput = gradPositive * (input > 0) - gradNegative * (input < 0)
        return self.gradInput

    def _axis(self, method: str, input: Array) -> int:
        """Return the dimension of the planes, that is, how many come before a sample's."""
        checks.must_be_floating(self, method, "input", input)
        axis: int = input.ndim - self.nInputDims
        if axis not in (0, 1) or axis == input.ndim:
            n = self.nInputDims
            expected = f"a sample of {n} dimensions or a batch of them, of {n + 1}"
            raise checks.misshapen(self, method, "input", expected, input)
        return axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
