"""What modules and criterions share: a dtype, copies of themselves, forgetting."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from torchlite.elsewhere import METHODS, Absent
from torchlite.errors import DTypeError
from torchlite.nn import checks
from torchlite.nn.nested import EMPTY, is_array


class Stateful:
    """The base of Module and Criterion.

    What a call leaves behind is held in the attributes named in `transient`. Their empty values
    stand on the class: to forget one is to delete it from the instance.
    """

    transient: ClassVar[tuple[str, ...]] = ("output", "gradInput")
    # The attributes that a cast does not reach.
    _uncast: Any = ()
    _dtype: Any = np.dtype("float64")

    output: Any = EMPTY
    gradInput: Any = EMPTY

    def clearState(self) -> Self:
        """Forget results and memories of earlier calls (gradInput = None stays). Return self."""
        for part in parts(self):
            for name in part._left_behind():
                delattr(part, name)
        return self

    def clone(self) -> Self:
        """Return a copy that shares nothing with self."""
        return copy.deepcopy(self)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in METHODS or hasattr(self, name)]

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies carry: everything but results and memories of earlier calls."""
        left_behind = self._left_behind()
        return {name: value for name, value in vars(self).items() if name not in left_behind}

    def _left_behind(self) -> list[str]:
        return [name for name in self.transient if vars(self).get(name) is not None]

    def _held_dtype(self) -> Any:
        return self._dtype

    def double(self) -> Self:
        """Cast to float64. Return self."""
        cast(self, "float64")
        return self

    # These two stand last: in the class body below them, their names no longer mean the built-ins.

    def float(self) -> Self:
        """Cast to float32. Return self."""
        cast(self, "float32")
        return self

    def type(self, dtype: Any = None) -> Any:
        """Cast every floating array to dtype and return self; without dtype, return the dtype.

        What `np.dtype` takes is taken, if it means float32, float64, complex64 or complex128, and
        Torch7's 'torch.FloatTensor' and 'torch.DoubleTensor'.
        Arrays shared before are shared after; results and memories of earlier calls are forgotten.

        Raises
        ------
        DTypeError
            Another dtype, or a real one for complex arrays; no array has changed then.
        """
        if dtype is None:
            return self._held_dtype()
        cast(self, dtype)
        return self


for _name, _hint in METHODS.items():
    setattr(Stateful, _name, Absent(Stateful, _name, _hint))


def parts(held: Any, casting: bool = False) -> list[Stateful]:
    """Return everything stateful that is held somewhere inside, each once, outer ones first.

    casting leaves out what a cast does not reach.
    """
    found: dict[int, Stateful] = {}
    _collect(held, casting, found)
    return list(found.values())


def _collect(value: Any, casting: bool, found: dict[int, Stateful]) -> None:
    if isinstance(value, Stateful):
        if id(value) not in found:
            found[id(value)] = value
            _collect(_attributes(value, casting), casting, found)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            _collect(entry, casting, found)
    elif isinstance(value, dict):
        for entry in value.values():
            _collect(entry, casting, found)


def _attributes(part: Stateful, casting: bool) -> dict[str, Any]:
    return {
        name: value for name, value in vars(part).items() if not (casting and name in part._uncast)
    }


def rebind(layer: Stateful, change: Callable[[Any], Any], casting: bool = False) -> None:
    """Put change(array) in the place of every array that the layer or a part of it holds."""
    for part in parts(layer, casting):
        for name, value in _attributes(part, casting).items():
            setattr(part, name, _changed(value, change))


# A function inside rebind that calls itself would be a cycle, and keep the old arrays alive.
def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if is_array(value):
        return change(value)
    if isinstance(value, list):
        value[:] = [_changed(entry, change) for entry in value]
    elif isinstance(value, dict):
        value.update({key: _changed(entry, change) for key, entry in value.items()})
    elif type(value) is tuple:
        return tuple(_changed(entry, change) for entry in value)
    return value


def cast(layer: Stateful, dtype: Any) -> None:
    """Cast every floating array of the layer and its parts, shared ones to one; or raise."""
    wanted = checks.dtype_meant(dtype)
    if wanted not in checks.FLOATING:
        got = str(dtype if wanted is None else wanted)
        raise checks.mistyped(layer, "type", "dtype", checks.FLOATING_NAMES, got)

    def refuse_loss(array: Any) -> Any:
        if array.dtype.kind == "c" and wanted.kind == "f":
            raise DTypeError(
                f"{checks.title(layer)}.type: {array.dtype} cannot become {wanted} without "
                "losing imaginary parts",
                layer=layer,
                method="type",
                argument="dtype",
                expected="complex64 or complex128",
                got=str(wanted),
                hint="keep the real network and cast a clone",
            )
        return array

    # An array that stands in several places is cast once; the old one is kept beside the new, so
    # that its id is not given to another meanwhile.
    pairs: dict[int, tuple[Any, Any]] = {}

    def converted(array: Any) -> Any:
        if array.dtype not in checks.FLOATING or array.dtype == wanted:
            return array
        if id(array) not in pairs:
            pairs[id(array)] = array, array.astype(wanted)
        return pairs[id(array)][1]

    rebind(layer, refuse_loss, casting=True)
    layer.clearState()
    rebind(layer, converted, casting=True)
    for part in parts(layer, casting=True):
        part._dtype = wanted
