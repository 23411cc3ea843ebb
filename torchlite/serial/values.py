"""The kinds of values that a description holds, as JSON.

None, bool, int, text, finite floats and lists stand for themselves. Everything else is an object
with one key, its kind::

    {"tuple": [values]}     {"dict": [[key, value], ...]}     {"float": "inf"}
    {"dtype": "<f4"}        {"array": member}                 {"scalar": member}
    {"gradient": member}    {"part": number}                {"view": [of, first, strides, shape]}

A gradient stands for zeros like the array that is its parameter, a scalar for a number of NumPy's,
a part for an entry in the description's list of modules and criterions. A view is of an array or
gradient (said as such): entries of its memory, from the first on, at these distances. Whoever
refers to one member, gradient, view or part twice shares it.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import is_array
from torchlite.nn.stateful import Stateful
from torchlite.serial import npy

__all__ = ["DEEPEST", "RefusalError", "decode", "encode", "foreign", "path_to"]

# How deep lists, tuples and dicts may be nested.
DEEPEST = 64
# Paths are made for every value, and read in error messages only: of a long one, both ends stay.
_BEGINNING, _END = 100, 600
# Numbers that are not equal and nevertheless have the same hash are rare, or were made so that a
# dict of them takes hours.
_COLLISIONS = 10
_REFERENCES = ("array", "scalar", "gradient", "part", "view")
_KEYS = (str, int, float, bool, type(None))


class RefusalError(ValueError):
    """A value that has no place in a file: where it stands, what it is, and perhaps a hint."""

    def __init__(self, where: str, problem: str, hint: str | None = None) -> None:
        super().__init__(where, problem, hint)
        self.where, self.problem, self.hint = where, problem, hint


def path_to(where: str, key: Any) -> str:
    """Return the path of an entry, as one would write it: modules are reached by position.

    Example
    -------
    >>> path_to(path_to("", "modules"), 0), path_to("[0]", "weight"), path_to("optimizer", "m m")
    ('[0]', '[0].weight', "optimizer['m m']")
    """
    if key == "modules":
        return where
    if isinstance(key, str) and key.isidentifier():
        path = f"{where}.{key}" if where else key
    else:
        path = f"{where}[{key!r}]"
    if len(path) <= _BEGINNING + _END:
        return path
    return f"{path[:_BEGINNING]}...{path[3 - _END :]}"


def encode(value: Any, where: str, refer: Callable[[str, Any, str], Any], depth: int = 0) -> Any:
    """Return the description of a value; refer(kind, value, where) describes what is referred to.

    Example
    -------
    >>> encode((1, [None, float("inf")]), "", lambda kind, value, where: {kind: "a"})
    {'tuple': [1, [None, {'float': 'inf'}]]}
    >>> encode(lambda x: x, "[0].hook", lambda kind, value, where: {kind: "a"})
    Traceback (most recent call last):
    torchlite.serial.values.RefusalError: ('[0].hook', 'a function cannot be saved', None)
    """
    if depth > DEEPEST:
        raise RefusalError(where[:80], f"values are nested more than {DEEPEST} deep")

    def inside(key: Any, entry: Any) -> Any:
        return encode(entry, path_to(where, key), refer, depth + 1)

    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is list:
        return [inside(i, entry) for i, entry in enumerate(value)]
    if kind is tuple:
        return {"tuple": [inside(i, entry) for i, entry in enumerate(value)]}
    if kind is dict:
        for key in value:
            if type(key) not in _KEYS:
                raise RefusalError(where, f"a key is a {type(key).__name__}, no plain value")
        return {"dict": [[inside(key, key), inside(key, entry)] for key, entry in value.items()]}
    if isinstance(value, Stateful):
        return refer("part", value, where)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.str not in npy.DTYPES:
        raise RefusalError(where, f"an array of dtype {value.dtype} cannot be saved")
    if kind is np.ndarray:
        return refer("array", value, where)
    if isinstance(value, np.generic):
        return refer("scalar", np.array(value), where)
    if isinstance(value, np.dtype) and value.str in npy.DTYPES:
        return {"dtype": value.str}
    if is_array(value) and not isinstance(value, np.ndarray):
        raise foreign(value, where)
    raise RefusalError(where, f"a {kind.__name__} cannot be saved")


def foreign(array: Any, where: str) -> RefusalError:
    """Return the error of an array that is not NumPy's."""
    hint = "of a network on the GPU, save net.clone().cpu()"
    return RefusalError(where, f"an array of {type(array).__module__} cannot be saved", hint)


def decode(node: Any, where: str, resolve: Callable[[str, Any, str], Any], depth: int = 0) -> Any:
    """Return the value that a node describes; resolve(kind, reference, where) finds the others.

    Example
    -------
    >>> decode({"tuple": [1, {"float": "-inf"}]}, "", lambda kind, reference, where: None)
    (1, -inf)
    >>> decode({"import": "os"}, "[0].hook", lambda kind, reference, where: None)
    Traceback (most recent call last):
    torchlite.serial.values.RefusalError: ('[0].hook', "{'import': 'os'} describes no value", None)
    """
    if depth > DEEPEST:
        raise RefusalError(where[:80], f"values are nested more than {DEEPEST} deep")

    def inside(key: Any, entry: Any) -> Any:
        return decode(entry, path_to(where, key), resolve, depth + 1)

    if node is None or isinstance(node, bool | int | float | str):
        return node
    if isinstance(node, list):
        return [inside(i, entry) for i, entry in enumerate(node)]
    if isinstance(node, dict) and len(node) == 1:
        ((kind, said),) = node.items()
        if kind in _REFERENCES:
            return resolve(kind, said, where)
        if kind == "tuple" and isinstance(said, list):
            return tuple(inside(i, entry) for i, entry in enumerate(said))
        if kind == "dict" and _is_dict(said):
            keys = [inside("key", key) for key, _ in said]
            if all(type(key) in _KEYS for key in keys) and _differ(keys):
                rows = zip(keys, said, strict=True)
                return {key: inside(key, entry) for key, (_, entry) in rows}
        if kind == "float" and said in ("inf", "-inf", "nan"):
            return float(said)
        if kind == "dtype" and isinstance(said, str) and said in npy.DTYPES:
            return npy.DTYPES[said]
    raise RefusalError(where, f"{repr(node)[:80]} describes no value")


def _differ(keys: list[Any]) -> bool:
    return len(keys) - len(set(map(hash, keys))) <= _COLLISIONS and len(keys) == len(set(keys))


def _is_dict(said: Any) -> bool:
    return isinstance(said, list) and all(isinstance(row, list) and len(row) == 2 for row in said)
