"""Criterions: conventions, errors and what Torch7 gets wrong; PyTorch's numbers."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError

DATA = Path(__file__).parent / "data"

WEIGHTS = np.array([1.0, 2.0, 0.5, 3.0])


def array(*numbers):
    return np.array(numbers, "float64")


# ---------------------------------------------------------------- PyTorch's numbers

with np.load(DATA / "pytorch_criterions.npz", allow_pickle=False) as archive:
    PYTORCH = dict(archive)

OPTIONS = {
    "HingeEmbeddingCriterion": {"margin": 2},
    "CosineEmbeddingCriterion": {"margin": 0.1},
    "MarginRankingCriterion": {"margin": 0.5},
    "MultiMarginCriterion": {"margin": 0.5},
    "weights": {"weights": WEIGHTS},
    "ignored": {"weights": WEIGHTS},
    "p=1": {"p": 1},
    "p=2": {"p": 2},
}


@pytest.mark.parametrize("run", sorted(run for run in PYTORCH if run.endswith(("/mean", "/sum"))))
def test_pytorch_agrees(run):
    case, reduction = run.split("/")
    name, *options = case.split()
    settings = {key: value for o in (name, *options) for key, value in OPTIONS.get(o, {}).items()}
    criterion = getattr(nn, name)(**settings, sizeAverage=reduction == "mean")
    places = [".0", ".1"] if f"{case}/input.0" in PYTORCH else [""]
    inputs = [PYTORCH[f"{case}/input{place}"] for place in places]
    gradients = [PYTORCH[f"{run}.gradInput{place}"] for place in places]
    input = inputs if len(inputs) == 2 else inputs[0]
    target = PYTORCH[f"{case}/target"]
    # Torch7 adds 1e-12 to the probabilities, PyTorch bounds their logarithms; it adds 1e-12 to
    # squared lengths.
    tolerance = {"BCECriterion": 1e-10, "CosineEmbeddingCriterion": 1e-11}.get(name, 1e-14)
    loss = criterion.forward(input, target)
    np.testing.assert_allclose(loss, PYTORCH[run], rtol=tolerance)
    gradInput = criterion.backward(input, target)
    for got, expected in zip(
        gradInput if len(inputs) == 2 else [gradInput], gradients, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=1e-16, strict=True)


# ---------------------------------------------------------------- what is divided by

SCORES = np.array([[1.0, 3.0, -2.0, 0.5], [0.0, 1.0, 2.0, -1.0], [4.0, 0.0, 1.0, 1.5]])
SIGNS = np.where(SCORES > 1, 1.0, -1.0)
IMAGES = np.stack([SCORES.T, -2 * SCORES.T])[:, :, None]
CLASSES = np.array([2, 0, 3])
DIVISORS = [
    (lambda: nn.MSECriterion(), SCORES, SIGNS, 12),
    (lambda: nn.AbsCriterion(), SCORES, SIGNS, 12),
    (lambda: nn.SmoothL1Criterion(), SCORES, SIGNS, 12),
    (lambda: nn.WeightedMSECriterion(WEIGHTS), SCORES, SIGNS, 12),
    (lambda: nn.SpatialAutoCropMSECriterion(), SCORES[None], np.ones((1, 5, 4)), 12),
    (lambda: nn.BCECriterion(WEIGHTS), SCORES / 8 + 0.5, SIGNS, 12),
    (lambda: nn.MultiLabelSoftMarginCriterion(WEIGHTS), SCORES, SIGNS, 12),
    (lambda: nn.DistKLDivCriterion(), SCORES, SIGNS, 12),
    (lambda: nn.MarginCriterion(), SCORES, SIGNS, 12),
    (lambda: nn.SoftMarginCriterion(), SCORES, SIGNS, 12),
    (lambda: nn.HingeEmbeddingCriterion(), SCORES, SIGNS, 12),
    (lambda: nn.L1Cost(True), SCORES, None, 12),
    (lambda: nn.ClassNLLCriterion(), SCORES, CLASSES, 3),
    (lambda: nn.ClassNLLCriterion(WEIGHTS), SCORES, CLASSES, 0.5 + 1 + 3),
    (lambda: nn.ClassNLLCriterion(WEIGHTS, ignoreIndex=0), SCORES, CLASSES, 0.5 + 3),
    (lambda: nn.SpatialClassNLLCriterion(), IMAGES, np.ones((2, 1, 3), int), 6),
    (lambda: nn.CrossEntropyCriterion(), SCORES, CLASSES, 3),
    (lambda: nn.CrossEntropyCriterion(WEIGHTS), SCORES, CLASSES, 0.5 + 1 + 3),
    (lambda: nn.ClassSimplexCriterion(4), SCORES, CLASSES, 12),
    (lambda: nn.MultiMarginCriterion(1, WEIGHTS), SCORES, CLASSES, 3),
    (lambda: nn.MultiLabelMarginCriterion(), SCORES, np.array([[1, 0, -1, -1]] * 3), 3),
    (lambda: nn.CosineEmbeddingCriterion(), [SCORES, SIGNS], array(1, -1, 1), 3),
    (lambda: nn.MarginRankingCriterion(), [SCORES, SIGNS], SIGNS, 3),
    (lambda: nn.DistanceRatioCriterion(), [SCORES, SIGNS], None, 3),
]


@pytest.mark.parametrize(("make", "input", "target", "divisor"), DIVISORS)
def test_average(make, input, target, divisor):
    criterion = make()
    mean, gradient = criterion.forward(input, target), criterion.backward(input, target)
    criterion.sizeAverage = False
    total, whole = criterion.forward(input, target), criterion.backward(input, target)
    assert total != 0
    assert mean == pytest.approx(total / divisor, rel=1e-14)
    np.testing.assert_allclose(gradient, np.array(whole) / divisor, rtol=1e-14)


def test_sums_by_default():
    assert nn.L1Cost().forward(array(3, -4), None) == 7
    distances = [array(3, -4), array(0, 0)]
    assert nn.L1HingeEmbeddingCriterion().forward(distances, 1) == 7


def test_margins_over_classes_always_divide_by_the_classes():
    assert nn.MultiMarginCriterion(sizeAverage=False).forward(array(0, 0, 0, 0), 1) == 3 / 4
    labels = np.array([1, -1, -1, -1])
    criterion = nn.MultiLabelMarginCriterion(sizeAverage=False)
    assert criterion.forward(array(0, 0, 0, 0), labels) == 3 / 4


@pytest.mark.parametrize(
    "criterion",
    [
        nn.MSECriterion(),
        nn.BCECriterion(),
        nn.DistKLDivCriterion(),
        nn.SoftMarginCriterion(),
        nn.HingeEmbeddingCriterion(),
        nn.WeightedMSECriterion(np.ones(3)),
    ],
)
def test_an_empty_batch_costs_nothing(criterion):
    assert str(criterion.forward(np.zeros((0, 3)), np.zeros((0, 3)))) == "0.0"
    assert criterion.backward(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "criterion",
    [
        nn.ClassNLLCriterion(),
        nn.ClassNLLCriterion(np.ones(3)),
        nn.CrossEntropyCriterion(),
        nn.ClassSimplexCriterion(3),
        nn.MultiMarginCriterion(),
    ],
)
def test_an_empty_batch_of_classes_costs_nothing(criterion):
    assert str(criterion.forward(np.zeros((0, 3)), np.zeros(0, int))) == "0.0"
    assert criterion.backward(np.zeros((0, 3)), np.zeros(0, int)).shape == (0, 3)


def test_an_empty_batch_of_pairs_costs_nothing():
    pair = [np.zeros((0, 3)), np.zeros((0, 3))]
    for criterion, target in (
        (nn.CosineEmbeddingCriterion(), np.zeros(0)),
        (nn.MarginRankingCriterion(), np.zeros((0, 3))),
        (nn.DistanceRatioCriterion(), None),
    ):
        assert str(criterion.forward(pair, target)) == "0.0"
        assert [g.shape for g in criterion.backward(pair, target)] == [(0, 3), (0, 3)]


@pytest.mark.parametrize(
    ("criterion", "target"),
    [
        (nn.ClassNLLCriterion(WEIGHTS), 3),
        (nn.CrossEntropyCriterion(WEIGHTS), 3),
        (nn.ClassSimplexCriterion(4), 3),
        (nn.MultiMarginCriterion(2, WEIGHTS), 3),
        (nn.MultiLabelMarginCriterion(), np.array([3, 0, -1, 1])),
        (nn.BCECriterion(WEIGHTS), array(0, 1, 0.5, 1)),
    ],
)
def test_a_sample_is_a_row_of_a_batch(criterion, target):
    x = array(0.5, 0.25, 0.75, 0.125)
    batch = np.array([target])
    assert criterion.forward(x, target) == criterion.forward(x[None], batch)
    gradInput = criterion.backward(x, target)
    np.testing.assert_array_equal(criterion.backward(x[None], batch), gradInput[None], strict=True)
    if isinstance(target, int):
        for same in (np.int64(3), np.array(3), np.array([3]), np.array(3, "uint8")):
            assert criterion.forward(x, same) == criterion.forward(x, 3)


# ---------------------------------------------------------------- kinks and ties

KINKS = {
    "Abs: from above": (
        nn.AbsCriterion(False),
        array(1, 2, 0, -0.0),
        array(1, 3, 0, 0.0),
        array(1, -1, 1, 1),
    ),
    "SmoothL1: smooth": (nn.SmoothL1Criterion(False), array(1, -1), array(0, 0), array(1, -1)),
    "L1Cost: 0": (nn.L1Cost(), array(0, -0.0, 2), None, array(0, 0, 1)),
    "Margin: 0": (nn.MarginCriterion(2, False), array(2, -2), array(1, -1), array(0, 0)),
    "HingeEmbedding: inside": (
        nn.HingeEmbeddingCriterion(2, False),
        array(2, 2),
        array(-1, 1),
        array(-1, 1),
    ),
    "MultiMargin: 0": (nn.MultiMarginCriterion(), array(1, 0, 0), 0, array(0, 0, 0)),
    "MultiLabelMargin: 0": (
        nn.MultiLabelMarginCriterion(),
        array(1, 0, 0),
        np.array([0, -1, -1]),
        array(0, 0, 0),
    ),
    "MarginRanking: inside": (
        nn.MarginRankingCriterion(2, False),
        [array(2, 1), array(0, 3)],
        array(1, -1),
        [array(-1, 1), array(1, -1)],
    ),
    "L1HingeEmbedding: 0 at a tie": (
        nn.L1HingeEmbeddingCriterion(),
        [array(1, 2, 3), array(1, 3, 2)],
        1,
        [array(0, -1, 1), array(0, 1, -1)],
    ),
    "L1HingeEmbedding: inside": (
        nn.L1HingeEmbeddingCriterion(2),
        [array(1, 2, 3), array(1, 3, 2)],
        -1,
        [array(0, 1, -1), array(0, -1, 1)],
    ),
    "CosineEmbedding: 0": (
        nn.CosineEmbeddingCriterion(),
        [array(1, 0), array(0, 1)],
        -1,
        [array(0, 0), array(0, 0)],
    ),
    "BCE: 0 at the target": (nn.BCECriterion(), array(0.25), array(0.25), array(0)),
    "DistKLDiv: 0 without probability": (
        nn.DistKLDivCriterion(),
        array(-1, -2),
        array(0, -1),
        array(0, 0),
    ),
}


@pytest.mark.parametrize("kink", KINKS)
def test_kinks(kink):
    criterion, input, target, expected = KINKS[kink]
    np.testing.assert_array_equal(criterion.backward(input, target), expected)


def test_margins_apply_beyond_the_kink():
    assert nn.L1HingeEmbeddingCriterion(2).forward([array(1, 2), array(3, 4)], -1) == 0
    gradients = nn.L1HingeEmbeddingCriterion(2).backward([array(1, 2), array(3, 4)], -1)
    np.testing.assert_array_equal(gradients, np.zeros((2, 2)))


def test_ties_draw_no_random_numbers():
    random.manualSeed(1)
    before = random.getRNGState()
    nn.L1HingeEmbeddingCriterion().backward([array(1, 2), array(1, 2)], 1)
    np.testing.assert_array_equal(random.getRNGState(), before)


# ---------------------------------------------------------------- stability

WIDE = 1e4 * np.array([[1, -1, 0.5], [0, 0.001, -0.5], [-1, -1, 1]])
OTHER = 1e4 * np.array([[-1, -1, 0.25], [1, 0, -0.5], [0.5, 1, -1]])
SIGN = np.array([[1.0, 1, -1], [-1, 1, 1], [-1, 1, -1]])


@pytest.mark.parametrize(
    ("criterion", "input", "target"),
    [
        (nn.MSECriterion(), WIDE, OTHER),
        (nn.SmoothL1Criterion(), WIDE, OTHER),
        (nn.SoftMarginCriterion(), WIDE, SIGN),
        (nn.MultiLabelSoftMarginCriterion(), WIDE, (SIGN + 1) / 2),
        (nn.CrossEntropyCriterion(), WIDE, np.array([1, 0, 2])),
        (nn.MultiMarginCriterion(2), WIDE, np.array([1, 0, 2])),
        (nn.DistanceRatioCriterion(), [WIDE, OTHER], None),
        (nn.CosineEmbeddingCriterion(), [WIDE, OTHER], array(1, -1, 1)),
    ],
)
def test_large_numbers(criterion, input, target):
    def single(value):
        if isinstance(value, list):
            return [single(entry) for entry in value]
        return value if value is None or value.dtype.kind == "i" else value.astype("float32")

    loss, gradInput = criterion.forward(input, target), criterion.backward(input, target)
    assert np.isfinite(loss)
    input, target = single(input), single(target)
    assert criterion.forward(input, target) == pytest.approx(loss, rel=1e-5)
    got = criterion.backward(input, target)
    np.testing.assert_allclose(got, gradInput, rtol=1e-5, atol=1e-7)


def test_what_is_lost_by_a_sigmoid_is_kept_without():
    right = nn.MultiLabelSoftMarginCriterion().forward(array(50), array(1))
    assert right == pytest.approx(np.exp(-50), rel=1e-14, abs=0)


def test_bce_at_its_ends():
    for dtype in ("float32", "float64"):
        x, y = np.array([0, 1, 0, 1], dtype), np.array([0, 1, 1, 0], dtype)
        loss = nn.BCECriterion(None, False).forward(x, y)
        assert loss == pytest.approx(-2 * np.log(1e-12), rel=1e-6)
        gradient = nn.BCECriterion(None, False).backward(x, y)
        np.testing.assert_allclose(gradient, [0, 0, -1e12, 1e12], rtol=1e-6)


def test_a_log_probability_of_minus_infinity():
    with_certainty = np.array([[0.0, -np.inf, -np.inf]])
    assert nn.DistKLDivCriterion().forward(with_certainty, np.array([[1.0, 0.0, 0.0]])) == 0
    # Not even the place of an ignored target is looked at.
    criterion = nn.ClassNLLCriterion(ignoreIndex=1)
    assert criterion.forward(with_certainty, np.array([1])) == 0
    assert criterion.forward(with_certainty, np.array([2])) == np.inf


@pytest.mark.parametrize(
    ("criterion", "target"),
    [
        (nn.DistKLDivCriterion(), array(0, 0.5, 0.5)),
        (nn.BCECriterion(), array(0, 1, 1)),
        (nn.SmoothL1Criterion(), array(0, 1, 1)),
        (nn.HingeEmbeddingCriterion(), array(-1, 1, 1)),
        (nn.MarginCriterion(), array(-1, 1, 1)),
        (nn.MultiMarginCriterion(), 1),
        (nn.MultiLabelMarginCriterion(), np.array([1, -1, -1])),
    ],
)
def test_one_nan_is_seen(criterion, target):
    assert np.isnan(criterion.forward(array(np.nan, 0.5, 0.25), target))


# ---------------------------------------------------------------- class by class


def test_weighted_mse_weighs_the_target_and_keeps_its_own_weight():
    weight = array(1, 0.5)
    criterion = nn.WeightedMSECriterion(weight)
    weight[:] = 9
    assert criterion.forward(array(2, 2), array(1, 4)) == 0.5


@pytest.mark.parametrize("extra", [0, 1, 2, 3])
def test_auto_crop_takes_the_middle_backward_too(extra):
    x, y = np.ones((2, 3, 4, 2)), np.arange(6.0 * (4 + extra) * 5).reshape(2, 3, 4 + extra, 5)
    cropped = y[:, :, extra // 2 : extra // 2 + 4, 1:3]
    criterion, plain = nn.SpatialAutoCropMSECriterion(), nn.MSECriterion()
    assert criterion.forward(x, y) == plain.forward(x, cropped)
    np.testing.assert_array_equal(criterion.backward(x, y), plain.backward(x, cropped))


def test_total_weight():
    criterion = nn.ClassNLLCriterion(WEIGHTS, ignoreIndex=1)
    criterion.forward(SCORES, np.array([3, 1, 2]))
    assert criterion.total_weight == 3.5
    assert criterion.clone().total_weight == 0
    assert criterion.clearState().total_weight == 0
    nn.ClassNLLCriterion().updateGradInput(SCORES, CLASSES)  # needs no forward


@pytest.mark.parametrize("weights", [None, np.zeros(4)])
def test_when_nothing_counts_there_is_no_loss(weights):
    criterion = nn.ClassNLLCriterion(weights, ignoreIndex=0)
    assert criterion.forward(SCORES, np.zeros(3, int)) == 0
    assert not criterion.backward(SCORES, np.zeros(3, int)).any()
    assert criterion.forward(SCORES[0], 0) == 0
    assert not criterion.backward(SCORES[0], 0).any()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_classes_of_any_integer_dtype(dtype):
    for criterion in (
        nn.ClassNLLCriterion(WEIGHTS),
        nn.CrossEntropyCriterion(),
        nn.MultiMarginCriterion(),
        nn.ClassSimplexCriterion(4),
    ):
        target = CLASSES.astype(dtype)
        assert criterion.forward(SCORES, target) == criterion.forward(SCORES, CLASSES)
        np.testing.assert_array_equal(
            criterion.backward(SCORES, target), criterion.backward(SCORES, CLASSES)
        )


def test_spatial_class_nll_is_class_nll_of_every_pixel():
    target = np.array([[[1, 3, 0]], [[2, 2, 1]]])
    pixels = IMAGES.transpose(0, 2, 3, 1).reshape(-1, 4)
    spatial, plain = nn.SpatialClassNLLCriterion(WEIGHTS), nn.ClassNLLCriterion(WEIGHTS)
    assert spatial.forward(IMAGES, target) == pytest.approx(plain.forward(pixels, target.ravel()))
    gradient = plain.backward(pixels, target.ravel()).reshape(2, 1, 3, 4).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(spatial.backward(IMAGES, target), gradient)


def test_cross_entropy_keeps_dimensions_of_size_1():
    criterion = nn.CrossEntropyCriterion()
    assert criterion.forward(np.zeros((1, 4)), np.array([2])) == pytest.approx(np.log(4))
    assert criterion.backward(np.zeros((1, 4)), np.array([2])).shape == (1, 4)
    # One class in a batch of three: squeezed, this would be one sample of three classes.
    assert criterion.forward(np.zeros((3, 1)), np.zeros(3, int)) == 0


def test_cross_entropy_is_made_of_its_parts():
    criterion = nn.CrossEntropyCriterion(WEIGHTS)
    loss = criterion.forward(SCORES, CLASSES)
    assert isinstance(criterion.lsm, nn.LogSoftMax)
    assert criterion.nll.forward(criterion.lsm.forward(SCORES), CLASSES) == loss
    criterion.sizeAverage = False
    assert criterion.nll.sizeAverage is False
    criterion.nll.ignoreIndex = 2
    assert criterion.forward(SCORES, np.full(3, 2)) == 0


def test_simplex_predictions():
    cases = json.loads((DATA / "api.json").read_text(encoding="utf-8"))
    results = next(case for case in cases if case["id"] == "simplex_predictions")["results"]
    with np.load(DATA / "api.npz") as archive:
        golden = {
            name: archive[f"simplex_predictions/{results[name]['array'][1:]}"] for name in results
        }
    criterion = nn.ClassSimplexCriterion(3)
    x = np.array([[1, 0, 0], [-1, 1, 0], [-0.5, -1, 2]])
    np.testing.assert_allclose(criterion.simplex, golden["simplex"], atol=1e-15)
    np.testing.assert_allclose(criterion.getPredictions(x), golden["predictions"], atol=1e-15)
    np.testing.assert_array_equal(criterion.getTopPrediction(x), golden["top"].ravel() - 1)
    assert criterion.getTopPrediction(x[1]) == criterion.getTopPrediction(x)[1]


@pytest.mark.parametrize("n", [2, 3, 10])
def test_simplex_is_regular(n):
    products = nn.ClassSimplexCriterion(n).simplex
    products = products @ products.T
    np.testing.assert_allclose(products, np.where(np.eye(n), 1, -1 / (n - 1)), atol=1e-12)


def test_labels_after_the_end_and_twice():
    criterion = nn.MultiLabelMarginCriterion(False)
    x = array(0, 0, 0, 0)
    assert criterion.forward(x, np.array([2, -1, 7, -5])) == 3 / 4
    assert criterion.forward(x, np.array([2, 2, -1, 0])) == 6 / 4
    np.testing.assert_array_equal(
        criterion.backward(x, np.array([2, 2, -1, 0])), array(2, 2, -6, 2) / 4
    )
    assert criterion.forward(x, np.array([-1, 0, 1, 2])) == 0


def test_distance_ratio_keeps_its_results():
    criterion = nn.DistanceRatioCriterion()
    pair = [array(1, 2), array(2, 1)]
    assert criterion.forward(pair, None) is criterion.output
    assert criterion.backward(pair, None) is criterion.gradInput


def test_cosine_of_nothing():
    pair = [array(0, 0), array(3, 4)]
    assert nn.CosineEmbeddingCriterion().forward(pair, 1) == 1
    assert np.isfinite(nn.CosineEmbeddingCriterion().backward(pair, 1)).all()


# ---------------------------------------------------------------- sums of criterions


def test_sums_of_criterions_add_up():
    criterion = nn.MultiCriterion()
    assert criterion.forward(SCORES, SIGNS) == 0
    assert not criterion.backward(SCORES, SIGNS).any()
    assert criterion.add(nn.MSECriterion(), 2) is criterion
    assert criterion.forward(SCORES, SIGNS) == 2 * nn.MSECriterion().forward(SCORES, SIGNS)


def test_sum_over_a_table():
    ranking, ratio = nn.MarginRankingCriterion(), nn.DistanceRatioCriterion()
    criterion = nn.MultiCriterion().add(ranking, 3).add(ratio)
    pair, target = [array(1, 2), array(2, 1)], array(1, 1)
    expected = [
        3 * a + b
        for a, b in zip(ranking.backward(pair, target), ratio.backward(pair, None), strict=True)
    ]
    np.testing.assert_array_equal(criterion.backward(pair, target), expected)


def test_weights_say_the_dtype():
    assert nn.ClassNLLCriterion(WEIGHTS.astype("float32")).type() == "float32"
    assert nn.BCECriterion(WEIGHTS).float().weights.dtype == "float32"


def test_float_casts_what_is_inside():
    criterion = nn.MultiCriterion().add(nn.CrossEntropyCriterion(WEIGHTS)).float()
    assert criterion.criterions[0].nll.weights.dtype == "float32"
    assert criterion.backward(SCORES.astype("float32"), CLASSES).dtype == "float32"


def test_an_error_says_where_it_was():
    inner = nn.MultiCriterion().add(nn.AbsCriterion()).add(nn.BCECriterion())
    criterion = nn.ParallelCriterion(True).add(inner)
    with pytest.raises(SettingError, match="BCECriterion") as caught:
        criterion.forward([SCORES], SIGNS)
    assert caught.value.__notes__ == ["  at [1] of MultiCriterion", "  at [0] of ParallelCriterion"]
    with pytest.raises(ShapeError) as caught:
        criterion.forward([SCORES], SIGNS[0])
    assert caught.value.path == (0, 0)


# ---------------------------------------------------------------- ModuleCriterion


def test_module_criterion_needs_its_forward():
    criterion = nn.ModuleCriterion(nn.MSECriterion(), nn.ReLU(), nn.Tanh())
    hint = "\n  hint: call forward(input, target) first: a backward goes back along its path"
    with pytest.raises(StateError) as caught:
        criterion.backward(SCORES, SIGNS)
    first = "ModuleCriterion.updateGradInput: input is not that of the last forward"
    assert str(caught.value) == first + hint
    criterion.forward(SCORES, SIGNS)
    with pytest.raises(StateError, match="input is not that of the last forward"):
        criterion.backward(SIGNS, SIGNS)
    with pytest.raises(StateError, match="target is not that of the last forward"):
        criterion.backward(SCORES, SCORES)
    np.testing.assert_array_equal(
        criterion.backward(SCORES.copy(), SIGNS.copy()), criterion.backward(SCORES, SIGNS)
    )
    for copied in (criterion.clone(), pickle.loads(pickle.dumps(criterion))):
        assert copied.inputActivations == ()


def test_module_criterion_without_modules_is_the_criterion():
    criterion = nn.ModuleCriterion(nn.MSECriterion())
    assert criterion.forward(SCORES, SIGNS) == nn.MSECriterion().forward(SCORES, SIGNS)
    np.testing.assert_array_equal(
        criterion.backward(SCORES, SIGNS), nn.MSECriterion().backward(SCORES, SIGNS)
    )


def test_module_criterion_accumulates_and_warns():
    layer = nn.Linear(4, 2)
    with pytest.warns(UserWarning, match="nothing here updates the parameters of inputModule"):
        criterion = nn.ModuleCriterion(nn.MSECriterion(), layer)
    target = np.ones((3, 2))
    criterion.forward(SCORES, target)
    criterion.backward(SCORES, target)
    expected = nn.MSECriterion().backward(layer.forward(SCORES), target).T @ SCORES
    np.testing.assert_allclose(layer.gradWeight, expected, rtol=1e-14)


@pytest.mark.parametrize("castTarget", [True, False])
def test_module_criterion_casts(castTarget):
    target = nn.Linear(2, 3)
    criterion = nn.ModuleCriterion(nn.MSECriterion(), None, target, castTarget)
    nn.MultiCriterion().add(criterion).float()
    assert criterion.type() == "float32"
    assert target.weight.dtype == ("float32" if castTarget else "float64")


@pytest.mark.filterwarnings("ignore:ModuleCriterion")
@pytest.mark.parametrize("kind", ["MultiCriterion", "ParallelCriterion", "ModuleCriterion"])
def test_a_failing_criterion_leaves_the_gradients_of_modules_as_they_were(kind):
    first, last = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))
    x = np.ones((3, 2))
    if kind == "ModuleCriterion":
        criterion = nn.ModuleCriterion(nn.ModuleCriterion(nn.MSECriterion(), first), last)
    else:
        criterion = getattr(nn, kind)()
        for module in (first, last):
            criterion.add(nn.ModuleCriterion(nn.MSECriterion(), module))
    x, y = ([x, x], [x, x]) if kind == "ParallelCriterion" else (x, x)
    criterion.forward(x, y)
    last.forward(np.ones((3, 2)) * 2)
    with pytest.raises(StateError, match="input is not that of the last forward"):
        criterion.backward(x, y)
    assert not any(array.any() for module in (first, last) for array in module.parameters()[1])
    criterion.forward(x, y)
    criterion.backward(x, y)
    assert all(array.any() for module in (first, last) for array in module.parameters()[1])


# ---------------------------------------------------------------- errors

IMAGE = np.zeros((2, 3, 4, 5))
BATCH = np.zeros((5, 3))
ROWS = np.zeros(5, int)
ERRORS = [
    (
        lambda: nn.ClassNLLCriterion().forward(np.zeros((5, 10)), np.array([0, 1, 2, 10, 3])),
        IndexError,
        "ClassNLLCriterion.updateOutput: target[3] = 10 is out of range for 10 classes, "
        "counting from 0",
    ),
    (
        lambda: nn.ClassNLLCriterion().backward(BATCH[0], -1),
        IndexError,
        "ClassNLLCriterion.updateGradInput: target = -1 is out of range for 3 classes, "
        "counting from 0",
    ),
    (
        lambda: nn.SpatialClassNLLCriterion().forward(IMAGE, np.full((2, 4, 5), 3)),
        IndexError,
        "SpatialClassNLLCriterion.updateOutput: target[0, 0, 0] = 3 is out of range for "
        "3 classes, counting from 0",
    ),
    (
        lambda: nn.CrossEntropyCriterion().forward(BATCH, ROWS + 3),
        IndexError,
        "CrossEntropyCriterion.updateOutput: target[0] = 3 is out of range for 3 classes, "
        "counting from 0",
    ),
    (
        lambda: nn.MultiMarginCriterion().forward(BATCH, ROWS - 100),
        IndexError,
        "MultiMarginCriterion.updateOutput: target[0] = -100 is out of range for 3 classes, "
        "counting from 0",
    ),
    (
        lambda: nn.MultiLabelMarginCriterion().forward(BATCH, np.full((5, 3), -2)),
        IndexError,
        "MultiLabelMarginCriterion.updateOutput: target[0, 0] = -2 is out of range for "
        "3 classes, counting from 0",
    ),
    (
        lambda: nn.MultiLabelMarginCriterion().forward(BATCH, BATCH),
        DTypeError,
        "MultiLabelMarginCriterion.updateOutput: target must be integers (classes, counting "
        "from 0), got float64\n  hint: target.astype('int64')",
    ),
    (
        lambda: nn.ClassNLLCriterion().forward(BATCH, ROWS * 1.0),
        DTypeError,
        "ClassNLLCriterion.updateOutput: target must be integers (classes, counting from 0), "
        "got float64\n  hint: target.astype('int64')",
    ),
    (
        lambda: nn.ClassNLLCriterion().forward(BATCH, [0] * 5),
        DTypeError,
        "ClassNLLCriterion.updateOutput: target must be integers (classes, counting from 0), "
        "got list\n  hint: np.array(target, dtype='int64')",
    ),
    (
        lambda: nn.ClassNLLCriterion().forward(BATCH[0], True),
        DTypeError,
        "ClassNLLCriterion.updateOutput: target must be integers (classes, counting from 0), "
        "got bool",
    ),
    (
        lambda: nn.ClassNLLCriterion().forward(BATCH, ROWS[:, None]),
        ShapeError,
        "ClassNLLCriterion.updateOutput: target must be (5,), got (5, 1)\n"
        "  hint: target.reshape(5) has the same entries",
    ),
    (
        lambda: nn.ClassNLLCriterion().forward(BATCH[0], ROWS),
        ShapeError,
        "ClassNLLCriterion.updateOutput: target must be an integer, got (5,)",
    ),
    (
        lambda: nn.ClassNLLCriterion().forward(IMAGE, ROWS),
        ShapeError,
        "ClassNLLCriterion.updateOutput: input must be (C,) or (N, C), got (2, 3, 4, 5)",
    ),
    (
        lambda: nn.SpatialClassNLLCriterion().forward(BATCH, ROWS),
        ShapeError,
        "SpatialClassNLLCriterion.updateOutput: input must be (C, H, W) or (N, C, H, W), "
        "got (5, 3)",
    ),
    (
        lambda: nn.CrossEntropyCriterion(WEIGHTS).forward(BATCH, ROWS),
        ShapeError,
        "CrossEntropyCriterion.updateOutput: weights must be (3,) for input (5, 3), got (4,)",
    ),
    (
        lambda: nn.ClassNLLCriterion(np.ones(3)).forward(BATCH.astype("float32"), ROWS),
        DTypeError,
        "ClassNLLCriterion.updateOutput: input must be float64 like weights, got float32\n"
        "  hint: criterion.type('float32') casts weights",
    ),
    (
        lambda: nn.ClassNLLCriterion([1.0, 2.0]),
        DTypeError,
        "ClassNLLCriterion.__init__: weights must be an array, got list\n"
        "  hint: np.array(weights, dtype='float64')",
    ),
    (
        lambda: nn.ClassNLLCriterion(ignoreIndex=1.5),
        DTypeError,
        "ClassNLLCriterion: ignoreIndex must be an integer, got 1.5",
    ),
    (
        lambda: nn.WeightedMSECriterion(None),
        DTypeError,
        "WeightedMSECriterion.__init__: w must be an array, got NoneType",
    ),
    (
        lambda: nn.BCECriterion(np.ones(4)).forward(BATCH, BATCH),
        ShapeError,
        "BCECriterion.updateOutput: weights must be (3,) or (5, 3) for input (5, 3), got (4,)",
    ),
    (
        lambda: nn.BCECriterion().backward(BATCH - 0.5, BATCH),
        SettingError,
        "BCECriterion.updateGradInput: input must be probabilities, between 0 and 1, "
        "got input[0, 0] = -0.5\n"
        "  hint: Sigmoid makes them; MultiLabelSoftMarginCriterion takes what comes before it",
    ),
    (
        lambda: nn.BCECriterion().forward(BATCH + 1.5, BATCH),
        SettingError,
        "BCECriterion.updateOutput: input must be probabilities, between 0 and 1, "
        "got input[0, 0] = 1.5\n"
        "  hint: Sigmoid makes them; MultiLabelSoftMarginCriterion takes what comes before it",
    ),
    (
        lambda: nn.HingeEmbeddingCriterion().forward(BATCH, np.eye(5, 3)),
        SettingError,
        "HingeEmbeddingCriterion.updateOutput: target must be 1 or -1, got target[0, 1] = 0.0",
    ),
    (
        lambda: nn.HingeEmbeddingCriterion().forward(BATCH, 1),
        ShapeError,
        "HingeEmbeddingCriterion.updateOutput: target must be (5, 3), got int",
    ),
    (
        lambda: nn.L1HingeEmbeddingCriterion().forward([BATCH, BATCH], 0),
        SettingError,
        "L1HingeEmbeddingCriterion.updateOutput: target must be 1 or -1, got target = 0.0",
    ),
    (
        lambda: nn.L1HingeEmbeddingCriterion().forward([BATCH, BATCH], np.ones(5)),
        ShapeError,
        "L1HingeEmbeddingCriterion.updateOutput: target must be a number, got (5,)",
    ),
    (
        lambda: nn.CosineEmbeddingCriterion().forward([IMAGE, IMAGE], ROWS * 1.0),
        ShapeError,
        "CosineEmbeddingCriterion.updateOutput: input must be two arrays (K,) or (N, K), "
        "got [(2, 3, 4, 5), (2, 3, 4, 5)]",
    ),
    (
        lambda: nn.MarginRankingCriterion().forward([BATCH, BATCH[0]], BATCH),
        ShapeError,
        "MarginRankingCriterion.updateOutput: input[1] must be (5, 3) like input[0], got (3,)",
    ),
    (
        lambda: nn.MarginRankingCriterion().forward([BATCH, BATCH], BATCH.astype("float32")),
        DTypeError,
        "MarginRankingCriterion.updateOutput: target must be float64 like input, got float32\n"
        "  hint: target.astype('float64')",
    ),
    (
        lambda: nn.SpatialAutoCropMSECriterion().forward(IMAGE, IMAGE[:, :, 1:]),
        ShapeError,
        "SpatialAutoCropMSECriterion.updateOutput: target must be "
        "(2, 3, at least 4, at least 5), got (2, 3, 3, 5)\n"
        "  hint: the two fit the other way round: forward(input, target)",
    ),
    (
        lambda: nn.SpatialAutoCropMSECriterion().forward(IMAGE[:, :1], IMAGE),
        ShapeError,
        "SpatialAutoCropMSECriterion.updateOutput: target must be "
        "(2, 1, at least 4, at least 5), got (2, 3, 4, 5)",
    ),
    (
        lambda: nn.ClassSimplexCriterion(1),
        SettingError,
        "ClassSimplexCriterion: nClasses must be at least 2, got 1",
    ),
    (
        lambda: nn.ClassSimplexCriterion(4).getPredictions(BATCH),
        ShapeError,
        "ClassSimplexCriterion.getPredictions: input must be (4,) or (N, 4), got (5, 3)",
    ),
    (
        lambda: nn.MultiMarginCriterion(3),
        SettingError,
        "MultiMarginCriterion: p must be 1 or 2, got 3",
    ),
    (
        lambda: nn.MarginCriterion("wide"),
        DTypeError,
        "MarginCriterion: margin must be a number, got 'wide'",
    ),
    (
        lambda: nn.MultiCriterion().add(nn.MSECriterion),
        DTypeError,
        "MultiCriterion.add: criterion must be a Criterion, got the class MSECriterion\n"
        "  hint: MSECriterion() makes one",
    ),
    (
        lambda: nn.ModuleCriterion(nn.MSECriterion(), nn.AbsCriterion()),
        DTypeError,
        "ModuleCriterion.__init__: inputModule must be a Module, got AbsCriterion",
    ),
    (
        lambda: nn.ParallelCriterion().add(nn.MSECriterion()).forward([BATCH], [BATCH, BATCH]),
        ShapeError,
        "ParallelCriterion.updateOutput: target must be a table of 1 entry, got [(5, 3), (5, 3)]",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS)
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_a_wrong_target_changes_nothing():
    criterion = nn.CrossEntropyCriterion()
    loss = criterion.forward(SCORES, CLASSES)
    logs = criterion.lsm.output
    with pytest.raises(IndexError):
        criterion.forward(SCORES + 1, CLASSES + 4)
    assert criterion.output == criterion.nll.output == loss
    assert criterion.lsm.output is logs


def test_a_certain_label_has_a_gradient():
    """Where sigmoid(input) is 1, its distance from the target 1 is not 0."""
    criterion = nn.MultiLabelSoftMarginCriterion()
    x, target = np.array([[40.0, -40.0, 3.0]]), np.array([[1.0, 0.0, 0.25]])
    gradInput = criterion.backward(x, target)
    expected = np.array([[-np.exp(-40), np.exp(-40), 1 / (1 + np.exp(-3)) - 0.25]]) / 3
    np.testing.assert_allclose(gradInput, expected, rtol=1e-14)


def test_what_fits_the_other_way_round_may_overflow():
    class Growth(nn.Criterion):
        def updateOutput(self, input, target):
            if input.ndim != 2:
                raise ShapeError("Growth: input must be (N, n)", layer=self, argument="input")
            self.output = float(np.exp(input * target).sum())
            return self.output

    with np.errstate(all="raise"), pytest.raises(ShapeError) as error:
        Growth().forward(np.full(2, 1e3), np.ones((2, 2)))
    assert "the two fit the other way round" in str(error.value)
