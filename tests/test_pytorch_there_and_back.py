"""Networks go to PyTorch and come back: live, where it is installed."""

import copy
import pickle
import re
from functools import cache
from pathlib import Path

import cases
import golden
import numpy as np
import pytest
from test_t7_modules import case_of

from torchlite import nn, optim, random
from torchlite.errors import DTypeError, SettingError, StateError
from torchlite.interop import pytorch
from torchlite.interop.pytorch.convert import says
from torchlite.interop.pytorch.functions import FUNCTIONS, LIMITS, UNSAID
from torchlite.interop.pytorch.pairs import COMPOSED, PAIRS
from torchlite.nn.nested import map_arrays
from torchlite.serial import t7
from torchlite.testing.duck import Duck

torch = pytest.importorskip("torch")

DRAWS = (nn.Dropout, nn.SpatialDropout, nn.VolumetricDropout, nn.RReLU, nn.WhiteNoise)
BATCHES = "PyTorch's takes batches only"
NUMBERS = "PyTorch's takes floating numbers only"
# Rows whose class goes there, and that do not go through.
EXCEPT = {
    "Dropout-lazy": "it keeps its noise",
    "Dropout-stochastic": "it draws in evaluation, too",
    "SeqLSTM-told": "it masks",
    "Sequential-tied": "a transposed weight",
    "SpatialCrossMapLRN-one sample": BATCHES,
    "SpatialFullConvolution-table": "PyTorch's takes no table",
    "SpatialUpSamplingBilinear-one sample": BATCHES,
    "SpatialUpSamplingNearest-one sample": BATCHES,
    "StepLSTM-told": "it masks",
    "VolumetricFullConvolution-table": "PyTorch's takes no table",
} | {
    f"{row}-{kind}": NUMBERS
    for row in ("SpatialUpSamplingNearest", "UpSampling-volumes")
    for kind in ("integers", "booleans")
}
EXCEPT |= {
    f"{name}Padding-booleans": NUMBERS
    for name in ("SpatialReflection", "SpatialReplication", "VolumetricReplication")
}
ROWS = [case for _, case in cases.rows() if isinstance(case.make(), nn.Module)]


def goes_there(net):
    """Tell whether every class in a network is one that goes there."""
    return all(says(type(part)).startswith("yes") for part in net.listModules())


KINDS = [getattr(nn, name) for name in nn.__all__]
KINDS = [kind for kind in KINDS if issubclass(kind, nn.Module)]
THERE = [case for case in ROWS if goes_there(case.make()) and case.id not in EXCEPT]


def tensors_of(table):
    if isinstance(table, dict):
        return {key: tensors_of(value) for key, value in table.items()}
    if isinstance(table, (list, tuple)):
        return [tensors_of(value) for value in table]
    tensor = torch.tensor(table)
    return tensor.requires_grad_() if tensor.is_floating_point() else tensor


def in_order(table):
    """Return the leaves of a table of tensors, or arrays, in the order of `leaves`."""
    if isinstance(table, dict):
        return [leaf for key in table for leaf in in_order(table[key])]
    if isinstance(table, (list, tuple)):
        return [leaf for value in table for leaf in in_order(value)]
    return [table]


def close(found, expected, within):
    for got, wanted in zip(found, in_order(expected), strict=True):
        assert tuple(got.shape) == wanted.shape
        size = np.abs(wanted * 1.0).max(initial=0)
        assert np.abs(got * 1.0 - wanted * 1.0).max(initial=0) <= within * (1 + size)


def slopes(tensors):
    """Return the gradients of tensors as arrays, zeros where there are none."""
    return [np.zeros(t.shape) if t.grad is None else t.grad.numpy() for t in tensors]


def as_layers(module, tensors):
    """Return what stands in a module's parameters, as parameters of torchlite."""
    with torch.no_grad():
        for (name, parameter), values in zip(module.named_parameters(), tensors, strict=True):
            # The two biases of an LSTM, which are added, have the same gradient.
            parameter.copy_(torch.as_tensor(values) * ("bias_hh" not in name))
    return pytorch.from_torch(module).parameters()[0]


