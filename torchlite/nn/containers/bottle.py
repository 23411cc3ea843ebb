"""Bottle."""

import math

from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module

__all__ = ["Bottle"]


class Bottle(Decorator):
    """A module on input with more dimensions than it takes: the first ones are made one.

    Maths
    -----
    ::

        batch = input.shape[: input.ndim - nInputDim + 1]
        rows = input.reshape(-1, *input.shape[len(batch) :])
        outputs = modules[0].updateOutput(rows)
        output = outputs.reshape(*batch, *outputs.shape[1:])
        gradients = modules[0].updateGradInput(rows, gradOutput.reshape(outputs.shape))
        gradInput = gradients.reshape(input.shape)

    Shapes
    ------
    input: any; where it has more than nInputDim dimensions, the module gets it with the surplus
    fused into the first, and the output has them instead of its first again.

    Parameters
    ----------
    module
        The module, which keeps the length of the first dimension.
    nInputDim, nOutputDim
        How many dimensions it takes, the batch's included, and how many its output has. None:
        nOutputDim is nInputDim.

    Attributes
    ----------
    inputs, outputs, gradOutputs
        What the module was given, what it returned, and the gradient of that: lists of one entry.

    Conventions
    -----------
    Remembers its forward. Where nothing is to be fused, arrays are handed on as they are.

    Raises
    ------
    StateError
        input is not that of the last forward.
    ShapeError, DTypeError
        The output has another number of dimensions, or another first length; gradOutput does not
        fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Bottle(nn.Linear(4, 3))
    >>> net.forward(np.ones((5, 2, 4))).shape
    (5, 2, 3)
    >>> net.inputs[0].shape, net.backward(np.ones((5, 2, 4)), np.ones((5, 2, 3))).shape
    ((10, 4), (5, 2, 4))

    Reference
    ---------
    Torch7, nn/Bottle.lua.
    """

    def __init__(self, module: Module, nInputDim: int = 2, nOutputDim: int | None = None) -> None:
        super().__init__(module)
        self.nInputDim = checks.size(self, "nInputDim", nInputDim)
        if nOutputDim is None:
            nOutputDim = nInputDim
        self.nOutputDim = checks.size(self, "nOutputDim", nOutputDim)

    def _deal(self, input: Array) -> list[Array]:
        checks.must_be_array(self, "updateOutput", "input", input)
        fused = self._fused(input)
        if len(fused) < 2:
            return [input]
        return [input.reshape(math.prod(fused), *input.shape[len(fused) :])]

    def _join(self, input: Array, outputs: list[Array]) -> Array:
        fused, (output,) = self._fused(input), outputs
        if len(fused) < 2:
            return output
        checks.must_be_array(self, "updateOutput", "output of its module", output)
        if output.ndim != self.nOutputDim or output.shape[0] != math.prod(fused):
            expected = f"{self.nOutputDim}-D with {math.prod(fused)} first"
            raise checks.misshapen(self, "updateOutput", "output of its module", expected, output)
        return output.reshape(*fused, *output.shape[1:])

    def _deal_back(self, method: str, gradOutput: Array) -> list[Array]:
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        output = self.outputs[0]
        return [gradOutput if output is self.output else gradOutput.reshape(output.shape)]

    def _join_back(self, input: Array, gradInputs: list[Array]) -> Array:
        return gradInputs[0].reshape(input.shape)

    def _fused(self, input: Array) -> tuple[int, ...]:
        """Return the lengths of the dimensions that are made one."""
        shape: tuple[int, ...] = input.shape
        return shape[: max(input.ndim - self.nInputDim + 1, 0)]
