"""What users pass by mistake: the exact message, and that nothing has changed."""

import pickle
import traceback
from pathlib import Path

import cases
import numpy as np
import pytest

import torchlite
from torchlite import nn
from torchlite.errors import (
    DTypeError,
    FormatError,
    SettingError,
    ShapeError,
    StateError,
    TorchliteError,
)
from torchlite.nn import checks, table_checks
from torchlite.nn.container import locate

X = np.ones((5, 3))
G = np.ones((5, 2))


def layer():
    return nn.Linear(3, 2)


# (who, call, error, message)
TABLE = {
    "wrong last dimension": (
        layer,
        lambda m: m.forward(np.ones((5, 4))),
        ShapeError,
        "Linear(3 -> 2).updateOutput: input must be (3,) or (N, 3), got (5, 4)\n"
        "  hint: Linear(4, 2) would fit",
    ),
    "wrong last dimension of one sample": (
        layer,
        lambda m: m.forward(np.ones(4)),
        ShapeError,
        "Linear(3 -> 2).updateOutput: input must be (3,) or (N, 3), got (4,)\n"
        "  hint: Linear(4, 2) would fit",
    ),
    "wrong rank": (
        layer,
        lambda m: m.forward(np.ones((2, 5, 3))),
        ShapeError,
        "Linear(3 -> 2).updateOutput: input must be (3,) or (N, 3), got (2, 5, 3)\n"
        "  hint: nn.Bottle(nn.Linear(...)) takes (2, 5, 3) row by row",
    ),
    "no dimension": (
        layer,
        lambda m: m.forward(np.array(1.0)),
        ShapeError,
        "Linear(3 -> 2).updateOutput: input must be (3,) or (N, 3), got ()\n"
        "  hint: one sample is 1-D, a batch of samples 2-D",
    ),
    "batch mismatch": (
        layer,
        lambda m: m.backward(X, np.ones((4, 2))),
        ShapeError,
        "Linear(3 -> 2).updateGradInput: gradOutput must be (5, 2), got (4, 2)",
    ),
    "batch mismatch in accGradParameters": (
        layer,
        lambda m: m.accGradParameters(X, np.ones((4, 2))),
        ShapeError,
        "Linear(3 -> 2).accGradParameters: gradOutput must be (5, 2), got (4, 2)",
    ),
    "gradOutput that would broadcast": (
        layer,
        lambda m: m.backward(X, np.ones((1, 2))),
        ShapeError,
        "Linear(3 -> 2).updateGradInput: gradOutput must be (5, 2), got (1, 2)\n"
        "  hint: nothing is broadcast here: np.broadcast_to(gradOutput, (5, 2))",
    ),
    "gradOutput that would broadcast in ReLU": (
        nn.ReLU,
        lambda m: m.backward(X, np.ones(3)),
        ShapeError,
        "ReLU.updateGradInput: gradOutput must be (5, 3), got (3,)\n"
        "  hint: nothing is broadcast here: np.broadcast_to(gradOutput, (5, 3))",
    ),
    "integer input": (
        layer,
        lambda m: m.forward(np.ones((5, 3), int)),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be float64, got int64\n"
        "  hint: input.astype('float64'); of ids, nn.LookupTable or nn.OneHot makes numbers to "
        "compute with",
    ),
    "bool input": (
        nn.ReLU,
        lambda m: m.forward(np.ones((5, 3), bool)),
        DTypeError,
        "ReLU.updateOutput: input must be float32, float64, complex64 or complex128, got bool\n"
        "  hint: input.astype('float64')",
    ),
    "object input": (
        layer,
        lambda m: m.forward(X.astype(object)),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be float64, got object\n"
        "  hint: input.astype('float64')",
    ),
    "string input": (
        layer,
        lambda m: m.forward("abc"),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be an array, got str",
    ),
    "array of strings": (
        layer,
        lambda m: m.forward(np.array(["a", "b", "c"])),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be float64, got <U1\n"
        "  hint: input.astype('float64')",
    ),
    "list input": (
        layer,
        lambda m: m.forward([1.0, 2.0, 3.0]),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be an array, got list\n"
        "  hint: np.array(input, dtype='float64')",
    ),
    "None": (
        layer,
        lambda m: m.backward(X, None),
        DTypeError,
        "Linear(3 -> 2).updateGradInput: gradOutput must be an array, got NoneType",
    ),
    "NumPy scalar": (
        nn.ReLU,
        lambda m: m.forward(np.float64(1)),
        DTypeError,
        "ReLU.updateOutput: input must be an array, got float64\n"
        "  hint: np.array(input, dtype='float64')",
    ),
    "matrix": (
        layer,
        lambda m: m.forward(X.view(np.matrix)),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be an array, got matrix\n"
        "  hint: np.asarray(input)",
    ),
    "masked array": (
        layer,
        lambda m: m.forward(np.ma.array(X)),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be an array, got MaskedArray\n"
        "  hint: input.filled(...) says what stands in the masked places",
    ),
    "float32 into float64": (
        layer,
        lambda m: m.forward(X.astype("float32")),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be float64, got float32\n"
        "  hint: input.astype('float64'), or net.type('float32') for the network",
    ),
    "float64 into float32": (
        lambda: layer().float(),
        lambda m: m.forward(X),
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be float32, got float64\n"
        "  hint: input.astype('float32'), or net.type('float64') for the network",
    ),
    "gradOutput of another precision": (
        nn.ReLU,
        lambda m: m.backward(X, X.astype("float32")),
        DTypeError,
        "ReLU.updateGradInput: gradOutput must be float64, got float32\n"
        "  hint: gradOutput.astype('float64')",
    ),
    "half precision": (
        nn.ReLU,
        lambda m: m.forward(X.astype("float16")),
        DTypeError,
        "ReLU.updateOutput: input must be float32, float64, complex64 or complex128, got float16\n"
        "  hint: input.astype('float64')",
    ),
    "complex gradient of real parameters": (
        layer,
        lambda m: m.accGradParameters(X, G.astype(complex)),
        DTypeError,
        "Linear(3 -> 2).accGradParameters: gradOutput must be float64 to add to gradients of "
        "float64, got complex128\n"
        "  hint: clone().type('complex128') has complex gradients",
    ),
    "scale that is a string": (
        layer,
        lambda m: m.backward(X, G, "2"),
        DTypeError,
        "Linear(3 -> 2).backward: scale must be a number, got '2'",
    ),
    "scale that is a bool": (
        layer,
        lambda m: m.accGradParameters(X, G, True),
        DTypeError,
        "Linear(3 -> 2).accGradParameters: scale must be a number, got True",
    ),
    "scale that is an array": (
        layer,
        lambda m: m.accGradParameters(X, G, np.array(2.0)),
        DTypeError,
        "Linear(3 -> 2).accGradParameters: scale must be a number, got ndarray ()\n"
        "  hint: float(scale)",
    ),
    "complex scale": (
        layer,
        lambda m: m.accGradParameters(X, G, 1j),
        DTypeError,
        "Linear(3 -> 2).accGradParameters: scale must be a number, got 1j",
    ),
    "learning rate that is None": (
        layer,
        lambda m: m.updateParameters(None),
        DTypeError,
        "Linear(3 -> 2).updateParameters: learningRate must be a number, got None",
    ),
    "learning rate of backwardUpdate": (
        layer,
        lambda m: m.backwardUpdate(X, G, [1]),
        DTypeError,
        "Linear(3 -> 2).backwardUpdate: lr must be a number, got [1]",
    ),
    "standard deviation": (
        layer,
        lambda m: m.reset("wide"),
        DTypeError,
        "Linear(3 -> 2).reset: stdv must be a number, got 'wide'",
    ),
    "criterion shapes that would broadcast": (
        nn.MSECriterion,
        lambda c: c.forward(np.ones((4, 1)), np.ones(4)),
        ShapeError,
        "MSECriterion.updateOutput: target must be (4, 1) like input, got (4,)\n"
        "  hint: target.reshape(4, 1) has the same entries",
    ),
    "criterion shapes": (
        nn.MSECriterion,
        lambda c: c.backward(np.ones((4, 1)), np.ones((4, 2))),
        ShapeError,
        "MSECriterion.updateGradInput: target must be (4, 1) like input, got (4, 2)",
    ),
    "criterion dtypes": (
        nn.MSECriterion,
        lambda c: c.forward(np.ones(4), np.ones(4, int)),
        DTypeError,
        "MSECriterion.updateOutput: target must be float64 like input, got int64\n"
        "  hint: target.astype('float64')",
    ),
    "criterion without target": (
        nn.MSECriterion,
        lambda c: c.forward(np.ones(4), None),
        DTypeError,
        "MSECriterion.updateOutput: target must be an array, got NoneType",
    ),
    "criterion of a list": (
        nn.MSECriterion,
        lambda c: c.forward([1.0], np.ones(1)),
        DTypeError,
        "MSECriterion.updateOutput: input must be an array, got list\n"
        "  hint: np.array(input, dtype='float64')",
    ),
}


