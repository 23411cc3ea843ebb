"""DataParallel: each rank a part of the batch, all ranks the whole batch's gradients."""

import operator
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.distributed.group import Group, Waiting, shares
from torchlite.distributed.micro_batches import put_back, take_out
from torchlite.distributed.networks import must_be_alike, samples
from torchlite.distributed.statistics import SharedStatistics
from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array, Number
from torchlite.nn import checks
from torchlite.nn.containers.concat import Concat
from torchlite.nn.containers.concat_table import ConcatTable
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.containers.parallel import Parallel
from torchlite.nn.containers.parallel_table import ParallelTable
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.graph.g_module import gModule
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, leaves, map_arrays, rebuilt
from torchlite.nn.stateful import shadowed
from torchlite.nn.tree import Place, walk

__all__ = ["DataParallel"]

# Containers that hand each module its gradOutput and its scale as they are, and add nothing.
_PLAIN = (Sequential, Concat, ConcatTable, Parallel, ParallelTable, gModule)
# How many entries travel together: fewer make more messages, more make the last one longer.
_BUCKET = 1 << 20


class DataParallel(Decorator):
    """A network that every rank of a group has: each gives it its part of the batch.

    After a backward every rank holds the gradients of the whole batch, and takes the same step.
    They travel while the backward goes on: it runs each layer's `updateGradInput` and
    `accGradParameters` in turn, from the last layer to the first, and starts to sum a layer's
    gradients as soon as they are complete.

    Maths
    -----
    With n samples on this rank, N on all, L this rank's mean loss::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)
        gradWeight += scale * (the sum over all ranks of n / N * dL/dweight)

    Shapes
    ------
    Those of the module, with this rank's samples. They may be fewer than another's, or none.

    Parameters
    ----------
    module
        The network, built alike on all ranks, which is looked at first: its text, the shapes and
        dtypes of its arrays. Its parameters, running statistics, and the state of
        `torchlite.random` become rank 0's.
    world
        The group.
    shards
        Cut the batch into so many parts, a power of two, whatever the number of ranks: 1, 2 and
        4 ranks then have, to the last bit, the same gradients, where the whole batch is a multiple
        of shards. Costs the overlap, and on each rank a copy of the gradients for every other.
    sync
        Batch normalisation takes the statistics of the whole batch instead of this rank's part.

    Conventions
    -----------
    The criterion must average over its samples, as criterions do that are not told otherwise:
    class weights, which make some samples count for more, and penalties inside the network, which
    every rank would add, are counted by the rank. Every rank calls backward once for each of the
    others' calls: one without samples gives an empty batch.

    Layers draw from a stream of this rank's (or shard's) own, begun where the common one stood, so
    that the order of the data, and what else the program draws, stays the same on all ranks.
    Running statistics are each rank's own, unless sync. `getRNGStates` and `setRNGStates` carry
    the streams into checkpoints; the network is saved as `modules[0]`.

    Raises
    ------
    StateError
        The networks differ, and the message shows how.
    SettingError
        shards is no power of two that the ranks divide.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import distributed
    >>> with distributed.Group() as world:  # doctest: +SKIP
    ...     net = distributed.DataParallel(nn.Linear(3, 2), world)
    ...     net.forward(np.ones((4, 3))[world.rows(4)]).shape
    (4, 2)

    Reference
    ---------
    Torch7, nn/DataParallelTable.lua of cunn. Li et al., PyTorch Distributed, 2020.
    """

    transient = (*Decorator.transient, "_memories", "_order", "_statistics")
    # What the network remembers of each shard, where this rank has several: (input, memory).
    _memories: Any = ()
    # What batch normalisation was told of the other ranks, with sync.
    _statistics: Any = None
    # As it was found for the parameters of the last backward.
    _order: Any = None

    def __init__(
        self, module: Module, world: Group, shards: int | None = None, sync: bool = False
    ) -> None:
        super().__init__(module)
        self.world = world
        self.shards = world.size if shards is None else checks.size(self, "shards", shards)
        self.sync = bool(sync)
        # Of fixed shards the sum is a tree; otherwise the sum is MPI's.
        self._fixed = shards is not None
        if self._fixed and (self.shards.bit_count() != 1 or self.shards % world.size):
            expected = f"a power of two that the ranks, {world.size}, divide"
            raise checks.misbuilt(SettingError, self, "shards", expected, repr(shards))
        if self._fixed and sync:
            hint = "statistics of the whole batch need all of it at once"
            raise checks.misbuilt(SettingError, self, "sync", "False with shards", "True", hint)
        must_be_alike(module, world, f"shards={shards}, sync={self.sync}")
        mine = world.rows(self.shards)
        self._streams = [random.jumped(shard + 1) for shard in range(mine.start, mine.stop)]

    # ---------------------------------------------------------------- forward and backward

    def updateOutput(self, input: Any) -> Any:
        """Run the module on this rank's samples."""
        if len(self._streams) == 1:
            statistics: Any = nullcontext()
            if self.sync:
                self._statistics = SharedStatistics(self.world)
                statistics = self._statistics.forward(self.modules[0])
            with statistics, random.drawing_from(self._streams[0]):
                return super().updateOutput(input)
        self._forget()
        outputs, memories = [], []
        for stream, piece in zip(self._streams, self._pieces(input), strict=True):
            with random.drawing_from(stream):
                outputs.append(self.modules[0].updateOutput(piece))
            memories.append((piece, take_out(self.modules[0])))
        self._memories, self._input = memories, input
        self.output = _joined(outputs)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Run the module backwards on this rank's samples."""
        if len(self._streams) == 1:
            share = self._share(input) if self._statistics else 1
            with self._statistics_of_all(share), random.drawing_from(self._streams[0]):
                return super().updateGradInput(input, gradOutput)
        gradInputs = [
            self.modules[0].updateGradInput(piece, gradient)
            for piece, gradient in self._each_shard("updateGradInput", input, gradOutput)
        ]
        gradInput = None if any(one is None for one in gradInputs) else _joined(gradInputs)
        if self.gradInput is None:
            return None
        self.gradInput = EMPTY if gradInput is None else gradInput
        return gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Number = 1) -> None:
        """Add the gradients of the whole batch: all ranks take part."""
        scale = checks.scale(self, scale)
        if self._fixed:
            self._accumulate_shards(input, gradOutput, scale)
            return
        share = self._share(input)
        if share:
            with self._statistics_of_all(share):
                super().accGradParameters(input, gradOutput, scale * share)
        if self.world.size > 1:
            _Sums(self._found_order(), self.world).finish()

    def backward(self, input: Any, gradOutput: Any, scale: Number = 1) -> Any:
        """Do both, layer by layer from the last to the first, while complete gradients travel."""
        scale = checks.scale(self, scale, "backward")
        if self._fixed or self.world.size == 1:
            return super().backward(input, gradOutput, scale)
        share = self._share(input)
        sums = _Sums(self._found_order(), self.world)
        with self._statistics_of_all(share):
            if share:
                with self._in_turn(sums, scale * share):
                    with random.drawing_from(self._streams[0]):
                        gradInput = super().updateGradInput(input, gradOutput)
                    # What none asked a gradInput of.
                    super().accGradParameters(input, gradOutput, scale * share)
            else:
                gradInput = super().updateGradInput(input, gradOutput)
        sums.finish()
        return gradInput

    @contextmanager
    def _in_turn(self, sums: "_Sums", scale: Number) -> Iterator[None]:
        """Let each layer accumulate right after its updateGradInput, inside a with block."""
        done: Counter[int] = Counter()

        def both(layer: Module) -> dict[str, Callable[..., Any]]:
            update, accumulate = layer.updateGradInput, layer.accGradParameters

            def updateGradInput(input: Any, gradOutput: Any) -> Any:
                gradInput = update(input, gradOutput)
                accumulate(input, gradOutput, scale)
                done[id(layer)] += 1
                sums.complete(layer)
                return gradInput

            def accGradParameters(input: Any, gradOutput: Any, scale: Number = 1) -> None:
                if done[id(layer)]:
                    done[id(layer)] -= 1
                else:
                    accumulate(input, gradOutput, scale)
                    sums.complete(layer)

            return {"updateGradInput": updateGradInput, "accGradParameters": accGradParameters}

        with shadowed([(layer, both(layer)) for layer in sums.order.layers]):
            yield

    def _statistics_of_all(self, share: float) -> Any:
        if self._statistics is None:
            return nullcontext()
        return self._statistics.backward(self.modules[0], share / self.world.size)

    def _share(self, input: Any) -> float:
        """Return how many samples this rank has, in the mean of all ranks. All take part."""
        if self.world.size == 1:
            return 1
        n = samples(input)
        total = np.array([n])
        self.world.wait(self.world.start_sum(total))
        return float(n * self.world.size / (total[0] or 1))

    def _found_order(self) -> "_Order":
        net = self.modules[0]
        order: _Order | None = self._order
        if order is None or not order.still_holds(net):
            order = self._order = _Order(net)
        return order

    # ---------------------------------------------------------------- shards

    def _pieces(self, table: Any) -> list[Any]:
        """Return the part of each of this rank's shards."""
        count = len(self._streams)
        cuts = [shares(samples(table), count, shard) for shard in range(count)]
        return [map_arrays(operator.itemgetter(cut), table) for cut in cuts]

    def _each_shard(self, method: str, input: Any, gradOutput: Any) -> Iterator[tuple[Any, Any]]:
        """Yield each shard's input and gradOutput while the module remembers that shard."""
        if self._input is not input or not self._memories:
            self._must_remember(method, self._input if self._memories else None, input)
        memories = self._memories
        for shard, gradient in enumerate(self._pieces(gradOutput)):
            piece, memory = memories[shard]
            put_back(self.modules[0], memory)
            yield piece, gradient
            memories[shard] = piece, take_out(self.modules[0])

    def _accumulate_shards(self, input: Any, gradOutput: Any, scale: Number) -> None:
        share = self._share(input) / self.world.size
        gradients = self._found_order().gradients
        before = gradients.copy()
        sums = []
        if len(self._streams) == 1:
            each: Any = [(input, gradOutput)]
            accumulate = super().accGradParameters
        else:
            each = self._each_shard("accGradParameters", input, gradOutput)
            accumulate = self.modules[0].accGradParameters
        try:
            for piece, gradient in each:
                gradients[...] = 0
                if samples(piece):
                    accumulate(piece, gradient, scale * share)
                sums.append(gradients.copy())
            total = _tree_sum(self.world.gather(_tree_sum(sums)))
        except BaseException:
            gradients[...] = before
            raise
        gradients[...] = before + total

    def getRNGStates(self) -> Array:
        """Return the states of all shards' streams, for a checkpoint. All ranks take part."""
        mine = [stream.getRNGState() for stream in self._streams]
        return np.array([state for states in self.world.gather(mine) for state in states])

    def setRNGStates(self, states: Array) -> Self:
        """Go on drawing from where `getRNGStates` was called, with as many shards. Return self."""
        if len(states) != self.shards:
            hint = "shards= makes checkpoints that other numbers of ranks can go on from"
            expected = f"({self.shards}, 5048)"
            raise checks.misshapen(self, "setRNGStates", "states", expected, states, hint)
        for stream, state in zip(self._streams, states[self.world.rows(self.shards)], strict=True):
            stream.setRNGState(state)
        return self


