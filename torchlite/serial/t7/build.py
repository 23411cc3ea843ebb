"""From nodes to values: lists, dicts, tables, arrays that share memory, objects, modules."""

import math
from itertools import chain
from typing import Any, BinaryIO

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.serial.t7 import modules
from torchlite.serial.t7.parse import (
    FunctionNode,
    Node,
    ObjectNode,
    Parsed,
    StorageNode,
    TableNode,
    TensorNode,
)
from torchlite.serial.t7.source import KINDS
from torchlite.serial.t7.values import Function, Object, Table
from torchlite.serial.values import RefusalError

__all__ = ["build", "place"]

# So many unknown classes an error lists.
_LISTED = 20
# Tensors can repeat entries without end. Where modules are made of them, they have at most so many
# bytes, and so many times those of the file: a flat tensor and the parameters in it are two times.
_LEAST, _TIMES = 2**24, 10


def build(parsed: Parsed, file: BinaryIO, unknown: str) -> Any:
    """Return the value of a file that was read.

    Tables and objects are there, empty, before the first is filled, so that they can stand in
    themselves. Modules are made from the inside out; where a cycle leads to an object that has not
    become a module yet, its maker finds the object itself.
    """
    if unknown != "keep":
        _must_be_known(parsed)
    _must_be_bounded(parsed)
    made = _values(parsed, file)
    objects = {node: made[node] for node in parsed.opened if isinstance(node, ObjectNode)}
    builder = modules.Builder(list(objects.values()))
    built: dict[int, Any] = {}
    incomplete: list[Any] = []
    for node in parsed.closed:
        if isinstance(node, ObjectNode):
            if modules.known(node.name):
                built[id(made[node])] = _module(builder, parsed, node, made[node])
            del objects[node]
        elif inside := _objects(node):
            _replace(made[node], built)
            if not objects.keys().isdisjoint(inside):
                incomplete.append(made[node])
    builder.finish()
    for holder in incomplete:
        _replace(holder, built)
    root = made[parsed.root] if isinstance(parsed.root, Node) else parsed.root
    return built.get(id(root), root)


def place(path: str, at: int) -> str:
    """Return where in a file something stands: its path in the value, and the byte.

    Example
    -------
    >>> place("['model'].weight", 120), place("", 4)
    ("['model'].weight, byte 120", 'byte 4')
    """
    return f"{path}, byte {at}" if path else f"byte {at}"


def _must_be_known(parsed: Parsed) -> None:
    strange: dict[str, ObjectNode] = {}
    for node in parsed.opened:
        if isinstance(node, ObjectNode) and not modules.known(node.name):
            strange.setdefault(node.name, node)
    if strange:
        node = next(iter(strange.values()))
        name, *others = (name[:80] for name in strange)
        more = others[:_LISTED]
        if len(others) > _LISTED:
            more.append(f"{len(others) - _LISTED} others")
        raise RefusalError(
            place(parsed.path_to(node), node.at),
            f"torchlite does not know the class {name}" + "".join(f", nor {m}" for m in more),
            f't7.register("{name}", ...) makes one known, load(path, unknown="keep") keeps fields',
        )


def _must_be_bounded(parsed: Parsed) -> None:
    """Raise unless the tensors of which modules could be made are about as large as the file."""
    if not any(isinstance(node, ObjectNode) and modules.known(node.name) for node in parsed.opened):
        return
    left = _LEAST + _TIMES * parsed.source.position
    met: set[Any] = set()
    for node in parsed.opened:
        if isinstance(node, TensorNode):
            view = node.storage, node.first, node.sizes, node.strides
            if view not in met:
                met.add(view)
                left -= math.prod(node.sizes) * np.dtype(KINDS[node.kind[1]]).itemsize
            if left < 0:
                problem = "tensors up to here have more entries than a file of this size can hold"
                raise RefusalError(place(parsed.path_to(node), node.at), problem)


def _values(parsed: Parsed, file: BinaryIO) -> dict[Node, Any]:
    """Return what each node stands for; objects stay objects."""
    made: dict[Node, Any] = {}
    for node in parsed.opened:
        if isinstance(node, TableNode):
            made[node] = _empty(node)
        elif isinstance(node, ObjectNode):
            made[node] = Object(node.name, {}, node.version)
        elif isinstance(node, FunctionNode):
            made[node] = Function(node.code, None, node.tag)
        elif isinstance(node, StorageNode):
            made[node] = node.numbers.read(file)
    for node in parsed.closed:
        if isinstance(node, TensorNode):
            made[node] = _view(node, made)

    def value(said: Any) -> Any:
        return made[said] if isinstance(said, Node) else said

    for node, holder in made.items():
        if isinstance(node, TableNode):
            values = map(value, node.entries[1::2])
            if isinstance(holder, list):
                # The keys are 1..n, in whatever order.
                holder += [None] * (len(node.entries) // 2)
                for key, entry in zip(node.entries[::2], values, strict=True):
                    holder[key - 1] = entry
            else:
                holder.update(zip(map(value, node.entries[::2]), values, strict=True))
        elif isinstance(node, ObjectNode):
            holder.fields = made[node.content]
        elif isinstance(node, FunctionNode):
            holder.upvalues = value(node.upvalues)
    return made


def _empty(node: TableNode) -> Any:
    if node.is_list():
        return []
    plain = all(type(key) in (str, bytes, int, float) for key in node.entries[::2])
    return {} if plain else Table()


def _view(node: TensorNode, made: dict[Node, Any]) -> Array:
    """Return the entries of its storage that a tensor is."""
    dtype = np.dtype(KINDS[node.kind[1]])
    if node.storage is None:
        return np.empty(0, dtype)
    whole = made[node.storage]
    if not node.sizes:
        return whole[:0]
    strides = [stride * dtype.itemsize for stride in node.strides]
    # NumPy sees to it once more that no entry lies outside.
    array: Array = np.ndarray(node.sizes, dtype, whole, node.first * dtype.itemsize, strides)
    if any(size > 1 and not stride for size, stride in zip(node.sizes, strides, strict=True)):
        array.flags.writeable = False
    return array


def _module(builder: modules.Builder, parsed: Parsed, node: ObjectNode, made: Object) -> Any:
    try:
        return builder.build(made, "")
    except RefusalError as error:
        inside = error.where if error.where[:1] in (".", "[", "") else f".{error.where}"
        path = f"{parsed.path_to(node)}{inside}".lstrip(".")
        raise RefusalError(place(path, node.at), error.problem, error.hint) from error.__cause__


def _objects(node: Node) -> set[ObjectNode]:
    """Return the objects that stand in a table or function."""
    inside = chain.from_iterable(node.inside())
    return {said for said in inside if isinstance(said, ObjectNode)}


def _replace(holder: Any, built: dict[int, Any]) -> None:
    """Put modules in the place of the objects that they were made of."""

    def new(value: Any) -> Any:
        return built.get(id(value), value)

    if isinstance(holder, list):
        holder[:] = map(new, holder)
    elif isinstance(holder, Function):
        holder.upvalues = new(holder.upvalues)
    else:
        entries = [(new(key), new(value)) for key, value in holder.items()]
        holder.clear()
        holder.update(entries)
