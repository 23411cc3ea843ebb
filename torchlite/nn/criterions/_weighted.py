"""What elementwise losses that can give each entry of a sample a weight have in common."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions import _checks
from torchlite.nn.criterions._elementwise import Elementwise


class Weighted(Elementwise):
    """An elementwise loss times weights: a member gives the loss and derivative of each entry.

    Parameters
    ----------
    weights
        An array in the shape of one sample, or of the whole input, or None.
    sizeAverage
        Whether to divide by the number of entries (not by the sum of the weights).

    Raises
    ------
    ShapeError, DTypeError
        target, or the weights, do not fit the input.
    """

    def __init__(self, weights: Any = None, sizeAverage: bool = True) -> None:
        super().__init__(sizeAverage)
        self.weights = _checks.held(self, "weights", weights)

    def _losses(self, input: Array, target: Array) -> Array:
        loss = self._loss(input, target)
        return loss if self.weights is None else self.weights * loss

    def _gradient(self, input: Array, target: Array, factor: float) -> Array:
        gradInput = self._derivative(input, target)
        gradInput *= factor
        return gradInput if self.weights is None else self.weights * gradInput

    def _loss(self, input: Array, target: Array) -> Array:
        """Return the loss of each entry."""
        raise NotImplementedError

    def _derivative(self, input: Array, target: Array) -> Array:
        """Return the derivative of each entry's loss, as a new array."""
        raise NotImplementedError

    def _prepared(self, method: str, input: Array, target: Array) -> Array:
        target = super()._prepared(method, input, target)
        if self.weights is not None:
            _checks.must_be_weights(
                self, method, "weights", self.weights, input, input.shape[1:], input.shape
            )
        return target
