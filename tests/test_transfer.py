"""Transfer functions: what their rows and Torch7's numbers leave open."""

import math
import weakref
from decimal import Decimal, localcontext

import numpy as np
import pytest
from cases.transfer import CASES

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError

F32 = np.float32

# Kinks and ties


@pytest.mark.parametrize(
    ("layer", "at", "slope"),
    [
        (lambda: nn.ReLU6(), [0.0, 6.0], [0, 0]),
        (lambda: nn.Clamp(-2, 3), [-2.0, 3.0], [0, 0]),
        (lambda: nn.CReLU(1), [0.0], [0]),
        (lambda: nn.ELU(0.5), [0.0], [0.5]),
        (lambda: nn.PReLU(), [0.0], [0.25]),
        (lambda: nn.RReLU(0.5, 0.5), [0.0], [0.5]),
        (lambda: nn.RReLU(0, 1).evaluate(), [0.0], [0.5]),
        (lambda: nn.LeakyReLU(-2), [0.0], [-2]),
    ],
)
def test_derivative_at_the_kink(layer, at, slope):
    layer, x = layer(), np.array(at)
    output = layer.forward(x)
    np.testing.assert_array_equal(layer.backward(x, np.ones_like(output)), slope)


# Digits


def exact_tanh(x):
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def exact_sigmoid(x):
    return 1 / (1 + (-x).exp())


def exact_softplus(x):
    return (1 + x.exp()).ln()


# The function, its derivative, and by how many units in the last place the latter may be off.
EXACT = {
    "ELU": (nn.ELU, lambda x: x if x > 0 else x.exp() - 1, lambda x: x.exp() if x < 0 else 1, 4),
    "ELU-3": (
        lambda: nn.ELU(3),
        lambda x: x if x > 0 else 3 * (x.exp() - 1),
        lambda x: 1 if x > 0 else 3 * x.exp(),
        4,
    ),
    "Exp": (nn.Exp, lambda x: x.exp(), lambda x: x.exp(), 4),
    "LogSigmoid": (nn.LogSigmoid, lambda x: -exact_softplus(-x), lambda x: exact_sigmoid(-x), 4),
    "SoftPlus": (nn.SoftPlus, exact_softplus, exact_sigmoid, 4),
    "SoftPlus-2": (
        lambda: nn.SoftPlus(2),
        lambda x: exact_softplus(2 * x) / 2,
        lambda x: exact_sigmoid(2 * x),
        4,
    ),
    "SoftSign": (nn.SoftSign, lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, 4),
    "TanhShrink": (nn.TanhShrink, lambda x: x - exact_tanh(x), lambda x: exact_tanh(x) ** 2, 4),
    # What is as fast from the output has ten bits less where it is small.
    "Sigmoid": (nn.Sigmoid, exact_sigmoid, lambda x: exact_sigmoid(x) * exact_sigmoid(-x), 2**10),
    "Tanh": (
        nn.Tanh,
        exact_tanh,
        lambda x: 4 * exact_sigmoid(2 * x) * exact_sigmoid(-2 * x),
        2**10,
    ),
}


def units_off(values, exact, dtype):
    """Return how far values are off, in units in the last place of the exact ones.

    Numbers that are too small for all digits of the dtype may be 0.
    """
    tiny, unit = Decimal(float(np.finfo(dtype).tiny)), Decimal(float(np.finfo(dtype).eps))
    off = [
        abs(Decimal(float(value)) - right) / (abs(right) * unit)
        for value, right in zip(values, exact, strict=True)
        if abs(right) > 4 * tiny or abs(Decimal(float(value)) - right) > tiny
    ]
    return float(max(off))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXACT)
