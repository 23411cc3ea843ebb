"""What a file keeps, and what cannot be saved."""

import importlib.util
import json
import zipfile
import zlib

import numpy as np
import pytest
from saving import DATA, dirty, members_of, mlp, refused, same

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, FormatError
from torchlite.serial import archive, describe, files, fit, npy, values

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
    # A test can be called by its id: without backslashes.
    ids=lambda value: ascii(value).replace("\\", "/"),
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
    # What Dropout has got since is what the class says.
    (dropout,) = loaded.net.findModules(nn.Dropout)[0]
    mode = vars(dropout).pop("train")
    vars(dropout).update(lazy=dropout.lazy, mono=dropout.mono, train=mode)
    assert same([net, optimizer, extra], list(loaded))
    assert np.array_equal(random.getRNGState(), rng)


# ---------------------------------------------------------------- what is refused when saving


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
        with pytest.raises(
            DTypeError, match="into must be a module or criterion, got int"
        ) as error:
            load(path, into=1)
        assert error.value.method == load.__name__
        assert (error.value.argument, error.value.got) == ("into", "int")
        assert error.value.expected == "a module or criterion"


def test_a_long_description_is_refused(path):
    path.write_bytes(b"old")
    with pytest.raises(DTypeError, match="long lists of numbers belong into arrays"):
        serial.save_checkpoint(path, nn.ReLU(), None, losses=[0.1], log="." * 2**22)
    assert path.read_bytes() == b"old"


def test_a_description_may_be_of_the_greatest_length(path, monkeypatch):
    net = mlp()
    serial.save(path, net)
    saved = path.read_bytes()
    length = len(members_of(saved)[0][1])
    monkeypatch.setattr(files, "_LONGEST", length)
    serial.save(path, net)
    assert repr(serial.load(path)) == repr(net)
    monkeypatch.setattr(files, "_LONGEST", length - 1)
    problem = f"what is not in arrays takes {length} bytes, at most {length - 1} can be"
    refused(path, net, f"save: {problem}\n  hint: long lists of numbers belong into arrays")
    path.write_bytes(saved)
    with pytest.raises(FormatError, match=f": {length} bytes are more than {length - 1}$"):
        serial.load(path)


def test_a_network_in_itself_is_refused(path):
    net = nn.Sequential(nn.ReLU())
    net.modules.append(net)
    refused(path, net, "save: Sequential: modules are nested more than 100 deep")
    net = nn.Sequential(nn.ReLU())
    for _ in range(20):
        net = nn.Sequential(net)
        net.modules.append(net[0])
    refused(path, net, "save: Sequential: there are more than 65536 modules in it")


def chain(length, end):
    """Return a module in so many Sequentials, which `add` would refuse to nest too deep."""
    for _ in range(length):
        outer = nn.Sequential()
        outer.modules.append(end)
        end = outer
    return end


def test_modules_are_nested_100_deep_at_most(path):
    message = "save: Sequential: modules are nested more than 100 deep"
    serial.save(path, chain(99, nn.ReLU()))
    assert repr(serial.load(path)).count("Sequential") == 99
    refused(path, chain(100, nn.ReLU()), message)
    # What is shared is measured once, and may be met where it is nested less deep.
    tail = chain(49, nn.ReLU())
    net = nn.Sequential(tail)
    net.modules.append(chain(49, tail))
    serial.save(path, net)
    assert len(serial.load(path)) == 2
    net.modules[1] = chain(50, tail)
    refused(path, net, message)


def test_values_are_nested_64_deep_at_most(path):
    deep = 1
    for i in range(63):
        deep = ({"k": deep}, [deep], (deep,))[i % 3]
    serial.save_checkpoint(path, nn.ReLU(), deep)
    assert serial.load_checkpoint(path).optimizer == deep
    for held in ([deep], {"k": deep}, {1: deep}, (deep,)):
        with pytest.raises(DTypeError, match=r"save_checkpoint: .* nested more than 64 deep"):
            serial.save_checkpoint(path, nn.ReLU(), held)


# ---------------------------------------------------------------- the zip itself


