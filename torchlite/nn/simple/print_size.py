"""PrintSize."""

from typing import Any

from torchlite.nn.nested import shapes
from torchlite.nn.simple.identity import Identity

__all__ = ["PrintSize"]


class PrintSize(Identity):
    """Passes on its input, and gradOutput, and prints their shapes.

    Maths
    -----
    ::

        output = input
        gradInput = gradOutput

    Shapes
    ------
    input: anything, tables too; output: the same object.

    Parameters
    ----------
    prefix
        What is printed before.

    Conventions
    -----------
    Remembers nothing, checks nothing, copies nothing. Prints in `updateOutput` and in
    `updateGradInput`, to the standard output.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.PrintSize("here")
    >>> x = layer.forward(np.ones((5, 2)))
    here:input
    (5, 2)
    >>> dx = layer.backward(x, np.ones((5, 2)))
    here:gradOutput
    (5, 2)

    Reference
    ---------
    Torch7, nn/PrintSize.lua.
    """

    def __init__(self, prefix: str = "PrintSize") -> None:
        self.prefix = prefix

    def updateOutput(self, input: Any) -> Any:
        print(f"{self.prefix}:input\n{shapes(input)}")
        return super().updateOutput(input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        print(f"{self.prefix}:gradOutput\n{shapes(gradOutput)}")
        return super().updateGradInput(input, gradOutput)