def test_no_digits_are_lost(name, dtype):
    make, function, derivative, units = EXACT[name]
    layer = make().type(dtype)
    magnitudes = [*np.linspace(0.125, 50, 400), *10.0 ** np.arange(-12, 0), 88, 30]
    x = np.array([sign * m for m in magnitudes for sign in (1, -1)], dtype)
    with localcontext(prec=120):
        points = [Decimal(float(value)) for value in x]
        assert units_off(layer.forward(x), map(function, points), dtype) <= 4
        exact = [derivative(point) for point in points]
        assert units_off(layer.backward(x, np.ones_like(x)), exact, dtype) <= units


def test_a_closed_gate_has_a_gradient():
    x = np.array([[2.0, 40.0]])
    gradInput = nn.GatedLinearUnit().backward(x, np.array([[1.0]]))
    np.testing.assert_allclose(gradInput[0, 1], 2 * np.exp(-40), rtol=1e-15)


@pytest.mark.parametrize("make", [nn.Sigmoid, nn.Tanh, nn.GatedLinearUnit])
def test_digits_beside_nan_are_kept(make):
    layer, x = make(), np.array([[1.0, np.nan], [2.0, 30.0]])
    whole = layer.backward(x, np.ones_like(layer.forward(x)))
    alone = layer.backward(x[1:], np.ones_like(layer.forward(x[1:])))
    np.testing.assert_allclose(whole[1:], alone, rtol=1e-15)
    assert np.isnan(whole[0, 1])


def test_largest_entries_that_tie_share_softmax():
    np.testing.assert_array_equal(nn.SoftMax().forward(np.array([7.0, 7.0])), [0.5, 0.5])


@pytest.mark.parametrize("slopes", [[0.25, 1.0], [0.0, 0.5], [-1.0, 0.5], [0.5, 2.0]])
def test_prelu_takes_any_slopes(slopes):
    x = np.array([[-2.0, 3.0], [-0.0, -4.0], [np.nan, -np.inf]])
    layer = nn.PReLU(2)
    layer.weight[:] = slopes
    expected = np.where(x > 0, x, layer.weight * x)
    np.testing.assert_array_equal(layer.forward(x), expected)


# Large numbers, small numbers, infinities

BOUNDED = {
    "Abs": nn.Abs,
    "ELU": nn.ELU,
    "GatedLinearUnit": nn.GatedLinearUnit,
    "HardShrink": nn.HardShrink,
    "HardTanh": nn.HardTanh,
    "LeakyReLU": nn.LeakyReLU,
    "LogSigmoid": nn.LogSigmoid,
    "LogSoftMax": nn.LogSoftMax,
    "PReLU": nn.PReLU,
    "Power": lambda: nn.Power(3),
    "ReLU": nn.ReLU,
    "Sigmoid": nn.Sigmoid,
    "SoftMax": nn.SoftMax,
    "SoftMin": nn.SoftMin,
    "SoftPlus": nn.SoftPlus,
    "SoftShrink": nn.SoftShrink,
    "SoftSign": nn.SoftSign,
    "Square": nn.Square,
    "Tanh": nn.Tanh,
    "TanhShrink": nn.TanhShrink,
    "Threshold": nn.Threshold,
}
WIDE = [
    [-1e4, 1e4, -300, 300],
    [-1e4, -1e4, -90, 0.5],
    [1e4, 1e4, 20, -0.5],
    [-17, 17, 1e-4, -1e-4],
]


