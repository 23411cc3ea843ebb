"""The program that measures cases, with one number of threads and one dtype."""

import gc
import sys

from benchmarks.agreement import agree, numbers
from benchmarks.cases import NAMED, material
from benchmarks.peers import enter, versions
from benchmarks.programs import answer
from benchmarks.timing import Pace, take_turns

__all__ = ["measure"]

# Compilers work in the first ones; all contenders must agree in them.
FIRST_STEPS = 3
# After its last call OpenBLAS keeps threads awake for a tenth of a second, on processors that
# those of the next contender need: PyTorch's steps then take tens of times as long.
REST = 0.15


def measure(case, contenders, dtype, pace, rest=0.0, shared=False):
    """Return the seconds that each contender's step takes, by its name, if it has one."""
    start = material(case, dtype)
    steps, expected = {}, None
    for contender in contenders:
        with contender.turn():
            step = contender.step(case, start)
            if step is None:
                continue
            found = [numbers(step()) for _ in range(FIRST_STEPS)]
        steps[contender.name] = step, contender.turn
        if contender.finds:
            expected = expected or found
            agree(case, dtype, contender.name, found, expected)
    return take_turns(steps, pace, rest, shared)


def main(threads, dtype, peers, cases, pace, shared=False):
    """Return the times by case and contender, and who takes part."""
    contenders, absent = enter(threads, dtype, peers)
    times = {}
    for name in cases:
        print(f"  {name}", file=sys.stderr, flush=True)
        rest = REST if threads > 1 else 0.0
        times[name] = measure(NAMED[name], contenders, dtype, Pace(*pace), rest, shared)
        gc.collect()
    return {
        "times": times,
        "absent": absent,
        "versions": versions(contenders),
        "contenders": {c.name: {"all_gradients": c.all_gradients} for c in contenders},
    }


if __name__ == "__main__":
    answer(main)
