"""Checking arrays of indices."""

from typing import Any

import numpy as np

from torchlite.errors import DTypeError
from torchlite.nn import checks


def integers(layer: Any, method: str, argument: str, indices: Any, n: int, what: str) -> Any:
    """Return the indices as NumPy wants them: integers from 0 to n - 1; `what` names the n.

    Raises
    ------
    DTypeError
        They are no integers.
    IndexError
        One is out of range.
    """
    checks.must_be_array(layer, method, argument, indices)
    if indices.dtype.kind not in "iu":
        raise DTypeError(
            f"{checks.title(layer)}.{method}: {argument} must be integers, got {indices.dtype}",
            layer=layer,
            method=method,
            argument=argument,
            expected="integers",
            got=str(indices.dtype),
            hint=f"{argument}.astype('int64')",
        )
    if not indices.size or (indices.min() >= 0 and indices.max() < n):
        return indices.astype(np.intp, copy=False)
    place = tuple(np.argwhere((indices < 0) | (indices >= n))[0].tolist())
    raise IndexError(
        f"{checks.title(layer)}.{method}: {argument}[{', '.join(map(str, place))}] = "
        f"{indices[place]} is out of range for {n} {what}, counting from 0"
    )
