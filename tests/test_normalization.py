"""Normalisation: what the rows in tests/cases and Torch7's numbers leave open."""

import re
import weakref

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, SettingError, ShapeError

KINDS = [(nn.SpatialBatchNormalization, (2, 3)), (nn.VolumetricBatchNormalization, (2, 1, 3))]


def numbers(*shape):
    return random.uniform(-1, 1, size=shape)


def raises(kind, text):
    """Expect an error of exactly this text."""
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


# ---------------------------------------------------------------- of a batch


def test_batch_normalization_follows_the_batch():
    layer = nn.BatchNormalization(3, momentum=0.25)
    x = numbers(5, 3)
    mean, var = layer.running_mean, layer.running_var
    layer.forward(x)
    assert layer.running_mean is mean
    assert layer.running_var is var
    np.testing.assert_allclose(mean, 0.25 * x.mean(0))
    np.testing.assert_allclose(var, 0.25 * x.var(0, ddof=1) + 0.75)
    np.testing.assert_allclose(layer.save_mean, x.mean(0))
    np.testing.assert_allclose(layer.save_std, 1 / np.sqrt(x.var(0) + 1e-5))
    layer.reset()
    assert not mean.any()
    assert (var == 1).all()
    assert layer.clone().save_mean.size == layer.clearState().save_std.size == 0


def test_batch_normalization_in_evaluation():
    layer = nn.BatchNormalization(3)
    layer.running_mean[...], layer.running_var[...] = numbers(3), [1, 2, 3]
    layer.evaluate()
    x, g = numbers(5, 3), numbers(5, 3)
    std = np.sqrt(layer.running_var + 1e-5)
    right = (x - layer.running_mean) / std
    np.testing.assert_allclose(layer.forward(x), right * layer.weight + layer.bias)
    np.testing.assert_allclose(layer.backward(x, g), g * layer.weight / std)
    np.testing.assert_allclose(layer.gradWeight, (g * right).sum(0))
    # One sample; Torch7 returns a batch of one.
    np.testing.assert_allclose(layer.forward(x[0]), right[0] * layer.weight + layer.bias)
    layer.zeroGradParameters().backward(x[0], g[0])
    np.testing.assert_allclose(layer.gradWeight, g[0] * right[0])
    np.testing.assert_allclose(layer.gradBias, g[0])


def test_batch_normalization_finds_the_statistics_again():
    layer = nn.BatchNormalization(3)
    x, other, g = numbers(5, 3), numbers(4, 3), numbers(5, 3)
    layer.forward(x)
    right = layer.backward(x, g)
    layer.forward(other)
    np.testing.assert_allclose(layer.updateGradInput(x, g), right)
    # The same array with other numbers in it is another batch for a forward.
    x *= 2
    layer.forward(x)
    np.testing.assert_allclose(layer.save_mean, x.mean(0))


def test_batch_normalization_lets_go_of_the_input_before():
    held = []

    class Watched(nn.BatchNormalization):
        def _moments(self, input):
            held.append(before() is not None)
            return super()._moments(input)

    layer, x = Watched(2), np.eye(3, 2)
    before = weakref.ref(x)
    layer.forward(x)
    del x
    layer.forward(np.eye(4, 2))
    assert held == [True, False]


def test_batch_normalization_of_complex_numbers():
    x = numbers(5, 3) + 1j * numbers(5, 3)
    real, whole = nn.BatchNormalization(3), nn.BatchNormalization(3).type("complex128")
    whole.weight[...] = real.weight
    np.testing.assert_allclose(real.forward(x), whole.forward(x))
    np.testing.assert_allclose(whole.running_mean, 0.1 * x.mean(0))
    np.testing.assert_allclose(real.running_mean, 0.1 * x.mean(0).real)
    np.testing.assert_allclose(real.running_var, whole.running_var.real)


def test_batch_normalization_needs_two_values_a_feature():
    layer = nn.BatchNormalization(3)
    text = (
        "BatchNormalization (2D) (3).{}: input must be a batch with more than one value of each "
        "feature, got (1, 3)\n  hint: one value has no variance: take a larger batch, or evaluate()"
    )
    x = numbers(1, 3)
    with raises(ShapeError, text.format("updateOutput")):
        layer.forward(x)
    with raises(ShapeError, text.format("updateGradInput")):
        layer.backward(x, x)
    assert not layer.running_mean.any()
    assert (layer.running_var == 1).all()
    layer.forward(numbers(0, 3))
    assert not layer.running_mean.any()