def state(subject):
    return {key: (value, np.copy(value)) for key, value in vars(subject).items()}


@pytest.mark.parametrize("row", TABLE)
def test_message_and_state(row):
    make, call, kind, message = TABLE[row]
    subject = make()
    if isinstance(subject, nn.Linear):
        x = X.astype(subject.type())
        subject.backward(x, subject.forward(x))
    before = state(subject)
    with pytest.raises(kind) as caught:
        call(subject)
    error = caught.value
    assert str(error) == message
    assert error.layer is subject
    assert f".{error.method}: {error.argument} must be {error.expected}" in message
    assert f", got {error.got}" in message
    assert error.hint is None or message.endswith(f"\n  hint: {error.hint}")
    after = state(subject)
    assert after.keys() == before.keys()
    for key, (value, copied) in after.items():
        assert value is before[key][0], key
        assert np.array_equal(copied, before[key][1]), key


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: nn.Linear(2.0, 3),
            DTypeError,
            "Linear: inputSize must be an integer, got 2.0",
        ),
        (
            lambda: nn.Linear(2, "3"),
            DTypeError,
            "Linear: outputSize must be an integer, got '3'",
        ),
        (
            lambda: nn.Linear(True, 3),
            DTypeError,
            "Linear: inputSize must be an integer, got True",
        ),
        (lambda: nn.Linear(2, -3), ShapeError, "Linear: outputSize must be at least 0, got -3"),
    ],
)
def test_sizes(make, kind, message):
    with pytest.raises(kind) as caught:
        make()
    error = caught.value
    assert str(error) == message
    assert message == f"Linear: {error.argument} must be {error.expected}, got {error.got}"
    assert (type(error.layer), error.method) == (nn.Linear, "__init__")
    assert nn.Linear(np.int64(2), np.uint8(3)).weight.shape == (3, 2)