@pytest.mark.parametrize("case", THERE, ids=lambda case: case.id)
def test_there_and_back(case):
    random.manualSeed(1)
    net = case.make()
    if any(isinstance(part, DRAWS) for part in net.listModules()):
        net.evaluate()
    streams = random.getRNGState(), torch.get_rng_state()
    module = pytorch.to_torch(net)
    back = pytorch.from_torch(module)
    assert np.array_equal(random.getRNGState(), streams[0])
    assert torch.equal(torch.get_rng_state(), streams[1])
    assert repr(back) == repr(net)
    assert [part.train for part in back.listModules()] == [p.train for p in net.listModules()]
    state = {k: v for k, v in module.state_dict().items() if "num_batches" not in k}
    assert {k: v.shape for k, v in pytorch.state_dict(net).items()} == {
        k: tuple(v.shape) for k, v in state.items()
    }
    for name, array in pytorch.state_dict(net).items():
        assert np.array_equal(state[name], array)

    rng = np.random.default_rng(1)
    input = case.draw(rng)
    tensors = tensors_of(input)
    output, there = net.forward(input), module(tensors)
    close([tensor.detach().numpy() for tensor in in_order(there)], output, 1e-12)
    # Running statistics, and rows that a forward shortens, have moved alike.
    for name, array in pytorch.state_dict(net).items():
        close([module.state_dict()[name].numpy()], array, 1e-12)
    for got, wanted in zip(in_order(back.forward(input)), in_order(output), strict=True):
        assert got.dtype == wanted.dtype
        assert np.array_equal(got, wanted)

    gradOutput = map_arrays(
        lambda a: rng.normal(size=a.shape) if a.dtype.kind == "f" else np.zeros_like(a), output
    )
    both = zip(in_order(there), in_order(gradOutput), strict=True)
    pulled = [(t, torch.tensor(g)) for t, g in both if t.requires_grad]
    if pulled:
        torch.autograd.backward(*zip(*pulled, strict=True))
    net.zeroGradParameters()
    gradInput = net.backward(input, gradOutput)
    # Backward divides by a distance plus 1e-7 there: exempt says so.
    guarded = "gradInput" in net.exempt and "distance" in net.exempt["gradInput"]
    within = 1e-6 if guarded else 1e-12
    close(slopes(in_order(tensors)), gradInput, within)
    close(as_layers(module, slopes(module.parameters())), net.parameters()[1], within)


@pytest.mark.parametrize("id", EXCEPT)
def test_what_goes_through_is_no_exception(id):
    (case,) = [case for case in ROWS if case.id == id]
    if id != "Dropout-stochastic":
        with pytest.raises((AssertionError, RuntimeError, TypeError, ValueError)):
            test_there_and_back(case)


@cache
def layers_by_class():
    found = {}
    for case in ROWS:
        for part in case.make().listModules():
            found.setdefault(type(part), []).append(part)
    return found


UNSAID_KINDS = [kind for kind in KINDS if says(kind).startswith("no: ")]
UNSAID_KINDS = [kind for kind in UNSAID_KINDS if kind not in (nn.Module, nn.Container)]


@pytest.mark.parametrize("kind", UNSAID_KINDS)
def test_what_does_not_go_there_is_refused(kind):
    for layer in layers_by_class()[kind]:
        with pytest.raises(DTypeError) as caught:
            pytorch.to_torch(layer)
        reason = says(kind).removeprefix("no: ")
        assert f"\n  {kind.__name__}: {reason}" in str(caught.value)


def test_the_lists_are_of_classes():
    known = {name for name in nn.__all__ if issubclass(getattr(nn, name), nn.Module)}
    said = {*FUNCTIONS, *(pair.ours for pair in PAIRS), "Sequential"}
    assert said <= known
    assert UNSAID.keys() <= known - said
    assert LIMITS.keys() <= said
    theirs = {*COMPOSED, *(pair.theirs for pair in PAIRS)}
    assert all(hasattr(torch.nn, name) for name in theirs)
    page = (Path(__file__).parents[1] / "docs" / "pytorch.md").read_text("utf-8")
    listed = page.partition("The classes that `from_torch` knows:\n\n")[2].split("\n\n")[0]
    assert re.findall(r"`(\w+)`", listed) == sorted({*theirs, "Sequential"}, key=str.lower)


def test_what_cannot_be_said_is_named_whole():
    class Mine(nn.Identity):
        pass

    net = nn.Sequential(
        nn.Kmeans(2, 3), nn.ConcatTable(Mine(), nn.Sequential(nn.Tanh(), nn.SparseLinear(2, 3)))
    )
    net.add(nn.LookupTable(2, 3).accUpdateOnly())
    net.add(nn.SeqGRU(2, 3).remember()).add(nn.SeqLSTM(2, 3).setStartState([np.zeros((1, 3))] * 2))
    tied, one = nn.Linear(3, 2), nn.Linear(2, 3)
    tied.weight, tied.gradWeight = one.weight.T, one.gradWeight.T
    net.add(one).add(tied)
    with pytest.raises(DTypeError) as caught:
        pytorch.to_torch(net)
    assert str(caught.value) == (
        "to_torch: net must be of layers that PyTorch can say, got some that are not\n"
        "  [0] Kmeans: its clusters move without gradients\n"
        "  [1][0] Mine: it is no class of torchlite.nn\n"
        "  [1][1][1] SparseLinear: its input is lists of indices and values\n"
        "  [2] LookupTable: after accUpdateOnly() it has no gradient\n"
        "  [3] SeqGRU: it goes on from one sequence to the next\n"
        "  [4] SeqLSTM: it has a start state\n"
        "  [6] weight: it is a view of [5] weight, and PyTorch ties whole parameters only"
    )
    with pytest.raises(DTypeError, match=r"^to_torch: net must be a module, got MSECriterion$"):
        pytorch.to_torch(nn.MSECriterion())


