"""What the tests of files have in common: networks to save, and how files are made and compared."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cases
import numpy as np
import pytest
from counting import calls_of
from hypothesis import settings

from torchlite import nn, serial
from torchlite.errors import DTypeError, FormatError
from torchlite.nn.stateful import Stateful, parts, rebind
from torchlite.serial import archive, npy

THOROUGH = settings.default.max_examples > 100
DATA = Path(__file__).parent / "data"
ROWS = [pytest.param(case, id=f"{chapter}-{case.id}") for chapter, case in cases.rows()]
DTYPES = ("float64", "float32")
LAYOUTS = {
    "Fortran": np.asfortranarray,
    "sliced": lambda a: np.repeat(a[..., None], 3, -1)[..., 1],
    "reversed": lambda a: np.flip(np.flip(a).copy()),
    "broadcast": lambda a: np.broadcast_to(a.reshape(-1)[:1].sum(dtype=a.dtype), a.shape),
}


def mlp():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def same(one, other, ignoring=()):
    """Tell whether two values are equal to the last bit, in kind and in what they share."""
    pairs, back = {}, {}

    def equal(one, other):
        if type(one) is not type(other):
            return False
        if isinstance(one, Stateful | np.ndarray):
            if pairs.setdefault(id(one), other) is not other:
                return False
            if back.setdefault(id(other), one) is not one:
                return False
        if isinstance(one, np.ndarray | np.generic):
            return (one.dtype, one.shape) == (other.dtype, other.shape) and (
                one.tobytes() == other.tobytes()
            )
        if isinstance(one, Stateful):
            key = id(one), id(other)
            if key not in met:
                met.add(key)
                return equal(one.__getstate__(), other.__getstate__())
            return True
        if isinstance(one, dict):
            return list(one) == list(other) and all(
                key in ignoring or equal(one[key], other[key]) for key in one
            )
        if isinstance(one, list | tuple):
            return len(one) == len(other) and all(map(equal, one, other))
        return one == other or one != one

    met = set()
    return equal(one, other)


def without_gradients(made):
    """Return a copy with gradients of zero: what a file without gradients holds."""
    made = made.clone()
    for part in parts(made):
        if isinstance(part, nn.Module):
            for gradient in part.parameters()[1]:
                gradient.fill(0)
    return made


def dirty(made, rng):
    """Give every gradient some values."""
    for part in parts(made):
        if isinstance(part, nn.Module):
            for gradient in part.parameters()[1]:
                gradient[...] = rng.integers(1, 9, gradient.shape)
    return made


def rearrange(made, layout):
    """Put the array in another layout in the place of each; shared ones stay shared."""
    new = {}

    def rearranged(array):
        if id(array) not in new:
            new[id(array)] = array, layout(array)
        return new[id(array)][1]

    made.clearState()
    rebind(made, rearranged)


def without_gradients_of_any_layout(made):
    """Return a copy, rearranged already, with gradients of zero."""
    made = made.clone()
    gradients = {
        id(gradient)
        for part in parts(made)
        if isinstance(part, nn.Module)
        for gradient in part.parameters()[1]
    }
    rearrange(made, lambda a: np.zeros_like(a) if id(a) in gradients else a)
    return made


def arrays_of(made):
    """Return every array of what was made, once."""
    found = {}

    def collect(value):
        if isinstance(value, np.ndarray):
            found[id(value)] = value
        elif isinstance(value, dict):
            list(map(collect, value.values()))
        elif isinstance(value, list | tuple):
            list(map(collect, value))

    for part in parts(made):
        collect(part.__getstate__())
    return list(found.values())


def refused(path, net, message, save=serial.save):
    """Check that this is said, and that the file stays what it was."""
    path.write_bytes(b"old")
    with pytest.raises(DTypeError) as error:
        save(path, net)
    assert str(error.value) == message
    assert error.value.method == message.partition(":")[0]
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def run(code, *arguments, **options):
    """Run a Python program that begins with the imports that all of these need."""
    start = f"import sys; sys.path[:0] = {[str(DATA.parent), str(DATA.parents[1])]}\n"
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def members_of(raw):
    """Return the members of a file as [name, bytes] rows."""
    file = io.BytesIO(raw)
    file.name = "raw"
    return [
        [member.name, raw[member.start : member.start + member.size]]
        for member in archive.directory(file).values()
    ]


def packed(members):
    """Return the bytes of a file of these members."""
    file = io.BytesIO()
    archive.write(file, [(name, (data,)) for name, data in members])
    return file.getvalue()


def rezipped(members, **options):
    """Return the bytes of these members as Python's zipfile writes them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as target:
        for name, inside in members:
            target.writestr(name, inside)
    return file.getvalue()


HEADERS = [
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 1152921504606846976), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 99999999999999999999), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1, " * 900 + "), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1, , 2), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 4000 + ",), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<U9', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': __import__('os'), 'shape': (3,), }",
    "(" * 3000,
    "",
]


def peak():
    """Return the most memory that this process has had, in MiB."""
    # Not ru_maxrss: that begins with what the parent had.
    said = Path("/proc/self/status").read_text("ascii")
    return int(said.split("VmHWM:")[1].split()[0]) // 1024


def calls_to_load(path):
    """Return how many calls and returns it takes to load a file, and what the error says."""

    def load():
        try:
            serial.load(path)
        except FormatError as error:
            return str(error)

    return calls_of(load)


def described(parts, *arrays):
    """Return the bytes of a file whose network is the first of these parts."""
    said = {"format": "torchlite", "version": 1, "holds": "network", "gradients": False}
    said |= {"content": {"part": 0}, "parts": parts}
    members = [["torchlite.json", json.dumps(said, separators=(",", ":")).encode()]]
    members += [[f"{name}.npy", b"".join(map(bytes, npy.pieces(array)))] for name, array in arrays]
    return packed(members)


def forged(path, change):
    """Return what is said of a file whose members were changed."""
    serial.save(path, mlp())
    members = members_of(path.read_bytes())
    change(members)
    path.write_bytes(packed(members))
    with pytest.raises(FormatError) as error:
        serial.load(path)
    return str(error.value).removeprefix(f"{path}: ")
