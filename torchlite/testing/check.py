"""check_module and check_criterion."""

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import DTypeError, SettingError, fault
from torchlite.nn.checks import title
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array, is_finite, leaves
from torchlite.nn.stateful import Stateful, shadowed
from torchlite.testing import values
from torchlite.testing.criterion_subject import CriterionSubject
from torchlite.testing.exemptions import Exemptions, around
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.properties import ADVICE, CRITERION_PROPERTIES, LEVELS, PROPERTIES
from torchlite.testing.raised import blame
from torchlite.testing.subject import quietly
from torchlite.testing.violations import ContractViolation, ContractViolations

__all__ = ["Report", "check_criterion", "check_module"]

# What is checked with all samples, however large they are.
WHOLE = {"gradInput", "gradParameters", "batch"}


@dataclass
class Report:
    """What was checked, and what was not.

    Attributes
    ----------
    subject
        The layer or criterion, as it prints itself.
    passed
        The names of the properties that hold.
    exempt
        The properties that were not checked, each with the reason given by the caller or the
        class. Of a layer inside, it names the layer.
    advice
        What does not hold of the properties that the level does not require, by property: the
        violations, of which it prints the first lines.
    parameters
        How many parameters `parameters()` returned, of a module: what it leaves out is no part
        of what was checked.
    kinks
        By array: how many of its entries were skipped at kinks or ties, of how many.
    notes
        Whatever else was done differently, in words.
    seconds
        How long it took.
    """

    subject: str
    passed: list[str] = field(default_factory=list)
    exempt: dict[str, str] = field(default_factory=dict)
    advice: dict[str, ContractViolation] = field(default_factory=dict)
    parameters: int | None = None
    kinks: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        held = len(self.passed)
        lines = [f"{self.subject}: {held} {'property holds' if held == 1 else 'properties hold'}"]
        if self.parameters is not None:
            plural = "" if self.parameters == 1 else "s"
            lines[0] += f", {self.parameters or 'no'} parameter{plural}"
        lines += [f"  exempt from {name}: {reason}" for name, reason in self.exempt.items()]
        lines += [
            f"  advice, {name}: {str(violation).splitlines()[0]}"
            for name, violation in self.advice.items()
        ]
        lines += [
            f"  {name}: {skipped} of {entries} entries skipped at kinks"
            for name, (skipped, entries) in self.kinks.items()
        ]
        lines += [f"  {note}" for note in dict.fromkeys(self.notes)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # A way up: notebooks are shown things in one place.
        from torchlite.stepping import notebook

        return notebook.of_report(self)


def check_module(
    module: Any,
    input: Any = None,
    *,
    shape: Any = None,
    gradOutput: Any = None,
    only: str | Collection[str] | None = None,
    exempt: Mapping[str, str] | None = None,
    level: str = "contract",
    all_failures: bool = False,
    seed: int = 0,
) -> Report:
    """Check that a module keeps the contract, with the right gradients; raise if not.

    The module itself is not touched: everything runs on copies, with parameters moved to nearby
    multiples of 1/64, and torchlite's random stream is as it was afterwards. Of a container, the
    modules inside are checked first, each on the input that it gets there, so that the one that
    is wrong is named.

    Parameters
    ----------
    module
        A module, or a function without arguments that makes one (a class, a lambda).
    input
        An input for it: an array or a table (list) of arrays.
    shape
        Instead of an input: its shape (a list of shapes for a table); the numbers are drawn.
    gradOutput
        The gradient of its output; drawn if not given.
    only
        The name of a property, or several: check these alone, whatever the level.
        `torchlite.testing.PROPERTIES` lists them.
    exempt
        Properties that the module breaks by definition: {name: reason}. `{"[1].gradInput": reason}`
        says it of the module at that path, and so of those inside and around it. Its class may
        declare the same: an attribute `exempt`. The report prints them.
    level
        "gradients" asks for the derivatives, and what makes sums of them, alone; "contract" for
        all that training relies on; "strict" for what torchlite asks of its own classes, too
        (`digits`, `duck`, `exceptions`, `none`), which by default is advice in the report.
    all_failures
        Check on after a property that does not hold, and raise all violations together.
    seed
        Another seed, other numbers.

    Raises
    ------
    GradientMismatch
        A gradient is not the derivative.
    ContractViolation
        Another property does not hold.
    ContractViolations
        With all_failures: several do not.
    SettingError
        Neither input nor shape, or an unknown property, path or level.

    Example
    -------
    >>> import torchlite as nn
    >>> print(check_module(nn.Linear(3, 2), shape=(4, 3), only=["gradInput", "gradParameters"]))
    Linear(3 -> 2): 2 properties hold, 2 parameters
    >>> class Half(nn.ReLU):
    ...     def updateGradInput(self, input, gradOutput):
    ...         self.gradInput = 0.5 * super().updateGradInput(input, gradOutput)
    ...         return self.gradInput
    >>> from torchlite.testing import GradientMismatch
    >>> try:
    ...     check_module(Half(), np.array([[2.0, -1.0]]), gradOutput=np.array([[1.0, 3.0]]))
    ... except GradientMismatch as mismatch:
    ...     print(mismatch.problem, mismatch.got, mismatch.expected, mismatch.pattern)
    gradInput is not the derivative. 0.5 1.0 got = expected / 2 -> a factor of 2 is missing?
    """
    start = time.perf_counter()
    with program_kept():
        random.manualSeed(seed)
        made = given_or_made("check_module", "module", Module, module)
        if input is None or (isinstance(input, tuple) and all(isinstance(n, int) for n in input)):
            if shape is None:
                raise fault(
                    SettingError,
                    "check_module",
                    "input",
                    "an array or a table",
                    repr(input),
                    hint=f"or give the shape of one: check_module(module, shape={input or (4, 3)})",
                )
            input = draw(values.generator(seed), shape)
        run = _Run("check_module", PROPERTIES, only, level, all_failures)
        subject = ModuleSubject(
            made,
            input,
            gradOutput,
            seed=seed,
            fresh_from=None if made is module else module,
            reproduce=f"check_module(..., only={{property!r}}, seed={seed})",
        )
        exemptions = Exemptions("check_module", subject.base, exempt or {}, PROPERTIES)
        return run.reported(subject, exemptions, start)


def check_criterion(
    criterion: Any,
    input: Any,
    target: Any,
    *,
    only: str | Collection[str] | None = None,
    exempt: Mapping[str, str] | None = None,
    level: str = "contract",
    all_failures: bool = False,
    seed: int = 0,
) -> Report:
    """Check that a criterion keeps the contract, with the right gradient; raise if not.

    Parameters and errors are those of `check_module`; `CRITERION_PROPERTIES` lists the
    properties.

    Example
    -------
    >>> import torchlite as nn
    >>> x, y = np.array([[1.0, 2.0]]), np.array([[0.5, 3.5]])
    >>> print(check_criterion(nn.MSECriterion(), x, y, only="gradInput"))
    MSECriterion: 1 property holds
    """
    start = time.perf_counter()
    with program_kept():
        random.manualSeed(seed)
        made = given_or_made("check_criterion", "criterion", Criterion, criterion)
        run = _Run("check_criterion", CRITERION_PROPERTIES, only, level, all_failures)
        subject = CriterionSubject(
            made,
            input,
            target,
            seed=seed,
            reproduce=f"check_criterion(..., only={{property!r}}, seed={seed})",
        )
        exemptions = Exemptions("check_criterion", made, exempt or {}, CRITERION_PROPERTIES)
        return run.reported(subject, exemptions, start)


def draw(rng: np.random.Generator, shape: Any) -> Any:
    """Return drawn numbers of a shape, or a table of them of a list of shapes."""
    if isinstance(shape, list):
        return [draw(rng, entry) for entry in shape]
    return values.distinct(rng, (shape,) if isinstance(shape, int) else tuple(shape))


def given_or_made(caller: str, argument: str, kind: type[Any], given: Any) -> Any:
    """Return the module or criterion that was given, or what the given function makes."""
    hint = None
    made = given() if callable(given) and not isinstance(given, (Module, Criterion)) else given
    if isinstance(made, kind):
        return made
    if isinstance(made, Criterion):
        hint = "check_criterion(criterion, input, target)"
    elif isinstance(made, Module):
        hint = "check_module(module, input)"
    got = title(made)
    if not isinstance(made, Stateful) and type(made).__module__ not in sys.stdlib_module_names:
        got = type(made).__name__
        hint = f"class {got}(nn.{kind.__name__}): ..."
    expected = f"a {kind.__name__} or what makes one"
    raise fault(DTypeError, caller, argument, expected, got, hint=hint)


def _chosen(
    caller: str,
    properties: Mapping[str, Any],
    only: str | Collection[str] | None,
) -> list[str]:
    wanted = [only] if isinstance(only, str) else list(properties if only is None else only)
    for name in wanted:
        if name not in properties:
            raise fault(
                SettingError, caller, "a property", "one of " + ", ".join(properties), repr(name)
            )
    return [name for name in properties if name in wanted]


class _Run:
    """What is asked of all layers of a subject, and what does not hold."""

    def __init__(
        self,
        caller: str,
        properties: Mapping[str, Callable[[Any], None]],
        only: str | Collection[str] | None,
        level: str,
        all_failures: bool,
    ) -> None:
        if level not in LEVELS:
            expected = "one of " + ", ".join(map(repr, LEVELS))
            raise fault(SettingError, caller, "level", expected, repr(level))
        self.properties = properties
        self.required, asked = LEVELS[level], LEVELS[level]
        if only is not None:
            self.required = asked = set(_chosen(caller, properties, only))
        elif level == "contract":
            asked = asked | ADVICE
        self.wanted = [name for name in properties if name in asked]
        self.all_failures = all_failures
        self.failures: list[ContractViolation] = []

    def reported(self, subject: Any, exemptions: Exemptions, start: float) -> Report:
        """Check everything; return what holds, or raise what does not."""
        report = Report(subject.title, exempt=exemptions.report(self.wanted))
        if isinstance(subject, ModuleSubject):
            report.parameters = len(subject.names)
        report.passed = self.check(subject, exemptions, report)[0]
        report.seconds = time.perf_counter() - start
        if len(self.failures) > 1:
            raise ContractViolations(self.failures)
        for violation in self.failures:
            raise violation
        return report

    def check(
        self, subject: Any, exemptions: Exemptions, report: Report, path: str = ""
    ) -> tuple[list[str], set[str]]:
        """Check the modules inside, then the whole; return what holds and what does not.

        What one inside breaks is no news of what stands around it.
        """
        inside: set[str] = set()
        for position, part in _parts(subject, path):
            _, broken = self.check(part, exemptions, report, f"{path}[{position}]")
            inside.update(*map(around, broken))
        few = subject.of_few_samples()
        if few is not subject:
            kept = ", ".join(name for name in self.wanted if name in WHOLE)
            but = f", but of all for {kept}" if kept else ""
            subject.notes.append(f"at the first {few.rows} of {subject.rows} samples{but}")
        passed: list[str] = []
        exempt, failed = exemptions.of(path), set()
        for name in self.wanted:
            if name in exempt or name in inside:
                continue
            asked = subject if name in WHOLE else few
            try:
                # What gives NaN of this very input says so in every forward.
                with nullcontext() if is_finite(subject.output) else quietly():
                    _guarded(asked, name, self.properties[name])
            except KeyboardInterrupt as stop:
                where = f" of {path}" if path else ""
                stop.add_note(f"while {name}{where} was checked, after {len(passed)} that hold")
                raise
            except ContractViolation as violation:
                failed.add(name)
                if name not in self.required:
                    report.advice.setdefault(name, violation)
                elif self.all_failures:
                    self.failures.append(violation)
                else:
                    raise
            else:
                passed.append(name)
        report.kinks.update(subject.kinks)
        report.notes += subject.notes
        return passed, failed | inside


def _guarded(subject: Any, name: str, check: Callable[[Any], None]) -> None:
    subject.property = name
    # Alone it draws what it draws among others.
    subject.rng = values.generator(subject.seed, name)
    try:
        check(subject)
    except ContractViolation:
        raise
    except Exception as error:
        try:
            blame(subject, error)
        except ContractViolation as violation:
            raise violation from error


def _parts(subject: Any, path: str) -> Iterator[tuple[int, ModuleSubject]]:
    """Yield the modules inside a container by their positions, each on the input that it gets."""
    if not isinstance(subject, ModuleSubject) or not subject.base.modules:
        return
    recording = subject.fresh()
    inputs: dict[int, Any] = {}

    def recorder(position: int, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def updateOutput(input: Any) -> Any:
            inputs.setdefault(position, copy_arrays(input) if not is_array(input) else input.copy())
            return original(input)

        return updateOutput

    first: dict[int, tuple[int, Module]] = {}
    for position, part in enumerate(recording.modules):
        first.setdefault(id(part), (position, part))
    parts = list(first.values())
    shadows = [(part, {"updateOutput": recorder(i, part.updateOutput)}) for i, part in parts]
    with shadowed(shadows), quietly():
        subject.forward(recording, subject.input)
    for position, part in parts:
        if position not in inputs or not _differentiable(inputs[position]):
            continue
        if any(getattr(part, name, None) is not None for name in part.refers):
            # What it needs stands elsewhere in the network, and would not be there alone.
            continue
        inner = ModuleSubject(
            part,
            inputs[position],
            seed=subject.seed,
            where=f"net{path}[{position}]",
            reproduce=subject.reproduce,
        )
        yield position, inner


def _differentiable(input: Any) -> bool:
    arrays = leaves(input)
    return bool(arrays) and all(map(is_array, arrays))


@contextmanager
def program_kept() -> Iterator[None]:
    """Leave what is the whole program's as it was, also where a layer does not."""
    state = random.getRNGState()
    try:
        with np.errstate():
            yield
    finally:
        random.setRNGState(state)
