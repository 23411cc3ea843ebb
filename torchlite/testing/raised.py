"""What an error that a layer raises tells: which call raised it, on what, and in which line."""

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from traceback import walk_stack, walk_tb
from types import FrameType
from typing import Any

import numpy as np

from torchlite.errors import TorchliteError
from torchlite.nn.nested import is_array, leaves, shapes
from torchlite.testing.duck import Duck
from torchlite.testing.subject import Subject
from torchlite.testing.violations import ContractViolation

__all__ = [
    "OF_THE_LAYER",
    "arguments_of",
    "blame",
    "blaming",
    "call_of",
    "check_signatures",
    "line_of",
    "method_of",
    "own_frame",
    "own_lines",
]

# Whose lines are no user's.
THEIRS = {"numpy", "torchlite", *sys.stdlib_module_names}
# What each of the contract's calls is given.
SIGNATURES = {
    "updateOutput": ("input",),
    "updateGradInput": ("input", "gradOutput"),
    "accGradParameters": ("input", "gradOutput", "scale"),
}


# Errors that hardly any argument causes; others may be the caller's.
OF_THE_LAYER = (AttributeError, NameError, NotImplementedError, TypeError)


def blame(s: Subject, error: Exception) -> None:
    """Raise that the layer raised this error, in the first line how it was called."""
    if isinstance(error, TypeError):
        check_signatures(s, s.base, s.asked, s.given)
    frame = _call(error, type(s.base))
    method = method_of(error, type(s.base))
    if frame is None:
        problem = "it cannot be checked: the check raises"
    else:
        what = ", ".join(_circumstances(s, frame))
        problem = f"{what}, it raises" if what else "it raises"
    s.fail(method or s.property, f"{problem} {type(error).__name__}: {error}{line_of(error)}")


def blaming(s: Subject, call: Callable[[], Any]) -> Any:
    """Return what a call returns, and blame the layer for errors that are its own."""
    try:
        return call()
    except OF_THE_LAYER as error:
        if isinstance(error, TorchliteError):
            raise
        s.property = "split"
        try:
            blame(s, error)
        except ContractViolation as violation:
            raise violation from error


def method_of(error: BaseException, kind: type[Any]) -> str:
    """Return the method of this class that was called and raised, as the traceback tells."""
    frame = _call(error, kind)
    return frame.f_code.co_name if frame else ""


def line_of(error: BaseException) -> str:
    """Return " (file.py:12)", the innermost line of the user's own, or nothing."""
    *_, (file, line, _) = [("", 0, ""), *own_lines(error)]
    return f" ({Path(file).name}:{line})" if file else ""


def own_lines(error: BaseException) -> Iterator[tuple[str, int, str]]:
    """Yield file, line and function of each of the user's own frames, the outermost first."""
    for frame, line in walk_tb(error.__traceback__):
        if _is_own(frame):
            code = frame.f_code
            yield code.co_filename, line, code.co_name


def own_frame() -> FrameType | None:
    """Return the innermost frame of the user's own that is running, if there is one."""
    return next((frame for frame, _ in walk_stack(sys._getframe()) if _is_own(frame)), None)


def _is_own(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] not in THEIRS


def _call(error: BaseException, kind: type[Any]) -> FrameType | None:
    """Return the frame of the outermost method of this class, one of the contract's if any."""
    first = None
    for frame, _ in walk_tb(error.__traceback__):
        code = frame.f_code
        if isinstance(_first_argument(frame), kind) and hasattr(kind, code.co_name):
            if code.co_name in SIGNATURES:
                return frame
            first = first or frame
    return first


def _first_argument(frame: FrameType) -> Any:
    """Return the layer, if it is a method's frame, whatever it is called there."""
    code = frame.f_code
    return frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None


def _circumstances(s: Subject, frame: FrameType) -> Iterator[str]:
    """Yield what is special about a call, among those that are made of this layer."""
    held = frame.f_locals
    layer = _first_argument(frame)
    if getattr(layer, "train", None) is not getattr(s.base, "train", None):
        yield f"in {'training' if layer.train else 'evaluation'} mode"
    for name in frame.f_code.co_varnames[1 : frame.f_code.co_argcount]:
        value = held.get(name)
        usual = s.given.get(name)
        if usual is not None:
            kind, of = _kind(value, usual)
            if kind or of:
                yield f"with {kind}{name}{of}"
        elif name == "scale" and not (isinstance(value, (int, float)) and value == 1):
            yield f"with scale {value!r}"


def _kind(value: Any, usual: Any) -> tuple[str, str]:
    """Return what there is to say of an argument before its name, and after it."""
    arrays, known = leaves(value), leaves(usual)
    if any(isinstance(array, Duck) for array in arrays):
        return "", " of another kind of array"
    if not all(map(is_array, arrays)):
        return f"{type(value).__name__} as ", ""
    words = ""
    if not all(array.flags.writeable for array in arrays):
        words += "read-only "
    if not all(array.flags.c_contiguous for array in arrays):
        words += "sliced "
    if [array.dtype for array in arrays] != [array.dtype for array in known]:
        words += f"{arrays[0].dtype} "
    if shapes(value) != shapes(usual):
        return words, f" of shape {shapes(value)}"
    numbers = [array for array in arrays if array.dtype.kind in "fc" and array.size]
    if not all(np.isfinite(array).all() for array in numbers):
        return words, " of huge and tiny numbers, infinities and NaN"
    if any(np.abs(array).max() > 1e20 for array in numbers):
        return words, " of huge numbers"
    return words, ""


def check_signatures(s: Subject, layer: Any, asked: Iterable[str], given: Iterable[str]) -> None:
    """Fail if one of the contract's calls cannot be made at all, and say how it is to be."""
    for method, names in SIGNATURES.items():
        if not hasattr(layer, method):
            continue
        wanted = (*asked,) if method == "updateOutput" else (*given, *names[2:])
        try:
            inspect.signature(getattr(layer, method)).bind(*wanted)
        except ValueError:
            continue
        except TypeError:
            if method == "accGradParameters":
                problem = f"it must take scale: {method}(self, input, gradOutput, scale=1)."
                s.fail(method, problem, property="scale")
            s.fail(method, f"it must take {' and '.join(wanted)}.", property="split")


def call_of(error: BaseException, layers: Collection[Any]) -> tuple[Any, FrameType] | None:
    """Return the layer whose call raised, of some, and the frame of that call."""
    found = None
    for frame, _ in walk_tb(error.__traceback__):
        layer = _first_argument(frame)
        if frame.f_code.co_name in SIGNATURES and any(layer is each for each in layers):
            found = layer, frame
    return found


def arguments_of(frame: FrameType) -> str:
    """Return with arrays of which shapes a call was made."""
    given = {
        name: frame.f_locals.get(name)
        for name in frame.f_code.co_varnames[1 : frame.f_code.co_argcount]
    }
    return ", ".join(
        f"{name} {shapes(value)}"
        for name, value in given.items()
        if leaves(value) and all(map(is_array, leaves(value)))
    )
