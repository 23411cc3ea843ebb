"""Arrays of every dtype, layout and kind, whose numbers stay as they were returned."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.container import Container
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_finite,
    is_floating,
    leaves,
    map_arrays,
    scale_arrays,
    shapes,
)
from torchlite.nn.stateful import arrays_in, parts, rebind
from torchlite.testing import values, variations
from torchlite.testing.duck import Duck, ducks
from torchlite.testing.precision import cause_of_double
from torchlite.testing.raised import line_of, method_of
from torchlite.testing.subject import SLACK, Result, Subject, attempt, quietly
from torchlite.testing.violations import ContractViolation

__all__ = ["aliasing", "digits", "dtype", "duck", "layout"]

# So small that exp of it, in float32, is nearly 1: what is left of the difference is of few digits.
TINY = 2.0**-20
# What share of an output may be lost, and of an input that output must be: 1 - cos(x) is not near.
LOST = 2.0**-10
LEAST = 2.0**-7


def aliasing(s: Subject) -> None:
    """What forward and backward returned is never written to again."""
    for variant in s.variants():
        _check_aliasing(variant)
    if not isinstance(s.base, Container):
        # What is inside is asked by itself.
        _check_handed_out(s)


def _check_aliasing(s: Subject) -> None:
    layer = s.fresh()
    returned = []
    for method, call in s.calls(layer, *s.given.values()):
        made = call()
        returned.append((method, made, copy_arrays(made)))
    if s.names:
        # Before what follows: of what depends on parameters alone, nothing else changes.
        layer.updateParameters(0.5)
    for extreme in s.extremes():
        attempt(extreme.run, layer)
    for given in variations.others(s):
        attempt(s.run, layer, *given)
    if s.names:
        layer.zeroGradParameters()
    # Gradients of parameters are written to again by right.
    for (method, made, kept), name in zip(returned, ("output", "gradInput"), strict=False):
        problem = f"the {name} array was reused: a later call changed what an earlier one returned."
        s.same_bits(method, problem, made, kept)


def _check_handed_out(s: Subject) -> None:
    """Fail if what is returned is kept, and given again: whoever writes to it spoils that."""

    def again(spoilt: bool) -> tuple[list[Any], list[Any]]:
        layer = s.fresh()
        held = [array for _, array in arrays_in([s.given, *map(vars, parts(layer))])]
        made = list(s.run(layer)[:2])
        kept = copy_arrays(made)
        for array in filter(is_array, leaves(made) if spoilt else []):
            # Settings, and what is passed on, are not made by this call.
            if array.flags.writeable and not any(np.may_share_memory(array, a) for a in held):
                array[...] = array == 0
        return kept, list(s.run(layer)[:2])

    first, second = again(True)
    try:
        for k, name in enumerate(("output", "gradInput")):
            problem = f"the {name} array is kept: written to, it is given again as it is then."
            s.same_bits(s.methods[k], problem, second[k], first[k])
    except ContractViolation:
        # Unless a second call differs anyway.
        if all(map(np.array_equal, *map(leaves, again(False)))):
            raise


def dtype(s: Subject) -> None:
    """The dtype is kept, whatever the scale; low precision is right within its rounding."""
    for variant in s.variants():
        for name in ("float32", "float64"):
            _check_dtype(variant, name)
        for extreme in variant.extremes():
            _check_single_kept(extreme)
    if not isinstance(s.base, Container):
        # What is inside is asked by itself.
        _check_no_overflow(s)
        _check_kept_of_other_dtype(s)


def _check_kept_of_other_dtype(s: Subject) -> None:
    """Fail if what is kept of a call is given for the same numbers of another dtype."""
    if s.names or s.draws:
        # Whose dtype changes has its arrays cast; what is drawn is kept by right.
        return
    given = cast_arrays(s.given, "float32").values()
    layer = s.fresh()
    attempt(s.run, layer)
    got, expected = (attempt(s.run, each, *given) for each in (layer, s.fresh()))
    if got is None or expected is None:
        return
    for method, one, other in zip(s.methods, got, expected, strict=False):
        for array, usual in zip(leaves(one), leaves(other), strict=True):
            if is_floating(array) and array.dtype != usual.dtype:
                problem = (
                    f"of {usual.dtype} it makes {array.dtype} after a call with the same numbers "
                    "in float64."
                )
                s.fail(method, problem)


def _check_dtype(s: Subject, name: str) -> None:
    layer, told = s.fresh(name), s.is_told_dtype
    given = cast_arrays(s.given, name)
    # Of the numbers that the precision has.
    exact = s.fresh(None if name == "float64" else name).type("float64")
    input, beside = cast_arrays(given, "float64").values()
    calls = s.calls(layer, *given.values(), np.float64(1))
    for _, gradient in s.gradient_arrays(layer):
        gradient.fill(0)
    results = [(method, call()) for method, call in calls]
    expected = list(s.run(exact, input, beside))
    if s.names:
        layer.updateParameters(np.float64(0))
        results.append(("updateParameters", layer.parameters()[0]))
        expected.append(s.parameters_of(exact)[0])
    for k, ((method, got), usual) in enumerate(zip(results, expected, strict=False)):
        if not _is_loss(s, method) or got.dtype == name:
            usual = cast_arrays(usual, name)
        for i, (one, other) in enumerate(zip(leaves(got), leaves(usual), strict=True)):
            size = float(np.abs(other).max(initial=0)) if is_floating(other) else 0
            terms = max(a.size for a in leaves(s.input)) ** 0.5
            allowed: Any = 2048 * np.finfo(name).eps * terms * (1 + size)
            floating = is_floating(other) and is_floating(one)
            if told and floating and one.dtype != other.dtype:
                _fail_for_dtype(s, method, name, one.dtype)
            problem = f"in {name} it differs from float64."
            try:
                s.compare(method, problem, one, other, allowed=allowed, dtypes=told)
            except ContractViolation:
                if k == len(s.methods):
                    raise
                ulps = float(np.finfo(name).eps / np.finfo(float).eps)
                sways = s.sways(lambda x: s.run(None, x)[k], ulps=ulps, jumps=True)  # noqa: B023
                allowed = allowed + SLACK * sways[i]
                s.compare(method, problem, one, other, allowed=allowed, dtypes=told)


def _fail_for_dtype(s: Subject, method: str, name: str, made: Any) -> None:
    facts: Any = {"hint": cause_of_double(s, method)} if made == np.float64 else {}
    s.fail(method, f"of {name} it makes {made}.", **facts)


def _check_single_kept(s: Subject) -> None:
    result = attempt(s.run, s.fresh("float32"), *cast_arrays(s.given, "float32").values())
    if result is None or not s.is_told_dtype:
        return
    for method, got in s.by_method(result)[:2]:
        for array in leaves(got):
            if is_floating(array) and array.dtype != np.float32 and not _is_loss(s, method):
                _fail_for_dtype(s, method, "float32", array.dtype)


def _check_no_overflow(s: Subject) -> None:
    """Fail if float32 loses what float64 gives: as NaN, or as the infinity that it passed."""
    single: Any = None
    exact: Any = None
    for inputs in variations.larger(s):
        for what, input in inputs:
            given = cast_arrays({**s.given, "input": input}, "float32")
            single = single or s.fresh("float32")
            got = attempt(s.run, single, *given.values()) if is_finite(given["input"]) else None
            if got is not None and is_finite([np.asarray(a) for a in leaves(list(got[:2]))]):
                # What is lost of such numbers is lost of larger ones.
                break
            exact = exact or s.fresh("float32").type("float64")
            expected = attempt(s.run, exact, *cast_arrays(given, "float64").values())
            if got is not None and expected is not None and _is_moderate(expected.output):
                there = s.at(what, given["input"])
                _check_none_lost(there, got, expected, _lost_as("NaN"), np.isnan)
                # The logarithm of what is rounded to 0 is as infinite, but loses nothing else.
                if attempt(_run_raising, s, single, given) is None:
                    _check_none_lost(there, got, expected, _lost_as("infinite"), np.isinf)
    _check_zeros(s)


def _check_zeros(s: Subject) -> None:
    """Fail if of zeros, float32 makes NaN where float64 does not."""
    given = cast_arrays({**s.given, "input": variations.with_zeros(s.input)}, "float32")
    got = attempt(s.run, s.fresh("float32"), *given.values())
    if got is None or is_finite([np.asarray(a) for a in leaves(list(got[:2]))]):
        return
    exact = s.fresh("float32").type("float64")
    expected = attempt(s.run, exact, *cast_arrays(given, "float64").values())
    if expected is not None:
        problem = (
            "in float32 it is NaN where the number is finite: what is added to a denominator, as "
            "1e-60, is 0 in it."
        )
        there = s.at("zeros", given["input"])
        _check_none_lost(there, got, expected, problem, np.isnan)


def _run_raising(s: Subject, layer: Any, given: dict[str, Any]) -> Result:
    with np.errstate(over="raise"):
        return s.run(layer, *given.values())


def _lost_as(what: str) -> str:
    return (
        f"in float32 it is {what} where the number is finite: something overflows on the way, or a "
        "sum is 0. Of exponentials, subtract the maximum first."
    )


def _check_none_lost(
    s: Subject, got: Result, expected: Result, problem: str, lost: Callable[[Array], Array]
) -> None:
    for (method, one), usual in zip(s.by_method(got)[:2], expected, strict=False):
        if shapes(one) != shapes(usual) or not (method == "updateOutput" or is_finite(got.output)):
            # Past infinity, gradients go nowhere.
            continue
        if _is_loss(s, method):
            one, usual = np.asarray(one), np.asarray(usual)
        for array, right in zip(leaves(one), leaves(usual), strict=True):
            if is_floating(right) and _is_moderate(right):
                skipped = ~lost(array)
                s.compare(method, problem, array, right, allowed=0.0, skipped=skipped, dtypes=False)


def _is_moderate(table: Any) -> bool:
    """Tell whether float32 has all of these numbers, and larger ones."""
    arrays = [array for array in leaves(table) if is_floating(array)]
    return all((np.abs(array) < values.HUGE).all() for array in arrays)


def digits(s: Subject) -> None:
    """Of small inputs, float32 keeps the digits of what is as small."""
    if s.composed or not any(map(is_floating, leaves(s.input))):
        # What is inside is asked by itself.
        return
    input = cast_arrays(scale_arrays(s.input, TINY), "float32")
    single = s.fresh("float32")
    got = attempt(s.forward, single, input)
    exact = attempt(s.forward, s.fresh("float32").type("float64"), cast_arrays(input, "float64"))
    if shapes(got) != shapes(exact):
        return
    least = LEAST * min(float(np.abs(a).max(initial=0)) for a in leaves(input) if is_floating(a))
    there = s.at(f"input * {TINY:.2g}", input)
    problem = "in float32 it has lost most digits of what float64 gives."
    for one, other in zip(leaves(got), leaves(exact), strict=True):
        size = float(np.abs(other).max(initial=0)) if is_floating(other) else 0.0
        if least <= size < np.inf:
            there.compare("updateOutput", problem, one, other, allowed=LOST * size, dtypes=False)


def layout(s: Subject) -> None:
    """Any memory layout of input and gradOutput gives the same numbers."""
    _check_layouts(s, s.run())
    huge = s.at("huge numbers", scale_arrays(s.input, values.HUGE))
    expected = attempt(huge.run)
    if expected is not None:
        with quietly(), huge.where_steady(expected):
            _check_layouts(huge, expected)
    # One value repeated without memory of its own (stride 0), as np.broadcast_to makes it.
    flat = map_arrays(
        lambda a: np.broadcast_to(a[:1], a.shape) if is_array(a) and a.ndim and a.size else a,
        s.given,
    ).values()
    expected = attempt(s.run, None, *copy_arrays(list(flat)))
    if expected is not None and is_finite(expected.gradInput):
        problem = "broadcast arrays give other numbers."
        s.compare_results(s.run(None, *flat), expected, problem, rounded=True)
    if s.scalar or not is_array(s.input):
        _check_given_twice(s)


def _check_given_twice(s: Subject) -> None:
    """Fail if it matters that arrays of equal numbers are one, as Identity twice makes them."""
    seen: dict[Any, Any] = {}
    one = map_arrays(
        lambda a: seen.setdefault((a.shape, a.dtype), a) if is_array(a) else a, s.given
    )
    if len(seen) < len(leaves(s.given)):
        expected = attempt(s.run, None, *copy_arrays(list(one.values())))
        if expected is not None:
            problem = "an array that is given in two places gives other numbers than two like it."
            with quietly():
                # A distribution that is given scores for a target warns, and gives NaN.
                got = s.run(None, *one.values())
            s.compare_results(got, expected, problem, rounded=True)


def _check_layouts(s: Subject, expected: Result) -> None:
    layouts: dict[str, Callable[[Any], Any]] = {
        "Fortran-ordered": lambda a: np.asfortranarray(a) if a.ndim else a,
        "sliced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
        "reversed": lambda a: a[..., ::-1].copy()[..., ::-1] if a.ndim else a,
        "read-only": _read_only,
    }
    for name, change in layouts.items():
        changed = map_arrays(lambda a, c=change: c(a) if is_array(a) else a, s.given)  # type: ignore[misc]
        # All together and, unless it takes long, each beside the others as they are.
        beside = [] if s.large else [{**s.given, key: changed[key]} for key in changed]
        for apart in (changed, *beside):
            got = s.run(None, *apart.values())
            s.compare_results(got, expected, f"{name} arrays give other numbers.", rounded=True)


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def duck(s: Subject) -> None:
    """Any array that speaks NumPy's protocols will do: no conversion to NumPy arrays."""
    expected = s.run()
    layer = s.fresh()
    rebind(layer, ducks())
    given = map_arrays(lambda a: Duck(a) if is_array(a) else a, s.given)
    try:
        got = s.run(layer, *given.values())
        if s.names:
            layer.updateParameters(0)
    except (TypeError, AttributeError, NotImplementedError) as error:
        problem = f"an array of another kind raises {type(error).__name__}: {error}"
        s.fail(method_of(error, type(s.base)), problem + line_of(error))
    for method, made, usual in zip(s.methods, got, expected, strict=False):
        for one, other in zip(leaves(made), leaves(usual), strict=True):
            if other is None:
                continue
            if _is_loss(s, method):
                if isinstance(one, Duck):
                    s.fail(method, "the loss is Duck, not a Python float.")
                continue
            if not isinstance(one, Duck):
                s.fail(method, f"of arrays of another kind it makes {type(one).__name__}.")
            s.compare(method, "arrays of another kind give other numbers.", one.held, other)


def _is_loss(s: Subject, method: str) -> bool:
    """Tell whether what the method gives is a Python number."""
    return s.scalar and method == "updateOutput"
