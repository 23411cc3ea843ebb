"""More layers: dpnn and nnx."""

import numpy as np

from cases import Case
from torchlite import nn

# Rewards of five samples.
REWARDS = np.array([0.5, -1.0, 2.0, 0.25, -0.75])
TREE = {0: [1, 2, 3], 2: [4, 5], 3: [6, 7, 8]}


def probabilities(*shape):
    """Numbers between 0 and 1, in sixty-fourths."""
    return lambda rng: rng.integers(1, 64, shape) / 64


def rows_of_probabilities(n, classes):
    def drawn(rng):
        p = rng.integers(1, 64, (n, classes)) / 64
        return p / p.sum(1, keepdims=True)

    return drawn


def with_classes(shape, classes):
    """Numbers, and a class for each of the first dimension."""
    return lambda rng: [
        (2 * rng.integers(-32, 32, shape) + 1) / 16,
        rng.choice(classes, shape[0]),
    ]


def signs(*shape):
    return lambda rng: rng.choice([-1.0, 1.0], shape)


def normalized(layer, logsoftmax=False):
    layer.normalized, layer.logsoftmax = True, logsoftmax
    return layer.evaluate()


def rowwise(layer):
    layer.batchnoise = False
    return layer


def noise(classes):
    return np.arange(1.0, classes + 1)


CASES = [
    Case(lambda: nn.LinearNoBias(3, 4), (5, 3)),
    Case(lambda: nn.Clip(-1, 0.5), (5, 3)),
    Case(lambda: nn.ArgMax(), (5, 3)),
    Case(lambda: nn.ArgMax(1, 2, False), (2, 4, 3), name="numbers"),
    Case(lambda: nn.ReverseTable(), [(5, 3), (5, 2), (5, 3)]),
    Case(lambda: nn.SpatialFeatNormalization(noise(2), 2 * noise(2)), (3, 2, 4, 5)),
    Case(lambda: nn.CategoricalEntropy(), rows_of_probabilities(5, 3)),
    Case(lambda: nn.CategoricalEntropy(2, 0.5), rows_of_probabilities(5, 3), name="enough"),
    Case(lambda: nn.Dropout(lazy=True), (5, 3), name="lazy"),
    Case(lambda: nn.Dropout(mono=True), (5, 3), name="mono"),
    Case(lambda: nn.TotalDropout(), (5, 3)),
    Case(lambda: nn.SpatialRegionDropout(0.5), (3, 2, 4, 5)),
    Case(
        lambda: nn.Inception(
            {
                "inputSize": 1,
                "outputSize": [2],
                "reduceSize": [1],
                "kernelSize": [3],
                "transfer": nn.Tanh(),
                "pool": nn.SpatialAveragePooling(2, 2),
            }
        ),
        (2, 1, 2, 3),
    ),
    Case(lambda: nn.FireModule(1, 1, 1, 2, "Tanh"), (2, 1, 2, 3)),
    Case(lambda: nn.SpatialGlimpse(2, 2), [(3, 2, 5, 4), (3, 2)]),
    Case(lambda: nn.SpatialGlimpse([2, 3], 2, 1.5), [(3, 2, 5, 4), (3, 2)], name="linear"),
    Case(lambda: nn.SoftMaxTree(3, TREE), with_classes((5, 3), [1, 4, 5, 6, 8])),
    Case(lambda: nn.NCEModule(3, 6, 4, noise(6), 2), with_classes((5, 3), 6)),
    Case(lambda: rowwise(nn.NCEModule(3, 6, 2, noise(6), 2)), with_classes((5, 3), 6), name="rows"),
    Case(
        lambda: normalized(nn.NCEModule(3, 6, 4, noise(6), 2)),
        with_classes((5, 3), 6),
        name="normalized",
    ),
    Case(
        lambda: normalized(nn.NCEModule(3, 6, 4, noise(6), 2), True),
        with_classes((5, 3), 6),
        name="logsoftmax",
    ),
    Case(lambda: nn.ReinforceBernoulli().reinforce(REWARDS), probabilities(5, 3)),
    Case(lambda: nn.ReinforceCategorical().reinforce(REWARDS), rows_of_probabilities(5, 3)),
    Case(lambda: nn.ReinforceNormal(0.5).reinforce(REWARDS), (5, 3)),
    Case(
        lambda: nn.ReinforceNormal().reinforce(REWARDS),
        lambda rng: [
            (2 * rng.integers(-32, 32, (5, 3)) + 1) / 16,
            rng.integers(1, 64, (5, 3)) / 16,
        ],
        name="table",
    ),
    Case(
        lambda: nn.ReinforceGamma().reinforce(REWARDS),
        lambda rng: [rng.integers(1, 64, (5, 3)) / 16, rng.integers(1, 64, (5, 3)) / 16],
    ),
    Case(
        lambda: nn.ReinforceGamma(2).reinforce(REWARDS).evaluate(),
        probabilities(5, 3),
        name="evaluation",
        formula=lambda mp, k: 2 * k,
    ),
    Case(lambda: nn.BinaryLogisticRegression(), (5,), target=signs(5)),
    Case(lambda: nn.SpatialBinaryLogisticRegression(), (2, 1, 3, 4), target=signs(2, 1, 3, 4)),
    Case(lambda: nn.TreeNLLCriterion(), (5,), formula=lambda mp, x: -sum(x) / 5),
    Case(
        lambda: nn.NCECriterion(),
        lambda rng: [rng.integers(1, 64, shape) / 64 for shape in ((5,), (5, 4)) * 2],
    ),
    Case(
        lambda: nn.VRClassReward(nn.ReinforceBernoulli()),
        [(5, 3), (5, 1)],
        target=lambda rng: rng.integers(0, 3, 5),
    ),
    Case(
        lambda: nn.BinaryClassReward(nn.ReinforceBernoulli()),
        [(5,), (5,)],
        target=lambda rng: rng.integers(0, 2, 5),
    ),
]
