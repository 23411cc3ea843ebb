"""The file of a trace: JSON, in which numbers that JSON has no sign for are strings."""

import dataclasses
import json
import math
import re
from typing import Any

import numpy as np

from torchlite.errors import FormatError, StateError
from torchlite.stepping.arrays import Copy
from torchlite.stepping.drawing import INPUT
from torchlite.stepping.formulas import parsed

__all__ = ["dumps", "loads"]

FORMAT = "torchlite trace"
VERSION = 1
# How deep modules, and tables, may be nested: JSON is written and read by recursion.
DEEPEST = 200

_SHAPE = re.compile(r"\((\d+,|\d+(, \d+)+)?\)|\[.*", re.DOTALL)
# What the entries of an array are, by the kind of its dtype.
_ENTRIES: dict[str, tuple[type, ...]] = {
    "b": (bool,), "i": (int,), "u": (int,), "f": (float, int), "c": (complex, float, int)
}  # fmt: skip
_CODES = "?bhilqBHILQefdFD"
_DTYPES = {str(kind) for code in _CODES for kind in (np.dtype(code), np.dtype(code).newbyteorder())}
_KINDS = ("layer", "row", "branches", "graph")
_SAID = {"array", "dict", "number"}
_ARRAY = ("shape", "dtype", "norm", "low", "high")


def dumps(trace: Any) -> str:
    """Return the trace as text."""
    if _depth(trace.network) > DEEPEST:
        raise StateError(
            f"Trace.to_json: modules are nested more than {DEEPEST} deep", method="to_json"
        )
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "network": trace.network,
            "criterion": trace.criterion,
            "note": trace.note,
            "steps": [
                {field.name: encoded(getattr(step, field.name)) for field in _fields(step)}
                for step in trace
            ],
        },
        allow_nan=False,
    )


def loads(text: bytes, trace: Any, step: Any) -> Any:
    """Return the trace that a text holds, or raise FormatError.

    All that is made of a trace can be made of what is returned: text, a page, a comparison.
    """
    try:
        return _trace(json.loads(text, parse_constant=_never), trace, step)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise FormatError(f"Trace.from_json: {error}") from error


def _trace(data: Any, trace: Any, step: Any) -> Any:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError("it is not a torchlite trace")
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(f"its version is {str(version)[:80]}, known is {VERSION}")
    network, criterion, note = data.get("network"), data.get("criterion"), data.get("note")
    _must_be_tree(network)
    for name, value in (("criterion", criterion), ("note", note)):
        _must(value is None or isinstance(value, str), f"{name} is no text")
    entries: Any = data.get("steps")
    _must(isinstance(entries, list), "steps are no list")
    result = trace(network, criterion, note)
    for i, entry in enumerate(entries):
        try:
            result.steps.append(_step(entry, step))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise ValueError(f"step {i + 1}: {error}") from error
    return result


def _must_be_tree(network: Any) -> None:
    waiting = [(network, 1)]
    for tree, depth in waiting:
        said = {"position", "layer", "kind", "modules"}
        if isinstance(tree, dict) and tree.get("kind") == "graph":
            said = said | {"edges"}
        good = (
            isinstance(tree, dict)
            and tree.keys() == said
            and isinstance(tree["position"], str)
            and isinstance(tree["layer"], str)
            and tree["kind"] in _KINDS
            and isinstance(tree["modules"], list)
            and _are_edges(tree.get("edges", []), len(tree["modules"]))
        )
        _must(good, "network is no tree of modules")
        _must(depth <= DEEPEST, f"modules are nested more than {DEEPEST} deep")
        waiting += [(part, depth + 1) for part in tree["modules"]]


def _are_edges(edges: Any, count: int) -> bool:
    """Tell whether these are edges among so many modules, that lead ahead."""
    return isinstance(edges, list) and all(
        isinstance(edge, list)
        and len(edge) == 3
        and _is_whole(edge[0])
        and _is_whole(edge[1])
        and INPUT <= edge[0] < edge[1] <= count
        and isinstance(edge[2], str)
        for edge in edges
    )


