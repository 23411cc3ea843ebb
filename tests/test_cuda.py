"""Networks that move to the GPU and back, which a strict array stands in for: there is none here.

The stand-in computes as NumPy does, and tells of its memory what CuPy's arrays tell.
"""

import gc
import inspect
import re
import sys
from contextlib import suppress
from functools import partial, reduce
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cases
import numpy as np
import optimizers
import pytest

import torchlite as nn
from torchlite import optim, serial
from torchlite.interop import cupy
from torchlite.nn import init
from torchlite.nn.nested import copy_arrays, is_array, map_arrays
from torchlite.nn.stateful import arrays_in, parts, rebind
from torchlite.testing.duck import Duck, ducks


@pytest.fixture
def gpu(monkeypatch):
    """Let a module of strict arrays be CuPy; return how many were brought to it."""
    known = {}
    make, brought = Duck.__init__, []

    def register(self, held):
        make(self, held)
        known.setdefault(id(self.held), self)

    def base(self):
        owner = self.held.base
        found = known.get(id(owner))
        return Duck(owner) if found is None and owner is not None else found

    def flags(self):
        names = ("c_contiguous", "f_contiguous", "forc", "fnc")
        return SimpleNamespace(**{name: getattr(self.held.flags, name) for name in names})

    monkeypatch.setattr(Duck, "__init__", register)
    for name, found in {
        "data": lambda self: SimpleNamespace(ptr=self.held.__array_interface__["data"][0]),
        "strides": lambda self: self.held.strides,
        "base": base,
        "flags": flags,
    }.items():
        monkeypatch.setattr(Duck, name, property(found), raising=False)
    monkeypatch.setattr(
        Duck, "get", lambda self, order: np.array(self.held, order=order), raising=False
    )
    stand_in, lib, tricks = map(ModuleType, ("cupy", "cupy.lib", "cupy.lib.stride_tricks"))

    def asarray(array):
        assert isinstance(array, np.ndarray)
        brought.append(array)
        return Duck(np.array(array))

    def as_strided(array, shape, strides):
        return Duck(np.lib.stride_tricks.as_strided(array.held, shape, strides))

    stand_in.asarray, tricks.as_strided, lib.stride_tricks = asarray, as_strided, tricks
    stand_in.cuda = SimpleNamespace(is_available=lambda: True)
    for module in (stand_in, lib, tricks):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return brought


def arrays_of(net):
    return [array for part in parts(net) for _, array in arrays_in(part.__getstate__())]


def held(array):
    return array.held if isinstance(array, Duck) else array


def step(net, criterion, x, y):
    """One step of training; return the loss."""
    loss = criterion.forward(net.forward(x), y)
    net.zeroGradParameters().backward(x, criterion.backward(net.output, y))
    net.updateParameters(0.1)
    return loss


X = np.linspace(-1, 1, 12).reshape(4, 3)
Y = np.linspace(0, 1, 8).reshape(4, 2)


# ---------------------------------------------------------------- every class


def test_every_class_moves_there_and_back(gpu):
    for _, case in cases.rows():
        nn.manualSeed(0)
        net = case.make()
        before = arrays_of(net)
        kept = copy_arrays(before)
        ids = [[a is b for b in before] for a in before]
        assert net.cuda() is net
        there = arrays_of(net)
        assert all(isinstance(array, Duck) for array in there), case.id
        assert [[a is b for b in there] for a in there] == ids, case.id
        assert net.cpu() is net
        back = arrays_of(net)
        assert all(type(array) is np.ndarray for array in back), case.id
        assert [[a is b for b in back] for a in back] == ids, case.id
        for array, values in zip(back, kept, strict=True):
            assert array.dtype == values.dtype
            assert array.tobytes() == values.tobytes()
    assert gpu


def through(net):
    """Draw, shorten, copy, flatten and cast; return what comes of it."""
    for act in (
        lambda net: net.reset(),
        lambda net: net.weightDecay(0.1),
        lambda net: [net, net.gradParamClip(0.1)][0],
        lambda net: net.updateGradParameters(0.9),
        lambda net: net.maxParamNorm(0.1),
        lambda net: net.clone(),
        lambda net: [net, net.getParameters()][0],
        lambda net: net.float(),
    ):
        with suppress(nn.errors.TorchliteError, NotImplementedError):
            net = act(net)
    return net