@pytest.mark.parametrize("sizes", [(0, 2), (2, 0), (0, 0)])
def test_sizes_of_zero(sizes):
    layer = nn.Linear(*sizes)
    output = layer.forward(np.ones((4, sizes[0])))
    assert np.array_equal(output, np.broadcast_to(layer.bias, (4, sizes[1])))
    assert layer.backward(np.ones((4, sizes[0])), output).shape == (4, sizes[0])
    assert layer.zeroGradParameters().updateParameters(1) is layer
    assert layer.getParameters()[0].size == sizes[0] * sizes[1] + sizes[1]


def test_standard_deviations_out_of_range():
    for stdv in (-1.0, np.nan, np.inf):
        layer = nn.Linear(2, 2)
        with pytest.raises(SettingError) as caught:
            layer.reset(stdv)
        error = caught.value
        facts = (error.layer, error.method, error.argument, error.expected, error.got)
        assert facts == (layer, "reset", "stdv", "finite and at least 0", str(stdv))
        assert str(error) == (
            f"Linear(2 -> 2).reset: stdv must be finite and at least 0, got {stdv}"
        )


def test_no_plain_value_errors():
    """What is raised elsewhere is caught where it is raised, and becomes a FormatError."""
    plain = {
        path.parent.name
        for path in Path(torchlite.__file__).parent.rglob("*.py")
        if "raise ValueError" in path.read_text()
    }
    assert plain <= {"serial", "stepping"}


