"""Files that can be trusted: networks saved, loaded, and trained on.

A file is a zip of arrays in NumPy's format, so `np.load` reads it too, and a description of the
network in JSON. Nothing in it is ever run or imported: class names are looked up in a table of
torchlite's own classes and of those that you `register`. A file is replaced as a whole or not at
all, every byte of it is checked when it is read, and what is wrong with one is a `FormatError` that
says where. Torch7's own files are read and written by `serial.t7`.

>>> import os, tempfile
>>> import torchlite as nn
>>> from torchlite import serial
>>> folder = tempfile.TemporaryDirectory()
>>> path = os.path.join(folder.name, "net.npz")
>>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
>>> serial.save(path, net)
>>> serial.load(path)
Sequential {
  [input -> (0) -> (1) -> output]
  (0): Linear(2 -> 3)
  (1): Tanh
}
>>> folder.cleanup()
"""

import importlib
from typing import TYPE_CHECKING, Any

from torchlite.serial.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from torchlite.serial.classes import register
from torchlite.serial.networks import load, save
from torchlite.serial.parameters import load_parameters, save_parameters

__all__ = [
    "Checkpoint",
    "load",
    "load_checkpoint",
    "load_parameters",
    "register",
    "save",
    "save_checkpoint",
    "save_parameters",
]

# Loaded when first named: it knows every class of Torch7.
if TYPE_CHECKING:
    from torchlite.serial import t7 as t7
else:

    def __getattr__(name: str) -> Any:
        if name == "t7":
            return importlib.import_module("torchlite.serial.t7")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
