"""Products that accumulate in place: what training adds to its gradients and parameters.

With SciPy installed each is one BLAS call; without it, or where the arrays do not allow it,
NumPy's expressions give the same results within rounding. SciPy is looked for at the first
accumulation, not at import, because loading it takes longer than all of torchlite.

This is the one place that knows SciPy, and so its traps: a target that is not C-contiguous,
writable and of the operands' dtype is silently copied and the sum lost, `alpha = 0` skips NaN,
empty arrays raise, and masks and subclasses are ignored. All of these go to NumPy.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

__all__ = ["active", "addat", "addmm", "addrows", "axpy", "using"]


class _Routines(NamedTuple):
    gemm: Callable[..., Any]
    gemv: Callable[..., Any]
    axpy: Callable[..., Any]


# By the character of the dtype; empty: NumPy does it; None: nobody has looked for SciPy yet.
_routines: dict[str, _Routines] | None = None

# The longest vector of ones wanted so far, by the character of the dtype: a product with it is
# three to five times as fast as sum(0).
_ones: dict[str, Any] = {}
_LONGEST_ONES = 1 << 16

# OpenBLAS shares vectors of more than 10,000 numbers out among its threads. Up to _SHARED of them
# that gains microseconds, and costs milliseconds where the other cores are busy: they go in pieces.
_PIECE = 8192
_SHARED = 1 << 17


def _from_scipy() -> dict[str, _Routines]:
    from scipy.linalg import blas

    return {
        char: _Routines(*(getattr(blas, letter + name) for name in _Routines._fields))
        for char, letter in zip("fdFD", "sdcz", strict=True)
    }


def _load() -> dict[str, _Routines]:
    global _routines
    if _routines is None:
        try:
            _routines = _from_scipy()
        except ImportError:
            _routines = {}
    return _routines


def active() -> str:
    """Return who accumulates: "scipy" when it is installed, otherwise "numpy"."""
    return "scipy" if _load() else "numpy"


@contextmanager
def using(backend: str) -> Iterator[None]:
    """Let "scipy" or "numpy" accumulate inside a with block, to compare the two.

    Raises
    ------
    ImportError
        SciPy is asked for and not installed.
    ValueError
        Another name.

    Example
    -------
    >>> with using("numpy"):
    ...     active()
    'numpy'
    """
    global _routines
    if backend not in ("scipy", "numpy"):
        raise ValueError(f"using: backend must be 'scipy' or 'numpy', got {backend!r}")
    before = _routines
    try:
        _routines = _from_scipy() if backend == "scipy" else {}
    except ImportError as error:
        raise ImportError("SciPy is not installed: pip install scipy") from error
    try:
        yield
    finally:
        _routines = before


def _routines_for(target: Any, alpha: complex, operand: Any) -> _Routines | None:
    """Return the BLAS routines that may add a multiple of operand to target, or None."""
    if type(target) is np.ndarray is type(operand) and alpha and target.flags.carray:
        dtype = target.dtype
        if dtype == operand.dtype and target.size and operand.size:
            return (_load() if _routines is None else _routines).get(dtype.char)
    return None


def addmm(target: Any, alpha: complex, a: Any, b: Any) -> None:
    """Accumulate a matrix product in place: `target += alpha * a @ b`.

    Shapes: target (M, N), a (M, K), b (K, N).

    Example
    -------
    >>> total = np.ones((2, 2))
    >>> addmm(total, 2, np.array([[1.0], [3.0]]), np.array([[10.0, 20.0]]))
    >>> total
    array([[ 21.,  41.],
           [ 61., 121.]])
    """
    routines = _routines_for(target, alpha, a)
    if routines is None or type(b) is not np.ndarray or b.dtype != a.dtype:
        product = a.dot(b)
        target += product if alpha == 1 else alpha * product
        return
    # Fortran reads target as its transpose: target.T += alpha * b.T @ a.T. An operand that is
    # C-contiguous is that transpose already, the other kind is turned by BLAS without a copy.
    left_turned, right_turned = b.flags.f_contiguous, a.flags.f_contiguous
    left = b if left_turned else b.T
    right = a if right_turned else a.T
    routines.gemm(alpha, left, right, 1, target.T, left_turned, right_turned, 1)


def addrows(target: Any, alpha: complex, a: Any) -> None:
    """Accumulate the sum of the rows in place: `target += alpha * a.sum(0)`.

    Shapes: target (N,), a (M, N).

    Example
    -------
    >>> total = np.ones(2)
    >>> addrows(total, 2, np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> total
    array([ 9., 13.])
    """
    if type(a) is not np.ndarray or len(a) > _LONGEST_ONES:
        total = a.sum(axis=0)
    else:
        ones = _ones_for(a)
        routines = _routines_for(target, alpha, a)
        if routines is not None:
            turned = a.flags.f_contiguous
            routines.gemv(alpha, a if turned else a.T, ones, 1, target, 0, 1, 0, 1, turned, 1)
            return
        total = ones.dot(a)
    target += total if alpha == 1 else alpha * total


def axpy(target: Any, alpha: complex, x: Any) -> None:
    """Add a multiple in place: `target += alpha * x`.

    Shapes: target and x alike.

    Example
    -------
    >>> weight = np.array([1.0, 2.0])
    >>> axpy(weight, -0.5, np.array([2.0, 2.0]))
    >>> weight
    array([0., 1.])
    """
    routines = _routines_for(target, alpha, x)
    if routines is None or not x.flags.c_contiguous:
        target += alpha * x
        return
    if target.ndim > 1:
        x, target = x.reshape(-1), target.reshape(-1)
    size = target.size
    piece = _PIECE if size <= _SHARED else size
    for start in range(0, size, piece):
        routines.axpy(x, target, min(piece, size - start), alpha, start, 1, start)


def addat(target: Any, alpha: complex, places: Any, rows: Any) -> None:
    """Accumulate rows in place: `target[places] += alpha * rows`; at a repeated place all of them.

    Shapes: target (M, N), places (K,) of intp, rows (K, N).

    Example
    -------
    >>> total = np.zeros((3, 2))
    >>> addat(total, 10, np.array([2, 0, 2]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    >>> total
    array([[30., 40.],
           [ 0.,  0.],
           [60., 80.]])
    """
    if alpha != 1:
        rows = alpha * rows
    if type(target) is np.ndarray and target.flags.c_contiguous:
        # NumPy adds single numbers at places three to ten times as fast as it adds rows.
        n = target.shape[1]
        target, rows = target.reshape(-1), rows.reshape(-1)
        places = (places[:, None] * n + np.arange(n)).reshape(-1)
    np.add.at(target, places, rows)


def _ones_for(a: Any) -> Any:
    """Return a vector of ones as long as a, of its dtype."""
    char, length = a.dtype.char, len(a)
    ones = _ones.get(char)
    if ones is None or len(ones) < length:
        ones = _ones[char] = np.ones(length, a.dtype)
    return ones if len(ones) == length else ones[:length]
