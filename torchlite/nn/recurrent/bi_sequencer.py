"""BiSequencer."""

from typing import Any, ClassVar

from torchlite.nn.containers.concat_table import ConcatTable
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.recurrent._both_ways import BothWays, directions
from torchlite.nn.table.c_add_table import CAddTable

__all__ = ["BiSequencer"]


class BiSequencer(BothWays, Decorator):
    """Two modules on a sequence, one from its first step on, one from its last step back.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    With ahead and back the two modules, run over sequences, and merge, modules[0] computes
    `merge([ahead(input), back(input[::-1])[::-1]])`.

    Shapes
    ------
    input: (T, N, ...), steps first, what both modules take; output: what merge makes of what they
    return, of all steps at once.

    Parameters
    ----------
    forward
        What runs from the first step on: a module of steps or of sequences.
    backward
        What runs from the last step back; None: a copy of forward, whose parameters are drawn.
    merge
        A module that makes one array of a table of two; None: CAddTable(). JoinTable(2) puts
        features side by side.

    Attributes
    ----------
    modules
        One Sequential of a ConcatTable, of forward and a ReverseUnreverse of backward, and merge.

    Conventions
    -----------
    Remembers its forward. `remember(mode)` is for forward alone: backward begins at the end of each
    sequence, of which the next one knows nothing. A mask is turned around for backward.

    Raises
    ------
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> ahead, back = (nn.LinearRNN(1, 1, nn.Identity()) for _ in range(2))
    >>> for weight, bias in (ahead.parameters()[0], back.parameters()[0]):
    ...     weight[:], bias[:] = [[1, 1]], 0
    >>> x = np.array([[[1.0]], [[10.0]], [[100.0]]])
    >>> nn.BiSequencer(ahead, back, nn.JoinTable(2)).forward(x)[:, 0]
    array([[  1., 111.],
           [ 11., 110.],
           [111., 100.]])

    Reference
    ---------
    torch/rnn, BiSequencer.lua. Element-Research's is `nn.recurrent.element_research.BiSequencer`.
    """

    _runs_steps = True
    exempt: ClassVar[Any] = {
        "batch": "the first dimension is that of steps, which go on from one another",
        "empty": "a sequence has at least one step",
    }

    def __init__(self, forward: Module, backward: Module | None = None, merge: Any = None) -> None:
        super().__init__(self._merging(ConcatTable(*directions(forward, backward)), merge))

    def _merging(self, both: Module, merge: Any) -> Module:
        """Return a module that merges what the two directions make."""
        return Sequential(both, CAddTable() if merge is None else merge)

    def _directions(self) -> Any:
        return self.modules[0].modules[0].modules
