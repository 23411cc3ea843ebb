"""Validation of what users pass: a fast test on the hot path, a slow search after it failed.

Each check is one function: its first lines are the test that every correct call passes, the rest
finds out what is wrong and raises, or accepts the rarer right ways (other kinds of arrays, complex
numbers).
"""

import math
import numbers
import operator
from typing import Any

import numpy as np
from numpy import ndarray

from torchlite.errors import DTypeError, ShapeError
from torchlite.nn.tables import is_array, shapes

__all__ = [
    "NUMBERS",
    "alike",
    "constant",
    "deviation",
    "floating",
    "misshapen",
    "must_accumulate",
    "must_be_array",
    "must_be_gradient",
    "must_have_precision",
    "not_negative",
    "number",
    "pair",
    "positive",
    "rows",
    "rows_back",
    "size",
    "title",
]

FLOATING = frozenset(map(np.dtype, ("float32", "float64", "complex64", "complex128")))
FLOATING_NAMES = "float32, float64, complex64 or complex128"
NUMBERS = frozenset((int, float))


def title(layer: Any) -> str:
    """Return how errors name a layer: as it prints itself if that is one line, else its class."""
    text = repr(layer)
    return type(layer).__name__ if "\n" in text else text


# ---------------------------------------------------------------- the fast tests


def rows(layer: Any, method: str, input: Any, n: int, dtype: Any) -> None:
    """Input must be (n,) or (N, n) of the layer's dtype."""
    if (
        type(input) is ndarray
        and input.dtype == dtype
        and 1 <= input.ndim <= 2
        and input.shape[-1] == n
    ):
        return
    must_be_array(layer, method, "input", input)
    must_have_precision(layer, method, "input", input, dtype)
    if not (1 <= input.ndim <= 2 and input.shape[-1] == n):
        raise misshapen(
            layer, method, "input", f"({n},) or (N, {n})", input, _rows_hint(layer, input)
        )


def rows_back(
    layer: Any, method: str, input: Any, n: int, gradOutput: Any, m: int, dtype: Any
) -> None:
    """Input as for `rows`; gradOutput must be (m,) or (N, m) of the layer's dtype."""
    if (
        type(gradOutput) is ndarray is type(input)
        and gradOutput.dtype == dtype == input.dtype
        and 1 <= input.ndim <= 2
        and input.shape[-1] == n
        and gradOutput.shape == (*input.shape[:-1], m)
    ):
        return
    rows(layer, method, input, n, dtype)
    must_be_gradient(layer, method, gradOutput, (*input.shape[:-1], m), dtype)
    if method == "accGradParameters":
        must_accumulate(layer, input, gradOutput, dtype)


def floating(layer: Any, method: str, input: Any) -> None:
    """Input must be an array of at least one dimension, of one of the four floating dtypes."""
    if type(input) is ndarray and input.dtype in FLOATING and input.ndim:
        return
    must_be_array(layer, method, "input", input)
    if input.dtype not in FLOATING:
        must_have_precision(layer, method, "input", input, None)
    if not input.ndim:
        raise misshapen(layer, method, "input", "an array of at least one dimension", input, None)


def alike(layer: Any, method: str, input: Any, gradOutput: Any) -> None:
    """Input as for `floating`; gradOutput must have its shape and precision."""
    if (
        type(gradOutput) is ndarray is type(input)
        and gradOutput.shape == input.shape
        and gradOutput.dtype == input.dtype
        and input.dtype in FLOATING
        and input.ndim
    ):
        return
    floating(layer, method, input)
    must_be_gradient(layer, method, gradOutput, input.shape, input.dtype)


def pair(criterion: Any, method: str, input: Any, target: Any) -> None:
    """A criterion's input and target must have one shape and one floating dtype."""
    if (
        type(target) is ndarray is type(input)
        and target.shape == input.shape
        and target.dtype == input.dtype
        and input.dtype in FLOATING
        and input.ndim
    ):
        return
    floating(criterion, method, input)
    must_be_array(criterion, method, "target", target)
    if target.shape != input.shape:
        hint = None
        if target.size == input.size:
            hint = f"target.reshape({shapes(input)[1:-1].rstrip(',')}) has the same entries"
        raise misshapen(criterion, method, "target", f"{shapes(input)} like input", target, hint)
    if target.dtype != input.dtype:
        raise DTypeError(
            f"{title(criterion)}.{method}: target must be {input.dtype} like input, "
            f"got {target.dtype}",
            layer=criterion,
            method=method,
            argument="target",
            expected=str(input.dtype),
            got=str(target.dtype),
            hint=f"target.astype('{input.dtype}')",
        )


def number(layer: Any, method: str, argument: str, value: Any) -> Any:
    """Return a scale or learning rate as a Python number, which never changes a dtype."""
    if type(value) in NUMBERS:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)):
        return float(value)
    if isinstance(value, numbers.Complex) and layer.type().kind == "c":
        return complex(value)
    got = f"{type(value).__name__} {shapes(value)}" if is_array(value) else repr(value)
    raise DTypeError(
        f"{title(layer)}.{method}: {argument} must be a number, got {got}",
        layer=layer,
        method=method,
        argument=argument,
        expected="a number",
        got=got,
        hint=f"float({argument})" if is_array(value) and value.size == 1 else None,
    )


def size(layer: Any, argument: str, value: Any) -> int:
    """Return a constructor's size as an int: an integer of at least 0."""
    name = type(layer).__name__
    facts = {"layer": layer, "method": "__init__", "argument": argument}
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        raise DTypeError(
            f"{name}: {argument} must be an integer, got {value!r}",
            expected="an integer",
            got=repr(value),
            **facts,
        ) from None
    if whole < 0:
        raise ShapeError(
            f"{name}: {argument} must be at least 0, got {whole}",
            expected="at least 0",
            got=str(whole),
            **facts,
        )
    return whole