# ---------------------------------------------------------------- where it happened


def test_the_way_through_nested_containers():
    net = nn.Sequential(
        nn.Linear(9, 4),
        nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(7, 2)),
    )
    with pytest.raises(ShapeError) as caught:
        net.forward(np.ones((5, 9)))
    shown = "".join(traceback.format_exception_only(caught.value))
    assert shown == (
        "torchlite.errors.ShapeError: "
        "Linear(7 -> 2).updateOutput: input must be (7,) or (N, 7), got (5, 8)\n"
        "  hint: Linear(8, 2) would fit\n"
        "  at [2] of Sequential: input (5, 4) -> [0] Linear(4 -> 8) -> (5, 8) -> [1] ReLU -> "
        "(5, 8) -> [2] here\n"
        "  at [1] of Sequential: input (5, 9) -> [0] Linear(9 -> 4) -> (5, 4) -> [1] here\n"
    )
    error = caught.value
    assert error.path == (1, 2)
    assert error.layer is net[1][2]
    assert (error.method, error.argument) == ("updateOutput", "input")
    assert (error.expected, error.got) == ("(7,) or (N, 7)", "(5, 8)")
    assert error.hint == "Linear(8, 2) would fit"


def test_the_way_back():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    net.forward(np.ones((5, 4)))
    with pytest.raises(ShapeError) as caught:
        net.backward(np.ones((5, 4)), np.ones((5, 3)))
    assert caught.value.__notes__ == ["  at [2] of Sequential: gradOutput (5, 3) -> [2] here"]


def test_a_long_way_is_shortened():
    net = nn.Sequential(*(nn.Linear(2, 2) for _ in range(9)), nn.Linear(3, 2))
    with pytest.raises(ShapeError) as caught:
        net.forward(np.ones((1, 2)))
    (note,) = caught.value.__notes__
    assert note == (
        "  at [9] of Sequential: input (1, 2) -> ... -> [4] Linear(2 -> 2) -> (1, 2) -> "
        "[5] Linear(2 -> 2) -> (1, 2) -> [6] Linear(2 -> 2) -> (1, 2) -> [7] Linear(2 -> 2) -> "
        "(1, 2) -> [8] Linear(2 -> 2) -> (1, 2) -> [9] here"
    )


def test_errors_of_other_layers_are_located_too():
    class Mine(nn.Module):
        def updateOutput(self, input):
            return input.undefined

    with pytest.raises(AttributeError) as caught:
        nn.Sequential(nn.ReLU(), Mine()).forward(X)
    assert caught.value.__notes__ == [
        "  at [1] of Sequential: input (5, 3) -> [0] ReLU -> (5, 3) -> [1] here"
    ]


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (ShapeError, ValueError),
        (DTypeError, TypeError),
        (StateError, RuntimeError),
        (FormatError, ValueError),
        (SettingError, ValueError),
    ],
)
def test_errors_are_pythons_too_and_survive_pickling(kind, builtin):
    error = kind("Linear: no", hint="yes", expected="a", got="b")
    assert isinstance(error, builtin)
    read = pickle.loads(pickle.dumps(error))
    assert str(read) == "Linear: no\n  hint: yes"
    assert (read.expected, read.got, read.hint, read.path) == ("a", "b", "yes", ())


