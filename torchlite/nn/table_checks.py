"""Validation of tables: lists of arrays, or of tables."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.checks import FLOATING, is_integral, misshapen, mistyped, must_be_floating
from torchlite.nn.nested import is_array, shapes


def must_be_table(
    layer: Any, method: str, argument: str, value: Any, length: int | None = None
) -> None:
    """Value must be a list or tuple, of this length if one is given."""
    if not isinstance(value, (list, tuple)):
        hint = f"a list of arrays: [{argument}, ...]" if hasattr(value, "shape") else None
        raise mistyped(layer, method, argument, "a table (a list)", type(value).__name__, hint)
    if length is not None and len(value) != length:
        expected = f"a table of {length} {'entry' if length == 1 else 'entries'}"
        raise misshapen(layer, method, argument, expected, value)


def must_have_keys(layer: Any, method: str, argument: str, value: Any, keys: Iterable[Any]) -> None:
    """Value must be a dict that has these keys."""
    expected = f"a dict with {', '.join(map(repr, keys))}"
    if not isinstance(value, dict):
        raise mistyped(layer, method, argument, expected, type(value).__name__)
    if not value.keys() >= set(keys):
        raise misshapen(layer, method, argument, expected, value)


def must_reach(
    layer: Any, method: str, argument: str, value: Any, index: int, length: int = 1
) -> None:
    """A table must have so many entries from this position on."""
    start = index if index >= 0 else index + len(value)
    if not 0 <= start <= start + length <= len(value):
        expected = f"a table with entry {index}"
        if length != 1:
            expected = f"a table with {length} entries from {index} on"
        raise misshapen(layer, method, argument, expected, value)


def must_be_arrays(
    layer: Any,
    method: str,
    argument: str,
    value: Any,
    length: int | None = None,
    movable: bool = False,
) -> None:
    """Value must be a table of floating arrays of one precision, at least one.

    movable takes also one of integers, or of booleans, of one dtype.
    """
    if type(value) is list and value and (length is None or len(value) == length):
        first = value[0]
        if type(first) is ndarray and first.dtype in FLOATING:
            dtype = first.dtype
            if all(type(a) is ndarray and a.dtype == dtype and a.ndim for a in value):
                return
    must_be_table(layer, method, argument, value, length)
    if not value:
        raise misshapen(layer, method, argument, "a table of at least 1 entry", value)
    if movable:
        checks.must_be_movable(layer, method, f"{argument}[0]", value[0])
        if is_integral(value[0]):
            _must_be_one(layer, method, argument, value)
            return
    for i, array in enumerate(value):
        must_be_floating(layer, method, f"{argument}[{i}]", array, value[0].dtype if i else None)


def _must_be_one(layer: Any, method: str, argument: str, arrays: Sequence[Array]) -> None:
    """Raise unless all arrays have the dtype of the first, which is one of integers or booleans."""
    dtype = arrays[0].dtype
    for i, array in enumerate(arrays):
        checks.must_be_movable(layer, method, f"{argument}[{i}]", array)
        if array.dtype != dtype:
            hint = f"nothing is cast here: {argument}[0].astype('{array.dtype}')"
            why = f" like {argument}[0]"
            got = str(array.dtype)
            raise mistyped(layer, method, f"{argument}[{i}]", str(dtype), got, hint, why)


def must_be_alike(
    layer: Any, method: str, argument: str, value: Any, length: int | None = None
) -> None:
    """Value must be a table of floating arrays of one shape and precision, at least one."""
    must_be_arrays(layer, method, argument, value, length)
    shape = value[0].shape
    for i, array in enumerate(value):
        if array.shape != shape:
            expected = f"{shape} like {argument}[0]"
            raise misshapen(layer, method, f"{argument}[{i}]", expected, array)


def must_be_like(
    layer: Any,
    method: str,
    argument: str,
    array: Any,
    shape: tuple[int, ...],
    dtype: Any,
    why: str = "",
) -> None:
    """It must be an array of this shape, and of a dtype that goes with this one."""
    if type(array) is ndarray and array.shape == shape and array.dtype == dtype:
        return
    # NumPy makes scalars of arrays without dimensions wherever it can.
    if shape or not isinstance(array, np.generic):
        checks.must_be_array(layer, method, argument, array, dtype)
    checks.must_be_gradient_of(layer, method, argument, array, dtype)
    if array.shape != shape:
        raise misshapen(layer, method, argument, f"{shape}{why}", array)


def checked_gradient(
    layer: Any, method: str, gradOutput: Any, output: Any, argument: str = "gradOutput"
) -> Any:
    """Return gradOutput as it goes back through a layer that only moves the entries of output.

    It must be built like output: the same tables of arrays of the same shapes. Where these are of
    integers or booleans, a new table with zeros is returned.
    """
    if is_array(output) or isinstance(output, np.generic):
        must_be_like(layer, method, argument, gradOutput, output.shape, output.dtype)
        return checks.carried(gradOutput, output, output.shape)
    if isinstance(output, (list, tuple)):
        must_be_table(layer, method, argument, gradOutput, len(output))
        entries = [
            checked_gradient(layer, method, gradOutput[i], entry, f"{argument}[{i}]")
            for i, entry in enumerate(output)
        ]
        return gradOutput if all(map(operator.is_, entries, gradOutput)) else entries
    if isinstance(output, dict):
        must_have_keys(layer, method, argument, gradOutput, output)
        if len(gradOutput) != len(output):
            raise misshapen(layer, method, argument, shapes(output), gradOutput)
        entry_of = {
            key: checked_gradient(layer, method, gradOutput[key], entry, f"{argument}[{key!r}]")
            for key, entry in output.items()
        }
        return gradOutput if all(entry_of[key] is gradOutput[key] for key in output) else entry_of
    return gradOutput


def joined_axis(
    layer: Any, method: str, argument: str, arrays: Sequence[Array], dimension: int
) -> int:
    """Return dimension as an axis, counted from 0; the arrays must be alike but for its length."""
    first = arrays[0].shape
    axis = dimension if dimension >= 0 else dimension + len(first)
    if 0 <= axis < len(first):
        lead, rest = first[:axis], first[axis + 1 :]
        for array in arrays:
            shape = array.shape
            if len(shape) != len(first) or shape[:axis] != lead or shape[axis + 1 :] != rest:
                break
        else:
            return axis
    expected = f"arrays alike but for dimension {dimension}"
    raise misshapen(layer, method, argument, expected, arrays)
