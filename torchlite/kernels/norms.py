"""The lengths of arrays, and limits for them: of gradients all together, of rows each by itself."""

import math
from collections.abc import Sequence

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import largest
from torchlite.kernels.sums import dot, sum_along

__all__ = ["norm", "renorm", "shorten"]

# What is added to the norms of rows that are shortened, Torch7's way.
_EPSILON = 1e-7
# The squares of what is shorter are so small, in float32, that they lose digits.
_SHORT = 1e-12


def norm(arrays: Sequence[Array]) -> float:
    """Return the length of all the arrays' entries as one vector, of whatever size they are.

    Example
    -------
    >>> norm([np.array([3.0]), np.array([[4.0]])])
    5.0
    >>> norm([np.full(4, 1e200)])
    2e+200
    """
    with np.errstate(over="ignore", invalid="ignore"):
        squares = [dot(part, part).item() for array in arrays for part in _real_parts(array)]
    length = math.sqrt(sum(squares))
    if not (length < _SHORT or length == math.inf):
        return length
    # The squares may be too large or too small for what holds them.
    most = max((np.abs(array).max().item() for array in arrays if array.size), default=0.0)
    if most in (0, math.inf):
        return most
    return most * norm([array / most for array in arrays])


def shorten(arrays: Sequence[Array], limit: float) -> float:
    """Scale the arrays, in place, so that their length is limit, if it is more.

    Return the length before. If that is infinite or NaN, they stay as they are.

    Example
    -------
    >>> gradients = [np.array([3.0]), np.array([4.0])]
    >>> shorten(gradients, 2.5), gradients
    (5.0, [array([1.5]), array([2.])])
    """
    length = norm(arrays)
    if limit < length < math.inf:
        for array in arrays:
            array *= limit / length
    return length


def renorm(rows: Array, limit: float, power: float = 2) -> Array:
    """Return the rows, each scaled to the norm limit / (1 + 1e-7 / norm) if it has more than limit.

    The norm is (abs(row) ** power).sum() ** (1 / power).

    Shapes: rows (M, N), the result, too.

    Example
    -------
    >>> renorm(np.array([[6.0, 8.0], [0.3, 0.4]]), 5).round(6)
    array([[3. , 4. ],
           [0.3, 0.4]])
    """
    magnitude = np.abs(rows)
    # Powers of numbers up to 1 do not overflow.
    scale = largest(magnitude, 1, limit)
    norms = scale * sum_along((magnitude / scale) ** power, 1, keepdims=True) ** (1 / power)
    return rows * np.where(norms > limit, limit / (norms + _EPSILON), 1)


def _real_parts(array: Array) -> list[Array]:
    return [array.real, array.imag] if array.dtype.kind == "c" else [array]
