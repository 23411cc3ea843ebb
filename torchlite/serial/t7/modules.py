"""Objects of Torch7's classes and torchlite's modules and criterions: from one to the other."""

import copy
import inspect
import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from torchlite import nn
from torchlite.errors import (
    DTypeError,
    SettingError,
    StateError,
    TorchliteError,
    fault,
    unhinted,
)
from torchlite.kernels.arrays import is_array
from torchlite.nn import holders
from torchlite.nn.checks import FLOATING
from torchlite.nn.stateful import Stateful, arrays_in, parts, put
from torchlite.serial import classes
from torchlite.serial.describe import attribute_problem, must_be_tree
from torchlite.serial.t7 import nngraph
from torchlite.serial.t7.fields import (
    OTHERWISE,
    PLAIN,
    ROWS,
    WORKSPACE,
    Fields,
    Row,
    array_of,
    type_of,
    undrawn,
)
from torchlite.serial.t7.kept import Kept
from torchlite.serial.t7.plain import is_plain, shown
from torchlite.serial.t7.values import Function, Object, Table
from torchlite.serial.values import RefusalError, foreign

__all__ = ["Builder", "known", "register", "take_apart"]

_DTYPES = {
    "torch.DoubleTensor": "float64",
    "torch.CudaDoubleTensor": "float64",
    "torch.FloatTensor": "float32",
    "torch.CudaTensor": "float32",
    "torch.HalfTensor": "float32",
    "torch.CudaHalfTensor": "float32",
}
# How many numbers a size has, how long a text is, and how many modules are made again: a few bytes
# ask for little.
_MOST_SIZES, _LONGEST, _MOST_COPIES = 64, 1000, 1000
# The fields in which torchlite lists what is None, where Lua's nil says too little, and a tuple.
_NONE, _TUPLES = "_none", "_tuples"
_CONTRACT = ("updateOutput", "updateGradInput", "accGradParameters", "forward", "backward")


class _Registered(NamedTuple):
    kind: type
    build: Callable[[Fields], Any]
    take_apart: Callable[[Any], Fields]


_registered: dict[str, _Registered] = {}


def register(
    name: str,
    cls: type[Stateful],
    build: Callable[[Fields], Any] | None = None,
    take_apart: Callable[[Any], Fields] | None = None,
) -> None:
    """Let .t7 files hold objects of a class of your own, from now on.

    Parameters
    ----------
    name
        The class in Torch7, as it was given to `torch.class`.
    cls
        The class here.
    build
        Makes one of a dict of Torch7's fields, in which objects are modules already. Without it,
        each field becomes the attribute of the same name; no constructor is called.
    take_apart
        Returns the dict of fields of one. Without it, each attribute becomes a field.

    Conventions
    -----------
    Without build and take_apart:

    - Lua has neither None nor tuples: the names of attributes that are some become fields more,
      `_none` and `_tuples`. A tuple in a list or tuple comes back as a list.
    - An empty dict, or one with the keys 1..n, comes back as a list, and an array of bools as one
      of uint8: `save` warns of them. A float that is whole, 2.0 say, comes back as an int.

    Raises
    ------
    DTypeError
        name is no text, cls no subclass of Module or Criterion, or build or take_apart cannot be
        called.
    SettingError
        name is that of a class of Torch7's nn.

    Example
    -------
    >>> import torchlite as nn
    >>> class Scaled(nn.Module):
    ...     def updateOutput(self, input):
    ...         self.output = self.factor * input
    ...         return self.output
    >>> register("mine.Scaled", Scaled)
    """
    if not isinstance(name, str):
        raise fault(DTypeError, "register", "name", "text", repr(name))
    if not (isinstance(cls, type) and issubclass(cls, nn.Module | nn.Criterion)):
        raise fault(DTypeError, "register", "cls", "a subclass of Module or Criterion", repr(cls))
    for argument, function in (("build", build), ("take_apart", take_apart)):
        if not (function is None or callable(function)):
            raise fault(DTypeError, "register", argument, "a function or None", repr(function))
    if name not in _registered and known(name):
        raise fault(SettingError, "register", "name", "no name of a class of Torch7", repr(name))
    _registered[name] = _Registered(
        cls, build or (lambda fields: _filled(cls, fields)), take_apart or _emptied
    )


