"""What the normalisations have in common that look at the neighbourhood of each pixel."""

from typing import Any

import numpy as np

from torchlite.errors import DTypeError, SettingError, ShapeError
from torchlite.kernels.arrays import Array
from torchlite.kernels.convolution import conv, conv_transposed
from torchlite.kernels.sums import sum_all, sum_along
from torchlite.nn import checks
from torchlite.nn._windowed import Windowed


class Images(Windowed):
    """A function of images that have the same size afterwards.

    Conventions
    -----------
    Remembers nothing.
    """

    def _check(self, method: str, input: Array, planes: int | None = None) -> None:
        checks.must_be_floating(self, method, "input", input)
        self._check_images(method, input, planes, input.dtype)
        if 0 in input.shape[-2:]:
            self._refuse_small(method, input, planes)

    def _check_back(
        self, method: str, input: Array, gradOutput: Array, planes: int | None = None
    ) -> None:
        self._check(method, input, planes)
        checks.must_be_typed_back(self, method, input, gradOutput, input.shape, input.dtype)

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return size


class Neighbourhood(Images):
    """Weighted sums over the neighbours of each pixel in all planes, those outside counted as 0.

    Attributes
    ----------
    kernel
        The weights, (kH, kW): all planes together have the sum 1.
    """

    _uncast = ("kernel",)
    kernel: Any

    def _set_kernel(self, nInputPlane: Any, kernel: Any) -> None:
        self.nInputPlane = checks.at_least(self, "nInputPlane", nInputPlane, 1)
        self.kernel = normalized(self, kernel) / nInputPlane

    def _sums(self, images: Array) -> Array:
        """Return the sums around each pixel, in one plane."""
        planes = sum_along(images, images.ndim - 3, True)
        return conv(planes, self._weight(images), (1, 1), self._padding)

    def _sums_back(self, gradient: Array) -> Array:
        """Return the gradient of each of the planes, in one."""
        size = gradient.shape[-2:]
        return conv_transposed(gradient, self._weight(gradient), size, (1, 1), self._padding)

    def _inside(self, images: Array) -> Array:
        """Return the share of the weights that are not outside."""
        ones = np.ones_like(images.real, shape=(1, *images.shape[-2:]))
        return self.nInputPlane * conv(ones, self._weight(ones), (1, 1), self._padding)

    def _weight(self, images: Array) -> Array:
        return self.kernel.astype(images.real.dtype)[None, None]

    @property
    def _padding(self) -> tuple[int, ...]:
        return self.kernel.shape[0] // 2, self.kernel.shape[1] // 2


def normalized(layer: Any, kernel: Any) -> Any:
    """Return a copy of a kernel, (kH, kW) of odd sizes, or (k,) for both directions; its sum is 1.

    None stands for 9 times 9 ones.
    """
    weights = np.ones((9, 9)) if kernel is None else np.array(kernel)
    if weights.dtype.kind not in "biuf":
        raise checks.misbuilt(DTypeError, layer, "kernel", "real numbers", str(weights.dtype))
    precision = np.finfo(weights.dtype if weights.dtype.kind == "f" else "float64").eps
    weights = weights.astype("float64")
    if weights.ndim not in (1, 2) or any(n % 2 == 0 for n in weights.shape):
        expected, got = "(k,) or (kH, kW) of odd sizes", str(weights.shape)
        raise checks.misbuilt(ShapeError, layer, "kernel", expected, got)
    # Terms that cancel leave their rounding behind, which is no weight.
    rounding = weights.size * precision * sum_all(np.abs(weights))
    cancels = abs(sum_all(weights)) <= rounding < np.inf
    if weights.ndim == 1:
        weights = np.outer(weights, weights)
    total = sum_all(weights)
    if cancels or not np.isfinite(total):
        got = "0 but for rounding" if cancels and total else str(total)
        raise checks.misbuilt(SettingError, layer, "kernel", "of a sum other than 0", got)
    return weights / total
