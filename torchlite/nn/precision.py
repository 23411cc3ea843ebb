"""Casting to another precision."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array


def to_precision(array: Array, dtype: Any, copy: bool = False) -> Array:
    """Return the array in this dtype; a complex one in the complex dtype of its precision.

    Example
    -------
    >>> to_precision(np.ones(1), "float32"), to_precision(np.ones(1) * 1j, "float32")
    (array([1.], dtype=float32), array([0.+1.j], dtype=complex64))
    """
    if array.dtype.kind == "c":
        dtype = np.result_type(dtype, np.complex64)
    return array.astype(dtype, copy=copy)
