"""Table layers: what takes tables apart, puts them together, and calculates with their entries."""

import numpy as np

from cases import Case, draw, of_integers
from torchlite.nn import (
    CAddTable,
    CAddTensorTable,
    CDivTable,
    ClassNLLCriterion,
    CMaxTable,
    CMinTable,
    CMulTable,
    CosineDistance,
    CriterionTable,
    CSubTable,
    DotProduct,
    FlattenTable,
    JoinTable,
    MixtureTable,
    MSECriterion,
    NarrowTable,
    PairwiseDistance,
    SelectTable,
    SplitTable,
    ZipTable,
    ZipTableOneToMany,
)


def distinct(count, *shape):
    """Return a maker of tables of arrays without ties."""
    size = count * int(np.prod(shape))

    def make(rng):
        values = 2 * rng.permutation(np.arange(-size, size))[:size] + 1
        return list(values.reshape(count, *shape) / 16)

    return make


def far(*shapes):
    """Return a maker of arrays so far apart that 1e-6 is nothing."""
    return lambda rng: [1e6 * draw(rng, shape) for shape in shapes]


CASES = [
    Case(lambda: SplitTable(1), (4, 3, 2)),
    Case(lambda: SplitTable(-2), (4, 3), name="first"),
    Case(lambda: SplitTable(0, 1), (4, 3), name="sample"),
    Case(lambda: SplitTable(0), (5,), name="numbers"),
    Case(lambda: JoinTable(1), [(4, 3), (4, 1), (4, 2)]),
    Case(lambda: JoinTable(0), [(3,), (2,)], name="vectors"),
    Case(lambda: JoinTable(0, 1), [(4, 3), (4, 2)], name="sample"),
    Case(lambda: JoinTable(-1), [(4, 3)], name="one"),
    Case(lambda: MixtureTable(), [(4, 3), [(4, 2), (4, 2), (4, 2)]]),
    Case(lambda: MixtureTable(), [(3,), [(2,), (2,), (2,)]], name="sample"),
    Case(
        lambda: MixtureTable(),
        [(4, 2), [(4, 2, 3), (4, 2, 3)]],
        name="matrices",
    ),
    Case(lambda: MixtureTable(), [(4, 3), (4, 3, 2)], name="array"),
    Case(lambda: MixtureTable(2), [(4, 3), (4, 2, 3)], name="last"),
    Case(lambda: MixtureTable(), [(3,), (3, 2)], name="array-sample"),
    Case(lambda: SelectTable(1), [(4, 2), (4, 3), (4, 1)]),
    Case(lambda: SelectTable(-1), [(2,), [(3,), (1,)]], name="nested"),
    Case(
        lambda: SelectTable("b"),
        lambda rng: {"a": draw(rng, (4, 2)), "b": draw(rng, (4, 3))},
        name="key",
    ),
    Case(lambda: NarrowTable(1), [(4, 2), (4, 3), (4, 1)]),
    Case(lambda: NarrowTable(0, 2), [(2,), [(3,), (1,)], (1,)], name="nested"),
    Case(
        lambda: NarrowTable(-2, 2),
        [(4, 2), (4, 3), (4, 1)],
        name="end",
    ),
    Case(lambda: FlattenTable(), [(4, 2), [(4, 3), [(4, 1)]]]),
    Case(lambda: ZipTable(), [[(4, 2), (4, 3)], [(4, 1), (4, 4)]]),
    Case(lambda: ZipTable(), [[(2, 2)], [(1,)], [(3,)]], name="column"),
    Case(lambda: ZipTableOneToMany(), [(4, 2), [(4, 3), (4, 1)]]),
    Case(lambda: ZipTableOneToMany(), [[(2,), (1,)], [(3,)]], name="nested"),
    Case(lambda: PairwiseDistance(), far((4, 3), (4, 3))),
    Case(lambda: PairwiseDistance(1), distinct(2, 4, 3), name="p1"),
    Case(lambda: PairwiseDistance(1.5), far((4, 3), (4, 3)), name="p1.5"),
    Case(lambda: PairwiseDistance(3), far((4, 3), (4, 3)), name="p3"),
    Case(lambda: PairwiseDistance(3), far((3,), (3,)), name="sample"),
    Case(lambda: DotProduct(), [(4, 3), (4, 3)]),
    Case(lambda: DotProduct(), [(3,), (3,)], name="sample"),
    Case(lambda: CosineDistance(), [(4, 3), (4, 3)]),
    Case(lambda: CosineDistance(), [(3,), (3,)], name="sample"),
    Case(lambda: CriterionTable(MSECriterion()), [(4, 3), (4, 3)]),
    Case(
        lambda: CriterionTable(ClassNLLCriterion()),
        lambda rng: [draw(rng, (4, 3)), rng.integers(0, 3, 4)],
        name="classes",
    ),
    Case(lambda: CAddTable(), [(4, 3), (4, 3), (4, 3)]),
    Case(lambda: CAddTable(True), [(4, 3), (4, 3)], name="inplace"),
    Case(lambda: CAddTable(), [(4, 3)], name="one"),
    Case(lambda: CSubTable(), [(4, 3), (4, 3)]),
    Case(lambda: CMulTable(), [(4, 3), (4, 3), (4, 3)]),
    Case(lambda: CMulTable(), [(4, 3)], name="one"),
    Case(lambda: CDivTable(), [(4, 3), (4, 3)]),
    Case(lambda: CMaxTable(), distinct(3, 4, 3)),
    Case(lambda: CMinTable(), distinct(3, 4, 3)),
    Case(lambda: CMinTable(), distinct(1, 4, 3), name="one"),
    Case(lambda: CAddTensorTable(), [(4, 3), [(4, 3), (4, 3)]]),
    Case(lambda: CAddTensorTable(), [(3,), [(3,)]], name="one"),
]

MOVING = (
    FlattenTable,
    JoinTable,
    NarrowTable,
    SelectTable,
    SplitTable,
    ZipTable,
    ZipTableOneToMany,
)
CASES += [row for case in CASES if isinstance(case.make(), MOVING) for row in of_integers(case)]


def mixed(rng):
    """Return numbers, ids and booleans."""
    return [draw(rng, (4, 2)), rng.integers(0, 9, (4, 3)), [rng.integers(0, 2, (4, 1)) > 0]]


CASES += [
    Case(lambda: SelectTable(1), mixed, name="mixed"),
    Case(lambda: NarrowTable(1, 2), mixed, name="mixed"),
    Case(lambda: FlattenTable(), mixed, name="mixed"),
    Case(lambda: ZipTable(), lambda rng: [mixed(rng), mixed(rng)], name="mixed"),
    Case(
        lambda: ZipTableOneToMany(),
        lambda rng: [mixed(rng), mixed(rng)],
        name="mixed",
    ),
]
