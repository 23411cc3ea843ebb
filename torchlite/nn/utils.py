"""What Torch7's `nn.utils` does to arrays and to tables of them."""

from typing import Any

import numpy as np

from torchlite.errors import DTypeError, ShapeError, fault
from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.kernels.masks import blank_rows
from torchlite.nn.nested import is_array, leaves, shapes
from torchlite.nn.stateful import Stateful, cast

__all__ = [
    "clear",
    "getZeroMaskBatch",
    "getZeroMaskSequence",
    "recursiveAdd",
    "recursiveCopy",
    "recursiveFill",
    "recursiveType",
    "recursiveZeroMask",
    "setZeroMask",
]


def recursiveType(param: Any, type: Any) -> Any:
    """Cast an array, a module, a criterion or a table of them; return it.

    Modules, criterions, lists and dicts are changed in place, arrays and tuples are made anew;
    integers stay. What is shared before is shared after.

    Raises
    ------
    DTypeError
        What `Module.type` refuses. Nothing has changed then.

    Example
    -------
    >>> from torchlite import nn
    >>> x = np.ones(2)
    >>> table = nn.utils.recursiveType([x, {"a": x}], "torch.FloatTensor")
    >>> table[0].dtype, table[1]["a"] is table[0]
    (dtype('float32'), True)
    """
    held = _Held(param)
    cast(held, type)
    return held.param


class _Held(Stateful):
    """Anything, as a part of something that can be cast."""

    def __init__(self, param: Any) -> None:
        self.param = param

    def __repr__(self) -> str:
        return "nn.utils.recursiveType"


def recursiveFill(t2: Any, val: Any) -> Any:
    """Set every entry of an array, or of all arrays of a table, to val, in place; return it.

    Example
    -------
    >>> from torchlite import nn
    >>> nn.utils.recursiveFill([np.zeros(2), np.zeros(1)], 3)
    [array([3., 3.]), array([3.])]
    """
    for array in _arrays("recursiveFill", "t2", t2):
        array.fill(val)
    return t2


def recursiveAdd(t1: Any, val: Any, t2: Any = None) -> tuple[Any, Any]:
    """Add val * t2 to t1 in place, array by array; return both. `recursiveAdd(t1, t2)` adds t2.

    Example
    -------
    >>> from torchlite import nn
    >>> nn.utils.recursiveAdd([np.ones(2)], 10, [np.array([1.0, 2.0])])[0]
    [array([11., 21.])]
    """
    if t2 is None:
        val, t2 = 1, val
    targets, arrays = _arrays("recursiveAdd", "t1", t1), _arrays("recursiveAdd", "t2", t2)
    where = "nn.utils.recursiveAdd"
    if shapes(t1) != shapes(t2):
        raise fault(ShapeError, where, "t2", f"{shapes(t1)} like t1", shapes(t2))
    for target, array in zip(targets, arrays, strict=True):
        if target.dtype != array.dtype:
            raise fault(DTypeError, where, "t2", f"{target.dtype} like t1", str(array.dtype))
    for target, array in zip(targets, arrays, strict=True):
        axpy(target, val, array)
    return t1, t2


