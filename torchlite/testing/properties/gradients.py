"""What backward computes: the derivatives, added up, in proportion."""

import copy
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import is_integral
from torchlite.nn.nested import (
    copy_arrays,
    is_array,
    is_finite,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    shapes,
)
from torchlite.testing import values
from torchlite.testing.guards import MOST, with_guards
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.oracle import Backward, check_gradient, check_ties
from torchlite.testing.subject import Result, Subject, attempt
from torchlite.testing.variations import check_elsewhere
from torchlite.testing.violations import GradientMismatch

__all__ = ["accumulate", "by_inputs", "gradInput", "gradParameters", "integers", "linear", "scale"]

# What may come of a guard, of what is expected, or of 1.
LITTLE = 1e-6
# By so much the output may grow with a guard: where that is 1e-12 it is tried as 1e6.
MORE = 100


def gradInput(s: Subject) -> None:
    """GradInput is the derivative, in training and in evaluation mode."""
    _but_for_guards(s, _check_gradInput)


def _but_for_guards(s: Any, check: Callable[[Any], None]) -> None:
    """Check a gradient, and if what is off may come of a guard, such as 1e-12, without it."""
    try:
        check(s)
    except GradientMismatch as mismatch:
        off, expected = mismatch.difference, mismatch.expected
        little = off is not None and off <= LITTLE * (1 + abs(expected))
        bare = _without_guards(s) if little else None
        if bare is None:
            raise
        try:
            check(bare)
        except Exception:
            raise mismatch from None
        s.notes.append(
            f"{s.property}: right where what it adds, no more than {MOST:g}, is next to nothing"
        )


def _without_guards(s: Any) -> Any:
    """Return the subject with next to no guards; None if it has none.

    Not without: rows of which all is masked would be 0 / 0. A guard makes less of the output as it
    grows; what makes more of it, or nothing, is no guard of it, be it as small.
    """
    shrunk, grown = _with_guards(s, 2.0**-40), _with_guards(s, 2.0**60)
    if shrunk is None or grown is None or _size(grown) > MORE * (_size(s) + 1):
        return None
    same = all(map(np.array_equal, leaves(grown.output), leaves(s.output)))
    return None if same else shrunk


def _with_guards(s: Any, factor: float) -> Any:
    layer = with_guards(s.base, factor)
    if layer is None:
        return None
    other = copy.copy(s)
    vars(other).update(base=layer, agreed=set(), notes=[], kinks={})
    output = attempt(other.forward, other.fresh(), *copy_arrays(list(s.asked.values())))
    if output is None or not is_finite(output):
        return None
    other.output = copy_arrays(output)
    return other


def _size(s: Any) -> float:
    arrays = filter(is_floating, leaves(s.output))
    return max((float(np.abs(array).max(initial=0)) for array in arrays), default=0.0)


def _check_gradInput(s: Subject) -> None:
    for variant in s.variants():
        gradients = by_inputs(variant)
        for number, backward, name in gradients:
            check_gradient(variant, "input", number, backward, name)
        if len(gradients) > 1:
            check_ties(variant, _whole_gradInput, "gradInput")
    if any(map(is_floating, leaves(s.input))):
        check_elsewhere(s, "input", _by_inputs_and_all)


def _by_inputs_and_all(s: Subject) -> list[tuple[int | None, Backward, str]]:
    """Return the same, and of several all together: entries of different ones may tie."""
    gradients = by_inputs(s)
    return [*gradients, *([(None, _whole_gradInput, "gradInput")] if len(gradients) > 1 else [])]


def by_inputs(s: Subject) -> list[tuple[int, Backward, str]]:
    """Return the gradients by the arrays of the input, with their names."""
    return [
        (
            number,
            _gradInput_of(number),
            "gradInput" if is_array(s.input) else f"gradInput[{number}]",
        )
        for number, array in enumerate(leaves(s.input))
        if is_floating(array)
    ]


def _gradInput_of(number: int) -> Backward:
    def backward(s: Subject, weights: list[Any]) -> Any:
        gradInput = s.gradInput_for(weights)
        if isinstance(s.input, (list, tuple, dict)) and shapes(gradInput) != shapes(s.input):
            s.fail(
                "updateGradInput", f"gradInput is {shapes(gradInput)}, expected {shapes(s.input)}."
            )
        found = leaves(gradInput)
        if not is_array(found[number]):
            s.fail("updateGradInput", f"gradInput is {type(found[number]).__name__}.")
        return found[number]

    return backward


def _whole_gradInput(s: Subject, weights: list[Any]) -> Any:
    pairs = zip(leaves(s.gradInput_for(weights)), leaves(s.input), strict=True)
    return np.concatenate([g.reshape(-1) for g, array in pairs if is_floating(array)])


