"""Nodes, and the networks that are made of them."""

import copy
import inspect
import pickle
import random
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from cases.graph import lstm, partly_used, residual, twice, used_by_itself
from counting import calls_of

from torchlite import nn, serial
from torchlite.errors import DTypeError, FormatError, SettingError, ShapeError, StateError
from torchlite.nn.graph import Edge, Graph, ModuleNode, Node, NodeData, dot, nest
from torchlite.nn.nested import leaves, map_arrays
from torchlite.stepping import drawing

FILE = Path(__file__).name


def line(offset=0):
    """Return what a node made in the caller's line (and so many after it) is called by."""
    return f"[{FILE}]:{inspect.currentframe().f_back.f_lineno + offset}"


def copies(net):
    return [net.clone(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))]


def step(net, x, gradOutput):
    """Return output, gradInput and gradients of one step."""
    net.zeroGradParameters()
    output = net.forward(x)
    gradInput = net.backward(x, gradOutput)
    return output, gradInput, [gradient.copy() for gradient in net.parameters()[1]]


# ---------------------------------------------------------------- calling modules


def test_a_module_called_with_nodes_is_a_node_and_with_arrays_its_output():
    layer = nn.Linear(3, 2)
    x = np.ones((4, 3))
    node = layer(nn.Identity()())
    assert isinstance(node, ModuleNode)
    assert node.data.module is layer
    assert np.array_equal(layer(x), layer.forward(x))
    assert np.array_equal(layer(input=x), layer.forward(x))
    assert np.array_equal(nn.CAddTable()([x, x]), 2 * x)
    with pytest.raises(DTypeError, match=r"updateOutput: input must be an array, got NoneType"):
        layer(None)
    with pytest.raises(DTypeError, match=r"^Linear\(3 -> 2\)\.forward: input must be one array or"):
        layer(x, x)


def test_an_input_has_no_children_and_a_list_has_one_for_each_node():
    x, y = nn.Identity()(), nn.Identity()()
    both = nn.CAddTable()([x, y])
    assert x.children == []
    assert both.children == [x, y]
    assert both.data.mapindex == [x.data, y.data]
    assert nn.CAddTable()((x, y)).children == [x, y]


def test_a_mixture_says_so():
    x = nn.Identity()()
    for given, argument, got in [
        ([x, np.ones((2, 3))], "input[1]", "an array (2, 3)"),
        ([np.ones(3), x], "input[0]", "an array (3,)"),
        ([x, None], "input[1]", "NoneType"),
    ]:
        with pytest.raises(DTypeError) as caught:
            nn.CAddTable()(given)
        error = caught.value
        assert str(error) == (
            f"CAddTable: {argument} must be a node like the others, got {got}\n"
            "  hint: of arrays all, or of nodes all"
        )
        assert (error.method, error.argument) == ("__call__", argument)


def test_a_node_that_is_forwarded():
    with pytest.raises(DTypeError) as caught:
        nn.Linear(3, 2).forward(nn.Identity()())
    assert str(caught.value) == (
        "Linear(3 -> 2).updateOutput: input must be an array, got ModuleNode\n"
        "  hint: a node is what a module is called with: nn.Linear(...)(node)"
    )


def test_a_module_that_should_be_a_node_and_a_node_that_should_be_a_module():
    hint = "  hint: a second pair of parentheses makes a node of a module: nn.Identity(...)()"
    for call, argument in [
        (lambda: nn.Tanh()(nn.Identity()), "Tanh.updateOutput: input"),
        (lambda: nn.CAddTable()([np.ones(3), nn.Identity()]), "CAddTable.updateOutput: input[1]"),
    ]:
        with pytest.raises(DTypeError) as caught:
            call()
        assert str(caught.value) == f"{argument} must be an array, got Identity\n{hint}"
    with pytest.raises(DTypeError) as caught:
        nn.Sequential(nn.Tanh()())
    assert str(caught.value) == (
        "Sequential.add: module must be a Module, got ModuleNode\n"
        "  hint: nn.gModule(inputs, outputs) is a network of nodes"
    )


def test_what_else_a_module_may_not_be_called_with():
    x, y = nn.Identity()(), nn.Identity()()
    with pytest.raises(DTypeError) as caught:
        nn.CAddTable()([x, nn.ReLU()])
    assert str(caught.value) == (
        "CAddTable: input[1] must be a node like the others, got ReLU\n"
        "  hint: a second pair of parentheses makes a node of a module: nn.ReLU()(x)"
    )
    with pytest.raises(DTypeError) as caught:
        nn.FlattenTable()([x, [y]])
    assert str(caught.value) == (
        "FlattenTable: input[1] must be a node like the others, got list\n"
        "  hint: nn.graph.nest(nodes) is one node of a table in a table"
    )
    for wrong, got in [
        ((x, y), "2 of them"),
        ((x, np.ones(3)), "2 of them"),
        (({"a": x},), "a dict"),
    ]:
        with pytest.raises(DTypeError) as caught:
            nn.CAddTable()(*wrong)
        assert str(caught.value) == (
            f"CAddTable: input must be a node or a list of nodes, got {got}\n"
            "  hint: nn.CAddTable(...)([a, b]): several inputs are one table"
        )
    where = line(2)
    with pytest.raises(StateError) as caught:
        nn.CAddTable()([x, x])
    assert str(caught.value) == (
        f"CAddTable of {where}: a node must come once in an input, {name_of(x)} comes twice\n"
        "  hint: nn.Identity()(node) is another node of the same value"
    )


def name_of(node):
    return f"{node.data.module!r} of {node.data.annotations['_debugLabel']}"


def test_a_criterion_called_with_nodes_is_a_module_of_it():
    x, y = nn.Identity()(), nn.Identity()()
    criterion = nn.MSECriterion()
    node = criterion([x, y])
    assert type(node.data.module) is nn.ModuleFromCriterion
    assert node.data.module.criterion is criterion
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    assert criterion(a, b) == 6.5
    net = nn.gModule([x, y], [node])
    assert np.array_equal(net.forward([a, b]), [6.5])
    assert np.array_equal(net.backward([a, b], np.array([2.0]))[0], [-4.0, -6.0])
    for wrong in ((x, y), (x, b), (a, y)):
        with pytest.raises(DTypeError) as caught:
            criterion(*wrong)
        assert str(caught.value) == (
            "MSECriterion.__call__: input must be one array or one table, got 2 of them\n"
            "  hint: nn.MSECriterion(...)([a, b]) is a node"
        )


