"""From a network to its description: parts, what they hold, and the arrays by name."""

import re
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, printable
from torchlite.kernels.arrays import Array
from torchlite.kernels.views import Lattice, lattice
from torchlite.nn import checks
from torchlite.nn.container import Container
from torchlite.nn.criterion import Criterion
from torchlite.nn.holders import DEEPEST
from torchlite.nn.module import Module
from torchlite.nn.stateful import Stateful
from torchlite.nn.ties import ties_of
from torchlite.serial import archive, classes, npy
from torchlite.serial.values import RefusalError, encode, path_to

__all__ = ["Description", "attribute_problem", "look_at", "must_be_tree", "refusal", "state_of"]

# All modules of a file, those that stand in several places counted each time.
MOST_PARTS = 2**16

# What a class says of its instances, and no instance of itself.
_BOOKKEEPING = {"transient", "remembers", "refers"} | {
    name
    for base in (Stateful, Module, Container, Criterion)
    for name in vars(base)
    if name.startswith("_") and name != "_dtype"
}


class Description:
    """What a file will hold.

    Attributes
    ----------
    content
        The value to be saved, described.
    parts
        For each module and criterion, in the order in which they are met: its class and state.
    arrays
        The arrays by name. A name is the path of the array in the network, "[0].weight" as
        "0.weight".
    views
        By name, the arrays that are views of others of the network: the name of the other, and
        where their entries stand in its memory. They are described, not held.
    """

    def __init__(self, content: Any, where: str, gradients: bool) -> None:
        self.parts: list[dict[str, Any]] = []
        self.arrays: dict[str, Array] = {}
        self._numbers: dict[int, int] = {}
        self._waiting: list[tuple[Any, str]] = []
        self._met: list[tuple[dict[str, Any], str, Any, str]] = []
        self._names: dict[int, str] = {}
        self.content = encode(content, where, self._refer)
        # Whoever saves a gradient by its own name wants its numbers.
        wanted = {id(array) for _, _, array, _ in self._met}
        # The list grows while it is walked through: no recursion, however deep the network is.
        for part, path in self._waiting:
            self.parts.append(_described(part, path, self._refer))
        must_be_tree([part for part, _ in self._waiting])
        for part, path in self._waiting:
            try:
                look_at(part)
            except Exception as error:
                problem = f"a {type(part).__name__} like this could not be loaded: {error}"
                raise RefusalError(path, problem) from error
        partners = {} if gradients else _gradients([part for part, _ in self._waiting])
        left_out = partners.keys() - wanted
        self.views: dict[str, tuple[str, Lattice]] = {}
        # A flat array beside the network holds all others, which are to have names nevertheless.
        views = _views([array for *_, array, _ in self._met if id(array) not in wanted])
        for node, kind, array, path in self._met:
            if id(array) not in left_out and id(array) not in views:
                node[kind] = self._name(array, path)
        for node, _, array, path in self._met:
            if id(array) in left_out and id(array) not in views:
                known = self._names.get(id(partners[id(array)]))
                if known is None:
                    # One of several gradients of a parameter, say: it goes along, as zeros.
                    node["array"] = self._name(array, path, np.zeros(array.shape, array.dtype))
                else:
                    node["gradient"] = known
        nodes = {id(array): node for node, _, array, _ in self._met}
        for node, _, array, path in self._met:
            if id(array) in views:
                whole, entries = views[id(array)]
                node["view"] = [nodes[id(whole)], *entries]
                if "array" in nodes[id(whole)]:
                    self.views[self._new_name(path)] = nodes[id(whole)]["array"], entries

    def _refer(self, kind: str, value: Any, where: str) -> dict[str, Any]:
        node: dict[str, Any] = {}
        if kind == "part":
            if id(value) not in self._numbers:
                self._numbers[id(value)] = len(self._waiting)
                self._waiting.append((value, where))
            node[kind] = self._numbers[id(value)]
        else:
            self._met.append((node, kind, value, where))
        return node

    def _name(self, array: Array, path: str, values: Any = None) -> str:
        if id(array) not in self._names:
            if len(self.arrays) == archive.MOST_MEMBERS - 1:
                raise RefusalError(path, f"there are more than {len(self.arrays)} arrays")
            name = self._new_name(path)
            self._names[id(array)] = name
            self.arrays[name] = array if values is None else values
        return self._names[id(array)]

    def _new_name(self, path: str) -> str:
        name = re.sub("[^A-Za-z0-9_]+", ".", path).strip(".")[-200:] or "array"
        return f"{name}~{len(self.arrays)}" if name in self.arrays else name


def state_of(part: Stateful, where: str) -> dict[str, Any]:
    """Return what a part says it holds, after checking that it can be given back to it."""
    state: Any = part.__getstate__()
    if type(state) is not dict:
        raise RefusalError(where, f"its __getstate__ returns a {type(state).__name__}, not a dict")
    for name, value in state.items():
        problem = attribute_problem(type(part), name, value)
        if problem:
            raise RefusalError(where, problem)
    return state


def attribute_problem(kind: type[Stateful], name: Any, value: Any) -> str | None:
    """Return why an instance of this class cannot hold the value under this name, or None."""
    if not (isinstance(name, str) and name.isidentifier()) or name.startswith("__"):
        return f"{name!r} is no name of an attribute"
    if name in _BOOKKEEPING:
        return f"{name} is said by the class, not saved with what is made of it"
    if name == "_dtype" and not (isinstance(value, np.dtype) and value in checks.FLOATING):
        return f"_dtype must be {checks.FLOATING_NAMES}, got {repr(value)[:80]}"
    there = getattr(kind, name, None)
    # A container's train is a property whose value stands under its own name.
    if callable(there) or (hasattr(type(there), "__set__") and name != "train"):
        return f"{name} is a method or property of {kind.__name__}, not something to be saved"
    if name in kind.transient and value is not None:
        return f"{name} is what a call leaves behind, not something to be saved"
    return None


