"""SeqLSTMP."""

from torchlite.nn import checks
from torchlite.nn.recurrent._gated import OfLSTM
from torchlite.nn.recurrent.element_research._sequence import StatedSequence

__all__ = ["SeqLSTMP"]


class SeqLSTMP(OfLSTM, StatedSequence):
    """A SeqLSTM with a projection: h is smaller, or larger, than c.

    Maths
    -----
    That of nn.SeqLSTM with a weightO, from the h and c that are given.

    Shapes
    ------
    input: x (T, N, inputsize), or a table [h, x] or [c, h, x] with h (N, outputsize) and c
    (N, hiddensize); output (T, N, outputsize); gradInput: what input is. With `batchfirst` x is
    (N, T, inputsize) and output (N, T, outputsize).

    Parameters
    ----------
    inputsize, hiddensize, outputsize
        Integers of at least 0.

    Attributes
    ----------
    weight, bias, weightO, gradWeight, gradBias, gradWeightO, batchfirst, steps, startState
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
    >>> layer = nn.recurrent.element_research.SeqLSTMP(3, 4, 2)
    >>> c, h, x = np.ones((5, 4)), np.ones((5, 2)), np.ones((7, 5, 3))
    >>> layer.forward([c, h, x]).shape
    (7, 5, 2)

    Reference
    ---------
    Element-Research/rnn, SeqLSTMP.lua, where c must be as wide as h.
    """

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int) -> None:
        super().__init__(inputsize, hiddensize, checks.size(self, "outputsize", outputsize))
