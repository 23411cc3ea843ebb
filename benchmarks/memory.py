"""The program that measures how much memory one library takes to train one network; Linux only."""

import ctypes
import gc
import re
from pathlib import Path

from benchmarks.cases import NAMED, material
from benchmarks.peers import enter
from benchmarks.programs import answer

__all__ = []

STEPS = 3


def main(threads, dtype, peer, case):
    """Return by its name the bytes of the library's first contender, if there is one."""
    contenders, _ = enter(threads, dtype, [peer])
    able = [c for c in contenders[:1] if c.finds and not c.apart]
    return {c.name: peak(c, NAMED[case], dtype) for c in able}


def peak(contender, case, dtype):
    """Return the bytes that a network and steps of its training take at most.

    A small network is trained first: what a library allocates once, whatever the network, is not
    counted. Neither is what making the network and compiling its steps took. Images and sequences,
    which may take more than all else, count once, whether the library copies them or not.
    """
    with contender.turn():
        repeat(contender.step(case.tiny(), material(case.tiny(), dtype)))
        start = None if case.work in ("windows", "sequences") else material(case, dtype)
        hand_back()
        before = kibibytes("VmRSS")
        step = contender.step(case, start or material(case, dtype))
        repeat(step)
        hand_back()
        # From here on the peak counts anew.
        Path("/proc/self/clear_refs").write_text("5")
        repeat(step)
    return 1024 * (kibibytes("VmHWM") - before)


def repeat(step):
    for _ in range(STEPS):
        step()


def hand_back():
    """Give the system what is free: the making of a network leaves more or less of that behind."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def kibibytes(field):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{field}:\s*(\d+) kB", status, re.MULTILINE)[1])


if __name__ == "__main__":
    answer(main)
