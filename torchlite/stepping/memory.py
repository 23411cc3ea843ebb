"""The memory of a step of training, counted array by array."""

import copy
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from torchlite import random
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, is_floating, leaves, map_arrays
from torchlite.nn.stateful import parts
from torchlite.nn.tree import walk

__all__ = ["Memory", "frozen_parameters", "held", "owner"]


class Memory(NamedTuple):
    """What a step of training holds, in bytes.

    Attributes
    ----------
    parameters, gradients
        The parameters, frozen ones too, and their gradients.
    forward, backward
        What a forward in training leaves behind for the backward (outputs, masks, the steps of a
        sequence), and what a backward leaves behind on top of it (gradInputs, and the gradOutput).
    """

    parameters: int
    gradients: int
    forward: int
    backward: int


def held(net: Module, input: Any) -> Memory | None:
    """Return what a step of training would hold; None where it cannot be run on these numbers.

    A copy of the network is run, and arrays count once, whatever views there are of them.
    """
    net = copy.deepcopy(net).training()
    state = random.getRNGState()
    pairs = [*zip(*net.parameters(), strict=True), *(pair for *_, pair in frozen_parameters(net))]
    known = {id(owner(array)): 0 for array in leaves(input)}
    parameters, gradients = (_fresh([pair[i] for pair in pairs], known) for i in (0, 1))
    try:
        with np.errstate(all="ignore"):
            output = net.forward(input)
            after_forward = list(_left_behind(net))
            zeros = map_arrays(np.zeros_like, output)
            net.backward(input, zeros)
    except Exception:
        # Zeros are not what every layer can be trained on.
        return None
    finally:
        random.setRNGState(state)
    forward = _fresh(after_forward, known)
    backward = _fresh([*_left_behind(net), *leaves(zeros)], known)
    return Memory(parameters, gradients, forward, backward)


def owner(array: Any) -> Any:
    """Return the array that owns the memory of a view."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def frozen_parameters(net: Module) -> Iterator[tuple[str, str, tuple[Any, Any]]]:
    """Yield (path, X, (parameter, gradient)) of what is called X and gradX and is not trained."""
    trained = net.parameters()[0]
    met = {id(array) for array in trained}
    for place in walk(net):
        part = place.module
        for name, value in vars(part).items():
            gradient = vars(part).get(f"grad{name[:1].upper()}{name[1:]}")
            pair = is_floating(value) and is_array(gradient) and gradient.shape == value.shape
            if not pair or name in part.transient or id(value) in met:
                continue
            met.add(id(value))
            if not any(np.may_share_memory(value, array) for array in trained):
                yield place.path, name, (value, gradient)


def _left_behind(net: Module) -> Iterator[Any]:
    for part in parts(net):
        for name in part.transient:
            yield from _arrays_in(vars(part).get(name), ())


def _arrays_in(value: Any, around: tuple[int, ...]) -> Iterator[Any]:
    """Yield the arrays in a value, in tables and in the steps of sequences."""
    if is_array(value):
        yield value
    elif id(value) not in around:
        entries: Any = ()
        if isinstance(value, (list, tuple)):
            entries = value
        elif isinstance(value, dict):
            entries = value.values()
        elif is_dataclass(value) and not isinstance(value, type):
            entries = [getattr(value, field.name) for field in fields(value)]
        for entry in entries:
            yield from _arrays_in(entry, (*around, id(value)))


def _fresh(arrays: Any, known: dict[int, Any]) -> int:
    """Return the bytes of the memories that are not known yet, which then are."""
    total = 0
    for array in arrays:
        memory = owner(array)
        if id(memory) not in known:
            known[id(memory)] = memory
            total += getattr(memory, "nbytes", array.nbytes)
    return total
