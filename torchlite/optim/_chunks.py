"""Going through long arrays in pieces that stay in the cache while a formula is computed.

NumPy computes one operation at a time, each a pass over its arrays. In pieces, only the first
operation that touches a number waits for memory.
"""

from collections.abc import Callable

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.scratch import stretches
from torchlite.kernels.sums import dot
from torchlite.kernels.threads import share_out

__all__ = ["decayed", "dotted", "in_pieces"]

# Of each array. Measured: from 512 KiB to 4 MiB is near the best; less pays for calls, more for
# memory.
_BYTES = 1 << 20
# With fewer, what takes some three passes waits longer for another thread than that saves.
_MANY = 16


def in_pieces(
    work: Callable[..., None],
    x: Array,
    *others: Array | None,
    scratch: int = 0,
    takes_long: bool = False,
) -> None:
    """Call work with matching pieces of x and the others, and so many scratch arrays of their size.

    Arrays that are not C-contiguous, or not NumPy's, come in one piece. None stays None. The
    threads share many pieces out; if work takes long, few, too.

    Example
    -------
    >>> def halve(piece, slope, nothing, half):
    ...     half[:] = slope / 2
    ...     piece -= half
    >>> x, gradient = np.ones(1_000_000), np.ones(1_000_000)
    >>> in_pieces(halve, x, gradient, None, scratch=1)
    >>> x[0], x[-1]
    (np.float64(0.5), np.float64(0.5))
    """
    arrays = (x, *others)
    if not isinstance(x, np.ndarray):
        work(*arrays, *[np.empty_like(x) for _ in range(scratch)])
        return
    step = _BYTES // x.itemsize
    if x.size <= step or not all(a is None or a.flags.c_contiguous for a in arrays):
        work(*arrays, *[np.empty_like(x, subok=False) for _ in range(scratch)])
        return
    flat = [a if a is None else a.reshape(-1) for a in arrays]

    def one(part: slice, buffers: list[Array]) -> None:
        n = part.stop - part.start
        work(*[a if a is None else a[part] for a in flat], *[buffer[:n] for buffer in buffers])

    def memory() -> list[Array]:
        return [np.empty(step, x.dtype) for _ in range(scratch)]

    parts = stretches(x.size, step)
    if takes_long or len(parts) >= _MANY:
        share_out(x, parts, one, memory=memory)
        return
    buffers = memory()
    for part in parts:
        one(part, buffers)


def decayed(gradient: Array, x: Array, weightDecay: Array | float, scratch: Array) -> Array:
    """Return gradient + weightDecay * x, in scratch; for a weightDecay of 0 the gradient itself.

    weightDecay is a number or an array.
    """
    if isinstance(weightDecay, int | float) and weightDecay == 0:
        return gradient
    np.multiply(x, weightDecay, out=scratch)
    scratch += gradient
    return scratch


def dotted(a: Array, b: Array) -> float:
    """Return the dot product of two arrays, which may be infinite or NaN.

    Example
    -------
    >>> dotted(np.full(2, 1e200), np.full(2, 1e200))
    inf
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # Not -0.0.
        return float(dot(a, b).item()) + 0.0
