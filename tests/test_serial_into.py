"""Loading into a network that was built in code."""

import numpy as np
import pytest
from saving import dirty, mlp, same

from torchlite import nn, random, serial
from torchlite.errors import FormatError


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
    for held, wanted, message in (
        ([1], np.ones(1), "a table in the file, an array in the network"),
        (np.ones(1), {"k": 1}, "an array in the file, a table in the network"),
        ("x" * 99, np.ones(1), f"'{'x' * 79} in the file, an array in the network"),
        (nn.ReLU(), 7, "a ReLU in the file, 7 in the network"),
    ):
        saved, into = net(), net()
        saved[0].held, into[0].held = held, wanted
        unfit(path, saved, into, f"[0].held: {message}")
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


def test_a_checkpoint_fills_what_is_a_view_too(path):
    def decoder():
        net = nn.Sequential(nn.Linear(2, 3, False), nn.Linear(3, 2, False))
        net[1].weight, net[1].gradWeight = net[0].weight.T, net[0].gradWeight.T
        return net

    net, other, beside = decoder(), decoder(), nn.ReLU()
    # What is met first is whole, and the next a view of it.
    beside.held = [layer.parameters() for layer in net]
    serial.save_checkpoint(path, net, beside=beside)
    held = serial.load_checkpoint(path, into=other).extra["beside"].held
    for layer, ((weight,), (gradient,)) in zip(other, held, strict=True):
        assert weight is layer.weight
        assert gradient is layer.gradWeight
    assert np.array_equal(other[1].weight, net[0].weight.T)


def test_a_checkpoint_has_no_gradients_unless_they_are_asked_for(path):
    net = dirty(mlp(), np.random.default_rng(0))
    serial.save_checkpoint(path, net)
    assert not serial.load_checkpoint(path).net[0].gradWeight.any()
    serial.save_checkpoint(path, net, gradients=True)
    assert same(serial.load_checkpoint(path).net, net)


def test_what_is_no_state_of_the_generator_is_named(path, monkeypatch):
    monkeypatch.setattr(random, "getRNGState", lambda: np.zeros(3))
    serial.save_checkpoint(path, mlp())
    with pytest.raises(FormatError) as error:
        serial.load_checkpoint(path)
    assert (
        str(error.value)
        == f"{path}: random: setRNGState: state must be a uint8 array, got float64 array"
    )


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


def holding(held):
    layer = nn.ReLU()
    layer.held = held
    return layer


def test_arrays_in_dicts_are_filled(path):
    serial.save(path, holding({"a": np.ones(2), "b": [np.ones(1)]}))
    net = holding({"a": np.zeros(2), "b": [np.zeros(1)]})
    arrays = net.held["a"], net.held["b"][0]
    serial.load(path, into=net)
    assert net.held["a"] is arrays[0]
    assert net.held["b"][0] is arrays[1]
    assert [array.tolist() for array in arrays] == [[1, 1], [1]]


@pytest.mark.parametrize(
    ("file", "network", "entries"),
    [
        ({"a": np.ones(1)}, {"b": np.ones(1)}, (1, 1)),
        ({"a": 1}, {"a": 1, "b": np.ones(1)}, (1, 2)),
        ({"a": 1, "b": np.ones(1)}, {"a": 1}, (2, 1)),
        (7, {"a": np.ones(1)}, (0, 1)),
        ({"a": nn.ReLU()}, None, (1, 0)),
    ],
)
def test_tables_of_other_keys_do_not_fit(file, network, entries, path):
    unfit(
        path, holding(file), holding(network),
        f"held: {entries[0]} entries in the file, {entries[1]} in the network",
    )  # fmt: skip


def test_settings_of_other_keys_fit(path):
    serial.save(path, holding({"a": 1}))
    assert serial.load(path, into=holding({"b": [2]})).held == {"b": [2]}