@pytest.mark.parametrize("make", BOUNDED.values(), ids=BOUNDED.keys())
def test_float32_holds_what_float64_says(make):
    single, double = make().float(), make()
    x = np.array(WIDE, F32)
    exact = x.astype("float64")
    output, expected = single.forward(x), double.forward(exact)
    np.testing.assert_allclose(output, expected, rtol=2e-6, atol=1e-7)
    g = np.linspace(-1, 2, output.size, dtype=F32).reshape(output.shape)
    gradInput = single.backward(x, g)
    expected = double.backward(exact, g.astype("float64"))
    assert gradInput.dtype == F32
    # A derivative that comes from an output near a bound has that output's rounding.
    rounding = 5e-7 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(gradInput, expected, rtol=2e-6, atol=rounding)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "function", "interval"),
    [
        (nn.Sigmoid, lambda x: 1 / (1 + math.exp(-x)), (-80, 80)),
        (nn.SoftPlus, lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0), (-80, 80)),
        (nn.LogSigmoid, lambda x: -math.log1p(math.exp(-abs(x))) + min(x, 0), (-80, 80)),
        (nn.ELU, math.expm1, (-80, 0)),
        (nn.ELU, math.expm1, (-1e-6, 0)),
        (nn.SoftPlus, lambda x: math.log1p(math.exp(x)), (-1e-3, 1e-3)),
    ],
)
def test_small_results_have_all_their_digits(layer, function, interval, dtype):
    x = np.linspace(*interval, 4001, dtype=dtype)
    expected = np.array([function(value) for value in x.tolist()])
    output = layer().forward(x)
    np.testing.assert_allclose(output, expected, rtol=6 * np.finfo(dtype).eps, atol=0)


