"""A call depends on its arguments alone, and changes none of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.nn.checks import title
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array, is_floating, leaves, map_arrays
from torchlite.nn.stateful import parts, shadowed
from torchlite.testing.generators import drawn_from, generator_states, touched_by
from torchlite.testing.raised import line_of
from torchlite.testing.subject import Result, Subject, attempt, quietly
from torchlite.testing.variations import GAINS, gained, others, with_others
from torchlite.testing.violations import ContractViolation

__all__ = ["mutation", "repeat"]

# To np.allclose and to hashes of rounded numbers, this is no difference.
NEARLY = 1e-7


def repeat(s: Subject) -> None:
    """The same call gives the same bits, under the same manualSeed, whatever came before."""
    for variant in s.variants():
        first = variant.run()
        layer = variant.fresh()
        before = generator_states(layer, s.words)
        given = copy_arrays(list(variant.given.values()))
        for number in (1, 2):
            again = variant.run(layer, *given)
            source = drawn_from(layer, s.words, before)
            problem = (
                f"it draws from {source}, which manualSeed does not seed. Draw from "
                "torchlite.random."
                if source
                else f"call {number} with the same arguments and the same manualSeed gives other "
                "numbers."
            )
            try:
                _check_same_again(variant, again, first, problem)
            except ContractViolation:
                if not source:
                    _blame_backward(variant)
                raise
        _check_surroundings(variant)
        if variant is s:
            _check_refilled(s, layer, given)
            _check_nearly_same(s)
        for extreme in variant.extremes():
            later, alone = attempt(extreme.run, layer), attempt(extreme.run)
            if later is not None and alone is not None:
                problem = "after a call with other arguments it gives other numbers."
                _check_same_again(extreme, later, alone, problem)
            problem = "after a call with huge and tiny numbers it gives other numbers."
            with quietly():
                # What is remembered of infinities may not be a number.
                again = variant.run(layer)
            _check_same_again(variant, again, first, problem)


def _blame_backward(s: Subject) -> None:
    """Fail if it is a backward that changes what the forward gives, and say which call."""
    layer = s.fresh()
    (_, forward), *backward = s.calls(layer, *s.given.values())
    first = copy_arrays(forward())
    if not all(map(np.array_equal, leaves(forward()), leaves(first))):
        return
    for changing, call in backward:
        call()
        s.same_bits(changing, "after it, the same forward gives other numbers.", forward(), first)


def _check_surroundings(s: Subject) -> None:
    """Fail if a forward or backward changes what is the whole program's."""
    for method, call in s.calls(s.fresh(), *copy_arrays(list(s.given.values()))):
        # Other than what anybody sets.
        with quietly(), np.errstate(under="warn"):
            before = np.geterr()
            touched = touched_by(call)
            if np.geterr() != before:
                s.fail(method, "it changes what np.geterr() says, for the whole program.")
        if touched:
            s.fail(method, f"it seeds {touched}, or draws from it, for the whole program.")
    if s.draws:
        left = []
        for forward in (s.forward, s.forward_anew):
            forward(s.fresh(), s.input)
            left.append(random.getRNGState())
        if np.array_equal(left[0], left[1]):
            problem = "it seeds torchlite.random: what others draw after it is the same each time."
            s.fail("updateOutput", problem)


def _check_refilled(s: Subject, layer: Any, given: list[Any]) -> None:
    """Fail if arrays of the last call that hold other numbers now are taken for what they were."""
    for other in others(s):
        expected = attempt(s.run, None, *other)
        for array, numbers in zip(leaves(given), leaves(other), strict=True):
            if is_array(array):
                array[...] = numbers
        got = attempt(s.run, layer, *given)
        if got is not None and expected is not None:
            problem = "of an array that holds other numbers now it gives what it gave before."
            _check_same_again(s, got, expected, problem)


