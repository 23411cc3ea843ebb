"""module_contract: all properties of a layer as property-based tests."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from torchlite import random
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, leaves
from torchlite.testing.check import check_module
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.properties import LEVELS, PROPERTIES
from torchlite.testing.violations import ContractViolation

try:
    from hypothesis import Phase, event, given, note, settings
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("module_contract needs Hypothesis: pip install hypothesis") from error

__all__ = ["module_contract"]


def module_contract(
    modules: Any,
    input: Callable[[Any], Any],
    *,
    exempt: Mapping[str, str] | None = None,
    level: str = "contract",
    max_examples: int | None = None,
) -> type:
    """Return a class of tests, one a property, for pytest to collect under a name `Test...`.

    Each draws a module and an input for it. One more test runs the contract's calls in any order
    against what they should give.

    Parameters
    ----------
    modules
        A strategy that draws modules, or a module.
    input
        A function from a module to a strategy that draws inputs for it.
    exempt
        Properties that the module breaks by definition: {name: reason}.
    level
        Whose properties are tested, as of `check_module`.
    max_examples
        How many examples each test draws; without it, what the Hypothesis profile says.

    Example
    -------
    >>> import torchlite as nn
    >>> from torchlite.testing import strategies as ours
    >>> TestLinear = module_contract(
    ...     ours.builds(nn.Linear, ours.sizes(), ours.sizes()),
    ...     input=lambda layer: ours.inputs("N", layer.weight.shape[1]),
    ... )
    >>> TestLinear().test_gradInput()
    """
    drawn = modules if isinstance(modules, st.SearchStrategy) else st.just(modules)
    exempt = dict(exempt or {})
    # Explaining by variation what the violation says in words takes a hundred times as long as
    # finding it.
    phases = [phase for phase in Phase if phase is not Phase.explain]
    limits: dict[str, Any] = {"deadline": None, "phases": phases}
    if max_examples is not None:
        limits["max_examples"] = max_examples

    def test_of(name: str) -> Callable[[Any], None]:
        @settings(**limits)
        @given(data=st.data(), seed=st.integers(0, 2**16))
        def test(self: Any, data: Any, seed: int) -> None:
            random.manualSeed(seed)
            module = data.draw(drawn, label="module")
            report = check_module(
                module, data.draw(input(module), label="input"), only=name, seed=seed
            )
            for remark in report.notes:
                event(remark)
            for array in report.kinks:
                event(f"{array}: some entries at kinks")

        test.__name__ = f"test_{name}"
        test.__doc__ = PROPERTIES[name].__doc__
        return test

    @settings(**limits)
    @given(data=st.data(), calls=st.lists(st.sampled_from(_CALLS), min_size=4, max_size=16))
    def test_any_order(self: Any, data: Any, calls: list[tuple[Any, ...]]) -> None:
        """The contract's calls in any order give what each gives alone."""
        random.manualSeed(0)
        module = data.draw(drawn, label="module")
        model = _Model(module, data.draw(input(module), label="input"))
        for name, *arguments in calls:
            getattr(model, name)(*arguments)

    tests: dict[str, Any] = {
        f"test_{name}": test_of(name)
        for name in PROPERTIES
        if name in LEVELS[level] and name not in exempt
    }
    tests["test_any_order"] = test_any_order
    return type("ModuleContract", (), tests)


# Drawn one by one: Hypothesis' state machines leave out rules in most of their runs, and with them
# the orders that matter here.
_CALLS = [
    ("forward",),
    *(("accumulate", scale) for scale in (1, 0, -2, 0.5)),
    ("zero",),
    *(("update", learningRate) for learningRate in (0.125, -0.125, 0)),
    ("clone",),
    ("flatten",),
]


class _Model:
    """A module beside what it should hold: its parameters and gradients as plain copies."""

    def __init__(self, module: Module, input: Any) -> None:
        self.subject = ModuleSubject(module, input)
        self.module = self.subject.fresh()
        self.module.zeroGradParameters()
        self.parameters = [p.copy() for p in self.module.parameters()[0]]
        self.gradients = [np.zeros_like(g) for g in self.module.parameters()[1]]

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
        note(call)
        for one, other in zip(leaves(got), leaves(expected), strict=True):
            if is_array(other) and not np.allclose(one, other, 1e-9, 1e-9, equal_nan=True):
                raise ContractViolation(
                    self.subject.where,
                    call,
                    "any order",
                    "after other calls it gives other numbers than alone.",
                    context=self.subject.context(),
                )
