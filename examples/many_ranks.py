"""Handwritten digits on several processes: each has a part of every batch, all have one network.

    python examples/many_ranks.py                           one process
    mpiexec -n 2 python examples/many_ranks.py              two, with the same result
    mpiexec -n 2 python examples/many_ranks.py --sharded    each keeps Adam's state of a half

Needs mpi4py and an MPI: pip install mpi4py threadpoolctl mpich
"""

import argparse

import numpy as np

import torchlite
import torchlite as nn
from torchlite import distributed, optim, random
from torchlite.datasets import digits


def train(world, epochs, sharded):
    torchlite.manualSeed(1)
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    net.add(nn.LogSoftMax())
    criterion = nn.ClassNLLCriterion()
    # Two shards, whether one process works on both or two on one each.
    parallel = distributed.DataParallel(net, world, shards=2)
    parameters, gradients = net.getParameters()
    # This rank's part of the optimizer's work: all, or a stretch of the parameters.
    mine = world.rows(parameters.size) if sharded else slice(None)
    config, state = {"learningRate": 0.01}, {}

    for epoch in range(epochs):
        order, total = random.randperm(len(x)), 0.0
        for begin in range(0, len(x) - 31, 32):
            batch = order[begin : begin + 32]
            rows = batch[world.rows(32, shards=2)]
            parallel.zeroGradParameters()
            output = parallel.forward(x[rows])
            total += criterion.forward(output, y[rows]) * len(rows)
            parallel.backward(x[rows], criterion.backward(output, y[rows]))
            optim.adam(lambda part: (0.0, gradients[mine]), parameters[mine], config, state)
            if sharded:
                parts = world.gather(parameters[mine].copy())
                parameters[...] = np.concatenate(parts)
        loss = sum(world.gather(total)) / len(x)
        if world.rank == 0:
            print(f"epoch {epoch + 1}: loss {loss:.4f}")

    if world.rank == 0:
        right = (net.evaluate().forward(x_test).argmax(1) == y_test).mean()
        print(f"{100 * right:.1f} % of the test images are read right")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--sharded", action="store_true", help="share the optimizer's state out")
    arguments = parser.parse_args()
    with distributed.Group(timeout=60) as world:
        train(world, arguments.epochs, arguments.sharded)