def _check_nearly_same(s: Subject) -> None:
    """Fail if an input is taken for the last one for its sum, or because it is close to it."""
    changes: dict[str, Callable[[Array], Array]] = {
        "the same numbers in another order": lambda a: a.reshape(-1)[::-1].reshape(a.shape).copy(),
        "nearly the same numbers": lambda a: a * (1 + NEARLY),
    }
    for what, change in changes.items():
        changed = map_arrays(lambda a: change(a) if is_floating(a) else a, s.input)  # noqa: B023
        given = {**s.given, "input": changed}.values()
        expected = attempt(s.run, None, *given)
        if expected is not None:
            layer = s.fresh()
            s.run(layer)
            later = attempt(s.run, layer, *given)
            if later is not None:
                problem = f"after a call with {what} it gives other numbers."
                _check_same_again(s, later, expected, problem)


def _check_same_again(s: Subject, again: Result, first: Result, problem: str) -> None:
    for method, got, expected in zip(s.methods, again, first, strict=False):
        s.same_bits(method, problem, got, expected)


def mutation(s: Subject) -> None:
    """Nothing writes to arguments, parameters or results of parts; read-only arrays are fine."""
    for variant in s.variants():
        for writeable in (True, False):
            _check_mutation(variant, writeable)
        if variant.composed:
            _check_inside(variant)
        with quietly():
            for extreme in variant.extremes():
                _check_mutation(extreme, True)
    if s.names and not s.large and not isinstance(s.base, Container):
        with quietly():
            far = with_others(s, f"parameters * {GAINS[-1]:g}", gained(GAINS[-1]))
            far.extreme = True
            _check_mutation(far, True)


def _check_mutation(s: Subject, writeable: bool) -> None:
    pristine = {**s.given, "input": s.pristine}
    given = copy_arrays(pristine)
    layer = s.fresh()
    parameters = copy_arrays(s.parameters_of(layer)[0])
    arrays = list(filter(is_array, leaves(given)))
    for array in arrays:
        array.flags.writeable = writeable
    for method, call in s.calls(layer, *given.values()):
        try:
            call()
        except Exception as error:
            if not writeable and "read-only" in str(error):
                s.fail(method, f"it writes to a read-only array: {error}{line_of(error)}")
            if not s.extreme:
                raise
        for name, table in given.items():
            its = "" if name == "gradOutput" else "its "
            s.same_bits(method, f"it changed {its}{name}.", table, pristine[name])
        s.same_bits(method, "it changed parameters.", s.parameters_of(layer)[0], parameters)
        if any(array.flags.writeable != writeable for array in arrays):
            s.fail(method, "it made an array that it was given read-only.")


def _check_inside(s: Subject) -> None:
    """Fail if what a module inside returned is written to by another than itself."""
    layer = s.fresh()
    watched = [
        _Returned(s, part)
        for part in parts(layer)
        if part is not layer and isinstance(part, Module)
    ]
    with shadowed([(each.part, each.shadows()) for each in watched]):
        for method, call in s.calls(layer, *s.given.values()):
            for each in watched:
                each.during = method
            call()
            for each in watched:
                each.check()


class _Returned:
    """What a module inside returned, looked at before its next call."""

    METHODS = "updateOutput", "updateGradInput", "accGradParameters"

    def __init__(self, s: Subject, part: Module) -> None:
        self.s = s
        self.part = part
        # The call of the whole in which all this happens.
        self.during = ""
        self.held: dict[str, list[tuple[Array, Array]]] = {}

    def shadows(self) -> dict[str, Callable[..., Any]]:
        return {name: self._noting(name, getattr(self.part, name)) for name in self.METHODS}

    def _noting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **scale: Any) -> Any:
            self.check()
            made = method(*arguments, **scale)
            # What it was given is whose it was.
            given = list(filter(is_array, leaves(list(arguments))))
            arrays = [
                a
                for a in leaves(made)
                if is_array(a) and not any(np.may_share_memory(a, b) for b in given)
            ]
            # It may do what it likes with its own.
            before = {other: [a for a, _ in pairs] for other, pairs in self.held.items()}
            for other, own in {**before, name: arrays}.items():
                self.held[other] = [(a, a.copy()) for a in own]
            return made

        return call

    def check(self) -> None:
        """Fail if anything is not what it was when it was returned."""
        for name, pairs in self.held.items():
            problem = f"it changed what {name} of {title(self.part)}, inside, returned."
            for array, kept in pairs:
                self.s.same_bits(self.during, problem, array, kept)
