"""Parameters that are views of one memory: one step, one place in the flat array, one tie kept."""

import copy
import json
import pickle
import warnings

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from torchlite import nn, optim, serial
from torchlite.errors import FormatError, StateError
from torchlite.kernels import views
from torchlite.nn import ties
from torchlite.serial import archive
from torchlite.stepping import summary


def linear(weight, gradWeight):
    layer = nn.Linear(weight.shape[1], weight.shape[0], False)
    layer.weight, layer.gradWeight = weight, gradWeight
    return layer


def tied(view):
    """Return a network of an encoder and of a decoder whose arrays are views of the encoder's."""
    encoder = nn.Linear(3, 2, False)
    encoder.weight[...] = np.arange(6).reshape(2, 3)
    return nn.Sequential(encoder, nn.Tanh(), linear(view(encoder.weight), view(encoder.gradWeight)))


VIEWS = {
    "transpose": lambda array: array.T,
    "whole": lambda array: array[:],
    "reshape": lambda array: array.reshape(6, 1).T,
    "slice": lambda array: array[:, 1:],
    "backwards": lambda array: array[::-1],
}
# The same tie, told from the other side.
FORTRAN = {f"{name} of F": view for name, view in VIEWS.items() if name != "reshape"}
COPIES = {
    "clone": nn.Module.clone,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "type": lambda net: net.clone().float().double(),
}


def network(name):
    net = tied({**VIEWS, **FORTRAN}[name])
    if name in FORTRAN:
        for side in ("weight", "gradWeight"):
            array = np.asfortranarray(getattr(net[0], side))
            setattr(net[0], side, array)
            setattr(net[2], side, FORTRAN[name](array))
    return net


def holds(net, view):
    for side in ("weight", "gradWeight"):
        whole, part = getattr(net[0], side), getattr(net[2], side)
        before = part.copy()
        whole += 1
        assert np.array_equal(part, before + 1)
        assert np.array_equal(part, view(whole))
        part -= 1
        assert np.array_equal(part, before)


@pytest.mark.parametrize("name", [*VIEWS, *FORTRAN])
@pytest.mark.parametrize("copied", [None, *COPIES])
def test_ties(name, copied):
    view = {**VIEWS, **FORTRAN}[name]
    net = network(name)
    made = COPIES[copied](net) if copied else net
    for one, other in ((made[0], net[0]), (made[2], net[2])):
        assert np.array_equal(one.weight, other.weight)
        assert copied is None or not np.shares_memory(one.weight, other.weight)
    holds(made, view)

    # Zero and update touch each number once.
    ((whole,), (gradient,)) = made.parameters()
    assert whole is made[0].weight
    before = whole.copy()
    gradient.fill(2)
    made.updateParameters(0.5)
    assert np.array_equal(made[0].weight, before - 1)
    made.zeroGradParameters()
    assert not made[2].gradWeight.any()

    # So does the flat array.
    values = made[0].weight.copy()
    parameters, gradParameters = made.getParameters()
    assert parameters.shape == gradParameters.shape == (6,)
    assert np.array_equal(made[0].weight, values)
    holds(made, view)
    again, gradAgain = made.getParameters()
    assert again.ctypes.data == parameters.ctypes.data
    assert gradAgain.ctypes.data == gradParameters.ctypes.data
    # Each parameter stands beside its gradient.
    made[0].gradWeight[...] = 10 * made[0].weight
    assert np.array_equal(gradParameters, 10 * parameters)
    rows = list(made.located_parameters())
    assert [row.place.path for row in rows] == ["[0]", "[2]"]
    for row in rows:
        flat = parameters[row.entries].reshape(row.parameter.shape).copy()
        if name in VIEWS or row is rows[1]:
            assert np.array_equal(flat, row.parameter)


def test_the_step_of_a_tied_weight():
    encoder = nn.Linear(1, 1, False)
    encoder.weight.fill(2)
    net = nn.Sequential(encoder, linear(encoder.weight.T, encoder.gradWeight.T))
    x, gradOutput = np.array([[1.0]]), np.array([[1.0]])
    net.zeroGradParameters()
    net.forward(x)
    net.backward(x, gradOutput)
    net.updateParameters(0.1)
    # d(w * w)/dw = 4: 2 - 0.1 * 4, not 2 - 0.2 * 4.
    assert encoder.weight == 1.6


def test_layers_updated_one_by_one_update_their_own_views():
    net = tied(VIEWS["transpose"])
    before = net[0].weight.copy()
    net[0].gradWeight.fill(1)
    for layer in net:
        layer.updateParameters(0.25)
    assert np.array_equal(net[0].weight, before - 2 * 0.25)


