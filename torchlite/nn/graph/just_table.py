"""JustTable."""

from typing import Any

from torchlite.nn import table_checks
from torchlite.nn.module import Module

__all__ = ["JustTable"]


class JustTable(Module):
    """A table of one entry: the input.

    Maths
    -----
    ::

        output = [input]
        gradInput = gradOutput[0]

    Shapes
    ------
    input: an array or a table; output: a table with it alone.

    Conventions
    -----------
    Hands on what it is given, integers and booleans too. In a network of nodes a module that is
    called with a list of one node gets that node's output itself: this makes a table of it.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput is no table of one entry that is built like input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.JustTable()
    >>> layer.forward(np.array([1.0, 2.0]))
    [array([1., 2.])]
    >>> layer.backward(np.array([1.0, 2.0]), [np.array([3.0, 4.0])])
    array([3., 4.])

    Reference
    ---------
    Torch7, nngraph/JustTable.lua.
    """

    def updateOutput(self, input: Any) -> list[Any]:
        self.output = [input]
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        (self.gradInput,) = table_checks.checked_gradient(
            self, "updateGradInput", gradOutput, [input]
        )
        return self.gradInput
