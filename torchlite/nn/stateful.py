"""What modules and criterions share: a dtype, copies of themselves, forgetting."""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from gc import get_referents
from types import MemberDescriptorType
from typing import Any, ClassVar, Self, final, overload

import numpy as np

from torchlite.elsewhere import METHODS, Absent
from torchlite.errors import DTypeError, SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.views import contiguous
from torchlite.nn import checks
from torchlite.nn.nested import EMPTY, is_array
from torchlite.nn.ties import copies, ties_of


class Stateful:
    """The base of Module and Criterion.

    What a call leaves behind is held in the attributes named in `transient`. Their empty values
    stand on the class: to forget one is to delete it from the instance. An attribute that refers
    to a part standing elsewhere is named in `refers`. A class adds its names to its bases'. What
    the checker is not to ask, and why, stands in `exempt`.
    """

    transient: ClassVar[tuple[str, ...]] = ("output", "gradInput", "diagHessianInput")
    refers: ClassVar[tuple[str, ...]] = ()
    exempt: ClassVar[Any] = {}
    # The attributes that a cast does not reach.
    _uncast: Any = ()
    # What of transient is the same whatever was forwarded.
    _caches: Any = ()
    _dtype: Any = np.dtype("float64")
    # Whether input names the entries that are not zero, so that gradInput is not by the arrays'
    # own entries.
    _sparse = False

    output: Any = EMPTY
    gradInput: Any = EMPTY
    # What nn.hessian leaves behind.
    diagHessianInput: Any = EMPTY

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for names in ("transient", "refers"):
            inherited = [name for base in cls.__bases__ for name in getattr(base, names, ())]
            setattr(cls, names, tuple(dict.fromkeys([*inherited, *getattr(cls, names)])))
        lost = [name for base in cls.__mro__ for name in _slots(base)]
        if lost:
            raise SettingError(
                f"{cls.__name__}: what stands in __slots__ gets lost in copies, casts and files, "
                f"got {', '.join(lost)}",
                argument="__slots__",
                hint="leave __slots__ out: each module has a __dict__, so it saves nothing",
            )
        for name in vars(cls):
            method: Any = getattr(super(cls, cls), name, None)
            if getattr(method, "__final__", False):
                raise SettingError(
                    f"{cls.__name__}: {method.__qualname__} is torchlite's own",
                    argument=name,
                    hint=f"call it something else than {name}",
                )

    def clearState(self) -> Self:
        """Forget results and memories of earlier calls (gradInput = None stays). Return self."""
        for part in parts(self):
            for name in part.transient:
                if _own(part, name) is not None:
                    delattr(part, name)
        return self

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Tell all parts that mask which steps of which samples do not count. Return self.

        zeroMask is True, or 1, there: (T, N), by step and sample, or (N,) for what takes one step.
        It holds until another is set, False for none.

        Raises
        ------
        ShapeError, DTypeError, SettingError
            zeroMask is no mask.
        """
        zeroMask = checks.mask(self, zeroMask)
        for _, part in inside(self):
            part.setZeroMask(zeroMask)
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

    def __copy__(self) -> Self:
        made: Self = _with_state(type(self).__new__(type(self)), self.__getstate__())
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # All parts are made before one is filled: that takes no recursion, however deep they are
        # nested, and arrays that are views of one another are copied together.
        inside = parts(self)
        made = [part for part in inside if part is not self and id(part) in memo]
        reduced = [
            (part, *_reduced(part))
            for part in inside
            if part is self
            or (id(part) not in memo and type(part).__deepcopy__ is Stateful.__deepcopy__)
        ]
        arrays = [array for *_, state in reduced for _, array in arrays_in(state)]
        fresh = [array for array in arrays if id(array) not in memo]
        memo.update(copies(fresh, copy.deepcopy))
        if made or len(fresh) < len(arrays):
            _tie_what_was_copied(arrays, made, memo)
        for part, make, arguments, _ in reduced:
            memo[id(part)] = make(*copy.deepcopy(arguments, memo))
        for part, _, _, state in reduced:
            _with_state(memo[id(part)], copy.deepcopy(state, memo))
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Pickle takes views for arrays of their own: after loading, what was tied is tied again.
        reduced: Any = super().__reduce_ex__(protocol)
        if isinstance(reduced, str) or len(reduced) < 3 or any(reduced[3:]):
            # A __reduce__ of its own knows how to make it.
            return reduced
        ties = _ties(self)
        if not ties:
            return reduced
        make, arguments, state, *_ = reduced
        return make, arguments, (state, ties), None, None, _tied_again

    @final
    def _left_behind(self) -> list[str]:
        return [name for name in self.transient if vars(self).get(name) is not None]

    def _held_dtype(self) -> np.dtype[Any]:
        return self._dtype

    def _retyped(self, dtype: Any) -> list[tuple[Any, Any, Any]]:
        """Return what a cast is to `put`, beside the arrays."""
        return [(self, "_dtype", dtype)]

    def cuda(self) -> Self:
        """Move every array to the GPU, through CuPy. Return self.

        Arrays shared before are shared after, and views of one another stay views; the dtype stays.
        Results and memories of earlier calls are forgotten, and the arrays are others: after
        `getParameters` call it again. Inputs must be CuPy's from then on, and outputs are.
        Nobody has tried it on a GPU yet: the tests run every layer on a stand-in.

        Raises
        ------
        ImportError
            CuPy is not installed.
        StateError
            It finds no GPU.
        """
        # A way up: whoever stays on the host knows nothing of it.
        from torchlite.interop import cupy

        cupy.cuda(self)
        return self

    def cpu(self) -> Self:
        """Move every array back from the GPU, as `cuda` moves it there. Return self."""
        from torchlite.interop import cupy

        cupy.cpu(self)
        return self

    def double(self) -> Self:
        """Cast to float64. Return self."""
        cast(self, "float64")
        return self

    # These two stand last: in the class body below them, their names no longer mean the built-ins.

    def float(self) -> Self:
        """Cast to float32. Return self."""
        cast(self, "float32")
        return self

    @overload
    def type(self, dtype: None = None) -> np.dtype[Any]: ...

    @overload
    def type(self, dtype: Any) -> Self: ...

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


def inside(part: Stateful, casting: bool = False) -> Iterator[tuple[str, Stateful]]:
    """Yield what stands directly in a part and how it is reached from there: "[0]", ".encoder".

    First its `modules` (or `criterions`), then what other attributes, and lists, tuples and dicts
    in them, hold. What an attribute only refers to stands elsewhere. casting leaves out what a
    cast does not reach.
    """
    if not any(isinstance(value, (Stateful, list, tuple, dict)) for value in get_referents(part)):
        return
    held = attributes(part)
    apart = {*part.refers, *part.transient, *(part._uncast if casting else ())}
    for name in ("modules", "criterions"):
        if name in held and name not in apart:
            yield from _standing(held[name], "")
    for name, value in held.items():
        if not isinstance(value, (Stateful, list, tuple, dict)) or name in apart:
            continue
        if name not in ("modules", "criterions"):
            yield from _standing(value, f".{name}")


def _standing(
    value: Any, step: str, around: tuple[int, ...] = ()
) -> Iterator[tuple[str, Stateful]]:
    if isinstance(value, Stateful):
        yield step, value
    # A list may stand inside itself, and a tree of dicts know its parents.
    elif isinstance(value, (list, tuple, dict)) and id(value) not in around:
        around = (*around, id(value))
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(entry, Stateful):
                yield f"{step}[{key!r}]", entry
            elif isinstance(entry, (list, tuple, dict)):
                yield from _standing(entry, f"{step}[{key!r}]", around)


def parts(held: Any, casting: bool = False) -> list[Stateful]:
    """Return everything stateful that is held somewhere inside, each once, outer ones first.

    casting leaves out what a cast does not reach.
    """
    found: dict[int, Stateful] = {}
    waiting = [part for _, part in _standing(held, "")][::-1]
    while waiting:
        part = waiting.pop()
        if id(part) not in found:
            found[id(part)] = part
            waiting += [inner for _, inner in inside(part, casting)][::-1]
    return list(found.values())


# ---------------------------------------------------------------- what a part holds itself

_NOTHING = object()
# Where most parts hold all that is no setting and not transient.
_USUAL = ("weight", "bias", "gradWeight", "gradBias", "modules", "_flat_arrays")


def attributes(part: Stateful) -> dict[str, Any]:
    """Return by name the arrays, tables and parts that a part holds: all of `vars(part)`, or less.

    On Python 3.11 and 3.12, to look into vars makes attributes slower from then on: a step of a
    small network takes 4 to 9 % longer. So that is not done where the usual names are all.
    """
    referents = get_referents(part)
    # Where they have been looked into, as a copy's have, they are what it refers to.
    if any(type(value) is dict for value in referents):
        return vars(part)
    names = (*_USUAL, *part.transient)
    of_class = [getattr(type(part), name, None) for name in names]
    # What its class holds the part may hold as well; what is transient is not kept.
    if any(map(_is_filled, of_class[: len(_USUAL)])):
        return vars(part)
    held = {name: value for name in names if _is_looked_for(value := _own(part, name))}
    empty = set(map(id, of_class))
    values = (value for value in referents if id(value) not in empty)
    found = sorted(map(id, filter(_is_looked_for, values)))
    return held if found == sorted(map(id, held.values())) else vars(part)


def _is_looked_for(value: Any) -> bool:
    return isinstance(value, (Stateful, list, tuple, dict)) or is_array(value)


def _is_filled(value: Any) -> bool:
    if is_array(value):
        return value.size > 0
    return isinstance(value, Stateful) or (isinstance(value, (list, tuple, dict)) and bool(value))


def _own(part: Stateful, name: str) -> Any:
    """Return what a part holds by a name, or None, as where its class holds the same."""
    if _in_vars_alone(part, name):
        return vars(part).get(name)
    value = getattr(part, name)
    return None if value is getattr(type(part), name) else value


def _in_vars_alone(part: Stateful, name: str) -> bool:
    """Tell whether it takes vars to find what a part holds by a name: beneath a property, say."""
    of_class = getattr(type(part), name, _NOTHING)
    return of_class is _NOTHING or hasattr(of_class, "__get__")


# ---------------------------------------------------------------- arrays in their places


def put(changes: list[tuple[Any, Any, Any]]) -> None:
    """Do `holder[key] = value` for all (holder, key, value), or, if that is broken off, for none.

    Of a part, it is the attribute of this name: a property that can be set.
    """
    before = [(holder, key, _got(holder, key)) for holder, key, _ in changes]
    try:
        for holder, key, value in changes:
            _set(holder, key, value)
    except BaseException:
        for holder, key, value in before:
            _set(holder, key, value)
        raise


def _got(holder: Any, key: Any) -> Any:
    if isinstance(holder, Stateful):
        value = getattr(holder, key)
        return _NOTHING if value is getattr(type(holder), key) else value
    return holder.get(key, _NOTHING) if isinstance(holder, dict) else holder[key]


def _set(holder: Any, key: Any, value: Any) -> None:
    if value is _NOTHING:
        (vars(holder) if isinstance(holder, Stateful) else holder).pop(key, None)
    elif isinstance(holder, Stateful):
        setattr(holder, key, value)
    else:
        holder[key] = value


@contextmanager
def kept(held: Any, *names: str) -> Iterator[None]:
    """Put the attributes of all parts back to what they were if the with block raises."""
    before = [
        (vars(part), name, vars(part).get(name, _NOTHING)) for part in parts(held) for name in names
    ]
    try:
        yield
    except BaseException:
        for holder, name, value in before:
            _set(holder, name, value)
        raise


@contextmanager
def restored(arrays: Iterable[Array]) -> Iterator[None]:
    """Put the arrays back to what they were if the with block raises."""
    before = [(array, array.copy()) for array in arrays]
    try:
        yield
    except BaseException:
        for array, values in before:
            array[...] = values
        raise


def rebind(layer: Stateful, change: Callable[[Array], Array], casting: bool = False) -> None:
    """Put change(array) in the place of every array that the layer or a part of it holds."""
    put(_changes(layer, change, casting))


def _changes(
    layer: Stateful, change: Callable[[Array], Array], casting: bool
) -> list[tuple[Any, Any, Any]]:
    """Return what `put` is to do. Nothing is changed before all is ready to be put in place."""
    changes: list[tuple[Any, Any, Any]] = []
    for part in parts(layer, casting):
        apart = part._uncast if casting else ()
        for name, value in attributes(part).items():
            if name not in apart:
                holder = vars(part) if _in_vars_alone(part, name) else part
                _change(holder, name, value, change, changes)
    return changes


def _change(
    holder: Any,
    key: Any,
    value: Any,
    change: Callable[[Array], Array],
    changes: list[Any],
    around: tuple[int, ...] = (),
) -> None:
    if is_array(value):
        changed = change(value)
        if changed is not value:
            changes.append((holder, key, changed))
    elif id(value) in around:
        return
    elif isinstance(value, (list, dict)):
        around = (*around, id(value))
        for inner, entry in value.items() if isinstance(value, dict) else enumerate(value):
            _change(value, inner, entry, change, changes, around)
    elif type(value) is tuple:
        entries = list(value)
        rows: list[tuple[Any, Any, Any]] = []
        for i, entry in enumerate(value):
            _change(entries, i, entry, change, rows, (*around, id(value)))
        changes += [row for row in rows if row[0] is not entries]
        put([row for row in rows if row[0] is entries])
        if any(entry is not old for entry, old in zip(entries, value, strict=True)):
            changes.append((holder, key, tuple(entries)))


def arrays_in(
    value: Any, keys: tuple[Any, ...] = (), around: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Array]]:
    """Yield the arrays in a value, and in lists, tuples and dicts in it, with the keys to them."""
    if is_array(value):
        yield keys, value
    elif isinstance(value, (list, tuple, dict)) and id(value) not in around:
        around = (*around, id(value))
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from arrays_in(entry, (*keys, key), around)


# ---------------------------------------------------------------- methods that others shadow


@contextmanager
def shadowed(shadows: Iterable[tuple[Stateful, dict[str, Callable[..., Any]]]]) -> Iterator[None]:
    """For each (part, methods) let the methods stand before the part's own inside a with block.

    What is copied or saved meanwhile is ordinary: it has its own methods.

    Example
    -------
    >>> import torchlite as nn
    >>> layer = nn.Identity()
    >>> with shadowed([(layer, {"updateOutput": lambda input: "a shadow"})]):
    ...     layer.forward("input"), "updateOutput" in vars(layer.clone())
    ('a shadow', False)
    """
    before: list[tuple[dict[str, Any], dict[str, Any]]] = []
    try:
        for part, methods in shadows:
            state = _Unshadowed(part, methods)
            before.append((vars(part), state.hidden))
            vars(part).update(methods, __getstate__=state)
        yield
    finally:
        for held, hidden in reversed(before):
            for name, own in hidden.items():
                _set(held, name, own)


class _Unshadowed:
    """The __getstate__ of a part whose methods are shadowed: what the part holds without that."""

    def __init__(self, part: Stateful, methods: Iterable[str]) -> None:
        held = vars(part)
        self.hidden = {name: held.get(name, _NOTHING) for name in (*methods, "__getstate__")}
        self.original: Callable[[], Any] = part.__getstate__
        self.own: dict[str, Any] = self.hidden
        around: Any = self.hidden["__getstate__"]
        if isinstance(around, _Unshadowed):
            # Shadowed already: what stood there before both is the part's own.
            self.original, self.own = around.original, self.hidden | around.own

    def __call__(self) -> Any:
        state: Any = self.original()
        if isinstance(state, dict):
            state = {name: self.own.get(name, value) for name, value in state.items()}
            state = {name: value for name, value in state.items() if value is not _NOTHING}
        return state


# ---------------------------------------------------------------- copies


def _slots(kind: Any) -> list[str]:
    """Return the names of a class's own slots, but for those that are to be lost."""
    if "__slots__" not in vars(kind):
        return []
    return [
        name
        for name, value in vars(kind).items()
        if isinstance(value, MemberDescriptorType) and name not in ("_holders", "_noted")
    ]


