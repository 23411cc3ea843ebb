"""What a module is made of: parts in modules and attributes, and whose the parameters are."""

import copy
import gc
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from cases import rows

from torchlite import manualSeed, nn, optim
from torchlite.errors import StateError
from torchlite.nn.nested import is_array
from torchlite.nn.stateful import Stateful, attributes, parts
from torchlite.nn.tree import gradient_names, name_of
from torchlite.stepping import record, summary


class Holder(nn.Module):
    """A plain layer that holds networks in attributes, lists and dicts, and trains the first."""

    def __init__(self):
        self.encoder = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
        self.heads = [nn.Linear(3, 1), nn.ReLU()]
        self.named = {"last": nn.BatchNormalization(1)}
        self.first = self.encoder[0]

    def parameters(self):
        return self.encoder.parameters()

    def updateOutput(self, input):
        self.output = self.encoder.updateOutput(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.encoder.updateGradInput(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.encoder.accGradParameters(input, gradOutput, scale)


PARTS = ["Holder", "Sequential", "Linear", "Dropout", "Linear", "ReLU", "BatchNormalization"]


def names(modules):
    return [type(module).__name__ for module in modules]


@pytest.mark.parametrize("around", [lambda layer: layer, nn.Sequential])
def test_what_attributes_hold_is_reached(around):
    layer = Holder()
    net = around(layer)
    assert names(net.listModules())[-7:] == PARTS
    visited = []
    assert net.apply(visited.append) is net
    assert names(visited)[-7:] == PARTS
    linears, holders = net.findModules("Linear")
    assert linears == [layer.encoder[0], layer.heads[0]]
    assert holders == [layer.encoder, layer]
    net.evaluate()
    assert not any(module.train for module in net.listModules())
    net.training()
    assert all(module.train is True for module in net.listModules())
    with record(net) as steps:
        net.forward(np.ones((4, 2)))
    assert "net.encoder[0]" in {step.position.replace("[0].enc", ".enc") for step in steps}
    tree = steps.network if around is not nn.Sequential else steps.network["modules"][0]
    assert tree["kind"] == "branches"
    assert [node["position"].split(".")[-1] for node in tree["modules"]] == [
        "encoder",
        "heads[0]",
        "heads[1]",
        "named['last']",
    ]
    rows = [row.position.strip().replace("[0].", ".") for row in summary(net).rows][-7:]
    assert rows[1:] == [
        "net.encoder",
        "net.encoder[0]",
        "net.encoder[1]",
        "net.heads[0]",
        "net.heads[1]",
        "net.named['last']",
    ]


def test_reset_and_clone_with_names_reach_attributes():
    layer = Holder()
    kept = [module.weight.copy() for module in layer.findModules(nn.Linear)[0]]
    manualSeed(1)
    layer.reset()
    drawn = [module.weight.copy() for module in layer.findModules(nn.Linear)[0]]
    assert not any(np.array_equal(one, other) for one, other in zip(kept, drawn, strict=True))
    # In the order of the parts.
    manualSeed(1)
    assert np.array_equal(drawn[0], nn.Linear(2, 3).weight)
    shared = layer.clone("weight")
    assert shared.heads[0].weight is layer.heads[0].weight
    assert shared.heads[0].bias is not layer.heads[0].bias
    assert shared.first is shared.encoder[0]


def test_what_is_inside_is_trained_where_parameters_says_so():
    layer = Holder()
    net = nn.Sequential(layer, nn.Linear(3, 1))
    assert [(row.place.path, row.name) for row in net.located_parameters()] == [
        ("[0].encoder[0]", "weight"),
        ("[0].encoder[0]", "bias"),
        ("[1]", "weight"),
        ("[1]", "bias"),
    ]
    assert net.getParameters()[0].size == 13
    assert layer.heads[0].weight.base is None
    assert optim.per_parameter(net, {"[0].encoder": 0}).tolist() == [0] * 9 + [1] * 4
    assert optim.per_parameter(net, {"[0].encoder[0].bias": 0}).tolist() == [1] * 6 + [0] * 3 + (
        [1] * 4
    )
    assert summary(net).total.parameters == 13


def test_replace_reaches_attributes_and_what_refers():
    layer = Holder()
    net = nn.Sequential(layer)
    inner = layer.encoder[0]

    def replacement(module):
        return nn.Linear(2, 3, False) if module is inner else module

    assert net.replace(replacement) is net
    assert layer.first is layer.encoder[0]
    assert layer.first.bias is None
    assert Holder().replace(lambda module: nn.Identity()).modules == ()
    refers = nn.Sequential(pooling := nn.Max(1), Unpooling(pooling))
    refers.replace(lambda module: nn.Min(1) if module is pooling else module)
    assert refers[1].pooling is refers[0] is not pooling


class Unpooling(nn.Identity):
    """It refers to a module that stands elsewhere."""

    refers = ("pooling",)

    def __init__(self, pooling):
        self.pooling = pooling


def test_what_is_only_referred_to_is_no_part():
    pooling = nn.Max(1)
    net = nn.Sequential(nn.ConcatTable(nn.Identity(), pooling), nn.SelectTable(0))
    net.add(Unpooling(pooling))
    assert net.listModules().count(pooling) == 1
    assert net[2].listModules() == [net[2]]
    net[2].evaluate()
    assert pooling.train
    for made in (net.clone(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert made[2].pooling is made[0].get(1)
        assert made[2].pooling is not pooling
    assert net.float()[2].pooling is pooling
    assert summary(net).total.parameters == 0


def test_names_add_up_over_classes():
    class Refers(Unpooling):
        refers = ("other",)
        transient = ("seen",)

    assert Refers.refers == ("pooling", "other")
    assert Refers.transient == (*nn.Module.transient, "seen")
    layer = Refers(None)
    layer.seen = layer.output = np.ones(2)
    assert "seen" not in vars(layer.clone())
    assert "output" not in vars(layer.clone())


def test_a_module_inside_itself_is_refused():
    net = nn.Sequential(nn.Sequential(nn.ReLU()))
    net[0].modules.append(net)
    with pytest.raises(StateError) as error:
        net.listModules()
    assert str(error.value) == (
        "Sequential: Sequential stands inside itself, at [0][1]\n"
        "  hint: an attribute that only refers to a module is named in the class's refers"
    )
    assert error.value.layer is net
    layer = nn.ReLU()
    layer.parent = layer
    assert layer.listModules() == [layer]


def test_parameters_that_no_attribute_holds():
    class Boxed(nn.Linear):
        box = None

        def parameters(self):
            if self.box is None:
                return super().parameters()
            return [self.box.weight, self.bias], [self.box.gradWeight, self.gradBias]

    layer = Boxed(2, 3)
    layer.box = SimpleNamespace(weight=layer.weight, gradWeight=layer.gradWeight)
    layer.loss = nn.MSECriterion()
    del layer.weight, layer.gradWeight
    net = nn.Sequential(layer, nn.Sequential(layer))
    found = [(row.place.path, row.name, row.parameter.shape) for row in net.located_parameters()]
    assert found == [
        (path, name, shape)
        for path in ("[0]", "[1][0]")
        for name, shape in (("a parameter", (3, 2)), ("bias", (3,)))
    ]
    assert gradient_names(net) == ["gradient 0", "[0].gradBias"]


def test_names_of_arrays():
    layer, array = nn.Linear(1, 1), np.ones(1)
    layer.held = {"a": [1, array]}
    assert name_of(layer, array) == "held['a'][1]"
    assert name_of(layer, layer.bias) == "bias"
    assert name_of(layer, np.ones(1)) is None


# ---------------------------------------------------------------- what a part holds itself


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="here vars leave attributes where they are found soonest"
)
def test_training_leaves_attributes_where_python_finds_them_soonest():
    # Classes of this test: one that has many instances may be full of other names.
    linear, relu, sequential = (
        type(base.__name__, (base,), {}) for base in (nn.Linear, nn.ReLU, nn.Sequential)
    )
    net = sequential(linear(3, 2), relu(), sequential(linear(2, 1, bias=False)))
    x = np.ones((2, 3), "float32")
    net[0].gradInput = None
    for step in (
        net.float,
        net.getParameters,
        net.reset,
        net.zeroGradParameters,
        lambda: net.backward(x, net.forward(x)),
        lambda: net.updateParameters(0.1),
        lambda: list(net.located_parameters()),
        net.getParameters,
        net.clearState,
        net.double,
    ):
        step()
        # Who looks into vars leaves a dict behind.
        for part in net.listModules():
            assert dict not in map(type, gc.get_referents(part))


def test_attributes_are_all_arrays_tables_and_parts():
    for _, case in rows():
        layer = case.make()
        found = attributes(layer)
        held = {
            name: value
            for name, value in vars(layer).items()
            if (isinstance(value, (Stateful, list, tuple, dict)) or is_array(value))
            and value is not getattr(type(layer), name, None)
        }
        assert {name: id(found[name]) for name in held} == {
            name: id(value) for name, value in held.items()
        }


def test_of_a_part_that_was_looked_into_nothing_is_asked_by_name(monkeypatch):
    """It has a dict, then, which tells all: to walk through a copy takes a third of the time."""
    layer = type("Linear", (nn.Linear,), {})(2, 2)
    held = vars(layer)
    monkeypatch.setattr("torchlite.nn.stateful._own", None)
    assert attributes(layer) == held


def test_what_a_part_holds_of_its_class_is_cast():
    class Held(nn.Module):
        weight, gradWeight = np.ones(3), np.zeros(3)
        modules = (nn.Linear(1, 1),)

        def __init__(self):
            self.weight, self.gradWeight = Held.weight, Held.gradWeight
            self.modules = Held.modules

    layer = Held().float()
    assert layer.weight.dtype == layer.gradWeight.dtype == np.float32
    assert layer.modules[0].type() == np.float32
    assert layer.parameters()[0][0] is layer.weight
    assert Held.weight.dtype == np.float64


def test_attributes_that_are_not_the_usual_ones_are_found():
    layer = nn.Linear(2, 2)
    layer.other = layer.weight
    assert attributes(layer)["other"] is layer.weight
    layer.double().float()
    assert layer.other is layer.weight
    assert layer.type() == "float32"
    layer.encoder = nn.Linear(1, 1)
    net = nn.Sequential(layer).double()
    assert net.listModules()[1:] == [layer, layer.encoder]
    assert layer.encoder.type() == "float64"


# ---------------------------------------------------------------- containers of one's own


class Scaled(nn.Sequential):
    """A container with a weight of its own."""

    def __init__(self, *modules):
        super().__init__(*modules)
        self.weight, self.gradWeight = np.array([2.0]), np.array([3.0])

    def parameters(self):
        parameters, gradients = super().parameters()
        return [self.weight, *parameters], [self.gradWeight, *gradients]


@pytest.mark.parametrize("around", [lambda net: net, nn.Sequential])
def test_a_container_with_a_weight_trains_it(around):
    own = Scaled(nn.Linear(2, 1))
    net = around(own)
    own[0].gradWeight.fill(1)
    before = own[0].weight.copy()
    net.updateParameters(0.5)
    assert own.weight.tolist() == [0.5]
    assert np.array_equal(own[0].weight, before - 0.5)
    net.updateParameters(0)
    gathered = own._gathered_pairs or net._gathered_pairs
    net.updateParameters(0)
    assert (own._gathered_pairs or net._gathered_pairs) is gathered
    net.zeroGradParameters()
    assert own.gradWeight.tolist() == [0]
    assert not own[0].gradWeight.any()
    parameters, gradParameters = net.getParameters()
    assert parameters.size == gradParameters.size == 4
    parameters[:] = [7, 8, 9, 10]
    assert own.weight.tolist() == [7]
    assert own[0].weight.tolist() == [[8, 9]]
    assert [row.parameters for row in summary(own).rows] == [1, 3]
    assert summary(net).total.parameters == 4
    assert optim.per_parameter(own, {".weight": 3, "[0]": 2}).tolist() == [3, 2, 2, 2]


def test_weight_norm_is_what_its_parameters_say():
    net = nn.Sequential(nn.WeightNorm(nn.Linear(2, 1)), nn.Linear(1, 3))
    assert optim.per_parameter(net, {"[0]": 0}).tolist() == [0] * 4 + [1] * 6
    assert optim.per_parameter(net, {"[0].v": 0}).tolist() == [0] * 2 + [1] * 8
    assert optim.per_parameter(net, {"[0].bias": 0}).tolist() == [1] * 3 + [0] + [1] * 6
    with pytest.raises(StateError, match=r"'\[0\]\[0\]\.weight' names no parameter"):
        optim.per_parameter(net, {"[0][0].weight": 0})
    table = summary(nn.Sequential(nn.WeightNorm(nn.Linear(2, 3)), nn.Linear(3, 1)))
    assert [row.parameters for row in table.rows] == [None, 12, 0, 4]
    assert [row.tied for row in table.rows] == [False, False, True, False]
    assert table.total.parameters == 16


# ---------------------------------------------------------------- the mode of a container


def test_setting_train_of_a_container_reaches_its_parts():
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)))
    x = np.ones((2, 3))
    assert net.train is True
    net.train = False
    assert [module.train for module in net.listModules()] == [False] * 4
    assert np.array_equal(net.forward(x), x)
    net.train = 1
    assert [module.train for module in net.listModules()] == [True] * 4
    assert vars(net)["train"] is True
    net.evaluate()
    assert net.train is False
    assert net.clone().train is False
    with pytest.raises(TypeError, match="'bool' object is not callable"):
        net.train()


