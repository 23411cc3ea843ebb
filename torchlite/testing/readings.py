"""The same layer at a batch that the input is a sample of, or at a sample of the batch that it is.

What is said of a batch, by a docstring or by a property, is said of two samples together where the
input is one sample. That it is one, the layer itself tells: it gives for both together what it
gives for each.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchlite.nn.nested import leaves, map_arrays, rebuilt, shapes
from torchlite.testing.subject import attempt

__all__ = ["readings", "together"]


def readings(s: Any) -> Iterator[Any]:
    """Yield the subject, then the others, None for what the input is not."""
    yield s
    yield together(s)
    yield alone(s)


def together(s: Any) -> Any:
    """Return the subject at two samples, of which its input is one; None if it is no sample."""
    second = s.other_input()
    samples = _stacked(s.input, second)
    if s.scalar:
        return _of_losses(s, second, samples)
    output, both = (attempt(s.forward, s.fresh(), input) for input in (second, samples))
    if output is None or both is None or not _alike(both, attempt(_stacked, s.output, output)):
        return None
    gradOutput = _shaped(_stacked(s.gradOutput, s.others()[1]), both)
    return s.at("two samples", samples, extreme=False, gradOutput=gradOutput, output=both)


def _of_losses(s: Any, second: Any, samples: Any) -> Any:
    """Return a criterion at two samples: its loss is the sum of both, or their mean."""
    losses = [attempt(s.forward, s.fresh(), input, s.target) for input in (s.input, second)]
    if any(loss is None for loss in losses):
        return None
    total = sum(losses)
    target = _stacked(s.target, s.target)
    # Of one sample it may be a plain number, of which the dtype does not matter.
    for targets in (target, map_arrays(lambda a: a.astype("float64"), target)):
        both = attempt(s.forward, s.fresh(), samples, targets)
        if both is not None and any(
            np.allclose(both, loss, 1e-9, 0) for loss in (total, total / 2)
        ):
            return s.at("two samples", samples, extreme=False, target=targets, output=both)
    return None


def alone(s: Any) -> Any:
    """Return the subject at the first sample of its batch; None if it is no batch of samples.

    Parameters have the sum over a batch as their gradients, which a sample does not show.
    """
    if s.scalar or s.names or s.rows < 2:
        return None
    for i in reversed(range(s.rows)):
        sample = _row(s.input, i)
        output, row = attempt(s.forward, s.fresh(), sample), attempt(_row, s.output, i)
        if output is None or row is None or not _alike(output, row):
            return None
    gradOutput = _shaped(_row(s.gradOutput, 0), output)
    return s.at("one sample", sample, extreme=False, gradOutput=gradOutput, output=output)


def _row(table: Any, i: int) -> Any:
    return map_arrays(lambda a: a[i, ...], table)


def _stacked(one: Any, other: Any) -> Any:
    return rebuilt(one, [np.stack(pair) for pair in zip(leaves(one), leaves(other), strict=True)])


def _shaped(table: Any, like: Any) -> Any:
    pairs = zip(leaves(table), leaves(like), strict=True)
    return rebuilt(like, [array.reshape(model.shape) for array, model in pairs])


def _alike(got: Any, expected: Any) -> bool:
    """Tell whether these are the same numbers; what is one number may be an array of it."""
    flat = [
        map_arrays(lambda a: a.reshape(a.shape[: a.ndim - (a.shape[-1:] == (1,))]), table)
        for table in (got, expected)
    ]
    return shapes(flat[0]) == shapes(flat[1]) and all(
        np.allclose(one, other, 1e-9, 1e-12) for one, other in zip(*map(leaves, flat), strict=True)
    )
