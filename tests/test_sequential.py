"""Sequential: the path, stepping by hand, positions, printing."""

import json
import pickle
import re

import golden
import numpy as np
import pytest
from counting import calls_of

from torchlite import nn, random
from torchlite.errors import DTypeError, StateError
from torchlite.stepping import summary, trace

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
G = np.array([[1.0], [-2.0], [0.5]])


def mlp():
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def test_activations_and_gradOutputs():
    net = mlp()
    assert len(net.activations) == len(net.gradOutputs) == 0
    output = net.forward(X)
    assert net.activations[0] is X
    assert net.activations[-1] is output is net.output
    for i, module in enumerate(net):
        assert net.activations[i + 1] is module.output
    gradInput = net.backward(X, G)
    assert net.gradOutputs[-1] is G
    for i in (1, 2):
        assert net.gradOutputs[i - 1] is net[i].gradInput
    assert gradInput is net[0].gradInput is net.gradInput


def test_stepping_by_hand_equals_backward():
    # Some first weights leave no ReLU on.
    random.manualSeed(0)
    net = mlp()
    by_hand = net.clone()
    net.forward(X)
    net.backward(X, G)

    hidden = by_hand[0].forward(X)
    active = by_hand[1].forward(hidden)
    by_hand[2].forward(active)
    by_hand[2].accGradParameters(active, G)
    gradActive = by_hand[2].updateGradInput(active, G)
    gradHidden = by_hand[1].updateGradInput(hidden, gradActive)
    by_hand[0].accGradParameters(X, gradHidden)
    assert np.array_equal(by_hand[0].updateGradInput(X, gradHidden), net.gradInput)
    for one, other in zip(net.parameters()[1], by_hand.parameters()[1], strict=True):
        assert np.array_equal(one, other)
        assert one.any()


def test_calls_on_the_modules_in_between_change_nothing():
    net = mlp()
    expected = net.clone()
    expected.forward(X)
    expected.backward(X, G)
    net.forward(X)
    for module in net:
        module.forward(np.ones((7, module.weight.shape[1] if module.weight is not None else 3)))
    net.backward(X, G)
    assert np.array_equal(net.gradInput, expected.gradInput)
    assert np.array_equal(net[2].gradWeight, expected[2].gradWeight)


def test_the_empty_one_is_the_identity():
    net = nn.Sequential()
    assert net.forward(X) is X
    assert net.backward(X, X) is X
    assert net.parameters() == ([], [])
    assert net.zeroGradParameters() is net


def test_a_path_that_is_not_the_input():
    net = mlp()
    with pytest.raises(StateError) as caught:
        net.backward(X, G)
    assert str(caught.value) == (
        "Sequential.updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: a backward goes back along its path, which "
        "an error drops"
    )
    net.forward(X)
    with pytest.raises(StateError) as caught:
        net.backward(X + 1, G)
    assert str(caught.value) == (
        "Sequential.updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: a backward goes back along its path"
    )
    with pytest.raises(StateError):
        net.backward(X.astype("float32"), G)
    net.backward(X.copy(), G)
    with pytest.raises(StateError) as caught:
        net.accGradParameters(X, 2 * G)
    assert str(caught.value).startswith(
        "Sequential.accGradParameters: gradOutput is not that of the last updateGradInput\n"
    )
    net.accGradParameters(X, G.copy())
    net.add(nn.ReLU())
    with pytest.raises(StateError):
        net.backward(X, G)


def test_a_path_with_nan_is_found_again():
    net, x = mlp(), X.copy()
    x[0, 0] = np.nan
    net.forward(x)
    net.backward(x.copy(), G)
    assert np.isnan(net.gradInput).sum() == 0
    assert np.isnan(net[0].gradWeight).any()


def test_an_error_drops_the_path():
    net = mlp()
    net.forward(X)
    with pytest.raises(ValueError, match="gradOutput"):
        net.backward(X, np.ones((3, 2)))
    assert len(net.activations) == 0
    net.forward(X)
    with pytest.raises(ValueError, match="input"):
        net.forward(np.ones((3, 3)))
    assert len(net.activations) == 0