def gradParameters(s: ModuleSubject) -> None:
    """Every parameter's gradient is the derivative, in training and in evaluation mode."""
    _but_for_guards(s, _check_gradParameters)


def _check_gradParameters(s: ModuleSubject) -> None:
    for mode in s.variants():
        for number, backward, name in _by_parameters(mode):
            check_gradient(mode, "parameter", number, backward, name)
    if s.names:
        check_elsewhere(s, "parameter", _by_parameters)


def _by_parameters(s: Subject) -> list[tuple[int, Backward, str]]:
    """Return the gradients by the parameters, with their names."""
    # What all of them are for the subject's own gradOutput, which is asked of each.
    own: tuple[Any, list[Any], list[Any]] = (None, [], [])

    def gradient_of(number: int) -> Backward:
        def backward(mode: Any, weights: list[Any]) -> Any:
            nonlocal own
            if own[0] is mode and all(map(operator.is_, own[1], weights)):
                return own[2][number]
            gradients = mode.run(gradOutput=rebuilt(mode.gradOutput, weights)).gradients
            if all(map(operator.is_, leaves(mode.gradOutput), weights)):
                own = mode, weights, gradients
            return gradients[number]

        return backward

    return [(number, gradient_of(number), name) for number, name in enumerate(s.names)]


def integers(s: ModuleSubject) -> None:
    """Of integers and booleans gradInput is zeros of their dtype, whatever their gradOutput is."""
    inputs, outputs = leaves(s.input), leaves(s.output)
    if not any(map(is_integral, inputs + outputs)):
        return

    def with_others(change: Callable[[Any], Any]) -> Any:
        pairs = zip(leaves(s.gradOutput), outputs, strict=True)
        arrays = [change(g) if is_integral(output) else g for g, output in pairs]
        return rebuilt(s.gradOutput, arrays)

    gradOutputs = {"": s.gradOutput}
    if any(map(is_integral, outputs)):
        for dtype in ("float32", "int64", "bool"):
            others = with_others(lambda g, dtype=dtype: g.astype(dtype))  # type: ignore[misc]
            gradOutputs[f"with {dtype} as gradOutput, "] = others
        others = with_others(lambda g: np.full(g.shape, np.nan))
        gradOutputs["with NaN as gradOutput, "] = others
    expected = leaves(s.run().gradInput)
    for what, gradOutput in gradOutputs.items():
        try:
            gradInput = s.run(gradOutput=gradOutput).gradInput
        except Exception as error:
            problem = f"{what}it raises {type(error).__name__}: {error}"
            s.fail("updateGradInput", problem)
        if gradInput is None and not any(map(is_floating, inputs)):
            # It says that it computes none.
            continue
        if shapes(gradInput) != shapes(s.input):
            problem = f"gradInput is {shapes(gradInput)}, expected {shapes(s.input)}."
            s.fail("updateGradInput", problem)
        for array, got, usual in zip(inputs, leaves(gradInput), expected, strict=True):
            if is_integral(array):
                problem = (
                    f"{what}the gradient of integers and booleans is not zeros of their dtype."
                )
                s.compare("updateGradInput", problem, got, np.zeros_like(array))
            else:
                problem = f"{what}the gradient of the other arrays is another one."
                s.compare("updateGradInput", problem, got, usual)


def accumulate(s: ModuleSubject) -> None:
    """Gradients accumulate: two calls add up, on top of what was there."""
    if not s.names:
        return
    first = s.run().gradients
    other = s.other_input()
    second = s.run(input=other).gradients
    module = s.fresh()
    for _, gradient in s.gradient_arrays(module):
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    for count, input, added in (("one call", s.input, first), ("a second call", other, second)):
        before = copy_arrays(module.parameters()[1])
        s.forward(module, input)
        module.backward(input, s.gradOutput)
        for name, got, previous, part in zip(
            s.names, module.parameters()[1], before, added, strict=True
        ):
            s.compare(
                "accGradParameters",
                f"{name} after {count} is not what it was before plus what the call adds.",
                got,
                previous + part,
                hints={"previous": previous},
            )


def _rounding(s: ModuleSubject) -> float:
    """Return what may be lost, by the size of what is differentiated, of sums that cancel."""
    pairs = zip(leaves(s.gradOutput), leaves(s.output), strict=True)
    return 1e-13 * sum(float(np.abs(v * y).sum()) for v, y in pairs if is_floating(y))


