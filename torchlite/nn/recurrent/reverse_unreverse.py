"""ReverseUnreverse."""

from typing import Any, Self

from torchlite.nn import checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module

__all__ = ["ReverseUnreverse"]


class ReverseUnreverse(Decorator):
    """A module that runs through a sequence from its last step to its first.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input[::-1])[::-1]
        gradInput = modules[0].updateGradInput(input[::-1], gradOutput[::-1])[::-1]

    Shapes
    ------
    input: what the module takes, an array with the steps first or a table of steps; output: what
    it returns, one step for each.

    Parameters
    ----------
    module
        A module of sequences: a SeqLSTM, a Sequencer ...

    Attributes
    ----------
    inputs, outputs, gradOutputs
        After a forward and a backward: [what the module was given], and so on, turned around.

    Conventions
    -----------
    Remembers its forward. A mask is turned around, too: `setZeroMask` takes that of the sequence as
    it is. Results are views of what the module returned, or tables of its entries.

    Raises
    ------
    StateError
        input is not that of the last forward; another module is added.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> class Sum(nn.Module):
    ...     def updateOutput(self, input):
    ...         return input.cumsum(0)
    >>> nn.ReverseUnreverse(Sum()).forward(np.array([[1.0], [10.0], [100.0]]))
    array([[111.],
           [110.],
           [100.]])

    Reference
    ---------
    torch/rnn, ReverseUnreverse.lua.
    """

    def getModule(self) -> Module:
        """Return the module."""
        return self.modules[0]

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Tell the module the mask, turned around if it has steps. Return self."""
        mask = checks.mask(self, zeroMask)
        return super().setZeroMask(mask if mask is False or mask.ndim == 1 else mask[::-1])

    def _deal(self, input: Any) -> list[Any]:
        return [input[::-1]]

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        return outputs[0][::-1]

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        return [gradOutput[::-1]]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return gradInputs[0][::-1]
