"""What type checkers are told of arrays and of tables of them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Number", "Table"]

# Of any dtype and shape: which, is checked when it is called.
Array: TypeAlias = NDArray[Any]
# Arrays, or tables of them. Where all entries are arrays it is Sequence[Array].
Table: TypeAlias = Sequence[Any]
# What scales: of Python or of NumPy.
Number: TypeAlias = complex | np.number[Any]
