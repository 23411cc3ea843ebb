"""The tool that breaks calls off in the middle, and what a call broken off leaves behind."""

import contextlib
import functools
import threading
from contextvars import Context, ContextVar

import numpy as np
import pytest
from cases import rows
from interruption import INSIDE_LINES, Exhausted, Interrupted, break_off, interruptions, lines

from torchlite import nn, random
from torchlite.errors import DTypeError, ShapeError, StateError
from torchlite.kernels.blas import active
from torchlite.kernels.flat import stretch
from torchlite.nn._remembering import Remembering, numpy_raises
from torchlite.nn.module import fails_anywhere
from torchlite.nn.nested import is_floating, leaves, map_arrays, same
from torchlite.nn.stateful import arrays_in, parts

X = np.array([[1.0, 2.0], [3.0, -1.0]])
G = np.array([[1.0, -2.0], [0.5, 4.0]])
errors = pytest.mark.parametrize("error", [Exhausted, Interrupted])


try:
    with np.errstate(over="raise"):
        np.ones(2).dot(np.full((2, 2), 1e308))
    TOLD = False
except FloatingPointError:
    TOLD = True
overflows_are_told = pytest.mark.skipif(
    not TOLD, reason="NumPy up to 2.2 does not tell of an overflow in a product"
)

# ---------------------------------------------------------------- the tool


class Counting(nn.Module):
    """Nothing of its own is torchlite's but what it calls."""

    count = 0

    def updateOutput(self, input):
        self.count += 1
        nn.nested.shapes(input)
        self.count += 1
        return input


@pytest.mark.parametrize("opcodes", [False, True] if INSIDE_LINES else [False])
@errors
def test_a_call_is_broken_off_before_each_of_its_lines(error, opcodes):
    def call(layer):
        return layer.forward(X)

    expected = lines(call, Counting(), opcodes)
    assert {file for file, _ in expected} == {"kernels/arrays.py", "nn/module.py", "nn/nested.py"}
    places, counts = [], []
    for layer, place in interruptions(Counting, call, error, opcodes):
        places.append(place)
        counts.append(layer.count)
    assert places == expected
    assert sorted(counts) == counts
    # 2 where it is broken off between the return and the caller.
    assert set(counts) == ({0, 1, 2} if opcodes else {0, 1})
    assert break_off(call, Counting(), len(expected)) is None
    assert len(list(interruptions(Counting, call, most=2))) == 2


def test_it_tells_when_the_error_is_swallowed():
    def call(layer):
        with contextlib.suppress(MemoryError):
            layer.forward(X)

    with pytest.raises(AssertionError, match="was swallowed"):
        break_off(call, Counting(), 0)


# ---------------------------------------------------------------- a backward


def linear():
    return nn.Linear(2, 2)


def mlp(*more):
    return nn.Sequential(linear(), nn.ReLU(), linear(), *more)


class Stopping(nn.Linear):
    """Accumulates, and then raises what it is given."""

    error = None

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        if self.error is not None:
            raise self.error


# Containers of two modules; the input and gradOutput of (2, 2) as they take them.
AROUND = {
    "Sequential": (nn.Sequential, None),
    "Concat": (lambda *modules: nn.Concat(0, *modules), lambda *two: np.concatenate(two)),
    "DepthConcat": (lambda *modules: nn.DepthConcat(0, *modules), lambda *two: np.concatenate(two)),
    "ConcatTable": (nn.ConcatTable, lambda *two: list(two)),
    "ParallelTable": (nn.ParallelTable, lambda *two: list(two)),
    "Parallel": (
        lambda *modules: nn.Parallel(0, 0, *modules),
        lambda g, h: np.concatenate([g[0], h[1]]),
    ),
    "MapTable": (lambda *modules: nn.MapTable(nn.Sequential(*modules)), lambda *two: list(two)),
    "Bottle": (lambda *modules: nn.Bottle(nn.Sequential(*modules)), lambda g, _: g[None]),
    "Decorator": (lambda *modules: nn.Decorator(nn.Sequential(*modules)), None),
    "DontCast": (lambda *modules: nn.DontCast(nn.Sequential(*modules), True), None),
    "NaN": (lambda *modules: nn.NaN(nn.Sequential(*modules)), None),
    "Profile": (lambda *modules: nn.Profile(nn.Sequential(*modules)), None),
}
every_kind = pytest.mark.parametrize("kind", AROUND)