class _Order:
    """In which order the gradients of a network are complete when it is run backwards."""

    def __init__(self, net: Module) -> None:
        _, self.gradients = net.getParameters()
        self._known = net.parameters()
        self.layers = list({id(place.module): place.module for place in _layers(net)}.values())
        found = {id(layer) for layer in self.layers}
        # Which layers, each as often as it stands there, add to each piece, from the end on.
        self.pieces: list[slice] = []
        places: list[set[tuple[int, str]]] = []
        end = self.gradients.size
        while end:
            self.pieces.append(slice(max(0, end - _BUCKET), end))
            places.append(set())
            end = self.pieces[-1].start
        for row in net.located_parameters():
            place = next(place for place in row.place.around if id(place.module) in found)
            first, last = _ends(row.entries)
            for piece, adding in zip(self.pieces, places, strict=True):
                if first < piece.stop and piece.start < last:
                    adding.add((id(place.module), place.path))
        self.adding = [Counter(layer for layer, _ in adding) for adding in places]

    def still_holds(self, net: Module) -> bool:
        return all(
            len(known) == len(now) and all(map(operator.is_, known, now))
            for known, now in zip(self._known, net.parameters(), strict=True)
        )


class _Sums:
    """The sums of one backward: each piece's starts as soon as it, and all before it, are ready."""

    def __init__(self, order: _Order, world: Group) -> None:
        self.order = order
        self._world = world
        self._missing = [adding.copy() for adding in order.adding]
        self._travelling: list[Waiting] = []

    def complete(self, layer: Module) -> None:
        """Note that a layer has accumulated, at one of the places where it stands."""
        for missing in self._missing:
            if missing[id(layer)] > 1:
                missing[id(layer)] -= 1
            else:
                del missing[id(layer)]
        while len(self._travelling) < len(self._missing):
            if self._missing[len(self._travelling)]:
                return
            self._start()

    def finish(self) -> None:
        """Start what is left, because not all layers ran; wait, and make means of the sums."""
        while len(self._travelling) < len(self._missing):
            self._start()
        for piece, travelling in zip(self.order.pieces, self._travelling, strict=True):
            self._world.wait(travelling)
            self.order.gradients[piece] /= self._world.size

    def _start(self) -> None:
        piece = self.order.pieces[len(self._travelling)]
        self._travelling.append(self._world.start_sum(self.order.gradients[piece]))


def _layers(net: Module) -> Iterator[Place]:
    """Yield the places of what is called as a whole, because it may do something of its own."""
    for place in walk(net, lambda part: type(part) in _PLAIN):
        if type(place.module) not in _PLAIN:
            yield place


def _ends(entries: Any) -> tuple[int, int]:
    if isinstance(entries, slice):
        return entries.start, entries.stop
    return int(entries.min()), int(entries.max()) + 1


def _joined(tables: list[Any]) -> Any:
    arrays = [leaves(table) for table in tables]
    return rebuilt(tables[0], [np.concatenate(column) for column in zip(*arrays, strict=True)])


def _tree_sum(arrays: list[Array]) -> Array:
    """Return the sum of a power of two of arrays, as the same tree whoever holds which."""
    while len(arrays) > 1:
        arrays = [a + b for a, b in zip(arrays[::2], arrays[1::2], strict=True)]
    return arrays[0]
