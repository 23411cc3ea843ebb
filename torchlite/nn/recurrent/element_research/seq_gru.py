"""SeqGRU."""

from torchlite.nn.recurrent._gated import OfGRU
from torchlite.nn.recurrent.element_research._sequence import StatedSequence

__all__ = ["SeqGRU"]


class SeqGRU(OfGRU, StatedSequence):
    """A gated recurrent unit over a sequence, which may come with the state to start from.

    Maths
    -----
    That of nn.SeqGRU, from the h that is given.

    Shapes
    ------
    input: x (T, N, inputsize), or a table [h, x] with h (N, outputsize); output
    (T, N, outputsize); gradInput: what input is. With `batchfirst` x is (N, T, inputsize) and
    output (N, T, outputsize).

    Parameters
    ----------
    inputsize, outputsize
        Integers of at least 0.

    Attributes
    ----------
    weight, bias, gradWeight, gradBias, batchfirst, steps, startState
        As in nn.SeqGRU.
    maskzero
        Whether rows of x that are nothing but zeros count nowhere: `maskZero()` sets it to True.

    Conventions
    -----------
    As of nn.SeqGRU; a state in the input comes before all others, for this sequence.

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
    >>> layer = nn.recurrent.element_research.SeqGRU(1, 1)
    >>> layer.weight[:], layer.bias[:] = 0, [0, 0, np.inf]
    >>> layer.forward([np.array([[3.0]]), np.ones((2, 1, 1))]).ravel()
    array([2. , 1.5])

    Reference
    ---------
    Element-Research/rnn, SeqGRU.lua.
    """
