"""ReinforceCategorical."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.dpnn._reinforce import Reinforced, uniforms

__all__ = ["ReinforceCategorical"]

# Keeps the quotient by a probability of 0 finite, Torch7's way.
_EPS = 1e-8


class ReinforceCategorical(Reinforced):
    """Draws one class of each row of probabilities, as a row with a 1; learns from a reward.

    Maths
    -----
    In training, with u a uniform number for each row, and r the reward of its sample::

        reached = np.cumsum(input, 1) / input.sum(1, keepdims=True) >= u
        output = 1 where it is reached first, else 0
        gradInput = -r * output / (input + 1e-8)

    In evaluation output is input.

    Shapes
    ------
    input (N, C), probabilities in each row; output: the same.

    Parameters
    ----------
    stochastic
        True: draw in evaluation, too.

    Attributes
    ----------
    reward
        (N,), a number for each sample, as `reinforce(reward)` has told it.

    Raises
    ------
    SettingError
        A row to draw from has a negative number, or no finite sum above 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(8)
    >>> layer = nn.ReinforceCategorical()
    >>> p = np.array([[0.5, 0.5], [0.25, 0.75]])
    >>> layer.forward(p)
    array([[0., 1.],
           [1., 0.]])
    >>> layer.reinforce(np.array([1.0, -3.0])).backward(p, np.zeros((2, 2))).round(4)
    array([[-0., -2.],
           [12.,  0.]])

    Reference
    ---------
    torch/rnn, ReinforceCategorical.lua. Williams, 1992.
    """

    def _must_fit(self, method: str, input: Array) -> None:
        super()._must_fit(method, input)
        if input.ndim != 2 or not input.shape[1]:
            raise checks.misshapen(self, method, "input", "(N, C)", input)

    def _draw(self, input: Array) -> Array:
        p = input.real
        total = sum_along(p, 1, keepdims=True)
        wrong = (p < 0) | ~((total > 0) & (total < np.inf))
        if wrong.any():
            expected = "at least 0, with a finite sum above 0 in each row"
            got = checks.first_wrong(wrong, "input", p)
            raise checks.out_of_range(self, "updateOutput", "input", expected, got)
        reached = np.cumsum(p, axis=1) / total >= uniforms(input, (len(p), 1))
        # Rounding may leave the last one below.
        reached[:, -1] = True
        output = np.zeros_like(input)
        np.put_along_axis(output, reached.argmax(axis=1).reshape(-1, 1), 1, 1)
        return output

    def _expectation(self, input: Array) -> Array:
        return input

    def _gradient(self, input: Array, output: Array, factor: Array) -> Array:
        return factor * output / (input + _EPS)