def _reduced(part: Stateful) -> tuple[Any, Any, Any]:
    """Return how pickle makes a part, from what, and its state."""
    own = type(part).__reduce_ex__ is not Stateful.__reduce_ex__
    reduced: Any = part.__reduce_ex__(4) if own else object.__reduce_ex__(part, 4)
    if isinstance(reduced, str):
        # A global: there is one of it.
        return lambda: part, (), None
    make, arguments, *rest = reduced
    return make, arguments, rest[0] if rest else None


def _with_state(part: Any, state: Any) -> Any:
    """Return a new part, after giving it its state, as pickle does."""
    if hasattr(part, "__setstate__"):
        part.__setstate__(state)
    elif state is not None:
        vars(part).update(state)
    return part


def _carried(part: Stateful) -> Iterator[tuple[tuple[Any, ...], Array]]:
    """Yield the arrays of a part that copies carry, with the keys to them among its attributes."""
    left_behind = part._left_behind()
    return arrays_in({name: held for name, held in vars(part).items() if name not in left_behind})


def _ties(part: Stateful) -> list[tuple[Any, Any, Any]]:
    """Return what `_tied_again` needs to know of a part: all that refers to arrays is slots."""
    slots: dict[int, list[tuple[Any, Any]]] = {}
    arrays = {}
    for inner in parts(part):
        for keys, array in _carried(inner):
            slots.setdefault(id(array), []).append((inner, keys))
            arrays[id(array)] = array
    return [
        (
            cover.axes,
            slots[id(cover.pair[0])],
            [(where, slots[id(pair[0])]) for pair, where in cover.tied],
        )
        for cover in ties_of(list(arrays.values()))
    ]


