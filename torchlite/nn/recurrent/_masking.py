"""What the containers have in common that keep masked samples out of one module."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.masks import blank_rows
from torchlite.nn import checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.entries import first_array
from torchlite.nn.recurrent._masks import masked


class Masking(Decorator):
    """A module whose output and gradOutput are zero in the rows that are masked.

    A member says which rows these are.

    Attributes
    ----------
    mask
        The mask of the last forward, None if every row counted.
    """

    transient = (*Decorator.transient, "mask")
    mask: Any = None

    def _deal(self, input: Any) -> list[Any]:
        self.mask = self._masks(input)
        return [input]

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        if self.mask is None:
            return outputs[0]
        return masked(self, "updateOutput", "output of its module", outputs[0], self.mask)

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        if self.mask is None:
            return [gradOutput]
        return [masked(self, method, "gradOutput", gradOutput, self.mask)]

    def _masks(self, input: Any) -> Any:
        """Return which rows of this input are masked, or None if all of them count."""
        raise NotImplementedError


def found(layer: Any, method: str, input: Any, nInputDim: int | None = None) -> Array:
    """Return the mask of the rows of the first array that are nothing but zeros.

    nInputDim is how many dimensions a row has; None: all but the first are its. An id alone is
    a row.
    """
    array = first_array(input)
    checks.must_be_array(layer, method, "input", array)
    least = (1 if array.dtype.kind in "iu" else 2) if nInputDim is None else nInputDim
    if array.ndim < least or (nInputDim is not None and array.ndim > nInputDim + 1):
        expected = "(N, ...)" if nInputDim is None else f"{nInputDim}-D, or a batch of such"
        raise checks.misshapen(layer, method, "input", expected, array)
    return blank_rows(array, 1 if nInputDim is None else array.ndim - nInputDim)