def test_arrays_that_are_not_of_numpy_are_named():
    net = nn.Sequential(nn.Linear(2, 3))
    net[0].weight = Duck(net[0].weight)
    with pytest.raises(DTypeError) as caught:
        pytorch.to_torch(net)
    wanted = "  [0] weight: it is on a GPU, from which net.cpu() moves it"
    assert str(caught.value).splitlines()[1:] == [wanted]


class Residual(torch.nn.Module):
    def __init__(self, inside):
        super().__init__()
        self.inside = inside

    def forward(self, input):
        return input + self.inside(input)


def test_what_torchlite_cannot_say_is_named_whole():
    t = torch.nn
    hooked = t.Linear(2, 2)
    hooked.register_forward_hook(lambda *given: None)
    replaced = t.Linear(2, 2)
    replaced.forward = abs
    module = t.Sequential(
        t.Conv2d(4, 4, 3, groups=2),
        t.Sequential(t.GELU(), t.Conv2d(4, 4, 2, padding="same")),
        Residual(t.Identity()),
        t.Flatten(),
        t.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        t.BatchNorm2d(4, momentum=None),
        t.BatchNorm1d(4, track_running_stats=False),
        t.Linear(4, 4).half(),
        t.LayerNorm((2, 2)),
        t.MaxPool2d(2, return_indices=True),
        t.Softplus(threshold=5),
        t.Upsample(scale_factor=1.5),
        t.Upsample(scale_factor=2, mode="bilinear"),
        t.Upsample(scale_factor=2, mode="bicubic"),
        t.Upsample(size=(3, 4)),
        t.LocalResponseNorm(4),
        t.Conv1d(2, 2, 3, padding=1, groups=2),
        t.MaxPool1d(2, ceil_mode=True),
        t.AvgPool1d(2, count_include_pad=False),
        t.MaxPool1d(2, dilation=2),
        t.AdaptiveAvgPool2d((None, 2)),
        t.PReLU(2).bfloat16(),
        t.ConvTranspose2d(2, 2, 2, dilation=2),
        t.Conv3d(2, 2, 1, dilation=2, groups=2),
        t.Unflatten(1, (2, -1)),
        t.LayerNorm(2, bias=False),
        t.MaxPool3d(1, dilation=2, return_indices=True),
        t.GRU(2, 2),
        t.LSTM(2, 2, bias=False),
        t.MaxPool1d(2, padding=2),
        hooked,
        replaced,
        t.LPPool2d(2, 2, ceil_mode=True),
        t.UpsamplingNearest2d(size=(6, 8)),
        t.Linear(2, 3, device="meta"),
    )
    with pytest.raises(DTypeError) as caught:
        pytorch.from_torch(module)
    assert str(caught.value) == (
        "from_torch: module must be of modules that torchlite can say, got some that are not\n"
        "  0: Conv2d: groups is 2\n"
        "  1.0: GELU: torchlite has no such layer\n"
        "  1.1: Conv2d: padding is 'same' around windows of an even size\n"
        "  2: Residual: it is no class of torch.nn\n"
        "  3: Flatten: no Linear after it says how many entries a sample has\n"
        "  4: Conv2d: padding_mode is 'reflect'\n"
        "  5: BatchNorm2d: momentum is None: an average over all batches\n"
        "  6: BatchNorm1d: track_running_stats is False\n"
        "  7: Linear: it is of float16\n"
        "  8: LayerNorm: normalized_shape is (2, 2)\n"
        "  9: MaxPool2d: return_indices is True\n"
        "  10: Softplus: threshold is 5: it is no smooth function\n"
        "  11: Upsample: scale_factor is 1.5\n"
        "  12: Upsample: align_corners is not True\n"
        "  13: Upsample: mode is 'bicubic'\n"
        "  14: Upsample: size is (3, 4) in the mode 'nearest'\n"
        "  15: LocalResponseNorm: size is 4, which is even\n"
        "  16: Conv1d: groups is 2\n"
        "  17: MaxPool1d: ceil_mode is True\n"
        "  18: AvgPool1d: count_include_pad is False\n"
        "  19: MaxPool1d: dilation is 2\n"
        "  20: AdaptiveAvgPool2d: output_size is (None, 2)\n"
        "  21: PReLU: it is of bfloat16\n"
        "  22: ConvTranspose2d: dilation is (2, 2)\n"
        "  23: Conv3d: groups is 2\n"
        "  24: Unflatten: unflattened_size is (2, -1)\n"
        "  25: LayerNorm: it has a weight without a bias\n"
        "  26: MaxPool3d: return_indices is True\n"
        "  27: GRU: its reset gate acts after the recurrent product, that of SeqGRU before it\n"
        "  28: LSTM: bias is False\n"
        "  29: MaxPool1d: SpatialMaxPooling: padW must be at most half of kW = 2, got 2\n"
        "  30: Linear: it has hooks\n"
        "  31: Linear: it has a forward of its own\n"
        "  32: LPPool2d: ceil_mode is True\n"
        "  33: UpsamplingNearest2d: size is (6, 8)\n"
        "  34: Linear: it is on the device meta, where there are no numbers"
    )
    with pytest.raises(DTypeError, match=r"module must be a torch\.nn\.Module, got Linear$"):
        pytorch.from_torch(nn.Linear(1, 1))


