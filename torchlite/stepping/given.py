"""What a function of the user's returns: a network, and what it is traced or trained with."""

from collections.abc import Callable
from typing import Any

from torchlite.elsewhere import as_numpy
from torchlite.errors import DTypeError, fault
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, leaves

__all__ = ["four"]

_ARRAYS = "an array, or a list of arrays"
# Name, what it must be, and whether it is.
_FOUR: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("net", "a Module", lambda value: isinstance(value, Module)),
    ("criterion", "a Criterion", lambda value: isinstance(value, Criterion)),
    ("input", _ARRAYS, lambda value: all(map(is_array, leaves(value)))),
    ("target", _ARRAYS, lambda value: not isinstance(value, Module | Criterion)),
)


def four(command: str, source: str, made: Any, bare: bool = False) -> tuple[Module, Any, Any, Any]:
    """Return what the user's function returned, if it is (net, criterion, input, target).

    Where it may be bare, the criterion may be None.

    Raises
    ------
    DTypeError
        It is something else, or in another order.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import nn
    >>> net, criterion, _, _ = four("play", "f", (nn.Tanh(), nn.MSECriterion(), np.ones(1), None))
    >>> net, criterion
    (Tanh, MSECriterion)
    """
    order = "(net, criterion, input, target)"
    if not isinstance(made, tuple) or len(made) != len(_FOUR):
        got = f"a tuple of {len(made)}" if isinstance(made, tuple) else type(made).__name__
        raise fault(DTypeError, command, f"what {source} returns", order, got)
    for value, (name, expected, fits) in zip(made, _FOUR, strict=True):
        if not fits(value) and not (bare and name == "criterion" and value is None):
            got = type(value).__name__
            # What other libraries call an array is one that can be converted.
            foreign = name == "input" and hasattr(type(value), "__array__")
            hint = (foreign and as_numpy(name, value)) or f"the order is {order}"
            argument = f"{name} of what {source} returns"
            raise fault(DTypeError, command, argument, expected, got, hint=hint)
    return made