def _filled(cls: Any, fields: Fields) -> Any:
    if issubclass(cls, nn.gModule):
        made = nngraph.read(fields)
        made.__class__ = cls
        read_already = ("modules", *nngraph.FIELDS)
        fields = {name: value for name, value in fields.items() if name not in read_already}
    else:
        made = cls.__new__(cls)
    dtypes = {
        value.dtype
        for value in fields.values()
        if isinstance(value, np.ndarray) and value.dtype in FLOATING
    }
    dtype = dtypes.pop() if len(dtypes) == 1 else _said_dtype(made, fields)
    if dtype != made._dtype:
        put(made._retyped(dtype))
    tuples = _names(fields, _TUPLES)
    for name, value in fields.items():
        if isinstance(value, (list, dict)) and not is_plain(value, Stateful, Object, Table):
            raise RefusalError(name, "is in itself, or too much")
        if name == "train" and isinstance(value, bool):
            # Of a container alone, not of what is in it.
            vars(made)[name] = value
        elif name not in ("_type", _NONE, _TUPLES) and not attribute_problem(cls, name, value):
            as_it_was = name in tuples and isinstance(value, list)
            setattr(made, name, tuple(value) if as_it_was else value)
    for name in _names(fields, _NONE):
        if not attribute_problem(cls, name, None):
            vars(made).setdefault(name, None)
    return made


def _emptied(module: Any) -> Fields:
    dtype = module.type()
    state = module.__getstate__()
    for name, value in state.items():
        _warn_of_change(f"{type(module).__name__}.{name}", value)
    fields: Fields = {"output": np.zeros(0, dtype), "gradInput": np.zeros(0, dtype)}
    fields |= {name: _plain(value) for name, value in state.items()}
    fields.pop("_dtype", None)
    nones = [name for name, value in state.items() if value is None]
    tuples = [name for name, value in state.items() if isinstance(value, tuple)]
    fields |= {listed: names for listed, names in ((_NONE, nones), (_TUPLES, tuples)) if names}
    if isinstance(module, nn.Module):
        fields["_type"] = type_of(dtype)
    if isinstance(module, nn.gModule):
        del fields["nodes"]
        nngraph.write(module, fields)
    return fields


def _warn_of_change(name: str, value: Any) -> None:
    if isinstance(value, np.ndarray) and value.dtype == bool:
        change = "an array of bools, and comes back as one of uint8"
    elif isinstance(value, dict) and value.keys() == set(range(1, len(value) + 1)):
        keys = "with the keys 1..n" if value else "that is empty"
        change = f"a dict {keys}, and comes back as a list"
    else:
        return
    warnings.warn(
        f"{name} is {change}: build= and take_apart= of t7.register say otherwise", stacklevel=8
    )


def _names(fields: Fields, listed: str) -> list[str]:
    names = fields.get(listed)
    if not isinstance(names, list):
        return []
    # One list can be that of many objects.
    if len(names) > _LONGEST:
        raise RefusalError(listed, f"must be at most {_LONGEST} long, got {len(names)}")
    return [name for name in names if isinstance(name, str)]


# What stands in modules and becomes none.
_PARTS = (*nngraph.PARTS, "torch.AliasMultinomial")
# Those of torchlite's classes that do not stand in Torch7's package nn.
_NNGRAPH = ("JustElement", "JustTable")
# Where those stand that have the name of another class.
_KEPT = "torchlite.serial.save keeps it"
_NAMESAKES = "torchlite.nn.recurrent.element_research."


def _class_of(name: str) -> Any:
    """Return torchlite's class of this name of Torch7's, or None."""
    package, _, short = name.rpartition(".")
    packages = ("nngraph",) if short in _NNGRAPH else ("nn", "cudnn")
    if package not in packages or short not in nn.__all__ or short in OTHERWISE:
        return None
    kind = getattr(nn, short)
    return kind if isinstance(kind, type) else None


def known(name: str) -> bool:
    """Tell whether objects of this class of Torch7's become something of torchlite's.

    Example
    -------
    >>> known("cudnn.SpatialConvolution"), known("nn.DataParallelTable"), known("nn.Mine")
    (True, True, False)
    """
    others = ("nn.DataParallelTable", *_PARTS)
    return name in _registered or name in others or _class_of(name) is not None


# ---------------------------------------------------------------- reading


