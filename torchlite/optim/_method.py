"""What every optimizer is called with: its config and state, x, and what opfunc returns.

Each optimizer declares a `Method`, which names the keys of its config and of its state, and lets it
check everything it was given before it changes anything.
"""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from torchlite.elsewhere import as_numpy
from torchlite.errors import (
    DTypeError,
    SettingError,
    ShapeError,
    StateError,
    TorchliteError,
    fault,
)
from torchlite.kernels.arrays import Array, is_array
from torchlite.kernels.weak import GONE, weakly

__all__ = [
    "Key", "Method", "annealed", "at_least_0", "flag", "fraction", "number", "positive",
    "typed", "vector", "whole",
]  # fmt: skip

_Error = TypeVar("_Error", bound=TorchliteError)

# Where x comes from.
_FLAT = "with x, gradParameters = net.getParameters()"

_FLOATING = frozenset(map(np.dtype, ("float32", "float64")))
_NUMBERS = (int, float)


# ---------------------------------------------------------------- the keys of a config


class Key(NamedTuple):
    """One key of a config: what it is when absent, and what it must be.

    Attributes
    ----------
    default
        Its value when the config lacks it or has None there.
    kinds, expected, fits
        The types it may have, what it must be in words, and the test of a value of those types.
    """

    default: Any
    kinds: tuple[type[Any], ...]
    expected: str
    fits: Callable[[Any], bool] = lambda value: True


def number(default: float | None) -> Key:
    return Key(default, _NUMBERS, "a finite number", math.isfinite)


def at_least_0(default: float) -> Key:
    return Key(default, _NUMBERS, "a finite number of at least 0", lambda v: 0 <= v < math.inf)


def positive(default: float | None) -> Key:
    return Key(default, _NUMBERS, "a finite number greater than 0", lambda v: 0 < v < math.inf)


def fraction(default: float) -> Key:
    return Key(default, _NUMBERS, "at least 0 and less than 1", lambda v: 0 <= v < 1)


def whole(default: int | None, least: int = 1) -> Key:
    return Key(default, (int,), f"a whole number of at least {least}", lambda v: v >= least)


def flag(default: bool) -> Key:
    return Key(default, (bool,), "True or False")


def vector() -> Key:
    return Key(None, (np.ndarray,), "an array like x")


def typed(kind: Any, expected: str) -> Key:
    return Key(None, (kind,), expected)


def annealed(settings: Any, evaluations: int) -> float:
    """Return the learning rate after so many evaluations."""
    return float(settings.learningRate / (1 + evaluations * settings.learningRateDecay))


# ---------------------------------------------------------------- reading and checking


