"""Tests that draw modules and inputs for them, with Hypothesis."""

from collections.abc import Callable, Mapping
from typing import Any

from torchlite import random
from torchlite.testing.check import check_module
from torchlite.testing.contract import CALLS, Line, Model, standing_at

try:
    from hypothesis import Phase, event, given, settings
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("drawing examples needs Hypothesis: pip install hypothesis") from error

__all__ = ["any_order_of", "property_of"]

# As in the files that the package loads at once.
__tracebackhide__ = True


def property_of(
    line: Line,
    name: str,
    modules: Any,
    input: Callable[[Any], Any],
    exempt: Mapping[str, str],
    max_examples: int | None,
) -> Callable[[Any], None]:
    """Return a test of a property."""

    def check(data: Any, seed: int) -> None:
        random.manualSeed(seed)
        module = data.draw(_strategy(modules), label="module")
        report = check_module(
            module, data.draw(input(module), label="input"), only=name, exempt=exempt, seed=seed
        )
        for remark in report.notes:
            event(remark)
        for array in report.kinks:
            event(f"{array}: some entries at kinks")

    test = given(data=st.data(), seed=st.integers(0, 2**16))
    return _limited(max_examples)(test(standing_at(line, check, "data", "seed")))


def any_order_of(
    line: Line, modules: Any, input: Callable[[Any], Any], max_examples: int | None
) -> Callable[[Any], None]:
    """Return a test of the contract's calls in any order."""

    def check(data: Any, calls: list[tuple[Any, ...]]) -> None:
        random.manualSeed(0)
        module = data.draw(_strategy(modules), label="module")
        Model(module, data.draw(input(module), label="input")).run(calls)

    # Drawn one by one: Hypothesis' state machines leave out rules in most of their runs, and with
    # them the orders that matter here.
    orders = st.lists(st.sampled_from(CALLS), min_size=4, max_size=16)
    test = given(data=st.data(), calls=orders)
    return _limited(max_examples)(test(standing_at(line, check, "data", "calls")))


def _strategy(modules: Any) -> Any:
    return modules if isinstance(modules, st.SearchStrategy) else st.just(modules)


def _limited(max_examples: int | None) -> settings:
    # Explaining by variation what the violation says in words takes a hundred times as long as
    # finding it.
    limits: dict[str, Any] = {"phases": [phase for phase in Phase if phase is not Phase.explain]}
    if max_examples is not None:
        limits["max_examples"] = max_examples
    return settings(deadline=None, **limits)