class Builder:
    """What becomes of the objects of one file."""

    def __init__(self, objects: list[Object]) -> None:
        """Change what has to be changed before the first object is built.

        Tensors of modules that are the same stretch of a storage, as `share` makes them, become one
        array; those in half precision become float32, and stay shared. The module in a WeightNorm,
        which is written without its weight, gets one.
        """
        self._made: list[Stateful] = []
        self._copied = 0
        arrays: dict[Any, Any] = {}
        halves: dict[int, Any] = {}
        for one in objects:
            if not (known(one.name) and isinstance(one.fields, dict)):
                continue
            for key, value in one.fields.items():
                if isinstance(value, np.ndarray) and value.size:
                    if value.dtype == np.float16:
                        value = _single(value, halves)
                    where = value.__array_interface__["data"][0], value.shape, value.strides
                    one.fields[key] = arrays.setdefault((*where, value.dtype), value)
            if one.name == "nn.WeightNorm":
                _give_weight(one.fields)
        if halves:
            warnings.warn("modules in half precision become float32", stacklevel=4)

    def build(self, said: Object, where: str) -> Any:
        """Return what an object of a known class is in torchlite; what it holds is built already.

        Example
        -------
        >>> import numpy as np
        >>> said = Object("nn.Linear", {"weight": np.ones((2, 3)), "bias": np.zeros(2)})
        >>> Builder([said]).build(said, "['model']")
        Linear(3 -> 2)
        >>> said.fields["weight"] = np.ones(2)
        >>> Builder([said]).build(said, "['model']")
        Traceback (most recent call last):
        torchlite.serial.values.RefusalError: ("['model'].weight", \
'must have 2 dimensions, got (2,)', None)
        """
        name, fields = said.name, said.fields
        if name in _PARTS:
            return said
        if not isinstance(fields, (dict, Table)):
            raise RefusalError(where, f"the fields of a {name} must be a table with names as keys")
        try:
            made = self._built(name, {key: fields[key] for key in fields if isinstance(key, str)})
            if isinstance(made, Stateful):
                self._made.append(made)
        except RefusalError as error:
            path = f"{where}.{error.where}" if error.where else where
            raise RefusalError(path, error.problem, error.hint) from None
        except Exception as error:
            said_so = unhinted(error) if isinstance(error, TorchliteError) else repr(error)
            raise RefusalError(where, f"this cannot be a {name}: {said_so}") from error
        return made

    def finish(self) -> None:
        """Raise unless what was built are trees of a bearable size."""
        must_be_tree(self._made)

    def _built(self, name: str, fields: Fields) -> Any:
        if name in _registered:
            return _registered[name].build(fields)
        if name == "nn.DataParallelTable":
            modules = fields.get("modules")
            if not isinstance(modules, list) or not modules:
                raise RefusalError("modules", "must hold a module")
            return modules[0]
        kind = _class_of(name)
        row = ROWS.get(kind.__name__, PLAIN)
        if "modules" in fields and isinstance(fields["modules"], list):
            fields["modules"] = [
                Kept(part) if isinstance(part, Object) else part for part in fields["modules"]
            ]
        fields["class"] = name
        if row.read is not None:
            row.read(fields)
        if name.startswith("nn."):
            _warn_of_functions(name, fields)
        if row.build is not None:
            made = row.build(fields)
        else:
            made = self._constructed(kind, row, fields)
        if not isinstance(made, Stateful):
            return _trainer(made, fields)
        _set_arrays(made, row, fields)
        for name in row.settings:
            if name in fields and fields[name] != getattr(made, name):
                setattr(made, name, _setting(made, name, fields[name]))
        _set_state(made, row, fields)
        instead = None if row.finish is None else row.finish(made, fields)
        return made if instead is None else instead

    def _constructed(self, kind: Any, row: Row, fields: Fields) -> Any:
        # What the constructor is to make is in the file: a few bytes do not ask for gigabytes.
        if row.sizes:
            _check_size(row, fields)
        positional: list[Any] = []
        named: Fields = {}
        modules: list[Any] = []
        for parameter in _parameters(kind):
            name = parameter.name
            at = row.renamed.get(name, name)
            value = _argument(name, at, row, fields)
            if parameter.kind is parameter.VAR_POSITIONAL:
                if name == "modules":
                    modules = _listed(name, value)
                else:
                    positional += _listed(name, value)
            elif value is not None:
                if isinstance(value, (list, Table, Function, Object)) or not is_plain(
                    value, Stateful, np.dtype
                ):
                    raise RefusalError(at, f"must be no table or function, got {shown(value)}")
                if isinstance(value, str) and len(value) > _LONGEST:
                    raise RefusalError(at, f"must be at most {_LONGEST} long, got {len(value)}")
                if parameter.annotation is bool and not isinstance(value, bool):
                    raise RefusalError(at, f"must be true or false, got {shown(value)}")
                named[name] = value
            elif parameter.default is parameter.empty:
                raise RefusalError(at, "is missing")
        made = undrawn(kind)(*positional, **named) if _draws(kind) else kind(*positional, **named)
        for module in modules:
            self._add(made, module)
        if issubclass(kind, nn.Module) and fields.get("bias") is None and "bias" in vars(made):
            made.noBias()
        return made

    def _add(self, container: Any, module: Any) -> None:
        try:
            container.add(module)
        except StateError:
            if holders.standing_already(container, module) is None:
                raise
            # What remembers its forward can stand in one place: here another, of the same arrays.
            self._copied += len(module.listModules())
            if self._copied > _MOST_COPIES:
                problem = f"more than {_MOST_COPIES} modules stand in several places"
                raise RefusalError("modules", problem) from None
            held = [array for part in parts(module) for _, array in arrays_in(vars(part))]
            container.add(copy.deepcopy(module, {id(array): array for array in held}))


