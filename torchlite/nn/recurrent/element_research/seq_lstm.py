"""SeqLSTM."""

from torchlite.nn.recurrent._gated import OfLSTM
from torchlite.nn.recurrent.element_research._sequence import StatedSequence

__all__ = ["SeqLSTM"]


class SeqLSTM(OfLSTM, StatedSequence):
    """A long short-term memory over a sequence, which may come with the state to start from.

    Maths
    -----
    That of nn.SeqLSTM, from the h and c that are given.

    Shapes
    ------
    input: x (T, N, inputsize), or a table [h, x] or [c, h, x] with h (N, hiddensize) and c
    (N, hiddensize); output (T, N, hiddensize); gradInput: what input is. With `batchfirst` x is
    (N, T, inputsize) and output (N, T, hiddensize).

    Parameters
    ----------
    inputsize, hiddensize
        Integers of at least 0.

    Attributes
    ----------
    weight, bias, gradWeight, gradBias, batchfirst, steps, startState
        As in nn.SeqLSTM.
    maskzero
        Whether rows of x that are nothing but zeros count nowhere: `maskZero()` sets it to True.

    Conventions
    -----------
    As of nn.SeqLSTM; a state in the input comes before all others, for this sequence. Without c
    that is zeros.

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
    >>> layer = nn.recurrent.element_research.SeqLSTM(3, 2)
    >>> c, h, x = np.ones((5, 2)), np.ones((5, 2)), np.ones((7, 5, 3))
    >>> layer.forward([c, h, x]).shape
    (7, 5, 2)
    >>> [array.shape for array in layer.backward([c, h, x], np.ones((7, 5, 2)))]
    [(5, 2), (5, 2), (7, 5, 3)]

    Reference
    ---------
    Element-Research/rnn, SeqLSTM.lua.
    """

    def __init__(self, inputsize: int, hiddensize: int) -> None:
        super().__init__(inputsize, hiddensize)