def test_optim_takes_each_number_once():
    net = tied(VIEWS["transpose"])
    net[0].weight.fill(1)
    x, gradParameters = net.getParameters()
    gradParameters.fill(2)
    assert optim.clip_by_norm(gradParameters, 12**0.5) == 24**0.5
    assert np.allclose(net[2].gradWeight, 2**0.5)
    assert optim.clip_by_value(gradParameters, 1) == pytest.approx(12**0.5)
    assert (net[2].gradWeight == 1).all()
    optim.sgd(lambda _: (0.0, gradParameters), x, {"learningRate": 0.25, "weightDecay": 2})
    # 1 - 0.25 * (1 + 2 * 1)
    assert (net[0].weight == 0.25).all()
    assert (net[2].weight == 0.25).all()


def test_ordinary_steps_look_for_no_ties(monkeypatch):
    net = tied(VIEWS["transpose"])
    layer = net[0].clone()
    for module in (net, layer):
        module.zeroGradParameters()
    monkeypatch.setattr(ties, "overlaps", None)
    for module in (net, layer):
        module.zeroGradParameters().updateParameters(1)
        module.parameters()
    net[2].weight = net[2].weight.copy()
    layer.weight = layer.weight.copy()
    for module in (net, layer):
        with pytest.raises(TypeError, match="'NoneType' object is not callable"):
            module.zeroGradParameters()


def test_a_slice_may_come_first():
    whole, gradWhole = np.arange(8.0).reshape(4, 2), np.zeros((4, 2))
    net = nn.Sequential(linear(whole[1:3], gradWhole[1:3]), linear(whole.T, gradWhole.T))
    net.insert(nn.Linear(2, 2, False), 1)
    parameters = net.parameters()[0]
    # At the place of the first.
    assert [array.shape for array in parameters] == [(2, 4), (2, 2)]
    assert parameters[0] is net[2].weight
    flat, _ = net.getParameters()
    # In the order of its memory.
    assert flat[:8].tolist() == list(range(8))
    assert net[0].weight.tolist() == [[2, 3], [4, 5]]
    assert [row.parameters for row in summary(net).rows] == [None, 4, 4, 4]
    assert [row.tied for row in summary(net).rows] == [False, False, False, True]
    assert summary(net).total.parameters == 12
    factors = optim.per_parameter(net, {"[2]": 5, "[0]": 7})
    assert factors.tolist() == [5, 5, 7, 7, 7, 7, 5, 5, 1, 1, 1, 1]
    assert optim.per_parameter(net, {"[0]": 7, "[2]": 5}).tolist() == [5] * 8 + [1] * 4


def test_ties_reach_into_containers():
    encoder = nn.Linear(3, 2)
    decoder = nn.Linear(2, 3)
    decoder.weight, decoder.gradWeight = encoder.weight.T, encoder.gradWeight.T
    net = nn.Sequential(nn.Sequential(nn.Sequential(encoder), nn.Tanh()), nn.Sequential(decoder))
    for made in (net, net.clone(), pickle.loads(pickle.dumps(net))):
        flat, _ = made.getParameters()
        assert flat.size == 11
        flat[:] = 1
        made[1][0].weight.fill(3)
        assert flat.tolist() == [3] * 6 + [1] * 5
    rows = {row.position.strip(): (row.parameters, row.tied) for row in summary(net).rows}
    assert rows["net[0][0][0]"] == (8, False)
    assert rows["net[1][0]"] == (3, True)
    assert "  3  tied\n" in str(summary(net))


def test_inner_ties_of_pickles_hold_with_outer_ones():
    whole, gradient = np.arange(8.0).reshape(2, 4), np.zeros((2, 4))
    parts = [(whole[:, :2], gradient[:, :2]), (whole[:, :2].T, gradient[:, :2].T)]
    net = nn.Sequential(
        nn.Sequential(*(linear(*pair) for pair in parts)), nn.Sequential(linear(whole, gradient))
    )
    for made in (net.clone(), pickle.loads(pickle.dumps(net))):
        made[1][0].weight.fill(5)
        assert (made[0][0].weight == 5).all()
        assert (made[0][1].weight == 5).all()
        made[0][1].weight[0, 1] = 6
        assert made[1][0].weight.tolist() == [[5, 5, 5, 5], [6, 5, 5, 5]]


def test_a_tie_inside_one_layer():
    layer = nn.Linear(3, 2)
    layer.bias, layer.gradBias = layer.weight[:, 0], layer.gradWeight[:, 0]
    layer.weight.fill(0)
    layer.gradWeight.fill(1)
    layer.updateParameters(1)
    assert (layer.weight == -1).all()
    assert layer.getParameters()[0].size == 6
    assert np.shares_memory(layer.clone().bias, layer.clone().weight) is False
    made = layer.clone()
    assert np.shares_memory(made.bias, made.weight)


