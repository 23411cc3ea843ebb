"""What is done to the entries of tables."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import is_integral


def total(arrays: Sequence[Array]) -> Array:
    """Return the sum of arrays: always a fresh array.

    Example
    -------
    >>> import numpy as np
    >>> total([np.ones(2), np.ones(2), np.ones(2)])
    array([3., 3.])
    """
    if len(arrays) == 1:
        return arrays[0].copy()
    result = arrays[0] + arrays[1]
    for array in arrays[2:]:
        result = result + array
    return result


def total_gradient(gradients: Any, input: Any) -> Any:
    """Return the sum of the gradients of an input, entry by entry if it is a table.

    The arrays are fresh. Of integers and booleans the gradient is zeros of their dtype.

    Example
    -------
    >>> import numpy as np
    >>> input = [np.zeros(2), np.array([7])]
    >>> total_gradient([[np.ones(2), np.array([0])], [np.ones(2), np.array([0])]], input)
    [array([2., 2.]), array([0])]
    """
    if isinstance(input, (list, tuple)):
        return [
            total_gradient(entries, entry)
            for *entries, entry in zip(*gradients, input, strict=True)
        ]
    if isinstance(input, dict):
        return {
            key: total_gradient([table[key] for table in gradients], entry)
            for key, entry in input.items()
        }
    if not gradients or is_integral(input):
        return np.zeros_like(input)
    return total(gradients)


def pieces(array: Array, lengths: Sequence[int], axis: int) -> list[Array]:
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


def at(array: Array, axis: int, index: int) -> Array:
    """Return the view of one slice along an axis: an array, also where it is one number.

    Example
    -------
    >>> import numpy as np
    >>> at(np.array([[1, 2], [3, 4]]), 1, 0)
    array([1, 3])
    """
    key: tuple[Any, ...] = (*[slice(None)] * axis, index, ...)
    return array[key]


def first_array(table: Any) -> Array:
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
