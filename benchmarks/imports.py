"""How long a program waits for a library to load."""

import importlib.util
import subprocess
import sys
import time
from math import inf

from benchmarks.programs import ROOT, environment

__all__ = ["import_times"]

# What is imported to train a network, by the package that it belongs to.
STATEMENTS = {
    "NumPy": "import numpy",
    "torchlite": "import torchlite",
    "torchlite, and SciPy, which its first update loads": "import torchlite, scipy.linalg.blas",
    "PyTorch": "import torch",
    "JAX": "import jax.numpy",
    "thinc": "import thinc.api",
    "autograd": "import autograd.numpy",
    "scikit-learn": "import sklearn.neural_network",
    "tinygrad": "import tinygrad",
}


def import_times(rounds):
    """Return the seconds that each import takes beyond Python's own start, the best of rounds."""
    statements = {"": "pass"} | {
        name: statement for name, statement in STATEMENTS.items() if _installed(statement)
    }
    best = dict.fromkeys(statements, inf)
    for _ in range(rounds):
        for name, statement in statements.items():
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", statement], check=True, cwd=ROOT, env=environment(1)
            )
            best[name] = min(best[name], time.perf_counter() - start)
    bare = best.pop("")
    return {name: seconds - bare for name, seconds in best.items()}


def _installed(statement):
    packages = statement.removeprefix("import ").split(", ")
    return all(importlib.util.find_spec(package.split(".")[0]) for package in packages)
