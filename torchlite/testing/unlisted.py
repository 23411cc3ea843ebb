"""What has a gradient, by its name or by what happens to it, and is returned by no parameters()."""

import re
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, is_floating, scale_arrays
from torchlite.nn.stateful import Stateful
from torchlite.nn.tree import Place, rows, walk
from torchlite.testing.subject import quietly

__all__ = ["check_unlisted"]

# With such a word, the docstring of a parameters() says that it leaves out what it names.
LEFT_OUT = re.compile(
    r"\b(not|no|nothing|never|only|but|without|except|besides|apart|frozen|fixed|constant|"
    r"stays?|leaves?|keeps?|pretrained)\b",
    re.IGNORECASE,
)
# What holds no numbers of a module: parts are visited themselves.
APART = (type, FunctionType, MethodType, ModuleType, Stateful)


class Held(NamedTuple):
    """A number, or an array of them, where a module or a part of it holds it."""

    place: Place
    # The attribute, and what reaches it from there.
    name: str
    keys: str
    value: Any

    @property
    def path(self) -> str:
        """What one would write after the name of the module."""
        return f"{self.place.path}.{self.name}{self.keys}".lstrip(".")


def check_unlisted(s: Any) -> None:
    """Fail if parameters() leaves out what has a gradient, unless its docstring says so.

    s: a module under check, or a network.

    What is called gradX, beside an X of its shape, is a gradient by its name; what backward adds
    to, in proportion to gradOutput, is one by what happens to it.
    """
    module = s.fresh()
    before = {path: held.value.copy() for path, held in _arrays(module).items()}
    s.forward(module, s.input)
    unlisted = {path for path, held in _numbers_of(module).items() if not _is_listed(held, module)}
    if not unlisted:
        return
    grown = _grown(s, module, unlisted)
    found = _numbers_of(module)
    for path, held in found.items():
        parameter = _parameter_of(held, found)
        if parameter is None:
            if path in grown and not _says_so(held):
                problem = f"backward adds to {path}, but parameters() does not return it."
                s.fail("parameters", f"{problem} {REMEDY}", property="update")
        elif {path, parameter.path} & unlisted:
            # What a forward writes is a result, and no parameter.
            stays = {path, parameter.path} <= before.keys() and np.array_equal(
                before[parameter.path], parameter.value
            )
            named = "grad" in _plain(held.name) and stays
            if (named or path in grown) and not _says_so(parameter):
                problem = f"{parameter.path} has a gradient, but parameters() does not return both."
                s.fail("parameters", f"{problem} {REMEDY}", property="update")


REMEDY = "Return them, or say in its docstring what stays as it is."


def _grown(s: Any, module: Module, paths: set[str]) -> set[str]:
    """Return those of the paths at which backward adds something, in proportion to gradOutput."""

    def numbers() -> dict[str, Any]:
        return {
            path: np.copy(held.value) for path, held in _numbers_of(module).items() if path in paths
        }

    seen = [numbers()]
    for factor in (1, 1, 2):
        gradOutput = scale_arrays(s.gradOutput, factor)
        s.forward(module, s.input)
        module.updateGradInput(s.input, gradOutput)
        module.accGradParameters(s.input, gradOutput)
        seen.append(numbers())
    return {path for path in paths if _is_proportional([each.get(path) for each in seen])}


def _is_proportional(values: list[Any]) -> bool:
    """Tell whether it was added once, once more, and twice."""
    if any(value is None or value.shape != values[0].shape for value in values):
        return False
    with quietly():
        once, again, twice = np.diff(np.stack(values), axis=0)
        near = 1e-6 * float(np.abs(once).max(initial=0))
        return near > 0 and bool(
            np.allclose(again, once, 0, near) and np.allclose(twice, 2 * once, 0, near)
        )


def _numbers_of(module: Module) -> dict[str, Held]:
    """Return the floating numbers that a module and its parts hold, results apart, by paths."""
    found = {}
    for place in walk(module):
        part = place.module
        for name, value in vars(part).items():
            if name not in part.transient and name not in part.refers:
                for keys, number in _numbers_in(value):
                    held = Held(place, name, keys, number)
                    found[held.path] = held
    return found


def _arrays(module: Module) -> dict[str, Held]:
    return {path: held for path, held in _numbers_of(module).items() if is_array(held.value)}


def _numbers_in(value: Any, around: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the floating numbers in a value, and in what it holds, with what reaches them."""
    if is_floating(value) or isinstance(value, float):
        yield "", value
        return
    if id(value) in around or isinstance(value, APART):
        return
    around = (*around, id(value))
    entries: Any = ()
    if isinstance(value, dict):
        entries = ((f"[{key!r}]", entry) for key, entry in value.items())
    elif isinstance(value, (list, tuple)):
        entries = ((f"[{i}]", entry) for i, entry in enumerate(value))
    elif hasattr(value, "__dict__") and not is_array(value):
        entries = ((f".{name}", entry) for name, entry in vars(value).items())
    for step, entry in entries:
        for keys, number in _numbers_in(entry, around):
            yield step + keys, number


def _is_listed(held: Held, module: Module) -> bool:
    """Tell whether these numbers are among the parameters and their gradients."""
    listed = [array for side in module.parameters() for array in side]
    listed += [array for row in rows(module) for array in (row.parameter, row.gradient)]
    return is_array(held.value) and any(np.may_share_memory(held.value, array) for array in listed)


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _parameter_of(held: Held, found: dict[str, Held]) -> Held | None:
    """Return what this is the gradient of by its name: gradX, X_grad or dX of X."""
    plain = _plain(held.name)
    for name in vars(held.place.module):
        other = found.get(held._replace(name=name).path)
        if other is not None and np.shape(other.value) == np.shape(held.value):
            known = _plain(name)
            if known and plain in (f"grad{known}", f"{known}grad", f"d{known}"):
                return other
    return None


def _says_so(held: Held) -> bool:
    """Tell whether the parameters() that leaves this out says that it does.

    It is the innermost one; that of the part itself says so by returning nothing at all.
    """
    if Module.__doc__ is None:
        # Without docstrings nobody can say anything.
        return True
    below = f".{held.name}"
    for place in reversed(held.place.around):
        part = place.module
        if hasattr(part, "parameters"):
            listed = part.parameters()
            if not any(held.value is array for side in listed for array in side):
                kind = type(part)
                own = "parameters" in vars(part) or kind.parameters not in _INHERITED
                if not own:
                    return False
                if place is held.place and not listed[0]:
                    return True
                doc = part.parameters.__doc__ or ""
                names = set(re.findall(r"[^\W\d]\w*", below))
                names |= {name.strip("_") for name in names}
                return bool(LEFT_OUT.search(doc) and names & set(re.findall(r"\w+", doc)))
        below = place.step + below
    return True


_INHERITED = (Module.parameters, Container.parameters)