def around(kind, *modules, second=G):
    """Return a container around the modules, an input and a gradOutput, all gradients 1.25.

    second is the gradOutput of the second module, where each has one.
    """
    make, joined = AROUND[kind]
    net = make(*modules)
    for gradient in net.parameters()[1]:
        gradient.fill(1.25)
    input = {"ParallelTable": [X, X], "MapTable": [X, X], "Bottle": X[None]}.get(kind, X)
    return net, input, G if joined is None else joined(G, second)


def untouched(net):
    return all((gradient == 1.25).all() for gradient in net.parameters()[1])


@every_kind
def test_a_module_that_remembers_another_call(kind):
    """It stands where it would accumulate last, deep inside, and says no before any has."""
    for last in (0, 1):
        inner = nn.Sequential(mlp())
        net, input, gradOutput = around(kind, *((inner, mlp()) if last else (mlp(), inner)))
        net.forward(input)
        net.updateGradInput(input, gradOutput)
        inner[0].forward(X + 1)
        with pytest.raises(StateError, match="input is not that of the last forward") as error:
            net.accGradParameters(input, gradOutput)
        assert len(error.value.path) >= 2
        assert untouched(net)


BAD = [(np.ones((2, 3)), ShapeError), (G.astype("f4"), DTypeError), (G * 1j, DTypeError)]


@pytest.mark.parametrize(("bad", "error"), BAD)
@pytest.mark.parametrize("inner", [linear, mlp])
@pytest.mark.parametrize("kind", ["ConcatTable", "ParallelTable", "MapTable"])
def test_another_gradOutput_than_before(kind, inner, bad, error):
    net, input, gradOutput = around(kind, inner(), inner())
    net.forward(input)
    net.updateGradInput(input, gradOutput)
    with pytest.raises((error, StateError)):
        net.accGradParameters(input, [G, bad])
    assert untouched(net)


@pytest.mark.parametrize(("bad", "error"), BAD)
def test_a_gradOutput_that_no_updateGradInput_has_seen(bad, error):
    first = linear()
    first.gradInput = None
    net, input, _ = around("ConcatTable", linear(), nn.Sequential(first))
    net.forward(input)
    with pytest.raises(error):
        net.backward(input, [G, bad])
    assert untouched(net)


def test_complex_numbers_that_only_some_can_take_up():
    net, input, _ = around("ConcatTable", linear().type("complex128"), linear())
    net.forward(input)
    with pytest.raises(DTypeError):
        net.backward(input, [G + 0j, G + 0j])
    assert untouched(net)


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_complex_numbers_that_come_up_inside(nested, needed):
    net = nn.Sequential(linear(), linear().type("complex128"))
    for gradient in net.parameters()[1]:
        gradient.fill(1.25)
    if nested:
        net = nn.Sequential(net)
    if not needed:
        net.gradInput = None
    net.forward(X)
    net.updateGradInput(X, G)
    with pytest.raises(DTypeError):
        net.accGradParameters(X, G)
    assert untouched(net)


@errors
@every_kind
@pytest.mark.parametrize("deep", [False, True])
def test_a_layer_from_elsewhere_that_is_broken_off(kind, error, deep):
    for position in (0, 1):
        stopping = Stopping(2, 2)
        inner = nn.Sequential(nn.Decorator(stopping)) if deep else stopping
        modules = (mlp(), inner) if position else (inner, mlp())
        net, input, gradOutput = around(kind, *modules)
        net.forward(input)
        net.backward(input, gradOutput, 0)
        stopping.error = error
        if kind == "MapTable":
            net.clearState()
        net.forward(input)
        with pytest.raises(error):
            net.backward(input, gradOutput)
        assert untouched(net)
        with pytest.raises(StateError, match="input is not that of the last forward"):
            net.backward(input, gradOutput)
        stopping.error = None
        if kind == "MapTable":
            net.clearState()
        net.forward(input)
        net.backward(input, gradOutput)
        assert not untouched(net)