def test_batch_normalization_says_what_does_not_fit():
    layer = nn.BatchNormalization(3)
    with raises(
        ShapeError,
        "BatchNormalization (2D) (3).updateOutput: input must be (N, 3), got (2, 4)\n"
        "  hint: BatchNormalization(4) would fit",
    ):
        layer.forward(np.ones((2, 4)))
    with raises(
        ShapeError,
        "BatchNormalization (2D) (3).updateOutput: input must be (N, 3), got (3,)\n"
        "  hint: evaluate() takes one sample; in training the statistics need a batch",
    ):
        layer.forward(np.ones(3))
    with raises(
        ShapeError,
        "BatchNormalization (2D) (3).updateOutput: input must be (3,) or (N, 3), got (2, 3, 1)\n"
        "  hint: input.reshape(2, 3), or nn.View(3) before this layer",
    ):
        layer.evaluate().forward(np.ones((2, 3, 1)))
    with raises(
        ShapeError,
        "BatchNormalization: nOutput must be at least 1, got 0\n"
        "  hint: BatchNormalization(nOutput, eps, momentum, False) has no weight and bias",
    ):
        nn.BatchNormalization(0)


@pytest.mark.parametrize("make", [nn.BatchNormalization, nn.SpatialBatchNormalization])
def test_a_backward_sums_up_once_and_what_is_called_by_hand_anew(make, monkeypatch):
    layer, shape = make(3), (4, 3, 2, 2)[: 2 if make is nn.BatchNormalization else 4]
    x, g = numbers(*shape), numbers(*shape)
    counted, summed = [], layer._sum_products
    monkeypatch.setattr(layer, "_sum_products", lambda *a: counted.append(1) or summed(*a))
    layer.forward(x)
    counted.clear()
    layer.zeroGradParameters().backward(x, g)
    assert len(counted) == 1
    right = np.concatenate([layer.gradWeight, layer.gradBias])
    layer.updateGradInput(x, g)
    g *= 2
    layer.zeroGradParameters().accGradParameters(x, g)
    np.testing.assert_array_equal(np.concatenate([layer.gradWeight, layer.gradBias]), 2 * right)
    with pytest.raises(ShapeError):
        layer.backward(x, g[:1])
    layer.zeroGradParameters().accGradParameters(x, g / 2)
    np.testing.assert_array_equal(np.concatenate([layer.gradWeight, layer.gradBias]), right)


def test_a_mean_far_from_zero_leaves_the_variance_right():
    x = np.float32(10_000) + random.uniform(-1, 1, size=(512, 2)).astype("float32")
    layer = nn.BatchNormalization(2, 0, affine=False).float()
    exact = nn.BatchNormalization(2, 0, affine=False)
    np.testing.assert_allclose(layer.forward(x), exact.forward(x.astype("float64")), atol=1e-2)


# ---------------------------------------------------------------- of a sample


def test_layer_normalization_uses_the_samples_own_mean():
    # Torch7 subtracts the means of other samples.
    layer = nn.LayerNormalization(4, 0.5)
    x = numbers(5, 4)
    centered = x - x.mean(1, keepdims=True)
    right = centered * 2 / np.sqrt((centered**2).sum(1, keepdims=True) + 1e-10)
    np.testing.assert_allclose(layer.forward(x), right + 0.5, rtol=1e-8)
    np.testing.assert_allclose(layer.forward(x[2]), right[2] + 0.5, rtol=1e-8)


def test_layer_normalization_resets_to_its_first_values():
    layer = nn.LayerNormalization(4, 0.5)
    layer.get(4).weight[...] = layer.get(5).bias[...] = 7
    layer.reset(0.1)
    assert (layer.get(4).weight == 1).all()
    assert (layer.get(5).bias == 0.5).all()
    assert nn.LayerNormalization(4, affine=False).reset().parameters() == ([], [])


