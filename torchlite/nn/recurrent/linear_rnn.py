"""LinearRNN."""

from torchlite.nn import checks
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.recurrent.recurrence import Recurrence
from torchlite.nn.simple.linear import Linear
from torchlite.nn.table.join_table import JoinTable
from torchlite.nn.transfer.sigmoid import Sigmoid

__all__ = ["LinearRNN"]


class LinearRNN(Recurrence):
    """A plain recurrence: a linear map of the input and the last output, and a function.

    Maths
    -----
    Of the first step; later h is the output of the step before, and gradNext what the step after
    wants of it, beside gradOutput::

        join, linear, transfer = modules[0].modules
        h = np.zeros((*input.shape[:-1], *outputSize))
        both = np.concatenate([input, h], -1)
        a = both @ linear.weight.T + linear.bias
        output = transfer.updateOutput(a)
        gradNext = np.zeros_like(output)
        gradA = transfer.updateGradInput(a, gradOutput + gradNext)
        gradInput, gradH = np.split(gradA @ linear.weight, [input.shape[-1]], -1)

    Shapes
    ------
    input (inputsize,) or (N, inputsize); output (outputsize,) or (N, outputsize).

    Parameters
    ----------
    inputsize, outputsize
        Integers of at least 0.
    transfer
        The function; None: Sigmoid().

    Attributes
    ----------
    modules
        The Sequential of JoinTable, Linear, which has the parameters, and transfer.

    Conventions
    -----------
    Those of Recurrence. A hidden state is h.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or has another batch than the step before.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.LinearRNN(1, 1, nn.Identity())
    >>> linear = net.modules[0].get(1)
    >>> linear.weight[:], linear.bias[:] = [[1, 2]], [0]
    >>> x = np.array([1.0])
    >>> net.forward(x), net.forward(x), net.forward(x)
    (array([1.]), array([3.]), array([7.]))
    >>> net.backward(x, np.ones(1)), net.backward(x, np.zeros(1)), net.backward(x, np.zeros(1))
    (array([1.]), array([2.]), array([4.]))

    Reference
    ---------
    torch/rnn, LinearRNN.lua.
    """

    def __init__(self, inputsize: int, outputsize: int, transfer: Module | None = None) -> None:
        inputsize = checks.size(self, "inputsize", inputsize)
        outputsize = checks.size(self, "outputsize", outputsize)
        linear = Linear(inputsize + outputsize, outputsize)
        transfer = Sigmoid() if transfer is None else transfer
        super().__init__(Sequential(JoinTable(0, 1), linear, transfer), outputsize, 1)
