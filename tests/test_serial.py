"""Files: what is saved comes back, what is damaged is refused, what was there survives."""

import copy
import importlib.util
import io
import json
import os
import random as chance
import signal
import stat
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import cases
import numpy as np
import pytest
from counting import calls_of
from hypothesis import settings
from optimizers import STATEFUL

from torchlite import nn, optim, random, serial
from torchlite.errors import DTypeError, FormatError, SettingError
from torchlite.nn.nested import map_arrays
from torchlite.nn.stateful import Stateful, parts, rebind
from torchlite.serial import archive, classes, npy
from torchlite.serial.values import place

THOROUGH = settings.default.max_examples > 100
KILLS = 200 if THOROUGH else 20
MUTATIONS = 10_000 if THOROUGH else 1_000
DATA = Path(__file__).parent / "data"
ROWS = [pytest.param(case, id=f"{chapter}-{case.id}") for chapter, case in cases.rows()]
LAYOUTS = {
    "Fortran": np.asfortranarray,
    "sliced": lambda a: np.repeat(a[..., None], 3, -1)[..., 1],
    "reversed": lambda a: np.flip(np.flip(a).copy()),
    "broadcast": lambda a: np.broadcast_to(a.reshape(-1)[:1].sum(), a.shape),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.npz"


@pytest.fixture(autouse=True)
def _not_waiting_for_the_disk(monkeypatch):
    """Thousands of saves here ask whether the bytes are right, not whether they survive a crash."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def mlp():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def same(one, other, ignoring=()):
    """Tell whether two values are equal to the last bit, in kind and in what they share."""
    pairs, back = {}, {}

    def equal(one, other):
        if type(one) is not type(other):
            return False
        if isinstance(one, Stateful | np.ndarray):
            if pairs.setdefault(id(one), other) is not other:
                return False
            if back.setdefault(id(other), one) is not one:
                return False
        if isinstance(one, np.ndarray | np.generic):
            return (one.dtype, one.shape) == (other.dtype, other.shape) and (
                one.tobytes() == other.tobytes()
            )
        if isinstance(one, Stateful):
            key = id(one), id(other)
            if key not in met:
                met.add(key)
                return equal(one.__getstate__(), other.__getstate__())
            return True
        if isinstance(one, dict):
            return list(one) == list(other) and all(
                key in ignoring or equal(one[key], other[key]) for key in one
            )
        if isinstance(one, list | tuple):
            return len(one) == len(other) and all(map(equal, one, other))
        return one == other or one != one

    met = set()
    return equal(one, other)


def without_gradients(made):
    """Return a copy with gradients of zero: what a file without gradients holds."""
    made = made.clone()
    for part in parts(made):
        if isinstance(part, nn.Module):
            for gradient in part.parameters()[1]:
                gradient.fill(0)
    return made


def dirty(made, rng):
    """Give every gradient some values."""
    for part in parts(made):
        if isinstance(part, nn.Module):
            for gradient in part.parameters()[1]:
                gradient[...] = rng.integers(1, 9, gradient.shape)
    return made


def results(made, case, dtype):
    """Return what a forward gives, from the same random numbers."""

    def cast(value):
        floating = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value.astype(dtype) if floating else value

    rng = np.random.default_rng(0)
    arguments = [map_arrays(cast, case.draw(rng))]
    if isinstance(made, nn.Criterion):
        target = None if case.target is None else case.draw(rng, "target")
        arguments.append(map_arrays(cast, target))
    random.manualSeed(5)
    return made.forward(*arguments)


# ---------------------------------------------------------------- every class


DTYPES = ("float64", "float32")


@pytest.mark.parametrize("case", ROWS)
def test_every_class(case, path):
    for dtype in DTYPES:
        come_back(case, dtype, path)
        for layout in LAYOUTS:
            come_back_from_layout(case, dtype, layout, path)


def come_back(case, dtype, path):
    random.manualSeed(1)
    made = dirty(case.make().type(dtype), np.random.default_rng(1))
    bare = without_gradients(made)
    serial.save(path, made)
    loaded = serial.load(path)
    assert same(bare, loaded)
    assert repr(loaded) == repr(made)

    random.manualSeed(2)
    other = dirty(case.make().type(dtype), np.random.default_rng(2))
    arrays = [id(array) for array in arrays_of(other)]
    assert serial.load(path, into=other) is other
    assert [id(array) for array in arrays_of(other)] == arrays
    assert same(bare, other, ignoring={"id"})

    serial.save(path, made, gradients=True)
    assert same(made, serial.load(path))

    assert same(results(made, case, dtype), results(loaded, case, dtype))


def come_back_from_layout(case, dtype, layout, path):
    random.manualSeed(1)
    made = case.make().type(dtype)
    rearrange(made, LAYOUTS[layout])
    serial.save(path, made)
    loaded = serial.load(path)
    assert same(without_gradients_of_any_layout(made), loaded)
    if layout == "Fortran":
        for one, other in zip(arrays_of(made), arrays_of(loaded), strict=True):
            assert one.flags.f_contiguous == other.flags.f_contiguous
    if layout != "broadcast":
        random.manualSeed(2)
        other = case.make().type(dtype)
        rearrange(other, LAYOUTS[layout])
        assert same(loaded, serial.load(path, into=other), ignoring={"id"})


def rearrange(made, layout):
    """Put the array in another layout in the place of each; shared ones stay shared."""
    new = {}

    def rearranged(array):
        if id(array) not in new:
            new[id(array)] = array, layout(array)
        return new[id(array)][1]

    made.clearState()
    rebind(made, rearranged)


def without_gradients_of_any_layout(made):
    made = made.clone()
    gradients = {
        id(gradient)
        for part in parts(made)
        if isinstance(part, nn.Module)
        for gradient in part.parameters()[1]
    }
    rearrange(made, lambda a: np.zeros_like(a) if id(a) in gradients else a)
    return made


def arrays_of(made):
    found = {}

    def collect(value):
        if isinstance(value, np.ndarray):
            found[id(value)] = value
        elif isinstance(value, dict):
            list(map(collect, value.values()))
        elif isinstance(value, list | tuple):
            list(map(collect, value))

    for part in parts(made):
        collect(part.__getstate__())
    return list(found.values())


def test_every_public_class_can_be_named():
    trainer = {"StochasticGradient"}
    assert {name for name in nn.__all__ if classes.find(name)} == set(nn.__all__) - trainer


# ---------------------------------------------------------------- what is kept


def test_what_is_shared_stays_shared(path):
    shared, both = nn.Linear(3, 3), nn.ReLU()
    net = nn.Sequential(shared, both, shared.clone("weight", "gradWeight"), both)
    loaded = (serial.save(path, net), serial.load(path))[1]
    assert loaded[1] is loaded[3]
    assert loaded[0].weight is loaded[2].weight
    assert loaded[0].gradWeight is loaded[2].gradWeight
    assert loaded[0].bias is not loaded[2].bias
    assert loaded[0].gradBias is not loaded[2].gradBias


def test_a_weight_shared_without_its_gradient(path):
    first = nn.Linear(2, 2)
    net = dirty(nn.Sequential(first, first.clone("weight")), np.random.default_rng(0))
    serial.save(path, net)
    loaded = serial.load(path)
    assert loaded[0].weight is loaded[1].weight
    assert loaded[0].gradWeight is not loaded[1].gradWeight
    assert not loaded[0].gradWeight.any()
    assert not loaded[1].gradWeight.any()


def test_flat_parameters_stay_flat_when_filled(path):
    net = mlp()
    serial.save(path, net)
    other = mlp()
    parameters, gradients = other.getParameters()
    gradients.fill(1)
    serial.load(path, into=other)
    assert np.array_equal(parameters, net.getParameters()[0])
    assert not gradients.any()
    assert np.shares_memory(other[2].bias, parameters)


def test_results_are_not_saved(path):
    net = mlp()
    net.forward(np.ones((500, 3)))
    serial.save(path, net)
    assert path.stat().st_size < 5000
    assert serial.load(path).output.size == 0


def test_the_idiom_of_a_first_layer_is_kept(path):
    net = mlp()
    net[0].gradInput = None
    serial.save(path, net)
    assert serial.load(path)[0].gradInput is None


def test_the_same_network_is_the_same_file(path, tmp_path):
    net = mlp()
    serial.save(path, net)
    serial.save(tmp_path / "again.npz", serial.load(path))
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_numpy_and_zipfile_read_it(path):
    net = mlp()
    serial.save(path, net)
    with np.load(path, allow_pickle=False) as file:
        assert set(file) == {"torchlite.json", "0.weight", "0.bias", "2.weight", "2.bias"}
        assert np.array_equal(file["2.weight"], net[2].weight)
        assert json.loads(file["torchlite.json"])["version"] == 1
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None


def test_nothing_is_pickled(path):
    serial.save_checkpoint(path, mlp(), {"t": 1, "deep": [np.float32(1)]})
    assert b"numpy.core" not in path.read_bytes()
    assert b"\x80\x04" not in path.read_bytes()


def test_names_stay_apart(path):
    net = nn.Sequential(nn.Linear(1, 1))
    extra = {"a b": np.zeros(1), "a_b": np.ones(1), "a.b": np.full(1, 2.0), "": np.full(1, 3.0)}
    serial.save_checkpoint(path, net, None, arrays=extra)
    assert same(serial.load_checkpoint(path).extra["arrays"], extra)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**200), 1.5, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324,
        "", "quotes \" ' \\ [[[{", "\0\ud800é", [], (), {}, [(1,), [2]], {"a": {1: None, 1.5: ()}},
        {True: 1, None: 2, float("inf"): 3}, {"tuple": [1]}, {"array": "0.weight"}, [[[[()]]]],
        np.dtype("float32"), np.float64(0.1), np.bool_(True), np.complex64(1 + 2j), np.int8(-3),
        np.zeros(()), np.zeros((0, 3), "int32"), np.ones((1,) * 40, bool), np.arange(3, dtype="f2"),
        np.array([np.nan, -0.0]), nn.ReLU(), [nn.MSECriterion()],
    ],
    ids=repr,
)  # fmt: skip
def test_values_come_back_as_they_are(value, path):
    serial.save_checkpoint(path, nn.ReLU(), value, value=[value, value])
    loaded = serial.load_checkpoint(path)
    assert same([value, [value, value]], [loaded.optimizer, loaded.extra["value"]])


def test_a_gradient_saved_by_its_own_name_keeps_its_numbers(path):
    net = nn.Linear(1, 1)
    net.gradWeight.fill(3)
    serial.save_checkpoint(path, net, None, gradient=net.gradWeight)
    loaded = serial.load_checkpoint(path)
    assert loaded.extra["gradient"][0, 0] == 3
    assert loaded.net.gradWeight is loaded.extra["gradient"]


def test_version_1_is_read_for_ever():
    spec = importlib.util.spec_from_file_location("make_serial_v1", DATA / "make_serial_v1.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    net, optimizer, extra = made.content()
    rng = random.getRNGState()
    random.manualSeed(99)
    loaded = serial.load_checkpoint(made.PATH)
    assert same([net, optimizer, extra], list(loaded))
    assert np.array_equal(random.getRNGState(), rng)


# ---------------------------------------------------------------- what is refused when saving


def refused(path, net, message, save=serial.save):
    path.write_bytes(b"old")
    with pytest.raises(DTypeError) as error:
        save(path, net)
    assert str(error.value) == message
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_what_cannot_be_saved_is_refused(path):
    def refused_with(value, message):
        net = nn.Sequential(nn.ReLU(), nn.Linear(1, 1))
        net[1].note = value
        refused(path, net, message)

    def hook():
        pass

    refused_with(hook, "save: [1].note: a function cannot be saved")
    refused_with([1, {"a b": hook}], "save: [1].note[1]['a b']: a function cannot be saved")
    refused_with({1}, "save: [1].note: a set cannot be saved")
    refused_with({(1, 2): 3}, "save: [1].note: a key is a tuple, no plain value")
    refused_with(np.array([None]), "save: [1].note: an array of dtype object cannot be saved")
    refused_with(np.array(["a"]), "save: [1].note: an array of dtype <U1 cannot be saved")
    refused_with(np.arange(2, dtype=">i4"), "save: [1].note: an array of dtype >i4 cannot be saved")
    refused_with(np.ma.zeros(2), "save: [1].note: a MaskedArray cannot be saved")
    deep = []
    deep.append(deep)
    refused_with(deep, f"save: [1].note{'[0]' * 24}: values are nested more than 64 deep")


def test_what_is_no_network_is_refused(path):
    refused(path, [nn.ReLU()], "save: net must be a module or criterion, got list")
    for where in (path, str(path)):
        with pytest.raises(DTypeError) as caught:
            serial.save(nn.ReLU(), where)
        said = f"save: net must be a module or criterion, got {type(where).__name__}"
        assert str(caught.value) == f"{said}\n  hint: save(path, net)"
    refused(
        path, 1, "save_checkpoint: net must be a module or criterion, got int",
        serial.save_checkpoint,
    )  # fmt: skip
    for load in (serial.load, serial.load_checkpoint):
        with pytest.raises(DTypeError, match="into must be a module or criterion, got int"):
            load(path, into=1)


def test_a_long_description_is_refused(path):
    path.write_bytes(b"old")
    with pytest.raises(DTypeError, match="long lists of numbers belong into arrays"):
        serial.save_checkpoint(path, nn.ReLU(), None, losses=[0.1], log="." * 2**22)
    assert path.read_bytes() == b"old"


def test_a_network_in_itself_is_refused(path):
    net = nn.Sequential(nn.ReLU())
    net.modules.append(net)
    refused(path, net, "save: Sequential: modules are nested more than 100 deep")
    net = nn.Sequential(nn.ReLU())
    for _ in range(20):
        net = nn.Sequential(net)
        net.modules.append(net[0])
    refused(path, net, "save: Sequential: there are more than 65536 modules in it")


# ---------------------------------------------------------------- classes of one's own


class Scaled(nn.Module):
    def __init__(self, factor):
        self.factor = np.array([factor])
        self.gradFactor = np.zeros(1)
        self.history = []

    def updateOutput(self, input):
        self.output = self.factor * input
        return self.output

    def parameters(self):
        return [self.factor], [self.gradFactor]


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(classes, "_registered", {})
    serial.register("tests.Scaled", Scaled)


def test_registered_classes_are_saved(path, registered):
    net = nn.Sequential(Scaled(3.0), nn.ReLU())
    net[0].gradFactor[:] = 7
    serial.save(path, net)
    loaded = serial.load(path)
    assert type(loaded[0]) is Scaled
    assert loaded[0].factor == 3
    assert loaded[0].gradFactor == 0
    assert loaded[0].history == []


def test_other_classes_are_refused(path, monkeypatch):
    monkeypatch.setattr(classes, "_registered", {})
    net = nn.Sequential(Scaled(3.0))
    refused(
        path,
        net,
        "save: [0]: Scaled is not a class that files know\n"
        "  hint: serial.register('Scaled', Scaled) makes it known",
    )
    serial.register("Scaled", Scaled)
    serial.save(path, net)
    monkeypatch.setattr(classes, "_registered", {})
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == (
        f"{path}: [0]: 'Scaled' is not a class that files know\n"
        "  hint: serial.register(name, cls) makes a class of your own known"
    )


def test_a_subclass_is_not_its_base(path):
    class Linear(nn.Linear):
        pass

    refused(
        path,
        Linear(1, 1),
        "save: Linear is not a class that files know\n"
        "  hint: serial.register('Linear', Linear) makes it known",
    )


def test_getstate_and_setstate_are_respected(path, registered):
    class Counted(nn.Module):
        def __getstate__(self):
            return {"packed": [1, np.ones(2)]}

        def __setstate__(self, state):
            self.unpacked = state["packed"][1] + state["packed"][0]

    serial.register("Counted", Counted)
    serial.save(path, nn.Sequential(Counted()))
    assert serial.load(path)[0].unpacked.tolist() == [2, 2]
    Counted.__setstate__ = lambda self, state: state["nothing"]
    with pytest.raises(FormatError, match=r"\[0\]: this cannot be the state of a Counted: KeyErr"):
        serial.load(path)
    Counted.__getstate__ = lambda self: [1]
    refused(
        path, nn.Sequential(Counted()), "save: [0]: its __getstate__ returns a list, not a dict"
    )
    Counted.__getstate__ = lambda self: {"forward": 1}
    refused(
        path,
        nn.Sequential(Counted()),
        "save: [0]: forward is a method or property of Counted, not something to be saved",
    )


def test_register_checks_its_arguments():
    with pytest.raises(DTypeError, match="register: name must be text, got 1"):
        serial.register(1, Scaled)
    with pytest.raises(DTypeError, match="register: cls must be a subclass of Module or Criterion"):
        serial.register("int", int)
    with pytest.raises(SettingError, match="name must be no name of a class of torchlite"):
        serial.register("Linear", Scaled)


# ---------------------------------------------------------------- into a network built in code


def unfit(path, saved, into, message, hint=None):
    dirty(into, np.random.default_rng(3))
    before = into.clone()
    serial.save(path, saved)
    with pytest.raises(FormatError) as error:
        serial.load(path, into=into)
    assert str(error.value) == f"{path}: {message}" + (f"\n  hint: {hint}" if hint else "")
    assert same(before, into)


def test_what_does_not_fit_changes_nothing(path):
    def net(*modules):
        return nn.Sequential(nn.Linear(2, 2), *modules)

    unfit(
        path, net(nn.Linear(2, 3)), net(nn.Linear(2, 4)),
        "[1].weight: float64 (3, 2) in the file, float64 (4, 2) in the network",
    )  # fmt: skip
    unfit(
        path, net().float(), net(),
        "[0].weight: float32 (2, 2) in the file, float64 (2, 2) in the network",
        "net.type('float32') casts the network",
    )  # fmt: skip
    unfit(path, net(nn.ReLU()), net(nn.Tanh()), "[1]: a ReLU in the file, a Tanh in the network")
    unfit(path, net(nn.ReLU()), net(), "modules: 2 entries in the file, 1 in the network")
    unfit(
        path, net(nn.Linear(2, 2)), net(nn.Linear(2, 2, False)),
        "[1].bias: an array in the file, None in the network",
    )  # fmt: skip
    relu = nn.ReLU()
    unfit(
        path, net(relu, relu), net(nn.ReLU(), nn.ReLU()),
        "[2]: it is shared with [1] in the file, not in the network",
    )  # fmt: skip
    unfit(
        path, net(nn.ReLU(), nn.ReLU()), net(relu, relu),
        "[2]: it is not shared with [1] in the file, it is in the network",
    )  # fmt: skip
    fixed = net()
    fixed[0].bias.flags.writeable = False
    unfit(path, net(), fixed, "[0].bias: the network's array is read-only")


def test_settings_remain_what_the_code_says(path):
    net = nn.Sequential(nn.Dropout(0.5), nn.View(2, 3), nn.Linear(2, 2)).evaluate()
    serial.save(path, net)
    other = nn.Sequential(nn.Dropout(0.25), nn.View(6), nn.Linear(2, 2))
    serial.load(path, into=other)
    assert (other[0].p, other[1].size, other.train) == (0.25, (6,), True)
    assert np.array_equal(other[2].weight, net[2].weight)


def test_a_checkpoint_fills_a_network_and_what_refers_to_it(path):
    net = mlp()
    serial.save_checkpoint(path, net, {"x": net[0].weight}, last=net[2])
    other = mlp()
    loaded = serial.load_checkpoint(path, into=other)
    assert loaded.net is other
    assert loaded.extra["last"] is other[2]
    assert loaded.optimizer["x"] is other[0].weight
    assert np.array_equal(other[0].weight, net[0].weight)


def test_a_failed_load_leaves_the_random_state(path):
    serial.save_checkpoint(path, mlp())
    before = random.getRNGState()
    with pytest.raises(FormatError):
        serial.load_checkpoint(path, into=nn.Sequential())
    assert np.array_equal(random.getRNGState(), before)


def test_one_kind_of_file_is_not_the_other(path):
    serial.save(path, mlp())
    with pytest.raises(FormatError, match=r"holds a network, not a checkpoint\n.*serial.load\(\)"):
        serial.load_checkpoint(path)
    serial.save_checkpoint(path, mlp())
    with pytest.raises(FormatError, match=r"a checkpoint, not a network\n.*load_checkpoint\(\)"):
        serial.load(path)


def test_what_is_not_there_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        serial.load(tmp_path / "nowhere.npz")


# ---------------------------------------------------------------- replacing the file


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_permission_bits_are_those_of_open(path, tmp_path):
    def bits(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    before = os.umask(0o027)
    try:
        serial.save(path, mlp())
        (tmp_path / "opened").write_bytes(b"")
    finally:
        os.umask(before)
    assert bits(path.name) == bits("opened") == 0o640
    path.chmod(0o604)
    serial.save(path, mlp())
    assert bits(path.name) == 0o604


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_stays_a_link(path, tmp_path):
    (tmp_path / "deep").mkdir()
    path.symlink_to("deep/real.npz")
    serial.save(path, mlp())
    assert path.is_symlink()
    assert sorted(os.listdir(tmp_path / "deep")) == ["real.npz"]
    assert len(serial.load(path)) == 3


@pytest.mark.parametrize("save", [serial.save, serial.save_checkpoint, serial.save_parameters])
def test_a_path_may_be_bytes(tmp_path, save):
    if save is serial.save_parameters:
        pytest.importorskip("safetensors")
    path = os.fsencode(tmp_path / "net")
    save(path, mlp())
    save(path, mlp())
    assert os.listdir(tmp_path) == ["net"]
    if save is serial.save:
        assert len(serial.load(path)) == 3
    elif save is serial.save_checkpoint:
        assert len(serial.load_checkpoint(path).net) == 3
    else:
        serial.load_parameters(path, mlp())


@pytest.mark.parametrize("link", [False, True])
def test_what_is_read_only_is_not_replaced(link, path, tmp_path):
    serial.save(path, mlp())
    path.chmod(0o444)
    before = path.read_bytes()
    given = path
    if link:
        given = tmp_path / "link"
        given.symlink_to(path)
    with pytest.raises(PermissionError) as error:
        serial.save(given, mlp())
    assert str(error.value) == f"[Errno 13] the file is read-only: {str(given)!r}"
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 1 + link
    path.chmod(0o644)
    serial.save(given, mlp())


@pytest.mark.parametrize("given", ["models/net.npz", "models/a/net.npz", b"models/net.npz"])
def test_a_missing_folder_is_named_as_it_was_given(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        serial.save(given, mlp())
    assert str(error.value) == (
        f"[Errno 2] No such file or directory: {os.path.dirname(os.fsdecode(given))!r}"
    )
    (tmp_path / "models").write_bytes(b"")
    with pytest.raises(NotADirectoryError) as error:
        serial.save(given, mlp())
    assert error.value.filename == os.path.dirname(os.fsdecode(given))
    assert os.listdir(tmp_path) == ["models"]


def test_an_error_in_the_folder_names_what_was_given(path, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device", arguments[0])

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(OSError, match=f"No space left on device: {str(path)!r}$"):
        serial.save(path, mlp())


@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_an_error_at_the_end_names_what_was_given(step, path, monkeypatch):
    def fail(*arguments):
        raise PermissionError(13, "Permission denied", arguments[0])

    serial.save(path, mlp())
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=f"Permission denied: {str(path)!r}$"):
        serial.save(path, mlp())
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="folders can be opened")
def test_the_folder_is_on_the_disk_too(path, monkeypatch):
    """First the file's numbers, then its new name."""
    done = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: done.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
    )
    monkeypatch.setattr(
        os, "replace", lambda *names, real=os.replace: (real(*names), done.append("replaced"))
    )
    serial.save(path, mlp())
    assert done == [False, "replaced", True]

    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("a file system that cannot")

    monkeypatch.setattr(os, "fsync", fail)
    serial.save(path, mlp())
    assert len(serial.load(path)) == 3


