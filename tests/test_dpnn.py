"""The layers and criterions of dpnn and nnx: what they draw, refuse and leave as it is."""

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.kernels import gamma


@pytest.fixture
def mp():
    """Return the functions of mpmath: without it, only what asks for them is left out."""
    return pytest.importorskip("mpmath").mp


def message(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


# ---------------------------------------------------------------- dropout


def test_a_lazy_mask_stays_until_a_backward():
    random.manualSeed(3)
    layer, x = nn.Dropout(0.5, lazy=True), np.ones((4, 8))
    first = layer.forward(x)
    assert np.array_equal(layer.forward(2 * x), 2 * first)
    layer.backward(2 * x, x)
    assert np.array_equal(layer.gradInput, first)
    second = layer.forward(x)
    assert not np.array_equal(second, first)
    layer.forget()
    third = layer.forward(x)
    assert not np.array_equal(third, second)
    assert layer.forward(x[:2]).shape == (2, 8)
    assert layer.float().forward(x.astype("float32")).dtype == np.float32


def test_a_lazy_mask_is_one_a_sequence():
    random.manualSeed(3)
    net = nn.Sequencer(nn.Sequential(nn.Dropout(0.5, lazy=True), nn.CMul(8)))
    net.modules[0].apply(lambda part: part.weight is not None and part.weight.fill(1))
    x, masks = np.ones((3, 4, 8)), []
    for _ in range(3):
        output = net.forward(x)
        assert np.array_equal(output[0], output[1])
        assert np.array_equal(output[0], output[2])
        assert np.array_equal(net.backward(x, x), output)
        masks.append(output[0])
    assert not np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[1], masks[2])


def test_a_mono_mask_is_one_for_all_rows():
    random.manualSeed(3)
    layer = nn.Dropout(0.5, mono=True)
    output = layer.forward(np.ones((4, 3, 5)))
    assert layer.noise.shape == (1, 3, 5)
    assert all(np.array_equal(output[0], row) for row in output)
    assert len(np.unique(output)) == 2
    assert repr(nn.Dropout(0.25, lazy=True, mono=True)) == "Dropout(0.250000, lazy, mono)"
    assert repr(nn.Dropout(0.25)) == "Dropout(0.250000)"


def test_lazy_draws_what_dropout_draws():
    x, outputs = np.ones((4, 8)), []
    for layer in (nn.Dropout(0.5), nn.Dropout(0.5, lazy=True)):
        random.manualSeed(3)
        outputs.append(layer.forward(x))
    assert np.array_equal(*outputs)


def test_regions_are_at_the_four_edges():
    layer, x = nn.SpatialRegionDropout(0.25), np.ones((2, 1, 4, 8))
    edges = {}
    for seed in range(30):
        random.manualSeed(seed)
        edge = random.random(4)
        random.manualSeed(seed)
        edges[edge] = layer.forward(x)
        assert random.random() == drawn_after(seed, 1)
    wanted = np.full((4, 4, 8), 1 / 0.75)
    wanted[0, :1] = wanted[1, 3:] = wanted[2, :, :2] = wanted[3, :, 6:] = 0
    for edge in range(4):
        assert np.array_equal(edges[edge + 1], np.broadcast_to(wanted[edge], x.shape))
    assert np.array_equal(nn.SpatialRegionDropout(0.2).forward(x), np.full(x.shape, 1.25))


def drawn_after(seed, words):
    random.manualSeed(seed)
    return [random.random() for _ in range(words + 1)][-1]


def test_total_dropout_draws_one_number():
    random.manualSeed(3)
    nn.TotalDropout(0).forward(np.ones((4, 3)))
    assert random.random() == drawn_after(3, 1)
    layer = nn.TotalDropout(0.5).evaluate()
    assert layer.backward(np.ones(2), np.array([3.0, 4.0])).tolist() == [3, 4]


# ---------------------------------------------------------------- what draws, and is rewarded


def rewarded(layer, input, reward):
    layer.forward(input)
    layer.reinforce(np.array(reward))
    return layer.backward(input, np.zeros_like(layer.output))


def test_a_reward_reaches_what_draws_wherever_it_stands():
    inner, other = nn.ReinforceBernoulli(), nn.ReinforceNormal(1)
    net = nn.Sequential(nn.Linear(2, 2), nn.ConcatTable(inner))
    net.other = {"one": [other]}
    reward = np.array([1.0])
    assert net.reinforce(reward) is net
    assert inner.reward is other.reward is reward


def test_steps_are_rewarded_together_or_apart():
    rewards = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])
    x = np.arange(12.0).reshape(3, 2, 2) / 8
    for net in (nn.Recursor(draws()), nn.Sequencer(draws())):
        for given, wanted in [
            (rewards, rewards),
            (list(rewards), rewards),
            (rewards[0], rewards[[0, 0, 0]]),
        ]:
            gradient = gradient_with(net, x, given)
            apart = [gradient_of_step(net, x, t, wanted[t]) for t in range(3)]
            assert gradient == pytest.approx(sum(apart))
        apart = [gradient_of_step(net, x, t, rewards[t]) for t in (1, 2)]
        assert gradient_with(net, x, rewards[1:]) == pytest.approx(sum(apart))


def draws():
    net = nn.Sequential(nn.Linear(2, 1), nn.ReinforceNormal(0.5))
    net[0].weight[:], net[0].bias[:] = [[1, -2]], 0.5
    return net


def gradient_with(net, x, reward):
    random.manualSeed(9)
    net.zeroGradParameters().forget()
    if isinstance(net, nn.Sequencer):
        net.forward(x)
        net.reinforce(reward).backward(x, np.zeros((3, 2, 1)))
    else:
        outputs = [net.forward(step) for step in x]
        net.reinforce(reward)
        for step, output in zip(x[::-1], outputs[::-1], strict=True):
            net.backward(step, 0 * output)
    return net.parameters()[1][0].copy()


def gradient_of_step(net, x, t, reward):
    random.manualSeed(9)
    noise = random.normal(size=(3, 2, 1))[t]
    # gradInput of what draws is -reward * 0.5 * noise / 0.5**2.
    return -(reward[:, None] * noise / 0.5).T @ x[t]


