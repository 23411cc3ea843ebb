"""Torch7 itself: its launcher runs a program of its own for each case, which takes turns by pipes.

The launcher is `th`, on the path or where $TH7 says. What it runs is torch7.lua.
"""

import os
import shutil
import subprocess
import weakref
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender

NAMED = os.environ.get("TH7")
LAUNCHER = shutil.which(NAMED or "th")
if LAUNCHER is None and NAMED:
    raise ImportError(f"$TH7 names {NAMED}, which is no program")
if LAUNCHER is None:
    raise ImportError("its launcher th is not on the path, nor does $TH7 name one")
PROGRAM = Path(__file__).with_suffix(".lua")
KINDS = {"float32": "Float", "float64": "Double", "int64": "Long"}


class Torch7(Contender):
    name = "Torch7"
    package = "Torch"
    works = "training", "forward", "layer", "nll", "adam", "sgd"
    apart = True

    def version(self):
        return "7"

    def step(self, case, material):
        # Its LayerNormalization subtracts the means of other samples.
        able = case.work in self.works and case.layer != "LayerNormalization"
        return Step(self, case, material) if able else None


class Step:
    """A step in a program of Torch7's, which also takes the time of those in a turn."""

    def __init__(self, contender, case, material):
        self._dtype, self._shapes = contender.dtype, shapes(case, material)
        self._folder = Path(mkdtemp())
        descriptions = []
        for number, array in enumerate(arrays_in([*vars(material).values()]), 1):
            # Lua counts rows and classes from 1.
            array = array + 1 if array.dtype.kind == "i" else array
            array.tofile(self._folder / str(number))
            descriptions.append(f"{KINDS[array.dtype.name]}:{'x'.join(map(str, array.shape))}")
        request = contender.threads, contender.dtype, case.work, case.layer or "-", LEARNING_RATE
        self._process = subprocess.Popen(
            [LAUNCHER, PROGRAM, *map(str, request), self._folder, *descriptions],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.close = weakref.finalize(self, end, self._process, self._folder)

    def __call__(self):
        self._ask("step")
        found = np.fromfile(self._folder / "found", self._dtype)
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in self._shapes])
        parts = np.split(found, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def times(self, seconds):
        """The seconds that each step of a turn takes."""
        return [*map(float, self._ask(f"turn {seconds}").split())]

    def _ask(self, line):
        with suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"Torch7 ended with exit code {self._process.wait()}")
        return answer


def end(process, folder):
    process.communicate()
    shutil.rmtree(folder)


def arrays_in(nested):
    """The arrays in lists and tuples, one after the other."""
    for entry in nested:
        yield from arrays_in(entry) if isinstance(entry, list | tuple) else [entry]


def shapes(case, material):
    """The shapes of what a step finds; () is a loss."""
    if case.work == "training":
        return [()]
    if case.work == "forward":
        return [(case.batch, case.sizes[-1])]
    if case.work == "nll":
        return [(), material.x.shape]
    if case.work in ("adam", "sgd"):
        return [(sum(case.sizes),)]
    if case.layer == "LookupTable":
        return [material.g.shape, material.weight.shape]
    return [material.x.shape] * 2


CONTENDERS = [Torch7]
