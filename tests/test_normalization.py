"""Normalisation of images: what the rows in tests/cases leave out."""

import re

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import ShapeError

KINDS = [(nn.SpatialBatchNormalization, (2, 3)), (nn.VolumetricBatchNormalization, (2, 1, 3))]


def numbers(*shape):
    return random.uniform(-1, 1, size=shape)


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
        ((5, 2, 4, 4), True, "(N, 3, H, W), got (5, 2, 4, 4)"),
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
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
        layer.forward(np.ones(shape))
    assert (layer.running_mean == running).all()