def test_more_rewards_than_steps_are_refused():
    net = nn.Recursor(draws())
    net.forward(np.ones((2, 2)))
    assert message(lambda: net.reinforce([np.ones(2)] * 2), StateError) == (
        "Recursor.reinforce: there are 2 rewards, and only 1 steps are kept\n"
        "  hint: call forward(input) first, once for each step"
    )


def test_one_reward_for_all_steps_takes_back_those_of_each():
    net, rewards = nn.Recursor(draws()), np.array([[1.0, 2], [3, 4]])
    for step in np.ones((2, 2, 2)):
        net.forward(step)
    net.reinforce(rewards)
    assert [step.reward.tolist() for step in net.steps] == rewards.tolist()
    net.reinforce(rewards[0])
    assert [step.reward for step in net.steps] == [None, None]


def test_recurrent_modules_inside_are_told_rewards_of_steps_without_a_look_at_all_steps():
    class Steps(list):
        looks = 0

        def __iter__(self):
            self.looks += 1
            return super().__iter__()

    inner = nn.Recursor(draws())
    net, x = nn.Recursor(inner), np.ones((3, 2, 2))
    for step in x:
        net.forward(step)
    inner.steps = Steps(inner.steps)
    net.reinforce(x[:, :, 0])
    assert inner.steps.looks == 0


def test_a_wrong_reward_of_a_step_leaves_all_as_they_are():
    net, good = nn.Recursor(draws()), np.ones(2)
    for step in np.ones((3, 2, 2)):
        net.forward(step)
    net.reinforce([2 * good, 3 * good, 4 * good])
    with pytest.raises(ShapeError):
        net.reinforce([good, good, np.ones((2, 1))])
    assert [step.reward[0] for step in net.steps] == [2, 3, 4]
    assert net.modules[0][1].reward.tolist() == [4, 4]


def test_normal_numbers_are_those_of_the_stream():
    mean = np.arange(6.0).reshape(3, 2)
    random.manualSeed(4)
    draws = random.normal(size=(3, 2))
    for stdev in (0.5, np.array([0.5, 2]), np.full((3, 2), 0.5)):
        random.manualSeed(4)
        layer = nn.ReinforceNormal(stdev)
        gradient = rewarded(layer, mean, [1.0, -2.0, 0.0])
        assert np.array_equal(layer.output, mean + stdev * draws)
        wanted = -np.array([[1], [-2], [0]]) * (layer.output - mean) / np.square(stdev)
        assert gradient == pytest.approx(wanted)
    assert layer.evaluate().forward(mean) is mean
    layer.stochastic = True
    assert layer.forward(mean) is not mean


def test_classes_are_drawn_as_multinomial_draws_them():
    p = np.array([[0.1, 0.2, 0.7], [3.0, 0.0, 1.0], [0.0, 0.0, 2.0]])
    for seed in range(20):
        random.manualSeed(seed)
        wanted = random.multinomial(p, 1)[:, 0]
        random.manualSeed(seed)
        output = nn.ReinforceCategorical().forward(p)
        assert np.array_equal(output, np.eye(3)[wanted])


def test_the_gradient_of_gamma_is_that_of_its_density(mp):
    random.manualSeed(5)
    k, scale = np.array([[0.25, 3.5]]), np.array([[2.0, 0.75]])
    layer = nn.ReinforceGamma()
    gradients = rewarded(layer, [k, scale], [-1.0])

    def log_density(x, k, s):
        return (k - 1) * mp.log(x) - x / s - mp.loggamma(k) - k * mp.log(s)

    with mp.workdps(30):
        of_shape = rewarded_at(mp, layer.output, k, log_density, scale)
        of_scale = rewarded_at(mp, layer.output, scale, lambda x, s, k: log_density(x, k, s), k)
    assert gradients[0] == pytest.approx(of_shape, rel=1e-12)
    assert gradients[1] == pytest.approx(of_scale, rel=1e-12)
    own = nn.ReinforceGamma(np.array([2.0, 0.75]))
    own.forward(k)
    own.output = layer.output
    assert np.array_equal(own.reinforce(np.array([-1.0])).backward(k, k), gradients[0])


def rewarded_at(mp, x, at, density, other):
    return np.array(
        [
            [float(mp.diff(lambda p, x=x, o=o: density(x, p, o), a)) for x, a, o in rows]
            for rows in (zip(x[0].tolist(), at[0].tolist(), other[0].tolist(), strict=True),)
        ]
    )


@pytest.mark.parametrize("shape", [0.5, 1.0, 7.5])
def test_gamma_numbers_have_their_moments_and_distribution(mp, shape):
    random.manualSeed(6)
    draws = np.sort(gamma.gamma_draws(np.full(5000, shape)))
    assert draws.mean() == pytest.approx(shape, rel=0.06)
    assert draws.var() == pytest.approx(shape, rel=0.12)
    at = [draws[i] for i in range(250, 5000, 475)]
    share = np.arange(250, 5000, 475) / 5000
    wanted = [float(mp.gammainc(shape, 0, x, regularized=True)) for x in at]
    assert np.abs(share - wanted).max() < 0.0272  # Kolmogorov's, of one in 700


def test_gamma_numbers_are_made_of_the_stream():
    def by_hand(shape):
        d = shape - 1 / 3
        x, u = random.normal(), random.uniform()
        v = (1 + x / (9 * d) ** 0.5) ** 3
        assert np.log(1 - u) < x * x / 2 + d - d * v + d * np.log(v), "it takes another"
        return d * v

    for shape in (3.0, 1.0, 0.25):
        random.manualSeed(2)
        (made,), after = gamma.gamma_draws(np.array([shape])), random.random()
        random.manualSeed(2)
        wanted = by_hand(shape) if shape >= 1 else by_hand(1.25) * (1 - random.uniform()) ** 4
        assert made == pytest.approx(wanted, rel=1e-14)
        assert random.random() == after


def test_digamma_is_right_everywhere(mp):
    x = np.geomspace(1e-5, 1e5, 50)
    wanted = np.array([float(mp.digamma(value)) for value in x])
    assert gamma.digamma(x) == pytest.approx(wanted, rel=1e-14, abs=1e-14)


