"""What the modules have in common that run a gated cell over a whole sequence at once."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from torchlite.errors import StateError, unhinted
from torchlite.kernels.arrays import Array, Number
from torchlite.nn import checks, table_checks
from torchlite.nn.nested import is_array, same, shapes
from torchlite.nn.recurrent._gated import Gated
from torchlite.nn.recurrent._gates import Cell, Step, without
from torchlite.nn.recurrent._states import GoesOn, copied, must_be_state, shown, state_number

__all__ = ["GatedSequence"]


@dataclass(slots=True)
class _Run:
    """What a forward was given and found, steps first.

    states are the arrays of the state before each step, and after the last.
    """

    input: Any
    x: Array
    gates: Array
    states: list[Array]
    mask: Any
    # Its steps as they were asked for last, and after which backward.
    steps: Any = None

    def rows(self, array: Array) -> Array:
        """Return the rows of all steps, one below the other."""
        steps, batch = self.x.shape[:2]
        return array.reshape(steps * batch, array.shape[2])


@dataclass(slots=True)
class _Back:
    """What a backward was given and found: the gradients of a, of each h, of the first state."""

    gradOutput: Any
    gradGates: Array
    gradHidden: Any
    gradStart: list[Array]


class GatedSequence(GoesOn, Gated):
    """A gated cell, run over all steps of a sequence.

    What the input adds to the gates is found in one product for all steps, what h adds in one
    product a step, and the gradient of each parameter in one product over all steps.

    Attributes
    ----------
    steps
        The steps of the last forward: of each the input, the state before and after it, the gates,
        the mask and, after a backward, the gradient of what the gates' functions were given.
    batchfirst
        Whether input and output have the batch before the steps, and so the mask.
    startState
        The state from which a sequence starts, if not zeros: `setStartState` says it.

    Conventions
    -----------
    Remembers its forward: a backward needs that of its input. `updateGradInput` goes back through
    all steps and keeps the gradients of the gates, which `accGradParameters` multiplies; without an
    `updateGradInput` of the same gradOutput it goes back itself.

    Every sequence starts from `startState`, unless `remember(mode)` says that it goes on from the
    state that the last one left, as a constant. A change of the mode, and `forget()`, begin anew.
    Copies carry no states but `startState`. State 0 is the one before the first step, state T that
    after T steps.

    Masked rows count nowhere, whatever stands there: their output is 0, and the state begins anew
    from zeros, not from `startState`.
    """

    _validates = True
    remembers = True
    _runs_steps = True
    transient = (*Gated.transient, "_run", "_back", "_now", "_mode", "_gradEnd")
    startState: Any = None
    batchfirst: bool = False
    _run: Any = None
    _back: Any = None
    # The state that the last forward left, and whether that was one in training.
    _now: Any = None
    _mode: Any = None
    # The gradient of that state, as it was set from elsewhere.
    _gradEnd: Any = None

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        if self.batchfirst:
            return {**super().exempt, "maths": "Maths has the steps first"}
        return {**super().exempt, "batch": "the first dimension is time"}

    @property
    def steps(self) -> list[Step]:
        """The steps of the last forward, the earliest first."""
        run, back = self._run, self._back
        if run is None:
            return []
        if run.steps is None or run.steps[0] is not back:
            steps = [
                Step(
                    run.x[t],
                    [array[t] for array in run.states],
                    run.gates[t],
                    [array[t + 1] for array in run.states],
                    None if run.mask is None else run.mask[t],
                    gradGates=None if back is None else back.gradGates[t],
                )
                for t in range(len(run.x))
            ]
            run.steps = back, steps
        made: list[Step] = run.steps[1]
        return made

    # ---------------------------------------------------------------- forward and backward

    def updateOutput(self, input: Any) -> Array:
        x, given = self._opened(input)
        cell = self._must_fit(x)
        mask, x = self._turned(self._mask_of(x)), self._turned(x)
        start, (steps, batch) = self._start(x, given), x.shape[:2]
        # Else the last run would take memory beside this one.
        self._run = self._back = None
        x = without(x, mask)
        products = cell.products(x.reshape(steps * batch, x.shape[2]))
        dtype = np.result_type(products.dtype, *(array.dtype for array in start))
        gates = products.reshape(steps, batch, products.shape[1]).astype(dtype, copy=False)
        states = [np.empty_like(gates, shape=(steps + 1, *array.shape)) for array in start]
        for array, first in zip(states, start, strict=True):
            array[0] = first
        for t in range(steps):
            gates[t], after = cell.forward(gates[t], [array[t] for array in states])
            for array, state in zip(states, after, strict=True):
                array[t + 1] = state
            if mask is not None:
                for array in (gates[t], *(array[t + 1] for array in states)):
                    array[mask[t]] = 0
        self._run, self._back = _Run(input, x, gates, states, mask), None
        self._now, self._mode, self._gradEnd = [array[-1] for array in states], self.train, None
        self.output = self._turned(states[0][1:])
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Array) -> Any:
        run = self._run_of("updateGradInput", input, gradOutput)
        back = self._back = self._gone_back(run, gradOutput)
        gradInput = self._cell().gradInput(run.rows(back.gradGates))
        gradInput = self._turned(gradInput.reshape(run.x.shape))
        self.gradInput = self._closed(input, gradInput, back.gradStart)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        run = self._run_of("accGradParameters", input, gradOutput)
        back = self._back
        if back is None or not (back.gradOutput is gradOutput or same(back.gradOutput, gradOutput)):
            back = self._back = self._gone_back(run, gradOutput)
        checks.must_accumulate(self, run.gates, back.gradGates, self.weight.dtype)
        self._cell().accumulate_rows(
            self.gradients(),
            scale,
            run.rows(run.x),
            run.rows(run.gates),
            run.rows(run.states[0][:-1]),
            run.rows(run.states[-1][1:]),
            run.rows(back.gradGates),
            None if back.gradHidden is None else run.rows(back.gradHidden),
        )

    def _gone_back(self, run: _Run, gradOutput: Array) -> _Back:
        """Go back through all steps."""
        cell = self._cell()
        cell.ofHiddenBack = cell.ofHiddenBack.copy()
        given = self._turned(gradOutput)
        dtype = np.result_type(run.gates.dtype, given.dtype)
        gradGates = np.empty_like(run.gates, dtype=dtype)
        # Its product with what is projected waits for accGradParameters, too.
        gradHidden = None if self.weightO is None else np.empty_like(given, dtype=dtype)
        gradState = self._gradEnd or [np.zeros_like(array[0]) for array in run.states]
        for t in reversed(range(len(given))):
            gradAfter = [given[t] + gradState[0], *gradState[1:]]
            if run.mask is not None:
                gradAfter = [without(array, run.mask[t]) for array in gradAfter]
            if gradHidden is not None:
                gradHidden[t] = gradAfter[0]
            before, after = ([array[i] for array in run.states] for i in (t, t + 1))
            gradGates[t], gradState = cell.back(run.gates[t], before, after, gradAfter)
        return _Back(gradOutput, gradGates, gradHidden, gradState)

    # ---------------------------------------------------------------- how arrays are handed in

    def _turned(self, array: Any) -> Any:
        """Return steps first what has the batch first, and the other way round."""
        return array.swapaxes(0, 1) if self.batchfirst and array is not None else array

    def _opened(self, input: Any) -> tuple[Any, Any]:
        """Return the sequence in an input, and the state that comes with it, or None."""
        return input, None

    def _closed(self, input: Any, gradInput: Array, gradStart: list[Array]) -> Any:
        """Return the gradient of an input."""
        return gradInput

    def _must_fit(self, x: Any) -> Cell:
        method, cell = "updateOutput", self._cell()
        checks.must_be_typed(self, method, x, self.weight.dtype)
        if x.ndim != 3 or x.shape[2] != cell.inputsize:
            lead = "N, T" if self.batchfirst else "T, N"
            hint = None
            if x.ndim == 2 and x.shape[1] == cell.inputsize:
                hint = "a batch of one sequence: input[" + (
                    "None]" if self.batchfirst else ":, None]"
                )
            raise checks.misshapen(self, method, "input", f"({lead}, {cell.inputsize})", x, hint)
        return cell

    def _run_of(self, method: str, input: Any, gradOutput: Any) -> _Run:
        """Return the last forward, if it was one of this input and gradOutput fits its output."""
        run: _Run | None = self._run
        if run is None or not (run.input is input or same(run.input, input)):
            raise self._unremembered(method, run, input)
        shape = self._turned(run.states[0][1:]).shape
        checks.must_be_gradient(self, method, gradOutput, shape, self.weight.dtype)
        return run

    def _unremembered(self, method: str, run: _Run | None, input: Any) -> StateError:
        """Return the error of a backward of another sequence than that of the last forward."""
        hint = "call forward(input) first: a backward goes back through its steps"
        name, known = checks.title(self), None if run is None else f"input {shapes(run.input)}"
        error = checks.unremembered(name, self, method, "input", known, input, hint)
        if run is None or not is_array(input) or shapes(run.input) != shapes(input):
            return error
        pairs = zip(self._turned(run.input), self._turned(input), strict=True)
        step = next(t for t, pair in enumerate(pairs) if not same(*pair))
        return StateError(
            f"{unhinted(error)}: step {step} is another",
            layer=self,
            method=method,
            argument="input",
            expected=error.expected,
            got=error.got,
            hint=hint,
        )

    # ---------------------------------------------------------------- states

    def _start(self, x: Array, given: Any) -> list[Array]:
        """Return the state before the first step."""
        goes_on = self._goes_on() and self._mode is self.train
        state = given
        if state is None:
            state = self._now if goes_on and self._now is not None else self.startState
        if state is None:
            return self._cell().zeros(x.shape[1], x)
        if len(state[0]) != x.shape[1]:
            expected = f"a batch that goes on from the state {shapes(shown(state))}"
            hint = "forget() begins a new sequence" if state is self._now else None
            raise checks.misshapen(self, "updateOutput", "input", expected, x, hint)
        return list(state)

    def forget(self) -> Self:
        """Let the next sequence start anew. Return self."""
        self._run = self._back = self._now = self._mode = self._gradEnd = None
        return self

    def getHiddenState(self, step: int | None = None) -> Any:
        """Return the state after so many steps, counted from the last one if negative.

        Without step it is the last one. 0 is the start: None where it is zeros whose number of rows
        no forward has told.
        """
        number = state_number(self, "getHiddenState", step, self._count)
        if number == 0 and self._run is None:
            state = self.startState
        elif number == len(self._run.x):
            state = self._now
        else:
            state = [array[number] for array in self._run.states]
        return None if state is None else shown(copied(state))

    def setHiddenState(self, step: int, state: Any) -> Self:
        """Go on from a state. Return self.

        State 0 is the start, of this and all later sequences (`setStartState`); the one after the
        last step is that from which the next sequence goes on, if it does.
        """
        number = state_number(self, "setHiddenState", step, self._count)
        if number == 0:
            return self.setStartState(state)
        if number < len(self._run.x):
            raise self._past("setHiddenState", number)
        self._now, self._mode = self._state_given("setHiddenState", "state", state), self.train
        return self

    def setStartState(self, state: Any = None) -> Self:
        """Let every sequence start from a state, not from zeros; None: from zeros. Return self."""
        given = None if state is None else self._state_given("setStartState", "state", state)
        self.startState = given
        return self

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """Return the gradient of the state before the first step, or of that after the last.

        The first, 0, is what a backward leaves, and what is returned without step; the other is
        what `setGradHiddenState` set, None if it did not.
        """
        method = "getGradHiddenState"
        number = 0 if step is None else state_number(self, method, step, self._count)
        if self._run is not None and number == len(self._run.x):
            return None if self._gradEnd is None else shown(self._gradEnd)
        if number:
            raise self._past(method, number)
        if self._back is None:
            raise StateError(
                f"{checks.title(self)}.{method}: no backward has come to state 0",
                layer=self,
                method=method,
                argument="step",
                hint="call updateGradInput(input, gradOutput) first",
            )
        return shown(self._back.gradStart)

    def setGradHiddenState(self, step: int, gradState: Any) -> Self:
        """Let a gradient of the state after the last step come from elsewhere. Return self.

        That is what the module is given that goes on from it. The next forward forgets it.
        """
        method = "setGradHiddenState"
        number = state_number(self, method, step, self._count)
        if self._run is None or number < len(self._run.x):
            raise self._past(method, number)
        given = gradState
        if gradState is not None:
            given = self._state_given(method, "gradState", gradState, self._run.x.shape[1])
        self._gradEnd, self._back = given, None
        return self

    @property
    def _count(self) -> int:
        """How many steps the last forward had."""
        return 0 if self._run is None else len(self._run.x)

    def _past(self, method: str, number: int) -> StateError:
        """Return the error of a state that is neither the first nor the last."""
        count = self._count
        return StateError(
            f"{checks.title(self)}.{method}: state {number} is neither the first nor the last of "
            f"{count} steps",
            layer=self,
            method=method,
            argument="step",
            hint="call forward(input) first" if self._run is None else f"0 or {count}",
        )

    def _state_given(self, method: str, argument: str, state: Any, rows: Any = None) -> list[Array]:
        """Return a state as users give it as a list; raise unless it fits."""
        sizes = self._cell().sizes
        if len(sizes) > 1:
            table_checks.must_be_table(self, method, argument, state, len(sizes))
        given = [state] if len(sizes) == 1 else list(state)
        for array in given:
            must_be_state(self, method, argument, array, self.weight.dtype)
        n = len(given[0]) if rows is None else rows
        if [array.shape for array in given] != [(n, size) for size in sizes]:
            lead = "N" if rows is None else rows
            expected = ", ".join(f"({lead}, {size})" for size in sizes)
            expected = expected if len(sizes) == 1 else f"[{expected}]"
            raise checks.misshapen(self, method, argument, expected, state)
        return list(copied(given))
