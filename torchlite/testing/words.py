"""The names that the code of a layer uses."""

from types import CodeType, FunctionType
from typing import Any

from torchlite.nn.stateful import parts

__all__ = ["CONTRACTS", "words"]

CONTRACTS = {"torchlite.nn.module", "torchlite.nn.container", "torchlite.nn.stateful", "builtins"}


_CALLS = {"forward", "backward", "updateOutput", "updateGradInput", "accGradParameters"}


def words(module: Any, inside: bool = True, calls: bool = False) -> dict[str, Any]:
    """Return the names that the code of a layer and its parts uses, torchlite's bases apart.

    With each comes what it means in the file that uses it, None if that is not known. inside=False
    leaves out the parts; calls=True, what forward and backward do not come to, as __init__.
    """
    found: dict[str, Any] = {}

    def read(code: Any, known: dict[str, Any]) -> None:
        for name in set(code.co_names) - found.keys():
            helper = found[name] = known.get(name)
            if isinstance(helper, FunctionType):
                read(helper.__code__, helper.__globals__)
        for constant in code.co_consts:
            if isinstance(constant, str):
                found.setdefault(constant, None)
            elif isinstance(constant, CodeType):
                read(constant, known)

    methods: dict[str, list[FunctionType]] = {}
    whole = parts(module) if inside else [module]
    for kind in dict.fromkeys(kind for part in whole for kind in type(part).__mro__):
        if kind.__module__ in CONTRACTS:
            continue
        for name, value in vars(kind).items():
            function = getattr(value, "fget", None) or getattr(value, "__func__", value)
            if isinstance(function, FunctionType):
                methods.setdefault(name, []).append(function)
    for part in whole if calls else []:
        for name, value in vars(part).items():
            if isinstance(value, FunctionType):
                methods.setdefault(name, []).append(value)
    wanted = _CALLS & methods.keys() if calls else methods.keys()
    while wanted:
        for function in [each for name in sorted(wanted) for each in methods.pop(name)]:
            read(function.__code__, function.__globals__)
        wanted = found.keys() & methods.keys()
    return found
