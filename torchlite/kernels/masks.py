"""Masks: which samples of a batch, at which steps of a sequence, count for nothing."""

from torchlite.kernels.arrays import Array

__all__ = ["blank_rows", "zeroed"]


def blank_rows(array: Array, lead: int) -> Array:
    """Return the mask of the entries, by the first `lead` dimensions, that hold nothing but zeros.

    Of integers, which are ids, it is -1 that stands for nothing.

    Example
    -------
    >>> import numpy as np
    >>> blank_rows(np.array([[0.0, 2.0], [0.0, 0.0]]), 1), blank_rows(np.array([[3, -1]]), 2)
    (array([False,  True]), array([[False,  True]]))
    """
    nothing = -1 if array.dtype.kind in "iu" else 0
    axes = tuple(range(lead, array.ndim))
    blank: Array = (array == nothing).all(axes) if axes else array == nothing
    return blank


def zeroed(array: Array, mask: Array) -> Array:
    """Return a copy of an array with zeros where the mask, of its first dimensions, is True.

    Example
    -------
    >>> import numpy as np
    >>> zeroed(np.ones((3, 2)), np.array([False, True, False]))
    array([[1., 1.],
           [0., 0.],
           [1., 1.]])
    """
    copy = array.copy()
    copy[mask] = 0
    return copy
