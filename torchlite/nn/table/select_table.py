"""SelectTable."""

from typing import Any

import numpy as np

from torchlite.errors import printable
from torchlite.nn import table_checks
from torchlite.nn.checks import whole
from torchlite.nn.module import Module
from torchlite.nn.nested import map_arrays

__all__ = ["SelectTable"]


class SelectTable(Module):
    """One entry of a table.

    Maths
    -----
    ::

        output = input[index]
        gradInput = map_arrays(np.zeros_like, input)
        gradInput[index] = gradOutput

    Shapes
    ------
    input: a table of arrays or tables; output: one of them.

    Parameters
    ----------
    index
        The position, counted from 0 or from the end if negative; of a dict, the key.

    Conventions
    -----------
    Remembers nothing. The output is the entry itself, and its gradInput is gradOutput itself. The
    gradInputs of the others are zeros, table by table. Integers and booleans pass, too; zeros of
    their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input is no table, or has no such entry; gradOutput does not fit it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SelectTable(-1)
    >>> x = [np.array([1.0]), np.array([2.0, 3.0])]
    >>> layer.forward(x)
    array([2., 3.])
    >>> layer.backward(x, np.array([20.0, 30.0]))
    [array([0.]), array([20., 30.])]
    >>> nn.SelectTable("b").forward({"a": np.array([1.0]), "b": np.array([2.0])})
    array([2.])

    Reference
    ---------
    Torch7, nn/SelectTable.lua.
    """

    def __init__(self, index: int | str) -> None:
        self.index = index if isinstance(index, str) else whole(self, "index", index)

    def updateOutput(self, input: Any) -> Any:
        self.output = self._entry("updateOutput", input)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        entry = self._entry("updateGradInput", input)
        gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, entry)
        self.gradInput = map_arrays(np.zeros_like, input)
        self.gradInput[self.index] = gradOutput
        return self.gradInput

    def _entry(self, method: str, input: Any) -> Any:
        index = self.index
        if isinstance(index, str):
            table_checks.must_have_keys(self, method, "input", input, [index])
        else:
            table_checks.must_be_table(self, method, "input", input)
            table_checks.must_reach(self, method, "input", input, index)
        return input[index]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({printable(str(self.index))})"
