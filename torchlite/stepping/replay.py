"""Running a forward again with one number changed: numeric derivatives of the loss.

A round is what led to a loss: the calls that the user made, one of the whole network or several
of its layers by hand, and then the criterion. It keeps a copy of the network as it was before, the
state of the random stream, and which call took which result: all that running it again needs.
"""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from torchlite import random
from torchlite.nn.criterion import Criterion
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    same,
)
from torchlite.nn.stateful import parts, shadowed

__all__ = ["Call", "Round", "Slope"]

# Of a central difference: a power of two, so that most numbers move by just that.
STEP = 2.0**-17
# What a recurrent module, or one of sequences, knows of what came before.
_STATE = frozenset(("_now", "step", "_mode"))


class Slope(NamedTuple):
    """A central difference, and whether the slopes on both sides differ: a kink."""

    value: float
    kink: bool


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
            (self._memo[id(part)], {name: vars(part)[name] for name in _STATE & vars(part).keys()})
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
        self._ready: Any = None

    def cost(self) -> int:
        """Return how many calls of layers one numeric derivative takes."""
        return 2 * len(self._order)

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

    def slope(self, call: Call, number: int, index: Any, parameter: bool) -> Slope | None:
        """Return the derivative of the loss by an entry of the call's input, or of a parameter.

        number tells which array of the input, or which parameter. The parameter is moved during
        this one call of the layer: what the call itself adds to the gradient.
        """
        if not self.closed or self._prepared() is None:
            return None
        (ahead, behind), moves = self._losses(call, number, index, parameter)
        if len(moves) != 2:
            return None
        (value, above), (_, below) = moves
        right = (ahead - self._ready) / (above - value)
        left = (self._ready - behind) / (value - below)
        kink = abs(right - left) > 1e-3 * max(abs(right), abs(left), 0.1)
        return Slope((ahead - behind) / (above - below), kink)

    def _prepared(self) -> Any:
        """Cast the copies to float64; return the loss, None where there is no real one."""
        if self._ready is None:
            before = random.getRNGState()
            try:
                for part in self._copies:
                    part.type("float64")
                for _, held in self._states:
                    if held.get("_now") is not None:
                        held["_now"] = _float64(held["_now"])
                self._made = [(part, [_float64(a) for a in given]) for part, given in self._made]
                self._ready = self._run()
            except Exception:
                # Complex numbers, or a layer that takes float32 alone.
                self.closed = False
            finally:
                random.setRNGState(before)
        return self._ready

    def _run(self) -> float:
        random.setRNGState(self._random)
        for part, held in self._states:
            for name, value in held.items():
                setattr(part, name, value)
        outputs: list[Any] = []
        for part, given in self._made:
            arguments = [map_arrays(partial(_resolved, outputs), argument) for argument in given]
            result = self._memo[part].updateOutput(*arguments)
            outputs.append(result)
        return float(result)

    def _losses(
        self, call: Call, number: int, index: Any, parameter: bool
    ) -> tuple[list[float], list[tuple[float, float]]]:
        """Return the losses with one number moved ahead and back, and what (before, after) it was.

        It is not moved where the call is not made.
        """
        part = self._memo[call.part]
        original = part.updateOutput
        moves: list[tuple[float, float]] = []
        calls: Iterator[int]
        step: float

        def move(array: Any) -> None:
            before = float(array[index])
            array[index] += step * max(1.0, abs(before))
            moves.append((before, float(array[index])))

        def moved(input: Any, *target: Any) -> Any:
            if next(calls) != call.occurrence:
                return original(input, *target)
            if parameter:
                array = part.parameters()[0][number]
                move(array)
                try:
                    return original(input, *target)
                finally:
                    array[index] = moves[-1][0]
            arrays = leaves(copy_arrays(input))
            if is_floating(arrays[number]):
                move(arrays[number])
            return original(rebuilt(input, arrays), *target)

        losses = []
        before = random.getRNGState()
        try:
            with shadowed([(part, {"updateOutput": moved})]):
                for way in (STEP, -STEP):
                    step, calls = way, itertools.count()
                    losses.append(self._run())
        finally:
            random.setRNGState(before)
        return losses, moves


def _resolved(outputs: list[Any], entry: Any) -> Any:
    if not isinstance(entry, _Result):
        return entry
    output = outputs[entry.call]
    return output if entry.leaf is None else leaves(output)[entry.leaf]


def _float64(argument: Any) -> Any:
    return cast_arrays(argument, "float64")
