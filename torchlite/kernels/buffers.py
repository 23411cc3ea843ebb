"""What NumPy is told about its buffers."""

from contextlib import AbstractContextManager, nullcontext
from math import prod

import numpy as np

from torchlite.kernels.arrays import Array

__all__ = ["broadcasting"]

# Shorter rows take NumPy longer one at a time than in its buffers.
_ROW = 384
# To tell it about its buffers takes as long as it then saves on so many entries.
_FEW = 1 << 15
_NOTHING = nullcontext()


def broadcasting(array: Array, axis: int) -> AbstractContextManager[None]:
    """Let NumPy combine an array with what has one entry for all that is behind an axis of it.

    Or along it, if it is the last one. Otherwise NumPy writes out, 8,192 entries at a time, what it
    broadcasts to rows that are shorter than that, which takes as long as the work itself.

    Example
    -------
    >>> a = np.ones((1000, 500))
    >>> with broadcasting(a, 1):
    ...     a -= a.mean(1, keepdims=True)
    >>> a.any()
    np.False_
    """
    if array.size < _FEW or prod(array.shape[axis:][1:] or array.shape[-1:]) < _ROW:
        return _NOTHING
    return _ShortBuffers()


class _ShortBuffers(np.errstate):
    """Leaves NumPy's settings as they were, and those that nobody made unmade."""

    def __enter__(self) -> None:
        super().__enter__()
        np.setbufsize(_ROW)