def test_softmax_of_what_is_masked_out():
    x = np.array([[0.0, -np.inf, 0.0]])
    np.testing.assert_array_equal(nn.SoftMax().forward(x), [[0.5, 0, 0.5]])
    layer = nn.LogSoftMax()
    np.testing.assert_allclose(layer.forward(x), [[-math.log(2), -np.inf, -math.log(2)]])
    np.testing.assert_allclose(layer.backward(x, np.array([[1.0, 0, 0]])), [[0.5, 0, -0.5]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_powers_of_LogSoftMax_are_taken_once(monkeypatch, dtype):
    """And anew where there are none of that input, with the same result."""
    rng, layer, calls, exp = np.random.default_rng(0), nn.LogSoftMax(), [], np.exp
    x, other, g = rng.normal(size=(3, 5, 7)).astype(dtype)
    monkeypatch.setattr(np, "exp", lambda *args: calls.append(args) or exp(*args))
    layer.forward(x)
    expected = layer.backward(x, g).copy()
    assert len(calls) == 1
    assert layer._kept is None
    for way in ([], [other], [other, other]):
        for input in way:
            layer.backward(input, g)
        assert np.array_equal(layer.backward(x, g), expected)
    layer.forward(x)
    layer.backward(other, g)
    assert np.array_equal(layer.backward(x, g), expected)
    layer.forward(x)
    assert layer.clearState()._kept is None


@pytest.mark.parametrize("make", [nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SoftPlus])
def test_infinity_goes_through(make):
    assert make().forward(np.array([np.inf]))[0] == np.inf


def test_softplus_has_no_seam():
    """Torch7 gives 21 for 21."""
    assert nn.SoftPlus().forward(np.array([21.0]))[0] == 21 + math.exp(-21)


# Real input, complex gradOutput


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_backward_is_linear_over_complex_numbers_too(case):
    layer, x = case.make(), case.draw(np.random.default_rng(0))
    g = np.random.default_rng(1).normal(size=layer.forward(x).shape)
    expected = layer.updateGradInput(x, g) * (1 + 2j)
    gradInput = layer.updateGradInput(x, g * (1 + 2j))
    assert gradInput.dtype == np.complex128
    np.testing.assert_allclose(gradInput, expected, rtol=1e-12, atol=1e-15)


# Which dimension


@pytest.mark.parametrize("kind", [nn.SoftMax, nn.LogSoftMax, nn.SoftMin])
@pytest.mark.parametrize(
    ("shape", "dim"), [((4,), 0), ((3, 4), 1), ((4, 2, 3), 0), ((2, 4, 3, 2), 1)]
)
def test_softmax_takes_torch7s_dimension(kind, shape, dim):
    x = np.random.default_rng(0).normal(size=shape)
    g = np.random.default_rng(1).normal(size=shape)
    for same in (dim, dim - len(shape)):
        layer, explicit = kind(), kind(same)
        np.testing.assert_array_equal(layer.forward(x), explicit.forward(x))
        np.testing.assert_array_equal(layer.backward(x, g), explicit.backward(x, g))
    total = layer.forward(x) if kind is not nn.LogSoftMax else np.exp(layer.forward(x))
    np.testing.assert_allclose(total.sum(dim), 1)


def test_softmax_with_dim_takes_any_shape():
    x = np.random.default_rng(0).normal(size=(2, 1, 3, 2, 4))
    output = nn.SoftMax(2).forward(x)
    np.testing.assert_allclose(output[1, 0, :, 1, 3], nn.SoftMax().forward(x[1, 0, :, 1, 3]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.SoftMax().forward(np.ones((1, 2, 3, 4, 5))),
            "SoftMax.updateOutput: input must be (n,), (N, n), (n, H, W) or (N, n, H, W), "
            "got (1, 2, 3, 4, 5)\n  hint: dim= says along which dimension",
        ),
        (
            lambda: nn.SpatialLogSoftMax().updateGradInput(np.ones((2, 3)), np.ones((2, 3))),
            "SpatialLogSoftMax.updateGradInput: input must be (n, H, W) or (N, n, H, W), "
            "got (2, 3)",
        ),
        (
            lambda: nn.LogSoftMax(-3).forward(np.ones((2, 3))),
            "LogSoftMax.updateOutput: dimension -3 is out of range for input (2, 3), "
            "counting from 0",
        ),
        (
            lambda: nn.GatedLinearUnit().forward(np.ones((2, 3))),
            "GatedLinearUnit.updateOutput: input must be of even size along dimension 1, "
            "got (2, 3)",
        ),
        (
            lambda: nn.GatedLinearUnit(2).forward(np.ones((2, 4))),
            "GatedLinearUnit.updateOutput: dimension 2 is out of range for input (2, 4), "
            "counting from 0",
        ),
        (
            lambda: nn.GatedLinearUnit().backward(np.ones((2, 4)), np.ones((2, 4))),
            "GatedLinearUnit.updateGradInput: gradOutput must be (2, 2), got (2, 4)",
        ),
        (
            lambda: nn.CReLU(3).forward(np.ones((2, 4))),
            "CReLU().updateOutput: input must be a sample of 3 dimensions or a batch of them, "
            "of 4, got (2, 4)",
        ),
        (
            lambda: nn.CReLU(1).backward(np.ones((2, 4)), np.ones((4, 4))),
            "CReLU().updateGradInput: gradOutput must be (2, 8), got (4, 4)\n"
            "  hint: gradOutput.reshape(2, 8) has the same entries",
        ),
        (
            lambda: nn.PReLU(3).forward(np.ones((3, 4))),
            "PReLU.updateOutput: input must be (3,) or (N, 3, ...), got (3, 4)\n"
            "  hint: input.T has a sample in each row",
        ),
        (
            lambda: nn.AddConstant(np.ones(3)).forward(np.ones((2, 4))),
            "AddConstant.updateOutput: input must be (3,) or (N, 3), got (2, 4)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ShapeError) as caught:
        call()
    assert str(caught.value) == message


def test_prelu_refuses_another_precision():
    with pytest.raises(
        DTypeError, match=r"PReLU\.updateOutput: input must be float64, got float32"
    ):
        nn.PReLU().forward(np.ones(2, F32))


# Constructors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.HardTanh(1, 1), SettingError,
         "HardTanh: min_value must be below max_value = 1, got 1"),
        (lambda: nn.Clamp(2, -2), SettingError,
         "Clamp: min_value must be below max_value = -2, got 2"),
        (lambda: nn.HardShrink(-1), SettingError,
         "HardShrink: lambda_ must be at least 0, got -1"),
        (lambda: nn.SoftShrink(math.nan), SettingError,
         "SoftShrink: lambda_ must be at least 0, got nan"),
        (lambda: nn.ELU(-0.5), SettingError, "ELU: alpha must be at least 0, got -0.5"),
        (lambda: nn.SoftPlus(0), SettingError,
         "SoftPlus: beta must be a number other than 0, got 0"),
        (lambda: nn.RReLU(0.5, 0.25), SettingError,
         "RReLU: lower must be at most upper = 0.25, got 0.5"),
        (lambda: nn.RReLU(-0.5), SettingError, "RReLU: lower must be at least 0, got -0.5"),
        (lambda: nn.MulConstant(True), DTypeError,
         "MulConstant: constant_scalar must be a number, got True"),
        (lambda: nn.AddConstant("1"), DTypeError,
         "AddConstant: constant_scalar must be a number, got '1'"),
        (lambda: nn.AddConstant(np.ones((2, 2))), DTypeError,
         "AddConstant: constant_scalar must be a number or a vector, got float64 (2, 2)"),
        (lambda: nn.AddConstant(np.ones(2, int)), DTypeError,
         "AddConstant: constant_scalar must be a number or a vector, got int64 (2,)"),
        (lambda: nn.LeakyReLU(None), DTypeError, "LeakyReLU: negval must be a number, got None"),
        (lambda: nn.SoftMax(1.0), DTypeError, "SoftMax: dim must be an integer, got 1.0"),
        (lambda: nn.CReLU(1.5), DTypeError, "CReLU: nInputDims must be an integer, got 1.5"),
    ],
)  # fmt: skip
def test_constructors_refuse(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


NUMBER = np.float64(0.5)


@pytest.mark.parametrize(
    "layer",
    [
        nn.AddConstant(NUMBER),
        nn.Clamp(-NUMBER, NUMBER),
        nn.ELU(NUMBER),
        nn.HardShrink(NUMBER),
        nn.LeakyReLU(NUMBER),
        nn.MulConstant(NUMBER),
        nn.Power(NUMBER),
        nn.RReLU(NUMBER, NUMBER),
        nn.RReLU(NUMBER, NUMBER).evaluate(),
        nn.SoftPlus(NUMBER),
        nn.SoftShrink(NUMBER),
        nn.Threshold(NUMBER, NUMBER),
    ],
    ids=str,
)
def test_numpys_numbers_leave_float32_alone(layer):
    x = np.array([0.25, 2.0], F32)
    assert layer.forward(x).dtype == F32
    assert layer.backward(x, x).dtype == F32


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.ELU(), "ELU (alpha:1.000000)"),
        (nn.RReLU(), "RReLU (l:0.125000, u:0.333333)"),
        (nn.LeakyReLU(), "LeakyReLU(0.01)"),
        (nn.CReLU(1), "CReLU()"),
        (nn.HardTanh(-2, 2), "HardTanh"),
        (nn.PReLU(3), "PReLU"),
    ],
)
def test_layers_print_as_torch7s(layer, text):
    assert repr(layer) == text


