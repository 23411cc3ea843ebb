"""The right numbers in another order, or of other gradients of the output."""

from collections.abc import Iterator
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np

from torchlite.testing.patterns.clues import Clues

__all__ = [
    "along_axes",
    "first_for_all",
    "moved_gradOutput",
    "other_places",
    "other_sums",
    "reshaped",
    "some_samples",
    "subsets",
    "summed_up",
    "transposed",
]


def transposed(c: Clues) -> str | None:
    """The gradient's axes are exchanged."""
    for order in orders(c.got.shape):
        if c.is_got(c.expected.transpose(order)):
            which = "" if c.got.ndim == 2 else f" by {list(order)}"
            return f"got = expected transposed{which} -> operands swapped?"
    return None


def along_axes(c: Clues) -> str | None:
    """The right numbers, shifted or in reverse along an axis."""
    for axis in range(c.expected.ndim):
        length = c.expected.shape[axis]
        if length > 2 and c.is_got(np.flip(c.expected, axis)):
            return f"got = expected in reverse along axis {axis} -> reversed?"
        for step in (1, -1):
            for name, moved in (("", shifted), (" around the end", rolled)):
                if length > 2 and c.is_got(moved(step, c.expected, axis=axis)):
                    return (
                        f"got = expected one place {'on' if step > 0 else 'back'}{name} along "
                        f"axis {axis} -> off by one?"
                    )
    for axes in subsets(c.expected.ndim):
        for step in (1, -1):
            if is_moved(c, axes, step):
                return (
                    f"got = expected one place {'on' if step > 0 else 'back'} along "
                    f"{' and '.join(f'axis {axis}' for axis in axes)}, but for what comes in -> "
                    "off by one, or by the padding?"
                )
    return None


def is_moved(c: Clues, axes: list[int], step: int) -> bool:
    """Tell whether what came is what was expected, moved along some axes, but for their ends."""
    if not axes or min(c.expected.shape[axis] for axis in axes) < 3:
        return False
    ahead, behind = slice(1, None), slice(None, -1)
    index = [slice(None)] * c.expected.ndim
    others = index.copy()
    for axis in axes:
        index[axis], others[axis] = (ahead, behind) if step > 0 else (behind, ahead)
    got, expected = c.got[tuple(index)], c.expected[tuple(others)]
    several = len(np.unique(np.round(expected, 9))) > 4
    return several and c.near(got, expected)


def first_for_all(c: Clues) -> str | None:
    """All samples have the gradient of the first, or last."""
    if c.expected.ndim > 1 and len(c.expected) > 1:
        for which, name in ((0, "first"), (-1, "last")):
            if c.is_got(np.broadcast_to(c.expected[which], c.expected.shape)):
                return f"got = expected of the {name} sample everywhere -> the {name} sample alone?"
    return None


def other_places(c: Clues) -> str | None:
    """The same numbers at other places."""
    count = int(c.wrong.sum())
    if count < 4:
        return None
    got, expected = np.sort(c.got[c.wrong]), np.sort(c.expected[c.wrong])
    distinct = len(np.unique(np.round(expected / (c.tolerance or 1))))
    if distinct >= 4 and c.near(got, expected):
        return "got has the right numbers at other places -> a permutation, or its inverse?"
    return None


def summed_up(c: Clues) -> str | None:
    """Every entry is the sum of all, or of its slice."""
    if c.got.size < 3:
        return None
    if np.ptp(c.got) <= c.tolerance and abs(c.got.flat[0] - c.expected.sum()) <= c.tolerance:
        return "got = the sum of all of expected, everywhere -> summed over one axis too many?"
    return None


def some_samples(c: Clues) -> str | None:
    """Only some slices of gradOutput count."""
    if not c.has_slopes or not c.outputs:
        return None
    if c.changed == "ids" and c.derivative.variable.kind == "parameter" and in_one_row(c):
        # Which row makes the difference then, not which sample has it.
        return None
    for axis, length in enumerate(c.outputs):
        if length < 2:
            continue
        what = "sample" if axis == 0 and c.rows == length else f"slice of gradOutput's axis {axis}"
        for name, kept in (
            (f"only the first {what}", [0]),
            (f"only the last {what}", [length - 1]),
            (f"all but the first {what}", range(1, length)),
            (f"all but the last {what}", range(length - 1)),
        ):
            if c.gives_array(partial(chosen, axis=axis, kept=kept)):
                return f"got = expected of {name} -> is the rest overwritten, or left out?"
            if len(kept) == 1 and c.gives_array(partial(spread, axis=axis, kept=kept)):
                return f"got = expected of {name} of gradOutput everywhere -> fed to each?"
    return None


def in_one_row(c: Clues) -> bool:
    """Tell whether all that is wrong lies in one row."""
    return c.wrong.ndim > 0 and len(set(np.argwhere(c.wrong)[:, 0])) == 1 < len(c.wrong)


