"""What all modules have in common that are called once a step, and keep their steps."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array, Number
from torchlite.nn import checks, table_checks
from torchlite.nn._through_time import recurrents
from torchlite.nn.container import Container, locate
from torchlite.nn.entries import total_gradient
from torchlite.nn.module import Module, fails_anywhere
from torchlite.nn.nested import EMPTY, is_floating, leaves, map_arrays, same, shapes
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._masking import found
from torchlite.nn.recurrent._masks import masked, told
from torchlite.nn.recurrent._states import copied, integer, must_be_state, shown, state_number
from torchlite.nn.stateful import Stateful, inside, kept

__all__ = [
    "AbstractRecurrent",
    "Wrapping",
    "WrappingOne",
    "in_place",
    "remind",
]


class AbstractRecurrent(Container):
    """A module that is called once a step, and goes on from the state that its last step left.

    A member says what one step computes (`_take`), how its gradients go back (`_go_back`), and
    what it adds to the gradients of its parameters (`_accumulate`); everything else is here.

    Attributes
    ----------
    steps
        The steps that a backward can go back through, the earliest first: of each the input, the
        state before and after it, the gates, and, once it was gone back through, the gradients of
        these. In evaluation mode that is the last step alone.
    step
        How many steps there were since `forget`: the number of the next one.
    rho
        So many steps before the last are kept in training: `maxBPTTstep` sets it. Called by hand,
        a module keeps them until `forget()`.

    Conventions
    -----------
    Steps count from 0; state 0 is that before step 0, zeros unless `setStartState` gave another,
    and state n that which n steps left. `updateGradInput` is called once a step, from the last step
    to the first, each time with the input of its step: it adds the gradient that the step after
    left for the state. `accGradParameters` goes the same way, behind it. Each forward makes its
    step the last one, from which a backward begins. Where a backward ends, the state before is a
    constant.

    `forget()` begins a new sequence, and so do copies: they carry no steps, and no states but
    `startState`.
    """

    _validates = True
    _steps_itself = True
    exempt: ClassVar[Any] = {"twice": "a second backward goes back from the step before"}
    transient = (
        *Container.transient,
        *("steps", "step", "_now", "_set_in", "_gradNow", "_back", "_summed", "_masked_from"),
        "_rewarded_apart",
    )
    steps: Any = ()
    step: Any = 0
    # The state before the first step, if not zeros.
    startState: Any = None
    rho: int = 99999
    # While whole sequences are run: how many steps they have.
    _length: Any = None
    # The state that the last step left, whether it was set in training if it was set, and the
    # gradient that was set for it.
    _now: Any = None
    _set_in: Any = None
    _gradNow: Any = None
    # How many steps updateGradInput, and accGradParameters, have not yet gone back through.
    _back: Any = 0
    _summed: Any = 0
    # Whether any step has a reward of its own.
    _rewarded_apart: Any = False
    # Whether samples may be masked, whether that is found, what was told, and before which step.
    maskzero: bool = False
    v1: bool = False
    zeroMask: Any = None
    _masked_from: Any = 0

    def insert(self, module: Module, index: Any = None) -> Self:
        """Refuse: it is made of the modules that it was made with."""
        raise self._complete("add" if index is None else "insert")

    def remove(self, index: Any = None) -> Self:
        """Refuse: it is made of the modules that it was made with."""
        raise self._complete("remove")

    def _complete(self, method: str) -> StateError:
        return StateError(
            f"{type(self).__name__}.{method}: it is complete",
            layer=self,
            method=method,
            hint="nn.Sequential(...) of it and others is a module of several",
        )

    def _hold(self, *modules: Module) -> None:
        """Be made of these modules."""
        self.modules = []
        for module in modules:
            super().insert(module)

    # ---------------------------------------------------------------- forward and backward

    def updateOutput(self, input: Any) -> Any:
        """Take the next step."""
        before, mask = self._state_for(input), self._mask_for(input)
        step = self._take(input if mask is None else self._without(input, mask), before)
        step.given = input
        if mask is not None:
            step.mask, step.after = mask, self._without(step.after, mask)
        kept = self._length or (self.rho + 1 if self.train else 1)
        self.steps = self.steps or []
        self.steps.append(step)
        del self.steps[:-kept]
        self.step += 1
        self._back = self._summed = self.step
        self._now, self._gradNow = step.after, None
        self.output = step.after[0]
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Go back from the next earlier step."""
        method = "updateGradInput"
        step = self._step_of(method, self._back - 1, input)
        wanted = table_checks.checked_gradient(self, method, gradOutput, step.after[0])
        later = self._gradient_of_state(self._back)
        first = wanted if later is None else _plus(later[0], wanted)
        rest = map(_zeros_like, step.after[1:]) if later is None else later[1:]
        gradAfter = [first, *rest]
        if step.mask is not None:
            gradAfter = self._without(gradAfter, step.mask)
        step.gradOutput = gradOutput
        step.gradInput = self._go_back(step, gradAfter)
        self._back -= 1
        if self.gradInput is None:
            return None
        self.gradInput = EMPTY if step.gradInput is None else step.gradInput
        return step.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Number = 1) -> None:
        """Add what the next earlier step gives."""
        scale = checks.scale(self, scale)
        self._accumulate(self._step_to_sum(input, gradOutput), scale)
        self._summed -= 1

    def _look_ahead(self, input: Any, gradOutput: Any, planned: Any) -> bool:
        self._step_to_sum(input, gradOutput)
        return False

    def _time_of(self, method: str) -> int | None:
        earlier = {"updateGradInput": self._back - 1, "accGradParameters": self._summed - 1}
        return int(earlier.get(method, self.step))

    # ---------------------------------------------------------------- what a member says

    @property
    def _sizes(self) -> list[Any]:
        """The shapes of the arrays of a state, without the batch: lists where they are tables."""
        return []

    def _batch_of(self, input: Any) -> tuple[int, ...]:
        """Return the shape of the batch, () of one sample; raise unless the input fits."""
        raise NotImplementedError

    def _over_steps(self, input: Any) -> str | None:
        """Return what takes a whole sequence of what this takes, if the input may be one."""
        name = type(self).__name__
        hint = f"nn.Sequencer(nn.{name}(...)) runs it over the steps of a sequence, {shapes(input)}"
        return hint if input.ndim == 3 else None

    def _take(self, input: Any, before: list[Any]) -> Step:
        """Return a step from a state; the first entry of the state after it is the output."""
        raise NotImplementedError

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Any:
        """Return the gradient of the step's input, and let the step have its other gradients."""
        raise NotImplementedError

    def _accumulate(self, step: Step, scale: Number) -> None:
        """Add to the gradients of the parameters what a step gives that was gone back through."""
        raise NotImplementedError

    # ---------------------------------------------------------------- states

    def forget(self) -> Self:
        """Let the next step be the first of a sequence. Return self."""
        self._now = self._set_in = self._gradNow = None
        self.step = self._back = self._summed = 0
        self._start_sequence()
        return super().forget()

    def _start_sequence(self) -> None:
        """Keep nothing of the steps up to here but the state."""
        self.steps, self._masked_from = (), self.step

    def maxBPTTstep(self, rho: int) -> Self:
        """Keep rho steps before the last one for backward, in training. Return self."""
        wanted = integer(self, "maxBPTTstep", "rho", rho)
        if wanted < 1:
            raise checks.out_of_range(self, "maxBPTTstep", "rho", "at least 1", repr(rho))
        super().maxBPTTstep(wanted)
        self.rho = wanted
        return self

    def getHiddenState(self, step: int | None = None) -> Any:
        """Return the state after so many steps, counted from the last one if negative.

        Without step it is the last one. 0 is the start: None where it is zeros whose number of rows
        no step has told.
        """
        number = state_number(self, "getHiddenState", step, self.step)
        if number < self.step:
            state = self._kept("getHiddenState", number).before
        else:
            state = self._now if number else self.startState
        return None if state is None else shown(copied(state))

    def setHiddenState(self, step: int, state: Any) -> Self:
        """Go on from a state. Return self.

        State 0 is the start, of this and all later sequences (`setStartState`); beside that, the
        state that the last step left can be set: it then is a constant, and a backward ends there.
        """
        number = state_number(self, "setHiddenState", step, self.step)
        if number == 0:
            return self.setStartState(state)
        if number < self.step:
            raise StateError(
                f"{checks.title(self)}.setHiddenState: state {number} is past: "
                f"there were {self.step} steps since",
                layer=self,
                method="setHiddenState",
                argument="step",
                hint=f"state {self.step} is the one from which the next step goes on",
            )
        self._now, self._set_in = self._given("setHiddenState", state), self.train
        self.steps, self._gradNow = (), None
        self._back = self._summed = self.step
        return self

    def setStartState(self, state: Any = None) -> Self:
        """Let every sequence start from a state, not from zeros; None: from zeros. Return self."""
        self.startState = None if state is None else self._given("setStartState", state)
        return self

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """Return the gradient of the state after so many steps, in the form of the state.

        A backward leaves the gradients of the states before the steps that it went back through: 0
        is that of the start. Without step it is that of the state up to which it has come.
        """
        method = "getGradHiddenState"
        number = self._back if step is None else state_number(self, method, step, self.step)
        gradState = self._gradient_of_state(number) if number >= self._back else None
        if gradState is None and number < self.step:
            raise StateError(
                f"{checks.title(self)}.{method}: no backward has come to state {number}",
                layer=self,
                method=method,
                argument="step",
                hint=f"updateGradInput goes back from step {self._back - 1} next",
            )
        return None if gradState is None else shown(gradState)

    def setGradHiddenState(self, step: int, gradState: Any) -> Self:
        """Let a gradient of a state come from elsewhere: a backward adds it there. Return self.

        After the last step that is what the module is given that goes on from its state. Of another
        state, up to which a backward has come, it replaces what that has left.
        """
        method = "setGradHiddenState"
        number = state_number(self, method, step, self.step)
        gradients = None if gradState is None else self._given(method, gradState, "gradState")
        if number == self.step:
            self._gradNow = gradients
        else:
            self._kept(method, number).gradBefore = gradients
        return self

    def sharedClone(
        self, shareParams: bool = True, shareGradParams: bool = True, stepClone: bool = False
    ) -> Self:
        """Return a copy with the same parameters and gradients; as a clone of a step: itself."""
        return self if stepClone else super().sharedClone(shareParams, shareGradParams)

    def _given(self, method: str, state: Any, argument: str = "state") -> list[Any]:
        """Return a state as users give it as a list of arrays; raise unless its sizes fit."""
        entries = [state] if len(self._sizes) == 1 else state
        if len(self._sizes) > 1:
            table_checks.must_be_table(self, method, argument, state, len(self._sizes))
        dtype = self.type()
        for array in leaves(entries):
            must_be_state(self, method, argument, array, dtype)
        if not self._may_be_state(entries):
            expected = str(_each(self._sizes, lambda size: ("N", *size))).replace("'", "")
            if len(self._sizes) == 1:
                expected = expected[1:-1]
            raise checks.misshapen(self, method, argument, expected, state)
        return list(copied(entries))

    def _may_be_state(self, state: list[Any]) -> bool:
        """Tell whether a state has the right sizes, and one batch."""
        return _fits(state, self._sizes) and _fits(state, self._sizes, _batch(state, self._sizes))

    def _state_for(self, input: Any) -> list[Any]:
        """Return the state from which a step with this input goes on."""
        batch = self._batch_of(input)
        state: Any = self._now if self.step else self.startState
        if state is None:
            known = [*leaves(input), *self.parameters()[0]]
            floating = [array for array in known if is_floating(array)]
            like, dtype = (floating[0], None) if floating else (known[0], self.type())
            zeros: list[Any] = _each(
                self._sizes, lambda size: np.zeros_like(like, shape=batch + size, dtype=dtype)
            )
            return zeros
        if not _fits(state, self._sizes, batch):
            raise checks.misshapen(
                self,
                "updateOutput",
                "input",
                f"a batch that goes on from the state {shapes(shown(state))}",
                input,
                "forget() begins a new sequence" if self.step else "setStartState() takes it back",
            )
        return list(state)

    def _gradient_of_state(self, number: int) -> Any:
        """Return the gradient of a state that came from later steps, None if there is none."""
        if number == self.step:
            return self._gradNow
        return self.steps[number - self.step].gradBefore

    def reinforce(self, reward: Any) -> Self:
        """Give a reward to every layer inside that draws: one for all steps, or one for each.

        A list, or an array of more dimensions than one, has that of each of the last steps; those
        before get 0. Return self.
        """
        apart = isinstance(reward, (list, tuple)) or np.ndim(reward) > 1
        rewards = [reward[i] for i in range(len(reward))] if apart else []
        if apart and not 0 < len(rewards) <= len(self.steps):
            raise StateError(
                f"{checks.title(self)}.reinforce: there are {len(rewards)} rewards, and only "
                f"{len(self.steps)} steps are kept",
                layer=self,
                method="reinforce",
                argument="reward",
                hint="call forward(input) first, once for each step",
            )
        if apart:
            with kept(self, "reward"):
                for own in rewards:
                    super().reinforce(own)
        else:
            super().reinforce(reward)
        # A recurrent module inside is told one at each step: that must not take time for all.
        if apart or self._rewarded_apart:
            first = np.zeros_like(rewards[0]) if apart else None
            before = [first] * (len(self.steps) - len(rewards))
            for step, own in zip(self.steps, [*before, *rewards], strict=True):
                step.reward = own
        self._rewarded_apart = apart
        return self

    # ---------------------------------------------------------------- masks

    def maskZero(self, v1: bool = False) -> Self:
        """Let the state of a sample start anew, from zeros, where a mask is set. Return self.

        `setZeroMask` sets it, before a sequence; with v1 it is found: where the input is all zeros.
        """
        super().maskZero(v1)
        self.maskzero, self.v1 = True, bool(v1)
        return self

    def trimZero(self, nInputDim: int) -> Self:
        """Let the state of a sample start anew where its input is all zeros. Return self."""
        self.maskzero = self.v1 = True
        return super().trimZero(nInputDim)

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say where samples do not count: (T, N) by step, (N,) at every step, False. Return self.

        The first row of (T, N) is for the next step, and for the first of every later sequence.
        """
        self.zeroMask, self._masked_from = checks.mask(self, zeroMask), self.step
        return self

    def _mask_for(self, input: Any) -> Any:
        """Return the mask of the next step, None if every sample counts."""
        if not self.maskzero:
            return None
        return found(self, "updateOutput", input) if self.v1 else self._told()

    def _told(self) -> Any:
        """Return the row of the mask that was told for the next step."""
        mask = told(self, "updateOutput")
        if mask is None or mask.ndim == 1:
            return mask
        row = self.step - self._masked_from
        if row >= len(mask):
            raise StateError(
                f"{checks.title(self)}.updateOutput: the mask has {len(mask)} rows, and this is "
                f"step {row} since it was set",
                layer=self,
                method="updateOutput",
                argument="zeroMask",
                hint="setZeroMask(mask) with a row for each step; forget() begins a new sequence",
            )
        return mask[row]

    def _without(self, table: Any, mask: Array) -> Any:
        """Return a table with zeros in the rows that are masked, whatever stands there."""
        return masked(self, "updateOutput", "input", table, mask)

    # ---------------------------------------------------------------- the way back

    def _kept(self, method: str, number: int) -> Step:
        """Return the step of this number, if it is kept."""
        if self.step - len(self.steps) <= number < self.step:
            step: Step = self.steps[number - self.step]
            return step
        name = f"{checks.title(self)}.{method}"
        if not self.step:
            problem, hint = "there was no step", "call forward(input) first, once for each step"
        elif number < 0:
            problem = f"there is no step before step 0: there were {self.step}"
            hint = "a backward goes back from each step once"
        else:
            problem, hint = f"step {number} is not kept", f"maxBPTTstep({self.step - 1 - number})"
            if not self.train:
                hint = "evaluation mode keeps the last step alone"
            elif not self.steps:
                hint = "call forward(input) first, once for each step"
            elif len(self.steps) <= self.rho:
                hint = f"the state before step {self.step - len(self.steps)} is a constant: it was "
                hint += "set by setHiddenState, or a sequence went on from it"
        raise StateError(f"{name}: {problem}", layer=self, method=method, hint=hint)

    def _step_of(self, method: str, number: int, input: Any) -> Step:
        """Return the step of this number, if the input is its."""
        step = self._kept(method, number)
        if step.given is input or same(step.given, input):
            return step
        raise StateError(
            f"{checks.title(self)}.{method}: input is not that of step {number}",
            layer=self,
            method=method,
            argument="input",
            expected=shapes(step.given),
            got=shapes(input),
            hint="a backward goes from the last step to the first, each with its own input",
        )

    def _step_to_sum(self, input: Any, gradOutput: Any) -> Step:
        """Return the step that accGradParameters comes to, if all is ready and meant."""
        method, number = "accGradParameters", self._summed - 1
        step = self._step_of(method, number, input)
        if number < self._back:
            raise StateError(
                f"{checks.title(self)}.{method}: updateGradInput has not come to step {number}",
                layer=self,
                method=method,
                hint="call updateGradInput(input, gradOutput) first: it finds the gradients of "
                "the states",
            )
        if not (step.gradOutput is gradOutput or same(step.gradOutput, gradOutput)):
            raise StateError(
                f"{checks.title(self)}.{method}: gradOutput is not that of updateGradInput at step "
                f"{number}",
                layer=self,
                method=method,
                argument="gradOutput",
                expected=shapes(step.gradOutput),
                got=shapes(gradOutput),
                hint="call updateGradInput with this gradOutput first",
            )
        return step


# ---------------------------------------------------------------- states


def _each(sizes: Any, make: Callable[[tuple[int, ...]], Any]) -> Any:
    """Return make(size) for each size of a list, nested as that is."""
    if isinstance(sizes, list):
        return [_each(size, make) for size in sizes]
    return make(sizes)


def _fits(state: Any, sizes: Any, batch: tuple[int, ...] | None = None) -> bool:
    """Tell whether a state has these sizes, and this batch if one is given."""
    if isinstance(sizes, list):
        return (
            isinstance(state, (list, tuple))
            and len(state) == len(sizes)
            and all(_fits(entry, size, batch) for entry, size in zip(state, sizes, strict=True))
        )
    lead = len(state.shape) - len(sizes)
    return lead >= 0 and state.shape[lead:] == sizes and batch in (None, state.shape[:lead])


def _batch(state: Any, sizes: Any) -> tuple[int, ...]:
    """Return the shape of the batch of the first array of a state that has these sizes."""
    while isinstance(sizes, list):
        state, sizes = state[0], sizes[0]
    shape: tuple[int, ...] = state.shape
    return shape[: len(shape) - len(sizes)]


def _plus(one: Any, other: Any) -> Any:
    return total_gradient([one, other], other)


def _zeros_like(table: Any) -> Any:
    return map_arrays(np.zeros_like, table)


# ---------------------------------------------------------------- steps of any module


# What was left behind in each part, by the names of its attributes.
_Memories = list[tuple[Stateful, dict[str, Any]]]


class _Inside:
    """What is inside the modules of a step, as long as these hold what they do.

    Recurrent modules that take a step with it keep their steps themselves: they are apart, and what
    is inside them is.
    """

    def __init__(self, modules: list[Module]) -> None:
        self.recurrents = [rnn for module in modules for rnn in recurrents(module)]
        self.parts: list[tuple[Stateful, list[str]]] = []
        # Those of the parts that have modules inside: their places, and the modules.
        self.held: list[tuple[int, Any, tuple[Any, ...]]] = []
        found: set[int] = set()
        waiting: list[tuple[Any, bool]] = [(module, False) for module in modules]
        while waiting:
            part, run = waiting.pop()
            if id(part) in found or (isinstance(part, AbstractRecurrent) and not run):
                continue
            found.add(id(part))
            names = [name for name in part.transient if name not in part._caches]
            within = [inner for _, inner in inside(part)]
            if within:
                self.held.append((len(self.parts), part, tuple(getattr(part, "modules", ()))))
                within += _modules_in(getattr(part, name) for name in names)
            self.parts.append((part, names))
            run = run or getattr(part, "_runs_steps", False)
            waiting += [(inner, run) for inner in within]
        self.remembered = self._remembered_in(self.memories())

    def still_holds(self) -> bool:
        """Tell whether nothing was added since, as far as `modules` tell."""
        return all(tuple(getattr(part, "modules", ())) == modules for _, part, modules in self.held)

    def memories(self) -> _Memories:
        """Return what the last calls left behind."""
        return [(part, {name: getattr(part, name) for name in names}) for part, names in self.parts]

    def has_all(self, left: _Memories) -> bool:
        """Tell whether no modules are what is remembered that were none before."""
        return self._remembered_in(left) == self.remembered

    def _remembered_in(self, left: _Memories) -> int:
        return sum(len(_modules_in(left[place][1].values())) for place, *_ in self.held)


def _modules_in(values: Iterable[Any]) -> list[Any]:
    """Return the modules in lists that are remembered: a MapTable's clones."""
    lists = [value for value in values if isinstance(value, (list, tuple))]
    return [entry for value in lists if value and isinstance(value[0], Module) for entry in value]