@pytest.mark.parametrize("name", [*VIEWS, *FORTRAN])
@pytest.mark.parametrize("first", [0, 2])
def test_a_part_may_be_copied_before_the_whole(name, first):
    net = network(name)
    part, made = copy.deepcopy([net[first], net])
    assert made[first] is part
    _, made_of_arrays = copy.deepcopy([[net[first].weight, net[2 - first].gradWeight], net])
    for one in (made, made_of_arrays):
        holds(one, {**VIEWS, **FORTRAN}[name])
        assert np.array_equal(one[2].weight, net[2].weight)
        assert not np.shares_memory(one[0].weight, net[0].weight)


def test_clones_that_share_tied_arrays_share_them():
    mapped = nn.MapTable(tied(lambda array: array.T))
    mapped.forward([np.ones((1, 3))] * 2)
    assert mapped.clones[0][2].weight is mapped[0][2].weight


class Packed(nn.Linear):
    """A layer that hands pickle its arrays in its own way."""

    def __getstate__(self):
        return {"packed": (self.weight, self.gradWeight)}

    def __setstate__(self, state):
        self.weight, self.gradWeight = state["packed"]


class Pair(nn.Linear):
    """A layer with a tie inside a tuple."""

    def __init__(self, *size):
        super().__init__(*size)
        self.both = (self.weight, [self.weight.T])


class Maker(nn.Sequential):
    """A container that pickle makes anew."""

    def __init__(self):
        super().__init__(*tied(lambda array: array.T))

    def __reduce__(self):
        return Maker, ()


@pytest.mark.parametrize("ordered", [np.ascontiguousarray, np.asfortranarray])
def test_entries_stand_in_the_order_of_the_parameter(ordered):
    net = network("transpose")
    for side in ("weight", "gradWeight"):
        setattr(net[0], side, ordered(getattr(net[0], side)))
        setattr(net[2], side, getattr(net[0], side).T)
    before = [row.entries for row in net.located_parameters()]
    parameters, _ = net.getParameters()
    for row, entries in zip(net.located_parameters(), before, strict=True):
        for found in (row.entries, entries):
            assert np.array_equal(parameters[found].reshape(row.parameter.shape), row.parameter)


def test_places_in_an_array_with_gaps():
    whole = np.zeros((2, 6))[:, ::2]
    assert views.lattice(whole, whole.T) == views.Lattice(0, (1, 3), (3, 2))
    assert views.lattice(whole, np.zeros((2, 6))) is None


def test_entries_in_the_order_of_memory_are_a_slice():
    first, _ = network("transpose").located_parameters()
    assert first.entries == slice(0, 6)


class Gain(nn.Mul):
    """One number, in an array without axes."""


@pytest.mark.parametrize("of", ["weight", "bias"])
def test_files_of_one_number_of_many(of, tmp_path):
    pytest.importorskip("safetensors")

    def make(start):
        layer, gain = nn.Linear(2, 3), Gain()
        getattr(layer, of)[...] += start
        for side, to in ((of, "weight"), ("grad" + of.title(), "gradWeight")):
            setattr(gain, to, getattr(layer, side)[(-1,) * getattr(layer, side).ndim + (...,)])
        assert gain.weight.shape == ()
        return nn.Sequential(layer, gain)

    serial.register("Gain", Gain)
    net = make(7)
    serial.save(tmp_path / "net.npz", net)
    serial.save_parameters(tmp_path / "net.safetensors", net)
    for load, name in ((serial.load, "net.npz"), (serial.load_parameters, "net.safetensors")):
        other = make(0)
        load(tmp_path / name, **{"into" if load is serial.load else "net": other})
        assert np.array_equal(getattr(other[0], of), getattr(net[0], of))
        assert other[1].weight == net[1].weight
        assert np.shares_memory(other[1].weight, getattr(other[0], of))


@pytest.mark.parametrize("copied", [copy.deepcopy, COPIES["pickle"]])
def test_ties_of_what_is_pickled_in_its_own_way(copied):
    net = tied(lambda array: array.T)
    layer = Packed(2, 3, False)
    layer.weight, layer.gradWeight = net[2].weight, net[2].gradWeight
    net.modules[2] = layer
    holds(copied(net), lambda array: array.T)
    one, (other,) = copied(Pair(2, 3)).both
    assert np.shares_memory(one, other)
    assert np.array_equal(one.T, other)
    holds(copied(Maker()), lambda array: array.T)


def test_copies_of_a_part_are_cut_and_copy_no_more():
    net = tied(VIEWS["slice"])
    big = np.zeros((1000, 1000))
    net[0].weight, net[0].gradWeight = big[:2, :3], np.zeros((2, 3))
    net[2].weight, net[2].gradWeight = net[0].weight[:, 1:], net[0].gradWeight[:, 1:]
    for made in (net.clone(), pickle.loads(pickle.dumps(net)), net.clone().float()):
        owner = made[2].weight
        while owner.base is not None:
            owner = owner.base
        assert np.asarray(owner).nbytes <= 6 * made[2].weight.itemsize
    assert len(pickle.dumps(net)) < 20_000
    alone = net[2].clone()
    assert not np.shares_memory(alone.weight, net[0].weight)
    assert len(alone.weight.base if alone.weight.base is not None else alone.weight) <= 4


