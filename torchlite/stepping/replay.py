"""What is needed to run what led to a loss again: for numeric derivatives.

A round is what led to a loss: the calls that the user made, one of the whole network or several
of its layers by hand, and then the criterion. It keeps a copy of the network as it was before, the
state of the random stream, and which call took which result: all that running it again needs.
"""

import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

from torchlite import random
from torchlite.nn.criterion import Criterion
from torchlite.nn.nested import cast_arrays, is_array, leaves, map_arrays, same
from torchlite.nn.stateful import parts
from torchlite.stepping.derivatives import STATE, Budget, Derivatives, Slopes

__all__ = ["Call", "Round"]


class Call(NamedTuple):
    """The occurrence-th forward of a part in a round; linked if the gradients are the loss' own.

    place is where the part stands, and of which step of a sequence the call is.
    """

    round: "Round"
    part: int
    occurrence: int
    place: tuple[str, int | None]
    input: Any
    linked: bool


@dataclass(frozen=True)
class _Result:
    """What the call-th call of the user returned, or the leaf-th array of it."""

    call: int
    leaf: int | None


class Round:
    """What led to a loss."""

    def __init__(self, net: Any, criterion: Any) -> None:
        self.closed = False
        self._random = random.getRNGState()
        self._memo: dict[int, Any] = {}
        self._copies = copy.deepcopy([net, criterion], self._memo)
        # Of recurrent modules, from where they go on, which copies do not know.
        self._states = [
            (
                self._memo[id(part)],
                {name: vars(part)[name] for name in vars(part).keys() & set(STATE)},
            )
            for part in parts([net])
        ]
        self._made: list[tuple[int, list[Any]]] = []
        # The forwards, by part and in order; those of the user's latest call are from mark on.
        self._begun: dict[int, list[Call]] = {}
        self._order: list[int] = []
        self._mark = 0
        # By the id of an array: the array (so that it stays the one with this id) and its origin.
        self._results: dict[int, tuple[Any, _Result]] = {}
        self._gradients: dict[int, Any] = {}
        self._derivatives: Derivatives | None = None
        # By part and occurrence, of what is handed on as it is the ids.
        self._handed_on: dict[tuple[int, int], set[int]] = {}

    # ---------------------------------------------------------------- while recording

    def began(self, part: Any, place: Any, arguments: Any, by_user: bool) -> Call:
        """Take note of a forward."""
        known = self._begun.setdefault(id(part), [])
        call = Call(self, id(part), len(known), place, arguments.get("input"), False)
        if not self.closed:
            if by_user:
                self._mark = len(self._order)
            known.append(call)
            self._order.append(id(part))
        return call

    def failed(self) -> None:
        """Forget the forwards of a call of the user that raised."""
        if not self.closed:
            for part in self._order[self._mark :]:
                self._begun[part].pop()
            del self._order[self._mark :]

    def starts_anew(self, part: Any, input: Any) -> bool:
        """Tell whether a call of the user cannot belong to what led to this loss."""
        again = any(made == id(part) for made, _ in self._made)
        return self.closed or (again and not any(id(a) in self._results for a in leaves(input)))

    def _traced(self, argument: Any) -> Any:
        """Return an argument with copies of the user's own arrays, and references to results."""

        def traced(entry: Any) -> Any:
            known = self._results.get(id(entry))
            return known[1] if known else entry.copy() if is_array(entry) else entry

        # A table as a whole first: one array may stand in it twice.
        return traced(argument) if id(argument) in self._results else map_arrays(traced, argument)

    def ended(self, part: Any, method: str, arguments: Any, result: Any) -> None:
        """Take note of what a call of the user returned."""
        if method == "updateOutput" and not self.closed:
            self._made.append((id(part), list(map(self._traced, arguments.values()))))
            call = len(self._made) - 1
            for i, array in enumerate(leaves(result)):
                self._results[id(array)] = array, _Result(call, i)
            self._results[id(result)] = result, _Result(call, None)
            self.closed = isinstance(part, Criterion)
        elif method == "updateGradInput" and self._is_linked(part, arguments):
            self._gradients.update((id(array), array) for array in leaves(result))

    def returned(self, call: Call, result: Any) -> None:
        """Take note of which arrays a forward hands on as they are."""
        both = set(map(id, leaves(call.input))) & set(map(id, leaves(result)))
        if both:
            self._handed_on[call.part, call.occurrence] = both

    def hands_on(self, call: Call, array: Any) -> bool:
        """Tell whether a forward has returned an array of its input: who takes that has it, too."""
        return id(array) in self._handed_on.get((call.part, call.occurrence), ())

    def forward_of(self, part: Any, place: Any, arguments: Any, caller: Call | None) -> Call | None:
        """Return the forward that a backward belongs to, if this round has it; caller: of whom."""
        input = arguments.get("input")
        if isinstance(part, Criterion):
            if caller is not None:
                # What its gradient is multiplied with, the criterion around it knows.
                return None
            if not self.closed:
                # Only the gradient of the loss was asked for: its forward is known all the same.
                self.began(part, place, arguments, by_user=True)
                self.ended(part, "updateOutput", arguments, None)
        found = [c for c in self._begun.get(id(part), ()) if same(c.input, input)]
        found = [c for c in found if c.place[1] == place[1]]
        here = [c for c in found if c.place == place] or found
        if not here:
            return None
        linked = self._is_linked(part, arguments) if caller is None else caller.linked
        return here[-1]._replace(linked=linked)

    def _is_linked(self, part: Any, arguments: Any) -> bool:
        """Tell whether a backward's results are gradients of the loss."""
        return isinstance(part, Criterion) or all(
            id(array) in self._gradients for array in leaves(arguments.get("gradOutput"))
        )

    def close(self) -> None:
        """Let go of what only recording needs."""
        self._begun, self._results, self._gradients = {}, {}, {}

    # ---------------------------------------------------------------- afterwards

    def slopes(self, call: Call, number: int, parameter: bool, budget: Budget) -> Slopes | None:
        """Return the derivatives of the loss by an array of the call's input, or by a parameter.

        number tells which. None, where there are none, or the budget does not allow them.
        """
        before = random.getRNGState()
        try:
            derivatives = self._prepared()
            if derivatives is None:
                return None
            part = self._memo[call.part]
            return derivatives.slopes(part, call.occurrence, number, parameter, budget)
        finally:
            random.setRNGState(before)

    def _prepared(self) -> Derivatives | None:
        """Cast the copies to float64, and run them once; None where there is no real loss."""
        if self.closed and self._derivatives is None:
            try:
                for part in self._copies:
                    part.type("float64")
                for _, held in self._states:
                    if held.get("_now") is not None:
                        held["_now"] = _float64(held["_now"])
                made = [
                    (self._memo[part], [_float64(a) for a in given]) for part, given in self._made
                ]
                self._derivatives = Derivatives(made, _resolved, self._states, self._random)
            except Exception:
                # Complex numbers, or a layer that takes float32 alone.
                self.closed = False
        return self._derivatives


def _resolved(outputs: list[Any], entry: Any) -> Any:
    if not isinstance(entry, _Result):
        return entry
    output = outputs[entry.call]
    return output if entry.leaf is None else leaves(output)[entry.leaf]


def _float64(argument: Any) -> Any:
    return cast_arrays(argument, "float64")