def test_layer_normalization_is_made_of_torch7s_layers():
    names = [type(module).__name__ for module in nn.LayerNormalization(4).listModules()]
    assert names == [
        "LayerNormalization", "ConcatTable", "Identity", "Sequential", "Mean", "Replicate",
        "CSubTable", "Normalize", "MulConstant", "CMul", "Add",
    ]  # fmt: skip
    assert len(nn.LayerNormalization(4, affine=False)) == 4


# ---------------------------------------------------------------- of images


@pytest.mark.parametrize(("kind", "size"), KINDS)
@pytest.mark.parametrize("mode", ["training", "evaluate"])
def test_every_pixel_is_a_row_of_batch_normalization(kind, size, mode):
    images, rows = kind(3, momentum=0.25), nn.BatchNormalization(3, momentum=0.25)
    for layer in (images, rows):
        layer.weight[:], layer.bias[:] = [1, -2, 3], [4, 5, -6]
        layer.running_mean[:], layer.running_var[:] = [0.5, 0, -1], [4, 2, 1]
        getattr(layer, mode)()
    x, g = numbers(4, 3, *size), numbers(4, 3, *size)

    def as_rows(planes):
        return np.moveaxis(planes, 1, -1).reshape(-1, 3)

    for got, right in [
        (images.forward(x), rows.forward(as_rows(x))),
        (images.backward(x, g), rows.backward(as_rows(x), as_rows(g))),
    ]:
        np.testing.assert_allclose(as_rows(got), right, rtol=1e-12, atol=1e-14)
    for name in ("gradWeight", "gradBias", "running_mean", "running_var", "save_mean", "save_std"):
        np.testing.assert_allclose(getattr(images, name), getattr(rows, name), rtol=1e-12)


@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_one_image_has_statistics(kind, size):
    layer = kind(2, 0, affine=False)
    x = numbers(1, 2, *size)
    axes = (0, *range(2, x.ndim))
    layer.forward(x)
    np.testing.assert_allclose(layer.save_mean, x.mean(axes))
    np.testing.assert_allclose(layer.running_var, 0.9 + 0.1 * x.var(axes, ddof=1))


@pytest.mark.parametrize("layout", ["C", "F"])
def test_batch_normalization_of_planes_in_any_layout(layout):
    layer = nn.SpatialBatchNormalization(3)
    x, g = numbers(4, 3, 5, 2), numbers(4, 3, 5, 2)
    right = layer.forward(x), layer.updateGradInput(x, g)
    x, g = (np.array(a, order=layout) for a in (x, g))
    np.testing.assert_allclose(layer.forward(x), right[0])
    np.testing.assert_allclose(layer.updateGradInput(x, g), right[1])


def test_batch_normalization_of_planes_prints_as_in_torch7():
    assert repr(nn.SpatialBatchNormalization(8)) == "SpatialBatchNormalization (4D) (8)"
    assert repr(nn.VolumetricBatchNormalization(8)) == "VolumetricBatchNormalization (5D) (8)"


@pytest.mark.parametrize(
    ("shape", "train", "message"),
    [
        ((5, 2, 4, 4), True, "(N, 3, H, W), got (5, 2, 4, 4)\n"
         "  hint: SpatialBatchNormalization(2) would fit"),
        ((5, 4, 4, 3), True, "(N, 3, H, W), got (5, 4, 4, 3)\n"
         "  hint: np.moveaxis(input, -1, -3) has the planes before the pixels"),
        ((2, 4, 4), False, "(3, H, W) or (N, 3, H, W), got (2, 4, 4)\n"
         "  hint: SpatialBatchNormalization(2) would fit"),
        ((0, 4, 4), False, "(3, H, W) or (N, 3, H, W), got (0, 4, 4)"),
        ((3, 4, 4), True, "(N, 3, H, W), got (3, 4, 4)\n"
         "  hint: input[None] is a batch of one; evaluate() takes one sample"),
        ((5, 3), False, "(3, H, W) or (N, 3, H, W), got (5, 3)"),
        ((1, 3, 1, 1), True, "a batch with more than one value of each feature, "
         "got (1, 3, 1, 1)\n"
         "  hint: one value has no variance: take a larger batch, or evaluate()"),
    ],
)  # fmt: skip
def test_images_that_batch_normalization_refuses(shape, train, message):
    layer = nn.SpatialBatchNormalization(3)
    layer = layer.training() if train else layer.evaluate()
    running = layer.running_mean.copy()
    expected = f"SpatialBatchNormalization (4D) (3).updateOutput: input must be {message}"
    with raises(ShapeError, expected):
        layer.forward(np.ones(shape))
    assert (layer.running_mean == running).all()


