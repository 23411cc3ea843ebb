"""Recurrent."""

from typing import Any, Self

from torchlite.errors import StateError
from torchlite.kernels.arrays import Number
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._recurrent import Wrapping, in_place, remind
from torchlite.nn.recurrent._states import copied
from torchlite.nn.simple.add import Add
from torchlite.nn.stateful import restored
from torchlite.nn.table.c_add_table import CAddTable
from torchlite.nn.transfer.sigmoid import Sigmoid

__all__ = ["Recurrent"]

# Where in `modules` they stand.
_START, _INPUT, _FEEDBACK, _TRANSFER, _MERGE = range(5)


class Recurrent(Wrapping):
    """A recurrence of a module for the input, one for the last output, and one for the first step.

    Maths
    -----
    Of the first step; gradNext is what the step after wants of its output, beside gradOutput. In a
    later one, with h the output of the step before, b is merge's of [a, feedback's of h]::

        start, to_a, feedback, transfer, merge = modules
        a = to_a.updateOutput(input)
        b = start.updateOutput(a)
        output = transfer.updateOutput(b)
        gradNext = np.zeros_like(output)
        gradB = transfer.updateGradInput(b, gradOutput + gradNext)
        gradInput = to_a.updateGradInput(input, start.updateGradInput(a, gradB))

    Shapes
    ------
    input: what the module for it takes; output: what transfer returns.

    Parameters
    ----------
    start
        A module for the first step, between input and transfer; or an integer: then Add(start).
    input, feedback
        The modules for the input and for the last output.
    transfer
        The module for what comes of them; None: Sigmoid().
    rho
        So many steps back goes a backward: `maxBPTTstep`.
    merge
        What makes one of what input and feedback give; None: CAddTable().

    Attributes
    ----------
    modules
        [start, input, feedback, transfer, merge].
    steps
        The steps that a backward can go back through: of each `input`, [h] `before` (at first
        [None]) and `after`; `gates` is a dict of what input, feedback and merge (at first: start)
        gave, and of what the calls left behind.

    Conventions
    -----------
    A hidden state is h. A step that starts from a given one is a later step. There are no masks: a
    sample could not start anew within a batch.

    Raises
    ------
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> double, triple = nn.MulConstant(2), nn.MulConstant(3)
    >>> net = nn.Recurrent(nn.Identity(), double, triple, nn.Identity())
    >>> x = np.array([1.0])
    >>> net.forward(x), net.forward(x), net.forward(x)
    (array([2.]), array([8.]), array([26.]))
    >>> net.backward(x, np.ones(1)), net.backward(x, np.zeros(1)), net.backward(x, np.zeros(1))
    (array([2.]), array([6.]), array([18.]))

    Reference
    ---------
    Element-Research/rnn, Recurrent.lua.
    """

    _validates = True

    def __init__(
        self,
        start: Any,
        input: Module,
        feedback: Module,
        transfer: Module | None = None,
        rho: int = 99999,
        merge: Module | None = None,
    ) -> None:
        self._hold(
            start if isinstance(start, Module) else Add(start),
            input,
            feedback,
            Sigmoid() if transfer is None else transfer,
            CAddTable() if merge is None else merge,
        )
        self.maxBPTTstep(rho)

    def maskZero(self, v1: bool = False) -> Self:
        """Refuse: a sample cannot start anew where the first step is another one."""
        raise StateError(
            f"{checks.title(self)}.maskZero: its first step is another one, and a sample cannot "
            "start anew later",
            layer=self,
            method="maskZero",
            hint="nn.LinearRNN, nn.RecLSTM and others can",
        )

    def _state_for(self, input: Any) -> list[Any]:
        state = self._now if self.step else self.startState
        return [None] if state is None else list(state)

    def _given(self, method: str, state: Any, argument: str = "state") -> list[Any]:
        return [copied(state)]

    def _take(self, input: Any, before: list[Any]) -> Step:
        with in_place(self._inside().recurrents):
            a, fed_back = self._asked(_INPUT, "updateOutput", input), None
            if before[0] is None:
                b = self._asked(_START, "updateOutput", a)
            else:
                fed_back = self._asked(_FEEDBACK, "updateOutput", before[0])
                b = self._asked(_MERGE, "updateOutput", [a, fed_back])
            output = self._asked(_TRANSFER, "updateOutput", b)
        left = self._left()
        gates = {"input": a, "feedback": fed_back, "merge": b, "left": left}
        return Step(input, before, gates, [output])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Any:
        a, fed_back, b, left = step.gates.values()
        (h,), by_feedback, gradH = step.before, None, None
        remind(left)
        self._reward(step)
        with in_place(self._inside().recurrents):
            by_merge = self._asked(_TRANSFER, "updateGradInput", b, gradAfter[0])
            if h is None:
                by_input = self._asked(_START, "updateGradInput", a, by_merge)
            else:
                merged = self._asked(_MERGE, "updateGradInput", [a, fed_back], by_merge)
                by_input, by_feedback = merged
                gradH = self._asked(_FEEDBACK, "updateGradInput", h, by_feedback)
            gradInput = self._asked(_INPUT, "_backpropagate", step.input, by_input)
        step.gradAfter, step.gradBefore = gradAfter, [gradH]
        step.gradGates = {
            "input": by_input,
            "feedback": by_feedback,
            "merge": by_merge,
            "left": self._left(),
        }
        return gradInput

    def _accumulate(self, step: Step, scale: Number) -> None:
        a, fed_back, b, _ = step.gates.values()
        by_input, by_feedback, by_merge, left = step.gradGates.values()
        calls = [(_TRANSFER, b, step.gradAfter[0]), (_INPUT, step.input, by_input)]
        if step.before[0] is None:
            calls.append((_START, a, by_merge))
        else:
            calls.append((_MERGE, [a, fed_back], by_merge))
            calls.append((_FEEDBACK, step.before[0], by_feedback))
        remind(left)
        with restored(self.parameters()[1]):
            for position, given, gradient in calls:
                self.modules[position].accGradParameters(given, gradient, scale)

    def __repr__(self) -> str:
        names = ("start", "input", "feedback", "transfer", "merge")
        lines = [f"{name}: {module!r}" for name, module in zip(names, self.modules, strict=True)]
        inside = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__} {{\n  {inside}\n}}"
