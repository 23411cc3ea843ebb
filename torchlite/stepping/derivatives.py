"""Numeric derivatives of the loss: a layer computed again, with one number moved.

What the difference in its output makes of the loss is known where the numeric derivatives by what
takes that output are; where they are not, more of the network is computed again, up to where they
are, in the end to the loss itself. So a chain of layers costs as much a layer however deep it is.

No array is taken on trust: the same way is gone again with all its numbers moved in one direction.
Where what comes of it is not the same on both sides (a kink, or two maxima), nothing before goes by
these derivatives. And where there are layers of the user's, it is gone to the loss itself: where
that is not what the derivatives say (one layer knows of another in a way that is not seen), they
are found anew, all the way to the loss.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from torchlite import random
from torchlite.nn.containers.concat_table import ConcatTable
from torchlite.nn.containers.parallel_table import ParallelTable
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.graph.g_module import gModule
from torchlite.nn.nested import is_array, is_floating, leaves, map_arrays, rebuilt
from torchlite.nn.normalization.spatial_contrastive_normalization import (
    SpatialContrastiveNormalization,
)
from torchlite.nn.pooling.spatial_lp_pooling import SpatialLPPooling
from torchlite.nn.stateful import parts, shadowed

__all__ = ["STATE", "Budget", "Derivatives", "Slopes"]

# Of a central difference: a power of two, so that most numbers move by just that.
STEP = 2.0**-17
# Of the direction in which an array is tried: shorter, so that it meets hardly any kink but those
# where the numbers stand.
TRIED = 2.0**-24
# From which change of slope on it is a kink.
BENT = 1e-3
# How much of what is expected, and of the loss, rounding may be there.
CLOSE, NOISE = 1e-5, 1e-6
# What a recurrent module, or one of sequences, knows of what came before.
STATE = ("_now", "step", "_mode")


class Slopes(NamedTuple):
    """By entry of an array: central differences, and whether both sides differ: a kink."""

    values: Any
    kinks: Any


class Budget:
    """How many calls of layers there may be still."""

    def __init__(self, calls: float) -> None:
        self.left = calls
        self.exceeded = False

    def allows(self, calls: int) -> bool:
        """Tell whether there may be so many more, and take them away."""
        self.exceeded = calls > self.left
        if not self.exceeded:
            self.left -= calls
        return not self.exceeded


@dataclass
class _Forward:
    """A forward as it was when nothing had been moved.

    outer is the number of the call around it, end that of the first call after it; result is what
    the method returned, output the same under other names: no two calls return the same arrays.
    """

    part: Any
    outer: int | None
    input: Any
    others: tuple[Any, ...]
    named: dict[str, Any]
    drawn: int
    result: Any = None
    output: Any = None
    end: int = 0


class _Way(NamedTuple):
    """What is computed again: a call, then those that take what came out.

    To by, the derivatives of the loss by the last one's output; where these are None, to the loss:
    behind the top-th call of the user by what else the user called.
    """

    start: int
    behind: list[int]
    by: list[Any] | None
    top: int | None = None


@dataclass
class Derivatives:
    """The derivatives of a loss, found when they are asked for.

    made has the calls of the user: (part, arguments), where `resolved` puts what others returned.
    """

    made: list[tuple[Any, list[Any]]]
    resolved: Callable[[list[Any], Any], Any]
    states: list[tuple[Any, dict[str, Any]]]
    start: Any
    calls: list[_Forward] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The calls of each part; who is given an array, and which calls return it.
        self._of: dict[int, list[int]] = {}
        self._given: dict[int, list[tuple[int, int]]] = {}
        self._returned: dict[int, list[tuple[int, int]]] = {}
        self._around: list[int] = []
        # States of the random stream, wherever one was found that differs from the last.
        self._streams: list[Any] = []
        self._found: dict[tuple[int, int, bool], Slopes] = {}
        # By call and leaf of its input, what derivatives before may go by.
        self._known: dict[tuple[int, int], Any] = {}
        everything = parts([part for part, _ in self.made])
        self._stateful = [part for part in everything if _kept(part)]
        self._held: dict[int, list[dict[str, Any]]] = {id(part): [] for part in self._stateful}
        self._is_plain = all(map(_is_plain, everything))
        self._hands_on = {id(part): _hands_on(part) for part in everything}
        random.setRNGState(self.start)
        for part, held in self.states:
            _put(part, held)
        outputs: list[Any] = []
        shadows = [(part, {"updateOutput": self._noted(part)}) for part in everything]
        with shadowed(shadows):
            for part, given in self.made:
                outputs.append(part.updateOutput(*self._resolved(outputs, given)))
        self._tops = [number for number, call in enumerate(self.calls) if call.outer is None]
        self.loss = float(outputs[-1])

    def _noted(self, part: Any) -> Any:
        original = part.updateOutput

        def noted(input: Any, *others: Any, **named: Any) -> Any:
            number = len(self.calls)
            outer = self._around[-1] if self._around else None
            call = _Forward(part, outer, input, others, named, self._drawn())
            self.calls.append(call)
            self._of.setdefault(id(part), []).append(number)
            if id(part) in self._held:
                self._held[id(part)].append(_kept(part))
            for leaf, array in enumerate(leaves(input)):
                self._given.setdefault(id(array), []).append((number, leaf))
            self._around.append(number)
            call.result = original(input, *others, **named)
            self._around.pop()
            for leaf, array in enumerate(leaves(call.result)):
                self._returned.setdefault(id(array), []).append((number, leaf))
            call.end = len(self.calls)
            call.output = map_arrays(_another, call.result)
            return call.output

        return noted

    def _drawn(self) -> int:
        """Return which of the states of the random stream this is."""
        stream = random.getRNGState()
        if not self._streams or not np.array_equal(stream, self._streams[-1]):
            self._streams.append(stream)
        return len(self._streams) - 1

    def _resolved(self, outputs: list[Any], given: list[Any]) -> list[Any]:
        return [map_arrays(lambda entry: self.resolved(outputs, entry), value) for value in given]

    # ---------------------------------------------------------------- what is asked for

    def slopes(
        self, part: Any, occurrence: int, number: int, parameter: bool, budget: Budget
    ) -> Slopes | None:
        """Return the derivatives by an array of a call's input, or by a parameter.

        number tells which. A parameter is moved during this one call: what the call itself adds to
        the gradient. None, where there are none, or the budget does not allow them; what the layers
        raise at moved numbers, and ValueError of an array that a layer reads as sparse.
        """
        calls = self._of.get(id(part), [])
        if occurrence >= len(calls):
            return None
        call = calls[occurrence]
        if not parameter:
            call, number = self._innermost(call, number)
        key = call, number, parameter
        if key not in self._found:
            held = part.parameters()[0] if parameter else leaves(self.calls[call].input)
            if not is_floating(held[number]):
                return None
            takers = [] if parameter else self._given.get(id(held[number]), [])
            if any(self.calls[taker].part._sparse for taker, _ in takers):
                raise ValueError("its gradInput is not by the entries of its input")
            self._find(key, held[number], budget)
        return self._found.get(key)

    def _innermost(self, number: int, leaf: int) -> tuple[int, int]:
        """Return which call, inside of one that only hands on, is the one that takes an array."""
        while self._hands_on[id(self.calls[number].part)]:
            array = leaves(self.calls[number].input)[leaf]
            inner = self._takers(array, number)
            if len(inner) != 1 or any(n == number for n, _ in self._returned.get(id(array), ())):
                break
            number, leaf = inner[0]
        return number, leaf

    def _find(self, key: tuple[int, int, bool], array: Any, budget: Budget) -> None:
        number, leaf, parameter = key
        for stops in (True, False):
            way = self._way(number, stops)
            # A layer of torchlite's that takes what another one returned knows nothing else of it.
            tried = way if self._is_plain or not stops else self._way(number, stops=False)
            if not budget.allows(2 * (array.size * self._cost(way) + self._cost(tried))):
                return
            slopes = self._differences(way, key, array)
            fits, smooth = self._tried(tried, key, array, slopes.values)
            if not parameter and smooth:
                self._known[number, leaf] = slopes.values
            if fits or way.by is None:
                break
        self._found[key] = slopes

    # ---------------------------------------------------------------- from a number to the loss

    def _takers(self, array: Any, outer: int | None) -> list[tuple[int, int]]:
        """Return the calls directly inside another one (or by the user) that take an array."""
        return [(n, i) for n, i in self._given.get(id(array), ()) if self.calls[n].outer == outer]

    def _by_outputs(self, number: int) -> list[Any] | None:
        """Return the derivatives by all that a call returned, or None if not all are known.

        Where there can be none, as by integers, they are 0.
        """
        arrays = leaves(self.calls[number].output)
        by = [self._by_output(number, i) if is_floating(a) else 0 for i, a in enumerate(arrays)]
        return None if any(one is None for one in by) else by

    def _by_output(self, number: int, leaf: int) -> Any:
        """Return the derivatives by an array that a call returned, or None if not all are known."""
        call = self.calls[number]
        array = leaves(call.output)[leaf]
        outer = call.outer
        if type(array) is not np.ndarray:
            return None
        if outer is not None and not self._hands_on[id(self.calls[outer].part)]:
            return None
        known: list[Any] = [self._known.get(taker) for taker in self._takers(array, outer)]
        for around, place in self._returned.get(id(array), ()):
            if around == outer:
                known.append(self._by_output(around, place))
        if any(one is None for one in known):
            return None
        return sum(known, np.zeros(array.shape))

    def _way(self, number: int, stops: bool) -> _Way:
        """Return the shortest way to where the derivatives are known, or without stops the loss."""
        if not stops and not self._is_plain:
            # From the beginning: what layers see of one another may come from there.
            return _Way(self._tops[0], [], None, 0)
        start = last = number
        behind: list[int] = []
        while last != self._tops[-1]:
            if stops and self._is_settled(start, last):
                by = self._by_outputs(last)
                if by is not None:
                    return _Way(start, behind, by)
            following, around = self._following(last)
            if following is not None:
                behind.append(following)
                last = following
            elif around is not None:
                # Who takes this is not known, or are several: all of the call around it again.
                start = last = around
                behind = []
            else:
                while self.calls[last].outer is not None:
                    last = self.calls[last].outer  # type: ignore[assignment]
                return _Way(start, behind, None, self._tops.index(last))
        return _Way(start, behind, None)

    def _following(self, number: int) -> tuple[int | None, int | None]:
        """Return the call that takes all that this one returned, if nothing else does.

        And otherwise the one around it, from which to begin again, None at the top.
        """
        while True:
            call = self.calls[number]
            outer = call.outer
            if outer is not None and not self._hands_on[id(self.calls[outer].part)]:
                return None, outer
            arrays = leaves(call.output)
            takers = [taker for array in arrays for taker in self._takers(array, outer)]
            returned = any(
                around == outer
                for array in arrays
                for around, _ in self._returned.get(id(array), ())
            )
            if not returned and [leaf for _, leaf in takers] == list(range(len(arrays))):
                one = takers[0][0]
                if self.calls[one].input is call.output and all(n == one for n, _ in takers):
                    return one, None
            if outer is None:
                return None, None
            if takers or self.calls[outer].result is not call.output:
                return None, outer
            number = outer

    def _is_settled(self, start: int, last: int) -> bool:
        """Tell whether nothing that ran remembers anything for a later step of a sequence."""
        end = self.calls[last].end
        for part in self._stateful:
            calls = self._of.get(id(part), [])
            if any(start <= number < end for number in calls) and calls[-1] >= end:
                return False
        return True

    def _cost(self, way: _Way) -> int:
        """Return how many calls of layers it takes to go a way."""
        again = [way.start, *way.behind]
        if way.top is not None:
            again += self._tops[way.top + 1 :]
        return sum(self.calls[number].end - number for number in again)

    def _along(self, way: _Way) -> Callable[[], float]:
        """Return what goes a way, and returns what the loss gains by what was moved."""
        first = self.calls[way.start]
        behind = [self.calls[number] for number in way.behind]
        before = self._before(way.start)
        last = behind[-1] if behind else first
        pairs = list(zip(way.by or (), leaves(last.output), strict=way.by is not None))

        def gone() -> float:
            if first.drawn < len(self._streams) - 1:
                random.setRNGState(self._streams[first.drawn])
            for part, held in before:
                _put(part, held)
            value = first.part.updateOutput(first.input, *first.others, **first.named)
            for call in behind:
                value = call.part.updateOutput(value, *call.others, **call.named)
            if way.by is not None:
                arrays = [value] if is_array(value) else leaves(value)
                gains = zip(pairs, arrays, strict=True)
                return float(sum((by * (a - old)).sum() for (by, old), a in gains if is_array(by)))
            if way.top is not None:
                outputs = [self.calls[number].output for number in self._tops[: way.top]] + [value]
                for part, given in self.made[way.top + 1 :]:
                    outputs.append(part.updateOutput(*self._resolved(outputs, given)))
                value = outputs[-1]
            return float(value) - self.loss

        return gone

    def _before(self, start: int) -> list[tuple[Any, dict[str, Any]]]:
        """Return what parts knew of earlier steps before their first call from start on."""
        found = []
        for part in self._stateful:
            calls = zip(self._of.get(id(part), ()), self._held[id(part)], strict=True)
            later = [held for number, held in calls if number >= start]
            found += [(part, later[0])] if later else []
        return found

    # ---------------------------------------------------------------- differences

    def _moved(
        self, way: _Way, key: tuple[int, int, bool], moves: list[Callable[[Any], None]]
    ) -> list[float]:
        """Return what the loss gains by each of the moves, which write to the array."""
        number, leaf, parameter = key
        part = self.calls[number].part
        original = part.updateOutput
        occurrence = sum(way.start <= n < number for n in self._of[id(part)])
        waiting = 0
        move: Callable[[Any], None]

        def moved(input: Any, *others: Any, **named: Any) -> Any:
            nonlocal waiting
            waiting -= 1
            if waiting != -1:
                return original(input, *others, **named)
            if parameter:
                array = part.parameters()[0][leaf]
                before = array.copy()
                move(array)
                try:
                    return original(input, *others, **named)
                finally:
                    array[...] = before
            arrays = leaves(input)
            array = arrays[leaf] = arrays[leaf].copy()
            move(array)
            given = array if is_array(input) else rebuilt(input, arrays)
            return original(given, *others, **named)

        gains = []
        with shadowed([(part, {"updateOutput": moved})]):
            gone = self._along(way)
            for one in moves:
                move, waiting = one, occurrence
                gains.append(gone())
        return gains

    def _differences(self, way: _Way, key: tuple[int, int, bool], array: Any) -> Slopes:
        """Return the derivatives by each entry, one after the other.

        Where both sides differ they are looked at from nearer: a kink nearby is none here.
        """
        found = np.array(self._from(way, key, array, range(array.size), STEP))
        bent = np.abs(found[1] - found[2])
        size = np.abs(found[1:]).max(0)
        near = np.flatnonzero(bent > BENT * np.maximum(size, BENT * size.max(initial=0)))
        nearer = np.array(self._from(way, key, array, near, TRIED))
        straight = np.abs(nearer[1] - nearer[2]) <= BENT * np.abs(nearer[1:]).max(0)
        found[:, near[straight]] = nearer[:, straight]
        values, right, left = found.reshape(3, *array.shape)
        # Where there is hardly a slope, a small change is none.
        kinks = np.abs(right - left) > BENT * np.maximum(np.abs(found[1:]).max(0), 0.1).reshape(
            array.shape
        )
        # Nor is one that grows less from nearer: the slope changes, but in no one place.
        kinks.flat[near[np.abs(nearer[1] - nearer[2]) <= bent[near] / 2]] = False
        return Slopes(values, kinks)

    def _from(
        self, way: _Way, key: tuple[int, int, bool], array: Any, places: Any, step: float
    ) -> tuple[Any, Any, Any]:
        """Return the slopes by entries, counted in C order: in all, and on both sides."""

        def move(place: int, size: float) -> Callable[[Any], None]:
            def moved(array: Any) -> None:
                array.flat[place] += size

            return moved

        entries = array.ravel()[places]
        sizes = step * np.maximum(1.0, np.abs(entries))
        both = [
            (place, sign * size)
            for place, size in zip(places, sizes, strict=True)
            for sign in (1, -1)
        ]
        gains = self._moved(way, key, [move(place, size) for place, size in both])
        ahead, behind = np.array(gains[::2]), np.array(gains[1::2])
        above, below = (entries + sizes) - entries, entries - (entries - sizes)
        return (ahead - behind) / (above + below), ahead / above, -behind / below

    def _tried(
        self, whole: _Way, key: tuple[int, int, bool], array: Any, values: Any
    ) -> tuple[bool, bool]:
        """Tell whether derivatives are right in a direction, and whether on both sides."""
        chosen = np.cos(np.arange(1.0, array.size + 1) ** 2).reshape(array.shape)
        chosen /= np.sqrt((chosen**2).sum()) or 1.0
        sizes = TRIED * chosen * np.maximum(1.0, np.abs(array))

        def move(sign: int) -> Callable[[Any], None]:
            def moved(array: Any) -> None:
                array += sign * sizes

            return moved

        above, below = self._moved(whole, key, [move(1), move(-1)])
        expected = [(values * ((array + sizes) - array)), (values * ((array - sizes) - array))]
        off = [gain - terms.sum() for gain, terms in zip((above, below), expected, strict=True)]
        allowed = CLOSE * np.abs(expected[0]).sum() + NOISE * TRIED * abs(self.loss)
        return abs(off[0] - off[1]) <= 2 * allowed, max(map(abs, off)) <= allowed


def _hands_on(part: Any) -> bool:
    """Tell whether it is a container that returns what was returned to it, and no more."""
    plain = "updateOutput" not in vars(part)
    kind = type(part)
    return plain and (
        kind in (ConcatTable, ParallelTable, SpatialContrastiveNormalization, SpatialLPPooling)
        or getattr(kind, "updateOutput", None) in (Sequential.updateOutput, gModule.updateOutput)
    )


def _is_plain(part: Any) -> bool:
    """Tell whether its forward is torchlite's, of what it is given and of what is inside it."""
    own: Any = getattr(part, "updateOutput", None)
    written = getattr(getattr(own, "__func__", own), "__module__", "")
    return written.startswith("torchlite.") and not part.refers


def _kept(part: Any) -> dict[str, Any]:
    """Return what a part knows of what came before, and {} for most."""
    return {name: getattr(part, name) for name in STATE if hasattr(part, name)}


def _another(value: Any) -> Any:
    """Return an array of its own for the same numbers."""
    return value.view() if type(value) is np.ndarray else value


def _put(part: Any, held: dict[str, Any]) -> None:
    for name, value in held.items():
        setattr(part, name, value)