def test_split_and_annotate():
    x = nn.Identity()()
    where = line(1)
    first, second = nn.SplitTable(1)(x).split(2)
    assert [part.data.selectindex for part in (first, second)] == [0, 1]
    assert first.children == second.children
    whole = first.children[0]
    assert whole.data.nSplitOutputs == 2
    assert whole.data.annotations["_debugLabel"] == where
    (only,) = nn.ConcatTable(nn.Tanh())(x).split(1)
    assert type(only.data.module) is nn.JustElement
    assert first.annotate(name="a", description="the first") is first
    assert first.graphNodeName() == "a (0)"
    assert [repr(node) for node in (x, whole, first)] == [
        "ModuleNode(Identity)",
        "ModuleNode(a split)",
        "ModuleNode(part 0 of a split 'a')",
    ]
    assert first.label() == "desc = the first\nselectindex = 0"
    for wrong, kind, message in [
        (0, SettingError, "noutput must be at least 1, got 0"),
        (2.0, DTypeError, "noutput must be a whole number, got 2.0"),
        (True, DTypeError, "noutput must be a whole number, got True"),
    ]:
        with pytest.raises(kind) as caught:
            x.split(wrong)
        assert str(caught.value) == f"{name_of(x)}.split: {message}"


def test_nest():
    x, y, z = nn.Identity()(), nn.Identity()(), nn.Identity()()
    assert nest(x) is x
    net = nn.gModule([x, y, z], [nest([x, [y], (z, nest([x, y]))])])
    a, b, c = np.array([1.0]), np.array([2.0]), np.array([3.0])
    output = net.forward([a, b, c])
    assert nn.FlattenTable().forward(output) == [a, b, c, a, b]
    assert net.backward([a, b, c], output) == [2 * a, 2 * b, c]
    for wrong, got in [([], "an empty one"), ([x, 3], "int"), (a, "ndarray"), (3, "int")]:
        with pytest.raises(DTypeError) as caught:
            nest(wrong)
        assert str(caught.value) == (
            f"nest: nodes must be a node, or a list of nodes and lists, got {got}"
        )
    with pytest.raises(StateError) as caught:
        nest([y, [x, z, x]])
    assert str(caught.value) == (
        f"nest: a node must come once in a list, {name_of(x)} comes twice\n"
        "  hint: nn.Identity()(node) is another node of the same value"
    )


# ---------------------------------------------------------------- construction


def refusal(*arguments):
    with pytest.raises((DTypeError, StateError)) as caught:
        nn.gModule(*arguments)
    return str(caught.value)


def test_inputs_and_outputs_are_lists_of_nodes():
    x = nn.Identity()()
    assert refusal(x, [x]) == (
        "gModule: inputs must be a list of nodes, got ModuleNode\n  hint: [input]"
    )
    assert refusal([x], x) == (
        "gModule: outputs must be a list of nodes, got ModuleNode\n  hint: [output]"
    )
    assert refusal([], [x]) == (
        "gModule: inputs must be a list of at least one node, got an empty list"
    )
    assert refusal([x], [nn.Tanh()]) == (
        "gModule: outputs[0] must be a node, got Tanh\n"
        "  hint: a second pair of parentheses makes a node of a module: nn.Identity()()"
    )
    assert refusal([x, None], [x]) == "gModule: inputs[1] must be a node, got NoneType"
    assert refusal([x, x], [x]) == (
        f"gModule: inputs[1] must be another node, got {name_of(x)} again\n"
        "  hint: nn.Identity()(node) is another node of the same value"
    )
    assert refusal([x], [x, x]).startswith("gModule: outputs[1] must be another node, got")
    y = nn.Tanh()(x)
    assert refusal([y], [y]) == (
        f"gModule: inputs[0] must be a node before all others, got {name_of(y)}, which comes "
        f"after {name_of(x)}\n  hint: nn.Identity()() is such a node"
    )
    part = nn.ConcatTable(nn.Tanh(), nn.ReLU())(x).split(2)[0]
    assert refusal([ModuleNode()], [part]) == (
        "gModule: inputs[0] must be a node of a module, got a node without a module"
    )


def test_an_input_that_nothing_uses():
    x, y = nn.Identity()(), nn.Identity()().annotate(name="the other")
    assert refusal([x, y], [nn.Tanh()(x)]) == (
        "gModule: every input must lead to one of the outputs, inputs[1], Identity 'the other' of "
        f"{y.data.annotations['_debugLabel']}, does not"
    )


def test_a_node_that_leads_nowhere():
    x = nn.Identity()()
    h = nn.Linear(3, 4)(x)
    nn.Sigmoid()(h).annotate(name="forgotten")
    where = line(-1)
    assert refusal([x], [nn.Tanh()(h)]) == (
        "gModule: every node must lead to one of the outputs, Sigmoid 'forgotten' of "
        f"{where} leads nowhere\n"
        "  hint: name it among the outputs, or leave it out: make anew what "
        f"{name_of(h)} stands for"
    )


def test_a_split_of_which_nothing_or_too_much_is_used():
    x = nn.Identity()()
    pair = nn.ConcatTable(nn.Tanh(), nn.ReLU())
    pair(x).split(2)
    where = line(-1)
    assert f"ConcatTable of {where} leads nowhere" in refusal([x], [nn.Tanh()(x)])
    x = nn.Identity()()
    t = pair(x)
    first, second = t.split(2)
    lost = nn.Tanh()(second)
    assert f"{name_of(lost)} leads nowhere" in refusal([x], [first])
    x = nn.Identity()()
    t = pair(x)
    t.split(2)
    where = line(-1)
    assert f"a split of {where} leads nowhere" in refusal([x], [nn.JoinTable(1)(t)])