def _tied_again(part: Any, kept: Any) -> None:
    """Give a part its state, and make views what were views."""
    state, ties = kept
    _with_state(part, state)
    moved: dict[int, Any] = {}
    for axes, slots, tied in ties:
        for whole in _standing_in(slots):
            memory = contiguous(whole.transpose(axes))
            moved[id(whole)] = memory.transpose(np.argsort(axes).tolist())
            for where, others in tied:
                for array in _standing_in(others):
                    moved[id(array)] = where.view(memory.reshape(-1))
            break
    rebind(part, lambda array: moved.get(id(array), array))


def _standing_in(slots: list[tuple[Any, Any]]) -> Iterator[Array]:
    """Yield the arrays that stand in slots; a `__setstate__` may have left some out."""
    for part, keys in slots:
        held: Any = vars(part)
        with suppress(LookupError, TypeError):
            for key in keys:
                held = held[key]
            if is_array(held):
                yield held


def _tie_what_was_copied(held: list[Array], before: list[Stateful], memo: dict[int, Any]) -> None:
    """Make views of one memory what was copied apart: first some, now what is tied to it.

    held are the arrays of the parts that are being copied, before the parts that were already.
    """
    arrays = {id(array): array for part in before for _, array in _carried(part)}
    arrays.update({id(array): array for array in held})
    moved: dict[int, tuple[Any, Any]] = {}
    for cover in ties_of(list(arrays.values())):
        made = memo.get(id(cover.pair[0]))
        others = [memo.get(id(pair[0])) for pair, _ in cover.tied]
        # What shares memory was copied together, or is no copy.
        if made is None or all(one is None or np.shares_memory(made, one) for one in others):
            continue
        for key, view in cover.moved(0, contiguous(made.transpose(cover.axes))).items():
            if key in memo:
                moved[id(memo[key])] = memo[key], view
                memo[key] = view
    for part in before if moved else ():
        rebind(memo[id(part)], lambda array: moved.get(id(array), (None, array))[1])


