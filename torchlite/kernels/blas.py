"""Products that accumulate in place: what training adds to its gradients and parameters.

The products themselves are NumPy's, which hands them to its BLAS. Where that is OpenBLAS and can be
reached, its `axpby` is asked for sums of long vectors, which saves an array and a pass over memory
or two, and lets other threads of Python run meanwhile. SciPy, where it is installed, is asked for
those of short ones: its `axpy` and `scal` begin sooner. It comes with a BLAS of its own, with
threads of its own: wherever that shares work out among them, they and those of NumPy's, which stay
awake for a while after each product, push one another off the processor, and microseconds become
milliseconds. So it gets pieces too small to be shared. And a loop that SciPy's sparse products are
made of adds many rows at places in a third to a twentieth of NumPy's time.

This is the one place that knows their traps: a target that is not C-contiguous, writable, of the
operands' dtype and of the machine's byte order is silently copied and the sum lost, or its bytes
read the wrong way round; what is taken 0 times is not looked at for NaN, empty arrays raise, places
outside are written to, and masks and subclasses are ignored. All of these go to NumPy. That a BLAS
does not tell of overflow, whatever `np.seterr` says, has to be borne. SciPy is looked for at the
first update, not at import, because loading it takes longer than all of torchlite.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from torchlite.errors import SettingError, fault
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.openblas import Axpby, openblas
from torchlite.kernels.sums import DOUBLE, is_single, rounded, sum_rows

__all__ = ["active", "addat", "addmm", "addrows", "axpy", "product", "products", "using"]

_Pair: TypeAlias = tuple[Callable[..., Any], Callable[..., Any]]
# SciPy's axpy and scal by the dtype, as its character alone tells nothing of the byte order; empty:
# NumPy does it; None: nobody has looked yet.
_pairs: dict[np.dtype[Any], _Pair] | None = None

# A BLAS does not look at what it takes 0 times. In float32 smaller factors are 0.
_TINY = 1e-45
# SciPy's OpenBLAS shares longer vectors out among its threads.
_SHARED = 10_000
# From so many numbers on, OpenBLAS takes less time than SciPy, which other threads wait for.
_LONG = 1 << 17
# NumPy's alpha * x makes an array: of a piece this long it stays in the processor's cache.
_CACHED = 1 << 17
# More rows than these at one place are not added up one after the other in float32.
_OFTEN = 1 << 12
# A sum of more products than these is worth taking apart.
_APART = 1 << 15


def _from_scipy() -> dict[np.dtype[Any], _Pair]:
    from scipy.linalg import blas

    return {
        np.dtype("f"): (blas.saxpy, blas.sscal),
        np.dtype("d"): (blas.daxpy, blas.dscal),
        np.dtype("F"): (blas.caxpy, blas.cscal),
        np.dtype("D"): (blas.zaxpy, blas.zscal),
    }


def _load() -> dict[np.dtype[Any], _Pair]:
    global _pairs
    if _pairs is None:
        try:
            _pairs = _from_scipy()
        except ImportError:
            _pairs = {}
    return _pairs


@cache
def _row_adder() -> Callable[..., Any] | None:
    """Return SciPy's product of a sparse and a dense matrix, added to a third, or None.

    Its documentation does not name it: where it is gone, NumPy adds.
    """
    try:
        from scipy.sparse._sparsetools import csc_matvecs
    except ImportError:
        return None
    adder: Callable[..., Any] = csc_matvecs
    return adder


def active() -> str:
    """Return who adds short arrays: "scipy" when it is installed, otherwise "numpy"."""
    return "scipy" if _load() else "numpy"


@contextmanager
def using(backend: str) -> Iterator[None]:
    """Let "scipy" or "numpy" accumulate inside a with block, to compare the two.

    Raises
    ------
    ImportError
        SciPy is asked for and not installed.
    SettingError
        Another name.

    Example
    -------
    >>> with using("numpy"):
    ...     active()
    'numpy'
    """
    global _pairs
    if backend not in ("scipy", "numpy"):
        raise fault(SettingError, "using", "backend", "'scipy' or 'numpy'", repr(backend))
    before = _pairs
    try:
        _pairs = _from_scipy() if backend == "scipy" else {}
    except ImportError as error:
        raise ImportError("SciPy is not installed: pip install scipy") from error
    try:
        yield
    finally:
        _pairs = before


def product(a: Array, b: Array) -> Array:
    """Return `a @ b`.

    In float32 a long sum (K above 32,768) is right to 2e-6 of its magnitudes if there are few of
    them (M * N up to 4096), else to 1e-5.

    Shapes: a (M, K) or (K,), b (K, N).

    Example
    -------
    >>> product(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    # dot reaches BLAS sooner than @ does, by as much as a small product takes. But one number
    # alone it takes for a scalar, and if that is 0, NaN on the other side is lost.
    if 1 < len(b) <= _APART or (a.size > 1 == b.size and type(b) is np.ndarray and b):
        return a.dot(b)
    if len(b) > _APART and is_single(a) and a.dtype == b.dtype and type(b) is np.ndarray:
        return _long_product(a, b)
    return a.dot(b) if a.size > 1 < b.size else a @ b


def products(a: Array, b: Array) -> Array:
    """Return `a @ b` of stacks of matrices, its long sums as right as those of `product`.

    Shapes: a (..., M, K), b (..., K, N).

    Example
    -------
    >>> products(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), np.array([[[5.0], [6.0]]] * 2))
    array([[[17.]],
    <BLANKLINE>
           [[39.]]])
    """
    if a.shape[-1] <= _APART or not (is_single(a) and is_single(b) and a.size and b.size):
        return a @ b
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, lead + x.shape[-2:]) for x in (a, b))
    made = [product(a[index], b[index]) for index in np.ndindex(lead)]
    return np.stack(made).reshape(*lead, a.shape[-2], b.shape[-1])


