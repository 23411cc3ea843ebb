"""Container: a module made of modules."""

import copy
import operator
from collections.abc import Callable, Iterator
from typing import Any, Self, SupportsIndex, TypeGuard, final, overload

from torchlite.errors import DTypeError, StateError, TorchliteError, fault
from torchlite.kernels.arrays import Array
from torchlite.nn import checks, holders
from torchlite.nn.module import Module
from torchlite.nn.ties import Gathered
from torchlite.nn.tree import walk

__all__ = ["Container", "locate"]


class Container(Module):
    """A module made of modules, which it calls in its own way.

    Positions count from 0, negative ones from the end. `net[i]` is a module, `net[i:j]` a
    container of the same kind with these modules (the same ones, not copies); `len(net)` counts
    them and `for module in net` visits them. An empty container is falsy: never test `if net`.

    Attributes
    ----------
    modules
        The list of modules.

    Raises
    ------
    DTypeError
        What is added is no Module.
    StateError
        A module that remembers its forward is added a second time to a network: to this container,
        to one inside it or to one around it. Modules stand more than 100 deep inside one another:
        a pickle of such a network takes more of Python's calls inside calls than there may be.
    IndexError
        There is no such position.

    Example
    -------
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU()).add(nn.Linear(8, 2))
    >>> net[-1], len(net), net.insert(nn.Identity(), 0).size()
    (Linear(8 -> 2), 3, 4)

    Reference
    ---------
    Torch7, nn/Container.lua.
    """

    transient = (*Module.transient, "_beneath")
    _caches = (*Module._caches, "_beneath")
    remembers = True
    # Whether parameters() is what the modules' say; a class of its own may say something else.
    _gathers = True
    # What the modules' parameters were found to be last, where it does.
    _beneath: Gathered | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._gathers = cls.parameters is Container.parameters
        cls._puts_back = False

    modules: list[Module]

    def __init__(self, *modules: Module) -> None:
        self.modules = []
        for module in modules:
            self.add(module)

    def add(self, module: Module) -> Self:
        """Append a module. Return self."""
        return self.insert(module)

    def insert(self, module: Module, index: SupportsIndex | None = None) -> Self:
        """Insert a module before position index, at the end without one. Return self."""
        method = "add" if index is None else "insert"
        if not isinstance(module, Module):
            raise _no_module(self, f"{type(self).__name__}.{method}", module)
        position = len(self) if index is None else self._position(method, index, len(self) + 1)
        again = holders.standing_already(self, module)
        if again is not None:
            raise StateError(
                f"{type(self).__name__}.{method}: {checks.title(again)} remembers its forward "
                "and stands in this network already",
                layer=self,
                method=method,
                argument="module",
                hint="add clone('weight', 'bias', 'gradWeight', 'gradBias') instead",
            )
        if holders.depth(self, module) > holders.DEEPEST:
            raise fault(
                StateError,
                f"{type(self).__name__}.{method}",
                "modules",
                f"at most {holders.DEEPEST} deep inside one another",
                "more",
                layer=self,
                method=method,
                hint="side by side they may be as many as you like",
            )
        self.modules.insert(position, module)
        holders.added(self, module)
        return self

    def remove(self, index: SupportsIndex | None = None) -> Self:
        """Remove the module at position index, the last one without index. Return self."""
        del self.modules[self._position("remove", -1 if index is None else index, len(self))]
        holders.removed(self)
        return self

    def get(self, index: SupportsIndex) -> Module:
        """Return the module at position index."""
        return self.modules[self._position("get", index, len(self))]

    def applyToModules(self, function: Callable[[Module], Any]) -> Self:
        """Call function on every module, but not on what is inside these. Return self."""
        for module in self.modules:
            function(module)
        return self

    def size(self) -> int:
        """Return the number of modules."""
        return len(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules)

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    @overload
    def __getitem__(self, index: SupportsIndex) -> Module: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Module:
        if not isinstance(index, slice):
            return self.get(index)
        part = copy.copy(self)
        part.modules = self.modules[index]
        return part

    @final
    def _position(self, method: str, index: SupportsIndex, end: int) -> int:
        """Return index counted from 0, if it is in range(-end, end)."""
        try:
            position = operator.index(index)
        except TypeError:
            where = f"{type(self).__name__}.{method}"
            raise fault(
                DTypeError, where, "index", "an integer", repr(index), layer=self, method=method
            ) from None
        if not -end <= position < end:
            raise IndexError(
                f"{type(self).__name__}.{method}: index {position} is out of range for "
                f"{len(self)} modules, counting from 0"
            )
        return position % end

    # ---------------------------------------------------------------- the mode

    @property
    def train(self) -> bool:
        """Whether it is in training mode; to set it switches everything inside, too."""
        return bool(vars(self).get("train", True))

    @train.setter
    def train(self, train: bool) -> None:
        self._switch(bool(train))

    # ---------------------------------------------------------------- parameters

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """Return the parameters of all modules and their gradients, each pair once.

        Of parameters that are views of one memory, the one that holds the others stands for all.
        """
        slot = "_gathered_pairs" if self._gathers else "_beneath"
        gathered = self._gather("parameters", slot, *self._listed_by_modules())
        return list(gathered.parameters), list(gathered.gradients)

    @final
    def _listed_parameters(self) -> tuple[list[Array], list[Array]]:
        return self._listed_by_modules() if self._gathers else self.parameters()

    @final
    def _listed_by_modules(self) -> tuple[list[Array], list[Array]]:
        parameters: list[Array] = []
        gradients: list[Array] = []
        try:
            self._list(parameters, gradients)
        except (AttributeError, TypeError):
            _must_hold_modules(self)
            raise
        return parameters, gradients

    @final
    def _still_stands(self, gathered: Gathered) -> bool:
        try:
            if gathered.standing is not None and _stand(self.modules, gathered.standing):
                return True
        except (AttributeError, TypeError):
            _must_hold_modules(self)
            raise
        holds = super()._still_stands(gathered)
        if holds and self._gathers and not gathered.asks:
            gathered.standing = _standing(self.modules)
            gathered.asks = gathered.standing is None
        return holds

    @final
    def _list(self, parameters: list[Array], gradients: list[Array]) -> None:
        for module in self.modules:
            if module._gathers and _only_gathers(module):
                module._list(parameters, gradients)
            else:
                own, own_gradients = module.parameters()
                parameters += own
                gradients += own_gradients


