"""ReinforceGamma."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.gamma import digamma, gamma_draws
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.dpnn._scaled import ScaledReinforced

__all__ = ["ReinforceGamma"]


class ReinforceGamma(ScaledReinforced):
    """Draws from gamma distributions of which the input is the shape; learns from a reward.

    Maths
    -----
    In training, with r the reward of the sample, and digamma the derivative of log(gamma)::

        output = scale * (a number of the gamma distribution of the shape k for each entry)
        gradShape = -r * (np.log(output / scale) - digamma(k))
        gradScale = -r * (output / scale**2 - k / scale)

    input is k, or, without a scale of the layer, [k, scale]; so is gradInput. In evaluation output
    is the mean, k * scale.

    Shapes
    ------
    k, and output: any, samples first. scale of the input: the same.

    Parameters
    ----------
    scale
        A number; an array like a sample, or like the input; or None, if the input has it.
    stochastic
        True: draw in evaluation, too.

    Attributes
    ----------
    reward
        (N,), a number for each sample, as `reinforce(reward)` has told it.

    Conventions
    -----------
    Each entry takes as many of torchlite.random's numbers as Marsaglia and Tsang's method needs.
    Torch7 draws from another library, with a stream of its own.

    Raises
    ------
    SettingError
        A shape or a scale is not above 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(8)
    >>> layer = nn.ReinforceGamma(2)
    >>> k = np.array([[1.0], [3.0]])
    >>> layer.forward(k).shape
    (2, 1)
    >>> layer.evaluate().forward(k)
    array([[2.],
           [6.]])

    Reference
    ---------
    torch/rnn, ReinforceGamma.lua. Williams, 1992. Marsaglia and Tsang, A simple method for
    generating gamma variables, 2000.
    """

    _scale = "scale"

    def __init__(self, scale: Any = None, stochastic: bool = False) -> None:
        super().__init__(stochastic)
        self.scale = self._held(scale)

    def _must_fit(self, method: str, input: Any) -> None:
        super()._must_fit(method, input)
        for argument, values in zip(("input", "scale"), self._parts(input), strict=True):
            wrong = np.logical_not(values.real > 0)
            if wrong.any():
                got = checks.first_wrong(wrong, argument, values)
                raise checks.out_of_range(self, method, argument, "above 0", got)

    def _draw(self, input: Any) -> Array:
        k, scale = self._parts(input)
        return scale * like(gamma_draws(k.real).astype(k.real.dtype), k)

    def _expectation(self, input: Any) -> Array:
        k, scale = self._parts(input)
        return k * scale

    def _gradient(self, input: Any, output: Array, factor: Array) -> Any:
        k, scale = self._parts(input)
        gradShape = factor * (np.log(output / scale) - digamma(k))
        if self.scale is not None:
            return gradShape
        return [gradShape, factor * (output / scale**2 - k / scale)]
