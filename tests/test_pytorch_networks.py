"""What PyTorch saves is read without it: parameters by their names, a training that goes on."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from torchlite import nn, optim, serial
from torchlite.errors import DTypeError, FormatError
from torchlite.interop import pytorch

SCRIPT = Path(__file__).parent / "data" / "make_pytorch_networks.py"
SPEC = importlib.util.spec_from_file_location("make_pytorch_networks", SCRIPT)
made = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made)

with np.load(made.FILE, allow_pickle=False) as archive:
    STORED = dict(archive)

NAMES = {"conv": "0", "norm": "1", "deep": "3", "up": "4", "head.0": "7", "head.1": "8"}
CALLS = {
    "SGD": (optim.sgd, {"momentum_buffer": "dfdx"}),
    "Adam": (optim.adam, {"exp_avg": "m", "exp_avg_sq": "v"}),
}
CONFIGS = {
    "SGD": {"learningRate": 0.05, "momentum": 0.9, "dampening": 0.25, "weightDecay": 1e-3},
    "Adam": {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.99},
}


def network():
    return nn.Sequential(
        nn.SpatialConvolution(1, 4, 2, 3, 1, 1, 0, 1),
        nn.SpatialBatchNormalization(4),
        nn.ReLU(),
        nn.SpatialDepthWiseConvolution(4, 2, 3, 3),
        nn.SpatialFullConvolution(8, 2, 2, 2, 2, 2),
        nn.Tanh(),
        nn.Reshape(96, True),
        nn.Linear(96, 3),
        nn.LayerNormalization(3, 0, 3e-5),
    )


def stored(prefix):
    return {
        key.removeprefix(prefix): value for key, value in STORED.items() if key.startswith(prefix)
    }


def gradients_of(net):
    """Return the gradients of a network as a state_dict, which has no running statistics."""
    twin = net.clone()
    for parameter, gradient in zip(*twin.parameters(), strict=True):
        parameter[...] = gradient
    return {k: v for k, v in pytorch.state_dict(twin).items() if "running" not in k}


@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_a_file_of_pytorch(mode):
    pytest.importorskip("safetensors")
    net = network().float()
    assert pytorch.load_state_dict(net, made.STATE, NAMES) is net
    if mode == "evaluation":
        net.evaluate()
    x = made.images("float32")
    output = net.forward(x)
    net.zeroGradParameters()
    gradInput = net.backward(x, 2 * output)
    found = {"output": output, "gradInput": gradInput}
    there = {here: name for name, here in NAMES.items()}
    for name, gradient in gradients_of(net).items():
        first, _, last = name.rpartition(".")
        found[f"gradient/{there[first]}.{last}"] = gradient
    expected = stored(f"{mode}/")
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        assert found[name].shape == wanted.shape
        assert abs(found[name] - wanted).max() <= 3e-5 * (1 + abs(wanted).max()), name


@pytest.mark.parametrize("name", CALLS)
def test_a_training_goes_on(name):
    """Ten steps from what network and optimizer were have PyTorch's losses."""

    def holding(what):
        net = network()
        arrays = pytorch.state_dict(net)
        running = {there: arrays[here] for there, here in renamed(arrays) if "running" in here}
        return pytorch.load_state_dict(net, running | stored(f"{name}/{what}/"), NAMES)

    call, keys = CALLS[name]
    net, criterion = holding("state"), nn.CrossEntropyCriterion()
    state = {ours: holding(theirs).getParameters()[0] for theirs, ours in keys.items()}
    if name == "Adam":
        state["t"] = int(STORED["Adam/step/conv.weight"])
    parameters, gradients = net.getParameters()
    x, y = made.images("float64"), made.classes()
    losses = []

    def opfunc(_):
        gradients.fill(0)
        loss = criterion.forward(net.forward(x), y)
        net.backward(x, criterion.backward(net.output, y))
        return loss, gradients

    for _ in range(10):
        losses += call(opfunc, parameters, CONFIGS[name], state)[1]
    assert losses[0] > 1.2 * losses[-1]
    assert np.abs(losses - STORED[f"{name}/losses"]).max() <= 1e-5


def renamed(names):
    for here in names:
        first, _, last = here.rpartition(".")
        yield {here: name for name, here in NAMES.items()}[first] + f".{last}", here


def test_a_dict_there_and_back():
    net, other = network(), network()
    state = pytorch.state_dict(net)
    assert {name: array.shape for name, array in state.items() if name[0] in "38"} == {
        "3.weight": (8, 1, 3, 3),
        "3.bias": (8,),
        "8.weight": (3,),
        "8.bias": (3,),
    }
    state["1.num_batches_tracked"] = np.array(5)
    pytorch.load_state_dict(other, state)
    assert all(map(np.array_equal, net.parameters()[0], other.parameters()[0]))
    state["0.weight"] += 1
    assert not np.array_equal(state["0.weight"], net[0].weight)


