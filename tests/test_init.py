"""Initial parameters: those of Torch7 after the same seed, from the same draws; nn.init."""

import math

import golden
import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError
from torchlite.nn import init
from torchlite.nn.nested import shapes

CASES = {case["id"]: case for case in golden.cases("init") if not golden.missing(case)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_same_seed_same_parameters(case):
    random.manualSeed(case["seed"])
    module = golden.build({**case, "params": {}})
    if "reset" in case:
        module.reset(case["reset"])
    golden.compare_attributes(case, "params", module)
    assert random.random() == case["next_random"]


# ---------------------------------------------------------------- nn.init


class TwoWeights(nn.Module):
    """A layer of a user's."""

    def __init__(self):
        self.up, self.gradUp = np.ones((6, 2, 5)), np.zeros((6, 2, 5))
        self.scales, self.gradScales = [np.ones(3)], [np.zeros(3)]

    def parameters(self):
        return [self.up, *self.scales], [self.gradUp, *self.gradScales]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_are_those_of_the_stream(dtype):
    layer = nn.SpatialConvolution(2, 3, 2, 2).type(dtype)
    for initialise, draw in (
        (lambda: init.uniform(layer, "weight", -2, 1), lambda out: random.uniform(-2, 1, out=out)),
        (lambda: init.normal(layer, "weight", 3, 2), lambda out: random.normal(3, 2, out=out)),
        (lambda: init.xavier(layer), uniform_of(math.sqrt(3 * 2 / (8 + 12)))),
        (lambda: init.xavier(layer, gain=2), uniform_of(2 * math.sqrt(3 * 2 / (8 + 12)))),
        (lambda: init.xavier(layer, dist="normal"), normal_of(math.sqrt(2 / (8 + 12)))),
        (lambda: init.kaiming(layer), normal_of(math.sqrt(1 / 8))),
        (lambda: init.kaiming(layer, gain="relu"), normal_of(math.sqrt(2) / math.sqrt(8))),
        (lambda: init.kaiming(layer, fan="out"), normal_of(math.sqrt(1 / 12))),
        (lambda: init.kaiming(layer, dist="uniform"), uniform_of(math.sqrt(3 / 8))),
    ):
        random.manualSeed(7)
        assert initialise() is layer
        after = random.random()
        random.manualSeed(7)
        expected = draw(np.empty((3, 2, 2, 2), dtype))
        assert np.allclose(layer.weight, expected, rtol=4 * np.finfo(dtype).eps, atol=0)
        assert layer.weight.dtype == dtype
        assert random.random() == after


def uniform_of(bound):
    return lambda out: random.uniform(-bound, bound, out=out)


def normal_of(stdv):
    return lambda out: random.normal(0, stdv, out=out)


def test_sums_and_products():
    layer = nn.Linear(2, 3)
    layer.weight[:] = [[1, 2], [3, 4], [5, 6]]
    init.mulConstant(init.addConstant(layer, "weight", 1), "weight", 10)
    assert layer.weight.tolist() == [[20, 30], [40, 50], [60, 70]]
    random.manualSeed(1)
    init.addNormal(init.addUniform(layer, "weight", -1, 1), "weight", 5, 2)
    random.manualSeed(1)
    added = random.uniform(-1, 1, size=(3, 2))
    expected = np.array([[20, 30], [40, 50], [60, 70]]) + added + random.normal(5, 2, size=(3, 2))
    assert np.array_equal(layer.weight, expected)
    assert init.constant(layer, "bias", -2).bias.tolist() == [-2, -2, -2]
    assert init.uniform(layer, "bias", 4, 4).bias.tolist() == [4, 4, 4]


TABLE = [[0, 0], [1, 0], [1, 2], [1, 1]]


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        (nn.Linear(4, 3), (4, 3)),
        (nn.LookupTable(7, 5), (5, 7)),
        (nn.SparseLinear(4, 3), (4, 3)),
        (nn.IndexLinear(4, 3), (4, 3)),
        (nn.Bilinear(4, 3, 2), (12, 6)),
        (nn.SpatialConvolution(2, 3, 5, 4), (40, 60)),
        (nn.SpatialConvolutionMM(2, 3, 5, 4), (40, 60)),
        (nn.SpatialDilatedConvolution(2, 3, 5, 4, dilationW=2), (40, 60)),
        (nn.SpatialConvolutionLocal(2, 3, 9, 9, 5, 4), (40, 60)),
        (nn.SpatialFullConvolution(2, 3, 5, 4), (40, 60)),
        (nn.SpatialDepthWiseConvolution(2, 3, 5, 4), (20, 60)),
        (nn.SpatialConvolutionMap(TABLE, 5, 4), (20 * 4 / 3, 40)),
        (nn.SpatialFullConvolutionMap(TABLE, 5, 4), (20 * 4 / 3, 40)),
        (nn.SpatialSubSampling(3, 5, 4), (20, 20)),
        (nn.TemporalConvolution(2, 3, 5), (10, 15)),
        (nn.TemporalRowConvolution(2, 5), (5, 5)),
        (nn.TemporalSubSampling(2, 5), (5, 5)),
        (nn.VolumetricConvolution(2, 3, 5, 4, 1), (40, 60)),
        (nn.VolumetricDilatedConvolution(2, 3, 5, 4, 1), (40, 60)),
        (nn.VolumetricFullConvolution(2, 3, 5, 4, 1), (40, 60)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_fans(layer, fans):
    for array in (*layer.parameters()[0], "weight"):
        assert init.fans(layer, array) == fans
    random.manualSeed(3)
    init.kaiming(layer, fan="out")
    random.manualSeed(3)
    expected = random.normal(0, 1 / math.sqrt(fans[1]), size=layer.weight.shape)
    assert np.allclose(layer.weight, expected, rtol=1e-15, atol=0)
    # Of a part, the whole counts.
    random.manualSeed(3)
    init.xavier(layer, layer.weight[:1])
    random.manualSeed(3)
    bound = math.sqrt(6 / sum(fans))
    part = random.uniform(-bound, bound, size=(1, *layer.weight.shape[1:]))
    assert np.allclose(layer.weight[:1], part, rtol=1e-14, atol=0)
    assert np.allclose(layer.weight[1:], expected[1:], rtol=1e-15, atol=0)


def test_layers_of_users():
    layer = TwoWeights()
    assert init.fans(layer, layer.up) == (10, 30)
    init.constant(layer, "scales[0]", 4)
    assert layer.scales[0].tolist() == [4, 4, 4]
    random.manualSeed(1)
    init.kaiming(layer, "up")
    random.manualSeed(1)
    assert np.allclose(layer.up, random.normal(0, 1 / math.sqrt(10), size=(6, 2, 5)), rtol=1e-15)


def test_gains():
    assert [init.gain(name) for name in ("linear", "sigmoid", "tanh", "relu")] == [
        1, 1, 5 / 3, math.sqrt(2),
    ]  # fmt: skip
    assert init.gain("lrelu") == math.sqrt(2 / 1.0001)
    assert init.gain("lrelu", 0.5) == math.sqrt(2 / 1.25)
    layer, other = nn.Linear(3, 2), nn.Linear(3, 2)
    for gain in (init.gain("tanh"), 5 / 3, np.float32(2)):
        random.manualSeed(1)
        init.xavier(layer, gain=gain)
        random.manualSeed(1)
        init.xavier(other, gain="tanh" if gain == 5 / 3 else 2)
        assert np.array_equal(layer.weight, other.weight)


def test_truncated_normal():
    layer = nn.Linear(100, 200)
    random.manualSeed(1)
    init.truncated_normal(layer, "weight", 3, 0.5)
    assert abs(layer.weight - 3).max() < 1
    assert abs((layer.weight - 3).std() / 0.5 - 0.8796) < 0.01
    assert abs((layer.weight - 3).mean()) < 0.01
    # One word each, in C order: u = 1 / 2 is the mean.
    after = random.random()
    random.manualSeed(1)
    shares = random.uniform(size=(200, 100))
    assert np.array_equal(np.argsort(shares, None), np.argsort(layer.weight, None))
    assert random.random() == after
    init.kaiming(layer, gain=2, dist="truncated")
    assert abs(layer.weight.std() * 10 / 2 - 1) < 0.01
    # By the density: 1 - 2 * 2 * exp(-2) / sqrt(2 pi) / erf(sqrt(2)).
    left = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
    assert 1.98 < abs(layer.weight).max() * 10 / 2 * left < 2


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(5, 3), (3, 5)),
        (nn.Linear(3, 5), (5, 3)),
        (nn.Linear(4, 4).float(), (4, 4)),
        (nn.SpatialConvolution(2, 5, 3, 2), (5, 12)),
        (nn.TemporalConvolution(2, 9, 3), (9, 6)),
        (nn.LookupTable(6, 2), (6, 2)),
    ],
)
def test_orthogonal(layer, shape):
    random.manualSeed(1)
    init.orthogonal(layer, gain=3)
    after = random.random()
    matrix = layer.weight.reshape(shape) / 3
    fewer = matrix if shape[0] <= shape[1] else matrix.T
    close = 1e-14 if layer.weight.dtype == "float64" else 1e-6
    assert abs(fewer @ fewer.T - np.eye(min(shape))).max() < close
    random.manualSeed(1)
    random.normal(size=shape)
    assert random.random() == after


