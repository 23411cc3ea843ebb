"""Bringing numbers that were born on the host to an array of another kind, and back."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array

__all__ = ["host", "like"]


def like(values: Any, array: Array) -> Array:
    """Return host values (random draws, index tables) as an array of the kind of `array`.

    The dtype stays that of the values. Whatever implements NumPy's `like=` protocol decides what
    comes back; a NumPy array stays what it is.

    Example
    -------
    >>> like([1, 2], np.zeros(3))
    array([1, 2])
    """
    return np.asarray(values, like=array)


def host(array: Any) -> Any:
    """Return an array of CuPy's as one of NumPy's, and what is another kind as it is.

    Example
    -------
    >>> host(np.zeros(2))
    array([0., 0.])
    """
    return array.get(order="A") if hasattr(type(array), "get") else array
