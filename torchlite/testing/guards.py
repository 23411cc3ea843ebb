"""What a layer adds so that nothing is divided by 0: too little to be asked of its gradients."""

import copy
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from torchlite.nn.stateful import parts
from torchlite.testing.words import CONTRACTS

__all__ = ["MOST", "with_guards"]

# What is larger is no guard, but a part of the function.
MOST = 1e-10


def with_guards(layer: Any, factor: float) -> Any:
    """Return a copy of a layer with its guards multiplied by a factor; None if it has none."""
    changed, found = copy.deepcopy(layer), False
    for part in parts(changed):
        attributes = {name: _changed(value, factor, {}) for name, value in vars(part).items()}
        own: dict[str, Any] = {}
        for kind in type(part).__mro__:
            if kind.__module__ not in CONTRACTS:
                for name, value in vars(kind).items():
                    own.setdefault(name, (value, _changed(value, factor, {})))
        others = {name: new for name, (old, new) in own.items() if new is not old}
        found |= bool(others) or any(
            attributes[name] is not vars(part)[name] for name in attributes
        )
        vars(part).update(attributes)
        if others:
            part.__class__ = type(type(part).__name__, (type(part),), others)
    return changed if found else None


def _changed(value: Any, factor: float, done: dict[FunctionType, FunctionType]) -> Any:
    """Return a guard times the factor, a function with such guards, or anything else as it is."""
    if isinstance(value, (float, np.floating)) and 0 < abs(float(value)) <= MOST:
        return value * factor
    if isinstance(value, staticmethod):
        function = _changed(value.__func__, factor, done)
        return value if function is value.__func__ else staticmethod(function)
    return _function(value, factor, done) if isinstance(value, FunctionType) else value


def _function(
    function: FunctionType, factor: float, done: dict[FunctionType, FunctionType]
) -> FunctionType:
    if function in done:
        return done[function]
    # One that calls itself is met again.
    done[function] = function
    code, known = _code(function.__code__, factor), function.__globals__
    helpers = {name: _changed(known[name], factor, done) for name in code.co_names if name in known}
    helpers = {name: helper for name, helper in helpers.items() if helper is not known[name]}
    usual, keyword = function.__defaults__ or (), function.__kwdefaults__ or {}
    defaults = tuple(_changed(value, factor, done) for value in usual)
    by_name = {name: _changed(value, factor, done) for name, value in keyword.items()}
    if code is function.__code__ and not helpers and (defaults, by_name) == (usual, keyword):
        return function
    known = {**known, **helpers}
    made = FunctionType(code, known, function.__name__, defaults, function.__closure__)
    made.__kwdefaults__ = by_name
    done[function] = made
    return made


def _code(code: CodeType, factor: float) -> CodeType:
    constants: tuple[Any, ...] = tuple(
        _code(c, factor) if isinstance(c, CodeType) else _changed(c, factor, {})
        for c in code.co_consts
    )
    same = all(one is other for one, other in zip(constants, code.co_consts, strict=True))
    return code if same else code.replace(co_consts=constants)
