"""Rank 1 goes wrong in a way of its own: python failures.py KIND."""

import os
import signal
import sys
import time

import numpy as np

import torchlite as nn
from torchlite import distributed

# Where the others wait in vain.
WAITING = {"hang", "receive", "elsewhere", "calls"}


def go_wrong(kind):
    print(f"pid {os.getpid()}\n", end="", flush=True)
    with distributed.Group(timeout=3 if kind in WAITING else 60) as world:
        if kind == "network":
            distributed.DataParallel(nn.Linear(3, 2 + world.rank), world)
        number = np.ones(1)
        world.wait(world.start_sum(number))
        if world.rank == 1:
            if kind == "raise":
                raise ValueError("rank 1 has had enough")
            if kind == "exit":
                sys.exit(3)
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "hang":
                time.sleep(600)
        if kind == "sizes":
            world.wait(world.start_sum(np.ones(1 + world.rank)))
        if kind == "calls" and world.rank == 1:
            world.broadcast(np.ones(1))
        if kind == "settings":
            distributed.DataParallel(nn.Linear(3, 2), world, 2 if world.rank else None)
        if kind == "receive":
            world.recv(1 - world.rank)
        if kind == "elsewhere" and world.rank == 1:
            world.recv(0)
        if kind != "fewer" or world.rank != 1:
            world.wait(world.start_sum(number))
    print("never" if kind != "nothing" else "fine")


if __name__ == "__main__":
    go_wrong(sys.argv[1])
