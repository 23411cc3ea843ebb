"""What losses of two arrays have in common."""

from collections.abc import Sequence
from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions._elementwise import Elementwise
from torchlite.nn.table_checks import must_be_alike


class Pairwise(Elementwise):
    """A loss of two arrays in a list, divided by the number of samples.

    Shapes
    ------
    input: a list of two arrays of one shape, of at least one dimension; output: a number;
    gradInput: a list of two arrays like them.

    Raises
    ------
    ShapeError, DTypeError
        input is not such a list, or target does not fit it.
    """

    def _prepared(self, method: str, input: Sequence[Array], target: Any) -> Any:
        must_be_alike(self, method, "input", input, 2)
        return target

    def _divisor(self, input: Sequence[Array]) -> int:
        return (len(input[0]) or 1) if self.sizeAverage else 1
