"""Validation of what users pass: a fast test on the hot path, a slow search after it failed.

Each check is one function: its first lines are the test that every correct call passes, the rest
finds out what is wrong and raises, or accepts the rarer right ways (other kinds of arrays, complex
numbers). The errors that are alike are made in one place, at the end.
"""

import cmath
import math
import numbers
import operator
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from torchlite.elsewhere import as_numpy
from torchlite.errors import (
    DTypeError,
    SettingError,
    ShapeError,
    StateError,
    TorchliteError,
    fault,
    printable,
    unhinted,
)
from torchlite.kernels.arrays import Array
from torchlite.nn.nested import EMPTY, is_array, shapes

_Error = TypeVar("_Error", bound=TorchliteError)

FLOATING = frozenset(map(np.dtype, ("float32", "float64", "complex64", "complex128")))
FLOATING_NAMES = "float32, float64, complex64 or complex128"
# The kinds of the dtypes of which there is no gradient: booleans and integers.
INTEGRAL = frozenset("biu")
_MOVABLE_NAMES = "float32, float64, complex64, complex128, integers or bool"
NUMBERS = frozenset((int, float))
# Layers that are made for rows of one width.
_WIDTHS = frozenset(("Linear", "BatchNormalization", "LayerNormalization"))
_TORCH7_DTYPES = {"torch.FloatTensor": "float32", "torch.DoubleTensor": "float64"}


def title(layer: Any) -> str:
    """Return how errors name a layer: as it prints itself if that is one line, else its class."""
    text = repr(layer)
    return type(layer).__name__ if "\n" in text else printable(text)


def is_integral(value: Any) -> bool:
    """Tell whether an array, or a number of NumPy's, is of integers or booleans."""
    return (is_array(value) or isinstance(value, np.generic)) and value.dtype.kind in INTEGRAL


# ---------------------------------------------------------------- the fast tests


def must_be_rows(layer: Any, method: str, input: Any, n: int, dtype: Any) -> None:
    """Input must be (n,) or (N, n) of the layer's dtype."""
    if (
        type(input) is ndarray
        and input.dtype == dtype
        and 1 <= input.ndim <= 2
        and input.shape[-1] == n
    ):
        return
    must_be_array(layer, method, "input", input)
    must_have_precision(layer, method, "input", input, dtype)
    if not (1 <= input.ndim <= 2 and input.shape[-1] == n):
        hint = rows_hint(layer, input, n)
        raise misshapen(layer, method, "input", f"({n},) or (N, {n})", input, hint)


def must_be_rows_back(
    layer: Any, method: str, input: Any, n: int, gradOutput: Any, m: int, dtype: Any
) -> None:
    """Input as for `must_be_rows`; gradOutput must be (m,) or (N, m) of the layer's dtype."""
    if (
        type(gradOutput) is ndarray is type(input)
        and gradOutput.dtype == dtype == input.dtype
        and (
            (len(shape := input.shape) == 2 and shape[1] == n and gradOutput.shape == (shape[0], m))
            or (shape == (n,) and gradOutput.shape == (m,))
        )
    ):
        return
    must_be_rows(layer, method, input, n, dtype)
    must_be_gradient(layer, method, gradOutput, (*input.shape[:-1], m), dtype)
    if method == "accGradParameters":
        must_accumulate(layer, input, gradOutput, dtype)


def must_be_typed(layer: Any, method: str, input: Any, dtype: Any) -> None:
    """Input must be an array of the layer's dtype."""
    if type(input) is ndarray and input.dtype == dtype:
        return
    must_be_array(layer, method, "input", input)
    must_have_precision(layer, method, "input", input, dtype)


def must_be_typed_back(
    layer: Any, method: str, input: Any, gradOutput: Any, shape: tuple[int, ...], dtype: Any
) -> None:
    """The gradOutput must be of this shape and the layer's dtype; input has been checked."""
    if (
        type(gradOutput) is ndarray is type(input)
        and gradOutput.shape == shape
        and gradOutput.dtype == dtype
        and (input.dtype == dtype or input.dtype.kind in "iu")
    ):
        return
    must_be_gradient(layer, method, gradOutput, shape, dtype)
    if method != "updateGradInput":
        must_accumulate(layer, input, gradOutput, dtype)


