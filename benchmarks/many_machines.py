"""How well ranks overlap: pipelines against their simulation, messages behind the backward.

    python benchmarks/many_machines.py           start 2 ranks, then 8, and print tables

Layers that sleep take as long however many ranks share a core, so that what is measured is what the
schedules and the messages cost. Needs mpiexec: pip install mpi4py threadpoolctl mpich
"""

import subprocess
import sys
import time
from itertools import pairwise

import numpy as np

import torchlite as nn
from torchlite import distributed
from torchlite.distributed.group import Waiting

# Seconds that a forward, updateGradInput and accGradParameters of a stage take.
T_F, T_B, T_W = 0.02, 0.02, 0.02
ROUNDS = 5


class Sleeping(nn.Linear):
    """A small Linear that takes its time."""

    seconds = (T_F, T_B, T_W)

    def updateOutput(self, input):
        time.sleep(self.seconds[0])
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        time.sleep(self.seconds[1])
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        time.sleep(self.seconds[2])
        super().accGradParameters(input, gradOutput, scale)


class Delayed(distributed.Group):
    """A group whose sums arrive one after the other, each so many seconds after the last."""

    delay = 0.0
    free = 0.0

    def start_sum(self, array, beside=False):
        waiting = super().start_sum(array, beside)
        if array.size == 1:
            return waiting
        self.free = arrival = max(time.monotonic(), self.free) + self.delay
        return Waiting(
            waiting.what, lambda: time.monotonic() >= arrival and waiting._done(), waiting._call
        )


def pipelines(world):
    stages, micro_batches = world.size, 3 * world.size
    if world.rank == 0:
        print(f"\n{stages} stages, {micro_batches} micro-batches, F = B = W = {1000 * T_F:g} ms")
        print("| schedule | bubble, simulated | measured | holds |\n|---|--:|--:|--:|")
    for name in ("gpipe", "one_f_one_b", "split", "zb_h1", "zb_h2"):
        schedule = getattr(distributed, name)(stages, micro_batches)
        net = nn.Sequential(*(Sleeping(4, 4) for _ in range(stages)))
        pipeline = distributed.Pipeline(net, range(1, stages), world, schedule)
        batches = [np.ones((2, 4))] * micro_batches
        measured = []
        for _ in range(ROUNDS):
            pipeline.step(batches, batches, nn.MSECriterion())
            measured.append(pipeline.measured().share)
        plan = distributed.simulate(schedule, T_F, T_B, T_W)
        if world.rank == 0:
            print(
                f"| {name} | {100 * plan.share:.1f} % | {100 * np.median(measured):.1f} % "
                f"| {max(plan.held)} |"
            )


def overlap(world):
    layers, computing = 8, 8 * (T_F + T_B + T_W)
    world.delay = 0.6 * computing / layers
    distributed.data_parallel._BUCKET = 4 * 5
    net = nn.Sequential(*(Sleeping(4, 4) for _ in range(layers)))
    parallel = distributed.DataParallel(net, world)
    x = np.ones((2, 4))

    def blocking():
        output = parallel.forward(x)
        parallel.updateGradInput(x, output)
        parallel.accGradParameters(x, output)

    found = times(
        world,
        {
            "computing alone": lambda: net.backward(x, net.forward(x)),
            "in turn, messages on their way": lambda: parallel.backward(x, parallel.forward(x)),
            "then all messages": blocking,
        },
    )
    if world.rank == 0:
        print(f"\n{layers} layers, messages that take 0.6 of the computing, 2 ranks")
        table(found, "computing alone")


def shared_memory(world):
    sizes = [784, 1024, 1024, 1024, 10]
    layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    net = nn.Sequential(*layers).float()
    parallel = distributed.DataParallel(net, world)
    x = np.ones((128, 784), np.float32)
    _, gradients = net.getParameters()

    def blocking():
        net.backward(x, net.forward(x))
        world.wait(world.start_sum(gradients))
        gradients[...] /= world.size

    found = times(
        world,
        {
            "backward, then one blocking sum": blocking,
            "DataParallel": lambda: parallel.backward(x, parallel.forward(x)),
        },
    )
    if world.rank == 0:
        print(f"\n784-1024-1024-1024-10, float32, 128 samples a rank, {world.size} ranks")
        table(found, "backward, then one blocking sum")


def times(world, ways):
    """Seconds of each way, interleaved: the least of several rounds."""
    found = {name: [] for name in ways}
    for _ in range(2 * ROUNDS):
        for name, way in ways.items():
            world.gather(None)
            begin = time.monotonic()
            way()
            found[name].append(time.monotonic() - begin)
    return {name: min(seconds) for name, seconds in found.items()}


def table(found, base):
    print("| | milliseconds | ratio |\n|---|--:|--:|")
    for name, seconds in found.items():
        print(f"| {name} | {1000 * seconds:.1f} | {seconds / found[base]:.2f} |")


if __name__ == "__main__":
    if sys.argv[1:]:
        with Delayed(timeout=60) as world:
            for part in sys.argv[1:]:
                globals()[part](world)
    else:
        for ranks, parts in ((2, ["pipelines", "overlap", "shared_memory"]), (8, ["pipelines"])):
            program = [sys.executable, "-W", "ignore", __file__, *parts]
            launched = ["mpiexec", "-n", str(ranks), *program]
            subprocess.run(launched, check=True, stdin=subprocess.DEVNULL)
