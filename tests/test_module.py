"""The contract of Module: what does not depend on the layer."""

import copy
import pickle

import cases
import numpy as np
import pytest

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.nn.stateful import shadowed

ROWS = np.array([[1.0, 2.0], [3.0, -1.0]])


def mlp():
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 2)))


class Fails(nn.Module):
    """A layer of somebody's that fails where it is told to."""

    def __init__(self, method):
        self.method = method

    def updateOutput(self, input):
        self.output = input.copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        if self.method == "updateGradInput":
            raise ValueError("no gradient today")
        self.gradInput = gradOutput.copy()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        if self.method == "accGradParameters":
            raise ValueError("no gradient today")


# ---------------------------------------------------------------- what a module starts with


def test_a_bare_module():
    module = nn.Module()
    assert module.output.size == 0
    assert module.gradInput.size == 0
    assert not module.gradInput.flags.writeable
    assert module.parameters() == ([], [])
    assert module.type() == np.float64
    assert module.train is True
    assert repr(module) == "Module"


@pytest.mark.parametrize("method", ["updateOutput", "updateGradInput"])
def test_a_method_that_is_missing_is_named(method):
    class Nothing(nn.Module):
        pass

    arguments = (ROWS,) if method == "updateOutput" else (ROWS, ROWS)
    with pytest.raises(NotImplementedError, match=f"^Nothing does not define {method}$"):
        getattr(Nothing(), method)(*arguments)


def test_module_as_function_is_forward():
    layer = nn.Linear(2, 3)
    assert np.array_equal(layer(ROWS), layer.forward(ROWS))
    assert layer(ROWS) is layer.output


# ---------------------------------------------------------------- backward


def test_backward_is_update_grad_input_then_acc_grad_parameters():
    calls = []

    class Recorded(nn.Linear):
        def updateGradInput(self, input, gradOutput):
            calls.append("updateGradInput")
            return super().updateGradInput(input, gradOutput)

        def accGradParameters(self, input, gradOutput, scale=1):
            calls.append(("accGradParameters", scale))
            return super().accGradParameters(input, gradOutput, scale)

    layer = Recorded(2, 2)
    assert layer.backward(ROWS, ROWS, 3) is layer.gradInput
    assert calls == ["updateGradInput", ("accGradParameters", 3)]


@pytest.mark.parametrize("parts", [[], [nn.Identity()]])
def test_a_backward_that_fails_leaves_gradInput_alone(parts):
    layer = Fails("accGradParameters")
    # No container of torchlite's: what is inside need not have a new one.
    layer.modules = parts
    layer.forward(ROWS)
    first = layer.updateGradInput(ROWS, ROWS)
    with pytest.raises(ValueError, match="no gradient today"):
        layer.backward(ROWS, 2 * ROWS)
    assert layer.gradInput is first
    with pytest.raises(ValueError, match="no gradient today"):
        layer.backwardUpdate(ROWS, 2 * ROWS, 0.1)
    assert layer.gradInput is first


