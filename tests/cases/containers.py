"""Containers: modules one after the other, side by side, and wrapped."""

from itertools import pairwise

from cases import Case, draw
from torchlite.nn import (
    GPU,
    Bottle,
    CAddTable,
    Concat,
    ConcatTable,
    Decorator,
    DepthConcat,
    DontCast,
    Identity,
    JoinTable,
    Linear,
    LookupTable,
    MapTable,
    NaN,
    Narrow,
    Parallel,
    ParallelTable,
    Profile,
    ReLU,
    Select,
    SelectTable,
    Sequential,
    SplitTable,
    Tanh,
    Transpose,
    WeightNorm,
)


def mlp(*sizes):
    """Return a Sequential of Linear layers with ReLUs between."""
    first, *rest = pairwise(sizes)
    net = Sequential(Linear(*first))
    for size in rest:
        net.add(ReLU()).add(Linear(*size))
    return net


def residual():
    return Sequential(ConcatTable(mlp(3, 4, 3), Identity()), CAddTable(), ReLU())


def autoencoder(inputs, hidden):
    """Return a network whose decoder's weight is the transpose of its encoder's."""
    encoder, decoder = Linear(inputs, hidden), Linear(hidden, inputs)
    decoder.weight, decoder.gradWeight = encoder.weight.T, encoder.gradWeight.T
    return Sequential(encoder, Tanh(), decoder)


TIED = {"duck": "only of NumPy's own arrays can it be told that they share memory"}


def embedding(*before):
    """Return a network of ids: the layers before rearrange them."""
    return Sequential(*before, LookupTable(9, 2))


def ids(*shape):
    return lambda rng: rng.integers(0, 9, shape)


def flags(*shape):
    return lambda rng: rng.integers(0, 2, shape) > 0


def scores_and_ids(rng):
    return [draw(rng, (4, 3)), rng.integers(0, 9, (4, 2))]


