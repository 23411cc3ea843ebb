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
        (nn, "Flatten", "nn.View(n), n being the number of entries of a sample"),
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
    for module in (nn, optim, torchlite):
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