def test_no_gradInput_wanted():
    for kind in (nn.Linear, nn.LinearWeightNorm):
        layer = kind(2, 2)
        layer.gradInput = None
        assert layer.updateGradInput(ROWS, ROWS) is None
    layer = nn.Linear(2, 2)
    layer.gradInput = None
    assert layer.backward(ROWS, ROWS) is None
    assert np.array_equal(layer.gradWeight, ROWS.T @ ROWS)
    for made in (layer.clone(), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert made.gradInput is None
    assert layer.clearState().gradInput is None


def test_backwardUpdate_and_accUpdateGradParameters():
    layer, other = nn.Linear(2, 2), None
    other = layer.clone()
    layer.gradWeight.fill(5)
    gradInput = layer.backwardUpdate(ROWS, ROWS, 0.1)
    assert np.array_equal(gradInput, ROWS @ other.weight)
    other.zeroGradParameters().accGradParameters(ROWS, ROWS)
    other.updateParameters(0.1)
    assert np.allclose(layer.weight, other.weight, 1e-15, 1e-15)
    assert np.allclose(layer.bias, other.bias, 1e-15, 1e-15)
    assert (layer.gradWeight == 5).all(), "the gradients that were there stay"


def test_accUpdateGradParameters_of_a_network_with_shared_weights():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net.add(net[0].clone("weight", "bias", "gradWeight", "gradBias"))
    other = net.clone()
    for one in (net, other):
        one.forward(ROWS)
        one.updateGradInput(ROWS, ROWS)
    net.accUpdateGradParameters(ROWS, ROWS, 0.1)
    other.accGradParameters(ROWS, ROWS)
    other.updateParameters(0.1)
    assert np.allclose(net[0].weight, other[0].weight, 1e-14, 1e-14)


# ---------------------------------------------------------------- sharing, copies, types


def test_share_takes_the_same_arrays():
    one, other = mlp(), mlp()
    assert one.share(other, "weight", "gradWeight", "running_mean") is one
    assert one[0].weight is other[0].weight
    assert one[2][0].gradWeight is other[2][0].gradWeight
    assert one[0].bias is not other[0].bias


def test_share_skips_what_one_of_the_two_does_not_have():
    whole, bare = nn.Linear(2, 3), nn.Linear(2, 3, False)
    bias = whole.bias
    whole.share(bare, "weight", "bias", "gradBias")
    assert whole.weight is bare.weight
    assert whole.bias is bias
    bare.share(whole, "bias", "gradBias")
    assert bare.bias is bare.gradBias is None


def test_share_is_refused_whole():
    one, other = mlp(), nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))
    kept = one[0].weight
    with pytest.raises(ShapeError) as caught:
        one.share(other, "weight")
    assert str(caught.value) == (
        "Linear(3 -> 2).share: weight must be (2, 3), got (2, 4) of Linear(4 -> 2)"
    )
    assert (caught.value.method, caught.value.argument) == ("share", "weight")
    assert (caught.value.layer, caught.value.expected, caught.value.got) == (
        one[2][0], "(2, 3)", "(2, 4)"
    )  # fmt: skip
    assert one[0].weight is kept
    with pytest.raises(StateError) as caught:
        one.share(nn.Linear(2, 3), "weight")
    assert str(caught.value) == (
        "Sequential.share: both must have the same parts, got 5 and 1 modules"
    )
    assert (caught.value.layer, caught.value.method) == (one, "share")
    assert (caught.value.argument, caught.value.expected, caught.value.got) == (
        "other", "5 modules", "1 modules"
    )  # fmt: skip


def test_a_container_that_is_emptied_has_no_parameters():
    net = nn.Sequential(nn.Linear(2, 3))
    assert len(net.parameters()[0]) == 2
    net.remove()
    assert net.parameters() == ([], [])


def test_clone_with_names_shares_these():
    layer = nn.Linear(2, 3)
    made = layer.clone("weight", "gradWeight")
    assert made.weight is layer.weight
    assert made.gradWeight is layer.gradWeight
    assert made.bias is not layer.bias


