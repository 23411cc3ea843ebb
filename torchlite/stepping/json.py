"""The file of a trace: JSON, in which numbers that JSON has no sign for are strings."""

import dataclasses
import json
import math
from typing import Any

import numpy as np

from torchlite.errors import FormatError
from torchlite.stepping.arrays import Copy

__all__ = ["dumps", "loads"]

FORMAT = "torchlite trace"
VERSION = 1


def dumps(trace: Any) -> str:
    """Return the trace as text."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "network": trace.network,
            "criterion": trace.criterion,
            "steps": [
                {field.name: encoded(getattr(step, field.name)) for field in _fields(step)}
                for step in trace
            ],
        },
        allow_nan=False,
    )


def loads(text: bytes, trace: Any, step: Any) -> Any:
    """Return the trace that a text holds, or raise FormatError."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError("it is not a torchlite trace")
        if data["version"] != VERSION:
            raise ValueError(f"its version is {data['version']}, known is {VERSION}")
        result = trace(data["network"], data["criterion"])
        for entry in data["steps"]:
            made = step(**{key: decoded(value) for key, value in entry.items()})
            if made.inside is not None:
                made.inside = tuple(made.inside)
            result.steps.append(made)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(f"Trace.from_json: {error}") from error
    return result


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
        return {str(key): encoded(entry) for key, entry in value.items()}
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return {"number": str(value)}
    return value


def decoded(value: Any) -> Any:
    """Return the value that `encoded` wrote."""
    if isinstance(value, list):
        return list(map(decoded, value))
    if not isinstance(value, dict):
        return value
    if value.keys() == {"number"}:
        number = complex(value["number"])
        return number if "j" in value["number"] else number.real
    if value.keys() != {"array"}:
        return {key: decoded(entry) for key, entry in value.items()}
    facts = decoded(value["array"])
    shape = tuple(map(int, facts["shape"]))
    dtype = np.dtype(facts["dtype"])
    if dtype.kind not in "biufc":
        raise ValueError(f"an array of {dtype} holds no numbers")
    values = facts.get("values")
    if values is not None:
        values = np.array(values, dtype).reshape(shape)
    return Copy(shape, facts["dtype"], facts["norm"], facts["low"], facts["high"], values)


def _fields(step: Any) -> Any:
    return dataclasses.fields(step)