class Wrapping(AbstractRecurrent):
    """A recurrent module each of whose steps calls other modules, whatever these remember.

    A step's `gates` tell what its calls left behind in each part of them, which is put back there
    when a backward comes to the step: so each module is there once, and no copies for steps.
    """

    _validates = True

    transient = (*AbstractRecurrent.transient, "_known_inside")
    _known_inside: Any = None

    def _inside(self) -> _Inside:
        """Return what is inside the modules, looked up once a sequence."""
        known = self._known_inside
        if known is None or not self.steps or not known.still_holds():
            known = self._known_inside = _Inside(self.modules)
        return known

    def _left(self) -> _Memories:
        """Return what the calls of a step left behind."""
        left: _Memories = self._inside().memories()
        if not self._known_inside.has_all(left):
            self._known_inside = _Inside(self.modules)
            left = self._known_inside.memories()
        return left

    def _asked(self, position: int, method: str, *arguments: Any) -> Any:
        """Return what a module's method returns; an error is told where it happened."""
        try:
            return getattr(self.modules[position], method)(*arguments)
        except Exception as error:
            number = self.step if method == "updateOutput" else self._back - 1
            what = "input" if method == "updateOutput" else "gradOutput"
            locate(error, self, position, f"step {number}, {what} {shapes(arguments[-1])}")
            raise

    def _with_mask(self) -> None:
        """Tell the modules which samples do not count at the next step."""
        if self.zeroMask is not None:
            mask = self._told()
            for module in self.modules:
                module.setZeroMask(False if mask is None else mask)

    def _reward(self, step: Step) -> None:
        """Give the modules the reward of a step, if it has one."""
        if step.reward is not None:
            for module in self.modules:
                module.reinforce(step.reward)

    def _look_ahead(self, input: Any, gradOutput: Any, planned: Any) -> bool:
        super()._look_ahead(input, gradOutput, planned)
        return self._may_fail()

    def _may_fail(self) -> bool:
        """Tell whether a layer inside may fail after others have accumulated: does not validate."""
        return any(type(part)._look_ahead is fails_anywhere for part in self.listModules())

    def __repr__(self) -> str:
        return f"{type(self).__name__} @ {self.modules[0]!r}"


