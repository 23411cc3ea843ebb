"""LayerNormalization."""

import math
from typing import Any, Self

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn._network import Network
from torchlite.nn.containers.concat_table import ConcatTable
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.simple.add import Add
from torchlite.nn.simple.c_mul import CMul
from torchlite.nn.simple.identity import Identity
from torchlite.nn.simple.mean import Mean
from torchlite.nn.simple.normalize import Normalize
from torchlite.nn.simple.replicate import Replicate
from torchlite.nn.stateful import restored
from torchlite.nn.table.c_sub_table import CSubTable
from torchlite.nn.transfer.mul_constant import MulConstant

__all__ = ["LayerNormalization"]


class LayerNormalization(Network):
    """Gives each sample mean 0 and variance 1 over its features, then a weight and a bias.

    It is a network: modules[0] puts the samples and their means side by side, the next three
    subtract, divide by the length and multiply by sqrt(nOutput), then come `CMul` and `Add`.

    Maths
    -----
    ::

        affine = len(modules) == 6
        weight, bias = (modules[4].weight, modules[5].bias) if affine else (1, 0)
        n = input.shape[1]
        centered = input - input.mean(1, keepdims=True)
        deviation = np.sqrt((centered**2).mean(1, keepdims=True) + 1e-10 / n)
        normalized = centered / deviation
        output = normalized * weight + bias
        gradNormalized = gradOutput * weight
        along = normalized * (gradNormalized * normalized).mean(1, keepdims=True)
        gradCentered = (gradNormalized - along) / deviation
        gradInput = gradCentered - gradCentered.mean(1, keepdims=True)

    1e-10 is eps. The gradient of the weight is (gradOutput * normalized).sum(0), that of the bias
    gradOutput.sum(0).

    Shapes
    ------
    input (nOutput,) or (N, nOutput); output: the same.

    Parameters
    ----------
    nOutput
        The number of features.
    bias
        What every entry of the bias is at first.
    eps
        Is added to the squared length.
    affine
        False for a network without `CMul` and `Add`.

    Conventions
    -----------
    At first the weight is 1 and the bias is `bias`; `reset` sets them so again, whatever its stdv
    (both draw numbers, as Torch7 does). Remembers its forward, as every `Sequential`; one sample
    goes through its modules as a batch of one. In a batch Torch7 subtracts from a sample the means
    of other samples; here it is the sample's own.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LayerNormalization(2, 100)
    >>> layer.get(4).weight[:] = [10, 20]
    >>> layer.forward(np.array([[1.0, 5.0], [8.0, 6.0]])).round(6)
    array([[ 90., 120.],
           [110.,  80.]])

    Reference
    ---------
    Torch7, nn/LayerNormalization.lua. Ba, Kiros and Hinton, Layer normalization, 2016.
    """

    def __init__(
        self, nOutput: int, bias: float = 0, eps: float = 1e-10, affine: bool = True
    ) -> None:
        n = checks.size(self, "nOutput", nOutput)
        self._bias = checks.constant(self, "bias", bias)
        eps = checks.finite_at_least_0(self, "eps", eps)
        # Torch7 says Replicate(n, 0, 1), which takes the means of a batch for one sample.
        mean = Sequential(Mean(0, 1), Replicate(n, 1))
        super().__init__(
            ConcatTable().add(Identity()).add(mean),
            CSubTable(),
            Normalize(2, eps),
            MulConstant(math.sqrt(n)),
        )
        if affine:
            # Torch7 makes the bias first, and each draws its first values.
            shift, gain = Add(n), CMul(n)
            self.add(gain).add(shift)
            self._settle()

    def _settle(self) -> None:
        for module in self.modules:
            if type(module) is CMul:
                module.weight[...] = 1
            elif type(module) is Add:
                module.bias[...] = self._bias

    def reset(self, stdv: Any = None) -> Self:
        """Set the weight to 1 and the bias to its first value, whatever stdv is. Return self."""
        with restored(self.parameters()[0]):
            super().reset(stdv)
            self._settle()
        return self

    def _must_fit(self, input: Array) -> None:
        checks.must_be_floating(self, "updateOutput", "input", input)
        dtype = self.type() if self.parameters()[0] else input.dtype
        centred: Any = self.modules[0]
        checks.must_be_rows(self, "updateOutput", input, centred.get(1).get(1).nfeatures, dtype)