def test_what_is_no_file_is_not_replaced(tmp_path):
    with pytest.raises(OSError, match="is no regular file"):
        serial.save(tmp_path, mlp())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()])
def test_an_error_while_writing_leaves_the_old_file(error, path, monkeypatch):
    def fail(descriptor):
        raise error

    net = mlp()
    serial.save(path, net)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        serial.save(path, mlp())
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def run(code, *arguments, **options):
    """Run a Python program that begins with the imports that all of these need."""
    start = f"import sys; sys.path[:0] = {[str(DATA.parent), str(DATA.parents[1])]}\n"
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.skipif(os.name != "posix", reason="needs limits on the size of files")
def test_a_full_disk_leaves_the_old_file(path):
    serial.save(path, mlp())
    before = path.read_bytes()
    code = """
import resource
from torchlite import nn, serial
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for width in (400, 10**6):
    try:
        serial.save(sys.argv[1], nn.Linear(width, 100) if width < 10**6 else nn.Linear(width, 1))
    except OSError as error:
        print(error.errno)
"""
    with run(code, path) as process:
        assert process.stdout.read() == "27\n27\n", "EFBIG"
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def filled(width):
    net = nn.Sequential(nn.Linear(100, 200), nn.Linear(200, width))
    for parameter in net.parameters()[0]:
        parameter.fill(width)
    return net