# ---------------------------------------------------------------- neighbours

NEIGHBOURS = [
    nn.SpatialSubtractiveNormalization,
    nn.SpatialDivisiveNormalization,
    nn.SpatialContrastiveNormalization,
]


@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_the_kernel_stays_as_it_is(kind):
    kernel = np.array([[1.0, 2.0, 1.0]])
    layer = kind(2, kernel)
    assert kernel.tolist() == [[1, 2, 1]]
    for part in getattr(layer, "modules", None) or [layer]:
        assert part.kernel.tolist() == [[0.125, 0.25, 0.125]]
        assert part.nInputPlane == 2


def test_the_kernel_is_9_by_9_ones_or_the_outer_product_of_a_row():
    layer = nn.SpatialSubtractiveNormalization()
    assert layer.nInputPlane == 1
    assert layer.kernel.shape == (9, 9)
    np.testing.assert_allclose(layer.kernel, 1 / 81)
    layer = nn.SpatialDivisiveNormalization(1, [1, 2, 1])
    assert (layer.kernel * 16).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_the_kernel_is_exact_whatever_the_images_are(kind):
    layer, kernel = kind(1, [1, 1, 1]), np.full((3, 3), 1 / 9)
    x = numbers(2, 1, 4, 5)
    right = layer.forward(x)
    np.testing.assert_allclose(layer.float().forward(x.astype("float32")), right, atol=1e-5)
    np.testing.assert_array_equal(layer.double().forward(x), right)
    for part in getattr(layer, "modules", None) or [layer]:
        assert part.kernel.dtype == "float64"
        np.testing.assert_allclose(part.kernel, kernel, rtol=1e-15)


def test_a_flat_image_has_neither_mean_nor_contrast():
    x = np.full((2, 5, 6), 3.0)
    kernel = np.ones((3, 5))
    output = nn.SpatialSubtractiveNormalization(2, kernel).forward(x)
    np.testing.assert_allclose(output, 0, atol=1e-14)
    output = nn.SpatialDivisiveNormalization(2, kernel).forward(x)
    np.testing.assert_allclose(output[:, 1:-1, 2:-2], 1)
    layer = nn.SpatialContrastiveNormalization(2, kernel)
    np.testing.assert_allclose(layer.forward(x), 0, atol=1e-9)


def test_small_deviations_are_replaced():
    layer = nn.SpatialDivisiveNormalization(1, np.ones((1, 1)), 2, 5)
    x = np.array([[[1.0, -2.0, 4.0]]])
    assert layer.forward(x).tolist() == [[[0.2, -0.4, 1]]]
    # Through what replaced a deviation goes no gradient; 4 / |4| has none of its own.
    np.testing.assert_allclose(layer.backward(x, np.ones((1, 1, 3))), [[[0.2, 0.2, 0]]])
    layer = nn.SpatialContrastiveNormalization(2, np.ones((1, 1)), 2, 5)
    assert (layer.get(1).threshold, layer.get(1).thresval) == (2, 5)


@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_nan_reaches_its_neighbours_alone(kind):
    reach = 2 if kind is nn.SpatialContrastiveNormalization else 1
    x = numbers(1, 1, 7)
    x[0, 0, 0] = np.nan
    output = kind(1, np.ones((1, 3))).forward(x)
    assert np.isnan(output[0, 0]).tolist() == [place <= reach for place in range(7)]


def test_a_contrastive_one_refuses_in_its_own_name():
    layer, x = nn.SpatialContrastiveNormalization(2, np.ones((3, 3))), np.ones((2, 4, 4))
    with pytest.raises(ShapeError) as caught:
        layer.forward(np.ones((3, 4, 4)))
    assert str(caught.value) == (
        "SpatialContrastiveNormalization.updateOutput: input must be (2, H, W) or (N, 2, H, W), "
        "got (3, 4, 4)"
    )
    layer.forward(x)
    with pytest.raises(ShapeError) as caught:
        layer.backward(x, np.ones((2, 3, 3)))
    assert str(caught.value) == (
        "SpatialContrastiveNormalization.updateGradInput: gradOutput must be (2, 4, 4), got "
        "(2, 3, 3)"
    )