def chosen(array: Any, axis: int, kept: Any) -> Any:
    """Return the array, zero outside of the slices that are kept."""
    found = np.zeros_like(array)
    index = (slice(None),) * axis + (list(kept),)
    found[index] = array[index]
    return found


def spread(array: Any, axis: int, kept: Any) -> Any:
    """Return an array of this shape whose slices all are the one that is kept."""
    return np.broadcast_to(np.take(array, kept, axis=axis), array.shape)


def moved_gradOutput(c: Clues) -> str | None:
    """Gradients of other outputs: shifted, in reverse, transposed, reshaped, exchanged."""
    if not c.has_slopes:
        return None
    weights = c.derivative.weights
    if len(weights) == 2 and weights[0].shape == weights[1].shape and c.gives(lambda w: w[::-1]):
        return "got = expected of gradOutput with its entries swapped -> entries swapped?"
    for i in range(len(weights) if len(weights) > 1 else 0):
        for name, alone in ((f"output {i} alone", True), (f"all outputs but {i}", False)):
            if c.gives(partial(some_of, which=i, alone=alone)):
                return f"got = expected of {name} -> is the other gradOutput left out?"
    if not c.outputs or weights[0].size < 3:
        return None
    for axis in range(len(c.outputs)):
        if c.gives_array(partial(np.flip, axis=axis)):
            return f"got = expected of gradOutput reversed along axis {axis} -> reversed?"
        for step in (1, -1):
            for moved in (shifted, rolled):
                if c.gives_array(partial(moved, step, axis=axis)):
                    return f"got = expected of gradOutput off by one along axis {axis}?"
    for order in permutations(range(len(c.outputs))):
        if order == tuple(range(len(c.outputs))):
            continue
        if c.gives_array(partial(transposed_as, order=order)):
            return f"got = expected of gradOutput transposed by {list(order)} -> axes exchanged?"
        if c.gives_array(partial(reshaped_as, order=order)):
            return "got = expected of gradOutput reshaped where it must be transposed?"
    return None


def some_of(arrays: list[Any], which: int, alone: bool) -> list[Any]:
    """Return the arrays, zero but for one of them, or that one zero."""
    return [array * ((i == which) == alone) for i, array in enumerate(arrays)]


def transposed_as(array: Any, order: Any) -> Any:
    """Return the array with its axes in another order, read off in its own shape."""
    return array.transpose(order).reshape(array.shape)


def reshaped_as(array: Any, order: Any) -> Any:
    """Return what `transposed_as` was made of."""
    turned = tuple(array.shape[i] for i in order)
    return array.reshape(turned).transpose(np.argsort(order))


def other_sums(c: Clues) -> str | None:
    """The sum of gradOutput over some axes, where that over others is meant."""
    if not c.has_slopes or not c.outputs:
        return None
    sums = [
        axes
        for axes in subsets(len(c.outputs))
        if tuple(n for i, n in enumerate(c.outputs) if i not in axes) == c.got.shape
    ]
    for meant in sums:
        slopes = np.zeros((*c.outputs, *c.got.shape))
        kept = [i for i in range(len(c.outputs)) if i not in meant]
        for index in np.ndindex(c.outputs):
            slopes[index + tuple(index[i] for i in kept)] = 1
        if not c.near(slopes.reshape(c.jacobian.shape), c.jacobian):
            continue
        for axes in sums:
            answers = zip(c.derivative.trials, c.derivative.answers, strict=True)
            if axes != meant and all(c.near(w[0].sum(axis=tuple(axes)), a) for w, a in answers):
                return f"got = gradOutput summed over axes {axes}, where {meant} are meant?"
    return None


def reshaped(c: Clues) -> str | None:
    """The gradient is reshaped where it must be transposed."""
    for order in permutations(range(c.got.ndim)):
        if order == tuple(range(c.got.ndim)):
            continue
        if c.is_got(transposed_as(c.expected, order)):
            return "got = expected reshaped where it must be transposed?"
        if c.is_got(reshaped_as(c.expected, order)):
            return "got = expected transposed where it must be reshaped?"
    return None


def orders(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the orders of the axes that leave the shape as it is."""
    for order in permutations(range(len(shape))):
        if order != tuple(range(len(shape))) and tuple(shape[i] for i in order) == shape:
            yield order


def rolled(step: int, array: Any, axis: int) -> Any:
    """Return the array one place on along an axis, around its end."""
    return np.roll(array, step, axis=axis)


def shifted(step: int, array: Any, axis: int) -> Any:
    """Return the array one place on along an axis; what comes in is 0."""
    moved = np.roll(array, step, axis=axis)
    index: list[Any] = [slice(None)] * array.ndim
    index[axis] = 0 if step > 0 else -1
    moved[tuple(index)] = 0
    return moved


def subsets(n: int) -> Iterator[list[int]]:
    """Yield the subsets of some axes."""
    for bits in range(2**n):
        yield [axis for axis in range(n) if bits >> axis & 1]
