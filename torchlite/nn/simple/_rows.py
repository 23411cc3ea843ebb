"""Accumulating rows at chosen places of a matrix."""

from typing import Any

import numpy as np


def addat(target: Any, alpha: complex, places: Any, rows: Any) -> None:
    """Accumulate rows in place: `target[places] += alpha * rows`; at a repeated place all of them.

    Shapes: target (M, N), places (K,) of intp, rows (K, N).

    Example
    -------
    >>> total = np.zeros((3, 2))
    >>> addat(total, 10, np.array([2, 0, 2]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    >>> total
    array([[30., 40.],
           [ 0.,  0.],
           [60., 80.]])
    """
    if alpha != 1:
        rows = alpha * rows
    if type(target) is np.ndarray and target.flags.c_contiguous:
        # NumPy adds single numbers at places three to ten times as fast as it adds rows.
        n = target.shape[1]
        target, rows = target.reshape(-1), rows.reshape(-1)
        places = (places[:, None] * n + np.arange(n)).reshape(-1)
    np.add.at(target, places, rows)
