"""What Max and Min have in common."""

from typing import Any

import numpy as np

from torchlite.nn.nested import EMPTY
from torchlite.nn.simple._reduction import Reduction


class Extremum(Reduction):
    """The entry that comes first in some order: a member says which.

    Attributes
    ----------
    _indices
        After a forward: where along the dimension each entry of the output stands, the dimension
        kept with size 1.

    Conventions
    -----------
    Remembers nothing: the place is found again in the input of the backward. NaN in gives NaN out.
    Complex numbers are ordered by their real parts.
    """

    transient = (*Reduction.transient, "_indices")
    _indices: Any = EMPTY

    def _plan(self, method: str, input: Any) -> int:
        axis = super()._plan(method, input)
        self._refuse_nothing(method, input, axis)
        return axis

    def _reduce(self, input: Any, axis: int) -> Any:
        place = self._place(input.real, axis)
        entries = np.take_along_axis(input, place, axis)
        self._indices = place
        return entries

    def _spread(self, input: Any, gradOutput: Any, axis: int) -> Any:
        gradInput = np.zeros_like(gradOutput, shape=input.shape)
        np.put_along_axis(gradInput, self._place(input.real, axis), gradOutput, axis)
        return gradInput

    def _place(self, values: Any, axis: int) -> Any:
        """Return where along the axis it stands, the dimension kept with size 1."""
        raise NotImplementedError