def test_whose_method_it_is():
    """Not what it says its module is: functools.wraps says that of what it wraps."""

    class Wrapped(nn.Linear):
        @functools.wraps(nn.Linear.accGradParameters)
        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(input, gradOutput, scale)
            raise Exhausted

    class Blind(nn.Linear):
        def updateGradInput(self, input, gradOutput):
            self.gradInput = np.zeros_like(input)
            return self.gradInput

    net, input, gradOutput = around("ConcatTable", linear(), Wrapped(2, 2))
    net.forward(input)
    with pytest.raises(Exhausted):
        net.backward(input, gradOutput)
    assert untouched(net)
    net, input, _ = around("ConcatTable", linear(), Blind(2, 2))
    net.forward(input)
    with pytest.raises(ShapeError):
        net.backward(input, [G, np.ones((2, 3))])
    assert untouched(net)


class Unlucky(nn.Decorator):
    """Counts how often somebody wants its parameters."""

    asked = 0

    def parameters(self):
        self.asked += 1
        return super().parameters()


def test_what_is_copied_and_how_often():
    layers = linear(), Stopping(2, 2)
    for layer, times in zip(layers, (0, 1), strict=True):
        inner = Unlucky(nn.Sequential(layer))
        net = nn.Sequential(nn.Sequential(nn.ConcatTable(inner, linear()), nn.CAddTable()))
        net.forward(X)
        inner.asked = 0
        net.backward(X, G)
        assert inner.asked == times


def test_all_layers_here_say_that_they_validate():
    """A class says so of its own methods alone, whatever the file is called that it stands in."""
    forgotten = [
        f"add _validates = True to {base.__module__}, class {base.__name__}"
        for name in nn.__all__
        if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Module)
        if cls._look_ahead is fails_anywhere
        for base in cls.__mro__
        if issubclass(base, nn.Module) and "_validates" not in vars(base)
    ]
    assert not forgotten
    space = {"__name__": "torchlite.nn.mine", "nn": nn}
    exec(
        "class Mine(nn.Linear):\n"
        "    def accGradParameters(self, input, gradOutput, scale=1):\n"
        "        super().accGradParameters(input, gradOutput, scale)\n"
        "class Named(nn.Linear):\n"
        "    pass\n"
        "class Both(Named, Mine):\n"
        "    pass\n",
        space,
    )
    found = [space[name]._look_ahead is fails_anywhere for name in ("Mine", "Named", "Both")]
    assert found == [True, False, True]


@pytest.mark.parametrize("make", [lambda: nn.Sequential(linear()), mlp])
def test_an_ordinary_step_need_not_look_ahead(make, monkeypatch):
    """Also with a first layer that has seen no gradOutput, as in the training of most networks."""
    net = make()
    net[0].gradInput = None
    net.forward(X)
    net.updateGradInput(X, G)
    before = net.parameters()[1][-1].copy()
    monkeypatch.delattr(Remembering, "_look_ahead")
    net.accGradParameters(X, G)
    assert not np.array_equal(net.parameters()[1][-1], before)


@pytest.mark.parametrize("make", [lambda: nn.Sequential(linear()), mlp])
def test_a_first_layer_that_has_seen_no_gradOutput_refuses_it(make):
    net = make()
    net[0].gradInput = None
    for gradient in net.parameters()[1]:
        gradient.fill(1.25)
    net.forward(X)
    net.updateGradInput(X, G)
    net.gradOutputs[0] = np.ones((2, 5))
    with pytest.raises(ShapeError):
        net.accGradParameters(X, net.gradOutputs[-1])
    assert untouched(net)


@overflows_are_told
@every_kind
def test_numpy_told_to_raise(kind):
    """An overflow where the second module to accumulate sums up: the first has been done."""
    modules = [linear(), linear()]
    net, input, gradOutput = around(kind, *modules, second=np.full((2, 2), 1e308))
    modules[1].weight[...] = 1e308 * np.eye(2)
    with np.errstate(over="ignore", invalid="ignore"):
        net.forward(input)
        net.updateGradInput(input, gradOutput)
    with np.errstate(over="raise", invalid="raise"), pytest.raises(FloatingPointError):
        net.accGradParameters(input, gradOutput)
    assert untouched(net)


def test_numpy_is_not_asked_what_nobody_told_it(monkeypatch):
    def of_others():
        ContextVar("of others").set(1)
        monkeypatch.setattr(np, "geterr", None)
        return numpy_raises()

    assert Context().run(of_others) is False


