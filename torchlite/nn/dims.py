"""Which dimension is meant: counted from 0 or from the end, in a whole input or in each sample."""

from typing import Any

import numpy as np

from torchlite.errors import ShapeError
from torchlite.nn import checks
from torchlite.nn.tables import shapes


def whole(layer: Any, argument: str, value: Any) -> int:
    """Return a constructor's dimension or offset as an int; negative ones are allowed."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    return checks.size(layer, argument, value)


def sample_dims(layer: Any, argument: str, value: Any) -> int | None:
    """Return how many dimensions a sample has, None where it is not said: None, or Lua's -1."""
    if value is None or value == -1:
        return None
    return checks.size(layer, argument, value)


def leading(layer: Any, method: str, input: Any, nInputDims: int | None) -> int:
    """Return how many dimensions of input come before those of a sample: the batch's.

    A sample has nInputDims dimensions, the last ones of input; with None all of input is one.
    """
    if nInputDims is None:
        return 0
    first: int = input.ndim - nInputDims
    if first < 0:
        expected = f"a {nInputDims}-D sample or a batch of them"
        raise checks.misshapen(layer, method, "input", expected, input, None)
    return first


def position(
    layer: Any, method: str, input: Any, dim: int, nInputDims: int | None = None, room: int = 0
) -> int:
    """Return as a dimension of input what dim says, which counts within a sample.

    It counts from 0, or from the end if it is negative. A new dimension may also stand behind the
    last one: that is room = 1.

    Raises
    ------
    ShapeError
        A sample has no such dimension, or input is no sample.
    """
    first = leading(layer, method, input, nInputDims)
    end = input.ndim - first + room
    if -end <= dim < end:
        return first + (dim if dim >= 0 else dim + end)
    where = f"input {shapes(input)}"
    if nInputDims is not None:
        where = f"a {nInputDims}-D sample of {where}"
    raise ShapeError(
        f"{checks.title(layer)}.{method}: dimension {dim} is out of range for {where}, "
        "counting from 0",
        layer=layer,
        method=method,
        argument="input",
        expected=f"dimension {dim}",
        got=shapes(input),
    )
