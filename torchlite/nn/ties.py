"""Parameters that are views of one memory are one parameter, as Torch7's storages make them.

A decoder's weight may be the transpose of an encoder's. To take one step instead of two, the array
that holds all the numbers of a tie, its cover, stands for all of them.
"""

import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from torchlite.kernels import flat
from torchlite.kernels.arrays import Array, address
from torchlite.kernels.views import Lattice, lattice, memory_order, overlaps, repeats, share

__all__ = ["Cover", "EntangledError", "Gathered", "copies", "ties_of"]

_Pair = tuple[Array, Array]


class EntangledError(Exception):
    """Two (parameter, gradient) pairs share memory in a way for which no single step is right.

    Attributes
    ----------
    pairs
        The two.
    what, hint
        What they do, and what to do.
    """

    def __init__(self, one: _Pair, other: _Pair, what: str, hint: str) -> None:
        super().__init__(what)
        self.pairs = one, other
        self.what = what
        self.hint = hint


class Cover:
    """A parameter and its gradient, and the parameters that are views of it.

    Attributes
    ----------
    pair
        The two arrays.
    axes
        With ties, the axes of the two in the order in which they are flattened: that of memory.
        Without, they are flattened in C order.
    tied
        The other pairs, and where their entries stand among the flattened ones.
    """

    def __init__(self, pair: _Pair) -> None:
        self.pair = pair
        self.axes: tuple[int, ...] = ()
        self.tied: list[tuple[_Pair, Lattice]] = []

    @property
    def memory(self) -> _Pair:
        """The pair as it is flattened."""
        if not self.tied:
            return self.pair
        parameter, gradient = self.pair
        return parameter.transpose(self.axes), gradient.transpose(self.axes)

    def entries(self, start: int) -> slice | Array:
        """Return where the entries of the pair stand when it is flattened behind start others.

        That is a slice, or, in another order than C's, an array of places in its shape.
        """
        shape = self.pair[0].shape
        size = self.pair[0].size
        if not self.tied or self.axes == tuple(range(len(shape))):
            return slice(start, start + size)
        places = start + np.arange(size).reshape([shape[axis] for axis in self.axes])
        return places.transpose(np.argsort(self.axes).tolist())

    def tie(self, pair: _Pair) -> None:
        """Add a pair that is a view of this one, or raise EntangledError."""

        def refuse(what: str, hint: str) -> EntangledError:
            return EntangledError(self.pair, pair, what, hint)

        if any(one.dtype != other.dtype for one, other in zip(self.pair, pair, strict=True)):
            raise refuse("share memory, but not the dtype", "give one of them a copy")
        if not share(self.pair[0], pair[0]):
            raise refuse(
                "share memory of their gradients, but none of their own",
                "give one of the gradients a copy",
            )
        if not self.axes:
            self.axes = memory_order(self.pair[0])
        where = lattice(self.pair[0].transpose(self.axes), pair[0])
        if where is None:
            raise refuse(
                "overlap in memory, and neither holds the other",
                "make the whole a parameter, and both of them views of it",
            )
        same_shape = self.pair[0].shape == self.pair[1].shape
        if not same_shape or where != lattice(self.pair[1].transpose(self.axes), pair[1]):
            raise refuse(
                "share memory, but their gradients do not share it in the same places",
                "where a.weight = b.weight.T, a.gradWeight must be b.gradWeight.T",
            )
        self.tied.append((pair, where))

    def moved(self, side: int, memory: Array) -> dict[int, Array]:
        """Return by id what replaces the arrays of a side, when its memory has become this one.

        side: 0 for the parameters, 1 for the gradients.
        """
        whole = memory.transpose(np.argsort(self.axes).tolist()) if self.tied else memory
        moved = {id(self.pair[side]): whole}
        for pair, where in self.tied:
            moved[id(pair[side])] = where.view(memory.reshape(-1))
        return moved


