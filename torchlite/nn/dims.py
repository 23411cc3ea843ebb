"""Which dimension is meant: counted from 0 or from the end, in a whole input or in each sample."""

from typing import Any

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.nested import shapes


def sizes(layer: Any, size: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the sizes that were given one by one or as one list."""
    if len(size) == 1 and isinstance(size[0], (list, tuple)):
        size = tuple(size[0])
    return tuple(checks.whole(layer, "size", n) for n in size)


def sample_dims(layer: Any, argument: str, value: Any) -> int | None:
    """Return how many dimensions a sample has, None where it is not said: None, or Lua's -1."""
    if value is None or value == -1:
        return None
    return checks.size(layer, argument, value)


def leading(layer: Any, method: str, input: Array, nInputDims: int | None) -> int:
    """Return how many dimensions of input come before those of a sample: the batch's.

    A sample has nInputDims dimensions, the last ones of input; with None all of input is one.
    """
    if nInputDims is None:
        return 0
    first: int = input.ndim - nInputDims
    if first < 0:
        expected = f"a {nInputDims}-D sample or a batch of them"
        raise checks.misshapen(layer, method, "input", expected, input)
    return first


def position(
    layer: Any, method: str, input: Array, dim: int, nInputDims: int | None = None, room: int = 0
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
    of = "" if nInputDims is None else f"a {nInputDims}-D sample of "
    raise out_of_range(layer, method, f"dimension {dim}", of, input)


def out_of_range(layer: Any, method: str, what: str, of: str, input: Array) -> ShapeError:
    """Return the error that input, or the part of it that `of` says, has no such thing."""
    return ShapeError(
        f"{checks.title(layer)}.{method}: {what} is out of range for {of}input {shapes(input)}, "
        "counting from 0",
        layer=layer,
        method=method,
        argument="input",
        expected=what,
        got=shapes(input),
    )


def resized(input: Array, axis: int, *size: int) -> tuple[int, ...]:
    """Return the shape of input with another size along an axis, or without that axis."""
    return (*input.shape[:axis], *size, *input.shape[axis + 1 :])