# ---------------------------------------------------------------- layers made of layers


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (
            lambda: nn.LayerNormalization(4),
            (5, 3),
            "LayerNormalization.updateOutput: input must be (4,) or (N, 4), got (5, 3)\n"
            "  hint: LayerNormalization(3) would fit",
        ),
        (
            lambda: nn.LayerNormalization(4, affine=False),
            (3,),
            "LayerNormalization.updateOutput: input must be (4,) or (N, 4), got (3,)\n"
            "  hint: LayerNormalization(3) would fit",
        ),
        (
            lambda: nn.Maxout(4, 3, 2),
            (5, 3),
            "Maxout.updateOutput: input must be (4,) or (N, 4), got (5, 3)",
        ),
        (
            lambda: nn.WeightNorm(nn.Linear(4, 3)),
            (5, 3),
            "WeightNorm @ Linear(4 -> 3).updateOutput: input must be (4,) or (N, 4), got (5, 3)\n"
            "  hint: Linear(3, 3) would fit",
        ),
        (
            lambda: nn.LinearWeightNorm(4, 3),
            (5, 3),
            "LinearWeightNorm(4 -> 3).updateOutput: input must be (4,) or (N, 4), got (5, 3)",
        ),
        (
            lambda: nn.PartialLinear(4, 3),
            (5, 3),
            "PartialLinear(4 -> 3).updateOutput: input must be (4,) or (N, 4), got (5, 3)",
        ),
        (
            lambda: nn.CReLU(2),
            (5,),
            "CReLU().updateOutput: input must be a sample of 2 dimensions or a batch of them, of "
            "3, got (5,)",
        ),
    ],
)
def test_a_layer_made_of_layers_refuses_inputs_by_its_own_name(make, shape, text):
    layer = make()
    with pytest.raises(ShapeError) as caught:
        layer.forward(np.ones(shape))
    assert str(caught.value) == text
    assert caught.value.layer is layer
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(DTypeError, match=f"^{type(layer).__name__}.*: input must be an array"):
        layer.forward([[1.0] * 4] * 5)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nn.LayerNormalization(3), "LayerNormalization"),
        (lambda: nn.LayerNormalization(3, affine=False), "LayerNormalization"),
        (lambda: nn.Maxout(3, 3, 2), "Maxout"),
        (lambda: nn.WeightNorm(nn.Linear(3, 3)), "WeightNorm @ Linear(3 -> 3)"),
        (lambda: nn.LinearWeightNorm(3, 3), "LinearWeightNorm(3 -> 3)"),
    ],
)
@pytest.mark.parametrize("shape", [(5, 3), (3,)])
def test_a_layer_made_of_layers_refuses_gradOutputs_by_its_own_name(make, name, shape):
    layer, x = make(), np.ones(shape)
    layer.forward(x)
    with pytest.raises(ShapeError) as caught:
        layer.backward(x, np.ones((2, 4)))
    assert str(caught.value) == (f"{name}.updateGradInput: gradOutput must be {shape}, got (2, 4)")
    layer.forward(x)
    with pytest.raises(DTypeError) as caught:
        layer.backward(x, np.ones(shape, "float32"))
    assert str(caught.value).startswith(
        f"{name}.updateGradInput: gradOutput must be float64, got float32"
    )
    layer.forward(x)
    layer.updateGradInput(x, np.ones(shape))
    with pytest.raises((ShapeError, StateError)) as caught:
        layer.accGradParameters(x, np.ones((2, 4)))
    assert str(caught.value).startswith(f"{name}.accGradParameters: gradOutput ")


def test_what_goes_wrong_inside_keeps_the_name_of_the_part():
    layer = nn.Maxout(4, 3, 2, nn.Narrow(2, 0, 9))
    with pytest.raises(ShapeError) as caught:
        layer.forward(np.ones((5, 4)))
    assert str(caught.value).startswith("Narrow.updateOutput: ")
    assert "at [2] of Maxout" in caught.value.__notes__[0]


# ---------------------------------------------------------------- settings

