"""What is an array, where it lies, and what type checkers are told of it."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Number", "Size", "Table", "address", "is_array"]

# Of any dtype and shape: which, is checked when it is called.
Array: TypeAlias = NDArray[Any]
# Arrays, or tables of them. Where all entries are arrays it is Sequence[Array].
Table: TypeAlias = Sequence[Any]
# What scales: of Python or of NumPy.
Number: TypeAlias = complex | np.number[Any]
# One number for each dimension.
Size: TypeAlias = tuple[int, ...]

# Of memory that is free, glibc keeps twice as much as the largest array that it has seen go. With
# less than a step takes, it gives memory back and gets it anew, zeroed, at every step: arrays of
# float64 of 2 MiB then take three times as long. So one goes by, of which no byte is touched;
# here, in what every program loads whatever its layers are.
np.empty(1 << 23, np.uint8)


def is_array(value: Any) -> bool:
    """Tell whether value is an array: NumPy's, or one that speaks NumPy's protocols.

    Example
    -------
    >>> is_array(np.zeros(2)), is_array(np.float64(2)), is_array([1.0, 2.0])
    (True, False, False)
    """
    return isinstance(value, np.ndarray) or (
        hasattr(type(value), "__array_function__") and hasattr(value, "dtype")
    )


def address(array: Any) -> Any:
    """Return where an array of NumPy's or CuPy's lies, a number; None of other kinds.

    Example
    -------
    >>> memory = np.zeros(3)
    >>> address(memory[1:]) - address(memory), address([0.0])
    (8, None)
    """
    if type(array) is np.ndarray:
        return array.__array_interface__["data"][0]
    return getattr(getattr(array, "data", None), "ptr", None)