class WrappingOne(Wrapping):
    """A recurrent module each of whose steps is a call of another module."""

    _validates = True

    def _call(self, input: Any) -> tuple[Any, Any]:
        """Return the module's output, and what the call left behind."""
        self._with_mask()
        with in_place(self._inside().recurrents):
            output = self._asked(0, "updateOutput", input)
        return output, self._left()

    def _call_back(self, step: Step, input: Any, gradOutput: Any) -> Any:
        """Return the module's gradInput."""
        remind(step.gates)
        self._reward(step)
        with in_place(self._inside().recurrents):
            gradInput = self._asked(0, "_backpropagate", input, gradOutput)
        step.gradGates = self._left()
        return gradInput

    def _call_to_sum(self, step: Step, input: Any, gradOutput: Any, scale: Number) -> None:
        remind(step.gradGates)
        self.modules[0].accGradParameters(input, gradOutput, scale)


def remind(left: _Memories) -> None:
    """Put back what was left behind."""
    for part, held in left:
        for name, value in held.items():
            setattr(part, name, value)


@contextmanager
def in_place(rnns: list[Any]) -> Iterator[None]:
    """Put recurrent modules back to the step where they stand if the with block raises."""
    before = [(rnn, rnn.step, rnn._now, rnn._gradNow, rnn._back, rnn._summed) for rnn in rnns]
    try:
        yield
    except BaseException:
        for rnn, *places in before:
            rnn.steps = rnn.steps[: max(0, len(rnn.steps) - (rnn.step - places[0]))]
            rnn.step, rnn._now, rnn._gradNow, rnn._back, rnn._summed = places
        raise
