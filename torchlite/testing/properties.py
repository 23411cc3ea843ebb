"""What every layer must do: one function a property.

Each takes a Subject and fails by raising; its docstring is the rule in a sentence. `PROPERTIES`
has them by name, in the order in which they are checked: the first that fails is the most
telling.
"""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.errors import StateError
from torchlite.nn.checks import is_integral
from torchlite.nn.container import Container
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_finite,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    scale_arrays,
    shapes,
)
from torchlite.nn.stateful import rebind
from torchlite.nn.tree import rows, walk
from torchlite.testing import maths as docs
from torchlite.testing import values
from torchlite.testing.duck import Duck, ducks
from torchlite.testing.oracle import check_gradient
from torchlite.testing.subject import (
    Result,
    Subject,
    attempt,
    quietly,
    states,
    words,
)

__all__ = ["PROPERTIES"]

PROPERTIES: dict[str, Callable[[Subject], None]] = {}


def _property(check: Callable[[Subject], None]) -> Callable[[Subject], None]:
    PROPERTIES[check.__name__.strip("_")] = check
    return check


# ---------------------------------------------------------------- without which nothing else tells


@_property
def repeat(s: Subject) -> None:
    """The same call gives the same bits, under the same manualSeed, whatever came before."""
    for mode in s.in_both_modes():
        first = mode.run()
        module = mode.fresh()
        for number in (1, 2):
            _check_same_again(
                mode,
                mode.run(module),
                first,
                f"call {number} with the same arguments and the same manualSeed gives other "
                "numbers.",
            )
        for extreme in mode.extremes():
            later, alone = attempt(extreme.run, module), attempt(extreme.run)
            if later is not None and alone is not None:
                problem = "after a call with other arguments it gives other numbers."
                _check_same_again(extreme, later, alone, problem)
            problem = "after a call with huge and tiny numbers it gives other numbers."
            _check_same_again(mode, mode.run(module), first, problem)


def _check_same_again(s: Subject, again: Result, first: Result, problem: str) -> None:
    s.same_bits("updateOutput", problem, again.output, first.output)
    s.same_bits("updateGradInput", problem, again.gradInput, first.gradInput)
    s.same_bits("accGradParameters", problem, again.gradients, first.gradients)


@_property
def mutation(s: Subject) -> None:
    """Nothing is written to input, gradOutput or parameters; read-only arrays are fine."""
    for mode in s.in_both_modes():
        for writeable in (True, False):
            _check_mutation(mode, writeable)
        with quietly():
            for extreme in mode.extremes():
                _check_mutation(extreme, True)


def _check_mutation(s: Subject, writeable: bool) -> None:
    input, gradOutput = copy_arrays(s.pristine), copy_arrays(s.gradOutput)
    module = s.fresh()
    parameters = copy_arrays(module.parameters()[0])
    arrays = leaves(input) + leaves(gradOutput)
    for array in arrays:
        array.flags.writeable = writeable
    steps: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
        ("updateOutput", s.forward, (module, input)),
        ("updateGradInput", module.updateGradInput, (input, gradOutput)),
        ("accGradParameters", module.accGradParameters, (input, gradOutput)),
    ]
    for method, step, arguments in steps:
        try:
            step(*arguments)
        except Exception as error:
            if not writeable and "read-only" in str(error):
                s.fail(method, f"it writes to a read-only array: {error}.")
            if not s.extreme:
                raise
        s.same_bits(method, "it changed its input.", input, s.pristine)
        s.same_bits(method, "it changed gradOutput.", gradOutput, s.gradOutput)
        s.same_bits(method, "it changed parameters.", module.parameters()[0], parameters)
        if any(array.flags.writeable != writeable for array in arrays):
            s.fail(method, "it made an array that it was given read-only.")


# ---------------------------------------------------------------- the split contract


@_property
def split(s: Subject) -> None:
    """Three methods, each with one job: the results are kept and returned, backward is both."""
    module = s.fresh()
    output = s.forward(module, s.input)
    if module.output is not output:
        s.fail("updateOutput", "self.output is not what it returned.")
    direct = s.fresh()
    s.reseed()
    s.same_bits("forward", "it is not updateOutput.", output, direct.updateOutput(s.input))
    for _, gradient in s.gradient_arrays(module):
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    before = copy_arrays(module.parameters()[1])
    gradInput = module.updateGradInput(s.input, s.gradOutput)
    if gradInput is None and any(map(is_floating, leaves(s.input))):
        s.fail("updateGradInput", "it returned None.")
    if gradInput is not None and module.gradInput is not gradInput:
        s.fail("updateGradInput", "self.gradInput is not what it returned.")
    s.same_bits(
        "updateGradInput", "it changed gradients of parameters.", module.parameters()[1], before
    )
    kept = copy_arrays(module.gradInput)
    accumulate: Callable[..., Any] = module.accGradParameters
    returned = accumulate(s.input, s.gradOutput)
    if returned is not None:
        s.fail("accGradParameters", f"it returned {type(returned).__name__}, not None.")
    s.same_bits("accGradParameters", "it changed gradInput.", module.gradInput, kept)

    # Without updateGradInput before it; containers need their children's gradOutputs.
    alone = s.fresh()
    s.forward(alone, s.input)
    alone.zeroGradParameters()
    expected = s.run().gradients
    try:
        alone.accGradParameters(s.input, s.gradOutput)
    except StateError:
        if not s.remembers:
            raise
    else:
        s.compare(
            "accGradParameters",
            "without updateGradInput before it, it gives other gradients.",
            alone.parameters()[1],
            expected,
        )
    both = s.fresh()
    s.forward(both, s.input)
    both.zeroGradParameters()
    result = both.backward(s.input, s.gradOutput)
    if gradInput is not None:
        s.compare("backward", "it does not return the gradient of the input.", result, kept)
    s.compare(
        "backward",
        "it does not accumulate what accGradParameters does.",
        both.parameters()[1],
        expected,
    )


# ---------------------------------------------------------------- gradients


