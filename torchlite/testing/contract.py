"""module_contract and criterion_contract: one test a property, for pytest."""

import ast
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, leaves
from torchlite.testing import values
from torchlite.testing.check import check_criterion, check_module, draw
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.properties import CRITERION_PROPERTIES, LEVELS, PROPERTIES
from torchlite.testing.violations import ContractViolation

__all__ = ["CALLS", "Line", "Model", "criterion_contract", "module_contract", "standing_at"]

# A file, and the number of one of its lines.
Line = tuple[str, int]
# How many orders of calls are tried on given numbers.
_ORDERS = 10


def module_contract(
    modules: Any,
    input: Any = None,
    *,
    shape: Any = None,
    exempt: Mapping[str, str] | None = None,
    level: str = "contract",
    max_examples: int | None = None,
) -> type:
    """Return a class of tests, one a property, for pytest to collect under a name `Test...`.

    One more test runs the contract's calls in any order against what they should give.

    Parameters
    ----------
    modules
        A module, or a function without arguments that makes one (a class, a lambda). With a
        function as input: a strategy of Hypothesis that draws modules, or a module.
    input
        An array or a table. Or a function from a module to a strategy that draws inputs for it:
        then each test draws examples, and needs Hypothesis.
    shape
        Instead of an input: its shape (a list of shapes for a table); the numbers are drawn.
    exempt, level
        As of `check_module`; what is exempt has no test.
    max_examples
        How many examples each test draws; without it, what the Hypothesis profile says.

    Example
    -------
    >>> import torchlite as nn
    >>> TestTanh = module_contract(nn.Tanh, shape=(4, 3))
    >>> TestTanh().test_gradInput()
    >>> from torchlite.testing import strategies as ours
    >>> TestLinear = module_contract(
    ...     ours.builds(nn.Linear, ours.sizes(), ours.sizes()),
    ...     input=lambda layer: ours.inputs("N", layer.weight.shape[1]),
    ... )
    >>> TestLinear().test_gradInput()
    """
    exempt = dict(exempt or {})
    line = _line_of_caller()
    if callable(input):
        from torchlite.testing.drawn import any_order_of, property_of

        def test(name: str) -> Callable[[Any], None]:
            return property_of(line, name, modules, input, exempt, max_examples)

        any_order = any_order_of(line, modules, input, max_examples)
    else:

        def test(name: str) -> Callable[[Any], None]:
            def check() -> None:
                check_module(modules, input, shape=shape, only=name, exempt=exempt)

            return standing_at(line, check)

        def in_any_order() -> None:
            rng = values.generator(0)
            module = modules if isinstance(modules, Module) else modules()
            given = draw(rng, shape) if input is None else input
            for _ in range(_ORDERS):
                calls = [CALLS[i] for i in rng.integers(0, len(CALLS), rng.integers(4, 17))]
                Model(module, given).run(calls)

        any_order = standing_at(line, in_any_order)

    any_order.__doc__ = "The contract's calls in any order give what each gives alone."
    tests = _tests(PROPERTIES, LEVELS[level] - exempt.keys(), test)
    return type("ModuleContract", (), {**tests, "test_any_order": any_order})


def criterion_contract(
    criterion: Any,
    input: Any,
    target: Any,
    *,
    exempt: Mapping[str, str] | None = None,
    level: str = "contract",
) -> type:
    """Return a class of tests of a criterion, as `module_contract` of a module.

    The parameters are those of `check_criterion`.

    Example
    -------
    >>> import torchlite as nn
    >>> TestLoss = criterion_contract(nn.MSECriterion, np.ones((4, 3)), np.zeros((4, 3)))
    >>> TestLoss().test_gradInput()
    """
    exempt = dict(exempt or {})
    line = _line_of_caller()

    def test(name: str) -> Callable[[Any], None]:
        def check() -> None:
            check_criterion(criterion, input, target, only=name, exempt=exempt)

        return standing_at(line, check)

    names = LEVELS[level] - exempt.keys()
    return type("CriterionContract", (), _tests(CRITERION_PROPERTIES, names, test))


def _line_of_caller() -> Line:
    """Return the line at which module_contract or criterion_contract is called."""
    frame: Any = inspect.currentframe()
    frame = frame.f_back.f_back
    return frame.f_code.co_filename, frame.f_lineno


