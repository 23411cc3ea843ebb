"""The graph that is being written: values, the nodes that make them, and what they are made of."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.nested import map_arrays

__all__ = ["BATCHES", "Graph", "UnsayableError", "Value", "zipped"]

# Every layer is tried on a batch of each size: what differs between the two is the batch's.
BATCHES = (2, 3)


class UnsayableError(Exception):
    """Why ONNX cannot say what a layer does."""


class _Free:
    """A size that depends on the batch."""

    def __repr__(self) -> str:
        return "N"


_FREE = _Free()


@dataclass(frozen=True, eq=False)
class Value:
    """What flows through the graph in the place of an array.

    Attributes
    ----------
    name
        What nodes call it.
    probes
        What it is for a batch of each size. Only shapes and dtypes mean anything.
    """

    name: str
    probes: tuple[Array, Array]

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """The length of each dimension for both batches."""
        return tuple(zip(*(probe.shape for probe in self.probes), strict=True))

    @property
    def shape(self) -> tuple[Any, ...]:
        """The length of each dimension, N where it depends on the batch."""
        return tuple(a if a == b else _FREE for a, b in self.sizes)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.probes[0].ndim

    @property
    def dtype(self) -> Any:
        """The dtype."""
        return self.probes[0].dtype

    def made(self, function: Callable[[Array], Array]) -> "Value":
        """Return what function makes of it, without a name yet."""
        first, second = map(function, self.probes)
        return Value("", (first, second))

    def named(self, name: str) -> "Value":
        """Return it by another name."""
        return replace(self, name=name)

    def fixed(self, *axes: int) -> tuple[int, ...]:
        """Return the lengths of some dimensions, which the batch must not change."""
        sizes = [self.sizes[axis] for axis in axes]
        if any(a != b for a, b in sizes):
            raise UnsayableError("the sizes that it works on depend on the batch")
        return tuple(a for a, _ in sizes)

    def both(self, function: Callable[[Array], Any]) -> Any:
        """Return what function says of it, which the batch must not change."""
        first, second = map(function, self.probes)
        if first != second:
            raise UnsayableError("what it does depends on the size of the batch")
        return first

    # By this arrays are told from other things.
    def __array_function__(self, *_: Any) -> Any:
        return NotImplemented


def zipped(first: Any, second: Any) -> Any:
    """Return a table of nameless Values, of the tables for both batches."""
    if isinstance(first, (list, tuple)):
        if len(first) != len(second):
            raise UnsayableError("how long its table is depends on the batch")
        return [zipped(a, b) for a, b in zip(first, second, strict=True)]
    if first.ndim != second.ndim:
        raise UnsayableError("how many dimensions its output has depends on the batch")
    return Value("", (first, second))


class Graph:
    """The nodes and constants so far.

    Attributes
    ----------
    opset
        The version of ONNX's operators.
    dtype
        That of plain numbers among the inputs of nodes.
    nodes, constants
        What there is; constants by name.
    pooled
        By the id of a max pooling, what it was given, and its node.
    states
        By the id of a recurrent module, what its last step has left; None outside of sequences.
    """

    def __init__(
        self, opset: int, owners: dict[int, str], run: Callable[["Graph", Any, Any], Any]
    ) -> None:
        self.opset = opset
        self.dtype: Any = None
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}
        self._owners = owners
        self._run = run
        self._known: dict[Any, str] = {}
        self._taken: set[str] = set()
        self._prefix = ""
        self.pooled: dict[int, tuple[Value, Any]] = {}
        self.states: Any = None

    def run(self, layer: Any, input: Any) -> Any:
        """Return what a layer makes of Values, after adding the nodes that say so."""
        return self._run(self, layer, input)

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        """Let the names of new nodes begin with where a layer stands."""
        before, self._prefix = self._prefix, path
        try:
            yield
        finally:
            self._prefix = before

    # ---------------------------------------------------------------- nodes

    def node(
        self, op: str, *inputs: Any, outputs: int = 1, called: str | None = None, **attributes: Any
    ) -> Any:
        """Add a node, and return the name of its output, or the list of several.

        An input is a Value or the name of one, an array, a number, a list of integers, or None for
        one that is left out.
        """
        from onnx import helper

        names = [self._name_of(given) for given in inputs]
        while not names[-1]:
            names.pop()
        name = f"{self._prefix}.{op}".lstrip(".")
        made = [called or self.fresh(name) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, names, made, made[0], **attributes))
        return made[0] if outputs == 1 else made

    def fresh(self, name: str) -> str:
        """Return a name that nothing has yet, like this one."""
        count, wanted = 0, name
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def _name_of(self, given: Any) -> str:
        if given is None:
            return ""
        if isinstance(given, str):
            return given
        if isinstance(given, Value):
            return given.name
        if isinstance(given, (list, tuple)):
            given = np.array(given, "int64")
        elif not isinstance(given, np.ndarray):
            given = np.array(given, self.dtype)
        return self._constant(given)

    def _constant(self, array: Array) -> str:
        """Return the name of an array; what is shared, or tied to it, is there once."""
        owner: Any = array
        while id(owner) not in self._owners and isinstance(owner.base, np.ndarray):
            owner = owner.base
        name = self._owners.get(id(owner), f"{self._prefix}.constant".lstrip("."))
        if id(owner) not in self._owners:
            key: Any = array.dtype, array.shape, array.tobytes()
        elif array.ndim == 2 and array.flags.f_contiguous and not array.flags.c_contiguous:
            return str(self.node("Transpose", array.T))
        else:
            key = array.ctypes.data, array.shape, array.strides
        if key not in self._known:
            name = self._known[key] = self.fresh(name)
            # A copy: some layers write into an array anew before they run.
            self.constants[name] = array.copy()
        return self._known[key]

    # ---------------------------------------------------------------- shapes

    def reshape(self, input: Value, output: Value) -> str:
        """Return the name of the input in the shape of output."""
        if input.sizes == output.sizes:
            return input.name
        if 0 in (size for pair in output.sizes for size in pair):
            raise UnsayableError("there are no entries in it")
        shape: list[int] = []
        for i, (a, b) in enumerate(output.sizes):
            if a == b:
                shape.append(a)
            elif i < input.ndim and input.sizes[i] == (a, b):
                shape.append(0)
            elif -1 not in shape:
                shape.append(-1)
            else:
                return str(self.node("Reshape", input, self.lengths(output, input)))
        return str(self.node("Reshape", input, shape))

    def lengths(self, output: Value, *sources: Value) -> str:
        """Return the name of the shape of output, whose free sizes are those of some sources."""
        if all(a == b for a, b in output.sizes):
            return self._name_of([a for a, _ in output.sizes])
        parts: list[Any] = []
        for a, b in output.sizes:
            if a == b:
                parts.append([a])
                continue
            found = [(s, s.sizes.index((a, b))) for s in sources if (a, b) in s.sizes]
            if not found:
                raise UnsayableError("its shape depends on the batch in more than one dimension")
            source, axis = found[0]
            parts.append(self.node("Gather", self.node("Shape", source), [axis], axis=0))
        return str(self.node("Concat", *parts, axis=0))

    def reduce(self, op: str, input: Any, axis: int, keepdims: bool = False) -> str:
        """Return the name of a reduction along an axis."""
        if op == "ReduceSum" or self.opset >= 18:
            return str(self.node(op, input, [axis], keepdims=int(keepdims)))
        return str(self.node(op, input, axes=[axis], keepdims=int(keepdims)))

    def slice(self, input: Any, axis: int, start: int, stop: int, step: int = 1) -> str:
        """Return the name of a stretch along an axis."""
        return str(self.node("Slice", input, [start], [stop], [axis], [step]))

    def pick(self, input: Any, axis: int, index: int) -> str:
        """Return the name of what stands at an index of an axis, which is then gone."""
        return str(self.node("Gather", input, np.array(index, "int64"), axis=axis))

    def zeros(self, shape: str, dtype: Any) -> str:
        """Return the name of zeros, of the shape of this name."""
        return str(self.node("Expand", np.zeros((), dtype), shape))

    def pad(
        self, input: Any, pads: Sequence[tuple[int, int]], value: Any = None, **options: Any
    ) -> str:
        """Return the name of the input with entries around, none where all pads are 0."""
        if not any(map(any, pads)):
            return self._name_of(input)
        both = [before for before, _ in pads] + [behind for _, behind in pads]
        return str(self.node("Pad", input, both, value, **options))

    def batched(self, input: Value, sample: int, say: Callable[[Any], str]) -> str:
        """Return what say makes of a batch; one sample, of that many dimensions, becomes one."""
        if input.ndim > sample:
            return say(input)
        one = self.node("Unsqueeze", input, [0])
        return str(self.node("Squeeze", say(one), [0]))

    def cast(self, input: Value, dtype: Any) -> Value:
        """Return a Value in another dtype."""
        from onnx import helper

        if input.dtype == dtype:
            return input
        name = self.node("Cast", input, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
        return input.made(lambda probe: probe.astype(dtype)).named(name)


def probe_of(table: Any, which: int) -> Any:
    """Return a table of the arrays that Values are for one of the two batches."""

    def probe(value: Any) -> Array:
        return value.probes[which]

    return map_arrays(probe, table)


def named(table: Any, names: Any) -> Any:
    """Return a table of Values with these names."""
    if isinstance(table, list):
        return [named(value, name) for value, name in zip(table, names, strict=True)]
    return table.named(names)