def _gradInput_of(s: Subject, number: int) -> Callable[[list[Any]], Any]:
    def backward(weights: list[Any]) -> Any:
        module = s.fresh()
        s.forward(module, s.input)
        gradInput = module.updateGradInput(s.input, rebuilt(s.gradOutput, weights))
        if isinstance(s.input, (list, tuple, dict)) and shapes(gradInput) != shapes(s.input):
            s.fail(
                "updateGradInput", f"gradInput is {shapes(gradInput)}, expected {shapes(s.input)}."
            )
        found = leaves(gradInput)
        if not is_array(found[number]):
            s.fail("updateGradInput", f"gradInput is {type(found[number]).__name__}.")
        return found[number]

    return backward


@_property
def gradInput(s: Subject) -> None:
    """GradInput is the derivative, in training and in evaluation mode."""
    for mode in s.in_both_modes():
        for number, array in enumerate(leaves(s.input)):
            if is_floating(array):
                name = "gradInput" if is_array(s.input) else f"gradInput[{number}]"
                check_gradient(mode, "input", number, _gradInput_of(mode, number), name)


@_property
def gradParameters(s: Subject) -> None:
    """Every parameter's gradient is the derivative, in training and in evaluation mode."""

    def gradient_of(mode: Subject, number: int) -> Callable[[list[Any]], Any]:
        return lambda weights: mode.run(gradOutput=rebuilt(mode.gradOutput, weights)).gradients[
            number
        ]

    for mode in s.in_both_modes():
        for number, name in enumerate(s.names):
            check_gradient(mode, "parameter", number, gradient_of(mode, number), name)


@_property
def integers(s: Subject) -> None:
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


@_property
def accumulate(s: Subject) -> None:
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


@_property
def scale(s: Subject) -> None:
    """Scale is any number: acc(s) adds s times what acc(1) adds; backward passes it on."""
    if not s.names:
        return
    ones = s.run().gradients
    for factor in (0, -2, 0.5, 3, np.float64(0.25), np.float32(2)):
        for method in ("accGradParameters", "backward"):
            module = s.fresh()
            s.forward(module, s.input)
            module.updateGradInput(s.input, s.gradOutput)
            for _, gradient in s.gradient_arrays(module):
                gradient[...] = 1.25
            kept = copy_arrays(module.gradInput)
            result = getattr(module, method)(s.input, s.gradOutput, factor)
            s.compare(
                method,
                f"with scale {factor:g} it changes the gradient of the input.",
                module.gradInput if result is None else result,
                kept,
            )
            for name, got, one in zip(s.names, module.parameters()[1], ones, strict=True):
                s.compare(
                    method,
                    f"with scale {factor:g}, {name} does not get {factor:g} times what it gets "
                    "with scale 1.",
                    got - 1.25,
                    float(factor) * one,
                    allowed=1e-10 * (1 + np.abs(one).max(initial=0)),
                    hints={"scale": float(factor)},
                )


@_property
def linear(s: Subject) -> None:
    """Backward is linear in gradOutput, and exactly 0 for 0."""
    a, b = s.gradOutput, map_arrays(lambda v: values.sixteenths(s.rng, v.shape), s.gradOutput)
    both = rebuilt(a, [2 * x - 0.5 * y for x, y in zip(leaves(a), leaves(b), strict=True)])
    of_a, of_b, of_both = s.run(gradOutput=a), s.run(gradOutput=b), s.run(gradOutput=both)
    for method, got, one, other in [
        ("updateGradInput", of_both.gradInput, of_a.gradInput, of_b.gradInput),
        ("accGradParameters", of_both.gradients, of_a.gradients, of_b.gradients),
    ]:
        sums = [
            (2 * x - 0.5 * y).astype(x.dtype, copy=False) if is_floating(x) else x
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
            allowed=1e-10 * (1 + size),
        )
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
                        allowed=1e-9 * factor * (1 + np.abs(ordinary).max(initial=0)),
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


# ---------------------------------------------------------------- batches


def _row(table: Any, i: int) -> Any:
    return map_arrays(lambda a: a[i : i + 1] if is_array(a) else a, table)


@_property
def batch(s: Subject) -> None:
    """A batch gives what its samples give one by one; gradients of parameters are their sum."""
    outputs = leaves(s.output)
    if not s.rows or any(a.ndim == 0 or a.shape[0] != s.rows for a in outputs):
        s.notes.append("batch: not applicable, input and output have no common first dimension")
        return
    if s.base.train and (s.draws or _batch_statistics(s)):
        s.notes.append("batch: checked in evaluation mode, training draws or mixes the samples")
        s = copy.copy(s)
        s.base = s.fresh().evaluate()
        s.output = copy_arrays(s.forward(s.fresh(), s.input))
    _check_samples(s, s.run())
    # What is computed across the samples, a shift by the largest of all say, costs the small ones.
    sizes = np.resize([1, values.HUGE, 1 / values.HUGE], s.rows)
    apart = s.at("samples of very different size", scale_arrays(s.input, sizes))
    whole = attempt(apart.run)
    if whole is not None:
        with quietly():
            _check_samples(apart, whole)
    bare = is_array(s.input) and is_array(s.output) and s.input.ndim == s.output.ndim == 2
    if bare and words(s.base) & {"ndim", "atleast_2d"}:
        _check_bare_sample(s)


def _check_samples(s: Subject, whole: Result) -> None:
    module = s.fresh()
    sums = [np.zeros_like(gradient) for gradient in whole.gradients]
    size = [0.0] * len(sums)
    for i in range(s.rows):
        single = s.run(module, _row(s.input, i), _row(s.gradOutput, i))
        s.compare(
            "updateOutput",
            f"the output of sample {i} alone is not row {i} of the batch's. (If samples are meant "
            "to mix, exempt this property.)",
            single.output,
            _row(whole.output, i),
        )
        s.compare(
            "updateGradInput",
            f"the gradInput of sample {i} alone is not row {i} of the batch's.",
            single.gradInput,
            _row(whole.gradInput, i),
        )
        for k, gradient in enumerate(single.gradients):
            sums[k] = sums[k] + gradient
            size[k] += float(np.abs(gradient).max(initial=0))
    for name, got, expected, magnitude in zip(s.names, whole.gradients, sums, size, strict=True):
        s.compare(
            "accGradParameters",
            f"{name} of a batch is not the sum over its samples.",
            got,
            expected,
            allowed=1e-10 * (1 + magnitude),
        )