def test_a_reward_is_needed_and_fits():
    layer, p = nn.ReinforceBernoulli(), np.array([[0.5], [0.25]])
    layer.forward(p)
    assert message(lambda: layer.backward(p, p), StateError) == (
        "ReinforceBernoulli.updateGradInput: there is no reward\n"
        "  hint: reinforce(reward) of the network, which a criterion of rewards calls"
    )
    layer.reinforce(np.ones(3))
    assert message(lambda: layer.backward(p, p), ShapeError) == (
        "ReinforceBernoulli.updateGradInput: reward must be (2,) like the samples, got (3,)"
    )
    assert message(lambda: layer.reinforce(np.ones((3, 1))), ShapeError) == (
        "ReinforceBernoulli.reinforce: reward must be (N,), got (3, 1)"
    )
    assert layer.reward.shape == (3,)
    assert message(lambda: layer.backward(p + 0.125, p), StateError) == (
        "ReinforceBernoulli.updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: the output is drawn there"
    )
    # A failed forward has changed nothing.
    categorical = nn.ReinforceCategorical().reinforce(np.ones(1))
    categorical.forward(np.array([[0.5, 0.5]]))
    output = categorical.output
    assert message(lambda: categorical.forward(np.array([[-0.5, 1.5]])), SettingError) == (
        "ReinforceCategorical.updateOutput: input must be at least 0, with a finite sum above 0 in "
        "each row, got input[0, 0] = -0.5"
    )
    assert categorical.output is output
    categorical.backward(np.array([[0.5, 0.5]]), np.ones((1, 2)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_can_only_be_drawn_one_way_teaches_nothing(dtype):
    p, zero = np.array([[0.0, 1.0, 0.5]], dtype), np.zeros((1, 3), dtype)
    reward = np.array([3.0], dtype)
    layer = nn.ReinforceBernoulli()
    assert layer.forward(p)[0, :2].tolist() == [0, 1]
    gradInput = layer.reinforce(reward).backward(p, zero)
    assert gradInput.dtype == dtype
    assert gradInput.tolist() == [[0, 0, 6 - 12 * layer.output[0, 2]]]

    mean, stdev = np.ones((1, 3), dtype), np.array([[0.0, 1e-30, 2.0]], dtype)
    layer = nn.ReinforceNormal()
    drawn = layer.forward([mean, stdev])
    assert drawn[0, :2].tolist() == [1, 1]
    gradMean, gradStdev = layer.reinforce(reward).backward([mean, stdev], zero)
    assert gradMean.dtype == gradStdev.dtype == dtype
    assert gradMean[0, :2].tolist() == [0, 0]
    assert gradMean[0, 2] == -3 * (drawn[0, 2] - 1) / 4
    assert gradStdev[0, 0] == 0

    layer = nn.ReinforceNormal(stdev[0])
    layer.forward(mean)
    assert layer.reinforce(reward).backward(mean, zero)[0, :2].tolist() == [0, 0]


def test_nan_is_drawn_of_nan():
    p = np.array([[0.5, np.nan]])
    assert np.isnan(nn.ReinforceBernoulli().forward(p)).tolist() == [[False, True]]
    reward = nn.VRClassReward(nn.ReinforceBernoulli())
    scores = np.array([[1.0, np.nan], [0.0, 1.0]])
    assert np.isnan(reward.forward([scores, np.zeros(2)], np.array([1, 1])))


# ---------------------------------------------------------------- rewards


def test_rewards_have_a_scale_and_a_sum():
    net = nn.ReinforceBernoulli()
    criterion = nn.VRClassReward(net, 3, nn.AbsCriterion())
    criterion.sizeAverage = False
    x = [np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]]), np.array([[1.0], [5.0], [0.5]])]
    target = np.array([1, 1, 1])
    assert criterion.forward(x, target) == -6
    gradient = criterion.backward(x, target)
    assert gradient[0].tolist() == np.zeros((3, 2)).tolist()
    assert gradient[1] == pytest.approx(np.array([[-1], [1], [-1]]) / 3)
    assert net.reward.tolist() == [2, -5, 2.5]
    assert criterion.reward.tolist() == [3, 0, 3]
    assert criterion.vrReward is net.reward


def test_a_reward_is_of_its_own_arguments():
    net = nn.ReinforceBernoulli()
    criterion = nn.BinaryClassReward(net)
    x, y = [np.array([0.75]), np.array([0.5])], [np.array([0.25]), np.array([0.5])]
    criterion.forward(x, np.array([True]))
    criterion.backward(y, np.array([1.0]))
    assert net.reward.tolist() == [-0.5]