def test_a_node_that_comes_from_nowhere():
    x, y = nn.Identity()(), nn.Linear(3, 3)()
    for pair in ([x, y], [y, x]):
        assert refusal([x], [nn.CAddTable()(pair)]) == (
            f"gModule: every node must come from the inputs, {name_of(y)} has no input and is none "
            "of them\n  hint: name it among the inputs"
        )
    x, y = nn.Identity()(), nn.Linear(3, 3)()
    odd = ModuleNode()
    odd.add([x, y], True)
    assert refusal([x, y], [odd]) == (
        "gModule: a node without a module must have one input, got 2\n"
        "  hint: nn.graph.nest(nodes) is the node of a table"
    )


def test_a_circle():
    x = nn.Identity()()
    h = nn.CAddTable()(x)
    y = nn.Tanh()(nn.ReLU()(h))
    h.add(y, True)
    circle = [y, y.children[0], h]
    assert refusal([x], [y]) == (
        "gModule: nodes must lead in no circle, got "
        + " -> ".join(map(name_of, [y, h, circle[1], y]))
    )


def test_a_chain_longer_than_python_goes_deep():
    x = h = nn.Identity()()
    for _ in range(3000):
        h = nn.AddConstant(1)(h)
    net = nn.gModule([x], [h])
    one = np.ones(1)
    assert np.array_equal(net.forward(one), [3001.0])
    assert np.array_equal(net.backward(one, one), one)
    assert len(net.forwardnodes) == 3003
    assert nn.gModule([x], [h]).clone().forward(one) == 3001


def test_a_module_that_remembers_at_two_nodes():
    x, layer = nn.Identity()(), nn.Dropout(0.5)
    h = layer(x)
    y = layer(h).annotate(name="again")
    with pytest.raises(StateError) as caught:
        nn.gModule([x], [y])
    error = caught.value
    assert str(error) == (
        "gModule.add: Dropout(0.500000) remembers its forward and stands in this network already\n"
        "  hint: add clone('weight', 'bias', 'gradWeight', 'gradBias') instead"
    )
    where = y.data.annotations["_debugLabel"]
    assert error.__notes__ == [f"  at the node Dropout(0.500000) 'again' of {where}"]


@pytest.mark.parametrize(
    "refused",
    [
        lambda x: nn.CAddTable()([x, x]),
        lambda x: nn.CAddTable()([x, nn.ReLU()]),
        lambda x: nest([[x], 3]),
        lambda x: nest([x, [x], [x, x]]),
        lambda x: ModuleNode(NodeData(nn.CAddTable())).add([x, x], True),
        lambda x: ModuleNode(NodeData(nn.CAddTable())).add([x, Node()], True),
        lambda x: x.split(0),
    ],
)
def test_a_refused_call_leaves_nodes_as_they_were(refused):
    x = nn.Identity()()
    with pytest.raises((DTypeError, SettingError, StateError)):
        refused(x)
    assert x.data.users == []
    nn.gModule([x], [nn.CAddTable()([x, nn.Identity()(x)])])


def test_a_refused_node_or_edge_adds_nothing():
    a, b, c = Node("a"), Node("b"), ModuleNode()
    graph = Graph()
    for refused in (
        lambda: a.add([b, 5]),
        lambda: c.add([c, 5]),
        lambda: c.add([c, b], True),
        lambda: graph.add([Edge(a, b), 5]),
    ):
        with pytest.raises(DTypeError):
            refused()
    assert (a.children, c.children, c.data.mapindex, c.data.users) == ([], [], [], [])
    assert (graph.nodes, graph.edges, b.id) == ([], [], 0)


def test_what_a_refused_network_held_stands_in_none():
    x, module = nn.Identity()(), nn.Dropout(0.5)
    h = nn.Tanh()(module(x))
    both = nn.CAddTable()([h, nn.Sigmoid()(module(x))])
    assert "Dropout" in refusal([x], [both])
    assert not any(node.data.placed for node in (x, h, both))
    assert "leads nowhere" in refusal([x], [h])
    y = nn.Identity()()
    nn.gModule([y], [nn.Tanh()(y)])
    assert y.data.placed


def test_nodes_can_be_used_for_another_network():
    x = nn.Identity()()
    h = nn.Linear(3, 4)(x)
    y = nn.Tanh()(h)
    one, both = nn.gModule([x], [y]), nn.gModule([x], [y, h])
    a = np.ones((2, 3))
    output, hidden = both.forward(a)
    # What stands in another network is not forgotten.
    nn.gModule([x], [h])
    assert np.array_equal(output, one.forward(a))
    assert np.array_equal(hidden, h.data.module.forward(a))


# ---------------------------------------------------------------- forward and backward


def test_gradients_of_what_is_used_several_times_are_summed():
    x = nn.Identity()()
    h = nn.MulConstant(2)(x)
    y = nn.CMulTable()([h, nn.MulConstant(3)(h), nn.AddConstant(1)(h)])
    net = nn.gModule([x], [y, h])
    a = np.array([1.0, -2.0])
    b = 2 * a
    output = net.forward(a)
    assert np.array_equal(output[0], b * 3 * b * (b + 1))
    g = [np.array([1.0, 10.0]), np.array([100.0, 1000.0])]
    # d/db of 3b^3 + 3b^2
    wanted = 2 * (g[0] * (9 * b**2 + 6 * b) + g[1])
    assert np.array_equal(net.backward(a, g), wanted)


def test_it_remembers_by_node():
    net = residual()
    x, g = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((4, 3))
    output, gradInput, gradients = step(net, x, g)
    assert net.activations[0] is x
    assert net.activations[-1] is output
    for i, module in enumerate(net.modules):
        assert net.activations[i + 1] is module.output
    assert net.gradOutputs[-1] is g
    net.zeroGradParameters()
    for i in reversed(range(len(net))):
        net[i].backward(net.inputs[i], net.gradOutputs[i])
    assert net[0].gradInput.tolist() == gradInput.tolist()
    for now, before in zip(net.parameters()[1], gradients, strict=True):
        assert np.array_equal(now, before)


def test_a_chain_costs_as_much_as_a_sequential():
    x = h = nn.Linear(3, 3)()
    for _ in range(20):
        h = nn.Linear(3, 3)(nn.Tanh()(h))
    chain = nn.gModule([x], [h])
    costs = []
    for net in (chain, nn.Sequential(*chain.clone().modules)):
        a = np.ones((2, 3))
        step(net, a, a)
        costs.append(calls_of(lambda net=net, a=a: step(net, a, a))[0])
    assert costs[1] > 1000
    assert costs[0] < 1.1 * costs[1]