def _long_product(a: Array, b: Array) -> Array:
    """Return `a @ b` as a sum of blocks: the BLAS would add up number after number."""
    if a.ndim == 1:
        return _long_product(a[None], b)[0]
    m, (k, n) = len(a), b.shape
    # A small result costs little, so there may be many.
    length = 64 if m * n <= 4096 else 1 << 16
    step = length * max(1, (1 << 18) // max(1, m * n))
    total = np.zeros((m, n), DOUBLE[a.dtype.char])
    for start in range(0, k, step):
        left, right = a[:, start : start + step], b[start : start + step]
        blocks = len(right) // length
        whole = blocks * length
        left_blocks = left[:, :whole].reshape(m, blocks, length).swapaxes(0, 1)
        each = left_blocks @ right[:whole].reshape(blocks, length, n)
        total += sum_rows(each.reshape(blocks, m * n)).reshape(m, n)
        total += left[:, whole:].dot(right[whole:])
    return rounded(total, a)


def addmm(target: Array, alpha: Number, a: Array, b: Array) -> None:
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
    increment = product(a, b)
    target += increment if alpha == 1 else alpha * increment


def addrows(target: Array, alpha: Number, a: Array) -> None:
    """Accumulate the sum of the rows in place: `target += alpha * a.sum(0)`.

    Shapes: target (N,), a (M, N).

    Example
    -------
    >>> total = np.ones(2)
    >>> addrows(total, 2, np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> total
    array([ 9., 13.])
    """
    total = sum_rows(a)
    target += total if alpha == 1 else alpha * total


def axpy(target: Array, alpha: Number, x: Array, beta: Number = 1) -> None:
    """Add a multiple in place: `target = beta * target + alpha * x`.

    Shapes: target and x alike, in memory of their own; with a beta of 1 they may be the same.

    Example
    -------
    >>> weight = np.array([1.0, 2.0])
    >>> axpy(weight, -0.5, np.array([2.0, 2.0]))
    >>> weight
    array([0., 1.])
    >>> axpy(weight, 0.5, np.array([2.0, 2.0]), 3)
    >>> weight
    array([1., 4.])
    """
    if not (
        type(target) is np.ndarray is type(x)
        and target.dtype == x.dtype
        and target.shape == x.shape
        and target.flags.carray
        and x.flags.c_contiguous
    ):
        if beta != 1:
            target *= beta
        target += alpha * x
        return
    if target.ndim != 1:
        x, target = x.reshape(-1), target.reshape(-1)
    n = target.size
    least: Any = abs(alpha)
    if beta != 1:
        other: Any = abs(beta)
        if other < least:
            least = other
    if n >= _LONG:
        if least > _TINY and (axpby := _axpby(target, alpha, beta)):
            axpby(target, alpha, x, beta)
            return
    elif n and least > _TINY:
        pair = (_load() if _pairs is None else _pairs).get(x.dtype)
        if pair is not None:
            add, scale = pair
            if beta != 1:
                scale(beta, target)
            if n <= _SHARED:
                add(x, target, n, alpha)
            else:
                for start in range(0, n, _SHARED):
                    add(x, target, min(_SHARED, n - start), alpha, start, 1, start)
            return
    if beta != 1:
        target *= beta
    for start in range(0, n, _CACHED):
        target[start : start + _CACHED] += alpha * x[start : start + _CACHED]


def _axpby(target: Array, *factors: Number) -> Axpby | None:
    """Return what OpenBLAS has for a long target, if it can take the factors."""
    if not all(isinstance(factor, (int, float)) and isfinite(factor) for factor in factors):
        return None
    blas = openblas()
    return None if blas is None else blas.axpby.get(target.dtype)


def addat(target: Array, alpha: Number, places: Array, rows: Array) -> None:
    """Accumulate rows in place: `target[places] += alpha * rows`; at a repeated place all of them.

    Rows that share a place are added to it one after the other, in the order in which they stand:
    the same bits with and without SciPy. Thousands in float32 are added up in float64.

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
    if len(places) > _OFTEN and is_single(target) and np.bincount(places).max() > _OFTEN:
        used: Any = slice(None)
        if len(target) > len(places):
            used, places = np.unique(places, return_inverse=True)
        total = np.zeros(target[used].shape, DOUBLE[target.dtype.char])
        addat(total, 1, places, rows.astype(total.dtype))
        target[used] += total
        return
    add = _row_adder() if _may_be_added(target, places, rows) else None
    if add is not None:
        # A sparse matrix with one 1 in each column. Times 1, complex infinities would become NaN.
        m, k, real = len(target), len(places), target.dtype.char.lower()
        target, rows = (np.ascontiguousarray(a).reshape(-1).view(real) for a in (target, rows))
        add(m, k, len(rows) // k, np.arange(k + 1), places, np.ones(k, real), rows, target)
        return
    if type(target) is np.ndarray and target.flags.c_contiguous:
        # NumPy adds single numbers at places three to ten times as fast as it adds rows.
        n = target.shape[1]
        target, rows = target.reshape(-1), rows.reshape(-1)
        places = (places[:, None] * n + np.arange(n)).reshape(-1)
    np.add.at(target, places, rows)


def _may_be_added(target: Array, places: Array, rows: Array) -> bool:
    """Tell whether SciPy's loop, which looks at nothing itself, may have these arrays."""
    return (
        type(target) is np.ndarray is type(rows)
        and target.dtype == rows.dtype
        and target.flags.carray
        # Rows of one number NumPy adds as fast.
        and rows.size > len(places)
        and target.dtype in _load()
        # Negative ones become large.
        and bool(places.astype(np.uintp).max() < len(target))
    )