def _single(array: Any, made: dict[int, Any]) -> Any:
    whole = array if array.base is None else array.base
    if id(whole) not in made:
        made[id(whole)] = whole, np.asarray(whole).astype("float32")
    memory = made[id(whole)][1]
    start = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    strides = tuple(2 * stride for stride in array.strides)
    view = np.ndarray(array.shape, "float32", memory, 2 * start, strides)
    view.flags.writeable = array.flags.writeable
    return view


def _give_weight(fields: Fields) -> None:
    modules, size, v = (fields.get(name) for name in ("modules", "weightSize", "v"))
    inside = modules[0] if isinstance(modules, list) and modules else None
    held = inside.fields if isinstance(inside, Object) else None
    if isinstance(held, dict) and held.get("weight") is None:
        if not isinstance(size, np.ndarray) or not isinstance(v, np.ndarray):
            return
        shape = tuple(size.tolist())
        # What v and g make of it is computed by every forward.
        if math.prod(shape) == v.size:
            held["weight"] = np.zeros(shape, v.dtype)


def _warn_of_functions(name: str, fields: Fields) -> None:
    for method in _CONTRACT:
        if isinstance(fields.get(method), Function) and not name.endswith("MaxPooling"):
            warnings.warn(
                f"this {name} has its own {method}, a Lua function, which is not run", stacklevel=7
            )


@cache
def _parameters(kind: Any) -> list[inspect.Parameter]:
    if kind.__init__ is object.__init__:
        return []
    return list(inspect.signature(kind).parameters.values())


def _draws(kind: Any) -> bool:
    return issubclass(kind, nn.Module) and kind.reset is not nn.Module.reset


def _check_size(row: Row, fields: Fields) -> None:
    weight, expected = array_of(fields, "weight"), 1
    for name in row.sizes:
        value = fields.get(name)
        if value is None:
            raise RefusalError(name, "is missing")
        if type(value) is not int:
            raise RefusalError(name, f"must be a whole number, got {shown(value)}")
        expected *= value
    if weight.size != expected:
        problem = f"has {weight.size} numbers, and {' * '.join(row.sizes)} is {expected}"
        raise RefusalError("weight", problem)


def _argument(name: str, at: str, row: Row, fields: Fields) -> Any:
    if name in row.arguments:
        return row.arguments[name](fields)
    return _from_one(at, fields.get(at), row)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(x) is int for x in value)


