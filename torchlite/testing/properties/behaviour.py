"""What a layer is asked to be: in a mode, without gradInput, as documented, of parts."""

import functools
import operator
import re
from collections.abc import Callable
from typing import Any

from torchlite.nn.checks import is_integral
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.graph.g_module import gModule
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, leaves, shapes
from torchlite.nn.stateful import shadowed
from torchlite.testing import maths as docs
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.readings import readings
from torchlite.testing.subject import Subject
from torchlite.testing.violations import ContractViolation

__all__ = ["container", "maths", "modes", "none"]


def modes(s: ModuleSubject) -> None:
    """Training() and evaluate() reach every part, return self, and change nothing else."""
    module = s.fresh()
    before = copy_arrays(module.parameters()[0])
    for name, value in (("evaluate", False), ("training", True)):
        if getattr(module, name)() is not module:
            s.fail(name, "it does not return self.")
        for part in module.listModules():
            if part.train is not value:
                s.fail(name, f"{type(part).__name__}.train is {part.train} afterwards.")
        s.same_bits(name, "it changed parameters.", module.parameters()[0], before)
    for mode in s.variants():
        module = mode.fresh()
        s.forward(module, s.input)
        module.updateGradInput(s.input, s.gradOutput)
        if module.train is not mode.base.train:
            s.fail("updateOutput", "it switches the mode.")
    if s.base.train and len(s.variants()) == 2:
        # What a training forward left behind must not show in evaluation.
        module = s.fresh()
        s.forward(module, s.input)
        apart = s.with_arrays_of(module)
        got, expected = s.run(module.evaluate()), s.run(apart.evaluate())
        problem = "after a forward in training it gives something else in evaluation."
        s.compare_results(got, expected, problem)


def none(s: ModuleSubject) -> None:
    """With gradInput = None, backward returns None and accumulates all the same."""
    expected = s.run().gradients
    for inside in (False, True):
        module = s.fresh()
        module.gradInput = None
        net = Sequential(module) if inside else module
        s.forward(net, s.input)
        net.zeroGradParameters()
        if net.backward(s.input, s.gradOutput) is not None:
            s.fail("backward", "with gradInput = None it does not return None.")
        if module.gradInput is not None:
            s.fail("backward", "it computed a gradInput that was switched off.")
        s.compare(
            "backward",
            "with gradInput = None it accumulates something else.",
            net.parameters()[1],
            expected,
        )
    _check_first_child(s, expected)


def _check_first_child(s: ModuleSubject, expected: Any) -> None:
    """A chain honours the gradInput = None of its first module."""
    module = s.fresh()
    if not module.modules or module.modules[0].modules:
        return
    given: list[int] = []
    shadows: list[tuple[Module, dict[str, Callable[..., Any]]]] = [
        (part, {"updateOutput": _noting(part.updateOutput, s.input, given, position)})
        for position, part in enumerate(module.modules)
    ]
    with shadowed(shadows):
        s.forward(module, s.input)
    if given != [0] or len(module.modules) == 1:
        return
    module = s.fresh()
    module.modules[0].gradInput = None
    s.forward(module, s.input)
    module.zeroGradParameters()
    if module.backward(s.input, s.gradOutput) is not None or (
        module.modules[0].gradInput is not None
    ):
        s.fail("backward", "it ignores the gradInput = None of its first module.")
    s.compare(
        "backward",
        "with the first module's gradInput = None it accumulates something else.",
        module.parameters()[1],
        expected,
    )


def _noting(
    original: Callable[[Any], Any], input: Any, given: list[int], position: int
) -> Callable[[Any], Any]:
    """Return an updateOutput that notes the position if it is given this input."""

    def updateOutput(own: Any) -> Any:
        if own is input:
            given.append(position)
        return original(own)

    return updateOutput


def maths(s: Subject) -> None:
    """The docstring's Maths gives the layer's own numbers, of a batch or of one sample."""
    if Module.__doc__ is None:
        s.notes.append("maths: not checked, python -OO leaves out the docstrings")
    block = docs.statements(type(s.base))
    for variant in s.documented() if block else []:
        try:
            _hold(block, variant)
        except NameError as reason:
            s.notes.append(f"maths: not checked, {reason}")
            return


