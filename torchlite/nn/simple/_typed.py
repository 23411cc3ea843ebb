"""Validation for layers that hold arrays and look at shapes of their own."""

import math
from typing import Any

from numpy import ndarray

from torchlite.errors import ShapeError
from torchlite.nn import checks


def typed(layer: Any, method: str, input: Any, dtype: Any) -> None:
    """Input must be an array of the layer's dtype."""
    if type(input) is ndarray and input.dtype == dtype:
        return
    checks._array(layer, method, "input", input)
    checks._dtype(layer, method, "input", input, dtype)


def gradient(
    layer: Any, method: str, input: Any, gradOutput: Any, shape: tuple[int, ...], dtype: Any
) -> None:
    """The gradOutput must be of this shape and the layer's dtype; input has been checked."""
    if (
        type(gradOutput) is ndarray is type(input)
        and gradOutput.shape == shape
        and gradOutput.dtype == dtype
        and (input.dtype == dtype or input.dtype.kind in "iu")
    ):
        return
    checks._gradient(layer, method, gradOutput, shape, dtype)
    if method != "updateGradInput":
        checks._accumulable(layer, input, gradOutput, dtype)


def misshapen(
    layer: Any, method: str, expected: str, input: Any, hint: str | None = None
) -> ShapeError:
    """Return the error that input does not have the expected shape."""
    return checks._shape(layer, method, "input", expected, input, hint)


def positive(layer: Any, argument: str, value: Any) -> float:
    """Return a setting as a float: a finite number greater than 0."""
    number = checks.number(layer, "__init__", argument, value)
    if not 0 < number < math.inf:
        name = type(layer).__name__
        raise ValueError(f"{name}: {argument} must be positive and finite, got {value!r}")
    return float(number)
