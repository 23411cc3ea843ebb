"""The numbers of a network alone, as safetensors: for other programs and languages."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.nested import same
from torchlite.nn.stateful import Stateful
from torchlite.serial import npy
from torchlite.serial.archive import broken
from torchlite.serial.atomic import Path, replacing
from torchlite.serial.describe import Description, refusal
from torchlite.serial.networks import must_be_stateful
from torchlite.serial.values import RefusalError

__all__ = ["arrays_in", "load_parameters", "save_parameters"]

_Net = TypeVar("_Net", bound=Stateful)

# 0.8.0 writes arrays that are not contiguous wrongly, without an error.
_INSTALL = "pip install 'safetensors!=0.8.0'"
_LONGEST_HEADER = 2**22
_KINDS = {
    "BOOL": "bool", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64", "U8": "uint8",
    "U16": "uint16", "U32": "uint32", "U64": "uint64", "F16": "float16", "F32": "float32",
    "F64": "float64",
}  # fmt: skip


def save_parameters(path: Path, net: Stateful) -> None:
    """Save the arrays of a network, gradients left out, as a safetensors file.

    Parameters
    ----------
    path
        Where to; what is there is replaced once all is written.
    net
        A module or criterion.

    Conventions
    -----------
    An array is named by its path: that of `net[0].weight` is "0.weight", as in PyTorch. Running
    statistics are among them; an array that is shared, or a view of another, is there once.
    Settings, and the network itself, are not in the file.

    Raises
    ------
    ImportError
        safetensors is not installed.
    DTypeError
        net holds complex arrays, which the format does not know, or what no file can hold.
    OSError
        Writing failed. The file is what it was.

    Example
    -------
    >>> import os, tempfile
    >>> import torchlite as nn
    >>> net, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.safetensors")
    ...     save_parameters(path, net)
    ...     _ = load_parameters(path, other)
    >>> (net.weight == other.weight).all()
    np.True_
    """
    must_be_stateful("save_parameters", "net", net)
    safetensors = _safetensors()
    try:
        arrays = Description(net, "", False).arrays
        for name, array in arrays.items():
            if array.dtype.name not in _KINDS.values():
                raise RefusalError(name, f"{array.dtype} is not in the format of safetensors")
    except RefusalError as error:
        raise refusal("save_parameters", error) from None
    whole = {name: np.array(array, order="C") for name, array in arrays.items()}
    with replacing(path) as file:
        file.write(safetensors.numpy.save(whole))


def load_parameters(path: Path, net: _Net) -> _Net:
    """Fill the arrays of a network from a file of `save_parameters`. Return the network.

    Conventions
    -----------
    `num_batches_tracked`, which PyTorch's files have beside running statistics, is ignored. Where
    names, or the order of entries, are others in such a file, it is one for
    `torchlite.interop.pytorch.load_state_dict`.

    Raises
    ------
    ImportError
        safetensors is not installed.
    FormatError
        The file is damaged, or has not the names, shapes and dtypes of the network. Nothing has
        changed.
    OSError
        It cannot be opened or read.

    Example
    -------
    See `save_parameters`.
    """
    must_be_stateful("load_parameters", "net", net)
    _safetensors()
    try:
        description = Description(net, "", False)
    except RefusalError as error:
        raise refusal("load_parameters", error) from None
    with _opened(path) as (file, tensors):
        values = _values(file, tensors, description)
    for name, array in description.arrays.items():
        array[...] = values[name]
    return net


def arrays_in(path: Path) -> dict[str, Array]:
    """Return all arrays of a safetensors file by their names.

    Raises
    ------
    ImportError
        safetensors is not installed.
    FormatError
        The file is damaged, or holds arrays of a dtype that NumPy does not have.
    OSError
        It cannot be opened or read.
    """
    with _opened(path) as (file, tensors):
        for name in tensors.keys():  # noqa: SIM118
            kind = tensors.get_slice(name).get_dtype()
            if kind not in _KINDS:
                raise broken(file, name, f"{kind} is no dtype of NumPy's")
        return {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Any]]:
    """Open a file, and what safetensors makes of it."""
    safetensors = _safetensors()
    with open(path, "rb") as file:
        start = file.read(8)
        if len(start) < 8 or struct.unpack("<Q", start)[0] > _LONGEST_HEADER:
            raise broken(file, "", f"it has no header, or one of more than {_LONGEST_HEADER} bytes")
        try:
            with safetensors.safe_open(os.fsdecode(path), framework="np") as tensors:
                yield file, tensors
        except safetensors.SafetensorError as error:
            raise broken(file, "", str(error)) from None


def _values(file: BinaryIO, tensors: Any, description: Description) -> dict[str, Array]:
    """Return the arrays of the file, after comparing all of them with the network's."""
    arrays, views = description.arrays, description.views
    # PyTorch's batch normalization counts its batches, Torch7's does not.
    counted = (name for name in tensors.keys() if name.endswith("num_batches_tracked"))  # noqa: SIM118
    names = set(tensors.keys()) - set(counted)
    for name in sorted((names ^ arrays.keys()) - views.keys()):
        which = "the network" if name in names else "the file"
        raise broken(file, name[:80], f"there is no such array in {which}")
    # A view may stand there as an array of its own, as other programs write it.
    wanted = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    for name in names & views.keys():
        whole, where = views[name]
        wanted[name] = arrays[whole].dtype, where.shape
    for name, (dtype, wanted_shape) in wanted.items():
        said = tensors.get_slice(name)
        kind, shape = _KINDS.get(said.get_dtype(), said.get_dtype()), tuple(said.get_shape())
        if kind != dtype.name or shape != wanted_shape:
            raise broken(
                file, name, f"{kind} {shape} in the file, {dtype} {wanted_shape} in the network"
            )
        if name in arrays and not arrays[name].flags.writeable:
            raise broken(file, name, "the network's array is read-only")
    values = {name: tensors.get_tensor(name) for name in wanted}
    for name in names & views.keys():
        whole, where = views[name]
        order = "F" if npy.in_memory(arrays[whole]) is not arrays[whole] else "C"
        if not same(where.view(values[whole].reshape(-1, order=order)), values[name]):
            problem = f"it differs from {name}, and in the network the two are views of one memory"
            raise broken(file, whole, problem)
    return values


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(f"safetensors files need the package safetensors: {_INSTALL}") from error
    return safetensors