def _check_bare_sample(s: Subject) -> None:
    """A layer whose code looks at dimensions gives a sample without batch what it gives its row."""
    output = attempt(s.forward, s.fresh(), s.input[0])
    if output is None:
        return
    row = s.run(input=s.input[:1], gradOutput=s.gradOutput[:1])
    problem = "for one sample without batch dimension it is not what it is for a batch of one."
    if not is_array(output) or output.ndim != 1:
        s.fail("updateOutput", f"{problem} It is {shapes(output)}.")
    s.compare("updateOutput", problem, output, row.output[0])
    bare = s.run(input=s.input[0], gradOutput=s.gradOutput[0])
    s.compare("updateGradInput", problem, bare.gradInput, row.gradInput[0])
    for name, got, expected in zip(s.names, bare.gradients, row.gradients, strict=True):
        s.compare("accGradParameters", f"{name}: {problem}", got, expected)


def _batch_statistics(s: Subject) -> bool:
    """Tell whether samples mix in training mode, but not in evaluation mode: on purpose."""
    if not s.base.train:
        return False

    def mixes(module: Module) -> bool:
        whole = s.forward(module, s.input)
        try:
            single = s.forward(module, _row(s.input, 0))
        except Exception:
            return True
        pairs = zip(leaves(single), leaves(_row(whole, 0)), strict=True)
        return any(a.shape != b.shape or not np.allclose(a, b, 1e-9, 1e-9) for a, b in pairs)

    return mixes(s.fresh()) and not mixes(s.fresh().evaluate())


@_property
def empty(s: Subject) -> None:
    """A batch of no samples gives empty results and no gradients."""
    if s.rows < 2 or any(a.ndim == 0 or a.shape[0] != s.rows for a in leaves(s.output)):
        return
    none = map_arrays(lambda a: a[:0], s.input)
    if s.base.train and _batch_statistics(s):
        _check_statistics_of_nothing(s, none)
        s = copy.copy(s)
        s.base = s.fresh().evaluate()
    try:
        with np.errstate(all="raise"):
            result = s.run(input=none, gradOutput=map_arrays(lambda a: a[:0], s.gradOutput))
    except Exception as error:
        s.fail("updateOutput", f"a batch of no samples raises {type(error).__name__}: {error}")
    for method, got, like in [
        ("updateOutput", result.output, s.output),
        ("updateGradInput", result.gradInput, s.input),
    ]:
        expected = map_arrays(lambda a: a[:0], like)
        if shapes(got) != shapes(expected):
            s.fail(
                method,
                f"for a batch of no samples it gives {shapes(got)}, expected {shapes(expected)}.",
            )
    for name, gradient in zip(s.names, result.gradients, strict=True):
        if gradient.any():
            s.fail("accGradParameters", f"a batch of no samples changes {name}.")


def _check_statistics_of_nothing(s: Subject, none: Any) -> None:
    """A training forward of no samples may be refused, but must not spoil what is remembered."""
    module = s.fresh()
    attempt(s.forward, module, none)
    for name, value in states(module):
        if is_floating(value) and np.isnan(value).any():
            s.fail(
                "updateOutput",
                f"a batch of no samples makes {name.partition('.')[2]} NaN in training.",
            )


# ---------------------------------------------------------------- arrays


@_property
def aliasing(s: Subject) -> None:
    """What forward and backward returned is never written to again."""
    for mode in s.in_both_modes():
        _check_aliasing(mode)


def _check_aliasing(s: Subject) -> None:
    module = s.fresh()
    output = s.forward(module, s.input)
    kept_output = copy_arrays(output)
    module.zeroGradParameters()
    gradInput = module.backward(s.input, s.gradOutput)
    kept_gradInput = copy_arrays(gradInput)
    for extreme in s.extremes():
        attempt(extreme.run, module)
    module.zeroGradParameters()
    other = s.other_input()
    s.forward(module, other)
    module.backward(other, map_arrays(lambda v: values.sixteenths(s.rng, v.shape), s.gradOutput))
    module.updateParameters(0.5)
    module.zeroGradParameters()
    later = "a later call changed the array that an earlier one returned."
    s.same_bits("updateOutput", later, output, kept_output)
    s.same_bits("updateGradInput", later, gradInput, kept_gradInput)


@_property
def dtype(s: Subject) -> None:
    """The dtype is kept, whatever the scale; low precision is right within its rounding."""
    for mode in s.in_both_modes():
        _check_dtype(mode)


def _check_dtype(s: Subject) -> None:
    for name in ("float32", "float64"):
        module = s.fresh(name)
        input, gradOutput = cast_arrays(s.input, name), cast_arrays(s.gradOutput, name)
        try:
            output = s.forward(module, input)
            module.zeroGradParameters()
            gradInput = module.updateGradInput(input, gradOutput)
            module.accGradParameters(input, gradOutput, np.float64(1))
        except Exception as error:
            s.fail("forward", f"{name} raises {type(error).__name__}: {error}")
        module.updateParameters(np.float64(0))
        parameters, gradients = module.parameters()
        expected = s.run()
        for method, got, like in [
            ("updateOutput", output, cast_arrays(expected.output, name)),
            ("updateGradInput", gradInput, cast_arrays(expected.gradInput, name)),
            ("accGradParameters", gradients, cast_arrays(expected.gradients, name)),
            ("updateParameters", parameters, cast_arrays(s.base.parameters()[0], name)),
        ]:
            for one, other in zip(leaves(got), leaves(like), strict=True):
                size = float(np.abs(other).max(initial=0)) if is_floating(other) else 0
                epsilon = np.finfo(name).eps
                terms = max(a.size for a in leaves(s.input)) ** 0.5
                s.compare(
                    method,
                    f"in {name} it differs from float64.",
                    one,
                    other,
                    allowed=2048 * epsilon * terms * (1 + size),
                )
    for extreme in s.extremes():
        _check_single_kept(extreme)