SETTINGS = [
    (nn.WhiteNoise, ("a",), DTypeError, "mean must be a number, got 'a'"),
    (nn.LayerNormalization, (3, None), DTypeError, "bias must be a number, got None"),
    (
        nn.LayerNormalization,
        (3, 0, -1),
        SettingError,
        "eps must be finite and at least 0, got -1",
    ),
    (nn.Maxout, (1.5, 2, 2), DTypeError, "inputSize must be an integer, got 1.5"),
    (nn.Maxout, (3, 0, 2), ShapeError, "outputSize must be at least 1, got 0"),
    (nn.Maxout, (3, 2, 0), ShapeError, "maxoutNumber must be at least 1, got 0"),
    (
        nn.BatchNormalization,
        (3, "a"),
        DTypeError,
        "eps must be a number, got 'a'",
    ),
    (
        nn.BatchNormalization,
        (3, None),
        DTypeError,
        "eps must be a number, got None",
    ),
    (
        nn.BatchNormalization,
        (3, -1),
        SettingError,
        "eps must be finite and at least 0, got -1",
    ),
    (
        nn.SpatialBatchNormalization,
        (3, 1e-5, np.nan),
        SettingError,
        "momentum must be from 0 to 1, got nan",
    ),
    (
        nn.BatchNormalization,
        (3, 1e-5, 1.5),
        SettingError,
        "momentum must be from 0 to 1, got 1.5",
    ),
    (
        nn.SpatialBatchNormalization,
        (3, 1e-5, -0.1),
        SettingError,
        "momentum must be from 0 to 1, got -0.1",
    ),
    (
        nn.VolumetricBatchNormalization,
        (3, 1e-5, np.inf),
        SettingError,
        "momentum must be from 0 to 1, got inf",
    ),
    (
        nn.VolumetricBatchNormalization,
        (3, 1e-5, True),
        DTypeError,
        "momentum must be a number, got True",
    ),
    (
        nn.LinearWeightNorm,
        (3, 2, True, "a"),
        DTypeError,
        "eps must be a number, got 'a'",
    ),
    (
        nn.LinearWeightNorm,
        (3, 2, True, np.inf),
        SettingError,
        "eps must be finite and at least 0, got inf",
    ),
    (
        nn.Normalize,
        (2, "a"),
        DTypeError,
        "eps must be a number, got 'a'",
    ),
    (
        nn.FeatureLPPooling,
        (2, 1, "a"),
        DTypeError,
        "power must be a number, got 'a'",
    ),
    (
        nn.SpatialLPPooling,
        (1, "a", 2, 2),
        DTypeError,
        "pnorm must be a number, got 'a'",
    ),
    (
        nn.SpatialLPPooling,
        (1, 2, 0, 2),
        ShapeError,
        "kW must be at least 1, got 0",
    ),
    (
        nn.SpatialLPPooling,
        (1, 2, 2, 2, 1, 1.5),
        DTypeError,
        "dH must be an integer, got 1.5",
    ),
    (
        nn.SpatialSubtractiveNormalization,
        (1, "a"),
        DTypeError,
        "kernel must be real numbers, got <U1",
    ),
    (
        nn.SpatialContrastiveNormalization,
        (0,),
        ShapeError,
        "nInputPlane must be at least 1, got 0",
    ),
    (
        nn.SpatialContrastiveNormalization,
        (1, np.ones((2, 3))),
        ShapeError,
        "kernel must be (k,) or (kH, kW) of odd sizes, got (2, 3)",
    ),
    (
        nn.SpatialContrastiveNormalization,
        (1, None, -1),
        SettingError,
        "threshold must be at least 0, got -1",
    ),
    (
        nn.SpatialContrastiveNormalization,
        (1, None, 1, "a"),
        DTypeError,
        "thresval must be a number, got 'a'",
    ),
]


@pytest.mark.parametrize(
    ("cls", "arguments", "kind", "message"), SETTINGS, ids=[row[3][:30] for row in SETTINGS]
)
def test_settings_are_refused_in_the_name_of_the_class(cls, arguments, kind, message):
    with pytest.raises(kind) as raised:
        cls(*arguments)
    assert str(raised.value) == f"{cls.__name__}: {message}"


# ---------------------------------------------------------------- images that are too small

# Where the positions of an image are.
POSITIONS = {"Temporal": {-2}, "Spatial": {-1, -2}, "Volumetric": {-1, -2, -3}}
IMAGES = [
    (case, case.draw(np.random.default_rng(0)))
    for chapter, case in cases.rows()
    if chapter in ("convolution", "pooling", "normalization", "resampling")
]
IMAGES = [(case, x) for case, x in IMAGES if isinstance(x, np.ndarray) and x.dtype.kind == "f"]


