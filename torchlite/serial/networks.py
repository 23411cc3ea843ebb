"""A network in a file."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, TypeVar, overload

from torchlite.errors import DTypeError
from torchlite.nn.module import Module
from torchlite.nn.stateful import Stateful
from torchlite.serial import files
from torchlite.serial.atomic import Path
from torchlite.serial.describe import Description, refusal
from torchlite.serial.files import Contents
from torchlite.serial.fit import counterparts
from torchlite.serial.rebuild import Rebuilding
from torchlite.serial.values import RefusalError

__all__ = ["load", "must_be_stateful", "read", "save"]

_Net = TypeVar("_Net", bound=Stateful)


def save(path: Path, net: Stateful, *, gradients: bool = False) -> None:
    """Save a module or criterion, with all that is in it, to a file.

    Parameters
    ----------
    path
        Where to; `.npz` is the usual ending. What is there is replaced once all is written: after
        an error, a crash or a full disk, it is what it was.
    net
        The module or criterion. Results of earlier calls are not saved.
    gradients
        True to save the gradients, too; without them a loaded network has gradients of zero.

    Conventions
    -----------
    Modules and arrays that stand in several places stay shared, and an array that is a view of
    another one of the network (a tied weight) stays one. Arrays that are views of one flat array
    are saved one by one: after loading call `getParameters()` again. C and Fortran order are kept,
    other memory layouts become C order.

    Raises
    ------
    DTypeError
        net, or something in it, cannot be saved: a function, an object of a class that was not
        registered, an array of objects, a layer whose gradient is not like its parameter ... The
        file is what it was.
    OSError
        Writing failed. The file is what it was.

    Example
    -------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import torchlite as nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.npz")
    ...     save(path, nn.Linear(2, 3))
    ...     with np.load(path) as file:
    ...         sorted(file)
    ['bias', 'torchlite.json', 'weight']
    """
    must_be_stateful("save", "net", net)
    try:
        files.write(path, "network", Description(net, "", gradients), gradients)
    except RefusalError as error:
        raise refusal("save", error) from None


@overload
def load(path: Path, into: None = None) -> Module: ...


@overload
def load(path: Path, into: _Net) -> _Net: ...


def load(path: Path, into: Stateful | None = None) -> Any:
    """Return the network that a file of `save` holds.

    Parameters
    ----------
    path
        The file. To type checkers it holds a Module, unless `into` is something else.
    into
        A network built in code, of the same classes and arrays, that is to be filled and returned;
        arrays are written in place, so that views of them, flat ones too, stay attached. Settings
        (a probability, training or evaluation mode ...) remain what the code says.

    Raises
    ------
    FormatError
        The file is damaged, or no such file, or does not fit the network; two arrays of `into` are
        views of one memory and different in the file. Nothing has changed.
    OSError
        It cannot be opened or read.

    Example
    -------
    >>> import os, tempfile
    >>> import torchlite as nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.npz")
    ...     save(path, nn.Linear(2, 3))
    ...     load(path), load(path, into=nn.Linear(2, 3))
    ...     load(path, into=nn.Linear(3, 2))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    torchlite.errors.FormatError: ...: weight: float64 (3, 2) in the file, ...
    """
    if into is not None:
        must_be_stateful("load", "into", into)
    return read(path, "network", into, _network)


def must_be_stateful(method: str, argument: str, net: Any) -> None:
    """Raise unless net is a module or criterion."""
    if not isinstance(net, Stateful):
        raise DTypeError(
            f"{method}: {argument} must be a module or criterion, got {type(net).__name__}",
            method=method,
            argument=argument,
            expected="a module or criterion",
            got=type(net).__name__,
            hint=f"{method}(path, {argument})" if isinstance(net, (str, PurePath)) else None,
        )


def _network(content: Any) -> tuple[Stateful, str]:
    if not isinstance(content, Stateful):
        raise RefusalError("", "what it holds is no module and no criterion")
    return content, ""


def read(
    path: Path,
    holds: str,
    into: Stateful | None,
    find_net: Callable[[Any], tuple[Any, str]],
    check: Callable[[Any], None] = lambda content: None,
) -> Any:
    """Return the content of a file, in which `into`, if there is one, takes the network's place.

    find_net returns the network in the content, and its path, before any array is read; check
    looks at the whole. Both raise RefusalError if the content is not what such a file holds.
    """
    with open(path, "rb") as file:
        contents = Contents(file, holds)
        try:
            rebuilding = Rebuilding(contents)
            content = rebuilding.value(contents.content, "")
            net, where = find_net(content)
            if into is not None:
                rebuilding = rebuilding.again(counterparts(rebuilding, net, into, where))
                content = rebuilding.value(contents.content, "")
            rebuilding.finish()
            check(content)
        except RefusalError as error:
            raise contents.broken(error.where, error.problem, error.hint) from error.__cause__
    rebuilding.commit()
    return content
