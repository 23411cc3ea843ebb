"""WeightNorm."""

import math
from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.errors import DTypeError, ShapeError, TorchliteError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.checks import whole
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module
from torchlite.nn.stateful import restored

__all__ = ["WeightNorm"]

# Keeps the length of a row of zeros from being 0; Torch7 writes 10e-5.
_EPSILON = 1e-4


class WeightNorm(Decorator):
    """A module whose weight is made of a direction and a length for each of its outputs.

    Maths
    -----
    Of a Linear, a row of whose weight makes one output::

        norm = np.sqrt((v * v).sum(1, keepdims=True) + 1e-4)
        weight = g * v / norm
        output = input @ weight.T + modules[0].bias
        gradInput = gradOutput @ weight
        gradWeight = scale * gradOutput.T @ input
        along = (gradWeight * v / norm).sum(1, keepdims=True)
        gradG += along
        gradV += g / norm * (gradWeight - along * v / norm)

    Shapes
    ------
    Those of the module.

    Parameters
    ----------
    module
        A module with a weight: Linear, a convolution ...
    outputDim
        The dimension of its weight that counts the outputs.

    Attributes
    ----------
    v, gradV
        (outputs, the rest of the weight as one dimension).
    g, gradG
        (outputs, 1).
    bias, gradBias
        Those of the module.

    Conventions
    -----------
    Remembers its forward. `parameters()` are v, g and those of the module but for its weight. The
    module's own weight and gradWeight are no parameters any more but scratch paper: a forward
    writes the weight that v and g make, and `accGradParameters` the gradient of that one call.
    v is drawn from N(0, s) with s = sqrt(2 / its row length), or `reset(stdv)`'s stdv; g starts as
    the lengths of its rows, bias at 0.

    Raises
    ------
    DTypeError
        The module has no weight.
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.WeightNorm(nn.Linear(2, 1))
    >>> net
    WeightNorm @ Linear(2 -> 1)
    >>> net.v[:], net.g[:] = [[30, 40]], [[10]]
    >>> net.forward(np.array([[1.0, 0.0], [0.0, 1.0]])).round(4)
    array([[6.],
           [8.]])

    Reference
    ---------
    Torch7, nn/WeightNorm.lua, where gradients do not accumulate. Salimans and Kingma, Weight
    normalization (2016).
    """

    _validates = True

    def __init__(self, module: Module, outputDim: int = 0) -> None:
        super().__init__(module)
        self.outputDim = whole(self, "outputDim", outputDim)
        if module.weight is None:
            raise DTypeError(
                f"WeightNorm: module must have a weight, got {checks.title(module)}",
                layer=self,
                method="__init__",
                argument="module",
                expected="a module with a weight",
                got=checks.title(module),
            )
        ndim = module.weight.ndim
        if not -ndim <= self.outputDim < ndim:
            raise ShapeError(
                f"WeightNorm: outputDim must be a dimension of the weight, which has {ndim}, got "
                f"{outputDim}",
                layer=self,
                method="__init__",
                argument="outputDim",
                expected=f"-{ndim} to {ndim - 1}",
                got=str(outputDim),
            )
        rows = self._rows(module.weight)
        outputs, *rest = rows.shape
        self.v: Array = np.zeros_like(rows, shape=(outputs, math.prod(rest)))
        self.gradV: Array = np.zeros_like(self.v)
        self.g: Array = np.zeros_like(rows, shape=(outputs, 1))
        self.gradG: Array = np.zeros_like(self.g)
        self.reset()

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broken = {"update": "weight and gradWeight of the module inside are scratch paper"}
        if self.outputDim != 0 or self.modules[0].weight.ndim != 2 or self.bias is None:
            broken["maths"] = "it is said of a Linear with a bias, and its rows"
        return broken

    def updateOutput(self, input: Any) -> Any:
        weight = self._rows(self.modules[0].weight)
        weight[...] = (self.g / self._norm() * self.v).reshape(weight.shape)
        try:
            return super().updateOutput(input)
        except TorchliteError as error:
            raise checks.in_the_name_of(self, self.modules[0], error) from None

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        try:
            return super().updateGradInput(input, gradOutput)
        except TorchliteError as error:
            raise checks.in_the_name_of(self, self.modules[0], error) from None

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Number = 1) -> None:
        module = self.modules[0]
        gradWeight = module.gradWeight
        gradWeight.fill(0)
        with restored([array for array in module.parameters()[1] if array is not gradWeight]):
            try:
                super().accGradParameters(input, gradOutput, scale)
            except TorchliteError as error:
                raise checks.in_the_name_of(self, module, error) from None
            gradient = self._rows(gradWeight).reshape(self.v.shape)
            norm = self._norm()
            direction = self.v / norm
            along = sum_along(gradient * direction, 1, keepdims=True)
            across = self.g / norm * (gradient - along * direction)
        self.gradG += along
        self.gradV += across

    def _norm(self) -> Array:
        return np.sqrt(sum_along(self.v * self.v, 1, keepdims=True) + _EPSILON)

    def _rows(self, weight: Array) -> Array:
        """Return a view of the module's weight, or gradWeight, with the outputs first."""
        return np.moveaxis(weight, self.outputDim, 0)

    # ---------------------------------------------------------------- parameters

    @property
    def bias(self) -> Any:
        return self.modules[0].bias

    @bias.setter
    def bias(self, array: Array | None) -> None:
        self.modules[0].bias = array

    @property
    def gradBias(self) -> Any:
        return self.modules[0].gradBias

    @gradBias.setter
    def gradBias(self, array: Array | None) -> None:
        self.modules[0].gradBias = array

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """Return v, g and what the module has besides its weight, and their gradients."""
        parameters, gradients = [self.v, self.g], [self.gradV, self.gradG]
        module = self.modules[0]
        for parameter, gradient in zip(*module.parameters(), strict=True):
            if parameter is not module.weight:
                parameters.append(parameter)
                gradients.append(gradient)
        return parameters, gradients

    def reset(self, stdv: Any = None) -> Self:
        """Draw v from N(0, stdv), set g to the lengths of its rows and bias to 0. Return self."""
        if stdv is None:
            stdv = math.sqrt(2 / (self.v.shape[1] or 1))
        draws = random.normal(0, checks.deviation(self, stdv), size=self.v.shape)
        with restored(self.parameters()[0]):
            self.v[...] = like(draws, self.v)
            self.g[...] = np.sqrt(sum_along(self.v * self.v, 1, keepdims=True))
            if self.bias is not None:
                self.bias.fill(0)
        return self
