"""L1Penalty."""

from typing import Any, ClassVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute
from torchlite.kernels.sums import sum_all
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["L1Penalty"]


class L1Penalty(Module):
    """Passes on its input, and pulls every entry of it towards 0 in the backward.

    Maths
    -----
    ::

        m = l1weight / input.size if sizeAverage else l1weight
        loss = m * np.abs(input).sum()
        output = input
        gradInput = m * np.sign(input) + gradOutput * provideOutput

    So gradInput is the derivative of what follows plus loss, or of loss alone.

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    l1weight
        The weight of the penalty.
    sizeAverage
        Whether to divide by the number of entries.
    provideOutput
        Whether gradInput also passes on gradOutput.

    Attributes
    ----------
    loss
        The penalty of the last forward, a number.

    Conventions
    -----------
    The output is the input itself. The derivative at 0 is 0. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.L1Penalty(10)
    >>> x = np.array([-1.0, 0.0, 2.0])
    >>> layer.forward(x) is x, layer.loss
    (True, 30.0)
    >>> layer.backward(x, np.array([1.0, 2.0, 3.0]))
    array([-9.,  2., 13.])

    Reference
    ---------
    Torch7, nn/L1Penalty.lua.
    """

    exempt: ClassVar = dict.fromkeys(
        ("gradInput", "linear"), "gradInput has the gradient of the penalty, too"
    )
    transient = (*Module.transient, "loss")
    loss: Any = None

    def __init__(
        self, l1weight: float, sizeAverage: bool = False, provideOutput: bool = True
    ) -> None:
        self.l1weight = checks.number(self, "__init__", "l1weight", l1weight)
        self.sizeAverage = bool(sizeAverage)
        self.provideOutput = bool(provideOutput)

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        self.loss = self._weight(input) * sum_all(absolute(input)).item()
        self.output = input
        return input

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        gradInput = self._weight(input) * np.sign(input.real)
        self.gradInput = gradInput + gradOutput if self.provideOutput else gradInput
        return self.gradInput

    def _weight(self, input: Array) -> float:
        return self.l1weight / (input.size or 1) if self.sizeAverage else self.l1weight
