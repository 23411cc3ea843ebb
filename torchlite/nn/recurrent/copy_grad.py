"""CopyGrad."""

from typing import Any

from torchlite.nn.nested import copy_arrays
from torchlite.nn.simple.identity import Identity

__all__ = ["CopyGrad"]


class CopyGrad(Identity):
    """The identity, whose gradInput is a copy.

    Maths
    -----
    ::

        output = input
        gradInput = map_arrays(np.array, gradOutput)

    Shapes
    ------
    input: anything, tables too; output: the same object.

    Conventions
    -----------
    Those of Identity.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones(2)
    >>> net = nn.CopyGrad()
    >>> net.forward(x) is x, net.backward(x, x) is x, net.gradInput
    (True, False, array([1., 1.]))

    Reference
    ---------
    torch/rnn and Element-Research/rnn, CopyGrad.lua.
    """

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.gradInput = copy_arrays(super().updateGradInput(input, gradOutput))
        return self.gradInput
