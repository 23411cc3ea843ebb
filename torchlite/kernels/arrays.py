"""What type checkers are told of arrays and of tables of them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

__all__ = ["Array", "Table"]

# Of any dtype and shape: which, is checked when it is called.
Array: TypeAlias = NDArray[Any]
# Arrays, or tables of them. Where all entries are arrays it is Sequence[Array].
Table: TypeAlias = Sequence[Any]
