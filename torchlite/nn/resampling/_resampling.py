"""What all layers have in common that give images another size."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.resampling import (
    take_border,
    take_border_back,
    upsample_linear,
    upsample_linear_back,
    upsample_nearest,
    upsample_nearest_back,
)
from torchlite.nn import checks
from torchlite.nn._shaping import Shaping


class Resampling(Shaping):
    """Images of another size, which a member tells from that of the input.

    An image is (C, *size), the dimensions of size in the order of `_axes`; the plan is the size of
    the output.
    """

    _axes: ClassVar[tuple[str, ...]] = ("H", "W")

    def _plan(self, method: str, input: Array) -> Any:
        dims = len(self._axes)
        if input.ndim not in (dims + 1, dims + 2):
            hint = "input[None] is one sample with one plane" if input.ndim == dims else None
            raise checks.misshapen(self, method, "input", self._images(), input, hint)
        size = input.shape[input.ndim - dims :]
        least = self._least()
        if any(n < m for n, m in zip(size, least, strict=True)):
            each = zip(self._axes, least, strict=True)
            expected = f"{self._images()} with {' and '.join(f'{a} >= {n}' for a, n in each)}"
            raise checks.misshapen(self, method, "input", expected, input)
        return self._size(size)

    def _images(self) -> str:
        sample = ", ".join(["C", *self._axes])
        return f"({sample}) or (N, {sample})"

    def _shape(self, input: Array, plan: tuple[int, ...]) -> tuple[int, ...]:
        return (*input.shape[: input.ndim - len(plan)], *plan)

    def _size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return the size of the output for an input of this size."""
        raise NotImplementedError

    def _least(self) -> tuple[int, ...]:
        """Return the smallest size that an input may have."""
        return (1,) * len(self._axes)


class Padded(Resampling):
    """Images with a border around them.

    Attributes are named after the sides, as in Torch7; a negative one cuts entries off.
    """

    # The names of the pads before and behind, in the order of `_axes`.
    _sides: ClassVar[tuple[tuple[str, str], ...]] = (("pad_t", "pad_b"), ("pad_l", "pad_r"))

    def _set_pads(self, **pads: int | None) -> None:
        """Check the pads and keep them; those not given are as the first."""
        first = next(iter(pads.values()))
        for name, value in pads.items():
            setattr(self, name, checks.whole(self, name, first if value is None else value))

    def _pads(self, sign: int = 1) -> Sequence[tuple[int, int]]:
        """Return the pads before and behind each dimension; with sign -1 what takes them away."""
        sides = self._sides
        return [(sign * getattr(self, a), sign * getattr(self, b)) for a, b in sides]

    def _size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(n + a + b for n, (a, b) in zip(size, self._pads(), strict=True))

    def _least(self) -> tuple[int, ...]:
        """An entry of the image must be left."""
        return tuple(1 + max(0, -a) + max(0, -b) for a, b in self._pads())

    def __repr__(self) -> str:
        names = [name for pair in reversed(self._sides) for name in pair]
        said = (
            f"{name.removeprefix('pad_').removeprefix('p')}={getattr(self, name)}" for name in names
        )
        return f"{type(self).__name__}({', '.join(said)})"


class Bordered(Padded):
    """Images with a border of their own entries: `_places` says which stand where."""

    _places: Any

    def _function(self, input: Array, plan: tuple[int, ...]) -> Array:
        return take_border(input, self._pads(), self._places)

    def _gradient(self, input: Array, gradOutput: Array, plan: tuple[int, ...]) -> Array:
        size = input.shape[input.ndim - len(plan) :]
        return take_border_back(gradOutput, size, self._pads(), self._places)


class UpSampled(Resampling):
    """Images `scale_factor` times as large, in blocks, or linear between their entries.

    These may also have a size that is given.
    """

    mode: str = "nearest"
    scale_factor: Any = None
    odepth: Any = None
    oheight: Any = None
    owidth: Any = None

    def _set_target(self, params: Any, *more: str) -> None:
        """Check params, a factor or a dict of height and width (and perhaps more), and keep it."""
        if not isinstance(params, Mapping):
            self.scale_factor = checks.at_least(self, "scale_factor", params, 1)
            return
        if not {"oheight", "owidth"} <= params.keys() <= {"oheight", "owidth", *more}:
            expected = "a scale factor, or a dict with oheight and owidth"
            raise checks.misbuilt(SettingError, self, "params", expected, repr(dict(params)))
        for name, value in params.items():
            setattr(self, name, checks.at_least(self, name, value, 1))

    def _plan(self, method: str, input: Array) -> Any:
        if self.mode == "linear":
            checks.must_be_floating(self, method, "input", input)
        return super()._plan(method, input)

    def _size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        if self.scale_factor is None:
            return (self.odepth, self.oheight, self.owidth)[-len(size) :]
        return tuple(n * self.scale_factor for n in size)

    def _function(self, input: Array, plan: tuple[int, ...]) -> Array:
        if self.mode == "linear":
            return upsample_linear(input, plan)
        return upsample_nearest(input, (self.scale_factor,) * len(plan))

    def _gradient(self, input: Array, gradOutput: Array, plan: tuple[int, ...]) -> Array:
        if self.mode == "linear":
            return upsample_linear_back(gradOutput, input.shape[input.ndim - len(plan) :])
        return upsample_nearest_back(gradOutput, (self.scale_factor,) * len(plan))