def recursiveCopy(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Write the arrays of t2 into those of t1; return both.

    Where t1 has no array, or one of another shape or kind of numbers, a copy takes its place.

    Example
    -------
    >>> from torchlite import nn
    >>> x = np.zeros(2)
    >>> kept, _ = nn.utils.recursiveCopy([x], [np.ones(2), np.ones(1)])
    >>> kept, kept[0] is x
    ([array([1., 1.]), array([1.])], True)
    """
    _arrays("recursiveCopy", "t2", t2)
    return _overwritten(t1, t2), t2


def _overwritten(t1: Any, t2: Any) -> Any:
    if isinstance(t2, dict):
        named = t1 if isinstance(t1, dict) else {}
        named.update({key: _overwritten(named.get(key), entry) for key, entry in t2.items()})
        return named
    if isinstance(t2, (list, tuple)):
        listed = t1 if isinstance(t1, list) else []
        known = [*listed, *[None] * len(t2)]
        listed[: len(t2)] = [_overwritten(*pair) for pair in zip(known, t2, strict=False)]
        return listed
    if not is_array(t1) or t1.shape != t2.shape or not np.can_cast(t2.dtype, t1.dtype, "same_kind"):
        return t2.copy()
    t1[...] = t2
    return t1


def clear(self: Any, *fields: Any) -> Any:
    """Empty the named attributes of a module, as a clearState does; return the module.

    Arrays become arrays without entries, lists and dicts empty ones, all else None. What is not
    there, or None, stays so.

    Example
    -------
    >>> from torchlite import nn
    >>> layer = nn.Identity()
    >>> layer.buffer, layer.table = np.ones(3), [1, 2]
    >>> nn.utils.clear(layer, "buffer", "table", "nothing").buffer, layer.table
    (array([], dtype=float64), [])
    """
    if len(fields) == 1 and isinstance(fields[0], (list, tuple)):
        (fields,) = fields
    for field in fields:
        value = getattr(self, field, None)
        if is_array(value):
            setattr(self, field, np.zeros_like(value, shape=(0,)))
        elif value is not None:
            empty = type(value)() if isinstance(value, (list, tuple, dict)) else None
            setattr(self, field, empty)
    return self


def getZeroMaskBatch(batch: Any) -> Array:
    """Return where a sample of a batch (N, ...) has nothing but zeros (ids: -1): (N,).

    Of a table, the first array tells.

    Example
    -------
    >>> from torchlite import nn
    >>> nn.utils.getZeroMaskBatch(np.array([[1.0, 0.0], [0.0, 0.0]]))
    array([False,  True])
    """
    return _blank("getZeroMaskBatch", "batch", batch, 1)


def getZeroMaskSequence(sequence: Any) -> Array:
    """Return where a sample of a sequence (T, N, ...) has nothing but zeros (ids: -1): (T, N).

    Of a table, the first array tells.

    Example
    -------
    >>> from torchlite import nn
    >>> nn.utils.getZeroMaskSequence(np.array([[[1.0], [2.0]], [[3.0], [0.0]]]))
    array([[False, False],
           [False,  True]])
    """
    return _blank("getZeroMaskSequence", "sequence", sequence, 2)


def _blank(function: str, argument: str, table: Any, lead: int) -> Array:
    first = _arrays(function, argument, table)[:1]
    if not first or first[0].ndim < lead:
        where, expected = f"nn.utils.{function}", f"at least {lead}-D"
        raise fault(ShapeError, where, argument, expected, shapes(table))
    return blank_rows(first[0], lead)


def setZeroMask(modules: Any, zeroMask: Any) -> None:
    """Call `setZeroMask(zeroMask)` of each module, or criterion, of a list.

    Example
    -------
    >>> from torchlite import nn
    >>> net, criterion = nn.MaskZero(nn.ReLU()), nn.MaskZeroCriterion(nn.MSECriterion())
    >>> nn.utils.setZeroMask([net, criterion], np.array([False, True]))
    >>> criterion.zeroMask
    array([False,  True])
    """
    modules = modules if isinstance(modules, (list, tuple)) else [modules]
    for module in modules:
        if not isinstance(module, Stateful):
            where, got = "nn.utils.setZeroMask", type(module).__name__
            raise fault(DTypeError, where, "modules", "a list of modules", got)
    for module in modules:
        module.setZeroMask(zeroMask)


def recursiveZeroMask(tensor: Any, mask: Any) -> Any:
    """Set an array, or all arrays of a table, to zero where the mask is True, in place; return it.

    The mask is (N,) or (T, N), the first dimensions of the arrays.

    Example
    -------
    >>> from torchlite import nn
    >>> nn.utils.recursiveZeroMask([np.ones((2, 2))], np.array([True, False]))
    [array([[0., 0.],
           [1., 1.]])]
    """
    where, arrays = "nn.utils.recursiveZeroMask", _arrays("recursiveZeroMask", "tensor", tensor)
    if not is_array(mask):
        raise fault(DTypeError, where, "mask", "an array", type(mask).__name__)
    for array in arrays:
        if array.shape[: mask.ndim] != mask.shape:
            expected = f"of arrays with {shapes(mask)} first, like mask"
            raise fault(ShapeError, where, "tensor", expected, shapes(tensor))
    for array in arrays:
        array[mask != 0] = 0
    return tensor


def _arrays(function: str, argument: str, table: Any) -> list[Array]:
    """Return the arrays of a table, in order; raise where there is something else in it."""
    found = leaves(table)
    for value in found:
        if not is_array(value):
            where, got = f"nn.utils.{function}", type(value).__name__
            raise fault(DTypeError, where, argument, "an array or a table of arrays", got)
    return found