def test_whatever_a_module_does_it_does_there(gpu):
    """With the draws, and numbers, that it has here."""
    for _, case in cases.rows():
        if isinstance(case.make(), nn.Criterion):
            continue
        nn.manualSeed(0)
        here = through(case.make())
        nn.manualSeed(0)
        there = through(case.make().cuda())
        for one, other in zip(arrays_of(there), arrays_of(here), strict=True):
            assert isinstance(one, Duck), case.id
            assert one.held.dtype == other.dtype, case.id
            np.testing.assert_allclose(one.held, other, 1e-6, 1e-7, err_msg=case.id)


RULES = {
    init.normal: ("weight", 0, 1),
    init.truncated_normal: ("weight", 0, 1),
    init.uniform: ("bias", -1, 1),
    init.xavier: (),
    init.kaiming: (),
    init.orthogonal: (),
    init.eye: (),
    init.sparse: ("weight", 0.5),
    init.addConstant: ("weight", 3),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rules_for_first_parameters(gpu, rule):
    nn.manualSeed(2)
    here = rule(nn.Linear(3, 4), *RULES[rule])
    nn.manualSeed(2)
    there = rule(nn.Linear(3, 4).cuda(), *RULES[rule])
    assert (there.weight.held == here.weight).all()
    assert (there.bias.held == here.bias).all()


def test_it_computes_there_what_it_computes_here(gpu):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNormalization(4), nn.Tanh(), nn.Linear(4, 2))
    criterion = nn.MSECriterion()
    here = net.clone()
    net.cuda(), criterion.cuda()
    x, y = cupy.cuda([X, Y])
    for _ in range(3):
        assert step(net, criterion, x, y) == pytest.approx(step(here, criterion, X, Y))
    assert isinstance(net.output, Duck)
    net.evaluate().cpu()
    np.testing.assert_allclose(net.forward(X), here.evaluate().forward(X))


# ---------------------------------------------------------------- what is shared stays so


def test_shared_arrays_move_once(gpu):
    one = nn.Linear(3, 3)
    net = nn.Sequential(one, nn.Tanh(), one.clone("weight", "bias", "gradWeight", "gradBias"))
    net.cuda()
    assert net[0].weight is net[2].weight
    assert len(gpu) == 4
    assert [id(array) for array in net.parameters()[0]] == [id(net[0].weight), id(net[0].bias)]
    net.cpu()
    assert net[0].gradWeight is net[2].gradWeight


def tied():
    encoder, decoder = nn.Linear(3, 2), nn.Linear(2, 3)
    decoder.weight, decoder.gradWeight = encoder.weight.T, encoder.gradWeight.T
    return nn.Sequential(encoder, nn.Tanh(), decoder)


@pytest.mark.parametrize("flat", [False, True])
def test_views_of_one_another_stay_views(gpu, flat):
    nn.manualSeed(1)
    net = tied()
    here = net.clone()
    net.cuda()
    criterion, x = nn.MSECriterion(), cupy.cuda(X)
    if flat:
        assert net.getParameters()[0].shape == (11,)
    net[0].weight[0, 1] = 7.0
    here[0].weight[0, 1] = 7.0
    assert net[2].weight[1, 0].item() == 7.0
    assert len(net.parameters()[0]) == 3
    for _ in range(3):
        assert step(net, criterion, x, x) == pytest.approx(step(here, criterion, X, X))
    other = net.clone()
    other[2].weight[1, 0] = 5.0
    assert other[0].weight[0, 1].item() == 5.0
    net.cpu()
    assert np.shares_memory(net[0].weight, net[2].weight)
    assert np.shares_memory(net[0].gradWeight, net[2].gradWeight)
    np.testing.assert_allclose(net[2].weight, here[2].weight)