# In place: same numbers, nothing overwritten


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (nn.AddConstant, (np.array([1.0, -2.0, 3.0]),)),
        (nn.AddConstant, (2,)),
        (nn.CReLU, (1,)),
        (nn.ELU, (0.5,)),
        (nn.HardTanh, (-1, 1)),
        (nn.LeakyReLU, (0.5,)),
        (nn.MulConstant, (0,)),
        (nn.RReLU, (0.25, 0.25)),
        (nn.ReLU, ()),
        (nn.ReLU6, ()),
        (nn.Threshold, (0.5, -1)),
    ],
)
def test_inplace_overwrites_nothing(kind, arguments):
    x = np.array([[-1.5, 0.25, 7.0], [2.0, -0.5, 0.0]])
    layer, usual = kind(*arguments, True), kind(*arguments)
    output = layer.forward(x)
    g = np.linspace(-1, 1, output.size).reshape(output.shape)
    gradInput = layer.backward(x, g)
    assert layer.inplace is True
    assert usual.inplace is False
    np.testing.assert_array_equal(x, [[-1.5, 0.25, 7.0], [2.0, -0.5, 0.0]])
    np.testing.assert_array_equal(g, np.linspace(-1, 1, output.size).reshape(output.shape))
    np.testing.assert_array_equal(output, usual.forward(x))
    np.testing.assert_array_equal(gradInput, usual.backward(x, g))
    assert not np.shares_memory(gradInput, g)