def test_a_reward_criterion_refers_to_its_network():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReinforceBernoulli())
    criterion = nn.VRClassReward(net)
    assert criterion.float().module is net
    assert net.type() == np.float64
    net.reward_of_it = criterion
    other = net.clone()
    assert other.reward_of_it.module is other


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (
            lambda: nn.VRClassReward(nn.ReLU),
            DTypeError,
            "VRClassReward: module must be a Module, got type",
        ),
        (
            lambda: nn.BinaryClassReward(nn.ReLU(), 1, nn.ReLU()),
            DTypeError,
            "BinaryClassReward: criterion must be a Criterion, got ReLU",
        ),
        (
            lambda: nn.VRClassReward(nn.ReLU()).forward(
                [np.ones((3, 2)), np.ones((2, 1))], np.zeros(3, int)
            ),
            ShapeError,
            "VRClassReward.updateOutput: input[1] must be (3,) or (3, 1), got (2, 1)",
        ),
        (
            lambda: nn.VRClassReward(nn.ReLU()).forward([np.ones(3), np.ones(3)], np.zeros(3, int)),
            ShapeError,
            "VRClassReward.updateOutput: input[0] must be (N, C), got (3,)",
        ),
        (
            lambda: nn.VRClassReward(nn.ReLU()).forward(
                [np.ones((3, 2)), np.ones(3)], np.zeros(2, int)
            ),
            ShapeError,
            "VRClassReward.updateOutput: target must be (3,), got (2,)",
        ),
        (
            lambda: nn.VRClassReward(nn.ReLU()).backward(
                [np.ones((3, 2)), np.ones(3)], np.array([0, 2, 1])
            ),
            IndexError,
            "VRClassReward.updateGradInput: target[1] = 2 is out of range for 2 classes, counting "
            "from 0",
        ),
        (
            lambda: nn.BinaryClassReward(nn.ReLU()).forward([np.ones(2)] * 2, np.array([0, 2])),
            SettingError,
            "BinaryClassReward.updateOutput: target must be 0 or 1, got target[1] = 2",
        ),
        (
            lambda: nn.BinaryClassReward(nn.ReLU()).forward([np.ones((2, 1))] * 2, np.ones(2)),
            ShapeError,
            "BinaryClassReward.updateOutput: input[0] must be (N,), got (2, 1)",
        ),
        (
            lambda: nn.BinaryClassReward(nn.ReLU()).forward([np.ones(2)] * 2, np.ones(3)),
            ShapeError,
            "BinaryClassReward.updateOutput: target must be (2,), got (3,)",
        ),
        (
            lambda: nn.ReinforceNormal(np.array([1.0, 2.0])).forward(np.ones((3, 4))),
            ShapeError,
            "ReinforceNormal.updateOutput: input must be (2,) like stdev, or a batch of such, got "
            "(3, 4)",
        ),
        (
            lambda: nn.ReinforceNormal(-1),
            SettingError,
            "ReinforceNormal: stdev must be positive and finite, got -1",
        ),
        (
            lambda: nn.ReinforceNormal(np.array(1.0)),
            ShapeError,
            "ReinforceNormal: stdev must be a number, or an array of at least one dimension, got "
            "()",
        ),
        (
            lambda: nn.ReinforceNormal(np.array([1])),
            DTypeError,
            "ReinforceNormal.__init__: stdev must be float32, float64, complex64 or complex128, "
            "got int64\n  hint: stdev.astype('float64')",
        ),
        (
            lambda: nn.ReinforceGamma(1).forward(np.array([[0.5, 0.0]])),
            SettingError,
            "ReinforceGamma.updateOutput: input must be above 0, got input[0, 1] = 0.0",
        ),
        (
            lambda: nn.ReinforceGamma().forward([np.ones((1, 2)), np.array([[1.0, -1.0]])]),
            SettingError,
            "ReinforceGamma.updateOutput: scale must be above 0, got scale[0, 1] = -1.0",
        ),
        (
            lambda: nn.ReinforceCategorical().forward(np.ones(3)),
            ShapeError,
            "ReinforceCategorical.updateOutput: input must be (N, C), got (3,)",
        ),
        (
            lambda: nn.Clip(2, 1),
            SettingError,
            "Clip: minval must be at most maxval = 1, got 2",
        ),
        (
            lambda: nn.ArgMax(1).forward(np.ones((2, 3))),
            ShapeError,
            "ArgMax.updateOutput: dimension 1 is out of range for a 1-D sample of input (2, 3), "
            "counting from 0",
        ),
        (
            lambda: nn.ArgMax().forward(np.ones((2, 0))),
            ShapeError,
            "ArgMax.updateOutput: input must be an array with entries along dimension 1, got (2, "
            "0)",
        ),
        (
            lambda: nn.ReverseTable().forward(np.ones(2)),
            DTypeError,
            "ReverseTable.updateOutput: input must be a table (a list), got ndarray\n"
            "  hint: a list of arrays: [input, ...]",
        ),
        (
            lambda: nn.CategoricalEntropy().forward(np.ones(2)),
            ShapeError,
            "CategoricalEntropy.updateOutput: input must be (N, C), got (2,)",
        ),
        (
            lambda: nn.SpatialFeatNormalization(np.ones(2), np.ones(3)),
            ShapeError,
            "SpatialFeatNormalization: std must be (2,) like mean, got (3,)",
        ),
        (
            lambda: nn.SpatialFeatNormalization(np.ones((2, 1))),
            ShapeError,
            "SpatialFeatNormalization: mean must be (C,), got (2, 1)",
        ),
        (
            lambda: nn.SpatialFeatNormalization(np.ones(2)).forward(np.ones((3, 4, 2))),
            ShapeError,
            "SpatialFeatNormalization.updateOutput: input must be (2, H, W) or (N, 2, H, W), got "
            "(3, 4, 2)\n  hint: np.moveaxis(input, -1, -3) has the planes before the pixels",
        ),
        (
            lambda: nn.SpatialRegionDropout().forward(np.ones((3, 4))),
            ShapeError,
            "SpatialRegionDropout(0.200000).updateOutput: input must be (C, H, W) or (N, C, H, W), "
            "got (3, 4)",
        ),
        (
            lambda: nn.BinaryLogisticRegression().forward(np.ones((3, 2)), np.ones((3, 2))),
            ShapeError,
            "BinaryLogisticRegression.updateOutput: input must be (N,) or (N, 1), got (3, 2)",
        ),
        (
            lambda: nn.SpatialBinaryLogisticRegression().forward(
                np.ones((3, 2, 2)), np.ones((3, 2, 2))
            ),
            ShapeError,
            "SpatialBinaryLogisticRegression.updateOutput: input must be (1, H, W) or (N, 1, H, "
            "W), got (3, 2, 2)",
        ),
        (
            lambda: nn.TreeNLLCriterion().forward(np.ones((2, 1))),
            ShapeError,
            "TreeNLLCriterion.updateOutput: input must be (N,), got (2, 1)",
        ),
        (
            lambda: nn.NCECriterion().forward(
                [np.ones(2), np.ones((2, 3)), np.ones(2), np.ones(2)]
            ),
            ShapeError,
            "NCECriterion.updateOutput: input must be [(N,), (N, k), (N,), (N, k)], got [(2,), (2, "
            "3), (2,), (2,)]",
        ),
        (
            lambda: nn.FireModule(2, 1, 1, 1, "MSECriterion"),
            SettingError,
            'FireModule: activation must be the name of a module, such as "ReLU", got '
            "'MSECriterion'",
        ),
        (
            lambda: nn.Inception([1]),
            DTypeError,
            "Inception: config must be a dict, got list",
        ),
        (
            lambda: nn.Inception({"inputSize": 1, "outputSize": [1]}),
            SettingError,
            "Inception: config must be a dict with 'reduceSize', got none",
        ),
        (
            lambda: nn.Inception({"inputsize": 1}),
            SettingError,
            "Inception: config must be keys of inputSize, outputSize, reduceSize, reduceStride, "
            "transfer, batchNorm, padding, kernelSize, kernelStride, poolSize, poolStride, pool, "
            "got 'inputsize'",
        ),
        (
            lambda: nn.Inception({"inputSize": 1, "outputSize": 1, "reduceSize": [1]}),
            DTypeError,
            "Inception: config['outputSize'] must be a list, got int",
        ),
        (
            lambda: nn.Inception({"inputSize": 1, "outputSize": [1], "reduceSize": [1]}),
            SettingError,
            "Inception: config['outputSize'] must be at least 2 long, as kernelSize, got 1",
        ),
        (
            lambda: nn.Inception(
                {"inputSize": 1, "outputSize": [1] * 2, "reduceSize": [1] * 2, "pool": "max"}
            ),
            DTypeError,
            "Inception: config['pool'] must be a Module, got str",
        ),
        (
            lambda: nn.SpatialGlimpse(2, 1, 0.5),
            SettingError,
            "SpatialGlimpse: scale must be at least 1, got 0.5",
        ),
        (
            lambda: nn.SpatialGlimpse(2).forward([np.ones((3, 1, 4, 4)), np.ones((2, 2))]),
            ShapeError,
            "SpatialGlimpse.updateOutput: input[1] must be (3, 2), got (2, 2)",
        ),
        (
            lambda: nn.SpatialGlimpse(2).forward([np.ones((4, 4)), np.ones(2)]),
            ShapeError,
            "SpatialGlimpse.updateOutput: input[0] must be (C, H, W) or (N, C, H, W), got (4, 4)",
        ),
        (
            lambda: nn.SpatialGlimpse(2, 1).forward([np.ones((1, 1, 3)), np.ones(2)]),
            ShapeError,
            "SpatialGlimpse.updateOutput: input[0] must be images of at least 2 x 2, got (1, 1, 3)",
        ),
    ],
)
def test_what_is_refused(call, kind, said):
    assert message(call, kind) == said