def test_a_slice_of_another_array_stays_one(gpu):
    whole, part = nn.Linear(4, 6), nn.Linear(4, 2)
    part.weight, part.gradWeight = whole.weight[1:5:3], whole.gradWeight[1:5:3]
    net = nn.Parallel(0, 0).add(whole).add(part)
    net.cuda()
    whole.weight[4, 3] = 9.0
    assert part.weight[1, 3].item() == 9.0
    net.cpu()
    whole.weight[4, 3] = 8.0
    assert part.weight[1, 3] == 8.0


def test_arrays_keep_their_order_in_memory(gpu):
    net = nn.Linear(3, 2)
    net.weight = np.asfortranarray(net.weight)
    net.cuda()
    assert net.weight.held.flags.f_contiguous
    assert net.cpu().weight.flags.f_contiguous


# ---------------------------------------------------------------- flat memory


def test_flat_parameters_are_called_for_again(gpu):
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    flat, _ = net.getParameters()
    net.cuda()
    with pytest.warns(UserWarning, match="parameters have left the flat arrays"):
        net.zeroGradParameters()
    parameters, gradParameters = net.getParameters()
    assert (held(parameters) == flat).all()
    parameters[0] = 3.0
    assert net[0].weight[0, 0].item() == 3.0
    net[1].gradBias[...] = 2.0
    assert held(gradParameters)[-2:].tolist() == [2.0, 2.0]


def test_a_second_call_returns_the_same_memory(gpu):
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)).cuda()
    parameters, gradParameters = net.getParameters()
    again, gradAgain = net.getParameters()
    part, _ = net[1].getParameters()
    assert again.data.ptr == parameters.data.ptr
    assert gradAgain.data.ptr == gradParameters.data.ptr
    assert part.data.ptr == parameters.data.ptr + 8 * 8
    part[0] = 4.0
    assert parameters[8].item() == 4.0
    gc.collect()
    assert [row.entries for row in net.located_parameters()] == [
        slice(0, 6), slice(6, 8), slice(8, 12), slice(12, 14)
    ]  # fmt: skip


# ---------------------------------------------------------------- optimizers


STEPS = [(m, c) for m, c in optimizers.ALL if m not in (optim.cmaes, optim.de)]


@pytest.mark.parametrize(("method", "config"), STEPS)
def test_optimizers_compute_there_what_they_compute_here(method, config):
    scale = np.arange(1.0, 5)

    def bowl(x):
        by = Duck(scale) if isinstance(x, Duck) else scale
        return (by * (x - 1) ** 2).sum() / 2, by * (x - 1)

    found = []
    for x in (np.array([1.0, -2.0, 3.0, 0.5]), Duck(np.array([1.0, -2.0, 3.0, 0.5]))):
        state = {}
        for _ in range(5):
            x, losses, *_ = method(bowl, x, config, state)
        assert all(type(loss) is float for loss in losses)
        found.append(x)
    assert isinstance(found[1], Duck)
    np.testing.assert_allclose(found[1].held, found[0], rtol=1e-6, atol=1e-8)


def test_training_goes_on_with_the_state_that_was_moved(gpu):
    criterion = nn.MSECriterion()

    def trained(net, x, y, state, steps):
        parameters, gradParameters = net.getParameters()

        def opfunc(_):
            gradParameters.fill(0)
            loss = criterion.forward(net.forward(x), y)
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradParameters

        for _ in range(steps):
            optim.adam(opfunc, parameters, {"learningRate": 0.1}, state)
        return held(parameters)

    nn.manualSeed(3)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    here, state, state_here = net.clone(), {}, {}
    wanted = trained(here, X, Y, state_here, 9)
    trained(net, X, Y, state, 3)
    net.cuda()
    x, y = cupy.cuda([X, Y])
    with pytest.raises(nn.errors.StateError) as caught:
        trained(net, x, y, state, 1)
    assert str(caught.value) == (
        "adam: state['m'] must be torchlite.testing.duck.Duck float64 (26,), got float64 (26,)\n"
        "  hint: torchlite.interop.cupy.cuda(state) and cpu(state) move a state as they move x"
    )
    moved = cupy.cuda(state)
    assert isinstance(moved["m"], Duck)
    assert moved["t"] == 3
    assert type(state["m"]) is np.ndarray
    trained(net, x, y, moved, 3)
    state = cupy.cpu(moved)
    net.cpu()
    assert type(state["v"]) is np.ndarray
    np.testing.assert_allclose(trained(net, X, Y, state, 3), wanted)
    np.testing.assert_allclose(state["m"], state_here["m"])


