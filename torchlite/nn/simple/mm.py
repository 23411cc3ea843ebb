"""MM."""

from collections.abc import Sequence

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import products
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.simple._pairs import product, unfit

__all__ = ["MM"]


class MM(Module):
    """The product of two matrices, or of each two of two batches.

    Maths
    -----
    With neither transposed::

        a, b = input
        output = a @ b
        gradInput = [gradOutput @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ gradOutput]

    Shapes
    ------
    input: a table of (m, k) and (k, n), or of (N, m, k) and (N, k, n); output (m, n) or (N, m, n).
    What is to be transposed comes as (k, m) or (n, k).

    Parameters
    ----------
    transA, transB
        Whether to transpose the first, the second matrix.

    Conventions
    -----------
    Remembers nothing. Nothing is broadcast.

    Raises
    ------
    ShapeError, DTypeError
        The matrices do not fit each other, or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0], [6.0]])
    >>> layer = nn.MM()
    >>> layer.forward([a, b])
    array([[17.],
           [39.]])
    >>> layer.backward([a, b], np.array([[1.0], [10.0]]))
    [array([[ 5.,  6.],
           [50., 60.]]), array([[31.],
           [42.]])]

    Reference
    ---------
    Torch7, nn/MM.lua.
    """

    def __init__(self, transA: bool = False, transB: bool = False) -> None:
        self.transA = transA
        self.transB = transB

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"maths": "it is said without transposing"} if self.transA or self.transB else {}

    def updateOutput(self, input: Sequence[Array]) -> Array:
        a, b = self._factors("updateOutput", input)
        self.output = products(a, b)
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        a, b = self._factors("updateGradInput", input)
        shape = (*a.shape[:-1], b.shape[-1])
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, a.dtype)
        grad_a = products(gradOutput, np.swapaxes(b, -1, -2))
        grad_b = products(np.swapaxes(a, -1, -2), gradOutput)
        self.gradInput = [_turned(grad_a, self.transA), _turned(grad_b, self.transB)]
        return self.gradInput

    def _factors(self, method: str, input: Sequence[Array]) -> tuple[Array, Array]:
        """Return the two matrices as they are multiplied."""
        a, b = product(self, method, input)
        if a.ndim != b.ndim or a.ndim not in (2, 3):
            raise unfit(self, method, input, "it must be two matrices or two batches of them")
        a, b = _turned(a, self.transA), _turned(b, self.transB)
        if a.shape[:-2] != b.shape[:-2]:
            raise unfit(self, method, input, f"{len(a)} matrices and {len(b)}")
        if a.shape[-1] != b.shape[-2]:
            why = f"{a.shape[-1]} columns of the first and {b.shape[-2]} rows of the second"
            raise unfit(self, method, input, why)
        return a, b


def _turned(matrices: Array, transposed: bool) -> Array:
    return np.swapaxes(matrices, -1, -2) if transposed else matrices
