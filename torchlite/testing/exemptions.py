"""What is not asked of a layer: what its class declares, and what the caller names."""

from collections.abc import Collection, Mapping
from typing import Any

from torchlite.errors import DTypeError, SettingError, fault
from torchlite.nn.tree import walk
from torchlite.testing.properties import CRITERION_PROPERTIES, PROPERTIES

__all__ = ["Exemptions", "around"]

# Of one docstring alone.
_OWN = {"maths"}
# A gradInput that is not the derivative is the gradOutput of what stands before.
_ALONG = {"gradInput": ("gradInput", "gradParameters")}


class Exemptions:
    """The reasons why properties are not asked of a layer and of the layers inside it.

    What a class declares as `exempt` is not asked of its layers, what the caller names by a path
    not of the layer there and of those inside. Neither is asked of what stands around: a network
    computes what its layers compute.
    """

    def __init__(
        self, caller: str, top: Any, given: Mapping[str, str], properties: Collection[str]
    ) -> None:
        if not isinstance(given, Mapping):
            hint = '{"gradInput": "why"}'
            got = type(given).__name__
            raise fault(DTypeError, caller, "exempt", "a dict of reasons", got, hint=hint)
        self.properties = properties
        self.kinds = {place.path: type(place.module).__name__ for place in walk(top)}
        self.given: dict[str, dict[str, str]] = {}
        for key, reason in given.items():
            path, _, name = key.rpartition(".")
            if path and path[0] not in "[.":
                # As failures name it, or an attribute.
                path = path.removeprefix("net") if path[:4] in ("net[", "net.") else f".{path}"
            if name not in properties:
                expected = "one of " + ", ".join(properties)
                raise fault(SettingError, caller, "a property", expected, repr(name))
            if path not in self.kinds:
                paths = ", ".join(filter(None, self.kinds))
                expected = f"one of {paths or 'those inside, and there are none'}"
                raise fault(SettingError, caller, "a path", expected, repr(path))
            self.given.setdefault(path, {})[name] = reason
        self.own = {
            place.path: own
            for place in walk(top)
            if (own := {**_declared(place.module), **self.given.get(place.path, {})})
        }

    def of(self, path: str = "") -> dict[str, str]:
        """Return what is not asked of the layer at a path, and why."""
        found: dict[str, str] = {}
        for outer, given in self.given.items():
            if _within(path, outer):
                found.update(given)
        found.update(self.own.get(path, {}))
        for inner, own in self.own.items():
            if inner != path and _within(inner, path):
                where = f"{inner[len(path) :]} {self.kinds[inner]}"
                for name, reason in own.items():
                    for along in around(name):
                        found.setdefault(along, f"{where}: {reason}")
        return {name: found[name] for name in self.properties if name in found}

    def report(self, wanted: Collection[str]) -> dict[str, str]:
        """Return all that is exempt of what is wanted, by property, or path and property."""
        found = self.of()
        for path, own in self.own.items():
            if path:
                found.update({f"{path}.{name}": own[name] for name in _OWN & own.keys()})
        return {key: why for key, why in found.items() if key.rpartition(".")[2] in wanted}


def around(name: str) -> tuple[str, ...]:
    """Return the properties that do not hold of a container if this one does not inside it."""
    return () if name in _OWN else _ALONG.get(name, (name,))


def _declared(layer: Any) -> dict[str, str]:
    known = {**PROPERTIES, **CRITERION_PROPERTIES}
    kind = type(layer).__name__
    if not isinstance(layer.exempt, Mapping):
        got = type(layer.exempt).__name__
        raise fault(DTypeError, kind, "exempt", "a dict of reasons", got)
    for name in layer.exempt:
        if name not in known:
            raise fault(SettingError, kind, "exempt", "of " + ", ".join(known), repr(name))
    return dict(layer.exempt)


def _within(inner: str, outer: str) -> bool:
    """Tell whether the path of inner begins with that of outer."""
    return inner.startswith(outer) and inner[len(outer) : len(outer) + 1] in {"", "[", "."}
