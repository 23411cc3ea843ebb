"""Copies have everything that makes a difference, and share nothing."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.subject import attempt

__all__ = ["clone", "pickle_"]


def clone(s: ModuleSubject) -> None:
    """A clone, and a deep copy, have the same numbers and share nothing."""
    for name in s.defaults:
        problem = f"{name} is the default of an argument: all that are made have the same array."
        s.fail("__init__", problem)
    ways: dict[str, Callable[[Any], Any]] = {
        "clone": lambda m: m.clone(),
        "copy.deepcopy": copy.deepcopy,
    }
    for way, copying in ways.items():
        for train in {s.base.train, False}:
            module = _trained(s, train)
            made = copying(module)
            _check_copy(s, way, made, module)
        # What is shared is so in either mode.
        _check_independence(s, way, made, module)


def _evaluating(module: Module) -> Module:
    # Whether evaluate() returns the module is asked elsewhere.
    module.evaluate()
    return module


def _check_independence(s: ModuleSubject, way: str, made: Module, module: Module) -> None:
    for one, other in ((module, made), (made, module)):
        arrays = [*other.parameters()[0], *other.parameters()[1]]
        before = copy_arrays(s.forward(_evaluating(other), s.input))
        kept = copy_arrays(arrays)
        for array in [*one.parameters()[0], *one.parameters()[1]]:
            array += 1
        # Which may be out of the parameters' domain.
        attempt(s.forward, one, s.other_input())
        problem = "the copy shares arrays with the original."
        s.same_bits(way, problem, arrays, kept)
        problem = "what happens to the one changes what the other gives."
        s.compare(way, problem, s.forward(other, s.input), before)
        for array in [*one.parameters()[0], *one.parameters()[1]]:
            array -= 1


def _trained(s: ModuleSubject, train: bool) -> Module:
    """Return a module with numbers of full precision everywhere, that has seen some input."""
    module: Module = s.fresh()
    for parameter, gradient in zip(*module.parameters(), strict=True):
        # Towards 0: what is a share of a whole, or positive, stays so.
        parameter *= 1 - np.linspace(0.01, 0.02, parameter.size).reshape(parameter.shape)
        gradient += np.linspace(0.01, 0.02, gradient.size).reshape(gradient.shape)
    s.forward(module, s.other_input())
    s.forward(module, s.input)
    return module if train else _evaluating(module)


def _check_copy(s: ModuleSubject, way: str, made: Module, module: Module) -> None:
    """Fail unless one module is a faithful copy of the other."""
    problem = f"{way} does not carry all parameters and gradients."
    s.same_bits(way, problem, list(made.parameters()[0]), list(module.parameters()[0]))
    s.same_bits(way, problem, list(made.parameters()[1]), list(module.parameters()[1]))
    if made.train is not module.train:
        s.fail(way, f"train is {made.train} in the copy of one that has {module.train}.")
    if any(is_array(array) and array.size for array in (made.output, made.gradInput)):
        s.fail(way, "it carries results of earlier calls.")
    problem = f"after {way} it gives other numbers."
    s.compare_results(s.run(made), s.run(module), problem)
    if module.train:
        got, expected = (s.forward(_evaluating(one), s.input) for one in (made, module))
        s.compare(way, problem, got, expected)
        for one in (made, module):
            one.training()


def pickle_(s: ModuleSubject) -> None:
    """Pickling carries everything that makes a difference."""
    for train in {s.base.train, False}:
        module = _trained(s, train)
        try:
            stored = pickle.dumps(module)
        except (pickle.PicklingError, AttributeError, TypeError) as reason:
            # A class inside a function, a lambda: Python's limit, not the layer's fault.
            s.notes.append(f"pickle: not checked, {reason}")
            return
        before = s.run(pickle.loads(stored))
        _check_copy(s, "pickle", pickle.loads(stored), module)
        for array in [*module.parameters()[0], *module.parameters()[1]]:
            array += 1
        after = s.run(pickle.loads(stored))
        s.compare_results(after, before, "what was pickled changed later.")
