"""Names that people bring from Torch7, PyTorch and Keras: what they are told instead."""

import copy
import pickle
import pydoc
import subprocess
import sys
import traceback

import numpy as np
import pytest

import torchlite
from torchlite import nn, optim
from torchlite.elsewhere import METHODS, NAMES, OF_NETWORKS, TORCH7, Absent

TRAIN = "nn.StochasticGradient(net, criterion).train(dataset), or a loop with torchlite.optim"
ARRAYS = "arrays are NumPy's: np.array, np.zeros, np.ones ..."


@pytest.mark.parametrize(
    ("module", "name", "hint"),
    [
        (nn, "MSELoss", "nn.MSECriterion"),
        (nn, "CrossEntropyLoss", "nn.CrossEntropyCriterion"),
        (nn, "NLLLoss", "nn.ClassNLLCriterion"),
        (nn, "L1Loss", "nn.AbsCriterion"),
        (nn, "HuberLoss", "nn.SmoothL1Criterion"),
        (nn, "SmoothL1Loss", "nn.SmoothL1Criterion"),
        (nn, "BCEWithLogitsLoss", "nn.MultiLabelSoftMarginCriterion"),
        (nn, "KLDivLoss", "nn.DistKLDivCriterion"),
        (nn, "TripletMarginLoss", "not there, nor in Torch7"),
        (nn, "Softmax", "nn.SoftMax"),
        (nn, "LogSoftmax", "nn.LogSoftMax"),
        (nn, "Softplus", "nn.SoftPlus"),
        (nn, "Hardtanh", "nn.HardTanh"),
        (nn, "GELU", "not there, nor in Torch7"),
        (nn, "linear", "nn.Linear"),
        (nn, "Dense", "nn.Linear"),
        (nn, "Embedding", "nn.LookupTable"),
        (nn, "BatchNorm1d", "nn.BatchNormalization"),
        (nn, "LayerNorm", "nn.LayerNormalization"),
        (nn, "Flatten", "nn.View(n).setNumInputDims(3) of images, n being the entries of a sample"),
        (
            nn,
            "Upsample",
            "nn.UpSampling(scale); its mode 'linear' is theirs with align_corners=True alone",
        ),
        (
            nn,
            "AvgPool2d",
            "nn.SpatialAveragePooling(k, k, k, k): windows are 1 apart if nothing is said",
        ),
        (
            nn,
            "AveragePooling2D",
            "nn.SpatialAveragePooling(k, k, k, k): windows are 1 apart if nothing is said",
        ),
        (nn, "AvgPool1d", "nn.SpatialAveragePooling(k, 1, k, 1) on (N, C, 1, L)"),
        (nn, "LPPool1d", "nn.SpatialLPPooling(n, p, k, 1) on (N, C, 1, L)"),
        (nn, "AdaptiveAvgPool1d", "nn.SpatialAdaptiveAveragePooling(n, 1) on (N, C, 1, L)"),
        (nn, "AdaptiveMaxPool1d", "nn.SpatialAdaptiveMaxPooling(n, 1) on (N, C, 1, L)"),
        (nn, "ConvTranspose1d", "nn.SpatialFullConvolution(n, m, k, 1) on (N, C, 1, L)"),
        (
            nn,
            "MaxUnpool1d",
            "nn.SpatialMaxUnpooling(pool), pool being nn.SpatialMaxPooling(k, 1) on (N, C, 1, L)",
        ),
        (nn, "ReflectionPad1d", "nn.SpatialReflectionPadding(l, r, 0, 0) on (N, C, 1, L)"),
        (nn, "ReplicationPad1d", "nn.SpatialReplicationPadding(l, r, 0, 0) on (N, C, 1, L)"),
        (nn, "ConstantPad1d", "nn.Padding(dim, pad, nInputDim, value), one side at a time"),
        (
            nn,
            "ConstantPad2d",
            "nn.SpatialZeroPadding(l, r, t, b) with zeros; else "
            "nn.Padding(dim, pad, nInputDim, value), one side at a time",
        ),
        (nn, "FractionalMaxPool3d", "nn.VolumetricFractionalMaxPooling"),
        (nn, "PixelUnshuffle", "not there, nor in Torch7"),
        (nn, "Unfold", "not there, nor in Torch7"),
        (
            nn,
            "EmbeddingBag",
            "nn.Sequential(nn.LookupTable(n, m), nn.Mean(0, 2)), or nn.Sum, nn.Max",
        ),
        (nn.init, "kaiming_normal_", "nn.init.kaiming(layer, gain='relu')"),
        (nn.init, "zeros_", "nn.init.constant(layer, 'bias', 0)"),
        (nn.init, "calculate_gain", "nn.init.gain(name), where leaky_relu is 'lrelu'"),
        (nn.init, "he_normal", "nn.init.kaiming(layer, gain='relu', dist='truncated')"),
        (nn.init, "Truncated_Normal", "nn.init.truncated_normal"),
        (nn.init, "no_such_rule", None),
        (nn, "Concatenate", "nn.JoinTable"),
        (nn, "TimeDistributed", "nn.Bottle"),
        (nn, "ModuleList", "a list of modules as an attribute"),
        (nn, "functional", "layers are called: nn.ReLU().forward(x)"),
        (nn, "NoSuchLayer", None),
        (torchlite, "MSELoss", "nn.MSECriterion"),
        (torchlite, "tensor", ARRAYS),
        (torchlite, "randn", "torchlite.random.normal(size=shape)"),
        (torchlite, "no_grad", "nothing to do: only backward computes gradients"),
        (torchlite, "manual_seed", "torchlite.manualSeed(seed)"),
        (torchlite, "setnumthreads", "torchlite.threads(n)"),
        (torchlite, "get_num_threads", "torchlite.threads()"),
        (torchlite, "save", "torchlite.serial.save(path, net)"),
        (torchlite, "nothing_of_the_kind", None),
        (optim, "Adam", "optim.adam, a function"),
        (optim, "SGD", "optim.sgd, a function"),
        (optim, "RMSprop", "optim.rmsprop, a function"),
        (optim, "LBFGS", "optim.lbfgs, a function"),
        (optim, "Logger_", "optim.Logger"),
        (optim, "AdamW", "optim.adam, whose weightDecay is added to the gradient"),
        (optim, "clip_grad_norm_", "optim.clip_by_norm(gradParameters, max_norm)"),
        (
            optim,
            "lr_scheduler",
            'config["learningRateDecay"], or set config["learningRate"] between calls',
        ),
        (optim, "Linear", None),
    ],
)
def test_a_name_of_a_module(module, name, hint):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    message = f"module {module.__name__!r} has no attribute {name!r}"
    assert str(caught.value) == (f"{message}\n  hint: {hint}" if hint else message)
    assert not hint or as_printed(caught.value) == f"AttributeError: {message}\n  hint: {hint}\n"
    assert not hasattr(module, name)
    with pytest.raises(ImportError) as caught:
        exec(f"from {module.__name__} import {name}", {})
    if hint:
        said = f"cannot import name {name!r} from {module.__name__!r}\n  hint: {hint}"
        assert str(caught.value) == said
        assert as_printed(caught.value) == f"ImportError: {said}\n"