@pytest.mark.parametrize(
    "copied", [nn.Module.clone, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_copies_carry_numbers_and_no_results(copied):
    random.manualSeed(1)  # one draw in fifty switches all of ReLU off
    net = mlp().float().evaluate()
    x = ROWS.astype("float32")
    net.forward(x)
    net.backward(x, x)
    made = copied(net)
    assert made.output.size == made[0].output.size == made[0].gradInput.size == 0
    assert len(made.activations) == len(made.gradOutputs) == 0
    assert made.type() == np.float32
    assert made.train is made[2][0].train is False
    for ours, theirs in zip(net.parameters(), made.parameters(), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert a is not b
            assert np.array_equal(a, b)
            assert a.any()


@pytest.mark.parametrize(
    "copied",
    [nn.Module.clone, copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))],
)
def test_copies_know_nothing_of_shadows(copied):
    """Of several, one above the other, and where a method of the part's own stands on itself."""
    layer = nn.Identity()
    layer.updateGradInput = len
    held = dict(vars(layer))
    shadow = {"updateOutput": "first".__add__, "updateGradInput": max}
    above = {"updateGradInput": min, "forward": "second".__add__}
    with shadowed([(layer, shadow)]):
        with shadowed([(layer, above)]):
            assert layer.forward("x") == "secondx"
            assert layer.updateOutput("x") == "firstx"
            assert layer.updateGradInput is min
            assert vars(copied(layer)) == held
        assert layer.updateGradInput is max
        assert "forward" not in vars(layer)
        assert vars(copied(layer)) == held
    assert vars(layer) == held


def test_files_know_nothing_of_shadows(tmp_path):
    net = nn.Sequential(nn.Linear(2, 2))
    with shadowed([(net[0], {"updateOutput": len}), (net, {"updateOutput": len})]):
        serial.save(tmp_path / "net.npz", net)
        loaded = serial.load(tmp_path / "net.npz")
        assert vars(loaded[0]).keys() == {"weight", "bias", "gradWeight", "gradBias"}
        assert np.array_equal(loaded.forward(ROWS), net.clone().forward(ROWS))


def test_shadows_go_when_something_raises():
    layer = nn.Identity()

    def shadows():
        yield layer, {"updateOutput": len}
        raise ValueError("not ready")

    with pytest.raises(ValueError, match="not ready"), shadowed(shadows()):
        pass
    assert not vars(layer)
    with pytest.raises(TypeError), shadowed([(layer, {"updateOutput": len})]):
        layer.forward(3)
    assert not vars(layer)


def test_a_state_of_ones_own_is_copied_without_shadows():
    class Counts(nn.Identity):
        def __getstate__(self):
            return {**vars(self), "times": 1 + vars(self).get("times", 0)}

    layer = Counts()
    with shadowed([(layer, {"updateOutput": len})]):
        assert vars(layer.clone()) == {"times": 1}


def test_a_part_that_says_how_it_is_made_is_copied_so():
    class Made(nn.Linear):
        def __reduce_ex__(self, protocol):
            return Made, (3, 4)

    made = copy.deepcopy(nn.Sequential(Made(2, 2)))
    assert made[0].weight.shape == (4, 3)


def test_sharing_inside_survives_copies():
    net = nn.Sequential(nn.Linear(2, 2))
    net.add(net[0].clone("weight", "bias", "gradWeight", "gradBias"))
    for made in (net.clone(), pickle.loads(pickle.dumps(net))):
        assert made[0].weight is made[1].weight
        assert made[0].weight is not net[0].weight


def test_type_casts_every_array_and_keeps_sharing():
    net = nn.Sequential(nn.Linear(2, 2))
    net.add(net[0].clone("weight", "bias", "gradWeight", "gradBias"))
    net.add(nn.ReLU())
    assert net.float() is net
    assert net.type() == net[2].type() == np.float32
    assert {a.dtype for arrays in net.parameters() for a in arrays} == {np.dtype("float32")}
    assert net[0].weight is net[1].weight
    assert net.type("complex128") is net
    assert net[0].gradBias.dtype == np.complex128
    assert net[0].gradBias is net[1].gradBias


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_type_forgets_results(dtype):
    net, criterion = mlp(), nn.MSECriterion()
    net.forward(ROWS)
    net.backward(ROWS, criterion.backward(net.output, ROWS))
    criterion.forward(net.output, ROWS)
    for part in [*net.type(dtype).listModules(), criterion.type(dtype)]:
        assert all(vars(part).get(name) is None for name in part.transient), part


def test_type_leaves_arrays_of_that_dtype_alone():
    layer = nn.Linear(2, 2)
    weight = layer.weight
    assert layer.double().weight is weight
    assert layer.type(float).weight is weight


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_type_brings_arrays_into_the_byte_order_of_the_machine(dtype):
    layer = nn.Linear(2, 2)
    weight = layer.weight
    for name in ("weight", "gradWeight"):
        setattr(layer, name, getattr(layer, name).astype(np.dtype(dtype).newbyteorder()))
    assert layer.type(dtype).weight.dtype == layer.gradWeight.dtype == dtype
    assert np.array_equal(layer.weight, weight.astype(dtype))
    assert layer.bias.dtype == dtype


def test_type_reaches_tables_of_arrays_and_spares_integers():
    class Holder(nn.Module):
        def __init__(self):
            self.tables = [np.ones(2), {"a": np.ones(1)}, (np.ones(3), np.arange(3))]
            self.tables.append(self.tables[0])

    holder = Holder().float()
    first, named, pair, again = holder.tables
    assert first.dtype == named["a"].dtype == pair[0].dtype == np.float32
    assert pair[1].dtype == np.arange(3).dtype
    assert again is first


@pytest.mark.parametrize(
    ("dtype", "got"),
    [
        ("int64", "int64"),
        ("float16", "float16"),
        ("torch.CudaTensor", "torch.CudaTensor"),
        (["float32"], "['float32']"),
    ],
)
def test_other_types_are_refused(dtype, got):
    net = mlp()
    with pytest.raises(DTypeError) as caught:
        net.type(dtype)
    assert str(caught.value) == (
        f"Sequential.type: dtype must be float32, float64, complex64 or complex128, got {got}"
    )
    assert net[0].weight.dtype == np.float64


def test_type_takes_torch7s_names():
    net = mlp()
    assert net.type("torch.FloatTensor") is net
    assert net[0].weight.dtype == np.float32
    assert net.type("torch.DoubleTensor").type() == np.float64
    assert nn.MSECriterion().type("torch.FloatTensor").type() == np.float32
    assert nn.DontCast(nn.ReLU(), True, moduleType="torch.FloatTensor").moduleType == np.float32


def test_a_complex_module_does_not_become_real():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].type("complex64")
    with pytest.raises(DTypeError, match="complex64 cannot become float32 without losing"):
        net.float()
    assert net[0].weight.dtype == np.float64
    assert net[1].type("complex128").weight.dtype == np.complex128


