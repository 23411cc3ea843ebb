"""What every module does about sequences: it hands it on to the modules inside."""

import copy
from collections.abc import Iterator
from typing import Any, Self

from torchlite.errors import StateError
from torchlite.nn import checks, table_checks
from torchlite.nn.nested import shapes
from torchlite.nn.stateful import Stateful, inside, kept
from torchlite.nn.tree import rows

# What setHiddenState changes of a module that has a state, its way back included.
_SET = ("startState", "steps", "_now", "_mode", "_set_in", "_gradNow", "_back", "_summed")
_MODES = ("both", "eval", "train", "neither")


class ThroughTime(Stateful):
    """A part that may have recurrent modules inside, which are called once a step.

    A recurrent module, and what runs one over whole sequences, has methods of its own in the place
    of these.
    """

    modules: Any = ()
    # Of a class: whether it is called once a step, and keeps its steps itself; and whether it runs
    # what is inside it over steps of its own.
    _steps_itself = False
    _runs_steps = False

    def _time_of(self, method: str) -> int | None:
        """Return which step the next call of a method is of, if it is called once a step."""
        return None

    def forget(self) -> Self:
        """Let the next step be the first of a sequence, in every recurrent module. Return self."""
        for part in _inner(self):
            part.forget()
        return self

    def remember(self, mode: str = "both") -> Self:
        """Say when sequencers go on from the state that the sequence before left. Return self.

        mode: 'both' in training and evaluation, 'train' or 'eval' in one of the two, or 'neither'.
        """
        must_be_mode(self, mode)
        for part in _inner(self):
            part.remember(mode)
        return self

    def maxBPTTstep(self, rho: int) -> Self:
        """Let recurrent modules keep rho + 1 steps, so far back goes a backward. Return self."""
        for part in _inner(self):
            part.maxBPTTstep(rho)
        return self

    def getHiddenState(self, step: int | None = None) -> Any:
        """Return the state after so many steps, the last one without step, 0 being the start.

        Of a container: a list with that of each module, None for those that have none.
        """
        return [module.getHiddenState(step) for module in self.modules] or None

    def setHiddenState(self, step: int, state: Any) -> Self:
        """Go on from a state: 0 is that before the first step. Return self.

        Of a container: a list with that of each module, as `getHiddenState` returns it.
        """
        with kept(self, *_SET):
            for module, own in self._dealt("setHiddenState", state):
                module.setHiddenState(step, own)
        return self

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """Return the gradient of the state after so many steps, in the form of the state."""
        return [module.getGradHiddenState(step) for module in self.modules] or None

    def setGradHiddenState(self, step: int, gradState: Any) -> Self:
        """Let a gradient of the state after so many steps come from elsewhere. Return self."""
        for module, own in self._dealt("setGradHiddenState", gradState):
            module.setGradHiddenState(step, own)
        return self

    def setStartState(self, state: Any = None) -> Self:
        """Let every sequence start from a state, not from zeros; None: from zeros. Return self."""
        with kept(self, "startState"):
            for module, own in self._dealt("setStartState", state):
                module.setStartState(own)
        return self

    def _dealt(self, method: str, state: Any) -> list[tuple[Any, Any]]:
        """Return each module with its own entry of a state."""
        if state is None:
            return [(module, None) for module in self.modules]
        if not self.modules:
            raise StateError(
                f"{checks.title(self)}.{method}: it has no state, got {shapes(state)}",
                layer=self,
                method=method,
                argument="state",
                hint="None stands for it in the list of a container",
            )
        table_checks.must_be_table(self, method, "state", state, len(self.modules))
        return list(zip(self.modules, state, strict=True))

    def sharedClone(
        self, shareParams: bool = True, shareGradParams: bool = True, stepClone: bool = False
    ) -> Self:
        """Return a copy with the same parameters and gradients, and memories of its own.

        With stepClone the recurrent modules inside are no copies: they keep their steps themselves.
        """
        memo: dict[int, Any] = {}
        for row in rows(self):
            if shareParams:
                memo[id(row.parameter)] = row.parameter
            if shareGradParams:
                memo[id(row.gradient)] = row.gradient
        if stepClone:
            memo.update((id(part), part) for part in recurrents(self))
        return copy.deepcopy(self, memo)

    def stepClone(self, shareParams: bool = True, shareGradParams: bool = True) -> Self:
        """Return `sharedClone(shareParams, shareGradParams, True)`."""
        return self.sharedClone(shareParams, shareGradParams, True)


def must_be_mode(layer: Any, mode: Any) -> None:
    """Raise unless `remember` knows the mode."""
    if mode not in _MODES:
        expected = f"one of {', '.join(map(repr, _MODES))}"
        raise checks.out_of_range(layer, "remember", "mode", expected, repr(mode))


def _inner(part: Any) -> Iterator[Any]:
    """Yield the modules directly inside, in `modules` or in other attributes."""
    for _, inner in inside(part):
        if isinstance(inner, ThroughTime):
            yield inner


def recurrents(part: Any) -> list[Any]:
    """Return the recurrent modules that take a step whenever this part does, itself included."""
    met: dict[int, Any] = {}
    waiting = [part]
    while waiting:
        inner = waiting.pop()
        if id(inner) not in met:
            met[id(inner)] = inner
            if not inner._runs_steps:
                waiting += [*_inner(inner)][::-1]
    return [inner for inner in met.values() if inner._steps_itself]
