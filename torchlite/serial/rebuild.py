"""From a description back to a network: only what could be the state of such classes."""

from collections.abc import Callable
from typing import Any

from torchlite.errors import printable
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.serial import classes
from torchlite.serial.describe import attribute_problem
from torchlite.serial.files import Contents
from torchlite.serial.trees import check_tree
from torchlite.serial.values import RefusalError, decode, place

__all__ = ["Rebuilding"]


class Rebuilding:
    """What a file describes, while it is put together.

    Nothing that existed before is touched before `commit`, no constructor is called, and no array
    is read before `finish`, when all that the file says about itself was found to fit.

    Attributes
    ----------
    parts, arrays, gradients
        The modules and criterions by number, the arrays by name and the gradients by the name of
        their parameter, as far as they were met: still empty.
    states
        By number, what the parts are to hold.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.parts: dict[int, Any] = {}
        self.arrays: dict[str, Any] = {}
        self.gradients: dict[str, Any] = {}
        self.states: dict[int, dict[str, Any]] = {}
        # What is not made but was there before: to be filled.
        self._given_parts: dict[int, Any] = {}
        self._given_arrays: dict[str, Any] = {}
        self._given_gradients: dict[str, Any] = {}
        self._buffers: dict[str, Any] = {}
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
        made = [row for row in self._waiting if row[0] not in self._given_parts]
        for number, path in reversed(made):
            _guarded(_set_state, self.parts[number], path, self.states[number])
        check_tree([self.parts[number] for number, _ in made])
        for number, path in made:
            _guarded(_look_at, self.parts[number], path)

    def commit(self) -> None:
        """Write into the arrays that were there before: nothing can fail any more."""
        for name, buffer in self._buffers.items():
            self._given_arrays[name][...] = buffer
        for gradient in self._given_gradients.values():
            gradient.fill(0)

    def _resolve(self, kind: str, reference: Any, where: str) -> Any:
        if kind == "part":
            return self._part(reference, where)
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

    def _part(self, number: Any, where: str) -> Any:
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
            name: decode(node, place(where, name), self._resolve) for name, node in state.items()
        }
        for name, value in values.items():
            problem = attribute_problem(type(self.parts[number]), name, value)
            if problem:
                raise RefusalError(where, problem)
        return values

    def _array(self, name: str) -> Any:
        if name not in self.arrays:
            given = self._given_arrays.get(name)
            self.arrays[name] = self.contents.headers[name].empty() if given is None else given
        return self.arrays[name]

    def _gradient(self, name: str) -> Any:
        if name not in self.gradients:
            given, said = self._given_gradients.get(name), self.contents.headers[name]
            self.gradients[name] = said.zeros() if given is None else given
        return self.gradients[name]


def _guarded(act: Callable[..., None], part: Any, where: str, *arguments: Any) -> None:
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


def _look_at(part: Any) -> None:
    """Let the part name its parameters and, if it is a single layer, print itself."""
    if isinstance(part, Module) and type(part).parameters is not Container.parameters:
        for parameter, gradient in zip(*part.parameters(), strict=True):
            if parameter.shape != gradient.shape:
                raise ValueError(f"parameter {parameter.shape}, gradient {gradient.shape}")
    if not getattr(part, "modules", ()):
        text = repr(part)
        # What classes from elsewhere print is their own affair: colours, say.
        if classes.is_own(type(part)) and printable(text) != text:
            raise ValueError(f"it would print {text[:80]!r}")