def _check_single_kept(s: Subject) -> None:
    numbers = cast_arrays(s.input, "float32"), cast_arrays(s.gradOutput, "float32")
    result = attempt(s.run, s.fresh("float32"), *numbers)
    if result is None:
        return
    for method, got in [("updateOutput", result.output), ("updateGradInput", result.gradInput)]:
        for array in leaves(got):
            if is_floating(array) and array.dtype != np.float32:
                s.fail(method, f"of float32 it makes {array.dtype}.")


@_property
def layout(s: Subject) -> None:
    """Any memory layout of input and gradOutput gives the same numbers."""
    _check_layouts(s, s.run())
    huge = s.at("huge numbers", scale_arrays(s.input, values.HUGE))
    expected = attempt(huge.run)
    if expected is not None:
        with quietly():
            _check_layouts(huge, expected)
    # One value repeated without memory of its own (stride 0), as np.broadcast_to makes it.
    flat = map_arrays(
        lambda a: np.broadcast_to(a[:1], a.shape) if is_floating(a) and a.ndim and a.size else a,
        s.input,
    )
    gradOutput = map_arrays(
        lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim and a.size else a, s.gradOutput
    )
    expected = attempt(s.run, None, copy_arrays(flat), copy_arrays(gradOutput))
    if expected is not None and is_finite(expected.gradInput):
        got = s.run(input=flat, gradOutput=gradOutput)
        _compare_results(s, got, expected, "broadcast arrays give other numbers.")


def _check_layouts(s: Subject, expected: Result) -> None:
    layouts: dict[str, Callable[[Any], Any]] = {
        "Fortran-ordered": lambda a: np.asfortranarray(a) if a.ndim else a,
        "sliced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
        "reversed": lambda a: a[..., ::-1].copy()[..., ::-1] if a.ndim else a,
        "read-only": _read_only,
    }
    for name, change in layouts.items():
        try:
            got = s.run(
                input=map_arrays(change, s.input), gradOutput=map_arrays(change, s.gradOutput)
            )
        except Exception as error:
            s.fail("forward", f"{name} arrays raise {type(error).__name__}: {error}")
        _compare_results(s, got, expected, f"{name} arrays give other numbers.")


def _read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


def _compare_results(s: Subject, got: Any, expected: Any, problem: str) -> None:
    s.compare("updateOutput", problem, got.output, expected.output)
    s.compare("updateGradInput", problem, got.gradInput, expected.gradInput)
    s.compare(
        "accGradParameters",
        problem,
        got.gradients,
        expected.gradients,
        allowed=1e-10
        * (1 + max((float(np.abs(g).max(initial=0)) for g in expected.gradients), default=0)),
    )


@_property
def twice(s: Subject) -> None:
    """A second forward, or a second updateGradInput, changes nothing; nor does a backward."""
    expected = s.run()
    problem = "after a second forward or updateGradInput it gives other numbers."
    for forwards in (1, 2):
        module = s.fresh()
        for _ in range(forwards):
            s.forward(module, s.input)
        module.zeroGradParameters()
        for _ in range(2):
            got = module.updateGradInput(s.input, s.gradOutput)
            s.compare("updateGradInput", problem, got, expected.gradInput)
        module.accGradParameters(s.input, s.gradOutput)
        s.compare("accGradParameters", problem, module.parameters()[1], expected.gradients)
    module = s.fresh()
    s.forward(module, s.input)
    before = s.run(module.clone().evaluate()).output
    module.backward(s.input, s.gradOutput)
    after = s.run(module.clone().evaluate()).output
    s.compare("backward", "it changes what later forwards give.", after, before)


@_property
def interleave(s: Subject) -> None:
    """After forward(A), forward(B), a backward of A is right, or raises StateError."""
    other = s.other_input()
    _check_interleave(s, other, s.run())
    # Nearly equal is not equal: to np.allclose, all tiny numbers are.
    tiny = s.at("tiny numbers", scale_arrays(s.input, 1 / values.HUGE))
    other = scale_arrays(other, 1 / values.HUGE)
    expected = attempt(tiny.run)
    if expected is not None and attempt(tiny.run, None, other) is not None:
        with quietly():
            _check_interleave(tiny, other, expected)


def _check_interleave(s: Subject, other: Any, expected: Result) -> None:
    if all(np.array_equal(a, b) for a, b in zip(leaves(other), leaves(s.input), strict=True)):
        return
    module = s.fresh()
    s.forward(module, s.input)
    s.forward_anew(module, other)
    module.zeroGradParameters()
    problem = "after a forward of another input it is not the gradient at the input given."
    try:
        got = module.updateGradInput(s.input, s.gradOutput)
    except StateError:
        got = None
    if got is not None:
        s.compare("updateGradInput", problem, got, expected.gradInput)
    alone = s.fresh()
    s.forward(alone, s.input)
    s.forward_anew(alone, other)
    alone.zeroGradParameters()
    try:
        alone.accGradParameters(s.input, s.gradOutput)
    except StateError:
        if not any(gradient.any() for gradient in alone.parameters()[1]):
            return
    s.compare("accGradParameters", problem, alone.parameters()[1], expected.gradients)


# ---------------------------------------------------------------- copies


@_property
def clone(s: Subject) -> None:
    """A clone, and a deep copy, have the same numbers and share nothing."""
    ways: dict[str, Callable[[Any], Any]] = {
        "clone": lambda m: m.clone(),
        "copy.deepcopy": copy.deepcopy,
    }
    for way, copying in ways.items():
        for train in {s.base.train, False}:
            module = _trained(s, train)
            made = copying(module)
            _check_copy(s, way, made, module)
            _check_independence(s, way, made, module)