def test_leaky_relu_takes_the_flag_alone():
    """In Torch7 LeakyReLU(true) is not in place."""
    layer = nn.LeakyReLU(True)
    assert (layer.negval, layer.inplace) == (0.01, True)


# What is kept from the forward


@pytest.mark.parametrize(
    "make", [nn.Tanh, nn.Sigmoid, nn.ELU, nn.Exp, nn.Sqrt, nn.SoftMax, nn.LogSoftMax, nn.SoftMin]
)
def test_output_serves_for_its_own_input_only(make, monkeypatch):
    layer, x, g = make(), np.array([0.5, 2.0, 3.5]), np.array([1.0, -2.0, 0.5])
    expected = make().updateGradInput(x, g)
    layer.forward(x + 1)
    np.testing.assert_array_equal(layer.updateGradInput(x, g), expected)
    layer.forward(x)
    layer.clearState()
    np.testing.assert_array_equal(layer.updateGradInput(x, g), expected)
    layer.forward(x)
    monkeypatch.setattr(layer, "_function", None)
    np.testing.assert_array_equal(layer.updateGradInput(x, g), expected)


@pytest.mark.parametrize("make", [nn.ReLU, nn.Tanh, nn.SoftPlus, nn.SoftMax])
def test_the_last_output_makes_room_for_the_next(make, monkeypatch):
    layer, x = make(), np.array([0.5, 2.0, 3.5])
    last = weakref.ref(layer.forward(x))
    with pytest.raises(DTypeError):
        layer.forward([1.0])
    assert layer.output is last()
    before = []
    monkeypatch.setattr(layer, "_function", lambda x: before.append(last()) or x + 1)
    layer.forward(x)
    assert before == [None]


