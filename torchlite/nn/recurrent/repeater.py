"""Repeater."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.entries import total_gradient
from torchlite.nn.module import Module
from torchlite.nn.recurrent.sequencer import Sequencer

__all__ = ["Repeater"]


class Repeater(Sequencer):
    """A module that is given the same input again and again, and returns what it makes each time.

    Maths
    -----
    ::

        steps = range(seqlen)
        output = [modules[0].updateOutput(input) for step in steps]
        gradInput = sum(modules[0].updateGradInput(input, gradOutput[-1 - step]) for step in steps)

    Shapes
    ------
    input: what the module takes; output: a table of what it returns, one entry a step; gradInput as
    input.

    Parameters
    ----------
    module
        The module. One that is not made for steps stands in a `Recursor`.
    seqlen
        How many steps there are.

    Attributes
    ----------
    inputs, outputs
        After a forward: of each step what the module was given, and what it returned. What is
        recurrent inside has its own `steps`.
    gradOutputs
        After `updateGradInput`: of each step the gradient of its output.

    Conventions
    -----------
    `updateGradInput` goes through all steps from the last to the first, then `accGradParameters`
    does. Both need a forward of the same input, and may be repeated. Every forward starts anew,
    whatever `remember` says.

    Raises
    ------
    ShapeError, DTypeError
        gradOutput is not like output.
    StateError
        input (or gradOutput) is not that of the last forward (or `updateGradInput`).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Repeater(nn.LinearRNN(1, 1, nn.Identity()), 3)
    >>> weight, bias = net.parameters()[0]
    >>> weight[:], bias[:] = [[1, 2]], 0
    >>> x = np.array([[1.0]])
    >>> net.forward(x)
    [array([[1.]]), array([[3.]]), array([[7.]])]
    >>> net.backward(x, [np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1))])
    array([[7.]])

    Reference
    ---------
    torch/rnn and Element-Research/rnn, Repeater.lua, of which maxBPTTstep changes seqlen.
    """

    def __init__(self, module: Module, seqlen: int) -> None:
        super().__init__(module)
        self.seqlen = checks.at_least(self, "seqlen", seqlen, 1)

    @property
    def exempt(self) -> dict[str, str]:
        """Nothing: the steps are no dimension of the input."""
        return {}

    def _begin(self) -> None:
        self.forget()
        self._mode = self.train

    def _steps_of(self, method: str, argument: str, sequence: Any) -> list[Any]:
        return [sequence] * self.seqlen if argument == "input" else list(sequence)

    def _joined(self, input: Any, steps: list[Any]) -> Any:
        return list(steps)

    def _joined_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return total_gradient(gradInputs, input)