def _listed(name: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        raise RefusalError(name, f"must be a list, got {shown(value)}")
    if name != "modules":
        if len(value) > _MOST_SIZES:
            raise RefusalError(name, f"must be at most {_MOST_SIZES} long, got {len(value)}")
        if not all(type(entry) is int or _is_pair(entry) for entry in value):
            raise RefusalError(name, "must be of whole numbers")
    return list(value)


def _from_one(name: str, value: Any, row: Row) -> Any:
    """Return a position counted from zero, if this field holds one."""
    if name not in row.one_based and name not in row.labels:
        return value
    if isinstance(value, list):
        if not all(type(entry) is int or _is_pair(entry) for entry in value):
            raise RefusalError(name, "must be pairs of dimensions")
        return [_from_one(name, entry, row) for entry in value]
    if type(value) is not int or value < 0:
        return value
    if value == 0 and name not in row.labels:
        raise RefusalError(name, "must count from one, got 0")
    return value - 1


def _set_arrays(made: Any, row: Row, fields: Fields) -> None:
    """Put the file's arrays in the places of those that the constructor has made."""
    found: list[tuple[str, Any, Any]] = []
    for attribute, own in list(vars(made).items()):
        name = row.renamed.get(attribute, attribute)
        if not isinstance(own, np.ndarray) or own.dtype.kind != "f" or attribute in row.hidden:
            continue
        found.append((attribute, own, _fitting(name, own, row, fields)))
    dtypes = {value.dtype for _, _, value in found if value is not None}
    if len(dtypes) > 1:
        listed = " and ".join(sorted(map(str, dtypes)))
        raise RefusalError("", f"its tensors are {listed}, all must be of one type")
    dtype = dtypes.pop() if dtypes else _said_dtype(made, fields)
    for attribute, own, value in found:
        if value is None:
            value = np.zeros(own.shape, dtype)
        setattr(made, attribute, value)
    if dtype != made._dtype:
        put(made._retyped(dtype))


def _fitting(name: str, own: Any, row: Row, fields: Fields) -> Any:
    """Return the array of a file that is to stand where this one stands, None for zeros."""
    gradient = name.startswith("grad")
    if gradient and fields.get(name) is None:
        return None
    value = array_of(fields, name)
    if gradient and not value.size:
        return None
    if value.dtype not in FLOATING:
        raise RefusalError(name, f"must be a float or double tensor, got {value.dtype}")
    if value.shape != own.shape:
        if not row.sizes or value.size != own.size:
            raise RefusalError(name, f"must be {own.shape}, got {value.shape}")
        value = value.reshape(own.shape)
    # Nothing may write into what was expanded.
    return value if value.flags.writeable else value.copy()


def _said_dtype(made: Any, fields: Fields) -> Any:
    said = fields.get("_type")
    if isinstance(said, str):
        if said not in _DTYPES:
            problem = f"must be a type of float or double tensors, got {shown(said)}"
            raise RefusalError("_type", problem)
        return np.dtype(_DTYPES[said])
    for name in ("output", "gradInput", "output_tensor"):
        value = fields.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, np.ndarray) and one.dtype in FLOATING:
                return one.dtype
    inside = {part._dtype for part in parts(made) if part is not made}
    return inside.pop() if len(inside) == 1 else made._dtype


def _setting(made: Any, name: str, value: Any) -> Any:
    own = getattr(made, name)
    if isinstance(own, bool) and not isinstance(value, bool):
        raise RefusalError(name, f"must be true or false, got {shown(value)}")
    if name == "numInputDims" and (type(value) is not int or value < 0):
        raise RefusalError(name, f"must be a whole number, got {shown(value)}")
    return value


def _set_state(made: Any, row: Row, fields: Fields) -> None:
    """Set what is neither argument nor array: the mode, and what users have added."""
    if isinstance(made, nn.Module):
        if isinstance(fields.get("train"), bool) and "train" not in row.settings:
            # Of a container alone, not of what is in it.
            vars(made)["train"] = fields["train"]
        if "gradInput" not in fields and (_says_nil(made) or "gradInput" in _names(fields, _NONE)):
            made.gradInput = None
    kind: Any = type(made)
    names = [*vars(made), *row.settings, *row.ours, *(one.name for one in _parameters(kind))]
    used = {row.renamed.get(name, name) for name in names}
    # Parameters that the class does not have here.
    used |= {"weight", "bias", "gradWeight", "gradBias"}
    used |= {*row.made, *row.hidden, *row.sizes, *row.labels, *row.one_based}
    used |= {"class", "train", "modules"}
    for name, value in fields.items():
        if name in used or name in WORKSPACE or name.startswith("_"):
            continue
        if is_plain(value) and not attribute_problem(type(made), name, value):
            setattr(made, name, value)


