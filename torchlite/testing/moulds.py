"""Copies of a layer, many of one: a mould is made once, by pickle, and each copy is cast from it.

`copy.deepcopy` goes through the whole layer every time, in Python, and a check makes hundreds of
copies.
"""

import copy
import io
import pickle
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.stateful import Stateful

__all__ = ["mould"]

# What a deep copy shares with what it is a copy of.
_SHARED = (type, FunctionType, BuiltinFunctionType, np.dtype, np.ufunc)
# The methods by which a class may say otherwise how it is copied, or how it is pickled.
_OWN = ("__deepcopy__", "__reduce_ex__", "__reduce__")


def mould(layer: Any) -> Callable[[], Any]:
    """Return a function that returns deep copies of a layer as it is now.

    Where a deep copy may differ from what a pickle brings back, each is made by `copy.deepcopy`.
    """
    file = io.BytesIO()
    pickler = _Pickler(file)
    try:
        pickler.dump(layer)
    except Exception:
        return lambda: copy.deepcopy(layer)
    pickled, apart = file.getvalue(), pickler.apart
    return lambda: _Unpickler(io.BytesIO(pickled), apart).load()


class _Pickler(pickle.Pickler):
    """Pickles a layer, but keeps apart what is shared, and its arrays."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=4)
        self.apart: list[Any] = []
        # Of each array where its copy stands there, and itself, so that its id stays its own.
        self.places: dict[int, tuple[int, Array]] = {}

    def persistent_id(self, value: Any) -> int | None:
        """Return where a value stands apart; None if it is pickled; or raise."""
        kind = type(value)
        if kind is np.ndarray and not value.dtype.hasobject:
            if id(value) not in self.places:
                self.places[id(value)] = len(self.apart), value
                self.apart.append(value.copy("K"))
            return self.places[id(value)][0]
        if isinstance(value, _SHARED):
            self.apart.append(value)
            return len(self.apart) - 1
        if isinstance(value, Stateful):
            alike = all(getattr(kind, name) is getattr(Stateful, name) for name in _OWN)
        else:
            alike = isinstance(value, np.generic) or not hasattr(kind, "__deepcopy__")
        if not alike:
            raise pickle.PicklingError(kind.__name__)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, apart: list[Any]) -> None:
        super().__init__(file)
        self.apart = apart
        self.arrays: dict[int, Array] = {}

    def persistent_load(self, place: int) -> Any:
        """Return what is shared, or this copy's own array."""
        value = self.apart[place]
        if not isinstance(value, np.ndarray):
            return value
        if place not in self.arrays:
            self.arrays[place] = value.copy("K")
        return self.arrays[place]