def save_until(path, net, last):
    """Save; the process kills itself at this one of the calls and returns that it consists of."""
    events = 0

    def count(*event):
        nonlocal events
        events += 1
        if events == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    serial.save(path, net)
    sys.setprofile(None)
    return events


def kill(path, count):
    """Kill so many processes that save, and load what each left; print what that was."""
    draws = chance.Random(1)
    path = Path(path)
    nets = [filled(1), filled(300)]
    serial.save(path, nets[0])
    # What is made once is made by now: every save consists of the same calls.
    total = save_until(path, nets[0], None)
    # From the moment when the new file takes its place there are a few calls only.
    moments = [draws.randrange(1, total) for _ in range(count // 2)]
    moments += [total - draws.randrange(40) for _ in range(count - len(moments))]
    seen, unfinished = [], 0
    for i, moment in enumerate(moments):
        serial.save(path, nets[i % 2])
        child = os.fork()
        if not child:
            save_until(path, nets[1 - i % 2], moment)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        loaded = serial.load(path)
        assert same(loaded, filled(loaded[1].bias.size))
        seen.append("old" if loaded[1].bias.size == nets[i % 2][1].bias.size else "new")
        for name in os.listdir(path.parent):
            if name != path.name:
                unfinished += 1
                (path.parent / name).unlink()
    print(seen.count("old"), seen.count("new"), unfinished)


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_killed_while_saving(path):
    """Whenever a process dies, there is a whole file: the old or the new one."""
    with run(f"import test_serial; test_serial.kill(sys.argv[1], {KILLS})", path) as process:
        words = process.stdout.read().split()
    assert process.returncode == 0
    old, new, unfinished = map(int, words)
    assert old + new == KILLS
    # Otherwise the moments were not those that matter.
    assert min(old, new, unfinished) > KILLS // 10
    print(f"{KILLS} kills, {unfinished} of them in the middle of a file")


# ---------------------------------------------------------------- training that goes on


def data():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(8, 4)), rng.normal(size=(8, 2))) for _ in range(8)]