def test_a_gradient_of_the_host_is_refused(gpu):
    x = Duck(np.ones(2))
    with pytest.raises(nn.errors.DTypeError) as caught:
        optim.sgd(lambda x: (0.0, np.ones(2)), x)
    assert str(caught.value) == "sgd: df/dx must be an array like x, got float64 (2,)"
    with pytest.raises(nn.errors.DTypeError) as caught:
        optim.sgd(lambda x: (0.0, Duck(np.ones(2))), np.ones(2))
    assert str(caught.value) == (
        "sgd: df/dx must be an array like x, got torchlite.testing.duck.Duck float64 (2,)"
    )


# ---------------------------------------------------------------- files and copies


def test_files_are_those_of_the_network_at_home(gpu, tmp_path):
    net = tied()
    serial.save(tmp_path / "before.npz", net)
    net.cuda()
    with pytest.raises(nn.errors.DTypeError) as caught:
        serial.save(tmp_path / "there.npz", net)
    assert str(caught.value) == (
        "save: [0].weight: an array of torchlite.testing.duck cannot be saved\n"
        "  hint: of a network on the GPU, save net.clone().cpu()"
    )
    with pytest.raises(nn.errors.DTypeError) as caught:
        serial.t7.save(tmp_path / "there.t7", net)
    assert str(caught.value) == (
        "save: modules[0].weight: an array of torchlite.testing.duck cannot be saved\n"
        "  hint: of a network on the GPU, save net.clone().cpu()"
    )
    with pytest.raises(nn.errors.FormatError) as caught:
        serial.load(tmp_path / "before.npz", into=net)
    assert str(caught.value).endswith(
        "[0].weight: an array in the file, an array of torchlite.testing.duck in the network\n"
        "  hint: fill the network before cuda(), or after cpu()"
    )
    serial.save(tmp_path / "there.npz", net.clone().cpu())
    assert isinstance(net[0].weight, Duck)
    serial.save(tmp_path / "after.npz", net.cpu())
    before = (tmp_path / "before.npz").read_bytes()
    assert (tmp_path / "there.npz").read_bytes() == (tmp_path / "after.npz").read_bytes() == before


def test_what_is_there_already_stays(gpu):
    net = nn.Linear(3, 2).cuda()
    weight, gradBias = net.weight, net.gradBias
    net.cuda()
    assert (net.weight is weight, net.gradBias is gradBias) == (True, True)
    net.cpu()
    weight = net.weight
    assert net.cpu().weight is weight
    assert len(gpu) == 4


def test_results_are_forgotten(gpu):
    net = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    net.forward(X)
    net.cuda()
    assert net.output.size == 0
    with pytest.raises(nn.errors.StateError):
        net.backward(X, Y)


def test_without_room_for_all_nothing_has_moved(gpu, monkeypatch):
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNormalization(2))
    before = arrays_of(net)
    bring = sys.modules["cupy"].asarray

    def asarray(array):
        if len(gpu) == 5:
            raise MemoryError
        return bring(array)

    monkeypatch.setattr(sys.modules["cupy"], "asarray", asarray)
    with pytest.raises(MemoryError):
        net.cuda()
    assert all(one is other for one, other in zip(arrays_of(net), before, strict=True))


def test_tables_and_states_are_copied(gpu):
    table = {"a": [X, (X, 3)], "t": 1.5}
    moved = cupy.cuda(table)
    assert moved["a"][0] is moved["a"][1][0]
    assert (held(moved["a"][0]) == X).all()
    assert (moved["a"][1][1], moved["t"]) == (3, 1.5)
    assert table["a"][0] is X
    assert (cupy.cpu(moved)["a"][0] == X).all()


