"""What is done to the entries of tables."""

from itertools import accumulate
from typing import Any


def total(tables: Any) -> Any:
    """Return the sum of arrays, or of tables entry by entry: always fresh arrays.

    Example
    -------
    >>> import numpy as np
    >>> total([[np.ones(2), np.ones(1)], [np.ones(2), np.zeros(1)]])
    [array([2., 2.]), array([1.])]
    """
    first = tables[0]
    if isinstance(first, (list, tuple)):
        return [total(entries) for entries in zip(*tables, strict=True)]
    if isinstance(first, dict):
        return {key: total([table[key] for table in tables]) for key in first}
    if len(tables) == 1:
        return first.copy()
    result = first + tables[1]
    for array in tables[2:]:
        result = result + array
    return result


def pieces(array: Any, lengths: Any, axis: int) -> list[Any]:
    """Return views of these lengths, one after the other along an axis.

    Example
    -------
    >>> import numpy as np
    >>> pieces(np.arange(5), [2, 3], 0)
    [array([0, 1]), array([2, 3, 4])]
    """
    before = (slice(None),) * axis
    ends = accumulate(lengths)
    return [
        array[(*before, slice(end - length, end))]
        for length, end in zip(lengths, ends, strict=True)
    ]


def at(array: Any, axis: int, index: int) -> Any:
    """Return the view of one slice along an axis: an array, also where it is one number.

    Example
    -------
    >>> import numpy as np
    >>> at(np.array([[1, 2], [3, 4]]), 1, 0)
    array([1, 3])
    """
    return array[(*[slice(None)] * axis, index, ...)]


def first_array(table: Any) -> Any:
    """Return the first array of a table, however deep.

    Example
    -------
    >>> import numpy as np
    >>> first_array([[np.ones(2)], np.zeros(1)])
    array([1., 1.])
    """
    while isinstance(table, (list, tuple)):
        table = table[0]
    return table
