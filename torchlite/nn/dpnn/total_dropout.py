"""TotalDropout."""

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn.simple.dropout import Dropout

__all__ = ["TotalDropout"]


class TotalDropout(Dropout):
    """Passes on the whole input, or zeros in its place, at random in training.

    Maths
    -----
    In training noise is 1 with probability 1 - p, otherwise 0, one number for all entries; in
    evaluation it is empty::

        factor = noise if noise.size else 1
        output = input * factor
        gradInput = gradOutput * factor

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    p
        The probability to be dropped, from 0 to less than 1.

    Attributes
    ----------
    p
        As above; `setp(p)` changes it.
    noise
        The factor of the last forward, an array of no dimensions; empty if it drew none.

    Conventions
    -----------
    Unlike `Dropout` it does not enlarge what it keeps, and evaluation does not shrink it. A forward
    in training draws one number, with p = 0, too, and remembers it and input; a backward in that
    mode needs them. In evaluation output is input itself, and gradInput is gradOutput.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        A backward that needs the noise of another input than the last forward's.
    SettingError
        p is less than 0, or not less than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(8)
    >>> layer = nn.TotalDropout(0.5)
    >>> x = np.array([1.0, 2.0])
    >>> layer.forward(x), layer.forward(x)
    (array([0., 0.]), array([1., 2.]))

    Reference
    ---------
    torch/rnn, TotalDropout.lua.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def _drops(self) -> bool:
        return self.train

    def _draw(self, input: Array) -> Array:
        return like(np.array(random.bernoulli(1 - self.p), input.real.dtype), input)
