"""What several ranks find, for tests/test_distributed.py: python together.py FOLDER PART ..."""

import sys
from pathlib import Path

import numpy as np

import torchlite
import torchlite as nn
from torchlite import distributed, optim, random, serial
from torchlite.distributed.group import shares

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((24, 5)), rng.integers(0, 3, 24)


class SkipsOnRank1(nn.Sequential):
    """Leaves its modules out on rank 1."""

    rank = 0

    def updateOutput(self, input):
        if self.rank == 1:
            self.output = input
            return input
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        if self.rank == 1:
            self.gradInput = gradOutput
            return gradOutput
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        if self.rank != 1:
            super().accGradParameters(input, gradOutput, scale)


def network(kind, rank):
    shared, before = nn.Linear(8, 8), nn.Linear(5, 8)
    if kind == "no gradInput":
        before.gradInput = None
    branches = nn.ConcatTable(nn.Linear(8, 8), shared)
    net = nn.Sequential(before, branches, nn.CAddTable(), nn.Tanh(), shared)
    if kind == "sync":
        net.insert(nn.BatchNormalization(8), 1)
    if kind == "dropout":
        net.add(nn.Dropout(0.4))
    if kind == "skips":
        net.add(SkipsOnRank1(nn.Linear(8, 8)))
        net[-1].rank = rank
    return net.add(nn.Sequential(nn.Linear(8, 3), nn.LogSoftMax()))


def step(net, parallel, mine, criterion, batch, accumulate=1):
    x, y = X[batch][mine], Y[batch][mine]
    parallel.zeroGradParameters()
    for _ in range(accumulate):
        output = parallel.forward(x)
        loss = criterion.forward(output, y)
        parallel.backward(x, criterion.backward(output, y), 1 / accumulate)
    return loss


def data_parallel(world):
    """The gradients of one batch: of 12 samples, of 2 (the last rank has none), accumulated."""
    for kind in ("plain", "no gradInput", "sync", "skips"):
        for name, size, accumulate in (
            ("even", 12, 1),
            ("uneven", 13, 1),
            ("empty", 2, 1),
            ("twice", 12, 2),
        ):
            torchlite.manualSeed(1)
            net = network(kind, world.rank)
            if world.rank:
                # Rank 0's are to be taken.
                net.getParameters()[0][:] = 7
            parallel = distributed.DataParallel(net, world, sync=kind == "sync")
            step(net, parallel, world.rows(size), nn.ClassNLLCriterion(), slice(size), accumulate)
            parameters, gradients = net.getParameters()
            for found in world.gather(gradients.copy()):
                assert (found == gradients).all()
            running = net[1].running_var if kind == "sync" else np.zeros(0)
            keep(world, f"{kind} {name}", np.concatenate([gradients, parameters, running]))
            if kind == "skips":
                np.testing.assert_allclose(gradients, skipping(world, size), 1e-11, 1e-13)


def skipping(world, size):
    """The gradients of a batch whose layer rank 1 leaves out, by one rank's samples at a time."""
    torchlite.manualSeed(1)
    net = network("skips", 0)
    for rank in range(world.size):
        net[-2].rank = rank
        mine = shares(size, world.size, rank)
        if mine.stop > mine.start:
            criterion, x = nn.ClassNLLCriterion(), X[:size][mine]
            criterion.forward(net.forward(x), Y[:size][mine])
            gradOutput = criterion.backward(net.output, Y[:size][mine])
            net.backward(x, gradOutput, len(x) / size)
    return net.getParameters()[1]


def sharded(world):
    """Six steps with Adam and Dropout; and the same, with an interruption after three."""
    for first, last in ((0, 6), (0, 3), (3, 6)):
        torchlite.manualSeed(1)
        net, state = network("dropout", world.rank), {}
        path = Path(sys.argv[1]) / f"checkpoint of {min(2, world.size) if first else world.size}"
        if first:
            net, state, extra = serial.load_checkpoint(path)
        parallel = distributed.DataParallel(net, world, shards=4)
        if first:
            parallel.setRNGStates(extra["streams"])
        parameters, gradients = net.getParameters()
        for _ in range(first, last):
            size = int(random.random(3, 5)) * 4
            rows = world.rows(size, 4)
            step(net, parallel, rows, nn.ClassNLLCriterion(), random.randperm(24)[:size])
            optim.adam(
                lambda _, found=gradients: (0.0, found), parameters, {"learningRate": 0.05}, state
            )
        streams = parallel.getRNGStates()
        if last == 3 and world.rank == 0:
            serial.save_checkpoint(path, net, state, streams=streams)
        # Nobody reads before it is written.
        world.gather(None)
        keep(world, f"shards {first} to {last}", parameters)


