"""Programs of their own for what is measured, whose libraries use so many threads.

Most libraries read how many they may use when they are loaded, and never again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "answer", "ask", "available", "environment"]

ROOT = Path(__file__).parents[1]

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUM_CPU_THREADS",  # tinygrad
)


def available():
    """How many processors this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(threads):
    """The environment of a program whose libraries are to use so many threads."""
    own = dict.fromkeys(VARIABLES, str(threads))
    if threads == 1:
        own["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return os.environ | own


def ask(program, threads, **request):
    """Return what a module of this package answers as a program that may use so many threads."""
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            f"benchmarks.{program}",
            json.dumps({"threads": threads, **request}),
        ],
        cwd=ROOT,
        env=environment(threads),
        stdout=subprocess.PIPE,
    )
    if finished.returncode:
        # What went wrong it has said itself.
        raise SystemExit(f"benchmarks.{program} ended with exit code {finished.returncode}")
    return json.loads(finished.stdout)


def answer(function):
    """Be such a program: pass the request to the function and print what it returns."""
    request = json.loads(sys.argv[1])
    # Where the system can, it keeps the program on one processor: the rest is a request.
    if request["threads"] == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # Libraries print things, too.
    stdout, sys.stdout = sys.stdout, sys.stderr
    json.dump(function(**request), stdout)
