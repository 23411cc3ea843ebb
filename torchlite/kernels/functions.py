"""What several transfer functions, and layers that compare directions, are made of.

On many processors NumPy works out `log1p` entry by entry, where `exp` and `log` of float32 are
vectorised; and `np.where` stumbles over every change of sign. What stands here instead is two to
ten times as fast, and right to a few units in the last place.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_along

_BITS = {"f": np.int32, "d": np.int64}
# Up to so many entries, calls take longer than mispredicted branches.
_FEW = 512
# A difference from 1 of this size has lost ten of its bits; smaller ones are rare, and cost little.
_SMALL = 2.0**-10

# What np.clip calls in the end, where it is found: to come there takes as long as a small array.
clip: Any = getattr(getattr(getattr(np, "_core", None), "umath", None), "clip", np.clip)

# What `units` returns.
_Units = tuple[Array, Array, Array]


class Scalar(dict[Any, Array]):
    """A number as an array of no dimensions, by dtype: NumPy takes that sooner than Python's.

    Example
    -------
    >>> Scalar(0)[np.dtype("float32")]
    array(0., dtype=float32)
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def __missing__(self, dtype: np.dtype[Any]) -> Array:
        self[dtype] = scalar = np.array(self.value, dtype)
        scalar.flags.writeable = False
        return scalar


def absolute(x: Array) -> Array:
    """Return |x|; of complex numbers x or -x, so that it can be differentiated by complex step."""
    return np.abs(x) if x.dtype.kind == "f" else np.where(x.real < 0, -x, x)


def choose(condition: Array, yes: Array | float, no: Array | float, dtype: Any) -> Array:
    """Return `np.where(condition, yes, no)` of a floating dtype.

    What is chosen are bits, by integer arithmetic: no number is too large, and NaN stays.
    """
    bits = _BITS.get(dtype.char)
    if bits is None or type(condition) is not np.ndarray or condition.size <= _FEW:
        return np.where(condition, yes, no).astype(dtype, copy=False)
    first, second = (np.asarray(value, dtype).view(bits) for value in (yes, no))
    if not (first.ndim or first):
        # Of zeros alone: what is subtracted from truth values is all ones, or nothing.
        chosen = np.subtract(condition.view(np.int8), 1).astype(bits)
        chosen &= second
        return chosen.view(dtype)
    chosen = condition.astype(bits)
    chosen *= np.subtract(first, second)
    chosen += second
    return chosen.view(dtype)


def largest(x: Array, axis: int, least: float) -> Array:
    """Return the largest entries along an axis, which stays, and `least` where they are smaller.

    Of no entries, too. (NumPy's `initial` does that, but other kinds of arrays lack it.)

    Example
    -------
    >>> largest(np.array([[1.0, 3.0], [-2.0, -1.0]]), 1, 0)
    array([[3.],
           [0.]])
    """
    if not x.shape[axis]:
        shape = list(x.shape)
        shape[axis] = 1
        return np.full_like(x, least, shape=shape)
    return np.maximum(x.max(axis, keepdims=True), least)


def units(rows: Array, zero: float) -> _Units:
    """Return the rows divided by their lengths, and two columns whose product the lengths are.

    Two, because the squares of large and small numbers, and the lengths of the largest, are beyond
    what a float holds. A row of zeros stays as it is, and gets the length `zero`.
    """
    scale = largest(np.abs(rows), -1, 0)
    scale = np.where(scale == 0, zero, scale)
    rows = rows / scale
    length = np.sqrt(sum_along(rows * rows, -1, keepdims=True))
    length = np.where(length == 0, 1, length)
    return rows / length, length, scale


def by_cosine(gradient: Array, cosine: Array, one: _Units, other: _Units) -> tuple[Array, Array]:
    """Return the gradients of two arrays of rows, from that of the cosines of their angles.

    Gradient and cosine are columns, one and other what `units` returned.
    """
    (a, *lengths_a), (b, *lengths_b) = one, other
    by_a, by_b = gradient * (b - cosine * a), gradient * (a - cosine * b)
    for length_a, length_b in zip(lengths_a, lengths_b, strict=True):
        by_a, by_b = by_a / length_a, by_b / length_b
    return by_a, by_b


def leaky(x: Array, slope: Array | float) -> Array:
    """Return `np.where(x > 0, x, slope * x)`."""
    if _shrinks(slope, x):
        result = slope * x
        return np.maximum(x, result, out=result)
    result = slope * x.clip(-np.inf, 0)
    result += x.clip(0, np.inf)
    return result


def _shrinks(slope: Array | float, x: Array) -> bool:
    """Tell whether all slopes are above 0, as numbers of x's precision, and at most 1."""
    if isinstance(slope, (int, float)):
        return 0 < x.real.dtype.type(slope) <= 1
    return bool(slope.dtype.kind == "f" and slope.size and slope.min() > 0 and slope.max() <= 1)


def times(gradient: Array, slope: Array, out: Array | None = None) -> Array:
    """Return `gradient * slope`, in out if that is given, or else in slope where it fits in there.

    Memory that is in the cache already takes less time than new one. And a slope of truth values
    becomes one of numbers, which NumPy multiplies by in less time.
    """
    if out is None:
        out = slope = _wide(slope, gradient)
    return np.multiply(gradient, slope, out=out)


def mended(slope: Array, x: Array, exact: Callable[[Array], Array]) -> Array:
    """Return a slope that was computed as 1 - something, with exact(x) in the place of small ones.

    The smaller the difference, the fewer of its digits are right, in the end none. Complex slopes,
    which are there for the checker, stay as they are.
    """
    # With NaN among them the smallest is NaN.
    if slope.dtype.kind == "f" and slope.size and not slope.min() >= _SMALL:
        small = slope < _SMALL
        slope[small] = exact(x[small])
    return slope


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return `1 / (1 + exp(-x))`, in out if that is given."""
    result = np.negative(x, out)
    return over(1, result, result)


def over(numerator: Array | int, x: Array, out: Array | None = None) -> Array:
    """Return `numerator / (1 + exp(x))`, in out if that is given and it fits in there."""
    # Where exp overflows, the 0 that comes of it is right.
    with np.errstate(over="ignore"):
        result = np.exp(x, out)
    result += 1
    result = _wide(result, numerator)
    return np.divide(numerator, result, out=result)


def softplus(x: Array, out: Array | None = None) -> Array:
    """Return `log(1 + exp(x))`, in out if that is given."""
    result = _bend(x, out)
    return np.add(result, x.clip(0, np.inf), out=result)


def log_sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return `-log(1 + exp(-x))`, in out if that is given."""
    result = _bend(x, out)
    return np.subtract(x.clip(-np.inf, 0), result, out=result)


def _bend(x: Array, out: Array | None) -> Array:
    """Return `log(1 + exp(-|x|))`, in out if that is given."""
    result = np.negative(x, out)
    np.minimum(x, result, out=result)
    np.exp(result, out=result)
    if x.dtype != np.float32:
        return np.log1p(result, out=result)
    rounded = 1 + result
    # What rounding took away changes the logarithm by about as much.
    rounded -= 1
    result -= rounded
    rounded += 1
    result += np.log(rounded, out=rounded)
    return result


def _wide(array: Array, other: Array | int) -> Array:
    """Return an array in a dtype that holds its products with another: itself, if it does."""
    return array.astype(np.result_type(array, other), copy=False)
