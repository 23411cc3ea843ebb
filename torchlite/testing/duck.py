"""Duck: an array that is none, to see whether a layer asks for more than NumPy's protocols.

It holds a NumPy array and refuses every implicit way to it, as an array on a GPU would: no
conversion, no iteration, no arithmetic with a NumPy array, not even of no dimensions, no weak
reference, and none of the keywords that CuPy's functions lack.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from torchlite.kernels.arrays import Array

__all__ = ["Duck", "ducks"]

# What NumPy's functions and methods take, and CuPy's do not.
_LACKING = ("initial", "subok", "where")


class Duck(NDArrayOperatorsMixin):
    """A strict array: ufuncs, NumPy's functions, indexing and the usual methods, nothing else.

    Example
    -------
    >>> a = Duck(np.array([1.0, 2.0]))
    >>> (a + 1).held
    array([2., 3.])
    >>> a + np.ones(2)
    Traceback (most recent call last):
    TypeError: a NumPy array of shape (2,) met an array of another kind (see kernels.like)
    """

    # Without a place for weak references.
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held if isinstance(held, np.ndarray) else np.asarray(held)

    shape = property(lambda self: self.held.shape)
    dtype = property(lambda self: self.held.dtype)
    ndim = property(lambda self: self.held.ndim)
    size = property(lambda self: self.held.size)
    itemsize = property(lambda self: self.held.itemsize)
    nbytes = property(lambda self: self.held.nbytes)
    T = property(lambda self: Duck(self.held.T))
    real = property(lambda self: Duck(self.held.real))
    imag = property(lambda self: Duck(self.held.imag))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        _refuse_keywords(ufunc.__name__, kwargs)
        return _wrapped(getattr(ufunc, method)(*_held(inputs), **_held(kwargs)), kwargs.get("out"))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is not np.copyto:
            _refuse_keywords(func.__name__, kwargs)
        # What comes with like= is the host's on purpose: this is the one way in.
        if kwargs.pop("like", None) is not None or self._asked_like(func):
            return _wrapped(func(*args, **kwargs))
        return _wrapped(func(*_held(args), **_held(kwargs)), kwargs.get("out"))

    @staticmethod
    def _asked_like(func: Any) -> bool:
        return func in (np.asarray, np.array, np.empty, np.zeros, np.ones, np.full, np.arange)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("an array of another kind was converted to a NumPy array")

    def __iter__(self) -> Any:
        raise TypeError("an array of another kind was iterated over")

    def __len__(self) -> int:
        return len(self.held)

    def __bool__(self) -> bool:
        return bool(self.held)

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(self.held[_held(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.held[_held(index)] = _held(value)

    def __copy__(self) -> Any:
        return Duck(self.held.copy())

    def __deepcopy__(self, memo: Any) -> Any:
        return Duck(self.held.copy())

    def __repr__(self) -> str:
        return f"Duck({self.held!r})"

    def item(self) -> Any:
        """Return the one entry as a Python number: the explicit way to the host."""
        return self.held.item()


def ducks() -> Callable[[Any], Any]:
    """Return a function that makes a Duck of an array, the same one of the same array."""
    made: dict[int, tuple[Any, Duck]] = {}

    def duck(array: Array) -> Duck:
        return made.setdefault(id(array), (array, Duck(array)))[1]

    return duck


def _method(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_keywords(name, kwargs)
        return _wrapped(getattr(self.held, name)(*_held(args), **_held(kwargs)))

    method.__name__ = name
    return method


_METHODS = """
    all any argmax argmin argsort astype clip conj conjugate copy cumsum dot fill flatten max mean
    min nonzero prod ravel repeat reshape round squeeze sum swapaxes take trace transpose var
"""
for _name in _METHODS.split():
    setattr(Duck, _name, _method(_name))


def _refuse_keywords(name: str, kwargs: dict[str, Any]) -> None:
    for keyword in _LACKING:
        if keyword in kwargs:
            raise TypeError(f"{name} of another kind of array has no {keyword}")


def _held(value: Any) -> Any:
    """Return what is held by every Duck in value; refuse arrays of the host."""
    if isinstance(value, Duck):
        return value.held
    if isinstance(value, np.ndarray):
        raise TypeError(
            f"a NumPy array of shape {value.shape} met an array of another kind (see kernels.like)"
        )
    if type(value) in (list, tuple):
        return type(value)(map(_held, value))
    if type(value) is dict:
        return {key: _held(entry) for key, entry in value.items()}
    return value


def _wrapped(value: Any, out: Any = None) -> Any:
    if out is not None:
        return out[0] if isinstance(out, tuple) else out
    if isinstance(value, (np.ndarray, np.generic)):
        return Duck(value)
    if type(value) in (list, tuple):
        return type(value)(map(_wrapped, value))
    return value
