"""Validation of what criterions take besides two arrays that are alike.

As in torchlite.nn.checks, each check is one function: the test that every correct call passes,
then the search for what is wrong.
"""

import math
import numbers
from typing import Any

import numpy as np
from numpy import ndarray

from torchlite.elsewhere import as_numpy
from torchlite.errors import DTypeError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.checks import (
    FLOATING,
    first_wrong,
    misshapen,
    mistyped,
    out_of_range,
    refuse_indices,
    reshaped,
)
from torchlite.nn.nested import is_array, shapes

# ---------------------------------------------------------------- classes


def classes(
    criterion: Any,
    method: str,
    input: Array,
    target: Any,
    weights: Any = None,
    ignored: Any = None,
    dims: int = 1,
) -> Array:
    """Return the target, one class (from 0 on) for each place of the input, as an integer array.

    The input is one sample of so many dims, the first of them the classes, or a batch of such.
    There is one weight for each class, or none. A class of the number `ignored` need not exist.
    """
    _must_be_sample_or_batch(criterion, method, input, dims)
    if type(target) is int or isinstance(target, np.integer):
        target = like(int(target), input)
    axis = input.ndim - dims
    shape = input.shape[:axis] + input.shape[axis + 1 :]
    hint = None
    if is_array(target) and target.shape == input.shape:
        hint = f"target.argmax({axis}), if it is one-hot"
    if not is_array(target) or target.dtype.kind not in "iu":
        raise _no_integers(criterion, method, target, hint, shape)
    if target.shape != shape:
        target = _of_one_sample(criterion, method, target, shape, "an integer", hint)
    count = input.shape[axis]
    if target.size and not (target.min() >= 0 and target.max() < count):
        wrong = ((target < 0) | (target >= count)) & (target != ignored)
        refuse_indices(criterion, method, "target", target, wrong, count, "classes")
    if weights is not None:
        must_be_weights(criterion, method, "weights", weights, input, (count,))
    return target


def labels(criterion: Any, method: str, input: Array, target: Any) -> Array:
    """Return where the target lists classes; a -1 ends each row, whatever follows."""
    _must_be_sample_or_batch(criterion, method, input, 1)
    if not is_array(target) or target.dtype.kind not in "iu":
        raise _no_integers(criterion, method, target, None, input.shape)
    if target.shape != input.shape:
        raise misshapen(criterion, method, "target", f"{shapes(input)} like input", target)
    listed = np.cumsum(target == -1, axis=-1) == 0
    count = input.shape[-1]
    wrong = listed & ((target < 0) | (target >= count))
    refuse_indices(criterion, method, "target", target, wrong, count, "classes")
    return listed


def _must_be_sample_or_batch(criterion: Any, method: str, input: Array, dims: int) -> None:
    if type(input) is ndarray and input.dtype in FLOATING and dims <= input.ndim <= dims + 1:
        return
    checks.must_be_floating(criterion, method, "input", input)
    if not dims <= input.ndim <= dims + 1:
        expected = "(C,) or (N, C)" if dims == 1 else "(C, H, W) or (N, C, H, W)"
        raise misshapen(criterion, method, "input", expected, input)


def _no_integers(
    criterion: Any, method: str, target: Any, hint: str | None, shape: tuple[int, ...]
) -> DTypeError:
    expected = "integers (classes, counting from 0)"
    if not is_array(target):
        hint, got = as_numpy("target", target, "int64"), type(target).__name__
        return mistyped(criterion, method, "target", expected, got, hint)
    if hint is None:
        hint = "target.astype('int64')"
        if target.shape != shape:
            hint = reshaped(hint, target, shape) or hint
    return mistyped(criterion, method, "target", expected, str(target.dtype), hint)


# ---------------------------------------------------------------- one number a sample


def one_each(criterion: Any, method: str, input: Array, target: Any, shape: Any) -> Array:
    """Return the target as an array of this shape and of input's dtype.

    Where there is one sample only, a number will do.
    """
    if type(target) is not ndarray:
        if isinstance(target, numbers.Real) and not isinstance(target, bool):
            if math.prod(shape) != 1:
                raise misshapen(criterion, method, "target", str(shape), target)
            return np.full_like(input, target, shape=shape)
        checks.must_be_array(criterion, method, "target", target, input.dtype)
    if target.shape != shape:
        target = _of_one_sample(criterion, method, target, shape, "a number")
    if target.dtype != input.dtype:
        expected, hint = f"{input.dtype} like input", f"target.astype('{input.dtype}')"
        raise mistyped(criterion, method, "target", expected, str(target.dtype), hint)
    return target


def signs(criterion: Any, method: str, input: Array, target: Any, shape: Any) -> Array:
    """Return the target as `one_each` does; all of it must be 1 or -1."""
    target = one_each(criterion, method, input, target, shape)
    wrong = target * target != 1
    if wrong.any():
        got = first_wrong(wrong, "target", target)
        raise out_of_range(criterion, method, "target", "1 or -1", got)
    return target


# ---------------------------------------------------------------- weights, values, sizes


def held(criterion: Any, argument: str, weights: Any, needed: bool = False) -> Any:
    """Return weights that a criterion is to hold, an array or None: their dtype is now its own."""
    if weights is not None or needed:
        checks.must_be_array(criterion, "__init__", argument, weights)
        checks.must_have_precision(criterion, "__init__", argument, weights, None)
        criterion._dtype = weights.dtype
    return weights


def must_be_weights(
    criterion: Any, method: str, argument: str, weights: Any, input: Array, *fitting: Any
) -> None:
    """Weights must be of one of the fitting shapes, and of input's dtype or its real part's."""
    if weights.shape not in fitting:
        expected = f"{' or '.join(map(str, fitting))} for input {shapes(input)}"
        raise misshapen(criterion, method, argument, expected, weights)
    if weights.dtype != input.dtype and weights.dtype != input.real.dtype:
        expected = f"{weights.dtype} like {argument}"
        hint = f"criterion.type('{input.dtype}') casts {argument}"
        raise mistyped(criterion, method, "input", expected, str(input.dtype), hint)


def must_be_probabilities(criterion: Any, method: str, input: Array) -> None:
    """Input must lie between 0 and 1."""
    wrong = (input.real < 0) | (input.real > 1)
    if wrong.any():
        expected = "probabilities, between 0 and 1"
        got = first_wrong(wrong, "input", input)
        hint = "Sigmoid makes them; MultiLabelSoftMarginCriterion takes what comes before it"
        raise out_of_range(criterion, method, "input", expected, got, hint)


def must_be_images(criterion: Any, method: str, input: Array, target: Any) -> None:
    """Input must be (C, H, W) or (N, C, H, W), target the same or larger in the last two."""
    _must_be_sample_or_batch(criterion, method, input, 3)
    checks.must_be_array(criterion, method, "target", target, input.dtype)
    *samples, height, width = input.shape
    if not (
        target.ndim == input.ndim
        and target.shape[:-2] == input.shape[:-2]
        and target.shape[-2] >= height
        and target.shape[-1] >= width
    ):
        expected = f"({', '.join(map(str, samples))}, at least {height}, at least {width})"
        raise misshapen(criterion, method, "target", expected, target)


# ---------------------------------------------------------------- what is wrong


def _of_one_sample(
    criterion: Any, method: str, target: Any, shape: Any, what: str, hint: str | None = None
) -> Array:
    """Return a target (1,) as that of one sample; other shapes are wrong."""
    if target.shape == (1,) and shape == ():
        return target.reshape(())
    hint = hint or reshaped("target", target, shape)
    raise misshapen(criterion, method, "target", str(shape) if shape else what, target, hint)