# What a torch module becomes, and the shape of its input.
FROM_THERE = {
    "same": (lambda t: t.Conv2d(2, 3, (3, 1), padding="same", dilation=(2, 1)), (2, 2, 5, 4)),
    "valid": (lambda t: t.Conv3d(1, 2, 2, padding="valid", bias=False), (2, 1, 3, 2, 4)),
    "Conv1d": (lambda t: t.Conv1d(2, 3, 3, 2, 1), (4, 2, 6)),
    "Conv1d of one sample": (lambda t: t.Conv1d(2, 3, 2, dilation=2, bias=False), (2, 6)),
    "MaxPool1d": (lambda t: t.MaxPool1d(3, 2, 1), (2, 3, 8)),
    "AvgPool1d": (lambda t: t.AvgPool1d(2, padding=1), (2, 3, 8)),
    "AvgPool3d": (lambda t: t.AvgPool3d(2, 1, 1, ceil_mode=True), (2, 1, 3, 3, 3)),
    "AvgPool2d": (lambda t: t.AvgPool2d(3, 2, 1, True, False), (2, 1, 4, 5)),
    "AdaptiveAvgPool2d": (lambda t: t.AdaptiveAvgPool2d(1), (2, 3, 4, 5)),
    "BatchNorm2d": (lambda t: t.BatchNorm2d(3, momentum=0.25, affine=False).eval(), (2, 3, 2, 2)),
    "LayerNorm": (lambda t: t.LayerNorm(4), (3, 4)),
    "LayerNorm alone": (lambda t: t.LayerNorm(4, elementwise_affine=False), (4,)),
    "Bilinear": (lambda t: t.Bilinear(2, 3, 2, bias=False), [(4, 2), (4, 3)]),
    "Softplus": (lambda t: t.Softplus(2), (3, 4)),
    "Upsample": (lambda t: t.Upsample(scale_factor=(2, 2)), (2, 1, 2, 3)),
    "Upsample to a size": (
        lambda t: t.Upsample(4, mode="bilinear", align_corners=True),
        (2, 1, 2, 3),
    ),
    "Dropout2d": (lambda t: t.Dropout2d(0.25).eval(), (2, 3, 2, 2)),
    "Dropout3d": (lambda t: t.Dropout3d(0.25).eval(), (2, 3, 2, 2, 2)),
    "inplace": (lambda t: t.Sequential(t.Linear(3, 2), t.ReLU(inplace=True)), (4, 3)),
    "Flatten": (
        lambda t: t.Sequential(
            t.Sequential(t.Conv2d(1, 2, 3), t.ReLU(), t.Flatten()),
            t.Dropout(0.5).eval(),
            t.Linear(8, 2),
        ),
        (3, 1, 4, 4),
    ),
    "Flatten before a norm": (lambda t: t.Sequential(t.Flatten(), t.BatchNorm1d(8)), (3, 2, 4)),
    "Unflatten": (lambda t: t.Unflatten(1, (2, 3)), (4, 6)),
    "LPPool2d": (lambda t: t.LPPool2d(2, (2, 3)), (2, 1, 4, 6)),
    "UpsamplingNearest2d": (lambda t: t.UpsamplingNearest2d(scale_factor=2), (2, 1, 2, 3)),
    "LSTM": (lambda t: t.LSTM(3, 2), (4, 5, 3)),
    "LSTM both ways": (lambda t: t.LSTM(3, 2, 2, bidirectional=True), (4, 5, 3)),
    "LSTM both ways, batch first": (
        lambda t: t.LSTM(3, 4, 2, batch_first=True, bidirectional=True, proj_size=2),
        (5, 4, 3),
    ),
    "LSTM of two layers": (
        lambda t: t.LSTM(3, 4, 3, batch_first=True, proj_size=2, dropout=0.5).eval(),
        (5, 4, 3),
    ),
}


