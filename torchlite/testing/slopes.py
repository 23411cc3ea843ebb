"""Slopes of a forward without anybody's backward, each with what it may be off by.

The complex step, Im f(x + ih) / h, has no cancellation: with h = 1e-30 it is exact to rounding,
for every forward that is right for complex numbers. Central differences need no complex numbers;
of two steps each, one the quarter of the other, Richardson's formula makes a better slope, and
their difference tells how good it is. One-sided differences show kinks and jumps.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.module import Module
from torchlite.nn.nested import cast_arrays, copy_arrays, is_floating, leaves, rebuilt
from torchlite.nn.stateful import parts, shadowed
from torchlite.nn.table.criterion_table import CriterionTable
from torchlite.testing.subject import Subject, quietly
from torchlite.testing.violations import GradientMismatch

__all__ = [
    "CENTRAL",
    "COMPLEX",
    "HELD",
    "LONGEST",
    "Sides",
    "Targets",
    "Unfit",
    "Variable",
    "held",
    "magnitude",
    "targets_of",
]

COMPLEX = "complex step"
CENTRAL = "central differences"

COMPLEX_STEP = 1e-30
# Central differences stop at the first pair of steps that is good enough, or keep the best.
STEPS = 2.0 ** -np.array([12, 14, 16, 18, 20, 23, 26])
LONGEST = float(STEPS[0])
GOOD_ENOUGH = 1e-8
# The circles to see by whether a forward is analytic: points, and their radii.
CIRCLE = 8
RADII = 2.0 ** -np.arange(4, 26, 2)
# The step of a glance, where one has to do.
GLANCE = 2.0**-17
# Steps to see a kink by: what lies farther away is none of here. Where numbers are nearly equal,
# and not the same, those are taken that lead far beyond, or do not reach.
NEXT = 2.0**-20
SAME = 1e-13
OTHERS = 2.0 ** -np.array([18, 16, 14, 22, 24])
# Steps so small that a third difference of them is rounding, in single precision, too.
TREMOR = 2.0**-22
# Whatever is moved, what criteria inside take for their targets stays: its gradient is zeros.
HELD = "the targets of criteria are held: nothing is learnt about them"


# The criteria inside a module, and of each the targets that it was given, call by call.
Targets = list[tuple[CriterionTable, list[Any]]]


class Unfit(Exception):
    """The forward cannot be differentiated this way."""


class Sides(NamedTuple):
    """One-sided slopes of each output, by lists of arrays."""

    ahead: list[Array]
    behind: list[Array]
    errors: list[Array]
    # Masks of the outputs whose two slopes differ, and of those that jump or have no slope.
    kinks: list[Array]
    jumps: list[Array]


class Variable:
    """Numbers by whose entries a forward is differentiated: an input's or a parameter's.

    number counts the arrays of the input or the parameters; without it, it is all floating
    arrays of the input, one after the other.
    """

    # The last direction of a complex step, and the answer.
    last: tuple[Array, tuple[list[Array], list[Array]]] | None = None

    def __init__(self, subject: Subject, kind: str, number: int | None) -> None:
        self.subject = subject
        self.kind = kind
        self.number: Any = number
        self.modules: dict[str, Module] = {}
        self.targets: dict[str, Targets] = {}
        self.method = "updateGradInput" if kind == "input" else "accGradParameters"
        if number is None:
            arrays = [a.reshape(-1) for a in leaves(subject.input) if is_floating(a)]
            self.values = np.concatenate(arrays)
        elif kind == "input":
            self.values = leaves(subject.input)[number]
        else:
            self.values = subject.base.parameters()[0][number]

    def fail(self, problem: str, **facts: Any) -> None:
        """Raise that the gradient by this variable is wrong."""
        self.subject.fail(self.method, problem, GradientMismatch, **facts)

    def forward(self, step: Array, dtype: str) -> list[Array]:
        """Return the outputs with step added to the numbers."""
        subject = self.subject
        module = self.modules.get(dtype)
        if module is None:
            module = subject.fresh(dtype)
            given = cast_arrays(subject.input, dtype)
            found = targets_of(module, lambda: subject.forward(module, given))
            if found:
                subject.notes.append(HELD)
            self.modules[dtype], self.targets[dtype] = module, found
        input = cast_arrays(subject.input, dtype)
        with held(self.targets[dtype]):
            if self.kind == "input":
                return _smooth(subject.forward(module, self._moved(input, step)))
            parameter = module.parameters()[0][self.number]
            before = parameter.copy()
            parameter += step
            try:
                return _smooth(subject.forward(module, input))
            finally:
                parameter[...] = before

    def _moved(self, input: Any, step: Array) -> Any:
        arrays = leaves(input)
        if self.number is not None:
            arrays[self.number] = arrays[self.number] + step
            return rebuilt(input, arrays)
        start = 0
        for i, array in enumerate(arrays):
            if is_floating(array):
                arrays[i] = array + step[start : start + array.size].reshape(array.shape)
                start += array.size
        return rebuilt(input, arrays)

    # ---------------------------------------------------------------- slopes

    def slopes(self, direction: Array, by: str) -> tuple[list[Array], list[Array]]:
        """Return the slope of each output along a direction, and what it may be off by.

        Complex steps are off by rounding alone; where they overflow, central differences tell.
        It raises Unfit if the forward does not take complex numbers.
        """
        if by == CENTRAL:
            return self._central(direction)
        if self.last is not None and self.last[0] is direction:
            # An oracle that is asked whether it is right has its answer.
            return self.last[1]
        # Of arrays without dimensions, NumPy makes numbers.
        slopes = [np.asarray(y.imag / COMPLEX_STEP) for y in self._complex(direction)]
        errors = [np.zeros(slope.shape) for slope in slopes]
        if not all(np.isfinite(slope).all() for slope in slopes):
            for slope, error, *other in zip(slopes, errors, *self._central(direction), strict=True):
                lost = ~np.isfinite(slope)
                slope[lost], error[lost] = other[0][lost], other[1][lost]
        self.last = direction, (slopes, errors)
        return slopes, errors

    def _complex(self, direction: Array, step: complex = 1j * COMPLEX_STEP) -> list[Array]:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                outputs = self.forward(step * direction, "complex128")
        except Exception as error:
            raise Unfit(str(error)) from error
        if not all(map(np.iscomplexobj, outputs)):
            raise Unfit("the output of a complex input is real")
        return outputs

    def agree(self, exact: list[Array], direction: Array) -> bool:
        """Tell whether slopes are, at first sight, those of one central difference."""
        step = self._scale(direction) * GLANCE
        with np.errstate(all="ignore"):
            ahead, behind = self._at(step, direction), self._at(-step, direction)
            for slope, a, b in zip(exact, ahead, behind, strict=True):
                allowed = 1e-7 * np.abs(slope).max(initial=0)
                allowed += 1e-15 * np.abs(a).max(initial=0) / step
                if not np.all(np.abs((a - b) / (2 * step) - slope) <= allowed):
                    return False
        return True

    def lacks(self, exact: list[Array], direction: Array, weights: list[Array], off: float) -> bool:
        """Tell whether the slopes that a complex step gave lack as much as something is off by.

        That may be too little for central differences: the tail of log(1 + exp(-|x|)), say, where
        np.abs has no imaginary part. Circles of different sizes that agree on other slopes show it.
        """
        before, largest = np.inf, max(float(np.abs(v).max(initial=0)) for v in weights)
        for radius, slopes in self._around(direction):
            pairs = zip(weights, slopes, exact, strict=True)
            lack = sum(float((v * (mean - e)).sum().real) for v, mean, e in pairs)
            noise = largest * self.hidden / (16 * radius)
            if abs(lack) > max(off / 10, 10 * abs(lack - before), noise):
                return True
            before = lack
        return False

    def confirms(
        self, exact: list[Array], others: list[Array], direction: Array, where: list[Array]
    ) -> bool:
        """Tell whether a circle gives the slopes that a complex step gave, rather than others.

        Of a sigmoid that is nearly 0, the roundings of 1 may be all that differences see.
        """
        for _, slopes in self._around(direction):
            near = sum(np.abs(a - e)[m].sum() for a, e, m in zip(slopes, exact, where, strict=True))
            far = sum(np.abs(o - e)[m].sum() for o, e, m in zip(others, exact, where, strict=True))
            if near <= 0.1 * far:
                return True
        return False

    def _around(self, direction: Array) -> Iterator[tuple[float, list[Array]]]:
        """Yield radii, the largest first, and means of slopes over circles in the complex plane.

        Of what is analytic there they are nearly exact, by Cauchy's formula.
        """
        turns = np.exp(2j * np.pi * np.arange(CIRCLE) / CIRCLE)
        for radius in self._scale(direction) * RADII:
            try:
                outputs = [self._complex(direction, radius * turn) for turn in turns]
            except Unfit:
                continue
            yield (
                radius,
                [
                    # Not by a product, over which BLAS would wake its threads.
                    sum(part / turn for part, turn in zip(parts, turns, strict=True))
                    / (CIRCLE * radius)
                    for parts in zip(*outputs, strict=True)
                ],
            )

    def _central(self, direction: Array) -> tuple[list[Array], list[Array]]:
        scale = self._scale(direction)
        best: list[Array] = []
        errors: list[Array] = []
        coarse: list[Array] = []
        bent: list[Array] = []
        for step in scale * STEPS:
            with np.errstate(all="ignore"):
                ahead, behind = self._at(step, direction), self._at(-step, direction)
                fine = [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
                bends = [
                    np.abs((a - y) - (y - b)) / step
                    for a, y, b in zip(ahead, self.here, behind, strict=True)
                ]
                if coarse:
                    finer = [f + (f - c) / 15 for f, c in zip(fine, coarse, strict=True)]
                    off = [
                        # What bends as much in a shorter step has its curve, or kink, within it.
                        np.abs(f - c) + noise / step + bend * (bend > before / 2 + 8 * noise / step)
                        for f, c, bend, before, noise in zip(
                            fine, coarse, bends, bent, self.noise, strict=True
                        )
                    ]
                    if best:
                        better = [(o < e) | np.isnan(e) for o, e in zip(off, errors, strict=True)]
                        finer = [
                            np.where(m, f, b) for m, f, b in zip(better, finer, best, strict=True)
                        ]
                        off = [
                            np.where(m, o, e) for m, o, e in zip(better, off, errors, strict=True)
                        ]
                    best, errors = finer, off
                    if _total(errors) <= GOOD_ENOUGH * _total(best):
                        break
            coarse, bent = fine, bends
        return best, errors

    def blur(self, direction: Array) -> float:
        """Return what is hidden may make of central differences."""
        return self.hidden / (LONGEST * self._scale(direction))

    def sides(self, direction: Array) -> Sides:
        """Return the slopes on both sides of where we are, by real differences."""
        step = self._scale(direction) * NEXT
        if self.nearly_equal.size:
            step = self._scale(np.ones_like(direction)) * self.next / np.abs(direction).max()
        found = Sides([], [], [], [], [])
        with np.errstate(all="ignore"):
            moved = [self._at(s, direction) for s in (step, step / 4, -step, -step / 4)]
            for far, near, far_behind, near_behind, here, noise in zip(
                *moved, self.here, self.noise, strict=True
            ):
                rounding = error = 4 * noise / step
                slopes = []
                jump = np.zeros(here.shape, bool)
                for a, b, sign in ((far, near, 1), (far_behind, near_behind, -1)):
                    rough, fine = sign * (a - here) / step, sign * (b - here) / (step / 4)
                    slopes.append(fine)
                    error = error + np.abs(fine - rough)
                    # What gets ever steeper on the way is no slope.
                    jump |= (np.abs(b - here) > 0.28 * np.abs(a - here)) & (
                        np.abs(a - here) > 100 * noise
                    )
                    jump |= ~np.isfinite(fine)
                size = np.abs(slopes[0]) + np.abs(slopes[1])
                kink = np.abs(slopes[0] - slopes[1]) > 2 * error + 1e-6 * size
                # One that lies between the two steps.
                kink |= error - rounding > 1e-3 * np.max(size, initial=0) + rounding
                for values, value in zip(found, (*slopes, error, kink | jump, jump), strict=True):
                    values.append(value)
        return found

    @cached_property
    def nearly_equal(self) -> Array:
        """How far numbers are apart, of their size, that steps lead from the one to the other."""
        if self.kind != "input":
            # Parameters were moved apart.
            return np.zeros(0)
        apart = np.diff(np.sort(np.abs(self.values), axis=None), prepend=0)
        apart = apart / self._scale(np.ones_like(self.values))
        return apart[(apart > SAME) & (apart < 4 * NEXT)]

    @cached_property
    def next(self) -> float:
        """The step to see kinks by, of the size of the numbers: few of them are so far apart."""
        apart = self.nearly_equal
        return min(
            (NEXT, *OTHERS), key=lambda step: ((apart > step / 32) & (apart < 4 * step)).sum()
        )

    @property
    def near(self) -> float:
        """How far numbers may be apart for a step to lead from the one to the other."""
        return 4 * self.next * self._scale(np.ones_like(self.values))

    @cached_property
    def here(self) -> list[Array]:
        """The outputs where we are."""
        return self._at(0.0, np.zeros_like(self.values))

    def size(self, weights: list[Array]) -> list[float]:
        """Return how large the terms of the weighted outputs are, by the size of the numbers."""
        scale = self._scale(np.ones_like(self.values))
        return [
            float(np.abs(np.where(np.isfinite(y), v * y, 0)).sum()) / scale
            for v, y in zip(weights, self.here, strict=True)
        ]

    @cached_property
    def noise(self) -> list[Array]:
        """How much the outputs tremble from rounding."""
        if not self.nearly_equal.size:
            return self._noise(1)
        # Kinks between numbers that are nearly equal grow with the step.
        return [np.fmin(*pair) for pair in zip(self._noise(1), self._noise(1 / 16), strict=True)]

    def _noise(self, by: float) -> list[Array]:
        eps = 4 * np.finfo(float).eps
        found = []
        for ahead, behind in zip(*self._walks(1, -8, by=by), strict=True):
            one, other = (3 * np.abs(np.diff(w, 3, axis=0)).max(axis=0) for w in (ahead, behind))
            # A kink on one side is no rounding.
            noise = np.where(
                np.fmax(one, other) > 100 * np.fmin(one, other),
                np.fmin(one, other),
                np.fmax(one, other),
            )
            found.append(np.fmax(noise, eps * np.abs(ahead[0])))
        return found

    @cached_property
    def hidden(self) -> float:
        """How much may be rounded without a trace: of a sigmoid that is nearly 0, 1 was a part."""
        numbers = [self.values, *filter(is_floating, leaves(self.subject.input))]
        largest = max(float(np.abs(array).max(initial=0)) for array in numbers)
        return 64 * float(np.finfo(float).eps) * largest

    def trembles(self) -> float:
        """Return by how much the outputs tremble if that is more than they move, else 0.

        What trembles does so everywhere: a kink beside here does not.
        """
        found = [self._tremor(walk) for walk in self._walks(1, 2**12)]
        # Kinks, where many lie close together, grow with the step; what is rounded does not.
        if min(found) and self._tremor(*self._walks(1, by=16)) > 4 * min(found):
            return 0.0
        return min(found)

    def remembers(self) -> bool:
        """Tell whether a layer that has been here gives other outputs nearby than a new one."""
        if self.kind != "input":
            return False
        direction = self.subject.rng.uniform(0.5, 1, self.values.shape)
        step = TREMOR * self._scale(direction) * direction
        with quietly():
            _, old = self.forward(0 * step, "float64"), self.forward(step, "float64")
            moved = self._moved(cast_arrays(self.subject.input, "float64"), step)
            new = _smooth(self.subject.forward(self.subject.fresh("float64"), moved))
        return not all(map(np.array_equal, old, new))

    def _tremor(self, walk: list[Array]) -> float:
        tremors = [0.0]
        for moved in walk:
            tremor = float(np.abs(np.diff(moved, 3, axis=0)).max(initial=0))
            way = float(np.abs(moved[-1] - moved[0]).max(initial=0))
            least = max(1e-9 * float(np.abs(moved).max(initial=0)), 0.01 * way, 16 * self.hidden)
            if tremor > least:
                tremors.append(tremor)
        return max(tremors)

    def _walks(self, *starts: int, by: float = 1) -> list[list[Array]]:
        """Return the outputs at eight places each, with very small steps, all on one line."""
        direction = self.subject.rng.uniform(0.5, 1, self.values.shape)
        step = by * TREMOR * self._scale(direction)
        with np.errstate(all="ignore"):
            # Each on one side of here, which may be a kink or a jump.
            walks = [
                [self._at((start + i) * step, direction) for i in range(8)] for start in starts
            ]
        return [[np.stack(outputs) for outputs in zip(*walk, strict=True)] for walk in walks]

    def _at(self, step: float, direction: Array) -> list[Array]:
        try:
            return self.forward(step * direction, "float64")
        except Exception:
            # A step may lead to where the layer refuses to go.
            if not step:
                raise
            return [np.full(output.shape, np.nan) for output in self.here]

    def _scale(self, direction: Array) -> float:
        """Return the size of the numbers that a direction moves, none of them very small."""
        all_of_them = float(np.abs(self.values).max(initial=0))
        moved = float(np.abs(self.values[direction != 0]).max(initial=0))
        size = max(moved, all_of_them / 64) or 1.0
        return 2.0 ** np.floor(np.log2(size)) / float(np.abs(direction).max(initial=0) or 1)


def _total(arrays: list[Array]) -> float:
    return float(sum(np.abs(array).sum() for array in arrays))


def magnitude(weights: list[Array], slopes: Any) -> float:
    """Return the sum of the magnitudes of what a weighted sum adds."""
    return float(sum(np.abs(v * s).sum() for v, s in zip(weights, slopes, strict=True)))


def _smooth(output: Any) -> list[Array]:
    """Return copies of an output's arrays, zeros for those of which there is no derivative."""
    return [
        array.copy() if is_floating(array) else np.zeros(array.shape, complex)
        for array in leaves(output)
    ]


def targets_of(module: Any, forward: Callable[[], Any]) -> Targets:
    """Return the criteria inside, and the targets that each is given in a forward."""
    found: Targets = [(part, []) for part in parts(module) if isinstance(part, CriterionTable)]
    if found:
        with shadowed([(part, {"updateOutput": _noting(part, t)}) for part, t in found]):
            forward()
    return found


def held(targets: Targets) -> AbstractContextManager[None]:
    """Return a context in which criteria inside go on with these targets."""
    return shadowed([(part, {"updateOutput": _held(part, t)}) for part, t in targets])


def _noting(part: CriterionTable, targets: list[Any]) -> Callable[[Any], Any]:
    """Return an updateOutput that notes the targets that it is given."""
    original = part.updateOutput

    def updateOutput(input: Any) -> Any:
        targets.append(copy_arrays(input[1]))
        return original(input)

    return updateOutput


def _held(part: CriterionTable, targets: list[Any]) -> Callable[[Any], Any]:
    """Return an updateOutput that takes these targets, one after the other, for its own."""
    original, left = part.updateOutput, iter(targets)
    return lambda input: original([input[0], next(left, input[1])])
