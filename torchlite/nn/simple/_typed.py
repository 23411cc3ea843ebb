"""Validation for layers that hold arrays and look at shapes of their own."""

from typing import Any

from numpy import ndarray

from torchlite.errors import ShapeError
from torchlite.nn import checks


def typed(layer: Any, method: str, input: Any, dtype: Any) -> None:
    """Input must be an array of the layer's dtype."""
    if type(input) is ndarray and input.dtype == dtype:
        return
    checks.must_be_array(layer, method, "input", input)
    checks.must_have_precision(layer, method, "input", input, dtype)


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
    checks.must_be_gradient(layer, method, gradOutput, shape, dtype)
    if method != "updateGradInput":
        checks.must_accumulate(layer, input, gradOutput, dtype)


def misshapen(
    layer: Any, method: str, expected: str, input: Any, hint: str | None = None
) -> ShapeError:
    """Return the error that input does not have the expected shape."""
    return checks.misshapen(layer, method, "input", expected, input, hint)