def test_orthogonal_matrices_are_equally_likely():
    """Half of them mirror, and each entry is as often negative."""
    random.manualSeed(1)
    layer = nn.Linear(3, 3, False)
    drawn = np.array([init.orthogonal(layer).weight.copy() for _ in range(400)])
    assert abs(np.linalg.det(drawn).mean()) < 0.15
    assert abs(drawn.mean(0)).max() < 0.1
    assert abs((drawn**2).mean(0) - 1 / 3).max() < 0.05


def test_sparse():
    layer = nn.Linear(5, 4)
    init.constant(layer, "weight", 7)
    random.manualSeed(3)
    init.sparse(layer, "weight", 0.37)
    random.manualSeed(3)
    expected = np.full(20, 7.0)
    expected[random.randperm(20)[:7]] = 0
    assert layer.weight.ravel().tolist() == expected.tolist()
    before = layer.weight.copy()
    assert np.array_equal(init.sparse(layer, "weight", 0).weight, before)
    # Also where the parameter is a view that does not lie in one piece.
    init.sparse(layer, layer.weight[:, 1:3], 1)
    assert not layer.weight[:, 1:3].any()
    assert layer.weight[:, [0, 3, 4]].any()


EYE = [
    (nn.SpatialConvolution(2, 3, 3, 3, 1, 1, 1, 1), (2, 4, 5)),
    (nn.SpatialConvolutionMM(2, 3, 3, 3, 1, 1, 1, 1), (2, 4, 5)),
    (nn.SpatialConvolutionLocal(2, 3, 5, 4, 3, 3, 1, 1, 1, 1), (2, 4, 5)),
    (nn.SpatialFullConvolution(2, 3, 5, 3, 1, 1, 2, 1), (2, 4, 5)),
    (nn.SpatialDilatedConvolution(2, 3, 3, 3, 1, 1, 2, 2, 2, 2), (2, 4, 5)),
    (nn.VolumetricConvolution(2, 3, 1, 3, 5, 1, 1, 1, 0, 1, 2), (2, 3, 4, 5)),
    (nn.VolumetricFullConvolution(2, 3, 1, 3, 5, 1, 1, 1, 0, 1, 2), (2, 3, 4, 5)),
]


