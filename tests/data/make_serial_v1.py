"""Make serial_v1.npz, a file of version 1. It was made once: files of version 1 stay readable.

Run from the repository's root: python tests/data/make_serial_v1.py
"""

from pathlib import Path

import numpy as np

from torchlite import nn, random, serial

PATH = Path(__file__).with_name("serial_v1.npz")


def content():
    """Return (network, optimizer state, other values): one of everything that a file can hold."""
    random.manualSeed(1)
    shared = nn.Linear(3, 3)
    net = nn.Sequential(
        nn.Linear(2, 3),
        nn.BatchNormalization(3),
        nn.Dropout(0.25),
        nn.ConcatTable(shared, nn.LookupTable(4, 2, maxNorm=1.5)),
        nn.ParallelTable(shared, nn.View(-1, 2)),
    ).evaluate()
    net[0].weight = np.asfortranarray(net[0].weight)
    net[0].gradInput = None
    optimizer = {"t": 7, "m": np.arange(4, dtype="float32"), "v": np.zeros((0, 2))}
    extra = {
        "epoch": 3,
        "losses": [1.5, 0.1, float("inf"), float("-inf"), float("nan"), -0.0],
        "plain": (None, True, 2**100, "ä\ud800\n", {1: "one", None: [], "deep": {"er": ()}}),
        "numpy": [np.float32(0.1), np.int64(-1), np.dtype("complex64"), np.array(2j)],
        "criterion": nn.CrossEntropyCriterion(np.array([1.0, 2.0])),
        "whole": np.array([[True], [False]]),
        "shared": net[0].weight,
    }
    return net, optimizer, extra


if __name__ == "__main__":
    net, optimizer, extra = content()
    serial.save_checkpoint(PATH, net, optimizer, **extra)
