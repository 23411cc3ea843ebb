"""ReinforceNormal."""

from typing import Any

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn.dpnn._scaled import ScaledReinforced
from torchlite.nn.nested import is_array

__all__ = ["ReinforceNormal"]

# Keeps the quotient by a deviation of 0 finite, Torch7's way.
_EPS = 1e-8


class ReinforceNormal(ScaledReinforced):
    """Draws from normal distributions of which the input is the mean; learns from a reward.

    Maths
    -----
    In training, with r the reward of the sample::

        output = mean + stdev * (a normal number for each entry)
        gradMean = -r * (output - mean) / stdev**2
        gradStdev = -r * ((output - mean) ** 2 - stdev**2) / (stdev**3 + 1e-8)

    input is mean, or, without a stdev of the layer, [mean, stdev]; so is gradInput. In evaluation
    output is mean. Where output is mean, so where stdev is 0, gradMean is 0.

    Shapes
    ------
    mean, and output: any, samples first. stdev of the input: the same.

    Parameters
    ----------
    stdev
        A number; an array like a sample, or like the mean; or None, if the input has it.
    stochastic
        True: draw in evaluation, too.

    Attributes
    ----------
    reward
        (N,), a number for each sample, as `reinforce(reward)` has told it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(8)
    >>> layer = nn.ReinforceNormal(0.5)
    >>> mean = np.array([[1.0], [2.0]])
    >>> layer.forward(mean).round(2)
    array([[1.05],
           [1.95]])
    >>> layer.reinforce(np.array([1.0, -1.0])).backward(mean, np.zeros((2, 1))).round(2)
    array([[-0.21],
           [-0.21]])

    Reference
    ---------
    torch/rnn, ReinforceNormal.lua. Williams, 1992.
    """

    _scale = "stdev"

    def __init__(self, stdev: Any = None, stochastic: bool = False) -> None:
        super().__init__(stochastic)
        self.stdev = self._held(stdev)

    def _draw(self, input: Any) -> Array:
        mean, stdev = self._parts(input)
        draws = np.empty(mean.shape, mean.real.dtype)
        return mean + stdev * like(random.normal(out=draws), mean)

    def _expectation(self, input: Any) -> Array:
        return self._parts(input)[0]

    def _gradient(self, input: Any, output: Array, factor: Array) -> Any:
        mean, stdev = self._parts(input)
        off = output - mean
        # Where nothing but the mean could be drawn, there is nothing to learn about it.
        gradMean = factor * off / (np.where(off == 0, 1, stdev**2) if is_array(stdev) else stdev**2)
        if self.stdev is not None:
            return gradMean
        return [gradMean, factor * (off * off - stdev**2) / (stdev**3 + _EPS)]
