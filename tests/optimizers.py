"""The optimizers, from what torchlite.optim exports: each is tested without being listed.

METHODS
    By name, the `Method` of every function with settings.
CONFIGURED
    The names of those that take the settings in a config.
STATEFUL
    The names of those that go on where the last call ended.
FIRST_ORDER
    The names of those that do, and call opfunc once a call.
"""

import importlib
import inspect

from torchlite import optim
from torchlite.optim._method import Method


def methods_in(file):
    """Return every Method in a file, by its name there."""
    return {key: value for key, value in vars(file).items() if isinstance(value, Method)}


def file_of(name):
    """Return the module that an export of torchlite.optim comes from."""
    return importlib.import_module(getattr(optim, name).__module__)


METHODS = {
    name: method
    for name in optim.__all__
    if (method := methods_in(file_of(name)).get(f"_{name.upper()}"))
}
CONFIGURED = [
    name
    for name, method in METHODS.items()
    if not method.keys.keys() <= inspect.signature(getattr(optim, name)).parameters.keys()
]
STATEFUL = [name for name, method in METHODS.items() if method.state]
FIRST_ORDER = [name for name in STATEFUL if "maxIter" not in METHODS[name].keys]
