"""Simple layers without parameters: what rearranges, picks, reduces and multiplies entries."""

import numpy as np

from cases import Case, of_integers
from torchlite import nn


def distinct(*shape):
    """Return a maker of inputs without ties."""
    size = int(np.prod(shape))
    return lambda rng: (2 * rng.permutation(np.arange(-size, size))[:size] + 1).reshape(shape) / 16


def with_indices(*shape, n, k):
    """Return a maker of an array and k of its n indices."""
    return lambda rng: [distinct(*shape)(rng), rng.integers(0, n, k)]


def with_mask(*shape):
    """Return a maker of an array and a mask that picks half of it."""
    half = np.arange(np.prod(shape)) % 2 == 0
    return lambda rng: [distinct(*shape)(rng), rng.permutation(half).reshape(shape)]


CASES = [
    Case(lambda: nn.Max(1), distinct(4, 3)),
    Case(lambda: nn.Max(), distinct(4, 3), name="first"),
    Case(lambda: nn.Max(0, 2), distinct(4, 3, 2), name="sample"),
    Case(lambda: nn.Max(-1, 1), distinct(5), name="line"),
    Case(lambda: nn.Min(1), distinct(4, 3, 2)),
    Case(lambda: nn.Min(-2, 2), distinct(4, 3, 2), name="sample"),
    Case(lambda: nn.Sum(1), (4, 3)),
    Case(lambda: nn.Sum(0), (4, 3), name="first"),
    Case(lambda: nn.Sum(1, None, True, False), (4, 3, 2), name="average-kept"),
    Case(lambda: nn.Sum(0, 2), (4, 3, 2), name="sample"),
    Case(lambda: nn.Sum(), (5,), name="line"),
    Case(lambda: nn.Mean(1), (4, 3)),
    Case(lambda: nn.Mean(0, 2), (4, 3, 2), name="sample"),
    Case(lambda: nn.Normalize(2), (4, 3)),
    Case(lambda: nn.Normalize(2), (5,), name="one"),
    Case(lambda: nn.Normalize(1), (4, 3), name="p1"),
    Case(lambda: nn.Normalize(2.5, 1e-3), (4, 3), name="p2.5"),
    Case(lambda: nn.Normalize(3), (4, 3), name="p3"),
    Case(lambda: nn.Normalize(0.5), (4, 3), name="p0.5"),
    Case(
        lambda: nn.Normalize(np.inf),
        distinct(4, 3),
        name="inf",
    ),
    Case(lambda: nn.Copy(), (4, 3)),
    Case(lambda: nn.Copy(forceCopy=True), (4, 3), name="forced"),
    Case(lambda: nn.Contiguous(), (4, 3)),
    Case(lambda: nn.Narrow(1, 1, 2), (4, 3)),
    Case(lambda: nn.Narrow(-2, -3, -2), (2, 4, 3), name="from-the-end"),
    Case(lambda: nn.Narrow(0, 1, -1), (5, 3), name="first"),
    Case(lambda: nn.Select(1, 2), (4, 3)),
    Case(lambda: nn.Select(-2, -1), (4, 3, 2), name="from-the-end"),
    Case(lambda: nn.Select(0, 1), (4, 3), name="first"),
    Case(lambda: nn.Index(1), with_indices(4, 3, n=3, k=5)),
    Case(lambda: nn.Index(0), with_indices(4, 3, n=4, k=6), name="first"),
    Case(lambda: nn.MaskedSelect(), with_mask(4, 3)),
    Case(lambda: nn.Replicate(3), (2, 4)),
    Case(lambda: nn.Replicate(2, -1), (4, 3, 2), name="last"),
    Case(lambda: nn.Replicate(3, 0, 2), (4, 3, 2), name="sample"),
    Case(lambda: nn.Reshape(2, 3), (4, 6)),
    Case(lambda: nn.Reshape(2, 6), (4, 3), name="whole"),
    Case(lambda: nn.Reshape(6, True), (4, 2, 3), name="batch"),
    Case(lambda: nn.Reshape(6, False), (6,), name="one"),
    Case(lambda: nn.View(2, 3), (4, 6)),
    Case(lambda: nn.View(6, -1), (4, 3), name="open"),
    Case(
        lambda: nn.View(-1).setNumInputDims(2),
        (4, 2, 3),
        name="batch",
    ),
    Case(lambda: nn.Collapse(2), (4, 3, 2)),
    Case(lambda: nn.Collapse(2), (3, 2), name="one"),
    Case(lambda: nn.Squeeze(), (4, 1, 3, 1)),
    Case(
        lambda: nn.Squeeze(1),
        (4, 1, 1),
        name="one-dimension",
    ),
    Case(lambda: nn.Squeeze(None, 2), (4, 1, 3), name="batch"),
    Case(lambda: nn.Unsqueeze(1), (4, 3)),
    Case(lambda: nn.Unsqueeze(-1), (4, 3), name="last"),
    Case(lambda: nn.Unsqueeze(0, 1), (4, 3), name="sample"),
    Case(lambda: nn.Transpose((0, 1)), (4, 3)),
    Case(lambda: nn.Transpose((1, 2), (2, -1)), (4, 3, 2), name="two"),
    Case(lambda: nn.Transpose((0, 1)).setNumInputDims(2), (4, 3, 2), name="sample"),
    Case(lambda: nn.Padding(1, 2), (4, 3)),
    Case(lambda: nn.Padding(-1, -2, None, 9, 1), (4, 3), name="inside"),
    Case(lambda: nn.Padding(0, 2, 1, 9, 1), (4, 3), name="sample"),
    Case(lambda: nn.Constant([[1, 2, 3], [4, 5, 6]], 1), (4, 3)),
    Case(lambda: nn.Constant(3.5), (4, 3), name="number"),
    Case(lambda: nn.OneHot(5), lambda rng: rng.integers(0, 5, (4, 3, 2))),
    Case(lambda: nn.PrintSize("p"), (4, 3)),
    Case(lambda: nn.ZeroGrad(), (4, 3)),
    Case(lambda: nn.Convert("bchw", "bf"), (4, 3, 2, 2)),
    Case(lambda: nn.Convert("chw", "hwc"), (4, 3, 2, 5), name="order"),
    Case(lambda: nn.Convert("chb", "bf"), (2, 3, 4), name="batch-last"),
    Case(lambda: nn.Convert("bf", "fb"), (4, 3), name="turn"),
    Case(
        lambda: nn.Convert("bt", "b"),
        (4, 3),
        name="pick",
    ),
    Case(lambda: nn.Convert("b", "bt"), (4,), name="rows"),
    Case(lambda: nn.Convert("chw", "f"), (3, 2, 4), name="one"),
    Case(lambda: nn.Convert(), (4, 3, 2), name="any"),
    Case(lambda: nn.MM(), [(4, 2, 3), (4, 3, 5)]),
    Case(lambda: nn.MM(True, True), [(4, 3, 2), (4, 5, 3)], name="transposed"),
    Case(lambda: nn.MM(True), [(3, 2), (3, 5)], name="one"),
    Case(lambda: nn.MV(), [(2, 3), (3,)]),
    Case(
        lambda: nn.MV(),
        [(4, 2, 3), (4, 3)],
        name="batch",
    ),
    Case(lambda: nn.MV(True), [(4, 3, 2), (4, 3)], name="transposed"),
]

MOVING = (
    nn.Collapse,
    nn.Contiguous,
    nn.Copy,
    nn.Index,
    nn.MaskedSelect,
    nn.Narrow,
    nn.Padding,
    nn.PrintSize,
    nn.Replicate,
    nn.Reshape,
    nn.Select,
    nn.Squeeze,
    nn.Transpose,
    nn.Unsqueeze,
    nn.View,
    nn.ZeroGrad,
)
# 9 is no boolean.
CASES += [
    row
    for case in CASES
    if isinstance(case.make(), MOVING)
    for row in of_integers(case)
    if not (getattr(case.make(), "value", 0) == 9 and "booleans" in row.name)
]
