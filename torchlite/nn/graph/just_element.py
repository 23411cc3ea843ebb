"""JustElement."""

from typing import Any

from torchlite.nn import table_checks
from torchlite.nn.module import Module

__all__ = ["JustElement"]


class JustElement(Module):
    """The only entry of a table: what a node's `split(1)` is made of.

    Maths
    -----
    ::

        output = input[0]
        gradInput = [gradOutput]

    Shapes
    ------
    input: a table of one entry, an array or a table; output: the entry.

    Conventions
    -----------
    Hands on what it is given, integers and booleans too.

    Raises
    ------
    ShapeError, DTypeError
        input is no table of one entry, or gradOutput is not built like it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.JustElement()
    >>> layer.forward([np.array([1.0, 2.0])])
    array([1., 2.])
    >>> layer.backward([np.array([1.0, 2.0])], np.array([3.0, 4.0]))
    [array([3., 4.])]

    Reference
    ---------
    Torch7, nngraph/JustElement.lua.
    """

    def updateOutput(self, input: Any) -> Any:
        table_checks.must_be_table(self, "updateOutput", "input", input, 1)
        self.output = input[0]
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> list[Any]:
        table_checks.must_be_table(self, "updateGradInput", "input", input, 1)
        self.gradInput = [
            table_checks.checked_gradient(self, "updateGradInput", gradOutput, input[0])
        ]
        return self.gradInput
