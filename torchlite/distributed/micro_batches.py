"""What a network remembers of one forward, taken out while it does another."""

from typing import Any

from torchlite.nn.module import Module
from torchlite.nn.stateful import Stateful, parts

__all__ = ["Memory", "put_back", "take_out"]

# What the layers remember, each with the names of its attributes.
Memory = list[tuple[Stateful, dict[str, Any]]]


def take_out(net: Module) -> Memory:
    """Take out of a network what its last calls left behind, and return it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    >>> first, second = np.ones((1, 2)), np.zeros((1, 2))
    >>> output = net.forward(first)
    >>> memory = take_out(net)
    >>> other = net.forward(second)
    >>> put_back(net, memory)
    >>> net.output is output, net.backward(first, np.ones((1, 3))).shape
    (True, (1, 2))
    """
    memory: Memory = []
    for part in parts(net):
        held: dict[str, Any] = vars(part)
        names = [name for name in part._left_behind() if name not in part._caches]
        memory.append((part, {name: held.pop(name) for name in names}))
    return memory


def put_back(net: Module, memory: Memory) -> None:
    """Let a network remember again what was taken out of it, and nothing else."""
    take_out(net)
    for part, left_behind in memory:
        held: dict[str, Any] = vars(part)
        held.update(left_behind)
