"""Which containers a module stands in, so that none that remembers is added a second time.

And how deep: forward takes one of Python's calls inside calls for each level, of which there may be
1,000; backward takes two, printing three, a pickle five.

A module knows its containers, and who makes use of its last forward, weakly, in a slot: no copy, no
file and no walk over attributes sees it. Listing the whole network at each addition instead would
make building it quadratic.
"""

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakValueDictionary

# How many modules may stand inside one another, the container around all and the innermost counted.
DEEPEST = 100


def standing_already(container: Any, module: Any) -> Any:
    """Return what in module remembers its forward and stands in container's network, or None.

    The network reaches up to whatever container stands in.
    """
    _note(container)
    inside = _inside(module)
    if id(container) in inside:
        return container
    remembering = [part for part in inside.values() if part.remembers or _is_recalled(part)]
    elsewhere = _above(remembering, inside)
    if elsewhere:
        for top in {id(container): container, **_above([container], {})}.values():
            if id(top) in elsewhere:
                network = _inside(top)
                return next(part for part in remembering if id(part) in network)
    return None


def recall(module: Any, other: Any) -> bool:
    """Note that module makes use of the last forward of other; tell whether that stands once.

    That is, once in each network that it stands in.
    """
    _stands(other, module)
    places: dict[int, int] = {}
    for holder in _held_by(other):
        here = sum(part is other for part in holder.modules)
        for container in {id(holder), *_above([holder], {})}:
            places[container] = places.get(container, 0) + here
    return all(count == 1 for count in places.values())


def depth(container: Any, module: Any) -> int:
    """Return how many modules would stand inside one another with module in container."""
    levels = _levels([container], _ever_held_by) + _levels([module], _inner)
    if levels > DEEPEST:
        # Some containers may have been taken apart since.
        levels = _levels([container], _held_by) + _levels([module], _inner)
    return levels


def added(container: Any, module: Any) -> None:
    """Note that module was put into container, all of whose modules were noted before."""
    _stands(module, container)
    container._noted = len(container.modules)


def removed(container: Any) -> None:
    """Note that one module less stands in container; where it stood is looked up when asked."""
    if getattr(container, "_noted", None) == len(container.modules) + 1:
        container._noted -= 1


def _inside(module: Any) -> dict[int, Any]:
    """Return module and everything inside it by id, outer ones first, and note where it stands."""
    found: dict[int, Any] = {}
    waiting = [module]
    while waiting:
        part = waiting.pop()
        if id(part) not in found:
            found[id(part)] = part
            if part.modules:
                _note(part)
                waiting.extend(reversed(part.modules))
    return found


def _above(modules: Iterable[Any], apart: dict[int, Any]) -> dict[int, Any]:
    """Return every container that holds one of the modules at any depth, but for those apart."""
    found: dict[int, Any] = {}
    waiting = list(modules)
    while waiting:
        part = waiting.pop()
        for holder in _ever_held_by(part):
            known = id(holder) in found or id(holder) in apart
            if not known and _holds(holder, part):
                found[id(holder)] = holder
                waiting.append(holder)
    return found


def _levels(modules: list[Any], following: Callable[[Any], Iterable[Any]]) -> int:
    """Return how many steps lead from these modules to the last ones, or that it is too many."""
    count = 0
    while modules and count <= DEEPEST:
        count += 1
        modules = list({id(one): one for module in modules for one in following(module)}.values())
    return count


def _inner(module: Any) -> Any:
    return module.modules


def _ever_held_by(module: Any) -> list[Any]:
    """Return the containers that hold the module, and those that did."""
    return list(getattr(module, "_holders", {}).values())


def _held_by(module: Any) -> list[Any]:
    """Return the containers that hold the module."""
    return [holder for holder in _ever_held_by(module) if _holds(holder, module)]


def _holds(container: Any, module: Any) -> bool:
    return any(part is module for part in container.modules)


def _note(container: Any) -> None:
    """Note what stands in a container, unless that is done: copies come without."""
    if getattr(container, "_noted", None) != len(container.modules):
        for module in container.modules:
            _stands(module, container)
        container._noted = len(container.modules)


def _is_recalled(module: Any) -> bool:
    """Tell whether another module makes use of what this one's last forward has left."""
    others = _ever_held_by(module)
    return any(getattr(other, name) is module for other in others for name in other._recalls)


def _stands(module: Any, container: Any) -> None:
    # Nothing is asked about a layer that may stand in several places.
    if module.remembers or module._may_be_recalled or module.modules != ():
        try:
            module._holders[id(container)] = container
        except AttributeError:
            module._holders = WeakValueDictionary({id(container): container})
    for name in module._recalls:
        # What is being read from a file may not have it yet.
        if (other := getattr(module, name, None)) is not None:
            _stands(other, module)