@pytest.mark.parametrize("name", FROM_THERE)
def test_from_there(name):
    make, shape = FROM_THERE[name]
    module = make(torch.nn).double()
    net = pytorch.from_torch(module)
    rng = np.random.default_rng(0)
    shapes = shape if isinstance(shape, list) else [shape]
    arrays = [rng.normal(size=one) for one in shapes]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    input = arrays if isinstance(shape, list) else arrays[0]
    output = module(*tensors)
    # An LSTM returns its last state, too.
    output = output[0] if isinstance(output, tuple) else output
    close([net.forward(input)], output.detach().numpy(), 1e-12)
    gradOutput = rng.normal(size=tuple(output.shape))
    output.backward(torch.tensor(gradOutput))
    close(in_order(net.backward(input, gradOutput)), [t.grad.numpy() for t in tensors], 1e-12)
    wanted = as_layers(module, slopes(module.parameters()))
    close(net.parameters()[1], wanted, 1e-12)


MODELS = {
    "resnet": (),
    "resnet_cudnn": (),
    "lenet_training": ("model",),
    "char_rnn_embed": ("protos", "rnn"),
}


@pytest.mark.parametrize("name", MODELS)
def test_torch7s_models_give_torch7s_numbers(name):
    case = case_of(name)
    net = t7.load(golden.DATA / "t7" / f"{name}.t7")
    for key in MODELS[name]:
        net = net[key]
    module = pytorch.to_torch(net.evaluate())

    def cast(table):
        return map_arrays(lambda a: a.astype(net.type()) if a.dtype.kind == "f" else a, table)

    found = in_order(module(tensors_of(cast(golden._fed(case, "input")))))
    found = [tensor.detach().numpy() for tensor in found]
    close(found, cast(case["output_evaluate"]), 1e-5 if net.type() == "float32" else 1e-12)
    assert repr(pytorch.from_torch(module)) == repr(net)


def test_modules_are_exported():
    """What torch.export traces has the same numbers, for a batch of any size."""
    node = nn.Identity()()
    net = nn.Sequential(
        nn.SpatialConvolution(1, 2, 3, 3),
        nn.View(-1).setNumInputDims(3),
        nn.gModule([node], [nn.CAddTable()([node, nn.Tanh()(nn.Linear(8, 8)(node))])]),
        nn.LogSoftMax(),
    )
    module, x = pytorch.to_torch(net), torch.randn(3, 1, 4, 4, dtype=torch.float64)
    batch = ({0: torch.export.Dim("batch")},)
    exported = torch.export.export(module, (x,), dynamic_shapes=batch).module()
    for images in (x, x[:2].repeat(3, 1, 1, 1)):
        assert torch.equal(exported(images), module(images))


ONE_SAMPLE = {
    "BatchNormalization": (lambda: nn.BatchNormalization(3), (3,)),
    "PReLU": (lambda: nn.PReLU(3), (3,)),
    "SpatialBatchNormalization": (lambda: nn.SpatialBatchNormalization(3), (3, 2, 2)),
    "SpatialCrossMapLRN": (lambda: nn.SpatialCrossMapLRN(3), (5, 2, 2)),
    "SpatialUpSamplingBilinear": (lambda: nn.SpatialUpSamplingBilinear(2), (3, 2, 2)),
    "SpatialUpSamplingNearest": (lambda: nn.SpatialUpSamplingNearest(2), (3, 2, 2)),
    "VolumetricBatchNormalization": (lambda: nn.VolumetricBatchNormalization(3), (3, 2, 2, 2)),
}


def test_what_pytorch_takes_in_batches_only_is_said():
    said = {kind.__name__ for kind in KINDS if "one sample: " in says(kind)}
    assert said == ONE_SAMPLE.keys()


@pytest.mark.parametrize("name", ONE_SAMPLE)
def test_one_sample_goes_there_as_a_batch_of_one(name):
    make, shape = ONE_SAMPLE[name]
    net = make().evaluate()
    module, x = pytorch.to_torch(net), np.random.default_rng(0).normal(size=shape)
    output = net.forward(x)
    close([module(torch.tensor(x)[None])[0].detach().numpy()], output, 1e-12)
    try:
        there = module(torch.tensor(x)).detach().numpy()
    except (RuntimeError, ValueError):
        return
    assert there.shape != output.shape or not np.allclose(there, output)


def test_what_is_shared_stays_shared():
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh())
    net.add(net[1])
    net[2].weight, net[2].gradWeight = net[0].weight, net[0].gradWeight
    module = pytorch.to_torch(net)
    assert module[0].weight is module[2].weight
    assert module[4] is module[1]
    assert len(list(module.parameters())) == 3
    back = pytorch.from_torch(module)
    assert back[0].weight is back[2].weight
    assert back[0].gradWeight is back[2].gradWeight
    assert back[4] is back[1]
    lookup = torch.nn.Embedding(4, 3)
    speaking = torch.nn.Linear(3, 4)
    speaking.weight = lookup.weight
    net = pytorch.from_torch(torch.nn.Sequential(lookup, speaking))
    assert net[0].weight is net[1].weight
    assert net[0].gradWeight is net[1].gradWeight