def test_criterions_move_too(gpu):
    criterion = nn.CrossEntropyCriterion(np.array([1.0, 2.0])).cuda()
    output, target = cupy.cuda([Y, np.array([0, 1, 1, 0])])
    loss = criterion.forward(output, target)
    criterion.cpu()
    assert loss == pytest.approx(criterion.forward(Y, np.array([0, 1, 1, 0])))


def test_the_page_runs(gpu, tmp_path, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "gpu.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(page.partition("```python\n")[2].partition("```")[0], space)
    assert space["loss"] < 0.2
    assert serial.load("net.npz").type() == np.float32
    assert type(space["state"]["m"]) is np.ndarray


# ---------------------------------------------------------------- without CuPy


def test_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    net = nn.Linear(3, 2)
    with pytest.raises(ImportError) as caught:
        net.cuda()
    assert str(caught.value) == (
        "cuda needs CuPy: pip install cupy-cuda12x, or cupy-cuda13x for CUDA 13"
    )
    assert net.cpu() is net
    assert type(net.weight) is np.ndarray


def test_without_a_gpu_it_says_so(gpu, monkeypatch):
    monkeypatch.setattr(sys.modules["cupy"].cuda, "is_available", lambda: False)
    net = nn.Linear(3, 2)
    with pytest.raises(nn.errors.StateError) as caught:
        net.cuda()
    assert str(caught.value) == (
        "cuda: CuPy finds no GPU\n"
        "  hint: nvidia-smi tells what is there; CuPy must be of the CUDA that is installed"
    )
    assert type(net.weight) is np.ndarray


# ---------------------------------------------------------------- what CuPy has


def run(case):
    """Go forwards and backwards on strict arrays, update, and forwards in evaluation mode."""
    rng = np.random.default_rng(0)
    layer, x = case.make(), case.draw(rng)
    if isinstance(layer, nn.Criterion):
        y = None if case.target is None else case.draw(rng, "target")
    else:
        y = map_arrays(np.ones_like, case.make().forward(x))
    rebind(layer, ducks())
    x, y = (map_arrays(lambda a: Duck(a) if is_array(a) else a, value) for value in (x, y))
    if isinstance(layer, nn.Criterion):
        layer.forward(x, y), layer.backward(x, y)
    else:
        layer.forward(x), layer.backward(x, y)
        layer.updateParameters(0.1)
        layer.evaluate().forward(x)


def test_cupy_has_what_every_class_calls(monkeypatch):
    """CuPy tells what its functions take without a GPU, too."""
    try:
        import cupy
    except ImportError:
        pytest.skip("CuPy is not installed")
    lacking = set()

    def watch(name, look):
        own = getattr(Duck, name)

        def looking(self, *args, **kwargs):
            look(*args, **kwargs)
            return own(self, *args, **kwargs)

        monkeypatch.setattr(Duck, name, looking)

    def function(func, types, args, kwargs):
        try:
            found = reduce(getattr, [*func.__module__.split(".")[1:], func.__name__], cupy)
            inspect.signature(found).bind(*args, **kwargs)
        except (AttributeError, TypeError) as error:
            lacking.add(f"{func.__name__}: {error}")

    def ufunc(func, method, *inputs, **kwargs):
        found = getattr(cupy, func.__name__, None)
        if not hasattr(found, method) or not kwargs.keys() <= {"out", "dtype"}:
            lacking.add(f"{func.__name__}.{method} {[*kwargs]}")

    def method(name, *args, **kwargs):
        taken = re.findall(r"(\w+)=", getattr(cupy.ndarray, name).__doc__.split("\n")[0])
        if not kwargs.keys() <= {*taken}:
            lacking.add(f".{name} {[*kwargs]}")

    watch("__array_function__", function)
    watch("__array_ufunc__", ufunc)
    for name in (
        "any",
        "argmax",
        "argmin",
        "astype",
        "clip",
        "copy",
        "cumsum",
        "max",
        "mean",
        "min",
    ):
        watch(name, partial(method, name))
    for name in ("prod", "repeat", "reshape", "sum", "take", "var"):
        watch(name, partial(method, name))
    for _, case in cases.rows():
        run(case)
    assert not lacking