def deviation(layer: Any, value: Any) -> float:
    """Return a standard deviation: a finite number of at least 0."""
    stdv = number(layer, "reset", "stdv", value)
    if not (math.isfinite(stdv) and stdv >= 0):
        raise ValueError(f"{title(layer)}.reset: stdv must be finite and at least 0, got {value!r}")
    return float(stdv)


def constant(layer: Any, argument: str, value: Any) -> Any:
    """Return a constructor's number as a Python number, which never changes a dtype."""
    if type(value) in NUMBERS:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)):
        return float(value)
    raise DTypeError(
        f"{type(layer).__name__}: {argument} must be a number, got {value!r}",
        layer=layer,
        method="__init__",
        argument=argument,
        expected="a number",
        got=repr(value),
    )


def not_negative(layer: Any, argument: str, value: Any) -> Any:
    """Return a constructor's number of at least 0."""
    setting = constant(layer, argument, value)
    if not setting >= 0:
        raise ValueError(f"{type(layer).__name__}: {argument} must be at least 0, got {value!r}")
    return setting


def positive(layer: Any, argument: str, value: Any) -> float:
    """Return a setting as a float: a finite number greater than 0."""
    setting = number(layer, "__init__", argument, value)
    if not 0 < setting < math.inf:
        name = type(layer).__name__
        raise ValueError(f"{name}: {argument} must be positive and finite, got {value!r}")
    return float(setting)


# ---------------------------------------------------------------- what is wrong


def must_be_array(layer: Any, method: str, argument: str, value: Any) -> None:
    if is_array(value) and not isinstance(value, (np.matrix, np.ma.MaskedArray)):
        return
    got = type(value).__name__
    hint = None
    if isinstance(value, (list, tuple, int, float)) and not isinstance(value, bool):
        hint = f"np.array({argument}, dtype='{layer.type()}')"
    elif isinstance(value, np.matrix):
        hint = f"np.asarray({argument})"
    elif isinstance(value, np.ma.MaskedArray):
        hint = f"{argument}.filled(...) says what stands in the masked places"
    raise DTypeError(
        f"{title(layer)}.{method}: {argument} must be an array, got {got}",
        layer=layer,
        method=method,
        argument=argument,
        expected="an array",
        got=got,
        hint=hint,
    )


def must_have_precision(layer: Any, method: str, argument: str, array: Any, dtype: Any) -> None:
    """Raise unless array has the dtype's precision, real or complex (None: any of the four)."""
    got = array.dtype
    if got in FLOATING and (dtype is None or _precision(got) == _precision(dtype)):
        return
    wanted = layer.type() if dtype is None else dtype
    expected = FLOATING_NAMES if dtype is None else str(dtype)
    hint = f"{argument}.astype('{wanted}')"
    if dtype is not None and argument == "input" and got in FLOATING:
        hint += f", or net.type('{got}') for the network"
    raise DTypeError(
        f"{title(layer)}.{method}: {argument} must be {expected}, got {got}",
        layer=layer,
        method=method,
        argument=argument,
        expected=expected,
        got=str(got),
        hint=hint,
    )


def _precision(dtype: Any) -> int:
    """Return the bytes of a real number of this dtype."""
    size: int = dtype.itemsize
    return size // 2 if dtype.kind == "c" else size


def must_be_gradient(
    layer: Any, method: str, gradOutput: Any, shape: tuple[int, ...], dtype: Any
) -> None:
    must_be_array(layer, method, "gradOutput", gradOutput)
    must_have_precision(layer, method, "gradOutput", gradOutput, dtype)
    if gradOutput.shape != shape:
        hint = None
        try:
            if np.broadcast_shapes(gradOutput.shape, shape) == shape:
                hint = f"nothing is broadcast here: np.broadcast_to(gradOutput, {shape})"
        except ValueError:
            pass
        raise misshapen(layer, method, "gradOutput", str(shape), gradOutput, hint)


def must_accumulate(layer: Any, input: Any, gradOutput: Any, dtype: Any) -> None:
    """Raise where a real gradient would have to take up a complex number."""
    for argument, array in (("input", input), ("gradOutput", gradOutput)):
        if array.dtype.kind == "c" and dtype.kind != "c":
            raise DTypeError(
                f"{title(layer)}.accGradParameters: {argument} must be {dtype} to add to gradients "
                f"of {dtype}, got {array.dtype}",
                layer=layer,
                method="accGradParameters",
                argument=argument,
                expected=str(dtype),
                got=str(array.dtype),
                hint=f"clone().type('{array.dtype}') has complex gradients",
            )


def _rows_hint(layer: Any, input: Any) -> str | None:
    if not 1 <= input.ndim <= 2:
        return "one sample is 1-D, a batch of samples 2-D"
    weight = getattr(layer, "weight", None)
    if type(layer).__name__ == "Linear" and weight is not None:
        return f"Linear({input.shape[-1]}, {weight.shape[0]}) would fit"
    return None


def misshapen(
    layer: Any, method: str, argument: str, expected: str, array: Any, hint: str | None
) -> ShapeError:
    got = shapes(array)
    return ShapeError(
        f"{title(layer)}.{method}: {argument} must be {expected}, got {got}",
        layer=layer,
        method=method,
        argument=argument,
        expected=expected,
        got=got,
        hint=hint,
    )