# ---------------------------------------------------------------- the tree


def test_apply_list_find():
    net = mlp()
    order = []
    assert net.apply(lambda module: order.append(type(module).__name__)) is net
    assert order == ["Sequential", "Linear", "ReLU", "Sequential", "Linear"]
    assert net.listModules() == [net, net[0], net[1], net[2], net[2][0]]
    nodes, containers = net.findModules(nn.Linear)
    assert nodes == [net[0], net[2][0]]
    assert containers == [net, net[2]]
    assert net.findModules("Sequential") == ([net, net[2]], [net, net])

    class Mine(nn.Linear):
        pass

    net.add(Mine(2, 2))
    assert len(net.findModules(nn.Linear)[0]) == 3
    assert len(net.findModules("Linear")[0]) == 2


def test_findModules_takes_torch7s_names():
    net = mlp()
    assert net.findModules("nn.Linear") == net.findModules("Linear")
    assert len(net.findModules("nn.Linear")[0]) == 2
    assert net.findModules("nn.VolumetricDropout") == net.findModules(nn.Identity) == ([], [])


@pytest.mark.parametrize("prefix", ["", "nn."])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Lineer", "\n  hint: 'Linear'?"),
        ("Qqq", ""),
        ("MSECriterion", "\n  hint: 'CriterionTable'?"),
    ],
)
def test_findModules_refuses_names_that_no_class_of_modules_has(prefix, name, hint):
    with pytest.raises(SettingError) as caught:
        nn.Linear(2, 3).findModules(prefix + name)
    assert str(caught.value) == (
        "Linear(2 -> 3).findModules: kind must be a class of modules or its name, "
        f"got '{prefix}{name}'{hint}"
    )
    assert caught.value.argument == "kind"


@pytest.mark.parametrize(
    ("kind", "got"),
    [(nn.Linear(2, 3), "Linear(2 -> 3)\n  hint: findModules('Linear')"), (7, "7"), (None, "None")],
)
def test_findModules_refuses_what_is_no_class(kind, got):
    with pytest.raises(DTypeError) as caught:
        mlp().findModules(kind)
    assert str(caught.value) == (
        f"Sequential.findModules: kind must be a class of modules or its name, got {got}"
    )


def test_what_is_refused_carries_the_facts():
    net = mlp()
    for call, method, argument in (
        (lambda: net["a"], "get", "index"),
        (lambda: net.add(3), "add", "module"),
        (lambda: net.findModules("NoSuchLayer"), "findModules", "kind"),
        (lambda: net.findModules(3), "findModules", "kind"),
    ):
        with pytest.raises((DTypeError, SettingError)) as caught:
            call()
        assert caught.value.layer is net
        assert (caught.value.method, caught.value.argument) == (method, argument)


def test_applyToModules_calls_on_the_modules_alone():
    net, met = mlp(), []
    assert net.applyToModules(met.append) is net
    assert met == [net[0], net[1], net[2]]


def test_replace():
    net = mlp()
    result = net.replace(lambda module: nn.Identity() if isinstance(module, nn.ReLU) else module)
    assert result is net
    assert type(net[1]) is nn.Identity
    assert type(net.replace(lambda module: nn.ReLU())) is nn.ReLU


