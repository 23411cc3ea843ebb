"""CosineDistance."""

from typing import Any

import numpy as np

from torchlite.nn.table._rows import Rows

__all__ = ["CosineDistance"]

# Keeps the length of a row of zeros from being 0.
_EPSILON = 1e-12


class CosineDistance(Rows):
    """The cosine of the angle between each pair of rows.

    Maths
    -----
    ::

        a, b = input
        length_a = np.sqrt((a * a).sum(-1, keepdims=True) + 1e-12)
        length_b = np.sqrt((b * b).sum(-1, keepdims=True) + 1e-12)
        cosine = (a / length_a * (b / length_b)).sum(-1, keepdims=True)
        output = cosine[:, 0]
        by_a = (b / length_b - cosine * (a / length_a)) / length_a
        by_b = (a / length_a - cosine * (b / length_b)) / length_b
        gradInput = [gradOutput[:, None] * by_a, gradOutput[:, None] * by_b]

    Shapes
    ------
    input: a table of two arrays, (n,) or (N, n), of one shape; output: (1,) or (N,).

    Conventions
    -----------
    Remembers nothing. It is a similarity, 1 for rows of one direction, for all its name. With a
    row of zeros the output is 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CosineDistance()
    >>> x = [np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 4.0]])]
    >>> layer.forward(x)
    array([1., 0.])
    >>> layer.backward(x, np.array([0.0, 8.0]))
    [array([[0., 0.],
           [0., 4.]]), array([[0., 0.],
           [2., 0.]])]

    Reference
    ---------
    Torch7, nn/CosineDistance.lua.
    """

    def _function(self, a: Any, b: Any) -> Any:
        return (a / _length(a) * (b / _length(b))).sum(-1)

    def _gradients(self, a: Any, b: Any, gradOutput: Any) -> tuple[Any, Any]:
        length_a, length_b = _length(a), _length(b)
        a, b = a / length_a, b / length_b
        cosine = (a * b).sum(-1, keepdims=True)
        return (
            gradOutput / length_a * (b - cosine * a),
            gradOutput / length_b * (a - cosine * b),
        )


def _length(rows: Any) -> Any:
    return np.sqrt((rows * rows).sum(-1, keepdims=True) + _EPSILON)
