"""How long the checker takes, and what of that each property takes.

    python benchmarks/checker_cost.py [NAME ...]

It checks small layers, for which nobody should have to wait, and large ones, in seconds of one
processor, and exits with status 1 if one takes longer than its budget. Names choose among the rows.
"""

import os

# NumPy's libraries read these when they are loaded.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bugs.good_cs231n import ConvIm2col

from torchlite import nn
from torchlite.testing import PROPERTIES, check_module

# What is asked of torchlite alone.
STRICT = "digits", "duck", "exceptions", "none"
SMALL, LARGE = 0.1, 2.0
ROWS = {
    "Linear": (lambda: nn.Linear(3, 2), (4, 3), SMALL),
    "Tanh": (nn.Tanh, (5, 3), SMALL),
    "BatchNormalization": (lambda: nn.BatchNormalization(3), (5, 3), SMALL),
    "Linear-1000-4": (lambda: nn.Linear(1000, 1000), (4, 1000), LARGE),
    "Linear-1000-64": (lambda: nn.Linear(1000, 1000), (64, 1000), LARGE),
    "Convolution-im2col": (lambda: ConvIm2col(3, 8), (16, 3, 32, 32), LARGE),
}


def timed(seconds, name, check):
    def run(subject):
        start = time.process_time()
        check(subject)
        seconds[name] = seconds.get(name, 0) + time.process_time() - start

    return run


def measure(make, shape):
    """Return the seconds of a check, the least of three, and those of the slowest properties."""
    best, shares = np.inf, {}
    for _ in range(3):
        seconds = {}
        kept = dict(PROPERTIES)
        PROPERTIES.update({name: timed(seconds, name, check) for name, check in kept.items()})
        start = time.process_time()
        try:
            check_module(make, shape=shape, exempt=dict.fromkeys(STRICT, "advice"))
        finally:
            PROPERTIES.update(kept)
        total = time.process_time() - start
        if total < best:
            best, shares = total, seconds
    return best, sorted(shares.items(), key=lambda item: -item[1])[:5]


def main(names):
    for name in names:
        if name not in ROWS:
            raise SystemExit(f"no layer here is called {name!r}; there are {', '.join(ROWS)}")
    late = 0
    print("| layer | seconds | budget | most of it |\n|---|--:|--:|---|")
    for name, (make, shape, budget) in ROWS.items():
        if names and name not in names:
            continue
        seconds, shares = measure(make, shape)
        late += seconds > budget
        most = ", ".join(f"{which} {share:.2g}" for which, share in shares)
        print(f"| {name} | {seconds:.2f} | {budget:g} | {most} |", flush=True)
    return late > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