def test_every_kind_of_layout():
    """What stands in columns in PyTorch, or as one row of an image, arrives where it belongs."""
    weight = np.arange(24.0).reshape(4, 3, 2)
    layer = nn.TemporalConvolution(3, 4, 2).noBias()
    pytorch.load_state_dict(layer, {"weight": weight})
    x = np.arange(15.0).reshape(5, 3)
    expected = [np.tensordot(weight, x[t : t + 2].T) for t in range(4)]
    assert np.array_equal(layer.forward(x), expected)
    image = nn.SpatialConvolution(3, 4, 2, 1).noBias()
    pytorch.load_state_dict(image, {"weight": weight})
    assert np.array_equal(image.weight[:, :, 0], weight)
    layer = nn.SpatialDepthWiseConvolution(2, 3, 1, 1)
    state = {"weight": np.arange(6.0).reshape(6, 1, 1, 1), "bias": np.arange(6.0)}
    pytorch.load_state_dict(layer, state)
    assert np.array_equal(layer.forward(np.ones((2, 1, 1))).ravel(), 2 * np.arange(6))


def test_an_lstm():
    """Its gates stand in another order, and its two biases are added."""
    rng = np.random.default_rng(0)
    w, v, b, c, o = (rng.normal(size=n) for n in ((12, 2), (12, 1), 12, 12, (1, 3)))
    state = {f"rnn.{name}_ih_l1": value for name, value in (("weight", w), ("bias", b))}
    state |= {f"rnn.{name}_hh_l1": value for name, value in (("weight", v), ("bias", c))}
    state["rnn.weight_hr_l1"] = o
    layer = nn.SeqLSTM(2, 3, 1)
    names = {name: name.removeprefix("rnn.").replace("_l1", "_l0") for name in state}
    pytorch.load_state_dict(layer, state, names)
    x, h, cell = rng.normal(size=(4, 1, 2)), np.zeros((1, 1)), np.zeros((1, 3))
    for output, now in zip(layer.forward(x), x, strict=True):
        i, f, g, out = np.split(now @ w.T + b + h @ v.T + c, 4, 1)
        i, f, out = (1 / (1 + np.exp(-gate)) for gate in (i, f, out))
        cell = f * cell + i * np.tanh(g)
        h = out * np.tanh(cell) @ o.T
        assert abs(output - h).max() <= 1e-14
    again = pytorch.state_dict(layer)
    assert abs(again["bias_ih_l0"] - b - c).max() <= 1e-15
    assert not again["bias_hh_l0"].any()
    assert np.array_equal(again["weight_ih_l0"], w)
    assert np.array_equal(again["weight_hr_l0"], o)


def test_what_does_not_fit_is_named_whole_and_changes_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), nn.Linear(1, 1).float())
    net[3].bias.flags.writeable = False
    before = net.clone()
    state = {
        "fc.weight": np.zeros((2, 3)),
        "fc.bias": np.zeros(3, "float32"),
        "gc.weight": np.zeros((1, 3)),
        "2.weight": np.zeros((1, 3)),
        "3.weight": np.zeros((1, 1), "float32"),
        "3.bias": np.zeros(1, "float32"),
        "extra": np.zeros(1),
        "left.out.bias": np.zeros(1),
    }
    with pytest.raises(FormatError) as caught:
        pytorch.load_state_dict(net, state, {"fc": "0", "gc": "2", "left": None})
    assert str(caught.value) == (
        "load_state_dict: what is there does not fit\n"
        "  2.weight: gc.weight is 2.weight, too\n"
        "  fc.weight, 0.weight here: float64 (2, 3) in the state, float64 (3, 2) in the network\n"
        "  fc.bias, 0.bias here: float32 (3,) in the state, float64 (3,) in the network\n"
        "  2.bias: there is no such array in the state\n"
        "  3.bias: the network's array is read-only\n"
        "  extra: there is no such array in the network\n"
        "  hint: net.type('float32') before it"
    )
    assert all(map(np.array_equal, net.parameters()[0], before.parameters()[0]))
    for call in (pytorch.state_dict, lambda net: pytorch.load_state_dict(net, {})):
        with pytest.raises(DTypeError, match="net must be a module, got MSECriterion"):
            call(nn.MSECriterion())