class Method:
    """The name of an optimizer, the names of what it keeps in its state, the keys of its config."""

    def __init__(self, name: str, /, *state: str, **keys: Key) -> None:
        self.name = name
        self.keys = keys
        self.state = frozenset(state)
        self._defaults = {name: key.default for name, key in keys.items()}
        self._vectors = [name for name, key in keys.items() if np.ndarray in key.kinds]
        self._rates: Callable[[], Any] = GONE  # what `_must_be_rates` looked at last

    def begin(
        self, opfunc: Any, x: Any, config: Any, state: Any
    ) -> tuple[SimpleNamespace, dict[str, Any]]:
        """Check the arguments; return the settings by name, and the dict that holds the state.

        x is None where it was left out, as by those who write what PyTorch wants:
        adam(net.parameters()).
        """
        if not callable(opfunc):
            expected = "a function of x that returns (f(x), df/dx)"
            hint = f"{self.name}(opfunc, x, config), {_FLAT}"
            raise self.misgiven(DTypeError, "opfunc", expected, _printed(opfunc), hint)
        settings = self.read(config)
        if state is None:
            state = {} if config is None else config
        elif not isinstance(state, dict):
            raise self.misgiven(DTypeError, "state", "a dict", _printed(state))
        self.must_be_writeable("x", x)
        for name in self._vectors:
            values = getattr(settings, name)
            if values is not None:
                self.must_be_like(name, values, x)
                if name == "learningRates" and self._rates() is not values:
                    self._must_be_rates(values)
        return settings, state

    def _must_be_rates(self, rates: Array) -> None:
        """Raise unless these are learning rates. To look at the same ones at each step is dear."""
        wrong = ~((rates >= 0) & (rates < math.inf))
        if wrong.any():
            got = str(rates[wrong][0])
            raise self.misgiven(SettingError, "learningRates", "finite and at least 0", got)
        self._rates = weakly(rates)

    def read(self, config: Any) -> SimpleNamespace:
        """Return the settings by name: what config says, and the defaults of the rest."""
        values = dict(self._defaults)
        if config is not None:
            if not isinstance(config, dict):
                raise self.misgiven(DTypeError, "config", "a dict", _printed(config))
            for name, value in config.items():
                if name in values:
                    if value is not None:
                        values[name] = self.checked(name, value)
                elif name not in self.state and not str(name).startswith("_"):
                    known = ", ".join(self.keys)
                    expected = f"one of {known}"
                    raise self.misgiven(SettingError, "a key of config", expected, repr(name))
        return SimpleNamespace(**values)

    def checked(self, name: str, value: Any) -> Any:
        """Return the value of a setting, of Python's own type; raise if it does not fit."""
        key = self.keys[name]
        # A NumPy scalar would turn float32 arrays into float64.
        if isinstance(value, np.generic):
            value = value.item()
        fits = isinstance(value, key.kinds) or (np.ndarray in key.kinds and is_array(value))
        if not fits or (isinstance(value, bool) and bool not in key.kinds):
            hint = as_numpy(name, value) if np.ndarray in key.kinds else None
            raise self.misgiven(DTypeError, name, key.expected, _printed(value), hint)
        if not key.fits(value):
            hint = None
            if name == "learningRate" and value < 0:
                hint = "to maximise, let opfunc return -f and -df/dx"
            raise self.misgiven(SettingError, name, key.expected, repr(value), hint)
        return value

    def recall(
        self,
        state: dict[str, Any],
        name: str,
        x: Array,
        *,
        fill: float = 0,
        shape: tuple[int, ...] | None = None,
    ) -> Array:
        """Return an array of the state, by default like x; a new one where there is none yet."""
        if shape is None:
            shape = x.shape
        array = state.get(name)
        if array is None:
            if not isinstance(x, np.ndarray):
                return np.full_like(x, fill, shape=shape)
            # The pages of zeros take no memory before they are written to.
            return np.full(shape, fill, x.dtype) if fill else np.zeros(shape, x.dtype)
        if type(array) is type(x) and array.shape == shape and array.dtype == x.dtype:
            return array
        if _is_like(array, x) and array.shape == shape and array.dtype == x.dtype:
            return array
        expected = f"{_foreign(x)}{x.dtype} {shape}"
        hint = "a state belongs to one x and one config: start with an empty dict"
        if is_array(array) and not _is_like(array, x):
            hint = "torchlite.interop.cupy.cuda(state) and cpu(state) move a state as they move x"
        raise StateError(
            f"{self.name}: state[{name!r}] must be {expected}, got {_printed(array)}",
            method=self.name,
            argument=name,
            expected=expected,
            got=_printed(array),
            hint=hint,
        )

    def evaluate(
        self, opfunc: Callable[[Array], tuple[Any, Array]], x: Array
    ) -> tuple[float, Array]:
        """Return f(x) and df/dx. The gradient is the caller's array: it must not be written to."""
        result = opfunc(x)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise self.misgiven(
                DTypeError, "what opfunc returns", "(f(x), df/dx)", _printed(result)
            )
        self.must_be_like("df/dx", result[1], x)
        return self.scalar(result[0]), result[1]

    def value(self, opfunc: Callable[[Array], Any], x: Array) -> float:
        """Return f(x) alone, whether or not opfunc returns df/dx with it; inf where it is NaN."""
        result = opfunc(x)
        value = self.scalar(result[0] if isinstance(result, tuple) and result else result)
        return math.inf if math.isnan(value) else value

    def scalar(self, value: Any) -> float:
        """Return f(x) as a Python float."""
        if type(value) is float:
            return value
        if (is_array(value) or isinstance(value, np.generic)) and value.ndim == 0:
            value = value.item()
        if isinstance(value, _NUMBERS):
            return float(value)
        raise self.misgiven(DTypeError, "f(x)", "a number", _printed(value))

    def must_be_writeable(self, argument: str, array: Any) -> None:
        """Raise unless it is an array that can be updated in place."""
        if not is_array(array) or array.dtype not in _FLOATING:
            hint = as_numpy(argument, array, "float64")
            if is_array(array):
                hint = f"{argument}.astype('float64')"
            elif (
                array is None
                or hasattr(type(array), "getParameters")
                or (
                    isinstance(array, list | tuple)
                    and not all(isinstance(v, _NUMBERS) for v in array)
                )
            ):
                hint = _FLAT
            expected = "a float32 or float64 NumPy array"
            raise self.misgiven(DTypeError, argument, expected, _printed(array), hint)
        if isinstance(array, np.ndarray) and not array.flags.writeable:
            raise self.misgiven(SettingError, argument, "writeable", "a read-only array")

    def must_be_like(self, argument: str, array: Any, x: Array) -> None:
        """Raise unless the array has the shape and dtype of x."""
        if type(array) is type(x) and array.shape == x.shape and array.dtype == x.dtype:
            return
        if not _is_like(array, x):
            raise self.misgiven(DTypeError, argument, "an array like x", _printed(array))
        if array.dtype != x.dtype:
            raise self.misgiven(DTypeError, argument, f"{x.dtype} like x", str(array.dtype))
        if array.shape != x.shape:
            raise self.misgiven(ShapeError, argument, f"{x.shape} like x", str(array.shape))

    def misgiven(
        self, kind: type[_Error], argument: str, expected: str, got: str, hint: str | None = None
    ) -> _Error:
        return fault(kind, self.name, argument, expected, got, hint=hint)


def _is_like(array: Any, x: Array) -> bool:
    """Tell whether it is an array of NumPy's as x is, or as x is of another kind."""
    both_numpy = isinstance(array, np.ndarray) and isinstance(x, np.ndarray)
    return both_numpy or (is_array(array) and type(array) is type(x))


def _foreign(array: Array) -> str:
    """Return how errors name the kind of an array that is not NumPy's."""
    kind = type(array)
    return "" if isinstance(array, np.ndarray) else f"{kind.__module__}.{kind.__name__} "


def _printed(value: Any) -> str:
    if is_array(value):
        return f"{_foreign(value)}{value.dtype} {value.shape}"
    return repr(value) if isinstance(value, (str, *_NUMBERS)) else type(value).__name__