@pytest.mark.parametrize(("layer", "shape"), EYE, ids=[type(row[0]).__name__ for row in EYE])
def test_eye_of_convolutions_is_the_mean_of_the_planes(layer, shape):
    init.constant(init.eye(layer), "bias", 0)
    x = np.random.default_rng(0).standard_normal(shape)
    mean = np.broadcast_to(x.mean(0), (3, *shape[1:]))
    assert np.allclose(layer.forward(x), mean, rtol=1e-14, atol=1e-14)


def test_eye_of_other_layers():
    x = np.random.default_rng(0).standard_normal((6, 4))
    assert np.array_equal(init.eye(nn.Linear(4, 4, False)).forward(x), x)
    assert np.array_equal(init.eye(nn.Linear(4, 3, False)).forward(x), x[:, :3])
    assert np.array_equal(init.eye(nn.LookupTable(3, 4)).weight, np.eye(3, 4))
    layer = init.constant(init.eye(nn.TemporalConvolution(4, 2, 3)), "bias", 0)
    mean = np.broadcast_to(x[1:-1].mean(1, keepdims=True), (4, 2))
    assert np.allclose(layer.forward(x), mean, rtol=1e-15)
    row = init.constant(init.eye(nn.TemporalRowConvolution(4, 2)), "bias", 0)
    assert np.array_equal(row.forward(x), x[:-1])
    images = np.random.default_rng(0).standard_normal((2, 4, 5))
    depthwise = init.eye(nn.SpatialDepthWiseConvolution(2, 2, 3, 3, 1, 1, 1, 1).noBias())
    assert np.array_equal(depthwise.forward(images), images[[0, 0, 1, 1]])
    mapped = init.constant(init.eye(nn.SpatialConvolutionMap(TABLE, 1, 1)), "bias", 0)
    expected = np.stack([images.mean(0), images[1], images[1]])
    assert np.allclose(mapped.forward(images), expected, rtol=1e-15)
    # Any matrix is a matrix.
    assert np.array_equal(init.eye(row, row.weight[:, 0]).weight[:, 0], np.eye(4, 2))


