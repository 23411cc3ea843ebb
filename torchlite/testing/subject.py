"""What is under check: copies of it, its numbers, and how two results are compared."""

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    scale_arrays,
    shapes,
)
from torchlite.nn.stateful import parts
from torchlite.testing import values
from torchlite.testing.hints import hint_of
from torchlite.testing.moulds import mould
from torchlite.testing.patterns import guess
from torchlite.testing.violations import ContractViolation
from torchlite.testing.words import words

__all__ = ["ROUNDING", "Result", "Subject", "attempt", "quietly", "states"]

# Rounding: what two ways to the same sum may differ by, of the magnitude of its terms.
ROUNDING = 1e-11
# How often inputs are rounded otherwise to see what comes of it; so many times that is allowed.
ROUNDINGS = 3
SLACK = 64


@contextmanager
def quietly() -> Iterator[None]:
    """Keep floating-point errors and warnings to themselves: here only the results matter."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        yield


def attempt(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what the call returns, or None if it raises: huge and tiny numbers may be refused."""
    try:
        with quietly():
            return call(*arguments)
    except Exception:
        return None


class Result(NamedTuple):
    """What one forward and backward gave."""

    output: Any
    gradInput: Any
    # Of the parameters, where there are any.
    gradients: list[Array]


class Subject:
    """A module or a criterion, arguments for it, and how to run the one on the others.

    It itself is never touched: every run is on a copy. What differs between modules and criterions
    stands in `ModuleSubject` and `CriterionSubject`; properties of both ask for nothing else.
    """

    # Whether the numbers are such that a layer may refuse them, or give no numbers.
    extreme = False
    # What of the example is changed: its numbers, samples, steps or ids.
    changed = ""
    # Whether most entries tie, and can only be moved together.
    tied = False
    # The contract's calls, in the order of a Result.
    methods: tuple[str, ...] = ("updateOutput", "updateGradInput", "accGradParameters")
    # Whether the output is a Python number, of no dtype or kind of array.
    scalar = False
    # Whether a backward may count on a forward of the same input before it.
    needs_forward = True
    # Whether a forward draws random numbers.
    draws = False
    # Whether the parameters are few.
    small = True
    # Whether there are modules inside.
    composed = False

    output: Any
    gradOutput: Any = None
    # What the copies are of, as it was then, and what makes them.
    _mould: tuple[Any, Callable[[], Any]] = (None, object)
    # Of every copy they are the same.
    _words: dict[str, Any] | None = None

    def __init__(
        self,
        layer: Any,
        input: Any,
        *,
        seed: int = 0,
        where: str = "",
        fresh_from: Callable[[], Any] | None = None,
        reproduce: str = "",
    ) -> None:
        # The property that is being checked: whoever runs one sets it.
        self.property = ""
        self.seed = seed
        self.rng = values.generator(seed, "parameters")
        self.title = checks.title(layer)
        self.where = f"{where} {self.title}" if where else self.title
        self.fresh_from = fresh_from
        self.reproduce = reproduce
        self.notes: list[str] = []
        self.kinks: dict[str, tuple[int, int]] = {}
        # Where, at other numbers, all gradients were found to agree.
        self.agreed: set[str] = set()
        # Directions along which that was tried, by the shapes of what is moved.
        self.drawn: dict[tuple[tuple[int, ...], ...], list[Array]] = {}
        # The parameters as they were given, in float64.
        self.first: list[Array] = []
        self.base = layer
        self.base = self._deep_copy(layer)
        self.base.clearState()
        self.names = self._names_of_gradients()
        if self.base.type() != np.float64:
            self.base.type("float64")
        self.input = cast_arrays(input, "float64")
        # A layer that writes to its input would spoil it for every property after.
        self.pristine = copy_arrays(self.input)

    def _deep_copy(self, layer: Any) -> Any:
        try:
            return copy.deepcopy(layer)
        except Exception as error:
            self.fail(
                "copy.deepcopy", f"it raises {type(error).__name__}: {error}", property="clone"
            )
            raise

    def _names_of_gradients(self) -> list[str]:
        return []

    # ---------------------------------------------------------------- what its kind offers

    @property
    def given(self) -> dict[str, Any]:
        """The arguments of backward by their names: input, and gradOutput or target."""
        raise NotImplementedError

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments of forward by their names."""
        raise NotImplementedError

    def forward(self, layer: Any, input: Any, /) -> Any:
        """Return the output under the same draw each time."""
        raise NotImplementedError

    def calls(
        self, layer: Any, input: Any, beside: Any, /, *scale: Any
    ) -> list[tuple[str, Callable[[], Any]]]:
        """Return the contract's calls, in order; the scale, if any, is for accGradParameters."""
        raise NotImplementedError

    def run(self, layer: Any = None, input: Any = None, beside: Any = None, /) -> Result:
        """Run forward and backward, from zero gradients."""
        raise NotImplementedError

    def gradInput_for(self, weights: list[Array]) -> Any:
        """Return gradInput for these gradients of the output's arrays."""
        raise NotImplementedError

    def parameters_of(self, layer: Any) -> tuple[list[Array], list[Array]]:
        """Return the parameters of a copy, and their gradients."""
        return [], []

    def other_input(self) -> Any:
        """Return another input on which the layer works, or the same input rearranged."""
        raise NotImplementedError

    def others(self) -> tuple[Any, Any]:
        """Return other arguments of backward on which the layer works."""
        raise NotImplementedError

    def extremes(self) -> list[Self]:
        """Return the subject at huge and tiny numbers, and at these, infinities and NaN."""
        raise NotImplementedError

    @property
    def is_told_dtype(self) -> bool:
        """Tell whether a layer has a dtype to keep: of integers alone it may make any."""
        return bool(self.names) or any(map(is_floating, leaves(self.input)))

    @property
    def large(self) -> bool:
        """Tell whether there are many numbers: parameters, and what goes in and out."""
        return False

    def of_few_samples(self) -> Self:
        """Return the subject at fewer samples, where it is large and these are as good."""
        return self

    def variants(self) -> list[Self]:
        """Return the subject, and the same in another mode if it has any that matters."""
        raise NotImplementedError

    def documented(self) -> list[Self]:
        """Return the variants of which the docstring speaks, if it speaks of such an input."""
        raise NotImplementedError

    def wrong_calls(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return methods with arguments that are refused, or should be."""
        raise NotImplementedError

    # ---------------------------------------------------------------- running

    @property
    def words(self) -> dict[str, Any]:
        """The names that the code of the layer and its parts uses, with what each means."""
        if self._words is None:
            self._words = words(self.base)
        return self._words

    def fresh(self, dtype: Any = None) -> Any:
        """Return a copy, cast to dtype."""
        if self._mould[0] is not self.base:
            self._mould = self.base, mould(self.base)
        layer = self._mould[1]()
        return layer if dtype is None else layer.type(dtype)

    def reseed(self) -> None:
        """Make the next forward draw what every other one drew."""
        if self.draws:
            random.manualSeed(self.seed)

    def gradient_arrays(self, layer: Any) -> list[tuple[str, Array]]:
        """Return the gradients of a copy with their names."""
        return list(zip(self.names, self.parameters_of(layer)[1], strict=True))

    def call(self, method: str, layer: Any) -> Any:
        """Make one of the contract's calls."""
        return dict(self.calls(layer, *self.given.values()))[method]()

    def by_method(self, result: Result) -> list[tuple[str, Any]]:
        """Return what each of the contract's calls gave."""
        return list(zip(self.methods, result, strict=False))

    def ready(self) -> Any:
        """Return a copy that has just computed something, with gradients that are not zero."""
        layer = self.fresh()
        for _, gradient in self.gradient_arrays(layer):
            gradient[...] = 1.25
        for method in ("updateOutput", "updateGradInput"):
            self.call(method, layer)
        return layer

    def weights(self) -> list[Array]:
        """Return gradOutput's arrays, zeros for those of outputs without a derivative."""
        return [v if is_floating(v) else np.zeros(v.shape) for v in leaves(self.gradOutput)]

    def forward_anew(self, layer: Any, input: Any) -> Any:
        """Return the output under another draw."""
        other = copy.copy(self)
        other.seed = self.seed + 1
        return other.forward(layer, input)

    def at(self, what: str, input: Any, **others: Any) -> Self:
        """Return the subject at such an input, which it may refuse unless extreme is False."""
        subject = copy.copy(self)
        facts = {"extreme": True, "where": f"{self.where} at {what}"}
        vars(subject).update({**facts, "input": input, "pristine": input, **others})
        return subject

    def adversarial(self, table: Any, *more: float) -> Any:
        """Return a table like this one of huge and tiny numbers, zeros and `more`."""
        return map_arrays(
            lambda a: values.adversarial(self.rng, a.shape, *more) if is_floating(a) else a, table
        )

    @property
    def rows(self) -> int:
        """The number of samples, if there is one."""
        raise NotImplementedError

    @contextmanager
    def where_steady(self, result: Result) -> Iterator[None]:
        """Let nothing be wrong unless an input that is rounded otherwise gives nearly the result.

        The cosine of a huge sum does not: it is another one in every memory layout.
        """
        try:
            yield
        except Exception:
            if self._is_steady(result):
                raise

    def _is_steady(self, result: Result) -> bool:
        rng = values.generator(self.seed, "roundings")
        alike = map_arrays(lambda a: np.full(np.shape(a), 4.0), self.input)
        for ulps in (alike, _drawn_ulps(rng, self.input)):
            other = attempt(self.run, None, _rounded_by(self.input, ulps))
            moved = _moved(list(result), list(other or ()))
            for one, off in zip(leaves(list(result)), moved, strict=False):
                if is_floating(one):
                    size = np.abs(np.where(np.isfinite(one), one, 0)).max(initial=0)
                    if (off > 1e-9 * size).any():
                        return False
        return True

    def sways(
        self, run: Callable[[Any], Any], *, ulps: float = 1.0, jumps: bool = False
    ) -> list[Array]:
        """Return how far each entry that run(input) gives moves if the input is rounded otherwise.

        That is what the order of a sum may do. At a tie, or a jump, everything changes at once:
        without jumps, only what grows with the rounding counts.
        """
        rng = values.generator(self.seed, "roundings")
        here = run(self.input)
        near = [np.zeros(np.shape(array)) for array in leaves(here)]
        far = [np.zeros(np.shape(array)) for array in leaves(here)]
        for _ in range(ROUNDINGS):
            drawn = _drawn_ulps(rng, self.input)
            for found, by in ((near, ulps), (far, 16 * ulps)):
                there = attempt(run, _rounded_by(self.input, scale_arrays(drawn, by)))
                for most, off in zip(found, _moved(here, there), strict=False):
                    np.maximum(most, off, out=most)
        return [
            one if jumps else np.where(other >= 4 * one, one, 0)
            for one, other in zip(near, far, strict=True)
        ]

    def blur(self, run: Callable[[Any], Any]) -> float:
        """Return what may be lost to rounding of anything that run(input) gives."""
        return SLACK * max((float(sway.max(initial=0)) for sway in self.sways(run)), default=0)

    def count_kinks(self, name: str, skipped: int, entries: int) -> None:
        """Keep how many entries were not compared because they lie at a kink or tie."""
        if skipped:
            self.kinks[name] = (skipped, entries)

    # ---------------------------------------------------------------- complaining

    def context(self) -> str:
        """Return shapes, dtypes and seed as failures print them."""
        if not hasattr(self, "pristine"):
            return f"seed {self.seed}"
        dtypes = sorted({str(a.dtype) for a in leaves(self.input) if is_array(a)})
        _, (name, beside) = self.given.items()
        # Of a layer whose forward raises, no gradOutput was drawn.
        along = "" if name == "gradOutput" and beside is None else f"{name} {shapes(beside)}, "
        return f"input {shapes(self.input)} {', '.join(dtypes)}, {along}seed {self.seed}"

    def fail(
        self,
        method: str,
        problem: str,
        kind: type[ContractViolation] = ContractViolation,
        *,
        property: str = "",
        **facts: Any,
    ) -> None:
        """Raise a violation of the property that is being checked, or of the one named."""
        property = property or self.property
        facts.setdefault("hint", hint_of(self.base, method, property, problem))
        raise kind(
            self.where,
            method,
            property,
            problem,
            context=self.context(),
            reproduce=self.reproduce.format(property=property),
            **facts,
        )

    def compare(
        self,
        method: str,
        problem: str,
        got: Any,
        expected: Any,
        *,
        allowed: Any = None,
        oracle: str | None = None,
        skipped: Any = None,
        hints: dict[str, Any] | None = None,
        kind: type[ContractViolation] = ContractViolation,
        dtypes: bool = True,
        blur: float = 0.0,
    ) -> None:
        """Fail unless got is expected: shape, dtype, and every entry within `allowed`.

        allowed: an array or number; 0 for bit by bit; by default rounding of numbers this size.
        skipped: a mask of entries that are not compared. blur: is allowed besides.
        """
        if isinstance(expected, (list, tuple, dict)):
            if shapes(got) != shapes(expected):
                self.fail(
                    method, f"{problem} It is {shapes(got)}, expected {shapes(expected)}.", kind
                )
            for one, other in zip(leaves(got), leaves(expected), strict=True):
                if is_array(other):
                    self.compare(
                        method,
                        problem,
                        one,
                        other,
                        allowed=allowed,
                        oracle=oracle,
                        hints=hints,
                        kind=kind,
                        dtypes=dtypes,
                        blur=blur,
                    )
            return
        if expected is None and got is None:
            # Of integers there is no gradient.
            return
        if not is_array(got) and not np.isscalar(got):
            self.fail(method, f"{problem} It is {type(got).__name__}, not an array.", kind)
        if np.shape(got) != np.shape(expected):
            self.fail(
                method,
                f"{problem} Its shape is {np.shape(got)}, expected {np.shape(expected)}.",
                kind,
            )
        if dtypes and is_array(expected) and got.dtype != expected.dtype:
            self.fail(method, f"{problem} Its dtype is {got.dtype}, not {expected.dtype}.", kind)
        got, expected = np.asarray(got), np.asarray(expected)
        if (got == expected).all():
            # As in most cases: this is one pass over the arrays, what follows is many.
            return
        if checks.is_integral(got):
            # Booleans cannot be subtracted, and unsigned integers wrap around.
            got, expected = got.astype(np.float64), expected.astype(np.float64)
        if allowed is None:
            size = max(np.abs(expected).max(initial=0), np.abs(got).max(initial=0), 1)
            allowed = ROUNDING * (size if np.isfinite(size) else 1)
        allowed = allowed + blur
        with np.errstate(invalid="ignore"):
            off = np.abs(got - expected)
            if (off <= allowed).all():
                return
            # Equal infinities differ by NaN, and one NaN is like another.
            wrong = ~((off <= allowed) | (got == expected) | (np.isnan(got) & np.isnan(expected)))
        if skipped is None and self.extreme:
            # Whether a number is lost as infinity or as NaN does not matter.
            skipped = ~(np.isfinite(got) | np.isfinite(expected))
        if skipped is not None:
            wrong &= ~skipped
        if not wrong.any():
            return
        excess = np.where(wrong, np.where(np.isnan(off), np.inf, off), -1)
        worst = np.unravel_index(int(np.argmax(excess)), excess.shape)
        self.fail(
            method,
            problem,
            kind,
            index=tuple(int(i) for i in worst),
            got=got[worst],
            expected=expected[worst],
            allowed=float(np.broadcast_to(allowed, got.shape)[worst]),
            oracle=oracle,
            differing=int(wrong.sum()),
            entries=got.size,
            pattern=guess(got, expected, rows=self.rows, **hints) if hints else None,
        )

    def compare_results(
        self, got: Result, expected: Result, problem: str, *, rounded: bool = False
    ) -> None:
        """Fail unless a forward and backward gave what is expected.

        rounded: sums may have been added up in another order.
        """
        size = max((float(np.abs(g).max(initial=0)) for g in expected.gradients), default=0)
        limits = (None, None, 1e-10 * (1 + size))
        for method, one, other, allowed in zip(self.methods, got, expected, limits, strict=False):
            try:
                self.compare(method, problem, one, other, allowed=allowed)
            except ContractViolation:
                if not rounded:
                    raise
                k = self.methods.index(method)
                blur = self.blur(lambda input: self.run(None, input)[k])  # noqa: B023
                self.compare(method, problem, one, other, allowed=allowed, blur=blur)

    def same_bits(self, method: str, problem: str, got: Any, expected: Any) -> None:
        """Fail unless got is expected bit by bit; one NaN is like another."""
        if shapes(got) != shapes(expected):
            self.fail(method, f"{problem} It is {shapes(got)}, expected {shapes(expected)}.")
        for one, other in zip(leaves(got), leaves(expected), strict=True):
            if is_array(other) and not _are_same_bits(one, other):
                undefined = np.isnan(one) & np.isnan(other)
                self.compare(method, problem, one, other, allowed=0.0, skipped=undefined)
                if other.dtype.kind == "f":
                    turned = (np.signbit(one) != np.signbit(other)) & ~undefined
                    if turned.any():
                        self.fail(method, f"{problem} A zero has another sign.")


def _are_same_bits(one: Any, other: Any) -> bool:
    arrays = [np.asarray(array) for array in (one, other)]
    if all(array.dtype == np.float64 and array.flags.c_contiguous for array in arrays):
        # The same without two copies.
        bits = [array.reshape(-1).view(np.int64) for array in arrays]
        return np.array_equal(bits[0], bits[1])
    return bool(one.tobytes() == other.tobytes())


def _drawn_ulps(rng: np.random.Generator, table: Any) -> Any:
    """Return a table like this one of numbers between -2 and 2."""
    return map_arrays(lambda a: rng.uniform(-2, 2, np.shape(a)), table)


def _rounded_by(table: Any, ulps: Any) -> Any:
    """Return a table with so many units of its last digit added."""
    pairs = zip(leaves(table), leaves(ulps), strict=True)
    eps = float(np.finfo(float).eps)
    return rebuilt(table, [a * (1 + eps * u) if is_floating(a) else a for a, u in pairs])


def _moved(here: Any, there: Any) -> list[Array]:
    """Return by how much the arrays of a table that are finite in both differ."""
    found = []
    for one, two in zip(leaves(here), leaves(there), strict=False):
        off = np.zeros(np.shape(one))
        if is_floating(one) and np.shape(one) == np.shape(two):
            both = np.isfinite(one) & np.isfinite(two)
            off = np.abs(np.where(both, one, 0) - np.where(both, two, 0))
        found.append(off)
    return found


def states(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield every attribute of the layer and its parts, with a name."""
    for i, part in enumerate(parts(layer)):
        for key, value in vars(part).items():
            yield f"{type(part).__name__}#{i}.{key}", value