# ---------------------------------------------------------------- small ones


def test_planes_are_normalized_in_the_precision_of_mean():
    mean = np.array([1, 2], "float32")
    layer = nn.SpatialFeatNormalization(mean)
    assert layer.type() == np.float32
    assert layer.std.tolist() == [1, 1]
    mean[:] = 9
    assert layer.forward(np.ones((2, 1, 1), "float32")).ravel().tolist() == [0, -1]
    assert layer.double().mean.dtype == np.float64


def test_places_of_the_largest():
    x = np.array([[1.0, 7.0], [9.0, 3.0], [5.0, 9.0]])
    assert nn.ArgMax().forward(x).tolist() == [1, 0, 1]
    assert nn.ArgMax(-1).forward(x).tolist() == [1, 0, 1]
    assert nn.ArgMax(0, 2).forward(x).tolist() == [1, 2]
    assert nn.ArgMax().forward(x[:, 0]).tolist() == [1]
    # As in Torch7, all dimensions but the first are the sample's.
    assert nn.ArgMax(1, 1).forward(x[None]).tolist() == [[1, 0, 1]]
    numbers = nn.ArgMax(0, 1, False).forward(x.astype("float32"))
    assert numbers.dtype == np.float32
    assert nn.ArgMax().backward(x, np.array([1, 1, 1])).tolist() == np.zeros((3, 2)).tolist()


def test_an_entropy_that_is_large_enough_is_left():
    x = np.array([[0.25, 0.75], [0.75, 0.25]])
    g = np.ones((2, 2))
    assert nn.CategoricalEntropy(1, 0.5).backward(x, g) is g
    pulled = nn.CategoricalEntropy(1, 0.7).backward(x, g)
    assert np.array_equal(pulled, nn.CategoricalEntropy().backward(x, g))
    assert nn.CategoricalEntropy(3).backward(x, g) - g == pytest.approx(3 * (pulled - g))
    assert nn.CategoricalEntropy().backward(x[:0], g[:0]).shape == (0, 2)


def test_logistic_losses_keep_their_output():
    x, t = np.array([0.0, 2.0]), np.array([1.0, -1.0])
    criterion = nn.BinaryLogisticRegression(False)
    assert (
        criterion.forward(x, t) == criterion.output == pytest.approx(np.log(2) + np.log1p(np.e**2))
    )
    assert np.array_equal(criterion.backward(x, t), nn.SoftMarginCriterion(False).backward(x, t))
    images = nn.SpatialBinaryLogisticRegression()
    x, t = np.ones((2, 1, 3, 4)), np.ones((2, 1, 3, 4))
    assert images.forward(x, t) == pytest.approx(np.log1p(np.exp(-1)) / 2)
    assert images.forward(x[0], t[0]) == pytest.approx(np.log1p(np.exp(-1)) / 2)
    images.sizeAverage = False
    assert images.forward(x, t) == pytest.approx(np.log1p(np.exp(-1)))
    assert images.backward(x, t).sum() == pytest.approx(-1 / (1 + np.e))
    assert images.forward(x[:0], t[:0]) == 0


def test_networks_take_one_image_and_a_batch():
    fire = nn.FireModule(2, 1, 2, 3, "Tanh")
    inception = nn.Inception({"inputSize": 2, "outputSize": [2, 1], "reduceSize": [1, 2]})
    x = np.random.default_rng(0).normal(size=(3, 2, 5, 6))
    for net in (fire, inception):
        whole = net.forward(x)
        gradient = net.zeroGradParameters().backward(x, whole, 2)
        summed = [g.copy() for g in net.parameters()[1]]
        net.zeroGradParameters()
        for image, output, expected in zip(x, whole, gradient, strict=True):
            assert net.forward(image) == pytest.approx(output)
            assert net.backward(image, output, 2) == pytest.approx(expected)
        for one, other in zip(net.parameters()[1], summed, strict=True):
            assert one == pytest.approx(other)
    assert len(inception.modules[0]) == 3
    assert repr(fire).startswith("FireModule @ Sequential {")