# ---------------------------------------------------------------- moving and casting


def move(layer: Stateful, leaves: Callable[[Array], bool], to: Callable[[Array], Array]) -> None:
    """Put to(array) in the place of every array that leaves, in the layer and its parts.

    Shared arrays stay shared, and views of one another views.
    """
    layer.clearState()
    arrays = [array for part in parts(layer) for _, array in arrays_in(vars(part))]
    made = copies(list(filter(leaves, arrays)), to)
    rebind(layer, lambda array: made.get(id(array), array))


def cast(layer: Stateful, dtype: Any) -> None:
    """Cast every floating array of the layer and its parts, shared ones to one; or raise."""
    wanted = checks.dtype_meant(dtype)
    if wanted not in checks.FLOATING:
        got = str(dtype if wanted is None else wanted)
        raise checks.mistyped(layer, "type", "dtype", checks.FLOATING_NAMES, got)

    reached = parts(layer, casting=True)
    arrays = [
        array
        for part in reached
        for name, value in attributes(part).items()
        if name not in part.transient and name not in part._uncast
        for _, array in arrays_in(value)
        # Those of another byte order, too.
        if array.dtype.newbyteorder("=") in checks.FLOATING and array.dtype != wanted
    ]
    for array in arrays:
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
    made = copies(arrays, lambda array: array.astype(wanted))
    layer.clearState()
    changes = _changes(layer, lambda array: made.get(id(array), array), casting=True)
    put([*changes, *(change for part in reached for change in part._retyped(wanted))])
