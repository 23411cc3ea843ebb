"""SeqBGRU."""

from typing import Any

from torchlite.nn.recurrent.bi_sequencer import BiSequencer
from torchlite.nn.recurrent.seq_gru import SeqGRU

__all__ = ["SeqBGRU"]


class SeqBGRU(BiSequencer):
    """Two gated recurrent units on a sequence, one from its start on, one from its end back.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    With ahead and back the two SeqGRUs, modules[0] computes
    `merge([ahead(input), back(input[::-1])[::-1]])`.

    Shapes
    ------
    input (T, N, inputsize); output (T, N, outputsize), or what merge makes of two of these.

    Parameters
    ----------
    inputsize, outputsize
        As for SeqGRU, of each of the two.
    merge
        A module that makes one array of a table of two; None: CAddTable(). JoinTable(2) puts
        features side by side.

    Attributes
    ----------
    modules
        One Sequential of a ConcatTable, of a SeqGRU and a ReverseUnreverse of another, and merge.

    Conventions
    -----------
    As of BiSequencer: `remember` is for the one that runs ahead, a mask is turned around for the
    other. The one ahead is drawn first.

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
    >>> net = nn.SeqBGRU(3, 2)
    >>> net.forward(np.ones((7, 5, 3))).shape, net.getBackward()
    ((7, 5, 2), SeqGRU(3 -> 2))

    Reference
    ---------
    torch/rnn, SeqBGRU.lua. Schuster and Paliwal, Bidirectional recurrent neural networks, 1997.
    """

    def __init__(self, inputsize: int, outputsize: int, merge: Any = None) -> None:
        super().__init__(SeqGRU(inputsize, outputsize), None, merge)