@pytest.mark.parametrize("make", [nn.Tanh, nn.SoftMax])
def test_forward_that_was_broken_off_serves_for_no_input(make, monkeypatch):
    layer, x, g = make(), np.array([0.5, 2.0, 3.5]), np.array([1.0, -2.0, 0.5])
    layer.forward(x)
    expected = layer.updateGradInput(x, g)
    with monkeypatch.context() as patch:
        patch.setattr(layer, "_function", lambda x: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            layer.forward(x + 1)
    np.testing.assert_array_equal(layer.updateGradInput(x, g), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relu_does_without_what_clip_calls(dtype, monkeypatch):
    values = [0.0, 1e-45, 1e-310, 0.5, 3e38, np.inf, np.nan]
    x = np.array([*values, *(-value for value in values)], dtype)
    expected = nn.ReLU().forward(x)
    monkeypatch.setattr("torchlite.nn.transfer.relu.clip", np.clip)
    found = nn.ReLU().forward(x)
    assert found.dtype == expected.dtype
    assert found.tobytes() == expected.tobytes()


# AddConstant, PReLU, RReLU


def test_vector_that_is_added_is_a_copy_and_is_cast():
    vector = np.array([1.0, 2.0])
    layer = nn.AddConstant(vector)
    vector[:] = 0
    np.testing.assert_array_equal(layer.forward(np.zeros(2)), [1, 2])
    assert layer.float().forward(np.zeros((3, 2), F32)).dtype == F32


def test_prelu_starts_at_a_quarter_again():
    layer = nn.PReLU(3)
    weight = layer.weight
    weight[:] = 7
    assert layer.reset(2) is layer
    assert layer.weight is weight
    np.testing.assert_array_equal(weight, [0.25] * 3)


@pytest.mark.parametrize(("shape", "plane"), [((3,), 0), ((2, 3), 1), ((2, 3, 4), 1)])
def test_prelus_planes_are_dimension_1_of_whatever_has_one(shape, plane):
    layer = nn.PReLU(3)
    layer.weight[:] = [2, 3, 4]
    output = np.moveaxis(layer.forward(np.full(shape, -1.0)), plane, -1)
    assert (output == [-2, -3, -4]).all()


def test_prelu_refuses_to_add_complex_gradients_to_real_ones():
    layer, x = nn.PReLU(), np.array([-1.0])
    with pytest.raises(DTypeError) as caught:
        layer.accGradParameters(x, x * 1j)
    assert str(caught.value) == (
        "PReLU.accGradParameters: gradOutput must be float64 to add to gradients of float64, "
        "got complex128\n  hint: clone().type('complex128') has complex gradients"
    )


def test_rrelu_draws_a_word_for_every_entry_that_is_not_positive():
    random.manualSeed(5)
    nn.RReLU().forward(np.array([[-1.0, 2.0], [0.0, -3.0], [4.0, np.nan]]))
    after = random.random()
    random.manualSeed(5)
    random.uniform(size=3)
    assert random.random() == after


def test_rrelu_draws_nothing_in_evaluation():
    random.manualSeed(5)
    layer = nn.RReLU(0.25, 0.75)
    layer.forward(np.array([-1.0]))
    state = random.getRNGState()
    np.testing.assert_array_equal(layer.evaluate().forward(np.array([-1.0])), [-0.5])
    np.testing.assert_array_equal(random.getRNGState(), state)
    assert layer.noise is None


def test_rrelu_goes_back_along_its_own_forward():
    layer, x = nn.RReLU(), np.array([-1.0, 2.0])
    with pytest.raises(StateError) as caught:
        layer.backward(x, x)
    assert str(caught.value) == (
        "RReLU (l:0.125000, u:0.333333).updateGradInput: input is not that of the last forward\n"
        "  hint: call forward(input) first: it draws the slopes"
    )
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(x.copy(), x), layer.noise * x)
    with pytest.raises(StateError):
        layer.backward(x + 1, x)
    layer.clearState()
    with pytest.raises(StateError):
        layer.backward(x, x)


def test_gated_linear_unit_counts_dimensions_from_the_end_too():
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    layer, other = nn.GatedLinearUnit(1), nn.GatedLinearUnit(-2)
    np.testing.assert_array_equal(layer.forward(x), other.forward(x))
    g = np.ones((2, 2, 3))
    np.testing.assert_array_equal(layer.backward(x, g), other.backward(x, g))


def test_soft_plus_knows_torch7s_seam_and_has_none():
    layer, x = nn.SoftPlus(), np.array([20.5])
    assert layer.threshold == 20
    assert layer.forward(x)[0] > x[0]


def test_the_power_0_is_flat():
    layer, g = nn.Power(0), np.array([2.0, -3.0, 1.0, 4.0])
    x = np.array([0.0, 5e-324, -7.0, np.inf])
    np.testing.assert_array_equal(layer.forward(x), np.ones(4))
    np.testing.assert_array_equal(layer.backward(x, g), np.zeros(4))
    assert np.isnan(layer.forward(np.array([np.nan])))


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_a_root_of_0_has_no_slope_as_that_of_sqrt(dtype):
    x, g = np.array([0, 4], dtype), np.array([5, 8], dtype)
    for layer in (nn.Power(0.5), nn.Sqrt()):
        found = layer.backward(x, g)
        assert found.dtype == dtype
        assert found.tolist() == [0, 2]


def test_elu_of_the_largest_alpha_is_finite():
    elu = nn.ELU(2e38).float()
    output = elu.forward(np.array([1, -1], np.float32))
    np.testing.assert_allclose(output, [1, 2e38 * math.expm1(-1)], rtol=1e-6)
