"""What the layers have in common that make one number of each line of entries."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn._shaping import Shaping
from torchlite.nn.checks import whole
from torchlite.nn.dims import position, resized, sample_dims
from torchlite.nn.nested import EMPTY


class Reduction(Shaping):
    """One number for all entries along a dimension, which is then left out.

    Shapes
    ------
    input: any; output: the same without the dimension. From a 1-D input it is (1,).

    Parameters
    ----------
    dimension
        Counted from 0, negative ones from the end.
    nInputDims
        How many dimensions a sample has: the dimension is then one of the sample's, and those
        before are the batch's. None (or -1): the dimension is one of the input's.

    Conventions
    -----------
    Remembers nothing. NaN in gives NaN out.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    """

    _must_fit = staticmethod(checks.must_be_floating)
    squeeze: bool = True

    def __init__(self, dimension: int = 0, nInputDims: int | None = None) -> None:
        self.dimension = whole(self, "dimension", dimension)
        self.nInputDims = sample_dims(self, "nInputDims", nInputDims)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        # Maths gives one number of a line, the layer an array of one.
        return {"maths": "it is said of more than a line"} if self.nInputDims == 1 else {}

    def _plan(self, method: str, input: Array) -> int:
        return position(self, method, input, self.dimension, self.nInputDims)

    def _shape(self, input: Array, axis: int) -> tuple[int, ...]:
        return resized(input, axis, *(() if self.squeeze and input.ndim > 1 else (1,)))

    def _function(self, input: Array, axis: int) -> Array:
        return self._reduce(input, axis).reshape(self._shape(input, axis))

    def _gradient(self, input: Array, gradOutput: Array, axis: int) -> Array:
        return self._spread(input, gradOutput.reshape(resized(input, axis, 1)), axis)

    def _reduce(self, input: Array, axis: int) -> Array:
        """Return the numbers, the dimension kept with size 1."""
        raise NotImplementedError

    def _spread(self, input: Array, gradOutput: Array, axis: int) -> Array:
        """Return the gradient of the input; gradOutput has the dimension with size 1."""
        raise NotImplementedError

    def _refuse_nothing(self, method: str, input: Array, axis: int) -> None:
        """Raise where there is no number for no entries."""
        if not input.shape[axis]:
            expected = f"an array with entries along dimension {axis}"
            raise checks.misshapen(self, method, "input", expected, input)


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

    def _plan(self, method: str, input: Array) -> int:
        axis = super()._plan(method, input)
        self._refuse_nothing(method, input, axis)
        return axis

    def _reduce(self, input: Array, axis: int) -> Array:
        where = self._where(input.real, axis)
        entries = np.take_along_axis(input, where, axis)
        self._indices = where
        return entries

    def _spread(self, input: Array, gradOutput: Array, axis: int) -> Array:
        gradInput = np.zeros_like(gradOutput, shape=input.shape)
        np.put_along_axis(gradInput, self._where(input.real, axis), gradOutput, axis)
        return gradInput

    def _where(self, values: Array, axis: int) -> Array:
        """Return where along the axis it stands, the dimension kept with size 1."""
        raise NotImplementedError
