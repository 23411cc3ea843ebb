"""Pipeline: a network cut into stages, each on a rank, that work on micro-batches at one time."""

import operator
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.distributed.group import Group, Waiting, shares
from torchlite.distributed.micro_batches import Memory, put_back, take_out
from torchlite.distributed.networks import carried_arrays, must_be_alike, samples
from torchlite.distributed.schedules import (
    Plan,
    Schedule,
    Timed,
    Work,
    must_be_complete,
    simulate,
)
from torchlite.errors import SettingError, ShapeError, StateError, fault
from torchlite.kernels.arrays import Array
from torchlite.kernels.views import overlaps
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.criterion import Criterion
from torchlite.nn.nested import shapes

__all__ = ["Pipeline"]


class Pipeline:
    """A Sequential cut into stages that different ranks run.

    Each micro-batch passes through the stages, forwards and back; while one works on this, others
    work on those before and after it. In which order a stage works, a schedule says.

    Maths
    -----
    With n of N samples in a micro-batch and L its mean loss::

        gradWeight += the sum over all micro-batches of n / N * dL/dweight

    Parameters
    ----------
    net
        The Sequential, built alike on all ranks, which is looked at first. Its parameters, running
        statistics, and the state of `torchlite.random` become rank 0's.
    cuts
        Before which modules the second stage begins, the third ...
    world
        The group. Ranks with a greater number have the later stages. They may be fewer than the
        stages, down to one.
    schedule
        `gpipe(stages, micro_batches)`, `one_f_one_b`, `split`, `zb_h1`, `zb_h2`, or one like these.

    Attributes
    ----------
    part
        The modules of this rank's stages, as a Sequential: what this rank is to update.
    stages
        This rank's stages, by number.
    timed
        What this rank did in the last step, and when.

    Conventions
    -----------
    Layers draw from a stream a stage, whichever rank it is on, begun where the common one stood.
    The criterion must average over its samples. What layers remember of a micro-batch is taken out
    of them while they work on others: what their class names in `transient`, where a layer of your
    own must name what its forward leaves for its backward.

    Raises
    ------
    SettingError
        cuts do not cut the network, or the schedule is for another number of stages.
    StateError
        The networks differ, or two stages share a parameter.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import distributed
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    >>> with distributed.Group() as world:  # doctest: +SKIP
    ...     pipeline = distributed.Pipeline(net, [2], world, distributed.zb_h1(2, 3))
    ...     pipeline.step([np.ones((5, 3))] * 3, [np.ones((5, 1))] * 3, nn.MSECriterion())

    Reference
    ---------
    Qi et al., Zero bubble pipeline parallelism, 2023.
    """

    def __init__(
        self, net: Sequential, cuts: Sequence[int], world: Group, schedule: Schedule
    ) -> None:
        bounds = [0, *map(operator.index, cuts), len(net)]
        if any(end <= begin for begin, end in pairwise(bounds)):
            expected = f"positions that rise between 1 and {len(net) - 1}"
            raise fault(SettingError, "Pipeline", "cuts", expected, str(list(cuts)))
        count = len(bounds) - 1
        if len(schedule) != count:
            got = f"one for {len(schedule)}"
            expected = f"for {count} stages, as there are cuts"
            raise fault(SettingError, "Pipeline", "schedule", expected, got)
        must_be_complete(schedule)
        if world.size > count:
            expected = f"at most {count} ranks, one a stage"
            raise fault(SettingError, "Pipeline", "world", expected, str(world.size))
        stages = [net[begin:end] for begin, end in pairwise(bounds)]
        _refuse_shared(stages)
        plan = [[tuple(work) for work in works] for works in schedule]
        must_be_alike(net, world, f"cuts {list(cuts)}, schedule {plan}")
        self.world = world
        self.net = net
        self.schedule = schedule
        ranks = [shares(count, world.size, rank) for rank in range(world.size)]
        self._rank_of = [rank for rank, mine in enumerate(ranks) for _ in range(count)[mine]]
        mine = range(count)[ranks[world.rank]]
        self.stages = {stage: stages[stage] for stage in mine}
        self.part = net[bounds[mine.start] : bounds[mine.stop]]
        self._all = stages
        self._streams = {stage: random.jumped(stage + 1) for stage in mine}
        self.timed: list[Timed] = []
        # Stages of one rank take turns as they would if each had its own.
        planned = [timed for stage in mine for timed in simulate(schedule).stages[stage]]
        self._works = [work for work, *_ in sorted(planned, key=operator.itemgetter(1))]

    def step(self, xs: Sequence[Any], ys: Sequence[Any], criterion: Criterion) -> float:
        """Add the gradients of all micro-batches to those of this rank's part; return the loss.

        All ranks take part, and are given the same: xs and ys hold an input and a target for each
        micro-batch of the schedule, which may differ in size.
        """
        count = sum(work.kind == "F" for work in self.schedule[0])
        for name, given in (("xs", xs), ("ys", ys)):
            if len(given) != count:
                expected = f"{count} micro-batches, as the schedule has"
                raise fault(SettingError, "Pipeline.step", name, expected, str(len(given)))
        if getattr(criterion, "sizeAverage", True) is not True:
            got = "sizeAverage=False"
            raise fault(SettingError, "Pipeline.step", "criterion", "one that averages", got)
        step = _Step(self, xs, ys, criterion)
        self.timed = []
        with self.world.progress():
            for work in self._works:
                step.run(work)
            for waiting in step.sent:
                self.world.wait(waiting)
        loss = np.array([step.loss])
        self.world.broadcast(loss, self._rank_of[-1])
        return float(loss[0])

    def collect(self) -> Sequential:
        """Return the whole network, with every stage's arrays as its rank has them, on all ranks.

        All ranks take part.
        """
        for stage, rank in zip(self._all, self._rank_of, strict=True):
            for array in carried_arrays(stage):
                array[...] = self.world.broadcast(array.copy(), rank)
        return self.net

    def getRNGStates(self) -> Array:
        """Return the states of all stages' streams, for a checkpoint. All ranks take part."""
        mine = [stream.getRNGState() for stream in self._streams.values()]
        return np.array([state for states in self.world.gather(mine) for state in states])

    def setRNGStates(self, states: Array) -> Self:
        """Go on drawing from where `getRNGStates` was called, whatever the ranks. Return self."""
        if len(states) != len(self.schedule):
            expected, got = f"({len(self.schedule)}, 5048)", shapes(states)
            raise fault(ShapeError, "Pipeline.setRNGStates", "states", expected, got)
        for stage, stream in self._streams.items():
            stream.setRNGState(states[stage])
        return self

    def measured(self) -> Plan:
        """Return who did what when in the last step, in seconds. All ranks take part.

        On several machines that is as good as their clocks agree.
        """
        timed = [row for rows in self.world.gather(self.timed) for row in rows]
        if not timed:
            raise StateError("Pipeline.measured: there was no step", hint="call step(...) first")
        return Plan(
            [
                sorted((row for row in timed if row.work.stage == stage), key=lambda row: row.begin)
                for stage in range(len(self.schedule))
            ]
        )


