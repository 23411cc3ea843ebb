"""From a description back to a network: only what could be the state of such classes."""

import math
from collections.abc import Callable
from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.kernels.views import Lattice
from torchlite.nn.nested import same
from torchlite.nn.stateful import Stateful
from torchlite.nn.ties import ties_of
from torchlite.serial import classes, npy
from torchlite.serial.describe import attribute_problem, look_at, must_be_tree
from torchlite.serial.files import Contents
from torchlite.serial.values import RefusalError, decode, path_to

__all__ = ["Rebuilding"]


class Rebuilding:
    """What a file describes, while it is put together.

    Nothing that existed before is touched before `commit`, no constructor is called, and no array
    is read before `finish`, when all that the file says about itself was found to fit.

    Attributes
    ----------
    parts, arrays, gradients, views
        The modules and criterions by number, the arrays by name, the gradients by the name of
        their parameter and the views by all that is said of them, as far as they were met: still
        empty.
    states
        By number, what the parts are to hold.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.parts: dict[int, Stateful] = {}
        self.arrays: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        self.views: dict[tuple[str, str, Lattice], Array] = {}
        self.states: dict[int, dict[str, Any]] = {}
        # What is not made but was there before: to be filled.
        self._given_parts: dict[int, Stateful] = {}
        self._given_arrays: dict[str, Array] = {}
        self._given_gradients: dict[str, Array] = {}
        self._given_views: dict[tuple[str, str, Lattice], Array] = {}
        self._buffers: dict[str, Array] = {}
        self._read: set[str] = set()
        self._waiting: list[tuple[int, str]] = []

    def again(self, given: dict[int, Any]) -> "Rebuilding":
        """Return a new one, in which what has a key in given, its id, is replaced by the value."""
        other = Rebuilding(self.contents)

        def replaced(made: dict[Any, Any]) -> dict[Any, Any]:
            return {key: given[id(value)] for key, value in made.items() if id(value) in given}

        other._given_parts = replaced(self.parts)
        other._given_arrays = replaced(self.arrays)
        other._given_gradients = replaced(self.gradients)
        other._given_views = replaced(self.views)
        return other

    def value(self, node: Any, where: str) -> Any:
        """Return the value that a node of the description stands for."""
        value = decode(node, where, self._resolve)
        # The list grows while it is walked through.
        for number, path in self._waiting:
            self.states[number] = self._state(number, path)
        return value

    def finish(self) -> None:
        """Read the arrays, then fill the parts, the innermost first, and look at each."""
        for name in self.contents.headers:
            if name not in self.arrays and name not in self._read:
                raise RefusalError(name, "nothing refers to this array")
        for number in range(len(self.contents.parts)):
            if number not in self.parts:
                raise RefusalError("", f"nothing refers to part {number}")
        for name, array in self.arrays.items():
            if name in self._given_arrays:
                array = self._buffers[name] = self.contents.headers[name].empty()
            self.contents.read(name, array)
        self._must_agree()
        made = [row for row in self._waiting if row[0] not in self._given_parts]
        for number, path in reversed(made):
            _guarded(_set_state, self.parts[number], path, self.states[number])
        must_be_tree([self.parts[number] for number, _ in made])
        for number, path in made:
            _guarded(look_at, self.parts[number], path)

    def commit(self) -> None:
        """Write into the arrays that were there before: nothing can fail any more."""
        for array, values, _ in self._to_write():
            array[...] = values
        views = [array for (kind, *_), array in self._given_views.items() if kind == "gradient"]
        for gradient in (*self._given_gradients.values(), *views):
            gradient.fill(0)

    def _to_write(self) -> list[tuple[Any, Any, str]]:
        """Return the arrays that were there before, what they get, and its name."""
        rows = [(self._given_arrays[name], buffer, name) for name, buffer in self._buffers.items()]
        for (kind, name, where), array in self._given_views.items():
            if kind == "array":
                memory = npy.in_memory(self._buffers[name]).reshape(-1)
                rows.append((array, where.view(memory), f"a view of {name}"))
        return rows

    def _must_agree(self) -> None:
        """Raise unless arrays that are views of one memory get the same numbers."""
        rows = {id(array): (values, name) for array, values, name in self._to_write()}
        for cover in ties_of([array for array, _, _ in self._to_write()]):
            values, name = rows[id(cover.pair[0])]
            memory = values.transpose(cover.axes).reshape(-1)
            for (array, _), where in cover.tied:
                other, other_name = rows[id(array)]
                if not same(where.view(memory), other):
                    raise RefusalError(
                        name,
                        f"it differs from {other_name}, and in the network the two are views of "
                        "one memory",
                    )

    def _resolve(self, kind: str, reference: Any, where: str) -> Any:
        if kind == "part":
            return self._part(reference, where)
        if kind == "view":
            return self._view(reference, where)
        if not isinstance(reference, str) or reference not in self.contents.headers:
            raise RefusalError(where, f"there is no array {repr(reference)[:80]} in the file")
        if kind == "gradient":
            return self._gradient(reference)
        if kind == "array":
            return self._array(reference)
        if self.contents.headers[reference].shape:
            raise RefusalError(where, f"{reference} is an array, not a number")
        # A number cannot be filled in later; this one is read before its turn.
        number = self.contents.headers[reference].empty()
        self.contents.read(reference, number)
        self._read.add(reference)
        return number[()]

    def _part(self, number: Any, where: str) -> Stateful:
        parts = self.contents.parts
        if type(number) is not int or not 0 <= number < len(parts):
            raise RefusalError(where, f"there is no part {repr(number)[:80]} in the file")
        if number not in self.parts:
            said = parts[number]
            if not isinstance(said, dict) or said.keys() != {"class", "state"}:
                raise RefusalError(where, f"part {number} is not a class and its state")
            kind = classes.find(said["class"])
            if kind is None:
                raise RefusalError(
                    where,
                    f"{repr(said['class'])[:80]} is not a class that files know",
                    "serial.register(name, cls) makes a class of your own known",
                )
            given = self._given_parts.get(number)
            self.parts[number] = kind.__new__(kind) if given is None else given
            self._waiting.append((number, where))
        return self.parts[number]

    def _state(self, number: int, where: str) -> dict[str, Any]:
        state = self.contents.parts[number]["state"]
        if not isinstance(state, dict):
            raise RefusalError(where, f"the state of part {number} is not a dict")
        values = {
            name: decode(node, path_to(where, name), self._resolve) for name, node in state.items()
        }
        for name, value in values.items():
            problem = attribute_problem(type(self.parts[number]), name, value)
            if problem:
                raise RefusalError(where, problem)
        return values

    def _array(self, name: str) -> Array:
        if name not in self.arrays:
            given = self._given_arrays.get(name)
            self.arrays[name] = self.contents.headers[name].empty() if given is None else given
        return self.arrays[name]

    def _gradient(self, name: str) -> Array:
        if name not in self.gradients:
            given, said = self._given_gradients.get(name), self.contents.headers[name]
            self.gradients[name] = said.zeros() if given is None else given
        return self.gradients[name]

    def _view(self, said: Any, where: str) -> Array:
        refused = RefusalError(where, f"{repr(said)[:80]} describes no view")
        if not isinstance(said, list) or len(said) != 4:
            raise refused
        of, first, strides, shape = said
        if not isinstance(of, dict) or len(of) != 1:
            raise refused
        ((kind, name),) = of.items()
        counts = [first, *strides, *shape] if type(strides) is type(shape) is list else [None]
        if kind not in ("array", "gradient") or any(type(count) is not int for count in counts):
            raise refused
        whole = self._resolve(kind, name, where)
        reach = [stride * (length - 1) for stride, length in zip(strides, shape, strict=False)]
        if (
            len(strides) != len(shape)
            or min(shape, default=1) < 1
            or not 1 <= math.prod(shape) <= whole.size
            or first + sum(step for step in reach if step < 0) < 0
            or first + sum(step for step in reach if step > 0) >= whole.size
        ):
            raise refused
        key = kind, name, Lattice(first, tuple(strides), tuple(shape))
        if key not in self.views:
            given = self._given_views.get(key)
            memory = npy.in_memory(whole).reshape(-1)
            self.views[key] = key[2].view(memory) if given is None else given
        return self.views[key]


def _guarded(act: Callable[..., None], part: Stateful, where: str, *arguments: Any) -> None:
    try:
        act(part, *arguments)
    except Exception as error:
        problem = f"this cannot be the state of a {type(part).__name__}"
        raise RefusalError(where, f"{problem}: {error!r}") from error


def _set_state(part: Any, state: dict[str, Any]) -> None:
    if hasattr(part, "__setstate__"):
        part.__setstate__(state)
    else:
        vars(part).update(state)