def _check_independence(s: Subject, way: str, made: Module, module: Module) -> None:
    for one, other in ((module, made), (made, module)):
        arrays = [*other.parameters()[0], *other.parameters()[1]]
        before = copy_arrays(s.forward(other.evaluate(), s.input))
        kept = copy_arrays(arrays)
        for array in [*one.parameters()[0], *one.parameters()[1]]:
            array += 1
        s.forward(one, s.other_input())
        problem = "the copy shares arrays with the original."
        s.same_bits(way, problem, arrays, kept)
        problem = "what happens to the one changes what the other gives."
        s.compare(way, problem, s.forward(other, s.input), before)
        for array in [*one.parameters()[0], *one.parameters()[1]]:
            array -= 1


def _trained(s: Subject, train: bool) -> Module:
    """Return a module with numbers of full precision everywhere, that has seen some input."""
    module = s.fresh()
    for array in [*module.parameters()[0], *module.parameters()[1]]:
        array += np.linspace(0.01, 0.02, array.size).reshape(array.shape)
    s.forward(module, s.other_input())
    s.forward(module, s.input)
    return module.training() if train else module.evaluate()


def _check_copy(s: Subject, way: str, made: Module, module: Module) -> None:
    """Fail unless one module is a faithful copy of the other."""
    problem = f"{way} does not carry all parameters and gradients."
    s.same_bits(way, problem, list(made.parameters()[0]), list(module.parameters()[0]))
    s.same_bits(way, problem, list(made.parameters()[1]), list(module.parameters()[1]))
    if made.train is not module.train:
        s.fail(way, f"train is {made.train} in the copy of one that has {module.train}.")
    if any(is_array(array) and array.size for array in (made.output, made.gradInput)):
        s.fail(way, "it carries results of earlier calls.")
    problem = f"after {way} it gives other numbers."
    _compare_results(s, s.run(made), s.run(module), problem)
    train = module.train
    got, expected = (s.forward(one.evaluate(), s.input) for one in (made, module))
    s.compare(way, problem, got, expected)
    for one in (made, module):
        one.training() if train else one.evaluate()


@_property
def _pickle(s: Subject) -> None:
    """Pickling carries everything that makes a difference."""
    for train in {s.base.train, False}:
        module = _trained(s, train)
        try:
            stored = pickle.dumps(module)
        except (pickle.PicklingError, AttributeError, TypeError) as reason:
            # A class inside a function, a lambda: Python's limit, not the layer's fault.
            s.notes.append(f"pickle: not checked, {reason}")
            return
        before = s.run(pickle.loads(stored))
        _check_copy(s, "pickle", pickle.loads(stored), module)
        for array in [*module.parameters()[0], *module.parameters()[1]]:
            array += 1
        after = s.run(pickle.loads(stored))
        _compare_results(s, after, before, "what was pickled changed later.")


# ---------------------------------------------------------------- parameters


@_property
def update(s: Subject) -> None:
    """UpdateParameters subtracts learningRate times the gradient from every parameter."""
    module = s.fresh()
    s.forward(module, s.input)
    module.updateGradInput(s.input, s.gradOutput)
    parameters, gradients = module.parameters()
    pairs = list(zip(map(id, parameters), map(id, gradients), strict=True))
    for name, pair in zip(s.names, pairs, strict=True):
        if pairs.count(pair) > 1:
            s.fail("parameters", f"it returns {name} and its parameter twice.")
    module.accGradParameters(s.input, s.gradOutput)
    known = {id(array) for row in rows(module) for array in (row.parameter, row.gradient)}
    for place in walk(module):
        part = place.module
        for key, value in vars(part).items():
            own = vars(part).get(f"grad{key[:1].upper()}{key[1:]}")
            listed = len({id(value), id(own)} & known)
            if not (is_array(value) and is_array(own)) or listed == 2:
                continue
            # What no attribute but `modules` holds is a container's to gather.
            forgotten = "." not in place.path or own.any()
            # A layer that returns no parameters at all is frozen.
            frozen = not listed and not (isinstance(part, Module) and part.parameters()[0])
            if forgotten and not frozen:
                s.fail(
                    "parameters",
                    f"{f'{place.path}.{key}'.lstrip('.')} has a gradient, but parameters() does "
                    "not return both.",
                )
    for gradient in gradients:
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    for learningRate in (0, 0.5, np.float64(-0.25)):
        _check_update(s, module, learningRate)
        _check_follows(s, "updateParameters", module)
    for gradient in gradients:
        gradient[...] = values.adversarial(s.rng, gradient.shape)
    _check_update(s.at("huge and tiny gradients", s.input), module, 1)


def _check_update(s: Subject, module: Module, learningRate: Any) -> None:
    parameters, gradients = module.parameters()
    before, by = copy_arrays(parameters), copy_arrays(gradients)
    try:
        returned = module.updateParameters(learningRate)
    except Exception:
        if s.extreme:
            return
        raise
    if returned is not module:
        s.fail("updateParameters", "it does not return self.")
    for name, parameter, old, gradient in zip(s.names, parameters, before, by, strict=True):
        s.compare(
            "updateParameters",
            f"the parameter of {name} is not what it was - {learningRate:g} * {name}.",
            parameter,
            old - float(learningRate) * gradient,
            hints={"previous": old},
        )
    s.same_bits("updateParameters", "it changed gradients.", gradients, by)


def _check_follows(s: Subject, method: str, module: Module) -> None:
    """Fail unless the module gives what one with its parameters gives that never ran before."""
    with quietly():
        try:
            expected = s.run(s.with_parameters_of(module))
        except Exception:
            # The new parameters are none that this layer takes.
            return
        if not is_finite(expected.output):
            return
        gradients = copy_arrays(module.parameters()[1])
        output = s.forward(module, s.input)
        gradInput = module.updateGradInput(s.input, s.gradOutput)
        for gradient, kept in zip(module.parameters()[1], gradients, strict=True):
            gradient[...] = kept
    problem = "afterwards it does not give what the new parameters give."
    s.compare(method, problem, output, expected.output)
    s.compare(method, problem, gradInput, expected.gradInput)


