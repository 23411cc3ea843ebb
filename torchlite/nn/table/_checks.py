"""Validation of tables: lists of arrays, or of tables."""

from typing import Any

import numpy as np
from numpy import ndarray

from torchlite.nn import checks
from torchlite.nn.checks import FLOATING, misshapen, mistyped, must_be_floating
from torchlite.nn.nested import is_array, shapes


def table(layer: Any, method: str, argument: str, value: Any, length: int | None = None) -> None:
    """Value must be a list or tuple, of this length if one is given."""
    if not isinstance(value, (list, tuple)):
        raise mistyped(layer, method, argument, "a table (a list)", type(value).__name__)
    if length is not None and len(value) != length:
        expected = f"a table of {length} {'entry' if length == 1 else 'entries'}"
        raise misshapen(layer, method, argument, expected, value)


def keyed(layer: Any, method: str, argument: str, value: Any, keys: Any) -> None:
    """Value must be a dict that has these keys."""
    expected = f"a dict with {', '.join(map(repr, keys))}"
    if not isinstance(value, dict):
        raise mistyped(layer, method, argument, expected, type(value).__name__)
    if not value.keys() >= set(keys):
        raise misshapen(layer, method, argument, expected, value)


def reaches(
    layer: Any, method: str, argument: str, value: Any, index: int, length: int = 1
) -> None:
    """A table must have so many entries from this position on."""
    start = index if index >= 0 else index + len(value)
    if not 0 <= start <= start + length <= len(value):
        expected = f"a table with entry {index}"
        if length != 1:
            expected = f"a table with {length} entries from {index} on"
        raise misshapen(layer, method, argument, expected, value)


def arrays(layer: Any, method: str, argument: str, value: Any, length: int | None = None) -> None:
    """Value must be a table of floating arrays of one precision, at least one."""
    if type(value) is list and value and (length is None or len(value) == length):
        first = value[0]
        if type(first) is ndarray and first.dtype in FLOATING:
            dtype = first.dtype
            if all(type(a) is ndarray and a.dtype == dtype and a.ndim for a in value):
                return
    table(layer, method, argument, value, length)
    if not value:
        raise misshapen(layer, method, argument, "a table of at least 1 entry", value)
    for i, array in enumerate(value):
        must_be_floating(layer, method, f"{argument}[{i}]", array, value[0].dtype if i else None)


def alike(layer: Any, method: str, argument: str, value: Any, length: int | None = None) -> None:
    """Value must be a table of floating arrays of one shape and precision, at least one."""
    arrays(layer, method, argument, value, length)
    shape = value[0].shape
    for i, array in enumerate(value):
        if array.shape != shape:
            expected = f"{shape} like {argument}[0]"
            raise misshapen(layer, method, f"{argument}[{i}]", expected, array)


def like(
    layer: Any,
    method: str,
    argument: str,
    array: Any,
    shape: tuple[int, ...],
    dtype: Any,
    why: str = "",
) -> None:
    """It must be an array of this shape, and of this dtype's precision if that is floating."""
    if type(array) is ndarray and array.shape == shape and array.dtype == dtype:
        return
    # NumPy makes scalars of arrays without dimensions wherever it can.
    if shape or not isinstance(array, np.generic):
        checks.must_be_array(layer, method, argument, array)
    if dtype in FLOATING:
        checks.must_have_precision(layer, method, argument, array, dtype)
    if array.shape != shape:
        raise misshapen(layer, method, argument, f"{shape}{why}", array)


def gradient(
    layer: Any, method: str, gradOutput: Any, output: Any, argument: str = "gradOutput"
) -> None:
    """GradOutput must be built like output: the same tables of arrays of the same shapes."""
    if isinstance(output, (list, tuple)):
        table(layer, method, argument, gradOutput, len(output))
        for i, entry in enumerate(output):
            gradient(layer, method, gradOutput[i], entry, f"{argument}[{i}]")
    elif isinstance(output, dict):
        keyed(layer, method, argument, gradOutput, output)
        if len(gradOutput) != len(output):
            raise misshapen(layer, method, argument, shapes(output), gradOutput)
        for key, entry in output.items():
            gradient(layer, method, gradOutput[key], entry, f"{argument}[{key!r}]")
    elif is_array(output):
        like(layer, method, argument, gradOutput, output.shape, output.dtype)


def joinable(layer: Any, method: str, argument: str, arrays: Any, dimension: int) -> int:
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