def _step(entry: Any, step: Any) -> Any:
    names = [field.name for field in _fields(step)]
    _must(
        # What was written before there were sequences says nothing of time.
        isinstance(entry, dict) and entry.keys() | {"time"} == set(names),
        f"it must have {', '.join(names)}",
    )
    made = step(**{name: decoded(value) for name, value in entry.items()})
    _must(_is_whole(made.number) and made.number > 0, "number is none")
    for name in ("position", "layer", "method"):
        _must(isinstance(getattr(made, name), str), f"{name} is no text")
    _must(made.time is None or (_is_whole(made.time) and made.time >= 0), "time is none")
    if made.inside is not None:
        _must(
            isinstance(made.inside, list)
            and len(made.inside) == 2
            and all(map(_is_whole, made.inside)),
            "inside is no pair of numbers",
        )
        made.inside = tuple(made.inside)
    for name in ("arguments", "results", "parameters", "before", "after", "shapes"):
        _must(isinstance(getattr(made, name), dict), f"{name} are no names and values")
    _must(made.before.keys() == made.after.keys(), "before and after are of other arrays")
    for name, after in made.after.items():
        before = made.before[name]
        pair = isinstance(before, Copy) and isinstance(after, Copy)
        _must(
            pair
            and (before.shape, before.dtype) == (after.shape, after.dtype)
            and (before.values is None) == (after.values is None)
            and (before.values is None or before.values.dtype.kind != "b"),
            f"before and after, {name} is not the same kind of array",
        )
    _must(
        all(isinstance(text, str) and _SHAPE.fullmatch(text) for text in made.shapes.values()),
        "shapes are none",
    )
    _must_be_maths(made.maths)
    return made


def _must_be_maths(lines: Any) -> None:
    _must(
        isinstance(lines, list) and all(isinstance(line, str) for line in lines),
        "maths are no lines",
    )
    _must("".join(lines).replace("\n", "").isprintable(), "maths are not printable")
    try:
        parsed(tuple(lines))
    except (SyntaxError, MemoryError) as error:
        raise ValueError(f"maths are no statements: {error}") from error


def encoded(value: Any) -> Any:
    """Return a value as JSON has it.

    Example
    -------
    >>> encoded([1.5, float("nan"), 1j])
    [1.5, {'number': 'nan'}, {'number': '1j'}]
    """
    if isinstance(value, Copy):
        array = {key: encoded(fact) for key, fact in value._asdict().items() if key != "values"}
        if value.values is not None:
            array["values"] = encoded(value.values.ravel().tolist())
        return {"array": array}
    if isinstance(value, (list, tuple)):
        return list(map(encoded, value))
    if isinstance(value, dict):
        entries = {str(key): encoded(entry) for key, entry in value.items()}
        # One key, and it says what the value is.
        return {"dict": entries} if len(entries) == 1 and entries.keys() < _SAID else entries
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return {"number": str(value)}
    return value


def decoded(value: Any, depth: int = 0) -> Any:
    """Return the value that `encoded` wrote."""
    _must(depth <= DEEPEST, f"tables are nested more than {DEEPEST} deep")
    if isinstance(value, list):
        return [decoded(entry, depth + 1) for entry in value]
    if isinstance(value, int):
        # What no float can hold cannot be compared.
        float(value)
    if not isinstance(value, dict):
        return value
    if value.keys() == {"number"}:
        _must(isinstance(value["number"], str), "a number is none")
        number = complex(value["number"])
        return number if "j" in value["number"] else number.real
    if value.keys() == {"array"}:
        return _array(decoded(value["array"], depth + 1))
    entries = value["dict"] if value.keys() == {"dict"} else value
    _must(isinstance(entries, dict), "a table is none")
    return {key: decoded(entry, depth + 1) for key, entry in entries.items()}


def _array(facts: Any) -> Copy:
    _must(
        isinstance(facts, dict) and facts.keys() - {"values"} == set(_ARRAY),
        f"an array must have {', '.join(_ARRAY)}",
    )
    shape, dtype = facts["shape"], facts["dtype"]
    _must(
        isinstance(shape, list) and all(_is_whole(n) and n >= 0 for n in shape),
        "the shape of an array is none",
    )
    _must(isinstance(dtype, str), "the dtype of an array is none")
    for name in ("norm", "low", "high"):
        fact = facts[name]
        _must(fact is None or isinstance(fact, float), f"{name} of an array is no number")
    values = facts.get("values")
    if values is not None:
        _must(dtype in _DTYPES, f"an array of {dtype[:80]} holds no numbers")
        kind = np.dtype(dtype)
        # Of Python's numbers, True is 1.
        _must(
            isinstance(values, list)
            and all(
                isinstance(n, _ENTRIES[kind.kind]) and isinstance(n, bool) == (kind.kind == "b")
                for n in values
            ),
            f"the values of an array are not of {kind}",
        )
        with np.errstate(all="raise"):
            values = np.array(values, kind).reshape(shape)
    return Copy(tuple(shape), dtype, facts["norm"], facts["low"], facts["high"], values)


def _must(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _never(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _depth(network: Any) -> int:
    level, depth = [network], 0
    while level:
        level, depth = [part for tree in level for part in tree["modules"]], depth + 1
    return depth


def _fields(step: Any) -> Any:
    return dataclasses.fields(step)
