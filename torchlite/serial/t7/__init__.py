"""Torch7's .t7 files."""

from torchlite.serial.t7.modules import register
from torchlite.serial.t7.reading import load
from torchlite.serial.t7.values import Function, Object, Storage, Table
from torchlite.serial.t7.writing import save

__all__ = ["Function", "Object", "Storage", "Table", "load", "register", "save"]
