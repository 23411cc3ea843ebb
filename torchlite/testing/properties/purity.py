"""A call depends on its arguments alone, and changes none of them."""

from collections.abc import Callable
from typing import Any

from torchlite.nn.nested import copy_arrays, leaves
from torchlite.testing.subject import Result, Subject, attempt, quietly

__all__ = ["mutation", "repeat"]


def repeat(s: Subject) -> None:
    """The same call gives the same bits, under the same manualSeed, whatever came before."""
    for mode in s.in_both_modes():
        first = mode.run()
        module = mode.fresh()
        for number in (1, 2):
            _check_same_again(
                mode,
                mode.run(module),
                first,
                f"call {number} with the same arguments and the same manualSeed gives other "
                "numbers.",
            )
        for extreme in mode.extremes():
            later, alone = attempt(extreme.run, module), attempt(extreme.run)
            if later is not None and alone is not None:
                problem = "after a call with other arguments it gives other numbers."
                _check_same_again(extreme, later, alone, problem)
            problem = "after a call with huge and tiny numbers it gives other numbers."
            _check_same_again(mode, mode.run(module), first, problem)


def _check_same_again(s: Subject, again: Result, first: Result, problem: str) -> None:
    s.same_bits("updateOutput", problem, again.output, first.output)
    s.same_bits("updateGradInput", problem, again.gradInput, first.gradInput)
    s.same_bits("accGradParameters", problem, again.gradients, first.gradients)


def mutation(s: Subject) -> None:
    """Nothing is written to input, gradOutput or parameters; read-only arrays are fine."""
    for mode in s.in_both_modes():
        for writeable in (True, False):
            _check_mutation(mode, writeable)
        with quietly():
            for extreme in mode.extremes():
                _check_mutation(extreme, True)


def _check_mutation(s: Subject, writeable: bool) -> None:
    input, gradOutput = copy_arrays(s.pristine), copy_arrays(s.gradOutput)
    module = s.fresh()
    parameters = copy_arrays(module.parameters()[0])
    arrays = leaves(input) + leaves(gradOutput)
    for array in arrays:
        array.flags.writeable = writeable
    steps: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
        ("updateOutput", s.forward, (module, input)),
        ("updateGradInput", module.updateGradInput, (input, gradOutput)),
        ("accGradParameters", module.accGradParameters, (input, gradOutput)),
    ]
    for method, step, arguments in steps:
        try:
            step(*arguments)
        except Exception as error:
            if not writeable and "read-only" in str(error):
                s.fail(method, f"it writes to a read-only array: {error}.")
            if not s.extreme:
                raise
        s.same_bits(method, "it changed its input.", input, s.pristine)
        s.same_bits(method, "it changed gradOutput.", gradOutput, s.gradOutput)
        s.same_bits(method, "it changed parameters.", module.parameters()[0], parameters)
        if any(array.flags.writeable != writeable for array in arrays):
            s.fail(method, "it made an array that it was given read-only.")
