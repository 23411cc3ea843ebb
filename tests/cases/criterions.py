"""Criterions."""

import numpy as np

from cases import Case
from torchlite import nn

WEIGHTS = np.array([1.0, 2.0, 0.5])


def classes(*shape, n):
    return lambda rng: rng.integers(0, n, shape)


def signs(*shape):
    return lambda rng: 2.0 * rng.integers(0, 2, shape) - 1


def binary(*shape):
    return lambda rng: rng.integers(0, 2, shape).astype("float64")


def between(low, high, *shape):
    """Return numbers between two others, multiples of 1/1024 in distance from them."""
    return lambda rng: low + (high - low) * rng.integers(1, 1024, shape) / 1024


def always(value):
    return lambda rng: value


def apart(*shape):
    """Return two arrays that have no entry in common."""
    return lambda rng: [(2 * rng.integers(-32, 32, shape) + odd) / 16 for odd in (0, 1)]


def labels(rng):
    return np.array([[1, 3, -1, 0], [0, -1, -1, -1], [2, 0, 1, 3], [-1, 2, 2, 2], [3, 3, -1, -7]])


CASES = [
    Case(nn.MSECriterion, (5, 3), (5, 3), formula=lambda mp, x, y: ((x - y) ** 2).mean()),
    Case(lambda: nn.MSECriterion(False), (4,), (4,), name="sum"),
    Case(nn.AbsCriterion, (5, 3), (5, 3)),
    Case(nn.SmoothL1Criterion, (5, 3), (5, 3)),
    Case(lambda: nn.WeightedMSECriterion(WEIGHTS), (5, 3), (5, 3)),
    Case(lambda: nn.WeightedMSECriterion(WEIGHTS), (3,), (3,), name="one sample"),
    Case(lambda: nn.WeightedMSECriterion(WEIGHTS[None] + np.eye(2, 3)), (2, 3), (2, 3), name="all"),
    Case(nn.SpatialAutoCropMSECriterion, (2, 3, 2, 4), (2, 3, 5, 4)),
    Case(nn.SpatialAutoCropMSECriterion, (3, 2, 1), (3, 3, 4), name="one sample"),
    Case(nn.BCECriterion, between(0.25, 0.75, 5, 3), between(0, 1, 5, 3)),
    Case(
        lambda: nn.BCECriterion(WEIGHTS),
        between(0.25, 0.75, 5, 3),
        between(0, 1, 5, 3),
        name="weights",
    ),
    Case(nn.MultiLabelSoftMarginCriterion, (5, 3), binary(5, 3)),
    Case(lambda: nn.MultiLabelSoftMarginCriterion(WEIGHTS), (5, 3), binary(5, 3), name="weights"),
    Case(nn.DistKLDivCriterion, (5, 3), between(-1, 1, 5, 3)),
    Case(nn.MarginCriterion, (5, 3), signs(5, 3)),
    Case(lambda: nn.MarginCriterion(0.5), (5, 3), (5, 3), name="any target"),
    Case(nn.SoftMarginCriterion, (5, 3), signs(5, 3)),
    Case(lambda: nn.HingeEmbeddingCriterion(1.5), (5, 3), signs(5, 3)),
    Case(nn.HingeEmbeddingCriterion, between(0, 1, 1), always(-1), name="one number"),
    Case(nn.L1Cost, (5, 3)),
    Case(nn.ClassNLLCriterion, (5, 3), classes(5, n=3)),
    Case(nn.ClassNLLCriterion, (3,), always(1), name="one sample"),
    Case(lambda: nn.ClassNLLCriterion(WEIGHTS), (5, 3), classes(5, n=3), name="weights"),
    Case(
        lambda: nn.ClassNLLCriterion(WEIGHTS, ignoreIndex=-1),
        (5, 3),
        always(np.array([2, -1, 0, -1, 1])),
        name="ignored",
    ),
    Case(nn.SpatialClassNLLCriterion, (2, 3, 4, 2), classes(2, 4, 2, n=3)),
    Case(
        lambda: nn.SpatialClassNLLCriterion(WEIGHTS),
        (3, 4, 2),
        classes(4, 2, n=3),
        name="weights, one sample",
    ),
    Case(nn.CrossEntropyCriterion, (5, 3), classes(5, n=3)),
    Case(nn.CrossEntropyCriterion, (3,), always(2), name="one sample"),
    Case(lambda: nn.CrossEntropyCriterion(WEIGHTS), (5, 3), classes(5, n=3), name="weights"),
    Case(lambda: nn.ClassSimplexCriterion(4), (5, 4), classes(5, n=4)),
    Case(lambda: nn.ClassSimplexCriterion(4), (4,), always(3), name="one sample"),
    Case(nn.MultiMarginCriterion, (5, 3), classes(5, n=3)),
    Case(lambda: nn.MultiMarginCriterion(2), (5, 3), classes(5, n=3), name="squared"),
    Case(
        lambda: nn.MultiMarginCriterion(2, WEIGHTS, 1.5),
        (5, 3),
        classes(5, n=3),
        name="weights",
    ),
    Case(nn.MultiMarginCriterion, (3,), always(0), name="one sample"),
    Case(nn.MultiLabelMarginCriterion, (5, 4), labels),
    Case(
        nn.MultiLabelMarginCriterion,
        (4,),
        always(np.array([2, 0, -1, 5])),
        name="one sample",
    ),
    Case(lambda: nn.L1HingeEmbeddingCriterion(50), apart(5, 3), always(-1)),
    Case(nn.L1HingeEmbeddingCriterion, apart(4), always(1), name="alike"),
    Case(nn.CosineEmbeddingCriterion, [(5, 3), (5, 3)], signs(5)),
    Case(
        lambda: nn.CosineEmbeddingCriterion(0.5),
        [(3,), (3,)],
        always(1),
        name="one sample",
    ),
    Case(nn.MarginRankingCriterion, [(5,), (5,)], signs(5)),
    Case(nn.MarginRankingCriterion, [(1,), (1,)], always(-1), name="one number"),
    Case(nn.DistanceRatioCriterion, [(5,), (5,)]),
    Case(
        lambda: nn.MultiCriterion().add(nn.MSECriterion(), 0.5).add(nn.SmoothL1Criterion()),
        (5, 3),
        (5, 3),
    ),
    Case(
        lambda: (
            nn.MultiCriterion().add(nn.MarginRankingCriterion(), 2).add(nn.DistanceRatioCriterion())
        ),
        [(5,), (5,)],
        signs(5),
        name="tables",
    ),
    Case(
        lambda: nn.ParallelCriterion().add(nn.MSECriterion(), 0.5).add(nn.ClassNLLCriterion(), 2),
        [(5, 2), (5, 3)],
        lambda rng: [rng.normal(size=(5, 2)), rng.integers(0, 3, 5)],
    ),
    Case(
        lambda: nn.ParallelCriterion(True).add(nn.MSECriterion()).add(nn.AbsCriterion(), 3),
        [(5, 2), (5, 2)],
        (5, 2),
        name="one target",
    ),
    Case(
        lambda: nn.ModuleCriterion(nn.MSECriterion(), nn.Tanh(), nn.MulConstant(2)),
        (5, 3),
        (5, 3),
    ),
    Case(
        lambda: nn.ModuleCriterion(nn.ClassNLLCriterion(), nn.LogSoftMax()),
        (5, 3),
        classes(5, n=3),
        name="input only",
    ),
]
