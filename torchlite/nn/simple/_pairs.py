"""What the layers have in common whose input is a table of two arrays."""

from collections.abc import Sequence
from typing import Any

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.nested import shapes


def pair(layer: Any, method: str, input: Sequence[Array]) -> tuple[Array, Array]:
    """Return the two arrays of the input, of which the first is one to move entries of."""
    table_checks.must_be_table(layer, method, "input", input, 2)
    first, second = input
    checks.must_be_movable(layer, method, "input[0]", first)
    checks.must_be_array(layer, method, "input[1]", second)
    return first, second


def product(layer: Any, method: str, input: Sequence[Array]) -> tuple[Array, Array]:
    """Return the two arrays of the input, which must be floating and of one precision."""
    table_checks.must_be_arrays(layer, method, "input", input, 2)
    first, second = input
    return first, second


def unfit(layer: Any, method: str, input: Sequence[Array], why: str) -> ShapeError:
    """Return the error of two arrays that do not fit each other, or this layer."""
    return ShapeError(
        f"{checks.title(layer)}.{method}: input {shapes(input)} does not fit: {why}",
        layer=layer,
        method=method,
        argument="input",
        expected=why,
        got=shapes(input),
    )
