"""Each rank's BLAS uses its part of the cores inside a group, and all of them afterwards."""

import os

from threadpoolctl import threadpool_info

from torchlite import distributed


def threads():
    return [library["num_threads"] for library in threadpool_info()]


if __name__ == "__main__":
    before = threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with distributed.Group() as world:
        assert all(n <= max(1, cores // world.size) for n in threads()), threads()
    assert threads() == before
