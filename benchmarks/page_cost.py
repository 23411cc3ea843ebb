"""How long a recording and its page take of chains of layers, and how that grows with their number.

    python benchmarks/page_cost.py [LAYERS ...]

Linear and Tanh in turn, of width 14, on a batch of 14: all arrays have few enough entries for
numeric derivatives. In seconds of one processor, the least of three.
"""

import os

# NumPy's libraries read these when they are loaded.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import torchlite as nn
from torchlite.stepping import trace

WIDTH = 14
LAYERS = 30, 60, 100, 300


def chain(layers):
    nn.manualSeed(1)
    kinds = (nn.Linear(WIDTH, WIDTH) if i % 2 == 0 else nn.Tanh() for i in range(layers))
    x, y = np.random.default_rng(0).standard_normal((2, WIDTH, WIDTH))
    return nn.Sequential(*kinds), x, nn.MSECriterion(), y


def seconds(run, *arguments, **named):
    start = time.process_time()
    result = run(*arguments, **named)
    return time.process_time() - start, result


def measure(layers, file):
    """Return the seconds of the recording, of a page without and of one with derivatives."""
    best = np.full(3, np.inf)
    for _ in range(3):
        recorded, steps = seconds(trace, *chain(layers))
        plain, _ = seconds(steps.to_html, file, numeric=False)
        whole, _ = seconds(steps.to_html, file)
        best = np.minimum(best, [recorded, plain, whole])
    if "There are none at" in Path(file).read_text("utf-8"):
        raise SystemExit(f"{layers} layers: some derivatives were left out")
    return best


def main(numbers):
    print("| layers | `trace` | `to_html(file, numeric=False)` | `to_html(file)` | a layer |")
    print("|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for layers in map(int, numbers or LAYERS):
            recorded, plain, whole = measure(layers, f"{folder}/page.html")
            each = f"{1000 * whole / layers:.0f} ms"
            print(f"| {layers} | {recorded:.2f} s | {plain:.2f} s | {whole:.1f} s | {each} |")


if __name__ == "__main__":
    main(sys.argv[1:])