def must_be_floating(layer: Any, method: str, argument: str, value: Any, dtype: Any = None) -> None:
    """Value must be a floating array (of dtype's precision) of at least one dimension."""
    if type(value) is ndarray and value.dtype in FLOATING and value.ndim and dtype is None:
        return
    must_be_array(layer, method, argument, value, dtype)
    must_have_precision(layer, method, argument, value, dtype)
    must_have_dimensions(layer, method, argument, value)


def must_be_movable(layer: Any, method: str, argument: str, array: Any) -> None:
    """It must be an array as for `must_be_floating`, or one of integers or booleans.

    That is what layers take that only move, drop or repeat entries.
    """
    if type(array) is ndarray and array.dtype in FLOATING and array.ndim:
        return
    must_be_array(layer, method, argument, array)
    if array.dtype not in FLOATING and array.dtype.kind not in INTEGRAL:
        hint = f"{argument}.astype('{layer.type()}')"
        raise mistyped(layer, method, argument, _MOVABLE_NAMES, str(array.dtype), hint)
    must_have_dimensions(layer, method, argument, array)


def moved_back(
    layer: Any, method: str, gradOutput: Any, input: Any, shape: tuple[int, ...]
) -> Array:
    """Return the gradient that goes back through a layer that only moves entries of input.

    The gradOutput must be of this shape and input's precision; input has been checked.
    """
    if (
        type(gradOutput) is ndarray
        and gradOutput.dtype == input.dtype
        and gradOutput.shape == shape
        and input.dtype in FLOATING
    ):
        return gradOutput
    must_be_gradient(layer, method, gradOutput, shape, input.dtype)
    return carried(gradOutput, input, shape)


def carried(gradOutput: Array, array: Array, shape: tuple[int, ...]) -> Array:
    """Return gradOutput if entries of array can have a gradient, otherwise zeros of their dtype."""
    return np.zeros_like(array, shape=shape) if array.dtype.kind in INTEGRAL else gradOutput


def must_match(layer: Any, method: str, input: Any, gradOutput: Any) -> None:
    """Input as for `must_be_floating`; gradOutput must have its shape and precision."""
    if (
        type(gradOutput) is ndarray is type(input)
        and gradOutput.shape == input.shape
        and gradOutput.dtype == input.dtype
        and input.dtype in FLOATING
        and input.ndim
    ):
        return
    must_be_floating(layer, method, "input", input)
    must_be_gradient(layer, method, gradOutput, input.shape, input.dtype)


def integers(
    layer: Any, method: str, argument: str, indices: Any, n: int, what: str, least: int = 0
) -> Array:
    """Return indices as NumPy wants them: integers from 0 to n - 1; `what` names the n.

    least is -1 where an index of -1 stands for nothing.
    """
    must_be_array(layer, method, argument, indices, "int64")
    if indices.dtype.kind not in "iu":
        hint = f"{argument}.astype('int64')"
        if argument == "input":
            hint += "; layers before it that only move entries hand integers on"
        raise mistyped(layer, method, argument, "integers", str(indices.dtype), hint)
    if indices.size and not (indices.min() >= least and indices.max() < n):
        wrong = (indices < least) | (indices >= n)
        what += " and -1 for none" if least else ""
        refuse_indices(layer, method, argument, indices, wrong, n, what)
    return indices.astype(np.intp, copy=False)


def must_be_pair(criterion: Any, method: str, input: Any, target: Any) -> None:
    """A criterion's input and target must have one shape and one floating dtype."""
    if (
        type(target) is ndarray is type(input)
        and target.shape == input.shape
        and target.dtype == input.dtype
        and input.dtype in FLOATING
        and input.ndim
    ):
        return
    must_be_floating(criterion, method, "input", input)
    must_be_array(criterion, method, "target", target, input.dtype)
    if target.shape != input.shape:
        expected, hint = f"{shapes(input)} like input", reshaped("target", target, input.shape)
        raise misshapen(criterion, method, "target", expected, target, hint)
    if target.dtype != input.dtype:
        expected, got = str(input.dtype), str(target.dtype)
        hint = f"target.astype('{expected}')"
        raise mistyped(criterion, method, "target", expected, got, hint, " like input")


# ---------------------------------------------------------------- numbers


