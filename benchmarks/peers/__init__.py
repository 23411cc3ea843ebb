"""Who takes part: one file a library, which has a class for every column it gets in the tables.

A contender has a method for each work (`cases.Case.work`) that it can do. The method takes the case
and its material and returns a function without arguments, the step, which is what is timed. The
step returns what it found, so that the contenders can be compared. A step that another program
takes has a method `times`, which takes those of a turn there.
"""

import importlib
from contextlib import nullcontext
from importlib.metadata import version

__all__ = ["MODULES", "Contender", "enter", "versions"]

# One that cannot be imported says why.
MODULES = (
    "torchlite",
    "torch7",
    "pytorch",
    "jax",
    "thinc",
    "autograd",
    "sklearn",
    "tinygrad",
    "products",
)


class Contender:
    """A column of the tables."""

    name: str
    package: str
    dtypes = "float32", "float64"
    works = "training", "forward", "layer", "nll", "adam", "sgd", "windows", "sequences"
    # Whether its training step computes the gradient of the network's input, which nobody needs.
    all_gradients = False
    # Whether its steps find anything to compare.
    finds = True
    # Whether another program takes its steps.
    apart = False

    def __init__(self, threads, dtype):
        self.threads, self.dtype = threads, dtype

    def step(self, case, material):
        """The step of a case, or None for what it cannot do."""
        make = getattr(self, case.work, None) if case.work in self.works else None
        return make and make(case, material)

    def turn(self):
        """What a turn is to run inside of."""
        return nullcontext()

    def version(self):
        """The version of its package."""
        return version(self.package)


def enter(threads, dtype, names=MODULES):
    """Return the contenders of these libraries, and why the others of them are absent."""
    contenders, absent = [], {}
    for name in names:
        try:
            module = importlib.import_module(f"benchmarks.peers.{name}")
        except ImportError as error:
            absent[name] = str(error)
            continue
        able = [make for make in module.CONTENDERS if dtype in make.dtypes]
        contenders += [make(threads, dtype) for make in able]
        # What a library that takes part would use if it were there.
        absent |= getattr(module, "ABSENT", {})
        if not able:
            absent[name] = f"has no {dtype}"
    return contenders, absent


def versions(contenders):
    """The version of each package that takes part."""
    return {contender.package: contender.version() for contender in contenders}
