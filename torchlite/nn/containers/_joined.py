"""What containers have in common that join the outputs of their modules along a dimension."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import table_checks
from torchlite.nn.containers._branches import Branches
from torchlite.nn.entries import pieces


class Joined(Branches):
    """Branches whose outputs stand one after the other along a dimension."""

    # The name of the attribute that says which.
    _along = "dimension"

    def _join(self, input: Any, outputs: list[Array]) -> Array:
        return np.concatenate(outputs, self._axis(outputs))

    def _deal_back(self, method: str, gradOutput: Any) -> list[Array]:
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        axis = self._axis(self.outputs)
        return pieces(gradOutput, [output.shape[axis] for output in self.outputs], axis)

    def _axis(self, outputs: list[Array]) -> int:
        """Return the dimension, counted from 0; the outputs must fit together along it."""
        table_checks.must_be_arrays(self, "updateOutput", "outputs", outputs, movable=True)
        dimension = getattr(self, self._along)
        return table_checks.joined_axis(self, "updateOutput", "outputs", outputs, dimension)