@_property
def identity(s: Subject) -> None:
    """Zeroing, accumulating and updating write into the same arrays."""
    module = s.fresh()
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("updateOutput", lambda: s.forward(module, s.input)),
        ("zeroGradParameters", module.zeroGradParameters),
        ("updateGradInput", lambda: module.updateGradInput(s.input, s.gradOutput)),
        ("accGradParameters", lambda: module.accGradParameters(s.input, s.gradOutput)),
        ("updateParameters", lambda: module.updateParameters(0)),
        (
            "accUpdateGradParameters",
            lambda: module.accUpdateGradParameters(s.input, s.gradOutput, 0),
        ),
        ("reset", module.reset),
    ]
    before = [array for arrays in module.parameters() for array in arrays]
    for method, step in steps:
        step()
        after = [array for arrays in module.parameters() for array in arrays]
        if len(after) != len(before) or any(map(operator.is_not, after, before)):
            s.fail(
                method,
                "it put another array in the place of a parameter or gradient, which breaks "
                "sharing and flat views.",
            )


@_property
def zero(s: Subject) -> None:
    """ZeroGradParameters sets every gradient to exactly 0, even from NaN."""
    module = s.fresh()
    for _, gradient in s.gradient_arrays(module):
        gradient.fill(np.nan)
    parameters = copy_arrays(module.parameters()[0])
    if module.zeroGradParameters() is not module:
        s.fail("zeroGradParameters", "it does not return self.")
    s.same_bits("zeroGradParameters", "it changed parameters.", module.parameters()[0], parameters)
    for name, gradient in s.gradient_arrays(module):
        if gradient.any() or np.isnan(gradient).any():
            s.fail("zeroGradParameters", f"{name} is not 0 afterwards.")
    if s.fresh_from is not None:
        new = s.fresh_from()
        for name, gradient in zip(s.names, new.parameters()[1], strict=True):
            if gradient.any() or np.isnan(gradient).any():
                s.fail("__init__", f"{name} does not start at 0.")


@_property
def accUpdate(s: Subject) -> None:
    """AccUpdateGradParameters updates by this call's gradients alone; backwardUpdate does too."""
    result = s.run()
    for method in ("accUpdateGradParameters", "backwardUpdate"):
        module = s.fresh()
        s.forward(module, s.input)
        for _, gradient in s.gradient_arrays(module):
            gradient[...] = 1.25
        before = copy_arrays(module.parameters()[0])
        if method == "backwardUpdate":
            gradInput = module.backwardUpdate(s.input, s.gradOutput, 0.25)
            s.compare(method, "it returns another gradInput.", gradInput, result.gradInput)
        else:
            module.updateGradInput(s.input, s.gradOutput)
            module.accUpdateGradParameters(s.input, s.gradOutput, 0.25)
        for name, got, old, gradient, left in zip(
            s.names,
            module.parameters()[0],
            before,
            result.gradients,
            module.parameters()[1],
            strict=True,
        ):
            s.compare(
                method,
                f"the parameter of {name} is not what it was - lr * {name} of this call.",
                got,
                old - 0.25 * gradient,
                allowed=1e-10 * (1 + np.abs(gradient).max(initial=0)),
            )
            s.compare(method, f"it changed {name}.", left, np.full_like(left, 1.25))


@_property
def flat(s: Subject) -> None:
    """GetParameters gives live flat arrays, the same memory each time."""
    expected = s.run()
    module = s.fresh()
    before = copy_arrays(module.parameters())
    flat_parameters, flat_gradients = module.getParameters()
    s.same_bits("getParameters", "it changed parameters or gradients.", module.parameters(), before)
    again, _ = module.getParameters()
    if flat_parameters.size and not (
        np.shares_memory(again, flat_parameters) and again.size == flat_parameters.size
    ):
        s.fail("getParameters", "a second call returns other memory.")
    got = s.run(module)
    _compare_results(s, got, expected, "after getParameters it gives other numbers.")
    flat_gradients.fill(0)
    for name, gradient in s.gradient_arrays(module):
        if gradient.any():
            s.fail("getParameters", f"{name} is no view of the flat gradients.")
    flat_parameters += 1
    for name, now, old in zip(s.names, module.parameters()[0], before[0], strict=True):
        s.compare(
            "getParameters",
            f"the parameter of {name} is no view of the flat parameters.",
            now,
            old + 1,
        )
    _check_follows(s, "getParameters", module)


@_property
def sharing(s: Subject) -> None:
    """Parameters shared with a clone are one: zeroed, accumulated and updated once."""
    one = s.fresh()
    held = {id(value) for value in vars(one).values()}
    if not s.names or not {id(array) for arrays in one.parameters() for array in arrays} <= held:
        return
    names = [key for key, value in vars(one).items() if is_array(value)]
    other = one.clone(*names)
    net = Sequential(one, other)
    if len(net.parameters()[0]) != len(one.parameters()[0]):
        s.fail("share", "a clone that shares all arrays has parameters of its own.")
    before = copy_arrays(one.parameters()[0])
    for gradient in one.parameters()[1]:
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    net.updateParameters(1)
    for name, now, old, gradient in zip(
        s.names, one.parameters()[0], before, one.parameters()[1], strict=True
    ):
        s.compare(
            "updateParameters",
            f"the shared parameter of {name} is not updated once.",
            now,
            old - gradient,
        )


# ---------------------------------------------------------------- behaviour


@_property
def modes(s: Subject) -> None:
    """Training() and evaluate() reach every part, return self, and change nothing else."""
    module = s.fresh()
    before = copy_arrays(module.parameters()[0])
    for name, value in (("evaluate", False), ("training", True)):
        if getattr(module, name)() is not module:
            s.fail(name, "it does not return self.")
        for part in module.listModules():
            if part.train is not value:
                s.fail(name, f"{type(part).__name__}.train is {part.train} afterwards.")
        s.same_bits(name, "it changed parameters.", module.parameters()[0], before)
    for mode in s.in_both_modes():
        module = mode.fresh()
        s.forward(module, s.input)
        module.updateGradInput(s.input, s.gradOutput)
        if module.train is not mode.base.train:
            s.fail("updateOutput", "it switches the mode.")
    if s.base.train and len(s.in_both_modes()) == 2:
        # What a training forward left behind must not show in evaluation.
        module = s.fresh()
        s.forward(module, s.input)
        apart = s.with_arrays_of(module)
        got, expected = s.run(module.evaluate()), s.run(apart.evaluate())
        problem = "after a forward in training it gives something else in evaluation."
        _compare_results(s, got, expected, problem)


