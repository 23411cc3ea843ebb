"""Validation of what criterions take besides two arrays that are alike.

As in torchlite.nn.checks, each check is one function: the test that every correct call passes,
then the search for what is wrong.
"""

import math
import numbers
from typing import Any

import numpy as np
from numpy import ndarray

from torchlite.errors import DTypeError
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.checks import FLOATING, title
from torchlite.nn.table._checks import wrong_shape
from torchlite.nn.tables import is_array, shapes

# ---------------------------------------------------------------- classes


def classes(
    criterion: Any,
    method: str,
    input: Any,
    target: Any,
    weights: Any = None,
    ignored: Any = None,
    dims: int = 1,
) -> Any:
    """Return the target, one class (from 0 on) for each place of the input, as an integer array.

    The input is one sample of so many dims, the first of them the classes, or a batch of such.
    There is one weight for each class, or none. A class of the number `ignored` need not exist.
    """
    _sample_or_batch(criterion, method, input, dims)
    if type(target) is int or isinstance(target, np.integer):
        target = like(int(target), input)
    if not is_array(target) or target.dtype.kind not in "iu":
        raise _no_integers(criterion, method, target)
    shape = input.shape[:-dims] + input.shape[input.ndim - dims + 1 :]
    if target.shape != shape:
        target = _of_one_sample(criterion, method, target, shape, "an integer")
    count = input.shape[-dims]
    if target.size and not (target.min() >= 0 and target.max() < count):
        wrong = (target < 0) | (target >= count)
        _refuse_classes(criterion, method, target, wrong & (target != ignored), count)
    if weights is not None:
        weighted(criterion, method, "weights", weights, input, (count,))
    return target


def labels(criterion: Any, method: str, input: Any, target: Any) -> Any:
    """Return where the target lists classes; a -1 ends each row, whatever follows."""
    _sample_or_batch(criterion, method, input, 1)
    if not is_array(target) or target.dtype.kind not in "iu":
        raise _no_integers(criterion, method, target)
    if target.shape != input.shape:
        raise wrong_shape(criterion, method, "target", f"{shapes(input)} like input", target)
    listed = np.cumsum(target == -1, axis=-1) == 0
    count = input.shape[-1]
    _refuse_classes(criterion, method, target, listed & ((target < 0) | (target >= count)), count)
    return listed


def _sample_or_batch(criterion: Any, method: str, input: Any, dims: int) -> None:
    if type(input) is ndarray and input.dtype in FLOATING and dims <= input.ndim <= dims + 1:
        return
    checks.floating(criterion, method, input)
    if not dims <= input.ndim <= dims + 1:
        expected = "(C,) or (N, C)" if dims == 1 else "(C, H, W) or (N, C, H, W)"
        raise wrong_shape(criterion, method, "input", expected, input)


def _refuse_classes(criterion: Any, method: str, target: Any, wrong: Any, count: int) -> None:
    if wrong.any():
        raise IndexError(
            f"{title(criterion)}.{method}: {_first(wrong, 'target', target)} is out of range for "
            f"{count} classes, counting from 0"
        )


def _no_integers(criterion: Any, method: str, target: Any) -> DTypeError:
    expected = "integers (classes, counting from 0)"
    hint = "target.astype('int64')" if is_array(target) else None
    if isinstance(target, (list, tuple)):
        hint = "np.array(target)"
    return _wrong_dtype(criterion, method, "target", expected, target, hint)


# ---------------------------------------------------------------- one number a sample


def one_each(criterion: Any, method: str, input: Any, target: Any, shape: Any) -> Any:
    """Return the target as an array of this shape and of input's dtype.

    Where there is one sample only, a number will do.
    """
    if type(target) is not ndarray:
        if isinstance(target, numbers.Real) and not isinstance(target, (bool, np.bool_)):
            if math.prod(shape) != 1:
                raise wrong_shape(criterion, method, "target", str(shape), target)
            return np.full_like(input, target, shape=shape)
        checks.must_be_array(criterion, method, "target", target)
    if target.shape != shape:
        target = _of_one_sample(criterion, method, target, shape, "a number")
    if target.dtype != input.dtype:
        expected, hint = f"{input.dtype} like input", f"target.astype('{input.dtype}')"
        raise _wrong_dtype(criterion, method, "target", expected, target, hint)
    return target


