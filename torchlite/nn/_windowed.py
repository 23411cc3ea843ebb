"""What the layers have in common that look at images through windows."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.windows import windowed_size
from torchlite.nn import checks
from torchlite.nn.module import Module


class Windowed(Module):
    """Windows of images: how large they are, how far apart, with how much padding around the image.

    An image is (planes, *size), the dimensions of size in the order of `_axes`; one of them is a
    sample. Attributes are named after them, as in Torch7: of W the windows have kW entries,
    dilationW apart, and start every dW, with padW of padding at both ends.
    """

    _axes: ClassVar[tuple[str, ...]] = ("H", "W")
    # The axes in the order of the constructor's arguments, in which Torch7 prints them.
    _printed: ClassVar[tuple[str, ...]] = ("W", "H")
    # Whether strides of 1 are printed, too.
    _prints_stride: ClassVar[bool] = False

    def _set_windows(
        self,
        kernel: Sequence[Any],
        stride: Sequence[Any],
        padding: Sequence[Any] | None = None,
        dilation: Sequence[Any] | None = None,
    ) -> None:
        """Check the windows' settings, each in the order of `_axes`, and keep them."""
        groups = [("k", kernel, 1), ("d", stride, 1)]
        if padding is not None:
            groups.append(("pad", padding, 0))
        if dilation is not None:
            groups.append(("dilation", dilation, 1))
        for prefix, values, least in groups:
            for axis, value in zip(self._axes, values, strict=True):
                name = f"{prefix}{axis}"
                setattr(self, name, checks.at_least(self, name, value, least))

    def _paddings(self, *given: Any) -> tuple[int, ...]:
        """Check paddings in the order of `_printed`; return them in that of `_axes`.

        One that is not given is as that before, so a wrong one is named where it was given.
        """
        paddings: dict[str, int] = {}
        for axis, value in zip(self._printed, given, strict=True):
            value = [*paddings.values()][-1] if value is None and paddings else value
            paddings[axis] = checks.at_least(self, f"pad{axis}", value, 0)
        return tuple(paddings[axis] for axis in self._axes)

    def _numbers(self, prefix: str) -> tuple[int, ...]:
        numbers: tuple[int, ...] = _getter(prefix, self._axes)(self)
        return numbers

    @property
    def _kernel(self) -> tuple[int, ...]:
        return self._numbers("k")

    @property
    def _stride(self) -> tuple[int, ...]:
        return self._numbers("d")

    @property
    def _padding(self) -> tuple[int, ...]:
        # Not every class has padding.
        return tuple(getattr(self, f"pad{axis}", 0) for axis in self._axes)

    @property
    def _dilation(self) -> tuple[int, ...]:
        """How far the entries of a window are apart: of most classes, next to one another."""
        return (1,) * len(self._axes)

    @property
    def _letters(self) -> tuple[str, ...]:
        """What the dimensions of size are called in shapes."""
        return self._axes

    @property
    def _planes_last(self) -> bool:
        """Whether an image is (*size, planes)."""
        return False

    @property
    def _spreads(self) -> bool:
        """Whether windows are what an entry is spread to, not what is looked at."""
        return False

    def _planes_first(self, images: Array) -> Array:
        """Return a view of images that has the planes before the positions; or the other way."""
        return np.swapaxes(images, -1, -2) if self._planes_last else images

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return how many windows an image of this size has along each axis."""
        return windowed_size(size, self._kernel, self._stride, self._padding, self._dilation)

    def _check_images(
        self, method: str, input: Any, planes: int | None, dtype: Any, argument: str = "input"
    ) -> None:
        """Input must be an image or a batch of them, with so many planes (None: any number)."""
        dims = len(self._axes)
        if not (
            type(input) is ndarray
            and input.dtype == dtype
            and (input.ndim == dims + 1 or input.ndim == dims + 2)
        ):
            checks.must_be_array(self, method, argument, input)
            checks.must_have_precision(self, method, argument, input, dtype)
        fits = input.ndim in (dims + 1, dims + 2)
        axis = -1 if self._planes_last else -dims - 1
        if not fits or (planes is not None and input.shape[axis] != planes):
            hint = self._planes_hint(input, planes)
            raise checks.misshapen(self, method, argument, self._images(planes), input, hint)

    def _images(self, planes: int | None) -> str:
        """Return what shapes an input may have."""
        each = [str(planes or "C"), *self._letters]
        sample = ", ".join([*each[1:], each[0]] if self._planes_last else each)
        return f"({sample}) or (N, {sample})"

    def _planes_hint(self, input: Any, planes: int | None) -> str | None:
        """Return what makes an input fit that has not these planes, as far as its shape tells."""
        dims = len(self._axes)
        if self._planes_last:
            fits = input.ndim in (2, 3) and input.shape[-2] == planes
            return "np.swapaxes(input, -1, -2) has a frame in each row" if fits else None
        if input.ndim == dims:
            return "input[None] is one sample with one plane"
        if planes == 1 and input.ndim == dims + 1:
            return "input[:, None] is a batch of samples with one plane each"
        return checks.planes_hint(input, planes, dims)

    def _refuse_small(
        self, method: str, input: Array, planes: int | None, argument: str = "input"
    ) -> None:
        """Raise: there is not one window in the input."""
        least = [
            next(n for n in count(1) if self._windows_of((n,) * len(self._axes))[i] > 0)
            for i in range(len(self._axes))
        ]
        each = zip(self._letters, least, strict=True)
        expected = f"{self._images(planes)} with {' and '.join(f'{a} >= {n}' for a, n in each)}"
        hint = self._window_hint(input)
        raise checks.misshapen(self, method, argument, expected, input, hint)

    def _window_hint(self, input: Array) -> str | None:
        """Return that a window is larger than the input with its padding, if that is the reason."""
        if self._spreads or not all(hasattr(self, f"k{axis}") for axis in self._axes):
            return None
        dims = len(self._axes)
        size = input.shape[-dims - 1 : -1] if self._planes_last else input.shape[-dims:]
        padded = [n + 2 * p for n, p in zip(size, self._padding, strict=True)]
        reach = zip(self._kernel, self._dilation, strict=True)
        window = [(k - 1) * apart + 1 for k, apart in reach]
        sizes = zip(window, padded, self._windows_of(size), strict=True)
        if not all(k > n for k, n, windows in sizes if windows < 1):
            return None
        of, into = ("x".join(map(str, numbers)) for numbers in (window, padded))
        what = "the padded input" if any(self._padding) else "the input"
        return f"a window of {of} is larger than {what}, {into}"

    def _refuse_wide_padding(self) -> None:
        """Raise if a window may lie in the padding as a whole."""
        for axis, k, p in zip(self._axes, self._kernel, self._padding, strict=True):
            if 2 * p > k:
                expected = f"at most half of k{axis} = {k}"
                raise checks.misbuilt(SettingError, self, f"pad{axis}", expected, str(p))

    def _written(self) -> str:
        """Return the settings of the windows as Torch7 prints them."""
        kernel, stride, padding = (
            [getattr(self, prefix + axis, 0) for axis in self._printed]
            for prefix in ("k", "d", "pad")
        )
        text = "x".join(map(str, kernel))
        if self._prints_stride or {*stride} != {1} or any(padding):
            text += ", " + ",".join(map(str, stride))
        return text + (", " + ",".join(map(str, padding)) if any(padding) else "")


class Dilated(Windowed):
    """Windows whose entries are not next to one another."""

    @property
    def _dilation(self) -> tuple[int, ...]:
        return self._numbers("dilation")

    def _written(self) -> str:
        apart = [getattr(self, f"dilation{axis}") for axis in self._printed]
        return f"{super()._written()}, {','.join(map(str, apart))}"


class Frames(Windowed):
    """Windows of sequences: an input is (T, planes), a frame in each row, or a batch of such."""

    _axes: ClassVar[tuple[str, ...]] = ("W",)
    _printed: ClassVar[tuple[str, ...]] = ("W",)

    @property
    def _letters(self) -> tuple[str, ...]:
        return ("T",)

    @property
    def _planes_last(self) -> bool:
        return True


@cache
def _getter(prefix: str, axes: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what gets the attributes that have this prefix before an axis, as a tuple.

    Every call of a layer asks for them several times, which small images notice.
    """
    names = [prefix + axis for axis in axes]
    # Of one name attrgetter returns what it is, and no tuple.
    return attrgetter(*names) if len(names) > 1 else lambda layer: (getattr(layer, names[0]),)