@pytest.mark.parametrize("method", ["updateGradInput", "accGradParameters"])
def test_a_module_that_fails_leaves_all_gradients_as_they_were(method):
    class Fails(nn.Linear):
        def updateGradInput(self, input, gradOutput):
            if method == "updateGradInput":
                raise ValueError("not today")
            return super().updateGradInput(input, gradOutput)

        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(input, gradOutput, scale)
            raise ValueError("not today")

    net = nn.Sequential(nn.Sequential(Fails(2, 2)), nn.Linear(2, 2))
    for gradient in net.parameters()[1]:
        gradient.fill(0.1)
    net.forward(X)
    with pytest.raises(ValueError, match="not today") as caught:
        net.backward(X, X)
    assert all((gradient == 0.1).all() for gradient in net.parameters()[1])
    assert len(net.activations) == 0
    assert caught.value.__notes__ == [
        "  at [0] of Sequential: gradOutput (3, 2) -> [0] here",
        "  at [0] of Sequential: gradOutput (3, 2) -> [1] Linear(2 -> 2) -> (3, 2) -> [0] here",
    ]


# ---------------------------------------------------------------- gradInput = None


def test_the_first_module_can_do_without_gradInput():
    net, full = mlp(), None
    full = net.clone()
    net[0].gradInput = None
    for one in (net, full):
        one.forward(X)
    assert net.backward(X, G) is None
    assert full.backward(X, G) is not None
    assert np.array_equal(net[0].gradWeight, full[0].gradWeight)
    assert net[0].gradInput is None
    net[0].gradInput = np.zeros(0)
    assert np.array_equal(net.backward(X, G), full.gradInput)


def test_the_network_itself_can_do_without():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 2))
    full = net.clone()
    net.gradInput = None
    for one in (net, full):
        one.forward(X)
        one.backward(X, X)
    assert net.gradInput is None
    assert np.array_equal(net[0][0].gradWeight, full[0][0].gradWeight)


def test_nobody_in_the_middle_can():
    net = mlp()
    net[2].gradInput = None
    net.forward(X)
    with pytest.raises(StateError) as caught:
        net.backward(X, G)
    assert "\n".join([str(caught.value), *caught.value.__notes__]) == (
        "Linear(3 -> 1).updateGradInput: gradInput is None, but [1] ReLU before it needs it\n"
        "  hint: only the first layer can do without: net[2].gradInput = np.zeros(0)\n"
        "  at [2] of Sequential: gradOutput (3, 1) -> [2] here"
    )
    assert not net[2].gradWeight.any()
    nested = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)))
    nested[1][0].gradInput = None
    nested.forward(X)
    with pytest.raises(StateError, match=r"gradInput is None, but \[0\] Linear"):
        nested.backward(X, X)


# ---------------------------------------------------------------- positions


def test_positions():
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    net = nn.Sequential()
    assert net.add(a).add(c) is net
    assert net.insert(b, 1) is net
    assert list(net) == [a, b, c]
    assert (net[0], net[-1], net.get(1), net[np.int64(2)]) == (a, c, b, c)
    assert (len(net), net.size()) == (3, 3)
    assert net.remove() is net
    assert list(net.remove(0)) == [b]
    assert list(net.insert(a, -1)) == [b, a]


