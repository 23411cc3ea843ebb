"""From the bytes of a .t7 file to its nodes: what it says, before it is known what that means.

Nothing recurs: tables in tables are a list of open nodes. A node is closed after all that is in it,
but for what it is itself in, so `closed` has children before parents.
"""

import math
import re
from typing import Any

from torchlite.serial.t7.source import KINDS, DamageError, Numbers, Source
from torchlite.serial.t7.values import as_lua

__all__ = ["DEEPEST", "FunctionNode", "Node", "ObjectNode", "Parsed", "StorageNode", "TableNode",
           "TensorNode"]  # fmt: skip

# How deep values may be nested: Torch7's stack has no room for half of that.
DEEPEST = 10_000

_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN = range(6)
_FUNCTIONS = (6, 7, 8)
# Functions of this kind have no index: each is written where it stands.
_UNSHARED = 6

_ARRAY = re.compile(rf"torch\.(Cuda)?({'|'.join(KINDS)})?(Tensor|Storage)")
_VERSION = re.compile(rb"V (\d{1,9})")
_LONGEST_NAME = 255
# NumPy has no arrays of more.
_MOST_DIMENSIONS = 64
_LONGEST_PATH = 160

# Classes that write a value before their fields, and from which version on.
_HEADERS = {"nn.GPU": 0, "nn.DataParallelTable": 2}


class Node:
    """What has an identity: it can stand in several places, in itself, too.

    Attributes
    ----------
    at
        The byte at which it begins.
    parent, key
        In which node it was met first, and under which key.
    """

    __slots__ = ("at", "key", "parent")

    def __init__(self, at: int, parent: "Node | None", key: Any) -> None:
        self.at, self.parent, self.key = at, parent, key

    def take(self, value: Any, source: Source) -> bool:
        """Take the value that follows; tell whether it was the last."""
        raise NotImplementedError

    def under(self) -> Any:
        """Return the key of the value that follows."""
        return None

    def step(self, key: Any) -> str:
        """Return how one gets to what it has under this key."""
        return ""

    def path(self) -> str:
        """Return how one gets to it from the value of the file."""
        steps: list[str] = []
        node: Node = self
        while node.parent is not None:
            steps.append(node.parent.step(node.key))
            node = node.parent
        return shortened("".join(reversed(steps)).lstrip("."))


class TableNode(Node):
    """A table: its keys and values in turn, in the order of the file."""

    __slots__ = ("count", "entries", "of_object")

    def __init__(self, at: int, parent: Node | None, key: Any, count: int) -> None:
        super().__init__(at, parent, key)
        self.count = count
        self.entries: list[Any] = []
        # Fields of an object never become a list.
        self.of_object = False

    def take(self, value: Any, source: Source) -> bool:
        entries = self.entries
        if len(entries) % 2 == 0 and (value is None or value != value):
            raise DamageError(f"{'nil' if value is None else value} is a key", source.position)
        entries.append(value)
        return len(entries) == 2 * self.count and self._complete()

    def _complete(self) -> bool:
        keys = self.entries[::2]
        if len({as_lua(key) for key in keys}) < len(keys):
            raise DamageError("two of its keys are the same", self.at)
        if None in self.entries:
            pairs = zip(keys, self.entries[1::2], strict=True)
            self.entries = [x for pair in pairs if pair[1] is not None for x in pair]
        return True

    def under(self) -> Any:
        return self.entries[-1] if len(self.entries) % 2 else None

    def step(self, key: Any) -> str:
        if key is None:
            return ""
        if self.is_list():
            return f"[{key - 1}]"
        if isinstance(key, Node):
            return f"[a {type(key).__name__.removesuffix('Node').lower()}]"
        inside = self.parent is not None or self.of_object
        if isinstance(key, str) and key.isidentifier() and inside:
            return f".{key}"
        return f"[{key!r}]" if len(str(key)) < _LONGEST_PATH else f"[{str(key)[:40]!r}...]"

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

    def __init__(self, at: int, parent: Node | None, key: Any, name: str, version: int) -> None:
        super().__init__(at, parent, key)
        self.name, self.version = name, version
        self.content: Any = None
        self.waiting = int(name in _HEADERS and version >= _HEADERS[name])

    def take(self, value: Any, source: Source) -> bool:
        if self.waiting:
            self.waiting -= 1
            return False
        if not isinstance(value, TableNode):
            raise DamageError(f"the fields of {self.name} are no table", self.at)
        value.of_object = True
        self.content = value
        return True


