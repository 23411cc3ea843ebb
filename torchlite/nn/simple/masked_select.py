"""MaskedSelect."""

from collections.abc import Sequence

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.simple._pairs import pair, unfit

__all__ = ["MaskedSelect"]


class MaskedSelect(Module):
    """Picks the entries where a mask is true, row by row; the mask is part of the input.

    Maths
    -----
    ::

        array, mask = input
        output = array[mask]
        gradArray = np.zeros_like(array)
        gradArray[mask] = gradOutput
        gradInput = [gradArray, np.zeros_like(mask)]

    Shapes
    ------
    input: a table of any array and a mask of its shape; output (k,), where k entries are true.

    Conventions
    -----------
    The mask is of bool, where Torch7 has bytes. It has no gradient: in its place stands False
    everywhere. Remembers nothing. An array of integers or booleans gets zeros of its dtype.

    Raises
    ------
    ShapeError, DTypeError
        Array and mask do not fit each other, or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.MaskedSelect()
    >>> x = np.array([[10.0, 20.0], [30.0, 40.0]])
    >>> layer.forward([x, x > 15])
    array([20., 30., 40.])
    >>> layer.backward([x, x > 15], np.array([1.0, 2.0, 3.0]))[0]
    array([[0., 1.],
           [2., 3.]])

    Reference
    ---------
    Torch7, nn/MaskedSelect.lua.
    """

    def updateOutput(self, input: Sequence[Array]) -> Array:
        array, mask = self._parts("updateOutput", input)
        self.output = array[mask]
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        array, mask = self._parts("updateGradInput", input)
        shape = (mask.sum().item(),)
        gradOutput = checks.moved_back(self, "updateGradInput", gradOutput, array, shape)
        gradArray = np.zeros_like(gradOutput, shape=array.shape)
        gradArray[mask] = gradOutput
        self.gradInput = [gradArray, np.zeros_like(mask)]
        return self.gradInput

    def _parts(self, method: str, input: Sequence[Array]) -> tuple[Array, Array]:
        array, mask = pair(self, method, input)
        if mask.dtype.kind != "b":
            got, hint = str(mask.dtype), "input[1] != 0"
            raise checks.mistyped(self, method, "input[1]", "bool", got, hint)
        if mask.shape != array.shape:
            raise unfit(self, method, input, "the mask must have the shape of the array")
        return array, mask