def _hold(block: list[str], s: Any) -> None:
    """Fail unless the statements hold as they are said: of a batch, or of one sample."""
    failures = []
    for subject in filter(None, readings(s)):
        try:
            return _compare_with(block, subject)
        except ContractViolation as violation:
            failures.append(violation)
        except Exception:
            if not failures:
                raise
            # Forwards take two samples of which backwards know nothing.
    # Other numbers tell more than statements that cannot be run on such an input.
    raise min(failures, key=lambda violation: violation.method == "docstring")


def _compare_with(block: list[str], s: Any) -> None:
    """Fail unless the statements give the layer's numbers."""
    layer = s.fresh()
    result = s.run(layer)
    if isinstance(layer, Module):
        layer.forget()
    try:
        names = docs.evaluate(block, layer, **s.given, scale=1)
    except docs.MathsError as error:
        s.fail("docstring", f"its Maths raises {error}")
    for method, name, expected in [
        ("updateOutput", "output", result.output),
        ("updateGradInput", "gradInput", result.gradInput),
        *(("accGradParameters", n, g) for n, g in zip(s.names, result.gradients, strict=True)),
    ]:
        if name in names:
            documented = names[name]
            alike = shapes(expected) == shapes(documented) == shapes(s.input)
            if name == "gradInput" and alike:
                # What it is of integers is said elsewhere, once for all layers.
                expected, documented = (
                    _of_floating(table, s.input) for table in (expected, documented)
                )
            problem = f"the docstring's Maths gives another {name}."
            s.compare(method, problem, expected, documented, dtypes=False)


def _of_floating(gradInput: Any, input: Any) -> list[Any]:
    pairs = zip(leaves(gradInput), leaves(input), strict=True)
    return [gradient for gradient, array in pairs if not is_integral(array)]


def container(s: ModuleSubject) -> None:
    """A Sequential is its modules one after the other, a gModule its modules as they are wired."""
    if isinstance(s.base, Sequential) and s.base.modules:
        _check_chain(s)
    # One that makes more of the input than its nodes do gives another gradient, too.
    if isinstance(s.base, gModule) and type(s.base).updateOutput is gModule.updateOutput:
        _check_graph(s)


def _check_chain(s: ModuleSubject) -> None:
    expected = s.run()
    module = s.fresh()
    s.reseed()
    path = [s.input]
    for part in module.modules:
        path.append(part.forward(path[-1]))
    module.zeroGradParameters()
    gradOutput = s.gradOutput
    for part, input in zip(reversed(module.modules), reversed(path[:-1]), strict=True):
        gradOutput = part.backward(input, gradOutput)
    s.compare("updateOutput", "it is not its modules one by one.", expected.output, path[-1])
    s.compare(
        "updateGradInput", "it is not its modules one by one.", expected.gradInput, gradOutput
    )
    s.compare(
        "accGradParameters",
        "it is not its modules one by one.",
        expected.gradients,
        list(module.parameters()[1]),
    )


def _check_graph(s: ModuleSubject) -> None:
    module: Any = s.fresh()
    gradInput = copy_arrays(s.run(module).gradInput)
    gradients = copy_arrays(list(module.parameters()[1]))
    first = [(entry, to) for source, to, entry in module.edges if source < 0]
    for entry, to in first:
        # What several modules use, in a file of Torch7's, has the sum of what they give.
        if sum(o.startswith(entry) or entry.startswith(o) for o, _ in first) == 1:
            keys = map(int, re.findall(r"\d+", entry))
            got = functools.reduce(operator.getitem, keys, gradInput)
            problem = f"it is not what [{to}] gives, which alone has the input{entry}."
            s.compare("updateGradInput", problem, got, module.modules[to].gradInput)
    module.zeroGradParameters()
    steps = module.modules, module.inputs, module.gradOutputs
    for part, input, gradOutput in zip(*steps, strict=True):
        if gradOutput is not None:
            part.accGradParameters(input, gradOutput)
    problem = "it is not its modules, each with its inputs and gradOutputs."
    s.compare("accGradParameters", problem, gradients, list(module.parameters()[1]))