@_property
def none(s: Subject) -> None:
    """With gradInput = None, backward returns None and accumulates all the same."""
    expected = s.run().gradients
    for inside in (False, True):
        module = s.fresh()
        module.gradInput = None
        net = Sequential(module) if inside else module
        s.forward(net, s.input)
        net.zeroGradParameters()
        if net.backward(s.input, s.gradOutput) is not None:
            s.fail("backward", "with gradInput = None it does not return None.")
        if module.gradInput is not None:
            s.fail("backward", "it computed a gradInput that was switched off.")
        s.compare(
            "backward",
            "with gradInput = None it accumulates something else.",
            net.parameters()[1],
            expected,
        )
    _check_first_child(s, expected)


def _check_first_child(s: Subject, expected: Any) -> None:
    """A chain honours the gradInput = None of its first module."""
    module = s.fresh()
    if not module.modules or module.modules[0].modules:
        return
    given: list[int] = []
    for position, part in enumerate(module.modules):
        part.updateOutput = _noting(part, s.input, given, position)
    s.forward(module, s.input)
    for part in module.modules:
        vars(part).pop("updateOutput", None)
    if given != [0] or len(module.modules) == 1:
        return
    module = s.fresh()
    module.modules[0].gradInput = None
    s.forward(module, s.input)
    module.zeroGradParameters()
    if module.backward(s.input, s.gradOutput) is not None or (
        module.modules[0].gradInput is not None
    ):
        s.fail("backward", "it ignores the gradInput = None of its first module.")
    s.compare(
        "backward",
        "with the first module's gradInput = None it accumulates something else.",
        module.parameters()[1],
        expected,
    )


def _noting(part: Module, input: Any, given: list[int], position: int) -> Callable[[Any], Any]:
    """Return the part's updateOutput, which notes the position if it is given this input."""

    def updateOutput(own: Any) -> Any:
        if own is input:
            given.append(position)
        return type(part).updateOutput(part, own)

    return updateOutput


@_property
def exceptions(s: Subject) -> None:
    """A call that raises has changed nothing."""
    numbers: list[Any] = ["2", None, [1.0]]
    extremes = s.extremes()
    calls: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
        *(
            ("forward", Module.forward, (bad,))
            for bad in [*_bad(s.input), *(extreme.input for extreme in extremes)]
        ),
        *(
            (method, getattr(type(s.base), method), (s.input, bad))
            for bad in [*_bad(s.gradOutput), *(extreme.gradOutput for extreme in extremes)]
            # Of a container, whose modules have been checked, each call needs a forward anew.
            for method in (
                "backward",
                *(() if s.composed else ("updateGradInput", "accGradParameters")),
            )
        ),
        *(
            (method, getattr(type(s.base), method), (s.input, s.gradOutput, bad))
            for bad in numbers
            for method in ("backward", "accGradParameters")
        ),
        *(("updateParameters", type(s.base).updateParameters, (bad,)) for bad in numbers),
    ]
    module: Module | None = None
    before: list[tuple[str, Any, Any]] = []
    for method, call, arguments in calls:
        if module is None:
            module = s.fresh()
            for _, gradient in s.gradient_arrays(module):
                gradient[...] = 1.25
            s.forward(module, s.input)
            module.updateGradInput(s.input, s.gradOutput)
            # Of a container, the children that already ran keep what they computed.
            before = [
                (name, value, _frozen(value))
                for name, value in states(module)
                if not s.composed or _is_parameter(module, value)
            ]
        try:
            with quietly():
                call(module, *arguments)
        except Exception as error:
            after = dict(states(module))
            for name, value, frozen in before:
                if after.get(name) is not value or _frozen(value) != frozen:
                    s.fail(
                        method,
                        f"it raised {type(error).__name__} and had changed "
                        f"{name.partition('.')[2]}.",
                    )
            if not s.composed:
                continue
            if method == "forward":
                _check_old_path(s, module)
        # Nothing was wrong for this layer, or a container has forgotten its path: start anew.
        module = None
    _check_failing_part(s)


def _check_old_path(s: Subject, module: Module) -> None:
    """After a forward that raised, a backward of the input before is right, or refused."""
    module.zeroGradParameters()
    try:
        gradInput = module.backward(s.input, s.gradOutput)
    except StateError:
        return
    expected = s.run()
    problem = "after a forward that raised it goes back along a path that is no more."
    s.compare("backward", problem, gradInput, expected.gradInput)
    s.compare("backward", problem, module.parameters()[1], expected.gradients)


def _check_failing_part(s: Subject) -> None:
    """A module that fails while a container accumulates leaves all gradients as they were."""
    if not isinstance(s.base, Container):
        return
    for position in range(len(s.base.modules)):
        module = s.fresh()
        s.forward(module, s.input)
        module.updateGradInput(s.input, s.gradOutput)
        part = module.modules[position]
        kind = type(part)
        part.__class__ = type(kind.__name__, (kind,), {"accGradParameters": _fails})
        for gradient in module.parameters()[1]:
            gradient[...] = 1.25
        try:
            module.accGradParameters(s.input, s.gradOutput)
        except _Failure:
            pass
        else:
            continue
        finally:
            part.__class__ = kind
        for name, gradient in s.gradient_arrays(module):
            if (gradient != 1.25).any():
                s.fail("accGradParameters", f"modules[{position}] raised, and {name} had changed.")


class _Failure(Exception):
    pass


def _fails(self: Module, input: Any, gradOutput: Any, scale: Any = 1) -> None:
    raise _Failure


def _is_parameter(module: Module, value: Any) -> bool:
    return any(value is array for arrays in module.parameters() for array in arrays)


def _frozen(value: Any) -> Any:
    """Return what tells a value from a changed one."""
    if is_array(value):
        return value.shape, value.tobytes()
    if isinstance(value, (list, tuple)):
        return [_frozen(entry) for entry in value]
    return value if isinstance(value, (int, float, str, bool)) else None