def test_an_inception_is_what_its_config_says():
    net = nn.Inception(
        {
            "inputSize": 2,
            "outputSize": [3],
            "reduceSize": [4, None, 5],
            "reduceStride": [2, None, 3],
            "kernelSize": [5],
            "kernelStride": [7],
            "padding": False,
            "batchNorm": True,
            "transfer": nn.Tanh(),
            "poolSize": 4,
            "poolStride": 6,
        }
    )
    columns = [[repr(part) for part in column] for column in net.modules[0]]
    assert columns == [
        [
            "SpatialConvolution(2 -> 4, 1x1, 2,2)",
            "SpatialBatchNormalization (4D) (4)",
            "Tanh",
            "SpatialConvolution(4 -> 3, 5x5, 7,7)",
            "SpatialBatchNormalization (4D) (3)",
            "Tanh",
        ],
        ["SpatialMaxPooling(4x4, 6,6)"],
        ["SpatialConvolution(2 -> 5, 1x1, 3,3)", "SpatialBatchNormalization (4D) (5)", "Tanh"],
    ]
    assert net.modules[0][0][2] is not net.modules[0][0][5]


def test_glimpses_at_the_edges():
    image = np.arange(1.0, 26).reshape(1, 5, 5)
    layer = nn.SpatialGlimpse(3, 1)
    corner = layer.forward([image, np.array([-1.0, -1.0])])
    assert corner.tolist() == [[[0, 0, 0], [0, 1, 2], [0, 6, 7]]]
    assert np.array_equal(layer.forward([image, np.array([-7.0, -1.5])]), corner)
    assert layer.forward([image, np.array([0.0, 1.0])]).tolist() == [
        [[9, 10, 0], [14, 15, 0], [19, 20, 0]]
    ]
    wide = nn.SpatialGlimpse([1, 2], 2).forward([image, np.array([0.0, 0.0])])
    assert wide.tolist() == [[[12, 13]], [[9, 11]]]


# ---------------------------------------------------------------- SoftMaxTree

TREE = {5: [2, 0, 7], 0: np.array([1, 3]), 7: (4, 6, 8)}


def test_the_probabilities_of_a_tree_add_up():
    random.manualSeed(2)
    tree = nn.SoftMaxTree(3, TREE, 5)
    assert tree.childIds == [2, 0, 7, 1, 3, 4, 6, 8]
    leaves = np.array([2, 1, 3, 4, 6, 8])
    x = np.random.default_rng(0).normal(size=3)
    log_p = tree.forward([np.tile(x, (6, 1)), leaves])
    assert np.exp(log_p).sum() == pytest.approx(1)
    logits = tree.weight @ x + tree.bias
    families = [slice(0, 3), slice(3, 5), slice(5, 8)]
    each = np.concatenate([logits[f] - np.log(np.exp(logits[f]).sum()) for f in families])
    assert log_p == pytest.approx(
        [each[0], each[1] + each[3], each[1] + each[4], *(each[2] + each[5:])]
    )


def test_a_tree_draws_its_weight_then_its_bias():
    random.manualSeed(2)
    tree = nn.SoftMaxTree(3, TREE, 5)
    random.manualSeed(2)
    bound = 1 / 24**0.5
    assert np.array_equal(tree.weight, random.uniform(-bound, bound, size=(8, 3)))
    assert np.array_equal(tree.bias, random.uniform(-bound, bound, size=8))


@pytest.mark.parametrize(
    ("hierarchy", "root", "wrong"),
    [
        ({1: [2]}, 0, "no children of rootId 0"),
        ({0: [1], 1: []}, 0, "a parent without children"),
        ({0: [1, 2], 1: [2]}, 0, "a node with two parents, or a root with one"),
        ({0: [1, 1]}, 0, "a node with two parents, or a root with one"),
        ({0: [1], 1: [0]}, 0, "a node with two parents, or a root with one"),
        ({0: [1], 2: [3], 3: [2]}, 0, "parents that do not come from rootId 0"),
    ],
)
def test_what_is_no_tree(hierarchy, root, wrong):
    said = message(lambda: nn.SoftMaxTree(2, hierarchy, root), SettingError)
    assert said == f"SoftMaxTree: hierarchy must be a tree, got {wrong}"


@pytest.mark.parametrize(
    ("hierarchy", "kind", "said"),
    [
        ({0: 5}, DTypeError, "hierarchy[0] must be a list of ids, got 5"),
        ({0: [1, 2.5]}, DTypeError, "hierarchy[0] must be an integer, got 2.5"),
        ({0: [-1]}, SettingError, "hierarchy[0] must be ids of at least 0, got -1"),
        ({-2: [1]}, SettingError, "hierarchy must be ids of at least 0, got -2"),
    ],
)
def test_what_are_no_ids_of_a_tree(hierarchy, kind, said):
    assert message(lambda: nn.SoftMaxTree(3, hierarchy), kind) == f"SoftMaxTree: {said}"


def test_children_of_a_tree_may_come_from_anything():
    tree = nn.SoftMaxTree(3, {0: range(1, 3), 2: iter([5, 4])})
    assert tree.childIds == [1, 2, 5, 4]


def test_what_ignores_its_target_does_not_tell_that_it_fits_the_other_way_round():
    for criterion, x, y in (
        (nn.TreeNLLCriterion(), np.ones((5, 1)), np.ones(5)),
        (nn.L1Cost(), np.ones(5, int), np.ones(5)),
        (nn.CategoricalEntropy(), np.ones(5), np.ones((5, 2))),
    ):
        for method in (criterion.forward, criterion.backward):
            with pytest.raises((ShapeError, DTypeError)) as raised:
                method(x, y)
            assert "the other way round" not in str(raised.value)


