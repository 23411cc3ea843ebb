"""Taking turns, so that whatever else the machine does happens to every contender.

A contender's turn lasts some 50 ms and counts by the median of its steps; the contender counts by
its best turn. The order is drawn anew for every round. Slow steps make long turns and few rounds.
"""

import random
import statistics
import time
from typing import NamedTuple

__all__ = ["FULL", "ONCE", "QUICK", "Pace", "take_turns"]

# A contender that is so slow that it has not had its turns by then gets no more.
PATIENCE = 10.0


class Pace(NamedTuple):
    """Seconds of a turn, of all turns and rests of a contender, and turns that it gets at least."""

    turn: float
    share: float
    turns: int


FULL = Pace(0.05, 0.8, 5)
QUICK = Pace(0.02, 0.06, 2)
ONCE = Pace(0.0, 0.0, 1)


def take_turns(steps, pace, rest=0.0, shared=False):
    """Return the seconds that each step takes.

    steps: by name, the step and a function that returns what a turn is to run inside of.
    rest: seconds before each turn in which the threads of the one before it fall asleep; with one
    thread there is none.
    shared: others use the processors. A turn counts by its best step, and one thread by the time
    that it had a processor.
    """
    rng = random.Random(0)
    clock = time.process_time if shared and not rest else time.perf_counter
    counts = min if shared else statistics.median
    found = {name: [] for name in steps}
    spent = dict.fromkeys(steps, 0.0)
    waiting = list(steps)
    while waiting:
        rng.shuffle(waiting)
        for name in waiting:
            step, surroundings = steps[name]
            time.sleep(rest)
            with surroundings():
                times = _turn(step, pace.turn, clock)
            found[name].append(counts(times))
            spent[name] += sum(times) + rest
        waiting = [
            name
            for name in waiting
            if spent[name] < pace.share
            or (len(found[name]) < pace.turns and spent[name] < PATIENCE)
        ]
    return {name: min(turns) for name, turns in found.items()}


def _turn(step, seconds, clock):
    """The times of the steps of one turn, of at least one."""
    if hasattr(step, "times"):
        return step.times(seconds)
    times = []
    end = clock() + seconds
    while True:
        start = clock()
        step()
        stop = clock()
        times.append(stop - start)
        if stop >= end:
            return times
