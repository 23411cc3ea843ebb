"""Validation of what the constructors of this chapter take."""

import numbers
from typing import Any

import numpy as np

from torchlite.errors import DTypeError
from torchlite.nn.checks import NUMBERS


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
    number = constant(layer, argument, value)
    if not number >= 0:
        raise ValueError(f"{type(layer).__name__}: {argument} must be at least 0, got {value!r}")
    return number