@pytest.mark.parametrize(
    ("make", "first", "name"),
    [
        (lambda t: (t.Conv1d(3, 4, 2), t.Bilinear(3, 2, 4)), "weight", "weight"),
        (lambda t: (t.LayerNorm(3), t.LayerNorm(3)), "weight", "weight"),
        (lambda t: (t.Linear(3, 12), t.LSTM(3, 3)), "bias", "bias_ih_l0"),
        (lambda t: (t.LSTM(3, 3), t.LSTM(3, 3)), "weight_hh_l0", "weight_hh_l0"),
        (lambda t: (t.Conv2d(2, 2, 1), t.Conv2d(2, 2, 1, groups=2)), "bias", "bias"),
    ],
)
def test_what_cannot_be_shared_here_is_named(make, first, name):
    one, other = make(torch.nn)
    setattr(other, name, getattr(one, first))
    with pytest.raises(DTypeError) as caught:
        pytorch.from_torch(torch.nn.Sequential(one, other))
    (line,) = str(caught.value).splitlines()[1:]
    assert line == (
        f"  1: {type(other).__name__}: its {name} is another module's, too, "
        "and they do not share it here"
    )


def test_what_moves_entries_is_not_copied_by_each_forward(monkeypatch):
    module = pytorch.to_torch(nn.Convert("bchw", "bf").float())
    monkeypatch.setattr(nn.Module, "clone", None)
    x = torch.arange(16.0).reshape(2, 2, 2, 2)
    assert torch.equal(module(x), x.flatten(1))
    assert pytorch.from_torch(module).type() == "float32"


def test_what_remembers_its_forward_stands_in_two_places_as_two():
    t = torch.nn
    dropout, relu = t.Dropout(0.25), t.ReLU()
    inside = t.Sequential(t.Linear(2, 2), t.BatchNorm1d(2))
    module = t.Sequential(dropout, relu, inside, dropout, relu, inside).double().eval()
    net = pytorch.from_torch(module)
    assert net[0] is not net[3]
    assert net[3].p == 0.25
    assert net[1] is net[4]
    for name in ("weight", "gradWeight", "bias", "gradBias"):
        assert getattr(net[2][0], name) is getattr(net[5][0], name)
    assert net[2][1].running_var is net[5][1].running_var
    assert len(net.parameters()[0]) == 4
    x = np.arange(6.0).reshape(3, 2)
    close([net.forward(x)], module(torch.tensor(x)).detach().numpy(), 1e-12)


def test_a_layer_that_stands_twice_is_no_tie():
    layer = nn.TemporalConvolution(2, 2, 1)
    net = nn.Sequential(layer, nn.Tanh(), layer)
    module = pytorch.to_torch(net)
    assert module[0] is module[2]
    x = np.ones((3, 2))
    assert np.array_equal(pytorch.from_torch(module).forward(x), net.forward(x))


def test_copies_are_copies():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNormalization(3), nn.Mul())
    module = pytorch.to_torch(net)
    back = pytorch.from_torch(module)
    before = [array.copy() for array in net.parameters()[0]]
    with torch.no_grad():
        for tensor in [*module.parameters(), module[1].running_mean]:
            tensor += 1
    module[2].of.train = False
    assert all(map(np.array_equal, net.parameters()[0], before))
    assert all(map(np.array_equal, back.parameters()[0], before))
    assert not net[1].running_mean.any()
    assert not back[1].running_mean.any()
    assert not any(gradient.any() for gradient in back.parameters()[1])


def test_dtype_and_mode():
    net = nn.Sequential(nn.Linear(2, 3), nn.AddConstant(np.ones(3)), nn.View(3), nn.OneHot(4))
    net.float()
    net[1].evaluate()
    module = pytorch.to_torch(net)
    assert module[0].weight.dtype == torch.float32
    assert [part.training for part in module] == [True, False, True, True]
    assert module[3](torch.tensor([1])).dtype == torch.float32
    back = pytorch.from_torch(module)
    assert [part.type() for part in back] == ["float32"] * 4
    assert [part.train for part in back] == [True, False, True, True]
    back = pytorch.from_torch(module.double())
    assert [part.type() for part in back] == ["float64"] * 4
    assert back[1].constant_scalar.dtype == "float64"
    assert module[3](torch.tensor([1])).dtype == torch.float64


def test_what_is_not_cast_is_not_cast_there():
    net = nn.DontCast(nn.Linear(2, 3), True).float()
    module = pytorch.to_torch(net)
    x = np.ones((1, 2), "float32")
    for output in (module(torch.tensor(x)).detach().numpy(), pytorch.from_torch(module).forward(x)):
        assert output.dtype == "float32"
        assert np.array_equal(output, net.forward(x))
    assert module.inside()[0].weight.dtype == torch.float64