def test_what_is_flattened_shared_or_a_part_stays_so():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 3))
    net[2].weight, net[2].gradWeight = net[0].weight.T, net[0].gradWeight.T
    parameters, _ = net.getParameters()
    random.manualSeed(1)
    for initialise in (
        init.xavier, init.kaiming, init.orthogonal,
        lambda layer: init.sparse(layer, "weight", 0.5), init.eye,
        lambda layer: init.constant(layer, "weight", 5),
        lambda layer: init.addNormal(layer, "weight", 0, 1),
    ):  # fmt: skip
        kept = net[0].weight
        before = kept.copy()
        initialise(net[0])
        assert net[0].weight is kept
        assert (kept != before).any()
        assert np.array_equal(net[2].weight, kept.T)
        assert np.array_equal(parameters[:6].reshape(2, 3), kept)
        initialise(net[2])
        assert np.array_equal(net[2].weight, kept.T)
    init.constant(net[0], net[0].weight[1], 9)
    assert parameters[3:6].tolist() == [9, 9, 9]


def test_each_reaches_the_layers_of_a_class():
    inner = nn.Concat(
        0, nn.SpatialConvolution(1, 2, 1, 1).noBias(), nn.SpatialConvolution(1, 1, 1, 1)
    )
    net = nn.Sequential(inner, nn.SpatialBatchNormalization(3), nn.View(12), nn.Linear(12, 2))
    before = net[3].weight.copy()
    net.apply(
        init.each((nn.SpatialConvolution, nn.SpatialBatchNormalization), init.constant, "bias", 3)
    )
    net.apply(init.each(nn.SpatialConvolution, init.constant, parameter="weight", value=2))
    assert [a.ravel().tolist() for a in inner.parameters()[0]] == [[2, 2], [2], [3]]
    assert net[1].bias.tolist() == [3, 3, 3]
    assert np.array_equal(net[3].weight, before)
    net.apply(init.each(nn.Linear, init.orthogonal))
    assert np.allclose(net[3].weight @ net[3].weight.T, np.eye(2), atol=1e-14)
    with pytest.raises(SettingError, match="parameter of Linear"):
        net.apply(init.each(nn.Linear, init.constant, "baias", 3))