@pytest.mark.parametrize("module", [nn, torchlite])
@pytest.mark.parametrize("name", sorted(TORCH7))
def test_every_class_of_torch7_is_there(module, name):
    assert getattr(module, name) is getattr(nn, name)


def as_printed(error):
    """Without a guess of Python's behind the hint."""
    assert getattr(error, "obj", None) is None
    return "".join(traceback.format_exception_only(error))


def test_no_name_is_taken_from_what_is_there():
    for module in (nn, nn.init, optim, torchlite):
        there = {name.lower() for name in module.__all__}
        assert not there & {name.lower() for name in NAMES[module.__name__]}
    for name in nn.__all__:
        for kind in getattr(nn, name).__mro__[:-1]:
            if kind.__module__ != "torchlite.nn.stateful":
                own = METHODS.keys() & vars(kind).keys()
                assert all(isinstance(vars(kind)[name], Absent) for name in own), kind


def test_what_is_named_is_there():
    for text in NAMES["torchlite.nn"].values():
        assert text in TORCH7 or not text.isidentifier(), text
    for text in METHODS.values():
        name = text.partition("(")[0]
        if "(" in text and name.isidentifier():
            assert hasattr(nn.Sequential, name), text


def called(text):
    """Return the call that a hint begins with, or None."""
    for end in reversed([at + 1 for at, sign in enumerate(text) if sign == ")"]):
        try:
            return compile(text[:end], text, "eval") if text.startswith("nn.") else None
        except SyntaxError:
            pass
    return None