def _unknown(part: Stateful, where: str) -> RefusalError:
    # Which knows every class of Torch7: loaded where it is needed.
    from torchlite.serial.t7.kept import Kept

    name = type(part).__name__
    hint = f"serial.register({name!r}, {name}) makes it known"
    if isinstance(part, Kept):
        name = part.object.name
        hint = f"t7.register({name!r}, ...) before t7.load, and serial.register, make it known"
    return RefusalError(where, f"{name} is not a class that files know", hint)


def _described(part: Stateful, where: str, refer: Any) -> dict[str, Any]:
    kind = type(part)
    name = classes.name_of(kind)
    if name is None:
        raise _unknown(part, where)
    state = {
        key: encode(value, path_to(where, key), refer)
        for key, value in state_of(part, where).items()
    }
    return {"class": name, "state": state}


def _views(arrays: list[Array]) -> dict[int, tuple[Array, Lattice]]:
    """Return for the id of each view of another array that one, and where its entries stand."""
    found = {}
    for cover in ties_of(list({id(array): array for array in arrays}.values())):
        whole = cover.pair[0]
        for (array, _), _ in cover.tied:
            where = lattice(npy.in_memory(whole), array)
            if where is not None:
                found[id(array)] = whole, where
    return found


def _gradients(parts: list[Stateful]) -> dict[int, Array | None]:
    """Return for the id of each gradient its parameter, or None if it is not that alone."""
    partners: dict[int, Array | None] = {}
    owners: dict[int, int] = {}
    for part in parts:
        # What a container gathers its modules say, too.
        if not isinstance(part, Module) or part._gathers:
            continue
        for parameter, gradient in zip(*part.parameters(), strict=True):
            alone = (
                partners.setdefault(id(gradient), parameter) is parameter
                and owners.setdefault(id(parameter), id(gradient)) == id(gradient)
                and parameter.shape == gradient.shape
                and parameter.dtype == gradient.dtype
            )
            if not alone:
                partners[id(gradient)] = None
    return partners


def refusal(method: str, error: RefusalError) -> DTypeError:
    """Return the error that says what cannot be saved, and where it stands."""
    before = f"{error.where}: " if error.where else ""
    return DTypeError(f"{method}: {before}{error.problem}", method=method, hint=error.hint)


def must_be_tree(parts: list[Stateful]) -> None:
    """Raise unless what stands in `modules` are modules, in trees of a bearable size.

    Criterions of criterions are trees, too. A file of a few lines can describe a network that
    contains itself, or 2**100 layers by putting the same two into each other again and again; or
    thousands of modules around one tree, each of which walks through all of it when it is asked
    for its parameters.

    Example
    -------
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.ReLU())
    >>> net.modules.append(net)
    >>> must_be_tree([net])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    torchlite.serial.values.RefusalError: ... modules are nested more than 100 deep...
    """
    known: dict[int, tuple[int, int]] = {}

    def measure(part: Stateful, depth: int) -> tuple[int, int]:
        if id(part) not in known:
            name, word, held = type(part).__name__, *_inside(part)
            if depth > DEEPEST:
                raise RefusalError("", f"{name}: {word} are nested more than {DEEPEST} deep")
            inside = [measure(inner, depth + 1) for inner in held]
            size = 1 + sum(size for size, _ in inside)
            height = 1 + max((height for _, height in inside), default=0)
            if height > DEEPEST:
                raise RefusalError("", f"{name}: {word} are nested more than {DEEPEST} deep")
            if size > MOST_PARTS:
                raise RefusalError("", f"{name}: there are more than {MOST_PARTS} {word} in it")
            known[id(part)] = size, height
        return known[id(part)]

    asked = 0
    for part in parts:
        size, _ = measure(part, 0)
        own_way = isinstance(part, Module) and type(part).parameters is not Container.parameters
        if size > 1 and own_way:
            asked += size
            if asked > MOST_PARTS:
                problem = f"several stand around the same more than {MOST_PARTS} modules"
                raise RefusalError("", f"{type(part).__name__}: {problem}")


def look_at(part: Stateful) -> None:
    """Let the part name its parameters and, if it is a single layer, print itself.

    What cannot do so is refused by whoever reads a file, and so by whoever writes one.
    """
    if isinstance(part, Module) and type(part).parameters is not Container.parameters:
        for parameter, gradient in zip(*part.parameters(), strict=True):
            if parameter.shape != gradient.shape:
                raise ValueError(f"parameter {parameter.shape}, gradient {gradient.shape}")
    if not getattr(part, "modules", ()):
        text = repr(part)
        # What classes from elsewhere print is their own affair: colours, say.
        if classes.is_own(type(part)) and printable(text) != text:
            raise ValueError(f"it would print {text[:80]!r}")


def _inside(part: Stateful) -> tuple[str, list[Any]]:
    """Return what a part holds in its tree: the modules, checked, or criterions."""
    if not isinstance(part, Module):
        held = getattr(part, "criterions", ())
        held = held if isinstance(held, (list, tuple)) else ()
        return "criterions", [inner for inner in held if isinstance(inner, Stateful)]
    name = type(part).__name__
    modules: Any = part.modules
    if type(modules) not in (list, tuple) or not all(
        isinstance(inner, Module) for inner in modules
    ):
        raise RefusalError("", f"{name}: modules must be a list of modules")
    if isinstance(part, Container) and type(modules) is tuple:
        raise RefusalError("", f"{name}: modules must be a list, not a tuple")
    return "modules", list(modules)
