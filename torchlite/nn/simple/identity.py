"""Identity."""

from typing import Any

from torchlite.nn.module import Module

__all__ = ["Identity"]


class Identity(Module):
    """Passes on its input, and gradOutput.

    Maths
    -----
    ::

        output = input
        gradInput = gradOutput

    Shapes
    ------
    input: anything, tables too; output: the same object.

    Conventions
    -----------
    Remembers nothing, checks nothing, copies nothing.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones(2)
    >>> nn.Identity().forward(x) is x
    True

    Reference
    ---------
    Torch7, nn/Identity.lua.
    """

    def updateOutput(self, input: Any) -> Any:
        self.output = input
        return input

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.gradInput = gradOutput
        return gradOutput