def _says_nil(module: Any) -> bool:
    """Tell whether Torch7 has no gradInput there only where nobody needs it.

    View has none before its first forward, and a container none while its first module has none.
    """
    return bool(module.parameters()[0]) and not module.modules


def _trainer(made: Any, fields: Fields) -> Any:
    for name in ("learningRate", "learningRateDecay", "maxIteration", "shuffleIndices", "verbose"):
        value = fields.get(name)
        if isinstance(value, (bool, int, float)):
            setattr(made, name, value)
    return made


# ---------------------------------------------------------------- writing


def take_apart(module: Any) -> Object:
    """Return the object of Torch7 that says the same, with the fields that its class needs.

    Example
    -------
    >>> import torchlite as nn
    >>> made = take_apart(nn.Max(0))
    >>> made.name, made.fields["dimension"], made.fields["_type"]
    ('nn.Max', 1, 'torch.DoubleTensor')
    """
    if isinstance(module, Kept):
        return module.object
    for name, mine in _registered.items():
        if type(module) is mine.kind:
            return Object(name, mine.take_apart(module))
    kind = type(module)
    if is_array(module):
        raise foreign(module, "")
    if not (classes.is_own(kind) or kind is nn.StochasticGradient):
        known_by = f"t7.register(name, {kind.__name__}) makes it known"
        hint = known_by if isinstance(module, Stateful) else None
        raise RefusalError("", f"{kind.__name__} is not a class that files know", hint)
    if kind.__name__ in OTHERWISE:
        raise RefusalError("", f"Torch7 makes its {kind.__name__} of other modules", _KEPT)
    if kind.__module__.startswith(_NAMESAKES):
        problem = f"Torch7 would take this {kind.__name__} for torch/rnn's"
        raise RefusalError("", problem, _KEPT)
    name = f"{'nngraph' if kind.__name__ in _NNGRAPH else 'nn'}.{kind.__name__}"
    if not isinstance(module, Stateful):
        return Object(name, dict(vars(module)))
    row = ROWS.get(kind.__name__, PLAIN)
    return Object(name, _fields_of(module, row), row.version)


def _fields_of(module: Any, row: Row) -> Fields:
    dtype = module.type()
    state = module.__getstate__()
    for name in row.settings:
        state.setdefault(name, getattr(module, name))
    fields: Fields = {}
    for attribute, value in state.items():
        if attribute.startswith("_") or attribute in row.hidden or value is None:
            continue
        name = row.renamed.get(attribute, attribute)
        value = _to_one(name, _plain(value), row)
        if attribute in row.ours:
            if value == row.ours[attribute]:
                continue
            warnings.warn(
                f"{type(module).__name__}.{attribute} is torchlite's own: Torch7 does without",
                stacklevel=7,
            )
        if name not in row.left_out or value != row.left_out[name]:
            fields[name] = value
            if name in row.one_based and name not in row.from_end and _is_negative(value):
                warnings.warn(
                    f"{type(module).__name__}.{attribute} counts from the end, which it does not "
                    "in Torch7",
                    stacklevel=7,
                )
    for name, value in row.made.items():
        made = value(module, dtype) if callable(value) else value
        if made is not None:
            fields[name] = made
    if isinstance(module, nn.Module):
        fields["_type"] = type_of(dtype)
        fields.setdefault("output", np.zeros(0, dtype))
    else:
        fields.setdefault("output", 0)
    fields.setdefault("gradInput", np.zeros(0, dtype))
    if module.gradInput is None:
        del fields["gradInput"]
        if isinstance(module, nn.Module) and not _says_nil(module):
            fields[_NONE] = ["gradInput"]
    if row.write is not None:
        row.write(module, fields)
    return fields


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.dtype):
        return type_of(value)
    return value.item() if isinstance(value, np.generic) else value


def _is_negative(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_negative, value))
    return isinstance(value, int) and value < 0


def _to_one(name: str, value: Any, row: Row) -> Any:
    """Return a position as Torch7 counts."""
    if name not in row.one_based and name not in row.labels:
        return value
    if isinstance(value, list):
        return [_to_one(name, entry, row) for entry in value]
    if type(value) is int and value >= (-1 if name in row.labels else 0):
        return value + 1
    return value
