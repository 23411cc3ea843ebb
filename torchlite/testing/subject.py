"""The layer under check: copies of it, its numbers, and how two results are compared."""

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any, NamedTuple, Self

import numpy as np

from torchlite import random
from torchlite.nn import checks
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_finite,
    is_floating,
    leaves,
    map_arrays,
    shapes,
)
from torchlite.nn.stateful import parts
from torchlite.nn.tree import gradient_names
from torchlite.testing import values
from torchlite.testing.violations import ContractViolation, guess

__all__ = ["EXTREMES", "ROUNDING", "Result", "Subject", "attempt", "quietly", "states", "words"]

# Rounding: what two ways to the same sum may differ by, of the magnitude of its terms.
ROUNDING = 1e-11
# What adversarial numbers are, and which are mixed in: to a maximum, one NaN hides all others.
EXTREMES: list[tuple[str, tuple[float, ...]]] = [
    ("huge and tiny numbers", ()),
    ("huge and tiny numbers, infinities and NaN", (np.nan, np.inf, -np.inf)),
]


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
    gradients: list[Any]


class Subject:
    """A module, an input and a gradOutput, and how to run the one on the others.

    The module itself is never touched: every run is on a copy. Its parameters are moved to nearby
    multiples of 1/64, so that none is special.
    """

    # Whether the numbers are such that a layer may refuse them, or give no numbers.
    extreme = False

    def __init__(
        self,
        module: Module,
        input: Any,
        gradOutput: Any = None,
        *,
        seed: int = 0,
        where: str = "",
        fresh_from: Callable[[], Module] | None = None,
        reproduce: str = "",
    ) -> None:
        # The property that is being checked: whoever runs one sets it.
        self.property = ""
        self.seed = seed
        # Other numbers than `draw` gives to the input.
        self.rng = np.random.default_rng([seed, 1])
        self.title = checks.title(module)
        self.where = f"{where} {self.title}" if where else self.title
        self.fresh_from = fresh_from
        self.reproduce = reproduce
        self.notes: list[str] = []
        self.kinks: dict[str, tuple[int, int]] = {}
        self.base = self._copied(module)
        self.base.clearState()
        self.names = self._checked_names()
        self.dtype = self.base.type()
        if self.dtype != np.float64:
            self.base.type("float64")
        for part in parts(self.base):
            if part.gradInput is None:
                del part.gradInput
                self.notes.append("gradInput = None is taken back for the check")
        self.input = cast_arrays(input, "float64")
        # A layer that writes to its input would spoil it for every property after.
        self.pristine = copy_arrays(self.input)
        self.draws = True
        self.draws = self._forward_draws()
        self._move_parameters()
        self.output = copy_arrays(self.forward(self.fresh(), copy_arrays(self.input)))
        if self.output is None:
            self.fail("updateOutput", "it returned None.", property="split")
        if gradOutput is None:
            gradOutput = map_arrays(self._draw_like, self.output)
        self.gradOutput = cast_arrays(gradOutput, "float64")
        self.remembers = self.base.remembers
        self.composed = len(parts(self.base)) > 1 or isinstance(self.base, Container)

    def _copied(self, module: Module) -> Module:
        try:
            return copy.deepcopy(module)
        except Exception as error:
            self.fail(
                "copy.deepcopy", f"it raises {type(error).__name__}: {error}", property="clone"
            )
            raise

    def _checked_names(self) -> list[str]:
        """Return the names of the gradients, if parameters() is what it must be."""
        pair = self.base.parameters()
        lists = isinstance(pair, (list, tuple)) and len(pair) == 2
        if not lists or not all(isinstance(side, (list, tuple)) for side in pair):
            self.fail("parameters", "it does not return two lists.", property="update")
        if len(pair[0]) != len(pair[1]):
            self.fail(
                "parameters",
                f"it returns {len(pair[0])} parameters and {len(pair[1])} gradients.",
                property="update",
            )
        return gradient_names(self.base)

    def _draw_like(self, array: Any) -> Any:
        return values.distinct(self.rng, array.shape)

    def _move_parameters(self) -> None:
        parameters = self.base.parameters()[0]
        before = [parameter.copy() for parameter in parameters]
        self.small = sum(parameter.size for parameter in parameters) <= 1000
        for parameter in parameters:
            if self.small:
                parameter[...] = values.nearby(self.rng, parameter)
            else:
                # Sums of many multiples of 1/16 would meet the kinks of what follows.
                parameter += self.rng.uniform(-0.1, 0.1, parameter.shape)
        output = attempt(self.forward, self.fresh(), copy_arrays(self.input))
        if output is None or not is_finite(output):
            for parameter, values_before in zip(parameters, before, strict=True):
                parameter[...] = values_before
            self.notes.append("parameters left as they are: moved ones gave no finite output")

    # ---------------------------------------------------------------- running

    def fresh(self, dtype: Any = None) -> Module:
        """Return a copy of the module, cast to dtype."""
        module = copy.deepcopy(self.base)
        return module if dtype is None else module.type(dtype)

    def reseed(self) -> None:
        """Make the next forward draw what every other one drew."""
        if self.draws:
            random.manualSeed(self.seed)

    def _forward_draws(self) -> bool:
        """Tell whether a forward draws random numbers: seeding takes longer than most forwards."""
        random.manualSeed(self.seed)
        before = random.getRNGState()
        module = self.fresh()
        module.training()
        try:
            module.forward(copy_arrays(self.input))
        except Exception:
            module.evaluate().forward(copy_arrays(self.input))
        return not np.array_equal(before, random.getRNGState())

    def forward(self, module: Module, input: Any) -> Any:
        """Return the output under the same draw each time."""
        self.reseed()
        return module.forward(input)

    def forward_anew(self, module: Module, input: Any) -> Any:
        """Return the output under another draw."""
        if self.draws:
            random.manualSeed(self.seed + 1)
        return module.forward(input)

    def run(
        self, module: Module | None = None, input: Any = None, gradOutput: Any = None
    ) -> Result:
        """Run forward, updateGradInput and accGradParameters, from zero gradients."""
        module = self.fresh() if module is None else module
        input = self.input if input is None else input
        gradOutput = self.gradOutput if gradOutput is None else gradOutput
        output = self.forward(module, input)
        module.zeroGradParameters()
        gradInput = module.updateGradInput(input, gradOutput)
        module.accGradParameters(input, gradOutput)
        return Result(output, gradInput, [g.copy() for g in module.parameters()[1]])

    def other(self, table: Any) -> Any:
        """Return other numbers in the same shapes; integer arrays, which mean something, stay."""
        return map_arrays(
            lambda a: values.distinct(self.rng, a.shape) if is_floating(a) else a, table
        )

    def other_input(self) -> Any:
        """Return another input on which the layer works, or the same input rearranged."""
        for candidate in (
            self.other(self.input),
            map_arrays(lambda a: a[::-1].copy() if is_floating(a) and a.ndim else a, self.input),
        ):
            output = attempt(self.forward, self.fresh(), candidate)
            same_shapes = shapes(output) == shapes(self.output)
            if same_shapes and is_finite(output):
                return candidate
        return copy_arrays(self.input)

    def gradient_arrays(self, module: Module) -> list[tuple[str, Any]]:
        """Return the gradients of a copy with their names."""
        return list(zip(self.names, module.parameters()[1], strict=True))

    def with_parameters_of(self, module: Module) -> Module:
        """Return a fresh copy with the parameters of another: nothing it may have cached."""
        fresh = self.fresh()
        for own, theirs in zip(fresh.parameters()[0], module.parameters()[0], strict=True):
            own[...] = theirs
        return fresh

    def with_arrays_of(self, module: Module) -> Module:
        """Return a fresh copy with all arrays of another that a new module has, too."""
        fresh = self.fresh()
        for own, theirs in zip(parts(fresh), parts(module), strict=True):
            for name, value in vars(own).items():
                other: Any = vars(theirs).get(name)
                if is_array(value) and np.shape(value) == np.shape(other):
                    value[...] = other
        return fresh

    def at(self, what: str, input: Any, **others: Any) -> Self:
        """Return the subject at numbers that are `what`; it may refuse them."""
        subject = copy.copy(self)
        vars(subject).update(
            extreme=True, where=f"{self.where} at {what}", input=input, pristine=input, **others
        )
        return subject

    def extremes(self) -> list[Self]:
        """Return the subject at huge and tiny numbers, and at these, infinities and NaN."""
        return [
            self.at(
                what,
                self.adversarial(self.input, *more),
                gradOutput=self.adversarial(self.gradOutput, *more),
            )
            for what, more in EXTREMES
        ]

    def adversarial(self, table: Any, *more: float) -> Any:
        """Return a table like this one of huge and tiny numbers, zeros and `more`."""
        return map_arrays(
            lambda a: values.adversarial(self.rng, a.shape, *more) if is_floating(a) else a, table
        )

    def in_both_modes(self) -> list["Subject"]:
        """Return the subject in its own mode, and in the other if its code looks at the mode."""
        if "train" not in words(self.base):
            return [self]
        other = copy.copy(self)
        other.base = self.fresh()
        other.base.evaluate() if self.base.train else other.base.training()
        mode = "evaluation" if self.base.train else "training"
        other.where = f"{self.where} in {mode} mode"
        try:
            other.output = copy_arrays(other.forward(other.fresh(), copy_arrays(self.input)))
        except Exception as error:
            # What evaluation takes, training may refuse: one sample has no variance.
            if self.base.train:
                other.fail(
                    "forward", f"it raises {type(error).__name__}: {error}", property="modes"
                )
            return [self]
        if shapes(other.output) != shapes(self.output):
            return [self]
        return [self, other]

    @property
    def rows(self) -> int:
        """The number of samples, if the first dimension of all arrays is that."""
        lengths = {a.shape[0] for a in leaves(self.input) if is_array(a) and a.ndim > 1}
        return lengths.pop() if len(lengths) == 1 else 0

    def count_kinks(self, name: str, skipped: int, entries: int) -> None:
        """Keep how many entries were not compared because they lie at a kink or tie."""
        if skipped:
            self.kinks[name] = (skipped, entries)

    # ---------------------------------------------------------------- complaining

    def context(self) -> str:
        """Return shapes, dtypes and seed as failures print them."""
        if not hasattr(self, "input"):
            return f"seed {self.seed}"
        dtypes = sorted({str(a.dtype) for a in leaves(self.input) if is_array(a)})
        gradOutput = getattr(self, "gradOutput", None)
        return (
            f"input {shapes(self.input)} {', '.join(dtypes)}, "
            f"gradOutput {shapes(gradOutput)}, seed {self.seed}"
        )

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
    ) -> None:
        """Fail unless got is expected: shape, dtype, and every entry within `allowed`.

        allowed: an array or number; 0 for bit by bit; by default rounding of numbers this size.
        skipped: a mask of entries that are not compared.
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
        with np.errstate(invalid="ignore"):
            off = np.abs(got - expected)
            # Equal infinities differ by NaN; NaN itself is equal to nothing.
            wrong = ~((off <= allowed) | (got == expected))
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
            pattern=guess(got, expected, rows=self.rows, **(hints or {})),
        )

    def compare_results(self, got: Result, expected: Result, problem: str) -> None:
        """Fail unless a forward and backward gave what is expected."""
        self.compare("updateOutput", problem, got.output, expected.output)
        self.compare("updateGradInput", problem, got.gradInput, expected.gradInput)
        size = max((float(np.abs(g).max(initial=0)) for g in expected.gradients), default=0)
        self.compare(
            "accGradParameters",
            problem,
            got.gradients,
            expected.gradients,
            allowed=1e-10 * (1 + size),
        )

    def same_bits(self, method: str, problem: str, got: Any, expected: Any) -> None:
        """Fail unless got is expected bit by bit; one NaN is like another."""
        if shapes(got) != shapes(expected):
            self.fail(method, f"{problem} It is {shapes(got)}, expected {shapes(expected)}.")
        for one, other in zip(leaves(got), leaves(expected), strict=True):
            if is_array(other) and one.tobytes() != other.tobytes():
                undefined = np.isnan(one) & np.isnan(other)
                self.compare(method, problem, one, other, allowed=0.0, skipped=undefined)
                if other.dtype.kind == "f":
                    turned = (np.signbit(one) != np.signbit(other)) & ~undefined
                    if turned.any():
                        self.fail(method, f"{problem} A zero has another sign.")


def words(module: Module) -> set[str]:
    """Return the names that the code of a module and its parts uses, torchlite's bases apart."""
    found: set[str] = set()

    def read(code: Any, known: dict[str, Any]) -> None:
        for name in set(code.co_names) - found:
            found.add(name)
            helper = known.get(name)
            if isinstance(helper, FunctionType):
                read(helper.__code__, helper.__globals__)
        for constant in code.co_consts:
            if isinstance(constant, str):
                found.add(constant)
            elif isinstance(constant, CodeType):
                read(constant, known)

    for part in parts(module):
        for kind in type(part).__mro__:
            if kind.__module__ in _CONTRACTS:
                continue
            for value in vars(kind).values():
                function = getattr(value, "fget", None) or getattr(value, "__func__", value)
                if isinstance(function, FunctionType):
                    read(function.__code__, function.__globals__)
    return found


_CONTRACTS = {"torchlite.nn.module", "torchlite.nn.container", "torchlite.nn.stateful", "builtins"}


def states(module: Module) -> Iterator[tuple[str, Any]]:
    """Yield every attribute of the module and its parts, with a name."""
    for i, part in enumerate(parts(module)):
        for key, value in vars(part).items():
            yield f"{type(part).__name__}#{i}.{key}", value