def test_scale_and_accumulation():
    net = residual()
    x, g = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((4, 3))
    *_, once = step(net, x, g)
    net.zeroGradParameters()
    net.backward(x, g, 2)
    net.accGradParameters(x, g, -0.5)
    for now, before in zip(net.parameters()[1], once, strict=True):
        assert np.allclose(now, 1.5 * before, rtol=1e-14)


def test_an_input_that_is_an_output_too():
    x, y = nn.Identity()(), nn.Identity()()
    net = nn.gModule([x, y], [x, nn.CAddTable()([x, y])])
    a, b = np.array([1.0]), np.array([2.0])
    assert net.forward([a, b]) == [a, a + b]
    assert net.backward([a, b], [np.array([10.0]), np.array([5.0])]) == [[15.0], [5.0]]


def test_parts_that_nothing_uses_have_zeros():
    net = partly_used()
    x = np.ones((4, 3))
    net.forward(x)
    net.backward(x, np.ones((4, 2)))
    table = net.gradOutputs[1]
    assert [gradient.shape for gradient in table] == [(4, 2), (4, 3), (4, 2)]
    assert not table[1].any()
    assert table[0].any()


def test_the_same_module_at_two_nodes_counts_once():
    net = twice()
    x, g = np.ones((4, 3)), np.ones((4, 3))
    assert net.modules[1] is net.modules[3]
    assert len(net.parameters()[0]) == 2
    assert net.getParameters()[0].size == 12
    *_, gradients = step(net, x, g)
    before = net[1].weight.copy()
    net.updateParameters(0.5)
    assert np.array_equal(net[1].weight, before - 0.5 * gradients[0])


def test_a_list_of_one_node_is_that_node_and_one_output_is_itself():
    x = nn.Identity()()
    net = nn.gModule([x], [nn.Tanh()([x])])
    a = np.ones(3)
    assert np.array_equal(net.forward(a), np.tanh(a))
    net = nn.gModule([x], [nn.JoinTable(0)(nn.JustTable()(x))])
    assert np.array_equal(net.forward(a), a)


def test_gradInput_none():
    x = nn.Linear(3, 4)()
    net = nn.gModule([x], [nn.Tanh()(x)])
    a, g = np.ones((2, 3)), np.ones((2, 4))
    *_, wanted = step(net, a, g)
    net[0].gradInput = None
    _, gradInput, gradients = step(net, a, g)
    assert gradInput is None
    assert all(map(np.array_equal, gradients, wanted))
    net[0].gradInput, net.gradInput = np.zeros(0), None
    _, gradInput, gradients = step(net, a, g)
    assert gradInput is None
    assert net.gradInput is None
    assert all(map(np.array_equal, gradients, wanted))
    # As in Torch7: what is before the first layer of a network is an Identity.
    x = nn.Identity()()
    h = nn.Linear(3, 4)(x)
    net = nn.gModule([x], [h])
    net[1].gradInput = None
    assert step(net, a, g)[1] is None
    assert net.gradOutputs[0] is None
    net = nn.gModule([x], [nn.Linear(4, 2)(h)])
    net[2].gradInput = None
    net.forward(a)
    with pytest.raises(StateError) as caught:
        net.backward(a, np.ones((2, 2)))
    assert str(caught.value) == (
        "Linear(4 -> 2).updateGradInput: gradInput is None, but [1] Linear(3 -> 4) before it needs "
        "it\n  hint: only the first layer can do without: net[2].gradInput = np.zeros(0)"
    )
    assert caught.value.__notes__ == ["  at [1] of gModule: gradOutput None -> [1] here"]
    net = nn.gModule([x], [nn.Linear(4, 2)(nn.Tanh()(h))])
    net[3].updateGradInput = lambda input, gradOutput: None
    net.forward(a)
    with pytest.raises(StateError) as caught:
        net.backward(a, np.ones((2, 2)))
    assert str(caught.value) == (
        "Linear(4 -> 2).updateGradInput: gradInput is None, but [1] Linear(3 -> 4) before it needs "
        "it\n  hint: only the first layer can do without: net[3].gradInput = np.zeros(0)"
    )


def test_one_way_without_a_gradient_leaves_the_input_without():
    x = nn.Identity()()
    t = nn.ConcatTable(nn.Tanh(), nn.ReLU())(x)
    first, second = t.split(2)
    first = nn.CAddTable()([nn.Tanh()(first), nn.ReLU()(first)])
    net = nn.gModule([x], [nn.Linear(3, 2)(first), second])
    position = net.modules.index(net.findModules("Linear")[0][0])
    a = np.ones((2, 3))
    g = [np.ones((2, 2)), np.ones((2, 3))]
    *_, wanted = step(net, a, g)
    net[position].gradInput = None
    _, gradInput, gradients = step(net, a, g)
    assert gradInput is None
    assert all(map(np.array_equal, gradients, wanted))


# ---------------------------------------------------------------- errors on the way


def test_an_error_names_the_node_and_its_annotation():
    x = nn.Identity()()
    h = nn.Tanh()(nn.Linear(3, 4)(x))
    y = nn.Linear(7, 2)(h).annotate(name="scores", description="one a class")
    net = nn.Sequential(nn.gModule([x], [y]))
    with pytest.raises(ShapeError) as caught:
        net.forward(np.ones((5, 3)))
    error = caught.value
    assert [str(error), *error.__notes__] == [
        "Linear(7 -> 2).updateOutput: input must be (7,) or (N, 7), got (5, 4)\n"
        "  hint: Linear(4, 2) would fit",
        "  at [3] of gModule: [2] Tanh -> (5, 4) -> [3] here, scores, one a class",
        "  at [0] of Sequential: input (5, 3) -> [0] here",
    ]
    assert error.path == (0, 3)