class _Step:
    """What is on the way between the stages of one rank, and to others, in one step."""

    def __init__(
        self, pipeline: Pipeline, xs: Sequence[Any], ys: Sequence[Any], criterion: Criterion
    ) -> None:
        self.pipeline = pipeline
        self.world = pipeline.world
        self.criterion = criterion
        self.ys = ys
        self.last = len(pipeline.schedule) - 1
        counts = [samples(x) for x in xs]
        self.shares = [n / (sum(counts) or 1) for n in counts]
        self.loss = 0.0
        self.sent: list[Waiting] = []
        # What stands before a stage: inputs by ("F", stage, micro-batch), gradients of its
        # outputs by ("B", stage, micro-batch).
        self.before: dict[tuple[str, int, int], Any] = {("F", 0, i): x for i, x in enumerate(xs)}
        self.memories: dict[tuple[int, int], Memory] = {}

    def run(self, work: Work) -> None:
        kind, number, batch = work
        stage = self.pipeline.stages[number]
        self.receive(work)
        begin = time.monotonic()
        put_back(stage, self.memories.pop((number, batch), []))
        with random.drawing_from(self.pipeline._streams[number]):
            result = getattr(self, f"do_{kind}")(stage, number, batch)
        if "W" in kind:
            take_out(stage)
            del self.before["F", number, batch], self.before["B", number, batch]
        else:
            self.memories[number, batch] = take_out(stage)
        self.pipeline.timed.append(Timed(work, begin, time.monotonic()))
        if kind == "F" and number < self.last:
            self.hand_on(("F", number + 1, batch), result)
        elif "B" in kind and number:
            self.hand_on(("B", number - 1, batch), result)

    def receive(self, work: Work) -> None:
        """Receive, for some work, what another rank has done; that may come in another order."""
        kind, number, batch = work
        source = number - 1 if kind == "F" else number + 1
        if kind != "W" and 0 <= source <= self.last:
            rank = self.pipeline._rank_of[source]
            while rank != self.world.rank and (kind[0], number, batch) not in self.before:
                key, result = self.world.recv(rank)
                self.before[key] = result

    def hand_on(self, key: tuple[str, int, int], result: Any) -> None:
        """Give what was found to the stage that needs it."""
        rank = self.pipeline._rank_of[key[1]]
        if rank == self.world.rank:
            self.before[key] = result
        else:
            self.sent.append(self.world.send((key, result), rank))

    def do_F(self, stage: Sequential, number: int, batch: int) -> Any:
        output = stage.updateOutput(self.before["F", number, batch])
        if number == self.last:
            target = self.ys[batch]
            self.loss += self.shares[batch] * self.criterion.forward(output, target)
            self.before["B", number, batch] = self.criterion.backward(output, target)
        return output

    def do_B(self, stage: Sequential, number: int, batch: int) -> Any:
        gradOutput = self.before["B", number, batch]
        return stage.updateGradInput(self.before["F", number, batch], gradOutput)

    def do_W(self, stage: Sequential, number: int, batch: int) -> None:
        input, gradOutput = (self.before[kind, number, batch] for kind in "FB")
        if self.shares[batch]:
            stage.accGradParameters(input, gradOutput, self.shares[batch])

    def do_BW(self, stage: Sequential, number: int, batch: int) -> Any:
        result = self.do_B(stage, number, batch)
        self.do_W(stage, number, batch)
        return result


def _refuse_shared(stages: list[Sequential]) -> None:
    arrays = [
        (number, array) for number, stage in enumerate(stages) for array in stage.parameters()[0]
    ]
    for one, other in overlaps([array for _, array in arrays]):
        first, second = sorted((arrays[one][0], arrays[other][0]))
        if first != second:
            raise StateError(
                f"Pipeline: stages {first} and {second} share a parameter, and each stage's are "
                "its rank's own",
                argument="net",
                hint="cut where both are in one stage, or give the second a clone()",
            )