def scale(s: ModuleSubject) -> None:
    """Scale is any number: acc(s) adds s times what acc(1) adds; backward passes it on."""
    if not s.names:
        return
    first = s.run()
    ones = first.gradients
    sizes = [float(np.abs(one).max(initial=0)) for one in ones]
    starts = [1.25 * (size or 1.0) for size in sizes]
    rounding = _rounding(s)
    for factor in (0, -2, 0.5, 3, np.float64(0.25), np.float32(2)):
        # A scale of low precision rounds Python's numbers that it is multiplied with.
        precision = 4 * np.finfo(np.float32).eps if isinstance(factor, np.float32) else 1e-10
        for method in ("accGradParameters", "backward"):
            module = s.fresh()
            s.forward(module, s.input)
            kept = first.gradInput
            if method == "accGradParameters":
                module.updateGradInput(s.input, s.gradOutput)
                # Which is what it was, if nobody needs a gradient of the input.
                kept = copy_arrays(module.gradInput)
            for (_, gradient), start in zip(s.gradient_arrays(module), starts, strict=True):
                gradient[...] = start
            result = getattr(module, method)(s.input, s.gradOutput, factor)
            s.compare(
                method,
                f"with scale {factor:g} it changes the gradient of the input.",
                module.gradInput if method == "accGradParameters" else result,
                kept,
                hints={"beside_scale": float(factor)},
            )
            for name, got, start, one, size in zip(
                s.names, module.parameters()[1], starts, ones, sizes, strict=True
            ):
                s.compare(
                    method,
                    f"with scale {factor:g}, {name} does not get {factor:g} times what it gets "
                    "with scale 1.",
                    got - start,
                    float(factor) * one,
                    allowed=precision * size + rounding,
                    hints={"scale": float(factor), "ones": one, "start": start},
                )


def _check_sum(s: ModuleSubject, b: Any, of_a: Result, rounding: float) -> None:
    """Fail unless the backward of a sum with b is the sum of the backwards."""
    a = s.gradOutput
    both = rebuilt(a, [2 * x - 0.5 * y for x, y in zip(leaves(a), leaves(b), strict=True)])
    of_b, of_both = s.run(gradOutput=b), s.run(gradOutput=both)
    for method, got, one, other in [
        ("updateGradInput", of_both.gradInput, of_a.gradInput, of_b.gradInput),
        ("accGradParameters", of_both.gradients, of_a.gradients, of_b.gradients),
    ]:
        sums = [
            # Of arrays without dimensions, NumPy makes numbers.
            np.asarray(2 * x - 0.5 * y, x.dtype) if is_floating(x) else x
            for x, y in zip(leaves(one), leaves(other), strict=True)
        ]
        size = max(
            (
                float(np.abs(x).max(initial=0))
                for x in leaves(one) + leaves(other)
                if is_floating(x)
            ),
            default=0,
        )
        s.compare(
            method,
            "it is not linear in gradOutput.",
            got,
            rebuilt(one, sums),
            allowed=1e-10 * size + rounding,
        )


def _special(v: Array) -> tuple[Array, ...]:
    """Return numbers that add up to 0, ones, and equal rows of which the last is 0."""
    if v.ndim == 0 or len(v) < 2:
        return v, np.ones(v.shape), v
    rows = np.broadcast_to(v[:1], v.shape).copy()
    rows[-1] = 0
    return v - np.flip(v), np.ones(v.shape), rows


def linear(s: ModuleSubject) -> None:
    """Backward is linear in gradOutput, and exactly 0 for 0."""
    a = s.gradOutput
    rounding = _rounding(s)
    of_a = s.run(gradOutput=a)
    drawn = [_special(values.sixteenths(s.rng, v.shape)) for v in leaves(a)]
    for arrays in zip(*drawn, strict=True):
        _check_sum(s, rebuilt(a, list(arrays)), of_a, rounding)
    for power in (20, -20):
        # A power of two changes no rounding.
        factor = 2.0**power
        scaled = s.run(gradOutput=map_arrays(lambda v, f=factor: f * v, a))  # type: ignore[misc]
        for method, got, one in [
            ("updateGradInput", scaled.gradInput, of_a.gradInput),
            ("accGradParameters", scaled.gradients, of_a.gradients),
        ]:
            for large, ordinary in zip(leaves(got), leaves(one), strict=True):
                if is_floating(ordinary):
                    s.compare(
                        method,
                        f"of {factor:g} times the gradOutput it is not {factor:g} times as much.",
                        large,
                        factor * ordinary,
                        allowed=factor * (1e-9 * np.abs(ordinary).max(initial=0) + rounding),
                    )
    zero = map_arrays(np.zeros_like, s.gradOutput)
    nothing = s.run(gradOutput=zero)
    for method, results in [
        ("updateGradInput", nothing.gradInput),
        ("accGradParameters", nothing.gradients),
    ]:
        for array in leaves(results):
            if is_floating(array) and array.any():
                s.fail(method, "of a gradOutput of zeros, it is not exactly zero.")
