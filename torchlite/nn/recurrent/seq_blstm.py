"""SeqBLSTM."""

from typing import Any

from torchlite.nn.module import Module
from torchlite.nn.recurrent.bi_sequencer import BiSequencer
from torchlite.nn.recurrent.seq_lstm import SeqLSTM

__all__ = ["SeqBLSTM"]


class SeqBLSTM(BiSequencer):
    """Two long short-term memories on a sequence, one from its start on, one from its end back.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    With ahead and back the two SeqLSTMs, modules[0] computes
    `merge([ahead(input), back(input[::-1])[::-1]])`.

    Shapes
    ------
    input (T, N, inputsize); output (T, N, outputsize), or what merge makes of two of these.

    Parameters
    ----------
    inputsize, hiddensize, outputsize
        As for SeqLSTM, of each of the two. A module as outputsize is merge.
    merge
        A module that makes one array of a table of two; None: CAddTable(). JoinTable(2) puts
        features side by side, as PyTorch's bidirectional LSTM does.

    Attributes
    ----------
    modules
        One Sequential of a ConcatTable, of a SeqLSTM and a ReverseUnreverse of another, and merge.

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
    >>> nn.SeqBLSTM(3, 2).forward(np.ones((7, 5, 3))).shape
    (7, 5, 2)
    >>> net = nn.SeqBLSTM(3, 4, 2, nn.JoinTable(2))
    >>> net.forward(np.ones((7, 5, 3))).shape, net.getForward(), net.getBackward()
    ((7, 5, 4), SeqLSTM(3 -> 4 -> 2), SeqLSTM(3 -> 4 -> 2))

    Reference
    ---------
    torch/rnn, SeqBLSTM.lua. Schuster and Paliwal, Bidirectional recurrent neural networks, 1997.
    """

    def __init__(
        self,
        inputsize: int,
        hiddensize: int,
        outputsize: int | Module | None = None,
        merge: Any = None,
    ) -> None:
        if isinstance(outputsize, Module):
            outputsize, merge = None, outputsize
        super().__init__(SeqLSTM(inputsize, hiddensize, outputsize), None, merge)
