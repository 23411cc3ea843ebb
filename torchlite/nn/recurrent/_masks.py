"""What those have in common that are told which samples do not count."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.masks import zeroed
from torchlite.nn import checks
from torchlite.nn.nested import map_arrays, shapes
from torchlite.nn.stateful import parts, put


def told(layer: Any, method: str) -> Any:
    """Return the mask that a layer was told by setZeroMask, or None if every sample counts."""
    if layer.zeroMask is None:
        raise StateError(
            f"{checks.title(layer)}.{method}: it masks, and was told no mask",
            layer=layer,
            method=method,
            argument="zeroMask",
            hint="setZeroMask(mask), which is True where a sample does not count, or "
            "setZeroMask(False)",
        )
    return None if layer.zeroMask is False else layer.zeroMask


def masked(layer: Any, method: str, argument: str, table: Any, mask: Array) -> Any:
    """Return copies of the arrays of a table, with zeros where the mask is True.

    Raise where the first dimensions of an array are not those of the mask.
    """

    def one(array: Any) -> Any:
        must_lead(layer, method, argument, array, mask)
        return zeroed(array, mask)

    return map_arrays(one, table)


def must_lead(layer: Any, method: str, argument: str, array: Any, mask: Array) -> None:
    """Raise unless the first dimensions of an array are those of the mask."""
    checks.must_be_array(layer, method, argument, array)
    if array.shape[: mask.ndim] != mask.shape:
        expected = f"({', '.join(map(str, mask.shape))}, ...)"
        why = f" like the mask {shapes(mask)}"
        raise checks.misshapen(layer, method, argument, expected, array, why=why)


def must_be_alike(layer: Any, mask: Any, dim: int) -> None:
    """Raise unless a mask (False: none) of steps and samples is the same turned along dim."""
    if mask is False or mask.ndim < 2 or not 0 <= dim < 2:
        return
    if (mask != np.flip(mask, dim)).any():
        raise StateError(
            f"{checks.title(layer)}.setZeroMask: it turns the sequence around, and not the mask",
            layer=layer,
            method="setZeroMask",
            argument="zeroMask",
            hint="nn.ReverseUnreverse(module) turns both for its module; or tell each its own",
        )


@contextmanager
def for_one_step(part: Any, mask: Any, step: int) -> Iterator[None]:
    """Let a part, and all inside it, know its step's row of the mask (False: none) for a while."""
    if mask is False:
        yield
        return
    masks = [inner for inner in parts([part]) if hasattr(inner, "zeroMask")]
    before = [(vars(inner), "zeroMask", inner.zeroMask) for inner in masks]
    part.setZeroMask(mask[step])
    try:
        yield
    finally:
        put(before)
