"""LookupRNN."""

from torchlite.nn import checks
from torchlite.nn.containers.parallel_table import ParallelTable
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.recurrent.lookup_table_mask_zero import LookupTableMaskZero
from torchlite.nn.recurrent.recurrence import Recurrence
from torchlite.nn.simple.linear import Linear
from torchlite.nn.table.c_add_table import CAddTable
from torchlite.nn.transfer.sigmoid import Sigmoid

__all__ = ["LookupRNN"]


class LookupRNN(Recurrence):
    """A plain recurrence on ids: a row of a table, a linear map of the last output, a function.

    Maths
    -----
    By steps, with E the table, W and b of the Linear, and CAddTable; output(-1) is zeros::

        output(t) = transfer(E[input(t) + 1] + output(t - 1) @ W.T + b)
        gradA(t) = transfer.updateGradInput(a(t), gradOutput(t) + gradA(t + 1) @ W)

    a(t) is what transfer was given.

    Shapes
    ------
    input (N,), of integers from -1 to nindex - 1; output (N, outputsize).

    Parameters
    ----------
    nindex
        The number of ids from 0 on; -1 stands for nothing.
    outputsize
        An integer of at least 0.
    transfer
        The function; None: Sigmoid().
    merge
        What makes one array of the row and the map of h; None: CAddTable().

    Attributes
    ----------
    modules
        The Sequential of a ParallelTable of LookupTableMaskZero and Linear, which have the
        parameters, of merge and of transfer.

    Conventions
    -----------
    Those of Recurrence, and of LookupTableMaskZero: the gradient of the row of -1 counts in norms.
    A hidden state is h. gradInput is zeros.

    Raises
    ------
    IndexError
        An id is neither -1 nor that of a row.
    ShapeError, DTypeError
        input or gradOutput does not fit, or has another batch than the step before.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.LookupRNN(3, 1, nn.Identity())
    >>> table, linear = net.modules[0].get(0)
    >>> table.weight[:, 0], linear.weight[:], linear.bias[:] = [0, 1, 10, 100], [[2]], 0
    >>> net.forward(np.array([0, 1])), net.forward(np.array([2, -1]))
    (array([[ 1.],
           [10.]]), array([[102.],
           [ 20.]]))

    Reference
    ---------
    torch/rnn, LookupRNN.lua.
    """

    def __init__(
        self,
        nindex: int,
        outputsize: int,
        transfer: Module | None = None,
        merge: Module | None = None,
    ) -> None:
        nindex = checks.size(self, "nindex", nindex)
        outputsize = checks.size(self, "outputsize", outputsize)
        both = ParallelTable(
            LookupTableMaskZero(nindex, outputsize), Linear(outputsize, outputsize)
        )
        merge = CAddTable() if merge is None else merge
        transfer = Sigmoid() if transfer is None else transfer
        super().__init__(Sequential(both, merge, transfer), outputsize, 0)