def test_a_slice_has_the_same_modules():
    net = mlp()
    net.forward(X)
    part = net[1:]
    assert type(part) is nn.Sequential
    assert list(part) == [net[1], net[2]]
    assert len(part.activations) == 0
    part.modules.pop()
    assert len(net) == 3
    assert list(net[::-1]) == [net[2], net[1], net[0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net[3], "Sequential.get: index 3 is out of range for 3 modules"),
        (lambda net: net.get(-4), "Sequential.get: index -4 is out of range for 3 modules"),
        (lambda net: net.remove(3), "Sequential.remove: index 3 is out of range for 3 modules"),
        (
            lambda net: net.insert(nn.ReLU(), 4),
            "Sequential.insert: index 4 is out of range for 3 modules",
        ),
        (lambda net: nn.Sequential().remove(), "Sequential.remove: index -1 is out of range for 0"),
    ],
)
def test_an_index_out_of_range(call, message):
    net = mlp()
    with pytest.raises(IndexError) as caught:
        call(net)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("counting from 0")
    assert len(net) == 3


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (3, "Sequential.add: module must be a Module, got int"),
        (None, "Sequential.add: module must be a Module, got NoneType"),
        (
            nn.ReLU,
            "Sequential.add: module must be a Module, got the class ReLU\n  hint: ReLU() makes one",
        ),
        (nn.MSECriterion(), "Sequential.add: module must be a Module, got MSECriterion"),
        (
            [nn.ReLU()],
            "Sequential.add: module must be a Module, got list\n"
            "  hint: each module is an argument of its own: *modules",
        ),
    ],
)
def test_what_is_no_module(thing, message):
    net = mlp()
    with pytest.raises(DTypeError) as caught:
        net.add(thing)
    assert str(caught.value) == message
    assert len(net) == 3
    with pytest.raises(DTypeError):
        nn.Sequential(nn.ReLU(), thing)


def test_an_index_that_is_no_integer():
    with pytest.raises(DTypeError, match="index must be an integer, got '0'"):
        mlp()["0"]


# ---------------------------------------------------------------- one instance in two places


def test_a_module_that_remembers_nothing_stands_in_two_places():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.ReLU(), shared)
    net.forward(X)
    net.backward(X, X)
    apart = nn.Sequential(shared.clone(), nn.ReLU(), shared.clone())
    apart.zeroGradParameters()
    apart.forward(X)
    apart.backward(X, X)
    assert np.allclose(shared.gradWeight, apart[0].gradWeight + apart[2].gradWeight, 1e-14)
    assert len(net.parameters()[0]) == 2
    before = shared.weight.copy()
    net.updateParameters(0.5)
    assert np.array_equal(shared.weight, before - 0.5 * shared.gradWeight)


@pytest.mark.parametrize("method", ["add", "insert"])
def test_a_module_that_remembers_does_not(method):
    inner = nn.Sequential(nn.Linear(2, 2))
    net = nn.Sequential(nn.Sequential(inner))
    with pytest.raises(StateError) as caught:
        net.add(inner) if method == "add" else net.insert(nn.Sequential(inner), 0)
    assert str(caught.value) == (
        f"Sequential.{method}: Sequential remembers its forward and stands in this network "
        "already\n  hint: add clone('weight', 'bias', 'gradWeight', 'gradBias') instead"
    )
    with pytest.raises(StateError):
        net.add(net)
    assert len(net) == 1


def _refused(net, module):
    before = list(net)
    with pytest.raises(StateError, match="remembers its forward and stands in this network"):
        net.add(module)
    assert list(net) == before


def test_whatever_way_it_came_into_the_network():
    inner, dropped = nn.Sequential(), nn.Dropout()
    net = nn.Sequential(nn.ReLU(), nn.ConcatTable(inner))
    inner.add(dropped)
    _refused(net, dropped)
    _refused(net, nn.Sequential(nn.Identity(), dropped).remove(0).get(0))
    # To a container inside, what stands elsewhere in the network around it.
    beside = nn.Dropout()
    net.add(beside)
    _refused(inner, beside)
    _refused(inner, net)
    for copy in (net.clone(), pickle.loads(pickle.dumps(net)), net[:]):
        _refused(copy, copy[2])
        _refused(copy, copy[1])
        _refused(copy[1].get(0), copy[2])
    appended = nn.Dropout()
    net.modules.append(appended)
    _refused(net, appended)


