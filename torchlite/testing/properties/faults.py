"""What is wrong is told, and changes nothing."""

from typing import Any

import numpy as np

from torchlite.errors import StateError
from torchlite.nn.container import Container
from torchlite.nn.module import Module
from torchlite.nn.nested import (
    copy_arrays,
    is_array,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    scale_arrays,
    shapes,
)
from torchlite.testing.subject import Subject, attempt, quietly, states

__all__ = ["exceptions", "nan"]


def exceptions(s: Subject) -> None:
    """A call that raises has changed nothing."""
    layer: Any = None
    before: list[tuple[str, Any, Any]] = []
    for method, arguments in s.wrong_calls():
        if layer is None:
            layer = s.ready()
            parameters = [array for side in s.parameters_of(layer) for array in side]
            known = {id(array) for array in parameters}
            # Of a container, the children that already ran keep what they computed.
            before = [
                (name, value, _frozen(value))
                for name, value in states(layer)
                if not s.composed or id(value) in known
            ]
        try:
            with quietly():
                getattr(layer, method)(*arguments)
        except Exception as error:
            after = dict(states(layer))
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
                _check_old_path(s, layer)
        # Nothing was wrong for this layer, or a container has forgotten its path: start anew.
        layer = None
    if isinstance(s.base, Container):
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


def _frozen(value: Any) -> Any:
    """Return what tells a value from a changed one."""
    if is_array(value):
        return value.shape, value.tobytes()
    if isinstance(value, (list, tuple)):
        return [_frozen(entry) for entry in value]
    return value if isinstance(value, (int, float, str, bool)) else None


def nan(s: Subject) -> None:
    """NaN in gives NaN out, never a silent number, unless every input gives that number."""
    for name, table in s.asked.items():
        nothing = map_arrays(lambda a: np.full_like(a, np.nan) if is_floating(a) else a, table)
        if any(map(is_floating, leaves(table))):
            _check_nan(s, name, nothing, f"{'an' if name == 'input' else 'a'} {name} of NaN")
    if not any(map(is_floating, leaves(s.input))):
        return
    # One NaN where the output depends on it most.
    gradients = [g if is_floating(g) else np.zeros(1) for g in leaves(s.run().gradInput)]
    number = int(np.argmax([np.abs(g).max(initial=0) for g in gradients]))
    if gradients[number].any():
        arrays = leaves(copy_arrays(s.input))
        arrays[number].flat[int(np.argmax(np.abs(gradients[number])))] = np.nan
        _check_nan(s, "input", rebuilt(s.input, arrays), "one NaN in the input")


def _check_nan(s: Subject, name: str, table: Any, what: str) -> None:
    outputs = leaves(attempt(s.forward, s.fresh(), *{**s.asked, name: table}.values()))
    numbers = [output for output in outputs if is_floating(output) and output.size]
    lost = numbers and not any(np.isnan(output).any() for output in numbers)
    if lost and _depends_on(s, name):
        s.fail(
            "updateOutput",
            f"{what} gives {numbers[0].reshape(-1)[0]:g}, which hides what went wrong.",
        )


def _depends_on(s: Subject, name: str) -> bool:
    """Tell whether other numbers in an argument give another output: some layers look away."""
    for factor in (-1, 64, 0):
        other = {**s.asked, name: scale_arrays(s.asked[name], factor)}
        output = attempt(s.forward, s.fresh(), *other.values())
        if output is None or shapes(output) != shapes(s.output):
            return True
        pairs = zip(leaves(output), leaves(s.output), strict=True)
        if any(not np.array_equal(*pair) for pair in pairs):
            return True
    return False
