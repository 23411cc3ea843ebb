"""A step of optim.adam beside one of torch.optim.Adam, float32, one thread.

    pip install torch
    python benchmarks/adam.py

Two sizes: ten million parameters in one tensor, where memory decides, and 121 in four tensors, a
network of 10 - 10 - 1, where calls do; torchlite has them in one flat array each time. All take
turns in every round, so that whatever else the machine does falls on all alike. Printed is the
median over the rounds, and how long torchlite takes in proportion.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np

from torchlite import optim

try:
    import torch
except ImportError:
    sys.exit("benchmarks/adam.py compares with PyTorch: pip install torch")

KINDS = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def steppers(shapes: list[tuple[int, ...]]) -> dict[str, Callable[[], object]]:
    """By name, a function that takes one step, each on parameters and state of its own."""
    rng = np.random.RandomState(1)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    x = np.concatenate([array.reshape(-1) for array in arrays])
    gradient, config = x / 2, {"learningRate": 1e-3}
    steps: dict[str, Callable[[], object]] = {
        "torchlite": lambda: optim.adam(lambda _: (0.0, gradient), x, config)
    }
    for kind, options in KINDS.items():
        parameters = [torch.nn.Parameter(torch.tensor(array)) for array in arrays]
        for parameter in parameters:
            parameter.grad = parameter.detach() / 2
        steps[f"PyTorch {kind}"] = torch.optim.Adam(parameters, lr=1e-3, **options).step
    return steps


def compare(title: str, shapes: list[tuple[int, ...]], rounds: int, repeats: int) -> None:
    """Print the median time of a step of each, and torchlite's in proportion."""
    steps = steppers(shapes)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = perf_counter()
            for _ in range(repeats):
                step()
            times[name].append((perf_counter() - start) / repeats)
    # The first round makes the state.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    print(title)
    for name, seconds in medians.items():
        print(f"  {name:16} {1e6 * seconds:12,.1f} us   {medians['torchlite'] / seconds:6.2f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare("10,000,000 parameters", [(10_000_000,)], rounds=15, repeats=1)
    compare("121 parameters", [(10, 10), (10,), (1, 10), (1,)], rounds=50, repeats=50)
