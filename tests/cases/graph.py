"""Networks of nodes."""

from cases import Case, draw
from torchlite.nn import (
    AbsCriterion,
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
    MulConstant,
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
    i, f, o, g = SplitTable(1)(Reshape(4, size)(sums)).split(4)
    memory = CMulTable()([Sigmoid()(f), c])
    c2 = CAddTable()([memory, CMulTable()([Sigmoid()(i), Tanh()(g)])])
    return gModule([x, c, h], [c2, CMulTable()([Sigmoid()(o), Tanh()(c2)])])


def used_by_itself():
    """An input that is an output too, and one that is used twice."""
    x, y = Identity()(), Identity()()
    return gModule([x, y], [x, CAddTable()([Linear(3, 3)(x), y]), Tanh()(y)])


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
    inner = Sequential(used_by_itself(), JoinTable(1), Linear(9, 2))
    z = inner(nest([x, y]))
    return gModule([x, y], [z, FlattenTable()(nest([x, [y]]))])


def normalised():
    x = Identity()()
    h = BatchNormalization(4)(Linear(3, 4)(x))
    return gModule([x], [CAddTable()([Dropout(0.5)(h), h])])


def embedding():
    """Ids go to a table of vectors and on as they are."""
    x = Narrow(1, 0, 2)()
    return gModule([x], [LookupTable(9, 2)(x), x])


def loss():
    x, y = Identity()(), Identity()()
    return gModule([x, y], [MSECriterion()([Linear(3, 2)(x), y])])


def ids(*shape):
    return lambda rng: rng.integers(0, 9, shape)


def scores_and_ids(rng):
    return [draw(rng, (4, 3)), [rng.integers(0, 9, (4, 2))]]


CASES = [
    Case(JustElement, [(4, 3)]),
    Case(JustElement, [[(4, 3), (2,)]], name="table"),
    Case(JustElement, lambda rng: [rng.integers(0, 9, (4, 3))], name="integers"),
    Case(JustTable, (4, 3)),
    Case(JustTable, [(4, 3), [(2,)]], name="table"),
    Case(JustTable, scores_and_ids, name="mixed"),
    Case(lambda: ModuleFromCriterion(MSECriterion()), [(4, 3), (4, 3)]),
    Case(lambda: ModuleFromCriterion(AbsCriterion()), [(3,), (3,)], name="sample"),
    Case(chain, (4, 3), name="chain"),
    Case(residual, (4, 3), name="residual"),
    Case(residual, (3,), name="sample"),
    Case(lambda: lstm(3, 2), [(4, 3), (4, 2), (4, 2)], name="LSTM"),
    Case(used_by_itself, [(4, 3), (4, 3)], name="outputs"),
    Case(partly_used, (4, 3), name="partly-used"),
    Case(twice, (4, 3), name="twice"),
    Case(nested, [(4, 3), (4, 3)], name="nested"),
    Case(normalised, (4, 3), name="normalised"),
    Case(embedding, ids(4, 3), name="ids"),
    Case(loss, [(4, 3), (4, 2)], name="loss"),
    Case(lambda: Sequential(residual(), MulConstant(2), chain()), (4, 3), name="of gModules"),
]