@pytest.mark.parametrize("kind", NEIGHBOURS)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1, np.ones((3, 4))), ShapeError,
         "kernel must be (k,) or (kH, kW) of odd sizes, got (3, 4)"),
        ((1, np.ones(2)), ShapeError, "kernel must be (k,) or (kH, kW) of odd sizes, got (2,)"),
        ((1, np.ones((1, 1, 1))), ShapeError,
         "kernel must be (k,) or (kH, kW) of odd sizes, got (1, 1, 1)"),
        ((1, [[1, -2, 1]]), SettingError, "kernel must be of a sum other than 0, got 0.0"),
        ((1, np.array([0.1, 0.2, -0.3])), SettingError,
         "kernel must be of a sum other than 0, got 0 but for rounding"),
        ((1, np.array([[0.1, 0.2, -0.3]], "float32")), SettingError,
         "kernel must be of a sum other than 0, got 0 but for rounding"),
        ((1, [1, np.inf, 1]), SettingError, "kernel must be of a sum other than 0, got inf"),
        ((1, [1, np.nan, 1]), SettingError, "kernel must be of a sum other than 0, got nan"),
        ((0,), ShapeError, "nInputPlane must be at least 1, got 0"),
        ((1.5,), DTypeError, "nInputPlane must be an integer, got 1.5"),
    ],
)  # fmt: skip
def test_kernels_that_are_refused(kind, arguments, error, message):
    with pytest.raises(error, match=f": {re.escape(message)}$"):
        kind(*arguments)


def test_thresholds_that_are_refused():
    for arguments, message in [
        ((-1, 1), "threshold must be at least 0, got -1"),
        ((1, 0), "thresval must be positive and finite, got 0"),
    ]:
        with pytest.raises(SettingError, match=f"^SpatialDivisiveNormalization: {message}$"):
            nn.SpatialDivisiveNormalization(1, None, *arguments)


@pytest.mark.parametrize("kind", NEIGHBOURS[:2])
def test_images_that_are_refused(kind):
    layer = kind(2, [1, 1, 1])
    for shape, got in [
        ((3, 4, 4), "(2, H, W) or (N, 2, H, W), got (3, 4, 4)"),
        ((2, 4, 0), "(2, H, W) or (N, 2, H, W) with H >= 1 and W >= 1, got (2, 4, 0)"),
    ]:
        expected = f"{kind.__name__}.updateOutput: input must be {got}"
        with raises(ShapeError, expected):
            layer.forward(np.ones(shape))
    with pytest.raises(ShapeError, match=r"gradOutput must be \(2, 4, 4\), got \(2, 4, 3\)$"):
        layer.updateGradInput(np.ones((2, 4, 4)), np.ones((2, 4, 3)))


def test_planes_beyond_the_last_count_as_nothing():
    x = numbers(2, 3, 2, 2)
    layer = nn.SpatialCrossMapLRN(9, 0.5, 0.75, 2)
    level = 2 + 0.5 / 9 * (x**2).sum(1, keepdims=True)
    np.testing.assert_allclose(layer.forward(x), x * level**-0.75, rtol=1e-14)
    assert (layer.size, layer.alpha, layer.beta, layer.k) == (9, 0.5, 0.75, 2)
    layer = nn.SpatialCrossMapLRN(1)
    np.testing.assert_allclose(layer.forward(x), x / (1 + 1e-4 * x**2) ** 0.75, rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4,), "size must be odd, got 4"),
        ((3, -1), "alpha must be at least 0, got -1"),
        ((3, 1, -1), "beta must be at least 0, got -1"),
        ((3, 1, 1, 0), "k must be positive and finite, got 0"),
    ],
)
def test_responses_that_are_refused(arguments, message):
    with pytest.raises(SettingError, match=f"^SpatialCrossMapLRN: {message}$"):
        nn.SpatialCrossMapLRN(*arguments)


def test_large_entries_do_not_overflow():
    x = np.full((1, 3, 2, 2), 1e4, "float32")
    for layer in (nn.SpatialCrossMapLRN(3), nn.SpatialContrastiveNormalization(3)):
        assert np.isfinite(layer.forward(x)).all()
        assert np.isfinite(layer.backward(x, x)).all()