def test_ties_are_looked_for_when_an_array_was_replaced(monkeypatch):
    from torchlite.nn import ties

    net = tied(VIEWS["transpose"])
    net.zeroGradParameters()
    asked = []
    monkeypatch.setattr(ties, "overlaps", lambda arrays: asked.append(arrays) or [])
    for _ in range(3):
        net.zeroGradParameters().updateParameters(0.1)
    assert not asked
    net[2].weight = net[2].weight.copy()
    net.zeroGradParameters()
    assert asked


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("name", ["weight", "bias", "gradWeight", "gradBias"])
def test_an_array_that_is_replaced_between_steps_is_zeroed_and_updated(name, depth):
    layer = nn.Linear(2, 3)
    net = nn.Sequential(layer)
    for _ in range(depth):
        net = nn.Sequential(net)
    # Where the arrays stand is noted after some steps.
    for _ in range(3):
        net.zeroGradParameters().updateParameters(1)
    before = getattr(layer, name)
    setattr(layer, name, np.full_like(before, 8))
    kept = before.copy()
    layer.gradWeight += 2
    layer.gradBias += 4
    expected = layer.weight - 0.5 * layer.gradWeight, layer.bias - 0.5 * layer.gradBias
    net.updateParameters(0.5)
    for got, right in zip((layer.weight, layer.bias), expected, strict=True):
        np.testing.assert_array_equal(got, right)
    net.zeroGradParameters()
    assert not layer.gradWeight.any()
    assert not layer.gradBias.any()
    np.testing.assert_array_equal(before, kept)


CHANGED = {
    "another": lambda net: net.modules.__setitem__(1, nn.Linear(2, 2)),
    "inside another": lambda net: net.modules.__setitem__(1, nn.Sequential(nn.Linear(2, 2))),
    "one more": lambda net: net.add(nn.Linear(2, 2)),
}


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_layer_that_comes_between_steps_is_zeroed(change, depth):
    part = net = nn.Sequential(nn.Linear(2, 2), nn.Identity())
    for _ in range(depth):
        net = nn.Sequential(net)
    for _ in range(3):
        net.zeroGradParameters()
    change(part)
    gradients = [gradient for layer in part for gradient in layer.parameters()[1]]
    assert len(gradients) == 4
    for gradient in gradients:
        gradient += 1
    net.zeroGradParameters()
    assert not any(gradient.any() for gradient in gradients)


# ---------------------------------------------------------------- files


def stored(net, folder, **settings):
    path = folder / "net.npz"
    serial.save(path, net, **settings)
    return path


@pytest.mark.parametrize("name", [*VIEWS, *FORTRAN])
@pytest.mark.parametrize("gradients", [False, True])
def test_files_keep_ties(name, gradients, tmp_path):
    view = {**VIEWS, **FORTRAN}[name]
    net = network(name)
    net[0].gradWeight.fill(3)
    path = stored(net, tmp_path, gradients=gradients)
    with np.load(path) as file:
        assert sorted(set(file) - {"torchlite.json"}) == (
            ["0.gradWeight", "0.weight"] if gradients else ["0.weight"]
        )
    made = serial.load(path)
    assert np.array_equal(made[0].weight, net[0].weight)
    assert (made[2].gradWeight == (3 if gradients else 0)).all()
    holds(made, view)
    assert made.getParameters()[0].size == 6
    # Into a network that is tied, and into one that is not.
    other = network(name)
    other[0].weight.fill(0)
    other[0].gradWeight.fill(1)
    assert serial.load(path, into=other) is other
    assert np.array_equal(other[2].weight, net[2].weight)
    assert (other[2].gradWeight == (3 if gradients else 0)).all()
    holds(other, view)
    loose = nn.Sequential(*(linear(part.weight * 0, part.gradWeight + 1) for part in net[::2]))
    loose.insert(nn.Tanh(), 1)
    serial.load(path, into=loose)
    assert np.array_equal(loose[2].weight, net[2].weight)
    assert (loose[2].gradWeight == (3 if gradients else 0)).all()


def test_a_flat_array_beside_the_network_ties_nothing(tmp_path):
    net, path = network("transpose"), tmp_path / "checkpoint.npz"
    parameters, gradParameters = net.getParameters()
    serial.save_checkpoint(path, net, flat=[parameters, gradParameters])
    with np.load(path) as file:
        assert "net.0.weight" in set(file)
    made = serial.load_checkpoint(path)
    assert np.array_equal(made.extra["flat"][0], parameters)
    assert not np.shares_memory(made.extra["flat"][0], made.net[0].weight)
    holds(made.net, VIEWS["transpose"])
    assert np.array_equal(serial.load_checkpoint(path, net).extra["flat"][0], parameters)


