"""What the ranks' networks have in common."""

from typing import Any

from torchlite import random
from torchlite.distributed.group import Group
from torchlite.kernels.arrays import Array
from torchlite.nn.module import Module
from torchlite.nn.nested import leaves
from torchlite.nn.stateful import arrays_in, parts
from torchlite.nn.tree import walk

__all__ = ["carried_arrays", "must_be_alike", "samples"]


def must_be_alike(net: Module, world: Group, settings: object = None) -> None:
    """Raise unless all ranks' networks are built alike; then make all what rank 0's is.

    That is its arrays, and the state of `torchlite.random`. settings must be alike, too.

    Raises
    ------
    StateError
        Text, shapes or dtypes differ.
    """
    world.same(settings, "what trains it")
    world.same(_description(net), "the network")
    random.setRNGState(world.broadcast(random.getRNGState()))
    for array in carried_arrays(net):
        array[...] = world.broadcast(array.copy())


def _description(net: Module) -> str:
    lines = [repr(net)]
    for place in walk(net):
        for keys, array in arrays_in(place.module.__getstate__()):
            name = ".".join(map(str, keys))
            lines.append(f"{place.path}.{name} {array.shape} {array.dtype}")
    return "\n".join(lines)


def carried_arrays(net: Module) -> list[Array]:
    """Return all arrays that a copy of a network would carry, each once."""
    held = [array for part in parts(net) for _, array in arrays_in(part.__getstate__())]
    return list({id(array): array for array in held}.values())


def samples(table: Any) -> int:
    """Return how many samples a batch has: rows of its first array."""
    return int(leaves(table)[0].shape[0])
