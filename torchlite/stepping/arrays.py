"""What a recording keeps of what it sees: copies of small arrays, a few facts of large ones."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from torchlite.nn.nested import is_array, map_arrays

__all__ = ["Copy", "named_arrays", "snapshot"]


class Copy(NamedTuple):
    """An array as it was: its numbers if they are few, else norm, minimum and maximum alone.

    Minimum and maximum are None for empty and for complex arrays.
    """

    shape: tuple[int, ...]
    dtype: str
    norm: float | None = None
    low: float | None = None
    high: float | None = None
    values: Any = None


def snapshot(value: Any, max_elements: int) -> Any:
    """Return numbers and None as they are, arrays as `Copy`, tables as lists and dicts of them.

    Example
    -------
    >>> snapshot([np.ones((2, 2)), 0.5], max_elements=3)
    [Copy(shape=(2, 2), dtype='float64', norm=2.0, low=1.0, high=1.0, values=None), 0.5]
    """
    return map_arrays(lambda entry: _copy(entry, max_elements), value)


def _copy(value: Any, max_elements: int) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, complex)):
        return value
    if not is_array(value):
        return type(value).__name__
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufc":
        return Copy(tuple(value.shape), str(value.dtype))
    low = high = None
    with np.errstate(all="ignore"):
        norm = float(np.sqrt((np.abs(value.ravel()).astype("float64") ** 2).sum()))
        if value.size and value.dtype.kind != "c":
            low, high = float(value.min()), float(value.max())
    values = np.array(value) if value.size <= max_elements else None
    return Copy(value.shape, str(value.dtype), norm, low, high, values)


def named_arrays(name: str, value: Any) -> Iterator[tuple[str, Copy]]:
    """Yield every array of a value with its name: gradInput, or gradInput[0], gradInput[1] ..."""
    if isinstance(value, Copy):
        yield name, value
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield from named_arrays(f"{name}[{i}]", entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from named_arrays(f"{name}[{key!r}]", entry)