def test_the_same_view_twice(tmp_path):
    def autoencoder():
        net = tied(VIEWS["transpose"])
        return net.add(linear(net[0].weight.T, net[0].gradWeight.T))

    net, other = autoencoder(), autoencoder()
    path = stored(net, tmp_path)
    other[0].weight.fill(0)
    for loaded in (serial.load(path), serial.load(path, into=other)):
        assert np.array_equal(loaded[3].weight, net[0].weight.T)
        loaded[3].weight[0, 1] = 7
        assert loaded[2].weight[0, 1] == loaded[0].weight[1, 0] == 7
    # Two arrays of their own in the file, and the same view twice in the network.
    loose = nn.Sequential(*(linear(np.array(m.weight), np.zeros(m.weight.shape)) for m in net[::2]))
    loose.insert(nn.Tanh(), 1).add(linear(loose[2].weight.copy(), np.zeros((3, 2))))
    path = stored(loose, tmp_path)
    assert np.array_equal(serial.load(path, into=other)[3].weight, net[0].weight.T)
    loose[3].weight += 1
    with pytest.raises(FormatError, match=r"0\.weight: it differs from 3\.weight"):
        serial.load(stored(loose, tmp_path), into=other)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_an_array_and_its_reverse(order, tmp_path):
    """Both are as large; seen from the one that runs backwards, the other has no regular steps."""
    memory = np.arange(8.0).reshape(2, 4), np.zeros((2, 4))
    views = [(a[:, ::-1], a.reshape(1, 8), a[:, 1:3]) for a in memory]
    net = nn.Sequential(*(linear(views[0][i], views[1][i]) for i in order))
    path = stored(net, tmp_path)
    for made in (net, net.clone(), pickle.loads(pickle.dumps(net)), serial.load(path)):
        parameters, _ = made.getParameters()
        assert parameters.tolist() == list(range(8))
        parameters[:] = range(10, 18)
        assert made[order.index(0)].weight.tolist() == [[13, 12, 11, 10], [17, 16, 15, 14]]
        assert made[order.index(2)].weight.tolist() == [[11, 12], [15, 16]]
        parameters[:] = range(8)


def test_files_keep_ties_to_axes_in_another_order(tmp_path):
    memory = np.arange(24.0).reshape(2, 3, 4), np.zeros((2, 3, 4))
    first = nn.Bilinear(2, 4, 3, False)
    first.weight, first.gradWeight = (a.transpose(1, 0, 2) for a in memory)
    net = nn.Sequential(first, linear(*(a.reshape(1, -1) for a in memory)))
    path = stored(net, tmp_path)
    for made in (serial.load(path), serial.load(path, into=net.clone())):
        made[0].weight[2, 1, 3] = 7
        assert made[1].weight.tolist() == [[*range(23), 7]]
        assert made.getParameters()[0].size == 24


def test_an_axis_of_one_entry_has_no_direction():
    weight, gradient = np.zeros((1, 3)), np.zeros((1, 3))
    net = nn.Sequential(linear(weight[::-1], gradient[::-1]), linear(weight.T, gradient.T))
    for flat, again in zip(net.getParameters(), net.getParameters(), strict=True):
        assert flat.shape == (3,)
        assert again.ctypes.data == flat.ctypes.data


def test_tied_arrays_take_values_that_agree(tmp_path):
    loose = nn.Sequential(nn.Linear(3, 2, False), nn.Tanh(), nn.Linear(2, 3, False))
    path = stored(loose, tmp_path)
    net = tied(VIEWS["transpose"])
    before = net[0].weight.copy()
    with pytest.raises(FormatError) as caught:
        serial.load(path, into=net)
    assert str(caught.value) == (
        f"{path}: 0.weight: it differs from 2.weight, and in the network the two are views of one "
        "memory"
    )
    assert np.array_equal(net[0].weight, before)
    loose[2].weight[...] = loose[0].weight.T
    loose[2].weight[0, 0] = loose[0].weight[0, 0] = np.nan
    serial.load(stored(loose, tmp_path), into=net)
    assert np.array_equal(net[2].weight, loose[2].weight, equal_nan=True)


