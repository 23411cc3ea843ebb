"""Derivatives without anybody's backward: by complex step, or by central differences.

The complex step, Im f(x + ih) / h, has no cancellation: with h = 1e-30 it is exact to rounding,
for every forward that is right for complex numbers. Whether one is, one central difference along
a random direction tells. Where it is not, central differences of every entry take over.

With few entries, each is moved by itself. With many, the adjoint identity <v, J u> = <J'v, u> is
tested along random directions u, and a wrong entry is found by halving.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.nn.module import Module
from torchlite.testing.subject import ROUNDING, Subject, cast, floating, leaves, rebuilt
from torchlite.testing.violations import GradientMismatch

__all__ = ["check_gradient"]

COMPLEX_STEP = 1e-30
STEP = 2.0**-17
# Up to so many entries each is moved by itself.
FEW = 200

COMPLEX = "complex step"
CENTRAL = "central differences"


class Unfit(Exception):
    """The forward cannot be differentiated this way."""


class Place:
    """An array by whose entries a forward is differentiated: an input or a parameter."""

    def __init__(self, subject: Subject, kind: str, number: int) -> None:
        self.subject = subject
        self.kind = kind
        self.number = number
        self.modules: dict[str, Module] = {}
        if kind == "input":
            self.values = leaves(subject.input)[number]
        else:
            self.values = subject.base.parameters()[0][number]

    def forward(self, step: Any, dtype: str) -> list[Any]:
        """Return the outputs with step added to the array."""
        subject = self.subject
        module = self.modules.get(dtype)
        if module is None:
            module = self.modules[dtype] = subject.fresh(dtype)
        input = cast(subject.input, dtype)
        if self.kind == "input":
            arrays = leaves(input)
            arrays[self.number] = arrays[self.number] + step
            return leaves(subject.forward(module, rebuilt(input, arrays)))
        parameter = module.parameters()[0][self.number]
        before = parameter.copy()
        parameter += step
        try:
            return leaves(subject.forward(module, input))
        finally:
            parameter[...] = before

    def slopes(self, direction: Any, by: str) -> tuple[list[Any], list[Any] | None]:
        """Return the directional derivative of each output; and that of the other side, if asked.

        Raises Unfit if the forward does not take complex numbers.
        """
        if by == COMPLEX:
            outputs = self._complex(direction)
            return [output.imag / COMPLEX_STEP for output in outputs], None
        moved = np.abs(self.values[direction != 0])
        step = STEP * max(1.0, float(moved.max(initial=0)))
        ahead, behind = step * direction, -step * direction
        # The step really taken, after rounding.
        taken = (self.values + ahead) - (self.values + behind)
        norm = float(np.abs(taken).max()) / 2
        plus, minus = self.forward(ahead, "float64"), self.forward(behind, "float64")
        middle = self.forward(np.zeros_like(self.values), "float64")
        slopes = [(p - m) / (2 * norm) for p, m in zip(plus, minus, strict=True)]
        bends = [(p - 2 * c + m) / norm for p, m, c in zip(plus, minus, middle, strict=True)]
        return slopes, bends

    def _complex(self, direction: Any) -> list[Any]:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                outputs = self.forward(1j * COMPLEX_STEP * direction, "complex128")
        except Exception as error:
            raise Unfit(str(error)) from error
        if not all(np.iscomplexobj(output) or not floating(output) for output in outputs):
            raise Unfit("the output of a complex input is real")
        return [
            output if floating(output) else np.zeros_like(output, complex) for output in outputs
        ]


def check_gradient(
    subject: Subject, kind: str, number: int, backward: Callable[[Any], Any], name: str
) -> None:
    """Fail unless backward(gradOutput) is the derivative by input `number` or parameter `number`.

    backward takes the list of output gradients and returns the array that is checked.
    """
    place = Place(subject, kind, number)
    weights = [v if floating(v) else np.zeros(v.shape) for v in leaves(subject.gradOutput)]
    got = backward(weights)
    method = "updateGradInput" if kind == "input" else "accGradParameters"
    expected_shape = place.values.shape
    if np.shape(got) != expected_shape:
        subject.fail(
            "gradInput" if kind == "input" else "gradParameters",
            method,
            f"{name} has shape {np.shape(got)}, expected {expected_shape}.",
            GradientMismatch,
        )
    if not place.values.size:
        return
    by = _method_for(subject, place, weights, name)
    if place.values.size <= FEW:
        _check_each(subject, place, weights, got, by, method, name)
    else:
        _check_directions(subject, place, weights, backward, by, method, name)


def _method_for(subject: Subject, place: Place, weights: list[Any], name: str) -> str:
    """Return COMPLEX if the complex step and one central difference agree, else CENTRAL."""
    direction = subject.rng.choice([-1.0, 1.0], place.values.shape)
    try:
        exact, _ = place.slopes(direction, COMPLEX)
    except Unfit as reason:
        subject.notes.append(f"{name}: central differences, because complex input fails: {reason}")
        return CENTRAL
    rough, bends = place.slopes(direction, CENTRAL)
    assert bends is not None
    for one, other, bend in zip(exact, rough, bends, strict=True):
        size = max(np.abs(one).max(initial=0), np.abs(other).max(initial=0), 1e-3)
        straight = np.abs(bend) <= 1e-3 * size
        if not np.all((np.abs(one - other) <= 1e-5 * size) | ~straight):
            subject.notes.append(
                f"{name}: central differences, because the forward is not right for complex input"
            )
            return CENTRAL
    return COMPLEX


def _check_each(
    subject: Subject,
    place: Place,
    weights: list[Any],
    got: Any,
    by: str,
    method: str,
    name: str,
) -> None:
    expected = np.zeros(place.values.shape)
    allowed = np.zeros(place.values.shape)
    skipped = np.zeros(place.values.shape, bool)
    floor = max((np.abs(v).max(initial=0) for v in weights), default=0.0)
    terms = sum(
        float(np.abs(v * np.nan_to_num(o)).sum())
        for v, o in zip(weights, leaves(subject.output), strict=True)
    )
    for index in np.ndindex(place.values.shape):
        direction = np.zeros(place.values.shape)
        direction[index] = 1
        slopes, bends = place.slopes(direction, by)
        expected[index] = sum((v * s).sum() for v, s in zip(weights, slopes, strict=True))
        size = sum(np.abs(v * s).sum() for v, s in zip(weights, slopes, strict=True))
        if by == COMPLEX:
            allowed[index] = ROUNDING * (size + floor)
            if abs(got[index] - expected[index]) > allowed[index]:
                other, _ = place.slopes(-direction, by)
                skipped[index] = any(
                    np.any(np.abs(s + o) > 1e-6 * (np.abs(s) + np.abs(o)))
                    for s, o in zip(slopes, other, strict=True)
                )
        else:
            allowed[index] = 1e-6 * (size + floor) + 3e-9 * terms
            assert bends is not None
            bend = sum(np.abs(v * b).sum() for v, b in zip(weights, bends, strict=True))
            skipped[index] = bend > 1e-3 * (size + floor) and (
                abs(got[index] - expected[index]) > allowed[index]
            )
    subject.count_kinks(name, int(skipped.sum()), skipped.size)
    if skipped.all():
        subject.fail(
            "gradInput" if place.kind == "input" else "gradParameters",
            method,
            f"{name} was checked nowhere: every entry lies at a kink. Pass another input.",
        )
    subject.compare(
        "gradInput" if place.kind == "input" else "gradParameters",
        method,
        f"{name} is not the derivative.",
        got,
        expected,
        allowed=allowed,
        oracle=by,
        skipped=skipped,
        kind=GradientMismatch,
    )


def _check_directions(
    subject: Subject,
    place: Place,
    weights: list[Any],
    backward: Callable[[Any], Any],
    by: str,
    method: str,
    name: str,
) -> None:
    got = backward(weights)
    shape = place.values.shape

    def off(direction: Any, got: Any, weights: list[Any]) -> tuple[bool, list[Any]]:
        """Tell whether <v, J u> differs from <got, u>, and where two-sided slopes differ."""
        slopes, bends = place.slopes(direction, by)
        along = sum(float((v * s).sum()) for v, s in zip(weights, slopes, strict=True))
        size = sum(float(np.abs(v * s).sum()) for v, s in zip(weights, slopes, strict=True))
        size += float(np.abs(got * direction).sum())
        tolerance = ROUNDING * size if by == COMPLEX else 1e-6 * size
        difference = abs(along - float((got * direction).sum()))
        wrong = not difference <= tolerance
        if not wrong:
            return False, []
        if by == COMPLEX:
            others, _ = place.slopes(-direction, by)
            kinked = [
                np.abs(s + o) > 1e-6 * (np.abs(s) + np.abs(o))
                for s, o in zip(slopes, others, strict=True)
            ]
        else:
            assert bends is not None
            kinked = [
                np.abs(b) > 1e-3 * (np.abs(s) + 1) for b, s in zip(bends, slopes, strict=True)
            ]
        return True, kinked

    for _ in range(3):
        direction = subject.rng.choice([-1.0, 1.0], shape)
        wrong, kinked = off(direction, got, weights)
        if wrong and any(k.any() for k in kinked):
            # Outputs at a kink are taken out of the sum on both sides.
            weights = [np.where(k, 0, v) for v, k in zip(weights, kinked, strict=True)]
            subject.count_kinks(
                name, sum(int(k.sum()) for k in kinked), sum(k.size for k in kinked)
            )
            if not any(v.any() for v in weights):
                subject.fail(
                    "gradInput" if place.kind == "input" else "gradParameters",
                    method,
                    f"{name} was checked nowhere: every output lies at a kink. Pass another input.",
                )
            got = backward(weights)
            wrong, kinked = off(direction, got, weights)
        if not wrong:
            continue
        flat = np.flatnonzero(np.ones(shape))
        while len(flat) > 1:
            half = flat[: len(flat) // 2]
            part = np.zeros(shape)
            part.reshape(-1)[half] = direction.reshape(-1)[half]
            found, _ = off(part, got, weights)
            flat = half if found else flat[len(flat) // 2 :]
        index = np.unravel_index(int(flat[0]), shape)
        single = np.zeros(shape)
        single[index] = 1
        slopes, _ = place.slopes(single, by)
        expected = sum(float((v * s).sum()) for v, s in zip(weights, slopes, strict=True))
        size = sum(float(np.abs(v * s).sum()) for v, s in zip(weights, slopes, strict=True))
        subject.fail(
            "gradInput" if place.kind == "input" else "gradParameters",
            method,
            f"{name} is not the derivative.",
            GradientMismatch,
            index=tuple(int(i) for i in index),
            got=got[index],
            expected=expected,
            allowed=ROUNDING * (size + 1) if by == COMPLEX else 1e-6 * (size + 1),
            oracle=by,
            entries=got.size,
        )
