"""From the bytes of a .t7 file to its nodes: what it says, before it is known what that means.

Nothing recurs: tables in tables are a list of open nodes. A node is closed after all that is in it,
but for what it is itself in, so `closed` has children before parents.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from torchlite.serial.t7.source import KINDS, DamageError, Numbers, Source, Tag
from torchlite.serial.t7.values import as_lua

__all__ = ["DEEPEST", "HEADERS", "LONGEST_NAME", "MOST_VERSION", "FunctionNode", "Node",
           "ObjectNode", "Parsed", "StorageNode", "TableNode", "TensorNode", "array_class",
           "shortened", "step_to"]  # fmt: skip

# How deep values may be nested: Torch7's stack has no room for half of that.
DEEPEST = 10_000

# As numbers: a tag is looked at for every value.
_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN, _UNSHARED, *_OTHERS = map(int, Tag)
_FUNCTIONS = (_UNSHARED, *_OTHERS)

_ARRAY = re.compile(rf"torch\.(Cuda)?({'|'.join(KINDS)})?(Tensor|Storage)")
_VERSION = re.compile(rb"V (\d{1,9})")
MOST_VERSION = 10**9 - 1
LONGEST_NAME = 255
# NumPy has no arrays of more.
_MOST_DIMENSIONS = 64
_LONGEST_PATH = 160

# Classes that write a value before their fields, from which version on, and what it is: a field, or
# a list of some.
HEADERS: dict[str, tuple[int, Any]] = {
    "nn.GPU": (0, ["_type", "device"]),
    "nn.DataParallelTable": (2, "gpuAssignments"),
}


class Node:
    """What has an identity: it can stand in several places, in itself, too.

    Attributes
    ----------
    at
        The byte at which it begins.
    """

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        self.at = at

    def take(self, value: Any, source: Source) -> bool:
        """Take the value that follows; tell whether it was the last."""
        raise NotImplementedError

    def last(self) -> Any:
        """Return the key of the value that follows."""
        return None

    def inside(self) -> Iterable[tuple[Any, Any]]:
        """Return what is in it, each with its key."""
        return ()

    def step(self, key: Any, bare: bool) -> str:
        """Return how one gets to what it has under this key."""
        return ""


class TableNode(Node):
    """A table: its keys and values in turn, in the order of the file."""

    __slots__ = ("count", "entries", "of_object")

    def __init__(self, at: int, count: int, of_object: bool) -> None:
        super().__init__(at)
        self.count = count
        self.entries: list[Any] = []
        # Fields of an object never become a list.
        self.of_object = of_object

    def take(self, value: Any, source: Source) -> bool:
        entries = self.entries
        if len(entries) % 2 == 0 and (value is None or value != value):
            raise DamageError(f"{'nil' if value is None else value} is a key", source.position)
        entries.append(value)
        if len(entries) < 2 * self.count:
            return False
        keys = entries[::2]
        if len({as_lua(key) for key in keys}) < len(keys):
            raise DamageError("two keys of a table are the same", self.at)
        if None in entries:
            self.entries = [x for row in self.inside() if row[1] is not None for x in row]
        return True

    def last(self) -> Any:
        return self.entries[-1] if len(self.entries) % 2 else None

    def inside(self) -> Iterable[tuple[Any, Any]]:
        return zip(self.entries[::2], self.entries[1::2], strict=False)

    def step(self, key: Any, bare: bool) -> str:
        if key is None:
            return ""
        return step_to(key - 1 if self.is_list() else key, bare)

    def is_list(self) -> bool:
        """Tell whether its keys are exactly 1..n."""
        keys = self.entries[::2]
        return (
            not self.of_object
            and all(type(key) is int for key in keys)
            and min(keys, default=1) == 1
            and max(keys, default=0) == len(keys)
        )


class ObjectNode(Node):
    """An object of a Torch class: its name, version and fields."""

    __slots__ = ("content", "name", "version", "waiting")

    def __init__(self, at: int, name: str, version: int) -> None:
        super().__init__(at)
        self.name, self.version = name, version
        self.content: Any = None
        self.waiting = name in HEADERS and version >= HEADERS[name][0]

    def take(self, value: Any, source: Source) -> bool:
        if self.waiting:
            self.waiting = False
            return False
        if not isinstance(value, TableNode):
            raise DamageError(f"the fields of a {self.name:.80} are no table", self.at)
        value.of_object = True
        self.content = value
        return True

    def inside(self) -> Iterable[tuple[Any, Any]]:
        return [(None, self.content)]


class StorageNode(Node):
    """A storage: the numbers that tensors are views of."""

    __slots__ = ("kind", "numbers")

    def __init__(self, at: int, kind: tuple[Any, ...], numbers: Numbers) -> None:
        super().__init__(at)
        self.kind, self.numbers = kind, numbers


class TensorNode(Node):
    """A tensor: sizes, strides and a first entry, counted in entries of its storage."""

    __slots__ = ("first", "kind", "sizes", "storage", "strides")

    def __init__(self, at: int, kind: tuple[Any, ...], source: Source) -> None:
        super().__init__(at)
        self.kind = kind
        dimensions = source.word()
        if not 0 <= dimensions <= _MOST_DIMENSIONS:
            raise DamageError(f"a tensor has {dimensions} dimensions", at)
        self.sizes = tuple(source.long() for _ in range(dimensions))
        self.strides = tuple(source.long() for _ in range(dimensions))
        self.first = source.long() - 1
        self.storage: StorageNode | None = None
        if min(self.sizes, default=1) < 1 or min(self.strides, default=1) < 0:
            problem = f"a tensor has sizes {list(self.sizes)} and strides {list(self.strides)}"
            raise DamageError(problem, at)

    def take(self, value: Any, source: Source) -> bool:
        if value is not None and not (isinstance(value, StorageNode) and value.kind == self.kind):
            raise DamageError("the storage of a tensor is not of its type", self.at)
        self.storage = value
        if not self.sizes:
            return True
        held = value.numbers.length if value is not None else 0
        steps = zip(self.sizes, self.strides, strict=True)
        needed = self.first + sum((size - 1) * stride for size, stride in steps) + 1
        if self.first < 0 or needed > held:
            problem = (
                f"a tensor of sizes {list(self.sizes)}, strides {list(self.strides)} and offset "
                f"{self.first + 1} goes beyond its storage of {held}"
            )
            raise DamageError(problem, self.at)
        # Entries that stand in one place, and strides that lead nowhere, take no memory, but NumPy
        # has to count them.
        largest = max(math.prod(self.sizes), *self.strides)
        if largest * np.dtype(KINDS[self.kind[1]]).itemsize >= 2**63:
            problem = f"a tensor has sizes {list(self.sizes)} and strides {list(self.strides)}"
            raise DamageError(problem, self.at)
        return True


class FunctionNode(Node):
    """A function: its bytes, and what it refers to."""

    __slots__ = ("code", "tag", "upvalues")

    def __init__(self, at: int, tag: int, code: bytes) -> None:
        super().__init__(at)
        self.tag, self.code = tag, code
        self.upvalues: Any = None

    def take(self, value: Any, source: Source) -> bool:
        self.upvalues = value
        return True

    def inside(self) -> Iterable[tuple[Any, Any]]:
        return [(None, self.upvalues)]

    def step(self, key: Any, bare: bool) -> str:
        return ".upvalues"


class Parsed:
    """The nodes of a file.

    Attributes
    ----------
    root
        The value of the file: a node, or None, a bool, a number or a string.
    opened
        All nodes, in the order in which they begin.
    closed
        All nodes, what is inside before what it is in.
    open
        While the file is read, the nodes that are not complete.
    """

    def __init__(self, source: Source, encoding: str) -> None:
        self.source = source
        self.root: Any = None
        self.opened: list[Node] = []
        self.closed: list[Node] = []
        self.open: list[Node] = []
        self._encoding = encoding
        self._nodes: dict[int, tuple[int, Node]] = {}

    def read(self) -> None:
        """Read the file's one value.

        Raises
        ------
        DamageError
            It is not there, or something follows it.
        """
        source, open, closed = self.source, self.open, self.closed
        while True:
            before = len(open)
            value = self._begin()
            if len(open) > before:
                if not isinstance(value, TableNode) or value.count:
                    continue
                closed.append(open.pop())
            while open and open[-1].take(value, source):
                value = open.pop()
                closed.append(value)
            if not open:
                break
        self.root = value
        if not source.at_end():
            raise DamageError(f"{source.left} bytes follow the value", source.position)

    def path(self) -> str:
        """Return how one gets to what is being read."""
        return _path([(node, node.last()) for node in self.open])

    def path_to(self, node: Node) -> str:
        """Return the shortest way to a node, after all have been read."""
        above: dict[Any, tuple[Node, Any]] = {self.root: (self.root, None)}
        waiting = [self.root]
        for holder in waiting:
            for key, value in holder.inside():
                for inside, step in ((key, None), (value, key)):
                    if isinstance(inside, Node) and inside not in above:
                        above[inside] = holder, step
                        waiting.append(inside)
        steps: list[tuple[Node, Any]] = []
        while node is not self.root:
            steps.append(above[node])
            node = steps[-1][0]
        return _path(steps[::-1])

    def _begin(self) -> Any:
        """Return the value that begins here, or the node, which is open if more has to come."""
        source, at = self.source, self.source.position
        tag = source.word()
        if tag == _NUMBER:
            return _number(source.double())
        if tag == _STRING:
            return self._text(source.chars(source.word()))
        if tag == _NIL:
            return None
        if tag == _BOOLEAN:
            # As Torch7 does: what is not 1 is false.
            return source.word() == 1
        if tag not in (_TABLE, _TORCH, *_FUNCTIONS):
            raise DamageError(f"{tag} is no type of a value", at)
        index = 0
        if tag != _UNSHARED:
            index = source.word()
            known = self._nodes.get(index)
            if known is not None:
                if known[0] != tag:
                    raise DamageError(f"object {index} is of another type", at)
                return known[1]
        node = self._node(tag, at)
        if tag != _UNSHARED:
            self._nodes[index] = tag, node
        self.opened.append(node)
        if isinstance(node, StorageNode):
            self.closed.append(node)
            return node
        if len(self.open) >= DEEPEST:
            raise DamageError(f"values are nested more than {DEEPEST} deep", at)
        self.open.append(node)
        return node

    def _node(self, tag: int, at: int) -> Node:
        source = self.source
        if tag == _TABLE:
            count = source.word()
            if not 0 <= count * source.smallest <= source.left:
                problem = (
                    f"a table of {count} is to follow, and the file has {source.left} more bytes"
                )
                raise DamageError(problem, at)
            around = self.open[-1] if self.open else None
            return TableNode(at, count, isinstance(around, ObjectNode) and not around.waiting)
        if tag in _FUNCTIONS:
            return FunctionNode(at, tag, source.chars(source.word()))
        said = source.chars(source.word())
        match = _VERSION.fullmatch(said)
        name = source.chars(source.word()) if match else said
        if not 0 < len(name) <= LONGEST_NAME:
            raise DamageError(f"the name of a class has {len(name)} letters", at)
        # Files from before classes had versions name the class at once.
        version = int(match[1]) if match else 0
        array = array_class(name.decode("latin-1"))
        if array is None:
            return ObjectNode(at, name.decode("utf-8", "backslashreplace"), version)
        kind = array[1], array[2] or "Float"
        if array[3] == "Tensor":
            return TensorNode(at, kind, source)
        count = source.long()
        if count < 0:
            raise DamageError(f"a storage has {count} entries", at)
        return StorageNode(at, kind, source.numbers(kind[1], count))

    def _text(self, found: bytes) -> Any:
        try:
            return found.decode(self._encoding)
        except UnicodeError:
            return found


def array_class(name: str) -> re.Match[str] | None:
    """Return the parts of the name of a class of tensors or storages; of others None.

    Example
    -------
    >>> array_class("torch.CudaDoubleTensor").groups(), array_class("torch.Tensor")
    (('Cuda', 'Double', 'Tensor'), None)
    """
    match = _ARRAY.fullmatch(name)
    return match if match and (match[1] or match[2]) else None


def step_to(key: Any, bare: bool = True) -> str:
    """Return how one gets from a value to what it has under a key.

    Example
    -------
    >>> step_to("weight"), step_to(3), step_to("a b"), step_to("weight", bare=False), step_to([])
    ('.weight', '[3]', "['a b']", "['weight']", '[a list]')
    """
    if bare and isinstance(key, str) and key.isidentifier():
        return f".{key}"
    if not isinstance(key, str | bytes | int | float | np.generic):
        name = type(key).__name__
        return f"[a {name.removesuffix('Node').lower() if isinstance(key, Node) else name}]"
    return f"[{key!r}]" if len(str(key)) < _LONGEST_PATH else f"[{str(key)[:40]!r}...]"


def shortened(path: str) -> str:
    """Return a path of which, if it is long, only both ends are left.

    Example
    -------
    >>> shortened("[0]" * 100)[:50], len(shortened("[0]" * 100))
    ('[0][0][0][0][0][0][0][0][0][0][0][0][0][...[0][0][', 160)
    """
    if len(path) <= _LONGEST_PATH:
        return path
    return f"{path[:40]}...{path[43 - _LONGEST_PATH :]}"


def _path(steps: list[tuple[Node, Any]]) -> str:
    said = "".join(node.step(key, i > 0) for i, (node, key) in enumerate(steps))
    return shortened(said.lstrip("."))


def _number(number: float) -> int | float:
    """Return a whole number as int, as far as floats have all of them; -0.0 stays what it is."""
    if -(2.0**53) <= number <= 2.0**53 and number == int(number):
        return int(number) if number or math.copysign(1, number) > 0 else number
    return number