@pytest.mark.parametrize("name", [*VIEWS, *FORTRAN])
def test_safetensors_of_ties(name, tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    net, path = network(name), tmp_path / "net.safetensors"
    serial.save_parameters(path, net)
    assert list(numpy.load_file(path)) == ["0.weight"]
    other = network(name)
    other[0].weight.fill(0)
    serial.load_parameters(path, other)
    assert np.array_equal(other[2].weight, net[2].weight)
    # As other programs write it.
    both = {f"{i}.weight": np.array(net[i].weight, order="C") + 1 for i in (0, 2)}
    path.write_bytes(numpy.save(both))
    serial.load_parameters(path, other)
    assert np.array_equal(other[0].weight, net[0].weight + 1)
    both["2.weight"][0, 0] += 1
    path.write_bytes(numpy.save(both))
    with pytest.raises(FormatError, match=r"0\.weight: it differs from 2\.weight, and in the net"):
        serial.load_parameters(path, other)
    assert np.array_equal(other[0].weight, net[0].weight + 1)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        [{"array": "0.weight"}, 0, [1, 3], [3]],
        [{"array": "0.weight"}, 0, [1, 3], [3, 3]],
        [{"array": "0.weight"}, 0, [0, 0], [3, 2**62]],
        [{"array": "0.weight"}, -1, [1, 3], [3, 2]],
        [{"array": "0.weight"}, 1, [1, 3], [3, 2]],
        [{"array": "0.weight"}, 0, [-1, 3], [3, 2]],
        [{"array": "0.weight"}, 0, [1, 3], [0, 2]],
        [{"array": "0.weight"}, 0, [1, True], [3, 2]],
        [{"array": "0.weight"}, 0, 1, 6],
        [{"part": 0}, 0, [1], [1]],
        [{"array": "0.weight"}, 5, [1], [2]],
        [{"array": "0.weight"}, 0, [-1], [2]],
        [{"array": "0.weight"}, 6, [], []],
        [{"array": "nothing"}, 0, [1, 3], [3, 2]],
    ],
)
def test_what_is_no_view_is_refused(said, tmp_path):
    path = stored(tied(VIEWS["transpose"]), tmp_path)
    with open(path, "rb") as file:
        held = {
            name: file.seek(member.start) and file.read(member.size)
            for name, member in archive.directory(file).items()
        }
    view = b'{"view":[{"array":"0.weight"},0,[1,3],[3,2]]}'
    text = held["torchlite.json"]
    assert view in text
    held["torchlite.json"] = text.replace(view, json.dumps({"view": said}).encode())
    with open(path, "wb") as file:
        archive.write(file, [(name, (value,)) for name, value in held.items()])
    with pytest.raises(FormatError) as error:
        serial.load(path)
    problem = f"{repr(said)[:80]} describes no view"
    if said and said[0] == {"array": "nothing"}:
        problem = "there is no array 'nothing' in the file"
    assert str(error.value) == f"{path}: [2].weight: {problem}"


# ---------------------------------------------------------------- what is refused

ONE = "[0] Linear(3 -> 2) without bias weight"
OTHER = "[1] Linear(2 -> 3) without bias weight"


def separate():
    one, other = nn.Linear(3, 2, False), nn.Linear(2, 3, False)
    other.weight = one.weight.T
    return one, other


def elsewhere():
    one, other = separate()
    memory = np.zeros(9)
    one.gradWeight, other.gradWeight = memory[:6].reshape(2, 3), memory[3:].reshape(3, 2)
    return one, other


def gradients_alone():
    one, other = nn.Linear(3, 2, False), nn.Linear(2, 3, False)
    other.gradWeight = one.gradWeight.T
    return one, other


def of_two_dtypes():
    one, other = nn.Linear(3, 2, False), nn.Linear(2, 3, False)
    other.weight = one.weight.view("float32").reshape(-1)[:6].reshape(3, 2)
    other.gradWeight = one.gradWeight.view("float32").reshape(-1)[:6].reshape(3, 2)
    return one, other


def overlapping():
    memory, gradients = np.zeros(9), np.zeros(9)
    return (
        linear(memory[:6].reshape(2, 3), gradients[:6].reshape(2, 3)),
        linear(memory[3:].reshape(3, 2), gradients[3:].reshape(3, 2)),
    )


REFUSED = {
    separate: (
        "share memory, but their gradients do not share it in the same places",
        "where a.weight = b.weight.T, a.gradWeight must be b.gradWeight.T",
    ),
    elsewhere: (
        "share memory, but their gradients do not share it in the same places",
        "where a.weight = b.weight.T, a.gradWeight must be b.gradWeight.T",
    ),
    gradients_alone: (
        "share memory of their gradients, but none of their own",
        "give one of the gradients a copy",
    ),
    of_two_dtypes: ("share memory, but not the dtype", "give one of them a copy"),
    overlapping: (
        "overlap in memory, and neither holds the other",
        "make the whole a parameter, and both of them views of it",
    ),
}
CALLS = {
    "zeroGradParameters": lambda net: net.zeroGradParameters(),
    "updateParameters": lambda net: net.updateParameters(0.5),
    "getParameters": lambda net: net.getParameters(),
    "parameters": lambda net: net.parameters(),
    "located_parameters": lambda net: list(net.located_parameters()),
}


