"""What all losses that sum a function of single entries have in common."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import item, sum_all
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion


class Elementwise(Criterion):
    """A sum over all entries, or their mean: a member is its formula, and its derivative.

    Shapes
    ------
    input, target and gradInput: any, the same, of at least one dimension; output: a number.

    Parameters
    ----------
    sizeAverage
        Whether to divide by the number of entries (all of them, not only the samples). It may be
        set later, too.

    Conventions
    -----------
    Remembers nothing. The loss of an empty batch is 0. NaN in gives NaN out. In float32 the sum is
    right to a millionth of its terms' magnitudes, however many they are.

    Raises
    ------
    ShapeError, DTypeError
        target has another shape or dtype than input.
    """

    def __init__(self, sizeAverage: bool = True) -> None:
        self.sizeAverage = sizeAverage

    def updateOutput(self, input: Any, target: Any = None) -> float:
        target = self._prepared("updateOutput", input, target)
        self.output = item(self._total(input, target)) / self._divisor(input)
        return self.output

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        target = self._prepared("updateGradInput", input, target)
        self.gradInput = self._gradient(input, target, 1 / self._divisor(input))
        return self.gradInput

    def _total(self, input: Any, target: Any) -> Array:
        """Return the loss, not averaged, as an array of no dimensions."""
        return sum_all(self._losses(input, target))

    def _losses(self, input: Any, target: Any) -> Array:
        """Return what the loss is the sum of."""
        raise NotImplementedError

    def _gradient(self, input: Any, target: Any, factor: float) -> Any:
        """Return factor times the derivative of the sum, as a new array."""
        raise NotImplementedError

    def _prepared(self, method: str, input: Any, target: Any) -> Any:
        """Check both, and return the target as the formula wants it."""
        checks.must_be_pair(self, method, input, target)
        return target

    def _divisor(self, input: Any) -> int:
        return (input.size or 1) if self.sizeAverage else 1