class Gathered:
    """The parameters of a module and their gradients, each number of them once.

    Attributes
    ----------
    covers
        One for each parameter, tied ones together, in the order of the first of them.
    parameters, gradients
        The arrays of the covers.
    runs
        Pairs of arrays, as few as possible, that cover them all.
    standing
        Where a container found them, as it noted that; None if it has noted nothing.
    asks
        Whether a module inside has to be asked for its parameters each time: there is nothing to
        note then.
    """

    def __init__(self, parameters: list[Array], gradients: list[Array]) -> None:
        self.standing: list[Any] | None = None
        self.asks = False
        self._arrays = [*parameters, *gradients]
        unique = {
            (id(parameter), id(gradient)): (parameter, gradient)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        }
        self.covers = _covers(list(unique.values()))
        self.parameters = [cover.pair[0] for cover in self.covers]
        self.gradients = [cover.pair[1] for cover in self.covers]
        self.runs = flat.runs(
            [cover.memory[0] for cover in self.covers], [cover.memory[1] for cover in self.covers]
        )

    def still_holds(self, parameters: list[Array], gradients: list[Array]) -> bool:
        """Tell whether it was made of these very arrays."""
        now = parameters + gradients
        return len(now) == len(self._arrays) and all(map(operator.is_, now, self._arrays))


def copies(arrays: list[Array], copy_of: Callable[[Array], Array]) -> dict[int, Array]:
    """Return copy_of(array) of each array, by id: views of one of them become views of its copy.

    Nothing is copied beyond the arrays, and what overlaps without being a view is cut apart.
    """
    made: dict[int, Array] = {}
    unique = list({id(array): array for array in arrays}.values())
    covers = ties_of(unique)
    for cover in covers:
        # In the order of memory it is copied without gaps.
        made.update(cover.moved(0, copy_of(cover.memory[0])))
    for array in unique:
        if id(array) not in made:
            made[id(array)] = copy_of(array)
    return made


def ties_of(arrays: list[Array]) -> list[Cover]:
    """Return a cover, of the pair (array, array), for each that has views among the others."""
    covers = []
    for group in _groups(arrays):
        cover, others = _widest([(arrays[i], arrays[i]) for i in group])
        for pair in others:
            with suppress(EntangledError):
                cover.tie(pair)
        if cover.tied:
            covers.append(cover)
    return covers


def _covers(pairs: list[_Pair]) -> list[Cover]:
    """Return the covers of pairs, or raise EntangledError."""
    for pair in pairs:
        for array in pair:
            if repeats(array):
                what = "holds one number in several places"
                raise EntangledError(pair, pair, what, "give it a copy")
    covers = []
    for group in _groups([pair[0] for pair in pairs], [pair[1] for pair in pairs]):
        cover, others = _widest([pairs[i] for i in group])
        for pair in others:
            cover.tie(pair)
        covers.append(cover)
    return covers


def _widest(pairs: list[_Pair]) -> tuple[Cover, list[_Pair]]:
    """Return a cover of the largest parameter, and the other pairs."""

    def width(i: int) -> tuple[int, bool]:
        # Seen from an array that runs backwards, or whose axes are in another order than memory,
        # others may not stand at regular distances.
        array = pairs[i][0]
        return array.size, address(array) is not None and array.flags.forc

    widest = max(range(len(pairs)), key=width)
    return Cover(pairs[widest]), [*pairs[:widest], *pairs[widest + 1 :]]


def _groups(*sides: list[Array]) -> list[list[int]]:
    """Return the positions of the arrays, those together that share memory on one of the sides.

    To be one array is no tie: a parameter with two gradients gets both of them subtracted.
    """
    root = list(range(len(sides[0])))

    def find(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for arrays in sides:
        standing: dict[int, list[int]] = {}
        for i, array in enumerate(arrays):
            standing.setdefault(id(array), []).append(i)
        same = list(standing.values())
        for one, other in overlaps([arrays[places[0]] for places in same]):
            roots = {find(i) for i in (*same[one], *same[other])}
            for i in roots:
                root[i] = min(roots)
    groups: dict[int, list[int]] = {}
    for i in range(len(root)):
        groups.setdefault(find(i), []).append(i)
    return list(groups.values())