def number(layer: Any, method: str, argument: str, value: Any) -> Any:
    """Return a scale or learning rate as a Python number, which never changes a dtype."""
    if type(value) in NUMBERS:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, numbers.Complex) and layer.type().kind == "c":
        return complex(value)
    got = f"{type(value).__name__} {shapes(value)}" if is_array(value) else repr(value)
    hint = None
    if is_array(value):
        hint = f"float({argument})" if value.size == 1 else None
        if method == "backward" and hint is None:
            hint = "backward([a, b], gradOutput): several inputs are one table"
    raise mistyped(layer, method, argument, "a number", got, hint)


def scale(layer: Any, value: Any, method: str = "accGradParameters") -> Any:
    """Return a scale as `number` does: the one test that every right accGradParameters takes."""
    return value if type(value) in NUMBERS else number(layer, method, "scale", value)


def rate(layer: Any, method: str, argument: str, value: Any) -> Any:
    """Return a learning rate as a finite Python number."""
    found = number(layer, method, argument, value)
    if not cmath.isfinite(found):
        raise out_of_range(layer, method, argument, "finite", repr(value))
    return found


def constant(layer: Any, argument: str, value: Any) -> Any:
    """Return a constructor's number as a Python number, which never changes a dtype."""
    if type(value) in NUMBERS:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    raise misbuilt(DTypeError, layer, argument, "a number", repr(value))


def not_negative(layer: Any, argument: str, value: Any) -> Any:
    """Return a constructor's number of at least 0."""
    setting = constant(layer, argument, value)
    if not setting >= 0:
        raise misbuilt(SettingError, layer, argument, "at least 0", repr(value))
    return setting


def positive_number(layer: Any, argument: str, value: Any) -> float:
    """Return a setting as a float: a finite number greater than 0."""
    setting = constant(layer, argument, value)
    if not 0 < setting < math.inf:
        raise misbuilt(SettingError, layer, argument, "positive and finite", repr(value))
    return float(setting)


def finite_at_least_0(layer: Any, argument: str, value: Any) -> float:
    """Return a setting as a float: a finite number of at least 0."""
    setting = constant(layer, argument, value)
    if not 0 <= setting < math.inf:
        raise misbuilt(SettingError, layer, argument, "finite and at least 0", repr(value))
    return float(setting)


def share(layer: Any, argument: str, value: Any) -> float:
    """Return a setting as a float: a number from 0 to 1."""
    setting = constant(layer, argument, value)
    if not 0 <= setting <= 1:
        raise misbuilt(SettingError, layer, argument, "from 0 to 1", repr(value))
    return float(setting)


def deviation(layer: Any, value: Any) -> float:
    """Return a standard deviation: a finite number of at least 0."""
    stdv = number(layer, "reset", "stdv", value)
    if not (math.isfinite(stdv) and stdv >= 0):
        raise out_of_range(layer, "reset", "stdv", "finite and at least 0", repr(value))
    return float(stdv)


def dtype_meant(value: Any) -> Any:
    """Return the dtype that value means, in NumPy's words or Torch7's; None if it means none."""
    try:
        return np.dtype(_TORCH7_DTYPES.get(value, value))
    except TypeError:
        return None


def floating_dtype(layer: Any, argument: str, value: Any) -> Any:
    """Return the dtype that a constructor's argument means, one of the four."""
    dtype = dtype_meant(value)
    if dtype not in FLOATING:
        raise misbuilt(DTypeError, layer, argument, FLOATING_NAMES, repr(value))
    return dtype


def whole(layer: Any, argument: str, value: Any) -> int:
    """Return a constructor's integer as an int."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise misbuilt(DTypeError, layer, argument, "an integer", repr(value)) from None


def size(layer: Any, argument: str, value: Any) -> int:
    """Return a constructor's size as an int: an integer of at least 0."""
    return at_least(layer, argument, value, 0)


def at_least(layer: Any, argument: str, value: Any, least: int) -> int:
    """Return a constructor's size as an int that is not less than some other."""
    n = whole(layer, argument, value)
    if n < least:
        raise misbuilt(ShapeError, layer, argument, f"at least {least}", str(n))
    return n


# ---------------------------------------------------------------- masks


