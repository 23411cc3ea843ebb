"""Generators of random numbers beside torchlite's, and whether a layer has drawn from one."""

import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.nn.stateful import parts
from torchlite.testing.words import words as words_of

__all__ = ["drawn_from", "generator_states", "touched_by"]

NUMPY, PYTHON = "np.random", "Python's random"


def generator_states(layer: Any, words: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Return whose each generator is that the layer could draw from, and its state.

    words: the names that its code uses, with what each means.
    """
    found: list[tuple[str, Callable[[], Any]]] = [
        (NUMPY, np.random.get_state),
        (PYTHON, random.getstate),
    ]
    held = [value for part in parts(layer) for value in vars(part).values()]
    for value in [*held, *words.values()]:
        if isinstance(value, np.random.Generator):
            found.append((NUMPY, lambda value=value: value.bit_generator.state))  # type: ignore[misc]
        elif isinstance(value, np.random.RandomState):
            found.append((NUMPY, value.get_state))
        elif isinstance(value, random.Random):
            found.append((PYTHON, value.getstate))
    return [(name, pickle.dumps(state())) for name, state in found]


def touched_by(call: Callable[[], Any]) -> str | None:
    """Return which generator of the whole program a call seeds, or draws from, or None.

    Afterwards they are as they were, but for what other threads drew.
    """
    streams: list[tuple[str, Any, Any, Any]] = [
        (NUMPY, np.random.get_state, np.random.set_state, np.random.random),
        (PYTHON, random.getstate, random.setstate, random.random),
    ]
    kept, before, after = [], [], []
    for _, get, _, draw in streams:
        kept.append(get())
        # Where it was seeded before, it would be as it was.
        draw()
        before.append(get())
    call()
    for _, get, _, _ in streams:
        after.append(pickle.dumps(get()))
    changed = [pickle.dumps(old) != new for old, new in zip(before, after, strict=True)]
    if any(changed):
        for (_, _, put, _), state in zip(streams, before, strict=True):
            put(state)
        call()
    found = None
    for (name, get, put, _), state, new, touched in zip(streams, kept, after, changed, strict=True):
        # What other threads draw is not the same twice.
        if pickle.dumps(get()) == new:
            put(state)
            found = found or (name if touched else None)
    return found


def drawn_from(layer: Any, words: dict[str, Any], before: list[tuple[str, bytes]]) -> str | None:
    """Return whose generator has another state than before, or None."""
    for (name, state), (_, old) in zip(generator_states(layer, words), before, strict=False):
        if state != old:
            return name
    # One that is made anew in each call.
    made = words_of(layer, calls=True).keys() & {"default_rng", "RandomState"}
    return NUMPY if made else None
