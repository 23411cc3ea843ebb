"""Identity."""

from typing import Any

from numpy import ndarray

from torchlite.nn import table_checks
from torchlite.nn.checks import FLOATING, is_integral
from torchlite.nn.module import Module
from torchlite.nn.nested import leaves

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
    Remembers nothing, checks nothing, copies nothing. Of an input with integers or booleans,
    gradOutput must be built like it, and zeros go back to these arrays.

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
        plain = type(input) is ndarray and input.dtype in FLOATING
        if not plain and any(map(is_integral, leaves(input))):
            gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, input)
        self.gradInput = gradOutput
        return gradOutput
