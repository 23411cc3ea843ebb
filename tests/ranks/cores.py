"""Each rank has threads for its part of the cores inside a group, and all of them afterwards."""

import os
import sys

from threadpoolctl import threadpool_info

import torchlite
from torchlite import distributed
from torchlite.kernels import threads as pool


def threads():
    return [torchlite.threads(), *(library["num_threads"] for library in threadpool_info())]


if __name__ == "__main__":
    if "hidden" in sys.argv:
        pool.openblas = lambda: None
    before = threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with distributed.Group() as world:
        assert all(n <= max(1, cores // world.size) for n in threads()), threads()
    assert threads() == before