@pytest.mark.parametrize(("error", "opcodes"), [(Exhausted, INSIDE_LINES), (Interrupted, False)])
def test_broken_off_anywhere(error, opcodes):
    """Of a network with a layer from elsewhere, all gradients are old, or all are new."""

    def make():
        layer = Stopping(2, 2)
        for array in layer.parameters()[0]:
            array.fill(0.5)
        inner = nn.Sequential(nn.ConcatTable(mlp(), nn.Decorator(layer)), nn.CAddTable())
        net, _, _ = around("Sequential", linear(), inner)
        for i, array in enumerate(net.parameters()[0]):
            array.fill(0.5 + i)
        net.forward(X)
        return net

    def call(net):
        net.backward(X, G)

    done = make()
    call(done)
    new = [gradient.copy() for gradient in done.parameters()[1]]
    seen = set()
    for net, place in interruptions(make, call, error, opcodes, most=150):
        fresh = all(map(np.array_equal, net.parameters()[1], new))
        assert fresh or untouched(net), place
        seen.add(fresh)
        net.forward(X)
        net.zeroGradParameters()
        net.backward(X, G)
        for got, expected in zip(net.parameters()[1], new, strict=True):
            assert np.allclose(got, expected - 1.25), place
    assert False in seen


LAYERS = [case for _, case in rows() if isinstance(case.make(), nn.Module)]


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_a_forward_broken_off_leaves_no_wrong_backward(case):
    """After a forward, and another one broken off, the first one's backward is right or refused."""
    if isinstance(case.make(), nn.NormStabilizer):
        pytest.skip("what was broken off may count as a step of the sequence")
    rng = np.random.default_rng(1)
    first, second = case.draw(rng), case.draw(rng)

    def make():
        random.manualSeed(3)
        layer = case.make()
        layer.forward(first)
        return layer

    def slope(array):
        return rng.standard_normal(array.shape).astype(array.dtype) if is_floating(array) else array

    def backward(layer):
        layer.zeroGradParameters()
        gradInput = layer.backward(first, gradOutput)
        found = leaves([gradInput, layer.parameters()[1]])
        return [array.copy() for array in found if array is not None]

    gradOutput = map_arrays(slope, make().output)
    expected = backward(make())
    # Python may leave a `with np.errstate` without its end where it is broken off just there.
    with np.errstate():
        for layer, place in interruptions(make, lambda layer: layer.forward(second), most=25):
            with contextlib.suppress(StateError):
                assert same(backward(layer), expected), place


@errors
@pytest.mark.parametrize("method", ["zeroGradParameters", "updateParameters"])
def test_an_update_broken_off_leaves_whole_arrays(method, error):
    active()  # looks for SciPy, which it does once

    def make():
        net = mlp(mlp())
        for side, number in zip(net.parameters(), (1, 3), strict=True):
            for array in side:
                array.fill(number)
        return net

    def call(net):
        net.zeroGradParameters() if method == "zeroGradParameters" else net.updateParameters(2)

    seen = set()
    for net, place in interruptions(make, call, error):
        for side, allowed in zip(net.parameters(), ({1, -5}, {0, 3}), strict=True):
            for array in side:
                assert len(set(array.flat)) == 1, place
                seen.add(float(array.flat[0]))
                assert array.flat[0] in allowed
    assert seen >= ({0, 3} if method == "zeroGradParameters" else {1, -5})


# Layers with more than one gradient; an input and a gradOutput of which the last one's increment
# overflows, and no other.
TINY, HUGE = np.full((2, 2), 1e-300), np.full((2, 2), 1e308)
SEVERAL = {
    "Linear": (lambda: nn.Linear(2, 2), TINY, HUGE),
    "Bilinear": (lambda: nn.Bilinear(2, 2, 2), [TINY, TINY + 1], HUGE),
    "PartialLinear": (lambda: nn.PartialLinear(2, 2), TINY, HUGE),
    "LinearWeightNorm": (lambda: nn.LinearWeightNorm(2, 2), TINY, HUGE),
    "BatchNormalization": (
        lambda: nn.BatchNormalization(1),
        np.array([[1.0], [-1.0]]),
        np.array([[1.2e308], [0.9e308]]),
    ),
    "WeightedEuclidean": (
        lambda: nn.WeightedEuclidean(2, 1),
        np.full((1, 2), 1e305),
        np.full((1, 1), 1e300),
    ),
    "WeightNorm": (lambda: nn.WeightNorm(nn.Linear(2, 1)), np.ones((1, 2)), np.array([[1.7e308]])),
}


