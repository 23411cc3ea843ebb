"""What is wrong is told, and changes nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.errors import StateError
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array, is_floating, leaves, map_arrays, rebuilt
from torchlite.testing.subject import Subject, attempt, quietly, states

__all__ = ["exceptions", "nan"]


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
