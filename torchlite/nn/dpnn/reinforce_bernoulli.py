"""ReinforceBernoulli."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.dpnn._reinforce import Reinforced, uniforms

__all__ = ["ReinforceBernoulli"]


class ReinforceBernoulli(Reinforced):
    """Draws 1 with the probability that an entry is, otherwise 0; learns from a reward.

    Maths
    -----
    In training, with u a uniform number for each entry, and r the reward of its sample::

        output = 1 where u < input, else 0
        gradInput = -r * (output - input) / (input * (1 - input))

    In evaluation output is input. Where the two are equal gradInput is 0: of an entry that is 0 or
    1 nothing else could be drawn.

    Shapes
    ------
    input: any, samples first, of probabilities; output: the same.

    Parameters
    ----------
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
    >>> layer = nn.ReinforceBernoulli()
    >>> p = np.array([[0.5], [0.5]])
    >>> layer.forward(p)
    array([[0.],
           [1.]])
    >>> layer.reinforce(np.array([1.0, -1.0])).backward(p, np.zeros((2, 1)))
    array([[2.],
           [2.]])

    Reference
    ---------
    torch/rnn, ReinforceBernoulli.lua. Williams, 1992.
    """

    def _draw(self, input: Array) -> Array:
        # NaN in gives NaN out.
        return (uniforms(input) < input.real) + (input - input)

    def _expectation(self, input: Array) -> Array:
        return input

    def _gradient(self, input: Array, output: Array, factor: Array) -> Array:
        off = output - input
        return factor * off / np.where(off == 0, 1, input * (1 - input))
