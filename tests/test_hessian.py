"""nn.hessian: Torch7's numbers, and exact second derivatives where the rules are exact."""

import golden
import numpy as np
import pytest

import torchlite
from torchlite import nn, random
from torchlite.errors import DTypeError, ShapeError, StateError
from torchlite.nn import hessian

CASES = {case["id"]: case for case in golden.cases("hessian")}
UNDEFINED = "{0}.{1} is undefined\n  hint: nn.hessian.{2}.register({0}) takes in a function for it"
UPDATE, ACC = "updateDiagHessianInput", "accDiagHessianParameters"


def close(got, expected, rtol=1e-14):
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    return np.allclose(got, expected, rtol=rtol, atol=rtol * abs(expected).max(initial=0))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_numbers_of_torch7(case):
    part = golden.build({**case, "params": case.get("params") or {}, "dtype": "float64"})
    if case["kind"] == "hessian_criterion":
        found = hessian.updateDiagHessianInput(part, case["input"], case["target"])
        assert close(found, case["diagHessianInput"])
        assert found is part.diagHessianInput
        return
    assert close(part.forward(case["input"]), case["output"])
    part.backward(case["input"], case["gradOutput"])
    gradients = [gradient.copy() for gradient in part.parameters()[1]]
    hessian.initDiagHessianParameters(part)
    above = case["diagHessianOutput"].copy()
    found = hessian.updateDiagHessianInput(part, case["input"], above)
    assert close(found, case["diagHessianInput"])
    assert found is part.diagHessianInput
    hessian.accDiagHessianParameters(part, case["input"], above)
    hessian.accDiagHessianParameters(part, case["input"], above, -0.5)
    assert part.diagHessianInput.shape == found.shape
    expected = case.get("diagHessianParams", {})
    for path, values in expected.items():
        *places, name = path.split(".")
        layer = part[int(places[1])] if places else part
        assert close(getattr(layer, f"diagHessian{name.capitalize()}"), 0.5 * values, 1e-13)
    assert len(expected) == len(part.parameters()[0])
    # Nothing else has changed.
    assert np.array_equal(above, case["diagHessianOutput"])
    for gradient, before in zip(part.parameters()[1], gradients, strict=True):
        assert np.array_equal(gradient, before)


def second_derivatives(function, array):
    """Return f(x + 1) - 2 f(x) + f(x - 1) of every entry: exact for parabolas."""
    found = np.empty_like(array)
    for index in np.ndindex(*array.shape):
        kept = array[index]
        losses = []
        for step in (1, 0, -1):
            array[index] = kept + step
            losses.append(function())
        array[index] = kept
        found[index] = losses[0] - 2 * losses[1] + losses[2]
    return found