def test_an_error_names_all_that_led_there():
    x, y = nn.Identity()(), nn.Identity()()
    first, _ = nn.SplitTable(1)(x).split(2)
    net = nn.gModule([x, y], [nn.CAddTable()([first, y])])
    with pytest.raises(ShapeError) as caught:
        net.forward([np.ones((5, 2)), np.ones(4)])
    assert caught.value.__notes__ == [
        "  at [3] of gModule: [1] SplitTable[0] -> (5,), [2] Identity -> (4,) -> [3] here"
    ]
    net = nn.gModule([x, y], [nn.JoinTable(0)(nest([first, y]))])
    with pytest.raises(DTypeError) as caught:
        net.forward([None, np.ones(4)])
    assert caught.value.__notes__ == [
        "  at [1] of gModule: [0] Identity -> None -> [1] here",
    ]


def test_an_error_on_the_way_back():
    x = nn.Identity()()
    h = nn.Tanh()(x).annotate(name="hidden")
    net = nn.gModule([x], [h])
    a = np.ones((5, 3))
    net.forward(a)
    with pytest.raises(ShapeError) as caught:
        net.backward(a, np.ones((5, 2)))
    assert caught.value.__notes__ == ["  at [1] of gModule: gradOutput (5, 2) -> [1] here, hidden"]
    with pytest.raises(StateError, match="input is not that of the last forward"):
        net.backward(a, np.ones((5, 3)))


def test_a_split_of_another_length():
    x = nn.Identity()()
    net = nn.gModule([x], list(nn.SplitTable(1)(x).split(3)))
    assert len(net.forward(np.ones((5, 3)))) == 3
    with pytest.raises(ShapeError) as caught:
        net.forward(np.ones((5, 4)))
    assert str(caught.value) == (
        "gModule.updateOutput: [1] SplitTable must be a table of 3 entries for split(3), got "
        "[(5,), (5,), (5,), (5,)]"
    )
    assert net.activations == ()


def test_tables_of_another_length():
    net = used_by_itself(3)
    a = np.ones((4, 3))
    with pytest.raises(ShapeError) as caught:
        net.forward([a, a, a])
    assert str(caught.value) == (
        "gModule.updateOutput: input must be a table of 2 entries, got [(4, 3), (4, 3), (4, 3)]"
    )
    with pytest.raises(DTypeError, match=r"input must be a table \(a list\), got ndarray"):
        net.forward(a)
    net.forward([a, a])
    with pytest.raises(ShapeError) as caught:
        net.backward([a, a], [a, a])
    assert str(caught.value) == (
        "gModule.updateGradInput: gradOutput must be a table of 3 entries, got [(4, 3), (4, 3)]"
    )


def test_nothing_is_broadcast_or_cast_where_gradients_meet():
    net = used_by_itself(3)
    a = np.ones((4, 3))
    net.forward([a, a])
    with pytest.raises(ShapeError) as caught:
        net.backward([a, a], [np.ones((1, 3)), a, a])
    assert str(caught.value) == (
        "gModule.updateGradInput: gradOutput[0] must be (4, 3), got (1, 3)"
    )
    with pytest.raises(DTypeError) as caught:
        net.backward([a, a], [a.astype("float32"), a, a])
    assert str(caught.value) == (
        "gModule.updateGradInput: gradOutput[0] must be float64, got float32\n"
        "  hint: gradOutput[0].astype('float64')"
    )
    for wrong in ([None, a, a], [a, None, a]):
        net.forward([a, a])
        with pytest.raises(DTypeError, match="must be an array, got NoneType"):
            net.backward([a, a], wrong)

    class Wrong(nn.Module):
        def updateOutput(self, input):
            self.output = input
            return input

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput[:1]
            return self.gradInput

    x = nn.Identity()()
    net = nn.gModule([x], [nn.CAddTable()([Wrong()(x), nn.Tanh()(x)])])
    net.forward(a)
    with pytest.raises(ShapeError) as caught:
        net.backward(a, a)
    assert [str(caught.value), *caught.value.__notes__] == [
        "Wrong.updateGradInput: gradInput must be (4, 3) like its input, got (1, 3)",
        "  at [1] of gModule: gradOutput (4, 3) -> [1] here",
    ]
    assert net.activations == ()
    Wrong.updateGradInput = lambda self, input, gradOutput: gradOutput
    x, y = nn.Identity()(), nn.Identity()()
    net = nn.gModule([x, y], [nn.SelectTable(0)(Wrong()([x, y]))])
    net[2].updateGradInput = lambda input, gradOutput: gradOutput[:1]
    net.forward([a, a])
    with pytest.raises(
        ShapeError, match=r"^Wrong\.updateGradInput: gradInput must be a table of 2"
    ):
        net.backward([a, a], a)


def test_a_backward_needs_its_forward():
    net = residual()
    a, b = np.ones((4, 3)), np.zeros((4, 3))
    with pytest.raises(StateError, match="which an error drops"):
        net.backward(a, a)
    net.forward(a)
    net.updateGradInput(a.copy(), b)
    with pytest.raises(StateError) as caught:
        net.accGradParameters(a, a)
    assert str(caught.value) == (
        "gModule.accGradParameters: gradOutput is not that of the last updateGradInput\n"
        "  hint: call updateGradInput(input, gradOutput) first: it finds the gradOutputs of the "
        "modules inside"
    )
    net.accGradParameters(a, b.copy())
    net.forward(b)
    with pytest.raises(StateError, match="input is not that of the last forward"):
        net.updateGradInput(a, b)
    with pytest.raises(StateError, match="gradOutput is not that of the last updateGradInput"):
        net.accGradParameters(b, b)


# ---------------------------------------------------------------- the container


@pytest.mark.parametrize(
    "make",
    [residual, lambda: lstm(3, 3), partly_used, twice, lambda: used_by_itself(3)],
)
def test_copies_and_files_compute_the_same(make, tmp_path):
    net = make()
    rng = np.random.default_rng(1)
    count = net._wired().inputs
    x = [rng.normal(size=(4, 3)) for _ in range(count)] if count > 1 else rng.normal(size=(4, 3))
    output = net.forward(x)
    gradOutput = (
        [np.ones_like(y) for y in output] if isinstance(output, list) else np.ones_like(output)
    )
    wanted = step(net, x, gradOutput)
    serial.save(tmp_path / "net.npz", net)
    again = make()
    for name in ("net.npz", "net.safetensors"):
        serial.save_parameters(tmp_path / f"parameters-{name}", net)
    serial.load_parameters(tmp_path / "parameters-net.npz", again)
    other = make()
    serial.load_parameters(tmp_path / "parameters-net.safetensors", other)
    loaded = serial.load(tmp_path / "net.npz")
    into = serial.load(tmp_path / "net.npz", into=make())
    for one in [*copies(net), again, other, loaded, into]:
        assert type(one) is nn.gModule
        assert one.activations == ()
        got = step(one, x, gradOutput)
        for a, b in zip(got, wanted, strict=True):
            assert len(a) == len(b)
            assert all(map(np.array_equal, a, b))
    assert loaded.nodes == net.nodes
    assert loaded.clearState().fg.todot() == net.clone().fg.todot()