def test_what_was_taken_out_may_come_back():
    dropped = nn.Dropout()
    net = nn.Sequential(nn.Sequential(dropped), nn.ReLU())
    net.remove(0)
    assert net.add(dropped)[1] is dropped
    net.modules[1] = nn.Identity()
    assert net.add(dropped)[2] is dropped
    # Two networks apart may share it.
    other = nn.Sequential(dropped)
    del net
    assert len(other.add(nn.Sequential(nn.Dropout()))) == 2


def _flat(n):
    net = nn.Sequential()
    for i in range(n):
        net.add(nn.Dropout() if i % 2 else nn.ReLU())


def _blocks(n):
    net = nn.Sequential()
    for _ in range(n // 4):
        inner = nn.Sequential(nn.ReLU())
        net.add(nn.ConcatTable(inner, nn.Dropout()))
        inner.add(nn.Dropout())


def _after_a_removal(n):
    net = nn.Sequential(*(nn.Dropout() for _ in range(n // 2)))
    for _ in range(n // 2):
        net.remove(0).add(nn.Dropout())


@pytest.mark.parametrize("build", [_flat, _blocks, _after_a_removal])
def test_building_costs_as_much_for_the_last_module_as_for_the_first(build):
    build(8)
    assert calls_of(lambda: build(4000))[0] < 11 * calls_of(lambda: build(400))[0]


def _nested(levels):
    net = nn.Linear(2, 2)
    for _ in range(levels - 1):
        net = nn.Sequential(net)
    return net


def test_as_deep_as_it_may_be():
    """Everything that goes into a network goes into one of a hundred levels."""
    net = _nested(100)
    net.forward(X)
    net.zeroGradParameters().backward(X, X)
    net.updateParameters(0.1).evaluate().float()
    assert repr(net).count("Sequential") == 99
    again = pickle.loads(pickle.dumps(net.clone()))
    assert np.array_equal(again.getParameters()[0], net.getParameters()[0])
    assert len(again.listModules()) == 100
    assert "Linear" in str(summary(net, (3, 2)))
    x = X.astype("f4")
    assert len(trace(net, x, nn.MSECriterion(), x)) > 300


def test_deeper_than_it_may_be():
    text = "modules must be at most 100 deep inside one another, got more"
    with pytest.raises(StateError) as caught:
        _nested(101)
    assert str(caught.value) == (
        f"Sequential.add: {text}\n  hint: side by side they may be as many as you like"
    )
    net = _nested(60)
    inner = net
    while inner[0].modules:
        inner = inner[0]
    with pytest.raises(StateError, match=text):
        inner.insert(_nested(42), 0)
    assert len(inner) == 1
    inner.insert(_nested(41), 0)
    with pytest.raises(StateError, match=text):
        nn.Decorator(net)
    # What was taken out does not count.
    inner.remove(0)
    nn.Decorator(net)


# ---------------------------------------------------------------- printing


def test_nested_repr():
    net = nn.Sequential(nn.Linear(10, 20), nn.Sequential(nn.ReLU()), nn.Linear(20, 1, False))
    assert repr(net) == (
        "Sequential {\n"
        "  [input -> (0) -> (1) -> (2) -> output]\n"
        "  (0): Linear(10 -> 20)\n"
        "  (1): Sequential {\n"
        "    [input -> (0) -> output]\n"
        "    (0): ReLU\n"
        "  }\n"
        "  (2): Linear(20 -> 1) without bias\n"
        "}"
    )
    assert repr(nn.Sequential()) == "Sequential {\n  [input -> output]\n}"
    torch7 = {case["id"]: case for case in json.loads((golden.DATA / "strings.json").read_text())}
    assert torch7["tree_empty"]["text"] == "nn." + repr(nn.Sequential())
    text = re.sub(
        r"nn\.|\(\d+\)", lambda found: _without_nn(found[0]), torch7["tree_nested"]["text"]
    )
    assert text == repr(nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(1, 1)))))


def _without_nn(found):
    return "" if found == "nn." else f"({int(found[1:-1]) - 1})"