def standing_at(line: Line, run: Callable[..., None], *parameters: str) -> Callable[..., None]:
    """Return a test that runs a function of these parameters, and stands at this line.

    Of a failure pytest shows the lines of the user's own: this is the only one.
    """
    file, number = line
    arguments = ", ".join(parameters)
    tree = ast.parse(f"def test(self, {arguments}): run({arguments})")
    for node in ast.walk(tree):
        # Hypothesis, in a frame of its own, counts the line after that of the def as the call's.
        is_def = isinstance(node, (ast.FunctionDef, ast.arguments, ast.arg))
        vars(node).update(lineno=number - is_def, end_lineno=None, end_col_offset=None)
    space: dict[str, Any] = {"run": run}
    exec(compile(tree, file, "exec"), space)
    test: Callable[..., None] = space["test"]
    return test


def _tests(
    properties: Mapping[str, Callable[..., None]],
    names: Collection[str],
    test: Callable[[str], Callable[[Any], None]],
) -> dict[str, Any]:
    """Return tests by their names."""
    tests = {}
    for name in filter(names.__contains__, properties):
        made = tests[f"test_{name}"] = test(name)
        made.__name__ = f"test_{name}"
        made.__doc__ = properties[name].__doc__
    return tests


# What a Model may be asked for, with the arguments.
CALLS = [
    ("forward",),
    *(("accumulate", scale) for scale in (1, 0, -2, 0.5)),
    ("zero",),
    *(("update", learningRate) for learningRate in (0.125, -0.125, 0)),
    ("clone",),
    ("flatten",),
]


class Model:
    """A module beside what it should hold: its parameters and gradients as plain copies."""

    def __init__(self, module: Module, input: Any) -> None:
        self.subject = ModuleSubject(module, input)
        self.module = self.subject.fresh()
        self.module.zeroGradParameters()
        self.parameters = [p.copy() for p in self.module.parameters()[0]]
        self.gradients = [np.zeros_like(g) for g in self.module.parameters()[1]]
        self.done: list[str] = []

    def run(self, calls: Sequence[tuple[Any, ...]]) -> None:
        """Make the calls, each of which must give what it gives alone."""
        for name, *arguments in calls:
            self.done.append(f"{name}({', '.join(map(str, arguments))})")
            getattr(self, name)(*arguments)

    def forward(self) -> Any:
        """Forward and updateGradInput; return what they and accGradParameters give alone."""
        fresh = self.subject.fresh()
        for parameter, held in zip(fresh.parameters()[0], self.parameters, strict=True):
            parameter[...] = held
        alone = self.subject.run(fresh)
        output = self.subject.forward(self.module, self.subject.input)
        self._expect("updateOutput", output, alone.output)
        gradInput = self.module.updateGradInput(self.subject.input, self.subject.gradOutput)
        self._expect("updateGradInput", gradInput, alone.gradInput)
        return alone

    def accumulate(self, scale: float) -> None:
        alone = self.forward()
        self.module.accGradParameters(self.subject.input, self.subject.gradOutput, scale)
        self.gradients = [
            g + scale * one for g, one in zip(self.gradients, alone.gradients, strict=True)
        ]
        self._expect("accGradParameters", self.module.parameters()[1], self.gradients)

    def zero(self) -> None:
        self.module.zeroGradParameters()
        self.gradients = [np.zeros_like(g) for g in self.gradients]
        self._expect("zeroGradParameters", self.module.parameters()[1], self.gradients)

    def update(self, learningRate: float) -> None:
        if any(np.abs(g).max(initial=0) > 100 for g in self.gradients):
            return
        self.module.updateParameters(learningRate)
        self.parameters = [
            p - learningRate * g for p, g in zip(self.parameters, self.gradients, strict=True)
        ]
        self._expect("updateParameters", self.module.parameters()[0], self.parameters)

    def clone(self) -> None:
        """Go on with a clone; what happens to the original from now on must not matter."""
        original = self.module
        self.module = original.clone()
        for array in [*original.parameters()[0], *original.parameters()[1]]:
            array += 1
        self._expect("clone", self.module.parameters()[0], self.parameters)

    def flatten(self) -> None:
        self.module.getParameters()
        self._expect("getParameters", self.module.parameters()[0], self.parameters)

    def _expect(self, call: str, got: Any, expected: Any) -> None:
        for one, other in zip(leaves(got), leaves(expected), strict=True):
            if is_array(other) and not np.allclose(one, other, 1e-9, 1e-9, equal_nan=True):
                raise ContractViolation(
                    self.subject.where,
                    call,
                    "any order",
                    "after other calls it gives other numbers than alone.",
                    context=f"{self.subject.context()}; done: {', '.join(self.done)}",
                )