@pytest.mark.parametrize("kind", [nn.Dropout, nn.SpatialDropout, nn.WhiteNoise, nn.RReLU])
def test_what_draws_does_so_in_pytorch(kind):
    """In training there is noise, of the same strength as here."""
    net = kind()
    module = pytorch.to_torch(net)
    x = -np.ones((200, 10, 2, 3))
    torch.manual_seed(0)
    there, here = module(torch.tensor(x)).numpy(), net.forward(x)
    assert abs(there.mean() - here.mean()) < 0.05
    assert abs(there.std() - here.std()) < 0.05
    assert there.std() > 0.02


def test_modules_are_copied_and_pickled():
    x = torch.randn(2, 3, dtype=torch.float64)
    inside = nn.Sequential(nn.ConcatTable(nn.Linear(3, 3), nn.CMul(3)), nn.CAddTable())
    node = nn.Identity()()
    net = nn.Sequential(inside, nn.gModule([node], [nn.CMulTable()([node, nn.Tanh()(node)])]))
    module = pytorch.to_torch(net)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(module(x), other(x))
        assert repr(other) == repr(module)
        assert repr(pytorch.from_torch(other)) == repr(net)


def test_gradients_that_are_not_those_of_the_output():
    """What turns a gradient round, stops it, or adds to it does so there, too."""
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    for layer in (nn.GradientReversal(0.5), nn.ZeroGrad(), nn.L1Penalty(3, False, False)):
        assert pytorch.to_torch(layer)(x.detach()).requires_grad is False
        x.grad = None
        pytorch.to_torch(layer)(x).backward(torch.tensor([1.0, 4.0]))
        wanted = layer.updateGradInput(x.detach().numpy(), np.array([1, 4], "float32"))
        assert np.array_equal(x.grad, wanted)


def test_print_size_prints(capsys):
    pytorch.to_torch(nn.PrintSize("here"))(torch.zeros(2, 3))
    assert capsys.readouterr().out == "here:input\n(2, 3)\n"


# ---------------------------------------------------------------- a training that goes on