CASES = [
    Case(lambda: Sequential(), (4, 3), name="empty"),
    Case(lambda: mlp(3, 5, 2), (4, 3), name="MLP"),
    Case(lambda: Sequential(mlp(3, 4, 4), Sequential(ReLU(), mlp(4, 2))), (4, 3), name="nested"),
    Case(residual, (4, 3), name="residual"),
    Case(lambda: autoencoder(3, 2), (4, 3), name="tied", exempt=TIED),
    Case(lambda: Concat(1, Linear(3, 2), ReLU(), mlp(3, 4, 1)), (4, 3)),
    Case(lambda: Concat(0, Linear(3, 2), Linear(3, 4)), (3,), name="sample"),
    Case(
        lambda: Concat(-1, SelectTable(0), Sequential(SelectTable(1), Linear(2, 3))),
        [(4, 3), (4, 2)],
        name="table",
    ),
    Case(lambda: DepthConcat(1, Identity(), Narrow(3, 1, 2), Narrow(2, 0, 2)), (2, 2, 5, 4)),
    Case(
        lambda: DepthConcat(0, Narrow(1, 0, 2), Linear(5, 5)),
        (3, 5),
        name="flat",
    ),
    Case(lambda: Parallel(0, 0, Linear(3, 2), Linear(3, 4)), (2, 3)),
    Case(lambda: Parallel(1, 1, Linear(3, 2), ReLU(), mlp(3, 4, 2)), (4, 3, 3), name="batch"),
    Case(lambda: Parallel(-1, -1, ReLU(), Linear(3, 2)), (4, 3, 2), name="last"),
    Case(lambda: ConcatTable(Linear(3, 2), Identity(), mlp(3, 4, 2)), (4, 3)),
    Case(
        lambda: ConcatTable(Identity(), SelectTable(1)),
        [(4, 3), [(4, 2)]],
        name="table",
    ),
    Case(lambda: ParallelTable(Linear(3, 2), ReLU(), mlp(2, 3, 2)), [(4, 3), (4, 2), (4, 2)]),
    Case(lambda: ParallelTable(Identity(), SelectTable(0)), [(3,), [(2,), (1,)]], name="nested"),
    Case(lambda: MapTable(Linear(3, 2)), [(4, 3), (4, 3), (4, 3)]),
    Case(lambda: MapTable(mlp(3, 4, 2)), [(4, 3), (2, 3)], name="MLP"),
    Case(
        lambda: MapTable(Linear(3, 2), False).resize(2),
        [(4, 3), (4, 3)],
        name="of their own",
    ),
    Case(lambda: MapTable().add(ReLU()), [(3,), (2, 2), (1,)], name="shapes"),
    Case(lambda: Bottle(Linear(4, 3)), (2, 3, 4)),
    Case(lambda: Bottle(mlp(4, 2, 3)), (5, 4), name="as-it-is"),
    Case(lambda: Bottle(Narrow(2, 0, 1), 3), (2, 2, 4, 3), name="matrices"),
    Case(lambda: Bottle(Select(2, 0), 3, 2), (2, 4, 3, 2), name="smaller"),
    Case(lambda: Decorator(mlp(3, 4, 2)), (4, 3)),
    Case(lambda: Decorator(SelectTable(1)), [(4, 3), (4, 2)], name="table"),
    Case(lambda: WeightNorm(Linear(4, 3)), (5, 4)),
    Case(lambda: WeightNorm(Linear(4, 3, False), 1), (5, 4), name="inputs"),
    Case(lambda: DontCast(mlp(3, 4, 2), True), (4, 3)),
    Case(lambda: NaN(mlp(3, 4, 2)), (4, 3)),
    Case(lambda: GPU(mlp(3, 4, 2), 1), (4, 3)),
    Case(lambda: Profile(mlp(3, 4, 2), 1000), (4, 3)),
    Case(lambda: Sequential(), ids(4, 3), name="empty-integers"),
    Case(lambda: Sequential(), [(4, 3), [(2,)]], name="empty-table"),
    Case(lambda: embedding(Transpose((0, 1))), ids(4, 3), name="ids"),
    Case(
        lambda: Sequential(SplitTable(1), MapTable(LookupTable(9, 2)), JoinTable(1)),
        ids(4, 3),
        name="ids-by-column",
    ),
    Case(lambda: Concat(1, Identity(), Narrow(1, 0, 1)), ids(4, 3), name="integers"),
    Case(lambda: Concat(1, embedding(Narrow(1, 0, 1)), LookupTable(9, 2)), ids(4, 3), name="ids"),
    Case(
        lambda: DepthConcat(1, Identity(), Narrow(2, 0, 1)),
        flags(4, 3, 2),
        name="booleans",
    ),
    Case(lambda: Parallel(1, 0, Identity(), Narrow(0, 1, 2)), ids(4, 2), name="integers"),
    Case(lambda: Parallel(1, 1, LookupTable(9, 2), LookupTable(9, 3)), ids(4, 2), name="ids"),
    Case(lambda: ConcatTable(LookupTable(9, 2), Identity(), Select(1, 0)), ids(4, 3), name="ids"),
    Case(lambda: ConcatTable(Identity(), Select(1, 0)), flags(4, 3), name="booleans"),
    Case(
        lambda: ConcatTable(Identity(), SelectTable(0), embedding(SelectTable(1))),
        scores_and_ids,
        name="mixed",
    ),
    Case(lambda: ParallelTable(ReLU(), LookupTable(9, 2)), scores_and_ids, name="mixed"),
    Case(lambda: Bottle(LookupTable(9, 2), 2, 3), ids(2, 3, 4), name="ids"),
    Case(lambda: Bottle(Narrow(1, 0, 1)), flags(2, 3, 4), name="booleans"),
    Case(lambda: Decorator(SelectTable(1)), scores_and_ids, name="mixed"),
    Case(lambda: DontCast(LookupTable(9, 2), True), ids(4, 3), name="ids"),
    Case(lambda: NaN(LookupTable(9, 2)), ids(4, 3), name="ids"),
]