TABLE = [[0, 0], [1, 0], [1, 2], [0, 1]]
EXACT = {
    "Linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "no bias": (lambda: nn.Linear(3, 2, False), (4, 3)),
    "one sample": (lambda: nn.Linear(3, 2), (3,)),
    "SpatialConvolution": (lambda: nn.SpatialConvolution(2, 3, 2, 3, 2, 1, 1), (2, 2, 4, 5)),
    "one image": (lambda: nn.SpatialConvolution(2, 3, 2, 3), (2, 4, 5)),
    "SpatialDilatedConvolution": (
        lambda: nn.SpatialDilatedConvolution(2, 3, 2, 2, 1, 1, 1, 1, 2, 2), (2, 2, 3, 3),
    ),
    "SpatialConvolutionMM": (lambda: nn.SpatialConvolutionMM(2, 3, 2, 2), (2, 2, 3, 4)),
    "SpatialConvolutionLocal": (
        lambda: nn.SpatialConvolutionLocal(2, 2, 4, 3, 2, 2), (2, 2, 3, 4),
    ),
    "SpatialConvolutionMap": (lambda: nn.SpatialConvolutionMap(TABLE, 2, 2), (2, 2, 3, 4)),
    "SpatialFullConvolution": (
        lambda: nn.SpatialFullConvolution(2, 3, 3, 2, 2, 2, 1, 0, 1, 1), (2, 2, 2, 3),
    ),
    "SpatialFullConvolutionMap": (
        lambda: nn.SpatialFullConvolutionMap(TABLE, 2, 2, 2), (2, 2, 2, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("averaged", [True, False])
@pytest.mark.parametrize(("make", "shape"), EXACT.values(), ids=EXACT.keys())
def test_exact_for_sums_of_products(make, shape, averaged):
    random.manualSeed(1)
    layer, criterion = make(), nn.MSECriterion(averaged)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    target = rng.standard_normal(layer.forward(x).shape)

    def loss():
        return criterion.forward(layer.forward(x), target)

    above = hessian.updateDiagHessianInput(criterion, layer.forward(x), target)
    assert close(
        hessian.updateDiagHessianInput(layer, x, above), second_derivatives(loss, x), 1e-12
    )
    hessian.accDiagHessianParameters(layer, x, above)
    names = ["Weight"] if layer.bias is None else ["Weight", "Bias"]
    for name, parameter in zip(names, layer.parameters()[0], strict=True):
        held = getattr(layer, f"diagHessian{name}")
        assert close(held, second_derivatives(loss, parameter), 1e-12)


def test_exact_for_a_linear_before_the_last_layer():
    random.manualSeed(2)
    last = nn.SpatialConvolution(2, 2, 2, 2)
    net = nn.Sequential(nn.Linear(5, 18), nn.Sequential(nn.Reshape(2, 3, 3), last))
    criterion = nn.WeightedMSECriterion(np.full((2, 2, 2), 3.0))
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((2, 5)), rng.standard_normal((2, 2, 2, 2))

    def loss():
        return criterion.forward(net.forward(x), target)

    above = hessian.updateDiagHessianInput(criterion, net.forward(x), target)
    hessian.initDiagHessianParameters(net)
    hessian.accDiagHessianParameters(net, x, above)
    for layer in (net[0], last):
        assert close(layer.diagHessianWeight, second_derivatives(loss, layer.weight), 1e-12)
        assert close(layer.diagHessianBias, second_derivatives(loss, layer.bias), 1e-12)


@pytest.mark.parametrize(
    ("layer", "slope"),
    [
        (nn.Tanh(), lambda x: 1 - np.tanh(x) ** 2),
        (nn.TanhShrink(), lambda x: np.tanh(x) ** 2),
        (nn.Square(), lambda x: 2 * x),
        (nn.Sqrt(), lambda x: 0.5 / np.sqrt(x)),
    ],
)
def test_functions_of_entries(layer, slope):
    x = np.array([[0.25, 1.0, 2.0], [0.5, 3.0, 1.5]])
    above = np.array([[1.0, 2.0, 0.5], [4.0, 0.25, 0.0]])
    layer.gradInput = None
    found = hessian.updateDiagHessianInput(layer, x, above)
    assert close(found, slope(x) ** 2 * above, 1e-13)
    assert layer.gradInput is None
    assert hessian.accDiagHessianParameters(layer, x, above) is None
    assert hessian.initDiagHessianParameters(layer) is None


def test_criterions():
    x, y = np.array([[1.0, 0.0], [-2.0, 3.0]]), np.zeros((2, 2))
    for criterion, expected in (
        (nn.MSECriterion(), [[0.5, 0.5], [0.5, 0.5]]),
        (nn.MSECriterion(False), [[2, 2], [2, 2]]),
        (nn.WeightedMSECriterion(np.array([3.0, 4.0])), [[0.5, 0.5], [0.5, 0.5]]),
        (nn.L1Cost(), [[1, 0], [1, 1]]),
        (nn.L1Cost(True), [[0.25, 0], [0.25, 0.25]]),
    ):
        found = hessian.updateDiagHessianInput(criterion, x, y)
        assert found.tolist() == expected
        assert criterion.diagHessianInput is found
        single = hessian.updateDiagHessianInput(criterion.float(), np.float32(x), np.float32(y))
        assert single.dtype == "float32"
    assert hessian.updateDiagHessianInput(nn.L1Cost(), x).tolist() == [[1, 0], [1, 1]]
    assert hessian.updateDiagHessianInput(nn.MSECriterion(), x[:0], y[:0]).shape == (0, 2)


def test_a_table_for_a_full_convolution():
    layer = nn.SpatialFullConvolution(2, 3, 3, 3, 2, 2)
    x = np.random.default_rng(0).standard_normal((1, 2, 2, 2))
    above = np.ones((1, 3, 6, 6))
    table = [x, np.zeros((1, 1, 6, 6))]
    found = hessian.updateDiagHessianInput(layer, table, above)
    hessian.accDiagHessianParameters(layer, table, above)
    other = nn.SpatialFullConvolution(2, 3, 3, 3, 2, 2, 0, 0, 1, 1)
    other.weight, other.bias = layer.weight, layer.bias
    assert np.array_equal(found[0], hessian.updateDiagHessianInput(other, x, above))
    hessian.accDiagHessianParameters(other, x, above)
    assert np.array_equal(layer.diagHessianWeight, other.diagHessianWeight)


def test_arrays_keep_their_identity():
    layer = nn.Linear(2, 1).noBias()
    hessian.initDiagHessianParameters(layer)
    weight = layer.diagHessianWeight
    hessian.accDiagHessianParameters(layer, np.array([[1.0, 2.0]]), np.array([[3.0]]), 2)
    assert layer.diagHessianWeight is weight
    assert weight.tolist() == [[6, 24]]
    assert not hasattr(layer, "diagHessianBias")
    hessian.initDiagHessianParameters(layer)
    assert layer.diagHessianWeight is weight
    assert weight.tolist() == [[0, 0]]
    assert layer.float().diagHessianWeight.dtype == "float32"


def test_results_are_no_part_of_copies():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    x = np.ones((1, 2))
    net.forward(x)
    hessian.accDiagHessianParameters(net, x, np.ones((1, 2)))
    copied = net.clone()
    assert copied.diagHessianInput.size == copied[0].diagHessianInput.size == 0
    assert np.array_equal(copied[0].diagHessianWeight, net[0].diagHessianWeight)
    net.clearState()
    assert net.diagHessianInput.size == net[1].diagHessianInput.size == 0


def test_a_gradInput_that_nobody_needs_stays_so():
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    net[0].gradInput = None
    x = np.ones((4, 3))
    net.forward(x)
    found = hessian.updateDiagHessianInput(net, x, np.ones((4, 2)))
    assert found.shape == (4, 3)
    assert net[0].diagHessianInput is found
    assert net[0].gradInput is None


def test_an_empty_sequential():
    above = np.ones((2, 3))
    net = nn.Sequential()
    net.forward(above)
    assert hessian.updateDiagHessianInput(net, above, above) is above
    assert hessian.accDiagHessianParameters(net, above, above) is None


@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        (nn.ReLU(), (np.ones(2), np.ones(2))),
        (nn.BatchNormalization(2), (np.ones((3, 2)), np.ones((3, 2)))),
        (nn.BCECriterion(), (np.ones(2), np.ones(2))),
        (nn.Concat(0, nn.Linear(2, 2)), (np.ones((3, 2)), np.ones((3, 2)))),
    ],
)
def test_unknown_classes(part, arguments):
    with pytest.raises(NotImplementedError) as raised:
        hessian.updateDiagHessianInput(part, *arguments)
    name = type(part).__name__
    assert str(raised.value) == UNDEFINED.format(name, UPDATE, UPDATE)
    if isinstance(part, nn.Module):
        for function, given in (
            (hessian.initDiagHessianParameters, ()),
            (hessian.accDiagHessianParameters, arguments),
        ):
            with pytest.raises(NotImplementedError) as raised:
                function(part, *given)
            assert str(raised.value) == UNDEFINED.format(name, function.__name__, UPDATE)


# Of each class that inherits from a known one: a part, and the shape of its input.
INHERITORS = {
    "ClassSimplexCriterion": (lambda: nn.ClassSimplexCriterion(3), (4, 3)),
    "LayerNormalization": (lambda: nn.LayerNormalization(3), (4, 3)),
    "LinearNoBias": (lambda: nn.LinearNoBias(3, 2), (4, 3)),
    "LinearWeightNorm": (lambda: nn.LinearWeightNorm(3, 2), (4, 3)),
    "Maxout": (lambda: nn.Maxout(3, 2, 2), (4, 3)),
    "SpatialAutoCropMSECriterion": (nn.SpatialAutoCropMSECriterion, (2, 1, 3, 3)),
    "SpatialContrastiveNormalization": (
        lambda: nn.SpatialContrastiveNormalization(1, np.ones((3, 3))),
        (1, 5, 5),
    ),
    "SpatialConvolutionMM": (lambda: nn.SpatialConvolutionMM(2, 2, 2, 2), (2, 2, 3, 4)),
    "SpatialDilatedConvolution": (
        lambda: nn.SpatialDilatedConvolution(2, 2, 2, 2, 1, 1, 1, 0, 2, 1),
        (2, 2, 3, 4),
    ),
    "SpatialLPPooling": (lambda: nn.SpatialLPPooling(1, 2, 2, 2), (1, 4, 4)),
    "WeightedMSECriterion": (lambda: nn.WeightedMSECriterion(np.array([1.0, 2, 3])), (4, 3)),
}


def test_all_that_inherits_a_rule_is_tried():
    functions = (hessian.initDiagHessianParameters, hessian.updateDiagHessianInput)
    kinds = {getattr(nn, name) for name in nn.__all__}
    parts = {kind for kind in kinds if isinstance(kind, type)}
    known = {kind for function in functions for kind in function.registry} - {object}
    found = {kind for kind in parts if any(issubclass(kind, one) for one in known)}
    own = {one for one in known if one.__name__ not in INHERITORS}
    assert {kind.__name__ for kind in found - own} == set(INHERITORS)


@pytest.mark.parametrize("name", INHERITORS)
def test_what_inherits_a_rule_fits_it_or_has_none(name):
    make, shape = INHERITORS[name]
    random.manualSeed(3)
    part = make()
    x = random.normal(0, 1, size=shape)
    if isinstance(part, nn.Criterion):
        target = np.array([0, 1, 2, 1]) if name == "ClassSimplexCriterion" else np.ones(shape)
        found = hessian.updateDiagHessianInput(part, x, target)
        expected = second_derivatives(lambda: part.forward(x, target), x)
        assert close(found, expected, 1e-12)
        return
    bent = random.uniform(0, 1, size=part.forward(x).shape)
    calls = [
        lambda: hessian.initDiagHessianParameters(part),
        lambda: hessian.updateDiagHessianInput(part, x, bent),
        lambda: hessian.accDiagHessianParameters(part, x, bent),
    ]
    if name not in ("LinearNoBias", "SpatialConvolutionMM", "SpatialDilatedConvolution"):
        for call in calls:
            with pytest.raises(NotImplementedError):
                call()
        return
    for call in calls:
        call()
    expected = [np.zeros_like(array) for array in (x, *part.parameters()[0])]
    for place in np.ndindex(*bent.shape):
        above = np.zeros_like(bent)
        above[place] = 1
        part.zeroGradParameters()
        slopes = [part.backward(x, above), *part.parameters()[1]]
        for array, slope in zip(expected, slopes, strict=True):
            array += bent[place] * slope**2
    names = ("diagHessianInput", "diagHessianWeight", "diagHessianBias")
    found = [getattr(part, name) for name in names[: len(expected)]]
    for got, wanted in zip(found, expected, strict=True):
        assert close(got, wanted, 1e-13)


def test_unknown_classes_inside_change_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 2)))
    x = np.ones((4, 2))
    net.forward(x)
    with pytest.raises(NotImplementedError) as raised:
        hessian.initDiagHessianParameters(net)
    assert str(raised.value) == UNDEFINED.format("ReLU", "initDiagHessianParameters", UPDATE)
    assert "diagHessianWeight" not in vars(net[0])
    hessian.initDiagHessianParameters(net[1][1])
    with pytest.raises(NotImplementedError) as raised:
        hessian.accDiagHessianParameters(net, x, np.ones((4, 2)))
    assert str(raised.value) == UNDEFINED.format("ReLU", UPDATE, UPDATE)
    assert raised.value.__notes__ == ["  at [0] of Sequential", "  at [1] of Sequential"]
    assert not net[1][1].diagHessianWeight.any()