def test_annotations_go_along(tmp_path):
    x = nn.Identity()()
    h = nn.Tanh()(x)
    net = nn.gModule([x], [h])
    h.annotate(name="hidden", graphAttributes={"color": "red"})
    serial.save(tmp_path / "net.npz", net)
    for one in [*copies(net), serial.load(tmp_path / "net.npz")]:
        (node,) = [n for n in one.forwardnodes if n.data.annotations.get("name") == "hidden"]
        assert node.data.module is one[1]
        assert 'color="red"' in dot(one.fg)
        node.annotate(name="another")
        assert one.nodes[2]["annotations"]["name"] == "another"
    assert net.nodes[2]["annotations"]["name"] == "hidden"


def test_types():
    net = residual().float()
    x = np.ones((4, 3), "float32")
    assert net.forward(x).dtype == "float32"
    assert net.type() == "float32"
    assert net.backward(x, x).dtype == "float32"


def test_flat_parameters():
    net = residual()
    parameters, gradients = net.getParameters()
    assert parameters.size == sum(p.size for p in net.parameters()[0])
    x = np.ones((4, 3))
    *_, each = step(net, x, x)
    assert np.array_equal(gradients, np.concatenate([g.ravel() for g in each]))


def test_modules_can_be_found_replaced_and_visited():
    net = residual()
    linears, holders = net.findModules("Linear")
    assert len(linears) == 3
    assert holders == [net] * 3
    seen = []
    net.apply(lambda module: seen.append(module))
    assert seen == [net, *net.modules]
    x = -100 * np.ones((4, 3))
    before = net.forward(x)
    assert net.replace(lambda m: nn.Identity() if isinstance(m, nn.ReLU) else m) is net
    assert type(net.modules[-1]) is nn.Identity
    assert not np.array_equal(net.forward(x), before)
    assert net.forwardnodes[-2].data.module is net[-1]
    assert net.evaluate().train is False
    assert all(not m.train for m in net)


def test_its_modules_stay_as_many_as_they_are():
    net = residual()
    for call, method, hint in [
        (lambda: net.add(nn.ReLU()), "add", "nn.Sequential(net, module)"),
        (lambda: net.insert(nn.ReLU(), 0), "insert", "nn.Sequential(net, module)"),
        (net.remove, "remove", "modules[i] = nn.Identity() lets a value pass"),
        (lambda: net[1:], "__getitem__", "a slice of its modules: net.modules[i:j]"),
    ]:
        with pytest.raises(StateError) as caught:
            call()
        assert str(caught.value) == (
            f"gModule.{method}: a gModule is made of nodes, all at once\n"
            f"  hint: {hint}; or build another one of nodes"
        )
    assert net[1] is net.modules[1]
    assert net[-1] is net.get(len(net) - 1)
    del net.modules[-1]
    with pytest.raises(StateError) as caught:
        net.forward(np.ones((4, 3)))
    assert str(caught.value) == (
        "gModule: modules must stay as many as nodes, 9, got 8\n"
        "  hint: modules[i] = other, or replace, puts another one in its place"
    )


def test_it_prints_itself_as_in_torch7():
    assert repr(residual()) == "gModule"
    assert repr(nn.Sequential(residual())).splitlines()[2] == "  (0): gModule"


@pytest.mark.parametrize(
    ("number", "change", "problem"),
    [
        (1, {"inputs": [5]}, "the inputs of node 1 are [5]"),
        (1, {"inputs": [-1]}, "the inputs of node 1 are [-1]"),
        (1, {"inputs": []}, "the inputs of node 1 are []"),
        (1, {"inputs": [1]}, "the inputs of node 1 are [1]"),
        (1, {"inputs": ["0"]}, "the inputs of node 1 are ['0']"),
        (1, {"inputs": [False]}, "the inputs of node 1 are [False]"),
        (1, {"inputs": [0.0]}, "the inputs of node 1 are [0.0]"),
        (1, {"inputs": None}, "inputs of node 1 must not be of type NoneType"),
        (1, {"inputs": "0"}, "inputs of node 1 must not be of type str"),
        (1, {"module": 1}, "the module of node 1 is 1"),
        (1, {"module": None}, "the module of node 2 is 1"),
        (2, {"module": "0"}, "module of node 2 must not be of type str"),
        (1, {"module": False}, "module of node 1 must not be of type bool"),
        (0, {"inputs": [0]}, "the inputs of node 0 are [0]"),
        (0, {"module": 0}, "the module of node 0 is 0"),
        (0, {"selectindex": 0}, "node 0 is part 0 of None"),
        (4, {"selectindex": 3}, "node 4 is part 3 of 3"),
        (4, {"selectindex": -1}, "node 4 is part -1 of 3"),
        (4, {"inputs": [0]}, "node 4 is part 0 of None"),
        (3, {"inputs": [1, 2]}, "node 3 has no module, and 2 inputs"),
        (3, {"nSplitOutputs": None}, "node 4 is part 0 of None"),
        (3, {"nSplitOutputs": "3"}, "nSplitOutputs of node 3 must not be of type str"),
        (7, {"inputs": [1]}, "nothing uses activations[3]"),
        (7, {"module": 3}, "the module of node 7 is 3"),
        (2, {"annotations": None}, "annotations of node 2 must not be of type NoneType"),
        (4, {"selectindex": 0.5}, "selectindex of node 4 must not be of type float"),
        (4, {"selectindex": True}, "selectindex of node 4 must not be of type bool"),
    ],
)
def test_a_file_that_says_something_impossible(number, change, problem, tmp_path):
    net = partly_used()
    nodes = copy.deepcopy(net.nodes)
    assert repr(nodes[number]) != repr({**nodes[number], **change})
    nodes[number].update(change)
    must_be_refused(net, nodes, problem, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "problem"),
    [
        ([], "nodes must be a list of some, got []"),
        (None, "nodes must be a list of some, got None"),
        ([3], "node 0 must have annotations, inputs, module, nSplitOutputs, selectindex"),
    ],
)
def test_a_file_with_nodes_that_are_none(nodes, problem, tmp_path):
    must_be_refused(partly_used(), nodes, problem, tmp_path)


