"""The gradient of something else: another array, mode, setting, mask or target."""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from torchlite.nn.nested import is_array, is_floating, leaves, rebuilt
from torchlite.testing.patterns.clues import Clues, gives_with, variable_of

__all__ = ["no_target", "of_another_array", "of_other_mode", "of_other_settings", "other_mask"]


def of_other_mode(c: Clues) -> str | None:
    """The gradient is that of the other mode."""
    known = c.derivative
    if known is None or not hasattr(known.subject.base, "evaluate"):
        return None
    now = known.subject.base.train
    mode = "evaluation" if now else "training"
    if gives_with(c, lambda layer: layer.evaluate() if now else layer.training()):
        return f"got is the gradient in {mode} mode -> the mode is forgotten?"
    return None


def of_another_array(c: Clues) -> str | None:
    """The gradient is that of another parameter, or of another entry of the input."""
    known = c.derivative
    if known is None:
        return None
    kind = known.variable.kind
    arrays = (
        leaves(known.subject.input)
        if kind == "input"
        else known.subject.parameters_of(known.subject.base)[0]
    )
    names = known.subject.names if kind == "parameter" else []
    for number, array in enumerate(arrays):
        if number == known.variable.number or np.shape(array) != c.got.shape:
            continue
        if not is_floating(array):
            continue
        if c.gives_gradient_by(variable_of(known.subject, kind, known.variable, number)):
            if kind == "input":
                return f"got = the gradient of input[{number}] -> entries swapped?"
            return f"got = what {names[number]} should be -> that of another parameter?"
    same = [
        variable_of(known.subject, kind, known.variable, number)
        for number, array in enumerate(arrays)
        if np.shape(array) == c.got.shape
    ]
    if kind == "parameter" and len(same) > 1 and c.gives_gradient_by(*same):
        return f"got = the gradients of {len(same)} parameters added up -> one array for all?"
    return None


def of_other_settings(c: Clues) -> str | None:
    """The gradient as if a parameter, a setting or a target were another."""
    known = c.derivative
    if known is None:
        return None
    subject = known.subject
    for number, parameter in enumerate(subject.parameters_of(subject.base)[0]):
        for name, change in CHANGES.items():
            changed = change(parameter)
            if changed.shape != parameter.shape or c.near(changed, parameter):
                continue

            if gives_with(c, partial(set_parameter, subject, number, changed)):
                what = subject.names[number]
                return f"got = expected as if the parameter of {what} were {name}?"
    inputs = leaves(subject.input)
    for number, array in enumerate(inputs):
        if len(inputs) > 1 and is_floating(array):
            ones = [np.ones_like(a) if i == number else a for i, a in enumerate(inputs)]
            if gives_with(c, lambda layer: None, input=rebuilt(subject.input, ones)):
                return f"got = expected as if input[{number}] were 1 -> a factor is forgotten?"
    for name in settings(subject.base):
        for value in (0.0, 1.0):
            if gives_with(c, partial(set_setting, name, value)):
                return f"got = expected as if {name} were {value:g} -> {name} forgotten?"
    target: Any = getattr(subject, "target", None)
    if is_array(target) and target.dtype.kind in "iu":
        for step in (1, -1):
            # Unsigned ones have no -1.
            moved = (target.astype(np.int64) + step).astype(target.dtype)
            if gives_with(c, lambda layer: None, target=moved):
                return f"got = expected with target {step:+d} -> off by one?"
    return None


def set_parameter(subject: Any, number: int, values: Any, layer: Any) -> None:
    """Give a parameter of a copy other numbers."""
    subject.parameters_of(layer)[0][number][...] = values


def set_setting(name: str, value: float, layer: Any) -> None:
    """Give a copy another setting."""
    setattr(layer, name, value)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "0": np.zeros_like,
    "1": np.ones_like,
    "without sign": np.abs,
    "transposed": np.transpose,
    "in reverse": np.flip,
    "in reverse along its last axes": lambda a: a[..., ::-1, ::-1] if a.ndim > 2 else a,
}


def settings(layer: Any) -> list[str]:
    """Return the names of a layer's attributes that are floating-point numbers."""
    names = {
        name: value for kind in type(layer).__mro__[::-1] for name, value in vars(kind).items()
    }
    names |= vars(layer)
    return [name for name, value in names.items() if type(value) is float and name != "output"]


def other_mask(c: Clues) -> str | None:
    """Entries are dropped as in another forward."""
    known = c.derivative
    if known is None or not known.subject.draws or c.outputs != c.got.shape:
        return None
    weights = known.weights[0]
    values = [np.unique(np.round(a / weights, 9)) for a in (c.got, c.expected)]
    if all(len(v) == 2 and 0 in v for v in values) and c.near(values[0], values[1]):
        return "got is 0 at other entries than expected -> the mask of another forward?"
    return None


def no_target(c: Clues) -> str | None:
    """The gradient is the same for another target, though the loss is not."""
    known = c.derivative
    target: Any = getattr(known.subject, "target", None) if known else None
    if not is_array(target) or target.ndim == 0:
        return None
    direction = np.where(known.skipped, 0.0, np.arange(1.0, c.got.size + 1).reshape(c.got.shape))
    matters = False
    for other in other_targets(known, target):
        try:
            found = leaves(other.run().gradInput)[known.variable.number]
            variables = (known.variable, variable_of(other, "input", known.variable))
            now, then = (known.slopes_of(v, direction) for v in variables)
        except Exception:
            # It may refuse such a target.
            continue
        if not c.is_got(found * float(known.weights[0])):
            return None
        matters |= not np.allclose(now, then)
    return (
        "got is the same for another target -> does not depend on the target?" if matters else None
    )


def other_targets(known: Any, target: Any) -> Iterator[Any]:
    """Yield the subject with other targets: on the other side of the input, or in other order."""
    targets = [target[::-1] * 0.5 + 0.125 if is_floating(target) else np.roll(target, 1)]
    if is_floating(target) and target.shape == known.here.shape:
        targets.append(2 * known.here - target)
    for other_target in targets:
        other = copy.copy(known.subject)
        other.target = other_target
        yield other
