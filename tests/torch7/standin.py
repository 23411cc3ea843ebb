"""Answers as benchmarks/peers/torch7.lua does, by torchlite: a stand-in for Torch7's launcher."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.cases import LEARNING_RATE, Case
from benchmarks.peers.torchlite import WithoutSciPy

DTYPES = {"Float": "float32", "Double": "float64", "Long": "int64"}


def read(path, description):
    kind, _, sizes = description.partition(":")
    numbers = np.fromfile(path, DTYPES[kind])
    # Lua counts from 1.
    return numbers.reshape([*map(int, sizes.split("x"))]) - (kind == "Long")


def main(program, threads, dtype, work, layer, rate, folder, *descriptions):
    assert (Path(program).name, threads, rate) == ("torch7.lua", "1", str(LEARNING_RATE))
    folder = Path(folder)
    arrays = [read(folder / str(i), how) for i, how in enumerate(descriptions, 1)]
    half = len(arrays) // 2
    if work in ("training", "forward"):
        weights = list(zip(arrays[:-2:2], arrays[1:-2:2], strict=True))
        material = SimpleNamespace(weights=weights, x=arrays[-2], y=arrays[-1])
        sizes = ()
    elif work in ("adam", "sgd"):
        material = SimpleNamespace(tensors=arrays[:half], gradients=arrays[half:])
        sizes = ()
    else:
        material = SimpleNamespace(weight=arrays[0], x=arrays[-2], g=arrays[-1], y=arrays[-1])
        sizes = arrays[0].shape if layer == "LookupTable" else arrays[-2].shape[1:]
    step = WithoutSciPy(1, dtype).step(Case("", work, sizes, layer=layer), material)
    for line in sys.stdin:
        if line.startswith("turn "):
            start = time.perf_counter()
            step()
            print(time.perf_counter() - start, line.split()[1], flush=True)
        else:
            found = [np.ravel(np.asarray(part, dtype)) for part in step()]
            np.concatenate(found).tofile(folder / "found")
            print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
