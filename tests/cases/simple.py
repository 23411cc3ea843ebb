"""Simple layers: those with parameters or randomness, and Identity."""

import numpy as np

from cases import Case
from torchlite import nn

UNGUARDED = {"maths": "Maths has the 1e-7 that this row leaves out"}


def ids(*shape):
    return lambda rng: rng.integers(0, 5, shape)


def rows_of(n):
    """n of five entries, and their values."""
    return lambda rng: np.stack([rng.integers(0, 5, n), rng.normal(size=n)], 1)


def keyed(rng, n):
    return rng.integers(0, 5, n), rng.normal(size=n)


def unguarded(layer):
    # Of distances it changes no digit; at a centre, it leaves the slope 0.
    layer._guard = 1e-30
    return layer


CASES = [
    Case(lambda: nn.Identity(), (5, 3)),
    Case(
        lambda: nn.Linear(3, 4),
        (5, 3),
        formula=lambda mp, x, weight, bias: x @ weight.T + bias,
    ),
    Case(lambda: nn.Linear(3, 4), (3,), name="one sample"),
    Case(lambda: nn.Linear(3, 4, bias=False), (5, 3), name="no bias"),
    Case(lambda: nn.LinearWeightNorm(3, 4), (5, 3)),
    Case(lambda: nn.LinearWeightNorm(3, 4), (3,), name="one sample"),
    Case(lambda: nn.LinearWeightNorm(3, 4, bias=False), (5, 3), name="no bias"),
    Case(lambda: nn.Bilinear(3, 2, 4), [(5, 3), (5, 2)]),
    Case(lambda: nn.Bilinear(3, 2, 4, bias=False), [(5, 3), (5, 2)], name="no bias"),
    Case(lambda: nn.PartialLinear(3, 4), (5, 3)),
    Case(
        lambda: nn.PartialLinear(3, 4, bias=False),
        (5, 3),
        name="no bias",
    ),
    Case(lambda: nn.PartialLinear(3, 4).setPartition([3, 0, 3]), (5, 3), name="partition"),
    Case(lambda: nn.PartialLinear(3, 4).setPartition([1]), (3,), name="one sample"),
    Case(lambda: nn.LookupTable(5, 3), ids(4)),
    Case(lambda: nn.LookupTable(5, 3), ids(4, 2), name="batch"),
    Case(
        lambda: nn.LookupTable(5, 3, paddingValue=1),
        lambda rng: np.array([[0, 1], [4, 1], [1, 3], [2, 0]]),
        name="padding",
    ),
    Case(lambda: nn.LookupTable(5, 3).scaleGradByFreq(), ids(8), name="frequency"),
    Case(lambda: nn.LookupTable(5, 3, maxNorm=1), ids(4), name="maxNorm"),
    Case(lambda: nn.SparseLinear(5, 3), rows_of(4), name="one sample"),
    Case(
        lambda: nn.SparseLinear(5, 3, True),
        lambda rng: [rows_of(4)(rng), rows_of(2)(rng)],
    ),
    Case(
        lambda: nn.SparseLinear(5, 3, True),
        lambda rng: np.stack([rows_of(4)(rng), rows_of(4)(rng)]),
        name="batch",
    ),
    Case(lambda: nn.IndexLinear(5, 3).reset(), lambda rng: list(keyed(rng, 4)), name="one sample"),
    Case(
        lambda: nn.IndexLinear(5, 3, True).reset(),
        lambda rng: list(map(list, zip(keyed(rng, 4), keyed(rng, 2), strict=True))),
    ),
    Case(
        lambda: nn.IndexLinear(5, 3, True).reset(),
        lambda rng: [*keyed(rng, 4), np.array([3, 0, 1])],
        name="flat",
    ),
    Case(lambda: nn.Kmeans(4, 3), (5, 3)),
    Case(lambda: nn.Kmeans(4, 3), (3,), name="one sample"),
    Case(
        lambda: nn.Kmeans(4, 3, 0.5),
        (5, 3),
        name="scale",
        exempt=dict.fromkeys(("scale", "maths"), "a scale of its own stands for the one given"),
    ),
    Case(lambda: nn.Add(3), (5, 3)),
    Case(lambda: nn.Add(6), (5, 2, 3), name="flattened"),
    Case(lambda: nn.Add(3, scalar=True), (5, 2), name="scalar"),
    Case(lambda: nn.CAdd(3), (5, 3)),
    Case(lambda: nn.CAdd(2, 3), (5, 2, 3), name="matrix"),
    Case(lambda: nn.CAdd((1, 3, 1)), (5, 3, 2), name="broadcast"),
    Case(lambda: nn.CAdd(1), (5, 3), name="one number"),
    Case(lambda: nn.Mul(), (5, 3)),
    Case(lambda: nn.Mul(), (3,), name="one sample"),
    Case(lambda: nn.CMul(3), (5, 3)),
    Case(lambda: nn.CMul(2, 3), (5, 2, 3), name="matrix"),
    Case(lambda: nn.CMul((1, 3, 1)), (5, 3, 2), name="broadcast"),
    Case(lambda: nn.CMul(1, 1), (5, 3, 2), name="one number"),
    Case(lambda: nn.Euclidean(3, 4), (5, 3)),
    Case(lambda: unguarded(nn.Euclidean(3, 4)), (5, 3), name="unguarded", exempt=UNGUARDED),
    Case(lambda: nn.WeightedEuclidean(3, 4), (5, 3)),
    Case(lambda: unguarded(nn.WeightedEuclidean(3, 4)), (5, 3), name="unguarded", exempt=UNGUARDED),
    Case(lambda: nn.Cosine(3, 4), (5, 3)),
    Case(lambda: nn.Maxout(3, 2, 4), (5, 3)),
    Case(lambda: nn.Maxout(3, 2, 4, nn.ReLU()), (5, 3), name="preprocess"),
    Case(lambda: nn.Dropout(), (5, 3)),
    Case(lambda: nn.Dropout(0.25, v1=True), (5, 3), name="v1"),
    Case(lambda: nn.Dropout(0.25, v1=True).evaluate(), (5, 3), name="evaluation"),
    Case(lambda: nn.Dropout(0), (5, 3), name="p 0"),
    Case(lambda: nn.Dropout(stochasticInference=True).evaluate(), (5, 3), name="stochastic"),
    Case(lambda: nn.SpatialDropout(), (5, 3, 2, 4)),
    Case(
        lambda: nn.SpatialDropout(0.25).evaluate(),
        (5, 3, 2, 4),
        name="evaluation",
    ),
    Case(lambda: nn.VolumetricDropout(), (5, 3, 1, 2, 4)),
    Case(lambda: nn.VolumetricDropout(0.25), (3, 1, 2, 4), name="one sample"),
    Case(lambda: nn.WhiteNoise(), (5, 3)),
    Case(lambda: nn.L1Penalty(0.5), (5, 3)),
    Case(lambda: nn.GradientReversal(0.5), (5, 3)),
]
