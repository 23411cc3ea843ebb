"""NaN."""

import itertools
from typing import Any

import numpy as np

from torchlite.errors import printable
from torchlite.kernels.arrays import Number
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module

__all__ = ["NaN"]

_numbers = itertools.count()


class NaN(Decorator):
    """A module that raises as soon as there is a NaN, and says where it came from.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    Shapes
    ------
    Those of the module.

    Parameters
    ----------
    module
        The module.
    id
        A name or number for it; None: 0 for the first NaN made, 1 for the second, and so on.

    Conventions
    -----------
    Remembers its forward. Of an output with a NaN it looks at input and parameters, of a gradInput
    at gradOutput. Where the gradients of parameters get a NaN, they are left as they were.

    Raises
    ------
    FloatingPointError
        There is a NaN: "NaN found in input of module", or parameters, output, gradOutput,
        gradInput, gradParameters.
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.NaN(nn.ReLU(), "first")
    >>> net.forward(np.array([1.0, np.nan]))
    Traceback (most recent call last):
    FloatingPointError: NaN found in input of module :
    NaN(first) @ ReLU

    Reference
    ---------
    Torch7, nn/NaN.lua, which also takes infinities of both signs for a NaN.
    """

    _validates = True
    _risky = True

    def __init__(self, module: Module, id: Any = None) -> None:
        super().__init__(module)
        self.id = next(_numbers) if id is None else id

    def updateOutput(self, input: Any) -> Any:
        output = super().updateOutput(input)
        if _has_nan(output):
            if _has_nan(input):
                self._complain("input")
            self._complain("parameters" if _has_nan(self.parameters()[0]) else "output")
        return output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        gradInput = super().updateGradInput(input, gradOutput)
        if _has_nan(gradInput):
            self._complain("gradOutput" if _has_nan(gradOutput) else "gradInput")
        return gradInput

    def _accumulate(self, steps: Any, scale: Number) -> None:
        super()._accumulate(steps, scale)
        if _has_nan(self.parameters()[1]):
            self._complain("gradParameters")

    def _complain(self, where: str) -> None:
        self._forget()
        raise FloatingPointError(f"NaN found in {where} of module :\n{self!r}")

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({printable(str(self.id))}){super().__repr__().removeprefix(name)}"


def _has_nan(table: Any) -> bool:
    if isinstance(table, (list, tuple)):
        return any(map(_has_nan, table))
    if isinstance(table, dict):
        return any(map(_has_nan, table.values()))
    return table is not None and bool(np.any(table != table))