def mask(layer: Any, zeroMask: Any, dims: tuple[int, ...] = (1, 2)) -> Any:
    """Return what setZeroMask was given: False, or a copy of the mask as booleans.

    A mask has one of so many dimensions.
    """
    if zeroMask is False:
        return False
    method, argument = "setZeroMask", "zeroMask"
    if not is_array(zeroMask):
        got = type(zeroMask).__name__ if zeroMask is not True else "True"
        hint = "True where a sample does not count at a step; or False: every one counts"
        raise mistyped(layer, method, argument, "an array or False", got, hint)
    if zeroMask.dtype.kind not in "biu":
        hint = f"{argument} != 0"
        expected = "booleans, or integers 0 and 1"
        raise mistyped(layer, method, argument, expected, str(zeroMask.dtype), hint)
    if zeroMask.ndim not in dims:
        expected = " or ".join({1: "(N,)", 2: "(T, N)"}[n] for n in dims)
        raise misshapen(layer, method, argument, expected, zeroMask)
    # Booleans are right: a mask is handed on to every layer inside, at every step.
    if zeroMask.dtype.kind != "b":
        wrong = (zeroMask != 0) & (zeroMask != 1)
        if wrong.any():
            got = first_wrong(wrong, argument, zeroMask)
            raise out_of_range(layer, method, argument, "0 and 1, or booleans", got)
    return zeroMask != 0


# ---------------------------------------------------------------- what is wrong


def must_be_array(layer: Any, method: str, argument: str, value: Any, dtype: Any = None) -> None:
    """Raise unless value is an array, and of no kind that computes otherwise.

    dtype is what it should have, where that is not the layer's.
    """
    if is_array(value) and not isinstance(value, (np.matrix, np.ma.MaskedArray)):
        return
    if isinstance(value, np.matrix):
        hint: str | None = f"np.asarray({argument})"
    elif isinstance(value, np.ma.MaskedArray):
        hint = f"{argument}.filled(...) says what stands in the masked places"
    elif hasattr(value, "graphNodeName"):
        hint = f"a node is what a module is called with: nn.{type(layer).__name__}(...)(node)"
    elif hasattr(value, "updateOutput"):
        name = type(value).__name__
        hint = f"a second pair of parentheses makes a node of a module: nn.{name}(...)()"
    elif value is None and argument == "input":
        hint = "what a layer before computes in updateOutput, it must return, too"
    elif isinstance(value, (list, tuple)) and any(map(is_array, value)):
        hint = (
            f"{argument} is a table: nn.JoinTable, CAddTable or SelectTable makes one array of it"
        )
    else:
        hint = as_numpy(argument, value, layer.type() if dtype is None else dtype)
    raise mistyped(layer, method, argument, "an array", type(value).__name__, hint)


def must_be_instance(layer: Any, method: str, argument: str, value: Any, kind: type) -> None:
    """Value must be an instance of this class."""
    if isinstance(value, kind):
        return
    got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    is_class = isinstance(value, type) and issubclass(value, kind)
    hint = f"{value.__name__}() makes one" if is_class else None
    raise mistyped(layer, method, argument, f"a {kind.__name__}", got, hint)


def must_have_dimensions(layer: Any, method: str, argument: str, array: Any) -> None:
    """Raise if array is a number without dimensions."""
    if not array.ndim:
        raise misshapen(layer, method, argument, "an array of at least one dimension", array)


def must_have_precision(layer: Any, method: str, argument: str, array: Any, dtype: Any) -> None:
    """Raise unless array has the dtype's precision, real or complex (None: any of the four)."""
    got = array.dtype
    if got in FLOATING and (dtype is None or _precision(got) == _precision(dtype)):
        return
    wanted = layer.type() if dtype is None else dtype
    expected = FLOATING_NAMES if dtype is None else str(dtype)
    hint = f"{argument}.astype('{wanted}')"
    if dtype is not None and argument == "input" and got in FLOATING:
        hint += f", or net.type('{got}') for the network"
    elif argument == "input" and got.kind in "iu" and _may_be_ids(layer, array):
        hint += "; of ids, nn.LookupTable or nn.OneHot makes numbers to compute with"
    raise mistyped(layer, method, argument, expected, str(got), hint)


def _may_be_ids(layer: Any, array: Any) -> bool:
    """Tell whether integers may be meant as ids: pixels are bytes, or of images."""
    sees_images = len(getattr(layer, "_axes", ())) > 1
    return array.ndim <= 2 and array.dtype != np.uint8 and not sees_images