class Scaled(nn.Module):
    """A layer of a user's: input * weight."""

    def __init__(self):
        self.weight, self.gradWeight = np.array([3.0]), np.zeros(1)

    def updateOutput(self, input):
        self.output = input * self.weight
        return self.output


def test_layers_of_users():
    class Trained(Scaled):
        pass

    @hessian.updateDiagHessianInput.register
    def _(module: Trained, input, diagHessianOutput):
        module.diagHessianInput = module.weight**2 * diagHessianOutput
        return module.diagHessianInput

    net = nn.Sequential(nn.Linear(2, 2), Trained(), nn.Tanh(), nn.Linear(2, 2))
    net[3].weight[:] = np.eye(2)
    x = np.ones((1, 2))
    net.forward(x)
    output = net[2].output
    with pytest.raises(NotImplementedError) as raised:
        hessian.accDiagHessianParameters(net, x, np.ones((1, 2)))
    assert str(raised.value) == UNDEFINED.format("Trained", ACC, ACC)
    assert "diagHessianWeight" not in vars(net[3])
    with pytest.raises(NotImplementedError) as raised:
        hessian.initDiagHessianParameters(net)
    init = "initDiagHessianParameters"
    assert str(raised.value) == UNDEFINED.format("Trained", init, init)
    assert "diagHessianWeight" not in vars(net[0])

    @hessian.accDiagHessianParameters.register
    def _(module: Trained, input, diagHessianOutput, scale=1):
        module.diagHessianWeight = scale * (input**2 * diagHessianOutput).sum((0, 1))

    hessian.accDiagHessianParameters(net, x, np.ones((1, 2)), 2)
    slope = (1 - output**2) ** 2
    assert close(net[1].diagHessianWeight, 2 * (net[0].output ** 2 * slope).sum((0, 1)))
    assert close(net[0].diagHessianBias, (2 * 9 * slope)[0])


