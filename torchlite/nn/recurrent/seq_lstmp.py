"""SeqLSTMP."""

from torchlite.nn import checks
from torchlite.nn.recurrent.seq_lstm import SeqLSTM

__all__ = ["SeqLSTMP"]


class SeqLSTMP(SeqLSTM):
    """A SeqLSTM with a projection: h is smaller, or larger, than c.

    Maths
    -----
    That of SeqLSTM, with a weightO.

    Shapes
    ------
    input (T, N, inputsize); output (T, N, outputsize).

    Parameters
    ----------
    inputsize, hiddensize, outputsize
        Integers of at least 0.

    Attributes
    ----------
    weight, bias, weightO, gradWeight, gradBias, gradWeightO, batchfirst, steps, startState
        As in SeqLSTM.

    Conventions
    -----------
    As of SeqLSTM: `nn.SeqLSTM(inputsize, hiddensize, outputsize)` is the same.

    Raises
    ------
    ShapeError, DTypeError, StateError
        As in SeqLSTM.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SeqLSTMP(3, 4, 2)
    >>> layer
    SeqLSTMP(3 -> 4 -> 2)
    >>> layer.forward(np.ones((7, 5, 3))).shape
    (7, 5, 2)
    >>> [array.shape for array in layer.getHiddenState()]
    [(5, 2), (5, 4)]

    Reference
    ---------
    torch/rnn, SeqLSTMP.lua. Sak, Senior and Beaufays, Long short-term memory recurrent neural
    network architectures, 2014.
    """

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int) -> None:
        super().__init__(inputsize, hiddensize, checks.size(self, "outputsize", outputsize))
