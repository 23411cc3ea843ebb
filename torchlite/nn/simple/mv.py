"""MV."""

from collections.abc import Sequence

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import products
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.simple._pairs import product, unfit

__all__ = ["MV"]


class MV(Module):
    """The product of a matrix and a vector, or of each two of two batches.

    Maths
    -----
    Of one matrix, not transposed::

        matrix, vector = input
        output = matrix @ vector
        gradInput = [np.outer(gradOutput, vector), gradOutput @ matrix]

    Shapes
    ------
    input: a table of (m, k) and (k,), or of (N, m, k) and (N, k); output (m,) or (N, m). A matrix
    that is to be transposed comes as (k, m).

    Parameters
    ----------
    trans
        Whether to transpose the matrix.

    Conventions
    -----------
    Remembers nothing. Nothing is broadcast.

    Raises
    ------
    ShapeError, DTypeError
        Matrix and vector do not fit each other, or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> matrix, vector = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    >>> layer = nn.MV()
    >>> layer.forward([matrix, vector])
    array([17., 39.])
    >>> layer.backward([matrix, vector], np.array([1.0, 10.0]))
    [array([[ 5.,  6.],
           [50., 60.]]), array([31., 42.])]

    Reference
    ---------
    Torch7, nn/MV.lua.
    """

    def __init__(self, trans: bool = False) -> None:
        self.trans = trans

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"maths": "it is said without transposing"} if self.trans else {}

    def updateOutput(self, input: Sequence[Array]) -> Array:
        matrix, vector = self._factors("updateOutput", input)
        self.output = _times(matrix, vector)
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        matrix, vector = self._factors("updateGradInput", input)
        shape = matrix.shape[:-1]
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, matrix.dtype)
        left, right = (vector, gradOutput) if self.trans else (gradOutput, vector)
        self.gradInput = [
            left[..., :, None] * right[..., None, :],
            _times(np.swapaxes(matrix, -1, -2), gradOutput),
        ]
        return self.gradInput

    def _factors(self, method: str, input: Sequence[Array]) -> tuple[Array, Array]:
        """Return matrix and vector as they are multiplied."""
        matrix, vector = product(self, method, input)
        if matrix.ndim != vector.ndim + 1 or matrix.ndim not in (2, 3):
            why = "it must be a matrix and a vector or two batches of them"
            raise unfit(self, method, input, why)
        if self.trans:
            matrix = np.swapaxes(matrix, -1, -2)
        if matrix.shape[:-2] != vector.shape[:-1]:
            raise unfit(self, method, input, f"{len(matrix)} matrices and {len(vector)} vectors")
        if matrix.shape[-1] != vector.shape[-1]:
            why = f"{matrix.shape[-1]} columns and {vector.shape[-1]} entries"
            raise unfit(self, method, input, why)
        return matrix, vector


def _times(matrix: Array, vector: Array) -> Array:
    return products(matrix, vector[..., None])[..., 0]