def test_training_and_evaluate_reach_everything():
    net = mlp()
    assert net.evaluate() is net
    assert not any(module.train for module in net.listModules())
    assert net.training() is net
    assert all(module.train for module in net.listModules())


def test_clearState_forgets_everywhere():
    net = mlp()
    net.forward(ROWS)
    net.backward(ROWS, ROWS)
    assert net.clearState() is net
    for module in net.listModules():
        assert module.output.size == module.gradInput.size == 0
    assert len(net.activations) == 0
    with pytest.raises(StateError):
        net.backward(ROWS, ROWS)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("scale", [np.float64(2), np.float32(2), np.int64(2), 2])
def test_numpy_scalars_change_no_dtype(scale):
    layer = nn.Linear(2, 2).float()
    x = ROWS.astype("float32")
    layer.accGradParameters(x, x, scale)
    assert layer.gradWeight.dtype == np.float32
    assert np.array_equal(layer.gradWeight, 2 * x.T @ x)
    layer.updateParameters(scale)
    assert layer.weight.dtype == np.float32


def test_a_complex_module_takes_a_complex_scale():
    layer = nn.Linear(2, 2).type("complex128")
    layer.accGradParameters(ROWS, ROWS.astype(complex), 1j)
    assert np.array_equal(layer.gradWeight, 1j * (ROWS.T @ ROWS))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("weigth", "\n  hint: 'weight'?"),
        ("gradbias", "\n  hint: 'gradBias'?"),
        ("factors", ""),
    ],
)
def test_a_name_that_is_shared_must_be_known(name, hint):
    """Wrongly spelled it would be skipped, and nothing be shared."""
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    before = net.parameters()[0]
    for call in (net.clone, lambda *names: net.share(nn.Sequential(*net.clone()), *names)):
        with pytest.raises(SettingError) as error:
            call("weight", name)
        assert str(error.value) == (
            f"Sequential.share: names must be names of arrays, got {name!r}{hint}"
        )
        assert error.value.hint == (hint.removeprefix("\n  hint: ") or None)
    assert [*map(id, net.parameters()[0])] == [*map(id, before)]
    # Those of other layers may be absent everywhere, those of one's own from the one side.
    nn.Tanh().clone("weight", "bias", "gradWeight", "gradBias", "running_mean", "gradG")
    net[1].factors = np.ones(2)
    assert net.clone("factors")[1].factors is net[1].factors


def test_what_layers_train_may_be_shared_wherever_it_is_absent():
    named = {
        row.name.partition("[")[0]
        for _, case in cases.rows()
        if isinstance(layer := case.make(), nn.Module)
        for row in layer.located_parameters()
    }
    assert named > {"weight", "bias", "weightO", "g"}
    for name in named:
        nn.Tanh().clone(name, f"grad{name[0].upper()}{name[1:]}")


@pytest.mark.parametrize("base", [nn.Module, nn.Linear, nn.Sequential, nn.Criterion])
def test_slots_are_refused(base):
    """Copies, casts and files would know nothing of them."""
    slots = {"__slots__": ("factor", "mask")}
    made = [((base,), slots)]
    if base is nn.Criterion:
        # A Module and another class with slots cannot be the bases of one.
        made.append(((type("Mixin", (), slots), base), {}))
    for bases, names in made:
        with pytest.raises(SettingError) as error:
            type("Mine", bases, names)
        assert str(error.value) == (
            "Mine: what stands in __slots__ gets lost in copies, casts and files, got factor, "
            "mask\n  hint: leave __slots__ out: each module has a __dict__, so it saves nothing"
        )
    type("Mine", (base,), {"__slots__": ()})


@pytest.mark.parametrize(
    ("base", "name", "owner"),
    [
        (nn.Linear, "_pairs", "Module"),
        (nn.Sequential, "_list", "Container"),
        (nn.MSECriterion, "_left_behind", "Stateful"),
    ],
)
def test_a_class_that_would_hide_a_private_method_is_refused(base, name, owner):
    with pytest.raises(SettingError) as error:
        type("Mine", (base,), {name: lambda self: None})
    assert str(error.value) == (
        f"Mine: {owner}.{name} is torchlite's own\n  hint: call it something else than {name}"
    )