OPTIMIZERS = {
    "SGD": (optim.sgd, {"lr": 0.05, "momentum": 0.9, "dampening": 0.1, "weight_decay": 1e-3}),
    "SGD without momentum": (optim.sgd, {"lr": 0.05}),
    "SGD of Nesterov": (optim.sgd, {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "Adam": (optim.adam, {"lr": 0.01, "betas": (0.8, 0.99), "weight_decay": 1e-3}),
}


def recogniser():
    t = torch.nn
    return t.Sequential(
        t.Conv2d(1, 4, 3), t.BatchNorm2d(4), t.Tanh(), t.Flatten(), t.Linear(64, 3)
    ).double()


def images():
    rng = np.random.default_rng(0)
    return rng.normal(size=(12, 1, 6, 6)), np.arange(12) % 3


def train_there(module, optimizer, steps):
    x, y = map(torch.tensor, images())
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_here(net, call, config, state, steps):
    (x, y), criterion = images(), nn.CrossEntropyCriterion()
    parameters, gradients = net.getParameters()

    def opfunc(_):
        gradients.fill(0)
        loss = criterion.forward(net.forward(x), y)
        net.backward(x, criterion.backward(net.output, y))
        return loss, gradients

    return [call(opfunc, parameters, config, state)[1][0] for _ in range(steps)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_goes_on_here_and_there(name):
    """Five steps in PyTorch, ten here, and ten there again have the losses of 25 there."""
    call, settings = OPTIMIZERS[name]

    def optimizer_of(module):
        return getattr(torch.optim, name.split()[0])(module.parameters(), **settings)

    torch.manual_seed(0)
    module = recogniser()
    optimizer = optimizer_of(module)
    train_there(module, optimizer, 5)
    net = pytorch.from_torch(module)
    config, state = pytorch.from_torch_optimizer(optimizer, module)
    expected = train_there(module, optimizer, 20)
    found = train_here(net, call, config, state, 10)
    again = pytorch.to_torch(net)
    optimizer = optimizer_of(again)
    assert pytorch.to_torch_optimizer(net, state, optimizer) is optimizer
    found += train_there(again, optimizer, 10)
    assert expected[0] > 1.5 * expected[-1]
    assert np.abs(np.subtract(found, expected)).max() <= 1e-5


def test_optimizers_that_do_not_fit():
    module = recogniser()
    parameters = list(module.parameters())

    def refused(error, message, call, *arguments):
        with pytest.raises(error) as caught:
            call(*arguments)
        assert str(caught.value) == message

    there, back = pytorch.to_torch_optimizer, pytorch.from_torch_optimizer
    message = "optimizer must be a torch.optim.SGD or a torch.optim.Adam, got AdamW"
    net = pytorch.from_torch(module)
    other = torch.optim.AdamW(parameters)
    refused(DTypeError, f"from_torch_optimizer: {message}", back, other, module)
    refused(DTypeError, f"to_torch_optimizer: {message}", there, net, {}, other)
    message = "from_torch_optimizer: optimizer must improve all parameters of module, in one group"
    for some in (parameters[1:], [{"params": [one]} for one in parameters]):
        refused(StateError, message, back, torch.optim.SGD(some, 0.1), module)
    lstm = torch.nn.LSTM(2, 2)
    message = (
        "from_torch_optimizer: the two biases of an LSTM, each with a step of its own, are one"
    )
    refused(StateError, message, back, torch.optim.SGD(lstm.parameters(), 0.1), lstm)
    for flag in ("maximize", "amsgrad", "decoupled_weight_decay"):
        refused(
            SettingError,
            f"from_torch_optimizer: optimizer's {flag} must be False, got True",
            back,
            torch.optim.Adam(parameters, **{flag: True}),
            module,
        )
    state = {"dfdx": net.getParameters()[0]}
    sgd = torch.optim.SGD(parameters[1:], 0.1)
    message = "to_torch_optimizer: optimizer must improve what to_torch(net) has"
    refused(StateError, message, there, net, state, sgd)
    assert not sgd.state
    message = "to_torch_optimizer: state must be that of net, got (3,) for parameters (243,)"
    refused(StateError, message, there, net, {"dfdx": np.zeros(3)}, sgd)
    message = "to_torch_optimizer: state must be that of optim.{}, got one of {}"
    zeros = np.zeros(243)
    for name, given, kind in (
        ("sgd", {"m": zeros, "v": zeros, "t": 5}, torch.optim.SGD),
        ("adam", {"dfdx": zeros, "evalCounter": 3}, torch.optim.Adam),
        ("adam", {"m": zeros, "tmp": zeros}, torch.optim.Adam),
        ("adam", {"m": zeros, "t": 5}, torch.optim.Adam),
    ):
        optimizer = kind(pytorch.to_torch(net).parameters(), 0.1)
        said = message.format(name, ", ".join(sorted(given)))
        refused(StateError, said, there, net, given, optimizer)
        assert not optimizer.state
    optimizer = torch.optim.SGD(pytorch.to_torch(net).parameters(), 0.1)
    for given in ({"evalCounter": 3}, {"learningRates": zeros, "learningRate": 0.1}):
        assert there(net, given, optimizer) is optimizer


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_fine_tuning_goes_on(name, whole):
    """What is frozen has zeros; the rest goes on with PyTorch's losses."""
    torch.manual_seed(0)
    module = recogniser()
    module[0].requires_grad_(False)
    given = [one for one in module.parameters() if whole or one.requires_grad]
    settings = {"lr": 0.01} | ({"momentum": 0.9} if name == "SGD" else {})
    optimizer = getattr(torch.optim, name)(given, **settings)
    train_there(module, optimizer, 5)
    net = pytorch.from_torch(module)
    config, state = pytorch.from_torch_optimizer(optimizer, module)
    expected = train_there(module, optimizer, 10)
    for key in {"SGD": ["dfdx"], "Adam": ["m", "v"]}[name]:
        assert not state[key][:40].any()
        assert state[key][40:].all()
    method, frozen = getattr(optim, name.lower()), net.getParameters()[0][:40].copy()

    def call(opfunc, parameters, config, state):
        result = method(opfunc, parameters, config, state)
        parameters[:40] = frozen
        return result

    found = train_here(net, call, config, state, 10)
    assert np.abs(np.subtract(found, expected)).max() <= 1e-5


def test_parameters_that_the_optimizer_does_not_know_alike():
    t = torch.nn

    def trained(kind, **settings):
        module = t.Sequential(t.Linear(2, 2), t.Linear(2, 1, bias=False))
        optimizer = kind(module.parameters(), 0.1, **settings)
        for steps, part in ((2, module), (1, module[0])):
            for _ in range(steps):
                optimizer.zero_grad()
                part(torch.ones(1, 2)).sum().backward()
                optimizer.step()
        return optimizer, module

    with pytest.raises(StateError) as caught:
        pytorch.from_torch_optimizer(*trained(torch.optim.Adam))
    assert str(caught.value) == (
        "from_torch_optimizer: optimizer's steps must be as many for all parameters, "
        "got 3 of 0.weight, 3 of 0.bias, 2 of 1.weight\n"
        "  hint: what requires_grad_(False) froze may have had fewer"
    )
    optimizer, module = trained(torch.optim.Adam)
    module[1].requires_grad_(False)
    assert pytorch.from_torch_optimizer(optimizer, module)[1]["t"] == 3
    optimizer, module = trained(torch.optim.SGD, momentum=0.5, dampening=0.1)
    del optimizer.state[module[1].weight]
    with pytest.raises(StateError) as caught:
        pytorch.from_torch_optimizer(optimizer, module)
    assert str(caught.value) == (
        "from_torch_optimizer: optimizer's momentum must be of all parameters, as there is a "
        "dampening, got none of 1.weight"
    )
    fresh = torch.optim.SGD(module.parameters(), 0.1, momentum=0.5)
    assert pytorch.from_torch_optimizer(fresh, module)[1] == {}
