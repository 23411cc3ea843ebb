"""Tables of connections between planes: rows (from, to), counted from 0."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from torchlite import random as _random
from torchlite.errors import DTypeError, SettingError, fault

__all__ = ["full", "oneToOne", "random"]


def full(nin: int, nout: int) -> NDArray[np.int64]:
    """Connect every input plane with every output plane.

    Example
    -------
    >>> full(2, 2).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    nin, nout = _count("full", "nin", nin), _count("full", "nout", nout)
    return np.stack([np.tile(np.arange(nin), nout), np.repeat(np.arange(nout), nin)], 1)


def oneToOne(nfeat: int) -> NDArray[np.int64]:
    """Connect each input plane with the output plane of the same number.

    Example
    -------
    >>> oneToOne(3).tolist()
    [[0, 0], [1, 1], [2, 2]]
    """
    planes = np.arange(_count("oneToOne", "nfeat", nfeat))
    return np.stack([planes, planes], 1)


def random(nin: int, nout: int, nto: int) -> NDArray[np.int64]:
    """Connect each output plane with nto input planes at random (`torchlite.random`).

    The input planes are dealt out in random order, and again in another when fewer than nto are
    left: so they are used about equally often.

    Example
    -------
    >>> from torchlite import nn, random
    >>> random.manualSeed(5)
    >>> nn.tables.random(4, 3, 2).tolist()
    [[3, 0], [1, 0], [0, 1], [2, 1], [1, 2], [3, 2]]
    """
    nin, nout = _count("random", "nin", nin), _count("random", "nout", nout)
    nto = _count("random", "nto", nto)
    if not 1 <= nto <= nin:
        where, expected = "nn.tables.random", f"from 1 to nin, which is {nin}"
        raise fault(SettingError, where, "nto", expected, str(nto), method="random")
    hands = nin // nto
    # Torch7 shuffles once more where the last hand has just been dealt.
    orders = [_random.randperm(nin)[: hands * nto] for _ in range(nout // hands + 1)]
    chosen = np.concatenate(orders)[: nout * nto]
    return np.stack([chosen, np.repeat(np.arange(nout), nto)], 1)


def _count(function: str, argument: str, value: Any) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        kind = SettingError if isinstance(value, (int, np.integer)) else DTypeError
        where = f"nn.tables.{function}"
        raise fault(kind, where, argument, "a whole number of at least 1", repr(value))
    return int(value)
