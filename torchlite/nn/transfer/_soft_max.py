"""What functions of all entries along one dimension have in common."""

from typing import ClassVar

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import position
from torchlite.nn.transfer._pointwise import FromOutput


class AlongDimension(FromOutput):
    """A function of all entries along one dimension: a member is its formula, and its derivative.

    Parameters
    ----------
    dim
        The dimension; None: the one that Torch7 takes.

    Raises
    ------
    ShapeError
        input has no such dimension, or more than four without dim.
    """

    # The dimension, by how many the input has.
    _dims: ClassVar[dict[int, int]] = {1: 0, 2: 1, 3: 0, 4: 1}
    _expected: ClassVar[str] = "(n,), (N, n), (n, H, W) or (N, n, H, W)"
    _hint: ClassVar[str | None] = "dim= says along which dimension"

    def __init__(self, dim: int | None = None) -> None:
        self.dim = None if dim is None else whole(self, "dim", dim)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broken = {}
        if self.dim == 0:
            broken["batch"] = "the function runs along the samples"
        if self.dim not in {None, 1, -1}:
            broken["maths"] = "it is said of dimension 1"
        return broken

    def _must_fit(self, method: str, input: Array) -> None:
        if self.dim is not None:
            position(self, method, input, self.dim)
        elif input.ndim not in self._dims:
            raise checks.misshapen(self, method, "input", self._expected, input, self._hint)

    def _axis(self, input: Array) -> int:
        return self._dims[input.ndim] if self.dim is None else self.dim


def shifted(x: Array, axis: int) -> Array:
    """Return x minus its largest entries: that changes no quotient, and exp cannot overflow."""
    return x - x.max(axis=axis, keepdims=True) if x.shape[axis] else x.copy()