class StorageNode(Node):
    """A storage: the numbers that tensors are views of."""

    __slots__ = ("kind", "numbers")

    def __init__(
        self, at: int, parent: Node | None, key: Any, kind: tuple[Any, ...], numbers: Numbers
    ) -> None:
        super().__init__(at, parent, key)
        self.kind, self.numbers = kind, numbers


class TensorNode(Node):
    """A tensor: sizes, strides and a first entry, counted in entries of its storage."""

    __slots__ = ("first", "kind", "sizes", "storage", "strides")

    def __init__(
        self, at: int, parent: Node | None, key: Any, kind: tuple[Any, ...], source: Source
    ) -> None:
        super().__init__(at, parent, key)
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
        held = value.numbers.length if value is not None else 0
        entry = KINDS[self.kind[1]]
        if self.sizes:
            steps = zip(self.sizes, self.strides, strict=True)
            needed = self.first + sum((size - 1) * stride for size, stride in steps) + 1
            # Entries that stand in one place are many in no memory, but NumPy counts them.
            if math.prod(self.sizes) * int(entry[1:]) >= 2**63:
                raise DamageError(f"a tensor has sizes {list(self.sizes)}", self.at)
            if self.first < 0 or needed > held:
                problem = (
                    f"a tensor of {list(self.sizes)} with strides {list(self.strides)}, from entry "
                    f"{self.first + 1} on, goes beyond its storage of {held}"
                )
                raise DamageError(problem, self.at)
        return True


class FunctionNode(Node):
    """A function: its bytes, and what it refers to."""

    __slots__ = ("code", "tag", "upvalues")

    def __init__(self, at: int, parent: Node | None, key: Any, tag: int, code: bytes) -> None:
        super().__init__(at, parent, key)
        self.tag, self.code = tag, code
        self.upvalues: Any = None

    def take(self, value: Any, source: Source) -> bool:
        self.upvalues = value
        return True

    def step(self, key: Any) -> str:
        return ".upvalues"


class Parsed:
    """The nodes of a file.

    Attributes
    ----------
    root
        The value of the file: a node, or None, a bool, a number or a string.
    closed
        All nodes, what is inside before what it is in.
    opened
        All nodes, in the order in which they begin.
    open
        While it is read, the nodes that are not complete.
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
        if not self.open:
            return ""
        last = self.open[-1]
        return Node(0, last, last.under()).path()

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
        parent = self.open[-1] if self.open else None
        key = parent.under() if parent is not None else None
        if tag == _TABLE:
            count = source.word()
            if not 0 <= count * source.smallest <= source.left:
                problem = f"a table of {count} is to follow, and the file has {source.left} bytes"
                raise DamageError(problem, at)
            table = TableNode(at, parent, key, count)
            table.of_object = isinstance(parent, ObjectNode) and not parent.waiting
            return table
        if tag in _FUNCTIONS:
            return FunctionNode(at, parent, key, tag, source.chars(source.word()))
        said = source.chars(source.word())
        match = _VERSION.fullmatch(said)
        name = source.chars(source.word()) if match else said
        if not 0 < len(name) <= _LONGEST_NAME:
            raise DamageError(f"the name of a class has {len(name)} letters", at)
        # Files from before classes had versions name the class at once.
        version = int(match[1]) if match else 0
        array = _ARRAY.fullmatch(name.decode("latin-1"))
        if array is None or not (array[1] or array[2]):
            return ObjectNode(at, parent, key, name.decode("utf-8", "backslashreplace"), version)
        kind = array[1], array[2] or "Float"
        if array[3] == "Tensor":
            return TensorNode(at, parent, key, kind, source)
        count = source.long()
        if count < 0:
            raise DamageError(f"a storage has {count} entries", at)
        return StorageNode(at, parent, key, kind, source.numbers(kind[1], count))

    def _text(self, found: bytes) -> Any:
        try:
            return found.decode(self._encoding)
        except UnicodeDecodeError:
            return found


def shortened(path: str) -> str:
    """Return a path of which, if it is long, only both ends are left.

    Example
    -------
    >>> shortened(".a" * 100)[:50], len(shortened(".a" * 100))
    ('.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a...a.a.a.a', 160)
    """
    if len(path) <= _LONGEST_PATH:
        return path
    return f"{path[:40]}...{path[43 - _LONGEST_PATH :]}"


def _number(number: float) -> int | float:
    """Return a whole number as int, as far as floats have all of them; -0.0 stays what it is."""
    if -(2.0**53) <= number <= 2.0**53 and number == int(number):
        return int(number) if number or math.copysign(1, number) > 0 else number
    return number