def must_be_refused(net, nodes, problem, folder):
    net.nodes = nodes
    serial.save(folder / "net.npz", net)
    with pytest.raises(FormatError) as caught:
        serial.load(folder / "net.npz")
    reason = f"this cannot be the state of a gModule: {StateError(f'gModule: {problem}')!r}"
    assert str(caught.value).splitlines()[0].endswith(reason)


def test_a_file_whose_nodes_lack_something(tmp_path):
    net = partly_used()
    del net.nodes[-1]["nSplitOutputs"]
    serial.save(tmp_path / "net.npz", net)
    with pytest.raises(FormatError, match="gModule: node 7 must have annotations, inputs, module"):
        serial.load(tmp_path / "net.npz")


def test_a_file_with_another_number_of_modules(tmp_path):
    net = partly_used()
    net.modules.append(nn.ReLU())
    serial.save(tmp_path / "net.npz", net)
    with pytest.raises(FormatError, match="4 modules, 3 in nodes"):
        serial.load(tmp_path / "net.npz")


# ---------------------------------------------------------------- graphs


def test_the_graph_knows_what_the_last_calls_gave():
    x = nn.Identity()()
    h = nn.Linear(3, 2)(x).annotate(name="hidden")
    net = nn.gModule([x], [nn.Tanh()(h)])
    a = np.ones((4, 3))
    names = [node.graphNodeName() for node in net.forwardnodes]
    assert names == ["Node5", "Node4", "hidden (3)", "Node1", "Node2"]
    assert [node.data.module for node in net.backwardnodes[1:-1]] == net.modules[::-1]
    (node,) = [n for n in net.fg.nodes if n.data.module is h.data.module]
    assert node.label() == "module = Linear(3 -> 2)"
    net.forward(a)
    net.backward(a, np.array([[np.nan, 1.0]] * 4))
    (node,) = [n for n in net.fg.nodes if n.data.module is h.data.module]
    assert node.label().splitlines() == [
        "module = Linear(3 -> 2)",
        "input = float64[4x3]",
        "gradOutput = float64[4x2]NaN",
    ]
    for value in (np.inf, -np.inf):
        with np.errstate(invalid="ignore"):
            net.backward(a, np.full((4, 2), value))
        assert net.bg.nodes[1].label().splitlines()[-1] == f"gradOutput = float64[4x2]{value}"
    text = dot(net.fg, 'a "title"\\')
    assert text.splitlines()[:3] == ["digraph G {", 'labelloc="t";', 'label="a \\"title\\"\\\\";']
    assert 'n3[label="hidden (3)\\nmodule = Linear(3 -> 2)\\n' in text
    assert f'tooltip="{h.data.annotations["_debugLabel"]}"' in text
    h.annotate(graphAttributes={'a "b"': 1})
    assert ', "a \\"b\\""="1"];' in dot(net.fg)
    h.annotate(graphAttributes=5)
    assert dot(net.fg).count("n3[") == 1
    x, y = nn.Identity()(), nn.Identity()()
    net = nn.gModule([x, y], [nn.CAddTable()([x, y])])
    assert "mapindex = {Node3,Node4}" in net.forwardnodes[-2].label()
    net.forward([a, 1j * a])
    assert "input = {float64[4x3],complex128[4x3]}" in net.forwardnodes[-2].label()


def test_edges_and_nodes_refuse_what_they_are_not():
    for call, message in [
        (lambda: Node().add(3), "Node.add: child must be a Node, or a list, got int"),
        (lambda: Edge(Node(), 3), "Edge: to must be a Node, got int"),
        (lambda: Edge(3, Node()), "Edge: from_ must be a Node, got int"),
        (lambda: Graph().add([3]), "Graph.add: edge must be an Edge, or a list of them, got int"),
        (
            lambda: dot(residual()),
            "dot: g must be a Graph, got gModule\n  hint: net.fg is a gModule's",
        ),
    ]:
        with pytest.raises(DTypeError) as caught:
            call()
        assert str(caught.value) == message


def test_a_graph_of_several_leaves_and_of_circles():
    a, b, c = (Node(name) for name in "abc")
    graph = Graph()
    edge = Edge(a, b)
    graph.add([edge, Edge(a, c), edge])
    assert len(graph.edges) == 2
    assert a.children == [b, c]
    assert [n.data for n in graph.topsort()] == ["a", "b", "c"]
    assert not a.hasCycle()
    graph.add(Edge(c, a))
    assert a.hasCycle()
    assert graph.hasCycle()
    assert graph.leaves() == [b]
    assert [n.data for n in a.graph().nodes] == ["a", "b", "c"]
    with pytest.raises(StateError, match=r"got a -> c -> a$"):
        graph.topsort()
    loop = Graph()
    loop.add(Edge(a := Node("a"), a))
    with pytest.raises(StateError, match=r"got a -> a$"):
        loop.topsort()
    order = []
    a.visit(lambda n: order.append("in"), lambda n: order.append("out"))
    assert order == ["in", "out"]
    assert repr(loop.edges[0]) == "Edge(Node1: a -> Node1: a)"


def test_dot_writes_text_and_draws_where_it_can(tmp_path, monkeypatch):
    net = residual()
    text = dot(net.fg, "net", tmp_path / "net.dot")
    assert (tmp_path / "net.dot").read_text("utf-8") == text == net.fg.todot("net")
    monkeypatch.setitem(sys.modules, "graphviz", None)
    assert dot(net.fg, "net", str(tmp_path / "other")) == text
    assert {path.name for path in tmp_path.iterdir()} == {"net.dot", "other.dot"}
    for name in ("net.svg", "net.PNG", "net.1.pdf"):
        with pytest.raises(ImportError, match=r"^a picture needs graphviz: pip install graphviz, "):
            dot(net.fg, "net", tmp_path / name)


