"""Data in small pieces."""

from collections.abc import Iterator
from numbers import Number
from typing import Any

import numpy as np

from torchlite import random
from torchlite.elsewhere import as_numpy
from torchlite.errors import DTypeError, ShapeError, fault

__all__ = ["last_joins", "minibatches"]


def minibatches(
    x: Any, y: Any, size: int, shuffle: bool = True, least: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Go through `x` and `y` once, `size` rows at a time.

    Parameters
    ----------
    x, y
        Inputs and targets: arrays, or tables (lists or tuples, nested ones too) of arrays, all with
        the same first dimension. A batch of a table is a list of batches. Frames and series of
        pandas are refused: they take rows for labels.
    size
        Rows in a batch; the last one has what is left.
    shuffle
        True: in an order that `torchlite.random.randperm` draws at this call; the batches are
        copies. False: in the order given; the batches are views.
    least
        A last batch of fewer rows, and fewer than size, joins the one before it, where there is
        one: with 2, no layer that takes means over a batch, as BatchNormalization does, meets a
        single row, unless size is 1.

    Raises
    ------
    ShapeError, DTypeError
        The arguments do not fit; at the call, not at the first batch.

    Example
    -------
    >>> import numpy as np
    >>> images = np.array([[0.0], [0.1], [0.2], [0.3], [0.4]])
    >>> labels = np.array([0, 1, 2, 3, 4])
    >>> for x, y in minibatches(images, labels, 2, shuffle=False):
    ...     print(x.tolist(), y)
    [[0.0], [0.1]] [0 1]
    [[0.2], [0.3]] [2 3]
    [[0.4]] [4]
    >>> for x, y in minibatches(images, labels, 2, shuffle=False, least=2):
    ...     print(x.tolist(), y)
    [[0.0], [0.1]] [0 1]
    [[0.2], [0.3], [0.4]] [2 3 4]
    """
    for argument, value in (("size", size), ("least", least)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise fault(DTypeError, "minibatches", argument, "a whole number", repr(value))
        if value < 1:
            raise fault(ShapeError, "minibatches", argument, "1 or more", repr(value))
    (first, n), *others = [*_lengths(x, "x"), *_lengths(y, "y")]
    for argument, length in others:
        if length != n:
            raise fault(
                ShapeError, "minibatches", argument, f"{n} rows long, like {first}", str(length)
            )
    order = random.randperm(n) if shuffle else None
    starts = [*range(0, n, size)]
    if last_joins(n, size, least):
        starts.pop()

    def batches() -> Iterator[tuple[Any, Any]]:
        for start, end in zip(starts, [*starts[1:], n], strict=True):
            rows = slice(start, end)
            picked = rows if order is None else order[rows]
            yield _pick(x, picked), _pick(y, picked)

    return batches()


def last_joins(n: int, size: int, least: int) -> bool:
    """Tell whether the last rows of n are no batch of their own, but join the one before.

    Example
    -------
    >>> last_joins(5, 2, 1), last_joins(5, 2, 2), last_joins(1, 2, 2)
    (False, True, False)
    """
    return n > size and 0 < n % size < min(least, size)


def _lengths(table: Any, argument: str) -> Iterator[tuple[str, int]]:
    """Name and first dimension of every array in a table, `x[0][1]` and so on."""
    if isinstance(table, list | tuple):
        if not table:
            raise fault(
                ShapeError, "minibatches", argument, "an array or a table of arrays", repr(table)
            )
        if any(isinstance(item, str | Number) for item in table):
            raise _no_array(argument, table)
        for i, item in enumerate(table):
            yield from _lengths(item, f"{argument}[{i}]")
    elif not (hasattr(table, "shape") and hasattr(table, "__getitem__")) or hasattr(table, "iloc"):
        # What has an iloc, such as pandas' frames, takes rows for labels, or for columns.
        raise _no_array(argument, table)
    elif not table.shape or table.shape[0] == 0:
        raise fault(
            ShapeError, "minibatches", argument, "an array of 1 row or more", f"shape {table.shape}"
        )
    else:
        yield argument, table.shape[0]


def _no_array(argument: str, value: Any) -> DTypeError:
    got, hint = type(value).__name__, as_numpy(argument, value)
    return fault(DTypeError, "minibatches", argument, "an array", got, hint=hint)


def _pick(table: Any, rows: Any) -> Any:
    if isinstance(table, list | tuple):
        return [_pick(item, rows) for item in table]
    return table[rows]
