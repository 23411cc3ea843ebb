"""Derivatives without anybody's backward: by complex step, or by central differences.

The complex step, Im f(x + ih) / h, has no cancellation: with h = 1e-30 it is exact to rounding,
for every forward that is right for complex numbers. Whether one is, one central difference along
a random direction tells. Where it is not, central differences of every entry take over.

With few entries, each is moved by itself. With many, the adjoint identity <v, J u> = <J'v, u> is
tested along random directions u, and a wrong entry is found by halving.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.module import Module
from torchlite.nn.nested import cast_arrays, is_floating, leaves, rebuilt
from torchlite.testing import values
from torchlite.testing.subject import ROUNDING, Subject
from torchlite.testing.violations import GradientMismatch

__all__ = ["check_gradient"]

COMPLEX_STEP = 1e-30
STEP = 2.0**-17
# Up to so many entries each is moved by itself; fewer where a forward takes its time.
FEW = 200
FEW_OF_LARGE = 16

COMPLEX = "complex step"
CENTRAL = "central differences"


class Unfit(Exception):
    """The forward cannot be differentiated this way."""


class Variable:
    """An array by whose entries a forward is differentiated: an input or a parameter."""

    def __init__(self, subject: Subject, kind: str, number: int) -> None:
        self.subject = subject
        self.kind = kind
        self.number = number
        self.modules: dict[str, Module] = {}
        if kind == "input":
            self.method = "updateGradInput"
            self.values = leaves(subject.input)[number]
        else:
            self.method = "accGradParameters"
            self.values = subject.base.parameters()[0][number]

    def fail(self, problem: str, **facts: Any) -> None:
        """Raise that the gradient by this array is wrong."""
        self.subject.fail(self.method, problem, GradientMismatch, **facts)

    def forward(self, step: Any, dtype: str) -> list[Any]:
        """Return the outputs with step added to the array."""
        subject = self.subject
        module = self.modules.get(dtype)
        if module is None:
            module = self.modules[dtype] = subject.fresh(dtype)
        input = cast_arrays(subject.input, dtype)
        if self.kind == "input":
            arrays = leaves(input)
            arrays[self.number] = arrays[self.number] + step
            return _smooth(subject.forward(module, rebuilt(input, arrays)))
        parameter = module.parameters()[0][self.number]
        before = parameter.copy()
        parameter += step
        try:
            return _smooth(subject.forward(module, input))
        finally:
            parameter[...] = before

    def slopes(self, direction: Array, by: str) -> tuple[list[Array], list[Array]]:
        """Return the slope of each output along a direction, and how much it bends there.

        A complex step tells nothing of the bend. It raises Unfit if the forward does not take
        complex numbers.
        """
        if by == COMPLEX:
            outputs = self._complex(direction)
            return [output.imag / COMPLEX_STEP for output in outputs], []
        moved = np.abs(self.values[direction != 0])
        step = STEP * max(1.0, float(moved.max(initial=0)))
        ahead, behind = step * direction, -step * direction
        # The step really taken, after rounding.
        taken = (self.values + ahead) - (self.values + behind)
        norm = float(np.abs(taken).max()) / 2 / float(np.abs(direction).max())
        plus, minus = self.forward(ahead, "float64"), self.forward(behind, "float64")
        middle = self.forward(np.zeros_like(self.values), "float64")
        slopes = [(p - m) / (2 * norm) for p, m in zip(plus, minus, strict=True)]
        bends = [(p - 2 * c + m) / norm for p, m, c in zip(plus, minus, middle, strict=True)]
        return slopes, bends

    def _complex(self, direction: Array) -> list[Array]:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                outputs = self.forward(1j * COMPLEX_STEP * direction, "complex128")
        except Exception as error:
            raise Unfit(str(error)) from error
        if not all(map(np.iscomplexobj, outputs)):
            raise Unfit("the output of a complex input is real")
        return outputs


def _smooth(output: Any) -> list[Any]:
    """Return the arrays of an output, zeros for those of which there is no derivative."""
    return [
        array if is_floating(array) else np.zeros(array.shape, complex) for array in leaves(output)
    ]


def check_gradient(
    subject: Subject, kind: str, number: int, backward: Callable[[Any], Any], name: str
) -> None:
    """Fail unless backward(gradOutput) is the derivative by input `number` or parameter `number`.

    backward takes the list of output gradients and returns the array that is checked. It is
    asked twice: for multiples of 1/16, so that failures read well, and for numbers that no lower
    precision can hold.
    """
    variable = Variable(subject, kind, number)
    even = [v if is_floating(v) else np.zeros(v.shape) for v in leaves(subject.gradOutput)]
    rough = [v * subject.rng.uniform(0.9, 1.1, v.shape) for v in even]
    shape = variable.values.shape
    if np.shape(backward(even)) != shape:
        variable.fail(f"{name} has shape {np.shape(backward(even))}, expected {shape}.")
    if not variable.values.size:
        return
    by = _oracle_for(subject, variable, name)
    if variable.values.size <= (FEW if subject.small else FEW_OF_LARGE):
        _check_each(subject, variable, (even, rough), backward, by, name)
    else:
        for weights in (even, rough):
            _check_directions(subject, variable, weights, backward, by, name)


def _oracle_for(subject: Subject, variable: Variable, name: str) -> str:
    """Return COMPLEX if the complex step and central differences agree, else CENTRAL."""
    for _ in range(2):
        # No entries alike: the errors of a sum must not cancel.
        direction = subject.rng.uniform(0.5, 1.5, variable.values.shape)
        direction *= values.signs(subject.rng, variable.values.shape)
        try:
            exact, _ = variable.slopes(direction, COMPLEX)
        except Unfit as reason:
            subject.notes.append(
                f"{name}: central differences, because complex input fails: {reason}"
            )
            return CENTRAL
        rough, bends = variable.slopes(direction, CENTRAL)
        for one, other, bend in zip(exact, rough, bends, strict=True):
            size = max(np.abs(one).max(initial=0), np.abs(other).max(initial=0), 1e-3)
            straight = np.abs(bend) <= 1e-3 * size
            if not np.all((np.abs(one - other) <= 1e-5 * size) | ~straight):
                subject.notes.append(
                    f"{name}: central differences, because the forward is not right for complex "
                    "input"
                )
                return CENTRAL
    return COMPLEX


def _check_each(
    subject: Subject,
    variable: Variable,
    weightings: tuple[list[Array], ...],
    backward: Callable[[Any], Any],
    by: str,
    name: str,
) -> None:
    shape = variable.values.shape
    got = [backward(weights) for weights in weightings]
    expected = [np.zeros(shape) for _ in weightings]
    allowed = [np.zeros(shape) for _ in weightings]
    skipped = np.zeros(shape, bool)
    outputs = leaves(subject.output)
    for index in np.ndindex(shape):
        direction = np.zeros(shape)
        direction[index] = 1
        slopes, bends = variable.slopes(direction, by)
        for k, weights in enumerate(weightings):
            floor = max((np.abs(v).max(initial=0) for v in weights), default=0.0)
            expected[k][index] = _sum(weights, slopes)
            size = _magnitude(weights, slopes) + floor
            if by == COMPLEX:
                allowed[k][index] = ROUNDING * size
            else:
                bend = _magnitude(weights, bends)
                terms = _magnitude(weights, map(np.nan_to_num, outputs))
                allowed[k][index] = 1e-6 * size + 3e-9 * terms + bend
                skipped[index] |= bend > 1e-3 * size
            if by == COMPLEX and not abs(got[k][index] - expected[k][index]) <= allowed[k][index]:
                others, _ = variable.slopes(-direction, by)
                skipped[index] |= any(map(_differ, slopes, others))
    skipped &= ~(np.abs(got[0] - expected[0]) <= allowed[0])
    subject.count_kinks(name, int(skipped.sum()), skipped.size)
    if 4 * skipped.sum() > 3 * skipped.size:
        variable.fail(
            f"{name} was hardly checked: {skipped.sum()} of {skipped.size} entries lie at a kink. "
            "Pass another input."
        )
    for k in range(len(weightings)):
        subject.compare(
            variable.method,
            f"{name} is not the derivative.",
            got[k],
            expected[k],
            allowed=allowed[k],
            oracle=by,
            skipped=skipped,
            kind=GradientMismatch,
        )


def _sum(weights: Iterable[Array], slopes: Iterable[Array]) -> float:
    return float(sum((v * s).sum() for v, s in zip(weights, slopes, strict=True)))


def _magnitude(weights: Iterable[Array], slopes: Iterable[Array]) -> float:
    return float(sum(np.abs(v * s).sum() for v, s in zip(weights, slopes, strict=True)))


def _differ(ahead: Array, behind: Array) -> bool:
    """Tell whether two slopes in opposite directions are not opposite: there is a kink."""
    return bool(np.any(np.abs(ahead + behind) > 1e-6 * (np.abs(ahead) + np.abs(behind))))


def _check_directions(
    subject: Subject,
    variable: Variable,
    weights: list[Array],
    backward: Callable[[Any], Any],
    by: str,
    name: str,
) -> None:
    got = backward(weights)
    shape = variable.values.shape
    precision = ROUNDING if by == COMPLEX else 1e-6

    def wrong(direction: Array) -> tuple[bool, list[Any]]:
        """Tell whether <v, J u> differs from <got, u>, and the slopes."""
        slopes, _ = variable.slopes(direction, by)
        size = _magnitude(weights, slopes) + float(np.abs(got * direction).sum())
        off = abs(_sum(weights, slopes) - float((got * direction).sum()))
        return not off <= precision * size, slopes

    for _ in range(2):
        direction = values.signs(subject.rng, shape)
        is_wrong, slopes = wrong(direction)
        if is_wrong:
            # Outputs at a kink are taken out of the sum on both sides.
            kinked = _kinked(variable, direction, slopes, by)
            if any(k.any() for k in kinked):
                weights = [np.where(k, 0, v) for v, k in zip(weights, kinked, strict=True)]
                got = backward(weights)
                entries = sum(k.size for k in kinked)
                subject.count_kinks(name, sum(int(k.sum()) for k in kinked), entries)
                if not any(v.any() for v in weights):
                    variable.fail(
                        f"{name} was hardly checked: every output lies at a kink. "
                        "Pass another input."
                    )
                is_wrong, _ = wrong(direction)
        if not is_wrong:
            continue
        found = np.arange(direction.size)
        while len(found) > 1:
            half = found[: len(found) // 2]
            part = np.zeros(shape)
            part.reshape(-1)[half] = direction.reshape(-1)[half]
            found = half if wrong(part)[0] else found[len(half) :]
        index = np.unravel_index(int(found[0]), shape)
        single = np.zeros(shape)
        single[index] = 1
        slopes, _ = variable.slopes(single, by)
        variable.fail(
            f"{name} is not the derivative.",
            index=tuple(int(i) for i in index),
            got=got[index],
            expected=_sum(weights, slopes),
            allowed=precision * (_magnitude(weights, slopes) + 1),
            oracle=by,
            entries=got.size,
        )


def _kinked(variable: Variable, direction: Array, slopes: list[Array], by: str) -> list[Any]:
    """Return masks of the outputs whose slopes ahead and behind differ."""
    if by == COMPLEX:
        others, _ = variable.slopes(-direction, by)
        return [
            np.abs(s + o) > 1e-6 * (np.abs(s) + np.abs(o))
            for s, o in zip(slopes, others, strict=True)
        ]
    _, bends = variable.slopes(direction, by)
    return [np.abs(b) > 1e-3 * (np.abs(s) + 1) for b, s in zip(bends, slopes, strict=True)]
