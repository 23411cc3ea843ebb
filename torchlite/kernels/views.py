"""Arrays that are views of one memory: which overlap, and what stands where in another."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.lib.stride_tricks import as_strided

from torchlite.kernels.arrays import Array, address

__all__ = ["Lattice", "contiguous", "lattice", "memory_order", "overlaps", "repeats", "share"]

# So many tries np.shares_memory has; then to look at each byte takes less.
_TRIES = 1000


class Lattice(NamedTuple):
    """Where the entries of a view stand among those of a one-dimensional memory.

    Attributes
    ----------
    first
        Where the first entry stands.
    strides
        How far it is from one entry to the next along each axis, in entries.
    shape
        The shape of the view.
    """

    first: int
    strides: tuple[int, ...]
    shape: tuple[int, ...]

    def places(self) -> Array:
        """Return the place of each entry, in the shape of the view."""
        return self.first + _distances(self.shape, self.strides)

    def view(self, memory: Array) -> Array:
        """Return the view of a memory.

        Example
        -------
        >>> Lattice(0, (1, 3), (3, 2)).view(np.arange(6.0))
        array([[0., 3.],
               [1., 4.],
               [2., 5.]])
        """
        step = memory.strides[0]
        strides = [step * stride for stride in self.strides]
        if isinstance(memory, np.ndarray):
            return as_strided(memory[self.first :], self.shape, strides)
        from cupy.lib import stride_tricks

        return stride_tricks.as_strided(memory[self.first :], self.shape, strides)


def lattice(whole: Array, view: Array) -> Lattice | None:
    """Return where the entries of a view stand among those of the whole, counted in C order.

    None, if one of them is none of the whole's, if they do not stand at regular distances, or if
    one number stands in two places of the whole.

    Example
    -------
    >>> whole = np.zeros((2, 3))
    >>> lattice(whole, whole.T)
    Lattice(first=0, strides=(1, 3), shape=(3, 2))
    >>> lattice(whole[:1], whole.T) is None
    True
    """
    whole, view = _placed(whole), _placed(view)
    size = whole.itemsize
    start, end = byte_bounds(whole)
    here, there = _addresses(whole) - start, _addresses(view) - start
    if there.min() < 0 or there.max() >= end - start or (there % size).any():
        return None
    # One entry for each number that fits into the memory in which the whole lies.
    table = np.full((end - start) // size, -1)
    table[here.reshape(-1) // size] = np.arange(whole.size)
    if np.count_nonzero(table >= 0) != whole.size:
        return None
    places = table[there // size]
    first = int(places.reshape(-1)[0])
    strides = tuple(
        int(places[(0,) * axis + (1,)].reshape(-1)[0]) - first if length > 1 else 0
        for axis, length in enumerate(places.shape)
    )
    found = Lattice(first, strides, places.shape)
    return found if places.min() >= 0 and np.array_equal(places, found.places()) else None


def memory_order(array: Array) -> tuple[int, ...]:
    """Return the axes in the order of memory: those first along which steps are longest.

    Example
    -------
    >>> memory_order(np.zeros((2, 3))), memory_order(np.zeros((2, 3)).T)
    ((0, 1), (1, 0))
    """
    return tuple(sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])))


def overlaps(arrays: Sequence[Array]) -> Iterator[tuple[int, int]]:
    """Yield the positions of any two arrays that share memory. Only NumPy's and CuPy's can be told.

    Example
    -------
    >>> memory = np.zeros(6)
    >>> list(overlaps([memory[:4], memory[4:], memory[::2], np.zeros(6)]))
    [(0, 2), (1, 2)]
    """
    owners = {id(a) for a in arrays if isinstance(a, np.ndarray) and a.flags.owndata}
    if len(owners) == len(arrays):
        # Each has memory of its own, as most have: to ask where it lies takes longer.
        return
    spans = sorted(
        (*byte_bounds(_placed(array)), i)
        for i, array in enumerate(arrays)
        if address(array) is not None and array.size
    )
    reached: list[tuple[int, int]] = []
    for start, end, i in spans:
        reached = [row for row in reached if row[0] > start]
        for _, j in reached:
            if share(arrays[i], arrays[j]):
                yield min(i, j), max(i, j)
        reached.append((end, i))


def share(one: Array, other: Array) -> bool:
    """Tell whether two arrays have a number in common, in a time that grows as their memory.

    Example
    -------
    >>> memory = np.zeros(6)
    >>> share(memory[:4], memory[3:]), share(memory[::2], memory[1::2])
    (True, False)
    """
    one, other = _placed(one), _placed(other)
    try:
        return bool(np.shares_memory(one, other, max_work=_TRIES))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        start, end = byte_bounds(one)
        held = np.zeros(end - start, bool)
        held[_bytes(one) - start] = True
        places = _bytes(other) - start
        return bool(held[places[(places >= 0) & (places < end - start)]].any())


def repeats(array: Array) -> bool:
    """Tell whether one number of an array stands in several places of it.

    Example
    -------
    >>> repeats(np.zeros((2, 3)).T), repeats(np.broadcast_to(np.zeros(1), 3))
    (False, True)
    """
    known = isinstance(array, np.ndarray) or address(array) is not None
    if not known or array.size < 2 or array.flags.forc:
        return False
    array = _placed(array)
    reach = array.itemsize
    for step, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1 and step < reach:
            break
        reach += step * (length - 1)
    else:
        return False
    return len(np.unique(_bytes(array))) < array.size * array.itemsize


def contiguous(array: Array) -> Array:
    """Return the array, or a copy in C order if it lies otherwise.

    Example
    -------
    >>> contiguous(np.zeros((2, 3)).T).strides
    (16, 8)
    """
    return array if array.flags.c_contiguous else array.copy()


class _Placed:
    """What makes an array of NumPy's where one of CuPy's lies."""

    def __init__(self, array: Array) -> None:
        self.__array_interface__ = {
            "data": (address(array), True),
            "shape": array.shape,
            "strides": array.strides,
            "typestr": array.dtype.str,
            "version": 3,
        }


def _placed(array: Array) -> Array:
    """Return an array of NumPy's that lies as this one does. Of CuPy's it must never be read."""
    return array if isinstance(array, np.ndarray) else np.asarray(_Placed(array))


def _bytes(array: Array) -> Array:
    """Return the addresses of all bytes of an array."""
    return (_addresses(array).reshape(-1, 1) + np.arange(array.itemsize)).reshape(-1)


def _addresses(array: Array) -> Array:
    first: int = array.__array_interface__["data"][0]
    return first + _distances(array.shape, array.strides)


def _distances(shape: Sequence[int], strides: Sequence[int]) -> Array:
    """Return how far each entry is from the first."""
    total = np.zeros(shape, np.intp)
    for axis, (length, stride) in enumerate(zip(shape, strides, strict=True)):
        steps = np.arange(length) * stride
        total += steps.reshape((length,) + (1,) * (len(shape) - axis - 1))
    return total
