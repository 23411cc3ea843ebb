"""What a module is made of: the modules inside it, and where its parameters stand.

`modules` and attributes say what is inside a module, `parameters()` says what is trained. Whoever
wants to know either finds it here.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.views import overlaps
from torchlite.nn.stateful import arrays_in, attributes, inside

__all__ = ["Located", "Place", "gradient_names", "name_of", "rows", "walk"]


class Place(NamedTuple):
    """A module, and how it is reached.

    Attributes
    ----------
    module
        The module (or criterion).
    step
        How it is reached from the one around it: "[0]", ".encoder".
    outer
        The place of the one around it; None at the top.
    """

    module: Any
    step: str = ""
    outer: "Place | None" = None

    @property
    def around(self) -> "list[Place]":
        """The places around it and itself, from the outside in."""
        places = [self]
        while places[-1].outer is not None:
            places.append(places[-1].outer)
        return places[::-1]

    @property
    def path(self) -> str:
        """What one would write after the name of the network: "[2][1]", ".encoder[0]"."""
        return "".join(place.step for place in self.around)


class Located(NamedTuple):
    """A parameter where it stands.

    Attributes
    ----------
    place
        The module that holds it.
    name
        The attribute, or attribute and position, that it is there: "weight", "weights[1]".
    parameter, gradient
        The arrays.
    entries
        Where its numbers stand in the flat array of `getParameters()`: a slice, or an array of
        positions in its shape.
    """

    place: Place
    name: str
    parameter: Array
    gradient: Array
    entries: slice | Array | None = None


def walk(root: Any, into: Callable[[Any], bool] = lambda part: True) -> Iterator[Place]:
    """Yield the places of a module and of all that is inside it, outer ones first.

    What stands in several places of `modules` is met in each of them; what is held by an attribute
    or a list is left out where it was met before. into tells of each part whether to go on with
    what is inside it.

    Raises
    ------
    StateError
        A module stands inside itself.
    """
    met: set[int] = set()
    around: set[int] = set()
    waiting: list[tuple[Place, bool]] = [(Place(root), True)]
    while waiting:
        place, comes = waiting.pop()
        part = place.module
        if not comes:
            around.discard(id(part))
            continue
        # ".encoder" or ".parts[0]", but not "[0]".
        if place.step.startswith(".") and id(part) in met:
            continue
        if id(part) in around:
            raise StateError(
                f"{type(root).__name__}: {type(part).__name__} stands inside itself, at "
                f"{place.path}",
                layer=part,
                hint="an attribute that only refers to a module is named in the class's refers",
            )
        met.add(id(part))
        around.add(id(part))
        yield place
        waiting.append((place, False))
        if into(part):
            waiting += [(Place(inner, step, place), True) for step, inner in inside(part)][::-1]


def name_of(part: Any, array: Array) -> str | None:
    """Return the name by which a part holds an array itself, or None if it does not.

    Example
    -------
    >>> import torchlite as nn
    >>> layer = nn.Linear(2, 3)
    >>> name_of(layer, layer.gradBias)
    'gradBias'
    """
    for keys, held in arrays_in(attributes(part)):
        if held is array:
            return str(keys[0]) + "".join(f"[{key!r}]" for key in keys[1:])
    return None


def rows(root: Any) -> Iterator[Located]:
    """Yield what `parameters()` of a module trains, at every place where it stands.

    A parameter that a module holds by an attribute of its own stands there; others stand in the
    modules inside. The entries are left out.
    """
    found = [row for place in walk(root) for row in _own(place)]
    trained = {(id(p), id(g)) for p, g in zip(*root.parameters(), strict=True)}
    known = {id(row.parameter): row.parameter for row in found}
    listed = {key for key, _ in trained}
    arrays = [*known.values(), *(p for p in root.parameters()[0] if id(p) not in known)]
    # A view of what is trained is trained with it.
    tied = {
        id(arrays[other])
        for pair in overlaps(arrays)
        for one, other in (pair, pair[::-1])
        if id(arrays[one]) in listed
    }
    for row in found:
        if (id(row.parameter), id(row.gradient)) in trained or id(row.parameter) in tied:
            yield row


def _own(place: Place) -> Iterator[Located]:
    """Yield the parameters that are the module's own, not those of the modules inside it."""
    part = place.module
    if not hasattr(part, "parameters") or part._gathers:
        return
    elsewhere = {
        id(parameter)
        for _, inner in inside(part)
        if hasattr(inner, "parameters")
        for parameter in inner.parameters()[0]
    }
    for parameter, gradient in zip(*part.parameters(), strict=True):
        # A property may hand on what stands inside: WeightNorm.bias.
        handed_on = (name for name in ("weight", "bias") if getattr(part, name) is parameter)
        name = name_of(part, parameter) or next(handed_on, None)
        if name is not None or id(parameter) not in elsewhere:
            yield Located(place, name or "a parameter", parameter, gradient)


def gradient_names(module: Any) -> list[str]:
    """Return names for the gradients that parameters() returns, in its order.

    Example
    -------
    >>> import torchlite as nn
    >>> gradient_names(nn.Sequential(nn.Linear(2, 3)))
    ['[0].gradWeight', '[0].gradBias']
    """
    names: dict[int, str] = {}
    for row in rows(module):
        name = name_of(row.place.module, row.gradient)
        if name:
            names.setdefault(id(row.gradient), f"{row.place.path}.{name}".lstrip("."))
    return [
        names.get(id(gradient), f"gradient {i}")
        for i, gradient in enumerate(module.parameters()[1])
    ]