def test_errors_speak_of_what_was_called():
    layer, tanh, criterion = nn.Linear(3, 2), nn.Tanh(), nn.MSECriterion()
    x = np.ones((4, 3))
    for call, kind, text in (
        (
            lambda: hessian.updateDiagHessianInput(layer, x, np.ones((4, 3))),
            ShapeError,
            "Linear(3 -> 2).updateDiagHessianInput: diagHessianOutput must be (4, 2), got (4, 3)",
        ),
        (
            lambda: hessian.accDiagHessianParameters(layer, x, np.ones((4, 2), "float32")),
            DTypeError,
            "Linear(3 -> 2).accDiagHessianParameters: diagHessianOutput must be float64, got "
            "float32\n  hint: diagHessianOutput.astype('float64')",
        ),
        (
            lambda: hessian.accDiagHessianParameters(layer, np.ones((4, 5)), np.ones((4, 2))),
            ShapeError,
            "Linear(3 -> 2).accDiagHessianParameters: input must be (3,) or (N, 3), got (4, 5)\n"
            "  hint: Linear(5, 2) would fit",
        ),
        (
            lambda: hessian.accDiagHessianParameters(layer, x, np.ones((4, 2)), "1"),
            DTypeError,
            "Linear(3 -> 2).accDiagHessianParameters: scale must be a number, got '1'",
        ),
        (
            lambda: hessian.updateDiagHessianInput(tanh, x, np.ones((4, 2))),
            ShapeError,
            "Tanh.updateDiagHessianInput: diagHessianOutput must be (4, 3), got (4, 2)",
        ),
        (
            lambda: hessian.updateDiagHessianInput(criterion, x, np.ones((4, 1))),
            ShapeError,
            "MSECriterion.updateDiagHessianInput: target must be (4, 3) like input, got (4, 1)",
        ),
    ):
        with pytest.raises(kind) as raised:
            call()
        assert str(raised.value) == text
        assert raised.value.argument == text.partition(": ")[2].partition(" ")[0]
    assert layer.diagHessianInput.size == 0
    assert raised.value.layer is criterion


def test_a_sequential_goes_back_its_path():
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    x = np.ones((4, 3))
    with pytest.raises(StateError) as raised:
        hessian.updateDiagHessianInput(net, x, np.ones((4, 2)))
    assert str(raised.value).startswith(
        "Sequential.updateDiagHessianInput: input is not that of the last forward"
    )
    net.forward(x)
    with pytest.raises(ShapeError) as raised:
        hessian.accDiagHessianParameters(net, x, np.ones((4, 3)))
    assert raised.value.path == (1,)
    assert raised.value.__notes__ == ["  at [1] of Sequential"]


def test_nothing_is_patched():
    assert torchlite.hessian is nn.hessian
    assert not hasattr(nn.Linear, "updateDiagHessianInput")
    assert len(nn.Linear(2, 2).getParameters()) == 2
