"""A network from a file beside one built in code: do they fit?"""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, is_array
from torchlite.nn.stateful import Stateful
from torchlite.serial.describe import state_of
from torchlite.serial.rebuild import Rebuilding
from torchlite.serial.values import RefusalError, path_to

__all__ = ["counterparts"]


def counterparts(rebuilding: Rebuilding, theirs: Any, net: Stateful, where: str) -> dict[int, Any]:
    """Return, by the id of each part and array in the file's network, that of the other one.

    Classes, arrays, and what is shared must be the same in both. Everything else is a setting,
    which the code decides.
    """
    states = {id(part): rebuilding.states[i] for i, part in rebuilding.parts.items()}
    found: dict[int, tuple[Any, str]] = {}
    taken: dict[int, tuple[Any, str]] = {}
    waiting: list[tuple[Any, Any, str]] = []

    def compare(one: Any, other: Any, where: str) -> None:
        if isinstance(one, Stateful | np.ndarray) or isinstance(other, Stateful | np.ndarray):
            if type(one) is not type(other):
                foreign = is_array(other) and not isinstance(other, np.ndarray)
                hint = "fill the network before cuda(), or after cpu()" if foreign else None
                raise _unlike(where, _shown(one), _shown(other), hint)
            if isinstance(one, np.ndarray):
                _must_be_one_kind(one, other, where)
            pair(one, other, where)
        elif _keys(one) == _keys(other):
            for key in _keys(one) or ():
                compare(one[key], other[key], path_to(where, key))
        elif _holds(one) or _holds(other):
            count, wanted = (len(_keys(value) or ()) for value in (one, other))
            raise _unlike(where or "modules", f"{count} entries", str(wanted))

    def pair(one: Any, other: Any, where: str) -> None:
        known, first = found.get(id(one), (other, where))
        partner, second = taken.get(id(other), (one, where))
        if not _is_one(known, other):
            raise _unlike(where, f"it is shared with {first}", "not")
        if partner is not one:
            raise _unlike(where, f"it is not shared with {second}", "it is")
        if id(one) not in found and isinstance(one, Stateful):
            waiting.append((one, other, where))
        found[id(one)], taken[id(other)] = (other, first), (one, second)

    compare(theirs, net, where)
    # The list grows while it is walked through.
    for one, other, path in waiting:
        state, wanted = states[id(one)], state_of(other, path)
        for name in {**wanted, **state}:
            compare(state.get(name), wanted.get(name), path_to(path, name))
    return {key: other for key, (other, _) in found.items()}


def _is_one(known: Any, other: Any) -> bool:
    """Tell whether two parts or arrays are one; views of the same numbers in the same order are."""
    if known is other or not (type(known) is type(other) is np.ndarray):
        return known is other
    return _standing(known) == _standing(other)


def _standing(array: Array) -> tuple[Any, ...]:
    """Return where in memory the entries of an array stand."""
    steps = [step for step, length in zip(array.strides, array.shape, strict=True) if length > 1]
    return array.__array_interface__["data"], array.shape, steps, array.dtype


def _must_be_one_kind(one: Any, other: Any, where: str) -> None:
    if one.shape != other.shape or one.dtype != other.dtype:
        hint = None
        if one.dtype != other.dtype:
            hint = f"net.type({str(one.dtype)!r}) casts the network"
        raise _unlike(where, f"{one.dtype} {one.shape}", f"{other.dtype} {other.shape}", hint)
    if not other.flags.writeable:
        raise RefusalError(where, "the network's array is read-only")


def _keys(value: Any) -> list[Any] | None:
    if isinstance(value, list | tuple):
        return list(range(len(value)))
    return list(value) if isinstance(value, dict) else None


def _holds(value: Any) -> bool:
    keys = _keys(value)
    if keys is None:
        return isinstance(value, Stateful | np.ndarray)
    return any(_holds(value[key]) for key in keys)


def _shown(value: Any) -> str:
    if is_array(value):
        kind = type(value).__module__
        return "an array" if isinstance(value, np.ndarray) else f"an array of {kind}"
    if isinstance(value, Stateful):
        return f"a {type(value).__name__}"
    return "a table" if isinstance(value, list | tuple | dict) else repr(value)[:80]


def _unlike(where: str, file: str, network: str, hint: str | None = None) -> RefusalError:
    return RefusalError(where, f"{file} in the file, {network} in the network", hint)
