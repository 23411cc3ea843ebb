"""Faults to break a layer with, by name, and which property of the checker notices each.

A broken layer is the instance alone: its methods are shadowed, so that copies, pickles and files of
it are whole, and nothing is left when it is mended.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from torchlite.errors import SettingError, StateError, fault
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array, is_floating, leaves, map_arrays, shapes
from torchlite.nn.stateful import parts, shadowed
from torchlite.testing import ContractViolation, check_module

__all__ = ["FAULTS", "Fault", "broken", "catalogue", "clone", "notices", "put"]


class Fault(NamedTuple):
    """Something that people get wrong.

    Attributes
    ----------
    name, words
        What it is called, and what it does, in a sentence.
    property
        The property of the checker that notices it.
    methods
        What stands in the place of methods of the layer: of each its name, and a function of the
        layer, its own method and the arguments.
    fits
        Whether it makes a difference to a layer, and is not what the layer is for.
    whole
        It is of the loop that trains: it is put on the whole network.
    unseen
        What a check cannot see, in a sentence, where there is something.
    """

    name: str
    words: str
    property: str
    methods: dict[str, Callable[..., Any]]
    fits: Callable[[Module], bool]
    whole: bool = False
    unseen: str = ""


def catalogue(layer: Module, whole: bool = False) -> list[dict[str, str]]:
    """Return the name and the words of every fault that can be put on a layer.

    whole says that it is the network itself: of the loop that trains it are faults of their own.

    Example
    -------
    >>> from torchlite import nn
    >>> [fault["name"] for fault in catalogue(nn.Tanh())]
    ['wrong sign', 'no derivative', 'late input', 'in place', 'one buffer']
    """
    return [
        {"name": each.name, "words": each.words}
        for each in FAULTS.values()
        if (whole or not each.whole) and each.fits(layer)
    ]


def broken(layer: Module) -> str | None:
    """Return the name of the fault that a layer is broken by, or None."""
    held = vars(layer).get(_BROKEN)
    return None if held is None else str(held[0])


def put(layer: Module, name: str | None) -> None:
    """Break a layer by a fault, in the place of one that it may have; None mends it.

    Raises
    ------
    SettingError
        There is no fault of this name, or none for this layer.
    StateError
        The layer is being recorded, or its methods are shadowed by others.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import nn
    >>> layer = nn.ReLU()
    >>> x, gradOutput = np.array([1.0, -1.0]), np.array([2.0, 2.0])
    >>> put(layer, "wrong sign")
    >>> layer.backward(x, gradOutput), layer.clone().backward(x, gradOutput)
    (array([-2., -0.]), array([2., 0.]))
    >>> put(layer, None)
    >>> layer.backward(x, gradOutput)
    array([2., 0.])
    """
    found = None if name is None else _found(layer, name)
    _, stack, outermost = vars(layer).get(_BROKEN, (None, ExitStack(), None))
    if vars(layer).get("__getstate__") is not outermost:
        raise StateError(f"put: {checks.title(layer)} is being recorded", layer=layer)
    stack.close()
    if found is not None:
        methods: dict[str, Any] = {
            method: partial(wrong, layer, getattr(layer, method))
            for method, wrong in found.methods.items()
        }
        methods |= {_KEPT: None, _BROKEN: None}
        stack.enter_context(shadowed([(layer, methods)]))
        vars(layer)[_BROKEN] = found.name, stack, vars(layer)["__getstate__"]


def clone(net: Module) -> Module:
    """Return a copy of a network in which the same layers are broken.

    Example
    -------
    >>> from torchlite import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> put(net[1], "wrong sign")
    >>> broken(clone(net)[1]), broken(net.clone()[1])
    ('wrong sign', None)
    """
    made = net.clone()
    for old, new in zip(net.listModules(), made.listModules(), strict=True):
        put(new, broken(old))
    return made


def notices(
    layer: Module, name: str, input: Any, gradOutput: Any = None
) -> list[dict[str, str | None]]:
    """Return which property of the checker notices a fault, and what it says.

    A copy of the layer is checked: whether the fault's property holds, and if it does, whether all
    do. Where no check sees the fault, the property is None, and the words say why. The random
    stream is in use meanwhile: nothing else may draw from it.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import nn
    >>> (found,) = notices(nn.Linear(3, 2), "scale ignored", np.ones((4, 3)))
    >>> found["property"]
    'scale'
    >>> print(found["says"].splitlines()[2])
      pattern: got = what scale 1 gives, not 0 -> scale ignored?
    """
    found = _found(layer, name)
    said: list[dict[str, str | None]] = []
    try:
        for only in (found.property, None):
            check_module(_by_class(layer, found), input, gradOutput=gradOutput, only=only)
    except ContractViolation as violation:
        said.append({"property": violation.property, "says": str(violation)})
    else:
        said.append({"property": None, "says": "Nothing: here it makes no difference."})
    return said + ([{"property": None, "says": found.unseen}] if found.unseen else [])


def _found(layer: Module, name: str) -> Fault:
    found = FAULTS.get(name)
    if found is None or not found.fits(layer):
        known = [each["name"] for each in catalogue(layer, whole=True)]
        expected = "one of " + ", ".join(map(repr, known)) if known else "none"
        raise fault(SettingError, checks.title(layer), "the fault", expected, repr(name))
    return found


def _by_class(layer: Module, found: Fault) -> Module:
    """Return a copy of a layer that is broken by its class, as one is that somebody wrote so."""
    own = type(layer)

    def method(name: str, wrong: Callable[..., Any]) -> Callable[..., Any]:
        def broken_method(self: Any, *positional: Any, **named: Any) -> Any:
            return wrong(self, partial(getattr(own, name), self), *positional, **named)

        return broken_method

    methods = {name: method(name, wrong) for name, wrong in found.methods.items()}
    made, kind = layer.clone(), cast(Any, type(own))
    held = {"__module__": own.__module__, "__doc__": own.__doc__, "transient": (_KEPT,)}
    made.__class__ = kind(own.__name__, (own,), {**methods, **held, _KEPT: None})
    return made


# ---------------------------------------------------------------- what is done wrong

# What some broken layers keep of earlier calls, and by what they are broken.
_KEPT, _BROKEN = "_kept_by_fault", "_broken"


def _alike(one: Any, other: Any) -> bool:
    """Tell whether two tables have the same structure, shapes and dtypes."""

    def kinds(table: Any) -> list[Any]:
        return [getattr(array, "dtype", None) for array in leaves(table)]

    return shapes(one) == shapes(other) and kinds(one) == kinds(other)


def _write(table: Any, into: Any) -> None:
    for array, target in zip(leaves(table), leaves(into), strict=True):
        target[...] = array


def _negated(part: Any, original: Any, input: Any, gradOutput: Any) -> Any:
    def negated(array: Array) -> Array:
        return -array if is_floating(array) else array

    part.gradInput = map_arrays(negated, original(input, gradOutput))
    return part.gradInput


def _passed_on(part: Any, original: Any, input: Any, gradOutput: Any) -> Any:
    gradInput = original(input, gradOutput)
    if shapes(gradInput) == shapes(gradOutput):
        part.gradInput = copy_arrays(gradOutput)
    return part.gradInput


def _transposed(part: Any, original: Any, input: Any, gradOutput: Any) -> Any:
    weight = part.weight
    part.weight = weight.T.reshape(weight.shape)
    try:
        return original(input, gradOutput)
    finally:
        part.weight = weight


def _only_first(part: Any, original: Any, input: Any, gradOutput: Any, scale: Any = 1) -> None:
    def first(array: Array) -> Array:
        kept = np.zeros_like(array)
        kept[:1] = array[:1]
        return kept

    original(input, map_arrays(first, gradOutput), scale)


def _bias_times(factor: Callable[[Array, Any], Any]) -> Callable[..., None]:
    """Add something else than the increment to gradBias: factor of the increment and the input."""

    def accGradParameters(
        part: Any, original: Any, input: Any, gradOutput: Any, scale: Any = 1
    ) -> None:
        before = part.gradBias.copy()
        original(input, gradOutput, scale)
        part.gradBias[...] = before + factor(part.gradBias - before, input)

    return accGradParameters


def _unscaled(part: Any, original: Any, input: Any, gradOutput: Any, scale: Any = 1) -> None:
    original(input, gradOutput)


def _overwriting(part: Any, original: Any, input: Any, gradOutput: Any, scale: Any = 1) -> None:
    for gradient in part.parameters()[1]:
        gradient.fill(0)
    original(input, gradOutput, scale)


def _keeping(part: Any, original: Any, input: Any) -> Any:
    before = getattr(part, _KEPT)
    setattr(part, _KEPT, (input if before is None else before[1], input))
    return original(input)


def _late(part: Any, original: Any, input: Any, *rest: Any, **named: Any) -> Any:
    kept = getattr(part, _KEPT)
    return original(kept[0] if kept and _alike(kept[0], input) else input, *rest, **named)


def _in_place(part: Any, original: Any, input: Any) -> Any:
    output = original(input)
    if _alike(output, input):
        _write(output, input)
    return output


def _one_buffer(part: Any, original: Any, input: Any) -> Any:
    output, buffer = original(input), getattr(part, _KEPT)
    if buffer is None or not _alike(buffer, output):
        buffer = copy_arrays(output)
        setattr(part, _KEPT, buffer)
    _write(output, buffer)
    part.output = buffer
    return buffer


def _not_at_all(part: Any, original: Any) -> Any:
    return part


def _at_rate_1(part: Any, original: Any, learningRate: Any) -> Any:
    return original(1)


def _uphill(part: Any, original: Any, learningRate: Any) -> Any:
    return original(-learningRate)


# ---------------------------------------------------------------- to which layers it can be done


# Their gradInput is zeros, whatever comes.
_FLAT = {"ArgMax", "Constant", "LookupTable", "OneHot"}
# Their backward asks for nothing but the shape of the input.
_STRAIGHT = {"Add", "AddConstant", "CAdd", "MulConstant", "SAdd"}
# Their derivative is 1.
_SHIFTS = {"AddConstant", "SAdd"}
# Their outputs have another shape than their inputs.
_FOLDS = {"CReLU", "GatedLinearUnit"}


def _is_one_of(part: Module, names: set[str]) -> bool:
    return any(base.__name__ in names for base in type(part).__mro__)


def _is_layer(part: Module) -> bool:
    return len(parts(part)) == 1 and "gradInput" not in part.exempt


def _has_gradient(part: Module) -> bool:
    return _is_layer(part) and not _is_one_of(part, _FLAT)


def _is_function(part: Module) -> bool:
    """Tell whether each entry of the output is a function of the input: of a user's, it may be."""
    where = {base.__module__.rpartition(".")[0] for base in type(part).__mro__}
    transfers = "torchlite.nn.transfer" in where and not _is_one_of(part, _FOLDS)
    own = not type(part).__module__.startswith("torchlite.") and not part.parameters()[0]
    return _is_layer(part) and (transfers or own)