def trained_net():
    random.manualSeed(3)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNormalization(6), nn.ReLU(), nn.Dropout(0.3), nn.WhiteNoise(),
        nn.Linear(6, 2),
    )  # fmt: skip


def train(net, method, config, state, batches):
    criterion = nn.MSECriterion()
    parameters, gradients = net.getParameters()
    for x, y in batches:

        def opfunc(_, x=x, y=y):
            gradients.fill(0)
            loss = criterion.forward(net.forward(x), y)
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradients

        method(opfunc, parameters, config, state)


# Settings of optimizers that show more with others than their own.
CONFIGS = {
    "adam": {"learningRate": 0.01, "weightDecay": 1e-3},
    "cg": {"maxIter": 2},
    "lbfgs": {"maxIter": 3},
    "nag": {"learningRate": 0.01, "momentum": 0.9},
    "sgd": {"learningRate": 0.01, "momentum": 0.9, "learningRateDecay": 0.1},
}


@pytest.mark.parametrize("place", ["new", "into"])
@pytest.mark.parametrize("name", [*STATEFUL, "cg"])
def test_resumed_training_is_bit_identical(name, place, path):
    method, config = getattr(optim, name), CONFIGS.get(name, {})
    whole, whole_state = trained_net(), {}
    train(whole, method, config, whole_state, data())
    end = random.getRNGState()
    for stop in range(len(data())) if name == "adam" else (1, 5):
        net, state = trained_net(), {}
        train(net, method, config, state, data()[:stop])
        serial.save_checkpoint(path, net, state, config=config, done=stop)
        into = trained_net() if place == "into" else None
        random.manualSeed(77)
        net, state, extra = serial.load_checkpoint(path, into=into)
        train(net, method, extra["config"], state, data()[extra["done"] :])
        assert same(whole.clearState(), net.clearState())
        assert same(whole_state, state)
        assert np.array_equal(random.getRNGState(), end)


def test_resumed_in_the_middle_of_a_step(path):
    """Gradients that wait for their update go along when asked for."""
    x, y = data()[0]
    whole = trained_net()
    criterion = nn.MSECriterion()
    loss = criterion.forward(whole.forward(x), y)
    whole.backward(x, criterion.backward(whole.output, y))
    serial.save_checkpoint(path, whole, gradients=True, loss=loss)
    net, _, extra = serial.load_checkpoint(path)
    assert same(whole.updateParameters(0.1), net.updateParameters(0.1))
    assert extra["loss"] == loss


# ---------------------------------------------------------------- damaged and hostile files


def members_of(raw):
    """Return the members of a file as [name, bytes] rows."""
    file = io.BytesIO(raw)
    file.name = "raw"
    return [
        [member.name, raw[member.start : member.start + member.size]]
        for member in archive.directory(file).values()
    ]


def packed(members):
    file = io.BytesIO()
    archive.write(file, [(name, (data,)) for name, data in members])
    return file.getvalue()