def _only_gathers(container: Module) -> TypeGuard[Container]:
    """Tell whether the container itself has no `parameters` of its own; its class has none."""
    # To look into its vars would make all its attributes slower, from then on, on Python 3.11.
    return getattr(container.parameters, "__func__", None) is Container.parameters


def _standing(modules: list[Module]) -> list[Any] | None:
    """Return what `_stand` compares to see whether modules have the parameters that they have now.

    None, if a module has a `parameters` of its own, which has to be asked each time.
    """
    rows = []
    for module in modules:
        inside = None
        if module._gathers and _only_gathers(module):
            inside = _standing(module.modules)
            if inside is None:
                return None
        elif getattr(module.parameters, "__func__", None) is not Module.parameters:
            return None
        arrays = module.weight, module.bias, module.gradWeight, module.gradBias
        rows.append((module.parameters, *arrays, inside))
    return rows


def _stand(modules: list[Module], standing: list[Any]) -> bool:
    """Tell whether modules, and the arrays that they train, are those that were noted."""
    if len(modules) != len(standing):
        return False
    for i, (method, weight, bias, gradWeight, gradBias, inside) in enumerate(standing):
        module = modules[i]
        if (
            module.weight is not weight
            or module.bias is not bias
            or (weight is not None and module.gradWeight is not gradWeight)
            or (bias is not None and module.gradBias is not gradBias)
            # Methods are equal if their module is the same one.
            or module.parameters != method
            or (inside is not None and not _stand(module.modules, inside))
        ):
            return False
    return True


def locate(error: BaseException, holder: Any, position: int, story: str = "") -> None:
    """Add to an error that came out of a part where that stands, and what led there.

    Raises
    ------
    DTypeError
        The part is no module: that was put into the list `modules` behind the container's back.
    """
    if isinstance(error, (AttributeError, TypeError)) and not isinstance(error, TorchliteError):
        _must_hold_modules(holder)
    error.add_note(f"  at [{position}] of {type(holder).__name__}{story and ': '}{story}")
    if isinstance(error, TorchliteError):
        error.path = (position, *error.path)


def _must_hold_modules(container: Any) -> None:
    """Raise DTypeError if something else stands in `modules`, or in those of a module inside."""
    for place in walk(container):
        for i, part in enumerate(getattr(place.module, "modules", None) or ()):
            if not isinstance(part, Module):
                where = f"{type(container).__name__}{place.path}"
                raise _no_module(place.module, where, part, f"modules[{i}]") from None


def _no_module(holder: Any, where: str, thing: Any, argument: str = "module") -> DTypeError:
    got, hint = type(thing).__name__, None
    if isinstance(thing, type):
        got = f"the class {thing.__name__}"
        hint = f"{thing.__name__}() makes one" if issubclass(thing, Module) else None
    elif hasattr(thing, "graphNodeName"):
        hint = "nn.gModule(inputs, outputs) is a network of nodes"
    elif isinstance(thing, (list, tuple)):
        hint = "each module is an argument of its own: *modules"
    elif isinstance(thing, dict):
        hint = "each module is an argument of its own: *modules.values()"
    elif thing is None and argument != "module":
        hint = "nn.Identity() lets a value pass"
    method = where.partition(".")[2] or None
    return fault(
        DTypeError, where, argument, "a Module", got, layer=holder, method=method, hint=hint
    )