def signs(criterion: Any, method: str, input: Any, target: Any, shape: Any) -> Any:
    """Return the target as `one_each` does; all of it must be 1 or -1."""
    target = one_each(criterion, method, input, target, shape)
    wrong = target * target != 1
    if wrong.any():
        raise ValueError(
            f"{title(criterion)}.{method}: target must be 1 or -1, "
            f"got {_first(wrong, 'target', target)}"
        )
    return target


# ---------------------------------------------------------------- weights, values, sizes


def held(criterion: Any, argument: str, weights: Any, needed: bool = False) -> Any:
    """Return weights that a criterion is to hold, an array or None: their dtype is now its own."""
    if weights is not None or needed:
        checks.must_be_array(criterion, "__init__", argument, weights)
        checks.must_have_precision(criterion, "__init__", argument, weights, None)
        criterion._dtype = weights.dtype
    return weights


def weighted(
    criterion: Any, method: str, argument: str, weights: Any, input: Any, *fitting: Any
) -> None:
    """Weights must be of one of the fitting shapes, and of input's dtype or its real part's."""
    if weights.shape not in fitting:
        expected = f"{' or '.join(map(str, fitting))} for input {shapes(input)}"
        raise wrong_shape(criterion, method, argument, expected, weights)
    if weights.dtype != input.dtype and weights.dtype != input.real.dtype:
        expected = f"{weights.dtype} like {argument}"
        hint = f"criterion.type('{input.dtype}') casts {argument}"
        raise _wrong_dtype(criterion, method, "input", expected, input, hint)


def probabilities(criterion: Any, method: str, input: Any) -> None:
    """Input must lie between 0 and 1."""
    wrong = (input.real < 0) | (input.real > 1)
    if wrong.any():
        raise ValueError(
            f"{title(criterion)}.{method}: input must be probabilities, between 0 and 1, "
            f"got {_first(wrong, 'input', input)}\n"
            "  hint: Sigmoid makes them; MultiLabelSoftMarginCriterion takes what comes before it"
        )


def images(criterion: Any, method: str, input: Any, target: Any) -> None:
    """Input must be (C, H, W) or (N, C, H, W), target the same or larger in the last two."""
    _sample_or_batch(criterion, method, input, 3)
    checks.must_be_array(criterion, method, "target", target)
    *samples, height, width = input.shape
    if not (
        target.ndim == input.ndim
        and target.shape[:-2] == input.shape[:-2]
        and target.shape[-2] >= height
        and target.shape[-1] >= width
    ):
        expected = f"({', '.join(map(str, samples))}, at least {height}, at least {width})"
        raise wrong_shape(criterion, method, "target", expected, target)


def made(criterion: Any, method: str, argument: str, value: Any, kind: type) -> None:
    """Value must be an instance of this class."""
    if isinstance(value, kind):
        return
    got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    is_class = isinstance(value, type) and issubclass(value, kind)
    raise DTypeError(
        f"{title(criterion)}.{method}: {argument} must be a {kind.__name__}, got {got}",
        layer=criterion,
        method=method,
        argument=argument,
        expected=f"a {kind.__name__}",
        got=got,
        hint=f"{value.__name__}() makes one" if is_class else None,
    )


# ---------------------------------------------------------------- what is wrong


def _of_one_sample(criterion: Any, method: str, target: Any, shape: Any, what: str) -> Any:
    """Return a target (1,) as that of one sample; other shapes are wrong."""
    if target.shape == (1,) and shape == ():
        return target.reshape(())
    raise wrong_shape(criterion, method, "target", str(shape) if shape else what, target)


def _first(wrong: Any, argument: str, array: Any) -> str:
    """Return the first wrong entry as text: where it stands, and what is there."""
    where = tuple(map(int, np.unravel_index(wrong.argmax().item(), wrong.shape)))
    return f"{argument}{list(where) if where else ''} = {array[where].item()}"


def _wrong_dtype(
    criterion: Any, method: str, argument: str, expected: str, value: Any, hint: str | None
) -> DTypeError:
    got = str(value.dtype) if is_array(value) else type(value).__name__
    return DTypeError(
        f"{title(criterion)}.{method}: {argument} must be {expected}, got {got}",
        layer=criterion,
        method=method,
        argument=argument,
        expected=expected,
        got=got,
        hint=hint,
    )