@pytest.mark.parametrize(("case", "images"), IMAGES, ids=[case.id for case, _ in IMAGES])
def test_what_is_too_small_is_refused_with_its_sizes_or_computed(case, images):
    kind = type(case.make()).__name__
    positions = next((POSITIONS[name] for name in POSITIONS if kind.startswith(name)), set())
    for axis in range(-images.ndim, 0):
        for size in range(images.shape[axis]):
            small = np.ascontiguousarray(images.take(range(size), axis))
            layer = case.make()
            try:
                output = layer.updateOutput(small)
            except ShapeError as error:
                text = str(error).split("\n")[0]
                assert ".updateOutput: input must be " in text
                assert text.endswith(f", got {small.shape}")
                assert not layer.output.size
                continue
            assert layer.updateGradInput(small, np.ones_like(output)).shape == small.shape
            # An image without entries has no windows, whatever its padding.
            assert size or axis not in positions or kind.endswith("BatchNormalization")


@pytest.mark.parametrize(
    ("n", "shape", "hint"),
    [
        (1, (4,), "input.reshape(-1, 1) is a batch, one number a sample"),
        (3, (3, 5), "input.T has a sample in each row"),
        (6, (2, 3, 2), "input.reshape(2, 6), or nn.View(6) before this layer"),
        (3, (2, 4, 3), "nn.Bottle(nn.Linear(...)) takes (2, 4, 3) row by row"),
        (6, (2, 3), "input.reshape(6) is one sample"),
        (5, (3,), "Linear(3, 2) would fit"),
        (5, (2, 3), "Linear(3, 2) would fit"),
        (5, (2, 3, 4), "Linear(12, 2) would fit input.reshape(2, 12)"),
        (1, (5, 4), "Linear(4, 2) would fit"),
        (5, (), "one sample is 1-D, a batch of samples 2-D"),
    ],
)
def test_what_would_fit_a_linear_layer(n, shape, hint):
    assert checks.rows_hint(nn.Linear(n, 2), np.ones(shape), n) == hint


def test_what_would_fit_others():
    rank = "one sample is 1-D, a batch of samples 2-D"
    for shape, hint in (((3,), None), ((2, 3), None), ((2, 3, 4), rank), ((2, 3, 4, 5), rank)):
        assert checks.rows_hint(nn.Identity(), np.ones(shape), 7) == hint
    # A criterion cannot be wrapped.
    for shape, n in (((2, 3, 2), 6), ((2, 4, 3), 3)):
        assert checks.rows_hint(nn.MSECriterion(), np.ones(shape), n) == rank
    moved = "np.moveaxis(input, -1, -3) has the planes before the pixels"
    for shape, hint in (
        ((4, 3), None), ((5, 4, 3), moved), ((6, 5, 4, 3), moved), ((7, 6, 5, 4, 3), None),
        ((3, 5, 4), None),
    ):  # fmt: skip
        assert checks.planes_hint(np.ones(shape), 3, 2) == hint


def facts(call):
    with pytest.raises(TorchliteError) as caught:
        call()
    error = caught.value
    return type(error), error.method, error.argument, error.expected, error.got


def test_facts_of_errors():
    assert facts(lambda: nn.Select(3, 0).forward(X)) == (
        ShapeError, "updateOutput", "input", "dimension 3", "(5, 3)"
    )  # fmt: skip
    assert facts(lambda: nn.Sequential(layer()).backward(X, G)) == (
        StateError, "updateGradInput", "input", "a forward before", "(5, 3)"
    )  # fmt: skip
    for value in (0, -1, np.inf, np.nan):
        assert facts(lambda value=value: nn.WhiteNoise(0, value)) == (
            SettingError, "__init__", "std", "positive and finite", str(value)
        )  # fmt: skip


def test_a_place_without_a_story():
    error = ValueError()
    locate(error, nn.Concat(0), 2)
    locate(error, nn.Sequential(), 1, "input -> here")
    assert error.__notes__ == ["  at [2] of Concat", "  at [1] of Sequential: input -> here"]


def deep(levels):
    net = nn.Sequential()
    for _ in range(levels - 1):
        net = nn.Sequential(net)
    return net