@pytest.mark.parametrize("make", REFUSED)
@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("deep", [False, True])
def test_unsound_ties_are_refused(make, method, deep):
    one, other = make()
    net = nn.Sequential(one, nn.Sequential(other) if deep else other)
    arrays = [one.weight, one.gradWeight, other.weight, other.gradWeight]
    one.gradWeight.fill(1)
    before = [array.tobytes() for array in arrays]
    with pytest.raises(StateError) as caught:
        CALLS[method](net)
    what, hint = REFUSED[make]
    second = OTHER.replace("[1]", "[1][0]") if deep else OTHER
    assert str(caught.value) == f"Sequential.{method}: {ONE} and {second} {what}\n  hint: {hint}"
    now = [one.weight, one.gradWeight, other.weight, other.gradWeight]
    assert all(array is kept for array, kept in zip(now, arrays, strict=True))
    assert [array.tobytes() for array in now] == before


REPEATED = {
    "bias": np.broadcast_to(np.ones(1), 2),
    "gradBias": np.broadcast_to(np.ones(1), 2),
    "weight": as_strided(np.zeros(4), (2, 3), (8, 8)),
    "gradWeight": as_strided(np.zeros(8)[4:], (2, 3), (-8, 8)),
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("method", CALLS)
def test_one_number_in_several_places_is_refused(name, method):
    layer = nn.Linear(3, 2)
    setattr(layer, name, REPEATED[name])
    with pytest.raises(StateError) as caught:
        CALLS[method](nn.Sequential(layer))
    parameter = name.removeprefix("grad").lower()
    assert str(caught.value) == (
        f"Sequential.{method}: [0] Linear(3 -> 2) {parameter} holds one number in several places\n"
        "  hint: give it a copy"
    )


@pytest.mark.parametrize(
    ("strides", "repeated"),
    [((16, 24), False), ((24, 16), False), ((-24, 16), False), ((16, 8), True), ((64, 4), True)],
)
def test_steps_that_interlock_repeat_nothing(strides, repeated):
    assert views.repeats(as_strided(np.zeros(20)[4:], (2, 3), strides)) is repeated


@pytest.mark.parametrize(("seed", "shared"), [(0, False), (9, True)])
def test_whether_memory_is_shared_is_told_soon(seed, shared):
    """NumPy's own search takes minutes, or years, for views with as many axes."""
    rng = np.random.default_rng(seed)
    strides = 8 * rng.integers(1000, 1030, (2, 12))
    memory = np.zeros(16_000)
    offset = int(rng.integers(0, 3000))
    one = as_strided(memory, (2,) * 12, strides[0])
    other = as_strided(memory[offset:], (2,) * 12, strides[1])
    with pytest.raises(np.exceptions.TooHardError):
        np.shares_memory(one, other, max_work=1000)
    assert views.share(one, other) is views.share(other, one) is shared


def test_a_parameter_with_two_gradients_gets_both():
    one = nn.Linear(1, 1, False)
    net = nn.Sequential(one, one.clone("weight"))
    net.zeroGradParameters()
    one.weight.fill(1)
    net[0].gradWeight.fill(1)
    net[1].gradWeight.fill(10)
    net.updateParameters(1)
    assert one.weight == -10
    with pytest.raises(StateError, match="share the parameter or the gradient, but not both"):
        net.getParameters()


def test_interleaved_parameters_are_no_tie():
    memory, gradients = np.zeros((3, 4)), np.zeros((3, 4))
    net = nn.Sequential(
        linear(memory[:, ::2], gradients[:, ::2]), linear(memory[:, 1::2], gradients[:, 1::2])
    )
    gradients.fill(1)
    net.updateParameters(1)
    assert (memory == -1).all()
    assert net.getParameters()[0].size == 12


# ---------------------------------------------------------------- leaving the flat array


def flattened(net=None):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)) if net is None else net
    parameters, gradParameters = net.getParameters()
    return net, parameters, gradParameters


def replace(net):
    net[0].weight = net[0].weight.copy()


def share(net):
    net.share(net.clone(), "bias")


CHANGES = {
    "zeroGradParameters": lambda net: net.zeroGradParameters(),
    "updateParameters": lambda net: net.updateParameters(1),
}


@pytest.mark.parametrize("leave", [replace, share, nn.Module.float])
@pytest.mark.parametrize("method", CHANGES)
def test_leaving_the_flat_arrays_warns_once(leave, method):
    net, *_ = flattened()
    net.zeroGradParameters()
    leave(net)
    net.parameters()
    with pytest.warns(UserWarning, match="have left") as caught:
        CHANGES[method](net)
    assert [str(warning.message) for warning in caught] == [
        f"Sequential.{method}: parameters have left the flat arrays that getParameters() returned, "
        "and what is done to these no longer reaches them. Call getParameters() again after "
        "replacing arrays or casting"
    ]
    assert caught[0].filename == __file__
    # Once; warnings are errors here.
    net.zeroGradParameters()
    replace(net)
    net.zeroGradParameters().updateParameters(1)
    # Until it is flattened again.
    _parameters, _gradParameters = net.getParameters()
    net.zeroGradParameters()
    replace(net)
    with pytest.warns(UserWarning, match="have left the flat arrays"):
        net.zeroGradParameters()


