"""GradientReversal."""

from typing import ClassVar, Self

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["GradientReversal"]


class GradientReversal(Module):
    """Passes on its input, and turns round the gradient.

    What comes before it learns to make worse what follows it: domains that are not to be told
    apart, for example.

    Maths
    -----
    ::

        output = input
        gradInput = -lambda_ * gradOutput

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    lambda_
        A number.

    Conventions
    -----------
    The output is the input itself. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.GradientReversal(2)
    >>> x = np.array([1.0, 3.0])
    >>> layer.forward(x) is x
    True
    >>> layer.backward(x, np.array([5.0, 7.0]))
    array([-10., -14.])

    Reference
    ---------
    Torch7, nn/GradientReversal.lua. Ganin and Lempitsky, 2015.
    """

    exempt: ClassVar = {"gradInput": "the gradient is turned round on purpose"}

    def __init__(self, lambda_: float = 1) -> None:
        self.setLambda(lambda_)

    def setLambda(self, lambda_: float) -> Self:
        """Set the factor of the gradient. Return self."""
        self.lambda_ = checks.number(self, "setLambda", "lambda_", lambda_)
        return self

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        self.output = input
        return input

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_match(self, "updateGradInput", input, gradOutput)
        self.gradInput = -self.lambda_ * gradOutput
        return self.gradInput