def _precision(dtype: Any) -> int:
    """Return the bytes of a real number of this dtype."""
    size: int = dtype.itemsize
    return size // 2 if dtype.kind == "c" else size


def must_be_gradient(
    layer: Any, method: str, gradOutput: Any, shape: tuple[int, ...], dtype: Any
) -> None:
    """Raise unless gradOutput has this shape, and the dtype's precision."""
    if type(gradOutput) is ndarray and gradOutput.dtype == dtype and gradOutput.shape == shape:
        return
    must_be_array(layer, method, "gradOutput", gradOutput, dtype)
    must_be_gradient_of(layer, method, "gradOutput", gradOutput, dtype)
    if gradOutput.shape != shape:
        hint = reshaped("gradOutput", gradOutput, shape)
        try:
            if np.broadcast_shapes(gradOutput.shape, shape) == shape:
                hint = f"nothing is broadcast here: np.broadcast_to(gradOutput, {shape})"
        except ValueError:
            pass
        raise misshapen(layer, method, "gradOutput", str(shape), gradOutput, hint)


def must_be_gradient_of(layer: Any, method: str, argument: str, array: Any, dtype: Any) -> None:
    """Raise unless array has the dtype's precision; for integers and booleans any number does."""
    if dtype in FLOATING:
        must_have_precision(layer, method, argument, array, dtype)
    elif dtype.kind in INTEGRAL and array.dtype.kind not in "biufc":
        raise mistyped(layer, method, argument, "numbers or bool", str(array.dtype))


def must_accumulate(layer: Any, input: Any, gradOutput: Any, dtype: Any) -> None:
    """Raise where a real gradient would have to take up a complex number."""
    for argument, array in (("input", input), ("gradOutput", gradOutput)):
        if array.dtype.kind == "c" and dtype.kind != "c":
            got = str(array.dtype)
            hint = f"clone().type('{got}') has complex gradients"
            why = f" to add to gradients of {dtype}"
            raise mistyped(layer, "accGradParameters", argument, str(dtype), got, hint, why)


def rows_hint(layer: Any, input: Array, n: int) -> str | None:
    """Return what makes an input that is not (n,) or (N, n) fit, as far as its shape tells."""
    shape, size = input.shape, math.prod(input.shape[1:])
    if len(shape) == 1 and n == 1:
        return "input.reshape(-1, 1) is a batch, one number a sample"
    if len(shape) == 2 and shape[0] == n:
        return "input.T has a sample in each row"
    # A criterion cannot be wrapped, and has nothing before it.
    is_module = hasattr(layer, "modules")
    if is_module and len(shape) > 2 and size == n:
        return f"input.reshape({shape[0]}, {n}), or nn.View({n}) before this layer"
    if is_module and len(shape) > 2 and shape[-1] == n:
        return f"nn.Bottle(nn.{type(layer).__name__}(...)) takes {shape} row by row"
    if input.size == n and len(shape) > 1:
        return f"input.reshape({n}) is one sample"
    name = type(layer).__name__
    if name in _WIDTHS and shape:
        width = shape[0] if len(shape) == 1 else size
        outputs = f", {layer.weight.shape[0]}" if name == "Linear" else ""
        hint = f"{name}({width}{outputs}) would fit"
        return hint if len(shape) <= 2 else f"{hint} input.reshape({shape[0]}, {width})"
    return None if 1 <= len(shape) <= 2 else "one sample is 1-D, a batch of samples 2-D"


def planes_hint(input: Array, planes: int | None, dims: int) -> str | None:
    """Return what makes images fit that have their planes last, as far as their shape tells."""
    if input.ndim in (dims + 1, dims + 2) and input.shape[-1] == planes:
        return f"np.moveaxis(input, -1, -{dims + 1}) has the planes before the pixels"
    return None


def reshaped(argument: str, array: Array, shape: tuple[int, ...]) -> str | None:
    """Return how an array gets this shape, or None if it has not as many entries."""
    if array.size != math.prod(shape):
        return None
    if array.shape == shape[::-1] and 1 not in shape and len(shape) > 1:
        return f"{argument}.T has this shape"
    return f"{argument}.reshape({', '.join(map(str, shape)) or '()'}) has the same entries"