def test_checksum_is_that_of_zip(path):
    serial.save(path, mlp())
    raw = path.read_bytes()
    for name, inside in members_of(raw):
        with zipfile.ZipFile(path) as file:
            assert zlib.crc32(inside) == file.getinfo(name).CRC


def test_dtypes_are_plain():
    assert not any(dtype.hasobject or dtype.names for dtype in npy.DTYPES.values())


def test_a_file_may_have_as_many_arrays_as_members(path, monkeypatch):
    net = nn.ReLU()
    net.held = [np.ones(1) for _ in range(3)]
    monkeypatch.setattr(archive, "MOST_MEMBERS", 4)
    serial.save(path, net)
    assert len(serial.load(path).held) == 3
    net.held.append(np.ones(1))
    refused(path, net, "save: held[3]: there are more than 3 arrays")


def test_arrays_of_which_the_place_is_no_name(path):
    net = nn.ReLU()
    net.é = np.ones(1)
    serial.save(path, net)
    assert [name for name, _ in members_of(path.read_bytes())] == ["torchlite.json", "array.npy"]
    assert serial.load(path).é == 1


def test_modules_that_are_no_list_are_refused(path):
    net = nn.Sequential(nn.ReLU())
    net.modules = tuple(net.modules)
    refused(path, net, "save: Sequential: modules must be a list, not a tuple")
    net.modules = [nn.ReLU(), 1]
    refused(path, net, "save: Sequential: modules must be a list of modules")


def test_many_modules_around_the_same_are_refused(path, monkeypatch):
    net = nn.ReLU()
    net.held = [nn.WeightNorm(nn.Linear(1, 1)) for _ in range(2)]
    monkeypatch.setattr(describe, "MOST_PARTS", 4)
    serial.save(path, net)
    monkeypatch.setattr(describe, "MOST_PARTS", 3)
    refused(path, net, "save: WeightNorm: several stand around the same more than 3 modules")


def test_views_of_the_same_numbers_in_the_same_order_are_one():
    a = np.ones((1, 3))
    for other in (a, a[:], a[::2]):
        assert fit._is_one(a, other)
    for other in (a.copy(), a[:, ::-1], a[:, :2], a[0], a.view("int64"), nn.ReLU()):
        assert not fit._is_one(a, other)


def nothing(kind, said, where):
    raise AssertionError


@pytest.mark.parametrize(
    "node",
    [
        {}, {"tuple": [], "dict": []}, {"tuple": {}}, {"dict": {}}, {"dict": [1]},
        {"dict": [["a"]]}, {"dict": [["a", 1, 2]]}, {"dict": [["a", 1], ["a", 2]]},
        {"dict": [[1, "int"], [True, "bool"]]}, {"dict": [[{"tuple": []}, 1]]},
        # More of the same hash than there are by chance.
        {"dict": [[i * (2**61 - 1), 0] for i in range(1, 13)]},
        {"float": "1.0"}, {"float": 1}, {"dtype": "O"}, {"dtype": ["f"]}, {"import": "os"},
    ],
)  # fmt: skip
def test_what_describes_no_value(node):
    with pytest.raises(values.RefusalError) as error:
        values.decode([node], "it", nothing)
    assert error.value.where == "it[0]"
    assert error.value.problem == f"{repr(node)[:80]} describes no value"


def test_what_describes_a_value():
    alike = [[i * (2**61 - 1), 0] for i in range(1, 12)]
    assert len(values.decode({"dict": alike}, "", nothing)) == 11
    for node, value in (
        ({"dict": [[None, 1], ["a", [2]], [0.5, True]]}, {None: 1, "a": [2], 0.5: True}),
        ({"tuple": [{"tuple": []}, {"float": "inf"}]}, ((), float("inf"))),
        ({"dtype": "<f4"}, np.dtype("float32")),
    ):
        assert values.decode(node, "", nothing) == value


def test_values_may_be_nested_64_deep():
    node = 1
    for _ in range(64):
        node = [node]
    assert values.decode(node, "", nothing) == node
    with pytest.raises(values.RefusalError) as error:
        values.decode([node], "w" * 99, nothing)
    assert error.value.problem == "values are nested more than 64 deep"
    assert error.value.where == "w" * 80
