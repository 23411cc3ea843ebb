"""Networks of nodes."""

from cases import Case, draw
from torchlite.nn import (
    BatchNormalization,
    CAddTable,
    CMulTable,
    ConcatTable,
    Dropout,
    FlattenTable,
    Identity,
    JoinTable,
    JustElement,
    JustTable,
    Linear,
    LookupTable,
    ModuleFromCriterion,
    MSECriterion,
    Narrow,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    SplitTable,
    Tanh,
    gModule,
)
from torchlite.nn.graph import nest


def chain():
    x = Linear(3, 4)()
    return gModule([x], [Linear(4, 2)(Tanh()(x))])


def residual():
    """Two branches and a skip, and a node that is used three times."""
    x = Identity()()
    h = Tanh()(Linear(3, 4)(x))
    y = CAddTable()([x, Linear(4, 3)(h), Linear(4, 3, False)(CMulTable()([h, Sigmoid()(h)]))])
    return gModule([x], [ReLU()(y)])


def lstm(inputs, size):
    x, c, h = Identity()(), Identity()(), Identity()()
    sums = CAddTable()([Linear(inputs, 4 * size)(x), Linear(size, 4 * size)(h)])
    i, f, o, g = SplitTable(1)(Reshape(4, size, batchMode=True)(sums)).split(4)
    memory = CMulTable()([Sigmoid()(f), c])
    c2 = CAddTable()([memory, CMulTable()([Sigmoid()(i), Tanh()(g)])])
    return gModule([x, c, h], [c2, CMulTable()([Sigmoid()(o), Tanh()(c2)])])


def used_by_itself(size=2):
    """An input that is an output too, and one that is used twice."""
    x, y = Identity()(), Identity()()
    return gModule([x, y], [x, CAddTable()([Linear(size, size)(x), y]), Tanh()(y)])


def partly_used():
    x = Identity()()
    first, _, last = ConcatTable(Linear(3, 2), ReLU(), Linear(3, 2))(x).split(3)
    return gModule([x], [CMulTable()([first, last])])


def twice():
    """The same module at two nodes."""
    x, layer = Identity()(), Linear(3, 3)
    return gModule([x], [layer(Tanh()(layer(x)))])


def nested():
    """A gModule in a Sequential in a gModule, with tables going in and out."""
    x, y = Identity()(), Identity()()
    inner = Sequential(used_by_itself(), JoinTable(1), Linear(6, 1))
    z = inner(nest([x, y]))
    return gModule([x, y], [z, FlattenTable()(nest([x, [y]]))])


def normalised():
    x = Identity()()
    h = BatchNormalization(2)(Linear(2, 2)(x))
    return gModule([x], [CAddTable()([Dropout(0.5)(h), h])])


def embedding():
    """Ids go to a table of vectors and on as they are."""
    x = Narrow(1, 0, 2)()
    return gModule([x], [LookupTable(9, 2)(x), x])


def ids(*shape):
    return lambda rng: rng.integers(0, 9, shape)


def scores_and_ids(rng):
    return [draw(rng, (4, 3)), [rng.integers(0, 9, (4, 2))]]


CASES = [
    Case(JustElement, [(4, 3)]),
    Case(JustElement, lambda rng: [[rng.integers(0, 9, (4, 3)), draw(rng, (2,))]], name="mixed"),
    Case(JustTable, (4, 3)),
    Case(JustTable, scores_and_ids, name="mixed"),
    Case(lambda: ModuleFromCriterion(MSECriterion()), [(4, 3), (4, 3)]),
    Case(chain, (3, 3), name="chain"),
    Case(residual, (2, 3), name="residual"),
    Case(lambda: lstm(2, 1), [(2, 2), (2, 1), (2, 1)], name="LSTM"),
    Case(used_by_itself, [(2, 2), (2, 2)], name="outputs"),
    Case(partly_used, (3, 3), name="partly-used"),
    Case(twice, (3, 3), name="twice"),
    Case(nested, [(2, 2), (2, 2)], name="nested"),
    Case(normalised, (3, 2), name="normalised"),
    Case(embedding, ids(4, 3), name="ids"),
]
