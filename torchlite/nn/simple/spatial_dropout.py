"""SpatialDropout."""

from torchlite.nn.simple._dropout import Dropping

__all__ = ["SpatialDropout"]


class SpatialDropout(Dropping):
    """Sets whole features to 0 at random in training, and shrinks all of them in evaluation.

    Maths
    -----
    In training noise is 1 with probability 1 - p, otherwise 0, one number for each plane; in
    evaluation it is empty::

        factor = noise if noise.size else 1 - p
        output = input * factor
        gradInput = gradOutput * factor

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output: the same.

    Parameters
    ----------
    p
        The probability to be dropped, from 0 to less than 1.
    stochasticInference
        True: drop in evaluation, too.

    Attributes
    ----------
    p
        As above; `setp(p)` changes it.
    noise
        The factors of the last forward, (C, 1, 1) or (N, C, 1, 1); empty if it drew none.

    Conventions
    -----------
    Unlike `Dropout` it does not enlarge what it keeps. A forward that drops draws one number for
    each plane and remembers noise and input; a backward in that mode needs them.

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
    >>> layer = nn.SpatialDropout(0.5)
    >>> x = np.arange(6.0).reshape(3, 1, 2)
    >>> layer.forward(x).reshape(3, 2)
    array([[0., 0.],
           [2., 3.],
           [0., 0.]])
    >>> layer.evaluate().forward(x).reshape(3, 2)
    array([[0. , 0.5],
           [1. , 1.5],
           [2. , 2.5]])

    Reference
    ---------
    Torch7, nn/SpatialDropout.lua.
    """

    _together = 2
    _expected = "(C, H, W) or (N, C, H, W)"