def test_targets_of_a_tree_are_leaves():
    tree = nn.SoftMaxTree(2, TREE, 5)
    x = np.ones((2, 2))
    assert message(lambda: tree.forward([x, np.array([1, 7])]), IndexError) == (
        "SoftMaxTree.updateOutput: input[1][1] = 7 is no leaf"
    )
    assert message(lambda: tree.forward([x, np.array([5, 1])]), IndexError) == (
        "SoftMaxTree.updateOutput: input[1][0] = 5 is no leaf"
    )
    assert message(lambda: tree.forward([x, np.array([1, 9])]), IndexError) == (
        "SoftMaxTree.updateOutput: input[1][1] = 9 is out of range for 9 nodes, counting from 0"
    )
    assert message(lambda: tree.forward([x, np.array([1])]), ShapeError) == (
        "SoftMaxTree.updateOutput: input[1] must be (2,), got (1,)"
    )
    assert message(lambda: tree.forward([np.ones((2, 3)), np.array([1, 1])]), ShapeError) == (
        "SoftMaxTree.updateOutput: input[0] must be (N, 2), got (2, 3)"
    )
    assert message(lambda: nn.SoftMaxTree(2, [[1, 2]]), DTypeError) == (
        "SoftMaxTree: hierarchy must be a dict of ids by the id of their parent, got list"
    )


# ---------------------------------------------------------------- noise contrastive estimation


def test_noise_is_drawn_by_its_probabilities():
    random.manualSeed(1)
    counts = np.array([1.0, 0.0, 3.0, 4.0])
    layer = nn.NCEModule(2, 4, 4000, counts, 1)
    layer.forward([np.ones((1, 2)), np.array([1])])
    drawn = np.bincount(layer.sampleidx[:-1], minlength=4) / 4000
    assert drawn == pytest.approx(counts / 8, abs=0.025)
    assert drawn[1] == 0
    assert layer.sampleidx[-1] == 1
    assert counts.tolist() == [1, 0, 3, 4]
    assert layer.unigrams.tolist() == [0.125, 0, 0.375, 0.5]
    other, share = layer.alias_tables()
    kept = np.bincount(np.arange(4), share, 4) + np.bincount(other, 1 - share, 4)
    assert kept / 4 == pytest.approx(layer.unigrams)


def test_noise_of_each_sample_is_its_own():
    random.manualSeed(1)
    layer = nn.NCEModule(2, 4, 3, np.ones(4), 2)
    layer.batchnoise = False
    x, target = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([3, 0])
    Pmt, Pms, Pnt, Pns = layer.forward([x, target])
    assert layer.sampleidx.shape == (2, 4)
    assert layer.sampleidx[:, 0].tolist() == [3, 0]
    every = np.exp(x @ layer.weight.T + layer.bias) / 2
    picked = np.take_along_axis(every, layer.sampleidx, 1)
    assert np.column_stack([Pmt, Pms]) == pytest.approx(picked)
    assert Pnt.tolist() == [0.25, 0.25]
    assert Pns.tolist() == [[0.25] * 3] * 2


def test_Z_is_estimated_once():
    random.manualSeed(1)
    for batchnoise in (True, False):
        layer = nn.NCEModule(2, 4, 3, np.ones(4))
        layer.batchnoise = batchnoise
        x = [np.ones((2, 2)), np.array([3, 0])]
        layer.forward([x[0][:0], x[1][:0]])
        assert layer.Z.tolist() == [-1]
        Pmt, Pms, *_ = layer.forward(x)
        every = Pms if batchnoise else np.column_stack([Pmt, Pms])
        assert every.mean() == pytest.approx(1 / 4)
        Z = layer.Z.item()
        layer.forward([9 * x[0], x[1]])
        assert layer.Z.item() == layer.clone().Z.item() == Z


def test_a_softmax_over_all_classes():
    layer = nn.NCEModule(2, 4, 3, np.ones(4), 1)
    layer.normalized = True
    x = [np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([3, 0])]
    assert len(layer.forward(x)) == 4
    linear = np.exp(x[0] @ layer.weight.T + layer.bias)
    assert layer.evaluate().forward(x) == pytest.approx(linear / linear.sum(1, keepdims=True))
    layer.logsoftmax = True
    assert layer.forward(x) == pytest.approx(np.log(linear / linear.sum(1, keepdims=True)))


def test_first_parameters_of_a_model_of_noise():
    random.manualSeed(1)
    layer = nn.NCEModule(2, 4, 3, np.ones(4))
    random.manualSeed(1)
    assert np.array_equal(layer.weight, nn.Linear(2, 4).weight)
    assert layer.bias.tolist() == [-np.log(4)] * 4
    random.manualSeed(1)
    layer.reset(0.5)
    random.manualSeed(1)
    assert np.array_equal(layer.weight, random.uniform(-0.5, 0.5, size=(4, 2)))
    assert np.array_equal(layer.bias, random.uniform(-0.5, 0.5, size=4))
    assert repr(layer) == "NCEModule(2 -> 4)"
    assert layer.float().unigrams.dtype == np.float64
    assert layer.forward([np.ones((1, 2), "float32"), np.array([0])])[3].dtype == np.float32


def test_what_a_model_of_noise_refuses():
    assert message(lambda: nn.NCEModule(2, 4, 3, np.ones(3)), ShapeError) == (
        "NCEModule: unigrams must be (4,), got (3,)"
    )
    assert message(lambda: nn.NCEModule(2, 2, 3, np.array([1.0, -1.0])), SettingError) == (
        "NCEModule: unigrams must be at least 0, with a finite sum above 0, got [ 1. -1.]"
    )
    layer = nn.NCEModule(2, 4, 3, np.ones(4), 1)
    x, other = [np.ones((2, 2)), np.array([3, 0])], [np.zeros((2, 2)), np.array([3, 0])]
    output = layer.forward(x)
    assert message(lambda: layer.backward(other, output), StateError) == (
        "NCEModule(2 -> 4).updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: the noise is drawn there"
    )
    assert message(lambda: layer.forward([x[0], np.array([4, 0])]), IndexError) == (
        "NCEModule(2 -> 4).updateOutput: input[1][0] = 4 is out of range for 4 classes, counting "
        "from 0"
    )
    assert message(lambda: layer.forward([x[0], np.array([1])]), ShapeError) == (
        "NCEModule(2 -> 4).updateOutput: input[1] must be (2,), got (1,)"
    )
    assert message(lambda: layer.forward([np.ones((2, 3)), x[1]]), ShapeError) == (
        "NCEModule(2 -> 4).updateOutput: input[0] must be (N, 2), got (2, 3)"
    )