def _has_parameters(part: Module) -> bool:
    return _has_gradient(part) and bool(part.parameters()[0])


def _has_matrix(part: Module) -> bool:
    weight = part.weight
    matrix = is_array(weight) and weight.ndim == 2 and min(weight.shape) > 1
    return bool(matrix and _has_gradient(part) and not part.remembers)


def _has_bias(part: Module) -> bool:
    return _is_layer(part) and is_array(part.gradBias) and part.gradBias.size > 1


def _uses_input(part: Module) -> bool:
    able = _has_gradient(part) and (_has_parameters(part) or _is_function(part))
    return able and not part.remembers and not _is_one_of(part, _STRAIGHT)


def _bends(part: Module) -> bool:
    return _is_function(part) and not _is_one_of(part, _SHIFTS)


def _trains(part: Module) -> bool:
    return bool(part.parameters()[0])


_OF_UPDATES = (
    "check_network sees nothing of it: the gradients are right. Optimizers that write to the "
    "parameters themselves do not call updateParameters."
)
FAULTS = {
    each.name: each
    for each in (
        Fault(
            "wrong sign",
            "gradInput has the wrong sign: everything before it climbs.",
            "gradInput",
            {"updateGradInput": _negated},
            _has_gradient,
        ),
        Fault(
            "no derivative",
            "gradInput is gradOutput: the derivative of the function is missing.",
            "gradInput",
            {"updateGradInput": _passed_on},
            _bends,
        ),
        Fault(
            "transposed weight",
            "gradInput is made with the weight read column by column.",
            "gradInput",
            {"updateGradInput": _transposed},
            _has_matrix,
        ),
        Fault(
            "first sample only",
            "The gradients of the parameters are those of the first sample of a batch.",
            "gradParameters",
            {"accGradParameters": _only_first},
            _has_parameters,
        ),
        Fault(
            "bias averaged",
            "gradBias is the mean over the batch where it must be the sum.",
            "gradParameters",
            {"accGradParameters": _bias_times(lambda increment, input: increment / len(input))},
            _has_bias,
        ),
        Fault(
            "bias summed over everything",
            "Every entry of gradBias is the sum of all of them.",
            "gradParameters",
            {"accGradParameters": _bias_times(lambda increment, input: increment.sum())},
            _has_bias,
        ),
        Fault(
            "scale ignored",
            "accGradParameters adds the gradients themselves, whatever scale is.",
            "scale",
            {"accGradParameters": _unscaled},
            _has_parameters,
        ),
        Fault(
            "overwrites",
            "accGradParameters writes over the gradients where it must add to them.",
            "accumulate",
            {"accGradParameters": _overwriting},
            _has_parameters,
        ),
        Fault(
            "late input",
            "The backward takes the input of the forward before.",
            "repeat",
            {"updateOutput": _keeping, "updateGradInput": _late, "accGradParameters": _late},
            _uses_input,
        ),
        Fault(
            "in place",
            "The output is written over the input, which the backward still needs.",
            "mutation",
            {"updateOutput": _in_place},
            _is_function,
        ),
        Fault(
            "one buffer",
            "Every output is written into the same array: the one before is gone.",
            "aliasing",
            {"updateOutput": _one_buffer},
            _has_gradient,
        ),
        Fault(
            "no zeroing",
            "Gradients of all steps add up: zeroGradParameters does nothing.",
            "zero",
            {"zeroGradParameters": _not_at_all},
            _trains,
            whole=True,
            unseen="A loop that forgets to call it breaks no layer: no property sees it, nor does "
            "check_network, for the gradient of each single backward is right.",
        ),
        Fault(
            "no learning rate",
            "updateParameters subtracts the gradients themselves.",
            "update",
            {"updateParameters": _at_rate_1},
            _trains,
            whole=True,
            unseen=_OF_UPDATES,
        ),
        Fault(
            "uphill",
            "updateParameters adds where it must subtract.",
            "update",
            {"updateParameters": _uphill},
            _trains,
            whole=True,
            unseen=_OF_UPDATES,
        ),
    )
}