def rezipped(members, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as target:
        for name, inside in members:
            target.writestr(name, inside)
    return file.getvalue()


HEADERS = [
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 1152921504606846976), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 99999999999999999999), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1, " * 900 + "), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1, , 2), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 4000 + ",), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<U9', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': __import__('os'), 'shape': (3,), }",
    "(" * 3000,
    "",
]
NODES = [
    None, [], {}, 0, -1, 10**30, 1e400, "os.system", {"part": 0}, {"part": 10**9}, {"part": -1},
    {"part": True}, {"part": "0"}, {"array": "nowhere"}, {"array": 0}, {"array": "0.weight"},
    {"gradient": "0.bias"}, {"gradient": []}, {"scalar": "0.weight"}, {"scalar": {}},
    {"tuple": 1}, {"tuple": [{"part": 1}]}, {"dict": [[1]]}, {"dict": [[{}, 1]]},
    {"dict": [[{"tuple": []}, 1]]}, {"dict": 5}, {"float": "1"}, {"float": []}, {"dtype": "O"},
    {"dtype": "<f4"}, {"dtype": {}}, {"import": "os"}, {"array": "0.bias", "part": 0}, [[[]]],
    {"class": "Linear", "state": {}}, {"class": "Sequential", "state": {"modules": []}},
    {"class": "os", "state": {}}, {"class": [], "state": 1}, "Linear", "Sequential", "WeightNorm",
]  # fmt: skip