@overflows_are_told
@pytest.mark.parametrize("scale", [1, 0.9])
@pytest.mark.parametrize("kind", SEVERAL)
def test_a_layer_makes_all_increments_before_it_adds_one(kind, scale):
    make, input, gradOutput = SEVERAL[kind]
    layer = make()
    for gradient in layer.parameters()[1]:
        gradient.fill(1.25)
    if kind == "WeightNorm":
        layer.v.fill(1)
    elif kind == "WeightedEuclidean":
        layer.diagCov.fill(1e-300)
    layer.forward(input)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        layer.accGradParameters(input, gradOutput, scale)
    assert untouched(layer)


class Scarce(np.ndarray):
    """An array of which so many results more can be made, until memory runs out."""

    left = np.inf

    @staticmethod
    def take():
        if not Scarce.left:
            raise MemoryError
        Scarce.left -= 1

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **named):
        call = getattr(ufunc, method)
        inputs = [plain(each) for each in inputs]
        if out is not None:
            call(*inputs, out=tuple(map(plain, out)), **named)
            return out[0]
        if method != "at":
            self.take()
        return scarce(call(*inputs, **named))

    def dot(self, *others):
        self.take()
        return super().dot(*others)


def plain(value):
    return value.view(np.ndarray) if isinstance(value, Scarce) else value


def scarce(value):
    return value.view(Scarce) if isinstance(value, np.ndarray) else value


TRAINED = [
    case
    for _, case in rows()
    if isinstance(layer := case.make(), nn.Module)
    if len(layer.parameters()[1]) > 1 and not layer.modules
]


@pytest.mark.parametrize("scale", [1, 0.5])
@pytest.mark.parametrize("case", TRAINED, ids=lambda case: case.id)
def test_without_memory_for_one_increment_none_is_added(case, scale, monkeypatch):
    rng = np.random.default_rng(1)
    random.manualSeed(3)
    layer = case.make()
    gradients = layer.parameters()[1]
    input = map_arrays(scarce, case.draw(rng))
    output = layer.forward(input)
    gradOutput = map_arrays(lambda array: scarce(rng.standard_normal(array.shape)), output)
    layer.updateGradInput(input, gradOutput)
    for enough in range(1000):
        for gradient in gradients:
            gradient.fill(1.25)
        monkeypatch.setattr(Scarce, "left", enough)
        try:
            layer.accGradParameters(input, gradOutput, scale)
        except MemoryError:
            assert untouched(layer), enough
        else:
            break
    assert enough >= len(gradients)
    assert not any((gradient == 1.25).all() for gradient in gradients)


# ---------------------------------------------------------------- all old, or all new


class Holding(nn.Module):
    """Parts in attributes, lists, dicts and tuples; arrays in lists and tuples."""

    def __init__(self):
        self.first = linear()
        self.others = {"list": [linear()], "tuple": (nn.BatchNormalization(2), 3)}
        self.kept = (np.ones(3), [np.ones(2)])

    def parameters(self):
        held = self.first, self.others["list"][0], self.others["tuple"][0]
        both = [layer.parameters() for layer in held]
        return [a for own, _ in both for a in own], [a for _, own in both for a in own]


def tied():
    encoder, decoder = nn.Linear(2, 3), nn.Linear(3, 2)
    decoder.weight, decoder.gradWeight = encoder.weight.T, encoder.gradWeight.T
    return nn.Sequential(encoder, nn.Tanh(), decoder)


def shared():
    layer = linear()
    return mlp(layer, layer.clone("weight", "bias", "gradWeight", "gradBias"))


def mapped():
    net = nn.MapTable(linear(), False)
    net.forward([X, X])
    return net


