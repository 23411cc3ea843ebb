"""Torch7's .t7 files: read, and written so that Torch7 reads them.

Nothing in a file is run. What is wrong with one is a `FormatError` that says at which byte, and
where in the value that stands.

>>> import os, tempfile
>>> import numpy as np
>>> from torchlite.serial import t7
>>> folder = tempfile.TemporaryDirectory()
>>> path = os.path.join(folder.name, "value.t7")
>>> t7.save(path, {"epoch": 3, "weight": np.eye(2), "names": ["a", "b"]})
>>> sorted(t7.load(path))
['epoch', 'names', 'weight']
>>> folder.cleanup()
"""

from torchlite.serial.t7.modules import register
from torchlite.serial.t7.reading import load
from torchlite.serial.t7.values import Function, Object, Storage, Table
from torchlite.serial.t7.writing import save

__all__ = ["Function", "Object", "Storage", "Table", "load", "register", "save"]
