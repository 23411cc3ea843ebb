"""All that a training needs to go on as if it had never been interrupted."""

from typing import Any, NamedTuple

from torchlite import random
from torchlite.nn.module import Module
from torchlite.nn.stateful import Stateful
from torchlite.serial import files
from torchlite.serial.atomic import Path
from torchlite.serial.describe import Description, refusal
from torchlite.serial.networks import must_be_stateful, read
from torchlite.serial.values import RefusalError

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]


class Checkpoint(NamedTuple):
    """What `load_checkpoint` returns: the network, the optimizer's state, and the other values."""

    net: Module
    optimizer: Any
    extra: dict[str, Any]


def save_checkpoint(
    path: Path, net: Stateful, optimizer: Any = None, *, gradients: bool = False, **extra: Any
) -> None:
    """Save a network, the state of its optimizer, and that of `torchlite.random`, to a file.

    Parameters
    ----------
    path, net, gradients
        As for `save`.
    optimizer
        The dict in which an optimizer keeps its state, or a list, tuple or dict of several.
    extra
        Whatever else the training needs: the epoch, losses, a criterion, the config, the state of
        another generator (`rng.bit_generator.state`) ... None, numbers, text, arrays, modules and
        criterions, and lists, tuples and dicts of those.

    Raises
    ------
    DTypeError
        Something cannot be saved. The file is what it was.
    OSError
        Writing failed. The file is what it was.

    Example
    -------
    >>> import os, tempfile
    >>> import torchlite as nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "checkpoint.npz")
    ...     save_checkpoint(path, nn.Linear(2, 3), {"t": 7}, epoch=2)
    ...     load_checkpoint(path)
    Checkpoint(net=Linear(2 -> 3), optimizer={'t': 7}, extra={'epoch': 2})
    """
    must_be_stateful("save_checkpoint", "net", net)
    content = {
        "net": net, "optimizer": optimizer, "extra": extra, "random": random.getRNGState()
    }  # fmt: skip
    try:
        files.write(path, "checkpoint", Description(content, "", gradients), gradients)
    except RefusalError as error:
        raise refusal("save_checkpoint", error) from None


def load_checkpoint(path: Path, into: Stateful | None = None) -> Checkpoint:
    """Return what a file of `save_checkpoint` holds; `torchlite.random` goes on from there.

    Training that goes on from here has, to the last bit, the numbers that it would have had
    without the interruption, on the same machine and with the same versions. What
    `getParameters()` returned before has to be asked for again.

    Parameters
    ----------
    path, into
        As for `load`.

    Raises
    ------
    FormatError
        The file is damaged, or no such file, or does not fit the network. Nothing has changed,
        nor has the state of `torchlite.random`.
    OSError
        It cannot be opened or read.

    Example
    -------
    See `save_checkpoint`.
    """
    if into is not None:
        must_be_stateful("load_checkpoint", "into", into)
    content = read(path, "checkpoint", into, _checkpoint, _random_state)
    random.setRNGState(content["random"])
    return Checkpoint(content["net"], content["optimizer"], content["extra"])


def _checkpoint(content: Any) -> tuple[Stateful, str]:
    keys = ["net", "optimizer", "extra", "random"]
    if not isinstance(content, dict) or list(content) != keys:
        raise RefusalError("", f"a checkpoint must hold {', '.join(keys)}")
    if not isinstance(content["net"], Stateful):
        raise RefusalError("net", "it is no module and no criterion")
    if not isinstance(content["extra"], dict):
        raise RefusalError("extra", "it is no dict")
    return content["net"], "net"


def _random_state(content: Any) -> None:
    try:
        random.Generator().setRNGState(content["random"])
    except (TypeError, ValueError) as error:
        raise RefusalError("random", str(error)) from None
