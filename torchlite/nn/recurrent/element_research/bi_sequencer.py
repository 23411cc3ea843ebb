"""BiSequencer."""

from typing import Any

from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.recurrent._both_ways import step_merge
from torchlite.nn.recurrent.bi_sequencer import BiSequencer as OfArrays
from torchlite.nn.recurrent.sequencer import Sequencer
from torchlite.nn.table.zip_table import ZipTable

__all__ = ["BiSequencer"]


class BiSequencer(OfArrays):
    """Two modules on a table of steps, one from the first step on, one from the last step back.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    With ahead and back the two modules, run over sequences, and merge, modules[0] computes
    `[merge([a, b]) for a, b in zip(ahead(input), back(input[::-1])[::-1])]`.

    Shapes
    ------
    input: a table of what both modules take, one entry a step; output: a table of what merge makes
    of what they return.

    Parameters
    ----------
    forward
        What runs from the first step on: a module of steps or of sequences.
    backward
        What runs from the last step back; None: a copy of forward, whose parameters are drawn.
    merge
        A module that makes one array of a table of two, at every step; an integer n is JoinTable(0,
        n), features side by side of samples of n dimensions. None: 1.

    Attributes
    ----------
    modules
        One Sequential of a ConcatTable, of forward and a ReverseUnreverse of backward, a ZipTable
        and a Sequencer of merge.

    Conventions
    -----------
    Remembers its forward. `remember(mode)` is for forward alone.

    Raises
    ------
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import nn
    >>> ahead, back = (nn.LinearRNN(1, 1, nn.Identity()) for _ in range(2))
    >>> for weight, bias in (ahead.parameters()[0], back.parameters()[0]):
    ...     weight[:], bias[:] = [[1, 1]], 0
    >>> net = nn.recurrent.element_research.BiSequencer(ahead, back)
    >>> net.forward([np.array([[1.0]]), np.array([[10.0]]), np.array([[100.0]])])
    [array([[  1., 111.]]), array([[ 11., 110.]]), array([[111., 100.]])]

    Reference
    ---------
    Element-Research/rnn, BiSequencer.lua, of which remember has no effect.
    """

    def _merging(self, both: Module, merge: Any) -> Module:
        return Sequential(both, ZipTable(), Sequencer(step_merge(merge)))