SUBJECTS = {
    "Linear": linear,
    "BatchNormalization": lambda: nn.BatchNormalization(2),
    "LinearWeightNorm": lambda: nn.LinearWeightNorm(2, 2),
    "WeightedEuclidean": lambda: nn.WeightedEuclidean(2, 2),
    "LayerNormalization": lambda: nn.LayerNormalization(2, 0.5),
    "WeightNorm": lambda: nn.Sequential(nn.BatchNormalization(2), nn.WeightNorm(linear())),
    "Copy": lambda: nn.Sequential(nn.Copy("float32", "float64"), linear(), nn.DontCast(linear())),
    "Holding": Holding,
    "tied": tied,
    "shared": shared,
    "mapped": mapped,
    "CrossEntropyCriterion": lambda: nn.CrossEntropyCriterion(np.ones(2)),
}
CALLS = {
    "float": lambda net: net.float(),
    "evaluate": lambda net: net.evaluate(),
    "train": lambda net: setattr(net, "train", False),
    "reset": lambda net: net.reset(),
    "getParameters": lambda net: net.getParameters(),
    "initFromWeight": lambda net: net.initFromWeight(G),
    "share": lambda net: net.share(OTHERS[0], "weight", "bias", "gradWeight", "gradBias"),
}
OTHERS = []


def seen_of(net):
    """Return all that tells one state of a network from another."""
    facts, places = [], {}
    for part in parts(net):
        for name, value in sorted(part.__getstate__().items()):
            facts.append((name, repr(value) if isinstance(value, bool | np.dtype) else None))
            for keys, array in arrays_in(value):
                same = places.setdefault(id(array), len(places))
                facts.append((name, keys, array.dtype, array.tobytes(), same))
    if isinstance(net, nn.Module):
        for side in net.parameters():
            facts.append([[np.shares_memory(one, other) for one in side] for other in side])
            facts.append(len(side) > 1 and stretch(side) is not None)
        facts.append([any(array is theirs for theirs in OTHERS[1:]) for array in side])
    return facts


LAYERS = tuple(SUBJECTS)[:6]
NETWORKS = ("WeightNorm", "Holding", "tied", "shared", "mapped")


@pytest.mark.parametrize(
    ("method", "subject"),
    [
        *(("float", subject) for subject in SUBJECTS),
        *(("reset", subject) for subject in (*LAYERS, "Holding", "tied")),
        *((method, subject) for method in ("getParameters", "share") for subject in NETWORKS),
        *(("evaluate", subject) for subject in ("WeightNorm", "Holding")),
        ("train", "WeightNorm"),
        ("initFromWeight", "LinearWeightNorm"),
    ],
)
def test_a_network_is_all_old_or_all_new(method, subject):
    active()
    # Between any two steps of Python's takes ten times as long.
    opcodes = INSIDE_LINES and subject in ("Linear", "tied")
    other = SUBJECTS[subject]()
    OTHERS[:] = [other, *(other.parameters()[1] if method == "share" else ())]

    def make():
        random.manualSeed(3)
        net = SUBJECTS[subject]()
        if method == "reset":
            # Running statistics, too.
            for _, array in arrays_in([*map(vars, parts(net))]):
                array.fill(0.5)
        return net

    call = CALLS[method]
    done = make()
    call(done)
    old, new = seen_of(make()), seen_of(done)
    assert old != new
    for net, place in interruptions(make, call, Interrupted, opcodes, most=30):
        left = seen_of(net)
        assert left in (old, new), place
        if left == old:
            random.manualSeed(3)
            make()
            call(net)
            assert seen_of(net) == new, place


# ---------------------------------------------------------------- where it happened


@every_kind
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_an_error_anywhere_gets_its_place(kind, method):
    """Also right after the last module has run, where there is no next one to name."""

    def make():
        net, input, gradOutput = around(kind, linear(), linear())
        net.forward(input)
        return net, input, gradOutput

    def call(subject):
        net, input, gradOutput = subject
        if method == "forward":
            net.forward(input)
        else:
            net.backward(input, gradOutput)

    for (net, input, _), _ in interruptions(make, call, most=60):
        net.forward(input)


def test_breaking_off_leaves_the_lock_of_random_free():
    for _ in interruptions(lambda: nn.Sequential(nn.Linear(2, 2)), lambda net: net.reset()):
        pass
    free = []

    def look():
        free.append(random._lock.acquire(timeout=300))
        random._lock.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert free == [True]
