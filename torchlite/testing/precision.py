"""Where a layer makes float64 of float32: arrays that note what raises them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from torchlite.nn.nested import cast_arrays, is_array, leaves, map_arrays
from torchlite.nn.stateful import rebind
from torchlite.testing.raised import own_frame
from torchlite.testing.subject import Subject, attempt

__all__ = ["cause_of_double"]

# Where no array of float32 met another, one of float64 was made, and numbers were put into it.
MADE = (
    "np.zeros, np.ones, np.empty and np.arange make float64: give them dtype=input.dtype, or use "
    "np.zeros_like(input)"
)
# By whether it is an array, and its kind.
REMEDIES = {
    (False, "f"): "put it in float(...), as in float(np.sqrt(2))",
    (True, "f"): "make it of that dtype, as np.ones(3, dtype=input.dtype), or .astype(input.dtype)",
    (False, "i"): "put it in int(...)",
    (True, "i"): "make it of that dtype, .astype(input.dtype)",
}


class Meeting(NamedTuple):
    """What raised float32 to float64, and in which line of the user's own."""

    what: Any
    file: str
    line: int


class Watched(np.ndarray):
    """An array of float32 that notes in `met` what raises it to float64."""

    met: ClassVar[list[Meeting]] = []

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        made = getattr(ufunc, method)(*_bare(inputs), **_bare(kwargs))
        return _noting(made, inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _noting(func(*_bare(args), **_bare(kwargs)), args)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(entry) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_bare, value))
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def _watched(value: Any) -> Any:
    return value.view(Watched) if is_array(value) and value.dtype == np.float32 else value


def _noting(made: Any, given: Any) -> Any:
    if any(getattr(array, "dtype", None) == np.float64 for array in leaves(made)):
        others = [each for each in leaves(given) if isinstance(each, (np.ndarray, np.generic))]
        raising = [each for each in others if each.dtype.kind in "fiu" and each.itemsize == 8]
        frame = own_frame()
        if len(raising) < len(others) and raising and frame is not None:
            code = frame.f_code
            Watched.met.append(Meeting(raising[0], code.co_filename, frame.f_lineno))
    return map_arrays(_watched, made) if type(made) in (list, tuple) else _watched(made)


@contextmanager
def _meetings() -> Iterator[list[Meeting]]:
    before, Watched.met = Watched.met, []
    try:
        yield Watched.met
    finally:
        Watched.met = before


def cause_of_double(s: Subject, method: str) -> str:
    """Return what a call of this method makes float64 by, if it can be seen, and what to write."""
    layer = s.fresh("float32")
    rebind(layer, _watched)
    given = map_arrays(_watched, cast_arrays(s.given, "float32"))
    with _meetings() as met:
        for name, call in s.calls(layer, *given.values()):
            met.clear()
            attempt(call)
            if name == method:
                break
        if not met:
            return MADE
        what, file, line = met[0]
    many = np.ndim(what) > 0
    sort = f"an array of {what.dtype}" if many else f"a number of NumPy's {what.dtype}"
    remedy = REMEDIES[many, "f" if what.dtype.kind == "f" else "i"]
    return f"in {Path(file).name}:{line}, {sort} makes float64 of float32: {remedy}"