def places(node):
    """Yield (container, key) for everything inside a JSON value."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, inside in list(entries):
        yield node, key
        if isinstance(inside, dict | list):
            yield from places(inside)


def torn(raw, kind, at, to, draws):
    """Return the bytes of a file of any format, damaged in one of seven ways."""
    if kind == 0:
        at = draws.randrange(len(raw))
        flipped = bytes([raw[at] ^ 1 << draws.randrange(8)])
        return raw[:at] + flipped + raw[at + 1 :]
    return [
        raw[:at],
        raw + draws.randbytes(draws.choice([1, 22, 98, 5000])),
        raw[:at] + raw[to:],
        raw[:at] + draws.randbytes(to - at) + raw[to:],
        raw[:to] + raw[at:],
        draws.randbytes(draws.randrange(300)) + raw[at:],
    ][kind - 1]


def mutated_tensors(raw, draws):
    """Return a safetensors file that is not as it was: torn, or with another header."""
    kind = draws.randrange(14)
    at, to = sorted(draws.randrange(len(raw) + 1) for _ in range(2))
    if kind < 7:
        return torn(raw, kind, at, to, draws)
    end = 8 + int.from_bytes(raw[:8], "little")
    said = json.loads(raw[8:end])
    container, key = draws.choice(list(places(said)))
    if draws.random() < 0.3:
        del container[key]
    else:
        container[key] = copy.deepcopy(draws.choice(NODES))
    header = json.dumps(said).encode()
    return len(header).to_bytes(8, "little") + header + raw[end:]


def mutated(raw, draws):
    """Return a file that is not as it was, and whether its checksums are right nevertheless.

    Files that have none are right in this sense, whatever was done to them.
    """
    if not raw.startswith(b"PK"):
        return mutated_tensors(raw, draws), True
    kind = draws.randrange(16)
    at, to = sorted(draws.randrange(len(raw) + 1) for _ in range(2))
    if kind < 7:
        return torn(raw, kind, at, to, draws), False
    if kind == 7:
        # A number in the records around the members.
        end = len(raw) - 98
        at = draws.choice([end, int.from_bytes(raw[end + 48 : end + 56], "little")])
        at += draws.randrange(len(raw) - at - 8)
        number = draws.choice([0, 1, 2**16 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
        return raw[:at] + number.to_bytes(8, "little") + raw[at + 8 :], False
    members = members_of(raw)
    i, j = draws.sample(range(len(members)), 2)
    if kind == 8:
        members[i][1], members[j][1] = members[j][1], members[i][1]
    elif kind == 9:
        del members[i]
    elif kind == 10:
        members.append([draws.choice([members[i][0], "a.npy", "../a.npy", "a"]), members[j][1]])
    elif kind == 11:
        options = draws.choice([{}, {"compression": zipfile.ZIP_DEFLATED}])
        if draws.random() < 0.5:
            members[max(i, 1)][1] = b"\0" * 10**7
        return rezipped(members, **options), False
    elif kind == 12:
        text = draws.choice(HEADERS).encode() + b" " * draws.randrange(3) + b"\n"
        length = draws.choice([len(text), len(text), 0, 2**16 - 1]).to_bytes(2, "little")
        version = draws.choice([b"\1\0", b"\1\0", b"\1\0", b"\2\0", b"\3\0"])
        inside = draws.choice([b"", bytes(24), bytes(8 * 10**5)])
        members[max(i, 1)][1] = b"\x93NUMPY" + version + length + text + inside
    elif kind == 13:
        said = json.loads(members[0][1])
        for _ in range(draws.choice([1, 1, 2, 5])):
            container, key = draws.choice(list(places(said)))
            action = draws.randrange(4)
            if action == 0:
                del container[key]
            elif action == 1 and isinstance(container, dict):
                container[draws.choice(["forward", "__class__", "output", "é", "a b", "x"])] = 1
            else:
                container[key] = copy.deepcopy(draws.choice(NODES))
        members[0][1] = json.dumps(said).encode()
    elif kind == 14:
        members[0][1] = draws.choice(
            [
                b"", b"{}", b"[]", b"null", b"\xff", b"NaN", b"1" * 5000, b"[" * 300_000,
                b'{"a":' * 100_000, b"[[]," * 100_000, b'"\\"[[[' * 1000, b'{"a":1,"a":2}',
                members[0][1].replace(b'"version":1', b'"version":2'),
                members[0][1].replace(b'"version":1', b'"version":1.0'),
                members[0][1].replace(b'"version":1', b'"version":true'),
                members[0][1].replace(b"false", b"NaN"),
            ]
        )  # fmt: skip
    else:
        at = draws.randrange(len(members[i][1]))
        inside = members[i][1]
        members[i][1] = (
            inside[:at] + bytes([inside[at] ^ 1 << draws.randrange(8)]) + inside[at + 1 :]
        )
        if draws.random() < 0.3:
            objects = io.BytesIO()
            np.save(objects, np.array([print]), allow_pickle=True)
            members[1][1] = objects.getvalue()
    return packed(members), True


def peak():
    """Return the most memory that this process has had, in MiB."""
    # Not ru_maxrss: that begins with what the parent had.
    said = Path("/proc/self/status").read_text("ascii")
    return int(said.split("VmHWM:")[1].split()[0]) // 1024


def victims():
    """Return a network and, by name of what reads it, how it is saved and loaded."""
    random.manualSeed(1)
    net = nn.Sequential(
        nn.Linear(3, 2), nn.WeightNorm(nn.Linear(2, 2)), nn.BatchNormalization(2), nn.View(1, 2)
    )
    net.add(nn.ConcatTable(nn.ReLU(), nn.Dropout(0.25))).training()
    state = {"t": 1, "m": np.ones(3), "s": np.float32(2), "l": [float("inf"), (1, None, "x")]}

    def save_checkpoint(path, net):
        serial.save_checkpoint(path, net, state, criterion=nn.MultiCriterion().add(nn.L1Cost()))

    def load_parameters(path, into):
        return serial.load_parameters(path, net.clone() if into is None else into)

    return net, {
        "load": (serial.save, serial.load),
        "load_checkpoint": (save_checkpoint, serial.load_checkpoint),
        "load_parameters": (serial.save_parameters, load_parameters),
    }


@pytest.mark.parametrize("name", [name for name in serial.__all__ if name.startswith("load")])
def test_whatever_can_be_read_is_mutated(name):
    assert name in victims()[1], f"add {name} to victims() in tests/test_serial.py"


def mutate(folder, count, seed):
    """Load so many mutated files of each kind; print how many were refused, and the memory."""
    draws = chance.Random(seed)
    path = Path(folder) / "mutated"
    net, kinds = victims()
    if not importlib.util.find_spec("safetensors"):
        del kinds["load_parameters"]
    refused = {}
    for name, (save, load) in kinds.items():
        save(path, net)
        load(path, into=None)
        raw = path.read_bytes()
        refused[name] = sum(is_refused(path, raw, load, net, draws) for _ in range(count))
    print(json.dumps(refused), peak())


def is_refused(path, raw, load, net, draws):
    """Tell whether the file is refused, mutated; nothing has changed then."""
    target = dirty(net.clone(), np.random.default_rng(0))
    before, rng = target.clone(), random.getRNGState()
    damaged, sealed = mutated(raw, draws)
    if damaged == raw:
        damaged = raw[:-1]
    path.write_bytes(damaged)
    try:
        load(path, into=target if draws.random() < 0.3 else None)
    except FormatError as error:
        message = str(error)
    else:
        # With right checksums it may be another network, and a good one.
        assert sealed, "a mutation was not noticed"
        random.setRNGState(rng)
        return False
    assert message.startswith(f"{path}: ")
    assert len(message) < 1000
    assert same(before, target)
    assert np.array_equal(rng, random.getRNGState())
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")
def test_mutated_files_are_refused(tmp_path):
    count = MUTATIONS // 4
    code = f"import test_serial; test_serial.mutate(sys.argv[1], {count}, sys.argv[2])"
    processes = [run(code, tmp_path_for(tmp_path, seed), seed) for seed in (1, 2)]
    for process in processes:
        with process:
            said, memory = process.stdout.read().rsplit(maxsplit=1)
        assert process.returncode == 0
        refused = json.loads(said)
        assert refused["load"] + refused["load_checkpoint"] > 0.8 * 2 * count
        assert int(memory) < 200, "MiB"
        print(f"{count} mutations each, refused {refused}, {memory} MiB")


def tmp_path_for(tmp_path, seed):
    folder = tmp_path / str(seed)
    folder.mkdir()
    return folder


def hostile(name):
    """Return the bytes of a file that would cost much, if it could."""
    path = Path(f"{name}.npz")
    serial.save(path, nn.Sequential(nn.Linear(2, 2)))
    members = members_of(path.read_bytes())
    room = 2**21 - 200
    if name == "bomb":
        members[1][1] = bytes(10**8)
        return rezipped(members, compression=zipfile.ZIP_DEFLATED)
    if name == "members":
        return packed([*members, *([f"{i}.npy", b""] for i in range(65_000))])
    if name == "more members":
        return packed([*members, *([f"{i}.npy", b""] for i in range(70_000))])
    if name == "overlapping":
        # Many members, all of them the same bytes.
        inside = bytes(2 * 10**6)
        crc = zlib.crc32(inside)
        body = archive._local(b"10000.npy", crc, len(inside)) + inside
        names = (f"{i}.npy".encode() for i in range(10_000, 70_000))
        entries = b"".join(archive._entry(name, crc, len(inside), 0) for name in names)
        return body + entries + archive._end(60_000, len(entries), len(body))
    if name == "alike":
        return holding({"dict": [[i * (2**61 - 1), 0] for i in range(1, 70_000)]})
    if name == "around":
        # Each of 16 holds the one before twice: 2**16 modules, and much stands around them.
        parts = [{"class": "Sequential", "state": {"modules": [{"part": 1}]}}]
        parts += [twice_the_next("Sequential", "modules", i) for i in range(1, 15)]
        parts += [{"class": "ReLU", "state": {}}]
        parts += [of_one_weight("WeightNorm", [1]) for _ in range(10_000)]
        parts[0]["state"]["held"] = [{"part": 16 + i} for i in range(10_000)]
        return described(parts, ("w", np.ones((1, 1))))
    if name == "shape":
        text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }\n"
        members[1][1] = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text
    elif name == "deep":
        members[0][1] = b"[" * room
    elif name == "lists":
        members[0][1] = b'{"format":[' + b",".join([b"[]"] * (room // 3)) + b"]}"
    elif name == "dicts":
        members[0][1] = b'{"format":[' + b",".join([b'{"":0}'] * (room // 7)) + b"]}"
    elif name == "quotes":
        members[0][1] = b'"' * room
    elif name == "long":
        members[0][1] = b" " * 20_000_000
    elif name == "laughs":
        said = json.loads(members[0][1])
        twice = {"modules": [{"part": 0}, {"part": 0}]}
        said["parts"] = [{"class": "Sequential", "state": {"modules": []}}]
        for i in range(1, 80):
            twice = {"modules": [{"part": i - 1}, {"part": i - 1}]}
            said["parts"].append({"class": "Sequential", "state": twice})
        said["content"] = {"part": 79}
        members = [["torchlite.json", json.dumps(said).encode()]]
    elif name == "itself":
        said = json.loads(members[0][1])
        said["parts"] = [{"class": "Sequential", "state": {"modules": [{"part": 0}]}}]
        members = [["torchlite.json", json.dumps(said).encode()]]
    elif name == "parts":
        said = json.loads(members[0][1])
        modules = [{"part": i} for i in range(1, 40_000)]
        said["parts"] = [{"class": "Sequential", "state": {"modules": modules}}]
        said["parts"] += [{"class": "ReLU", "state": {"x": 1}}] * 39_998 + [0]
        members = [["torchlite.json", json.dumps(said, separators=(",", ":")).encode()]]
    return packed(members)


def attack(folder):
    """Load the hostile files; print how much memory the worst took, and how many calls each."""
    os.chdir(folder)
    for path in sorted(Path().glob("*.hostile")):
        calls, error = calls_to_load(path)
        each = calls / path.stat().st_size
        print(f"{peak()} MiB, {each:.2f} calls a byte: {(error or '')[:120]!r}")
        if error is None:
            print(f"{path} was loaded")


def calls_to_load(path):
    """Return how many calls and returns it takes to load a file, and what the error says."""

    def load():
        try:
            serial.load(path)
        except FormatError as error:
            return str(error)

    return calls_of(load)


HOSTILE = [
    "alike", "around", "bomb", "deep", "dicts", "itself", "laughs", "lists", "long", "members",
    "more members", "overlapping", "parts", "quotes", "shape",
]  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")
def test_hostile_files_cost_little(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in HOSTILE:
        Path(f"{name}.hostile").write_bytes(hostile(name))
    with run("import test_serial; test_serial.attack(sys.argv[1])", tmp_path) as process:
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert len(lines) == len(HOSTILE)
    for line in lines:
        print(line)
        assert " was loaded" not in line
        assert int(line.split()[0]) < 200, "MiB"
        assert float(line.split()[2]) < 8, "calls a byte"


def described(parts, *arrays):
    """Return the bytes of a file whose network is the first of these parts."""
    said = {"format": "torchlite", "version": 1, "holds": "network", "gradients": False}
    said |= {"content": {"part": 0}, "parts": parts}
    members = [["torchlite.json", json.dumps(said, separators=(",", ":")).encode()]]
    members += [[f"{name}.npy", b"".join(map(bytes, npy.pieces(array)))] for name, array in arrays]
    return packed(members)


def twice_the_next(name, key, i):
    return {"class": name, "state": {key: [{"part": i + 1}] * 2}}


def holding(value):
    return described([{"class": "ReLU", "state": {"held": value}}])


def of_one_weight(name, modules):
    arrays = {key: {"array": "w"} for key in ("v", "g", "gradV", "gradG")}
    state = {"modules": [{"part": i} for i in modules], "outputDim": 0, **arrays}
    return {"class": name, "state": state}


def weight_norms(n, around):
    """Return a file of so many WeightNorms, each around one tree of so many modules."""
    first = 1 + around
    parts = [{"class": "Sequential", "state": {"modules": [{"part": i} for i in range(1, 2)]}}]
    parts[0]["state"]["held"] = [{"part": first + i} for i in range(n)]
    tree = [{"part": i} for i in range(2, first)]
    parts.append({"class": "Sequential", "state": {"modules": tree}})
    parts += [{"class": "ReLU", "state": {}} for _ in tree]
    parts += [of_one_weight("WeightNorm", [1]) for _ in range(n)]
    return described(parts, ("w", np.ones((1, 1))))


GROWING = {
    "a long list": lambda n: holding([0] * n),
    "a long key and a long list": lambda n: holding({"dict": [["k" * n, [0] * n]]}),
    "a long name and a long list": lambda n: described(
        [{"class": "ReLU", "state": {"k" * n: [0] * n}}]
    ),
    "many keys": lambda n: holding({"dict": [[f"k{i}", 0] for i in range(n)]}),
    "many parts": lambda n: described(
        [{"class": "Sequential", "state": {"modules": [{"part": 1 + i} for i in range(n)]}}]
        + [{"class": "ReLU", "state": {}}] * n
    ),
    "parts in parts": lambda n: described(
        [{"class": "ReLU", "state": {"held": {"part": 1 + i}}} for i in range(n)]
        + [{"class": "ReLU", "state": {}}]
    ),
    "many arrays": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"array": f"a{i}"} for i in range(n)]}}],
        *((f"a{i}", np.ones(1)) for i in range(n)),
    ),
    "one array": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"array": "a"}] * n}}], ("a", np.ones(1))
    ),
    "gradients": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"array": "a"}] + [{"gradient": "a"}] * n}}],
        ("a", np.ones(1)),
    ),
    "scalars": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"scalar": "a"}] * n}}], ("a", np.ones(()))
    ),
    "WeightNorms": lambda n: weight_norms(n, 10),
    "criterions": lambda n: described(
        [
            {"class": "MultiCriterion", "state": {"criterions": [{"part": 1}] * n}},
            {"class": "AbsCriterion", "state": {}},
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROWING)
def test_the_cost_of_reading_grows_as_the_file(name, path):
    costs = []
    for n in (100, 200, 400, 800):
        path.write_bytes(GROWING[name](n))
        calls, error = calls_to_load(path)
        assert error is None
        costs.append(calls)
    growth = [costs[i + 1] - costs[i] for i in range(3)]
    assert growth[1] <= 2.1 * growth[0]
    assert growth[2] <= 2.1 * growth[1]


def test_paths_are_short():
    """They are made for every entry: a long key would be copied as often as its list is long."""
    where = place(place(place("", "modules"), 0), "k" * 10**6)
    assert len(where) == 700
    assert where.startswith("[0].kkkk")
    assert len(place(where, 123)) == 700
    assert place(where, 123).endswith("k[123]")
    assert len(place("", "k\n" * 10**6)) == 700


def test_criterions_in_criterions_are_counted(path):
    twice = [twice_the_next("MultiCriterion", "criterions", i) for i in range(80)]
    path.write_bytes(described([*twice, {"class": "AbsCriterion", "state": {}}]))
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == (
        f"{path}: MultiCriterion: there are more than 65536 criterions in it"
    )
    itself = {"class": "MultiCriterion", "state": {"criterions": [{"part": 0}]}}
    path.write_bytes(described([itself]))
    with pytest.raises(FormatError, match="criterions are nested more than 100 deep"):
        serial.load(path)


def test_modules_around_the_same_modules_are_counted(path):
    path.write_bytes(weight_norms(300, 100))
    assert len(serial.load(path).held) == 300
    path.write_bytes(weight_norms(300, 300))
    calls, error = calls_to_load(path)
    assert error == (f"{path}: WeightNorm: several stand around the same more than 65536 modules")
    assert calls < 8 * path.stat().st_size


def test_keys_that_only_a_slow_dict_can_hold_are_refused(path):
    alike = [[i * (2**61 - 1), i] for i in range(1, 5000)]
    path.write_bytes(holding({"dict": alike}))
    with pytest.raises(FormatError, match=r"held: \{'dict': .* describes no value"):
        serial.load(path)
    path.write_bytes(holding({"dict": [*alike[:5], [-1, 0], [-2, 1]]}))
    assert len(serial.load(path).held) == 7
    for twice in ([[1, 0], [1, 1]], [[1, 0], [1.0, 1]], [["a", 0], ["a", 1]], [[True, 0], [1, 1]]):
        path.write_bytes(holding({"dict": twice}))
        with pytest.raises(FormatError, match="describes no value"):
            serial.load(path)


def forged(path, change):
    serial.save(path, mlp())
    members = members_of(path.read_bytes())
    change(members)
    path.write_bytes(packed(members))
    with pytest.raises(FormatError) as error:
        serial.load(path)
    return str(error.value).removeprefix(f"{path}: ")


def test_what_is_wrong_is_named(path):
    def header(text):
        def change(members):
            text_ = text.encode() + b"\n"
            members[1][1] = b"\x93NUMPY\1\0" + len(text_).to_bytes(2, "little") + text_ + bytes(96)

        return forged(path, change)

    def description(old, new):
        def change(members):
            assert old.encode() in members[0][1]
            members[0][1] = members[0][1].replace(old.encode(), new.encode(), 1)

        return forged(path, change)

    assert header(HEADERS[1]) == (
        "0.weight.npy: an array of float64 in (1000000000000,) has not the 96 bytes that are there"
    )
    assert header(HEADERS[0]).startswith(
        "0.weight.npy: b\"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\\n\" is no "
    )
    assert forged(path, lambda members: members.pop(2)) == (
        "[0].bias: there is no array '0.bias' in the file"
    )
    assert forged(path, lambda members: members.append(["x.npy", members[1][1]])) == (
        "x: nothing refers to this array"
    )
    assert forged(path, lambda members: members.append(["x.exe", b""])) == (
        "x.exe: a torchlite file has no such member"
    )
    assert forged(path, lambda members: members.append(members[1])) == (
        "0.weight.npy: there are two members of this name"
    )
    assert forged(path, lambda members: members.append(["../x.npy", b""])) == (
        "member 5: b'../x.npy' is no name of a member"
    )
    assert forged(path, lambda members: members.pop(0)) == (
        "torchlite.json: this member is missing: it is no torchlite file"
    )
    assert description('"version":1', '"version":2') == (
        "torchlite.json: it is of version 2, this torchlite reads 1\n"
        "  hint: a newer torchlite may have written it"
    )
    assert description('"Tanh"', '"Tan"').startswith("[1]: 'Tan' is not a class that files know")
    assert description('"weight":', '"wait":').startswith(
        "[0]: this cannot be the state of a Linear"
    )
    assert description('"weight":', '"forward":') == (
        "[0]: forward is a method or property of Linear, not something to be saved"
    )
    assert description('"weight":', '"output":') == (
        "[0]: output is what a call leaves behind, not something to be saved"
    )
    assert description('"weight":', '"__class__":') == (
        "[0]: '__class__' is no name of an attribute"
    )
    for name in ("transient", "remembers", "refers", "_uncast"):
        assert description('"weight":', f'"{name}":') == (
            f"[0]: {name} is said by the class, not saved with what is made of it"
        )
    for value, shown in [
        ("1", "1"),
        ('"float64"', "'float64'"),
        ('{"dtype":"<i8"}', "dtype('int64')"),
    ]:
        assert description('"weight":', f'"_dtype":{value},"weight":') == (
            f"[0]: _dtype must be float32, float64, complex64 or complex128, got {shown}"
        )
    assert description('"modules":[', '"modules":[1,') == (
        "Sequential: modules must be a list of modules"
    )
    assert description('{"array":"0.weight"}', '{"eval":"1"}') == (
        "[0].weight: {'eval': '1'} describes no value"
    )


STEERING = "\x1b[2J\ud800\u202e"
WRITTEN_OUT = r"\x1b[2J\ud800\u202e"


def test_what_is_said_of_a_file_steers_no_terminal(path, capsys):
    said = json.dumps(STEERING)

    def description(old, new):
        def change(members):
            members[0][1] = members[0][1].replace(old.encode(), new.encode(), 1)

        message = forged(path, change)
        print(message)
        assert message.replace("\n", "").isprintable()
        return message

    assert description('"network"', said) == f"it holds a {WRITTEN_OUT}, not a network"
    assert description('"version":1', f'"version":{said}').startswith(
        f"torchlite.json: it is of version {WRITTEN_OUT}, this torchlite reads 1\n"
    )
    assert description('"Tanh"', said).startswith(f"[1]: '{WRITTEN_OUT}' is not a class")
    assert description('"weight"', said) == f"[0]: '{WRITTEN_OUT}' is no name of an attribute"
    assert description('{"array":"0.weight"}', f'{{"array":{said}}}') == (
        f"[0].weight: there is no array '{WRITTEN_OUT}' in the file"
    )
    assert description('"weight":', f'"x":{{"dict":[[{said},{{"part":9}}]]}},"weight":') == (
        f"[0].x['{WRITTEN_OUT}']: there is no part 9 in the file"
    )
    path.write_bytes(described([{"class": "View", "state": {"size": ["\x1b[2J"]}}]))
    with pytest.raises(FormatError, match=r"cannot be the state of a View: .* print") as e:
        serial.load(path)
    assert str(e.value).isprintable()
    with pytest.raises(FormatError) as error:
        serial.load(path.with_name("\x1b.npz").write_bytes(b"") or path.with_name("\x1b.npz"))
    assert str(error.value).startswith(f"{path.parent}/\\x1b.npz: its end")


def test_what_is_loaded_steers_no_terminal(path):
    net = nn.Sequential(nn.SelectTable("a\x1b"), nn.NaN(nn.ReLU(), "b\ud800"))
    serial.save(path, net)
    net = serial.load(path)
    assert (net[0].index, net[1].id) == ("a\x1b", "b\ud800")
    assert repr(net[0]) == r"SelectTable(a\x1b)"
    assert repr(net).replace("\n", "").isprintable()
    with pytest.raises(DTypeError) as error:
        net[0].forward(np.ones(3))
    assert str(error.value).startswith(r"SelectTable(a\x1b).updateOutput: ")


def test_a_layer_of_ones_own_may_print_in_colour(path, monkeypatch):
    class Red(nn.Module):
        def __repr__(self):
            return "\x1b[31mRed\x1b[0m"

    monkeypatch.setattr(classes, "_registered", {})
    serial.register("Red", Red)
    serial.save(path, Red())
    assert isinstance(serial.load(path), Red)


def test_damage_to_the_numbers_is_named(path):
    net = mlp()
    net[2].weight.fill(0.1234)
    serial.save(path, net)
    raw = path.read_bytes()
    at = raw.index(net[2].weight.tobytes())
    path.write_bytes(raw[:at] + b"\0" + raw[at + 1 :])
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == (
        f"{path}: 2.weight.npy: its bytes have changed: the checksum does not fit"
    )
    path.write_bytes(raw[:-1])
    with pytest.raises(FormatError, match="its end is not that of a torchlite file"):
        serial.load(path)


def test_every_bit_counts(path):
    """No byte of a file can change, wherever it is, without being noticed."""
    serial.save(path, nn.Linear(1, 1))
    raw = bytearray(path.read_bytes())
    for at in range(len(raw)):
        raw[at] ^= 1 << at % 8
        path.write_bytes(raw)
        with pytest.raises(FormatError):
            serial.load(path)
        raw[at] ^= 1 << at % 8


# ---------------------------------------------------------------- safetensors


class TestSafetensors:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("safetensors")

    @pytest.mark.parametrize("case", [row for row in ROWS if arrays_of(row.values[0].make())])
    def test_every_layout(self, case, path):
        for dtype in DTYPES:
            for layout in LAYOUTS.values():
                random.manualSeed(1)
                made = case.make().type(dtype)
                rearrange(made, layout)
                serial.save_parameters(path, made)
                random.manualSeed(2)
                other = case.make().type(dtype)
                assert serial.load_parameters(path, other) is other
                assert same(without_gradients_of_any_layout(made), other, ignoring={"id"})

    def test_names(self, path):
        from safetensors.numpy import load_file

        net = nn.Sequential(nn.Linear(1, 2), nn.BatchNormalization(2))
        serial.save_parameters(path, net)
        assert set(load_file(path)) == {
            "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        }  # fmt: skip

    def test_what_does_not_fit_changes_nothing(self, path):
        serial.save_parameters(path, mlp())

        def refused(net, message):
            before = net.clone()
            with pytest.raises(FormatError) as error:
                serial.load_parameters(path, net)
            assert str(error.value) == f"{path}: {message}"
            assert same(before, net)

        refused(mlp().add(nn.Mul()), "3.weight: there is no such array in the file")
        refused(mlp().remove(), "2.bias: there is no such array in the network")
        refused(
            mlp().float(), "0.weight: float64 (4, 3) in the file, float32 (4, 3) in the network"
        )
        refused(
            nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(4, 2)),
            "0.weight: float64 (4, 3) in the file, float64 (3, 4) in the network",
        )

    def test_complex_numbers_are_refused(self, path):
        with pytest.raises(DTypeError, match=r"save_parameters: 0.weight: complex64 is not in the"):
            serial.save_parameters(path, mlp().type("complex64"))
        assert not path.exists()

    def test_damaged_files(self, path):
        net = mlp()
        serial.save_parameters(path, net)
        raw = path.read_bytes()
        draws = chance.Random(1)
        before = net.clone()
        for _ in range(200):
            at = draws.randrange(len(raw))
            header = 8 + int.from_bytes(raw[:8], "little")
            damaged = draws.choice(
                [raw[:at], raw + b"\0", b"\xff" * 8 + raw[8:], raw[: header // 2] + raw[header:]]
            )
            path.write_bytes(damaged)
            with pytest.raises(FormatError):
                serial.load_parameters(path, net)
        assert same(before, net)


def test_safetensors_not_installed(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (serial.save_parameters, serial.load_parameters):
        with pytest.raises(ImportError, match=r"pip install 'safetensors!=0\.8\.0'$"):
            call(path, mlp())


# ---------------------------------------------------------------- the zip itself


def test_checksum_is_that_of_zip(path):
    serial.save(path, mlp())
    raw = path.read_bytes()
    for name, inside in members_of(raw):
        with zipfile.ZipFile(path) as file:
            assert zlib.crc32(inside) == file.getinfo(name).CRC


def test_dtypes_are_plain():
    assert not any(dtype.hasobject or dtype.names for dtype in npy.DTYPES.values())