@pytest.mark.parametrize("name", ["resnet_1.5", "net.v2", "net", "net.txt", "net.", ".net"])
def test_a_dot_in_a_name_is_no_ending(name, tmp_path, monkeypatch):
    drawn = stand_in(monkeypatch)
    dot(residual().fg, None, tmp_path / name)
    assert drawn == ["svg"]
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.dot", f"{name}.svg"}


def test_an_ending_in_capitals(tmp_path, monkeypatch):
    drawn = stand_in(monkeypatch)
    dot(residual().fg, None, tmp_path / "net.PNG")
    dot(residual().fg, None, tmp_path / "net.DOT")
    assert drawn == ["png"]
    assert (tmp_path / "net.PNG").read_bytes() == b"png"
    assert (tmp_path / "net.DOT").read_text("utf-8").startswith("digraph")


def stand_in(monkeypatch):
    """Put a module in the place of graphviz; return the list of what it is asked for."""
    asked = []
    stand = types.ModuleType("graphviz")

    class Source:
        def __init__(self, text):
            pass

        def pipe(self, ending):
            asked.append(ending)
            return ending.encode()

    stand.Source, stand.ExecutableNotFound = Source, type("Not", (RuntimeError,), {})
    monkeypatch.setitem(sys.modules, "graphviz", stand)
    return asked


def test_dot_without_graphvizs_program(tmp_path, monkeypatch):
    missing = types.ModuleType("graphviz")

    class Source:
        def __init__(self, text):
            pass

        def pipe(self, ending):
            raise missing.ExecutableNotFound(ending)

    missing.Source, missing.ExecutableNotFound = Source, type("Not", (RuntimeError,), {})
    monkeypatch.setitem(sys.modules, "graphviz", missing)
    dot(residual().fg, None, tmp_path / "net")
    assert [path.name for path in tmp_path.iterdir()] == ["net.dot"]
    with pytest.raises(ImportError, match=r"^a picture needs Graphviz's program dot: pip install"):
        dot(residual().fg, None, tmp_path / "net.png")


def test_dot_draws(tmp_path):
    pytest.importorskip("graphviz")
    if shutil.which("dot") is None:
        pytest.skip("Graphviz's program is not installed: apt-get install graphviz")
    dot(residual().fg, "net", tmp_path / "net")
    assert "<svg" in (tmp_path / "net.svg").read_text("utf-8")
    dot(residual().fg, "net", tmp_path / "net.png")
    assert (tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")


def test_data_of_nodes_made_by_hand():
    """As a reader of files makes them."""
    x = ModuleNode(NodeData(nn.Identity(), {"name": "in"}))
    y = ModuleNode(NodeData(nn.Tanh()))
    y.add(x, True)
    assert np.array_equal(nn.gModule([x], [y]).forward(np.zeros(3)), np.zeros(3))


# ---------------------------------------------------------------- any graph


def drawn(chance):
    """Return a network of nodes as chance has it: splits, nests, skips, several outputs."""
    inputs = [nn.Identity()() for _ in range(chance.randrange(1, 4))]
    nodes = list(inputs)
    for _ in range(chance.randrange(1, 14)):
        node = chance.choice(nodes)
        some = chance.sample(nodes, min(len(nodes), chance.randrange(1, 4)))
        kind = chance.randrange(6)
        if kind == 0:
            nodes.append(nn.Linear(2, 2)(node))
        elif kind == 1:
            nodes.append(nn.Sequential(nn.Linear(2, 2, False), nn.Tanh())(node))
        elif kind == 2:
            nodes.append(nn.CMulTable()(some) if len(some) > 1 else nn.Sigmoid()(node))
        elif kind == 3:
            parts = nn.ConcatTable(nn.Tanh(), nn.Identity(), nn.Linear(2, 2))(node).split(3)
            nodes += chance.sample(parts, chance.randrange(1, 4))
        elif kind == 4:
            _, table = nn.Identity()(nest([node, some])).split(2)
            nodes += table.split(len(some))
        else:
            x = nn.Identity()()
            nodes.append(nn.gModule([x], [nn.CAddTable()([x, nn.Tanh()(x)])])(node))
    ends = [node for node in nodes if not node.data.users]
    chance.shuffle(ends)
    return nn.gModule(inputs, ends + [n for n in nodes if n not in ends and chance.random() < 0.2])


@pytest.mark.parametrize("seed", range(20))
def test_any_network_of_nodes_has_the_gradients_of_complex_steps(seed):
    chance, rng = random.Random(seed), np.random.default_rng(seed)
    net = drawn(chance)
    count = len([target for source, target, _ in net.edges if source == -1])
    x = [rng.normal(size=(3, 2)) for _ in range(count)]
    outputs = net.forward(x if count > 1 else x[0])
    weights = map_arrays(lambda a: rng.normal(size=a.shape), outputs)
    gradInput = leaves(net.zeroGradParameters().backward(x if count > 1 else x[0], weights))
    moved = net.clone().type("complex128")

    def loss(arrays):
        results = leaves(moved.forward(arrays if count > 1 else arrays[0]))
        return sum((a * b).sum() for a, b in zip(results, leaves(weights), strict=True))

    directions = [rng.normal(size=a.shape) for a in x]
    steps = [a + 1e-30j * d for a, d in zip(x, directions, strict=True)]
    slope = loss(steps).imag / 1e-30
    wanted = sum((d * g).sum() for d, g in zip(directions, gradInput, strict=True))
    assert slope == pytest.approx(wanted, rel=1e-9)
    for parameter, gradient in zip(moved.parameters()[0], net.parameters()[1], strict=True):
        direction = rng.normal(size=parameter.shape)
        parameter += 1e-30j * direction
        slope = loss([a.astype(complex) for a in x]).imag / 1e-30
        parameter -= 1e-30j * direction
        assert slope == pytest.approx((direction * gradient).sum(), rel=1e-9)
    columns = drawing.columns(net.edges, len(net))
    there = sorted(entry for column in columns for entry in column if isinstance(entry, int))
    assert there == [*range(-1, len(net) + 1)]
    assert "\n".join(drawing.lines(drawing.tree(net))).count("-> ") >= len(net)
