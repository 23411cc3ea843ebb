"""Recursor."""

from typing import Any, Self

from torchlite.kernels.arrays import Number
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._recurrent import WrappingOne

__all__ = ["Recursor"]


class Recursor(WrappingOne):
    """Any module, called once a step.

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
        The module. What is recurrent in it goes on from its own states; what is not starts anew at
        every step.
    rho
        So many steps before the last one are kept in training: `maxBPTTstep(rho)`.

    Attributes
    ----------
    steps
        The steps that a backward can go back through: of each `input`, output (`after[0]`) and, as
        `gates`, pairs of a part of the module and what the call left behind there.

    Conventions
    -----------
    There are no copies of the module: what it must remember of a step is put back when a backward
    comes to the step. Hidden states are those of the module.

    Raises
    ------
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Recursor(nn.Sequential(nn.Mul(), nn.Square()))
    >>> net
    Recursor @ Sequential {
      [input -> (0) -> (1) -> output]
      (0): Mul
      (1): Square
    }
    >>> net.modules[0].get(0).weight[:] = 2
    >>> first, second = np.array([1.0]), np.array([3.0])
    >>> net.forward(first), net.forward(second)
    (array([4.]), array([36.]))
    >>> net.backward(second, np.ones(1)), net.backward(first, np.ones(1))
    (array([24.]), array([8.]))

    Reference
    ---------
    torch/rnn and Element-Research/rnn, Recursor.lua.
    """

    _validates = True

    def __init__(self, module: Module, rho: int | None = None) -> None:
        self._hold(module)
        if rho is not None:
            self.maxBPTTstep(rho)

    def _state_for(self, input: Any) -> list[Any]:
        return []

    def _take(self, input: Any, before: list[Any]) -> Step:
        output, left = self._call(input)
        return Step(input, before, left, [output])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Any:
        step.gradAfter = gradAfter
        return self._call_back(step, step.input, gradAfter[0])

    def _accumulate(self, step: Step, scale: Number) -> None:
        self._call_to_sum(step, step.input, step.gradAfter[0], scale)

    def getHiddenState(self, step: int | None = None) -> Any:
        """Return the state of the module after so many steps, the last one without step."""
        return self.modules[0].getHiddenState(step)

    def setHiddenState(self, step: int, state: Any) -> Self:
        """Let the module go on from a state. Return self."""
        self.modules[0].setHiddenState(step, state)
        return self

    def setStartState(self, state: Any = None) -> Self:
        """Let every sequence start from a state of the module; None: zeros. Return self."""
        self.modules[0].setStartState(state)
        return self

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """Return the gradient of the state of the module after so many steps."""
        return self.modules[0].getGradHiddenState(step)

    def setGradHiddenState(self, step: int, gradState: Any) -> Self:
        """Let a gradient of the state of the module come from elsewhere. Return self."""
        self.modules[0].setGradHiddenState(step, gradState)
        return self
