"""getParameters: after Torch7's own tests, and where Torch7's users stumbled."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

from torchlite import manualSeed, nn
from torchlite.errors import StateError

SHARED = ("weight", "bias", "gradWeight", "gradBias")


def is_view(flat, *arrays):
    """Tell whether writing to the flat array writes to the arrays, in this order."""
    for i in range(flat.size):
        flat[i] = i
    return np.array_equal(
        np.concatenate([array.reshape(-1) for array in arrays]), np.arange(flat.size)
    )


def test_one_linear():
    layer = nn.Linear(10, 10)
    weight, bias = layer.weight.copy(), layer.bias.copy()
    parameters, gradients = layer.getParameters()
    assert parameters.size == gradients.size == 110
    assert np.array_equal(parameters[:100].reshape(10, 10), weight)
    assert np.array_equal(parameters[100:], bias)
    assert is_view(parameters, layer.weight, layer.bias)
    assert is_view(gradients, layer.gradWeight, layer.gradBias)


def test_a_second_layer_then_again():
    net = nn.Sequential(nn.Linear(10, 10))
    net.getParameters()
    net.add(nn.Linear(10, 10))
    parameters, gradients = net.getParameters()
    assert parameters.size == 220
    assert is_view(parameters, *(a for layer in net for a in (layer.weight, layer.bias)))
    assert is_view(gradients, *(a for layer in net for a in (layer.gradWeight, layer.gradBias)))


def test_an_unshared_clone_is_equal_until_reset():
    first = nn.Linear(10, 10)
    net = nn.Sequential(first, first.clone())
    parameters, _ = net.getParameters()
    assert parameters.size == 220
    assert np.array_equal(parameters[:110], parameters[110:])
    net[1].reset()
    assert not np.array_equal(parameters[:110], parameters[110:])
    assert np.array_equal(parameters[110:210].reshape(10, 10), net[1].weight)


def test_a_sharing_clone_appears_once():
    first = nn.Linear(10, 10)
    net = nn.Sequential(first, first.clone(*SHARED))
    parameters, gradients = net.getParameters()
    assert parameters.size == gradients.size == 110
    assert net[1].weight is net[0].weight
    net[1].reset()
    assert np.array_equal(parameters[:100].reshape(10, 10), net[0].weight)
    net.add(nn.Linear(10, 10))
    parameters, _ = net.getParameters()
    assert parameters.size == 220
    assert net[1].bias is net[0].bias
    assert is_view(parameters, net[0].weight, net[0].bias, net[2].weight, net[2].bias)


def test_a_net_of_part_of_a_flattened_net():
    one, two = nn.Sequential(nn.Linear(10, 10)), nn.Sequential(nn.Linear(10, 10))
    nn.Sequential(one, two).getParameters()
    kept = one[0].weight.copy()
    last = nn.Linear(10, 1)
    parameters, _ = nn.Sequential(one, last).getParameters()
    assert parameters.size == 121
    assert np.array_equal(parameters[:100].reshape(10, 10), kept)
    assert is_view(parameters, one[0].weight, one[0].bias, last.weight, last.bias)


def test_first_layers_of_two_flattened_nets():
    nets = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2)]
    for net in nets:
        net.getParameters()
    values = [a.copy() for net in nets for a in (net[0].weight, net[0].bias)]
    parameters, _ = nn.Sequential(
        nn.Sequential(nets[0][0]), nn.Sequential(nets[1][0])
    ).getParameters()
    assert np.array_equal(parameters, np.concatenate([a.reshape(-1) for a in values]))
    assert is_view(parameters, *(a for net in nets for a in (net[0].weight, net[0].bias)))


def test_a_transposed_weight_and_a_bias_in_a_larger_array():
    layer = nn.Linear(2, 3)
    layer.weight = np.arange(6.0).reshape(2, 3).T
    table = np.arange(100.0, 112.0).reshape(4, 3)
    layer.bias = table[1]
    parameters, _ = layer.getParameters()
    assert parameters.tolist() == [0, 3, 1, 4, 2, 5, 103, 104, 105]
    assert is_view(parameters, layer.weight, layer.bias)
    assert table[1].tolist() == [103, 104, 105]


def test_flattening_a_child_leaves_the_parent_alive():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 1))
    parameters, gradients = net.getParameters()
    part, part_gradients = net[1].getParameters()
    assert np.shares_memory(part, parameters)
    assert np.shares_memory(part_gradients, gradients)
    assert part.size == 16
    part[...] = 7
    assert (net[1][0].weight == 7).all()
    assert (parameters[9:25] == 7).all()
    assert not (parameters[:9] == 7).any()


def test_twice_and_train_through_the_first_pair():
    manualSeed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    parameters, gradients = net.getParameters()
    again, gradients_again = net.getParameters()
    assert np.shares_memory(again, parameters)
    assert again.size == parameters.size
    x, y = np.array([[1.0, 2.0], [-1.0, 0.5]]), np.array([[1.0], [-1.0]])
    criterion = nn.MSECriterion()
    losses = []
    for _ in range(30):
        losses.append(criterion.forward(net.forward(x), y))
        gradients.fill(0)
        net.backward(x, criterion.backward(net.output, y))
        parameters -= 0.05 * gradients
    assert losses[-1] < 0.5 * losses[0]
    assert np.array_equal(again, parameters)
    assert np.array_equal(gradients_again, gradients)


@pytest.mark.parametrize(
    "copied", [nn.Module.clone, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_copies_of_a_flattened_net_train_on_their_own(copied):
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    parameters, gradients = net.getParameters()
    gradients.fill(1)
    made = copied(net)
    before = parameters.copy()
    made.updateParameters(0.5)
    assert np.array_equal(parameters, before)
    own, _ = made.getParameters()
    assert np.array_equal(own, before - 0.5)
    net.updateParameters(0.25)
    assert np.array_equal(own, before - 0.5)
    assert np.array_equal(parameters, before - 0.25)


def test_one_fill_and_one_update_do_for_a_flattened_net():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert len(net._pairs("updateParameters")) == 4
    parameters, gradients = net.getParameters()
    ((covering, covering_gradients),) = net._pairs("updateParameters")
    assert covering.size == parameters.size
    assert np.shares_memory(covering_gradients, gradients)
    net[0].weight = net[0].weight.copy()
    gradients.fill(1)
    before = [parameter.copy() for parameter in net.parameters()[0]]
    with pytest.warns(UserWarning, match="parameters have left the flat arrays"):
        net.updateParameters(2)
    assert len(net._pairs("updateParameters")) == 2
    for parameter, old in zip(net.parameters()[0], before, strict=True):
        assert np.array_equal(parameter, old - 2)


def test_without_parameters():
    parameters, gradients = nn.Sequential(nn.ReLU()).float().getParameters()
    assert parameters.size == gradients.size == 0
    assert parameters.dtype == np.float32


def test_overlapping_parameters_are_refused():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3))
    memory = np.zeros(9)
    net[0].weight, net[1].weight = memory[:6].reshape(3, 2), memory[3:].reshape(3, 2)
    with pytest.raises(StateError) as caught:
        net.getParameters()
    assert str(caught.value) == (
        "Sequential.getParameters: [0] Linear(2 -> 3) weight and [1] Linear(2 -> 3) weight "
        "overlap in memory, and neither holds the other\n"
        "  hint: make the whole a parameter, and both of them views of it"
    )
    assert np.shares_memory(net[0].weight, memory)


@pytest.mark.parametrize("names", [("weight",), ("gradWeight",), ("weight", "bias", "gradBias")])
def test_half_shared_parameters_are_refused(names):
    first = nn.Linear(2, 2)
    net = nn.Sequential(first, nn.Sequential(nn.ReLU(), first.clone(*names)))
    with pytest.raises(StateError) as caught:
        net.getParameters()
    assert str(caught.value) == (
        "Sequential.getParameters: [0] Linear(2 -> 2) weight and [1][1] Linear(2 -> 2) weight "
        "share the parameter or the gradient, but not both\n"
        "  hint: clone('weight', 'bias', 'gradWeight', 'gradBias') shares all of them"
    )
    assert net[0].weight.base is None


@pytest.mark.parametrize("change", [nn.Module.getParameters, nn.Module.float])
def test_replaced_arrays_are_freed_at_once(change):
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    old = [weakref.ref(array) for part in net for arrays in part.parameters() for array in arrays]
    gc.disable()
    try:
        change(net)
        assert all(reference() is None for reference in old)
    finally:
        gc.enable()


# ---------------------------------------------------------------- what has changed since last time


CHANGES = {
    # Equal, and of one number: what compares values takes it for the old one.
    **{
        name: lambda net, name=name: setattr(net[0], name, getattr(net[0], name).copy())
        for name in ("weight", "bias", "gradWeight", "gradBias")
    },
    "no bias": lambda net: net[0].noBias(),
    "a weight where none was": lambda net: vars(net[1]).update(
        weight=np.ones(1), gradWeight=np.ones(1)
    ),
    "another module": lambda net: net.modules.__setitem__(0, nn.Linear(1, 1)),
    "another module inside": lambda net: net[2].modules.__setitem__(0, nn.Linear(1, 1)),
    "other modules": lambda net: setattr(net, "modules", [nn.Linear(1, 1)]),
    "one more": lambda net: net.add(nn.Linear(1, 1)),
    "one less": lambda net: net.remove(0),
    "one more inside": lambda net: net[2].add(nn.Linear(1, 1)),
    "trains nothing": lambda net: setattr(net[0], "parameters", lambda: ([], [])),
    "trains nothing inside": lambda net: setattr(net[2], "parameters", lambda: ([], [])),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_is_trained_is_noticed(change):
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Sequential(nn.Linear(1, 1)))
    before = net.parameters()
    for _ in range(3):
        net.zeroGradParameters().updateParameters(1)
    change(net)
    now = net.parameters()
    for array in (*before[1], *now[1]):
        array.fill(1)
    trained = {id(array) for array in now[0]}
    expected = [(array, array - (id(array) in trained)) for array in (*before[0], *now[0])]
    net.updateParameters(1)
    assert all(np.array_equal(array, values) for array, values in expected)
    net.zeroGradParameters()
    zeroed = {id(array) for array in now[1]}
    assert all(array.any() != (id(array) in zeroed) for array in (*before[1], *now[1]))


def test_what_is_refused_is_refused_again():
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    for _ in range(3):
        net.zeroGradParameters()
    net[1].weight = net[0].weight.T
    for _ in range(3):
        with pytest.raises(StateError, match="share memory"):
            net.zeroGradParameters()


def test_modules_are_asked_for_their_parameters_where_something_changed(monkeypatch):
    asked, parameters = [], nn.Module.parameters

    def ask(module):
        asked.append(module)
        return parameters(module)

    monkeypatch.setattr(nn.Module, "parameters", ask)
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Sequential(nn.Linear(1, 1)))
    net.zeroGradParameters().updateParameters(1)
    asked.clear()
    net.zeroGradParameters().updateParameters(1)
    assert asked == []
    net.add(nn.Tanh()).zeroGradParameters()
    assert net[-1] in asked


def test_a_module_with_parameters_of_its_own_is_asked_each_time():
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.LookupTable(3, 1)))
    table = net[1][0]
    for _ in range(3):
        net.zeroGradParameters()
    table.parameters = lambda: ([], [])
    table.gradWeight.fill(1)
    net.zeroGradParameters()
    assert table.gradWeight.all()