def _bad(table: Any) -> list[Any]:
    """Return inputs that hardly any layer takes."""
    first = leaves(table)[0]

    def each(change: Callable[[Any], Any]) -> Any:
        return map_arrays(lambda a: change(a) if is_array(a) else a, table)

    bad: list[Any] = [
        None,
        "text",
        each(lambda a: a.astype(object)),
        each(lambda a: a[..., None]),
        each(lambda a: np.concatenate([a, a], axis=-1) if a.ndim else a),
        each(lambda a: np.concatenate([a, a]) if a.ndim else a),
        each(lambda a: a[..., :-1] if a.ndim else a),
    ]
    if first.ndim > 1:
        bad.append(each(lambda a: a[:-1] if a.ndim > 1 else a))
        bad.append(each(lambda a: a[0] if a.ndim > 1 else a))
    if not is_array(table):
        bad += [first, list(table)[:-1]] if isinstance(table, (list, tuple)) else [first]
    else:
        bad.append([table])
    return bad


@_property
def nan(s: Subject) -> None:
    """NaN in gives NaN out, never a silent number."""
    if not any(is_floating(a) for a in leaves(s.input)):
        return
    nothing = map_arrays(lambda a: np.full_like(a, np.nan) if is_floating(a) else a, s.input)
    _check_nan(s, nothing, "an input of NaN")
    # One NaN where the output depends on it most.
    gradients = [g if is_floating(g) else np.zeros(1) for g in leaves(s.run().gradInput)]
    number = int(np.argmax([np.abs(g).max(initial=0) for g in gradients]))
    if gradients[number].any():
        arrays = leaves(copy_arrays(s.input))
        arrays[number].flat[int(np.argmax(np.abs(gradients[number])))] = np.nan
        _check_nan(s, rebuilt(s.input, arrays), "one NaN in the input")


def _check_nan(s: Subject, input: Any, what: str) -> None:
    outputs = leaves(attempt(s.forward, s.fresh(), input))
    numbers = [output for output in outputs if is_floating(output) and output.size]
    if numbers and not any(np.isnan(output).any() for output in numbers):
        s.fail(
            "updateOutput",
            f"{what} gives {numbers[0].reshape(-1)[0]:g}, which hides what went wrong.",
        )


@_property
def duck(s: Subject) -> None:
    """Any array that speaks NumPy's protocols will do: no conversion to NumPy arrays."""
    expected = s.run()
    module = s.fresh()
    rebind(module, ducks())
    input, gradOutput = map_arrays(Duck, s.input), map_arrays(Duck, s.gradOutput)
    try:
        output = s.forward(module, input)
        module.zeroGradParameters()
        gradInput = module.updateGradInput(input, gradOutput)
        module.accGradParameters(input, gradOutput)
        module.updateParameters(0)
    except (TypeError, AttributeError, NotImplementedError) as error:
        s.fail(
            "forward",
            f"an array of another kind raises {type(error).__name__}: {error}. (If NumPy's own "
            "arrays are enough for you, exempt this property.)",
        )
    for method, got, like in [
        ("updateOutput", output, expected.output),
        ("updateGradInput", gradInput, expected.gradInput),
        ("accGradParameters", list(module.parameters()[1]), expected.gradients),
    ]:
        for one, other in zip(leaves(got), leaves(like), strict=True):
            if other is None:
                continue
            if not isinstance(one, Duck):
                s.fail(method, f"of arrays of another kind it makes {type(one).__name__}.")
            s.compare(method, "arrays of another kind give other numbers.", one.held, other)


@_property
def maths(s: Subject) -> None:
    """The lines of the docstring's Maths section give the layer's own numbers."""
    if Module.__doc__ is None:
        s.notes.append("maths: not checked, python -OO leaves out the docstrings")
    block = docs.statements(type(s.base))
    if not block or (is_array(s.input) and s.input.ndim < 2):
        # What the section says, it says of a batch.
        return
    module = s.fresh()
    result = s.run(module)
    try:
        names = docs.evaluate(block, module, input=s.input, gradOutput=s.gradOutput, scale=1)
    except NameError as reason:
        s.notes.append(f"maths: not checked, {reason}")
        return
    except docs.MathsError as error:
        s.fail("docstring", f"its Maths raises {error}")
    for method, name, expected in [
        ("updateOutput", "output", result.output),
        ("updateGradInput", "gradInput", result.gradInput),
        *(("accGradParameters", n, g) for n, g in zip(s.names, result.gradients, strict=True)),
    ]:
        if name in names:
            documented = names[name]
            if name == "gradInput" and (shapes(expected) == shapes(documented) == shapes(s.input)):
                # What it is of integers is said elsewhere, once for all layers.
                expected, documented = (
                    _of_floating(table, s.input) for table in (expected, documented)
                )
            s.compare(
                method,
                f"the docstring's Maths gives another {name}.",
                expected,
                documented,
                dtypes=False,
                allowed=None,
            )


def _of_floating(gradInput: Any, input: Any) -> list[Any]:
    pairs = zip(leaves(gradInput), leaves(input), strict=True)
    return [gradient for gradient, array in pairs if not is_integral(array)]


@_property
def container(s: Subject) -> None:
    """A Sequential is its modules one after the other."""
    if not isinstance(s.base, Sequential) or not s.base.modules:
        return
    expected = s.run()
    module = s.fresh()
    s.reseed()
    path = [s.input]
    for part in module.modules:
        path.append(part.forward(path[-1]))
    module.zeroGradParameters()
    gradOutput = s.gradOutput
    for part, input in zip(reversed(module.modules), reversed(path[:-1]), strict=True):
        gradOutput = part.backward(input, gradOutput)
    s.compare("updateOutput", "it is not its modules one by one.", expected.output, path[-1])
    s.compare(
        "updateGradInput", "it is not its modules one by one.", expected.gradInput, gradOutput
    )
    s.compare(
        "accGradParameters",
        "it is not its modules one by one.",
        expected.gradients,
        list(module.parameters()[1]),
    )
