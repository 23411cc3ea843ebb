"""Decorator."""

from typing import Any

from torchlite.nn.containers._branches import Branches
from torchlite.nn.module import Module

__all__ = ["Decorator"]


class Decorator(Branches):
    """One module, wrapped: a subclass does something of its own around it.

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

    Conventions
    -----------
    Remembers its forward, as all containers do. Hands on arrays as they are.

    Raises
    ------
    StateError
        input is not that of the last forward; another module is added.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Decorator(nn.ReLU())
    >>> net
    Decorator @ ReLU
    >>> net.forward(np.array([-1.0, 2.0]))
    array([0., 2.])

    Reference
    ---------
    Torch7, nn/Decorator.lua.
    """

    _single = True

    def __init__(self, module: Module) -> None:
        super().__init__(module)

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        return outputs[0]

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        return [gradOutput]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return gradInputs[0]

    def __repr__(self) -> str:
        inside = repr(self.modules[0]) if self.modules else "{ }"
        return f"{type(self).__name__} @ {inside}"
