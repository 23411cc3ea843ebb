"""Inputs of the layers that read only which entries are not zero, in every form that they take."""

import numpy as np

from torchlite import nn

ROWS = np.array([[1, 2.0], [3, 1.0], [0, -1.0], [4, 0.5], [2, 3.0]])
KEYS, VALUES = ROWS[:, 0].astype(int), ROWS[:, 1].copy()
# Of five entries of five, so that gradInput has by chance the shapes of input, and of two.
SPARSE = {
    "rows": (nn.SparseLinear, ROWS),
    "few rows": (nn.SparseLinear, ROWS[:2]),
    "list of rows": (nn.SparseLinear, [ROWS, ROWS[:2]]),
    "batch of rows": (nn.SparseLinear, np.stack([ROWS, ROWS[::-1]])),
    "keys": (nn.IndexLinear, [KEYS, VALUES]),
    "few keys": (nn.IndexLinear, [KEYS[:2], VALUES[:2]]),
    "lists of keys": (nn.IndexLinear, [[KEYS, KEYS[:2]], [VALUES, VALUES[:2]]]),
    "keys and sizes": (nn.IndexLinear, [KEYS, VALUES, np.array([3, 2])]),
}