OUTSIDE = (
    "parameters that were added stand outside the flat arrays that getParameters() returned, and "
    "what is done to these does not reach them. Call getParameters() again after adding layers"
)


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("add", [lambda net: net.add, lambda net: net[0].insert])
def test_layers_added_to_flat_ones_warn_once(method, add):
    net, *_ = flattened(nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 1)))
    net.zeroGradParameters()
    add(net)(nn.Linear(1, 1))
    with pytest.warns(UserWarning, match="were added") as caught:
        CHANGES[method](net)
    assert [str(warning.message) for warning in caught] == [f"Sequential.{method}: {OUTSIDE}"]
    assert caught[0].filename == __file__
    net.zeroGradParameters().updateParameters(1)
    # Neither where it is flattened again.
    add(net)(nn.Linear(1, 1))
    _parameters, _gradParameters = net.getParameters()
    net.zeroGradParameters().updateParameters(1)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_only_the_network_that_was_added_to_warns(name):
    """Another network's training says nothing of it, and does not keep it from being said."""
    grown, *_grown = flattened()
    grown.add(nn.Linear(1, 1))
    other, parameters, gradients = flattened()

    def opfunc(net, flat):
        net.zeroGradParameters()
        return 0.0, flat

    # Warnings are errors here.
    getattr(optim, name)(lambda _: opfunc(other, gradients), parameters, {})
    getattr(optim, name)(lambda x: (0.0, x), np.zeros(3), {})
    with pytest.warns(UserWarning, match="were added") as caught:
        getattr(optim, name)(lambda _: opfunc(grown, _grown[1]), _grown[0], {})
    assert [str(w.message) for w in caught] == [f"Sequential.zeroGradParameters: {OUTSIDE}"]


@pytest.mark.parametrize("around", [nn.Sequential, lambda net: nn.Sequential(nn.NaN(net))])
def test_a_part_that_left_its_flat_arrays_warns_the_whole(around):
    net, *_ = flattened()
    whole = around(net)
    whole.zeroGradParameters()
    whole.float()
    with pytest.warns(UserWarning, match=r"Sequential\.updateParameters: parameters have left"):
        whole.updateParameters(1)
    whole.zeroGradParameters()
    # Of the whole, the flat arrays take the place of those of the part.
    net, *_ = flattened()
    whole = around(net)
    whole.getParameters()
    whole.zeroGradParameters().updateParameters(1)


def test_the_warning_comes_before_anything_is_done():
    net, *_ = flattened()
    net[0].gradWeight.fill(1)
    replace(net)
    with warnings.catch_warnings(action="error"), pytest.raises(UserWarning):
        net.zeroGradParameters()
    assert net[0].gradWeight.all()


def test_flat_arrays_that_nobody_kept_are_not_missed():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    assert net.getParameters()[0].size == 9
    net.float().zeroGradParameters().updateParameters(1)
    # One of them is enough, and those of an earlier call are the same memory.
    for call in (lambda: net.getParameters()[1], lambda: net.getParameters()[0]):
        kept = call()
        assert net.getParameters()[0].size == 9
        replace(net)
        with pytest.warns(UserWarning, match="have left the flat arrays"):
            net.zeroGradParameters()
        del kept


def test_what_stays_in_the_flat_arrays_warns_of_nothing():
    net, parameters, _ = flattened()
    part, _ = net[0].getParameters()
    assert np.shares_memory(part, parameters)
    net.zeroGradParameters().updateParameters(1)
    net[0].zeroGradParameters()
    other, *_kept = flattened()
    other.remove(0).zeroGradParameters()
    other.add(nn.Tanh()).add(other[0].clone("weight", "bias", "gradWeight", "gradBias"))
    other.zeroGradParameters()
    optim.sgd(lambda _: (0.0, np.zeros(1)), np.zeros(1))
    net.clone().float().zeroGradParameters()
    pickle.loads(pickle.dumps(net)).float().zeroGradParameters()


def test_axes_in_any_order_of_memory_stay_tied_when_pickled():
    def bilinear(weight, gradWeight):
        made = nn.Bilinear(2, 4, 3, False)
        made.weight, made.gradWeight = weight, gradWeight
        return made

    sides = [np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2) for _ in range(2)]
    net = nn.ConcatTable(bilinear(*sides), bilinear(*(side[:] for side in sides)))
    loaded = pickle.loads(pickle.dumps(net))
    for side in ("weight", "gradWeight"):
        one, other = (getattr(part, side) for part in loaded)
        assert np.array_equal(one, sides[0])
        other += 1
        assert np.array_equal(one, sides[0] + 1)
