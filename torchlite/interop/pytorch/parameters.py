"""Parameters under PyTorch's names: what a state_dict holds, as NumPy's arrays, without PyTorch."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from torchlite import nn
from torchlite.errors import DTypeError, FormatError, fault
from torchlite.interop.pytorch.pairs import Held, arrays_of, biases_added, pair_of
from torchlite.kernels.arrays import Array
from torchlite.nn.checks import FLOATING
from torchlite.serial.parameters import arrays_in

__all__ = ["load_state_dict", "state_dict"]

_Net = TypeVar("_Net", bound=nn.Module)
# Torch7 counts no batches.
_COUNTED = "num_batches_tracked"


def state_dict(net: nn.Module) -> dict[str, Array]:
    """Return the parameters and running statistics of a network as PyTorch has them: copies.

    Names, shapes and the order of entries are those of `to_torch(net).state_dict()`, which also
    counts batches. PyTorch need not be installed.

    Example
    -------
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.SpatialConvolutionMM(3, 4, 5, 5), nn.SpatialBatchNormalization(4))
    >>> for name, array in state_dict(net).items():
    ...     print(name, array.shape)
    0.weight (4, 3, 5, 5)
    0.bias (4,)
    1.weight (4,)
    1.bias (4,)
    1.running_mean (4,)
    1.running_var (4,)
    """
    _must_be_module("state_dict", net)
    return {name: held.values() for name, held in _held(net, "")}


def load_state_dict(
    net: _Net, state: Mapping[str, Any] | str | os.PathLike[str], names: Any = None
) -> _Net:
    """Fill a network with the parameters and running statistics of a state_dict. Return it.

    Parameters
    ----------
    net
        The network, whose arrays are written to.
    state
        Arrays, or PyTorch's tensors, by name; or the path of a safetensors file of them.
    names
        A dict from names there to names here, whole or their first parts: `{"features": "0"}` says
        that "features.3.weight" is "0.3.weight" here, and `{"head": None}` that nothing here is
        what is called "head" there. "" is the network itself: `{"module": ""}`. Without it names
        are the same in both.

    Conventions
    -----------
    Names here are those of `state_dict(net)`. What PyTorch orders otherwise is written in the order
    that it has here; shapes must be the same, but for dimensions of size 1. `num_batches_tracked`
    is ignored. The two biases of an LSTM are added. Of an array with two names one is enough.

    Raises
    ------
    ImportError
        state is a path, and safetensors is not installed.
    FormatError
        Names, shapes or dtypes do not fit: all are named, and nothing has changed. Or the file is
        damaged, or of another kind.
    DTypeError
        net is no module, state neither a dict by names nor a path, or names no dict of names.
    OSError
        The file cannot be read.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> theirs = {"fc.weight": np.ones((1, 2)), "fc.bias": np.zeros(1)}
    >>> net = load_state_dict(nn.Sequential(nn.Linear(2, 1)), theirs, {"fc": "0"})
    >>> net.forward(np.array([1.0, 2.0]))
    array([3.])
    """
    _must_be_module("load_state_dict", net)
    where = "load_state_dict"
    if isinstance(state, (str, os.PathLike)):
        where, state = os.fspath(state), _stored(state)
    elif not _is_named(state):
        expected = "a dict of arrays by names, or a path"
        raise fault(DTypeError, where, "state", expected, type(state).__name__)
    names = {} if names is None else names
    if not (_is_named(names) and all(here is None or type(here) is str for here in names.values())):
        raise fault(DTypeError, "load_state_dict", "names", "a dict of names", repr(names))
    given: dict[str, tuple[str, Any]] = {}
    problems = [
        f"{first}: names has it, and there is no such array in the state"
        for first in names
        if not any(f"{theirs}.".startswith(f"{first}." if first else "") for theirs in state)
    ]
    hint = None
    arrays = biases_added({name: _as_array(value) for name, value in state.items()})
    for theirs, array in arrays.items():
        ours = _renamed(theirs, names)
        if ours is None or theirs.rpartition(".")[2] == _COUNTED:
            continue
        if ours in given:
            problems.append(f"{theirs}: {given[ours][0]} is {ours}, too")
        given[ours] = theirs, array
    held = dict(_held(net, ""))
    places = {ours: _place(one) for ours, one in held.items()}
    # Of several names of an array the first that is given; what others say must be the same.
    first_of = {places[ours]: given[ours] for ours in reversed(held) if ours in given}
    for ours, (parts, shape) in held.items():
        if ours not in given:
            if places[ours] in first_of:
                continue
            problems.append(f"{ours}: there is no such array in the state")
            continue
        theirs, array = given[ours]
        said = theirs if theirs == ours else f"{theirs}, {ours} here"
        dtype = parts[0].dtype
        if _wide(array.shape) != _wide(shape) or array.dtype != dtype:
            problems.append(
                f"{said}: {array.dtype} {array.shape} in the state, {dtype} {shape} in the network"
            )
            if array.dtype != dtype and array.dtype in FLOATING:
                hint = f"net.type('{array.dtype}') before it"
        elif not all(part.flags.writeable for part in parts):
            problems.append(f"{said}: the network's array is read-only")
        else:
            first, values = first_of[places[ours]]
            if not np.array_equal(array.reshape(-1), values.reshape(-1), equal_nan=True):
                problems.append(f"{said}: it is {first}, too, whose numbers are others")
    problems += [
        f"{theirs}: there is no such array in the network"
        for ours, (theirs, _) in given.items()
        if ours not in held
    ]
    if problems:
        message = "\n  ".join([f"{where}: what is there does not fit", *problems])
        raise FormatError(message, hint=hint)
    for ours, (_, array) in given.items():
        held[ours].fill(array)
    return net


def _must_be_module(method: str, net: Any) -> None:
    if not isinstance(net, nn.Module):
        raise fault(DTypeError, method, "net", "a module", type(net).__name__)


def _held(layer: Any, path: str) -> Iterator[tuple[str, Held]]:
    """Yield the arrays of a network, each under its name there."""
    if type(layer) is not nn.Sequential:
        for name, held in arrays_of(layer).items():
            yield path + name, held
    if pair_of(layer) is None:
        for i, inner in enumerate(layer.modules):
            for name, held in _held(inner, f"{path}{i}."):
                # What WeightNorm computes of its parameters is none.
                if not (type(layer) is nn.WeightNorm and name == f"{path}0.weight"):
                    yield name, held


def _place(held: Held) -> tuple[Any, ...]:
    """Return what two have in common only if they are the same entries."""
    starts = (
        part.__array_interface__["data"][0] if isinstance(part, np.ndarray) else id(part)
        for part in held.parts
    )
    return tuple(
        (start, part.shape, part.strides, part.dtype)
        for start, part in zip(starts, held.parts, strict=True)
    )


def _stored(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Return the arrays of a safetensors file."""
    try:
        return arrays_in(path)
    except FormatError:
        with open(path, "rb") as file:
            start = file.read(2)
        if start not in (b"PK", b"\x80\x02"):
            raise
        raise FormatError(
            f"{os.fspath(path)}: it is no safetensors file, but one of torch.save",
            hint="torch.load reads it, and safetensors.torch.save_file saves what is read here",
        ) from None


def _is_named(given: Any) -> bool:
    return isinstance(given, Mapping) and all(type(name) is str for name in given)


def _renamed(name: str, names: Mapping[str, str | None]) -> str | None:
    """Return what a name of the state is called here; None if it is to be left out."""
    parts = name.split(".")
    for n in range(len(parts), -1, -1):
        first = ".".join(parts[:n])
        if first in names:
            here = names[first]
            return None if here is None else ".".join(filter(None, [here, *parts[n:]]))
    return name


def _as_array(value: Any) -> Array:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _wide(shape: tuple[int, ...]) -> list[int]:
    return [n for n in shape if n != 1]