def refuse_indices(
    layer: Any, method: str, argument: str, indices: Array, wrong: Array, n: int, what: str
) -> None:
    """Raise if one of the indices is wrong; there are n, and `what` names them."""
    if wrong.any():
        raise IndexError(
            f"{title(layer)}.{method}: {first_wrong(wrong, argument, indices)} is out of range for "
            f"{n} {what}, counting from 0"
        )


def first_wrong(wrong: Array, argument: str, array: Array) -> str:
    """Return the first wrong entry as text: where it stands, and what is there."""
    where = tuple(map(int, np.unravel_index(wrong.argmax().item(), wrong.shape)))
    return f"{argument}{list(where) if where else ''} = {array[where].item()}"


# ---------------------------------------------------------------- how it is said


def misshapen(
    layer: Any,
    method: str,
    argument: str,
    expected: str,
    value: Any,
    hint: str | None = None,
    why: str = "",
) -> ShapeError:
    """Return the error of an argument that has the wrong shape."""
    where, got = f"{title(layer)}.{method}", shapes(value)
    return fault(
        ShapeError, where, argument, expected, got, layer=layer, method=method, hint=hint, why=why
    )


def mistyped(
    layer: Any,
    method: str,
    argument: str,
    expected: str,
    got: str,
    hint: str | None = None,
    why: str = "",
) -> DTypeError:
    """Return the error of an argument that has the wrong type."""
    where = f"{title(layer)}.{method}"
    return fault(
        DTypeError, where, argument, expected, got, layer=layer, method=method, hint=hint, why=why
    )


def out_of_range(
    layer: Any, method: str, argument: str, expected: str, got: str, hint: str | None = None
) -> SettingError:
    """Return the error of an argument of the right type and shape that has a wrong value."""
    where = f"{title(layer)}.{method}"
    return fault(
        SettingError, where, argument, expected, got, layer=layer, method=method, hint=hint
    )


def too_many(layer: Any, method: str, argument: str, count: int, hint: str) -> DTypeError:
    """Return the error of a call with several arrays in the place of one table."""
    return mistyped(layer, method, argument, "one array or one table", f"{count} of them", hint)


def misbuilt(
    kind: type[_Error], layer: Any, argument: str, expected: str, got: str, hint: str | None = None
) -> _Error:
    """Return the error of a constructor's argument."""
    where = type(layer).__name__
    return fault(kind, where, argument, expected, got, layer=layer, method="__init__", hint=hint)


def unremembered(
    name: str,
    layer: Any,
    method: str,
    argument: str,
    remembered: str | None,
    value: Any,
    hint: str,
) -> StateError:
    """Return the error of a backward of another value than was remembered (None: of any)."""
    return StateError(
        f"{name}.{method}: {argument} is not that of the last forward",
        layer=layer,
        method=method,
        argument=argument,
        expected=remembered or "a forward before",
        got=shapes(value),
        hint=hint,
    )


def cut_off(module: Any, before: Any, position: int, place: int | None = None) -> StateError:
    """Return the error of a module, at position, that has no gradInput for the one before it.

    That one stands at `place`; None: at the position before.
    """
    what = "gradInput is None"
    hint = f"only the first layer can do without: net[{position}].gradInput = np.zeros(0)"
    if module.gradInput is not None and module.gradInput is not EMPTY:
        what, hint = "it returns None", "what updateGradInput computes, it must return, too"
    return StateError(
        f"{title(module)}.updateGradInput: {what}, but "
        f"[{position - 1 if place is None else place}] {title(before)} before it needs it",
        layer=module,
        method="updateGradInput",
        argument="gradInput",
        hint=hint,
    )


def in_the_name_of(layer: Any, part: Any, error: TorchliteError) -> TorchliteError:
    """Return the error of a part as the layer's own, if it is about what both were given."""
    if error.layer is not part or error.argument not in ("input", "gradOutput"):
        return error
    inner, outer = (f"nn.{type(module).__name__}(...)" for module in (part, layer))
    return type(error)(
        unhinted(error).replace(title(part), title(layer), 1),
        layer=layer,
        method=error.method,
        argument=error.argument,
        expected=error.expected,
        got=error.got,
        hint=error.hint and error.hint.replace(inner, outer),
    )