def pipelines(world):
    """Three steps of every schedule, in two and four stages, with seven uneven micro-batches."""
    xs = [X[i : i + 3 + i % 2] for i in range(7)]
    ys = [Y[i : i + 3 + i % 2] for i in range(7)]
    for name in ("gpipe", "one_f_one_b", "split", "zb_h1", "zb_h2"):
        for cuts in ([3], [1, 3, 4]):
            if world.size > len(cuts) + 1:
                continue
            torchlite.manualSeed(1)
            net = nn.Sequential(
                *(nn.Linear(5, 8), nn.Tanh(), nn.Dropout(0.4), nn.BatchNormalization(8)),
                *(nn.Linear(8, 3), nn.LogSoftMax()),
            )
            schedule = getattr(distributed, name)(len(cuts) + 1, 7)
            pipeline = distributed.Pipeline(net, cuts, world, schedule)
            losses = []
            for _ in range(3):
                pipeline.part.zeroGradParameters()
                losses.append(pipeline.step(xs, ys, nn.ClassNLLCriterion()))
                pipeline.part.updateParameters(0.1)
            whole = pipeline.collect().getParameters()[0]
            for found in world.gather(np.append(whole, losses)):
                assert (found == np.append(whole, losses)).all()
            keep(world, f"{name} {len(cuts) + 1}", np.append(whole, losses))
    if world.size <= 2:
        # Stages may have orders of their own.
        works = [["F0", "F1", "BW0", "BW1"], ["F1", "F0", "BW1", "BW0"]]
        schedule = [
            [distributed.Work(work[:-1], stage, int(work[-1])) for work in row]
            for stage, row in enumerate(works)
        ]
        torchlite.manualSeed(1)
        net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3), nn.LogSoftMax())
        pipeline = distributed.Pipeline(net, [2], world, schedule)
        loss = pipeline.step(xs[:2], ys[:2], nn.ClassNLLCriterion())
        pipeline.part.updateParameters(0.1)
        keep(world, "orders", np.append(pipeline.collect().getParameters()[0], loss))
    plan = pipeline.measured()
    assert [len(works) for works in plan.stages] == [len(works) for works in schedule]


def verbs(world):
    """What a group can do; and groups that come and go."""
    if world.size == 2:
        for _ in range(600):
            with distributed.Group():
                pass
    others = [rank for rank in range(world.size) if rank != world.rank]
    array = np.full(3, 1.0 + world.rank)
    waiting = world.start_sum(array)
    world.wait(waiting)
    world.wait(waiting)
    assert (array == sum(range(1, world.size + 1))).all()
    assert world.gather("r" * world.rank) == ["r" * rank for rank in range(world.size)]
    assert world.broadcast(np.full(2, world.rank), world.size - 1)[0] == world.size - 1
    sent = [world.send([np.full(100_000, world.rank), "text"], rank) for rank in others]
    for rank in others:
        numbers, text = world.recv(rank)
        assert (numbers == rank).all()
        assert text == "text"
    for waiting in sent:
        world.wait(waiting)
    mean = np.array([float(world.rank)])
    distributed.average(mean, world)
    assert mean[0] == (world.size - 1) / 2
    parameters, center = np.array([float(world.rank)]), np.zeros(1)
    distributed.average_elastically(parameters, center, 0.5, world)
    assert parameters[0] == world.rank / 2
    assert center[0] == sum(range(world.size)) / 2


def keep(world, name, array):
    if world.rank == 0:
        np.save(Path(sys.argv[1]) / f"{name} on {world.size}.npy", array)


if __name__ == "__main__":
    with distributed.Group(timeout=30) as world:
        for part in sys.argv[2:]:
            globals()[part](world)
        if world.rank == 0:
            print("done", world.size)