REFUSED = [
    (
        lambda: init.xavier(nn.Add(4), "bias"),
        ShapeError,
        "nn.init.xavier: parameter must be of two dimensions or more, to have fans, got (4,) of "
        "Add\n"
        "  hint: nn.init.constant, uniform and normal take any parameter",
    ),
    (
        lambda: init.kaiming(nn.SpatialBatchNormalization(4)),
        ShapeError,
        "nn.init.kaiming: parameter must be of two dimensions or more, to have fans, got (4,) of "
        "SpatialBatchNormalization (4D) (4)\n"
        "  hint: nn.init.constant, uniform and normal take any parameter",
    ),
    (
        lambda: init.fans(nn.BatchNormalization(4)),
        ShapeError,
        "nn.init.fans: parameter must be of two dimensions or more, to have fans, got (4,) of "
        "BatchNormalization (2D) (4)\n"
        "  hint: nn.init.constant, uniform and normal take any parameter",
    ),
    (
        lambda: init.fans(nn.SpatialConvolution(1, 1, 2, 2), np.ones((3, 2))),
        SettingError,
        "nn.init.fans: parameter must be the name or a view of a parameter of "
        "SpatialConvolution(1 -> 1, 2x2) (weight, bias), got an array (3, 2) that is no view of "
        "one",
    ),
    (
        lambda: init.orthogonal(nn.BatchNormalization(4)),
        ShapeError,
        "nn.init.orthogonal: parameter must be of two dimensions or more, got (4,) of "
        "BatchNormalization (2D) (4)",
    ),
    (
        lambda: init.eye(nn.BatchNormalization(4)),
        ShapeError,
        "nn.init.eye: parameter must be a matrix, or the weight of a convolution, got (4,) of "
        "BatchNormalization (2D) (4)",
    ),
    (
        lambda: init.eye(nn.ReLU()),
        SettingError,
        "nn.init.eye: parameter must be the name or a view of a parameter of ReLU (it has none of "
        "its own), got 'weight'",
    ),
    (
        lambda: init.kaiming(nn.Sequential(nn.Linear(2, 3))),
        SettingError,
        "nn.init.kaiming: parameter must be the name or a view of a parameter of Sequential (it "
        "has none of its own), got 'weight'\n"
        "  hint: net.apply(nn.init.each(nn.Linear, nn.init.kaiming, ...))",
    ),
    (
        lambda: init.xavier(nn.Linear(2, 3).weight),
        DTypeError,
        "nn.init.xavier: module must be a Module, got an array (3, 2)\n"
        "  hint: nn.init.xavier(layer, 'weight', ...)",
    ),
    (
        lambda: init.xavier(None),
        DTypeError,
        "nn.init.xavier: module must be a Module, got NoneType",
    ),
    (
        lambda: init.constant(nn.Linear(2, 3), "wieght", 0),
        SettingError,
        "nn.init.constant: parameter must be the name or a view of a parameter of Linear(2 -> 3) "
        "(weight, bias), got 'wieght'",
    ),
    (
        lambda: init.constant(nn.Linear(2, 3), ["weight"], 0),
        SettingError,
        "nn.init.constant: parameter must be the name or a view of a parameter of Linear(2 -> 3) "
        "(weight, bias), got ['weight']",
    ),
    (
        lambda: init.constant(nn.Linear(2, 3), np.zeros(3), 0),
        SettingError,
        "nn.init.constant: parameter must be the name or a view of a parameter of Linear(2 -> 3) "
        "(weight, bias), got an array (3,) that is no view of one",
    ),
    (
        lambda: init.constant(nn.Linear(2, 3), "bias", "0"),
        DTypeError,
        "nn.init.constant: value must be a number, got '0'",
    ),
    (
        lambda: init.addConstant(nn.Linear(2, 3), "bias", True),
        DTypeError,
        "nn.init.addConstant: value must be a number, got True",
    ),
    (
        lambda: init.mulConstant(nn.Linear(2, 3), "bias", math.nan),
        SettingError,
        "nn.init.mulConstant: value must be finite, got nan",
    ),
    (
        lambda: init.normal(nn.Linear(2, 3), "bias", 0, -1),
        SettingError,
        "nn.init.normal: stdv must be positive, got -1",
    ),
    (
        lambda: init.addNormal(nn.Linear(2, 3), "bias", 0, 0),
        SettingError,
        "nn.init.addNormal: stdv must be positive, got 0",
    ),
    (
        lambda: init.truncated_normal(nn.Linear(2, 3), "bias", math.inf, 1),
        SettingError,
        "nn.init.truncated_normal: mean must be finite, got inf",
    ),
    (
        lambda: init.uniform(nn.Linear(2, 3), "bias", 0, -1),
        SettingError,
        "nn.init.uniform: b must be at least a = 0, got -1",
    ),
    (
        lambda: init.addUniform(nn.Linear(2, 3), "bias", 0, -1),
        SettingError,
        "nn.init.addUniform: b must be at least a = 0, got -1",
    ),
    (
        lambda: init.xavier(nn.Linear(2, 3), gain="rleu"),
        SettingError,
        "nn.init.xavier: gain must be one of 'linear', 'sigmoid', 'tanh', 'relu', 'lrelu', "
        "got 'rleu'",
    ),
    (
        lambda: init.gain("selu"),
        SettingError,
        "nn.init.gain: nonlinearity must be one of 'linear', 'sigmoid', 'tanh', 'relu', 'lrelu', "
        "got 'selu'",
    ),
    (
        lambda: init.orthogonal(nn.Linear(2, 3), gain=0),
        SettingError,
        "nn.init.orthogonal: gain must be positive, got 0",
    ),
    (
        lambda: init.xavier(nn.Linear(2, 3), dist="gauss"),
        SettingError,
        "nn.init.xavier: dist must be 'uniform', 'normal' or 'truncated', got 'gauss'",
    ),
    (
        lambda: init.kaiming(nn.Linear(2, 3), fan="sideways"),
        SettingError,
        "nn.init.kaiming: fan must be 'in' or 'out', got 'sideways'",
    ),
    (
        lambda: init.orthogonal(nn.Linear(2, 3), "bias"),
        ShapeError,
        "nn.init.orthogonal: parameter must be of two dimensions or more, got (3,) of "
        "Linear(2 -> 3)",
    ),
    (
        lambda: init.eye(nn.SpatialSubSampling(2, 3, 3)),
        ShapeError,
        "nn.init.eye: parameter must be a matrix, or the weight of a convolution, got (2,) of "
        "SpatialSubSampling",
    ),
    (
        lambda: init.eye(nn.SpatialConvolution(2, 2, 3, 3), "bias"),
        ShapeError,
        "nn.init.eye: parameter must be a matrix, or the weight of a convolution, got (2,) of "
        "SpatialConvolution(2 -> 2, 3x3)",
    ),
    (
        lambda: init.sparse(nn.Linear(2, 3), "weight", 1.5),
        SettingError,
        "nn.init.sparse: sparsity must be between 0 and 1, got 1.5",
    ),
    (
        lambda: init.each(nn.ReLU(), init.eye),
        DTypeError,
        "nn.init.each: kinds must be a class of modules, or a tuple of such, got ReLU",
    ),
    (
        lambda: init.each((nn.Linear, nn.MSECriterion), init.eye),
        DTypeError,
        "nn.init.each: kinds must be a class of modules, or a tuple of such, got "
        "<class 'torchlite.nn.criterions.mse_criterion.MSECriterion'>",
    ),
    (
        lambda: init.each(nn.Linear, "eye"),
        DTypeError,
        "nn.init.each: initialiser must be a function of nn.init, got 'eye'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED, ids=[row[2][:40] for row in REFUSED])
def test_refusals(call, kind, text):
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == text


def test_what_is_refused_changes_nothing():
    layer = nn.Linear(3, 2)
    before = [array.copy() for array in layer.parameters()[0]]
    state = random.getRNGState()
    for call in (
        lambda: init.xavier(layer, gain="?"),
        lambda: init.xavier(layer, dist="?"),
        lambda: init.kaiming(layer, fan="?"),
        lambda: init.normal(layer, "weight", 0, -1),
        lambda: init.orthogonal(layer, "bias"),
        lambda: init.sparse(layer, "weight", 2),
    ):
        with pytest.raises((SettingError, ShapeError)):
            call()
    assert np.array_equal(random.getRNGState(), state)
    for array, values in zip(layer.parameters()[0], before, strict=True):
        assert np.array_equal(array, values)


def test_an_array_that_is_no_part_of_a_parameter_is_refused():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2, False))
    net[1].weight = net[1].weight[:, :1]
    net[1].gradWeight = net[1].gradWeight[:, :1]
    layer, slice_ = net[0], net[1].weight
    memory, (flat, _) = slice_.base, net[:1].getParameters()
    kept = flat.copy(), memory.copy()
    for part, parameter in (
        (layer, flat),
        (layer, flat[3:8]),
        (layer, flat[1::5]),
        (layer, flat[4:7]),
        (layer, layer.weight.view(np.int64)),
        (layer, layer.weight.view(np.float32)),
        (layer, layer.weight[:0]),
        (net[1], memory),
        (net[1], memory[:, 1:]),
        (net[1], memory[0]),
    ):
        with pytest.raises(SettingError) as raised:
            init.constant(part, parameter, 7)
        assert str(raised.value).endswith(f"an array {shapes(parameter)} that is no view of one")
    assert np.array_equal(flat, kept[0])
    assert np.array_equal(memory, kept[1])
    for parameter in (
        flat[:6], flat[6:], flat[6:7], flat[:6:5], flat[5::-1], layer.weight.T, layer.weight[:, 1:],
    ):  # fmt: skip
        before = parameter.copy()
        init.addConstant(layer, parameter, 1)
        assert np.array_equal(parameter, before + 1)
    init.constant(net[1], memory[1:, :1], 7)
    assert slice_[1].tolist() == [7]
    assert np.array_equal(memory[:, 1], kept[1][:, 1])