class Only(nn.Identity):
    """A layer of which there is one."""

    def __reduce__(self):
        return "ONLY_ONE"


ONLY_ONE = Only()


def test_a_global_layer_is_not_copied():
    net = nn.Sequential(nn.Linear(2, 2), ONLY_ONE)
    for made in (net.clone(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert made[0] is not net[0]
        assert made[1] is ONLY_ONE


def test_lists_may_stand_inside_themselves():
    layer, inner = Holder(), nn.Linear(2, 2)
    root = {"word": "the", "children": [{"children": [], "layer": inner}]}
    root["children"][0]["parent"] = root
    root["vectors"] = (root, [inner.weight])
    layer.tree = root
    net = nn.Sequential(layer)
    assert net.evaluate().listModules()[-1] is inner
    assert not inner.train
    net.reset().apply(lambda module: None).clearState()
    made = pickle.loads(pickle.dumps(net))[0].tree
    assert made["children"][0]["parent"] is made
    assert net.clone("weight")[0].tree["children"][0]["layer"].weight is inner.weight
    for made in (net.clone(), copy.deepcopy(net).float()):
        tree = made[0].tree
        assert tree["children"][0]["parent"] is tree is not root
        assert tree["vectors"][1][0] is tree["children"][0]["layer"].weight
    net.getParameters()


def test_parts_come_in_the_order_in_which_they_are_given():
    first, second = nn.Sequential(nn.ReLU()), nn.Tanh()
    assert parts([first, second]) == [first, first[0], second]


def test_an_instance_may_have_parameters_of_its_own():
    inner = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    trained = inner[1].parameters()
    inner.parameters = lambda: trained
    parameters = nn.Sequential(nn.Sequential(inner)).parameters()[0]
    assert [id(array) for array in parameters] == [id(array) for array in trained[0]]
