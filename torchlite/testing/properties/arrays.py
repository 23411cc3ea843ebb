"""Arrays of every dtype, layout and kind, whose numbers stay as they were returned."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_finite,
    is_floating,
    leaves,
    map_arrays,
    scale_arrays,
)
from torchlite.nn.stateful import rebind
from torchlite.testing import values
from torchlite.testing.duck import Duck, ducks
from torchlite.testing.subject import Result, Subject, attempt, quietly

__all__ = ["aliasing", "dtype", "duck", "layout"]


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
        s.compare_results(got, expected, "broadcast arrays give other numbers.")


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
        s.compare_results(got, expected, f"{name} arrays give other numbers.")


def _read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


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
