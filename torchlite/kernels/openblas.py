"""NumPy's OpenBLAS, reached past NumPy, which hands on neither its number of threads nor its axpby.

This is the one place that knows what its functions are called.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from torchlite.kernels.arrays import Array, Number, address

__all__ = ["Axpby", "openblas"]

# `axpby(y, alpha, x, beta)` makes y alpha * x + beta * y, of flat arrays that are contiguous and
# equally long. It has no threads of its own, and meanwhile lets others of Python run.
Axpby: TypeAlias = Callable[[Array, Number, Array, Number], None]

# What OpenBLAS says of itself: 0 has no threads, 1 its own, 2 those of OpenMP.
_OWN_THREADS = 1
# Its integers may hold no more.
_MOST = (1 << 31) - 1


class OpenBLAS(NamedTuple):
    """Functions of an OpenBLAS."""

    get_threads: Callable[[], int]
    set_threads: Callable[[int], None]
    # By the dtype.
    axpby: dict[np.dtype[Any], Axpby]


@cache
def openblas() -> OpenBLAS | None:
    """Return the OpenBLAS of NumPy; None if it has another BLAS, or one that cannot be reached."""
    try:
        import ctypes

        # Names are looked up in what this library needs, too, and nowhere else.
        library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except (ImportError, OSError, TypeError):
        return None
    for before, after in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
        try:
            get, set_, kind, saxpby, daxpby = (
                getattr(library, f"{before}{name}{after}")
                for name in (
                    "openblas_get_num_threads",
                    "openblas_set_num_threads",
                    "openblas_get_parallel",
                    "cblas_saxpby",
                    "cblas_daxpby",
                )
            )
        except AttributeError:
            continue
        set_.argtypes, set_.restype = (ctypes.c_int,), None
        integer = ctypes.c_int64 if after else ctypes.c_int
        axpby: dict[np.dtype[Any], Axpby] = {
            np.dtype(np.float32): _axpby(saxpby, integer, ctypes.c_float),
            np.dtype(np.float64): _axpby(daxpby, integer, ctypes.c_double),
        }
        # One that was built for OpenMP has a number for each thread of Python.
        return OpenBLAS(get, set_, axpby) if kind() == _OWN_THREADS else None
    return None


def _axpby(function: Any, integer: Any, number: Any) -> Axpby:
    import ctypes

    function.argtypes = (integer, *(number, ctypes.c_void_p, integer) * 2)
    function.restype = None

    def axpby(y: Array, alpha: Number, x: Array, beta: Number) -> None:
        for start in range(0, y.size, _MOST):
            a, b = x[start : start + _MOST], y[start : start + _MOST]
            function(b.size, alpha, address(a), 1, beta, address(b), 1)

    return axpby