def test_a_criterion_of_noise_adds_up_without_average():
    x = [np.full((2,), 0.5), np.full((2, 3), 0.25), np.full((2,), 0.25), np.full((2, 3), 0.5)]
    mean, summed = nn.NCECriterion(), nn.NCECriterion()
    summed.sizeAverage = False
    assert summed.forward(x) == pytest.approx(2 * mean.forward(x))
    for one, other in zip(summed.backward(x), mean.backward(x), strict=True):
        assert one == pytest.approx(2 * other)
    # But for the guard, the gradients of what the model says are the derivatives.
    for place in (0, 1):
        step = [array.copy() for array in x]
        step[place].flat[0] += 1e-6
        slope = (summed.forward(step) - summed.forward(x)) / 1e-6
        assert summed.backward(x)[place].flat[0] == pytest.approx(slope, rel=1e-5)


def test_a_model_learns_by_noise():
    """Of two classes that depend on the input, it finds the probabilities."""
    random.manualSeed(7)
    rng = np.random.default_rng(0)
    net, criterion = nn.NCEModule(2, 4, 8, np.ones(4), 1), nn.NCECriterion()
    inputs = np.eye(2)
    table = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.3, 0.5]])
    for _ in range(400):
        rows = rng.integers(0, 2, 64)
        target = np.array([rng.choice(4, p=table[row]) for row in rows])
        x = [inputs[rows], target]
        net.zeroGradParameters()
        output = net.forward(x)
        criterion.forward(output)
        net.backward(x, criterion.backward(output))
        net.updateParameters(0.5)
    net.evaluate().normalized = True
    assert net.forward([inputs, np.zeros(2, int)]) == pytest.approx(table, abs=0.07)


def test_rewards_teach_what_to_draw():
    """The second class is right, whatever comes in."""
    random.manualSeed(8)
    net = nn.Sequential(nn.Linear(2, 3), nn.SoftMax(), nn.ReinforceCategorical())
    criterion = nn.VRClassReward(net, 1)
    x, target, baseline = np.ones((32, 2)), np.ones(32, int), np.full(32, 0.5)
    for _ in range(60):
        net.zeroGradParameters()
        drawn = net.forward(x)
        criterion.forward([drawn, baseline], target)
        gradient = criterion.backward([drawn, baseline], target)
        net.backward(x, gradient[0])
        net.updateParameters(1)
    assert net.evaluate().forward(x)[0, 1] > 0.9


# ---------------------------------------------------------------- large numbers, none, and others


def test_large_scores_do_not_overflow():
    random.manualSeed(2)
    tree = nn.SoftMaxTree(1, {0: [1, 2]})
    tree.weight[:], tree.bias[:] = [[1], [-1]], 0
    x = [np.array([[1e4], [-1e4]]), np.array([1, 1])]
    assert tree.forward(x).tolist() == [0, -2e4]
    assert tree.backward(x, np.ones(2))[0].tolist() == [[0], [2]]
    model = nn.NCEModule(1, 2, 1, np.ones(2), 1).evaluate()
    model.weight[:], model.bias[:], model.normalized = [[1], [-1]], 0, True
    assert model.forward(x)[:, 1].tolist() == [0, 1]
    model.logsoftmax = True
    assert model.forward([np.array([[1e4], [0.0]]), x[1]]) == pytest.approx(
        np.array([[0, -2e4], [-np.log(2)] * 2])
    )


def test_ids_of_a_tree_may_have_gaps():
    tree = nn.SoftMaxTree(2, {9: [4, 7]}, 9)
    assert message(lambda: tree.forward([np.ones((1, 2)), np.array([5])]), IndexError) == (
        "SoftMaxTree.updateOutput: input[1][0] = 5 is no leaf"
    )


@pytest.mark.parametrize("unigrams", [[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0], [3.0, -1.0]])
def test_unigrams_are_numbers_of_occurrences(unigrams):
    said = message(lambda: nn.NCEModule(2, 2, 3, np.array(unigrams)), SettingError)
    assert said.startswith("NCEModule: unigrams must be at least 0, with a finite sum above 0, got")
    assert nn.NCEModule(2, 2, 3, np.array([2, 6])).unigrams.tolist() == [0.25, 0.75]


def test_a_Z_of_0_is_estimated():
    random.manualSeed(1)
    layer = nn.NCEModule(2, 4, 3, np.ones(4), 0)
    layer.forward([np.ones((2, 2)), np.array([3, 0])])
    assert layer.Z.item() > 0
    assert {"repeat", "gradInput"} <= nn.NCEModule(2, 4, 3, np.ones(4)).exempt.keys()
    assert layer.exempt.keys() == {"batch"}
    complex_one = layer.clone().type("complex128")
    random.manualSeed(3)
    Pmt, *_ = complex_one.forward([np.full((2, 2), 1 + 0j), np.array([3, 0])])
    random.manualSeed(3)
    assert layer.forward([np.ones((2, 2)), np.array([3, 0])])[0] == pytest.approx(Pmt.real)


def test_rewards_of_none_and_of_what_is_unknown():
    criterion = nn.VRClassReward(nn.ReinforceBernoulli())
    none = [np.zeros((0, 2)), np.zeros(0)]
    assert criterion.forward(none, np.zeros(0, int)) == 0
    assert criterion.backward(none, np.zeros(0, int))[0].shape == (0, 2)
    x = [np.array([[np.nan, 0.0], [0.0, 1.0]]), np.zeros(2)]
    criterion.backward(x, np.array([1, 1]))
    assert criterion.reward == pytest.approx(np.array([np.nan, 1]), nan_ok=True)


def test_a_deviation_decides_the_precision():
    layer = nn.ReinforceNormal(np.ones(2, "float32"))
    assert layer.type() == np.float32
    assert layer.forward(np.ones((3, 2), "float32")).dtype == np.float32
    assert message(lambda: layer.reinforce([1.0]), DTypeError) == (
        "ReinforceNormal.reinforce: reward must be an array, got list\n"
        "  hint: np.array(reward, dtype='float32')"
    )
