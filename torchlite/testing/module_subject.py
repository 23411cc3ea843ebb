"""A module under check."""

import copy
import operator
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.errors import TorchliteError
from torchlite.kernels.arrays import Array
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
    rebuilt,
    shapes,
)
from torchlite.nn.stateful import arrays_in, attributes, parts
from torchlite.nn.tree import gradient_names
from torchlite.testing import values
from torchlite.testing.raised import blaming, line_of
from torchlite.testing.subject import Result, Subject, attempt, quietly

__all__ = ["ModuleSubject"]

# Of up to so many entries of the input, modes are told apart by extreme numbers, too.
FEW = 1000
# With more parameters than these, they are moved by no exact numbers, and few are checked alone.
MANY = 1000
# With more numbers than these, parameters and all, most properties are checked with so few samples.
SAMPLES = 4
LARGE = 10_000


class ModuleSubject(Subject):
    """A module, an input and a gradOutput.

    The parameters are moved to nearby multiples of 1/64, so that none is special.
    """

    # The subject in the other mode, if that makes a difference, and of what this was found out.
    _modes: tuple[tuple[Any, ...], Self | None] = ((None, None, None), None)
    # Whether anything remembers the steps before, and can forget them.
    _forgets = True
    # The subject at few samples, if it is large, and of what that was made.
    _few: tuple[tuple[Any, ...], Self | None] = ((None, None, None), None)

    def __init__(self, module: Module, input: Any, gradOutput: Any = None, **about: Any) -> None:
        super().__init__(module, input, **about)
        # The arrays that are defaults of arguments: all that are made share them.
        self.defaults = _defaults_in(module)
        for part in parts(self.base):
            if part.gradInput is None:
                del part.gradInput
                self.notes.append("gradInput = None is taken back for the check")
        self._check_gradients()
        self.draws = True
        with quietly():
            # The properties that follow call it again.
            self.draws = blaming(self, self._forward_draws)
            self._move_parameters()
            self.output = copy_arrays(self.forward(self.fresh(), copy_arrays(self.input)))
        if self.output is None:
            self.fail("updateOutput", "it returned None.", property="split")
        for entry in leaves(self.output):
            if not is_array(entry) and not isinstance(entry, np.generic):
                problem = f"it returned {type(entry).__name__}, not an array."
                self.fail("updateOutput", problem, property="split")
        if gradOutput is None:
            gradOutput = map_arrays(self._draw_like, self.output)
        self.gradOutput = cast_arrays(gradOutput, "float64")
        self.remembers = self.base.remembers
        inside = parts(self.base)
        self.composed = len(inside) > 1 or isinstance(self.base, Container)
        self._forgets = any(
            "forget" in vars(part) or getattr(type(part), "forget", None) is not Module.forget
            for part in inside
            if isinstance(part, Module)
        )

    def _names_of_gradients(self) -> list[str]:
        """Return the names of the gradients, if parameters() is what it must be."""
        try:
            pair = self.base.parameters()
        except TorchliteError:
            raise
        except Exception as error:
            problem = f"it raises {type(error).__name__}: {error}{line_of(error)}"
            self.fail("parameters", problem, property="update")
        lists = isinstance(pair, (list, tuple)) and len(pair) == 2
        if not lists or not all(isinstance(side, (list, tuple)) for side in pair):
            self.fail("parameters", "it does not return two lists.", property="update")
        if len(pair[0]) != len(pair[1]):
            self.fail(
                "parameters",
                f"it returns {len(pair[0])} parameters and {len(pair[1])} gradients.",
                property="update",
            )
        for number, (parameter, gradient) in enumerate(zip(*pair, strict=True)):
            held = (key for key, value in vars(self.base).items() if value is parameter)
            name = next(held, f"parameter {number}")
            for what, value in ((name, parameter), (f"the gradient of {name}", gradient)):
                if not is_array(value):
                    problem = f"{what} is {type(value).__name__}, not an array."
                    self.fail("parameters", problem, property="update")
        return gradient_names(self.base)

    def _check_gradients(self) -> None:
        """Fail unless every parameter is an array, and its gradient one like it."""
        for number, (parameter, gradient) in enumerate(zip(*self.base.parameters(), strict=True)):
            name = self.names[number]
            for what, array in ((f"the parameter of {name}", parameter), (name, gradient)):
                if not is_floating(array):
                    problem = f"{what} is {array.dtype}, not an array of floating numbers."
                    self.fail("parameters", problem, property="gradParameters")
            for fact in ("shape", "dtype"):
                got, expected = (getattr(array, fact) for array in (gradient, parameter))
                if got != expected:
                    problem = f"{name} has the {fact} {got}, its parameter {expected}."
                    self.fail("parameters", problem, property="gradParameters")

    def _draw_like(self, array: Array) -> Array:
        return values.distinct(self.rng, array.shape)

    def _move_parameters(self) -> None:
        parameters = self.base.parameters()[0]
        self.first = before = [parameter.copy() for parameter in parameters]
        self.small = sum(parameter.size for parameter in parameters) <= MANY
        for parameter in parameters:
            if self.small:
                parameter[...] = values.nearby(self.rng, parameter)
            else:
                # Sums of many multiples of 1/16 would meet the kinks of what follows.
                parameter += self.rng.uniform(-0.1, 0.1, parameter.shape)
        self._mould = None, object
        output = attempt(self.forward, self.fresh(), copy_arrays(self.input))
        if output is None or not is_finite(output):
            for parameter, values_before in zip(parameters, before, strict=True):
                parameter[...] = values_before
            self._mould = None, object
            self.notes.append("parameters left as they are: moved ones gave no finite output")

    def _forward_draws(self) -> bool:
        """Tell whether a forward draws random numbers: seeding takes longer than most forwards."""
        random.manualSeed(self.seed)
        before = random.getRNGState()
        module = self.fresh()
        module.training()
        try:
            module.forward(copy_arrays(self.input))
        except Exception as error:
            try:
                self.fresh().evaluate().forward(copy_arrays(self.input))
            except Exception:
                if self.base.train:
                    raise error from None
                raise
        return not np.array_equal(before, random.getRNGState())

    @property
    def given(self) -> dict[str, Any]:
        """Input and gradOutput."""
        return {"input": self.input, "gradOutput": self.gradOutput}

    @property
    def asked(self) -> dict[str, Any]:
        """The input."""
        return {"input": self.input}

    @property
    def rows(self) -> int:
        """The number of samples, if the first dimension of all arrays is that."""
        arrays = [array for array in leaves(self.input) if is_array(array) and array.ndim]
        lengths = {array.shape[0] for array in arrays}
        batch = len(lengths) == 1 and any(array.ndim > 1 for array in arrays)
        return lengths.pop() if batch else 0

    def forward(self, module: Module, input: Any) -> Any:
        """Return the output under the same draw each time, of a sequence that starts anew."""
        self.reseed()
        if self._forgets:
            module.forget()
        return module.forward(input)

    def calls(
        self, module: Module, input: Any, gradOutput: Any, *scale: Any
    ) -> list[tuple[str, Callable[[], Any]]]:
        """Return the contract's calls; the last one gives the gradients of the parameters."""

        def accumulate() -> Any:
            module.accGradParameters(input, gradOutput, *scale)
            return list(module.parameters()[1])

        return [
            ("updateOutput", lambda: self.forward(module, input)),
            ("updateGradInput", lambda: module.updateGradInput(input, gradOutput)),
            ("accGradParameters", accumulate),
        ]

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

    def gradInput_for(self, weights: list[Array]) -> Any:
        """Return gradInput for these gradients of the output's arrays."""
        module = self.fresh()
        self.forward(module, self.input)
        return module.updateGradInput(self.input, rebuilt(self.gradOutput, weights))

    def parameters_of(self, module: Module) -> tuple[list[Array], list[Array]]:
        """Return the parameters of a copy, and their gradients."""
        return module.parameters()

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

    def others(self) -> tuple[Any, Any]:
        """Return another input on which the layer works, and another gradOutput."""
        input = self.other_input()
        return input, map_arrays(lambda v: values.sixteenths(self.rng, v.shape), self.gradOutput)

    def with_parameters_of(self, module: Module) -> Module:
        """Return a fresh copy with the parameters of another: nothing it may have cached."""
        fresh: Module = self.fresh()
        for own, theirs in zip(fresh.parameters()[0], module.parameters()[0], strict=True):
            own[...] = theirs
        return fresh

    def with_arrays_of(self, module: Module) -> Module:
        """Return a fresh copy with all arrays of another that a new module has, too."""
        fresh: Module = self.fresh()
        for own, theirs in zip(parts(fresh), parts(module), strict=True):
            for name, value in vars(own).items():
                other: Any = vars(theirs).get(name)
                if is_array(value) and np.shape(value) == np.shape(other):
                    value[...] = other
        return fresh

    def extremes(self) -> list[Self]:
        """Return the subject at huge and tiny numbers, and at these, infinities and NaN."""
        return [
            self.at(
                what,
                self.adversarial(self.input, *more),
                gradOutput=self.adversarial(self.gradOutput, *more),
            )
            for what, more in values.EXTREMES
        ]

    @property
    def large(self) -> bool:
        """Tell whether there are many numbers: parameters, and what goes in and out."""
        arrays = [*leaves(self.input), *leaves(self.gradOutput), *self.base.parameters()[0]]
        return sum(array.size for array in arrays) > LARGE

    def of_few_samples(self) -> Self:
        """Return the subject at its first samples where it is large and these are as good."""
        of = self.base, self.input, self.gradOutput
        if not all(map(operator.is_, self._few[0], of)):
            self._few = of, self._at_few_samples()
        few = self._few[1]
        if few is None:
            return self
        few.property, few.rng = self.property, self.rng
        return few

    def _at_few_samples(self) -> Self | None:
        arrays = [*leaves(self.input), *leaves(self.gradOutput)]
        if not self.large:
            return None
        if self.rows <= SAMPLES or any(a.ndim == 0 or a.shape[0] != self.rows for a in arrays):
            return None

        def first(table: Any) -> Any:
            return map_arrays(lambda a: a[:SAMPLES].copy(), table)

        few = copy.copy(self)
        few.input, few.pristine = first(self.input), first(self.input)
        few.gradOutput = first(self.gradOutput)
        output = attempt(few.forward, few.fresh(), copy_arrays(few.input))
        if output is None or shapes(output) != shapes(first(self.output)):
            return None
        few.output = copy_arrays(output)
        return few

    def variants(self) -> list[Self]:
        """Return the subject in its own mode, and in the other if that may make a difference."""
        of = self.base, self.input, self.gradOutput
        if not all(map(operator.is_, self._modes[0], of)):
            few = self.of_few_samples()
            # What many samples tell of modes, few do.
            told = few is not self and "train" not in self.words
            alike = told and len(few.variants()) == 1
            self._modes = of, None if alike else self._in_other_mode(told)
        other = copy.copy(self._modes[1])
        if other is None:
            return [self]
        other.property, other.rng = self.property, self.rng
        return [self, other]

    def _in_other_mode(self, differs: bool) -> Self | None:
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
                problem = f"it raises {type(error).__name__}: {error}{line_of(error)}"
                other.fail("forward", problem, property="modes")
            return None
        if shapes(other.output) != shapes(self.output):
            return None
        if not differs and "train" not in self.words:
            # What its code does not tell, its behaviour does.
            situations = [(None, self.given), ("float32", cast_arrays(self.given, "float32"))]
            if self.small and sum(array.size for array in leaves(self.input)) <= FEW:
                # The numbers that it is told by are the same, whichever property asks first.
                asks = copy.copy(self)
                asks.rng = values.generator(self.seed, "modes")
                situations += [(None, extreme.given) for extreme in asks.extremes()]
            if self._behaviour(situations) == other._behaviour(situations):
                return None
        return other

    def _behaviour(self, situations: list[tuple[Any, dict[str, Any]]]) -> list[Any]:
        """Return what two rounds of calls give, leave behind and do to their arguments."""
        seen: list[Any] = []
        for dtype, given in situations:
            layer, given, made = self.fresh(dtype), copy_arrays(given), list[Any]()
            try:
                with quietly():
                    for _, call in self.calls(layer, *given.values()) * 2:
                        made.append(call())
            except Exception as error:
                seen.append(type(error))
            numbers: dict[int, int] = {}
            for keys, array in arrays_in([made, given, [vars(part) for part in parts(layer)]]):
                owner = array
                while isinstance(owner.base, np.ndarray):
                    owner = owner.base
                memory = numbers.setdefault(id(owner), len(numbers))
                seen.append((keys, memory, array.dtype, array.shape, array.tobytes()))
        return seen

    def documented(self) -> list[Self]:
        """Return the subject: what the docstring says, it says of a batch in one mode."""
        return [] if is_array(self.input) and self.input.ndim < 2 else [self]

    def wrong_calls(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return methods with arguments that are refused, or should be."""
        extremes = self.extremes()
        inputs = [*values.wrong(self.input), *(extreme.input for extreme in extremes)]
        gradOutputs = [*values.wrong(self.gradOutput), *(each.gradOutput for each in extremes)]
        numbers: list[Any] = ["2", None, [1.0]]
        backward = ["backward", "updateGradInput", "accGradParameters"]
        if self.composed:
            # Of a container, whose modules have been checked, each call needs a forward anew.
            backward = ["backward"]
        return [
            *(("forward", (wrong,)) for wrong in inputs),
            *((method, (self.input, wrong)) for wrong in gradOutputs for method in backward),
            *(
                (method, (self.input, self.gradOutput, wrong))
                for wrong in numbers
                for method in ("backward", "accGradParameters")
            ),
            *(("updateParameters", (wrong,)) for wrong in numbers),
        ]


def _defaults_in(module: Module) -> list[str]:
    """Return the names of the arrays in a module that are defaults of its constructor.

    Those that nobody can write to are constants.
    """
    found = []
    for part in parts(module):
        defaults = set()
        for init in (vars(kind).get("__init__") for kind in type(part).__mro__):
            positional = getattr(init, "__defaults__", None) or ()
            by_name = getattr(init, "__kwdefaults__", None) or {}
            for value in (*positional, *by_name.values()):
                if isinstance(value, np.ndarray) and value.flags.writeable:
                    defaults.add(id(value))
        found += [name for name, value in attributes(part).items() if id(value) in defaults]
    return found
