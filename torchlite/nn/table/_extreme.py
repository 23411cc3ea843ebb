"""What CMaxTable and CMinTable have in common."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.table._entrywise import Entrywise


class Extreme(Entrywise):
    """The extreme of arrays, entry by entry: a member says which.

    Conventions
    -----------
    Remembers nothing. Of equal entries the first gets all of the gradient. NaN in gives NaN out.
    """

    _ufunc: Any
    _winner: Any

    def _function(self, arrays: Sequence[Array]) -> Array:
        return reduce(self._ufunc, arrays)

    def _gradients(self, arrays: Sequence[Array], gradOutput: Array) -> list[Array]:
        winner = self._winner(np.stack(arrays), axis=0)
        return [np.where(winner == i, gradOutput, 0) for i in range(len(arrays))]
