"""Doing something to every array of a nested list: Torch7's tables."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, is_array

__all__ = [
    "EMPTY",
    "cast_arrays",
    "copy_arrays",
    "is_array",
    "is_finite",
    "is_floating",
    "leaves",
    "map_arrays",
    "rebuilt",
    "same",
    "scale_arrays",
    "shapes",
]

EMPTY: Array = np.zeros(0)
EMPTY.flags.writeable = False


def is_floating(value: Any) -> bool:
    """Tell whether value is an array that can be differentiated by.

    Example
    -------
    >>> is_floating(np.zeros(2)), is_floating(np.zeros(2, int)), is_floating(2.0)
    (True, False, False)
    """
    return is_array(value) and value.dtype.kind in "fc"


def is_finite(table: Any) -> bool:
    """Tell whether all floating arrays of a table are free of infinities and NaN.

    Example
    -------
    >>> is_finite([np.ones(2), np.array([3])]), is_finite([np.ones(2), np.array([np.inf])])
    (True, False)
    """
    return all(np.isfinite(array).all() for array in leaves(table) if is_floating(array))


def map_arrays(function: Callable[[Array], Any], table: Any) -> Any:
    """Return the table with function applied to each array.

    Lists and tuples become lists, dicts stay dicts.

    Example
    -------
    >>> map_arrays(np.shape, [np.zeros(2), [np.zeros((3, 1))]])
    [(2,), [(3, 1)]]
    """
    if isinstance(table, (list, tuple)):
        return [map_arrays(function, entry) for entry in table]
    if isinstance(table, dict):
        return {key: map_arrays(function, entry) for key, entry in table.items()}
    return function(table)


def leaves(table: Any) -> list[Any]:
    """Return the arrays of a table, however deep, in order.

    Example
    -------
    >>> leaves([np.zeros(2), [np.ones(1)]])
    [array([0., 0.]), array([1.])]
    """
    found: list[Any] = []
    map_arrays(found.append, table)
    return found


def rebuilt(table: Any, arrays: Sequence[Array]) -> Any:
    """Return a table built like this one, of other arrays.

    Example
    -------
    >>> rebuilt([np.zeros(2), [np.ones(1)]], [np.zeros(1), np.zeros(0)])
    [array([0.]), [array([], dtype=float64)]]
    """
    rest = iter(arrays)
    return map_arrays(lambda _: next(rest), table)


def copy_arrays(table: Any) -> Any:
    """Return a table of copies of the arrays.

    Example
    -------
    >>> table = [np.zeros(2)]
    >>> copy_arrays(table)[0] is table[0], copy_arrays(table)
    (False, [array([0., 0.])])
    """
    return map_arrays(lambda value: value.copy() if is_array(value) else value, table)


def cast_arrays(table: Any, dtype: Any) -> Any:
    """Return the table with its floating arrays copied to dtype.

    Example
    -------
    >>> cast_arrays([np.ones(1), np.array([3])], "float32")
    [array([1.], dtype=float32), array([3])]
    """
    return map_arrays(lambda value: value.astype(dtype) if is_floating(value) else value, table)


def scale_arrays(table: Any, factors: Any) -> Any:
    """Return the floating arrays of the table times a number, or times one number a sample.

    Example
    -------
    >>> scale_arrays([np.ones((2, 1))], [3, 4])
    [array([[3.],
           [4.]])]
    """
    table = copy_arrays(table)
    for array in filter(is_floating, leaves(table)):
        array.T[...] *= factors
    return table


def shapes(value: Any) -> str:
    """Return the shape of an array, or of every array of a table, as errors print it.

    Example
    -------
    >>> shapes(np.zeros((5, 2))), shapes([np.zeros(3), np.zeros((3, 1))]), shapes(None)
    ('(5, 2)', '[(3,), (3, 1)]', 'None')
    """
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(shapes, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shapes(entry)}" for key, entry in value.items()) + "}"
    if value is None:
        return "None"
    return str(tuple(value.shape)) if is_array(value) else type(value).__name__


def same(a: Any, b: Any) -> bool:
    """Tell whether two arrays, or tables, are one object or equal in shape, dtype and values.

    Example
    -------
    >>> same(np.ones(2), np.ones(2)), same(np.ones(2), np.ones(2, "float32"))
    (True, False)
    """
    if a is b:
        return True
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if not (is_array(a) and is_array(b)) or a.shape != b.shape or a.dtype != b.dtype:
        return False
    equal = a == b
    # NaN belongs to itself here: this compares memories, not numbers.
    return bool(equal.all() or (equal | ((a != a) & (b != b))).all())
