"""SeqBRNN."""

from typing import Any, Self

from torchlite.nn import checks
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.recurrent.bi_sequencer import BiSequencer
from torchlite.nn.recurrent.seq_lstm import SeqLSTM
from torchlite.nn.simple.transpose import Transpose

__all__ = ["SeqBRNN"]


class SeqBRNN(BiSequencer):
    """Two long short-term memories on a sequence, both ways, steps or batch first.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    With ahead and back the two SeqLSTMs, modules[0] computes
    `merge([ahead(input), back(input[::-1])[::-1]])`, with batchFirst of input and output turned.

    Shapes
    ------
    input (T, N, inputDim); output (T, N, hiddenDim), or what merge makes of two of these. With
    batchFirst (N, T, inputDim) and (N, T, hiddenDim); merge has the steps first even so.

    Parameters
    ----------
    inputDim, hiddenDim
        The sizes of each SeqLSTM.
    batchFirst
        Whether input and output have the batch before the steps.
    merge
        A module that makes one array of a table of two; None: CAddTable(). JoinTable(2) puts
        features side by side.

    Attributes
    ----------
    modules
        One Sequential of a ConcatTable, of a SeqLSTM and a ReverseUnreverse of another, and merge;
        with batchFirst it stands between two Transposes, in a Sequential of three.

    Conventions
    -----------
    As of BiSequencer: `remember` is for the one that runs ahead, a mask is turned around for the
    other. With batchFirst the mask has the batch first, too: (N, T). The one ahead is drawn first.

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
    >>> nn.SeqBRNN(3, 2).forward(np.ones((7, 5, 3))).shape
    (7, 5, 2)
    >>> nn.SeqBRNN(3, 2, True, nn.JoinTable(2)).forward(np.ones((5, 7, 3))).shape
    (5, 7, 4)

    Reference
    ---------
    Element-Research/rnn, SeqBRNN.lua.
    """

    def __init__(
        self, inputDim: int, hiddenDim: int, batchFirst: bool = False, merge: Any = None
    ) -> None:
        self.batchFirst = bool(batchFirst)
        super().__init__(SeqLSTM(inputDim, hiddenDim), None, merge)

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say where samples do not count: (T, N), with batchFirst (N, T), or False. Return self."""
        mask = checks.mask(self, zeroMask)
        turned = self.batchFirst and mask is not False and mask.ndim == 2
        return super().setZeroMask(mask.T if turned else mask)

    def _merging(self, both: Module, merge: Any) -> Module:
        merged = super()._merging(both, merge)
        if not self.batchFirst:
            return merged
        return Sequential(Transpose((0, 1)), merged, Transpose((0, 1)))

    def _directions(self) -> Any:
        whole: Any = self.modules[0]
        merged = whole[1] if self.batchFirst else whole
        return merged[0].modules