def test_what_hints_call_can_be_called():
    names = dict.fromkeys(["n", "m", "k", "p", "scale", "inputsize", "outputsize"], 3)
    names |= dict.fromkeys(["l", "r", "t", "b", "dim", "pad", "value", "stdv"], 1)
    names |= {"a": -1, "mean": 0, "nInputDim": 2, "share": 0.5, "name": "relu", "x": np.ones(3)}
    names |= {"nn": nn, "layer": nn.Linear(3, 3), "pool": nn.SpatialMaxPooling(3, 1)}
    hints = [NAMES[module].values() for module in ("torchlite.nn", "torchlite.nn.init")]
    calls = [call for texts in hints for text in texts if (call := called(text))]
    assert len(calls) > 30
    for call in calls:
        eval(call, dict(names))


@pytest.mark.parametrize(
    "name", ["kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"]
)
def test_first_weights_are_as_large_as_pytorchs(name):
    torch = pytest.importorskip("torch")
    layer, tensor = nn.Linear(300, 200), torch.empty(200, 300)
    eval(NAMES["torchlite.nn.init"][name], {"nn": nn, "layer": layer})
    getattr(torch.nn.init, name)(tensor)
    assert layer.weight.std() == pytest.approx(tensor.std().item(), rel=0.02)


METHOD_HINTS = [
    ("zero_grad", "zeroGradParameters()"),
    ("eval", "evaluate()"),
    ("half", "float(): float32 is the smallest"),
    ("to", "type(dtype), float() or double() change the dtype; cuda() and cpu() move"),
    (
        "state_dict",
        "torchlite.interop.pytorch.state_dict(net), or torchlite.serial.save(path, net)",
    ),
    ("load_state_dict", "torchlite.interop.pytorch.load_state_dict(net, state)"),
    ("named_parameters", "parameters(), which returns a list of arrays and one of gradients"),
    ("append", "add(module)"),
    ("fit", TRAIN),
    ("predict", "evaluate(), then forward(input)"),
]


@pytest.mark.parametrize(("name", "hint"), METHOD_HINTS)
@pytest.mark.parametrize(
    "make", [lambda: nn.Linear(2, 2), nn.Sequential, nn.MSECriterion, lambda: Fresh()]
)
def test_a_method_of_a_layer(make, name, hint):
    layer = make()
    kind = type(layer).__name__
    if isinstance(layer, nn.Criterion) and name in OF_NETWORKS:
        hint = f"of the network: {hint}"
    with pytest.raises(AttributeError) as caught:
        getattr(layer, name)
    assert str(caught.value) == f"{kind!r} object has no attribute {name!r}\n  hint: {hint}"
    assert as_printed(caught.value) == f"AttributeError: {caught.value}\n"
    with pytest.raises(AttributeError) as caught:
        getattr(type(layer), name)
    assert str(caught.value) == f"type object {kind!r} has no attribute {name!r}\n  hint: {hint}"
    assert not hasattr(layer, name)
    assert not hasattr(type(layer), name)
    assert getattr(layer, name, "none") == "none"
    assert name not in dir(layer)


class Fresh(nn.Module):
    pass


class Estimator:
    def fit(self):
        return "fitted"


class Own(nn.Sequential, Estimator):
    eval = "an attribute of the class"

    @property
    def predict(self):
        return "predicted"


def test_whoever_has_the_name_keeps_it():
    net = Own()
    net.half = 3
    assert (net.fit(), net.eval, net.predict, net.half) == (
        "fitted", "an attribute of the class", "predicted", 3,
    )  # fmt: skip
    assert {"fit", "eval", "predict", "half"} <= set(dir(net))
    assert hasattr(Own, "fit")
    for copied in (
        copy.copy(net),
        copy.deepcopy(net),
        net.clone(),
        pickle.loads(pickle.dumps(net)),
    ):
        assert copied.half == 3
    del net.half
    assert not hasattr(net, "half")


def test_a_getattr_of_the_users_own_is_asked():
    class Wrapper(nn.Module):
        def __getattr__(self, name):
            return f"the other's {name}"

    assert Wrapper().state_dict == "the other's state_dict"


def test_help_says_it_too():
    said = pydoc.plain(pydoc.render_doc(nn.Module))
    assert "zero_grad\n |      Not there: zeroGradParameters()\n" in said


def test_copies_and_pickles_see_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    for copied in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert not METHODS.keys() & vars(copied).keys()
        assert np.array_equal(copied[0].weight, net[0].weight)


def test_attributes_that_are_there_cost_what_they_did():
    """A `__getattr__` would cost every look-up, on Python 3.11."""
    for name in nn.__all__:
        for kind in getattr(nn, name).__mro__[:-1]:
            assert "__getattr__" not in vars(kind)
            assert "__getattribute__" not in vars(kind)


def test_parts_load_when_they_are_named():
    code = "import torchlite, sys; torchlite.serial; assert 'torchlite.serial' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
