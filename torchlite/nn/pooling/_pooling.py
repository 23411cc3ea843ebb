"""What poolings have in common, with any number of dimensions."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from torchlite import random
from torchlite.errors import DTypeError, SettingError, StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.maxima import fractional_places, gather, max_at, max_windows, scatter
from torchlite.kernels.means import mean_windows, mean_windows_back
from torchlite.kernels.weak import GONE, weakly
from torchlite.kernels.windows import pooled_size
from torchlite.nn import checks, holders
from torchlite.nn._windowed import Dilated, Windowed
from torchlite.nn.nested import EMPTY, same, shapes


class Pooled(Windowed):
    """One number for some entries of each plane, of which `_windows_of` says how many there are."""

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        """Raise unless the input fits; return the size of the output."""
        checks.must_be_floating(self, method, "input", input)
        self._check_images(method, input, None, input.dtype)
        out = self._windows_of(input.shape[input.ndim - len(self._axes) :])
        if min(out) < 1:
            self._refuse_small(method, input, None)
        return out

    def _check_back(self, method: str, input: Array, gradOutput: Array) -> tuple[int, ...]:
        out = self._check(method, input)
        shape = (*input.shape[: input.ndim - len(out)], *out)
        checks.must_be_typed_back(self, method, input, gradOutput, shape, input.dtype)
        return out


class Pooling(Pooled):
    """One number for every window of each plane. A member says which, and its constructor.

    Attributes
    ----------
    ceil_mode
        Whether a last window that reaches beyond the padded image counts.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.
    SettingError
        The padding is wider than half a window.
    """

    _prints_stride: ClassVar[bool] = True
    ceil_mode: bool = False

    def _build(
        self,
        kernel: Sequence[Any],
        stride: Sequence[Any],
        padding: Sequence[Any],
        dilation: Sequence[Any] | None = None,
    ) -> None:
        """Check the settings and keep them; a stride of None is as wide as the window."""
        stride = [k if d is None else d for k, d in zip(kernel, stride, strict=True)]
        self._set_windows(kernel, stride, padding, dilation)
        self._refuse_wide_padding()

    def ceil(self) -> Self:
        """Let a last window that reaches beyond the padded image count, too. Return self."""
        self.ceil_mode = True
        return self

    def floor(self) -> Self:
        """Let whole windows count alone. Return self."""
        self.ceil_mode = False
        return self

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        geometry = self._kernel, self._stride, self._padding, self._dilation
        return pooled_size(size, *geometry, self.ceil_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._written()})"


class Maxima(Pooled):
    """The largest of some entries of each plane.

    Attributes
    ----------
    indices
        After a forward: where in its plane each maximum stands, counted in C order from 0.

    Conventions
    -----------
    Of several equal entries the first gets the gradient. NaN in gives NaN out, and gets the
    gradient. Complex numbers are ordered by their real parts. A backward uses indices if its input
    is the very array that they come from, and otherwise finds those of its input itself: nothing
    needs to be remembered, but do not write to that array in between.
    """

    transient = (*Pooled.transient, "indices", "_pooled", "_size")
    indices: Array = EMPTY
    # The input of which these are the indices, and the size of its planes.
    _pooled: Any = GONE
    _size: tuple[int, ...] = ()

    def updateOutput(self, input: Array) -> Array:
        out = self._check("updateOutput", input)
        # The last ones make room for the next.
        self._pooled = GONE
        self.output = self.indices = EMPTY
        self.output, self.indices = self._maxima(input, out)
        self._pooled, self._size = weakly(input), input.shape[input.ndim - len(out) :]
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        out = self._check_back("updateGradInput", input, gradOutput)
        indices = self._indices_of(input, out)
        size = input.shape[input.ndim - len(out) :]
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = scatter(gradOutput, indices, size, self._are_distinct())
        return self.gradInput

    def _maxima(self, input: Array, out: tuple[int, ...]) -> tuple[Array, Array]:
        """Return the maxima and where they stand."""
        raise NotImplementedError

    def _indices_of(self, input: Array, out: tuple[int, ...]) -> Array:
        return self.indices if input is self._pooled() else self._maxima(input, out)[1]

    def _are_distinct(self) -> bool:
        """Tell whether no entry is looked at for two maxima."""
        return False


class MaxPooling(Maxima, Pooling):
    """The largest entry of every window."""

    _may_be_recalled = True

    def _maxima(self, input: Array, out: tuple[int, ...]) -> tuple[Array, Array]:
        geometry = self._kernel, self._stride, self._padding, self._dilation
        return max_windows(input, *geometry, out)

    def _are_distinct(self) -> bool:
        each = zip(self._kernel, self._stride, self._dilation, strict=True)
        return all(d * (k - 1) < s for k, s, d in each)


class DilatedMaxPooling(Dilated, MaxPooling):
    """The largest of entries with gaps between them.

    Raises
    ------
    ShapeError
        All entries of a window lie in the padding.
    """

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        out = super()._check(method, input)
        geometry = self._kernel, self._stride, self._padding, self._dilation, out
        sizes = input.shape[input.ndim - len(out) :]
        for axis, n, k, s, p, d, m in zip(self._axes, sizes, *geometry, strict=True):
            # A window that starts in the image has that entry.
            for start in range(-p, min(0, m * s - p), s):
                places = range(start, start + d * k, d)
                if not any(0 <= place < n for place in places):
                    expected = f"{self._images(None)} with an entry in every window"
                    hint = f"along {axis} there is a window of entries {[*places]} of {n}"
                    raise checks.misshapen(self, method, "input", expected, input, hint)
        return out


class Unpooling(Windowed):
    """Maxima back where they stood: the other way of a max pooling.

    Attributes
    ----------
    indices
        Those of pooling in the last forward.

    Conventions
    -----------
    A forward takes the indices and the size of what `pooling` saw in its own last forward, and
    remembers them together with its input; a backward needs those. So the pooling, as a module that
    remembers, may stand only once in a network.
    """

    remembers = True
    refers = _recalls = ("pooling",)
    transient = (*Windowed.transient, "indices", "_input", "_size")
    pooling: Any
    indices: Array = EMPTY
    _input: Any = EMPTY
    _size: tuple[int, ...] = ()

    def _refer_to(self, pooling: Any, kind: type[MaxPooling]) -> None:
        if type(pooling) is not kind:
            expected, got = f"a {kind.__name__}", type(pooling).__name__
            raise checks.misbuilt(DTypeError, self, "poolingModule", expected, got)
        if pooling._kernel != pooling._stride:
            expected = f"a {kind.__name__} with strides as wide as its windows"
            raise checks.misbuilt(SettingError, self, "poolingModule", expected, repr(pooling))
        if not holders.recall(self, pooling):
            expected = f"a {kind.__name__} that stands once in its network"
            got, hint = "one that stands twice", "put pooling.clone() in the other place"
            raise checks.misbuilt(StateError, self, "poolingModule", expected, got, hint)
        self.pooling = pooling

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        indices, size = self.pooling.indices, self.pooling._size
        if indices is EMPTY:
            hint = "it stands before this layer in the network, and runs before it"
            name = checks.title(self)
            raise StateError(
                f"{name}.updateOutput: {self.pooling!r} has seen no input",
                layer=self,
                method="updateOutput",
                argument="pooling",
                expected="a forward of the pooling before",
                got="none",
                hint=hint,
            )
        if input.shape != indices.shape:
            expected = f"{indices.shape} like the output of {self.pooling!r}"
            raise checks.misshapen(self, "updateOutput", "input", expected, input)
        self.indices, self._input, self._size = indices, input, size
        # The last one makes room for the next.
        self.output = EMPTY
        self.output = scatter(input, indices, size, True)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_be_floating(self, "updateGradInput", "input", input)
        if not same(input, self._input):
            known = None if self._input is EMPTY else f"input {shapes(self._input)}"
            hint = "call forward(input) first: the indices are taken over there"
            name, method = checks.title(self), "updateGradInput"
            raise checks.unremembered(name, self, method, "input", known, input, hint)
        shape = (*input.shape[: input.ndim - len(self._size)], *self._size)
        checks.must_be_typed_back(self, "updateGradInput", input, gradOutput, shape, input.dtype)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = gather(gradOutput, self.indices, len(self._size))
        return self.gradInput

    def __repr__(self) -> str:
        return f"{type(self).__name__} associated to {self.pooling!r}"


class Adaptive(Pooled):
    """So many windows as are asked for, of as many entries as it takes."""

    def _set_size(self, **sizes: Any) -> None:
        for name, value in sizes.items():
            setattr(self, name, checks.at_least(self, name, value, 1))

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(getattr(self, a) if n else 0 for a, n in zip(self._axes, size, strict=True))


class FractionalMaxPooling(Maxima):
    """The largest entry of windows at random distances.

    Attributes
    ----------
    randomSamples
        (N, C, dimensions): what the last forward drew, from which the windows follow.
    newRandomPool
        Whether the windows stay as they are: set by `fixPoolingRegions`.

    Conventions
    -----------
    Every forward draws new windows for each plane of each sample, in evaluation, too, and
    remembers where the maxima stood together with its input; a backward needs them.
    """

    remembers = True
    transient = (*Maxima.transient, "randomSamples", "_input")
    exempt: ClassVar[Any] = {"batch": "every sample gets draws of its own"}
    randomSamples: Any = EMPTY
    _input: Any = EMPTY
    newRandomPool: bool = False

    def _set_fractions(self, kernel: Sequence[Any], wanted: Sequence[Any]) -> None:
        """Check the settings in the order of `_printed`, and keep them.

        What is wanted of the output are sizes, or ratios to the size of the input.
        """
        for axis, k in zip(self._printed, kernel, strict=True):
            name = f"poolSize{axis}"
            setattr(self, name, checks.at_least(self, name, k, 2))
        numbers = [
            checks.constant(self, f"out{axis}", value)
            for axis, value in zip(self._printed, wanted, strict=True)
        ]
        if all(number >= 1 for number in numbers):
            for axis, value in zip(self._printed, wanted, strict=True):
                setattr(self, f"out{axis}", checks.whole(self, f"out{axis}", value))
            return
        for axis, number in zip(self._printed, numbers, strict=True):
            if not 0 < number < 1:
                expected = "more than 0 and less than 1, as one of the others is"
                raise checks.misbuilt(SettingError, self, f"ratio{axis}", expected, repr(number))
            setattr(self, f"ratio{axis}", float(number))

    def fixPoolingRegions(self, val: bool = True) -> Self:
        """Keep the windows as they are from the next forward on; or not, with False. Return self.

        Inputs with another number of samples or planes get new ones nonetheless.
        """
        self.newRandomPool = bool(val)
        return self

    @property
    def _kernel(self) -> tuple[int, ...]:
        return self._numbers("poolSize")

    def _wanted(self, axis: str) -> Any:
        return vars(self).get(f"out{axis}", vars(self).get(f"ratio{axis}"))

    def _windows_of(self, size: tuple[int, ...]) -> tuple[int, ...]:
        found = []
        for axis, n, k in zip(self._axes, size, self._kernel, strict=True):
            wanted = self._wanted(axis)
            out = int(n * wanted) if isinstance(wanted, float) else wanted
            found.append(out if out + k - 1 <= n else 0)
        return tuple(found)

    def updateOutput(self, input: Array) -> Array:
        output = super().updateOutput(input)
        self._input = input
        return output

    def _maxima(self, input: Array, out: tuple[int, ...]) -> tuple[Array, Array]:
        # What a forward that fails would leave belongs to no input.
        self._input = EMPTY
        dims = len(self._axes)
        lead = input.shape[: input.ndim - dims]
        shape = (*((1,) * (2 - len(lead))), *lead, dims)
        if not (self.newRandomPool and self.randomSamples.shape == shape):
            # In the precision of the input, as Torch7 draws them.
            self.randomSamples = random.uniform(out=np.empty(shape, input.real.dtype))
        samples = self.randomSamples.reshape(*lead, dims)
        order = [self._printed.index(axis) for axis in self._axes]
        size = input.shape[input.ndim - dims :]
        return max_at(input, fractional_places(samples[..., order], size, out, self._kernel), dims)

    def _indices_of(self, input: Array, out: tuple[int, ...]) -> Array:
        # EMPTY: a forward of another input was broken off.
        if self.indices is not EMPTY and same(input, self._input):
            return self.indices
        known = None if self._input is EMPTY else f"input {shapes(self._input)}"
        hint = "call forward(input) first: the windows are drawn there"
        name = checks.title(self)
        raise checks.unremembered(name, self, "updateGradInput", "input", known, input, hint)

    def __repr__(self) -> str:
        wanted = "x".join(str(self._wanted(axis)) for axis in self._printed)
        kernel = ",".join(str(getattr(self, f"poolSize{axis}")) for axis in self._printed)
        return f"{type(self).__name__}({wanted}, {kernel})"


class AveragePooling(Pooling):
    """The mean of every window.

    Attributes
    ----------
    count_include_pad
        Whether zeros of the padding count in the mean.

    Conventions
    -----------
    Remembers nothing.
    """

    count_include_pad: bool = True

    def setCountIncludePad(self) -> Self:
        """Let zeros of the padding count in the mean. Return self."""
        self.count_include_pad = True
        return self

    def setCountExcludePad(self) -> Self:
        """Let the entries of the image count alone. Return self."""
        self.count_include_pad = False
        return self

    def updateOutput(self, input: Array) -> Array:
        out = self._check("updateOutput", input)
        geometry = self._kernel, self._stride, self._padding
        # The last one makes room for the next.
        self.output = EMPTY
        self.output = mean_windows(input, *geometry, out, self.count_include_pad)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        out = self._check_back("updateGradInput", input, gradOutput)
        size = input.shape[input.ndim - len(out) :]
        geometry = self._kernel, self._stride, self._padding
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = mean_windows_back(gradOutput, size, *geometry, self.count_include_pad)
        return self.gradInput


def must_be_frames(layer: Any, method: str, input: Any, least: int) -> None:
    """Input must be frames (T, F), at least so many, or a batch of such samples."""
    checks.must_be_floating(layer, method, "input", input)
    if input.ndim not in (2, 3) or input.shape[-2] < least:
        expected, hint = "(T, F) or (N, T, F)", None
        if input.ndim in (2, 3):
            expected += f" with T >= {least}"
        elif input.ndim == 1:
            hint = "input[:, None] is one sample with one feature"
        raise checks.misshapen(layer, method, "input", expected, input, hint)
