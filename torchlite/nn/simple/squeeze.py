"""Squeeze."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn._shaping import OfSamples
from torchlite.nn.checks import whole
from torchlite.nn.dims import leading, position
from torchlite.nn.simple._reshaping import Reshaping

__all__ = ["Squeeze"]


class Squeeze(OfSamples, Reshaping):
    """Leaves out dimensions of size 1: all of them, or one.

    Maths
    -----
    With dim None and numInputDims None::

        output = np.squeeze(input)
        gradInput = gradOutput.reshape(input.shape)

    Shapes
    ------
    input: any; output: the same without dimensions of size 1, but never without any dimension:
    where all are of size 1 it is (1,).

    Parameters
    ----------
    dim
        Counted from 0, negative ones from the end; None for all. A dimension of another size than
        1 stays.
    numInputDims
        How many dimensions a sample has: dim is then one of the sample's, and those before are the
        batch's and stay. None (or -1): there is no batch, and a batch of one loses its dimension.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput, or copies where their entries do
    not lie row by row. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; there is no such dimension.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones((1, 2, 1))
    >>> nn.Squeeze().forward(x).shape, nn.Squeeze(0).forward(x).shape
    ((2,), (2, 1))
    >>> nn.Squeeze(None, 2).forward(x).shape, nn.Squeeze(1, 2).forward(x).shape
    ((1, 2), (1, 2))

    Reference
    ---------
    Torch7, nn/Squeeze.lua.
    """

    def __init__(self, dim: int | None = None, numInputDims: int | None = None) -> None:
        self.dim = None if dim is None else whole(self, "dim", dim)
        self.setNumInputDims(numInputDims)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broken = {}
        if self.dim in {None, 0} and self.numInputDims is None:
            broken["batch"] = "a batch of one loses its dimension"
        if self.dim is not None:
            broken["maths"] = "it is said of all dimensions"
        return broken

    def _plan(self, method: str, input: Array) -> tuple[int, ...]:
        first = leading(self, method, input, self.numInputDims)
        candidates: Any = range(first, input.ndim)
        if self.dim is not None:
            candidates = [position(self, method, input, self.dim, self.numInputDims)]
        kept = [n for i, n in enumerate(input.shape) if n != 1 or i not in candidates]
        return tuple(kept) or (1,)