def test_names_of_the_root():
    state = {"weight": np.ones((1, 2)), "bias": np.zeros(1)}
    for said, net, names in (
        ("module.", nn.Linear(2, 1), {"module": ""}),
        ("module.0.", nn.Sequential(nn.Linear(2, 1)), {"module": ""}),
        ("", nn.Sequential(nn.Linear(2, 1)), {"": "0"}),
        ("", nn.Linear(2, 1), {"": ""}),
    ):
        there = {said + name: array for name, array in state.items()}
        pytorch.load_state_dict(net, there, names)
        assert np.array_equal(net.forward(np.array([1.0, 2.0])), [3])


def test_names_that_nothing_has():
    state = pytorch.state_dict(nn.Linear(2, 1))
    with pytest.raises(FormatError) as caught:
        pytorch.load_state_dict(nn.Linear(2, 1), state, {"weigh": "0", "fc": None, "bias": "bias"})
    assert str(caught.value) == (
        "load_state_dict: what is there does not fit\n"
        "  weigh: names has it, and there is no such array in the state\n"
        "  fc: names has it, and there is no such array in the state"
    )


@pytest.mark.parametrize("names", [["a"], {"a": 0}, {0: "a"}, []], ids=repr)
def test_names_are_a_dict_of_names(names):
    net = nn.Linear(2, 1)
    with pytest.raises(DTypeError) as caught:
        pytorch.load_state_dict(net, pytorch.state_dict(net), names)
    assert str(caught.value) == f"load_state_dict: names must be a dict of names, got {names!r}"


@pytest.mark.parametrize("state", [None, [], {0: np.ones(1)}], ids=repr)
def test_a_state_is_a_dict_by_names(state):
    with pytest.raises(DTypeError) as caught:
        pytorch.load_state_dict(nn.Linear(2, 1), state)
    assert str(caught.value) == (
        "load_state_dict: state must be a dict of arrays by names, or a path, "
        f"got {type(state).__name__}"
    )


def test_one_array_with_two_names():
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    other.weight, other.gradWeight = one.weight, one.gradWeight
    lstm = nn.SeqLSTM(2, 2)
    twin = lstm.clone("weight", "bias", "gradWeight", "gradBias")
    net = nn.Sequential(one, other, lstm, twin)
    net.getParameters()
    state = pytorch.state_dict(net)
    for name in ("0.weight", "1.weight", "2.weight_hh_l0"):
        some = {key: array for key, array in state.items() if key != name}
        some = {key: array + 1 for key, array in some.items()}
        net[0].weight.fill(0)
        pytorch.load_state_dict(net, some)
        assert np.array_equal(net[1].weight, state["0.weight"] + 1)
        state = pytorch.state_dict(net)
    state["1.weight"] = state["1.weight"] + 1
    before = net.clone()
    with pytest.raises(FormatError) as caught:
        pytorch.load_state_dict(net, state)
    assert str(caught.value) == (
        "load_state_dict: what is there does not fit\n"
        "  1.weight: it is 0.weight, too, whose numbers are others"
    )
    assert all(map(np.array_equal, net.parameters()[0], before.parameters()[0]))


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x80\x02"])
def test_a_file_of_torch_save(start, path):
    pytest.importorskip("safetensors")
    path.write_bytes(start + bytes(range(250, 256)) * 9)
    with pytest.raises(FormatError) as caught:
        pytorch.load_state_dict(network(), path)
    assert str(caught.value) == (
        f"{path}: it is no safetensors file, but one of torch.save\n"
        "  hint: torch.load reads it, and safetensors.torch.save_file saves what is read here"
    )


def test_a_file_that_does_not_fit(path):
    pytest.importorskip("safetensors")
    with pytest.raises(FormatError, match=f"^{re.escape(str(made.STATE))}: what is there does not"):
        pytorch.load_state_dict(network(), made.STATE, NAMES)
    path.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="it has no header, or one of more than"):
        pytorch.load_state_dict(network(), path)


def test_a_dtype_that_numpy_lacks(path):
    pytest.importorskip("safetensors")
    header = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(FormatError) as caught:
        pytorch.load_state_dict(nn.Mul(), path, {"x": "weight"})
    assert str(caught.value) == f"{path}: x: BF16 is no dtype of NumPy's"


def test_counted_batches_are_ignored_by_load_parameters(path):
    safetensors = pytest.importorskip("safetensors.numpy")
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNormalization(3))
    state = pytorch.state_dict(net) | {"1.num_batches_tracked": np.array(5)}
    safetensors.save_file(state, path)
    other = serial.load_parameters(path, nn.Sequential(nn.Linear(2, 3), nn.BatchNormalization(3)))
    assert np.array_equal(other[0].weight, net[0].weight)


def test_pytorch_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (pytorch.to_torch, pytorch.from_torch):
        with pytest.raises(ImportError, match=r"^networks of PyTorch need it: pip install torch$"):
            call(nn.Linear(1, 1))