def test_facts_of_errors_of_containers():
    dropout = nn.Dropout()
    net = nn.Sequential(dropout)
    assert facts(lambda: net.add(dropout)) == (StateError, "add", "module", None, None)
    assert facts(lambda: nn.Sequential().insert(deep(100), 0)) == (
        StateError, "insert", "modules", "at most 100 deep inside one another", "more"
    )  # fmt: skip
    assert len(nn.Sequential().add(deep(99))) == 1
    with pytest.raises(DTypeError) as caught:
        net.remove("a")
    assert str(caught.value) == "Sequential.remove: index must be an integer, got 'a'"
    assert caught.value.layer is net
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    other.weight = one.weight
    net = nn.Sequential(one, other)
    with pytest.raises(StateError) as caught:
        net.getParameters()
    assert (caught.value.layer, caught.value.method) == (net, "getParameters")
    assert caught.value.hint == (
        "clone('weight', 'bias', 'gradWeight', 'gradBias') shares all of them"
    )


@pytest.mark.parametrize("kind", ["Linera", "RReLUU", "SpatialConvolutionM"])
def test_names_of_classes_that_are_almost_right(kind):
    meant = {"Linera": "Linear", "RReLUU": "RReLU"}.get(kind, "SpatialConvolutionMM")
    with pytest.raises(SettingError) as caught:
        nn.Sequential().findModules(kind)
    assert caught.value.hint == f"{meant!r}?"


def test_criterions_without_formulas_and_with_too_much():
    one = np.ones(1)
    for method, name in (("forward", "updateOutput"), ("backward", "updateGradInput")):
        with pytest.raises(NotImplementedError, match=f"^Criterion does not define {name}$"):
            getattr(nn.Criterion(), method)(one, one)
    for method, hint in (
        ("forward", "forward([a, b], target)"),
        ("backward", "backward([a, b], target)"),
    ):
        call = getattr(nn.MSECriterion(), method)
        with pytest.raises(DTypeError) as caught:
            call(one, one, one)
        assert str(caught.value) == (
            f"MSECriterion.{method}: input must be one array or one table, got 2 of them\n"
            f"  hint: {hint}"
        )


def test_what_a_cast_may_not_lose():
    net = nn.Sequential(layer().type("complex64"))
    with pytest.raises(DTypeError) as caught:
        net.double()
    assert str(caught.value) == (
        "Sequential.type: complex64 cannot become float64 without losing imaginary parts\n"
        "  hint: keep the real network and cast a clone"
    )
    assert facts(net.double) == (
        DTypeError, "type", "dtype", "complex64 or complex128", "float64"
    )  # fmt: skip


def test_a_tuple_of_arrays_alone_is_cast():
    net = nn.ReLU()
    net.held = (np.ones(1), (np.ones(1), np.ones(1)))
    net.float()
    assert [array.dtype for array in (net.held[0], *net.held[1])] == [np.float32] * 3


@pytest.mark.parametrize(("value", "got"), [(3, "int"), ({"a": X}, "{a: (5, 3)}")])
def test_the_keys_that_a_table_must_have_are_named(value, got):
    with pytest.raises(TorchliteError) as caught:
        table_checks.must_have_keys(nn.Identity(), "updateOutput", "input", value, ["a", "b"])
    assert str(caught.value) == (
        f"Identity.updateOutput: input must be a dict with 'a', 'b', got {got}"
    )


def test_facts_of_errors_of_checks():
    identity = nn.Identity()
    assert facts(lambda: checks.must_be_movable(identity, "forward", "input", np.array(1.0)))[
        0
    ] is (ShapeError)
    with pytest.raises(DTypeError) as caught:
        checks.must_be_movable(identity, "forward", "input", np.array(["a"]))
    assert caught.value.hint == "input.astype('float64')"
    with pytest.raises(DTypeError) as caught:
        checks.must_be_array(identity, "forward", "input", identity())
    assert caught.value.hint == ("a node is what a module is called with: nn.Identity(...)(node)")
    net = layer().type("complex64")
    for scale in ("1", "x"):
        assert facts(lambda scale=scale: checks.number(net, "backward", "scale", scale))[:3] == (
            DTypeError, "backward", "scale"
        )  # fmt: skip
    assert checks.number(net, "backward", "scale", np.complex64(2j)) == 2j
    assert nn.HardShrink(0).lambda_ == 0
    assert facts(lambda: nn.HardShrink(-1)) == (
        SettingError, "__init__", "lambda_", "at least 0", "-1"
    )  # fmt: skip
