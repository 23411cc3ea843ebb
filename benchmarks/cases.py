"""What is measured: every case is a row of CASES.

A case says which piece of work is to be done on which sizes. `material` draws the numbers that all
contenders begin with.
"""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import chain, pairwise
from types import SimpleNamespace

import numpy as np

from benchmarks import sequences, windows
from benchmarks.sequences import GROWTH_OF_SEQUENCES, SEQUENCES
from benchmarks.windows import GROWTH_OF_WINDOWS, WINDOWS

__all__ = [
    "CASES",
    "GROWTH",
    "LEARNING_RATE",
    "MEMORY",
    "NAMED",
    "ROWS",
    "Case",
    "material",
    "named",
    "unnamed",
]

LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Case:
    """One piece of work.

    work
        - "training": forward, mean squared error, gradients to zero, backward and update of
          linear layers of these sizes with a ReLU between each two of them.
        - "forward": the forward of such a network alone.
        - "layer": forward and backward of one layer, for a given gradOutput.
        - "nll": LogSoftMax under the negative log-likelihood, forward and backward.
        - "adam", "sgd": one step of it on parameter tensors of these sizes, for given gradients;
          of sgd with momentum.
    sizes
        Of the layers, from the input on; of the layer's rows; of the parameter tensors.
    batch
        Rows of the input.
    """

    name: str
    work: str
    sizes: tuple[int, ...]
    batch: int = 1
    layer: str = ""
    slow: bool = False

    @property
    def title(self):
        return self.name

    def tiny(self):
        """The same work on sizes that take no time."""
        return replace(self, sizes=tuple(min(n, 3) for n in self.sizes), batch=min(self.batch, 4))


def training(*sizes, batch, name="", slow=False):
    name = name or "-".join(map(str, sizes))
    return Case(f"{name}, batch {batch}", "training", sizes, batch, slow=slow)


def forward(*sizes, batch):
    name = "-".join(map(str, sizes))
    return Case(f"forward alone, {name}, batch {batch}", "forward", sizes, batch)


def pointwise(layer):
    return Case(f"{layer}, 1,000,000", "layer", (1000,), 1000, layer)


def updates(method):
    named = method + " with momentum" * (method == "sgd")
    return (
        Case(f"{named}, 10,000,000 in one tensor", method, (10_000_000,)),
        Case(f"{named}, 121 in four tensors", method, (100, 10, 10, 1)),
    )


CASES = [
    training(1, 1, batch=3),
    training(10, 10, 1, batch=100),
    training(64, 64, 10, batch=32),
    training(784, 256, 10, batch=64),
    training(784, 1024, 1024, 10, batch=256),
    training(4096, 4096, 4096, batch=512, slow=True),
    training(*[64] * 21, batch=32, name="20 layers of 64"),
    *(forward(784, 256, 10, batch=batch) for batch in (1, 64, 4096)),
    Case("LogSoftMax and ClassNLL, 256 of 1000", "nll", (1000,), 256),
    Case("BatchNormalization(1024), batch 256", "layer", (1024,), 256, "BatchNormalization"),
    Case("LayerNormalization(1024), batch 256", "layer", (1024,), 256, "LayerNormalization"),
    *map(pointwise, ("Sigmoid", "Tanh", "ReLU", "Threshold", "LeakyReLU", "ELU")),
    *map(pointwise, ("SoftPlus", "LogSigmoid", "Dropout")),
    Case("LookupTable(50000, 128), 4096 ids", "layer", (50_000, 128), 4096, "LookupTable"),
    *chain.from_iterable(map(updates, ("adam", "sgd"))),
]

# Every row of the tables that has a name of its own.
ROWS = [*CASES, *WINDOWS, *SEQUENCES]

# Whose memory is looked at.
MEMORY = [case for case in CASES if case.work == "training" and case.batch > 100]

# How a training step grows: by what, and the cases from small to large.
GROWTH = {
    "batch, of 784-256-10": {
        n: training(784, 256, 10, batch=n) for n in (1, 4, 16, 64, 256, 1024, 4096)
    },
    "width, of three layers, batch 64": {
        n: training(n, n, n, n, batch=64) for n in (4, 16, 64, 256, 1024, 2048)
    },
    "depth, of layers of 64, batch 32": {
        n: training(*[64] * (n + 1), batch=32, name=f"{n} layers of 64")
        for n in (1, 2, 4, 8, 16, 32, 64)
    },
}

_GROWN = (
    grown.values()
    for ways in (GROWTH, GROWTH_OF_WINDOWS, GROWTH_OF_SEQUENCES)
    for grown in ways.values()
)
NAMED = {case.name: case for case in chain(ROWS, *_GROWN)}


def named(glob):
    """The rows of the tables that have such a name, as the table or as the case says it."""
    return [row for row in ROWS if fnmatchcase(row.title, glob) or fnmatchcase(row.name, glob)]


def unnamed(glob, words):
    """What to say where that names no row, nor is one of these words."""
    there = "\n  ".join(dict.fromkeys([*words, *(row.title for row in ROWS)]))
    return f"--cases: nothing is called {glob!r}; there are\n  {there}"


def material(case, dtype):
    """The numbers that every contender starts with, and copies if it changes them."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.standard_normal(shape, np.float32).astype(dtype)

    def between(bound, *shape):
        return (bound * (2 * rng.random(shape) - 1)).astype(dtype)

    if case.work == "windows":
        return windows.drawn(case, draw, between, rng)
    if case.work == "sequences":
        return sequences.drawn(case, draw, between)
    sizes, batch = case.sizes, case.batch
    if case.work in ("training", "forward"):
        weights = [(between(n**-0.5, m, n), between(n**-0.5, m)) for n, m in pairwise(sizes)]
        return SimpleNamespace(weights=weights, x=draw(batch, sizes[0]), y=draw(batch, sizes[-1]))
    if case.work in ("adam", "sgd"):
        tensors = [draw(n) for n in sizes]
        # None near 0: there it matters whether epsilon is added early or late.
        return SimpleNamespace(tensors=tensors, gradients=[between(1, n) + 2 for n in sizes])
    if case.layer == "LookupTable":
        rows, columns = sizes
        return SimpleNamespace(
            weight=draw(rows, columns), x=rng.integers(rows, size=batch), g=draw(batch, columns)
        )
    x = draw(batch, *sizes)
    if case.work == "nll":
        return SimpleNamespace(x=x, y=rng.integers(sizes[0], size=batch))
    return SimpleNamespace(x=x, g=draw(batch, *sizes))
